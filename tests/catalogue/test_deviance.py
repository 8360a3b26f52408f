"""Deviances: which values their powers allow, and how they go into one another."""

import numpy as np
import pytest

import losscalc

X, Y = np.array([0.5, 0.5, 2.0, 2.0]), np.array([2.0, 0.25, 1.0, 4.0])


@pytest.mark.parametrize(("name", "power"), [("mse", 0), ("poisson-deviance", 1), ("gamma-deviance", 2)])
def test_special_powers(name, power):
    """Each has a name of its own, and is the limit of the powers beside it."""
    own = losscalc.compute(name, X, Y, reduction="none")
    np.testing.assert_array_equal(
        losscalc.compute("tweedie-deviance", X, Y, power=power, reduction="none"), own
    )
    for beside in {0: (-1e-9,), 1: (1 + 1e-9,), 2: (2 - 1e-9, 2 + 1e-9)}[power]:
        near = losscalc.compute("tweedie-deviance", X, Y, power=beside, reduction="none")
        np.testing.assert_allclose(near, own, rtol=1e-7)


ALLOWED = [
    (0.0, -1.0, -1.0), (-1.0, 1.0, -2.0), (1.0, 1.0, 0.0), (1.5, 1.0, 0.0), (2.0, 1.0, 0.5), (3.0, 1.0, 0.5),
]  # fmt: skip
REFUSED = [
    (-1.0, 0.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, -1e-9), (1.5, -1.0, 1.0), (2.0, 1.0, 0.0), (3.0, 1.0, 0.0),
    (1.5, np.inf, 1.0), (2.0, 1.0, np.inf),
]  # fmt: skip


@pytest.mark.parametrize(("power", "x", "y"), ALLOWED)
def test_what_a_power_allows(power, x, y):
    """The deviance is at least 0, and has the derivative 2·(x - y) / x^p."""
    assert losscalc.compute("tweedie-deviance", x, y, power=power) >= 0
    slope = losscalc.gradient("tweedie-deviance", x, y, power=power)
    np.testing.assert_allclose(slope, 2 * (x - y) / x**power, rtol=1e-14)


@pytest.mark.parametrize(("power", "x", "y"), REFUSED)
def test_what_a_power_does_not_allow(power, x, y):
    """Expectations that are not positive, and amounts that the distribution does not have."""
    with pytest.raises(losscalc.DomainError):
        losscalc.compute("tweedie-deviance", x, y, power=power)


@pytest.mark.parametrize("power", [0.5, 1e-9, 0.999999, np.inf, np.nan])
def test_powers_that_there_are_not(power):
    """Between 0 and 1 there is no distribution."""
    with pytest.raises(losscalc.ParameterError):
        losscalc.compute("tweedie-deviance", 1.0, 1.0, power=power)


@pytest.mark.parametrize("power", [-1.5, 0, 1, 1.2, 1.5, 1.9999999, 2, 2.5, 4])
def test_a_right_answer_costs_nothing(power):
    """Exactly, and one that is wrong by an ULP next to nothing, where the terms of the formula cancel."""
    x = np.geomspace(1e-30, 1e30, 61)
    right = losscalc.compute("tweedie-deviance", x, x, power=power, reduction="none")
    np.testing.assert_array_equal(right, 0.0)
    near = losscalc.compute("tweedie-deviance", x, np.nextafter(x, np.inf), power=power, reduction="none")
    np.testing.assert_allclose(near, np.spacing(x) ** 2 / x**power, rtol=1e-12)


def test_a_percentage_of_nothing_is_said():
    """A target of 0 makes the error what it is over eps; two zeros of smape are right."""
    with pytest.warns(
        losscalc.LosscalcWarning, match="should be other than 0; there the error is divided by eps"
    ):
        assert losscalc.compute("mape", [1.0], [0.0]) == 2.0**52
    assert losscalc.compute("smape", [0.0], [0.0], eps=0.0) == 0
    assert losscalc.compute("smape", [1.7e308], [-1.7e308]) == 2
    assert losscalc.compute("mape", [1.7e308], [-1.7e308]) == 2
