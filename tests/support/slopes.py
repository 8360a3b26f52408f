"""What the gradients are exactly: the derivative of a loss of one sample, where it has a short closed form.

`SLOPES` holds it by the names of the loss and of the array: one number for each element of that array. At a
kink the formulas take the side that PyTorch takes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

import losscalc
from tests.support.exact import (
    E6,
    E7,
    E8,
    EPS32,
    ONE,
    QUARTER,
    TWO,
    ZERO,
    Exact,
    Overlap,
    Row,
    bce_logits,
    cosine,
    dot,
    error,
    focal_alpha,
    listed,
    logistic,
    norm,
    samples,
    settled,
    smoothed,
    surprises,
)


def sign(value: Exact) -> Exact:
    """-1, 0 or 1."""
    return mpf((value > 0) - (value < 0))


def l1(input: Exact, target: Exact, weight: Exact = ONE) -> Exact:
    """w·sign(x - y)."""
    return weight * sign(input - target)


def mse(input: Exact, target: Exact, weight: Exact = ONE) -> Exact:
    """2w·(x - y)."""
    return 2 * weight * (input - target)


def huber(input: Exact, target: Exact, weight: Exact = ONE, delta: Exact = ONE) -> Exact:
    """w·(x - y), but never beyond δ."""
    return weight * max(-delta, min(delta, input - target))


def smooth_l1(input: Exact, target: Exact, beta: Exact = ONE) -> Exact:
    """Huber's slope divided by the bend."""
    return huber(input, target, delta=beta) / beta if beta else sign(input - target)


def poisson_nll(
    input: Exact, target: Exact, log_input: bool = True, full: bool = False, eps: Exact = E8
) -> Exact:
    """exp(x) - y, or 1 - y/(x + ε)."""
    return mpmath.exp(input) - target if log_input else 1 - target / (input + eps)


def gaussian_nll(input: Exact, target: Exact, var: Exact, full: bool = False, eps: Exact = E6) -> Exact:
    """(x - y)/v."""
    return (input - target) / max(var, eps)


def gaussian_nll_var(input: Exact, target: Exact, var: Exact, full: bool = False, eps: Exact = E6) -> Exact:
    """½·(1/v - (x - y)²/v²), where ε took the place of the variance too."""
    v = max(var, eps)
    return (1 / v - (input - target) ** 2 / v**2) / 2


def bce(input: Exact, target: Exact, weight: Exact = ONE) -> Exact:
    """w·(x - y)/max(x·(1-x), 1e-12)."""
    return weight * (input - target) / max(input * (1 - input), EPS32)


def bce_logits_slope(input: Exact, target: Exact, weight: Exact = ONE, pos_weight: Exact = ONE) -> Exact:
    """w·((1-y)·σ(x) - p·y·σ(-x))."""
    return weight * ((1 - target) * logistic(input) - pos_weight * target * logistic(-input))


def multilabel_soft_margin(input: Row, target: Row, weight: Row | None = None) -> Row:
    """w·(σ(x) - y)/C."""
    factors = [ONE] * len(input) if weight is None else weight
    return [bce_logits_slope(x, y, w) / len(input) for x, y, w in zip(input, target, factors, strict=True)]


def sigmoid_focal(input: Exact, target: Exact, alpha: Exact = QUARTER, gamma: Exact = TWO) -> Exact:
    """a·(γ·q^(γ-1)·q'·c + q^γ·c') with q the probability of the wrong answer and c the cross-entropy."""
    negative, positive = logistic(input), logistic(-input)
    wrong = (1 - target) * negative + target * positive
    growth = (1 - 2 * target) * negative * positive
    slope = gamma * wrong ** (gamma - 1) * growth * bce_logits(input, target)
    return focal_alpha(target, alpha) * (slope + wrong**gamma * bce_logits_slope(input, target))


def hinge_embedding(input: Exact, target: Exact, margin: Exact = ONE) -> Exact:
    """1 if y = 1; -1 up to the margin itself if y = -1."""
    return ONE if target == 1 else -mpf(int(input <= margin))


def soft_margin(input: Exact, target: Exact) -> Exact:
    """-y·σ(-y·x)."""
    return -target * logistic(-target * input)


