"""The README's tables that follow from the registry; `python -m tests.support.tables` writes them anew."""

import re
from pathlib import Path

from losscalc import losses
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.operation import Operation, operations

README = Path(__file__).resolve().parents[2] / "README.md"


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


TABLES = (catalogue, deviations)


def renewed(text: str) -> str:
    """The text with each table in the place of the one that has the same heading."""
    for table in TABLES:
        fresh = table()
        heading = re.escape(fresh.partition("\n")[0])
        text, count = re.subn(rf"^{heading}\n(?:\|.*\n)*", lambda _: fresh, text, flags=re.MULTILINE)  # noqa: B023
        assert count == 1, fresh.partition("\n")[0]
    return text


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
