"""Losses of real values against real values."""

from collections.abc import Mapping

import numpy as np

from losscalc.arrays import FullWeight, Layout, Shape, Values, elementwise_layout
from losscalc.double import Double
from losscalc.loss import Loss, loss
from losscalc.reductions import Terms


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

    Unlike PyTorch it takes whole numbers, as float64, and does not take complex ones.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html

    >>> L1()([1.0, -2.0, 0.5], [1.5, 1.0, 0.5], reduction="none")
    array([0.5, 3. , 0. ])
    """

    formula = "w·|x - y|"

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        """The losses of one block."""
        difference = np.abs(input - target)
        return Terms(difference) if weight is None else Terms(weight * difference, weight)


@loss("mse", torch="MSELoss", functional="mse_loss")
class MSE(Regression):
    """Squared difference.

    `input` and `target` have any shape, the same for both; so has `weight`, which PyTorch offers in its
    functional form only. The mean divides by the number of elements, with `weight` by the sum of the
    weights. There is no factor 1/2.

    Raises ShapeError for shapes that differ and DTypeError for values that are not real numbers.

    Unlike PyTorch it takes whole numbers, as float64.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html

    >>> MSE()([1.0, -2.0, 0.5], [1.5, 1.0, 0.5], reduction="sum")
    np.float64(9.25)
    """

    formula = "w·(x - y)²"

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        """The losses of one block."""
        if weight is None:
            return Terms(np.square(input - target))
        # (w·d)·d: a small weight is met by a large difference before that is squared, and vice versa.
        difference = Double(input) + -target
        return Terms((difference * weight * difference).value, weight)
