"""All values that combinations of hypotheses lead to, whatever number is expected."""

import itertools
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import LosscalcError
from losscalc.insight.call import Call, simplified
from losscalc.insight.detect.catalogue import hypotheses
from losscalc.insight.detect.hypothesis import (
    MORE,
    OF_CALLS,
    Combination,
    Hypothesis,
    NotApplicable,
    Supposed,
    bits,
    bits_of,
    ordered,
    quietly,
    require,
)
from losscalc.insight.detect.losses import Losses

MOST = 3
"""No more hypotheses hold together."""
MOST_BITS = 14.0
"""Combinations that are less likely than this are not looked at."""
# A second change of the call is tried if both together are at least as likely as this.
_PAIR_BITS = 12.0
# Calls that are computed: so many, or fewer if they are large.
_CALLS, _FEWEST_CALLS = 1600, 30
# A call takes some time, and more for each element; for larger ones people wait longer, up to a limit.
_OF_CALL, _OF_ELEMENT = 4e-4, 3.3e-8
_WAIT, _LONGER, _LONGEST = 0.4, 2.3e-6, 2.5
# Changed calls are kept for others if they are no larger than this.
_KEPT = 200_000
# So many elements take long to reduce; what is not as likely as below is reduced by the likeliest ways alone.
_MANY, _LIKELIEST = 50_000, 5.0
# All sizes of batches are tried of the losses themselves, and of what is at least as likely as this.
_THOROUGH_BITS = 2.5

Way = tuple[Hypothesis | None, float | None]
"""How losses became a number: an aggregation, and its number."""


class Reduced(NamedTuple):
    """The values of the losses of one combination, by every aggregation and, of those, every last step."""

    combination: Combination
    ways: list[Way]
    steps: list[Hypothesis | None]
    starts: list[int]
    """Where the values of each step begin."""
    bits: Array
    values: Array
    open: int
    """How many of the values may be changed further."""

    def supposed(self, place: int) -> Combination:
        """The combination that leads to one of the values."""
        which = int(np.searchsorted(self.starts, place, side="right")) - 1
        row, number = self.ways[place - self.starts[which]]
        added = [] if row is None else [Supposed(row, number)]
        step = self.steps[which]
        return (*self.combination, *added, *([] if step is None else [Supposed(step)]))


class Outcomes:
    """Computes calls as hypotheses have them, and reduces their losses."""

    def __init__(self, call: Call, watch: Callable[[float], None] | None = None) -> None:
        self.call = call
        self.all: list[Reduced] = []
        self.single: list[Combination] = []
        """Single changes that make a difference, the likeliest first."""
        self._watch = watch or (lambda share: None)
        self._elements = max(1, sum(array.size for array in call.held.values()))
        wait = min(_WAIT + _LONGER * self._elements, _LONGEST)
        calls = wait / (_OF_CALL + _OF_ELEMENT * self._elements)
        self.most = int(min(_CALLS, max(_FEWEST_CALLS, calls)))
        """The number of calls that may be computed, and as many again for each of two ways to solve."""
        self.done = 0
        rows = list(hypotheses(call))
        fixed = [row for row in rows if row.span is None]
        self.changes = _expanded([row for row in rows if row.stage in (*OF_CALLS, "losses")], call)
        self.solved = [row for row in rows if row.span is not None]
        self.aggregations = [row for row in fixed if row.stage == "aggregation"]
        self.last = [row for row in fixed if row.stage == "last"]
        self._seen: set[Hashable] = set()
        self._changed: dict[Supposed, Call | Losses | None] = {}

    @property
    def is_large(self) -> bool:
        """Whether there are so many elements that each way to reduce them takes long."""
        return self._elements > _MANY

    def gather(self) -> None:
        """Go through single changes and pairs of them, the likeliest first."""
        with quietly():
            self._look((), is_thorough=True)
            single = sorted(((each,) for each in self.changes), key=bits)
            self.single = [way for way in single if self.done <= self.most and self._look(way)]
            for pair in self.pairs():
                if self.done > self.most:
                    break
                self._look(pair)

    def pairs(self) -> list[Combination]:
        """Two changes of different stages, the likeliest first."""
        pairs = [
            ordered((*one, *other))
            for one, other in itertools.combinations(self.single, 2)
            if one[0].hypothesis.stage != other[0].hypothesis.stage and bits((*one, *other)) <= _PAIR_BITS
        ]
        return sorted(pairs, key=bits)

    def _look(self, combination: Combination, *, is_thorough: bool = False) -> bool:
        """Reduce the losses of such a call in every way; returns whether they are others than before."""
        losses = self.losses(combination)
        if losses is None or losses.whole.size != 1:
            return False
        mark = losses.fingerprint
        cost = bits(combination)
        if mark in self._seen:
            # Another name of the same, of which the number alone is told.
            self.all.append(_alone(losses, combination))
            return False
        self._seen.add(mark)
        losses = losses._replace(is_thorough=is_thorough or cost <= _THOROUGH_BITS)
        more = MORE if combination else 0.0
        room = MOST_BITS - cost if len(combination) < MOST else 0.0
        if self.is_large and not losses.is_thorough:
            room = min(room, _LIKELIEST)
        ways, own, values = self._aggregated(losses, more, room)
        self.all.append(self._stepped(losses, combination, ways, cost + own, values))
        return True

    def losses(self, combination: Combination) -> Losses | None:
        """The losses of the call as it is changed; None where something does not apply."""
        self.done += 1
        if self.done % 8 == 0:
            self._watch(min(1.0, self.done / self.most / 3))
        try:
            return computed(self._started(combination), combination[1:])
        except NotApplicable:
            return None

    def _started(self, combination: Combination) -> Call | Losses:
        """The call after the first change, which many combinations share."""
        if not combination:
            return simplified(self.call)
        first = combination[0]
        if first.hypothesis.stage == "losses" or first.number is not None or self._elements > _KEPT:
            return applied(begun(self.call, first), first)
        if first not in self._changed:
            try:
                self._changed[first] = applied(begun(self.call, first), first)
            except NotApplicable:
                self._changed[first] = None
        if (changed := self._changed[first]) is None:
            raise NotApplicable
        return changed

    def _aggregated(self, losses: Losses, more: float, room: float) -> tuple[list[Way], Array, Array]:
        """Every number that the losses may become: how, its bits, and its value."""
        ways: list[Way] = [(None, None)]
        costs, values = [np.zeros(1)], [losses.whole.reshape(1)]
        for row in self.aggregations:
            if row.bits + more > room:
                continue
            try:
                if row.tried is None:
                    ways.append((row, None))
                    values.append(np.asarray(row.apply(losses), np.float64).reshape(1))
                    costs.append(np.array([row.bits + more]))
                    continue
                keys = np.asarray(list(row.tried(losses)), np.float64)
                if keys.size:
                    values.append(row.apply(losses, keys))
                    costs.append(row.bits + more + np.array([_bits_of(key) for key in keys]))
                    ways += [(row, float(key)) for key in keys]
            except NotApplicable:
                del ways[sum(map(len, values)) :]
        return ways, np.concatenate(costs), np.concatenate(values)

    def _stepped(
        self, losses: Losses, combination: Combination, ways: list[Way], costs: Array, values: Array
    ) -> Reduced:
        """The numbers as they are, and after each last step."""
        # What is aggregated otherwise is a hypothesis as well.
        most = len(values) if len(combination) < MOST - 1 else 1 if len(combination) < MOST else 0
        steps: list[Hypothesis | None] = [None]
        all_costs, all_values = [costs], [losses.rounds(values)]
        for step in self.last if most else ():
            if step.bits > MOST_BITS - costs[0]:
                continue
            try:
                all_values.append(losses.rounds(step.apply(losses, values[:most])))
            except NotApplicable:
                continue
            steps.append(step)
            is_more = (np.arange(most) > 0) | bool(combination)
            all_costs.append(costs[:most] + step.bits + MORE * is_more)
        starts = [0, *np.cumsum([len(each) for each in all_values])[:-1].tolist()]
        return Reduced(
            combination, ways, steps, starts, np.concatenate(all_costs), np.concatenate(all_values), most
        )


