"""The conventions of other libraries: what each of them gave, and laws over all of them.

The values were computed once, by the call beside each, on float64: Keras 3.15.1 with PyTorch, which rounds
its epsilon of 1e-7, and the inputs of its classes, to float32, optax 0.2.8 with float64 enabled, scikit-learn
1.9.1, torchmetrics 1.9.0, segmentation-models-pytorch 0.6.0 (`smp`) and MONAI 1.6.1.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc import cli, losses
from losscalc.catalogue.base import Loss
from losscalc.core.operation import differentiable
from losscalc.core.registry import lookup
from losscalc.engine import block
from losscalc.insight.describe import describe
from losscalc.insight.explain import formula_of, symbol_values

# Numbers outside the domain that a library changes, as the rows below have, get a warning.
pytestmark = pytest.mark.filterwarnings("ignore:.*what is not is changed as")

ROWS = [(cls, convention) for cls in losses().values() for convention in cls.conventions]
NAMES = [f"{cls.name}-{convention.library}" for cls, convention in ROWS]


class Row(NamedTuple):
    """A value that a library gave."""

    loss: str
    library: str
    arguments: dict[str, Any]
    value: Any
    call: str


PERCENT = {"input": [1.5, 0.0, 2e-8, -3.0], "target": [2.0, -0.5, -1e-8, 4.0]}
AMOUNTS = {"input": [2.5, -0.5, -3.0, 0.0], "target": [3.0, 1.0, 0.5, -2.0]}
CLAIMS = {"input": [0.5, 0.5, 2.0, 2.0], "target": [2.0, 0.0, 1.0, 4.0]}
SURE = {"input": [0.0, 0.2, 1.0, 0.9], "target": [1, 0, 0, 0.5]}
LOGITS = {"input": [2.0, -1.0, 0.0, -20.0, 30.0], "target": [1, 0, 1, 1, 1]}
CHANCES = {"input": [[0.5, 0.89, 0.6], [0.1, 0.2, 0.7], [0.0, 0.0, 1.0]], "target": [1, 0, 0]}
MASKS = {"input": [0.9, 0.2, 0.5, 0.1], "target": [1, 0, 1, 1]}
OTHERS = {"input": [0.9, 0.3, 0.4, 0.1], "target": [1, 0, 1, 1]}
CLASSES = {"input": [[[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]]], "target": [[[1, 0], [0, 1], [0, 1]]]}
HALF_EMPTY = {
    "input": [[[0.7, 0.2, 0.6], [0.3, 0.8, 0.4]]],
    "target": [[[1, 0, 0], [0, 0, 0]]],
    "dim": (0, 2),
}
EMPTY = {"input": [0.0, 0.0], "target": [0, 0]}
ROUGH = {"input": [[0.36, 0.48, 0.0], [0.3, 0.3, 0.9]], "target": [[0.2, 0.7, 0.1], [0.0, 0.2, 0.8]]}
UNEVEN = {"input": [[0.36, 0.48, 0.1], [0.3, 0.3, 0.9]], "target": [[0.2, 0.7, 0.3], [0.0, 0.2, 0.9]]}
VECTORS = {"input": [[1.0, 2.0], [3.0, -1.0]], "target": [[2.0, 1.0], [-3.0, 0.5]]}
SCORES = {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]], "target": [0, 2, 1]}
SIDES = {"input": [0.5, -2.0, -0.3], "target": [1, -1, 1]}
COUNTS = {"input": [0.5, 2.0, 0.0], "target": [1.0, 2.0, 1.0]}

# The calls are those of keras.losses, torchmetrics.functional and so on; x is the input and y the target.
GOLDEN = [
    Row("mape", "keras", PERCENT, 82.4999988079071, "mean_absolute_percentage_error(y, x)"),
    Row("mape", "torchmetrics", PERCENT, 0.7564102564102564, "mean_absolute_percentage_error(x, y)"),
    Row("msle", "keras", AMOUNTS, 0.16567133367061615, "mean_squared_logarithmic_error(y, x)"),
    Row("tweedie-deviance", "sklearn", CLAIMS, 1.875, "mean_tweedie_deviance(y, x)"),
    Row("tweedie-deviance", "torchmetrics", CLAIMS, 1.875, "tweedie_deviance_score(x, y)"),
    Row(
        "tweedie-deviance",
        "sklearn",
        {"input": [0.5, 0.5, 2.0, 2.0], "target": [2.0, 1.0, 1.0, 4.0], "power": 3.0},
        1.5,
        "mean_tweedie_deviance(y, x, power=3)",
    ),
    Row("bce", "keras", SURE, 8.415826797485352, "binary_crossentropy(y, x)"),
    Row(
        "bce",
        "sklearn",
        {"input": [0.0, 0.2, 1.0], "target": [1, 0, 0]},
        24.10348344318284,
        "log_loss(y, x)",
    ),
    Row(
        "bce",
        "sklearn",
        {"input": [0.0, 0.2, 1.0, 0.7], "target": [1, 0, 0, 1], "weight": [1.0, 2.0, 0.5, 3.0]},
        8.55104492586467,
        "log_loss(y, x, sample_weight=w)",
    ),
    Row(
        "sigmoid-focal",
        "keras",
        LOGITS,
        3.2631688117980957,
        "binary_focal_crossentropy(y, x, from_logits=True)",
    ),
    Row(
        "sigmoid-focal",
        "keras",
        {**LOGITS, "alpha": 0.4, "gamma": 1.5},
        1.314713716506958,
        "the same, apply_class_balancing=True, alpha=.4, gamma=1.5",
    ),
    Row("sigmoid-focal", "optax", LOGITS, 4.039549667019741, "sigmoid_focal_loss(x, y).mean()"),
    Row("sigmoid-focal", "smp", LOGITS, 4.039549667019741, 'FocalLoss("binary")(x, y)'),
    Row("sigmoid-focal", "monai", LOGITS, 4.039549827575684, "FocalLoss()(x[:, None], y[:, None])"),
    Row("log-loss", "keras", CHANCES, 6.408449649810791, "SparseCategoricalCrossentropy()(y, x)"),
    Row(
        "log-loss",
        "keras",
        {**CHANCES, "weight": [1, 2, 0.5]},
        4.489628791809082,
        "SparseCategoricalCrossentropy()(y, x, sample_weight=w)",
    ),
    Row(
        "log-loss",
        "keras",
        {**SURE, "weight": [1, 2, 0.5, 3]},
        7.058836936950684,
        "BinaryCrossentropy()(y[:, None], x[:, None], sample_weight=w)",
    ),
    Row("dice", "keras", MASKS, 0.36170214124038, "dice(y, x)"),
    Row("dice", "smp", MASKS, 0.3617021276595744, 'DiceLoss("binary", from_logits=False)(x, y)'),
    Row("dice", "optax", MASKS, 0.25373134328358216, "dice_loss(logit(x)[None, :, None], y[None, :, None])"),
    Row(
        "dice",
        "optax",
        {**CLASSES, "dim": (1,), "reduction": "none"},
        [[0.24444444444444446, 0.19999999999999996]],
        'dice_loss(x, y, apply_softmax=False, reduction="none")',
    ),
    Row("jaccard", "smp", OTHERS, 0.5757575757575757, 'JaccardLoss("binary", from_logits=False)(x, y)'),
    Row(
        "jaccard", "monai", MASKS, 0.5312491699231721, "DiceLoss(jaccard=True)(x[None, None], y[None, None])"
    ),
    Row(
        "jaccard",
        "monai",
        {"input": [9e-5, 2e-5], "target": [0, 1e-4]},
        0.9767346672992306,
        "DiceLoss(jaccard=True)(x[None, None], y[None, None])",
    ),
    Row(
        "jaccard",
        "monai",
        {**MASKS, "smooth_nr": 1.0, "smooth_dr": 2.0},
        0.5238095238095238,
        "DiceLoss(jaccard=True, smooth_nr=1, smooth_dr=2)(x[None, None], y[None, None])",
    ),
    Row(
        "tversky", "keras", {**MASKS, "alpha": 0.3, "beta": 0.7}, 0.28229668505757477, "tversky(y, x, .3, .7)"
    ),
    Row(
        "tversky",
        "optax",
        {**MASKS, "alpha": 0.3, "beta": 0.7},
        0.30747922437673125,
        "dice_loss(logit(x)[None, :, None], y[None, :, None], alpha=.3, beta=.7)",
    ),
    Row(
        "tversky",
        "smp",
        {**MASKS, "alpha": 0.3, "beta": 0.7, "gamma": 0.75},
        0.5266375886867183,
        'TverskyLoss("binary", from_logits=False, alpha=.3, beta=.7, gamma=.75)(x, y)',
    ),
    Row(
        "dice",
        "smp",
        HALF_EMPTY,
        0.22000000000000003,
        'DiceLoss("multilabel", from_logits=False)(x[..., None], y[..., None])',
    ),
    Row("dice", "smp", EMPTY, 0.0, 'DiceLoss("binary", from_logits=False)(x, y)'),
    Row(
        "jaccard",
        "smp",
        HALF_EMPTY,
        0.3055555555555556,
        'JaccardLoss("multilabel", from_logits=False)(x[..., None], y[..., None])',
    ),
    Row("jaccard", "smp", EMPTY, 0.0, 'JaccardLoss("binary", from_logits=False)(x, y)'),
    Row(
        "tversky",
        "smp",
        HALF_EMPTY,
        0.22000000000000003,
        'TverskyLoss("multilabel", from_logits=False)(x[..., None], y[..., None])',
    ),
    Row("tversky", "smp", EMPTY, 0.0, 'TverskyLoss("binary", from_logits=False)(x, y)'),
    Row("kl", "keras", ROUGH, 0.6763893715280035, "kl_divergence(y, x).mean()"),
    Row("kl", "torchmetrics", UNEVEN, 0.19450698428036123, "kl_divergence(y, x)"),
    Row("jensen-shannon", "torchmetrics", UNEVEN, 0.057961036351669847, "jensen_shannon_divergence(y, x)"),
    Row(
        "cosine-distance",
        "keras",
        {**VECTORS, "reduction": "none"},
        [-0.7999999808419176, 0.98776293354805],
        "cosine_similarity(y, x)",
    ),
    Row(
        "cosine-distance",
        "keras",
        {"input": [[0.0, 0.0]], "target": [[2.0, 1.0]]},
        0.0,
        "cosine_similarity(y, x)",
    ),
    Row(
        "cosine-distance",
        "keras",
        {"input": [[3e-9, 4e-9], [3e-8, -4e-8]], "target": [[2.0, 1.0], [1e-9, 0.0]]},
        -0.023860679507255556,
        "cosine_similarity(y, x).mean()",
    ),
    Row(
        "cosine-distance",
        "optax",
        {"input": [[1.0, 2.0], [0.0, 0.0]], "target": [[2.0, 1.0]] * 2, "reduction": "none"},
        [0.2, math.nan],
        "cosine_distance(x, y)",
    ),
    Row(
        "cross-entropy",
        "keras",
        {**SCORES, "weight": [1.0, 2.0, 3.0]},
        1.0381228923797607,
        "SparseCategoricalCrossentropy(from_logits=True)(y, x, sample_weight=weight[y])",
    ),
    Row(
        "cross-entropy",
        "keras",
        {**SCORES, "sample_weight": [1.0, 3.0, 2.0], "ignore_index": 1},
        0.45857203006744385,
        "the same, ignore_class=1",
    ),
    Row(
        "cross-entropy",
        "keras",
        {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], "target": [1, 1], "ignore_index": 1},
        0.0,
        "SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)(y, x)",
    ),
    Row(
        "cross-entropy",
        "smp",
        {**SCORES, "ignore_index": 1},
        0.1924839946668887,
        "SoftCrossEntropyLoss(smooth_factor=0, ignore_index=1)(x, y)",
    ),
    Row(
        "cross-entropy",
        "smp",
        {**SCORES, "ignore_index": 1, "label_smoothing": 0.1},
        0.2813728835557776,
        "SoftCrossEntropyLoss(smooth_factor=.1, ignore_index=1)(x, y)",
    ),
    Row(
        "cross-entropy",
        "smp",
        {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], "target": [1, 1], "ignore_index": 1},
        0.0,
        "SoftCrossEntropyLoss(smooth_factor=0, ignore_index=1)(x, y)",
    ),
    Row(
        "focal",
        "keras",
        SCORES,
        0.044841181486845016,
        "CategoricalFocalCrossentropy(from_logits=True)(hot(y), x)",
    ),
    Row(
        "focal",
        "keras",
        {**SCORES, "gamma": 1.5, "sample_weight": [1.0, 3.0, 2.0]},
        0.10886853188276291,
        "CategoricalFocalCrossentropy(gamma=1.5, from_logits=True)(hot(y), x, sample_weight=w)",
    ),
    Row(
        "focal",
        "keras",
        {
            "input": [[2.0, 1.0, 0.0], [-40.0, 0.0, 1.0], [60.0, 0.0, 0.0]],
            "target": [0, 0, 0],
            "reduction": "none",
        },
        [0.011419449741971222, 4.029523106834838, 2.500000121052339e-22],
        "CategoricalFocalCrossentropy(from_logits=True, reduction='none')(hot(y), x)",
    ),
    Row(
        "multiclass-hinge",
        "keras",
        {"input": [[-2.0, 0.5, -3.0], [1.0, 1.5, -1.0]], "target": [1, 0]},
        1.0,
        "categorical_hinge(hot(y), x).mean()",
    ),
    Row(
        "focal",
        "monai",
        SCORES,
        0.05978824570775032,
        "FocalLoss(use_softmax=True, to_onehot_y=True)(x, y[:, None])",
    ),
    Row("hinge", "torchmetrics", SIDES, 0.6903953692106407, "binary_hinge_loss(x, y > 0)"),
    Row(
        "hinge",
        "torchmetrics",
        {**SIDES, "input": [0.5, 0.2, 0.9]},
        0.6,
        "the same: there is no number beyond 1",
    ),
    Row(
        "squared-hinge",
        "torchmetrics",
        SIDES,
        0.5750454474601033,
        "binary_hinge_loss(x, y > 0, squared=True)",
    ),
    Row(
        "multiclass-hinge",
        "torchmetrics",
        {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, -1.0, 1.5]], "target": [0, 2, 1]},
        0.7978260754460292,
        "multiclass_hinge_loss(x, y, num_classes=3)",
    ),
    Row(
        "multiclass-hinge",
        "torchmetrics",
        {"input": [[0.5, 0.2, 0.3], [0.1, 0.2, 0.7]], "target": [1, 2]},
        0.9,
        "the same",
    ),
    Row("poisson-nll", "keras", COUNTS, 5.974982738494873, "poisson(y, x)"),
]


def identify(row: Any) -> str | None:
    """What a row is called in a report."""
    return f"{row.loss}-{row.library}" if isinstance(row, Row) else None


def computed(row: Row, **options: Any) -> Any:
    """What losscalc makes of the arguments."""
    return losscalc.compute(row.loss, **{**row.arguments, **options}, like=row.library)


def arrays_of(row: Row) -> dict[str, np.ndarray]:
    """The arrays of a row, as losses take them."""
    names = lookup(row.loss)().roles
    return {name: np.asarray(value) for name, value in row.arguments.items() if name in names}


def instance(row: Row) -> Loss:
    """The loss with the parameters of a row."""
    cls = losses()[row.loss]
    own = {k: v for k, v in row.arguments.items() if k not in cls().roles and k != "reduction"}
    return cls(**own, like=row.library)


@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.parametrize("row", GOLDEN, ids=identify)
def test_library_gave_this_number(row):
    """Where Keras has its epsilon in float32, it has seven digits."""
    rtol = 1e-12 if row.library not in ("keras", "monai") else 1e-6
    np.testing.assert_allclose(computed(row), row.value, rtol=rtol, atol=1e-15, equal_nan=True)


def test_every_convention_has_a_number_of_its_library():
    """Nothing is declared that was not compared."""
    assert {(row.loss, row.library) for row in GOLDEN} == {(cls.name, c.library) for cls, c in ROWS}


@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.parametrize("row", GOLDEN, ids=identify)
def test_single_losses_add_up_to_the_sum(row):
    """Factors and offsets are those of each loss."""
    single, total = computed(row, reduction="none"), computed(row, reduction="sum")
    np.testing.assert_allclose(np.sum(single), total, rtol=1e-12, equal_nan=True)


def inner(row: Row) -> dict[str, np.ndarray]:
    """The arrays of a row, a little within [0, 1] where that is their domain: no step leads out of it."""
    roles, arrays = lookup(row.loss)().roles, arrays_of(row)
    free = {name for name, role in roles.items() if role.domain is None}
    return {
        name: values if name in free or values.dtype.kind == "i" else 0.001 + 0.99 * values
        for name, values in arrays.items()
    }


@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("row", GOLDEN, ids=identify)
def test_gradient_is_the_central_difference(row, reduction):
    """Clipped values and vectors of zeros are away from the ends of the interval."""
    loss, arrays = instance(row), inner(row)
    if row.loss in ("cosine-distance", "poisson-nll"):
        arrays = {name: values + 0.25 for name, values in arrays.items()}
    for wrt in differentiable(type(loss)):
        actual = losscalc.gradient(loss.name, **arrays, **own(loss), wrt=wrt, reduction=reduction)
        expected = np.empty(actual.shape)
        for place in np.ndindex(*expected.shape):
            step = 1e-6 * max(1e-2, abs(float(arrays[wrt][place])))
            sides = []
            for sign in (1, -1):
                moved = np.array(arrays[wrt], dtype=np.float64)
                moved[place] += sign * step
                sides.append(float(loss(**{**arrays, wrt: moved}, reduction=reduction)))
            expected[place] = (sides[0] - sides[1]) / (2 * step)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6 * max(scale, 1e-3))


def own(loss: Loss) -> dict[str, Any]:
    """The parameters of a loss with its convention, as they are given."""
    return {**loss.settings, "like": loss.like}


def test_clipped_values_have_no_slope():
    """By hand: Keras keeps 0.5 as it is, and brings the others to the ends of the interval."""
    slope = losscalc.gradient("bce", [0.0, 0.5, 1.0], [1, 1, 0], like="keras", reduction="sum")
    np.testing.assert_allclose(slope, [0.0, -2.0, 0.0])


def test_numbers_that_a_library_replaces_may_be_outside_the_domain():
    """Keras brings -3 to 1e-7; without it, it has no logarithm."""
    assert losscalc.compute("msle", [-3.0], [1e-7], like="keras") == 0
    with pytest.raises(losscalc.DomainError):
        losscalc.compute("msle", [-3.0], [1e-7])


@pytest.mark.parametrize(
    ("loss", "library"),
    [
        ("sigmoid-focal", "smp"),
        ("sigmoid-focal", "monai"),
        ("dice", "smp"),
        ("jaccard", "smp"),
        ("tversky", "smp"),
    ],
)
def test_labels_of_which_a_library_has_another_loss_are_told(loss, library):
    """Of x = .5, y = .3 FocalLoss("binary") of smp gives 0.2597, not 0.2484, and DiceLoss 0.25, not 0.625."""
    with pytest.warns(losscalc.LosscalcWarning, match=f"{library} has another loss for a label between"):
        losscalc.compute(loss, [0.5], [0.3], like=library)


def test_parameters_that_are_typed_hold():
    """The convention has the others: MAPE in percent, with another eps."""
    loss = losses()["mape"](like="keras", eps=0.5)
    assert (loss.eps, loss.like) == (0.5, "keras")
    assert loss([1.0], [0.25]) == 150.0


def test_unknown_library_is_told():
    """With those that there are."""
    with pytest.raises(losscalc.ParameterError, match="no convention") as caught:
        losses()["mape"](like="monai")
    assert caught.value.hint == "there are keras, torchmetrics"


@pytest.mark.parametrize(("cls", "convention"), ROWS, ids=NAMES)
def test_libraries_differ_on_the_example(cls, convention):
    """`losscalc show` tells the number of each library, which is not that of losscalc."""
    (section,) = (each for each in describe(cls).sections if each.heading == "other libraries")
    numbers = {library: re.split("[: ]", text)[0] for library, text in section.rows}
    assert numbers[convention.library] != numbers["losscalc"]


@pytest.mark.parametrize(("cls", "convention"), ROWS, ids=NAMES)
def test_sentence_goes_on_from_the_name_of_the_library(cls, convention):
    """Without a full stop, because more may follow; the source ends with, or has, a version."""
    assert convention.sentence[0].islower()
    assert not convention.sentence.endswith(".")
    assert re.search(r"\d\.\d+\.\d", convention.source)


FIRST = list(
    {(row.loss, row.library): row for row in reversed(GOLDEN) if "reduction" not in row.arguments}.values()
)
"""One row for each convention."""


WEIGHTS = ("cross-entropy", "weight")
"""An array that is not one of rows."""


def words_of(row: Row, arguments: dict[str, Any]) -> list[str]:
    """The command of a row, without its library."""
    words = [row.loss]
    for name, value in arguments.items():
        words += [f"--{name.replace('_', '-')}", json.dumps(value)]
    return words


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command, and gives what it prints."""

    def run(*words: str, code: int = 0) -> str:
        found = cli.run(list(words))
        out, err = capsys.readouterr()
        assert found == code, err
        return out

    return run


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_search_finds_the_library(row, run):
    """From the number that it gave. Libraries that agree give the same number."""
    # MSLE of numbers below -1 is an error, unless Keras replaces them.
    arguments = row.arguments if row.loss != "msle" else {"input": [2.5, -0.5], "target": [3.0, 1.0]}
    value = row.value if row.loss != "msle" else 0.24914181
    exact = ["--rtol", "1e-8", "--atol", "0"] if row.loss in ("dice", "jaccard", "tversky") else []
    found = run(*words_of(row, arguments), "--expect", repr(value), *exact, code=1)
    agree = row.loss in ("sigmoid-focal", "tweedie-deviance")
    alike = {c.library for c in lookup(row.loss).conventions} if agree else {row.library}
    assert any(f"--like {library}" in found for library in alike) or "--alpha -1" in found, found


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_parts_keep_the_library(row, run, tmp_path):
    """The command computes what Python does, JSON names the library, and two parts make a whole."""
    once = run(*words_of(row, row.arguments), "--like", row.library, "--format", "json")
    assert json.loads(once)["like"] == row.library
    assert json.loads(once)["value"] == pytest.approx(float(computed(row)), rel=1e-12)
    part = tmp_path / "part.json"
    part.write_text(once, encoding="utf-8")
    if instance(row).needs_whole:
        run("merge", str(part), str(part), code=4)
        return
    both = run("merge", str(part), str(part), "--format", "json")
    doubled = {
        name: [*value, *value] if isinstance(value, list) and (row.loss, name) != WEIGHTS else value
        for name, value in row.arguments.items()
    }
    expected = losscalc.compute(row.loss, **doubled, like=row.library)
    assert json.loads(both)["value"] == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_blocks_make_the_whole(row, monkeypatch):
    """One row a block, as streams have them."""
    whole = computed(row)
    monkeypatch.setattr(block, "BLOCK", 1)
    np.testing.assert_allclose(computed(row), whole, rtol=1e-12)


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_explanation_is_of_the_library(row, run):
    """The formula, with the numbers that the loss gets, comes to the loss; the sentence stands beside it."""
    text = run(*words_of(row, row.arguments), "--like", row.library, "--explain", "--precision", "17")
    (convention,) = (each for each in lookup(row.loss).conventions if each.library == row.library)
    assert f"; {row.library} {convention.sentence}" in text
    loss, arrays = instance(row), {k: np.asarray(v) for k, v in arrays_of(row).items()}
    with np.errstate(all="ignore"):
        terms = loss.evaluated(arrays)
    if terms.sums is not None:
        return
    prepared = convention.prepared(arrays)
    with np.errstate(all="ignore"):
        values = symbol_values(loss, prepared, terms.value.shape)
        found = formula_of(loss, prepared).evaluate(values).reshape(terms.value.shape)
    counts = np.ones(found.shape, bool) if terms.ignored is None else ~terms.ignored
    np.testing.assert_allclose(found[counts], terms.value[counts], rtol=1e-6, atol=1e-12)


