"""Mistakes with losses of several labels a row, and scores of probabilities."""

import numpy as np
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.binary import HALF, bce
from tests.support.mistakes.stages import MOVED, Change, Tensor, bfloat16, last, model, of_arrays, of_loss

rng = np.random.default_rng(203)
GRID = rng.normal(0, 1.6, (4, 3)).round(2).tolist()

HOT = [[0, 0, 1], [1, 0, 1], [0, 1, 0], [1, 1, 0]]

ROWS = [[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.15, 0.25, 0.6], [0.33, 0.48, 0.19], [0.7, 0.1, 0.2]]

CLASSES = [1, 0, 1, 2, 0]


def multilabel(x: Tensor, y: Tensor) -> Tensor:
    """PyTorch's multilabel-soft-margin."""
    return F.multilabel_soft_margin_loss(x, y.double(), reduction="none")


MULTILABEL: tuple[Change, ...] = (
    of_arrays("input", "sigmoid applied first", "sigmoid", lambda x, y: (x.sigmoid(), y)),
    of_arrays(
        "target", "one-hot columns off by one", "shift|roll|column|off by", lambda x, y: (x, y.roll(1, 1))
    ),
    of_arrays("alignment", "targets shifted by one row", MOVED, lambda x, y: (x, y.roll(1, 0))),
    of_arrays("precision", "logits in bfloat16", "bfloat16|bf16", lambda x, y: (bfloat16(x), y)),
    last("aggregation", "summed over the classes", "class|\\b3\\b|column|sum", lambda m: 3 * m),
    of_loss(
        "other-loss",
        "softmax over the labels",
        "softmax|cross.entropy",
        lambda x, y: -(y * x.log_softmax(1)).sum(1),
    ),
    of_loss("other-loss", "only the positive part", "positive", lambda x, y: (y * F.softplus(-x)).mean(1)),
)

LISTED = [[2, 0, -1], [1, -1, -1], [0, 1, -1], [2, -1, -1]]


def listed(x: Tensor, y: Tensor) -> Tensor:
    """PyTorch's multilabel-margin."""
    return F.multilabel_margin_loss(x, y, reduction="none")


def brier(p: Tensor, y: Tensor) -> Tensor:
    """Brier score of classes, summed over them."""
    return (p - F.one_hot(y, 3)).square().sum(1)


def log_loss(p: Tensor, y: Tensor) -> Tensor:
    """-ln p of the right class."""
    return -p.gather(1, y[:, None])[:, 0].log()


OF_CLASSES: tuple[Change, ...] = (
    of_arrays("input", "softmax of the probabilities", "softmax", lambda p, y: (p.softmax(1), y)),
    of_arrays(
        "input",
        "columns rolled by one",
        "column|shift|roll|off by|subtracted|one less",
        lambda p, y: (p.roll(1, 1), y),
    ),
    of_arrays("alignment", "labels shifted by one row", MOVED, lambda p, y: (p, y.roll(1))),
    of_arrays("target", "argmax taken as label", "argmax|largest|predicted", lambda p, y: (p, p.argmax(1))),
)

MEAN_OF_CLASSES = last(
    "aggregation", "mean over the classes too", "class|\\b3\\b|column|elements", lambda m: m / 3
)

MODELS = (
    model(
        "multilabel-soft-margin",
        multilabel,
        MULTILABEL,
        {"input": GRID, "target": HOT},
        ("means 3", "sum"),
        paired=True,
    ),
    model(
        "multilabel-margin",
        listed,
        (MULTILABEL[2], MULTILABEL[0], MULTILABEL[4]),
        {"input": GRID, "target": LISTED},
        ("means 3", "sum"),
    ),
    model(
        "brier",
        brier,
        (*OF_CLASSES, HALF, MEAN_OF_CLASSES),
        {"input": ROWS, "target": CLASSES},
        ("means 3", "sum", "root"),
    ),
    model(
        "log-loss",
        log_loss,
        (
            *OF_CLASSES,
            of_loss(
                "other-loss",
                "bce of one-hot",
                "binary|bce|one-hot",
                lambda p, y: bce(p, F.one_hot(y, 3)).mean(1),
            ),
        ),
        {"input": ROWS, "target": CLASSES},
        ("means 3", "exp", "bits", "drop last 3"),
        paired=True,
    ),
)
