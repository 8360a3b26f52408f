"""Losses that compare distributions."""

import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, loss
from losscalc.core.array import FloatArray, Shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import Interval
from losscalc.core.double import Double, product
from losscalc.core.exponential import exp, log
from losscalc.core.precision import refined
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Divergent, LogProbabilities, Role
from losscalc.core.shapes import Layout, elementwise_layout

# exp gets subnormal at -708.4, and loses digits.
_FAINT = -690.0


@loss("kl-div", torch="KLDivLoss", functional="kl_div")
class KLDiv(Loss):
    """Kullback-Leibler divergence of distributions from the input.

    `input` holds log-probabilities and `target` probabilities, with `log_target` log-probabilities too;
    both have any shape, the same for both. That they sum to 1 is not checked. Each element has a loss of
    its own; the divergence of a distribution is the sum over its elements. The mean divides by the number
    of elements, classes included; the reduction batchmean divides by the length of axis 0, which for
    distributions (N, C) gives the mean divergence.

    Raises ShapeError for shapes that differ and DomainError for a negative probability.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html

    >>> KLDiv()([[-1.0, -2.0], [-0.5, -1.5]], [[0.4, 0.6], [0.5, 0.5]], reduction="batchmean")
    np.float64(0.616920576)
    """

    unlike = (
        "refuses negative probabilities, takes the limit 0 where a probability is 0 and the log-probability "
        "is infinite, and takes whole numbers, as float64"
    )
    range = Interval(-math.exp(-1.0))
    relatives = {"with-entropy": "cross-entropy"}
    example = {
        "input": [[-1.0, -2.0], [-0.5, -1.5]],
        "target": [[0.4, 0.6], [0.5, 0.5]],
        "reduction": "batchmean",
    }

    formula = "exp(y)·(y - x) if log_target, else y·(ln y - x)"
    reductions = ("none", "mean", "sum", "batchmean")
    divisor = "the number of elements, batchmean by the length of axis 0"
    broadcasts = True

    log_target: Annotated[bool, Doc("Whether the target holds log-probabilities.")] = False

    @property
    def roles(self) -> Mapping[str, Role]:
        """A target of log-probabilities may be negative."""
        roles = super().roles
        target = roles["target"]._replace(domain=None) if self.log_target else roles["target"]
        return {**roles, "target": target}

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """`input` and `target` of one shape, unless broadcasting was asked for."""
        return elementwise_layout(shapes, broadcast=broadcast, may_broadcast=True)

    def terms(self, input: LogProbabilities, target: Divergent) -> Terms:
        """The losses of one block."""
        # What is impossible costs nothing: the limit of y·(ln y - x) for y = 0 is 0, for any x.
        if not self.log_target:
            some = np.where(target == 0, 1.0, target)
            logarithm = np.log(some)
            difference = refined(logarithm - input, np.abs(logarithm), _log_difference, some, input)
            return Terms(product(target, difference))
        # Of a probability that is subnormal the difference may bring the digits back.
        size = np.where(target < _FAINT, np.inf, 0.0)
        return Terms(refined(np.exp(target) * (target - input), size, _weighted_difference, target, input))

    def gradient(self, input: LogProbabilities, target: Divergent) -> Slope:
        """The probability of the target, with a minus."""
        slope = -np.exp(target) if self.log_target else -target
        return Slope(np.broadcast_to(slope, np.broadcast_shapes(input.shape, target.shape)))


def _log_difference(target: FloatArray, input: FloatArray) -> FloatArray:
    """ln y - x."""
    return (log(target) - input).value


def _weighted_difference(target: FloatArray, input: FloatArray) -> FloatArray:
    """exp(y)·(y - x), which is 0 for y = -∞."""
    share, k = exp(target)
    difference = Double(np.where(target == -np.inf, 0.0, target)) - input
    return difference.shared(share).scaled(k).value
