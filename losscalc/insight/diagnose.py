"""Data that contradict a loss: computable, and yet probably a mistake. One short declaration each."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.errors import LosscalcWarning

Arguments = Mapping[str, Any]

_LOGIT_LOSSES = ("bce-logits", "multilabel-soft-margin", "sigmoid-focal")
_CLASS_LOSSES = ("cross-entropy", "nll", "linear-cross-entropy")
# Fewer numbers than these lie between 0 and 1 by chance too often.
_ENOUGH = 16


@dataclass(frozen=True, slots=True)
class Case:
    """What a diagnosis sees of a call: the loss, one block of its arrays, and the reduction."""

    loss: Loss
    arguments: Arguments
    reduction: str

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def has(self, *names: str) -> bool:
        """Whether all these arrays are there, and hold anything."""
        return all(self.arguments.get(name) is not None and np.size(self.arguments[name]) for name in names)


class Diagnosis(NamedTuple):
    """A sign of a mistake, the losses that it concerns, and the warning that it leads to."""

    name: str
    losses: Collection[str]
    everywhere: bool
    """Whether it has to show in every block that can tell, or in any."""
    shows: Callable[[Case], object]
    """What a block shows of it, on which all blocks have to agree: False contradicts, None cannot tell."""
    warning: Callable[[Case], LosscalcWarning]
    holds: Callable[[object, int], bool] = lambda shown, rows: True
    """Whether what all blocks showed holds for so many rows in all."""


def _in_unit(values: Array) -> bool | None:
    """Whether all lie from 0 to 1, and not all on the ends: a model that knows nothing has logits of 0."""
    if not ((values >= 0).all() and (values <= 1).all()):
        return False
    inside = bool(((values > 0) & (values < 1)).any())
    return inside if values.size >= _ENOUGH else None


def _sums_to_one(values: Array, axis: int) -> bool:
    """Whether every row sums to 1, to what single precision leaves of it."""
    with np.errstate(all="ignore"):
        return bool(np.allclose(values.sum(axis=axis), 1.0, rtol=0, atol=1e-3))


def _class_axis(scores: Array) -> int:
    return 0 if scores.ndim == 1 else 1


def _are_probabilities(scores: Array, axis: int) -> bool:
    inside = bool((scores >= 0).all() and (scores <= 1).all())
    return inside and scores.shape[axis] > 1 and _sums_to_one(scores, axis)


def _are_log_probabilities(scores: Array, axis: int) -> bool:
    with np.errstate(all="ignore"):
        return scores.shape[axis] > 1 and bool((scores <= 1e-6).all()) and _sums_to_one(np.exp(scores), axis)


def _softmax_floor(classes: int) -> float:
    """The least that cross-entropy can be where a softmax comes first: ln(e + C - 1) - 1."""
    return float(np.log(np.e + classes - 1) - 1)


def _classes(case: Case) -> int:
    return int(case["input"].shape[_class_axis(case["input"])])


def _equal_weights(case: Case) -> float | bool | None:
    """The weight that all rows have which take part, if it is not 1."""
    if (
        case.reduction != "mean"
        or not case.has("weight", "target")
        or case.loss.settings.get("label_smoothing")
    ):
        return False
    weight, target = case["weight"], case["target"]
    if case.loss.name in _CLASS_LOSSES:
        if target.dtype.kind != "i":
            return False
        weight = weight[target[(target != getattr(case.loss, "ignore_index", None)) & (target >= 0)]]
    if not weight.size:
        return None
    one = float(weight.reshape(-1)[0])
    return one if (weight == one).all() and one not in (0.0, 1.0) else False


def _vector_weights(case: Case) -> tuple[str, int] | bool:
    """The weight of one number a column, and how many these are."""
    for name in ("pos_weight", "weight"):
        is_vector = case.has(name) and case[name].ndim == 1 and case[name].size > 1
        if is_vector and case["input"].ndim == 2:
            return name, case[name].size
    return False


def _too_long(case: Case) -> np.ndarray:
    """The sequences whose target no alignment reaches: a step a symbol, and one between equal ones."""
    lengths = np.atleast_1d(case["target_lengths"])
    targets = np.atleast_2d(case["targets"])
    if len(targets) != len(lengths):
        starts = np.cumsum(lengths) - lengths
        rows = [targets[0, s : s + n] for s, n in zip(starts, lengths, strict=True)]
    else:
        rows = [row[:n] for row, n in zip(targets, lengths, strict=True)]
    needed = np.array([len(row) + int((row[1:] == row[:-1]).sum()) for row in rows])
    return np.flatnonzero(needed > np.atleast_1d(case["input_lengths"]))


DIAGNOSES = (
    Diagnosis(
        "logits-are-probabilities",
        _LOGIT_LOSSES,
        True,
        lambda case: _in_unit(case["input"]),
        lambda case: LosscalcWarning(
            f"`input` looks like probabilities: all of it is in [0, 1]; as logits, no loss is below "
            f"{np.log1p(np.exp(-1)):.4f}",
            hint="for probabilities use losscalc bce; leave out the sigmoid that comes before logits",
            argument="input",
        ),
    ),
    Diagnosis(
        "scores-are-probabilities",
        ("cross-entropy",),
        True,
        lambda case: _are_probabilities(case["input"], _class_axis(case["input"])),
        lambda case: LosscalcWarning(
            "`input` looks like probabilities: its rows sum to 1; with a softmax before it, no loss is "
            f"below {_softmax_floor(_classes(case)):.4f}",
            hint="leave out the softmax; for probabilities take their logarithm, and losscalc nll",
            argument="input",
        ),
    ),
    Diagnosis(
        "kl-probabilities",
        ("kl-div",),
        True,
        lambda case: (
            case["input"].size > 1
            and bool((case["input"] >= 0).all() and (case["input"] <= 1).all())
            and _sums_to_one(case["input"], -1)
        ),
        lambda case: LosscalcWarning(
            "`input` looks like probabilities; kl-div takes their logarithms",
            hint="take the logarithm of `input`; kl-div has log-probabilities first, and the target second",
            argument="input",
        ),
    ),
    Diagnosis(
        "class-axis",
        ("cross-entropy", "nll"),
        True,
        lambda case: (
            case["input"].ndim > 2
            and _are_log_probabilities(case["input"], -1)
            and not _are_log_probabilities(case["input"], 1)
        ),
        lambda case: LosscalcWarning(
            "the classes of `input` look to be on the last axis; they are read from axis 1",
            hint="move them there, as in numpy.moveaxis(scores, -1, 1)",
            argument="input",
        ),
    ),
    Diagnosis(
        "positive-log-probabilities",
        ("nll", "kl-div"),
        False,
        lambda case: np.size(case["input"]) > 3 and bool((case["input"] > 1e-6).any()),
        lambda case: LosscalcWarning(
            "`input` holds log-probabilities, which are never positive",
            found=float(np.nanmax(case["input"])),
            hint="pipe it through losscalc log-softmax; of logits, cross-entropy is the loss",
            argument="input",
            index=tuple(int(i) for i in np.unravel_index(np.nanargmax(case["input"]), case["input"].shape)),
        ),
    ),
    Diagnosis(
        "not-normalised",
        ("nll",),
        True,
        lambda case: (
            bool((case["input"] <= 1e-6).all())
            and not _sums_to_one(np.exp(case["input"]), _class_axis(case["input"]))
        ),
        lambda case: LosscalcWarning(
            "`input` does not look like log-probabilities: the exponentials of its rows do not sum to 1",
            hint="pipe it through losscalc log-softmax, or use cross-entropy",
            argument="input",
        ),
    ),
    Diagnosis(
        "square",
        ("bce", "bce-logits", "multilabel-soft-margin"),
        True,
        _vector_weights,
        lambda case: LosscalcWarning(
            f"{case['input'].shape[1]} weights fit the rows of `input` as well as its columns; they are "
            "one a column",
            hint="for one a row give a column, of shape (N, 1)",
            argument=_vector_weights(case)[0],  # type: ignore[index]
        ),
        lambda shown, rows: isinstance(shown, tuple) and shown[1] == rows,
    ),
    Diagnosis(
        "equal-weights",
        (*_CLASS_LOSSES, "l1", "mse"),
        True,
        _equal_weights,
        lambda case: LosscalcWarning(
            "`weight` has no effect: all that takes part has the same, and the mean divides by their sum",
            hint="--reduction sum shows it",
            argument="weight",
        ),
    ),
    Diagnosis(
        "one-hot",
        ("cross-entropy", "linear-cross-entropy"),
        True,
        lambda case: (
            case.reduction == "mean"
            and case.has("weight", "target")
            and case["target"].dtype.kind == "f"
            and bool(np.isin(case["target"], (0.0, 1.0)).all())
            and _sums_to_one(case["target"], _class_axis(case["target"]))
        ),
        lambda case: LosscalcWarning(
            "`target` holds one-hot rows, of which the mean divides by their number, not by the weights",
            hint="give class indices for a mean that divides by the weights of the targets",
            argument="target",
        ),
    ),
    Diagnosis(
        "kl-mean",
        ("kl-div",),
        True,
        lambda case: case.reduction == "mean" and case["input"].ndim > 1,
        lambda case: LosscalcWarning(
            "the mean of kl-div divides by the number of classes too, and is not the divergence",
            hint="--reduction batchmean is, for distributions (N, C)",
        ),
    ),
    Diagnosis(
        "too-long",
        ("ctc",),
        True,
        lambda case: (
            not case.loss.settings["zero_infinity"]
            and case.has("target_lengths")
            and bool(_too_long(case).size)
        ),
        lambda case: LosscalcWarning(
            "`targets` of a sequence is longer than its input allows, so that its loss is infinite",
            hint="`zero_infinity` counts such losses as 0",
            argument="target_lengths",
            index=(int(_too_long(case)[0]),),
        ),
    ),
)


class Findings(NamedTuple):
    """What the blocks of a call show so far; findings of consecutive blocks add up with `+`."""

    shown: Mapping[str, LosscalcWarning]
    signs: Mapping[str, object]
    """What was shown of each sign."""
    absent: frozenset[str]
    rows: int

    @classmethod
    def of(cls, loss: Loss, reduction: str, arguments: Arguments) -> "Findings":
        """The findings in one block."""
        case = Case(loss, arguments, reduction)
        first = next(iter(arguments))
        shown: dict[str, LosscalcWarning] = {}
        signs: dict[str, object] = {}
        for diagnosis in DIAGNOSES if case.has(first) else ():
            if loss.name not in diagnosis.losses:
                continue
            with np.errstate(all="ignore"):
                signs[diagnosis.name] = sign = diagnosis.shows(case)
            if sign is not None and sign is not False:
                shown[diagnosis.name] = diagnosis.warning(case)
        absent = frozenset(name for name, sign in signs.items() if sign is False)
        signs = {name: sign for name, sign in signs.items() if name in shown}
        return cls(shown, signs, absent, len(case[first]) if np.ndim(case[first]) else 1)

    def __add__(self, other: object) -> "Findings":
        assert isinstance(other, Findings)
        both = self.signs.keys() & other.signs.keys()
        torn = frozenset(name for name in both if self.signs[name] != other.signs[name])
        return Findings(
            {**other.shown, **self.shown},
            {**other.signs, **self.signs},
            self.absent | other.absent | torn,
            self.rows + other.rows,
        )

    @property
    def warnings(self) -> list[LosscalcWarning]:
        """What shows in every block that can tell, or in any where that is enough."""
        return [
            self.shown[diagnosis.name]
            for diagnosis in DIAGNOSES
            if diagnosis.name in self.shown
            and not (diagnosis.everywhere and diagnosis.name in self.absent)
            and diagnosis.holds(self.signs[diagnosis.name], self.rows)
        ]
