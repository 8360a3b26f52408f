"""Mistakes with binary cross-entropy, of logits and of probabilities."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.stages import (
    MOVED,
    Change,
    Tensor,
    bfloat16,
    last,
    model,
    of_arrays,
    of_loss,
    parameter,
    whole,
)

rng = np.random.default_rng(202)
SCORES = rng.normal(0, 1.8, 11).round(2).tolist()

LABELS = [1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1]

PROBABILITIES = rng.uniform(0.03, 0.97, 11).round(3).tolist()

EXTREME = [0.9999999, 0.31, 0.0004, 1.0, 0.62, 0.0, 0.00002, 0.87]

EXTREME_LABELS = [1, 0, 1, 1, 0, 1, 1, 1]


def bce(p: Tensor, y: Tensor) -> Tensor:
    """PyTorch's binary cross-entropy."""
    return F.binary_cross_entropy(p, y.double(), reduction="none")


def logits(
    x: Tensor, y: Tensor, pos_weight: float = 1.0, temperature: float = 1.0, offset: float = 0.0
) -> Tensor:
    """The same of logits."""
    weight = torch.tensor(float(pos_weight)).double()
    x = x / temperature + offset
    return F.binary_cross_entropy_with_logits(x, y.double(), reduction="none", pos_weight=weight)


