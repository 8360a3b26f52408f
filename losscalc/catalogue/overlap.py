"""Losses of the overlap of two masks, for segmentation: functions of sums over their elements."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np

from losscalc.catalogue import smoothing
from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.places import Places, check_some_left, gathered
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, FINITE_POSITIVE, UNIT, Axes, Interval, Names
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Labels, Role, classes_back, classes_last
from losscalc.core.shapes import Layout, elementwise_layout
from losscalc.core.stable import sigmoid, softmax_and_rest, total
from losscalc.errors import ShapeError

Mask = Annotated[
    FloatArray,
    Role(
        "Probabilities, of any shape; logits if there is an activation.",
        "probabilities",
        UNIT,
        hint="for logits give `activation` sigmoid, or softmax for classes on axis 1",
    ),
]

# The names of the two sums.
_OVERLAP, _LACK = "overlap", "lack"


class Chances(NamedTuple):
    """The probabilities of a mask, and 1 less each, which keeps its digits beside a probability near 1."""

    p: FloatArray
    rest: FloatArray


class Overlap(Loss):
    """The base of this family.

    With I = Σ p·y, the loss is 1 - (k·I + s₁) / (k·I + L + s₂), where L is what the overlap lacks. It is
    computed as (L + s₂ - s₁) / (k·I + L + s₂): a mask that is almost right keeps the digits of its loss.
    """

    divisor = "the number of losses, one for each place along the axes that are not summed"
    legacy = False
    uses = ("segmentation", "imbalanced")
    range = Interval(0.0, 1.0)

    activation: Annotated[
        str,
        Names(("none", "sigmoid", "softmax")),
        Doc("What turns the input into probabilities; softmax is along axis 1."),
    ] = "none"
    dim: Annotated[
        tuple[int, ...] | None,
        Axes(),
        Doc("The axes that are summed up within one loss; by default all. 2,3 has one for each picture and "
            "class of (N, C, H, W), 0,2,3 one for each class of the batch."),
    ] = None  # fmt: skip
    smooth_nr: Annotated[float, FINITE_NOT_NEGATIVE, Doc("Added to the numerator.")] = 1e-5
    smooth_dr: Annotated[float, FINITE_NOT_NEGATIVE, Doc("Added to the denominator.")] = 1e-5

    @property
    def roles(self) -> Mapping[str, Role]:
        """Logits have no domain."""
        roles = dict(super().roles)
        if self.activation != "none":
            roles["input"] = roles["input"]._replace(kind="logits", domain=None)
        return roles

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        layout = elementwise_layout(shapes, broadcast=broadcast)
        shape = shapes["input"]
        axes = range(-len(shape), len(shape))
        wrong = [axis for axis in self.dim or () if axis not in axes]
        if wrong or len({axis % len(shape) for axis in self.dim or ()}) < len(self.dim or ()):
            raise ShapeError(
                f"`dim` must name different axes of `input`, which has shape {show_shape(shape)}",
                found=wrong[0] if wrong else self.dim,
                argument="input",
            )
        check_some_left(shape, self.dim)
        if self.activation == "softmax" and len(shape) < 2:
            raise ShapeError(
                f"`input` has shape {show_shape(shape)}, and no axis 1 for the softmax of classes",
                argument="input",
                hint="give (N, C, ...), or `activation` sigmoid for one class",
            )
        return layout

    def terms(self, input: Mask, target: Labels) -> Terms:
        chances, places = self._chances(input), self._places(input)
        overlap, lack = chances.p * target, self._lack(chances, target)
        if places.is_of_batch:
            return Terms.of_sums(**places.named(_OVERLAP, overlap), **places.named(_LACK, lack))
        return Terms(self._value(total(places.flat(overlap)), total(places.flat(lack))))

    def gradient(self, input: Mask, target: Labels) -> Slope:
        """By the quotient rule from the derivatives of both sums, times that of the activation."""
        chances, places = self._chances(input), self._places(input)
        overlap, lack = target, self._lack_slope(chances, target)
        if places.is_of_batch:
            both = {_OVERLAP: overlap, _LACK: lack}
            return Slope.of_sums(
                **{
                    name + label: self._activated(chances, np.where(part, each, 0.0))
                    for name, each in both.items()
                    for label, part in self._parts(input, places)
                }
            )
        sums = (total(places.flat(each)) for each in (chances.p * target, self._lack(chances, target)))
        by_overlap, by_lack = (places.spread(each) for each in self._slopes(*sums))
        return Slope(self._activated(chances, by_overlap * overlap + by_lack * lack))

    def finish(self, sums: Mapping[str, Any]) -> Any:
        overlap, places = gathered(_OVERLAP, sums)
        return np.reshape(self._value(overlap, gathered(_LACK, sums)[0]), places.kept)

    def finish_slopes(self, sums: Mapping[str, float]) -> Mapping[str, Any]:
        overlap, places = gathered(_OVERLAP, sums)
        slopes = self._slopes(overlap, gathered(_LACK, sums)[0])
        return {
            name + label: part
            for name, slope in zip((_OVERLAP, _LACK), slopes, strict=True)
            for label, part in self._of_parts(places.spread(slope), places)
        }

    def quantities(self, input: Mask, target: Labels) -> Quantities:
        """The probabilities and the labels, with all that belong to one loss along the last axis."""
        places = self._places(input)
        return {"p": places.flat(self._chances(input).p), "y": places.flat(target)}

    def _places(self, input: FloatArray) -> Places:
        """The axes that `dim` leaves."""
        summed = range(input.ndim) if self.dim is None else [axis % input.ndim for axis in self.dim]
        return Places(tuple(None if n in summed else length for n, length in enumerate(input.shape)))

    def _chances(self, input: FloatArray) -> Chances:
        """The probabilities that the input stands for."""
        if self.activation == "none" or not input.size:
            return Chances(input, 1.0 - input)
        if self.activation == "sigmoid":
            return Chances(sigmoid(input), sigmoid(-input))
        return Chances(*(classes_back(each) for each in softmax_and_rest(classes_last(input))))

    def _activated(self, chances: Chances, slope: FloatArray) -> FloatArray:
        """The derivative with respect to the input, from that with respect to the probabilities."""
        if self.activation == "none":
            return slope
        if self.activation == "sigmoid":
            return slope * chances.p * chances.rest
        return np.asarray(chances.p * (slope - (slope * chances.p).sum(axis=1, keepdims=True)))

    def _parts(self, input: FloatArray, places: Places) -> Iterator[tuple[str, Any]]:
        """The elements whose derivatives are apart from others: a class, if softmax mixes their losses."""
        if not self._mixes(places):
            yield "", True
            return
        classes = np.arange(input.shape[1]).reshape(-1, *[1] * (input.ndim - 2))
        yield from ((f"[{each}]", classes == each) for each in range(input.shape[1]))

    def _of_parts(self, slopes: FloatArray, places: Places) -> Iterator[tuple[str, FloatArray]]:
        """The derivatives by a sum, in as many parts."""
        if not self._mixes(places):
            yield "", slopes
            return
        yield from ((f"[{each}]", slopes[:, each : each + 1]) for each in range(slopes.shape[1]))

    def _mixes(self, places: Places) -> bool:
        return self.activation == "softmax" and places.lengths[1:2] not in ((), (None,))

    @property
    def _share(self) -> float:
        """How often the overlap counts in the denominator."""
        return 1.0

    @property
    def _exponent(self) -> float:
        return 1.0

    @abstractmethod
    def _lack(self, chances: Chances, target: FloatArray) -> FloatArray:
        """What each element lacks of the overlap."""

    @abstractmethod
    def _lack_slope(self, chances: Chances, target: FloatArray) -> FloatArray:
        """The derivative of that with respect to the probability."""

    def _value(self, overlap: FloatArray, lack: FloatArray) -> FloatArray:
        """The losses, from both sums."""
        value = (lack + (self.smooth_dr - self.smooth_nr)) / (self._share * overlap + lack + self.smooth_dr)
        return value if self._exponent == 1 else value**self._exponent

    def _slopes(self, overlap: FloatArray, lack: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The derivatives of the losses with respect to both sums."""
        above = self._share * overlap + self.smooth_nr
        below = self._share * overlap + lack + self.smooth_dr
        base = (lack + (self.smooth_dr - self.smooth_nr)) / below
        steep = 1.0 if self._exponent == 1 else self._exponent * base ** (self._exponent - 1.0)
        return -self._share * steep * base / below, steep * (above / below) / below


