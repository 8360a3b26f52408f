"""Columns of several tables that show rows out of order, though they are not called like ids.

The losses are worked out by hand: |p - y| of rows that belong together is .1, .2 and .3.
"""

from pathlib import Path

import numpy as np
import pytest

from losscalc.inputs.witness import Witness
from tests.support.hostile import accept, refuse

BASIC = ["l1", "-i", "p.csv#p", "-t", "y.csv#y", "-r", "sum"]
P, Y = (".9", ".2", ".7"), ("1", "0", "1")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)


def write(column: str, mine: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    """The two tables, each with a column of that name."""
    for name, cells, values in (("p", mine, P), ("y", theirs, Y)):
        rows = [f"{column},{name}", *map(",".join, zip(cells, values, strict=True))]
        Path(f"{name}.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("column", "mine", "theirs", "problem"),
    [
        ("file", ("a.jpg", "b.jpg", "c.jpg"), ("b.jpg", "c.jpg", "a.jpg"), "file is 'b.jpg', and 'a.jpg'"),
        ("", ("2", "0", "1"), ("0", "1", "2"), "the id is 0, and 2"),
        ("date", ("2024-01-01", "2024-01-02", "2024-01-03"), ("2024-01-02", "2024-01-03", "2024-01-04"),
         "date is '2024-01-02', and '2024-01-01'"),
        ("Nr", ("7", "9", "8"), ("9", "8", "5"), "Nr is 9, and 7"),
        ("depth", ("0.25", "0.5", "0.75"), ("0.5", "0.25", "0.75"), "depth is 0.5, and 0.25"),
    ],
)  # fmt: skip
def test_rows_out_of_order(capsys, column, mine, theirs, problem):
    """What one table has beside other rows is an error; by the column, or as they stand, it is none."""
    write(column, mine, theirs)
    name = column or "''"
    ways = f"--key {name} joins the rows by it, --no-key takes them as they stand"
    refuse(capsys, BASIC, f"y.csv:2:1: {problem} in p.csv:2:1, whose row goes with it", ways)
    assert float(accept(capsys, [*BASIC, "--no-key"])) == pytest.approx(0.6)
    if sorted(mine) == sorted(theirs):
        assert float(accept(capsys, [*BASIC, "--key", column])) > 0


@pytest.mark.parametrize(
    ("column", "mine", "theirs"),
    [
        ("file", ("a", "b", "c"), ("a", "b", "c")),
        ("predicted", ("cat", "dog", "cat"), ("dog", "cat", "cat")),
        ("score", ("0.25", "0.5", "0.75"), ("0.5", "0.25", "0.125")),
        ("epoch", ("1", "1", "1"), ("2", "2", "2")),
        ("", ("0", "1", "2"), ("17", "2", "31")),
        ("text", ("A cat", "A dog", "A fox"), ("a cat", "a dog", "a fox")),
    ],
)
def test_columns_that_are_others(capsys, column, mine, theirs):
    """Another model's score may be called alike, and a new index counts the rows."""
    write(column, mine, theirs)
    assert float(accept(capsys, BASIC)) == pytest.approx(0.6)


def test_the_array_itself_tells_nothing(capsys):
    """A column that one array of the call is read from is not held against that of another table."""
    Path("p.csv").write_text("p,y\n.9,0\n.2,1\n.7,1\n")
    Path("y.csv").write_text("y\n1\n0\n1\n")
    assert float(accept(capsys, BASIC)) == pytest.approx(0.6)


def test_columns_in_common_are_no_data(capsys):
    """A column of the same name in both tables, beside others, is not computed with unless it is named."""
    Path("p.csv").write_text("day,p\n20240101,.9\n20240102,.2\n")
    Path("y.csv").write_text("day,y\n20240101,1\n20240102,0\n")
    problem = "p.csv: both tables have day, beside p here and y in y.csv, and may not be data"
    whole = ["l1", "-i", "p.csv", "-t", "y.csv"]
    refuse(capsys, whole, problem, "name the columns of the arrays: #p and #y")
    assert float(accept(capsys, BASIC)) == pytest.approx(0.3)
    assert float(accept(capsys, ["l1", "-i", "p.csv#1-2", "-t", "y.csv#1-2"])) == pytest.approx(0.075)


def seen(left: np.ndarray, right: np.ndarray, step: int) -> bool:
    """Whether two columns, seen so many rows at a time, are out of order."""
    witness = Witness()
    for start in range(0, len(left), step):
        witness.see(left[start : start + step], right[start : start + step])
    return witness.is_out_of_order


@pytest.mark.parametrize("step", [7, 1000])
def test_many_rows(step):
    """Permutations are found whatever is seen at once; two columns of chance are none."""
    draw = np.random.default_rng(0)
    day = draw.integers(0, 50, 1000).astype(float)
    assert seen(day, draw.permutation(day), step)
    assert not seen(day, draw.integers(0, 50, 1000).astype(float), step)
    keys = draw.permutation(10_000)[:1000].astype(float)
    assert seen(keys, np.roll(keys, 1), step)
    assert seen(keys, np.append(keys[1:], 10_001.0), step)
    assert not seen(keys, np.arange(1000.0), step)
    names = np.array([b"%d.png" % key for key in keys.astype(int).tolist()])
    assert seen(names, np.append(names[1:], b"x.png"), step)
    assert not seen(names, names, step)
