"""Hints lead on: each is followed as it stands, and ends in the right number, or in a clear question.

The tables in tests/data/hints say what is typed; tests/support/hints.py says how they are written. A hint of
the package without a row fails.
"""

import ast
import bz2
import gzip
import io
import lzma
import os
import pickle
import re
import shlex
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

import losscalc
from losscalc import cli
from losscalc.cli.catalogue import TOOLS
from losscalc.core.registry import operations
from losscalc.engine import compute as engine
from losscalc.inputs import signatures
from tests.support import columnar, doubles, hostile, tensors
from tests.support.hints import Followed, followed, patterns
from tests.support.workbooks import xlsx

ROWS = list(followed())

# Names for the files and the Python of the tables.
MODULES = {"np": np, "pa": pa, "losscalc": losscalc, "bz2": bz2, "gzip": gzip, "lzma": lzma, "pickle": pickle}
HELPERS = {"xlsx": xlsx, "parquet": columnar.parquet}
NAMES = {**vars(tensors), **vars(hostile), **vars(doubles), **MODULES, **HELPERS}

COMMANDS = "|".join([*operations(), *TOOLS])

SHELL = 'losscalc() { "$PYTHON" -m losscalc "$@"; }; python() { "$PYTHON" "$@"; }; '


class Said(NamedTuple):
    """What a command printed, and what it said on standard error."""

    out: str
    err: str

    @property
    def hints(self) -> list[str]:
        """The hints on standard error."""
        return re.findall(r"^  hint: (.*)$", self.err, re.MULTILINE)


class Piped:
    """Standard input from a pipe."""

    def __init__(self, data: str) -> None:
        self.buffer = io.BytesIO(data.encode())

    def isatty(self) -> bool:
        """A pipe is no terminal."""
        return False


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Type a command: in this process if it is losscalc, alone or in a pipe, or Python; else in a shell."""
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> Said:
        if command.startswith(">>> "):
            return in_python(command[4:])
        if is_for_a_shell(command):
            shell = SHELL + command
            environment = os.environ | {"PYTHON": sys.executable}
            done = subprocess.run(
                ["bash", "-c", shell],
                capture_output=True,
                text=True,
                check=False,
                env=environment,
                timeout=60,
            )
            return Said(done.stdout, done.stderr)
        said = Said("", "")
        for words in stages(command):
            monkeypatch.setattr(sys, "stdin", Piped(said.out))
            cli.run(words)
            out, err = capsys.readouterr()
            said = Said(out, said.err + err)
        return said

    return run


def stages(command: str) -> list[list[str]]:
    """The words of the commands in a pipe, as a shell splits them; what it would replace is in quotes."""
    parts = re.split(r" \| (?=losscalc )", command)
    bare = re.sub(r"""'[^']*'|"[^"]*\"""", "", " ".join(parts))
    assert not re.search(r"[*?\[!<>;^$~|]", bare), command
    return [shlex.split(part)[1:] for part in parts]


def in_python(expression: str) -> Said:
    """What an expression comes to, and its errors and warnings as the command line would show them."""
    out, err = "", ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            out = repr(np.asarray(eval(expression, dict(NAMES))).tolist())
        except losscalc.LosscalcError as error:
            err = f"losscalc: error: {error}\n  hint: {error.advise()}\n"
    for warning in caught:
        err += f"losscalc: warning: {warning.message}\n  hint: {warning.message.advise()}\n"
    return Said(out, err)


def write(files: dict[str, str]) -> None:
    """Write the files of a block."""
    for name, line in files.items():
        text = line[2 + len(name) :]
        if text.startswith(": "):
            Path(name).write_text("".join(f"{part}\n" for part in text[2:].split(" / ")))
        else:
            Path(name).write_bytes(eval(text.removeprefix(" = "), dict(NAMES)))


