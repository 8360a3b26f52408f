"""Options in groups, and the commands whose help shows them so."""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import click

from losscalc.cli.formatter import HELP_OPTION, WIDEST_NAME
from losscalc.errors import UsageError
from losscalc.inputs.parts import quoted

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

ARRAYS, PARAMETERS, OUTPUT = "Arrays", "Parameters", "Output"
CHECK, ROWS, READING, COMPUTING, HELP = "Check and explain", "Rows", "Reading", "Computing", "Help"
GROUPS = (ARRAYS, PARAMETERS, OUTPUT, CHECK, ROWS, READING, COMPUTING, HELP)
"""The groups in the order of the help."""

_ALL = "losscalc.all"


class GroupedOption(click.Option):
    """An option with the heading of its group in the help; only --help-all shows those that are hidden."""

    def __init__(self, *args: Any, group: str, kind: str = "", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group
        self.kind = kind
        """The kind of an array, such as logits."""
        self.is_array = group == ARRAYS or self.metavar in ("ARRAY", "COLUMN|ARRAY")
        self.wants_value = not self.is_flag and "flag_value" not in attributes
        """Whether it never stands alone."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Offer what the option takes: parts of files, files, columns, or what its type knows."""
        offer = self._offer()
        return super().shell_complete(ctx, incomplete) if offer is None else offer(ctx, self, incomplete)

    def _offer(self) -> "Offer | None":
        from losscalc.cli import offers

        known = {"suppose": offers.offer_suppositions, "class_names": offers.offer_files}
        if self.name in known:
            return known[self.name]
        if (self.metavar or "").startswith("COLUMN"):
            return offers.offer_columns
        if self.metavar == "CONDITION":
            return offers.offer_columns
        if self.is_array:
            return offers.offer_arrays
        return offers.offer_files if self.metavar == "FILE" else None

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        shown = self
        if self.hidden and ctx.meta.get(_ALL):
            from copy import copy

            shown = copy(self)
            shown.hidden = False
        return super(GroupedOption, shown).get_help_record(ctx)


def sections(
    command: click.Command, ctx: click.Context, *, is_short: bool = False
) -> dict[str, list[tuple[str, str]]]:
    """The options of a command by their groups, each with its names and what it does."""
    groups: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
    ctx.meta[_ALL] = not is_short
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        # Arguments are told of in the text.
        if record is not None and isinstance(parameter, click.Option):
            groups[getattr(parameter, "group", HELP)].append(record)
    return {group: records for group, records in groups.items() if records}


def _aligned(names: str) -> str:
    """The names of an option, with room for a short form where it has none."""
    return names if names[:2] != "--" else f"    {names}"


class _Word(str):
    """A word of the command line, which is told apart from others that are spelt alike."""


class GroupedCommand(click.Command):
    """A command whose help lists the options in groups, and that takes each option only once."""

    def get_help_option(self, ctx: click.Context) -> click.Option:
        return HELP_OPTION

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Add --help-all where something is hidden."""
        params = super().get_params(ctx)
        return [*params, _HELP_ALL] if any(getattr(p, "hidden", False) for p in params) else params

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group of options."""
        groups = sections(self, ctx, is_short=not ctx.meta.get(_ALL))
        names = [len(_aligned(name)) for records in groups.values() for name, _ in records]
        column = max(width for width in names if width <= WIDEST_NAME)
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl([(_aligned(name).ljust(column), text) for name, text in records])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an option that is given twice, because Click would silently drop the first value."""
        if not ctx.resilient_parsing:
            words = [_Word(word) for word in args]
            args = self._in_full(ctx, words)
            _, rest, order = self.make_parser(ctx).parse_args(list(args))
            if rest:
                raise UsageError(
                    "arrays are given by options",
                    found=str(rest[0]),
                    hint=self._advice(ctx, words, rest, order),
                )
            for parameter in order:
                is_value = isinstance(parameter, GroupedOption) and not parameter.is_flag
                is_value &= not parameter.multiple
                if is_value and order.count(parameter) > 1:
                    raise click.UsageError(f"{parameter.opts[0]} is given twice", ctx)
        return super().parse_args(ctx, args)

    def _in_full(self, ctx: click.Context, words: Sequence[str]) -> list[str]:
        """The words with --input for -i, and so on; refuses an option where the value of another should be.

        Click takes -i for a long name first, and looks for those that are spelt like it, for which it loads
        difflib and locale.
        """
        full: list[str] = []
        is_value = False
        for place, word in enumerate(words):
            option = None if "--" in full else self._named(word)
            if is_value and option is not None:
                problem = f"option '{words[place - 1]}' requires an argument"
                raise UsageError(problem, found=str(word), hint=f"{ctx.command_path} --help shows how")
            is_value = isinstance(option, GroupedOption) and option.wants_value
            # An option that lacks its value is told by the name that was typed.
            is_short = option is not None and len(word) == 2 and (place + 1 < len(words) or not is_value)
            full.append(max(option.opts, key=len) if option is not None and is_short else word)
        return full

    def _named(self, word: str) -> click.Option | None:
        """The option of this name, also with underscores."""
        name = word.replace("_", "-")
        return next((p for p in self.params if isinstance(p, click.Option) and name in p.opts), None)

    def _advice(
        self,
        ctx: click.Context,
        words: Sequence[str],
        rest: Sequence[str],
        given: Collection[click.Parameter],
    ) -> str:
        """What to type instead of words that belong to no option."""
        if "--reduce" in words and rest[0] in ("none", "mean", "sum"):
            return f"did you mean --reduction {rest[0]}?"
        if any(map(self._named, rest)):
            return "leave -- out: behind it nothing is an option"
        usage = self._usage_of(words, rest, given)
        if usage is not None:
            return f"{ctx.command_path} {usage}"
        return "put a pattern of files in quotes, so that the shell leaves it to losscalc"

    def _usage_of(
        self, words: Sequence[str], rest: Sequence[str], given: Collection[click.Parameter]
    ) -> str | None:
        """The words, with options of arrays before those that have none; None if these are too many."""
        arrays = [p for p in self.params if isinstance(p, GroupedOption) and p.group == ARRAYS]
        free = [p for p in arrays if p not in given]
        if len(rest) > len(free if free == arrays else [p for p in free if p.required]):
            return None
        # The parser hands on the very words that it is given.
        names = dict(zip(map(id, rest), [p.opts[-1] for p in free], strict=False))
        said = [f"{names[id(word)]} {quoted(word)}" if id(word) in names else quoted(word) for word in words]
        return " ".join(word for word in said if word != "--")


def _show_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


_HELP_ALL = GroupedOption(
    ["--help-all"],
    group=HELP,
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_all,
    help="The same with options kept for old programs.",
)
