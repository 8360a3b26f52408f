"""The calls that insight looks into: those of losses, with their arrays in memory."""

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.engine.call import Call as AnyCall
from losscalc.errors import ShapeError

Call = AnyCall[Loss]


def simplified(call: Call) -> Call:
    """The same call as all that looks into it expects it: of whole arrays, with the classes on axis 1."""
    shift = call.operation.settings.get("shift")
    if shift is not None and (shift or "mask" in call.arrays):
        arrays = call.operation.taken(call.held)
        if np.shape(arrays["target"]) != np.shape(arrays["input"]):
            # The labels that it leaves out are ignored already.
            arrays.pop("mask", None)
        call = call.having(shift=False)._replace(arrays=arrays)
    return classes_on_axis_1(_broadcast(call))


def _broadcast(call: Call) -> Call:
    """The same call with input and target in the shape that they broadcast to; gradients keep theirs.

    So does an input that broadcasts along axis 0, as batchmean divides by its rows.
    """
    if not call.broadcast or call.wrt is not None or not call.arrays.keys() >= {"input", "target"}:
        return call
    try:
        _ = call._replace(broadcast=False).layout
    except ShapeError:
        shape = np.shape(call.held["input"])
        whole = np.broadcast_shapes(shape, np.shape(call.held["target"]))
        if (len(shape), shape[:1]) == (len(whole), whole[:1]):
            for name in ("input", "target"):
                call = call.changed(name, lambda values: np.broadcast_to(values, whole).copy())
    return call


def classes_on_axis_1(call: Call) -> Call:
    """The same call with its classes on axis 1, where all that looks into it expects them."""
    axes = np.ndim(call.held["input"]) if "input" in call.arrays else 0
    if call.operation.settings.get("class_axis") != -1 or axes <= 2:
        return call
    moved = {
        name: np.moveaxis(array, -1, 1) if array.ndim == axes else array for name, array in call.held.items()
    }
    return call.having(class_axis=1)._replace(arrays=moved)
