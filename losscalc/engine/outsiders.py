"""Columns of a table that are no data, as its header or their numbers tell, whoever holds the table."""

import re
from collections import Counter
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
_NO_CLASS = "seems to be no class, by its name"
# What the scores of classes are called, before or behind the name of each class.
_SCORE = (
    r"(?:(?:class|log|model|raw|y)_?)*"
    r"(?:confidence|likelihood|logits?|odds|outputs?|p|pred(?:icted|iction|s)?|prob(?:a|as|abilit(?:y|ies)|s)?"
    r"|scores?|softmax)"
)
# Compiled when they are used: most tables are no scores of classes.
_FIRST = rf"({_SCORE}|class|label)(?:_+(?=[^_])|(?=\d))|([xz]?)(?=\d+\Z)"
_LAST = rf".*[^_]_+({_SCORE})"
_HUMP = r"(?<=[a-z])(?=[A-Z])"
_SIGNS = r"\W"
# The class of all that none of the others is has a name of its own.
_REST = frozenset({"background", "bg", "neither", "none", "other", "others", "rest", "unk", "unknown"})
_TOLD = (
    r"(?:(?:is|model|y)_?)?pred(?:icted|iction|icts?|s)?(?:_?(?:class|idx|index|label|conf|confidence|prob|score))?"
    r"|(?:class|label)_?pred(?:icted|iction)?|y_?hat|arg_?max"
    r"|(?:max|top)_?1?_?(?:conf|confidence|logit|p|prob|proba|probability|score|softmax)"
    r"|conf|confidence|prob|proba|probability|score|entropy|uncertainty|margin|loss|epoch"
    r"|(?:case|class|sample)?_?weights?"
)
# Beside these, such a word names a class.
_AKIN = {
    "loss": {"draw", "gain", "profit", "tie", "win", "won"},
    "margin": {"core", "center", "tumor", "tumour"},
    "score": {"goal", "miss"},
    "weight": {"height", "length", "size", "speed", "volume"},
}
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


def strangers(names: Sequence[str], columns: Collection[int]) -> dict[int, str]:
    """Those of some columns, which have scores of classes, that are called as no class is, and why.

    They lack what others have before or behind the name of a class; where none have, some words tell.

    >>> strangers(["p_cat", "p_dog", "age"], [0, 1, 2]), strangers(["cat", "dog", "entropy"], [0, 1, 2])
    ({2: 'seems to be no class, by its name'}, {2: 'seems to be no class, by its name'})
    >>> strangers(["p_cat", "p_dog", "other"], [0, 1, 2]), strangers(["win", "draw", "loss"], [0, 1, 2])
    ({}, {})
    """
    words = {column: _word(names[column]) for column in columns}
    kinds = {column: _kind(word) for column, word in words.items()}
    [(common, count)] = Counter(filter(None, kinds.values())).most_common(1) or [("", 0)]
    known = set(words.values())
    told = {
        c for c, word in words.items() if re.fullmatch(_TOLD, word) and not known & _AKIN.get(word, set())
    }
    others = {c for c in words if kinds[c] != common and words[c] not in _REST} if count > 1 else set()
    found = sorted(told | others)
    return dict.fromkeys(found if len(found) < len(words) else (), _NO_CLASS)


def _word(name: str) -> str:
    """A name in small letters, its words separated by one sign."""
    return re.sub(_SIGNS, "_", re.sub(_HUMP, "_", name.strip())).lower().strip("_")


def _kind(word: str) -> str:
    """What stands before or behind the name of a class: `p_` for p_cat and p(cat), `#` for a number."""
    first = re.match(_FIRST, word)
    if first is not None:
        return f"{first[1] or first[2] or '#'}_"
    last = re.fullmatch(_LAST, word)
    return "" if last is None else f"_{last[1]}"


def counts_rows(values: Array) -> bool:
    """Whether the first column goes up by one from 0 or 1, and some other does not."""
    if len(values) < _FEWEST_COUNTED or values[0, 0] not in (0, 1):
        return False
    is_counting = (values == values[0, 0] + np.arange(len(values))[:, None]).all(axis=0)
    return bool(is_counting[0] and not is_counting.all())
