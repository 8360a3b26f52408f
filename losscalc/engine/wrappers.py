"""Sources made of another source: some of its rows, or its rows changed."""

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np

from losscalc.engine.sources import Recipe, Rows, Source
from losscalc.errors import Index, Location, Remark


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


class Wrapper(Source):
    """Another source with its rows changed; where they are, and what there is to tell of them, stays."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.shape = source.shape
        self.dtype = source.dtype
        self.in_memory = source.in_memory
        self.has_header = source.has_header
        self.rows_at_once = source.rows_at_once
        self.names, self.beside, self.table = source.names, source.beside, source.table
        self.witnesses, self.top = source.witnesses, source.top
        self.selection, self.is_chosen = source.selection, source.is_chosen

    def locate(self, index: Index) -> Location | None:
        return self._source.locate(index)

    @property
    def remarks(self) -> "Sequence[Remark]":
        return self._source.remarks

    def count(self) -> int | None:
        return self._source.count()

    def doubt(self, excess: int) -> str | None:
        return self._source.doubt(excess)

    def part_of(self, names: "Sequence[str]") -> str | None:
        return self._source.part_of(names)

    def without(self, columns: Collection[int]) -> str | None:
        return self._source.without(columns)

    def progress(self) -> tuple[int, int | None] | None:
        return self._source.progress()

    def close(self) -> None:
        self._source.close()


class Line(Wrapper):
    """The only row of an array (1, N) as the vector (N,)."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.shape = source.shape[1:]
        self._left: Rows | None = None

    def take(self, rows: int) -> Rows:
        if self._left is None:
            piece = self._source.take(1)
            numbers = piece.values[0]
            lacks = piece.missing is not None and piece.missing.any()
            self._left = Rows(numbers, np.isnan(numbers) if lacks else None)
        piece, self._left = self._left.cut(0, rows), self._left.cut(rows, len(self._left.values))
        return piece

    def locate(self, index: Index) -> Location | None:
        return self._source.locate((0, *index))


class Column(Wrapper):
    """An array (N, 1) as the vector (N,)."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.shape = source.shape[:1]

    @classmethod
    def of(cls, recipe: "Recipe") -> "Column":
        """Open as a vector what a recipe opens."""
        return cls(recipe())

    def take(self, rows: int) -> Rows:
        piece = self._source.take(rows)
        return piece._replace(values=piece.values[:, 0])

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

    def origins(self, rows: np.ndarray) -> np.ndarray:
        return self._source.origins(rows)

    def accompany(self, others: "Sequence[Source]") -> None:
        self._source.accompany([other._source if isinstance(other, Column) else other for other in others])
