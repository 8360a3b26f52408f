"""Weights of classes and of rows on the command line: which column means what.

The numbers are those of scikit-learn 1.9.1, log_loss(y, softmax(x), sample_weight=w).
"""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli

ROWS = [([2.0, 1.0, 0.0], 0, 1.0), ([0.0, 3.0, 1.0], 1, 0.5), ([1.0, 0.0, 2.0], 0, 3.0)]
"""As many rows as classes, so that the shapes do not tell the weights apart."""
BY_ROW, BY_CLASS = 1.0478548594568142, 0.7600539754667615
"""The loss with the last column as factors of rows; the same numbers as weights of classes."""


def write(path: str) -> None:
    """The rows, in the format of a suffix: logits a, b and c (or x), the class y and the factor w."""
    records = [{"x": x, "y": y, "w": w} for x, y, w in ROWS]
    table = [[*x, y, w] for x, y, w in ROWS]
    arrays = {name: np.array([row[name] for row in records]) for name in "xyw"}
    kind = path.partition(".")[2]
    if kind in ("csv", "tsv", "txt"):
        mark = {"csv": ",", "tsv": "\t", "txt": " "}[kind]
        lines = [list("abcyw"), *table]
        Path(path).write_text("".join(mark.join(map(str, line)) + "\n" for line in lines))
    elif kind == "json":
        Path(path).write_text(json.dumps(records))
    elif kind == "pages.json":
        Path(path).write_text(json.dumps({"rows": records}))
    elif kind == "table.json":
        Path(path).write_text(json.dumps(table))
    elif kind == "columns.json":
        Path(path).write_text(json.dumps({name: array.tolist() for name, array in arrays.items()}))
    elif kind == "jsonl":
        Path(path).write_text("".join(json.dumps(record) + "\n" for record in records))
    elif kind == "npy":
        np.save(path, np.array(table))
    elif kind == "fields.npy":
        fields = np.zeros(3, [("x", "f8", 3), ("y", "i8"), ("w", "f8")])
        for name, array in arrays.items():
            fields[name] = array
        np.save(path, fields)
    else:
        np.savez(path, **arrays)


def command(path: str, parts: tuple[str, str, str], option: str) -> list[str]:
    """Cross-entropy of three parts of a file."""
    x, y, w = (path + part for part in parts)
    return ["cross-entropy", "-i", x, "-t", y, option, w]


TABLES = [
    ("t.csv", ("#a-c", "#y", "#w")),
    ("t.csv", ("#1-3", "#4", "#5")),
    ("t.tsv", ("#a-c", "#y", "#w")),
    ("t.txt", ("#a-c", "#y", "#w")),
    ("t.json", ("#x", "#y", "#w")),
    ("t.json", ("#/*/x", "#y", "#/*/w")),
    ("t.pages.json", ("#/rows/*/x", "#/rows/*/y", "#/rows/*/w")),
    ("t.jsonl", ("#x", "#y", "#w")),
    ("t.jsonl", ("#/x", "#/y", "#/w")),
    ("t.npy", ("#1-3", "#4", "#5")),
    ("t.fields.npy", ("#x", "#y", "#w")),
]
ARCHIVES = [
    ("t.npz", ("#x", "#y", "#w")),
    ("t.columns.json", ("#x", "#y", "#w")),
    ("t.columns.json", ("#/x", "#/y", "#/w")),
]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """The exit code, and what was printed; the files are in the current folder."""
    monkeypatch.chdir(tmp_path)
    for path in {path for path, _ in TABLES + ARCHIVES}:
        write(path)

    def of(words):
        capsys.readouterr()
        code = cli.run(words)
        return code, *capsys.readouterr()

    return of


@pytest.mark.parametrize(("path", "parts"), TABLES)
def test_a_column_of_the_rows_is_no_weight_of_classes(run, path, parts):
    """Refused though there are as many rows as classes; the hint, typed as it stands, is what was meant."""
    code, out, err = run(command(path, parts, "--weight"))
    assert (code, out) == (3, "")
    assert (
        f"{path}{parts[2]}: --weight is one number per class, but this column of the table of --input" in err
    )

    hint = err.partition("--sample-weight ")[2].strip()
    assert shlex.split(hint) == [path + parts[2]]
    code, out, err = run([*command(path, parts, "--weight")[:5], "--sample-weight", *shlex.split(hint)])
    assert (code, err) == (0, "")
    assert float(out) == pytest.approx(BY_ROW, rel=1e-14)


