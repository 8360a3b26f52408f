"""What others take for losses of distances, boxes and sequences."""

import math

import numpy as np

from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Supposition


def _errors(call: Call) -> Array:
    """The single losses of a mean, of which there are rows and columns."""
    single = call.single
    if not call.is_mean or single.ndim < 2:
        raise ValueError("there are no means of rows or columns")
    return single


SQUARED_ERRORS = [
    Supposition("root-of-sum", "it is the square root of the sum", lambda call: math.sqrt(call.scalar_sum)),
    Supposition(
        "root-of-columns",
        "the square root was taken of each column, and averaged, as in scikit-learn",
        lambda call: np.sqrt(_errors(call).mean(axis=0)).mean(),
    ),
    Supposition(
        "root-of-rows",
        "the square root was taken of each row, and averaged",
        lambda call: np.sqrt(_errors(call).mean(axis=-1)).mean(),
    ),
    Supposition(
        "norm-of-rows",
        "the lengths of the rows of differences were averaged",
        lambda call: np.sqrt(_errors(call).sum(axis=-1)).mean(),
    ),
    Supposition("half-sum", "it is half of the sum", lambda call: call.scalar_sum / 2),
    Supposition(
        "half-over-rows",
        "half of the sum was divided by the number of rows",
        lambda call: call.scalar_sum / 2 / call.rows,
    ),
]


def _squared_distances(call: Call) -> Array:
    """The triplet loss of squared Euclidean distances."""
    anchor, positive, negative = call.taken("anchor", "positive", "negative")
    settings = call.loss.settings
    if settings["swap"] or settings["p"] != 2:
        raise ValueError("the distances are others")
    near, far = (np.square(anchor - other).sum(axis=-1) for other in (positive, negative))
    return call.reduced(np.maximum(0.0, settings["margin"] + near - far))


def _exchanged(call: Call) -> Array:
    """The triplet loss with positive and negative exchanged."""
    other = {"positive": call.arrays["negative"], "negative": call.arrays["positive"]}
    return call._replace(arrays={**call.arrays, **other}).value


def _boxes(call: Call, centred: bool) -> Array:
    """The loss of boxes that were given by a corner or the centre, and their sides."""

    def corners(boxes: Array) -> Array:
        place, sides = boxes[..., :2].astype(np.float64), boxes[..., 2:]
        low = place - sides / 2 if centred else place
        return np.concatenate([low, low + sides], axis=-1)

    return call.changed("input", corners).changed("target", corners).value


def _over_length(call: Call, name: str) -> float:
    """The sum over all lengths together."""
    if not call.is_mean:
        raise ValueError("only a mean has a denominator")
    return call.total / float(np.sum(call.arrays[name]))


EXCHANGED = Supposition("exchanged", "positive and negative were exchanged", _exchanged)
SQUARED_DISTANCES = Supposition("squared-distances", "the distances were squared", _squared_distances)
BOXES = [
    Supposition("boxes-xywh", "boxes were read as x, y, width, height", lambda c: _boxes(c, False)),
    Supposition("boxes-cxcywh", "boxes were read as centre, width, height", lambda c: _boxes(c, True)),
]
SEQUENCES = [
    Supposition(
        "over-symbols",
        "the sum was divided by the length of all targets together",
        lambda call: _over_length(call, "target_lengths"),
    ),
    Supposition(
        "over-frames",
        "the sum was divided by the length of all inputs together",
        lambda call: _over_length(call, "input_lengths"),
    ),
    Supposition(
        "blank-last",
        "blank is the last class, as in TensorFlow",
        lambda call: call.having(blank=call.first.shape[-1] - 1).value,
    ),
]

DISTANCES: dict[str, list[Supposition]] = {
    "mse": SQUARED_ERRORS,
    "triplet-margin": [SQUARED_DISTANCES, EXCHANGED],
    "triplet-margin-with-distance": [EXCHANGED],
    "ctc": SEQUENCES,
    **dict.fromkeys(("giou", "diou", "ciou"), BOXES),
}
