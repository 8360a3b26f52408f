"""Hypotheses on single losses: other textbooks' definitions, and arithmetic of fewer digits."""

import math
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core import scores
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import (
    along_classes,
    array,
    both,
    classes,
    exchanged,
    first,
    having,
    real,
    taken,
)
from losscalc.insight.detect.hypothesis import Hypothesis, Row, Span, always, require, rows
from losscalc.insight.detect.kinds import has_distributions, has_softmax, is_square
from losscalc.insight.detect.losses import Losses
from losscalc.insight.detect.relatives import hot


def _has_bend(loss: Loss) -> bool:
    return bool(loss.bend)


def _less_entropy(call: Call) -> Losses:
    """Cross-entropy less the entropy of the target, which is the divergence."""
    y = real(call, "target")
    require(y.shape == first(call).shape and y.ndim > 1 and call.arrays.keys() == {"input", "target"})
    base = Losses.of(call)
    return base.with_values(
        base.value + np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0)), 0.0).sum(axis=1)
    )


def _without_entropy(call: Call) -> Losses:
    """The cross-entropy -y·x instead of the divergence."""
    x, y = both(call)
    return Losses.of(call).having(-(np.exp(y) if call.operation.settings["log_target"] else y) * x)


def _deviance(call: Call) -> Losses:
    """Twice the log-likelihood of a perfect prediction, less twice that of the input."""
    x, y = both(call)
    rate = np.exp(x) if call.operation.settings["log_input"] else x
    gap = np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / rate), 0.0)
    return Losses.of(call).having(2 * (rate - y + gap))


def _alpha_for_all(call: Call) -> Losses:
    """The loss times alpha, for positive and negative labels."""
    losses = Losses.of(having(call, alpha=-1.0))
    return losses.with_values(losses.value * call.operation.settings["alpha"])


def _smoothed_weight(call: Call) -> Losses:
    """The class weight of the label times the smoothed loss, of which all classes are part."""
    require("weight" in call.arrays and call.operation.settings.get("label_smoothing"))
    plain = Losses.of(call.without("weight"))
    y, weight = classes(call), real(call, "weight")
    require(y.shape == plain.value.shape and ((y >= 0) & (y < len(weight))).all())
    weighted = Losses.of(call)
    return weighted.with_values(plain.value * weight[y])


def _others_left_out(call: Call, number: float) -> Losses:
    """The loss of rows whose softmax leaves a class out, and that are not of it."""
    x, y = real(call, "input"), array(call, "target")
    k = int(number)
    require(x.ndim > 1 and 0 <= k < x.shape[1] and y.shape == (x.shape[0], *x.shape[2:]) and (y != k).any())
    x = x.copy()
    x[:, k] = -math.inf
    ignored: Any = call.operation.settings["ignore_index"]
    labels = np.where(y == k, ignored, y)
    return Losses.of(call._replace(arrays={**call.arrays, "input": x, "target": labels}))


def _class_keys(call: Call) -> range:
    return range(min(first(call).shape[1], 200) if first(call).ndim > 1 else 0)


def _both_exchanged(call: Call) -> Losses:
    """The mean of the loss and of that with its two arrays exchanged, as of a contrastive pair."""
    kinds = {name: role.kind for name, role in call.operation.roles.items()}
    require(
        kinds.get("input") == kinds.get("target") == "vectors" and {"input", "target"} <= call.arrays.keys()
    )
    one, other = Losses.of(call), Losses.of(exchanged(call))
    require(one.value.shape == other.value.shape)
    return one.with_values((one.value + other.value) / 2)


def _own_logit(call: Call) -> Losses:
    """-ln σ of the logit of the class."""
    x, y = real(call, "input"), classes(call)
    require(x.ndim > 1 and y.shape == (x.shape[0], *x.shape[2:]) and ((y >= 0) & (y < x.shape[1])).all())
    own = np.take_along_axis(x, np.expand_dims(y, 1), axis=1).squeeze(1)
    return Losses.of(call).having(np.logaddexp(0.0, -own))


def _brier(call: Call) -> Losses:
    """The squared distances of softmax and one-hot rows, summed over classes."""
    x = real(call, "input")
    gap = along_classes(scores.softmax)(x) - hot(call)
    return Losses.of(call).having((gap * gap).sum(axis=1))


def _signed_relative(call: Call) -> Losses:
    """The relative error with its sign."""
    x, y = both(call)
    return Losses.of(call).having((x - y) / y)


