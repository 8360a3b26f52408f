"""Results, small tables, workings and descriptions, drawn for people."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from losscalc.outputs.canvas import Canvas
from losscalc.outputs.description import Description, Section
from losscalc.outputs.fitting import fitted
from losscalc.outputs.grids import grids
from losscalc.outputs.parts import Part
from losscalc.outputs.result import Result
from losscalc.outputs.working import Line, Working

# Less room than this for a text makes many short lines of it.
_LEAST_TEXT = 36
# The lines around three columns and between them.
_GUTTERS = 10


def draw_result(result: Result, canvas: Canvas) -> str:
    """The table of a result: one number with its arithmetic, a grid like the array, or the working."""
    if result.working is not None:
        return _draw_working(result.working, canvas)
    if result.value.ndim == 0:
        return canvas.render(_scalar(result, canvas))
    return canvas.render(*grids(result, canvas), *_totals(result, canvas))


def draw_sheets(parts: Sequence[Part], canvas: Canvas) -> str:
    """Tables, each with its title above, and workings; tables without rows are left out."""
    drawn = [
        _draw_working(part, canvas) if isinstance(part, Working) else canvas.render(*fitted(part, canvas))
        for part in parts
        if isinstance(part, Working) or part.rows
    ]
    return "".join(drawn)


def _scalar(result: Result, canvas: Canvas) -> Table:
    table = canvas.table(result.name)
    table.show_header = False
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, cell in result.summary().rows:
        table.add_row(Text(str(name)), Text(canvas.number(cell), style="bold" if name == "value" else ""))
    table.caption = _arithmetic(result, canvas)
    table.caption_justify = "left"
    return table


def _arithmetic(result: Result, canvas: Canvas) -> Text | None:
    value = canvas.number(float(result.value))
    if result.is_average:
        quotient = f"{canvas.number(result.numerator)} / {canvas.number(result.divisor)}"
        return Text(f"{value} = {result.link} of {quotient}" if result.link else f"{value} = {quotient}")
    if result.reduction == "sum" and result.gradient is None and not result.several:
        return Text(f"{value} = sum of {result.count} values")
    return None


def _totals(result: Result, canvas: Canvas) -> Iterator[Text]:
    if result.reduction is not None and result.gradient is None:
        ignored = f"   ignored {result.ignored}" if result.ignored else ""
        yield Text(f"mean {canvas.number(result.mean)}   sum {canvas.number(result.sum)}{ignored}")


def _draw_working(working: Working, canvas: Canvas) -> str:
    """The formula, a row for each step, and the reduction."""
    drawings: list[Table | Text] = [canvas.text(f"{working.title}   {working.formula}", style="bold")]
    for lines in (working.losses, working.reduction):
        labels = max((len(line.label) for line in lines), default=0)
        values = max((len(line.value) for line in lines), default=0)
        room = canvas.width - labels - values - _GUTTERS
        table = canvas.table()
        table.show_header = False
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_column(justify="right", no_wrap=True, style="bold")
        for line in lines:
            fits = line.short is None or len(line.math.text) <= room
            text = canvas.text((line.math if fits or line.short is None else line.short).text)
            if line.behind:
                text.append(canvas.text(f"\n{_behind(line, room)}", "dim"))
            table.add_row(canvas.text(line.label), text, Text(line.value))
        if lines:
            drawings.append(table)
    return canvas.render(*drawings, width=canvas.width)


def _behind(line: Line, room: int) -> str:
    """The steps of a line, in as many rows as the room demands, of which none is broken that fits in one."""
    if line.note:
        return line.note
    rows = [""]
    for number, step in enumerate(line.steps, 1):
        text = step.sentence + ("," if number < len(line.steps) else "")
        if rows[-1] and len(rows[-1]) + 1 + len(text) > room:
            rows.append("")
        rows[-1] = f"{rows[-1]} {text}".strip()
    return "\n".join(rows)


def draw_description(description: Description, canvas: Canvas) -> str:
    """The description of a loss, as a table with a section a topic; in little space a table a topic."""
    head = [
        canvas.text(description.name, "bold"),
        canvas.text(description.summary),
        canvas.text(f"\n  {description.formula}\n"),
    ]
    names = [len(name) for section in description.sections for name, _ in section.rows]
    headings = [len(section.heading) for section in description.sections]
    if max(headings) + max(names) + _LEAST_TEXT > canvas.width:
        return canvas.render(*head, *(_section(s, canvas) for s in description.sections), width=canvas.width)
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


def _section(section: Section, canvas: Canvas) -> Table:
    """A section of a description as a table of its own."""
    table = canvas.table(section.heading)
    table.show_header = False
    has_names = any(name for name, _ in section.rows)
    if has_names:
        table.add_column(style="dim", overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    for name, text in section.rows:
        table.add_row(*([canvas.text(name)] if has_names else []), canvas.text(text))
    return table