@loss("dice")
class Dice(Overlap):
    """Soft Dice loss, one less the F1 score of probabilities: how far two masks are from the same.

    `input` holds probabilities, or logits with an `activation`, and `target` labels in [0, 1], one-hot for
    classes, of the same shape. All elements make one loss, unless `dim` says along which axes to sum:
    2,3 gives one for each picture and class of (N, C, H, W), 0,2,3 one for each class of the batch. The mean
    divides by the number of losses. Two empty masks cost nothing, unless `smooth_nr` is less than
    `smooth_dr`. Libraries differ in what they add: Keras 0 and 1e-7, segmentation-models 2·smooth twice.

    Raises ShapeError for shapes or axes that do not fit and DomainError for a value outside [0, 1].

    Source: https://docs.monai.io/en/stable/losses.html#diceloss

    >>> Dice()([0.9, 0.2, 0.5, 0.1], [1, 0, 1, 1])
    np.float64(0.361701358)
    """

    aliases = ("soft_dice", "binary_dice", "f1", "v_net")
    close = ("jaccard", "tversky", "bce")
    conventions = smoothing.DICE
    example = {"input": [0.9, 0.2, 0.5, 0.1], "target": [1, 0, 1, 1]}

    formula = (
        "1 - (2·Σ p·y + smooth_nr) / (P + T + smooth_dr), "
        "P = Σ p² if squared, else Σ p, T = Σ y² if squared, else Σ y; p the probability"
    )

    squared: Annotated[bool, Doc("Whether the sizes of the masks are the sums of their squares.")] = False

    @property
    def _share(self) -> float:
        return 2.0

    def _lack(self, chances: Chances, target: FloatArray) -> FloatArray:
        # P + T - 2·I, as the sum of what is not negative.
        if not self.squared:
            return chances.p * (1.0 - target) + target * chances.rest
        difference = np.where(target == 1, -chances.rest, chances.p - target)
        return difference * difference

    def _lack_slope(self, chances: Chances, target: FloatArray) -> FloatArray:
        if not self.squared:
            return 1.0 - 2.0 * target
        return 2.0 * np.where(target == 1, -chances.rest, chances.p - target)


