"""Hypotheses on the loss: it is another one, of the same arrays or of one-hot rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from losscalc.catalogue.base import Loss, losses
from losscalc.core import scores, stable
from losscalc.core.array import Array
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import (
    along_classes,
    array,
    as_loss,
    changed,
    classes,
    real,
)
from losscalc.insight.detect.hypothesis import Hypothesis, Row, require, rows
from losscalc.insight.detect.kinds import has_softmax

_CONVERSIONS: Mapping[tuple[str | None, str | None], Callable[[Array], Array]] = {
    ("log-probabilities", "shares"): np.exp,
    ("log-probabilities", "probabilities"): np.exp,
    ("log-probabilities", "values"): np.exp,
    ("log-probabilities", "amounts"): np.exp,
    ("logits", "probabilities"): stable.sigmoid,
    ("logits", "values"): stable.sigmoid,
    ("logits", "amounts"): stable.sigmoid,
}
"""What turns the scores of one loss into those of another, of single elements."""


_ALIKE: tuple[set[str | None], ...] = (
    {"values", "counts", "amounts", "labels", "signs"},
    {"classes", "class-indices"},
    {"distributions", "shares"},
)
"""Kinds of targets that may be taken for one another."""


def of_others(loss: Loss) -> Iterator[Hypothesis]:
    """That it is another loss: one that is close, or any that takes the same arrays."""
    near = dict.fromkeys((*loss.close, *loss.relatives.values()))
    for name in (*near, *(name for name in losses() if name not in near)):
        if name == loss.name or (name not in near and not _takes_same(loss, losses()[name])):
            if _converts(loss, losses()[name]):
                yield _converted(name, 6.5)
            continue
        bits = 2.5 if name in near else 5.5
        yield Hypothesis(
            "loss", f"as-{name}", f"the loss is {name}", bits, lambda call, name=name: _as(call, name)
        )
        if shared := [key for key in losses()[name]().settings if key in loss.settings]:
            yield Hypothesis(
                "loss",
                f"as-{name}-likewise",
                f"the loss is {name}, with the same {', '.join(shared)}",
                bits + 1.0,
                lambda call, name=name, shared=shared: _likewise(call, name, shared),
            )
        if (loss.scores, losses()[name].scores) in _CONVERSIONS and loss.labels not in CLASS_KINDS:
            yield _converted(name, bits + 1.0)


def _converts(loss: Loss, other: type[Loss]) -> bool:
    """Whether another loss may be that of the probabilities, beside distributions as its targets."""
    return (
        loss.labels == "distributions"
        and (loss.scores, other.scores) in _CONVERSIONS
        and other.labels in ("values", "shares")
        and len([argument for argument in array_arguments(other) if argument.required]) == 2
    )


def _converted(name: str, bits: float) -> Hypothesis:
    return Hypothesis(
        "loss",
        f"as-{name}-of-probabilities",
        f"the loss is {name} of the probabilities",
        bits,
        lambda call: _as(call, name, converts=True),
    )


def _takes_same(loss: Loss, other: type[Loss]) -> bool:
    """Whether another loss takes the arrays of this one, by their names and what their targets are."""
    own = {argument.name for argument in array_arguments(type(loss)) if argument.required}
    if other.whole_batch and not loss.whole_batch:
        # Every row beside every other takes long, and is seldom meant.
        return False
    is_alike = loss.labels == other.labels or any({loss.labels, other.labels} <= kinds for kinds in _ALIKE)
    return is_alike and own == {argument.name for argument in array_arguments(other) if argument.required}


def _as(call: Call, name: str, *, converts: bool = False) -> Call:
    """The call of another loss, with the same parameters by name, and for where it is no longer quadratic."""
    cls = losses()[name]
    if (change := _CONVERSIONS.get((call.operation.scores, cls.scores))) is not None and converts:
        call = changed(call, next(iter(call.arrays)), change)
    own = {parameter.name: parameter for parameter in parameters(cls)}
    settings = {
        key: setting
        for key, setting in call.operation.settings.items()
        if key in own and setting != own[key].default and key in _changed(call.operation)
    }
    if call.operation.bend and cls.bend:
        settings[cls.bend] = getattr(call.operation, call.operation.bend)
    return as_loss(call, cls, **settings)


def _likewise(call: Call, name: str, shared: Sequence[str]) -> Call:
    """The call of another loss, with the parameters of this one."""
    return as_loss(call, losses()[name], **{key: call.operation.settings[key] for key in shared})


def _changed(loss: Loss) -> set[str]:
    """The parameters that are not the usual ones."""
    return {p.name for p in parameters(type(loss)) if getattr(loss, p.name) != p.default}


def hot(call: Call) -> Array:
    """One-hot rows, of the shape of the predictions."""
    x, y = real(call, "input"), classes(call)
    require(x.ndim > 1 and y.shape == (x.shape[0], *x.shape[2:]))
    each = np.arange(x.shape[1]).reshape(-1, *(1,) * (x.ndim - 2))
    return np.asarray(np.expand_dims(y, 1) == each, np.float64)


def _beside_rows(call: Call, name: str, change: str) -> Call:
    """Another loss of all predictions, with one-hot rows as the target."""
    require(call.arrays.keys() == {"input", "target"} and call.operation.like is None)
    target, x = hot(call), real(call, "input")
    if change == "softmax":
        x = along_classes(scores.softmax)(x)
    if change == "sigmoid":
        x = stable.sigmoid(x)
    whole = call._replace(arrays={"input": x, "target": target})
    return as_loss(whole, losses()[name])


def _softmax_along(call: Call, axis: int) -> Call:
    """Negative log-likelihood after a softmax over an axis other than that of the classes."""
    settings = call.operation.settings
    require(not settings["label_smoothing"] and array(call, "input").ndim > 1)
    likelihood = losses()[call.operation.relatives["log-probabilities"]]
    other = as_loss(call, likelihood, ignore_index=settings["ignore_index"])
    return changed(other, "input", along_classes(scores.log_softmax, axis))


def _softmax_of_all(call: Call) -> Call:
    """Negative log-likelihood after a softmax over all elements together."""
    settings = call.operation.settings
    require(not settings["label_smoothing"] and array(call, "input").size)
    likelihood = losses()[call.operation.relatives["log-probabilities"]]
    other = as_loss(call, likelihood, ignore_index=settings["ignore_index"])
    return changed(other, "input", lambda x: scores.log_softmax(x.reshape(1, -1) * 1.0).reshape(x.shape))


def _softmax_again(call: Call) -> Call:
    """The loss of logits, given probabilities."""
    cls = losses()[call.operation.relatives["logits"]]
    return changed(as_loss(call, cls, **call.operation.settings), "input", np.exp)


def _without_logarithm(call: Call) -> Call:
    """Minus the score of the class itself."""
    likelihood = losses()[call.operation.relatives["log-probabilities"]]
    return as_loss(call, likelihood, ignore_index=call.operation.settings["ignore_index"])


def _softmax_loss() -> type[Loss]:
    """The loss of a softmax, of which single elements may be scored one against the rest."""
    return next(cls for cls in losses().values() if "one-against-rest" in cls.relatives)


def _over_labels(call: Call) -> Call:
    """-Σ y·ln softmax(x) of each row of labels."""
    x, y = real(call, "input"), real(call, "target")
    require(x.shape == y.shape and x.ndim > 1 and call.arrays.keys() == {"input", "target"})
    return as_loss(call, _softmax_loss())


def _of_probabilities(call: Call) -> Call:
    """The loss of probabilities and one-hot rows, one element for one loss."""
    require(call.arrays.keys() == {"input", "target"})
    x, rows = real(call, "input"), hot(call)
    p = np.exp(x) if call.operation.scores == "log-probabilities" else x
    binary = losses()[losses()[_softmax_loss().relatives["one-against-rest"]].relatives["probabilities"]]
    return as_loss(call._replace(arrays={"input": p, "target": rows}), binary)


def _of_rates(call: Call) -> Call:
    """The squared error of the rates, the exponential of the input."""
    square = next(cls for cls in losses().values() if cls.error_power == 2)
    return as_loss(changed(call, "input", lambda x: np.exp(x * 1.0)), square)


def _has_probabilities_of_classes(loss: Loss) -> bool:
    return loss.labels in CLASS_KINDS and loss.scores in ("probabilities", "log-probabilities")


def of_rows_of_classes(loss: Loss) -> Iterator[Hypothesis]:
    """That one-hot rows were scored, by a loss of single elements."""
    if not has_softmax(loss):
        return
    binary = losses()[loss.relatives["one-against-rest"]]
    yield Hypothesis(
        "loss",
        "one-against-rest",
        f"it is the binary cross-entropy of the one-hot rows, as {binary.name}",
        3.5,
        lambda call: _beside_rows(call, binary.name, ""),
    )
    for cls in losses().values():
        if cls.error_power or cls.name in binary.close:
            for change, bits in (("softmax", 5.0), ("sigmoid", 6.5), ("", 6.5)):
                what = f"the {change} of the logits" if change else "the logits"
                yield Hypothesis(
                    "loss",
                    f"{cls.name}-of-{change or 'logits'}",
                    f"the loss is {cls.name} of {what} and one-hot rows",
                    bits,
                    lambda call, name=cls.name, change=change: _beside_rows(call, name, change),
                )


_ROWS: tuple[Row, ...] = (
    ("softmax-axis-0", "the softmax was taken over axis 0", 4.5, lambda call: _softmax_along(call, 0),
     has_softmax),
    ("softmax-whole", "the softmax was taken over the whole array, not each row", 4.0, _softmax_of_all,
     has_softmax),
    ("softmax-last-axis", "the softmax was taken over the last axis", 4.5,
     lambda call: _softmax_along(call, -1), has_softmax),
    ("softmax-over-labels", "the labels of each row were taken as one distribution: -Σ y·ln softmax(x)", 3.5,
     _over_labels, lambda loss: loss.scores == "logits" and loss.labels == "labels"),
    ("one-hot-labels", "it is the binary cross-entropy of the probabilities and one-hot rows", 3.5,
     _of_probabilities, _has_probabilities_of_classes),
    ("square-of-rates", "it is the squared error of the rates, the exponential of the input", 5.0, _of_rates,
     lambda loss: loss.labels == "counts"),
    ("minus-logit", "the softmax was left out: it is minus the logit of the class", 4.5, _without_logarithm,
     has_softmax),
    ("softmax-again", "the logarithm was left out, and {logits} applied another softmax", 4.0,
     _softmax_again, lambda loss: loss.scores == "log-probabilities" and "logits" in loss.relatives),
)  # fmt: skip

SOFTMAX = rows("loss", _ROWS)
