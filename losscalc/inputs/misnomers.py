"""Columns whose names say that they are not what an array takes: no corners of boxes, or no variances."""

import re
from collections.abc import Iterator, Mapping, Sequence

from losscalc.core.operation import Operation
from losscalc.engine.sources import Source
from losscalc.errors import LosscalcWarning, printable

_SIZES = frozenset({"w", "h", "width", "height"})
_DEVIATIONS = frozenset({"sigma", "sigmas", "std", "stds", "stdev", "stddev", "sd"})
_SQUARES = frozenset({"2", "sq", "squared"})
_LOGARITHMS = frozenset({"log", "logvar", "logvariance", "lnvar", "logstd", "logsigma", "logs"})
_AXES = {"x": "x", "left": "x", "right": "x", "y": "y", "top": "y", "bottom": "y"}
_CORNER = r"(x|y|left|right|top|bottom)(?:min|max|start|end|lo|hi|low|high|tl|br|\d)?"
_ORDER = ["x", "y", "x", "y"]  # of the axes


def misnomers(operation: Operation, sources: Mapping[str, Source]) -> Iterator[LosscalcWarning]:
    """Warnings about columns that are called like something else than what they are taken for."""
    yield from _boxes(operation, sources)
    yield from _variances(operation, sources)


def _variances(operation: Operation, sources: Mapping[str, Source]) -> Iterator[LosscalcWarning]:
    """Warnings about logarithms of variances, and about standard deviations."""
    for name, source in sources.items():
        words = {word for each in source.names or () for word in _words(each)}
        is_variance = words.isdisjoint(_DEVIATIONS | _LOGARITHMS) or not words.isdisjoint(_SQUARES)
        if _kind(operation, name) != "variances" or is_variance:
            continue
        problem = f"`{name}` has the column {(source.names or ())[0]}, and is a variance"
        hint = (
            "a variance is the square of σ"
            if words.isdisjoint(_LOGARITHMS)
            else "it is the exponential of its logarithm"
        )
        yield LosscalcWarning(printable(problem), argument=name, hint=hint)


def _boxes(operation: Operation, sources: Mapping[str, Source]) -> Iterator[LosscalcWarning]:
    """Warnings about columns of boxes that have other names than those of their corners in order."""
    boxes = {
        name: source.names
        for name, source in sources.items()
        if len(source.names or ()) == len(_ORDER) and _kind(operation, name) == "boxes"
    }
    # With x and y exchanged in both, the loss is the same.
    if all([_axis(each) for each in names or ()] == _ORDER[::-1] for names in boxes.values()):
        return
    for name, names in boxes.items():
        hint = _remedy(names or (), sources[name])
        if hint is not None:
            problem = f"`{name}` has the columns {', '.join(names or ())}, and a box is x1, y1, x2, y2"
            yield LosscalcWarning(printable(problem), argument=name, hint=hint)


def _kind(operation: Operation, name: str) -> str:
    """What an array is; the arrays of a state are of no kind."""
    role = operation.roles.get(name)
    return "" if role is None else role.kind


def _remedy(names: Sequence[str], source: Source) -> str | None:
    """What to do about names that are not those of corners in order; None if they may be."""
    axes = [_axis(name) for name in names]
    if sum(_last_word(name) in _SIZES for name in names) > 1:
        return "x2 is x + w and y2 is y + h; where x and y are the centre, x1 is x - w/2 and x2 is x + w/2"
    if axes == _ORDER or sorted(map(str, axes)) != sorted(_ORDER):
        return None
    order = _in_order(names, axes)
    return f"take them in this order: {source.part_of(order) or ', '.join(order)}"


def _words(name: str) -> list[str]:
    """The words and numbers of a name, of which those in capitals begin with one."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"([a-z\d])([A-Z])", r"\1 \2", name).lower())


def _last_word(name: str) -> str:
    return next(reversed(_words(name)), "")


def _axis(name: str) -> str | None:
    """The axis of a corner, by the first word that says so."""
    found = filter(None, (re.fullmatch(_CORNER, word) for word in _words(name)))
    return next((_AXES[match[1]] for match in found), None)


def _in_order(names: Sequence[str], axes: Sequence[str | None]) -> list[str]:
    """The names of the corners in order; of two on one axis, the one that stands first comes first."""
    first, second = ([name for name, axis in zip(names, axes, strict=True) if axis == each] for each in "xy")
    return [first[0], second[0], first[1], second[1]]
