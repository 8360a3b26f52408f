"""Formulas for LaTeX, with symbols or with numbers in their place."""

import re
from collections.abc import Callable

import numpy as np

from losscalc.insight.formulas.grammar import Node
from losscalc.insight.formulas.value import Values, evaluate, summands

_LATEX = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ρ": r"\rho",
    "π": r"\pi", "σ": r"\sigma", "ln": r"\ln", "exp": r"\exp", "max": r"\max", "min": r"\min",
    "atan": r"\arctan", "·": r" \cdot ", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "½": r"\tfrac{1}{2}",
}  # fmt: skip


def name_of(symbol: str) -> str:
    """A symbol for LaTeX: Greek letters by name, x[y] and x1 with an index, words upright."""
    if match := re.fullmatch(r"([a-z])\[([a-z])\]", symbol):
        return f"{match[1]}_{{{match[2]}}}"
    if match := re.fullmatch(r"(\D)(\d|₁|₂)", symbol):
        return f"{name_of(match[1])}_{{{match[2].translate(str.maketrans('₁₂', '12'))}}}"
    if len(symbol) > 1 and symbol.replace("_", "").isalpha():
        return rf"\mathrm{{{symbol.replace('_', chr(92) + '_')}}}"
    return _LATEX.get(symbol, symbol)


def latex(node: Node, values: Values | None, show: Callable[[float], str]) -> str | None:
    """A part for LaTeX; None where all its symbols are left out."""
    if node.kind == "number":
        return _LATEX.get(node.text, node.text)
    if node.kind in ("symbol", "flag"):
        return _latex_symbol(node, values, show)
    if node.kind == "choice" and values is not None:
        holds = np.all(evaluate(node.parts[1], values))
        return latex(node.parts[0] if holds else node.parts[2], values, show)
    if node.kind == "total" and values is not None:
        parts = [None if one is None else latex(node.parts[0], one, show) for one in summands(node, values)]
        return f"({' + '.join(part or chr(92) + 'dots' for part in parts)})" if parts else "0"
    texts = [latex(part, values, show) for part in node.parts]
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


def _latex_group(node: Node, inside: str) -> str:
    left, right = {"(": ("(", ")"), "[": ("[", "]"), "|": ("|", "|")}[node.text]
    return rf"\left{left} {inside} \right{right}"


def _latex_product(node: Node, left: str, right: str) -> str:
    if node.text == "/":
        # The bar of a fraction groups by itself.
        left, right = (
            text.removeprefix(r"\left( ").removesuffix(r" \right)") if part.kind == "group" else text
            for part, text in zip(node.parts, (left, right), strict=True)
        )
        return rf"\frac{{{left}}}{{{right}}}"
    return f"{left}{_LATEX.get(node.text, ' ')}{right}"


_LATEX_FORMS: dict[str, Callable[..., str]] = {
    "negative": lambda node, value: f"-{value}",
    "sum": lambda node, left, right: f"{left} {node.text} {right}",
    "product": _latex_product,
    "power": lambda node, base, exponent: f"{base}^{{{exponent}}}",
    "group": _latex_group,
    "call": lambda node, *arguments: rf"{_LATEX[node.text]}\left( {', '.join(arguments)} \right)",
    "total": lambda node, body: rf"\sum {body}",
    "compare": lambda node, left, right: f"{left} {_LATEX.get(node.text, node.text)} {right}",
    "choice": lambda node, value, condition, other: (
        rf"\begin{{cases}} {value} & \text{{if }} {condition} \\ {other} & \text{{otherwise}} \end{{cases}}"
    ),
}
