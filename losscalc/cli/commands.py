"""Commands, built from the declarations of losses and activations."""

from functools import cache
from typing import Any

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.arguments import (
    array_options,
    help_text,
    loss_options,
    number_options,
    parameter_options,
)
from losscalc.cli.grouped import GroupedCommand
from losscalc.cli.options import (
    computing_options,
    label_options,
    output_options,
    reading_options,
    row_options,
)
from losscalc.core.declaration import labels_of
from losscalc.core.operation import Operation, summary


@cache
def build_command(cls: type[Operation]) -> click.Command:
    """Build the command of a loss or an activation."""
    return GroupedCommand(
        cls.name,
        params=[
            *array_options(cls),
            *parameter_options(cls),
            *loss_options(cls),
            *label_options(labels_of(cls)),
            *row_options(groups=issubclass(cls, Loss)),
            *reading_options(),
            *number_options(),
            *computing_options(),
            *output_options(),
        ],
        callback=lambda **values: _run(cls, values),
        help=help_text(cls),
        short_help=summary(cls),
        context_settings={"auto_envvar_prefix": "LOSSCALC", "help_option_names": ["-h", "--help"]},
    )


def _run(cls: type[Operation], values: dict[str, Any]) -> None:
    # Help does without all that it takes to run a command.
    from losscalc.cli.values import run

    run(cls, values)
