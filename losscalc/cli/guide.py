"""The guide: pages that the package brings, shown by topic."""

import re
from functools import cache
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.errors import UsageError
from losscalc.outputs.sheets import Cell, Column, Sheet, separated

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
    delivery = Delivery(Display(format="auto"))
    if not topic:
        _list_topics(delivery)
        return
    name = "-".join(topic).lower()
    if name in topics():
        _show_page(_page(name), delivery)
        return
    group = context.find_root().command
    command = group.get_command(context, topic[0]) if isinstance(group, click.Group) else None
    if command is None:
        raise UsageError("unknown topic", found=" ".join(topic), hint=_advice(name))
    assert context.parent is not None
    with command.make_context(topic[0], ["--help"], parent=context.parent):
        pass  # Click shows the help, and leaves.


def _list_topics(delivery: Delivery) -> None:
    rows: list[tuple[Cell, ...]] = list(topics().items())
    sheet = Sheet("losscalc help TOPIC", (Column("topic", "name"), Column("what it tells", "text")), rows)
    if delivery.is_table:
        delivery.send_sheets([sheet])
    else:
        delivery.send_bytes(separated(sheet, "\t", heading=False).encode())


def _show_page(text: str, delivery: Delivery) -> None:
    if delivery.is_table:
        from losscalc.outputs.pages import draw_page

        delivery.draw(lambda canvas: draw_page(text, canvas))
    else:
        delivery.send_bytes(text.encode())


def _advice(name: str) -> str:
    """The topic that is spelt most alike, or the first with that word in a heading."""
    import difflib

    close = difflib.get_close_matches(name, topics(), n=1)
    heading = re.compile(rf"^#+ .*\b{re.escape(name)}", re.MULTILINE | re.IGNORECASE)
    found = [*close, *(topic for topic in topics() if heading.search(_page(topic)))]
    return f"did you mean losscalc help {found[0]}?" if found else "losscalc help lists the topics"
