"""An array (N, 1) beside (N,) is taken as (N,), where losses are of elements, and a note says so.

The right numbers are PyTorch 2.13's of two vectors; broadcast, it gives others.
"""

import json
import pickle

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.engine.sources import MemorySource
from losscalc.engine.wrappers import Column

X, Y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0])
COLUMN = X[:, np.newaxis]
TAKEN = "of shape (3, 1) is taken as (3,), as"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in a folder with the arrays as files."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", COLUMN)
    np.save("y.npy", Y)
    np.savetxt("y.csv", Y)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run(list(words))
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("name", "x", "y", "hint"),
    [
        # F.mse_loss(x.squeeze(1), y), and so on
        ("mse", COLUMN, Y, "PyTorch broadcasts the two to (3, 3), as broadcast=True does"),
        ("l1", Y, COLUMN, "PyTorch broadcasts the two to (3, 3), as broadcast=True does"),
        ("bce-logits", COLUMN, Y / 5, "PyTorch refuses the two"),
        ("soft-margin", COLUMN, np.array([1, -1, 1]), "PyTorch refuses the two"),
        ("log-loss", COLUMN / 5, np.array([1, 0, 1]), None),
    ],
)
def test_a_column_is_a_vector(name, x, y, hint) -> None:
    """With the number of two vectors, in every reduction, and the gradient in the shape of the array."""
    for reduction in ("none", "mean", "sum"):
        with pytest.warns(losscalc.LosscalcNote) as caught:
            value = losscalc.compute(name, x, y, reduction=reduction)
        expected = losscalc.compute(name, np.ravel(x), np.ravel(y), reduction=reduction)
        np.testing.assert_array_equal(value, expected)
    (note,) = {str(one.message): one.message for one in caught}.values()
    assert TAKEN in str(note)
    assert note.advise() == hint
    with pytest.warns(losscalc.LosscalcNote):
        slope = losscalc.gradient(name, x, y)
    assert slope.shape == np.shape(x)
    np.testing.assert_array_equal(slope.ravel(), losscalc.gradient(name, np.ravel(x), np.ravel(y)))


def test_broadcasting_is_pytorchs() -> None:
    """F.mse_loss(x, y) of (3, 1) and (3,): every input against every target."""
    assert losscalc.compute("mse", COLUMN, Y, broadcast=True) == pytest.approx(4.0)
    assert losscalc.compute("mse", COLUMN, Y, broadcast=True, reduction="none").shape == (3, 3)


def test_weights_too() -> None:
    """F.l1_loss(x, y, weight=w) of vectors: 3·2 / (1 + 2 + 3)."""
    with pytest.warns(losscalc.LosscalcNote) as caught:
        value = losscalc.compute("l1", COLUMN, Y, weight=COLUMN)
    assert value == pytest.approx(1.0)
    assert [one.message.argument for one in caught] == ["input", "weight"]


@pytest.mark.parametrize(
    ("name", "arrays"),
    [
        ("multilabel-soft-margin", (COLUMN, [0, 1, 0])),
        ("mse", (COLUMN, [1.0, 2.0])),
        ("mse", (COLUMN[np.newaxis], X)),
        ("mse", (X[np.newaxis], X)),
        ("cross-entropy", ([[1.0, 2.0], [3.0, 4.0]], [[0], [1]])),
        ("cross-entropy", ([1.0, 2.0, 3.0], [[0], [1], [2]])),
    ],
)
def test_nothing_else_is(name, arrays) -> None:
    """A row of classes is no column of rows; other lengths and axes are refused as before."""
    with pytest.raises(losscalc.ShapeError):
        losscalc.compute(name, *arrays)


@pytest.mark.parametrize("target", ["y.npy", "y.csv"])
def test_files(target, run) -> None:
    """The note is told on standard error, with the file; -q silences it, and -W error lets it be."""
    code, out, err = run("mse", "-i", "x.npy", "-t", target)
    assert (code, float(out)) == (0, pytest.approx(4 / 3))
    assert err == (
        "losscalc: note: x.npy: --input of shape (3, 1) is taken as (3,), as --target is\n"
        "  hint: PyTorch broadcasts the two to (3, 3), as --broadcast does\n"
    )
    assert run("mse", "-i", "x.npy", "-t", target, "-q") == (0, out, "")
    assert run("mse", "-i", "x.npy", "-t", target, "-W", "error") == (0, out, err)
    assert float(run("mse", "-i", "x.npy", "-t", "y.npy", "--broadcast")[1]) == pytest.approx(4.0)


@pytest.mark.parametrize("view", [["--stats"], ["--worst", "1"], ["--explain"], ["--expect", "1.3333333333"]])
def test_views(view, run) -> None:
    """Every view of the result is of the vectors."""
    code, out, err = run("mse", "-i", "x.npy", "-t", "y.npy", *view)
    assert (code, err.count("note")) == (0, 1)
    assert "1.33" in out or "4" in out


def test_a_column_read_in_pieces(run) -> None:
    """More rows than a block, from a pattern of files, and the place of what is wrong."""
    rows = np.linspace(0.01, 0.99, 300_000)
    labels = (np.arange(300_000) % 2).astype(float)
    for part, some in enumerate(np.split(rows, 3)):
        np.save(f"p-{part}.npy", some[:, np.newaxis])
    np.save("l.npy", labels)
    _, out, _ = run("bce", "-i", "p-*.npy", "-t", "l.npy", "-q")
    assert float(out) == losscalc.compute("bce", rows, labels)
    rows[250_000] = 1.5
    np.save("p-2.npy", rows[200_000:, np.newaxis])
    _, _, err = run("bce", "-i", "p-*.npy", "-t", "l.npy", "-q")
    assert err.startswith("losscalc: error: p-2.npy[50000]: --input must be in [0, 1], found 1.5")


def test_a_column_is_a_source() -> None:
    """It is opened elsewhere by its recipe, from any row on."""
    column = Column(MemorySource(COLUMN))
    recipe, start = column.narrowed(1, 2)
    again = pickle.loads(pickle.dumps(recipe))()
    again.skip(start)
    assert (again.shape, again.can_skip, again.take(2).values.tolist()) == ((3,), True, [2.0, 3.0])
    assert pickle.loads(pickle.dumps(column.recipe))().whole().tolist() == X.tolist()


def test_lists_of_json(run, tmp_path) -> None:
    """As Keras writes predictions: a list of lists of one."""
    (tmp_path / "p.json").write_text(json.dumps(COLUMN.tolist()))
    assert float(run("mse", "-i", "p.json", "-t", "1,2,5")[1]) == pytest.approx(4 / 3)
