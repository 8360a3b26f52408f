"""Columns are held together by their names: in files of one pattern, and from one array to another."""

import contextlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli
from losscalc.engine import block as engine_block
from losscalc.engine.columns import order_of
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.support.hostile import accept, refuse
from tests.support.workbooks import xlsx

NAMES, ROW = ["cat", "dog"], [0.9, 0.1]
COMMAND = ["mse", "-t", "[[0,0],[0,0]]", "-r", "none", "-i"]
"""The squares of two files of a row each."""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**texts: str) -> None:
    """Files of CSV by their names, with / for the ends of lines."""
    for name, text in texts.items():
        Path(f"{name}.csv").write_text(text.replace("/", "\n") + "\n")


def values(address: str, **reading: object) -> list:
    """The array at an address, as nested lists."""
    with contextlib.closing(open_array(parse_address(address), "--input", Reading(**reading))) as source:
        return source.whole().tolist()


def as_csv(names, row):
    """A header and a row."""
    return f"{','.join(names)}\n{','.join(map(str, row))}\n".encode()


def as_json(names, row):
    """A list of a record."""
    return json.dumps([dict(zip(names, row, strict=True))]).encode()


def as_json_lines(names, row):
    """A line of a record."""
    return json.dumps(dict(zip(names, row, strict=True))).encode() + b"\n"


def as_nested(names, row):
    """A record in a list of a document."""
    return json.dumps({"out": [dict(zip(names, row, strict=True))], "n": 1}).encode()


def as_workbook(names, row):
    """A sheet."""
    return xlsx([names, row])


def in_arrow(names, row, save):
    """A table as a function of pyarrow saves it."""
    pyarrow = pytest.importorskip("pyarrow")
    sink = pyarrow.BufferOutputStream()
    save(pyarrow.table({name: [number] for name, number in zip(names, row, strict=True)}), sink)
    return sink.getvalue().to_pybytes()


def as_parquet(names, row):
    """A file of Parquet."""
    parquet = pytest.importorskip("pyarrow.parquet")
    return in_arrow(names, row, parquet.write_table)


def as_feather(names, row):
    """A file of Feather."""
    feather = pytest.importorskip("pyarrow.feather")
    return in_arrow(names, row, feather.write_feather)


