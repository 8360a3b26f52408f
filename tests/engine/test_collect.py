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
        lambda values: values / 4.0,
        lambda values: (values / 3.0).astype(np.float32),
        lambda values: values.sum(axis=-1),
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


def test_kept_of_one_number():
    """A derivative with respect to a lone number has no rows."""
    kept = Kept(None, 1)
    kept.add(np.float64(3.0))

    assert kept.finish(lambda value: value / 2.0) == 1.5
