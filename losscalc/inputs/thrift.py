"""Thrift's compact protocol, in which Parquet writes what it says of its numbers.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Mapping
from typing import Any

_DEEPEST = 16
_TRUTHS, _BYTE, _WHOLES, _FLOAT, _BYTES, _LISTS, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 12

Wanted = Mapping[int, Any]
"""The numbers of fields, and for structs or lists of them what is wanted of these."""


class ThriftError(Exception):
    """The bytes are no struct, or one that holds too much."""


class Reader:
    """The values of the compact protocol, one behind the other; IndexError where the bytes end."""

    def __init__(self, data: bytes, most: int = 1_000) -> None:
        self._data = data
        self._left = most
        self.position = 0

    def struct(self, wanted: Wanted, depth: int = 0) -> dict[int, Any]:
        """The wanted fields of a struct: numbers, structs and lists of these; the others are passed over."""
        if depth > _DEEPEST:
            raise ThriftError
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else _signed(self._varint())
            value = self._value(head & 15, wanted.get(number, {}), depth, in_list=False)
            if number in wanted:
                if wanted[number] and not isinstance(value, dict | list):
                    raise ThriftError
                self._left -= 1
                fields[number] = value
            if self._left < 0:
                raise ThriftError
        return fields

    def _value(self, kind: int, wanted: Wanted, depth: int, *, in_list: bool) -> Any:
        if kind in _WHOLES:
            return _signed(self._varint())
        if kind in (_BYTES, _FLOAT):
            # As `+=` takes the position before it calls anything, the length comes first.
            length = self._varint() if kind == _BYTES else 8
            self.position += length
            return None
        if kind == _STRUCT:
            return self.struct(wanted, depth + 1)
        if kind in _LISTS:
            return self._list(wanted, depth + 1)
        if kind == _BYTE or (kind in _TRUTHS and in_list):
            return self._byte()
        if kind in _TRUTHS:
            return None
        raise ThriftError

    def _list(self, wanted: Wanted, depth: int) -> list[Any]:
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        values = []
        for _ in range(size):
            value = self._value(head & 15, wanted, depth, in_list=True)
            if wanted:
                values.append(value)
        return values

    def _byte(self) -> int:
        byte = self._data[self.position]
        self.position += 1
        return byte

    def _varint(self) -> int:
        value = shift = 0
        while shift < 64:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ThriftError


def _signed(number: int) -> int:
    """Zigzag: 0, -1, 1, -2 ... are written 0, 1, 2, 3 ..."""
    return (number >> 1) ^ -(number & 1)
