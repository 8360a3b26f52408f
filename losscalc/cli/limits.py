"""Limits of a reduced loss, which fail a job that is beyond them."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from losscalc.cli.boundary import complain
from losscalc.errors import UsageError, option_name
from losscalc.outputs.result import Result

EXIT_BEYOND = 1

LIMITS = ("fail_above", "fail_below")
# What else may be asked for: other forms of the same number.
_BESIDE = ("explain", "digits", "plot")


def limits(looks: Mapping[str, Any], chosen: Sequence[str], *, keeps: bool) -> dict[str, float]:
    """The limits that were typed; UsageError if what was `chosen` besides has no number to be judged."""
    found: dict[str, float] = {name: looks[name] for name in LIMITS if looks[name] is not None}
    if not found:
        return found
    if keeps:
        hint = "`reduction` mean or sum gives one number"
        raise UsageError(f"`{next(iter(found))}` is a limit for one number", hint=hint)
    others = [name for name in chosen if name not in _BESIDE]
    if others:
        raise UsageError(
            f"`{next(iter(found))}` and `{others[0]}` do not go together", hint="leave one of them out"
        )
    return found


def judge(result: Result, limits: Mapping[str, float]) -> None:
    """End with an exit code of its own if a result is beyond a limit."""
    failures = [failure for name in limits if (failure := _failure(result, name, limits[name])) is not None]
    for failure in failures:
        complain(failure)
    if failures:
        raise click.exceptions.Exit(EXIT_BEYOND)


def _failure(result: Result, name: str, limit: float) -> str | None:
    """What is wrong with a result, if it is beyond a limit; NaN is beyond any."""
    value = float(result.value)
    typed = f"{option_name(name)} {limit!r}"
    if value != value:
        return f"{result.name} is NaN, which {typed} refuses"
    side = name.removeprefix("fail_")
    is_beyond = value > limit if side == "above" else value < limit
    return f"{result.name} is {value!r}, {side} {typed}" if is_beyond else None
