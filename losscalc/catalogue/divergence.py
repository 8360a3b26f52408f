"""Losses that compare distributions."""

import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, loss
from losscalc.core.array import Shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Divergent, LogProbabilities, Role
from losscalc.core.shapes import Layout, elementwise_layout
from losscalc.core.stable import xmul

_MOST = float(np.finfo(np.float64).max)


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

    formula = "0 if q = 0, else q·(ln q - x), q = exp(y) if log_target, else y"
    reductions = ("none", "mean", "sum", "batchmean")
    divisor = "the number of elements, batchmean by the length of axis 0"
    broadcasts = True

    log_target: Annotated[bool, Doc("Whether the target holds log-probabilities.")] = False

    @property
    def roles(self) -> Mapping[str, Role]:
        """A target of log-probabilities has no domain."""
        roles = super().roles
        target = roles["target"]._replace(domain=None) if self.log_target else roles["target"]
        return {**roles, "target": target}

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return elementwise_layout(shapes, broadcast=broadcast)

    def terms(self, input: LogProbabilities, target: Divergent) -> Terms:
        # y·(ln y - x) has the limit 0 at y = 0, for any x.
        if not self.log_target:
            return Terms(xmul(target, np.log(target + (target == 0)) - input))
        # exp(y) = exp(y/2)²: a subnormal exp(y) has lost digits, which a large difference would show.
        root = np.exp(0.5 * target)
        return Terms(root * xmul(root, np.maximum(target, -_MOST) - input))

    def gradient(self, input: LogProbabilities, target: Divergent) -> Slope:
        """The probability of the target, with a minus."""
        slope = -np.exp(target) if self.log_target else -target
        return Slope(np.broadcast_to(slope, np.broadcast_shapes(input.shape, target.shape)))
