"""What a number may be: domains that check a value, print themselves, and draw values for tests."""

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from losscalc.errors import Index

# Exactly what a decimal literal is everywhere: ASCII digits, no underscores, no hexadecimal.
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_SPECIAL = re.compile(r"[+-]?(?:nan|inf|infinity)", re.ASCII | re.IGNORECASE)


Value_contra = TypeVar("Value_contra", contravariant=True)


class Domain(Protocol[Value_contra]):
    """What a parameter may be."""

    def contains(self, value: Value_contra) -> bool:
        """Whether the value belongs to the set."""

    def inside(self) -> Sequence[Any]:
        """Values of the set, its edges among them, for tests."""

    def outside(self) -> Sequence[Any]:
        """Values just outside the set, for tests."""


class Region(Domain[float], Protocol):
    """A set of numbers, which the values of an array may be held against."""

    def first_outside(self, values: np.ndarray) -> Index | None:
        """The index of the first value outside, or None when all are inside."""


class Interval(NamedTuple):
    """The numbers between two bounds, written as mathematics writes them.

    >>> str(Interval(0, 1)), str(Interval(0, low_open=True))
    ('in [0, 1]', 'greater than 0')
    >>> Interval(0, 1).contains(float("nan"))
    False
    """

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def contains(self, value: float) -> bool:
        """Whether the value lies between the bounds; NaN never does."""
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def first_outside(self, values: np.ndarray) -> Index | None:
        """The index of the first value outside, or None when all are inside."""
        if values.size == 0 or (self.contains(float(values.min())) and self.contains(float(values.max()))):
            return None
        above = values > self.low if self.low_open else values >= self.low
        below = values < self.high if self.high_open else values <= self.high
        return tuple(int(i) for i in np.argwhere(~(above & below))[0])

    def inside(self) -> Sequence[float]:
        """The closed bounds and a value between."""
        low, high = max(self.low, -1e3), min(self.high, 1e3)
        ends = [v for v, is_open in ((low, self.low_open), (high, self.high_open)) if not is_open]
        return [*ends, (low + high) / 2, low + (high - low) / 1e3]

    def outside(self) -> Sequence[float]:
        """A value beyond each bound, an open bound itself, and NaN."""
        values = [math.nan]
        if math.isfinite(self.low):
            values += [self.low if self.low_open else math.nextafter(self.low, -math.inf), self.low - 1]
        if math.isinf(self.high) and self.high_open:
            values.append(math.inf)
        if math.isfinite(self.high):
            values += [self.high if self.high_open else math.nextafter(self.high, math.inf), self.high + 1]
        return values

    def __str__(self) -> str:
        if math.isinf(self.low) and math.isinf(self.high):
            return "a finite number" if self.low_open and self.high_open else "a number"
        if math.isinf(self.high) and self.high_open:
            return f"finite and {self._replace(high_open=False)}"
        if math.isinf(self.high):
            return f"greater than {self.low:g}" if self.low_open else f"at least {self.low:g}"
        if math.isinf(self.low):
            return f"less than {self.high:g}" if self.high_open else f"at most {self.high:g}"
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"in {left}{self.low:g}, {self.high:g}{right}"


class Choice(NamedTuple):
    """A few numbers, and no others.

    >>> str(Choice((-1, 1))), Choice((-1, 1)).contains(0)
    ('one of -1 and 1', False)
    """

    values: tuple[float, ...]

    def contains(self, value: float) -> bool:
        """Whether the value is one of the choices."""
        return value in self.values

    def first_outside(self, values: np.ndarray) -> Index | None:
        """The index of the first value that is none of the choices, or None."""
        known = values == self.values[0]
        for value in self.values[1:]:
            known |= values == value
        return None if known.all() else tuple(int(i) for i in np.argwhere(~known)[0])

    def inside(self) -> Sequence[float]:
        """All choices."""
        return self.values

    def outside(self) -> Sequence[float]:
        """Values beside and between the choices, and NaN."""
        between = sum(self.values) / len(self.values)
        return [
            v for v in (math.nan, between, min(self.values) - 1, max(self.values) + 1) if v not in self.values
        ]

    def __str__(self) -> str:
        *most, last = (f"{value:g}" for value in self.values)
        if not most:
            return last
        return f"one of {', '.join(most)} and {last}"


