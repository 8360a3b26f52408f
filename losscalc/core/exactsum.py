"""Exact sums of float64 numbers, and the text that they are saved as."""

import math
import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray, IndexArray

UNIT_BITS = 1074
"""Every finite float64 is a multiple of 2^-1074, the smallest positive one."""
# 2^40 numbers of at most this size can be cut without overflow. Larger numbers are multiplied by 2^-512
# first, which is exact for all above 1.
_LARGEST = 2.0**980
_SCALE_BITS = 512
# Low parts are added up in groups of at most 2^9, as larger ones have an exact sum less often; groups of less
# than 2^5 take as long as another cut. Of high parts, int64 holds the sum of 2^11.
_LEAST_BITS, _LOW_BITS, _HIGH_BITS = 5, 9, 11
# The last bit of numbers with this exponent is the unit.
_LEAST_EXPONENT = 52 - UNIT_BITS
# So many numbers take `math.fsum` as long as the passes over an array.
_FEW = 256

# The exponents that a saved sum may have; no sum of float64 numbers comes near the upper end.
_EXPONENTS = range(-UNIT_BITS, 4097)
_LONGEST_TEXT = 2048
_NUMBER = r"(-?)0x([0-9a-f]+)p([+-]\d{1,5})"
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Sum(NamedTuple):
    """An exact sum of float64 numbers: finite ones in `units` of 2^-1074, all others in `special`.

    Python's integers neither round nor overflow, so partial sums give the same bits in whatever order
    they are merged.

    >>> float(Sum.of(1e308) + Sum.of(1e308) + Sum.of(-1e308))
    1e+308
    """

    units: int = 0
    special: float = 0.0

    @classmethod
    def of(cls, value: float) -> "Sum":
        """The sum of one number."""
        return cls(_units(value)) if math.isfinite(value) else cls(0, value)

    @classmethod
    def whole(cls, value: int) -> "Sum":
        """The sum of one whole number, such as a count."""
        return cls(value << UNIT_BITS)

    def __add__(self, other: "Sum") -> "Sum":  # type: ignore[override]
        return Sum(self.units + other.units, self.special + other.special)

    def __float__(self) -> float:
        return quotient(self, Sum.whole(1))


EMPTY = Sum()


def _units(value: float) -> int:
    """A finite number in units of 2^-1074."""
    numerator, denominator = value.as_integer_ratio()
    return numerator << (UNIT_BITS + 1 - denominator.bit_length())


def quotient(numerator: Sum, denominator: Sum) -> float:
    """numerator / denominator, rounded once; division by zero as IEEE defines it.

    >>> quotient(Sum.of(1.0), Sum.of(3.0)), quotient(Sum(), Sum())
    (0.3333333333333333, nan)
    """
    if numerator.special != 0 or denominator.special != 0:
        above, below = (s.special or (-1.0 if s.units < 0 else 1.0) for s in (numerator, denominator))
        return above / below
    if denominator.units == 0:
        return math.nan if numerator.units == 0 else math.inf if numerator.units > 0 else -math.inf
    try:
        return numerator.units / denominator.units
    except OverflowError:
        return math.inf if (numerator.units > 0) == (denominator.units > 0) else -math.inf


def total(values: FloatArray) -> Sum:
    """The exact sum of an array.

    Adding and subtracting a power of two that exceeds every number cuts them all at the same bit. The high
    parts are multiples of that bit, and add up as integers. The low parts are exact too, and so small that
    they mostly add up without rounding, in any order; if not, they are cut in turn (after Rump, Ogita and
    Oishi, "Accurate floating-point summation", 2008).
    """
    rest = values.reshape(-1)
    if rest.size <= _FEW:
        return _few(rest.tolist())
    low, high = float(np.minimum.reduce(rest)), float(np.maximum.reduce(rest))
    peak = max(high, -low)
    if not 0.0 < peak <= _LARGEST:
        return _beyond(rest, peak)
    units = 0
    # All numbers are multiples of 2^last and at most 2^bound. Sums of 2^n of them are multiples, too, and at
    # most 2^(bound + n); what lies between the two has to fit into the 53 bits of a float64.
    last = max(math.frexp(_smallest(rest, low))[1] - 53, -UNIT_BITS)
    bound = math.frexp(peak)[1]
    while bound + _LEAST_BITS > last + 53:
        exponent = max(bound + 1, _LEAST_EXPONENT)
        above, rest = _cut(rest, exponent)
        units += above
        bound = exponent - 53
    bits = min(last + 53 - bound, _LOW_BITS)
    bound += rest.size.bit_length()
    if bound <= last + 53:
        # einsum adds up in half the time of `add.reduce`, and here any order gives the same.
        return Sum(units + _units(float(np.einsum("i->", rest))))
    sums = np.add.reduceat(rest, np.arange(0, rest.size, 1 << bits))
    if bound <= last + 63:
        # int64 has the bits for what float64 could only add up in groups.
        counts = np.ldexp(sums, -last).astype(np.int64)
        return Sum(units + (int(np.add.reduce(counts)) << (last + UNIT_BITS)))
    return Sum(units) + total(sums)


