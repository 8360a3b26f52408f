"""The single losses of a call, and its arrays as the loss gets them."""

from typing import Any

import numpy as np

from losscalc.core.array import Array
from losscalc.core.reductions import NONE, Terms
from losscalc.core.roles import as_indices, as_real
from losscalc.engine.block import grouped
from losscalc.engine.compute import compute
from losscalc.errors import UsageError
from losscalc.insight.call import Call


def has_single_losses(call: Call) -> bool:
    """Whether the loss is one of single losses, rather than of sums over the whole batch."""
    return not compute(call).partial.sums


def single_losses(call: Call) -> Array:
    """The single losses; UsageError where the loss is one of the whole batch."""
    done = compute(call._replace(reduction=NONE))
    if done.partial.sums:
        raise UsageError(f"{call.operation.name} has no single losses: it is a function of sums")
    return np.asarray(done.value, dtype=np.float64)


def numbers(call: Call) -> dict[str, Any]:
    """The arguments of `terms`: class indices as int64, everything else as float64, a state as a mapping."""
    indices = call.layout.indices
    arrays = {name: as_indices(name, a) if name in indices else as_real(a) for name, a in call.held.items()}
    return grouped(call.operation.taken(arrays))


def terms_of(call: Call) -> Terms:
    """The terms of the whole call as one block."""
    with np.errstate(all="ignore"):
        return call.operation.evaluated(numbers(call), call.layout.dtype)
