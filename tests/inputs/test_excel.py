"""Workbooks: values by hand, in files of openpyxl, and of xlwt and by hand for kinds that it does not write."""

# ruff: noqa: E501 - a row of a table is a line

import contextlib
import datetime
import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from losscalc import cli
from losscalc.inputs import calamine
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.support.hostile import accept
from tests.support.workbooks import ods, ods_cell, xlsb, xlsx

pytestmark = pytest.mark.slow

XLS = Path(__file__).parents[1] / "data" / "small.xls"
"""Made by xlwt 1.3.0: p, y and name above 0.5, 1, cat; 0.25, 0, dog; 0.75, 1, cat, on a sheet called preds."""
ROWS = [["p", "y", "name"], [0.5, True, "cat"], [0.25, False, "dog"], [0.75, True, "cat"]]
DAY = datetime.datetime(2024, 1, 31)
TWO = {"preds": [["id", "p", "q"], [7, 0.5, 1], [9, 0.25, 2]], "My Sheet": [["q"], [1.5], [2.5]], "empty": []}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(address: str, **reading: object):
    """The source at an address, closed at the end."""
    return contextlib.closing(open_array(parse_address(address), "--input", Reading(**reading)))


def values(address: str, **reading: object) -> list:
    """The array at an address, as nested lists."""
    with opened(address, **reading) as source:
        return source.whole().tolist()


def refused(capsys, *arguments: str) -> tuple[str, str]:
    """The message and the hint of a command that is refused."""
    assert cli.run(list(arguments)) == 3
    message, _, hint = capsys.readouterr().err.partition("\n  hint: ")
    return message.removeprefix("losscalc: error: ").strip(), hint.strip()


def hinted_part(hint: str) -> str:
    """The part in a hint, as a shell takes it."""
    found = re.search(r"'(#[^']*)'|(#[^\s?)]+)", hint)
    assert found is not None, hint
    return found[1] or found[2]


def write(sheets: object, name: str = "f.xlsx") -> str:
    """Write a workbook, and say where."""
    Path(name).write_bytes(xlsx(sheets))
    return name


def as_ods(rows: list[list[object]]) -> bytes:
    """A table as OpenDocument, with the million empty rows that LibreOffice writes behind it."""
    lines = "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in rows)
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    return ods(f'{lines}<table:table-row table:number-rows-repeated="1048572">{empty}</table:table-row>')


MAKERS = {"xlsx": xlsx, "xlsb": xlsb, "ods": as_ods, "xls": lambda rows: XLS.read_bytes()}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("suffix", ["itself", "csv", "stdin"])
def test_kinds_of_workbooks(capsys, monkeypatch, kind, suffix):
    """All of them are read alike, whatever they are called."""
    data = MAKERS[kind](ROWS)
    name = f"f.{kind if suffix == 'itself' else suffix}"
    Path(name).write_bytes(data)
    assert values(f"{name}#p") == [0.5, 0.25, 0.75]
    assert values(f"{name}#y") == [1, 0, 1]
    assert values(f"{name}#name", is_beside=True) == ["cat", "dog", "cat"]
    message, hint = refused(capsys, "l1", "-i", name, "-t", "[[0,0],[0,0],[0,0]]")
    assert message == f"{name}: column 2 (y) has the labels of the rows, and is not data"
    assert hint == "take the columns of the array: #p"
    assert values(f"{name}#p-y") == [[0.5, 1], [0.25, 0], [0.75, 1]]
    if suffix == "stdin":
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
        assert accept(capsys, ["l1", "-i", "-#p", "-t", "0,0,0", "-r", "sum"]) == "1.5\n"


