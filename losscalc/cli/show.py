"""The tools that need no data: the list of losses, and the description of one."""

from collections.abc import Sequence

import click

from losscalc.cli.listing import listing_options
from losscalc.cli.offers import offer_losses
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.core.operation import Operation, summary
from losscalc.core.registry import lookup
from losscalc.errors import name_arguments
from losscalc.outputs.sheets import Cell, Column, Sheet, json_records, separated

_NAMES = (Column("name", "name"), Column("torch", "name"))


@click.command("show")
@click.argument("name", metavar="LOSS", shell_complete=offer_losses)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["auto", "table", "plain", "markdown", "latex", "json"]),
    default="auto",
    show_default=True,
    help="auto: a table on a terminal, plain text in a pipe.",
)
def show(name: str, form: str) -> None:
    """Show all about LOSS: formula, symbols, parameters, divisor, gradient, an example."""
    from losscalc.insight.describe import describe
    from losscalc.outputs.description import write_description

    delivery = Delivery(Display(format=form))
    description = describe(lookup(name))
    if delivery.is_table:
        from losscalc.outputs.tables import draw_description

        delivery.draw(lambda canvas: draw_description(description, canvas))
    else:
        delivery.send_bytes(write_description(description, delivery.format))


@click.command("list")
@click.argument("word", nargs=-1, metavar="[WORD]")
@listing_options
def show_list(word: tuple[str, ...], as_json: bool, form: str) -> None:
    """Show losses and activations: all, or those that WORD finds by name, by use or by description.

    losscalc list segmentation
    """
    from losscalc.insight.search import search

    delivery = Delivery(Display(format="json" if as_json else form))
    found = search(" ".join(word))
    if delivery.is_table:
        delivery.send_sheets(_shelves(found))
        return
    rows: list[tuple[Cell, ...]] = [(cls.name, cls.torch, cls.formula, cls.reductions) for cls in found]
    columns = (*_NAMES, Column("formula", "text"), Column("reductions", "text"))
    catalogue = Sheet("", columns, rows)
    if delivery.format in ("json", "jsonl"):
        delivery.send_bytes(json_records(catalogue, lines=delivery.format == "jsonl"))
    else:
        delivery.send_bytes(separated(catalogue, "\t", heading=False).encode())


def _shelves(found: Sequence[type[Operation]]) -> list[Sheet]:
    """A table for each family: what a loss is for, and its names."""
    from losscalc.insight.search import family

    shelves: dict[str, list[tuple[Cell, ...]]] = {}
    for cls in found:
        shelves.setdefault(family(cls), []).append((name_arguments(summary(cls)), cls.name, cls.torch))
    return [Sheet(name, (Column("what it is", "text"), *_NAMES), rows) for name, rows in shelves.items()]