def multi_margin(input: Row, target: int, weight: Row | None = None, p: int = 1, margin: Exact = ONE) -> Row:
    """w[y]·p·z^(p-1)/C for a violation z > 0, and for the right class minus their sum."""
    factor = (ONE if weight is None else weight[target]) / len(input)
    excess = [margin - input[target] + x for x in input]
    slope = [factor * p * z ** (p - 1) if z > 0 and i != target else ZERO for i, z in enumerate(excess)]
    slope[target] = -sum(slope, ZERO)
    return slope


def multilabel_margin(input: Row, target: list[int]) -> Row:
    """1/C for the wrong class of each violated pair, and -1/C for the right one."""
    right, slope = listed(target), [ZERO] * len(input)
    for y in right:
        for i, x in enumerate(input):
            if i not in right and 1 - input[y] + x > 0:
                slope[i] += 1
                slope[y] -= 1
    return [value / len(input) for value in slope]


def cross_entropy(
    input: Row, target: int | Row, weight: Row | None = None, label_smoothing: Exact = ZERO
) -> Row:
    """q·Σt - t, with t the shares of the classes and q the softmax."""
    shares = smoothed(target, len(input), weight, label_smoothing)
    # q - 1 = -Σ of the others: the sum of all is not 1 in as many digits as q may need.
    weights = [mpmath.exp(-d) for d in surprises(input)]
    others = [sum((q for j, q in enumerate(weights) if j != c), ZERO) for c in range(len(input))]
    total = sum(shares, ZERO)
    return [q * (total - t) - t * other for q, t, other in zip(weights, shares, others, strict=True)]


def nll(input: Row, target: int, weight: Row | None = None) -> Row:
    """-w[y] at the class of the target."""
    factor = ONE if weight is None else weight[target]
    return [-factor if c == target else ZERO for c in range(len(input))]


def kl_div(input: Exact, target: Exact, log_target: bool = False) -> Exact:
    """-y, or -exp(y)."""
    return -mpmath.exp(target) if log_target else -target


def cosine_embedding(input1: Row, input2: Row, target: Exact, margin: Exact = ZERO) -> Row:
    """That of the cosine, b/√((|a|² + ε)(|b|² + ε)) - cos·a/(|a|² + ε), with a minus for similar pairs."""
    similarity = cosine(input1, input2)
    own, other = (dot(x, x) + EPS32 for x in (input1, input2))
    factor = -ONE if target == 1 else mpf(int(similarity >= margin))
    length = mpmath.sqrt(own * other)
    return [factor * (b / length - similarity * a / own) for a, b in zip(input1, input2, strict=True)]


def cosine_embedding_input2(input1: Row, input2: Row, target: Exact, margin: Exact = ZERO) -> Row:
    """The same, with the vectors exchanged."""
    return cosine_embedding(input2, input1, target, margin)


def margin_ranking(input1: Exact, input2: Exact, target: Exact, margin: Exact = ZERO) -> Exact:
    """-y up to the margin itself."""
    return -target * int(margin - target * (input1 - input2) >= 0)


def margin_ranking_input2(input1: Exact, input2: Exact, target: Exact, margin: Exact = ZERO) -> Exact:
    """y up to the margin itself."""
    return -margin_ranking(input1, input2, target, margin)


def _direction(u: Row, v: Row, eps: Exact) -> Row:
    """The derivative of ‖u - v + ε‖ with respect to u, 0 where that is 0."""
    length = norm(u, v, TWO, eps)
    return [(a - b + eps) / length if length else ZERO for a, b in zip(u, v, strict=True)]


def _is_active(anchor: Row, positive: Row, negative: Row, margin: Exact, eps: Exact) -> bool:
    return bool(margin + norm(anchor, positive, TWO, eps) - norm(anchor, negative, TWO, eps) >= 0)


def triplet_margin(
    anchor: Row, positive: Row, negative: Row, margin: Exact = ONE, p: Exact = TWO, eps: Exact = E6
) -> Row:
    """The direction from the positive less that from the negative, up to the margin itself; p = 2."""
    active = int(_is_active(anchor, positive, negative, margin, eps))
    near, far = _direction(anchor, positive, eps), _direction(anchor, negative, eps)
    return [active * (a - b) for a, b in zip(near, far, strict=True)]


