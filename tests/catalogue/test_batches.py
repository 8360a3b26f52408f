"""Losses that need the whole batch, and those that have not one loss per row, on the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.catalogue import contrast

VECTORS = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0], [-1.0, 0.2], [0.3, 0.3]])
LABELS = [0, 0, 1, 1, 1, 2]
NAMES = ["cat", "cat", "dog", "dog", "dog", "owl"]
SPLIT = ["val", "val", "val", "train", "val", "val"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What a command prints in a folder with a table of vectors and their labels."""
    monkeypatch.chdir(tmp_path)
    rows = zip(VECTORS.tolist(), LABELS, NAMES, SPLIT, strict=True)
    lines = [f"{k},{a},{b},{label},{name},{split}" for k, ((a, b), label, name, split) in enumerate(rows)]
    Path("v.csv").write_text("\n".join(["id,a,b,label,name,split", *lines]) + "\n")
    # The same rows in another order, and one with a gap.
    Path("w.csv").write_text("\n".join(["id,a,b", *(line.rsplit(",", 3)[0] for line in lines[::-1])]) + "\n")
    Path("gap.csv").write_text(Path("v.csv").read_text() + "6,,1,0,cat,val\n")

    def of(*words: str, code: int = 0) -> str:
        assert cli.run(words) == code, capsys.readouterr().err
        return capsys.readouterr().out

    return of


def test_a_condition_picks_the_rows_that_make_up_the_batch(run):
    """The loss of the others alone, not that of all with some left out of the mean."""
    kept = [k for k, split in enumerate(SPLIT) if split == "val"]
    expected = losscalc.compute("sup-con", VECTORS[kept], np.array(LABELS)[kept])
    found = run("sup-con", "-i", "v.csv#a,b", "-t", "v.csv#label", "--where", "split=val")
    assert float(found) == pytest.approx(float(expected), rel=1e-14)


def test_rows_that_lack_a_number_are_left_out(run):
    """Of the whole batch, as of any other."""
    found = run("sup-con", "-q", "-i", "gap.csv#a,b", "-t", "gap.csv#label", "--na", "drop")
    assert float(found) == pytest.approx(float(losscalc.compute("sup-con", VECTORS, LABELS)), rel=1e-14)


def test_rows_are_joined_by_a_key(run):
    """Each with its own partner, whatever the order of the tables."""
    found = run("clip", "-i", "v.csv#a,b", "-t", "w.csv#a,b", "--key", "id")
    assert float(found) == pytest.approx(float(losscalc.compute("clip", VECTORS, VECTORS)), rel=1e-14)


def test_groups_share_the_losses_of_the_whole_batch(run):
    """Each triplet belongs to the group of its anchor."""
    words = ["batch-triplet", "-i", "v.csv#a,b", "-t", "v.csv#label", "--mining", "all"]
    table = json.loads(run(*words, "--by", "label", "-f", "json"))
    single = losscalc.compute("batch-triplet", VECTORS, LABELS, mining="all", reduction="none")
    assert sum(group["count"] for group in table["groups"]) == len(single) == table["whole"]["count"]
    # Each of the two of class 0 has one positive and four negatives.
    assert {group["group"]: group["count"] for group in table["groups"]} == {0: 8, 1: 18, 2: 0}
    assert table["groups"][0]["sum"] == pytest.approx(float(single[:8].sum()), rel=1e-14)


@pytest.mark.parametrize("loss", ["sup-con", "batch-triplet"])
def test_labels_may_be_names(loss, run):
    """Only which are equal matters."""
    numbers = run(loss, "-i", "v.csv#a,b", "-t", "v.csv#label", "-r", "none")
    assert run(loss, "-i", "v.csv#a,b", "-t", "v.csv#name", "-r", "none") == numbers


def test_the_worst_views_have_the_numbers_of_their_row(run):
    """A view of the second array is of the row of its sample."""
    table = json.loads(run("nt-xent", "-i", "v.csv#a,b", "-t", "v.csv#b,a", "--worst", "12", "-f", "json"))
    rows = next(iter(table.values())) if isinstance(table, dict) else table
    assert [row["input"] for row in rows if row["index"] == "6"] == [
        row["input"] for row in rows if row["index"] == "0"
    ]


def test_ignored_losses_are_not_in_the_mean_of_a_row(run):
    """That of the tokens which count."""
    arrays = ["--old-logps", "[[-1.5,-0.5],[-2,-0.5]]", "--advantages", "1,-1", "--mask", "[[1,1],[1,0]]"]
    shown = run("grpo", "-i", "[[-1,-0.5],[-2,-1]]", *arrays, "--explain")
    assert "row 1 mean (1) / 1 = 1.0000" in shown


