"""Computes one block: checks its numbers, computes losses and derivatives, and takes the sums."""

import sys
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from losscalc.core.array import Array, are_finite
from losscalc.core.operation import Operation
from losscalc.core.reductions import MEAN, Partial, Slope, Terms
from losscalc.core.roles import Role, as_indices, as_real
from losscalc.core.shapes import Layout, unbroadcast
from losscalc.engine.call import AnyCall
from losscalc.engine.domain import check_domain
from losscalc.engine.outcome import Outcome, Sample
from losscalc.errors import DomainError, Index, LosscalcError, LosscalcWarning

if TYPE_CHECKING:
    from losscalc.core.groupsums import GroupSums

# 1 MiB of float64. The temporaries of a formula stay in cache, and Python's work for each block is little.
BLOCK = 131_072
_DOUBLE = np.dtype(np.float64)

NOT_FINITE = "a result is not finite"
"""The problem of warnings about NaN and infinity."""


class Block(NamedTuple):
    """Some consecutive rows of all arrays of a call."""

    arrays: dict[str, Array]
    start: int = 0
    kept: np.ndarray | None = None
    """The rows that are left where others lacked a number; None for all."""
    dropped: int = 0
    is_first: bool = True
    before: int = 0
    """How many rows that take part the blocks before it have."""
    groups: Array | None = None
    """The number of the group that each row is of, or None if groups are not wanted."""

    def cut(self, names: Collection[str], rows: int) -> "Iterator[Block]":
        """Cut these arrays of the block into blocks of so many rows; the other arrays are in each of them."""
        length = len(self.arrays[next(iter(names))]) if names else 0
        if length <= rows:
            yield self
            return
        for first in range(0, length, rows):
            part = slice(first, first + rows)
            arrays = {**self.arrays, **{name: self.arrays[name][part] for name in names}}
            kept = None if self.kept is None else self.kept[part]
            start = self.start + (first if kept is None else 0)
            groups = None if self.groups is None else self.groups[part]
            dropped = 0 if first else self.dropped
            is_first = self.is_first and not first
            yield Block(arrays, start, kept, dropped, is_first, self.before + first, groups)

    def rows(self, names: Collection[str]) -> Array | None:
        """Which rows of the call these are; None if no array is cut into rows."""
        if self.kept is not None or not names:
            return None if self.kept is None else self.start + self.kept
        return np.arange(self.start, self.start + len(self.arrays[next(iter(names))]))

    def place(self, remark: LosscalcError | LosscalcWarning, layout: Layout) -> None:
        """Turn the index of a remark from one into the block to one into the whole array."""
        if remark.index and remark.argument in layout.cut:
            row = remark.index[0]
            original = self.start + (row if self.kept is None else int(self.kept[row]))
            remark.index = (original, *remark.index[1:])


class Plan(NamedTuple):
    """What is the same for all blocks of a piece."""

    roles: Mapping[str, Role]
    """The role of each array, by the names in the blocks."""
    plain: frozenset[str]
    """The arrays of which float64 numbers are taken as they are, and may be any."""
    takes_all: bool
    """Whether the arrays are the arguments of the loss, and nothing is left out or put together."""
    needs_sums: bool

    @classmethod
    def of(cls, call: AnyCall, layout: Layout, names: Collection[str]) -> "Plan":
        """The plan of a piece whose arrays have these names."""
        operation = call.operation
        roles = {name: operation.roles[_argument(name)] for name in names}
        is_kept = call.dtype is None or call.dtype == _DOUBLE
        plain = [
            name
            for name, role in roles.items()
            if is_kept and role.domain is None and role.advised is None and name not in layout.indices
        ]
        takes_all = type(operation).taken is Operation.taken and not any(role.many for role in roles.values())
        return cls(roles, frozenset(plain), takes_all, call.needs_sums)


