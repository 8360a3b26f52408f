"""Exact sums, against fractions, and the text that they are saved as."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losscalc.core.exactsum import Sum, exact_text, quotient, read_exact, total


def test_sums_are_exact():
    """Numbers from the whole range of float64, cancelling: the sum that fractions give."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        values = rng.normal(size=5000) * 10.0 ** rng.integers(-12, 13, 5000)
        exact = sum((Fraction(v) for v in values.tolist()), Fraction(0))
        assert float(total(values)) == pytest.approx(float(exact), rel=1e-15)


def units(values):
    """The exact sum in units of 2^-1074, by Python's fractions."""
    return sum(int(Fraction(value) * 2**1074) for value in values.tolist())


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12),
    st.sampled_from([1, 40, 110]),
    st.randoms(use_true_random=False),
)
def test_any_numbers_in_any_order(numbers, times, random):
    """Whatever hypothesis finds, subnormal or huge, alone or so often that there are several groups."""
    numbers = numbers * times
    expected = units(np.array(numbers))
    random.shuffle(numbers)

    assert total(np.array(numbers)).units == expected


RNG = np.random.default_rng(5)
SPREAD = np.ldexp(RNG.random(1500) - 0.5, RNG.integers(-1074, 980, 1500))
SQUARES = RNG.normal(size=1500) ** 2
LAST = 1.0 + 2.0**-52
# Beside 1.5 the last 2^-51 of these is cut off; the smaller they are, the more bits that has.
LIMITS = {
    f"2^-{k}": np.append(1.5, np.full(1499, 2.0**-k + (2.0**-51 - 2.0 ** (-k - 52)))) for k in range(38, 51)
}
KINDS = LIMITS | {
    "from everywhere": SPREAD,
    "cancelling": np.concatenate([SPREAD, -SPREAD[:-1]]),
    "subnormal": RNG.integers(-9, 9, 1500) * 5e-324,
    "nearly subnormal": RNG.integers(-(2**52), 2**52, 1500) * 5e-324,
    "one subnormal": np.append(SQUARES, 5e-324),
    "a zero, too": np.append(SQUARES, [0.0, 5e-324]),
    "one huge": np.append(SQUARES, 1.7e308),
    "one huge, below": np.append(SQUARES, -(2.0**979)),
    "one small": np.append(SQUARES, 2.0**-45),
    "half zeros": np.maximum(RNG.normal(size=1500), 0.0),
    "negative": -SQUARES,
    "negative zeros": np.where(SQUARES < 0.1, -0.0, SQUARES),
    "equal": np.full(1500, 1 / 3),
    "all bits": np.full(1500, 2.0 - 2.0**-52),
    "powers of two": np.repeat([1.0, 2.0**-52, -(2.0**52), 2.0**-53], 400),
    "at the cut": np.repeat([LAST, -LAST, 2.0**-53, 3 * 2.0**-54], 300),
    "zeros": np.zeros(1500),
}


@pytest.mark.parametrize("kind", KINDS)
def test_hard_sums(kind):
    """What cuts, groups and the smallest number could get wrong, also in memory that is not contiguous."""
    for size in (1, 2, 511, 512, 513, 1025, 1500):
        values = KINDS[kind][-size:]
        assert total(values).units == total(np.repeat(values, 2)[::2]).units == units(values), size


def test_large_sums():
    """As large as a block: small numbers beside ones that cancel."""
    values = np.tile([1.0, 2.0**-52, -1.0, 2.0**-60], 1 << 15)

    assert total(values) == Sum.of((2.0**-52 + 2.0**-60) * 2**15)


def test_sums_survive_what_float64_does_not():
    """Intermediate overflow, and a mean of huge numbers."""
    huge = np.full(4, 1.7e308)

    assert quotient(total(huge), Sum.of(4.0)) == 1.7e308
    assert float(total(huge)) == np.inf
    assert float(total(np.array([1e308, 1e308, -1e308]))) == 1e308
    assert float(total(np.tile([1e16, 1.0, -1e16], 1000))) == 1000
    for times in (1, 20):
        assert np.isnan(float(total(np.tile([np.inf, 1.0, -np.inf], times))))
        assert total(np.tile([1.0, np.inf], times)) == Sum(times << 1074, np.inf)
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
