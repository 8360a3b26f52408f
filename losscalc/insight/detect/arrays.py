"""Hypotheses on arrays and their roles: exchanged, left out, applied twice, or given in another form."""

from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core import scores
from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import (
    along_classes,
    array,
    changed,
    classes,
    exchanged,
    first,
    narrowed,
    real,
    without,
)
from losscalc.insight.detect.hypothesis import Hypothesis, Row, Span, always, require, rows
from losscalc.insight.detect.kinds import has_arrays

# More numbers than this are not compared each with each.
_MOST_OUTER = 3000


def _has_triplets(loss: Loss) -> bool:
    return loss.roles.keys() >= {"positive", "negative"}


def _has_boxes(loss: Loss) -> bool:
    return loss.scores == "boxes"


def _outer(call: Call) -> Call:
    """Every input beside every target, to which (N, 1) and (N,) broadcast."""
    x, y = real(call, "input"), real(call, "target")
    require(x.shape == y.shape and x.size <= _MOST_OUTER and (x.ndim == 1 or x.shape[1:] == (1,)))
    x, y = x.reshape(-1), y.reshape(-1)
    whole = {"input": x[:, np.newaxis] + 0 * y, "target": y + 0 * x[:, np.newaxis]}
    return call._replace(arrays={**call.arrays, **whole})


def _with_logarithm(call: Call) -> Call:
    """Input and target exchanged, with the logarithm taken of the other one."""
    return changed(exchanged(changed(call, "input", np.exp)), "input", np.log)


def _softened(call: Call, temperature: float) -> Call:
    """The call of the distributions that a softmax gives of the same logits, divided by a temperature."""
    log_softmax = along_classes(scores.log_softmax)
    softer = changed(call, "input", lambda x: log_softmax(x / temperature))
    if call.operation.settings["log_target"]:
        return changed(softer, "target", lambda y: log_softmax(y / temperature))
    return changed(softer, "target", lambda y: np.exp(log_softmax(np.log(y) / temperature)))


def _pos_weight_for_all(call: Call) -> Call:
    """The call with `pos_weight` as the weight of all labels, times `weight` if there is one."""
    rest = without(call, "pos_weight")
    weight = array(call, "pos_weight") * np.asarray(call.arrays.get("weight", 1.0))
    return rest._replace(arrays={**rest.arrays, "weight": weight})


def _pos_weight_on_negatives(call: Call) -> Call:
    """The call with `pos_weight` on the negative labels, which is that of negated logits and labels 1 - y."""
    require("pos_weight" in call.arrays)
    return changed(changed(call, "input", np.negative), "target", lambda y: 1 - y)


def _balanced(call: Call) -> Call:
    """The call with classes weighted by how rare they are: n / (C·count), as scikit-learn does."""
    require("weight" in call.operation.roles and call.operation.labels in CLASS_KINDS)
    y, x = classes(call), first(call)
    require(y.ndim and x.ndim > 1)
    count = x.shape[1]
    known = y[(y >= 0) & (y < count)]
    require(known.size)
    counts = np.bincount(known.ravel(), minlength=count)
    weight = known.size / ((counts > 0).sum() * np.maximum(counts, 1))
    return call._replace(arrays={**call.arrays, "weight": weight})


def _balanced_positives(call: Call) -> Call:
    """The call with negatives / positives as the weight of positive labels."""
    require("pos_weight" in call.operation.roles)
    y = real(call, "target")
    require((y > 0.5).any())
    return call._replace(arrays={**call.arrays, "pos_weight": np.asarray((y < 0.5).sum() / (y > 0.5).sum())})


def _boxes(call: Call, *, centred: bool) -> Call:
    """The call as if boxes were given as their corner, or centre, and their sides."""

    def corners(boxes: Array) -> Array:
        place, sides = boxes[..., :2].astype(np.float64), boxes[..., 2:]
        low = place - sides / 2 if centred else place
        return np.concatenate([low, low + sides], axis=-1)

    return changed(changed(call, "input", corners), "target", corners)


def _boxes_exchanged(call: Call) -> Call:
    """The call with x and y of each corner exchanged in the target alone."""
    return changed(call, "target", lambda boxes: boxes[..., [1, 0, 3, 2]])


def _all_narrow(call: Call, name: str) -> Call:
    for key, values in call.arrays.items():
        if np.asarray(values).dtype.kind == "f":
            call = call.changed(key, narrowed(name))
    return call


