"""What is done to one block: numbers are checked, losses and derivatives computed, sums taken."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from losscalc.core.array import Array, Shape
from losscalc.core.domains import Region
from losscalc.core.precision import precision_of
from losscalc.core.reductions import MEAN, Partial, Reduction, Slope, Terms
from losscalc.core.roles import Role, as_indices, as_real
from losscalc.core.shapes import Layout, unbroadcast
from losscalc.errors import DomainError, Index, LosscalcError, LosscalcWarning


class Evaluable(Protocol):
    """What the engine needs to know of a loss or an activation."""

    @property
    def roles(self) -> Mapping[str, Role]:
        """The role of each array."""

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """How arrays of these shapes fit together; raises ShapeError or DTypeError."""

    def terms(self, *arrays: Any, **named: Any) -> Terms:
        """The losses of one block."""

    def slope(self, wrt: str) -> Callable[..., Slope]:
        """The derivative of the losses of one block, with respect to one of its arrays."""


class Block(NamedTuple):
    """Some consecutive rows of all arrays of a call."""

    arrays: dict[str, Array]
    start: int = 0
    kept: np.ndarray | None = None
    """The rows of the block that are left when others had no number, or None for all."""
    dropped: int = 0
    is_first: bool = True

    def cut(self, names: Collection[str], rows: int) -> "Iterator[Block]":
        """The same in blocks of so many rows, of which these arrays are cut."""
        length = len(self.arrays[next(iter(names))]) if names else 0
        if length <= rows:
            yield self
            return
        for first in range(0, length, rows):
            part = slice(first, first + rows)
            arrays = {name: array[part] if name in names else array for name, array in self.arrays.items()}
            kept = None if self.kept is None else self.kept[part]
            start = self.start + (first if kept is None else 0)
            yield Block(arrays, start, kept, 0 if first else self.dropped, self.is_first and not first)

    def original(self, row: int) -> int:
        """The row of the whole array that is row `row` of the block."""
        return self.start + (row if self.kept is None else int(self.kept[row]))


class Outcome(NamedTuple):
    """What a block came to."""

    partial: Partial
    value: Array | None
    """The losses, or the derivative that is wanted instead; None where the sums are enough."""
    warnings: tuple[LosscalcWarning, ...] = ()
    dropped: int = 0
    sample: "Sample | None" = None
    findings: "Findings | None" = None


class Findings(Protocol):
    """What an examination of the arrays of blocks found; it adds up over blocks."""

    @property
    def shown(self) -> Mapping[str, LosscalcWarning]:
        """The warnings of a block, by name."""

    @property
    def warnings(self) -> list[LosscalcWarning]:
        """The warnings that hold for all blocks together."""

    def __add__(self, other: object) -> "Findings":
        """The findings of two blocks."""


Examine = Callable[[Mapping[str, Any]], Findings]


class Sample(NamedTuple):
    """The arrays of a block as the loss takes them, and their losses: what an explanation is made of."""

    arguments: dict[str, Any]
    terms: Terms
    start: int


class Evaluation(NamedTuple):
    """Everything that is done to a block: picklable, and without state."""

    operation: Evaluable
    roles: Mapping[str, Role]
    layout: Layout
    dtype: np.dtype
    cast: bool
    """Whether arrays are rounded to `dtype` before they are used."""
    reduction: Reduction
    wrt: str | None = None
    """The array with respect to which the derivative is wanted, rather than the losses."""
    samples: int = 0
    """The number of rows of which samples are wanted."""
    examine: Examine | None = None
    """What looks for signs of mistakes in the arrays of a block."""
    rows: int = 1
    """The number of rows that are computed at once."""

    def evaluate(self, piece: Block) -> list[Outcome]:
        """The outcomes of a piece, block by block."""
        with precision_of(self.dtype):
            return [self._outcome(block) for block in piece.cut(self.layout.cut, self.rows)]

    def _outcome(self, block: Block) -> Outcome:
        try:
            with np.errstate(all="ignore"):
                return self._evaluate(block)
        except LosscalcError as error:
            self._place(error, block)
            raise

    def _evaluate(self, block: Block) -> Outcome:
        arrays, warnings = self._numbers(block)
        arguments = _grouped(arrays)
        terms = self.operation.terms(**arguments)
        partial = Partial.of(self.operation, terms, self._rows(block))
        value = terms.value
        is_finite = partial.total.special == 0
        if self.wrt is not None:
            value = self._slope(arrays)
            is_finite = bool(np.isfinite(value).all())
        elif self.reduction.keeps:
            value = rounded(terms.value, self.dtype)
            is_finite = bool(np.isfinite(value).all())
        if not is_finite:
            warnings.append(self._nonfinite(block, value))
        findings = None if self.examine is None else self.examine(arguments)
        for warning in [*warnings, *(findings.shown.values() if findings else ())]:
            self._place(warning, block)
        kept = value if self.reduction.keeps or self.wrt is not None else None
        sample = Sample(arguments, terms, block.start) if block.start < self.samples else None
        return Outcome(partial, kept, tuple(warnings), block.dropped, sample, findings)

    def _numbers(self, block: Block) -> tuple[dict[str, Array], list[LosscalcWarning]]:
        """The arrays of a block as the loss takes them, and what is unusual about them."""
        arrays: dict[str, Array] = {}
        warnings = []
        for name, values in block.arrays.items():
            arrays[name] = self._number(name, values) if name in self.layout.cut else values
            if name in self.layout.indices:
                continue
            if warning := _check_domain(name, arrays[name], self.roles[_argument(name)]):
                warnings.append(warning)
        return arrays, warnings

    def ready(self, arrays: dict[str, Array]) -> dict[str, Array]:
        """Arrays that are the same in every block, as the loss takes them."""
        return {name: self._number(name, values) for name, values in arrays.items()}

    def _number(self, name: str, values: Array) -> Array:
        return as_indices(name, values) if name in self.layout.indices else self._real(name, values)

    def _slope(self, arrays: dict[str, Array]) -> Array:
        """The derivative of what the block adds to the numerator of the reduction."""
        assert self.wrt is not None
        slope = self.operation.slope(self.wrt)(**_grouped(arrays))
        whole = slope.value
        if slope.share is not None and self.reduction.name == MEAN.name:
            whole = slope.share
        return unbroadcast(whole, arrays[self.wrt].shape)

    def _rows(self, block: Block) -> int:
        """How many rows of the input the block adds; an input that is not cut is counted once."""
        name, values = next(iter(block.arrays.items()))
        if name not in self.layout.cut and not block.is_first:
            return 0
        return len(values) if values.ndim else 1

    def _nonfinite(self, block: Block, values: Array) -> LosscalcWarning:
        """The warning for results that are NaN or infinite, with the row of the first."""
        argument = next((name for name in block.arrays if name in self.layout.cut), next(iter(block.arrays)))
        argument = self.wrt or argument
        if self.wrt is None and not self.layout.cut and values.shape != block.arrays[argument].shape:
            # The losses of a batch that is no axis 0, as that of CTC: their place is in no array.
            return self._unplaced(values)
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        index = place if values.shape == block.arrays[argument].shape else place[:1]
        hint = self._cause(block, place)
        return LosscalcWarning(
            "a result is not finite", found=values[place], argument=argument, index=index, hint=hint
        )

    def _unplaced(self, values: Array) -> LosscalcWarning:
        """The warning for a result that is not finite, with its place among the losses."""
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        return LosscalcWarning("a result is not finite", found=values[place], index=place)

    def _cause(self, block: Block, place: tuple[int, ...]) -> str | None:
        """What may have led to a result that is not finite: NaN or infinity in the same row."""
        row = place[:1]
        for name, values in block.arrays.items():
            here = values[row] if name in self.layout.cut else values
            if here.dtype.kind == "f" and not np.isfinite(here).all():
                if np.isnan(here).any():
                    return f"`{_argument(name)}` is NaN there"
                return f"`{_argument(name)}` is infinite there, as in inf - inf or 0·inf"
        return None

    def _real(self, name: str, values: Array) -> Array:
        if not self.cast or values.dtype == self.dtype:
            return values if self.roles[_argument(name)].native else as_real(values)
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


def rounded(values: Array, dtype: np.dtype) -> Array:
    """Values in the dtype of the result; adding 0 turns -0.0 into 0.0 and leaves all others alone."""
    return np.asarray(values.astype(dtype) + dtype.type(0))


def _argument(name: str) -> str:
    """The argument that an array belongs to: of the state `state.head.weight`, it is `state`."""
    return name.partition(".")[0]


def _grouped(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The arguments of a loss: its arrays, and those of a state together under their own names."""
    arguments: dict[str, Any] = {}
    for name, values in arrays.items():
        argument, _, member = name.partition(".")
        if member:
            arguments.setdefault(argument, {})[member] = values
        else:
            arguments[name] = values
    return arguments


def _check_domain(name: str, values: Array, role: Role) -> LosscalcWarning | None:
    """Raise for a value outside the domain of its role; warn for one that is merely unusual."""
    if role.domain is not None and (index := _first_outside(role.domain, values, role.nan)) is not None:
        raise DomainError(
            f"`{name}` must be {role.domain}", found=values[index], argument=name, index=index, hint=role.hint
        )
    if role.advised is None or (index := _first_outside(role.advised, values, True)) is None:
        return None
    return LosscalcWarning(
        f"`{name}` should be {role.advised}; outside, the loss can be negative",
        found=values[index],
        argument=name,
        index=index,
    )


def _first_outside(region: Region, values: Array, nan: bool) -> Index | None:
    """The index of the first value outside, of which NaN may be none."""
    index = region.first_outside(values)
    if index is not None and nan and np.isnan(values[index]):
        index = region.first_outside(np.where(np.isnan(values), region.inside()[0], values))
    return index
