"""Losses that PyTorch lacks, as plain formulas of its tensors, whose gradients autograd knows.

Each gives the single losses, or for a function of the whole batch that one number.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.distributions import Normal, kl_divergence

F = torch.nn.functional

Tensor = Any


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
    "kl": kl,
    "jensen-shannon": lambda x, y: (kl(x + y, 2 * x, 0.0) + kl(x + y, 2 * y, 0.0)) / 4,
    "kl-gaussian": kl_gaussian,
    "distillation": distillation,
    "focal": focal,
    "multiclass-hinge": multiclass_hinge,
    "perplexity": perplexity,
}
"""By the name of the loss; arrays come in its order, parameters and optional arrays by name."""