def _columns_first(x: Array) -> Array:
    require(x.ndim > 1)
    return np.swapaxes(x, 0, -1).reshape(x.shape)


def _both(call: Call, change: Callable[[Array], Array]) -> Call:
    for name in ("input", "target"):
        call = changed(call, name, lambda values: change(values * 1.0))
    return call


def _all_normalized(call: Call) -> Call:
    names = [name for name in call.arrays if call.operation.roles[name].kind in ("vectors", "negatives")]
    require(names)
    for name in names:
        call = changed(call, name, lambda v: v / np.linalg.norm(v, axis=-1, keepdims=True))
    return call


def _without_reference(call: Call) -> Call:
    names = [name for name in call.arrays if name.startswith("ref_")]
    require(names)
    for name in names:
        call = changed(call, name, np.zeros_like)
    return call


def _preferences_exchanged(call: Call) -> Call:
    """The call with all that is of the chosen exchanged with that of the rejected."""
    pairs = [(name, name.replace("chosen", "rejected")) for name in call.arrays if "chosen" in name]
    require(len(pairs) > 1)
    for one, other in pairs:
        call = exchanged(call, one, other)
    return call


_FORMS = (
    ("twice", "{} was applied twice", 3.5, np.square),
    ("sum-1", "{} was normalised to sum to 1", 4.0, lambda w: w / w.sum()),
    ("mean-1", "{} was normalised to a mean of 1", 4.0, lambda w: w / w.mean()),
    ("max-1", "{} was normalised to a maximum of 1", 4.5, lambda w: w / w.max()),
    ("inverse", "{} was applied upside down, as 1 over it", 4.0, lambda w: 1.0 / w),
    ("root", "the square root of {} was applied", 4.5, np.sqrt),
    ("log1p", "ln(1 + w) of {} was applied", 6.5, np.log1p),
    ("reversed", "{} was in reversed order", 5.0, lambda w: np.flip(w)),
    ("rolled", "{} was shifted by one place, the last one coming first", 5.0, lambda w: np.roll(w, 1)),
)

_ROLES: tuple[Row, ...] = (
    ("swapped", "input and target were exchanged", 3.5, exchanged, always),
    ("input-target-log", "input and target were exchanged, with the logarithm taken of the other one", 4.0,
     _with_logarithm, lambda loss: loss.labels == "distributions"),
    ("outer", "(N, 1) was broadcast against (N,), so that every input met every target", 3.0, _outer, always),
    ("pos-weight-on-negatives", "--pos-weight was applied to the negative labels", 4.0,
     _pos_weight_on_negatives, has_arrays("pos_weight")),
    ("pos-weight-as-weight", "--pos-weight was applied to all labels, as --weight", 4.0,
     _pos_weight_for_all, has_arrays("pos_weight")),
    ("balanced", "classes were weighted by how rare they are (balanced: n / (C·count))", 4.0, _balanced,
     lambda loss: loss.labels in CLASS_KINDS),
    ("pos-weight-balanced", "positive labels had a weight of negatives / positives (balanced)", 4.0,
     _balanced_positives, has_arrays("pos_weight")),
    ("input-transposed", "the input was flattened in the order of its columns (transposed), and the target "
     "in that of its rows", 6.0, lambda call: changed(call, "input", _columns_first),
     lambda loss: loss.labels in ("values", "counts", "labels")),
    ("mean-as-input", "the mean of the targets was predicted for all", 4.5,
     lambda call: changed(call, "input", lambda x: 0 * x + real(call, "target").mean(axis=0)),
     lambda loss: loss.labels in ("values", "counts", "amounts")),
    ("preferences-exchanged", "chosen and rejected were exchanged, and their references", 3.5,
     _preferences_exchanged, lambda loss: any("rejected" in name for name in loss.roles)),
    ("exchanged", "positive and negative were exchanged", 3.5,
     lambda call: exchanged(call, "positive", "negative"), _has_triplets),
    ("anchor-exchanged", "anchor and positive were exchanged", 5.0,
     lambda call: exchanged(call, "anchor", "positive"), _has_triplets),
    ("all-normalized", "all vectors were scaled to length 1", 3.5, _all_normalized,
     lambda loss: loss.scores == "vectors"),
    ("boxes-inclusive", "sides of boxes are longer by 1, as the pixels at both ends count", 4.0,
     lambda call: _both(call, lambda boxes: boxes + np.array([0.0, 0.0, 1.0, 1.0])), _has_boxes),
    ("no-reference", "the reference was left out: its log-probabilities are 0", 3.5, _without_reference,
     lambda loss: any(name.startswith("ref_") for name in loss.roles)),
    ("full-lengths", "the inputs were all taken at full length, padding included", 3.0,
     lambda call: changed(call, "input_lengths", lambda n: np.full_like(n, len(first(call)))),
     has_arrays("input_lengths")),
    ("boxes-xywh", "boxes were read as x, y, width, height", 3.0, lambda call: _boxes(call, centred=False),
     _has_boxes),
    ("boxes-cxcywh", "boxes were read as centre, width, height", 3.0,
     lambda call: _boxes(call, centred=True), _has_boxes),
    ("target-boxes-yx", "x and y of the target's corners were exchanged", 5.0, _boxes_exchanged, _has_boxes),
)  # fmt: skip

