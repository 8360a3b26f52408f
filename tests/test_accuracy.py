"""How far the values are from the exact ones, in units in the last place (ULP).

The exact value is that of the documented formula at the exact binary inputs, parameters included, computed
with mpmath. An error is counted in ULP of the exact value in the dtype of the result, subnormals included.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import inf, nextafter, ulp
from typing import NamedTuple

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import losscalc

LIMIT = {"float64": 2.0, "float32": 0.501}
"""The promise: 2 ULP in float64 where nothing cancels; float32 is computed in float64 and rounded once."""

BITS = 400
"""Precision of the exact values: 120 digits, of which log1p and a clamp at -100 lose none."""

# Some of the values are infinite, as they should be.
pytestmark = pytest.mark.filterwarnings("ignore:.*not finite", "ignore:.*outside the range")

Array = np.ndarray
Exact = mpmath.mpf


class Case(NamedTuple):
    """A call without reduction, and the exact value of each of its results."""

    name: str
    arguments: dict[str, object]
    exact: Callable[..., Iterator[Exact]]


def error(value: float, exact: Exact, dtype: np.dtype) -> float:
    """The distance to the exact value in ULP; infinite for a wrong infinity, zero or -0.0, and for NaN."""
    info = np.finfo(dtype)
    rounded_away = abs(exact) >= mpf(float(info.max)) * (1 + mpf(2) ** (-info.nmant - 2))
    if np.isinf(value):
        return 0.0 if rounded_away and (value > 0) == (exact > 0) else inf
    if value == 0 and (np.signbit(value) or abs(exact) >= mpf(float(info.smallest_subnormal))):
        return inf
    exponent = max(int(mpmath.frexp(exact)[1]) - 1, int(info.minexp)) if exact else int(info.minexp)
    return float(abs(mpf(float(value)) - exact) / mpf(2) ** (exponent - info.nmant))


def evaluate(name: str, **arguments: object) -> Array:
    """The values of a loss without reduction, or of an activation, as a vector."""
    reduction = {"reduction": "none"} if name in losscalc.losses() else {}
    return np.asarray(losscalc.compute(name, **arguments, **reduction)).reshape(-1)


def errors(case: Case, dtype: str) -> list[float]:
    """The error of each result of a case in ULP, with its floating arrays rounded to a dtype first."""
    arguments = {
        key: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for key, value in case.arguments.items()
    }
    values = evaluate(case.name, **arguments)
    assert values.dtype == dtype
    with mpmath.workprec(BITS):
        exact = case.exact(**arguments)
        return [error(value, one, values.dtype) for value, one in zip(values, exact, strict=True)]


def numbers(*arrays: object, shape: tuple[int, ...]) -> Iterator[list[Exact]]:
    """The exact values of arrays, side by side, broadcast to a shape."""
    wide = [np.broadcast_to(np.asarray(a, dtype=np.float64), shape).reshape(-1) for a in arrays]
    for row in zip(*wide, strict=True):
        yield [mpf(float(value)) for value in row]


def softplus(x: Exact) -> Exact:
    """log(1 + exp(x))."""
    return max(x, mpf(0)) + mpmath.log1p(mpmath.exp(-abs(x)))


def l1(input: Array, target: Array, weight: object = 1.0) -> Iterator[Exact]:
    """w·|x - y|."""
    for x, y, w in numbers(input, target, weight, shape=input.shape):
        yield w * abs(x - y)


def mse(input: Array, target: Array, weight: object = 1.0) -> Iterator[Exact]:
    """w·(x - y)²."""
    for x, y, w in numbers(input, target, weight, shape=input.shape):
        yield w * (x - y) ** 2


def huber(input: Array, target: Array, delta: float, weight: object = 1.0) -> Iterator[Exact]:
    """w·(½d² if d ≤ δ, else δ·(d - ½δ)), with d = |x - y|."""
    bend = mpf(delta)
    for x, y, w in numbers(input, target, weight, shape=input.shape):
        d = abs(x - y)
        yield w * (d * d / 2 if d <= bend else bend * (d - bend / 2))


def smooth_l1(input: Array, target: Array, beta: float) -> Iterator[Exact]:
    """Huber's loss divided by the bend."""
    yield from (value / mpf(beta) for value in huber(input, target, beta))


