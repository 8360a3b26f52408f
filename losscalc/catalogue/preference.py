"""Losses of pairs of answers of which one was preferred: reward models, and DPO and its variants."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.ranking import behind
from losscalc.core.array import FloatArray, IndexArray, Shape, row_size, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_POSITIVE, Interval, Names
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import AnswerLogProbabilities, Role, Scores, TokenMask
from losscalc.core.rounding import Rounded, multiplied, subtracted, summed
from losscalc.core.shapes import Layout, elementwise_layout, fits, unequal_shapes
from losscalc.core.stable import sigmoid
from losscalc.errors import ShapeError

MASKS = frozenset({"chosen_mask", "rejected_mask"})
Leads = Annotated[
    FloatArray,
    Role("By how much the chosen should lead, of the shape of the scores: any real numbers.", "values"),
]


class Preference(Loss):
    """The base of this family: numbers of chosen and of rejected answers, one each, or one per token."""

    uses: ClassVar[tuple[str, ...]] = ("preference", "language model", "reward model", "pairs")
    divisor = "the number of pairs"
    legacy = False

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        first = next(iter(shapes))
        for name, shape in shapes.items():
            mask = _mask_of(name)
            if len(shape) != 1 and not (len(shape) == 2 and fits(shape, shapes.get(mask, ()))):
                raise ShapeError(
                    f"`{name}` has shape {show_shape(shape)}; it must be (N,), one number an answer, or "
                    f"(N, L), one per token, beside `{mask}` of the same shape",
                    argument=name,
                )
            if not fits(shape[:1], shapes[first][:1]):
                raise unequal_shapes(shapes, name, first, "must have the same number of rows")
        for mask in sorted(MASKS & shapes.keys()):
            if not any(len(shape) == 2 for name, shape in shapes.items() if name != mask == _mask_of(name)):
                raise ShapeError(
                    f"`{mask}` belongs to numbers of tokens (N, L), but there is one number an answer",
                    argument=mask,
                )
        return Layout(frozenset(shapes), max(row_size(shape) for shape in shapes.values()))


class Judged(NamedTuple):
    """The arrays of a reward model's loss."""

    chosen: FloatArray
    rejected: FloatArray
    margin: FloatArray | None = None
    chosen_mask: FloatArray | None = None
    rejected_mask: FloatArray | None = None

    @property
    def lead(self) -> Rounded:
        """By how much the chosen leads, less the margin."""
        lead = difference(
            of_answer(self.chosen, self.chosen_mask), of_answer(self.rejected, self.rejected_mask)
        )
        return lead if self.margin is None else difference(lead, of_answer(self.margin, None))


@loss("bradley-terry")
class BradleyTerry(Preference):
    """How far the better of two fails to score higher: the loss of reward models, and of BPR.

    `chosen` and `rejected` hold scores of any shape, the same for both; `margin`, of the same shape, is what
    the better should lead by. With `chosen_mask` and `rejected_mask` they are numbers of tokens (N, L), of
    which those under the mask are summed up; the two may differ in L. The mean divides by the number of
    pairs.

    Raises ShapeError for shapes that do not fit and DomainError for a mask of other numbers than 0 and 1.

    Source: https://huggingface.co/docs/trl/reward_trainer

    >>> BradleyTerry()([1.2, 0.3], [0.2, 1.0], reduction="none")
    array([0.31326169, 1.10318605])
    """

    aliases = ("reward", "RewardTrainer", "BPR", "relativistic GAN")
    ambiguous = MappingProxyType({"pairwise logistic": "ranknet, of lists"})
    uses = ("preference", "ranking", "reward model", "recommendation", "pairs", "GAN")
    close = ("ranknet", "margin-ranking", "dpo")
    example = {"chosen": [1.2, 0.3], "rejected": [0.2, 1.0], "reduction": "none"}

    formula = "ln(1 + exp(-(c - r - margin))); c, r scores of the chosen and the rejected"

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        if MASKS & shapes.keys():
            return super().layout(shapes, dtypes, broadcast)
        return elementwise_layout(shapes, same=tuple(shapes), broadcast=False)

    def terms(
        self,
        chosen: Scores,
        rejected: Scores,
        margin: Leads | None = None,
        chosen_mask: TokenMask | None = None,
        rejected_mask: TokenMask | None = None,
    ) -> Terms:
        return Terms(behind(Judged(chosen, rejected, margin, chosen_mask, rejected_mask).lead))

    def quantities(self, *arrays: Any, **named: Any) -> Quantities:
        """The numbers of whole answers."""
        given = Judged(*arrays, **named)
        sides = of_answer(given.chosen, given.chosen_mask), of_answer(given.rejected, given.rejected_mask)
        return {name: side.value[..., np.newaxis] for name, side in zip("cr", sides, strict=True)}

    def gradient(self, *arrays: Any, **named: Any) -> Slope:
        """-σ(-(c - r - margin))."""
        given = Judged(*arrays, **named)
        return Slope(of_tokens(-sigmoid(-given.lead.value), given.chosen, given.chosen_mask))

    def gradient_rejected(self, *arrays: Any, **named: Any) -> Slope:
        """σ(-(c - r - margin))."""
        given = Judged(*arrays, **named)
        return Slope(of_tokens(sigmoid(-given.lead.value), given.rejected, given.rejected_mask))


