"""Tables as other programs leave them behind: read right, or refused with what to type instead."""

import contextlib
import re

import pytest

from losscalc import cli
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.support.hostile import accept


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *arguments: str) -> tuple[str, str]:
    """The message and the hint of a command that ends with exit code 3."""
    assert cli.run(list(arguments)) == 3
    error = capsys.readouterr().err
    message, _, hint = error.partition("\n  hint: ")
    return message.removeprefix("losscalc: error: "), hint.strip()


def values(address: str, **reading) -> list:
    """The array at an address, as nested lists."""
    with contextlib.closing(open_array(parse_address(address), "--input", Reading(**reading))) as source:
        return source.whole().tolist()


def hinted_part(hint: str) -> str:
    """The part in a hint, as a shell takes it."""
    found = re.search(r"'(#[^']*)'|(#\S+)", hint)
    assert found is not None, hint
    return found[1] or found[2]


INDEXED = "{0},cat,dog\n7,2,1\n9,0,3\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,p,q\n892,.1,.2\n893,.2,.4\n", "column 1 (id) tells rows apart, and is no data"),
        ('"",p,q\n7,.1,.2\n8,.2,.4\n', "column 1 has no name, and is no data but the index of rows"),
        ("Unnamed: 0,p,q\n7,.1,.2\n8,.2,.4\n", "column 1 (Unnamed: 0) has no name"),
        ("image_id,p,q\n7,.1,.2\n8,.2,.4\n", "column 1 (image_id) tells rows apart"),
        ("p,q,PassengerId\n.1,.2,7\n.2,.4,8\n", "column 3 (PassengerId) tells rows apart"),
        ("INDEX,p,q\n7,.1,.2\n8,.2,.4\n", "column 1 (INDEX) tells rows apart"),
        ("name,p,q\ncat,.1,.2\n,.2,.4\n", "column 1 (name) holds words"),
        ("day,p,q\n2024-01-31,.1,.2\n2024-02-01,.2,.4\n", "column 1 (day) holds words"),
        ("cat.png,.1,.2\ndog.png,.2,.4\n", "column 1 holds words"),
    ],
)
def test_columns_that_are_no_data(capsys, folder, text, why):
    """A table with an index is no array; the part that the hint names is the rest of it."""
    (folder / "a.csv").write_text(text)
    options = ["--header", "no"] if text.startswith("cat.png") else []
    message, hint = refused(capsys, "l1", "-i", "a.csv", "-t", "[[0,0],[0,0]]", *options)
    assert message.startswith(f"a.csv: {why}")
    arguments = ["l1", "-i", f"a.csv{hinted_part(hint)}", "-t", "[[0,0],[0,0]]", "-r", "none", *options]
    assert accept(capsys, arguments) == "0.1,0.2\n0.2,0.4\n"


def test_ids_on_both_sides(capsys, folder):
    """Ids that are equal on both sides would halve the error without a word."""
    (folder / "a.csv").write_text("id,p\n892,.1\n893,.2\n")
    (folder / "b.csv").write_text("id,y\n892,.5\n893,.9\n")
    _, hint = refused(capsys, "mse", "-i", "a.csv", "-t", "b.csv")
    assert hint == "take the columns of the array: #p"
    _, hint = refused(capsys, "mse", "-i", "a.csv#p", "-t", "b.csv")
    assert hint == "take the columns of the array: #y"
    assert float(accept(capsys, ["mse", "-i", "a.csv#p", "-t", "b.csv#y"])) == pytest.approx(0.325)


def test_an_index_over_numbered_columns(capsys, folder):
    """The hint of a half header leads to a header, and that of the index without a name to the classes."""
    (folder / "f.csv").write_text(",0,1,2\n0,2,1,0\n1,0,3,1\n")
    (folder / "g.csv").write_text("0\n2\n")
    message, hint = refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "g.csv")
    assert "half names and half numbers" in message
    assert hint.startswith("give --header yes if it names the columns")
    _, hint = refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "0,2", "--header", "yes")
    arguments = ["-i", f"f.csv{hinted_part(hint)}", "-t", "0,2", "--header", "yes"]
    assert float(accept(capsys, ["cross-entropy", *arguments])) == pytest.approx(1.2887259920, abs=1e-9)


