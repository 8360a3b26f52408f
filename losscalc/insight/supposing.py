"""The working of a mistake: that of the loss as it would be computed with it."""

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.compute import compute
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import STAGES, Combination
from losscalc.insight.detect.losses import Losses
from losscalc.insight.detect.outcomes import applied, begun
from losscalc.insight.detect.suppose import combination
from losscalc.insight.explain import Explanation
from losscalc.insight.numerals import Numerals
from losscalc.outputs.working import Line, Math, Working


def supposing(call: Call, text: str, value: Array, decimals: int) -> Working:
    """The working of a call under hypotheses, given by their names, which come to a value."""
    rows = combination(call, text)
    state, last = _changed(call, rows)
    changed = (state.call if isinstance(state, Losses) else state)._replace(
        samples=call.samples, examine=None
    )
    working = Explanation(changed, compute(changed), decimals).working
    numerals = Numerals(decimals)
    first = [Line("supposed", Math.of_words(row.sentence)) for row in rows if row not in last]
    if isinstance(state, Losses):
        working = working._replace(losses=[*_replaced(state, numerals, call.samples)])
    if isinstance(state, Losses) or last:
        number = float(value) if value.ndim == 0 else None
        shown = "" if number is None else numerals.fixed(number)
        sentence = "; ".join(row.sentence for row in last or rows)
        # What follows an aggregation of another kind is not the mean.
        is_kept = not isinstance(state, Losses) and all(row.hypothesis.stage == "last" for row in last)
        kept = working.reduction if is_kept else []
        end = Line(
            "supposed" if last else "value", Math.of_words(sentence if last else "of these"), shown, number
        )
        working = working._replace(reduction=[*kept, end])
    return working._replace(losses=[*first, *working.losses])


def _changed(call: Call, rows: Combination) -> tuple[Call | Losses, Combination]:
    """The call or its losses after the changes, and the hypotheses that are about what follows."""
    last = STAGES.index("losses")
    changes = [row for row in rows if STAGES.index(row.hypothesis.stage) <= last]
    state: Call | Losses = begun(call, rows[0])
    for row in changes:
        state = applied(state, row)
    return state, tuple(row for row in rows if row not in changes)


def _replaced(losses: Losses, numerals: Numerals, most: int) -> list[Line]:
    """The single losses as they were computed otherwise."""
    places = list(np.ndindex(*losses.value.shape))[:most]
    return [
        Line(
            f"[{', '.join(map(str, place))}]" if place else "",
            Math.of_numbers(numerals.fixed(float(losses.value[place]))),
            number=float(losses.value[place]),
        )
        for place in places
    ]
