"""What a diagnosis is made of: what it sees of a call, and what arrays look like."""

from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array, IndexArray, extremes, highest, row_size
from losscalc.core.conventions import NORMALIZED
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.reductions import Terms
from losscalc.core.registry import lookup
from losscalc.core.roles import CLASS_KINDS, Kind
from losscalc.core.shapes import beside
from losscalc.engine.block import BLOCK
from losscalc.engine.findings import Arguments, Sign
from losscalc.engine.work import AT_ONCE
from losscalc.errors import DataError, Index, LosscalcWarning

# Fewer numbers than this lie between 0 and 1 by chance too often.
_ENOUGH = 16
# So many are looked at before all others.
_FIRST = 64
# By so much three probabilities of two digits may miss a sum of 1, and those of logarithms of one decimal.
_ROUNDED, _ROUNDED_LOGS = 0.0151, 0.0513
# Of more numbers than this only some rows are raised to exponentials, which take longer than some losses.
_MANY = 1 << 15

_REFUTED = Sign(False, None, everywhere=True, contradicted=True)


class Case:
    """What a diagnosis looks at: the loss, one block of its arrays, the reduction, and what came of it."""

    def __init__(
        self, loss: Loss, arguments: Arguments, reduction: str, terms: Terms, is_first: bool
    ) -> None:
        self.loss = loss
        self.first = next(iter(arguments))
        """The name of the array of scores."""
        self.scores: Any = arguments[self.first]
        self.arguments = arguments
        self.reduction = reduction
        self.terms = terms
        self.is_first = is_first

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @cached_property
    def highest(self) -> float:
        """The largest of the scores, which several diagnoses look at; NaN if one is NaN."""
        return highest(self.scores)

    @property
    def axis(self) -> int:
        """The class axis of the input."""
        return self.class_axis(self["input"])

    def class_axis(self, values: Array) -> int:
        """The class axis of an array that has one."""
        return 0 if values.ndim == 1 else getattr(self.loss, "class_axis", None) or 1

    @property
    def row_axis(self) -> int:
        """The axis along which the first array is one distribution a row."""
        return self.axis if takes_classes(type(self.loss)) else -1

    def counted(self, shape: tuple[int, ...]) -> Any:
        """Which of the rows, which have this shape, take part: those that are not ignored or padded."""
        taking = np.ones(shape, dtype=bool)
        target = self.arguments.get("target")
        if target is not None and target.dtype.kind == "i" and target.shape == shape:
            taking &= target != self.loss.settings.get("ignore_index")
        for name in ("mask", "sample_weight"):
            factor = self.arguments.get(name)
            if factor is not None and factor.ndim <= len(shape):
                taking &= beside(factor, len(shape)) != 0
        if self.has("input_lengths"):
            steps = np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1))
            taking &= steps < self["input_lengths"]
        return taking

    @property
    def normalizes(self) -> bool:
        """Whether rows are divided by their sum before the loss, whatever that is."""
        convention = self.loss.convention
        return convention is not None and NORMALIZED in convention.changes.values()

    def has(self, *names: str) -> bool:
        """Whether all these arrays are given, and none is empty."""
        for name in names:
            array = self.arguments.get(name)
            if array is None or not np.size(array):
                return False
        return True

    def suits(self, name: str) -> bool:
        """Whether another loss takes the same arrays and parameters, and means the same by them."""
        cls, own = lookup(name), self.loss.roles
        arrays = {key: np.asarray(array) for key, array in self.arguments.items() if array is not None}
        kinds = {array.name: array.role.kind for array in array_arguments(cls)}
        if any(kinds.get(key) != own[key].kind for key in arrays if key not in ("input", "target")):
            return False
        wanted = {p.name for p in parameters(type(self.loss)) if self.loss.settings[p.name] != p.default}
        if takes_classes(type(self.loss)):
            # Elsewhere class probabilities are labels of single classes.
            if arrays["target"].dtype.kind != "i":
                return False
            if (arrays["target"] == self.loss.settings.get("ignore_index")).any():
                wanted.add("ignore_index")
        if not wanted <= {parameter.name for parameter in parameters(cls)}:
            return False
        shapes = {key: array.shape for key, array in arrays.items()}
        try:
            cls().layout(shapes, {key: array.dtype for key, array in arrays.items()}, broadcast=False)
        except DataError:
            return False
        return True


