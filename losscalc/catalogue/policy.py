"""Losses of policies: how much likelier actions became, times how good they turned out, within bounds."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, Interval, Names
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import (
    ActionLogProbabilities,
    Advantages,
    OldLogProbabilities,
    ReferenceLogProbabilities,
    TokenMask,
)
from losscalc.core.rounding import exp, subtracted
from losscalc.core.shapes import Layout, elementwise_layout, fits, unequal_shapes
from losscalc.core.stable import exp_beyond, xmul
from losscalc.errors import ParameterError, ShapeError

# exp of it is beyond float64.
_INFINITE = 710.0
_SURROGATE = "-min(q·A, min(max(q, 1 - l), 1 + h)·A)"
_RATIO = "q = exp(x - o)"
_LEGEND = "o old_logps, A advantages, l and h the bounds below and above"


class Clipped(Loss):
    """The base of this family: the ratio of the probabilities of actions, now and then, within bounds."""

    range = Interval()
    legacy = False
    uses = ("reinforcement learning", "policy gradient", "language model")

    def _surrogate(
        self, input: FloatArray, old_logps: FloatArray, advantages: FloatArray, below: float, above: float
    ) -> FloatArray:
        """-min(q·A, clip(q)·A)."""
        ratio = _ratio(input, old_logps)
        bounded = np.minimum(np.maximum(ratio, 1.0 - below), 1.0 + above)
        return -np.minimum(xmul(advantages, ratio), bounded * advantages)

    def _surrogate_slope(
        self, input: FloatArray, old_logps: FloatArray, advantages: FloatArray, below: float, above: float
    ) -> FloatArray:
        """-q·A, and 0 where the bound holds the action back."""
        ratio = _ratio(input, old_logps)
        is_held = ((advantages > 0) & (ratio > 1.0 + above)) | ((advantages < 0) & (ratio < 1.0 - below))
        return np.where(is_held, 0.0, -xmul(advantages, ratio))


@loss("ppo-clip")
class PPOClip(Clipped):
    """The clipped surrogate objective of PPO: probability ratios times advantages, within bounds.

    `input` holds log-probabilities of the actions taken, `old_logps` those of the policy that took them, and
    `advantages` how much better than expected each turned out: all of any shape, the same. `mask`, of that
    shape, leaves elements out. The mean divides by the number of elements that count.

    Raises ShapeError for shapes that differ, DomainError for a mask of other numbers than 0 and 1 and
    ParameterError for bounds that are negative.

    Source: https://arxiv.org/abs/1707.06347

    >>> PPOClip()([-1.0, -1.0], [-1.5, -0.5], [1.0, -1.0], reduction="none")
    array([-1.2,  0.8])
    """

    aliases = ("PPO", "policy", "pg", "clipped surrogate objective")
    close = ("grpo",)
    example = {
        "input": [-1.0, -1.0],
        "old_logps": [-1.5, -0.5],
        "advantages": [1.0, -1.0],
        "reduction": "none",
    }

    formula = f"{_SURROGATE}, {_RATIO}; {_LEGEND}"
    divisor = "the number of elements that count"

    clip_eps: Annotated[
        float,
        FINITE_NOT_NEGATIVE,
        Doc("How far below 1 a ratio counts, and above 1 unless `clip_eps_high` is given."),
    ] = 0.2
    clip_eps_high: Annotated[
        float | None, FINITE_NOT_NEGATIVE, Doc("How far above 1 a ratio counts; by default as far as below.")
    ] = None

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return elementwise_layout(shapes, same=tuple(shapes), broadcast=False)

    def terms(
        self,
        input: ActionLogProbabilities,
        old_logps: OldLogProbabilities,
        advantages: Advantages,
        mask: TokenMask | None = None,
    ) -> Terms:
        value = self._surrogate(input, old_logps, advantages, *self._bounds)
        if mask is None:
            return Terms(value)
        return Terms(np.where(mask == 1, value, 0.0), np.asarray(mask, dtype=np.float64), mask == 0)

    def quantities(self, *arrays: Any, **named: Any) -> Quantities:
        """The bounds."""
        return _symbols(self._bounds, named["old_logps"], named["advantages"])

    def gradient(
        self,
        input: ActionLogProbabilities,
        old_logps: OldLogProbabilities,
        advantages: Advantages,
        mask: TokenMask | None = None,
    ) -> Slope:
        """-q·A, and 0 where the bound holds the action back."""
        slope = self._surrogate_slope(input, old_logps, advantages, *self._bounds)
        return Slope(slope if mask is None else np.where(mask == 1, slope, 0.0))

    @property
    def _bounds(self) -> tuple[float, float]:
        return self.clip_eps, self.clip_eps if self.clip_eps_high is None else self.clip_eps_high


@loss("grpo")
class GRPO(Clipped):
    """Group-relative policy optimisation: PPO's objective with one advantage per answer, and a KL term.

    `input` holds log-probabilities of tokens (N, L), `old_logps` those of the policy that wrote them,
    `advantages` one number per answer, (N,), and `mask`, (N, L), says which tokens count. With a `beta`,
    `ref_logps` are those of a reference, from which the policy should not depart. The mean is, by
    `loss_type`, that over the answers of the mean of their tokens (grpo), that of all tokens (bnpo, and dapo
    in one process), or the sum over N·`max_length` (dr_grpo): the mean divides by the number of answers, of
    tokens that count, or of tokens with those that the answers lack in length.

    Raises ShapeError for shapes that do not fit, DomainError for a mask of other numbers than 0 and 1 and
    ParameterError for bounds that are negative, or a `beta` without `ref_logps`.

    Source: https://huggingface.co/docs/trl/grpo_trainer

    >>> GRPO()([[-1.0, -0.5], [-2.0, -1.0]], [[-1.5, -0.5], [-2.0, -0.5]], [1.0, -1.0], [[1, 1], [1, 0]])
    np.float64(-0.05)
    """

    aliases = ("GRPOTrainer", "group relative policy optimization")
    ambiguous = MappingProxyType(
        {
            "dapo": "grpo with the loss_type bnpo",
            "bnpo": "grpo with the loss_type bnpo",
            "dr-grpo": "grpo with the loss_type dr_grpo",
        }
    )
    close = ("ppo-clip",)
    example = {
        "input": [[-1.0, -0.5], [-2.0, -1.0]],
        "old_logps": [[-1.5, -0.5], [-2.0, -0.5]],
        "advantages": [1.0, -1.0],
        "mask": [[1, 1], [1, 0]],
    }

    formula = f"{_SURROGATE} + β·(exp(d) - d - 1), {_RATIO}, d = r - x; {_LEGEND}, r ref_logps"
    divisor = (
        "the number of answers, after that of their tokens (bnpo: the number of all tokens; "
        "dr_grpo: N·max_length)"
    )

    beta: Annotated[float, FINITE_NOT_NEGATIVE, Doc("How much the distance from the reference counts.")] = 0.0
    epsilon: Annotated[
        float,
        FINITE_NOT_NEGATIVE,
        Doc("How far below 1 a ratio counts, and above 1 unless `epsilon_high` is given."),
    ] = 0.2
    epsilon_high: Annotated[
        float | None, FINITE_NOT_NEGATIVE, Doc("How far above 1 a ratio counts; by default as far as below.")
    ] = None
    loss_type: Annotated[str, Names(("grpo", "bnpo", "dr_grpo")), Doc("What the mean divides by.")] = "grpo"
    max_length: Annotated[
        int | None, Interval(1), Doc("The length that dr_grpo divides by; by default that of the arrays.")
    ] = None

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        if self.beta and "ref_logps" not in shapes:
            raise ParameterError(
                "`beta` counts the distance from a reference, and `ref_logps` is missing",
                argument="beta",
                hint="give `ref_logps`, or a `beta` of 0",
            )
        if len(shapes["input"]) != 2:
            raise ShapeError(
                f"`input` has shape {show_shape(shapes['input'])}; it must be (N, L), tokens of answers",
                argument="input",
            )
        same = tuple(name for name in shapes if name != "advantages")
        layout = elementwise_layout({n: shapes[n] for n in same}, same=same, broadcast=False)
        if len(shapes["advantages"]) != 1:
            raise ShapeError(
                f"`advantages` has shape {show_shape(shapes['advantages'])}; it must be (N,), one an answer",
                argument="advantages",
            )
        if not fits(shapes["advantages"], shapes["input"][:1]):
            raise unequal_shapes(shapes, "advantages", "input", "must have the same number of rows")
        return layout._replace(cut=frozenset(shapes))

    def terms(
        self,
        input: ActionLogProbabilities,
        old_logps: OldLogProbabilities,
        advantages: Advantages,
        mask: TokenMask | None = None,
        ref_logps: ReferenceLogProbabilities | None = None,
    ) -> Terms:
        value = self._surrogate(input, old_logps, advantages[:, np.newaxis], *self._bounds)
        if self.beta and ref_logps is not None:
            away = subtracted(ref_logps, input)
            # By how much the rounding error of the difference moved it, too; nothing moves what is infinite.
            more = np.where(away.value < _INFINITE, np.expm1(away.value) * away.error, 0.0)
            value = value + self.beta * (exp_beyond(away.value) + more)
        counts = np.ones(value.shape) if mask is None else np.asarray(mask, dtype=np.float64)
        value = np.where(counts == 1, value, 0.0)
        divisor, share = counts, None
        if self.loss_type != "bnpo":
            # The first token stands for its answer: 1, or its length, and not so many parts of it.
            divisor = np.zeros(value.shape)
            divisor[:, :1] = 1.0 if self.loss_type == "grpo" else self.max_length or value.shape[1]
        if self.loss_type == "grpo":
            share = value / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0)
        return Terms(value, divisor, counts == 0, share)

    def quantities(self, *arrays: Any, **named: Any) -> Quantities:
        """The bounds, and what the reference says."""
        reference = named.get("ref_logps")
        symbols = _symbols(self._bounds, named["old_logps"], named["advantages"][:, np.newaxis])
        return {**symbols, "r": None if reference is None else reference[..., np.newaxis]}

    def explained(self, target: FloatArray | IndexArray) -> str:
        """Without a reference there is only the objective of PPO."""
        return self.formula if self.beta else PPOClip.formula

    def gradient(
        self,
        input: ActionLogProbabilities,
        old_logps: OldLogProbabilities,
        advantages: Advantages,
        mask: TokenMask | None = None,
        ref_logps: ReferenceLogProbabilities | None = None,
    ) -> Slope:
        """-q·A, and 0 where the bound holds the action back; with a reference β·(1 - exp(r - x)) on top."""
        slope = self._surrogate_slope(input, old_logps, advantages[:, np.newaxis], *self._bounds)
        if self.beta and ref_logps is not None:
            slope = slope - self.beta * np.expm1(ref_logps - input)
        counts = np.ones(slope.shape) if mask is None else np.asarray(mask, dtype=np.float64)
        slope = np.where(counts == 1, slope, 0.0)
        if self.loss_type != "grpo":
            return Slope(slope)
        return Slope(slope, slope / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0))

    @property
    def _bounds(self) -> tuple[float, float]:
        return self.epsilon, self.epsilon if self.epsilon_high is None else self.epsilon_high


def _ratio(input: FloatArray, old_logps: FloatArray) -> FloatArray:
    """exp(x - o), with the rounding error of the difference."""
    return exp(subtracted(input, old_logps))


def _symbols(bounds: tuple[float, float], old_logps: FloatArray, advantages: FloatArray) -> Quantities:
    """The values of the symbols of the clipped objective that have no array of their name."""
    values = old_logps[..., np.newaxis], np.broadcast_to(advantages, old_logps.shape)[..., np.newaxis]
    return {"o": values[0], "A": values[1], "l": np.asarray(bounds[0]), "h": np.asarray(bounds[1])}
