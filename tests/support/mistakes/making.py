"""Makes all wrong numbers: those that were reported, single mistakes by loss, and random pairs."""

from tests.support.mistakes import (
    binary,
    boxes,
    choice,
    classes,
    contrast,
    distributions,
    labels,
    large,
    likelihood,
    masks,
    preference,
    regression,
    relative,
    reported,
    robust,
    signs,
    speech,
    tables,
    tokens,
    vectors,
    weighted,
)
from tests.support.mistakes.corpus import Call, Mistake
from tests.support.mistakes.stages import Model, merged, pairs, singles

CLASSES = (classes, weighted, tokens, choice, binary, masks, signs, labels)
VALUES = (regression, robust, relative, likelihood)
VECTORS = (vectors, contrast, distributions, preference, speech, boxes)
DRAWN = tuple(model for family in (*CLASSES, *VALUES, *VECTORS, tables, large) for model in family.MODELS)
MODELS: tuple[Model, ...] = (*reported.MODELS, *DRAWN)
PAIRS, SEED = 200, 13


def made() -> tuple[dict[str, Call], list[Mistake]]:
    """The calls by name, and the mistakes."""
    told = zip(singles(reported.MODELS), reported.EXPECTED, strict=True)
    typed = [mistake._replace(typed=text) for mistake, text in told]
    mistakes = merged([*typed, *singles(DRAWN), *pairs(DRAWN, PAIRS, SEED)])
    return {model.name: model.call for model in MODELS}, mistakes
