"""Criteria of other libraries as losses: stand-ins for them, and their own where they are installed."""

import functools
import sys

import numpy as np
import pytest

import losscalc
from losscalc.core.registry import operations
from tests.support.doubles import function, keras_class, torch_module

SCORES = [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 0.0]]
CLASSES = [0, 2, 1]
CHANCES = [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.3, 0.6, 0.1]]
A, B = [2.0, -1.0, 0.5], [1.0, 0.0, 1.0]

CrossEntropyLoss = torch_module()

# torch 2.13.0, of SCORES and CLASSES in float64: CrossEntropyLoss of
TORCH = [
    ({}, 0.4798155960196391),
    ({"weight": [1.0, 2.0, 4.0]}, 0.4015685215408608),
    ({"weight": [1.0, 2.0, 4.0], "label_smoothing": 0.1}, 0.5093932289887386),
    ({"reduction": "sum", "ignore_index": 1}, 0.5774519840006661),
]


@pytest.mark.parametrize(("settings", "expected"), TORCH)
def test_an_object_of_torch(settings, expected) -> None:
    """All parameters, the weight, and the reduction are read; an argument of the call counts more."""
    criterion = CrossEntropyLoss(**settings)
    assert losscalc.compute(criterion, SCORES, CLASSES) == pytest.approx(expected, rel=1e-14)
    assert losscalc.check(criterion, input=SCORES, target=CLASSES, expected=round(expected, 4))
    assert losscalc.compute(criterion, SCORES, CLASSES, reduction="none").shape == (3,)


def test_the_library_is_not_imported() -> None:
    """It is the user who has imported it, or has not."""
    before = {name.partition(".")[0] for name in sys.modules}
    losscalc.compute(CrossEntropyLoss(), SCORES, CLASSES)
    after = {name.partition(".")[0] for name in sys.modules}
    assert not {"torch", "keras", "optax", "jax", "sklearn"} & (after - before)


@pytest.mark.parametrize(
    ("name", "defaults", "settings", "arrays", "expected"),
    [
        # keras 3.15.1 on JAX 0.10 in float32, of (y_true, y_pred)
        ("SparseCategoricalCrossentropy", {"from_logits": False, "ignore_class": None, "axis": -1},
         {"from_logits": True}, (CLASSES, SCORES), 0.47981560230255127),
        ("CategoricalCrossentropy", {"from_logits": False, "label_smoothing": 0.0, "axis": -1},
         {"from_logits": True, "label_smoothing": 0.1}, (np.eye(3)[CLASSES], SCORES), 0.5798156261444092),
        ("Huber", {"delta": 1.0}, {"delta": 0.5}, (B, A), 0.2916666865348816),
        ("Tversky", {"alpha": 0.5, "beta": 0.5, "axis": None}, {"alpha": 0.3, "beta": 0.7},
         ([[1.0, 0.0], [1.0, 1.0]], [[0.8, 0.1], [0.4, 0.9]]), 0.1393442153930664),
        # One-hot rows, for losses of one class a row
        ("CategoricalCrossentropy", {"from_logits": False, "label_smoothing": 0.0, "axis": -1}, {},
         (np.eye(3)[CLASSES], CHANCES), 0.4080584943294525),
        ("CategoricalHinge", {}, {}, (np.eye(3)[CLASSES], SCORES), 0.3333333432674408),
        ("CategoricalFocalCrossentropy", {"alpha": 0.25, "gamma": 2.0, "from_logits": False},
         {"from_logits": True}, (np.eye(3)[CLASSES], SCORES), 0.25 * 0.11249437183141708),
    ],
)  # fmt: skip
def test_an_object_of_keras(name, defaults, settings, arrays, expected) -> None:
    """Arrays in its order, the truth first, or by its names."""
    criterion = keras_class(name, **defaults)(**settings)
    assert losscalc.compute(criterion, *arrays) == pytest.approx(expected, rel=1e-6)
    assert losscalc.compute(criterion, y_pred=arrays[1], y_true=arrays[0]) == losscalc.compute(
        criterion, *arrays
    )


