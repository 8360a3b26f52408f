"""Mistakes with roots, relative errors and logarithms of amounts."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.regression import PLACES, SIGNED, X, Y, l1, l2, relative
from tests.support.mistakes.stages import Change, Tensor, last, model, of_loss, whole

rng = np.random.default_rng(304)
AMOUNTS = rng.gamma(2.0, 3.0, 11).round(2).tolist()

OBSERVED = (np.array(AMOUNTS) * rng.uniform(0.5, 1.7, 11)).round(2).tolist()


def logarithmic(x: Tensor, y: Tensor) -> Tensor:
    """Squared differences of ln(1 + x)."""
    return (x.log1p() - y.log1p()) ** 2


RELATIVES: tuple[Change, ...] = (
    PLACES[0],
    PLACES[2],
    of_loss(
        "other-loss",
        "divided by the prediction",
        "predict|input|exchang|swap|roles",
        lambda x, y: ((x - y) / x).abs(),
    ),
    of_loss("other-loss", "signed relative error", "sign", lambda x, y: (x - y) / y),
    of_loss("other-loss", "symmetric", "smape|symmetric", lambda x, y: 2 * (x - y).abs() / (x + y)),
    last("convention", "in percent, as Keras", "percent|keras|100", lambda m: 100 * m),
    whole(
        "aggregation",
        "sum of errors over the sum of targets",
        "wape|wmape|sum|weighted",
        lambda x, y: l1(x, y).sum() / y.sum(),
    ),
)

LOGARITHMS: tuple[Change, ...] = (
    PLACES[0],
    PLACES[4],
    of_loss(
        "other-loss", "logarithm without the 1", "ln x|log|without", lambda x, y: (x.log() - y.log()) ** 2
    ),
    of_loss(
        "other-loss", "common logarithm", "log10|10", lambda x, y: ((1 + x).log10() - (1 + y).log10()) ** 2
    ),
    of_loss("other-loss", "squared error, no logarithm", "mse|squar", l2),
    of_loss(
        "other-loss",
        "absolute differences of logarithms",
        "absolute|l1|root",
        lambda x, y: (x.log1p() - y.log1p()).abs(),
    ),
    last("last-step", "root taken", "root|rmsle|√", np.sqrt),
)

RMSE: tuple[Change, ...] = (
    PLACES[0],
    PLACES[4],
    SIGNED[0],
    whole(
        "batches",
        "mean of the rmse of batches of 4",
        "batch",
        lambda x, y: torch.stack([b.mean().sqrt() for b in l2(x, y).split(4)]).mean(),
    ),
    whole("last-step", "root forgotten", "root|mse|squar", F.mse_loss),
    whole("last-step", "root of the sum", "sum|norm|distance", lambda x, y: l2(x, y).sum().sqrt()),
    whole("aggregation", "mean of the roots: absolute error", "absolute|l1|root", F.l1_loss),
    whole(
        "aggregation",
        "divided by n - 1 below the root",
        "n ?[-−] ?1|one less",
        lambda x, y: (l2(x, y).sum() / 10).sqrt(),
    ),
    whole(
        "aggregation",
        "divided by the range of the target",
        "range|max",
        lambda x, y: F.mse_loss(x, y).sqrt() / (y.max() - y.min()),
    ),
    whole(
        "aggregation",
        "divided by the deviation of the target",
        "deviation|varianc",
        lambda x, y: F.mse_loss(x, y).sqrt() / y.std(correction=0),
    ),
)

MODELS = (
    model("rmse", l2, RMSE, {"input": X, "target": Y}, mean=lambda v: v.mean().sqrt()),
    model("mape", relative, RELATIVES, {"input": AMOUNTS, "target": OBSERVED}, ("means 4", "median")),
    model("msle", logarithmic, LOGARITHMS, {"input": AMOUNTS, "target": OBSERVED}, ("means 3", "sum")),
)
