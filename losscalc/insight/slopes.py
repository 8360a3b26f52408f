"""The working of a derivative: that of each loss by its formula, over what the mean divides by."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from losscalc.core.array import Array, FloatArray
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

    @property
    def ignored(self) -> bool:
        """Whether it takes no part."""


class Slopes(NamedTuple):
    """The derivative that a call asks for, of losses that are shown."""

    call: Call
    done: Computation
    numerals: Numerals

    def lines(self, singles: Sequence[Shown]) -> Iterator[Line]:
        """What the derivative is in words, and a line for that of each loss."""
        loss, wrt = self.call.operation, self.call.wrt or ""
        sentence = name_arguments((loss.slope(wrt).__doc__ or "").partition("\n")[0].rstrip("."))
        formula = self._formula
        if formula is None:
            yield Line("gradient", Math.of_words(sentence))
        else:
            yield Line("gradient", formula.whole, note="; ".join(filter(None, (sentence, formula.legend))))
        rows = self._rows
        for single in singles:
            if rows is None or single.ignored:
                continue
            actual = np.asarray(rows[single.held], np.float64)
            label = f"∂/∂{wrt} {single.label}".rstrip()
            yield Line(label, self._worked(single, actual), self.numerals.row(actual), plain(actual))

    @property
    def _rows(self) -> Array | None:
        """The derivative as an array like the losses, perhaps with axes behind those; None if it is none."""
        value, losses = self.done.value, self.done.samples[0].terms.value.shape if self.done.samples else ()
        if takes_classes(type(self.call.operation)) and value.ndim == len(losses) + 1 > 1:
            value = np.moveaxis(
                value, 1 if self.call.operation.settings.get("class_axis", 1) == 1 else -1, -1
            )
        if not losses:
            return value
        if value.ndim == len(losses) + 2 and not self.call.layout.cut:
            # Of sequences (T, N, C), the samples are on axis 1.
            value = np.moveaxis(value, 1, 0)
        return value if value.shape[1 : len(losses)] == losses[1:] and value.ndim >= len(losses) else None

    @property
    def _divisor(self) -> float:
        """What the derivative of the sum is divided by."""
        reduction = self.call.reduction
        return 1.0 if reduction.keeps else float(reduction.denominator(self.done.partial))

    @property
    def _outer(self) -> float:
        """The derivative of what the loss makes of the mean."""
        loss, reduction = self.call.operation, self.call.reduction
        if loss.link is None or reduction.name != MEAN.name:
            return 1.0
        return float(loss.link.slope(reduction.finish(self.done.partial)))

    def _worked(self, single: Shown, actual: Array) -> Math:
        """The derivative of a loss by its formula if one is declared, else by its value."""
        number = self.numerals.number
        whole = actual * self._divisor / self._outer
        inner = Math.of_numbers(self.numerals.row(whole))
        formula = self._formula
        is_known = formula is not None and all(symbol in single.values for symbol in formula.symbols)
        if formula is not None and is_known and _is_near(formula.evaluate(single.values), whole):
            inner = formula.filled(single.values, number)
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
