"""Hypotheses: the conventions of other frameworks and textbooks, the most common first."""

import math

import numpy as np

from losscalc.catalogue.base import Loss, losses
from losscalc.core import stable
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.outcome import (
    along_classes,
    array,
    as_loss,
    changed,
    exchanged,
    first,
    having,
    is_mean,
    one_sum,
    over,
    partial,
    reduced,
    rows,
    taken,
    value,
)
from losscalc.insight.single import numbers


def _has_labels(loss: Loss) -> bool:
    return loss.scores == "logits" and loss.labels == "labels"


def _has_signs(loss: Loss) -> bool:
    return loss.labels == "signs"


def _has_signed_scores(loss: Loss) -> bool:
    return loss.labels == "signs" and "input" in loss.roles


def _has_class_margins(loss: Loss) -> bool:
    return loss.averages_classes and loss.labels == "class-indices"


def _has_softmax(loss: Loss) -> bool:
    return loss.scores == "logits" and loss.labels == "classes"


def _has_distributions(loss: Loss) -> bool:
    return loss.labels == "distributions"


def _is_focal(loss: Loss) -> bool:
    return loss.settings.keys() >= {"alpha", "gamma"}


# -- labels ---------------------------------------------------------------------------------------------


def _zero_one(call: Call) -> Array:
    """The loss of labels 0 and 1 instead of -1 and 1, as PyTorch, which checks no label, computes it."""
    arrays = numbers(call)
    return reduced(call, call.operation.unchecked(**{**arrays, "target": (arrays["target"] + 1) / 2}))


def _hinge(call: Call, power: int) -> Array:
    """The losses of support vector machines: max(0, 1 - y·x), or its square."""
    x, y = taken(call, "input", "target")
    return reduced(call, np.maximum(0.0, 1 - x * y) ** power)


FOCAL = [
    Hypothesis(
        "no-alpha",
        "there is no factor alpha, as in Keras and optax",
        lambda call: value(having(call, alpha=-1.0)),
        "--alpha -1",
        concerns=_is_focal,
    ),
    Hypothesis(
        "no-gamma",
        "nothing is focussed on, --gamma being 0",
        lambda call: value(having(call, gamma=0.0)),
        "--gamma 0",
        concerns=_is_focal,
    ),
    Hypothesis(
        "alpha-swapped",
        "alpha is the factor of the negative labels, and 1 - alpha that of the positive ones",
        lambda call: value(having(call, alpha=1 - abs(call.operation.settings["alpha"]))),
        concerns=_is_focal,
    ),
    Hypothesis(
        "alpha-for-all",
        "alpha is the factor of all labels",
        lambda call: value(having(call, alpha=-1.0)) * call.operation.settings["alpha"],
        concerns=_is_focal,
    ),
]
SIGNS = [
    Hypothesis(
        "target-signs",
        "the labels were -1 and 1 where 0 and 1 are meant",
        lambda call: value(changed(call, "target", lambda y: 2 * y - 1)),
        concerns=_has_labels,
    ),
    Hypothesis(
        "target-01",
        "the labels were 0 and 1 where -1 and 1 are meant",
        _zero_one,
        concerns=_has_signs,
    ),
    Hypothesis(
        "svm-hinge",
        "it is the hinge loss max(0, 1 - y·x), as in scikit-learn",
        lambda call: _hinge(call, 1),
        concerns=_has_signed_scores,
    ),
    Hypothesis(
        "svm-squared-hinge",
        "it is the squared hinge loss max(0, 1 - y·x)²",
        lambda call: _hinge(call, 2),
        concerns=_has_signed_scores,
    ),
]

# -- classes --------------------------------------------------------------------------------------------


def _worst(call: Call, least: float) -> Array:
    """The hinge loss of Crammer and Singer: only the largest violation of each row counts."""
    x, y = taken(call, "input", "target")
    require(x.ndim == 2 and y.ndim == 1)
    right = np.take_along_axis(x, y[:, np.newaxis], axis=1).squeeze(1)
    wrong = np.where(np.arange(x.shape[1]) == y[:, np.newaxis], least, x).max(axis=1)
    settings = call.operation.settings
    weight = array(call, "weight")[y] if "weight" in call.arrays else 1.0
    return reduced(call, weight * np.maximum(settings["margin"] + wrong - right, 0.0) ** settings["p"])


def _times_classes(call: Call, fewer: int = 0) -> Array:
    """The value times C, the number of classes, or times C / (C - fewer)."""
    classes = first(call).shape[-1]
    return value(call) * over(float(classes), classes - fewer if fewer else 1.0)


def _one_against_rest(call: Call) -> Array:
    """Binary cross-entropy of every logit, with one-hot rows as labels."""
    require(call.arrays.keys() == {"input", "target"})
    x, y = taken(call, "input", "target")
    require(x.ndim > 1 and y.shape == x.shape[:1])
    hot = (y[:, np.newaxis] == np.arange(x.shape[1])).astype(np.float64)
    binary = losses()[call.operation.relatives["one-against-rest"]]
    return value(as_loss(call._replace(arrays={"input": x, "target": hot}), binary))


def _less_entropy(call: Call) -> Array:
    """Cross-entropy less the entropy of the target, which is the divergence."""
    y = array(call, "target").astype(np.float64)
    require(y.shape == first(call).shape and is_mean(call) and call.arrays.keys() == {"input", "target"})
    entropy = np.where(y > 0, y * np.log(y), 0.0).sum()
    return np.asarray(value(call) + over(entropy, float(partial(call).denominator)))