FORMATS = [
    ("csv", "", as_csv),
    ("json", "", as_json),
    ("json", "#/out", as_nested),
    ("jsonl", "", as_json_lines),
    ("parquet", "", as_parquet),
    ("feather", "", as_feather),
    pytest.param("xlsx", "", as_workbook, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("suffix", "part", "write_file"), FORMATS)
def test_files_are_read_by_name(folder, suffix, part, write_file):
    """Where the same columns stand in another order, whatever the format."""
    (folder / f"a.{suffix}").write_bytes(write_file(NAMES, ROW))
    (folder / f"b.{suffix}").write_bytes(write_file(NAMES[::-1], ROW[::-1]))
    assert values(f"*.{suffix}{part}") == [ROW, ROW]


@pytest.mark.parametrize(("suffix", "part", "write_file"), FORMATS)
def test_files_of_other_names(capsys, folder, suffix, part, write_file):
    """The error has both sets of names, and what takes the columns as they stand, which is told."""
    (folder / f"a.{suffix}").write_bytes(write_file(NAMES, ROW))
    (folder / f"b.{suffix}").write_bytes(write_file(["cat", "fox"], ROW))
    assert cli.run([*COMMAND, f"*.{suffix}{part}"]) == 4
    error = capsys.readouterr().err
    message, _, hint = error.removesuffix("\n").partition("\n  hint: if they are the same columns ")
    assert (
        message
        == f"losscalc: error: b.{suffix}{part}: its columns are cat, fox, those of a.{suffix} cat, dog"
    )
    by_number = hint.removeprefix("in the same order: ").strip("'")
    assert cli.run(["l1", *COMMAND[1:], f"*.{suffix}{by_number}"]) == 0
    output, error = capsys.readouterr()
    assert output == "0.9,0.1\n0.9,0.1\n"
    assert f"the columns of these numbers are cat, fox, and in a.{suffix} cat, dog\n" in error


@pytest.mark.parametrize("block", [64, 131_072])
def test_files_of_a_loss(monkeypatch, capsys, block):
    """The losses of rows are those of their classes, wherever blocks begin."""
    monkeypatch.setattr(engine_block, "BLOCK", block)
    write(a="cat,dog/0.9,0.1", b="dog,cat" + "/0.1,0.9" * 200, labels="label" + "/cat" * 201)
    command = ["log-loss", "-i", "?.csv", "-t", "labels.csv"]
    # by hand: -ln 0.9
    assert float(accept(capsys, command)) == pytest.approx(0.10536051565782628, rel=1e-15)
    assert set(accept(capsys, [*command, "-r", "none"]).split()) == {"0.10536051565782628"}


@pytest.mark.parametrize(
    ("part", "first", "second"),
    [
        ("#cat,dog", "fox,dog,cat/3,2,1", "cat,fox,dog/1,3,2"),
        ("#c*,d*", "dog,cat/2,1", "cat,dog/1,2"),
        ("#^fox", "cat,dog,fox/1,2,3", "fox,dog,cat/3,2,1"),
        ("#^id", "id,cat,dog/7,1,2", "dog,id,cat/2,8,1"),
        ("#1-2", "1,2/1,2", "1,2/1,2"),
        ("", "cat,dog/1,2", "dog,cat,/2,1,"),
    ],
)
def test_parts(part, first, second):
    """Names pick columns wherever these stand, and the first file says in which order they are given."""
    write(a=first, b=second)
    header = "yes" if first[0] == "1" else "auto"
    assert values(f"*.csv{part}", header=header) == [[1, 2], [1, 2]]


def test_a_key_beside_the_columns(capsys):
    """Options that name columns are of no array, and may stand anywhere."""
    write(a="id,cat,dog/1,1,2", b="dog,id,cat/20,2,10", rows="id,cat,dog/2,0,0/1,0,0")
    command = ["l1", "-i", "?.csv", "-t", "rows.csv", "--key", "id", "-r", "none"]
    assert accept(capsys, command) == "1.0,2.0\n10.0,20.0\n"


@pytest.mark.parametrize(
    ("part", "first", "second", "message", "hint"),
    [
        ("", "cat,dog/1,2", "dog,fox,cat/1,2,3", "dog, fox, cat, those of a.csv cat, dog",
         "take the columns that both have: #cat,dog"),
        ("", "cat,dog,fox/1,2,3", "dog,fox/1,2", "dog, fox, those of a.csv cat, dog, fox",
         "take the columns that both have: #dog,fox"),
        ("#cat-dog", "cat,dog/1,2", "cat,fox,dog/1,2,3", "cat, fox, dog, those of a.csv cat, dog",
         "take the columns that both have: #cat,dog"),
        ("", "x,x/1,2", "x,y/1,2", "x, y, those of a.csv x, x",
         "if they are the same columns in the same order: #1-2"),
        ("", "cat,fox/1,2", "2,5/1,2", "2, 5, those of a.csv cat, fox",
         "give the columns one name in all files"),
    ],
)  # fmt: skip
def test_other_names(capsys, part, first, second, message, hint):
    """The hint is what can be typed: names that both have, or numbers that can be nothing else."""
    write(a=first, b=second)
    header = ["--header", "yes"] if second[0] == "2" else []
    refuse(capsys, [*COMMAND, f"*.csv{part}", *header], f"b.csv: its columns are {message}", hint, 4)


def test_many_names(capsys):
    """Of wide tables, the names are shown that the other lacks."""
    names = [f"c{number}" for number in range(500)]
    ones = ",".join("1" * 500)
    write(a=f"{','.join(names)}/{ones}", b=f"{','.join([*names[:-1], 'x'])}/{ones}")
    message = "b.csv: its columns are x, those of a.csv c499"
    hint = "if they are the same columns in the same order: #1-500"
    refuse(capsys, ["softmax", "-i", "*.csv"], message, hint, 4)


def test_names_that_no_hint_can_hold(capsys):
    """A part that would be cut is not shown."""
    names = [f"class_{number}" for number in range(60)]
    ones = ",".join("1" * 60)
    write(p=f"{','.join(names)}/{ones}", y=f"{','.join(names[::-1])}/{ones}")
    assert cli.run(["l1", "-i", "p.csv", "-t", "y.csv"]) == 0
    assert capsys.readouterr().err.endswith("  hint: bring them into one order\n")
    assert values("?.csv") == [[1] * 60] * 2


@pytest.mark.parametrize(
    ("part", "output", "names", "hint"),
    [
        ("#1-2", "1.0,2.0\n2.0,1.0\n", "dog, cat, and in a.csv cat, dog", "#cat,dog"),
        ("#2", "2.0\n1.0\n", "cat, and in a.csv dog", "#dog"),
    ],
)
def test_numbers_are_places(capsys, part, output, names, hint):
    """Whoever gives the numbers of columns gets these, and is told what is there."""
    write(a="cat,dog/1,2", b="dog,cat/2,1")
    target = "[0,0]" if part == "#2" else "[[0,0],[0,0]]"
    assert cli.run(["l1", "-i", f"*.csv{part}", "-t", target, "-r", "none"]) == 0
    said = f"losscalc: warning: b.csv: the columns of these numbers are {names}\n"
    assert capsys.readouterr() == (output, f"{said}  hint: take them by name: {hint}\n")


def test_places_in_files_of_another_order(capsys):
    """A cell is where it stands in its own file, also when that was closed."""
    write(a="cat,dog/0,1", b="dog,cat/1,0/x,1")
    assert cli.run([*COMMAND, "*.csv"]) == 3
    assert "b.csv:3:1: not a number, found 'x'\n" in capsys.readouterr().err
    write(b="dog,cat/1,5", c="cat,dog/0,1")
    command = ["bce", "-i", "[[0.5,0.5],[0.5,0.5],[0.5,0.5]]", "-t", "?.csv"]
    assert cli.run(command) == 4
    assert "b.csv:2:2: --target must" in capsys.readouterr().err


def test_workers_read_by_name():
    """Each file of a pattern, and the rest of them, can be opened elsewhere, by the names of the first."""
    write(a="cat,dog/1,2", b="dog,cat/2,1", c="cat,dog/1,2")
    with contextlib.closing(open_array(parse_address("*.csv"), "--input", Reading())) as source:
        recipes = pickle.loads(pickle.dumps([source.recipe, *source.files]))
    whole, *files = [recipe().whole().tolist() for recipe in recipes]
    assert whole == [[1, 2]] * 3
    assert files == [[[1, 2]]] * 3


def test_files_without_names(capsys):
    """As pieces of one table have them behind the first: there is nothing to compare."""
    write(a="cat,dog/1,2", b="3,4")
    assert values("*.csv") == [[1, 2], [3, 4]]
    np.save("c.npy", [[5.0, 6.0]])
    assert values("?.*") == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("first", "second", "part", "losses"),
    [
        ("cat,dog/1,2", "dog,cat/2,1", "#cat,dog", "0.0,0.0\n"),
        ("p_cat,p_dog/1,2", "y_dog,y_cat/2,1", "#y_cat,y_dog", "0.0,0.0\n"),
        ("cat,dog/1,2", "dog_true,cat_true/2,1", "#cat_true,dog_true", "0.0,0.0\n"),
        ("cat,dog/1,2", "p.dog,p.cat/2,1", "#p.cat,p.dog", "0.0,0.0\n"),
        ("a,b/1,2", "B,A/2,1", "#A,B", "0.0,0.0\n"),
        ("P(1),P(2)/1,2", "y2,y1/2,1", "#y1,y2", "0.0,0.0\n"),
    ],
)
def test_arrays_whose_columns_cross(capsys, first, second, part, losses):
    """A warning, whose hint takes the columns in the same order and leaves nothing to warn of."""
    write(p=first, y=second)
    command = ["l1", "-i", "p.csv", "-r", "none", "-t"]
    assert cli.run([*command, "y.csv"]) == 0
    output, error = capsys.readouterr()
    assert output == "1.0,1.0\n"
    mine, theirs = (text.partition("/")[0].replace(",", ", ") for text in (second, first))
    assert error == (
        f"losscalc: warning: y.csv: --target has the columns {mine}, and --input {theirs}: they are taken in "
        f"the order in which they stand\n  hint: take them in the same order: {part}\n"
    )
    assert accept(capsys, [*command, f"y.csv{part}"]) == losses
    assert cli.run([*command, "y.csv", "-W", "error"]) == 4


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("cat,dog/1,2", "cat,dog/1,2"),
        ("cat,dog/1,2", "x,y/1,2"),
        ("cat,dog/1,2", "p_cat,p_dog/1,2"),
        ("p_1,p_2/1,2", "y_0,y_1/1,2"),
        ("t0,t1/1,2", "t1,t2/1,2"),
        ("cat,dog/1,2", "1.0,2"),
        ("x,x/1,2", "x,y/1,2"),
        ("n,N/1,2", "N,M/1,2"),
        ("cat,dog/1,2", "CAT,DOG/1,2"),
    ],
)
def test_arrays_whose_columns_do_not_cross(capsys, first, second):
    """Nothing is said of names that are in order, or that have nothing or not all in common."""
    write(p=first, y=second)
    assert accept(capsys, ["l1", "-i", "p.csv", "-t", "y.csv"]) == "0.0\n"


def test_patterns_whose_columns_cross(capsys):
    """The first file of a pattern has the order of all."""
    write(p1="cat,dog/1,2", p2="dog,cat/2,1", y1="dog,cat/2,1", y2="cat,dog/1,2")
    command = ["l1", "-i", "p?.csv", "-t"]
    assert cli.run([*command, "y?.csv"]) == 0
    output, error = capsys.readouterr()
    assert output == "1.0\n"
    assert "y?.csv: --target has the columns dog, cat, and --input cat, dog: " in error
    assert accept(capsys, [*command, "y?.csv#cat,dog"]) == "0.0\n"


@pytest.mark.parametrize(
    ("names", "wanted", "order"),
    [
        ("abc", "cab", (2, 0, 1)),
        ("abc", "abd", None),
        ("abc", "ab", None),
        ("aab", "aab", None),
        ("ab", "aab", None),
    ],
)
def test_order(names, wanted, order):
    """Only the very same names, each of them once, have another order."""
    assert order_of(names, wanted) == order
