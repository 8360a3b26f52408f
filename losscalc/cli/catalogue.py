"""The group of all commands: the losses, the activations, and the tools."""

from importlib import import_module
from types import MappingProxyType

import click

from losscalc.cli import tell_version
from losscalc.cli.wrapping import Context
from losscalc.errors import UnknownLossError

TOOLS = MappingProxyType(
    {
        "list": ("show:show_list", "Show the catalogue, or what of it a word finds"),
        "show": ("show:show", "Explain a loss without data"),
        "diagnose": ("tools:diagnose", "Look for mistakes, and show what a loss compares with"),
        "compare": ("tools:compare", "Several losses on the same data"),
        "suppose": ("supposable:show_supposable", "List what --suppose takes, and what it means"),
        "merge": ("merge:merge", "Add up results of parts of the data"),
        "pos-weight": ("tools:pos_weight", "Negatives over positives of each column, ready for --pos-weight"),
        "class-weight": (
            "tools:class_weight",
            "The weight of each class that lets all classes count alike, n / (C·n_c)",
        ),
        "help": ("guide:show_help", "Show the guide: how to read files, why a number differs, and more"),
        "completion": ("completion:show_completion", "Print the completion script of a shell"),
    }
)
"""The module of each tool, its name there, and what it does: only the tool that is used is imported."""


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
            place, summary = TOOLS[cmd_name]
            module, _, name = place.partition(":")
            command: click.Command = getattr(import_module(f"losscalc.cli.{module}"), name)
            command.short_help = summary
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
        """Write what losses are for, and the tools."""
        from losscalc.cli.tasks import TASKS

        with formatter.section("What losses are for"):
            formatter.write_text(", ".join(TASKS))
            formatter.write_paragraph()
            formatter.write_text("losscalc list segmentation shows those for one of them, losscalc list all.")
        with formatter.section("Tools"):
            formatter.write_dl([(name, summary) for name, (_, summary) in TOOLS.items()])


def _tell_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        tell_version()
        ctx.exit()


@click.group(
    cls=Catalogue,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\n"
    "losscalc LOSS --help explains a loss. Exit codes:\n"
    "  0 done                     4 the arrays do not fit the loss\n"
    "  1 a check failed           5 the output cannot be written\n"
    "  2 wrong usage              70 a bug\n"
    "  3 an input cannot be read  130 interrupted\n",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_tell_version,
    help="Show the version and exit.",
)
def losscalc() -> None:
    """Exact values of machine-learning losses, as PyTorch defines them, and why another number came out.

    \b
    losscalc bce-logits --input logits.csv --target labels.csv
    losscalc cross-entropy -i logits.npy -t labels.npy --reduction none
    losscalc cross-entropy -i logits.npy -t labels.npy --explain
    losscalc cross-entropy -i logits.npy -t labels.npy --expect 0.4312
    """
