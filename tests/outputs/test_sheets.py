"""Small tables, in every format there is for them."""

import json

import numpy as np
import pytest

from losscalc.errors import UsageError
from losscalc.outputs.canvas import Canvas
from losscalc.outputs.numbers import json_bytes, json_text
from losscalc.outputs.sheets import Column, Figure, Numbers, Sheet, records, separated, write_sheets
from losscalc.outputs.tables import draw_sheets

COLUMNS = (Column("name", "name"), Column("what it is", "text"), Column("number"))
SHEET = Sheet(
    "facts",
    COLUMNS,
    [
        ("count", "a|b", 3),
        ("third", 'c,"d"', 1 / 3),
        ("share", "σ…", Figure(0.12345, ".1%")),
        ("rounded", "", Figure(2 / 3, ".2g")),
        ("large", "", 2.5e20),
        ("none", "", None),
        ("undefined", "", float("nan")),
    ],
)
WIDE = Canvas(width=80)


def test_text():
    """Numbers have the digits that read back, and those that are worth fewer theirs."""
    assert write_sheets([SHEET], "plain", None).decode().splitlines() == [
        "name\twhat it is\tnumber",
        "count\ta|b\t3",
        'third\t"c,""d"""\t0.3333333333333333',
        "share\tσ…\t12.3%",
        "rounded\t\t0.67",
        "large\t\t2.5e+20",
        "none\t\t",
        "undefined\t\tnan",
    ]
    assert write_sheets([SHEET], "tsv", None) == write_sheets([SHEET], "plain", None)
    assert 'third,"c,""d""",0.3333333333333333\n' in write_sheets([SHEET], "csv", None).decode()


def test_markdown():
    """Columns of numbers stand at the right, and a bar in a cell is no border."""
    lines = write_sheets([SHEET], "markdown", None).decode().splitlines()
    assert lines[:3] == ["| name | what it is | number |", "| --- | --- | ---: |", r"| count | a\|b | 3 |"]
    assert len(lines) == 2 + len(SHEET.rows)


def test_json():
    """Numbers are numbers, with all their digits, and null where there is none, be it a text."""
    assert json.loads(write_sheets([SHEET], "json", None)) == {
        "facts": [
            {"name": "count", "what it is": "a|b", "number": 3},
            {"name": "third", "what it is": 'c,"d"', "number": 1 / 3},
            {"name": "share", "what it is": "σ…", "number": 0.12345},
            {"name": "rounded", "what it is": None, "number": 2 / 3},
            {"name": "large", "what it is": None, "number": 2.5e20},
            {"name": "none", "what it is": None, "number": None},
            {"name": "undefined", "what it is": None, "number": None},
        ]
    }


def test_precision():
    """Decimals are those of numbers, not of counts and percentages."""
    numbers = [row.rsplit("\t")[-1] for row in separated(SHEET, "\t", 2, heading=False).splitlines()]
    assert numbers == ["3", "0.33", "12.3%", "0.67", "250000000000000000000.00", "", "nan"]
    assert [row["number"] for row in records(SHEET, 2)][:5] == [3, 0.33, 0.12345, 0.67, 2.5e20]


def test_a_table_for_people():
    """Four decimals, and a number that would be very long in powers of ten."""
    assert draw_sheets([SHEET], WIDE) == (
        "facts\n"
        "╭───────────┬────────────┬────────────╮\n"
        "│ name      │ what it is │     number │\n"
        "├───────────┼────────────┼────────────┤\n"
        "│ count     │ a|b        │          3 │\n"
        '│ third     │ c,"d"      │     0.3333 │\n'
        "│ share     │ σ…         │      12.3% │\n"
        "│ rounded   │            │     0.6667 │\n"
        "│ large     │            │ 2.5000e+20 │\n"
        "│ none      │            │            │\n"
        "│ undefined │            │        nan │\n"
        "╰───────────┴────────────┴────────────╯\n"
    )


def test_what_does_not_fit_goes_on_in_a_further_table():
    """No number is folded: each table has the names of the rows, and the first the title."""
    columns = (Column("loss", "text"), *map(Column, ("min", "median", "max", "mean", "sum")))
    sheet = Sheet("losses", columns, [("bce-logits", 0.4899, 0.9382, 1.2982, 0.9256, 8.33)])
    drawn = draw_sheets([sheet], Canvas(width=40))

    assert [line for line in drawn.splitlines() if "│" in line] == [
        "│ loss       │    min │ median │",
        "│ bce-logits │ 0.4899 │ 0.9382 │",
        "│ loss       │    max │   mean │",
        "│ bce-logits │ 1.2982 │ 0.9256 │",
        "│ loss       │    sum │",
        "│ bce-logits │ 8.3300 │",
    ]
    assert drawn.count("losses") == 1


