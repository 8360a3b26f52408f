"""The labels of rows that Series and DataFrames have, by which two arrays may be in two orders."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from losscalc.core.declaration import array_arguments, broadcast_weights, row_arrays
from losscalc.core.domains import parse_number
from losscalc.engine.classes import Classes
from losscalc.engine.sources import Source
from losscalc.errors import DataError, LosscalcWarning, printable

_SHOWN = 10


def check_rows(cls: type, given: Mapping[str, Any], labelled: Mapping[str, Any]) -> None:
    """Refuse arrays of an operation whose rows have other labels than those of the others.

    `labelled` are the indexes of those of the given arrays that have one.
    """
    names = list(_of_rows(cls, given, labelled))
    if len(names) < 2:
        return
    first, *others = names
    own = labelled[first]
    for name in others:
        index = labelled[name]
        # Of different lengths the shapes tell.
        if len(index) != len(own) or own.equals(index):
            continue
        pairs = enumerate(zip(own, index, strict=True))
        place, (one, other) = next(((i, pair) for i, pair in pairs if pair[0] != pair[1]), (0, ("", "")))
        raise DataError(
            f"the index of `{name}` is not that of `{first}`: "
            f"row {place} is {other!r} here, and {one!r} there",
            argument=name,
            index=(place,),
            hint="bring the rows into one order, or give both with .to_numpy() if they are",
        )


def check_weights(
    cls: type, sources: Mapping[str, Source], labelled: Mapping[str, Any]
) -> Iterator[LosscalcWarning]:
    """Refuse weights a class, or a column, whose labels are these in another order; warn of other labels."""
    features = [array.name for array in array_arguments(cls) if array.role.kind == "features"]
    tables = [source.names for name, source in sources.items() if source.names and name not in features]
    for name in set(_of_classes(cls, sources)) & labelled.keys():
        width = len(labelled[name])
        names = next((names for names in tables if len(names) == width), None)
        yield from _check_order(name, labelled[name], Classes.called(names) if names else Classes(width))


def check_kept(name: str, index: Any) -> None:
    """Refuse labels other than 0, 1, 2 ... of weights that a loss is made with, which keeps no labels."""
    for remark in _check_order(name, index, Classes.called(list(map(str, range(len(index)))))):
        problem = f"the index of `{name}` is not 0, 1, 2 ..., and a loss keeps its weights without an index"
        raise DataError(problem, argument=name, hint=remark.hint)


def _check_order(name: str, index: Iterable[Any], classes: Classes) -> Iterator[LosscalcWarning]:
    """Refuse an index that has the classes in another order; warn of labels that are none of them."""
    labels = list(index)
    numbers = [parse_number(str(label)) for label in labels]
    places = [classes.place(str(label), number) for label, number in zip(labels, numbers, strict=True)]
    are_numbers = None not in numbers
    ordered = sorted(labels, key=float if are_numbers else str)
    if set(places) == set(range(len(labels))):
        by_place = dict(zip(places, labels, strict=True))
        ordered = [by_place[place] for place in range(len(labels))]
        if ordered != labels:
            raise _in_other_order(name, labels, ordered)
    elif are_numbers and ordered != labels:
        raise _in_other_order(name, labels, ordered)
    elif are_numbers or classes.names or ordered != labels:
        shown = ", ".join(map(str, labels[:_SHOWN])) + (", ..." if len(labels) > _SHOWN else "")
        yield LosscalcWarning(
            printable(f"the index of `{name}` is {shown}: these are not the classes, and not compared"),
            argument=name,
            hint="if it stands in the order of the classes, give .to_numpy() of it",
        )


def _in_other_order(name: str, labels: Sequence[Any], ordered: Sequence[Any]) -> DataError:
    """The error about weights that are to be taken in another order."""
    place = next(i for i, pair in enumerate(zip(labels, ordered, strict=True)) if pair[0] != pair[1])
    is_text = any(isinstance(label, str) for label in labels)
    is_sorted = list(ordered) == sorted(labels, key=str if is_text else float)
    way = ".sort_index()" if is_sorted else f".reindex({ordered!r})" if len(ordered) <= _SHOWN else None
    return DataError(
        printable(
            f"the index of `{name}` is not in the order of the classes: "
            f"row {place} is {labels[place]!r}, and not {ordered[place]!r}"
        ),
        argument=name,
        index=(place,),
        hint=printable(f"give {way} of it") if way else "bring it into the order of the columns",
    )


def _of_classes(cls: type, sources: Mapping[str, Source]) -> Iterator[str]:
    """The arrays that have a factor for each class, or for each column."""
    axes = max(len(source.shape) for source in sources.values())
    for array in array_arguments(cls):
        shape = sources[array.name].shape if array.name in sources else ()
        is_of_columns = array.name in broadcast_weights(cls) and axes > 1
        if len(shape) == 1 and (array.role.kind == "class-weights" or is_of_columns):
            yield array.name


def _of_rows(cls: type, given: Mapping[str, Any], labelled: Mapping[str, Any]) -> Iterator[str]:
    """The arrays whose rows are samples, among those that have labels; weights may be factors of columns."""
    rows = row_arrays(cls)
    yield from (name for name in rows if name in labelled)
    weights = [name for name in broadcast_weights(cls) if name in labelled]
    axes = {np.ndim(given[name]) for name in rows if given.get(name) is not None} if weights else set()
    yield from (name for name in weights if np.ndim(given[name]) in axes)
