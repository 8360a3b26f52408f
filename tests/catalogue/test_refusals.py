"""What PyTorch refuses, losscalc refuses too, and says which argument is at fault.

Each case runs against PyTorch as well, so that what is claimed of it is proven. What losscalc takes although
PyTorch does not stands in a table of its own.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc.core.declaration import array_arguments
from losscalc.core.operation import differentiable

# Before the module that imports it.
pytest.importorskip(
    "torch", reason="parity is checked against PyTorch, which is not installed: pip install torch==2.13.0"
)

from tests.support.parity import reference, tensor

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

REFUSAL = (RuntimeError, ValueError, IndexError, TypeError, NotImplementedError)
"""What PyTorch raises."""


class Case(NamedTuple):
    """A call that PyTorch refuses: what is wrong with it, its arrays in PyTorch's order, everything else."""

    loss: str
    argument: str
    arrays: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def id(self) -> str:
        """What the case is called in a report."""
        shapes = " ".join("x".join(map(str, np.shape(array))) or "number" for array in self.arrays)
        options = " ".join(
            f"{key}={np.shape(value) or value}" for key, value in self.options.items() if key != "state"
        )
        return f"{self.loss} {self.argument}: {shapes} {options}".strip()

    def in_torch(self) -> Any:
        """What PyTorch makes of it."""
        options = {key: value for key, value in self.options.items() if key != "broadcast"}
        named = {key: tensor(v) if isinstance(v, np.ndarray) else v for key, v in options.items()}
        return reference(self.loss)(*map(tensor, self.arrays), **named)

    def in_losscalc(self) -> Any:
        """What losscalc makes of it."""
        return losscalc.compute(self.loss, *self.arrays, **self.options)


def case(loss: str, argument: str, *arrays: Any, **options: Any) -> Case:
    """A case; lists become arrays."""
    return Case(loss, argument, tuple(map(np.asarray, arrays)), options)


def half(*shape: int) -> np.ndarray:
    """An array of 1/2, which is a score, a probability, a variance and a weight."""
    return np.full(shape, 0.5)


def one(*shape: int) -> np.ndarray:
    """An array of ones, which are labels."""
    return np.ones(shape)


def whole(*shape: int) -> np.ndarray:
    """An array of class 0."""
    return np.zeros(shape, dtype=np.int64)


def number(value: float) -> np.ndarray:
    """An array without axes."""
    return np.array(value)


PAIRS = ["l1", "mse", "smooth-l1", "huber", "kl-div", "poisson-nll", "hinge-embedding"]
"""Losses whose input and target may broadcast to any common shape."""
STRICT = ["bce", "bce-logits", "sigmoid-focal"]
"""Losses whose input and target never broadcast."""
BOXES = ["giou", "diou", "ciou"]
TRIPLETS = ["triplet-margin", "triplet-margin-with-distance"]

