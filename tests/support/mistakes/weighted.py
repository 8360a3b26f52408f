"""Mistakes with the weights of classes."""

import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.classes import LABELS, LOGITS, balanced, cross_entropy, weighted
from tests.support.mistakes.stages import Change, model, whole

WEIGHTS = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.5])

CLASS_WEIGHTS = ("--weight=1,2,0.5,3,1.5",)

WEIGHTED: tuple[Change, ...] = (
    whole(
        "weights",
        "divided by the number of rows, not by the weights",
        "row|number|\\bN\\b|count|weights",
        lambda x, y: weighted(WEIGHTS, False)(x, y) / len(y),
    ),
    whole("weights", "without the weights", "weight", lambda x, y: F.cross_entropy(x, y)),
    whole("weights", "square root of the weights", "root|sqrt", weighted(WEIGHTS.sqrt())),
    whole(
        "weights",
        "weights normalised to mean 1, divided by N",
        "weight|normal",
        lambda x, y: weighted(WEIGHTS / WEIGHTS.mean(), False)(x, y) / len(y),
    ),
    whole(
        "weights",
        "weights normalised to sum 1, divided by N",
        "weight|normal",
        lambda x, y: weighted(WEIGHTS / WEIGHTS.sum(), False)(x, y) / len(y),
    ),
    whole(
        "weights",
        "weights divided by their maximum, divided by N",
        "max|largest|weight",
        lambda x, y: weighted(WEIGHTS / WEIGHTS.max(), False)(x, y) / len(y),
    ),
    whole("weights", "inverse weights", "inver|1/w|recipro", weighted(1 / WEIGHTS)),
    whole(
        "weights",
        "weights squared: applied twice",
        "squar|twice|again",
        lambda x, y: (WEIGHTS[y] ** 2 * cross_entropy(x, y)).sum() / WEIGHTS[y].sum(),
    ),
    whole("weights", "summed", "sum", weighted(WEIGHTS, False)),
    whole("weights", "balanced weights", "balanced", lambda x, y: weighted(balanced(y, 5))(x, y)),
    whole("weights", "weights shifted by one class", "shift|weight|roll", weighted(WEIGHTS.roll(1))),
)

MODELS = (
    model(
        "weighted",
        lambda x, y: F.cross_entropy(x, y, WEIGHTS.double()),
        WEIGHTED,
        {"input": LOGITS, "target": LABELS},
        loss="cross-entropy",
        options=CLASS_WEIGHTS,
    ),
)
