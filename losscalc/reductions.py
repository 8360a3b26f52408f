"""From the losses of single elements to one number: terms, partial sums, and how a reduction ends."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from losscalc.double import FloatArray
from losscalc.errors import ParameterError
from losscalc.summation import EMPTY, Sum, quotient, total


class Terms(NamedTuple):
    """The losses of one block.

    `value` is the loss of each element or row, `divisor` what each adds to the denominator of 'mean'
    (1 unless given), and `ignored` marks rows that take no part: their value and divisor are 0.
    """

    value: FloatArray
    divisor: FloatArray | None = None
    ignored: np.ndarray | None = None


@dataclass(frozen=True)
class Partial:
    """What is kept of some of the blocks of one call: enough to finish any reduction.

    Partial results of the same call add up with `+`, exactly and in any order.
    """

    loss: object
    numerator: Sum = EMPTY
    denominator: Sum = EMPTY
    count: int = 0
    ignored: int = 0

    @classmethod
    def of(cls, loss: object, terms: Terms) -> "Partial":
        """The partial result of one block."""
        ignored = 0 if terms.ignored is None else int(np.count_nonzero(terms.ignored))
        count = terms.value.size - ignored
        divisor = Sum.of(float(count)) if terms.divisor is None else total(terms.divisor)
        return cls(loss, total(terms.value), divisor, count, ignored)

    @property
    def mean(self) -> float:
        """The sum of the losses divided by the sum of their divisors."""
        return quotient(self.numerator, self.denominator)

    @property
    def sum(self) -> float:
        """The sum of the losses."""
        return float(self.numerator)

    def __add__(self, other: "Partial") -> "Partial":
        if self.loss != other.loss:
            raise ParameterError(f"cannot merge partial results of {self.loss} and {other.loss}")
        return Partial(
            self.loss,
            self.numerator + other.numerator,
            self.denominator + other.denominator,
            self.count + other.count,
            self.ignored + other.ignored,
        )


class Reduction(NamedTuple):
    """A way to end: what becomes of the sums when the last block is in."""

    name: str
    finish: Callable[[Partial], float] | None
    """None: nothing is summed up, every block is kept."""
    denominator: Callable[[Partial], Sum]
    """What the sum is divided by."""


NONE = Reduction("none", None, lambda partial: partial.denominator)
MEAN = Reduction("mean", lambda partial: partial.mean, lambda partial: partial.denominator)
SUM = Reduction("sum", lambda partial: partial.sum, lambda partial: Sum.of(1.0))

REDUCTIONS = MappingProxyType({reduction.name: reduction for reduction in (NONE, MEAN, SUM)})


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str | None:
    """The reduction that PyTorch's two old flags amount to, or None when neither is given.

    An unset flag counts as true.

    >>> legacy_reduction(None, None), legacy_reduction(False, None), legacy_reduction(False, False)
    (None, 'sum', 'none')
    """
    if size_average is None and reduce is None:
        return None
    # By truth, as PyTorch does: 0 and NumPy's False are false too.
    if reduce is not None and not reduce:
        return "none"
    return "sum" if size_average is not None and not size_average else "mean"
