"""Losses that PyTorch lacks, as plain formulas of its tensors, whose gradients autograd knows.

Each gives the single losses, or for a function of the whole batch that one number.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch

Tensor = Any


def tweedie(input: Tensor, target: Tensor, power: float = 1.5) -> Tensor:
    """As it stands in the docs of scikit-learn."""
    if power == 0:
        return (input - target) ** 2
    if power == 1:
        return 2 * (torch.xlogy(target, target / input) - target + input)
    if power == 2:
        return 2 * (torch.log(input / target) + target / input - 1)
    a, b = 1 - power, 2 - power
    return 2 * (target.clamp(min=0) ** b / (a * b) - target * input**a / a + input**b / b)


def pinball(input: Tensor, target: Tensor, quantile: Any = (0.5,)) -> Tensor:
    """Each column with its quantile."""
    q = torch.as_tensor(quantile, dtype=input.dtype)
    short = (target if len(quantile) == 1 else target[..., None]) - input
    return torch.maximum(q * short, (q - 1) * short)


def squared_log_error(input: Tensor, target: Tensor) -> Tensor:
    """(ln(1 + x) - ln(1 + y))²."""
    return (torch.log1p(input) - torch.log1p(target)) ** 2


def brier(input: Tensor, target: Tensor, weight: Tensor, scale_by_half: bool) -> Tensor:
    """Σ (p - t)² over the classes of a row, or half of it."""
    gap = input - torch.nn.functional.one_hot(target, input.shape[-1])
    return weight * (gap**2).sum(-1) / (1 + scale_by_half)


PLAIN: Mapping[str, Callable[..., Tensor]] = {
    "log-cosh": lambda x, y: torch.log(torch.cosh(x - y)),
    "hinge": lambda x, y, margin: (margin - y * x).clamp(min=0),
    "squared-hinge": lambda x, y, margin: (margin - y * x).clamp(min=0) ** 2,
    "brier": brier,
    "rmse": lambda x, y, weight: weight * (x - y) ** 2,
    "mape": lambda x, y, eps: (x - y).abs() / y.abs().clamp(min=eps),
    "smape": lambda x, y, eps: 2 * (x - y).abs() / (x.abs() + y.abs()).clamp(min=eps),
    "msle": squared_log_error,
    "rmsle": squared_log_error,
    "pinball": pinball,
    "tweedie-deviance": tweedie,
    "poisson-deviance": lambda x, y: tweedie(x, y, 1.0),
    "gamma-deviance": lambda x, y: tweedie(x, y, 2.0),
}
"""By the name of the loss; arrays come in its order, parameters and optional arrays by name."""
