"""The arrays of a loss in many layouts: rows, a lone row, planes, no rows; also such as it does not take."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.declaration import array_arguments, parameters
from tests.support.examples import Arrays

_OF_NO_ROW = ("parameters", "class-weights")


class Given(NamedTuple):
    """Arrays, and the options that they need."""

    arrays: Arrays
    options: tuple[str, ...] = ()


def _lone(array: np.ndarray, axis: int) -> np.ndarray:
    return array.take(0, axis) if array.shape[axis] else array


LAYOUTS: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "rows": lambda array, axis: array,
    "lone": _lone,
    "vectors": lambda array, axis: array[..., 0] if array.ndim > 1 and array.shape[-1] else array,
    "column": lambda array, axis: array[..., :1] if array.ndim > 1 else array[:, np.newaxis],
    "no columns": lambda array, axis: array[..., :0] if array.ndim > 1 else array,
    "no rows": lambda array, axis: array.take([], axis),
    "groups": lambda array, axis: array[np.newaxis],
    "planes": lambda array, axis: np.stack([array, array], -1),
    "images": lambda array, axis: np.stack([np.stack([array, array], -1)] * 3, -1),
    "no planes": lambda array, axis: array[..., np.newaxis][..., :0],
}
"""What becomes of each array that has a row for each loss; `axis` is the one of its rows."""


def laid_out(cls: type[Loss], arrays: Arrays, layout: str) -> Given:
    """An example in another layout."""
    change = LAYOUTS[layout]
    kinds = {array.name: array.role.kind for array in array_arguments(cls)}
    # Axis 0 of log-probabilities over time is the time.
    return Given(
        {
            name: array if kinds[name] in _OF_NO_ROW else change(array, int(name == "log_probs"))
            for name, array in arrays.items()
        }
    )


def variants(cls: type[Loss], given: Given) -> list[Given]:
    """The same, and the same said otherwise: classes last, probabilities of classes, targets in one row."""
    arrays, options = given
    kinds = {array.name: array.role.kind for array in array_arguments(cls)}
    found = [given]
    if any(parameter.name == "class_axis" for parameter in parameters(cls)) and arrays["input"].ndim > 1:
        last = {**arrays, "input": np.moveaxis(arrays["input"], 1, -1)}
        found.append(Given(last, (*options, "--class-axis", "-1")))
    if kinds.get("target") == "classes":
        scores = np.abs(arrays["input"]) + 1.0
        with np.errstate(all="ignore"):
            shares = scores / scores.sum(axis=min(1, scores.ndim - 1), keepdims=True)
        found.append(Given({**arrays, "target": shares}, options))
    if "targets" in kinds and arrays["targets"].ndim == 2 and arrays["target_lengths"].ndim == 1:
        lengths = np.minimum(arrays["target_lengths"], arrays["targets"].shape[1])
        pairs = zip(arrays["targets"], lengths, strict=False)
        row = np.concatenate([np.empty(0, int), *(symbols[:count] for symbols, count in pairs)])
        found.append(Given({**arrays, "targets": row, "target_lengths": lengths}, options))
    if cls.broadcasts and np.ndim(arrays.get("target", 0)):
        found.append(
            Given({**arrays, **{n: a[:1] for n, a in arrays.items() if n == "target"}}, ("--broadcast",))
        )
    return found
