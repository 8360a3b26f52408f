"""The command line: what it prints, where it writes, and how commands work together."""

import io
import json
import os
import stat
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.core.operation import pytorch_names
from losscalc.core.registry import operations

LOGITS = "0.2070,0.8432,0.2494\n0.5782,0.4587,0.1135\n0.9794,0.8516,0.4418\n"
LABELS = "1,0,0\n0,1,0\n0,0,0\n"
X = np.loadtxt(io.StringIO(LOGITS), delimiter=",")
Y = np.loadtxt(io.StringIO(LABELS), delimiter=",")
BASIC = ["bce-logits", "-i", "a.csv", "-t", "t.csv"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The example's files, in the current directory."""
    (tmp_path / "a.csv").write_text(LOGITS)
    (tmp_path / "t.csv").write_text(LABELS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(capfdbinary, monkeypatch):
    """Run a command in this process, with bytes for its standard input, and give what it printed."""

    def run(*arguments: str, stdin: bytes | None = None) -> bytes:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin), isatty=lambda: False))
        code = cli.run(arguments)
        out, err = capfdbinary.readouterr()
        assert (code, err) == (0, b""), err.decode()
        return out

    return run


def test_a_pipe_gets_one_number(call):
    """And nothing else: all its digits, and a line end."""
    assert call(*BASIC) == b"0.9255584322487918\n"
    assert float(call(*BASIC, "--reduction", "sum")) == losscalc.compute("bce-logits", X, Y, reduction="sum")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("[[0,1],[2,3]]", b"0.0,1.0\n2.0,3.0\n"),
        ("[0,1]", b"0.0\n1.0\n"),
        ("3", b"3.0\n"),
        ("[[[0],[1]]]", b"[[[0.0], [1.0]]]\n"),
        ("[0,NaN,Infinity]", b"0.0\nnan\ninf\n"),
    ],
)
def test_plain_numbers_by_rank(call, values, expected):
    """A vector down, a matrix with commas, and nested lists beyond two axes."""
    zeros = json.dumps(np.zeros_like(json.loads(values)).tolist())
    assert call("l1", "-i", values, "-t", zeros, "-r", "none", "-q") == expected


SHAPES = [(), (1,), (5,), (1, 1), (4, 3), (2, 3, 4), (2, 1, 2, 3)]
FORMS = {"plain": 4, "csv": 2, "tsv": 2, "json": 4, "jsonl": 4, "npy": 4}


