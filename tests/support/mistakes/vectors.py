"""Mistakes with distances of vectors, and with ranks."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.stages import (
    MOVED,
    Change,
    Tensor,
    last,
    model,
    normal,
    of_arrays,
    of_loss,
    parameter,
    whole,
)

rng = np.random.default_rng(404)
ANCHOR, POSITIVE, NEGATIVE = normal(501, 7, 3), normal(510, 7, 3), normal(514, 7, 3)

SIGNS = [1, -1, 1, -1, -1, 1, 1]

VIEW = (np.array(ANCHOR) + rng.normal(0, 0.7, (7, 3))).round(2).tolist()


def distance(a: Tensor, b: Tensor, p: float = 2.0) -> Tensor:
    """PyTorch's pairwise distance."""
    return F.pairwise_distance(a, b, p=p)


def triplet(
    a: Tensor, p: Tensor, n: Tensor, margin: float = 1.0, norm: float = 2.0, swap: bool = False
) -> Tensor:
    """PyTorch's triplet loss."""
    return F.triplet_margin_loss(a, p, n, margin=margin, p=norm, swap=bool(swap), reduction="none")


def squared_triplet(a: Tensor, p: Tensor, n: Tensor, margin: float = 1.0) -> Tensor:
    """FaceNet's triplet loss."""
    return (margin + (a - p).square().sum(1) - (a - n).square().sum(1)).relu()


def cosine(a: Tensor, b: Tensor, y: Tensor, margin: float = 0.0) -> Tensor:
    """PyTorch's cosine embedding loss."""
    return F.cosine_embedding_loss(a, b, y, margin=margin, reduction="none")


def ranking(a: Tensor, b: Tensor, y: Tensor, margin: float = 0.0) -> Tensor:
    """PyTorch's margin ranking loss."""
    return F.margin_ranking_loss(a, b, y, margin=margin, reduction="none")


def contrastive(a: Tensor, b: Tensor, y: Tensor, margin: float = 1.0) -> Tensor:
    """Hadsell's contrastive loss, y = 1 for the same."""
    d = (a - b).square().sum(1).sqrt()
    return (y * d**2 + (1 - y) * (margin - d).relu() ** 2) / 2


TRIPLETS: tuple[Change, ...] = (
    *(parameter("margin", margin) for margin in (0.5, 0.3, 2)),
    Change("parameter", "parameter", "norm 1", r"\bp\b|norm|absolute|manhattan", {"norm": 1.0}),
    Change("parameter", "parameter", "with swap", "swap", {"swap": True}),
    of_arrays(
        "input",
        "positive and negative exchanged",
        "exchang|swap|roles|order|positive",
        lambda a, p, n: (a, n, p),
    ),
    of_arrays(
        "input",
        "anchor and positive exchanged",
        "exchang|swap|roles|order|positive",
        lambda a, p, n: (p, a, n),
    ),
    of_arrays(
        "input",
        "vectors scaled to length 1",
        "normal|length|unit",
        lambda a, p, n: (F.normalize(a), F.normalize(p), F.normalize(n)),
    ),
    of_loss("other-loss", "squared distances, as FaceNet", "squar", squared_triplet),
    of_loss(
        "other-loss",
        "cosine distances",
        "cosine",
        lambda a, p, n: (1 + F.cosine_similarity(a, n) - F.cosine_similarity(a, p)).relu(),
    ),
    of_loss(
        "other-loss",
        "soft margin: ln(1 + exp)",
        "soft",
        lambda a, p, n: F.softplus(distance(a, p) - distance(a, n)),
    ),
    of_loss(
        "other-loss",
        "not cut off at 0",
        "cut|max|relu|negative|below|clamp|hinge",
        lambda a, p, n: 1 + distance(a, p) - distance(a, n),
    ),
    whole(
        "aggregation",
        "mean over triplets above 0",
        "non-?zero|above 0|positive|zero",
        lambda a, p, n: triplet(a, p, n)[triplet(a, p, n) > 0].mean(),
    ),
)

