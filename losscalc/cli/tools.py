"""Small tools around the losses: diagnoses of a data set, losses side by side, weights from labels."""

from typing import Any

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.arrays import Inputs
from losscalc.cli.catalogue import TOOLS
from losscalc.cli.commands import build_command
from losscalc.cli.grouped import ARRAYS, GroupedCommand, GroupedOption
from losscalc.cli.limits import LIMITS
from losscalc.cli.offers import offer_losses
from losscalc.cli.options import (
    output_options,
    reading_options,
    row_options,
    take_display,
    take_readings,
    threads_option,
)
from losscalc.cli.output import Delivery
from losscalc.cli.request import Request
from losscalc.cli.types import whole
from losscalc.cli.values import request_of
from losscalc.cli.voice import Voice
from losscalc.core.declaration import array_arguments
from losscalc.core.reductions import MEAN
from losscalc.core.registry import lookup
from losscalc.engine.call import Call
from losscalc.errors import LosscalcError, LosscalcNote, UsageError, option_name
from losscalc.inputs.address import parse_address, read_array
from losscalc.outputs.result import Result
from losscalc.outputs.sheets import Cell


@click.command(
    "diagnose",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("loss", metavar="LOSS", shell_complete=offer_losses)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF THE LOSS]")
def diagnose(loss: str, arguments: tuple[str, ...]) -> None:
    """Run all checks on the data of LOSS, and show baselines, the worst rows and a histogram.

    losscalc diagnose cross-entropy -i logits.csv -t labels.csv --worst 5
    """
    from losscalc.insight.doubts import doubts
    from losscalc.insight.single import has_single_losses
    from losscalc.insight.survey import diagnosis_sheets

    cls = loss_of(loss)
    command = build_command(cls)
    with command.make_context(f"losscalc diagnose {cls.name}", list(arguments)) as context:
        values = dict(context.params)
        worst = values.pop("worst", None) or 5
        for name in ("gradient", "explain", "expect", "suppose", *LIMITS, "plot", "dask"):
            if values.get(name) is not None and values[name] is not False:
                raise UsageError(f"diagnose takes no `{name}`", hint=f"losscalc {cls.name} does")
        request, delivery = request_of(cls, values)
        call, locate = request.located()
        if request.voice.is_heard:
            request.voice.tell(doubts(call))
        delivery.send_sheets(diagnosis_sheets(call, worst, locate), f"losscalc diagnose {cls.name}")
        if not has_single_losses(call):
            request.voice.tell([LosscalcNote(f"{cls.name} has no single losses: it is a function of sums")])


def _options() -> list[click.Parameter]:
    def array(name: str, short: str, help_text: str, **attributes: Any) -> click.Parameter:
        return GroupedOption(
            [name, short, name[2:]],
            group=ARRAYS,
            metavar="ARRAY",
            help=help_text,
            required=True,
            **attributes,
        )

    return [array("--input", "-i", "Predictions."), array("--target", "-t", "Targets.")]


def _compare(losses: tuple[str, ...], **values: Any) -> None:
    from losscalc.insight.survey import comparison_row, comparison_sheet, refused_row

    values.pop("debug")
    voice = Voice(values.pop("quiet"), values.pop("warnings") == "error", set())
    threads = values.pop("threads")
    delivery = Delivery(take_display(values))
    readings = take_readings(values)
    arrays = {name: values.pop(name) for name in ("input", "target")}
    if any(address.is_stdin or address.pipe for address in map(parse_address, arrays.values())):
        raise UsageError("several losses cannot read one pipe", hint="put the array in a file")
    rows: list[tuple[Cell, ...]] = []
    errors: list[LosscalcError] = []
    for name in losses:
        cls = loss_of(name)
        needed = [a.name for a in array_arguments(cls) if a.required]
        try:
            if needed != ["input", "target"]:
                more = ", ".join(f"`{name}`" for name in needed if name not in ("input", "target"))
                raise UsageError(f"{cls.name} needs {more} as well")
            call = Call(cls(), reduction=MEAN, threads=threads)
            rows.append(comparison_row(Request(call, Inputs(arrays, readings), voice).gathered()[0]))
        except LosscalcError as error:
            errors.append(error)
            rows.append(refused_row(cls.name, error.describe(option_name)))
    if len(errors) == len(losses):
        # Nothing was computed, be it for the files or for the losses.
        raise errors[0]
    delivery.send_sheets([comparison_sheet(rows)])


compare = GroupedCommand(
    "compare",
    params=[
        click.Argument(["losses"], nargs=-1, required=True, metavar="LOSS...", shell_complete=offer_losses),
        *_options(),
        *row_options(groups=False),
        *reading_options(),
        threads_option(),
        *output_options(),
    ],
    callback=_compare,
    help="Compare several losses on the same data: min, median and max of the single losses, mean and sum.",
)


def _weights(kind: str, values: dict[str, Any]) -> None:
    from losscalc.engine.balance import balanced_classes, balanced_positives

    values.pop("debug"), values.pop("quiet"), values.pop("warnings")
    classes = values.pop("classes", None)
    delivery = Delivery(take_display(values))
    target = read_array(values.pop("target"), "--target", take_readings(values).of("target"))
    weights = balanced_positives(target) if kind == "pos-weight" else balanced_classes(target, classes)
    delivery.send(Result(kind, weights, {}, is_tool=True))


def _tool(kind: str, *extra: click.Parameter) -> click.Command:
    _, summary = TOOLS[kind]
    return click.Command(
        kind,
        params=[_options()[1], *extra, *reading_options(), *output_options()],
        callback=lambda **values: _weights(kind, values),
        help=f"{summary}. In a loss, --{kind.removeprefix('class-')} balanced does it in place.",
    )


pos_weight = _tool("pos-weight")
_CLASSES = GroupedOption(
    ["--classes"],
    group=ARRAYS,
    type=whole(1, 10**7),
    metavar="C",
    help="The number of classes, if the last ones do not occur.",
)
class_weight = _tool("class-weight", _CLASSES)


def loss_of(name: str) -> type[Loss]:
    """The loss of a name; UsageError if it is an activation."""
    cls = lookup(name)
    if not issubclass(cls, Loss):
        raise UsageError(f"{cls.name} is an activation, not a loss")
    return cls