ARRAYS = [
    *rows("arrays", _ROLES),
    Hypothesis(
        "arrays",
        "both-temperature",
        "both distributions are softened by the temperature {number}, as a teacher's are",
        3.5,
        _softened,
        concerns=lambda loss: "log_target" in loss.settings,
        span=Span(0.1, 100.0, is_scale=True),
    ),
    *(
        Hypothesis(
            "arrays",
            f"arrays-{name}",
            f"all arrays are {name}, and the loss float32 or more",
            3.5,
            lambda call, name=name: _all_narrow(call, name),
        )
        for name in ("bfloat16", "float16")
    ),
    *(
        row
        for name in ("weight", "pos_weight", "sample_weight")
        for option in ("--" + name.replace("_", "-"),)
        for row in (
            Hypothesis(
                "arrays",
                f"no{option[1:]}",
                f"{option} was not applied",
                2.0,
                lambda call, name=name: without(call, name),
                concerns=has_arrays(name),
            ),
            *(
                Hypothesis(
                    "arrays",
                    f"{option[2:]}-{form}",
                    sentence.format(option),
                    bits,
                    lambda call, name=name, change=change: changed(call, name, lambda w: change(w * 1.0)),
                    concerns=has_arrays(name),
                )
                for form, sentence, bits, change in _FORMS
            ),
        )
    ),
    Hypothesis(
        "arrays",
        "no-mask",
        "--mask was not applied",
        2.0,
        lambda call: without(call, "mask"),
        concerns=has_arrays("mask"),
        as_given=True,
    ),
    *(
        Hypothesis(
            "arrays",
            f"{one}-exchanged",
            f"--{one.replace('_', '-')} and --{other.replace('_', '-')} were exchanged",
            3.5,
            lambda call, one=one, other=other: exchanged(call, one, other),
            concerns=has_arrays(one, other),
        )
        for one, other in (
            ("input1", "input2"),
            ("chosen", "rejected"),
            ("chosen_logps", "rejected_logps"),
            ("ref_chosen_logps", "ref_rejected_logps"),
            ("input", "old_logps"),
            ("input", "teacher"),
        )
    ),
    *(
        Hypothesis(
            "arrays",
            f"both-{name}",
            f"{what} of input and target was taken first",
            4.0,
            lambda call, change=change: _both(call, change),
            concerns=lambda loss: loss.labels in ("values", "counts", "amounts"),
        )
        for name, what, change in (
            ("log", "the logarithm", np.log),
            ("log1p", "ln(1 + x)", np.log1p),
            ("exp", "the exponential", np.exp),
            ("root", "the square root", np.sqrt),
        )
    ),
    *(
        Hypothesis(
            "arrays",
            name,
            sentence,
            bits,
            lambda call, change=change: changed(call, "var", lambda v: change(v * 1.0)),
            concerns=has_arrays("var"),
        )
        for name, sentence, bits, change in (
            ("var-squared", "--var was taken as standard deviations, and squared", 3.0, np.square),
            ("var-root", "--var was given as standard deviations, its square root", 3.0, np.sqrt),
            ("var-exp", "--var was taken as logarithms of variances", 3.5, np.exp),
            ("var-log", "the logarithms of the variances were given as --var", 4.5, np.log),
            ("var-inverse", "--var was taken as precisions, 1 over it", 4.5, lambda v: 1 / v),
            ("var-1", "--var was not applied: all variances were 1", 4.0, np.ones_like),
        )
    ),
]
