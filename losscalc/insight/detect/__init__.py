"""The search for a mistake: hypotheses on why a number differs, the simplest first."""

from collections.abc import Iterator

from losscalc.insight.call import Call
from losscalc.insight.detect.conventions import CONVENTIONS, FOCAL
from losscalc.insight.detect.counts import DENOMINATORS, REDUCTIONS, WEIGHTS
from losscalc.insight.detect.data import INPUTS, SHAPES, SMOOTHING, TARGETS
from losscalc.insight.detect.distances import DISTANCES
from losscalc.insight.detect.hypothesis import Hypothesis, NotApplicable
from losscalc.insight.detect.numerics import CLIPPING, FACTORS, PRECISION
from losscalc.insight.detect.parameters import of_libraries, of_loss

__all__ = ["Hypothesis", "NotApplicable", "groups", "hypotheses"]


def groups(call: Call) -> Iterator[list[Hypothesis]]:
    """All hypotheses on a call, in groups of one kind."""
    for rows in (
        REDUCTIONS,
        FACTORS,
        WEIGHTS,
        [*FOCAL, *of_libraries(call.operation), *of_loss(call.operation), *DISTANCES, *CONVENTIONS],
        DENOMINATORS,
        INPUTS,
        TARGETS,
        SHAPES,
        SMOOTHING,
        CLIPPING,
        PRECISION,
    ):
        yield [row.of(call.operation) for row in rows if row.concerns(call.operation)]


def hypotheses(call: Call) -> Iterator[Hypothesis]:
    """All hypotheses on a call."""
    return (row for rows in groups(call) for row in rows)