@pytest.mark.parametrize(
    ("form", "shape"),
    [(form, shape) for form, most in FORMS.items() for shape in SHAPES if len(shape) <= most],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_one_command_prints_the_next_can_read(call, tmp_path, shape, form, dtype):
    """To the last digit, in every format that has room for it."""
    values = np.random.default_rng(0).normal(size=shape).astype(dtype)
    np.save(tmp_path / "x.npy", values)
    printed = call("sigmoid", "-i", "x.npy", "-f", form)
    # A lone JSON line is an object, as JSON itself is; no other format needs to be named.
    named = ["--from", form] if form in ("tsv", "jsonl") and shape else []
    again = call("sigmoid", "-i", "-", "-f", "npy", "--dtype", dtype, *named, stdin=printed)

    expected = losscalc.compute("sigmoid", losscalc.compute("sigmoid", values))
    actual = np.load(io.BytesIO(again))
    # Text has rows and columns only: a number is a row, and one column is a vector.
    np.testing.assert_array_equal(actual.ravel(), np.ravel(expected))
    assert form in ("plain", "csv", "tsv") or actual.shape == np.shape(expected)


def test_pipelines_equal_the_loss_in_one_step(call):
    """sigmoid | bce is bce-logits, and log-softmax | nll is cross-entropy."""
    probabilities = call("sigmoid", "-i", "a.csv")
    two_steps = float(call("bce", "-i", "-", "-t", "t.csv", stdin=probabilities))
    assert two_steps == pytest.approx(float(call(*BASIC)), rel=1e-15)

    log_probabilities = call("log-softmax", "-i", "a.csv")
    two_steps = float(call("nll", "-i", "-", "-t", "0,1,2", stdin=log_probabilities))
    assert two_steps == pytest.approx(float(call("cross-entropy", "-i", "a.csv", "-t", "0,1,2")), rel=1e-15)


def test_json_is_strict_and_complete(call):
    """The keys of the contract, in their order; what is not finite is null and counted."""
    facts = json.loads(call(*BASIC, "-f", "json"))
    assert list(facts) == [
        "loss", "reduction", "value", "numerator", "denominator", "count", "ignored", "nonfinite",
        "dtype", "parameters", "version", "sums",
    ]  # fmt: skip
    assert facts["value"] == facts["numerator"] / facts["denominator"]
    assert (facts["denominator"], facts["count"], facts["ignored"], facts["dtype"]) == (9, 9, 0, "float64")

    text = call("l1", "-i", "[1,NaN,Infinity]", "-t", "0,0,0", "-r", "none", "-q", "-f", "json")
    facts = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert (facts["value"], facts["nonfinite"], facts["numerator"]) == ([1.0, None, None], 2, None)


def test_json_names_parameters_and_ignored_rows(call):
    """As they were, defaults included."""
    options = ["-t", "[0,-100]", "--weight", "1,2", "--label-smoothing", "0.1", "-f", "json"]
    facts = json.loads(call("cross-entropy", "-i", "[[1,2],[3,4]]", *options))

    expected = {"class_axis": None, "shift": False, "ignore_index": -100, "label_smoothing": 0.1}
    assert facts["parameters"] == expected
    assert (facts["count"], facts["ignored"], facts["denominator"]) == (1, 1, 1.0)


def test_markdown(call):
    """A table of a scalar, and one of an array."""
    assert call(*BASIC, "-f", "markdown") == (
        b"|  | bce-logits |\n| --- | ---: |\n| reduction | mean |\n| value | 0.9256 |\n"
        b"| numerator | 8.3300 |\n| denominator | 9 |\n| count | 9 |\n"
    )
    assert call("sigmoid", "-i", "0,2", "-f", "markdown") == (
        b"|  | 0 |\n| ---: | ---: |\n| 0 | 0.5000 |\n| 1 | 0.8808 |\n"
    )


def test_precision_sets_decimals_everywhere(call):
    """And is scientific where so many decimals would lose the number."""
    assert call(*BASIC, "--precision", "2") == b"0.93\n"
    assert json.loads(call(*BASIC, "--precision", "2", "-f", "json"))["value"] == 0.93
    assert call("sigmoid", "-i", "-40", "--precision", "3") == b"4.248e-18\n"


def test_float32_prints_the_digits_of_float32(call, tmp_path):
    """0.1, not 0.10000000149011612."""
    np.save(tmp_path / "x.npy", np.array([0.1], np.float32))
    np.save(tmp_path / "y.npy", np.array([0.0], np.float32))

    assert call("l1", "-i", "x.npy", "-t", "y.npy") == b"0.1\n"
    assert call("l1", "-i", "x.npy", "-t", "y.npy", "--dtype", "float64") == b"0.10000000149011612\n"


@pytest.mark.parametrize(
    "suffix", ["csv", "tsv", "txt", "json", "jsonl", "npy", "csv.gz", "json.bz2", "npy.xz"]
)
def test_output_files_by_suffix(call, tmp_path, suffix):
    """-o picks the format and the compression, prints nothing, and the file reads back."""
    assert call(*BASIC, "-r", "none", "-o", f"out.{suffix}") == b""
    back = call("l1", "-i", f"out.{suffix}", "-t", "[[0,0,0],[0,0,0],[0,0,0]]", "-r", "none", "-f", "npy")

    np.testing.assert_array_equal(
        np.load(io.BytesIO(back)), losscalc.compute("bce-logits", X, Y, reduction="none")
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", f"out.{suffix}", "t.csv"]


def test_an_output_file_is_replaced_as_a_whole(call, tmp_path):
    """Its permissions and a link to it stay; a new file gets the usual permissions."""
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "real.csv").chmod(0o640)
    (tmp_path / "link.csv").symlink_to("real.csv")
    call(*BASIC, "-o", "link.csv")
    call(*BASIC, "-o", "new.csv")

    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == (tmp_path / "new.csv").read_text() == "0.9255584322487918\n"
    assert stat.S_IMODE((tmp_path / "real.csv").stat().st_mode) == 0o640
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o666 & ~mask


def test_a_dash_is_standard_output(call):
    """-o - writes where no -o writes; a device is written to, not replaced."""
    assert call(*BASIC, "-o", "-") == call(*BASIC)
    assert call(*BASIC, "-o", "/dev/null", "-f", "json") == b""
    assert not os.path.isfile("/dev/null")


def test_two_columns_of_one_file(call, tmp_path):
    """By name, by number, quoted, and with other columns that hold no numbers."""
    text = 'id,"the logit",label\nx1,2.0,1\n"x, 2",-1.0,0\nx3,0.0,1\n'
    (tmp_path / "preds.csv").write_text(text)

    for columns in (("#the logit", "#label"), ("#2", "#3"), ("#2-2", "#label")):
        inputs = ["-i", "preds.csv" + columns[0], "-t", "preds.csv" + columns[1]]
        assert float(call("bce-logits", *inputs)) == pytest.approx(0.3777789597070469, rel=1e-15)


def test_missing_numbers(call, tmp_path, capfdbinary):
    """--na drop leaves a row out of every array and says so; --na nan reads NaN."""
    (tmp_path / "x.csv").write_text("a\n1\nNA\n3\n4\n")
    (tmp_path / "y.json").write_text("[1, 2, null, 5]")

    assert cli.run(["l1", "-i", "x.csv", "-t", "y.json", "--na", "drop", "-r", "none"]) == 0
    assert capfdbinary.readouterr() == (
        b"0.0\n1.0\n",
        b"losscalc: warning: left out 2 rows with a missing number\n",
    )
    assert (
        call("l1", "-i", "x.csv", "-t", "y.json", "--na", "nan", "-r", "none", "-q")
        == b"0.0\nnan\nnan\n1.0\n"
    )


def test_a_lone_number_serves_as_a_vector_of_one(call, tmp_path):
    """Where the other array is one."""
    (tmp_path / "one.csv").write_text("2\n")

    assert call("bce-logits", "-i", "one.csv", "-t", "1") == b"0.1269280110429725\n"
    assert call("cross-entropy", "-i", "[[1,2,3]]", "-t", "2") == b"0.4076059644443803\n"
    assert call("cross-entropy", "-i", "1,2,3", "-t", "2") == b"0.4076059644443803\n"


def test_an_existing_file_wins_over_a_literal(call, tmp_path):
    """Even when its name is a number, or has a # in it."""
    (tmp_path / "1").write_text("5\n")
    (tmp_path / "a#2").write_text("7,8\n")

    assert call("l1", "-i", "1", "-t", "0") == b"5.0\n"
    assert call("l1", "-i", "a#2#2", "-t", "0") == b"8.0\n"


@pytest.mark.parametrize("cls", operations().values())
def test_pytorch_names_are_commands(call, cls):
    """The class in torch.nn, the function, and our name with underscores are the same command."""
    expected = call(cls.name, "--help")

    for name in filter(None, (cls.torch, cls.functional, cls.name.replace("-", "_"))):
        assert call(name, "--help").split(b"\n", 1)[1] == expected.split(b"\n", 1)[1]


@pytest.mark.parametrize("cls", operations().values())
def test_help_says_what_there_is_to_know(call, cls):
    """Formula, PyTorch's names, arrays, parameters and what mean divides by, at most 80 columns wide."""
    help_text = call(cls.name, "-h").decode()
    words = " ".join(help_text.split())

    assert cls.formula.replace(" ", "") in "".join(help_text.split())
    # Click breaks lines behind hyphens, and names that are longer than a line anywhere.
    assert pytorch_names(cls).replace(" ", "") in "".join(help_text.split())
    assert all(line.isprintable() and len(line) <= 80 for line in help_text.splitlines())
    if cls.reductions:
        assert f"mean divides by {cls.divisor}" in words


def test_the_catalogue(call):
    """list prints a line an operation, list --json the same as records; losses come first."""
    lines = call("list").decode().splitlines()
    records = json.loads(call("list", "--json"))

    assert [line.split("\t")[0] for line in lines] == list(operations())
    assert [record["name"] for record in records] == list(operations())
    assert list(operations())[: len(losscalc.losses())] == list(losscalc.losses())
    assert records[0] == {
        "name": "l1",
        "torch": "L1Loss",
        "formula": "w·|x - y|",
        "reductions": ["none", "mean", "sum"],
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(call, shell):
    """Each shell gets a script that calls us back."""
    assert b"_LOSSCALC_COMPLETE" in call("completion", shell)


def test_version(call):
    """Stated once, in the package's metadata."""
    from importlib.metadata import version

    assert call("--version").decode() == f"losscalc {version('losscalc')}\n"


def test_environment_sets_how_results_look(call, monkeypatch):
    """LOSSCALC_PRECISION and the like; nothing that changes the number can come from there."""
    monkeypatch.setenv("LOSSCALC_PRECISION", "3")
    monkeypatch.setenv("LOSSCALC_FORMAT", "csv")
    monkeypatch.setenv("LOSSCALC_REDUCTION", "sum")
    monkeypatch.setenv("LOSSCALC_WEIGHT", "7")

    assert call(*BASIC) == b"0.926\n"


def test_dim(call):
    """Of softmax: any axis, negative ones too; by default the last of at most two."""
    values = "[[1,2],[3,5]]"

    assert call("softmax", "-i", values, "--dim", "-1") == call("softmax", "-i", values)
    columns = np.loadtxt(io.BytesIO(call("softmax", "-i", values, "--dim", "0")), delimiter=",")
    np.testing.assert_allclose(columns.sum(axis=0), 1, rtol=1e-15)


@pytest.mark.parametrize("name", ["softmax", "log-softmax"])
def test_dim_has_to_be_given_above_two_axes(name, capsys):
    """Of a batch of sequences the last axis is meant, of images axis 1: losscalc does not guess."""
    values = "[[[1,2],[3,5]]]"

    assert cli.run([name, "-i", values]) == 2
    assert capsys.readouterr() == (
        "",
        "losscalc: error: --input has 3 axes, and --dim does not say which of them sums to 1\n"
        "  hint: give --dim -1 for the last axis, or --dim 1 where cross-entropy has its classes\n",
    )
    assert cli.run([name, "-i", values, "--dim", "-1"]) == 0
    with pytest.raises(losscalc.ParameterError, match="3 axes"):
        losscalc.compute(name, [[[1, 2], [3, 5]]])
    # torch.softmax(x, -1) of the first row
    found = losscalc.compute("softmax", [[[1, 2], [3, 5]]], dim=-1)[0, 0]
    np.testing.assert_allclose(found, [0.2689414213699951, 0.7310585786300049], rtol=1e-15)
