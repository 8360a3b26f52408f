"""Exact sums, against fractions, and the text that they are saved as."""

import math
from fractions import Fraction

import numpy as np
import pytest

from losscalc.core.exactsum import Sum, exact_text, quotient, read_exact, total


def test_sums_are_exact():
    """Numbers from the whole range of float64, cancelling: the sum that fractions give."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        values = rng.normal(size=5000) * 10.0 ** rng.integers(-12, 13, 5000)
        exact = sum((Fraction(v) for v in values.tolist()), Fraction(0))
        assert float(total(values)) == pytest.approx(float(exact), rel=1e-15)


def test_sums_survive_what_float64_does_not():
    """Intermediate overflow, and a mean of huge numbers."""
    huge = np.full(4, 1.7e308)

    assert quotient(total(huge), Sum.of(4.0)) == 1.7e308
    assert float(total(huge)) == np.inf
    assert float(total(np.array([1e308, 1e308, -1e308]))) == 1e308
    assert float(total(np.tile([1e16, 1.0, -1e16], 1000))) == 1000
    assert np.isnan(float(total(np.array([np.inf, -np.inf]))))
    assert float(total(np.array([5e-324, 5e-324]))) == 1e-323


@pytest.mark.parametrize(
    "values",
    [[], [0.0], [5e-324], [1e308, 1e308], [1e308, -1e-308], [1 / 3, 1e16], [np.nan], [np.inf], [-np.inf]],
)
def test_the_text_of_sums(values):
    """It reads back as the very sum."""
    for value in (total(np.array(values)), total(-np.array(values))):
        again = read_exact(exact_text(value))
        assert again.units == (0 if value.special != 0 else value.units)
        assert math.isnan(again.special) if math.isnan(value.special) else again.special == value.special


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "0.5",
        "0x",
        "0x1",
        "0x1p0",
        "0x1p-1075",
        "0x1p+99999",
        "0x1.8p+1",
        "NaN",
        "0x" + "f" * 3000 + "p+0",
    ],
)
def test_texts_of_no_sum(text):
    """They are none, and cost nothing."""
    assert read_exact(text) is None


def test_a_sum_is_a_sum():
    """Its text reads back as the same sum, whatever the order of its parts."""
    assert read_exact(exact_text(Sum.of(1.0) + Sum.of(1e-300))) == Sum.of(1e-300) + Sum.of(1.0)
