"""Mistakes with the losses of segmentation and detection: focal and Dice."""

import numpy as np
import torch

from tests.support.mistakes.binary import LABELS, PROBABILITIES, SCORES, SHIFTS, focal, logits
from tests.support.mistakes.stages import (
    MOVED,
    Change,
    Tensor,
    last,
    model,
    of_arrays,
    of_loss,
    parameter,
    whole,
)


def dice(p: Tensor, y: Tensor, numerator: float = 1e-5, denominator: float = 1e-5, power: int = 1) -> Tensor:
    """Soft Dice loss of all elements."""
    return 1 - (2 * (p * y).sum() + numerator) / ((p**power).sum() + (y**power).sum() + denominator)


FOCALS: tuple[Change, ...] = (
    *SHIFTS,
    *(parameter("gamma", gamma) for gamma in (0, 0.5, 1, 3, 5)),
    *(parameter("alpha", alpha) for alpha in (0.5, 0.75, 0.1)),
    Change("convention", "parameter", "no alpha, as Keras and MONAI", "alpha", {"alpha": -1}),
    of_arrays("input", "sigmoid applied first", "sigmoid", lambda x, y: (x.sigmoid(), y)),
    of_loss(
        "other-loss",
        "focal power on p, not on 1 - p",
        "wrong|power|1 ?[-−] ?p|right",
        lambda x, y: (
            (0.25 * y + 0.75 * (1 - y)) * (y * x.sigmoid() + (1 - y) * (-x).sigmoid()) ** 2 * logits(x, y)
        ),
    ),
    of_loss("other-loss", "alpha for all elements", "alpha", lambda x, y: 0.25 * focal(x, y, -1)),
    of_loss(
        "other-loss",
        "alpha and 1 - alpha exchanged with the labels' balance",
        "alpha",
        lambda x, y: (0.75 * y + 0.25 * (1 - y)) * focal(x, y, -1),
    ),
    of_loss(
        "other-loss", "binary cross-entropy itself", "cross.entropy|bce|gamma", lambda x, y: logits(x, y)
    ),
    whole(
        "aggregation",
        "divided by the number of positives, as RetinaNet",
        "positive",
        lambda x, y: focal(x, y).sum() / y.sum(),
    ),
    whole(
        "other-loss",
        "focal factor of the mean loss",
        "mean",
        lambda x, y: 0.25 * (1 - torch.exp(-logits(x, y).mean())) ** 2 * logits(x, y).mean(),
    ),
)

DICES: tuple[Change, ...] = (
    Change(
        "convention", "parameter", "smooth 1 added to both", "smooth", {"numerator": 1.0, "denominator": 1.0}
    ),
    Change(
        "convention",
        "parameter",
        "optax: 2 added to both",
        "smooth|optax",
        {"numerator": 2.0, "denominator": 2.0},
    ),
    Change(
        "parameter",
        "parameter",
        "smooth 1 in the denominator alone",
        "smooth",
        {"numerator": 0.0, "denominator": 1.0},
    ),
    Change("parameter", "parameter", "squared denominator", "squar", {"power": 2}),
    of_loss("other-loss", "jaccard", "jaccard|iou", lambda p, y: 1 - (p * y).sum() / (p + y - p * y).sum()),
    of_loss(
        "other-loss",
        "factor 2 forgotten",
        "2|half|factor",
        lambda p, y: 1 - (p * y).sum() / (p.sum() + y.sum()),
    ),
    of_loss(
        "target",
        "input thresholded at 0.5",
        "0\\.5|threshold|hard|round|binar",
        lambda p, y: dice((p > 0.5).double(), y, 0, 0),
    ),
    last("last-step", "coefficient, not loss", "coefficient|1 ?[-−]|complement|score", lambda m: 1 - m),
    last("last-step", "minus the coefficient", "minus|negat|1 less|coefficient|[-−] ?1", lambda m: m - 1),
    last("last-step", "logarithm of the coefficient", "log|ln", lambda m: -np.log(1 - m)),
    whole(
        "batches",
        "mean of each half of the batch",
        "batch|each|row|\\bdim",
        lambda p, y: (dice(p[:6], y[:6]) + dice(p[6:], y[6:])) / 2,
    ),
    of_arrays("input", "sigmoid applied to probabilities", "sigmoid", lambda p, y: (p.sigmoid(), y)),
    of_arrays("alignment", "targets shifted by one row", MOVED, lambda p, y: (p, y.roll(1, 0))),
)

MODELS = (
    model(
        "sigmoid-focal",
        focal,
        FOCALS,
        {"input": SCORES, "target": LABELS},
        ("means 4", "sum", "times 4"),
        paired=True,
    ),
    model("dice", dice, DICES, {"input": PROBABILITIES, "target": LABELS}),
)
