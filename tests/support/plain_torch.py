"""Losses that PyTorch lacks, as plain formulas of its tensors, whose gradients autograd knows.

Each gives the single losses, or for a function of the whole batch that one number.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch.distributions import Normal, kl_divergence

F = torch.nn.functional

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


def overlap(
    loss: Callable[..., Tensor], input: Tensor, target: Tensor, activation: str, dim: Any, **settings: Any
) -> Tensor:
    """A loss of I = Σ p·y, P = Σ p and T = Σ y along some axes, of probabilities."""
    p = {"none": lambda x: x, "sigmoid": torch.sigmoid, "softmax": lambda x: torch.softmax(x, 1)}[activation](
        input
    )
    axes = tuple(range(input.ndim)) if dim is None else dim
    power = 2 if settings.pop("squared", False) else 1
    sums = [each.sum(axes) for each in (p * target, p**power, target**power)]
    return loss(*sums, **settings)


def dice(i: Tensor, p: Tensor, t: Tensor, smooth_nr: float, smooth_dr: float) -> Tensor:
    """1 - (2·I + s₁) / (P + T + s₂)."""
    return 1 - (2 * i + smooth_nr) / (p + t + smooth_dr)


def jaccard(i: Tensor, p: Tensor, t: Tensor, smooth_nr: float, smooth_dr: float) -> Tensor:
    """1 - (I + s₁) / (P + T - I + s₂)."""
    return 1 - (i + smooth_nr) / (p + t - i + smooth_dr)


def tversky(i: Tensor, p: Tensor, t: Tensor, **s: float) -> Tensor:
    """(1 - (I + s₁) / (I + α·FP + β·FN + s₂))^γ."""
    wrong = s["alpha"] * (p - i) + s["beta"] * (t - i)
    return (1 - (i + s["smooth_nr"]) / (i + wrong + s["smooth_dr"])) ** s["gamma"]


def kl(input: Tensor, target: Tensor, eps: float) -> Tensor:
    """Of probabilities that are at least ε."""
    return F.kl_div(input.clamp(min=eps).log(), target.clamp(min=eps), reduction="none").sum(-1)


def kl_gaussian(input: Tensor, logvar: Tensor, target: Tensor, target_logvar: Tensor) -> Tensor:
    """By the distributions themselves."""
    one, other = Normal(input, (logvar / 2).exp()), Normal(target, (target_logvar / 2).exp())
    return kl_divergence(one, other).sum(-1)


def distillation(input: Tensor, teacher: Tensor, target: Tensor, temperature: float, alpha: float) -> Tensor:
    """The divergence of softened log-softmaxes, and cross-entropy."""
    ours, theirs = (F.log_softmax(x / temperature, -1) for x in (input, teacher))
    soft = F.kl_div(ours, theirs, log_target=True, reduction="none").sum(-1) * temperature**2
    return alpha * soft + (1 - alpha) * F.cross_entropy(input, target, reduction="none")


def focal(
    input: Tensor, target: Tensor, weight: Tensor, sample_weight: Tensor, gamma: float, ignore_index: int,
    class_axis: int | None,
) -> Tensor:  # fmt: skip
    """Cross-entropy times a power of the probability of the wrong classes."""
    surprise = F.cross_entropy(input, target, reduction="none", ignore_index=ignore_index)
    value = weight[target.clamp(min=0)] * (1 - torch.exp(-surprise)) ** gamma * surprise
    # The power has no derivative at the 0 of an ignored row.
    return torch.where(target == ignore_index, 0.0, value.nan_to_num()) * sample_weight


def multiclass_hinge(input: Tensor, target: Tensor, margin: float) -> Tensor:
    """The best class but the right one, against that."""
    others = input.scatter(1, target[:, None], -torch.inf)
    return (margin + others.amax(1) - input.gather(1, target[:, None])[:, 0]).clamp(min=0)


def perplexity(
    input: Tensor, target: Tensor, ignore_index: int, class_axis: int | None, shift: bool
) -> Tensor:
    """The cross-entropies of the tokens."""
    return F.cross_entropy(input, target, reduction="none", ignore_index=ignore_index)


PLAIN: Mapping[str, Callable[..., Tensor]] = {
    "log-cosh": lambda x, y: torch.log(torch.cosh(x - y)),
    "hinge": lambda x, y, margin: (margin - y * x).clamp(min=0),
    "squared-hinge": lambda x, y, margin: (margin - y * x).clamp(min=0) ** 2,
    "brier": brier,
    "dice": partial(overlap, dice),
    "jaccard": partial(overlap, jaccard),
    "tversky": partial(overlap, tversky),
    "rmse": lambda x, y, weight: weight * (x - y) ** 2,
    "mape": lambda x, y, eps: (x - y).abs() / y.abs().clamp(min=eps),
    "smape": lambda x, y, eps: 2 * (x - y).abs() / (x.abs() + y.abs()).clamp(min=eps),
    "msle": squared_log_error,
    "rmsle": squared_log_error,
    "pinball": pinball,
    "tweedie-deviance": tweedie,
    "poisson-deviance": lambda x, y: tweedie(x, y, 1.0),
    "gamma-deviance": lambda x, y: tweedie(x, y, 2.0),
    "kl": kl,
    "jensen-shannon": lambda x, y: (kl(x + y, 2 * x, 0.0) + kl(x + y, 2 * y, 0.0)) / 4,
    "kl-gaussian": kl_gaussian,
    "distillation": distillation,
    "focal": focal,
    "multiclass-hinge": multiclass_hinge,
    "perplexity": perplexity,
}
"""By the name of the loss; arrays come in its order, parameters and optional arrays by name."""
