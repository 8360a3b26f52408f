"""The README, the guide and the README of the samples keep their promises: what they show comes out."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from losscalc import cli
from losscalc.cli.guide import topics
from tests.support.pages import (
    FENCE,
    GUIDE,
    PAGES,
    ROOT,
    at_home,
    blocks,
    copy_samples,
    environment,
    is_plain,
    printed,
    read,
    run_python,
    same,
    steps,
)

FRESH = "run `python -m tests.support.pages`, which writes it anew"


def _sessions() -> list[object]:
    """Each block of commands; slow are those that start processes, and those that search for mistakes."""
    sessions: list[object] = []
    for page in PAGES:
        for number, block in enumerate(blocks(read(page), "console")):
            commands = [command for command, _ in steps(block)]
            is_slow = any(not is_plain(each) or "--expect" in each for each in commands)
            marks = [pytest.mark.slow] if is_slow else []
            sessions.append(pytest.param(block, id=f"{page}-{number}", marks=marks))
    return sessions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the samples in it, where commands may write."""
    return copy_samples(tmp_path)


@pytest.mark.parametrize("block", _sessions())
def test_commands(block: str, folder: Path) -> None:
    """Every command prints what the page shows."""
    with at_home(folder):
        outputs = printed(block)
    for (command, shown), output in zip(steps(block), outputs, strict=True):
        assert output == shown or same(output, shown), f"{command}\n{FRESH}"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(read(page), "python")])
def test_python(page: str, folder: Path) -> None:
    """The Python of a page gives what it shows, one example after the other."""
    with at_home(folder):
        assert run_python(read(page)) == {}, FRESH


def test_commands_are_this_losscalc() -> None:
    """The losscalc that a shell finds belongs to the Python that runs the tests."""
    assert shutil.which("losscalc", path=environment()["PATH"]) == str(
        Path(sys.executable).parent / "losscalc"
    )


@pytest.mark.parametrize("page", PAGES)
def test_only_known_blocks(page: str) -> None:
    """There is no fenced block that no test knows, and no fence that stays open."""
    known = {"console", "python"} | {"README": {"sh"}, "ci": {"yaml"}}.get(page, set())
    assert {name for name, _ in FENCE.findall(read(page))} <= known
    assert len(re.findall(r"^```", read(page), re.MULTILINE)) == 2 * len(FENCE.findall(read(page)))


@pytest.mark.parametrize("page", PAGES)
def test_links(page: str) -> None:
    """What a page links to in this repository is there; the guide, which is installed, links to nothing."""
    targets = [target for target in re.findall(r"\]\((.*?)\)", read(page)) if "://" not in target]
    assert not targets or PAGES[page].parent != GUIDE
    # Beside an installed wheel there is only what the tests need.
    if (ROOT / "losscalc").is_dir():
        assert [target for target in targets if not (PAGES[page].parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_topics_that_are_named(page: str) -> None:
    """Each `losscalc help TOPIC` that a page names is there."""
    assert set(re.findall(r"losscalc help ([a-z][\w-]*)", read(page))) <= set(topics())


def test_steps_of_the_pipeline(folder: Path) -> None:
    """What the snippet for GitHub runs is right today, and a bound that is passed fails the build."""
    (snippet,) = blocks(read("ci"), "yaml")
    commands = [shlex.split(line)[1:] for line in re.findall("run: (losscalc .*)", snippet)]
    assert len(commands) == 2
    with at_home(folder):
        assert [cli.run(words) for words in commands] == [0, 0]
        lower = [word.replace("0.11", "0.10") for word in commands[1]]
        assert cli.run(lower) == 1
