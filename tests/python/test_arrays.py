"""Arrays of any library: by what they can do, with the libraries where they are installed."""

import array
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import losscalc
from tests.support.doubles import OnGpu, Packed, Series, Tensor
from tests.support.frames import frames, hinted

X, Y = [2.0, -1.0, 0.0], [1, 0, 1]
# torch 2.13.0, BCEWithLogitsLoss()(x, y) in float64
BCE = 0.37777895970704714


@pytest.mark.parametrize(
    "values",
    [
        X,
        tuple(X),
        np.array(X),
        array.array("d", X),
        memoryview(np.array(X)),
        Tensor(X),
        Tensor(X, grad=True),
        Packed(X),
        Series(X, "abc"),
        [np.float64(x) for x in X],
    ],
    ids=lambda values: type(values).__name__,
)
def test_anything_is_an_array(values) -> None:
    """The number of PyTorch, whatever holds the logits; and the gradient, (σ(x) - y) / 3."""
    assert losscalc.compute("bce-logits", values, Y) == pytest.approx(BCE, rel=1e-14)
    slope = (1 / (1 + np.exp(-np.array(X))) - Y) / 3
    np.testing.assert_allclose(losscalc.gradient("bce-logits", values, Y), slope, rtol=1e-14)
    assert losscalc.check("bce-logits", values, Y, expected=0.3778)


def test_bfloat16_is_read_as_float32() -> None:
    """torch 2.13.0: MSELoss of bfloat16(0.1, 0.7, -1.3), as float, and 1, 2, 3."""
    rounded = [0.10009765625, 0.69921875, -1.296875]
    value = losscalc.compute("mse", Tensor(rounded, dtype="torch.bfloat16", grad=True), [1.0, 2.0, 3.0])
    assert type(value) is np.float32
    assert value == pytest.approx(6.988330364227295, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "problem", "hint"),
    [
        (Tensor(X, device="cuda"), "input is on cuda:0, and not in main memory", "give .cpu() of it"),
        (Packed(X, device=2), "input is on another device", "copy it to main memory first"),
        (np.ma.masked_array(X, [0, 1, 0]), "must not be masked", "array[~mask]"),
        ([np.ma.masked_array(X, [0, 1, 0])], "must not be masked", "array[~mask]"),
        ([[[np.ma.masked_array(X, [0, 1, 0])]]], "must not be masked", "array[~mask]"),
        ((np.ma.masked_array(X[:2], [0, 1]), np.zeros(2)), "must not be masked", "array[~mask]"),
        (bytearray(b"123"), "must hold real numbers, found '3 bytes'", "numpy.frombuffer(..., dtype)"),
        (b"123", "must hold real numbers, found '3 bytes'", "numpy.frombuffer(..., dtype)"),
        (
            [Decimal(2), Decimal(-1), Decimal(0)],
            "'dtype object'",
            "give numpy.asarray(..., dtype=float) of it",
        ),
        ([2.0, None, 0.0], "'dtype object'", "in which what is missing is NaN"),
        ([Tensor(2.0, grad=True)] * 3, "requires grad", "as in torch.stack(...)"),
        ([Tensor(2.0, dtype="torch.bfloat16")] * 3, "BFloat16", "as in torch.stack(...)"),
        (["a", "b", "c"], "must hold real numbers, found 'dtype <U1'", ""),
        ([[1.0], [2.0, 3.0], [1.0]], "ragged", ""),
        ({1.0, 2.0}, "must hold real numbers, found 'dtype object'", ""),
    ],
)
def test_what_is_refused(values, problem, hint) -> None:
    """With a word on what to do."""
    with pytest.raises(losscalc.DataError) as caught:
        losscalc.compute("bce-logits", values, Y)
    assert problem in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_a_gpu_array_without_a_cpu_method() -> None:
    """As CuPy has them."""

    with pytest.raises(losscalc.DTypeError, match=r"on a GPU") as caught:
        losscalc.compute("bce-logits", OnGpu(X), Y)
    assert caught.value.hint == "give .get() of it"
    assert losscalc.compute("bce-logits", OnGpu(X).get(), Y) == pytest.approx(BCE, rel=1e-14)