def focal(x: Tensor, y: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """torchvision's sigmoid focal loss, from its paper."""
    y = y.double()
    p = x.sigmoid()
    q = p * y + (1 - p) * (1 - y)
    factor = alpha * y + (1 - alpha) * (1 - y) if alpha >= 0 else 1.0
    return factor * (1 - q) ** gamma * logits(x, y)


def hinge(x: Tensor, y: Tensor, margin: float = 1.0) -> Tensor:
    """max(0, m - y·x)."""
    return (margin - y * x).relu()


def clipped(low: float):
    """Binary cross-entropy with probabilities clipped at both ends."""
    return lambda p, y: bce(p.clamp(low, 1 - low), y)


def one_side(low: float):
    """Binary cross-entropy with something added within both logarithms."""
    return lambda p, y: -(y * (p + low).log() + (1 - y) * (1 - p + low).log())


SHIFTS: tuple[Change, ...] = (
    of_arrays("alignment", "targets shifted by one row", MOVED, lambda x, y: (x, y.roll(1, 0))),
    of_arrays("alignment", "targets shifted by two rows", MOVED, lambda x, y: (x, y.roll(-2, 0))),
    of_arrays("alignment", "targets reversed", "revers|flip|column", lambda x, y: (x, y.flip(0))),
)

LABELLED: tuple[Change, ...] = (
    *SHIFTS,
    of_arrays(
        "target",
        "labels exchanged: 1 - y",
        "1 ?[-−] ?y|exchang|flip|invert|opposite|swap|0 and 1",
        lambda x, y: (x, 1 - y),
    ),
    of_arrays("target", "labels smoothed by 0.1", "smooth", lambda x, y: (x, y * 0.9 + 0.05)),
    of_arrays("target", "labels 0.9 and 0: smoothed on one side", "smooth|0\\.9", lambda x, y: (x, y * 0.9)),
)

LOGIT_CHANGES: tuple[Change, ...] = (
    *LABELLED,
    of_arrays("input", "sigmoid applied first", "sigmoid", lambda x, y: (x.sigmoid(), y)),
    of_arrays("input", "logits negated", "negat|sign|minus|opposite", lambda x, y: (-x, y)),
    of_arrays(
        "precision", "logits in bfloat16, loss in float32", "bfloat16|bf16", lambda x, y: (bfloat16(x), y)
    ),
    parameter("pos_weight", 2, "positive|pos.weight"),
    parameter("pos_weight", 3, "positive|pos.weight"),
    parameter("temperature", 2, "temperature|divided by 2|half"),
    parameter("temperature", 0.5, "temperature|times 2|doubl"),
    parameter("offset", 0.5, "offset|constant|base|bias|add"),
    parameter("offset", -1.2, "offset|constant|base|bias|add|less"),
    of_loss("other-loss", "mse of probabilities", "mse|squared|brier", lambda x, y: (x.sigmoid() - y) ** 2),
    of_loss("other-loss", "focal without alpha", "focal|gamma", lambda x, y: focal(x, y, -1)),
    of_loss("other-loss", "hinge of labels 1 and -1", "hinge", lambda x, y: hinge(x, 2 * y - 1)),
    of_loss("other-loss", "l1 of probabilities", "l1|absolute", lambda x, y: (x.sigmoid() - y).abs()),
    of_loss("other-loss", "only the positive part", "positive", lambda x, y: y * F.softplus(-x)),
    of_loss("other-loss", "only the negative part", "negative", lambda x, y: (1 - y) * F.softplus(x)),
    whole(
        "aggregation", "mean over the positives alone", "positive", lambda x, y: logits(x, y)[y > 0].mean()
    ),
    whole(
        "aggregation",
        "means of positives and negatives averaged",
        "positive|class|balanced",
        lambda x, y: (logits(x, y)[y > 0].mean() + logits(x, y)[y == 0].mean()) / 2,
    ),
    whole(
        "aggregation",
        "means of positives and negatives added",
        "positive|class",
        lambda x, y: logits(x, y)[y > 0].mean() + logits(x, y)[y == 0].mean(),
    ),
    whole(
        "aggregation",
        "sum divided by the number of positives",
        "positive",
        lambda x, y: logits(x, y).sum() / y.sum(),
    ),
    whole(
        "weights",
        "pos_weight negatives/positives",
        "positive|pos.weight|balanced|1\\.2",
        lambda x, y: logits(x, y, float((y == 0).sum() / y.sum())).mean(),
    ),
    whole(
        "precision",
        "bfloat16 throughout",
        "bfloat16|bf16",
        lambda x, y: F.binary_cross_entropy_with_logits(x.bfloat16(), y.bfloat16()).double(),
        4,
    ),
)

PROBABILITY_CHANGES: tuple[Change, ...] = (
    *LABELLED,
    of_arrays("input", "sigmoid applied again", "sigmoid", lambda p, y: (p.sigmoid(), y)),
    of_arrays(
        "input",
        "1 - p: the other column",
        "1 ?[-−] ?p|other class|complement|revers|column|exchang|swap|flip",
        lambda p, y: (1 - p, y),
    ),
    of_arrays("precision", "probabilities in bfloat16", "bfloat16|bf16", lambda p, y: (bfloat16(p), y)),
    of_arrays(
        "input",
        "rounded to 0 or 1 decimal",
        "round|decimal",
        lambda p, y: (p.mul(10).round().div(10).clamp(0.1, 0.9), y),
    ),
    of_loss("other-loss", "brier score", "mse|squared|brier", lambda p, y: (p - y) ** 2),
    of_loss("other-loss", "absolute error", "l1|absolute", lambda p, y: (p - y).abs()),
    of_loss("other-loss", "only the positive part", "positive", lambda p, y: -y * p.log()),
    of_loss("other-loss", "clipped at 0.1, both sides", "clip|0?\\.1|1e-0?1", clipped(0.1)),
    whole("aggregation", "mean over the positives alone", "positive", lambda p, y: bce(p, y)[y > 0].mean()),
    whole(
        "aggregation",
        "means of positives and negatives averaged",
        "positive|class|balanced",
        lambda p, y: (bce(p, y)[y > 0].mean() + bce(p, y)[y == 0].mean()) / 2,
    ),
)

CLIPS: tuple[Change, ...] = (
    *(
        of_loss("parameter", f"clipped at {low:g}, both sides", f"clip|{low:g}", clipped(low))
        for low in (1e-3, 1e-4, 1e-7, 1e-15)
    ),
    of_loss("convention", "1e-7 added within the logarithms", "1e-0?7|add", one_side(1e-7)),
    of_loss("parameter", "1e-3 added within the logarithms", "0?\\.001|1e-0?3|add", one_side(1e-3)),
)

HALF = last("convention", "halved, from 0 to 1", "half|halv|½|0\\.5", lambda m: m / 2)

MODELS = (
    model(
        "bce-logits",
        logits,
        LOGIT_CHANGES,
        {"input": SCORES, "target": LABELS},
        ("means 4", "drop last 4", "sum", "median", "times 4", "bits"),
        paired=True,
    ),
    model(
        "bce",
        bce,
        PROBABILITY_CHANGES,
        {"input": PROBABILITIES, "target": LABELS},
        ("means 3", "last batch 4", "sum", "n - 1", "percent", "exp"),
        paired=True,
    ),
    model("extreme", bce, CLIPS, {"input": EXTREME, "target": EXTREME_LABELS}, loss="bce"),
    model(
        "bce-logits-many",
        logits,
        (*SHIFTS[:2], *LOGIT_CHANGES[6:8], *LOGIT_CHANGES[9:12]),
        {
            "input": {"draw": "normal", "shape": [500, 4], "seed": 21, "scale": 2.0},
            "target": {"draw": "integers", "shape": [500, 4], "seed": 22, "high": 2},
        },
        ("means 64", "drop last 64"),
        loss="bce-logits",
    ),
)
