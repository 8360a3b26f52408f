"""Help whose lines break between words: `soft-margin` and `--pos-weight` stay as they are typed."""

from collections.abc import Iterable

import click

# Of no meaning in Unicode: it stands for a hyphen until lines are broken.
_HYPHEN = "\ue000"


class WholeWords(click.HelpFormatter):
    """A formatter of help that does not break a line behind a hyphen, as Click's does."""

    def write_text(self, text: str) -> None:
        super().write_text(_joined(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(_joined(name), _joined(text)) for name, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        return super().getvalue().replace(_HYPHEN, "-")


class Context(click.Context):
    """The context of every command."""

    formatter_class = WholeWords


def _joined(text: str) -> str:
    return text.replace("-", _HYPHEN)
