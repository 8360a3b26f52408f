"""The Python interface: compute, the classes, losses()."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

import losscalc
from losscalc import errors
from losscalc.core.declaration import array_arguments

X, Y = [2.0, -1.0, 0.0], [1, 0, 1]


@pytest.mark.parametrize("name", ["compute", "ShapeError", "errors"])
def test_a_public_name_is_looked_up_once(name):
    """It is there the first time, a module too, and from then on as that of any module."""
    code = f"import losscalc; first = losscalc.{name}; assert vars(losscalc)['{name}'] is first"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ways_to_say_the_same():
    """By position, by name, through the class, under PyTorch's names, with - or _."""
    expected = losscalc.BCEWithLogits()(X, Y, reduction="sum")
    assert expected == pytest.approx(1.1333368791211407, rel=1e-15)

    for name in ("bce-logits", "bce_logits", "BCEWithLogitsLoss", "binary_cross_entropy_with_logits"):
        assert losscalc.compute(name, X, Y, reduction="sum") == expected
        assert losscalc.compute(name, target=Y, input=X, reduction="sum") == expected
        assert losscalc.compute(name, X, target=Y, weight=None, reduction="sum") == expected


def test_positions_are_those_of_pytorch():
    """input, target, weight, pos_weight."""
    named = losscalc.compute("bce-logits", input=X, target=Y, weight=[1, 2, 3], pos_weight=2.0)

    assert losscalc.compute("bce-logits", X, Y, [1, 2, 3], 2.0) == named


def test_scalars_are_numpy_scalars_and_none_is_an_array():
    """Of the dtype of the input; lists and whole numbers are float64."""
    assert type(losscalc.compute("mse", [1], [3])) is np.float64
    assert type(losscalc.compute("mse", np.float32([1]), [3])) is np.float32
    assert type(losscalc.compute("mse", np.float32([1]), [3], dtype="float64")) is np.float64
    assert type(losscalc.compute("mse", [1], [3], dtype=np.float16)) is np.float16
    single = losscalc.compute("mse", np.float32([1, 2]), [3, 3], reduction="none")
    assert (single.dtype, single.tolist()) == (np.float32, [4.0, 1.0])
    assert losscalc.compute("mse", 1.0, 3.0, reduction="none") == 4.0


def test_parameters_go_to_the_class():
    """And are checked there."""
    scores, classes = [[2.0, 1.0, 0.0]], [0]

    assert losscalc.compute("cross-entropy", scores, classes, label_smoothing=0.1) == (
        losscalc.CrossEntropy(label_smoothing=0.1)(scores, classes)
    )
    shown = "CrossEntropy(class_axis=None, shift=False, ignore_index=-100, label_smoothing=0.0)"
    assert repr(losscalc.CrossEntropy()) == shown
    with pytest.raises(losscalc.ParameterError, match="label_smoothing must be in"):
        losscalc.CrossEntropy(label_smoothing=-0.1)
    with pytest.raises(losscalc.ParameterError, match="whole number"):
        losscalc.NLL(ignore_index=0.5)


def adaptive(changed):
    """The loss of an adaptive softmax of one cluster, of whose state something was changed."""
    state = {
        "head.weight": np.ones((2, 2)),
        "tail.0.0.weight": np.ones((1, 2)),
        "tail.0.1.weight": np.ones((2, 1)),
    }
    return losscalc.compute("adaptive-log-softmax", [[1.0, 2.0]], [0], state | changed)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: losscalc.compute("mee", [1], [1]), errors.UnknownLossError, "mee"),
        (lambda: losscalc.compute(3, [1], [1]), errors.UnknownLossError, "neither a loss nor a criterion"),
        (
            lambda: adaptive({"head.weight": np.ones((1, 2))}),
            errors.ShapeError,
            "1 clusters, which do not fit",
        ),
        (lambda: adaptive({"head.bias": np.ones(3)}), errors.ShapeError, r"head.bias of shape \(3,\)"),
        (lambda: losscalc.compute("mse", [1]), errors.ParameterError, "target is missing"),
        (lambda: losscalc.compute("mse", [1], [1], [1], [1]), errors.ParameterError, "takes 3 arrays"),
        (lambda: losscalc.compute("mse", [1], [1], input=[1]), errors.ParameterError, "given twice"),
        (lambda: losscalc.compute("mse", [1], [1], wieght=[1]), errors.ParameterError, "wieght"),
        (
            lambda: losscalc.compute("mse", [1], [1], reduction="avg"),
            errors.ParameterError,
            "none, mean, sum",
        ),
        (lambda: losscalc.compute("mse", [1], [1], reduction=None), errors.ParameterError, "none, mean, sum"),
        (lambda: losscalc.compute("mse", [1], [1], dtype="int8"), errors.ParameterError, "int8"),
        (lambda: losscalc.compute("mse", [1], [1], dtype="nonsense"), errors.ParameterError, "nonsense"),
        (
            lambda: losscalc.compute("bce", [1], [1], broadcast=True),
            errors.ParameterError,
            "never broadcasts",
        ),
        (lambda: losscalc.compute("mse", [[1, 2], [3]], [1]), errors.ShapeError, "ragged"),
        (lambda: losscalc.compute("mse", [1, 2, 3], [[1, 2, 3]]), errors.ShapeError, "must be equal"),
        (lambda: losscalc.compute("mse", ["a"], [1]), errors.DTypeError, "<U1"),
        (lambda: losscalc.compute("mse", [1j], [1]), errors.DTypeError, "complex128"),
        (lambda: losscalc.compute("mse", [None], [1]), errors.DTypeError, "object"),
        (lambda: losscalc.compute("mse", [True], [1]), errors.DTypeError, "bool"),
        (lambda: losscalc.compute("mse", [1e39], [0], dtype="float32"), errors.DomainError, "float32"),
        (lambda: losscalc.compute("sigmoid", [1], reduction="sum"), errors.ParameterError, "reduction"),
        (lambda: losscalc.compute("softmax", 1.0), errors.ShapeError, "0 axes"),
        (lambda: losscalc.compute("softmax", [1.0], dim=1.5), errors.ParameterError, "whole number"),
        (lambda: losscalc.compute("cross-entropy", [[1, 2]], [[1, 0]]), errors.DTypeError, "int64"),
        (lambda: losscalc.compute("cross-entropy", [[1, 2]], [True]), errors.DTypeError, "bool"),
        (lambda: losscalc.compute("cross-entropy", [[1, 2]], [np.nan]), errors.DomainError, "whole numbers"),
        (lambda: losscalc.compute("cross-entropy", [[1, 2]], [np.inf]), errors.DomainError, "whole numbers"),
        (lambda: losscalc.compute("cross-entropy", [[1, 2]], [1e300]), errors.ClassIndexError, "this large"),
        (lambda: losscalc.compute("cross-entropy", 1.0, 0), errors.ShapeError, "class axis"),
        (
            lambda: losscalc.compute("nll", [[[1, 2], [3, 4], [5, 6]]], [[0, 1, 0]]),
            errors.ShapeError,
            "shape",
        ),
    ],
)
def test_errors(call, error, text):
    """Each names what is wrong, and is a LosscalcError."""
    with pytest.raises(error, match=text) as caught:
        call()
    assert isinstance(caught.value, losscalc.LosscalcError)


