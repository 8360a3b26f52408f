"""Evaluates formulas in plain NumPy, to explain a loss, not to compute it: the textbook form may overflow."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.insight.formulas.grammar import Node, walk

Values = Mapping[str, FloatArray | None]
"""The value of each symbol, with one more axis, over which Σ sums; a symbol that is None drops out."""

# No more summands than this are written out.
_MOST_SUMMANDS = 4
MOST_OF_ROW = 4
"""A row of more numbers than this is called by its name."""
_FUNCTIONS: dict[str, Callable[..., FloatArray]] = {
    "ln": np.log,
    "exp": np.exp,
    "σ": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "√": np.sqrt,
    "max": np.maximum,
    "min": np.minimum,
    "atan": np.arctan,
}
_NUMBERS = {"½": 0.5, "π": np.pi, "∞": np.inf}
_COMPARISONS: dict[str, Callable[..., np.ndarray]] = {
    "=": np.equal,
    "≠": np.not_equal,
    "<": np.less,
    "≤": np.less_equal,
    ">": np.greater,
    "≥": np.greater_equal,
}


def evaluate(node: Node, values: Values) -> FloatArray | None:
    """The value of a node; None if all its symbols have dropped out."""
    value = _value(node, values)
    return None if value is None else np.asarray(value)


def _value(node: Node, values: Values) -> Any:
    """The same, but a number stays a float, which leaves the dtype of the arrays beside it alone."""
    match node.kind:
        case "number":
            return _NUMBERS.get(node.text) or float(node.text)
        case "symbol" | "flag":
            return values[node.text]
        case "choice":
            return _choice(*(_value(part, values) for part in node.parts))
    parts = [value for part in node.parts if (value := _value(part, values)) is not None]
    if not parts:
        return None
    if len(parts) < len(node.parts):
        is_left_out = _value(node.parts[0], values) is None
        return -parts[0] if is_left_out and node.text == "-" else parts[0]
    return _OPERATIONS[node.kind](node, *parts)


def _choice(chosen: Any, condition: Any, other: Any = None) -> Any:
    """The value where the condition holds, else the other one: 0 if it is missing, or None for all."""
    holds = np.asarray(condition) != 0
    if chosen is None or (other is None and not holds.any()):
        return other
    return np.where(holds, chosen, 0.0 if other is None else other)


def _total(node: Node, body: FloatArray) -> FloatArray:
    return np.asarray(body.sum(axis=-1, keepdims=True))


def _extreme(node: Node, body: FloatArray) -> FloatArray:
    if not body.shape[-1]:
        return np.zeros((*body.shape[:-1], 1))  # of no differences, none is above 0
    return np.asarray((body.max if node.text == "max" else body.min)(axis=-1, keepdims=True))


def _called(node: Node, *arguments: Any) -> Any:
    value = _FUNCTIONS[node.text](*arguments)
    return float(value) if all(isinstance(one, float) for one in arguments) else value


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "·": operator.mul, "": operator.mul, "/": operator.truediv,
}  # fmt: skip
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "negative": lambda node, value: -value,
    "sum": lambda node, left, right: _ARITHMETIC[node.text](left, right),
    "product": lambda node, left, right: _ARITHMETIC[node.text](left, right),
    "power": lambda node, base, exponent: base**exponent,
    "group": lambda node, value: np.abs(value) if node.text == "|" else value,
    "call": _called,
    "compare": lambda node, left, right: _COMPARISONS[node.text](left, right),
    "and": lambda node, one, other: (np.asarray(one) != 0) & (np.asarray(other) != 0),
    "total": _total,
    "extreme": _extreme,
}


def alternative(node: Node, values: Values) -> Node | None:
    """The branch of a choice that holds, if there is one."""
    value, condition, *other = node.parts
    return value if np.all(evaluate(condition, values)) else next(iter(other), None)


def shown(node: Node, values: Values) -> Iterator[Node]:
    """A node and all nodes below it that are written for these values: only branches that hold."""
    yield node
    parts = node.parts
    if node.kind == "choice":
        chosen = alternative(node, values)
        parts = () if chosen is None else (chosen,)
    for part in parts:
        yield from shown(part, values)


def summands(node: Node, values: Values) -> list[Values | None]:
    """The values for each summand of Σ, or argument of max or min; None stands for the middle of many."""
    names = [part.text for part in walk(node) if part.kind == "symbol"]
    size = max((value.size for name in names if (value := values[name]) is not None), default=1)
    places: list[int | None] = [place for place in range(size) if not _is_nothing(names, values, place)]
    if len(places) > _MOST_SUMMANDS:
        places = [*places[: _MOST_SUMMANDS - 2], None, places[-1]]
    return [None if place is None else _one(values, place) for place in places]


def _is_nothing(names: list[str], values: Values, place: int) -> bool:
    """Whether a summand does not exist: -inf adds nothing to a sum of exponentials, and pads short rows."""
    vectors = (value for name in names if (value := values[name]) is not None and value.size > 1)
    return any(vector.reshape(-1)[place] == -np.inf for vector in vectors)


def _one(values: Values, place: int) -> Values:
    return {
        name: value if value is None or value.size == 1 else value[..., place : place + 1]
        for name, value in values.items()
    }
