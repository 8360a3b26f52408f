"""CSV, TSV and columns of text, read in pieces, with the line and column of everything."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location, LosscalcNote, LosscalcWarning, Remark, counted
from losscalc.inputs.cache import Passage, encoded
from losscalc.inputs.cells import EXACT, Cell, as_cells, is_missing, is_word, listed
from losscalc.inputs.columns import Columns
from losscalc.inputs.decimals import cut, numbers
from losscalc.inputs.dialect import Dialect, OpenQuoteError, Row, find_dialect
from losscalc.inputs.grid import Grid
from losscalc.inputs.headers import are_quoted, have_fractions_below, heading, why_header
from losscalc.inputs.options import Reading
from losscalc.inputs.rows import TextRows
from losscalc.inputs.stream import Stream
from losscalc.inputs.table import no_numbers, open_table
from losscalc.inputs.text import Piece

# Compiled when they are used: few tables have two columns.
_SHORT_PAIRS = r"(?a)(?:[+-]?\d{1,4},\d{1,4}\n)+"
_TRUTHS = r"(?:[01],[01]\n)+"
# So many lines show what the first is, unless they are as wide as only arrays of numbers are.
_TOP, _WIDEST = 20, 1000


class CsvTable:
    """A table of text. Pieces of nothing but numbers are read by `parse_table`, all others cell by cell."""

    def __init__(self, stream: Stream, reading: Reading, delimiter: str | None) -> None:
        self._name = stream.name
        self._na = reading.na
        self._is_lenient = reading.is_lenient
        self._reading = reading
        self._depth: int | None = None
        """How many numbers a row has."""
        self._remarks: list[Remark] = []
        self._rows = rows = TextRows(stream, reading)
        rows.skip_lines(reading.skip_rows)
        comment = rows.pass_top(reading.delimiter or delimiter)
        rows.check_no_rule()
        mark = reading.delimiter or rows.pass_mark()
        self._dialect = rows.dialect = (
            Dialect(mark, reading.decimal)
            if mark
            else find_dialect(rows.text, delimiter, reading.decimal, reading.within)
        )
        first = next(iter(rows.at_hand(1)), None)
        if first is None:
            raise FormatError("no data", location=Location(self._name))
        self._first_line = first.line
        is_title = len(first.cells) == 1 and " " in first.cells[0].strip()
        self._title = first.line if is_title else None
        self._width = len(first.cells)
        """How many cells a line has, with the empty ones behind trailing delimiters."""
        names = self._names(first, reading, comment)
        if names is not None:
            names = rows.completed(names)
            self._width = len(names)
        self._trails = rows.trailing(names or first.cells)
        """How many empty cells each line has behind its delimiters at the end."""
        width = self._width - self._trails
        self.columns = Columns(self._name, width, names[:width] if names else None)
        if names is None and reading.header == "auto" and self._width <= _WIDEST:
            self.columns = self.columns._replace(top=self._top())
        if not reading.delimiter and width == 2 and names is None:
            self._watch_decimal_commas()

    @property
    def remarks(self) -> Sequence[Remark]:
        """What there is to tell of the reading so far."""
        return [*self._remarks, *self._rows.passed_over]

    def doubt(self, excess: int) -> str | None:
        """What may explain that there are more or fewer rows than there should be."""
        if excess == 1 and self.columns.names is None:
            return f"the first line of {self._name} may be a header: --header yes"
        if excess == -1 and any("header" in remark.problem for remark in self._remarks):
            return f"the first line of {self._name} was taken as a header: --header no"
        return "; ".join(note.describe() for note in self._rows.passed_over) or None if excess < 0 else None

    def pieces(self, chosen: list[int]) -> Iterator[Piece]:
        """The numbers in the chosen columns."""
        for values in self._rows.parsed(partial(self._parsed, chosen)):
            piece = self._fast(values, len(chosen)) or self._slow(chosen)
            if len(piece.values):
                yield piece

    def cells(self, column: int) -> Iterator[Piece]:
        """The cells of a column."""
        for values in self._rows.parsed(partial(self._words, column)):
            piece = self._each(column) if values is None else self._plain(values)
            if len(piece.values):
                yield piece

    def _words(self, column: int, passage: Passage) -> Array | None:
        """The cells of a column as numbers, if float64 has all their digits, else as bytes.

        None where a closer look is needed.
        """
        from losscalc.inputs.words import parse_words

        raw, exact = passage.raw, self._parsed([column], passage)
        # Beyond 2^53 float64 lacks whole numbers, and ids are told apart by all their digits.
        if exact is not None and (np.abs(exact) < EXACT).all():
            return exact[:, 0]
        words = parse_words(self._dialect.unquoted(raw), self._dialect.delimiter, self._width, column)
        if words is None or not self._trails_in(raw, len(words)):
            return None
        is_decimal = self._dialect.decimal != "." and self._dialect.decimal.encode() in words.tobytes()
        return None if is_decimal else words

    def _each(self, column: int) -> Piece:
        """The cells of a column, one by one."""
        rows = [self._checked(row) for row in self._rows]
        return Piece(as_cells(self._cell(row, column) for row in rows), None, [row.line for row in rows])

    def _cell(self, row: Row, column: int) -> Cell:
        """A cell as text, but with decimal commas as a number."""
        cell = row.cells[column].strip()
        value = None if self._dialect.decimal == "." else self._dialect.number(cell)
        return cell if value is None else value

    def words(self) -> list[int]:
        """The columns in which all the rows at hand have words or dates, or nothing."""
        first = next((row.cells for row in self._rows.at_hand(1)), [])
        some = [column for column, cell in enumerate(first[: self.columns.width]) if is_word(cell)]
        rows = [row.cells for row in self._rows.at_hand() if len(row.cells) == self._width] if some else []
        return [c for c in some if all(is_word(cells[c]) or is_missing(cells[c]) for cells in rows)]

    def _names(self, first: Row, reading: Reading, comment: str) -> list[str] | None:
        """The names of the columns, if the first line has them or a line of # above it."""
        is_data = all(self._dialect.number(cell) is not None or is_missing(cell) for cell in first.cells)
        above = self._above(comment) if is_data and reading.header != "no" else []
        if len(above) == self._width:
            return above
        cells = first.cells
        if reading.decimal != ".":
            cells = [cell.replace(reading.decimal, ".") for cell in cells]
        # The columns of an input may stand in the header of the same table as its labels.
        is_label = reading.header == "auto" and len(cells) == 1 and cells[0].strip() in reading.labels
        place, below = self._place(first.line), lambda: self._top()[1:]
        names = None if is_label else heading(cells, reading.header, place, below)
        if names is None and (why := self._why_header(first, reading)):
            names = [cell.strip(' "') for cell in first.cells]
            note = f"the first line is taken as a header: {why}"
            hint = "--header no if it holds data"
            self._remarks.append(LosscalcNote(note, location=self._place(first.line), hint=hint))
        if names is not None:
            self._rows.skip_lines(first.end - self._rows.line)
        return names

    def _above(self, comment: str) -> list[str]:
        """The cells of a line of #."""
        with suppress(FormatError, OpenQuoteError):
            return [cell.strip() for row in self._dialect.rows(comment) for cell in row.cells]
        return []

    def _why_header(self, first: Row, reading: Reading) -> str | None:
        """Why a first line without names is a header all the same."""
        cells = first.cells[:-1] if len(first.cells) > 1 and not first.cells[-1].strip() else first.cells
        if reading.header == "auto" and not reading.titles and self._rows.text.startswith('"'):
            line, below = self._rows.text.split("\n", 1)
            if are_quoted(cells, line, below):
                return "its cells are in quotes, and the numbers below are not"
        return why_header(cells, reading, lambda: self._have_fractions(first, len(cells)))

    def _have_fractions(self, first: Row, width: int) -> bool:
        """Whether the columns below the first line, as far as they are at hand, hold no integers."""
        below = self._rows.text.split("\n", first.end - self._rows.line)[-1]
        rows = (row.cells for row in islice(self._rows.at_hand(), 1, None) if self._is_as_wide(row))
        return have_fractions_below(below, rows, width, self._dialect)

    def _top(self) -> list[list[str]]:
        """The cells of the first lines, as far as these can be read, with points for decimal commas."""
        rows: list[Row] = []
        with suppress(FormatError, OpenQuoteError):
            rows = [row for row in self._rows.at_hand(_TOP) if self._is_as_wide(row)]
        if self._dialect.decimal == ".":
            return [row.cells for row in rows]
        return [[cell.replace(self._dialect.decimal, ".") for cell in row.cells] for row in rows]

    def _is_as_wide(self, row: Row) -> bool:
        """Whether a row has as many cells as the first; a blank line has none."""
        return len(row.cells) == self._width and not row.is_blank

    def _watch_decimal_commas(self) -> None:
        """Warn where all rows at hand are two short integers and a comma, as in 0,5."""
        text = self._rows.text
        if re.fullmatch(_SHORT_PAIRS, text) and not re.fullmatch(_TRUTHS, text):
            problem = "every row is two short integers and a comma, and is read as two columns"
            hint = "if these are decimal commas: --decimal , ; if not: --delimiter ,"
            self._remarks.append(LosscalcWarning(problem, location=Location(self._name), hint=hint))

    def _parsed(self, chosen: list[int], passage: Passage) -> Array | None:
        """The numbers in the chosen columns of some lines; None where a closer look is needed."""
        find = partial(self._cells_of, passage.raw)
        values = numbers(passage.found((self._dialect, self._width), find), chosen)
        return values if values is not None and self._trails_in(passage.raw, len(values)) else None

    def _cells_of(self, raw: bytes) -> Iterator[Grid | None]:
        return cut(self._dialect.with_points(raw), self._dialect.delimiter, self._width)

    def _fast(self, values: Array | None, depth: int) -> Piece | None:
        """The rows at hand if they are nothing but numbers, as many as those before have."""
        if values is None or self._depth not in (None, depth):
            return None
        self._depth = depth
        missing = np.isnan(values).any(axis=1) if self._na == "drop" else None
        piece = self._plain(values)
        return piece if missing is None or not missing.any() else piece._replace(missing=missing)

    def _plain(self, values: Array) -> Piece:
        """The rows at hand, of which each is a line."""
        self._rows.found_row()
        return Piece(values, None, range(self._rows.line, self._rows.line + len(values)))

    def _trails_in(self, raw: bytes, rows: int) -> bool:
        """Whether all rows of a text have the trailing delimiters that the first row has, if it has any."""
        end = encoded(self._dialect.delimiter * self._trails + "\n")
        return not self._trails or raw.count(end) == rows

    def _slow(self, chosen: list[int]) -> Piece:
        """The rows cell by cell, with the place of whatever is wrong."""
        numbers: list[list[float | None]] = []
        lines: list[int] = []
        faults: list[tuple[int, FormatError]] = []
        for row in self._rows:
            try:
                self._checked(row)
                self._depth = self._depth or self._depth_of(row, chosen)
                numbers.append(self._numbers(row, chosen))
            except FormatError as fault:
                if not self._is_lenient:
                    raise
                faults.append((len(numbers), fault))
                numbers.append([])
            lines.append(row.line)
        for position, _ in faults:
            numbers[position] = [None] * (self._depth or len(chosen))
        missing = np.array([None in row for row in numbers], bool)
        # NumPy takes None for NaN.
        values = np.array(numbers, np.float64).reshape(len(numbers), -1 if numbers else 0)
        is_dropped = self._na == "drop" and missing.any()
        return Piece(values, missing if is_dropped else None, lines, tuple(faults))

    def _depth_of(self, row: Row, chosen: list[int]) -> int:
        """How many numbers the first row has, which all others must have: a list in a cell has several."""
        numbers = listed(row.cells[chosen[0]], self._dialect.decimal) if len(chosen) == 1 else None
        return len(chosen) if numbers is None else len(numbers)

    def _checked(self, row: Row) -> Row:
        """The row, if it has as many cells as the first."""
        if len(row.cells) != self._width:
            from losscalc.inputs.remedies import of_another_width

            known = f"line {self._first_line} has {self._width}"
            problem = f"the line has {counted(len(row.cells), 'cell')}, but {known}"
            hint = of_another_width(row.cells, self._width, self._dialect.delimiter, self._title, self._na)
            raise FormatError(problem, location=self._place(row.line), hint=hint)
        for column in range(self._width - self._trails, self._width):
            if row.cells[column].strip():
                which = "the last column" if column == self._width - 1 else f"column {column + 1}"
                problem = f"a cell in {which}, which has no name and is empty above"
                place = self._place(row.line, column + 1)
                raise FormatError(problem, found=row.cells[column], location=place)
        return row

    def _numbers(self, row: Row, chosen: list[int]) -> list[float | None]:
        """The numbers in the chosen cells, None for those that are allowed to be missing."""
        numbers = [self._number(row.cells[column]) for column in chosen]
        if len(numbers) == self._depth and None not in numbers:
            return numbers
        for position, column in enumerate(chosen):
            cell = row.cells[column]
            if numbers[position] is not None:
                continue
            inner = listed(cell, self._dialect.decimal) if len(chosen) == 1 else None
            if inner is not None and len(inner) != self._depth:
                problem = f"the list has {counted(len(inner), 'number')}, those before {self._depth}"
                raise FormatError(problem, location=self._place(row.line, column + 1))
            if inner is not None:
                return [*inner]
            is_nan = self._dialect.number(cell) is not None
            if not is_nan and (self._na == "error" or not is_missing(cell)):
                raise self._not_a_number(row, column)
        if len(chosen) == 1 and numbers[0] is not None:
            problem = f"a number, where the rows before have lists of {self._depth}"
            raise FormatError(problem, location=self._place(row.line, chosen[0] + 1))
        return numbers if len(numbers) == self._depth else [None] * (self._depth or 0)

    def _not_a_number(self, row: Row, column: int) -> FormatError:
        from losscalc.inputs.remedies import not_a_number

        # A hint at what another array takes would compare a column with itself.
        others = {*range(self.columns.width)} - {*no_numbers(self.columns, self._reading)}
        numbers = [c for c in sorted(others) if self._dialect.number(row.cells[c]) is not None]
        return not_a_number(
            row.cells[column],
            # What splits lines into several cells is what separates them.
            None if self._width > 1 else self._dialect.delimiter,
            self._place(row.line, column + 1),
            is_first=row.line == self._first_line,
            others=self.columns.part_of(numbers) if numbers else "",
            may_list=self._reading.may_list,
        )

    def _number(self, cell: str) -> float | None:
        """The number in a cell; None if there is none, or NaN where that is missing."""
        number = self._dialect.number(cell)
        return None if number is not None and number != number and self._na == "drop" else number

    def _place(self, line: int, column: int | None = None) -> Location:
        return Location(self._name, line, column)


def _open(delimiter: str | None, stream: Stream, part: str | None, reading: Reading) -> Source:
    return open_table(stream, CsvTable(stream, reading, delimiter), part, reading)


open_csv = partial(_open, ",")
open_tsv = partial(_open, "\t")
open_text = partial(_open, None)
