"""Diagnoses: data that a loss can be computed from, though they are probably a mistake."""

from functools import cache

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.declaration import Parameter, parameters
from losscalc.core.reductions import BATCHMEAN, Terms
from losscalc.core.roles import Kind
from losscalc.engine.findings import Arguments, Findings, Sign
from losscalc.errors import DiagnosisWarning
from losscalc.insight.contradictions import CONTRADICTIONS, RANGE, Contradiction
from losscalc.insight.diagnosis import (
    Case,
    Diagnosis,
    are_log_probabilities,
    are_probabilities,
    in_unit,
    sequences,
    sums_to_one,
    takes,
    takes_classes,
    uneven_rows,
)
from losscalc.insight.leak import LEAK, WHOLE


def _instead(case: Case, scores: Kind, advice: str) -> str:
    """Advice that names the same loss of other scores first, if there is one for the rest of the call."""
    name = case.loss.relatives.get(scores)
    return f"for {scores} use losscalc {name}; {advice}" if name and case.suits(name) else advice


def _of_logits(loss: Loss) -> str:
    """The name of the same loss of logits, or of one that differs by the entropy of the target only."""
    return loss.relatives.get("logits") or loss.relatives["with-entropy"]


def _softmax_floor(case: Case) -> str:
    """The minimum of the cross-entropy of probabilities taken as logits, ln(e + C - 1) - 1, in words."""
    if not case.loss.is_likelihood:
        return ""
    least = float(np.log(np.e + case["input"].shape[case.axis] - 1) - 1)
    return f"; softmax was probably applied already: applied twice, the loss cannot fall below {least:.4f}"


def _class_axis(loss: type[Loss]) -> Parameter | None:
    """The parameter for the axis of the classes, if there is one."""
    return next((parameter for parameter in parameters(loss) if parameter.name == "class_axis"), None)


def _equal_weights(case: Case) -> float | bool | None:
    """The weight of all rows that count, if it is the same for all and not 0 or 1; else False or None."""
    if not case.has("weight", "target"):
        return None
    if case.reduction != "mean" or case.loss.settings.get("label_smoothing"):
        return False
    weight, target = case["weight"], case["target"]
    if takes(type(case.loss), "class-weights"):
        if target.dtype.kind != "i":
            return False
        weight = weight[target[(target != getattr(case.loss, "ignore_index", None)) & (target >= 0)]]
    if not weight.size:
        return None
    one = float(weight.reshape(-1)[0])
    return one if (weight == one).all() and one not in (0.0, 1.0) else False


def _vector_weights(case: Case) -> str | bool:
    """The name of a weight that is a vector, beside an input with rows and columns."""
    for name in ("pos_weight", "weight"):
        is_vector = case.has(name) and case[name].ndim == 1 and case[name].size > 1
        if is_vector and case["input"].ndim == 2:
            return name
    return False


def _too_long(case: Case) -> np.ndarray:
    """Sequences too short for their target, which takes a step a symbol, and one between equal symbols."""
    rows = sequences(case["targets"], case["target_lengths"])
    needed = np.array([len(row) + int((row[1:] == row[:-1]).sum()) for row in rows])
    return np.flatnonzero(needed > np.atleast_1d(case["input_lengths"]))


