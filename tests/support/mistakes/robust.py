"""Mistakes with Huber's loss and its relatives, and with quantiles."""

import torch

from tests.support.mistakes.regression import PLACES, SIGNED, X, Y, huber, l1, l2, smooth_l1
from tests.support.mistakes.stages import Change, Tensor, last, model, of_loss, parameter


def pinball(x: Tensor, y: Tensor, quantile: float = 0.9) -> Tensor:
    """The loss of a quantile."""
    return torch.maximum(quantile * (y - x), (quantile - 1) * (y - x))


SMOOTH: tuple[Change, ...] = (
    *PLACES[:5],
    *(parameter("beta", beta) for beta in (0.5, 2, 0.1)),
    of_loss(
        "convention",
        "Huber with delta 0.25, not divided by it",
        "huber|delta|beta",
        lambda x, y: huber(x, y, 0.25),
    ),
    of_loss(
        "other-loss",
        "beta left out of the quadratic part",
        "beta|quadratic",
        lambda x, y: torch.where(l1(x, y) < 0.25, l2(x, y) / 2, l1(x, y) - 0.125),
    ),
    of_loss("other-loss", "absolute error", "l1|absolute", l1),
    of_loss("other-loss", "half of the squared error", "mse|squar|half", lambda x, y: l2(x, y) / 2),
)

HUBERS: tuple[Change, ...] = (
    *PLACES[:5],
    *(parameter("delta", delta) for delta in (0.5, 1, 3)),
    of_loss(
        "convention",
        "smooth L1 with beta 2",
        "smooth|divided|delta|beta|half",
        lambda x, y: smooth_l1(x, y, 2.0),
    ),
    of_loss("other-loss", "squared error", "mse|squar", l2),
    last("factor", "doubled: without the ½", "double|twice|\\b2\\b|half", lambda m: 2 * m),
)

QUANTILES: tuple[Change, ...] = (
    *PLACES[:3],
    parameter("quantile", 0.5),
    parameter("quantile", 0.75),
    parameter("quantile", 0.95),
    Change(
        "parameter",
        "parameter",
        "quantile 0.1: the wrong side",
        "quantile|exchang|side|swap|roles",
        {"quantile": 0.1},
    ),
    of_loss("other-loss", "absolute error", "l1|absolute", l1),
    last("factor", "doubled", "double|twice|\\b2\\b", lambda m: 2 * m),
)

MODELS = (
    model(
        "smooth-l1",
        smooth_l1,
        SMOOTH,
        {"input": X, "target": Y},
        ("means 3", "sum"),
        options=("--beta=0.25",),
        parameters={"beta": 0.25},
        paired=True,
    ),
    model(
        "huber",
        huber,
        HUBERS,
        {"input": X, "target": Y},
        ("means 4", "sum", "rms"),
        options=("--delta=2",),
        parameters={"delta": 2.0},
        paired=True,
    ),
    model(
        "pinball",
        pinball,
        QUANTILES,
        {"input": X, "target": Y},
        ("means 4", "sum"),
        options=("--quantile=0.9",),
        parameters={"quantile": 0.9},
    ),
    model(
        "log-cosh",
        lambda x, y: (x - y).cosh().log(),
        (
            PLACES[0],
            PLACES[4],
            SIGNED[0],
            of_loss("other-loss", "huber", "huber|smooth", huber),
            of_loss(
                "other-loss",
                "ln 2 not taken off: ln of both exponentials",
                "ln ?2|constant|offset|0\\.69",
                lambda x, y: (2 * (x - y).cosh()).log(),
            ),
        ),
        {"input": X, "target": Y},
        ("means 3", "sum"),
    ),
)
