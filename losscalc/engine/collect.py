"""Collects arrays that come block by block: puts one behind the other, or adds them up."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from losscalc.core.array import Array

Change = Callable[[Array], Array]


class Collector(Protocol):
    """Takes the arrays of blocks, in their order, and makes one array of them."""

    def add(self, piece: Array) -> None:
        """Take the array of the next block."""

    def finish(self, change: Change | None) -> Array:
        """The whole array, after the last block; `change` is applied to every part of it, in order."""


class Kept:
    """Keeps the arrays in memory, and joins them along axis 0."""

    def __init__(self) -> None:
        self._pieces: list[Array] = []

    def add(self, piece: Array) -> None:
        self._pieces.append(piece)

    def finish(self, change: Change | None) -> Array:
        whole = self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)
        return whole if change is None else change(whole)


class Added:
    """Adds the arrays up, and their rounding errors beside them (TwoSum, Knuth)."""

    def __init__(self) -> None:
        self._total: Array | None = None
        self._lost: Array | float = 0.0

    def add(self, piece: Array) -> None:
        if self._total is None:
            self._total = piece
            return
        before, self._total = self._total, self._total + piece
        part = self._total - before
        self._lost = self._lost + ((before - (self._total - part)) + (piece - part))

    def finish(self, change: Change | None) -> Array:
        assert self._total is not None
        # Where the sum is not finite, the rounding error is NaN.
        total = self._total + np.where(np.isfinite(self._lost), self._lost, 0.0)
        return total if change is None else change(total)
