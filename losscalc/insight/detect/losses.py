"""The single losses of a call, with what each adds to the mean: what aggregations work on."""

import math
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.core.reductions import EXPONENTIAL, MEAN, ROOT, SUM, Link, Partial, Terms
from losscalc.core.roles import CLASS_KINDS
from losscalc.core.shapes import beside
from losscalc.engine.compute import compute
from losscalc.errors import LosscalcError
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import NotApplicable, require

# Of what is remembered of batches: single rows, and how they add up; further numbers are sizes.
_ROWS, _CUMULATED = -1, 0


class Losses(NamedTuple):
    """The single losses of a call: each value, and what it adds to numerator and denominator of the mean.

    A loss that is a function of sums has none of them; then there is the reduced number only.
    """

    call: Call
    whole: Array
    """The reduced loss, as the call asks for it."""
    partial: Partial
    rounds: Callable[[Array], Array]
    """How the result is rounded."""
    value: Array
    share: Array
    divisor: Array
    counts: np.ndarray
    """Which of the losses are not ignored."""
    memo: dict[int, tuple[Array, Array]]
    """What batches of some sizes add to numerator and denominator."""
    is_thorough: bool = False
    """Whether it is worth to try all sizes of batches."""

    @classmethod
    def of(cls, call: Call) -> "Losses":
        """Compute the losses of a call.

        The original call has been computed before, so what the engine refuses is the change of a hypothesis.
        """
        try:
            done = compute(call._replace(samples=sys.maxsize, examine=None, by=None))
            rounds = _rounding(call.layout.dtype)
        except LosscalcError as error:
            raise NotApplicable from error
        terms = [sample.terms for sample in done.samples]
        if done.partial.sums or not terms:
            nothing = np.empty(0)
            return cls(call, done.value, done.partial, rounds, nothing, nothing, nothing, nothing, {})
        columns = [_columns(each) for each in terms]
        value, share, divisor, counts = (
            parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*columns, strict=True)
        )
        whole = np.asarray(done.value, np.float64)
        return cls(call, whole, done.partial, rounds, value, share, divisor, counts, {})

    def having(self, value: Array) -> "Losses":
        """The same with other single losses, computed elsewhere: sample weights apply to them as well."""
        require(self.is_single)
        if "sample_weight" in self.call.arrays:
            value = value * beside(np.asarray(self.call.arrays["sample_weight"], value.dtype), value.ndim)
        return self.with_values(value)

    def with_values(self, value: Array) -> "Losses":
        """The same with other single losses."""
        require(np.shape(value) == self.value.shape)
        value = np.where(self.counts, value, 0.0)
        changed = self._replace(value=value, share=value, memo={})
        return changed._replace(whole=np.asarray(changed.reduced()))

    @property
    def fingerprint(self) -> tuple[float, ...]:
        """Numbers that tell these losses from others."""
        if not self.is_single:
            return (float(self.whole.sum()),)
        own = _uneven(self.value.size).reshape(self.value.shape)
        sums = (float(self.whole.sum()), float((own * self.value).sum()), float((own * self.divisor).sum()))
        return (*sums, float(self.partial.rows), float(self.rounds(np.array(math.pi))))

    @property
    def is_single(self) -> bool:
        """Whether there are single losses at all."""
        return bool(self.value.size)

    @property
    def counted(self) -> int:
        """How many losses count."""
        return int(np.count_nonzero(self.counts))

    def reduced(self) -> Array:
        """The losses, reduced as the call asks for it."""
        if self.call.reduction.keeps:
            return self.value
        numerator = self.share if self.call.reduction.name == MEAN.name else self.value
        divisor = {MEAN.name: self.divisor.sum(), SUM.name: 1.0}.get(self.call.reduction.name)
        quotient = numerator.sum() / (self.partial.rows if divisor is None else divisor)
        return np.asarray(self.call.operation.linked(self.call.reduction, quotient))

    def linked(self, values: Array) -> Array:
        """What the loss makes of means: a function of each, if it is one."""
        link = self.call.operation.link
        if link is None:
            return values
        with np.errstate(all="ignore"):
            return (
                np.sqrt(values)
                if link is ROOT
                else np.exp(values)
                if link is EXPONENTIAL
                else _each(link, values)
            )

    def quotient(self, axes: int | tuple[int, ...]) -> Array:
        """The means along some axes; those without anything that counts are left out."""
        require(self.value.ndim > 1)
        with np.errstate(all="ignore"):
            numerator, divisor = self.share.sum(axis=axes), self.divisor.sum(axis=axes)
            require((divisor > 0).any())
            return np.asarray(numerator[divisor > 0] / divisor[divisor > 0])

    @property
    def of_rows(self) -> tuple[Array, Array]:
        """What each row adds to numerator and denominator of the mean."""
        require(self.is_single and self.value.ndim and not self.call.operation.whole_batch)
        if _ROWS not in self.memo:
            axes = tuple(range(1, self.value.ndim))
            self.memo[_ROWS] = self.share.sum(axis=axes), self.divisor.sum(axis=axes)
        return self.memo[_ROWS]

    @property
    def cumulated(self) -> tuple[Array, Array]:
        """What the first rows together add to numerator and denominator: none, one, two and so on."""
        if _CUMULATED not in self.memo:
            share, divisor = self.of_rows
            self.memo[_CUMULATED] = np.append(0.0, np.cumsum(share)), np.append(0.0, np.cumsum(divisor))
        return self.memo[_CUMULATED]

    @property
    def labels(self) -> Array:
        """The label of each loss: its class, or whether it is positive."""
        target = next((name for name in ("target", "targets") if name in self.call.arrays), "")
        require(target and self.is_single)
        labels = np.asarray(self.call.arrays[target])
        labels = labels.astype(np.int64) if labels.dtype.kind == "b" else labels
        require(labels.shape == self.value.shape and labels.size)
        if self.call.operation.labels not in CLASS_KINDS:
            require(np.isin(labels, (-1, 0, 1)).all())
        return labels

    def mean_of(self, picked: np.ndarray) -> float:
        """The mean of those losses that are picked."""
        divisor = float(self.divisor[picked].sum())
        require(divisor)
        return float(self.share[picked].sum()) / divisor

    def plainly(self, change: Callable[[Array], Array]) -> "Losses":
        """The same with a function applied to the losses as they are before weights."""
        require(self.is_single)
        call, roles = self.call, self.call.operation.roles
        names = [name for name, role in roles.items() if name in call.arrays and "weights" in role.kind]
        for name in names:
            call = call.without(name)
        plain = Losses.of(call).value if names else self.value
        require(plain.shape == self.value.shape)
        with np.errstate(all="ignore"):
            factor = np.where(plain == 0, 1.0, self.value / plain) if names else 1.0
            return self.with_values(factor * change(plain))


def _each(link: Link, values: Array) -> Array:
    return np.array([link.of(value) for value in values.ravel().tolist()]).reshape(values.shape)


@lru_cache(maxsize=2)
def _uneven(size: int) -> Array:
    """Weights that no rearrangement of losses leaves their sum with."""
    return np.asarray(np.cos(np.arange(size)))


def _rounding(dtype: np.dtype) -> Callable[[Array], Array]:
    """Rounding to the dtype of a result."""

    def rounded(values: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(values.astype(dtype), np.float64)

    return np.asarray if dtype == np.float64 else rounded


def _columns(terms: Terms) -> tuple[Array, Array, Array, np.ndarray]:
    value = np.asarray(terms.value, np.float64)
    counts = (
        np.ones(value.shape, bool) if terms.ignored is None else ~np.broadcast_to(terms.ignored, value.shape)
    )
    divisor = (
        counts.astype(np.float64) if terms.divisor is None else np.broadcast_to(terms.divisor, value.shape)
    )
    return value, value if terms.share is None else np.asarray(terms.share), divisor, counts
