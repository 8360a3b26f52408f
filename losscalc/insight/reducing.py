"""How single losses become one number: the lines of a working that show the reduction."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.reductions import MEAN, NONE, SUM, Partial, Reduction
from losscalc.insight.numerals import Numerals
from losscalc.outputs.working import Line, Math


class Part(NamedTuple):
    """What a single loss brings to the reduction."""

    label: str
    row: str
    value: float
    share: float | None
    divisor: float
    ignored: bool


class Reducing(NamedTuple):
    """A reduction of sums, and the first of the losses that they are of."""

    loss: Loss
    reduction: Reduction
    partial: Partial
    parts: Sequence[Part]
    numerals: Numerals

    def lines(self) -> Iterator[Line]:
        """The reduction, with its numerator and denominator."""
        if self.partial.sums:
            yield from self._of_sums()
            return
        if self.reduction.name == MEAN.name:
            yield from self._shares()
        yield from self._ignored()
        if self.reduction.name == SUM.name:
            yield from self._sum()
        else:
            yield from self._quotient()

    def _line(self, label: str, math: Math, value: float, short: Math | None = None) -> Line:
        return Line(label, math, self.numerals.fixed(value), value, short=short)

    def _shares(self) -> Iterator[Line]:
        """Losses that are divided by a number of their own before they enter the mean."""
        if any(part.share is not None for part in self.parts):
            for part in self.parts:
                ratio = part.value / part.share if part.share else 1.0
                above, below = self.numerals.fixed(part.value), self.numerals.number(ratio)
                yield self._line(part.label, _quotient(above, below), part.share or 0.0)

    def _ignored(self) -> Iterator[Line]:
        if self.partial.ignored:
            left_out = [part.row for part in self.parts if part.ignored and part.row]
            more = ["…"] if len(left_out) < self.partial.ignored else []
            listed = f" (row {', '.join([*dict.fromkeys(left_out), *more])})" if left_out else ""
            yield Line("ignored", Math.of_words(f"{self.partial.ignored}{listed}"))

    @property
    def _counted(self) -> list[Part]:
        return [part for part in self.parts if not part.ignored]

    def _sum(self) -> Iterator[Line]:
        numerator, counted = float(self.reduction.numerator(self.partial)), self._counted
        if 1 < len(counted) == self.partial.count:
            yield self._summed("numerator", [part.value for part in counted], numerator)
        else:
            yield self._line("sum", Math.of_words(f"of {self.partial.count} losses"), numerator)

    def _quotient(self) -> Iterator[Line]:
        # The numerator of batchmean is the sum of all losses; the mean may have another one.
        reduction, numerals, counted = self.reduction, self.numerals, self._counted
        numerator = float(reduction.numerator(self.partial))
        denominator = float(reduction.denominator(self.partial))
        summands = [part.value if part.share is None else part.share for part in counted]
        yield self._summed("numerator", summands, numerator)
        weights = [part.divisor for part in counted]
        if reduction.name == MEAN.name and any(weight != 1 for weight in weights):
            line = self._summed("denominator", weights, denominator)
            yield line._replace(value=line.value and numerals.number(denominator))
        else:
            yield self._counted_line(denominator)
        name = MEAN.name if reduction.keeps else reduction.name
        mean = self.loss.quotient(MEAN if reduction.keeps else reduction, self.partial)
        yield self._line(name, _quotient(numerals.fixed(numerator), numerals.number(denominator)), mean)
        if self.loss.link and reduction.name == MEAN.name:
            words, value = (
                Math.of_numbers(numerals.fixed(mean)).after("of"),
                self.loss.reduced(reduction, self.partial),
            )
            yield self._line(self.loss.link.name, words, value)

    def _counted_line(self, denominator: float) -> Line:
        """The denominator that is no sum of weights: how many of what there are."""
        shown = self.numerals.number(denominator)
        if denominator == 1:
            return Line("denominator", Math.of_numbers(shown), number=denominator)
        words = Math.of_words(_what_counts(denominator, self.partial))
        return Line("denominator", words, shown, denominator)

    def _summed(self, label: str, summands: Sequence[float], total: float) -> Line:
        """A sum of all losses that count, of which the first may be at hand; of one loss, that."""
        count = self.partial.count
        if count == 1 and summands:
            return Line(label, Math.of_numbers(self.numerals.fixed(total)), number=total)
        if not summands:
            return self._line(label, Math.of_words(f"sum of {count} losses"), total)
        short = self.numerals.short_sum(summands, count)
        return self._line(label, self.numerals.sum(summands, count), total, short)

    def _of_sums(self) -> Iterator[Line]:
        """The sums that the loss is a function of, and what it makes of them."""
        for name, value in self.partial.numbers.items():
            yield self._line("sum", Math.of_words(name), value)
        names = ", ".join(self.partial.sums)
        losses = np.asarray(self.loss.reduced(NONE, self.partial))
        if not losses.ndim:
            yield self._line("loss", Math.of_words(f"of {names}"), float(losses))
            return
        for place in np.ndindex(*losses.shape):
            label = f"[{', '.join(map(str, place))}]"
            yield self._line(label, Math.of_words("of its sums"), float(losses[place]))
        reduction = MEAN if self.reduction.keeps else self.reduction
        whole = float(self.loss.reduced(reduction, self.partial))
        yield self._line(reduction.name, Math.of_words(f"of {losses.size}"), whole)


def _what_counts(denominator: float, partial: Partial) -> str:
    """In words what a denominator is that is no sum of weights."""
    if denominator == partial.count:
        return "number of losses"
    return "number of rows" if denominator == partial.rows else "number that the mean divides by"


def _quotient(above: str, below: str) -> Math:
    return Math.quotient(Math.of_numbers(above), Math.of_numbers(below))
