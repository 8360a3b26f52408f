"""The types of the public names, as mypy sees them in a user's code."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("mypy"), reason="mypy is not installed: pip install '.[dev]'"),
]


def errors(name: str) -> dict[int, str]:
    """The codes of mypy's errors in a file here, by line."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", f"tests/typing/{name}"]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    found = re.findall(rf"^tests/typing/{name}:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert len(found) == done.stdout.count(": error:"), done.stdout + done.stderr
    assert done.returncode in (0, 1), done.stderr
    return {int(line): code for line, code in found}


def test_what_users_write_is_accepted():
    """The types are those that the file claims."""
    assert errors("accepted.py") == {}


def test_what_is_wrong_is_refused():
    """On the very lines that say so, with the codes that they name."""
    lines = (HERE / "refused.py").read_text("utf-8").splitlines()
    expected = {number: line.partition("# error: ")[2] for number, line in enumerate(lines, 1)}
    assert errors("refused.py") == {number: code for number, code in expected.items() if code}
