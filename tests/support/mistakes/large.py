"""Mistakes with arrays so large that the search has to be quick about them."""

from typing import Any

import torch

from tests.support.mistakes.classes import CHANGES, cross_entropy
from tests.support.mistakes.regression import PLACES, l2
from tests.support.mistakes.stages import Change, model, whole


def drawn(seed: int, *shape: int, scale: float) -> dict[str, Any]:
    """An array of normal numbers, as it is described."""
    return {"draw": "normal", "shape": list(shape), "seed": seed, "scale": scale}


LABELS = {"draw": "integers", "shape": [10_000], "seed": 42, "high": 10}
TOLD = ("labels shifted by one row", "softmax applied first", "temperature 2", "label smoothing 0.1")
ROWS = tuple(change for change in CHANGES if change.what in TOLD)
ELEMENTS: tuple[Change, ...] = (
    PLACES[0],
    PLACES[4],
    whole(
        "aggregation",
        "mean of the norms of rows",
        "norm|root|length",
        lambda x, y: l2(x, y).sum(1).sqrt().mean(),
    ),
    whole(
        "batches",
        "mean of the roots of batches of 64",
        "batch",
        lambda x, y: torch.stack([b.mean().sqrt() for b in l2(x, y).split(64)]).mean(),
    ),
)
MODELS = (
    model(
        "ten thousand",
        cross_entropy,
        ROWS,
        {"input": drawn(41, 10_000, 10, scale=1.5), "target": LABELS},
        ("means 64", "drop last 64", "exp"),
        loss="cross-entropy",
    ),
    model(
        "a million",
        l2,
        ELEMENTS,
        {"input": drawn(43, 1000, 1000, scale=1.2), "target": drawn(44, 1000, 1000, scale=0.9)},
        ("means 64", "drop last 64"),
        loss="mse",
    ),
)
