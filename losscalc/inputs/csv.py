"""CSV, TSV and columns of text: numbers in rows and columns, read in pieces, with every place known."""

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from losscalc.core.domains import is_overflow, parse_number
from losscalc.errors import FormatError, Index, Location
from losscalc.inputs.cells import NO_NAMES, advise, is_blank, is_missing, is_name, is_pandas_index
from losscalc.inputs.columns import select_columns
from losscalc.inputs.decimals import parse_table
from losscalc.inputs.options import BLANKS, Reading
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Lines, Piece, TextSource

_HEADER_CELLS = 1 << 18


class Row(NamedTuple):
    """A row of cells, the line it starts in, and the line after it."""

    line: int
    end: int
    cells: list[str]


class OpenQuoteError(Exception):
    """The text ends within quotes; the line is where the row began."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class Table(TextSource):
    """The columns of a text that were asked for; one column is a vector, several are a matrix."""

    def __init__(self, stream: Stream, part: str | None, reading: Reading, delimiter: str | None) -> None:
        self._stream = stream
        self._reading = reading
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
        self._width = len(first.cells)
        names = [cell.strip() for cell in first.cells] if self._is_header(first) else None
        if names is not None:
            self._skip_lines(first.end - first.line)
        self._columns = select_columns(part, names, self._width, stream.name)
        super().__init__(stream.name)

    def progress(self) -> tuple[int, int | None]:
        """By bytes of the file."""
        return self._stream.progress()

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def locate(self, index: Index) -> Location:
        """The line and, for a single value, the column."""
        if not index:
            return Location(self.name)
        is_cell = len(self._columns) == 1 or len(index) > 1
        column = self._columns[index[-1] if len(index) > 1 else 0] + 1 if is_cell else None
        return Location(self.name, self.line(index[0]), column)

    def pieces(self) -> Iterator[Piece]:
        """The rows in pieces; a text without rows is an error."""
        rows = 0
        while self._text:
            piece = self._fast() or self._slow()
            rows += len(piece.values)
            if len(piece.values):
                yield piece if len(self._columns) > 1 else piece._replace(values=piece.values[:, 0])
            self._line = self._lines.next_line
            self._text = self._lines.piece()
        if not rows:
            raise FormatError("no data", location=Location(self._stream.name))

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
        while self._text:
            try:
                line = self._text[: self._text.index("\n") + 1]
                first = next(self._rows(self._text if '"' in line else line))
            except OpenQuoteError as quote:
                self._extend(quote)
                continue
            if not is_blank(first.cells):
                return first
            if not self._text.isspace() or self._lines.piece():
                raise self._blank_line(first.line)
            break
        raise FormatError("no data", location=Location(self._stream.name))

    def _is_header(self, row: Row) -> bool:
        """Whether the first row names the columns: none of its cells is a number, or meant to be one."""
        if self._reading.header != "auto":
            return self._reading.header == "yes"
        # What a row is shows in its first cells; looking at millions of them takes too long.
        cells = row.cells[:_HEADER_CELLS]
        names = [cell for cell in cells if is_name(cell) and cell.strip().lower() not in NO_NAMES]
        numbers = [cell for cell in cells if parse_number(cell) is not None]
        if numbers and (names or is_pandas_index(row.cells)):
            raise FormatError(
                "the line is half names and half numbers",
                found=",".join(row.cells),
                location=Location(self._stream.name, row.line),
                hint="give --header yes if it names the columns, --header no if it holds data",
            )
        return bool(names) and all(map(is_name, cells))

    def _fast(self) -> Piece | None:
        """The rows where they are nothing but numbers; None where a closer look is needed."""
        if self._blank:
            return None
        values = parse_table(self._text, self._delimiter, self._width, self._columns)
        if values is None:
            return None
        return Piece(values, None, range(self._line, self._line + len(values)))

    def _slow(self) -> Piece:
        """The rows cell by cell, with the place of whatever is wrong."""
        while True:
            try:
                rows = list(self._rows(self._text))
                break
            except OpenQuoteError as quote:
                self._extend(quote)
        values = np.empty((len(rows), len(self._columns)))
        lines: list[int] = []
        missing = np.zeros(len(rows), bool)
        for row in rows:
            if is_blank(row.cells):
                self._blank = self._blank or row.line
                continue
            self._check_row(row)
            numbers = [self._number(row, column) for column in self._columns]
            missing[len(lines)] = None in numbers
            values[len(lines)] = [np.nan if number is None else number for number in numbers]
            lines.append(row.line)
        count = len(lines)
        drop = self._reading.na == "drop" and missing[:count].any()
        return Piece(values[:count], missing[:count] if drop else None, lines)

    def _check_row(self, row: Row) -> None:
        if self._blank is not None:
            raise self._blank_line(self._blank)
        if len(row.cells) != self._width:
            raise FormatError(
                f"the line has {len(row.cells)} cells, but line {self._width_line} has {self._width}",
                location=Location(self._stream.name, row.line),
            )

    def _number(self, row: Row, column: int) -> float | None:
        """The number in a cell, or None for a missing one that is allowed to be missing."""
        number = parse_number(row.cells[column])
        if number is not None:
            return number
        if self._reading.na != "error" and is_missing(row.cells[column]):
            return None
        raise self._not_a_number(row, column)

    def _rows(self, text: str) -> Iterator[Row]:
        """The rows of the text that is at hand, or of its first lines."""
        if self._delimiter == BLANKS:
            for offset, row in enumerate(text.split("\n")[:-1]):
                cells = re.split(r"[ \t]+", row.strip(" \t"))
                yield Row(self._line + offset, self._line + offset + 1, cells if cells != [""] else [])
            return
        reader = csv.reader(io.StringIO(text), delimiter=self._delimiter, strict=True)
        line = self._line
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise OpenQuoteError(line) from error
                raise self._bad_quotes(line, error) from error
            end = self._line + reader.line_num
            yield Row(line, end, cells)
            line = end

    def _extend(self, quote: OpenQuoteError) -> None:
        """Read on, because a quote is still open."""
        more = self._lines.piece()
        if not more:
            raise FormatError(
                "a quote is opened and never closed", location=Location(self._stream.name, quote.line)
            ) from quote
        self._text += more

    def _blank_line(self, line: int) -> FormatError:
        return FormatError(
            "the line is blank",
            location=Location(self._stream.name, line),
            hint="remove it; --skip-rows N passes over lines at the top",
        )

    def _bad_quotes(self, line: int, error: csv.Error) -> FormatError:
        text = self._text.split("\n", line - self._line + 1)[line - self._line]
        bad = re.search(rf'"[^"]*"(?!["{re.escape(self._delimiter)}]|$)', text)
        column = text.count(self._delimiter, 0, bad.start()) + 1 if bad else None
        goes_on = bad or "expected after" in str(error)
        problem = "a cell goes on after its closing quote" if goes_on else str(error)
        if "field larger than" in problem:
            problem = f"a cell has more than {csv.field_size_limit()} characters"
        return FormatError(problem, location=Location(self._stream.name, line, column))

    def _not_a_number(self, row: Row, column: int) -> FormatError:
        cell = row.cells[column]
        problem = "not a number"
        if "\ufeff" in cell:
            problem = "not a number but a byte-order mark in the middle of the text"
        elif "\0" in cell:
            problem = "not a number but a NUL byte"
        elif is_overflow(cell):
            problem = "a number outside the range of float64"
        return FormatError(
            problem,
            found=cell,
            location=Location(self._stream.name, row.line, column + 1),
            hint=advise(cell, self._delimiter, is_first=row.line == self._width_line),
        )


def open_csv(stream: Stream, part: str | None, reading: Reading) -> Table:
    """Columns separated by commas."""
    return Table(stream, part, reading, ",")


def open_tsv(stream: Stream, part: str | None, reading: Reading) -> Table:
    """Columns separated by tabs."""
    return Table(stream, part, reading, "\t")


def open_text(stream: Stream, part: str | None, reading: Reading) -> Table:
    """Columns separated by commas where the first line has one, else by blanks."""
    return Table(stream, part, reading, None)
