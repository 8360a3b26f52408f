"""What the losses declare of themselves is true: their range, their relatives, their examples."""

import ast
import doctest
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

import losscalc
from losscalc.catalogue.base import Loss, Relation, losses
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.roles import Kind
from tests.support.examples import Arrays, example, log_softmax, losses_of, prepared, variants

ALL = list(losses().values())
KINDS = set(get_args(Kind))
WEIGHTS = {"weights", "full-weights", "positive-weights", "class-weights", "sample-weights"}


def log_probabilities(scores: np.ndarray) -> np.ndarray:
    """Log-probabilities of scores whose classes are on axis 1, however large the scores are."""
    return log_softmax(scores - scores.max(axis=-1, keepdims=True))


def unweighted(loss: Loss, seed: int, scale: float) -> Arrays:
    """Arrays that are what their roles say, of any size, without weights."""
    arrays = prepared(loss, example(type(loss), 12, seed))
    for array in array_arguments(type(loss)):
        if array.role.kind in WEIGHTS:
            del arrays[array.name]
        elif array.role.kind in ("logits", "values", "vectors", "features") and array.name != "target":
            arrays[array.name] = arrays[array.name] * scale
        elif array.role.kind == "probabilities":
            chances = np.clip(arrays[array.name] * scale, 0.0, 1.0)
            is_choice = arrays["target"].dtype.kind == "i"
            arrays[array.name] = (
                chances / np.maximum(chances.sum(-1, keepdims=True), 1) if is_choice else chances
            )
        elif array.role.kind == "log-probabilities":
            arrays[array.name] = log_probabilities(arrays[array.name] * scale)
        elif array.role.kind == "boxes":
            move = 0.0 if array.name == "input" else scale
            arrays[array.name] = arrays[array.name] * [1.0, scale, 1.0, scale] + move
    return arrays


@pytest.mark.parametrize("cls", ALL)
def test_the_declared_range_holds(cls: type[Loss]) -> None:
    """No loss of arrays that are what they should be lies outside, to the rounding of its own size."""
    for loss in variants(cls):
        for seed, scale in enumerate((0.0, 1e-3, 1.0, 30.0, 300.0)):
            with np.errstate(all="ignore"):
                value = losses_of(loss, unweighted(loss, seed, scale))
            known = value[~np.isnan(value)]
            assert known.size
            assert (known >= cls.range.low - 1e-12).all()
            assert (known <= cls.range.high + 1e-12).all()


MISSED: Arrays = {"input": [0.0, 1.0], "target": [1.0, 0.0]}

CORNERS: dict[str, Arrays] = {
    "cosine-distance": {"input": [[1.0, 2.0]], "target": [[-2.0, -4.0]]},
    "bce": {"input": [0.0, 1.0], "target": [1, 1]},
    "dice": MISSED,
    "jaccard": MISSED,
    "tversky": MISSED,
    "brier": {"input": [[1.0, 0.0]], "target": [1]},
    "smape": {"input": [1.0], "target": [-1.0]},
    "kl-div": {"input": [0.0], "target": [np.exp(-1.0)]},
    "jensen-shannon": {"input": [[1.0, 0.0]], "target": [[0.0, 1.0]]},
    "giou": {"input": [[0, 0, 1, 1]] * 2, "target": [[0, 0, 1, 1], [1e6, 1e6, 1e6 + 1, 1e6 + 1]]},
    "diou": {"input": [[0, 0, 1, 1]] * 2, "target": [[0, 0, 1, 1], [1e6, 1e6, 1e6 + 1, 1e6 + 1]]},
    "ciou": {"input": [[0, 0, 1, 1e5]] * 2, "target": [[0, 0, 1, 1e5], [1e9, 1e9, 1e9 + 1e5, 1e9 + 1]]},
}
"""Arrays whose losses come close to the ends of a range that does not reach from 0 to infinity."""


@pytest.mark.parametrize("cls", ALL)
def test_the_declared_range_is_no_wider_than_it_must_be(cls: type[Loss]) -> None:
    """A loss comes close to each end that is a number; 0 is reached by most right answers."""
    bounds = [bound for bound in cls.range[:2] if bound and np.isfinite(bound)]
    if not bounds:
        return
    assert cls.name in CORNERS, f"add arrays of {cls.name} to CORNERS in tests/catalogue/test_declarations.py"
    value = losscalc.compute(cls.name, **CORNERS[cls.name], reduction="none")
    for bound in bounds:
        assert np.isclose(value, bound, rtol=1e-3).any()


