"""Combinations of hypotheses by their names, as they are typed behind --suppose."""

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise

import numpy as np

from losscalc.catalogue.base import Loss, losses
from losscalc.core.array import Array, are_finite
from losscalc.engine.block import NOT_FINITE
from losscalc.errors import LosscalcWarning, UsageError
from losscalc.insight.call import Call, simplified
from losscalc.insight.detect.catalogue import hypotheses
from losscalc.insight.detect.gradients import gradient
from losscalc.insight.detect.hypothesis import (
    STAGES,
    Combination,
    Hypothesis,
    NotApplicable,
    Supposed,
    ordered,
    quietly,
)
from losscalc.insight.detect.outcomes import begun, computed, finished

# Names that are shown where none is close.
_SHOWN = 8


def combination(call: Call, text: str) -> Combination:
    """The hypotheses of such names, NAME or NAME=NUMBER, joined by commas.

    Raises UsageError for a name that is unknown, a number that is missing or none, and two of one stage.
    """
    known: dict[str, list[Hypothesis]] = {}
    for row in hypotheses(call):
        known.setdefault(row.name, []).append(row)
    found = ordered([_supposed(word.strip(), known, call.operation.name) for word in text.split(",")])
    for one, other in pairwise(found):
        if one.hypothesis.stage == other.hypothesis.stage == "aggregation":
            raise UsageError(
                f"{one.name} and {other.name} are both ways to reduce losses", hint="leave one of them out"
            )
    return found


def _supposed(word: str, known: dict[str, list[Hypothesis]], loss: str) -> Supposed:
    name, equals, text = word.partition("=")
    if name not in known and (others := _losses_with(name)):
        raise UsageError(
            f"{name} cannot be supposed of {loss}",
            hint=f"it is for {', '.join(others[:_SHOWN])}; losscalc suppose {loss} lists what there is",
        )
    if name not in known:
        close = next(iter(get_close_matches(name, known, n=1)), None)
        shown = ", ".join(list(known)[:_SHOWN])
        raise UsageError(
            "nothing of that name can be supposed",
            found=name,
            hint=f"did you mean {close}?" if close else f"there are {shown}, ...; losscalc suppose lists all",
        )
    row = next((row for row in known[name] if row.has_number == bool(equals)), None)
    if row is None:
        what = "takes no number" if equals else "needs a number"
        instead = f"{name} alone does it" if equals else f"{name}=2, for instance"
        raise UsageError(f"{name} {what}", found=word, hint=instead)
    if not equals:
        return Supposed(row)
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise UsageError(f"{name} needs a number", found=text, hint=f"{name}=2, for instance")
    if row.is_whole and not number.is_integer():
        raise UsageError(f"{name} needs a whole number", found=text, hint=f"{name}=2, for instance")
    return Supposed(row, number)


def _losses_with(name: str) -> list[str]:
    """The losses of which something of that name can be supposed."""
    return [cls.name for cls in losses().values() if any(row.name == name for row in hypotheses(Call(cls())))]


def supposed(call: Call, text: str) -> Array:
    """What a call comes to under hypotheses, given by their names; UsageError where one does not apply."""
    rows = combination(call, text)
    found = outcome(call, rows)
    if found is None:
        meaning = "; ".join(row.sentence for row in rows)
        what = "does not apply" if len(rows) == 1 else "do not apply together"
        raise UsageError(f"{text} {what} to these arrays", hint=f"it means: {meaning}")
    return found


def not_finite(plain: Array, value: Array) -> tuple[LosscalcWarning, ...]:
    """The usual warning about what a call comes to under hypotheses, if that is not so without them."""
    if are_finite(value) or not are_finite(plain):
        return ()
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
    return (LosscalcWarning(NOT_FINITE, found=value[place], index=place),)


def outcome(call: Call, rows: Combination) -> Array | None:
    """What a combination of hypotheses leads to; None if one of them does not apply.

    Other errors are bugs, and are not caught.
    """
    try:
        with quietly():
            return np.asarray(_outcome(call, rows), np.float64)
    except NotApplicable:
        return None


def _outcome(call: Call, rows: Combination) -> Array:
    if call.wrt is not None:
        return gradient(call, rows)
    changes, rest = _split(rows)
    return finished(computed(begun(call, changes[0]) if changes else simplified(call), changes), rest)


def _split(rows: Sequence[Supposed]) -> tuple[Combination, Combination]:
    """The changes of a call and its losses, and what is done with these."""
    last = STAGES.index("losses")
    is_change = [STAGES.index(row.hypothesis.stage) <= last for row in rows]
    return (
        tuple(row for row, yes in zip(rows, is_change, strict=True) if yes),
        tuple(row for row, yes in zip(rows, is_change, strict=True) if not yes),
    )


def known(*classes: type[Loss]) -> list[Hypothesis]:
    """All that can be supposed of losses, each once, in the order of the stages."""
    found: dict[tuple[str, str, bool], Hypothesis] = {}
    for cls in classes:
        for row in hypotheses(Call(cls())):
            found.setdefault((row.stage, row.name, row.has_number), row)
    return sorted(found.values(), key=lambda row: STAGES.index(row.stage))
