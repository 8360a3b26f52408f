"""Mistakes with divergences, and with the distillation of a teacher."""

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
    normal,
    of_arrays,
    of_loss,
    parameter,
    whole,
)

LOGQ = F.log_softmax(torch.tensor(normal(504, 6, 5, scale=1.3)), 1).numpy().tolist()

P = F.softmax(torch.tensor(normal(505, 6, 5, scale=1.2)), 1).numpy().tolist()


def kl(q: Tensor, p: Tensor) -> Tensor:
    """PyTorch's pointwise divergence."""
    return F.kl_div(q, p, reduction="none")


KLS: tuple[Change, ...] = (
    of_arrays(
        "input", "probabilities for log-probabilities", "probabilit|exp|log", lambda q, p: (q.exp(), p)
    ),
    of_arrays(
        "input",
        "log-softmax taken along the rows' axis",
        "axis|softmax",
        lambda q, p: (q.log_softmax(0), p),
    ),
    of_arrays("input", "reverse divergence", "revers|exchang|swap|roles", lambda q, p: (p.log(), q.exp())),
    of_arrays("alignment", "targets shifted by one row", MOVED, lambda q, p: (q, p.roll(1, 0))),
    of_arrays("precision", "log-probabilities in bfloat16", "bfloat16|bf16", lambda q, p: (bfloat16(q), p)),
    of_loss(
        "other-loss", "cross-entropy: entropy not taken off", "cross.entropy|entropy", lambda q, p: -p * q
    ),
    of_loss(
        "other-loss",
        "Jensen-Shannon",
        "jensen",
        lambda q, p: (kl(((q.exp() + p) / 2).log(), p) + kl(((q.exp() + p) / 2).log(), q.exp())) / 2,
    ),
    of_loss(
        "other-loss",
        "squared differences of probabilities",
        "mse|squar|brier",
        lambda q, p: (q.exp() - p) ** 2,
    ),
    last(
        "convention",
        "T² of distillation, T = 2",
        r"T²|T\^2|temperature|\b4\b|distill",
        lambda m: 4 * m,
    ),
    last(
        "convention",
        "T² of distillation, T = 3",
        r"T²|T\^2|temperature|\b9\b|distill",
        lambda m: 9 * m,
    ),
    whole(
        "aggregation",
        "batchmean: divided by the rows",
        "batchmean|row|class|\\b5\\b",
        lambda q, p: F.kl_div(q, p, reduction="batchmean"),
    ),
    whole(
        "last-step",
        "batchmean in bits",
        "bit|ln ?2|base 2",
        lambda q, p: F.kl_div(q, p, reduction="batchmean") / np.log(2),
    ),
)

STUDENT, TEACHER = normal(506, 6, 5, scale=1.6), normal(507, 6, 5, scale=1.6)


def distillation(x: Tensor, z: Tensor, temperature: float = 2.0) -> Tensor:
    """Hinton's distillation without labels."""
    t = temperature
    return t * t * F.kl_div((x / t).log_softmax(1), (z / t).softmax(1), reduction="none").sum(1)


DISTILLED: tuple[Change, ...] = (
    *(parameter("temperature", t) for t in (1, 4, 3)),
    last("convention", "without T²", r"T²|T\^2|temperature|\b4\b|square|quarter", lambda m: m / 4),
    of_arrays("input", "teacher and student exchanged", "exchang|swap|roles|revers", lambda x, z: (z, x)),
    of_loss(
        "other-loss",
        "teacher's logits not softened",
        "temperature|teacher",
        lambda x, z: 4 * F.kl_div((x / 2).log_softmax(1), z.softmax(1), reduction="none").sum(1),
    ),
    of_loss("other-loss", "mse of logits", "mse|squar", lambda x, z: (x - z).square().mean(1)),
    last("aggregation", "divided by the classes too", r"class|\b5\b|mean|elements", lambda m: m / 5),
    of_loss(
        "other-loss",
        "cross-entropy with the teacher",
        "cross.entropy|entropy",
        lambda x, z: -4 * ((z / 2).softmax(1) * (x / 2).log_softmax(1)).sum(1),
    ),
)

MODELS = (
    model("kl-div", kl, KLS, {"input": LOGQ, "target": P}, ("sum",), paired=True),
    model(
        "distillation",
        distillation,
        DISTILLED,
        {"input": STUDENT, "teacher": TEACHER},
        ("means 4", "sum"),
        options=("--alpha=1",),
    ),
)
