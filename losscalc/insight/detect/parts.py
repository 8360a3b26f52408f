"""Hypotheses on losses that are made of parts: a factor of one part alone, or an array of another meaning."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core import scores
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import (
    along_classes,
    changed,
    classes,
    first,
    having,
    real,
    taken,
)
from losscalc.insight.detect.hypothesis import Hypothesis, Row, require, rows
from losscalc.insight.detect.kinds import has_arrays
from losscalc.insight.detect.losses import Losses


def _has_advantages(loss: Loss) -> bool:
    return "advantages" in loss.roles


def _has_teacher(loss: Loss) -> bool:
    return "teacher" in loss.roles


def _standard(values: Array, ddof: int) -> Array:
    require(values.size > 1)
    return np.asarray((values - values.mean()) / values.std(ddof=ddof))


def _logvars(factor: float) -> Callable[[Call], Call]:
    """A change of the logarithms of variances, of the target's as well."""

    def scaled(call: Call) -> Call:
        for name in [name for name in ("logvar", "target_logvar") if name in call.arrays]:
            call = changed(call, name, lambda values: values * factor)
        return call

    return scaled


def _distilled(call: Call, weigh: Callable[[float, float], tuple[float, float]]) -> Losses:
    """The losses of the teacher's distributions and of the labels, with other factors than α and 1 - α."""
    settings: Mapping[str, Any] = call.operation.settings
    soft, hard = Losses.of(having(call, alpha=1.0)), Losses.of(having(call, alpha=0.0))
    require(soft.is_single and soft.value.shape == hard.value.shape and 0 < settings["alpha"] < 1)
    one, other = weigh(settings["alpha"], settings["temperature"])
    return soft.with_values(one * soft.value + other * hard.value)


def _over_classes(call: Call) -> Losses:
    """The divergence divided by the number of classes, as the mean of all elements is."""
    count = first(call).shape[-1]
    return _distilled(call, lambda alpha, _: (alpha / count, 1 - alpha))


def _weighted_inside(call: Call) -> Losses:
    """(1 - exp(-w·c))^γ·w·c: the probability of the focal factor is that of the weighted cross-entropy."""
    gamma: Any = call.operation.settings["gamma"]
    require("weight" in call.arrays)
    weighted = Losses.of(having(call, gamma=0.0))
    return weighted.with_values((-np.expm1(-weighted.value)) ** gamma * weighted.value)


def _whole_constant(call: Call) -> Losses:
    """ln 2π is added, not half of it."""
    base = Losses.of(having(call, full=False))
    return base.with_values(base.value + math.log(2 * math.pi))


def _half_forgotten(call: Call) -> Losses:
    """½·ln σ² + (x - y)²/σ²."""
    x, y, var = taken(call, "input", "target", "var")
    return Losses.of(call).having(0.5 * np.log(var) + np.square(x - y) / var)


def _own_class_counted(call: Call) -> Losses:
    """The margin of the right class against itself is added."""
    settings: Mapping[str, Any] = call.operation.settings
    base, labels = Losses.of(call), classes(call)
    require(labels.shape == base.value.shape and first(call).ndim > 1)
    weight = real(call, "weight")[labels] if "weight" in call.arrays else 1.0
    own = settings["margin"] ** settings.get("p", 1) / first(call).shape[1]
    return base.with_values(base.value + own * weight)


def _softplus_rates(call: Call) -> Call:
    """The call with rates that are ln(1 + exp x) of the input, not its exponential."""
    require(call.operation.settings["log_input"])
    return changed(call, "input", lambda x: np.log(np.logaddexp(0.0, x)))


def _softmax_for_sigmoid(call: Call) -> Call:
    """The call with logits of which the sigmoid is the softmax of each row."""
    require(first(call).ndim > 1)

    def logits(x: Array) -> Array:
        logarithms = along_classes(scores.log_softmax)(x)
        return np.asarray(logarithms - np.log(-np.expm1(logarithms)))

    return changed(call, "input", logits)


def _both_softmax(call: Call) -> Call:
    softmax = along_classes(scores.softmax)
    return changed(changed(call, "input", softmax), "target", softmax)


def _scaled_scores(call: Call) -> Call:
    """The call with logits whose sigmoid is the input scaled from its least to its largest."""

    def logits(x: Array) -> Array:
        p = np.clip((x - x.min()) / np.ptp(x), 1e-7, 1 - 1e-7)
        return np.asarray(np.log(p) - np.log1p(-p))

    return changed(call, "input", logits)


