"""What scores predict, beside what is true: classes and labels, with their probabilities."""

from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.diagnosis import takes_classes

_CLASS_SCORES = ("logits", "log-probabilities", "probabilities", "values")


class Predictions(NamedTuple):
    """The classes or labels that are predicted, and the true ones, in the shape of the losses."""

    predicted: Array
    true: Array
    counted: Array
    """Which of them take part."""
    chances: Array | None
    """The probabilities that are predicted of the predicted; None if scores are not of probabilities."""
    true_chances: Array | None
    """Those of the true."""
    options: int
    """How many classes or labels there are to choose from."""

    @property
    def accuracy(self) -> float:
        """The share of predictions that are true."""
        right = (self.predicted == self.true)[self.counted]
        return float(right.mean()) if right.size else float("nan")


def predictions(call: Call) -> Predictions | None:
    """What the scores of a call predict, if that can be told: its classes are on axis 1, or on the last."""
    loss, held = call.operation, call.held
    if not {"input", "target"} <= held.keys() or loss.scores not in _CLASS_SCORES:
        return None
    scores, target = (np.asarray(held[name]) for name in ("input", "target"))
    if takes_classes(type(loss)) and "target" in call.layout.indices and scores.ndim > 1:
        if getattr(loss, "class_axis", None) == -1:
            scores = np.moveaxis(scores, -1, 1)
        return _of_classes(call, scores.astype(np.float64), target.astype(np.int64))
    if loss.labels in ("labels", "classes", "signs") and scores.shape == target.shape and scores.ndim:
        return _of_labels(call, scores.astype(np.float64), target)
    return None


def _of_classes(call: Call, scores: Array, target: Array) -> Predictions:
    """The class of the largest score of each row."""
    counted = (
        (target >= 0) & (target < scores.shape[1]) & (target != call.operation.settings.get("ignore_index"))
    )
    predicted = scores.argmax(axis=1)
    chances = _probabilities(call, scores)
    if chances is None:
        return Predictions(predicted, target, counted, None, None, scores.shape[1])
    place = np.where(counted, target, 0)
    own, others = (np.take_along_axis(chances, np.expand_dims(at, 1), 1)[:, 0] for at in (predicted, place))
    return Predictions(predicted, target, counted, own, others, scores.shape[1])


def _probabilities(call: Call, scores: Array) -> Array | None:
    """The probabilities of the classes, which are on axis 1."""
    if call.operation.scores == "probabilities":
        return scores
    if call.operation.scores == "values":
        return None
    with np.errstate(all="ignore"):
        if call.operation.scores == "log-probabilities":
            return np.asarray(np.exp(scores))
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _of_labels(call: Call, scores: Array, target: Array) -> Predictions | None:
    """The label on whose side the score is, of the two that there are."""
    low = -1 if call.operation.labels == "signs" else 0
    counted = (target == low) | (target == 1)
    if not counted.all() or call.operation.scores == "log-probabilities":
        return None
    is_one = scores > (0.5 if call.operation.scores == "probabilities" else 0.0)
    predicted, true = np.where(is_one, 1, low), target.astype(np.int64)
    if call.operation.scores == "values":
        return Predictions(predicted, true, counted, None, None, 2)
    with np.errstate(all="ignore"):
        chance = scores if call.operation.scores == "probabilities" else 1.0 / (1.0 + np.exp(-scores))
    own, others = (np.where(label == 1, chance, 1.0 - chance) for label in (predicted, true))
    return Predictions(predicted, true, counted, own, others, 2)
