"""Cuts arrays into blocks, maps a loss over them, merges and finishes.

Single losses do not depend on their neighbours, and sums are exact. An array in memory, a file that is
read as it is needed and any number of workers therefore give the same bits, wherever blocks begin.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, row_size
from losscalc.core.exactsum import EMPTY
from losscalc.core.matrices import remembering
from losscalc.core.reductions import SUM, Partial, Reduction
from losscalc.core.roles import check_dtype
from losscalc.core.shapes import Layout
from losscalc.engine import threads as workers
from losscalc.engine.block import Block, Evaluable, Evaluation, Examine, Findings, Outcome, Sample, rounded
from losscalc.engine.collect import Added, Collector, Kept
from losscalc.engine.sources import Rows, Source
from losscalc.errors import LosscalcWarning, ShapeError

# 1 MiB of float64: the temporaries of a formula stay in cache, and what Python does for each block, one
# thread at a time, takes a small part of the time that NumPy needs (measured on two threads: with 65,536
# they wait for one another a third of the time).
BLOCK = 131_072
# What is handed to a thread at once, and what of it is read from files: so many bytes of all arrays.
_BLOCKS = 8
_PIECE = 1 << 22


# glibc's allocator fetches each large array from the system, page by page, and gives it back, until one
# of this size (the most that counts) was freed. Those of blocks then come from memory that is there.
_ = np.empty(31 << 20, np.uint8)
del _

Arrays = dict[str, Array]
Distribute = Callable[[Evaluation, Mapping[str, Source]], Iterator[list[Outcome]]]
"""A way to compute the blocks of a call elsewhere: their outcomes, in order."""


class Computation(NamedTuple):
    """The outcome of all blocks: the values or, reduced, the one number they came to."""

    value: Array
    partial: Partial
    warnings: tuple[LosscalcWarning, ...]
    dropped: int
    samples: tuple[Sample, ...] = ()


def compute(
    operation: Evaluable,
    sources: Mapping[str, Source],
    reduction: Reduction,
    *,
    dtype: np.dtype | None = None,
    broadcast: bool = False,
    wrt: str | None = None,
    samples: int = 0,
    examine: Examine | None = None,
    mapper: workers.Mapper | None = None,
    collector: Collector | None = None,
    distribute: Distribute | None = None,
) -> Computation:
    """Map an operation over the blocks of its arrays, and reduce.

    With `wrt` the value is the derivative of the reduced loss with respect to that array; for 'none', of
    the sum. `samples` is the number of rows whose numbers are kept, for an explanation;
    `examine` looks for signs of mistakes in each block, and `mapper` is how pieces are mapped over, one
    after the other unless given. `collector` takes in what grows with the number of rows; `distribute`
    has everything read and computed elsewhere.
    """
    dtypes = {name: source.dtype for name, source in sources.items()}
    layout = fit(operation, sources, broadcast)
    first = next(iter(sources))
    for name in sources:
        check_dtype(name, dtypes[name], scores=name == first, indices=name in layout.indices)
    own = dtypes[wrt or first]
    result = dtype or (own if own.kind == "f" else np.dtype(np.float64))
    result = result.newbyteorder("=")
    if wrt is not None and reduction.keeps:
        reduction = SUM
    evaluation = Evaluation(
        operation,
        operation.roles,
        layout,
        result,
        dtype is not None,
        reduction,
        wrt,
        samples,
        examine,
        max(1, BLOCK // max(1, layout.width)),
    )
    with remembering():
        if distribute is not None:
            outcomes = distribute(evaluation, sources)
        else:
            outcomes = (mapper or map)(evaluation.evaluate, cut(sources, layout, evaluation.ready))
        return _merge(chain.from_iterable(outcomes), evaluation, _collector(collector, layout, wrt))


def fit(operation: Evaluable, sources: Mapping[str, Source], broadcast: bool = False) -> Layout:
    """How the arrays of a call fit together; what does not is told of the part of an array that it is in."""
    shapes = {name: source.shape for name, source in sources.items()}
    try:
        return operation.layout(shapes, {name: source.dtype for name, source in sources.items()}, broadcast)
    except ShapeError as error:
        if error.argument is not None and error.argument in sources:
            sources[error.argument].accompany(list(sources.values()))
        raise


def cut(
    sources: Mapping[str, Source],
    layout: Layout,
    ready: Callable[[Arrays], Arrays] = dict,
    *,
    is_first: bool = True,
) -> Iterator[Block]:
    """The pieces of a call, in order; `ready` is done once to the arrays that are in all of them.

    `is_first` says whether the first of them is the first of all that there are.
    """
    whole = ready({name: source.whole() for name, source in sources.items() if name not in layout.cut})
    if not layout.cut:
        yield Block(whole, is_first=is_first)
        return
    together = [sources[name] for name in sources if name in layout.cut]
    for source in together:
        source.accompany(together)
    rows = piece_rows(sources, layout)
    start = 0
    while True:
        pieces = {name: sources[name].take(rows) for name in sources if name in layout.cut}
        length = _common_length(pieces, start, rows)
        if length or not start:
            block = _block({**pieces, **{n: Rows(v) for n, v in whole.items()}}, sources, layout, start)
            yield block._replace(is_first=is_first and not start)
        if length < rows:
            return
        start += length


def piece_rows(sources: Mapping[str, Source], layout: Layout) -> int:
    """How many rows are read at once."""
    read = [sources[name] for name in layout.cut if not sources[name].in_memory]
    size = sum(row_size(source.shape) * source.dtype.itemsize for source in read)
    rows = _BLOCKS * BLOCK // max(1, layout.width)
    return max(1, min(rows, _PIECE // size) if size else rows)


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


def _collector(given: Collector | None, layout: Layout, wrt: str | None) -> Collector:
    """What takes in the arrays of blocks; those of the derivative of a whole array add up."""
    if wrt is not None and wrt not in layout.cut:
        return Added()
    return given if given is not None and layout.cut else Kept()


def _merge(outcomes: Iterator[Outcome], evaluation: Evaluation, kept: Collector) -> Computation:
    reduction, wrt = evaluation.reduction, evaluation.wrt
    partial = Partial(evaluation.operation)
    warnings: dict[str, LosscalcWarning] = {}
    dropped = 0
    samples = []
    findings: Findings | None = None
    for outcome in outcomes:
        partial += outcome.partial
        dropped += outcome.dropped
        for warning in outcome.warnings:
            warnings.setdefault(warning.problem, warning)
        if outcome.value is not None:
            kept.add(outcome.value)
        if outcome.sample is not None:
            samples.append(outcome.sample)
        if outcome.findings is not None:
            findings = outcome.findings if findings is None else findings + outcome.findings
    remarks = [*warnings.values(), *(findings.warnings if findings is not None else ())]
    if reduction.keeps:
        return Computation(kept.finish(None), partial, tuple(remarks), dropped, tuple(samples))
    end = _Ending(reduction, partial, evaluation.dtype)
    with np.errstate(all="ignore"):
        value = end.number() if wrt is None else kept.finish(end.slope)
    return Computation(value, partial, (*remarks, *end.warnings), dropped, tuple(samples))


def finish(
    partial: Partial, reduction: Reduction, dtype: np.dtype
) -> tuple[Array, tuple[LosscalcWarning, ...]]:
    """The one number that sums come to in a dtype, and why it is not finite if the losses were."""
    end = _Ending(reduction, partial, dtype)
    with np.errstate(all="ignore"):
        return end.number(), end.warnings


class _Ending:
    """What is done to a result when its divisor is known."""

    def __init__(self, reduction: Reduction, partial: Partial, dtype: np.dtype) -> None:
        self._reduction = reduction
        self._partial = partial
        self._dtype = dtype
        self._was_finite = True
        self._is_finite = True

    @property
    def warnings(self) -> tuple[LosscalcWarning, ...]:
        """What there is to say about a result that is not finite, though what it is made of was."""
        if not self._was_finite or self._is_finite:
            return ()
        return (_why_nonfinite(self._partial, self._reduction, self._dtype),)

    def number(self) -> Array:
        """The reduced loss."""
        value = np.asarray(self._reduction.finish(self._partial))
        self._was_finite = self._partial.numerator.special == 0
        return self._rounded(value)

    def slope(self, slope: Array) -> Array:
        """A part of the derivative of the reduced loss."""
        self._was_finite &= bool(np.isfinite(slope).all())
        return self._rounded(_scaled(slope, self._reduction, self._partial))

    def _rounded(self, value: Array) -> Array:
        value = rounded(value, self._dtype)
        self._is_finite &= bool(np.isfinite(value).all())
        return value


def _scaled(slope: Array, reduction: Reduction, partial: Partial) -> Array:
    """The derivative of a reduced loss; where no row takes part it is 0, whatever the reduction."""
    divisor = float(reduction.denominator(partial))
    return slope / divisor if partial.count else slope


def _why_nonfinite(partial: Partial, reduction: Reduction, dtype: np.dtype) -> LosscalcWarning:
    """Why finite losses did not come to a finite number."""
    if reduction.denominator(partial) != EMPTY:
        problem = f"the {reduction.name} is outside the range of {dtype}"
    elif partial.count:
        problem = f"the weights sum to 0, and the {reduction.name} divides by their sum"
    else:
        cause = "every target is ignored" if partial.ignored else "there are no values"
        problem = f"{cause}, so the {reduction.name} is empty"
    return LosscalcWarning(problem)
