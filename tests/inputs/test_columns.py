"""Parts of tables: which columns they mean, and which they could mean in two ways."""

import time

import pytest

from losscalc.engine.classes import Classes
from losscalc.errors import FormatError
from losscalc.inputs.columns import Columns

ANIMALS = Columns("a.csv", 5, ["id", "cat", "dog", "fox", "label"])
CLASSES = Columns("c.csv", 4, ["label", "0", "1", "2"])
HYPHENS = Columns("h.csv", 5, ["log", "log-p", "p", "x", "log-p-x"])


@pytest.mark.parametrize(
    ("columns", "part", "chosen"),
    [
        (ANIMALS, "cat-fox", [1, 2, 3]),
        (ANIMALS, "cat-", [1, 2, 3, 4]),
        (ANIMALS, "2-fox", [1, 2, 3]),
        (ANIMALS, "cat-4", [1, 2, 3]),
        (ANIMALS, "*o*", [2, 3]),
        (ANIMALS, "?o[gx],cat", [2, 3, 1]),
        (ANIMALS, "^id,label", [1, 2, 3]),
        (ANIMALS, "^2-4", [0, 4]),
        (ANIMALS, "^*o*", [0, 1, 4]),
        (CLASSES, "0-2", [1, 2, 3]),
        (CLASSES, "0,1,2", [1, 2, 3]),
        (CLASSES, "2", [3]),
        (CLASSES, "label,1", [0, 2]),
        (CLASSES, "label-1", [0, 1, 2]),
        (CLASSES, "^label", [1, 2, 3]),
        (HYPHENS, "log-p", [1]),
        (HYPHENS, "log-x", [0, 1, 2, 3]),
        (HYPHENS, "log-p-p", [1, 2]),
        (Columns("n.csv", 3), "2-,1", [1, 2, 0]),
        (Columns("w.csv", 2, ["a", "a*"]), "a*", [1]),
        (Columns("w.csv", 2, ["^a", "a"]), "^a", [0]),
    ],
)
def test_parts(columns, part, chosen):
    """Names, numbers, ranges of both, patterns, and all but some; a whole name wins."""
    assert columns.select(part) == chosen


@pytest.mark.parametrize(
    ("columns", "part", "says", "hint"),
    [
        (CLASSES, "1-3", "mixes names", "read as names '1': #1; read as numbers 'label', '0', '1': #label-1"),
        (
            CLASSES,
            "1,2,3",
            "mixes names",
            "read as names '1', '2', '1': #1,2,1; read as numbers 'label', '0', '1': #label-1",
        ),
        (CLASSES, "2-", "mixes names", "read as names '2': #2; read as numbers '0', '1', '2': #0-2"),
        (CLASSES, "^1,3", "mixes names", None),
        (Columns("h.csv", 4, ["a", "a-b", "b-c", "c"]), "a-b-c", "more than one way", None),
        (ANIMALS, "fox-cat", "no such column, found 'fox-cat'", None),
        (ANIMALS, "cat-bird", "no such column, found 'cat-bird'", None),
        (ANIMALS, "logit_*", "no such column, found 'logit_*'", None),
        (ANIMALS, "^1-", "no column is left, found '^1-'", None),
        (Columns("n.csv", 3), "*", "no such column", None),
    ],
)
def test_parts_that_mean_nothing_or_two_things(columns, part, says, hint):
    """What could be read in two ways is refused, with both of them as they can be typed."""
    with pytest.raises(FormatError, match=says.replace("*", r"\*").replace("^", r"\^")) as caught:
        columns.select(part)
    assert hint is None or caught.value.hint == hint


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        ("logits_*", "did you mean '#logit_*'?"),
        ("Logit_?", "did you mean '#logit_?'?"),
        ("logitt_[0-2]", "did you mean '#logit_[0-2]'?"),
        ("logits*", "did you mean '#logit*'?"),
        ("*_labels", "did you mean '#*_label'?"),
        ("^logits_*", "did you mean '#^logit_*'?"),
        ("id,logits_*", "did you mean '#id,logit_*'?"),
        ("logits", "did you mean '#logit_*'?"),
        ("logits_1", "did you mean #logit_1?"),
        # One column is not what a pattern means, and other numbers are other columns.
        ("logit_7", None),
        ("idd*", None),
        ("logit_[7-9]", None),
    ],
)
def test_several_columns_are_answered_by_a_pattern(part, hint):
    """One column in the place of several would be computed with, and be wrong."""
    columns = Columns("l.csv", 6, ["id", "logit_0", "logit_1", "logit_2", "my_label", "other_label"])
    with pytest.raises(FormatError, match="no such column") as caught:
        columns.select(part)
    assert caught.value.hint == (hint or f"the columns are {', '.join(columns.names)}")


@pytest.mark.parametrize(
    ("columns", "chosen", "part"),
    [
        (ANIMALS, [2], "#dog"),
        (ANIMALS, [1, 2, 3, 4], "#2-"),
        (ANIMALS, [1, 2], "#cat-dog"),
        (ANIMALS, [1, 3], "#cat,fox"),
        (ANIMALS, [0, 1, 3, 4], "'#^dog'"),
        (CLASSES, [1, 2, 3], "#0-2"),
        (Columns("n.csv", 3), [0, 1], "#1-2"),
        (Columns("n.csv", 3), [2], "#3"),
        (Columns("b.csv", 2, ["", "log p"]), [1], "'#log p'"),
        (Columns("d.csv", 3, ["a", "a", "b"]), [0, 1], "#1-2"),
    ],
)
def test_part_of_columns(columns, chosen, part):
    """The part that a hint names means just these columns."""
    assert columns.part_of(chosen) == part
    assert columns.select(part.strip("'")[1:]) == chosen


def test_wide_tables_take_little():
    """Of 100,000 columns, names and hints are found in seconds: to look at all for each took minutes."""
    names = [f"w{number}x" if number % 2 else f"id{number}" for number in range(100_000)]
    start = time.process_time()
    columns = Columns("f.csv", len(names), names)
    odd = columns.part_of(list(range(1, len(names), 2)))
    assert odd.startswith("#w1x,w3x,w5x,")
    assert columns.part_of(list(range(1, len(names)))) == "#2-"
    assert columns.select("^w3x,w5x")[:4] == [0, 1, 2, 4]
    assert Classes.called(names).place("w99999x", None) == 99_999
    assert time.process_time() - start < 15
