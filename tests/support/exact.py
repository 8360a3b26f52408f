"""What each loss is exactly, and how far a computed number is from that.

`VALUES` holds the documented formula of every loss and activation for one sample: an element, a row, or a
whole sequence, in mpmath's numbers. The parameters and constants are those of the declaration, as the binary
numbers that they are. A formula whose summands may cancel gives `Parts`, which know how large they were.
`settled` evaluates a formula with as many digits as it takes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import mpmath
import numpy as np
from mpmath import mpf

import losscalc

Exact = mpmath.mpf
Row = list[Exact]
Matrix = list[Row]
Array = np.ndarray
Distance = Callable[[Row, Row], "Parts"]
Sample = dict[str, Any]
"""The arguments of one sample: numbers, rows and matrices of exact numbers, indices and parameters."""

PRECISIONS = (300, 600, 1200, 5000)
"""Bits of the attempts. 5000 hold any sum of products of two float64 numbers without rounding."""

AGREED = mpf(2) ** -100
"""Two attempts that differ by less of their value have both found it."""

ZERO, QUARTER, ONE, TWO = mpf(0), mpf(0.25), mpf(1), mpf(2)
TENTH, FIFTH, SEVEN_HUNDREDTHS = mpf(0.1), mpf(0.2), mpf(0.07)
E6, E7, E8 = mpf(1e-6), mpf(1e-7), mpf(1e-8)
NORMAL = mpf(2) ** -1022
"""Below it numbers are subnormal."""
EPS64 = mpf(2) ** -52
E117, HALF, TWEEDIE = mpf(1.17e-6), mpf(0.5), mpf(1.5)
EPS32 = mpf(float(np.float32(1e-12)))
"""PyTorch's 1e-12, a constant of float32."""


class Parts(NamedTuple):
    """A sum, and the size of the largest of its parts: what rounding has to be measured against."""

    value: Exact
    size: Exact

    @classmethod
    def of(cls, *parts: "Exact | Parts") -> "Parts":
        """The sum of numbers, of which some are sums themselves."""
        known = [part if isinstance(part, Parts) else cls(part, abs(part)) for part in parts]
        return cls(_sum(part.value for part in known), max([part.size for part in known], default=ZERO))

    def times(self, factor: Exact) -> "Parts":
        """The product of each part."""
        return Parts(self.value * factor, self.size * abs(factor))

    def above_zero(self) -> "Parts":
        """max(0, Σ)."""
        return self._replace(value=max(ZERO, self.value))


LIMIT = 6.0
"""The promise of float64: so many ULP of the largest part, which is the value where nothing cancels."""

MATRIX_LIMIT = 16.0
MATRICES = frozenset(
    {"linear-cross-entropy", "adaptive-log-softmax", "ctc", "info-nce", "nt-xent", "clip", "sup-con", "cox"}
)
"""Losses with long sums behind an exponential."""

ROUNDED = 0.51
"""The promise of float32 and float16: float64, rounded once."""


class Error(NamedTuple):
    """How far a value is from the exact one, in ULP of the exact one in the dtype of the result."""

    ulp: Exact
    unit: Exact
    """One ULP of float64 of the largest part of the sum, 1 in float64 where nothing cancels."""

    def exceeds(self, name: str, dtype: str) -> bool:
        """Whether a value of a loss is farther away than promised.

        What is computed to so many ULP of its largest part in float64 may be 0 in float32, and is no better
        there: half an ULP of the result comes on top.
        """
        computed = (MATRIX_LIMIT if name in MATRICES else LIMIT) * self.unit
        return bool(self.ulp > (computed if dtype == "float64" else max(ROUNDED, 0.5 + computed)))

    @classmethod
    def of(cls, value: float, exact: Parts, dtype: np.dtype) -> "Error":
        """The error of a computed value."""
        unit = spacing(max(exact.size, abs(exact.value)), np.dtype(np.float64)) / spacing(exact.value, dtype)
        return cls(error(value, exact.value, dtype), ONE if mpmath.isnan(unit) else unit)


def error(value: float, exact: Exact, dtype: np.dtype) -> Exact:
    """The distance to the exact value in ULP; infinite for NaN, for a wrong infinity and for -0.0."""
    info = np.finfo(dtype)
    if np.isnan(value) or (mpmath.isinf(exact) and not np.isinf(value)):
        return mpmath.inf
    if np.isinf(value):
        rounded_away = abs(exact) >= mpf(float(info.max)) * (1 + mpf(2) ** (-info.nmant - 2))
        return ZERO if rounded_away and (value > 0) == (exact > 0) else mpmath.inf
    if value == 0 and np.signbit(value):
        return mpmath.inf
    return abs(mpf(float(value)) - exact) / spacing(exact, dtype)


def spacing(exact: Exact, dtype: np.dtype) -> Exact:
    """One ULP: the distance of the numbers of a dtype around the exact value."""
    info = np.finfo(dtype)
    if mpmath.isinf(exact):
        return exact
    exponent = max(int(mpmath.frexp(exact)[1]) - 1, int(info.minexp)) if exact else int(info.minexp)
    return mpf(2) ** (exponent - info.nmant)


def exactly(value: Any) -> Any:
    """A number, an array or a mapping of arrays in exact numbers; indices, switches and names stay."""
    if isinstance(value, Mapping):
        return {name: exactly(part) for name, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list):
        return [exactly(part) for part in value]
    return mpf(value) if isinstance(value, float) else value


def settled(formula: Callable[..., Any], sample: Sample) -> list[Parts]:
    """The values that a formula comes to for a sample, right to 100 bits at least.

    Attempts with more and more bits have to agree. A zero may be what is left of digits that were lost: only
    the last attempt is believed one.
    """
    found: list[Parts] | None = None
    for bits in PRECISIONS:
        with mpmath.workprec(bits):
            last, result = found, formula(**sample)
            found = [Parts.of(one) for one in (result if isinstance(result, list) else [result])]
            if last is not None and all(_agree(a.value, b.value) for a, b in zip(last, found, strict=True)):
                break
    assert found is not None
    return found


