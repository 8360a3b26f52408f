"""The end of a computation, when all sums are known: reduces, rounds, and warns."""

import numpy as np

from losscalc.core.array import Array, are_finite
from losscalc.core.exactsum import EMPTY
from losscalc.core.operation import Operation
from losscalc.core.reductions import MEAN, Partial, Reduction
from losscalc.engine.block import rounded
from losscalc.errors import LosscalcWarning

OUT_OF_RANGE = "is outside the range of"
"""Part of the problem of warnings about a result that is too large for its dtype."""


def finish(
    operation: Operation, partial: Partial, reduction: Reduction, dtype: np.dtype
) -> tuple[Array, tuple[LosscalcWarning, ...]]:
    """The reduced loss in a dtype, and a warning if it is not finite although all losses are."""
    value = rounded(np.asarray(operation.reduced(reduction, partial)), dtype)
    if are_finite(value) or not partial.is_finite:
        return value, ()
    return value, (_why_nonfinite(partial, reduction, dtype),)


class Slopes:
    """The derivative of the reduced loss, part by part, when all sums are known."""

    def __init__(self, operation: Operation, partial: Partial, reduction: Reduction, dtype: np.dtype) -> None:
        self._operation = operation
        self._partial = partial
        self._reduction = reduction
        self._dtype = dtype
        self._was_finite = True
        self._is_finite = True
        self.divisor = _divisor(operation, partial, reduction)

    def reduced(self, slope: Array, out: Array | None = None, /) -> Array:
        """The derivative of the reduced loss, from a part of that of its sums.

        If it is merely divided, and does not grow, it is written to `out`, which is of the dtype of the
        result and may be the part itself.
        """
        divisor = self.divisor or 0.0
        with np.errstate(all="ignore"):
            if out is not None and divisor >= 1.0:
                value = out
                np.divide(slope, divisor, out=value)
                value += 0.0  # as in `rounded`
            else:
                whole = self._operation.reduced_slope(slope, self._reduction, self._partial)
                value = rounded(whole, self._dtype)
        cannot_overflow = divisor >= 1.0 and value.dtype == slope.dtype
        # Several threads may be here at once.
        if not cannot_overflow and not are_finite(value):
            self._is_finite = False
        if not self._is_finite and not are_finite(slope):
            self._was_finite = False
        return value

    @property
    def warnings(self) -> tuple[LosscalcWarning, ...]:
        """A warning if the derivative is not finite although that of the sums is."""
        if not self._was_finite or self._is_finite:
            return ()
        return (_why_nonfinite(self._partial, self._reduction, self._dtype),)


def _divisor(operation: Operation, partial: Partial, reduction: Reduction) -> float | None:
    """By what the derivative is divided, if nothing else is done to it."""
    is_linked = operation.link is not None and reduction.name == MEAN.name
    if partial.sums or is_linked or not partial.count:
        return None
    return float(reduction.denominator(partial))


def _why_nonfinite(partial: Partial, reduction: Reduction, dtype: np.dtype) -> LosscalcWarning:
    """The warning that says why finite losses do not have a finite reduction."""
    if reduction.denominator(partial) != EMPTY:
        problem = f"the {reduction.name} {OUT_OF_RANGE} {dtype}"
    elif partial.count:
        problem = f"the weights sum to 0, and the {reduction.name} divides by their sum"
    else:
        cause = "every target is ignored" if partial.ignored else "there are no values"
        problem = f"{cause}, so the {reduction.name} is empty"
    return LosscalcWarning(problem)
