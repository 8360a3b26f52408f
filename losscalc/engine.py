"""Cuts arrays into blocks, maps a loss over them, merges and finishes.

The borders of blocks depend on the shape of a row alone. An array in memory, a file that is read as
it is needed and several workers therefore give the same bits.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from losscalc.arrays import Array, Layout, Role, Shape, as_indices, as_real, check_dtype
from losscalc.errors import DomainError, LosscalcError, LosscalcWarning, ShapeError
from losscalc.reductions import Partial, Reduction, Terms
from losscalc.sources import Rows, Source
from losscalc.summation import EMPTY

# 128 KiB of float64: the temporaries of a formula stay in cache, and below the size from which
# the allocator maps fresh pages for each of them (measured: twice the time at 65,536).
BLOCK = 16_384


class Evaluable(Protocol):
    """What the engine needs to know of a loss or an activation."""

    @property
    def roles(self) -> Mapping[str, Role]:
        """The role of each array."""

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """How arrays of these shapes fit together; raises ShapeError or DTypeError."""

    def terms(self, *arrays: Array, **named: Array) -> Terms:
        """The losses of one block."""


class Block(NamedTuple):
    """Some consecutive rows of all arrays of a call."""

    arrays: dict[str, Array]
    start: int = 0
    kept: np.ndarray | None = None
    """The rows of the block that are left when others had no number, or None for all."""
    dropped: int = 0

    def original(self, row: int) -> int:
        """The row of the whole array that is row `row` of the block."""
        return self.start + (row if self.kept is None else int(self.kept[row]))


class Outcome(NamedTuple):
    """What a block came to."""

    partial: Partial
    value: Array | None
    warnings: tuple[LosscalcWarning, ...] = ()
    dropped: int = 0


class Evaluation(NamedTuple):
    """Everything that is done to a block: picklable, and without state."""

    operation: Evaluable
    roles: Mapping[str, Role]
    layout: Layout
    dtype: np.dtype
    cast: bool
    """Whether arrays are rounded to `dtype` before they are used."""
    keep: bool
    """Whether the values of the block are wanted, or only their sums."""

    def evaluate(self, block: Block) -> Outcome:
        """The outcome of one block."""
        try:
            with np.errstate(all="ignore"):
                return self._evaluate(block)
        except LosscalcError as error:
            self._place(error, block)
            raise

    def _evaluate(self, block: Block) -> Outcome:
        arrays: dict[str, Array] = {}
        warnings = []
        for name, values in block.arrays.items():
            if name in self.layout.indices:
                arrays[name] = as_indices(name, values)
                continue
            arrays[name] = self._real(name, values)
            if warning := _check_domain(name, arrays[name], self.roles[name]):
                self._place(warning, block)
                warnings.append(warning)
        terms = self.operation.terms(**arrays)
        partial = Partial.of(self.operation, terms)
        value = _rounded(terms.value, self.dtype) if self.keep else None
        checked = terms.value if value is None else value
        if not np.isfinite(checked).all():
            warning = self._nonfinite(block, checked)
            self._place(warning, block)
            warnings.append(warning)
        return Outcome(partial, value, tuple(warnings), block.dropped)

    def _nonfinite(self, block: Block, values: Array) -> LosscalcWarning:
        """The warning for results that are NaN or infinite, with the row of the first."""
        argument = next((name for name in block.arrays if name in self.layout.cut), next(iter(block.arrays)))
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        index = place if values.shape == block.arrays[argument].shape else place[:1]
        return LosscalcWarning("a result is not finite", found=values[place], argument=argument, index=index)

    def _real(self, name: str, values: Array) -> Array:
        if not self.cast or values.dtype == self.dtype:
            return as_real(values)
        rounded = as_real(values.astype(self.dtype))
        lost = np.argwhere(np.isinf(rounded) & np.isfinite(values))
        if len(lost):
            raise DomainError(
                f"`{name}` does not fit into {self.dtype}",
                found=values[tuple(lost[0])],
                argument=name,
                index=tuple(int(i) for i in lost[0]),
            )
        return rounded

    def _place(self, remark: LosscalcError | LosscalcWarning, block: Block) -> None:
        """Turn an index into the block into an index into the whole array."""
        if remark.index and remark.argument in self.layout.cut:
            remark.index = (block.original(remark.index[0]), *remark.index[1:])


class Computation(NamedTuple):
    """The outcome of all blocks: the values or, reduced, the one number they came to."""

    value: Array
    partial: Partial
    warnings: tuple[LosscalcWarning, ...]
    dropped: int


def compute(
    operation: Evaluable,
    sources: Mapping[str, Source],
    reduction: Reduction,
    *,
    dtype: np.dtype | None = None,
    broadcast: bool = False,
) -> Computation:
    """Map an operation over the blocks of its arrays, and reduce."""
    shapes = {name: source.shape for name, source in sources.items()}
    dtypes = {name: source.dtype for name, source in sources.items()}
    layout = operation.layout(shapes, dtypes, broadcast)
    first = next(iter(sources))
    for name in sources:
        check_dtype(name, dtypes[name], scores=name == first, indices=name in layout.indices)
    result = dtype or (dtypes[first] if dtypes[first].kind == "f" else np.dtype(np.float64))
    result = result.newbyteorder("=")
    keep = reduction.finish is None
    evaluation = Evaluation(operation, operation.roles, layout, result, cast=dtype is not None, keep=keep)
    return _merge(map(evaluation.evaluate, cut(sources, layout)), operation, reduction, layout, result)


def cut(sources: Mapping[str, Source], layout: Layout) -> Iterator[Block]:
    """The blocks of a call, in order."""
    whole = {name: source.whole() for name, source in sources.items() if name not in layout.cut}
    if not layout.cut:
        yield Block(whole)
        return
    rows = max(1, BLOCK // max(1, layout.width))
    start = 0
    while True:
        pieces = {name: sources[name].take(rows) for name in sources if name in layout.cut}
        length = _common_length(pieces, start, rows)
        if length or not start:
            yield _block({**pieces, **{n: Rows(v) for n, v in whole.items()}}, sources, layout, start)
        if length < rows:
            return
        start += length


def _block(pieces: Mapping[str, Rows], sources: Mapping[str, Source], layout: Layout, start: int) -> Block:
    """One block, without the rows in which some array lacks a number."""
    arrays = {name: pieces[name].values for name in sources}
    missing = [piece.missing for piece in pieces.values() if piece.missing is not None]
    if not missing:
        return Block(arrays, start)
    kept = np.flatnonzero(~np.logical_or.reduce(missing))
    dropped = len(missing[0]) - len(kept)
    arrays = {name: values[kept] if name in layout.cut else values for name, values in arrays.items()}
    return Block(arrays, start, kept, dropped)


def _common_length(pieces: Mapping[str, Rows], start: int, rows: int) -> int:
    """The number of rows that every piece has; arrays of different lengths are an error."""
    lengths = {name: len(piece.values) for name, piece in pieces.items()}
    shortest = min(lengths, key=lambda name: lengths[name])
    longest = max(lengths, key=lambda name: lengths[name])
    if lengths[shortest] < lengths[longest]:
        more = "more" if lengths[longest] == rows else str(start + lengths[longest])
        raise ShapeError(
            f"`{shortest}` has {start + lengths[shortest]} rows and `{longest}` has {more}; "
            "they must have equally many",
            argument=shortest,
        )
    return lengths[shortest]


def _merge(
    outcomes: Iterator[Outcome], operation: Evaluable, reduction: Reduction, layout: Layout, dtype: np.dtype
) -> Computation:
    partial = Partial(operation)
    values = []
    warnings: dict[str, LosscalcWarning] = {}
    dropped = 0
    for outcome in outcomes:
        partial += outcome.partial
        dropped += outcome.dropped
        for warning in outcome.warnings:
            warnings.setdefault(warning.problem, warning)
        if outcome.value is not None:
            values.append(outcome.value)
    if reduction.finish is None:
        value = values[0] if not layout.cut else np.concatenate(values)
        return Computation(value, partial, tuple(warnings.values()), dropped)
    with np.errstate(all="ignore"):
        value = _rounded(np.asarray(reduction.finish(partial)), dtype)
    remarks = list(warnings.values())
    if not np.isfinite(value) and partial.numerator.special == 0:
        remarks.append(_why_nonfinite(partial, reduction, dtype))
    return Computation(value, partial, tuple(remarks), dropped)


def _rounded(values: Array, dtype: np.dtype) -> Array:
    """Values in the dtype of the result; adding 0 turns -0.0 into 0.0 and leaves all others alone."""
    return np.asarray(values.astype(dtype) + dtype.type(0))


def _why_nonfinite(partial: Partial, reduction: Reduction, dtype: np.dtype) -> LosscalcWarning:
    """Why finite losses did not come to a finite number."""
    if partial.denominator != EMPTY:
        problem = f"the {reduction.name} is outside the range of {dtype}"
    elif partial.count:
        problem = f"the weights sum to 0, and the {reduction.name} divides by their sum"
    else:
        cause = "every target is ignored" if partial.ignored else "there are no values"
        problem = f"{cause}, so the {reduction.name} is empty"
    return LosscalcWarning(problem)


def _check_domain(name: str, values: Array, role: Role) -> LosscalcWarning | None:
    """Raise for a value outside the domain of its role; warn for one that is merely unusual."""
    if role.domain is not None and (index := role.domain.first_outside(values)) is not None:
        raise DomainError(
            f"`{name}` must be {role.domain}", found=values[index], argument=name, index=index, hint=role.hint
        )
    if role.advised is None or (index := role.advised.first_outside(np.nan_to_num(values))) is None:
        return None
    return LosscalcWarning(
        f"`{name}` should be {role.advised}; outside, the loss can be negative",
        found=values[index],
        argument=name,
        index=index,
    )
