"""Quotes around cells, which most programs write for nothing."""

import csv
import io
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losscalc.errors import FormatError
from losscalc.inputs import dialect
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.dialect import Dialect
from losscalc.inputs.options import Reading


@given(
    st.lists(st.lists(st.text('ab7. ,;\n"', max_size=4), min_size=2, max_size=2), min_size=1, max_size=5),
    st.sampled_from(",;"),
    st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC)),
)
def test_quotes_that_change_nothing(rows, delimiter, quoting):
    """Without them, Python's csv reads the same cells; where one has a mark in it, all stay as they are."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows(rows)
    found = Dialect(delimiter).unquoted(text.getvalue().encode()).decode()
    assert list(csv.reader(io.StringIO(found), delimiter=delimiter)) == rows
    has_marks = any(set(cell) & {delimiter, "\n", '"'} for row in rows for cell in row)
    assert found == text.getvalue() if has_marks else '"' not in found


@pytest.mark.parametrize(
    "text", ['a"b"c,1\n', '"a"b,1\n', ' "a",1\n', '"a,1\n', '"a""b",1\n', '"é",1\n', '"a\n",1\n']
)
def test_quotes_that_need_a_closer_look(text):
    """In the middle of a cell, open, doubled, around line ends, or beside letters that are not ASCII."""
    assert Dialect(",").unquoted(text.encode()) == text.encode()


def test_quotes_between_blanks_are_letters():
    """Where blanks separate cells, all of them stay as they are."""
    assert Dialect(" ").unquoted(b'"a" "b"\n') == b'"a" "b"\n'


def whole(address: str, **reading: Any) -> list:
    """What is read of an address."""
    with closing(open_array(parse_address(address), "--input", Reading(**reading))) as source:
        return source.whole().tolist()


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("cells", [["x", "0.5", "7"], ["#3", "-1e3", ""], ["é", "nan", "x"]])
def test_the_same_array_with_and_without_quotes(tmp_path, quote, cells):
    """Whatever stands in the cells beside the numbers, and though a quoted # begins no comment."""
    path = tmp_path / "a.csv"
    lines = [["k", "p", "n"], ["a", "1", "2"], cells]
    if quote or not cells[0].startswith("#"):
        path.write_text("".join(",".join(f"{quote}{cell}{quote}" for cell in line) + "\n" for line in lines))
        assert str(whole(f"{path}#p")) == str([1.0, float(cells[1])])
        found = whole(f"{path}#k", is_beside=True)
        assert [c if isinstance(c, str) else c.decode() for c in found] == ["a", cells[0]]


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        ("  a  |  b  \n-----+-----\n   1 |   2\n(1 row)\n", 2, "-----+-----"),
        (" a \n---\n 1\n", 2, "---"),
        ("| a | b |\n|---|--:|\n| 1 | 2 |\n", 2, "|---|--:|"),
        ("# made by x\n\na | b\n:- | -:\n1 | 2\n", 4, ":- | -:"),
        ("+---+---+\n| a | b |\n+---+---+\n| 1 | 2 |\n+---+---+\n", 1, "+---+---+"),
        ("===  ===\na    b\n===  ===\n1    2\n===  ===\n", 1, "===  ==="),
        ("┏━━━┓\n┃ a ┃\n┡━━━┩\n│ 1 │\n└───┘\n", 1, "┏━━━┓"),
    ],
)
@pytest.mark.parametrize("name", ["f.txt", "f.csv", "f.md"])
@pytest.mark.parametrize("part", ["", "#a"])
def test_tables_for_the_eye(tmp_path, name, part, text, line, rule):
    """As psql, Markdown, MySQL, reStructuredText and Rich draw them; the hint is no option to read them."""
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(FormatError) as caught:
        whole(f"{tmp_path / name}{part}")
    place = f"{tmp_path / name}:{line}"
    assert str(caught.value) == f"{place}: the table is drawn for the eye, found '{rule}'"
    assert caught.value.hint == "export it as CSV, as psql --csv does"


@pytest.mark.parametrize("text", ["-1\n-3\n", "a|b\n-1|3\n", "p\n-1\n+1\n", "p,y\n-1,\n,1\n"])
def test_signs_and_marks_are_no_rules(tmp_path, text):
    """Nor are cells that are empty."""
    (tmp_path / "f.txt").write_text(text)
    assert whole(str(tmp_path / "f.txt"), na="nan")


def test_wide_rows_are_not_looked_at_cell_by_cell(monkeypatch):
    """A few thousand cells tell; rows of classes may have as many each."""
    seen = []
    monkeypatch.setattr(dialect, "number", lambda cell, decimal: seen.append(cell) or 0.5)
    text = (",".join(["0.5"] * 1000) + "\n") * 50
    assert dialect.find_dialect(text, ",", ".").delimiter == ","
    assert 1000 <= len(seen) <= 5000
