"""What the footer of Parquet and the headers of its pages say of how much they unpack to.

https://parquet.apache.org/docs/file-format/metadata/
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from losscalc.inputs.thrift import Reader, ThriftError, Wanted

_FIRST_LOOK = 1 << 9
_LONGEST = 1 << 24
# Names of fields, which the footer has as numbers.
_GROUPS, _COLUMNS, _CHUNK, _ROWS = 4, 1, 3, 3
_VALUES, _PACKED, _DATA, _INDEX = 5, 7, 9, 11
_FOOTER: Wanted = {
    _GROUPS: {_COLUMNS: {_CHUNK: {_VALUES: {}, _PACKED: {}, _DATA: {}, _INDEX: {}}}, _ROWS: {}}
}
# The same of pages; a page is of one of three kinds.
_UNPACKED, _SIZE, _V1, _DICTIONARY, _V2 = 2, 3, 5, 7, 8
_PAGE: Wanted = {_UNPACKED: {}, _SIZE: {}, _V1: {1: {}, 2: {}}, _DICTIONARY: {}, _V2: {1: {}, 4: {}}}

DELTA_LENGTHS, DELTA_TEXTS = 6, 7
"""Encodings of texts: lengths are kept as differences, or of a text only what differs from the last one."""

ReadAt = Callable[[int, int], bytes]


class Chunk(NamedTuple):
    """The numbers of a column in a row group: where their pages are, and how many there are."""

    span: range
    values: int


class Group(NamedTuple):
    """A row group: how many rows it has, and its columns."""

    rows: int
    chunks: list[Chunk]


class Page(NamedTuple):
    """What the header of a page says of it."""

    unpacked: int
    values: int
    """How many numbers it holds, or 0 if it is the dictionary of others."""
    encoding: int | None


def groups(footer: bytes, most: int) -> list[Group]:
    """The row groups that a footer describes with no more than so many numbers."""
    try:
        found = Reader(footer, most).struct(_FOOTER).get(_GROUPS) or []
        return [Group(group[_ROWS], [_chunk(each[_CHUNK]) for each in group[_COLUMNS]]) for group in found]
    except (IndexError, LookupError, TypeError) as error:
        raise ThriftError from error


def _chunk(fields: Mapping[int, int]) -> Chunk:
    # A dictionary is before the numbers; that there is none may be said by 0.
    starts = [start for start in (fields[_DATA], fields.get(_INDEX)) if start]
    start = min(starts)
    if start < 0 or fields[_PACKED] < 0 or fields[_VALUES] < 0:
        raise ThriftError
    return Chunk(range(start, start + fields[_PACKED]), fields[_VALUES])


def pages(read_at: ReadAt, chunk: Chunk) -> Iterator[Page]:
    """The pages of a chunk, until as many numbers were there as it has."""
    position, left = chunk.span.start, chunk.values
    while left > 0 and position < chunk.span.stop:
        length, fields = _header(read_at, position, chunk.span.stop)
        data = fields.get(_V1) or fields.get(_V2) or {}
        if not isinstance(data, dict):
            raise ThriftError
        size, unpacked, values = fields.get(_SIZE), fields.get(_UNPACKED), data.get(1, 0)
        if not all(isinstance(number, int) and number >= 0 for number in (size, unpacked, values)):
            raise ThriftError
        yield Page(unpacked or 0, values, data.get(2 if _V1 in fields else 4))
        if _DICTIONARY not in fields:
            left -= max(1, values)
        position += length + (size or 0)


def _header(read_at: ReadAt, start: int, stop: int) -> tuple[int, dict[int, Any]]:
    """The length and the fields of the header at a place, of which more is read while it does not end."""
    look = _FIRST_LOOK
    while True:
        reader = Reader(read_at(start, min(look, stop - start)))
        try:
            fields = reader.struct(_PAGE)
            return reader.position, fields
        except IndexError as error:
            if look >= min(_LONGEST, stop - start):
                raise ThriftError from error
            look *= 16
