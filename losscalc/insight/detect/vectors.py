"""Hypotheses on losses of vectors: dot products for cosines, distances squared or not."""

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import taken
from losscalc.insight.detect.hypothesis import Row, require, rows
from losscalc.insight.detect.losses import Losses


def _has_cosines(loss: Loss) -> bool:
    return loss.scores == "vectors" and "input1" in loss.roles and loss.labels == "signs"


def _has_distances(loss: Loss) -> bool:
    return loss.scores == "vectors" and "input1" in loss.roles and loss.labels == "labels"


def _of_signs(call: Call, likeness: Array, y: Array) -> Losses:
    """1 - s for pairs that belong together, and s above the margin for others."""
    margin = call.operation.settings["margin"]
    return Losses.of(call).having(np.where(y > 0, 1 - likeness, np.maximum(0.0, likeness - margin)))


def _dot_products(call: Call) -> Losses:
    one, other, y = taken(call, "input1", "input2", "target")
    return _of_signs(call, (one * 1.0 * other).sum(axis=-1), y)


def _distance(call: Call) -> tuple[Array, Array]:
    one, other, y = taken(call, "input1", "input2", "target")
    return np.linalg.norm(one * 1.0 - other, axis=-1), y


def _not_squared(call: Call) -> Losses:
    """d for pairs that belong together, and margin - d for others."""
    distance, y = _distance(call)
    base = Losses.of(call)
    require(distance.shape == base.value.shape)
    return base.having(
        np.where(y > 0, distance, np.maximum(0.0, call.operation.settings["margin"] - distance))
    )


def _squared_inside(call: Call) -> Losses:
    """The margin less the squared distance."""
    distance, y = _distance(call)
    rest = np.maximum(0.0, call.operation.settings["margin"] - distance**2)
    return Losses.of(call).having(np.where(y > 0, distance**2, rest))


_ROWS: tuple[Row, ...] = (
    ("dot-products", "dot products were taken for cosines: the vectors were not scaled to length 1", 3.5,
     _dot_products, _has_cosines),
    ("distances-not-squared", "the distances were not squared", 3.5, _not_squared, _has_distances),
    ("squared-in-margin", "the squared distances were subtracted from the margin, and not squared again", 4.0,
     _squared_inside, _has_distances),
)  # fmt: skip

VECTORS = rows("losses", _ROWS)
