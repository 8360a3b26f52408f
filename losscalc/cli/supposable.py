"""The tool that lists what can be supposed of a loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from losscalc.cli.listing import listing_options
from losscalc.cli.offers import offer_losses
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.outputs.sheets import Cell, Column, Sheet, json_records, separated

if TYPE_CHECKING:
    from losscalc.catalogue.base import Loss
    from losscalc.insight.detect.hypothesis import Hypothesis

_NAME, _MEANING = Column("name", "name"), Column("what it means", "text", "meaning")


@click.command("suppose")
@click.argument("loss", required=False, metavar="[LOSS]", shell_complete=offer_losses)
@listing_options
def show_supposable(loss: str | None, as_json: bool, form: str) -> None:
    """List what --suppose takes, for LOSS or for any loss: stage by stage, in the order of a computation.

    NAME=NUMBER takes a number of your own; commas join several.

    losscalc suppose cross-entropy
    """
    # Imported here, because the hypotheses are many, and the help needs none of them.
    from losscalc.insight.detect.suppose import known

    rows = known(*_losses(loss))
    delivery = Delivery(Display(format="json" if as_json else form))
    if delivery.is_table:
        delivery.send_sheets(_shelves(rows))
        return
    cells: list[tuple[Cell, ...]] = [(row.stage, *_cells(row)) for row in rows]
    sheet = Sheet("", (Column("stage", "name"), _NAME, _MEANING), cells)
    if delivery.format in ("json", "jsonl"):
        delivery.send_bytes(json_records(sheet, lines=delivery.format == "jsonl"))
    else:
        delivery.send_bytes(separated(sheet, "\t", heading=False).encode())


def _losses(name: str | None) -> "list[type[Loss]]":
    """The loss of that name, or all."""
    if name is not None:
        from losscalc.cli.tools import loss_of

        return [loss_of(name)]
    from losscalc import losses

    return list(losses().values())


def _cells(row: "Hypothesis") -> tuple[Cell, ...]:
    """The name as it is typed, and the meaning; NUMBER stands for the number."""
    return (f"{row.name}=NUMBER" if row.has_number else row.name), row.sentence.replace("{number}", "NUMBER")


def _shelves(rows: "Sequence[Hypothesis]") -> list[Sheet]:
    """A table for each stage."""
    shelves: dict[str, list[tuple[Cell, ...]]] = {}
    for row in rows:
        shelves.setdefault(row.stage, []).append(_cells(row))
    return [Sheet(stage, (_NAME, _MEANING), cells) for stage, cells in shelves.items()]
