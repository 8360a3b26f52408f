"""Results of parts that are added up: to the bit what one run over everything gives."""

import json

import numpy as np
import pytest

from losscalc import cli, losses
from losscalc.core.declaration import array_arguments
from tests.engine.test_engine import part
from tests.support.examples import MATRIX_PRODUCTS, example
from tests.support.hostile import accept, process, refuse

ROWS = 90
PARTS = [slice(0, 40), slice(40, 41), slice(41, ROWS)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(cls, arrays, name):
    """The options that give a loss these arrays, from files."""
    options = []
    for argument in (a for a in array_arguments(cls) if a.name in arrays):
        array = arrays[argument.name]
        file = f"{name}-{argument.name}.{'npz' if isinstance(array, dict) else 'npy'}"
        np.savez(file, **array) if isinstance(array, dict) else np.save(file, array)
        options += ["--" + argument.name.replace("_", "-"), file]
    return options


WHOLE = [cls for cls in losses().values() if cls.whole_batch]


@pytest.mark.parametrize("cls", WHOLE)
def test_parts_of_a_batch_whose_rows_depend_on_one_another_are_refused(cls, capsys):
    """A batch is more than its parts: adding these up would be a silent wrong number."""
    arrays = example(cls, ROWS)
    for number, rows in enumerate(PARTS):
        options = saved(cls, part(arrays, ROWS, rows), f"part{number}")
        assert cli.run([cls.name, *options, "-f", "json", "-q", "-o", f"{number}.json"]) == 0
    problem = f"{cls.name} compares the rows of a batch with one another, and parts of it do not add up"
    hint = "concatenate the arrays, and compute the loss of all rows"
    refuse(capsys, ["merge", "0.json", "1.json", "2.json"], f"1.json: {problem}", hint, 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cls", [cls for cls in losses().values() if not cls.whole_batch])
def test_merged_parts_are_the_whole(cls, dtype, capsys):
    """Value, sums, counts and all, in whatever order they come."""
    arrays = example(cls, ROWS, dtype=dtype)
    whole = saved(cls, arrays, "whole")
    pieces = [saved(cls, part(arrays, ROWS, rows), f"part{i}") for i, rows in enumerate(PARTS)]
    for reduction in [r for r in cls.reductions if r != "none"]:
        options = ["-r", reduction, "-f", "json", "-q"]
        for number, piece in enumerate(pieces):
            assert cli.run([cls.name, *piece, *options, "-o", f"{number}.json"]) == 0
        expected = facts(accept(capsys, [cls.name, *whole, *options]))
        for order in (["0.json", "1.json", "2.json"], ["2.json", "0.json", "1.json"]):
            check_same(cls, facts(accept(capsys, ["merge", *order, "-f", "json"])), expected)
        merged = np.array(accept(capsys, ["merge", "?.json"]).strip(), dtype)
        np.testing.assert_allclose(merged, np.array(expected["value"], dtype), rtol=tolerance(cls))


def tolerance(cls):
    """Matrix products round by the number of rows that they are made of; all else has the same bits."""
    return 1e-13 if cls.name in MATRIX_PRODUCTS else 0.0


def check_same(cls, merged, expected):
    """The facts of a result, of which sums and what they come to may differ where a product does."""
    if not tolerance(cls):
        assert merged == expected
        return
    for key in expected.keys() - {"sums"}:
        if isinstance(expected[key], float):
            assert merged[key] == pytest.approx(expected[key], rel=tolerance(cls))
        else:
            assert merged[key] == expected[key]


def facts(text):
    """A result, without the length of axis 0, which only batchmean looks at, and which in CTC is time."""
    whole = json.loads(text)
    if whole["loss"] == "ctc":
        del whole["sums"]["rows"]
    return whole


def result(**facts):
    """A JSON result with some facts changed; None takes a key away."""
    whole = {
        "loss": "mse", "reduction": "mean", "value": 1.5, "numerator": 3.0, "denominator": 2.0, "count": 2,
        "ignored": 0, "nonfinite": 0, "dtype": "float64", "parameters": {"delta": 1.0}, "version": "0.1.0",
        "sums": {"total": "0x3p+0", "numerator": "0x3p+0", "denominator": "0x1p+1", "rows": 2},
    }  # fmt: skip
    return json.dumps({key: fact for key, fact in (whole | facts).items() if fact is not None})


OLDER = {"sums": None}
NO_RESULT = "is not the result of a loss, written with --format json"


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        (result(loss="l1"), 4, "its loss must be mse, as in a.json, found 'l1'", None),
        (result(reduction="sum"), 4, "its reduction must be mean, as in a.json, found 'sum'", None),
        (result(dtype="float32"), 4, "its dtype must be float64, as in a.json, found 'float32'", None),
        (
            result(parameters={"delta": 2.0}),
            4,
            "its parameters must be delta 1.0, as in a.json, found 'delta 2.0'",
            None,
        ),
        (result(gradient="input"), 4, "is a derivative, and cannot be merged", None),
        (result(supposed="swap"), 4, "is what was supposed, not the loss, and cannot be merged", None),
        (
            result(reduction="none", value=[1.0, 2.0]),
            4,
            "holds single losses, which have no sums to merge",
            "concatenate the arrays, or compute the parts with a --reduction",
        ),
        ("", 3, "no data", None),
        ("[1, 2]", 3, NO_RESULT, None),
        ("1.5", 3, NO_RESULT, None),
        ('{"activation": "sigmoid", "value": [0.5]}', 3, NO_RESULT, None),
        (result(reduction="total"), 3, NO_RESULT, None),
        (result(dtype="int8"), 3, NO_RESULT, None),
        (result(count="2"), 3, f"has no good 'count', and {NO_RESULT}", None),
        (result(count=-1), 3, f"has no good 'count', and {NO_RESULT}", None),
        (result(ignored=None), 3, f"has no good 'ignored', and {NO_RESULT}", None),
        (result(sums=[]), 3, f"has no good 'sums', and {NO_RESULT}", None),
        (result(sums={"total": 3}), 3, f"has no good 'sums.total', and {NO_RESULT}", None),
        (result(sums={"total": "0x3p+0"}), 3, f"has no good 'sums.numerator', and {NO_RESULT}", None),
        (result(**OLDER, denominator=None), 3, f"has no good 'denominator', and {NO_RESULT}", None),
        (
            result(**OLDER).replace("3.0", "null"),
            3,
            "its numerator is not finite, and cannot be known without its sums",
            "compute it again with this version",
        ),
    ],
)  # fmt: skip
def test_refusals(folder, capsys, text, code, message, hint):
    """What is no result, or none that adds up with the first, is refused by name."""
    (folder / "a.json").write_text(result())
    (folder / "b.json").write_text(text)
    refuse(capsys, ["merge", "a.json", "b.json"], f"b.json: {message}", hint, code)


