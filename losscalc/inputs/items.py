"""A JSON document that is read a piece of its text at a time, and the items of a list in it."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import FormatError, Location, counted, printable
from losscalc.inputs.cells import EXACT
from losscalc.inputs.decimals import parse_table
from losscalc.inputs.document import (
    DuplicateKeyError,
    Number,
    decoder,
    key_twice,
    not_json,
    too_deep,
    too_heavy,
    weight,
)
from losscalc.inputs.limits import HELD, too_large
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Lines

BLANKS = " \t\r\n"
_BLANK_RUN = re.compile(f"[{BLANKS}]*")
# What is found wrong within so many characters of the end of the text at hand may be right in the whole text.
_NEAR = 16
_LONG = 1 << 21
_WIDE = 1 << 16
_BEHIND = {"[": "]", "{": "}"}
_TRIES = 4


class Chunks:
    """The text of a document, a piece at a time, within the limit of what is read."""

    def __init__(self, stream: Stream, encoding: str) -> None:
        self.most = stream.most(HELD)
        self._name = stream.name
        self._lines = Lines(stream, encoding, is_table=False)
        self._size = 0
        if (stream.size or 0) > self.most:
            raise self._excess()

    def __iter__(self) -> Iterator[str]:
        while text := self._lines.chunk():
            self._size += len(text) if text.isascii() else len(text.encode())
            if self._size > self.most:
                raise self._excess()
            yield text

    def _excess(self) -> FormatError:
        return too_large("the JSON document has", self.most, Location(self._name))


def within(chunks: Iterator[str], most: int) -> tuple[list[str], bool]:
    """The pieces of a text as far as what they hold fits into memory, and whether that is all of them."""
    pieces: list[str] = []
    load = _Load()
    for piece in chunks:
        pieces.append(piece)
        if load.add(piece) > most and len(pieces) > 1:
            return pieces, False
    return pieces, True


class _Load:
    """How much memory a text and the document in it take, of which pieces come one after the other."""

    def __init__(self) -> None:
        self._weight, self._length, self._width = 0, 0, 1

    def add(self, piece: str) -> int:
        """The bytes that all pieces take together."""
        self._weight += weight(piece)
        self._length += len(piece)
        # One character beyond Latin-1 makes all others take as many bytes.
        if not piece.isascii():
            self._width = max(self._width, min(4, piece.__sizeof__() // len(piece)))
        return self._weight + 2 * self._length * (self._width - 1)


class Scanner:
    """The text of a document from one place on, of which as much is held as the value there takes."""

    def __init__(self, name: str, chunks: Iterator[str], number: Number, most: int) -> None:
        self._name = name
        self._chunks = chunks
        self._most = most
        self._decoder = decoder(number)
        self._is_exact = number is not float
        self._text, self._at = "", 0
        self._before = (0, 0)
        """How many lines are before the text at hand, and how many characters of its first line."""
        self._open: list[Iterator[Any]] = []
        """What is left of the lists and objects that were entered."""

    def enter(self, steps: Sequence[str], location: Location) -> None:
        """Go to the value that steps lead to."""
        for step in steps:
            start = self.peek()
            keys: list[str] = []
            if start == "{":
                self._open.append(self._members(keys))
            elif start == "[" and step.isdecimal():
                self._open.append(self._each(keys))
            else:
                problem = "neither an object nor a list with such a member"
                raise FormatError(problem, found=step, location=location)
            for key in self._open[-1]:
                if key == step:
                    break
                self.skip()
            else:
                if start == "[":
                    problem = f"the list has {counted(len(keys), 'item')}"
                    raise FormatError(problem, found=step, location=location)
                known = printable(f"there are {', '.join(keys[:20])}") if keys else None
                raise FormatError("there is no such member", found=step, location=location, hint=known)

    def items(self) -> Iterator[list[Any] | Array]:
        """The items of the list that begins here, some at a time, as an array if all of them are numbers."""
        self._at += 1
        if self.peek() == "]":
            self._at += 1
            return
        is_quick = True
        while True:
            batch = self._at_hand() if is_quick else None
            is_quick = batch is not None
            if batch is not None and len(batch):
                yield batch
                self.peek()
                continue
            items, text = [], self._text
            while self._text is text:
                items.append(self.value())
                if self._mark(",]") == "]":
                    yield items
                    return
                self.peek()
            yield items

    def finish(self) -> None:
        """Read what follows the value, to the end of the document."""
        while self._open:
            for _ in self._open.pop():
                self.skip()
        if self.peek():
            raise self._wrong("Extra data")

    def peek(self) -> str:
        """The next character that is no blank; '' at the end."""
        while True:
            blanks = _BLANK_RUN.match(self._text, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def value(self) -> Any:
        """The value that begins here."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_open = error.pos > len(self._text) - _NEAR or error.msg.startswith("Unterminated string")
                if not (is_open and self._read_on()):
                    self._at = error.pos
                    raise self._wrong(error.msg) from error
            except RecursionError as error:
                raise too_deep(self._location()._replace(column=None)) from error
            except DuplicateKeyError as error:
                raise key_twice(str(error), self._location()._replace(column=None)) from error
            else:
                # A number may go on behind the end of the text.
                if end < len(self._text) - _NEAR or not self._read_on():
                    self._at = end
                    return value
                continue

    def skip(self) -> None:
        """Pass over a value."""
        match self.peek():
            case "[":
                for _ in self.items():
                    pass
            case "{":
                for _ in self._members([]):
                    self.skip()
            case _:
                self.value()

    def _members(self, keys: list[str]) -> Iterator[str]:
        """The keys of the object that begins here; the value of each is to be read before the next."""
        known: set[str] = set()
        self._at += 1
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                raise self._wrong("Expecting property name enclosed in double quotes")
            key = self.value()
            if key in known:
                raise key_twice(key, self._location()._replace(column=None))
            known.add(key)
            keys.append(key)
            self._mark(":")
            self.peek()
            yield key
            if self._mark(",}") == "}":
                return

    def _each(self, keys: list[str]) -> Iterator[str]:
        """The indices of the items of the list that begins here; each item is to be read before the next."""
        self._at += 1
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            self.peek()
            keys.append(str(len(keys)))
            yield keys[-1]
            if self._mark(",]") == "]":
                return

    def _at_hand(self) -> list[Any] | Array | None:
        """The items that are at hand as a whole; None if a quick look does not tell where they end."""
        first = self._text[self._at : self._at + 1]
        behind = _BEHIND.get(first, "")
        stop = len(self._text)
        for _ in range(_TRIES):
            stop = self._text.rfind(f"{behind},", self._at, stop) + len(behind)
            if stop <= self._at:
                return []
            text = self._text[self._at : stop]
            if not behind or text.count(first) == text.count(behind):
                break
        items: list[Any] | Array | None = plain_items(f"[{text}]") if first != "{" else None
        if items is None or (self._is_exact and is_inexact(np.asarray(items))):
            try:
                items = self._decoder.decode(f"[{text}]")
            except (json.JSONDecodeError, RecursionError, DuplicateKeyError):
                return None
        self._at = stop + 1
        return items

    def _mark(self, marks: str) -> str:
        """Step over the next character, which has to be one of these."""
        mark = self.peek()
        if not mark or mark not in marks:
            raise self._wrong(f"Expecting {marks[0]!r} delimiter")
        self._at += 1
        return mark

    def _read_on(self) -> bool:
        """Drop the text before this place, and read as much as is left, or more."""
        passed, rest = self._text[: self._at], [self._text[self._at :]]
        wanted, fresh, load = len(rest[0]), 0, _Load()
        is_long = wanted > _LONG and bool(load.add(rest[0]))
        while not fresh or fresh < wanted:
            piece = next(self._chunks, "")
            if not piece:
                break
            rest.append(piece)
            fresh += len(piece)
            if is_long and load.add(piece) > self._most:
                raise too_heavy(self._most, self._location()._replace(column=None))
        if not fresh:
            return False
        lines, column = self._before
        ends = passed.count("\n")
        self._before = lines + ends, len(passed) - passed.rfind("\n") - 1 if ends else column + len(passed)
        self._text, self._at = "", 0
        self._text = "".join(rest)
        return True

    def _location(self) -> Location:
        """Where this place is."""
        lines, column = self._before
        before = self._text[: self._at]
        ends = before.count("\n")
        column = len(before) - before.rfind("\n") if ends else column + len(before) + 1
        return Location(self._name, lines + ends + 1, column)

    def _wrong(self, problem: str) -> FormatError:
        return not_json(problem, self._location())


