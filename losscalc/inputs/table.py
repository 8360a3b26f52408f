"""The rules of tables, the same for every format that has rows and columns: headers, names, parts, cells."""

from collections.abc import Iterator
from typing import Literal, Protocol

from losscalc.core.domains import parse_number
from losscalc.errors import FormatError, Index, Location
from losscalc.inputs.columns import Columns
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Piece, TextSource

TRUTH_WORDS = frozenset({"true", "false"})
_NA_WORDS = frozenset({"", "na", "n/a", "#n/a", "null", "none", "."})
_NO_NAMES = _NA_WORDS | TRUTH_WORDS
# The first cells tell what a row is; to look at millions of them would take too long.
_HEADER_CELLS = 1 << 18


class Table(Protocol):
    """A table of any format, opened as far as its first row of data."""

    columns: Columns

    def pieces(self, chosen: list[int]) -> Iterator[Piece]:
        """The numbers in the chosen columns, a matrix for some rows at a time."""


class TableSource(TextSource):
    """The array in some columns of a table: a vector if it is one column, else a matrix."""

    def __init__(self, stream: Stream, table: Table, part: str | None) -> None:
        self._chosen = table.columns.select(part)
        pieces = table.pieces(self._chosen)
        if len(self._chosen) == 1:
            pieces = (piece._replace(values=piece.values[:, 0]) for piece in pieces)
        super().__init__(stream, pieces)

    def locate(self, index: Index) -> Location:
        if not index:
            return Location(self.name)
        is_cell = len(self._chosen) == 1 or len(index) > 1
        column = self._chosen[index[-1] if len(index) > 1 else 0] + 1 if is_cell else None
        return Location(self.name, self.line(index[0]), column)


def heading(cells: list[str], header: Literal["auto", "yes", "no"], location: Location) -> list[str] | None:
    """The names in the first row of a table, or None if it holds data.

    Unless the user says what it is, it is a header if it has names and nothing but names.
    """
    names = [cell.strip() for cell in cells]
    if header != "auto":
        return names if header == "yes" else None
    shown = cells[:_HEADER_CELLS]
    has_names = any(is_name(cell) and cell.strip().lower() not in _NO_NAMES for cell in shown)
    has_numbers = any(parse_number(cell) is not None for cell in shown)
    if has_numbers and (has_names or _is_pandas_index(cells)):
        raise FormatError(
            "the line is half names and half numbers",
            found=",".join(cells),
            location=location,
            hint="give --header yes if it names the columns, --header no if it holds data",
        )
    return names if has_names and all(map(is_name, shown)) else None


def is_name(cell: str) -> bool:
    """Whether a cell can name a column: it is blank, or a word that nobody would take for a number.

    >>> [cell for cell in ("logit", "log(p)", "", "0.5", "1_000", "0x10", "nan", "[1") if is_name(cell)]
    ['logit', 'log(p)', '']
    """
    word = cell.strip()
    if not word:
        return True
    is_printable = word.replace("\n", " ").isprintable()
    if parse_number(word) is not None or not is_printable or word.lower().startswith("nan("):
        return False
    return word[0].isalpha() or word[0] in "_%("


def is_missing(cell: str) -> bool:
    """Whether a cell is empty, or a word that stands for a missing number."""
    return cell.strip().lower() in _NA_WORDS


def _is_pandas_index(cells: list[str]) -> bool:
    """Whether pandas wrote this above columns without names: a blank, then 0, 1, 2 ..."""
    return not cells[0].strip() and cells[1:] == [str(i) for i in range(len(cells) - 1)]
