"""What may have been done otherwise where a number differs: one row each, the simplest first."""

from collections.abc import Iterator

from losscalc.calls import Call
from losscalc.suppositions.counts import DENOMINATORS, REDUCTIONS, WEIGHTS
from losscalc.suppositions.data import INPUTS, SHAPES, SMOOTHING, TARGETS
from losscalc.suppositions.numerics import CLIPPING, FACTORS, PRECISION, of_loss
from losscalc.suppositions.supposition import Supposition

__all__ = ["Supposition", "suppositions"]


def suppositions(call: Call) -> Iterator[Supposition]:
    """Everything that may be supposed of a call."""
    for rows in (REDUCTIONS, FACTORS, WEIGHTS, of_loss(call), DENOMINATORS, INPUTS, TARGETS, SHAPES):
        yield from rows
    for rows in (SMOOTHING, CLIPPING, PRECISION):
        yield from rows