def _softmax_along(call: Call, axis: int) -> Array:
    """Negative log-likelihood after a softmax over an axis other than that of the classes."""
    settings = call.operation.settings
    require(not settings["label_smoothing"] and array(call, "input").ndim > 1)
    likelihood = losses()[call.operation.relatives["log-probabilities"]]
    other = as_loss(call, likelihood, ignore_index=settings["ignore_index"])
    return value(changed(other, "input", along_classes(stable.log_softmax, axis)))


def _softmax_again(call: Call) -> Array:
    """The loss of logits, given probabilities."""
    cls = losses()[call.operation.relatives["logits"]]
    return value(changed(as_loss(call, cls, **call.operation.settings), "input", np.exp))


CLASSES = [
    Hypothesis(
        "worst-class",
        "only the worst class counts, as in optax and scikit-learn",
        lambda call: _worst(call, -math.inf),
        concerns=_has_class_margins,
    ),
    Hypothesis(
        "worst-class-keras",
        "only the worst class counts, and none below 0, as in Keras",
        lambda call: _worst(call, 0.0),
        concerns=_has_class_margins,
    ),
    Hypothesis(
        "over-wrong-classes",
        "the losses of the classes were divided by the number of the wrong ones, C - 1",
        lambda call: _times_classes(call, fewer=1),
        concerns=_has_class_margins,
    ),
    Hypothesis(
        "sum-over-classes",
        "the losses of the classes were added up, not divided by their number",
        _times_classes,
        concerns=lambda loss: loss.averages_classes,
    ),
    Hypothesis(
        "one-against-rest",
        "it is the binary cross-entropy of the one-hot rows, as {one-against-rest}",
        _one_against_rest,
        concerns=_has_softmax,
    ),
    Hypothesis(
        "softmax-axis-0",
        "the softmax was taken over axis 0",
        lambda call: _softmax_along(call, 0),
        concerns=_has_softmax,
    ),
    Hypothesis(
        "softmax-last-axis",
        "the softmax was taken over the last axis",
        lambda call: _softmax_along(call, -1),
        concerns=_has_softmax,
    ),
    Hypothesis(
        "less-entropy",
        "the entropy of the targets was subtracted, as in {divergence}",
        _less_entropy,
        concerns=_has_softmax,
    ),
    Hypothesis(
        "softmax-again",
        "the logarithm was left out, and {logits} applied another softmax",
        _softmax_again,
        concerns=lambda loss: loss.scores == "log-probabilities" and "logits" in loss.relatives,
    ),
]

# -- distributions ----------------------------------------------------------------------------------------


def _reversed(call: Call) -> float:
    """The divergence in the other direction, divided by the number of rows."""
    other = changed(exchanged(changed(call, "input", np.exp)), "input", np.log)
    return over(one_sum(other), rows(call))


def _without_entropy(call: Call) -> Array:
    """The cross-entropy -y·x instead of the divergence."""
    x, y = taken(call, "input", "target")
    return np.asarray(-(np.exp(y) if call.operation.settings["log_target"] else y) * x)


def _without_entropy_of_rows(call: Call) -> float:
    """The same, divided by the number of rows."""
    require(is_mean(call))
    return over(float(_without_entropy(call).sum()), rows(call))


def _deviance(call: Call) -> Array:
    """Twice the log-likelihood of a perfect prediction, less twice that of the input."""
    x, y = taken(call, "input", "target")
    rate = np.exp(x) if call.operation.settings["log_input"] else x
    gap = np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / rate), 0.0)
    return reduced(call, 2 * (rate - y + gap))


DISTRIBUTIONS = [
    Hypothesis(
        "deviance",
        "it is the deviance, as in scikit-learn",
        _deviance,
        concerns=lambda loss: loss.labels == "counts",
    ),
    *(
        Hypothesis(
            name,
            sentence,
            lambda call, change=change: value(changed(call, "var", change)),
            concerns=lambda loss: "var" in loss.roles,
        )
        for name, sentence, change in (
            ("var-squared", "--var was taken as standard deviations, and squared", np.square),
            ("var-root", "--var was given as standard deviations, its square root", np.sqrt),
            ("var-exp", "--var was taken as logarithms of variances", np.exp),
        )
    ),
    Hypothesis(
        "target-softmax",
        "a softmax was applied to the target first",
        lambda call: value(changed(call, "target", along_classes(stable.softmax))),
        concerns=_has_distributions,
    ),
    Hypothesis(
        "reversed-batchmean",
        "input and target were exchanged, and the sum was divided by the number of rows",
        _reversed,
        concerns=_has_distributions,
    ),
    Hypothesis(
        "without-entropy",
        "it is the cross-entropy, without the entropy of the target",
        lambda call: reduced(call, _without_entropy(call)),
        concerns=_has_distributions,
    ),
    Hypothesis(
        "without-entropy-of-rows",
        "it is the cross-entropy, without the entropy of the target, over the number of rows",
        _without_entropy_of_rows,
        concerns=_has_distributions,
    ),
    Hypothesis(
        "batchmean-base-2",
        "the sum was divided by the number of rows, with logarithms to base 2",
        lambda call: over(one_sum(call), rows(call)) / math.log(2),
        concerns=_has_distributions,
    ),
    Hypothesis(
        "sum-base-2",
        "it is the sum, with logarithms to base 2",
        lambda call: one_sum(call) / math.log(2),
        concerns=lambda loss: loss.is_likelihood or _has_distributions(loss),
    ),
]

CONVENTIONS = [*FOCAL, *SIGNS, *CLASSES, *DISTRIBUTIONS]