def is_for_a_shell(command: str) -> bool:
    """Whether a command is more than losscalc in pipes, or Python."""
    return not command.startswith((">>> ", "losscalc ")) or " && " in command


def parameters(row: Followed) -> object:
    """A block as parameters of a test, which is slow if it starts processes."""
    commands = [row.command, *(step.command for step in row.steps)]
    marks = [pytest.mark.slow] if any(map(is_for_a_shell, commands)) else []
    return pytest.param(row, id=f"{row.place} {row.command}"[:90], marks=marks)


@pytest.mark.parametrize("row", [*map(parameters, ROWS)])
def test_the_hint_leads_on(row: Followed, typed) -> None:
    """The command gets the hint; typed, it gives the number or the question, and not the same hint again."""
    write(row.files)
    assert row.hint in typed(row.command).hints

    for step in row.steps:
        said = typed(step.command)
        assert row.hint not in said.hints, step
        if step.kind == "!":
            assert f"losscalc: error: {step.outcome}\n" in said.err, (step, said)
        elif step.kind == "~":
            assert step.outcome in said.out, (step, said)
        else:
            assert "error:" not in said.err, (step, said)
            assert numbers(said.out) == pytest.approx(numbers(step.outcome), rel=1e-9, nan_ok=True), step


def numbers(text: str) -> list[float]:
    """The numbers of a text, which may be a list or a matrix."""
    return [float(word) for word in re.split(r"[\s,\[\]]+", text) if word]


@pytest.mark.parametrize("row", [*map(parameters, ROWS)])
def test_what_a_hint_names_is_typed(row: Followed) -> None:
    """Options, parts and commands of a hint are in what is typed after it: none of them only looks right."""
    hint = re.sub("leave [^;,]* out", "", row.hint)
    named = re.findall(rf"--[a-z][a-z-]*|#[a-z_][\w-]*|losscalc (?:{COMMANDS})\b", hint)
    typed = " ".join(step.command for step in row.steps)
    assert [name for name in named if name not in typed] == []


# The hints that no row of a table follows, and why.
ELSEWHERE = {
    "all files in it, one after the other: 'parts/*.csv'": "test_a_folder",
    "if one of the columns is meant, give it alone, as df['id']": "tests/python/test_arrays.py",
    "take the column of the array: df['p']": "tests/python/test_arrays.py",
    "take the columns of the array: df.drop(columns=['id'])": "tests/python/test_arrays.py",
    "take the columns of the array: df[['a', 'b']]": "tests/python/test_frames.py",
    "give .sort_index() of it": "tests/python/test_frames.py",
    "if it stands in the order of the classes, give .to_numpy() of it": "tests/python/test_frames.py",
    "bring it into the order of the columns": "tests/python/test_frames.py",
    "leave it out, as in numpy.delete(array, 7, axis=1)": "tests/insight/test_diagnose.py",
    "pip install 'losscalc[arrow]'": "test_extras_exist",
    "pip install 'losscalc[dask]'": "test_extras_exist",
    "pip install 'losscalc[digits]'": "test_extras_exist",
    "pip install 'losscalc[excel]'": "test_extras_exist",
    "pip install 'losscalc[plot]', or name a file .svg": "test_extras_exist",
    "losscalc completion bash prints such a script": "tests/cli/test_errors.py",
    "read it when nothing writes to it, or a copy": "tests/inputs/test_changes.py",
    "use one of .png .svg .pdf": "test_formats_of_plots",
    "dask scheduler prints its address, as in tcp://host:8786": "a cluster: tests/engine/test_dask.py",
    "give them more memory": "a cluster whose workers die",
    "leave --dask out": "a cluster: tests/engine/test_dask.py",
    "--no-key takes the rows as they stand": "a cluster: tests/engine/test_dask.py",
    "put the array in a file that all workers can read": "a cluster: tests/engine/test_dask.py",
    "please report it with what --debug shows": "test_a_bug",
    "take --reduction mean or sum, or smaller arrays": "test_out_of_memory",
    "use -o FILE.npy, or pipe it": "test_npy_on_a_terminal",
}


