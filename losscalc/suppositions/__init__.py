"""What may have been done otherwise where a number differs: one row each, the simplest first."""

from collections.abc import Iterable, Iterator

from losscalc.calls import Call
from losscalc.suppositions.conventions import CONVENTIONS
from losscalc.suppositions.counts import DENOMINATORS, REDUCTIONS, WEIGHTS
from losscalc.suppositions.data import INPUTS, SHAPES, SMOOTHING, TARGETS
from losscalc.suppositions.numerics import CLIPPING, FACTORS, PRECISION, of_loss
from losscalc.suppositions.supposition import Supposition

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
