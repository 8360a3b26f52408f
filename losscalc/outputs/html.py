"""Writes sheets and workings as HTML: a fragment for a notebook, or a page that needs nothing but itself."""

from collections.abc import Iterator, Sequence
from html import escape

from losscalc.outputs.drawing import svg
from losscalc.outputs.message import Message
from losscalc.outputs.numbers import fixed
from losscalc.outputs.parts import Part
from losscalc.outputs.sheets import Cell, Column, Figure, Numbers, Sheet, cell_text
from losscalc.outputs.style import FRAGMENT_STYLE, NOTEBOOK_STYLE, PAGE_STYLE
from losscalc.outputs.working import Line, Math, Step, Working

_DECIMALS = 4


def fragment(parts: Sequence[Part | Message], decimals: int | None = None) -> str:
    """Tables and workings for a notebook, in the colours of that; tables without rows are left out."""
    return _element(parts, FRAGMENT_STYLE + NOTEBOOK_STYLE, decimals)


def page(title: str, parts: Sequence[Part | Message], decimals: int | None = None) -> bytes:
    """The same as a whole document."""
    text = (
        "<!DOCTYPE html>\n"
        f'<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n"
        f"{_element(parts, FRAGMENT_STYLE, decimals)}</main>\n</body>\n</html>\n"
    )
    return text.encode(errors="backslashreplace")


def _element(parts: Sequence[Part | Message], style: str, decimals: int | None) -> str:
    """An element with its own style."""
    draw = _Draughtsman(_DECIMALS if decimals is None else decimals)
    return f'<div class="losscalc">\n<style>{style}</style>\n{"".join(map(draw.part, parts))}</div>\n'


class _Draughtsman:
    """Draws parts of a page, with so many decimals; all digits of a number are its tooltip."""

    def __init__(self, decimals: int) -> None:
        self._decimals = decimals

    def part(self, part: Part | Message) -> str:
        """A table, a working or a message."""
        if isinstance(part, Message):
            return part.html
        if isinstance(part, Working):
            return self._working(part)
        chart = "" if part.chart is None else f"<figure>\n{svg(part.chart.drawing)}</figure>\n"
        return chart + self._table(part) if part.rows else ""

    def _table(self, sheet: Sheet) -> str:
        caption = f"<caption>{escape(sheet.title)}</caption>" if sheet.title else ""
        head = "".join(map(self._heading, sheet.columns))
        # The title of the table need not stand above its column once more.
        is_told = {column.name for column in sheet.columns} <= {"", sheet.title}
        top = "" if is_told else f"<thead><tr>{head}</tr></thead>\n"
        bars = [len(str(cell)) for row in sheet.rows for cell in _bars(sheet, row)]
        rows = "".join(
            f"<tr>{''.join(self._cells(sheet, row, max(bars, default=1)))}</tr>\n" for row in sheet.rows
        )
        return f"<table>{caption}\n{top}<tbody>\n{rows}</tbody>\n</table>\n"

    def _heading(self, column: Column) -> str:
        kind = _class_of(column)
        return f'<th scope="col"{kind}>{escape(column.name)}</th>' if column.name else f"<td{kind}></td>"

    def _cells(self, sheet: Sheet, row: Sequence[Cell], longest: int) -> Iterator[str]:
        for place, (column, cell) in enumerate(zip(sheet.columns, row, strict=True)):
            if column.kind == "bar":
                # The least of them can be seen.
                width = 100 * len(str(cell or "")) / max(1, longest)
                yield f'<td class="bars"><i style="width: {width:.4g}%"></i></td>'
            elif place == 0 and sheet.has_names:
                yield f'<th scope="row">{self._shown(cell)}</th>'
            else:
                yield f"<td{_class_of(column)}{_all_digits(cell)}>{self._shown(cell)}</td>"

    def _shown(self, cell: Cell) -> str:
        return escape(cell_text(cell, self._decimals, fixed))

    def _working(self, working: Working) -> str:
        """The formula, and a row for each line, whose steps are seen where it is pointed at or tapped."""
        equations = "".join(
            f"<p><math>{name.mathml}<mo>=</mo>{math.mathml}</math></p>\n" for name, math in working.equations
        )
        legend = working.formula.partition(";")[2].strip()
        below = f'<p class="legend">{escape(legend)}</p>\n' if legend else ""
        lines = "".join(map(self._line, working.lines))
        has_steps = any(line.steps or line.note for line in working.lines)
        told = " <small>point at a row, or tap it, for its steps</small>" if has_steps else ""
        table = (
            f'<table class="lines">\n<caption>working{told}</caption>\n<tbody>\n{lines}</tbody>\n</table>\n'
        )
        return f'<div class="formula">\n{equations}</div>\n{below}{table}'

    def _line(self, line: Line) -> str:
        steps = f'<ul class="steps">{"".join(map(_step, line.steps))}</ul>' if line.steps else ""
        steps = f'<ul class="steps"><li>{escape(line.note)}</li></ul>' if line.note else steps
        focus = ' tabindex="0"' if steps else ""
        tip = f' title="{line.number!r}"' if isinstance(line.number, float) else ""
        kind = "numbers" if ", " in line.value else "number"
        return (
            f'<tr{focus}><th scope="row">{escape(line.label)}</th><td>{_math(line.math)}{steps}</td>'
            f'<td class="{kind}"{tip}>{escape(line.value)}</td></tr>\n'
        )


def _step(step: Step) -> str:
    worked = f"<mo>=</mo>{step.worked.mathml}" if step.worked else ""
    value = Math.of_numbers(step.value).mathml
    return f"<li><math>{step.name.mathml}{worked}<mo>=</mo>{value}</math></li>"


def _math(math: Math) -> str:
    return escape(math.text) if math.is_words else f"<math>{math.mathml}</math>"


def _bars(sheet: Sheet, row: Sequence[Cell]) -> Iterator[Cell]:
    return (cell for column, cell in zip(sheet.columns, row, strict=True) if column.kind == "bar")


def _class_of(column: Column) -> str:
    return f' class="{column.kind}"' if column.kind in ("number", "name") else ""


def _all_digits(cell: Cell) -> str:
    """All digits of what is shown with fewer, as a tooltip."""
    number = cell.value if isinstance(cell, Figure) else cell
    if isinstance(number, Numbers):
        every = number.between.join(map(str, number.values))
        return "" if every == str(number) else f' title="{escape(every)}"'
    return f' title="{float(number)!r}"' if isinstance(number, float) else ""
