"""Mistakes that people reported, with small numbers that show the same; what they typed is part of them."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.classes import by_class, cross_entropy, own
from tests.support.mistakes.stages import (
    BY_CLASS,
    MOVED,
    Tensor,
    aggregation,
    last,
    means,
    model,
    of_arrays,
    parameter,
    whole,
)

X = [[2, 1, 0], [0, 3, 1], [1, 0, 2], [0.5, 0.5, 1], [1, 2, 3]]


def keras_2(p: Tensor, y: Tensor) -> float:
    """Binary cross-entropy of Keras 2: clipped, then ε added within the logarithms again."""
    p = p.clamp(1e-7, 1 - 1e-7)
    return float(-(y * (p + 1e-7).log() + (1 - y) * (1 - p + 1e-7).log()).mean())


def two_columns(p: Tensor, y: Tensor) -> float:
    """scikit-learn's log_loss of two columns before 1.3, p and 1 - p clipped each, which its source says."""
    right = torch.where(y > 0, p, 1 - p).clamp(1e-15, 1 - 1e-15)
    return float(-right.log().mean())


def smoothed(x: Tensor, y: Tensor) -> Tensor:
    """The weight of the class times the whole smoothed loss, over the sum of weights."""
    w = torch.tensor([1.0, 2.0, 4.0])[y]
    return (w * F.cross_entropy(x, y, label_smoothing=0.1, reduction="none")).sum() / w.sum()


def quadratic(x: Tensor, y: Tensor) -> Tensor:
    """Smooth L1 whose quadratic part is not divided by beta."""
    d = (x - y).abs()
    return torch.where(d < 0.5, d**2 / 2, d - 0.25)


def sigmoid_focal(x: Tensor, y: Tensor) -> Tensor:
    """torchvision's, from its paper."""
    q = torch.where(y > 0, x.sigmoid(), 1 - x.sigmoid())
    return torch.where(y > 0, 0.25, 0.75) * (1 - q) ** 2 * -q.log()


def by_hand(x: Tensor, y: Tensor) -> Tensor:
    """Weighted cross-entropy divided by N, of probabilities with four decimals."""
    w = torch.tensor([0.4, 0.36], dtype=torch.float64)[y]
    return (w * -own(x.softmax(1), y).mul(1e4).round().div(1e4).log()).mean()


def weighted(x: Tensor, y: Tensor, weights: list[float], **settings: float) -> Tensor:
    """PyTorch's mean with class weights."""
    return F.cross_entropy(x, y, torch.tensor(weights, dtype=torch.float64), **settings)


def positive(x: Tensor, y: Tensor) -> Tensor:
    """Logits with a pos_weight of 3."""
    return F.binary_cross_entropy_with_logits(
        x, y.double(), pos_weight=torch.tensor(3.0).double(), reduction="none"
    )


