"""Several files as one array: the same bits, and errors that name the file they are in."""

import gzip
import json
import resource
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli, compute
from losscalc.engine import block as engine_block
from tests.support.hostile import accept, refuse

ROWS = [70, 1, 120, 99, 50]
"""The lengths of the files."""
BORDERS = np.cumsum([0, *ROWS])


@pytest.fixture(autouse=True)
def arrays(tmp_path, monkeypatch):
    """Logits and labels, in files of each format, a few rows a file."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(BORDERS[-1], 4)), rng.integers(0, 4, BORDERS[-1])
    for number, (first, last) in enumerate(pairwise(BORDERS)):
        save(number, x[first:last], y[first:last])
    return x, y


def save(number, x, y):
    """One pair of files, in each format."""
    np.save(f"x-{number}.npy", x)
    np.save(f"y-{number}.npy", y)
    np.savez(f"xy-{number}.npz", x=x, y=y)
    np.savetxt(f"x-{number}.csv", x, delimiter=",", fmt="%.17g")
    np.savetxt(f"y-{number}.csv", y, fmt="%d", header="label", comments="")
    with gzip.open(f"x-{number}.csv.gz", "wt") as file:
        np.savetxt(file, x, delimiter=",", fmt="%.17g")
    with open(f"x-{number}.jsonl", "w") as file:
        file.write("".join(f"{row}\n" for row in x.tolist()))


@pytest.mark.parametrize("block", [64, 131_072])
@pytest.mark.parametrize(
    "scores", ["x-*.npy", "xy-?.npz#x", "x-[0-4].csv", "x-*.csv.gz", "x-*.jsonl", "x-*.csv#1-4"]
)
@pytest.mark.parametrize("labels", ["y-*.npy", "xy-*.npz#y", "y-*.csv#label"])
def test_files_give_the_bits_of_one_array(arrays, monkeypatch, capsys, block, scores, labels):
    """Whatever the formats, and wherever blocks begin."""
    expected = compute("cross-entropy", *arrays)
    monkeypatch.setattr(engine_block, "BLOCK", block)
    assert accept(capsys, ["cross-entropy", "-i", scores, "-t", labels]) == f"{float(expected)!r}\n"


def test_a_pattern_beside_one_file(arrays, capsys):
    """One array, in one file."""
    x, y = arrays
    np.save("all.npy", y)
    expected = f"{float(compute('cross-entropy', x, y))!r}\n"
    assert accept(capsys, ["cross-entropy", "-i", "x-*.npy", "-t", "all.npy"]) == expected
    np.save("all.npy", y[:-1])
    assert cli.run(["cross-entropy", "-i", "x-*.npy", "-t", "all.npy"]) == 4
    message = "all.npy: --target has shape (339,); for --input of shape (340, 4) it must have (340,)"
    assert message in capsys.readouterr().err
    np.savetxt("all.csv", y[:-1], fmt="%d")
    message = "all.csv: --target has 339 rows and --input has 340; they must have the same number"
    refuse(capsys, ["cross-entropy", "-i", "x-*.csv", "-t", "all.csv"], message, code=4)


def test_whole_arrays(arrays, capsys):
    """What is not cut into blocks may be in several files too, and so may what is looked at as a whole."""
    x, y = arrays
    weight = np.arange(1.0, 5.0)
    np.save("w-1.npy", weight[:3])
    np.save("w-2.npy", weight[3:])
    expected = f"{float(compute('cross-entropy', x, y, weight))!r}\n"
    command = ["cross-entropy", "-i", "x-*.npy", "-t", "y-*.csv"]
    assert accept(capsys, [*command, "--weight", "w-*.npy"]) == expected
    assert accept(capsys, [*command, "--stats"]).startswith("\t")
    assert accept(capsys, ["class-weight", "-t", "y-*.npy"]) == accept(
        capsys, ["class-weight", "-t", "y-*.csv"]
    )


def test_order_and_names(capsys):
    """Names are sorted as text; a file of the very name wins; ** stands for folders."""
    for name, value in (("v10", 1), ("v9", 2), ("v1", 3)):
        np.save(f"{name}.npy", [float(value)])
    assert accept(capsys, ["sigmoid", "-i", "v*.npy", "--precision", "2"]) == "0.95\n0.73\n0.88\n"
    np.save("v*.npy", [0.0])
    assert accept(capsys, ["sigmoid", "-i", "v*.npy"]) == "0.5\n"
    assert accept(capsys, ["sigmoid", "-i", "**/v1?.npy", "--precision", "2"]) == "0.73\n"


@pytest.mark.parametrize(
    ("mine", "theirs", "pair"),
    [
        (("p-1", "p-2", "p-10"), ("y-01", "y-02", "y-10"), ("p-10", "y-02")),
        (("p-a", "p-b", "p-d"), ("y-a", "y-c", "y-d"), ("p-b", "y-c")),
        (("p-1", "p-2", "p-10"), ("y-1", "y-2", "y-10"), None),
        (("p-01-x7", "p-02-x7"), ("y-1", "y-2"), None),
        (("p-08h30", "p-09h45"), ("y-monday", "y-tuesday"), None),
        (("p-1",), ("y-2",), None),
    ],
)
def test_files_that_go_together_by_their_names(tmp_path, monkeypatch, capsys, mine, theirs, pair):
    """A file beside another than the one that is called like it is a warning."""
    folder = tmp_path / "names"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in mine + theirs:
        Path(name).write_text("1\n")
    assert cli.run(["mse", "-i", "p-*", "-t", "y-*"]) == 0
    said = capsys.readouterr().err
    if pair is None:
        assert said == ""
    else:
        problem = f"files go together in the order of their names as text: {pair[0]} with {pair[1]}\n"
        assert said.startswith(f"losscalc: warning: p-*: {problem}")
        assert said.count("warning") == 1


def test_no_match(capsys):
    """A pattern without files is an input that is not there, and the hint says what is."""
    hint = "there are x-0.npy, x-1.npy, x-2.npy, ..."
    refuse(capsys, ["sigmoid", "-i", "no*.npy"], "no*.npy: no file matches the pattern", hint)
    hint = "there is no folder 'my shards'"
    message = "my shards/*.npy: no file matches the pattern"
    refuse(capsys, ["sigmoid", "-i", "my shards/*.npy"], message, hint)
    hint = "put a pattern of files in quotes, so that the shell leaves it to losscalc"
    message = "arrays are given by options, found 'x-1.npy'"
    refuse(capsys, ["sigmoid", "-i", "x-0.npy", "x-1.npy"], message, hint, code=2)


def test_numbers_of_files(capsys):
    """Files of two patterns go together one by one."""
    message = "y-[0-3].npy: the pattern has 4 files, and x-*.npy has 5; each file goes with one of the other"
    refuse(capsys, ["cross-entropy", "-i", "x-*.npy", "-t", "y-[0-3].npy"], message, code=4)


@pytest.mark.parametrize("block", [64, 131_072])
@pytest.mark.parametrize("kind", ["npy", "csv"])
@pytest.mark.parametrize("number", [0, 2, 4])
@pytest.mark.parametrize("change", [-1, 1])
def test_numbers_of_rows(arrays, monkeypatch, capsys, block, kind, number, change):
    """One row too few or too many in one file names both files and both counts, whichever is the first."""
    x, y = (array[BORDERS[number] : BORDERS[number + 1]] for array in arrays)
    save(number, x, np.append(y, 0) if change > 0 else y[:-1])
    monkeypatch.setattr(engine_block, "BLOCK", block)
    has, lacks = ROWS[number], ROWS[number] + change
    for options in ([], ["-r", "none"]):
        assert cli.run(["cross-entropy", "-i", f"x-*.{kind}", "-t", f"y-*.{kind}", *options]) == 4
        output, error = capsys.readouterr()
        assert output == ""
        assert error in (
            f"losscalc: error: x-{number}.{kind}: has {has} rows, and y-{number}.{kind}, "
            f"which goes with it, {lacks}\n",
            f"losscalc: error: y-{number}.{kind}: has {lacks} rows, and x-{number}.{kind}, "
            f"which goes with it, {has}\n",
        )


def test_rows_that_balance_out(arrays, capsys):
    """Equal totals do not make up for files that do not fit."""
    _, y = arrays
    np.savetxt("y-0.csv", y[: ROWS[0] - 1], fmt="%d")
    np.savetxt("y-1.csv", y[ROWS[0] - 1 : ROWS[0] + 1], fmt="%d")
    message = "y-0.csv: has 69 rows, and x-0.csv, which goes with it, 70"
    refuse(capsys, ["cross-entropy", "-i", "x-*.csv", "-t", "y-*.csv"], message, code=4)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((9, 3)), "x-2.npy: its rows have shape (3,), those of x-0.npy (4,)"),
        (np.zeros(9), "x-2.npy: its rows have shape (), those of x-0.npy (4,)"),
        (np.zeros(()), "x-2.npy: is a single number, and files of a pattern hold rows"),
    ],
)
def test_shapes(capsys, array, message):
    """Rows of all files are alike."""
    np.save("x-2.npy", array)
    refuse(capsys, ["softmax", "-i", "x-*.npy"], message, code=4)


def test_dtypes(arrays, capsys):
    """One dtype in all files, but in any byte order."""
    expected = accept(capsys, ["cross-entropy", "-i", "x-*.npy", "-t", "y-*.npy"])
    x = arrays[0][BORDERS[2] : BORDERS[3]]
    np.save("x-2.npy", x.astype(">f8"))
    assert accept(capsys, ["cross-entropy", "-i", "x-*.npy", "-t", "y-*.npy"]) == expected
    np.save("x-2.npy", x.astype(np.float32))
    message = "x-2.npy: its numbers are float32, those of x-0.npy float64"
    refuse(capsys, ["softmax", "-i", "x-*.npy"], message, "save all files of one array with one dtype", 4)


@pytest.mark.parametrize("block", [64, 131_072])
def test_places(arrays, monkeypatch, capsys, block):
    """Of cells that are no numbers, and of values outside a domain: file, line and index."""
    monkeypatch.setattr(engine_block, "BLOCK", block)
    y = arrays[1][BORDERS[2] : BORDERS[3]].copy()
    y[100] = 9
    np.savetxt("y-2.csv", y, fmt="%d", header="label", comments="")
    np.save("y-2.npy", y)
    for kind, place in (("csv", "y-2.csv:102:1"), ("npy", "y-2.npy[100]")):
        assert cli.run(["cross-entropy", "-i", "x-*.npy", "-t", f"y-*.{kind}"]) == 4
        assert f"{place}: --target must be a class index from 0 to 3" in capsys.readouterr().err
    with open("y-3.csv", "a") as file:
        file.write("x\n")
    assert cli.run(["class-weight", "-t", "y-*.csv"]) == 3
    assert "y-3.csv:101:1: not a number, found 'x'" in capsys.readouterr().err


def test_missing_numbers(arrays, capsys):
    """Rows are left out of all arrays alike."""
    x, y = arrays
    lines = [str(label) for label in y[BORDERS[2] : BORDERS[3]]]
    lines[5] = "NA"
    with open("y-2.csv", "w") as file:
        file.write("\n".join(lines) + "\n")
    kept = np.delete(np.arange(len(y)), BORDERS[2] + 5)
    assert cli.run(["cross-entropy", "-i", "x-*.npy", "-t", "y-*.csv", "--na", "drop"]) == 0
    output, error = capsys.readouterr()
    assert output == f"{float(compute('cross-entropy', x[kept], y[kept]))!r}\n"
    assert error == "losscalc: warning: left out 1 row with a missing number\n"


COUNTS = "it counts up, and the numbers below have fractions"
SAME = "it is that of the first file of the pattern"
BOTH = [("h-0.csv:1", COUNTS), ("h-1.csv:1", SAME)]


@pytest.mark.parametrize(
    ("files", "part", "rows", "notes"),
    [
        (("0,1/.5,.5", "0,1/1.0,0.0"), "", [[0.5, 0.5], [1, 0]], BOTH),
        (("0,1,/.5,.5,", "0,1/1,0"), "", [[0.5, 0.5], [1, 0]], BOTH),
        (("0/.5", "0/1/0"), "", [0.5, 1, 0], BOTH),
        (("0,1/.5,.5", '"0","1"/1,0'), "#1", [0.5, 0], BOTH),
        # what is said once is not said of each file
        (("0,1/.5,.5", "0,1/.25,.5", "0,1/1,0", "0,1/0,1"), "#0", [0.5, 0.25, 1, 0],
         BOTH),
        # another first line is data, as fractions below it tell nothing beside a header that is known
        (("0,1/.5,.5", "0.0,1/1,0"), "", [[0.5, 0.5], [0, 1], [1, 0]], [("h-0.csv:1", COUNTS)]),
        (("cat,dog/.5,.5", "0,1/.25,.75"), "", [[0.5, 0.5], [0, 1], [0.25, 0.75]], []),
        # files without a header, as ever
        (("1,0/1,1", "0,1/1,0"), "", [[1, 0], [1, 1], [0, 1], [1, 0]], []),
        (("2,3/1,1.5", "0,1/.5,.5"), "", [[2, 3], [1, 1.5], [0.5, 0.5]], [("h-1.csv:1", COUNTS)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [64, 131_072])
def test_the_first_file_tells_what_is_a_header(
    tmp_path, monkeypatch, capsys, files, part, rows, notes, block
):
    """The very same line is one in the others, whatever the numbers below it are."""
    monkeypatch.setattr(engine_block, "BLOCK", block)
    write_headed(tmp_path, files)
    assert cli.run(["l1", "-i", f"h-*.csv{part}", "-t", json.dumps(np.zeros_like(rows).tolist())]) == 0
    output, error = capsys.readouterr()
    assert float(output) == np.mean(rows)
    said = [f"losscalc: note: {place}: the first line is taken as a header: {why}" for place, why in notes]
    assert error == "".join(f"{line}\n  hint: --header no if it holds data\n" for line in said)


def test_header_options_of_files(tmp_path, capsys):
    """What the user says of headers holds for each file."""
    write_headed(tmp_path, ("0,1/.5,.5", "0,1/1,0"))
    command = ["l1", "-r", "none", "-i", "h-*.csv", "-t"]
    both = accept(capsys, [*command, "[[0,0],[0,0]]", "--header", "yes"])
    assert both == "0.5,0.5\n1.0,0.0\n"
    rows = accept(capsys, [*command, "[[0,0],[0,0],[0,0],[0,0]]", "--header", "no"])
    assert rows == "0.0,1.0\n0.5,0.5\n0.0,1.0\n1.0,0.0\n"


def test_a_header_that_the_first_file_does_not_show(tmp_path, capsys):
    """A line that is data in the first file is no header in another without a question."""
    write_headed(tmp_path, ("0,1/1,0", "0,1/.5,.5"))
    message = "h-1.csv: the first line is taken as a header, and the same in h-0.csv as data"
    hint = "give --header yes if it names the columns, --header no if it holds data"
    refuse(capsys, ["softmax", "-i", "h-*.csv"], message, hint)


def write_headed(folder, files):
    """Files of CSV, with / for the ends of lines."""
    for number, text in enumerate(files):
        (folder / f"h-{number}.csv").write_text(text.replace("/", "\n") + "\n")


@pytest.mark.parametrize("kind", ["npy", "csv"])
def test_more_files_than_may_be_open(capsys, kind):
    """They are opened one after the other."""
    for number in range(300):
        np.savetxt(f"v-{number:03}.csv", [number]) if kind == "csv" else np.save(f"v-{number:03}", [number])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        assert accept(capsys, ["l1", "-i", f"v-*.{kind}", "-t", f"v-*.{kind}", "-r", "sum"]) == "0.0\n"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
