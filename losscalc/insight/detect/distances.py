"""Hypotheses: other definitions of losses of differences, distances, boxes and sequences."""

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.outcome import (
    array,
    changed,
    exchanged,
    first,
    having,
    is_mean,
    one_sum,
    over,
    reduced,
    rows,
    single,
    taken,
    total,
    value,
)


def _is_square(loss: Loss) -> bool:
    return loss.error_power == 2


def _has_boxes(loss: Loss) -> bool:
    return loss.scores == "boxes"


def _has_sequences(loss: Loss) -> bool:
    return loss.labels == "sequences"


def _has_triplets(loss: Loss) -> bool:
    return loss.roles.keys() >= {"positive", "negative"}


def _errors(call: Call) -> Array:
    """The single losses, if they are averaged and have rows and columns."""
    require(is_mean(call))
    found = single(call)
    require(found.ndim >= 2 and found.size)
    return found


def _squared_distances(call: Call) -> Array:
    """The triplet loss of squared Euclidean distances."""
    settings = call.operation.settings
    require(not settings["swap"] and settings["p"] == 2)
    anchor, positive, negative = taken(call, "anchor", "positive", "negative")
    near, far = (np.square(anchor - other).sum(axis=-1) for other in (positive, negative))
    return reduced(call, np.maximum(0.0, settings["margin"] + near - far))


def _boxes(call: Call, centred: bool) -> Array:
    """The loss if boxes are given as their corner, or centre, and their sides."""

    def corners(boxes: Array) -> Array:
        place, sides = boxes[..., :2].astype(np.float64), boxes[..., 2:]
        low = place - sides / 2 if centred else place
        return np.concatenate([low, low + sides], axis=-1)

    return value(changed(changed(call, "input", corners), "target", corners))


def _over_lengths(call: Call, name: str) -> float:
    """The sum divided by the sum of all lengths."""
    require(is_mean(call))
    return over(total(call), float(array(call, name).sum()))


DISTANCES = [
    Hypothesis(
        "root-of-sum", "it is the square root of the sum", lambda c: np.sqrt(one_sum(c)), concerns=_is_square
    ),
    Hypothesis(
        "root-of-columns",
        "the square root was taken of each column, and averaged, as in scikit-learn",
        lambda call: np.sqrt(_errors(call).mean(axis=0)).mean(),
        concerns=_is_square,
    ),
    Hypothesis(
        "root-of-rows",
        "the square root was taken of each row, and averaged",
        lambda call: np.sqrt(_errors(call).mean(axis=-1)).mean(),
        concerns=_is_square,
    ),
    Hypothesis(
        "norm-of-rows",
        "the lengths of the rows of differences were averaged",
        lambda call: np.sqrt(_errors(call).sum(axis=-1)).mean(),
        concerns=_is_square,
    ),
    Hypothesis("half-sum", "it is half of the sum", lambda call: one_sum(call) / 2, concerns=_is_square),
    Hypothesis(
        "half-over-rows",
        "half of the sum was divided by the number of rows",
        lambda call: over(one_sum(call) / 2, rows(call)),
        concerns=_is_square,
    ),
    Hypothesis(
        "squared-distances",
        "the distances were squared",
        _squared_distances,
        concerns=lambda loss: _has_triplets(loss) and "p" in loss.settings,
    ),
    Hypothesis(
        "exchanged",
        "positive and negative were exchanged",
        lambda call: value(exchanged(call, "positive", "negative")),
        concerns=_has_triplets,
    ),
    Hypothesis(
        "boxes-xywh",
        "boxes were read as x, y, width, height",
        lambda call: _boxes(call, False),
        concerns=_has_boxes,
    ),
    Hypothesis(
        "boxes-cxcywh",
        "boxes were read as centre, width, height",
        lambda call: _boxes(call, True),
        concerns=_has_boxes,
    ),
    Hypothesis(
        "over-symbols",
        "the sum was divided by the length of all targets together",
        lambda call: _over_lengths(call, "target_lengths"),
        concerns=_has_sequences,
    ),
    Hypothesis(
        "over-frames",
        "the sum was divided by the length of all inputs together",
        lambda call: _over_lengths(call, "input_lengths"),
        concerns=_has_sequences,
    ),
    Hypothesis(
        "blank-last",
        "blank is the last class, as in TensorFlow",
        lambda call: value(having(call, blank=first(call).shape[-1] - 1)),
        concerns=_has_sequences,
    ),
]
