"""The search for a mistake: what leads to an expected number, and numbers that are free, solved for."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.evidence import Expected, Tally
from losscalc.insight.detect.hypothesis import (
    MORE,
    Combination,
    Hypothesis,
    NotApplicable,
    Supposed,
    bits,
    bits_of,
    ordered,
    quietly,
)
from losscalc.insight.detect.outcomes import MOST, MOST_BITS, Outcomes, finished
from losscalc.insight.detect.roots import Ends, solution
from losscalc.insight.detect.steps import DIVIDED, TIMES

# A number is solved for beside another hypothesis that is at least as likely as this; and losses are then
# reduced by what is as likely as this, or this beside another one and where there are many elements.
_BESIDE_BITS, _REDUCED_BITS, _REDUCED_BESIDE_BITS = 3.6, 3.6, 1.1
# Values are the same up to rounding.
_SAME = 1e-9
# A value this near, relative to the expected one, is told as near.
_NEAR = 0.01
# What is met to so many digits is met exactly.
_EXACT = 1e-12
# Digits of a factor, or of a parameter.
_DIGITS = 4
_BITS_OF_DIGIT = math.log2(10)
# The share of numbers of so many digits that are not ones of fewer.
_NEW = 0.9


class Fact(NamedTuple):
    """Something that is so of an expected array, whatever led to it."""

    name: str
    sentence: str
    is_partial: bool = False
    """Whether it is of some of the numbers only."""


class Candidate(NamedTuple):
    """A combination of hypotheses, and the value that it leads to; or a fact instead of them."""

    combination: Combination
    value: float
    bits: float
    fact: Fact | None = None

    @property
    def name(self) -> str:
        """As it is typed behind --suppose, unless it is a fact."""
        if self.fact is not None:
            return self.fact.name
        return ",".join(supposed.name for supposed in self.combination)

    @property
    def sentence(self) -> str:
        """What was done, or is so."""
        if self.fact is not None:
            return self.fact.sentence
        return ", and ".join(supposed.sentence for supposed in self.combination)


class _Table(NamedTuple):
    """The values of a hypothesis for a grid of its numbers, reduced in several ways."""

    row: Hypothesis
    beside: Combination
    columns: list[Combination]
    grid: Array
    values: Array


class _Crossing(NamedTuple):
    """Two neighbours of a grid, between which a hypothesis leads to the expected value."""

    table: _Table
    column: Combination
    cost: float
    ends: Ends


def _is_as_typed(candidate: Candidate, expected: Expected) -> bool:
    """Whether a value of few digits, if it agrees at all, does so to those that were typed."""
    gap = abs(candidate.value - expected.value)
    is_rounded = any(supposed.hypothesis.is_rounded for supposed in candidate.combination)
    exact = max(expected.half_unit, _SAME * expected.scale)
    return not is_rounded or gap > expected.tolerance or gap <= exact


def _is_solved(combination: Combination) -> bool:
    """Whether a number in it could be any of a span."""
    return any(supposed.hypothesis.span is not None for supposed in combination)


def _crossings(table: _Table, expected: Expected) -> Iterator[_Crossing]:
    """Where a table crosses the expected value."""
    for place, column in enumerate(table.columns):
        cost = table.row.bits + bits((*table.beside, *column)) + MORE * bool(table.beside or column)
        gaps = table.values[:, place] - expected.value
        # What a round number meets as exactly as it was typed is not looked for between others.
        exact = max(expected.half_unit, _EXACT * expected.scale)
        gaps = np.where(np.abs(gaps) <= exact, 0.0, gaps)
        signs = np.sign(gaps)
        places = np.flatnonzero(np.isfinite(gaps[:-1] * gaps[1:]) & (signs[:-1] * signs[1:] <= 0))
        for at in places.tolist():
            if at and gaps[at] == 0 and at - 1 in places:
                continue
            ends = ((float(table.grid[n]), float(gaps[n])) for n in (at, at + 1))
            yield _Crossing(table, column, cost, (next(ends), next(ends)))


class Search:
    """Looks for what leads to an expected number instead of the value of a call."""

    def __init__(self, call: Call, watch: Callable[[float], None] | None = None) -> None:
        self._outcomes = Outcomes(call, watch)
        self._outcomes.gather()
        self._tables = self._tabulated()
        self._bits = np.concatenate([each.bits for each in self._outcomes.all] or [np.zeros(0)])
        self._values = np.concatenate([each.values for each in self._outcomes.all] or [np.zeros(0)])
        self._starts = np.cumsum([0, *(len(each.bits) for each in self._outcomes.all)])

    @property
    def start(self) -> float:
        """The value of the call without any hypothesis."""
        return float(self._values[0]) if self._values.size else math.nan

    def find(self, expected: Expected) -> tuple[list[Candidate], Tally]:
        """What leads to a number or near it, and the tally by which it is weighed."""
        tally = Tally(expected, self._bits, self._values, self.start)
        with quietly():
            found = [*self._met(expected), *self._scaled(expected, tally)]
            found += self._solved(expected, tally)
        return [each for each in found if _is_as_typed(each, expected)], tally

    def _met(self, expected: Expected) -> list[Candidate]:
        """What leads to the number, or near it, as it is."""
        # Near 0 is nothing, as that is relative.
        reach = max(_NEAR * abs(expected.value), expected.tolerance)
        near = (np.abs(self._values - expected.value) <= reach) & (self._bits <= MOST_BITS)
        if math.isfinite(self.start):
            # What leads to the value itself is no mistake.
            near &= np.abs(self._values - self.start) > _SAME * expected.scale
        found = [
            Candidate(self._combination(place), *self._at(place)) for place in np.flatnonzero(near).tolist()
        ]
        return [each for each in found if each.combination]

    def _at(self, place: int) -> tuple[float, float]:
        return float(self._values[place]), float(self._bits[place])

    def _combination(self, place: int) -> Combination:
        which = int(np.searchsorted(self._starts, place, side="right")) - 1
        return self._outcomes.all[which].supposed(place - int(self._starts[which]))

    # -- factors -----------------------------------------------------------------------------------------

    def _scaled(self, expected: Expected, tally: Tally) -> list[Candidate]:
        """A factor, or a divisor, that is a round number."""
        is_open = np.zeros(len(self._values), bool)
        for start, each in zip(self._starts, self._outcomes.all, strict=False):
            is_open[start : start + each.open] = True
        found: list[Candidate] = []
        for step in (TIMES, DIVIDED):
            ratios = expected.value / self._values if step is TIMES else self._values / expected.value
            low = 1e-6 if step is TIMES else 1.0
            fine = is_open & np.isfinite(ratios) & (ratios > low) & (ratios < 1e6)
            places = np.flatnonzero(fine & (self._costs(step) + bits_of(2) < MOST_BITS))
            found += self._rounded(step, places, ratios[places], expected, tally)
        return found

    def _costs(self, step: Hypothesis) -> Array:
        """The bits of each value with a further step."""
        return self._bits + step.bits + MORE * (np.arange(len(self._bits)) > 0)

    def _rounded(
        self, step: Hypothesis, places: Array, ratios: Array, expected: Expected, tally: Tally
    ) -> list[Candidate]:
        """The ratios that are round numbers."""
        values, costs = self._values[places], self._costs(step)[places]
        magnitude = np.floor(np.log10(ratios))
        done = np.abs(ratios - 1) < 1e-9
        found = []
        for digits in range(1, _DIGITS + 1):
            unit = 10.0 ** (magnitude - digits + 1)
            numbers = np.round(ratios / unit) * unit
            reached = values * numbers if step is TIMES else values / numbers
            slopes = np.abs(values) if step is TIMES else np.abs(values) / numbers**2
            tally.spread(costs + digits * _BITS_OF_DIGIT, _NEW / (unit * slopes))
            hits = (
                (np.abs(reached - expected.value) <= expected.tolerance)
                & ~done
                & (np.abs(numbers - 1) > _SAME)
            )
            done |= hits
            for hit in np.flatnonzero(hits):
                number = float(f"{numbers[hit]:.{digits}g}")
                combination = (*self._combination(places[hit]), Supposed(step, number))
                cost = float(costs[hit]) + bits_of(number)
                found.append(Candidate(combination, float(reached[hit]), cost))
        return found

    # -- parameters --------------------------------------------------------------------------------------

    def _tabulated(self) -> list[_Table]:
        """The values of each hypothesis with a free number, by itself and beside another one."""
        outcomes = self._outcomes
        ways: list[Combination] = [
            (),
            *(way for way in outcomes.single if bits(way) <= _BESIDE_BITS and not _is_solved(way)),
        ]
        tables = []
        most = outcomes.done + outcomes.most
        with quietly():
            for beside in ways:
                stages = {supposed.hypothesis.stage for supposed in beside}
                for row in sorted(outcomes.solved, key=lambda row: row.bits):
                    if row.stage in stages or row in (TIMES, DIVIDED) or (row.stage == "last" and beside):
                        continue
                    if outcomes.done < most:
                        tables.append(self._table(row, beside))
        return tables

    def _table(self, row: Hypothesis, beside: Combination) -> _Table:
        assert row.span is not None
        columns = self._columns(row, beside)
        grid = row.span.grid()
        values = [self._reduced(ordered((*beside, Supposed(row, float(each)))), columns) for each in grid]
        return _Table(row, beside, columns, grid, np.array(values))

    def _columns(self, row: Hypothesis, beside: Combination) -> list[Combination]:
        """How the losses are reduced where a number is solved for: as asked for, and otherwise."""
        most = _REDUCED_BESIDE_BITS if beside or self._outcomes.is_large else _REDUCED_BITS
        ways = [*self._outcomes.aggregations, *(() if row.stage == "last" else self._outcomes.last)]
        if len(beside) >= MOST - 1:
            return [()]
        return [(), *((Supposed(way),) for way in ways if way.bits <= most and not way.has_number)]

    def _reduced(self, combination: Combination, columns: Sequence[Combination]) -> Array:
        """The value for each of several ways to reduce the losses; NaN where one does not apply."""
        found = np.full(len(columns), np.nan)
        changes = tuple(each for each in combination if each.hypothesis.stage != "last")
        last = tuple(each for each in combination if each.hypothesis.stage == "last")
        losses = self._outcomes.losses(changes)
        if losses is None or losses.whole.size != 1:
            return found
        for place, column in enumerate(columns):
            try:
                found[place] = float(finished(losses, (*column, *last)))
            except NotApplicable:
                continue
        return found

    def _solved(self, expected: Expected, tally: Tally) -> list[Candidate]:
        """The round numbers with which a hypothesis leads to the expected value, the likeliest first."""
        crossings = sorted(
            (crossing for table in self._tables for crossing in _crossings(table, expected)),
            key=lambda crossing: crossing.cost,
        )
        last = self._outcomes.done + self._outcomes.most
        found: list[Candidate] = []
        for crossing in crossings:
            if self._outcomes.done > last:
                break
            found += self._refined(crossing, expected, tally)
        return found

    def _refined(self, crossing: "_Crossing", expected: Expected, tally: Tally) -> list[Candidate]:
        """The number between two that leads to the expected value, if it is round."""
        table, column, cost, ends = crossing

        def value(number: float) -> float:
            changes = ordered((*table.beside, Supposed(table.row, number)))
            return float(self._reduced(changes, [column])[0])

        enough = expected.tolerance * 1e-2
        number, slope = solution(table.row.span, lambda at: value(at) - expected.value, ends, enough)
        if not math.isfinite(number) or number == 0 or not slope:
            return []
        magnitude = math.floor(math.log10(abs(number)))
        reach = 1.5 * expected.tolerance / abs(slope)
        found: list[Candidate] = []
        for digits in range(1, _DIGITS + 1):
            unit = 10.0 ** (magnitude - digits + 1)
            density = np.array([_NEW / (unit * abs(slope))])
            tally.spread(np.array([cost + digits * _BITS_OF_DIGIT]), density)
            rounded = float(f"{number:.{digits}g}")
            if found or abs(rounded - number) > reach:
                continue
            reached = value(rounded)
            if abs(reached - expected.value) <= expected.tolerance:
                combination = ordered((*table.beside, Supposed(table.row, rounded), *column))
                found.append(Candidate(combination, reached, cost + bits_of(rounded)))
        return found
