"""Workbooks of Excel and OpenDocument through python-calamine: columns of a sheet."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location, LosscalcNote, Remark, counted
from losscalc.inputs.archive import Archive
from losscalc.inputs.cells import EXACT, as_cells, is_missing, is_word, names_something
from losscalc.inputs.columns import Columns
from losscalc.inputs.headers import have_fractions, heading, why_header
from losscalc.inputs.limits import UNPACKED_ARRAY, is_bomb, too_large
from losscalc.inputs.numbers import as_piece, from_cells
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import as_typed, listed
from losscalc.inputs.stream import Stream
from losscalc.inputs.table import open_table
from losscalc.inputs.text import Piece
from losscalc.inputs.workbook import Workbook

_TOP = 20
_ROWS = 1 << 12
"""The rows that are taken at a time, and looked at to tell what columns hold."""


def open_excel(stream: Stream, part: str | None, reading: Reading) -> Source:
    """Columns of a sheet: of the one that is named, or of the only one that holds data."""
    if not stream.peek(1):
        raise FormatError("no data", location=Location(stream.name))
    book = Workbook(_checked(stream) if stream.peek(2) == b"PK" else stream)
    try:
        named, rest = _split(book.sheets, part)
        sheet = _lone(book, part) if named is None else named
        table = SheetTable(book, sheet, reading, is_named=named is not None and len(book.sheets) > 1)
        columns = table.columns
        if columns.names and part == sheet in columns.names and not columns.sheet:
            rest = part  # a column that is called like the only sheet
        others = ((option, *_split(book.sheets, other)) for option, other in reading.elsewhere)
        own = tuple(
            (option, other) for option, on, other in others if on in (sheet, None) and other is not None
        )
        source = open_table(book, table, rest, reading._replace(elsewhere=own))
    except BaseException:
        book.close()
        raise
    source.within, source.table = f"{columns.sheet}/" if columns.sheet else "", columns.sheet
    return source


def _checked(stream: Stream) -> Stream:
    """The stream of an archive whose members do not unpack to too much."""
    archive = Archive(stream)
    most = archive.stream.most(UNPACKED_ARRAY)
    unpacked, packed = (
        sum(getattr(member, size) for member in archive.members) for size in ("file_size", "compress_size")
    )
    if is_bomb(unpacked, packed, most):
        raise too_large("a little archive unpacks to", most, Location(stream.name))
    archive.stream.seek(0)
    return archive.stream


def _split(sheets: Sequence[str], part: str | None) -> tuple[str | None, str | None]:
    """The sheet that a part names, if it names one, and what is behind it.

    >>> _split(["a", "a/b"], "a/b/p"), _split(["a"], "p"), _split(["a"], "a")
    (('a/b', 'p'), (None, 'p'), ('a', None))
    """
    if part is None:
        return None, None
    found = [sheet for sheet in sheets if part == sheet or part.startswith(f"{sheet}/")]
    if not found:
        return None, part
    sheet = max(found, key=len)
    return sheet, part[len(sheet) + 1 :] or None


def _lone(book: Workbook, part: str | None) -> str:
    """The only sheet that holds data, of which the part is; refuses to choose one of several."""
    if len(book.sheets) == 1:
        return book.sheets[0]
    filled = [sheet for sheet in book.sheets if book.extent(sheet).width]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        raise FormatError("no data", location=Location(book.name))
    raise FormatError(
        f"the workbook has {len(filled)} sheets that hold data",
        location=Location(book.name),
        hint=f"name one: {as_typed('/'.join(filter(None, (filled[0], part))))} ({listed(filled)})",
    )


class Row(NamedTuple):
    """A row of a sheet by its number, from 1. A list is a date."""

    number: int
    cells: list[str | float | bool | list[str]]


class SheetTable:
    """A sheet as a table: blank rows are passed over, and the first row may name the columns."""

    def __init__(self, book: Workbook, sheet: str, reading: Reading, *, is_named: bool) -> None:
        self._reading = reading
        self._remarks: list[Remark] = []
        self._passed = 0
        """How many blank rows were passed over."""
        extent, pieces = book.rows(sheet)
        self.columns = Columns(book.name, extent.width, None, sheet if is_named else "", extent.column)
        numbered = (Row(extent.row + 1 + i, cells) for i, cells in enumerate(chain.from_iterable(pieces)))
        self._rows = self._filled(row for row in numbered if row.number > reading.skip_rows)
        self._at_hand = list(islice(self._rows, _ROWS))
        """The first rows, of which what columns hold is told."""
        if not self._at_hand:
            raise FormatError("no data", location=self.columns.place())
        names = self._names(self._at_hand[0])
        if names is not None:
            self.columns = self.columns._replace(names=names)
            del self._at_hand[0]
        elif reading.header == "auto":
            self.columns = self.columns._replace(top=self._top())

    @property
    def remarks(self) -> Sequence[Remark]:
        """What there is to tell of the reading so far."""
        if not self._passed:
            return self._remarks
        rows = counted(self._passed, "blank row")
        return [*self._remarks, LosscalcNote(f"passed over {rows}", location=self.columns.place())]

    def doubt(self, excess: int) -> str | None:
        """What may explain that there are more or fewer rows than there should be."""
        place = self.columns.place()
        if excess == 1 and self.columns.names is None:
            return f"the first row of {place} may be a header: --header yes"
        if excess == -1 and any("header" in remark.problem for remark in self._remarks):
            return f"the first row of {place} was taken as a header: --header no"
        passed = [remark.describe() for remark in self.remarks if remark not in self._remarks]
        return "; ".join(passed) or None if excess < 0 else None

    def pieces(self, chosen: list[int]) -> Iterator[Piece]:
        """The numbers in the chosen columns."""
        shape = None if len(chosen) == 1 else ()
        for rows in self._some():
            lines = [row.number for row in rows]
            parts = []
            for column in chosen:
                cells = [_as_number(row.cells[column]) for row in rows]
                place = partial(self._place, lines, column)
                parts.append(from_cells(cells, shape, self._reading, place))
            shape = parts[0].values.shape[1:]
            yield as_piece(self.columns, chosen, parts, lines, self._reading)

    def cells(self, column: int) -> Iterator[Piece]:
        """The cells of a column."""
        for rows in self._some():
            cells = as_cells(_as_cell(row.cells[column]) for row in rows)
            yield Piece(cells, None, [row.number for row in rows])

    def words(self) -> list[int]:
        """The columns in which all of the first rows have words or dates, or nothing."""
        found = []
        for column in range(self.columns.width):
            cells = [row.cells[column] for row in self._at_hand]
            words = [_is_word(cell) for cell in cells if not _is_gap(cell)]
            if words and all(words):
                found.append(column)
        return found

    def _place(self, lines: Sequence[int], column: int, row: int) -> Location:
        return self.columns.place(lines[row], column)

    def _some(self) -> Iterator[list[Row]]:
        """The rows of data, some at a time."""
        rows, self._at_hand = self._at_hand, []
        while rows:
            yield rows
            rows = list(islice(self._rows, _ROWS))

    def _filled(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows that are not blank; those before them are counted."""
        blank = 0
        for row in rows:
            if all(map(_is_gap, row.cells)):
                blank += 1
            else:
                self._passed, blank = self._passed + blank, 0
                yield row

    def _names(self, first: Row) -> list[str] | None:
        """The names of the columns, if the first row has them."""
        header, place = self._reading.header, self.columns.place(first.number)
        cells = [_as_word(cell) for cell in first.cells]
        names = heading(cells, header, place, lambda: self._top()[1:])
        if names is not None and header == "auto" and not all(names) and len(self._at_hand) > 1:
            self._check_title(self._at_hand[1], place)
        if names is None and (why := why_header(cells, self._reading, self._have_fractions)):
            names = [cell.strip() for cell in cells]
            note = f"the first row is taken as a header: {why}"
            self._remarks.append(LosscalcNote(note, location=place, hint="--header no if it holds data"))
        return names

    @staticmethod
    def _check_title(second: Row, place: Location) -> None:
        """Refuse a first row that is the title of a table, whose names are in the row below."""
        names = [_as_word(cell) for cell in second.cells]
        if all(map(names_something, names)) and len(names) > 1:
            hint = (
                f"--skip-rows {second.number - 1} passes over what is above the names in row {second.number}"
            )
            raise FormatError("the row does not name all columns", location=place, hint=hint)

    def _top(self) -> list[list[str]]:
        """The first rows as text."""
        return [[_as_word(cell) for cell in row.cells] for row in self._at_hand[:_TOP]]

    def _have_fractions(self) -> bool:
        """Whether each column has numbers below the first row that are no integers; of a lone one, all."""
        below = [[_as_number(cell) for cell in row.cells] for row in self._at_hand[1:]]
        cells = [[np.nan if isinstance(cell, str) else cell for cell in row] for row in below]
        values = np.array(cells).reshape(len(cells), self.columns.width)
        if self.columns.width > 1:
            return have_fractions(values)
        present = values[np.isfinite(values)]
        return bool(present.size and (present != np.trunc(present)).all())


def _as_number(cell: object) -> str | float:
    """A cell as a number, if it is one or a truth value."""
    return float(cell) if isinstance(cell, int | float) else _as_word(cell)


def _as_cell(cell: object) -> str | float:
    """A cell as a number, if it is one that float64 has, or as text."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell) if isinstance(cell, float) or abs(cell) < EXACT else str(cell)
    return _as_word(cell)


def _as_word(cell: object) -> str:
    """A cell as text."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell[0] if isinstance(cell, list) else str(cell).strip()


def _is_word(cell: object) -> bool:
    return isinstance(cell, list) or (isinstance(cell, str) and is_word(cell))


def _is_gap(cell: object) -> bool:
    return isinstance(cell, str) and (not cell.strip() or is_missing(cell))
