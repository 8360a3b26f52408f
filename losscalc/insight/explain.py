"""Explains a loss: its formula with the user's own numbers, row by row, and the reduction."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import FloatArray
from losscalc.core.declaration import array_arguments, parameters, target_argument
from losscalc.core.reductions import MEAN, NONE, SUM, Partial
from losscalc.core.shapes import beside
from losscalc.engine.block import Sample
from losscalc.engine.compute import Computation
from losscalc.errors import Index
from losscalc.insight.call import Call
from losscalc.insight.formulas import Formula, parsed
from losscalc.outputs.numbers import fixed, row_mean
from losscalc.outputs.working import Line, Working

VOCABULARY: Mapping[str, str] = {
    "x": "input", "y": "target", "w": "weight", "p": "pos_weight", "x1": "input1", "x2": "input2",
    "m": "margin", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps",
    "s": "label_smoothing", "v": "sample_weight", "T": "temperature",
}  # fmt: skip
"""The arrays and parameters that symbols of formulas stand for."""

SAMPLE_WEIGHT = "sample_weight"
"""The factor of each row, which no formula names: it multiplies all of it."""

# What a loss has to do with after its formula: its factor, and whether it counts.
_OF_LOSSES = (SAMPLE_WEIGHT, "mask")

# No more summands than this are written out.
_MOST_SUMMANDS = 6


class Step(NamedTuple):
    """A single loss: its index, its value, and the values of the symbols of its formula."""

    place: Index
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


class Explanation(NamedTuple):
    """What an explanation needs: a call, what it came to, and the number of decimals to show."""

    call: Call
    done: Computation
    decimals: int

    @property
    def loss(self) -> Loss:
        return self.call.operation

    @property
    def partial(self) -> Partial:
        return self.done.partial

    @property
    def working(self) -> Working:
        """The formula, the first losses with their numbers, and the reduction."""
        # The textbook form may overflow where the loss does not.
        with np.errstate(all="ignore"):
            steps = [step for sample in self.done.samples for step in self._steps(sample)]
            steps = steps[: self.call.samples]
            formula = steps[0].formula if steps else parsed(self.loss.formula)
            text = "; ".join(filter(None, (formula.text, formula.legend, self._convention)))
            losses, reduction = list(self._losses(steps)), list(self._reduced(steps))
        return Working(self.loss.name, text, formula.latex(), losses, reduction)

    @property
    def _convention(self) -> str:
        """The convention that holds, as it is told beside the formula."""
        convention = self.loss.convention
        return "" if convention is None else f"{convention.library} {convention.sentence}"

    def _steps(self, sample: Sample) -> Iterator[Step]:
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
        for place in islice(np.ndindex(*terms.value.shape), self.call.samples):
            yield Step(
                place if rows is None else (int(rows[place[0]]), *place[1:]),
                float(terms.value[place]),
                formula,
                {name: _at(value, place, terms.value.ndim) for name, value in values.items()},
                bool(ignored[place]),
                1.0 if terms.divisor is None else float(terms.divisor[place]),
                None if terms.share is None else float(terms.share[place]),
                terms.value[place[:-1]],
                ignored[place[:-1]],
            )

    def _losses(self, steps: Sequence[Step]) -> Iterator[Line]:
        """A line for each loss, and the mean of each row of a matrix of losses behind it."""
        for step, following in zip(steps, [*steps[1:], None], strict=False):
            yield self._loss(step)
            is_last = following is None or following.place[:-1] != step.place[:-1]
            if is_last and len(step.place) > 1 and not step.left_out.all():
                yield self._row_mean(step)
        left = self.partial.count + self.partial.ignored - len(steps)
        if left > 0 and not self.partial.sums:
            yield Line("…", f"{left} more", rf"\text{{{left} more}}")

    def _loss(self, step: Step) -> Line:
        label = f"[{', '.join(map(str, step.place))}]" if step.place else ""
        if step.ignored:
            return Line(label, "ignored", r"\text{ignored}")
        text = step.formula.substituted(step.values, self.number)
        latex = step.formula.latex(step.values, self.number)
        behind, behind_latex = self._behind(step)
        return Line(
            label,
            text,
            latex,
            self.fixed(step.value),
            ", ".join(behind),
            r",\; ".join(behind_latex),
        )

    def _behind(self, step: Step) -> tuple[list[str], list[str]]:
        """The intermediate numbers of a loss, as text and as LaTeX."""
        texts, latexes = [], []
        for name, value in self._computed(step):
            text, latex = step.formula.worked(name, step.values, self.number)
            texts.append(" = ".join(filter(None, (name, text, self.number(value)))))
            latexes.append(" = ".join(filter(None, (parsed(name).latex(), latex, self.number(value)))))
        return texts, latexes

    def _computed(self, step: Step) -> Iterator[tuple[str, float]]:
        """The names and values of the intermediate numbers: those that are computed from the arrays."""
        measured = {array.name for array in array_arguments(type(self.loss))} - {*step.formula.symbols}
        given = {*VOCABULARY, "C", *measured} - step.formula.definitions.keys()
        given |= {"L", *step.formula.hidden(step.values)}
        for name, value in step.formula.defined(step.values).items():
            if value is not None and value.size == 1 and name not in given:
                yield name, float(value.reshape(-1)[0])

    def _row_mean(self, step: Step) -> Line:
        row = step.row[~step.left_out]
        total, label = self._summands(row), f"row {', '.join(map(str, step.place[:-1]))}"
        mean = self.fixed(row_mean(row))
        return Line(label, f"mean ({total}) / {row.size}", rf"\frac{{{total}}}{{{row.size}}}", mean)

    def _reduced(self, steps: Sequence[Step]) -> Iterator[Line]:
        """The reduction, with its numerator and denominator."""
        partial, reduction = self.partial, self.call.reduction
        if partial.sums:
            yield from self._of_sums()
            return
        if any(step.share is not None for step in steps) and reduction.name == MEAN.name:
            for step in steps:
                text = f"{self.fixed(step.value)} / {self.number(_ratio(step))}"
                yield Line(f"[{', '.join(map(str, step.place))}]", text, text, self.fixed(step.share or 0.0))
        if partial.ignored:
            left_out = [str(step.place[0]) for step in steps if step.ignored and step.place]
            more = ["…"] if len(left_out) < partial.ignored else []
            listed = f" (row {', '.join([*dict.fromkeys(left_out), *more])})" if left_out else ""
            yield Line("ignored", f"{partial.ignored}{listed}", rf"\text{{{partial.ignored}{listed}}}")
        # The numerator of a sum and of batchmean is the sum of all losses; the mean may have another one.
        numerator, denominator = float(reduction.numerator(partial)), float(reduction.denominator(partial))
        counted = [step for step in steps if not step.ignored]
        is_sum = reduction.name == SUM.name
        summands = self._all_summands([s.value if s.share is None or is_sum else s.share for s in counted])
        if is_sum and (not summands or len(counted) < partial.count):
            text = f"of {partial.count} losses"
            yield Line("sum", text, rf"\sum_{{{partial.count}}}", self.fixed(numerator))
        elif summands:
            yield Line("numerator", summands, summands, self.fixed(numerator))
        if is_sum:
            return
        weights = self._all_summands([step.divisor for step in counted])
        if reduction.name == MEAN.name and weights and set(weights) - set("1 +…"):
            yield Line("denominator", weights, weights, self.number(denominator))
        above, below = self.fixed(numerator), self.number(denominator)
        name = MEAN.name if reduction.keeps else reduction.name
        mean = self.fixed(self.loss.quotient(MEAN if reduction.keeps else reduction, partial))
        yield Line(name, f"{above} / {below}", rf"\frac{{{above}}}{{{below}}}", mean)
        if self.loss.link and reduction.name == MEAN.name:
            link, value = self.loss.link.name, self.fixed(self.loss.reduced(reduction, partial))
            yield Line(link, f"of {mean}", rf"\text{{of }} {mean}", value)

    def _of_sums(self) -> Iterator[Line]:
        """The sums that the loss is a function of, and what it makes of them."""
        for name, value in self.partial.numbers.items():
            yield Line("sum", name, rf"\text{{{name}}}", self.fixed(value))
        names = ", ".join(self.partial.sums)
        losses = np.asarray(self.loss.reduced(NONE, self.partial))
        if not losses.ndim:
            yield Line("loss", f"of {names}", rf"\text{{of {names}}}", self.fixed(float(losses)))
            return
        for place in np.ndindex(*losses.shape):
            label = f"[{', '.join(map(str, place))}]"
            yield Line(label, "of its sums", r"\text{of its sums}", self.fixed(float(losses[place])))
        reduction = MEAN if self.call.reduction.keeps else self.call.reduction
        whole = self.fixed(float(self.loss.reduced(reduction, self.partial)))
        yield Line(reduction.name, f"of {losses.size}", rf"\text{{of {losses.size}}}", whole)

    def number(self, value: float) -> str:
        """A number as formulas show it: whole numbers without decimals."""
        if float(value).is_integer() and abs(value) < 1e15:
            return str(int(value))
        return self.fixed(value)

    def fixed(self, value: float) -> str:
        """A number as tables show it."""
        return fixed(value, self.decimals)

    def _summands(self, values: Sequence[float] | FloatArray, count: int | None = None) -> str:
        """The sum written out as far as there is room; of `count` summands, only the first may be at hand."""
        if len(values) <= _MOST_SUMMANDS and count in (None, len(values)):
            return " + ".join(map(self.number, values))
        first = [self.number(value) for value in values[: _MOST_SUMMANDS - 2]]
        last = [self.number(values[-1])] if count in (None, len(values)) else []
        return " + ".join([*first, "…", *last])

    def _all_summands(self, values: Sequence[float]) -> str:
        """The sum of all losses; nothing if there are no two."""
        return self._summands(values, self.partial.count) if values and self.partial.count > 1 else ""


def symbol_values(
    loss: Loss, arguments: Mapping[str, Any], shape: tuple[int, ...]
) -> dict[str, FloatArray | None]:
    """The values of all symbols of the formula, with one axis more than the losses, over which Σ sums."""
    formula = formula_of(loss, arguments)
    factor = arguments.get(SAMPLE_WEIGHT)
    with np.errstate(all="ignore"):
        own = dict(loss.own.quantities(**{k: v for k, v in arguments.items() if k not in _OF_LOSSES}))
    if factor is not None:
        own["v"] = np.broadcast_to(beside(factor, len(shape) + 1), (*shape, 1))
    arrays = [array.name for array in array_arguments(type(loss))]
    settings = [parameter.name for parameter in parameters(type(loss))]
    values: dict[str, FloatArray | None] = {}
    for symbol in formula.symbols:
        name = symbol if symbol in (*arrays, *settings) else VOCABULARY.get(symbol, symbol)
        if symbol in own:
            values[symbol] = own.pop(symbol)
        elif name in arrays:
            values[symbol] = _aligned(arguments.get(name), shape)
        else:
            values[symbol] = np.asarray(float(getattr(loss.own, name)))
    measured = {name: _aligned(arguments[name], shape) for name in arrays if name[0] in formula.initials}
    # What is broadcast has the numbers of each loss, too.
    return {
        name: np.broadcast_to(value, (*shape, value.shape[-1]))
        if value is not None and value.ndim == len(shape) + 1
        else value
        for name, value in (values | own | measured).items()
    }


def formula_of(loss: Loss, arguments: Mapping[str, Any]) -> Formula:
    """The formula that holds for such arrays; with factors of rows, times the factor."""
    formula = parsed(loss.explained(target_of(loss, arguments)))
    if loss.convention is not None:
        formula = formula.scaled(loss.convention.factor_of(arguments), loss.convention.offset)
    return formula if arguments.get(SAMPLE_WEIGHT) is None else formula.times("v", SAMPLE_WEIGHT)


def target_of(loss: Loss, arguments: Mapping[str, Any]) -> Any:
    """The target, whose dtype may decide which formula holds; an empty array where there is none."""
    target = target_argument(type(loss))
    return arguments.get(target.name, np.empty(0)) if target is not None else np.empty(0)


def _ratio(step: Step) -> float:
    """The number by which a loss is divided before it enters the mean."""
    return step.value / step.share if step.share else 1.0


def _aligned(array: FloatArray | None, shape: tuple[int, ...]) -> FloatArray | None:
    """An array in the shape of the losses and one axis more: a number for each loss, or a row."""
    if array is None:
        return None
    try:
        return np.broadcast_to(array, shape)[..., np.newaxis]
    except ValueError:
        return np.broadcast_to(array, (*shape, array.shape[-1]))


def _at(value: FloatArray | None, place: Index, axes: int) -> FloatArray | None:
    """The values for one loss."""
    return value[place] if value is not None and value.ndim == axes + 1 else value
