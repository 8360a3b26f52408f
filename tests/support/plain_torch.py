"""Losses that PyTorch lacks, as plain formulas of its tensors, whose gradients autograd knows.

Each gives the single losses, or for a function of the whole batch that one number.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

F = torch.nn.functional

Tensor = Any


def _cosines(one: Tensor, other: Tensor) -> Tensor:
    return F.normalize(one, dim=-1) @ F.normalize(other, dim=-1).T


def cosine_distance(input: Tensor, target: Tensor, eps: float = 1e-8) -> Tensor:
    """By PyTorch's own similarity."""
    return 1 - F.cosine_similarity(input, target, dim=-1, eps=eps)


def contrastive(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 1.0) -> Tensor:
    """Hadsell's formula with y = 1 for the same."""
    d = (input1 - input2).norm(dim=-1)
    return 0.5 * (target * d**2 + (1 - target) * (margin - d).clamp(min=0) ** 2)


def info_nce(
    input: Tensor,
    target: Tensor,
    negatives: Tensor | None = None,
    temperature: float = 0.1,
    normalize: bool = True,
) -> Tensor:
    """Cross-entropy of the similarities, with the own key as the class."""
    scaled = partial(F.normalize, dim=-1) if normalize else torch.clone
    queries, keys = scaled(input), scaled(target)
    if negatives is None:
        return F.cross_entropy(queries @ keys.T / temperature, torch.arange(len(input)), reduction="none")
    rivals = scaled(negatives if negatives.ndim == 3 else negatives[None]) @ queries[:, :, None]
    logits = torch.cat([(queries * keys).sum(-1, keepdim=True), rivals[..., 0]], dim=1)
    return F.cross_entropy(logits / temperature, torch.zeros(len(input), dtype=torch.long), reduction="none")


def clip(input: Tensor, target: Tensor, temperature: float = 0.07, normalize: bool = True) -> Tensor:
    """The mean of both directions."""
    there = info_nce(input, target, None, temperature, normalize)
    return (there + info_nce(target, input, None, temperature, normalize)) / 2


def nt_xent(input: Tensor, target: Tensor, temperature: float = 0.5) -> Tensor:
    """Cross-entropy over all other views."""
    views, count = torch.cat([input, target]), len(input)
    logits = (_cosines(views, views) / temperature).fill_diagonal_(-torch.inf)
    right = torch.cat([torch.arange(count) + count, torch.arange(count)])
    return F.cross_entropy(logits, right, reduction="none")


def sup_con(input: Tensor, target: Tensor, temperature: float = 0.1) -> Tensor:
    """The authors' masks; 0 without others of the class."""
    logits = _cosines(input, input) / temperature
    others = ~torch.eye(len(input), dtype=torch.bool)
    alike = (target[:, None] == target) & others
    logs = logits - torch.log((logits.exp() * others).sum(1, keepdim=True))
    return -(logs * alike).sum(1) / alike.sum(1).clamp(min=1)


def batch_triplet(
    input: Tensor, target: Tensor, margin: float = 1.0, mining: str = "hard", squared: bool = False
) -> Tensor:
    """A loop over anchors, positives and negatives."""
    found = []
    for a in range(len(input)):
        d = ((input[a] - input) ** 2).sum(-1)
        d = d if squared else torch.where(d > 0, d, 1.0).sqrt() * (d > 0)
        near = [d[p] for p in range(len(input)) if p != a and target[p] == target[a]]
        far = [d[n] for n in range(len(input)) if target[n] != target[a]]
        if not near or not far:
            continue
        if mining == "hard":
            found.append(max(near) - min(far))
        elif mining == "all":
            found += [one - other for one in near for other in far]
        else:
            found += [one - min([x for x in far if x > one], default=max(far)) for one in near]
    return (torch.stack(found) + margin).clamp(min=0) if found else input.sum() * torch.zeros(0)


def ranknet(input: Tensor, target: Tensor, sigma: float = 1.0, padding: float | None = None) -> Tensor:
    """Of each pair of a list of which the first is the more relevant."""
    known = torch.ones_like(target, dtype=torch.bool) if padding is None else target != padding
    pairs = (target[..., :, None] > target[..., None, :]) & known[..., :, None] & known[..., None, :]
    return F.softplus(-sigma * (input[..., :, None] - input[..., None, :]))[pairs]


def _answer(values: Tensor, mask: Tensor | None) -> Tensor:
    return values if mask is None or values.ndim == 1 else (values * mask).sum(-1)


