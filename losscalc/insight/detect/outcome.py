"""The vocabulary of hypotheses: computes changed calls, and raises NotApplicable where that is impossible."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.declaration import array_arguments
from losscalc.core.reductions import MEAN, Partial
from losscalc.core.shapes import beside
from losscalc.engine.compute import Computation, compute
from losscalc.errors import LosscalcError, ParameterError
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import NotApplicable, require
from losscalc.insight.single import numbers, single_losses

# -- the arrays of a call ----------------------------------------------------------------------------------


def array(call: Call, name: str) -> Array:
    """An array of the call as float or int64, because booleans and unsigned numbers cannot be negated."""
    require(name in call.arrays)
    values = np.asarray(call.arrays[name])
    return values if values.dtype.kind == "f" else values.astype(np.int64)


def taken(call: Call, *names: str) -> list[Array]:
    """Some arrays as the loss gets them."""
    require(all(name in call.arrays for name in names))
    arrays = numbers(call)
    return [arrays[name] for name in names]


def first(call: Call) -> Array:
    """The predictions."""
    return np.asarray(next(iter(call.arrays.values())))


def rows(call: Call) -> int:
    """The length of axis 0 of the predictions."""
    return len(first(call)) if first(call).ndim else 1


def is_mean(call: Call) -> bool:
    """Whether the losses are averaged."""
    return call.reduction.name == MEAN.name


# -- its result ------------------------------------------------------------------------------------------


def outcome(call: Call) -> Computation:
    """Compute a call.

    The original call has been computed before, so what the engine refuses is the change of a hypothesis.
    """
    try:
        return compute(call)
    except LosscalcError as error:
        raise NotApplicable from error


def value(call: Call) -> Array:
    """The reduced loss."""
    return outcome(call).value


def partial(call: Call) -> Partial:
    """The sums and counts."""
    return outcome(call).partial


def total(call: Call) -> float:
    """The sum of the losses, not rounded to any dtype."""
    return float(partial(call).total)


def one_sum(call: Call) -> float:
    """The same, if the call is reduced to one number."""
    require(not call.reduction.keeps)
    return total(call)


def over(amount: float, count: float) -> float:
    """An amount divided by a count that must not be 0."""
    require(count)
    return amount / count


def single(call: Call) -> Array:
    """The single losses."""
    try:
        return single_losses(call)
    except LosscalcError as error:
        raise NotApplicable from error


def reduced(call: Call, losses: Array) -> Array:
    """Reduce losses that were computed elsewhere, with the sample weights and the denominator of the call."""
    if "sample_weight" in call.arrays:
        losses = losses * beside(np.asarray(call.arrays["sample_weight"], losses.dtype), losses.ndim)
    if call.reduction.keeps:
        return losses
    divisor = float(call.reduction.denominator(partial(call)))
    value = losses.sum() / losses.dtype.type(divisor)
    return np.asarray(call.operation.linked(call.reduction, value))


# -- changes of a call -------------------------------------------------------------------------------------


def changed(call: Call, name: str, change: Callable[[Array], Array]) -> Call:
    """The call with one of its arrays changed; the array must not be empty."""
    values = array(call, name)
    require(values.size)
    return call.changed(name, lambda _: change(values))


def without(call: Call, name: str) -> Call:
    """The call without one of its arrays."""
    require(name in call.arrays)
    return call.without(name)


def having(call: Call, **settings: Any) -> Call:
    """The call with other parameters."""
    require(settings.keys() <= call.operation.settings.keys())
    try:
        return call.having(**settings)
    except ParameterError as error:
        raise NotApplicable from error


def exchanged(call: Call, one: str = "input", other: str = "target") -> Call:
    """The call with two of its arrays exchanged."""
    swapped = {one: array(call, other), other: array(call, one)}
    return call._replace(arrays={**call.arrays, **swapped})


def as_loss(call: Call, cls: type[Loss], **settings: Any) -> Call:
    """The call of another loss, with the arrays that it knows."""
    known = array_arguments(cls)
    require(all(argument.name in call.arrays for argument in known if argument.required))
    names = {argument.name for argument in known}
    arrays = {name: values for name, values in call.arrays.items() if name in names}
    return _with_loss(call, cls, settings)._replace(arrays=arrays)


def _with_loss(call: Call, cls: type[Loss], settings: Mapping[str, Any]) -> Call:
    try:
        return call._replace(operation=cls(**settings))
    except ParameterError as error:
        raise NotApplicable from error


def along_classes(function: Callable[[Array], Array], axis: int = 1) -> Callable[[Array], Array]:
    """Make a function of the last axis work along the class axis (1, or 0 for one sample), or another."""

    def along(x: Array) -> Array:
        require(x.size and x.ndim)
        own = 0 if x.ndim == 1 else axis
        return np.moveaxis(function(np.moveaxis(x.astype(np.float64), own, -1)), -1, own)

    return along
