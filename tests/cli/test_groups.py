"""--by: the loss of each group of rows, and of all.

The numbers are worked out by hand, or those of the same command for the rows of one group alone.
"""

import csv
import io
import json
import math

import numpy as np
import pytest

from losscalc import cli
from losscalc.engine import block
from tests.support.hostile import accept, refuse

TABLE = "p,y,split,n\n.5,1,val,10\n.25,0,train,9\n1,0,val,010\n.75,1,train,\n"
"""The absolute differences are .5, .25, 1 and .25."""
BASIC = ["l1", "-i", "a.csv#p", "-t", "a.csv#y"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The table, in the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(TABLE)
    return tmp_path


def summary(count: int, mean: float, total: float, share: float) -> dict[str, float]:
    """The facts of a group in JSON."""
    return {"count": count, "mean": mean, "sum": total, "share": share}


SPLITS = {
    "by": "split",
    "groups": [
        {"group": "train", **summary(2, 0.25, 0.5, 0.25)},
        {"group": "val", **summary(2, 0.75, 1.5, 0.75)},
    ],
    "whole": summary(4, 0.5, 2.0, 1.0),
    "mean_of_means": 0.5,
}


def by(capsys, *options: str, command: list[str] = BASIC) -> dict:
    """The groups as JSON."""
    return json.loads(accept(capsys, [*command, *options, "-f", "json"]))


def means(found: dict) -> dict[object, tuple[int, float]]:
    """The groups, each with how many losses it has and their mean."""
    return {each["group"]: (each["count"], each["mean"]) for each in found["groups"]}


@pytest.mark.parametrize("size", [1, 2, 1 << 17])
def test_groups_of_texts(capsys, monkeypatch, size):
    """By the alphabet; the shares are of the total."""
    monkeypatch.setattr(block, "BLOCK", size)
    assert by(capsys, "--by", "split") == SPLITS
    for reduction in ("sum", "mean"):
        assert by(capsys, "--by", "split", "-r", reduction) == SPLITS
    assert by(capsys, "--by", "split", "--size-average", "-q") == SPLITS


def test_every_format(capsys):
    """Tables for people, and machine formats with all digits."""
    rows = [
        ["split", "count", "mean", "sum", "share"],
        ["train", "2", "0.25", "0.5", "0.25"],
        ["val", "2", "0.75", "1.5", "0.75"],
        ["(all)", "4", "0.5", "2.0", "1.0"],
        ["(mean of the means)", "", "0.5", "", ""],
    ]
    for name, mark in (("csv", ","), ("tsv", "\t"), ("plain", "\t")):
        text = accept(capsys, [*BASIC, "--by", "split", "-f", name])
        assert list(csv.reader(io.StringIO(text), delimiter=mark)) == rows
    table = accept(capsys, [*BASIC, "--by", "split", "-f", "table"])
    assert [line.split() for line in table.splitlines() if "val" in line] == [
        ["│", "val", "│", "2", "│", "0.7500", "│", "1.5000", "│", "75.0%", "│"]
    ]
    markdown = accept(capsys, [*BASIC, "--by", "split", "-f", "markdown"]).splitlines()
    assert markdown[:3] == [
        "| split | count | mean | sum | share |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| train | 2 | 0.2500 | 0.5000 | 25.0% |",
    ]
    latex = accept(capsys, [*BASIC, "--by", "split", "-f", "latex"])
    assert r"train & 2 & 0.2500 & 0.5000 & 25.0\% \\" in latex
    assert ">0.2500</td>" in accept(capsys, [*BASIC, "--by", "split", "-f", "html"])
    accept(capsys, [*BASIC, "--by", "split", "-o", "o.json"])
    with open("o.json") as file:
        assert json.load(file) == SPLITS


def test_decimals(capsys):
    """Those that are asked for; counts have none."""
    text = accept(capsys, [*BASIC, "--by", "split", "-f", "json", "--precision", "1"])
    assert text.startswith(
        '{"by": "split", "groups": [{"group": "train", "count": 2, "mean": 0.2, "sum": 0.5,'
    )
    text = accept(capsys, [*BASIC, "--by", "split", "-f", "csv", "--precision", "1"])
    assert text.splitlines()[2] == "val,2,0.8,1.5,0.8"


@pytest.mark.parametrize("name", ["npy"])
def test_formats_that_have_no_tables(capsys, name):
    """They are refused, with what to take."""
    hint = "take plain, table, csv or json"
    refuse(capsys, [*BASIC, "--by", "split", "-f", name], f"this cannot be written as {name}", hint, code=2)


def test_groups_of_numbers(capsys):
    """By their size; a number is one group however it is written, and an empty cell is a group, too."""
    found = by(capsys, "--by", "n")
    assert means(found) == {9: (1, 0.25), 10: (2, 0.75), "": (1, 0.25)}
    assert [each["group"] for each in found["groups"]] == [9, 10, ""]
    assert found["mean_of_means"] == pytest.approx(1.25 / 3, rel=1e-15)
    text = accept(capsys, [*BASIC, "--by", "n", "-f", "csv"])
    assert [line.split(",")[0] for line in text.splitlines()[1:4]] == ["9", "10", "(empty)"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 0.1, 2, -3], {-3: (1, 0.25), 0.1: (2, 0.375), 2: (1, 1.0)}),
        ([True, False, True, False], {"False": (2, 0.25), "True": (2, 0.75)}),
        ([2**60, 2**60 + 1, 2**60, 7], {7: (1, 0.25), 2**60: (2, 0.75), 2**60 + 1: (1, 0.25)}),
        ([math.nan, 1, math.nan, 1], {1: (2, 0.25), "nan": (2, 0.75)}),
        ([-0.0, 0, 0.5, 0.5], {0: (2, 0.375), 0.5: (2, 0.625)}),
        ([[5], [6], [5], [6]], {5: (2, 0.75), 6: (2, 0.25)}),
    ],
)
def test_an_array_of_groups(capsys, values, expected):
    """A file, one of several columns, or numbers that are written out, beside any arrays."""
    np.save("g.npy", np.array(values))
    assert means(by(capsys, "--by", "g.npy")) == expected
    np.save("x.npy", np.array([0.5, 0.25, 1, 0.75]))
    np.savez("g.npz", g=np.array(values), other=np.zeros(4))
    command = ["l1", "-i", "x.npy", "-t", "[1,0,0,1]"]
    assert means(by(capsys, "--by", "g.npz#g", command=command)) == expected
    # Numbers on the command line are float64, and have no NaN.
    if "nan" not in expected and 2**60 not in expected and values[0] is not True:
        assert means(by(capsys, "--by", json.dumps(values), command=command)) == expected


