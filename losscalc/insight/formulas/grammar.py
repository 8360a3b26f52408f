"""The grammar of formulas, and the parser that makes trees of them.

formula      alternative {", " (name | name "(u, v)") " = " alternative} ["; " legend]
alternative  sum ["if" condition {"and" condition} [", " ("else" alternative | alternative)]]
condition    sum (= ≠ < ≤ > ≥) sum | name of a flag
sum          ["-"] product {("+" | "-") product}
product      power {("·" | "/" | nothing) power}
power        part ["²" | "^" part]
part         number | ½ | π | ∞ | symbol | function part | ("Σ" | "max" | "min") product
             | "(" ... ")" | "[" ... "]" | "|" sum "|"

Without an `else`, an alternative that does not hold drops out. Σ, and max and min of one product, run along
an axis of their own. A definition of d(u, v) holds for d(a, p), too, where a and p are the arrays whose
names begin with these letters.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?|[½π∞])|(?P<symbol>d\([a-z], [a-z]\)|[a-z]\[[a-z]\])"
    r"|(?P<word>[A-Za-zα-ωΔ][A-Za-z0-9_₁₂']*)|(?P<mark>[-+·/^²≤<≥>=≠()\[\]|,Σ√]))"
)
FUNCTIONS = ("ln", "exp", "σ", "√", "max", "min", "atan")
_EXTREMES = ("max", "min")
COMPARISONS = ("=", "≠", "<", "≤", ">", "≥")
_BETWEEN = ("if", "else", "and")
_CLOSING = {"(": ")", "[": "]", "|": "|"}


class Token(NamedTuple):
    """A word of a formula, and its place in the text."""

    kind: str
    text: str
    start: int
    end: int


class Node(NamedTuple):
    """A part of a formula: its kind, its own parts, and its place in the text."""

    kind: str
    parts: tuple["Node", ...]
    text: str
    start: int
    end: int


class _Parser:
    """A recursive-descent parser, with a method for each rule of the grammar."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.next = 0

    def peek(self, ahead: int = 0) -> Token:
        position = self.next + ahead
        return self.tokens[position] if position < len(self.tokens) else Token("end", "", len(self.text), 0)

    def take(self, text: str | None = None) -> Token:
        token = self.peek()
        if token.kind == "end" or (text is not None and token.text != text):
            raise ValueError(f"{self.text!r}: {text or 'more'} expected at {token.start}")
        self.next += 1
        return token

    def node(self, kind: str, *parts: Node, start: int, text: str = "") -> Node:
        return Node(kind, parts, text, start, self.tokens[self.next - 1].end)

    def definition_follows(self) -> bool:
        is_name = self.peek(1).kind in ("word", "symbol")
        return self.peek().text == "," and is_name and self.peek(2).text == "="

    def alternative(self) -> Node:
        start = self.peek().start
        value = self.sum()
        if self.peek().text != "if":
            return value
        self.take("if")
        condition = self.condition()
        while self.peek().text == "and":
            self.take("and")
            condition = self.node("and", condition, self.condition(), start=condition.start)
        if self.peek().text != "," or self.definition_follows():
            return self.node("choice", value, condition, start=start)
        self.take(",")
        if self.peek().text == "else":
            self.take("else")
        return self.node("choice", value, condition, self.alternative(), start=start)

    def condition(self) -> Node:
        start = self.peek().start
        left = self.sum()
        if self.peek().text not in COMPARISONS:
            return left._replace(kind="flag")
        operator = self.take().text
        return self.node("compare", left, self.sum(), start=start, text=operator)

    def sum(self) -> Node:
        start = self.peek().start
        if self.peek().text == "-":
            self.take()
            node = self.node("negative", self.product(), start=start)
        else:
            node = self.product()
        while self.peek().text in ("+", "-"):
            operator = self.take().text
            node = self.node("sum", node, self.product(), start=start, text=operator)
        return node

    def product(self) -> Node:
        start = self.peek().start
        node = self.power()
        while self.peek().text in ("·", "/") or (self.begins_part() and _ends_in_number(node)):
            operator = self.take().text if self.peek().text in ("·", "/") else ""
            node = self.node("product", node, self.power(), start=start, text=operator)
        return node

    def begins_part(self) -> bool:
        return (self.peek().kind in ("symbol", "word") and self.peek().text not in _BETWEEN) or (
            self.peek().text in ("(", "[", "√", "π")
        )

    def power(self) -> Node:
        start = self.peek().start
        node = self.part()
        if self.peek().text == "²":
            self.take()
            return self.node("power", node, Node("number", (), "2", 0, 0), start=start, text="²")
        if self.peek().text == "^":
            self.take()
            return self.node("power", node, self.part(), start=start, text="^")
        return node

    def part(self) -> Node:
        token = self.take()
        if token.kind in ("number", "symbol"):
            return Node(token.kind, (), token.text, token.start, token.end)
        if token.text == "Σ":
            return self.node("total", self.product(), start=token.start)
        if token.text in _CLOSING:
            return self.bracket(token)
        if token.text in FUNCTIONS:
            return self.call(token)
        if token.kind == "word":
            return Node("symbol", (), token.text, token.start, token.end)
        raise ValueError(f"{self.text!r}: {token.text} is not expected at {token.start}")

    def call(self, function: Token) -> Node:
        arguments = []
        if self.peek().text == "(":
            self.take("(")
            arguments.append(self.alternative())
            while self.peek().text == ",":
                self.take(",")
                arguments.append(self.alternative())
            self.take(")")
        else:
            arguments.append(self.power())
        is_extreme = function.text in _EXTREMES and len(arguments) == 1
        return self.node(
            "extreme" if is_extreme else "call", *arguments, start=function.start, text=function.text
        )

    def bracket(self, opening: Token) -> Node:
        inside = self.sum() if opening.text == "|" else self.alternative()
        self.take(_CLOSING[opening.text])
        return self.node("group", inside, start=opening.start, text=opening.text)


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ValueError(f"{text!r}: nothing known stands at {position}")
        yield Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup), match.end())
        position = match.end()


def parse(text: str) -> tuple[Node, dict[str, Node]]:
    """The tree of a formula, and the trees of the symbols that it defines."""
    parser = _Parser(text)
    main = parser.alternative()
    definitions = {}
    while parser.definition_follows():
        parser.take(",")
        name = parser.take().text
        parser.take("=")
        definitions[name] = parser.alternative()
    if parser.peek().kind != "end":
        raise ValueError(f"{text!r}: the end is expected at {parser.peek().start}")
    return main, definitions


def walk(node: Node) -> Iterator[Node]:
    """A node and all nodes below it."""
    yield node
    for part in node.parts:
        yield from walk(part)


def _ends_in_number(node: Node) -> bool:
    """Whether a factor may follow without an operator, as in 2β and ½(x - y)."""
    return node.kind == "number" or (node.kind == "product" and _ends_in_number(node.parts[-1]))