def test_negatives_of_all_queries_are_those_of_each():
    """Shared negatives are as many copies of them, in the loss and, added up, in the gradient."""
    rng = np.random.default_rng(0)
    queries, keys, negatives = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    copies = np.repeat(negatives[np.newaxis], 5, axis=0)
    for reduction in ("none", "mean"):
        np.testing.assert_allclose(
            losscalc.compute("info-nce", queries, keys, negatives, reduction=reduction),
            losscalc.compute("info-nce", queries, keys, copies, reduction=reduction),
            rtol=1e-13,
        )
    slope = losscalc.gradient("info-nce", queries, keys, copies, wrt="negatives")
    shared = losscalc.gradient("info-nce", queries, keys, negatives, wrt="negatives")
    np.testing.assert_allclose(shared, slope.sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("loss", ["nt-xent", "clip", "info-nce", "sup-con"])
def test_similarities_are_held_a_few_rows_at_a_time(loss, monkeypatch):
    """The same losses and gradients, up to the rounding of matrix products, however few rows these are."""
    rng = np.random.default_rng(2)
    arrays = rng.normal(size=(30, 4)), LABELS * 5 if loss == "sup-con" else rng.normal(size=(30, 4))
    expected = losscalc.compute(loss, *arrays, reduction="none"), losscalc.gradient(loss, *arrays)
    monkeypatch.setattr(contrast, "_MOST", 100)
    found = losscalc.compute(loss, *arrays, reduction="none"), losscalc.gradient(loss, *arrays)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
def test_infinite_hazards_have_their_limits():
    """The first event hits whom it had to hit; one that could not happen costs infinitely much."""
    times = [1.0, 2.0, 3.0], [1, 1, 1]
    # Of two at risk with the logarithms 0 and 1 the one with 0 is hit: ln(1 + e) = 1.3133, by hand.
    rest = [1.3132616875182228, 0.0]
    sure = losscalc.compute("cox", [np.inf, 0.0, 1.0], *times, reduction="none")
    np.testing.assert_allclose(sure, [0.0, *rest], rtol=1e-15)
    never = losscalc.compute("cox", [-np.inf, 0.0, 1.0], *times, reduction="none")
    np.testing.assert_allclose(never, [np.inf, *rest], rtol=1e-15)
    alone = losscalc.compute("cox", [0.0, 0.0, -np.inf], *times, reduction="none")
    assert np.isnan(alone[2])


def test_times_without_end_are_one_time():
    """As any two that are equal."""
    scores, events = [1.0, 2.0, 0.5], [1, 1, 0]
    endless, usual = (losscalc.compute("cox", scores, [t, t, t], events) for t in (np.inf, 3.0))
    assert endless == usual


def test_no_triplet_costs_anything():
    """Then the mean is 0, as in pytorch-metric-learning; without any triplet there is none."""
    far = [[0.0, 0.0], [0.0, 0.0], [9.0, 9.0], [9.0, 9.0]], [0, 0, 1, 1]
    assert losscalc.compute("batch-triplet", *far, mining="all") == 0
    with pytest.warns(losscalc.LosscalcWarning, match="there are no values"):
        assert np.isnan(losscalc.compute("batch-triplet", far[0], [0, 0, 0, 0], mining="all"))


def test_answers_may_be_sums_or_tokens():
    """Chosen and rejected of different lengths, and the reference as sums beside tokens of the model."""
    rng = np.random.default_rng(1)
    chosen, rejected = -rng.random((3, 4)), -rng.random((3, 6))
    masks = {"chosen_mask": rng.integers(0, 2, (3, 4)), "rejected_mask": rng.integers(0, 2, (3, 6))}
    sums = [(x * mask).sum(axis=1) for x, mask in zip((chosen, rejected), masks.values(), strict=True)]
    reference = -rng.random(3), -rng.random(3)
    expected = losscalc.compute("dpo", *sums, *reference, reduction="none")
    found = losscalc.compute("dpo", chosen, rejected, *reference, **masks, reduction="none")
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    pairs = losscalc.compute("bradley-terry", chosen, rejected, **masks)
    assert pairs == pytest.approx(losscalc.compute("bradley-terry", *sums), rel=1e-13)


ANSWERS = {"chosen_logps": [-1.0], "rejected_logps": [-1.0]}


@pytest.mark.parametrize(
    ("loss", "arrays", "problem"),
    [
        ("dpo", {"chosen_logps": [[-1.0]], "rejected_logps": [[-1.0]]}, "beside chosen_mask of the same"),
        ("dpo", {**ANSWERS, "ref_chosen_logps": [-1.0]}, "ref_rejected_logps is missing"),
        ("dpo", {**ANSWERS, "chosen_mask": [[1]]}, "numbers of tokens"),
        ("nt-xent", {"input": [1.0, 2.0], "target": [1.0, 2.0]}, "a batch of vectors"),
        ("sup-con", {"input": [[1.0]], "target": [0, 1]}, "one label per row"),
        ("cox", {"input": [[1.0]], "time": [[1.0]], "event": [[1]]}, "one number a subject"),
        ("info-nce", {"input": [[1.0]], "target": [[1.0]], "negatives": [[1.0, 2.0]]}, r"must be \(M, 1\)"),
        ("ranknet", {"input": [[[1.0]]], "target": [[[1.0]]]}, "lists of documents"),
        (
            "grpo",
            {"input": [[1.0]], "old_logps": [[1.0]], "advantages": [[1.0], [2.0]]},
            "must be",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_named(loss, arrays, problem):
    """With what they must be."""
    with pytest.raises(losscalc.ShapeError, match=problem):
        losscalc.compute(loss, **arrays)


def test_a_distance_from_a_reference_needs_one():
    """A factor of something that is not there would be ignored without a word."""
    arrays = {"input": [[-1.0]], "old_logps": [[-1.0]], "advantages": [1.0]}
    with pytest.raises(losscalc.ParameterError, match="ref_logps is missing"):
        losscalc.compute("grpo", **arrays, beta=0.1)
