"""The bytes of the protocol: what is in book/src/internals/protocol.md, of which the comments name the sections."""

import json
import struct
from collections import deque
from enum import IntEnum, IntFlag
from typing import NamedTuple

JSON, VERSION = 3, 1
FRAME_PAYLOAD_MAX, FRAME_HEAD_MAX, EXTENSION_MAX, WINDOW_MIN = 65_536, 16_384, 4096, 4096
NO_TIMEOUT, CREDIT_MAX = 2**64 - 1, 2**32 - 1
HEADER, HELLO, STATUS = struct.Struct("<IBBHQ"), struct.Struct("<4sBBBBIIIIH"), struct.Struct("<BBBBI")


class Number(IntEnum):
    """A later version may have more of them."""

    @classmethod
    def _missing_(cls, _):
        return cls.__members__.get("UNKNOWN") or cls.UNSPECIFIED


Kind = IntEnum("Kind", "CALL DATA REPLY CANCEL PING PONG GOAWAY FINISH RESET STOP CREDIT PACK")
Flag = IntFlag("Flag", "END KEYED STREAMING ITEMS TRACED METADATA REPEAT")
Executed = Number("Executed", "NO UNKNOWN YES", start=0)
Code = Number("Code", "CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
              "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE "
              "DATA_LOSS UNAUTHENTICATED")
Reason = Number("Reason", "UNSPECIFIED CONNECT_FAILED CONNECTION_LOST DRAINING UNKNOWN_METHOD UNDECODABLE_ARGUMENTS "
                "UNDECODABLE_ANSWER UNENCODABLE MESSAGE_TOO_LARGE TOO_MANY_CALLS OVERLOADED PANICKED DEADLINE "
                "REQUEST_ID_REUSED ALREADY_COMPLETED NO_WORKERS INVALID_SELECTOR STREAM_CUT UNDECODABLE_ITEM "
                "INCOMPATIBLE_METHOD STREAMS_UNSUPPORTED UNAUTHENTICATED PERMISSION_DENIED QUORUM_LOST "
                "OUTCOME_UNKNOWN DEDUP_HORIZON_LOST RECORDS_UNAVAILABLE", start=0)
CODES = dict(zip(Reason, map(Code, (2, 14, 14, 14, 12, 3, 13, 3, 8, 8, 8, 13, 4, 3, 6, 14, 3, 1, 13, 12, 12, 16, 7, 9, 2, 9, 14))))


class Status(Exception):
    """The call failed outside of its method. `executed` says whether the method ran; `retry_after` is in seconds."""

    def __init__(self, reason, executed, message, code=None, retry_after=None):
        super().__init__(f"{reason.name}: {message}")
        self.reason, self.executed, self.message = reason, executed, message
        self.code, self.retry_after = code or CODES[reason], retry_after


