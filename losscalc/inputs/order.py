"""The order in which classes come in each row of JSON: their names are keys, or labels beside the numbers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from losscalc.engine.outsiders import is_label
from losscalc.errors import FormatError, Location, printable
from losscalc.inputs.document import EVERY

Named = tuple[str, tuple[str, ...]]
"""What names the items of a row, and the names."""

KEYS = "keys"
_SHOWN = 5


class Order:
    """The names of the items of the first row, which those of others have to come in the order of."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, ...]] = {}

    def check(self, rows: Sequence[Iterator[Named]], place: Callable[[int], Location]) -> None:
        """Refuse a row whose names come in another order; `place` is where a row stands."""
        for number, row in enumerate(rows):
            for what, names in row:
                first = self._first.setdefault(what, names)
                if names != first and _are_columns(what, names, first):
                    raise FormatError(
                        printable(
                            f"by {what}, the items are {_shown(names)}, and in the first row {_shown(first)}"
                        ),
                        location=place(number),
                        hint="bring the items of all rows into one order, so that a column is one class",
                    )


def passed(node: Any, steps: Sequence[str]) -> Iterator[Named]:
    """The names of what the `*` of some steps pass in a row.

    >>> next(passed({"probs": {"cat": 0.9, "dog": 0.1}}, ["probs", "*"]))
    ('keys', ('cat', 'dog'))
    >>> next(passed([{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}], ["*", "score"]))
    ('label', ('cat', 'dog'))
    """
    for position, step in enumerate(steps):
        if isinstance(node, dict) and step in node:
            node = node[step]
            continue
        if step != EVERY or not isinstance(node, dict | list):
            return
        rest = steps[position + 1 :]
        if isinstance(node, dict):
            yield KEYS, tuple(node)
        elif rest:
            yield from _beside(node, rest[0])
        if EVERY in rest:
            for item in node.values() if isinstance(node, dict) else node:
                yield from passed(item, rest)
        return


def _beside(items: list[Any], name: str) -> Iterator[Named]:
    """The texts beside a number in each of some objects, by the names of their members."""
    if not all(isinstance(item, dict) and isinstance(item.get(name), float) for item in items):
        return
    for key in items[0] if items else ():
        texts = tuple(item.get(key) for item in items)
        if all(isinstance(text, str) for text in texts):
            yield key, texts


def _are_columns(what: str, names: Sequence[str], first: Sequence[str]) -> bool:
    """Whether names that differ from row to row are those of columns, unlike the words of sentences."""
    if what == KEYS:
        return not set(names).isdisjoint(first)
    return len({*names}) == len(names) > 1 and (is_label(what) or sorted(names) == sorted(first))


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