def block_rows(layout: Layout) -> int:
    """The number of rows of one block; all, where they depend on one another."""
    return sys.maxsize if layout.whole else max(1, BLOCK // max(1, layout.width))


def ready(call: AnyCall, layout: Layout, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Convert arrays that are the same in every block, once for all."""
    roles = call.operation.roles
    return {
        name: _number(call, layout, name, values, roles[_argument(name)]) for name, values in arrays.items()
    }


def evaluate(call: AnyCall, layout: Layout, plan: Plan, block: Block) -> Outcome:
    """Compute one block; errors and warnings tell places in the whole arrays."""
    try:
        return _evaluate(call, layout, plan, block)
    except LosscalcError as error:
        block.place(error, layout)
        raise


def _evaluate(call: AnyCall, layout: Layout, plan: Plan, block: Block) -> Outcome:
    arrays, warnings = _numbers(call, layout, plan, block)
    taken = arrays if plan.takes_all else call.operation.taken(arrays)
    arguments = taken if plan.takes_all else grouped(taken)
    try:
        terms = call.operation.evaluated(arguments, layout.dtype)
    except LosscalcError as error:
        _find(error, call.operation, arrays)
        raise
    partial = Partial.of(call.operation, terms, _rows(layout, block), is_summed=plan.needs_sums)
    value = None
    is_finite = partial.is_finite
    if call.wrt is not None:
        value = _slope(call, layout, arrays, taken)
        is_finite = are_finite(value)
    elif call.reduction.keeps and terms.sums is None:
        value = rounded(terms.value, layout.dtype)
        is_finite = are_finite(value)
    if not is_finite:
        warnings.append(_nonfinite(call, layout, block, terms, value))
    findings = None if call.examine is None else call.examine(arguments, terms, block.is_first)
    for warning in [*warnings, *(findings.shown if findings else ())]:
        block.place(warning, layout)
    sample = None
    if block.before < call.samples:
        sample = Sample(arguments, terms, block.rows(layout.cut), layout.dtype, layout.cut)
    groups = None if block.groups is None else _group_sums(terms, block.groups)
    return Outcome(partial, value, tuple(warnings), block.dropped, sample, findings, groups)


def _group_sums(terms: Terms, groups: Array) -> "GroupSums":
    # Imported here, because few calls have groups.
    from losscalc.core.groupsums import GroupSums

    return GroupSums.of(terms, groups)


def _numbers(
    call: AnyCall, layout: Layout, plan: Plan, block: Block
) -> tuple[dict[str, Array], list[LosscalcWarning]]:
    """The arrays of a block as the loss gets them, and warnings about unusual values."""
    arrays = dict(block.arrays)
    warnings = []
    for name, values in block.arrays.items():
        if values.dtype is _DOUBLE and name in plan.plain:
            continue
        role = plan.roles[name]
        # Arrays that are not cut were converted before, once for all blocks.
        if name in layout.cut:
            arrays[name] = _number(call, layout, name, values, role)
        if name not in layout.indices and (warning := check_domain(name, arrays[name], role)):
            warnings.append(warning)
    return arrays, warnings


def _number(call: AnyCall, layout: Layout, name: str, values: Array, role: Role) -> Array:
    """One array as indices or as float64, rounded first if a dtype is asked for."""
    if name in layout.indices:
        return as_indices(name, values)
    if call.dtype is None or values.dtype == layout.dtype:
        return values if role.native else as_real(values)
    with np.errstate(over="ignore"):
        narrow = as_real(values.astype(layout.dtype))
    lost = np.argwhere(np.isinf(narrow) & np.isfinite(values))
    if len(lost):
        raise DomainError(
            f"`{name}` does not fit into {layout.dtype}",
            found=values[tuple(lost[0])],
            argument=name,
            index=tuple(int(i) for i in lost[0]),
        )
    return narrow


def _find(error: LosscalcError, operation: Operation, arrays: Mapping[str, Array]) -> None:
    """Turn the index of an error from one into what is taken of an array to one into the array."""
    name = error.argument
    if not error.index or name is None or name not in arrays:
        return
    places = np.arange(arrays[name].size).reshape(arrays[name].shape)
    taken = operation.taken({**arrays, name: places})[name]
    if taken.shape != places.shape:
        place = np.unravel_index(int(taken[error.index]), places.shape)
        error.index = tuple(int(i) for i in place)


def _slope(call: AnyCall, layout: Layout, arrays: Mapping[str, Array], taken: Mapping[str, Array]) -> Array:
    """The derivative of the block's contribution to the numerator of the reduction.

    It is 0 for what is not taken of an array. For a loss that is a function of several sums, those of all
    sums are side by side on one more axis.
    """
    assert call.wrt is not None
    shape, own = taken[call.wrt].shape, arrays[call.wrt].shape
    slope = _taken_slope(call, layout, grouped(taken), shape)
    if shape == own:
        return slope
    whole = np.zeros(own)
    call.operation.taken({**arrays, call.wrt: whole})[call.wrt][...] = slope
    return whole


def _taken_slope(call: AnyCall, layout: Layout, taken: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
    assert call.wrt is not None
    slope: Slope = call.operation.differentiated(call.wrt, taken, layout.dtype)
    if slope.sums is not None:
        return np.stack([unbroadcast(each, shape) for each in slope.sums.values()], axis=-1)
    whole = slope.value
    if slope.share is not None and call.reduction.name == MEAN.name:
        whole = slope.share
    return unbroadcast(whole, shape)


def _summed(terms: Terms) -> Array:
    """The summands of a block; of several sums, those of the first that is not finite."""
    several = (terms.sums or {"value": terms.value}).values()
    return next((values for values in several if not are_finite(values)), terms.value)


def _rows(layout: Layout, block: Block) -> int:
    """The number of rows of the input in the block; an input that is not cut counts in the first only."""
    name, values = next(iter(block.arrays.items()))
    if name not in layout.cut and not block.is_first:
        return 0
    return len(values) if values.ndim else 1


def _nonfinite(
    call: AnyCall, layout: Layout, block: Block, terms: Terms, value: Array | None
) -> LosscalcWarning:
    """The warning for results that are NaN or infinite, with the row of the first."""
    values = _summed(terms) if value is None else value
    argument = next((name for name in block.arrays if name in layout.cut), next(iter(block.arrays)))
    argument = call.wrt or argument
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
    problem, found = NOT_FINITE, values[place]
    if call.wrt is None and not layout.cut and values.shape != block.arrays[argument].shape:
        # Where the batch is not axis 0, as in CTC, the index of a loss is not an index into the array.
        return LosscalcWarning(problem, found=found, index=place)
    if terms.rows is not None and call.wrt is None:
        place = (int(terms.rows[place[0]]),)
    index = place if values.shape == block.arrays[argument].shape else place[:1]
    # What broadcasts has no rows that the others have, too.
    hint = _cause(layout, block, place if argument in layout.cut else ())
    return LosscalcWarning(problem, found=found, argument=argument, index=index, hint=hint)


def _cause(layout: Layout, block: Block, place: Index) -> str | None:
    """A hint at NaN or infinity in the same row, which may explain a result that is not finite."""
    for name, values in block.arrays.items():
        here = values[place[:1]] if name in layout.cut else values
        if here.dtype.kind == "f" and not are_finite(here):
            if np.isnan(here).any():
                return f"`{_argument(name)}` is NaN there"
            return f"`{_argument(name)}` is infinite there, as in inf - inf or 0·inf"
    return None


def rounded(values: Array, dtype: np.dtype) -> Array:
    """Round values to the dtype of the result; adding 0 turns -0.0 into 0.0 and changes nothing else."""
    if values.dtype != dtype:
        with np.errstate(all="ignore"):
            values = values.astype(dtype)
    return np.asarray(values + dtype.type(0))


def _argument(name: str) -> str:
    """The argument that an array belongs to: `state` for the array `state.head.weight`."""
    return name.partition(".")[0]


def grouped(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The arguments of a loss: the arrays of a state are gathered in a dict under their own names."""
    arguments: dict[str, Any] = {}
    for name, values in arrays.items():
        if "." in name:
            argument, _, member = name.partition(".")
            arguments.setdefault(argument, {})[member] = values
        else:
            arguments[name] = values
    return arguments
