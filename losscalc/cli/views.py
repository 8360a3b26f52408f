"""What a command shows: its result, or something else about it that an option asks for."""

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.limits import judge, limits
from losscalc.cli.output import Delivery
from losscalc.cli.request import Request
from losscalc.cli.voice import Voice
from losscalc.errors import UsageError
from losscalc.outputs.result import Result

if TYPE_CHECKING:
    from losscalc.outputs.parts import Part

LOOKS = ("stats", "worst", "plot", "expect", "suppose", "rtol", "atol", "fail_above", "fail_below")
"""The options that do something else with a result than show it."""

# What goes together: a working is of whatever else is shown, a gradient may be expected or supposed, groups
# may have led to what is expected, and a plot is drawn beside everything that is computed in memory.
_BESIDE = {
    "by": ("plot", "expect", "suppose"),
    "digits": ("plot",),
    "explain": ("gradient", "stats", "worst", "plot", "expect", "suppose"),
    "gradient": ("plot", "expect", "suppose"),
    "stats": ("worst", "plot"),
    "worst": ("plot",),
    "plot": ("expect", "suppose"),
}


def show(request: Request, delivery: Delivery, looks: Mapping[str, Any]) -> None:
    """Compute what is asked for, and write it."""
    chosen = _chosen(request, looks)
    bounds = limits(looks, chosen, keeps=request.call.reduction.keeps)
    if "plot" in chosen:
        request = _plotted(request, looks["plot"], is_read_again="by" in chosen or "digits" in chosen)
    if "stats" in chosen or "worst" in chosen:
        _survey(request, delivery, looks["stats"], looks["worst"])
    elif "expect" in chosen:
        _check(request, delivery, looks["expect"], (looks["rtol"], looks["atol"]))
    elif "suppose" in chosen:
        _suppose(request, delivery, looks["suppose"])
    elif "by" in chosen:
        _group(request, delivery)
    elif "explain" in chosen and delivery.format == "html" and isinstance(request.call.operation, Loss):
        judge(_report(request, delivery), bounds)
    else:
        with delivery.collector() as collector:
            result = request.computed(collector)
            delivery.send(result)
        judge(result, bounds)


def _chosen(request: Request, looks: Mapping[str, Any]) -> list[str]:
    """The options that show something instead of the result, which have to go together."""
    wanted = {
        "explain": request.call.samples,
        "gradient": request.call.wrt,
        "digits": request.call.digits is not None,
        "by": request.inputs.readings.usual.by is not None,
        "stats": looks["stats"],
        **{name: looks[name] is not None for name in ("worst", "plot", "expect", "suppose")},
    }
    chosen = [name for name, is_wanted in wanted.items() if is_wanted]
    tolerances = [name for name in ("rtol", "atol") if looks[name] is not None]
    if tolerances and "expect" not in chosen:
        hint = "give the number: --expect 0.25"
        raise UsageError(f"`{tolerances[0]}` is a tolerance of `expect`", hint=hint)
    alone = [name for name in chosen if name != "gradient"]
    if request.dask is not None and alone:
        hint = "it looks at arrays in memory: leave one of them out"
        raise UsageError(f"`{alone[0]}` and `dask` do not go together", hint=hint)
    for one, other in combinations(chosen, 2):
        if other not in _BESIDE.get(one, ()):
            raise UsageError(f"`{one}` and `{other}` do not go together", hint=_instead(one, other))
    if "by" in chosen and request.call.reduction.keeps:
        raise UsageError("`by` reduces the losses of each group", hint="leave --reduction none out")
    return chosen


def _instead(one: str, other: str) -> str:
    """What to do where two options do not go together."""
    if {one, other} == {"explain", "digits"}:
        return "`precision` shows more decimals of the working"
    if "by" in (one, other):
        return "look at one group alone: --where 'COLUMN = VALUE'"
    return "leave one of them out"


def _group(request: Request, delivery: Delivery) -> None:
    """Show the loss of each group of rows."""
    from losscalc.cli.groups import Groups

    column = request.inputs.readings.usual.by or ""
    groups = Groups.of(request.call.operation, column, request.grouped())
    if delivery.format == "json":
        delivery.send_bytes(groups.json(delivery.precision))
    else:
        delivery.send_sheets(
            [groups.sheet(for_people=delivery.format in ("table", "markdown", "latex", "html"))]
        )


def _survey(request: Request, delivery: Delivery, stats: bool, worst: int | None) -> None:
    """Show statistics of the single losses, the largest of them, and how these come about."""
    from losscalc.insight.stats import worst as largest
    from losscalc.insight.survey import stats_sheet, worst_sheet

    request = request.read()
    call, locate = request.located()
    parts: list[Part] = [stats_sheet(call)] if stats else []
    parts += [worst_sheet(call, worst, locate)] if worst else []
    if request.call.samples:
        places = [each.held for each in largest(call, worst)] if worst else None
        parts.append(request.explained(places))
    delivery.send_sheets(parts, f"losscalc {call.operation.name}")


def _report(request: Request, delivery: Delivery) -> Result:
    """Show a page with the result and its working, and how the single losses are spread."""
    from losscalc.insight.survey import histogram_sheet, stats_sheet

    request = request.read()
    call, result = request.losses(), request.gathered()[1]
    parts: list[Part] = [result.summary()] if result.value.ndim == 0 else []
    parts += [result.working] if result.working else []
    if not result.several:
        parts += [stats_sheet(call), histogram_sheet(call)]
    delivery.send_sheets(parts, f"losscalc {call.operation.name}")
    return result


def _check(
    request: Request, delivery: Delivery, expect: str, tolerances: tuple[float | None, float | None]
) -> None:
    """Compare the result with the expected value."""
    # Imported here, because the hypotheses are many and few calls need them.
    from losscalc.cli.check import Check

    words = click.get_current_context().find_root().obj or ()
    code = Check(request, expect, tolerances, words).run(delivery)
    if code:
        raise click.exceptions.Exit(code)


def _suppose(request: Request, delivery: Delivery, name: str) -> None:
    """Show the result under a hypothesis."""
    from losscalc.cli.check import supposed

    request = request.read()
    result = supposed(request, name)
    if request.call.samples:
        from losscalc.insight.supposing import supposing

        call = request.gathered(as_given=True)[0]
        working = supposing(call, name, result.value, request.decimals)
        result = result._replace(working=working)
    delivery.send(result)


def _plotted(request: Request, path: str, *, is_read_again: bool) -> Request:
    """Draw the single losses to a file; returns the request, with its arrays unless it reads them again."""
    from losscalc.cli.plot import check_plot, plot

    check_plot(path)
    if not is_read_again:
        request = request.read()
        plot(request.losses(), path)
        return request
    addresses = request.inputs.addresses().values()
    if any(address.is_stdin or address.pipe for address in addresses):
        raise UsageError(
            "a plot beside `by` or `digits` reads the arrays twice", hint="put the array in a file"
        )
    readings = request.inputs.readings
    inputs = request.inputs._replace(readings=readings._replace(usual=readings.usual._replace(by=None)))
    call = request.call._replace(digits=None)
    plot(request._replace(call=call, inputs=inputs, voice=Voice(quiet=True)).losses(), path)
    return request