@pytest.mark.parametrize(("path", "parts"), ARCHIVES)
def test_arrays_side_by_side_are_no_columns(run, path, parts):
    """A file that holds arrays by name may hold one per class; which of the two it is, the option says."""
    for option, expected in (("--weight", BY_CLASS), ("--sample-weight", BY_ROW)):
        code, out, err = run(command(path, parts, option))
        assert (code, err) == (0, "")
        assert float(out) == pytest.approx(expected, rel=1e-14)


def test_the_table_of_the_target_is_the_rows_too(run):
    """Under whatever name; and a pattern of files is a table of many rows."""
    words = ["cross-entropy", "-i", "t.csv#a-c", "-t", "t.tsv#y", "--weight", "./t.tsv#w"]
    code, _, err = run(words)
    assert code == 3
    assert "table of --target is one per row" in err
    code, _, err = run(["cross-entropy", "-i", "*.csv#a-c", "-t", "*.csv#y", "--weight", "*.csv#w"])
    assert code == 3
    assert err.endswith("--sample-weight '*.csv#w'\n")


def test_weights_of_classes_beside_the_rows(run):
    """A table of classes in the same document, and a column of another file, are what they are said to be."""
    records = [{"x": x, "y": y} for x, y, _ in ROWS]
    classes = [{"name": name, "w": w} for name, (_, _, w) in zip("abc", ROWS, strict=True)]
    Path("d.json").write_text(json.dumps({"rows": records, "classes": classes}))
    parts = ("#/rows/*/x", "#/rows/*/y", "#/classes/*/w")
    code, out, _ = run(command("d.json", parts, "--weight"))
    assert (code, float(out)) == (0, pytest.approx(BY_CLASS, rel=1e-14))
    words = ["cross-entropy", "-i", "t.csv#a-c", "-t", "t.csv#y", "--weight", "t.tsv#w"]
    code, out, _ = run(words)
    assert (code, float(out)) == (0, pytest.approx(BY_CLASS, rel=1e-14))


def test_a_weight_a_row_that_fits_no_classes_is_named(run):
    """From a file of its own it may be either; where it fits the rows only, the hint says so."""
    Path("w.csv").write_text("w\n1\n2\n")
    words = ["cross-entropy", "-i", "[[2,1,0],[0,3,1]]", "-t", "[0,1]", "--weight", "w.csv"]
    code, _, err = run(words)
    assert code == 4
    assert err.endswith("hint: for one factor per row use --sample-weight\n")
    assert run([*words[:5], "--sample-weight", "w.csv"])[0] == 0


def test_a_header_too_many_is_doubted(run):
    """Where the factors are one more than the rows, the error says which file may have a header."""
    Path("w.csv").write_text("0\n1\n2\n3\n")
    words = ["cross-entropy", "-i", "t.csv#a-c", "-t", "t.csv#y", "--sample-weight", "w.csv"]
    code, _, err = run(words)
    assert code == 4
    assert "--sample-weight has shape (4,); for --input of shape (3, 3) it must be (3,)" in err
    assert "--header yes" in err


def test_the_working(run):
    """The formula times the factor, and the factors in the denominator."""
    words = ["cross-entropy", "-i", "[[2,1,0],[0,3,1]]", "-t", "[0,1]", "--sample-weight", "[1,0.5]"]
    code, out, _ = run([*words, "--weight", "1,2,4", "--explain"])
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "cross-entropy: v·(-w[y]·ln(exp(x[y]) / Σ exp(x))); v sample_weight"
    assert lines[2].startswith(
        "[1] 0.5000·(-2·ln(exp(3) / (exp(0) + exp(3) + exp(1)))) = 0.1698   (Σ exp(x) ="
    )
    assert lines[-1] == "mean 0.5775 / 2 = 0.2887"


def test_rows_without_a_factor_are_dropped(run):
    """Out of every array, as rows without any other number are."""
    Path("w.csv").write_text("w\n1\nNA\n3\n")
    words = ["cross-entropy", "-i", "t.csv#a-c", "-t", "t.csv#y", "--sample-weight", "w.csv", "--na", "drop"]
    code, out, err = run([*words, "-f", "json"])
    assert code == 0
    assert "left out 1 row" in err
    assert json.loads(out)["denominator"] == 4