def test_cells(capsys):
    """Numbers, texts that write numbers, truth values, dates and lists."""
    write(
        [
            ["n", "t", "b", "d", "l"],
            [1.5, "2", True, DAY, "[1, 2]"],
            [2, " 1e3 ", False, DAY.replace(hour=5), "[3 4]"],
        ]
    )
    assert values("f.xlsx#n") == [1.5, 2]
    assert values("f.xlsx#t") == [2, 1000]
    assert values("f.xlsx#b") == [1, 0]
    assert values("f.xlsx#l") == [[1, 2], [3, 4]]
    assert values("f.xlsx#b", is_beside=True) == ["True", "False"]
    assert values("f.xlsx#d", is_beside=True) == ["2024-01-31", "2024-01-31 05:00:00"]
    message, hint = refused(capsys, "sigmoid", "-i", "f.xlsx#d")
    assert message == "f.xlsx:2:4: not a number, found '2024-01-31'"
    assert hint.startswith("a date is not a number")
    assert refused(capsys, "sigmoid", "-i", "f.xlsx")[1] == "take the columns of the array: '#^d'"
    write([["p"], ["0,5"], ["2"]])
    assert values("f.xlsx", decimal=",") == [0.5, 2]
    message, hint = refused(capsys, "sigmoid", "-i", "f.xlsx")
    assert (message, hint) == ("f.xlsx:2:1: not a number, found '0,5'", "for decimal commas give --decimal ,")


def test_missing_numbers(capsys):
    """Empty cells and words for them are missing, with the place that a spreadsheet shows."""
    write([["p", "y"], [0.5, 1], [None, 2], ["NA", 3], [2, None], ["nan", 4]])
    arguments = ["l1", "-i", "f.xlsx#p", "-t", "[0,0,0,0,0]", "-r", "sum"]
    message, hint = refused(capsys, *arguments)
    assert (message, hint) == (
        "f.xlsx:3:1: not a number, found ''",
        "--na drop leaves the row out, --na nan reads NaN",
    )
    assert [x if x == x else None for x in values("f.xlsx#p", na="nan")] == [0.5, None, None, 2, None]
    assert cli.run([*arguments, "--na", "drop"]) == 0
    assert capsys.readouterr() == ("2.5\n", "losscalc: warning: left out 3 rows with a missing number\n")
    with opened("f.xlsx#p", where=("y>3",)) as source:
        rows = source.take(9)
    assert [(row, str(fault)) for row, fault in rows.faults] == [
        (1, "f.xlsx:3:1: not a number, found ''"),
        (2, "f.xlsx:4:1: not a number, found ''"),
    ]


def test_blank_rows_and_an_offset(capsys):
    """Blank rows are passed over with a note; places are those of the sheet, parts those of the table."""
    write([[], [None, "p", "q"], [None, 0.5, 1], [], [], [None, 0.25, 2], [None, 1.5, 3]])
    assert cli.run(["l1", "-i", "f.xlsx#p", "-t", "0,0,0", "-r", "sum"]) == 0
    assert capsys.readouterr() == ("2.25\n", "losscalc: note: f.xlsx: passed over 2 blank rows\n")
    assert values("f.xlsx#2") == [1, 2, 3]
    assert cli.run(["bce", "-i", "f.xlsx#p", "-t", "0,0,1"]) == 4
    assert "f.xlsx:7:2: --input must be in [0, 1], found 1.5" in capsys.readouterr().err
    assert cli.run(["l1", "-i", "f.xlsx#p", "-t", "0,0,0,0,0"]) == 4
    assert "hint: f.xlsx: passed over 2 blank rows\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "part", "expected"),
    [
        ([["p", "q"], [1, 2]], "q", [2]),
        ([[1, 2], [3, 4]], "2", [2, 4]),
        ([[0, 1], [0.5, 1.5]], "1", [1.5]),  # columns that pandas has numbered
        ([[2019, 2020], [0.5, 1.5]], "2020", [1.5]),
        ([[0], [0.5], [1.5]], "1", [0.5, 1.5]),
        ([[0], [0.5], [2]], "1", [0, 0.5, 2]),
        ([[0, 1], [1, 0]], "1", [0, 1]),
    ],
)
def test_headers(rows, part, expected):
    """The first row names the columns if it has names, or counts above fractions."""
    write(rows)
    assert values(f"f.xlsx#{part}") == expected