def soft_margin(input: Array, target: Array) -> Iterator[Exact]:
    """ln(1 + exp(-y·x))."""
    yield from (softplus(-y * x) for x, y in numbers(input, target, shape=input.shape))


def hinge_embedding(input: Array, target: Array, margin: float) -> Iterator[Exact]:
    """x if y = 1, max(0, m - x) if y = -1."""
    for x, y in numbers(input, target, shape=input.shape):
        yield x if y == 1 else max(mpf(0), mpf(margin) - x)


def bce(input: Array, target: Array, weight: object = 1.0) -> Iterator[Exact]:
    """-w·[y·max(ln x, -100) + (1-y)·max(ln(1-x), -100)]."""
    for x, y, w in numbers(input, target, weight, shape=input.shape):
        yes = max(mpmath.log(x), mpf(-100)) if x > 0 else mpf(-100)
        no = max(mpmath.log1p(-x), mpf(-100)) if x < 1 else mpf(-100)
        yield -w * (y * yes + (1 - y) * no)


def bce_logits(
    input: Array, target: Array, weight: object = 1.0, pos_weight: object = 1.0
) -> Iterator[Exact]:
    """w·[p·y·softplus(-x) + (1-y)·softplus(x)]."""
    for x, y, w, p in numbers(input, target, weight, pos_weight, shape=input.shape):
        yield w * (p * y * softplus(-x) + (1 - y) * softplus(x))


def surprises(row: Iterable[float]) -> list[Exact]:
    """-log softmax of one row."""
    return _surprises(tuple(float(x) for x in row))


@lru_cache(maxsize=10_000)
def _surprises(row: tuple[float, ...]) -> list[Exact]:
    """(m - x_k) + log1p(Σ' exp(x_j - m)), where Σ' leaves the largest score out."""
    scores = [mpf(x) for x in row]
    top = max(range(len(scores)), key=scores.__getitem__)
    tail = mpmath.log1p(sum((mpmath.exp(x - scores[top]) for j, x in enumerate(scores) if j != top), mpf(0)))
    return [scores[top] - x + tail for x in scores]


def cross_entropy(
    input: Array, target: Array, weight: Array | None = None, label_smoothing: float = 0.0
) -> Iterator[Exact]:
    """Σ over classes of w_c·y'_c·(-log softmax_c), with y' = (1-s)·y + s/C."""
    s = mpf(float(label_smoothing))
    for row, wanted in zip(input, target, strict=True):
        classes = len(row)
        w = [mpf(1)] * classes if weight is None else [mpf(float(v)) for v in weight]
        shares = (
            [mpf(float(v)) for v in wanted]
            if np.ndim(wanted)
            else [mpf(int(c == wanted)) for c in range(classes)]
        )
        if np.ndim(wanted):
            yield sum(
                (w[c] * ((1 - s) * shares[c] + s / classes) * d for c, d in enumerate(surprises(row))), mpf(0)
            )
        else:
            d = surprises(row)
            evenly = sum((a * b for a, b in zip(w, d, strict=True)), mpf(0)) / classes if s else mpf(0)
            yield (1 - s) * w[int(wanted)] * d[int(wanted)] + s * evenly


def nll(input: Array, target: Array, weight: Array | None = None) -> Iterator[Exact]:
    """-w[y]·x[y]."""
    for row, wanted in zip(input, target, strict=True):
        yield -mpf(float(row[wanted])) * (1 if weight is None else mpf(float(weight[wanted])))


def sigmoid(input: Array) -> Iterator[Exact]:
    """1 / (1 + exp(-x))."""
    for (x,) in numbers(input, shape=input.shape):
        yield 1 / (1 + mpmath.exp(-x))


def log_sigmoid(input: Array) -> Iterator[Exact]:
    """-softplus(-x)."""
    for (x,) in numbers(input, shape=input.shape):
        yield -softplus(-x)


def log_softmax(input: Array) -> Iterator[Exact]:
    """Log softmax of each row."""
    for row in input:
        yield from (-d for d in surprises(row))


def softmax(input: Array) -> Iterator[Exact]:
    """Softmax of each row."""
    for row in input:
        yield from (mpmath.exp(-d) for d in surprises(row))


