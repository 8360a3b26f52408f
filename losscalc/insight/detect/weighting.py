"""Hypotheses on weights that were computed from the labels: by how often each class is there."""

from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import classes, first, real, target_name
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.kinds import has_arrays

# The usual bases of effective numbers.
_BASES = (0.9, 0.99, 0.999, 0.9999)


def _has_weights(loss: Loss) -> bool:
    return "weight" in loss.roles and loss.labels in CLASS_KINDS


def _counts(call: Call) -> Array:
    """How often each class is there; one that is not counts once, as it has no weight that matters."""
    require("weight" not in call.arrays)
    labels, x = classes(call, target_name(call)), first(call)
    require(x.ndim > 1)
    ignored = call.operation.settings.get("ignore_index")
    known = labels[(labels >= 0) & (labels < x.shape[1]) & (labels != ignored)]
    require(known.size)
    return np.maximum(np.bincount(known.ravel(), minlength=x.shape[1]), 1).astype(np.float64)


def _weighted(call: Call, weights: Callable[[Array], Array]) -> Call:
    return call._replace(arrays={**call.arrays, "weight": weights(_counts(call))})


_OF_COUNTS: tuple[tuple[str, str, float, Callable[[Array], Array]], ...] = (
    ("root", "1 over the square root of their count", 4.5, lambda n: 1 / np.sqrt(n)),
    ("inverse", "the number of rows over their count", 4.5, lambda n: n.sum() / n),
    ("largest", "the largest count over their own", 4.5, lambda n: n.max() / n),
    ("others", "the share of the other classes, 1 - n/N", 4.5, lambda n: 1 - n / n.sum()),
    ("share", "their share, n/N: frequent ones count more", 5.0, lambda n: n / n.sum()),
    *(
        (
            f"effective-{base:g}",
            f"1 over their effective number, (1 - β)/(1 - β^n), with β {base:g}",
            5.0,
            lambda n, base=base: (1 - base) / -np.expm1(n * np.log(base)),
        )
        for base in _BASES
    ),
)

_Counts = Callable[[Array, Array], Array]
_POSITIVES: tuple[tuple[str, str, float, _Counts], ...] = (
    ("inverse", "positives / negatives, upside down", 4.5, lambda p, n: p.sum() / n.sum()),
    ("rows", "the number of labels over that of the positives", 4.5, lambda p, n: 1 + n.sum() / p.sum()),
    ("root", "the square root of negatives / positives", 5.0, lambda p, n: np.sqrt(n.sum() / p.sum())),
    ("columns", "negatives / positives of their column", 4.0, lambda p, n: n / p),
)


def _of_positives(call: Call, ratio: _Counts) -> Call:
    """The call with a weight of the positive labels by how many there are, in each column and in all."""
    require("pos_weight" not in call.arrays)
    y = real(call, "target")
    require(y.size)
    columns = y.reshape(len(y), -1) if y.ndim else y.reshape(1, 1)
    positive, negative = (columns > 0.5).sum(axis=0), (columns < 0.5).sum(axis=0)
    require(positive.all() and negative.any())
    weight = np.asarray(ratio(positive, negative), np.float64)
    require(weight.ndim == 0 or y.ndim == 2)
    return call._replace(arrays={**call.arrays, "pos_weight": weight})


WEIGHTING = [
    *(
        Hypothesis(
            "arrays",
            f"balanced-{name}",
            f"classes were weighted by {what}",
            bits,
            lambda call, weights=weights: _weighted(call, weights),
            concerns=_has_weights,
        )
        for name, what, bits, weights in _OF_COUNTS
    ),
    *(
        Hypothesis(
            "arrays",
            f"pos-weight-balanced-{name}",
            f"positive labels had a weight of {what}",
            bits,
            lambda call, ratio=ratio: _of_positives(call, ratio),
            concerns=has_arrays("pos_weight"),
        )
        for name, what, bits, ratio in _POSITIVES
    ),
]
