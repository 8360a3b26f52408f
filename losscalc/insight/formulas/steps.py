"""The steps of a formula that a textbook writes down: functions, sums, and what goes into a logarithm."""

from collections.abc import Iterator, Mapping

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.insight.formulas.grammar import Node, walk
from losscalc.insight.formulas.value import Values, alternative, evaluate

# What a reader computes in the head.
_SIMPLE = ("symbol", "number", "flag")


def steps(node: Node, values: Values) -> Iterator[tuple[Node, FloatArray]]:
    """The parts of a node that are worth a step, each behind what it is made of, and their values.

    Only alternatives that hold have steps, and only factors that are not multiplied by 0.
    """
    whole = _whole(node, values)
    for part in _worth(node, values):
        value = evaluate(part, values)
        if value is not None and value.size == 1 and part != whole:
            yield _bare(part), value


def _worth(node: Node, values: Values) -> Iterator[Node]:
    if node.kind == "choice":
        chosen = alternative(node, values)
        if chosen is not None:
            yield from _worth(chosen, values)
        return
    if node.kind in ("total", "extreme"):
        # What stands inside is a step for each summand.
        if all(part.kind != "choice" for part in walk(node)):
            yield node
        return
    for part in _counting(node, values):
        yield from _worth(part, values)
    if node.kind == "call":
        for part in node.parts:
            if _is_compound(part) and len(node.parts) == 1:
                yield part
        if not _is_one_of_its_parts(node, values):
            yield node
    elif node.kind == "power" and _is_compound(node.parts[0]):
        yield node.parts[0]


def _whole(node: Node, values: Values) -> Node:
    """What a node comes to be when only the alternative that holds is left: no step on the way to it."""
    if node.kind == "choice" and (chosen := alternative(node, values)) is not None:
        return _whole(chosen, values)
    return _whole(node.parts[0], values) if node.kind == "group" and node.text == "(" else node


def _counting(node: Node, values: Values) -> tuple[Node, ...]:
    """The parts of a node; of a product only those that are 0, if there are any."""
    if node.kind != "product" or node.text == "/":
        return node.parts
    zero = [part for part in node.parts if _is_zero(evaluate(part, values))]
    return tuple(zero) or node.parts


def _is_zero(value: FloatArray | None) -> bool:
    return value is not None and value.size == 1 and not value.any()


def _is_compound(node: Node) -> bool:
    """Whether it has a value of its own that is not a step or a number anyway."""
    if node.kind == "group":
        return node.text == "|" or _is_compound(node.parts[0])
    return node.kind not in (*_SIMPLE, "call", "extreme", "total", "choice", "negative")


def _is_one_of_its_parts(node: Node, values: Values) -> bool:
    """Whether a maximum or minimum of a step and a number is that step."""
    if node.text not in ("max", "min"):
        return False
    value = evaluate(node, values)
    calls = [evaluate(part, values) for part in node.parts if part.kind == "call"]
    return any(np.array_equal(value, each) for each in calls if value is not None and each is not None)


def named(node: Node, source: str, names: Mapping[str, str]) -> Node:
    """A node in which parts that have a name are symbols of that name."""
    if (name := names.get(_key(node, source))) is not None:
        return Node("symbol", (), name, node.start, node.end)
    return node._replace(parts=tuple(named(part, source, names) for part in node.parts))


def names_of(definitions: Mapping[str, Node], source: str) -> dict[str, str]:
    """The names of definitions by what they define."""
    return {_key(node, source): name for name, node in definitions.items()}


def _key(node: Node, source: str) -> str:
    bare = _bare(node)
    return "".join(source[bare.start : bare.end].split())


def _bare(node: Node) -> Node:
    """A node without brackets around all of it."""
    return _bare(node.parts[0]) if node.kind == "group" and node.text == "(" else node
