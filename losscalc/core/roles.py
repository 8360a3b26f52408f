"""The roles of arrays: what kind of numbers each holds, and how a block of it becomes float64 or indices."""

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

import numpy as np

from losscalc.core.array import Array, FloatArray, IndexArray, extremes
from losscalc.core.domains import BITS, NOT_NEGATIVE, SIGNS, UNIT, Choice, Interval, Region
from losscalc.core.remedies import FRACTION, IGNORED, MISSING, ignoring
from losscalc.errors import ClassIndexError, DomainError, DTypeError

Kind = Literal[
    "values", "amounts", "counts", "distances", "vectors", "negatives", "boxes", "features",
    "logits", "probabilities", "shares", "log-probabilities", "log-likelihoods",
    "labels", "signs", "groups", "relevance", "token-masks", "advantages", "durations", "events",
    "class-indices", "class-lists", "classes", "distributions", "sequences",
    "weights", "full-weights", "positive-weights", "class-weights", "sample-weights", "masks",
    "variances", "lengths", "parameters",
]  # fmt: skip
"""The kinds of numbers in arrays. `classes` are class indices or, if floating, class probabilities; `shares`
are probabilities that sum to 1 along the last axis."""

NOT_OF_ROWS: frozenset[Kind] = frozenset({"class-weights", "parameters", "lengths", "sequences"})
"""The kinds of arrays whose first axis is not that of the rows."""
CLASS_KINDS: tuple[Kind, ...] = ("classes", "class-indices")
"""The kinds of targets whose labels are classes, one per row."""


class Role(NamedTuple):
    """The role of an array argument: a line of help, the kind of its numbers, and their domain."""

    doc: str
    kind: Kind
    domain: Region | None = None
    advised: Region | None = None
    """Where values should lie; outside it the loss is computed, with a warning."""
    beyond: str = "outside, the loss can be negative"
    """What happens there, as the end of the warning."""
    hint: str | None = None
    nan: bool = False
    """Whether NaN is let through although the domain does not contain it."""
    many: bool = False
    """Whether the argument is a dict of arrays, such as a state dict."""
    native: bool = False
    """Whether the array stays in its own dtype, because the loss picks only a few of its values."""

    @property
    def has_rows(self) -> bool:
        """Whether the first axis is that of the rows, of which each is a sample."""
        return self.kind not in NOT_OF_ROWS and "weights" not in self.kind


