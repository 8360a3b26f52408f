"""The pages that show commands and Python: the README, that of the samples, and the guide of the package.

`python -m tests.support.pages` runs all of it, and writes what comes out into the pages; it draws the
pictures and runs the notebook, too. `python -m tests.support.pages README inputs` does two pages alone, and
`python -m tests.support.tables` is for their tables.
"""

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

import losscalc
from losscalc import cli
from tests.support import notebook

ROOT = Path(__file__).resolve().parents[2]
GUIDE = Path(losscalc.__file__).parent / "guide"
PAGES = {
    "README": ROOT / "README.md",
    "samples": ROOT / "samples" / "README.md",
    **{path.stem: path for path in sorted(GUIDE.glob("*.md"))},
}
NOTEBOOK = ROOT / "samples" / "wrong-number.ipynb"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LONG = re.compile(r"-?\d+\.\d{12,}(?:e-?\d+)?")
# What only a shell understands, outside of quotes.
SYNTAX = re.compile(r"[|&;<>()$`*?\[~\\]|^\w+=")


def read(page: str) -> str:
    """The text of a page."""
    return PAGES[page].read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [body for name, body in FENCE.findall(text) if name == language]


def table(text: str, first: str) -> list[list[str]]:
    """The rows of the table whose first heading is this, without the heading."""
    lines = text.split(f"\n| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [
        [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines
    ]


def code(cell: str) -> list[str]:
    """What stands between backquotes in a cell."""
    return re.findall(r"`(.*?)`", cell)


def steps(block: str) -> list[tuple[str, str]]:
    """The commands of a block, and what each of them prints."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    assert parts[0] == "", "a block begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def same(printed: str, shown: str) -> bool:
    """Equal to the letter; but the last digit of a long number is a matter of the processor's exp and log."""
    if LONG.sub("#", printed) != LONG.sub("#", shown):
        return False
    pairs = zip(LONG.findall(printed), LONG.findall(shown), strict=True)
    return all(float(left) == pytest.approx(float(right), rel=2e-15, abs=0) for left, right in pairs)


def environment() -> dict[str, str]:
    """The environment of a user who has set nothing, with this Python's losscalc first."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LOSSCALC_", "COLUMNS", "COVERAGE"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | {"PATH": path, "PYTHONUTF8": "1", "COLUMNS": "80"}


def copy_samples(folder: Path) -> Path:
    """A folder with the samples in it, where commands may write."""
    shutil.copytree(ROOT / "samples", folder / "samples")
    return folder


@contextlib.contextmanager
def at_home(folder: Path) -> Iterator[None]:
    """Work in a folder, as a user who has set nothing."""
    with contextlib.chdir(folder), mock.patch.dict(os.environ, environment(), clear=True):
        yield


def is_plain(command: str) -> bool:
    """Whether a command is one of losscalc alone, for which no shell and no process is needed."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", command)
    return command.startswith("losscalc ") and not SYNTAX.search(bare)


def printed(block: str) -> list[str]:
    """What the commands of a block print, one after the other, in this folder."""
    code, outputs = 0, []
    for command, _ in steps(block):
        if command == "echo $?":
            outputs.append(f"{code}\n")
            continue
        code, output = (_here if is_plain(command) else _by_a_shell)(command)
        outputs.append(output)
    return outputs


def _here(command: str) -> tuple[int, str]:
    """Run losscalc in this process, which takes a tenth of the time of one of its own."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n", write_through=True)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        exit_code = cli.run(shlex.split(command)[1:])
    stream.seek(0)
    return exit_code, stream.read()


def _by_a_shell(command: str) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout


def python_examples(text: str) -> list[doctest.Example]:
    """The Python of a page, line by line, with what is shown of each."""
    return doctest.DocTestParser().get_examples("\n".join(blocks(text, "python")))


def run_python(text: str) -> dict[int, str]:
    """What the Python of a page gives where that is not what is shown, by the place of the line."""
    names: dict[str, object] = {}
    outputs = (_of_python(example.source, names) for example in python_examples(text))
    pairs = enumerate(zip(python_examples(text), outputs, strict=True))
    return {number: output for number, (example, output) in pairs if not same(output, example.want)}


def _of_python(source: str, names: dict[str, object]) -> str:
    """What Python shows of a line: what it prints, its value, or an error with its notes."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), warnings.catch_warnings():
        warnings.simplefilter("ignore", losscalc.LosscalcWarning)
        try:
            exec(compile(source, "<page>", "single"), names)
        except Exception as error:  # noqa: BLE001 - it is shown
            told = "".join(traceback.format_exception_only(error))
            return f"Traceback (most recent call last):\n    ...\n{told}"
    return stream.getvalue()


def renewed(text: str) -> str:
    """The page with what comes out now, in a folder of samples."""
    return _renewed_python(FENCE.sub(lambda m: _renewed_block(m[0], m[1], m[2]), text))


def _renewed_block(whole: str, language: str, body: str) -> str:
    if language != "console":
        return whole
    with tempfile.TemporaryDirectory() as folder, at_home(copy_samples(Path(folder))):
        outputs = printed(body)
    lines = [
        f"$ {command}\n{shown if same(output, shown) else output}"
        for (command, shown), output in zip(steps(body), outputs, strict=True)
    ]
    return f"```console\n{''.join(lines)}```"


def _renewed_python(text: str) -> str:
    with tempfile.TemporaryDirectory() as folder, at_home(copy_samples(Path(folder))):
        others = run_python(text)
    examples = python_examples(text)
    for number, got in others.items():
        source = re.sub("^", "... ", examples[number].source.rstrip("\n"), flags=re.MULTILINE)
        source = f">>> {source[4:]}\n"
        before = source + examples[number].want
        assert text.count(before) == 1, before
        text = text.replace(before, source + got)
    return text


def renew_notebook() -> None:
    """Run the notebook of the samples, and write it with what comes out."""
    old = notebook.load(NOTEBOOK)
    with contextlib.chdir(NOTEBOOK.parent):
        new = notebook.executed(old)
    if not same("".join(notebook.shown(new)), "".join(notebook.shown(old))):
        NOTEBOOK.write_text(notebook.write(new), "utf-8")


def main(names: list[str]) -> None:
    """Write the pages of these names anew; without names all of them, the pictures and the notebook."""
    for page in names or PAGES:
        PAGES[page].write_text(renewed(read(page)), "utf-8")
    if not names:
        subprocess.run([sys.executable, ROOT / "samples" / "picture.py"], check=True)
        renew_notebook()


if __name__ == "__main__":
    main(sys.argv[1:])
