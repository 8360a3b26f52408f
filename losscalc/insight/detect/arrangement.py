"""Hypotheses on arrangement: rows in the order of texts, sorted arrays, and two classes exchanged."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations
from math import log2

import numpy as np

from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import array, changed, classes, first, of_rows, target_name
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.kinds import has_classes

# Two of so many classes or columns are exchanged.
_FEW_CLASSES = 6


@lru_cache(maxsize=4)
def _as_text(count: int) -> Array:
    """The numbers of rows in the order of texts: 0, 1, 10, 2 ..."""
    return np.array(sorted(range(count), key=str))


def _own_order(call: Call, order: Callable[[Call], Array]) -> Call:
    """The call with the predictions in another order of rows, and everything else as it stands."""
    names = of_rows(call)
    rows = order(call)
    require(not np.array_equal(rows, np.arange(len(rows))))
    # Where several arrays are predictions, all of them are; labels and weights stay.
    kinds = {name: call.operation.roles[name].kind for name in names}
    moving = [name for name in names if kinds[name] == kinds[names[0]] and name != _label(call)]
    for name in moving:
        call = changed(call, name, lambda values: values[rows])
    return call


def _label(call: Call) -> str:
    return next((name for name in ("target", "targets") if name in call.arrays), "")


def _texts(call: Call) -> Array:
    return _as_text(len(first(call)))


def _texts_undone(call: Call) -> Array:
    return np.argsort(_texts(call))


def _by_label(call: Call) -> Array:
    """The rows class by class, as folders have them."""
    labels = array(call, target_name(call))
    require(labels.ndim == 1)
    return np.argsort(labels, kind="stable")


def _sorted(values: Array) -> Array:
    require(values.ndim == 1 and len(values) > 1)
    return np.sort(values)


def _both_sorted(call: Call) -> Call:
    return changed(changed(call, next(iter(call.arrays)), _sorted), target_name(call), _sorted)


def _input_sorted(call: Call, *, downwards: bool = False) -> Call:
    return changed(call, next(iter(call.arrays)), lambda x: _sorted(x)[:: -1 if downwards else 1])


ARRANGEMENT = [
    Hypothesis(
        "rows",
        "rows-as-text",
        "the predictions were in the order of texts: rows 0, 1, 10, 100, 2 and so on",
        3.5,
        lambda call: _own_order(call, _texts),
    ),
    Hypothesis(
        "rows",
        "target-rows-as-text",
        "the targets were in the order of texts: rows 0, 1, 10, 100, 2 and so on",
        3.5,
        lambda call: _own_order(call, _texts_undone),
    ),
    Hypothesis(
        "rows",
        "target-sorted",
        "the targets were sorted, and the predictions not",
        5.0,
        lambda call: changed(call, target_name(call), _sorted),
    ),
    Hypothesis(
        "rows",
        "input-by-class",
        "the predictions were sorted by their labels, class by class, and the targets not",
        5.0,
        lambda call: _own_order(call, _by_label),
        concerns=has_classes,
    ),
    Hypothesis(
        "rows",
        "input-sorted",
        "the predictions were sorted, and the targets not",
        6.0,
        _input_sorted,
    ),
    Hypothesis(
        "rows",
        "input-sorted-down",
        "the predictions were sorted from the largest, and the targets not",
        6.0,
        lambda call: _input_sorted(call, downwards=True),
    ),
    Hypothesis(
        "rows",
        "both-sorted",
        "predictions and targets were sorted, each by itself",
        5.5,
        _both_sorted,
    ),
]


def _other_places(count: int, one: int, other: int) -> Array:
    places = np.arange(count)
    places[[one, other]] = places[[other, one]]
    return places


def _picked(places: Array, axis: int = 1) -> Callable[[Array], Array]:
    """The columns in another order, if there are as many of them."""

    def picked(values: Array) -> Array:
        require(values.ndim > axis and values.shape[axis] == len(places))
        return np.take(values, places, axis=axis)

    return picked


def _labels_exchanged(call: Call, places: Array) -> Call:
    name = target_name(call)
    labels = classes(call, name)
    known = (labels >= 0) & (labels < len(places)) & (labels != call.operation.settings.get("ignore_index"))
    return call.changed(name, lambda _: np.where(known, places[np.where(known, labels, 0)], labels))


def of_pairs(call: Call) -> Iterator[Hypothesis]:
    """That two of a few classes or columns were exchanged: in the labels, the input or the weights."""
    x = first(call) if call.arrays else np.empty(0)
    count = x.shape[1] if x.ndim > 1 else 0
    if not 2 < count <= _FEW_CLASSES:
        return
    pairs = list(combinations(range(count), 2))
    is_of_classes = call.operation.labels in CLASS_KINDS
    weight = call.arrays.get("weight")
    for one, other in pairs:
        places = _other_places(count, one, other)
        if is_of_classes:
            yield Hypothesis(
                "target",
                f"classes-exchanged-{one}-{other}",
                f"the labels of classes {one} and {other} were exchanged, or their columns",
                3.0 + log2(len(pairs)),
                lambda call, places=places: _labels_exchanged(call, places),
            )
        else:
            yield Hypothesis(
                "input",
                f"columns-exchanged-{one + 1}-{other + 1}",
                f"columns {one + 1} and {other + 1} of the input were exchanged",
                3.5 + log2(len(pairs)),
                lambda call, places=places: changed(call, next(iter(call.arrays)), _picked(places)),
            )
        if weight is not None and np.shape(weight) == (count,):
            yield Hypothesis(
                "arrays",
                f"weights-exchanged-{one}-{other}",
                f"the weights {one} and {other}, counted from 0, were exchanged",
                3.5 + log2(len(pairs)),
                lambda call, places=places: changed(call, "weight", _picked(places, 0)),
            )
