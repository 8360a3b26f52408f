"""What the README and the guide state: installing, exit codes, formats, limits, differences from PyTorch."""

import re
import runpy
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import metadata, requires
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from losscalc import compute, losses
from losscalc.cli import boundary
from losscalc.cli.check import EXIT_DIFFERENT
from losscalc.core.registry import lookup
from losscalc.errors import LosscalcError, LosscalcWarning
from losscalc.inputs import FORMATS, document, limits, npy, npz
from losscalc.inputs.stream import COMPRESSIONS
from losscalc.outputs.writers import WRITERS
from tests.support.pages import ROOT, blocks, code, copy_samples, environment, read, table
from tests.support.tables import TABLES, renewed

FRESH = "run `python -m tests.support.tables`, which writes it anew"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the samples in it."""
    return copy_samples(tmp_path)


def test_first_command(folder: Path) -> None:
    """The first command installs the clone and computes the loss of files that exist."""
    install, main_job = blocks(read("README"), "sh")[0].strip().split(" && ")
    assert install == "pip install ."
    words = shlex.split(main_job)
    assert [words[0], words[2], words[4]] == ["losscalc", "--input", "--target"]
    assert all((folder / words[i]).is_file() for i in (3, 5))
    done = subprocess.run(
        main_job, shell=True, cwd=folder, env=environment(), capture_output=True, check=True
    )
    assert float(done.stdout) == pytest.approx(0.9256, abs=5e-5)


def test_second_command() -> None:
    """The second command installs an extra that exists and runs the tests; there is no third."""
    assert len(blocks(read("README"), "sh")) == 2
    assert blocks(read("README"), "sh")[1] == "pip install '.[test]' && pytest\n"
    assert any("pytest" in need and "extra" in need and "test" in need for need in requires("losscalc") or [])


def test_requirements() -> None:
    """What the README says of Python and of dependencies is what the package declares."""
    hard = [re.match(r"\w+", need) for need in requires("losscalc") or [] if "extra" not in need]
    assert sorted(name[0] for name in hard if name) == ["click", "numpy", "rich"]
    assert metadata("losscalc")["Requires-Python"] == ">=3.11"


def test_exit_codes() -> None:
    """The table of exit codes has those that the program uses, and 0."""
    known = {error.exit_code for error in subclasses(LosscalcError)}
    known |= {
        EXIT_DIFFERENT,
        boundary.EXIT_USAGE,
        boundary.EXIT_SOURCE,
        boundary.EXIT_BUG,
        boundary.EXIT_INTERRUPT,
    }
    assert [int(row[0]) for row in table(read("ci"), "exit code")] == sorted(known | {0})
    (line,) = re.findall("^Exit codes: (.*)$", read("README"), re.MULTILINE)
    assert [int(code) for code in re.findall(r"\d+", line)] == sorted(known | {0})


def subclasses(cls: type[LosscalcError]) -> Iterator[type[LosscalcError]]:
    """A class and all below it."""
    yield cls
    for below in cls.__subclasses__():
        yield from subclasses(below)


@pytest.mark.parametrize("page", TABLES)
def test_tables_are_fresh(page: str) -> None:
    """The tables of losses and of what differs are what the registry says."""
    assert renewed(page, read(page)) == read(page), FRESH


def test_every_loss_has_a_task() -> None:
    """The table of losses by task has every loss."""
    listed = {name for row in table(read("README"), "task") for name in code(row[1])}
    assert listed == set(losses())


def test_formats() -> None:
    """The table of formats has no suffix that losscalc does not know, and no format is missing."""
    rows = table(read("inputs"), "I have ...")
    suffixes = {record.name: record.suffixes for record in FORMATS.values()}
    written = {suffix for writer in WRITERS.values() for suffix in writer.suffixes}
    readable = {suffix for group in suffixes.values() for suffix in group}
    for _, own, _, reads, writes in rows:
        assert all((suffix in readable) == (reads == "yes") for suffix in code(own))
        assert all((suffix in written) == (writes != "no") for suffix in code(own))
    listed = {suffix for row in rows for suffix in code(row[1])}
    assert [name for name, group in suffixes.items() if not listed & set(group)] == []
    assert [name for name in COMPRESSIONS if f"`{name}`" not in read("inputs")] == []


INFINITY = float("inf")
ROW = [[1.0, 2.0, 3.0]]
ONES, COLUMN = [1.0, 2.0, 3.0], [[1.0], [2.0], [3.0]]

# The calls of the table of differences, in its order: the name, the arrays, everything else.
# An array is float64, unless it comes with a dtype.
Call = tuple[str, list[Any], dict[str, Any]]
CALLS: list[Call] = [
    ("bce-logits", [[-INFINITY], [0.0]], {}),
    ("cross-entropy", [[[INFINITY, 0.0]], ([0], "int64")], {}),
    ("bce-logits", [([-40.0], "float32"), ([0.0], "float32")], {}),
    ("cross-entropy", [[[40.0, 0.0]], ([0], "int64")], {}),
    ("cross-entropy", [ROW, [2.0]], {}),
    ("cross-entropy", [ROW, [1.5]], {}),
    ("bce", [[0.9], ([1], "int64")], {}),
    ("mse", [([1], "int64"), ([3], "int64")], {}),
    ("nll", [[[-0.5]], ([0], "int64")], {"weight": [-1.0], "reduction": "sum"}),
    ("bce-logits", [[1.0], [1.0]], {"pos_weight": [-1.0]}),
    ("cross-entropy", [ROW, ([2], "int64")], {"label_smoothing": -0.1}),
    ("cross-entropy", [ROW, ([2], "int64")], {"label_smoothing": 1.1}),
    ("mse", [ONES, COLUMN], {}),
]


def outcome(call: Callable[[], object]) -> str:
    """What came of a call, in the words of the table."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = float(call())  # type: ignore[arg-type]
        except (LosscalcError, RuntimeError, TypeError, ValueError):
            return "refused"
    return f"{value:.4g}" + (", with a warning" if caught else "")


