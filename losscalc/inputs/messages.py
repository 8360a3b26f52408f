"""The messages of Arrow IPC, as far as their metadata say how much they unpack to.

Metadata are tables of FlatBuffers: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

_MAGIC = b"ARROW1"
_CONTINUED = 0xFFFFFFFF
_PREFIX = 8
_BLOCK = struct.Struct("<qi4xq")
_BUFFER = struct.Struct("<qq")
_DICTIONARY, _RECORDS = 2, 3
_FAILURES = (struct.error, IndexError, ValueError)

ReadAt = Callable[[int, int], bytes]


class MessageError(Exception):
    """The metadata are damaged."""


class Message(NamedTuple):
    """Where a message is, and how many bytes its body has and unpacks to."""

    start: int
    body: range
    unpacked: int


def in_file(read_at: ReadAt, size: int, longest: int) -> Iterator[Message]:
    """The messages that the footer of a file lists."""
    end = size - len(_MAGIC) - 4
    length = int.from_bytes(read_at(max(end, 0), 4), "little")
    if read_at(max(end + 4, 0), len(_MAGIC)) != _MAGIC or not 0 < length <= min(end, longest):
        raise MessageError("the footer is missing")
    footer = _Table.root(read_at(end - length, length))
    for field in (2, 3):
        for start, metadata, _ in footer.structs(field, _BLOCK):
            if not 0 <= start <= size or not 0 < metadata <= longest:
                raise MessageError("the footer is damaged")
            yield _message(read_at, start, longest)[0]


def in_stream(read_at: ReadAt, size: int, longest: int) -> Iterator[Message]:
    """The messages of a stream, one behind the other."""
    position = 0
    while position < size:
        message, length = _message(read_at, position, longest)
        if not length:
            return
        yield message
        position = message.body.stop


def _message(read_at: ReadAt, start: int, longest: int) -> tuple[Message, int]:
    """The message at a place, and the length of its metadata, which is 0 at the end of a stream."""
    prefix = read_at(start, _PREFIX)
    # Before version 0.15 of Arrow the length stood alone.
    is_continued = int.from_bytes(prefix[:4], "little") == _CONTINUED
    length = int.from_bytes(prefix[4:] if is_continued else prefix[:4], "little")
    begin = start + (_PREFIX if is_continued else 4)
    if length > longest:
        raise MessageError("the metadata of a message are too long")
    if not length:
        return Message(start, range(begin, begin), 0), 0
    metadata = read_at(begin, length)
    if len(metadata) < length:
        raise MessageError("a message is cut short")
    table = _Table.root(metadata)
    body = begin + length
    size = table.number(3, "<q")
    if size < 0:
        raise MessageError("a message has a negative length")
    unpacked = _unpacked(read_at, table, body)
    return Message(start, range(body, body + size), unpacked), length


def _unpacked(read_at: ReadAt, message: "_Table", body: int) -> int:
    """The bytes that compressed buffers say they unpack to."""
    kind, batch = message.number(1, "<B"), message.table(2)
    if kind == _DICTIONARY and batch is not None:
        batch = batch.table(1)
    if kind not in (_DICTIONARY, _RECORDS) or batch is None or batch.table(3) is None:
        return 0
    sizes = (
        read_at(body + offset, 8) for offset, length in batch.structs(2, _BUFFER) if length > 0 <= offset
    )
    return sum(max(0, int.from_bytes(size, "little", signed=True)) for size in sizes)


class _Table:
    """A table of FlatBuffers, of which fields are looked up by number."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position
        try:
            (back,) = struct.unpack_from("<i", data, position)
            (size,) = struct.unpack_from("<H", data, position - back)
            if position - back < 0:
                raise ValueError
            count = (size - 4) // 2
            self._fields = struct.unpack_from(f"<{count}H", data, position - back + 4)
        except _FAILURES as error:
            raise MessageError("the metadata of a message are damaged") from error

    @classmethod
    def root(cls, data: bytes) -> "_Table":
        """The outermost table."""
        return cls(data, int.from_bytes(data[:4], "little"))

    def number(self, field: int, code: str) -> int:
        """A number, 0 if it is not there."""
        at = self._at(field)
        return 0 if at is None else int(self._unpacked(struct.Struct(code), at)[0])

    def table(self, field: int) -> "_Table | None":
        """A table, if it is there."""
        at = self._at(field)
        return None if at is None else _Table(self._data, at + self._unpacked(struct.Struct("<I"), at)[0])

    def structs(self, field: int, layout: struct.Struct) -> Iterator[tuple[int, ...]]:
        """The structs of a vector."""
        at = self._at(field)
        if at is None:
            return
        at += self._unpacked(struct.Struct("<I"), at)[0]
        (count,) = self._unpacked(struct.Struct("<I"), at)
        if at + 4 + count * layout.size > len(self._data):
            raise MessageError("the metadata of a message are damaged")
        for number in range(count):
            yield self._unpacked(layout, at + 4 + number * layout.size)

    def _at(self, field: int) -> int | None:
        offset = self._fields[field] if field < len(self._fields) else 0
        return self._position + offset if offset else None

    def _unpacked(self, layout: struct.Struct, position: int) -> tuple[int, ...]:
        try:
            return layout.unpack_from(self._data, position)
        except struct.error as error:
            raise MessageError("the metadata of a message are damaged") from error