@pytest.mark.parametrize("cls", ALL)
def test_relatives_are_losses(cls: type[Loss]) -> None:
    """Each under its name, and one of other scores under the kind of them."""
    assert set(cls.relatives) <= KINDS | set(get_args(Relation))
    assert {*cls.relatives.values(), *cls.close} <= losses().keys() - {cls.name}
    for kind, name in cls.relatives.items():
        assert kind not in KINDS or losses()[name].scores == kind
    assert not cls.bend or cls.bend in {parameter.name for parameter in parameters(cls)}


CONVERSIONS: dict[tuple[str, str], Callable[[np.ndarray], np.ndarray]] = {
    ("logits", "probabilities"): lambda x: 1 / (1 + np.exp(-x)),
    ("probabilities", "logits"): lambda p: np.log(p / (1 - p)),
    ("logits", "log-probabilities"): log_probabilities,
    ("log-probabilities", "logits"): lambda x: x,
}
"""How scores of one kind become those of another."""

CHOICES: dict[tuple[str, str], Callable[[np.ndarray], np.ndarray]] = {
    **CONVERSIONS,
    ("logits", "probabilities"): lambda x: np.exp(log_probabilities(x)),
    ("log-probabilities", "probabilities"): np.exp,
    ("probabilities", "logits"): np.log,
    ("probabilities", "log-probabilities"): np.log,
}
"""The same where a row of scores is a choice among classes."""

RELATED = [(cls, kind) for cls in ALL for kind in cls.relatives if (cls.scores, kind) in CHOICES]


@pytest.mark.parametrize(("cls", "kind"), RELATED)
def test_a_relative_is_the_same_of_other_scores(cls: type[Loss], kind: str) -> None:
    """Converted, the scores have the same loss there."""
    arrays = unweighted(cls(), 3, 1.0)
    if arrays["target"].dtype.kind == "i":
        arrays["target"] = np.maximum(arrays["target"], 0)  # not every relative ignores a class
    conversions = CHOICES if cls.labels in ("classes", "class-indices") else CONVERSIONS
    if conversions is CHOICES and cls.scores != "logits":
        rows = log_probabilities(arrays["input"])
        arrays["input"] = np.exp(rows) if cls.scores == "probabilities" else rows
    converted = {**arrays, "input": conversions[cls.scores, kind](arrays["input"])}
    own = losscalc.compute(cls.name, **arrays, reduction="none")
    other = losscalc.compute(cls.relatives[kind], **converted, reduction="none")
    np.testing.assert_allclose(other, own, rtol=1e-9)


@pytest.mark.parametrize("cls", ALL)
def test_the_example_is_that_of_the_docstring(cls: type[Loss]) -> None:
    """The same arrays and settings, and the number that stands there."""
    shown = doctest.DocTestParser().get_examples(cls.__doc__ or "")[-1]
    call = ast.parse(shown.source.strip(), mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Call)
    names = [array.name for array in array_arguments(cls)]
    given = [
        *zip(names, call.args, strict=False),
        *((k.arg, k.value) for k in call.keywords + call.func.keywords),
    ]
    typed = {name: ast.literal_eval(node) for name, node in given if not isinstance(node, ast.Name)}
    assert {key: cls.example[key] for key in typed} == typed
    assert cls.example.keys() == {name for name, _ in given}
    checker, flags = doctest.OutputChecker(), doctest.NORMALIZE_WHITESPACE
    result = losscalc.compute(cls.name, **cls.example)
    written = np.asarray(ast.literal_eval(shown.want[shown.want.index("(") + 1 : shown.want.rindex(")")]))
    assert checker.check_output(shown.want, f"{result!r}\n", flags) or np.allclose(result, written, rtol=1e-7)


@pytest.mark.parametrize("cls", ALL)
def test_what_is_unlike_is_the_end_of_a_sentence(cls: type[Loss]) -> None:
    """It follows the words "Unlike PyTorch it", and ends without a full stop."""
    assert cls.unlike == cls.unlike.strip().rstrip(".")
    assert not cls.unlike or cls.unlike[0].islower()
    assert "Unlike PyTorch" not in (cls.__doc__ or "")