def test_a_column_of_another_file(capsys, folder):
    """Texts and numbers, with reading options of their own; of a pattern of files as well."""
    (folder / "g.csv").write_text("g;h\n1;b\n2;a\n1;b\n2;a\n")
    assert means(by(capsys, "--by", "g.csv#h")) == {"a": (2, 0.25), "b": (2, 0.75)}
    assert means(by(capsys, "--by", "g.csv#g", "--delimiter", "by=;")) == {1: (2, 0.75), 2: (2, 0.25)}
    (folder / "g-1.csv").write_text("h\nb\n")
    (folder / "g-2.csv").write_text("h\na\nb\na\n")
    assert means(by(capsys, "--by", "g-*.csv#h")) == {"a": (2, 0.25), "b": (2, 0.75)}
    assert means(by(capsys, "--by", "g-*.csv")) == {"a": (2, 0.25), "b": (2, 0.75)}


def test_a_column_of_each_table(capsys, folder):
    """What is in several tables has to be the same in them."""
    (folder / "b.csv").write_text("y,split\n1,val\n0,train\n0,val\n1,train\n")
    command = ["l1", "-i", "a.csv#p", "-t", "b.csv#y", "--by", "split"]
    assert by(capsys, command=command) == SPLITS
    (folder / "b.csv").write_text("y,split\n1,val\n0,train\n0,train\n1,train\n")
    message = "b.csv:4:2: split is 'train', and 'val' in a.csv:4:3, whose row goes with it"
    refuse(capsys, command, message)


