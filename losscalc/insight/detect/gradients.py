"""The gradients of calls as hypotheses have them."""

import numpy as np

from losscalc.catalogue.base import check_wrt
from losscalc.core.array import Array
from losscalc.core.reductions import NONE, REDUCTIONS, SUM
from losscalc.engine.compute import compute
from losscalc.errors import LosscalcError
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Combination, Hypothesis, NotApplicable, require
from losscalc.insight.detect.losses import Losses
from losscalc.insight.detect.outcomes import applied, begun

# A change of the gradient is one of all numbers alike; other last steps are of one number.
_LINEAR = ("half", "double", "negative")
# Rows may become so many times as wide, or have so many numbers.
_WIDER, _NARROW = 4, 100


def is_of_gradients(row: Hypothesis) -> bool:
    """Whether a hypothesis on what is done with losses has a meaning for their gradient."""
    return row.name in REDUCTIONS if row.stage == "aggregation" else row.name in _LINEAR


def require_size(call: Call, changed: Call) -> None:
    """Raise NotApplicable if a change makes many more numbers, as broadcasting or pairs of rows do."""
    require(call.operation.needs_whole or not changed.operation.needs_whole)
    try:
        width, most = changed.layout.width, _WIDER * call.layout.width
    except LosscalcError as error:
        raise NotApplicable from error
    require(width <= max(most, _NARROW))


def gradient(call: Call, combination: Combination) -> Array:
    """The gradient under hypotheses; NotApplicable where one does not apply."""
    state: Call | Losses = begun(call, combination[0]) if combination else call
    factor = 1.0
    for supposed in combination:
        row = supposed.hypothesis
        if row.stage == "aggregation":
            require(is_of_gradients(row))
            state = _reduced(state, row.name)
        elif row.stage == "last":
            require(is_of_gradients(row))
            factor = float(row.apply(None, np.ones(())))
        else:
            state = applied(state, supposed)
    if isinstance(state, Losses):
        raise NotApplicable
    require_size(call, state)
    return factor * _computed(state, _moves_classes(call, state))


def _reduced(call: Call | Losses, name: str) -> Call:
    """The call with another reduction; the derivative of none is that of the sum."""
    if isinstance(call, Losses):
        raise NotApplicable
    own = SUM.name if call.reduction.keeps else call.reduction.name
    require(name not in (own, NONE.name) and name in call.operation.reductions)
    return call._replace(reduction=REDUCTIONS[name])


def _moves_classes(call: Call, changed: Call) -> bool:
    """Whether the classes stand on axis 1 where the call has them on the last one."""
    axes = [each.operation.settings.get("class_axis") for each in (call, changed)]
    return axes == [-1, 1]


def _computed(call: Call, moves_classes: bool) -> Array:
    assert call.wrt is not None
    require(call.wrt in call.arrays)
    try:
        check_wrt(call.operation, call.wrt, call.arrays)
        value = compute(call._replace(samples=0, examine=None, by=None)).value
    except LosscalcError as error:
        raise NotApplicable from error
    found = np.asarray(value, np.float64)
    return np.moveaxis(found, 1, -1) if moves_classes and found.ndim > 2 else found