SUSPICIONS = (
    Diagnosis(
        "logits-are-probabilities",
        lambda loss: loss.scores == "logits" and loss.labels == "labels",
        lambda case: in_unit(case["input"]),
        lambda case: DiagnosisWarning(
            "`input` looks like probabilities: all of it is in [0, 1]; as logits, the loss cannot fall "
            f"below {np.log1p(np.exp(-1)):.4f}",
            hint=_instead(case, "probabilities", "leave out the sigmoid"),
            argument="input",
        ),
    ),
    Diagnosis(
        "scores-are-probabilities",
        lambda loss: loss.scores == "logits" and takes_classes(loss),
        lambda case: are_probabilities(case["input"], case.axis),
        lambda case: DiagnosisWarning(
            f"`input` looks like probabilities: its rows sum to 1{_softmax_floor(case)}",
            hint=_instead(case, "probabilities", "leave out the softmax, or pipe it through losscalc log"),
            argument="input",
        ),
    ),
    Diagnosis(
        "probabilities",
        lambda loss: loss.scores == "log-probabilities",
        lambda case: case.scores.ndim > 0 and are_probabilities(case.scores, case.row_axis),
        lambda case: DiagnosisWarning(
            f"`{case.first}` looks like probabilities; {case.loss.name} takes their logarithms",
            hint="pipe it through losscalc log",
            argument=case.first,
        ),
    ),
    Diagnosis(
        "class-axis",
        lambda loss: loss.scores in ("logits", "log-probabilities") and _class_axis(loss),
        lambda case: (
            case["input"].ndim > 2
            and case.axis == 1
            and are_log_probabilities(case["input"], -1)
            and not are_log_probabilities(case["input"], 1)
        ),
        lambda case: DiagnosisWarning(
            "`input` seems to have its classes on the last axis; they are read from axis 1",
            hint="`class_axis` -1 takes them from there",
            argument="input",
        ),
    ),
    Diagnosis(
        "equal-axes",
        lambda loss: (axis := _class_axis(loss)) and axis.default is None,
        lambda case: (
            case["input"].ndim > 2
            and case.loss.settings["class_axis"] is None
            and case["input"].shape[1] == case["input"].shape[-1]
        ),
        lambda case: DiagnosisWarning(
            f"axis 1 and the last axis of `input` both have length {case['input'].shape[1]}; the classes "
            "are read from axis 1",
            hint="`class_axis` -1 takes them from the last, `class_axis` 1 says that this is meant",
            argument="input",
        ),
    ),
    Diagnosis(
        "square",
        lambda loss: takes(loss, "weights", "positive-weights"),
        _vector_weights,
        lambda case: DiagnosisWarning(
            f"{case['input'].shape[1]} weights fit the rows of `input` as well as its columns; they are "
            "one per column",
            hint="for one per row give a column, of shape (N, 1)",
            argument=str(_vector_weights(case)),
        ),
        rows=lambda case: case["input"].shape[1],
    ),
    Diagnosis(
        "equal-weights",
        lambda loss: loss.weighted_mean,
        _equal_weights,
        lambda case: DiagnosisWarning(
            "`weight` has no effect: all weights that count are equal, and the mean divides by their sum",
            hint="--reduction sum shows it",
            argument="weight",
        ),
    ),
    Diagnosis(
        "one-hot",
        lambda loss: takes(loss, "class-weights") and loss.weighted_mean and loss.labels == "classes",
        lambda case: (
            case.reduction == "mean"
            and case.has("weight", "target")
            and case["target"].dtype.kind == "f"
            and bool(np.isin(case["target"], (0.0, 1.0)).all())
            and sums_to_one(case["target"], case.axis)
        ),
        lambda case: DiagnosisWarning(
            "`target` holds one-hot rows, of which the mean divides by their number, not by the weights",
            hint="give class indices for a mean that divides by the weights of the targets",
            argument="target",
        ),
    ),
    Diagnosis(
        "rows-of-probabilities",
        lambda loss: loss.scores == "probabilities" and loss.labels == "classes",
        lambda case: (
            case["target"].dtype.kind == "i" and not case.normalizes and not sums_to_one(case["input"], -1)
        ),
        lambda case: DiagnosisWarning(
            "the rows of `input` do not sum to 1, as the probabilities of classes do",
            hint="Keras divides each row by its sum; where each column is a question of its own, give "
            "`target` the shape of `input`",
            argument="input",
        ),
        everywhere=False,
    ),
    Diagnosis(
        "rows-of-shares",
        lambda loss: takes(loss, "shares"),
        uneven_rows,
        lambda case: DiagnosisWarning(
            f"the rows of `{uneven_rows(case)}` do not sum to 1, as those of distributions do",
            hint="divide each row by its sum, as SciPy and torchmetrics do",
            argument=str(uneven_rows(case)),
        ),
        everywhere=False,
    ),
    Diagnosis(
        "one-hot-labels",
        lambda loss: loss.scores == "probabilities" and loss.labels == "classes",
        lambda case: (
            case["target"].dtype.kind != "i"
            and case["input"].ndim == 2
            and case["input"].shape[1] > 1
            and bool(np.isin(case["target"], (0.0, 1.0)).all())
            and sums_to_one(case["target"], -1)
            and sums_to_one(case["input"], -1)
        ),
        lambda case: DiagnosisWarning(
            "`target` holds one-hot rows, of which each column is taken as a question of its own",
            hint="give class indices for the loss of one class a row",
            argument="target",
        ),
    ),
    Diagnosis(
        "kl-mean",
        lambda loss: loss.labels == "distributions" and BATCHMEAN.name in loss.reductions,
        lambda case: case.reduction == "mean" and case["input"].ndim > 1,
        lambda case: DiagnosisWarning(
            f"the mean of {case.loss.name} divides by the number of classes too, and is not the divergence",
            hint="--reduction batchmean is, for distributions (N, C)",
        ),
    ),
    Diagnosis(
        "too-long",
        lambda loss: loss.labels == "sequences",
        lambda case: (
            not case.loss.settings.get("zero_infinity")
            and case.loss.settings.get("log_zero", -np.inf) == -np.inf
            and case.has("target_lengths")
            and bool(_too_long(case).size)
        ),
        lambda case: DiagnosisWarning(
            "`targets` of a sequence is longer than its input allows, so its loss is infinite",
            hint="`zero_infinity` counts such losses as 0",
            argument="target_lengths",
            index=(int(_too_long(case)[0]),),
        ),
    ),
)


DIAGNOSES: tuple[Diagnosis | Contradiction, ...] = (*SUSPICIONS, *CONTRADICTIONS, LEAK, WHOLE)
"""What is looked for in every run, whatever the loss."""


@cache
def _concerning(loss: type[Loss], is_chosen: bool) -> tuple[Diagnosis | Contradiction, ...]:
    """The diagnoses that concern a loss; the range comes last."""
    found = (diagnosis for diagnosis in (*DIAGNOSES, RANGE) if diagnosis.concerns(loss))
    return tuple(diagnosis for diagnosis in found if not (is_chosen and diagnosis in (LEAK, WHOLE)))


def examine(
    loss: Loss,
    reduction: str,
    arguments: Arguments,
    terms: Terms,
    is_first: bool = True,
    *,
    is_chosen: bool = False,
) -> Findings:
    """Look for all signs in one block of a call, which is the first or a later one.

    `is_chosen` says that the columns of the scores were named one by one, and are those that are meant.
    """
    case = Case(loss, arguments, reduction, terms, is_first)
    first = case.scores
    signs: dict[str, Sign] = {}
    is_warned = False
    for diagnosis in _concerning(type(loss), is_chosen) if first.size else ():
        # A loss outside its range needs no warning where another tells the cause of it.
        if is_warned and diagnosis is RANGE:
            continue
        if (sign := diagnosis.sign(case)) is not None:
            signs[diagnosis.name] = sign
            is_warned |= sign.warning is not None
    return Findings(signs, len(first) if first.ndim else 1)
