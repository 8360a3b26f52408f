"""Sources, which give the numbers of one array as a stream of rows."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, Shape
from losscalc.errors import (
    DataError,
    Index,
    Location,
    LosscalcError,
    Remark,
    ShapeError,
)


class Rows(NamedTuple):
    """Consecutive rows of an array, and a mask of those that lack a number."""

    values: Array
    missing: np.ndarray | None = None
    faults: tuple[tuple[int, LosscalcError], ...] = ()
    """The rows that could not be read, and why, if a reader was told not to raise that."""
    excluded: np.ndarray | None = None
    """A mask of the rows that take no part."""

    def cut(self, start: int, stop: int) -> "Rows":
        """The rows from one to before another."""
        missing = None if self.missing is None else self.missing[start:stop]
        faults = tuple((row - start, fault) for row, fault in self.faults if start <= row < stop)
        excluded = None if self.excluded is None else self.excluded[start:stop]
        return Rows(self.values[start:stop], missing, faults, excluded)

    def picked(self, rows: np.ndarray) -> "Rows":
        """Some of the rows, in any order."""
        places = (
            np.flatnonzero(np.isin(rows, [row for row, _ in self.faults])).tolist() if self.faults else []
        )
        known = dict(self.faults)
        faults = tuple((place, known[int(rows[place])]) for place in places)
        return Rows(self.values[rows], None if self.missing is None else self.missing[rows], faults)

    def excluding(self, excluded: np.ndarray) -> "Rows":
        """The rows, of which some take no part; raises the fault of one that does and could not be read."""
        fault = next((fault for row, fault in self.faults if not excluded[row]), None)
        if fault is not None:
            raise fault
        return Rows(self.values, self.missing, excluded=excluded)


def join_rows(pieces: Sequence[Rows]) -> Rows:
    """Join the rows of one or more pieces; a single piece is not copied."""
    if len(pieces) == 1:
        return pieces[0]
    values = joined([piece.values for piece in pieces])
    starts = np.cumsum([0, *(len(piece.values) for piece in pieces)]).tolist()
    faults = tuple(
        (start + row, fault)
        for start, piece in zip(starts, pieces, strict=False)
        for row, fault in piece.faults
    )
    missing, excluded = (
        _joined_masks([(len(piece.values), mask) for piece, mask in zip(pieces, masks, strict=True)])
        for masks in ([piece.missing for piece in pieces], [piece.excluded for piece in pieces])
    )
    return Rows(values, missing, faults, excluded)


def joined(arrays: Sequence[Array]) -> Array:
    """Arrays one behind the other; texts beside numbers stay what they are."""
    if len({array.dtype.kind for array in arrays}) > 1 and any(a.dtype.kind in "OS" for a in arrays):
        return np.concatenate([array.astype(object) for array in arrays])
    return np.concatenate(arrays)


def _joined_masks(masks: Sequence[tuple[int, np.ndarray | None]]) -> np.ndarray | None:
    """Join masks with their lengths, where None stands for one of zeros."""
    if all(mask is None for _, mask in masks):
        return None
    return np.concatenate([np.zeros(length, bool) if mask is None else mask for length, mask in masks])


class Selection(NamedTuple):
    """The columns of a table that an array is read from."""

    columns: tuple[int, ...]
    """Their numbers, counted from 0."""
    width: int
    """How many columns the table has."""
    names: tuple[str, ...] = ()
    """The names of all of them, if the table has a header."""
    place: str = ""
    """Where the table is: arrays of one table have the same."""

    @property
    def others(self) -> tuple[int, ...]:
        """The columns that are left out."""
        return tuple(column for column in range(self.width) if column not in self.columns)


class Source:
    """One array that is read from its first row to its last, once.

    `shape` starts with None while the number of rows is not known. It is no ABC: in a small call, to ask of
    each array whether it is an instance of one would take as long as to compute the loss.
    """

    shape: Shape
    dtype: np.dtype
    in_memory = False
    """Whether taking rows copies nothing."""
    array: Array | None = None
    """The numbers themselves, if they are in memory and no row lacks any."""
    has_header = False
    """Whether the shape stands in the header of a file, and can be known without reading the rows."""
    rows_at_once: int | None = None
    """How many rows are best taken at once, where others read the same file in step; None for any number."""
    table: str | None = None
    """The table of which the array is some columns, by its place in the file; None if it is of none."""
    opened_by: "Recipe | None" = None
    """A picklable recipe that opens the same array once more, from its first row."""
    names: "Sequence[str] | None" = None
    """The names of the columns that make up the rows, if the array is read from a table that has them."""
    beside: "Sequence[str]" = ()
    """The names of all columns of that table."""
    witnesses: "Sequence[str]" = ()
    """Those of them whose cells can be read whatever they are, to see whether rows belong together."""
    top: "Sequence[Sequence[str]]" = ()
    """The cells of the first lines of that table, if none of these was taken as a header."""
    labels: "Mapping[str, Source]" = MappingProxyType({})
    """What tells rows apart, by name, where it is no array of the file: keys of objects, lists of texts."""
    selection: "Selection | None" = None
    """The columns of a table that the array is read from, if it is read from one."""
    is_chosen = False
    """Whether these columns were named, rather than read because they are all there are."""
    within: str = ""
    """What a part needs before the name of such a column, if the file holds several tables."""

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
            if piece.faults:
                raise piece.faults[0][1]
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

    def origins(self, rows: np.ndarray) -> np.ndarray:
        """Where rows come from: their places in what is read, if they are not given in its order."""
        return rows

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

    def read_ahead(self, most: int) -> None:
        """Find out the length of an array that takes fewer bytes than this, if it is not known."""

    def count(self) -> int | None:
        """How many rows there are in all; what is not read yet may be read for that."""
        return self.shape[0]

    def doubt(self, excess: int) -> str | None:
        """What may explain that there are more or, below 0, fewer rows than in another array."""
        return None

    def part_of(self, names: "Sequence[str]") -> str | None:
        """The part that means the columns of these names, as it has to be typed; None if none does."""
        return None

    def without(self, columns: Collection[int]) -> str | None:
        """The part of a file that means the columns of the array but for some; None if it is of no table."""
        return None

    def progress(self) -> tuple[int, int | None] | None:
        """The bytes read so far, and those in all if that is known; None if nothing is read from a file."""
        return None

    def accompany(self, others: "Sequence[Source]") -> None:
        """Pair up with the sources that are read beside this one; raises ShapeError if they do not fit."""

    def close(self) -> None:
        """Close the file, if there is one."""


Recipe = Callable[[], Source]
Group = str | float
"""What the rows of a group have in common."""


def _itself(source: Source) -> Source:
    from copy import copy

    return copy(source)


class Labels(Source):
    """The number of the group that each row is of; groups are numbered as they are met."""

    groups: "Sequence[Group]"
    """The groups that were met so far."""


class MemorySource(Source):
    """An array in memory.

    >>> MemorySource(np.arange(3.0)).take(2).values
    array([0., 1.])
    """

    in_memory = True

    def __init__(self, values: Array) -> None:
        self._values = self.array = values
        self._next = 0
        self.shape = values.shape
        self.dtype = values.dtype

    def take(self, rows: int) -> Rows:
        start, self._next = self._next, self._next + rows
        return Rows(self._values[start : self._next])

    def restart(self) -> None:
        """Begin at the first row again."""
        self._next = 0

    @property
    def can_skip(self) -> bool:
        return True

    def skip(self, rows: int) -> None:
        self._next += rows

    def locate(self, index: Index) -> Location | None:
        return None

    def whole(self) -> Array:
        return self._values


class MemoryLabels(MemorySource, Labels):
    """The numbers of the groups of rows in memory."""

    def __init__(self, numbers: Array, groups: "Sequence[Group]") -> None:
        super().__init__(numbers)
        self.groups = groups


_PIECE = 1 << 16


def common_length(pieces: Mapping[str, Rows], start: int, rows: int) -> int:
    """The number of rows that every piece has; arrays of different lengths are an error."""
    lengths = {name: len(piece.values) for name, piece in pieces.items()}
    shortest = min(lengths, key=lengths.__getitem__)
    longest = max(lengths, key=lengths.__getitem__)
    if lengths[shortest] < lengths[longest]:
        more = "more" if lengths[longest] == rows else str(start + lengths[longest])
        count = start + lengths[shortest]
        raise ShapeError(
            f"`{shortest}` has {count} row{'s' * (count != 1)} and `{longest}` has {more}; "
            "they must have the same number",
            argument=shortest,
        )
    return lengths[shortest]
