"""The working of a derivative: that of each loss by its formula, over what the mean divides by."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from losscalc.core.array import Array, FloatArray, Shape
from losscalc.core.declaration import array_arguments
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import Computation
from losscalc.errors import Index, name_arguments
from losscalc.insight.call import Call
from losscalc.insight.diagnosis import takes_classes
from losscalc.insight.formulas import Formula
from losscalc.insight.numerals import Numerals, plain
from losscalc.insight.symbols import derivative_of
from losscalc.outputs.working import Line, Math

_NEAR = 1e-6


class Shown(Protocol):
    """A single loss that is shown."""

    @property
    def held(self) -> Index:
        """Its index among all losses that were computed."""

    @property
    def label(self) -> str:
        """Its index as it is shown."""

    @property
    def values(self) -> Mapping[str, FloatArray | None]:
        """The values of the symbols of its formula."""


class Slopes(NamedTuple):
    """The derivative that a call asks for, beside losses that are shown."""

    call: Call
    done: Computation
    numerals: Numerals

    def lines(self, singles: Sequence[Shown]) -> Iterator[Line]:
        """What the derivative is in words, and a line for each of its rows."""
        loss, wrt = self.call.operation, self.call.wrt or ""
        sentence = name_arguments((loss.slope(wrt).__doc__ or "").partition("\n")[0].rstrip("."))
        formula = self._formula
        if formula is None:
            yield Line("gradient", Math.of_words(sentence))
        else:
            yield Line("gradient", formula.whole, note="; ".join(filter(None, (sentence, formula.legend))))
        for label, actual, single in self._shown(singles):
            yield Line(label, self._worked(single, actual), self.numerals.row(actual), plain(actual))
        if left := self._left:
            yield Line(f"∂/∂{wrt} …", Math.of_words(f"{left} more"))

    def _shown(self, singles: Sequence[Shown]) -> Iterator[tuple[str, Array, Shown | None]]:
        """Rows of the derivative with their labels: those of the losses shown, else its own first ones."""
        slope, name = np.asarray(self._value, np.float64), f"∂/∂{self.call.wrt}"
        if self._is_of_losses:
            for single in singles:
                yield f"{name} {single.label}".rstrip(), slope[single.held], single
        elif slope.ndim == 0:
            yield name, slope, None
        else:
            rows = slope[: self.call.samples]
            for number, row in zip(self._numbers(len(rows)), rows, strict=True):
                yield f"{name} [{number}]", row, None

    @property
    def _left(self) -> int:
        """How many of its own rows are not shown."""
        value = self._value
        return 0 if self._is_of_losses or value.ndim == 0 else max(0, len(value) - self.call.samples)

    def _numbers(self, count: int) -> Array:
        """Where its first rows stand in the array, of which some may have been left out."""
        rows = [sample.rows for sample in self.done.samples if sample.rows is not None]
        return np.concatenate(rows)[:count] if self.call.wrt in self._cut else np.arange(count)

    @property
    def _value(self) -> Array:
        """The derivative, with axes in the order of those of the losses, and perhaps others behind them."""
        value, axes, cut = self.done.value, len(self._losses), self._cut
        if self.call.wrt in cut and takes_classes(type(self.call.operation)) and value.ndim == axes + 1:
            return np.moveaxis(value, 1 if self.call.operation.settings.get("class_axis", 1) == 1 else -1, -1)
        # Of sequences (T, N, C), the samples are on axis 1.
        return np.moveaxis(value, 1, 0) if axes and not cut and value.ndim == axes + 2 else value

    @property
    def _losses(self) -> Shape:
        """The shape of the losses of a block."""
        return self.done.samples[0].terms.value.shape if self.done.samples else ()

    @property
    def _cut(self) -> frozenset[str]:
        """The arrays that have a row for each sample."""
        return self.done.samples[0].cut if self.done.samples else frozenset()

    @property
    def _is_of_losses(self) -> bool:
        """Whether it has a row for each loss; what is no row of the call may only happen to have as many."""
        if self.done.partial.sums or not self.done.samples:
            return False
        losses, cut, sums = self._losses, self._cut, self.done.partial
        if self.done.samples[0].terms.rows is not None or (cut and self.call.wrt not in cut):
            return False
        shape = self._value.shape[: len(losses)]
        return shape[1:] == losses[1:] and math.prod(shape) == sums.count + sums.ignored

    @property
    def _divisor(self) -> float:
        """What the derivative of the sum is divided by."""
        reduction, sums = self.call.reduction, self.done.partial
        if reduction.keeps or sums.sums:
            return 1.0
        # Where all losses are ignored, their derivatives are 0.
        return float(reduction.denominator(sums)) or 1.0

    @property
    def _outer(self) -> float:
        """The derivative of what the loss makes of the mean."""
        loss, reduction = self.call.operation, self.call.reduction
        if loss.link is None or reduction.name != MEAN.name:
            return 1.0
        return float(loss.link.slope(reduction.finish(self.done.partial)))

    def _worked(self, single: Shown | None, actual: Array) -> Math:
        """The derivative of a loss by its formula if one is declared, else by its value."""
        number = self.numerals.number
        whole = actual * self._divisor / self._outer
        inner = Math.of_numbers(self.numerals.row(whole))
        formula, values = self._formula, {} if single is None else single.values
        is_known = formula is not None and all(symbol in values for symbol in formula.symbols)
        if formula is not None and is_known and _is_near(formula.evaluate(values), whole):
            inner = formula.filled(values, number)
        if self._divisor != 1:
            inner = Math.quotient(_bracketed(inner), Math.of_numbers(number(self._divisor)))
        elif inner.text == self.numerals.row(actual):
            # The number alone tells all that is known.
            return Math("", "", "")
        return inner if self._outer == 1 else Math.of_numbers(number(self._outer)).times(inner)

    @property
    def _formula(self) -> Formula | None:
        """The formula of the derivative, if one is declared."""
        loss = self.call.operation
        if self.call.wrt != array_arguments(type(loss))[0].name or not self.done.samples:
            return None
        if loss.convention is not None:
            return None
        return derivative_of(loss, self.done.samples[0].arguments)


def _is_near(found: FloatArray, whole: Array) -> bool:
    if found.size not in (1, whole.size):
        return False
    return bool(np.allclose(np.broadcast_to(found.reshape(-1), whole.size), whole.reshape(-1), _NEAR, 1e-9))


def _bracketed(math: Math) -> Math:
    """In brackets, where it would not be clear what is divided."""
    text = math.text
    is_sum = any(sign in text for sign in (" - ", " + ", ", "))
    return math._replace(text=f"({text})") if is_sum and not _is_in_brackets(text) else math


def _is_in_brackets(text: str) -> bool:
    """Whether one pair of brackets is around all of a text."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0:
            return place == len(text) - 1
    return False
