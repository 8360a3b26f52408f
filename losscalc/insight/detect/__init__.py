"""What may have been done otherwise where a number differs: one row each, the simplest first."""

from collections.abc import Iterable, Iterator

from losscalc.insight.call import Call
from losscalc.insight.detect.conventions import CONVENTIONS
from losscalc.insight.detect.counts import DENOMINATORS, REDUCTIONS, WEIGHTS
from losscalc.insight.detect.data import INPUTS, SHAPES, SMOOTHING, TARGETS
from losscalc.insight.detect.hypothesis import Supposition
from losscalc.insight.detect.numerics import CLIPPING, FACTORS, PRECISION, of_loss

__all__ = ["Supposition", "groups", "suppositions"]


def groups(call: Call) -> Iterator[Iterable[Supposition]]:
    """Everything that may be supposed of a call, what is of one kind together."""
    yield from (REDUCTIONS, FACTORS, WEIGHTS)
    yield [*of_loss(call), *CONVENTIONS.get(call.loss.name, ())]
    yield from (DENOMINATORS, INPUTS, TARGETS, SHAPES)
    yield from (SMOOTHING, CLIPPING, PRECISION)


def suppositions(call: Call) -> Iterator[Supposition]:
    """Everything that may be supposed of a call."""
    return (row for rows in groups(call) for row in rows)
