"""Writes formulas as text from their trees, where a part has been given a name."""

from losscalc.insight.formulas.grammar import Node
from losscalc.insight.formulas.notation import Notation


class Plain(Notation):
    """The vocabulary of the declarations."""

    dots = "…"
    plus = " + "

    def number(self, text: str) -> str:
        return text

    def name(self, symbol: str) -> str:
        return symbol

    def bracketed(self, text: str) -> str:
        return f"({text})"

    def bare(self, text: str) -> str:
        return text.removeprefix("(").removesuffix(")")

    def negative(self, text: str) -> str:
        return f"-{text}"

    def group(self, node: Node, inside: str) -> str:
        return node.text + inside + {"(": ")", "[": "]", "|": "|"}[node.text]

    def call(self, node: Node, arguments: list[str]) -> str:
        first = node.parts[0]
        if len(arguments) == 1 and first.kind in ("symbol", "number", "total"):
            return f"{node.text} {arguments[0]}"
        if len(arguments) == 1 and first.kind == "call":
            return f"{node.text} {arguments[0]}"
        inside = ", ".join(arguments)
        return f"{node.text}{inside if inside.startswith('(') else f'({inside})'}"

    def choice(self, node: Node, parts: list[str]) -> str:
        value, condition, *others = parts
        return f"{value} if {condition}" + (f", else {others[0]}" if others else "")

    def total(self, body: str) -> str:
        return f"Σ {body}"

    def pair(self, node: Node, left: str, right: str) -> str:
        if node.kind == "power":
            return f"{left}²" if node.text == "²" else f"{left}^{right}"
        if node.kind in ("product",):
            return f"{left} / {right}" if node.text == "/" else f"{left}{node.text}{right}"
        return f"{left} {node.text or 'and'} {right}"
