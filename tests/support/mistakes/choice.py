"""Mistakes with other losses of one label per row: nll, focal, multi-margin and perplexity."""

import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.classes import CHANGES, LABELS, LOGITS, SOFTMAX, cross_entropy, hot, own
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

LOGPROBS = F.log_softmax(torch.tensor(LOGITS), 1).numpy().round(3).tolist()

NLL: tuple[Change, ...] = (
    of_arrays(
        "input",
        "probabilities in place of their logarithms",
        "probabilit|logarithm|exp",
        lambda x, y: (x.exp(), y),
    ),
    of_arrays("alignment", "labels shifted by one row", MOVED, lambda x, y: (x, y.roll(1))),
    of_arrays(
        "alignment",
        "labels one too low, wrapped around",
        "off by|[-−] ?1|subtract|1 (was|too|less)|one (too|less|lower)|shift",
        lambda x, y: (x, (y - 1) % 5),
    ),
    of_arrays("precision", "log-probabilities in bfloat16", "bfloat16|bf16", lambda x, y: (bfloat16(x), y)),
    of_loss("other-loss", "sign forgotten: x[y]", "sign|negat|minus", own),
    of_loss("other-loss", "1 - p[y]", "1 ?[-−] ?p|probabilit|complement", lambda x, y: 1 - own(x.exp(), y)),
    of_loss("other-loss", "sum over all classes", "all|class", lambda x, y: -x.sum(1)),
)

FOCAL: tuple[Change, ...] = (
    *(parameter("gamma", gamma) for gamma in (0.5, 1, 3, 5)),
    SOFTMAX,
    of_loss("other-loss", "cross-entropy: factor left out", "cross.entropy|gamma", cross_entropy),
    of_loss(
        "other-loss",
        "focal power of p, not of 1 - p",
        "power|wrong|focal|1 ?[-−] ?p",
        lambda x, y: own(x.softmax(1), y) ** 2 * cross_entropy(x, y),
    ),
    last("convention", "Keras: alpha 0.25 for all classes", "keras|0\\.25|quarter|alpha", lambda m: m / 4),
    last(
        "convention",
        "MONAI: mean divides by the classes too",
        "monai|class|\\b5\\b|elements",
        lambda m: m / 5,
    ),
    whole(
        "other-loss",
        "focal factor of the mean loss",
        "mean",
        lambda x, y: (1 - torch.exp(-F.cross_entropy(x, y))) ** 2 * F.cross_entropy(x, y),
    ),
)


def focal(x: Tensor, y: Tensor, gamma: float) -> Tensor:
    """Multi-class focal loss."""
    return (1 - own(x.softmax(1), y)) ** gamma * cross_entropy(x, y)


def multi_margin(x: Tensor, y: Tensor, margin: float = 1.0, p: float = 1) -> Tensor:
    """PyTorch's multi-margin."""
    return F.multi_margin_loss(x, y, p=int(p), margin=margin, reduction="none")


MARGINS: tuple[Change, ...] = (
    parameter("margin", 0.5),
    parameter("margin", 2),
    parameter("margin", 0.2),
    Change("parameter", "parameter", "p 2: squared", r"\bp\b|squar", {"p": 2}),
    last("aggregation", "not divided by the number of classes", r"class|\bC\b|\b5\b", lambda m: 5 * m),
    last("aggregation", "divided by C - 1", r"C ?[-−] ?1|1\.25|5/4|class|other", lambda m: m * 5 / 4),
    of_loss(
        "other-loss",
        "only the strongest rival (Crammer-Singer)",
        "hinge|largest|max|strongest|worst",
        lambda x, y: (1 + x.masked_fill(hot(x, y) > 0, -torch.inf).amax(1) - own(x, y)).relu(),
    ),
    SOFTMAX,
)

MODELS = (
    model(
        "nll",
        lambda x, y: -own(x, y),
        NLL,
        {"input": LOGPROBS, "target": LABELS},
        ("means 4", "sum", "exp", "drop last 3"),
        paired=True,
    ),
    model(
        "perplexity",
        cross_entropy,
        (
            CHANGES[0],
            CHANGES[6],
            CHANGES[12],
            whole(
                "batches",
                "mean of the perplexities of batches of 4",
                "batch",
                lambda x, y: torch.stack([b.mean() for b in cross_entropy(x, y).split(4)]).exp().mean(),
            ),
            whole(
                "last-step",
                "logarithm: cross-entropy itself",
                "cross.entropy|logarithm|ln|exponential",
                lambda x, y: F.cross_entropy(x, y),
            ),
            whole("last-step", "2 to the power of nats", "2|base", lambda x, y: 2 ** F.cross_entropy(x, y)),
            whole(
                "last-step",
                "mean of the perplexities of rows",
                "each|row|single|perplexit",
                lambda x, y: cross_entropy(x, y).exp().mean(),
            ),
        ),
        {"input": LOGITS, "target": LABELS},
        mean=lambda v: v.mean().exp(),
    ),
    model(
        "focal",
        focal,
        FOCAL,
        {"input": LOGITS, "target": LABELS},
        ("means 4", "sum"),
        options=("--gamma=2",),
        parameters={"gamma": 2.0},
        paired=True,
    ),
    model(
        "multi-margin",
        multi_margin,
        MARGINS,
        {"input": LOGITS, "target": LABELS},
        ("means 3", "sum"),
        paired=True,
    ),
)
