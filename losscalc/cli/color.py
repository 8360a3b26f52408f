"""Colours: which streams get them, and what they are."""

import os
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TextIO

_CHOICES = ("auto", "always", "never")
_CODES = {
    "heading": "1",
    "option": "36",
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "hint": "36",
    "good": "1;32",
    "bad": "1;31",
    "dim": "2",
}

_typed: ContextVar[str] = ContextVar("_typed", default="auto")


def take_choice(words: Sequence[str]) -> None:
    """Look for --color among the words of a command, or for what the environment says in its place.

    Errors have colours, too, and some come up before the options are read.
    """
    choice = os.environ.get("LOSSCALC_COLOR", "auto")
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, sign, value = word.partition("=")
        if name == "--color":
            choice = value if sign else following
    _typed.set(choice if choice in _CHOICES else "auto")


def has_color(stream: TextIO | None, choice: str | None = None) -> bool:
    """Whether to use colours: as asked for, else on a terminal unless NO_COLOR or TERM is against it."""
    choice = choice or _typed.get()
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        # It is closed.
        return False


def painted(text: str, style: str) -> str:
    """The text in the colour of a style, in the codes that every terminal knows."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"
