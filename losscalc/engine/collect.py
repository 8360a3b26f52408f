"""Collects arrays that come block by block: puts one behind the other, or adds them up."""

from typing import Protocol

import numpy as np

from losscalc.core.array import Array, row_size
from losscalc.engine.threads import on_threads


class Change(Protocol):
    """A function that is applied to each part of an array."""

    def __call__(self, part: Array, out: Array | None = None, /) -> Array:
        """The changed part, maybe written to `out`, which is of the same kind and may be the part itself."""


# The number of elements that are changed at once.
_STEP = 1 << 19


class Collector(Protocol):
    """Takes the arrays of blocks, and makes one array of them in their order."""

    def add(self, piece: Array) -> None:
        """Take the array of the next block."""

    def finish(self, change: Change | None) -> Array:
        """The whole array, after the last block; `change` is applied to every part of it, in order."""


class Kept:
    """Keeps the arrays in memory, and joins them along axis 0.

    If it is known how many rows there are, each array is copied to its place at once, on the thread that has
    it: memory that is touched for the first time takes longer than a copy, and that of one array serves for
    the next. The parts of the whole are changed on so many threads.
    """

    def __init__(self, rows: int | None, threads: int | None) -> None:
        self.rows = rows
        self._threads = threads
        self._pieces: list[Array] = []
        self._whole: dict[None, Array] = {}
        self._ends = [0]

    def add(self, piece: Array) -> None:
        if self.rows is None:
            self._pieces.append(piece)
        else:
            self.put(piece, self._ends[-1])

    def put(self, piece: Array, start: int, change: Change | None = None) -> None:
        """Copy an array to the rows from `start` on, changed if need be; several threads may do so."""
        assert self.rows is not None
        if not self._whole:
            made = piece if change is None else change(piece[:0])
            # Of threads that get here at the same time, the first makes the array for all.
            self._whole.setdefault(None, np.empty((self.rows, *made.shape[1:]), made.dtype))
        part = self._whole[None][start : start + len(piece)]
        changed = piece if change is None else change(piece, part)
        if changed is not part:
            part[...] = changed
        self._ends.append(start + len(piece))

    def finish(self, change: Change | None) -> Array:
        is_own = self.rows is not None
        if is_own:
            whole = self._whole[None][: max(self._ends)]
        else:
            whole = self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)
        if change is None or not whole.ndim:
            return whole if change is None else change(whole)
        rows = max(1, _STEP // max(1, row_size(whole.shape)))
        if len(whole) <= rows:
            return np.ascontiguousarray(change(whole))
        empty = change(whole[:0])
        # A single array may be one that the caller has, and must not change.
        is_own = is_own and (empty.shape, empty.dtype) == (whole[:0].shape, whole.dtype)
        result = whole if is_own else np.empty((len(whole), *empty.shape[1:]), empty.dtype)

        def place(part: slice) -> None:
            own = result[part]
            changed = change(whole[part], own) if is_own else change(whole[part])
            if changed is not own:
                own[...] = changed

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