class Diagnosis(NamedTuple):
    """A sign of a mistake, the losses that it concerns, and its warning."""

    name: str
    concerns: Callable[[type[Loss]], object]
    shows: Callable[[Case], object]
    """What blocks have to agree on; False if a block contradicts the sign, None if it cannot tell."""
    warning: Callable[[Case], LosscalcWarning]
    everywhere: bool = True
    """Whether the sign has to show in every block that can tell, rather than in one."""
    rows: Callable[[Case], int | None] | None = None
    """The number of rows that the call has to have, if that matters."""

    def sign(self, case: Case) -> Sign | None:
        """The sign in one block; None if it can tell nothing."""
        shown = self.shows(case)
        if shown is None or (shown is False and not self.everywhere):
            return None
        if shown is False:
            return _REFUTED
        return Sign(shown, self.warning(case), self.everywhere, self.rows and self.rows(case))


def takes_classes(loss: type[Loss]) -> bool:
    """Whether the target is a class index, or class probabilities, for each row."""
    return loss.labels in CLASS_KINDS


def takes(loss: type[Loss], *kinds: Kind) -> bool:
    """Whether an array of the loss is of one of these kinds."""
    return any(array.role.kind in kinds for array in array_arguments(loss))


def uneven_rows(case: Case) -> str | bool:
    """The name of an array of probabilities whose rows do not sum to 1, or False."""
    if case.normalizes or case.scores.ndim == 0:
        return False
    given = [a.name for a in array_arguments(type(case.loss)) if a.role.kind == "shares" and case.has(a.name)]
    return next((name for name in given if astray(case[name], -1) is not None), False)


def sequences(symbols: Array, lengths: Array) -> list[Array]:
    """The sequences in rows that are padded to one length, or in one row behind one another."""
    lengths = np.atleast_1d(lengths).astype(np.int64)
    if symbols.ndim == 2:
        return [row[:length] for row, length in zip(symbols, lengths, strict=True)]
    ends = np.cumsum(lengths)
    return [symbols[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def in_unit(values: Array) -> bool | None:
    """Whether all values lie in [0, 1], and some inside: the logits of an untrained model may all be 0."""
    if not values.size:
        return None
    if not _are_unit(values):
        return False
    inside = bool(((values > 0) & (values < 1)).any())
    return inside if values.size >= _ENOUGH else None


def sums_to_one(values: Array, axis: int) -> bool:
    """Whether every row sums to 1, but for the rounding errors of float32."""
    return bool((np.abs(values.sum(axis=axis) - 1.0) <= 1e-3).all())


def astray(
    values: Array,
    axis: int,
    counted: Callable[[tuple[int, ...]], Array] | None = None,
    rounded: float = _ROUNDED,
) -> Index | None:
    """The place of the first row along an axis that does not sum to 1, whatever it was rounded to."""
    sums = np.asarray(values.sum(axis=axis))
    wrong = np.abs(sums - 1.0) > rounded
    if not wrong.any():
        return None
    if counted is not None:
        wrong &= counted(wrong.shape)
    return tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.any() else None


def logs_astray(
    values: Array, axis: int, counted: Callable[[tuple[int, ...]], Array] | None = None
) -> Index | None:
    """The place of a row of logarithms whose exponentials do not sum to 1."""
    rows = _some_rows(values) if axis % values.ndim else None
    if rows is None:
        return astray(np.exp(values), axis, counted, _ROUNDED_LOGS)
    length = len(values)
    part = None if counted is None else lambda shape: counted((length, *shape[1:]))[rows]
    place = astray(np.exp(values[rows]), axis, part, _ROUNDED_LOGS)
    return place and (int(rows[place[0]]), *place[1:])


def _some_rows(values: Array) -> IndexArray | None:
    """Some of many rows, the same whether blocks come one by one or several at once; None for all."""
    width = row_size(values.shape)
    rows = max(1, BLOCK // max(1, width))
    if len(values) > AT_ONCE * rows:
        rows = len(values)  # nothing is cut
    ends = [*range(0, len(values), rows), len(values)]
    steps = [max(1, (stop - start) * width // _MANY) for start, stop in pairwise(ends)]
    if max(steps) == 1:
        return None
    parts = zip(pairwise(ends), steps, strict=True)
    return np.concatenate([np.arange(start, stop, step) for (start, stop), step in parts])


def are_probabilities(scores: Array, axis: int) -> bool:
    """Whether all values are from 0 to 1, and sum to 1 along an axis."""
    return _are_unit(scores) and scores.shape[axis] > 1 and sums_to_one(scores, axis)


def are_log_probabilities(scores: Array, axis: int) -> bool:
    """Whether the exponentials of all values sum to 1 along an axis."""
    return scores.shape[axis] > 1 and bool((scores <= 1e-6).all()) and sums_to_one(np.exp(scores), axis)


def _are_unit(values: Array) -> bool:
    """Whether all values lie in [0, 1]; if not, the first of them mostly tell."""
    if values.size > _FIRST and not _are_unit(values.flat[:_FIRST]):
        return False
    low, high = extremes(values) if values.size else (0.0, 1.0)
    return low >= 0 and high <= 1
