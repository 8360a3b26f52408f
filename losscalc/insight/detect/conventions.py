"""What other frameworks and textbooks take for the same loss: by its name, the most common first."""

import math

import numpy as np

from losscalc.catalogue.base import losses
from losscalc.core import stable
from losscalc.core.array import Array
from losscalc.insight.call import Call, along_classes
from losscalc.insight.detect.distances import DISTANCES
from losscalc.insight.detect.hypothesis import Supposition

# -- labels ---------------------------------------------------------------------------------------------


def _zero_one(call: Call) -> Array:
    """The loss of labels 0 and 1 where -1 and 1 are meant, as PyTorch computes it: it checks no label."""
    numbers = call.numbers
    labels = (numbers["target"] + 1) / 2
    if call.loss.name == "cosine-embedding":
        # For neither 1 nor -1 there is no term.
        return call.reduced(np.where(labels == 1, call.single, 0.0))
    if call.loss.name == "hinge-embedding":
        # What is not 1 has the term of -1, and what is not -1 that of 1.
        both = call.loss.terms(**{**numbers, "target": -np.ones_like(labels)}).value + numbers["input"]
        return call.reduced(np.where(labels == 1, numbers["input"], both))
    return call.reduced(call.loss.terms(**{**numbers, "target": labels}).value)


def _hinge(call: Call, power: int) -> Array:
    """The losses of support vector machines: max(0, 1 - y·x), or its square."""
    x, y = call.taken("input", "target")
    return call.reduced(np.maximum(0.0, 1 - x * y) ** power)


ZERO_ONE = Supposition("target-01", "the labels were 0 and 1 where -1 and 1 are meant", _zero_one)
SIGNS = Supposition(
    "target-signs",
    "the labels were -1 and 1 where 0 and 1 are meant",
    lambda call: call.changed("target", lambda y: 2 * y - 1).value,
)
HINGES = [
    Supposition(
        "svm-hinge", "it is the hinge loss max(0, 1 - y·x), as in scikit-learn", lambda c: _hinge(c, 1)
    ),
    Supposition("svm-squared-hinge", "it is the squared hinge loss max(0, 1 - y·x)²", lambda c: _hinge(c, 2)),
]

# -- classes --------------------------------------------------------------------------------------------


def _worst(call: Call, least: float) -> Array:
    """The hinge loss of Crammer and Singer: the largest violation of each row, to the power, weighted."""
    x, y = call.taken("input", "target")
    right = np.take_along_axis(x, y[:, np.newaxis], axis=1).squeeze(1)
    wrong = np.where(np.arange(x.shape[1]) == y[:, np.newaxis], least, x).max(axis=1)
    settings = call.loss.settings
    weight = call.numbers["weight"][y] if "weight" in call.arrays else 1.0
    return call.reduced(weight * np.maximum(settings["margin"] + wrong - right, 0.0) ** settings["p"])


def _one_against_rest(call: Call) -> Array:
    """Binary cross-entropy of every logit against the one-hot rows."""
    x, y = call.taken("input", "target")
    if set(call.arrays) != {"input", "target"} or y.shape != x.shape[:1]:
        raise ValueError("only class indices without weights can be spread")
    hot = (y[:, np.newaxis] == np.arange(x.shape[1])).astype(np.float64)
    return call._replace(loss=losses()["bce-logits"](), arrays={"input": x, "target": hot}).value


def _less_entropy(call: Call) -> Array:
    """Cross-entropy less the entropy of the distributions, which is their divergence."""
    y = np.asarray(call.arrays["target"], dtype=np.float64)
    if y.shape != call.first.shape or not call.is_mean or "weight" in call.arrays:
        raise ValueError("there are no distributions")
    return np.asarray(
        call.value + np.where(y > 0, y * np.log(y), 0.0).sum() / float(call.partial.denominator)
    )


def _softmax_along(call: Call, axis: int) -> Array:
    """Negative log-likelihood after a softmax over an axis that is not that of the classes."""
    settings = call.loss.settings
    if settings["label_smoothing"]:
        raise ValueError("there is no smoothing without a softmax")
    likelihood = losses()["nll"](ignore_index=settings["ignore_index"])

    def change(x: Array) -> Array:
        return np.moveaxis(stable.log_softmax(np.moveaxis(x.astype(np.float64), axis, -1)), -1, axis)

    return call._replace(loss=likelihood).changed("input", change).value