PIXELS = [[[[1, 2], [0, 1]], [[3, 0], [2, 2]], [[0, 1], [1, 0]]]]
MODELS = (
    model(
        "five rows",
        cross_entropy,
        (
            aggregation(
                "mean of the means of batches of 2, 2, 1",
                r"batch.*\b2\b|\b2\b.*batch",
                lambda v: means(v, 2).mean(),
            ),
            aggregation(
                "last, incomplete batch of 2 dropped",
                "batch|drop|last|first|left out",
                lambda v: v[:4].mean(),
            ),
            last("factor", "times 4: gradient accumulation", r"accumul|\b4\b", lambda m: 4 * m),
            of_arrays("alignment", "labels shifted by one row", MOVED, lambda x, y: (x[:-1], y[1:])),
            parameter("temperature", 2, "temperature|divided by 2|half"),
            whole(
                "other-loss",
                "-mean p[y]: the logarithm forgotten",
                "logarithm|-p|probabilit",
                lambda x, y: -own(x.softmax(1), y).mean(),
            ),
            whole("aggregation", "mean of the means of classes", BY_CLASS, by_class),
        ),
        {"input": [[float(v) for v in row] for row in X], "target": [0, 1, 0, 2, 1]},
        loss="cross-entropy",
    ),
    model(
        "smoothed and weighted",
        lambda x, y: weighted(x, y, [1, 2, 4], label_smoothing=0.1),
        (whole("weights", "w[y] times the smoothed loss", "weight|smooth", smoothed),),
        {"input": [[2.0, 1, 0], [0, 3, 1]], "target": [0, 1]},
        options=(
            "--weight=1,2,4",
            "--label-smoothing=0.1",
        ),
        loss="cross-entropy",
    ),
    model(
        "saturated",
        lambda p, y: F.binary_cross_entropy(p, y.double()),
        (whole("convention", "Keras 2: clipped, then eps added again", "keras|clip", keras_2),),
        {"input": [1, 0.2, 0, 0.7], "target": [0, 1, 1, 1]},
        loss="bce",
    ),
    model(
        "certain",
        lambda p, y: F.binary_cross_entropy(p, y.double()),
        (
            whole(
                "convention",
                "scikit-learn's log_loss of two columns, p and 1 - p clipped each",
                "scikit|sklearn|clip",
                two_columns,
                16,
            ),
        ),
        {"input": [1.0, 1, 0, 0], "target": [1, 0, 0, 0]},
        loss="bce",
    ),
    model(
        "positives",
        positive,
        (
            whole(
                "weights",
                "divided by the sum of the weights",
                "weight",
                lambda x, y: positive(x, y).sum() / 6,
                8,
            ),
        ),
        {"input": [1.2, -0.4, 0.3, -2], "target": [1, 0, 0, 0]},
        options=("--pos-weight=3",),
        loss="bce-logits",
    ),
    model(
        "beta 0.5",
        lambda x, y: F.smooth_l1_loss(x, y.double(), beta=0.5),
        (
            whole(
                "other-loss",
                "beta left out of the quadratic part",
                "beta|quadratic",
                lambda x, y: quadratic(x, y).mean(),
                5,
            ),
        ),
        {"input": [0.2, 1.5, -3, 0.7], "target": [0, 0, 0, 0]},
        options=("--beta=0.5",),
        loss="smooth-l1",
    ),
    model(
        "one of four",
        sigmoid_focal,
        (
            of_arrays(
                "target",
                "one-hot column off by one",
                "column|off by|shift|roll",
                lambda x, y: (x, y.roll(-1, 1)),
                6,
            ),
        ),
        {"input": [[0.1, 0.5, 0.4, 0.3]], "target": [[0, 0, 1, 0]]},
        loss="sigmoid-focal",
    ),
    model(
        "far apart",
        lambda x, y: (x - y).abs(),
        (
            aggregation(
                "mean of the means of batches of 4 and 1",
                r"batch.*\b4\b|\b4\b.*batch",
                lambda v: means(v, 4).mean(),
                4,
            ),
        ),
        {"input": [2.13, 10.7, 3.9, 7.31, 5.2], "target": [0, 0, 0, 0, 0]},
        loss="l1",
    ),
    model(
        "by hand",
        lambda x, y: weighted(x, y, [0.4, 0.36]),
        (
            whole(
                "weights",
                "divided by N, by hand with 4 digits, a near miss",
                "row|number|\\bN\\b|count|weight",
                by_hand,
                4,
            ),
        ),
        {"input": [[3.0, 4], [6, 9]], "target": [1, 0]},
        options=("--weight=0.4,0.36",),
        loss="cross-entropy",
    ),
    model(
        "picture",
        cross_entropy,
        (
            whole(
                "alignment",
                "NHWC memory viewed as NCHW",
                "NHWC|reshap|view|axis|axes|memory|moved",
                lambda x, y: F.cross_entropy(x.permute(0, 2, 3, 1).reshape(x.shape), y),
            ),
        ),
        {"input": np.array(PIXELS, float).tolist(), "target": [[[0, 1], [2, 1]]]},
        loss="cross-entropy",
    ),
)
EXPECTED = (
    "0.9324411",
    "0.6948587",
    "3.3496325",
    "1.5698587",
    "0.8888495",
    "-0.4900711",
    "0.8302362",
    "0.3935438",
    "8.2040023",
    "8.634694098727671",
    "0.38069099",
    "1.1175",
    "0.156910",
    "5.605",
    "0.6662",
    "1.0249270",
)
"""What was typed, in the order of the changes."""
