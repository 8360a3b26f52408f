"""Cuts arrays into blocks, maps a loss over them, merges and finishes.

Single losses do not depend on their neighbours, and sums are exact. An array in memory, a file that is
read as it is needed and any number of workers therefore give the same bits, wherever blocks begin.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial as bound
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losscalc.core.array import Array, row_size
from losscalc.core.reductions import SUM, Partial
from losscalc.core.roles import check_dtype
from losscalc.core.shapes import Layout
from losscalc.engine.block import Block, block_rows, ready
from losscalc.engine.call import AnyCall
from losscalc.engine.collect import Added, Collector, Kept
from losscalc.engine.ending import Slopes, finish
from losscalc.engine.findings import Findings
from losscalc.engine.forecast import Forecast, UnforeseenError
from losscalc.engine.outcome import Outcome, Sample
from losscalc.engine.sources import Group, Labels, MemoryLabels, MemorySource, Rows, Source, common_length
from losscalc.engine.threads import cores, on_threads, take_turns
from losscalc.engine.work import Put, Work
from losscalc.errors import LosscalcWarning

if TYPE_CHECKING:
    from losscalc.core.groupsums import GroupTotals

# A thread gets so many small blocks at once, but never more bytes read from files than one piece.
_BLOCKS = 4
_PIECE = 1 << 22

_BY = "by"
"""The name of the array of groups, in messages."""
Run = Callable[[AnyCall, Layout], Iterator[list[Outcome]]]
"""A way to compute the blocks of a call; it yields their outcomes in order."""
Watch = Callable[[Iterator[Block]], Iterator[Block]]
"""Passes the blocks of a call on as they are drawn, for a progress bar."""
Prepare = Callable[[dict[str, Array]], dict[str, Array]]
"""Converts arrays that are in all blocks of a call, once."""


class Computation(NamedTuple):
    """The result of a call: the values of all elements or the reduced loss, with sums and warnings."""

    value: Array
    partial: Partial
    warnings: tuple[LosscalcWarning, ...]
    dropped: int
    samples: tuple[Sample, ...] = ()
    groups: Mapping[Group, Partial] = {}
    """The sums of each group of rows, if there are groups, in the order in which they were met."""


def compute(call: AnyCall, run: Run | None = None, collector: Collector | None = None) -> Computation:
    """Map an operation over the blocks of its arrays, and reduce the results.

    With `wrt` the value is the derivative of the reduced loss with respect to that array; for 'none', that
    of the sum. `run` computes the blocks, on the threads of this machine unless given. `collector` takes
    values that grow with the number of rows. With `digits` the values are decimal numbers.
    """
    if call.digits is not None:
        from losscalc.engine import digits

        return digits.compute(call, call.digits)
    layout = call.layout
    first = next(iter(call.arrays))
    for name, array in call.arrays.items():
        check_dtype(name, array.dtype, scores=name == first, indices=name in layout.indices)
    if call.wrt is not None and call.reduction.keeps:
        call = call._replace(reduction=SUM)
    kept = _collector(collector, call, layout)
    if run is None and isinstance(kept, Kept) and kept.rows is not None:
        return _in_place(call, layout, kept.rows)
    return _merge((run or here)(call, layout), call, layout, kept)


def _in_place(call: AnyCall, layout: Layout, rows: int) -> Computation:
    """Compute derivatives that the threads put in their place; arrays in memory allow for a forecast."""
    memory = [source for source in call.sources.values() if isinstance(source, MemorySource)]
    is_known = call.by is None and len(memory) == len(call.arrays)
    if is_known and rows > block_rows(layout):
        computation = _foretold(call, layout, rows)
        if computation is not None:
            return computation
        for source in memory:
            source.restart()
    kept = Kept(rows, call.threads)

    def put(outcome: Outcome, start: int) -> None:
        assert outcome.value is not None
        kept.put(outcome.value, start)

    return _merge(here(call, layout, put=put), call, layout, kept)


def _foretold(call: AnyCall, layout: Layout, rows: int) -> Computation | None:
    """Divide derivatives while they are computed; None, and nothing else, if that proves to be wrong."""
    forecast = Forecast(call, layout.dtype, Kept(rows, call.threads))
    try:
        return _merge(here(call, layout, put=forecast.put), call, layout, forecast.kept, forecast)
    except UnforeseenError:
        return None


def here(
    call: AnyCall, layout: Layout, watch: Watch = iter, put: Put | None = None
) -> Iterator[list[Outcome]]:
    """Compute all blocks on the threads of this machine; `put` takes the derivatives."""
    mapped = on_threads(call.threads)
    prepare = bound(ready, call, layout)
    block = _lone(call, layout, prepare)
    if block is not None:
        return map(Work(call, layout, put=put), watch(iter([block])))
    work = Work(call, layout, _busy(call, layout), put)
    return mapped(work, watch(cut(call, layout, prepare)))


def _busy(call: AnyCall, layout: Layout) -> int:
    """How many threads will be busy for long enough to be in each other's way; the caller's is one.

    Products with matrices take long anyway, and their last bits depend on the number of rows, as do those of
    derivatives that add up over rows.
    """
    sources, threads = call.sources, call.threads or cores()
    multiplies = any(role.kind == "parameters" for role in call.operation.roles.values())
    if not take_turns() or multiplies or (call.wrt is not None and call.wrt not in layout.cut):
        return 1
    lengths = [sources[name].shape[0] for name in layout.cut]
    few = threads * piece_rows(sources, layout)
    return 1 if all(length is not None and length <= few for length in lengths) else threads


def _lone(call: AnyCall, layout: Layout, prepare: Prepare) -> Block | None:
    """The one block that a few numbers in memory are: to cut them would take as long as to compute them."""
    arrays = {name: source.array for name, source in call.sources.items() if source.array is not None}
    lengths = {len(arrays[name]) for name in layout.cut if name in arrays}
    if call.by is not None or len(arrays) < len(call.arrays) or len(lengths) > 1:
        return None
    if lengths and lengths.pop() > block_rows(layout):
        return None
    whole = {name: array for name, array in arrays.items() if name not in layout.cut}
    return Block({**arrays, **prepare(whole)} if whole else arrays)


def cut(call: AnyCall, layout: Layout, prepare: Prepare = dict, *, is_first: bool = True) -> Iterator[Block]:
    """Cut a call into pieces, in order; `prepare` converts the arrays that are in all of them, once.

    `is_first` says whether the first of these pieces is the first of the whole call.
    """
    sources = call.sources
    whole = prepare({name: source.whole() for name, source in sources.items() if name not in layout.cut})
    if not layout.cut:
        yield Block(whole, is_first=is_first)
        return
    pieces = _pieces(sources, call.by, layout, whole, is_first)
    yield from [joined(list(pieces), layout)] if layout.whole else pieces


def _pieces(
    sources: Mapping[str, Source], by: Labels | None, layout: Layout, whole: dict[str, Array], is_first: bool
) -> Iterator[Block]:
    """The pieces of the arrays that are cut, each with the others, which are whole."""
    together = {name: source for name, source in sources.items() if name in layout.cut}
    companions = list(together.values())
    for source in companions:
        source.accompany(companions)
    rows = piece_rows(sources, layout)
    if by is not None:
        together[_BY] = by
    start = taken = 0
    while True:
        pieces = {name: source.take(rows) for name, source in together.items()}
        length = common_length(pieces, start, rows)
        if length or not start:
            arrays = {name: whole[name] if name in whole else pieces[name].values for name in sources}
            groups = None if by is None else pieces[_BY].values
            block = Block(arrays, start, is_first=is_first and not start, before=taken, groups=groups)
            block = _picked(block, pieces.values(), layout)
            taken += length if block.kept is None else len(block.kept)
            yield block
        if length < rows:
            return
        start += length


def piece_rows(sources: Mapping[str, Source], layout: Layout) -> int:
    """The number of rows of one piece, which are read at once."""
    rows = _BLOCKS * block_rows(layout)
    read = [sources[name] for name in layout.cut if not sources[name].in_memory]
    if not read:
        return rows
    size = sum(row_size(source.shape) * source.dtype.itemsize for source in read)
    at_once = [source.rows_at_once or rows for source in read]
    return max(1, min(rows, _PIECE // size, *at_once) if size else rows)


def gathered(call: AnyCall) -> tuple[AnyCall, int]:
    """The call with its arrays in memory, and the number of rows that were dropped for lack of a number."""
    layout = call.layout
    block = joined(list(cut(call, layout)), layout)
    rows = _origins(call, layout, block.rows(layout.cut))
    is_whole = rows is None or np.array_equal(rows, np.arange(len(rows)))
    held = call._replace(arrays=block.arrays, kept=None if is_whole else rows)
    if call.by is not None and block.groups is not None:
        held = held._replace(by=MemoryLabels(block.groups, call.by.groups))
    return held, block.dropped


def joined(blocks: Sequence[Block], layout: Layout) -> Block:
    """All blocks of a call as one."""
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0]
    arrays = {
        name: np.concatenate([block.arrays[name] for block in blocks]) if name in layout.cut else array
        for name, array in first.arrays.items()
    }
    # Of a block in which nothing is left out all rows are kept, whatever the others lack.
    kept = [rows for block in blocks if (rows := block.rows(layout.cut)) is not None]
    is_picked = any(block.kept is not None for block in blocks)
    groups = [block.groups for block in blocks if block.groups is not None]
    return first._replace(
        arrays=arrays,
        kept=np.concatenate(kept) if is_picked else None,
        dropped=sum(block.dropped for block in blocks),
        groups=np.concatenate(groups) if groups else None,
    )


def _origins(call: AnyCall, layout: Layout, rows: Array | None) -> Array | None:
    """Which rows of the first array rows of the call are."""
    first = next((source for name, source in call.sources.items() if name in layout.cut), None)
    return rows if rows is None or first is None else first.origins(rows)


def _picked(block: Block, pieces: Collection[Rows], layout: Layout) -> Block:
    """The block without the rows that take no part, or in which some array lacks a number."""
    missing = [piece.missing for piece in pieces if piece.missing is not None]
    excluded = [piece.excluded for piece in pieces if piece.excluded is not None]
    if not missing and not excluded:
        return block
    takes_part = ~np.logical_or.reduce(excluded or [np.zeros(len(missing[0]), bool)])
    is_whole = ~np.logical_or.reduce(missing or [np.zeros(len(excluded[0]), bool)])
    kept = np.flatnonzero(takes_part & is_whole)
    return block._replace(
        arrays={
            name: values[kept] if name in layout.cut else values for name, values in block.arrays.items()
        },
        kept=kept,
        dropped=int(np.count_nonzero(takes_part)) - len(kept),
        groups=None if block.groups is None else block.groups[kept],
    )


def _collector(given: Collector | None, call: AnyCall, layout: Layout) -> Collector:
    """The collector of the blocks' values; derivatives with respect to an array that is not cut add up."""
    if call.wrt is not None and call.wrt not in layout.cut:
        return Added()
    if given is not None and layout.cut:
        return given
    source = None if call.wrt is None else call.sources[call.wrt]
    return Kept(source.shape[0] if source and source.in_memory else None, call.threads)


