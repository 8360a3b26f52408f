"""Divergences, distillation and the further losses of classes: limits, what is left out, and refusals."""

import numpy as np
import pytest

import losscalc

INF = np.inf


@pytest.mark.parametrize(
    ("name", "arrays", "options", "expected"),
    [
        # 0·ln 0 is 0, and p·ln(p/0) infinite; with ε, by hand: .1·ln(.1/ε) + .9·ln .9.
        ("kl", ([[0.0, 1.0]], [[0.0, 1.0]]), {}, 0.0),
        ("kl", ([[0.0, 1.0]], [[0.1, 0.9]]), {}, INF),
        ("kl", ([[0.0, 1.0]], [[0.1, 0.9]]), {"eps": 1e-7}, 0.1 * np.log(1e6) + 0.9 * np.log(0.9)),
        ("jensen-shannon", ([[0.0, 1.0]], [[0.0, 1.0]]), {}, 0.0),
        ("jensen-shannon", ([[0.0, 1.0]], [[1.0, 0.0]]), {}, np.log(2.0)),
        # ½·(exp v - 1 - v) grows without bound either way; (1e200)²·exp(-700)/2, by mpmath.
        ("kl-gaussian", ([[0.0]], [[INF]]), {}, INF),
        ("kl-gaussian", ([[0.0]], [[-INF]]), {}, INF),
        ("kl-gaussian", ([[1e200]], [[0.0]], [[0.0]], [[700.0]]), {}, 4.929838271879886e95),
        # A class that teacher and student rule out counts 0; one that the student alone does, infinitely.
        ("distillation", ([[1.0, -INF]], [[1.0, -INF]], [0]), {}, 0.0),
        ("distillation", ([[1.0, -INF]], [[1.0, 2.0]], [0]), {}, INF),
        ("multiclass-hinge", ([[INF, 1.0]], [0]), {}, 0.0),
        ("focal", ([[INF, 0.0]], [0]), {}, 0.0),
        ("focal", ([[INF, 0.0]], [1]), {}, INF),
        ("perplexity", ([[0.0, 800.0]], [0]), {}, INF),
    ],
)
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
def test_limits(name: str, arrays: tuple, options: dict, expected: float) -> None:
    """What the formulas tend to."""
    assert losscalc.compute(name, *arrays, **options) == pytest.approx(expected, rel=1e-14)


def test_a_second_gaussian_is_given_in_part() -> None:
    """Its mean, or its variance, alone: the other is that of the standard one."""
    zeros = [[0.0, 0.0]]
    arrays = [[0.5, -1.0]], [[0.0, 0.5]]
    for part in ("target", "target_logvar"):
        own = {"target": zeros, "target_logvar": zeros, part: [[1.0, 2.0]]}
        one = losscalc.compute("kl-gaussian", *arrays, **{part: [[1.0, 2.0]]})
        assert one == pytest.approx(losscalc.compute("kl-gaussian", *arrays, **own), rel=1e-15)


def test_labels_may_be_left_out_where_they_do_not_count() -> None:
    """With an alpha of 1; the explanation of it does without them, too."""
    student, teacher = [[2.0, 1.0, 0.0]], [[1.0, 2.0, 0.0]]
    alone = losscalc.compute("distillation", student, teacher, alpha=1.0)
    assert alone == losscalc.compute("distillation", student, teacher, [2], alpha=1.0)
    with pytest.raises(losscalc.ParameterError, match=r"missing, of which 1 - alpha = 0\.75") as caught:
        losscalc.compute("distillation", student, teacher)
    assert caught.value.advise() == "with an alpha of 1 the teacher is all there is"


def test_the_slope_of_a_sure_answer() -> None:
    """(1-p)^γ has an infinite slope at p = 1 for γ < 1; that of the loss is 0."""
    for scores in ([[800.0, 0.0]], [[INF, 0.0]]):
        np.testing.assert_array_equal(losscalc.gradient("focal", scores, [0], gamma=0.5), [[0.0, 0.0]])
    np.testing.assert_array_equal(losscalc.gradient("focal", [[0.0, 800.0]], [0]), [[-1.0, 1.0]])


@pytest.mark.parametrize(
    ("name", "arrays", "error"),
    [
        ("kl", ([[0.5, 0.5]], [[1.5, -0.5]]), losscalc.DomainError),
        ("kl", ([[0.5, 0.5]], [[0.5, 0.4, 0.1]]), losscalc.ShapeError),
        ("kl", (0.5, 0.5), losscalc.ShapeError),
        ("jensen-shannon", ([[0.5, np.nan]], [[0.5, 0.5]]), losscalc.DomainError),
        ("distillation", (np.zeros((2, 0)), np.zeros((2, 0)), [0, 0]), losscalc.ShapeError),
        ("distillation", ([[1.0, 2.0]], [[1.0, 2.0]], [2]), losscalc.ClassIndexError),
        ("multiclass-hinge", ([[1.0]], [0]), losscalc.ShapeError),
        ("multiclass-hinge", (np.zeros((2, 3, 4)), np.zeros((2, 4), int)), losscalc.ShapeError),
    ],
)
def test_refusals(name: str, arrays: tuple, error: type[Exception]) -> None:
    """Without a hint that leads to another error."""
    with pytest.raises(error) as caught:
        losscalc.compute(name, *arrays)
    assert "broadcast" not in str(caught.value.hint)  # type: ignore[attr-defined]
