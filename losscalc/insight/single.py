"""The single losses of a call, and its arrays as the loss itself takes them."""

from typing import Any

import numpy as np

from losscalc.core.array import Array
from losscalc.core.reductions import NONE, Terms
from losscalc.core.roles import as_indices, as_real
from losscalc.core.shapes import Layout
from losscalc.engine.block import grouped
from losscalc.insight.call import Call


def single_losses(call: Call) -> Array:
    """The losses without reduction."""
    return np.asarray(call._replace(reduction=NONE.name).compute().value, dtype=np.float64)


def layout_of(call: Call) -> Layout:
    """How the arrays of a call fit together."""
    arrays = {name: np.asarray(array) for name, array in call.arrays.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    return call.loss.layout(shapes, {name: array.dtype for name, array in arrays.items()}, call.broadcast)


def numbers(call: Call) -> dict[str, Any]:
    """The arguments of `terms`: class indices as int64, all else as float64, a state as a mapping."""
    indices = layout_of(call).indices
    arrays = {name: np.asarray(array) for name, array in call.arrays.items()}
    return grouped(
        {name: as_indices(name, a) if name in indices else as_real(a) for name, a in arrays.items()}
    )


def terms_of(call: Call) -> Terms:
    """What the loss makes of all arrays as one block."""
    with np.errstate(all="ignore"):
        return call.loss.terms(**numbers(call))
