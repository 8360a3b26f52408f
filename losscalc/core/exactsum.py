"""Sums that keep every digit, however many blocks they are added up from."""

import math
from dataclasses import dataclass

import numpy as np

from losscalc.core.array import FloatArray

# Every finite float64 is a whole number of 2^-1074, the smallest of them.
_UNIT_BITS = 1074
# Below it a sum of 2^40 numbers is no danger; above, numbers are halved 512 times, which is exact for
# those that are not small themselves.
_LARGEST = 2.0**980
_HALF_RANGE = 2.0**-512


@dataclass(frozen=True, slots=True)
class Sum:
    """An exact sum of float64 numbers: a whole number of 2^-1074, and what was not finite.

    Python's integers neither round nor overflow, so `+` is associative: partial sums give the
    same bits in whatever order they are merged.

    >>> float(Sum.of(1e308) + Sum.of(1e308) + Sum.of(-1e308))
    1e+308
    """

    units: int = 0
    special: float = 0.0

    @classmethod
    def of(cls, value: float) -> "Sum":
        """The sum of one number."""
        if not math.isfinite(value):
            return cls(0, value)
        numerator, denominator = value.as_integer_ratio()
        return cls(numerator << (_UNIT_BITS - denominator.bit_length() + 1))

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.units + other.units, self.special + other.special)

    def __float__(self) -> float:
        return quotient(self, Sum(1 << _UNIT_BITS))


EMPTY = Sum()
"""The sum of no numbers."""


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
    """The sum of an array, to the last digit.

    Adding and subtracting a power of two that dwarfs the whole sum cuts each number at one
    common bit. The high parts add up without any rounding, in whatever order, and what is left of the
    numbers is exact and 2^36 times smaller: it is cut again until nothing is left (Rump, Ogita and
    Oishi, "Accurate floating-point summation", 2008). Sums of other blocks of the same numbers
    are therefore the same, to the bit.
    """
    rest = values.reshape(-1)
    if rest.size == 0:
        return EMPTY
    peak = max(float(rest.max()), -float(rest.min()))
    if not math.isfinite(peak):
        finite = np.isfinite(rest)
        return total(rest[finite]) + Sum(special=sum(rest[~finite].tolist()))
    if peak > _LARGEST:
        large = np.abs(rest) > 1.0
        return Sum(total(rest[large] * _HALF_RANGE).units << 512) + total(rest[~large])
    units = 0
    size = rest.size.bit_length() + 1
    top = math.frexp(peak)[1]
    exponent = top + size
    while rest.size:
        cut = math.ldexp(1.0, exponent)
        high = rest + cut
        high -= cut
        units += Sum.of(float(high.sum())).units
        rest = rest - high
        # What is left is at most half of the last bit of the cut, and after two cuts it is left of few.
        exponent += size - 52
        if exponent < top - 40:
            rest = rest[np.flatnonzero(rest != 0)]
        elif not rest.any():
            break
    return Sum(units)
