"""The working of a loss, and how to write it as text, Markdown and LaTeX."""

import re
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from losscalc.outputs.latex import DOTS, broken, escaped, width
from losscalc.outputs.sheets import Column, Sheet, markdown


class Math(NamedTuple):
    """A piece of mathematics as text, as LaTeX and as MathML."""

    text: str
    latex: str
    mathml: str

    @classmethod
    def of_words(cls, words: str) -> "Math":
        """Words, which are the same in every notation."""
        return cls(words, rf"\text{{{escaped(words)}}}", f"<mtext>{escape(words)}</mtext>")

    @classmethod
    def of_numbers(cls, text: str) -> "Math":
        """A sum of numbers, of which some may be left out."""
        tokens = _TOKEN.findall(text)
        return cls(text, text.replace("…", DOTS), "".join(map(_element, tokens)))

    @classmethod
    def quotient(cls, above: "Math", below: "Math") -> "Math":
        """One over the other; a sum is in brackets where it is not above a line."""
        is_sum = " + " in above.text and not above.text.startswith("(")
        text = f"({above.text})" if is_sum else above.text
        return cls(
            f"{text} / {below.text}",
            rf"\frac{{1}}{{{below.latex}}}({above.latex})"
            if " + " in above.latex
            else rf"\frac{{{above.latex}}}{{{below.latex}}}",
            f"<mfrac><mrow>{above.mathml}</mrow><mrow>{below.mathml}</mrow></mfrac>",
        )

    def times(self, other: "Math") -> "Math":
        """The product of the two."""
        latex, mathml = rf"{self.latex} \cdot {other.latex}", f"{self.mathml}<mo>·</mo>{other.mathml}"
        return Math(f"{self.text}·{other.text}", latex, mathml)

    def after(self, words: str) -> "Math":
        """The same behind some words."""
        latex, mathml = (
            rf"\text{{{escaped(words)} }}{self.latex}",
            f"<mtext>{words}&#160;</mtext>{self.mathml}",
        )
        return Math(f"{words} {self.text}", latex, mathml)

    @property
    def is_words(self) -> bool:
        """Whether it is words, and no mathematics."""
        return self.mathml.startswith("<mtext>")


_TOKEN = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?|-?inf|nan|[^\s\d]")


def _element(token: str) -> str:
    """A number or a sign as MathML."""
    if token.startswith("-"):
        return f'<mrow><mo form="prefix">−</mo><mn>{token[1:]}</mn></mrow>'
    return f"<mn>{token}</mn>" if token[0].isalnum() else f"<mo>{escape(token)}</mo>"


class Step(NamedTuple):
    """An intermediate number, or several: what it is, how it comes about, and what it comes to."""

    name: Math
    value: str
    number: float | list[float]
    worked: Math | None = None

    @property
    def sentence(self) -> str:
        """The step as text."""
        return " = ".join([self.name.text, *([self.worked.text] if self.worked else []), self.value])


class Line(NamedTuple):
    """One line of a working: its label, the arithmetic, what that comes to, and the steps on the way."""

    label: str
    math: Math
    value: str = ""
    number: float | list[float] | None = None
    steps: tuple[Step, ...] = ()
    short: Math | None = None
    """The arithmetic with fewer summands, for where there is little room."""
    note: str = ""
    """What is said in the place of steps."""

    @property
    def sentence(self) -> str:
        """The line as text."""
        value = f" = {self.value}" if self.value else ""
        behind = f"   ({self.behind})" if self.behind else ""
        return f"{self.label} {self.math.text}".strip() + value + behind

    @property
    def behind(self) -> str:
        """The steps as text."""
        return self.note or ", ".join(step.sentence for step in self.steps)

    def facts(self) -> dict[str, object]:
        """The line for JSON, with numbers."""
        steps = [{"name": step.name.text, "value": step.number} for step in self.steps]
        own: dict[str, object] = {"label": self.label, "text": self.math.text, "value": self.number}
        return {**own, "steps": steps} if steps else own


class Working(NamedTuple):
    """The formula of a loss, the first losses with their numbers, and how they are reduced."""

    title: str
    formula: str
    equations: list[tuple[Math, Math]]
    """The formula, and what defines its symbols, each with its name."""
    losses: list[Line]
    reduction: list[Line]

    @property
    def lines(self) -> list[Line]:
        """All lines, in order."""
        return [*self.losses, *self.reduction]

    def facts(self) -> dict[str, object]:
        """The working for JSON, with numbers."""
        return {
            "formula": self.formula,
            "losses": [line.facts() for line in self.losses],
            "reduction": [line.facts() for line in self.reduction],
        }


def working_text(working: Working) -> str:
    """The formula, and a line for each step."""
    head = f"{working.title}: {working.formula}"
    return "\n".join([head, *(line.sentence for line in working.lines)]) + "\n"


def working_markdown(working: Working) -> str:
    """The formula, and a table with a row for each step."""
    columns = (Column("", "text"), Column("working", "text"), Column("value"), Column("with", "text"))
    return f"**{working.title}**: `{working.formula}`\n\n{markdown(Sheet('', columns, [*_rows(working)]))}"


def working_latex(working: Working) -> str:
    """Aligned equations, each in as many lines as it needs on a page."""
    margin = max((width(_left(line)) for line in working.lines), default=0.0)
    equations = [broken(name.latex, f"= {math.latex}", margin=margin) for name, math in working.equations]
    for line in working.lines:
        equations += _equations(line, margin)
    body = " \\\\\n".join(equations)
    return f"% needs amsmath\n{{\\allowdisplaybreaks\n\\begin{{align*}}\n{body}\n\\end{{align*}}}}\n"


def _left(line: Line) -> str:
    """The label of a line: an index of the loss, or words."""
    if not line.label:
        return r"\ell"
    if index := re.fullmatch(r"\[([\d, ]+)\]", line.label):
        return rf"\ell_{{{index[1]}}}"
    return rf"\text{{{escaped(line.label)}}}"


def _equations(line: Line, margin: float) -> Iterator[str]:
    """The equation of a line, and that of its steps."""
    math = line.short or line.math
    right = math.latex + (f" = {line.value.replace('…', DOTS)}" if line.value else "")
    yield broken(_left(line), rf"\;{right}" if math.is_words else f"= {right}", margin=margin)
    if line.note:
        yield broken("", r"\quad ", rf"\text{{{escaped(line.note)}}}", margin=margin)
    elif line.steps:
        *firsts, last = map(_step, line.steps)
        yield broken("", r"\quad ", *(rf"{step},\; " for step in firsts), last, margin=margin)


def _step(step: Step) -> str:
    worked = f" = {step.worked.latex}" if step.worked else ""
    return f"{step.name.latex}{worked} = {step.value.replace('…', DOTS)}"


def _rows(working: Working) -> Iterator[tuple[str, ...]]:
    for line in working.lines:
        yield line.label, f"`{line.math.text}`", line.value, line.behind
