"""The sums of groups: to the last bit those of `Partial` for the rows of each, however blocks are cut."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losscalc.core.groupsums import GroupSums, GroupTotals
from losscalc.core.reductions import Partial, Terms

FLOATS = st.one_of(
    st.floats(),
    st.floats(-10, 10),
    st.sampled_from((5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 0.1, -0.0, 2.0**53)),
)


def picked(terms: Terms, rows: np.ndarray) -> Terms:
    """The terms of some rows."""
    if terms.sums is not None:
        return Terms.of_sums(**{name: each[rows] for name, each in terms.sums.items()})
    return Terms(*(None if each is None else each[rows] for each in terms[:4]))


def alike(one: Partial, other: Partial) -> bool:
    """Whether all sums and counts are the same; NaN is the same as NaN."""
    names = ("total", "numerator", "denominator")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    pairs += [(one.sums[name], other.sums[name]) for name in one.sums]
    sums = all(
        a.units == b.units and (a.special == b.special or (math.isnan(a.special) and math.isnan(b.special)))
        for a, b in pairs
    )
    counts = (one.count, one.ignored, one.rows) == (other.count, other.ignored, other.rows)
    return sums and counts and one.sums.keys() == other.sums.keys()


@st.composite
def terms(draw: st.DrawFn, rows: int) -> Terms:
    """Terms of some rows, each with one loss or several, of any kind that a loss may give."""

    def floats() -> np.ndarray:
        return np.array(draw(st.lists(FLOATS, min_size=size, max_size=size))).reshape(shape)

    shape = (rows, *draw(st.sampled_from(((), (1,), (2,), (2, 2)))))
    size = math.prod(shape)
    if draw(st.integers(0, 4)) == 0:
        return Terms.of_sums(a=floats(), b=floats())
    value, divisor, share = floats(), *(floats() if draw(st.booleans()) else None for _ in range(2))
    ignored = None
    if draw(st.booleans()):
        ignored = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size))).reshape(shape)
        value = np.where(ignored, 0.0, value)
    return Terms(value, divisor, ignored, share)


@settings(max_examples=50, deadline=None)
@given(st.data(), st.integers(1, 12))
def test_groups_are_summed_exactly(data, rows):
    """Whatever the numbers are, and wherever a block ends."""
    whole = data.draw(terms(rows))
    groups = np.array(data.draw(st.lists(st.integers(0, 40), min_size=rows, max_size=rows)))
    cut = data.draw(st.integers(0, rows))
    totals = GroupTotals()
    for part in (slice(0, cut), slice(cut, rows)):
        totals.add(GroupSums.of(picked(whole, np.arange(rows)[part]), groups[part]))
    found = dict(totals.partials("loss"))
    assert list(found) == sorted(set(groups.tolist()))
    for group, partial in found.items():
        own = np.flatnonzero(groups == group)
        assert alike(partial, Partial.of("loss", picked(whole, own), len(own)))


def test_no_groups():
    """Of no rows, and of no blocks."""
    totals = GroupTotals()
    assert list(totals.partials("loss")) == []
    totals.add(GroupSums.of(Terms(np.empty(0)), np.empty(0, int)))
    assert list(totals.partials("loss")) == []


@pytest.mark.parametrize("count", [1, 1000])
def test_many_numbers_in_a_group(count):
    """The parts of numbers add up without rounding: the sum is that of math.fsum."""
    rng = np.random.default_rng(count)
    values = rng.standard_normal(200_000) * 10.0 ** rng.integers(-20, 20, 200_000)
    groups = rng.integers(0, count, len(values))
    totals = GroupTotals()
    totals.add(GroupSums.of(Terms(values), groups))
    for group, partial in totals.partials("loss"):
        assert float(partial.total) == math.fsum(values[groups == group])
