"""Sequences of tokens: which positions count, and scores against the label after them.

The numbers are PyTorch's where it is installed, of the slices that causal language models take; where it is
not, they are those of the same slices here.
"""

import itertools
import json

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.core.declaration import array_arguments, parameters
from losscalc.engine import block
from losscalc.insight.call import simplified
from tests.support.calls import call

RNG = np.random.default_rng(12)
X = RNG.normal(size=(3, 5, 4))
Y = RNG.integers(0, 4, (3, 5))
Y[0, 2] = -100
MASK = RNG.permuted(np.resize([0, 1, 1], (3, 5)), axis=1)
PADDED = np.where(MASK == 0, 999, Y)
"""Labels that are none where they do not count."""
ROWS = {"sample_weight": RNG.random((3, 5)), "weight": RNG.random(4)}
NAMES = ["cross-entropy", "nll", "perplexity"]


def scores(name: str, x: np.ndarray = X) -> np.ndarray:
    """Logits, or their log-softmax where that is what a loss takes."""
    return losscalc.compute("log-softmax", x, dim=-1) if name == "nll" else x


def test_who_has_them() -> None:
    """These losses, each with both, and no other."""
    for name, cls in losscalc.losses().items():
        has_mask = "masks" in {array.role.kind for array in array_arguments(cls)}
        has_shift = "shift" in {parameter.name for parameter in parameters(cls)}
        assert has_mask == has_shift == (name in NAMES)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("shift", "masked", "weighted"), [*itertools.product([False, True], repeat=3)])
@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parity
def test_numbers_and_gradients_of_pytorch(
    soft: bool, shift: bool, masked: bool, weighted: bool, axis: int
) -> None:
    """Slices of logits and labels, the positions that count picked out by hand."""
    torch = pytest.importorskip("torch")
    labels = RNG.dirichlet(np.ones(4), (3, 5)) if soft else Y
    x = torch.tensor(X, requires_grad=True)
    kept = [
        torch.tensor(a)[:, 1:] if shift else torch.tensor(a) for a in (labels, MASK, ROWS["sample_weight"])
    ]
    logits, (target, counts, factor) = x[:, :-1] if shift else x, kept
    weight = torch.tensor(ROWS["weight"]) if weighted else None
    single = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), target.flatten(0, 1), weight, reduction="none"
    ).reshape(logits.shape[:2])
    divisor = torch.ones_like(single)
    if not soft:
        own = divisor if weight is None else weight[target.clamp(min=0)]
        divisor = torch.where(target == -100, 0.0, own)
    whether = counts if masked else torch.ones_like(counts)
    times = (factor if weighted else 1.0) * whether
    mean = (single * times).sum() / (divisor * times).sum()
    mean.backward()

    given = {"mask": MASK} if masked else {}
    given |= ROWS if weighted else {}
    target = labels if soft or not masked else PADDED
    arrays = [np.moveaxis(a, -1, 1) if axis == 1 and a.ndim == 3 else a for a in (X, target)]
    options = {"class_axis": axis, "shift": shift, **given}
    none = losscalc.compute("cross-entropy", *arrays, **options, reduction="none")
    np.testing.assert_allclose(none, (single * times).detach(), rtol=1e-13, atol=1e-15)
    assert losscalc.compute("cross-entropy", *arrays, **options) == pytest.approx(mean.item(), rel=1e-13)
    slope = losscalc.gradient("cross-entropy", *arrays, **options)
    expected = np.moveaxis(x.grad.numpy(), -1, 1) if axis == 1 else x.grad.numpy()
    np.testing.assert_allclose(slope, expected, rtol=1e-11, atol=1e-16)
    if not soft and not weighted:
        found = losscalc.compute("perplexity", *arrays, **options)
        assert found == pytest.approx(mean.exp().item(), rel=1e-13)
        slope = losscalc.gradient("perplexity", *arrays, **options)
        np.testing.assert_allclose(slope, expected * mean.exp().item(), rtol=1e-11, atol=1e-16)
        arrays[0] = losscalc.compute("log-softmax", arrays[0], dim=axis)
        assert losscalc.compute("nll", *arrays, **options) == pytest.approx(mean.item(), rel=1e-13)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_a_shift_is_a_slice(name: str, reduction: str) -> None:
    """Of a batch and of one sequence; nothing else of the losses changes, and slopes outside are 0."""
    x, options = scores(name), {"class_axis": -1, "reduction": reduction}
    for own, labels, mask, last, first in (
        (x, PADDED, MASK, np.s_[:, :-1], np.s_[:, 1:]),
        (x[1], PADDED[1], MASK[1], np.s_[:-1], np.s_[1:]),
    ):
        found = losscalc.compute(name, own, labels, mask=mask, shift=True, **options)
        by_hand = losscalc.compute(name, own[last], labels[first], mask=mask[first], **options)
        np.testing.assert_array_equal(found, by_hand)
        slope = losscalc.gradient(name, own, labels, mask=mask, shift=True, **options)
        sliced = losscalc.gradient(name, own[last], labels[first], mask=mask[first], **options)
        np.testing.assert_array_equal(slope[last], sliced)
        assert slope.shape == own.shape
        assert np.count_nonzero(slope) == np.count_nonzero(sliced)


