"""Arrays that come block by block: joined, and changed part by part, whatever is known of their rows."""

import numpy as np
import pytest

from losscalc.engine.collect import Kept

ROWS = np.arange(300_000.0).reshape(-1, 2)


@pytest.mark.parametrize("rows", [None, len(ROWS), len(ROWS) + 7])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "change",
    [
        lambda values, out=None: values / 4.0,
        lambda values, out=None: np.divide(values, 4.0, out=out),
        lambda values, out=None: (values / 3.0).astype(np.float32),
        lambda values, out=None: values.sum(axis=-1),
        None,
    ],
)
def test_kept(rows, threads, change):
    """The whole is what NumPy makes of it, also where rows were left out; what was given stays as it is."""
    for pieces in (np.split(ROWS, [1, 70_000, 70_000]), [ROWS]):
        given = [piece.copy() for piece in pieces]
        kept = Kept(rows, threads)
        for piece in given:
            kept.add(piece)
        whole = kept.finish(change)
        expected = ROWS if change is None else change(ROWS)

        assert whole.dtype == expected.dtype
        assert np.array_equal(whole, expected)
        assert all(map(np.array_equal, given, pieces))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_kept_in_any_order(order):
    """Threads put what they have to its place when they have it; rows at the end may be missing."""
    starts = [0, 1, 70_000, 150_000]
    kept = Kept(len(ROWS) + 7, 1)
    for number in order:
        kept.put(ROWS[starts[number] : starts[number + 1]], starts[number])

    assert np.array_equal(kept.finish(None), ROWS)


def test_kept_of_one_number():
    """A derivative with respect to a lone number has no rows."""
    kept = Kept(None, 1)
    kept.add(np.float64(3.0))

    assert kept.finish(lambda value: value / 2.0) == 1.5
