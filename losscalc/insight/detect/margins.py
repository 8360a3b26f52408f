"""Hypotheses on losses with margins: of signs, of distances, and of classes."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import (
    array,
    both,
    taken,
)
from losscalc.insight.detect.hypothesis import Row, require, rows
from losscalc.insight.detect.losses import Losses
from losscalc.insight.single import numbers


def _has_signs(loss: Loss) -> bool:
    return loss.labels == "signs"


def _has_signed_scores(loss: Loss) -> bool:
    return loss.labels == "signs" and "input" in loss.roles


def _has_class_margins(loss: Loss) -> bool:
    return loss.averages_classes and loss.labels == "class-indices"


def _has_distances(loss: Loss) -> bool:
    return loss.roles.keys() >= {"positive", "negative"} and "p" in loss.settings


def _has_pairs(loss: Loss) -> bool:
    return "input1" in loss.roles and loss.scores == "values"


def _zero_one(call: Call) -> Losses:
    """The loss of labels 0 and 1 instead of -1 and 1, as PyTorch, which checks no label, computes it."""
    losses, arrays = Losses.of(call), numbers(call)
    return losses.having(call.operation.unchecked(**{**arrays, "target": (arrays["target"] + 1) / 2}))


def _hinge(call: Call, power: int) -> Losses:
    """The losses of support vector machines: max(0, 1 - y·x), or its square."""
    x, y = both(call)
    return Losses.of(call).having(np.maximum(0.0, 1 - x * y) ** power)


def _worst(call: Call, least: float) -> Losses:
    """The hinge loss of Crammer and Singer: only the largest violation of each row counts."""
    x, y = taken(call, "input", "target")
    require(x.ndim == 2 and y.ndim == 1)
    right = np.take_along_axis(x, y[:, np.newaxis], axis=1).squeeze(1)
    wrong = np.where(np.arange(x.shape[1]) == y[:, np.newaxis], least, x).max(axis=1)
    settings = call.operation.settings
    weight = array(call, "weight")[y] if "weight" in call.arrays else 1.0
    return Losses.of(call).having(
        weight * np.maximum(settings["margin"] + wrong - right, 0.0) ** settings["p"]
    )


def _squared_distances(call: Call) -> Losses:
    """The triplet loss of squared Euclidean distances."""
    settings = call.operation.settings
    require(not settings["swap"] and settings["p"] == 2)
    anchor, positive, negative = taken(call, "anchor", "positive", "negative")
    near, far = (np.square(anchor - other).sum(axis=-1) for other in (positive, negative))
    return Losses.of(call).having(np.maximum(0.0, settings["margin"] + near - far))


def _soft_margin(call: Call) -> Losses:
    """ln(1 + exp(d(a, p) - d(a, n))) instead of a margin."""
    settings = call.operation.settings
    require(not settings["swap"] and settings["p"] == 2)
    anchor, positive, negative = taken(call, "anchor", "positive", "negative")
    near, far = (np.sqrt(np.square(anchor - other).sum(axis=-1)) for other in (positive, negative))
    return Losses.of(call).having(np.logaddexp(0.0, near - far))


def _perceptron(call: Call) -> Losses:
    """max(0, -y·x), which has no margin."""
    x, y = both(call)
    return Losses.of(call).having(np.maximum(0.0, -x * y))


def _logistic(call: Call) -> Losses:
    """ln(1 + exp(-y·(x1 - x2))), which has no margin."""
    one, other, y = taken(call, "input1", "input2", "target")
    return Losses.of(call).having(np.logaddexp(0.0, -y * (one - other)))


def _not_cut(call: Call) -> Losses:
    """margin + d(a, p) - d(a, n), also below 0."""
    settings: Mapping[str, Any] = call.operation.settings
    require(not settings["swap"])
    anchor, positive, negative = taken(call, "anchor", "positive", "negative")
    near, far = (np.linalg.norm(anchor - other, settings["p"], axis=-1) for other in (positive, negative))
    return Losses.of(call).having(settings["margin"] + near - far)


def _cosines(call: Call) -> Losses:
    """The triplet loss of cosine distances."""
    anchor, *others = taken(call, "anchor", "positive", "negative")

    def distance(other: Array) -> Array:
        lengths = np.linalg.norm(anchor, axis=-1) * np.linalg.norm(other, axis=-1)
        return np.asarray(1 - (anchor * other).sum(axis=-1) / lengths)

    near, far = map(distance, others)
    return Losses.of(call).having(np.maximum(0.0, call.operation.settings["margin"] + near - far))


_ROWS: tuple[Row, ...] = (
    ("perceptron", "there is no margin: it is max(0, -y·x)", 4.5, _perceptron, _has_signed_scores),
    ("logistic", "it is logistic: ln(1 + exp) of the difference, without a margin, as in ranking", 4.5,
     _logistic, lambda loss: _has_pairs(loss)),
    ("not-cut", "the differences of distances were not cut off at 0", 4.0, _not_cut, _has_distances),
    ("cosine-distances", "the distances are cosine distances, 1 - cos", 4.0, _cosines, _has_distances),
    ("target-01", "the labels were 0 and 1 where -1 and 1 are meant", 3.0, _zero_one, _has_signs),
    ("svm-hinge", "it is the hinge loss max(0, 1 - y·x), as in scikit-learn", 3.5,
     lambda call: _hinge(call, 1), _has_signed_scores),
    ("svm-squared-hinge", "it is the squared hinge loss max(0, 1 - y·x)²", 4.0,
     lambda call: _hinge(call, 2), _has_signed_scores),
    ("worst-class", "only the worst class counts, as in optax and scikit-learn", 3.0,
     lambda call: _worst(call, -math.inf), _has_class_margins),
    ("worst-class-keras", "only the worst class counts, cut off at 0, as in Keras", 3.5,
     lambda call: _worst(call, 0.0), _has_class_margins),
    ("squared-distances", "the distances were squared", 3.0, _squared_distances, _has_distances),
    ("soft-margin-triplet", "ln(1 + exp(·)) of the difference of the distances took the place of the margin",
     4.0, _soft_margin, _has_distances),
)  # fmt: skip

MARGINS = rows("losses", _ROWS)