RANDOM = np.random.default_rng(20260923)
SIZES = np.array(
    [
        *(0.0, 5e-324, 1e-310, 1e-300, 1e-45, 1e-20, 1e-8, 0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 17.0, 30.0),
        *(36.7, 37.0, 40.0, 87.0, 88.7, 100.0, 103.9, 104.5, 700.0, 708.4, 709.8, 744.4, 745.2, 800.0),
        *(1e4, 1e15, 1e30, 3e38),
    ]
)
REALS = np.concatenate([SIZES, -SIZES])
HUGE = np.array([1e100, 1e150, 1e300, 1.7e308])
LOGITS = np.concatenate([REALS, RANDOM.normal(0, 5, 80), RANDOM.uniform(-800, 800, 80)])
LABELS = np.array([0.0, 1.0, 0.5, 0.1, 0.9, 1e-6, 1 - 1e-6, 1e-300, 0.3, 5e-324, 1 - 2.0**-53])
CHANCES = np.array(
    [
        *(0.0, 5e-324, 1e-310, 1e-300, 1e-50, 1e-44, 4e-44, 1e-43, 1e-20, 1e-8, 0.1, 0.25, 0.5, 0.9),
        *(1 - 1e-8, 1 - 2**-53, 1.0),
    ]
)
PROBABILITIES = np.concatenate([CHANCES, RANDOM.uniform(0, 1, 100), 10.0 ** RANDOM.uniform(-60, 0, 40)])


def grid(first: Array, second: Array) -> tuple[Array, Array]:
    """All pairs of two vectors."""
    one, other = np.meshgrid(first, second, indexing="ij")
    return one.reshape(-1), other.reshape(-1)


def weights(like: Array) -> Array:
    """Factors from 1e-3 to 1e3, of the shape of an array."""
    return 10.0 ** np.random.default_rng(3).uniform(-3, 3, like.shape)


def rows(classes: int) -> Array:
    """Scores: confident right and wrong ones, ties, large offsets, and those that lie close together."""
    draw = np.random.default_rng(classes)
    spread = draw.normal(0, 1, (120, classes)) * 10.0 ** draw.uniform(-3, 3, (120, 1))
    confident = draw.normal(0, 1, (120, classes))
    confident[:, 0] += draw.uniform(10, 720, 120)
    offset = draw.normal(0, 3, (60, classes)) + 10.0 ** draw.uniform(0, 12, (60, 1))
    fixed = np.array(list(product([0.0, -40.0, 17.0, 700.0, 1e4, 1e-300], repeat=2)))
    tiled = np.zeros((len(fixed), classes))
    tiled[:, : fixed.shape[1]] = fixed
    return np.concatenate([spread, confident, offset, tiled])


def spread_targets(scores: Array) -> Array:
    """Class probabilities: hard, soft, and with zeros."""
    draw = np.random.default_rng(11)
    soft = draw.dirichlet(np.full(scores.shape[1], 0.5), len(scores))
    soft[::3] = np.eye(scores.shape[1])[draw.integers(0, scores.shape[1], len(soft[::3]))]
    return soft


def regression() -> Iterator[tuple[str, Case]]:
    """L1 and MSE, on small differences of large numbers and on numbers that nearly overflow or vanish."""
    x = np.concatenate([RANDOM.normal(0, 3, 400), REALS, REALS + 1.0, 1e15 + RANDOM.normal(0, 1, 40)])
    y = np.concatenate([RANDOM.normal(0, 3, 400), REALS[::-1], REALS, 1e15 + RANDOM.normal(0, 1, 40)])
    for name, exact in (("l1", l1), ("mse", mse)):
        yield name, Case(name, {"input": x, "target": y}, exact)
        yield f"{name} weight", Case(name, {"input": x, "target": y, "weight": weights(x)}, exact)
    for bend in (0.5, 1.0, 3.7):
        yield f"smooth-l1 {bend}", Case("smooth-l1", {"input": x, "target": y, "beta": bend}, smooth_l1)
        yield f"huber {bend}", Case("huber", {"input": x, "target": y, "delta": bend}, huber)