def _agree(one: Exact, other: Exact) -> bool:
    if mpmath.isinf(one) or mpmath.isinf(other):
        return bool(one == other)
    return bool(other != 0 and abs(one - other) <= AGREED * abs(other))


def softplus(x: Exact) -> Exact:
    """log(1 + exp(x))."""
    return max(x, ZERO) + mpmath.log1p(mpmath.exp(-abs(x)))


def logistic(input: Exact) -> Exact:
    """1 / (1 + exp(-x)), or exp(x) / (1 + exp(x)), so that nothing small is added to something large."""
    tail = mpmath.exp(-abs(input))
    return (ONE if input >= 0 else tail) / (1 + tail)


def l1(input: Exact, target: Exact, weight: Exact = ONE) -> Exact:
    """w·|x - y|."""
    return weight * abs(input - target)


def mse(input: Exact, target: Exact, weight: Exact = ONE) -> Exact:
    """w·(x - y)²."""
    return weight * (input - target) ** 2


def huber(input: Exact, target: Exact, weight: Exact = ONE, delta: Exact = ONE) -> Exact:
    """w·(½d² if d ≤ δ, else δ·(d - ½δ)), with d = |x - y|."""
    d = abs(input - target)
    return weight * (d * d / 2 if d <= delta else delta * (d - delta / 2))


def smooth_l1(input: Exact, target: Exact, beta: Exact = ONE) -> Exact:
    """Huber's loss divided by the bend, and without a bend the absolute difference."""
    return huber(input, target, delta=beta) / beta if beta else abs(input - target)


def poisson_nll(
    input: Exact, target: Exact, log_input: bool = True, full: bool = False, eps: Exact = E8
) -> Parts:
    """exp(x) - y·x, or x - y·ln(x + ε), and Stirling's formula where y > 1."""
    if log_input:
        parts = [mpmath.exp(input), -target * input]
    else:
        parts = [input, -target * mpmath.log(input + eps) if target else ZERO]
    if full and target > 1:
        parts += [target * mpmath.log(target), -target, mpmath.log(2 * mpmath.pi * target) / 2]
    return Parts.of(*parts)


def gaussian_nll(input: Exact, target: Exact, var: Exact, full: bool = False, eps: Exact = E6) -> Parts:
    """½·(ln v + (x - y)² / v), v = max(var, ε), and ½·ln(2π) where all of it is asked for."""
    v = max(var, eps)
    constant = mpmath.log(2 * mpmath.pi) if full else ZERO
    return Parts.of(mpmath.log(v) / 2, (input - target) ** 2 / v / 2, constant / 2)


def mape(input: Exact, target: Exact, eps: Exact = EPS64) -> Exact:
    """|x - y| / max(|y|, ε)."""
    return abs(input - target) / max(abs(target), eps)


def smape(input: Exact, target: Exact, eps: Exact = E117) -> Exact:
    """2·|x - y| / max(|x| + |y|, ε)."""
    return 2 * abs(input - target) / max(abs(input) + abs(target), eps)


def msle(input: Exact, target: Exact) -> Exact:
    """(ln(1 + x) - ln(1 + y))²."""
    return (mpmath.log(1 + input) - mpmath.log(1 + target)) ** 2


def pinball(input: Exact, target: Exact, quantile: Exact | tuple[float] = HALF) -> Exact:
    """q·(y - x) if y ≥ x, else (1-q)·(x - y)."""
    q = mpf(quantile[0]) if isinstance(quantile, tuple) else quantile
    return q * (target - input) if target >= input else (1 - q) * (input - target)


def tweedie(input: Exact, target: Exact, power: Exact = TWEEDIE) -> Parts | Exact:
    """2·(max(y, 0)^(2-p)/((1-p)·(2-p)) - y·x^(1-p)/(1-p) + x^(2-p)/(2-p)), and its limits."""
    a, b = 1 - power, 2 - power
    if power == 0:
        return (input - target) ** 2
    if a == 0:
        return Parts.of(2 * target * mpmath.log(target / input) if target else ZERO, -2 * target, 2 * input)
    if b == 0:
        return Parts.of(2 * mpmath.log(input / target), 2 * target / input, mpf(-2))
    above = max(target, ZERO)
    return Parts.of(2 * above**b / (a * b), -2 * target * input**a / a, 2 * input**b / b)


def bce(input: Exact, target: Exact, weight: Exact = ONE) -> Exact:
    """-w·[y·max(ln x, -100) + (1-y)·max(ln(1-x), -100)]."""
    yes = max(mpmath.log(input), mpf(-100)) if input > 0 else mpf(-100)
    no = max(mpmath.log1p(-input), mpf(-100)) if input < 1 else mpf(-100)
    return -weight * (target * yes + (1 - target) * no)


def bce_logits(input: Exact, target: Exact, weight: Exact = ONE, pos_weight: Exact = ONE) -> Parts:
    """w·[p·y·softplus(-x) + (1-y)·softplus(x)]; no factor brings back the digits of what is subnormal."""
    positive, negative = (Parts(x, max(x, NORMAL)) for x in (softplus(-input), softplus(input)))
    parts = positive.times(pos_weight * target), negative.times(1 - target)
    return Parts.of(*parts).times(weight)


def multilabel_soft_margin(input: Row, target: Row, weight: Row | None = None) -> Parts:
    """The mean over the classes of binary cross-entropy with logits."""
    factors = [ONE] * len(input) if weight is None else weight
    single = [bce_logits(x, y, w) for x, y, w in zip(input, target, factors, strict=True)]
    return Parts.of(*single).times(ONE / len(input))