def test_two_indexes_that_differ_are_refused() -> None:
    """The same labels in another order are other rows; an array without labels has its order."""
    with pytest.raises(losscalc.DataError, match="row 1 is 7 here, and 5 there") as caught:
        losscalc.compute("bce-logits", Series(X, [3, 5, 7]), Series(Y, [3, 7, 5]))
    assert (caught.value.argument, caught.value.index) == ("target", (1,))
    same = losscalc.compute("bce-logits", Series(X, [3, 5, 7]), Series(Y, [3, 5, 7]))
    assert same == losscalc.compute("bce-logits", Series(X, [3, 5, 7]), Y) == pytest.approx(BCE, rel=1e-14)
    # Weights a class have no rows to be compared.
    weighted = losscalc.compute(
        "cross-entropy", Series([[2.0, 1.0], [0.0, 3.0]], [1, 2]), [0, 1], Series([1.0, 2.0], "ab")
    )
    assert weighted == losscalc.compute("cross-entropy", [[2.0, 1.0], [0.0, 3.0]], [0, 1], [1.0, 2.0])


def test_arrow() -> None:
    """Arrays, chunked ones, and lists of fixed size; a missing number is NaN."""
    pa = pytest.importorskip("pyarrow")
    assert losscalc.compute("bce-logits", pa.array(X), pa.chunked_array([[1, 0], [1]])) == pytest.approx(BCE)
    rows = pa.array([[2.0, 1.0], [0.0, 3.0]], pa.list_(pa.float64(), 2))
    plain = losscalc.compute("cross-entropy", [[2.0, 1.0], [0.0, 3.0]], [0, 1])
    assert losscalc.compute("cross-entropy", rows, pa.array([0, 1])) == plain
    with pytest.warns(losscalc.LosscalcWarning, match="not finite, found nan at"):
        assert np.isnan(losscalc.compute("mse", pa.array([1.0, None]), [1.0, 1.0]))


def test_tensors_of_arrow() -> None:
    """They have the axes that their type says, permuted as it says; a missing one is NaN."""
    pa = pytest.importorskip("pyarrow")
    numbers = np.arange(12.0).reshape(2, 2, 3)
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(numbers)
    labels = [[0, 1, 0], [1, 1, 0]]
    plain = losscalc.compute("cross-entropy", numbers, labels)
    for held in (tensors, pa.chunked_array([tensors[:1], tensors[1:]])):
        assert losscalc.compute("cross-entropy", held, labels) == plain
    storage = pa.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], None], pa.list_(pa.float64(), 6))
    kind = pa.fixed_shape_tensor(pa.float64(), [2, 3], permutation=[1, 0])
    gaps = pa.ExtensionArray.from_storage(kind, storage)
    with pytest.warns(losscalc.LosscalcWarning, match="not finite, found nan"):
        found = losscalc.compute("l1", gaps, np.zeros((2, 3, 2)), reduction="none")
    # The Arrow format: of a permutation 1, 0 the rows are the columns of what is held.
    np.testing.assert_array_equal(found, [[[1, 4], [2, 5], [3, 6]], np.full((3, 2), np.nan)])


def test_masks_in_a_column() -> None:
    """Of a Series of arrays, each may have one."""
    pd = pytest.importorskip("pandas")
    rows = pd.Series([np.ma.masked_array([1.0, 99.0], [0, 1])])
    with pytest.raises(losscalc.DTypeError, match="must not be masked"):
        losscalc.compute("mse", rows, [[1.0, 1.0]])


