"""What a person sees: tables on a real (pseudo-) terminal, wide, narrow, without colour or Unicode."""

import errno
import os
import pty
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from termios import TIOCSWINSZ

import numpy as np
import pytest

from losscalc import cli

pytestmark = pytest.mark.slow

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
LOGITS, LABELS = (
    "[[0.2070,0.8432,0.2494],[0.5782,0.4587,0.1135],[0.9794,0.8516,0.4418]]",
    "[[1,0,0],[0,1,0],[0,0,0]]",
)
EXAMPLE = ["bce-logits", "-i", LOGITS, "-t", LABELS]


def on_terminal(arguments: list[str], columns: int = 80, **environment: str) -> str:
    """What a command prints on a terminal of so many columns."""
    leader, follower = pty.openpty()
    ioctl(follower, TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    clean |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment}
    command = [sys.executable, "-m", "losscalc", *arguments]
    with subprocess.Popen(command, stdout=follower, stderr=subprocess.PIPE, env=clean) as process:
        os.close(follower)
        output = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError as error:
                if error.errno == errno.EIO:
                    break
                raise
            if not piece:
                break
            output += piece
        stderr = process.stderr.read() if process.stderr else b""
        assert process.wait() == 0, stderr
    os.close(leader)
    return output.decode().replace("\r\n", "\n")


def test_a_scalar_shows_its_arithmetic():
    """value = numerator / denominator, and the count."""
    assert ESCAPE.sub("", on_terminal(EXAMPLE)) == (
        "bce-logits\n"
        "╭─────────────┬────────╮\n"
        "│ reduction   │   mean │\n"
        "│ value       │ 0.9256 │\n"
        "│ numerator   │ 8.3300 │\n"
        "│ denominator │      9 │\n"
        "│ count       │      9 │\n"
        "╰─────────────┴────────╯\n"
        "0.9256 = 8.3300 / 9\n"
    )


def test_none_is_a_grid_like_the_array():
    """With the mean of each row in the margin, and mean and sum below."""
    assert ESCAPE.sub("", on_terminal([*EXAMPLE, "-r", "none"])) == (
        "bce-logits none\n"
        "╭───┬────────┬────────┬────────┬────────╮\n"
        "│   │      0 │      1 │      2 │   mean │\n"
        "├───┼────────┼────────┼────────┼────────┤\n"
        "│ 0 │ 0.5950 │ 1.2011 │ 0.8256 │ 0.8739 │\n"
        "│ 1 │ 1.0235 │ 0.4899 │ 0.7515 │ 0.7549 │\n"
        "│ 2 │ 1.2982 │ 1.2070 │ 0.9382 │ 1.1478 │\n"
        "╰───┴────────┴────────┴────────┴────────╯\n"
        "mean 0.9256   sum 8.3300\n"
    )


def test_colours_are_for_terminals_that_want_them():
    """NO_COLOR, TERM=dumb and --color never switch them off."""
    assert ESCAPE.search(on_terminal(EXAMPLE))
    assert not ESCAPE.search(on_terminal(EXAMPLE, NO_COLOR="1"))
    assert ESCAPE.search(on_terminal(EXAMPLE, NO_COLOR=""))
    assert not ESCAPE.search(on_terminal(EXAMPLE, TERM="dumb"))
    assert not ESCAPE.search(on_terminal([*EXAMPLE, "--color", "never"]))
    assert ESCAPE.search(on_terminal([*EXAMPLE, "--color", "always"], NO_COLOR="1"))