BY_NAME = 0.22928600577830938
"""torch 2.13.0: CrossEntropyLoss(weight=[1, 2, 3]) of logits 2, 1, 0 and 0, 1, 3, and classes 0 and 2."""
NOTE = "losscalc: note: {}: weights are put in the order of the classes by the column {}\n"
LOGITS = ["-i", "[[2,1,0],[0,1,3]]", "-t", "0,2"]


@pytest.mark.parametrize(
    ("file", "text", "part", "column"),
    [
        ("w.csv", "class,w\n2,3\n0,1\n1,2\n", "#w", "class"),
        ("w.csv", "w,class_id\n3,2\n1,0\n2,1\n", "#1", "class_id"),
        # The index that pandas writes counts the rows, and an unnamed number says nothing
        ("w.csv", ",rank,label,w\n0,1,2,3\n1,2,0,1\n2,0,1,2\n", "#w", "label"),
        ("w.jsonl", '{"w":3,"class":2}\n{"w":1,"class":0}\n{"w":2,"class":1}\n', "#w", "class"),
        ("w.json", '{"c":[{"w":3,"label":2},{"w":1,"label":0},{"w":2,"label":1}]}', "#/c/*/w", "label"),
    ],
)
def test_weights_are_in_the_order_of_the_classes(run, file, text, part, column):
    """A column beside them says which class each is of; in a pipe as well."""
    Path(file).write_text(text)
    code, out, err = run(["cross-entropy", *LOGITS, "--weight", file + part])
    assert (code, float(out)) == (0, pytest.approx(BY_NAME, rel=1e-15))
    assert err == NOTE.format(file if part != "#/c/*/w" else file + part, column)


@pytest.mark.parametrize("names", ["a,b,c", "p_a,p_b,p_c"])
def test_weights_are_in_the_order_of_names(run, names):
    """Those of the columns of the input, or of the option; the number of the table tells less."""
    Path("x.csv").write_text(f"{names}\n2,1,0\n0,1,3\n")
    Path("w.csv").write_text("label,w,name\n0,3,c\n1,1,a\n2,2,b\n")
    code, out, err = run(["cross-entropy", "-i", "x.csv", "-t", "0,2", "--weight", "w.csv#w"])
    assert (code, float(out), err) == (0, pytest.approx(BY_NAME, rel=1e-15), NOTE.format("w.csv", "name"))
    code, out, _ = run(["cross-entropy", *LOGITS, "--class-names", names, "--weight", "w.csv#w"])
    assert (code, float(out)) == (0, pytest.approx(BY_NAME, rel=1e-15))


def test_factors_of_columns_are_in_their_order(run):
    """By hand: of logits 0 each loss is ln 2, times 1 where the label is 1, in column a."""
    Path("x.csv").write_text("a,b\n0,0\n")
    Path("w.csv").write_text("column,w\nb,5\na,1\n")
    words = ["bce-logits", "-i", "x.csv", "-t", "[[1,0]]", "--pos-weight", "w.csv#w"]
    code, out, err = run(words)
    assert (code, float(out), err) == (0, pytest.approx(0.6931471805599453), NOTE.format("w.csv", "column"))


def test_weights_in_order_are_left_alone(run):
    """So are those beside a column that does not name each class once; a wrong one is where it stands."""
    for column in ("class\n0\n1\n2", "class\n2\n0\n0", "rank\n2\n0\n1", "name\nc\na\nb"):
        lines = zip(column.split("\n"), ["w", "1", "2", "3"], strict=True)
        Path("w.csv").write_text("".join(f"{one},{other}\n" for one, other in lines))
        code, out, err = run(["cross-entropy", *LOGITS, "--weight", "w.csv#w"])
        assert (code, float(out), err) == (0, pytest.approx(BY_NAME, rel=1e-15), "")
    Path("w.csv").write_text("class,w\n2,3\n0,-1\n1,2\n")
    code, _, err = run(["cross-entropy", *LOGITS, "--weight", "w.csv#w"])
    assert (code, err) == (4, "losscalc: error: w.csv:3:2: --weight must be at least 0, found -1.0\n")
