"""Results that losscalc wrote as JSON, read back so that they can be merged."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from losscalc.core.exactsum import Sum, read_exact
from losscalc.core.reductions import NONE, REDUCTIONS, Partial
from losscalc.errors import DataError, FormatError, Location
from losscalc.inputs.document import parse
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Lines

_ALONE = "a result is a file of its own, as losscalc LOSS -f json -o FILE writes it"
_NO_RESULT = "is not the result of a loss, written with --format json"
_DTYPES = ("float16", "float32", "float64")


class Part(NamedTuple):
    """The result of a loss on some of the rows."""

    path: str
    loss: str
    reduction: str
    dtype: str
    parameters: dict[str, object]
    like: str | None
    partial: Partial
    """The sums, with the name of the loss for its class, which this floor does not know."""


def read_part(stream: Stream) -> Part:
    """The result in a JSON document; FormatError or DataError if it is none, or cannot be merged."""
    facts = _document(stream)
    if not isinstance(facts, dict) or not {"loss", "reduction", "parameters", "dtype"} <= facts.keys():
        raise _bad(stream.name)
    name, reduction = facts["loss"], facts["reduction"]
    is_known = isinstance(name, str) and reduction in REDUCTIONS and facts["dtype"] in _DTYPES
    if not is_known or not isinstance(facts["parameters"], dict):
        raise _bad(stream.name)
    _check_summed(facts, stream.name)
    partial = _partial(facts, name, stream.name)
    return Part(stream.name, name, reduction, facts["dtype"], facts["parameters"], facts.get("like"), partial)


def _document(stream: Stream) -> Any:
    """The JSON document in a file."""
    try:
        text = "".join(passage.text for passage in Lines(stream, "utf-8-sig", is_table=False))
        if text.strip():
            return parse(text.rstrip(" \t\r\n"), stream.name, number=_number)
    except FormatError as error:
        # What helps with arrays, such as another encoding, are no options here.
        error.hint = _ALONE if error.hint and "--" in error.hint else error.hint
        raise
    raise FormatError("no data", location=Location(stream.name))


def _check_summed(facts: Mapping[str, Any], path: str) -> None:
    """Refuse results that are not made of sums."""
    location = Location(path)
    for key, what in (("gradient", "a derivative"), ("supposed", "what was supposed, not the loss")):
        if key in facts:
            raise DataError(f"is {what}, and cannot be merged", location=location)
    if facts["reduction"] == NONE.name:
        raise DataError(
            "holds single losses, which have no sums to merge",
            location=location,
            hint="concatenate the arrays, or compute the parts with a `reduction`",
        )


def _partial(facts: Mapping[str, Any], name: str, path: str) -> Partial:
    count, ignored = (_whole(facts, key, path) for key in ("count", "ignored"))
    sums = facts.get("sums")
    if sums is None:
        return _from_numbers(facts, name, count, ignored, path)
    if not isinstance(sums, dict):
        raise _bad(path, "sums")
    total, above, below = (_exact(sums, key, path) for key in ("total", "numerator", "denominator"))
    named = sums.get("named", {})
    if not isinstance(named, dict):
        raise _bad(path, "sums.named")
    several = {key: _exact(named, key, path) for key in named}
    return Partial(name, total, above, below, count, ignored, _whole(sums, "rows", path), several)


def _exact(sums: Mapping[str, Any], key: str, path: str) -> Sum:
    text = sums.get(key)
    value = read_exact(text) if isinstance(text, str) else None
    if value is None:
        raise _bad(path, f"sums.{key}")
    return value


def _from_numbers(facts: Mapping[str, Any], name: str, count: int, ignored: int, path: str) -> Partial:
    """The sums of a result without exact sums, as older versions wrote it: rounded to float64."""
    numbers = []
    for key in ("numerator", "denominator"):
        number = facts.get(key)
        if number is None and key in facts:
            raise FormatError(
                f"its {key} is not finite, and cannot be known without its sums",
                location=Location(path),
                hint="compute it again with this version",
            )
        if not isinstance(number, float | int) or isinstance(number, bool):
            raise _bad(path, key)
        numbers.append(Sum.of(float(number)))
    above, below = numbers
    rows = int(float(below)) if facts["reduction"] == "batchmean" else 0
    return Partial(name, above, above, below, count, ignored, rows)


def _whole(facts: Mapping[str, Any], key: str, path: str) -> int:
    value = facts.get(key)
    if type(value) is not int or value < 0:
        raise _bad(path, key)
    return value


def _bad(path: str, key: str | None = None) -> FormatError:
    problem = _NO_RESULT if key is None else f"has no good {key!r}, and {_NO_RESULT}"
    return FormatError(problem, location=Location(path))


def _number(text: str) -> int | float:
    """A whole number; from 20 digits on, which no count has, as a float."""
    return int(text) if len(text) < 20 else float(text)
