"""Whole tables of decimals against the slow definition, cell by cell: the same bits, errors and places."""

import contextlib
import io
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from losscalc.errors import LosscalcError
from losscalc.inputs import Opener, csv, decimals, headers, items
from losscalc.inputs import json as documents
from losscalc.inputs.decimals import parse_table
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream

LAW = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
FORMATS = ["{!r}", "{:.6f}", "{:.17g}", "{:.18e}", "{:.25e}", "{:+.3E}", "{:.0f}", " {:g}"]
WRITTEN = st.builds(lambda form, number: form.format(number), st.sampled_from(FORMATS), FLOATS)
USUAL = st.builds(
    lambda form, k: form.format(k / 977), st.sampled_from(FORMATS), st.integers(-(10**6), 10**6)
)
SPELLED = st.from_regex(r"[+-]?[0-9]{0,26}(\.[0-9]{0,26})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
LONG = st.builds(lambda whole, cut: f"{whole:.0f}"[:cut], FLOATS, st.integers(15, 30))
ODD_CELLS = """
    nan inf -Infinity -0 -0.0 0e99999999999 1e400 5e-324 9007199254740993 9007199254740993.0 1e23 . - e5 1e
    1e+ 1.2.3 --1 1-2 1_0 0x1 x NA 18446744073709551616 9999999999999999999 0.00000000000000000001
"""
ODD = st.sampled_from(["", " ", *ODD_CELLS.split()])
NUMBERS = st.one_of(USUAL, WRITTEN, SPELLED, LONG)
EDITS = st.sampled_from([*',;\n.-+e \t"9_\0', "\n\n", " \n", "\r\n", "é", ""])


@st.composite
def tables(draw) -> tuple[str, str]:
    """A text, most likely a table of numbers, and its delimiter."""
    delimiter = draw(st.sampled_from(",;\t |"))
    width = draw(st.integers(1, 4))
    cell = draw(st.sampled_from([USUAL, NUMBERS, st.one_of(NUMBERS, ODD)]))
    between = delimiter + draw(st.sampled_from(["", "", " "]))
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=12))
    text = "\n".join(between.join(row) for row in rows) + draw(st.sampled_from(["", "\n", "\n\n"]))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(EDITS) + text[place + draw(st.integers(0, 2)) :]
    return text, delimiter


def outcome(open_source: Opener, text: str, part: str | None, reading: Reading) -> tuple[object, ...]:
    """What a text reads as: its bits, what is missing and the place of each row, or its error."""
    try:
        with contextlib.closing(open_source(Stream("f", io.BytesIO(text.encode())), part, reading)) as source:
            if not source.shape:
                return (source.whole().tobytes(),)
            values, missing, *_ = source.take(1 << 16)
            places = [source.locate((row,)) for row in range(len(values))]
            return values.shape, values.tobytes(), missing if missing is None else missing.tolist(), places
    except LosscalcError as error:
        return str(error), error.hint


@pytest.mark.slow
@LAW
@given(
    table=tables(),
    part=st.sampled_from([None, None, "1", "2,1", "1,1"]),
    header=st.sampled_from(["auto", "no"]),
    na=st.sampled_from(["error", "nan", "drop"]),
    step=st.sampled_from([1, 10, 1 << 17]),
)
def test_fast_is_slow(table, part, header, na, step):
    """Whatever the text, both ways of reading it come to the same."""
    text, delimiter = table
    reading = Reading(delimiter=delimiter, header=header, na=na)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decimals, "_STEP", step)
        fast = outcome(csv.open_csv, text, part, reading)
        patch.setattr(headers, "parse_table", lambda *_: None)
        patch.setattr(csv, "numbers", lambda *_: None)
        assert fast == outcome(csv.open_csv, text, part, reading)


JSON_CELLS = (
    "01 -01 -0 -0.0 .5 5. +1 1e+5 1E-5 -.5 1.e5 NaN Infinity null [1] 1e400 00 0.0 - 18446744073709551615"
)
JSON_NUMBERS = st.one_of(
    USUAL, WRITTEN, st.from_regex(r"-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,22})?", fullmatch=True)
)
JSON_EDITS = st.sampled_from([*'[],\n 01-+.\t"é', "], [", "],[", "]\n[", "\n\n", ", "])


@st.composite
def nested(draw) -> str:
    """A text, most likely JSON of numbers, in one document or in lines."""
    width = draw(st.integers(1, 4))
    cell = draw(st.sampled_from([JSON_NUMBERS, st.one_of(JSON_NUMBERS, st.sampled_from(JSON_CELLS.split()))]))
    between = draw(st.sampled_from([",", ", ", " ,\t"]))
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=8))
    lines = [between.join(row) for row in rows]
    text = draw(
        st.sampled_from(
            [
                "[[" + draw(st.sampled_from(["],[", "], [", "],\n["])).join(lines) + "]]",
                "[" + between.join(lines) + "]",
                "".join(f"[{line}]\n" for line in lines),
                "\n".join(row[0] for row in rows),
            ]
        )
    )
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(JSON_EDITS) + text[place + draw(st.integers(0, 2)) :]
    return text


