"""A client of RpcNet servers in Python 3.11, of nothing but the standard library. It speaks JSON.

    async with await Client.connect("127.0.0.1:7001") as client:
        print(await client.call("Greeter/hello", "Ann", timeout=1.0))

        async with client.stream("Sums/add", 1, sends=True) as call:   # items of this end: `send`, then `finish`
            for number in range(10):
                await call.send(number)
            call.finish()
            print(await call.answer())

        async with client.stream("Log/read", 0) as call:               # items of the server: iterate
            async for line in call:
                print(line)

Whoever leaves an `async with` early, or cancels the task that waits in one, cancels the call. A method's own error is
raised as `MethodError`, any other failure as `Status`.
"""

import asyncio
import heapq
import struct
from contextlib import suppress

from wire import (CREDIT_MAX, FRAME_PAYLOAD_MAX, HEADER, NO_TIMEOUT, Executed, Flag, Hello, Inbox, Kind, MethodError,
                  Reason, Status, Violation, call_head, cost, decode, encode, frame, is_status, read_frame, status,
                  unpack)

PIECE_MIN = 1024  # of an item: with less credit it waits for more


class Call:
    """A call, made by `Client.stream` and begun by `async with`. One task may send while another reads."""

    def __init__(self, client, method, arguments, flags, timeout=None, **parts):
        self.id = None
        self.flags, self.payload = flags, encode(arguments)
        self._client, self._method, self._timeout, self._parts = client, method, timeout, parts
        self._changed, self._timer = asyncio.Event(), None
        self._whole = False  # the arguments have been sent
        self._sending, self._credit = False, 0
        self._reply, self._reply_head, self._items_follow = bytearray(), b"", False
        self._answered, self._inbox = False, Inbox(client.hello.window)
        self._over, self._failure = False, None

    async def __aenter__(self):
        self._client._begin(self)
        try:
            await self._send_arguments()
        except BaseException:
            self._end(cancel=True)
            raise
        return self

    async def __aexit__(self, *_):
        self._end(cancel=True)

    async def answer(self):
        """The answer; `None` when a stream follows it."""
        await self._until(lambda: self._answered or self._over)
        if not self._answered:
            raise self._failure
        if self._items_follow:
            return None
        value = decode(self._reply, Reason.UNDECODABLE_ANSWER)
        if self._reply_head[0] == 0:
            return value
        raise MethodError(value)

    async def send(self, item):
        """Sends an item, when there is credit for it. False when nobody wants it any more."""
        rest = encode(item)
        if len(rest) > self._client.server.message_max:
            raise refused(Reason.MESSAGE_TOO_LARGE, "the server takes no item of this size")
        while True:
            enough = cost(min(len(rest), PIECE_MIN))
            await self._until(lambda: not self._sending or self._credit >= enough)
            if not self._sending:
                return False
            length = min(len(rest), FRAME_PAYLOAD_MAX, self._credit - HEADER.size)
            piece, rest = rest[:length], rest[length:]
            self._credit -= cost(length)
            await self._client._send(Kind.DATA, self.id, 0 if rest else Flag.END, payload=piece)
            if not rest:
                return True

    def finish(self):
        """Says that the items are complete. Without it, leaving the call cancels it."""
        if self._sending:
            self._sending = False
            self._client._queue(Kind.FINISH, self.id)

    async def __aiter__(self):
        """The server's items. Raises when the call fails, and, after what has come, when the stream is cut."""
        await self.answer()
        while True:
            await self._until(lambda: self._inbox.items or self._over)
            if not self._inbox.items:
                break
            item = self._inbox.pop()
            self._grant()
            yield decode(item, Reason.UNDECODABLE_ITEM)
        if self._failure:
            raise self._failure

    async def _until(self, ready):
        while not ready():
            self._changed.clear()
            await self._changed.wait()

    async def _send_arguments(self):
        micros = NO_TIMEOUT
        if self._timeout is not None:
            micros = max(0, round(self._timeout * 1e6))
            late = Status(Reason.DEADLINE, Executed.UNKNOWN, "the deadline passed before the answer came")
            self._timer = asyncio.get_running_loop().call_later(self._timeout, self._end, late, True)
        head, flags = call_head(self._method, micros, **self._parts)
        kind, flags, rest = Kind.CALL, flags | self.flags, self.payload
        while not self._whole and not self._over:  # it may be refused before it is whole
            piece, rest = rest[:FRAME_PAYLOAD_MAX], rest[FRAME_PAYLOAD_MAX:]
            if not rest:
                self._whole, self._sending = True, bool(self.flags & Flag.ITEMS)
                self._credit = self._client.server.window
            await self._client._send(kind, self.id, flags if rest else flags | Flag.END, head, piece)
            kind, head, flags = Kind.DATA, b"", 0

    def _handle(self, kind, flags, head, payload):
        """A frame of this call."""
        last = bool(flags & Flag.END)
        match kind:
            case Kind.DATA if self._answered:
                self._handle_item(payload, last)
            case Kind.PACK if self._answered:
                self._handle_pack(payload)
            case Kind.REPLY | Kind.DATA:
                self._handle_answer(kind, flags, head, payload)
            case Kind.FINISH if self._answered:
                cut = Status(Reason.STREAM_CUT, Executed.YES, "it ended in the middle of an item")
                self._end(cut if self._inbox.partial else None)
            case Kind.RESET if self._answered:
                self._end(status(head, payload))
            case Kind.CREDIT:
                self._credit += int.from_bytes(head[:4], "little")
                if self._sending and self._credit > CREDIT_MAX:
                    raise Violation("credit without end")
            case Kind.STOP:
                self._sending = False
        self._changed.set()

    def _handle_answer(self, kind, flags, head, payload):
        if kind == Kind.REPLY:
            self._reply_head, self._items_follow = head, bool(flags & Flag.ITEMS)
        if self._is_too_large(self._reply, payload):
            return
        self._reply += payload
        if not flags & Flag.END:
            return
        if is_status(self._reply_head):
            self._end(status(self._reply_head, self._reply))
        elif self._reply_head[:1] in (b"\0", b"\1", b"\2"):
            self._answered = True
            if not self._items_follow:
                self._end()
        else:
            self._end(Status(Reason.UNDECODABLE_ANSWER, Executed.UNKNOWN, "the answer has no head"), cancel=True)

    def _handle_item(self, piece, last):
        if not self._is_too_large(self._inbox.partial, piece):
            self._inbox.push(piece, last)
            self._grant()

    def _handle_pack(self, pack):
        items = unpack(pack)
        if not any(self._is_too_large(b"", item) for item in items):
            self._inbox.push_pack(items, len(pack))
            self._grant()

    def _is_too_large(self, before, piece):
        if len(before) + len(piece) > self._client.hello.message_max:
            self._end(Status(Reason.MESSAGE_TOO_LARGE, Executed.YES, "the server sent more than was asked for"), True)
        return self._over

    def _grant(self):
        granted = 0 if self._over else self._inbox.grant()
        if granted:
            self._client._queue(Kind.CREDIT, self.id, head=struct.pack("<I", granted))

    def _end(self, failure=None, cancel=False):
        """The call is over. `cancel` says that the server does not know; nor does it while arguments are missing."""
        if self._over or self.id is None:
            return
        self._over, self._failure, self._sending = True, failure, False
        if self._timer:
            self._timer.cancel()
        if cancel or not self._whole:
            self._client._queue(Kind.CANCEL, self.id)
        self._client._release(self)
        self._changed.set()


