"""Domains of parameters and arrays: they check values, describe themselves and give values for tests."""

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from losscalc.core.array import extremes
from losscalc.errors import Index

# Narrower than Python's float(): ASCII digits only, no underscores.
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SPECIAL = frozenset(sign + word for sign in ("", "+", "-") for word in ("nan", "inf", "infinity"))

Value_contra = TypeVar("Value_contra", contravariant=True)


class Domain(Protocol[Value_contra]):
    """The values that a parameter may have."""

    def contains(self, value: Value_contra) -> bool:
        """Whether the value is allowed; NaN never is."""

    def inside(self) -> Sequence[Any]:
        """Some allowed values for tests, the bounds among them."""

    def outside(self) -> Sequence[Any]:
        """Values for tests that are only just outside."""


class Region(Domain[float], Protocol):
    """A set of numbers that can also check a whole array."""

    def first_outside(self, values: np.ndarray) -> Index | None:
        """The index of the first value that is not allowed, or None."""


class Interval(NamedTuple):
    """The numbers between two bounds; a bound is included unless it is open.

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
        return bool(self._holds(value))

    def first_outside(self, values: np.ndarray) -> Index | None:
        # If the extremes are inside, so is everything between them. Both are NaN if any value is.
        if values.size == 0:
            return None
        low, high = extremes(values)
        if self._holds(low) and self._holds(high):
            return None
        return _first_false(self._holds(values))

    def _holds(self, values: Any) -> Any:
        above = values > self.low if self.low_open else values >= self.low
        below = values < self.high if self.high_open else values <= self.high
        return above & below

    def inside(self) -> Sequence[float]:
        low, high = max(self.low, -1e3), min(self.high, 1e3)
        ends = [v for v, is_open in ((low, self.low_open), (high, self.high_open)) if not is_open]
        return [*ends, (low + high) / 2, low + (high - low) / 1e3]

    def outside(self) -> Sequence[float]:
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
    """A few numbers.

    >>> str(Choice((-1, 1))), Choice((-1, 1)).contains(0)
    ('one of -1 and 1', False)
    """

    values: tuple[float, ...]

    def contains(self, value: float) -> bool:
        return value in self.values

    def first_outside(self, values: np.ndarray) -> Index | None:
        known = values == self.values[0]
        for value in self.values[1:]:
            known |= values == value
        return _first_false(known)

    def inside(self) -> Sequence[float]:
        return self.values

    def outside(self) -> Sequence[float]:
        between = sum(self.values) / len(self.values)
        return [
            v for v in (math.nan, between, min(self.values) - 1, max(self.values) + 1) if v not in self.values
        ]

    def __str__(self) -> str:
        return _one_of([f"{value:g}" for value in self.values])


class Except(NamedTuple):
    """All numbers but one.

    >>> str(Except(0)), Except(0).contains(-0.0)
    ('other than 0', False)
    """

    value: float

    def contains(self, value: float) -> bool:
        return bool(value == value and value != self.value)

    def first_outside(self, values: np.ndarray) -> Index | None:
        return _first_false((values == values) & (values != self.value))

    def inside(self) -> Sequence[float]:
        return [self.value - 1, self.value + 1]

    def outside(self) -> Sequence[float]:
        return [math.nan, self.value]

    def __str__(self) -> str:
        return f"other than {self.value:g}"


class Either(NamedTuple):
    """The numbers that belong to any of several sets.

    >>> str(Either((UNIT, Choice((-1,))))), Either((UNIT, Choice((-1,)))).contains(-0.5)
    ('in [0, 1] or -1', False)
    """

    members: tuple[Region, ...]

    def contains(self, value: float) -> bool:
        return any(member.contains(value) for member in self.members)

    def inside(self) -> Sequence[float]:
        return [value for member in self.members for value in member.inside()]

    def outside(self) -> Sequence[float]:
        return [v for member in self.members for v in member.outside() if not self.contains(v)]

    def __str__(self) -> str:
        return " or ".join(str(member).removeprefix("one of ") for member in self.members)


class Names(NamedTuple):
    """A few words.

    >>> str(Names(("near", "far"))), Names(("near", "far")).contains("Near")
    ('one of near and far', False)
    """

    words: tuple[str, ...]

    def contains(self, value: str) -> bool:
        return value in self.words

    def inside(self) -> Sequence[str]:
        return self.words

    def outside(self) -> Sequence[str]:
        return ["", self.words[0].upper(), self.words[0] + "s"]

    def __str__(self) -> str:
        return _one_of(self.words)


def _first_false(flags: np.ndarray) -> Index | None:
    return None if flags.all() else tuple(int(i) for i in np.argwhere(~flags)[0])


def _one_of(words: Sequence[str]) -> str:
    *most, last = words
    return f"one of {', '.join(most)} and {last}" if most else last


UNIT = Interval(0.0, 1.0)
NOT_NEGATIVE = Interval(0.0)
FINITE = Interval(low_open=True, high_open=True)
FINITE_NOT_NEGATIVE = Interval(0.0, high_open=True)
FINITE_POSITIVE = Interval(0.0, low_open=True, high_open=True)
SIGNS = Choice((-1, 1))
BITS = Choice((0, 1))


def parse_number(text: str) -> float | None:
    """The number that a text stands for, or None.

    Blanks around it are allowed, and so are the words `nan`, `inf` and `infinity`. A decimal too large for
    float64 is refused, because it would silently become infinity.

    >>> parse_number(" 1e3 "), parse_number("1_000"), parse_number("0x10"), parse_number("1e400")
    (1000.0, None, None, None)
    """
    text = text.strip(" \t")
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else None
    return float(text) if text.lower() in _SPECIAL else None


def parse_whole(text: str) -> int | None:
    """The whole number that a text stands for, or None.

    >>> parse_whole("-100"), parse_whole("1.5"), parse_whole("1_0")
    (-100, None, None)
    """
    # 19 digits cover 64 bits, and int() would take minutes for millions of digits.
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else None


def is_overflow(text: str) -> bool:
    """Whether a text is a decimal beyond the range of float64."""
    return _NUMBER.fullmatch(text.strip(" \t")) is not None and parse_number(text) is None
