"""Mistakes with cross-entropy of one label per row."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.stages import (
    BY_CLASS,
    MOVED,
    Change,
    Tensor,
    bfloat16,
    float16,
    model,
    of_arrays,
    of_loss,
    parameter,
    whole,
)

LOGITS = np.random.default_rng(101).normal(0, 1.7, (10, 5)).round(2).tolist()

LABELS = [3, 0, 1, 1, 4, 2, 0, 3, 3, 1]


def cross_entropy(x: Tensor, y: Tensor, temperature: float = 1.0, label_smoothing: float = 0.0) -> Tensor:
    """Single losses; classes on axis 1."""
    return F.cross_entropy(x / temperature, y, reduction="none", label_smoothing=label_smoothing)


def hot(x: Tensor, y: Tensor) -> Tensor:
    """The labels as rows of 0 and 1."""
    return F.one_hot(y, x.shape[1]).double()


def own(x: Tensor, y: Tensor) -> Tensor:
    """The entry of the right class of each row."""
    return x.gather(1, y[:, None])[:, 0]


def weighted(weights: Tensor, mean: bool = True):
    """Cross-entropy with class weights."""
    return lambda x, y: F.cross_entropy(x, y, weights.double(), reduction="mean" if mean else "sum")


def balanced(y: Tensor, classes: int) -> Tensor:
    """scikit-learn's class_weight="balanced"."""
    return len(y) / (classes * torch.bincount(y, minlength=classes).clamp(min=1))


def bf16_throughout(x: Tensor, y: Tensor) -> Tensor:
    """The whole loss in bfloat16."""
    return F.cross_entropy(x.to(torch.bfloat16), y).double()


def by_class(x: Tensor, y: Tensor) -> Tensor:
    """The mean of the mean loss of each class that occurs."""
    v = cross_entropy(x, y)
    return torch.stack([v[y == c].mean() for c in y.unique()]).mean()


SOFTMAX = of_arrays("input", "softmax applied first", "softmax", lambda x, y: (x.softmax(1), y))

CHANGES: tuple[Change, ...] = (
    SOFTMAX,
    of_arrays(
        "input",
        "log-softmax of rows taken as columns",
        "axis|softmax|transpos",
        lambda x, y: (x.log_softmax(0), y),
    ),
    of_arrays("input", "sigmoid applied first", "sigmoid", lambda x, y: (x.sigmoid(), y)),
    of_arrays("input", "logits negated", "negat|sign|minus|opposite", lambda x, y: (-x, y)),
    of_arrays(
        "precision", "logits in bfloat16, loss in float32", "bfloat16|bf16", lambda x, y: (bfloat16(x), y)
    ),
    of_arrays("input", "relu before the loss", "relu|negative|below 0|max\\(0", lambda x, y: (x.relu(), y)),
    of_arrays("alignment", "labels shifted by one row", MOVED, lambda x, y: (x, y.roll(1))),
    of_arrays("alignment", "labels shifted by two rows", MOVED, lambda x, y: (x, y.roll(-2))),
    of_arrays("alignment", "labels reversed", "revers", lambda x, y: (x, y.flip(0))),
    of_arrays("alignment", "rows shifted, the last left out", MOVED, lambda x, y: (x[:-1], y[1:])),
    of_arrays(
        "target",
        "argmax of the input taken as label",
        "argmax|largest|own pred|predicted",
        lambda x, y: (x, x.argmax(1)),
    ),
    of_arrays(
        "target",
        "labels one too high, wrapped around",
        r"off by|\+ ?1|1 (was|too|more)|one (too|more|higher)|add|shift",
        lambda x, y: (x, (y + 1) % x.shape[1]),
    ),
    parameter("temperature", 2.0, "temperature|divided by 2|half"),
    parameter("temperature", 0.5, "temperature|doubled|times 2"),
    parameter("temperature", 4.0, "temperature|divided by 4"),
    parameter("label_smoothing", 0.1, "smooth"),
    parameter("label_smoothing", 0.05, "smooth"),
    of_loss(
        "other-loss",
        "logarithm forgotten: -p[y]",
        "logarithm|-p|probabilit|softmax",
        lambda x, y: -own(x.softmax(1), y),
    ),
    of_loss("other-loss", "-ln σ of the own logit", "sigmoid|σ", lambda x, y: F.softplus(-own(x, y))),
    of_loss(
        "other-loss",
        "binary cross-entropy of one-hot",
        "bce|binary",
        lambda x, y: F.binary_cross_entropy_with_logits(x, hot(x, y), reduction="none").mean(1),
    ),
    of_loss(
        "other-loss",
        "brier score, summed over classes",
        "brier",
        lambda x, y: (x.softmax(1) - hot(x, y)).square().sum(1),
    ),
    of_loss(
        "other-loss",
        "mse of probabilities against one-hot",
        "mse|squared|brier",
        lambda x, y: (x.softmax(1) - hot(x, y)).square().mean(1),
    ),
    of_loss(
        "other-loss",
        "share of wrong answers",
        "accura|error rate|wrong|correct",
        lambda x, y: (x.argmax(1) != y).double(),
        4,
    ),
    of_loss(
        "other-loss",
        "focal with gamma 2",
        "focal",
        lambda x, y: (1 - own(x.softmax(1), y)) ** 2 * cross_entropy(x, y),
    ),
    of_loss(
        "other-loss", "multi-margin", "margin|hinge", lambda x, y: F.multi_margin_loss(x, y, reduction="none")
    ),
    of_loss(
        "other-loss",
        "poly-1: ε(1 - p) added",
        "poly|1 ?[-−] ?p|ε",
        lambda x, y: cross_entropy(x, y) + 1 - own(x.softmax(1), y),
    ),
    of_loss(
        "other-loss",
        "right class left out of the softmax's sum",
        "left out|without|others|exclud",
        lambda x, y: torch.logsumexp(x.masked_fill(hot(x, y) > 0, -torch.inf), 1) - own(x, y),
    ),
)