def test_explanation_has_the_factor_and_the_offset(run):
    """By hand: half of the target in percent, and 4/5 with a minus."""
    text = run("mape", "-i", "2", "-t", "4", "--like", "keras", "--explain")
    assert "100·(|2 - 4| / max(|4|, 1.0000e-07)) = 50.0000" in text
    text = run("cosine-distance", "-i", "[[1,2]]", "-t", "[[2,1]]", "--like", "keras", "--explain")
    assert "- 1 = -0.8000" in text


def test_explanation_has_what_a_library_gives_for_nothing(run):
    """By the rows above: Keras has a mean of 0 of targets that are all ignored."""
    words = ["cross-entropy", "-i", "[[2,1]]", "-t", "-100", "--like", "keras"]
    assert "0.0000 / 0 = 0.0000" in run(*words, "--explain")
    assert run(*words, "--digits", "20") == "0\n"


def test_representation_names_the_library():
    """It makes the same loss."""
    assert repr(losses()["mape"](like="keras")) == "MAPE(like='keras', eps=1e-07)"


def test_rows_that_a_library_divides_by_their_sum_are_no_mistake(capsys):
    """The warning of losscalc says that it does not."""
    words = ["kl", "-i", "[[0.3,0.3]]", "-t", "[[0.5,0.1]]"]
    assert cli.run(words) == 0
    assert "do not sum to 1" in capsys.readouterr().err
    assert cli.run([*words, "--like", "torchmetrics"]) == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_digits_are_those_of_the_library_too(row):
    """With 20 digits, of which the first are those of float64."""
    exact = losscalc.compute(row.loss, **row.arguments, like=row.library, digits=20)
    assert float(exact) == pytest.approx(float(computed(row)), rel=1e-10)