def test_facts_of_an_error_are_attributes():
    """Which argument, which index, what stood there."""
    with pytest.raises(losscalc.DomainError) as caught:
        losscalc.compute("bce", [[0.5, 0.2], [0.1, 1.2]], np.zeros((2, 2)))

    error = caught.value
    assert (error.argument, error.index, error.found, error.hint) == (
        "input",
        (1, 1),
        "1.2",
        "for logits use bce-logits",
    )
    assert str(error) == "input must be in [0, 1], found 1.2 at [1, 1]"


def test_warnings_are_python_warnings():
    """With a category of their own."""
    with pytest.warns(losscalc.LosscalcWarning, match="every target is ignored"):
        assert np.isnan(losscalc.compute("nll", [[-1.0, -2.0]], [-100]))
    with pytest.warns(losscalc.LosscalcWarning, match="outside, the loss can be negative"):
        losscalc.compute("bce-logits", [0.0], [2.0])


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_old_flags(size_average, reduce):
    """The nine combinations, as PyTorch documents them; `reduction` loses."""
    expected = {
        (None, None): "none", (None, True): "mean", (None, False): "none",
        (True, None): "mean", (True, True): "mean", (True, False): "none",
        (False, None): "sum", (False, True): "sum", (False, False): "none",
    }[size_average, reduce]  # fmt: skip
    arguments = {"reduction": "none", "size_average": size_average, "reduce": reduce}
    if size_average is reduce is None:
        actual = losscalc.compute("mse", [1, 3], [0, 0], **arguments)
    else:
        with pytest.warns(losscalc.LosscalcWarning, match="old flags"):
            actual = losscalc.compute("mse", [1, 3], [0, 0], **arguments)
    np.testing.assert_array_equal(actual, losscalc.compute("mse", [1, 3], [0, 0], reduction=expected))


def test_broadcasting_on_request():
    """As NumPy does, where PyTorch does it with a warning."""
    actual = losscalc.compute("l1", [1, 2, 3], [[1], [2], [3]], reduction="none", broadcast=True)

    np.testing.assert_array_equal(actual, np.abs(np.subtract([1, 2, 3], [[1], [2], [3]])))


def test_the_registry_is_read_only():
    """losses() lists the classes by name; nobody can add to it by accident."""
    assert losscalc.losses()["mse"] is losscalc.MSE
    with pytest.raises(TypeError):
        losscalc.losses()["mine"] = losscalc.MSE


@pytest.mark.parametrize("cls", losscalc.losses().values())
def test_docstrings_are_complete(cls):
    """Shapes, divisor, errors, source, and an example (which the doctests run)."""
    text = cls.__doc__ or ""

    arrays = [f"`{array.name}`" for array in array_arguments(cls)]
    for part in (*arrays, "mean divides by", "Raises ", "Source: https://", ">>> "):
        assert part in " ".join(text.split()), f"say {part!r} in the docstring of {cls.__name__}"


FUNCTIONS = [
    name for name in losscalc.__all__ if inspect.isfunction(getattr(losscalc, name)) and name != "losses"
]


@pytest.mark.parametrize(
    "function", [*(getattr(losscalc, name) for name in FUNCTIONS), losscalc.testing.assert_loss]
)
def test_docstrings_of_functions(function):
    """A line, the errors, and an example (which the doctests run)."""
    first, *rest = (function.__doc__ or "").strip().split("\n\n")

    assert "\n" not in first
    assert any(part.strip().startswith("Raises ") for part in rest)
    assert ">>> " in rest[-1]