@pytest.mark.parametrize("name", NAMES)
def test_a_mask_ignores(name: str) -> None:
    """What it leaves out may be anything, and is counted as ignored labels are."""
    x = scores(name).copy()
    ignored = np.where(MASK == 0, -100, Y)
    expected = losscalc.compute(name, x, ignored, class_axis=-1)
    x[MASK == 0] = np.nan
    for mask in (MASK, MASK.astype(bool), MASK.astype(np.float32)):
        assert losscalc.compute(name, x, PADDED, mask=mask, class_axis=-1) == expected
    assert np.isfinite(losscalc.gradient(name, x, PADDED, mask=MASK, class_axis=-1)).all()
    with pytest.warns(losscalc.LosscalcWarning, match="every target is ignored"):
        assert np.isnan(losscalc.compute(name, x, PADDED, mask=0 * MASK, class_axis=-1))


def test_one_sample() -> None:
    """(C,) has one loss, and a mask of shape () or (1,)."""
    for mask, expected in ((1, 0.4076059644443804), ([1], 0.4076059644443804), (0, 0.0)):
        found = losscalc.compute("cross-entropy", [2.0, 1.0, 0.0], 0, mask=mask, reduction="none")
        assert found == pytest.approx(expected, rel=1e-15)


def test_the_axis_of_the_classes() -> None:
    """The last for perplexity, unless it is given; axis 1 for the others."""
    expected = np.exp(losscalc.compute("cross-entropy", X, Y, class_axis=-1))
    assert losscalc.compute("perplexity", X, Y) == pytest.approx(expected, rel=1e-14)
    moved = np.moveaxis(X, -1, 1)
    assert losscalc.compute("perplexity", moved, Y, class_axis=1) == pytest.approx(expected, rel=1e-14)
    assert losscalc.compute("cross-entropy", moved, Y, shift=True) == losscalc.compute(
        "cross-entropy", X, Y, shift=True, class_axis=-1
    )


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"input": X[0, 0], "target": 1, "shift": True}, losscalc.ShapeError, "has none"),
        ({"input": X[None], "target": Y[None], "shift": True}, losscalc.ShapeError, "has several"),
        ({"mask": MASK[:, 1:]}, losscalc.ShapeError, r"it must be \(3, 5\)"),
        ({"mask": MASK[:, 0]}, losscalc.ShapeError, r"it must be \(3, 5\)"),
        ({"mask": MASK * 0.5}, losscalc.DomainError, "one of 0 and 1"),
        ({"mask": np.where(MASK == 0, np.nan, 1.0)}, losscalc.DomainError, "one of 0 and 1"),
    ],
)
def test_what_does_not_fit(given: dict, error: type[Exception], words: str) -> None:
    """With the array or the option that is at fault."""
    with pytest.raises(error, match=words):
        losscalc.compute("perplexity", **{"input": X, "target": Y, **given})


def test_places_are_those_of_the_arrays() -> None:
    """Not of what is left of them."""
    wrong = np.where(Y == -100, 0, Y)
    wrong[2, 3] = 17
    for given, place in (((X, wrong), (2, 3)), ((X[2], wrong[2]), (3,))):
        with pytest.raises(losscalc.ClassIndexError, match="found 17") as caught:
            losscalc.compute("perplexity", *given, shift=True)
        assert caught.value.index == place


@pytest.mark.parametrize("name", NAMES)
def test_fifty_digits(name: str) -> None:
    """Begin with those of float64."""
    options = {"mask": MASK, "shift": True, "class_axis": -1}
    found = losscalc.compute(name, scores(name), PADDED, **options, digits=50)
    assert float(found) == pytest.approx(
        float(losscalc.compute(name, scores(name), PADDED, **options)), rel=1e-14
    )
    assert len(found.as_tuple().digits) >= 45


