"""The rules of tables, the same for every format that has rows and columns: headers, and what is no data."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np

from losscalc.engine import outsiders
from losscalc.engine.sources import Selection
from losscalc.errors import FormatError, Index, Location, LosscalcError, LosscalcNote, Remark, printable
from losscalc.inputs.columns import Columns
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Piece, TextSource

_LONGEST_NAME = 40
_WORDS = "holds words"


Place = Callable[[int | None, int | None, Index], Location]
"""Where a value stands, by the number of its row, that of its column, and its index inside the cell."""


class Table(Protocol):
    """A table of any format, opened as far as its first row of data."""

    columns: Columns

    @property
    def remarks(self) -> Sequence[Remark]:
        """What there is to tell of the reading so far."""

    def doubt(self, excess: int) -> str | None:
        """What may explain that there are more or fewer rows than there should be."""

    def pieces(self, chosen: list[int]) -> Iterator[Piece]:
        """The numbers in the chosen columns, a matrix for some rows at a time."""

    def cells(self, column: int) -> Iterator[Piece]:
        """The cells of a column: arrays of texts and numbers, or of float64 where all are exact numbers."""

    def words(self) -> list[int]:
        """The columns that hold words or dates, as far as the first rows show."""


def open_table(
    stream: Stream, table: Table, part: str | None, reading: Reading, place: Place | None = None
) -> "TableSource":
    """The numbers in some columns of a table; the cells of one column if they are wanted beside an array.

    `place` says where a cell stands, if that is not a line and a column of text.
    """
    columns = table.columns
    chosen = _chosen(table, part, reading)
    names = [columns.names[column] for column in chosen] if columns.names else None
    if reading.is_beside and len(chosen) == 1:
        source: TableSource = CellSource(stream, table, chosen, table.cells(chosen[0]), place, is_whole=False)
    else:
        pieces = table.pieces(chosen)
        if len(chosen) == 1 and columns.is_text:
            pieces = map(_flat, pieces)
        elif len(chosen) > 1 and part is None and chosen[0] == 0 and reading.columns is None:
            pieces = _not_counting(columns, pieces)
        source = TableSource(stream, table, chosen, pieces, place, is_whole=part is None)
        source.dtype = source.take(0).values.dtype
    source.is_by_number = part is not None and reading.columns is None and columns.is_by_number(part)
    source.names, source.beside = names, columns.names or ()
    if place is None:
        # Elsewhere than in lines and columns, a cell may hold anything.
        source.witnesses = [name for column, name in enumerate(source.beside) if column not in columns.apart]
    source.selection = Selection(tuple(chosen), columns.width, tuple(columns.names or ()))
    source.is_chosen, source.top = part is not None, columns.top
    return source


def _chosen(table: Table, part: str | None, reading: Reading) -> list[int]:
    """The columns that are read."""
    if reading.columns is not None:
        return list(reading.columns)
    return _data(table, reading) if part is None else table.columns.select(part)


class TableSource(TextSource):
    """The array in some columns of a table: a vector if it is one column, else a matrix."""

    table = ""

    def __init__(
        self,
        stream: Stream,
        table: Table,
        chosen: list[int],
        pieces: Iterator[Piece],
        place: Place | None,
        *,
        is_whole: bool,
    ) -> None:
        self._place = place or self._in_text
        self._table = table
        self._is_whole = is_whole
        self.chosen = chosen
        """The columns that are read, counted from 0."""
        self.is_by_number = False
        """Whether the columns were asked for by nothing but their numbers."""
        super().__init__(stream, pieces)

    @property
    def remarks(self) -> Sequence[Remark]:
        return [
            remark for remark in self._table.remarks if self._is_whole or isinstance(remark, LosscalcNote)
        ]

    def doubt(self, excess: int) -> str | None:
        return self._table.doubt(excess)

    def without(self, columns: Collection[int]) -> str | None:
        return self._table.columns.part_of([c for place, c in enumerate(self.chosen) if place not in columns])

    def locate(self, index: Index) -> Location:
        if not index:
            return self._place(None, None, ())
        line, is_several = self.line(index[0]), len(self.chosen) > 1
        if line is None:
            return super().locate(index)
        if is_several and len(index) == 1:
            return self._place(line, None, ())
        column = self.chosen[index[1] if is_several else 0]
        return self._place(line, column, index[2 if is_several else 1 :])

    @property
    def columns(self) -> Columns:
        """All columns of the table."""
        return self._table.columns

    def part_of(self, names: Sequence[str]) -> str | None:
        return self.columns.by_name(names)

    def _in_text(self, line: int | None, column: int | None, inside: Index) -> Location:
        return self._table.columns.place(line, column)


class CellSource(TableSource):
    """The cells of one column: texts and numbers, or nothing but numbers."""

    dtype: np.dtype = np.dtype(object)


def _flat(piece: Piece) -> Piece:
    """The numbers of one column as a vector, unless its cells are lists."""
    return piece._replace(values=piece.values[:, 0]) if piece.values.shape[1:] == (1,) else piece


def check_data(
    columns: Columns, reasons: dict[int, str], left_out: Collection[int] = (), remedy: str | None = None
) -> None:
    """Refuse to read a table as an array if there are reasons why some columns of it are no data.

    `remedy` is for columns that were named, so that naming one is none.
    """
    if not reasons:
        return
    column = min(reasons)
    name = columns.names[column] if columns.names else ""
    taken = {*reasons, *left_out}
    others = [other for other in range(columns.width) if other not in taken]
    raise FormatError(
        printable(f"column {column + 1}{name and f' ({name[:_LONGEST_NAME]})'} {reasons[column]}"),
        location=columns.place(),
        hint=remedy or _rest(columns, reasons, others),
    )


def _with_or_without(columns: Columns, data: Sequence[int], strange: Collection[int]) -> str | None:
    """What there is to take where some columns may be classes or not; None if there are none such."""
    if not strange:
        return None
    few = columns.part_of([column for column in data if column not in strange])
    return f"take the columns of the array: {few}; if all are classes: {columns.part_of(list(data))}"


def _rest(columns: Columns, reasons: dict[int, str], others: list[int]) -> str | None:
    """What there is to take instead of columns that are no data."""
    if others:
        return f"take the columns of the array: {columns.part_of(others)}"
    numbers = [c for c, why in sorted(reasons.items()) if why != _WORDS and c not in columns.unread]
    if numbers:
        return f"if one of the columns is meant, name it, as in {columns.part_of(numbers[:1])}"
    is_unread = any(column in columns.unread for column in reasons)
    return "save the column as numbers, or as lists of them" if is_unread else None


def _example(columns: Columns) -> str:
    """How one column is named."""
    return f"FILE{columns.typed('NAME')}" + ("" if columns.before else f" or FILE{columns.typed('2')}")


def _data(table: Table, reading: Reading) -> list[int]:
    """The columns of a table that is read as a whole; refuses it if some of them may be no data."""
    columns = table.columns
    if columns.width == 1:
        return [0]
    left_out = named_aside(columns.names or (), reading)
    chosen = [column for column in range(columns.width) if column not in left_out]
    reasons = {c: why for c, why in _no_data(table, reading).items() if c not in left_out}
    if columns.names and reading.without_labels:
        data = [column for column in chosen if column not in reasons]
        reasons |= outsiders.labels(columns.names, data)
    if not chosen:
        reasons = dict.fromkeys(range(columns.width), "is named by an option, and left out")
    data = [column for column in chosen if column not in reasons]
    strange = outsiders.strangers(columns.names, data) if columns.names and reading.of_classes else {}
    if reasons or strange:
        reasons |= _counting(table, [column for column in data if column not in strange])
    remedy = _with_or_without(columns, [column for column in data if column not in reasons], strange)
    check_data(columns, reasons | strange, left_out, remedy)
    return chosen


def named_aside(names: Sequence[str], reading: Reading) -> set[int]:
    """The columns that say something of rows: their key, what conditions are on, and their group."""
    aside = {reading.key, reading.by}
    if reading.where:
        from losscalc.inputs.conditions import find_condition

        conditions = (find_condition(text, names) for text in reading.where)
        aside |= {found.column for found in conditions if found is not None}
    return {column for column, name in enumerate(names) if name and name in aside}


def _no_data(table: Table, reading: Reading) -> dict[int, str]:
    """The columns of a table that are no data, as far as names and words tell, and why."""
    columns = table.columns
    # Class names are words.
    words = [] if reading.is_beside else table.words()
    return {**columns.apart, **dict.fromkeys(words, _WORDS), **no_numbers(columns, reading)}


def no_numbers(columns: Columns, reading: Reading) -> dict[int, str]:
    """The columns that are not to be computed with though they may hold numbers, and why."""
    reasons = outsiders.indices(columns.names or ())
    for option, part in reading.elsewhere:
        with suppress(FormatError):
            reasons |= dict.fromkeys(columns.select(part), f"is the array of {option}")
    return reasons


def _counting(table: Table, data: list[int]) -> dict[int, str]:
    """The first of some columns if it only counts the rows: named by a hint, it would be read as data."""
    if len(data) < 2 or data[0] != 0:
        return {}
    with suppress(LosscalcError):
        first = next(table.pieces(data), None)
        if first is not None and first.values.ndim == 2 and outsiders.counts_rows(first.values):
            return {0: outsiders.COUNTS}
    return {}


def _not_counting(columns: Columns, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces, of which the first shows whether the first column only counts the rows."""
    for number, piece in enumerate(pieces):
        if number == 0 and outsiders.counts_rows(piece.values):
            check_data(columns, {0: outsiders.COUNTS})
        yield piece
