"""The client of `rpcnet.py` against a server, and both against the dumps that the specification shows.

The server is `tests/src/bin/protocol_peer.rs`: `cargo build -p rpcnet-tests --bin protocol_peer`. Every wait here is for
something that happens; a test that waits in vain ends the run, and shows where.
"""

import asyncio
import faulthandler
import os
import re
import subprocess
import tempfile
import unittest
from contextlib import AsyncExitStack
from pathlib import Path

import wire
from rpcnet import Client
from wire import Code, Executed, Flag, Kind, MethodError, Reason, Status, frame

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "rpcnet/src/wire/tests/golden"
PEER = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/protocol_peer"
MIB = 1 << 20
SECONDS_MAX = 120  # of a test: some thirty times what the slowest takes
FIRST = 1 << 24  # the id of a client's first call


def golden(name):
    """The bytes of a dump: hex before a bar, for people after it."""
    lines = (GOLDEN / f"{name}.txt").read_text().splitlines()
    return bytes.fromhex(" ".join(line.split("|")[0] for line in lines))


def in_json(hello):
    return hello[:6] + bytes([wire.JSON]) + hello[7:]


class Bytes(unittest.TestCase):
    def test_what_is_sent_is_what_the_dumps_say(self):
        def call(payload, flags=0, **parts):
            head, more = wire.call_head(**parts)
            return frame(Kind.CALL, FIRST, Flag.END | flags | more, head, payload)

        trace = bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736" "00f067aa0ba902b7" "01")
        streams = Flag.STREAMING | Flag.ITEMS
        sent = {
            "hello-client": wire.Hello(16 * MIB, 0, 0, 256 << 10).encode(),
            "call": call(b'["Ann"]', method="Greeter/hello", micros=1_000_000),
            "call-keyed": call(b"hi", method="echo", micros=1000, fingerprint=0x04030201, request_id=b"\xab" * 16),
            "call-repeat": call(b"hi", method="echo", request_id=b"\xab" * 16, repeat=(2000 | 1 << 63, 1000)),
            "call-traced": call(b"hi", method="echo", trace=trace, metadata={"tenant": "acme"}),
            "call-stream": call(b"[1]", streams, method="Sums/add"),
            "item": frame(Kind.DATA, FIRST, Flag.END, payload=b"42"),
            "pack": frame(Kind.PACK, FIRST, payload=b"\2\x0042\1\x007"),
            "finish": frame(Kind.FINISH, FIRST),
            "cancel": frame(Kind.CANCEL, FIRST),
            "credit": frame(Kind.CREDIT, FIRST, head=(4096).to_bytes(4, "little")),
            "ping": frame(Kind.PING, 0),
            "pong": frame(Kind.PONG, 0),
        }
        for name, sent in sent.items():
            with self.subTest(name):
                dump = golden(name)
                self.assertEqual(sent, in_json(dump) if name == "hello-client" else dump)

    def test_numbers_are_those_of_the_tables(self):
        def named(number):
            return number.name.replace("_", "")

        def rows(table):
            lines = (GOLDEN / f"{table}.md").read_text().splitlines()[2:]
            return [re.sub("[ `]", "", line).strip("|").upper().split("|") for line in lines]

        numbers = {"kinds": Kind, "flags": Flag, "codes": Code, "reasons": Reason, "executed": Executed}
        for table, numbers in numbers.items():
            with self.subTest(table):
                listed = [(int(row[0]), row[1]) for row in rows(table)]
                self.assertEqual(listed, [(number.value, named(number)) for number in numbers])
        self.assertEqual([row[2] for row in rows("reasons")], [named(wire.CODES[reason]) for reason in Reason])

    def test_an_unknown_number_is_read_as_unknown(self):
        self.assertEqual((Code(99), Reason(99), Executed(99)), (Code.UNKNOWN, Reason.UNSPECIFIED, Executed.UNKNOWN))

    def test_method_ids(self):
        self.assertEqual(wire.method_id("Greeter/hello"), 0xB3DE31CFF516BB86)
        self.assertEqual(wire.method_id("foobar"), 0x85944171F73967E8)


