"""Conditions on rows: which column, comparison and value a text means, and of which cells it is true."""

import re

import numpy as np
import pytest

from losscalc.errors import UsageError
from losscalc.inputs.cells import as_cells
from losscalc.inputs.conditions import Condition, check_condition, check_value, column_meant, find_condition

NAMES = ["p", "p>q", "p >", "split", "split in", "in", "x in y", "a b", "a=b", "a", "%", "é", "p.value", ""]


@pytest.mark.parametrize(
    ("text", "column", "comparison", "value"),
    [
        ("split=val", "split", "=", "val"),
        ("  split  =  val  ", "split", "=", "val"),
        ("split==val", "split", "==", "val"),
        ("split=", "split", "=", ""),
        ("split!=a = b", "split", "!=", "a = b"),
        ("p > 0.4", "p", ">", "0.4"),
        ("p<=-1", "p", "<=", "-1"),
        ("p>=1e-3", "p", ">=", "1e-3"),
        ("p<>3", "p", "<", ">3"),
        ("p>q", "p", ">", "q"),
        ("p>q > 1", "p>q", ">", "1"),
        ("p>q>1", "p>q", ">", "1"),
        ("p >= 2", "p >", "=", "2"),
        ("p > > 2", "p >", ">", "2"),
        ("split in a,b", "split", "in", "a,b"),
        ("split in in a", "split in", "in", "a"),
        ("split in=3", "split in", "=", "3"),
        ("in in 1,2", "in", "in", "1,2"),
        ("in=1", "in", "=", "1"),
        ("x in y in 1", "x in y", "in", "1"),
        ("a in b=c", "a", "in", "b=c"),
        ("a b = c", "a b", "=", "c"),
        ("a=b", "a", "=", "b"),
        ("a=b=c", "a=b", "=", "c"),
        ("a\tin\tb", "a", "in", "b"),
        ("% < 5", "%", "<", "5"),
        ("é=è", "é", "=", "è"),
        ("p.value<0.05", "p.value", "<", "0.05"),
    ],
)
def test_the_longest_name_that_leaves_a_comparison(text, column, comparison, value):
    """Names may hold operators and blanks; what is behind the comparison is the value."""
    assert find_condition(text, NAMES) == Condition(column, comparison, value)


@pytest.mark.parametrize(
    "text", ["q=1", "spli=val", "splitting = 1", "p", "p in", "pin 3", "p in3", "=3", ""]
)
def test_no_column_of_these_names(text):
    """A name is all of a name, and a comparison has to follow."""
    assert find_condition(text, ["p", "split"]) is None


@pytest.mark.parametrize(
    ("text", "found", "hint"),
    [
        ("p >> 3", "'>>'", "did you mean --where 'p > 3'?"),
        ("p > > 3", "'>>'", "did you mean --where 'p > 3'?"),
        ("p > = 3", "'>='", "did you mean --where 'p >= 3'?"),
        ("p<>3", "'<>'", "did you mean --where 'p != 3'?"),
        ("p=>3", "'=>'", "did you mean --where 'p >= 3'?"),
        ("p =< .5", "'=<'", "did you mean --where 'p <= .5'?"),
        ("p === 3", "'==='", "did you mean --where 'p == 3'?"),
        ("p > 3 and q < 2", "'p > 3 and q < 2'", "give each of its own: --where 'p > 3' --where 'q < 2'"),
        ("a=x && q<2", "'a=x && q<2'", "give each of its own: --where 'a = x' --where 'q<2'"),
    ],
)
def test_what_is_left_of_a_condition_in_its_value(text, found, hint):
    """No row would meet it, and the mean of none is NaN."""
    names = ["p", "q", "a"]
    condition = find_condition(text, names)
    with pytest.raises(UsageError, match=f", found {re.escape(found)}") as caught:
        check_value(condition, text, names)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "text",
    ["p = >50K", "p=<=50K", "p = < 5", "p!= =", "p > -3", "p in >1,<2", "p = A and B", "p = x and y = 1"],
)
def test_what_texts_may_hold(text):
    """Signs in front of a text that is equal to a cell, and words that no condition follows."""
    check_value(find_condition(text, ["p"]), text, ["p"])


