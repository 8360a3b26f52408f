"""The arrays and the cells that are read of one table, in step."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.sources import MemorySource, Rows, Source, join_rows, joined
from losscalc.errors import Index, Location
from losscalc.inputs.cells import Cell, as_cells


class Batch(NamedTuple):
    """Some rows of a table: those of its arrays, and the cells beside them, by the names of their columns."""

    arrays: Mapping[str, Rows]
    cells: Mapping[str, Array]

    @property
    def length(self) -> int:
        """How many rows there are, which may end sooner in one column than in another of a damaged file."""
        lengths = [len(rows.values) for rows in self.arrays.values()]
        return min(lengths + [len(cells) for cells in self.cells.values()])

    def picked(self, rows: np.ndarray) -> "Batch":
        """Some of the rows, in any order."""
        return Batch(
            {name: piece.picked(rows) for name, piece in self.arrays.items()},
            {name: cells[rows] for name, cells in self.cells.items()},
        )


class Labels(MemorySource):
    """Cells beside an array that are in memory."""

    def __init__(self, cells: Sequence[Cell], location: Location) -> None:
        super().__init__(as_cells(cells))
        self._location = location

    def locate(self, index: Index) -> Location:
        return self._location.inside(index)


class Feed(NamedTuple):
    """What is read of one table."""

    arrays: Mapping[str, Source]
    cells: Mapping[str, Source]

    def take(self, rows: int) -> Batch:
        """The next rows: as many as asked for, fewer only at the end."""
        return Batch(
            {name: source.take(rows) for name, source in self.arrays.items()},
            {name: source.take(rows).values for name, source in self.cells.items()},
        )

    def locate(self, column: str, row: int | None = None) -> Location:
        """Where a cell stands, or the column."""
        return self.cells[column].locate(() if row is None else (row,)) or Location(column)

    def size(self) -> int | None:
        """How many bytes there are to read, if that is known."""
        sizes = [progress[1] for source in self.arrays.values() if (progress := source.progress())]
        return None if None in sizes or not sizes else max(size or 0 for size in sizes)

    def close(self) -> None:
        """Close what is open only for the cells."""
        for source in self.cells.values():
            source.close()


def join_batches(batches: Sequence[Batch]) -> Batch:
    """The rows of several batches, one behind the other."""
    first = batches[0]
    return Batch(
        {name: join_rows([batch.arrays[name] for batch in batches]) for name in first.arrays},
        {name: joined([batch.cells[name] for batch in batches]) for name in first.cells},
    )
