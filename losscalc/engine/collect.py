"""What becomes of arrays that come block by block: they are put behind one another, or added up."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from losscalc.core.array import Array

Change = Callable[[Array], Array]


class Collector(Protocol):
    """Takes the arrays of blocks in, in their order, and gives the one array that they are parts of."""

    def add(self, piece: Array) -> None:
        """Take in the array of the next block."""

    def finish(self, change: Change | None) -> Array:
        """The whole, after the last block; `change` is made to every part of it, in order."""


class Kept:
    """Arrays side by side, in memory."""

    def __init__(self) -> None:
        self._pieces: list[Array] = []

    def add(self, piece: Array) -> None:
        """Keep the array."""
        self._pieces.append(piece)

    def finish(self, change: Change | None) -> Array:
        """All of them in one."""
        whole = self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)
        return whole if change is None else change(whole)


class Added:
    """Arrays that all are parts of a sum, whose rounding errors are added up beside it (TwoSum, Knuth)."""

    def __init__(self) -> None:
        self._total: Array | None = None
        self._lost: Array | float = 0.0

    def add(self, piece: Array) -> None:
        """Add the array to those before."""
        if self._total is None:
            self._total = piece
            return
        before, self._total = self._total, self._total + piece
        part = self._total - before
        self._lost = self._lost + ((before - (self._total - part)) + (piece - part))

    def finish(self, change: Change | None) -> Array:
        """Their sum."""
        assert self._total is not None
        # Of what is not finite nothing is known to be lost.
        total = self._total + np.where(np.isfinite(self._lost), self._lost, 0.0)
        return total if change is None else change(total)
