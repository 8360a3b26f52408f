"""Hypotheses that follow from the declaration: a flag the other way, a parameter left out, another loss."""

from collections.abc import Iterator

from losscalc.catalogue.base import Loss, losses
from losscalc.core.array import Array
from losscalc.core.conventions import Convention
from losscalc.core.declaration import parameters
from losscalc.errors import option_name
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Hypothesis
from losscalc.insight.detect.outcome import as_loss, having, value


def of_libraries(loss: Loss) -> Iterator[Hypothesis]:
    """That the number is of a library which computes the loss otherwise."""
    for convention in loss.conventions:
        library = convention.library
        if library != loss.like and not convention.agrees:
            sentence = f"{library} computed it, which {convention.sentence}"
            yield Hypothesis(
                f"like-{library}", sentence, lambda c, row=convention: _like(c, row), f"--like {library}"
            )
    if loss.like is not None:
        yield Hypothesis("no-like", f"it was not computed as {loss.like} does", _unlike)


def _like(call: Call, convention: Convention) -> Array:
    """The value by the convention of a library, with the parameters that are not the usual ones."""
    defaults = {parameter.name: parameter.default for parameter in parameters(type(call.operation))}
    settings = call.operation.settings
    own = {
        name: setting
        for name, setting in settings.items()
        if name not in convention.settings or setting != defaults[name]
    }
    return value(call._replace(operation=type(call.operation)(**own, like=convention.library)))


def _unlike(call: Call) -> Array:
    """The value without a convention, with the parameters that are not those of the library."""
    loss = call.operation
    theirs = loss.convention.settings if loss.convention else {}
    typed = {name: own for name, own in loss.settings.items() if name not in theirs or own != theirs[name]}
    return value(call._replace(operation=type(loss)(**typed)))


def of_loss(loss: Loss) -> Iterator[Hypothesis]:
    """The hypotheses that follow from the declaration of a loss."""
    for name in loss.close:
        yield Hypothesis(f"as-{name}", f"it is the loss {name}", lambda c, name=name: _as(c, name))
    for parameter in parameters(type(loss)):
        now, option = getattr(loss, parameter.name), option_name(parameter.name)
        if parameter.kind is bool:
            flag = f"--no-{option[2:]}" if now else option
            yield _having(flag[2:], f"{flag} was meant", parameter.name, not now, flag)
        elif parameter.default is not None and now != parameter.default:
            word = f"{option} {parameter.default_text}"
            sentence = f"{option} was not applied"
            yield _having(f"default-{option[2:]}", sentence, parameter.name, parameter.default, word)


def _having(name: str, sentence: str, parameter: str, setting: object, options: str) -> Hypothesis:
    return Hypothesis(
        name, sentence, lambda c: value(having(c, **{parameter: setting})), options, as_given=True
    )


def _as(call: Call, name: str) -> Array:
    """The value of another loss, with the same parameter for where it is no longer quadratic."""
    cls = losses()[name]
    bends = call.operation.bend and cls.bend
    settings = {cls.bend: getattr(call.operation, call.operation.bend)} if bends else {}
    return value(as_loss(call, cls, **settings))
