"""A call of a loss with its arrays in memory, which can be repeated with something changed."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.reductions import MEAN, REDUCTIONS, Partial
from losscalc.core.roles import as_indices, as_real
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

    @property
    def value(self) -> Array:
        """The reduced loss."""
        return self.compute().value

    @property
    def partial(self) -> Partial:
        """The sums and counts."""
        return self.compute().partial

    @property
    def single(self) -> Array:
        """The losses without reduction."""
        return np.asarray(self._replace(reduction="none").value, dtype=np.float64)

    @property
    def total(self) -> float:
        """The sum of the losses, not rounded to any dtype."""
        return float(self.partial.total)

    @property
    def scalar_sum(self) -> float:
        """The same, of a call that gives one number."""
        if self.reduction == "none":
            raise ValueError("there is no sum")
        return self.total

    @property
    def first(self) -> Array:
        """The first array, which holds the predictions."""
        return np.asarray(next(iter(self.arrays.values())))

    @property
    def rows(self) -> int:
        """The length of axis 0."""
        return len(self.first) if self.first.ndim else 1

    @property
    def is_mean(self) -> bool:
        """Whether the losses are averaged."""
        return self.reduction == MEAN.name

    @property
    def beside(self) -> frozenset[str]:
        """The arrays that have a row, or an element, for each loss; of CTC, all but its log-probabilities."""
        shapes = {name: np.shape(array) for name, array in self.arrays.items()}
        dtypes = {name: np.asarray(array).dtype for name, array in self.arrays.items()}
        layout = self.loss.layout(shapes, dtypes, self.broadcast)
        return layout.cut or layout.indices

    @property
    def numbers(self) -> dict[str, Array]:
        """The arrays as the loss itself takes them."""
        shapes = {name: np.shape(array) for name, array in self.arrays.items()}
        dtypes = {name: np.asarray(array).dtype for name, array in self.arrays.items()}
        indices = self.loss.layout(shapes, dtypes, self.broadcast).indices
        return {
            name: as_indices(name, np.asarray(array)) if name in indices else as_real(np.asarray(array))
            for name, array in self.arrays.items()
        }

    def taken(self, *names: str) -> list[Array]:
        """Some of the arrays as the loss itself takes them."""
        numbers = self.numbers
        return [numbers[name] for name in names]

    def to_scalar(self, reduction: str) -> Array:
        """The value of another reduction to one number."""
        if reduction == self.reduction or self.reduction == "none" or reduction not in self.loss.reductions:
            raise ValueError("there is no other reduction of that name")
        return self._replace(reduction=reduction).value

    def reduced(self, single: Array) -> Array:
        """Losses that were computed elsewhere, reduced with the denominator of the call."""
        if self.reduction == "none":
            return single
        divisor = float(REDUCTIONS[self.reduction].denominator(self.partial))
        return np.asarray(single.sum() / single.dtype.type(divisor))

    def changed(self, name: str, change: Callable[[Array], Array]) -> "Call":
        """The call with one of its arrays changed."""
        return self._replace(arrays={**self.arrays, name: change(np.asarray(self.arrays[name]))})

    def without(self, name: str) -> "Call":
        """The call without one of its arrays."""
        kept = {key: array for key, array in self.arrays.items() if key != name}
        if len(kept) == len(self.arrays):
            raise KeyError(name)
        return self._replace(arrays=kept)

    def having(self, **settings: Any) -> "Call":
        """The call with other parameters."""
        return self._replace(loss=type(self.loss)(**{**self.loss.settings, **settings}))

    def exchanged(self) -> "Call":
        """The call with input and target exchanged."""
        x, y = (self.arrays[name] for name in ("input", "target"))
        return self._replace(arrays={**self.arrays, "input": y, "target": x})

    def relabelled(self, step: int) -> Array:
        """The value with every class index moved by a step, and ignored ones left alone."""
        ignored = getattr(self.loss, "ignore_index", None)
        name = "targets" if "targets" in self.arrays else "target"
        return self.changed(name, lambda y: np.where(y == ignored, y, y + step)).value

    def smoothed(self, share: float, towards: float = 0.5) -> Array:
        """The value with labels from 0 to 1 drawn towards a number, which is ½ unless given."""
        if hasattr(self.loss, "label_smoothing"):
            raise ValueError("classes have a smoothing of their own")
        return self.changed("target", lambda y: y * (1 - share) + share * towards).value


def along_classes(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function of the last axis, along axis 1, where the classes are, or 0 of a single sample."""

    def along(x: Array) -> Array:
        axis = 0 if x.ndim == 1 else 1
        return np.moveaxis(function(np.moveaxis(x.astype(np.float64), axis, -1)), -1, axis)

    return along
