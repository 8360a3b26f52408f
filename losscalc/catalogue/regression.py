"""Losses of real values against real values."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np

from losscalc.catalogue.base import Loss, loss
from losscalc.core.array import Shape
from losscalc.core.conventions import Convention, agreeing
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, FINITE_POSITIVE
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import FullWeight, Values
from losscalc.core.shapes import Layout, elementwise_layout
from losscalc.core.stable import divided, gap, number, where


class Regression(Loss):
    """The base of this family: equal shapes, and a weight of the same shape."""

    divisor = "the number of elements; with weight, the sum of the weights"
    broadcasts = True

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return elementwise_layout(shapes, full=("weight",), broadcast=broadcast)


@loss("l1", torch="L1Loss", functional="l1_loss")
class L1(Regression):
    """Absolute difference.

    `input` and `target` have any shape, the same for both; so has `weight`, which PyTorch offers in its
    functional form only. The mean divides by the number of elements, with `weight` by the sum of the
    weights (NaN when they sum to zero and so does the numerator).

    Raises ShapeError for shapes that differ and DTypeError for values that are not real numbers.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html

    >>> L1()([1.0, -2.0, 0.5], [1.5, 1.0, 0.5], reduction="none")
    array([0.5, 3. , 0. ])
    """

    unlike = (
        "accepts integers, as float64, but no complex numbers, and has a gradient of NaN, not 0, where the "
        "input is NaN"
    )
    error_power = 1
    weighted_mean = True
    aliases = ("mae", "mean_absolute_error", "absolute_error")
    uses = ("regression", "restoration", "reconstruction", "depth", "keypoints", "ordinal", "noisy labels")
    close = ("mse", "smooth-l1")
    conventions = (
        Convention(
            "keras",
            "divides the sum of weighted losses by their number",
            "keras.losses.MeanAbsoluteError, 3.15.1",
            mean="plain",
        ),
        *agreeing(
            sklearn="sklearn.metrics.mean_absolute_error, 1.9.1",
            torchmetrics="torchmetrics.functional.mean_absolute_error, 1.9.0",
        ),
    )
    contrast = {"input": [1.0, -2.0, 0.5], "target": [1.5, 1.0, 0.5], "weight": [1.0, 2.0, 0.5]}
    example = {"input": [1.0, -2.0, 0.5], "target": [1.5, 1.0, 0.5], "reduction": "none"}

    formula = "w·|x - y|"
    derivative = "0 if x = y, else w·(x - y) / |x - y|"

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        difference = gap(input, target)
        return Terms(difference) if weight is None else Terms(weight * difference, weight)

    def gradient(self, input: Values, target: Values, weight: FullWeight | None = None) -> Slope:
        """The sign of the difference, 0 where there is none."""
        return Slope(np.sign(input - target) * (1.0 if weight is None else weight))


class Squared(Regression):
    """The base of the losses of squared differences."""

    error_power = 2
    weighted_mean = True
    formula = "w·(x - y)²"
    derivative = "2·w·(x - y)"

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        difference = input - target
        if weight is None:
            difference *= difference
            return Terms(difference)
        # (d·w)·d, because d² may overflow or underflow where w·d² does not.
        return Terms(difference * weight * difference, weight)

    def gradient(self, input: Values, target: Values, weight: FullWeight | None = None) -> Slope:
        """Twice the difference."""
        return Slope(2.0 * (input - target) * (1.0 if weight is None else weight))


@loss("mse", torch="MSELoss", functional="mse_loss")
class MSE(Squared):
    """Squared difference.

    `input` and `target` have any shape, the same for both; so has `weight`, which PyTorch offers in its
    functional form only. The mean divides by the number of elements, with `weight` by the sum of the
    weights. There is no factor 1/2.

    Raises ShapeError for shapes that differ and DTypeError for values that are not real numbers.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html

    >>> MSE()([1.0, -2.0, 0.5], [1.5, 1.0, 0.5], reduction="sum")
    np.float64(9.25)
    """

    unlike = "accepts integers, as float64"
    aliases = ("mean_squared_error", "squared_error")
    ambiguous: ClassVar[Mapping[str, str]] = {"l2": "half of it, as in optax"}
    uses = ("regression", "GAN", "restoration", "diffusion", "reconstruction", "keypoints", "ordinal")
    close = ("l1",)
    conventions = (
        Convention(
            "keras",
            "divides the sum of weighted losses by their number",
            "keras.losses.MeanSquaredError, 3.15.1",
            mean="plain",
        ),
        *agreeing(
            sklearn="sklearn.metrics.mean_squared_error, 1.9.1",
            torchmetrics="torchmetrics.functional.mean_squared_error, 1.9.0",
            optax="optax.losses.squared_error, 0.2.8",
        ),
    )
    contrast = {"input": [1.0, -2.0, 0.5], "target": [1.5, 1.0, 0.5], "weight": [1.0, 2.0, 0.5]}
    example = {"input": [1.0, -2.0, 0.5], "target": [1.5, 1.0, 0.5], "reduction": "sum"}


@loss("smooth-l1", torch="SmoothL1Loss", functional="smooth_l1_loss")
class SmoothL1(Regression):
    """Quadratic near zero, and linear with slope 1 beyond `beta`.

    `input` and `target` have any shape, the same for both. The mean divides by the number of elements.
    With `beta` 0 it is the absolute difference.

    Raises ShapeError for shapes that differ, DTypeError for values that are not real numbers and
    ParameterError for a `beta` that is negative or not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html

    >>> SmoothL1(beta=0.5)([0.25, 1.0, 3.0], [0.0, 0.0, 0.0], reduction="none")
    array([0.0625, 0.75  , 2.75  ])
    """

    unlike = "accepts integers, as float64, and refuses an infinite `beta`, for which PyTorch gives 0"
    uses = ("regression", "boxes", "robust", "diffusion", "depth", "keypoints")
    bend = "beta"
    close = ("huber", "l1", "mse")
    example = {"input": [0.25, 1.0, 3.0], "target": [0.0, 0.0, 0.0], "reduction": "none", "beta": 0.5}

    formula = "(x - y)² / (2·β) if |x - y| < β, else |x - y| - β/2"
    derivative = "(x - y) / β if |x - y| < β, 0 if x = y, else (x - y) / |x - y|"
    divisor = "the number of elements"

    beta: Annotated[float, FINITE_NOT_NEGATIVE, Doc("Where the quadratic part ends.")] = 1.0

    def terms(self, input: Values, target: Values) -> Terms:
        if not self.beta:
            return Terms(gap(input, target))
        # (d - c/2)·c/β for c = d near zero, else ±β.
        difference = input - target
        near = np.clip(difference, -self.beta, self.beta)
        difference -= 0.5 * near
        # c/β ≤ 1 comes first, because 1/β or c·d may overflow.
        difference *= divided(near, self.beta)
        return Terms(difference)

    def gradient(self, input: Values, target: Values) -> Slope:
        """The difference over `beta`, but never beyond 1."""
        if not self.beta:
            return Slope(np.sign(input - target))
        return Slope(np.clip(input - target, -self.beta, self.beta) / self.beta)


@loss("huber", torch="HuberLoss", functional="huber_loss")
class Huber(Regression):
    """Quadratic near zero, and linear with slope `delta` beyond `delta`.

    `input` and `target` have any shape, the same for both; so has `weight`, which PyTorch offers in its
    functional form only. The mean divides by the number of elements, with `weight` too, as PyTorch does
    for this loss alone.

    Raises ShapeError for shapes that differ, DTypeError for values that are not real numbers and
    ParameterError for a `delta` that is not positive or not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html

    >>> Huber(delta=2.0)([0.5, 2.0, 3.0], [0.0, 0.0, 0.0], reduction="none")
    array([0.125, 2.   , 4.   ])
    """

    unlike = (
        "accepts integers, as float64, and refuses an infinite `delta`, for which PyTorch gives half the "
        "square"
    )
    uses = ("regression", "robust", "restoration", "diffusion", "depth")
    bend = "delta"
    close = ("smooth-l1", "l1", "mse")
    conventions = agreeing(keras="keras.losses.Huber, 3.15.1", optax="optax.losses.huber_loss, 0.2.8")
    example = {"input": [0.5, 2.0, 3.0], "target": [0.0, 0.0, 0.0], "reduction": "none", "delta": 2.0}

    formula = "w·(½(x - y)² if |x - y| ≤ δ, else δ·(|x - y| - ½δ))"
    derivative = "w·(x - y if |x - y| ≤ δ, else δ·(x - y) / |x - y|)"
    divisor = "the number of elements; weights are left out"
    legacy = False

    delta: Annotated[float, FINITE_POSITIVE, Doc("Where the quadratic part ends.")] = 1.0

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        # (d - c/2)·c for c = d near zero, else ±δ.
        difference = input - target
        near = np.clip(difference, -self.delta, self.delta)
        difference -= 0.5 * near
        if weight is not None:
            near = weight * near
        difference *= near
        return Terms(difference)

    def gradient(self, input: Values, target: Values, weight: FullWeight | None = None) -> Slope:
        """The difference, but never beyond `delta`."""
        slope = np.clip(input - target, -self.delta, self.delta)
        return Slope(slope if weight is None else weight * slope)


@loss("log-cosh")
class LogCosh(Regression):
    """Smooth absolute error: half the square near zero, and |x - y| - ln 2 far out.

    `input` and `target` have any shape, the same for both. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ and DTypeError for values that are not real numbers.

    Source: https://keras.io/api/losses/regression_losses/#logcosh-class

    >>> LogCosh()([1.0, -2.0, 3.5], [1.5, 1.0, 3.0], reduction="none")
    array([0.12011451, 2.3093285 , 0.12011451])
    """

    aliases = ("log_cosh_error",)
    uses = ("regression", "robust")
    close = ("l1", "huber")
    conventions = agreeing(
        keras="keras.losses.log_cosh, 3.15.1",
        optax="optax.losses.log_cosh, 0.2.8",
        torchmetrics="torchmetrics.functional.log_cosh_error, 1.9.0",
    )
    example = {"input": [1.0, -2.0, 3.5], "target": [1.5, 1.0, 3.0], "reduction": "none"}

    formula = "ln(½·(exp(x - y) + exp(y - x)))"
    derivative = "(exp(x - y) - exp(y - x)) / (exp(x - y) + exp(y - x))"
    divisor = "the number of elements"
    legacy = False

    def terms(self, input: Values, target: Values) -> Terms:
        distance = gap(input, target)
        near = np.minimum(distance, number(1.0, distance))
        # cosh d = 1 - ½·expm1(d)·expm1(-d), which keeps the digits of a small d, and
        # cosh d = exp(d)·(1 + ½·expm1(-2d)), whose logarithm does not overflow.
        small = np.log1p(-0.5 * np.expm1(near) * np.expm1(-near))
        large = distance + np.log1p(0.5 * np.expm1(-2.0 * distance))
        return Terms(where(distance < 1.0, small, large))

    def gradient(self, input: Values, target: Values) -> Slope:
        """The hyperbolic tangent of the difference."""
        return Slope(np.tanh(input - target))
