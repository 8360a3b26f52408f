"""Writes formulas with markup, with their symbols or with numbers: what LaTeX and MathML have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import NamedTuple

from losscalc.insight.formulas.grammar import Node
from losscalc.insight.formulas.value import MOST_OF_ROW, Values, alternative, summands

# What needs no brackets of its own beside other signs.
_ALONE = ("number", "symbol", "product", "power", "call", "group", "total")


class Filling(NamedTuple):
    """What stands in the place of symbols: their values, and how a number is shown."""

    values: Values
    show: Callable[[float], str]


class Notation(ABC):
    """A way to write formulas: a method for each kind of node, given its parts as they are written."""

    def write(self, node: Node, filling: Filling | None = None) -> str | None:
        """A node; None if all its symbols have dropped out."""
        if node.kind == "number":
            return self.number(node.text)
        if node.kind in ("symbol", "flag"):
            return self._symbol(node, filling)
        if filling is not None and node.kind == "choice":
            chosen = alternative(node, filling.values)
            return None if chosen is None else self.write(chosen, filling)
        if filling is not None and node.kind in ("total", "extreme"):
            return self._each(node, filling)
        if filling is not None and node.text == "(" and node.parts[0].kind == "choice":
            chosen = alternative(node.parts[0], filling.values)
            if chosen is not None and chosen.kind in _ALONE:
                return self.write(chosen, filling)
        texts = [self.write(part, filling) for part in node.parts]
        if filling is not None and node.kind == "group" and node.parts[0].kind == "total":
            # The brackets around a sum that is written out are there already.
            texts = [text and self.bare(text) for text in texts]
        if None in texts:
            kept = [text for text in texts if text is not None]
            is_minus = texts[0] is None and node.text == "-"
            return (self.negative(kept[0]) if is_minus else kept[0]) if kept else None
        return self._joined(node, [text for text in texts if text is not None])

    def _symbol(self, node: Node, filling: Filling | None) -> str | None:
        if filling is None:
            return self.name(node.text)
        value = filling.values[node.text]
        if value is None:
            return None
        if value.size == 1:
            return self.shown(float(value.reshape(-1)[0]), filling)
        return self.name(node.text) if value.size > MOST_OF_ROW else self.row(value.flat, filling)

    def row(self, values: Iterable[float], filling: Filling) -> str:
        """Several numbers in the place of a symbol."""
        texts = [self.number(filling.show(float(value))) for value in values]
        return f"{self.left}{self.comma.join(texts)}{self.right}"

    def shown(self, value: float, filling: Filling) -> str:
        """A number in the place of a symbol, in brackets if it is negative."""
        text = self.number(filling.show(value))
        return self.bracketed(text) if filling.show(value).startswith("-") else text

    def _each(self, node: Node, filling: Filling) -> str:
        """A sum, or the arguments of max or min, written out."""
        each = summands(node, filling.values)
        parts = [None if v is None else self.write(node.parts[0], filling._replace(values=v)) for v in each]
        texts = [part or self.dots for part in parts]
        if node.kind == "extreme":
            return self.call(node, texts)
        return self.bracketed(self.plus.join(texts)) if texts else self.number("0")

    def _joined(self, node: Node, texts: list[str]) -> str:
        """A node from its parts."""
        match node.kind:
            case "negative":
                return self.negative(texts[0])
            case "call" | "extreme":
                return self.call(node, texts)
            case "choice":
                return self.choice(node, texts)
            case "group":
                return self.group(node, texts[0])
            case "total":
                return self.total(texts[0])
        return self.pair(node, *texts)

    dots: str
    """What stands for the middle of many summands."""
    plus: str
    """The sign between summands."""
    left, right, comma = "[", "]", ", "
    """What stands around the numbers of a row, and between them."""

    @abstractmethod
    def number(self, text: str) -> str:
        """A number."""

    @abstractmethod
    def name(self, symbol: str) -> str:
        """A symbol."""

    @abstractmethod
    def bracketed(self, text: str) -> str:
        """A text in brackets that are as high as a line."""

    @abstractmethod
    def bare(self, text: str) -> str:
        """The same text without them."""

    @abstractmethod
    def negative(self, text: str) -> str:
        """A text with a minus."""

    @abstractmethod
    def group(self, node: Node, inside: str) -> str:
        """A text in the brackets of a node."""

    @abstractmethod
    def call(self, node: Node, arguments: list[str]) -> str:
        """A function of its arguments."""

    @abstractmethod
    def choice(self, node: Node, parts: list[str]) -> str:
        """A value, its condition, and what holds otherwise."""

    @abstractmethod
    def total(self, body: str) -> str:
        """A sum."""

    @abstractmethod
    def pair(self, node: Node, left: str, right: str) -> str:
        """Two parts with an operator between them, or one above the other."""
