"""Small tables of texts and numbers, and how to write them in every format but the terminal's."""

import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from losscalc.errors import UsageError
from losscalc.outputs.numbers import all_digits, decimal, fixed, json_bytes


class Figure(NamedTuple):
    """A number that is shown with fewer digits than it has, in the format `spec`."""

    value: float
    spec: str

    @property
    def is_percentage(self) -> bool:
        """Whether it is a percentage, which keeps its format whatever decimals are wanted."""
        return self.spec.endswith("%")


Cell = str | int | float | Decimal | Figure | tuple[str, ...] | None


class Column(NamedTuple):
    """The heading of a column, and the kind of its cells."""

    name: str
    kind: Literal["name", "text", "number"] = "number"
    """A name is never wrapped, a text is if need be; numbers are aligned to the right."""


class Sheet(NamedTuple):
    """A table with a title."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]


def cell_text(cell: Cell, decimals: int | None = None, write: Callable[[float, int], str] = decimal) -> str:
    """A cell as text; numbers other than counts and percentages get so many decimals, if any are named.

    >>> cell_text(0.25), cell_text(0.25, 1), cell_text(Figure(0.25, ".0%"), 1), cell_text(3, 1)
    ('0.25', '0.2', '25%', '3')
    """
    if cell is None:
        return ""
    if isinstance(cell, tuple) and not isinstance(cell, Figure):
        return " ".join(cell)
    if isinstance(cell, Figure) and (decimals is None or cell.is_percentage):
        return format(cell.value, cell.spec)
    number = cell.value if isinstance(cell, Figure) else cell
    if isinstance(number, float):
        return repr(float(number)) if decimals is None else write(number, decimals)
    if isinstance(number, Decimal):
        return all_digits(number)
    return str(number)


def records(sheet: Sheet, decimals: int | None = None) -> list[dict[str, object]]:
    """The rows as dicts for JSON, keyed by column."""
    names = [column.name for column in sheet.columns]
    return [
        {name: _fact(cell, decimals) for name, cell in zip(names, row, strict=True)} for row in sheet.rows
    ]


def _fact(cell: Cell, decimals: int | None) -> object:
    """A cell for JSON, in which numbers are numbers."""
    number = cell.value if isinstance(cell, Figure) else cell
    if decimals is None or not isinstance(number, float) or (isinstance(cell, Figure) and cell.is_percentage):
        return number
    return float(decimal(number, decimals))


def separated(sheet: Sheet, delimiter: str, decimals: int | None = None, heading: bool = True) -> str:
    """A line a row, with a delimiter between the cells."""
    # Imported here, because bare numbers, which most pipes carry, do not need it.
    import csv

    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=delimiter, lineterminator="\n")
    if heading:
        writer.writerow(column.name for column in sheet.columns)
    writer.writerows([cell_text(cell, decimals) for cell in row] for row in sheet.rows)
    return lines.getvalue()


def markdown(sheet: Sheet, decimals: int | None = None) -> str:
    """A table in the syntax of Markdown."""
    rows = [
        [column.name for column in sheet.columns],
        ["---:" if column.kind == "number" else "---" for column in sheet.columns],
        *([cell_text(cell, decimals, fixed) for cell in row] for row in sheet.rows),
    ]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |\n" for row in rows)


def write_sheets(sheets: Sequence[Sheet], name: str, decimals: int | None) -> bytes:
    """Write several tables in the format with a name, without those that have no rows."""
    sheets = [sheet for sheet in sheets if sheet.rows]
    match name:
        case "plain":
            # A blank line separates tables.
            return "\n".join(separated(sheet, "\t", decimals) for sheet in sheets).encode()
        case "csv" | "tsv":
            delimiter = "," if name == "csv" else "\t"
            return "".join(separated(sheet, delimiter, decimals) for sheet in sheets).encode()
        case "markdown":
            return "\n".join(markdown(sheet, decimals) for sheet in sheets).encode()
        case "json":
            return json_bytes({sheet.title: records(sheet, decimals) for sheet in sheets})
    raise UsageError(f"this cannot be written as {name}", hint="take plain, table, csv or json")
