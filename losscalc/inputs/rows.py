"""The rows of a table of text, a piece of the text at a time, and what is passed over between them."""

import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import TypeVar

from losscalc.engine.threads import on_threads
from losscalc.errors import FormatError, Location, LosscalcNote
from losscalc.inputs.cache import Passage, encoded
from losscalc.inputs.dialect import COMMENT, Dialect, OpenQuoteError, Row, find_rule
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Lines

Parsed = TypeVar("Parsed")

# Blank lines and lines of #; in TSV, a line of tabs is a row of empty cells.
_TOP = rf"(?:{COMMENT}[^\n]*\n|[ \t]*\n)*"
_TOP_OF_TSV = rf"(?:{COMMENT}[^\n]*\n| *\n)*"
_MARK = r'"?sep=([;,|\t])"?\n'


class TextRows:
    """The rows of a text, of which a piece is at hand; blank lines and lines of # are counted apart."""

    def __init__(self, stream: Stream, reading: Reading) -> None:
        self.name = stream.name
        self.dialect = Dialect(",")
        self._passages = iter(Lines(stream, reading.encoding))
        self._threads = on_threads(reading.threads)
        self._passage = Passage()
        self._text: str | None = None
        self.line = self._end = 1
        """The line of the first row at hand, and the one behind the last."""
        self.go_on()
        self._passed = 0
        """How many blank lines have a row behind them."""
        self._blank = 0
        """How many blank lines came after the last row."""
        self._comments = 0

    @property
    def text(self) -> str:
        """The piece at hand, '' at the end; what is nothing but numbers is not made a text."""
        if self._text is None:
            self._text = self._passage.text
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._passage, self._text = Passage(encoded(text)), text

    @property
    def passed_over(self) -> Iterator[LosscalcNote]:
        """The notes about lines that are no rows."""
        for count, what in ((self._passed, "blank line"), (self._comments, "line of #")):
            if count:
                lines = what.replace("line", "lines") if count > 1 else what
                yield LosscalcNote(f"passed over {count} {lines}", location=Location(self.name))

    def go_on(self) -> None:
        """Take the next piece in hand."""
        self._passage = next(self._passages, Passage(b"", self._end, self._end))
        self._text, self.line, self._end = None, self._passage.line, self._passage.end

    def parsed(self, parse: Callable[[Passage], Parsed]) -> Iterator[Parsed]:
        """What a function makes of the text at hand, and of each piece behind it, on threads."""
        # A passage with a name would be held to the end.
        begun = iter([Passage(self._passage.raw, self.line, self._end)] if self._passage.raw else [])
        passages = chain(begun, self._passages)
        self._passages = self._threads(lambda each: each._replace(parsed=parse(each)), passages)
        self._passage, self._text = Passage(), None
        self.go_on()
        while self._passage.raw:
            yield self._passage.parsed
            self.go_on()

    def skip_lines(self, count: int) -> None:
        """Drop lines from the front of the text."""
        while count and self.text:
            end = 0
            while count and end < len(self.text):
                end = self.text.index("\n", end) + 1
                self.line += 1
                count -= 1
            self.text = self.text[end:]
            if not self.text:
                self.go_on()

    def pass_top(self, delimiter: str | None) -> str:
        """Drop blank lines and lines of # from the front of the text; the last of these, without its #."""
        comment = ""
        top = _TOP_OF_TSV if delimiter == "\t" else _TOP
        # Most texts have none of them, and do without the pattern.
        while self.text and self.text[0] in "# \t\n":
            match = re.match(top, self.text)
            assert match is not None
            lines = match[0].split("\n")[:-1]
            comments = [line for line in lines if "#" in line]
            comment = comments[-1] if comments else comment
            self._blank += len(lines) - len(comments)
            self.line += len(lines)
            self.text = self.text[match.end() :]
            if self.text:
                break
            self.go_on()
        return comment.strip(" \t").removeprefix("#").strip(" \t")

    def check_no_rule(self) -> None:
        """Refuse a table that is drawn for the eye: its rules, and what stands below it, would be rows."""
        rule = find_rule(self.text)
        if rule is not None:
            raise FormatError(
                "the table is drawn for the eye",
                found=rule[1],
                location=Location(self.name, self.line + rule[0]),
                hint="export it as CSV, as psql --csv does",
            )

    def pass_mark(self) -> str | None:
        """Drop the line by which spreadsheets are told what separates cells; what it is, if there is one."""
        match = re.match(_MARK, self.text) if "sep=" in self.text[:5] else None
        if match is None:
            return None
        self.skip_lines(1)
        return match[1]

    def found_row(self) -> None:
        """Count the blank lines before a row as passed over."""
        self._passed, self._blank = self._passed + self._blank, 0

    def at_hand(self, most: int | None = None) -> list[Row]:
        """The rows at hand, and blank lines among them, but no more than so many."""
        return list(islice(self._each_at_hand(), most))

    def completed(self, names: list[str]) -> list[str]:
        """The names of a header above the rows at hand, after an empty one if all these have a cell more.

        So R writes the names of rows.
        """
        width = len(names) + 1
        first = next(iter(self.at_hand(1)), None)
        if first is None or len(first.cells) != width:
            return names
        rows = [row.cells for row in self.at_hand() if not row.is_blank]
        if any(len(cells) != width for cells in rows) or not any(cells[-1].strip() for cells in rows):
            return names
        # A comma may also stand within a number, but not where others are written with a point.
        is_sure = self.dialect.delimiter != "," or any(
            "." in cell and self.dialect.number(cell) is not None for cells in rows for cell in cells
        )
        return ["", *names] if is_sure else names

    def trailing(self, names: list[str]) -> int:
        """How many of the last columns, but not all, have no name and are empty in all the rows at hand."""
        most = 0
        while most < len(names) - 1 and not names[-1 - most].strip():
            most += 1
        for row in self.at_hand() if most else ():
            if len(row.cells) == len(names):
                most = next((back for back in range(most) if row.cells[-1 - back].strip()), most)
        return most

    def _each_at_hand(self) -> Iterator[Row]:
        """The rows at hand one by one; more is read while a quote is open at the end."""
        done = 0
        while True:
            try:
                for row in islice(self.dialect.rows(self.text, self.name, self.line), done, None):
                    yield row
                    done += 1
                return
            except OpenQuoteError as quote:
                more = next(self._passages, None)
                if more is None:
                    problem = "a quote is opened and never closed"
                    raise FormatError(problem, location=Location(self.name, quote.line)) from quote
                self.text, self._end = self.text + more.text, more.end

    def __iter__(self) -> Iterator[Row]:
        """The rows at hand, counting the lines between them."""
        line = self.line
        for row in self._each_at_hand():
            self._comments += row.line - line
            line = row.end
            if row.is_blank:
                self._blank += 1
                continue
            self.found_row()
            yield row
        self._comments += self._end - line