def sigmoid_focal(input: Exact, target: Exact, alpha: Exact = QUARTER, gamma: Exact = TWO) -> Parts:
    """a·(1-p)^γ·c with c the cross-entropy, p the probability of the right answer, and a that of α.

    The power has the error of 1-p γ times, which up to the square is no more than is promised anyway.
    """
    wrong = (1 - target) * logistic(input) + target * logistic(-input)
    value = focal_alpha(target, alpha) * wrong**gamma * bce_logits(input, target).value
    return Parts(value, value * max(ONE, gamma / 2))


def focal_alpha(target: Exact, alpha: Exact) -> Exact:
    """α for positives and 1-α for negatives, in proportion between; 1 if there is none."""
    return ONE if alpha == -1 else alpha * target + (1 - alpha) * (1 - target)


def hinge_embedding(input: Exact, target: Exact, margin: Exact = ONE) -> Exact:
    """x if y = 1, max(0, m - x) if y = -1."""
    return input if target == 1 else max(ZERO, margin - input)


def hinge(input: Exact, target: Exact, margin: Exact = ONE) -> Exact:
    """max(0, m - y·x)."""
    return max(ZERO, margin - (target or -1) * input)


def squared_hinge(input: Exact, target: Exact, margin: Exact = ONE) -> Exact:
    """max(0, m - y·x)²."""
    return hinge(input, target, margin) ** 2


def brier(input: Exact | Row, target: Exact | int, weight: Exact = ONE, scale_by_half: bool = False) -> Exact:
    """(p - y)², or the sum of it over the classes of a row, or half of that."""
    if not isinstance(input, list):
        return weight * (input - target) ** 2
    squares = _sum((p - (c == target)) ** 2 for c, p in enumerate(input))
    return weight * squares * (HALF if scale_by_half else ONE)


def soft_margin(input: Exact, target: Exact) -> Exact:
    """ln(1 + exp(-y·x))."""
    return softplus(-target * input)


def multi_margin(
    input: Row, target: int, weight: Row | None = None, p: int = 1, margin: Exact = ONE
) -> Parts:
    """1/C·Σ w[y]·max(0, m - x[y] + x[i])^p over the wrong classes."""
    factor = ONE if weight is None else weight[target]
    others = [x for i, x in enumerate(input) if i != target]
    violations = [Parts.of(margin, -input[target], x).above_zero() for x in others]
    # The error of a square is that of its root, times the root, twice.
    powers = [z if p == 1 else z.times(z.value) for z in violations]
    return Parts.of(*powers).times(factor / len(input))


def multilabel_margin(input: Row, target: list[int]) -> Parts:
    """1/C·Σ max(0, 1 - x[y] + x[i]) over the listed classes y and those that are not listed."""
    right = listed(target)
    others = [x for i, x in enumerate(input) if i not in right]
    violations = [Parts.of(ONE, -input[y], x).above_zero() for y in right for x in others]
    return Parts.of(*violations).times(ONE / len(input))


def listed(target: list[int]) -> list[int]:
    """The classes of a list, up to the first -1."""
    return target[: target.index(-1)] if -1 in target else target


def surprises(scores: Row) -> Row:
    """-log softmax."""
    return _surprises(tuple(scores), mpmath.mp.prec)


@lru_cache(maxsize=10_000)
def _surprises(scores: tuple[Exact, ...], bits: int) -> Row:
    """(m - x_k) + log1p(Σ' exp(x_j - m)), where Σ' leaves the largest score out, with so many bits."""
    top = max(range(len(scores)), key=scores.__getitem__)
    ruled_in = [x for j, x in enumerate(scores) if j != top and x != -mpmath.inf]
    tail = mpmath.log1p(_sum(mpmath.exp(x - scores[top]) for x in ruled_in))
    return [scores[top] - x + tail for x in scores]


def cross_entropy(
    input: Row, target: int | Row, weight: Row | None = None, label_smoothing: Exact = ZERO
) -> Exact:
    """Σ of the shares of the classes times -log softmax."""
    shares = smoothed(target, len(input), weight, label_smoothing)
    return _sum(t * d for t, d in zip(shares, surprises(input), strict=True) if t)


def smoothed(target: int | Row, classes: int, weight: Row | None, smoothing: Exact) -> Row:
    """w_c·((1-s)·y_c + s/C), the share of each class."""
    spread = [mpf(int(c == target)) for c in range(classes)] if isinstance(target, int) else target
    factors = [ONE] * classes if weight is None else weight
    return [w * ((1 - smoothing) * y + smoothing / classes) for w, y in zip(factors, spread, strict=True)]


def nll(input: Row, target: int, weight: Row | None = None) -> Exact:
    """-w[y]·x[y]."""
    return -input[target] * (ONE if weight is None else weight[target])


def linear_cross_entropy(
    input: Row,
    linear_weight: Matrix,
    target: int | Row,
    linear_bias: Row | None = None,
    weight: Row | None = None,
    label_smoothing: Exact = ZERO,
) -> Parts:
    """Cross-entropy of the logits W·x + b."""
    logits = times(linear_weight, input, linear_bias)
    value = cross_entropy([z.value for z in logits], target, weight, label_smoothing)
    whole = _sum(smoothed(target, len(logits), weight, label_smoothing))
    return Parts(value, max(value, whole * _largest(logits)))


def adaptive_log_softmax(input: Row, target: int, state: dict[str, Any]) -> Parts:
    """-ln p(y); of a rare class -ln p(cluster) - ln p(y | cluster)."""
    sizes = [len(matrix) for name, matrix in sorted(state.items()) if name.endswith(".1.weight")]
    head = times(state["head.weight"], input, state.get("head.bias"))
    first = frequent = len(head) - len(sizes)
    if target < frequent:
        return _surprise(head, target)
    for cluster, size in enumerate(sizes):
        if target < first + size:
            inner = times(state[f"tail.{cluster}.0.weight"], input)
            inside = _surprise(times(state[f"tail.{cluster}.1.weight"], inner), target - first)
            return Parts.of(_surprise(head, frequent + cluster), inside)
        first += size
    raise AssertionError("no cluster has the class")


