"""What DataFrames and Series say of their columns and rows: names, dtypes and labels, which must fit."""

import datetime
import re
import warnings
from typing import Any

import numpy as np
import pytest

import losscalc
from tests.support.doubles import keras_class
from tests.support.frames import frames, hinted

DAYS = [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2)]
ZONED = [day.replace(tzinfo=datetime.UTC) for day in DAYS]
SECONDS = [datetime.timedelta(seconds=1), datetime.timedelta(seconds=2)]


@pytest.mark.parametrize("times", [DAYS, ZONED, SECONDS, [day.date() for day in DAYS]])
def test_times_are_no_numbers(times) -> None:
    """The column is named, and without it the number is that of the others."""
    for frame in frames({"when": times, "p": [3.0, 1.0], "q": [1.0, 1.0]}):
        with pytest.raises(
            losscalc.DTypeError, match=r"input must hold real numbers.* when|'when'"
        ) as caught:
            losscalc.compute("mse", frame, [[0.0, 0.0, 0.0]] * 2)
        if caught.value.hint is not None:
            # by hand: (9 + 1 + 1 + 1) / 4
            assert losscalc.compute("mse", hinted(caught.value, frame), [[0.0, 0.0]] * 2) == 3.0
    for frame in frames({"when": times, "then": times}):
        with pytest.raises(losscalc.DTypeError):
            losscalc.compute("mse", frame, [[0.0, 0.0]] * 2)


def test_times_of_a_series() -> None:
    """With a time zone NumPy has them as objects, of which pandas makes numbers."""
    pd = pytest.importorskip("pandas")
    for times in (DAYS, ZONED, SECONDS):
        with pytest.raises(losscalc.DTypeError, match="input must hold real numbers"):
            losscalc.compute("mse", pd.Series(times), [0.0, 0.0])
    categories = pd.DataFrame({"when": pd.Categorical(pd.Series(DAYS)), "p": [3.0, 1.0]})
    with pytest.raises(losscalc.DTypeError, match="column 'when' of input"):
        losscalc.compute("mse", categories, [[0.0, 0.0]] * 2)


X, Y = [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], [0, 2]


@pytest.mark.parametrize(
    ("loss", "input", "target", "name"),
    [
        ("cross-entropy", X, Y, "sample_weight"),
        ("cross-entropy", X, Y, "mask"),
        ("mse", [1.0, 2.0], [0.0, 0.0], "weight"),
        ("bce", [0.1, 0.2], [0.0, 1.0], "weight"),
        ("bce-logits", [0.1, 0.2], [0.0, 1.0], "pos_weight"),
    ],
)
def test_weights_of_rows_have_their_labels(loss, input, target, name) -> None:
    """In another order than the rows they are refused; in the same they are those of the rows."""
    pd = pytest.importorskip("pandas")
    weight = pd.Series([1.0, 0.0], index=[1, 0])
    with pytest.raises(
        losscalc.DataError, match=f"the index of {name} is not that of target: row 0 is 1"
    ) as e:
        losscalc.compute(loss, input, pd.Series(target), **{name: weight})
    assert e.value.argument == name
    ordered = losscalc.compute(loss, input, pd.Series(target), **{name: weight.sort_index()})
    assert ordered == losscalc.compute(loss, input, target, **{name: [0.0, 1.0]})


def test_weights_of_columns_have_no_rows() -> None:
    """A factor a column has the labels of columns, though there are as many rows."""
    pd = pytest.importorskip("pandas")
    scores = pd.DataFrame([[0.0, 0.0], [0.0, 0.0]], index=[7, 8], columns=["a", "b"])
    value = losscalc.compute(
        "bce-logits", scores, [[1, 0], [1, 0]], pos_weight=pd.Series([3.0, 1.0], ["a", "b"])
    )
    # by hand: ln 2 of (3 + 1) / 2
    assert value == pytest.approx(2 * 0.6931471805599453, rel=1e-15)


ORDER = "they are taken in the order in which they stand"


