"""How far the values are from the exact ones, in units in the last place (ULP).

The exact value is that of the documented formula at the exact binary inputs, parameters included, computed
with mpmath. An error is counted in ULP of the exact value in the dtype of the result, subnormals included.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from math import inf, nextafter, ulp
from typing import NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc.core.operation import differentiable
from tests.support import golden
from tests.support.exact import VALUES, evaluate, value_errors
from tests.support.points import KINDS, POINTS, batches
from tests.support.slopes import has_slope, slope_errors

LIMIT = {"float64": 2.0, "float32": 0.501}
"""The promise: 2 ULP in float64 where nothing cancels; float32 is computed in float64 and rounded once."""

# Some of the values are infinite, as they should be.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*not finite", "ignore:.*outside the range"),
]

Array = np.ndarray


class Case(NamedTuple):
    """A call without reduction."""

    name: str
    arguments: dict[str, object]


def errors(case: Case, dtype: str) -> list[float]:
    """The error of each result of a case in ULP, with its floating arrays rounded to a dtype first."""
    arguments = {
        key: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for key, value in case.arguments.items()
    }
    assert evaluate(case.name, arguments).dtype == dtype
    return value_errors(case.name, arguments)


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
    for name in ("l1", "mse"):
        yield name, Case(name, {"input": x, "target": y})
        yield f"{name} weight", Case(name, {"input": x, "target": y, "weight": weights(x)})
    for bend in (0.5, 1.0, 3.7):
        yield f"smooth-l1 {bend}", Case("smooth-l1", {"input": x, "target": y, "beta": bend})
        yield f"huber {bend}", Case("huber", {"input": x, "target": y, "delta": bend})


def binary() -> Iterator[tuple[str, Case]]:
    """BCE on probabilities and on logits; a label that is subnormal has no digits for weights to keep."""
    x, y = grid(PROBABILITIES, LABELS)
    yield "bce", Case("bce", {"input": x, "target": y})
    yield "bce weight", Case("bce", {"input": x, "target": y, "weight": weights(x)})
    x, y = grid(LOGITS, LABELS)
    yield "bce-logits", Case("bce-logits", {"input": x, "target": y})
    x, y = grid(LOGITS, LABELS[LABELS != 5e-324])
    weight, positive = {"weight": weights(x)}, {"pos_weight": np.array(3.7)}
    for label, extra in (("weight", weight), ("pos_weight", positive), ("both weights", weight | positive)):
        yield f"bce-logits {label}", Case("bce-logits", {"input": x, "target": y, **extra})


def signed() -> Iterator[tuple[str, Case]]:
    """Soft margin, and hinge embedding of distances around the margin."""
    x, y = grid(LOGITS, np.array([-1.0, 1.0]))
    yield "soft-margin", Case("soft-margin", {"input": x, "target": y})
    x, y = grid(np.concatenate([REALS, RANDOM.uniform(0, 3, 200)]), np.array([-1.0, 1.0]))
    for margin in (1.0, 0.3):
        arguments = {"input": x, "target": y, "margin": margin}
        yield f"hinge-embedding {margin}", Case("hinge-embedding", arguments)


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
                yield label, Case("cross-entropy", given)
        yield f"softmax C={classes}", Case("softmax", {"input": scores})
        yield f"log-softmax C={classes}", Case("log-softmax", {"input": scores})
    yield "nll", Case("nll", {"input": scores, "target": index})
    yield "nll weight", Case("nll", {"input": scores, "target": index, "weight": weights(scores[0])})


def activations() -> Iterator[tuple[str, Case]]:
    """Sigmoid and log-sigmoid."""
    yield "sigmoid", Case("sigmoid", {"input": LOGITS})
    yield "log-sigmoid", Case("log-sigmoid", {"input": LOGITS})


CASES = dict([*regression(), *binary(), *signed(), *multiclass(), *activations()])


@pytest.mark.parametrize("dtype", LIMIT)
@pytest.mark.parametrize("label", CASES)
def test_values(label: str, dtype: str, record_property: Callable[[str, object], None]) -> None:
    """Each value is as near to the exact one as promised, and no 0, -0.0 or infinity where it is none."""
    found = errors(CASES[label], dtype)
    record_property("ulp", max(found))
    assert len(found) >= 200
    assert max(found) <= LIMIT[dtype]


class Excess(NamedTuple):
    """The largest error known of points of one kind, and what loses the digits."""

    ulp: float
    reason: str


BITS = "the value is smaller than the 68 bits to which {} are computed, relative to its largest summand"

EXCESS: dict[tuple[str, str, str], Excess] = {
    ("poisson-nll", "cancelling", "float64"): Excess(1.7e12, BITS.format("exp and ln")),
    ("gaussian-nll", "cancelling", "float64"): Excess(1.2e10, BITS.format("ln")),
    ("multilabel-soft-margin", "huge", "float64"): Excess(inf, "a summand overflows, but not the mean"),
    ("kl-div", "cancelling", "float64"): Excess(1.1e11, BITS.format("ln")),
    ("cosine-embedding", "cancelling", "float64"): Excess(68.1, "cos, or cos - m, is below the 106 bits"),
    ("triplet-margin", "huge", "float64"): Excess(inf, "distances agree in more than their 106 bits"),
    ("triplet-margin", "cancelling", "float64"): Excess(inf, BITS.format("powers")),
    ("triplet-margin", "huge", "float32"): Excess(1.8e4, BITS.format("powers")),
    ("triplet-margin-with-distance", "huge", "float64"): Excess(
        inf, "distances agree in more than their 106 bits; of squared-euclidean both are infinite: NaN"
    ),
    ("ctc", "subnormal", "float64"): Excess(8.1, "of 1 + x for a subnormal x each product is rounded"),
}
"""By loss, kind of points and dtype, where values are farther from the exact ones than promised."""


def bound(name: str, kind: str, dtype: str) -> float:
    """How far values may be from the exact ones."""
    known = EXCESS.get((name, kind, dtype))
    return known.ulp if known else LIMIT[dtype]


def test_every_loss_is_measured() -> None:
    """Each loss of PyTorch has an exact formula, points that are hard for it, and the worst of them."""
    losses = {name for name, cls in losscalc.losses().items() if cls.torch}
    places = {
        "a maker of points to POINTS in tests/support/points.py": set(POINTS),
        "an exact formula to VALUES in tests/support/exact.py": set(VALUES),
        "rows of tests/benchmarks/accuracy.py to tests/data/worst.txt": {row.name for row in golden.rows()},
    }
    for what, there in places.items():
        assert losses <= there, f"add {what} for {', '.join(sorted(losses - there))}"


@pytest.mark.parametrize("dtype", LIMIT)
@pytest.mark.parametrize("name", POINTS)
def test_points(name: str, dtype: str) -> None:
    """Ordinary points, confident, huge, tiny, subnormal and cancelling ones are as near as promised."""
    worst = dict.fromkeys(KINDS, 0.0)
    for batch in batches(name, dtype, 120):
        assert evaluate(name, batch.arguments).dtype == dtype
        worst[batch.kind] = max([worst[batch.kind], *value_errors(name, batch.arguments)])
    assert {kind: ulp for kind, ulp in worst.items() if ulp > bound(name, kind, dtype)} == {}


ROWS = list(golden.rows())


@pytest.mark.parametrize("name", POINTS)
def test_worst_points(name: str) -> None:
    """The worst points that a long search found keep to their bounds."""
    errors = {}
    for row in ROWS:
        if row.name == name:
            (value,) = evaluate(name, row.arguments)
            errors[row.kind, row.dtype] = (row.error(float(value)), bound(name, row.kind, row.dtype))
    assert {point: both for point, both in errors.items() if both[0] > both[1]} == {}


@pytest.mark.parametrize(("name", "kind", "dtype"), EXCESS)
def test_excess_is_real(name: str, kind: str, dtype: str) -> None:
    """No known excess outlives its cause: take it off the table once the digits are there."""
    rows = [row for row in ROWS if (row.name, row.kind, row.dtype) == (name, kind, dtype)]
    assert max(row.error(float(evaluate(name, row.arguments)[0])) for row in rows) > LIMIT[dtype]


SLOPE_EXCESS: dict[tuple[str, str], str] = {
    (name, kind): reason
    for kind in ("tiny", "subnormal")
    for name, reason in (
        ("cross-entropy", "softmax less a smoothed target, both of which are 1/C to 16 digits"),
        ("triplet-margin", "two directions that eps makes equal to 16 digits"),
    )
}
"""Gradients that cancel beyond the digits of float64, by loss and kind, and what cancels."""


@pytest.mark.parametrize(
    ("name", "wrt"), [(name, wrt) for name in POINTS for wrt in differentiable(losscalc.losses()[name])]
)
def test_gradients(name: str, wrt: str) -> None:
    """Gradients in float32 are rounded once, from float64 that has digits enough."""
    worst = {}
    for batch in batches(name, "float32", 60):
        if has_slope(name, wrt, batch.arguments) and (name, batch.kind) not in SLOPE_EXCESS:
            found = slope_errors(name, wrt, batch.arguments)
            worst[batch.kind] = max([worst.get(batch.kind, 0.0), *found])
    assert {kind: ulp for kind, ulp in worst.items() if ulp > LIMIT["float32"]} == {}


@pytest.mark.parametrize("name", ["l1", "mse", "bce-logits"])
def test_huge(name: str) -> None:
    """Near the largest number a loss is infinite only when it is too large itself."""
    x, y = grid(np.concatenate([HUGE, -HUGE]), np.array([0.0, 1.0, 0.25]))
    assert max(errors(Case(name, {"input": x, "target": y}), "float64")) <= LIMIT["float64"]


@pytest.mark.parametrize(
    ("difference", "weight"), [(1e160, 1e-200), (1e-170, 1e300), (1e200, 1e-300), (1e-160, 1e20)]
)
def test_weighted_square(difference: float, weight: float) -> None:
    """A square beyond the range of float64 comes back when its weight brings it back."""
    numbers = {"input": difference, "target": 0.0, "weight": weight}
    case = Case("mse", {name: np.array([value]) for name, value in numbers.items()})
    assert errors(case, "float64") < [1.0]


def test_many_faint_scores() -> None:
    """Scores too improbable to be seen one by one count when there are many."""
    scores = np.zeros((1, 1000))
    scores[0, 0] = 745.5
    case = Case("cross-entropy", {"input": scores, "target": np.array([0])})
    assert evaluate("cross-entropy", case.arguments)[0] > 100 * 5e-324
    assert errors(case, "float64") <= [LIMIT["float64"]]


def test_masked_scores() -> None:
    """A class that is ruled out by a score of -inf costs the others no digit, in its row or elsewhere."""
    scores = rows(4)[:300]
    scores[::7, 3] = -inf
    index = np.random.default_rng(6).integers(0, 3, len(scores))
    case = Case("cross-entropy", {"input": scores, "target": index})
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
    exact = exact_sum(evaluate("nll", {"input": scores, "target": target}))
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
    values = evaluate("l1", {"input": x, "target": np.zeros_like(x), "weight": w})
    wanted = exact_sum(values) / exact_sum(w)
    result = losscalc.compute("l1", x, np.zeros_like(x), weight=w)
    assert abs(Fraction(float(result)) - wanted) <= Fraction(ulp(float(wanted))) * Fraction(1001, 2000)
