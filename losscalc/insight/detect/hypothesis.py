"""What a supposition is: something that may have been done otherwise where a number differs."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import LosscalcError
from losscalc.insight.call import Call

# What a supposition raises that does not apply to a call: there is no such array, parameter or axis.
_DOES_NOT_APPLY = (
    LosscalcError, KeyError, ValueError, IndexError, TypeError, AttributeError, ArithmeticError, MemoryError,
)  # fmt: skip


class Supposition(NamedTuple):
    """A name, under which the command line computes it, a sentence, and the value it leads to."""

    name: str
    sentence: str
    compute: Callable[..., Any]
    options: str = ""
    """The options that do the same, where there are any."""

    def value(self, call: Call) -> Array | None:
        """The value, or None where the supposition does not apply."""
        try:
            with np.errstate(all="ignore"):
                return np.asarray(self.compute(call), dtype=np.float64)
        except _DOES_NOT_APPLY:
            return None
