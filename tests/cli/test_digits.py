"""--digits: what a command prints, and what it refuses."""

import json
import sys
from decimal import Decimal

import pytest

from losscalc import cli

VALUES = ["mse", "-i", "1,2.5", "-t", "0.1,0.2"]
MEAN = "3.0499999999999999694688668228081952153873269029919"
SINGLE = ["0.809999999999999990007992778374", "5.28999999999999994892974086724"]


@pytest.fixture
def run(capsys):
    """The exit code and what was printed."""

    def of(*words: str) -> tuple[int, str, str]:
        code = cli.run(words)
        return code, *capsys.readouterr()

    return of


def test_plain_numbers_and_json(run):
    """All digits, as numbers that can be read back."""
    assert run(*VALUES, "--digits", "50") == (0, MEAN + "\n", "")

    facts = json.loads(run(*VALUES, "--digits", "50", "-f", "json")[1], parse_float=Decimal)
    assert facts["value"] == Decimal(MEAN)
    assert facts["dtype"] == "decimal"
    assert (facts["numerator"], facts["denominator"]) == (Decimal("6.1"), 2)
    assert run("log-sigmoid", "-i", "1,inf", "--digits", "3", "-f", "json")[1].startswith(
        '{"activation": "log-sigmoid", "value": [-0.313, 0]'
    )
    assert run("log-sigmoid", "-i", "900", "--digits", "5")[1] == "-1.3645e-391\n"
    assert run("l1", "-i", "nan,inf", "-t", "0,0", "-r", "none", "--digits", "5", "-q")[1] == "nan\ninf\n"


@pytest.mark.parametrize("form", ["plain", "csv", "tsv", "jsonl", "markdown", "latex", "table"])
def test_every_format_has_all_digits(run, form):
    """Those with a place for numbers; a table never cuts one."""
    _, out, _ = run(*VALUES, "--digits", "30", "-r", "none", "-f", form)
    assert all(number in out for number in SINGLE)
    assert MEAN in run(*VALUES, "--digits", "50", "-f", form)[1]


def test_a_file(run, tmp_path):
    """The suffix decides, as for other numbers; npy has no place for them."""
    path = tmp_path / "losses.csv"
    assert run(*VALUES, "--digits", "30", "-r", "none", "-o", str(path)) == (0, "", "")
    assert path.read_text().split() == SINGLE
    code, _, err = run(*VALUES, "--digits", "30", "-o", str(tmp_path / "losses.npy"))
    assert (code, "npy has no numbers with more digits" in err) == (2, True)
    assert not (tmp_path / "losses.npy").exists()


def test_what_it_does_not_go_with(run):
    """One look at a result at a time."""
    for words in (["--gradient"], ["--explain"], ["--expect", "3.05"], ["--stats"], ["--precision", "3"]):
        code, _, err = run(*VALUES, "--digits", "50", *words)
        assert code == 2
        assert f"{words[0]} " in err
        assert "--digits" in err
        assert "do not go together" in err


def test_what_is_no_number_of_digits(run):
    """From 1 to 1,000."""
    for words in ("0", "1001", "-1"):
        code, _, err = run(*VALUES, "--digits", words)
        assert (code, "--digits must be a whole number from 1 to 1,000" in err) == (2, True)
    code, _, err = run("l1", "-i", ",".join(["1"] * 10_001), "-t", ",".join(["1"] * 10_001), "--digits", "5")
    assert (code, "at most 10,000 elements, and --input has more" in err) == (2, True)


def test_without_mpmath(run, monkeypatch):
    """The line to type."""
    monkeypatch.setitem(sys.modules, "mpmath", None)
    code, _, err = run(*VALUES, "--digits", "50")
    assert code == 2
    assert err == "losscalc: error: --digits needs mpmath\n  hint: pip install 'losscalc[digits]'\n"
