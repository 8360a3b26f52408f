"""What cells are compared by, held to exact fractions, and texts in a column, held to Python's csv."""

import csv
import io
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losscalc.inputs.cells import as_cells
from losscalc.inputs.keys import Seen, differences, key_of, marks
from losscalc.inputs.words import parse_words

TEXTS = st.one_of(
    st.sampled_from(
        ("7", "007", "7.0", "+7", "-7", "-0", "0", "1e3", "1000", "nan", "NaN", "", "a7", "é", "7a")
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.integers(2**53 - 3, 2**53 + 3).map(str),
    st.integers(-(2**20), 2**20).map(lambda n: str(n / 64)),
    st.text("019.-+eEinfax ", max_size=9).map(str.strip),
    st.text("ab7", min_size=120, max_size=140),
)
"""Keys whose numbers float64 has exactly, unless they are whole."""


def same(text: str) -> Fraction | str:
    """An exact number, or the text."""
    if re.fullmatch(r"[+-]?(inf|infinity)", text, re.IGNORECASE):
        return "-inf" if text.startswith("-") else "inf"
    is_number = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.ASCII | re.IGNORECASE)
    exact = Fraction(text) if is_number and abs(int((text.lower() + "e0").split("e")[1] or 0)) < 300 else None
    if exact is None or exact.denominator == 1:
        return text if exact is None else exact
    return Fraction(float(exact))


def forms(texts: list[str]) -> list[np.ndarray]:
    """The same cells in all the forms in which they may come."""
    found = [as_cells(texts)]
    if all(text.isascii() and len(text) < 128 for text in texts):
        found.append(np.array([text.encode() for text in texts], "S"))
    if all(isinstance(same(text), Fraction) and abs(same(text)) < 2**53 for text in texts):
        found.append(np.array([float(text) for text in texts], np.float64))
    return found


@given(st.lists(TEXTS.filter(lambda text: not re.search(r"\de[+-]?\d\d", text, re.IGNORECASE)), min_size=1))
def test_equal_keys_are_equal_in_every_form(texts):
    """As texts, bytes and numbers: keys, marks and rows that come again are those of exact fractions."""
    exact = [same(text) for text in texts]
    again = [row for row, key in enumerate(exact) if key in exact[:row]]
    for cells in forms(texts):
        found = marks(cells)
        for one in range(len(texts)):
            assert (found == found[one]).tolist() == [key == exact[one] for key in exact]
        assert Seen().repeated(found) == again
        half = len(found) // 2
        seen = Seen()
        first = seen.repeated(found[:half])
        assert first + [half + row for row in seen.copy().repeated(found[half:])] == again
        assert [key_of(cell) == key_of(texts[0]) for cell in cells.tolist()] == [k == exact[0] for k in exact]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
def test_differences_of_every_two_forms(pairs):
    """Columns of different forms differ in the rows whose keys differ, as far as both go."""
    left, right = (list(each) for each in zip(*pairs, strict=True))
    expected = [row for row, (one, other) in enumerate(pairs) if key_of(one) != key_of(other)]
    for one in forms(left):
        for other in forms(right):
            assert list(differences(one, other)) == expected
            assert list(differences(one, other[:1])) == [row for row in expected if row < 1]


def test_many_keys_have_marks_of_their_own():
    """Whole numbers as numbers and as texts, and texts that differ in a letter."""
    numbers = np.arange(-50_000.0, 50_000.0)
    names = np.char.add(b"image_", numbers.astype(np.int64).astype("S8"))
    assert len(np.unique(np.concatenate([marks(numbers), marks(names)]))) == 200_000
    texts = as_cells([str(int(number)) for number in numbers])
    assert (marks(texts) == marks(numbers)).all()


def test_missing_and_infinite_numbers():
    """NaN is one key, whatever it is stored as; 0 has no sign; infinities are themselves."""
    nan, numbers = np.array([np.nan, -np.nan]), np.array([0.0, -0.0, np.inf, -np.inf, np.nan])
    assert list(differences(nan, as_cells(["nan", "nan"]))) == []
    assert len(set(marks(numbers).tolist())) == 4
    assert marks(np.array([2.0**60])) == marks(as_cells([str(2**60)])) != marks(as_cells([str(2**60 + 1)]))


@given(
    st.lists(st.lists(st.text("ab7 .\t,;'#é", max_size=5), min_size=3, max_size=3), min_size=1, max_size=9),
    st.sampled_from(",;\t"),
    st.integers(0, 2),
)
def test_texts_are_those_of_csv(rows, delimiter, column):
    """Without quotes, what is read at once is what Python's csv reads, stripped."""
    rows = [[cell.replace(delimiter, "") for cell in row] for row in rows]
    text = "".join(delimiter.join(row) + "\n" for row in rows)
    found = parse_words(text.encode(), delimiter, 3, column)
    expected = [row[column].strip() for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    assert (found is None) == (not text.isascii() or "#" in text)
    if found is not None:
        assert [cell.decode() for cell in found.tolist()] == expected


@pytest.mark.parametrize(
    ("text", "delimiter", "width"),
    [
        ("a,b\nc\n", ",", 2),
        ("a\nb,c\nd\n", ",", 2),
        ("a\n\nb\n", ",", 1),
        ("a\n \nb\n", ",", 1),
        ('"a",b\n', ",", 2),
        ("# a,b\n", ",", 2),
        ("a\0,b\n", ",", 2),
        ("a\x1f,b\n", ",", 2),
        ("x" * 129 + ",b\n", ",", 2),
        ("a  b\nc\n", " ", 2),
    ],
)
def test_what_takes_a_closer_look(text, delimiter, width):
    """Lines that differ, quotes, comments, control characters, lines that are no rows, and long texts."""
    assert parse_words(text.encode(), delimiter, width, 0) is None


def test_runs_of_blanks_between_cells():
    """Where blanks separate cells, there are none in them."""
    assert parse_words(b" a  1\nbc\t2 \n", " ", 2, 0).tolist() == [b"a", b"bc"]
