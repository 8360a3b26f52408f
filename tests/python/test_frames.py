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