def _surprise(scores: list[Parts], target: int) -> Parts:
    """-log softmax of scores that are sums themselves."""
    value = surprises([score.value for score in scores])[target]
    return Parts(value, max(value, _largest(scores)))


def _largest(scores: list[Parts]) -> Exact:
    """The largest summand of all scores."""
    return max(score.size for score in scores)


def kl_div(input: Exact, target: Exact, log_target: bool = False) -> Exact | Parts:
    """y·(ln y - x), or exp(y)·(y - x)."""
    if log_target:
        return mpmath.exp(target) * (target - input)
    return Parts.of(mpmath.log(target), -input).times(target) if target else ZERO


def cosine(one: Row, other: Row) -> Parts:
    """a·b / √((|a|² + ε)·(|b|² + ε))."""
    length = mpmath.sqrt((dot(one, one) + EPS32) * (dot(other, other) + EPS32))
    return Parts.of(*(a * b for a, b in zip(one, other, strict=True))).times(1 / length)


def cosine_embedding(input1: Row, input2: Row, target: Exact, margin: Exact = ZERO) -> Parts:
    """1 - cos(x1, x2) if y = 1, max(0, cos(x1, x2) - m) if y = -1."""
    similarity = cosine(input1, input2)
    if target == 1:
        return Parts.of(ONE, similarity.times(-ONE))
    return Parts.of(similarity, -margin).above_zero()


def margin_ranking(input1: Exact, input2: Exact, target: Exact, margin: Exact = ZERO) -> Parts:
    """max(0, -y·(x1 - x2) + m)."""
    return Parts.of(-target * (input1 - input2), margin).above_zero()


def norm(one: Row, other: Row, p: Exact, eps: Exact) -> Parts:
    """The p-norm of u - v + ε, and that of the larger of u - v and ε."""
    moves = [Parts.of(u - v, eps) for u, v in zip(one, other, strict=True)]
    return Parts(_norm([abs(d.value) for d in moves], p), _norm([d.size for d in moves], p))


def _norm(size: Row, p: Exact) -> Exact:
    if p == 0:
        return mpf(sum(d != 0 for d in size))
    if mpmath.isinf(p):
        return max(size) if p > 0 else min(size)
    if p == 2:
        return mpmath.sqrt(dot(size, size))
    if p < 0 and not min(size):
        return ZERO
    return _sum(d**p for d in size) ** (1 / p)


def _cosine_distance(one: Row, other: Row) -> Parts:
    lengths = [max(mpmath.sqrt(dot(x, x)), E8) for x in (one, other)]
    products = [-a * b / (lengths[0] * lengths[1]) for a, b in zip(one, other, strict=True)]
    return Parts.of(ONE, *products)


DISTANCES: Mapping[str, Distance] = {
    "pairwise": lambda u, v: norm(u, v, TWO, E6),
    "euclidean": lambda u, v: norm(u, v, TWO, ZERO),
    "squared-euclidean": lambda u, v: Parts.of(*((a - b) ** 2 for a, b in zip(u, v, strict=True))),
    "manhattan": lambda u, v: norm(u, v, ONE, ZERO),
    "chebyshev": lambda u, v: norm(u, v, mpmath.inf, ZERO),
    "cosine": _cosine_distance,
}


def _triplet(distance: Distance, triplet: tuple[Row, Row, Row], margin: Exact, swap: bool) -> Parts:
    """max(0, m + d(a, p) - d(a, n)), with swap d(p, n) where that is smaller."""
    anchor, positive, negative = triplet
    far = distance(anchor, negative)
    far = min(far, distance(positive, negative)) if swap else far
    return Parts.of(margin, distance(anchor, positive), far.times(-ONE)).above_zero()


def triplet_margin(
    anchor: Row,
    positive: Row,
    negative: Row,
    margin: Exact = ONE,
    swap: bool = False,
    p: Exact = TWO,
    eps: Exact = E6,
    eps_once: bool = False,
) -> Parts:
    """Triplets with the p-norm; an ε that is added once to the sum of the powers is one more component."""

    def distance(u: Row, v: Row) -> Parts:
        return norm([*u, eps ** (1 / p)], [*v, ZERO], p, ZERO) if eps_once else norm(u, v, p, eps)

    return _triplet(distance, (anchor, positive, negative), margin, swap)


def triplet_margin_with_distance(
    anchor: Row,
    positive: Row,
    negative: Row,
    margin: Exact = ONE,
    swap: bool = False,
    distance_function: str = "pairwise",
) -> Parts:
    """Triplets with a distance that has a name."""
    return _triplet(DISTANCES[distance_function], (anchor, positive, negative), margin, swap)


def ctc(
    log_probs: Matrix,
    targets: list[int],
    input_lengths: int,
    target_lengths: int,
    blank: int = 0,
    zero_infinity: bool = False,
) -> Parts:
    """-ln Σ Π p[t, a[t]] over the alignments, by forward recursion over the target with blanks between.

    Its parts are that of the likeliest alignment and what the others add.
    """
    steps = log_probs[:input_lengths]
    value = _alignments(steps, targets[:target_lengths], blank, _sum)
    if value == mpmath.inf:
        return Parts.of(ZERO if zero_infinity else value)
    likeliest = _alignments(steps, targets[:target_lengths], blank, max)
    return Parts.of(likeliest, value - likeliest)._replace(value=value)


