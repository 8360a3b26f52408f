"""The guide for contributors shows what is there: the walk through a loss is its code."""

import re
from pathlib import Path

import pytest

import losscalc

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
CODE = Path(losscalc.__file__).parent / "catalogue" / "regression.py"
ROWS = ROOT / "tests" / "data" / "vectors.txt"


@pytest.mark.parametrize(("language", "path"), [("python", CODE), ("text", ROWS)])
def test_a_loss_is_shown_as_it_is(language: str, path: Path) -> None:
    """The class and its golden rows stand in their files to the letter."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert block in path.read_text("utf-8"), f"show in .github/CONTRIBUTING.md what {path.name} holds"


def test_paths_are_there() -> None:
    """What the guide names in this repository exists."""
    named = re.findall(r"`?((?:tests|losscalc)/[\w/.]+)`?", GUIDE)
    # Beside an installed wheel the source of the package is elsewhere.
    missing = [
        path
        for path in named
        if not ((CODE.parents[2] if path.startswith("losscalc") else ROOT) / path).exists()
    ]
    assert len(named) > 5
    assert not missing
