"""Markdown as LaTeX, for notebooks: of what results are written in, and of no more.

There are paragraphs, tables and lists, between blank lines, and in them `code` and **bold** words.
"""

import re
from collections.abc import Callable, Iterator, Sequence

_INLINE = re.compile(r"`([^`]*)`|\*\*(.+?)\*\*")
_CELL = re.compile(r"(?<!\\)\|")
_SPECIAL = {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"} | {c: f"\\{c}" for c in "&%$#_{}"}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def latex(markdown: str) -> str:
    """A formula of LaTeX, a block a line.

    >>> latex("in `y`, **0.5 %**")
    '$$\\\\begin{array}{l}\\n\\\\text{in }\\\\texttt{y}\\\\text{, }\\\\textbf{0.5 \\\\%}\\n\\\\end{array}$$'
    """
    body = " \\\\\n".join(map(_latex_block, _blocks(markdown)))
    return f"$$\\begin{{array}}{{l}}\n{body}\n\\end{{array}}$$"


def _blocks(markdown: str) -> Iterator[list[str]]:
    for block in re.split(r"\n\s*\n", markdown.strip("\n")):
        yield block.splitlines()


def _latex_block(lines: Sequence[str]) -> str:
    if lines[0].startswith("|"):
        head, sides, *rows = map(_cells, lines)
        columns = "".join("r" if side.endswith(":") else "l" for side in sides)
        above = " & ".join(map(_latex, head))
        body = " \\\\\n".join(" & ".join(map(_latex, cells)) for cells in rows)
        return f"\\begin{{array}}{{{columns}}}\n{above} \\\\ \\hline\n{body}\n\\end{{array}}"
    return " \\\\\n".join(_latex(line.removeprefix("- ")) for line in lines)


def _cells(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [cell.strip().replace(r"\|", "|") for cell in _CELL.split(line)[1:-1]]


def _latex(text: str) -> str:
    if not text or _NUMBER.fullmatch(text):
        return text
    return _inline(text, _plain_latex, r"\texttt{{{}}}", r"\textbf{{{}}}", r"\text{{{}}}")


def _plain_latex(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _inline(text: str, plain: Callable[[str], str], code: str, bold: str, between: str = "{}") -> str:
    """A text with its code, its bold words and what is between them each put into a frame."""
    pieces, end = [], 0
    for match in _INLINE.finditer(text):
        pieces += [
            (between, text[end : match.start()]),
            (code, match[1]) if match[2] is None else (bold, match[2]),
        ]
        end = match.end()
    pieces.append((between, text[end:]))
    return "".join(frame.format(plain(words)) for frame, words in pieces if words)
