"""Explains an activation: its formula with the user's own numbers, for each number or each row."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from losscalc.catalogue.activations import Activation, Normalizing
from losscalc.core.array import FloatArray
from losscalc.engine.call import AnyCall
from losscalc.engine.compute import Computation
from losscalc.engine.outcome import Sample
from losscalc.insight.formulas import Formula, parsed
from losscalc.insight.numerals import Numerals, plain
from losscalc.outputs.working import Line, Math, Step, Working


def activated(call: AnyCall, done: Computation, decimals: int) -> Working:
    """The working of an activation."""
    operation = cast(Activation, call.operation)
    formula = parsed(operation.formula.rpartition(" = ")[2])
    lines = [
        line for sample in done.samples for line in _lines(operation, formula, sample, Numerals(decimals))
    ]
    shown = lines[: call.samples]
    axis = operation.axis(done.value.ndim) if isinstance(operation, Normalizing) else None
    count = done.value.size if axis is None else done.value.size // max(1, done.value.shape[axis])
    if count > len(shown):
        shown.append(Line("…", Math.of_words(f"{count - len(shown)} more")))
    (_, right), *definitions = formula.equations
    equations = [(Math.of_words(operation.name), right), *definitions]
    return Working(operation.name, operation.formula, equations, shown, [])


def _lines(operation: Activation, formula: Formula, sample: Sample, numerals: Numerals) -> Iterator[Line]:
    """A line for each number, or for each row of numbers that depend on one another."""
    inputs, outputs = np.asarray(sample.arguments["input"], np.float64), sample.terms.value
    if isinstance(operation, Normalizing):
        axis = operation.axis(inputs.ndim)
        inputs, outputs = (np.moveaxis(array, axis, -1) for array in (inputs, outputs))
    else:
        inputs, outputs = inputs[..., np.newaxis], outputs[..., np.newaxis]
    is_cut = sample.rows is not None and inputs.ndim > 1 and inputs.shape[0] == len(sample.rows)
    for place in np.ndindex(*inputs.shape[:-1]):
        row = int(sample.rows[place[0]]) if is_cut and sample.rows is not None else None
        index = place if row is None else (row, *place[1:])
        label = f"[{', '.join(map(str, index))}]" if index else ""
        yield _line(label, formula, inputs[place], outputs[place], numerals)


def _line(label: str, formula: Formula, x: FloatArray, y: FloatArray, numerals: Numerals) -> Line:
    values = {"x": x}
    with np.errstate(all="ignore"):
        textbook = formula.evaluate(values)
        steps = tuple(
            Step(name, numerals.row(value), plain(value))
            for name, value in formula.steps(values)
            if np.isfinite(value).all()
        )
    is_kept = np.allclose(np.broadcast_to(textbook, y.shape), y, 1e-6, 1e-12, equal_nan=True)
    shown = numerals.fixed(float(y[0])) if y.size == 1 else numerals.row(y)
    return Line(label, formula.filled(values, numerals.number), shown, plain(y), steps if is_kept else ())
