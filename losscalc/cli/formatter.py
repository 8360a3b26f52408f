"""How help looks: options in one column, names in one piece, and colours on a terminal."""

import re
import sys
from collections.abc import Iterable
from typing import Any

import click
from click.formatting import wrap_text

from losscalc.cli.color import has_color, painted

# Of no meaning in Unicode: it stands for a hyphen until lines are broken.
_HYPHEN = "\ue000"
WIDEST_NAME = 28
"""The most that the column of names is wide. Longer ones have a line of their own."""
_NARROW = 66
"""In less room than this, every name has a line of its own."""
_WIDEST = 100

_COLOURED = re.compile(
    r"(?P<heading>^Usage:|^[A-Z][^\n]*:$)"
    r"|(?P<option>(?<!\S)--?[A-Za-z][\w-]*(?=[\s,.;:)=/]|$))"
    r"|(?P<dim>\[(?:required|default: [^\]\n]*)\])",
    re.MULTILINE,
)


class HelpText(click.HelpFormatter):
    """A formatter of help that does not break a line behind a hyphen, as Click's does."""

    def write_text(self, text: str) -> None:
        super().write_text(_joined(text))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = WIDEST_NAME, col_spacing: int = 2
    ) -> None:
        """Write names, and what they mean beside them or, in little room, below them."""
        rows = [(_joined(name), _joined(text)) for name, text in rows]
        names = min(max(len(name) for name, _ in rows), col_max) if self.width >= _NARROW else 4
        margin = " " * (self.current_indent + names + col_spacing)
        for name, text in rows:
            lines = wrap_text(text, max(self.width - len(margin), 10)).splitlines() or [""]
            name = name.rstrip()
            if len(name) > names:
                lines.insert(0, "")
            first, *others = lines
            self.write(f"{'':{self.current_indent}}{name.ljust(names + col_spacing)}{first}".rstrip() + "\n")
            self.write("".join(f"{margin}{line}\n" for line in others))

    def getvalue(self) -> str:
        text = super().getvalue().replace(_HYPHEN, "-")
        return _COLOURED.sub(_coloured, text) if has_color(sys.stdout) else text


class Context(click.Context):
    """The context of every command: its help is up to 100 columns wide, and `_` in an option is `-`."""

    formatter_class = HelpText

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.max_content_width = _WIDEST
        self.token_normalize_func = _hyphenated
        # Otherwise Click takes the colours out again where --color put them into a pipe.
        self.color = has_color(sys.stdout)


def _hyphenated(word: str) -> str:
    return word.replace("_", "-")


def _joined(text: str) -> str:
    return text.replace("-", _HYPHEN)


def _coloured(found: re.Match[str]) -> str:
    return painted(found[0], found.lastgroup or "heading")
