"""--fail-above and --fail-below: the loss is shown as ever, and the exit code is 1 beyond a limit.

The squared errors of 1, 2 and 0, 0 are 1 and 4: their mean is 2.5 and their sum 5.
"""

import json

import pytest

from losscalc import cli

MSE = ["mse", "-i", "1,2", "-t", "0,0"]


@pytest.mark.parametrize(
    ("limits", "failures"),
    [
        ("--fail-above 2.5", []),
        ("--fail-below 2.5", []),
        ("--fail-above 2.4999", ["mse is 2.5, above --fail-above 2.4999"]),
        ("--fail-below 2.5001", ["mse is 2.5, below --fail-below 2.5001"]),
        ("--fail-above 0", ["mse is 2.5, above --fail-above 0.0"]),
        ("--fail-above 3 --fail-below 2", []),
        ("--fail-above 1 --fail-below 2", ["mse is 2.5, above --fail-above 1.0"]),
        (
            "--fail-above 1 --fail-below 3",
            ["mse is 2.5, above --fail-above 1.0", "mse is 2.5, below --fail-below 3.0"],
        ),
        ("--fail-above 4 -r sum", ["mse is 5.0, above --fail-above 4.0"]),
    ],
)
@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_limit_judges_the_number(limits, failures, form, capsys):
    """The value is printed in any case; each limit that it is beyond is an error."""
    code = cli.run([*MSE, *limits.split(), "-f", form])
    said = capsys.readouterr()

    assert code == (1 if failures else 0)
    value = json.loads(said.out)["value"] if form == "json" else float(said.out)
    assert value == (5.0 if "sum" in limits else 2.5)
    assert said.err.splitlines() == [f"losscalc: error: {failure}" for failure in failures]


@pytest.mark.parametrize("option", ["--fail-above", "--fail-below"])
def test_nan_is_beyond_any_limit(option, capsys):
    """NaN fails both, whatever their numbers."""
    assert cli.run(["mse", "-i", "nan,2", "-t", "0,0", option, "1", "-q"]) == 1
    assert capsys.readouterr() == ("nan\n", f"losscalc: error: mse is NaN, which {option} 1.0 refuses\n")


def test_infinity_is_beyond_the_upper_limit(capsys):
    """inf is above any number, and below none."""
    words = ["mse", "-i", "inf,2", "-t", "0,0", "-q"]
    assert cli.run([*words, "--fail-above", "1e300"]) == 1
    assert cli.run([*words, "--fail-below", "1e300"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "-r none",
            "--fail-above is a limit for one number\n  hint: --reduction mean or sum gives one number",
        ),
        *(
            (more, f"--fail-above and {more.split()[0]} do not go together\n  hint: leave one of them out")
            for more in ("--stats", "--worst 2", "--gradient input", "--expect 1", "--suppose double")
        ),
    ],
)
def test_what_has_no_number_to_judge_is_refused(options, message, capsys):
    """Such a request is wrong usage, and nothing is computed."""
    assert cli.run([*MSE, "--fail-above", "9", *options.split()]) == 2
    assert capsys.readouterr() == ("", f"losscalc: error: {message}\n")


def test_limits_are_numbers(capsys):
    """A word or NaN is no limit."""
    for word in ("x", "nan", "inf"):
        assert cli.run([*MSE, "--fail-above", word]) == 2
    assert "must be a number, found 'x'" in capsys.readouterr().err


@pytest.mark.parametrize(("more", "last"), [("--explain", "2.5000"), ("--digits 5", "2.5")])
def test_other_forms_of_the_number_go_with_a_limit(more, last, capsys):
    """An explanation, or more digits, are of the same number."""
    assert cli.run([*MSE, "--fail-above", "2", *more.split(), "-f", "plain" if "e" in more else "csv"]) == 1
    said = capsys.readouterr()
    assert said.out.strip().endswith(last)
    assert "mse is 2.5, above --fail-above 2.0" in said.err


def test_a_file_is_written_before_it_fails(tmp_path, capsys):
    """The result is kept, so that one can look at it."""
    assert cli.run([*MSE, "--fail-above", "1", "-o", str(tmp_path / "out.json")]) == 1
    assert json.loads((tmp_path / "out.json").read_text())["value"] == 2.5


def test_diagnose_takes_no_limit(capsys):
    """Not even one of 0."""
    assert cli.run(["diagnose", *MSE, "--fail-below", "0"]) == 2
    assert "diagnose takes no --fail-below" in capsys.readouterr().err