@pytest.mark.slow
@LAW
@given(text=nested(), na=st.sampled_from(["error", "nan", "drop"]), step=st.sampled_from([1, 10, 1 << 17]))
@pytest.mark.parametrize("open_source", [documents.open_json, documents.open_json_lines])
def test_json_without_a_parser_is_json(open_source, text, na, step):
    """Lists of numbers that are read as tables are what the parser of JSON makes of them, or left to it."""
    reading = Reading(na=na)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decimals, "_STEP", step)
        patch.setattr(documents, "_SHORT", 0)
        fast = outcome(open_source, text, None, reading)
        for module in (documents, items):
            patch.setattr(module, "parse_table", lambda *_, **__: None)
        assert fast == outcome(open_source, text, None, reading)


def is_finite(cell: str) -> bool:
    """Whether a text is a number that rounding does not bring beyond the largest float64."""
    return math.isfinite(float(cell))


@pytest.mark.slow
@LAW
@given(cells=st.lists(st.one_of(USUAL, WRITTEN).filter(is_finite), min_size=1, max_size=40))
def test_every_number_is_the_nearest(cells):
    """Python's own conversion, which is rounded correctly, finds the same bits, of -0.0 too."""
    found = parse_table("".join(f"{cell}\n" for cell in cells), ",", 1, [0])
    assert found is not None
    assert found.tobytes() == np.array([float(cell) for cell in cells]).tobytes()


def test_halfway_between_two_numbers():
    """The middle of two neighbours goes to the even one, and the smallest step from it to its own side."""
    cells, rng = [], np.random.default_rng(0)
    for number in rng.uniform(2**52, 2**53, 200):
        middle = Fraction(np.floor(number)) + Fraction(1, 2)
        for tail in ("49", "5", "51", "4999", "50", "5001"):
            cells.append(f"{int(middle)}.{tail}")
            cells.append(f"{int(middle * 2)}{tail}e-{len(tail)}")
            cells.append(f"0.{int(middle)}{tail}e16")
    found = parse_table("\n".join(cells) + "\n", ",", 1, [0])
    assert found is not None
    assert found[:, 0].tolist() == [float(cell) for cell in cells]


def test_whole_numbers_of_twenty_digits():
    """More digits than 64 bits hold are looked at one by one: 2^64 - 1 would round to a float64 beyond."""
    cells = [
        "18446744073709551615",
        "0.5",
        "0.18446744073709551615",
        "1844674407370955161.5",
        "99999999999999999999",
    ]
    found = parse_table("\n".join(cells) + "\n", ",", 1, [0])
    assert found is not None
    assert found[:, 0].tolist() == [float(cell) for cell in cells]


@pytest.mark.parametrize("digits", [0, 1, 6, 16, 18])
@pytest.mark.parametrize("scale", [1e-40, 1.0, 1e15, 1e300])
def test_usual_columns_are_never_read_one_by_one(monkeypatch, digits, scale):
    """The numbers of usual files are all decided by array operations."""
    seen = []
    monkeypatch.setattr(decimals, "_spelled", lambda text: seen.append(text) or float(text))
    numbers = np.random.default_rng(0).normal(size=(500, 3)) * scale
    text = "".join(",".join(f"{n:.{digits}e}" for n in row) + "\n" for row in numbers.tolist())
    found = parse_table(text, ",", 3, [0, 1, 2])
    assert found is not None
    assert found.tolist() == [[float(cell) for cell in row.split(",")] for row in text.split()]
    assert bool(seen) == (scale == 1e300)


@pytest.mark.parametrize(
    ("text", "width", "columns"),
    [
        ("1,2\n3\n", 2, [0, 1]),
        ("1,2,3\n4\n", 2, [0, 1]),
        ("1\n\n2\n", 1, [0]),
        ("1,\n", 2, [0, 1]),
        ('"1"\n', 1, [0]),
        ("1,é\n", 2, [0]),
        ("1,2\n#3,4\n", 2, [1]),
        ("1,2\n \t#3,4\n", 2, [1]),
        ("1\n1e400\n", 1, [0]),
        ("1,2\n3\n4,5,6\n", 2, [0]),
        ("1," + "x" * 140_000 + "\n", 2, [0]),
        ("1," + " " * 140_000 + "2\n", 2, [0, 1]),
    ],
)
def test_what_needs_a_closer_look(text, width, columns):
    """What is no table of numbers is left to the slow way, which finds the place or knows better."""
    assert parse_table(text, ",", width, columns) is None


def test_other_columns_may_hold_words():
    """Only the cells that were asked for have to be numbers."""
    found = parse_table("a-1.e,2,x y\nb,+3.5,-\n", ",", 3, [1])
    assert found is not None
    assert found.tolist() == [[2.0], [3.5]]
