"""Arrays that suit a loss, for laws that hold for every one of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.domains import Choice, Names

Arrays = dict[str, Any]
"""The arrays of a call by name; a state is a dict of its own."""

MATRIX_PRODUCTS = frozenset({"linear-cross-entropy", "adaptive-log-softmax"})
"""The losses of which BLAS computes a part, whose rounding depends on the shapes of the factors."""

WIDTH = 7
"""How many columns the examples have, but for boxes."""


def example(cls: type[Loss], rows: int, seed: int = 0, dtype: type = np.float64) -> Arrays:
    """Random arrays: predictions, targets and all weights there are.

    Masks leave targets out that might as well be ignored; tests/catalogue/test_tokens.py draws them.
    """
    rng = np.random.default_rng(seed)
    arrays = {a.name: draw(cls, a.name, rows, rng) for a in array_arguments(cls) if a.role.kind != "masks"}
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
    """One array of an example: what its kind of numbers is, but for a few arrays of odd shapes."""
    if (cls.name, name) in SPECIAL:
        return SPECIAL[cls.name, name](rows, rng)
    kind = next(array.role.kind for array in array_arguments(cls) if array.name == name)
    if kind in ("classes", "class-indices"):
        return classes(rows, rng, ignored=any(p.name == "ignore_index" for p in parameters(cls)))
    if kind in REAL:
        return rng.random((rows, WIDTH)) if name == "target" else rng.normal(size=(rows, WIDTH)) * 3
    assert kind in KINDS, f"add to KINDS in tests/support/examples.py what {kind} are: `{name}` of {cls.name}"
    return KINDS[kind](rows, rng)


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


def durations(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Times with ties, of which the first, which is censored, is the longest."""
    times = rng.integers(1, 2 + rows // 2, rows).astype(float)
    times[:1] += rows
    return times


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


Maker = Callable[[int, np.random.Generator], Any]
"""An array of so many rows."""

REAL = frozenset({"values", "vectors", "features", "logits", "log-probabilities", "log-likelihoods"})
"""The kinds that are any real numbers; a target of them is between 0 and 1, so that it suits every loss."""

KINDS: Mapping[str, Maker] = {
    "probabilities": lambda rows, rng: rng.uniform(0.02, 0.98, (rows, WIDTH)),
    "shares": lambda rows, rng: rng.dirichlet(np.full(WIDTH, 2.0), rows),
    "labels": lambda rows, rng: rng.random((rows, WIDTH)),
    "distributions": lambda rows, rng: rng.random((rows, WIDTH)),
    "distances": lambda rows, rng: rng.random((rows, WIDTH)) * 2,
    "amounts": lambda rows, rng: rng.uniform(0.1, 3.0, (rows, WIDTH)),
    "counts": lambda rows, rng: rng.random((rows, WIDTH)) * 3,
    "variances": lambda rows, rng: rng.uniform(0.5, 2.0, (rows, WIDTH)),
    "signs": lambda rows, rng: rng.choice([-1.0, 1.0], (rows, WIDTH)),
    "groups": lambda rows, rng: rng.integers(0, 3, rows),
    "relevance": lambda rows, rng: rng.integers(0, 4, (rows, WIDTH)).astype(float),
    "negatives": lambda rows, rng: rng.random((rows, 3, WIDTH)),
    "token-masks": lambda rows, rng: rng.integers(0, 2, (rows, WIDTH)),
    "advantages": lambda rows, rng: rng.normal(size=(rows, WIDTH)),
    "durations": lambda rows, rng: durations(rows, rng),
    "events": lambda rows, rng: (np.arange(rows) % 3 > 0).astype(float),
    "class-lists": lambda rows, rng: lists(rows, rng),
    "sequences": lambda rows, rng: rng.integers(1, 4, (rows, 3)),
    "lengths": lambda rows, rng: rng.integers(0, 4, rows),
    "boxes": lambda rows, rng: boxes(rows, rng),
    "weights": lambda rows, rng: rng.random((rows, WIDTH)),
    "full-weights": lambda rows, rng: rng.random((rows, WIDTH)),
    "positive-weights": lambda rows, rng: rng.random((rows, 1)) * 4,
    "class-weights": lambda rows, rng: rng.random(WIDTH),
    "sample-weights": lambda rows, rng: rng.random(rows),
}
"""What the other kinds are."""

SPECIAL: Mapping[tuple[str, str], Maker] = {
    ("cosine-embedding", "target"): lambda rows, rng: rng.choice([-1.0, 1.0], rows),
    ("contrastive", "target"): lambda rows, rng: rng.integers(0, 2, rows),
    ("grpo", "advantages"): lambda rows, rng: rng.normal(size=rows),
    ("bradley-terry", "margin"): lambda rows, rng: rng.random(rows),
    ("cox", "input"): lambda rows, rng: rng.normal(size=rows),
    ("log-loss", "weight"): lambda rows, rng: rng.random(rows),
    ("brier", "weight"): lambda rows, rng: rng.random(rows),
    ("kl-gaussian", "logvar"): lambda rows, rng: rng.normal(size=(rows, WIDTH)),
    ("kl-gaussian", "target_logvar"): lambda rows, rng: rng.normal(size=(rows, WIDTH)),
    ("ctc", "log_probs"): lambda rows, rng: log_softmax(rng.normal(size=(9, rows, 4))),
    ("ctc", "input_lengths"): lambda rows, rng: rng.integers(6, 10, rows),
    ("linear-cross-entropy", "linear_weight"): lambda rows, rng: rng.normal(size=(WIDTH, WIDTH)),
    ("linear-cross-entropy", "linear_bias"): lambda rows, rng: rng.normal(size=WIDTH),
    ("adaptive-log-softmax", "state"): lambda rows, rng: state(rng),
}
"""Arrays of which the kind does not say enough, by loss."""


def losses_of(loss: Loss, arrays: Arrays) -> np.ndarray:
    """The losses of one block, also those that are a function of sums."""
    with np.errstate(all="ignore"):
        terms = loss.terms(**arrays)
        if terms.sums is None:
            return terms.value
        return np.asarray(loss.finish({name: np.sum(each) for name, each in terms.sums.items()}))


def has_single_losses(cls: type[Loss]) -> bool:
    """Whether rows or elements have losses of their own, rather than the whole batch one."""
    with np.errstate(all="ignore"):
        return cls().terms(**example(cls, 2)).sums is None


OVERLAPS = [
    {"dim": (1,)},
    {"dim": (0,)},
    {"dim": (0, -1), "smooth_nr": 0.0, "smooth_dr": 0.3},
    {"dim": (1,), "activation": "softmax"},
    {"dim": (0,), "activation": "softmax"},
]
"""Variants of the losses of masks: a loss for each row, for each column, and for all."""


def variants(cls: type[Loss]) -> Iterator[Loss]:
    """The loss with its defaults, and with each parameter changed that has a few values only.

    A shift is nothing that a formula knows of: tests/catalogue/test_tokens.py has its laws.
    """
    yield cls()
    for parameter in (p for p in parameters(cls) if p.name != "shift"):
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
        "hinge": [{"margin": 0.3}],
        "squared-hinge": [{"margin": 0.3}],
        "dice": OVERLAPS,
        "jaccard": OVERLAPS,
        "tversky": [*OVERLAPS, {"alpha": 0.3, "beta": 0.9}, {"gamma": 0.75, "dim": (0,)}],
        "mape": [{"eps": 0.4}],
        "smape": [{"eps": 3.0}],
        "pinball": [{"quantile": 0.9}],
        "tweedie-deviance": [{"power": p} for p in (0.0, 1.0, 1.7, 2.0, 3.0, -1.0, -0.3)],
        "focal": [{"gamma": 0.0}, {"gamma": 0.5}, {"eps": 0.02}],
        "distillation": [{"alpha": 1.0}, {"alpha": 0.5, "temperature": 0.5}],
        "ctc": [{"blank": 0, "zero_infinity": True}],
        "dpo": [{"label_smoothing": 0.2}, {"label_smoothing": 0.2, "loss_type": "robust"}],
        "ranknet": [{"sigma": 0.5}, {"padding": 3.0}],
        "ppo-clip": [{"clip_eps": 0.1, "clip_eps_high": 0.5}],
        "grpo": [{"beta": 0.3}, {"beta": 0.3, "loss_type": "dr_grpo", "max_length": 9}],
    }  # fmt: skip
    yield from (cls(**settings) for settings in further.get(cls.name, []))


def without(arrays: Arrays, *names: str) -> Arrays:
    """The arrays without some."""
    return {name: array for name, array in arrays.items() if name not in names}


def prepared(loss: Loss, arrays: Arrays) -> Arrays:
    """The example as this variant of a loss needs it."""
    if loss.name == "kl-div" and loss.settings["log_target"]:
        return {**arrays, "target": -arrays["target"]}
    if loss.name == "info-nce" and not loss.settings["normalize"]:
        return without(arrays, "negatives")
    if loss.name == "dpo" and loss.settings["loss_type"] == "hinge":
        return {n: a.mean(axis=-1) for n, a in without(arrays, "chosen_mask", "rejected_mask").items()}
    if loss.name == "poisson-nll" and not loss.settings["log_input"]:
        return {**arrays, "input": np.abs(arrays["input"]) + 0.5}
    return arrays
