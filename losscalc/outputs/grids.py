"""Arrays as grids of numbers, in as many tables as the width demands."""

from collections.abc import Iterator

import numpy as np
from rich.table import Table
from rich.text import Text

from losscalc.core.array import Array
from losscalc.outputs.canvas import Canvas
from losscalc.outputs.numbers import row_mean
from losscalc.outputs.result import Result

# The space between two columns and the line between them.
_GUTTER = 3
_MOST_COLUMNS = 40


def grids(result: Result, canvas: Canvas) -> Iterator[Table | Text]:
    """One grid for each index of the leading axes."""
    title = result.name if result.reduction is None else f"{result.name} {result.reduction}"
    if result.gradient is not None:
        title += f" gradient of {result.gradient}"
    value = result.value
    leading = value.shape[:-2]
    margin = result.reduction is not None and result.gradient is None and not result.ignored
    for position in shown(int(np.prod(leading, dtype=int)), canvas.max_rows):
        if position is None:
            yield Text(canvas.gap)
            continue
        index = np.unravel_index(position, leading) if leading else ()
        place = "".join(f"[{i}]" for i in index)
        yield from _grid(value[index], f"{title} {place}".rstrip(), margin, canvas)


def _grid(value: Array, title: str, margin: bool, canvas: Canvas) -> Iterator[Table]:
    """A matrix or a vector with the index of each row; its columns are never split between tables."""
    matrix = value if value.ndim == 2 else value[:, np.newaxis]
    rows = shown(matrix.shape[0], canvas.max_rows)
    labels = ["", *(canvas.gap if row is None else str(row) for row in rows)]
    columns = [_column(matrix, column, rows, canvas) for column in shown(matrix.shape[1], _MOST_COLUMNS)]
    if value.ndim == 1:
        columns[0][0] = "value"
    elif margin and value.shape[1]:
        means = (canvas.gap if row is None else canvas.number(row_mean(matrix[row])) for row in rows)
        columns.append(["mean", *means])
    for number, group in enumerate(_fit(labels, columns, canvas.width)):
        yield _drawn([labels, *group], title if number == 0 else "", margin, canvas)


def _column(matrix: Array, column: int | None, rows: list[int | None], canvas: Canvas) -> list[str]:
    """The heading of a column and its cells."""
    if column is None:
        return [canvas.gap] * (len(rows) + 1)
    cells = (
        canvas.gap
        if row is None
        else canvas.number(matrix[row, column].item() if matrix.dtype != object else matrix[row, column])
        for row in rows
    )
    return [str(column), *cells]


def _drawn(columns: list[list[str]], title: str, margin: bool, canvas: Canvas) -> Table:
    table = canvas.table(title)
    for number, column in enumerate(columns):
        style = "dim" if number == 0 else "cyan" if margin and column[0] == "mean" else ""
        table.add_column(Text(column[0]), justify="right", no_wrap=True, style=style)
    for cells in zip(*(column[1:] for column in columns), strict=True):
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _fit(labels: list[str], columns: list[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Columns in groups that fit into the width beside the labels."""
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
    """The indices to show: all, or head and tail with None between them.

    >>> shown(3, 40), shown(10, 4)
    ([0, 1, 2], [0, 1, None, 8, 9])
    """
    if count <= most:
        return list(range(count))
    head = (most + 1) // 2
    return [*range(head), None, *range(count - most // 2, count)]
