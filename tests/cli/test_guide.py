"""`losscalc help`: the pages of the guide, on terminals of every width and in pipes."""

import re
import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from rich.cells import cell_len

from losscalc import cli
from losscalc.cli.guide import show_help, topics
from losscalc.outputs.canvas import Canvas
from losscalc.outputs.pages import draw_page
from tests.cli.test_terminal import on_terminal
from tests.support.pages import FENCE, GUIDE, read

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a command in this process, and give its exit code and what it printed."""

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.run(words)
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def test_topics_are_listed(run: Run) -> None:
    """Each with a sentence that says what its page tells."""
    code, out, err = run("help")
    assert (code, err) == (0, "")
    listed = dict(line.split("\t") for line in out.splitlines())
    assert list(listed) == sorted(path.stem for path in GUIDE.glob("*.md"))
    expected = "inputs why-different large-data formulas pytorch-differences numbers security speed"
    assert set(expected.split()) <= set(listed)
    assert all(re.fullmatch(r"\S[^\n]{10,98}\.", told) for told in listed.values())


@pytest.mark.parametrize("topic", topics())
def test_a_pipe_gets_the_page(run: Run, topic: str) -> None:
    """As it is written."""
    assert run("help", topic) == (0, read(topic), "")


def test_words_may_stand_apart(run: Run) -> None:
    """With a space for the hyphen, and in capitals."""
    assert run("help", "Why", "different") == (0, read("why-different"), "")


@pytest.mark.parametrize("name", ["mse", "MSELoss", "merge"])
def test_a_loss_or_a_tool_shows_its_help(run: Run, name: str) -> None:
    """What --help shows."""
    assert run("help", name) == run(name, "--help")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("why-diferent", "did you mean losscalc help why-different?"),
        ("csv", "did you mean losscalc help inputs?"),
        ("github actions", "did you mean losscalc help ci?"),
        ("nonsense", "losscalc help lists the topics"),
    ],
)
def test_a_wrong_topic_gets_the_nearest(run: Run, words: str, hint: str) -> None:
    """By its letters, or by what the pages tell."""
    told = f"losscalc: error: unknown topic, found '{words}'\n  hint: {hint}\n"
    assert run("help", *words.split()) == (2, "", told)


@pytest.mark.parametrize("width", [50, 80, 120])
@pytest.mark.parametrize("topic", topics())
def test_pages_fit_the_terminal(topic: str, width: int) -> None:
    """But for lines of sessions, which stay whole; and no option is broken."""
    text = read(topic)
    sessions = {" ".join(line.split()) for _, body in FENCE.findall(text) for line in body.splitlines()}
    lines = draw_page(text, Canvas(width)).splitlines()
    drawn = [line for line in lines if " ".join(line.split()) not in sessions]
    assert max(map(cell_len, drawn)) <= min(width, 100)
    assert sessions <= {" ".join(line.split()) for line in lines} | {""}
    options = set(re.findall(r"--[a-z][a-z-]+[a-z]", FENCE.sub("", text)))
    # Beside the longest name of a loss, 50 columns leave no room for the longest option.
    assert width < 80 or {name for name in options if name not in "\n".join(drawn)} == set()


@pytest.mark.parametrize("topic", ["formulas", "outputs"])
def test_pages_in_ascii(topic: str) -> None:
    """With frames of tables, too."""
    drawn = draw_page(read(topic), Canvas(80, unicode=False))
    assert set(re.findall(r"[^\x00-\x7f]", drawn)) <= set("ⁿ^−")


@pytest.mark.slow
def test_a_terminal_shows_colours_and_no_markup() -> None:
    """Titles are bold, commands and code have a colour, and tables frames."""
    page = on_terminal(["help", "ci"], 80, TERM="xterm")
    assert "\x1b[1;4mIn a pipeline\x1b[0m" in page
    assert "\x1b[36m  $ losscalc" in page
    assert "\u256d" in page
    assert "```" not in page
    assert "**" not in page
    assert "why-different" in on_terminal(["help"], 50, TERM="xterm")


def test_topics_are_completed() -> None:
    """By what was typed of them, with what they tell."""
    parameter = show_help.params[0]
    found = parameter.shell_complete(click.Context(show_help), "in")
    assert [(item.value, item.help) for item in found] == [("inputs", topics()["inputs"])]


def test_a_pipe_waits_for_no_library() -> None:
    """Neither NumPy nor Rich is imported for a page in a pipe."""
    command = [sys.executable, "-X", "importtime", "-m", "losscalc", "help", "ci"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == read("ci")
    assert re.findall(r"\| +(click|numpy|rich)$", done.stderr, re.MULTILINE) == ["click"]
