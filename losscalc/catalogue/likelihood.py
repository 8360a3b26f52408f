"""Regression losses that are the negative log-likelihood of a distribution."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.conventions import Convention
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Counts, Values, Variance
from losscalc.core.shapes import Layout, elementwise_layout, fits, unbroadcast
from losscalc.core.stable import number, pi, where, xmul
from losscalc.errors import ShapeError

# A quotient by a larger number leaves the range only if its product with the dividend does.
_TINY = 1e-290


class Likelihood(Loss):
    """The base of this family: the input describes the distribution of the target."""

    divisor = "the number of elements"
    broadcasts = True

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        pair = {name: shapes[name] for name in ("input", "target")}
        return elementwise_layout(pair, broadcast=broadcast)


@loss("poisson-nll", torch="PoissonNLLLoss", functional="poisson_nll_loss")
class PoissonNLL(Likelihood):
    """Negative log-likelihood of counts under a Poisson distribution.

    `input` and `target` have any shape, the same for both. `input` holds the logarithm of the expected
    count, or the expected count itself if `log_input` is false. The term ln(y!) is left out; with `full`,
    Stirling's formula y·ln y - y + ½·ln(2πy) stands for it where y > 1. The mean divides by the number of
    elements.

    Raises ShapeError for shapes that differ, DTypeError for values that are not real numbers and
    ParameterError for an `eps` that is negative or not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html

    >>> PoissonNLL()([0.0, 1.0, 2.0], [1.0, 2.0, 0.0], reduction="none")
    array([1.        , 0.71828183, 7.3890561 ])
    """

    unlike = "accepts integers, as float64, takes the limit at infinite inputs, and refuses a negative `eps`"
    ambiguous: ClassVar[Mapping[str, str]] = {"poisson": "poisson-deviance"}
    uses = ("regression", "counts")
    range = Interval()
    conventions = (
        Convention(
            "keras",
            "takes expected counts, not their logarithms, and adds 1e-7 before it takes the logarithm",
            "keras.losses.poisson, 3.15.1",
            {"log_input": False, "eps": 1e-7},
        ),
    )
    contrast = {"input": [0.5, 2.0, 0.0], "target": [1.0, 2.0, 1.0]}
    example = {"input": [0.0, 1.0, 2.0], "target": [1.0, 2.0, 0.0], "reduction": "none"}

    formula = (
        "exp(x) - y·x + s if log_input, else x - y·ln(x + ε) + s, "
        "s = y·ln y - y + ½·ln(2π·y) if full and y > 1"
    )
    derivative = "exp(x) - y if log_input, else 1 - y / (x + ε)"

    log_input: Annotated[bool, Doc("Whether the input is the logarithm of the expected count.")] = True
    full: Annotated[bool, Doc("Whether to add Stirling's formula for ln(y!).")] = False
    eps: Annotated[
        float, FINITE_NOT_NEGATIVE, Doc("Added to the expected count, so that its logarithm is finite.")
    ] = 1e-8

    def terms(self, input: Values, target: Counts) -> Terms:
        rate = np.exp(input) if self.log_input else input
        gap = input if self.log_input else _log_of_sum(input, self.eps)
        if self.full:
            # y·ln y - y·x as y·(ln y - x): either product may be too large. Where y ≤ 1, 0 is added.
            gap = gap - np.log(np.maximum(target, number(1.0, target)))
        value = rate - xmul(target, gap)
        if np.any(value != value):
            # inf - inf: exp(x) grows faster than y·x, and x faster than y·ln x.
            value = where((rate == np.inf) & (target < np.inf), np.inf, value)
        return Terms(value + self._correction(target) if self.full else value)

    def gradient(self, input: Values, target: Counts) -> Slope:
        """The expected count less the target; without `log_input`, relative to the expected count."""
        if self.log_input:
            return Slope(np.exp(input) - target)
        count = input + self.eps
        return Slope(np.where((count == np.inf) & np.isfinite(target), 1.0, (count - target) / count))

    def _correction(self, target: FloatArray) -> FloatArray:
        """Stirling's formula without y·ln y: ½·ln(2πy) - y where y > 1, else 0."""
        larger = np.maximum(target, number(1.0, target))
        return where(larger > 1, 0.5 * np.log(larger * (2.0 * pi(target))) - larger, 0.0)