def test_a_whole_table_without_its_group(capsys, folder):
    """The column that the groups are in is no data."""
    (folder / "x.csv").write_text("cat,dog,split\n2,1,val\n0,3,train\n1,1,val\n")
    found = by(capsys, "--by", "split", command=["cross-entropy", "-i", "x.csv", "-t", "0,1,1"])
    one, two, three = (math.log1p(math.exp(-gap)) for gap in (1, 3, 0))
    assert found["groups"][0]["mean"] == pytest.approx(two, rel=1e-14)
    assert found["groups"][1]["mean"] == pytest.approx((one + three) / 2, rel=1e-14)
    assert found["mean_of_means"] == pytest.approx(((one + three) / 2 + two) / 2, rel=1e-14)


@pytest.mark.parametrize("size", [1, 1 << 17])
def test_rows_of_several_losses(capsys, monkeypatch, size):
    """A group has the losses of all elements of its rows."""
    monkeypatch.setattr(block, "BLOCK", size)
    command = ["l1", "-i", "[[1,2],[3,4],[5,7]]", "-t", "[[0,0],[0,0],[0,0]]", "--by", "1,2,1"]
    assert by(capsys, command=command)["groups"] == [
        {"group": 1, **summary(4, 3.75, 15.0, 15 / 22)},
        {"group": 2, **summary(2, 3.5, 7.0, 7 / 22)},
    ]
    scores = "[[[2,0],[0,0]],[[0,0],[0,1]]]"
    command = ["cross-entropy", "-i", scores, "-t", "[[0,0],[1,1]]", "--by", "7,8", "-q"]
    a, b, c = (math.log1p(math.exp(-gap)) for gap in (2, 0, 1))
    found = means(by(capsys, command=command))
    assert found == {7: (2, pytest.approx((a + b) / 2)), 8: (2, pytest.approx((b + c) / 2))}


def test_ignored_rows_and_weights(capsys):
    """A group of ignored rows has no mean; a mean with weights divides by those of the group."""
    scores = "[[1,2],[3,4],[5,7],[0,0]]"
    command = ["cross-entropy", "-i", scores, "-t", "[0,-100,1,0]", "--by", "[1,2,1,3]"]
    a, b, c = math.log1p(math.e), math.log1p(math.exp(-2)), math.log(2)
    found = by(capsys, command=command)
    assert means(found) == {1: (2, pytest.approx((a + b) / 2)), 2: (0, None), 3: (1, pytest.approx(c))}
    assert found["mean_of_means"] == pytest.approx(((a + b) / 2 + c) / 2)
    found = by(capsys, "--weight", "1,5", command=command)
    assert means(found)[1] == (2, pytest.approx((a + 5 * b) / 6))
    assert found["whole"]["mean"] == pytest.approx((a + 5 * b + c) / 7)
    found = by(capsys, "--sample-weight", "1,9,3,2", command=command)
    assert means(found)[1] == (2, pytest.approx((a + 3 * b) / 4))
    assert found["whole"]["sum"] == pytest.approx(a + 3 * b + 2 * c)


@pytest.mark.parametrize("options", [["--where", "p<1"], ["--where", "split=val", "--na", "drop"]])
def test_groups_of_rows_that_are_picked(capsys, options):
    """Groups without rows that are picked are not there; counts are those of the rows that are."""
    found = means(by(capsys, "--by", "split", *options))
    assert found == ({"train": (2, 0.25), "val": (1, 0.5)} if len(options) == 2 else {"val": (2, 0.75)})


def test_no_rows(capsys):
    """An empty result, with the warning of the condition."""
    assert cli.run([*BASIC, "--by", "split", "--where", "n=3", "-f", "json"]) == 0
    output, error = capsys.readouterr()
    assert json.loads(output)["groups"] == []
    assert json.loads(output)["mean_of_means"] is None
    assert "warning: no row meets n = 3\n  hint: in the first rows, n is 10, 9, 010, ''\n" in error


def test_rows_without_a_number(capsys, folder):
    """They are left out of their group, and counted."""
    (folder / "a.csv").write_text(TABLE.replace(".25,", ","))
    assert cli.run([*BASIC, "--by", "split", "--na", "drop", "-f", "json"]) == 0
    output, error = capsys.readouterr()
    assert means(json.loads(output)) == {"train": (1, 0.25), "val": (2, 0.75)}
    assert error == "losscalc: warning: left out 1 row with a missing number\n"