def _merge(
    outcomes: Iterator[list[Outcome]],
    call: AnyCall,
    layout: Layout,
    kept: Collector,
    forecast: Forecast | None = None,
) -> Computation:
    partial: Partial | None = None
    warnings: dict[str, LosscalcWarning] = {}
    dropped = 0
    samples = []
    groups = None if call.by is None else _group_totals()
    findings: Findings | None = None
    for outcome in chain.from_iterable(outcomes):
        partial = outcome.partial if partial is None else partial + outcome.partial
        dropped += outcome.dropped
        for warning in outcome.warnings:
            warnings.setdefault(warning.problem, warning)
        if outcome.value is not None:
            kept.add(outcome.value)
        if outcome.sample is not None:
            rows = _origins(call, layout, outcome.sample.rows)
            samples.append(outcome.sample._replace(rows=rows))
        if groups is not None and outcome.groups is not None:
            groups.add(outcome.groups)
        if outcome.findings is not None:
            findings = outcome.findings if findings is None else findings + outcome.findings
    assert partial is not None  # even empty arrays are a block
    remarks = [*warnings.values(), *(findings.warnings if findings is not None else ())]
    if call.reduction.keeps and not partial.sums:
        return Computation(kept.finish(None), partial, tuple(remarks), dropped, tuple(samples))
    end = call.operation, partial, call.reduction, layout.dtype
    if call.wrt is None:
        value, doubts = finish(*end)
    else:
        slopes = Slopes(*end)
        done = None if forecast is None else forecast.confirmed(slopes)
        value = kept.finish(slopes.reduced if done is None else None)
        doubts = (done or slopes).warnings
    names = () if call.by is None else call.by.groups
    parts = () if groups is None else groups.partials(call.operation)
    of_groups = {names[number]: part for number, part in parts}
    return Computation(value, partial, (*remarks, *doubts), dropped, tuple(samples), of_groups)


def _group_totals() -> "GroupTotals":
    # Imported here, because few calls have groups.
    from losscalc.core.groupsums import GroupTotals

    return GroupTotals()