def test_ascii_where_unicode_cannot_be_shown():
    """Borders of ASCII, and three dots for the rows between."""
    arguments = ["sigmoid", "-i", "1,2,3,4,5,6", "--max-rows", "2"]
    output = on_terminal(arguments, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert output.isascii()
    assert "..." in output


@pytest.mark.parametrize("columns", [1, 20, 33, 79, 200, 400])
def test_no_number_is_ever_cut(columns, tmp_path):
    """At any width each number stands in the output as a whole; columns go on in a further table."""
    values = np.random.default_rng(columns).normal(size=(5, 30)) * 10.0 ** np.arange(-15, 15)
    np.save(tmp_path / "x.npy", values)
    output = ESCAPE.sub("", on_terminal(["sigmoid", "-i", str(tmp_path / "x.npy")], columns))
    plain = subprocess.run(
        [
            sys.executable,
            "-m",
            "losscalc",
            "sigmoid",
            "-i",
            str(tmp_path / "x.npy"),
            "-f",
            "csv",
            "--precision",
            "4",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    shown = re.findall(r"\d\.\d{4}(?:e[+-]\d+)?", output)
    assert sorted(shown) == sorted(re.findall(r"[^,\n]+", plain))
    if columns >= 33:
        assert max(map(len, output.splitlines())) <= columns


def test_long_arrays_show_head_and_tail():
    """--max-rows says how many rows; what is between is one row of dots."""
    output = on_terminal(["sigmoid", "-i", ",".join(map(str, range(100))), "--max-rows", "4"])

    assert [line.split("│")[1].strip() for line in ESCAPE.sub("", output).splitlines() if "│" in line] == [
        "", "0", "1", "…", "98", "99",
    ]  # fmt: skip


def test_one_grid_for_each_leading_index():
    """Arrays beyond two axes."""
    output = ESCAPE.sub("", on_terminal(["sigmoid", "-i", "[[[1,2],[3,4]],[[5,6],[7,8]]]"]))

    assert [line for line in output.splitlines() if "sigmoid" in line] == ["sigmoid [0]", "sigmoid [1]"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["list"], "Absolute difference"),
        ([*EXAMPLE, "--explain"], "ln sigma(x) = -"),
        ([*EXAMPLE, "--explain", "--max-rows", "2"], "+ ..."),
        (["diagnose", *EXAMPLE], "0.4899 - 0.5572"),
        (["diagnose", *EXAMPLE], "guess of 1/2, ln 2"),
    ],
)
def test_symbols_have_names_in_ascii(arguments, part):
    """No formula, no interval and no bar turns into question marks."""
    output = on_terminal(arguments, 200, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert output.isascii()
    assert "?" not in output
    assert part in output


@pytest.mark.parametrize("columns", [50, 80, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        [*EXAMPLE, "--stats", "--worst", "3"],
        [*EXAMPLE, "--explain"],
        ["diagnose", *EXAMPLE],
        ["compare", "mse", "bce-logits", "-i", LOGITS, "-t", LABELS],
        ["show", "cross-entropy"],
    ],
    ids=" ".join,
)
def test_tables_fit_the_terminal(arguments, columns, monkeypatch, capsys):
    """Texts fold where a table would be wider."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert cli.run([*arguments, "-f", "table"]) == 0

    tables = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("│", "╭"))]
    assert tables
    assert max(map(len, tables)) <= columns


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            [],
            [
                "bce-logits",
                "cross-entropy",
                "class-weight",
                "--explain",
            ],
        ),
        (["bce-logits"], ["--pos-weight", "F.binary_cross_entropy_with_logits"]),
        (["pos-weight"], ["--pos-weight"]),
    ],
    ids=["all", "bce-logits", "pos-weight"],
)
def test_help_breaks_no_name(arguments, words, columns, monkeypatch, capsys):
    """What is to be typed stands in one line, hyphens and all."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert cli.run([*arguments, "--help"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if re.search(r"\w-$", line)]
    assert not [word for word in words if not any(word in line for line in lines)]


def test_binary_is_not_for_terminals():
    """npy to a terminal is refused, to a pipe it is written."""
    with pytest.raises(AssertionError, match="npy is not for a terminal"):
        on_terminal([*EXAMPLE, "-f", "npy"])


def test_the_catalogue_is_a_table():
    """With every loss in a row."""
    output = on_terminal(["list"])

    assert "BCEWithLogitsLoss" in output
    assert "╭" in output
    assert max(map(len, ESCAPE.sub("", output).splitlines())) <= 80