def binary() -> Iterator[tuple[str, Case]]:
    """BCE on probabilities and on logits; a label that is subnormal has no digits for weights to keep."""
    x, y = grid(PROBABILITIES, LABELS)
    yield "bce", Case("bce", {"input": x, "target": y}, bce)
    yield "bce weight", Case("bce", {"input": x, "target": y, "weight": weights(x)}, bce)
    x, y = grid(LOGITS, LABELS)
    yield "bce-logits", Case("bce-logits", {"input": x, "target": y}, bce_logits)
    x, y = grid(LOGITS, LABELS[LABELS != 5e-324])
    weight, positive = {"weight": weights(x)}, {"pos_weight": np.array(3.7)}
    for label, extra in (("weight", weight), ("pos_weight", positive), ("both weights", weight | positive)):
        yield f"bce-logits {label}", Case("bce-logits", {"input": x, "target": y, **extra}, bce_logits)


def signed() -> Iterator[tuple[str, Case]]:
    """Soft margin, and hinge embedding of distances around the margin."""
    x, y = grid(LOGITS, np.array([-1.0, 1.0]))
    yield "soft-margin", Case("soft-margin", {"input": x, "target": y}, soft_margin)
    x, y = grid(np.concatenate([REALS, RANDOM.uniform(0, 3, 200)]), np.array([-1.0, 1.0]))
    for margin in (1.0, 0.3):
        arguments = {"input": x, "target": y, "margin": margin}
        yield f"hinge-embedding {margin}", Case("hinge-embedding", arguments, hinge_embedding)


def multiclass() -> Iterator[tuple[str, Case]]:
    """Cross-entropy, softmax and log-softmax of 2 to 50 classes, and NLL."""
    for classes in (2, 3, 10, 50):
        scores = rows(classes)
        index = np.random.default_rng(5).integers(0, classes, len(scores))
        index[::2] = 0
        for kind, target in (("indices", index), ("probabilities", spread_targets(scores))):
            for s, weight in product((0.0, 0.1, 0.001, 1.0), (None, weights(scores[0]))):
                given = {"input": scores, "target": target, "label_smoothing": s}
                given |= {} if weight is None else {"weight": weight}
                label = f"cross-entropy {kind} C={classes} s={s:g}{'' if weight is None else ' weight'}"
                yield label, Case("cross-entropy", given, cross_entropy)
        yield f"softmax C={classes}", Case("softmax", {"input": scores}, softmax)
        yield f"log-softmax C={classes}", Case("log-softmax", {"input": scores}, log_softmax)
    yield "nll", Case("nll", {"input": scores, "target": index}, nll)
    yield "nll weight", Case("nll", {"input": scores, "target": index, "weight": weights(scores[0])}, nll)


def activations() -> Iterator[tuple[str, Case]]:
    """Sigmoid and log-sigmoid."""
    yield "sigmoid", Case("sigmoid", {"input": LOGITS}, sigmoid)
    yield "log-sigmoid", Case("log-sigmoid", {"input": LOGITS}, log_sigmoid)


CASES = dict([*regression(), *binary(), *signed(), *multiclass(), *activations()])


@pytest.mark.parametrize("dtype", LIMIT)
@pytest.mark.parametrize("label", CASES)
def test_values(label: str, dtype: str, record_property: Callable[[str, object], None]) -> None:
    """Each value is as near to the exact one as promised, and no 0, -0.0 or infinity where it is none."""
    found = errors(CASES[label], dtype)
    record_property("ulp", max(found))
    assert len(found) >= 200
    assert max(found) <= LIMIT[dtype]


@pytest.mark.parametrize("name", ["l1", "mse", "bce-logits"])
def test_huge(name: str) -> None:
    """Near the largest number a loss is infinite only when it is too large itself."""
    x, y = grid(np.concatenate([HUGE, -HUGE]), np.array([0.0, 1.0, 0.25]))
    exact = {"l1": l1, "mse": mse, "bce-logits": bce_logits}[name]
    assert max(errors(Case(name, {"input": x, "target": y}, exact), "float64")) <= LIMIT["float64"]


@pytest.mark.parametrize(
    ("difference", "weight"), [(1e160, 1e-200), (1e-170, 1e300), (1e200, 1e-300), (1e-160, 1e20)]
)
def test_weighted_square(difference: float, weight: float) -> None:
    """A square beyond the range of float64 comes back when its weight brings it back."""
    case = Case(
        "mse", {name: np.array([v]) for name, v in zip(MSE, (difference, 0.0, weight), strict=True)}, mse
    )
    assert errors(case, "float64") < [1.0]