@loss("jaccard")
class Jaccard(Overlap):
    """Soft Jaccard loss, one less the intersection over the union of two masks.

    `input` holds probabilities, or logits with an `activation`, and `target` labels in [0, 1], one-hot for
    classes, of the same shape. All elements make one loss, unless `dim` says along which axes to sum:
    2,3 gives one for each picture and class of (N, C, H, W), 0,2,3 one for each class of the batch. The mean
    divides by the number of losses. Two empty masks cost nothing, unless `smooth_nr` is less than
    `smooth_dr`. MONAI doubles both sums, so that its constants count half.

    Raises ShapeError for shapes or axes that do not fit and DomainError for a value outside [0, 1].

    Source: https://smp.readthedocs.io/en/latest/losses.html#jaccardloss

    >>> Jaccard(smooth_nr=1.0, smooth_dr=1.0)([0.9, 0.2, 0.5, 0.1], [1, 0, 1, 1])
    np.float64(0.404761905)
    """

    aliases = ("soft_iou", "soft_jaccard")
    close = ("dice", "tversky", "bce")
    conventions = smoothing.JACCARD
    contrast = {"input": [0.09, 0.02, 0.05, 0.01], "target": [0, 0, 1, 0]}
    example = {
        "input": [0.9, 0.2, 0.5, 0.1], "target": [1, 0, 1, 1], "smooth_nr": 1.0, "smooth_dr": 1.0,
    }  # fmt: skip

    formula = "1 - (I + smooth_nr) / (Σ p + Σ y - I + smooth_dr), I = Σ p·y; p the probability"

    def _lack(self, chances: Chances, target: FloatArray) -> FloatArray:
        return chances.p * (1.0 - target) + target * chances.rest

    def _lack_slope(self, chances: Chances, target: FloatArray) -> FloatArray:
        return 1.0 - 2.0 * target


@loss("tversky")
class Tversky(Overlap):
    """Overlap of two masks with one price for what is wrongly in, and another for what is wrongly out.

    `input` holds probabilities, or logits with an `activation`, and `target` labels in [0, 1], one-hot for
    classes, of the same shape. `alpha` is the price of false positives and `beta` that of false negatives,
    which Keras has the other way round; with 0.5 each it is the Dice loss, with 1 each the Jaccard loss.
    `gamma` is the exponent of focal Tversky, whose paper writes it as 1/gamma. All elements make one loss,
    unless `dim` says along which axes to sum. The mean divides by the number of losses.

    Raises ShapeError for shapes or axes that do not fit and DomainError for a value outside [0, 1].

    Source: https://docs.monai.io/en/stable/losses.html#tverskyloss

    >>> Tversky(alpha=0.3, beta=0.7)([0.9, 0.2, 0.5, 0.1], [1, 0, 1, 1])
    np.float64(0.425285727)
    """

    aliases = ("focal_tversky",)
    close = ("dice", "jaccard", "bce")
    conventions = smoothing.TVERSKY
    example = {"input": [0.9, 0.2, 0.5, 0.1], "target": [1, 0, 1, 1], "alpha": 0.3, "beta": 0.7}

    formula = (
        "(1 - (I + smooth_nr) / (I + α·(Σ p - I) + β·(Σ y - I) + smooth_dr))^γ, I = Σ p·y; p the probability"
    )

    alpha: Annotated[float, FINITE_NOT_NEGATIVE, Doc("The price of false positives.")] = 0.5
    beta: Annotated[float, FINITE_NOT_NEGATIVE, Doc("The price of false negatives.")] = 0.5
    gamma: Annotated[float, FINITE_POSITIVE, Doc("The exponent of the loss.")] = 1.0

    @property
    def _exponent(self) -> float:
        return self.gamma

    def _lack(self, chances: Chances, target: FloatArray) -> FloatArray:
        return self.alpha * chances.p * (1.0 - target) + self.beta * target * chances.rest

    def _lack_slope(self, chances: Chances, target: FloatArray) -> FloatArray:
        return self.alpha * (1.0 - target) - self.beta * target
