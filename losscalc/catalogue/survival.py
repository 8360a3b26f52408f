"""Losses of times to an event, of which some are only known to be longer than the observation."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import Interval, Names
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Durations, Events, Role
from losscalc.core.rounding import exp, subtracted
from losscalc.core.shapes import Layout, elementwise_layout
from losscalc.core.stable import number, numbers_like
from losscalc.errors import ShapeError

Risks = Annotated[FloatArray, Role("Scores of the risk, (N,): any real numbers.", "values")]


@loss("cox")
class Cox(Loss):
    """Cox's partial likelihood: how likely it was that an event hit whom it hit, of all who were at risk.

    `input` holds logarithms of hazards (N,), `time` is when an event happened or the observation ended, and
    `event` is 1 for the former and 0 for the latter (censored). Whoever has no smaller time is at risk. Of m
    events at the same time, Efron takes the 1st, 2nd ... of them out of the risk set by degrees, and each
    gets the mean of these m logarithms; Breslow leaves all in. A censored row counts 0. The mean divides by
    the number of events. The loss needs the whole batch.

    Raises ShapeError for shapes that are not (N,) or differ, DomainError for a `time` that is not positive or
    an `event` other than 0 and 1, and ParameterError for unknown `ties`.

    Source: https://lifelines.readthedocs.io/en/latest/fitters/regression/CoxPHFitter.html

    >>> Cox()([0.5, -0.3, 1.2, 0.0], [2.0, 3.0, 1.0, 3.0], [1, 1, 1, 0])
    np.float64(0.759532353)
    """

    aliases = (
        "CoxPH",
        "neg_partial_log_likelihood",
        "partial likelihood",
        "DeepSurv",
        "survival:cox",
        "proportional hazards",
    )
    uses = ("survival", "time to event", "hazard")
    range = Interval()
    example = {
        "input": [0.5, -0.3, 1.2, 0.0],
        "time": [2.0, 3.0, 1.0, 3.0],
        "event": [1, 1, 1, 0],
    }

    formula = (
        "(Σ a·ln(S - f·D)) - x; S sum of exp(x) over those at risk, D over the m events at the same time, "
        "f = 0, 1/m, ... (m-1)/m and a = 1/m (breslow: f = 0, a = 1)"
    )
    divisor = "the number of events"
    whole_batch = True
    legacy = False

    ties: Annotated[str, Names(("efron", "breslow")), Doc("How events at the same time are counted.")] = (
        "efron"
    )

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        layout = elementwise_layout(shapes, same=("input", "time", "event"), broadcast=False)
        if len(shapes["input"]) != 1:
            raise ShapeError(
                f"`input` has shape {show_shape(shapes['input'])}; it must be (N,), one number a subject",
                argument="input",
            )
        return layout._replace(whole=True)

    def terms(self, input: Risks, time: Durations, event: Events) -> Terms:
        value, happened = np.zeros_like(input), np.asarray(event, dtype=np.float64)
        if happened.any():
            ties = self._ties(input, time, event)
            own = input[ties.rows]
            # The gap of the largest to itself is 0, also if it is infinite (inf - inf would be NaN).
            value[ties.rows] = np.where(own == ties.peak, 0.0, ties.peak - own) + ties.mean(ties.tail)
        return Terms(value, happened, event == 0)

    def quantities(self, input: Risks, time: Durations, event: Events) -> Quantities:
        most = max((np.count_nonzero((time == t) & (event == 1)) for t in time), default=0)
        size = (len(input), max(1, most if self.ties == "efron" else 1))
        share, left = np.zeros(size), np.zeros(size)
        at_risk, tied = np.ones(len(input)), np.zeros(len(input))
        for row in np.flatnonzero(event == 1):
            same = (time == time[row]) & (event == 1)
            count = int(same.sum()) if self.ties == "efron" else 1
            share[row, :count], left[row, :count] = 1.0 / count, np.arange(count) / count
            at_risk[row], tied[row] = np.exp(input[time >= time[row]]).sum(), np.exp(input[same]).sum()
        return {"a": share, "f": left, "S": at_risk[:, np.newaxis], "D": tied[:, np.newaxis]}

    def gradient(self, input: Risks, time: Durations, event: Events) -> Slope:
        """The share of each in the risk sets of all events, less 1 for those that had one."""
        slope = -np.asarray(event, dtype=np.float64)
        if not slope.any():
            return Slope(slope)
        ties = self._ties(input, time, event)
        # ln 1/(S - f·D) of each event, the earliest first, and of the sum of all up to it.
        inverse = -(ties.peak + ties.tail)[::-1]
        so_far = np.logaddexp.accumulate(inverse)
        before = np.searchsorted(time[ties.rows[::-1]], time, side="right")
        slope += np.where(before > 0, np.exp(input + so_far[before - 1]), 0.0)
        # Whoever is of a tie is taken out of its risk sets by degrees.
        several = ties.sizes > 1
        for start, size in zip(ties.starts[several], ties.sizes[several], strict=True):
            tie = slice(start, start + size)
            share = np.exp(input[ties.rows[tie], np.newaxis] - (ties.peak + ties.tail)[tie])
            slope[ties.rows[tie]] -= (share * ties.left[tie]).sum(axis=-1)
        return Slope(slope)

    def _ties(self, input: FloatArray, time: FloatArray, event: FloatArray) -> "Ties":
        """The events, the latest first, with the logarithms of what they are measured against."""
        # Of one time, those that are censored come before those that are not.
        order = np.lexsort((event, -time))
        rows = order[event[order] == 1]
        # Not by differences, which infinite times have none of.
        starts = np.flatnonzero(np.append(True, time[rows[1:]] != time[rows[:-1]])[: len(rows)])
        sizes = np.diff(starts, append=len(rows))
        tie = np.repeat(np.arange(len(starts)), sizes)
        place = (np.arange(len(rows)) - starts[tie]) * float(self.ties == "efron")
        left = numbers_like(input, place.astype(np.float64)) / sizes[tie]
        others, tied = (Sums(*s[tie].T) for s in _risks(input[order], time[order], event[order] == 1))
        return Ties(rows, starts, sizes, left, *others.logarithm(tied, 1.0 - left))


class Ties(NamedTuple):
    """The events, those of one time side by side: of each its row, f, and ln(S - f·D) as peak + tail."""

    rows: IndexArray
    starts: IndexArray
    sizes: IndexArray
    left: FloatArray
    peak: FloatArray
    tail: FloatArray

    def mean(self, values: FloatArray) -> FloatArray:
        """The mean over the events of the same time, for each of them."""
        return np.asarray(np.repeat(np.add.reduceat(values, self.starts) / self.sizes, self.sizes))


class Sums(NamedTuple):
    """Σ exp(x) as exp(peak)·(1 + rest): if one x is far ahead, the others keep their digits."""

    peak: Any
    rest: Any

    def __add__(self, other: "Sums") -> "Sums":  # type: ignore[override]
        """Of two single sums."""
        high, low = (self, other) if self.peak >= other.peak else (other, self)
        if low.peak == -np.inf:
            return high
        return Sums(high.peak, high.rest + _exp(low.peak, high.peak) * (1.0 + low.rest))

    def logarithm(self, other: "Sums", factor: FloatArray) -> tuple[FloatArray, FloatArray]:
        """ln(Σ + c·Σ') with another sum, in two parts: the larger peak, and the rest."""
        first = np.log1p(self.rest + factor * _exp(other.peak, self.peak) * (1.0 + other.rest))
        second = np.log1p(other.rest + _exp(self.peak, other.peak) * (1.0 + self.rest) / factor)
        is_ahead = self.peak >= other.peak
        return (
            np.where(is_ahead, self.peak, other.peak),
            np.where(is_ahead, first, second + np.log(factor)),
        )


def _exp(low: Any, high: Any) -> Any:
    """exp(a - b), with the rounding error of the difference."""
    return exp(subtracted(low, high))


def _risks(input: FloatArray, time: FloatArray, happened: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """For each time with events, the latest first: the sums of all others at risk, and of these events.

    A row of each holds peak and rest.
    """
    zero = number(0.0, input)
    risk = tied = nothing = Sums(number(-np.inf, input), zero)
    others, events = [], []
    for place, x in enumerate(input):
        if happened[place]:
            tied = tied + Sums(x, zero)
        else:
            risk = risk + Sums(x, zero)
        # The events of one time come last, so that its last row tells whether there are any.
        if happened[place] and (place + 1 == len(time) or time[place + 1] != time[place]):
            others.append(risk)
            events.append(tied)
            risk, tied = risk + tied, nothing
    return np.array(others, dtype=input.dtype), np.array(events, dtype=input.dtype)
