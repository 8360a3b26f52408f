"""What LaTeX needs: special characters escaped, and equations broken so that they fit on a page."""

import re
from collections.abc import Iterator, Sequence

DOTS = r"\dots"

# The width of the text of an article on A4 or letter paper, less a margin for what is only estimated.
PAGE = 330.0
_INDENT = 20.0
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
_SENTENCE = re.compile(r"\\text\{((?:[^{}]|\\[{}]|\{[^{}]*\})* (?:[^{}]|\\[{}]|\{[^{}]*\})*)\}")
# Where a line may break, though nothing else says so.
_BREAK = "\u200b"
_CASES = re.compile(r"(= )?\\begin\{cases\} (.*) \\end\{cases\}(.*)")
# A word longer than this may be cut.
_LONG = 20
_RELATIONS = ("=", "<", ">", r"\le", r"\ge", r"\ne")
_OPERATORS = ("+", "-", r"\cdot")
_OPENING, _CLOSING = (r"\left", r"\begin", "{"), (r"\right", r"\end", "}")
# Widths in points, at a size of ten, of what is not as wide as a digit.
_WIDTHS = {
    **dict.fromkeys(_RELATIONS, 13.4), **dict.fromkeys(_OPERATORS, 12.3), r"\cdot": 7.3, r"\dots": 13.4,
    r"\sum": 16.1,
    "(": 3.9, ")": 3.9, "[": 2.8, "]": 2.8, "|": 2.8, r"\lvert": 2.8, r"\rvert": 2.8, ",": 4.5, ".": 2.8,
    r"\quad": 10.0, r"\;": 2.8, "{": 0.0, "}": 0.0, "&": 10.0, r"\left": 4.0, r"\right": 4.0,
    r"\bigl": 1.0, r"\bigr": 1.0,
    **{rf"\{name}": 5.0 * len(name) + 1.7 for name in ("ln", "exp", "max", "min", "arctan")},
}  # fmt: skip
_NAMES = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ρ": "rho", "π": "pi",
    "σ": "sigma", "Σ": "sum", "·": "cdot", "≤": "le", "≥": "ge", "≠": "ne", "∞": "infty", "≈": "approx",
    "√": "surd", "∂": "partial", "Δ": "Delta", "τ": "tau", "λ": "lambda", "μ": "mu", "θ": "theta",
    "×": "times", "ℓ": "ell", "Π": "prod",
}  # fmt: skip
_SPECIAL = {
    "\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}", "<": "$<$", ">": "$>$", "|": "$|$", "–": "--",
    "½": r"$\tfrac{1}{2}$", "²": "$^2$", "₁": "$_1$", "₂": "$_2$", "…": r"\dots{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{character: rf"$\{name}$" for character, name in _NAMES.items()},
}  # fmt: skip


def escaped(text: str) -> str:
    r"""Text with the special characters of LaTeX escaped, and what it has no letters for as mathematics.

    >>> escaped("50 % of α_1")
    '50 \\% of $\\alpha$\\_1'
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


def foldable(text: str) -> str:
    """The same, so that a line may also break within words as long as commands and names of modules."""
    words = (re.sub(r"(?<=[.,/=_\])])(?=.)", _BREAK, w) if len(w) > _LONG else w for w in text.split(" "))
    return escaped(" ".join(words)).replace(_BREAK, r"\allowbreak{}")


def broken(left: str, *parts: str, margin: float = 0.0) -> str:
    """An equation for an align environment, in as many lines as its width demands.

    A line breaks between parts, and within one that is too long for a line of its own. The margin is the
    width of what stands at the left of all equations.
    """
    room = PAGE - max(margin, width(left))
    pieces = [piece for part in parts for piece in _fitting(part, room)]
    lines, used = [""], 0.0
    for piece in pieces:
        if lines[-1].strip(r" \quad=") and used + width(piece) > room:
            lines.append("")
            used = _INDENT
        lines[-1] += piece
        used += width(piece)
    first, *others = (line.strip() for line in lines)
    start = f"{left} &{first}" if first.startswith("=") else f"{left} & {first}"
    return " \\\\\n& \\quad ".join([start, *others])


def _fitting(part: str, room: float) -> Iterator[str]:
    """A part of an equation, in smaller ones if it is too long for a line."""
    if width(part) < room:
        yield part
        return
    if match := _CASES.fullmatch(part):
        # Each case on a line of its own may break as well.
        part = match[1] + r" \quad ".join(match[2].split("\\\\")).replace("&", r"\;") + match[3]
    for piece in _pieces(_SENTENCE.sub(_words, part)):
        if width(piece) < room:
            yield piece
        else:
            # Brackets that grow hold a line together, and those of one size do not.
            yield from _pieces(piece.replace(r"\left", r"\bigl").replace(r"\right", r"\bigr"))


def _words(sentence: re.Match[str]) -> str:
    """A sentence as words, between which a line may break."""
    *others, last = sentence[1].split(" ")
    return _BREAK.join([*(rf"\text{{{word} }}" for word in others), rf"\text{{{last}}}"])


def _pieces(latex: str) -> Iterator[str]:
    """Parts between which a line may break: before operators and behind commas that no brace holds."""
    piece, depth = "", 0
    for token in _TOKEN.findall(latex):
        depth += (token in _OPENING) - (token in _CLOSING)
        if depth == 0 and token in (*_RELATIONS, *_OPERATORS) and piece.strip(" -([|"):
            yield piece
            piece = ""
        piece += token if token != _BREAK else ""
        if depth == 0 and token in (",", r"\;", _BREAK):
            yield piece
            piece = ""
    yield piece


def text_width(cells: Sequence[str]) -> float:
    """About how wide a column of small letters is, with the space beside it."""
    return 12.0 + 4.7 * max(map(len, cells), default=0)


def width(latex: str) -> float:
    """About how wide an equation is, in points."""
    return _Ruler(latex).row()


class _Ruler:
    """Measures the tokens of an equation one after another."""

    def __init__(self, latex: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(latex)
        self._next = 0

    def row(self) -> float:
        """The widest of the lines up to the end of a group, or of all."""
        total, widest = 0.0, 0.0
        while self._next < len(self._tokens):
            token = self._take()
            if token == "}":
                break
            if token == "\\\\":
                total, widest = 0.0, max(total, widest)
            else:
                total += self._of(token)
        return max(total, widest)

    def _of(self, token: str) -> float:
        if token.isspace():
            return 0.0
        match token:
            case "{":
                return self.row()
            case r"\frac" | r"\tfrac":
                return max(self._argument(), self._argument()) + 2.4
            case r"\sqrt":
                return self._argument() + 9.0
            case "^" | "_":
                return 0.75 * self._argument()
            case r"\text" | r"\mathrm":
                return 4.9 * len(self._words())
            case r"\begin" | r"\end":
                self._words()
                return 13.0
        return _WIDTHS.get(token, 6.0 if token.startswith("\\") or token.isalpha() else 5.0)

    def _take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1]

    def _argument(self) -> float:
        while self._next < len(self._tokens) and self._tokens[self._next].isspace():
            self._next += 1
        return self._of(self._take()) if self._next < len(self._tokens) else 0.0

    def _words(self) -> str:
        """What stands in the braces that follow."""
        words, depth = "", 0
        while self._next < len(self._tokens):
            token = self._take()
            depth += (token == "{") - (token == "}")
            if depth == 0:
                break
            words += token
        return words.removeprefix("{")
