"""Small tables of texts and numbers, and how to write them in every format but the terminal's."""

import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from losscalc.errors import UsageError
from losscalc.outputs.latex import PAGE, escaped, text_width
from losscalc.outputs.numbers import all_digits, decimal, fixed, json_bytes

if TYPE_CHECKING:
    from losscalc.outputs.charts import Chart


class Figure(NamedTuple):
    """A number that is shown with fewer digits than it has, in the format `spec`."""

    value: float
    spec: str

    @property
    def is_percentage(self) -> bool:
        """Whether it is a percentage, which keeps its format whatever decimals are wanted."""
        return self.spec.endswith("%")


class Numbers(NamedTuple):
    """Several numbers in one cell, of which the first ones are shown, in the format `spec`."""

    values: Sequence[int | float]
    spec: str = ".6g"
    most: int = 6
    between: str = ", "

    def __str__(self) -> str:
        shown = [format(number, self.spec) for number in self.values[: self.most]]
        return self.between.join([*shown, "…"] if len(self.values) > self.most else shown)


class Label(NamedTuple):
    """The name of a row, which has another key in JSON."""

    text: str
    key: str | int | float


Cell = Label | str | int | float | Decimal | Figure | Numbers | tuple[str, ...] | None


class Column(NamedTuple):
    """The heading of a column, and the kind of its cells."""

    name: str
    kind: Literal["name", "text", "number", "bar"] = "number"
    """A name is never wrapped, a text is if need be; numbers are aligned to the right, and bars shortened."""
    key: str = ""
    """Its key in JSON, unless that is the name."""


class Sheet(NamedTuple):
    """A table with a title."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    has_names: bool = False
    """Whether each row is a name and what it stands for, so that all are one object in JSON."""
    chart: "Chart | None" = None
    """What can be drawn of the same numbers, where drawings have a place."""


def cell_text(cell: Cell, decimals: int | None = None, write: Callable[[float, int], str] = decimal) -> str:
    """A cell as text; numbers other than counts and percentages get so many decimals, if any are named.

    >>> cell_text(0.25), cell_text(0.25, 1), cell_text(Figure(0.25, ".0%"), 1), cell_text(3, 1)
    ('0.25', '0.2', '25%', '3')
    """
    if cell is None:
        return ""
    if isinstance(cell, Label):
        return cell.text
    if isinstance(cell, Numbers):
        return str(cell)
    if isinstance(cell, Figure) and (decimals is None or cell.is_percentage):
        return format(cell.value, cell.spec)
    if isinstance(cell, Figure):
        return cell_text(cell.value, decimals, write)
    if isinstance(cell, tuple):
        return " ".join(map(str, cell))
    if isinstance(cell, float):
        return repr(float(cell)) if decimals is None else write(cell, decimals)
    if isinstance(cell, Decimal):
        return all_digits(cell)
    return str(cell)


def records(sheet: Sheet, decimals: int | None = None) -> list[dict[str, object]]:
    """The rows as dicts for JSON, keyed by column; or one dict, where each row is a name and its value.

    Bars are drawings of a number that has a column of its own.
    """
    places = [place for place, column in enumerate(sheet.columns) if column.kind != "bar"]
    keys = [sheet.columns[place].key or sheet.columns[place].name for place in places]
    rows = [[_fact(row[place], decimals) for place in places] for row in sheet.rows]
    if sheet.has_names:
        return [{keys[1]: sheet.columns[1].name, **{str(name): fact for name, fact in rows}}]
    return [dict(zip(keys, row, strict=True)) for row in rows]


def _fact(cell: Cell, decimals: int | None) -> object:
    """A cell for JSON, in which numbers are numbers, and nothing is null."""
    if isinstance(cell, Label):
        return cell.key
    if isinstance(cell, Numbers):
        return [_fact(number, decimals) for number in cell.values]
    if cell == "":
        return None
    number = cell.value if isinstance(cell, Figure) else cell
    if decimals is None or not isinstance(number, float) or (isinstance(cell, Figure) and cell.is_percentage):
        return number
    return float(decimal(number, decimals))


def json_records(sheet: Sheet, *, lines: bool) -> bytes:
    """The rows as JSON for people to read, or a line each; texts are as they are."""
    import json

    rows = records(sheet)
    if lines:
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()
    return f"{json.dumps(rows, indent=2, ensure_ascii=False)}\n".encode()


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


def latex(sheet: Sheet, decimals: int) -> str:
    """Tables of LaTeX, with numbers at the right; as many beside the names of the rows as fit on a page."""
    cells = [
        [escaped(column.name), *(escaped(cell_text(row[place], decimals, fixed)) for row in sheet.rows)]
        for place, column in enumerate(sheet.columns)
    ]
    kinds = ["r" if column.kind == "number" else "l" for column in sheet.columns]
    groups, used = [[0]], 0.0
    for place, column in enumerate(sheet.columns[1:], 1):
        width = text_width(cells[place])
        if len(groups[-1]) > 1 and text_width(cells[0]) + used + width > PAGE:
            groups.append([0])
            used = 0.0
        if column.kind != "bar":
            groups[-1].append(place)
            used += width
    title = rf"\textbf{{{escaped(sheet.title)}}}\par\smallskip" + "\n" if sheet.title else ""
    tables = "\\par\\smallskip\\noindent\n".join(
        _tabular([cells[place] for place in group], "".join(kinds[place] for place in group))
        for group in groups
    )
    return f"{{\\small\\noindent\n{title}{tables}\\par}}\n"


def _tabular(columns: Sequence[Sequence[str]], kinds: str) -> str:
    head, *others = (" & ".join(row) + r" \\" for row in zip(*columns, strict=True))
    opening = rf"\begin{{tabular}}{{@{{}}{kinds}@{{}}}}"
    return "\n".join([opening, head, r"\hline", *others, r"\end{tabular}"])


def write_sheets(sheets: Sequence[Sheet], name: str, decimals: int | None) -> bytes:
    """Write several tables in the format with a name; only JSON names those that have no rows."""
    some = [sheet for sheet in sheets if sheet.rows]
    match name:
        case "plain":
            # A blank line separates tables.
            return "\n".join(separated(sheet, "\t", decimals) for sheet in some).encode()
        case "csv" | "tsv":
            delimiter = "," if name == "csv" else "\t"
            return "".join(separated(sheet, delimiter, decimals) for sheet in some).encode()
        case "markdown":
            return "\n".join(markdown(sheet, 4 if decimals is None else decimals) for sheet in some).encode()
        case "latex":
            return "\n".join(latex(sheet, 4 if decimals is None else decimals) for sheet in some).encode()
        case "html":
            from losscalc.outputs.html import page

            return page("losscalc", sheets, decimals)
        case "json":
            return json_bytes({sheet.title: facts(sheet, decimals) for sheet in sheets})
        case "jsonl":
            lines = ({"table": sheet.title, **row} for sheet in some for row in records(sheet, decimals))
            return b"".join(map(json_bytes, lines))
    raise UsageError(f"this cannot be written as {name}", hint="take plain, table, csv or json")


def facts(sheet: Sheet, decimals: int | None) -> object:
    """A table for JSON: an object, or one for each row."""
    rows = records(sheet, decimals)
    return rows[0] if sheet.has_names else rows
