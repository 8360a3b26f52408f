"""Results as tables for people; the only module that draws."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from losscalc.core.array import Array
from losscalc.core.exactsum import Sum, quotient, total
from losscalc.insight.describe import Description
from losscalc.outputs.numbers import fixed
from losscalc.outputs.result import Result, Working
from losscalc.outputs.writers import count_text, summary

# What formulas are written with, where a terminal has nothing but ASCII.
_ASCII = str.maketrans(
    {"σ": "sigma", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "ρ": "rho", "π": "pi"}
    | {
        "Σ": "sum",
        "Π": "prod",
        "·": "*",
        "²": "^2",
        "½": "1/2",
        "₁": "1",
        "₂": "2",
        "≤": "<=",
        "≈": "~",
        "≠": "!=",
    }
)

# The space between two columns and the line between them.
_GUTTER = 3
_MOST_COLUMNS = 40


@dataclass(frozen=True)
class Canvas:
    """What is drawn on: its width, whether it has colours and more than ASCII, and how much to show."""

    width: int = 80
    color: bool = False
    unicode: bool = True
    max_rows: int = 40
    decimals: int = 4

    @property
    def gap(self) -> str:
        """What stands for rows and columns that are not shown."""
        return "…" if self.unicode else "..."

    def table(self, title: str = "") -> Table:
        """An empty table; text that came from a user is never read as markup."""
        style = box.ROUNDED if self.unicode else box.ASCII2
        return Table(title=Text(title, style="bold") if title else None, box=style, title_justify="left")

    def text(self, words: str, style: str = "") -> Text:
        """Words as they are, or, where there is nothing but ASCII, with names for their symbols."""
        return Text(words if self.unicode else words.translate(_ASCII), style=style)

    def render(self, *drawings: Table | Text, width: int = 10_000) -> str:
        """Drawings as text, by default as wide as they need to be: no number is ever cut."""
        output = io.StringIO()
        console = Console(
            file=output,
            width=width,
            force_terminal=self.color,
            color_system="standard" if self.color else None,
            no_color=not self.color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )
        for drawing in drawings:
            console.print(drawing, overflow="ignore", crop=False, soft_wrap=isinstance(drawing, Text))
        return "".join(line.rstrip() + "\n" for line in output.getvalue().split("\n")[:-1])


def draw_result(result: Result, canvas: Canvas) -> str:
    """The table of a result: one number with its arithmetic, a grid like the array, or the working."""
    if result.working is not None:
        return _draw_working(result.working, canvas)
    if result.value.ndim == 0:
        return canvas.render(_scalar(result, canvas))
    return canvas.render(*_grids(result, canvas), *_totals(result, canvas))


def _draw_working(working: Working, canvas: Canvas) -> str:
    """The formula above, a row a step, and the reduction below."""
    drawings: list[Table | Text] = [canvas.text(f"{working.title}   {working.formula}", style="bold")]
    for lines in (working.losses, working.reduction):
        table = canvas.table()
        table.show_header = False
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_column(justify="right", no_wrap=True, style="bold")
        for line in lines:
            text = canvas.text(line.text)
            if line.behind:
                text.append(canvas.text(f"\n{line.behind}", "dim"))
            table.add_row(canvas.text(line.label), text, Text(line.value))
        if lines:
            drawings.append(table)
    return canvas.render(*drawings, width=canvas.width)


def draw_description(description: Description, canvas: Canvas) -> str:
    """Everything on a loss, in a table with a section a topic."""
    head = [
        canvas.text(description.name, "bold"),
        canvas.text(description.summary),
        canvas.text(f"\n  {description.formula}\n"),
    ]
    table = canvas.table()
    table.show_header = False
    table.add_column(style="bold", no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    for section in description.sections:
        for number, (name, text) in enumerate(section.rows):
            heading = Text(section.heading if number == 0 else "")
            table.add_row(heading, canvas.text(name), canvas.text(text))
        table.add_section()
    return canvas.render(*head, table, width=canvas.width)


def draw_sheets(sheets: Sequence[Sequence[Any]], canvas: Canvas) -> str:
    """Tables of texts, each with its title above; numbers stand at the right."""
    tables = []
    for title, columns, rows in sheets:
        table = canvas.table(title)
        for number, column in enumerate(columns):
            table.add_column(Text(column), justify="left" if number == 0 else "right", overflow="fold")
        for row in rows:
            table.add_row(*(canvas.text(_shortened(cell, canvas)) for cell in row))
        tables.append(table)
    return canvas.render(*tables, width=canvas.width)


def _shortened(cell: str, canvas: Canvas) -> str:
    """A number as tables show it; any other text as it is."""
    if re.fullmatch(r"-?\d+\.\d+(e[-+]\d+)?", cell):
        return fixed(float(cell), canvas.decimals)
    return cell if canvas.unicode else cell.replace("█", "#")


def draw_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], canvas: Canvas) -> str:
    """A table of texts, which fold where the terminal is too narrow for them."""
    table = canvas.table()
    table.show_lines = any("\n" in cell for row in rows for cell in row)
    for number, column in enumerate(columns):
        # A name that has to be typed stays in one piece.
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(canvas.text(cell) for cell in row))
    return canvas.render(table, width=canvas.width)


def _scalar(result: Result, canvas: Canvas) -> Table:
    table = canvas.table(result.name)
    table.show_header = False
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, text in summary(result, canvas.decimals):
        table.add_row(Text(name), Text(text, style="bold" if name == "value" else ""))
    table.caption = _arithmetic(result, canvas)
    table.caption_justify = "left"
    return table


def _arithmetic(result: Result, canvas: Canvas) -> Text | None:
    value = fixed(float(result.value), canvas.decimals)
    if result.gradient is not None:
        return None
    if result.reduction in ("mean", "batchmean"):
        numerator = fixed(result.numerator, canvas.decimals)
        return Text(f"{value} = {numerator} / {count_text(result.denominator, canvas.decimals)}")
    if result.reduction == "sum":
        return Text(f"{value} = sum of {result.count} values")
    return None


def _totals(result: Result, canvas: Canvas) -> Iterator[Text]:
    if result.reduction is not None and result.gradient is None:
        mean, total = (fixed(number, canvas.decimals) for number in (result.mean, result.sum))
        ignored = f"   ignored {result.ignored}" if result.ignored else ""
        yield Text(f"mean {mean}   sum {total}{ignored}")


def _grids(result: Result, canvas: Canvas) -> Iterator[Table | Text]:
    """One grid for each index of the leading axes."""
    title = result.name if result.reduction is None else f"{result.name} {result.reduction}"
    if result.gradient is not None:
        title += f" gradient of {result.gradient}"
    value = result.value
    leading = value.shape[:-2] if value.ndim > 2 else ()
    margin = result.reduction is not None and result.gradient is None and not result.ignored
    for position in shown(int(np.prod(leading, dtype=int)), canvas.max_rows):
        index = np.unravel_index(position, leading) if leading and position is not None else ()
        place = "".join(f"[{i}]" for i in index)
        if position is None:
            yield Text(canvas.gap)
        else:
            yield from _grid(value[index], f"{title} {place}".rstrip(), margin, canvas)


def _grid(value: Array, title: str, margin: bool, canvas: Canvas) -> Iterator[Table]:
    """A matrix or a vector with the index of each row, in as many tables as its columns need."""
    matrix = value if value.ndim == 2 else value[:, np.newaxis]
    rows = shown(matrix.shape[0], canvas.max_rows)
    columns = [
        _column(matrix, column, rows, canvas, value.ndim == 2)
        for column in shown(matrix.shape[1], _MOST_COLUMNS)
    ]
    if margin and value.ndim == 2 and value.shape[1]:
        means = (None if row is None else row_mean(matrix[row]) for row in rows)
        columns.append(["mean", *(canvas.gap if m is None else fixed(m, canvas.decimals) for m in means)])
    labels = ["", *(canvas.gap if row is None else str(row) for row in rows)]
    for number, group in enumerate(_fit(labels, columns, canvas.width)):
        yield _drawn([labels, *group], title if number == 0 else "", margin, canvas)


def row_mean(row: Array) -> float:
    """The mean of a row, which its sum may be too large for."""
    return quotient(total(row.astype(np.float64)), Sum.of(float(row.size)))


def _drawn(columns: list[list[str]], title: str, margin: bool, canvas: Canvas) -> Table:
    table = canvas.table(title)
    for number, column in enumerate(columns):
        style = "dim" if number == 0 else "cyan" if margin and column[0] == "mean" else ""
        table.add_column(Text(column[0]), justify="right", no_wrap=True, style=style)
    for cells in zip(*(column[1:] for column in columns), strict=True):
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _column(
    matrix: Array, column: int | None, rows: list[int | None], canvas: Canvas, numbered: bool
) -> list[str]:
    """The heading of a column and its cells."""
    if column is None:
        return [canvas.gap] * (len(rows) + 1)
    cells = (canvas.gap if row is None else fixed(matrix[row, column], canvas.decimals) for row in rows)
    return [str(column) if numbered else "value", *cells]


def _fit(labels: list[str], columns: list[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Columns in groups that fit into the width beside the labels; a column is never split."""
    room = width - _size(labels) - 1
    group: list[list[str]] = []
    used = 0
    for column in columns:
        if group and used + _size(column) > room:
            yield group
            group, used = [], 0
        group.append(column)
        used += _size(column)
    yield group


def _size(column: list[str]) -> int:
    return max(map(len, column)) + _GUTTER


def shown(count: int, most: int) -> list[int | None]:
    """The indices that are shown of so many: all, or head and tail with None between them.

    >>> shown(3, 40), shown(10, 4)
    ([0, 1, 2], [0, 1, None, 8, 9])
    """
    if count <= most:
        return list(range(count))
    head = (most + 1) // 2
    return [*range(head), None, *range(count - most // 2, count)]
