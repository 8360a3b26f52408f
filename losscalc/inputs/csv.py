"""CSV, TSV and columns of text, read in pieces, with the line and column of everything."""

import csv
import io
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np

from losscalc.core.domains import is_overflow, parse_number
from losscalc.errors import FormatError, Location
from losscalc.inputs.columns import Columns
from losscalc.inputs.decimals import parse_table
from losscalc.inputs.options import BLANKS, Reading
from losscalc.inputs.stream import Stream
from losscalc.inputs.table import TRUTH_WORDS, TableSource, heading, is_missing, is_name, is_word
from losscalc.inputs.text import Lines, Piece

_BLANK = re.compile(r"[ \t]+")


class Row(NamedTuple):
    """A row of cells, the line it starts in, and the line after it."""

    line: int
    end: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        """Whether the line holds nothing but blanks; a quoted empty cell is something."""
        return not self.cells or (len(self.cells) == 1 and bool(_BLANK.fullmatch(self.cells[0])))


class _OpenQuoteError(Exception):
    """The text ends within quotes; the line is where the row began."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class CsvTable:
    """A table of text. Pieces of nothing but numbers are read by `parse_table`, all others cell by cell."""

    def __init__(self, stream: Stream, reading: Reading, delimiter: str | None) -> None:
        self._name = stream.name
        self._na = reading.na
        self._lines = Lines(stream, reading.encoding)
        self._line = 1
        """The line of the first row of `_text`."""
        self._text = self._lines.piece()
        self._blank: int | None = None
        """The line of a blank line, which only the end of the text may follow."""
        self._skip_lines(reading.skip_rows)
        self._delimiter = reading.delimiter or delimiter or self._usual_delimiter()
        first = self._first_row()
        self._width_line = first.line
        names = heading(first.cells, reading.header, self._place(first.line))
        if names is not None:
            self._skip_lines(first.end - first.line)
        self._width = len(first.cells)
        """How many cells a line has, with the empty one behind a trailing delimiter."""
        self._trails = not (names or first.cells)[-1].strip() and self._is_empty(self._width - 1)
        width = self._width - self._trails
        self.columns = Columns(self._name, width, names[:width] if names else None)

    def pieces(self, chosen: list[int]) -> Iterator[Piece]:
        """The numbers in the chosen columns."""
        while self._text:
            piece = self._fast(chosen) or self._slow(chosen)
            if len(piece.values):
                yield piece
            self._line = self._lines.next_line
            self._text = self._lines.piece()

    def words(self) -> list[int]:
        """The columns in which all the rows at hand have words or dates, or nothing."""
        first = next((row.cells for row in self._rows(1)), [])
        some = [column for column, cell in enumerate(first[: self.columns.width]) if is_word(cell)]
        rows = [row.cells for row in self._rows() if len(row.cells) == self._width] if some else []
        return [c for c in some if all(is_word(cells[c]) or is_missing(cells[c]) for cells in rows)]

    def _is_empty(self, column: int) -> bool:
        """Whether a column, which is not the only one, is empty in all the rows at hand."""
        return column > 0 and not any(
            row.cells[column].strip() for row in self._rows() if len(row.cells) > column
        )

    def _usual_delimiter(self) -> str:
        """What separates columns of plain text: commas where the first line has one, else blanks."""
        return "," if "," in self._text.partition("\n")[0] else BLANKS

    def _skip_lines(self, count: int) -> None:
        """Drop lines from the front of the text."""
        while count and self._text:
            end = 0
            while count and end < len(self._text):
                end = self._text.index("\n", end) + 1
                self._line += 1
                count -= 1
            self._text = self._text[end:] or self._lines.piece()

    def _first_row(self) -> Row:
        """The first row, which says how many columns there are."""
        for row in self._rows(1):
            if not row.is_blank:
                return row
            if not self._text.isspace() or self._lines.piece():
                raise self._blank_line(row.line)
        raise FormatError("no data", location=Location(self._name))

    def _fast(self, chosen: list[int]) -> Piece | None:
        """The rows if they are nothing but numbers; None where a closer look is needed."""
        values = None
        if self._blank is None:
            values = parse_table(self._text, self._delimiter, self._width, chosen)
        if values is None or (self._trails and self._text.count(f"{self._delimiter}\n") != len(values)):
            return None
        return Piece(values, None, range(self._line, self._line + len(values)))

    def _slow(self, chosen: list[int]) -> Piece:
        """The rows cell by cell, with the place of whatever is wrong."""
        rows = self._rows()
        values = np.empty((len(rows), len(chosen)))
        lines: list[int] = []
        missing = np.zeros(len(rows), bool)
        for row in rows:
            if row.is_blank:
                self._blank = self._blank or row.line
                continue
            self._check_row(row)
            numbers = [self._number(row, column) for column in chosen]
            missing[len(lines)] = None in numbers
            values[len(lines)] = [np.nan if number is None else number for number in numbers]
            lines.append(row.line)
        count = len(lines)
        drop = self._na == "drop" and missing[:count].any()
        return Piece(values[:count], missing[:count] if drop else None, lines)

    def _check_row(self, row: Row) -> None:
        if self._blank is not None:
            raise self._blank_line(self._blank)
        if len(row.cells) != self._width:
            problem = f"the line has {len(row.cells)} cells, but line {self._width_line} has {self._width}"
            raise FormatError(problem, location=self._place(row.line))
        if self._trails and row.cells[-1].strip():
            problem = "a cell in the last column, which has no name and is empty above"
            raise FormatError(problem, found=row.cells[-1], location=self._place(row.line, self._width))

    def _number(self, row: Row, column: int) -> float | None:
        """The number in a cell, or None for a missing one that is allowed to be missing."""
        number = parse_number(row.cells[column])
        if number is not None:
            return number
        if self._na != "error" and is_missing(row.cells[column]):
            return None
        raise self._not_a_number(row, column)

    def _rows(self, most: int | None = None) -> list[Row]:
        """The rows of the text at hand, to which more is added while a quote is open at its end."""
        while True:
            try:
                return list(islice(self._cut(), most))
            except _OpenQuoteError as quote:
                more = self._lines.piece()
                if not more:
                    problem = "a quote is opened and never closed"
                    raise FormatError(problem, location=self._place(quote.line)) from quote
                self._text += more

    def _cut(self) -> Iterator[Row]:
        """The rows of the text at hand."""
        text = io.StringIO(self._text)
        if self._delimiter == BLANKS:
            for line, row in enumerate(text, self._line):
                cells = re.split(r"[ \t]+", row.strip(" \t\n"))
                yield Row(line, line + 1, cells if cells != [""] else [])
            return
        reader = csv.reader(text, delimiter=self._delimiter, strict=True)
        line = self._line
        try:
            for cells in reader:
                end = self._line + reader.line_num
                yield Row(line, end, cells)
                line = end
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise _OpenQuoteError(line) from error
            raise self._bad_quotes(line, error) from error

    def _place(self, line: int, column: int | None = None) -> Location:
        return Location(self._name, line, column)

    def _blank_line(self, line: int) -> FormatError:
        hint = "remove it; --skip-rows N passes over lines at the top"
        return FormatError("the line is blank", location=self._place(line), hint=hint)

    def _bad_quotes(self, line: int, error: csv.Error) -> FormatError:
        text = self._text.split("\n", line - self._line + 1)[line - self._line]
        bad = re.search(rf'"[^"]*"(?!["{re.escape(self._delimiter)}]|$)', text)
        column = text.count(self._delimiter, 0, bad.start()) + 1 if bad else None
        goes_on = bad or "expected after" in str(error)
        problem = "a cell goes on after its closing quote" if goes_on else str(error)
        if "field larger than" in problem:
            problem = f"a cell has more than {csv.field_size_limit()} characters"
        return FormatError(problem, location=self._place(line, column))

    def _not_a_number(self, row: Row, column: int) -> FormatError:
        cell = row.cells[column]
        problem = "not a number"
        if "\ufeff" in cell:
            problem = "not a number but a byte-order mark in the middle of the text"
        elif "\0" in cell:
            problem = "not a number but a NUL byte"
        elif is_overflow(cell):
            problem = "a number outside the range of float64"
        hint = _advise(cell, self._delimiter, is_first=row.line == self._width_line)
        return FormatError(problem, found=cell, location=self._place(row.line, column + 1), hint=hint)


def _advise(cell: str, delimiter: str, *, is_first: bool) -> str | None:
    """A hint for a cell that is not a number."""
    if is_missing(cell):
        return "--na drop leaves the row out, --na nan reads NaN"
    if cell.lstrip().startswith(("[", "{")):
        return "for JSON give --from json"
    if cell.startswith("#"):
        return "--skip-rows N passes over lines at the top"
    if "\0" in cell:
        return "for text in UTF-16 give --encoding utf-16-le or utf-16-be"
    if cell.strip().lower() in TRUTH_WORDS:
        return "write 1 for true and 0 for false"
    if delimiter not in (",", "\t", BLANKS) and re.fullmatch(r"\s*[+-]?\d+,\d+\s*", cell):
        return "write decimals with a point"
    for other in (";", "\t", "|", ","):
        if other in cell and other != delimiter:
            name = "tab" if other == "\t" else f"'{other}'"
            return f"give --delimiter {name} to separate cells there"
    if is_first and is_name(cell):
        return "give --header yes if the line names the columns, or take columns by number: FILE#2"
    if " " in cell.strip():
        return "for columns separated by blanks give --delimiter space"
    return "take the columns with numbers by name or number: FILE#NAME or FILE#2" if is_name(cell) else None


def _open(delimiter: str | None, stream: Stream, part: str | None, reading: Reading) -> TableSource:
    return TableSource(stream, CsvTable(stream, reading, delimiter), part, reading)


open_csv = partial(_open, ",")
open_tsv = partial(_open, "\t")
open_text = partial(_open, None)
