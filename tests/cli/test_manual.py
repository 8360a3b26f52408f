"""The manual pages, and the wheel that brings them and the completion files."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import losscalc
from losscalc.cli.catalogue import TOOLS
from losscalc.cli.completion import SHELLS, script
from losscalc.cli.manual import pages
from losscalc.core.registry import operations

ROOT = Path(__file__).parents[2]
PAGES = dict(pages())


def test_every_command_has_a_page():
    """Beside that of losscalc itself, which lists them with the exit codes."""
    commands = [*operations(), *TOOLS]
    assert [*PAGES] == ["losscalc.1", *(f"losscalc-{name}.1" for name in commands)]
    for name in commands:
        assert f".B {name.replace('-', chr(92) + '-')}\n" in PAGES["losscalc.1"]
    codes = re.findall(r"^\.B (\d+)$", PAGES["losscalc.1"], re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "4", "5", "70", "130"]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_of_roff(name):
    """No line begins like a command unless it is one, and no hyphen becomes a dash."""
    text = PAGES[name]
    assert text.startswith('.TH "LOSSCALC')
    commands = {line.split(" ")[0] for line in text.splitlines() if line.startswith(".")}
    assert commands <= {".TH", ".SH", ".PP", ".TP", ".B", ".BR", ".nf", ".fi"}
    assert not re.search(r"(?<!\\)-", text)
    assert all(line.strip() for line in text.splitlines())


def test_a_page_has_all_options():
    """In the order of the help, with what only --help-all shows."""
    page = PAGES["losscalc-bce-logits.1"].replace("\\-", "-")
    assert re.findall(r"^\.SH (.*)$", page, re.MULTILINE)[:5] == [
        *("NAME", "SYNOPSIS", "DESCRIPTION", "ARRAYS", "PARAMETERS"),
    ]
    for option in ("-i, --input ARRAY", "--pos-weight ARRAY", "--size-average / --no-size-average"):
        assert f".B {option}\n" in page


@pytest.mark.slow
def test_man_reads_them(tmp_path):
    """Without a warning, as a page of text."""
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("man and groff are not installed")
    path = tmp_path / "losscalc-bce-logits.1"
    path.write_text(PAGES[path.name], "utf-8")
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(path)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "losscalc-bce-logits - Binary cross-entropy of logits" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_the_wheel_has_them(tmp_path):
    """Where man and the shells look for them."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    if not (ROOT / ".ci" / "hatch_build.py").is_file():
        pytest.skip("the source is not here, from which a wheel is built")
    subprocess.run(
        ["python", "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        prefix = f"losscalc-{losscalc.__version__}.data/data/share/"
        shared = {name.removeprefix(prefix): name for name in archive.namelist() if name.startswith(prefix)}
        places = (
            "bash-completion/completions/losscalc",
            "zsh/site-functions/_losscalc",
            "fish/vendor_completions.d/losscalc.fish",
        )
        for shell, place in zip(SHELLS, places, strict=True):
            assert archive.read(shared[place]) == script(shell)
        assert {name for name in shared if name.startswith("man")} == {f"man/man1/{name}" for name in PAGES}
        assert archive.read(shared["man/man1/losscalc.1"]).decode() == PAGES["losscalc.1"]
