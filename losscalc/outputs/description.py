"""Writes the description of a loss, section by section, in every format but the terminal's."""

from typing import NamedTuple

from losscalc.outputs.latex import broken, foldable


class Section(NamedTuple):
    """A heading, and the entries under it, each with a name and a text."""

    heading: str
    rows: list[tuple[str, str]]


class Description(NamedTuple):
    """The description of a loss, for people."""

    name: str
    summary: str
    formula: str
    latex: str
    equations: list[tuple[str, str]]
    """The formula and what it defines as LaTeX, each with its name."""
    sections: list[Section]
    kind: str = "loss"
    """Whether it is a loss or an activation."""


def write_description(description: Description, name: str) -> bytes:
    """Write a description in the format with a name."""
    write = {"plain": _plain, "markdown": _markdown, "latex": _latex, "json": _json}[name]
    return write(description).encode()


def _plain(description: Description) -> str:
    lines = [f"{description.name}: {description.summary}", "", f"  {description.formula}"]
    for section in description.sections:
        lines += ["", section.heading]
        lines += [f"  {name}  {text}" if name else f"  {text}" for name, text in section.rows]
    return "\n".join(lines) + "\n"


def _markdown(description: Description) -> str:
    lines = [f"## {description.name}", "", description.summary, "", f"`{description.formula}`"]
    for section in description.sections:
        lines += ["", f"**{section.heading}**", ""]
        code = "`" if section.heading == "example" else ""
        lines += [f"- `{name}`: {text}" if name else f"- {code}{text}{code}" for name, text in section.rows]
    return "\n".join(lines) + "\n"


def _latex(description: Description) -> str:
    lines = [f"{{\\sloppy\\paragraph{{{description.name}}} {foldable(description.summary)}\\par}}"]
    equations = " \\\\\n".join(broken(name, f"= {equation}") for name, equation in description.equations)
    lines += ["\\begin{align*}", equations, "\\end{align*}"]
    for section in description.sections:
        lines += ["", f"\\textbf{{{section.heading}}}", "\\begin{description}\\sloppy"]
        lines += [f"  \\item[{{{foldable(name)}}}] {foldable(text)}" for name, text in section.rows]
        lines += ["\\end{description}"]
    return "\n".join(lines) + "\n"


def _json(description: Description) -> str:
    import json

    facts = {
        description.kind: description.name,
        "summary": description.summary,
        "formula": description.formula,
        "latex": description.latex,
        **{
            section.heading: [{"name": name, "text": text} for name, text in section.rows]
            for section in description.sections
        },
    }
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
