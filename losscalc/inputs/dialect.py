"""How a table is written as text: what separates its cells, and where its rows and lines of # are."""

import csv
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from losscalc.errors import FormatError, Location
from losscalc.inputs.cells import is_name, listed, number
from losscalc.inputs.options import BLANKS

_BLANK = re.compile(r"[ \t]+")
COMMENT = r"[ \t]*#(?!(?i:n/a|div/0!|ref!|name\?|null!|num!|value!))"
"""What a line of # begins with; the words are those of spreadsheets for what could not be computed."""
_FIRST = re.compile(r"^.*\S.*$|\Z", re.MULTILINE)
"""The first line that is not blank, or the end."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_DELIMITERS = ";\t|,"
_SAMPLE = 50
# So many cells of these show whether they are numbers; rows of classes may have thousands each.
_CELLS = 2_000
# Compiled when they are used, as few texts have quotes, lines of # or thousands.
_QUOTED = r'"[^"]*"'
_CELL = r'"[^"]*"(?![^ \t])|[^ \t]+'
_RULE = r"[-+|=: \t]*(?:-{3}|={3}|:-|-:)[-+|=: \t]*|[\u2500-\u257f].*"
_SPACED_THOUSANDS = r"(?a)[+-]?\d{1,3}(?: \d{3})+"


class Row(NamedTuple):
    """A row of cells, the line it starts in, and the line after it."""

    line: int
    end: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        """Whether the line holds nothing but blanks; a quoted empty cell is something."""
        return not self.cells or (len(self.cells) == 1 and bool(_BLANK.fullmatch(self.cells[0])))


class OpenQuoteError(Exception):
    """The text ends within quotes; the line is where the row began."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Feed:
    """The lines of a text for the csv module. Between rows, it passes over lines of #."""

    def __init__(self, text: str, line: int) -> None:
        # io.StringIO would hold the text anew, with four bytes for each character.
        self._lines = (match[0] for match in _LINE.finditer(text))
        self.first = line
        """The first line of the row at hand."""
        self.next = line
        self.is_between = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if self.is_between:
            while "#" in line and re.match(COMMENT, line):
                self.next += 1
                line = next(self._lines)
            self.first = self.next
            self.is_between = False
        self.next += 1
        return line


class Dialect(NamedTuple):
    """What separates cells, and what the decimals of a number."""

    delimiter: str
    decimal: str = "."

    def rows(self, text: str, path: str = "", line: int = 1) -> Iterator[Row]:
        """The rows of whole lines; `line` is the number of the first of them."""
        feed = _Feed(text, line)
        if self.delimiter == BLANKS:
            for each in feed:
                cells = _split(each.strip(" \t\n"))
                yield Row(feed.first, feed.next, cells if cells != [""] else [])
                feed.is_between = True
            return
        try:
            for cells in csv.reader(feed, delimiter=self.delimiter, strict=True):
                yield Row(feed.first, feed.next, cells)
                feed.is_between = True
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise OpenQuoteError(feed.first) from error
            bad = text.split("\n", feed.first - line + 1)[feed.first - line]
            raise self._bad_quotes(bad, Location(path, feed.first), error) from error

    def unquoted(self, raw: bytes) -> bytes:
        """Whole lines without the quotes around their cells, if the cells are the same without.

        >>> Dialect(",").unquoted(b'"a",1\\n'), Dialect(",").unquoted(b'"a,b",1\\n')
        (b'a,1\\n', b'"a,b",1\\n')
        """
        if b'"' not in raw or not raw.isascii() or self.delimiter == BLANKS:
            return raw
        letters = np.frombuffer(raw, np.uint8)
        is_end = (letters == ord(self.delimiter)) | (letters == ord("\n"))
        quotes, ends = np.flatnonzero(letters == ord('"')), np.flatnonzero(is_end)
        opened, closed = quotes[::2], quotes[1::2]
        if len(opened) > len(closed):
            return raw
        # Before the first letter is, as behind the last one, the end of a line.
        is_around = is_end[opened - 1].all() and is_end[closed + 1].all()
        is_in_one = (np.searchsorted(ends, opened) == np.searchsorted(ends, closed)).all()
        return raw.replace(b'"', b"") if is_around and is_in_one else raw

    def with_points(self, raw: bytes) -> bytes:
        """Whole lines without quotes, and with points for decimal commas, where nothing else can be meant."""
        raw = self.unquoted(raw)
        if self.decimal == ".":
            return raw
        has_both = b"." in raw or self.delimiter == self.decimal
        return b'"' if has_both else raw.replace(self.decimal.encode(), b".")

    def number(self, cell: str) -> float | None:
        """The number in a cell, or None."""
        return number(cell, self.decimal)

    def _bad_quotes(self, text: str, place: Location, error: csv.Error) -> FormatError:
        bad = re.search(rf'"[^"]*"(?!["{re.escape(self.delimiter)}]|$)', text)
        column = text.count(self.delimiter, 0, bad.start()) + 1 if bad else None
        goes_on = bad or "expected after" in str(error)
        problem = "a cell goes on after its closing quote" if goes_on else str(error)
        if "field larger than" in problem:
            problem = f"a cell has more than {csv.field_size_limit()} characters"
        return FormatError(problem, location=place._replace(column=column))


