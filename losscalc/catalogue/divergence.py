"""Losses that compare distributions."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np

from losscalc.catalogue.base import Loss, loss
from losscalc.core.array import FloatArray, Shape
from losscalc.core.conventions import NORMALIZED, Convention
from losscalc.core.declaration import Doc
from losscalc.core.domains import UNIT, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Divergent, LogProbabilities, Role
from losscalc.core.shapes import Layout, elementwise_layout, rowwise_layout
from losscalc.core.stable import MOST, log_ratio, number, total, where, xmul

# The smallest number that has a logarithm.
_LEAST = 5e-324

Shares = Annotated[
    FloatArray,
    Role(
        "Probabilities (..., C), which sum to 1 along the last axis.",
        "shares",
        UNIT,
        hint="of logits take losscalc softmax; log-probabilities are for kl-div",
    ),
]


@loss("kl-div", torch="KLDivLoss", functional="kl_div")
class KLDiv(Loss):
    """Kullback-Leibler divergence of distributions from the input.

    `input` holds log-probabilities and `target` probabilities, with `log_target` log-probabilities too;
    both have any shape, the same for both. Rows that do not sum to 1 get a warning. Each element has a loss
    of its own; the divergence of a distribution is the sum over its elements. The mean divides by the number
    of elements, classes included; the reduction batchmean divides by the length of axis 0, which for
    distributions (N, C) gives the mean divergence.

    Raises ShapeError for shapes that differ and DomainError for a negative probability.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html

    >>> KLDiv()([[-1.6, -0.2], [-0.7, -0.7]], [[0.4, 0.6], [0.5, 0.5]], reduction="batchmean")
    np.float64(0.046920576)
    """

    unlike = (
        "refuses negative probabilities, takes the limit 0 where a probability is 0 and the log-probability "
        "is infinite, and accepts integers, as float64"
    )
    uses: ClassVar[tuple[str, ...]] = ("distributions", "distillation")
    range = Interval(-math.exp(-1.0))
    relatives = {"with-entropy": "cross-entropy"}
    example = {
        "input": [[-1.6, -0.2], [-0.7, -0.7]],
        "target": [[0.4, 0.6], [0.5, 0.5]],
        "reduction": "batchmean",
    }

    formula = "0 if q = 0, else q·(ln q - x), q = exp(y) if log_target, else y"
    derivative = "-q, q = exp(y) if log_target, else y"
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
            return Terms(xmul(target, np.log(np.maximum(target, number(_LEAST, target))) - input))
        # exp(y) = exp(y/2)²: a subnormal exp(y) has lost digits, which a large difference would show.
        root = np.exp(0.5 * target)
        return Terms(root * xmul(root, np.maximum(target, -MOST) - input))

    def gradient(self, input: LogProbabilities, target: Divergent) -> Slope:
        """The probability of the target, with a minus."""
        slope = -np.exp(target) if self.log_target else -target
        return Slope(np.broadcast_to(slope, np.broadcast_shapes(input.shape, target.shape)))


class Divergence(Loss):
    """The base of divergences with one loss per row: arrays (..., C) of one shape, or (C,) for one row."""

    divisor = "the number of rows"
    legacy = False
    uses: ClassVar[tuple[str, ...]] = ("distributions",)

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return rowwise_layout(shapes, same=list(shapes), broadcast=broadcast)


@loss("kl")
class KL(Divergence):
    """Kullback-Leibler divergence of rows of probabilities from the input.

    `input` and `target` hold probabilities of the same shape (N, ..., C), or (C,) for one row, which sum to 1
    along the last axis. Both are raised to `eps` where they are below it. The mean divides by the number of
    rows.

    Raises ShapeError for shapes that differ and DomainError for a number outside [0, 1].

    Source: https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.entropy.html

    >>> KL()([[0.36, 0.48, 0.16]], [[0.2, 0.8, 0.0]], reduction="none")
    array([0.29110317])
    """

    close = ("kl-div", "jensen-shannon")
    conventions = (
        Convention(
            "keras",
            "raises probabilities below 1e-7 to 1e-7",
            "keras.losses.kl_divergence, 3.15.1",
            {"eps": 1e-7},
        ),
        Convention(
            "torchmetrics",
            "divides rows by their sum",
            "torchmetrics.functional.kl_divergence, 1.9.0, which takes the target first",
            changes={"input": NORMALIZED, "target": NORMALIZED},
            takes=("input", "target"),
        ),
    )
    contrast = {"input": [[0.36, 0.48, 1e-9]], "target": [[0.2, 0.7, 0.2]]}
    aliases = ("kullback_leibler", "relative_entropy")
    ambiguous: ClassVar[Mapping[str, str]] = {"kl_divergence": "kl-div", "kld": "kl-gaussian"}
    example = {"input": [[0.36, 0.48, 0.16]], "target": [[0.2, 0.8, 0.0]], "reduction": "none"}

    formula = "Σ (0 if p = 0, else p·ln(p / q)), p = max(y, ε), q = max(x, ε)"

    eps: Annotated[float, UNIT, Doc("Smallest probability; 1e-7 in Keras.")] = 0.0

    def terms(self, input: Shares, target: Shares) -> Terms:
        p, q = np.maximum(target, self.eps), np.maximum(input, self.eps)
        # 0·ln 0 is 0, whatever the other probability is.
        return Terms(total(xmul(p, log_ratio(p + (p == 0), q))))

    def gradient(self, input: Shares, target: Shares) -> Slope:
        """-y / x; 0 below `eps`."""
        p, q = np.maximum(target, self.eps), np.maximum(input, self.eps)
        return Slope(np.where((input < self.eps) | (p == 0), 0.0, -p / q))

    def gradient_target(self, input: Shares, target: Shares) -> Slope:
        """ln(y / x) + 1; 0 below `eps`."""
        p, q = np.maximum(target, self.eps), np.maximum(input, self.eps)
        return Slope(np.where(target < self.eps, 0.0, log_ratio(p, q) + 1.0))


@loss("jensen-shannon")
class JensenShannon(Divergence):
    """Symmetric divergence of rows of probabilities: the mean of those from their average.

    `input` and `target` hold probabilities of the same shape (N, ..., C), or (C,) for one row, which sum to 1
    along the last axis. The loss of a row is between 0 and ln 2. The mean divides by the number of rows.

    Raises ShapeError for shapes that differ and DomainError for a number outside [0, 1].

    Source: https://lightning.ai/docs/torchmetrics/stable/regression/js_divergence.html

    >>> JensenShannon()([[0.5, 0.5], [1.0, 0.0]], [[0.3, 0.7], [0.0, 1.0]], reduction="none")
    array([0.02100593, 0.69314718])
    """

    uses = ("distributions", "noisy labels")
    close = ("kl",)
    conventions = (
        Convention(
            "torchmetrics",
            "divides rows by their sum",
            "torchmetrics.functional.regression.js_divergence.jensen_shannon_divergence, 1.9.0",
            changes={"input": NORMALIZED, "target": NORMALIZED},
        ),
    )
    contrast = {"input": [[0.36, 0.48]], "target": [[0.2, 0.7]]}
    aliases = ("js", "jsd", "js_divergence", "jensen_shannon_divergence")
    range = Interval(0.0, math.log(2.0))
    example = {
        "input": [[0.5, 0.5], [1.0, 0.0]],
        "target": [[0.3, 0.7], [0.0, 1.0]],
        "reduction": "none",
    }

    formula = "½·Σ ((0 if x = 0, else x·ln(x / m)) + (0 if y = 0, else y·ln(y / m))), m = ½(x + y)"

    def terms(self, input: Shares, target: Shares) -> Terms:
        both = input + target
        share = (input - target) / (both + (both == 0))
        near = abs(share) < 0.5
        # With x = s/2·(1+t) and y = s/2·(1-t) the two parts are s/2·[(1+t)·ln(1+t) + (1-t)·ln(1-t)], which is
        # s/2·[t·ln((1+t) / (1-t)) + ln(1-t²)]: for a small t that keeps the digits, as 2t² - t².
        t = where(near, share, number(0.0, both))
        close = 0.5 * both * (t * (np.log1p(t) - np.log1p(-t)) + np.log1p(-t * t))
        far = xmul(input, log_ratio(2.0 * input + (input == 0), both))
        far = far + xmul(target, log_ratio(2.0 * target + (target == 0), both))
        return Terms(total(0.5 * where(near, close, far)))

    def gradient(self, input: Shares, target: Shares) -> Slope:
        """½·ln(2x / (x + y)), and 0 where both are 0."""
        both = input + target
        return Slope(np.where(both == 0, 0.0, 0.5 * log_ratio(2.0 * input, both)))

    def gradient_target(self, input: Shares, target: Shares) -> Slope:
        """½·ln(2y / (x + y)), and 0 where both are 0."""
        return self.gradient(target, input)
