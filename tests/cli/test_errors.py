"""Error messages, word for word: command, exit code, text. They are part of the product."""

# ruff: noqa: E501, SIM905 - a row of a table is a line, and commands read as they are typed

import resource
import sys
from pathlib import Path

import pytest

from losscalc import cli, errors
from tests.support.hostile import process

FILES = {
    "x.csv": "0.2,0.8\n0.5,0.4\n",
    "json.csv": "[1,2]\n",
    "one.csv": "1\n",
    "y.csv": "1,0\n0,1\n",
    "preds.csv": "id,logit,label\na,1.5,1\nb,n/a,0\nc,-2,1\n",
    "scores.csv": "1,2,3\n3,2,1\n0,0,0\n",
    "classes.csv": "0\n2\n3\n",
    "column.csv": "1\n0\n",
    "ragged.csv": "1,2\n3\n",
    "mixed.csv": "logit,2\n1,2\n",
    "quote.csv": '1,"2\n3,4\n',
    "a.json": "[[1, 2], [3]]",
    "b.json": '{"logits": [1, 2], "n": 2}',
    "c.json": "[1, 2",
    "d.json": '[1, "yes"]',
    "rows.jsonl": "[1, 2]\n[3, x]\n",
}

TABLE = [
    # usage: 2
    ("bce-logit -i 1", 2, "unknown loss 'bce-logit'", "did you mean bce-logits?"),
    ("hlep inputs", 2, "unknown loss 'hlep'", "did you mean help?"),
    ("compare mse maae -i 1 -t 1", 2, "unknown loss 'maae'", "did you mean mae?"),
    ("mean_square_error -i 1 -t 1", 2, "unknown loss 'mean_square_error'", "did you mean mean_squared_error?"),
    ("BCEWithLogitLoss", 2, "unknown loss 'BCEWithLogitLoss'", "did you mean bce-logits?"),
    ("bce -i 1", 2, "missing option '--target' / '-t'", "losscalc bce --help shows how"),
    ("bce -i 1 -t 1 -i 0", 2, "--input is given twice", "losscalc bce --help shows how"),
    (
        "bce -i 1 -t 1 -r MEAN",
        2,
        "invalid value for '--reduction' / '-r': 'MEAN' is not one of 'none', 'mean', 'sum'",
        "did you mean mean?",
    ),
    (
        "bce -i 1 -t 1 -r avg",
        2,
        "invalid value for '--reduction' / '-r': 'avg' is not one of 'none', 'mean', 'sum'",
        "did you mean mean?",
    ),
    ("bce -i 1 -t 1 -r", 2, "option '-r' requires an argument", "give -r one of none, mean, sum"),
    ("bce -i 1 -t", 2, "option '-t' requires an argument", "losscalc bce --help shows how"),
    ("bce -i 1 -t 1 --reductoin sum", 2, "no such option: --reductoin", "did you mean --reduction?"),
    ("bce x.csv y.csv", 2, "arrays are given by options, found 'x.csv'", "losscalc bce -i x.csv -t y.csv"),
    (
        "cross-entropy -i 1,2 -t 0 --label-smoothing 1.5",
        2,
        "invalid value for '--label-smoothing': must be in [0, 1], found 1.5",
        "losscalc cross-entropy --help shows how",
    ),
    (
        "nll -i 1,2 -t 0 --ignore-index 1_0",
        2,
        "invalid value for '--ignore-index': must be a whole number, found '1_0'",
        "losscalc nll --help shows how",
    ),
    ("bce -i - -t -", 2, "--input and --target cannot both read standard input", "name a part of it for each, as in -#p and -#y"),
    (
        "mse -i x.csv -t y.csv -o z.parquet",
        2,
        "--output has an unknown suffix, found '.parquet'",
        "use one of .txt .dat .csv .tsv .tab .json .jsonl .ndjson .md .markdown .tex .html .htm .npy, or name a --format",
    ),
    *(
        (
            f"{command} -f {form}",
            2,
            "the result has 3 axes, more than rows and columns can show",
            "give --format json or npy",
        )
        for command in ("sigmoid -i [[[1,2]]]", "mse -i [[[1,2]]] -t [[[0,0]]] -r none")
        for form in ("csv", "tsv", "markdown", "html")
    ),
    (
        "cross-entropy -i x.csv -t y.csv --ignore-index 1",
        2,
        "--ignore-index leaves out class indices, but --target holds class probabilities, found 1",
        None,
    ),
    # inputs: 3
    (
        "bce -i nope.csv -t y.csv",
        3,
        "nope.csv: no such file or directory",
        "an array is a file, - for standard input, numbers as in 1,0,1, or a JSON list",
    ),
    ("bce -i . -t y.csv", 3, ".: is a directory, not a file", "all files in it, one after the other: './*.csv'"),
    (
        "bce-logits -i preds.csv#logit -t preds.csv#label",
        3,
        "preds.csv:3:2: not a number, found 'n/a'",
        "--na drop leaves the row out, --na nan reads NaN",
    ),
    (
        "bce-logits -i preds.csv#logits -t preds.csv#label",
        3,
        "preds.csv: there is no such column, found 'logits'",
        "did you mean #logit?",
    ),
    ("mse -i x.csv#3 -t y.csv", 3, "x.csv: there is no such column, found '3'", "columns are counted from 1 to 2; --header input=yes if the first line names them"),
    ("mse -i ragged.csv -t y.csv", 3, "ragged.csv:2: the line has 1 cell, but line 1 has 2", "write a missing cell as NaN; --na drop leaves such rows out"),
    (
        "mse -i mixed.csv -t y.csv",
        3,
        "mixed.csv:1: the line is half names and half numbers, found 'logit,2'",
        "give --header input=yes if it names the columns, --header no if it holds data",
    ),
    ("mse -i quote.csv -t y.csv", 3, "quote.csv:1: a quote is opened and never closed", None),
    ("mse -i json.csv -t one.csv", 3, "json.csv:1:1: not a number, found '[1'", "for JSON give --from input=json"),
    ("mse -i a.json -t y.csv", 3, "a.json[1]: the row has 1 item, but [0] has 2", None),
    ("mse -i b.json -t y.csv", 3, "b.json: an object where a list of numbers is expected", "name a member: #/logits, #/n"),
    ("mse -i b.json#/labels -t 1", 3, "b.json#/labels: there is no such member, found 'labels'", "there are logits, n"),
    ("mse -i c.json -t y.csv", 3, "c.json:1:6: not JSON: expecting ',' delimiter", None),
    ("mse -i d.json -t 1,2", 3, 'd.json[1]: not a number, found \'"yes"\'', None),
    ("mse -i rows.jsonl -t x.csv", 3, "rows.jsonl:2:5: not JSON: expecting value", None),
    ("mse -i 1,x -t 1,2", 3, "--input[1]: not a number, found 'x'", None),
    ("mse -i 1e999 -t 1", 3, "--input: a number outside the range of float64, found '1e999'", None),
    # data: 4
    (
        "mse -i x.csv -t column.csv",
        4,
        "column.csv: --target has shape (2,) and --input (2, 2); they must be equal",
        "--input has several columns; take one of a file as FILE#NAME or FILE#2",
    ),
    (
        "mse -i 1,2 -t [[1,2]]",
        4,
        "--target has shape (1, 2) and --input (2,); they must be equal",
        "reshape --target to (2,), or --input to (1, 2)",
    ),
    ("bce -i preds.csv#logit -t preds.csv#label --na drop", 4, "preds.csv:2:2: --input must be in [0, 1], found 1.5", "for logits use bce-logits"),
    (
        "cross-entropy -i scores.csv -t classes.csv",
        4,
        "classes.csv:3:1: --target must be a class index from 0 to 2 (-100 leaves the row out), found 3",
        None,
    ),
    (
        "cross-entropy -i scores.csv -t 1,2,3",
        4,
        "--target[2]: must be a class index from 0 to 2 (-100 leaves the row out), found 3",
        "classes count from 0 to 2; for labels that count from 1, subtract 1",
    ),
    (
        "cross-entropy -i scores.csv -t 0,1.5,2",
        4,
        "--target[1]: holds class indices, which are whole numbers, found 1.5",
        "losscalc list regression shows the losses of targets that may have any value",
    ),
    (
        "cross-entropy -i scores.csv -t 0,1,2 --weight 1,2",
        4,
        "--weight has shape (2,), but --input has 3 classes",
        "give one weight per class",
    ),
    ("cross-entropy -i scores.csv -t 0,1,2 --weight 1,-2,3", 4, "--weight[1]: must be at least 0, found -2.0", None),
    (
        "bce-logits -i x.csv -t y.csv --pos-weight 1,2,3",
        4,
        "--pos-weight of shape (3,) does not broadcast to the (2, 2) of --target",
        "it is aligned from the last axis: (C,) is one number per column, (N, 1) one per row",
    ),
    ("softmax -i 1,2 --dim 1", 4, "--input has 1 axes, and --dim 1 is none of them", None),
    # outputs: 5
    ("mse -i x.csv -t y.csv -o nowhere/z.csv", 5, "nowhere: there is no such directory", "mkdir -p nowhere makes it"),
    ("mse -i x.csv -t y.csv -o .", 5, ".: is a directory, not a file", None),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A directory with the files of the table, as the current one."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing(folder: Path) -> dict[str, bytes]:
    """What is in a directory."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(("command", "code", "problem", "hint"), TABLE, ids=[row[0] for row in TABLE])
def test_messages(command, code, problem, hint, folder, capfd):
    """Exit code and text are exact, nothing is printed to standard output and no file is touched."""
    before = listing(folder)

    assert cli.run(command.split()) == code
    out, err = capfd.readouterr()
    expected = f"losscalc: error: {problem}\n" + (f"  hint: {hint}\n" if hint else "")
    assert (out, err) == ("", expected)
    assert listing(folder) == before


WARNINGS = [
    ("bce-logits -i 0.5 -t 2", "--target should be in [0, 1]; outside, the loss can be negative, found 2.0"),
    ("cross-entropy -i [[1,2]] -t [-100]", "every target is ignored, so the mean is empty"),
    ("cross-entropy -i [[1,2]] -t [0] --weight 0,1", "the weights sum to 0, and the mean divides by their sum"),
    ("l1 -i [[1,2],[1,Infinity]] -t [[1,2],[1,2]]", "--input[1][1]: a result is not finite, found inf\n"
     "  hint: --input is infinite there, as in inf - inf or 0·inf"),
    ("mse -i 1e200 -t 0", "a result is not finite, found inf"),
    ("mse -i 1e20,1e20 -t 0,0 --dtype float32 -r sum", "the sum is outside the range of float32"),
    ("bce-logits -i preds.csv#logit -t preds.csv#label --na drop", "left out 1 row with a missing number"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "text"), WARNINGS)
def test_warnings(command, text, folder, capfd):
    """Warnings go to standard error, leave the exit code alone, and -q silences them."""
    assert cli.run(command.split()) == 0
    assert capfd.readouterr().err == f"losscalc: warning: {text}\n"

    assert cli.run([*command.split(), "-q"]) == 0
    assert capfd.readouterr().err == ""


def test_old_flags_warn_and_win(folder, capfd):
    """--no-size-average is sum, whatever --reduction says; the warning names it."""
    assert cli.run("mse -i 1,3 -t 0,0 -r none --no-size-average".split()) == 0
    assert capfd.readouterr() == (
        "10.0\n",
        "losscalc: warning: PyTorch's old flags --size-average and --reduce override --reduction\n"
        "  hint: give --reduction sum instead\n",
    )


def test_debug_shows_the_traceback(folder, capfd):
    """And only then."""
    assert cli.run("mse -i nope.csv -t 1 --debug".split()) == 3
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(("word", "shown"), [("", False), ("0", False), ("False", False), ("1", True)])
def test_traceback_from_the_environment(monkeypatch, capfd, word, shown):
    """The variable for --debug takes the words that variables for other flags take."""
    monkeypatch.setenv("LOSSCALC_DEBUG", word)

    assert cli.run("mse -i nope.csv -t 1".split()) == 3
    assert ("Traceback" in capfd.readouterr().err) == shown


SHELLS = "_LOSSCALC_COMPLETE must be one of bash_complete, zsh_complete, fish_complete"


@pytest.mark.parametrize(
    ("task", "words", "message"),
    [
        ("tcsh_complete", ["m"], f"{SHELLS}, found 'tcsh_complete'"),
        ("bash", ["m"], f"{SHELLS}, found 'bash'"),
        ("bash_source", [], f"{SHELLS}, found 'bash_source'"),
    ],
)
def test_completion_that_is_asked_for_badly(monkeypatch, capfd, task, words, message):
    """What no completion script asks is wrong usage, and no bug."""
    monkeypatch.setenv("_LOSSCALC_COMPLETE", task)

    assert cli.run(words) == 2
    assert capfd.readouterr().err.splitlines()[0] == f"losscalc: error: {message}"


@pytest.mark.parametrize(
    "words", [[], [""], ["nope", ""], ["mse", "-i"], ["-x", "m"], ["mse", "-r", "avg", ""]]
)
def test_where_nothing_fits_nothing_is_said(monkeypatch, capfd, words):
    """Whatever was typed so far, a completion script gets answers or none, and never an error."""
    monkeypatch.setenv("_LOSSCALC_COMPLETE", "bash_complete")

    assert cli.run(words) == 0
    assert capfd.readouterr().err == ""


def test_completion_is_off_if_empty(monkeypatch, capfd):
    """An empty variable asks for nothing, and the exit codes are as ever."""
    monkeypatch.setenv("_LOSSCALC_COMPLETE", "")

    assert cli.run("mse -i nope.csv -t 1".split()) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is limited as on Linux")
def test_no_memory_for_numpy():
    """Where NumPy cannot be loaded, that is said in one line."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (40 << 20, 40 << 20))

    done = process("mse", "-i", "1", "-t", "1", preexec_fn=limit)

    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.startswith(b"losscalc: error: cannot load a library: ")
    assert done.stderr.count(b"\n") == 1


def test_help_is_no_error_to_debug(monkeypatch, capfd):
    """Leaving after the help is not a failure, whatever LOSSCALC_DEBUG says."""
    monkeypatch.setenv("LOSSCALC_DEBUG", "1")

    assert cli.run(["mse", "--help"]) == 0
    assert capfd.readouterr().err == ""


def test_a_bug_says_so(monkeypatch, capfd):
    """Exit code 70, one message, no traceback."""
    monkeypatch.setattr("losscalc.cli.request.engine.compute", lambda *_, **__: 1 / 0)

    assert cli.run("mse -i 1 -t 1".split()) == 70
    assert capfd.readouterr().err == (
        "losscalc: error: a bug in losscalc: ZeroDivisionError: division by zero\n"
        "  hint: please report it with what --debug shows\n"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt, 130), (MemoryError, 3), (BrokenPipeError, 0), (RecursionError, 70)],
)
def test_interruptions(error, code, monkeypatch, capfd):
    """What can come out of anything has an exit code of its own, and no traceback."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("losscalc.cli.request.engine.compute", fail)
    assert cli.run("mse -i 1 -t 1".split()) == code
    assert "Traceback" not in capfd.readouterr().err


def tree() -> list[type[errors.LosscalcError]]:
    """Every error class."""
    return [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.LosscalcError)]


@pytest.mark.parametrize("cls", tree())
def test_the_tree_of_errors(cls):
    """Each class stands in the drawing, has an exit code, pickles, and shows its facts."""
    import pickle

    error = cls("`input` is bad", found="x\n", index=(1, 2), argument="input", hint="`input` again")
    same = pickle.loads(pickle.dumps(error))

    assert cls.__name__ in (errors.__doc__ or "")
    assert str(same) == str(error) == "input is bad, found 'x\\n' at [1, 2]"
    assert same.advise(lambda name: f"--{name}") == "--input again"
    assert cls is errors.LosscalcError or cls.exit_code in (2, 3, 4, 5)


def test_errors_are_builtins_too():
    """So that callers who do not know losscalc can catch them."""
    assert issubclass(errors.ParameterError, ValueError)
    assert issubclass(errors.SourceError, OSError)
    assert issubclass(errors.ClassIndexError, IndexError)
    assert issubclass(errors.DTypeError, TypeError)
    assert issubclass(errors.UnknownLossError, LookupError)
