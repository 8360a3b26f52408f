"""Regression losses that are the negative log-likelihood of a distribution."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, Interval
from losscalc.core.double import Double, where
from losscalc.core.exponential import exp, log
from losscalc.core.precision import is_narrow, refined
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Counts, Values, Variance
from losscalc.core.shapes import Layout, elementwise_layout, fits, unbroadcast
from losscalc.errors import ShapeError

_LN_2PI = Double(np.array(1.8378770664093456), -7.756588316134483e-17)


class Likelihood(Loss):
    """What the losses of this family share: an input that describes a distribution of the target."""

    divisor = "the number of elements"
    broadcasts = True

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """`input` and `target` of one shape, unless broadcasting was asked for."""
        pair = {name: shapes[name] for name in ("input", "target")}
        return elementwise_layout(pair, broadcast=broadcast, may_broadcast=True)


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

    unlike = (
        "takes whole numbers, as float64, takes the limit at infinite inputs, and refuses a negative `eps`"
    )
    range = Interval()
    example = {"input": [0.0, 1.0, 2.0], "target": [1.0, 2.0, 0.0], "reduction": "none"}

    formula = "exp(x) - y·x + s if log_input, else x - y·ln(x + ε) + s; s ≈ ln(y!) with full"

    log_input: Annotated[bool, Doc("Whether the input is the logarithm of the expected count.")] = True
    full: Annotated[bool, Doc("Whether to add Stirling's formula for ln(y!).")] = False
    eps: Annotated[
        float, FINITE_NOT_NEGATIVE, Doc("Added to the expected count, so that its logarithm is finite.")
    ] = 1e-8

    def terms(self, input: Values, target: Counts) -> Terms:
        """The losses of one block."""
        expected = np.exp(input) if self.log_input else input
        gap = -input if self.log_input else -np.log(input + self.eps)
        share = target * gap
        plain, size = expected + share, np.maximum(np.abs(expected), np.abs(share))
        if not self.log_input:
            # What rounding adds to x + ε shows in a logarithm that is close to 0.
            size = np.maximum(size, np.abs(target))
        if self.full:
            larger = target > 1
            logarithm = np.log(np.where(larger, target, 1.0))
            plain = plain + np.where(
                larger, target * logarithm - target + 0.5 * (logarithm + _LN_2PI.high), 0
            )
            # So many roundings that float64 keeps too few digits of what is left.
            size = np.where(larger, size + target * logarithm if is_narrow() else np.inf, size)
        return Terms(refined(plain, size, self._exact, input, target))

    def _exact(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """The losses where their parts cancel, or are infinite."""
        expected = _expected(input) if self.log_input else Double(input)
        gap = -Double(input) if self.log_input else -log(Double(input) + self.eps)
        value = expected + gap.shared(target)
        if self.full:
            # y·ln y joins y·x before the product, which may be too large without it.
            logarithm = log(target)
            whole = expected + (gap + logarithm).shared(target) - target + (logarithm + _LN_2PI) * 0.5
            value = where(target > 1, whole, value)
        # What grows faster wins: exp(x) over y·x, and x over y·ln x.
        return np.where((input == np.inf) & np.isfinite(target), np.inf, value.value)

    def quantities(self, input: Values, target: Counts) -> Quantities:
        """Stirling's formula, with `full`."""
        stirling = np.where(target > 1, _stirling(target).value, 0.0)
        return {"s": stirling[..., np.newaxis] if self.full else None}

    def gradient(self, input: Values, target: Counts) -> Slope:
        """The expected count less the target; without `log_input`, relative to the expected count."""
        if self.log_input:
            return Slope((_expected(input) - target).value)
        count = Double(input) + self.eps
        slope = ((count - target) / count).value
        return Slope(np.where((input == np.inf) & np.isfinite(target), 1.0, slope))


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

    unlike = "takes whole numbers, as float64, and one number as `var` for an input of any shape"
    range = Interval()
    example = {"input": [1.0, 2.0], "target": [1.5, 2.0], "var": [1.0, 2.0], "reduction": "none"}

    formula = "½·(ln v + (x - y)² / v + k), v = max(var, ε); k = ln 2π with full"
    legacy = False

    full: Annotated[bool, Doc("Whether to add the constant ½·ln(2π).")] = False
    eps: Annotated[float, FINITE_NOT_NEGATIVE, Doc("The smallest variance.")] = 1e-6

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """`input` and `target` of one shape, and variances that go with `input`."""
        layout = super().layout(shapes, dtypes, broadcast)
        whole, var = shapes["input"], shapes["var"]
        if not _is_variance_of(var, whole):
            raise ShapeError(
                f"`var` of shape {show_shape(var)} does not fit `input` of {show_shape(whole)}",
                argument="var",
                hint=f"give {show_shape(whole)}, {show_shape(whole[:-1])} for one a row, or one number",
            )
        along = var and "input" in layout.cut and (var[0] != 1 or whole[0] == 1)
        return layout._replace(cut=layout.cut | {"var"}) if along else layout

    def terms(self, input: Values, target: Values, var: Variance) -> Terms:
        """The losses of one block."""
        variance = self._variance(input, var)
        if not is_narrow():
            return Terms(self._exact(input, target, variance))
        logarithm, difference = np.log(variance), input - target
        ratio = difference / variance * difference
        plain = 0.5 * (logarithm + ratio + (_LN_2PI.high if self.full else 0.0))
        size = np.abs(logarithm) + (2.0 if self.full else 0.0)
        return Terms(refined(plain, size, self._exact, input, target, variance))

    def _exact(self, input: FloatArray, target: FloatArray, variance: FloatArray) -> FloatArray:
        """The losses where their parts cancel."""
        difference = Double(input) - target
        # (d / v)·(d / 2): d² alone might overflow, or vanish.
        value = log(variance) * 0.5 + difference / Double(variance) * (difference * 0.5)
        if self.full:
            value = value + _LN_2PI * 0.5
        return value.value

    def quantities(self, input: Values, target: Values, var: Variance) -> Quantities:
        """The variances in the shape of the input, and with `full` the constant."""
        variance = np.broadcast_to(_beside(var, input), np.broadcast_shapes(input.shape, target.shape))
        return {"var": variance[..., np.newaxis], "k": _LN_2PI.high if self.full else None}

    def gradient(self, input: Values, target: Values, var: Variance) -> Slope:
        """The difference over the variance."""
        return Slope((input - target) / self._variance(input, var))

    def gradient_var(self, input: Values, target: Values, var: Variance) -> Slope:
        """½·(1/v - (d/v)²), also where `eps` took the place of the variance."""
        variance = Double(self._variance(input, var))
        ratio = (Double(input) - target) / variance
        slope = (Double(np.ones_like(variance.high)) / variance - ratio * ratio) * 0.5
        return Slope(unbroadcast(slope.value, _beside(var, input).shape).reshape(var.shape))

    def _variance(self, input: FloatArray, var: FloatArray) -> FloatArray:
        return np.maximum(_beside(var, input), self.eps)


def _expected(input: FloatArray) -> Double:
    """exp(x), of which infinity and zero have no digits to be lost."""
    value, k = exp(input)
    return value.scaled(k)


def _stirling(target: FloatArray) -> Double:
    """y·ln y - y + ½·ln(2πy), which is close to ln(y!)."""
    logarithm = log(target)
    return logarithm * target - target + (logarithm + _LN_2PI) * 0.5


def _beside(var: FloatArray, input: FloatArray) -> FloatArray:
    """The variances in a shape that broadcasts to that of the input: (N,) is one a row of (N, D)."""
    return var[..., np.newaxis] if var.ndim and var.ndim == input.ndim - 1 else var


def _is_variance_of(var: Shape, whole: Shape) -> bool:
    """Whether variances go with an input: equal, a row each, one axis of length 1, or a single number."""
    if not var or fits(var, whole) or fits(var, whole[:-1]):
        return True
    different = [a for a, b in zip(var, whole, strict=False) if a != b and a is not None and b is not None]
    return len(var) == len(whole) and different == [1]
