"""The group of all commands: the losses, the activations, and the tools."""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from losscalc.cli import tell_version
from losscalc.cli.formatter import HELP_OPTION, Context
from losscalc.errors import UnknownLossError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

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
            "Weights that make all classes count equally, n / (C·n_c)",
        ),
        "help": ("guide:show_help", "Show the guide: how to read files, why a number differs, and more"),
        "completion": ("completion:show_completion", "Print the completion script of a shell"),
    }
)
"""The module of each tool, its name there, and what it does: only the tool that is used is imported."""

_MORE = (
    ("losscalc list [WORD]", "all losses, or those that a word finds"),
    ("losscalc LOSS --help", "the formula of a loss, its arrays and its options"),
    ("losscalc help [TOPIC]", "the guide: files, why numbers differ, large data ..."),
)
_ROOM = 58
"""What is left for the names of losses in a line of 80 columns."""


class Catalogue(click.Group):
    """A group with a command for each loss, activation and tool, which is built when it is used."""

    context_class = Context

    def get_help_option(self, ctx: click.Context) -> click.Option:
        return HELP_OPTION

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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Offer losses, activations and tools, or its own options."""
        from losscalc.cli.offers import offer_commands

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return offer_commands({name: summary for name, (_, summary) in TOOLS.items()}, incomplete)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options that stand before the command as if they stood behind it."""
        own = [*ctx.help_option_names, *(name for param in self.params for name in param.opts)]
        if args and args[0].startswith("-") and args[0] not in own:
            args = _command_first(args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest what was meant by a name that no command has."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from losscalc.cli.misuse import unknown

            raise unknown(args)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first screen: three commands, some losses of each kind, the tools, and where more is."""
        from losscalc.cli.tasks import TASKS

        formatter.write_usage("losscalc", "LOSS -i ARRAY -t ARRAY [OPTIONS]")
        self.format_help_text(ctx, formatter)
        with formatter.section("Losses"):
            formatter.write_dl([(task, _some(names)) for task, names in TASKS.items()])
        with formatter.section("More"):
            formatter.write_dl([*_MORE, ("tools", " ".join(TOOLS))])


def awaited(words: list[str]) -> click.Option | None:
    """The option of the output that stands before any command, and whose value comes next."""
    option = _output_options().get(words[-1]) if words else None
    return option if option is not None and _options_end(words) > len(words) else None


def _command_first(words: list[str]) -> list[str]:
    """The words with the options of the output that stand before the command at the end."""
    place = _options_end(words)
    return [*words[place:], *words[:place]] if place < len(words) else words


def _options_end(words: list[str]) -> int:
    """Where the options of the output that stand before the command end; beyond the end if a value lacks."""
    options, place = _output_options(), 0
    while place < len(words) and (option := options.get(words[place].partition("=")[0])):
        place += 1 if option.is_flag or "=" in words[place] else 2
    return place


def _output_options() -> dict[str, click.Option]:
    from losscalc.cli.options import output_options

    options = [option for option in output_options() if isinstance(option, click.Option)]
    return {name: option for option in options for name in option.opts}


def _some(names: str) -> str:
    """Names that fit in a line of 80 columns, and an ellipsis for others."""
    import textwrap

    return textwrap.shorten(names, _ROOM, placeholder=" ...", break_on_hyphens=False)


def _tell_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        tell_version()
        ctx.exit()


@click.group(
    cls=Catalogue,
    context_settings={"help_option_names": ["-h", "--help"]},
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
    """Exact values of machine-learning losses from files, and why yours differ.

    \b
    losscalc cross-entropy -i logits.csv -t labels.csv                 # compute
    losscalc cross-entropy -i logits.csv -t labels.csv --explain       # show how
    losscalc cross-entropy -i logits.csv -t labels.csv --expect 0.431  # check
    """
