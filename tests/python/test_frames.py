"""What DataFrames and Series say of their columns and rows: names, dtypes and labels, which must fit."""

import datetime

import pytest

import losscalc
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