def test_the_first_file_of_a_pattern_tells_what_is_a_header(folder):
    """Whatever the numbers below the very same row are."""
    for name, rows in (("a", [[0, 1], [0.5, 1.5]]), ("b", [[0, 1], [1, 0]]), ("c", [[1, 1], [1, 0]])):
        (folder / f"{name}.xlsx").write_bytes(xlsx(rows))
    assert values("?.xlsx") == [[0.5, 1.5], [1, 0], [1, 1], [1, 0]]


def test_what_is_said_of_headers(capsys):
    """A header that counts is noted, half a header refused, and `--header` decides."""
    write([[0, 1], [0.5, 1.5]])
    assert cli.run(["l1", "-i", "f.xlsx", "-t", "[[0,0]]", "-r", "sum"]) == 0
    output, error = capsys.readouterr()
    assert output == "2.0\n"
    assert error == (
        "losscalc: note: f.xlsx:1: the first row is taken as a header: it counts up, and the numbers below have fractions\n"
        "  hint: --header no if it holds data\n"
    )
    assert values("f.xlsx", header="no") == [[0, 1], [0.5, 1.5]]
    write([["p", 1], [0.5, 1.5]])
    assert refused(capsys, "sigmoid", "-i", "f.xlsx")[0].startswith(
        "f.xlsx:1: the line is half names and half numbers"
    )
    assert values("f.xlsx#p", header="yes") == [0.5]
    write([[0], [1], [0], [1]])
    assert cli.run(["bce", "-i", "0.5,0.5,0.5", "-t", "f.xlsx"]) == 4
    assert "hint: the first row of f.xlsx may be a header: --header yes\n" in capsys.readouterr().err


def test_a_title_above_the_names(capsys):
    """The hint says how to pass over it."""
    write([["Results of May"], [], ["p", "q"], [0.5, 1], [0.25, 2]])
    message, hint = refused(capsys, "sigmoid", "-i", "f.xlsx#p")
    assert message == "f.xlsx:1: the row does not name all columns"
    assert hint == "--skip-rows 2 passes over what is above the names in row 3"
    assert values("f.xlsx#p", skip_rows=2) == [0.5, 0.25]


def test_columns_that_are_no_data(capsys):
    """The rules are those of every table."""
    write([["image_id", "p", "q"], [7, 0.5, 1], [9, 0.25, 2]])
    message, hint = refused(capsys, "l1", "-i", "f.xlsx", "-t", "[[0,0],[0,0]]")
    assert (message, hint) == (
        "f.xlsx: column 1 (image_id) identifies rows, and is not data",
        "take the columns of the array: #2-",
    )
    write([[None, "p", "q"], [0, 0.5, 1], [1, 0.25, 2]])
    message, hint = refused(capsys, "l1", "-i", "f.xlsx", "-t", "[[0,0],[0,0]]")
    assert (message, hint) == (
        "f.xlsx: column 1 has no name: it is the index of the rows, not data",
        "take the columns of the array: #2-",
    )
    assert (
        refused(capsys, "cross-entropy", "-i", "f.xlsx#2-", "-t", "f.xlsx#z")[1] == "the columns are , p, q"
    )
    write([["p", "q", "y"], [0.5, 1, 0], [0.25, 2, 1]])
    message, hint = refused(capsys, "cross-entropy", "-i", "f.xlsx", "-t", "f.xlsx#y")
    assert (message, hint) == (
        "f.xlsx: column 3 (y) is the array of --target",
        "take the columns of the array: #p-q",
    )


