"""A call of a loss with its arrays in memory, which can be repeated with something changed."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.reductions import REDUCTIONS
from losscalc.engine import call as engine_call
from losscalc.engine import compute as engine
from losscalc.engine.compute import Computation
from losscalc.engine.sources import Source


class Call(NamedTuple):
    """A loss, its arrays under the names that the engine knows, and the reduction."""

    loss: Loss
    arrays: Mapping[str, Array]
    reduction: str
    dtype: np.dtype | None = None
    broadcast: bool = False
    dropped: int = 0
    """How many rows were left out, because some array had no number there."""
    kept: Array | None = None
    """The rows that are left, if any were left out."""
    threads: int | None = None
    """How many threads compute; by default one a core."""

    @classmethod
    def gathered(
        cls,
        loss: Loss,
        sources: Mapping[str, Source],
        reduction: str,
        dtype: np.dtype | None = None,
        broadcast: bool = False,
    ) -> "Call":
        """The call whose arrays come from these sources, without rows in which one lacks a number."""
        full = engine_call.Call(loss, sources, REDUCTIONS[reduction], dtype, broadcast)
        held, dropped = engine.gathered(full)
        return cls(loss, held.held, reduction, dtype, broadcast, dropped, held.kept)

    def compute(self, examine: Any = None) -> Computation:
        """What the engine makes of the call; `examine` looks for signs of mistakes."""
        reduction = REDUCTIONS[self.reduction]
        call = engine_call.Call(self.loss, self.arrays, reduction, self.dtype, self.broadcast)
        return engine.compute(call._replace(threads=self.threads, examine=examine))

    def changed(self, name: str, change: Callable[[Array], Array]) -> "Call":
        """The call with one of its arrays changed."""
        return self._replace(arrays={**self.arrays, name: change(np.asarray(self.arrays[name]))})

    def without(self, name: str) -> "Call":
        """The call without one of its arrays."""
        return self._replace(arrays={key: array for key, array in self.arrays.items() if key != name})

    def having(self, **settings: Any) -> "Call":
        """The call with other parameters."""
        return self._replace(loss=type(self.loss)(**{**self.loss.settings, **settings}))