def test_columns_in_another_order_are_a_warning() -> None:
    """As in files; the hint, typed, gives the number of columns that stand in one order."""
    for frame in frames({"cat": [0.25, 0.5], "dog": [0.5, 0.5]}):
        for other in frames({"dog": [1.0, 0.0], "cat": [0.0, 1.0]}):
            for ask in (losscalc.compute, losscalc.explain):
                with pytest.warns(
                    losscalc.LosscalcWarning, match=f"target has the columns dog, cat.*{ORDER}"
                ) as w:
                    ask("mse", frame, other)
            with pytest.warns(losscalc.LosscalcWarning, match=ORDER):
                assert losscalc.gradient("mse", frame, other).shape == (2, 2)
            # by hand: (0.25² + 0.5² + 0.5² + 0.5²) / 4
            assert losscalc.compute("mse", frame, hinted(w[0].message, other)) == 0.203125
            assert losscalc.compute("mse", other, other) == 0.0


def test_labels_are_the_names_of_columns() -> None:
    """Numbers that columns are called by, in their own order, as in files; by hand: -ln 0.9, -ln 0.8."""
    for frame in frames({"p_1": [0.9, 0.2], "p_0": [0.1, 0.8]}):
        for labels in ([1, 0], (1.0, 0.0)):
            with pytest.warns(losscalc.LosscalcNote, match="1 means p_1, class 0"):
                single = losscalc.compute("log-loss", frame, labels, reduction="none")
            assert single == pytest.approx([0.10536051565782628, 0.2231435513142097], rel=1e-15)
        with pytest.raises(
            losscalc.DomainError, match=r"none of the columns of the input, found 7 at \[1\]"
        ) as e:
            losscalc.compute("log-loss", frame, [1, 7])
        assert e.value.hint == "there are p_1, p_0"
        with pytest.warns(losscalc.LosscalcNote, match="1 means p_1, class 0"):
            ignored = losscalc.compute("nll", frame, [-100, 0])
        assert ignored == -0.8
    for frame in frames({"p_0": [0.9, 0.2], "p_1": [0.1, 0.8]}):
        assert losscalc.compute("nll", frame, [0, 1]) == pytest.approx(-0.85)


def test_one_hot_targets_of_a_criterion() -> None:
    """Their columns are the classes in the order in which they stand; by hand: -(ln 0.9 + ln 0.8) / 2."""
    criterion = keras_class("CategoricalCrossentropy", from_logits=False)()
    for frame in frames({"1": [0.9, 0.2], "0": [0.1, 0.8]}):
        with pytest.warns(losscalc.LosscalcNote, match="1 means 1, class 0"):
            value = losscalc.compute(criterion, [[1, 0], [0, 1]], frame)
        assert value == pytest.approx(0.164252033486018, rel=1e-14)


WEIGHTS = {2: 3.0, 0: 1.0, 1: 2.0}
BY_LABEL = 0.22928600577830935
"""torch 2.13.0: CrossEntropyLoss(weight=[1, 2, 3])(X, Y) in float64."""
GIVE = re.compile("give (.*) of it")


def mended(error: losscalc.LosscalcError, series: Any) -> Any:
    """A Series as the hint of an error says that it is to be given."""
    found = GIVE.search(str(error.hint))
    assert found
    return eval(f"series{found[1]}", {"series": series})


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        (None, [2, 0, 1]),
        (None, [2.0, 0.0, 1.0]),
        (None, [3, 1, 2]),
        ("abc", ["c", "a", "b"]),
        (["p_z", "p_m", "p_a"], ["a", "z", "m"]),
        (["30", "20", "10"], [10, 30, 20]),
    ],
)
def test_weights_of_classes_have_their_labels(columns, labels) -> None:
    """In another order they are refused; the hint, typed, gives the number of those in order."""
    pd = pytest.importorskip("pandas")
    scores, classes = (X, Y) if columns is None else (pd.DataFrame(X, columns=list(columns)), Y)
    if columns == ["30", "20", "10"]:
        classes = [30, 10]
    series = pd.Series([*WEIGHTS.values()], labels)
    with pytest.raises(losscalc.DataError, match="weight is not in the order of the classes: row 0 is") as e:
        losscalc.compute("cross-entropy", scores, classes, weight=series)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = losscalc.compute("cross-entropy", scores, classes, weight=mended(e.value, series))
    assert value == pytest.approx(BY_LABEL, rel=1e-14)


