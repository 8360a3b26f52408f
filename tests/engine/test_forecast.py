"""Derivatives that are divided before the last block is in, by what the first lets expect."""

import numpy as np
import pytest

from losscalc import cli, gradient
from losscalc.core.exactsum import Sum
from losscalc.core.reductions import MEAN, Partial
from losscalc.core.registry import lookup
from losscalc.engine import block
from losscalc.engine.ending import Slopes
from losscalc.engine.forecast import Forecast, UnforeseenError
from losscalc.errors import LosscalcWarning

DRAW = np.random.default_rng(0)
SCORES = DRAW.normal(size=(60, 3))
CLASSES = DRAW.integers(0, 3, 60)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Ten blocks or more of each array."""
    monkeypatch.setattr(block, "BLOCK", 6)


@pytest.fixture
def attempts(monkeypatch):
    """Whether each attempt was blind."""
    made = []
    original = Forecast.__init__

    def init(self, *of, is_blind=False):
        made.append(is_blind)
        original(self, *of, is_blind=is_blind)

    monkeypatch.setattr(Forecast, "__init__", init)
    return made


def slope(classes, divisor):
    """By hand: softmax less 1 for the class, and 0 for ignored rows."""
    exponentials = np.exp(SCORES)
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    shares -= np.eye(3)[np.maximum(classes, 0)]
    return np.where(classes[:, None] < 0, 0.0, shares) / divisor


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(
    ("ignored", "expected"),
    [
        ([], [False]),
        ([0], [False]),  # seen in the first block: there is no forecast
        ([59], [False, True]),
        ([30, 31], [False, True]),
        (range(1, 60), [False]),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_that_are_ignored_are_not_counted(attempts, threads, ignored, expected, dtype):
    """Wherever they are; a forecast that fails is made good."""
    classes = CLASSES.copy()
    classes[list(ignored)] = -100
    found = gradient("cross-entropy", SCORES.astype(dtype), classes, threads=threads)
    assert found.dtype == dtype
    right = slope(classes, 60 - len(ignored))
    np.testing.assert_allclose(found, right, rtol=1e-12 if dtype == "float64" else 1e-5, atol=1e-8)
    assert attempts == expected or threads > 1


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


def test_a_forecast_that_the_end_refutes(monkeypatch):
    """The divisor of all blocks decides, whatever each has let expect."""
    monkeypatch.setattr(Forecast, "confirmed", lambda self, slopes: refute(self))
    refuted = []

    def refute(forecast):
        refuted.append(forecast)
        if len(refuted) == 1:
            raise UnforeseenError

    np.testing.assert_array_equal(gradient("mse", np.arange(60.0), np.zeros(60)), np.arange(60.0) / 30)
    assert len(refuted) == 2


def test_what_files_hold_is_not_foretold(tmp_path, attempts):
    """They are read once, so that a forecast that fails could not be made good."""
    classes = np.where(np.arange(60) < 40, CLASSES, -100)
    np.save(tmp_path / "x.npy", SCORES)
    np.save(tmp_path / "t.npy", classes)
    output = tmp_path / "slopes.npy"
    files = ["--input", str(tmp_path / "x.npy"), "--target", str(tmp_path / "t.npy")]
    assert cli.run(["cross-entropy", *files, "--gradient", "input", "--output", str(output)]) == 0
    np.testing.assert_allclose(np.load(output), slope(classes, 40), rtol=1e-12, atol=1e-15)
    assert not attempts or all(attempts)
