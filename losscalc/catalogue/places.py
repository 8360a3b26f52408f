"""Where the losses of an array are, if some of its axes are summed within each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.errors import ShapeError

# What stands for an axis that a sum runs along, in its name.
_ALONG = ":"


class Places(NamedTuple):
    """Where the losses of an array are: the length of each axis that is left, None for one that is summed."""

    lengths: tuple[int | None, ...]

    @property
    def kept(self) -> tuple[int, ...]:
        """The shape of the losses."""
        return tuple(length for length in self.lengths if length is not None)

    @property
    def is_of_batch(self) -> bool:
        """Whether a loss is of several rows, so that its sums add up from block to block."""
        return self.lengths[:1] in ((), (None,))

    def flat(self, values: FloatArray) -> FloatArray:
        """The values, with all that belong to one loss along the last axis."""
        summed = [axis for axis, length in enumerate(self.lengths) if length is None]
        moved = np.moveaxis(values, summed, range(-len(summed), 0))
        return moved.reshape(*self.kept, int(np.prod(moved.shape[len(self.kept) :], dtype=int)))

    def spread(self, losses: FloatArray) -> FloatArray:
        """A number for each loss, in a shape that broadcasts to the array."""
        return np.reshape(losses, [1 if length is None else length for length in self.lengths])

    def named(self, name: str, values: FloatArray) -> dict[str, FloatArray]:
        """The values of each loss, under a name that tells its place: `overlap[:, 2]`."""
        if not self.kept:
            return {name: values}
        summands = {}
        for place in np.ndindex(*self.kept):
            left = iter(place)
            index = [slice(None) if length is None else next(left) for length in self.lengths]
            words = (_ALONG if isinstance(part, slice) else str(part) for part in index)
            summands[f"{name}[{', '.join(words)}]"] = values[tuple(index)]
        return summands


def check_some_left(shape: Shape, dim: tuple[int, ...] | None) -> None:
    """Refuse axes of length 0 beside rows that are summed: there would be no sums to make losses of."""
    summed = {axis % len(shape) for axis in dim or ()}
    if 0 in summed and any(length == 0 for axis, length in enumerate(shape) if axis not in summed):
        raise ShapeError(
            f"`input` has shape {show_shape(shape)}, and no losses along an axis that `dim` leaves",
            argument="input",
        )


def gathered(name: str, sums: Mapping[str, Any]) -> tuple[FloatArray, Places]:
    """The sums of a name, in the order of their places."""
    own = [key for key in sums if key.partition("[")[0] == name]
    words = own[-1].partition("[")[2].rstrip("]").split(", ") if "[" in own[-1] else []
    places = Places(tuple(None if word == _ALONG else int(word) + 1 for word in words))
    return np.array([sums[key] for key in own]).reshape(places.kept), places