def test_factors_of_columns_have_their_names() -> None:
    """Whichever of the arrays has them; by hand: 5 of softplus(-2), and softplus(1)."""
    pd = pytest.importorskip("pandas")
    scores = pd.DataFrame([[1.0, 2.0]], columns=["a", "b"])
    series = pd.Series({"b": 5.0, "a": 1.0})
    target = pd.DataFrame([[0, 1]], columns=["a", "b"])
    for first, labels in ((scores, target), (scores.to_numpy(), target), (scores, [[0, 1]])):
        with pytest.raises(losscalc.DataError, match="row 0 is 'b', and not 'a'") as e:
            losscalc.compute("bce-logits", first, labels, pos_weight=series)
        factors = mended(e.value, series)
        value = losscalc.compute("bce-logits", first, labels, pos_weight=factors)
        assert value == pytest.approx((5 * 0.1269280110429725 + 1.3132616875182228) / 2, rel=1e-14)


def test_many_names_are_not_typed() -> None:
    """But for an order that is sorted."""
    pd = pytest.importorskip("pandas")
    names = [f"n{number}" for number in range(30)]
    scores, series = pd.DataFrame(np.zeros((1, 30)), columns=names), pd.Series(1.0, names[::-1])
    with pytest.raises(losscalc.DataError) as e:
        losscalc.compute("cross-entropy", scores, [0], weight=series)
    assert e.value.hint == "bring it into the order of the columns"
    assert losscalc.compute("cross-entropy", scores, [0], weight=series[names]) == pytest.approx(np.log(30))
    with pytest.raises(losscalc.DataError) as e:
        losscalc.compute("cross-entropy", np.zeros((1, 30)), [0], weight=pd.Series(1.0, range(29, -1, -1)))
    assert e.value.hint == "give .sort_index() of it"


@pytest.mark.parametrize("labels", [["x", "y", "z"], [1, 2, 3]])
def test_weights_of_other_labels_are_a_warning(labels) -> None:
    """They are taken in the order in which they stand, without a word if they have no labels."""
    pd = pytest.importorskip("pandas")
    series = pd.Series([1.0, 2.0, 3.0], labels)
    scores = pd.DataFrame(X, columns=["a", "b", "c"])
    with pytest.warns(losscalc.LosscalcWarning, match=": these are not the classes") as w:
        value = losscalc.compute("cross-entropy", scores, Y, weight=series)
    assert value == pytest.approx(BY_LABEL, rel=1e-14)
    assert losscalc.compute("cross-entropy", scores, Y, weight=mended(w[0].message, series)) == value


def test_a_loss_keeps_no_labels() -> None:
    """So that those of its weights must be 0, 1, 2 ..."""
    pd = pytest.importorskip("pandas")
    with pytest.raises(losscalc.DataError, match="not in the order of the classes") as e:
        losscalc.CrossEntropy(weight=pd.Series(WEIGHTS))
    loss = losscalc.CrossEntropy(weight=mended(e.value, pd.Series(WEIGHTS)))
    assert loss == losscalc.CrossEntropy(weight=[1.0, 2.0, 3.0])
    series = pd.Series({"a": 1.0, "b": 2.0})
    with pytest.raises(losscalc.DataError, match="a loss keeps its weights without an index") as e:
        losscalc.CrossEntropy(weight=series)
    assert losscalc.CrossEntropy(weight=mended(e.value, series)) == losscalc.CrossEntropy(weight=[1.0, 2.0])
