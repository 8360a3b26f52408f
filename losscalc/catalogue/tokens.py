"""Losses of sequences of tokens: shifted by one, or of some positions only."""

from collections.abc import Mapping
from typing import Annotated, cast

import numpy as np

from losscalc.catalogue.classwise import Multiclass
from losscalc.core.array import Array, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.shapes import Layout
from losscalc.errors import ShapeError


class Tokens(Multiclass):
    """The base of losses whose rows may be the positions of sequences."""

    shift: Annotated[
        bool,
        Doc("Score each position against the label after it, as causal language models do."),
    ] = False

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """A lone sequence is never cut, because a row is scored against the next one."""
        layout = super().layout(shapes, dtypes, broadcast)
        axes = len(shapes["input"])
        if not self.shift or axes == 3:
            return layout
        if axes != 2:
            raise ShapeError(
                f"`shift` is along the one axis that is neither batch nor class, and `input` of shape "
                f"{show_shape(shapes['input'])} has {'several' if axes > 3 else 'none'}",
                argument="shift",
                hint="give (L, C) for one sequence or (N, L, C), with a `class_axis` of -1, for a batch",
            )
        return layout._replace(cut=frozenset())

    def taken(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Scores without the last position and labels without the first; labels that a mask leaves out are
        ignored, whatever they are."""
        axes = arrays["input"].ndim
        if self.shift:
            arrays = {name: self._shifted(name, array, axes) for name, array in arrays.items()}
        taken = dict(arrays)
        if "mask" in taken and taken["target"].shape != taken["input"].shape:
            mask = taken["mask"].reshape(taken["target"].shape)
            taken["target"] = np.where(mask == 0, cast(int, self.settings["ignore_index"]), taken["target"])
        return taken

    def _shifted(self, name: str, array: Array, axes: int) -> Array:
        """One array without its first position, or scores without their last."""
        if name == "weight" or array.ndim < axes - 1:
            return array
        # (L, C) and (L,), or (N, L, C) and (N, L) with the classes on the last axis or on axis 1.
        axis = 0 if axes == 2 else 2 if array.ndim == axes and self._axis == 1 else 1
        kept = slice(None, -1) if name == "input" else slice(1, None)
        return array[(slice(None),) * axis + (kept,)]
