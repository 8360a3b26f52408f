"""Collects arrays that come block by block: puts one behind the other, or adds them up."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from losscalc.core.array import Array, row_size
from losscalc.engine.threads import on_threads

Change = Callable[[Array], Array]
# The number of elements that are changed at once.
_STEP = 1 << 16


class Collector(Protocol):
    """Takes the arrays of blocks, in their order, and makes one array of them."""

    def add(self, piece: Array) -> None:
        """Take the array of the next block."""

    def finish(self, change: Change | None) -> Array:
        """The whole array, after the last block; `change` is applied to every part of it, in order."""


class Kept:
    """Keeps the arrays in memory, and joins them along axis 0.

    If it is known how many rows there are, each array is copied to its place at once: memory that is touched
    for the first time takes longer than a copy, and that of one array serves for the next. The parts of the
    whole are changed on so many threads.
    """

    def __init__(self, rows: int | None, threads: int | None) -> None:
        self._rows = rows
        self._threads = threads
        self._pieces: list[Array] = []
        self._joined: Array | None = None
        self._filled = 0

    def add(self, piece: Array) -> None:
        if self._joined is None and self._pieces and self._rows is not None:
            first = self._pieces.pop()
            self._joined = np.empty((self._rows, *first.shape[1:]), first.dtype)
            self._put(first, self._joined)
        if self._joined is None:
            self._pieces.append(piece)
        else:
            self._put(piece, self._joined)

    def _put(self, piece: Array, whole: Array) -> None:
        start, self._filled = self._filled, self._filled + len(piece)
        whole[start : self._filled] = piece

    def finish(self, change: Change | None) -> Array:
        if self._joined is not None:
            whole = self._joined[: self._filled]
        else:
            whole = self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)
        if change is None or not whole.ndim:
            return whole if change is None else change(whole)
        rows = max(1, _STEP // max(1, row_size(whole.shape)))
        if len(whole) <= rows:
            return np.ascontiguousarray(change(whole))
        empty = change(whole[:0])
        # A single array may be one that the caller has, and must not change.
        is_own = self._joined is not None and (empty.shape, empty.dtype) == (whole[:0].shape, whole.dtype)
        result = whole if is_own else np.empty((len(whole), *empty.shape[1:]), empty.dtype)

        def place(part: slice) -> None:
            result[part] = change(whole[part])

        parts = (slice(start, start + rows) for start in range(0, len(whole), rows))
        for _ in on_threads(self._threads)(place, parts):
            pass
        return result


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