def _alone(losses: Losses, combination: Combination) -> Reduced:
    """The number that losses become as the call asks for it, which nothing changes further."""
    value = losses.rounds(losses.whole.reshape(1))
    return Reduced(combination, [(None, None)], [None], [0], np.array([bits(combination)]), value, 0)


@cache
def _bits_of(number: float) -> float:
    return bits_of(number)


def _expanded(rows: Sequence[Hypothesis], call: Call) -> list[Supposed]:
    """Each hypothesis, or one for each number that it tries."""
    return [Supposed(row, number) for row in rows for number in _numbers(row, call)]


def _numbers(row: Hypothesis, call: Call) -> Iterator[float | None]:
    if row.span is not None:
        yield from row.usual
    elif row.tried is None:
        yield None
    else:
        try:
            yield from map(float, row.tried(call))
        except NotApplicable:
            return


# -- carrying hypotheses out ------------------------------------------------------------------------------


def begun(call: Call, first: Supposed) -> Call:
    """The call as the first hypothesis finds it."""
    return call if first.hypothesis.as_given else simplified(call)


def applied(state: Call | Losses, supposed: Supposed) -> Call | Losses:
    """The call, or its losses, after a change.

    The original call has been computed before, so what the engine refuses is the change.
    """
    row = supposed.hypothesis
    require(not isinstance(state, Losses) and row.concerns(state.operation))
    try:
        with quietly():
            found: Call | Losses = row.apply(state, *supposed.arguments)
            if isinstance(found, Losses) or not row.as_given:
                return found
            # What does not fit is refused here; what is taken of arrays expects that they fit.
            _ = found.layout
            return simplified(found)
    except (LosscalcError, np.exceptions.AxisError) as error:
        # Nor has it an axis that the arrays lack.
        raise NotApplicable from error


def computed(state: Call | Losses, combination: Combination) -> Losses:
    """The losses after changes of the call, or of themselves."""
    for supposed in combination:
        state = applied(state, supposed)
    return state if isinstance(state, Losses) else Losses.of(state)


def finished(losses: Losses, combination: Combination) -> Array:
    """The number that losses become: as it is asked for, or by an aggregation and last steps."""
    value = losses.whole
    for supposed in combination:
        row = supposed.hypothesis
        if row.stage == "aggregation":
            # Single losses that are kept are not reduced in any way.
            require(not losses.call.reduction.keeps)
            keys = () if supposed.number is None else (np.array([supposed.number]),)
            value = np.asarray(row.apply(losses, *keys), np.float64).reshape(())
        else:
            value = np.asarray(row.apply(losses, value, *supposed.arguments))
    return losses.rounds(value)