def _alignments(steps: Matrix, target: list[int], blank: int, add: Callable[[Row], Exact]) -> Exact:
    """The recursion, with the sum or the largest of the ways that lead to a place."""
    symbols = [blank]
    for label in target:
        symbols += [label, blank]
    reached = [ONE] + [ZERO] * (len(symbols) - 1)
    for time, row in enumerate(steps):
        before, reached = reached, []
        for place, symbol in enumerate(symbols):
            ways = before[max(place - 1, 0) : place + 1]
            if time and place >= 3 and place % 2 and symbol != symbols[place - 2]:
                ways = [*ways, before[place - 2]]
            whole = add(ways)
            reached.append(whole * mpmath.exp(row[symbol]) if whole else ZERO)
    ends = add(reached[-2:] if steps else reached[-1:])
    return -mpmath.log(ends) if ends else mpmath.inf


class Overlap:
    """Two boxes: the areas that they share, cover and span, and the squares of the distances of DIoU."""

    def __init__(self, input: Row, target: Row) -> None:
        left, top = max(input[0], target[0]), max(input[1], target[1])
        right, bottom = min(input[2], target[2]), min(input[3], target[3])
        self.width, self.height = right - left, bottom - top
        self.is_shared = self.width > 0 and self.height > 0
        self.shared = self.width * self.height if self.is_shared else ZERO
        self.union = area(input) + area(target) - self.shared
        self.hull = [min(input[0], target[0]), min(input[1], target[1])]
        self.hull += [max(input[2], target[2]), max(input[3], target[3])]
        self.span = area(self.hull)
        across, down = self.hull[2] - self.hull[0], self.hull[3] - self.hull[1]
        self.diagonal = across**2 + down**2
        moves = [Parts.of(input[k] - target[k], input[k + 2] - target[k + 2]) for k in (0, 1)]
        squares = [Parts(d.value**2, d.size * max(d.size, abs(d.value))) for d in moves]
        self.offset = Parts.of(*squares).times(QUARTER)


def area(box: Row) -> Exact:
    """Width times height."""
    return (box[2] - box[0]) * (box[3] - box[1])


def giou(input: Row, target: Row, eps: Exact = E7) -> Exact:
    """1 - I/(U + ε) + (C - U)/(C + ε)."""
    boxes = Overlap(input, target)
    return 1 - boxes.shared / (boxes.union + eps) + (boxes.span - boxes.union) / (boxes.span + eps)


def diou(input: Row, target: Row, eps: Exact = E7) -> Parts:
    """1 - I/(U + ε) + ρ²/(c² + ε)."""
    boxes = Overlap(input, target)
    lack = 1 - boxes.shared / (boxes.union + eps)
    return Parts.of(lack, boxes.offset.times(1 / (boxes.diagonal + eps)))


def ciou(input: Row, target: Row, eps: Exact = E7) -> Parts:
    """DIoU + α·v, with v = 4/π²·(atan(w₂/h₂) - atan(w₁/h₁))² and α = v / (1 - I/(U + ε) + v + ε)."""
    boxes = Overlap(input, target)
    angles = [mpmath.atan((box[2] - box[0]) / (box[3] - box[1])) for box in (input, target)]
    turn = Parts.of(angles[1], -angles[0])
    v = 4 / mpmath.pi**2 * turn.value**2
    alpha = v / (1 - boxes.shared / (boxes.union + eps) + v + eps) if v else ZERO
    shape = Parts.of(turn, ZERO).times(4 / mpmath.pi**2 * turn.value * alpha)
    return Parts.of(diou(input, target, eps), shape)


def iou(input: Row, target: Row, eps: Exact = E7, mode: str = "linear") -> Exact:
    """1 - r, 1 - r² or -ln max(r, ε), with r = I/(U + ε)."""
    boxes = Overlap(input, target)
    ratio = boxes.shared / (boxes.union + eps)
    if mode == "log":
        return -mpmath.log(max(ratio, eps)) if max(ratio, eps) else mpmath.inf
    return 1 - (ratio if mode == "linear" else ratio**2)


def cosine_distance(input: Row, target: Row, eps: Exact = E8) -> Parts:
    """1 - x·y / (max(|x|, ε)·max(|y|, ε))."""
    lengths = [max(mpmath.sqrt(dot(x, x)), eps) for x in (input, target)]
    return Parts.of(ONE, *(-a * b / (lengths[0] * lengths[1]) for a, b in zip(input, target, strict=True)))


def contrastive(input1: Row, input2: Row, target: int, margin: Exact = ONE) -> Parts:
    """½·d² of what is the same, else ½·max(0, m - d)²."""
    distance = norm(input1, input2, TWO, ZERO).value
    if target == 1:
        return Parts.of(distance**2 / 2)
    return _half_square(Parts.of(margin, -distance).above_zero())


def _half_square(root: Parts) -> Parts:
    """The error of a square is that of its root, times the root, twice."""
    return root.times(root.value / 2)


def _unit(vector: Row) -> Row:
    """The vector over its length, which is taken as 1e-12 at least."""
    length = max(mpmath.sqrt(dot(vector, vector)), mpf(1e-12))
    return [x / length for x in vector]


def _similar(one: Row, other: Row, temperature: Exact) -> Parts:
    return Parts.of(*(a * b for a, b in zip(one, other, strict=True))).times(1 / temperature)


def _told_apart(scores: list[Parts], shares: Row) -> Parts:
    """-Σ of the shares times log softmax; a small loss has little of what scores lost to rounding."""
    surprised = surprises([score.value for score in scores])
    value = _sum(share * one for share, one in zip(shares, surprised, strict=True) if share)
    return Parts(value, max(value, min(ONE, value) * _largest(scores)))


def _vectors(matrix: Matrix, normalize: bool) -> Matrix:
    return [_unit(row) for row in matrix] if normalize else matrix


