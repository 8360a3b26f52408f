"""Writes formulas with numbers for their symbols."""

from collections.abc import Callable

from losscalc.insight.formulas.grammar import Node
from losscalc.insight.formulas.value import MOST_OF_ROW, Values, alternative, summands


class Text:
    """Writes a formula with numbers, and with the spaces of its source."""

    def __init__(self, source: str, values: Values, show: Callable[[float], str]) -> None:
        self.source, self.values, self.show = source, values, show

    def render(self, node: Node) -> str | None:
        """The text of a node; None if all its symbols have dropped out."""
        match node.kind:
            case "number":
                return node.text
            case "symbol" | "flag":
                return self.symbol(node)
            case "choice":
                chosen = alternative(node, self.values)
                return None if chosen is None else self.render(chosen)
            case "total":
                return self.total(node)
            case "extreme":
                return f"{node.text}({', '.join(self.each(node))})"
            case "sum" | "product":
                return self.pair(node)
        texts = [text for part in node.parts if (text := self.render(part)) is not None]
        return self.around(node, texts) if texts else None

    def around(self, node: Node, texts: list[str]) -> str:
        """The parts inside what surrounds them in the source: brackets, the name of a function, a sign."""
        first, last = node.parts[0], node.parts[-1]
        if node.kind == "power":
            return texts[0] + (
                node.text if node.text == "²" else self.source[first.end : last.start] + texts[1]
            )
        return self.source[node.start : first.start] + ", ".join(texts) + self.source[last.end : node.end]

    def pair(self, node: Node) -> str | None:
        """Two parts with the operator between them, or the one that has not dropped out."""
        left, right = (self.render(part) for part in node.parts)
        if left is None or right is None:
            if left is None and right is not None and node.text in ("-", "/"):
                return f"{'-' if node.text == '-' else '1/'}{right}"
            return right if left is None else left
        between = self.source[node.parts[0].end : node.parts[1].start]
        # 2β becomes 2·3, not 23.
        return left + (between or "·") + right

    def symbol(self, node: Node) -> str | None:
        """The number of a symbol, in brackets if it is negative and follows an operator."""
        value = self.values[node.text]
        if value is None:
            return None
        if value.size != 1:
            return node.text if value.size > MOST_OF_ROW else f"[{', '.join(map(self.show, value.flat))}]"
        text = self.show(float(value.reshape(-1)[0]))
        before = self.source[: node.start].rstrip()[-1:]
        after = self.source[node.end : node.end + 1]
        alone = before in ("", "(", "[", "|", ",") or self.source[: node.start].endswith(
            ("if ", "else ", "max ", "min ")
        )
        return f"({text})" if text.startswith("-") and (not alone or (after in "²^" and after)) else text

    def total(self, node: Node) -> str:
        """A sum written out, in brackets unless the source has them."""
        text = " + ".join(self.each(node)) or "0"
        is_inside = (
            self.source[node.start - 1 : node.start] == "(" and self.source[node.end : node.end + 1] == ")"
        )
        return text if is_inside or text == "0" else f"({text})"

    def each(self, node: Node) -> list[str]:
        """The summands, or the arguments of max or min; if they are many, some are left out."""
        return [
            "…" if values is None else Text(self.source, values, self.show).render(node.parts[0]) or ""
            for values in summands(node, self.values)
        ]
