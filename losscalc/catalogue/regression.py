"""Losses of real values against real values."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, loss
from losscalc.core.array import FloatArray, Shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, FINITE_POSITIVE
from losscalc.core.double import Double
from losscalc.core.precision import is_narrow
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import FullWeight, Values
from losscalc.core.shapes import Layout, elementwise_layout


class Regression(Loss):
    """What the losses of this family share: equal shapes, and a weight that has them too."""

    divisor = "the number of elements; with weight, the sum of the weights"
    broadcasts = True

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """`input`, `target` and `weight` of one shape, unless broadcasting was asked for."""
        return elementwise_layout(shapes, full=("weight",), broadcast=broadcast, may_broadcast=True)


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

    unlike = "takes whole numbers, as float64, and does not take complex ones"
    power = 1
    weighted_mean = True
    close = ("mse", "smooth-l1")
    example = {"input": [1.0, -2.0, 0.5], "target": [1.5, 1.0, 0.5], "reduction": "none"}

    formula = "w·|x - y|"

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        """The losses of one block."""
        difference = np.abs(input - target)
        return Terms(difference) if weight is None else Terms(weight * difference, weight)

    def gradient(self, input: Values, target: Values, weight: FullWeight | None = None) -> Slope:
        """The sign of the difference, 0 where there is none."""
        return Slope(np.sign(input - target) * (1.0 if weight is None else weight))


@loss("mse", torch="MSELoss", functional="mse_loss")
class MSE(Regression):
    """Squared difference.

    `input` and `target` have any shape, the same for both; so has `weight`, which PyTorch offers in its
    functional form only. The mean divides by the number of elements, with `weight` by the sum of the
    weights. There is no factor 1/2.

    Raises ShapeError for shapes that differ and DTypeError for values that are not real numbers.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html

    >>> MSE()([1.0, -2.0, 0.5], [1.5, 1.0, 0.5], reduction="sum")
    np.float64(9.25)
    """

    unlike = "takes whole numbers, as float64"
    power = 2
    weighted_mean = True
    close = ("l1",)
    example = {"input": [1.0, -2.0, 0.5], "target": [1.5, 1.0, 0.5], "reduction": "sum"}

    formula = "w·(x - y)²"

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        """The losses of one block."""
        if weight is None:
            return Terms(np.square(input - target))
        # (w·d)·d: a small weight is met by a large difference before that is squared, and vice versa.
        if is_narrow():
            plain = input - target
            return Terms(plain * weight * plain, weight)
        difference = Double.difference(input, target)
        return Terms((difference * weight * difference).value, weight)

    def gradient(self, input: Values, target: Values, weight: FullWeight | None = None) -> Slope:
        """Twice the difference."""
        return Slope(2.0 * (input - target) * (1.0 if weight is None else weight))


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

    unlike = "takes whole numbers, as float64, and refuses an infinite `beta`, for which PyTorch gives 0"
    bend = "beta"
    close = ("huber", "l1", "mse")
    example = {"input": [0.25, 1.0, 3.0], "target": [0.0, 0.0, 0.0], "reduction": "none", "beta": 0.5}

    formula = "(x - y)² / (2·β) if |x - y| < β, else |x - y| - β/2"
    divisor = "the number of elements"

    beta: Annotated[float, FINITE_NOT_NEGATIVE, Doc("Where the quadratic part ends.")] = 1.0

    def terms(self, input: Values, target: Values) -> Terms:
        """The losses of one block."""
        if not self.beta:
            return Terms(np.abs(input - target))
        factor = 1.0 if self.beta == 1 else Double(np.asarray(1.0)) / self.beta
        return Terms(_rounded_off(input, target, self.beta, factor))

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
        "takes whole numbers, as float64, and refuses an infinite `delta`, for which PyTorch gives half the "
        "square"
    )
    bend = "delta"
    close = ("smooth-l1", "l1", "mse")
    example = {"input": [0.5, 2.0, 3.0], "target": [0.0, 0.0, 0.0], "reduction": "none", "delta": 2.0}

    formula = "w·(½(x - y)² if |x - y| ≤ δ, else δ·(|x - y| - ½δ))"
    divisor = "the number of elements; weights never enter it"
    legacy = False

    delta: Annotated[float, FINITE_POSITIVE, Doc("Where the quadratic part ends.")] = 1.0

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        """The losses of one block."""
        return Terms(_rounded_off(input, target, self.delta, 1.0 if weight is None else weight))

    def gradient(self, input: Values, target: Values, weight: FullWeight | None = None) -> Slope:
        """The difference, but never beyond `delta`."""
        slope = np.clip(input - target, -self.delta, self.delta)
        return Slope(slope if weight is None else weight * slope)


def _rounded_off(
    input: FloatArray, target: FloatArray, bend: float, factor: Double | FloatArray | float
) -> FloatArray:
    """d²/2 up to the bend b, and b·(d - b/2) beyond: with c = min(d, b) both are c·(d - c/2).

    d = |x - y| is kept with what rounding took from it, because the bend can multiply that. The factor
    comes between, where it keeps the product within the range of float64.
    """
    if is_narrow():
        plain = np.abs(input - target)
        near = np.minimum(plain, bend)
        plain_factor = factor.value if isinstance(factor, Double) else factor
        return np.asarray(near * plain_factor * (plain - near * 0.5))
    distance = Double.difference(np.maximum(input, target), np.minimum(input, target))
    near = np.minimum(distance.high, bend)
    if isinstance(factor, float):
        half = near * 0.5
        rest = distance.high - half
        error = ((distance.high - rest) - half) + distance.low
        return np.asarray(factor * near * (rest + error))
    return (Double(near) * factor * (distance + -near / 2.0)).value
