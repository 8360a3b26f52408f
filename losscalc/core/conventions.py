"""How other libraries compute a loss: what they do to its arrays first, its parameters, and its mean."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.reductions import Slope, Terms

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Change(NamedTuple):
    """What is done to an array before the loss, and how a derivative goes back through it."""

    of: Callable[[FloatArray], FloatArray]
    back: Callable[[FloatArray, FloatArray], FloatArray]
    """From the array, and the derivative with respect to the changed one, that with respect to the array."""


def clipped(low: float, high: float = np.inf) -> Change:
    """Numbers brought into an interval, beyond whose ends the derivative is 0."""
    return Change(
        lambda x: np.minimum(np.maximum(x, low), high),
        lambda x, slope: np.where((x >= low) & (x <= high), slope, 0.0),
    )


def _rows_normalized(x: FloatArray) -> FloatArray:
    return np.asarray(x / x.sum(axis=-1, keepdims=True))


def _rows_normalized_back(x: FloatArray, slope: FloatArray) -> FloatArray:
    total = x.sum(axis=-1, keepdims=True)
    return np.asarray((slope - (slope * x).sum(axis=-1, keepdims=True) / total) / total)


NORMALIZED = Change(_rows_normalized, _rows_normalized_back)
"""Rows divided by their sum."""


def after(first: Change, second: Change) -> Change:
    """One change after another."""
    return Change(
        lambda x: second.of(first.of(x)), lambda x, slope: first.back(x, second.back(first.of(x), slope))
    )


class Convention(NamedTuple):
    """How a library computes a loss.

    `sentence` is the end of one that begins with the name of the library; `source` is its call and version.
    """

    library: str
    sentence: str
    source: str
    settings: Mapping[str, Any] = NOTHING
    """The parameters that are not those of the loss."""
    changes: Mapping[str, Change] = NOTHING
    """What is done to arrays, by their names."""
    factor: float = 1.0
    """The factor of each loss."""
    mean: Literal["same", "plain"] = "same"
    """Whether the mean divides by the number of losses that count, whatever their weights: plain."""

    def prepared(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays as the loss gets them."""
        return {
            name: self.changes[name].of(values) if name in self.changes else values
            for name, values in arrays.items()
        }

    def finished(self, terms: Terms) -> Terms:
        """The terms as the library has them."""
        if self.mean == "plain":
            terms = terms._replace(share=None, divisor=None)
        if self.factor == 1.0:
            return terms
        return terms._replace(
            value=terms.value * self.factor, share=None if terms.share is None else terms.share * self.factor
        )

    def slope(self, wrt: str, of: Callable[..., Slope], arrays: Mapping[str, Any]) -> Slope:
        """The derivative with respect to one of the arrays."""
        slope = of(**self.prepared(arrays))

        def back(values: FloatArray) -> FloatArray:
            values = values * self.factor
            return self.changes[wrt].back(arrays[wrt], values) if wrt in self.changes else values

        share = None if slope.share is None or self.mean == "plain" else back(slope.share)
        return Slope(back(slope.value), share)
