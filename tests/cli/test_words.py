"""What people type first: other words for losses and options, options in other places; what help shows."""

import io
import json
import re
import subprocess
import sys

import pytest

from losscalc import cli
from losscalc.cli.meanings import MEANINGS
from losscalc.core.registry import operations
from tests.cli.test_terminal import ESCAPE, on_terminal


def ran(capsys, *arguments):
    """The exit code, the output and the messages of a command."""
    code = cli.run(arguments)
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("mse --pred 1 -t 0", "did you mean --input?"),
        ("mse --preds 1 -t 0", "did you mean --input?"),
        ("bce-logits --logits 1 -t 0", "did you mean --input?"),
        ("mse -i 1 --labels 0", "did you mean --target?"),
        ("mse -i 1 --y-true 0", "did you mean --target?"),
        ("mse -i 1 --y_true 0", "did you mean --target?"),
        ("softmax -i 1 --axis 0", "did you mean --dim?"),
        ("cross-entropy -i 1,2 -t 0 --axis 0", "did you mean --class-axis?"),
        ("mse -i 1 -t 0 --json", "did you mean --format json?"),
        ("mse -i 1 -t 0 --reduce mean", "did you mean --reduction mean?"),
        ("log-cosh -i 1 -t 0 --reduce mean", "did you mean --reduction?"),
        ("mse -i 1 -t 0 -r average", "did you mean mean?"),
        ("mse -i 1 -t 0 -f md", "did you mean markdown?"),
        ("bce --logits 1 -t 0", "--input takes probabilities; for logits use losscalc bce-logits"),
        # The factors of a loss without classes are of elements, and those of classes another thing.
        ("bce -i 1 -t 0 --class-weight 2", "losscalc bce --help shows how"),
        ("mse -i 1 -t 0 --zzz", "losscalc mse --help shows how"),
        ("-v", "did you mean --version?"),
    ],
)
def test_options_by_what_others_call_them(capsys, command, hint):
    """The hint names the option that is meant, never one that only looks alike."""
    code, output, messages = ran(capsys, *command.split())
    assert (code, output) == (2, "")
    assert messages.splitlines()[1] == f"  hint: {hint}"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("mse -t -i 1", "option '-t' requires an argument, found '-i'"),
        ("mse a.csv -t -q", "option '-t' requires an argument, found '-q'"),
        ("mse -i 1 -t 0 --key --no_key", "option '--key' requires an argument, found '--no_key'"),
        ("mse -- -i 1", "arrays are given by options, found '-i'"),
    ],
)
def test_no_option_is_taken_for_a_value(capsys, command, problem):
    """Nor is a command advised in which an option would stand where a value should be."""
    code, output, messages = ran(capsys, *command.split())
    assert (code, output) == (2, "")
    assert messages.startswith(f"losscalc: error: {problem}\n  hint: l")
    assert "hint: losscalc mse -" not in messages.replace(" --help", "")


def test_an_option_behind_one_that_may_stand_alone(capsys):
    """2·(3 - 1)."""
    assert ran(capsys, "mse", "-i", "3", "-t", "1", "--gradient", "-r", "sum") == (0, "4.0\n", "")


def test_meanings_are_of_options():
    """Each word is for an option that some command has, and none is an option of all commands itself."""
    commands = [cli_command(name) for name in operations()]
    options = {option for command in commands for p in command.params for option in p.opts}
    options |= {getattr(p, "kind", "") for command in commands for p in command.params} | {"--version"}
    assert {option.partition(" ")[0] for option in MEANINGS} <= options


def cli_command(name):
    """The command of an operation."""
    from losscalc.cli.catalogue import losscalc

    return losscalc.get_command(None, name)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        *(("mae", "l1"), ("ce", "cross-entropy"), ("xent", "cross-entropy"), ("log-loss", "log-loss")),
        *(("focal", "focal"), ("hinge", "hinge"), ("kl", "kl"), ("js", "jensen-shannon")),
        ("cosine", "cosine-distance"),
    ],
)
def test_losses_by_what_others_call_them(capsys, name, own):
    """They are commands."""
    _, output, _ = ran(capsys, name, "--help")
    _, expected, _ = ran(capsys, own, "--help")
    assert output.partition("\n")[2] == expected.partition("\n")[2]


