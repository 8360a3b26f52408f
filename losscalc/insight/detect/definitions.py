"""Hypotheses on the loss: a parameter at another value, a library's definition, or another loss."""

from collections.abc import Iterator

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.conventions import Convention
from losscalc.core.declaration import Parameter, parameters
from losscalc.core.domains import Interval, Names
from losscalc.core.sequences import Axes, Increasing
from losscalc.errors import option_name
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import (
    first,
    having,
)
from losscalc.insight.detect.hypothesis import Hypothesis, Row, Span, require, rows
from losscalc.insight.detect.relatives import SOFTMAX, of_others, of_rows_of_classes

# No ratio of probabilities is as large.
_UNREACHED = 1e300
# How far a parameter without ends may be from 0, and how near one that is a factor.
_FAR, _NEAR = 1e3, 1e-3


def of_libraries(loss: Loss) -> Iterator[Hypothesis]:
    """That the number is of a library which computes the loss otherwise."""
    for convention in loss.conventions:
        library = convention.library
        if library != loss.like and not convention.agrees:
            sentence = f"{library} computed it, which {convention.sentence}"
            yield Hypothesis(
                "loss",
                f"like-{library}",
                sentence,
                # A plain cause of the same number is told first.
                2.6,
                lambda call, row=convention: _like(call, row),
                f"--like {library}",
            )
    if loss.like is not None:
        yield Hypothesis(
            "loss", "no-like", f"it was not computed as {loss.like} does", 2.0, _unlike, as_given=True
        )


def _like(call: Call, convention: Convention) -> Call:
    """The call by the convention of a library, with the parameters that are not the usual ones."""
    defaults = {parameter.name: parameter.default for parameter in parameters(type(call.operation))}
    settings = call.operation.settings
    own = {
        name: setting
        for name, setting in settings.items()
        if name not in convention.settings or setting != defaults[name]
    }
    return call._replace(operation=type(call.operation)(**own, like=convention.library))


def _unlike(call: Call) -> Call:
    """The call without a convention, with the parameters that are not those of the library."""
    loss = call.operation
    theirs = loss.convention.settings if loss.convention else {}
    typed = {name: own for name, own in loss.settings.items() if name not in theirs or own != theirs[name]}
    return call._replace(operation=type(loss)(**typed))


def of_parameters(loss: Loss) -> Iterator[Hypothesis]:
    """That a flag is the other way, a parameter was left out, or it has another value."""
    for parameter in parameters(type(loss)):
        now, option = getattr(loss, parameter.name), option_name(parameter.name)
        if parameter.kind is bool:
            flag = f"--no-{option[2:]}" if now else option
            yield _having(flag[2:], f"{flag} was meant", parameter.name, not now, flag)
        elif parameter.default is not None and now != parameter.default:
            word = f"{option} {parameter.default_text}"
            sentence = f"{option} was not applied"
            yield _having(f"default-{option[2:]}", sentence, parameter.name, parameter.default, word)
        if isinstance(parameter.domain, Names):
            for word in parameter.domain.words:
                if word != now:
                    typed = f"{option} {word}"
                    yield _having(f"{option[2:]}-{word}", f"{typed} was meant", parameter.name, word, typed)
        if parameter.kind in (float, tuple) and (span := _span(parameter)) is not None:
            yield Hypothesis(
                "loss",
                option[2:],
                f"{option} was {{number}}",
                1.5,
                lambda call, number, name=parameter.name: _with_number(call, name, number),
                f"{option} {{number}}",
                as_given=True,
                span=span,
            )
        if parameter.kind is int and parameter.domain is not None and not isinstance(parameter.default, bool):
            yield Hypothesis(
                "loss",
                option[2:],
                f"{option} was {{number}}",
                2.0,
                lambda call, number, name=parameter.name: having(call, **{name: int(number)}),
                f"{option} {{number}}",
                as_given=True,
                tried=lambda call: range(4),
            )


def _with_number(call: Call, name: str, number: float) -> Call:
    """The call with a parameter at a number; one that has a number for each column has it for all."""
    now = call.operation.settings[name]
    require(not isinstance(now, tuple) or len(now) == 1)
    return having(call, **{name: (number,) if isinstance(now, tuple) else number})