SHAPES = [
    *(case(name, "target", half(2, 3), one(2, 2), broadcast=True) for name in PAIRS),
    *(case(name, "target", half(3), one(4, 2), broadcast=True) for name in PAIRS),
    *(case(name, "target", half(3), one(3, 2)) for name in STRICT),
    *(case(name, "target", half(1, 3), one(3)) for name in STRICT),
    *(case(name, "weight", half(2, 3), half(2, 3), weight=half(3)) for name in ("l1", "mse", "huber")),
    *(case(name, "weight", half(2, 3), half(2, 3), weight=half(2, 1)) for name in ("l1", "mse", "huber")),
    *(case(name, "weight", half(2, 3), one(2, 3), weight=half(2)) for name in ("bce", "bce-logits")),
    *(case(name, "weight", half(3), one(3), weight=half(2, 3)) for name in ("bce", "bce-logits")),
    case("bce-logits", "pos_weight", half(2, 3), one(2, 3), pos_weight=half(2)),
    case("bce-logits", "pos_weight", half(3), one(3), pos_weight=half(2, 3)),
    case("soft-margin", "target", half(3), one(2, 1), broadcast=True),
    case("soft-margin", "target", half(3, 1), one(3, 2), broadcast=True),
    case("soft-margin", "target", half(3), one(2), broadcast=True),
    case("gaussian-nll", "target", half(2, 3), half(2, 2), half(2, 3), broadcast=True),
    case("gaussian-nll", "var", half(2, 3), half(2, 3), half(3)),
    case("gaussian-nll", "var", half(2, 3), half(2, 3), half(1, 1)),
    case("gaussian-nll", "var", half(2, 3), half(2, 3), half(1, 2, 3)),
    case("gaussian-nll", "var", half(2, 1), half(2, 1), half(1)),
    case("gaussian-nll", "var", half(2, 3, 4), half(2, 3, 4), half(2)),
    case("multilabel-soft-margin", "target", half(2, 3), one(2, 2), broadcast=True),
    case("multilabel-soft-margin", "weight", half(2, 3), one(2, 3), weight=half(2)),
    case("multilabel-soft-margin", "input", number(0.5), number(1.0)),
    *(case(name, "input", number(0.5), number(0)) for name in ("cross-entropy", "nll")),
    *(case(name, "target", half(2, 3), whole(3)) for name in ("cross-entropy", "nll", "multi-margin")),
    *(case(name, "target", half(2, 3), whole(2, 1)) for name in ("cross-entropy", "nll", "multi-margin")),
    *(case(name, "target", half(3), whole(2)) for name in ("cross-entropy", "nll", "multi-margin")),
    *(case(name, "target", half(2, 3, 4), whole(2, 3)) for name in ("cross-entropy", "nll")),
    *(case(name, "target", half(2, 3, 4), whole(2)) for name in ("cross-entropy", "nll")),
    case("cross-entropy", "target", half(2, 3), half(2, 2)),
    case("cross-entropy", "target", half(2, 3), whole(2, 3)),
    *(
        case(name, "weight", half(2, 3), whole(2), weight=half(2))
        for name in ("cross-entropy", "nll", "multi-margin")
    ),
    *(
        case(name, "weight", half(2, 3), whole(2), weight=half(1, 3))
        for name in ("cross-entropy", "nll", "multi-margin")
    ),
    *(case(name, "input", half(2, 3, 4), whole(2, 3, 4)) for name in ("multi-margin", "multilabel-margin")),
    *(
        case(name, "input", half(2, 0), whole(*shape), reduction="none")
        for name, shape in (("multi-margin", (2,)), ("multilabel-margin", (2, 0)))
    ),
    case("multilabel-margin", "target", half(2, 3), whole(2, 2)),
    case("multilabel-margin", "target", half(2, 3), whole(3)),
    case("multilabel-margin", "target", half(3), whole(1, 3)),
    case("multilabel-margin", "target", half(1, 3), whole(3)),
    case("linear-cross-entropy", "input", number(0.5), half(3, 2), number(0)),
    case("linear-cross-entropy", "input", half(1, 2, 4), half(3, 4), whole(1, 2)),
    case("linear-cross-entropy", "linear_weight", half(2, 4), half(4), whole(2)),
    case("linear-cross-entropy", "linear_weight", half(2, 4), half(3, 5), whole(2)),
    case("linear-cross-entropy", "linear_weight", half(4), half(3, 2, 4), whole(2)),
    case("linear-cross-entropy", "linear_weight", half(2, 4), half(0, 4), whole(2)),
    case("linear-cross-entropy", "linear_bias", half(2, 4), half(3, 4), whole(2), linear_bias=half(2)),
    case("linear-cross-entropy", "linear_bias", half(2, 4), half(3, 5, 4), whole(2, 5), linear_bias=half(3)),
    case("linear-cross-entropy", "target", half(2, 4), half(3, 4), whole(3)),
    case("linear-cross-entropy", "target", half(2, 4), half(3, 5, 4), whole(2)),
    case("linear-cross-entropy", "weight", half(2, 4), half(3, 4), whole(2), weight=half(2)),
    case("cosine-embedding", "input2", half(2, 3), half(2, 2), one(2), broadcast=True),
    case("cosine-embedding", "input1", half(2, 3, 4), half(2, 3, 4), one(2, 3)),
    case("cosine-embedding", "input1", number(0.5), number(0.5), number(1.0)),
    case("cosine-embedding", "target", half(2, 3), half(2, 3), one(2, 1)),
    case("cosine-embedding", "target", half(2, 3), half(2, 3), number(1.0)),
    case("cosine-embedding", "target", half(2, 3), half(2, 3), one(3), broadcast=True),
    case("cosine-embedding", "target", half(3), half(3), one(2)),
    case("cosine-embedding", "target", half(3), half(3), one(1), broadcast=True),
    case("cosine-embedding", "input2", half(2, 3), half(3), one(2), broadcast=True),
    case("margin-ranking", "input2", half(2), half(3), one(3), broadcast=True),
    case("margin-ranking", "input2", half(2), half(2, 2), one(2), broadcast=True),
    case("margin-ranking", "target", half(2), half(2), one(1, 2), broadcast=True),
    case("margin-ranking", "target", half(2), half(2), number(1.0), broadcast=True),
    *(case(name, "negative", half(2, 3), half(2, 3), half(3), broadcast=True) for name in TRIPLETS),
    *(case(name, "positive", half(2, 3), half(1, 2, 3), half(2, 3), broadcast=True) for name in TRIPLETS),
    *(case(name, "negative", half(2, 3), half(2, 3), half(2, 2), broadcast=True) for name in TRIPLETS),
    *(case(name, "target", half(3, 4), half(2, 4), broadcast=True) for name in BOXES),
]

