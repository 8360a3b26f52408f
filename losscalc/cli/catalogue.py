"""The group of all commands: the registry, and the tools."""

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.commands import build_command, summary
from losscalc.cli.merge import merge
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.cli.show import show
from losscalc.cli.tools import class_weight, compare, diagnose, pos_weight
from losscalc.core.operation import lookup, operations
from losscalc.errors import UnknownLossError
from losscalc.outputs.sheets import Cell, Column, Sheet, records, separated


class Catalogue(click.Group):
    """A group with a command for each loss and activation, built when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the registry, and the tools after them."""
        return [*operations(), *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or of a name that PyTorch has for the same thing."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        try:
            return build_command(lookup(cmd_name))
        except UnknownLossError:
            return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed; a misspelt name gets a suggestion."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            lookup(args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, a section a kind."""
        sections: dict[str, list[tuple[str, str]]] = {"Losses": [], "Activations": [], "Tools": []}
        for name, cls in operations().items():
            sections["Losses" if issubclass(cls, Loss) else "Activations"].append((name, summary(cls)))
        for name, command in self.commands.items():
            sections["Tools"].append((name, command.get_short_help_str()))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)


@click.group(
    cls=Catalogue,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\n"
    "losscalc LOSS --help explains a loss. Exit codes:\n"
    "  0 done                            4 the arrays do not fit the loss\n"
    "  2 wrong usage                     5 the output cannot be written\n"
    "  3 an input cannot be read         70 a bug    130 interrupted\n",
)
@click.version_option(package_name="losscalc", prog_name="losscalc", message="%(prog)s %(version)s")
def losscalc() -> None:
    """Exact values of machine-learning losses, as PyTorch defines them.

    losscalc bce-logits --input logits.csv --target labels.csv

    losscalc cross-entropy -i logits.npy -t labels.npy --reduction none
    """


@losscalc.command("list", short_help="Show the catalogue")
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
        # Both names in one column, so that formulas have room on 80 columns.
        stacked = [(f"{name}\n{torch}", *rest) for name, torch, *rest in rows]
        delivery.send_sheets([Sheet("", (Column("name, in PyTorch", "name"), *texts), stacked)])
    else:
        delivery.send_bytes(separated(catalogue, "\t", heading=False).encode())


for tool in (show, diagnose, compare, merge, pos_weight, class_weight):
    losscalc.add_command(tool)


@losscalc.command("completion", short_help="Print the completion script of a shell")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def show_completion(shell: str) -> None:
    """Print the completion script of SHELL; `eval "$(losscalc completion bash)"` switches it on."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is not None:
        script = completion(losscalc, {}, "losscalc", "_LOSSCALC_COMPLETE").source()
        Delivery(Display()).send_bytes((script + "\n").encode())
