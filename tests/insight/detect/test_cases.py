"""Numbers that are wrong in a known way, made without losscalc, are explained.

Each case makes a number by a mistake that people make, with PyTorch, scikit-learn or plain NumPy on small
random arrays, and the search has to name that mistake among what it finds.
"""

import json
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscalc import cli
from losscalc.catalogue.base import losses
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import compute
from losscalc.insight.call import Call
from losscalc.insight.compare import Tolerance, compare
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.suppose import combination, outcome
from losscalc.insight.detect.verdict import verdict
from tests.support.searches import shared
from tests.support.wrong.arrays import DATA
from tests.support.wrong.case import Case
from tests.support.wrong.cases import CASES

pytest.importorskip("torch", reason="many of the wrong numbers are made by PyTorch")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parity,
    # The arrays are those that somebody got wrong, and the losses say so.
    pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning"),
    # What PyTorch does with (N, 1) against (N,), and with the mean of a divergence.
    pytest.mark.filterwarnings("ignore:Using a target size"),
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides"),
    pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one"),
]

TOLERANCE = Tolerance()
SCALARS = [
    case
    for case in CASES
    if case.reduction != "none"
    and case.name != "no-zero-infinity"
    and find_spec(case.origin.partition(".")[0])
]
"""Single losses are looked at elsewhere, and an infinity is told only as what may be meant."""

CALLS = {
    name: [case for case in SCALARS if case.call_name == name]
    for name in dict.fromkeys(case.call_name for case in SCALARS)
}
"""The mistakes by the call that they were made of, for which one search is enough."""


def told(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """All that is told to explain a number, other names of the same included."""
    return [one for each in facts["explanations"] for one in (each, *each["also"])]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_supposition_computes_the_mistake(case: Case) -> None:
    """Whatever the numbers: on several arrays."""
    for seed in range(2, 5):
        arrays = case.arrays(seed)
        call = case.call(arrays)
        value = outcome(call, combination(call, case.name))
        assert value is not None
        assert compare(value, case.number(arrays), TOLERANCE).agrees


@pytest.mark.parametrize("cases", CALLS.values(), ids=CALLS)
def test_mistakes_are_named_with_commands_that_give_them(
    cases: list[Case],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    """Each is among the explanations, and every command gives the number as it is printed."""
    monkeypatch.chdir(tmp_path)
    arrays = cases[0].arrays(seed=1)
    words = [cases[0].loss, *cases[0].options, "-q", "-f", "json"]
    for name, array in arrays.items():
        np.save(f"{name} of mine.npy", array)
        words += ["--" + name.replace("_", "-"), f"{name} of mine.npy"]
    with shared():
        for case in cases:
            number = float(case.number(arrays))
            assert cli.run([*words, f"--expect={number!r}"]) == 1, case.id
            found = told(json.loads(capsysbinary.readouterr().out))
            assert case.name in {each["name"] for each in found}, case.id
            for each in found:
                program, *printed = shlex.split(each["command"])
                assert (program, cli.run(printed)) == ("losscalc", 0), each["command"]
                value = json.loads(capsysbinary.readouterr().out)["value"]
                if "float16" in printed:
                    # It is written with as many digits as tell it from other numbers of float16.
                    value = float(np.float16(value))
                value = np.nan if value is None else value
                assert np.isclose(value, number, rtol=1e-5, atol=1e-8, equal_nan=True), each["command"]


@pytest.mark.parametrize(
    ("name", "loss", "data"),
    [
        ("over-positives", "mse", "pairs"),
        ("over-positives", "cross-entropy", "classes"),
        ("over-columns", "mse", "vectors"),
        ("one-against-rest", "cross-entropy", "weighted classes"),
        ("flattened", "cross-entropy", "classes"),
        ("pos-weight-on-negatives", "bce-logits", "logits"),
        ("weight-on-losses", "cross-entropy", "classes"),
        ("sigmoid-float32", "bce-logits", "positive logits"),
        ("no-weight", "mse", "pairs"),
    ],
)
def test_what_does_not_apply_has_no_value(name: str, loss: str, data: str) -> None:
    """There are no labels, rows, axes or weights that it could be about."""
    call = Call(losses()[loss](), DATA[data](np.random.default_rng(1)), MEAN)
    assert outcome(call, combination(call, name)) is None


def test_of_log_probabilities_the_exponential_is_named() -> None:
    """Their softmax is the same, and not what was done."""
    call = Call(losses()["cross-entropy"](), DATA["class log-probabilities"](np.random.default_rng(1)), MEAN)
    number = float(compute(call.changed("input", np.exp)).value)
    first = verdict(call, Expected.typed(repr(number))).explanations[0]
    assert first.candidate.name == "exp-first"


PRECISE = ("clip", "naive-", "dtype-", "added", "sigmoid-float", "result-", "float", "bfloat")
"""What changes a number by little, and is not to be named for what changes it by much."""


@pytest.mark.parametrize("name", ["sum", "half", "softmax-first", "target-argmax", "label-smoothing=0.1"])
def test_last_digits_are_not_named_for_large_differences(name: str) -> None:
    """What changes a number by little does not explain what changes it by much."""
    call = Call(losses()["cross-entropy"](), DATA["distributions"](np.random.default_rng(1)), MEAN)
    number = outcome(call, combination(call, name))
    assert number is not None
    found = verdict(call, Expected.typed(f"{float(number):.7g}")).explanations
    assert found
    assert not [each for each in found if each.candidate.name.startswith(PRECISE)]