@pytest.mark.parametrize("width", [1, 20, 30, 40, 60])
def test_no_word_or_number_is_cut(width):
    """At any width: texts fold between words, and a table of two columns may be wider than the terminal."""
    columns = (Column("what it is", "text"), Column("name", "name"), Column("input"), Column("share"))
    rows = [("How far a score falls short", "soft-margin", Numbers((-0.752385, 1.5)), Figure(0.5, ".1%"))]
    drawn = draw_sheets([Sheet("", columns, rows)], Canvas(width=width))

    words = {word for line in drawn.splitlines() for word in line.strip("│").replace("│", " ").split()}
    assert {"short", "soft-margin", "-0.752385,", "1.5", "50.0%"} <= words


def test_a_bar_is_as_long_as_there_is_room():
    """Bars begin at the left, and shrink where they would fold."""
    columns = (Column("loss", "text"), Column("count"), Column("", "bar"))
    sheet = Sheet("histogram", columns, [("0 - 1", 30, "█" * 30), ("1 - 2", 10, "█" * 10)])

    assert [line for line in draw_sheets([sheet], Canvas(width=40)).splitlines() if "█" in line] == [
        "│ 0 - 1 │    30 │ ████████████████████ │",
        "│ 1 - 2 │    10 │ ███████              │",
    ]


def test_a_table_in_ascii():
    """What ASCII lacks has a name or a stand-in there."""
    drawn = draw_sheets([SHEET], Canvas(unicode=False))
    assert drawn.isascii()
    assert "| share     | sigma...   |      12.3% |" in drawn


def test_names_stay_whole_where_texts_fold():
    """A name is there to be typed."""
    sheet = Sheet("", COLUMNS[:2], [("a-rather-long-name", "word " * 10)])
    drawn = draw_sheets([sheet], Canvas(width=40))
    assert "│ a-rather-long-name │" in drawn
    assert max(map(len, drawn.splitlines())) <= 40


def test_several_tables():
    """One after another, without those that have no rows."""
    one, none, two = Sheet("one", (Column("a"),), [(1,)]), Sheet("none", (Column("b"),), []), SHEET
    sheets = [one, none, two]
    assert write_sheets(sheets, "plain", None).decode().startswith("a\n1\n\nname\t")
    assert write_sheets(sheets, "csv", None).decode().startswith("a\n1\nname,")
    assert write_sheets(sheets, "markdown", None).decode().startswith("| a |\n| ---: |\n| 1 |\n\n| name |")
    facts = json.loads(write_sheets(sheets, "json", None))
    assert (list(facts), facts["none"]) == (["one", "none", "facts"], [])
    assert "none" not in draw_sheets([none], WIDE)


def test_json_lines():
    """A line for each row, with the table that it belongs to."""
    named = Sheet("stats", (Column("", "text"), Column("mse", key="loss")), [("mean", 0.5)], has_names=True)
    lines = write_sheets([Sheet("worst", COLUMNS[::2], [("a", Numbers((1, 2.5)))]), named], "jsonl", None)
    assert [json.loads(line) for line in lines.splitlines()] == [
        {"table": "worst", "name": "a", "number": [1, 2.5]},
        {"table": "stats", "loss": "mse", "mean": 0.5},
    ]


def test_several_numbers():
    """A cell shows the first of them; JSON has all, and null for what is no number."""
    cell = Numbers([1, 2.0625, float("nan"), 4], ".3g", most=3, between="; ")
    sheet = Sheet("", COLUMNS[1:2], [(cell,)])
    assert separated(sheet, "\t", heading=False) == "1; 2.06; nan; …\n"
    assert json_text(records(sheet)) == '[{"what it is": [1, 2.0625, null, 4]}]'
    assert json_text(records(sheet, 1)) == '[{"what it is": [1, 2.1, null, 4]}]'


@pytest.mark.parametrize("name", ["npy"])
def test_what_a_table_cannot_be(name):
    """The formats of arrays are not those of tables."""
    with pytest.raises(UsageError, match=f"cannot be written as {name}"):
        write_sheets([SHEET], name, None)


def test_strict_json():
    """Arrays are rounded where decimals are named, and nothing is that JSON has no word for."""
    facts = {"array": np.array([[1.25, np.inf]]), "one": 0.1, "deep": [{"x": -np.inf, "y": True}]}
    assert json_text(facts, 1) == '{"array": [[1.2, null]], "one": 0.1, "deep": [{"x": null, "y": true}]}'
    assert json_text(np.float32([0.1])) == "[0.1]"
    assert json_text({"b": 0.125, "c": None, "d": ("é", 1)}, 1) == '{"b": 0.125, "c": null, "d": ["é", 1]}'


def test_names_that_are_no_unicode():
    """A byte of a file name that is no UTF-8 is escaped, so that the line stays one."""
    assert json.loads(json_bytes({"file": "a\udcff.csv"})) == {"file": "a\udcff.csv"}
