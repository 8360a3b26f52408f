"""From the losses of single elements to one number: terms, partial sums and reductions."""

import math
from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray, IndexArray
from losscalc.core.exactsum import EMPTY, Sum, quotient, total
from losscalc.core.shapes import beside
from losscalc.core.stable import xmul
from losscalc.errors import ParameterError


class Terms(NamedTuple):
    """The losses of one block.

    `value` is the loss of each element or row. `divisor` is what each adds to the denominator of 'mean', 1
    unless given, and `share` what it adds to the numerator, unless that is its value. `ignored` marks rows
    that take no part; their value and divisor are 0. A loss that is a function of several sums over the batch
    has no single losses: it gives the summands of each sum by name, as `sums`. `rows` tells which row each
    loss is of, if there is not one to a row, or one to an element.
    """

    value: FloatArray
    divisor: FloatArray | None = None
    ignored: np.ndarray | None = None
    share: FloatArray | None = None
    sums: Mapping[str, FloatArray] | None = None
    rows: IndexArray | None = None

    @classmethod
    def of_sums(cls, **sums: FloatArray) -> "Terms":
        """The terms of a loss that is a function of several sums; of several losses each is `NAME[PLACE]`."""
        return cls(np.empty(0), sums=sums)

    def times(self, factor: FloatArray) -> "Terms":
        """The same with a factor for each row, (N,), or for each loss, in both sums of 'mean'."""
        factor = np.broadcast_to(beside(factor, self.value.ndim), self.value.shape)
        if self.ignored is not None:
            factor = np.where(self.ignored, 0.0, factor)
        return self._replace(
            value=self.value * factor,
            divisor=factor if self.divisor is None else self.divisor * factor,
            share=None if self.share is None else self.share * factor,
        )

    def without(self, left_out: np.ndarray) -> "Terms":
        """The same with some of the losses ignored."""
        left_out = left_out.reshape(self.value.shape)
        return self._replace(
            value=np.where(left_out, 0.0, self.value),
            divisor=None if self.divisor is None else np.where(left_out, 0.0, self.divisor),
            ignored=left_out if self.ignored is None else self.ignored | left_out,
        )


class Slope(NamedTuple):
    """The derivative of the sum of the losses of one block, with respect to one array.

    `share` is the derivative of what the block adds to the numerator of 'mean', unless that is the sum of its
    losses. `sums` are the derivatives of the several sums that a loss is a function of.
    """

    value: FloatArray
    share: FloatArray | None = None
    sums: Mapping[str, FloatArray] | None = None

    @classmethod
    def of_sums(cls, **sums: FloatArray) -> "Slope":
        """The derivatives of several sums."""
        return cls(np.empty(0), sums=sums)

    def times(self, factor: FloatArray, class_axis: int) -> "Slope":
        """The derivative of losses with such a factor; `class_axis` is the axis that the losses lack."""
        if factor.ndim > 1:
            factor = np.expand_dims(factor, class_axis)
        # 0 for ignored rows, whatever their factor is.
        return self._replace(value=xmul(self.value, beside(factor, self.value.ndim)))

    def without(self, left_out: np.ndarray, class_axis: int) -> "Slope":
        """The derivative without some of the losses; `class_axis` is the axis that these lack."""
        if left_out.ndim > 1:
            left_out = np.expand_dims(left_out, class_axis)
        return self._replace(value=np.where(beside(left_out, self.value.ndim), 0.0, self.value))


class Link(NamedTuple):
    """A function that a loss applies to the mean, with its derivative.

    `of` takes a number of any precision.
    """

    name: str
    of: Callable[[float], float]
    slope: Callable[[float], float]


def _exp(mean: float) -> float:
    with np.errstate(all="ignore"):
        value: float = np.exp(mean)
    return value


ROOT = Link(
    "root",
    lambda mean: np.sqrt(mean) if mean >= 0 else math.nan,
    lambda mean: 0.5 / math.sqrt(mean) if mean > 0 else math.inf if mean == 0 else math.nan,
)
EXPONENTIAL = Link("exponential", _exp, _exp)


