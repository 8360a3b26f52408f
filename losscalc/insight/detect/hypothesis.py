"""Hypotheses: something that may have been done otherwise, so that a number differs.

A loss is computed in stages, and a hypothesis changes what one of them does. Those before the single losses
change the call; one of the single losses replaces these; an aggregation makes a number of them, and a last
step another number of that.
"""

import contextlib
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array

Stage = Literal["rows", "input", "target", "arrays", "loss", "losses", "aggregation", "last"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""The stages, in the order in which a loss is computed."""
OF_CALLS: tuple[Stage, ...] = STAGES[:5]
"""Those that change the call."""

# The bits of each hypothesis that holds beside others.
MORE = 2.0
# The bits by which a hypothesis is less likely for losses that it does not suit.
_ODD = 3.0
# Numbers that are as likely as this, with what has them, are tried beside everything else.
_USUAL_BITS = 7.0
# Besides the numbers of a grid, these powers of two are usual.
_POWERS = (4.0, 8.0)
# What the numbers of a grid begin with, or with 1 alone if there are more powers of ten; and the least of
# those that are not factors.
_GRID_DIGITS, _MOST_DECADES, _LEAST_OF_GRID = (1, 2, 3, 5), 12, 0.01
# The information in a first digit, of which 1, 2 and 5 are typed most; in a further one; and in a zero at
# either end.
_BITS_OF_FIRST, _BITS_OF_ROUND = 3.5, {"1": 1.8, "2": 2.2, "5": 2.5}
_BITS_OF_DIGIT, _BITS_OF_ZERO = math.log2(10), 0.3
# Of a power of two, and each time that it doubles.
_BITS_OF_TWO, _BITS_OF_DOUBLING = 1.7, 0.25


class NotApplicable(Exception):  # noqa: N818 - not an error
    """A hypothesis does not apply to a call, for lack of an array, a parameter or an axis."""


def require(condition: object) -> None:
    """Raise NotApplicable unless a condition holds."""
    if not condition:
        raise NotApplicable


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without NumPy's warnings: what has no value, or needs more numbers than there are, becomes NaN."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def always(loss: Loss) -> bool:
    """For every loss."""
    return True


class Span(NamedTuple):
    """The numbers among which one is looked for that leads to the expected value."""

    low: float
    high: float
    is_scale: bool = False
    """Whether factors count, rather than differences: 0.1 is as far from 1 as 10."""

    def grid(self) -> Array:
        """Some of the numbers, from one end to the other, the roundest ones among them."""
        low = self.low if self.is_scale else _LEAST_OF_GRID
        far = max(self.high, -self.low)
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(far)) + 1)
        digits = _GRID_DIGITS if len(decades) < _MOST_DECADES else _GRID_DIGITS[:1]
        round_ones = [digit * 10.0**power for power in decades for digit in digits]
        found = {self.low, self.high, *round_ones, *(() if self.low >= 0 else (-each for each in round_ones))}
        return np.array(sorted(float(f"{each:.9g}") for each in found if self.low <= each <= self.high))


class Hypothesis(NamedTuple):
    """A hypothesis: its stage, its name on the command line, a sentence, and what it does."""

    stage: Stage
    name: str
    sentence: str
    """What was done otherwise. A relation in braces stands for the name of that relative of the loss, and
    {number} for the number, if there is one."""
    bits: float
    """How unlikely it is a priori: n bits are 1 in 2^n. A number of its own adds to that."""
    apply: Callable[..., Any]
    """What it does: to the call; to the losses, with losses or a number as result; or to numbers, given the
    losses. It gets the number as its last argument, if there is one."""
    options: str = ""
    """The options that do the same, if there are any."""
    concerns: Callable[[Loss], object] = always
    """Whether it makes sense for a loss."""
    suits: Callable[[Loss], object] = always
    """For which losses it is as likely as that; for others it is odder."""
    as_given: bool = False
    """Whether it is about how the arrays are taken, which all others find done."""
    is_rounded: bool = False
    """Whether the number has few digits, of which all are known, so that none of float32 are noise."""
    tried: Callable[[Any], Iterable[float]] | None = None
    """The numbers that are tried, for such losses: whole ones, as they count or name something."""
    span: Span | None = None
    """The numbers among which one is looked for."""

    @property
    def has_number(self) -> bool:
        """Whether it is a family, of which a number picks one."""
        return self.tried is not None or self.span is not None

    @property
    def is_whole(self) -> bool:
        """Whether it takes whole numbers alone."""
        return self.tried is not None and self.span is None

    @property
    def usual(self) -> list[float]:
        """The numbers of its span that are typed most."""
        if self.span is None:
            return []
        powers = [two for two in _POWERS if self.span.low <= two <= self.span.high]
        numbers = sorted({*self.span.grid().tolist(), *powers} - {0.0})
        return [number for number in numbers if self.bits + bits_of(number) <= _USUAL_BITS]

    def of(self, loss: Loss) -> "Hypothesis":
        """The hypothesis worded for one loss."""
        sentence = self.sentence.format(**{**loss.relatives, "number": "{number}"})
        return self._replace(sentence=sentence, bits=self.bits + (0.0 if self.suits(loss) else _ODD))


Row = tuple[str, str, float, Callable[..., Any], Callable[[Loss], object]]
"""A hypothesis in a table: name, sentence, bits, what it does, and whether it makes sense for a loss."""


def rows(stage: Stage, table: Iterable[Row]) -> list[Hypothesis]:
    """The hypotheses of a table, all of one stage."""
    return [
        Hypothesis(stage, name, sentence, bits, apply, concerns=concerns)
        for name, sentence, bits, apply, concerns in table
    ]


Family = tuple[
    str, str, float, Callable[..., Any], Callable[[Any], Iterable[float]], Callable[[Loss], object]
]
"""The same with the numbers that are tried before the last of these."""


def families(stage: Stage, table: Iterable[Family]) -> list[Hypothesis]:
    """The hypotheses of a table of those with a number, all of one stage."""
    return [
        Hypothesis(stage, name, sentence, bits, apply, concerns=concerns, tried=tried)
        for name, sentence, bits, apply, tried, concerns in table
    ]


# What a sentence says of several, and of one.
_OF_ONE = (("first 1 rows were", "first row was"), ("last 1 rows were", "last row was"), ("1 rows", "1 row"))


class Supposed(NamedTuple):
    """A hypothesis, with its number if it has one."""

    hypothesis: Hypothesis
    number: float | None = None

    @property
    def name(self) -> str:
        """As it is typed behind --suppose."""
        own = self.hypothesis.name
        return own if self.number is None else f"{own}={shown(self.number)}"

    @property
    def sentence(self) -> str:
        """What was done."""
        if self.number is None:
            return self.hypothesis.sentence
        sentence = self.hypothesis.sentence.format(number=shown(self.number))
        for many, one in _OF_ONE if abs(self.number) == 1 else ():
            sentence = sentence.replace(many, one)
        return sentence

    @property
    def options(self) -> str:
        """The options that do the same."""
        return self.hypothesis.options.format(number="" if self.number is None else shown(self.number))

    @property
    def bits(self) -> float:
        """How unlikely it is, with its number."""
        return self.hypothesis.bits + (0.0 if self.number is None else bits_of(self.number))

    @property
    def arguments(self) -> tuple[float, ...]:
        """The number, as the last argument of what it does."""
        return () if self.number is None else (self.number,)


Combination = tuple[Supposed, ...]
"""Hypotheses that hold together, from different stages and in their order."""


def bits(combination: Combination) -> float:
    """How unlikely a combination is a priori; several things at once are rarer than each by itself.

    >>> bits(())
    0.0
    """
    return sum((supposed.bits for supposed in combination), 0.0) + MORE * max(0, len(combination) - 1)


def ordered(combination: Sequence[Supposed]) -> Combination:
    """The hypotheses in the order in which they are applied."""
    return tuple(
        sorted(combination, key=lambda s: (not s.hypothesis.as_given, STAGES.index(s.hypothesis.stage)))
    )


def shown(number: float) -> str:
    """A number as people type it."""
    return f"{number:.12g}"


def bits_of(number: float) -> float:
    """How much information a number is: that of its digits, or less for a power of two.

    >>> [round(bits_of(number), 1) for number in (2, 0.1, 0.25, 32, 100, 37)]
    [1.7, 2.1, 7.1, 2.7, 2.4, 6.8]
    """
    if number == 0:
        return 1.0
    mantissa, _, exponent = f"{abs(number):.11e}".partition("e")
    digits = mantissa.replace(".", "").rstrip("0")
    power = int(exponent)
    zeros = power - len(digits) + 1 if power >= len(digits) else max(0, -power)
    start = _BITS_OF_ROUND.get(digits, _BITS_OF_FIRST)
    plain = start + (len(digits) - 1) * _BITS_OF_DIGIT + zeros * _BITS_OF_ZERO
    fraction, twos = math.frexp(abs(number))
    is_power = fraction == 0.5 and twos > 1
    return min(plain, _BITS_OF_TWO + (twos - 2) * _BITS_OF_DOUBLING) if is_power else plain
