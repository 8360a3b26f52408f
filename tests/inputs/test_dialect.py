"""Quotes around cells, which most programs write for nothing."""

import csv
import io
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def whole(address: str, **reading: bool) -> list:
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


def test_wide_rows_are_not_looked_at_cell_by_cell(monkeypatch):
    """A few thousand cells tell; rows of classes may have as many each."""
    seen = []
    monkeypatch.setattr(dialect, "number", lambda cell, decimal: seen.append(cell) or 0.5)
    text = (",".join(["0.5"] * 1000) + "\n") * 50
    assert dialect.find_dialect(text, ",", ".").delimiter == ","
    assert 1000 <= len(seen) <= 5000