def _relative_square(call: Call) -> Losses:
    """(x - y)²/y², or the relative error with its sign."""
    x, y = both(call)
    return Losses.of(call).having(np.square((x - y) / y))


def _without_log_variance(call: Call) -> Losses:
    """Half of the squared error over the variance alone."""
    x, y, var = taken(call, "input", "target", "var")
    return Losses.of(call).having(0.5 * np.square(x - y) / var)


def _whole_log_variance(call: Call) -> Losses:
    """ln σ² + ½·(x - y)²/σ²: the ½ of the logarithm is missing."""
    x, y, var = taken(call, "input", "target", "var")
    return Losses.of(call).having(np.log(var) + 0.5 * np.square(x - y) / var)


def _half_squares(call: Call) -> Losses:
    x, y = both(call)
    return Losses.of(call).having(0.5 * np.square(x - y))


def _deviations(call: Call) -> Losses:
    """The squared errors less their mean, of which the mean is the variance of the errors."""
    x, y = both(call)
    return Losses.of(call).having(np.square(x - y - (x - y).mean()))


def _logarithms(call: Call) -> Losses:
    """|ln(1 + x) - ln(1 + y)|."""
    x, y = both(call)
    return Losses.of(call).having(np.abs(np.log1p(x) - np.log1p(y)))


def _all_classes(call: Call) -> Losses:
    x = real(call, "input")
    require(x.ndim > 1)
    return Losses.of(call).having(-x.sum(axis=1))


def _with_factorial(call: Call) -> Losses:
    """The whole likelihood of counts, with ln y! as it is."""
    y, base = real(call, "target"), Losses.of(having(call, full=False))
    require(y.shape == base.value.shape and (y >= 0).all())
    return base.with_values(base.value + np.vectorize(math.lgamma, otypes=[float])(y + 1))


def _less_binary_entropy(call: Call) -> Losses:
    """The loss less the entropy of each label: the divergence."""
    y, base = real(call, "target"), Losses.of(call)
    require(((y >= 0) & (y <= 1)).all() and y.shape == base.value.shape and ((y > 0) & (y < 1)).any())
    entropy = np.where((y > 0) & (y < 1), y * np.log(y) + (1 - y) * np.log1p(-y), 0.0)
    return base.with_values(base.value + entropy)


def _both_directions(call: Call) -> Losses:
    """The mean of the loss of rows and that of columns, as of a contrastive pair."""
    x, y = real(call, "input"), array(call, "target")
    require(x.ndim == 2 and x.shape[0] == x.shape[1] and np.array_equal(y, np.arange(len(x))))
    rows, columns = Losses.of(call), Losses.of(call.changed("input", lambda x: np.swapaxes(x, 0, 1)))
    return rows.with_values((rows.value + columns.value) / 2)


def _errors(call: Call, wrong: float) -> Losses:
    """1 for each wrong (or right) decision, and 0 for others."""
    x, y = real(call, "input"), array(call, "target")
    require(x.size)
    if y.shape and y.shape == (*x.shape[:1], *x.shape[2:]):
        hits = x.argmax(axis=1) == y
    else:
        require(call.operation.labels == "labels" and x.shape == y.shape)
        hits = (x > (0.0 if call.operation.scores == "logits" else 0.5)) == (y > 0.5)
    return Losses.of(call).having(hits != bool(wrong))


def _signed_errors(call: Call, power: int) -> Losses:
    """The error with its sign, x - y; or relative to the target."""
    x, y = both(call)
    require(x.shape == y.shape)
    base = Losses.of(call)
    require(base.value.shape == x.shape)
    return base.having((x - y) if power == 0 else np.abs(x - y) / np.abs(y))


def _raw_quadratic(call: Call) -> Losses:
    """The quadratic part without the factor of the bend, or times it: ½·e² for small errors e."""
    x, y = both(call)
    bend = float(getattr(call.operation, call.operation.bend))
    base, error = Losses.of(call), np.abs(x - y)
    require(error.shape == base.value.shape and bend)
    return base.having(np.where(error < bend, 0.5 * error * error, base.value))