def _span(parameter: Parameter) -> Span | None:
    """The values of a parameter among which one is looked for."""
    low, high = -_FAR, _FAR
    domain = getattr(parameter.domain, "each", parameter.domain)
    if isinstance(domain, Axes | Increasing):
        return None
    if isinstance(domain, Interval):
        low, high = max(domain.low, low), min(domain.high, high)
        # What is above 0 by default may be below it, but hardly ever is.
        default = parameter.default
        low = max(low, 0.0) if isinstance(default, float) and default > 0 else low
    if low < 0:
        return Span(max(low, -20.0), min(high, 20.0))
    return Span(low, high) if high <= 1 else Span(max(low, _NEAR * _NEAR), high, is_scale=True)


def _having(name: str, sentence: str, parameter: str, setting: object, options: str) -> Hypothesis:
    return Hypothesis(
        "loss",
        name,
        sentence,
        2.0,
        lambda call: having(call, **{parameter: setting}),
        options,
        as_given=True,
    )


# -- one against the rest, and rows of probabilities ------------------------------------------------------


def _last_symbol(call: Call) -> Call:
    return having(call, blank=first(call).shape[-1] - 1)


def _factors_exchanged(call: Call) -> Call:
    """The call with alpha as beta, and beta as alpha."""
    settings = call.operation.settings
    require(settings["alpha"] != settings["beta"])
    return having(call, alpha=settings["beta"], beta=settings["alpha"])


def _not_clipped(call: Call) -> Call:
    """The call whose bounds no ratio reaches, below or above."""
    return having(call, clip_eps=1.0, clip_eps_high=_UNREACHED)


def _is_focal(loss: Loss) -> bool:
    return loss.settings.keys() >= {"alpha", "gamma"}


_ROWS: tuple[Row, ...] = (
    ("blank-last", "blank is the last class, as in TensorFlow", 2.5, _last_symbol,
     lambda loss: loss.labels == "sequences"),
    ("alpha-beta-exchanged", "--alpha and --beta were exchanged", 2.0, _factors_exchanged,
     lambda loss: loss.settings.keys() >= {"alpha", "beta"}),
    ("not-clipped", "the ratio of the probabilities was not clipped", 2.0, _not_clipped,
     lambda loss: "clip_eps" in loss.settings),
    ("alpha-swapped", "alpha is the factor of the negative labels, and 1 - alpha that of the positive ones",
     2.5, lambda call: having(call, alpha=1 - abs(call.operation.settings["alpha"])), _is_focal),
)  # fmt: skip

DEFINITIONS = [
    *rows("loss", _ROWS),
    Hypothesis(
        "loss",
        "no-alpha",
        "there is no factor alpha, as in Keras and optax",
        2.0,
        lambda call: having(call, alpha=-1.0),
        "--alpha -1",
        concerns=_is_focal,
    ),
    Hypothesis(
        "loss",
        "no-gamma",
        "--gamma was 0, so that nothing is focused on",
        2.5,
        lambda call: having(call, gamma=0.0),
        "--gamma 0",
        concerns=_is_focal,
    ),
    Hypothesis(
        "loss",
        "smooth",
        "{number} was added to numerator and denominator",
        2.5,
        lambda call, number: having(call, smooth_nr=number, smooth_dr=number),
        "--smooth-nr {number} --smooth-dr {number}",
        concerns=lambda loss: loss.settings.keys() >= {"smooth_nr", "smooth_dr"},
        span=Span(1e-8, 1e3, is_scale=True),
    ),
    Hypothesis(
        "loss",
        "pos-weight",
        "--pos-weight was {number}",
        3.0,
        lambda call, number: call._replace(arrays={**call.arrays, "pos_weight": np.asarray(number)}),
        "--pos-weight {number}",
        concerns=lambda loss: "pos_weight" in loss.roles,
        span=Span(1e-3, 1e3, is_scale=True),
    ),
]


def definitions(loss: Loss) -> Iterator[Hypothesis]:
    """All hypotheses on what loss it is."""
    yield from of_libraries(loss)
    yield from of_parameters(loss)
    yield from DEFINITIONS
    yield from SOFTMAX
    yield from of_others(loss)
    yield from of_rows_of_classes(loss)
