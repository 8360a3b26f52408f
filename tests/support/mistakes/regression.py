"""Mistakes with squared and absolute errors."""

import numpy as np
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.stages import (
    MOVED,
    Change,
    Tensor,
    bfloat16,
    float16,
    last,
    model,
    of_arrays,
    of_loss,
    whole,
)

rng = np.random.default_rng(303)
X = rng.normal(0, 2.5, 11).round(2).tolist()

Y = (np.array(X) + rng.normal(0, 1.3, 11)).round(2).tolist()

GRID = rng.normal(1, 2.0, (4, 3)).round(2).tolist()

GRID_TARGET = (np.array(GRID) + rng.normal(0, 0.9, (4, 3))).round(2).tolist()


def l1(x: Tensor, y: Tensor) -> Tensor:
    """Absolute differences."""
    return (x - y).abs()


def l2(x: Tensor, y: Tensor) -> Tensor:
    """Squared differences."""
    return (x - y) ** 2


def smooth_l1(x: Tensor, y: Tensor, beta: float = 1.0) -> Tensor:
    """PyTorch's smooth L1."""
    return F.smooth_l1_loss(x, y, reduction="none", beta=beta)


def huber(x: Tensor, y: Tensor, delta: float = 1.0) -> Tensor:
    """PyTorch's Huber loss."""
    return F.huber_loss(x, y, reduction="none", delta=delta)


def relative(x: Tensor, y: Tensor) -> Tensor:
    """Differences as a part of the target."""
    return ((x - y) / y).abs()


PLACES: tuple[Change, ...] = (
    of_arrays("alignment", "targets shifted by one row", MOVED, lambda x, y: (x, y.roll(1, 0))),
    of_arrays("alignment", "targets shifted by two rows", MOVED, lambda x, y: (x, y.roll(-2, 0))),
    of_arrays("alignment", "targets reversed", "revers|flip", lambda x, y: (x, y.flip(0))),
    of_arrays(
        "alignment", "forecast of the next step: x[:-1] with y[1:]", MOVED, lambda x, y: (x[:-1], y[1:])
    ),
    of_arrays("target", "targets rounded", "round", lambda x, y: (x, y.round())),
    of_arrays("target", "targets floored", "floor|trunc|down|integer", lambda x, y: (x, y.floor())),
    of_arrays("precision", "input in bfloat16", "bfloat16|bf16", lambda x, y: (bfloat16(x), y)),
    of_arrays("precision", "both in float16", "float16|half|fp16", lambda x, y: (float16(x), float16(y))),
)

SIGNED: tuple[Change, ...] = (
    of_arrays("input", "input negated", "negat|sign|minus|opposite", lambda x, y: (-x, y)),
    of_arrays("input", "relu before the loss", "relu|negative|below 0|max\\(0", lambda x, y: (x.relu(), y)),
    of_arrays(
        "target",
        "targets standardised",
        "standard|normal|scale|deviation",
        lambda x, y: (x, (y - y.mean()) / y.std(correction=0)),
    ),
    of_arrays("input", "sigmoid before the loss", "sigmoid", lambda x, y: (x.sigmoid(), y)),
    of_arrays("input", "tanh before the loss", "tanh", lambda x, y: (x.tanh(), y)),
    of_loss("other-loss", "signed error", "sign", lambda x, y: x - y),
    of_loss("other-loss", "log-cosh", "cosh", lambda x, y: (x - y).cosh().log()),
)

SQUARES: tuple[Change, ...] = (
    *PLACES,
    *SIGNED,
    of_loss("other-loss", "absolute error", "l1|absolute", l1),
    of_loss("other-loss", "smooth L1", "smooth|huber", smooth_l1),
    of_loss("other-loss", "squared relative error", "relative|percent", lambda x, y: relative(x, y) ** 2),
    last("last-step", "root taken", "root|rmse|√", np.sqrt),
    last("factor", "halved", "half|halv|½|0\\.5", lambda m: m / 2),
    whole(
        "aggregation",
        "divided by the variance of the target",
        "varianc",
        lambda x, y: l2(x, y).mean() / y.var(correction=0),
    ),
    whole(
        "aggregation",
        "divided by the sum of squares of the target",
        "square|norm|relative|target",
        lambda x, y: l2(x, y).sum() / (y**2).sum(),
    ),
    whole(
        "aggregation",
        "variance of the errors: bias taken off",
        "varianc|bias|offset|constant|mean",
        lambda x, y: (x - y).var(correction=0),
    ),
    whole(
        "target",
        "mean of the targets as prediction",
        "mean|constant|varianc",
        lambda x, y: y.var(correction=0),
    ),
    whole(
        "input",
        "(N,1) against (N,) broadcast to (N,N)",
        "broadcast|each|all pairs|outer",
        lambda x, y: F.mse_loss(x[:, None].expand(11, 11), y[None, :].expand(11, 11)),
    ),
)

ABSOLUTES: tuple[Change, ...] = (
    *PLACES,
    *SIGNED,
    of_loss("other-loss", "squared error", "mse|squar", l2),
    of_loss("other-loss", "smooth L1", "smooth|huber", smooth_l1),
    of_loss("other-loss", "relative error", "relative|percent|mape", relative),
)

GRIDS: tuple[Change, ...] = (
    whole(
        "alignment",
        "target transposed before flattening",
        "transpos",
        lambda x, y: F.mse_loss(x.flatten(), y.T.flatten()),
    ),
    whole(
        "alignment",
        "both reshaped, one of them transposed: columns for rows",
        "transpos",
        lambda x, y: F.mse_loss(x.T.flatten(), y.flatten()),
    ),
    whole(
        "aggregation",
        "summed over columns, mean over rows",
        "row|column|\\b3\\b|axis",
        lambda x, y: l2(x, y).sum(1).mean(),
    ),
    whole(
        "aggregation",
        "mean over columns, summed over rows",
        "row|column|\\b4\\b|axis|sum",
        lambda x, y: l2(x, y).mean(1).sum(),
    ),
    whole("aggregation", "first column alone", "column|first", lambda x, y: l2(x, y)[:, 0].mean()),
    whole("aggregation", "last column alone", "column|last", lambda x, y: l2(x, y)[:, -1].mean()),
    whole(
        "aggregation",
        "first column left out, as an id",
        "column|left out|without",
        lambda x, y: l2(x, y)[:, 1:].mean(),
    ),
    whole(
        "aggregation",
        "mean of the roots of columns",
        "root|rmse",
        lambda x, y: l2(x, y).mean(0).sqrt().mean(),
    ),
    whole(
        "alignment", "columns shifted by one", "column|shift|roll", lambda x, y: F.mse_loss(x.roll(1, 1), y)
    ),
    whole(
        "aggregation",
        "mean of the norms of rows",
        "norm|root|length|distance",
        lambda x, y: l2(x, y).sum(1).sqrt().mean(),
    ),
)

MODELS = (
    model(
        "mse",
        l2,
        SQUARES,
        {"input": X, "target": Y},
        ("means 4", "drop last 4", "sum", "n - 1", "times 4", "last batch 3", "first batch"),
        paired=True,
    ),
    model(
        "l1",
        l1,
        ABSOLUTES,
        {"input": X, "target": Y},
        ("means 4", "median", "max", "sum", "divided by batches 3", "root"),
        paired=True,
    ),
    model("grid", l2, GRIDS, {"input": GRID, "target": GRID_TARGET}, ("means 3",), loss="mse"),
)