@pytest.mark.parametrize("shape", ["batch", "sequence"])
def test_blocks_do_not_matter(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is cut between sequences; one sequence, whose rows belong together, never."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(400, 6, 4)), rng.integers(0, 4, (400, 6))
    mask = rng.integers(0, 2, (400, 6))
    arrays = (x, y) if shape == "batch" else (x.reshape(-1, 4), y.reshape(-1))
    options = {"mask": mask.reshape(arrays[1].shape), "shift": True}
    whole = [losscalc.compute("perplexity", *arrays, **options, reduction=r) for r in ("none", "mean")]
    slope = losscalc.gradient("perplexity", *arrays, **options)
    monkeypatch.setattr(block, "BLOCK", 64)
    for one, reduction in zip(whole, ("none", "mean"), strict=True):
        found = losscalc.compute("perplexity", *arrays, **options, reduction=reduction)
        np.testing.assert_array_equal(found, one)
    np.testing.assert_array_equal(losscalc.gradient("perplexity", *arrays, **options), slope)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The arrays in files of the current folder."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("y.npy", PADDED)
    np.save("m.npy", MASK.astype(bool))
    rows = np.column_stack([X[1], PADDED[1], MASK[1]]).tolist()
    text = "".join(f"{','.join(map(repr, row[:4]))},{int(row[4])},{int(row[5])}\n" for row in rows)
    (tmp_path / "one.csv").write_text("a,b,c,d,token,counts\n" + text)
    return tmp_path


BATCH = ["perplexity", "-i", "x.npy", "-t", "y.npy", "--mask", "m.npy", "--shift"]
ONE = ["perplexity", "-i", "one.csv#a-d", "-t", "one.csv#token", "--mask", "one.csv#counts", "--shift"]


def test_the_command_line(files, capsys) -> None:
    """Files give the bits of memory: a batch read block by block, a sequence whole."""
    for words, expected in (
        (BATCH, losscalc.compute("perplexity", X, PADDED, mask=MASK, shift=True)),
        (ONE, losscalc.compute("perplexity", X[1], PADDED[1], mask=MASK[1], shift=True)),
    ):
        assert cli.run(words) == 0
        assert capsys.readouterr().out == f"{float(expected)!r}\n"


@pytest.mark.parametrize("words", [BATCH, ONE], ids=["batch", "sequence"])
def test_views(words: list[str], files, capsys) -> None:
    """Working, spread, worst and derivative are those of the losses that count."""
    x, y, mask = (X, PADDED, MASK) if words is BATCH else (X[1], PADDED[1], MASK[1])
    options = {"mask": mask, "shift": True, "reduction": "none"}
    single = losscalc.compute("perplexity", x, y, **options)
    counts = (mask[..., 1:] != 0) & (y[..., 1:] != -100)

    assert cli.run([*words, "--stats", "-f", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)["stats"]
    assert facts["losses"] == counts.sum()
    assert facts["max"] == pytest.approx(single.max(), rel=1e-15)
    assert cli.run([*words, "--worst", "1", "-f", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["worst"]
    place = tuple(row["index"])
    assert row["loss"] == single[place] == single.max()
    assert cli.run([*words, "--explain", "-f", "plain"]) == 0
    assert capsys.readouterr().out.count("ignored") == (~counts).sum() + 1
    assert cli.run([*words, "--gradient", "-f", "json"]) == 0
    assert np.shape(json.loads(capsys.readouterr().out)["value"]) == x.shape


def test_rows_of_a_sequence_are_not_picked(files, capsys) -> None:
    """They belong together: a condition, groups and dropped rows are refused, not taken for others."""
    for words in (["--where", "counts=1"], ["--by", "counts"]):
        assert cli.run([*ONE, *words]) == 2
        assert "have no rows to be compared, joined, picked or grouped" in capsys.readouterr().err


def test_what_looks_into_a_call_finds_it_simplified() -> None:
    """Without the positions that take no part, and labels that do not count ignored."""
    given = {"input": X, "target": PADDED, "mask": MASK}
    held = call(losscalc.Perplexity(shift=True), given)._replace(arrays=given)
    plain = simplified(held)
    assert plain.operation == losscalc.Perplexity(class_axis=1)
    assert {name: np.shape(array) for name, array in plain.arrays.items()} == {
        "input": (3, 4, 4),
        "target": (3, 4),
    }
    assert set(np.unique(plain.held["target"])) <= {-100, 0, 1, 2, 3}
