"""What a diagnosis is made of: what it sees of a call, and what arrays look like."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.conventions import NORMALIZED
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.registry import lookup
from losscalc.core.roles import CLASS_KINDS, Kind
from losscalc.engine.findings import Sign
from losscalc.errors import DataError, LosscalcWarning

Arguments = Mapping[str, Any]

# Fewer numbers than this lie between 0 and 1 by chance too often.
_ENOUGH = 16


class Case:
    """What a diagnosis looks at: the loss, one block of its arrays, and the reduction."""

    def __init__(self, loss: Loss, arguments: Arguments, reduction: str) -> None:
        self.loss = loss
        self.arguments = arguments
        self.reduction = reduction

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @property
    def axis(self) -> int:
        """The class axis of the input."""
        return 0 if self["input"].ndim == 1 else getattr(self.loss, "class_axis", None) or 1

    @property
    def normalizes(self) -> bool:
        """Whether rows are divided by their sum before the loss, whatever that is."""
        convention = self.loss.convention
        return convention is not None and NORMALIZED in convention.changes.values()

    def has(self, *names: str) -> bool:
        """Whether all these arrays are given, and none is empty."""
        return all(self.arguments.get(name) is not None and np.size(self.arguments[name]) for name in names)

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
    rows: Callable[[Case], int] | None = None
    """The number of rows that the call has to have, if that matters."""

    def sign(self, case: Case) -> Sign:
        """The sign in one block."""
        shown = self.shows(case)
        if shown is None or shown is False:
            return Sign(shown, None, self.everywhere, contradicted=shown is False)
        return Sign(shown, self.warning(case), self.everywhere, self.rows and self.rows(case))


def takes_classes(loss: type[Loss]) -> bool:
    """Whether the target is a class index, or class probabilities, for each row."""
    return loss.labels in CLASS_KINDS


def takes(loss: type[Loss], *kinds: Kind) -> bool:
    """Whether an array of the loss is of one of these kinds."""
    return any(array.role.kind in kinds for array in array_arguments(loss))


def uneven_rows(case: Case) -> str | bool:
    """The name of an array of probabilities whose rows do not sum to 1, or False."""
    if case.normalizes:
        return False
    given = [a.name for a in array_arguments(type(case.loss)) if a.role.kind == "shares" and case.has(a.name)]
    return next((name for name in given if not sums_to_one(case[name], -1)), False)


def sequences(symbols: Array, lengths: Array) -> list[Array]:
    """The sequences in rows that are padded to one length, or in one row behind one another."""
    lengths = np.atleast_1d(lengths).astype(np.int64)
    if symbols.ndim == 2:
        return [row[:length] for row, length in zip(symbols, lengths, strict=True)]
    ends = np.cumsum(lengths)
    return [symbols[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def in_unit(values: Array) -> bool | None:
    """Whether all values lie in [0, 1], and some inside: the logits of an untrained model may all be 0."""
    if not ((values >= 0).all() and (values <= 1).all()):
        return False
    inside = bool(((values > 0) & (values < 1)).any())
    return inside if values.size >= _ENOUGH else None


def sums_to_one(values: Array, axis: int) -> bool:
    """Whether every row sums to 1, but for the rounding errors of float32."""
    with np.errstate(all="ignore"):
        return bool(np.allclose(values.sum(axis=axis), 1.0, rtol=0, atol=1e-3))


def are_probabilities(scores: Array, axis: int) -> bool:
    """Whether all values are from 0 to 1, and sum to 1 along an axis."""
    inside = bool((scores >= 0).all() and (scores <= 1).all())
    return inside and scores.shape[axis] > 1 and sums_to_one(scores, axis)


def are_log_probabilities(scores: Array, axis: int) -> bool:
    """Whether the exponentials of all values sum to 1 along an axis."""
    with np.errstate(all="ignore"):
        return scores.shape[axis] > 1 and bool((scores <= 1e-6).all()) and sums_to_one(np.exp(scores), axis)