@pytest.mark.parametrize("text", ["split", "p 0.4", "p", "", "fold in ", "fold in", "pin 3"])
def test_what_is_no_condition(text):
    """An unquoted > is taken by the shell; the hint says what to type."""
    with pytest.raises(UsageError, match="not a condition") as error:
        check_condition(text)
    assert error.value.hint == "quote the condition, as in --where 'p > 0.4' or --where split=val"


@pytest.mark.parametrize("text", ["a=b", "a>b", "a!=", "fold in 1", "p>0.4"])
def test_what_may_be_a_condition(text):
    """The columns are not known yet."""
    check_condition(text)


def test_the_column_that_is_meant():
    """What stands before the first comparison, for a message."""
    assert [column_meant(text) for text in ("splt = val", "fold in 1,2", "p>q > 1", "a\n<3")] == [
        "splt",
        "fold",
        "p",
        "a",
    ]


NUMBERS = ("1", "2.0", "010", "-3", "1e1", "9007199254740993", "inf", "")
TEXTS = ("b", "a", "1a", "nan", "2024-01-05", "é", "")


@pytest.mark.parametrize(
    ("comparison", "value", "numbers", "texts"),
    [
        ("=", "10", "00101000", "0000000"),
        ("==", "10.0", "00101000", "0000000"),
        ("!=", "10", "11010111", "1111111"),
        ("<", "2", "10010000", "0000000"),
        ("<=", "2", "11010000", "0000000"),
        (">", "2", "00101110", "0000000"),
        (">=", "+2", "01101110", "0000000"),
        ("=", "9007199254740993", "00000100", "0000000"),
        ("=", "9007199254740992", "00000000", "0000000"),
        (">", "9007199254740992", "00000110", "0000000"),
        ("=", "inf", "00000010", "0000000"),
        ("in", "1, 2,x", "11000000", "0000000"),
        ("in", "10,a,", "00101001", "0100001"),
        ("=", "a", "00000000", "0100000"),
        ("!=", "a", "11111111", "1011111"),
        ("<", "b", "00000001", "0110101"),
        (">=", "b", "00000000", "1001010"),
        (">", "2024-01-04", "00000000", "1101110"),
        ("=", "nan", "00000000", "0001000"),
        ("=", "", "00000001", "0000001"),
        ("!=", "", "11111110", "1111110"),
    ],
)
def test_numbers_as_numbers_and_texts_as_texts(comparison, value, numbers, texts):
    """Neither is larger than the other; an empty cell is a text. By hand, for every form of cells."""
    for cells, expected in ((NUMBERS, numbers), (TEXTS, texts)):
        condition = Condition("column", comparison, value)
        forms = [as_cells(cells)]
        if all(map(str.isascii, cells)):
            forms.append(np.array([cell.encode() for cell in cells]))
        for form in forms:
            assert "".join(str(int(holds)) for holds in condition.holds(form)) == expected
    short = np.array([1.0, 2.0, 10.0, -3.0, 10.0])
    found = Condition("column", comparison, value).holds(short)
    assert "".join(str(int(holds)) for holds in found) == numbers[:5]


def test_no_number_is_not_a_number():
    """NaN differs from every number, and from itself only as a number."""
    cells = np.array([1.0, np.nan])
    assert Condition("p", "=", "1").holds(cells).tolist() == [True, False]
    assert Condition("p", "!=", "1").holds(cells).tolist() == [False, True]
    assert Condition("p", "=", "nan").holds(cells).tolist() == [False, True]


@pytest.mark.parametrize("cells", [("True", "False", ""), ("true", "false", "x"), ("TRUE", "0", "")])
@pytest.mark.parametrize("value", ["true", "True", "1", "1.0"])
def test_true_and_false_are_1_and_0(cells, value):
    """pandas and spreadsheets write True, polars and JSON true, and others 1: they mean the same rows."""
    for form in (as_cells(cells), np.array([cell.encode() for cell in cells])):
        assert Condition("ok", "=", value).holds(form).tolist() == [True, False, False]
        assert Condition("ok", "in", f"5,{value}").holds(form).tolist() == [True, False, False]
        assert Condition("ok", "!=", value).holds(form).tolist() == [False, True, True]
    assert Condition("ok", "=", "true").holds(np.array([1.0, 0.0])).tolist() == [True, False]