MSE = ("input", "target", "weight")


def test_many_faint_scores() -> None:
    """Scores too improbable to be seen one by one count when there are many."""
    scores = np.zeros((1, 1000))
    scores[0, 0] = 745.5
    case = Case("cross-entropy", {"input": scores, "target": np.array([0])}, cross_entropy)
    assert evaluate("cross-entropy", **case.arguments)[0] > 100 * 5e-324
    assert errors(case, "float64") <= [LIMIT["float64"]]


def test_masked_scores() -> None:
    """A class that is ruled out by a score of -inf costs the others no digit, in its row or elsewhere."""
    scores = rows(4)[:300]
    scores[::7, 3] = -inf
    index = np.random.default_rng(6).integers(0, 3, len(scores))
    case = Case("cross-entropy", {"input": scores, "target": index}, cross_entropy)
    assert max(errors(case, "float64")) <= LIMIT["float64"]


def exact_sum(values: Array) -> Fraction:
    """The sum of float64 numbers, without rounding."""
    return sum((Fraction(float(value)) for value in values), Fraction(0))


def ill_conditioned() -> Iterator[tuple[str, Array]]:
    """Numbers whose sum is small against them, and numbers of very different size."""
    draw = np.random.default_rng(8)
    yield "cancelling", np.array([1e16, 1.0, -1e16] * 1000)
    yield "tenths", np.full(100_000, 0.1)
    yield "magnitudes", 10.0 ** draw.uniform(-30, 5, 50_000)
    signed = draw.normal(0, 1, 30_000) * 10.0 ** draw.uniform(-8, 4, 30_000)
    yield "signed", signed
    yield "to nothing", draw.permutation(np.concatenate([signed, -signed, [1e-9]]))
    yield "subnormal", draw.integers(1, 100, 1000) * 5e-324
    yield "large", np.array([1.7e308, -1.7e308, 1.6e308, 1.0] * 5)
    yield "one", np.array([0.1])


@pytest.mark.parametrize(("label", "values"), [pytest.param(*pair, id=pair[0]) for pair in ill_conditioned()])
def test_sum_and_mean(label: str, values: Array) -> None:
    """Sum and mean are the exact ones, rounded once, to 2^-70 of the largest number."""
    scores, target = -values[:, np.newaxis], np.zeros(len(values), dtype=int)
    exact = exact_sum(evaluate("nll", input=scores, target=target))
    slack = Fraction(float(np.abs(values).max())) / 2**70
    for reduction, wanted in (("sum", exact), ("mean", exact / len(values))):
        result = losscalc.compute("nll", scores, target, reduction=reduction)
        if abs(wanted) > Fraction(nextafter(inf, 0)):
            assert result == (inf if wanted > 0 else -inf)
        else:
            assert abs(Fraction(float(result)) - wanted) <= Fraction(ulp(float(wanted))) / 2 + slack


def test_sum_that_cancels() -> None:
    """1e16 + 1 - 1e16, a thousand times over, is a thousand."""
    scores = -np.array([1e16, 1.0, -1e16] * 1000)[:, np.newaxis]
    assert losscalc.compute("nll", scores, np.zeros(3000, dtype=int), reduction="sum") == 1000.0


def test_mean_of_what_overflows() -> None:
    """A mean is not infinite because its sum would be."""
    large = np.full(4, 1.7e308)
    assert losscalc.compute("l1", large, np.zeros(4)) == 1.7e308
    assert losscalc.compute("l1", large, np.zeros(4), weight=np.full(4, 0.5)) == 1.7e308
    assert losscalc.compute("l1", np.full(4, 3e38, np.float32), np.zeros(4, np.float32)) == np.float32(3e38)


def test_weighted_mean() -> None:
    """A weighted mean divides one exact sum by another, and is rounded once."""
    draw = np.random.default_rng(4)
    x, w = draw.normal(0, 1, 20_000), 10.0 ** draw.uniform(-8, 8, 20_000)
    values = evaluate("l1", input=x, target=np.zeros_like(x), weight=w)
    wanted = exact_sum(values) / exact_sum(w)
    result = losscalc.compute("l1", x, np.zeros_like(x), weight=w)
    assert abs(Fraction(float(result)) - wanted) <= Fraction(ulp(float(wanted))) * Fraction(1001, 2000)