def test_a_target_inside_the_input(capsys, folder):
    """A column that is the target is none of the logits: 0.1809 by hand."""
    (folder / "f.csv").write_text("cat,dog,label\n2,1,0\n0,3,1\n")
    message, hint = refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "f.csv#label")
    assert message == "f.csv: column 3 (label) is the array of --target"
    assert hint == "take the columns of the array: #cat-dog"
    arguments = ["cross-entropy", "-i", "f.csv#cat-dog", "-t", "./f.csv#label"]
    assert float(accept(capsys, arguments)) == pytest.approx(0.18092452, abs=1e-7)
    assert refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "./f.csv#3")[0] == message


@pytest.mark.parametrize("start", [0, 1])
def test_a_first_column_that_counts(capsys, folder, start):
    """Five rows that are counted are an index, whatever its name; four may be anything."""
    rows = [f"{start + i},{i % 2}.5,2.25\n" for i in range(5)]
    (folder / "f.csv").write_text("x,p,q\n" + "".join(rows))
    message, hint = refused(capsys, "sigmoid", "-i", "f.csv")
    assert message == "f.csv: column 1 (x) counts the rows, and is no data"
    assert hint == "take the columns of the array: #2-"
    (folder / "f.csv").write_text("x,p,q\n" + "".join(rows[:4]))
    assert values("f.csv")[0] == [start, 0.5, 2.25]
    (folder / "f.csv").write_text("".join(f"{start + i},{start + i}\n" for i in range(5)))
    assert values("f.csv")[0] == [start, start]


@pytest.mark.parametrize("name", ["id", "Unnamed: 0", "index"])
def test_a_table_of_one_column_is_that_column(folder, name):
    """There is nothing else that it could be."""
    (folder / "f.csv").write_text(f"{name}\n0\n1\n2\n3\n4\n")
    assert values("f.csv") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["VALID", "COVID", "valid", "fluid_p", "idea", "sigmoid"])
def test_names_that_are_no_ids(folder, name):
    """Words that only look like the name of an identifier name data."""
    (folder / "f.csv").write_text(f"{name},q\n.5,.25\n")
    assert values("f.csv") == [[0.5, 0.25]]


@pytest.mark.parametrize(
    "text", ["0.1,0.9,\n0.5,0.5,\n", "a,b,\n0.1,0.9,\n0.5,0.5, \n", "0.1;0.9;\n0.5;0.5;\n"]
)
@pytest.mark.parametrize("na", ["error", "nan", "drop"])
def test_a_trailing_delimiter(folder, text, na):
    """An empty last column is none."""
    (folder / "f.csv").write_text(text)
    assert values("f.csv", na=na, delimiter=";" if ";" in text else None) == [[0.1, 0.9], [0.5, 0.5]]
    (folder / "g.csv").write_text("0,\n1,\n")
    assert values("g.csv", na=na) == [0, 1]


def test_a_cell_behind_a_trailing_delimiter(capsys, folder):
    """What was taken for an empty column and has a number far below is an error, not left out."""
    (folder / "f.csv").write_text("0.1,0.9,\n" * 200_000 + "0.5,0.5,7\n")
    message, _ = refused(capsys, "l1", "-i", "f.csv", "-t", "f.csv")
    assert message.strip().endswith(
        "f.csv:200001:3: a cell in the last column, which has no name and is empty above, found '7'"
    )
    (folder / "f.csv").write_text("a,b,\n0.1,0.9,\n0.5,0.5,7\n")
    assert refused(capsys, "sigmoid", "-i", "f.csv")[0].startswith("f.csv: column 3 has no name")
