"""The rules of tables, the same for every format that has rows and columns: headers, and what is no data."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Literal, Protocol

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import parse_number
from losscalc.errors import FormatError, Index, Location, LosscalcWarning, Remark, printable
from losscalc.inputs.cells import is_name, names_something
from losscalc.inputs.columns import Columns
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Piece, TextSource

# The first cells tell what a row is; to look at millions of them would take too long.
_HEADER_CELLS = 1 << 18
_INDEX = frozenset({"id", "index", "idx", "row"})
_ID = re.compile(r".*(?:_|[a-z])(?i:id)", re.DOTALL)
# Words that end like the name of an identifier and are none.
_WORDS_IN_ID = frozenset(
    {"bid", "centroid", "covid", "grid", "hybrid", "invalid", "mid", "paid", "sigmoid", "valid", "void"}
)
_UNNAMED = re.compile(r"Unnamed: \d+", re.ASCII)
_YEAR = re.compile(r"(?:19|20)\d\d|2100", re.ASCII)
_LAST_YEAR = 2100
_LONGEST_NAME = 40
_FEWEST_COUNTED = 5


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

    def words(self) -> list[int]:
        """The columns that hold words or dates, as far as the first rows show."""


class TableSource(TextSource):
    """The array in some columns of a table: a vector if it is one column, else a matrix."""

    def __init__(self, stream: Stream, table: Table, part: str | None, reading: Reading) -> None:
        self._table = table
        self._is_whole = part is None
        self._chosen = table.columns.select(part)
        pieces = table.pieces(self._chosen)
        if len(self._chosen) == 1:
            pieces = map(_flat, pieces)
        elif part is None:
            check_data(table.columns, _no_data(table, reading.elsewhere))
            pieces = _not_counting(table.columns, pieces)
        super().__init__(stream, pieces)

    @property
    def remarks(self) -> Sequence[Remark]:
        return [
            remark
            for remark in self._table.remarks
            if self._is_whole or not isinstance(remark, LosscalcWarning)
        ]

    def doubt(self, excess: int) -> str | None:
        return self._table.doubt(excess)

    def locate(self, index: Index) -> Location:
        if not index:
            return Location(self.name)
        is_cell = len(self._chosen) == 1 or len(index) > 1
        position = index[-1] if len(index) > 1 and len(self._chosen) > 1 else 0
        column = self._chosen[position] + 1 if is_cell else None
        place = super().locate(index)
        return place._replace(column=column) if place.line else place


def _flat(piece: Piece) -> Piece:
    """The numbers of one column as a vector, unless its cells are lists."""
    return piece._replace(values=piece.values[:, 0]) if piece.values.shape[1] == 1 else piece


def check_data(columns: Columns, reasons: dict[int, str]) -> None:
    """Refuse to read a table as an array if there are reasons why some columns of it are no data."""
    if not reasons:
        return
    column = min(reasons)
    name = columns.names[column] if columns.names else ""
    others = [other for other in range(columns.width) if other not in reasons]
    known = printable(", ".join((columns.names or [])[:20]))
    raise FormatError(
        printable(f"column {column + 1}{name and f' ({name[:_LONGEST_NAME]})'} {reasons[column]}"),
        location=Location(columns.path),
        hint=f"take the columns of the array: {columns.part_of(others)}"
        if others
        else f"take one of the columns, FILE#NAME or FILE#2{known and f': there are {known}'}",
    )


def identifies(name: str) -> bool:
    """Whether a column of this name tells rows apart, and holds nothing to compute with.

    >>> [name for name in ("id", "image_id", "PassengerId", "VALID", "covid", "p") if identifies(name)]
    ['id', 'image_id', 'PassengerId']
    """
    word = name.strip().lower()
    return word in _INDEX or (bool(_ID.fullmatch(name.strip())) and word not in _WORDS_IN_ID)


def _no_data(table: Table, elsewhere: tuple[tuple[str, str], ...]) -> dict[int, str]:
    """The columns of a table that are no data, as far as names and words tell, and why."""
    columns = table.columns
    reasons = dict.fromkeys(table.words(), "holds words")
    for column, name in enumerate(columns.names or ()):
        if not name or _UNNAMED.fullmatch(name):
            reasons[column] = "has no name, and is no data but the index of rows"
        elif identifies(name):
            reasons[column] = "tells rows apart, and is no data"
    for option, part in elsewhere:
        with suppress(FormatError):
            reasons |= dict.fromkeys(columns.select(part), f"is the array of {option}")
    return reasons


def _not_counting(columns: Columns, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces, of which the first shows whether the first column only counts the rows."""
    for number, piece in enumerate(pieces):
        if number == 0 and _counts_rows(piece.values):
            check_data(columns, {0: "counts the rows, and is no data"})
        yield piece


def _counts_rows(values: Array) -> bool:
    """Whether the first column goes up by one from 0 or 1, and some other does not."""
    first = values[0, 0]
    if len(values) < _FEWEST_COUNTED or first not in (0, 1):
        return False
    is_counting = (values == first + np.arange(len(values))[:, None]).all(axis=0)
    return bool(is_counting[0] and not is_counting.all())


def heading(cells: list[str], header: Literal["auto", "yes", "no"], location: Location) -> list[str] | None:
    """The names in the first row of a table, or None if it holds data.

    Unless the user says what it is, it is a header if it has names and nothing but names.
    """
    names = [cell.strip() for cell in cells]
    if header != "auto":
        return names if header == "yes" else None
    shown = cells[:_HEADER_CELLS]
    has_names = any(map(names_something, shown))
    has_numbers = any(parse_number(cell) is not None for cell in shown)
    if has_numbers and (has_names or _is_pandas_index(cells)):
        raise FormatError(
            "the line is half names and half numbers",
            found=",".join(cells),
            location=location,
            hint="give --header yes if it names the columns, --header no if it holds data",
        )
    return names if has_names and all(map(is_name, shown)) else None


def are_numbered(cells: list[str]) -> bool:
    """Whether the cells of a line are 0, 1, 2 ... or consecutive years, as columns are numbered.

    >>> are_numbered(["0", "1", "2"]), are_numbered(["1999", "2000"]), are_numbered(["1"])
    (True, True, False)
    """
    words = [cell.strip() for cell in cells]
    first = 0
    if len(words) > 1 and _YEAR.fullmatch(words[0]) and int(words[0]) + len(words) - 1 <= _LAST_YEAR:
        first = int(words[0])
    return words == [str(first + i) for i in range(len(words))]


def have_fractions(values: Array) -> bool:
    """Whether every column has a number that is no integer."""
    return bool((np.isfinite(values) & (values != np.trunc(values))).any(axis=0).all())


def _is_pandas_index(cells: list[str]) -> bool:
    """Whether pandas wrote this above columns without names: a blank, then 0, 1, 2 ..."""
    return not cells[0].strip() and cells[1:] == [str(i) for i in range(len(cells) - 1)]
