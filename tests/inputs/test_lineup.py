"""Rows of several tables: by default held against one another by their ids, and joined by a key.

The numbers are worked out by hand: in the first two tables, |p - y| is .1, .2 and .3 for the ids 1, 10 and 2.
"""

import gzip
import io
import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from losscalc import cli
from losscalc.inputs import join
from tests.support import tensors
from tests.support.hostile import accept, refuse
from tests.support.memory import little_memory

P = "id,p,n\n1,.9,5\n10,.2,6\n2,.7,7\n"
Y = "id,y\n1,1\n2,1\n10,0\n"
JOINED = "0.1,0.2,0.3"
BASIC = ["l1", "-i", "p.csv#p", "-t", "y.csv#y", "-r", "none"]
WAYS = "--key id joins the rows by it, --no-key takes them as they stand"
INNER = "--inner leaves out the rows that some table lacks"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The two tables, in the current directory."""
    monkeypatch.chdir(tmp_path)
    write(p=P, y=Y)
    return tmp_path


def write(**tables: str) -> None:
    """Tables by their names."""
    for name, text in tables.items():
        Path(f"{name}.csv").write_text(text)


def losses(text: str) -> str:
    """The losses of a result, without what binary numbers add."""
    return ",".join(f"{float(line):.6g}" for line in text.split())


def noted(capsys, arguments: list[str]) -> tuple[str, str]:
    """The losses, and what was said beside them."""
    capsys.readouterr()
    assert cli.run(arguments) == 0, capsys.readouterr()
    output, error = capsys.readouterr()
    return losses(output), error


# Ids


def test_ids_that_differ(capsys):
    """The first that differs is an error with both places, and both of its hints lead on."""
    refuse(capsys, BASIC, "y.csv:3:1: id is 2, and 10 in p.csv:3:1, whose row goes with it", WAYS)
    assert losses(accept(capsys, [*BASIC, "--key", "id"])) == JOINED
    assert losses(accept(capsys, [*BASIC, "--no-key"])) == "0.1,0.8,0.7"


def test_the_reduced_loss(capsys):
    """What `bce` of these tables is: -(ln .9 + ln .8 + ln .7) / 3."""
    text = accept(capsys, ["bce", "-i", "p.csv#p", "-t", "y.csv#y", "--key", "id"])
    assert float(text) == pytest.approx(-np.log(0.9 * 0.8 * 0.7) / 3, rel=1e-14)


@pytest.mark.parametrize(
    "ids", ["1,10,2", "001,1e1,2.0", '"1","10","2"', "+1,10.,0002", "\n1,10,2", " 1 ,10, 2"]
)
def test_ids_that_are_the_same_numbers(capsys, ids):
    """However they are written, and whatever lines are between them."""
    first, second, third = ids.split(",")
    write(y=f"id,y\n{first},1\n{second},0\n\n# no row\n{third},1\n")
    assert noted(capsys, BASIC)[0] == JOINED
    assert noted(capsys, [*BASIC, "--key", "id"])[0] == JOINED


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("a7", "A7", ("'A7'", "'a7'")),
        ("a7", "a07", ("'a07'", "'a7'")),
        ("9007199254740993", "9007199254740992", ("9007199254740992", "9007199254740993")),
        ("a", "", ("''", "'a'")),
        ("7", "seven", ("'seven'", "7")),
        ("7", "7.5", ("7.5", "7")),
        ("é", "e", ("'e'", "'é'")),
        ("nan", "NaN", ("'NaN'", "'nan'")),
    ],
)
def test_ids_that_are_not_the_same(capsys, one, other, shown):
    """Texts have to be the same to the letter, and whole numbers to the last digit."""
    write(p=f"p,id\n.5,x\n.5,{one}\n", y=f"id,y\nx,1\n{other},1\n")
    here, there = shown
    refuse(capsys, BASIC, f"y.csv:3:1: id is {here}, and {there} in p.csv:3:2, whose row goes with it", WAYS)


@pytest.mark.parametrize(
    ("p", "y", "parts"),
    [
        ('{"a":{"p":0.9},"b":{"p":0.2}}', '{"b":{"y":0},"a":{"y":1}}', ("/*/p", "/*/y")),
        ('{"a":{"p":0.9},"b":{"p":0.2}}', '{"b":{"y":0},"a":{"y":1}}', ("p", "y")),
        ('{"a":{"p":0.9},"b":{"p":0.2}}', '{"b":{"y":0},"a":{"y":1}}', ("/*", "/*/y")),
        ('{"a":0.9,"b":0.2}', '{"b":0,"a":1}', ("/*", "/*")),
        ('{"m":{"a":0.9,"b":0.2}}', '{"b":0,"a":1}', ("/m/*", "/*")),
    ],
)
def test_keys_of_objects(capsys, p, y, parts):
    """The keys name the rows, as an index does; |p - y| is .1 and .2."""
    Path("p.json").write_text(p)
    Path("y.json").write_text(y)
    command = ["l1", "-i", f"p.json#{parts[0]}", "-t", f"y.json#{parts[1]}"]
    assert cli.run(command) == 3
    _, error = capsys.readouterr()
    assert "[0]: index is 'b', and 'a' in p.json#" in error
    assert "hint: --key index joins the rows by it, --no-key takes them as they stand" in error
    assert float(accept(capsys, [*command, "--key", "index"])) == pytest.approx(0.15)
    assert float(accept(capsys, [*command, "--no-key"])) == pytest.approx(0.85)


def archive(name: str, ids: list, values: list) -> bytes:
    """Arrays, of which one tells rows apart, as NumPy saves them."""
    file = io.BytesIO()
    np.savez(file, id=np.array(ids), **{name: np.array(values, float)})
    return file.getvalue()


def columns(name: str, ids: list, values: list) -> bytes:
    """Lists, of which one tells rows apart."""
    return json.dumps({"ids": ids, name: values}).encode()


def checkpoint(name: str, ids: list, values: list) -> bytes:
    """A list of ids beside a tensor, as torch.save writes them."""
    doubles = tensors.tensor(tensors.storage(count=3, kind="DoubleStorage"), shape=(3,), strides=(1,))
    contents = tensors.dictionary(ids=tensors.put(ids), **{name: doubles})
    return tensors.torch_file(contents, {"data/0": np.array(values, float).tobytes()})


@pytest.mark.parametrize(
    ("suffix", "saved", "key"), [("npz", archive, "id"), ("json", columns, "ids"), ("pt", checkpoint, "ids")]
)
def test_ids_beside_arrays(capsys, suffix, saved, key):
    """Arrays and lists of ids in a file are columns beside the others; |p - y| is .1, .2 and .3."""
    Path(f"p.{suffix}").write_bytes(saved("p", ["a", "b", "c"], [0.9, 0.2, 0.7]))
    Path(f"y.{suffix}").write_bytes(saved("y", ["a", "c", "b"], [1, 1, 0]))
    command = ["l1", "-i", f"p.{suffix}#p", "-t", f"y.{suffix}#y", "-r", "none"]
    place = f"y.{suffix}#{key}[1]: {key} is 'c', and 'b' in p.{suffix}#{key}[1], whose row goes with it"
    ways = f"--key {key} joins the rows by it, --no-key takes them as they stand"
    refuse(capsys, command, place, ways)
    assert losses(accept(capsys, [*command, "--key", key])) == JOINED
    assert losses(accept(capsys, [*command, "--no-key"])) == "0.1,0.8,0.7"


def test_ids_of_other_rows(capsys):
    """What is called so and has another length goes with something else."""
    for name in "py":
        np.savez(f"{name}.npz", id=np.arange(2.0) + (name == "y"), **{name: np.array([1.0, 2, 3])})
    assert accept(capsys, ["l1", "-i", "p.npz#p", "-t", "y.npz#y"]).strip() == "0.0"


def test_which_columns_are_held_against_one_another(capsys):
    """Those that are called like ids, and in several tables; not what is an array of the call itself."""
    write(p="image_id,p,n\n1,.9,5\n", y="image_id,y,n\n2,1,6\n")
    ways = WAYS.replace("id", "image_id")
    place = "whose row goes with it"
    refuse(capsys, BASIC, f"y.csv:2:1: image_id is 2, and 1 in p.csv:2:1, {place}", ways)
    write(p="a_id,p,n\n1,.9,5\n", y="b_id,y,n\n2,1,6\n")
    assert losses(accept(capsys, BASIC)) == "0.1"
    write(p="covid,p\n1,.9\n", y="covid,y\n2,1\n")
    assert losses(accept(capsys, BASIC)) == "0.1"
    write(p="category_id,p\n1,.9\n", y="category_id,y\n2,1\n")
    assert losses(accept(capsys, ["l1", "-i", "p.csv#p", "-t", "y.csv#category_id", "-r", "none"])) == "1.1"
    write(p="id,p,id\n1,.9,3\n", y="id,y\n2,1\n")
    assert losses(accept(capsys, BASIC)) == "0.1"


def test_one_table_and_others_without_columns(capsys):
    """There is nothing to hold ids against."""
    np.save("y.npy", [1.0, 0, 1])
    for target in ("1,0,1", "y.npy", "p.csv#n"):
        accept(capsys, ["l1", "-i", "p.csv#p", "-t", target])


def test_different_numbers_of_rows(capsys):
    """The error about them says how rows are joined."""
    write(y=Y + "7,1\n")
    message = "y.csv: --target has shape (4,) and --input (3,); they must be equal"
    refuse(capsys, BASIC, message, "--key id joins the rows by it", code=4)
    assert cli.run([*BASIC, "--no-key"]) == 4
    assert "--key" not in capsys.readouterr().err
    columns = "--input has several columns; take one of a file as FILE#NAME or FILE#2"
    write(y=Y)
    message = "y.csv: --target has shape (3,) and --input (3, 2); they must be equal"
    refuse(capsys, ["l1", "-i", "p.csv#p,n", "-t", "y.csv#y"], message, columns, code=4)


def test_hints_are_typed_as_they_stand(capsys):
    """In the words of a shell, whatever the ids are called."""
    for name in ("my image_id", "it's_id", "a&b_id", "$x_id"):
        write(p=f'"{name}",p\n1,.5\n2,.25\n', y=f'"{name}",y\n2,1\n1,1\n')
        capsys.readouterr()
        assert cli.run([*BASIC, "--header", "yes"]) == 3
        hint = capsys.readouterr().err.partition("hint: ")[2]
        first, second = (shlex.split(way) for way in hint.split(", "))
        assert first[:2] == ["--key", name]
        assert losses(accept(capsys, [*BASIC, "--header", "yes", *first[:2]])) == "0.5,0.75"
        assert losses(accept(capsys, [*BASIC, "--header", "yes", second[0]])) == "0.5,0.75"


# Keys


@pytest.mark.parametrize("step", [1, 2, 1 << 16])
def test_the_order_of_the_input(capsys, monkeypatch, step):
    """Whichever table is larger, and wherever the order begins to differ."""
    monkeypatch.setattr(join, "_STEP", step)
    assert losses(accept(capsys, [*BASIC, "--key", "id"])) == JOINED
    swapped = ["l1", "-i", "y.csv#y", "-t", "p.csv#p", "-r", "none", "--key", "id"]
    assert losses(accept(capsys, swapped)) == "0.1,0.3,0.2"
    gradient = ["mse", *BASIC[1:5], "--gradient", "-r", "sum", "--key", "id"]
    assert losses(accept(capsys, gradient)) == "-0.2,0.4,-0.6"


@pytest.mark.parametrize("step", [1, 2, 1 << 16])
@pytest.mark.parametrize(
    ("p", "y", "message", "inner", "note"),
    [
        (
            "1 2 3",
            "1 3",
            "p.csv:3:1: 1 row of p.csv has no partner in y.csv: 2",
            "1 3",
            "1 row that not all tables have: 1 of p.csv",
        ),
        (
            "1 2",
            "5 2 4 1 3 6",
            "y.csv:2:1: 4 rows of y.csv have no partner in p.csv: 5, 4, 3, ...",
            "1 2",
            "4 rows that not all tables have: 4 of y.csv",
        ),
        (
            "1 b 2 c a",
            "c 7 1",
            "p.csv:3:1: 3 rows of p.csv have no partner in y.csv: 'b', 2, 'a'; "
            "1 row of y.csv has no partner in p.csv: 7",
            "1 c",
            "4 rows that not all tables have: 3 of p.csv, 1 of y.csv",
        ),
        (
            "1 2",
            "3 4",
            "p.csv:2:1: 2 rows of p.csv have no partner in y.csv: 1, 2; "
            "2 rows of y.csv have no partner in p.csv: 3, 4",
            "",
            "4 rows that not all tables have: 2 of p.csv, 2 of y.csv",
        ),
    ],
)
def test_rows_without_a_partner(capsys, monkeypatch, step, p, y, message, inner, note):
    """They are counted, the first three are shown, and --inner leaves them out and says how many."""
    monkeypatch.setattr(join, "_STEP", step)
    rows = {key: number for number, key in enumerate(p.split())}
    write(p="id,p\n" + "".join(f"{key},{number}\n" for key, number in rows.items()))
    write(y="y,id\n" + "".join(f"0,{key}\n" for key in y.split()))
    message = message.replace("y.csv:2:1", "y.csv:2:2")
    refuse(capsys, [*BASIC, "--key", "id", "-o", "o.csv"], message, INNER)
    expected = ",".join(str(rows[key]) for key in inner.split())
    assert noted(capsys, [*BASIC, "--key", "id", "--inner"]) == (
        expected,
        f"losscalc: note: left out {note}\n",
    )
    assert noted(capsys, [*BASIC, "--key", "id", "--inner", "-q"]) == (expected, "")


@pytest.mark.parametrize("step", [1, 2, 1 << 16])
@pytest.mark.parametrize("inner", [(), ("--inner",)])
@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        ("1 2 1", "1 2 1", "p.csv:4:1: 1 row has the id of a row above: 1"),
        ("1 2 3", "3 2 2.0 1", "y.csv:4:1: 1 row has the id of a row above: 2"),
        ("1 a 2 a 3 a 4 1 a a", "1 a", "p.csv:5:1: 5 rows have the id of a row above: 'a', 'a', 1, ..."),
        ("1 2", "2 7 7", "y.csv:4:1: 1 row has the id of a row above: 7"),
        ("-1 -2 0 0x", "-2 -1 0x -0 0", "y.csv:6:1: 1 row has the id of a row above: 0"),
    ],
)
def test_a_key_twice(capsys, monkeypatch, step, inner, p, y, message):
    """Nobody knows which of the rows is meant, whether or not others are left out."""
    monkeypatch.setattr(join, "_STEP", step)
    for name, keys, number in (("p", p, 1), ("y", y, 0)):
        write(**{name: f"id,{name}\n" + "".join(f"{key},{number}\n" for key in keys.split())})
    capsys.readouterr()
    assert cli.run([*BASIC, "--key", "id", *inner]) == 3
    error = capsys.readouterr().err
    # A number may be shown as another row writes it.
    assert error.replace(" 2.0\n", " 2\n").replace(" -0\n", " 0\n") == f"losscalc: error: {message}\n"


@pytest.mark.parametrize("step", [1, 2, 1 << 16])
def test_three_tables(capsys, monkeypatch, step):
    """All have to have a row, each in an order of its own."""
    monkeypatch.setattr(join, "_STEP", step)
    write(w="w,id\n4,2\n3,10\n2,1\n")
    command = [*BASIC, "--weight", "w.csv#w", "--key", "id"]
    assert losses(accept(capsys, command)) == "0.2,0.6,1.2"
    write(w="w,id\n4,2\n3,11\n", y=Y + "12,1\n")
    message = "y.csv:5:1: 1 row of y.csv has no partner in p.csv: 12"
    refuse(capsys, command, message, INNER)
    note = "left out 6 rows that not all tables have: 2 of p.csv, 3 of y.csv, 1 of w.csv"
    assert noted(capsys, [*command, "--inner"]) == ("1.2", f"losscalc: note: {note}\n")


def test_arrays_of_one_table(capsys):
    """Rows of one table go together as they stand; their key may be there only once."""
    command = ["l1", "-i", "p.csv#p", "-t", "p.csv#n", "-r", "none", "--key", "id"]
    assert losses(accept(capsys, command)) == "4.1,5.8,6.3"
    write(p=P + "1,.5,5\n")
    refuse(capsys, command, "p.csv:5:1: 1 row has the id of a row above: 1")


def test_a_key_of_any_name(capsys):
    """It need not be called like an id, may have no name at all, and is quoted in hints."""
    for name in ("file name", "a>b", "#", "7", "", "it's", "p q"):
        write(p=f'"{name}",p\nx,.5\ny,.25\n', y=f'"{name}",y\ny,1\nx,1\n')
        assert losses(accept(capsys, [*BASIC, "--header", "yes", "--key", name])) == "0.5,0.75"
    write(p="image id,p\nx,.5\ny,.25\n", y="image id,y\ny,1\nx,1\n")
    message = "--input of p.csv#p has no column to join rows by, found 'image_id'"
    refuse(capsys, [*BASIC, "--key", "image_id"], message, "did you mean --key 'image id'?", code=2)


def test_whole_tables(capsys):
    """The key is no data where it is named, however it is called."""
    write(p="k,cat,dog\n1,2,1\n2,0,3\n3,1,1\n", y="label,k\n1,3\n0,1\n1,2\n")
    text = accept(capsys, ["cross-entropy", "-i", "p.csv", "-t", "y.csv", "--key", "k", "-r", "none"])
    gaps = np.array([1.0, 3.0, 0.0])
    assert [float(line) for line in text.split()] == pytest.approx(np.log1p(np.exp(-gaps)), rel=1e-14)


def test_what_has_no_rows_stays_as_it_is(capsys):
    """Weights of classes and of positives, and lone numbers, are neither joined nor picked."""
    write(p="k,cat,dog\n1,2,1\n2,0,3\n3,1,1\n", y="label,k\n1,3\n0,1\n1,2\n", w="w,k\n1,9\n5,8\n")
    command = ["cross-entropy", "-i", "p.csv", "-t", "y.csv", "--key", "k", "-r", "none", "--where", "k>1"]
    for weight in ("1,5", "w.csv#w"):
        text = accept(capsys, [*command, "--weight", weight])
        assert [float(line) for line in text.split()] == pytest.approx(
            [5 * np.log1p(np.exp(-3)), 5 * np.log(2)]
        )
    command = ["bce-logits", "-i", "p.csv#cat", "-t", "y.csv#label", "--key", "k", "-r", "none"]
    text = accept(capsys, [*command, "--pos-weight", "3", "--where", "k=2"])
    assert float(text) == pytest.approx(3 * np.log(2))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("y.csv#y", "--target of y.csv#y has no column to join rows by, found 'n'"),
        ("1,0,1", "--target has no column to join rows by, found 'n'"),
        ("y.npy", "--target of y.npy has no column to join rows by, found 'n'"),
        ("z.csv#1", "--target of z.csv#1 has no column to join rows by, found 'n'"),
    ],
)
def test_an_array_without_the_key(capsys, target, message):
    """It is wrong usage, and the hint is a column there is, or what gives the columns names."""
    np.save("y.npy", [1.0, 0, 1])
    write(z="1\n0\n1\n")
    hint = "--header yes if the first line of a file names its columns; else leave --key out"
    hint = "the columns that all have are id" if target.startswith("y.csv") else hint
    command = ["l1", "-i", "p.csv#p", "-t", target, "--key", "n"]
    refuse(capsys, command, message, hint, code=2)


def test_two_columns_of_the_name(capsys):
    """Nobody knows which is meant."""
    write(p="id,p,id\n1,.9,3\n")
    refuse(capsys, [*BASIC, "--key", "id"], "p.csv: 2 columns have this name, found 'id'")


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (["--inner"], "--inner is about the rows that --key joins", "name the column: --key id"),
        (["--key", "id", "--no-key"], "--key and --no-key do not go together", "leave one of them out"),
    ],
)
def test_options_that_do_not_go_together(capsys, options, message, hint):
    """They are wrong usage."""
    refuse(capsys, [*BASIC, *options], message, hint, code=2)


def test_no_rows_in_common(capsys):
    """A lone sample is no row, and has no ids."""
    command = ["cross-entropy", "-i", "[1,2,3]", "-t", "1", "--where", "id=1"]
    message = "the arrays of cross-entropy have no rows to be compared, joined, picked or grouped"
    refuse(capsys, command, message, code=2)


@pytest.mark.parametrize("options", [["--key", "id"], ["--where", "n=5"], []])
def test_a_cluster(capsys, options):
    """It does not read columns beside arrays; the hint leads on, to the cluster that is not there."""
    hint = "leave --dask out" if options else "--no-key takes the rows as they stand"
    message = "a cluster cannot compare, join or pick rows by other columns"
    refuse(capsys, [*BASIC, *options, "--dask", "tcp://nowhere:1"], message, hint, code=2)


# Columns that are in several tables


@pytest.mark.parametrize("option", ["--where", "--by"])
def test_columns_that_have_to_agree(capsys, option):
    """What picks or groups rows may be in several tables, if they agree row by row."""
    write(p="id,p,s\n1,.9,a\n2,.2,b\n", y="id,y,s\n1,1,a\n2,0,a\n")
    reduced = BASIC[:-2]
    command = [*reduced, option, "s=a" if option == "--where" else "s"]
    message = "y.csv:3:3: s is 'a', and 'b' in p.csv:3:3, whose row goes with it"
    refuse(capsys, command, message, "--key id joins the rows by it")
    refuse(capsys, [*command, "--key", "id"], message)
    write(p="p,s\n.9,a\n.2,b\n", y="y,s\n1,a\n0,a\n")
    refuse(capsys, command, message.replace(":3:3", ":3:2"))
    write(y="id,y,s\n2,0,b\n1,1,a\n", p="id,p,s\n1,.9,a\n2,.2,b\n")
    accept(capsys, [*command, "--key", "id"])
    message = "y.csv:2:1: id is 2, and 1 in p.csv:2:1, whose row goes with it"
    refuse(capsys, command, message, WAYS)
    refuse(capsys, [*reduced, "--where", "id>1", "--no-key"], message, "--key id joins the rows by it")


# Where tables come from


def test_files_of_a_pattern(capsys, folder):
    """Rows may be in several files, and packed; places are in the file that has the row."""
    (folder / "p-1.csv").write_text("id,p\n1,.9\n")
    with gzip.open("p-2.csv.gz", "wt") as file:
        file.write("id,p\n10,.2\n2,.7\n")
    (folder / "y-1.csv").write_text("id,y\n1,1\n2,1\n")
    (folder / "y-2.csv").write_text("id,y\n10,0\n")
    command = ["l1", "-i", "p-*#p", "-t", "y-?.csv#y", "-r", "none"]
    assert losses(accept(capsys, [*command, "--key", "id"])) == JOINED
    command[4] = "y.csv#y"
    message = "y.csv:3:1: id is 2, and 10 in p-2.csv.gz:2:1, whose row goes with it"
    refuse(capsys, command, message, WAYS)
    (folder / "y-2.csv").write_text("id,y\n10,0\n3,0\n")
    command[4] = "y-*.csv#y"
    message = "y-2.csv:3:1: 1 row of y-*.csv has no partner in p-*: 3"
    refuse(capsys, [*command, "--key", "id"], message, INNER)


@pytest.mark.parametrize("options", [(), ("--where", "s=a"), ("--by", "s")])
def test_patterns_go_together_file_by_file(capsys, folder, options):
    """Also where rows are picked or grouped; a key joins them wherever they are."""
    for name, text in (("p-1", "p,s,k\n1,a,x\n2,a,y\n"), ("p-2", "p,s,k\n3,a,z\n")):
        (folder / f"{name}.csv").write_text(text)
    for name, text in (("y-1", "y,k\n1,z\n"), ("y-2", "y,k\n2,x\n1,y\n")):
        (folder / f"{name}.csv").write_text(text)
    command = ["l1", "-i", "p-*.csv#p", "-t", "y-*.csv#y", *options]
    refuse(capsys, command, "y-1.csv: has 1 row, and p-1.csv, which goes with it, 2", code=4)
    assert accept(capsys, [*command, "--key", "k", "-f", "csv"]).split(",")[0] in (
        "1.3333333333333333\n",
        "s",
    )


@pytest.fixture
def piped(capsys, monkeypatch):
    """Run a command with a table on its standard input."""

    def run(text: str, *arguments: str) -> str:
        buffer = io.BytesIO(text.encode())
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer, isatty=lambda: False))
        return losses(accept(capsys, arguments))

    return run


def test_parts_of_one_pipe(capsys, piped):
    """Several columns of a table on standard input, by which its rows are joined, picked and grouped, too."""
    both = ["l1", "-i", "-#p", "-t", "-#n", "-r", "none"]
    assert piped(P, *both) == "4.1,5.8,6.3"
    assert piped(P, *both, "--key", "id", "--where", "id>1") == "5.8,6.3"
    assert piped(P, *both, "--weight", "-#id") == "4.1,58,12.6"
    assert piped(P, "l1", "-i", "-#p", "-t", "1,0,1", "-r", "none", "--where", "n != 6") == "0.1,0.3"
    assert piped(P, "l1", "-i", "-#p", "-t", "y.csv#y", "-r", "none", "--key", "id") == JOINED
    assert piped(Y, *BASIC[:4], "-#y", "-r", "none", "--key", "id") == JOINED
    assert piped("p,q\n1,2\n3,5\n", "l1", "-i", "-#1", "-t", "-#2", "-r", "none") == "1,2"
    assert piped('{"p": [1, 2], "y": [3, 5]}', "l1", "-i", "-#p", "-t", "-#y", "-r", "none") == "2,3"
    for by in ("n", "-#n"):
        sys.stdin = SimpleNamespace(buffer=io.BytesIO(P.encode()), isatty=lambda: False)
        text = accept(capsys, ["l1", "-i", "-#p", "-t", "1,0,1", "--by", by, "-f", "csv"])
        assert [line.split(",")[:2] for line in text.splitlines()[1:4]] == [
            ["5", "1"],
            ["6", "1"],
            ["7", "1"],
        ]


@pytest.mark.parametrize("texts", [("-", "-"), ("-#p", "-#p")])
def test_a_pipe_as_a_whole_for_two_arrays(capsys, texts):
    """Only parts tell arrays on one pipe apart."""
    message = "--input and --target cannot both read standard input"
    hint = "name a part of it for each, as in -#p and -#y"
    refuse(capsys, ["l1", "-i", texts[0], "-t", texts[1]], message, hint, code=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-i <(cat p.csv)#p -t <(cat y.csv)#y --key id", JOINED),
        ("-i <(cat p.csv)#p -t 1,0,1 --where n!=6", "0.1,0.3"),
        ("-i /dev/stdin#p -t -#n --where id=1 < <(cat p.csv)", "4.1"),
        ("-i -#p -t -#n --where id=1 < p.csv", "4.1"),
        ("-i f.csv.gz#p -t f.csv.gz#n --where id=1 & gzip -c p.csv > f.csv.gz; wait", "4.1"),
    ],
)
def test_pipes_of_the_shell(line, expected):
    """Those with a name are read once, too, whatever is read of them."""
    script = f'mkfifo f.csv.gz; "$0" -m losscalc l1 -r none {line}'
    command = ["bash", "-c", script, sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (losses(done.stdout), done.stderr) == (expected, "")


@pytest.mark.slow
def test_ids_of_pipes_that_differ():
    """The places are those of the pipes."""
    line = '"$0" -m losscalc l1 -i <(cat p.csv)#p -t <(cat y.csv)#y'
    command = ["bash", "-c", line, sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert ":3:1: id is 2, and 10 in /dev/fd/" in done.stderr


# Streams


@pytest.fixture
def large(folder):
    """Two tables of 200,000 rows with ids of text, some 8 MB: in one order, and in another."""
    rows = 200_000
    numbers = np.arange(rows)
    order = np.random.default_rng(1).permutation(rows)
    with open("x.csv", "w") as x, open("same.csv", "w") as same, open("other.csv", "w") as other:
        x.write("id,p,s\n" + "".join(f"image_{n:08}.png,{n % 7},{'ab'[n % 2]}\n" for n in numbers))
        same.write("id,y\n" + "".join(f"image_{n:08}.png,{n % 5}\n" for n in numbers))
        other.write("id,y\n" + "".join(f"image_{n:08}.png,{n % 5}\n" for n in order))
    return np.abs(numbers % 7 - numbers % 5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "limit"), [([], 20), (["--key", "id"], 28), (["--where", "s=a"], 24), (["--by", "s"], 24)]
)
def test_rows_in_the_same_order_are_not_held(capsys, large, options, limit):
    """Of keys, eight bytes a row are: the tables are as long as ten times that."""
    command = ["l1", "-i", "x.csv#p", "-t", "same.csv#y", "--threads", "1", *options, "-f", "csv"]
    accept(capsys, command)
    with little_memory(limit * 1_000_000):
        text = accept(capsys, command)
    losses = large[::2] if "--where" in options else large
    if "--by" not in options:
        assert float(text) == losses.mean()


@pytest.mark.slow
def test_rows_in_another_order(capsys, large):
    """All of them are found."""
    text = accept(capsys, ["l1", "-i", "x.csv#p", "-t", "other.csv#y", "--key", "id", "-r", "none"])
    assert [float(line) for line in text.split()] == large.tolist()
