"""Mistakes with the likelihood of counts and of normal errors."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.corpus import Call
from tests.support.mistakes.regression import PLACES, X, Y, l2
from tests.support.mistakes.stages import MOVED, Change, Model, Tensor, last, model, of_arrays, of_loss

rng = np.random.default_rng(305)
COUNTS = [2, 0, 5, 1, 3, 0, 7, 2, 4]

RATES = rng.normal(0.7, 0.7, 9).round(2).tolist()

VARIANCES = rng.uniform(0.2, 2.5, 11).round(2).tolist()


def poisson(x: Tensor, y: Tensor, full: bool = False, log_input: bool = True) -> Tensor:
    """PyTorch's Poisson loss."""
    return F.poisson_nll_loss(x, y.double(), log_input=bool(log_input), full=full, reduction="none")


def gaussian(x: Tensor, y: Tensor, v: Tensor, full: bool = False) -> Tensor:
    """PyTorch's Gaussian loss."""
    return F.gaussian_nll_loss(x, y, v, full=full, reduction="none")


POISSONS: tuple[Change, ...] = (
    PLACES[0],
    PLACES[2],
    PLACES[6],
    Change("parameter", "parameter", "with Stirling's term", "stirling|full", {"full": True}),
    of_loss("other-loss", "mse of rates", "mse|squar", lambda x, y: l2(x.exp(), y)),
    of_loss(
        "other-loss",
        "with ln y! exactly",
        "factorial|y!|gamma|full|exact|constant",
        lambda x, y: poisson(x, y) + torch.lgamma(y + 1.0),
    ),
    of_arrays("input", "exponential taken first", "exp", lambda x, y: (x.exp(), y)),
    of_arrays(
        "target", "counts one too high", "one|\\+ ?1|1 was added|add 1|off by", lambda x, y: (x, y + 1)
    ),
)

GAUSSIANS: tuple[Change, ...] = (
    Change("parameter", "parameter", "with ½·ln 2π", "full|2π|constant|ln", {"full": True}),
    of_arrays(
        "input", "standard deviations taken for variances", "deviation|squar", lambda x, y, v: (x, y, v**2)
    ),
    of_arrays(
        "input",
        "roots of the variances: standard deviations given",
        "deviation|root",
        lambda x, y, v: (x, y, v.sqrt()),
    ),
    of_arrays(
        "input", "logarithms of variances: exponential taken", "exp|log", lambda x, y, v: (x, y, v.exp())
    ),
    of_arrays("input", "variances 1", "varianc|\\b1\\b|mse|half", lambda x, y, v: (x, y, torch.ones_like(v))),
    of_loss("other-loss", "logarithm of the variance forgotten", "log|ln", lambda x, y, v: l2(x, y) / v / 2),
    of_loss(
        "other-loss",
        "½ forgotten at the logarithm",
        "½|half|log|ln",
        lambda x, y, v: v.log() + l2(x, y) / v / 2,
    ),
    of_arrays("alignment", "targets shifted by one row", MOVED, lambda x, y, v: (x, y.roll(1), v)),
    last("factor", "doubled: without the ½", "double|twice|\\b2\\b|½|half", lambda m: 2 * m),
)

MODELS = (
    model(
        "poisson-nll", poisson, POISSONS, {"input": RATES, "target": COUNTS}, ("means 4", "sum"), paired=True
    ),
    Model(
        "gaussian-nll",
        Call("gaussian-nll", {"input": X, "target": Y, "var": VARIANCES}),
        gaussian,
        GAUSSIANS,
        commons=("means 4", "sum"),
        paired=True,
    ),
)