@pytest.mark.parametrize(
    ("module", "name", "code", "keywords", "arrays", "expected"),
    [
        # optax 0.2.8 in float32, its losses averaged
        ("optax.losses._regression", "huber_loss", "predictions, targets=None, *, delta=1.0", {"delta": 0.3},
         (A, B), 0.20500001311302185),
        ("optax.losses._classification", "softmax_cross_entropy_with_integer_labels",
         "logits, labels, axis=-1, where=None", {}, (SCORES, CLASSES), 0.4798155725002289),
        # scikit-learn 1.9.1
        ("sklearn.metrics._classification", "log_loss",
         "y_true, y_proba=None, *, normalize=True, sample_weight=None, labels=None", {},
         (CLASSES, [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.3, 0.6, 0.1]]), 0.4080585038811519),
        ("sklearn.metrics._regression", "mean_pinball_loss",
         "y_true, y_pred, *, sample_weight=None, alpha=0.5, multioutput='uniform_average'", {}, (B, A),
         0.4166666666666667),
        # torch 2.13.0
        ("torch.nn.functional", "cross_entropy",
         "input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', "
         "label_smoothing=0.0", {"weight": [1.0, 2.0, 4.0], "reduction": "sum"}, (SCORES, CLASSES),
         2.8109796507860256),
    ],
)  # fmt: skip
def test_functions(module, name, code, keywords, arrays, expected) -> None:
    """By their names, with parameters of functools.partial."""
    criterion = function(module, name, code)
    criterion = functools.partial(criterion, **keywords) if keywords else criterion
    assert losscalc.compute(criterion, *arrays) == pytest.approx(expected, rel=1e-6)


