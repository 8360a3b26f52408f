"""Writes the working of a loss as text, Markdown and LaTeX."""

from typing import NamedTuple

from losscalc.outputs.sheets import Column, Sheet, markdown


class Line(NamedTuple):
    """One line of a working: its label, the arithmetic, and the same as LaTeX."""

    label: str
    text: str
    latex: str
    value: str = ""
    behind: str = ""
    """The intermediate numbers, if there are any."""
    behind_latex: str = ""

    @property
    def sentence(self) -> str:
        """The line as text."""
        value = f" = {self.value}" if self.value else ""
        behind = f"   ({self.behind})" if self.behind else ""
        return f"{self.label} {self.text}{value}{behind}".strip()

    @property
    def equation(self) -> str:
        """The line in an align environment of LaTeX, with its label at the left."""
        if not self.label:
            label = r"\ell"
        elif self.label.startswith("["):
            label = rf"\ell_{{{self.label.strip('[]')}}}"
        else:
            label = rf"\text{{{self.label}}}"
        value = f" = {self.value}" if self.value else ""
        behind = rf" \quad ({self.behind_latex})" if self.behind_latex else ""
        return f"{label} &= {self.latex}{value}{behind}"


class Working(NamedTuple):
    """The formula of a loss, the first losses with their numbers, and how they are reduced."""

    title: str
    formula: str
    latex: str
    losses: list[Line]
    reduction: list[Line]

    @property
    def lines(self) -> list[Line]:
        """All lines, in order."""
        return [*self.losses, *self.reduction]


def working_text(working: Working) -> str:
    """The formula, and a line for each step."""
    head = f"{working.title}: {working.formula}"
    return "\n".join([head, *(line.sentence for line in working.lines)]) + "\n"


def working_markdown(working: Working) -> str:
    """The formula, and a table with a row for each step."""
    columns = (Column("", "text"), Column("working", "text"), Column("value"), Column("with", "text"))
    rows = [(line.label, f"`{line.text}`", line.value, line.behind) for line in working.lines]
    return f"**{working.title}**: `{working.formula}`\n\n{markdown(Sheet('', columns, rows))}"


def working_latex(working: Working) -> str:
    """Aligned equations."""
    equations = [rf"\ell &= {working.latex}", *(line.equation for line in working.lines)]
    body = " \\\\\n".join(equations).replace("…", r"\dots")
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}\n"