Values = Annotated[FloatArray, Role("Real values, of any shape.", "values")]
Counts = Annotated[FloatArray, Role("Real values, of any shape.", "counts")]
Amounts = Annotated[
    FloatArray,
    Role(
        "Probabilities, or other numbers of at least 0, of any shape.",
        "amounts",
        NOT_NEGATIVE,
        hint="log-probabilities are logarithms already; of logits take losscalc log-softmax, or losscalc "
        "log-sigmoid where each is a question of its own",
        nan=True,
    ),
]
Distances = Annotated[
    FloatArray, Role("Distances, of any shape; below 0 the loss can be negative.", "distances")
]
Logits = Annotated[FloatArray, Role("Logits: any real numbers, of any shape.", "logits")]
Probabilities = Annotated[
    FloatArray,
    Role("Probabilities, of any shape.", "probabilities", UNIT),
]
LogProbabilities = Annotated[FloatArray, Role("Log-probabilities, of any shape.", "log-probabilities")]
ActionLogProbabilities = Annotated[
    FloatArray, Role("Log-probabilities of the actions, or tokens, that were taken.", "log-likelihoods")
]
OldLogProbabilities = Annotated[
    FloatArray, Role("Log-probabilities by the policy that took them, of the same shape.", "log-likelihoods")
]
ReferenceLogProbabilities = Annotated[
    FloatArray, Role("Log-probabilities by a reference policy, of the same shape.", "log-likelihoods")
]
AnswerLogProbabilities = Annotated[
    FloatArray,
    Role("Log-probabilities of answers (N,), or of their tokens (N, L) beside a mask.", "log-likelihoods"),
]
Scores = Annotated[FloatArray, Role("Scores: any real numbers, of any shape.", "values")]
Advantages = Annotated[FloatArray, Role("How much better than expected the outcome was.", "advantages")]
TokenMask = Annotated[
    FloatArray,
    Role("1 for tokens that count, 0 for others, of the same shape.", "token-masks", Choice((0, 1))),
]
Durations = Annotated[
    FloatArray,
    Role("Times of an event or of the end of observation, (N,).", "durations", Interval(0.0, low_open=True)),
]
Events = Annotated[
    FloatArray,
    Role("1 for an event, 0 for the end of observation without one, (N,).", "events", Choice((0, 1))),
]
Labels = Annotated[FloatArray, Role("Labels, of the shape of the input.", "labels", UNIT)]
LogitLabels = Annotated[
    FloatArray,
    Role("Labels, of the shape of the input; outside [0, 1] they get a warning.", "labels", advised=UNIT),
]
_SIGN_HINT = "labels of 0 and 1 become -1 and 1 as 2·label - 1"
SignLabels = Annotated[
    FloatArray, Role("Labels, of the shape of the input.", "signs", SIGNS, hint=_SIGN_HINT)
]
RowSigns = Annotated[FloatArray, Role("Labels (N,), one per row.", "signs", SIGNS, hint=_SIGN_HINT)]
Relevance = Annotated[
    FloatArray, Role("Relevance of each document: any real numbers; only their order counts.", "relevance")
]
Alike = Annotated[
    FloatArray,
    Role(
        "Labels (N,), one per row: 1 for the same, 0 for different.",
        "labels",
        Choice((0, 1)),
        hint="labels of -1 and 1 become 0 and 1 as (label + 1) / 2",
    ),
]
Groups = Annotated[
    IndexArray,
    Role("Labels (N,), one per row: any whole numbers, equal for rows that belong together.", "groups"),
]
Variance = Annotated[
    FloatArray,
    Role(
        "Variances: one for each element, one per row (without the last axis), or one number.",
        "variances",
        NOT_NEGATIVE,
        hint="if these are log-variances, give their exponentials",
        nan=True,
    ),
]
Divergent = Annotated[
    FloatArray,
    Role(
        "Probabilities, or with `log_target` log-probabilities.",
        "distributions",
        NOT_NEGATIVE,
        hint="for log-probabilities give `log_target`; the target is the second array, not the first",
        nan=True,
    ),
]
Weight = Annotated[
    FloatArray, Role("Factor of each element; broadcasts to the shape of the target.", "weights")
]
FullWeight = Annotated[FloatArray, Role("Factor of each element, of the shape of the input.", "full-weights")]
PosWeight = Annotated[
    FloatArray,
    Role(
        "Factor of the positive part; broadcasts to the shape of the target.",
        "positive-weights",
        NOT_NEGATIVE,
    ),
]
ClassScores = Annotated[
    FloatArray, Role("Logits (N, C, ...); classes on axis 1, or (C,) for one sample.", "logits")
]
ClassLogProbabilities = Annotated[
    Array,
    Role(
        "Log-probabilities (N, C, ...); classes on axis 1, or (C,) for one sample.",
        "log-probabilities",
        native=True,
    ),
]
ClassTarget = Annotated[
    FloatArray | IndexArray,
    Role(
        "Class indices (N, ...), or class probabilities of the shape of the input.", "classes", advised=UNIT
    ),
]
ClassIndices = Annotated[
    IndexArray, Role("Class indices (N, ...), whole numbers in [0, C).", "class-indices")
]
ClassWeight = Annotated[
    FloatArray, Role("Factor of each class, of shape (C,).", "class-weights", NOT_NEGATIVE)
]
SampleWeight = Annotated[
    FloatArray,
    Role("Factor of each row, (N,), or of each target, of its shape.", "sample-weights", NOT_NEGATIVE),
]
Mask = Annotated[
    FloatArray,
    Role("1 for each target that counts and 0 for the others, of the shape of class indices.", "masks", BITS),
]
Rows = Annotated[FloatArray, Role("Scores (N, C), or (C,) for one sample.", "values")]
RowIndices = Annotated[IndexArray, Role("Class indices (N,), whole numbers in [0, C).", "class-indices")]
IndexSets = Annotated[
    IndexArray,
    Role("The classes of each row, of the shape of the input; -1 ends the list of a row.", "class-lists"),
]
Vectors = Annotated[FloatArray, Role("Vectors (N, D), or (D,) for one.", "vectors")]
Negatives = Annotated[
    FloatArray, Role("Vectors (M, D) for all rows, or (N, M, D), some for each.", "negatives")
]
Features = Annotated[FloatArray, Role("Features (N, F), or (F,) for one sample.", "features")]
LinearWeight = Annotated[
    FloatArray, Role("Matrix (C, F) that turns features into logits, or (C, ..., F).", "parameters")
]
LinearBias = Annotated[
    FloatArray, Role("Added to the logits; of the shape of the matrix without F.", "parameters")
]
State = Annotated[
    Mapping[str, FloatArray],
    Role(
        "NPZ file of the weights, under PyTorch's names: head.weight, tail.0.0.weight, ...",
        "parameters",
        many=True,
    ),
]
SequenceScores = Annotated[
    Array,
    Role(
        "Log-probabilities (T, N, C) over time, batch and symbols, or (T, C).",
        "log-probabilities",
        native=True,
    ),
]
Sequences = Annotated[
    IndexArray,
    Role("Symbols without blanks: (N, S), padded to one length, or all in a row, (sum,).", "sequences"),
]
Lengths = Annotated[IndexArray, Role("How much of each sequence counts, (N,).", "lengths")]
Boxes = Annotated[
    FloatArray, Role("Boxes x1, y1, x2, y2 with x1 < x2 and y1 < y2: (N, 4), or (4,) for one.", "boxes")
]


