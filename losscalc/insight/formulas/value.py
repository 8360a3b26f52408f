"""The value of a formula, in plain NumPy: an explanation, and no way to compute a loss."""

from collections.abc import Callable, Mapping

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.insight.formulas.grammar import Node, walk

Values = Mapping[str, FloatArray | None]
"""The value of each symbol, with an axis behind the others that Σ sums over; None for what is left out."""

# The most summands that are written out.
_MOST_SUMMANDS = 4
_FUNCTIONS: dict[str, Callable[..., FloatArray]] = {
    "ln": np.log,
    "exp": np.exp,
    "σ": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "max": np.maximum,
    "min": np.minimum,
    "atan": np.arctan,
}
_COMPARISONS: dict[str, Callable[..., np.ndarray]] = {
    "=": np.equal,
    "≠": np.not_equal,
    "<": np.less,
    "≤": np.less_equal,
    ">": np.greater,
    "≥": np.greater_equal,
}


def evaluate(node: Node, values: Values) -> FloatArray | None:
    """The value of a part; None where all its symbols are left out."""
    match node.kind:
        case "number":
            return np.asarray(0.5 if node.text == "½" else float(node.text))
        case "symbol" | "flag":
            return values[node.text]
        case "choice":
            chosen, condition, other = (np.asarray(evaluate(part, values)) for part in node.parts)
            return np.asarray(np.where(condition.astype(bool), chosen, other), dtype=np.float64)
        case "compare":
            # As numbers, of which a choice takes those that are not 0 for true.
            holds = _COMPARISONS[node.text](*(evaluate(part, values) for part in node.parts))
            return holds.astype(np.float64)
    parts = [value for part in node.parts if (value := evaluate(part, values)) is not None]
    if not parts:
        return None
    if len(parts) < len(node.parts):
        is_left_out = evaluate(node.parts[0], values) is None
        return -parts[0] if is_left_out and node.text == "-" else parts[0]
    return _OPERATIONS[node.kind](node, *parts)


def _total(node: Node, body: FloatArray) -> FloatArray:
    return np.asarray(body.sum(axis=-1, keepdims=True))


_ARITHMETIC: dict[str, Callable[..., FloatArray]] = {
    "+": np.add, "-": np.subtract, "·": np.multiply, "": np.multiply, "/": np.divide,
}  # fmt: skip
_OPERATIONS: dict[str, Callable[..., FloatArray]] = {
    "negative": lambda node, value: -value,
    "sum": lambda node, left, right: _ARITHMETIC[node.text](left, right),
    "product": lambda node, left, right: _ARITHMETIC[node.text](left, right),
    "power": lambda node, base, exponent: np.power(base, exponent),
    "group": lambda node, value: np.abs(value) if node.text == "|" else value,
    "call": lambda node, *arguments: _FUNCTIONS[node.text](*arguments),
    "total": _total,
}


def summands(node: Node, values: Values) -> list[Values | None]:
    """The values of each summand of a Σ, and None for those in the middle of many."""
    names = [part.text for part in walk(node) if part.kind == "symbol"]
    size = max((value.size for name in names if (value := values[name]) is not None), default=1)
    shown: list[int | None] = [place for place in range(size) if not _is_nothing(names, values, place)]
    if len(shown) > _MOST_SUMMANDS:
        shown = [*shown[: _MOST_SUMMANDS - 2], None, shown[-1]]
    return [None if place is None else _one(values, place) for place in shown]


def _is_nothing(names: list[str], values: Values, place: int) -> bool:
    """Whether there is no such summand: what is -infinite adds nothing, and fills rows that are shorter."""
    vectors = (value for name in names if (value := values[name]) is not None and value.size > 1)
    return any(vector.reshape(-1)[place] == -np.inf for vector in vectors)


def _one(values: Values, place: int) -> Values:
    return {
        name: value if value is None or value.size == 1 else value[..., place : place + 1]
        for name, value in values.items()
    }