def _beyond(rest: FloatArray, peak: float) -> Sum:
    """The sum of numbers of which the largest is 0, or too large to be cut, or not finite."""
    if peak == 0.0:
        return EMPTY
    if not math.isfinite(peak):
        finite = np.isfinite(rest)
        return total(rest[finite]) + Sum(special=sum(rest[~finite].tolist()))
    large = np.abs(rest) > 1.0
    scaled = total(rest[large] * 2.0**-_SCALE_BITS)
    return Sum(scaled.units << _SCALE_BITS) + total(rest[~large])


def _few(numbers: list[float]) -> Sum:
    """The exact sum of a list: what its rounded sum lacks is again a sum, with the opposite of that one."""
    units = 0
    try:
        while math.isfinite(rounded := math.fsum(numbers)):
            if not rounded:
                return Sum(units)
            units += _units(rounded)
            numbers.append(-rounded)
    except (OverflowError, ValueError):
        pass  # A part of the sum is beyond float64, or there are infinities of both signs.
    return sum(map(Sum.of, numbers), Sum(units))


def _smallest(values: FloatArray, low: float) -> float:
    """The smallest magnitude of the numbers that are not 0; `low` is the lowest number."""
    if low < 0.0:
        values = np.abs(values)
        low = float(values.min())
    if low == 0.0:
        # The bits of positive numbers are integers in the same order; less 1, those of 0 are the largest.
        bits = values.view(np.uint64) - np.uint64(1)
        low = float((bits.min() + np.uint64(1)).view(np.float64))
    return low


def _cut(values: FloatArray, exponent: int) -> tuple[int, FloatArray]:
    """The sum of what numbers have above the last bit of 2^exponent, in units, and what they have below.

    The numbers are at most half of that power. Added to 1.5 of it, all get its exponent, and their bits count
    multiples of the last one. Beside those of 1.5 they are 2^51 at most, of which int64 can add up a group;
    that the sum of all bits overflows does not matter to the difference.
    """
    cut = math.ldexp(1.5, exponent)
    high = values + cut
    starts, sizes = _groups(values.size)
    counts = np.add.reduceat(high.view(np.int64), starts)
    # As an integer, 1.5·2^exponent is its exponent above 52 bits, of which the first stands for the half.
    counts -= sizes * ((exponent + 1023 << 52) + (1 << 51))
    high -= cut
    rest = np.subtract(values, high, out=high)
    return sum(counts.tolist()) << (exponent - 52 + UNIT_BITS), rest


@lru_cache(16)
def _groups(size: int) -> tuple[IndexArray, IndexArray]:
    """Where the groups begin in which int64 adds up so many numbers, and how many each has."""
    starts = np.arange(0, size, 1 << _HIGH_BITS)
    return starts, np.minimum(size - starts, 1 << _HIGH_BITS).astype(np.int64)


def exact_text(value: Sum) -> str:
    """A sum in hexadecimal, with all its digits, or `nan`, `inf` or `-inf`.

    >>> exact_text(Sum.of(6.0)), exact_text(Sum.of(1e16) + Sum.of(0.5)), exact_text(Sum.of(-math.inf))
    ('0x3p+1', '0x470de4df820001p-1', '-inf')
    """
    if value.special != 0:
        return str(float(value.special))
    units = abs(value.units)
    zeros = max(0, (units & -units).bit_length() - 1)
    exponent = zeros - UNIT_BITS if units else 0
    return f"{'-' if value.units < 0 else ''}0x{units >> zeros:x}p{exponent:+d}"


def read_exact(text: str) -> Sum | None:
    """The sum that `exact_text` wrote, or None if the text is anything else.

    >>> read_exact(exact_text(Sum.of(0.1))) == Sum.of(0.1), read_exact("0.1")
    (True, None)
    """
    if text in _WORDS:
        return Sum(special=_WORDS[text])
    found = re.fullmatch(_NUMBER, text, re.ASCII) if len(text) <= _LONGEST_TEXT else None
    if found is None or int(found[3]) not in _EXPONENTS:
        return None
    units = int(found[2], 16) << (int(found[3]) + UNIT_BITS)
    return Sum(-units if found[1] else units)
