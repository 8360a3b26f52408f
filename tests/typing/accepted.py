"""What users write, with the types that they get: mypy --strict accepts this file."""

from collections.abc import Mapping
from typing import Any, assert_type

import numpy as np

import losscalc


def functions() -> None:
    """Arrays are whatever is one; a result is a number or an array, as the reduction says."""
    assert_type(losscalc.compute("mse", [1.0, 2.0], [1, 3]), np.floating[Any])
    assert_type(losscalc.compute(losscalc.MSE, [1.0, 2.0], [1, 3], reduction="sum"), np.floating[Any])
    singles = losscalc.compute("mse", np.zeros(3), (1, 2, 3), reduction="none", threads=2)
    assert_type(singles, np.ndarray[Any, np.dtype[np.floating[Any]]])
    assert_type(losscalc.compute("mse", [1.0], [2.0], digits=30), Any)
    assert_type(losscalc.compute("softmax", [1.0, 2.0]), Any)
    slope = losscalc.gradient("mse", input=np.ones(1, np.float32), target=2.0, wrt="input")
    assert_type(slope, np.ndarray[Any, np.dtype[np.floating[Any]]])
    reduction = "none" if len(singles) > 2 else "mean"
    assert_type(losscalc.compute("mse", [1.0], [2.0], reduction=reduction), Any)


def insight() -> None:
    """Results have types of their own, and a check is a condition."""
    found = losscalc.check(losscalc.MSE, [1.0], [2.0], expected=0.5, rtol=1e-3)
    assert_type(found, losscalc.Check)
    assert_type(bool(found), bool)
    assert_type(found.causes, tuple[str, ...])
    assert_type(found.to_dict(), dict[str, Any])
    assert_type(losscalc.explain(losscalc.Huber(delta=0.5), [1.0], [2.0], max_rows=3), losscalc.Explanation)
    assert_type(losscalc.worst("mse", [1.0], [2.0], count=3).rows, list[dict[str, Any]])
    assert_type(losscalc.diagnose("mse", [1.0], [2.0]).warnings, tuple[losscalc.DiagnosisWarning, ...])
    assert_type(losscalc.compare(["mse", losscalc.L1], [1.0], [2.0]), losscalc.Comparison)
    assert_type(losscalc.suppose("mse", [1.0], [2.0], mistake="sum"), losscalc.Supposition)
    assert_type(losscalc.suppose("mse", [1.0], [2.0], mistake=["sum", "half"]), losscalc.Supposition)
    losscalc.testing.assert_loss("mse", [1.0], [2.0], expected=1.0, places=4)
    assert_type(losscalc.CrossEntropy(weight=np.ones(3), label_smoothing=0.1), losscalc.CrossEntropy)
    assert_type(losscalc.__version__, str)


def classes() -> None:
    """Parameters are typed fields, and given by name."""
    loss = losscalc.CrossEntropy(label_smoothing=0.1, ignore_index=-1)
    assert_type(loss, losscalc.CrossEntropy)
    assert_type(loss.label_smoothing, float)
    assert_type(loss.ignore_index, int | None)
    assert_type(loss([[2.0, 1.0]], [0], weight=[1.0, 2.0], reduction="sum", dtype="float32"), Any)
    assert_type(losscalc.TripletMargin(swap=True).swap, bool)
    base: losscalc.Loss = loss
    assert_type(base.reductions, tuple[str, ...])


def registry() -> None:
    """The registry maps names to classes of losses."""
    assert_type(losscalc.losses(), Mapping[str, type[losscalc.Loss]])
    assert_type(losscalc.losses()["mse"].formula, str)


def errors() -> None:
    """An error is a builtin one, too, and its facts are attributes."""
    try:
        losscalc.compute("bce", [2.0], [1])
    except losscalc.DomainError as error:
        as_value: ValueError = error
        as_ours: losscalc.LosscalcError = error
        assert_type(error.hint, str | None)
        assert_type(error.exit_code, int)
        raise as_value from as_ours
