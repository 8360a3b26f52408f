"""What a command tells of its loss: its help, and the options of its arrays and parameters."""

from collections.abc import Sequence
from functools import partial

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.grouped import ARRAYS, CHECK, COMPUTING, PARAMETERS, GroupedOption
from losscalc.cli.options import check_options
from losscalc.cli.types import ArgumentName, parameter_type
from losscalc.core.declaration import (
    ArrayArgument,
    Parameter,
    array_arguments,
    parameters,
    target_argument,
)
from losscalc.core.domains import Names
from losscalc.core.operation import DTYPES, Operation, differentiable, pytorch_names
from losscalc.errors import name_arguments, option_name

_ARRAY_HELP = (
    "ARRAY is a file (preds.csv#logit picks a column), - for standard input, or numbers as in 1,0,1."
)


def help_text(cls: type[Operation]) -> str:
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


def array_options(cls: type[Operation]) -> list[click.Parameter]:
    """The options of the arrays."""
    return [_array_option(array, _options(cls, array)) for array in array_arguments(cls)]


def _array_option(array: ArrayArgument, options: Sequence[str]) -> click.Option:
    role = array.role
    domain = f" Each must be {role.domain}." if role.domain is not None else ""
    return GroupedOption(
        [*options, array.name],
        group=ARRAYS,
        kind=role.kind,
        metavar="FILE" if array.role.many else "ARRAY",
        required=array.required,
        help=name_arguments(role.doc) + domain,
        allow_from_autoenv=False,
    )


def parameter_options(cls: type[Operation]) -> list[click.Parameter]:
    """The options of the parameters."""
    return [_parameter_option(parameter) for parameter in parameters(cls)]


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


def loss_options(cls: type[Operation]) -> list[click.Parameter]:
    """The options that a loss has besides, and an activation has not."""
    if not issubclass(cls, Loss):
        return []
    option = partial(GroupedOption, group=PARAMETERS, allow_from_autoenv=False)
    reduction = option(
        ["--reduction", "-r"],
        type=click.Choice(cls.reductions),
        default="mean",
        show_default=True,
        help=f"mean divides by {cls.divisor}.",
    )
    like = option(
        ["--like"],
        type=click.Choice([convention.library for convention in cls.conventions]),
        help="Compute it as this library does; losscalc show tells the differences.",
    )
    broadcast = option(
        ["--broadcast"],
        is_flag=True,
        help="Let arrays of different shapes broadcast.",
    )
    legacy = [
        option(
            [f"--{name}/--no-{name}"],
            default=None,
            hidden=True,
            help="PyTorch's old flag; overrides --reduction.",
        )
        for name in ("size-average", "reduce")
    ]
    return [
        reduction,
        *([like] if cls.conventions else []),
        *([broadcast] if cls.broadcasts else []),
        *(legacy if cls.legacy else []),
        _gradient_option(differentiable(cls)),
        *check_options(),
    ]


def _gradient_option(names: Sequence[str]) -> click.Option:
    """The option for the derivative by one of these arrays, the first unless another is named."""
    return GroupedOption(
        ["--gradient"],
        group=CHECK,
        is_flag=False,
        flag_value=names[0],
        type=ArgumentName(names),
        metavar="[ARG]",
        help=f"Show the derivative instead, of {' or '.join(names)}.",
        allow_from_autoenv=False,
    )


def number_options() -> list[click.Parameter]:
    """Options that every operation has: for its working, and for the numbers of the result."""
    return [
        GroupedOption(
            ["--explain"],
            group=CHECK,
            allow_from_autoenv=False,
            is_flag=True,
            help="Show the working: the formula with the numbers put in, its steps, and the reduction.",
        ),
        GroupedOption(
            ["--dtype"],
            group=COMPUTING,
            allow_from_autoenv=False,
            type=click.Choice(DTYPES),
            help="dtype of inputs and result, by default that of the input.",
        ),
        GroupedOption(
            ["--digits"],
            group=COMPUTING,
            allow_from_autoenv=False,
            type=int,
            metavar="N",
            help="Compute to N correct digits, up to 1,000, from the numbers that were read.",
        ),
    ]
