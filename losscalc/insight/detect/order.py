"""Hypotheses on the order of classes: labels were numbered in another one than that of the columns."""

from collections.abc import Callable

import numpy as np

from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import classes, first, target_name
from losscalc.insight.detect.hypothesis import Hypothesis, NotApplicable, require
from losscalc.insight.detect.kinds import has_classes


def _count(call: Call) -> int:
    x = first(call)
    require(x.ndim > 1 and x.shape[1] > 1)
    return int(x.shape[1])


def _numbered(call: Call, order: Array) -> Call:
    """The call with labels that count the classes in such an order, beside columns that stay."""
    numbers = np.empty_like(order)
    numbers[order] = np.arange(len(order))
    return _relabelled(call, numbers)


def _relabelled(call: Call, numbers: Array) -> Call:
    """The call with another number for each class; what is ignored stays so."""
    name = target_name(call)
    require(not np.array_equal(numbers, np.arange(len(numbers))))
    labels = classes(call, name)
    known = (labels >= 0) & (labels < len(numbers)) & (labels != call.operation.settings.get("ignore_index"))
    return call.changed(name, lambda _: np.where(known, numbers[np.where(known, labels, 0)], labels))


def _by_name(call: Call) -> Array:
    """The columns of the input in the order of their names."""
    table = None if call.files is None else call.files.tables.get(next(iter(call.arrays)))
    if table is None or not table.names:
        raise NotApplicable
    names = [table.names[column].strip() for column in table.columns]
    require(len(names) == _count(call) and len(set(names)) == len(names))
    return np.array(sorted(range(len(names)), key=lambda column: names[column]))


def _as_text(call: Call) -> Array:
    """The numbers of the classes in the order of texts: 0, 1, 10, 2 ..."""
    return np.array(sorted(range(_count(call)), key=str))


def _reversed(call: Call) -> Array:
    return np.arange(_count(call))[::-1]


def _by_appearance(call: Call) -> Array:
    """The classes in the order in which the labels have them, and then those that they lack."""
    labels, count = classes(call, target_name(call)), _count(call)
    known = labels[(labels >= 0) & (labels < count)]
    require(known.size)
    return np.array(list(dict.fromkeys([*known.ravel().tolist(), *range(count)])))


def _by_frequency(call: Call) -> Array:
    """The classes from the most frequent to the rarest."""
    labels, count = classes(call, target_name(call)), _count(call)
    known = labels[(labels >= 0) & (labels < count)]
    require(known.size)
    return np.argsort(-np.bincount(known.ravel(), minlength=count), kind="stable")


_Order = Callable[[Call], Array]
_ROWS: tuple[tuple[str, str, float, Callable[[Call, Array], Call], _Order], ...] = (
    ("classes-by-name",
     "labels were numbered in alphabetical order of the classes, which is not the order of the columns", 2.0,
     _numbered, _by_name),
    ("columns-by-name",
     "the columns of the input were sorted by name, while labels number them as they stand", 2.5,
     _relabelled, _by_name),
    ("classes-as-text", "labels were numbered in the order of texts: 0, 1, 10, 2 and so on", 3.5,
     _numbered, _as_text),
    ("columns-as-text", "the columns of the input were in the order of texts: 0, 1, 10, 2 and so on", 4.0,
     _relabelled, _as_text),
    ("classes-by-appearance", "labels were numbered in order of appearance, from 0", 4.5, _numbered,
     _by_appearance),
    ("classes-by-frequency", "labels were numbered by frequency, the most frequent one as 0",
     6.5, _numbered, _by_frequency),
    ("classes-reversed", "the classes were in reversed order", 4.5, _relabelled, _reversed),
)  # fmt: skip

ORDERS = [
    Hypothesis(
        "target",
        name,
        sentence,
        bits,
        lambda call, change=change, order=order: change(call, order(call)),
        concerns=has_classes,
    )
    for name, sentence, bits, change, order in _ROWS
]
