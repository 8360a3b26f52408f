"""What follows from the registry: the tables of the README and of the guide, and the index of names.

`python -m tests.support.tables` writes them anew.
"""

import re
import textwrap
from importlib import import_module
from pathlib import Path

import losscalc.catalogue
from losscalc import losses
from losscalc.catalogue.index import MODULES
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.operation import Operation
from losscalc.core.registry import names_of, operations
from tests.support.pages import PAGES

CATALOGUE = Path(losscalc.catalogue.__file__).parent
INDEX = CATALOGUE / "index.py"
TASKS = CATALOGUE.parent / "cli" / "tasks.py"
TASKS_TOLD = (
    *("regression", "forecast", "counts", "binary", "one class of several", "multi-label", "language model"),
    *("imbalanced", "segmentation", "object detection", "distributions", "distillation", "metric learning"),
    *("support vector machine", "ranking", "preference", "policy gradient", "speech", "survival"),
)
"""The tasks that the README tells of."""


def catalogue() -> str:
    """What PyTorch has, too: command, name there, formula, reductions, further options."""
    rows = [["command", "PyTorch", "formula", "reductions", "further options"]]
    for name, cls in operations().items():
        if not cls.torch:
            continue
        formula = cls.formula.replace("|", r"\|")
        options = " ".join(f"`{option}`" for option in further_options(cls))
        rows.append([f"`{name}`", f"`{cls.torch}`", f"`{formula}`", " ".join(cls.reductions), options])
    return markdown(rows)


def deviations() -> str:
    """What each loss does otherwise than PyTorch."""
    rows = [["loss", "unlike PyTorch it"]]
    rows += [[f"`{name}`", f"{cls.unlike}."] for name, cls in losses().items() if cls.unlike]
    return markdown(rows)


def further_options(cls: type[Operation]) -> list[str]:
    """The options of an operation, but for `--input` and `--target`."""
    arrays = [a.name for a in array_arguments(cls) if a.name not in ("input", "target")]
    names = [*arrays, *(p.alias or p.name for p in parameters(cls))]
    return ["--" + name.replace("_", "-") for name in names]


def markdown(rows: list[list[str]]) -> str:
    """Rows, of which the first is the heading, as a table."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def by_task() -> str:
    """What losses are for: a row for each of the tasks that together need all of them."""
    rows = [["task", "losses"]]
    for task in TASKS_TOLD:
        names = " ".join(f"`{name}`" for name, cls in losses().items() if task in cls.uses)
        rows.append([task, names])
    return markdown(rows)


TABLES = {"README": by_task, "formulas": catalogue, "pytorch-differences": deviations}
"""The table that a page has."""


def renewed(page: str, text: str) -> str:
    """The text of a page with its table in the place of the one that has the same heading."""
    fresh = TABLES[page]()
    heading = re.escape(fresh.partition("\n")[0])
    text, count = re.subn(rf"^{heading}\n(?:\|.*\n)*", lambda _: fresh, text, flags=re.MULTILINE)
    assert count == 1, fresh.partition("\n")[0]
    return text


def index() -> str:
    """The index of the names of all operations, by which their modules are found: a line for each of them."""
    families = [*MODULES, *sorted({path.stem for path in CATALOGUE.glob("[a-z]*.py")} - {*MODULES, "index"})]
    lines = [INDEX.read_text("utf-8").partition("MODULES")[0] + "MODULES = {\n"]
    for family in families:
        module = import_module(f"losscalc.catalogue.{family}")
        own = [cls for cls in vars(module).values() if isinstance(cls, type) and cls in operations().values()]
        rows = [
            " ".join(name.replace(" ", "-") for name in names_of(cls))
            for cls in own
            if cls.__module__ == module.__name__
        ]
        wrapped = [
            textwrap.fill(row, 100, initial_indent=" " * 8, subsequent_indent=" " * 12) for row in rows
        ]
        if rows:
            lines.append(f'    "{family}": """\n' + "\n".join(wrapped) + '\n    """,\n')
    return "".join(lines) + "}\n"


def tasks() -> str:
    """The losses of each task of the first screen, without having to import them."""
    head = TASKS.read_text("utf-8").partition("TASKS")[0]
    lines = []
    for task in import_module("losscalc.cli.tasks").TASKS:
        names = " ".join(name for name, cls in losses().items() if task in cls.uses)
        wrapped = textwrap.fill(
            names, 100, initial_indent=" " * 8, subsequent_indent=" " * 8, break_on_hyphens=False
        )
        lines.append(f'    "{task}": """\n{wrapped}\n    """,\n')
    return head + "TASKS = {\n" + "".join(lines) + "}\n"


if __name__ == "__main__":
    INDEX.write_text(index(), "utf-8")
    TASKS.write_text(tasks(), "utf-8")
    for page in TABLES:
        PAGES[page].write_text(renewed(page, PAGES[page].read_text("utf-8")), "utf-8")
