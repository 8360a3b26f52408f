"""What losses of a choice among C classes share."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, cast

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.catalogue.weighting import BY_SAMPLES
from losscalc.core.array import FloatArray, IndexArray, Shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import Choice
from losscalc.core.roles import class_positions
from losscalc.core.shapes import Layout, classwise_layout
from losscalc.errors import ShapeError

IGNORE_INDEX = Doc("Rows with this target are left out; any whole number.")
SOFTMAX = "softmax = exp(x) / Σ exp(x)"
"""The probabilities of all classes, which a textbook computes first."""
SOFTMAX_AND_CHOICE = f"{SOFTMAX}, p[y] = exp(x[y]) / Σ exp(x)"
"""The same, and that of the class that is right."""
LABEL_SMOOTHING = Doc("Share of the target that is spread evenly over all classes.")


class Multiclass(Loss):
    """A class axis, and rows that may be ignored."""

    divisor = (
        "the sum of the weights of the targets that are not ignored (their number without weight); "
        f"{BY_SAMPLES}"
    )
    probabilities: ClassVar[bool] = False
    """Whether a target may hold class probabilities, in the shape of the scores."""

    class_axis: Annotated[
        int | None, Choice((1, -1)), Doc("The axis of the classes: 1, as in PyTorch, unless -1, the last.")
    ] = None

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        scores = shapes["input"]
        if scores and scores[self._axis if len(scores) > 1 else 0] == 0:
            raise ShapeError("`input` has no classes: its class axis has length 0", argument="input")
        return classwise_layout(shapes, dtypes, probabilities=self.probabilities, class_axis=self._axis)

    def places(self, scores: FloatArray, target: IndexArray) -> tuple[IndexArray, IndexArray]:
        """Class indices in the shape of the losses, and the place of each; that of an ignored one is 0."""
        ignored = cast(int, self.settings["ignore_index"])
        target = target.reshape(scores.shape[:-1])
        return target, class_positions("target", target, scores.shape[-1], ignored)

    @property
    def _axis(self) -> int:
        """The axis of the classes of more than one sample."""
        return 1 if self.class_axis is None else self.class_axis