def find_dialect(text: str, usual: str | None, decimal: str, within: str | None = None) -> Dialect:
    """The dialect in which the first lines of a text are rows of equally many cells, most of them numbers.

    The mark `within` cells separates none.

    >>> find_dialect("a;b\\n0.5;1\\n", ",", ".").delimiter, find_dialect("1 2\\n3 4\\n", ",", ".").delimiter
    (';', ' ')
    """
    sample = _first_lines(text)
    # The first line may be long: it is looked at where it stands.
    first = _FIRST.search(sample)
    assert first is not None
    start, end = first.span()
    marks = [mark for mark in (usual or "", *_DELIMITERS) if mark and sample.find(mark, start, end) >= 0]
    if decimal == "," and sample.find('"', start, end) < 0:
        marks = [mark for mark in marks if mark != ","]
    marks = [mark for mark in marks if mark != within]
    shares = {mark: share for mark in marks if (share := _share(sample, mark))}
    if shares:
        return Dialect(max(shares, key=lambda mark: shares[mark]), decimal)
    if within is not None and not marks:
        # One cell a line: any mark does that is in none of them.
        return Dialect(next(mark for mark in _DELIMITERS if mark != within), decimal)
    if not marks and usual != BLANKS and _share(sample, BLANKS) == 1 and not _has_thousands(sample):
        return Dialect(BLANKS, decimal)
    if usual is None:
        return Dialect("," if "," in marks else BLANKS, decimal)
    return Dialect(";" if decimal == usual else usual, decimal)


def find_rule(text: str) -> tuple[int, str] | None:
    """The first of the upper lines that is a rule, as in tables for the eye, behind so many others.

    >>> find_rule(" a | b\\n---+---\\n 1 | 2\\n"), find_rule("a\\n-3\\n")
    ((1, '---+---'), None)
    """
    for above, match in enumerate(islice(_LINE.finditer(text), 3)):
        # A document of YAML begins with this.
        if re.fullmatch(_RULE, line := match[0].strip()) and (above, line) != (0, "---"):
            return above, line
    return None


def _split(line: str) -> list[str]:
    """The cells of a line with blanks between them; names in quotes may hold some.

    >>> _split("0.5  1"), _split('"my cat" 2'), _split('5" "2"')
    (['0.5', '1'], ['my cat', '2'], ['5"', '"2"'])
    """
    if '"' not in line:
        return _BLANK.split(line)
    return [
        cell[1:-1] if re.fullmatch(_QUOTED, cell) and is_name(cell[1:-1]) else cell
        for cell in re.findall(_CELL, line)
    ]


def _share(sample: str, delimiter: str) -> float:
    """How much of the rows below the first are numbers; 0 if there is one cell a row, or rows differ."""
    try:
        rows = [row.cells for row in Dialect(delimiter).rows(sample) if not row.is_blank]
    except (FormatError, OpenQuoteError):
        return 0
    if not rows or len(rows[0]) < 2:
        return 0
    # No name of a header may stand above the names of rows.
    lacks = len(rows[-1]) - len(rows[0]) == 1 and all(map(is_name, rows[0]))
    if any(len(cells) != len(rows[0]) + lacks for cells in rows[lacks:]):
        return 0
    decimals = "." if delimiter == "," else ".,"
    cells = list(islice((cell for row in rows[1:] or rows for cell in row[lacks:]), _CELLS))
    found = sum(
        not cell.strip() or listed(cell) is not None or any(number(cell, d) is not None for d in decimals)
        for cell in cells
    )
    # Words alone are a table, too.
    return max(found / len(cells), 0.01) if delimiter != BLANKS else float(found == len(cells))


def _first_lines(text: str) -> str:
    """The lines that a dialect is found by."""
    ends = islice(re.finditer("\n", text), _SAMPLE)
    return text[: max((match.end() for match in ends), default=len(text))]


def _has_thousands(sample: str) -> bool:
    """Whether the lines may be numbers with blanks between their thousands."""
    return all(re.fullmatch(_SPACED_THOUSANDS, line.strip()) for line in sample.split("\n") if line.strip())