_DIFFERENCE = (
    "d = c - r - (c' - r'); c, r log-probabilities of the chosen and the rejected, c', r' of the reference"
)
_FORMULAS = {
    "sigmoid": f"(1-s)·ln(1 + exp(-β·d)) + s·ln(1 + exp(β·d)), {_DIFFERENCE}",
    "hinge": f"max(0, 1 - β·d), {_DIFFERENCE}",
    "ipo": f"(d - 1/(2β))², {_DIFFERENCE}",
    "robust": f"((1-s)·ln(1 + exp(-β·d)) - s·ln(1 + exp(β·d)))/(1 - 2s), {_DIFFERENCE}",
}


class Answers(NamedTuple):
    """The arrays of the losses of a model beside a reference."""

    chosen_logps: FloatArray
    rejected_logps: FloatArray
    ref_chosen_logps: FloatArray | None = None
    ref_rejected_logps: FloatArray | None = None
    chosen_mask: FloatArray | None = None
    rejected_mask: FloatArray | None = None

    @property
    def difference(self) -> Rounded:
        """By how much more than the reference the model prefers the chosen answer."""
        chosen = self._ratio(self.chosen_logps, self.ref_chosen_logps, self.chosen_mask)
        rejected = self._ratio(self.rejected_logps, self.ref_rejected_logps, self.rejected_mask)
        return difference(chosen, rejected)

    def _ratio(self, own: FloatArray, reference: FloatArray | None, mask: FloatArray | None) -> Rounded:
        """The log-probability of an answer, less that of the reference."""
        value = of_answer(own, mask)
        return value if reference is None else difference(value, of_answer(reference, mask))


