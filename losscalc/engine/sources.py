"""Sources, which give the numbers of one array as a stream of rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from losscalc.core.array import Array, Shape
from losscalc.core.declaration import array_arguments
from losscalc.core.operation import Operation, unknown_argument
from losscalc.errors import DataError, DTypeError, Index, Location, ParameterError, Remark, ShapeError


class Rows(NamedTuple):
    """Consecutive rows of an array, and a mask of those that lack a number."""

    values: Array
    missing: np.ndarray | None = None


def join_rows(pieces: Sequence[Rows]) -> Rows:
    """Join the rows of one or more pieces; a single piece is not copied."""
    if len(pieces) == 1:
        return pieces[0]
    values = np.concatenate([piece.values for piece in pieces])
    if all(piece.missing is None for piece in pieces):
        return Rows(values)
    masks = [np.zeros(len(v), bool) if missing is None else missing for v, missing in pieces]
    return Rows(values, np.concatenate(masks))


class Source(ABC):
    """One array that is read from its first row to its last, once.

    `shape` starts with None while the number of rows is not known.
    """

    shape: Shape
    dtype: np.dtype
    in_memory = False
    """Whether taking rows copies nothing."""
    has_header = False
    """Whether the shape stands in the header of a file, and can be known without reading the rows."""
    opened_by: "Recipe | None" = None
    """A picklable recipe that opens the same array once more, from its first row."""

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
        """Whether rows can be skipped without reading them."""
        return False

    def skip(self, rows: int) -> None:
        """Skip some rows."""
        while rows > 0 and (length := len(self.take(min(rows, _PIECE)).values)):
            rows -= length

    @property
    def recipe(self) -> "Recipe":
        """A picklable recipe for the same array; by default, the source itself is sent along."""
        return self.opened_by or partial(_itself, self)

    def narrowed(self, start: int, rows: int) -> "tuple[Recipe, int]":
        """A recipe for an array that contains these rows, and the index of their first row in it."""
        return self.recipe, start

    @property
    def files(self) -> "Sequence[Recipe]":
        """A recipe for each of the files that make up the array, if there are several."""
        return ()

    def as_vector(self) -> "Source | None":
        """The same number as a vector of length 1, if the source is a lone number that may stand for one."""
        return None

    @property
    def remarks(self) -> "Sequence[Remark]":
        """What there is to tell of the reading so far: notes, and warnings."""
        return ()

    def read_ahead(self, most: int) -> None:  # noqa: B027
        """Find out the length of an array that takes fewer bytes than this, if it is not known."""

    def count(self) -> int | None:
        """How many rows there are in all; what is not read yet may be read for that."""
        return self.shape[0]

    def doubt(self, excess: int) -> str | None:
        """What may explain that there are more or, below 0, fewer rows than in another array."""
        return None

    def progress(self) -> tuple[int, int | None] | None:
        """The bytes read so far, and those in all if that is known; None if nothing is read from a file."""
        return None

    def accompany(self, others: "Sequence[Source]") -> None:  # noqa: B027
        """Pair up with the sources that are read beside this one; raises ShapeError if they do not fit."""

    def close(self) -> None:  # noqa: B027
        """Close the file, if there is one."""


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
        """Open some rows of the source that a recipe opens."""
        return cls(recipe(), start, rows)

    @classmethod
    def recipe_of(cls, source: Source, start: int, rows: int) -> "Recipe":
        """A recipe for some rows of a source."""
        recipe, start = source.narrowed(start, rows)
        return partial(cls.of, recipe, start, rows)

    def take(self, rows: int) -> Rows:
        piece = self._source.take(min(rows, self._left))
        self._left -= len(piece.values)
        return piece

    def locate(self, index: Index) -> Location | None:
        return self._source.locate((self._start + index[0], *index[1:]) if index else ())

    def close(self) -> None:
        self._source.close()


class Column(Source):
    """An array (N, 1) as the vector (N,)."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.shape = source.shape[:1]
        self.dtype = source.dtype
        self.in_memory = source.in_memory
        self.has_header = source.has_header

    @classmethod
    def of(cls, recipe: "Recipe") -> "Column":
        """Open as a vector what a recipe opens."""
        return cls(recipe())

    def take(self, rows: int) -> Rows:
        values, missing = self._source.take(rows)
        return Rows(values[:, 0], missing)

    @property
    def can_skip(self) -> bool:
        return self._source.can_skip

    def skip(self, rows: int) -> None:
        self._source.skip(rows)

    @property
    def recipe(self) -> "Recipe":
        return partial(self.of, self._source.recipe)

    def narrowed(self, start: int, rows: int) -> "tuple[Recipe, int]":
        recipe, start = self._source.narrowed(start, rows)
        return partial(self.of, recipe), start

    @property
    def files(self) -> "Sequence[Recipe]":
        return [partial(self.of, recipe) for recipe in self._source.files]

    def locate(self, index: Index) -> Location | None:
        return self._source.locate(index)

    def progress(self) -> tuple[int, int | None] | None:
        return self._source.progress()

    def accompany(self, others: "Sequence[Source]") -> None:
        self._source.accompany([other._source if isinstance(other, Column) else other for other in others])

    def close(self) -> None:
        self._source.close()


