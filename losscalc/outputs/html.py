"""Writes sheets and workings as HTML: a fragment for a notebook, or a page that needs nothing but itself."""

from collections.abc import Iterator, Sequence
from html import escape

from losscalc.outputs.numbers import fixed
from losscalc.outputs.sheets import Cell, Column, Figure, Numbers, Sheet, cell_text
from losscalc.outputs.style import FRAGMENT_STYLE, PAGE_STYLE

_DECIMALS = 4


def fragment(sheets: Sequence[Sheet], decimals: int | None = None) -> str:
    """Tables in an element of their own, with their style; those without rows are left out."""
    body = "".join(map(_Tables(decimals).table, (sheet for sheet in sheets if sheet.rows)))
    return f'<div class="losscalc">\n<style>{FRAGMENT_STYLE}</style>\n{body}</div>\n'


def page(title: str, body: str) -> str:
    """A whole document around a fragment."""
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<style>{PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}</main>\n"
        "</body>\n</html>\n"
    )


class _Tables:
    """Sheets as tables, whose numbers are shown with so many decimals and have all their digits behind them."""

    def __init__(self, decimals: int | None) -> None:
        self._decimals = _DECIMALS if decimals is None else decimals

    def table(self, sheet: Sheet) -> str:
        """A table with its title, and a heading for each column that has a name."""
        caption = f"<caption>{escape(sheet.title)}</caption>" if sheet.title else ""
        head = "".join(self._heading(column) for column in sheet.columns)
        longest = max((len(cell) for row in sheet.rows for cell in row if isinstance(cell, str)), default=1)
        rows = "".join(f"<tr>{''.join(self._cells(sheet, row, longest))}</tr>\n" for row in sheet.rows)
        return f"<table>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"

    def _heading(self, column: Column) -> str:
        kind = _class_of(column)
        return f'<th scope="col"{kind}>{escape(column.name)}</th>' if column.name else f"<td{kind}></td>"

    def _cells(self, sheet: Sheet, row: Sequence[Cell], longest: int) -> Iterator[str]:
        for place, (column, cell) in enumerate(zip(sheet.columns, row, strict=True)):
            if column.kind == "bar":
                width = 100 * len(str(cell or "")) / longest
                yield f'<td class="bar"><i style="width: {width:.4g}%"></i></td>'
            elif place == 0 and sheet.has_names:
                yield f'<th scope="row">{self._shown(cell)}</th>'
            else:
                yield f"<td{_class_of(column)}{_all_digits(cell)}>{self._shown(cell)}</td>"

    def _shown(self, cell: Cell) -> str:
        return escape(cell_text(cell, self._decimals, fixed))


def _class_of(column: Column) -> str:
    return ' class="number"' if column.kind == "number" else ""


def _all_digits(cell: Cell) -> str:
    """All digits of what is shown with fewer, as a tooltip."""
    number = cell.value if isinstance(cell, Figure) else cell
    if isinstance(number, Numbers):
        every = number.between.join(map(str, number.values))
        return "" if every == str(number) else f' title="{escape(every)}"'
    return f' title="{float(number)!r}"' if isinstance(number, float) else ""