class Either(NamedTuple):
    """The numbers of any of several sets.

    >>> str(Either((UNIT, Choice((-1,))))), Either((UNIT, Choice((-1,)))).contains(-0.5)
    ('in [0, 1] or -1', False)
    """

    members: tuple[Region, ...]

    def contains(self, value: float) -> bool:
        """Whether the value belongs to one of the sets."""
        return any(member.contains(value) for member in self.members)

    def inside(self) -> Sequence[float]:
        """The values of each set."""
        return [value for member in self.members for value in member.inside()]

    def outside(self) -> Sequence[float]:
        """Values beside one of the sets that belong to no other."""
        return [v for member in self.members for v in member.outside() if not self.contains(v)]

    def __str__(self) -> str:
        return " or ".join(str(member).removeprefix("one of ") for member in self.members)


class Names(NamedTuple):
    """A few words, and no others.

    >>> str(Names(("near", "far"))), Names(("near", "far")).contains("Near")
    ('one of near and far', False)
    """

    words: tuple[str, ...]

    def contains(self, value: str) -> bool:
        """Whether the word is one of them."""
        return value in self.words

    def inside(self) -> Sequence[str]:
        """All words."""
        return self.words

    def outside(self) -> Sequence[str]:
        """Words that are close, and none."""
        return ["", self.words[0].upper(), self.words[0] + "s"]

    def __str__(self) -> str:
        *most, last = self.words
        return f"one of {', '.join(most)} and {last}"


class Increasing(NamedTuple):
    """Whole numbers from `low`, each larger than the one before.

    >>> Increasing(1).contains((2, 10)), Increasing(1).contains((2, 2)), Increasing(1).contains(())
    (True, False, False)
    """

    low: int

    def contains(self, value: Sequence[int]) -> bool:
        """Whether there are any, and they increase."""
        return bool(value) and all(a < b for a, b in zip((self.low - 1, *value), value, strict=False))

    def inside(self) -> Sequence[tuple[int, ...]]:
        """One number, and several."""
        return [(self.low,), (self.low, self.low + 1, self.low + 9)]

    def outside(self) -> Sequence[tuple[int, ...]]:
        """None, one that is too small, equal ones and decreasing ones."""
        return [(), (self.low - 1,), (self.low, self.low), (self.low + 1, self.low)]

    def __str__(self) -> str:
        return f"increasing whole numbers from {self.low}, joined by commas"


UNIT = Interval(0.0, 1.0)
NOT_NEGATIVE = Interval(0.0)
FINITE = Interval(low_open=True, high_open=True)
FINITE_NOT_NEGATIVE = Interval(0.0, high_open=True)
FINITE_POSITIVE = Interval(0.0, low_open=True, high_open=True)
SIGNS = Choice((-1, 1))


def parse_number(text: str) -> float | None:
    """The number that a text spells in full, or None.

    Blanks around it are allowed. `nan`, `inf` and `infinity` are numbers when they are written
    out; a decimal literal too large for float64 is not one, because it would turn into infinity.

    >>> parse_number(" 1e3 "), parse_number("1_000"), parse_number("0x10"), parse_number("1e400")
    (1000.0, None, None, None)
    """
    text = text.strip(" \t")
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else None
    return float(text) if _SPECIAL.fullmatch(text) else None


def parse_whole(text: str) -> int | None:
    """The whole number that a text spells in full, or None.

    >>> parse_whole("-100"), parse_whole("1.5"), parse_whole("1_0")
    (-100, None, None)
    """
    # More digits than any 64-bit number has would only serve to exhaust the machine.
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else None


def is_overflow(text: str) -> bool:
    """Whether a text is a decimal literal beyond the range of float64."""
    return _NUMBER.fullmatch(text.strip(" \t")) is not None and parse_number(text) is None