class MemorySource(Source):
    """An array in memory.

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
        start, self._next = self._next, self._next + rows
        return Rows(self._values[start : self._next])

    @property
    def can_skip(self) -> bool:
        return True

    def skip(self, rows: int) -> None:
        self._next += rows

    def locate(self, index: Index) -> Location | None:
        return None

    def whole(self) -> Array:
        return self._values


_PIECE = 1 << 16


def memory_sources(
    operation: Operation, arrays: tuple[ArrayLike | None, ...], named: Mapping[str, ArrayLike | None]
) -> dict[str, Source]:
    """The arrays of a call from Python, given by position or by name, checked for presence and type."""
    arguments = array_arguments(type(operation))
    if len(arrays) > len(arguments):
        raise ParameterError(f"{operation.name} takes {len(arguments)} arrays", found=len(arrays))
    given = dict(zip((a.name for a in arguments), arrays, strict=False))
    for name, value in named.items():
        if name in given:
            raise ParameterError(f"`{name}` is given twice", argument=name)
        if name not in {a.name for a in arguments}:
            raise unknown_argument(operation, name)
        given[name] = value
    for argument in arguments:
        if argument.required and given.get(argument.name) is None:
            raise ParameterError(f"`{argument.name}` is missing", argument=argument.name)
    sources: dict[str, Source] = {}
    for argument in arguments:
        if argument.role.many:
            sources |= _state_sources(argument.name, given[argument.name])
        elif (value := given.get(argument.name)) is not None:
            sources[argument.name] = MemorySource(_as_array(argument.name, value))
    return sources


def _state_sources(name: str, state: object) -> dict[str, Source]:
    """The arrays of a state dict, named by the argument and their own names, as in `state.head.weight`."""
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise DTypeError(f"`{name}` must be a dict of arrays", found=type(state).__name__, argument=name)
    return {f"{name}.{key}": MemorySource(_member(name, key, value)) for key, value in state.items()}


def _member(name: str, key: str, value: ArrayLike) -> Array:
    """One array of a state dict; errors name it."""
    try:
        return _as_array(name, value)
    except DataError as error:
        error.problem = f"{key}: {error.problem}"
        raise


def _as_array(name: str, value: ArrayLike) -> Array:
    if isinstance(value, np.ma.MaskedArray):
        raise DTypeError(
            f"`{name}` must not be masked: the mask would be lost",
            argument=name,
            hint="leave the masked rows out, or give them a weight of 0",
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"`{name}` is ragged: its rows differ in length or depth", argument=name) from error
    except (RuntimeError, TypeError) as error:
        # Raised by tensors that need a gradient, or whose dtype NumPy does not have.
        raise DTypeError(
            f"`{name}` cannot be read as an array: {error}",
            argument=name,
            hint="of a tensor give .detach().cpu(), and .float() of a bfloat16 one",
        ) from error
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"`{name}` must hold real numbers", found=f"dtype {array.dtype}", argument=name)
    return array