class Case(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # or it complains of the time that large messages take
        faulthandler.dump_traceback_later(SECONDS_MAX, exit=True)
        self.stack = AsyncExitStack()
        self.stack.callback(faulthandler.cancel_dump_traceback_later)
        self.addAsyncCleanup(self.stack.aclose)

    async def start_peer(self):
        self.assertTrue(PEER.exists(), f"{PEER} is not there: cargo build -p rpcnet-tests --bin protocol_peer")
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        environment = os.environ | {"RUST_BACKTRACE": "0"}  # it panics on purpose
        peer = subprocess.Popen([PEER, f"{folder}/s"], **pipes, text=True, env=environment)
        self.stack.enter_context(peer)  # closes its standard input, and waits for it to end
        self.peer, self.tcp, self.unix = peer, peer.stdout.readline().strip(), f"unix:{folder}/s"

    async def connect(self, address, **options):
        return await self.stack.enter_async_context(await Client.connect(address, **options))

    async def fails(self, call, reason, executed):
        with self.assertRaises(Status) as raised:
            await call
        status = raised.exception
        self.assertEqual((status.reason, status.executed, status.code), (reason, executed, wire.CODES[reason]))
        return status


class Calls(Case):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        await self.start_peer()
        self.client = await self.connect(self.tcp)

    async def test_all_four_kinds_over_both_transports(self):
        for address in (self.tcp, self.unix):
            with self.subTest(address):
                client = await self.connect(address)
                self.assertEqual(await client.call("Lab/echo", 'Ann "Ä" 🦀'), 'Ann "Ä" 🦀')
                self.assertIsNone(await client.call("Lab/nothing"))
                async with client.stream("Lab/count", 10_000) as call:
                    self.assertEqual([number async for number in call], list(range(10_000)))
                async with client.stream("Lab/add", 1, sends=True) as call:
                    for number in range(10_000):
                        self.assertTrue(await call.send(number))
                    call.finish()
                    self.assertEqual(await call.answer(), 1 + sum(range(10_000)))
                async with client.stream("Lab/shout", sends=True) as call:
                    lines = aiter(call)
                    for line in ("one", "two", "three"):
                        await call.send(line)
                        self.assertEqual(await anext(lines), line.upper())
                    call.finish()
                    self.assertEqual([line async for line in lines], [])
                self.assertEqual((client._slots, client._calls), (1, {}), "one call at a time needs one slot")

    async def test_errors_of_the_method(self):
        with self.assertRaises(MethodError) as raised:
            await self.client.call("Lab/refuse", "no")
        self.assertEqual(raised.exception.value, {"Refused": {"why": "no"}})
        with self.assertRaises(MethodError) as raised:
            await self.client.call("Lab/parse", "x")
        self.assertEqual(raised.exception.value, {"message": "invalid digit found in string", "causes": []})

    async def test_failures_outside_of_the_method(self):
        call = self.client.call
        unknown = await self.fails(call("Lab/nobody"), Reason.UNKNOWN_METHOD, Executed.NO)
        self.assertIn("Lab/echo", unknown.message)
        for wrong in ([], [1], ["a", "b"]):
            await self.fails(call("Lab/echo", *wrong), Reason.UNDECODABLE_ARGUMENTS, Executed.NO)
        await self.fails(call("Lab/count", 1), Reason.INCOMPATIBLE_METHOD, Executed.NO)
        await self.fails(call("Lab/panic"), Reason.PANICKED, Executed.YES)
        await self.fails(call("Lab/echo", "x" * 16 * MIB), Reason.MESSAGE_TOO_LARGE, Executed.NO)
        small = await self.connect(self.tcp, message_max=1000)
        await self.fails(small.call("Lab/echo", "x" * 1001), Reason.MESSAGE_TOO_LARGE, Executed.YES)
        self.assertEqual(await call("Lab/echo", "still here"), "still here")

    async def test_a_stream_that_is_cut_gives_what_came_and_then_why(self):
        async with self.client.stream("Lab/cut", 3) as call:
            numbers = aiter(call)
            self.assertEqual([await anext(numbers) for _ in range(3)], [0, 1, 2])
            self.assertEqual((await self.fails(anext(numbers), Reason.STREAM_CUT, Executed.YES)).message, "as asked")

    async def test_metadata_and_trace(self):
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        parts = {"metadata": {"tenant": "acme", "k": "ü"}, "trace": bytes.fromhex(trace[3:].replace("-", ""))}
        self.assertEqual(await self.client.call("Lab/said", "tenant", **parts), ["acme", trace])
        self.assertEqual(await self.client.call("Lab/said", "tenant"), [None, None])
        upper = self.client.call("Lab/said", "x", metadata={"X": ""})
        await self.fails(upper, Reason.UNDECODABLE_ARGUMENTS, Executed.NO)

    async def test_a_repeated_request_is_run_once(self):
        for _ in range(2):
            self.assertEqual(await self.client.call("Lab/charge", 5, request_id=b"a" * 16), 5)
        other = await self.connect(self.tcp)
        self.assertEqual(await other.call("Lab/charge", 5, request_id=b"a" * 16), 5)
        self.assertEqual(await other.call("Lab/charge", 5, request_id=b"b" * 16), 10)
        await self.fails(other.call("Lab/charge", 6, request_id=b"b" * 16), Reason.REQUEST_ID_REUSED, Executed.NO)

    async def test_a_deadline_passes(self):
        await self.fails(self.client.call("Lab/hang", timeout=0.05), Reason.DEADLINE, Executed.UNKNOWN)
        async with self.client.stream("Lab/shout", sends=True, timeout=0.05) as call:
            await self.fails(anext(aiter(call)), Reason.DEADLINE, Executed.UNKNOWN)
        self.assertEqual(await self.client.call("Lab/echo", "in time", timeout=60), "in time")

    async def test_the_method_sees_that_its_call_is_cancelled(self):
        call = asyncio.create_task(self.client.call("Lab/hang"))
        await self.client.call("Lab/hanging", 1)
        call.cancel()
        await self.client.call("Lab/given_up", 1)

    async def test_leaving_a_stream_early_harms_no_other_call(self):
        async with self.client.stream("Lab/count", 1_000_000) as call:
            async for number in call:
                if number == 10:
                    break
        async with self.client.stream("Lab/add", 0, sends=True) as call:
            await call.send(1)
        self.assertEqual(await self.client.call("Lab/echo", "next"), "next")

    async def test_a_writer_learns_that_the_method_reads_no_more(self):
        async with self.client.stream("Lab/first", sends=True) as call:
            while await call.send(7):
                pass
            hang = asyncio.create_task(self.client.call("Lab/hang"))
            self.assertEqual(await call.answer(), 7)
            hang.cancel()

    async def test_large_messages_both_ways_let_small_calls_pass(self):
        text = "ab" * 4 * MIB
        large = [asyncio.create_task(self.client.call("Lab/echo", text)) for _ in range(3)]
        self.assertEqual(await self.client.call("Lab/echo", "small"), "small")
        for answer in await asyncio.gather(*large):
            self.assertTrue(answer == text)

    async def test_items_larger_than_the_window_pass_both_ways(self):
        client = await self.connect(self.tcp, window=4096)
        for length in (1, 4078, 4096, 5000, 256 << 10, 2 * MIB):
            async with client.stream("Lab/shout", sends=True) as call:
                lines = aiter(call)
                for _ in range(3):
                    await call.send("x" * length)
                    self.assertTrue(await anext(lines) == "X" * length)
                call.finish()
                self.assertEqual([line async for line in lines], [])

    async def test_a_stream_waits_for_its_reader_and_holds_up_nobody(self):
        client = await self.connect(self.tcp, window=4096)
        async with client.stream("Lab/count", 100_000) as call:
            self.assertIsNone(await call.answer())
            self.assertEqual(await client.call("Lab/echo", "meanwhile"), "meanwhile")
            self.assertEqual([number async for number in call], list(range(100_000)))

    async def test_many_calls_in_flight(self):
        hanging = [asyncio.create_task(self.client.call("Lab/hang")) for _ in range(1000)]
        await self.client.call("Lab/hanging", 1000)
        answers = await asyncio.gather(*(self.client.call("Lab/echo", str(number)) for number in range(3000)))
        self.assertEqual(answers, [str(number) for number in range(3000)])
        for call in hanging:
            call.cancel()
        await self.client.call("Lab/given_up", 1000)
        self.assertEqual(self.client._calls, {})

    async def test_no_more_streams_than_the_server_takes(self):
        async with AsyncExitStack() as streams:
            for _ in range(self.client.server.streams_max):
                await streams.enter_async_context(self.client.stream("Lab/shout", sends=True))
            one_more = self.client.stream("Lab/shout", sends=True)
            await self.fails(one_more.__aenter__(), Reason.TOO_MANY_CALLS, Executed.NO)
        async with self.client.stream("Lab/count", 1) as call:
            self.assertEqual([number async for number in call], [0])

    async def test_the_server_is_asked_whether_it_is_there(self):
        await asyncio.gather(*(self.client.ping() for _ in range(3)))

    async def test_a_call_under_way_ends_well_when_the_server_goes_away(self):
        other = await self.connect(self.unix)
        async with self.client.stream("Lab/shout", sends=True) as call:
            lines = aiter(call)
            await call.send("before")
            self.assertEqual(await anext(lines), "BEFORE")
            await other.call("Lab/leave")
            await self.client.going_away.wait()
            await self.fails(self.client.call("Lab/echo", "late"), Reason.DRAINING, Executed.NO)
            await call.send("after")
            self.assertEqual(await anext(lines), "AFTER")
            call.finish()
            self.assertEqual([line async for line in lines], [])
        await self.fails(self.client.call("Lab/echo", "later"), Reason.CONNECTION_LOST, Executed.NO)

    async def test_a_lost_connection_leaves_it_open_whether_the_call_ran(self):
        call = asyncio.create_task(self.client.call("Lab/hang"))
        await self.client.call("Lab/hanging", 1)
        self.peer.kill()
        await self.fails(call, Reason.CONNECTION_LOST, Executed.UNKNOWN)
        await self.fails(Client.connect(self.tcp), Reason.CONNECT_FAILED, Executed.NO)


class Server(Case):
    """What a server makes of bytes that no good client sends, or a later one."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        await self.start_peer()
        host, _, port = self.tcp.rpartition(":")
        self.reader, self.writer = await asyncio.open_connection(host, port)
        self.stack.callback(self.writer.close)

    async def greet(self):
        self.writer.write(in_json(golden("hello-client")))
        self.assertEqual(await self.reader.readexactly(26), in_json(golden("hello-server")))

    async def test_a_hello_that_does_not_fit_is_answered_by_the_servers_own(self):
        hello, answer = golden("hello-client"), golden("hello-server")
        self.writer.write(hello[:4] + bytes([2, 3]))
        self.assertEqual(await self.reader.read(), answer)
        host, _, port = self.tcp.rpartition(":")
        for wrong, expected in ((hello[:6] + bytes([77]) + hello[7:], answer), (b"GET / HTTP/1.1\r\n\r\n", b"")):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(wrong)
            # What was sent and not read lets the system reset the connection.
            with self.subTest(wrong):
                try:
                    self.assertEqual(await reader.read(), expected)
                except ConnectionResetError:
                    self.assertEqual(expected, b"")
            writer.close()

    async def test_what_a_later_version_adds_is_skipped(self):
        hello = in_json(golden("hello-client"))
        self.writer.write(hello[:24] + (3).to_bytes(2, "little") + b"abc")
        await self.reader.readexactly(26)
        self.writer.write(frame(200, 99, 0xFF, b"head", b"payload"))
        head, _ = wire.call_head("Lab/echo")
        self.writer.write(frame(Kind.CALL, FIRST, Flag.END | 0x80, head + b"more", b'["hi"]'))
        self.assertEqual(await wire.read_frame(self.reader), (Kind.REPLY, Flag.END, FIRST, b"\0", b'"hi"'))

    async def test_the_server_keeps_the_deadline_too_and_ends_the_method(self):
        await self.greet()
        for micros, executed in ((0, Executed.NO), (1000, Executed.UNKNOWN)):
            head, _ = wire.call_head("Lab/hang", micros)
            self.writer.write(frame(Kind.CALL, FIRST + micros * FIRST, Flag.END, head, b"[]"))
            _, _, _, head, payload = await wire.read_frame(self.reader)
            status = wire.status(head, payload)
            self.assertEqual((status.reason, status.executed), (Reason.DEADLINE, executed))
        client = await self.connect(self.tcp)
        await client.call("Lab/given_up", 1)

    async def test_the_call_of_the_specification_is_answered(self):
        await self.greet()
        self.writer.write(golden("call"))
        kind, flags, stream, head, payload = await wire.read_frame(self.reader)
        self.assertEqual((kind, flags, stream), (Kind.REPLY, Flag.END, FIRST))
        status = wire.status(head, payload)
        self.assertEqual((status.reason, status.executed), (Reason.UNKNOWN_METHOD, Executed.NO))

    async def test_what_ends_the_connection(self):
        head, _ = wire.call_head("Lab/hang")

        def call(stream):
            return frame(Kind.CALL, stream, Flag.END, head, b"[]")

        for name, wrong in {
            "a head longer than its frame": b"\0\0\0\0\1\0\1\0" + bytes(8),
            "a payload over the limit": (65_537).to_bytes(4, "little") + bytes(12),
            "an id of the server's": call(FIRST | 1),
            "the sequence number 0": call(0),
            "a slot that is skipped": call(FIRST | 2),
            "a slot that is taken": call(FIRST) + call(2 * FIRST),
            "a sequence number again": call(FIRST) + call(FIRST | 2),
            "data of no call": frame(Kind.DATA, FIRST, Flag.END, payload=b"x"),
            "data that no call expects": call(FIRST) + frame(Kind.DATA, FIRST, Flag.END, payload=b"x"),
            "a pack that no call expects": call(FIRST) + frame(Kind.PACK, FIRST, payload=b"\1\0x"),
            "an answer": frame(Kind.REPLY, FIRST, Flag.END, b"\0"),
            "a reset without a status": frame(Kind.RESET, FIRST),
            "credit without a number": frame(Kind.CREDIT, FIRST),
        }.items():
            with self.subTest(name):
                reader, writer = await asyncio.open_unix_connection(self.unix[5:])
                writer.write(in_json(golden("hello-client")))
                await reader.readexactly(26)
                writer.write(wrong)
                self.assertEqual(await reader.read(), b"")
                writer.close()


class Strangers(Case):
    """What the client makes of a server that sends what it is told to."""

    async def client_of(self, *frames, **options):
        async def serve(reader, writer):
            await reader.readexactly(26)
            writer.write(in_json(golden("hello-server")))
            await wire.read_frame(reader)
            writer.write(b"".join(frames))
            await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.stack.callback(server.close)
        return await self.connect("127.0.0.1:%d" % server.sockets[0].getsockname()[1], **options)

    async def test_the_answers_of_the_specification_are_read(self):
        client = await self.client_of(golden("ping"), frame(200, 0, payload=b"?"), golden("reply"))
        self.assertEqual(await client.call("Greeter/hello", "Ann"), "hello Ann")
        client = await self.client_of(golden("status"))
        status = await self.fails(client.call("Greeter/hello", "Ann"), Reason.OVERLOADED, Executed.NO)
        self.assertEqual((status.message, status.retry_after), ("busy", 0.258))
        client = await self.client_of(golden("reply-stream"), golden("item"), golden("pack"), golden("reset"))
        async with client.stream("Sums/all") as call:
            items = aiter(call)
            self.assertEqual([await anext(items) for _ in range(3)], [42, 42, 7])
            await self.fails(anext(items), Reason.STREAM_CUT, Executed.YES)

    async def test_calls_after_the_last_that_was_taken_have_not_run(self):
        client = await self.client_of(frame(Kind.GOAWAY, 0, payload=b"bye"))
        status = await self.fails(client.call("Greeter/hello", "Ann"), Reason.DRAINING, Executed.NO)
        self.assertEqual(status.message, "bye")

    async def test_a_silent_server_is_given_up(self):
        client = await self.client_of(silence=(0.01, 0.01))
        await self.fails(client.call("Greeter/hello", "Ann"), Reason.CONNECTION_LOST, Executed.UNKNOWN)

    async def test_what_ends_the_connection(self):
        item = frame(Kind.DATA, FIRST, 0, payload=b"x" * 5000)
        for wrong in (golden("call"), frame(Kind.REPLY, 1, Flag.END, b"\0"), frame(Kind.CREDIT, FIRST),
                      frame(Kind.RESET, FIRST), b"\0\0\0\0\1\0\1\0" + bytes(8), golden("reply-stream") + item,
                      *(golden("reply-stream") + frame(Kind.PACK, FIRST, payload=pack) for pack in (b"", b"\1", b"\2\0x"))):
            with self.subTest(wrong[:16]):
                client = await self.client_of(wrong, window=4096)
                async with client.stream("Sums/all") as call:
                    with self.assertRaises(Status) as raised:
                        [item async for item in call]
                self.assertIn("broke the protocol", raised.exception.message)


if __name__ == "__main__":
    unittest.main()
