"""How much an expected number tells: its digits, and how likely some hypothesis meets it by chance."""

import math
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array

# A coincidence may be as likely as this, for so few digits or for so many; in proportion between.
_FEW, _MANY = (4, 1 / 200), (7, 1 / 5000)
# The noise of float32, in which most numbers are computed.
_NOISE = 1e-6
# A whole number that was typed without a point is known as well as this.
_WHOLE = 0.005
# The density of values is that within so many times the number.
_AROUND = 1.0
# Nothing is known to be rarer than half of one.
_LEAST = 0.5
# Values are the same up to rounding, relative to the number.
_SAME = 1e-9
# What changes the value by less than this share of the difference that is to be explained could not do so.
_SLIGHT = 0.1
# Numbers that are not tried one by one are counted by tenths of bits.
_TENTHS = 400


class Expected(NamedTuple):
    """An expected number, how many digits of it were typed, and how far off a value may be."""

    value: float
    digits: int
    half_unit: float
    """Half a unit of the last digit, or 0 of a whole number, which is typed as short as it is."""
    grain: float
    """How well the number is known, by what was typed."""
    rtol: float = _NOISE

    @classmethod
    def typed(cls, text: str, rtol: float | None = None, atol: float | None = None) -> "Expected":
        """The number that was typed; tolerances take the place of its digits.

        >>> Expected.typed("0.18").tolerance, Expected.typed("12").tolerance
        (0.005, 1.2e-05)
        """
        mantissa, _, exponent = text.strip().lower().lstrip("+-").replace("_", "").partition("e")
        plain = mantissa.replace(".", "")
        decimals = len(mantissa.partition(".")[2])
        has_point = "." in mantissa and plain.isdigit()
        unit = 10.0 ** (int(exponent or 0) - decimals) if has_point else 0.0
        digits = len(plain.lstrip("0")) if plain.isdigit() else 0
        if rtol is not None or atol is not None:
            value = float(text)
            asked = (atol or 0.0) + (rtol or 0.0) * abs(value)
            # What is asked for tells as much as digits do.
            told = math.floor(-math.log10(asked / abs(value))) if asked and value else digits
            return cls(value, max(digits, told), asked, asked, 0.0)
        return cls(float(text), digits, unit / 2, unit / 2 if has_point else _WHOLE)

    @property
    def tolerance(self) -> float:
        """How far a value may be off to agree."""
        return max(self.half_unit, self.rtol * abs(self.value))

    @property
    def scale(self) -> float:
        """The size of the number."""
        return abs(self.value) or 1.0

    @property
    def allowed(self) -> float:
        """How likely a coincidence may be for an explanation to count."""
        (few, most), (many, least) = _FEW, _MANY
        place = min(max((self.digits - few) / (many - few), 0.0), 1.0)
        return math.exp(math.log(most) * (1 - place) + math.log(least) * place)

    def width(self, value: float) -> float:
        """The width of the interval around the number that a value at such a distance stands for."""
        return 2 * max(self.grain, abs(value - self.value), 1e-15 * self.scale)


class Tally:
    """The values that hypotheses lead to, each with its bits, seen from an expected number."""

    def __init__(self, expected: Expected, bits: Array, values: Array, start: float) -> None:
        """`start` is the value without any hypothesis."""
        self.expected = expected
        self._densities = np.zeros(_TENTHS)
        with np.errstate(all="ignore"):
            near = np.abs(values - expected.value) <= _AROUND * expected.scale
            slight = np.abs(values - start) <= _SLIGHT * abs(start - expected.value)
        near &= ~slight
        bits, values = bits[near], values[near]
        # What the number cannot tell apart is one value, of its simplest way.
        step = max(2 * expected.grain, _SAME * expected.scale)
        order = np.argsort(bits, kind="stable")
        _, places = np.unique(np.round(values[order] / step), return_index=True)
        kept = order[places]
        others = np.abs(values[kept] - expected.value) > expected.tolerance
        self._bits = np.sort(bits[kept][others])

    def spread(self, bits: Array, densities: Array) -> None:
        """Count numbers that are not tried one by one: so many would lead to each unit of the value."""
        fine = np.isfinite(densities)
        places = np.minimum(bits[fine] * 10, _TENTHS - 1).astype(np.int64)
        self._densities += np.bincount(places, densities[fine], _TENTHS)

    def chance(self, bits: float, value: float) -> float:
        """How likely it is that anything as simple is as near to the number by chance."""
        smooth = float(self._densities[: int(bits * 10) + 1].sum())
        return -math.expm1(-self.expected.width(value) * (self._points(bits) + smooth))

    def _points(self, bits: float) -> float:
        """How many values that are as simple there are for each unit around the number."""
        count = int(np.searchsorted(self._bits, bits, side="right"))
        return max(count, _LEAST) / (2 * _AROUND * self.expected.scale)
