"""The base of the losses of the overlap of two masks: functions of sums over their elements."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, Quantities
from losscalc.catalogue.places import Places, check_some_left, gathered
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, UNIT, Interval, Names
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Labels, Role, classes_back, classes_last
from losscalc.core.scores import softmax_and_rest
from losscalc.core.sequences import Axes
from losscalc.core.shapes import Layout, elementwise_layout
from losscalc.core.stable import sigmoid, total
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

# The names of the sums; the last is needed where a target without labels has no loss.
_OVERLAP, _LACK, _LABELS = "overlap", "lack", "labels"
# The beginning of a formula by which an empty target has no loss.
_EMPTY = "0 if Σ y = 0, else "


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
    fuzzy: Annotated[
        bool,
        Doc("Whether a probability and a label between 0 and 1 share the smaller of the two, as in "
            "segmentation-models, instead of their product."),
    ] = False  # fmt: skip
    skip_empty: Annotated[
        bool,
        Doc("Whether a loss is 0 if its target is empty, as in segmentation-models; the mean counts it."),
    ] = False

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
        places, sums = self._places(input), self._summands(self._chances(input), target)
        if places.is_of_batch:
            named = (places.named(name, summands) for name, summands in sums.items())
            return Terms.of_sums(**{name: summands for each in named for name, summands in each.items()})
        return Terms(self._loss({name: total(places.flat(summands)) for name, summands in sums.items()}))

    def gradient(self, input: Mask, target: Labels) -> Slope:
        """By the quotient rule from the derivatives of both sums, times that of the activation."""
        chances, places = self._chances(input), self._places(input)
        overlap = np.where(chances.p < target, 1.0, 0.0) if self.fuzzy else target
        lack = self._lack_slope(chances, target)
        if places.is_of_batch:
            both = {_OVERLAP: overlap, _LACK: lack}
            return Slope.of_sums(
                **{
                    name + label: self._activated(chances, np.where(part, each, 0.0))
                    for name, each in both.items()
                    for label, part in self._parts(input, places)
                }
            )
        sums = {name: total(places.flat(each)) for name, each in self._summands(chances, target).items()}
        by_overlap, by_lack = (places.spread(each) for each in self._slopes(sums))
        return Slope(self._activated(chances, by_overlap * overlap + by_lack * lack))

    def finish(self, sums: Mapping[str, Any]) -> Any:
        own, places = self._gathered(sums)
        return np.reshape(self._loss(own), places.kept)

    def finish_slopes(self, sums: Mapping[str, float]) -> Mapping[str, Any]:
        own, places = self._gathered(sums)
        return {
            name + label: part
            for name, slope in zip((_OVERLAP, _LACK), self._slopes(own), strict=True)
            for label, part in self._of_parts(places.spread(slope), places)
        }

    def quantities(self, input: Mask, target: Labels) -> Quantities:
        """The probabilities and the labels, with all that belong to one loss along the last axis."""
        places = self._places(input)
        return {"p": places.flat(self._chances(input).p), "y": places.flat(target)}

    def explained(self, target: FloatArray | IndexArray) -> str:
        """With an empty target that has no loss the formula has one case more."""
        formula = self.formula.replace("p·y", "min(p, y)") if self.fuzzy else self.formula
        return _EMPTY + formula if self.skip_empty else formula

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

    def _summands(self, chances: Chances, target: FloatArray) -> dict[str, FloatArray]:
        """What each element adds to the sums."""
        overlap = np.minimum(chances.p, target) if self.fuzzy else chances.p * target
        sums = {_OVERLAP: overlap, _LACK: self._lack(chances, target)}
        return {**sums, _LABELS: target} if self.skip_empty else sums

    def _gathered(self, sums: Mapping[str, Any]) -> tuple[dict[str, FloatArray], Places]:
        """The sums of each loss, in the order of their places."""
        names = (_OVERLAP, _LACK, _LABELS) if self.skip_empty else (_OVERLAP, _LACK)
        return {name: gathered(name, sums)[0] for name in names}, gathered(_OVERLAP, sums)[1]

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

    def _wrong(self, chances: Chances, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What of each element is wrongly in, and what is wrongly out."""
        if not self.fuzzy:
            return chances.p * (1.0 - target), target * chances.rest
        short = np.where(target == 1, chances.rest, target - chances.p)
        return np.maximum(chances.p - target, 0.0), np.maximum(short, 0.0)

    def _wrong_slopes(self, chances: Chances, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The derivatives of both with respect to the probability."""
        if not self.fuzzy:
            return 1.0 - target, -target
        return np.where(chances.p > target, 1.0, 0.0), np.where(chances.p < target, -1.0, 0.0)

    def _loss(self, sums: Mapping[str, FloatArray]) -> FloatArray:
        """The losses, from their sums."""
        overlap, lack = sums[_OVERLAP], sums[_LACK]
        value = (lack + (self.smooth_dr - self.smooth_nr)) / (self._share * overlap + lack + self.smooth_dr)
        value = value if self._exponent == 1 else value**self._exponent
        return np.where(sums[_LABELS] == 0, 0.0, value) if self.skip_empty else value

    def _slopes(self, sums: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
        """The derivatives of the losses with respect to the overlap and what it lacks."""
        overlap, lack = sums[_OVERLAP], sums[_LACK]
        above = self._share * overlap + self.smooth_nr
        below = self._share * overlap + lack + self.smooth_dr
        base = (lack + (self.smooth_dr - self.smooth_nr)) / below
        steep = 1.0 if self._exponent == 1 else self._exponent * base ** (self._exponent - 1.0)
        slopes = -self._share * steep * base / below, steep * (above / below) / below
        if not self.skip_empty:
            return slopes
        by_overlap, by_lack = (np.where(sums[_LABELS] == 0, 0.0, slope) for slope in slopes)
        return by_overlap, by_lack