def test_every_hint_is_followed() -> None:
    """Each hint that the sources have is that of a row, or of one of the tests below."""
    shown = [*(row.hint for row in ROWS), *ELSEWHERE]
    # Options for reading may name an array; Python has arguments in the place of options.
    plain = {
        re.sub(r"(--(?:from|delimiter|decimal|header|encoding)) [a-z]+=", r"\1 ", hint) for hint in shown
    }
    pieces = [piece.replace("--", "") for hint in plain for piece in (hint, *re.split(" ?; ", hint))]
    lacking = [
        (name, pattern)
        for pattern, name in patterns().items()
        if not any(re.fullmatch(pattern.replace(r"\-\-", ""), piece) for piece in pieces)
    ]
    assert lacking == [], "each wants a row in tests/data/hints"


def test_what_is_followed_elsewhere_is_a_hint() -> None:
    """Nothing stays on the list that the package does not say any more."""
    assert all(any(re.fullmatch(pattern, hint) for pattern in patterns()) for hint in ELSEWHERE)


# Hints that are nothing but what is put into them: a command as it was meant (cli.txt), and the lines that
# convert a file (test_lines_that_convert_are_python).
OPEN = {r".*\ .*": "losscalc.cli.grouped", r".*:\ .*": "losscalc.inputs.signatures"}


def test_patterns_tell_hints_apart() -> None:
    """All others have words of their own, so that a row for one hint is none for another."""
    assert {
        pattern: name for pattern, name in patterns().items() if not re.search("[a-z]{2}", pattern)
    } == OPEN


