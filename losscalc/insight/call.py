"""The calls that insight looks into: those of losses, with their arrays in memory."""

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.engine.call import Call as AnyCall

Call = AnyCall[Loss]


def classes_on_axis_1(call: Call) -> Call:
    """The same call with its classes on axis 1, where all that looks into it expects them."""
    axes = np.ndim(call.held["input"]) if "input" in call.arrays else 0
    if call.operation.settings.get("class_axis") != -1 or axes <= 2:
        return call
    moved = {
        name: np.moveaxis(array, -1, 1) if array.ndim == axes else array for name, array in call.held.items()
    }
    return call.having(class_axis=1)._replace(arrays=moved)