def test_sheets(capsys):
    """A sheet is named before its column; without a name it is the only one that holds data."""
    write(TWO)
    assert (
        values("f.xlsx#My Sheet") == values("f.xlsx#My Sheet/q") == values("f.xlsx#My Sheet/1") == [1.5, 2.5]
    )
    assert values("f.xlsx#preds/p-q") == [[0.5, 1], [0.25, 2]]
    assert accept(capsys, ["l1", "-i", "f.xlsx#preds/q", "-t", "f.xlsx#My Sheet/q", "-r", "sum"]) == "1.0\n"
    write({"preds": TWO["preds"], "empty": []})
    assert values("f.xlsx#p") == values("f.xlsx#preds/p") == [0.5, 0.25]
    assert refused(capsys, "sigmoid", "-i", "f.xlsx#empty") == ("f.xlsx#empty: no data", "")
    write({"a": [["p"], [2]], "b": []})
    assert values("f.xlsx#a/p") == values("f.xlsx#a") == values("f.xlsx") == [2]
    write({"p": [["p", "q"], [1, 2]]})
    assert values("f.xlsx#p") == [1]
    write({"preds": [["p", "q"], [1, 2]]})
    assert values("f.xlsx#preds") == [[1, 2]]
    write({"a": [], "b": []})
    assert refused(capsys, "sigmoid", "-i", "f.xlsx#p") == ("f.xlsx: no data", "")


def test_hints_about_sheets_lead_on(capsys):
    """Typed as they stand, they end in the array, or in a question that does."""
    write(TWO)
    message, hint = refused(capsys, "l1", "-i", "f.xlsx#p", "-t", "0,0")
    assert message == "f.xlsx: the workbook has 2 sheets that hold data"
    assert hint == "name one: #preds/p (there are preds, My Sheet)"
    assert accept(capsys, ["l1", "-i", f"f.xlsx{hinted_part(hint)}", "-t", "0,0", "-r", "sum"]) == "0.75\n"
    message, hint = refused(capsys, "l1", "-i", "f.xlsx", "-t", "[[0,0],[0,0]]")
    message, hint = refused(capsys, "l1", "-i", f"f.xlsx{hinted_part(hint)}", "-t", "[[0,0],[0,0]]")
    assert (message, hint) == (
        "f.xlsx#preds: column 1 (id) identifies rows, and is not data",
        "take the columns of the array: #preds/2-",
    )
    assert (
        accept(capsys, ["l1", "-i", f"f.xlsx{hinted_part(hint)}", "-t", "[[0,0],[0,0]]", "-r", "sum"])
        == "3.75\n"
    )
    assert refused(capsys, "sigmoid", "-i", "f.xlsx#preds/r") == (
        "f.xlsx#preds: there is no such column, found 'r'",
        "the columns are id, p, q",
    )
    assert cli.run(["bce", "-i", "f.xlsx#preds/q", "-t", "0,1"]) == 4
    assert "f.xlsx:3:3#preds: --input must be in [0, 1], found 2" in capsys.readouterr().err
    with opened("f.xlsx#preds/p") as source:
        assert (source.names, source.beside, source.within) == (["p"], ["id", "p", "q"], "preds/")


def test_what_the_reading_process_says():
    """Its answers, in this process: the sheets, where one begins and its width, and rows until there are none."""
    book = xlsx({"a": [[], [None, 1.5, "x", True, DAY]], "b": []})
    requests = iter(['["rows", "a"]', '["extent", "a"]', '["rows", "b"]'])
    assert list(calamine.answers(book, requests)) == [
        ["a", "b"],
        [1, 1, 4], [[1.5, "x", True, ["2024-01-31"]]], None,
        [1, 1, 4], None,
        [0, 0, 0], None,
    ]  # fmt: skip
    assert calamine.received(io.BytesIO(b"\0\0\0\2ab\0\0\0\1c\0\0\0\0rest")) == b"abc"


def test_many_rows(capsys):
    """More rows than are taken at a time, and a source that is closed before its end."""
    write([["p", "q"], *([i / 4, "x"] for i in range(9000))])
    assert values("f.xlsx#p") == [i / 4 for i in range(9000)]
    with opened("f.xlsx#p") as source:
        assert source.take(3).values.tolist() == [0, 0.25, 0.5]
