"""Hypotheses on the groups of --by: their means are averaged or added, or one of them is all there is."""

from collections.abc import Callable

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.sources import Group
from losscalc.insight.detect.hypothesis import Hypothesis, NotApplicable, require
from losscalc.insight.detect.losses import Losses

# Groups up to so many are taken one by one.
_MOST_GROUPS = 100


def _sums(losses: Losses) -> tuple[Array, Array]:
    """What each group adds to numerator and denominator of the mean, in the order of the table of --by."""
    by = losses.call.by
    if by is None:
        raise NotApplicable
    (share, divisor), numbers = losses.of_rows, by.whole()
    require(len(numbers) == len(share) and len(by.groups) > 1)
    order = sorted(range(len(by.groups)), key=lambda number: _rank(by.groups[number]))
    numerators, divisors = (np.bincount(numbers, each, len(order))[order] for each in (share, divisor))
    return numerators, divisors


def _rank(name: Group) -> tuple[bool, Group]:
    """Numbers stand before texts."""
    return isinstance(name, str), name


def _means(losses: Losses) -> Array:
    """The mean of each group in which anything counts."""
    share, divisor = _sums(losses)
    require((divisor > 0).sum() > 1)
    return losses.linked(share[divisor > 0] / divisor[divisor > 0])


def _keys(losses: Losses) -> Array:
    count = len(_sums(losses)[0])
    require(count <= _MOST_GROUPS)
    return np.arange(1, count + 1)


def _picked(losses: Losses, keys: Array, part: Callable[[Array, Array], Array]) -> Array:
    """The mean of what a part of the sums of each picked group is."""
    share, divisor = _sums(losses)
    places = np.asarray(keys, np.int64) - 1
    require(((places >= 0) & (places < len(share))).all())
    with np.errstate(all="ignore"):
        return losses.linked(part(share, places) / part(divisor, places))


GROUPS = [
    Hypothesis(
        "aggregation",
        "mean-of-groups",
        "every group of --by was averaged on its own, and then their means: groups were weighted equally",
        1.0,
        lambda losses: float(_means(losses).mean()),
    ),
    Hypothesis(
        "aggregation",
        "sum-of-groups",
        "every group of --by was averaged on its own, and the means added up",
        3.5,
        lambda losses: float(_means(losses).sum()),
    ),
    Hypothesis(
        "aggregation",
        "group",
        "only the rows of one group of --by were averaged, number {number} in their order",
        2.0,
        lambda losses, keys: _picked(losses, keys, lambda sums, places: sums[places]),
        tried=_keys,
    ),
    Hypothesis(
        "aggregation",
        "without-group",
        "the rows of one group of --by were left out, number {number} in their order",
        3.0,
        lambda losses, keys: _picked(losses, keys, lambda sums, places: sums.sum() - sums[places]),
        tried=_keys,
    ),
]