def test_rows_that_are_not_one_hot() -> None:
    """Logits may have them; probabilities would be taken for questions of their own."""
    spread = [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    criterion = keras_class("CategoricalCrossentropy", from_logits=False)
    # Half of the first label is on a score that is lower by 1.
    expected = TORCH[0][1] + 0.5 / 3
    assert losscalc.compute(criterion(from_logits=True), spread, SCORES) == pytest.approx(expected)
    with pytest.raises(losscalc.ParameterError, match="some row is not one-hot"):
        losscalc.compute(criterion(), spread, CHANCES)


def test_a_quantile_by_the_name_of_sklearn() -> None:
    """scikit-learn 1.9.1: 0.9 of what is too small, 0.1 of what is too large."""
    code = "y_true, y_pred, *, sample_weight=None, alpha=0.5, multioutput='uniform_average'"
    found = functools.partial(function("sklearn.metrics._regression", "mean_pinball_loss", code), alpha=0.9)
    assert losscalc.compute(found, [1.0, 4.0], [2.0, 2.0]) == pytest.approx((0.1 * 1 + 0.9 * 2) / 2)


def test_an_activation_of_torch() -> None:
    """With its axis; PyTorch 2.13.0 gives the same."""
    torch = pytest.importorskip("torch")
    found = losscalc.compute(torch.nn.Softmax(dim=0), SCORES)
    np.testing.assert_allclose(found, torch.softmax(torch.tensor(SCORES, dtype=torch.float64), 0), rtol=1e-14)


def other() -> object:
    """An object of a class of the user's own."""

    class Mine(CrossEntropyLoss):
        def forward(self, input: object, target: object) -> object:
            """Twice the loss."""
            return 2

    return Mine()


@pytest.mark.parametrize(
    ("criterion", "arrays", "problem"),
    [
        (lambda x, y: 0, 2, "neither a loss nor a criterion that is known, found '<lambda>'"),
        (other(), 2, "neither a loss nor a criterion that is known, found 'Mine'"),
        (3, 2, "neither a loss nor a criterion that is known, found 'int'"),
        (CrossEntropyLoss, 2, "a class is no criterion yet, found 'CrossEntropyLoss'"),
        # What is half the square there, and whose name is that of the square elsewhere
        (function("optax.losses._regression", "l2_loss", "predictions, targets=None"), 2, "no loss is known"),
        # Probabilities, where only the loss of logits is known
        (keras_class("BinaryFocalCrossentropy", from_logits=False)(), 2, "no loss is known to be as keras"),
        # What changes the number, and the loss does not have
        (keras_class("BinaryCrossentropy", label_smoothing=0.0)(label_smoothing=0.1), 2, "label_smoothing"),
        (keras_class("MeanSquaredError")(reduction="sum"), 2, "keras takes the mean of each row before"),
        # p and q: either might be the target
        (
            function("torchmetrics.functional", "kl_divergence", "p, q, log_prob=False"),
            2,
            "how kl_divergence",
        ),
    ],
)
def test_what_is_not_known_is_refused(criterion, arrays, problem) -> None:
    """A number of another loss would be worse than none."""
    with pytest.raises(losscalc.UsageError) as caught:
        losscalc.compute(criterion, *[A, B][:arrays])
    assert problem in str(caught.value)


def test_a_subclass_that_computes_the_same() -> None:
    """What is added to it does not matter."""

    class Named(CrossEntropyLoss):
        title = "mine"

    assert losscalc.compute(Named(), SCORES, CLASSES) == pytest.approx(TORCH[0][1], rel=1e-14)


def test_classes_and_objects_of_losscalc() -> None:
    """By hand: (2 - 1)² / 2 and so on; parameters beside a class, and in an object."""
    assert losscalc.compute(losscalc.MSE, [2.0, 1.0], [1.0, 1.0]) == 0.5
    assert losscalc.compute(losscalc.Huber, [3.0], [1.0], delta=0.5) == losscalc.compute(
        losscalc.Huber(delta=0.5), [3.0], [1.0]
    )
    assert losscalc.compute(losscalc.Huber(delta=0.5), [3.0], [1.0]) == 0.5 * (2 - 0.25)
    assert losscalc.gradient(losscalc.MSE(), [2.0], [1.0]) == [2.0]


def test_a_name_with_another_meaning_gets_a_note() -> None:
    """As on the command line."""
    example = losscalc.Contrastive.example
    with pytest.warns(losscalc.LosscalcNote, match="ContrastiveLoss is taken as contrastive; others mean"):
        losscalc.compute("ContrastiveLoss", **example)


def test_every_criterion_of_torch_is_read() -> None:
    """Each class of torch.nn with its own defaults is the loss with its own defaults."""
    torch = pytest.importorskip("torch")
    without = {"AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss"}
    from losscalc.catalogue.criterion import Criterion

    for cls in operations().values():
        if cls.torch and cls.reductions and cls.library == "torch.nn" and cls.torch not in without:
            found, rest = Criterion.of(getattr(torch.nn, cls.torch)()).read()
            assert found == cls(), cls
            assert rest == {"reduction": "mean"} | {k: None for k in rest if k != "reduction"}


def test_functions_in_c_of_torch() -> None:
    """The numbers of PyTorch itself, whose functions in C have no signature."""
    torch = pytest.importorskip("torch")
    x = torch.tensor([[0.3, -1.2, 0.7]])
    logsigmoid = torch.nn.functional.logsigmoid
    for given, expected in [
        (torch.sigmoid, torch.sigmoid(x)),
        (logsigmoid, logsigmoid(x)),
        (functools.partial(torch.softmax, dim=1), torch.softmax(x, 1)),
    ]:
        np.testing.assert_allclose(losscalc.compute(given, x), expected, rtol=1e-6)
    with pytest.raises(losscalc.UnknownLossError):
        losscalc.compute(torch.erf, x)
    with pytest.raises(losscalc.UnknownLossError):
        losscalc.compute(print, x)


def test_distances_of_torch_get_arrays() -> None:
    """A module of PyTorch takes tensors only: what it says comes as an error of losscalc."""
    torch = pytest.importorskip("torch")
    criterion = torch.nn.TripletMarginWithDistanceLoss(distance_function=torch.nn.PairwiseDistance(p=1))
    with pytest.raises(losscalc.DTypeError, match="the distance function failed: ") as caught:
        losscalc.compute(criterion, A, A, B)
    assert caught.value.hint == "it gets two arrays of NumPy, of float64"


def test_weights_inside_a_criterion_of_torch() -> None:
    """The numbers of PyTorch itself, whose criteria have a matrix, or the clusters, inside."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x, y = torch.randn(5, 4), torch.tensor([0, 2, 1, 5, 3])
    adaptive = torch.nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], div_value=2.0, head_bias=True)
    assert losscalc.compute(adaptive, x, y) == pytest.approx(adaptive(x, y).loss.item(), rel=1e-6)
    linear = torch.nn.LinearCrossEntropyLoss(4, 6, bias=True, label_smoothing=0.1, reduction="sum")
    assert losscalc.compute(linear, x, y) == pytest.approx(linear(x, y).item(), rel=1e-6)


def test_functions_of_sklearn() -> None:
    """The numbers of scikit-learn itself."""
    metrics = pytest.importorskip("sklearn.metrics")
    for name in ("mean_squared_error", "mean_absolute_error", "mean_pinball_loss", "root_mean_squared_error"):
        criterion = getattr(metrics, name)
        assert losscalc.compute(criterion, B, A) == pytest.approx(criterion(B, A), rel=1e-14)
