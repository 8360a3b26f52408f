"""Imports go down only: the rooms of the house, checked by reading them and by starting them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import losscalc
from losscalc import errors
from losscalc.core.registry import operations

PACKAGE = Path(losscalc.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
SAMPLES = Path(__file__).parents[1] / "samples"

# From the bottom up: a module imports from its own floor and from those below it.
FLOORS = [
    ("errors",),
    ("core",),
    ("engine",),
    ("catalogue", "inputs"),
    ("outputs",),
    ("insight",),
    ("cli",),
    ("testing",),
    ("__init__", "__main__"),
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}


def room(path: Path) -> str:
    """The room of a module: its name, or that of the package it is in."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return names


def rooms_imported(path: Path) -> set[str]:
    """The rooms that a file imports from."""
    return {
        name.split(".")[1]
        for name in imported(path)
        if name.startswith("losscalc.") and name.split(".")[1] in FLOOR
    }


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_down(path):
    """A module imports from its own room and from those on lower floors."""
    above = {r for r in rooms_imported(path) if r != room(path) and FLOOR[r] >= FLOOR[room(path)]}

    assert not above


@pytest.mark.parametrize(
    ("package", "owner"),
    [
        ("click", "cli"),
        ("rich", "outputs"),
        ("distributed", "engine"),
        ("pyarrow", "inputs"),
        ("python_calamine", "inputs"),
    ],
)
def test_one_room_knows_a_library(package, owner):
    """Only cli imports Click, only outputs Rich, only engine Dask, and only inputs what reads files."""
    users = {room(path) for path in MODULES if any(n.split(".")[0] == package for n in imported(path))}

    assert users == {owner}


def test_losses_see_no_file_and_formats_no_loss():
    """Two rooms on one floor, of which neither imports the other."""
    for path in MODULES:
        assert not {"catalogue", "inputs"} <= {room(path), *rooms_imported(path)} or room(path) not in (
            "catalogue",
            "inputs",
        )


TERMS = {"cross-entropy", "hinge", "perplexity", "focal", "contrastive"}
"""Names of losses that are words of the field as well, of which a sentence may speak."""

FACTS = {"perplexity", "clip"}
"""Names of losses that are also told of others: the statistics show one, the search for mistakes both."""


def strings(path: Path) -> set[str]:
    """The strings of a module, but for docstrings, which may show an example."""
    tree = ast.parse(path.read_text("utf-8"))
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, owners) and ast.get_docstring(node)
    }
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs)
    return {node.value for node in constants if isinstance(node.value, str)}


# What losses are for may be what one is called by, as `contrastive` is.
OTHERS = [path for path in MODULES if room(path) != "catalogue" and path.name != "tasks.py"]


@pytest.mark.parametrize("path", OTHERS, ids=str)
def test_no_other_room_knows_a_loss_by_its_name(path):
    """What is special about a loss is an attribute of its class: losscalc/catalogue/base.py lists them."""
    for text in strings(path):
        words = set(re.findall(r"[\w-]+", text)) - (TERMS if " " in text else FACTS)

        assert not words & losscalc.losses().keys(), text