@pytest.mark.parametrize(
    "words",
    [
        ["-q", "mse", "-i", "3", "-t", "1"],
        ["--format", "plain", "-q", "mse", "-i", "3", "-t", "1"],
        ["--format=plain", "mse", "-i", "3", "-t", "1"],
        ["mse", "-i", "3", "-t", "1", "--max_rows", "3"],
    ],
)
def test_options_in_other_places_and_spellings(capsys, words):
    """Those of the output may stand before the command, and an underscore is a hyphen: (3 - 1)² = 4."""
    assert ran(capsys, *words) == (0, "4.0\n", "")


def test_underscores_in_a_check(capsys):
    """The command that gives the expected number has an option once: 0.40761 is ln Σ exp(x) - x[y]."""
    code, output, _ = ran(
        capsys,
        "cross-entropy",
        "-i",
        "[[2,1,0]]",
        "-t",
        "0",
        "--label_smoothing",
        "0.2",
        "--expect",
        "0.40761",
    )
    assert code == 1
    assert "  losscalc cross-entropy -i '[[2,1,0]]' -t 0 --label-smoothing 0.0\n" in output


def test_the_version_is_a_word_too(capsys):
    """As many tools have it."""
    assert ran(capsys, "version") == ran(capsys, "--version")


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("1,2,3\n", ["mse", "-i", "-", "-t", "1,2,6"], "3.0\n"),
        ("1,2,3\n", ["mse", "-i", "-", "-t", "1,2,6", "-r", "none"], "0.0\n0.0\n9.0\n"),
        ("1,2,3\n", ["mse", "-i", "1,2,6", "-t", "-"], "3.0\n"),
        ("1,2,3\n", ["mse", "-i", "-", "-t", "[[1,2,6]]", "-r", "none"], "0.0,0.0,9.0\n"),
        # Of two rows neither is the vector.
        ("1,2,3\n1,2,3\n", ["mse", "-i", "-", "-t", "1,2,6"], None),
        ("a,b,c\n1,2,3\n", ["mse", "-i", "-", "-t", "1,2,6"], None),
    ],
)
def test_a_line_of_a_pipe_is_a_vector_beside_one(capsys, monkeypatch, text, arguments, expected):
    """(3 - 6)² = 9, and a third of it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, output, _ = ran(capsys, *arguments)
    assert (code, output) == ((4, "") if expected is None else (0, expected))


@pytest.mark.parametrize("command", ["list", "suppose"])
def test_lines_of_json(capsys, command):
    """One for each row, with the keys of the array of them, and null where there is nothing."""
    _, lines, _ = ran(capsys, command, "mse", "-f", "jsonl")
    _, rows, _ = ran(capsys, command, "mse", "-f", "json")
    assert [json.loads(line) for line in lines.splitlines()] == json.loads(rows)
    assert '""' not in rows


def test_what_is_supposed_has_no_sums(capsys):
    """Nobody counted its rows; its value is that of a softmax of the softmax, by PyTorch 2.13."""
    _, output, _ = ran(capsys, "ce", "-i", "[[2,1,0]]", "-t", "0", "--suppose", "softmax-first", "-f", "json")
    facts = json.loads(output)
    assert facts["value"] == pytest.approx(0.79719, abs=5e-6)
    assert [facts[key] for key in ("numerator", "denominator", "count", "ignored")] == [None] * 4


@pytest.mark.parametrize("columns", [40, 50, 80, 120])
@pytest.mark.parametrize("name", ["bce-logits", "cross-entropy", "ctc", "compare", "mse"])
def test_help_fits_the_terminal(capsys, monkeypatch, name, columns):
    """Up to 100 columns, in the order of its groups, with the names of options in one piece."""
    monkeypatch.setenv("COLUMNS", str(columns))
    _, output, _ = ran(capsys, name, "--help")
    lines = output.splitlines()
    assert max(map(len, lines)) <= min(columns, 100)
    headings = re.findall(r"^([A-Z][a-z ]+):$", output, re.MULTILINE)
    order = ["Arrays", "Parameters", "Output", "Check and explain", "Rows", "Reading", "Computing", "Help"]
    assert headings == [heading for heading in order if heading in headings]
    assert not [line for line in lines if re.search(r"(^|\s)--?$|\w-$", line)]


@pytest.mark.parametrize("columns", [30, 20])
@pytest.mark.parametrize("words", [["--help"], ["mse", "--help"], ["show", "--help"]])
def test_help_fits_a_narrow_terminal(capsys, monkeypatch, words, columns):
    """Choices go on in the next line; less than 30 columns are not worth it."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert max(map(len, ran(capsys, *words)[1].splitlines())) <= 30