def check_dtype(name: str, dtype: np.dtype, *, scores: bool, indices: bool) -> None:
    """Refuse arrays that are not real numbers, and booleans for scores or class indices."""
    if dtype.kind in "iu" or (dtype.kind == "f" and dtype.itemsize <= 8):
        return
    if dtype.kind == "b" and not scores and not indices:
        return
    what = f"whole numbers, which {_what_indices_are(name)} are" if indices else "real numbers"
    raise DTypeError(f"`{name}` must hold {what}", found=f"dtype {dtype}", argument=name)


def as_real(values: Array) -> FloatArray:
    """A block as native float64; exact for float32, float16 and whole numbers up to 2^53.

    Arrays of objects, which hold numbers of more digits, stay as they are.
    """
    return values if values.dtype == object else np.asarray(values, dtype=np.float64)


def as_indices(name: str, values: Array) -> IndexArray:
    """A block of class indices as int64; 1.0 is accepted, 1.5 is not."""
    if values.dtype.kind == "f":
        wrong = np.argwhere((values != np.floor(values)) | np.isinf(values))
        if len(wrong):
            is_class = values.ndim > 0 and _what_indices_are(name) == "class indices"
            raise DomainError(
                f"`{name}` holds {_what_indices_are(name)}, which are whole numbers",
                found=values[tuple(wrong[0])],
                argument=name,
                index=tuple(int(i) for i in wrong[0]),
                hint=(MISSING if np.isnan(values[tuple(wrong[0])]) else FRACTION) if is_class else None,
            )
    elif values.dtype != np.uint64:
        return values.astype(np.int64, copy=False)
    with np.errstate(over="ignore"):  # float16 has no number that is so large
        wrong = np.argwhere((values >= 2**63) | (values < -(2**63)))
    if len(wrong):
        raise ClassIndexError(
            f"`{name}` holds {_what_indices_are(name)}, and those are never this large",
            found=f"{float(values[tuple(wrong[0])]):g}",
            argument=name,
            index=tuple(int(i) for i in wrong[0]),
        )
    return values.astype(np.int64)


def _what_indices_are(name: str) -> str:
    """The word of messages for the whole numbers of an array."""
    return "lengths" if name.endswith("_lengths") else "symbols" if name == "targets" else "class indices"


def class_positions(
    name: str, target: IndexArray, classes: int, ignore_index: int | None = None
) -> IndexArray:
    """The class indices, checked; those of ignored rows become 0, so that they can be looked up."""
    low, high = extremes(target) if target.size else (0, 0)
    if low >= 0 and high < classes:
        return target
    ignored = target == ignore_index
    wrong = np.argwhere(((target < 0) | (target >= classes)) & ~ignored)
    if len(wrong):
        found = int(target[tuple(wrong[0])])
        hint = None
        if found == classes and not (target == 0).any():
            hint = f"classes count from 0 to {classes - 1}; for labels that count from 1, subtract 1"
        elif found in IGNORED:
            hint = ignoring(found) if ignore_index is None else f"`ignore_index` {found} leaves such rows out"
        unless = "" if ignore_index is None else f" ({ignore_index} leaves the row out)"
        raise ClassIndexError(
            f"`{name}` must be a class index from 0 to {classes - 1}{unless}",
            found=found,
            argument=name,
            index=tuple(int(i) for i in wrong[0]),
            hint=hint,
        )
    return np.where(ignored, 0, target)


def classes_last(scores: Array, axis: int = 1) -> Array:
    """Move the class axis (1 unless given, or 0 for a single sample) to the end."""
    return scores if scores.ndim <= 2 else np.ascontiguousarray(np.moveaxis(scores, axis, -1))


def classes_back(slope: FloatArray, axis: int = 1) -> FloatArray:
    """Move the last axis back to the place of the class axis: the inverse of `classes_last`."""
    return slope if slope.ndim <= 2 else np.moveaxis(slope, -1, axis)
