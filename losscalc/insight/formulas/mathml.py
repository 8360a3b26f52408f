"""Writes formulas as MathML, which browsers set by themselves."""

import re
from html import escape

from losscalc.insight.formulas.grammar import Node
from losscalc.insight.formulas.notation import Notation

_NUMBERS = {"½": "<mfrac><mn>1</mn><mn>2</mn></mfrac>", "π": "<mi>π</mi>", "∞": "<mi>∞</mi>"}
# What stands between two factors without a sign.
_TIMES = "\u2062"
_HIGH = ("<mfrac", "<mtable", "∑", "<msqrt")
_STILL = ' stretchy="false"'
_IN_BRACKETS = re.compile(rf"<mrow><mo(?:{_STILL})?>\((?:</mo>)(.*)<mo(?:{_STILL})?>\)</mo></mrow>")
_CASES = '<mtable columnalign="left">'


def operator(sign: str) -> str:
    """A sign between two parts, or before one."""
    return f"<mo>{escape(sign.replace('-', '−'))}</mo>"


def numeral(text: str) -> str:
    """A number, with a minus that is as long as a plus is wide."""
    sign = operator("-") if text.startswith("-") else ""
    digits = escape(text.removeprefix("-"))
    return sign + _NUMBERS.get(digits, f"<mn>{digits}</mn>")


class MathML(Notation):
    """Every part is one element, or several that stand side by side in a row."""

    dots = "<mo>…</mo>"
    plus = operator("+")
    left, right, comma = "<mrow><mo>[</mo>", "<mo>]</mo></mrow>", "<mo>,</mo>"

    def number(self, text: str) -> str:
        return _row(numeral(text)) if text.startswith("-") else numeral(text)

    def name(self, symbol: str) -> str:
        if match := re.fullmatch(r"([a-z])\[([a-z])\]", symbol):
            return f"<msub><mi>{match[1]}</mi><mi>{match[2]}</mi></msub>"
        if match := re.fullmatch(r"(\D)(\d|₁|₂)", symbol):
            place = match[2].translate(str.maketrans("₁₂", "12"))
            return f"<msub><mi>{match[1]}</mi><mn>{place}</mn></msub>"
        if match := re.fullmatch(r"(\w)'", symbol):
            return f"<msup><mi>{match[1]}</mi><mo>′</mo></msup>"
        if match := re.fullmatch(r"(\w)\((\w), (\w)\)", symbol):
            inside = f"<mi>{match[2]}</mi><mo>,</mo><mi>{match[3]}</mi>"
            return _row(f"<mi>{match[1]}</mi>{self.bracketed(inside)}")
        return f"<mi>{escape(symbol)}</mi>"

    def bracketed(self, text: str) -> str:
        return _fenced("(", text, ")")

    def bare(self, text: str) -> str:
        if match := _IN_BRACKETS.fullmatch(text):
            return match[1]
        return text

    def negative(self, text: str) -> str:
        return _row(f"{operator('-')}{text}")

    def group(self, node: Node, inside: str) -> str:
        if node.parts[0].kind == "choice" and _CASES in inside:
            return inside
        left, right = {"(": ("(", ")"), "[": ("[", "]"), "|": ("|", "|")}[node.text]
        return _fenced(left, inside, right)

    def call(self, node: Node, arguments: list[str]) -> str:
        if node.text == "√":
            return f"<msqrt>{self._inside(node.parts[0], arguments[0])}</msqrt>"
        if len(arguments) == len(node.parts):
            pairs = zip(node.parts, arguments, strict=True)
            arguments = [self._inside(part, text) for part, text in pairs]
        inside = "<mo>,</mo>".join(arguments)
        name = {"atan": "arctan"}.get(node.text, node.text)
        return _row(f"<mi>{name}</mi><mo>&#8289;</mo>{self.bracketed(inside)}")

    def choice(self, node: Node, parts: list[str]) -> str:
        value, condition, *others = parts
        rows = _case(value, f"<mtext>if&#160;</mtext>{condition}")
        if others and node.parts[2].kind == "choice":
            rows += others[0].partition(_CASES)[2].rpartition("</mtable>")[0]
        elif others:
            rows += _case(others[0], "<mtext>otherwise</mtext>")
        return _row(f"<mo>{{</mo>{_CASES}{rows}</mtable>")

    def total(self, body: str) -> str:
        return _row(f"<mo>∑</mo>{body}")

    def pair(self, node: Node, left: str, right: str) -> str:
        if node.kind == "power":
            return f"<msup>{_row(left)}{_row(self._inside(node.parts[1], right))}</msup>"
        if node.kind == "and":
            return _row(f"{left}<mtext>&#160;and&#160;</mtext>{right}")
        if node.text == "/":
            above, below = (self._inside(*each) for each in zip(node.parts, (left, right), strict=True))
            return f"<mfrac>{_row(above)}{_row(below)}</mfrac>"
        return _row(f"{left}{operator(node.text or _TIMES)}{right}")

    def _inside(self, node: Node, text: str) -> str:
        """The text of a node without its brackets, where something else groups it."""
        is_grouped = node.kind in ("total", "symbol") or (node.kind == "group" and node.text == "(")
        return self.bare(text) if is_grouped else text


def _fenced(left: str, inside: str, right: str) -> str:
    """Brackets, which grow only around what is higher than a line."""
    still = "" if any(tag in inside for tag in _HIGH) else _STILL
    return _row(f"<mo{still}>{left}</mo>{inside}<mo{still}>{right}</mo>")


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


def _case(value: str, condition: str) -> str:
    return f"<mtr><mtd>{value}</mtd><mtd>{condition}</mtd></mtr>"