class Partial(NamedTuple):
    """The sums of some blocks of one call: enough to finish any reduction.

    Partial results of the same call add up with `+`, exactly and in any order.
    """

    loss: object
    total: Sum = EMPTY
    """The sum of the losses, for 'sum' and 'batchmean'."""
    numerator: Sum = EMPTY
    """The numerator of 'mean': the same, except for losses that give a share."""
    denominator: Sum = EMPTY
    count: int = 0  # type: ignore[assignment]
    ignored: int = 0
    rows: int = 0
    """The length of axis 0 of the input, by which 'batchmean' divides."""
    sums: Mapping[str, Sum] = {}
    """The sums by name, if the loss is a function of several."""

    @classmethod
    def of(cls, loss: object, terms: Terms, rows: int = 0, *, is_summed: bool = True) -> "Partial":
        """The partial result of one block; of losses that are not summed up it has the divisor and counts."""
        if terms.sums is not None:
            sums = {name: total(summands) for name, summands in terms.sums.items()}
            kinds = {name.partition("[")[0] for name in terms.sums}
            count = sum(summands.size for summands in terms.sums.values()) // max(1, len(kinds))
            return cls(loss, count=count, rows=rows, sums=sums)
        ignored = 0 if terms.ignored is None else int(np.count_nonzero(terms.ignored))
        count = terms.value.size - ignored
        losses = total(terms.value) if is_summed else EMPTY
        numerator = losses if terms.share is None or not is_summed else total(terms.share)
        divisor = Sum.whole(count) if terms.divisor is None else total(terms.divisor)
        return cls(loss, losses, numerator, divisor, count, ignored, rows)

    @property
    def is_finite(self) -> bool:
        """Whether no loss was NaN or infinite."""
        if self.sums:
            return all(each.special == 0 for each in self.sums.values())
        return self.total.special == self.numerator.special == 0

    @property
    def numbers(self) -> dict[str, float]:
        """The sums by name, as numbers that can be divided by 0: Python's own raise an error."""
        return {name: np.float64(float(value)) for name, value in self.sums.items()}

    @property
    def batch(self) -> Sum:
        """The number of rows, as a sum."""
        return Sum.whole(self.rows)

    @property
    def one(self) -> Sum:
        """1, as a sum."""
        return Sum.whole(1)

    def __add__(self, other: "Partial") -> "Partial":  # type: ignore[override]
        if self.loss is not other.loss and self.loss != other.loss:
            raise ParameterError(f"cannot merge partial results of {self.loss} and {other.loss}")
        total = self.total + other.total
        is_same = self.numerator is self.total and other.numerator is other.total
        return Partial(
            self.loss,
            total,
            total if is_same else self.numerator + other.numerator,
            self.denominator + other.denominator,
            self.count + other.count,
            self.ignored + other.ignored,
            self.rows + other.rows,
            {
                name: self.sums.get(name, EMPTY) + other.sums.get(name, EMPTY)
                for name in {**self.sums, **other.sums}
            }
            if self.sums or other.sums
            else {},
        )


class Reduction(NamedTuple):
    """A reduction: which sum it divides by which, once the last block is in."""

    name: str
    numerator: Callable[[Partial], Sum]
    denominator: Callable[[Partial], Sum]
    keeps: bool = False
    """Whether the single losses are the result, and nothing is summed up."""

    def finish(self, partial: Partial) -> float:
        """The quotient of the two sums."""
        return quotient(self.numerator(partial), self.denominator(partial))


NONE = Reduction("none", attrgetter("numerator"), attrgetter("denominator"), keeps=True)
MEAN = Reduction("mean", attrgetter("numerator"), attrgetter("denominator"))
SUM = Reduction("sum", attrgetter("total"), attrgetter("one"))
BATCHMEAN = Reduction("batchmean", attrgetter("total"), attrgetter("batch"))

REDUCTIONS = MappingProxyType({reduction.name: reduction for reduction in (NONE, MEAN, SUM, BATCHMEAN)})


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str | None:
    """The reduction that PyTorch's two old flags stand for, or None if neither is given.

    An unset flag counts as true.

    >>> legacy_reduction(None, None), legacy_reduction(False, None), legacy_reduction(False, False)
    (None, 'sum', 'none')
    """
    if size_average is None and reduce is None:
        return None
    # Not `is False`: PyTorch tests for truth, so 0 and NumPy's False count as false too.
    if reduce is not None and not reduce:
        return "none"
    return "sum" if size_average is not None and not size_average else "mean"
