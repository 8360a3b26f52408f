"""The tool that explains a loss without data."""

from typing import TYPE_CHECKING

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.core.operation import lookup
from losscalc.errors import UsageError

if TYPE_CHECKING:
    from losscalc.insight.describe import Description


@click.command("show", short_help="Explain a loss without data")
@click.argument("name", metavar="LOSS")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["auto", "table", "plain", "markdown", "latex", "json"]),
    default="auto",
    show_default=True,
    help="auto: a table on a terminal, plain text in a pipe.",
)
def show(name: str, form: str) -> None:
    """Show what there is to know of LOSS: formula, symbols, parameters, divisor, gradient, an example."""
    from losscalc.insight.describe import describe

    cls = lookup(name)
    if not issubclass(cls, Loss):
        raise UsageError(f"{cls.name} is no loss", hint=f"losscalc {cls.name} --help explains it")
    delivery = Delivery(Display(format="table" if form == "table" else "auto"))
    description = describe(cls)
    if delivery.is_table and form in ("auto", "table"):
        from losscalc.outputs.tables import draw_description

        delivery.send_bytes(delivery.canvas_text(lambda canvas: draw_description(description, canvas)))
        return
    write = {"markdown": _markdown, "latex": _latex, "json": _json}.get(form, _plain)
    delivery.send_bytes(write(description).encode())


def _plain(description: "Description") -> str:
    lines = [f"{description.name}: {description.summary}", "", f"  {description.formula}"]
    for section in description.sections:
        lines += ["", section.heading]
        lines += [f"  {name}  {text}" if name else f"  {text}" for name, text in section.rows]
    return "\n".join(lines) + "\n"


def _markdown(description: "Description") -> str:
    lines = [f"## {description.name}", "", description.summary, "", f"`{description.formula}`"]
    for section in description.sections:
        lines += ["", f"**{section.heading}**", ""]
        code = section.heading == "example"
        rows = [(name, f"`{text}`" if code else text) for name, text in section.rows]
        lines += [f"- `{name}`: {text}" if name else f"- {text}" for name, text in rows]
    return "\n".join(lines) + "\n"


def _latex(description: "Description") -> str:
    lines = [f"\\paragraph{{{description.name}}} {_escaped(description.summary)}"]
    lines += ["\\[", f"  \\ell = {description.latex}", "\\]"]
    for section in description.sections:
        lines += ["", f"\\textbf{{{section.heading}}}", "\\begin{description}"]
        lines += [f"  \\item[{_escaped(name)}] {_escaped(text)}" for name, text in section.rows]
        lines += ["\\end{description}"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """The text with what LaTeX reads as commands made harmless."""
    special = {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"} | {c: f"\\{c}" for c in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)


def _json(description: "Description") -> str:
    import json

    facts = {
        "loss": description.name,
        "summary": description.summary,
        "formula": description.formula,
        "latex": description.latex,
        **{
            section.heading: [{"name": name, "text": text} for name, text in section.rows]
            for section in description.sections
        },
    }
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
