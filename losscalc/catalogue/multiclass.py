"""Cross-entropy of logits over C classes."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, cast

import numpy as np

from losscalc.catalogue.base import Quantities, loss
from losscalc.catalogue.classwise import IGNORE_INDEX, LABEL_SMOOTHING, SOFTMAX_AND_CHOICE
from losscalc.catalogue.tokens import Tokens
from losscalc.catalogue.weighting import BY_SAMPLES, masked, sample_weighted
from losscalc.core.array import FloatArray, IndexArray, Shape
from losscalc.core.conventions import Convention, agreeing
from losscalc.core.domains import UNIT
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import (
    ClassScores,
    ClassTarget,
    ClassWeight,
    class_positions,
    classes_back,
    classes_last,
)
from losscalc.core.scores import (
    Partition,
    joined,
    partition,
    softmax_and_lack,
    softmax_and_rest,
    softmax_less_one,
    surprisal,
)
from losscalc.core.shapes import Layout
from losscalc.core.stable import mean, number, pick, put, total, xmul
from losscalc.errors import ParameterError


@loss("cross-entropy", torch="CrossEntropyLoss", functional="cross_entropy")
class CrossEntropy(Tokens):
    """Cross-entropy of logits over C classes.

    `input` holds logits (N, C) or (N, C, d1, ...), with the classes on axis 1 (or the last, with a
    `class_axis` of -1), or (C,) for one sample. `target` holds class indices of that shape without the class
    axis, or class probabilities, floating numbers of the shape of the input. `weight` has shape (C,). With
    class indices the mean divides by the sum of the weights of the targets that are not ignored; with class
    probabilities by the number of rows, whatever the weights. `sample_weight`, (N,) or of the shape of class
    indices, multiplies each loss and what it adds to the divisor, as in scikit-learn; Keras still divides by
    the number of rows. `mask`, of the shape of class indices, is 1 where a target counts and 0 where it takes
    no part. With `shift`, logits (L, C) or (N, L, C) are scored against the label after them, as in language
    models: the last logits and the first label of each sequence take no part.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C), DomainError
    for a negative weight, and ParameterError for a non-negative `ignore_index` with class probabilities.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html

    >>> CrossEntropy(label_smoothing=0.1)([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], [0, 2])
    np.float64(0.422059325)
    """

    unlike = (
        "stays accurate for confident correct predictions, takes the limit at infinite logits, accepts "
        "class indices of any dtype if they are whole numbers, refuses a `label_smoothing` below 0 and "
        "negative "
        "weights, and gives inf, not NaN, where the weights of all targets are 0 and label smoothing "
        "counts other classes"
    )
    aliases = (
        "ce",
        "xent",
        "softmax_cross_entropy",
        "softmax_cross_entropy_with_logits",
        "softmax_cross_entropy_with_integer_labels",
        "softmax_loss",
        "ranking_softmax_loss",
        "SoftTargetCrossEntropy",
    )
    ambiguous: ClassVar[Mapping[str, str]] = {
        "SoftCrossEntropyLoss": "that of segmentation-models, whose mean counts rows that are ignored",
        "LabelSmoothingCrossEntropy": "that of timm, this with a `label_smoothing` of 0.1",
    }
    uses = ("classification", "one class of several", "segmentation", "language model", "noisy labels")
    is_likelihood = True
    weighted_mean = True
    relatives = {
        "probabilities": "log-loss",
        "log-probabilities": "nll",
        "one-against-rest": "bce-logits",
        "divergence": "kl-div",
    }
    close: ClassVar[tuple[str, ...]] = ("nll", "multi-margin")
    conventions: ClassVar[tuple[Convention, ...]] = (
        Convention(
            "keras",
            "divides the sum of weighted losses by their number, and gives 0 if all are ignored",
            "keras.losses.SparseCategoricalCrossentropy, CategoricalCrossentropy(from_logits=True), 3.15.1",
            mean="plain",
            nothing=0.0,
        ),
        Convention(
            "smp",
            "counts ignored rows in the mean",
            "segmentation_models_pytorch.losses.SoftCrossEntropyLoss(smooth_factor=0), 0.6.0",
            mean="all",
        ),
        *agreeing(
            optax="optax.losses.softmax_cross_entropy and softmax_cross_entropy_with_integer_labels, 0.2.8",
            onnx="SoftmaxCrossEntropyLoss of opset 13, onnx 1.23.2, without ignore_index unless it is given",
        ),
    )
    contrast: ClassVar[Mapping[str, Any]] = {
        "input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]],
        "target": [0, 2, -100],
        "weight": [1.0, 2.0, 3.0],
    }
    example = {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], "target": [0, 2], "label_smoothing": 0.1}

    formula = "-w[y]·ln(exp(x[y]) / Σ exp(x))"
    steps = SOFTMAX_AND_CHOICE
    derivative = "w[y]·(exp(x) / Σ exp(x) - y)"
    spread_derivative: ClassVar[str] = "(Σ t)·exp(x) / Σ exp(x) - t, t = w·((1-s)·y + s/C)"
    spread: ClassVar[str] = (
        "Σ t·(L - x), t = w·((1-s)·y + s/C), L = ln Σ exp(x); s label_smoothing, C classes"
    )
    divisor = (
        "the sum of the weights of the targets that are not ignored (their number without weight); "
        f"with class probabilities, the number of rows; {BY_SAMPLES}"
    )

    probabilities = True
    ignore_index: Annotated[int | None, IGNORE_INDEX] = -100
    label_smoothing: Annotated[float, UNIT, LABEL_SMOOTHING] = 0.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        layout = super().layout(shapes, dtypes, broadcast)
        if not layout.indices and self._ignored >= 0:
            raise ParameterError(
                "`ignore_index` leaves out class indices, but `target` holds class probabilities",
                found=self.ignore_index,
                argument="ignore_index",
            )
        return layout

    @masked
    @sample_weighted
    def terms(self, input: ClassScores, target: ClassTarget, weight: ClassWeight | None = None) -> Terms:
        scores = classes_last(input, self._axis)
        if target.dtype.kind != "i":
            share = self._shares(classes_last(cast(FloatArray, target), self._axis), weight)
            return Terms(_spread(partition(scores), share))
        # One sample may come with a target of shape (1,), but its loss has the shape ().
        target = cast(IndexArray, target).reshape(scores.shape[:-1])
        position = class_positions("target", target, scores.shape[-1], self._ignored)
        ignored = target == self._ignored
        factor = None if weight is None else np.where(ignored, 0.0, weight[position])
        parts = partition(scores) if self.label_smoothing else None
        value = (
            surprisal(scores, position) if parts is None else joined(pick(parts.gap, position), parts.tail)
        )
        value = value if factor is None else factor * value
        if parts is not None:
            smoothing = number(self.label_smoothing, scores)
            if weight is None:
                evenly = smoothing * (mean(parts.gap) + parts.tail)
            else:
                evenly = _spread(parts, smoothing / scores.shape[-1] * weight)
            value = xmul(number(1.0, scores) - self.label_smoothing, value) + evenly
        if np.count_nonzero(ignored):
            # The scores of an ignored row may be anything, even NaN.
            value = np.where(ignored, 0.0, value)
        return Terms(value, factor, ignored)

    @masked
    @sample_weighted
    def gradient(self, input: ClassScores, target: ClassTarget, weight: ClassWeight | None = None) -> Slope:
        """softmax(x) - y, times the weight of the target."""
        return Slope(classes_back(self._slopes(classes_last(input, self._axis), target, weight), self._axis))

    def quantities(
        self, input: ClassScores, target: ClassTarget, weight: ClassWeight | None = None
    ) -> Quantities:
        """The scores, the target and the weights."""
        scores = classes_last(input, self._axis)
        both = {"x": scores, "w": weight, "C": np.asarray(float(scores.shape[-1]))}
        if target.dtype.kind != "i":
            return {"y": classes_last(cast(FloatArray, target), self._axis), **both}
        column = target.reshape(*scores.shape[:-1], 1)
        position = np.where(column == self._ignored, 0, column)
        return {
            "y": (column == np.arange(scores.shape[-1])).astype(np.float64),
            "x[y]": np.take_along_axis(scores, position, axis=-1),
            "w[y]": None if weight is None else weight[position],
            **both,
        }

    def explained(self, target: FloatArray | IndexArray) -> str:
        """Targets that are spread over several classes have a formula of their own."""
        return self.formula if target.dtype.kind == "i" and not self.label_smoothing else self.spread

    def derived(self, target: FloatArray | IndexArray) -> str:
        """Of targets that are spread over several classes, that of their formula."""
        is_one = target.dtype.kind == "i" and not self.label_smoothing
        return self.derivative if is_one else self.spread_derivative

    def _slopes(
        self, scores: FloatArray, target: FloatArray | IndexArray, weight: FloatArray | None
    ) -> FloatArray:
        """q·Σt - t = q·(Σt - t) - t·(1-q), with t the share of a class in the target and q its softmax.

        Both products keep their digits where q is close to 0 or 1.
        """
        if target.dtype.kind == "i" and not self.label_smoothing:
            return self._slopes_of_indices(scores, cast(IndexArray, target), weight)
        if target.dtype.kind == "i" and weight is None:
            return self._slopes_of_smoothed(scores, cast(IndexArray, target))
        if target.dtype.kind == "i":
            share, ignored = self._dense(cast(IndexArray, target), weight, scores.shape)
        else:
            share = self._shares(classes_last(cast(FloatArray, target), self._axis), weight)
            ignored = np.zeros(scores.shape[:-1], dtype=bool)
        likely, unlikely = softmax_and_rest(scores)
        likely *= share.sum(axis=-1, keepdims=True) - share
        unlikely *= share
        likely -= unlikely
        likely[ignored] = 0.0
        return likely

    def _slopes_of_indices(
        self, scores: FloatArray, target: IndexArray, weight: FloatArray | None
    ) -> FloatArray:
        """(softmax(x) - y) times the weight of the target; 0 for ignored rows."""
        target = target.reshape(scores.shape[:-1])
        position = class_positions("target", target, scores.shape[-1], self._ignored)
        slope = softmax_less_one(scores, position)
        if weight is not None:
            slope *= weight[position][..., np.newaxis]
        slope[target == self._ignored] = 0.0
        return slope

    def _slopes_of_smoothed(self, scores: FloatArray, target: IndexArray) -> FloatArray:
        """q - t for the even share of all classes but the target, which is never close to 1."""
        target = target.reshape(scores.shape[:-1])
        position = class_positions("target", target, scores.shape[-1], self._ignored)
        even = self.label_smoothing / scores.shape[-1]
        likely, unlikely = softmax_and_lack(scores, position)
        others = even * (scores.shape[-1] - 1)
        right = pick(likely, position) * others - (1.0 - others) * unlikely
        likely -= even
        put(likely, position, right)
        likely[target == self._ignored] = 0.0
        return likely

    def _dense(
        self, target: IndexArray, weight: FloatArray | None, shape: tuple[int, ...]
    ) -> tuple[FloatArray, np.ndarray]:
        """The share of each class in targets of class indices, and which rows are ignored."""
        position = class_positions("target", target, shape[-1], self._ignored).reshape(shape[:-1])
        hot = np.zeros(shape)
        put(hot, position, 1.0)
        return self._shares(hot, weight), (target == self._ignored).reshape(shape[:-1])

    def _shares(self, target: FloatArray, weight: FloatArray | None) -> FloatArray:
        """The share of each class in targets of class probabilities: smoothed and weighted."""
        if self.label_smoothing:
            kept = number(1.0, target) - self.label_smoothing
            target = target * kept + number(self.label_smoothing, target) / target.shape[-1]
        return target if weight is None else target * weight

    @property
    def _ignored(self) -> int:
        """The class index of ignored rows; -100 unless given, as in PyTorch."""
        return -100 if self.ignore_index is None else self.ignore_index


def _spread(parts: Partition, share: FloatArray) -> FloatArray:
    """Σ share_c · (ln Σ exp(x) - x_c); a class with a share of 0 counts 0, even for a score of -inf."""
    weighted = np.multiply(share, parts.gap, out=parts.gap)
    gaps = total(weighted)
    if (gaps != gaps).any():
        weighted[np.broadcast_to(share == 0, weighted.shape)] = 0.0
        gaps = total(weighted)
    return np.asarray(gaps + total(share) * parts.tail)