def arrays_of(call: Call) -> list[np.ndarray]:
    """The arrays of a call."""
    return [
        np.array(*array) if isinstance(array, tuple) else np.array(array, np.float64) for array in call[1]
    ]


def test_differences_losscalc() -> None:
    """What the table says of losscalc in each of the calls that differ."""
    found: list[str] = []
    for call in CALLS:
        name, arrays, options = call[0], arrays_of(call), call[2]
        result = outcome(lambda: compute(name, *arrays, **options))  # noqa: B023 - called at once
        if "broadcast" in table(read("pytorch-differences"), "call")[len(found)][2]:
            result += "; " + outcome(lambda: compute(name, *arrays, broadcast=True)) + " with `--broadcast`"  # noqa: B023
        found.append(result)
    assert found == [row[2] for row in table(read("pytorch-differences"), "call")]


@pytest.mark.parity
def test_differences_pytorch() -> None:
    """What the table says of PyTorch, where PyTorch is installed."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    found: list[str] = []
    for call in CALLS:
        function = getattr(torch.nn.functional, lookup(call[0]).functional)
        arrays = [torch.from_numpy(array) for array in arrays_of(call)]
        options = {
            key: torch.tensor(value, dtype=torch.float64) if isinstance(value, list) else value
            for key, value in call[2].items()
        }
        found.append(outcome(lambda: function(*arrays, **options)))  # noqa: B023 - called at once
    assert found == [row[1] for row in table(read("pytorch-differences"), "call")]


def test_calls_are_those_described() -> None:
    """Each row of the table of differences names the loss that its test calls."""
    assert [code(row[0])[0] for row in table(read("pytorch-differences"), "call")] == [
        call[0] for call in CALLS
    ]


def test_not_finite_warns() -> None:
    """Where a limit does not exist, the value is NaN or infinite, and a warning says where."""
    with pytest.warns(LosscalcWarning, match=r"not finite.* at \[1\]"):
        assert compute("bce-logits", [0.0, INFINITY], [0.0, 0.0]) == INFINITY
    with pytest.warns(LosscalcWarning, match=r"not finite.* at \[0\]"):
        assert np.isnan(compute("cross-entropy", [[INFINITY, INFINITY]], [0]))


def test_empty_mean_warns() -> None:
    """The mean of nothing is NaN, with a warning."""
    with pytest.warns(LosscalcWarning):
        assert np.isnan(compute("mse", np.zeros((0, 2)), np.zeros((0, 2))))


def test_import_is_light() -> None:
    """The Python interface imports NumPy, but neither Click nor Rich."""
    start = "import sys; from losscalc import compute; "
    program = start + "print(*sorted({'numpy', 'click', 'rich'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == "numpy\n"


def test_limits():
    """The limits of the section on security are those of the program."""
    sizes = (limits.HELD, limits.LINE, limits.UNPACKED, limits.UNPACKED_ARRAY)
    counts = (document.DEEPEST, npz._MOST_MEMBERS)

    expected = [*map(limits.size_text, sizes), *(f"{count:,}" for count in counts)]
    expected.append(limits.size_text(limits.CONTENTS))
    expected += [f"{count:,}" for count in (limits.ENTRIES, limits.CELLS, limits.GROUPS)]
    assert [row[1] for row in table(read("security"), "what | most") if row] == expected
    assert f"more than {limits._RATIO} times its size" in read("security")
    assert f"at most {npy._LONGEST_HEADER:,} bytes" in read("security")


def test_description(monkeypatch: pytest.MonkeyPatch) -> None:
    """What package indexes show has no pictures and no relative links, and is otherwise the README."""
    # The build brings Hatchling, which the tests do not need.
    for end in range(1, 5):
        name = ".".join(["hatchling", "metadata", "plugin", "interface"][:end])
        monkeypatch.setitem(sys.modules, name, Mock(MetadataHookInterface=object))
    text = runpy.run_path(str(ROOT / ".ci" / "description.py"))["absolute"](read("README"))
    assert "](" in text
    assert re.findall(r"!\[|\]\((?!https://)", text) == []
    assert blocks(text, "console") == blocks(read("README"), "console")
    if not (ROOT / "losscalc").is_dir():
        assert metadata("losscalc").get_payload() == text
