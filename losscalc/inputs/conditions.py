"""Conditions that rows have to meet: COLUMN OP VALUE, as in `split=val` or `p > 0.4`."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import parse_number
from losscalc.errors import UsageError, printable
from losscalc.inputs.cells import Cell, number_of

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    # The longer ones come first: `<` would leave the `=` of `<=` to the value.
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_EQUALITIES = ("!=", "==", "=")
_IN = "in"


class Condition(NamedTuple):
    """A condition on the cells of one column.

    >>> Condition("split", "=", "val").holds(np.array(["val", "train"], object))
    array([ True, False])
    >>> Condition("p", ">", "0.4").holds(np.array([0.25, 0.5]))
    array([False,  True])
    """

    column: str
    comparison: str
    value: str

    def holds(self, cells: Array) -> np.ndarray:
        """Of which cells it is true. Numbers are compared as numbers, and texts as texts."""
        if self.comparison == _IN:
            found = [self._compare("=", word.strip(), cells) for word in self.value.split(",")]
            return np.asarray(np.logical_or.reduce(found))
        return self._compare(self.comparison, self.value, cells)

    def _compare(self, comparison: str, word: str, cells: Array) -> np.ndarray:
        compare, value = _COMPARISONS[comparison], parse_number(word)
        if cells.dtype != object:
            if value is not None:
                return np.asarray(compare(cells, value))
            return np.full(len(cells), comparison == "!=")
        return np.array([self._holds(compare, comparison, cell, word, value) for cell in cells], bool)

    @staticmethod
    def _holds(
        compare: Callable[[Any, Any], Any], comparison: str, cell: Cell, word: str, value: float | None
    ) -> bool:
        found = number_of(cell)
        if found is not None and value is not None:
            return bool(compare(found, value))
        if isinstance(cell, float) or (value is not None and comparison not in _EQUALITIES):
            # A number and a text differ, and neither is the larger.
            return comparison == "!="
        return bool(compare(cell, word))


def find_condition(text: str, names: Sequence[str]) -> Condition | None:
    """The condition in a text, if it is on one of the columns of these names.

    The column is the longest name that the text begins with and that leaves a comparison.

    >>> find_condition("p > 0.4", ["p", "split"]), find_condition("split=val", ["p"])
    (Condition(column='p', comparison='>', value='0.4'), None)
    """
    found = (_behind(name, text) for name in sorted(filter(None, names), key=len, reverse=True))
    return next((condition for condition in found if condition is not None), None)


def _behind(name: str, text: str) -> Condition | None:
    """The condition on a column, if what stands behind its name is one."""
    text = text.strip()
    if not text.startswith(name):
        return None
    rest = text[len(name) :]
    word = rest.lstrip()
    if rest[:1].isspace() and word[:3].rstrip() == _IN and word[2:3].isspace():
        return Condition(name, _IN, word[2:].strip())
    sign = next((sign for sign in _COMPARISONS if word.startswith(sign)), None)
    return None if sign is None else Condition(name, sign, word[len(sign) :].strip())


def check_condition(text: str) -> None:
    """Refuse a condition without a comparison, of which a shell may have taken the rest."""
    if not any(sign in text for sign in _COMPARISONS) and f" {_IN} " not in text:
        raise UsageError(
            "not a condition",
            found=text,
            hint="quote the condition, as in --where 'p > 0.4' or --where split=val",
        )


def column_meant(text: str) -> str:
    """What a condition says before its comparison, for messages about a column that is not there.

    >>> column_meant("splt = val"), column_meant("fold in 1,2")
    ('splt', 'fold')
    """
    places = [text.find(sign) for sign in (*_COMPARISONS, f" {_IN} ") if sign in text]
    return printable(text[: min(places, default=len(text))].strip())
