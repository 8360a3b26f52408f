"""What the symbols of a formula stand for in a call, and their values for each loss."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import FloatArray
from losscalc.core.declaration import array_arguments, parameters, target_argument
from losscalc.core.shapes import beside
from losscalc.insight.formulas import Formula, parsed

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


def derivative_of(loss: Loss, arguments: Mapping[str, Any]) -> Formula | None:
    """The formula of the derivative of a loss with respect to its first array, if one is declared."""
    derivative = loss.derived(target_of(loss, arguments))
    if not derivative:
        return None
    formula = parsed(derivative)
    return formula if arguments.get(SAMPLE_WEIGHT) is None else formula.times("v", SAMPLE_WEIGHT)


def target_of(loss: Loss, arguments: Mapping[str, Any]) -> Any:
    """The target, whose dtype may decide which formula holds; an empty array where there is none."""
    target = target_argument(type(loss))
    return arguments.get(target.name, np.empty(0)) if target is not None else np.empty(0)


def _aligned(array: FloatArray | None, shape: tuple[int, ...]) -> FloatArray | None:
    """An array in the shape of the losses and one axis more: a number for each loss, or a row."""
    if array is None:
        return None
    try:
        return np.broadcast_to(array, shape)[..., np.newaxis]
    except ValueError:
        return np.broadcast_to(array, (*shape, array.shape[-1]))