def test_text_that_is_no_json(folder, capsys):
    """The place is told."""
    (folder / "a.json").write_text("{,}")
    assert cli.run(["merge", "a.json"]) == 3
    assert "a.json:1:2: not JSON" in capsys.readouterr().err
    assert cli.run(["merge", "no.json"]) == 3
    assert cli.run(["merge", "no*.json"]) == 3
    assert cli.run(["merge", "1,2"]) == 2
    assert cli.run(["merge", "a.json#/x"]) == 2
    assert cli.run(["merge", "-", "-"]) == 2
    assert cli.run(["merge"]) == 2


def test_results_of_older_versions(folder, capsys):
    """Numerator, denominator and counts as they stand; they mix with exact ones."""
    (folder / "a.json").write_text(result())
    (folder / "b.json").write_text(result(**OLDER, numerator=6.0, denominator=1.0, count=1))
    assert accept(capsys, ["merge", "a.json", "b.json"]) == "3.0\n"
    for reduction, expected in (("sum", "6.0"), ("batchmean", "1.5")):
        (folder / "c.json").write_text(result(**OLDER, reduction=reduction))
        assert accept(capsys, ["merge", "c.json", "c.json"]) == f"{expected}\n"


def test_the_same_result_twice_and_one_alone(folder, capsys):
    """Counted as often as it is named."""
    (folder / "a.json").write_text(result())
    assert accept(capsys, ["merge", "a.json"]) == "1.5\n"
    assert json.loads(accept(capsys, ["merge", "a.json", "a.json", "-f", "json"]))["count"] == 4
    table = accept(capsys, ["merge", "a.json", "a.json", "-f", "table"])
    assert "numerator" in table
    assert accept(capsys, ["merge", "a.json", "--precision", "2"]) == "1.50\n"
    assert cli.run(["merge", "a.json", "-o", "out.npy"]) == 0
    assert np.load("out.npy") == 1.5


def test_standard_input(folder):
    """One result may come through a pipe."""
    (folder / "a.json").write_text(result())
    done = process("merge", "-", "a.json", input=result().encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1.5\n", b"")


def test_what_is_not_finite(folder, capsys):
    """NaN and infinity come out as they would of one run; an empty mean says why it is one."""
    for words, value in ((["inf", "0x1p+0"], "inf"), (["inf", "-inf"], "nan"), (["nan", "0x1p+0"], "nan")):
        for number, word in enumerate(words):
            sums = {"total": word, "numerator": word, "denominator": "0x1p+1", "rows": 2}
            (folder / f"{number}.json").write_text(result(sums=sums, numerator=None))
        assert accept(capsys, ["merge", "0.json", "1.json"]) == f"{value}\n"
    assert (
        cli.run(["cross-entropy", "-i", "[[1,2]]", "-t", "[-100]", "-f", "json", "-o", "e.json", "-q"]) == 0
    )
    assert cli.run(["merge", "e.json", "e.json"]) == 0
    output, error = capsys.readouterr()
    assert output == "nan\n"
    assert error == "losscalc: warning: every target is ignored, so the mean is empty\n"
    assert cli.run(["merge", "e.json", "-W", "error"]) == 4


def test_sums_stay_out_of_where_they_mean_nothing(capsys):
    """Derivatives and single losses have none."""
    for options in (["-r", "none"], ["--gradient"]):
        assert "sums" not in json.loads(
            accept(capsys, ["mse", "-i", "1,2", "-t", "1,3", "-f", "json", *options])
        )
