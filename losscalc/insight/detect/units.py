"""Hypotheses on units: input and target were both brought to another scale, that of the target."""

from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import changed, real
from losscalc.insight.detect.hypothesis import Row, require, rows


def _in(unit: Callable[[Array], float]) -> Callable[[Call], Call]:
    """A change to units of something of the target. Where both begin does not matter to differences."""

    def scaled(call: Call) -> Call:
        require(call.arrays.keys() >= {"input", "target"})
        target = real(call, "target")
        size = float(unit(target)) if target.size else 0.0
        require(size > 0)
        for name in ("input", "target"):
            call = changed(call, name, lambda values: values / size)
        return call

    return scaled


def _each(change: Callable[[Array], Array]) -> Callable[[Call], Call]:
    """A change of input and target, each by its own numbers."""

    def scaled(call: Call) -> Call:
        require(call.arrays.keys() >= {"input", "target"} and real(call, "input").size > 2)
        for name in ("input", "target"):
            call = changed(call, name, change)
        return call

    return scaled


def _has_numbers(loss: Loss) -> bool:
    return loss.labels in ("values", "counts")


_UNITS: tuple[Row, ...] = (
    ("standardized-both", "input and target were both divided by the standard deviation of the target", 6.0,
     _in(lambda y: y.std()), _has_numbers),
    ("standardized-both-sample", "input and target were both divided by the standard deviation of the target "
     "as a sample (n - 1), as pandas and PyTorch compute it", 6.0,
     _in(lambda y: y.std(ddof=1) if y.size > 1 else 0.0), _has_numbers),
    ("standardized-each", "input and target were standardised, each by its own mean and deviation", 5.0,
     _each(lambda v: np.asarray((v - v.mean()) / v.std())), _has_numbers),
    ("scaled-each", "input and target were scaled to [0, 1], each from its own least to its largest", 5.5,
     _each(lambda v: np.asarray((v - v.min()) / np.ptp(v))), _has_numbers),
    ("scaled-both", "input and target were both divided by the range of the target: it is from 0 to 1",
     6.0, _in(np.ptp), _has_numbers),
)  # fmt: skip

UNITS = rows("arrays", _UNITS)
