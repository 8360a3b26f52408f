"""The labels of rows that Series and DataFrames have, by which two arrays may be in two orders."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from losscalc.core.declaration import broadcast_weights, row_arrays
from losscalc.errors import DataError


def check_indexes(cls: type, given: Mapping[str, Any], labelled: Mapping[str, Any]) -> None:
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


def _of_rows(cls: type, given: Mapping[str, Any], labelled: Mapping[str, Any]) -> Iterator[str]:
    """The arrays whose rows are samples, among those that have labels; weights may be factors of columns."""
    rows = row_arrays(cls)
    yield from (name for name in rows if name in labelled)
    weights = [name for name in broadcast_weights(cls) if name in labelled]
    axes = {np.ndim(given[name]) for name in rows if given.get(name) is not None} if weights else set()
    yield from (name for name in weights if np.ndim(given[name]) in axes)