def triplet_margin_positive(
    anchor: Row, positive: Row, negative: Row, margin: Exact = ONE, p: Exact = TWO, eps: Exact = E6
) -> Row:
    """The direction to the positive."""
    active = int(_is_active(anchor, positive, negative, margin, eps))
    return [-active * a for a in _direction(anchor, positive, eps)]


def triplet_margin_negative(
    anchor: Row, positive: Row, negative: Row, margin: Exact = ONE, p: Exact = TWO, eps: Exact = E6
) -> Row:
    """The direction from the negative."""
    active = int(_is_active(anchor, positive, negative, margin, eps))
    return [active * a for a in _direction(anchor, negative, eps)]


def giou(input: Row, target: Row, eps: Exact = E7) -> Row:
    """By the quotient rule; a side that both boxes share belongs to each by half."""
    boxes = Overlap(input, target)
    reach = [
        (1 + sign((a - b) * (1 if k > 1 else -1))) / 2
        for k, (a, b) in enumerate(zip(input, target, strict=True))
    ]
    width, height = (boxes.width, boxes.height) if boxes.is_shared else (ZERO, ZERO)
    shared = [d * (1 - r) for d, r in zip([-height, -width, height, width], reach, strict=True)]
    span = [d * r for d, r in zip(_area_slope(boxes.hull), reach, strict=True)]
    union = [a - i for a, i in zip(_area_slope(input), shared, strict=True)]
    u, c = boxes.union + eps, boxes.span + eps
    return [
        -(i * u - boxes.shared * du) / u**2 + ((dc - du) * c - (boxes.span - boxes.union) * dc) / c**2
        for i, du, dc in zip(shared, union, span, strict=True)
    ]


def _area_slope(box: Row) -> Row:
    """The derivative of an area with respect to left, top, right and bottom."""
    width, height = box[2] - box[0], box[3] - box[1]
    return [-height, -width, height, width]


SLOPES: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("l1", "input"): l1,
    ("mse", "input"): mse,
    ("smooth-l1", "input"): smooth_l1,
    ("huber", "input"): huber,
    ("poisson-nll", "input"): poisson_nll,
    ("gaussian-nll", "input"): gaussian_nll,
    ("gaussian-nll", "var"): gaussian_nll_var,
    ("bce", "input"): bce,
    ("bce-logits", "input"): bce_logits_slope,
    ("multilabel-soft-margin", "input"): multilabel_soft_margin,
    ("sigmoid-focal", "input"): sigmoid_focal,
    ("hinge-embedding", "input"): hinge_embedding,
    ("multilabel-margin", "input"): multilabel_margin,
    ("multi-margin", "input"): multi_margin,
    ("soft-margin", "input"): soft_margin,
    ("cross-entropy", "input"): cross_entropy,
    ("nll", "input"): nll,
    ("kl-div", "input"): kl_div,
    ("cosine-embedding", "input1"): cosine_embedding,
    ("cosine-embedding", "input2"): cosine_embedding_input2,
    ("margin-ranking", "input1"): margin_ranking,
    ("margin-ranking", "input2"): margin_ranking_input2,
    ("triplet-margin", "anchor"): triplet_margin,
    ("triplet-margin", "positive"): triplet_margin_positive,
    ("triplet-margin", "negative"): triplet_margin_negative,
    ("giou", "input"): giou,
}
"""The derivative of the loss of a sample with respect to one of its arrays."""


def slope_errors(name: str, wrt: str, arguments: Mapping[str, Any]) -> list[float]:
    """The largest error of the gradient of a sum, for each sample."""
    slope = np.asarray(losscalc.gradient(name, **arguments, wrt=wrt, reduction="sum"))
    found = []
    for part, sample in zip(slope, samples(name, arguments), strict=True):
        exact = settled(SLOPES[name, wrt], sample)
        pairs = zip(part.reshape(-1), exact, strict=True)
        found.append(max(error(value, one, slope.dtype, signed_zero=True) for value, one in pairs))
    return found


def has_slope(name: str, wrt: str, arguments: Mapping[str, Any]) -> bool:
    """Whether the derivative of a call is here: of triplets for the norm of degree 2, not swapped."""
    plain = arguments.get("p", 2.0) == 2.0 and not arguments.get("swap")
    return (name, wrt) in SLOPES and (name != "triplet-margin" or plain)