# Four time steps, two sequences, three symbols; targets of two symbols each.
SCORES, SYMBOLS, TIMES, LENGTHS = half(4, 2, 3), np.array([[1, 2], [2, 1]]), [4, 4], [2, 2]

SEQUENCES = [
    case("ctc", "log_probs", half(3), [1, 2], number(3), number(2)),
    case("ctc", "log_probs", half(1, 4, 2, 3), SYMBOLS, TIMES, LENGTHS),
    case("ctc", "log_probs", half(4, 2, 0), SYMBOLS, TIMES, LENGTHS),
    case("ctc", "targets", SCORES, SYMBOLS[:1], TIMES, LENGTHS),
    case("ctc", "targets", SCORES, SYMBOLS[..., np.newaxis], TIMES, LENGTHS),
    case("ctc", "targets", SCORES, [1, 2, 1], TIMES, LENGTHS),
    case("ctc", "targets", SCORES, [1, 2, 1, 2, 1], TIMES, LENGTHS),
    case("ctc", "targets", half(4, 3), SYMBOLS, number(4), number(2)),
    case("ctc", "input_lengths", SCORES, SYMBOLS, [4], LENGTHS),
    case("ctc", "input_lengths", SCORES, SYMBOLS, [4, 4, 4], LENGTHS),
    case("ctc", "input_lengths", SCORES, SYMBOLS, [4, 5], LENGTHS),
    case("ctc", "input_lengths", SCORES, SYMBOLS, [4, -1], LENGTHS),
    case("ctc", "input_lengths", SCORES, SYMBOLS, [4.5, 4.0], LENGTHS),
    case("ctc", "target_lengths", SCORES, SYMBOLS, TIMES, [2]),
    case("ctc", "target_lengths", SCORES, SYMBOLS, TIMES, [2, 3]),
    case("ctc", "target_lengths", SCORES, SYMBOLS, TIMES, [2, -1]),
    case("ctc", "target_lengths", SCORES, SYMBOLS, TIMES, [1.5, 2.0]),
    case("ctc", "blank", SCORES, SYMBOLS, TIMES, LENGTHS, blank=3),
    case("ctc", "blank", SCORES, SYMBOLS, TIMES, LENGTHS, blank=-1),
]

