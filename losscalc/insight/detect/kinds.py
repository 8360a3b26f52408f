"""The kinds of losses that hypotheses ask for."""

from collections.abc import Callable

from losscalc.catalogue.base import Loss
from losscalc.core.roles import CLASS_KINDS


def is_square(loss: Loss) -> bool:
    """Whether it is a squared error."""
    return loss.error_power == 2


def is_likelihood(loss: Loss) -> bool:
    """Whether it is made of -ln p."""
    return loss.is_likelihood


def has_classes(loss: Loss) -> bool:
    """Whether one class of several is right."""
    return loss.labels in CLASS_KINDS


def has_rows_of_classes(loss: Loss) -> bool:
    """Whether a row has a score for each of several classes."""
    return has_classes(loss) or has_distributions(loss)


def has_labels(loss: Loss) -> bool:
    """Whether each score is a question of its own, with a label."""
    return loss.labels in ("labels", "signs")


def has_softmax(loss: Loss) -> bool:
    """Whether it takes the softmax of logits, of which one class is right."""
    return loss.scores == "logits" and loss.labels == "classes"


def has_distributions(loss: Loss) -> bool:
    """Whether its targets are distributions."""
    return loss.labels == "distributions"


def has_sequences(loss: Loss) -> bool:
    """Whether its targets are sequences of symbols."""
    return loss.labels == "sequences"


def has_arrays(*names: str) -> Callable[[Loss], object]:
    """Whether it may have arrays of these names."""
    return lambda loss: loss.roles.keys() >= set(names)


def has_reduction(name: str) -> Callable[[Loss], object]:
    """Whether it may be reduced so."""
    return lambda loss: name in loss.reductions
