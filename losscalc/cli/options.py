"""The options that commands share, in the groups of their help."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import click

from losscalc.cli.grouped import CHECK, COMPUTING, OUTPUT, READING, ROWS, GroupedOption
from losscalc.cli.types import ConditionText, Delimiter, Encoding, Number, PerArray, Size, whole
from losscalc.core.declaration import Parameter
from losscalc.core.domains import FINITE, FINITE_NOT_NEGATIVE
from losscalc.core.roles import CLASS_KINDS
from losscalc.errors import UsageError, option_name
from losscalc.inputs import FORMATS
from losscalc.inputs.options import Reading, Readings
from losscalc.outputs.writers import WRITERS

_TOLERANCES = (
    Parameter("rtol", float, 1e-5, FINITE_NOT_NEGATIVE, "Relative"),
    Parameter("atol", float, 1e-8, FINITE_NOT_NEGATIVE, "Absolute"),
)
_LIMIT = Parameter("", float, None, FINITE, "")


class Display(NamedTuple):
    """How the user wants to see the result, and where."""

    format: str = "auto"
    output: str | None = None
    precision: int | None = None
    max_rows: int = 40
    color: Literal["auto", "always", "never"] = "auto"


def _field(name: str) -> str:
    """The name of the value of an option."""
    field = name[2:].replace("-", "_")
    # A word of Python.
    return f"{field}_" if field == "from" else field


def _way(name: str, type: Any, help: str, metavar: str, default: str | int | None = None) -> GroupedOption:
    """An option for how arrays are read; it may be given for one array alone, as in `--header target=no`."""
    return GroupedOption(
        [name, _field(name)],
        group=READING,
        type=PerArray(type),
        multiple=True,
        metavar=f"[ARRAY=]{metavar}",
        help=help if default is None else f"{help}  [default: {default}]",
    )


def _words(name: str, words: Sequence[str], help: str) -> GroupedOption:
    """An option of a few words, of which the first is the default."""
    return _way(name, click.Choice(words), help, f"[{'|'.join(words)}]", words[0])


_WAYS = (
    _way(
        "--from", click.Choice(list(FORMATS)), f"Format of the input files: {', '.join(FORMATS)}.", "FORMAT"
    ),
    _way("--delimiter", Delimiter(), "What separates cells: a character, tab or space.", "CHAR"),
    _words("--decimal", [".", ","], "The decimal mark in a table."),
    _words("--header", ["auto", "yes", "no"], "Whether the first row of a table names its columns."),
    _way("--skip-rows", whole(0, 10**9), "Lines to skip at the top.", "N", 0),
    _way("--encoding", Encoding(), "Of text inputs.", "NAME", "utf-8-sig"),
    _words(
        "--na",
        ["error", "nan", "drop"],
        "What to do with cells that are empty, NA or null; drop leaves the row out of every array.",
    ),
    _way("--max-size", Size(), "The limit of what is unpacked or held in memory, as in 2G.", "SIZE"),
)


def reading_options() -> list[click.Parameter]:
    """Options for how inputs are read."""
    return list(_WAYS)


def row_options(*, groups: bool) -> list[click.Parameter]:
    """Options for which rows take part, and which rows belong together."""

    def option(*names: str, **attributes: Any) -> GroupedOption:
        return GroupedOption(names, group=ROWS, allow_from_autoenv=False, **attributes)

    by = option(
        "--by",
        metavar="COLUMN|ARRAY",
        help="Show the loss of each group of rows, which have the same value in this column or array.",
    )
    return [
        option("--key", metavar="COLUMN", help="Join the rows of tables by this column."),
        option("--no-key", is_flag=True, help="Take rows in their order, even where ids beside them differ."),
        option("--inner", is_flag=True, help="With --key, drop rows that some table lacks."),
        option(
            "--where",
            type=ConditionText(),
            multiple=True,
            metavar="CONDITION",
            help="Take only rows that meet it: split=val, 'p > 0.4', 'fold in 1,2'. Several must all hold.",
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
        help="Number of threads, by default one per core. The result does not depend on it.",
    )


def computing_options() -> list[click.Parameter]:
    """Options for what computes."""
    cluster = GroupedOption(
        ["--dask"],
        group=COMPUTING,
        metavar="ADDRESS",
        help="Read and compute on the Dask cluster with this scheduler. The result is the same.",
    )
    return [threads_option(), cluster]


def check_options() -> list[click.Parameter]:
    """Options that check or examine a result instead of showing it."""

    def option(name: str, help_text: str, **attributes: Any) -> GroupedOption:
        return GroupedOption([name], group=CHECK, help=help_text, allow_from_autoenv=False, **attributes)

    def tolerance(parameter: Parameter) -> GroupedOption:
        return option(
            f"--{parameter.name}",
            f"{parameter.doc} tolerance of --expect, instead of half a unit of its last digit or 1e-6.",
            type=Number(parameter),
        )

    return [
        option(
            "--expect",
            "The value you expect. If it differs, losscalc says why, and exits with 1.",
            metavar="ARRAY",
        ),
        *map(tolerance, _TOLERANCES),
        option(
            "--suppose",
            "Compute as if a mistake that --expect named had been made; losscalc suppose lists them.",
            metavar="NAME",
        ),
        *(
            option(
                f"--fail-{side}",
                f"Exit with code 1 if the loss is {side} this number, or NaN.",
                type=Number(_LIMIT),
                metavar="NUMBER",
            )
            for side in ("above", "below")
        ),
        option("--stats", "Show the spread of the single losses: quartiles, mean, std.", is_flag=True),
        option("--plot", "Draw the single losses into a .png, .svg or .pdf file.", metavar="FILE"),
        option(
            "--worst",
            "Show the K largest losses, and their rows.",
            type=whole(1, 10**6),
            metavar="K",
        ),
    ]


_FORMAT_HELP = (
    f"table, {', '.join(WRITERS)}; by default a table on a terminal, plain numbers in a pipe, and in a file "
    "what its suffix says."
)
_LOOKS: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (
        ("--format", "-f"),
        _FORMAT_HELP,
        {"type": click.Choice(["auto", "table", *WRITERS]), "default": "auto", "metavar": "FORMAT"},
    ),
    (("--output", "-o"), "Write to a file instead, as a whole or not at all.", {"metavar": "FILE"}),
    (
        ("--precision",),
        "Decimals, by default 4 in tables and all of them elsewhere.",
        {"type": whole(0, 50), "metavar": "N"},
    ),
    (
        ("--max-rows",),
        "How many rows a table shows at most.",
        {"type": whole(1, 10**9), "default": 40, "show_default": True, "metavar": "N"},
    ),
    (
        ("--color",),
        "Colours in tables, help and messages; auto: on a terminal.",
        {"type": click.Choice(["auto", "always", "never"]), "default": "auto", "show_default": True},
    ),
    (("--quiet", "-q"), "No warnings, no notes.", {"is_flag": True}),
    (
        ("--warnings", "-W"),
        "error: stop at a warning, with exit code 4.",
        {"type": click.Choice(["show", "error"]), "default": "show", "show_default": True},
    ),
    (("--debug",), "Show the traceback of an error.", {"is_flag": True}),
)


def output_options() -> list[click.Parameter]:
    """Options for what is shown, and where."""
    return [GroupedOption(names, group=OUTPUT, help=text, **attributes) for names, text, attributes in _LOOKS]


_ROW_NAMES = ("key", "no_key", "inner", "where", "by", "class_names", "multi_hot")


def take_readings(values: dict[str, Any]) -> Readings:
    """Take the reading options, and those on rows, out of the values of a command."""
    usual = {name: values.pop(name) for name in _ROW_NAMES if name in values}
    # Those who read ahead and those who compute are the same threads.
    usual["threads"] = values.get("threads")
    if usual.get("inner") and usual["key"] is None:
        raise UsageError("`inner` is about the rows that `key` joins", hint="name the column: --key id")
    if usual.get("no_key") and usual["key"] is not None:
        raise UsageError("`key` and `no_key` do not go together", hint="leave one of them out")
    own: dict[str, dict[str, Any]] = {}
    for name in (way.name or "" for way in _WAYS):
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