VALUES = [
    case("bce", "input", [1.5], [0.5]),
    case("bce", "input", [-0.5], [0.5]),
    case("bce", "input", [np.nan], [0.5]),
    case("bce", "target", [0.5], [1.5]),
    case("bce", "target", [0.5], [-0.5]),
    case("bce", "target", [0.5], [np.nan]),
    case("gaussian-nll", "var", half(2), half(2), [1.0, -0.5]),
    *(
        case(name, "target", half(2, 3), [0, index])
        for name in ("cross-entropy", "nll", "multi-margin")
        for index in (3, -1)
    ),
    *(case(name, "target", half(2, 3), [0.0, 1.5]) for name in ("cross-entropy", "nll", "multi-margin")),
    *(case("multilabel-margin", "target", half(1, 3), [[index, -1, 0]]) for index in (3, -2)),
    case("multilabel-margin", "target", half(1, 3), [[0, -1, 3]]),
    *(case("linear-cross-entropy", "target", half(2, 4), half(3, 4), [0, index]) for index in (3, -1)),
]

PARAMETERS = [
    case("smooth-l1", "beta", half(2), half(2), beta=-1.0),
    case("huber", "delta", half(2), half(2), delta=0.0),
    case("huber", "delta", half(2), half(2), delta=-1.0),
    case("multi-margin", "p", half(2, 3), whole(2), p=3),
    case("multi-margin", "p", half(2, 3), whole(2), p=0),
    *(
        case(name, "margin", half(2, 3), half(2, 3), half(2, 3), margin=margin)
        for name in TRIPLETS
        for margin in (0.0, -1.0)
    ),
    case("cross-entropy", "label_smoothing", half(2, 3), whole(2), label_smoothing=1.5),
    case("cross-entropy", "ignore_index", half(2, 3), half(2, 3), ignore_index=1),
    case("linear-cross-entropy", "label_smoothing", half(2, 4), half(3, 4), whole(2), label_smoothing=1.5),
    case("linear-cross-entropy", "ignore_index", half(2, 4), half(3, 4), half(2, 3), ignore_index=-100),
    case("hinge-embedding", "margin", half(2), one(2), margin="wide"),
    case("poisson-nll", "eps", half(2), half(2), log_input=False, eps="small"),
]

STATE = {
    "head.weight": half(4, 8),
    "tail.0.0.weight": half(4, 8),
    "tail.0.1.weight": half(5, 4),
}
"""The state of an adaptive softmax of eight features, three frequent classes and a cluster of five."""

ADAPTIVE = [
    case("adaptive-log-softmax", "target", half(2, 8), [0, 8], state=STATE),
    case("adaptive-log-softmax", "target", half(2, 8), [0, -1], state=STATE),
    case("adaptive-log-softmax", "target", half(2, 8), whole(3), state=STATE),
    case("adaptive-log-softmax", "target", half(2, 8), whole(2, 1), state=STATE),
    case("adaptive-log-softmax", "target", half(2, 8), number(0), state=STATE),
    case("adaptive-log-softmax", "input", half(1, 2, 8), whole(1), state=STATE),
    *(
        case("adaptive-log-softmax", "cutoffs", half(2, 8), whole(2), state=STATE, cutoffs=cutoffs)
        for cutoffs in ([], [4], [3, 3], [3, 2], [0], [3, 8])
    ),
    *(
        case("adaptive-log-softmax", "state", half(2, 8), whole(2), state=state)
        for state in (
            STATE | {"head.weight": half(4, 7)},
            STATE | {"head.bias": half(3)},
            STATE | {"tail.0.0.weight": half(4, 7)},
            STATE | {"tail.0.1.weight": half(5, 3)},
            STATE | {"tail.0.2.weight": half(5, 4)},
        )
    ),
]


def example_of(name: str) -> tuple[Any, ...]:
    """Arrays of one row that fit a loss, in PyTorch's order."""
    if name == "ctc":
        return SCORES, SYMBOLS, TIMES, LENGTHS
    if name == "linear-cross-entropy":
        return half(1, 4), half(3, 4), whole(1)
    arrays = {"multilabel-margin": (half(1, 4), whole(1, 4)), "cosine-embedding": (*[half(1, 4)] * 2, one(1))}
    if name in ("cross-entropy", "nll", "multi-margin"):
        return half(1, 4), whole(1)
    count = sum(a.required for a in array_arguments(losscalc.losses()[name]))
    return arrays.get(name, tuple(one(1, 4) for _ in range(count)))