_CALLS: tuple[Row, ...] = (
    ("advantages-standardized", "the advantages were standardised: mean 0, standard deviation 1 (n - 1)", 2.5,
     lambda call: changed(call, "advantages", lambda a: _standard(a, 1)), _has_advantages),
    ("advantages-standardized-population", "the advantages were standardised: mean 0, standard deviation 1 "
     "(n)", 3.0, lambda call: changed(call, "advantages", lambda a: _standard(a, 0)), _has_advantages),
    ("advantages-centred", "the mean of the advantages was taken off", 3.5,
     lambda call: changed(call, "advantages", lambda a: a - a.mean()), _has_advantages),
    ("logvar-doubled", "logvar was taken as the logarithm of standard deviations, and doubled", 2.5,
     _logvars(2.0), has_arrays("logvar")),
    ("logvar-halved", "the logarithm of standard deviations, half of logvar, was taken for it", 3.0,
     _logvars(0.5), has_arrays("logvar")),
    ("logvar-negated", "logvar has the opposite sign, as of precisions", 4.0, _logvars(-1.0),
     has_arrays("logvar")),
    ("events-exchanged", "events and censored rows were exchanged", 2.5,
     lambda call: changed(call, "event", lambda e: 1 - e), has_arrays("event")),
    ("all-events", "every row was counted as an event, as none were censored", 3.0,
     lambda call: changed(call, "event", np.ones_like), has_arrays("event")),
    ("time-reversed", "times were in the opposite order, so that those at risk are the earlier ones", 3.0,
     lambda call: changed(call, "time", lambda t: t.max() + t.min() - t), has_arrays("time", "event")),
    ("time-of-rows", "rows were taken as sorted by time, from the longest", 3.0,
     lambda call: changed(call, "time", lambda t: np.arange(len(t), 0.0, -1.0)), has_arrays("time", "event")),
    ("time-of-rows-upwards", "rows were taken as sorted by time, from the shortest", 3.5,
     lambda call: changed(call, "time", lambda t: np.arange(1.0, len(t) + 1)), has_arrays("time", "event")),
    ("both-softmax", "a softmax was applied to both distributions first", 3.0, _both_softmax,
     lambda loss: loss.labels == "shares"),
)  # fmt: skip

_INPUTS: tuple[Row, ...] = (
    ("softplus-rates", "the rates are softplus of the input, ln(1 + exp x)", 3.5, _softplus_rates,
     lambda loss: loss.labels == "counts" and "log_input" in loss.settings),
    ("softmax-for-sigmoid", "a softmax of each row took the place of the sigmoid", 3.0, _softmax_for_sigmoid,
     lambda loss: loss.scores == "logits" and loss.labels == "labels"),
    ("scaled-for-sigmoid", "scores were scaled to [0, 1], from the least to the largest, in the place of the "
     "sigmoid", 5.0, _scaled_scores, lambda loss: loss.scores == "logits" and loss.labels == "labels"),
)  # fmt: skip

_LOSSES: tuple[Row, ...] = (
    ("no-square", "the divergence from the teacher was not multiplied by the square of the temperature", 2.5,
     lambda call: _distilled(call, lambda alpha, t: (alpha / t**2, 1 - alpha)), _has_teacher),
    ("times-temperature", "the divergence from the teacher was multiplied by the temperature, not its square",
     3.5, lambda call: _distilled(call, lambda alpha, t: (alpha / t, 1 - alpha)), _has_teacher),
    ("alpha-on-one", "the loss of the labels was not multiplied by 1 - alpha", 3.0,
     lambda call: _distilled(call, lambda alpha, _: (alpha, 1.0)), _has_teacher),
    ("divergence-over-classes", "the divergence from the teacher was divided by the number of classes, as a "
     "mean of all elements", 3.0, _over_classes, _has_teacher),
    ("alpha-exchanged", "alpha and 1 - alpha were exchanged", 2.5,
     lambda call: _distilled(call, lambda alpha, _: (1 - alpha, alpha)), _has_teacher),
    ("focal-of-weighted", "the focal factor is that of the weighted cross-entropy: weights were applied "
     "before it", 2.5, _weighted_inside, lambda loss: "gamma" in loss.settings and "weight" in loss.roles),
    ("constant-not-halved", "the constant ln 2π was not halved", 4.0, _whole_constant,
     lambda loss: "var" in loss.roles and "full" in loss.settings),
    ("square-not-halved", "the ½ was forgotten at the square: it is ½·ln σ² + (x - y)²/σ²", 4.0,
     _half_forgotten, lambda loss: "var" in loss.roles),
    ("own-class-counted", "the right class was counted as a wrong one, with a loss of the margin", 3.0,
     _own_class_counted, lambda loss: loss.averages_classes and loss.labels == "class-indices"),
)  # fmt: skip

PARTS = [*rows("arrays", _CALLS), *rows("input", _INPUTS), *rows("losses", _LOSSES)]
TEMPERATURES = [
    Hypothesis(
        "loss",
        "temperature-inverted",
        "scores were multiplied by the temperature, not divided by it",
        2.5,
        lambda call: having(call, temperature=1 / float(str(call.operation.settings["temperature"]))),
        concerns=lambda loss: "temperature" in loss.settings,
    ),
]
