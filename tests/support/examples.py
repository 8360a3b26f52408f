"""Arrays that suit a loss, for laws that hold for every one of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.domains import SIGNS, Choice, Names

Arrays = dict[str, Any]
"""The arrays of a call by name; a state is a dict of its own."""

WIDTH = 7
"""How many columns the examples have, but for boxes."""


def example(cls: type[Loss], rows: int, seed: int = 0, dtype: type = np.float64) -> Arrays:
    """Random arrays: predictions, targets and all weights there are."""
    rng = np.random.default_rng(seed)
    arrays = {a.name: draw(cls, a.name, rows, rng) for a in array_arguments(cls)}
    return converted(arrays, dtype)


def converted(arrays: Arrays, dtype: type) -> Arrays:
    """The arrays with all that are floating in another dtype."""
    return {
        name: converted(array, dtype)
        if isinstance(array, dict)
        else array.astype(dtype)
        if array.dtype.kind == "f"
        else array
        for name, array in arrays.items()
    }


def draw(cls: type[Loss], name: str, rows: int, rng: np.random.Generator) -> Any:
    """One array of an example; what is special about a loss stands here, and nowhere else."""
    shape = (rows, WIDTH)
    special = {
        ("bce", "input"): lambda: rng.uniform(0.02, 0.98, shape),
        ("cross-entropy", "target"): lambda: classes(rows, rng, ignored=True),
        ("nll", "target"): lambda: classes(rows, rng, ignored=True),
        ("linear-cross-entropy", "target"): lambda: classes(rows, rng, ignored=True),
        ("multi-margin", "target"): lambda: classes(rows, rng),
        ("multilabel-margin", "target"): lambda: lists(rows, rng),
        ("adaptive-log-softmax", "target"): lambda: classes(rows, rng),
        ("cosine-embedding", "target"): lambda: rng.choice([-1.0, 1.0], rows),
        ("hinge-embedding", "input"): lambda: rng.random(shape) * 2,
        ("ctc", "log_probs"): lambda: log_softmax(rng.normal(size=(9, rows, 4))),
        ("ctc", "targets"): lambda: rng.integers(1, 4, (rows, 3)),
        ("ctc", "input_lengths"): lambda: rng.integers(6, 10, rows),
        ("ctc", "target_lengths"): lambda: rng.integers(0, 4, rows),
        ("poisson-nll", "target"): lambda: rng.random(shape) * 3,
        ("gaussian-nll", "var"): lambda: rng.uniform(0.5, 2.0, shape),
        ("linear-cross-entropy", "linear_weight"): lambda: rng.normal(size=(WIDTH, WIDTH)),
        ("linear-cross-entropy", "linear_bias"): lambda: rng.normal(size=WIDTH),
        ("adaptive-log-softmax", "state"): lambda: state(rng),
    }
    if (cls.name, name) in special:
        return special[cls.name, name]()
    if cls.library == "torchvision.ops" and cls.name != "sigmoid-focal":
        return boxes(rows, rng)
    role = next(a.role for a in array_arguments(cls) if a.name == name)
    if role.domain is SIGNS:
        return rng.choice([-1.0, 1.0], shape)
    if name == "weight":
        by_class = array_arguments(cls)[1].name == "linear_weight" or cls.name in (
            "cross-entropy",
            "nll",
            "multi-margin",
        )
        return rng.random(WIDTH if by_class else shape)
    if name == "pos_weight":
        return rng.random((rows, 1)) * 4
    return rng.random(shape) if name == "target" else rng.normal(size=shape) * 3


def classes(rows: int, rng: np.random.Generator, *, ignored: bool = False) -> np.ndarray:
    """Class indices, some of them ignored."""
    target = rng.integers(0, WIDTH, rows)
    if ignored:
        target[::5] = -100
    return target


def lists(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Lists of classes of different lengths, -1 behind the last."""
    target = rng.permuted(np.tile(np.arange(WIDTH), (rows, 1)), axis=1)
    return np.where(np.arange(WIDTH) < rng.integers(0, WIDTH, (rows, 1)), target, -1)


def boxes(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Boxes that mostly overlap."""
    corner = rng.uniform(0, 2, (rows, 2))
    return np.concatenate([corner, corner + rng.uniform(1, 3, (rows, 2))], axis=1)


def state(rng: np.random.Generator) -> Arrays:
    """The state of an adaptive softmax with three frequent classes and two clusters of two."""
    return {
        "head.weight": rng.normal(size=(5, WIDTH)),
        "tail.0.0.weight": rng.normal(size=(3, WIDTH)),
        "tail.0.1.weight": rng.normal(size=(2, 3)),
        "tail.1.0.weight": rng.normal(size=(1, WIDTH)),
        "tail.1.1.weight": rng.normal(size=(2, 1)),
    }


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Log-probabilities of small scores, in plain NumPy."""
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


def variants(cls: type[Loss]) -> Iterator[Loss]:
    """The loss with its defaults, and with each parameter changed that has a few values only."""
    yield cls()
    for parameter in parameters(cls):
        if parameter.kind is bool:
            yield cls(**{parameter.name: not parameter.default})
        elif isinstance(parameter.domain, Choice | Names):
            yield from (
                cls(**{parameter.name: v}) for v in parameter.domain.inside() if v != parameter.default
            )
    further = {
        "smooth-l1": [{"beta": 0.3}],
        "huber": [{"delta": 2.5}],
        "cross-entropy": [{"label_smoothing": 0.2}],
        "linear-cross-entropy": [{"label_smoothing": 0.2}],
        "sigmoid-focal": [{"alpha": -1.0}, {"gamma": 0.0}, {"gamma": 0.5}],
        "triplet-margin": [
            {"p": 1.0}, {"p": 3.0}, {"p": 1.5}, {"p": float("inf")}, {"p": -1.0, "margin": 5.0}, {"eps": 0.0},
            {"p": 3.0, "swap": True, "margin": 9.0},
        ],
        "ctc": [{"blank": 0, "zero_infinity": True}],
    }  # fmt: skip
    yield from (cls(**settings) for settings in further.get(cls.name, []))


def prepared(loss: Loss, arrays: Arrays) -> Arrays:
    """The example as this variant of a loss needs it."""
    if loss.name == "kl-div" and loss.settings["log_target"]:
        return {**arrays, "target": -arrays["target"]}
    if loss.name == "poisson-nll" and not loss.settings["log_input"]:
        return {**arrays, "input": np.abs(arrays["input"]) + 0.5}
    return arrays
