"""Where the numbers of one array come from, as a stream of rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
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
    in_memory = False
    """Whether taking rows copies nothing."""
    has_header = False
    """Whether the shape stands at the beginning of a file, and costs next to nothing to know."""
    opened_by: "Recipe | None" = None
    """What opens the same array once more, of which no row was taken; it can be pickled."""

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

    @property
    def can_skip(self) -> bool:
        """Whether rows are passed over without reading them."""
        return False

    def skip(self, rows: int) -> None:
        """Pass over some rows."""
        while rows > 0 and (length := len(self.take(min(rows, _PIECE)).values)):
            rows -= length

    @property
    def recipe(self) -> "Recipe":
        """What gives the same array elsewhere; one that is in memory goes there itself."""
        return self.opened_by or partial(_itself, self)

    def narrowed(self, start: int, rows: int) -> "tuple[Recipe, int]":
        """What gives an array that has these rows in it, and where in it they begin."""
        return self.recipe, start

    @property
    def files(self) -> "Sequence[Recipe]":
        """What opens each of the files that the array is made of, if they are several."""
        return ()

    def as_vector(self) -> "Source | None":
        """The same number as a vector of one, where the source is a lone number that may be either."""
        return None

    def progress(self) -> tuple[int, int | None] | None:
        """How many bytes were read, and of how many if that is known; None where nothing is read."""
        return None

    def accompany(self, others: "Sequence[Source]") -> None:  # noqa: B027
        """Learn which sources are read in step with this one; raises ShapeError where that cannot be."""

    def close(self) -> None:  # noqa: B027
        """Let go of the file, if there is one."""


Recipe = Callable[[], Source]


def _itself(source: Source) -> Source:
    return copy(source)


class Excerpt(Source):
    """Some rows of another source, counted from 0."""

    def __init__(self, source: Source, start: int, rows: int) -> None:
        self._source = source
        self._start = start
        self._left = rows
        self.shape = (rows, *source.shape[1:])
        self.dtype = source.dtype
        source.skip(start)

    @classmethod
    def of(cls, recipe: "Recipe", start: int, rows: int) -> "Excerpt":
        """Some rows of what a recipe gives."""
        return cls(recipe(), start, rows)

    @classmethod
    def recipe_of(cls, source: Source, start: int, rows: int) -> "Recipe":
        """What gives some rows of a source elsewhere."""
        recipe, start = source.narrowed(start, rows)
        return partial(cls.of, recipe, start, rows)

    def take(self, rows: int) -> Rows:
        """The next rows."""
        piece = self._source.take(min(rows, self._left))
        self._left -= len(piece.values)
        return piece

    def locate(self, index: Index) -> Location | None:
        """Where the row stands in the other source."""
        return self._source.locate((self._start + index[0], *index[1:]) if index else ())

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()


class MemorySource(Source):
    """An array that is in memory already.

    >>> MemorySource(np.arange(3.0)).take(2).values
    array([0., 1.])
    """

    in_memory = True

    def __init__(self, values: Array) -> None:
        self._values = values
        self._next = 0
        self.shape = values.shape
        self.dtype = values.dtype

    def take(self, rows: int) -> Rows:
        """The next rows, without copying them."""
        start, self._next = self._next, self._next + rows
        return Rows(self._values[start : self._next])

    @property
    def can_skip(self) -> bool:
        """Always."""
        return True

    def skip(self, rows: int) -> None:
        """Pass over some rows."""
        self._next += rows

    def locate(self, index: Index) -> Location | None:
        """Nowhere: the array did not come from a file."""
        return None

    def whole(self) -> Array:
        """The array itself."""
        return self._values


_PIECE = 1 << 16