def info_nce(
    input: Matrix,
    target: Matrix,
    negatives: Any = None,
    temperature: Exact = TENTH,
    normalize: bool = True,
) -> list[Parts]:
    """-log softmax of the similarity to the own key, among the others or the negatives."""
    queries, keys = _vectors(input, normalize), _vectors(target, normalize)
    found = []
    for i, query in enumerate(queries):
        rivals = [key for j, key in enumerate(keys) if j != i]
        if negatives is not None:
            rivals = _vectors(negatives[i] if isinstance(negatives[0][0], list) else negatives, normalize)
        scores = [_similar(query, key, temperature) for key in [keys[i], *rivals]]
        found.append(_told_apart(scores, [ONE] + [ZERO] * len(rivals)))
    return found


def clip(
    input: Matrix, target: Matrix, temperature: Exact = SEVEN_HUNDREDTHS, normalize: bool = True
) -> list[Parts]:
    """The mean of both ways."""
    there = info_nce(input, target, None, temperature, normalize)
    back = info_nce(target, input, None, temperature, normalize)
    return [Parts.of(a.times(1 / TWO), b.times(1 / TWO)) for a, b in zip(there, back, strict=True)]


def nt_xent(input: Matrix, target: Matrix, temperature: Exact = ONE / 2) -> list[Parts]:
    """Of each view, among all others."""
    views = _vectors(input + target, normalize=True)
    found = []
    for i, view in enumerate(views):
        partner = (i + len(input)) % len(views)
        rivals = [j for j in range(len(views)) if j not in (i, partner)]
        scores = [_similar(view, views[j], temperature) for j in [partner, *rivals]]
        found.append(_told_apart(scores, [ONE] + [ZERO] * len(rivals)))
    return found


def sup_con(input: Matrix, target: list[int], temperature: Exact = TENTH) -> list[Parts]:
    """The mean over the others of the class; 0 without others."""
    vectors, found = _vectors(input, normalize=True), []
    for i, vector in enumerate(vectors):
        others = [j for j in range(len(vectors)) if j != i]
        alike = [mpf(int(target[j] == target[i])) for j in others]
        scores = [_similar(vector, vectors[j], temperature) for j in others]
        whole = _sum(alike)
        found.append(_told_apart(scores, [a / whole for a in alike]) if whole else Parts.of(ZERO))
    return found


def batch_triplet(
    input: Matrix, target: list[int], margin: Exact = ONE, mining: str = "hard", squared: bool = False
) -> list[Parts]:
    """max(0, m + d(a, p) - d(a, n)) of the triplets that are mined."""
    measure = DISTANCES["squared-euclidean" if squared else "euclidean"]
    found = []
    for a, anchor in enumerate(input):
        near = [measure(anchor, x) for p, x in enumerate(input) if target[p] == target[a] and p != a]
        far = [measure(anchor, x) for n, x in enumerate(input) if target[n] != target[a]]
        if not near or not far:
            continue
        if mining == "hard":
            pairs = [(max(near), min(far))]
        elif mining == "all":
            pairs = [(one, other) for one in near for other in far]
        else:
            pairs = [
                (one, min([other for other in far if other.value > one.value], default=max(far)))
                for one in near
            ]
        found += [Parts.of(margin, one, other.times(-ONE)).above_zero() for one, other in pairs]
    return found


def ranknet(input: Row, target: Row, sigma: Exact = ONE, padding: Exact | None = None) -> list[Exact]:
    """ln(1 + exp(-σ·(x_i - x_j))) of each pair of which the first is the more relevant."""
    known = [i for i, y in enumerate(target) if y != padding]
    return [softplus(-sigma * (input[i] - input[j])) for i in known for j in known if target[i] > target[j]]


def _answer(values: Row | Exact, mask: list[int] | None) -> Exact:
    if not isinstance(values, list):
        return values
    assert mask is not None
    return _sum(x for x, counts in zip(values, mask, strict=True) if counts)


def bradley_terry(
    chosen: Row | Exact,
    rejected: Row | Exact,
    margin: Exact = ZERO,
    chosen_mask: list[int] | None = None,
    rejected_mask: list[int] | None = None,
) -> Exact:
    """ln(1 + exp(-(c - r - m)))."""
    return softplus(-(_answer(chosen, chosen_mask) - _answer(rejected, rejected_mask) - margin))


def dpo(
    chosen_logps: Row | Exact,
    rejected_logps: Row | Exact,
    ref_chosen_logps: Row | Exact = ZERO,
    ref_rejected_logps: Row | Exact = ZERO,
    chosen_mask: list[int] | None = None,
    rejected_mask: list[int] | None = None,
    beta: Exact = TENTH,
    label_smoothing: Exact = ZERO,
    loss_type: str = "sigmoid",
) -> Parts:
    """What is made of the difference of the log-ratios."""
    chosen = _answer(chosen_logps, chosen_mask) - _answer(ref_chosen_logps, chosen_mask)
    rejected = _answer(rejected_logps, rejected_mask) - _answer(ref_rejected_logps, rejected_mask)
    d, s = chosen - rejected, label_smoothing
    if loss_type == "hinge":
        return Parts.of(ONE, -beta * d).above_zero()
    if loss_type == "ipo":
        gap = Parts.of(d, -1 / (2 * beta))
        return gap.times(gap.value)
    right, wrong = (1 - s) * softplus(-beta * d), s * softplus(beta * d)
    if loss_type == "robust":
        return Parts.of(right, -wrong).times(1 / (1 - 2 * s))
    return Parts.of(right, wrong)


def ppo_clip(
    input: Exact,
    old_logps: Exact,
    advantages: Exact,
    mask: int = 1,
    clip_eps: Exact = FIFTH,
    clip_eps_high: Exact | None = None,
) -> Exact:
    """-min(q·A, clip(q)·A), q = exp(x - o)."""
    ratio = mpmath.exp(input - old_logps)
    bounded = min(max(ratio, 1 - clip_eps), 1 + (clip_eps if clip_eps_high is None else clip_eps_high))
    return -min(ratio * advantages, bounded * advantages) if mask else ZERO


