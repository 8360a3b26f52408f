"""What a command shows: its result, or something else about it that an option asks for."""

from collections.abc import Mapping
from typing import Any

import click

from losscalc.cli.limits import judge, limits
from losscalc.cli.output import Delivery
from losscalc.cli.request import Request
from losscalc.errors import UsageError

LOOKS = ("stats", "worst", "plot", "expect", "suppose", "rtol", "atol", "fail_above", "fail_below")
"""The options that do something else with a result than show it."""


def show(request: Request, delivery: Delivery, looks: Mapping[str, Any]) -> None:
    """Compute what is asked for, and write it."""
    chosen = _chosen(request, looks)
    bounds = limits(looks, chosen, keeps=request.call.reduction.keeps)
    if "stats" in chosen:
        _survey(request, delivery, looks["stats"], looks["worst"])
    elif "expect" in chosen:
        _check(request, delivery, looks["expect"], (looks["rtol"], looks["atol"]))
    elif "suppose" in chosen:
        _suppose(request, delivery, looks["suppose"])
    elif "by" in chosen:
        _group(request, delivery)
    elif "plot" in chosen:
        _plot(request, delivery, looks["plot"])
    else:
        with delivery.collector() as collector:
            result = request.computed(collector)
            delivery.send(result)
        judge(result, bounds)


def _chosen(request: Request, looks: Mapping[str, Any]) -> list[str]:
    """The options that show something instead of the result, of which only one may be given."""
    wanted = {
        "explain": request.call.samples,
        "gradient": request.call.wrt,
        "digits": request.call.digits is not None,
        "by": request.inputs.readings.usual.by is not None,
        "stats": looks["stats"] or looks["worst"],
        **{name: looks[name] is not None for name in ("plot", "expect", "suppose")},
    }
    chosen = [name for name, is_wanted in wanted.items() if is_wanted]
    alone = [name for name in chosen if name != "gradient"]
    if request.dask is not None and alone:
        hint = "it looks at arrays in memory: leave one of them out"
        raise UsageError(f"`{alone[0]}` and `dask` do not go together", hint=hint)
    # A gradient may be expected, and what leads to another one supposed; groups may have led there.
    if len(chosen) > 1 and not (chosen[0] in ("gradient", "by") and chosen[1:] in (["expect"], ["suppose"])):
        raise UsageError(f"`{chosen[0]}` and `{chosen[1]}` do not go together", hint="leave one of them out")
    if "by" in chosen and request.call.reduction.keeps:
        raise UsageError("`by` reduces the losses of each group", hint="leave --reduction none out")
    return chosen


def _group(request: Request, delivery: Delivery) -> None:
    """Show the loss of each group of rows."""
    from losscalc.cli.groups import Groups

    column = request.inputs.readings.usual.by or ""
    groups = Groups.of(request.call.operation, column, request.grouped())
    if delivery.format == "json":
        delivery.send_bytes(groups.json(delivery.precision))
    else:
        delivery.send_sheets([groups.sheet(for_people=delivery.format in ("table", "markdown"))])


def _survey(request: Request, delivery: Delivery, stats: bool, worst: int | None) -> None:
    """Show statistics of the single losses, and the largest of them."""
    from losscalc.insight.survey import stats_sheet, worst_sheet

    call, locate = request.located()
    sheets = [stats_sheet(call)] if stats else []
    delivery.send_sheets(sheets + ([worst_sheet(call, worst, locate)] if worst else []))


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

    delivery.send(supposed(request, name))


def _plot(request: Request, delivery: Delivery, path: str) -> None:
    """Draw the single losses to a file."""
    from losscalc.cli.plot import check_plot, plot

    if delivery.writes_file:
        raise UsageError("`plot` and `output` do not go together", hint="leave one of them out")
    check_plot(path)
    plot(request.gathered()[0], path)