CROSS_ENTROPY = [
    Supposition(
        "one-against-rest",
        "it is the binary cross-entropy of the one-hot rows, as bce-logits",
        _one_against_rest,
    ),
    Supposition("softmax-axis-0", "the softmax was taken over axis 0", lambda c: _softmax_along(c, 0)),
    Supposition(
        "softmax-last-axis", "the softmax was taken over the last axis", lambda c: _softmax_along(c, -1)
    ),
    Supposition("less-entropy", "the entropy of the targets was subtracted, as in kl-div", _less_entropy),
]
LIKELIHOOD = [
    Supposition(
        "softmax-again",
        "the logarithm was left out, and cross-entropy applied another softmax",
        lambda call: (
            call._replace(loss=losses()["cross-entropy"](**call.loss.settings)).changed("input", np.exp).value
        ),
    )
]
SUM_OVER_CLASSES = Supposition(
    "sum-over-classes",
    "the losses of the classes were added up, not divided by their number",
    lambda call: call.value * float(call.first.shape[-1]),
)
MULTI_MARGIN = [
    Supposition(
        "worst-class",
        "only the worst class counts, as in optax and scikit-learn",
        lambda call: _worst(call, -math.inf),
    ),
    Supposition(
        "worst-class-keras",
        "only the worst class counts, and none below 0, as in Keras",
        lambda call: _worst(call, 0.0),
    ),
    Supposition(
        "over-wrong-classes",
        "the losses of the classes were divided by the number of the wrong ones, C - 1",
        lambda call: call.value * float(call.first.shape[-1]) / (call.first.shape[-1] - 1),
    ),
    SUM_OVER_CLASSES,
]
FOCAL = [
    Supposition(
        "no-alpha",
        "there is no factor alpha, as in Keras and optax",
        lambda call: call.having(alpha=-1.0).value,
        "--alpha -1",
    ),
    Supposition(
        "no-gamma",
        "nothing is focussed on, --gamma being 0",
        lambda call: call.having(gamma=0.0).value,
        "--gamma 0",
    ),
    Supposition(
        "alpha-swapped",
        "alpha is the factor of the negative labels, and 1 - alpha that of the positive ones",
        lambda call: call.having(alpha=1 - abs(call.loss.settings["alpha"])).value,
    ),
    Supposition(
        "alpha-for-all",
        "alpha is the factor of all labels",
        lambda call: call.having(alpha=-1.0).value * call.loss.settings["alpha"],
    ),
    SIGNS,
]

# -- distributions ----------------------------------------------------------------------------------------


def _reversed(call: Call) -> float:
    """The divergence in the other direction, over the number of rows."""
    other = call.changed("input", np.exp).exchanged().changed("input", np.log)
    return other.scalar_sum / call.rows


def _without_entropy(call: Call) -> Array:
    """Of the divergence the cross-entropy -y·x alone."""
    x, y = call.taken("input", "target")
    return np.asarray(-(np.exp(y) if call.loss.settings["log_target"] else y) * x)


def _deviance(call: Call) -> Array:
    """Twice what the logarithm of the likelihood falls short of that of a perfect prediction."""
    x, y = call.taken("input", "target")
    rate = np.exp(x) if call.loss.settings["log_input"] else x
    return call.reduced(2 * (rate - y + np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / rate), 0.0)))


SUM_BASE_2 = Supposition(
    "sum-base-2", "it is the sum, with logarithms to base 2", lambda call: call.scalar_sum / math.log(2)
)
DIVERGENCE = [
    Supposition(
        "target-softmax",
        "a softmax was applied to the target first",
        lambda call: call.changed("target", along_classes(stable.softmax)).value,
    ),
    Supposition(
        "reversed-batchmean",
        "input and target were exchanged, and the sum was divided by the number of rows",
        _reversed,
    ),
    Supposition(
        "without-entropy",
        "it is the cross-entropy, without the entropy of the target",
        lambda call: call.reduced(_without_entropy(call)),
    ),
    Supposition(
        "without-entropy-of-rows",
        "it is the cross-entropy, without the entropy of the target, over the number of rows",
        lambda call: _without_entropy(call).sum() / call.rows if call.is_mean else None,
    ),
    Supposition(
        "batchmean-base-2",
        "the sum was divided by the number of rows, with logarithms to base 2",
        lambda call: call.scalar_sum / call.rows / math.log(2),
    ),
    SUM_BASE_2,
]
VARIANCES = [
    Supposition(name, sentence, lambda call, change=change: call.changed("var", change).value)
    for name, sentence, change in (
        ("var-squared", "--var was taken as standard deviations, and squared", np.square),
        ("var-root", "--var was given as standard deviations, its square root", np.sqrt),
        ("var-exp", "--var was taken as logarithms of variances", np.exp),
    )
]

CONVENTIONS: dict[str, list[Supposition]] = {
    **DISTANCES,
    "poisson-nll": [Supposition("deviance", "it is the deviance, as in scikit-learn", _deviance)],
    "gaussian-nll": VARIANCES,
    "bce": [SUM_BASE_2],
    "bce-logits": [SIGNS, SUM_BASE_2],
    "multilabel-soft-margin": [SIGNS, SUM_OVER_CLASSES],
    "sigmoid-focal": FOCAL,
    "soft-margin": [ZERO_ONE, *HINGES],
    "hinge-embedding": [ZERO_ONE, *HINGES],
    "multi-margin": MULTI_MARGIN,
    "multilabel-margin": [SUM_OVER_CLASSES],
    "cross-entropy": [*CROSS_ENTROPY, SUM_BASE_2],
    "nll": [*LIKELIHOOD, SUM_BASE_2],
    "kl-div": DIVERGENCE,
    "cosine-embedding": [ZERO_ONE],
    "margin-ranking": [ZERO_ONE],
}