class MethodError(Exception):
    """The method answered an error: `value` is what it is in JSON."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


class Violation(Exception):
    """The server broke the protocol: the connection is closed."""


class Hello(NamedTuple):  # "The first bytes"
    """What an end says of itself."""

    message_max: int
    calls_max: int
    streams_max: int
    window: int

    def encode(self):
        return HELLO.pack(b"RpcN", VERSION, VERSION, JSON, 0, *self, 0)

    @classmethod
    async def read(cls, reader):
        magic, low, high, codec, _, *limits, extension = HELLO.unpack(await reader.readexactly(HELLO.size))
        hello = cls(*limits)
        if magic != b"RpcN" or not low <= VERSION <= high:
            raise Violation(f"it speaks {magic!r}, versions {low} to {high}")
        if codec != JSON:
            raise Violation("it has no JSON")
        if hello.window < WINDOW_MIN or extension > EXTENSION_MAX:
            raise Violation("its hello is not one")
        await reader.readexactly(extension)
        return hello


def frame(kind, stream, flags=0, head=b"", payload=b""):  # "Frames"
    return HEADER.pack(len(head) + len(payload), kind, flags, len(head), stream) + head + payload


async def read_frame(reader):
    length, kind, flags, head_len, stream = HEADER.unpack(await reader.readexactly(HEADER.size))
    if not 0 <= length - head_len <= FRAME_PAYLOAD_MAX or head_len > FRAME_HEAD_MAX:
        raise Violation("a frame is larger than any may be")
    body = await reader.readexactly(length)
    return kind, flags, stream, body[:head_len], body[head_len:]


def method_id(name):  # "Calls": FNV-1a
    number = 0xCBF29CE484222325
    for byte in name.encode():
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return number


def call_head(method, micros=NO_TIMEOUT, fingerprint=0, request_id=None, repeat=None, trace=None, metadata=None):  # "Calls"
    """The head of a CALL, and its flags. `request_id` has 16 bytes, `trace` 25; `repeat` is a pair of microseconds, `metadata` a
    dict of texts."""
    head, flags = struct.pack("<QQI", method_id(method), micros, fingerprint), 0
    if request_id:
        head, flags = head + request_id, flags | Flag.KEYED
    if repeat:
        head, flags = head + struct.pack("<QQ", *repeat), flags | Flag.REPEAT
    if trace:
        head, flags = head + trace, flags | Flag.TRACED
    if metadata:
        texts = [text.encode() for pair in metadata.items() for text in pair]
        head += struct.pack("<H", len(metadata)) + b"".join(struct.pack("<H", len(text)) + text for text in texts)
        flags |= Flag.METADATA
    return head, flags


def is_status(head):  # "Answers"
    return len(head) >= STATUS.size and head[0] == 3


def status(head, text):
    _, code, executed, reason, millis = STATUS.unpack_from(head)
    text = text.decode(errors="replace")
    return Status(Reason(reason), Executed(executed), text, Code(code), millis / 1000 if millis else None)


def encode(value):  # "The codecs"
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def decode(text, reason):
    try:
        return json.loads(text)
    except ValueError as error:
        raise Status(reason, Executed.YES, str(error)) from error


def unpack(pack):  # "The four kinds of call"
    items = []
    while pack:
        end = 2 + int.from_bytes(pack[:2], "little")
        if len(pack) < max(end, 2):
            raise Violation("a pack that ends in the middle of an item")
        items.append(pack[2:end])
        pack = pack[end:]
    if not items:
        raise Violation("a pack without items")
    return items


def cost(payload_len):  # "Credit"
    return payload_len + HEADER.size


class Inbox:
    """The items that came and were not read, and the credit for more."""

    def __init__(self, window):
        self.window = self.credit = window
        self.owed = 0  # was read, and not given back
        self.items, self.partial, self.partial_cost = deque(), bytearray(), 0

    def push(self, piece, last):
        self.credit -= cost(len(piece))
        if self.credit < 0:
            raise Violation("items beyond their credit")
        self.partial += piece
        self.partial_cost += cost(len(piece))
        if last:
            self.items.append((self.partial, self.partial_cost))
            self.partial, self.partial_cost = bytearray(), 0

    def push_pack(self, items, length):
        """Items that came in one frame with a payload of so many bytes."""
        self.credit -= cost(length)
        if self.credit < 0 or self.partial:
            raise Violation("items beyond their credit, or in the middle of another")
        self.items.extend((item, 2 + len(item)) for item in items[:-1])
        self.items.append((items[-1], cost(2 + len(items[-1]))))

    def pop(self):
        item, paid = self.items.popleft()
        self.owed += paid
        return item

    def grant(self):
        """What to give back now. An item that is larger than the window is paid for piece by piece."""
        if not self.items:
            self.owed, self.partial_cost = self.owed + self.partial_cost, 0
        if self.owed < self.window // 2:
            return 0
        granted, self.owed = self.owed, 0
        self.credit += granted
        return granted
