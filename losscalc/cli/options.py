"""The options that commands share, in the groups of their help."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import click

from losscalc.cli.types import ConditionText, Delimiter, Encoding, Number, PerArray, Size, whole
from losscalc.core.declaration import Parameter
from losscalc.core.domains import FINITE, FINITE_NOT_NEGATIVE
from losscalc.core.roles import CLASS_KINDS
from losscalc.errors import UsageError, option_name
from losscalc.inputs import FORMATS
from losscalc.inputs.options import Reading, Readings
from losscalc.outputs.writers import WRITERS

ARRAYS, PARAMETERS, CHECK, ROWS = "Arrays", "Parameters", "Check", "Rows"
READING, COMPUTING, OUTPUT = "Reading", "Computing", "Output"


_TOLERANCES = (
    Parameter("rtol", float, 1e-5, FINITE_NOT_NEGATIVE, "Relative"),
    Parameter("atol", float, 1e-8, FINITE_NOT_NEGATIVE, "Absolute"),
)
_LIMIT = Parameter("", float, None, FINITE, "")


class GroupedOption(click.Option):
    """An option with the heading of its group in the help."""

    def __init__(self, *args: Any, group: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group
        self.is_array = group == ARRAYS or self.metavar in ("ARRAY", "COLUMN|ARRAY")


def _choice(group: str, *names: str, words: Sequence[str], help: str) -> GroupedOption:
    """An option of a few words, of which the first is the default."""
    return GroupedOption(
        names, group=group, type=click.Choice(words), default=words[0], show_default=True, help=help
    )


class Display(NamedTuple):
    """How the user wants to see the result, and where."""

    format: str = "auto"
    output: str | None = None
    precision: int | None = None
    max_rows: int = 40
    color: Literal["auto", "always", "never"] = "auto"


def reading_options() -> list[click.Parameter]:
    """Options for how inputs are read; each may be given for one array alone, as in `--header target=no`."""

    def option(*names: str, type: Any, default: Any, help: str, metavar: str) -> GroupedOption:
        return GroupedOption(
            names,
            group=READING,
            type=PerArray(type),
            multiple=True,
            metavar=f"[ARRAY=]{metavar}",
            help=help if default is None else f"{help}  [default: {default}]",
        )

    def choice(name: str, words: Sequence[str], help: str) -> GroupedOption:
        return option(
            name, type=click.Choice(words), default=words[0], help=help, metavar=f"[{'|'.join(words)}]"
        )

    return [
        option(
            "--from",
            "from_",
            type=click.Choice(list(FORMATS)),
            default=None,
            help=f"Format of the input files: {', '.join(FORMATS)}.",
            metavar="FORMAT",
        ),
        option(
            "--delimiter",
            type=Delimiter(),
            default=None,
            help="What separates cells: a character, tab or space.",
            metavar="CHAR",
        ),
        choice("--decimal", [".", ","], "The mark before the decimals of a number in a table."),
        choice("--header", ["auto", "yes", "no"], "Whether the first row of a table names its columns."),
        option(
            "--skip-rows", type=whole(0, 10**9), default=0, metavar="N", help="Lines to pass over at the top."
        ),
        option("--encoding", type=Encoding(), default="utf-8-sig", help="Of text inputs.", metavar="NAME"),
        choice(
            "--na",
            ["error", "nan", "drop"],
            "What to do with cells that are empty, NA or null; drop leaves the row out of every array.",
        ),
        option(
            "--max-size",
            type=Size(),
            default=None,
            metavar="SIZE",
            help="Bytes, as in 2G, in the place of the limits on what is unpacked or held in memory.",
        ),
    ]


def row_options(*, groups: bool) -> list[click.Parameter]:
    """Options for which rows take part, and which rows belong together."""

    def option(*names: str, **attributes: Any) -> GroupedOption:
        return GroupedOption(names, group=ROWS, allow_from_autoenv=False, **attributes)

    by = option(
        "--by",
        metavar="COLUMN|ARRAY",
        help="Show the loss of each group of rows that have the same in this column, or in this array.",
    )
    return [
        option("--key", metavar="COLUMN", help="Join the rows of tables by this column."),
        option("--no-key", is_flag=True, help="Take rows as they stand, though ids beside them differ."),
        option("--inner", is_flag=True, help="With --key, leave out rows that not all tables have."),
        option(
            "--where",
            type=ConditionText(),
            multiple=True,
            metavar="CONDITION",
            help="Take only rows that meet it: split=val, 'p > 0.4', 'fold in 1,2'. All have to be met.",
        ),
        *([by] if groups else []),
    ]


def label_options(kind: str | None) -> list[click.Parameter]:
    """Options for labels that are names, or several in one cell, of a target of some kind."""

    def option(name: str, help_text: str, **attributes: Any) -> GroupedOption:
        return GroupedOption([name], group=ROWS, help=help_text, allow_from_autoenv=False, **attributes)

    names = option(
        "--class-names",
        "What the target calls the classes, in the order of the input's columns: cat,dog, or a file with one "
        "a line. Not needed where columns have names.",
        metavar="NAMES",
    )
    several = option(
        "--multi-hot",
        "The character between the labels of a row, as in '0 3 7': each class becomes 0 or 1.",
        type=Delimiter(),
        metavar="CHAR",
    )
    if kind in CLASS_KINDS:
        return [names]
    return [names, several] if kind in ("labels", "signs") else []


def threads_option() -> click.Parameter:
    """The option for the number of threads."""
    return GroupedOption(
        ["--threads"],
        group=COMPUTING,
        type=whole(1, 1024),
        metavar="N",
        help="How many threads compute, by default one a core; the result is the same for any number.",
    )


def computing_options() -> list[click.Parameter]:
    """Options for what computes."""
    cluster = GroupedOption(
        ["--dask"],
        group=COMPUTING,
        metavar="ADDRESS",
        help="Let the Dask cluster with this scheduler read the files and compute; the result is the same.",
    )
    return [threads_option(), cluster]


def check_options() -> list[click.Parameter]:
    """Options that check or examine a result instead of showing it."""

    def option(name: str, help_text: str, **attributes: Any) -> GroupedOption:
        return GroupedOption([name], group=CHECK, help=help_text, allow_from_autoenv=False, **attributes)

    def tolerance(parameter: Parameter) -> GroupedOption:
        return option(
            f"--{parameter.name}",
            f"{parameter.doc} tolerance of --expect, in the place of its digits and of 1e-6.",
            type=Number(parameter),
        )

    return [
        option(
            "--expect", "What should come out; if not, exit code 1 and a search for why.", metavar="ARRAY"
        ),
        *map(tolerance, _TOLERANCES),
        option("--suppose", "Compute what --expect found, under the name that it gave.", metavar="NAME"),
        *(
            option(
                f"--fail-{side}",
                f"Exit code 1 if the reduced loss is {side} this number, or NaN.",
                type=Number(_LIMIT),
                metavar="NUMBER",
            )
            for side in ("above", "below")
        ),
        option("--stats", "Show how the single losses are spread: quartiles, mean, std.", is_flag=True),
        option("--plot", "Draw the single losses, into a .png or .svg.", metavar="FILE"),
        option(
            "--worst",
            "Show the K largest losses, with what they come from.",
            type=whole(1, 10**6),
            metavar="K",
        ),
    ]


def output_options() -> list[click.Parameter]:
    """Options for what is shown, and where."""

    def option(*names: str, **attributes: Any) -> GroupedOption:
        return GroupedOption(names, group=OUTPUT, **attributes)

    return [
        _choice(
            OUTPUT,
            "--format",
            "-f",
            words=["auto", "table", *WRITERS],
            help="auto: a table on a terminal, plain numbers in a pipe, by suffix in a file.",
        ),
        option("--output", "-o", metavar="FILE", help="Write to a file, in the format of its suffix."),
        option(
            "--precision",
            type=whole(0, 50),
            metavar="N",
            help="Decimals; by default 4 in tables, all elsewhere.",
        ),
        option(
            "--max-rows",
            type=whole(1, 10**9),
            default=40,
            show_default=True,
            metavar="N",
            help="Rows a table shows.",
        ),
        _choice(OUTPUT, "--color", words=["auto", "always", "never"], help="Whether tables have colours."),
        option("--quiet", "-q", is_flag=True, help="No warnings and notes."),
        _choice(
            OUTPUT,
            "--warnings",
            "-W",
            words=["show", "error"],
            help="error: a warning is an error, with exit code 4.",
        ),
        option("--debug", is_flag=True, help="Show the traceback of an error."),
    ]


_READING_NAMES = ("from_", "delimiter", "decimal", "header", "skip_rows", "encoding", "na", "max_size")
_ROW_NAMES = ("key", "no_key", "inner", "where", "by", "class_names", "multi_hot")


def take_readings(values: dict[str, Any]) -> Readings:
    """Take the reading options, and those on rows, out of the values of a command."""
    usual = {name: values.pop(name) for name in _ROW_NAMES if name in values}
    if usual.get("inner") and usual["key"] is None:
        raise UsageError("`inner` is about the rows that `key` joins", hint="name the column: --key id")
    if usual.get("no_key") and usual["key"] is not None:
        raise UsageError("`key` and `no_key` do not go together", hint="leave one of them out")
    own: dict[str, dict[str, Any]] = {}
    for name in _READING_NAMES:
        field = "format" if name == "from_" else name
        for array, value in values.pop(name):
            known = usual if array is None else own.setdefault(array, {})
            option, of = option_name(name.rstrip("_")), "" if array is None else f" for `{array}`"
            if field in known:
                raise UsageError(f"{option} is given twice{of}")
            if array is not None and {**values, **usual}.get(array, "") is None:
                raise UsageError(
                    f"{option} is{of}, which is not given", hint="leave it out, or give the array"
                )
            known[field] = value
    return Readings(Reading(**usual), own)


def take_display(values: dict[str, Any]) -> Display:
    """Take the output options out of the values of a command."""
    names = ("format", "output", "precision", "max_rows", "color")
    return Display(**{name: values.pop(name) for name in names})
