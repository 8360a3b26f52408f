"""Derivatives that are divided before the last block is in, by what the first lets expect."""

import numpy as np
import pytest

from losscalc import cli, gradient
from losscalc.core.exactsum import Sum
from losscalc.core.reductions import MEAN, Partial
from losscalc.core.registry import lookup
from losscalc.engine import block, compute
from losscalc.engine.ending import Slopes
from losscalc.engine.forecast import Forecast, UnforeseenError
from losscalc.errors import ClassIndexError, LosscalcWarning
from tests.support.memory import little_memory

DRAW = np.random.default_rng(0)
SCORES = DRAW.normal(size=(60, 3))
CLASSES = DRAW.integers(0, 3, 60)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Ten blocks or more of each array."""
    monkeypatch.setattr(block, "BLOCK", 6)


@pytest.fixture
def attempts(monkeypatch):
    """Whether each forecast held."""
    made = []
    original = compute._foretold

    def foretold(*of):
        result = original(*of)
        made.append(result is not None)
        return result

    monkeypatch.setattr(compute, "_foretold", foretold)
    return made


def slope(classes, divisor):
    """By hand: softmax less 1 for the class, and 0 for ignored rows."""
    exponentials = np.exp(SCORES)
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    shares -= np.eye(3)[np.maximum(classes, 0)]
    return np.where(classes[:, None] < 0, 0.0, shares) / divisor


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(
    ("ignored", "holds"),
    [([], True), ([0], True), ([59], False), ([30, 31], False), (range(1, 60), True)],
    ids=["none", "in the first block, of which nothing is foretold", "last", "amidst", "all but one"],
)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_rows_that_are_ignored_are_not_counted(attempts, threads, ignored, holds, reduction, dtype):
    """Wherever they are; a forecast that fails is made good, and of sums none fails."""
    classes = CLASSES.copy()
    classes[list(ignored)] = -100
    found = gradient("cross-entropy", SCORES.astype(dtype), classes, reduction=reduction, threads=threads)
    right = slope(classes, 60 - len(ignored) if reduction == "mean" else 1)
    tolerance = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2}[dtype]
    np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance / 10)
    assert found.dtype == dtype
    # With several threads another block may be done first.
    if threads == 1 or holds == (not ignored) or reduction == "sum":
        assert attempts == [holds or reduction == "sum"]


def test_an_error_behind_a_forecast_that_fails():
    """Nothing tells of what was tried before."""
    classes = CLASSES.copy()
    classes[[30, 59]] = -100, 55
    with pytest.raises(ClassIndexError, match=r"found 55 at \[59\]") as refusal:
        gradient("cross-entropy", SCORES, classes, threads=1)
    assert refusal.value.__context__ is None


@pytest.mark.parametrize("ignored", [0, -1], ids=["nothing is foretold", "the forecast fails"])
def test_a_forecast_that_fails_leaves_nothing(monkeypatch, ignored):
    """Of the 9.6 MB of derivatives there is never a second array."""
    monkeypatch.undo()
    scores, classes = np.zeros((400_000, 3)), np.zeros(400_000, int)
    classes[ignored] = -100
    gradient("cross-entropy", scores[:9], classes[:9])
    with little_memory(9_600_000 + 8_000_000):
        gradient("cross-entropy", scores, classes, threads=1)


def test_the_reductions_of_a_derivative():
    """By hand: 'sum' divides by nothing, 'batchmean' by the rows, and weights by their sum."""
    weights = np.array([1.0, 2.0, 4.0])
    given = weights[CLASSES]
    ones = np.ones((60, 3))
    for found, expected in (
        (gradient("cross-entropy", SCORES, CLASSES, reduction="sum"), slope(CLASSES, 1.0)),
        (
            gradient("cross-entropy", SCORES, CLASSES, weight=weights),
            given[:, None] * slope(CLASSES, given.sum()),
        ),
        (gradient("mse", SCORES, 0 * ones), SCORES / 90),
        (gradient("kl-div", SCORES, ones, reduction="batchmean"), -ones / 60),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_a_derivative_that_does_not_fit_into_its_dtype():
    """In float32, the largest number of which is 3.4e38, and where 0 has no sign."""
    large = np.full(60, 3e38, np.float32)
    with pytest.warns(LosscalcWarning, match="the sum is outside the range of float32"):
        found = gradient("mse", large, np.zeros(60, np.float32), reduction="sum")
    assert np.isinf(found).all()
    found = gradient("mse", np.full(60, -0.0, np.float32), np.zeros(60, np.float32))
    assert not np.signbit(found).any()


def test_a_part_that_is_overwritten_and_overflows():
    """Divided by less than 1, what was finite is not; by hand, 1e308 / 0.1 is above 1.8e308."""
    part = np.full(3, 1e308)
    partial = Partial(None, denominator=Sum.of(0.1), count=3)
    slopes = Slopes(lookup("mse")(), partial, MEAN, part.dtype)
    assert np.isinf(slopes.reduced(part, part)).all()
    assert [str(warning) for warning in slopes.warnings] == ["the mean is outside the range of float64"]


def test_a_forecast_that_the_end_refutes(monkeypatch, attempts):
    """The divisor of all blocks decides, whatever each has let expect."""

    def refute(self, slopes):
        raise UnforeseenError

    monkeypatch.setattr(Forecast, "confirmed", refute)
    np.testing.assert_array_equal(gradient("mse", np.arange(60.0), np.zeros(60)), np.arange(60.0) / 30)
    assert attempts == [False]


def test_what_files_hold_is_not_foretold(tmp_path, attempts):
    """They are read once, so that a forecast that fails could not be made good."""
    classes = np.where(np.arange(60) < 40, CLASSES, -100)
    np.save(tmp_path / "x.npy", SCORES)
    np.save(tmp_path / "t.npy", classes)
    output = tmp_path / "slopes.npy"
    files = ["--input", str(tmp_path / "x.npy"), "--target", str(tmp_path / "t.npy")]
    assert cli.run(["cross-entropy", *files, "--gradient", "input", "--output", str(output)]) == 0
    np.testing.assert_allclose(np.load(output), slope(classes, 40), rtol=1e-12, atol=1e-15)
    assert not attempts
