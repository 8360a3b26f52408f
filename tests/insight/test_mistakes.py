"""The wrong numbers of `tests/data/mistakes.json` are made as they say, of calls that are computed right."""

import math

import numpy as np
import pytest

from losscalc.catalogue.base import losses
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import compute
from losscalc.insight.call import Call
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.search import Search
from losscalc.insight.detect.verdict import weighed
from tests.benchmarks.mistakes import FIRST, explanations, place, run
from tests.support.examples import example
from tests.support.mistakes.corpus import read, typed
from tests.support.searches import shared

CALLS, MISTAKES = read()


def test_there_are_enough():
    """Single mistakes over many losses, and pairs, each with a name of its own."""
    single = [mistake for mistake in MISTAKES if mistake.kind != "pair"]

    assert len(single) >= 180
    assert len({CALLS[mistake.call].loss for mistake in single}) >= 25
    assert len(MISTAKES) - len(single) == 200
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES)


@pytest.mark.parity
@pytest.mark.slow
def test_the_numbers_are_those_that_the_mistakes_lead_to():
    """Made anew, by PyTorch and NumPy, they are those of the file."""
    pytest.importorskip("torch")
    from tests.support.mistakes.making import made

    calls, mistakes = made()

    assert {name: call.loss for name, call in calls.items()} == {name: c.loss for name, c in CALLS.items()}
    assert [each._replace(number=0.0, typed="") for each in mistakes] == [
        each._replace(number=0.0, typed="") for each in MISTAKES
    ]
    np.testing.assert_allclose(
        [each.number for each in mistakes], [each.number for each in MISTAKES], rtol=1e-9, atol=1e-12
    )


@pytest.mark.parity
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
def test_the_right_number_is_that_of_pytorch(name, tmp_path):
    """What the mistakes are made of is the loss that is called."""
    pytest.importorskip("torch")
    from tests.support.mistakes.making import MODELS

    right = next(model for model in MODELS if model.name == name).number()
    value = run(CALLS[name].words(tmp_path))["value"]

    assert math.isnan(right) if value is None else value == pytest.approx(right, rel=1e-9)


def test_what_is_typed_are_digits_of_the_number():
    """Within one unit of the last digit: the number of a report may be rounded another way."""
    wrong = [
        mistake.name
        for mistake in MISTAKES
        if abs(float(mistake.typed) - mistake.number) > 10.0 ** -len(mistake.typed.partition(".")[2])
    ]

    assert not wrong


# -- the search finds them ------------------------------------------------------------------------------

REPORTED = [mistake for mistake in MISTAKES if mistake.call in list(CALLS)[:10] and mistake.kind != "pair"]
"""Numbers that people asked about."""
SINGLE = [mistake for mistake in MISTAKES if mistake.kind != "pair"]
PAIRS = [mistake for mistake in MISTAKES if mistake.kind == "pair"]
SAMPLE = [each for each in SINGLE if len(each.typed.lstrip("-0.").replace(".", "")) >= 6][::20]


@pytest.fixture(scope="module")
def shared_searches():
    """One search of a call serves all numbers."""
    with shared():
        yield


@pytest.mark.slow
@pytest.mark.parametrize("mistake", REPORTED, ids=lambda mistake: mistake.name)
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.usefixtures("shared_searches")
def test_what_people_asked_about_is_named(mistake, tmp_path):
    """Each of the numbers that were reported; what is near only is told as near."""
    explained, others = explanations(CALLS[mistake.call], mistake.typed, tmp_path)
    told = others if "near miss" in mistake.name else explained[:FIRST]

    assert place(mistake, told) is not None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.usefixtures("shared_searches")
def test_most_single_mistakes_are_named(tmp_path):
    """At least 85 % of a fixed sample over all losses."""
    missed = [
        mistake.name
        for mistake in SAMPLE
        if place(mistake, explanations(CALLS[mistake.call], mistake.typed, tmp_path)[0][:FIRST]) is None
    ]

    assert len(SAMPLE) >= 20
    assert len(missed) <= 0.15 * len(SAMPLE), missed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.usefixtures("shared_searches")
def test_most_pairs_of_mistakes_are_named(tmp_path):
    """At least 80 % of 200: both are told together."""
    missed = [
        mistake.name
        for mistake in PAIRS
        if place(mistake, explanations(CALLS[mistake.call], mistake.typed, tmp_path)[0][:FIRST]) is None
    ]

    assert len(missed) <= 0.2 * len(PAIRS), missed


TRIED = 5
ALARMS = (
    "cross-entropy", "nll", "multi-margin", "bce-logits", "bce", "sigmoid-focal", "hinge", "mse", "huber",
    "gaussian-nll", "triplet-margin", "kl-div",
)  # fmt: skip
"""Losses of many kinds."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
def test_random_numbers_are_hardly_explained():
    """Numbers that no mistake made, of four digits and of seven: at most 1 in 100 has an explanation."""
    rng = np.random.default_rng(1)
    false = {4: [], 7: []}
    for name in ALARMS:
        call = Call(losses()[name](), example(losses()[name], 8, seed=1), MEAN)
        search, right = Search(call), float(compute(call).value)
        for digits, found in false.items():
            for factor in np.exp(rng.uniform(-math.log(5), math.log(5), TRIED)):
                text = typed(right * factor, digits)
                found += [
                    (name, text, each) for each in weighed(search, Expected.typed(text)).explanations[:1]
                ]

    assert all(len(found) <= 0.01 * TRIED * len(ALARMS) for found in false.values()), false
