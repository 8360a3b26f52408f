"""Tables of decimals, thousands of numbers at a time: each becomes the float64 nearest to what is written.

A decimal is w · 10^q with a whole number w. Eight digits that stand side by side are one uint64, and three
multiplications add up their places: the bytes of "12345678" become 12, 34, 56 and 78, then 1234 and 5678,
then the number. Up to 19 digits, w is exact; w · 10^q is rounded once, in `powers`.

What this does not decide (more digits, ties, extreme exponents, `nan`) goes to `parse_number`, one by one.
Every step is an array operation, during which other threads run.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import parse_number
from losscalc.inputs.cache import encoded
from losscalc.inputs.grid import MOST, WORD, Flags, Grid, Places, Words, squeezed
from losscalc.inputs.limits import CELL
from losscalc.inputs.options import BLANKS
from losscalc.inputs.powers import nearest

_Numbers = tuple[Words, Places | None, Flags]
"""Numbers as w · 10^q: w, q if it is not 0, and where they are sure; elsewhere they may be wrong."""

_PLUS, _MINUS, _POINT, _ZERO = b"+-.0"
_BEYOND_ASCII = 128

# Cells at a time: so many that array operations take long beside the change from one thread to another, of
# which only one at a time runs Python, and so few that the arrays stay small.
_STEP = 1 << 18
_SAMPLE = 1 << 12
_DIGITS = 19
# So many cells show what a column looks like.
_FIRST = 8
# Of the decimals, those that JSON allows.
_JSON = r"(?a)[ \t]*-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?[ \t]*"


def parse_table(
    text: str, delimiter: str, width: int, columns: list[int], *, json: bool = False
) -> Array | None:
    """The numbers in some columns of whole lines, or None where a cell is no number or lines differ.

    With `json`, only what JSON allows is a number: not 01, .5, 5., +1 or nan.
    """
    return numbers(cut(encoded(text), delimiter, width), columns, json=json)


def cut(raw: bytes, delimiter: str, width: int) -> Iterator[Grid | None]:
    """The cells of whole lines; None where lines differ, or only a closer look tells where cells end."""
    # bytes.isascii takes longer, and lets no other thread run.
    is_ascii = delimiter.isascii() and (not raw or np.frombuffer(raw, np.uint8).max() < _BEYOND_ASCII)
    if not is_ascii or b'"' in raw or delimiter.isalnum() or delimiter in "+-.":
        yield None
        return
    start, length = 0, _length(raw, delimiter.encode())
    while start < len(raw):
        stop = raw.rfind(b"\n", start, start + _STEP * length) + 1 or raw.index(b"\n", start) + 1
        is_long = _has_long_cell(raw, start, stop, delimiter)
        yield None if is_long else Grid.of(squeezed(raw[start:stop], delimiter), delimiter, width)
        start = stop


def numbers(grids: Iterable[Grid | None], columns: list[int], *, json: bool = False) -> Array | None:
    """The numbers in some columns, or None where a cell is no number, or not known."""
    parts = []
    for grid in grids:
        values = None if grid is None else _Numerals(grid, columns, json).values()
        if values is None:
            return None
        parts.append(values)
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)).reshape(-1, len(columns))


def _length(raw: bytes, delimiter: bytes) -> int:
    """About how many letters a cell has, with what separates it from the next."""
    sample = raw[:_SAMPLE]
    return len(sample) // max(1, sample.count(delimiter) + sample.count(b"\n"))


def _has_long_cell(raw: bytes, start: int, stop: int, delimiter: str) -> bool:
    """Whether a cell of some lines is longer than the csv module allows."""
    while stop - start > CELL and delimiter != BLANKS:
        end = max(raw.rfind(mark, start, start + CELL + 1) for mark in (delimiter.encode(), b"\n"))
        if end < 0:
            return True
        start = end + 1
    return False


class _Numerals:
    """The cells of some columns of a grid.

    They are read as what the first of them look like, and those that are something else as the next more
    general: digits alone, decimals, decimals with exponents, and what `parse_number` knows besides.
    """

    def __init__(self, grid: Grid, columns: list[int], json: bool) -> None:
        self._grid = grid
        self._letters = grid.letters
        self._json = json
        self._starts, self._stops = grid.cells(columns)

    def values(self) -> Array | None:
        """The numbers in the cells, or None if one of them is no number."""
        # Columns of words are many, and this tells them from most others.
        if parse_number(self._text(self._starts[0], self._stops[0])) is None:
            return None
        starts, minus = self._behind_signs()
        first = "".join(map(self._text, starts[:_FIRST], self._stops[:_FIRST])).lower()
        kind = 0 if first.isdigit() else 2 if "e" in first else 1
        values, sure = self._read(starts, self._stops, kind)
        if minus is not None:
            values *= 1.0 - 2.0 * minus
        for cell in np.flatnonzero(~sure):
            text = self._text(self._starts[cell], self._stops[cell])
            number = _spelled(text)
            if number is None or (self._json and not re.fullmatch(_JSON, text)):
                return None
            values[cell] = number
        return values

    def _text(self, start: int, stop: int) -> str:
        return self._letters[start:stop].tobytes().decode()

    def _behind_signs(self) -> tuple[Places, Flags | None]:
        """Where the cells start behind their signs, and which of these are minus."""
        raw = self._grid.raw
        if b"-" not in raw and b"+" not in raw:
            return self._starts, None
        letters = self._letters[self._starts]
        if letters.min() >= _ZERO:
            return self._starts, None
        minus = letters == _MINUS
        # JSON has no numbers with a plus.
        signed = minus if self._json else minus | (letters == _PLUS)
        return self._starts + signed, minus

    def _read(self, starts: Places, stops: Places, kind: int) -> tuple[Array, Flags]:
        """The numbers in cells behind signs, and which of them are certain."""
        read, *others = (self._integers, self._decimals, self._scientific)[kind:]
        values, sure = nearest(*read(starts, stops))
        for read in others:
            rows = np.flatnonzero(~sure)
            if len(rows):
                values[rows], sure[rows] = nearest(*read(starts[rows], stops[rows]))
        return values, sure

    def _integers(self, starts: Places, stops: Places) -> _Numbers:
        """The numbers of cells that are digits and nothing else."""
        length = stops - starts
        whole, sure = self._digits(stops, length)
        sure &= length > 0
        if self._json:
            sure &= (self._letters[starts] != _ZERO) | (length == 1)
        return whole, None, sure

    def _decimals(self, starts: Places, stops: Places) -> _Numbers:
        """The numbers of cells of digits, with a point or without."""
        points = self._points(starts, stops)
        pointed = points < stops
        length, fraction = points - starts, stops - points - pointed
        whole, sure = self._digits(points, length)
        rest, is_rest = self._digits(stops, fraction)
        digits = length + fraction
        # Zeros at the front do not count as digits: 0.00012345678901234567 has 17 of them.
        sure &= is_rest & (digits > 0) & ((digits <= _DIGITS) | (whole == 0))
        if self._json:
            sure &= (self._letters[starts] != _ZERO) | (length == 1)
            sure &= (length > 0) & (~pointed | (fraction > 0))
        whole *= _SHIFTS.take(np.minimum(fraction, _DIGITS))
        whole += rest
        return whole, -fraction, sure

    def _scientific(self, starts: Places, stops: Places) -> _Numbers:
        """The numbers of decimals, with exponents or without."""
        marks = self._marks(starts, stops)
        whole, power, sure = self._decimals(starts, marks)
        powered = marks < stops
        letters = self._letters[marks + powered]
        minus = powered & (letters == _MINUS)
        length = stops - marks - powered - (minus | (powered & (letters == _PLUS)))
        exponent, known = self._digits(stops, length)
        sure &= known & (powered == (length > 0))
        signed = np.minimum(exponent, 9999).astype(np.intp) * (1 - 2 * minus)
        return whole, signed if power is None else power + signed, sure

    def _points(self, starts: Places, stops: Places) -> Places:
        """Where the points are in cells; where these stop if there is none near their start."""
        # Most numbers have one digit before the point.
        points = starts + 1
        rows = np.flatnonzero(self._letters[points] != _POINT)
        points[rows] = found = starts[rows]
        for _ in range(MOST if len(rows) else 0):
            behind = _first(self._grid.behind(found) ^ _POINTS)
            points[rows] = found = found + behind
            goes_on = (behind == WORD) & (found < stops[rows])
            rows, found = rows[goes_on], found[goes_on]
        points[rows] = stops[rows]
        return np.minimum(points, stops, out=points)

    def _marks(self, starts: Places, stops: Places) -> Places:
        """Where the e is among the last letters of cells; where these stop if there is none."""
        words = (self._grid.before(stops, 1) | _LOWER) ^ _MARKS
        # What stands before a cell is none of its letters.
        words |= ~_MASKS[WORD * (MOST - 1) :].take(np.minimum(stops - starts, WORD))
        return stops - WORD + _first(words)

    def _digits(self, stops: Places, lengths: Places) -> tuple[Words, Flags]:
        """The numbers that the digits before some places make up, and whether these are digits, 19 at most.

        Where there are none, that is 0.
        """
        most = int(lengths.max(initial=1))
        if most == 1:
            digits = (self._letters[stops - 1] - np.uint8(_ZERO)) * (lengths > 0)
            return digits.astype(np.uint64), digits <= 9
        count = min(-(-most // WORD), MOST)
        known = lengths <= WORD * MOST
        if most > WORD * MOST:
            lengths = lengths * known
            if not lengths.any():
                return np.zeros(len(stops), np.uint64), known
        words = self._grid.before(stops, count).reshape(-1, count)
        whole = words[:0, 0]
        # Word by word, as arrays of all of them would not fit into the cache.
        for place in range(count):
            word = words[:, place] ^ _ZEROS
            word &= _MASKS[WORD * (MOST - count + place) :].take(lengths)
            others = word + _BEYOND
            others |= word
            if np.bitwise_or.reduce(others) & _TOPS:
                known &= others & _TOPS == 0
            number = _folded(word)
            whole = whole * _EIGHT + number if place else number
            if count == MOST and not place:
                known &= number < 1000
        return whole, known


def _folded(words: Words) -> Words:
    """What eight digits, each as a letter, are as one number."""
    for factor, shift, mask in _FOLDS:
        words *= factor
        words >>= shift
        words &= mask
    words *= _LAST_FACTOR
    words >>= _LAST_SHIFT
    return words


def _first(words: Words) -> Places:
    """Which letter of each word is the first that is 0; 8 if none is."""
    # The first 0 borrows from its top bit; what that makes of the letters behind it does not matter.
    hits = (words - _ONES) & ~words & _TOPS
    return (np.bitwise_count((hits - _ONE) & ~hits) >> 3).astype(np.intp)


def _mask(length: int) -> bytes:
    """What keeps so many of the last letters of a word and turns those before into 0."""
    length = min(max(length, 0), WORD)
    return b"\0" * (WORD - length) + b"\xff" * length


def _eight(letter: int) -> np.uint64:
    """A word of a letter."""
    return np.uint64(letter * 0x0101010101010101)


# Words such as nan come again and again.
_spelled = lru_cache(64)(parse_number)
# By how many letters count: the last of so many words, and behind the first of these, the word before it.
_MASKS = np.frombuffer(b"".join(map(_mask, range(-WORD * (MOST - 1), WORD * MOST + 1))), "<u8")
_ONE = np.uint64(1)
_ONES, _ZEROS, _POINTS, _LOWER, _MARKS = map(_eight, b"\x010. e")
# A letter beyond 9 gets the top bit when this is added.
_BEYOND, _TOPS = _eight(0x80 - 10), _eight(0x80)
# Each fold adds up neighbours, the left one times the base: of digits, of pairs, of fours.
_FOLDS = tuple(
    (np.uint64(base * (1 << bits) + 1), np.uint64(bits), np.uint64(mask))
    for base, bits, mask in (
        (10, 8, 0x00FF00FF00FF00FF),
        (100, 16, 0x0000FFFF0000FFFF),
    )
)
_LAST_FACTOR, _LAST_SHIFT = np.uint64(10_000 * (1 << 32) + 1), np.uint64(32)
_EIGHT = np.uint64(10**8)
_SHIFTS = np.array([10**n for n in range(_DIGITS + 1)], np.uint64)
