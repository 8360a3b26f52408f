"""Columns of a table that are no data, as its header or their numbers tell, whoever holds the table."""

import re
from collections.abc import Collection, Sequence

import numpy as np

from losscalc.core.array import Array

COUNTS = "counts the rows, and is not data"
"""What is wrong with a column that goes up by one with each row."""

_INDEX = frozenset({"id", "ids", "index", "idx", "row"})
_ID = r"(?s).*(?:_|[a-z])(?i:id)"
# Words that end like the name of an identifier and are none.
_WORDS_IN_ID = frozenset(
    {"bid", "centroid", "covid", "grid", "hybrid", "invalid", "mid", "paid", "sigmoid", "valid", "void"}
)
_UNNAMED = r"(?a)Unnamed: \d+"
_LABEL = re.compile(
    r"(?:(?:actual|class|gold|gt|target|true|y)_?)?(?:class|label|target)(?:e?s)?(?:_?(?:idx|index|true))?"
    r"|y(?:_?true|_(?:actual|test|train|val|valid))?|(?:ground_?)?truth|gt|actual"
)
_GAPS = str.maketrans(" .-", "___")
_FEWEST_COUNTED = 5


def identifies(name: str) -> bool:
    """Whether a column of this name tells rows apart, and holds nothing to compute with.

    >>> [name for name in ("id", "image_id", "PassengerId", "VALID", "covid", "p") if identifies(name)]
    ['id', 'image_id', 'PassengerId']
    """
    word = name.strip().lower()
    return word in _INDEX or (bool(re.fullmatch(_ID, name.strip())) and word not in _WORDS_IN_ID)


def is_unnamed(name: str) -> bool:
    """Whether a column has no name of its own, as the index of rows has not.

    >>> [is_unnamed(name) for name in ("", "Unnamed: 0", "p")]
    [True, True, False]
    """
    return not name or re.fullmatch(_UNNAMED, name) is not None


def is_label(name: str) -> bool:
    """Whether a column of this name has the answers that predictions are compared with.

    >>> [name for name in ("y", "Label", "y_true", "true class", "label_0", "y_pred") if is_label(name)]
    ['y', 'Label', 'y_true', 'true class']
    """
    return _LABEL.fullmatch(name.strip().lower().translate(_GAPS)) is not None


def indices(names: Sequence[str]) -> dict[int, str]:
    """The columns that tell rows apart, and why they are no data."""
    reasons: dict[int, str] = {}
    for column, name in enumerate(names):
        if is_unnamed(name):
            reasons[column] = "has no name: it is the index of the rows, not data"
        elif identifies(name):
            reasons[column] = "identifies rows, and is not data"
    return reasons


def labels(names: Sequence[str], columns: Collection[int]) -> dict[int, str]:
    """Those of some columns that are called as labels are, and why they are no data beside the others.

    Where there are no others they are what is asked for. A y beside an x is a coordinate, beside an n a yes.

    >>> labels(["p", "label"], [0, 1]), labels(["id", "label"], [1]), labels(["x", "y"], [0, 1])
    ({1: 'has the labels of the rows, and is not data'}, {}, {})
    """
    words = {column: names[column].strip().lower() for column in columns}
    is_letter = not {"x", "n"}.isdisjoint(words.values())
    found = [column for column, word in words.items() if is_label(word) and not (is_letter and word == "y")]
    return dict.fromkeys(
        found if len(found) < len(columns) else (), "has the labels of the rows, and is not data"
    )


def counts_rows(values: Array) -> bool:
    """Whether the first column goes up by one from 0 or 1, and some other does not."""
    if len(values) < _FEWEST_COUNTED or values[0, 0] not in (0, 1):
        return False
    is_counting = (values == values[0, 0] + np.arange(len(values))[:, None]).all(axis=0)
    return bool(is_counting[0] and not is_counting.all())
