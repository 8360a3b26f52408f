"""Which of several causes of one number is told, and what does not explain it."""

import numpy as np
import pytest

from losscalc.catalogue.base import losses
from losscalc.core.reductions import MEAN
from losscalc.insight.call import Call
from losscalc.insight.detect.catalogue import hypotheses
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.suppose import combination, outcome
from losscalc.insight.detect.verdict import verdict

RNG = np.random.default_rng(7)
GRADES = {"input": RNG.normal(size=(4, 5)).round(3), "target": RNG.integers(0, 4, (4, 5))}
ACTIONS = {
    "input": -RNG.uniform(0.2, 2, 12).round(3),
    "old_logps": -RNG.uniform(0.2, 2, 12).round(3),
    "advantages": RNG.normal(size=12).round(3),
}
ERRORS = {"input": RNG.normal(size=9).round(3), "target": RNG.normal(size=9).round(3)}


def names(loss: str, arrays: dict[str, np.ndarray], typed: str) -> list[list[str]]:
    """The names of each explanation."""
    found = verdict(Call(losses()[loss](), arrays, MEAN), Expected.typed(typed)).explanations
    return [[one.name for one in (each.candidate, *each.also)] for each in found]


def test_grades_are_no_labels() -> None:
    """Scores of the opposite sign, by NumPy: 0 and 1 cannot be exchanged in grades from 0 to 3."""
    x, y = GRADES["input"], GRADES["target"]
    better = y[:, :, np.newaxis] > y[:, np.newaxis]
    wrong = np.log1p(np.exp(x[:, :, np.newaxis] - x[:, np.newaxis]))[better].mean()
    (first, *_) = names("ranknet", GRADES, f"{wrong:.9g}")
    assert first[0] == "negated"
    assert not {"target-flipped", "target-negated"} & {*first}


def test_an_action_that_is_not_bounded_is_told_so() -> None:
    """-q·A by NumPy, which a large bound gives as well."""
    wrong = -(np.exp(ACTIONS["input"] - ACTIONS["old_logps"]) * ACTIONS["advantages"]).mean()
    assert names("ppo-clip", ACTIONS, f"{wrong:.9g}")[0][0] == "not-clipped"


@pytest.mark.parametrize(
    ("loss", "name"), [("triplet-margin", "eps"), ("triplet-margin", "p"), ("hinge", "margin")]
)
def test_parameters_are_looked_for_on_their_side_of_0(loss: str, name: str) -> None:
    """Those that are positive by default, though PyTorch takes others."""
    (row,) = [row for row in hypotheses(Call(losses()[loss]())) if row.name == name]
    assert row.span is not None
    assert row.span.low > 0


def test_more_digits_than_a_dtype_has_are_not_of_it() -> None:
    """The mean of squares in float16, by NumPy, is typed as it is printed; next to it is another number."""
    right = np.square(ERRORS["input"] - ERRORS["target"]).mean()
    short = float(np.float16(right))
    off = short * (1 + 7e-7)
    assert any("float16" in name for told in names("mse", ERRORS, f"{short:.10g}") for name in told)
    assert not any("float16" in name for told in names("mse", ERRORS, f"{off:.7g}") for name in told)


def test_one_loss_for_the_batch() -> None:
    """Of all axes, by hand: 1 - (2·2.1 + ε)/(3.1 + 3 + ε)."""
    arrays = {
        "input": np.array([[0.9, 0.2], [0.4, 0.8], [0.4, 0.4]]),
        "target": np.array([[1, 0], [1, 1], [0, 0]]),
    }
    call = Call(losses()["dice"](dim=(1,)), arrays, MEAN)
    found = outcome(call, combination(call, "dim-all"))
    assert found is not None
    assert float(found) == pytest.approx(1 - (4.2 + 1e-5) / (6.1 + 1e-5), rel=1e-12)
    whole = Call(losses()["dice"](), arrays, MEAN)
    assert outcome(whole, combination(whole, "dim-all")) is None


def test_a_plain_cause_comes_before_a_library() -> None:
    """Ignored rows in the divisor, by PyTorch's rule and hand: the sum over all of them."""
    x, y = np.array([[1.0, 2, 0.3], [0.2, 1, 3], [2, 1, 0.5], [1, 0, 1]]), np.array([1, -100, 0, 2])
    single = np.log(np.exp(x).sum(axis=1)) - x[range(4), np.maximum(y, 0)]
    told = names("cross-entropy", {"input": x, "target": y}, f"{single[y >= 0].sum() / 4:.9g}")
    assert told[0][0] == "over-all"
    assert "like-smp" in told[0]
