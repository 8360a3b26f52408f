"""Losses that PyTorch lacks, as plain formulas of its tensors, whose gradients autograd knows.

Each gives the single losses, or for a function of the whole batch that one number.
"""

import math
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


def root(squares: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """A loss of squares, of which each column may have a root."""

    def of_columns(x: Tensor, y: Tensor, weight: Tensor | float = 1.0, *, per_column: bool) -> Tensor:
        own = weight * squares(x, y)
        return (own.sum(0) / (torch.ones_like(own) * weight).sum(0)).sqrt() if per_column else own

    return of_columns


def brier(input: Tensor, target: Tensor, weight: Tensor, scale_by_half: bool) -> Tensor:
    """Σ (p - t)² over the classes of a row, or half of it."""
    gap = input - torch.nn.functional.one_hot(target, input.shape[-1])
    return weight * (gap**2).sum(-1) / (1 + scale_by_half)


def overlap(
    loss: Callable[..., Tensor],
    input: Tensor,
    target: Tensor,
    activation: str,
    dim: Any,
    skip_empty: bool,
    fuzzy: bool,
    **settings: Any,
) -> Tensor:
    """A loss of I = Σ p·y (or min(p, y)), P = Σ p and T = Σ y along some axes, of probabilities."""
    p = {"none": lambda x: x, "sigmoid": torch.sigmoid, "softmax": lambda x: torch.softmax(x, 1)}[activation](
        input
    )
    axes = tuple(range(input.ndim)) if dim is None else dim
    power = 2 if settings.pop("squared", False) else 1
    common = torch.minimum(p, target) if fuzzy else p * target
    sums = [each.sum(axes) for each in (common, p**power, target**power)]
    value = loss(*sums, **settings)
    return torch.where(sums[2] == 0, 0.0, value) if skip_empty else value


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
    class_axis: int | None, eps: float,
) -> Tensor:  # fmt: skip
    """Cross-entropy times a power of the probability of the wrong classes."""
    surprise = F.cross_entropy(input, target, reduction="none", ignore_index=ignore_index)
    if eps:
        surprise = surprise.clamp(-math.log(1 - eps), -math.log(eps))
    value = weight[target.clamp(min=0)] * (1 - torch.exp(-surprise)) ** gamma * surprise
    # The power has no derivative at the 0 of an ignored row.
    return torch.where(target == ignore_index, 0.0, value.nan_to_num()) * sample_weight


def multiclass_hinge(input: Tensor, target: Tensor, margin: float, zero: bool) -> Tensor:
    """The best class but the right one, or 0, against that."""
    others = input.scatter(1, target[:, None], -torch.inf)
    rival = others.amax(1).clamp(min=0) if zero else others.amax(1)
    return (margin + rival - input.gather(1, target[:, None])[:, 0]).clamp(min=0)


def perplexity(
    input: Tensor, target: Tensor, ignore_index: int, class_axis: int | None, shift: bool
) -> Tensor:
    """The cross-entropies of the tokens."""
    return F.cross_entropy(input, target, reduction="none", ignore_index=ignore_index)


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
    "hinge": lambda x, y, margin: (margin - y * x).clamp(min=0),
    "squared-hinge": lambda x, y, margin: (margin - y * x).clamp(min=0) ** 2,
    "brier": brier,
    "dice": partial(overlap, dice),
    "jaccard": partial(overlap, jaccard),
    "tversky": partial(overlap, tversky),
    "rmse": root(lambda x, y: (x - y) ** 2),
    "mape": lambda x, y, eps: (x - y).abs() / y.abs().clamp(min=eps),
    "smape": lambda x, y, eps: 2 * (x - y).abs() / (x.abs() + y.abs()).clamp(min=eps),
    "msle": squared_log_error,
    "rmsle": root(squared_log_error),
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
