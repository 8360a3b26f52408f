"""Commands, built from the declarations of losses and activations."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import click
from click.core import ParameterSource

from losscalc.catalogue.base import Loss, choose_reduction
from losscalc.cli.arrays import Inputs
from losscalc.cli.options import (
    ARRAYS,
    OUTPUT,
    PARAMETERS,
    GroupedOption,
    check_options,
    computing_options,
    label_options,
    output_options,
    reading_options,
    row_options,
    take_display,
    take_readings,
)
from losscalc.cli.output import Delivery
from losscalc.cli.request import Request
from losscalc.cli.types import ArgumentName, parameter_type
from losscalc.cli.views import LOOKS, show
from losscalc.cli.voice import Voice
from losscalc.core.declaration import (
    ArrayArgument,
    Parameter,
    array_arguments,
    labels_of,
    parameters,
    target_argument,
)
from losscalc.core.domains import Names
from losscalc.core.operation import (
    DTYPES,
    Operation,
    differentiable,
    pytorch_names,
    result_dtype,
    summary,
)
from losscalc.core.registry import other_meaning
from losscalc.engine.call import AnyCall, Call
from losscalc.errors import LosscalcNote, UsageError, name_arguments, option_name, printable
from losscalc.inputs.parts import quoted

_ARRAY_HELP = (
    "ARRAY is a file (preds.csv#logit picks a column), - for standard input, or numbers as in 1,0,1."
)


class _Word(str):
    """A word of the command line, which is told apart from others that are spelt alike."""


class GroupedCommand(click.Command):
    """A command whose help lists the options in groups, and that takes each option only once."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group of options."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                group = parameter.group if isinstance(parameter, GroupedOption) else OUTPUT
                groups.setdefault(group, []).append(record)
        for group, records in groups.items():
            with formatter.section(group):
                formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an option that is given twice, because Click would silently drop the first value."""
        if not ctx.resilient_parsing:
            words = [_Word(word) for word in args]
            _, rest, order = self.make_parser(ctx).parse_args(list(words))
            if rest:
                hint = self._usage_of(words, rest, order)
                if hint is None:
                    hint = "put a pattern of files in quotes, so that the shell leaves it to losscalc"
                else:
                    hint = f"{ctx.command_path} {hint}"
                raise UsageError("arrays are given by options", found=str(rest[0]), hint=hint)
            for parameter in order:
                is_value = isinstance(parameter, GroupedOption) and not parameter.is_flag
                is_value &= not parameter.multiple
                if is_value and order.count(parameter) > 1:
                    raise click.UsageError(f"{parameter.opts[0]} is given twice", ctx)
        return super().parse_args(ctx, args)

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


@cache
def build_command(cls: type[Operation]) -> click.Command:
    """Build the command of a loss or an activation."""
    arrays = [_array_option(array, _options(cls, array)) for array in array_arguments(cls)]
    settings = [_parameter_option(parameter) for parameter in parameters(cls)]
    return GroupedCommand(
        cls.name,
        params=[
            *arrays,
            *settings,
            *_reduction_options(cls),
            *label_options(labels_of(cls)),
            *row_options(groups=issubclass(cls, Loss)),
            *reading_options(),
            *computing_options(),
            *output_options(),
        ],
        callback=lambda **values: run(cls, values),
        help=_help(cls),
        short_help=summary(cls),
        context_settings={"auto_envvar_prefix": "LOSSCALC", "help_option_names": ["-h", "--help"]},
    )


def run(cls: type[Operation], values: dict[str, Any]) -> None:
    """Run the command of an operation with the values of its options."""
    looks = {name: values.pop(name, None) for name in LOOKS}
    request, delivery = request_of(cls, values)
    show(request, delivery, looks)


def request_of(cls: type[Operation], values: dict[str, Any]) -> tuple[Request, Delivery]:
    """Make a request, and the delivery of its result, from the values of options."""
    voice = Voice(values.pop("quiet"), values.pop("warnings") == "error")
    if values["digits"] is not None and values["precision"] is not None:
        raise UsageError("`digits` and `precision` do not go together", hint="leave one of them out")
    delivery = Delivery(take_display(values))
    typed = click.get_current_context().info_name or ""
    if other := other_meaning(cls, typed):
        voice.tell([LosscalcNote(f"{printable(typed)} is taken as {cls.name}; others mean {other}")])
    readings = take_readings(values)
    texts = {a.name: text for a in array_arguments(cls) if (text := values.pop(a.name)) is not None}
    call: AnyCall = Call(
        cls(**_settings(cls, values)),
        dtype=result_dtype(values.pop("dtype")),
        digits=values.pop("digits"),
        broadcast=values.pop("broadcast", False),
        wrt=values.pop("gradient", None),
        threads=values.pop("threads"),
        samples=delivery.rows if values.pop("explain", False) else 0,
    )
    if issubclass(cls, Loss):
        flags = values.pop("size_average", None), values.pop("reduce", None)
        reduction, notice = choose_reduction(cls, values.pop("reduction"), *flags)
        call = call._replace(reduction=reduction)
        if notice and voice.strict:
            raise UsageError(notice.problem, hint=notice.hint)
        voice.tell([notice] if notice else [])
    request = Request(call, Inputs(texts, readings), voice, values.pop("dask"), delivery.decimals)
    return request, delivery


def _settings(cls: type[Operation], values: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an operation; with the convention of a library, only those that were typed."""
    like = values.pop("like", None)
    context = click.get_current_context()
    settings = {parameter.name: values.pop(parameter.name) for parameter in parameters(cls)}
    if like is None:
        return settings
    typed = {name for name in settings if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    return {"like": like, **{name: settings[name] for name in typed}}


def _help(cls: type[Operation]) -> str:
    """The help of an operation, from its declaration and docstring."""
    # From the errors on, the docstring is for users of Python.
    text = name_arguments((cls.__doc__ or "").partition("Raises ")[0])
    first, *rest = [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]
    paragraphs = [
        first,
        f"Formula: {cls.formula}",
        *rest,
        *([f"Unlike PyTorch it {name_arguments(cls.unlike)}."] if cls.unlike else []),
        *([f"PyTorch: {names}"] if (names := pytorch_names(cls)) else []),
        f"Example: {_example(cls)}",
        _ARRAY_HELP,
    ]
    return "\n\n".join(paragraphs)


def _example(cls: type[Operation]) -> str:
    """An example of the command with all required arrays."""
    words = ["losscalc", cls.name]
    for array in array_arguments(cls):
        if array.required:
            words += [_options(cls, array)[-1], f"{array.name}.{'npz' if array.role.many else 'csv'}"]
    return " ".join(words)


def _options(cls: type[Operation], array: ArrayArgument) -> list[str]:
    """The options of an array; -i is the first array, and -t the one that it is compared with."""
    short = ["-i"] if array == array_arguments(cls)[0] else ["-t"] if array == target_argument(cls) else []
    return [option_name(array.name), *short]


def _array_option(array: ArrayArgument, options: Sequence[str]) -> click.Option:
    role = array.role
    domain = f" Each must be {role.domain}." if role.domain is not None else ""
    return GroupedOption(
        [*options, array.name],
        group=ARRAYS,
        metavar="FILE" if array.role.many else "ARRAY",
        required=array.required,
        help=name_arguments(role.doc) + domain,
        allow_from_autoenv=False,
    )


def _parameter_option(parameter: Parameter) -> click.Option:
    name = option_name(parameter.name)
    names = [f"{name}/--no-{name[2:]}"] if parameter.kind is bool else [name]
    if parameter.alias:
        names.insert(0, option_name(parameter.alias))
    domain = f" It must be {parameter.domain}." if parameter.domain is not None else ""
    return GroupedOption(
        [*names, parameter.name],
        group=PARAMETERS,
        type=parameter_type(parameter),
        metavar="NAME" if isinstance(parameter.domain, Names) else None,
        default=parameter.default,
        show_default=parameter.default is not None,
        help=parameter.doc + domain,
        allow_from_autoenv=False,
    )


def _reduction_options(cls: type[Operation]) -> list[click.Parameter]:
    def option(*names: str, **attributes: Any) -> GroupedOption:
        return GroupedOption(names, group=PARAMETERS, allow_from_autoenv=False, **attributes)

    options: list[click.Parameter] = []
    if issubclass(cls, Loss):
        options.append(
            option(
                "--reduction",
                "-r",
                type=click.Choice(cls.reductions),
                default="mean",
                show_default=True,
                help=f"mean divides by {cls.divisor}.",
            )
        )
        if cls.conventions:
            libraries = [convention.library for convention in cls.conventions]
            help_text = "Compute it as this library does: losscalc show tells how they differ."
            options.append(option("--like", type=click.Choice(libraries), help=help_text))
        wrt = differentiable(cls)
        help_text = f"The derivative of the reduced loss, of {' or '.join(wrt)}, instead of the loss."
        options.append(
            option(
                "--gradient",
                is_flag=False,
                flag_value=wrt[0],
                type=ArgumentName(wrt),
                metavar="[ARG]",
                help=help_text,
            )
        )
        options += check_options()
        if cls.broadcasts:
            help_text = "Let arrays of different shapes broadcast."
            options.append(option("--broadcast", is_flag=True, help=help_text))
        if cls.legacy:
            for name in ("size-average", "reduce"):
                help_text = "PyTorch's old flag; overrides --reduction."
                options.append(option(f"--{name}/--no-{name}", default=None, help=help_text))
    help_text = "Show the working: the formula with the numbers put in, its steps, and the reduction."
    options.append(option("--explain", is_flag=True, help=help_text))
    help_text = "Of the result, and what arrays are rounded to first; by default that of the input."
    options.append(option("--dtype", type=click.Choice(DTYPES), help=help_text))
    help_text = "So many correct digits, up to 1,000, of what the numbers that were read come to exactly."
    options.append(option("--digits", type=int, metavar="N", help=help_text))
    return options
