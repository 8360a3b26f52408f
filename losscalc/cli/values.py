"""What the values of options come to: a request, and where its result goes."""

from typing import Any

import click
from click.core import ParameterSource

from losscalc.catalogue.base import Loss, choose_reduction
from losscalc.cli.arrays import Inputs
from losscalc.cli.options import take_display, take_readings
from losscalc.cli.output import Delivery
from losscalc.cli.request import Request
from losscalc.cli.views import LOOKS, show
from losscalc.cli.voice import Voice
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.operation import Operation, result_dtype
from losscalc.core.registry import other_meaning
from losscalc.engine.call import AnyCall, Call
from losscalc.errors import LosscalcNote, UsageError, printable
from losscalc.inputs.options import Reading, Readings


def run(cls: type[Operation], values: dict[str, Any]) -> None:
    """Run the command of an operation with the values of its options."""
    looks = {name: values.pop(name, None) for name in LOOKS}
    request, delivery = request_of(cls, values, looks["expect"])
    show(request, delivery, looks)


def request_of(
    cls: type[Operation], values: dict[str, Any], expect: str | None = None
) -> tuple[Request, Delivery]:
    """Make a request, and the delivery of its result, from the values of options.

    `expect` may be one more array that is read.
    """
    voice = Voice(values.pop("quiet"), values.pop("warnings") == "error")
    if values["digits"] is not None and values["precision"] is not None:
        raise UsageError("`digits` and `precision` do not go together", hint="leave one of them out")
    delivery = Delivery(take_display(values))
    typed = click.get_current_context().info_name or ""
    if other := other_meaning(cls, typed):
        voice.tell([LosscalcNote(f"{printable(typed)} is taken as {cls.name}; others mean {other}")])
    readings = take_readings(values)
    texts = {a.name: text for a in array_arguments(cls) if (text := values.pop(a.name)) is not None}
    if readings != Readings(Reading(threads=readings.usual.threads)):
        # Imported here, because most arrays are read as they are.
        from losscalc.cli.unused import unused

        others = {"by": readings.usual.by, "class_names": readings.usual.class_names, "expect": expect}
        voice.tell(unused({**texts, **{k: text for k, text in others.items() if text is not None}}, readings))
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
