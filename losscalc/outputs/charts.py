"""Charts of single losses: how many there are of each size, and all of them in order."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from losscalc.outputs.drawing import Box, Drawing, Shape, Stroke, Words

WIDTH, HEIGHT = 760, 320
_TOP, _BOTTOM, _LEFT, _RIGHT = 58, 52, 62, 14
_MOST_TICKS = 5
# Beyond this a difference overflows.
_HALF = 0.5


class Bar(NamedTuple):
    """How many losses there are in an interval."""

    low: float
    high: float
    losses: int


class Chart(NamedTuple):
    """What is drawn of the losses of a data set."""

    name: str
    bars: Sequence[Bar]
    curve: Sequence[tuple[int, float]]
    """Losses in order of size, each with its place among all, counted from 1."""
    mean: float
    median: float

    @property
    def drawing(self) -> Drawing:
        """The histogram, and beside it the losses in order."""
        count = self.curve[-1][0] if self.curve else 0
        title = f"{self.name}: {count} {'loss' if count == 1 else 'losses'}"
        lines = f"mean {self.mean:.4g}", f"median {self.median:.4g}"
        shapes: list[Shape] = [Words(_LEFT, 22, title, "start", "title")]
        for number, (words, kind) in enumerate(zip(lines, ("mean", "median"), strict=True)):
            shapes.append(Words(_LEFT + 150 * number + 22, 42, words, "start", "label"))
            shapes.append(Stroke(((_LEFT + 150 * number, 38), (_LEFT + 150 * number + 16, 38)), kind))
        if self.bars:
            shapes += [*self._histogram(), *self._sorted()]
        return Drawing(WIDTH, HEIGHT, title, tuple(shapes))

    def _histogram(self) -> Iterator[Shape]:
        most = max(bar.losses for bar in self.bars)
        across = Axis.of(self.bars[0].low, self.bars[-1].high, _LEFT, WIDTH / 2 - _RIGHT)
        up = Axis.of(0.0, float(most), HEIGHT - _BOTTOM, _TOP, is_whole=True)
        yield from _frame(across, up, "loss", "count")
        for bar in self.bars:
            left, right, top = across.at(bar.low), across.at(bar.high), up.at(bar.losses)
            if bar.losses:
                tip = f"{bar.losses} from {bar.low:.4g} to {bar.high:.4g}"
                # The least of them can be seen, however many the most are.
                height = max(1.5, up.start - top)
                yield Box(left, up.start - height, max(0.5, right - left - 0.5), height, "bar", tip)
        for value, kind in ((self.mean, "mean"), (self.median, "median")):
            if across.has(value):
                yield Stroke(((across.at(value), up.start), (across.at(value), up.end)), kind)

    def _sorted(self) -> Iterator[Shape]:
        low, high = self.curve[0][1], self.curve[-1][1]
        across = Axis.of(1.0, float(self.curve[-1][0]), WIDTH / 2 + _LEFT, WIDTH - _RIGHT, is_whole=True)
        up = Axis.of(min(0.0, low) if low < high / 2 else low, high, HEIGHT - _BOTTOM, _TOP)
        yield from _frame(across, up, "losses in order", "loss")
        for value, kind in ((self.mean, "mean"), (self.median, "median")):
            if up.has(value):
                yield Stroke(((across.start, up.at(value)), (across.end, up.at(value))), kind)
        yield Stroke(tuple((across.at(place), up.at(loss)) for place, loss in self.curve), "curve")


class Axis(NamedTuple):
    """An axis from one number to another, and where it is drawn."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, low: float, high: float, start: float, end: float, *, is_whole: bool = False) -> "Axis":
        """An axis with round numbers marked on it."""
        return cls(low, high, start, end, tuple(ticks(low, high, is_whole=is_whole)))

    def at(self, value: float) -> float:
        """Where a number is."""
        span = self.high * _HALF - self.low * _HALF
        share = (value * _HALF - self.low * _HALF) / span if span else _HALF
        return self.start + share * (self.end - self.start)

    def has(self, value: float) -> bool:
        """Whether a number lies between the ends."""
        return self.low <= value <= self.high


def ticks(low: float, high: float, *, is_whole: bool = False) -> list[float]:
    """Round numbers from one number to another: 1, 2 or 5 times a power of ten apart.

    >>> ticks(0.0, 2.3), ticks(0, 3, is_whole=True), ticks(7.0, 7.0)
    ([0.0, 0.5, 1.0, 1.5, 2.0], [0.0, 1.0, 2.0, 3.0], [7.0])
    """
    span = high * _HALF - low * _HALF
    if not span > max(abs(low), abs(high)) * 1e-8:
        return [low]
    rough = span / _MOST_TICKS / _HALF
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999999)
    step = max(1.0, step) if is_whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.10g}") for number in range(first, last + 1)]


def _frame(across: Axis, up: Axis, below: str, beside: str) -> Iterator[Shape]:
    """Two axes with their ticks and what they are of."""
    for tick in up.ticks:
        yield Stroke(((across.start, up.at(tick)), (across.end, up.at(tick))), "grid")
        yield Words(across.start - 6, up.at(tick) + 4, f"{tick:.6g}", "end", "tick")
    for tick in across.ticks:
        yield Stroke(((across.at(tick), up.start), (across.at(tick), up.start + 4)), "axis")
        yield Words(across.at(tick), up.start + 17, f"{tick:.6g}", "middle", "tick")
    yield Stroke(((across.start, up.end), (across.start, up.start), (across.end, up.start)), "axis")
    yield Words((across.start + across.end) / 2, HEIGHT - 12, below, "middle", "label")
    yield Words(across.start - 46, (up.start + up.end) / 2, beside, "middle", "upright")