COSINES: tuple[Change, ...] = (
    parameter("margin", 0.5),
    parameter("margin", 0.2),
    of_arrays("target", "signs exchanged", "sign|exchang|negat|opposite|flip", lambda a, b, y: (a, b, -y)),
    of_arrays("alignment", "labels shifted by one row", MOVED, lambda a, b, y: (a, b, y.roll(1))),
    of_arrays("alignment", "input2 shifted by one row", MOVED, lambda a, b, y: (a, b.roll(1, 0), y)),
    of_loss(
        "other-loss",
        "1 - cos for all",
        "cosine|label|target|distance|positive",
        lambda a, b, y: 1 - F.cosine_similarity(a, b),
    ),
    of_loss(
        "other-loss",
        "dot products for cosines",
        "dot|normal|length",
        lambda a, b, y: torch.where(y > 0, 1 - (a * b).sum(1), (a * b).sum(1).relu()),
    ),
)

RANKINGS: tuple[Change, ...] = (
    *(parameter("margin", margin) for margin in (0.5, 1, 0.1)),
    of_arrays(
        "target", "signs exchanged", "sign|exchang|negat|opposite|flip|swap", lambda a, b, y: (a, b, -y)
    ),
    of_arrays("alignment", "labels shifted by one row", MOVED, lambda a, b, y: (a, b, y.roll(1))),
    of_arrays(
        "input",
        "labels 0 and 1 in place of -1 and 1",
        r"\b0\b|0 and 1|-1",
        lambda a, b, y: (a, b, (y + 1) // 2),
        7,
    ),
    of_loss(
        "other-loss",
        "logistic: ln(1 + exp), ranknet",
        "ranknet|logistic|soft|bradley",
        lambda a, b, y: F.softplus(-y * (a - b)),
    ),
    of_loss(
        "other-loss",
        "not cut off at 0",
        "cut|max|relu|negative|below|clamp|hinge",
        lambda a, b, y: -y * (a - b),
    ),
    whole(
        "aggregation",
        "mean over pairs above 0",
        "non-?zero|above 0|positive|zero",
        lambda a, b, y: ranking(a, b, y)[ranking(a, b, y) > 0].mean(),
    ),
)

CONTRASTIVES: tuple[Change, ...] = (
    parameter("margin", 2),
    parameter("margin", 0.5),
    of_arrays(
        "target",
        "labels exchanged: 1 for different",
        "exchang|1 ?[-−] ?y|flip|invert|opposite|swap|0 and 1",
        lambda a, b, y: (a, b, 1 - y),
    ),
    of_arrays("alignment", "labels shifted by one row", MOVED, lambda a, b, y: (a, b, y.roll(1))),
    of_loss(
        "other-loss",
        "distances not squared",
        "squar|root",
        lambda a, b, y: torch.where(y > 0, distance(a, b), (1 - distance(a, b)).relu()) / 2,
    ),
    last("factor", "without the ½", "½|half|double|twice|\\b2\\b", lambda m: 2 * m),
)

MODELS = (
    model(
        "triplet-margin",
        triplet,
        TRIPLETS,
        {"anchor": ANCHOR, "positive": POSITIVE, "negative": NEGATIVE},
        ("means 3", "drop last 4", "sum", "max"),
        paired=True,
    ),
    model(
        "cosine-embedding",
        cosine,
        COSINES,
        {"input1": ANCHOR, "input2": POSITIVE, "target": SIGNS},
        ("means 3", "sum"),
        paired=True,
    ),
    model(
        "margin-ranking",
        ranking,
        RANKINGS,
        {"input1": normal(513, 7), "input2": normal(514, 7), "target": SIGNS},
        ("means 4", "sum"),
    ),
    model(
        "contrastive",
        contrastive,
        CONTRASTIVES,
        {"input1": ANCHOR, "input2": VIEW, "target": [1, 0, 1, 0, 0, 1, 1]},
        ("means 3", "sum"),
    ),
)
