"""Writes formulas as LaTeX."""

import re

from losscalc.insight.formulas.grammar import Node
from losscalc.insight.formulas.notation import Notation

SYMBOLS = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ρ": r"\rho",
    "π": r"\pi", "σ": r"\sigma", "ln": r"\ln", "exp": r"\exp", "max": r"\max", "min": r"\min",
    "atan": r"\arctan", "·": r" \cdot ", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "½": r"\tfrac{1}{2}",
    "∞": r"\infty", "ℓ": r"\ell",
}  # fmt: skip
_CASES = r"\begin{cases} "
# What is higher than a line, so that the brackets around it have to grow.
_HIGH = (r"\frac", r"\sum", r"\begin", r"\left", "^")


class Latex(Notation):
    """Brackets grow where what they hold is higher than a line; where it is not, a line may break in them."""

    dots = r"\dots"
    plus = " + "

    def number(self, text: str) -> str:
        return SYMBOLS.get(text, text)

    def name(self, symbol: str) -> str:
        """Greek letters by name, x[y] and x1 with an index, words upright."""
        if match := re.fullmatch(r"([a-z])\[([a-z])\]", symbol):
            return f"{match[1]}_{{{match[2]}}}"
        if match := re.fullmatch(r"(\D)(\d|₁|₂)", symbol):
            return f"{self.name(match[1])}_{{{match[2].translate(str.maketrans('₁₂', '12'))}}}"
        if match := re.fullmatch(r"(\w)\((\w), (\w)\)", symbol):
            return rf"{match[1]}({self.name(match[2])}, {self.name(match[3])})"
        if len(symbol) > 1 and symbol.replace("_", "").isalpha():
            return rf"\mathrm{{{symbol.replace('_', chr(92) + '_')}}}"
        return SYMBOLS.get(symbol, symbol)

    def bracketed(self, text: str) -> str:
        return f"({text})"

    def bare(self, text: str) -> str:
        return text[1:-1] if text.startswith("(") and text.endswith(")") else text

    def negative(self, text: str) -> str:
        return f"-{text}"

    def group(self, node: Node, inside: str) -> str:
        if node.parts[0].kind == "choice" and inside.startswith(_CASES):
            # The brace of the cases is a bracket already.
            return inside
        left, right = {"(": ("(", ")"), "[": ("[", "]"), "|": ("|", "|")}[node.text]
        if any(sign in inside for sign in _HIGH):
            return rf"\left{left} {inside} \right{right}"
        return rf"\lvert {inside} \rvert" if left == "|" else f"{left}{inside}{right}"

    def call(self, node: Node, arguments: list[str]) -> str:
        if node.text == "√":
            return rf"\sqrt{{{self._inside(node.parts[0], arguments[0])}}}"
        # The brackets of a group are those of the function.
        inside = (
            ", ".join(self._inside(part, text) for part, text in zip(node.parts, arguments, strict=False))
            if len(arguments) == len(node.parts)
            else ", ".join(arguments)
        )
        if any(sign in inside for sign in _HIGH):
            return rf"{SYMBOLS[node.text]}\left( {inside} \right)"
        return rf"{SYMBOLS[node.text]}({inside})"

    def choice(self, node: Node, parts: list[str]) -> str:
        value, condition, *others = parts
        other = next(iter(others), "")
        if other and node.parts[2].kind == "choice":
            # A choice inside the alternative adds its cases to those of this one.
            otherwise = r" \\ " + other.removeprefix(_CASES).removesuffix(r" \end{cases}")
        else:
            otherwise = rf" \\ {other} & \text{{otherwise}}" if other else ""
        return rf"{_CASES}{value} & \text{{if }} {condition}{otherwise} \end{{cases}}"

    def total(self, body: str) -> str:
        return rf"\sum {body}"

    def pair(self, node: Node, left: str, right: str) -> str:
        if node.kind == "power":
            return f"{left}^{{{self._inside(node.parts[1], right)}}}"
        if node.kind == "and":
            return rf"{left} \text{{ and }} {right}"
        if node.kind == "compare":
            return f"{left} {SYMBOLS.get(node.text, node.text)} {right}"
        if node.kind == "sum":
            return f"{left} {node.text} {right}"
        if node.text == "/":
            above, below = (self._inside(*each) for each in zip(node.parts, (left, right), strict=True))
            return rf"\frac{{{above}}}{{{below}}}"
        return f"{left}{SYMBOLS.get(node.text, ' ')}{right}"

    def _inside(self, node: Node, text: str) -> str:
        """The text of a node without its brackets, where something else groups it."""
        if node.kind != "group" or node.text != "(":
            # A sum that is written out has brackets, and so has a negative number.
            return self.bare(text) if node.kind in ("total", "symbol") and text.startswith("(") else text
        if text.startswith(r"\left( "):
            return text.removeprefix(r"\left( ").removesuffix(r" \right)")
        return self.bare(text)