@loss("gaussian-nll", torch="GaussianNLLLoss", functional="gaussian_nll_loss")
class GaussianNLL(Likelihood):
    """Negative log-likelihood of values under normal distributions.

    `input` holds the means and `target` the values, of any shape, the same for both. `var` holds the
    variances: of the same shape, of that shape without its last axis, with one axis of length 1 instead,
    or one number for all. A smaller variance than `eps` counts as `eps`. `full` adds the constant
    ½·ln(2π). The mean divides by the number of elements.

    Raises ShapeError for shapes that do not fit, DomainError for a negative variance and ParameterError for
    an `eps` that is negative or not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html

    >>> GaussianNLL()([1.0, 2.0], [1.5, 2.0], [1.0, 2.0], reduction="none")
    array([0.125     , 0.34657359])
    """

    unlike = "accepts integers, as float64, and a single number as `var` for an input of any shape"
    aliases = ("gaussian_negative_log_likelihood", "normal_nll")
    uses = ("regression", "uncertainty")
    range = Interval()
    example = {"input": [1.0, 2.0], "target": [1.5, 2.0], "var": [1.0, 2.0], "reduction": "none"}

    formula = "½·(ln v + (x - y)² / v + k), v = max(var, ε), k = ln(2π) if full"
    derivative = "(x - y) / v, v = max(var, ε)"
    legacy = False

    full: Annotated[bool, Doc("Whether to add the constant ½·ln(2π).")] = False
    eps: Annotated[float, FINITE_NOT_NEGATIVE, Doc("The smallest variance.")] = 1e-6

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        layout = super().layout(shapes, dtypes, broadcast)
        whole, var = shapes["input"], shapes["var"]
        if not _is_variance_of(var, whole):
            per_row = f"{show_shape(whole[:-1])} for one per row, " if len(whole) > 1 else ""
            raise ShapeError(
                f"`var` of shape {show_shape(var)} does not fit `input` of {show_shape(whole)}",
                argument="var",
                hint=f"give {show_shape(whole)}, {per_row}or one number",
            )
        along = var and "input" in layout.cut and (var[0] != 1 or whole[0] == 1)
        return layout._replace(cut=layout.cut | {"var"}) if along else layout

    def terms(self, input: Values, target: Values, var: Variance) -> Terms:
        variance = self._variance(input, var)
        difference = input - target
        if self.eps > _TINY:
            value = np.log(variance) + difference * (difference / variance)
        else:
            # d/v may leave the range where d²/v does not.
            ratio = difference / np.sqrt(variance)
            value = np.log(variance) + ratio * ratio
        return Terms(0.5 * (value + self._constant(var) if self.full else value))

    def quantities(self, input: Values, target: Values, var: Variance) -> Quantities:
        """The variances, bounded and in the shape of the input."""
        variance = np.broadcast_to(_beside(var, input), np.broadcast_shapes(input.shape, target.shape))
        return {"var": variance[..., np.newaxis]}

    def gradient(self, input: Values, target: Values, var: Variance) -> Slope:
        """The difference over the variance."""
        return Slope((input - target) / self._variance(input, var))

    def gradient_var(self, input: Values, target: Values, var: Variance) -> Slope:
        """½·(1/v - (d/v)²), also where `eps` took the place of the variance."""
        variance = self._variance(input, var)
        ratio = (input - target) / variance
        slope = 0.5 * (1.0 / variance - ratio * ratio)
        return Slope(unbroadcast(slope, _beside(var, input).shape).reshape(var.shape))

    def _constant(self, like: FloatArray) -> FloatArray:
        """ln 2π."""
        return np.asarray(np.log(2.0 * pi(like)))

    def _variance(self, input: FloatArray, var: FloatArray) -> FloatArray:
        return np.maximum(_beside(var, input), number(self.eps, var))


def _log_of_sum(x: FloatArray, eps: float) -> FloatArray:
    """ln(x + ε) as ln s + e/s, with s the rounded sum and e its rounding error.

    Where s is near 1, ln s is so small that e matters.
    """
    total = x + eps
    larger = np.maximum(x, eps)
    rest = np.minimum(x, eps) - (total - larger)
    return np.log(total) + xmul(rest, 1.0 / total)


def _beside(var: FloatArray, input: FloatArray) -> FloatArray:
    """The variances in a shape that broadcasts to that of the input: (N,) becomes (N, 1) beside (N, D)."""
    return var[..., np.newaxis] if var.ndim and var.ndim == input.ndim - 1 else var


def _is_variance_of(var: Shape, whole: Shape) -> bool:
    """Whether the shape of variances fits: the same, without the last axis, with one axis of 1, or ()."""
    if not var or fits(var, whole) or fits(var, whole[:-1]):
        return True
    different = [a for a, b in zip(var, whole, strict=False) if a != b and a is not None and b is not None]
    return len(var) == len(whole) and different == [1]
