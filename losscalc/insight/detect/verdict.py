"""What the search for a mistake comes to: what explains a number, what might, and what is near it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from losscalc.insight.call import Call
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.search import Candidate, Search

# So many explanations are told, other names of one, and values nearby.
_MOST, _MOST_NAMES, _MOST_NEAR = 5, 4, 3
# The simplest ones are shown where more digits would decide.
_MOST_UNDECIDED = 2
# Values are the same up to rounding (nearby ones up to float32's), and another name is not much less likely.
_SAME, _SAME_NEAR, _MUCH = 1e-9, 1e-6, 5.0
# What any number would meet as well is not worth a word; nor is what is near and more than so unlikely.
_WORTH, _SIMPLE = 0.1, 9.0


class Explanation(NamedTuple):
    """A combination of hypotheses that leads to the number, and how likely a coincidence is."""

    candidate: Candidate
    chance: float
    also: tuple[Candidate, ...] = ()
    """Other names of the same: what leads to the same value, and is not as simple."""


class Verdict(NamedTuple):
    """What is found for a number."""

    explanations: tuple[Explanation, ...] = ()
    """What leads to it, and hardly by chance; the likeliest first."""
    undecided: tuple[Explanation, ...] = ()
    """What leads to it, but so would something for any number of so few digits."""
    nearest: tuple[Explanation, ...] = ()
    """What comes near it."""


def verdict(call: Call, expected: Expected, watch: Callable[[float], None] | None = None) -> Verdict:
    """Search for what leads to an expected number instead of the value of a call."""
    return weighed(Search(call, watch), expected)


def weighed(search: Search, expected: Expected) -> Verdict:
    """What a search finds for an expected number, weighed; nothing for the value itself."""
    if abs(search.start - expected.value) <= expected.tolerance:
        return Verdict()
    found, tally = search.find(expected)
    ranked = sorted(
        ((each, tally.chance(each.bits, each.value)) for each in found),
        key=lambda pair: (pair[1], pair[0].bits, len(pair[0].combination), pair[0].name),
    )
    reached = [pair for pair in ranked if abs(pair[0].value - expected.value) <= expected.tolerance]
    told = grouped(reached)
    counting = tuple(each for each in told if each.chance <= expected.allowed)
    if counting:
        return Verdict(explanations=counting[:_MOST])
    undecided = tuple(each for each in told if each.chance <= _WORTH)[:_MOST_UNDECIDED]
    others = [
        pair
        for pair in ranked
        if abs(pair[0].value - expected.value) > expected.tolerance and pair[0].bits <= _SIMPLE
    ]
    return Verdict(undecided=undecided, nearest=tuple(grouped(others, _SAME_NEAR)[:_MOST_NEAR]))


def grouped(weighed: list[tuple[Candidate, float]], same: float = _SAME) -> list[Explanation]:
    """Each value once, by the simplest that leads to it, without what adds something to no effect."""
    groups: list[list[Candidate]] = []
    chances: list[float] = []
    for candidate, chance in weighed:
        known = next(
            (group for group in groups if np.isclose(group[0].value, candidate.value, rtol=same, atol=0.0)),
            None,
        )
        if known is not None:
            if len(known) <= _MOST_NAMES and _is_other(candidate, known):
                known.append(candidate)
        elif not any(_contains(candidate, each) for group in groups for each in group):
            groups.append([candidate])
            chances.append(chance)
    return [
        Explanation(group[0], chance, tuple(group[1:])) for group, chance in zip(groups, chances, strict=True)
    ]


def _is_other(candidate: Candidate, known: list[Candidate]) -> bool:
    """Whether it is another way to the same value, not a longer one."""
    is_likely = candidate.bits <= known[0].bits + _MUCH
    return is_likely and not any(_contains(candidate, each) for each in known)


def _contains(candidate: Candidate, other: Candidate) -> bool:
    """Whether a combination is another one, and something besides."""
    names, others = ({each.hypothesis.name for each in one.combination} for one in (candidate, other))
    return names >= others
