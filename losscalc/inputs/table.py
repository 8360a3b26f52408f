"""The rules of tables, the same for every format that has rows and columns: headers, names, parts, cells."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

from losscalc.core.domains import parse_number
from losscalc.errors import FormatError, Index, Location, printable
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Piece, TextSource

TRUTH_WORDS = frozenset({"true", "false"})
_NA_WORDS = frozenset({"", "na", "n/a", "#n/a", "null", "none", "."})
_NO_NAMES = _NA_WORDS | TRUTH_WORDS
# The first cells tell what a row is; to look at millions of them would take too long.
_HEADER_CELLS = 1 << 18
_RANGE = re.compile(r"(\d{1,9})(?:(-)(\d{1,9})?)?", re.ASCII)


class Columns(NamedTuple):
    """The columns of a table: how many there are, and their names if it has a header."""

    path: str
    width: int
    names: list[str] | None = None

    def select(self, part: str | None) -> list[int]:
        """The columns of a part, counted from 0: a name, `2`, `2-4`, `3-`, or several of them with commas.

        >>> Columns("a.csv", 2, ["id", "logit"]).select("logit"), Columns("b.csv", 4).select("1,3-")
        ([1], [0, 2, 3])
        """
        if part is None:
            return list(range(self.width))
        # The whole part comes first: a name may hold a comma, or be a number itself.
        if self._has(part):
            return [self._named(part)]
        return [column for item in part.split(",") for column in self._item(item.strip())]

    def _item(self, item: str) -> list[int]:
        if self._has(item):
            return [self._named(item)]
        match = _RANGE.fullmatch(item)
        if match is None:
            raise self._no_such_column(item)
        first = int(match[1])
        last = int(match[3]) if match[3] else self.width if match[2] else first
        if not 1 <= first <= last <= self.width:
            raise self._no_such_column(item)
        return list(range(first - 1, last))

    def _has(self, name: str) -> bool:
        return self.names is not None and name in self.names

    def _named(self, name: str) -> int:
        assert self.names is not None
        if self.names.count(name) > 1:
            raise FormatError(
                f"{self.names.count(name)} columns have this name",
                found=name,
                location=Location(self.path),
                hint=f"take one by its number: #{self.names.index(name) + 1}",
            )
        return self.names.index(name)

    def _no_such_column(self, item: str) -> FormatError:
        if self.names is None:
            hint = f"columns are counted from 1 to {self.width}; --header yes if the first line names them"
        else:
            hint = _nearest_name(item, self.names)
        location = Location(self.path)
        return FormatError("there is no such column", found=item, location=location, hint=hint)


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


def _nearest_name(item: str, names: list[str]) -> str:
    """The hint for a column that does not exist."""
    import difflib

    delimiter = next((c for c in ";\t| " if c in names[0]), None) if len(names) == 1 else None
    if delimiter is not None:
        known = {"\t": "tab", " ": "space"}
        return f"the columns seem to be separated by --delimiter {known.get(delimiter, repr(delimiter))}"
    if close := difflib.get_close_matches(item, names, n=1):
        return printable(f"did you mean #{close[0]}?")
    return printable(f"the columns are {', '.join(names if len(names) <= 20 else [*names[:20], '...'])}")
