"""Conditions that rows have to meet: COLUMN OP VALUE, as in `split=val` or `p > 0.4`."""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import parse_number
from losscalc.errors import UsageError, printable
from losscalc.inputs.parts import quoted

Comparison = Callable[[Any, Any], Any]

_COMPARISONS: dict[str, Comparison] = {
    # The longer ones come first: `<` would leave the `=` of `<=` to the value.
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_IN = "in"
_DATE = r"(?a)\d{1,2}([-/.])\d{1,2}\1\d{2,4}\b"
# How other languages write comparisons, and what is typed here.
_ELSEWHERE = {"<>": "!=", "=>": ">=", "=<": "<=", "!==": "!="}


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
        words = self.value.split(",") if self.comparison == _IN else [self.value]
        compare = _COMPARISONS.get(self.comparison, operator.eq)
        return np.asarray(np.logical_or.reduce([_compared(cells, compare, word.strip()) for word in words]))


def _compared(cells: Array, compare: Comparison, word: str) -> np.ndarray:
    from losscalc.inputs.keys import value_of

    key = value_of(word)
    if cells.dtype.kind not in "OS" and not isinstance(key, str):
        return np.asarray(compare(cells, key))
    if cells.dtype.kind == "S" and isinstance(key, str) and compare in (operator.eq, operator.ne):
        return np.asarray(compare(cells, key.encode()))
    each = cells.tolist()
    # Columns that conditions are on have the same few texts again and again.
    known = {cell: _holds(value_of(cell), compare, key) for cell in set(each)}
    return np.array([known[cell] for cell in each], bool)


def _holds(own: str | float, compare: Comparison, key: str | float) -> bool:
    if isinstance(own, str) == isinstance(key, str):
        return bool(compare(own, key))
    # A number and a text differ, and neither is the larger.
    return compare is operator.ne


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
    if not any(sign in text for sign in _COMPARISONS) and f" {_IN} " not in text.strip():
        raise UsageError(
            "not a condition",
            found=text,
            hint="quote the condition, as in --where 'p > 0.4' or --where split=val",
        )


def check_value(condition: Condition, text: str, names: Sequence[str]) -> None:
    """Refuse a condition that no row would meet, as a part of it is left in its value."""
    _check_sign(condition, text)
    _check_order(condition, text)
    for word in re.finditer(r"\s+(?:and|AND|&&?)\s+", condition.value):
        first, other = condition.value[: word.start()], condition.value[word.end() :]
        if find_condition(other, names) is not None:
            own = quoted(f"{condition.column} {condition.comparison} {first}")
            hint = f"give each of its own: --where {own} --where {quoted(other)}"
            raise UsageError("a condition is on one column", found=text, hint=printable(hint))


def _check_sign(condition: Condition, text: str) -> None:
    """Refuse a comparison with a sign too many, such as `>>`.

    Texts may begin with such signs, as in `income = >50K`, but none is larger or smaller than others by them.
    """
    rest = condition.value.lstrip("<>=! ")
    signs = condition.comparison + condition.value.removesuffix(rest).replace(" ", "")
    if condition.comparison == _IN or signs == condition.comparison:
        return
    is_equality = _COMPARISONS[condition.comparison] in (operator.eq, operator.ne)
    is_joined = text.strip().endswith(condition.comparison + condition.value)
    if is_equality and not (is_joined and parse_number(rest) is not None):
        return
    meant = _ELSEWHERE.get(signs) or next(sign for sign in _COMPARISONS if signs.startswith(sign))
    hint = f"did you mean --where {quoted(f'{condition.column} {meant} {rest}')}?"
    raise UsageError("not a comparison", found=signs, hint=printable(hint))


def _check_order(condition: Condition, text: str) -> None:
    """Refuse to ask for earlier or later dates by texts that do not begin with the year."""
    is_order = _COMPARISONS.get(condition.comparison) not in (None, operator.eq, operator.ne)
    if is_order and re.match(_DATE, condition.value):
        meant = quoted(f"{condition.column} in {condition.value}")
        raise UsageError(
            "texts are compared letter by letter, and a date is in the order of time only as in 2024-01-31",
            found=text,
            hint=printable(f"name those that are meant, as in --where {meant}"),
        )


def column_meant(text: str) -> str:
    """What a condition says before its comparison, for messages about a column that is not there.

    >>> column_meant("splt = val"), column_meant("fold in 1,2")
    ('splt', 'fold')
    """
    places = [text.find(sign) for sign in (*_COMPARISONS, f" {_IN} ") if sign in text]
    return printable(text[: min(places, default=len(text))].strip())
