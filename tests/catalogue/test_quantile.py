"""Several quantiles side by side: what goes with which, and what does not."""

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.engine import block

QUANTILES = (0.1, 0.5, 0.9)


def arrays(rows: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Three forecasts for each target."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 3)), rng.normal(size=rows)


@pytest.mark.parametrize("size", [4, 100_000])
def test_each_column_has_its_quantile(size, monkeypatch):
    """The losses and gradients of each column are those that it has alone, in one block or many."""
    monkeypatch.setattr(block, "BLOCK", size)
    x, y = arrays()
    losses = losscalc.compute("pinball", x, y, quantile=QUANTILES, reduction="none")
    slopes = losscalc.gradient("pinball", x, y, quantile=list(QUANTILES), reduction="sum")
    for column, quantile in enumerate(QUANTILES):
        alone = {"input": x[:, column], "target": y, "quantile": quantile}
        np.testing.assert_array_equal(
            losses[:, column], losscalc.compute("pinball", **alone, reduction="none")
        )
        np.testing.assert_array_equal(
            slopes[:, column], losscalc.gradient("pinball", **alone, reduction="sum")
        )
    np.testing.assert_allclose(
        losscalc.compute("pinball", x, y, quantile=QUANTILES), losses.mean(), rtol=1e-15
    )


def test_any_number_of_axes():
    """A lone target has a row of quantiles, and a matrix of targets a row for each."""
    x, y = arrays(6)
    expected = losscalc.compute("pinball", x, y, quantile=QUANTILES, reduction="none")
    one = losscalc.compute("pinball", x[0], y[0], quantile=QUANTILES, reduction="none")
    many = losscalc.compute(
        "pinball", x.reshape(2, 3, 3), y.reshape(2, 3), quantile=QUANTILES, reduction="none"
    )
    np.testing.assert_array_equal(one, expected[0])
    np.testing.assert_array_equal(many.reshape(6, 3), expected)


def test_a_difference_that_overflows():
    """Half of it does not, and a price of nothing is nothing."""
    assert losscalc.compute("pinball", -1.7e308, 1.7e308, quantile=0.25) == 0.25 * 1.7e308 * 2
    assert losscalc.compute("pinball", np.inf, 0.0, quantile=1) == 0


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-i", "[[1,2]]", "-t", "[1]"], "--input has 2 columns for each target, and there is one quantile"),
        (["-i", "[[1,2]]", "-t", "[1]", "--quantile", "0.1,0.5,0.9"], "and there are 3 quantiles"),
        (["-i", "1", "-t", "1", "--quantile", "1.5"], "must be in [0, 1], or several such joined by commas"),
        (
            ["-i", "1", "-t", "1", "--quantile", "0.1,x"],
            "must be in [0, 1], or several such joined by commas",
        ),
    ],
)
def test_refusals(words, problem, capfd):
    """What does not go together, with a hint."""
    assert cli.run(["pinball", *words]) in (2, 4)
    err = capfd.readouterr().err
    assert problem in err
    assert "hint: " in err
