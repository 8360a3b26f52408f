"""Knowledge distillation: a student learns from the scores of a teacher, and from the labels."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, IndexArray, Shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_POSITIVE, UNIT
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import ClassIndices, Role, class_positions
from losscalc.core.scores import partition, softmax, softmax_less_one, surprisal
from losscalc.core.shapes import Layout, classwise_layout, rowwise_layout
from losscalc.core.stable import number, total
from losscalc.errors import ParameterError, ShapeError

RowLogits = Annotated[
    FloatArray, Role("Logits (N, ..., C); classes on the last axis, or (C,) for one sample.", "logits")
]


class _Softened(NamedTuple):
    """The softened probabilities of teacher and student, and the logarithms of their ratio."""

    teacher: FloatArray
    student: FloatArray
    ratio: FloatArray


@loss("distillation")
class Distillation(Loss):
    """Divergence of a student from the softened scores of its teacher, and cross-entropy of the labels.

    `input` holds the logits of the student and `teacher` those of the teacher, both (N, ..., C), with the
    classes on the last axis, or (C,) for one sample. `target` holds class indices of that shape without the
    class axis; with an `alpha` of 1 it is not needed. Both logits are divided by `temperature`, and the
    divergence is multiplied by its square, so that gradients keep their size. The mean divides by the number
    of rows.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C), and
    ParameterError for labels that are missing and for a `temperature` that is not positive.

    Source: https://arxiv.org/abs/1503.02531

    >>> Distillation()([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], [[1.0, 2.0, 0.0], [0.0, 0.0, 2.0]], [0, 2])
    np.float64(0.275813045)
    """

    close = ("cross-entropy",)
    class_axis: ClassVar[int] = -1
    aliases = ("kd_loss", "knowledge_distillation", "KnowledgeDistillationKLDivLoss")
    uses = ("distillation", "model compression", "classification", "language model")
    legacy = False
    example = {
        "input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]],
        "teacher": [[1.0, 2.0, 0.0], [0.0, 0.0, 2.0]],
        "target": [0, 2],
    }

    soft = (
        "α·T²·Σ (0 if t = 0, else t·ln(t / s)), t = exp(z / T) / Σ exp(z / T), "
        "s = exp(x / T) / Σ exp(x / T); T temperature, z teacher"
    )
    formula = soft.replace(", t =", " - (1-α)·ln(exp(x[y]) / Σ exp(x)), t =")
    steps = "p[y] = exp(x[y]) / Σ exp(x)"
    divisor = "the number of rows"

    temperature: Annotated[float, FINITE_POSITIVE, Doc("What both logits are divided by.")] = 2.0
    alpha: Annotated[float, UNIT, Doc("Share of the teacher; 1 - alpha is that of the labels.")] = 0.25

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        layout = rowwise_layout(
            {name: shapes[name] for name in ("input", "teacher")},
            same=("input", "teacher"),
            broadcast=broadcast,
        )
        if shapes["input"][-1] == 0:
            raise ShapeError("`input` has no classes: its class axis has length 0", argument="input")
        if "target" in shapes:
            labelled = classwise_layout(shapes, dtypes, probabilities=False, class_axis=-1)
            return labelled._replace(cut=layout.cut | labelled.cut)
        if self.alpha < 1.0:
            raise ParameterError(
                f"`target` is missing, of which 1 - alpha = {1.0 - self.alpha:g} is the share",
                argument="target",
                hint="with an `alpha` of 1 the teacher is all there is",
            )
        return layout

    def terms(self, input: RowLogits, teacher: RowLogits, target: ClassIndices | None = None) -> Terms:
        found = self._softened(input, teacher)
        factor = self.alpha * self.temperature * self.temperature
        value = factor * self._divergence(found)
        if target is not None:
            rest = number(1.0, input) - self.alpha
            value = value + rest * surprisal(input, self._position(input, target))
        return Terms(value)

    def quantities(
        self, input: FloatArray, teacher: FloatArray, target: IndexArray | None = None
    ) -> Quantities:
        """The logits and the temperature."""
        values = {"x": input, "z": teacher, "T": np.asarray(self.temperature)}
        if target is None:
            return values
        position = self._position(input, target)[..., np.newaxis]
        return {**values, "x[y]": np.take_along_axis(input, position, axis=-1)}

    def gradient(self, input: RowLogits, teacher: RowLogits, target: ClassIndices | None = None) -> Slope:
        """α·T·(s - t) + (1-α)·(softmax(x) - y)."""
        found = self._softened(input, teacher)
        slope = self.alpha * self.temperature * (found.student - found.teacher)
        if target is not None:
            hard = softmax_less_one(input, self._position(input, target))
            slope = slope + (1.0 - self.alpha) * hard
        return Slope(slope)

    def gradient_teacher(
        self, input: RowLogits, teacher: RowLogits, target: ClassIndices | None = None
    ) -> Slope:
        """α·T·t·(ln(t / s) - Σ t·ln(t / s))."""
        found = self._softened(input, teacher)
        above = found.ratio - self._divergence(found)[..., np.newaxis]
        slope = self.alpha * self.temperature * found.teacher * above
        return Slope(np.where(found.teacher == 0, 0.0, slope))

    def explained(self, target: FloatArray | IndexArray) -> str:
        """Without labels only the teacher is left."""
        return self.formula if target.dtype.kind == "i" else self.soft

    def _softened(self, input: FloatArray, teacher: FloatArray) -> _Softened:
        """The ratio of probabilities as the difference of -ln softmax, part by part."""
        student, teacher = self._cooled(input), self._cooled(teacher)
        ours, theirs = partition(student), partition(teacher)
        # Of one sample of objects, NumPy gives an object, and no array.
        ratio = ours.gap - theirs.gap + np.asarray(ours.tail - theirs.tail)[..., np.newaxis]
        return _Softened(softmax(teacher), softmax(student), ratio)

    def _cooled(self, logits: FloatArray) -> FloatArray:
        """Logits over the temperature, less the largest of a row: close ones keep their difference."""
        peak = logits.max(axis=-1, keepdims=True)
        return (logits - np.where(np.abs(peak) < 1e300, peak, number(0.0, logits))) / self.temperature

    def _divergence(self, found: _Softened) -> FloatArray:
        """Σ t·ln(t / s); a class that the teacher rules out counts 0, whatever the student says."""
        return total(np.where(found.teacher == 0, 0.0, found.teacher * found.ratio))

    def _position(self, input: FloatArray, target: IndexArray) -> IndexArray:
        return class_positions("target", target, input.shape[-1]).reshape(input.shape[:-1])
