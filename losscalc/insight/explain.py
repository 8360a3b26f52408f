"""Explains a loss: its formula with the user's own numbers, row by row, and the reduction."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, cast

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import FloatArray
from losscalc.core.declaration import array_arguments
from losscalc.core.reductions import Partial
from losscalc.engine.call import AnyCall
from losscalc.engine.compute import Computation
from losscalc.engine.outcome import Sample
from losscalc.errors import Index
from losscalc.insight.call import Call
from losscalc.insight.formulas import Formula, math_of, parsed
from losscalc.insight.numerals import Numerals, plain
from losscalc.insight.reducing import Part, Reducing
from losscalc.insight.slopes import Slopes
from losscalc.insight.symbols import VOCABULARY, formula_of, symbol_values
from losscalc.outputs.numbers import row_mean
from losscalc.outputs.working import Line, Math, Step, Working

# Beyond this the textbook form has lost the digits, or the range, that the loss has.
_FAR = 1e-6
_LOST = "the steps of the textbook lose too many digits in float64: computed in a form that keeps them"


def worked(call: AnyCall, done: Computation, decimals: int) -> Working:
    """The working of a loss or an activation, of the rows whose numbers were kept."""
    if isinstance(call.operation, Loss):
        return Explanation(cast(Call, call), done, decimals).working
    # Imported here, because activations are few.
    from losscalc.insight.activated import activated

    return activated(call, done, decimals)


class Single(NamedTuple):
    """A single loss: its index, its value, and the values of the symbols of its formula."""

    place: Index
    held: Index
    """Its index among all losses that were computed."""
    value: float
    formula: Formula
    values: Mapping[str, FloatArray | None]
    ignored: bool
    divisor: float
    share: float | None
    row: FloatArray
    """All losses of its row, also those that are not shown."""
    left_out: np.ndarray
    """Which of them are ignored."""

    @property
    def label(self) -> str:
        """Its index in brackets; nothing if there is one loss only."""
        return f"[{', '.join(map(str, self.place))}]" if self.place else ""

    @property
    def part(self) -> Part:
        """What it brings to the reduction."""
        row = str(self.place[0]) if self.place else ""
        return Part(self.label, row, self.value, self.share, self.divisor, self.ignored)


class Explanation(NamedTuple):
    """What an explanation needs: a call, what it came to, and the number of decimals to show."""

    call: Call
    done: Computation
    decimals: int
    places: Sequence[Index] | None = None
    """The losses to show, by their indices among all, if not the first ones."""

    @property
    def loss(self) -> Loss:
        return self.call.operation

    @property
    def partial(self) -> Partial:
        return self.done.partial

    @property
    def numerals(self) -> Numerals:
        """How numbers are shown."""
        return Numerals(self.decimals)

    @property
    def working(self) -> Working:
        """The formula, the first losses with their numbers, and the reduction."""
        # The textbook form may overflow where the loss does not.
        with np.errstate(all="ignore"):
            singles = self._singles()
            formula = singles[0].formula if singles else parsed(self.loss.formula)
            parts = [single.part for single in singles]
            if self.places is None:
                losses = [*self._losses(singles), *self._left(len(singles))]
            else:
                losses = [self._line(single) for single in singles]
                parts = []
            reducing = Reducing(self.loss, self.call.reduction, self.partial, parts, self.numerals)
            reduction = [*reducing.lines()]
            if self.call.wrt is not None:
                reduction += Slopes(self.call, self.done, self.numerals).lines(singles)
        text = "; ".join(filter(None, (formula.text, formula.legend, self._convention)))
        return Working(self.loss.name, text, formula.equations, losses, reduction)

    @property
    def _convention(self) -> str:
        """The convention that holds, as it is told beside the formula."""
        convention = self.loss.convention
        return "" if convention is None else f"{convention.library} {convention.sentence}"

    def _singles(self) -> list[Single]:
        """The losses to show: those at certain places, or the first."""
        start, first, found = 0, list[Single](), dict[Index, Single]()
        for sample in self.done.samples:
            end = start + (len(sample.terms.value) if sample.terms.value.ndim else 1)
            if self.places is None:
                first += self._of_sample(sample, start, None)
            else:
                inside = [place for place in self.places if not place or start <= place[0] < end]
                places = [(place[0] - start, *place[1:]) if place else () for place in inside]
                found |= dict(zip(inside, self._of_sample(sample, start, places), strict=True))
            start = end
        if self.places is None:
            return first[: self.call.samples]
        return [found[place] for place in self.places if place in found]

    def _of_sample(self, sample: Sample, start: int, places: Sequence[Index] | None) -> Iterator[Single]:
        terms = sample.terms
        if terms.sums is not None:
            return
        arguments = sample.arguments
        if self.loss.convention is not None:
            arguments = self.loss.convention.prepared(arguments, sample.dtype)
        formula = formula_of(self.loss, arguments)
        values = symbol_values(self.loss, arguments, terms.value.shape)
        # The losses of pairs and of views are counted by themselves.
        own = sample.rows if terms.rows is None and terms.value.ndim else None
        rows = None if own is None or len(own) != len(terms.value) else own
        ignored = np.broadcast_to(False if terms.ignored is None else terms.ignored, terms.value.shape)
        first = islice(np.ndindex(*terms.value.shape), self.call.samples)
        for place in first if places is None else places:
            counted = (start + place[0], *place[1:]) if place else ()
            yield Single(
                counted if rows is None else (int(rows[place[0]]), *place[1:]),
                counted,
                float(terms.value[place]),
                formula,
                {name: _at(value, place, terms.value.ndim) for name, value in values.items()},
                bool(ignored[place]),
                float(not ignored[place] if terms.divisor is None else terms.divisor[place]),
                None if terms.share is None else float(terms.share[place]),
                terms.value[place[:-1]],
                ignored[place[:-1]],
            )

    def _losses(self, singles: Sequence[Single]) -> Iterator[Line]:
        """A line for each loss, and the mean of each row of a matrix of losses behind it."""
        for single, following in zip(singles, [*singles[1:], None], strict=False):
            yield self._line(single)
            is_last = following is None or following.place[:-1] != single.place[:-1]
            if is_last and len(single.place) > 1 and not single.left_out.all():
                yield self._row_mean(single)

    def _left(self, shown: int) -> Iterator[Line]:
        left = self.partial.count + self.partial.ignored - shown
        if left > 0 and not self.partial.sums:
            yield Line("…", Math.of_words(f"{left} more"))

    def _line(self, single: Single) -> Line:
        if single.ignored:
            return Line(single.label, Math.of_words("ignored"))
        math = single.formula.filled(single.values, self.numerals.number)
        value = self.numerals.fixed(single.value)
        textbook = single.formula.evaluate(single.values).reshape(-1)
        steps = tuple(self._own(single))
        if textbook.size == 1 and not np.isclose(textbook[0], single.value, _FAR, 1e-12, equal_nan=True):
            return Line(single.label, math, value, single.value, note=_LOST)
        known = {step.name.text for step in steps}
        steps += tuple(step for step in self._textbook(single) if step.name.text not in known)
        return Line(single.label, math, value, single.value, steps)

    def _own(self, single: Single) -> Iterator[Step]:
        """The intermediate numbers that the loss gives beside the symbols of its formula."""
        given = {*VOCABULARY, "C"} | {array.name for array in array_arguments(type(self.loss))}
        given |= single.formula.hidden(single.values) | single.formula.definitions.keys()
        for name, value in single.values.items():
            if value is not None and value.size == 1 and name not in given and "[" not in name:
                yield Step(math_of(name), self.numerals.number(float(value.reshape(-1)[0])), plain(value))

    def _textbook(self, single: Single) -> Iterator[Step]:
        """The steps of the formula."""
        formula, values = single.formula, single.values
        hidden = formula.hidden(values)
        declared = parsed(f"0, {self.loss.steps}") if self.loss.steps else None
        # The value itself, and the same with a minus, are no steps.
        seen = {formula.text}
        for name, value in formula.steps(values, declared):
            if name.text not in seen | hidden and (value.size == 1 or declared is not None):
                seen.add(name.text)
                worked = formula.worked(name.text, values, self.numerals.number)
                shown = worked if worked is not None and value.size == 1 else None
                yield Step(name, self.numerals.row(value), plain(value), shown)

    def _row_mean(self, single: Single) -> Line:
        row = single.row[~single.left_out]
        label, mean = f"row {', '.join(map(str, single.place[:-1]))}", row_mean(row)
        size = Math.of_numbers(str(row.size))
        wide, short = (_mean_of(total(row), size) for total in (self.numerals.sum, self.numerals.short_sum))
        return Line(label, wide, self.numerals.fixed(mean), mean, short=short)


def _mean_of(total: Math, size: Math) -> Math:
    """A quotient of a sum, which has brackets also where it is of one number."""
    mean = Math.quotient(total, size)
    text = mean.text if mean.text.startswith("(") else f"({total.text}) / {size.text}"
    return Math(f"mean {text}", mean.latex, mean.mathml)


def _at(value: FloatArray | None, place: Index, axes: int) -> FloatArray | None:
    """The values for one loss."""
    return value[place] if value is not None and value.ndim == axes + 1 else value
