"""The vocabulary of hypotheses: changed calls; NotApplicable where a change is impossible."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.declaration import array_arguments
from losscalc.core.roles import CLASS_KINDS, NOT_OF_ROWS
from losscalc.errors import LosscalcError, ParameterError
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import NotApplicable, require
from losscalc.insight.single import numbers


def array(call: Call, name: str) -> Array:
    """An array of the call as float or int64, because booleans and unsigned numbers cannot be negated."""
    require(name in call.arrays)
    values = np.asarray(call.arrays[name])
    return values if values.dtype.kind == "f" else values.astype(np.int64)


def real(call: Call, name: str) -> Array:
    """An array of the call as float64."""
    return array(call, name).astype(np.float64)


def taken(call: Call, *names: str) -> list[Array]:
    """Some arrays as the loss gets them."""
    require(all(name in call.arrays for name in names))
    try:
        arrays = numbers(call)
    except LosscalcError as error:
        raise NotApplicable from error
    return [arrays[name] for name in names]


def both(call: Call) -> tuple[Array, Array]:
    """Input and target as the loss gets them, if each prediction has a target of its own."""
    x, y = taken(call, "input", "target")
    require(x.shape == y.shape)
    return x, y


def first(call: Call) -> Array:
    """The predictions."""
    return np.asarray(next(iter(call.arrays.values())))


def classes(call: Call, name: str = "target") -> Array:
    """Class indices, which may be written as 1.0."""
    values = array(call, name)
    require(values.size and call.operation.roles[name].kind in (*CLASS_KINDS, "values", "labels"))
    require(values.dtype.kind in "iu" or (values == np.rint(values)).all())
    return values.astype(np.int64)


def target_name(call: Call) -> str:
    """The name of the target."""
    name = next((name for name in ("target", "targets") if name in call.arrays), "")
    require(name)
    return name


def of_rows(call: Call) -> tuple[str, ...]:
    """The arrays that have a row for each row of the predictions, the predictions first."""
    require(first(call).ndim and len(first(call)) > 1)
    try:
        cut = call.layout.cut
    except LosscalcError as error:
        raise NotApplicable from error
    roles = call.operation.roles
    names = tuple(name for name in call.arrays if name in cut and roles[name].kind not in NOT_OF_ROWS)
    require(len(names) > 1 and names[0] == next(iter(call.arrays)))
    return names


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
    require(call.reduction.name in cls.reductions)
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


def bfloat16(values: Array) -> Array:
    """Numbers rounded to bfloat16, as hardware does: float32 with half of its bits, to the nearest even."""
    with np.errstate(over="ignore"):
        bits = np.asarray(values, np.float32).view(np.uint32)
    rounded = (bits + (0x7FFF + ((bits >> 16) & 1)).astype(np.uint32)) & np.uint32(0xFFFF0000)
    return np.asarray(np.where(np.isnan(values), np.nan, rounded.view(np.float32)), np.float64)


def narrowed(name: str) -> Callable[[Array], Array]:
    """Rounding to a dtype."""

    def narrow(values: Array) -> Array:
        with np.errstate(over="ignore"):
            return values.astype(name).astype(np.float64)

    return bfloat16 if name == "bfloat16" else narrow
