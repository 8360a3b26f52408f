"""Tables of decimals, thousands of numbers at a time: each becomes the float64 nearest to what is written.

A decimal is w · 10^q with a whole number w. Eight digits that stand side by side are one uint64, and three
multiplications add up their places: the bytes of "12345678" become 12, 34, 56 and 78, then 1234 and 5678,
then the number. Up to 19 digits, w is exact. It is then rounded once, to the nearest float64:

* q = 0: the conversion of w is rounded correctly.
* w < 2^53 and -22 ≤ q < 0: w and 10^-q are float64 themselves, and their quotient is rounded correctly
  (Clinger).
* Else w = h + l exactly, and 10^q = p + r up to 2^-106. The product h · p is exact as m + e (Dekker), so
  that w · 10^q = m + c with c = e + h·r + l·p, up to an error below 2^-103 · m. Rounding is monotonic: where
  m + (c - b) and m + (c + b) with b = 2^-100 · m are the same float64, it is the nearest one.

What this does not decide (more digits, ties, extreme exponents, `nan`) goes to `parse_number`, one by one.
Every step is an array operation, during which other threads run.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, ArrayOf
from losscalc.core.domains import parse_number
from losscalc.inputs.limits import CELL
from losscalc.inputs.options import BLANKS

Letters = ArrayOf[np.uint8]
Places = ArrayOf[np.intp]
Flags = ArrayOf[np.bool_]
Whole = ArrayOf[np.uint64]

_NEWLINE, _BLANK, _PLUS, _MINUS, _POINT, _ZERO, _E = b"\n +-.0e"
_LOWER = 32

# Letters at a time: enough to make up for the calls of NumPy, and few enough for the cache.
_STEP = 1 << 17
# The longest run of digits that is read. It may end at the first letter: the text gets room before it.
_MOST = 24
_PAD = b"\n" * _MOST
_DIGITS = 19
# Of the decimals, those that JSON allows.
_JSON = r"(?a)[ \t]*-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?[ \t]*"

# Beyond, the error of a product would be subnormal, and lose bits.
_LARGEST_POWER = 250
_EXACT_POWER = 22
_EXACT_WHOLE = 1 << 53
_EXACT = np.array([10.0**n for n in range(_EXACT_POWER + 1)])
_VELTKAMP = 134217729.0  # 2^27 + 1 cuts a float64 in two halves of 26 bits.


def parse_table(
    text: str, delimiter: str, width: int, columns: list[int], *, json: bool = False
) -> Array | None:
    """The numbers in some columns of whole lines, or None where a cell is no number or lines differ.

    With `json`, only what JSON allows is a number: not 01, .5, 5., +1 or nan.
    """
    if not text.isascii() or '"' in text or delimiter.isalnum() or delimiter in "+-.":
        return None
    parts = []
    start = 0
    while start < len(text):
        stop = text.rfind("\n", start, start + _STEP) + 1 or text.index("\n", start) + 1
        if stop - start > CELL and _has_long_cell(text[start:stop], delimiter):
            return None
        part = _Part(squeezed(text[start:stop].encode(), delimiter), ord(delimiter), json)
        cells = part.cells(width, columns)
        values = None if cells is None else part.values(cells)
        if values is None:
            return None
        parts.append(values)
        start = stop
    return np.concatenate(parts).reshape(-1, len(columns))


def _has_long_cell(text: str, delimiter: str) -> bool:
    """Whether a cell is longer than the csv module allows."""
    if delimiter == BLANKS:
        return False
    letters = np.frombuffer(text.encode(), np.uint8)
    ends = np.flatnonzero((letters == ord(delimiter)) | (letters == _NEWLINE))
    return bool(np.diff(ends, prepend=-1).max() > CELL + 1)


def squeezed(raw: bytes, delimiter: str) -> bytes:
    """The text without the blanks around cells; between cells, a run of blanks becomes one."""
    if delimiter != "\t":
        raw = raw.replace(b"\t", b" ")
    if b" " not in raw:
        return raw
    letters = np.frombuffer(b"\n" + raw, np.uint8)
    is_blank = letters == _BLANK
    # Runs of blanks start and end in turn, between letters, as there is a line end on both sides.
    edges = np.flatnonzero(is_blank[1:] != is_blank[:-1])
    before, behind = letters[edges[::2]], letters[edges[1::2] + 1]
    is_outer = (before == _NEWLINE) | (behind == _NEWLINE)
    if delimiter != BLANKS:
        is_outer |= (before == ord(delimiter)) | (behind == ord(delimiter))
    kept = ~is_blank
    kept[edges[::2][~is_outer] + 1] = True
    return bytes(letters[1:][kept[1:]])


class _Cells(NamedTuple):
    """Where cells start and stop, and which mark is the first behind the start, and which the last."""

    starts: Places
    stops: Places
    first: Places
    last: Places


class _Numbers(NamedTuple):
    """Numbers as w · 10^q with the sign apart; where `sure` is false they may be wrong."""

    whole: Whole
    power: Places | None
    minus: Flags | None
    sure: Flags


class _Part:
    """Some lines of a text. Its marks are all characters that are no digits."""

    def __init__(self, raw: bytes, separator: int, json: bool) -> None:
        self._separator = separator
        self._json = json
        self._padded = _PAD + raw
        self._letters = np.frombuffer(self._padded, np.uint8)[_MOST:]
        self._marks: Places = np.flatnonzero(self._letters - np.uint8(48) > 9)
        self._kinds: Letters = self._letters[self._marks]
        self._has = self._kinds.tobytes()

    def cells(self, width: int, columns: list[int]) -> _Cells | None:
        """The cells of some columns, or None where a line has more or fewer than there are columns."""
        ends = np.flatnonzero((self._kinds == self._separator) | (self._kinds == _NEWLINE))
        if len(ends) % width:
            return None
        last = ends.reshape(-1, width)
        kinds = self._kinds[last]
        if (kinds[:, -1] != _NEWLINE).any() or (kinds[:, :-1] == _NEWLINE).any():
            return None
        first = np.concatenate([[0], ends[:-1] + 1]).reshape(-1, width)
        stops = self._marks[last]
        starts = np.concatenate([[0], stops.ravel()[:-1] + 1]).reshape(-1, width)
        if columns == list(range(width)):
            return _Cells(starts.ravel(), stops.ravel(), first.ravel(), last.ravel())
        return _Cells(*(each[:, columns].ravel() for each in (starts, stops, first, last)))

    def values(self, cells: _Cells) -> Array | None:
        """The numbers in cells, or None if one of them is no number."""
        is_plain = (cells.first == cells.last).all()
        numbers = self._integers(cells) if is_plain else self._decimals(cells)
        values, sure = _nearest(numbers.whole, numbers.power, numbers.sure)
        if numbers.minus is not None:
            values *= 1.0 - 2.0 * numbers.minus
        for cell in np.flatnonzero(~sure):
            text = self._padded[_MOST + cells.starts[cell] : _MOST + cells.stops[cell]].decode()
            number = _spelled(text)
            if number is None or (self._json and not re.fullmatch(_JSON, text)):
                return None
            values[cell] = number
        return values

    def _integers(self, cells: _Cells) -> _Numbers:
        """The numbers of cells that are digits and nothing else."""
        length = cells.stops - cells.starts
        whole, sure = self._run(cells.stops, length)
        if self._json:
            sure &= (self._letters[cells.starts] != _ZERO) | (length == 1)
        return _Numbers(whole, None, None, sure)

    def _decimals(self, cells: _Cells) -> _Numbers:
        """The numbers of cells with a sign, a point or an exponent, which are looked for in this order."""
        starts, mark, minus = cells.starts, cells.first, None
        if b"-" in self._has or b"+" in self._has:
            kinds = self._kinds[mark]
            minus = kinds == _MINUS
            signed = (minus | (kinds == _PLUS)) & (self._marks[mark] == starts)
            starts, mark = starts + signed, mark + signed
        pointed = self._kinds[mark] == _POINT
        points = self._marks[mark]
        mark = mark + pointed
        stops = self._marks[mark]
        fraction = stops - points - pointed
        whole, sure = self._mantissa(starts, points, stops, fraction)
        if self._json:
            sure &= (self._letters[starts] != _ZERO) | (points - starts == 1)
            sure &= (points > starts) & (~pointed | (fraction > 0)) & (self._letters[cells.starts] != _PLUS)
        power = -fraction
        if b"e" in self._has or b"E" in self._has:
            powered = np.flatnonzero((self._kinds[mark] | _LOWER) == _E)
            exponents, known, mark[powered] = self._exponents(mark[powered] + 1)
            power[powered] += exponents
            sure[powered] &= known
        sure &= mark == cells.last
        return _Numbers(whole, power, minus, sure)

    def _mantissa(
        self, starts: Places, points: Places, stops: Places, fraction: Places
    ) -> tuple[Whole, Flags]:
        """The digits before and after the points as one whole number."""
        length = points - starts
        whole, is_whole = self._run(points, length)
        rest, is_rest = self._run(stops, fraction)
        # Zeros at the front do not count as digits: 0.00012345678901234567 has 17 of them.
        fits = (length + fraction <= _DIGITS) | ((whole == 0) & is_rest)
        whole = whole * _SHIFTS[np.minimum(fraction, _DIGITS)] + rest
        sure = fits & (is_whole | (length == 0)) & (is_rest | (fraction == 0)) & (length + fraction > 0)
        return whole if sure.all() else np.where(sure, whole, np.uint64(0)), sure

    def _exponents(self, mark: Places) -> tuple[Places, Flags, Places]:
        """The exponents after an e, whether they are known, and the marks that they end at."""
        starts = self._marks[mark - 1] + 1
        kinds = self._kinds[mark]
        minus = kinds == _MINUS
        signed = (minus | (kinds == _PLUS)) & (self._marks[mark] == starts)
        mark = mark + signed
        stops = self._marks[mark]
        length = stops - starts - signed
        whole, known = self._run(stops, length)
        exponents = np.minimum(whole, 9999).astype(np.intp)
        return np.where(minus, -exponents, exponents), known, mark

    def _run(self, stops: Places, lengths: Places) -> tuple[Whole, Flags]:
        """The whole numbers that end at some places; known are those of 1 to 24 digits and below 10^19."""
        most = int(lengths.max(initial=1))
        known = lengths > 0
        if most == 1:
            # Where there is no digit, the letter is of something else: times 0.
            return (self._letters[stops - 1] & 15).astype(np.uint64) * known, known
        count = min((most + 7) // 8, _MOST // 8)
        words = self._words(stops, count)
        if most > _MOST:
            known &= lengths <= _MOST
            lengths = np.where(known, lengths, 0)
        words &= _MASKS[count][lengths]
        for factor, shift, mask in _FOLDS:
            words *= factor
            words >>= shift
            words &= mask
        whole = words[:, 0]
        if count == 3:
            known &= whole < 1000
        for place in range(1, count):
            whole = whole * _EIGHT + words[:, place]
        return whole, known

    def _words(self, stops: Places, count: int) -> Whole:
        """The letters before some places, eight in a word."""
        size = 8 * count
        # A view that begins at every letter: indexing it copies the words that are wanted, aligned or not.
        windows = np.ndarray(len(self._padded) - size + 1, f"V{size}", self._padded, 0, (1,))
        return windows[stops + (_MOST - size)].view("<u8").reshape(-1, count)


def _masks(count: int) -> Whole:
    """For each number of digits, the mask that turns their letters into 0 to 9 and those before into 0."""
    letters = [b"\0" * (8 * count - length) + b"\x0f" * length for length in range(8 * count + 1)]
    return np.frombuffer(b"".join(letters), "<u8").reshape(-1, count)


def _nearest(whole: Whole, power: Places | None, sure: Flags) -> tuple[Array, Flags]:
    """The float64 nearest to each w · 10^q; where that is not certain, `sure` is false."""
    if power is None:
        return whole.astype(np.float64), sure
    smallest, largest = power.min(initial=0), power.max(initial=0)
    if smallest >= -_EXACT_POWER and largest <= 0 and (whole < _EXACT_WHOLE).all():
        return whole.astype(np.float64) / _EXACT[-power], sure
    within = np.abs(power) <= _LARGEST_POWER
    if not within.all():
        sure = sure & within
        power = np.where(within, power, 0)
    values, is_nearest = _product(whole, power)
    return values, sure & is_nearest


def _product(whole: Whole, power: Places) -> tuple[Array, Flags]:
    """w · 10^q rounded once, and whether that is certain."""
    high = whole.astype(np.float64)
    low = (whole - high.astype(np.uint64)).view(np.int64).astype(np.float64)
    factor, upper, lower, rest = _powers()[:, power + _LARGEST_POWER]
    main = high * factor
    split = high * _VELTKAMP
    left = split - (split - high)
    right = high - left
    error = ((left * upper - main) + left * lower + right * upper) + right * lower
    error += high * rest + low * factor
    bound = main * 2.0**-100
    values = main + (error - bound)
    return values, values == main + (error + bound)


@cache
def _powers() -> Array:
    """Powers of ten as p + r: rows of p, the two halves of p, whose products are exact, and r."""
    rows = []
    for power in range(-_LARGEST_POWER, _LARGEST_POWER + 1):
        over, under = 10 ** max(power, 0), 10 ** max(-power, 0)
        factor = over / under
        top, bottom = factor.as_integer_ratio()
        split = factor * _VELTKAMP
        upper = split - (split - factor)
        rows.append((factor, upper, factor - upper, (over * bottom - top * under) / (bottom * under)))
    return np.array(rows).T.copy()


# Words such as nan come again and again.
_spelled = lru_cache(64)(parse_number)
_MASKS = {count: _masks(count) for count in (1, 2, 3)}
# Each fold adds up neighbours, the left one times the base: of digits, of pairs, of fours.
_FOLDS = tuple(
    (np.uint64(base * (1 << bits) + 1), np.uint64(bits), np.uint64(mask))
    for base, bits, mask in (
        (10, 8, 0x00FF00FF00FF00FF),
        (100, 16, 0x0000FFFF0000FFFF),
        (10_000, 32, 0x00000000FFFFFFFF),
    )
)
_EIGHT = np.uint64(10**8)
_SHIFTS = np.array([10**n for n in range(_DIGITS + 1)], np.uint64)