def grpo(
    input: Exact,
    old_logps: Exact,
    advantages: Exact,
    mask: int = 1,
    ref_logps: Exact = ZERO,
    beta: Exact = ZERO,
    epsilon: Exact = FIFTH,
    epsilon_high: Exact | None = None,
) -> Parts:
    """The same, and β·(exp(d) - d - 1), d = r - x."""
    moved = ref_logps - input
    distance = beta * (mpmath.expm1(moved) - moved) if mask else ZERO
    return Parts.of(ppo_clip(input, old_logps, advantages, mask, epsilon, epsilon_high), distance)


def cox(input: Row, time: Row, event: Row, ties: str = "efron") -> list[Parts]:
    """ln Σ exp(x_j) of those at risk less x_i; Efron: the mean of that with a part of the tie taken out.

    It is the sum of ln Σ exp(x_j - x_i), in which rounding of the largest difference counts.
    """
    found = []
    for x, t, happened in zip(input, time, event, strict=True):
        if not happened:
            found.append(Parts.of(ZERO))
            continue
        moved = [other - x for other, when in zip(input, time, strict=True) if when >= t]
        tied = [y - x for y, when, had in zip(input, time, event, strict=True) if had and when == t]
        at_risk, same = _sum(map(mpmath.exp, moved)), _sum(map(mpmath.exp, tied))
        count = len(tied) if ties == "efron" else 1
        logs = [mpmath.log(at_risk - same * k / count) for k in range(count)]
        value = _sum(logs) / count
        found.append(Parts(value, max([abs(value), max(moved), *(abs(one) / count for one in logs)])))
    return found


def log_sigmoid(input: Exact) -> Exact:
    """-softplus(-x)."""
    return -softplus(-input)


def log(input: Exact) -> Exact:
    """The natural logarithm."""
    return mpmath.log(input)


def log_softmax(input: Row) -> Row:
    """Log softmax of a row."""
    return [-d for d in surprises(input)]


def softmax(input: Row) -> Row:
    """Softmax of a row."""
    return [mpmath.exp(-d) for d in surprises(input)]


def kl(input: Row, target: Row, eps: Exact = ZERO) -> Parts:
    """Σ p·ln(p/q) of probabilities that are at least ε."""
    pairs = [(max(p, eps), max(q, eps)) for p, q in zip(target, input, strict=True)]
    return Parts.of(*(p * log_ratio(p, q) for p, q in pairs if p))


def log_ratio(p: Exact, q: Exact) -> Exact:
    """ln(p/q), infinite for q = 0."""
    return mpmath.log(p / q) if q else mpmath.inf


def jensen_shannon(input: Row, target: Row) -> Parts:
    """½·Σ (x·ln(x/m) + y·ln(y/m)) with m the mean of the two."""
    pairs = [(x, (x + y) / 2) for x, y in zip(input, target, strict=True)]
    pairs += [(y, (x + y) / 2) for x, y in zip(input, target, strict=True)]
    return Parts.of(*(x * log_ratio(x, m) / 2 for x, m in pairs if x))


def kl_gaussian(
    input: Row, logvar: Row, target: Row | None = None, target_logvar: Row | None = None
) -> Parts:
    """½·Σ (v₂ - v + exp(v - v₂) - 1 + (μ - μ₂)²·exp(-v₂)); in parts, the difference of v and v₂ is one."""
    zeros = [ZERO] * len(input)
    rows = zip(input, logvar, target or zeros, target_logvar or zeros, strict=True)
    single = [
        (mpmath.expm1(v - v2) / 2, -(v - v2) / 2, (m - m2) ** 2 * mpmath.exp(-v2) / 2)
        for m, v, m2, v2 in rows
    ]
    return Parts.of(*(part for parts in single for part in parts))


def distillation(
    input: Row, teacher: Row, target: int | None = None, temperature: Exact = TWO, alpha: Exact = QUARTER
) -> Parts:
    """α·T²·Σ t·(ln t - ln s) - (1-α)·ln softmax(x)_y, t and s the softmax of the logits over T."""
    theirs, ours = (surprises([x / temperature for x in row]) for row in (teacher, input))
    shares = [mpmath.exp(-d) for d in theirs]
    parts = [t * d for t, d in zip(shares, ours, strict=True) if t]
    parts += [-t * d for t, d in zip(shares, theirs, strict=True) if t]
    # The quotients of logits are rounded, and their exponentials have the error of them all.
    spread = max(max(row) - min(row) for row in (input, teacher)) / temperature
    size = max(map(abs, parts)) * max(ONE, spread / 12)
    soft = Parts(_sum(parts), size).times(alpha * temperature**2)
    return soft if target is None else Parts.of(soft, (1 - alpha) * surprises(input)[target])


def softmax_focal(input: Row, target: int, weight: Row | None = None, gamma: Exact = TWO) -> Parts:
    """-w·(1-p)^γ·ln p; the power has the error of 1-p γ times, and -ln p may be subnormal."""
    surprise = surprises(input)[target]
    factor = (-mpmath.expm1(-surprise)) ** gamma * (ONE if weight is None else weight[target])
    return Parts(factor * surprise, factor * max(surprise, NORMAL) * max(ONE, gamma / 2))


def multiclass_hinge(input: Row, target: int, margin: Exact = ONE, zero: bool = False) -> Parts:
    """max(0, m + max x[i] - x[y]) over the wrong classes, with which a 0 may compete."""
    best = max(x for i, x in enumerate(input) if i != target)
    best = max(best, 0 * best) if zero else best
    return Parts.of(margin, best, -input[target]).above_zero()


