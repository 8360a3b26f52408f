"""Domains of parameters that are several values."""

from collections.abc import Sequence
from typing import NamedTuple

from losscalc.core.domains import Region


class Increasing(NamedTuple):
    """One or more whole numbers from `low`, each larger than the one before.

    >>> Increasing(1).contains((2, 10)), Increasing(1).contains((2, 2)), Increasing(1).contains(())
    (True, False, False)
    """

    low: int

    def contains(self, value: Sequence[int]) -> bool:
        return bool(value) and all(a < b for a, b in zip((self.low - 1, *value), value, strict=False))

    def inside(self) -> Sequence[tuple[int, ...]]:
        return [(self.low,), (self.low, self.low + 1, self.low + 9)]

    def outside(self) -> Sequence[tuple[int, ...]]:
        return [(), (self.low - 1,), (self.low, self.low), (self.low + 1, self.low)]

    def __str__(self) -> str:
        return f"increasing whole numbers from {self.low}, joined by commas"


class Several(NamedTuple):
    """One or more numbers, each of them of one set.

    >>> from losscalc.core.domains import UNIT
    >>> str(Several(UNIT)), Several(UNIT).contains((0.1, 0.9)), Several(UNIT).contains(())
    ('in [0, 1], or several such joined by commas', True, False)
    """

    each: Region

    def contains(self, value: Sequence[float]) -> bool:
        return bool(value) and all(map(self.each.contains, value))

    def inside(self) -> Sequence[tuple[float, ...]]:
        return [*((value,) for value in self.each.inside()), tuple(self.each.inside())]

    def outside(self) -> Sequence[tuple[float, ...]]:
        return [(), *((value,) for value in self.each.outside())]

    def __str__(self) -> str:
        return f"{self.each}, or several such joined by commas"


class Axes(NamedTuple):
    """One or more axes of an array, from 0 or, from the last, from -1; none of them twice.

    >>> Axes().contains((0, -1)), Axes().contains((1, 1)), Axes().contains(())
    (True, False, False)
    """

    def contains(self, value: Sequence[int]) -> bool:
        return bool(value) and len(set(value)) == len(value) and max(map(abs, value)) < 64

    def inside(self) -> Sequence[tuple[int, ...]]:
        return [(0,), (-1,)]

    def outside(self) -> Sequence[tuple[int, ...]]:
        return [(), (1, 1), (99,)]

    def __str__(self) -> str:
        return "different axes, joined by commas"
