"""Pages of the guide, drawn for a terminal."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableDataElement, TableElement
from rich.text import Text
from rich.theme import Theme

from losscalc.outputs.canvas import Canvas
from losscalc.outputs.fitting import fitted
from losscalc.outputs.sheets import Column, Sheet

if TYPE_CHECKING:
    from markdown_it.token import Token

# Longer lines are tiring to read.
_WIDEST = 100
_THEME = Theme({"markdown.code": "cyan", "markdown.item.bullet": "none"})
_PROMPT = re.compile(r"\$ |>>> |\.\.\. ")
# Frames of tables that are shown, and marks of Rich's own, where there is nothing but ASCII.
_FRAMES = str.maketrans(dict.fromkeys("╭╮╰╯├┤┬┴┼", "+") | dict.fromkeys("─━", "-") | {"│": "|", "•": "*"})


class _Title(Heading):
    """A heading at the left, bold and without a frame."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.text.plain, style="bold underline" if self.tag == "h1" else "bold")


class _Session(CodeBlock):
    """Commands and what they print, in lines as they are: whoever copies one gets the whole of it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.text.plain.rstrip().split("\n"):
            style = "cyan" if _PROMPT.match(line) else ""
            yield Text(f"  {line}", style=style, no_wrap=True, overflow="ignore")


class _Table(TableElement):
    """A table like those of results: in several, if it is too wide."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas

    @classmethod
    def create(cls, markdown: Markdown, token: "Token") -> "_Table":
        assert isinstance(markdown, _Page)
        return cls(markdown.canvas)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        head = self.header.row.cells if self.header and self.header.row else []
        body = self.body.rows if self.body else []
        rows = [tuple(cell.content.plain for cell in row.cells) for row in body]
        cells = zip(head, zip(*rows, strict=True), strict=True)
        columns = [Column(cell.content.plain, _kind(cell, texts)) for cell, texts in cells]
        # Where a table is cut in several, its first column names the rows of each.
        columns[1:] = [c._replace(kind="text") if c.kind == "name" else c for c in columns[1:]]
        yield from fitted(Sheet("", tuple(columns), rows), self._canvas)


def _kind(cell: TableDataElement, texts: Sequence[str]) -> Literal["name", "text", "number"]:
    if cell.justify == "right":
        return "number"
    return "text" if any(" " in text for text in texts) else "name"


class _Page(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Title,
        "fence": _Session,
        "code_block": _Session,
        "table_open": _Table,
    }

    def __init__(self, text: str, canvas: Canvas) -> None:
        super().__init__(text, hyperlinks=False)
        self.canvas = canvas

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with console.use_theme(_THEME):
            yield from super().__rich_console__(console, options.update(overflow="fold"))


def draw_page(text: str, canvas: Canvas) -> str:
    """A page in Markdown, as wide as the terminal, but no wider than is easy to read."""
    narrow = replace(canvas, width=min(canvas.width, _WIDEST))
    page = _Page(text if canvas.unicode else canvas.text(text).plain, narrow)
    drawn = canvas.render(page, width=narrow.width)
    return drawn if canvas.unicode else drawn.translate(_FRAMES)