def test_pandas() -> None:
    """Columns by themselves and together; text is named by its column."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"p": X, "y": Y, "name": ["a", "b", "c"]})
    assert losscalc.compute("bce-logits", frame["p"], frame["y"]) == pytest.approx(BCE)
    assert losscalc.compute("bce-logits", frame[["p"]], frame[["y"]]) == pytest.approx(BCE)
    with pytest.warns(losscalc.LosscalcWarning, match="not finite, found nan at"):
        assert np.isnan(losscalc.compute("mse", pd.Series([1, None], dtype="Int64"), [1.0, 1.0]))
    with pytest.raises(losscalc.DTypeError, match="a column of something else: name"):
        losscalc.compute("bce-logits", frame, frame)
    with pytest.raises(losscalc.DataError, match="row 0 is 2 here, and 0 there"):
        losscalc.compute("bce-logits", frame["p"], frame["y"][::-1])


CLASSES = {"cat": [2.0, 0.0, 1.0], "dog": [1.0, 3.0, 0.0], "cow": [0.5, 1.0, 3.0]}
WIDE = {f"c{number}": [float(number), 1.0, 2.0] for number in range(30)}


@pytest.mark.parametrize("scores", [CLASSES, WIDE], ids=["few", "many"])
@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"label": [0, 1, 2]}, "column 'label' of input has the labels of the rows, and is not data"),
        ({"id": [7, 9, 8]}, "column 'id' of input identifies rows, and is not data"),
        ({"confidence": [0.5, 0.7, 0.8]}, "column 'confidence' of input seems to be no class, by its name"),
        ({"id": [7, 9, 8], "y": [0, 1, 2]}, "column 'id' of input identifies rows, and is not data"),
    ],
)
def test_frames_are_tables(scores, place, more, why) -> None:
    """Ids and labels are no scores, as in a file; the hint, typed, gives the number of the scores alone."""
    table = {**more, **scores} if place == "before" else {**scores, **more}
    expected = losscalc.compute("cross-entropy", np.transpose([*scores.values()]), [0, 1, 2])
    found = list(frames(table))
    if not found:
        pytest.skip("no library of frames is installed")
    for frame in found:
        for ask in (losscalc.compute, losscalc.explain, losscalc.gradient):
            with pytest.raises(losscalc.DataError, match=re.escape(why)) as caught:
                ask("cross-entropy", frame, [0, 1, 2])
        assert losscalc.compute("cross-entropy", hinted(caught.value, frame), [0, 1, 2]) == expected


def test_what_frames_may_hold() -> None:
    """Names that are no labels, the only column, labels as a target, and what has no names at all."""
    for frame in frames({"x": [2.0, 0.0], "y": [1.0, 3.0]}):
        assert losscalc.compute("mse", frame, [[2.0, 1.0], [0.0, 3.0]]) == 0
        assert losscalc.compute("mse", [[2.0, 1.0], [0.0, 3.0]], frame) == 0
    for frame in frames({"p": [2.0, 0.0], "y": [1.0, 3.0]}):
        assert losscalc.compute("mse", [[2.0, 1.0], [0.0, 3.0]], frame) == 0
        assert losscalc.compute("mse", np.asarray(frame), frame) == 0
    for frame in frames({"label": [2.0, 0.0]}):
        assert losscalc.compute("mse", frame, [[2.0], [0.0]]) == 0
    for frame in frames({"id": [7, 9], "label": [1.0, 3.0]}):
        with pytest.raises(losscalc.DataError, match="column 'id' of target identifies rows") as caught:
            losscalc.compute("l1", [1.0, 3.0], frame)
        assert losscalc.compute("l1", [1.0, 3.0], hinted(caught.value, frame)) == 0


def test_a_frame_of_nothing_but_ids() -> None:
    """One of them may be meant, and is taken alone."""
    for frame in frames({"id": [7, 9], "row": [1, 2]}):
        with pytest.raises(losscalc.DataError, match="column 'id' of input identifies rows") as caught:
            losscalc.compute("l1", frame, [[7, 1], [9, 2]])
        way = str(caught.value.hint).removeprefix("if one of the columns is meant, give it alone, as ")
        assert losscalc.compute("l1", eval(way, {"df": frame, "table": frame}), [7, 9]) == 0


def test_the_first_column_of_a_frame_that_counts() -> None:
    """It is the index of the rows, as in a file."""
    for frame in frames({"n": [0.0, 1.0, 2.0, 3.0, 4.0], "p": [1.0] * 5, "q": [2.0] * 5}):
        with pytest.raises(losscalc.DataError, match="column 'n' of input counts the rows") as caught:
            losscalc.compute("softmax", frame)
        assert losscalc.compute("softmax", hinted(caught.value, frame)).shape == (5, 2)


def test_torch() -> None:
    """Tensors that need a gradient, of bfloat16, and as the expected value."""
    torch = pytest.importorskip("torch")
    x = torch.tensor(X, requires_grad=True)
    loss = torch.nn.BCEWithLogitsLoss()(x, torch.tensor([1.0, 0.0, 1.0]))
    assert losscalc.check("bce-logits", x, torch.tensor(Y), expected=loss)
    (slope,) = torch.autograd.grad(loss, x)
    assert losscalc.check("bce-logits", x, torch.tensor(Y), expected=slope, wrt="input")
    assert losscalc.compute("bce-logits", x.bfloat16(), Y) == pytest.approx(BCE, rel=1e-6)
    with pytest.raises(losscalc.DTypeError, match="meta"):
        losscalc.compute("bce-logits", x.to("meta"), Y)


WEIGHTED = [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 0.0]], [0, 2, 1]


def test_weights_as_pytorchs_classes_take_them() -> None:
    """torch 2.13.0: CrossEntropyLoss(weight=w)(x, y), and BCEWithLogitsLoss(pos_weight=3)."""
    loss = losscalc.CrossEntropy(weight=[1.0, 2.0, 4.0])
    assert loss(*WEIGHTED) == pytest.approx(0.4015685215408608, rel=1e-14)
    assert loss == losscalc.CrossEntropy(weight=np.array([1, 2, 4]))
    assert loss != losscalc.CrossEntropy()
    assert {loss: 1}[losscalc.CrossEntropy(weight=(1, 2, 4))] == 1
    assert repr(loss).endswith("weight=(1.0, 2.0, 4.0))")
    assert losscalc.compute(loss, *WEIGHTED) == loss(*WEIGHTED)
    value = losscalc.BCEWithLogits(pos_weight=3.0)(X, Y)
    assert value == pytest.approx(0.924495754108992, rel=1e-14)
    with pytest.raises(losscalc.ParameterError, match="given twice"):
        loss(*WEIGHTED, [1, 1, 1])
    with pytest.raises(losscalc.ParameterError, match="no argument of that name"):
        losscalc.Hinge(weight=[1.0])


def test_balanced_weights() -> None:
    """n / (C·n_c) by hand: of 0, 0, 1 that is 3/4 and 3/2; negatives over positives: 2."""
    scores, classes = [[2.0, 1.0], [1.0, 1.0], [0.0, 3.0]], [0, 0, 1]
    by_hand = losscalc.compute("cross-entropy", scores, classes, [0.75, 1.5])
    assert losscalc.compute("cross-entropy", scores, classes, weight="balanced") == by_hand
    assert losscalc.CrossEntropy(weight="balanced")(scores, classes) == by_hand
    assert losscalc.check("cross-entropy", scores, classes, weight="balanced", expected=by_hand)
    two = losscalc.compute("bce-logits", X, [0, 0, 1], pos_weight=2.0)
    assert losscalc.compute("bce-logits", X, [0, 0, 1], pos_weight="balanced") == two
    with pytest.raises(losscalc.UsageError, match="cannot be balanced"):
        losscalc.compute("mse", X, Y, weight="balanced")
    with pytest.raises(losscalc.UsageError, match="cannot be balanced"):
        losscalc.compute("l1", "balanced", Y)


def test_misspelt_arguments_are_known() -> None:
    """Those of all losses as well as its own."""
    with pytest.raises(losscalc.ParameterError) as caught:
        losscalc.compute("mse", X, X, reductoin="sum")
    assert caught.value.__notes__ == ["hint: did you mean reduction?"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"reduction": "avg"}, "did you mean mean?"),
        ({"reduction": "nnoe"}, "did you mean none?"),
        ({"dtype": "flota32"}, "did you mean float32?"),
        ({"wrt": "inptu"}, "did you mean input?"),
        ({"reduction": 3}, None),
    ],
)
def test_misspelt_words_are_known(arguments, hint) -> None:
    """As on the command line."""
    with pytest.raises(losscalc.ParameterError, match="must be one of") as caught:
        losscalc.gradient("mse", X, X, **arguments)
    assert caught.value.hint == hint


@pytest.mark.parametrize("path", ["x.npy", Path("x.npy")])
def test_files_are_not_read(path) -> None:
    """A path is no array of one text: the message says who reads files."""
    with pytest.raises(losscalc.DTypeError, match=r"command line alone, found 'x\.npy'") as caught:
        losscalc.compute("mse", path, X)
    assert caught.value.hint == "read the file first, as in numpy.load('x.npy')"


def test_the_expected_array_is_called_as_it_is_given() -> None:
    """Python has no argument `expect`."""
    with pytest.raises(losscalc.ShapeError, match=r"^expected has shape \(3,\)") as caught:
        losscalc.check("mse", X, X, expected=X)
    assert caught.value.argument == "expected"
