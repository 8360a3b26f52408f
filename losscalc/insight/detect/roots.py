"""Where a function of one number is 0: how numbers that are free are solved for."""

import math
from collections.abc import Callable

from losscalc.insight.detect.hypothesis import Span

Ends = tuple[tuple[float, float], tuple[float, float]]
"""Two numbers, each with what a function comes to there, of which one is below 0 and one above."""

# How often a solution is refined.
_REFINEMENTS = 14


def solution(
    span: Span | None, gap: Callable[[float], float], ends: Ends, enough: float
) -> tuple[float, float]:
    """Where a function is 0 between two numbers of a span, and its slope there.

    Factors are looked for by their logarithms, which losses are more nearly linear in.
    """
    if span is None or not span.is_scale:
        return root(gap, ends, enough)
    (low, below), (high, above) = ends
    logs = (math.log(low), below), (math.log(high), above)
    found, slope = root(lambda log: gap(math.exp(log)), logs, enough)
    return math.exp(found), slope / math.exp(found)


def root(gap: Callable[[float], float], ends: Ends, enough: float) -> tuple[float, float]:
    """Where a function is 0 between two ends, by the Illinois method, and its slope there."""
    (low, below), (high, above) = ends
    slope = (above - below) / (high - low)
    if below == 0 or above == 0:
        return (low if below == 0 else high), slope
    number, side = low, 0
    for _ in range(_REFINEMENTS):
        number = (low * above - high * below) / (above - below)
        found = gap(number)
        if not math.isfinite(found):
            return math.nan, 0.0
        near, there = (low, below) if abs(number - low) < abs(number - high) else (high, above)
        # After a halving the gap at the kept end is not its own any more.
        if number != near and not side:
            slope = (found - there) / (number - near)
        if abs(found) <= enough:
            break
        if (found > 0) == (above > 0):
            below, side = (below / 2, side) if side == 1 else (below, 1)
            high, above = number, found
        else:
            above, side = (above / 2, side) if side == -1 else (above, -1)
            low, below = number, found
    return number, slope
