"""Where the numbers of one array come from, as a stream of rows."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from losscalc.arrays import Array, Shape
from losscalc.errors import DataError, Index, Location


class Rows(NamedTuple):
    """Consecutive rows of an array, and which of them had a cell without a number."""

    values: Array
    missing: np.ndarray | None = None


class Source(ABC):
    """One array that is read from its first row to its last, once.

    `shape` may start with None: the number of rows is not known before the end.
    """

    shape: Shape
    dtype: np.dtype

    @abstractmethod
    def take(self, rows: int) -> Rows:
        """The next rows: as many as asked for, fewer only at the end."""

    @abstractmethod
    def locate(self, index: Index) -> Location | None:
        """Where a value (or, with a shorter index, a row) stands in the file it came from."""

    def whole(self) -> Array:
        """All rows that are left, as one array."""
        pieces = []
        count = 0
        while len((piece := self.take(_PIECE)).values):
            if piece.missing is not None and piece.missing.any():
                raise DataError(
                    "a row cannot be left out here, where rows are not samples",
                    hint="fill the empty cell in",
                    location=self.locate((count + int(np.argmax(piece.missing)),)),
                )
            pieces.append(piece.values)
            count += len(piece.values)
        return np.concatenate(pieces) if pieces else np.empty([n or 0 for n in self.shape], self.dtype)

    def as_vector(self) -> "Source | None":
        """The same number as a vector of one, where the source is a lone number that may be either."""
        return None

    def close(self) -> None:  # noqa: B027
        """Let go of the file, if there is one."""


class MemorySource(Source):
    """An array that is in memory already.

    >>> MemorySource(np.arange(3.0)).take(2).values
    array([0., 1.])
    """

    def __init__(self, values: Array) -> None:
        self._values = values
        self._next = 0
        self.shape = values.shape
        self.dtype = values.dtype

    def take(self, rows: int) -> Rows:
        """The next rows, without copying them."""
        start, self._next = self._next, self._next + rows
        return Rows(self._values[start : self._next])

    def locate(self, index: Index) -> Location | None:
        """Nowhere: the array did not come from a file."""
        return None

    def whole(self) -> Array:
        """The array itself."""
        return self._values


_PIECE = 1 << 16
