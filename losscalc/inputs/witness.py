"""Columns that several tables have, and that show rows out of order though no name says that they are ids."""

from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.inputs.cells import Cell
from losscalc.inputs.keys import Marks, marks

# Of so many values, or as many as there are rows, two columns that have nothing to do with one another
# hardly ever have each equally often: of two classes, two predictions easily do.
_TELLING = 8
# So many rows are kept, of which a few are enough to tell.
_MOST = 1 << 16
_WORD = 1 << 64


class Difference(NamedTuple):
    """The first row in which two columns differ, and what each has there."""

    row: int
    cells: tuple[Cell, Cell]


class Witness:
    """A column of two tables, seen some rows at a time.

    Rows are out of order if one table has the same values as the other in another order, or if values that
    tell its rows apart stand beside other rows of the other table. Else a column may be called alike and be
    another one, such as the score of another model.
    """

    def __init__(self) -> None:
        self.difference: Difference | None = None
        self._rows = 0
        self._excess = 0
        """What the marks of one column add up to beyond those of the other."""
        self._values: set[int] = set()
        """The marks of some values of the first column."""
        self._kept: list[tuple[Marks, Marks]] = []
        """The marks of both columns, from about the first row on in which they differ."""
        self._may_be_key = True

    def see(self, left: Array, right: Array) -> None:
        """Compare the next rows."""
        count = min(len(left), len(right))
        left, right = left[:count], right[:count]
        mine, theirs = marks(left), marks(right)
        rows = np.flatnonzero(mine != theirs)
        self._may_be_key = self._may_be_key and not any(map(self._is_no_key, (left, right)))
        if len(self._values) < _TELLING:
            self._values |= set(np.unique(mine)[:_TELLING].tolist())
        if len(rows):
            self._note(rows, left, right)
            excess = int(np.add.reduce(mine[rows])) - int(np.add.reduce(theirs[rows]))
            self._excess = (self._excess + excess) % _WORD
        if self.difference is not None and sum(len(kept) for kept, _ in self._kept) < _MOST:
            self._kept.append((mine, theirs))
        self._rows += count

    @property
    def is_out_of_order(self) -> bool:
        """Whether the rows so far do not belong together."""
        if self.difference is None:
            return False
        is_telling = len(self._values) >= min(_TELLING, self._rows)
        return (is_telling and not self._excess) or (self._may_be_key and self._stand_elsewhere())

    def _stand_elsewhere(self) -> bool:
        """Whether values that stand in one row each stand in another row of the other table."""
        mine, theirs = map(np.concatenate, zip(*self._kept, strict=True))
        if any(len(np.unique(each)) < len(each) for each in (mine, theirs)):
            return False
        rows = mine != theirs
        common = np.intersect1d(mine[rows], theirs[rows])
        return len(common) >= min(_TELLING, max(2, int(np.count_nonzero(rows)) // 2))

    def _is_no_key(self, cells: Array) -> bool:
        """Whether cells merely count the rows, which every table can do, or are measured."""
        if cells.dtype.kind != "f" or not len(cells):
            return False
        start = cells[0] - self._rows
        is_count = start in (0, 1) and np.array_equal(cells, start + self._rows + np.arange(len(cells)))
        return is_count or bool((cells != np.floor(cells)).any())

    def _note(self, rows: Array, left: Array, right: Array) -> None:
        if self.difference is None:
            first = int(rows[0])
            cells = left[first : first + 1].tolist()[0], right[first : first + 1].tolist()[0]
            self.difference = Difference(self._rows + first, cells)