def test_search_finds_that_no_convention_was_meant(run):
    """The number of losscalc itself, expected of the command with a library: 100 of one element, by hand."""
    words = ["bce", "-i", "0,1", "-t", "1,1", "--like", "keras"]
    assert "--suppose no-like" in run(*words, "--expect", "50", code=1)
    assert float(run(*words, "--suppose", "no-like")) == 50.0


@pytest.mark.parametrize(
    ("words", "library", "value"),
    [
        # Keras 3.15.1 gives 1.192e-07 in float32, whose nearest number to 1 - 1e-7 that is.
        (["bce", "-i", "1.5", "-t", "1"], "keras", -math.log(1 - 1e-7)),
        # By hand: Σ y·ln(y / x) with y = 3/8, 1/8, 4/8 and x = 2/4, 1/4, 1/4.
        (
            ["kl", "-i", "[[2,1,1]]", "-t", "[[3,1,4]]"],
            "torchmetrics",
            3 / 8 * math.log(3 / 4) - 1 / 8 * math.log(2) + 1 / 2 * math.log(2),
        ),
    ],
)
def test_a_library_takes_what_it_changes(words, library, value, capsys):
    """Numbers outside the domain are those that it makes of them, with a warning."""
    assert cli.run([*words, "--like", library]) == 0
    out, err = capsys.readouterr()
    assert float(out) == pytest.approx(value, rel=1e-9)
    assert f"what is not is changed as {library} does" in err
    assert cli.run(words) == 4