def bradley_terry(
    chosen: Tensor,
    rejected: Tensor,
    margin: Tensor | None = None,
    chosen_mask: Tensor | None = None,
    rejected_mask: Tensor | None = None,
) -> Tensor:
    """As TRL's reward trainer."""
    lead = _answer(chosen, chosen_mask) - _answer(rejected, rejected_mask)
    return -F.logsigmoid(lead if margin is None else lead - margin)


def dpo(
    chosen_logps: Tensor,
    rejected_logps: Tensor,
    ref_chosen_logps: Tensor | None = None,
    ref_rejected_logps: Tensor | None = None,
    chosen_mask: Tensor | None = None,
    rejected_mask: Tensor | None = None,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
    loss_type: str = "sigmoid",
) -> Tensor:
    """As the authors' code, and TRL's of 2024."""
    d = _answer(chosen_logps, chosen_mask) - _answer(rejected_logps, rejected_mask)
    if ref_chosen_logps is not None and ref_rejected_logps is not None:
        d = d - (_answer(ref_chosen_logps, chosen_mask) - _answer(ref_rejected_logps, rejected_mask))
    right, wrong = -F.logsigmoid(beta * d), -F.logsigmoid(-beta * d)
    s = label_smoothing
    return {
        "sigmoid": (1 - s) * right + s * wrong,
        "hinge": torch.relu(1 - beta * d),
        "ipo": (d - 1 / (2 * beta)) ** 2,
        "robust": ((1 - s) * right - s * wrong) / (1 - 2 * s),
    }[loss_type]


def ppo_clip(
    input: Tensor,
    old_logps: Tensor,
    advantages: Tensor,
    mask: Tensor | None = None,
    clip_eps: float = 0.2,
    clip_eps_high: float | None = None,
) -> Tensor:
    """As most code has it."""
    ratio = torch.exp(input - old_logps)
    bounded = ratio.clamp(1 - clip_eps, 1 + (clip_eps if clip_eps_high is None else clip_eps_high))
    value = -torch.min(ratio * advantages, bounded * advantages)
    return value if mask is None else value * mask


def grpo(
    input: Tensor,
    old_logps: Tensor,
    advantages: Tensor,
    mask: Tensor | None = None,
    ref_logps: Tensor | None = None,
    beta: float = 0.0,
    epsilon: float = 0.2,
    epsilon_high: float | None = None,
    loss_type: str = "grpo",
    max_length: int | None = None,
) -> Tensor:
    """As TRL's trainer."""
    value = ppo_clip(input, old_logps, advantages[:, None], None, epsilon, epsilon_high)
    if beta and ref_logps is not None:
        value = value + beta * (torch.exp(ref_logps - input) - (ref_logps - input) - 1)
    return value if mask is None else value * mask


def cox(input: Tensor, time: Tensor, event: Tensor, ties: str = "efron") -> Tensor:
    """A loop over events."""
    values = []
    for x, t, happened in zip(input, time, event, strict=True):
        if not happened:
            values.append(x * 0)
            continue
        at_risk = input[time >= t].exp().sum()
        tied = input[(time == t) & (event == 1)]
        count = len(tied) if ties == "efron" else 1
        logs = [torch.log(at_risk - k / count * tied.exp().sum()) for k in range(count)]
        values.append(torch.stack(logs).mean() - x)
    return torch.stack(values) if values else input


def iou(input: Tensor, target: Tensor, eps: float = 1e-7, mode: str = "linear") -> Tensor:
    """As mmdetection, with eps as torchvision's giou has it."""
    first, last = torch.max(input[..., :2], target[..., :2]), torch.min(input[..., 2:], target[..., 2:])
    shared = (last - first).clamp(min=0).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (input, target)]
    ratio = shared / (areas[0] + areas[1] - shared + eps)
    return {"linear": 1 - ratio, "square": 1 - ratio**2, "log": -ratio.clamp(min=eps).log()}[mode]


PLAIN: Mapping[str, Callable[..., Tensor]] = {
    "log-cosh": lambda x, y: torch.log(torch.cosh(x - y)),
    "cosine-distance": cosine_distance,
    "contrastive": contrastive,
    "info-nce": info_nce,
    "nt-xent": nt_xent,
    "clip": clip,
    "sup-con": sup_con,
    "batch-triplet": batch_triplet,
    "ranknet": ranknet,
    "bradley-terry": bradley_terry,
    "dpo": dpo,
    "ppo-clip": ppo_clip,
    "grpo": grpo,
    "cox": cox,
    "iou": iou,
}
"""By the name of the loss; arrays come in its order, parameters and optional arrays by name."""