VALUES: Mapping[str, Callable[..., Any]] = {
    "l1": l1,
    "mse": mse,
    "smooth-l1": smooth_l1,
    "huber": huber,
    "poisson-nll": poisson_nll,
    "gaussian-nll": gaussian_nll,
    "bce": bce,
    "bce-logits": bce_logits,
    "multilabel-soft-margin": multilabel_soft_margin,
    "sigmoid-focal": sigmoid_focal,
    "hinge-embedding": hinge_embedding,
    "multilabel-margin": multilabel_margin,
    "multi-margin": multi_margin,
    "soft-margin": soft_margin,
    "cross-entropy": cross_entropy,
    "nll": nll,
    "adaptive-log-softmax": adaptive_log_softmax,
    "linear-cross-entropy": linear_cross_entropy,
    "kl-div": kl_div,
    "cosine-embedding": cosine_embedding,
    "margin-ranking": margin_ranking,
    "triplet-margin": triplet_margin,
    "triplet-margin-with-distance": triplet_margin_with_distance,
    "ctc": ctc,
    "ciou": ciou,
    "diou": diou,
    "giou": giou,
    "kl": kl,
    "jensen-shannon": jensen_shannon,
    "kl-gaussian": kl_gaussian,
    "distillation": distillation,
    "focal": softmax_focal,
    "multiclass-hinge": multiclass_hinge,
    "perplexity": cross_entropy,
    "iou": iou,
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
    "sigmoid": logistic,
    "log-sigmoid": log_sigmoid,
    "log": log,
    "softmax": softmax,
    "hinge": hinge,
    "squared-hinge": squared_hinge,
    "brier": brier,
    "rmse": mse,
    "mape": mape,
    "smape": smape,
    "msle": msle,
    "rmsle": msle,
    "pinball": pinball,
    "tweedie-deviance": tweedie,
    "poisson-deviance": partial(tweedie, power=ONE),
    "gamma-deviance": partial(tweedie, power=TWO),
    "log-softmax": log_softmax,
}
"""The formula of each loss and activation, for one sample."""


def _sum(values: Iterable[Exact]) -> Exact:
    return sum(values, ZERO)


def dot(one: Row, other: Row) -> Exact:
    """The product of two vectors."""
    return _sum(a * b for a, b in zip(one, other, strict=True))


def times(matrix: Matrix, vector: "Row | list[Parts]", bias: Row | None = None) -> list[Parts]:
    """The product of a matrix and a vector, and a bias on top."""
    known = [x if isinstance(x, Parts) else Parts.of(x) for x in vector]
    start = bias or [ZERO] * len(matrix)
    return [
        Parts.of(b, *(x.times(a) for a, x in zip(row, known, strict=True)))
        for row, b in zip(matrix, start, strict=True)
    ]


BATCHES = frozenset(name for name, cls in losscalc.losses().items() if cls.whole_batch)
"""Losses whose rows depend on one another."""

WHOLE = frozenset({"linear_weight", "linear_bias", "state"})
"""Arrays that all samples of a call have in common."""

CLASSWISE = frozenset({"focal", "cross-entropy", "nll", "linear-cross-entropy", "multi-margin"})
"""Losses whose `weight` holds one factor per class."""


def is_shared(name: str, key: str, value: object) -> bool:
    """Whether an argument belongs to all samples: parameters do, and what has no axis."""
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return True
    return key in WHOLE or (key == "weight" and name in CLASSWISE)


def samples(name: str, arguments: Mapping[str, Any]) -> Iterator[Sample]:
    """The samples of a call without reduction, in order; those of log_probs lie along axis 1.

    Of a loss that needs the whole batch, the batch is the only one.
    """
    if name in BATCHES:
        yield {key: exactly(value) for key, value in arguments.items()}
        return
    common = {k: exactly(v) for k, v in arguments.items() if is_shared(name, k, v)}
    own = {
        k: exactly(np.moveaxis(v, 1, 0) if k == "log_probs" else v)
        for k, v in arguments.items()
        if not is_shared(name, k, v)
    }
    for values in zip(*own.values(), strict=True):
        yield {**common, **dict(zip(own, values, strict=True))}


def evaluate(name: str, arguments: Mapping[str, Any]) -> Array:
    """The values of a loss without reduction, or of an activation, as a vector."""
    reduction = {"reduction": "none"} if name in losscalc.losses() else {}
    return np.asarray(losscalc.compute(name, **arguments, **reduction)).reshape(-1)


def value_errors(name: str, arguments: Mapping[str, Any]) -> list[Error]:
    """The error of each value of a call."""
    values = evaluate(name, arguments)
    exact = [e for sample in samples(name, arguments) for e in settled(VALUES[name], sample)]
    return [Error.of(value, one, values.dtype) for value, one in zip(values, exact, strict=True)]


def exact_slope(name: str, sample: Sample, wrt: str) -> Row:
    """The derivatives of the loss of a sample by the numbers of one of its arguments, as central differences.

    With 600 bits and steps of 2^-150 they have more digits than float64. PyTorch's gradient of CTC is that by
    the logits: log-probabilities move as their log-softmax does.
    """
    with mpmath.workprec(600):
        step = mpf(2) ** -150
        ends = [
            [Parts.of(VALUES[name](**moved)).value for moved in _moved(sample, wrt, h)] for h in (step, -step)
        ]
        return [(high - low) / (2 * step) for high, low in zip(*ends, strict=True)]


def _moved(sample: Sample, wrt: str, step: Exact) -> Iterator[Sample]:
    """The sample with one number of an argument moved, each in turn."""
    for value in _each_moved(sample[wrt], step):
        yield {**sample, wrt: [log_softmax(row) for row in value] if wrt == "log_probs" else value}


def _each_moved(value: Any, step: Exact) -> Iterator[Any]:
    if not isinstance(value, list):
        yield value + step
        return
    for place, part in enumerate(value):
        for moved in _each_moved(part, step):
            yield [*value[:place], moved, *value[place + 1 :]]