def test_not_finite(capsys):
    """NaN and infinities stay in their group, and are null in JSON."""
    assert (
        cli.run(["l1", "-i", "[1,2,null]", "-t", "0,0,0", "--na", "nan", "--by", "1,2,1", "-q", "-f", "json"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["groups"] == [
        {"group": 1, **summary(2, None, None, None)},
        {"group": 2, **summary(1, 2.0, 2.0, None)},
    ]


@pytest.mark.parametrize(
    ("options", "code", "message", "hint"),
    [
        (["--by", "splt"], 3, "--by: there is no such column, found 'splt'", "did you mean --by split?"),
        (["--by", "b.csv#x"], 3, "b.csv: no such file or directory", None),
        (["--by", "1,2"], 4, "--by has 2 rows and --input has 4; they must have the same number", None),
        (["--by", "5"], 4, "--by has 1 row and --input has 4; they must have the same number", None),
        (
            ["--by", "[[1,2],[3,4],[5,6],[7,8]]"],
            4,
            "--by has shape (4, 2), and is one group per row, (N,)",
            "take one column of a file as FILE#NAME or FILE#2",
        ),
        (
            ["--by", "split", "-r", "none"],
            2,
            "--by reduces the losses of each group",
            "leave --reduction none out",
        ),
        (
            ["--by", "split", "--worst", "3"],
            2,
            "--by and --worst do not go together",
            "look at one group alone: --where 'COLUMN = VALUE'",
        ),
        (
            ["--by", "split", "--expect", "3", "-r", "none"],
            2,
            "--by reduces the losses of each group",
            "leave --reduction none out",
        ),
        (
            ["--by", "split", "--gradient"],
            2,
            "--gradient and --by do not go together",
            "look at one group alone: --where 'COLUMN = VALUE'",
        ),
        (
            ["--by", "split", "--explain"],
            2,
            "--explain and --by do not go together",
            "look at one group alone: --where 'COLUMN = VALUE'",
        ),
        (
            ["--by", "split", "--dask", "tcp://nowhere:1"],
            2,
            "--by and --dask do not go together",
            "it looks at arrays in memory: leave one of them out",
        ),
    ],
)
def test_refusals(capsys, options, code, message, hint):
    """Each with what to type instead."""
    if "b.csv" in message:
        hint = "an array is a file, - for standard input, numbers as in 1,0,1, or a JSON list"
    refuse(capsys, [*BASIC, *options], message, hint, code=code)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["g", "g.csv#g"])
def test_ids_are_no_groups(capsys, folder, way):
    """Each row of its own group would take a kilobyte: refused, unless --max-size lets it pass."""
    (folder / "g.csv").write_text("g,x,y\n" + "".join(f"k{i},{i},1\n" for i in range(100_001)))
    command = ["mse", "-i", "g.csv#x", "-t", "g.csv#y", "--by", way]
    hint = "if that is intended, raise the limit, as in --max-size 8G"
    refuse(capsys, command, "g.csv: the groups are more than 100,000", hint, code=3)

    assert cli.run([*command, "--max-size", "8G"]) == 0
    assert capsys.readouterr().out.count("\n") == 100_004


@pytest.mark.slow
def test_a_hundred_thousand_groups(capsys, folder):
    """Each with the bits of its own rows."""
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, 200_000))
    groups = rng.integers(0, 100_000, len(x))
    np.savez("g.npz", x=x, y=y, g=groups)
    found = by(capsys, "--by", "g.npz#g", command=["mse", "-i", "g.npz#x", "-t", "g.npz#y"])
    order = np.argsort(groups, kind="stable")
    names, starts = np.unique(groups[order], return_index=True)
    losses = np.split(((x - y) ** 2)[order], starts[1:])
    assert [each["group"] for each in found["groups"]] == names.tolist()
    assert [each["sum"] for each in found["groups"]] == [math.fsum(own) for own in losses]


def test_a_group_that_is_a_number(capsys, tmp_path, monkeypatch):
    """In JSON, whole or not: (1 + 4) / 2 of 0.5, and 0 of 0."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.csv").write_text("p,y,g\n1,2,0.5\n2,2,0\n3,5,0.5\n", "utf-8")
    assert cli.run(["mse", "-i", "g.csv#p", "-t", "g.csv#y", "--by", "g", "-f", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["group"], row["mean"]) for row in rows[:2]] == [(0, 0.0), (0.5, 2.5)]