def test_extras_exist() -> None:
    """What is to be installed is an extra of the package."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    named = {extra for pattern in patterns() for extra in re.findall(r"losscalc\\\[(\w+)", pattern)}
    assert named
    assert named <= project["optional-dependencies"].keys()


def test_formats_of_plots(typed) -> None:
    """A plot gets a suffix that names a format."""
    assert typed("losscalc mse -i 1 -t 0 --plot f.gif").hints == ["use one of .png .svg .pdf"]
    assert typed("losscalc mse -i 1 -t 0 --plot f.svg") == Said("1.0\n", "")
    assert Path("f.svg").exists()


@pytest.mark.slow
def test_npy_on_a_terminal(typed, monkeypatch) -> None:
    """Bytes go to a file or into a pipe: 3 - 1 is 2."""
    with monkeypatch.context() as patch:
        patch.setattr("losscalc.cli.output.is_terminal", lambda: True)
        assert typed("losscalc l1 -i 3 -t 1 -f npy").hints == ["use -o FILE.npy, or pipe it"]
        assert typed("losscalc l1 -i 3 -t 1 -f npy -o f.npy") == Said("", "")
    assert np.load("f.npy") == 2
    assert typed("true && losscalc l1 -i 3 -t 1 -f npy | losscalc l1 -i - -t 0") == Said("2.0\n", "")


def test_out_of_memory(typed, monkeypatch) -> None:
    """Single losses need the memory that their sum does not: 1 + 4."""
    compute = engine.compute

    def with_little(call, *arguments):
        if call.reduction.keeps:
            raise MemoryError
        return compute(call, *arguments)

    monkeypatch.setattr("losscalc.cli.request.engine.compute", with_little)
    assert typed("losscalc mse -i 1,2 -t 0,0 -r none").hints == [
        "take --reduction mean or sum, or smaller arrays"
    ]
    assert typed("losscalc mse -i 1,2 -t 0,0 --reduction sum") == Said("5.0\n", "")
    assert typed("losscalc mse -i 1,2 -t 0,0 --reduction mean") == Said("2.5\n", "")


def test_a_bug(typed, monkeypatch) -> None:
    """What to report comes with the option that the hint names."""
    monkeypatch.setattr("losscalc.cli.request.engine.compute", lambda *_, **__: 1 / 0)
    assert typed("losscalc mse -i 1 -t 0").hints == ["please report it with what --debug shows"]
    assert "Traceback" in typed("losscalc mse -i 1 -t 0 --debug").err


@pytest.mark.parametrize(
    ("command", "option"),
    [
        # Shapes that do not broadcast, and a target that would enlarge the input
        ("losscalc mse -i '[[[1,2,3]]]' -t '[[1,2],[3,4]]'", "--broadcast"),
        ("losscalc multilabel-soft-margin -i 1,2,3 -t '[[1,0,1],[0,1,1]]'", "--broadcast"),
        # Logits that are computed have their classes on axis 1
        (
            "losscalc linear-cross-entropy -i '[[1,1]]' -t '[[0,1]]' "
            "--linear-weight '[[[1,1],[1,1],[1,1]],[[1,1],[1,1],[1,1]]]'",
            "--class-axis",
        ),
        # A cell of several words, in a table of several columns and for a loss without labels
        ("losscalc mse -i f.csv#tags -t 1,2", "--delimiter"),
        ("losscalc mse -i f.csv#tags -t 1,2", "--multi-hot"),
        # Options that are like others by their dashes, or by one letter
        ("losscalc mse -i 1 -t 1 --beta 2", "--stats"),
        ("losscalc mse -i 1 -t 1 -a 2", "--na"),
    ],
)
def test_no_hint_at_what_does_not_help(command, option, typed) -> None:
    """Better none than one that leads to the next error."""
    Path("f.csv").write_text("p,tags\n1,0 1\n2,1\n")
    said = typed(command)
    assert "error:" in said.err
    assert not any(option in hint for hint in said.hints)


@pytest.mark.parametrize("name", ["f.x", "it's $5.x", 'a\\b "c" `d`!.x'])
def test_lines_that_convert_are_python(name) -> None:
    """Also those whose libraries are not installed, as tests/inputs/test_signatures.py runs the others."""
    kinds = [kind for _, kind in (*signatures._SIGNATURES, *signatures._MEMBERS)]
    for kind in (*kinds, signatures.TORCHSCRIPT):
        words = shlex.split(signatures.refusal(kind, name).hint.partition(": ")[2])
        if words[:2] == ["python", "-c"]:
            code = ast.parse(words[2])
            assert name in {node.value for node in ast.walk(code) if isinstance(node, ast.Constant)}
        else:
            assert name in words


def test_python_gives_the_hint_too() -> None:
    """Percentages as probabilities, in Python."""
    with pytest.raises(losscalc.DomainError) as caught:
        losscalc.compute("bce", [85, 20], [1, 0])
    assert caught.value.hint == "divide percentages by 100"


def test_log_of_nothing_and_of_less(typed) -> None:
    """0 gives -inf; a negative number is refused, with its place."""
    out, said = typed("losscalc log -i 1,0,0.5")
    assert [float(word) for word in out.split()] == [0.0, float("-inf"), pytest.approx(-0.6931471805599453)]
    assert said == "losscalc: warning: --input[1]: a result is not finite, found -inf\n"

    out, said = typed("losscalc log -i 1,-2")
    assert (out, said.splitlines()[0]) == ("", "losscalc: error: --input[1]: must be at least 0, found -2.0")


def test_a_folder(typed) -> None:
    """The pattern that stands for the files of a folder; the numbers are 1 and 3."""
    Path("parts").mkdir()
    for name, text in {"a.csv": "1\n", "b.csv": "3\n", "_SUCCESS": ""}.items():
        Path("parts", name).write_text(text)
    assert typed("losscalc mse -i parts -t 0,0").hints == [
        "all files in it, one after the other: 'parts/*.csv'"
    ]
    assert float(typed("losscalc mse -i 'parts/*.csv' -t 0,0").out) == 5
