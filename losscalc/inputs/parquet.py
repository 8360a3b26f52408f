"""Parquet, row group by row group."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from losscalc.errors import FormatError, Location
from losscalc.inputs.batches import (
    CELLS,
    ROWS,
    Field,
    Handle,
    columns_of,
    fields_of,
    guarded,
    metadata_of,
    named_damage,
)
from losscalc.inputs.limits import CONTENTS, ENTRIES, LINE, UNPACKED_ARRAY, is_bomb, too_large
from losscalc.inputs.pages import DELTA_LENGTHS, DELTA_TEXTS, Group, groups, pages
from losscalc.inputs.stream import Stream
from losscalc.inputs.thrift import ThriftError

_ENCRYPTED = b"PARE"
_ENDS = (b"PAR1", _ENCRYPTED)
_WIDEST = 8
_END_SIZE = 8
_READ_AHEAD = 1 << 24
"""The bytes that are read ahead, for all columns together."""
_LEAST, _MOST = 1 << 12, 1 << 20


class ParquetBatches:
    """A file of Parquet, of which the footer was read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        footer = self._footer()
        with named_damage(stream.name):
            file = pq.ParquetFile(Handle(stream), pre_buffer=False)
            self._metadata = file.metadata
            schema = file.schema_arrow
            leaves = map(file.schema.column, range(self._metadata.num_columns))
            self._leaves = [
                _Leaf(number, leaf.path, leaf.max_repetition_level > 0) for number, leaf in enumerate(leaves)
            ]
            self.fields = fields_of(schema)
        self.metadata = metadata_of(schema)
        try:
            # That of pyarrow ends the process where the sizes of a column contradict one another.
            self._groups = groups(footer, stream.most(ENTRIES))
        except ThriftError as error:
            raise self._bad("the list of row groups is damaged, or too long") from error

    def read(self, fields: Sequence[Field]) -> Iterator[list[Any]]:
        """The arrays of some columns, a few rows at a time."""
        names = {field.name for field in fields}
        texts = {field.name for field in fields if field.kind == "text"}
        wanted = [leaf for leaf in self._leaves if leaf.is_of(names)]
        done = 0
        for number, group in enumerate(self._groups):
            before = done
            look = self._look(group, wanted, texts, number)
            with named_damage(self._stream.name):
                file = pq.ParquetFile(
                    Handle(self._stream),
                    metadata=self._metadata,
                    pre_buffer=False,
                    buffer_size=min(max(_READ_AHEAD // max(1, len(wanted)), _LEAST), _MOST),
                    # A text that is there a thousand times is held once.
                    read_dictionary=[
                        leaf.path for leaf in wanted if leaf.is_of(texts) and leaf.number not in look.deltas
                    ],
                )
                batches = file.iter_batches(
                    look.rows_at_once, row_groups=[number], columns=sorted(names), use_threads=False
                )
            for batch in guarded(batches, self._stream.name):
                done += len(batch)
                self._stream.advance(done / max(1, self._metadata.num_rows))
                if len(batch):
                    yield columns_of(batch, fields)
            if done - before != group.rows:
                raise self._bad(f"row group {number + 1} has {done - before} rows, but claims {group.rows}")

    def _look(self, group: Group, wanted: Sequence["_Leaf"], texts: set[str], number: int) -> "_Look":
        """What the headers of pages say of a row group, if what they unpack to is not too much."""
        held = listed = values = longest = present = 0
        deltas = set()
        for leaf in wanted:
            try:
                chunk = group.chunks[leaf.number]
                found = list(pages(self._stream.read_at, chunk))
            except (ThriftError, IndexError) as error:
                raise self._bad(f"a page of row group {number + 1} is damaged") from error
            data = max((page.unpacked for page in found if page.values), default=0)
            held += data + max((page.unpacked for page in found if not page.values), default=0)
            count = max(chunk.values, sum(page.values for page in found))
            values += count
            # Lists may all be in one row, while flat columns have one number in each.
            listed += count * _WIDEST if leaf.is_listed else 0
            largest = max((page.unpacked for page in found), default=0)
            if leaf.is_of(texts) and largest > (most := self._stream.most(LINE)):
                # The texts of a page are held at once, several times.
                raise too_large("a page of text has", most, Location(self._stream.name))
            encodings = {page.encoding for page in found}
            if encodings & {DELTA_LENGTHS, DELTA_TEXTS}:
                deltas.add(leaf.number)
            if DELTA_TEXTS in encodings:
                longest = max(longest, data)  # each text may be as long as all that there is
            present += min(len(chunk.span), self._stream.size or 0)
        most = self._stream.most(UNPACKED_ARRAY)
        if is_bomb(held + listed, present, most):
            raise too_large("a little file unpacks to", most, Location(self._stream.name))
        wide = values // max(1, group.rows)
        return _Look(max(1, min(ROWS, CELLS // max(1, wide), most // max(1, longest))), deltas)

    def _footer(self) -> bytes:
        """What stands at the end of the file, unless it is not there, or too long."""
        size = self._stream.size or 0
        end = self._stream.read_at(max(0, size - _END_SIZE), _END_SIZE)
        length = int.from_bytes(end[:4], "little")
        if end[4:] not in _ENDS or length + _END_SIZE > size:
            raise self._bad("not a Parquet file, which ends with the list of its columns")
        if end[4:] == _ENCRYPTED:
            raise self._bad("the file is encrypted")
        most = self._stream.most(CONTENTS)
        if length > most:
            raise too_large("the footer has", most, Location(self._stream.name))
        return self._stream.read_at(size - _END_SIZE - length, length)

    def _bad(self, problem: str) -> FormatError:
        return FormatError(problem, location=Location(self._stream.name))


class _Leaf(NamedTuple):
    """A column as Parquet has it, which may be a part of a list or of a record."""

    number: int
    path: str
    is_listed: bool

    def is_of(self, names: set[str]) -> bool:
        """Whether it belongs to a column of one of these names."""
        ends = (place for place, sign in enumerate(self.path) if sign == ".")
        return self.path in names or any(self.path[:end] in names for end in ends)


class _Look(NamedTuple):
    """How many rows of a row group are taken at a time, and which columns have no dictionary."""

    rows_at_once: int
    deltas: set[int]
