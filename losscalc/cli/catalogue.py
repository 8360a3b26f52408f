"""The group of all commands: the losses, the activations, and the tools."""

from importlib import import_module
from types import MappingProxyType

import click

from losscalc.cli.wrapping import Context
from losscalc.errors import UnknownLossError

TOOLS = MappingProxyType(
    {
        "list": "show:show_list",
        "show": "show:show",
        "diagnose": "tools:diagnose",
        "compare": "tools:compare",
        "merge": "merge:merge",
        "pos-weight": "tools:pos_weight",
        "class-weight": "tools:class_weight",
        "completion": "completion:show_completion",
    }
)
"""The module of each tool, and its name there, so that only the tool that is used is imported."""


class Catalogue(click.Group):
    """A group with a command for each loss, activation and tool, which is built when it is used."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the catalogue, with the tools at the end."""
        from losscalc.core.registry import operations

        import_module("losscalc.catalogue")
        return [*operations(), *TOOLS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, which may be PyTorch's."""
        command = self._command(cmd_name)
        if command is not None:
            command.context_class = Context
        return command

    def _command(self, cmd_name: str) -> click.Command | None:
        if cmd_name in TOOLS:
            module, _, name = TOOLS[cmd_name].partition(":")
            command: click.Command = getattr(import_module(f"losscalc.cli.{module}"), name)
            return command
        from losscalc.cli.commands import build_command
        from losscalc.core.registry import lookup

        try:
            return build_command(lookup(cmd_name))
        except UnknownLossError:
            return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest a name for a misspelt one."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from losscalc.core.registry import lookup

            lookup(args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each kind of command."""
        from losscalc.core.registry import operations

        import_module("losscalc.catalogue")
        sections: dict[str, list[tuple[str, str]]] = {"Losses, by what they are for": [], "Tools": []}
        tasks: dict[str, list[str]] = {}
        for name, cls in operations().items():
            for use in cls.uses:
                tasks.setdefault(use, []).append(name)
        sections["Losses, by what they are for"] = [(use, ", ".join(names)) for use, names in tasks.items()]
        for name in TOOLS:
            command = self.get_command(ctx, name)
            sections["Tools"].append((name, command.get_short_help_str() if command else ""))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)


@click.group(
    cls=Catalogue,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\n"
    "losscalc LOSS --help explains a loss. Exit codes:\n"
    "  0 done                     4 the arrays do not fit the loss\n"
    "  1 --expect found another   5 the output cannot be written\n"
    "  2 wrong usage              70 a bug\n"
    "  3 an input cannot be read  130 interrupted\n",
)
@click.version_option(package_name="losscalc", prog_name="losscalc", message="%(prog)s %(version)s")
def losscalc() -> None:
    """Exact values of machine-learning losses, as PyTorch defines them.

    losscalc bce-logits --input logits.csv --target labels.csv

    losscalc cross-entropy -i logits.npy -t labels.npy --reduction none
    """
