"""The record of a call: what is computed from which arrays, and how it is reduced."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

from losscalc.core.array import Array, Shape, row_size, show_shape
from losscalc.core.declaration import target_argument
from losscalc.core.operation import Operation
from losscalc.core.reductions import NONE, Reduction
from losscalc.core.shapes import Layout, fits
from losscalc.engine.findings import Examine
from losscalc.engine.sources import Labels, MemorySource, Source
from losscalc.errors import DataError, LosscalcNote, ParameterError, ShapeError

if TYPE_CHECKING:
    from losscalc.engine.rereading import Rereading

# Bytes that are read of arrays of unknown length before their shapes are judged once more.
_AHEAD, _ALL = 1 << 23, 1 << 62
Operation_co = TypeVar("Operation_co", bound=Operation, covariant=True)


class Call(NamedTuple, Generic[Operation_co]):
    """A loss or an activation, its arrays, and everything else that decides the result.

    Python and the command line make one, the engine runs it, an explanation explains it, and a hypothesis
    changes it. Arrays in memory can be used any number of times; sources are read once.
    """

    operation: Operation_co
    arrays: Mapping[str, Source | Array] = {}
    reduction: Reduction = NONE
    dtype: np.dtype | None = None
    """The dtype to which arrays are rounded first, and that of the result; by default that of the input."""
    broadcast: bool = False
    wrt: str | None = None
    """The array with respect to which the derivative is wanted, instead of the loss."""
    threads: int | None = None
    """The number of threads; by default one per core."""
    digits: int | None = None
    """The number of correct digits, if more are wanted than float64 has."""
    samples: int = 0
    """The number of rows whose numbers are kept for an explanation."""
    examine: Examine | None = None
    """What looks for signs of mistakes in each block."""
    by: Labels | None = None
    """The groups of the rows, if the loss of each group is wanted as well."""
    kept: Array | None = None
    """Which rows of the first array there are, if they are not all of them, in order."""
    files: "Rereading | None" = None
    """What reads the arrays once more in another way, if they come from tables."""
    value_only: bool = False
    """Whether nothing but the value is wanted, and not what the losses sum up to."""

    @property
    def needs_sums(self) -> bool:
        """Whether the losses have to be summed up: single ones, and most derivatives, do without that."""
        if not self.operation.reductions:
            return False
        is_array = self.reduction.keeps or self.wrt is not None
        return not (self.value_only and is_array) or self.operation.link is not None

    @property
    def sources(self) -> dict[str, Source]:
        """The arrays as sources, which are read from the first row to the last."""
        return {
            name: array if isinstance(array, Source) else MemorySource(np.asarray(array))
            for name, array in self.arrays.items()
        }

    @property
    def held(self) -> dict[str, Array]:
        """The arrays themselves, which must be in memory."""
        return {name: np.asarray(array) for name, array in self.arrays.items()}

    @property
    def layout(self) -> Layout:
        """How the arrays fit together; raises ShapeError or DTypeError where they do not."""
        sources = self.sources
        try:
            layout = self._judged(sources)
        except ShapeError as error:
            # The array may be a pattern of files, which can say which of them does not fit.
            if error.argument is not None and error.argument in sources:
                sources[error.argument].accompany(list(sources.values()))
            may_broadcast = self.operation.broadcasts and not self.broadcast
            if error.hint is None and may_broadcast and self._replace(broadcast=True)._fits():
                error.hint = "`broadcast` lets shapes broadcast, as NumPy does it"
            if self._has_classes_for_labels(sources):
                before = f"{error.hint}; " if error.hint else ""
                error.hint = f"{before}--multi-hot ' ' turns class indices into rows of 0 and 1"
            raise
        if self.wrt is not None and self.wrt in layout.cut:
            # Of a row of which a loss reads one number, the derivative has them all.
            width = max(layout.width, row_size(sources[self.wrt].shape))
            layout = layout._replace(width=width)
        own = sources[self.wrt or next(iter(sources))].dtype
        result = self.dtype or (own if own.kind == "f" else np.dtype(np.float64))
        result = result.newbyteorder("=")
        return layout if result == layout.dtype else layout._replace(dtype=result)

    def _has_classes_for_labels(self, sources: Mapping[str, Source]) -> bool:
        """Whether there is one label per row (N,) for scores (N, C), which have a label each."""
        target, scores = target_argument(type(self.operation)), next(iter(sources.values())).shape
        if target is None or target.role.kind not in ("labels", "signs") or target.name not in sources:
            return False
        shape = sources[target.name].shape
        return len(shape) == 1 and len(scores) == 2 and fits(shape, scores[:1])

    def _judged(self, sources: Mapping[str, Source]) -> Layout:
        """The layout by the lengths of the arrays, which are read for it where they are not known."""
        unknown = {name: source for name, source in sources.items() if source.shape[:1] == (None,)}
        if not unknown:
            return self._judged_so_far(sources)
        try:
            layout = self._judged_so_far(sources)
        except ShapeError:
            for source in unknown.values():
                source.read_ahead(_AHEAD)
            layout = self._judged_so_far(sources)
        # What is not cut is read as a whole anyway.
        whole = [source for name, source in unknown.items() if name not in layout.cut]
        for source in whole:
            source.read_ahead(_ALL)
        return self._judged_so_far(sources) if whole else layout

    def _judged_so_far(self, sources: Mapping[str, Source]) -> Layout:
        """The layout by what is known of the lengths."""
        shapes = {name: source.shape for name, source in sources.items()}
        dtypes = {name: source.dtype for name, source in sources.items()}
        layout = self.operation.layout(shapes, dtypes, self.broadcast)
        return layout._replace(whole=True) if self.operation.needs_whole else layout

    def aligned(self) -> "tuple[Call[Operation_co], tuple[LosscalcNote, ...]]":
        """The call with columns (N, 1) beside vectors (N,) as vectors, if it fits only so, and notes of them.

        Broadcasting would hold each number against all others: what is asked for is left alone.
        """
        sources = self.sources
        shapes = {name: source.shape for name, source in sources.items()}
        if not any(len(shape) == 2 and (1 in shape or None in shape) for shape in shapes.values()):
            return self, ()
        # Imported here, because most arrays have equally many axes.
        from losscalc.core.alignment import column_note, columns_beside_vectors, lines_beside_vectors
        from losscalc.engine.wrappers import Column

        if lines := lines_beside_vectors(shapes, self.operation.roles):
            return self._with_lines(lines), ()
        columns = columns_beside_vectors(shapes, self.operation.roles)
        if self.broadcast or not columns or self._fits():
            return self, ()
        aligned = self._replace(
            arrays={name: Column(source) if name in columns else source for name, source in sources.items()}
        )
        # A lone row, which is not cut, is no column of rows.
        if not aligned._fits() or not columns.keys() <= aligned.layout.cut:
            return self, ()
        return aligned, tuple(
            column_note(shapes, *pair, hint=self._in_pytorch(shapes, pair[0])) for pair in columns.items()
        )

    def _with_lines(self, names: list[str]) -> "Call[Operation_co]":
        """The call with tables of a single row, without names, as vectors, if it fits only so.

        Broadcasting would give the same numbers.
        """
        from losscalc.engine.wrappers import Line

        if self._fits():
            return self
        sources = self.sources
        tables = [name for name in names if sources[name].table is not None and sources[name].names is None]
        lines = [name for name in tables if sources[name].shape[0] == 1]
        arrays = {name: Line(source) if name in lines else source for name, source in sources.items()}
        aligned = self._replace(arrays=arrays)
        return aligned if lines and aligned._fits() else self

    def _in_pytorch(self, shapes: Mapping[str, Shape], column: str) -> str | None:
        """What PyTorch, if it has the loss, makes of an input or target (N, 1) beside the other, (N,)."""
        kind = self.operation.roles[column].kind
        if not self.operation.torch or kind in ("variances", "masks") or "weights" in kind:
            return None
        if not (self.operation.broadcasts and self._replace(broadcast=True)._fits()):
            return "PyTorch refuses the two"
        return f"PyTorch broadcasts the two to {show_shape(shapes[column][:1] * 2)}, as `broadcast` does"

    def _fits(self) -> bool:
        """Whether the arrays fit together."""
        try:
            _ = self.layout
        except (DataError, ParameterError):
            return False
        return True

    def changed(self, name: str, change: Callable[[Array], Array]) -> "Call[Operation_co]":
        """The call with a function applied to one of its arrays, which must be in memory."""
        return self._replace(arrays={**self.arrays, name: change(np.asarray(self.arrays[name]))})

    def without(self, name: str) -> "Call[Operation_co]":
        """The call without one of its arrays."""
        return self._replace(arrays={key: array for key, array in self.arrays.items() if key != name})

    def having(self, **settings: Any) -> "Call[Operation_co]":
        """The call with other parameters."""
        now = {**self.operation.settings, "like": self.operation.like}
        return self._replace(operation=type(self.operation)(**{**now, **settings}))


AnyCall = Call[Operation]
"""A call of a loss or of an activation."""