def test_old_flags_are_in_the_whole_help(capsys):
    """They work, and need not be seen by those who do not know them."""
    assert "--size-average" not in ran(capsys, "mse", "--help")[1]
    assert "--size-average / --no-size-average" in ran(capsys, "mse", "--help-all")[1]
    assert "--help-all" not in ran(capsys, "log-cosh", "--help")[1]
    assert ran(capsys, "mse", "-i", "1", "-t", "3", "--no-reduce", "-q")[:2] == (0, "4.0\n")


RED, GREEN, YELLOW = "\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m"


@pytest.mark.slow
def test_help_has_colours_on_a_terminal():
    """The same text otherwise, and none where NO_COLOR or TERM is against it."""
    shown = on_terminal(["mse", "--help"])
    assert "\x1b[1mArrays:\x1b[0m" in shown
    assert "\x1b[36m--input\x1b[0m" in shown
    plain = on_terminal(["mse", "--help"], NO_COLOR="1")
    assert ESCAPE.sub("", shown) == plain == on_terminal(["mse", "--help"], TERM="dumb")


@pytest.mark.slow
def test_a_check_has_colours_on_a_terminal():
    """Green for what agrees."""
    assert f"{GREEN}agrees\x1b[0m" in on_terminal(["mse", "-i", "1", "-t", "0", "--expect", "1"])


def test_colours_of_messages_and_checks(capsys):
    """As --color says, wherever they go; else none in a pipe."""
    assert ran(capsys, "mes", "-i", "1", "--color", "always")[2].startswith(f"losscalc: {RED}error:\x1b[0m ")
    assert ran(capsys, "mes", "-i", "1")[2].startswith("losscalc: error: ")
    warned = ran(capsys, "ce", "-i", "[[0.2,0.8]]", "-t", "0", "--color=always")[2]
    assert warned.startswith(f"losscalc: {YELLOW}warning:\x1b[0m ")
    words = ("mse", "-i", "1", "-t", "0", "--expect", "7")
    assert f"\n{RED}differs\x1b[0m (" in ran(capsys, *words, "--color", "always")[1]
    assert "\ndiffers (" in ran(capsys, *words)[1]


@pytest.mark.parametrize("words", [["--help"], ["version"], [], ["help", "inputs"]])
def test_what_needs_no_numpy(words):
    """Nor Rich: help in a pipe, the version, a command without words, and a page of the guide."""
    code = "import sys; from losscalc.cli import run; run(sys.argv[1:]); "
    code += "print({'numpy', 'rich'} & sys.modules.keys(), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "set()"


@pytest.mark.parametrize("columns", [40, 50, 80, 120])
@pytest.mark.parametrize("words", [("--help",), ("triplet-margin", "--help"), ("diagnose", "--help")])
def test_commands_of_help_can_be_copied(monkeypatch, capsys, columns, words):
    """In one line, or in several that the shell takes as one; none is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", "120")
    _, wide, _ = ran(capsys, *words)
    monkeypatch.setenv("COLUMNS", str(columns))
    _, text, _ = ran(capsys, *words)

    def commands(text):
        joined = re.sub(r" *\\\n *", " ", text.replace("Example: ", ""))
        return [line.partition("  # ")[0].strip() for line in joined.splitlines() if ".csv -" in line]

    assert commands(text) == commands(wide) != []
    assert max(map(len, text.splitlines())) <= columns
