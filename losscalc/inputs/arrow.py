"""Parquet, Feather and Arrow IPC through pyarrow: some rows at a time, of the columns that are asked for."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location, Remark, UsageError
from losscalc.inputs.cells import is_missing, is_word
from losscalc.inputs.columns import Columns
from losscalc.inputs.numbers import as_piece, exact_cells, from_cells
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream
from losscalc.inputs.table import check_data, open_table
from losscalc.inputs.text import Piece

if TYPE_CHECKING:
    from losscalc.inputs.batches import Batches, Field

_SOME = 1 << 10


def _open(kind: str, stream: Stream, part: str | None, reading: Reading) -> Source:
    try:
        import pyarrow  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise UsageError(
            f"{kind} is read by pyarrow, which is not installed",
            hint="pip install 'losscalc[arrow]'",
            location=Location(stream.name),
        ) from error
    if not stream.peek(1):
        raise FormatError("no data", location=Location(stream.name))
    batches: Batches
    stream = stream.in_any_order()
    if kind == "Parquet":
        from losscalc.inputs.parquet import ParquetBatches

        batches = ParquetBatches(stream)
    else:
        from losscalc.inputs.ipc import IpcBatches

        batches = IpcBatches(stream)
    table = ArrowTable(stream.name, batches, part, reading)
    source = open_table(stream, table, part, reading)
    source.beside = [field.name for field in batches.fields]
    return source


open_parquet = partial(_open, "Parquet")
open_ipc = partial(_open, "Arrow")


class ArrowTable:
    """The columns of a file of Arrow or Parquet; the index of pandas is one only if it is named."""

    remarks: Sequence[Remark] = ()

    def __init__(self, name: str, batches: "Batches", part: str | None, reading: Reading) -> None:
        index = _index_of_pandas(batches.metadata)
        self._batches = batches
        self._reading = reading
        self._fields = [f for f in batches.fields if f.name not in index or f.name == part]
        if not self._fields:
            raise FormatError("no data", location=Location(name))
        reasons = {column: _apart(field) for column, field in enumerate(self._fields)}
        self.columns = Columns(
            name,
            len(self._fields),
            [field.name for field in self._fields],
            apart={column: why for column, why in reasons.items() if why},
            unread=frozenset(column for column, field in enumerate(self._fields) if not field.kind),
        )

    def doubt(self, excess: int) -> str | None:
        """Nothing: there is no line of which it has to be guessed what it is."""
        return None

    def words(self) -> list[int]:
        """The columns of dates, and those of texts in which the first rows have words, or nothing."""
        return [c for c, field in enumerate(self._fields) if field.kind == "time" or self._has_words(field)]

    def pieces(self, chosen: list[int]) -> Iterator[Piece]:
        """The numbers in the chosen columns."""
        from losscalc.inputs import arrays

        self._check(chosen, ("", "list") if len(chosen) > 1 else ("",))
        fields = [self._fields[column] for column in chosen]
        shape = self._shape(fields[0]) if len(chosen) == 1 else ()
        dtype = arrays.common_dtype([field.type for field in fields])
        for line, columns in self._rows(fields):
            places = [partial(self._place, line, column) for column in chosen]
            with self._named_damage():
                parts = [
                    from_cells(arrays.texts(array).tolist(), shape, self._reading, place)
                    if field.kind in ("text", "time")
                    else arrays.numbers(array, shape or (), dtype, place)
                    for array, field, place in zip(columns, fields, places, strict=True)
                ]
            shape = parts[0].values.shape[1:]
            lines = range(line, line + len(columns[0]))
            yield as_piece(self.columns, chosen, parts, lines, self._reading)

    def cells(self, column: int) -> Iterator[Piece]:
        """The cells of a column."""
        from losscalc.inputs import arrays

        self._check([column], ("", "list"), "name a column of texts or of numbers")
        field = self._fields[column]
        for line, (array,) in self._rows([field]):
            with self._named_damage():
                values = (
                    arrays.texts(array)
                    if field.kind in ("text", "time")
                    else exact_cells(*arrays.scalars(arrays.plain(array)))
                )
            yield Piece(values, None, range(line, line + len(array)))

    def _check(self, chosen: list[int], refused: Sequence[str], remedy: str | None = None) -> None:
        """Refuse columns of some kinds, with those of the chosen that are left, or another remedy."""
        reasons = {
            column: why
            for column, why in self.columns.apart.items()
            if column in chosen and self._fields[column].kind in refused
        }
        others = set(range(self.columns.width)) - set(chosen)
        check_data(self.columns, reasons, others | self.columns.apart.keys(), remedy)

    def _rows(self, fields: Sequence["Field"]) -> Iterator[tuple[int, list[Any]]]:
        """The arrays of some columns, a few rows at a time, and the number of the first row, from 1."""
        line = 1
        for columns in self._batches.read(fields):
            yield line, columns
            line += len(columns[0])

    def _named_damage(self) -> AbstractContextManager[None]:
        """What cannot be converted, such as bytes that are no text, names the file."""
        from losscalc.inputs.batches import CONVERSIONS, named_damage

        return named_damage(self.columns.path, CONVERSIONS)

    def _place(self, line: int, column: int, row: int) -> Location:
        return self.columns.place(line + row, column)

    def _shape(self, field: "Field") -> tuple[int, ...] | None:
        """The shape of the first list in a column; None where the cells are texts, which may be lists."""
        from losscalc.inputs import arrays

        if field.kind != "list":
            return None if field.kind == "text" else ()
        shapes = (arrays.shape(column) for _, (column,) in self._rows([field]))
        return next((shape for shape in shapes if shape is not None), ())

    def _has_words(self, field: "Field") -> bool:
        from losscalc.inputs import arrays

        if field.kind != "text":
            return False
        _, (array,) = next(self._rows([field]), (1, (None,)))
        if array is None:
            return False
        with self._named_damage():
            cells = arrays.texts(array.slice(0, _SOME)).tolist()
        return any(map(is_word, cells)) and all(is_word(cell) or is_missing(cell) for cell in cells)


def _apart(field: "Field") -> str:
    """Why a column cannot stand beside others; '' if it can."""
    if not field.kind:
        from losscalc.inputs.arrays import described

        return f"holds {described(field.type)}, which are no numbers"
    return "holds lists, and is an array of its own" if field.kind == "list" else ""


def _index_of_pandas(metadata: bytes | None) -> set[str]:
    """The columns that pandas has as the index of rows."""
    with suppress(ValueError, RecursionError):
        entries = json.loads(metadata or b"null")
        names = entries.get("index_columns") if isinstance(entries, dict) else None
        return {name for name in names or () if isinstance(name, str)} if isinstance(names, list) else set()
    return set()