def plain_items(text: str) -> Array | None:
    """The array of a list of numbers, or of flat lists of numbers; None if the text is anything else."""
    text = text.strip(BLANKS).replace("\n", " ")
    if text.startswith("[[") and text.endswith("]]"):
        # Any other bracket ends up in a cell, which is then not a number.
        return plain_table(text[2:-2].replace("], [", "\n").replace("],[", "\n") + "\n")
    if text.startswith("[") and text.endswith("]"):
        values = parse_table(text[1:-1].replace(",", "\n") + "\n", ",", 1, [0], json=True)
        return None if values is None else values[:, 0]
    return None


def plain_table(table: str) -> Array | None:
    """The matrix of lines of numbers as JSON writes them; None if they are anything else."""
    width = table.count(",", 0, table.index("\n")) + 1
    if width < _WIDE:
        return parse_table(table, ",", width, list(range(width)), json=True)
    rows = table.split("\n")[:-1]
    if any(row.count(",") != width - 1 for row in rows):
        return None
    values = parse_table(table.replace(",", "\n"), ",", 1, [0], json=True)
    return None if values is None else values.reshape(len(rows), width)


def is_inexact(values: Array) -> bool:
    """Whether some numbers are so large that float64 may lack digits of them."""
    return not (np.abs(values) < EXACT).all()