_MORE: tuple[Row, ...] = (
    ("minus-log-overlap", "it is minus the logarithm of each overlap, -ln(1 - loss)", 4.0,
     lambda call: Losses.of(call).plainly(lambda v: -np.log1p(-v)), lambda loss: loss.scores == "boxes"),
    ("sum-over-classes", "it is minus the sum of the scores of all classes, whatever the target", 6.0,
     _all_classes, lambda loss: loss.scores == "log-probabilities" and loss.labels in CLASS_KINDS),
    ("both-exchanged", "the loss and that of its two arrays exchanged were averaged, both directions", 3.0,
     _both_exchanged, lambda loss: loss.whole_batch),
    ("quadratic-score",
     "it is the Brier score: squared distances of the probabilities from one-hot rows, summed over "
     "classes", 3.5, _brier, has_softmax),
    ("signed-relative", "it is the relative error with its sign, (x - y)/y, whose parts cancel", 4.5,
     _signed_relative, lambda loss: loss.labels in ("values", "amounts")),
    ("own-logit", "it is -ln σ of the logit of the class alone, without a softmax", 4.5, _own_logit,
     has_softmax),
    ("relative-square", "it is the squared relative error ((x - y)/y)²", 5.0, _relative_square,
     lambda loss: loss.error_power == 2),
    ("log-variance-not-halved", "the ½ was forgotten at the logarithm: it is ln σ² + ½·(x - y)²/σ²", 4.0,
     _whole_log_variance, lambda loss: "var" in loss.roles),
    ("half-square", "it is half of the squared error everywhere", 3.5, _half_squares, _has_bend),
    ("bias-taken-off", "it is the variance of the errors: their mean was taken off first", 4.5, _deviations,
     is_square),
    ("log-differences", "it is the absolute difference of the logarithms, not squared", 4.0, _logarithms,
     lambda loss: loss.labels == "amounts"),
    ("with-factorial", "ln y! was added, exactly", 4.0, _with_factorial,
     lambda loss: loss.labels == "counts"),
    ("no-log-variance", "the logarithm of the variance was forgotten", 3.5, _without_log_variance,
     lambda loss: "var" in loss.roles),
    ("less-binary-entropy", "the entropy of the labels was subtracted: it is the divergence", 4.0,
     _less_binary_entropy, lambda loss: loss.is_likelihood and loss.labels == "labels"),
)  # fmt: skip


def _to_power(call: Call, number: float) -> Losses:
    base = Losses.of(call)
    return base.plainly(lambda v: np.abs(v) ** number)


_FORMS: tuple[Row, ...] = (
    ("less-entropy", "the entropy of the targets was subtracted, as in {divergence}", 3.5, _less_entropy,
     has_softmax),
    ("without-entropy", "it is the cross-entropy, without the entropy of the target", 3.0, _without_entropy,
     has_distributions),
    ("deviance", "it is the deviance, as in scikit-learn", 3.5, _deviance,
     lambda loss: loss.labels == "counts" and "log_input" in loss.settings),
    ("alpha-for-all", "alpha is the factor of all labels", 3.0, _alpha_for_all,
     lambda loss: loss.settings.keys() >= {"alpha", "gamma"}),
    ("weight-of-label", "the whole smoothed loss was multiplied by the weight of its label", 3.0,
     _smoothed_weight, lambda loss: "label_smoothing" in loss.settings),
    ("both-directions",
     "the losses of rows and of columns were averaged, both directions of a contrastive loss", 3.5,
     _both_directions, has_softmax),
    ("error-rate", "it is the error rate: 1 for each wrong decision", 4.5, lambda call: _errors(call, 1),
     always),
    ("accuracy", "it is the accuracy: 1 for each right decision", 4.5, lambda call: _errors(call, 0), always),
    ("signed-error", "it is the error with its sign, x - y, whose parts cancel", 4.5,
     lambda call: _signed_errors(call, 0), always),
    ("relative-error", "it is the relative error |x - y|/|y|", 5.0, lambda call: _signed_errors(call, 1),
     always),
    ("plain-quadratic",
     "the quadratic part is ½·e², without the parameter from which on the loss is no longer quadratic", 3.0,
     _raw_quadratic, _has_bend),
)  # fmt: skip

FORMS = [
    *rows("losses", (*_FORMS, *_MORE)),
    Hypothesis(
        "losses",
        "class-left-out",
        "class {number} was ignored, and left out of the softmax as well",
        3.5,
        _others_left_out,
        concerns=has_softmax,
        tried=_class_keys,
    ),
    Hypothesis(
        "losses",
        "power",
        "single losses were raised to the power of {number}",
        6.5,
        _to_power,
        concerns=lambda loss: "power" not in loss.settings,
        span=Span(0.1, 5.0),
    ),
]
