"""Losses of sequences whose alignment is not known."""

from collections.abc import Mapping
from typing import Annotated, cast

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.lattice import Lattice
from losscalc.core.array import Array, FloatArray, IndexArray, Shape, show_shape
from losscalc.core.conventions import Convention
from losscalc.core.declaration import Doc
from losscalc.core.domains import NOT_NEGATIVE, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Lengths, Sequences, SequenceScores, as_real
from losscalc.core.shapes import Layout, fits
from losscalc.errors import ClassIndexError, DomainError, ParameterError, ShapeError


@loss("ctc", torch="CTCLoss", functional="ctc_loss")
class CTC(Loss):
    """Negative log-likelihood of sequences of symbols, over all their alignments with the input.

    `log_probs` holds log-probabilities (T, N, C) over time, batch and symbols, or (T, C) for one sequence.
    `targets` holds symbols other than the blank, (N, S) padded to one length or (sum of the lengths,) all in
    a row. `input_lengths` and `target_lengths`, (N,), say how much of each counts. An alignment reads as the
    target once repeated symbols are merged and blanks left out; where the input is too short for any, the
    loss is infinite, or 0 if `zero_infinity` is set. The mean divides by the number of sequences, after each
    loss was divided by the length of its target (at least 1).

    As in PyTorch, the gradient is that with respect to the logits of which `log_probs` are the log-softmax.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a symbol that is the blank or outside
    [0, C), DomainError for a length that is negative or too large and ParameterError for a `blank` outside
    [0, C).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html

    >>> CTC()([[[-0.7, -1.2, -1.6]], [[-1.6, -0.7, -1.2]], [[-1.2, -1.2, -0.9]]], [[1, 2]], [3], [2])
    np.float64(0.693148535)
    """

    unlike = (
        "refuses targets that are the blank or outside [0, C), accepts float16, and has a gradient of 0, "
        "not NaN, at log-probabilities of -inf"
    )
    aliases = ("connectionist_temporal_classification",)
    uses = ("sequences", "speech", "handwriting")
    is_likelihood = True
    conventions = (
        Convention(
            "optax",
            "takes ln 0 as -100000, so that a target too long for its input has a finite loss, and does "
            "not divide by the lengths of the targets",
            "optax.losses.ctc_loss, 0.2.8, which takes logits",
            {"log_zero": -1e5},
            mean="plain",
        ),
    )
    example = {
        "log_probs": [[[-0.7, -1.2, -1.6]], [[-1.6, -0.7, -1.2]], [[-1.2, -1.2, -0.9]]],
        "targets": [[1, 2]],
        "input_lengths": [3],
        "target_lengths": [2],
    }

    formula = (
        "0 if zero_infinity and max s = -∞, else -ln Σ exp(s); "
        "s log-probability of the alignments that end in the last symbol, and in the blank behind it"
    )
    derivative = "exp(x) - q; x log_probs, q the probability of the symbol then"
    divisor = "the number of sequences, each loss being divided by the length of its target first"
    legacy = False

    blank: Annotated[int, NOT_NEGATIVE, Doc("The index of the blank symbol.")] = 0
    zero_infinity: Annotated[bool, Doc("Whether infinite losses and their gradients are 0.")] = False
    log_zero: Annotated[
        float, Interval(-np.inf, 0.0), Doc("The logarithm of what is impossible; -100000 in optax.")
    ] = -np.inf

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """The batch is never cut, because it is not on axis 0."""
        scores, targets = shapes["log_probs"], shapes["targets"]
        if len(scores) not in (2, 3) or scores[-1] == 0:
            problem = f"`log_probs` has shape {show_shape(scores)}; it must be (T, N, C), or (T, C) for one"
            raise ShapeError(problem, argument="log_probs")
        if self.blank >= cast(int, scores[-1]):
            last = cast(int, scores[-1]) - 1
            problem = f"`blank` must be one of the {last + 1} symbols, from 0 to {last}"
            raise ParameterError(problem, found=self.blank, argument="blank")
        batch, is_swapped = scores[1:-1], fits(shapes["input_lengths"] or (1,), scores[:-2])
        for name in ("input_lengths", "target_lengths"):
            if shapes[name] != batch and not (shapes[name] in ((), (1,), (None,)) and batch in ((), (1,))):
                raise ShapeError(
                    f"`{name}` has shape {show_shape(shapes[name])}; for `log_probs` of shape "
                    f"{show_shape(scores)} it must be {show_shape(batch)}",
                    argument=name,
                    hint="`log_probs` looks like (N, T, C): exchange its first two axes" * is_swapped or None,
                )
        if len(targets) not in (1, 2) or (len(targets) == 2 and targets[:1] not in (batch or (1,), (None,))):
            raise ShapeError(
                f"`targets` has shape {show_shape(targets)}; for `log_probs` of shape "
                f"{show_shape(scores)} it must be ({batch[0] if batch else 1}, S), or all symbols in a row",
                argument="targets",
            )
        indices = frozenset({"targets", "input_lengths", "target_lengths"})
        return Layout(frozenset(), 1, indices)

    def terms(
        self, log_probs: SequenceScores, targets: Sequences, input_lengths: Lengths, target_lengths: Lengths
    ) -> Terms:
        lattice = self._lattice(log_probs, targets, input_lengths, target_lengths)
        value = -lattice.total(lattice.last())
        if self.zero_infinity:
            value = np.where(value == np.inf, 0.0, value)
        value = value.reshape(log_probs.shape[1:-1])
        return Terms(value, share=value / np.maximum(lattice.target_lengths, 1).reshape(value.shape))

    def quantities(
        self, log_probs: SequenceScores, targets: Sequences, input_lengths: Lengths, target_lengths: Lengths
    ) -> Quantities:
        """ln p of the alignments that end in the last symbol or in the blank behind it, and p of all."""
        ends = self._lattice(log_probs, targets, input_lengths, target_lengths).ends()
        ends = ends.reshape(*log_probs.shape[1:-1], 2)
        return {"s": ends, "P": np.exp(ends).sum(axis=-1, keepdims=True)}

    def gradient(
        self, log_probs: SequenceScores, targets: Sequences, input_lengths: Lengths, target_lengths: Lengths
    ) -> Slope:
        """exp(log_probs) less the probability that an alignment has the symbol at that time."""
        lattice = self._lattice(log_probs, targets, input_lengths, target_lengths)
        forward = list(lattice.forward())
        total = lattice.total(forward[-1])
        slope = np.exp(as_real(lattice.scores))
        takes_part = lattice.takes_part(len(slope))
        slope[~takes_part] = 0.0
        shares = lattice.shares(forward)
        rows, steps = np.arange(slope.shape[1]), len(shares)
        slope[:steps, :, self.blank] -= shares[:, 0].sum(axis=1)
        for place in range(1, len(lattice.labels)):
            slope[:steps, rows, lattice.labels[place]] -= shares[:, 1, place]
        if self.zero_infinity:
            slope[:, total == -np.inf] = 0.0
        else:
            slope[takes_part & np.isinf(total)] = np.nan
        share = slope / np.maximum(lattice.target_lengths, 1)[:, np.newaxis]
        return Slope(slope.reshape(log_probs.shape), share.reshape(log_probs.shape))

    def _lattice(
        self,
        log_probs: FloatArray,
        targets: IndexArray,
        input_lengths: IndexArray,
        target_lengths: IndexArray,
    ) -> Lattice:
        scores = log_probs if log_probs.ndim == 3 else log_probs[:, np.newaxis]
        input_lengths, target_lengths = input_lengths.reshape(-1), target_lengths.reshape(-1)
        _check_lengths("input_lengths", input_lengths, len(scores), "time steps")
        if targets.ndim == 2:
            _check_lengths("target_lengths", target_lengths, targets.shape[1], "places in `targets`")
            places = np.arange(targets.size).reshape(targets.shape)
        else:
            _check_lengths("target_lengths", target_lengths, len(targets), "places in `targets`")
            places = _consecutive(targets, target_lengths, is_lone=log_probs.ndim == 2)
        most = int(target_lengths.max(initial=0))
        counts = np.arange(most) < target_lengths[:, np.newaxis]
        labels = np.where(counts, targets.reshape(-1)[places[:, :most]] if most else 0, self.blank)
        self._check_labels(labels, counts, places, targets, scores.shape[-1])
        labels = np.vstack([np.full(len(labels), self.blank), labels.T])
        return Lattice(scores, labels, input_lengths, target_lengths, float(self.log_zero))

    def _check_labels(
        self, labels: IndexArray, counts: Array, places: IndexArray, targets: IndexArray, symbols: int
    ) -> None:
        wrong = np.argwhere(counts & ((labels < 0) | (labels >= symbols) | (labels == self.blank)))
        if len(wrong):
            row, column = map(int, wrong[0])
            is_blank = labels[row, column] == self.blank
            known = f"be a symbol from 0 to {symbols - 1}"
            hint = "leave blanks out, as they are put in where needed; `blank` says which symbol they are"
            raise ClassIndexError(
                f"`targets` must {f'not hold the blank, {self.blank}' if is_blank else known}",
                found=None if is_blank else int(labels[row, column]),
                argument="targets",
                index=tuple(int(i) for i in np.unravel_index(int(places[row, column]), targets.shape)),
                hint=hint if is_blank else None,
            )


def _check_lengths(name: str, lengths: IndexArray, most: int, what: str) -> None:
    wrong = np.flatnonzero((lengths < 0) | (lengths > most))
    if len(wrong):
        raise DomainError(
            f"`{name}` must be from 0 to {most}, the number of {what}",
            found=int(lengths[wrong[0]]),
            argument=name,
            index=(int(wrong[0]),),
        )


def _consecutive(targets: IndexArray, lengths: IndexArray, *, is_lone: bool) -> IndexArray:
    """The indices of the symbols of each target, if all targets are in a row."""
    if not is_lone and lengths.sum() != len(targets):
        raise ShapeError(
            f"`targets` has {len(targets)} symbols, and `target_lengths` sum to {int(lengths.sum())}",
            argument="targets",
        )
    places = (np.cumsum(lengths) - lengths)[:, np.newaxis] + np.arange(int(lengths.max(initial=0)))
    return np.asarray(np.minimum(places, max(len(targets) - 1, 0)))
