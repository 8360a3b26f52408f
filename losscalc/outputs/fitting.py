"""Sheets as tables for people, in as many as the width demands: what folds is a text, and never a number."""

import math
from collections.abc import Iterator, Sequence
from functools import partial

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from losscalc.outputs.canvas import Canvas
from losscalc.outputs.sheets import Column, Sheet

# The space between two columns and the line between them.
_GUTTER = 3
_LEAST_BAR = 10
# A text folds between its words; a word that is longer than this may be cut.
_LONGEST_WORD = 20


def fitted(sheet: Sheet, canvas: Canvas) -> Iterator[Table]:
    """A sheet in tables that fit into the width; each has the names of the rows, and the first the title."""
    cells = [
        [canvas.text(canvas.number(row[place])).plain for row in sheet.rows]
        for place in range(len(sheet.columns))
    ]
    room = canvas.width - 1
    least, most = zip(*map(partial(_sizes, room), sheet.columns, cells), strict=True)
    groups = [list(range(len(sheet.columns)))]
    if sum(least) + _GUTTER * len(least) > room:
        groups = list(_groups(sheet.columns, least, room))
    for number, group in enumerate(groups):
        widths = _widths([least[i] for i in group], [most[i] for i in group], room)
        columns = [(sheet.columns[i], cells[i], width) for i, width in zip(group, widths, strict=True)]
        yield _drawn(sheet.title if number == 0 else "", columns, canvas)


def _sizes(room: int, column: Column, cells: Sequence[str]) -> tuple[int, int]:
    """The least width of a column, and the one at which nothing folds, or which takes all the room."""
    texts = (column.name, *cells)
    most = max((cell_len(line) for text in texts for line in text.splitlines()), default=0)
    word = max((cell_len(word) for text in texts for word in text.split()), default=0)
    match column.kind:
        case "name":
            least = most
        case "number":
            least = word
        case "text":
            least = min(word, _LONGEST_WORD)
        case "bar":
            least = min(most, _LEAST_BAR)
    return least, max(least, min(most, room))


def _groups(columns: Sequence[Column], least: Sequence[int], room: int) -> Iterator[list[int]]:
    """The places of columns that fit side by side, each time behind the one that names the rows."""
    label = next((i for i, column in enumerate(columns) if column.kind == "name"), 0)
    group, used = [label], least[label] + _GUTTER
    for place in range(len(columns)):
        if place == label:
            continue
        if len(group) > 1 and used + least[place] + _GUTTER > room:
            yield group
            group, used = [label], least[label] + _GUTTER
        group.append(place)
        used += least[place] + _GUTTER
    yield group


def _widths(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """The widths of columns: what there is no room for is taken from the widest that can give it."""
    widths = list(most)
    while sum(widths) + _GUTTER * len(widths) > room:
        giving = [i for i, width in enumerate(widths) if width > least[i]]
        if not giving:
            break
        widths[max(giving, key=lambda i: widths[i])] -= 1
    return widths


def _drawn(title: str, columns: Sequence[tuple[Column, list[str], int]], canvas: Canvas) -> Table:
    table = canvas.table(title)
    drawn = [_bars(cells, width) if column.kind == "bar" else cells for column, cells, width in columns]
    rows = list(zip(*drawn, strict=True))
    # A line separates cells of several lines from the next row.
    table.show_lines = any("\n" in cell for row in rows for cell in row)
    for column, _, width in columns:
        table.add_column(
            Text(column.name),
            justify="right" if column.kind == "number" else "left",
            overflow="fold",
            width=width,
        )
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _bars(cells: Sequence[str], width: int) -> list[str]:
    """Bars, of which the longest is as wide as there is room."""
    longest = max(map(len, cells), default=0)
    return [cell[: math.ceil(len(cell) * width / longest)] if longest > width else cell for cell in cells]