ONCE: tuple[Change, ...] = (
    whole("precision", "bfloat16 throughout", "bfloat16|bf16", bf16_throughout, 4),
    whole(
        "precision",
        "logits in float16, loss in float32",
        "float16|half|fp16",
        lambda x, y: F.cross_entropy(float16(x).float(), y),
    ),
    whole("aggregation", "mean of the means of classes", BY_CLASS, by_class),
    whole(
        "weights", "balanced weights", "balanced|inverse|frequen", lambda x, y: weighted(balanced(y, 5))(x, y)
    ),
    whole(
        "weights",
        "inverse frequencies as weights, divided by N",
        "balanced|inverse|frequen",
        lambda x, y: (cross_entropy(x, y) / torch.bincount(y)[y]).mean(),
    ),
    whole(
        "other-loss",
        "focal factor of the mean loss",
        "focal",
        lambda x, y: (1 - torch.exp(-F.cross_entropy(x, y))) ** 2 * F.cross_entropy(x, y),
    ),
    whole(
        "parameter",
        "probabilities clipped at 0.01, both sides",
        "clip|0?\\.01|1e-0?2",
        lambda x, y: -own(x.softmax(1), y).clamp(1e-2, 1 - 1e-2).log().mean(),
    ),
    whole(
        "parameter",
        "label smoothing 0.1 spread over the other classes alone",
        "smooth",
        lambda x, y: (
            0.9 * cross_entropy(x, y) + 0.1 / 4 * (-x.log_softmax(1).sum(1) - cross_entropy(x, y))
        ).mean(),
    ),
    whole(
        "target",
        "class 0 left out of the rows",
        "ignor|class|left out",
        lambda x, y: F.cross_entropy(x, y, ignore_index=0),
    ),
    whole(
        "input",
        "last class left out of the softmax",
        "class|column|left out|without",
        lambda x, y: F.cross_entropy(x[y < 4][:, :4], y[y < 4]),
    ),
    whole(
        "aggregation",
        "divided by N and by C",
        "class|\\bC\\b|5|elements",
        lambda x, y: F.cross_entropy(x, y) / 5,
    ),
    whole(
        "last-step",
        "mean of the perplexities of rows",
        "perplex|exp",
        lambda x, y: cross_entropy(x, y).exp().mean(),
    ),
    whole(
        "other-loss", "mse of logits against one-hot", "mse|squared", lambda x, y: F.mse_loss(x, hot(x, y))
    ),
    whole(
        "other-loss",
        "entropy of the predictions",
        "entropy",
        lambda x, y: -(x.softmax(1) * x.log_softmax(1)).sum(1).mean(),
    ),
)

MANY = {"draw": "normal", "shape": [1000, 10], "seed": 11, "scale": 1.5}

MANY_LABELS = {"draw": "integers", "shape": [1000], "seed": 12, "high": 10}

MODELS = (
    model(
        "cross-entropy",
        cross_entropy,
        CHANGES + ONCE,
        {"input": LOGITS, "target": LABELS},
        (
            "means 3",
            "means 4",
            "drop last 4",
            "last batch 3",
            "sum of means 4",
            "divided by batches 4",
            "sum",
            "median",
            "max",
            "times 4",
            "over 8",
            "exp",
            "bits",
            "log10",
            "n - 1",
            "without first",
            "first",
            "first batch",
        ),
        paired=True,
    ),
    model(
        "thousand",
        cross_entropy,
        CHANGES[:1] + CHANGES[4:5] + CHANGES[6:8] + CHANGES[12:18],
        {"input": MANY, "target": MANY_LABELS},
        ("means 64", "drop last 64", "last batch 64", "exp", "median"),
        loss="cross-entropy",
    ),
)