@loss("dpo")
class DPO(Preference):
    """How far a model fails to prefer the chosen answer more than a reference does: DPO, IPO and the like.

    `chosen_logps` and `rejected_logps` hold the log-probabilities of answers (N,), sums over their tokens,
    and `ref_chosen_logps` and `ref_rejected_logps` those of the reference model; without both the reference
    counts as 0. With `chosen_mask` and `rejected_mask`, (N, L), they may be log-probabilities of tokens, of
    which those under the mask are summed up; the two may differ in L. For ipo, TRL takes means over the
    tokens: give these, (N,), to get its number. The mean divides by the number of pairs.

    Raises ShapeError for shapes that do not fit, DomainError for a mask of other numbers than 0 and 1, and
    ParameterError for a `beta` that is not positive or a `label_smoothing` outside [0, 0.5).

    Source: https://huggingface.co/docs/trl/dpo_trainer

    >>> DPO()([-10.0, -22.0], [-12.0, -20.0], [-11.0, -21.0], [-11.5, -20.5], reduction="none")
    array([0.62095705, 0.77095705])
    """

    aliases = ("DPOTrainer", "direct preference optimization", "cDPO")
    ambiguous = MappingProxyType(
        {
            "ipo": "dpo with the loss_type ipo",
            "robust dpo": "dpo with the loss_type robust",
            "preference": "bradley-terry, which needs no reference",
        }
    )
    range = Interval()
    close = ("bradley-terry",)
    example = {
        "chosen_logps": [-10.0, -22.0],
        "rejected_logps": [-12.0, -20.0],
        "ref_chosen_logps": [-11.0, -21.0],
        "ref_rejected_logps": [-11.5, -20.5],
        "reduction": "none",
    }

    formula = _FORMULAS["sigmoid"]

    beta: Annotated[float, FINITE_POSITIVE, Doc("How much a difference counts.")] = 0.1
    label_smoothing: Annotated[
        float, Interval(0.0, 0.5, high_open=True), Doc("How often the wrong answer was preferred.")
    ] = 0.0
    loss_type: Annotated[
        str,
        Names(tuple(_FORMULAS)),
        Doc("The loss of a difference; sigmoid is DPO, or cDPO; TRL's ipo takes means over tokens."),
    ] = "sigmoid"

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        reference = ("ref_chosen_logps", "ref_rejected_logps")
        missing = [name for name in reference if name not in shapes]
        if len(missing) == 1:
            raise ShapeError(
                f"`{missing[0]}` is missing: there is only the other one of the reference",
                argument=missing[0],
                hint="leave both out for a loss without a reference",
            )
        return super().layout(shapes, dtypes, broadcast)

    def terms(
        self,
        chosen_logps: AnswerLogProbabilities,
        rejected_logps: AnswerLogProbabilities,
        ref_chosen_logps: AnswerLogProbabilities | None = None,
        ref_rejected_logps: AnswerLogProbabilities | None = None,
        chosen_mask: TokenMask | None = None,
        rejected_mask: TokenMask | None = None,
    ) -> Terms:
        given = Answers(
            chosen_logps, rejected_logps, ref_chosen_logps, ref_rejected_logps, chosen_mask, rejected_mask
        )
        return Terms(self._value(given.difference))

    def quantities(self, *arrays: Any, **named: Any) -> Quantities:
        """The log-probabilities of whole answers."""
        given = Answers(*arrays, **named)
        masks = given.chosen_mask, given.rejected_mask, given.chosen_mask, given.rejected_mask
        return {
            name: None if values is None else of_answer(values, mask).value[:, np.newaxis]
            for name, values, mask in zip(("c", "r", "c'", "r'"), given[:4], masks, strict=True)
        }

    def explained(self, target: FloatArray | IndexArray) -> str:
        """Each kind of loss has a formula of its own."""
        return _FORMULAS[self.loss_type]

    def gradient(self, *arrays: Any, **named: Any) -> Slope:
        """-β·((1-s)·σ(-β·d) - s·σ(β·d)); -β up to 1/β for hinge, 2·(d - 1/(2β)) for ipo."""
        given = Answers(*arrays, **named)
        return Slope(of_tokens(self._slope(given.difference), given.chosen_logps, given.chosen_mask))

    def gradient_rejected_logps(self, *arrays: Any, **named: Any) -> Slope:
        """The negative of that."""
        given = Answers(*arrays, **named)
        return Slope(of_tokens(-self._slope(given.difference), given.rejected_logps, given.rejected_mask))

    def _value(self, d: Rounded) -> FloatArray:
        lead = multiplied(self.beta, d)
        if self.loss_type == "hinge":
            return np.maximum((1.0 - lead.value) - lead.error, 0.0)
        if self.loss_type == "ipo":
            gap = (d.value - 0.5 / self.beta) + d.error
            return np.asarray(gap * gap)
        s = self.label_smoothing
        right = (1.0 - s) * behind(lead)
        if not s:
            return right
        wrong = s * behind(Rounded(-lead.value, -lead.error))
        return np.asarray(right + wrong if self.loss_type == "sigmoid" else (right - wrong) / (1.0 - 2.0 * s))

    def _slope(self, d: Rounded) -> FloatArray:
        """The derivative by the difference."""
        lead = self.beta * d.value
        if self.loss_type == "hinge":
            return np.where(lead < 1.0, -self.beta, 0.0)
        if self.loss_type == "ipo":
            return np.asarray(2.0 * (d.value - 0.5 / self.beta))
        s = self.label_smoothing
        right, wrong = -(1.0 - s) * sigmoid(-lead), s * sigmoid(lead)
        whole = right + wrong if self.loss_type == "sigmoid" else (right - wrong) / (1.0 - 2.0 * s)
        return np.asarray(self.beta * whole)


def of_answer(values: FloatArray, mask: FloatArray | None) -> Rounded:
    """A number for each answer: as they are, or summed up over the tokens under a mask."""
    if mask is None or values.ndim == 1:
        return Rounded(values, np.zeros(values.shape))
    return summed(np.where(mask == 1, values, 0.0))


def of_tokens(slope: FloatArray, values: FloatArray, mask: FloatArray | None) -> FloatArray:
    """The derivative by the numbers of tokens, from that by whole answers."""
    return slope if mask is None or values.ndim == 1 else np.where(mask == 1, slope[:, np.newaxis], 0.0)


def difference(one: Rounded, other: Rounded) -> Rounded:
    """The first less the other."""
    value, error = subtracted(one.value, other.value)
    return Rounded(value, error + (one.error - other.error))


def _mask_of(name: str) -> str:
    """The mask that belongs to an array; empty if none does."""
    return next((mask for mask in MASKS if mask.removesuffix("_mask") in name), "")