def modules_after(*arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded in the end."""
    code = "import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    done = subprocess.run(
        [sys.executable, "-c", code + arguments[0], *arguments[1:]],
        capture_output=True,
        text=True,
        check=False,
    )
    return set(done.stderr.split())


def test_importing_losscalc_is_light():
    """Neither Click nor Rich nor the readers of files come with it."""
    loaded = modules_after("import losscalc; losscalc.compute")

    assert {"losscalc", "numpy"} <= loaded
    assert not {"click", "rich", "csv", "json", "losscalc.inputs", "losscalc.cli"} & loaded


RUN = "import losscalc.cli; losscalc.cli.run(sys.argv[1:])"


def test_a_pipe_does_not_load_rich():
    """Nor what only other formats need."""
    loaded = modules_after(RUN, "bce-logits", "-i", "1,2", "-t", "0,1")

    assert "click" in loaded
    assert not {"rich", "json", "zipfile", "gzip", "importlib.metadata"} & loaded


def test_a_small_call_loads_little():
    """What other calls need waits for them: half of what importing NumPy takes is all that a call may add."""
    files = ("-i", str(SAMPLES / "logits.csv"), "-t", str(SAMPLES / "labels.csv"))
    loaded = modules_after(RUN, "bce-logits", *files) - modules_after("import click, numpy")

    assert "losscalc.inputs.csv" in loaded
    slow = {"copy", "dataclasses", "decimal", "fnmatch", "importlib.util", "numpy.typing", "shlex", "zlib"}
    # Python loads locale for translations of what Click says, bisect for the line of a wrong number.
    slow |= {"bisect", "locale"}
    assert not slow & loaded
    rare = [
        "core/groupsums",
        "inputs/classes",
        "inputs/conditions",
        "inputs/labels",
        "inputs/spring",
        "inputs/words",
    ]
    rare += ["cli/check", "cli/misuse", "cli/tasks", "insight/call", "outputs/sheets", "outputs/working"]
    rare += ["core/alignment", "core/scores", "core/sequences", "engine/arguments", "engine/rereading"]
    rare += ["engine/wrappers", "inputs/literals", "cli/files", "cli/rereading"]
    assert all((PACKAGE / f"{name}.py").is_file() for name in rare)
    assert not {f"losscalc.{name.replace('/', '.')}" for name in rare} & loaded
    families = {name for name in loaded if name.startswith("losscalc.catalogue.")}
    assert families == {f"losscalc.catalogue.{name}" for name in ("index", "base", "binary")}


def test_help_loads_nothing_that_computes():
    """The help of a loss is its declaration, which needs no file and no check of numbers."""
    loaded = modules_after(RUN, "bce-logits", "--help")

    assert "losscalc.catalogue.binary" in loaded
    rooms = {f"losscalc.{room}" for room in ("cli.values", "inputs.table", "insight", "outputs.sheets")}
    assert not rooms & loaded


def test_the_version_needs_neither_click_nor_numpy():
    """Nor the package's metadata, which are slow to read."""
    loaded = modules_after(RUN, "--version")

    assert "losscalc.cli.streams" in loaded
    assert not {"click", "numpy", "importlib.metadata"} & loaded


def test_only_the_process_of_a_command_puts_off_garbage():
    """A program that uses losscalc, or runs its commands, keeps its own thresholds."""
    report = "import gc, sys, losscalc; from losscalc.cli import main, run; arrays = ['-i', '1', '-t', '2']; "
    report += "losscalc.compute('l1', 1.0, 2.0); run(['l1', *arrays]); print(gc.get_threshold()); "
    report += "sys.argv[1:] = ['l1', *arrays]; "
    # Registered first, and so run last, when main() is over.
    first = (
        "import atexit, gc; print(gc.get_threshold()); atexit.register(lambda: print(gc.get_threshold())); "
    )
    done = subprocess.run([sys.executable, "-c", f"{first}{report}main()"], stdout=-1, text=True, check=True)
    usual, value, after, again, last = done.stdout.splitlines()

    assert value == again == "1.0"
    assert after == usual
    assert last != usual


@pytest.mark.parametrize(("file", "format"), [("f.csv", "csv"), ("f.npy", "npy"), ("f.json", "json")])
def test_extras_are_loaded_for_their_own_files(tmp_path, file, format):
    """Readers of other formats do without them."""
    np.save(tmp_path / "f.npy", [1.0, 2.0])
    (tmp_path / "f.csv").write_text("1\n2\n")
    (tmp_path / "f.json").write_text("[1, 2]")
    loaded = modules_after(RUN, "l1", "-i", str(tmp_path / file), "-t", "1,2")

    assert f"losscalc.inputs.{format}" in loaded
    assert not {"pyarrow", "python_calamine", "subprocess"} & loaded


def test_public_names_are_exact():
    """__all__ is sorted, names every loss, activation, error and warning, and nothing that is not there."""
    classes = {cls.__name__ for cls in operations().values()}
    kinds = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.Remark)
    }

    assert losscalc.__all__ == sorted(losscalc.__all__)
    assert set(losscalc.__all__) == classes | kinds - {"Remark"} | {
        *("Loss", "compute", "gradient", "losses", "__version__"),
        *("check", "compare", "diagnose", "explain", "suppose", "worst"),
        *("Check", "Comparison", "Diagnosis", "Explanation", "Supposition", "WorstLosses"),
    }
    assert all(hasattr(losscalc, name) for name in losscalc.__all__)


def test_files_stay_small():
    """A long file is a sign that a room holds two things."""
    for path in MODULES:
        assert len(path.read_text("utf-8").splitlines()) <= 330, path
