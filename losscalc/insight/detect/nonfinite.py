"""The search for what leads to infinity or NaN, which few hypotheses do, and hardly any by chance."""

import math
import re
from collections.abc import Iterator

from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Combination, NotApplicable, Supposed, bits, quietly
from losscalc.insight.detect.losses import Losses
from losscalc.insight.detect.outcomes import Outcomes, finished
from losscalc.insight.detect.search import Candidate
from losscalc.insight.detect.verdict import Explanation, Verdict

# So many causes are told, or those that may be if the value is not finite itself.
_MOST, _MOST_UNDECIDED = 4, 2
_DTYPE = r"-b?float\d+$"


def special(call: Call, expected: float) -> Verdict:
    """What leads to infinity or NaN by itself: with something besides, too much does."""
    outcomes = Outcomes(call)
    with quietly():
        found = sorted(_values(outcomes), key=lambda pair: bits(pair[0]))
    start = next((value for combination, value in found if not combination), math.nan)
    told: list[Explanation] = []
    for tried, (combination, value) in enumerate(found, start=1):
        if combination and (value == expected or (math.isnan(value) and math.isnan(expected))):
            candidate = Candidate(combination, value, bits(combination))
            told.append(Explanation(candidate, (len(told) + 1) / tried))
    told = _once(told)
    if math.isfinite(start):
        return Verdict(tuple(told[:_MOST]))
    return Verdict(undecided=tuple(told[:_MOST_UNDECIDED]))


def _once(told: list[Explanation]) -> list[Explanation]:
    """Each hypothesis once, with the first of its numbers or dtypes."""
    names: set[str] = set()
    kept = []
    for each in told:
        name = re.sub(_DTYPE, "", each.candidate.combination[0].hypothesis.name)
        if name not in names:
            kept.append(each)
        names.add(name)
    return kept


def _values(outcomes: Outcomes) -> Iterator[tuple[Combination, float]]:
    """The value of the call, and that of each change, aggregation and last step."""
    losses = outcomes.losses(())
    if losses is None or losses.whole.size != 1:
        return
    yield (), float(losses.whole)
    for supposed in sorted(outcomes.changes, key=lambda each: each.bits):
        changed = outcomes.losses((supposed,)) if outcomes.done <= outcomes.most else None
        if changed is not None and changed.whole.size == 1:
            yield (supposed,), float(changed.whole)
    yield from _reduced(outcomes, losses)


def _reduced(outcomes: Outcomes, losses: Losses) -> Iterator[tuple[Combination, float]]:
    for row in (*outcomes.aggregations, *outcomes.last):
        try:
            numbers = [None] if row.tried is None else [float(each) for each in row.tried(losses)]
        except NotApplicable:
            continue
        for number in numbers:
            try:
                value = float(finished(losses, (Supposed(row, number),)))
            except NotApplicable:
                continue
            yield (Supposed(row, number),), value