TORCH = [name for name, cls in losscalc.losses().items() if cls.library == "torch.nn" and cls.functional]
REDUCTIONS = [
    case(name, "reduction", *example_of(name), reduction=reduction)
    for name in TORCH
    for reduction in ("average", "MEAN", "", None, "batchmean")
    if (name, reduction) != ("kl-div", "batchmean")
]

CASES = [*SHAPES, *SEQUENCES, *VALUES, *PARAMETERS, *ADAPTIVE, *REDUCTIONS]


@pytest.mark.parametrize("refused", CASES, ids=lambda one: one.id)
def test_what_pytorch_refuses(refused: Case) -> None:
    """PyTorch raises; losscalc raises one of its own errors, which names the argument."""
    with pytest.raises(REFUSAL):
        refused.in_torch()
    with pytest.raises(losscalc.LosscalcError) as caught:
        refused.in_losscalc()
    assert caught.value.argument == refused.argument, caught.value
    assert f"`{refused.argument}`" in caught.value.problem


@pytest.mark.parametrize(
    "refused", [one for one in CASES if one.argument != "reduction"], ids=lambda one: one.id
)
def test_gradients_are_refused_alike(refused: Case) -> None:
    """What has no value has no gradient: the error is the same, with respect to every array."""
    with pytest.raises(losscalc.LosscalcError) as value:
        refused.in_losscalc()
    for wrt in differentiable(losscalc.losses()[refused.loss]):
        if wrt == "linear_bias" and "linear_bias" not in refused.options:
            continue
        with pytest.raises(type(value.value)) as caught:
            losscalc.gradient(refused.loss, *refused.arrays, **refused.options, wrt=wrt)
        assert (caught.value.argument, caught.value.problem) == (value.value.argument, value.value.problem)


def test_every_loss_refuses_something() -> None:
    """Every loss of PyTorch has a case."""
    missing = {name for name, cls in losscalc.losses().items() if cls.torch} - {one.loss for one in CASES}
    assert not missing, f"add what PyTorch refuses of {sorted(missing)} to tests/catalogue/test_refusals.py"


TAKEN = {
    "class indices of any integral dtype": case("cross-entropy", "target", half(2, 3), np.int32([0, 1])),
    "class indices that are integral floats": case("multi-margin", "target", half(2, 3), [0.0, 1.0]),
    "lists of classes that are integral floats": case(
        "multilabel-margin", "target", half(1, 3), [[0.0, 1, -1]]
    ),
    "lengths that are integral floats": case("ctc", "input_lengths", SCORES, SYMBOLS, [4.0, 4.0], LENGTHS),
    "labels of another dtype": case("bce", "target", half(1), np.float32([1])),
    "whole labels": case("bce-logits", "target", half(1), [1]),
    "whole numbers": case("mse", "input", [1, 2], [3, 4]),
    "weights of another dtype": case("nll", "weight", half(1, 2), whole(1), weight=np.float32([1, 2])),
    **{f"a column beside a vector, {name}": case(name, "target", half(3), one(3, 1)) for name in STRICT},
    "one variance for all": case("gaussian-nll", "var", half(2, 3), half(2, 3), number(0.5)),
    "smoothing with a target of shape (1,)": case(
        "cross-entropy", "target", half(3), whole(1), label_smoothing=0.1
    ),
    "no sequences": case(
        "ctc", "log_probs", half(4, 0, 3), whole(0, 2), whole(0), whole(0), reduction="none"
    ),
    "no time": case("ctc", "log_probs", half(0, 2, 3), SYMBOLS, [0, 0], [0, 0], reduction="none"),
    "symbols behind a lone target": case("ctc", "targets", half(4, 3), [1, 2, 1], number(4), number(2)),
    "the largest of no differences": case(
        "triplet-margin", "p", half(2, 0), half(2, 0), half(2, 0), p=np.inf
    ),
}
"""What losscalc takes on purpose although PyTorch refuses it."""


@pytest.mark.parametrize("what", TAKEN)
def test_what_losscalc_takes(what: str) -> None:
    """PyTorch raises; losscalc gives numbers, and NaN for none."""
    with pytest.raises(REFUSAL):
        TAKEN[what].in_torch()
    value = np.asarray(TAKEN[what].in_losscalc())
    assert np.isfinite(value).all()
