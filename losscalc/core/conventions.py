"""How other libraries compute a loss: what they do to its arrays first, its parameters, and its mean."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.reductions import Slope, Terms
from losscalc.core.stable import number, sigmoid

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Change(NamedTuple):
    """What is done to an array before the loss, and how a derivative goes back through it."""

    of: Callable[[FloatArray], FloatArray]
    back: Callable[[FloatArray, FloatArray], FloatArray]
    """From the array, and the derivative with respect to the changed one, that with respect to the array."""


def clipped(low: float, high: float = np.inf) -> Change:
    """Numbers brought into an interval, beyond whose ends the derivative is 0."""
    return Change(
        lambda x: np.minimum(np.maximum(x, number(low, x)), number(high, x)),
        lambda x, slope: np.where((x >= low) & (x <= high), slope, 0.0),
    )


def kept_inside(dtype: np.dtype) -> Change:
    """Probabilities kept the ε of their dtype away from 0 and 1: 2.2e-16 of float64, 1.2e-7 of float32."""
    eps = float(np.finfo(dtype).eps)
    return clipped(eps, 1.0 - eps)


def _rows_normalized(x: FloatArray) -> FloatArray:
    return np.asarray(x / x.sum(axis=-1, keepdims=True))


def _rows_normalized_back(x: FloatArray, slope: FloatArray) -> FloatArray:
    total = x.sum(axis=-1, keepdims=True)
    return np.asarray((slope - (slope * x).sum(axis=-1, keepdims=True) / total) / total)


def always(arrays: Mapping[str, Any]) -> bool:
    """Whatever the arrays are."""
    return True


NORMALIZED = Change(_rows_normalized, _rows_normalized_back)
"""Rows divided by their sum."""


def beyond_unit(arrays: Mapping[str, Any]) -> bool:
    """Where an input is not in [0, 1], as no probability is."""
    return bool(np.any((arrays["input"] < 0) | (arrays["input"] > 1)))


SQUASHED = Change(sigmoid, lambda x, slope: slope * sigmoid(x) * sigmoid(-x))
"""The sigmoid of each number."""


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
    changes: Mapping[str, Change | Callable[[np.dtype], Change]] = NOTHING
    """What is done to arrays, by their names; it may depend on the dtype of the input."""
    when: Callable[[Mapping[str, Any]], bool] = always
    """For which arrays that is done."""
    whole: bool = False
    """Whether that needs all rows, so that parts of a batch do not add up to the whole."""
    takes: tuple[str, ...] = ()
    """The arrays that may have any numbers, because the change brings them into their domain."""
    is_of_bits: bool = False
    """Whether all of this is so for labels of 0 and 1, and not for those between."""
    exchanged: tuple[str, ...] = ()
    """Two parameters, each of which is what the loss calls by the name of the other."""
    scaled: Mapping[str, float] = NOTHING
    """Parameters of which the loss takes so many times what the library calls by their names."""
    factor: float = 1.0
    """The factor of each loss."""
    unless: str = ""
    """The array that takes the place of the factor, where it is given."""
    offset: float = 0.0
    """What is added to each loss after that."""
    mean: Literal["same", "plain", "all", "weights", "classes"] = "same"
    """Whether the mean divides by the number of losses that count, whatever their weights: plain; by the
    number of all, those that are ignored among them; by the sum of the weights; or by the number of losses
    that count, times that of the classes."""

    nothing: float = np.nan
    """The mean if nothing counts."""

    @property
    def agrees(self) -> bool:
        """Whether the library computes the same as losscalc."""
        return self == Convention(self.library, self.sentence, self.source)

    def named(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as the loss calls them."""
        names = dict(zip(self.exchanged, reversed(self.exchanged), strict=True))
        return {
            names.get(name, name): value * self.scaled[name] if name in self.scaled else value
            for name, value in settings.items()
        }

    def prepared(self, arrays: Mapping[str, Any], dtype: np.dtype) -> dict[str, Any]:
        """The arrays as the loss gets them; `dtype` is that of the input."""
        changes = self._changes(arrays, dtype)
        return {
            name: changes[name].of(values) if name in changes else values for name, values in arrays.items()
        }

    def finished(self, terms: Terms, arrays: Mapping[str, Any]) -> Terms:
        """The terms as the library has them, of these arrays."""
        if self.mean != "same":
            terms = terms._replace(share=None, divisor=None)
        if self.mean == "weights" and "weight" in arrays:
            terms = terms._replace(divisor=np.broadcast_to(arrays["weight"], terms.value.shape))
        if self.mean == "all":
            terms = terms._replace(divisor=np.ones(terms.value.shape))
        if self.mean == "classes":
            counts = np.ones(terms.value.shape) if terms.ignored is None else 1.0 - terms.ignored
            terms = terms._replace(divisor=counts * (arrays["input"].size // max(1, terms.value.size)))
        factor = self.factor_of(arrays)
        if (factor, self.offset) == (1.0, 0.0):
            return terms
        value = terms.value * factor + self.offset
        value = value if terms.ignored is None else np.where(terms.ignored, 0.0, value)
        return terms._replace(value=value, share=None if terms.share is None else terms.share * factor)

    def factor_of(self, arrays: Mapping[str, Any]) -> float:
        """The factor of each loss of these arrays."""
        return 1.0 if arrays.get(self.unless) is not None else self.factor

    def slope(self, wrt: str, of: Callable[..., Slope], arrays: Mapping[str, Any], dtype: np.dtype) -> Slope:
        """The derivative with respect to one of the arrays."""
        slope, changes = of(**self.prepared(arrays, dtype)), self._changes(arrays, dtype)
        factor = self.factor_of(arrays)

        def back(values: FloatArray) -> FloatArray:
            values = values * factor
            return changes[wrt].back(arrays[wrt], values) if wrt in changes else values

        if slope.sums is not None:
            return Slope.of_sums(**{name: back(values) for name, values in slope.sums.items()})
        share = None if slope.share is None or self.mean != "same" else back(slope.share)
        return Slope(back(slope.value), share)

    def _changes(self, arrays: Mapping[str, Any], dtype: np.dtype) -> Mapping[str, Change]:
        if not self.when(arrays):
            return NOTHING
        return {
            name: each if isinstance(each, Change) else each(dtype) for name, each in self.changes.items()
        }


def agreeing(**sources: str) -> tuple[Convention, ...]:
    """The libraries that compute the same, each with its call and version."""
    return tuple(Convention(library, "computes the same", source) for library, source in sources.items())
