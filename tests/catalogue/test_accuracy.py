"""How far the values are from the exact ones, in units in the last place (ULP).

The exact value is that of the documented formula at the exact binary inputs, parameters included, computed
with mpmath. Where nothing cancels, float64 values are right to a few ULP; where the parts of a sum cancel, to
as many of the largest part. Float32 and float16 are float64, rounded once.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import inf, nextafter, ulp
from typing import NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc.core.operation import differentiable
from tests.support import golden
from tests.support.exact import VALUES, Error, evaluate, exact_slope, samples, value_errors
from tests.support.points import POINTS, batches

DTYPES = ("float64", "float32", "float16")

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


def errors(case: Case, dtype: str = "float64") -> list[Error]:
    """The error of each result of a case, with its floating arrays rounded to a dtype first."""
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
    """Losses of differences, which are small ones of large numbers, or nearly overflow or vanish."""
    x = np.concatenate([RANDOM.normal(0, 3, 400), REALS, REALS + 1.0, 1e15 + RANDOM.normal(0, 1, 40)])
    y = np.concatenate([RANDOM.normal(0, 3, 400), REALS[::-1], REALS, 1e15 + RANDOM.normal(0, 1, 40)])
    for name in ("l1", "mse"):
        yield name, Case(name, {"input": x, "target": y})
        yield f"{name} weight", Case(name, {"input": x, "target": y, "weight": weights(x)})
    for bend in (0.5, 1.0, 3.7, 2e-308, 2.0**-1030, 5e-324):
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
    """Sigmoid, log-sigmoid and the logarithm."""
    yield "sigmoid", Case("sigmoid", {"input": LOGITS})
    yield "log-sigmoid", Case("log-sigmoid", {"input": LOGITS})
    yield "log", Case("log", {"input": np.exp(RANDOM.uniform(-80, 80, 400))})


CASES = dict([*regression(), *binary(), *signed(), *multiclass(), *activations()])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("label", CASES)
def test_values(label: str, dtype: str) -> None:
    """Each value is as near to the exact one as promised, and no -0.0 or infinity where it is none."""
    found = errors(CASES[label], dtype)
    assert len(found) >= 200
    assert [one for one in found if one.exceeds(CASES[label].name, dtype)] == []


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


EXCESS = {
    (
        "triplet-margin-with-distance",
        "huge",
        "float64",
    ): "squared distances are infinite: NaN"
}
"""By loss, kind of points and dtype, where values are farther from the exact ones than promised."""


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_points(name: str, dtype: str) -> None:
    """Ordinary points, confident, huge, tiny, subnormal and cancelling ones are as near as promised."""
    far = {}
    for batch in batches(name, dtype, 120):
        assert evaluate(name, batch.arguments).dtype == dtype
        for index, one in enumerate(value_errors(name, batch.arguments)):
            if one.exceeds(name, dtype) and (name, batch.kind, dtype) not in EXCESS:
                far[batch.kind, index] = one
    assert far == {}


ROWS = list(golden.rows())


@pytest.mark.parametrize("name", POINTS)
def test_worst_points(name: str) -> None:
    """The worst points that a long search found are as near as promised."""
    far = {}
    for row in ROWS:
        if row.name == name:
            (value,) = evaluate(name, row.arguments)
            if (one := row.error(float(value))).exceeds(name, row.dtype):
                far[name, row.kind, row.dtype] = one
    assert set(far) == {point for point in EXCESS if point[0] == name}


@pytest.mark.parametrize(
    ("name", "wrt"),
    [(n, wrt) for n in POINTS for wrt in differentiable(losscalc.losses()[n]) if n != "ciou"],
)
def test_gradients(name: str, wrt: str) -> None:
    """Gradients of ordinary points are those of the exact formula, to 1e-12 of the largest of a sample.

    That of ciou takes a factor for constant: test_gradients.py compares it.
    """
    for batch in batches(name, "float64", 24):
        if batch.kind == "ordinary" and wrt in batch.arguments:
            for index, sample in enumerate(samples(name, batch.arguments)):
                slope = losscalc.gradient(name, **batch.alone(index).arguments, wrt=wrt, reduction="sum")
                exact = np.array(exact_slope(name, sample, wrt), dtype=float).reshape(slope.shape)
                np.testing.assert_allclose(slope, exact, rtol=0.0, atol=1e-12 * np.abs(exact).max())


@pytest.mark.parametrize("name", ["l1", "mse", "bce-logits"])
def test_huge(name: str) -> None:
    """Near the largest number a loss is infinite only when it is too large itself."""
    x, y = grid(np.concatenate([HUGE, -HUGE]), np.array([0.0, 1.0, 0.25]))
    found = errors(Case(name, {"input": x, "target": y}))
    assert [one for one in found if one.exceeds(name, "float64")] == []


@pytest.mark.parametrize(
    ("difference", "weight"), [(1e160, 1e-200), (1e-170, 1e300), (1e200, 1e-300), (1e-160, 1e20)]
)
def test_weighted_square(difference: float, weight: float) -> None:
    """A square beyond the range of float64 comes back when its weight brings it back."""
    numbers = {"input": difference, "target": 0.0, "weight": weight}
    case = Case("mse", {name: np.array([value]) for name, value in numbers.items()})
    assert errors(case)[0].ulp <= 1.0


@pytest.mark.parametrize(
    ("name", "difference", "settings", "expected"),
    [
        ("huber", (inf, 0.0), {}, inf),
        ("smooth-l1", (inf, 0.0), {}, inf),
        ("smooth-l1", (inf, 0.0), {"beta": 0.0}, inf),
        ("huber", (1.7e308, -1.7e308), {}, inf),
        ("smooth-l1", (1.7e308, -1.7e308), {"beta": 2.0}, inf),
        # |x - y| - β/2, though 1/β is beyond the range.
        ("smooth-l1", (3.0, 0.0), {"beta": 1e-310}, 3.0),
        ("huber", (4.0, 0.0), {"delta": 5e-324}, 2e-323),
    ],
)
def test_limits(
    name: str, difference: tuple[float, float], settings: dict[str, float], expected: float
) -> None:
    """Losses of differences that are infinite, and of a bend that is nearly none."""
    assert losscalc.compute(name, *difference, **settings) == expected


def test_many_faint_scores() -> None:
    """Scores too improbable to be seen one by one count when there are many."""
    scores = np.zeros((1, 1000))
    scores[0, 0] = 745.5
    case = Case("cross-entropy", {"input": scores, "target": np.array([0])})
    assert evaluate("cross-entropy", case.arguments)[0] > 100 * 5e-324
    assert not errors(case)[0].exceeds("cross-entropy", "float64")


def test_masked_scores() -> None:
    """A class that is ruled out by a score of -inf costs the others no digit, in its row or elsewhere."""
    scores = rows(4)[:300]
    scores[::7, 3] = -inf
    index = np.random.default_rng(6).integers(0, 3, len(scores))
    case = Case("cross-entropy", {"input": scores, "target": index})
    assert [one for one in errors(case) if one.exceeds("cross-entropy", "float64")] == []


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


# ln(x/y) by mpmath, 40 digits, of the binary numbers: 2·(ln(4.55e-9 / 5e-324) + y/x - 1).
def test_the_deviance_of_a_subnormal_target() -> None:
    """The quotient of the two is subnormal, and has few digits."""
    value = losscalc.compute("gamma-deviance", [4.55e-9], [5e-324])
    assert value == pytest.approx(1448.463866634795, rel=1e-15)


@pytest.mark.parametrize("name", ["ppo-clip", "grpo"])
def test_a_ratio_beyond_the_range(name: str) -> None:
    """What the difference of log-probabilities lost is 1.5: the bound 1.2 holds all the same, and 0 stays."""
    above, below = ([[-1.5]], [[-3e16]], [1.0]), ([[-3e16]], [[-1.5]], [1.0])
    if name == "ppo-clip":
        above, below = (tuple(np.ravel(array) for array in arrays) for arrays in (above, below))
    assert losscalc.compute(name, *above) == -1.2
    assert losscalc.compute(name, *below) == 0.0


def test_a_reference_beyond_the_range() -> None:
    """exp(3e16) is infinite, whatever the difference lost."""
    with pytest.warns(losscalc.LosscalcWarning):
        assert losscalc.compute("grpo", [[-2.5]], [[-2.5]], [1.0], [[1]], [[3e16]], beta=0.1) == inf
