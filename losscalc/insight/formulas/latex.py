"""Writes formulas as LaTeX, with their symbols or with numbers."""

import re
from collections.abc import Callable

from losscalc.insight.formulas.grammar import Node
from losscalc.insight.formulas.value import Values, alternative, summands

_LATEX = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ρ": r"\rho",
    "π": r"\pi", "σ": r"\sigma", "ln": r"\ln", "exp": r"\exp", "max": r"\max", "min": r"\min",
    "atan": r"\arctan", "·": r" \cdot ", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "½": r"\tfrac{1}{2}",
    "∞": r"\infty",
}  # fmt: skip
_CASES = r"\begin{cases} "


def name_of(symbol: str) -> str:
    """A symbol as LaTeX: Greek letters by name, x[y] and x1 with an index, words upright."""
    if match := re.fullmatch(r"([a-z])\[([a-z])\]", symbol):
        return f"{match[1]}_{{{match[2]}}}"
    if match := re.fullmatch(r"(\D)(\d|₁|₂)", symbol):
        return f"{name_of(match[1])}_{{{match[2].translate(str.maketrans('₁₂', '12'))}}}"
    if match := re.fullmatch(r"(\w)\((\w), (\w)\)", symbol):
        return rf"{match[1]}\left({name_of(match[2])}, {name_of(match[3])}\right)"
    if len(symbol) > 1 and symbol.replace("_", "").isalpha():
        return rf"\mathrm{{{symbol.replace('_', chr(92) + '_')}}}"
    return _LATEX.get(symbol, symbol)


def latex(node: Node, values: Values | None, show: Callable[[float], str]) -> str | None:
    """A node as LaTeX; None if all its symbols have dropped out."""
    if node.kind == "number":
        return _LATEX.get(node.text, node.text)
    if node.kind in ("symbol", "flag"):
        return _latex_symbol(node, values, show)
    if node.kind == "choice" and values is not None:
        chosen = alternative(node, values)
        return None if chosen is None else latex(chosen, values, show)
    if node.kind in ("total", "extreme") and values is not None:
        return _latex_each(node, values, show)
    texts = [latex(part, values, show) for part in node.parts]
    if node.kind in ("group", "call") and node.parts[0].kind == "total" and values is not None:
        texts = [text and text.removeprefix("(").removesuffix(")") for text in texts]
    if None in texts:
        kept = [text for text in texts if text is not None]
        is_minus = texts[0] is None and node.text == "-"
        return (("-" if is_minus else "") + kept[0]) if kept else None
    return _LATEX_FORMS[node.kind](node, *texts)


def _latex_symbol(node: Node, values: Values | None, show: Callable[[float], str]) -> str | None:
    if values is None:
        return name_of(node.text)
    value = values[node.text]
    if value is None:
        return None
    if value.size != 1:
        return name_of(node.text)
    text = show(float(value.reshape(-1)[0]))
    return f"({text})" if text.startswith("-") else text


def _latex_each(node: Node, values: Values, show: Callable[[float], str]) -> str:
    """A sum, or the arguments of max or min, written out."""
    parts = [None if one is None else latex(node.parts[0], one, show) for one in summands(node, values)]
    texts = [part or r"\dots" for part in parts]
    if node.kind == "extreme":
        return rf"{_LATEX[node.text]}\left( {', '.join(texts)} \right)"
    return f"({' + '.join(texts)})" if texts else "0"


def _latex_group(node: Node, inside: str) -> str:
    left, right = {"(": ("(", ")"), "[": ("[", "]"), "|": ("|", "|")}[node.text]
    return rf"\left{left} {inside} \right{right}"


def _latex_call(node: Node, *arguments: str) -> str:
    if node.text == "√":
        return rf"\sqrt{{{_without_brackets(node.parts[0], arguments[0])}}}"
    return rf"{_LATEX[node.text]}\left( {', '.join(arguments)} \right)"


def _latex_choice(node: Node, value: str, condition: str, other: str = "") -> str:
    if other and node.parts[2].kind == "choice":
        # A choice inside the alternative adds its cases to those of this one.
        otherwise = r" \\ " + other.removeprefix(_CASES).removesuffix(r" \end{cases}")
    else:
        otherwise = rf" \\ {other} & \text{{otherwise}}" if other else ""
    return rf"{_CASES}{value} & \text{{if }} {condition}{otherwise} \end{{cases}}"


def _without_brackets(node: Node, text: str) -> str:
    """The text of a node without its brackets, under a bar that groups it anyway."""
    return text.removeprefix(r"\left( ").removesuffix(r" \right)") if node.kind == "group" else text


def _latex_product(node: Node, left: str, right: str) -> str:
    if node.text == "/":
        left, right = (
            _without_brackets(part, text) for part, text in zip(node.parts, (left, right), strict=True)
        )
        return rf"\frac{{{left}}}{{{right}}}"
    return f"{left}{_LATEX.get(node.text, ' ')}{right}"


_LATEX_FORMS: dict[str, Callable[..., str]] = {
    "negative": lambda node, value: f"-{value}",
    "sum": lambda node, left, right: f"{left} {node.text} {right}",
    "product": _latex_product,
    "power": lambda node, base, exponent: f"{base}^{{{exponent}}}",
    "group": _latex_group,
    "call": _latex_call,
    "total": lambda node, body: rf"\sum {body}",
    "extreme": lambda node, body: rf"{_LATEX[node.text]} {body}",
    "compare": lambda node, left, right: f"{left} {_LATEX.get(node.text, node.text)} {right}",
    "and": lambda node, left, right: rf"{left} \text{{ and }} {right}",
    "choice": _latex_choice,
}
