"""The tool that explains a loss without data."""

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.core.operation import lookup
from losscalc.errors import UsageError


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
