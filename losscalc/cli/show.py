"""The tools that need no data: the list of losses, and the description of one."""

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.core.operation import lookup, operations
from losscalc.errors import UsageError
from losscalc.outputs.sheets import Cell, Column, Sheet, records, separated


@click.command("show", short_help="Explain a loss without data")
@click.argument("name", metavar="LOSS")
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
    """Show what there is to know of LOSS: formula, symbols, parameters, divisor, gradient, an example."""
    from losscalc.insight.describe import describe
    from losscalc.outputs.description import write_description

    cls = lookup(name)
    if not issubclass(cls, Loss):
        raise UsageError(f"{cls.name} is no loss", hint=f"losscalc {cls.name} --help explains it")
    delivery = Delivery(Display(format=form))
    description = describe(cls)
    if delivery.is_table:
        from losscalc.outputs.tables import draw_description

        delivery.draw(lambda canvas: draw_description(description, canvas))
    else:
        delivery.send_bytes(write_description(description, delivery.format))


@click.command("list", short_help="Show the catalogue")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show_list(as_json: bool) -> None:
    """Show every loss and activation: name, name in PyTorch, formula and reductions."""
    delivery = Delivery(Display())
    rows: list[tuple[Cell, ...]]
    rows = [(cls.name, cls.torch, cls.formula, cls.reductions) for cls in operations().values()]
    names = (Column("name", "name"), Column("torch", "name"))
    texts = (Column("formula", "text"), Column("reductions", "text"))
    catalogue = Sheet("", (*names, *texts), rows)
    if as_json:
        import json

        facts = json.dumps(records(catalogue), indent=2, ensure_ascii=False)
        delivery.send_bytes(f"{facts}\n".encode())
    elif delivery.is_table:
        # Both names in one column, so that formulas fit into 80 characters.
        stacked = [(f"{name}\n{torch}", *rest) for name, torch, *rest in rows]
        delivery.send_sheets([Sheet("", (Column("name, in PyTorch", "name"), *texts), stacked)])
    else:
        delivery.send_bytes(separated(catalogue, "\t", heading=False).encode())