def refused(reason, message):
    return Status(reason, Executed.NO, message)


class Client:
    """A connection. Any number of tasks may use it at once."""

    def __init__(self, reader, writer, hello, server, silence):
        self.hello, self.server, self.going_away = hello, server, asyncio.Event()
        self._reader, self._writer, self._silence, self._heard = reader, writer, silence, 0
        self._calls, self._streams, self._sequence = {}, 0, 0
        self._free, self._slots = [], 0
        self._pings, self._closed = {}, None
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]

    @classmethod
    async def connect(cls, address, *, message_max=16 << 20, window=256 << 10, silence=(10.0, 5.0)):
        """Connects to `host:port`, `unix:/path` or `unix:@name`. `silence`: for how many seconds a server that is
        waited for may say nothing before it is asked whether it is there, and after that."""
        hello, writer = Hello(message_max, 0, 0, window), None
        try:
            async with asyncio.timeout(5.0):
                if address.startswith("unix:"):
                    path = address[5:]
                    reader, writer = await asyncio.open_unix_connection("\0" + path[1:] if path[0] == "@" else path)
                else:
                    host, _, port = address.rpartition(":")
                    reader, writer = await asyncio.open_connection(host.strip("[]"), port)
                writer.write(hello.encode())
                return cls(reader, writer, hello, await Hello.read(reader), silence)
        except (OSError, EOFError, Violation) as error:  # OSError: among them that time is over
            if writer:
                writer.close()
            raise refused(Reason.CONNECT_FAILED, f"{address}: {error or 'it does not say hello'}") from error

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(OSError):
            await self._writer.wait_closed()

    async def call(self, method, *arguments, **options):
        """Calls a method without streams. Options: `timeout` in seconds, `metadata`, `request_id`, `trace`."""
        async with Call(self, method, arguments, 0, **options) as call:
            return await call.answer()

    def stream(self, method, *arguments, sends=False, **options):
        """A call of a method with a stream of the server's, of this end's (`sends`), or both: for an `async with`."""
        return Call(self, method, arguments, Flag.STREAMING | (Flag.ITEMS if sends else 0), **options)

    async def ping(self):
        """Returns when the server has said that it is there."""
        self._check_open()
        number = 1 + max(self._pings, default=0)
        pong = self._pings[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send(Kind.PING, number)
            await pong
        finally:
            self._pings.pop(number, None)

    def close(self, why="this end closed the connection"):
        """Ends the connection, and with it every call that is under way."""
        if self._closed is not None:
            return
        self._closed = why
        for call in list(self._calls.values()):
            call._end(Status(Reason.CONNECTION_LOST, Executed.YES if call._answered else Executed.UNKNOWN, why))
        for pong in filter(lambda pong: not pong.done(), self._pings.values()):
            pong.set_exception(refused(Reason.CONNECTION_LOST, why))
        for task in self._tasks:
            task.cancel()
        self._writer.close()

    def _check_open(self):
        if self._closed is not None:
            raise refused(Reason.CONNECTION_LOST, self._closed)

    def _begin(self, call):
        """Gives a call its id: "Stream ids"."""
        self._check_open()
        streaming = bool(call.flags & Flag.STREAMING)
        if self.going_away.is_set():
            raise refused(Reason.DRAINING, "the server takes no more calls")
        if len(call.payload) > self.server.message_max:
            raise refused(Reason.MESSAGE_TOO_LARGE, "the server takes no arguments of this size")
        if len(self._calls) == self.server.calls_max or streaming and self._streams == self.server.streams_max:
            raise refused(Reason.TOO_MANY_CALLS, "the server takes no more at once")
        if not self._free:
            heapq.heappush(self._free, self._slots)
            self._slots += 1
        self._sequence += 1
        self._streams += streaming
        call.id = self._sequence << 24 | heapq.heappop(self._free) << 1
        self._calls[call.id] = call

    def _release(self, call):
        del self._calls[call.id]
        self._streams -= bool(call.flags & Flag.STREAMING)
        heapq.heappush(self._free, call.id >> 1 & 0x7FFFFF)
        self._leave_if_done()

    def _leave_if_done(self):
        if self.going_away.is_set() and not self._calls:
            self.close("the server went away")

    def _queue(self, kind, stream, flags=0, head=b"", payload=b""):
        if self._closed is None:
            self._writer.write(frame(kind, stream, flags, head, payload))

    async def _send(self, *parts, **more):
        """Waits until there is room for more: meanwhile other calls send, and everything is read."""
        self._queue(*parts, **more)
        with suppress(ConnectionError):  # `_read` finds out too, and ends the calls
            await self._writer.drain()

    async def _read(self):
        try:
            while True:
                kind, *rest = await read_frame(self._reader)
                self._heard += 1
                self._handle(kind, *rest)
        except (OSError, EOFError) as error:
            self.close(f"the server closed the connection: {error}")
        except Violation as error:
            self.close(f"the server broke the protocol: {error}")

    def _handle(self, kind, flags, stream, head, payload):
        if kind == Kind.CALL or kind == Kind.REPLY and stream & 1:
            raise Violation("it takes itself for the client")
        if kind == Kind.RESET and not is_status(head) or kind == Kind.CREDIT and len(head) < 4:
            raise Violation(f"{Kind(kind).name} without a word")
        if kind == Kind.PING:
            self._queue(Kind.PONG, stream)
        elif kind == Kind.PONG:  # the last of several pings may be the only one that is answered
            for pong in [pong for number, pong in self._pings.items() if number <= stream and not pong.done()]:
                pong.set_result(None)
        elif kind == Kind.GOAWAY:
            self.going_away.set()
            for call in [call for call in self._calls.values() if call.id >> 24 > stream >> 24]:
                call._end(refused(Reason.DRAINING, payload.decode(errors="replace")), cancel=True)
            self._leave_if_done()
        elif stream in self._calls:
            self._calls[stream]._handle(kind, flags, head, payload)

    async def _watch(self):
        """Closes the connection when the server is silent while somebody waits for it: "Silence"."""
        interval, patience = self._silence
        while True:
            heard = self._heard
            await asyncio.sleep(interval)
            if self._calls and self._heard == heard:
                with suppress(TimeoutError, Status):
                    await asyncio.wait_for(self.ping(), patience)
                if self._heard == heard:
                    return self.close("the server is silent")
