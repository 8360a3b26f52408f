"""The guide: pages that the package brings, shown by topic."""

import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from losscalc.cli.streams import write_stdout
from losscalc.errors import UsageError

if TYPE_CHECKING:
    from losscalc.outputs.canvas import Canvas

_FOLDER = Path(__file__).parents[1] / "guide"


@cache
def topics() -> dict[str, str]:
    """What each topic tells, in the order of the alphabet: the sentence below the title of its page."""
    return {path.stem: _page(path.stem).split("\n\n", 2)[1] for path in sorted(_FOLDER.glob("*.md"))}


def _page(topic: str) -> str:
    return (_FOLDER / f"{topic}.md").read_text("utf-8")


def _complete(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=told) for name, told in topics().items() if name.startswith(typed)]


@click.command("help")
@click.argument("topic", nargs=-1, metavar="[TOPIC]", shell_complete=_complete)
@click.pass_context
def show_help(context: click.Context, topic: tuple[str, ...]) -> None:
    """Show a page of the guide, or the help of a loss or tool; without TOPIC, list the pages.

    losscalc help why-different
    """
    name = "-".join(topic).lower()
    if not topic:
        _send("".join(f"{name}\t{told}\n" for name, told in topics().items()), _draw_topics)
    elif name in topics():
        text = _page(name)
        _send(text, lambda canvas: _draw_page(text, canvas))
    else:
        _show_command(context, topic)


def _send(text: str, drawing: "Callable[[Canvas], str]") -> None:
    """Write a text into a pipe as it is, without NumPy; and onto a terminal what is drawn."""
    if not sys.stdout.isatty():
        write_stdout([text.encode()])
        return
    from losscalc.cli.options import Display
    from losscalc.cli.output import Delivery

    Delivery(Display()).draw(drawing)


def _draw_page(text: str, canvas: "Canvas") -> str:
    from losscalc.outputs.pages import draw_page

    return draw_page(text, canvas)


def _draw_topics(canvas: "Canvas") -> str:
    from losscalc.outputs.sheets import Column, Sheet
    from losscalc.outputs.tables import draw_sheets

    columns = (Column("topic", "name"), Column("what it tells", "text"))
    return draw_sheets([Sheet("losscalc help TOPIC", columns, list(topics().items()))], canvas)


def _show_command(context: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of a loss or tool."""
    root = context.find_root()
    command = root.command.get_command(root, words[0]) if isinstance(root.command, click.Group) else None
    if command is None:
        raise UsageError("unknown topic", found=" ".join(words), hint=_advice(words))
    # Click shows the help, and leaves.
    command.make_context(words[0], ["--help"], parent=root).close()


def _advice(words: tuple[str, ...]) -> str:
    """The topic that is spelt most alike, or else the one whose page has the word: in headings, or often."""
    import difflib

    near = difflib.get_close_matches("-".join(words).lower(), topics(), n=1)
    word = re.compile(rf"\b{re.escape(' '.join(words))}", re.IGNORECASE)
    mentions = {topic: _mentions(word, _page(topic)) for topic in topics()}
    near += [topic for topic in [max(mentions, key=mentions.__getitem__)] if any(mentions[topic])]
    return f"did you mean losscalc help {near[0]}?" if near else "losscalc help lists the topics"


def _mentions(word: re.Pattern[str], text: str) -> tuple[int, int]:
    """How often a page has a word in headings, and altogether."""
    headings = [line for line in text.split("\n") if line.startswith("#")]
    return len(word.findall("\n".join(headings))), len(word.findall(text))
