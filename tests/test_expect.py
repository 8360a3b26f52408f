"""Checks with `--expect`: numbers that are wrong in a known way, made without losscalc, are explained.

Each case makes a number by a mistake that people make, with PyTorch, scikit-learn or plain NumPy on small
random arrays, and the search has to name that mistake among what it finds. A supposition without a case
fails here.
"""

import importlib
import inspect
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.calls import Call
from losscalc.comparison import Comparison, Tolerance, compare, explanations
from losscalc.declaration import parameters
from losscalc.domains import Choice, Names
from losscalc.errors import ShapeError
from losscalc.loss import Loss, losses
from losscalc.suppositions import Supposition, suppositions
from tests.examples import WIDTH, boxes, example, log_softmax, prepared, variants

pytestmark = [
    # The arrays are those that somebody got wrong, and the losses say so.
    pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning"),
    # What PyTorch does with (N, 1) against (N,), and with the mean of a divergence.
    pytest.mark.filterwarnings("ignore:Using a target size"),
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides"),
    pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one"),
]

Arrays = dict[str, np.ndarray]
TOLERANCE = Tolerance()

ORIGINS = {"F": "torch.nn.functional", "metrics": "sklearn.metrics", "np": "numpy"}
"""What the first argument of a wrong number stands for: whom it was computed with."""


class Case(NamedTuple):
    """A mistake: the supposition that names it, the right call, and what makes the wrong number."""

    name: str
    loss: str
    data: str
    wrong: Callable[..., Any]
    """Called with a module of `ORIGINS` and the arrays, which are tensors where that is PyTorch's."""
    settings: Mapping[str, Any] = {}
    reduction: str = "mean"

    @property
    def id(self) -> str:
        """The mistake, and the loss."""
        return f"{self.name}, {self.loss}"

    @property
    def options(self) -> list[str]:
        """The settings, as the command line takes them."""
        words = [f"--reduction={self.reduction}"]
        for key, value in self.settings.items():
            option = key.replace("_", "-")
            flag = f"--{option}" if value else f"--no-{option}"
            words += [flag] if isinstance(value, bool) else [f"--{option}", str(value)]
        return words

    def arrays(self, seed: int) -> Arrays:
        """The arrays that the mistake was made with."""
        return DATA[self.data](np.random.default_rng([seed, *self.id.encode()]))

    def call(self, arrays: Arrays) -> Call:
        """The right call."""
        settings = dict(self.settings)
        broadcast = settings.pop("broadcast", False)
        return Call(losses()[self.loss](**settings), arrays, self.reduction, broadcast=broadcast)

    def number(self, arrays: Arrays) -> np.ndarray:
        """The wrong number; skipped where what makes it is not installed."""
        origin = next(iter(inspect.signature(self.wrong).parameters))
        module = pytest.importorskip(ORIGINS[origin], reason=f"{ORIGINS[origin]} is not installed")
        values = [tensor(array) if origin == "F" else array for array in arrays.values()]
        with np.errstate(all="ignore"):
            return np.asarray(self.wrong(module, *values), dtype=np.float64)


def tensor(array: np.ndarray) -> Any:
    """The array as PyTorch has it."""
    return importlib.import_module("torch").tensor(array)


# -- arrays ---------------------------------------------------------------------------------------------

Random = np.random.Generator


def pairs(rng: Random, *shape: int) -> Arrays:
    """Numbers, and what they should be."""
    return {"input": rng.normal(size=shape), "target": rng.normal(size=shape)}


def binary(rng: Random, *shape: int) -> Arrays:
    """Logits, and labels of which not all are equal."""
    target = rng.permutation(np.resize([0.0, 1.0, 1.0], shape).ravel()).reshape(shape)
    return {"input": rng.normal(size=shape) * 2, "target": target}


def probabilities(rng: Random, *shape: int) -> Arrays:
    """Probabilities and labels."""
    return {**binary(rng, *shape), "input": rng.uniform(0.02, 0.98, shape)}


def saturated(rng: Random, *shape: int) -> Arrays:
    """Probabilities of which two are as wrong as can be."""
    arrays = probabilities(rng, *shape)
    arrays["input"][0, 0], arrays["target"][0, 0] = 0.0, 1.0
    arrays["input"][1, 1], arrays["target"][1, 1] = 1.0, 0.0
    return arrays


def signed(rng: Random, *shape: int) -> Arrays:
    """Scores, and labels 1 and -1."""
    arrays = binary(rng, *shape)
    return {**arrays, "target": 2 * arrays["target"] - 1}


def classes(rng: Random, rows: int = 6, count: int = 4, low: int = 0, high: int = 4) -> Arrays:
    """Logits of classes, and class indices."""
    return {"input": rng.normal(size=(rows, count)) * 2, "target": rng.integers(low, high, rows)}


def ignoring(arrays: Arrays) -> Arrays:
    """Class indices of which some are ignored."""
    target = arrays["target"].copy()
    target.flat[1::4] = -100
    return {**arrays, "target": target}


def sequences(rng: Random) -> Arrays:
    """Logits (N, C, L), and class indices (N, L)."""
    return {"input": rng.normal(size=(3, 4, 5)), "target": rng.integers(0, 4, (3, 5))}


def divergent(rng: Random) -> Arrays:
    """Log-probabilities, and probabilities."""
    scores, others = rng.normal(size=(2, 5, 4))
    return {"input": log_softmax(scores), "target": np.exp(log_softmax(others))}


def weighted(arrays: Arrays, rng: Random, *shape: int) -> Arrays:
    """The arrays with weights."""
    return {**arrays, "weight": rng.uniform(0.5, 3.0, shape)}


def positive(rng: Random) -> Arrays:
    """Logits, labels, and weights of the positive ones."""
    return {**binary(rng, 5, 3), "pos_weight": rng.uniform(1.5, 4.0, 3)}


def triplets(rng: Random) -> Arrays:
    """Vectors, of which the negative ones are closer to the positive ones than to the anchors."""
    anchor, positive, noise = rng.normal(size=(3, 5, 3))
    return {"anchor": anchor, "positive": positive, "negative": positive + noise / 8}


def spoken(rng: Random, repeated: bool = False) -> Arrays:
    """Log-probabilities over time; a symbol that is repeated throughout needs more time than there is."""
    targets = np.ones((3, 4), int) if repeated else rng.integers(1, 4, (3, 4))
    return {
        "log_probs": log_softmax(rng.normal(size=(6, 3, 5))),
        "targets": targets,
        "input_lengths": np.array([6, 6, 6]),
        "target_lengths": np.array([4, 2, 1]),
    }


DATA: dict[str, Callable[[Random], Arrays]] = {
    "pairs": lambda r: pairs(r, 5, 3),
    "vectors": lambda r: pairs(r, 6),
    "far pairs": lambda r: {name: array + 40_000 for name, array in pairs(r, 5, 3).items()},
    "remote pairs": lambda r: {name: array + 1000 for name, array in pairs(r, 5, 3).items()},
    "weighted pairs": lambda r: weighted(pairs(r, 5, 3), r, 5, 3),
    "logits": lambda r: binary(r, 5, 3),
    # So confident that 1 - σ(x) has few digits left in float32, or in float16.
    "sure logits": lambda r: {"input": r.uniform(12, 14, (5, 3)), "target": np.eye(5, 3)},
    "likely logits": lambda r: {"input": r.uniform(3, 5, (5, 3)), "target": np.eye(5, 3)},
    "weighted logits": lambda r: weighted(binary(r, 5, 3), r, 5, 3),
    "positive logits": positive,
    "probabilities": lambda r: probabilities(r, 5, 3),
    "weighted probabilities": lambda r: weighted(probabilities(r, 5, 3), r, 5, 3),
    "saturated": lambda r: saturated(r, 5, 3),
    "soft": lambda r: {"input": r.uniform(0.1, 0.9, (5, 3)), "target": r.uniform(0.1, 0.9, (5, 3))},
    "signs": lambda r: signed(r, 5, 3),
    "classes": classes,
    "classes of 3": lambda r: classes(r, high=3),
    "classes from 1": lambda r: classes(r, low=1),
    "far classes": lambda r: {**classes(r), "input": np.eye(4)[r.integers(0, 4, 6)] * 60},
    "square classes": lambda r: classes(r, rows=4),
    "weighted classes": lambda r: weighted(classes(r, rows=9), r, 4),
    "class probabilities": lambda r: {**classes(r), "input": np.exp(log_softmax(r.normal(size=(6, 4))))},
    "class log-probabilities": lambda r: {**classes(r), "input": log_softmax(r.normal(size=(6, 4)))},
    "distributions": lambda r: {**classes(r), "target": np.exp(log_softmax(r.normal(size=(6, 4)) * 2))},
    "ignored classes": lambda r: ignoring(classes(r, rows=9)),
    "sequences": sequences,
    "ignored sequences": lambda r: ignoring(sequences(r)),
    "divergence": divergent,
    "divergence from scores": lambda r: {**divergent(r), "input": r.normal(size=(5, 4))},
    "divergence from one": lambda r: {**divergent(r), "input": log_softmax(r.normal(size=(1, 4)))},
    "rates": lambda r: {"input": r.uniform(0.5, 2.0, (5, 3)), "target": r.uniform(0.5, 3.0, (5, 3))},
    "variances": lambda r: {**pairs(r, 5, 3), "var": r.uniform(0.5, 2.0, (5, 3))},
    "triplets": triplets,
    "speech": spoken,
    "hurried speech": lambda r: spoken(r, repeated=True),
    "boxes": lambda r: {"input": boxes(5, r), "target": boxes(5, r)},
}


# -- losses in plain NumPy, or with PyTorch where it has none ---------------------------------------------


def softmax(x: np.ndarray) -> np.ndarray:
    """The softmax along axis 1."""
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


def log_loss(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Cross-entropy of probabilities, in whatever dtype they are."""
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def squashed(x: np.ndarray) -> np.ndarray:
    """The sigmoid as it is usually written."""
    return 1 / (1 + np.exp(-x))


def focal(functional: Any, x: Any, y: Any, alpha: float = 0.25, gamma: float = 2.0) -> Any:
    """Focal loss as torchvision writes it."""
    p = x.sigmoid()
    p = p * y + (1 - p) * (1 - y)
    loss = functional.binary_cross_entropy_with_logits(x, y, reduction="none") * (1 - p) ** gamma
    return (loss * (alpha * y + (1 - alpha) * (1 - y)) if alpha >= 0 else loss).mean()


class Overlap(NamedTuple):
    """What losses of boxes consist of."""

    iou: np.ndarray
    outside: np.ndarray
    """The share of the enclosing box that neither covers."""
    offset: np.ndarray
    aspect: np.ndarray

    @property
    def balance(self) -> np.ndarray:
        """The factor of the aspect in CIoU."""
        return self.aspect / (1 - self.iou + self.aspect)


def overlap(a: np.ndarray, b: np.ndarray) -> Overlap:
    """The parts of the losses of boxes."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    union = np.prod(a[:, 2:] - a[:, :2], axis=1) + np.prod(b[:, 2:] - b[:, :2], axis=1) - common
    hull = np.maximum(a[:, 2:], b[:, 2:]) - np.minimum(a[:, :2], b[:, :2])
    centres = (a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2
    angles = [np.arctan((box[:, 2] - box[:, 0]) / (box[:, 3] - box[:, 1])) for box in (a, b)]
    return Overlap(
        common / union,
        (np.prod(hull, axis=1) - union) / np.prod(hull, axis=1),
        (centres**2).sum(axis=1) / (hull**2).sum(axis=1),
        4 / np.pi**2 * (angles[0] - angles[1]) ** 2,
    )


def generalized(a: np.ndarray, b: np.ndarray) -> float:
    """GIoU loss."""
    parts = overlap(a, b)
    return float(np.mean(1 - parts.iou + parts.outside))


def distant(a: np.ndarray, b: np.ndarray) -> float:
    """DIoU loss."""
    parts = overlap(a, b)
    return float(np.mean(1 - parts.iou + parts.offset))


def complete(a: np.ndarray, b: np.ndarray) -> float:
    """CIoU loss."""
    parts = overlap(a, b)
    return float(np.mean(1 - parts.iou + parts.offset + parts.balance * parts.aspect))


def ctc(functional: Any, *arrays: Any, **settings: Any) -> Any:
    """CTC, whose lengths PyTorch takes last."""
    return functional.ctc_loss(*arrays, **settings)


# -- the mistakes ---------------------------------------------------------------------------------------

REDUCTIONS = [
    Case("reduction-sum", "mse", "pairs", lambda F, x, y: F.mse_loss(x, y, reduction="sum")),
    Case("reduction-sum", "bce", "probabilities", lambda np, p, y: log_loss(p, y).sum()),
    Case(
        "reduction-sum",
        "cross-entropy",
        "classes",
        lambda metrics, x, y: metrics.log_loss(y, softmax(x), normalize=False, labels=range(4)),
    ),
    Case(
        "reduction-mean",
        "cross-entropy",
        "weighted classes",
        lambda F, x, y, w: F.cross_entropy(x, y, w),
        reduction="sum",
    ),
    Case("reduction-mean", "kl-div", "divergence", lambda F, x, y: F.kl_div(x, y), reduction="batchmean"),
    Case(
        "reduction-batchmean", "kl-div", "divergence", lambda F, x, y: F.kl_div(x, y, reduction="batchmean")
    ),
]

DENOMINATORS = [
    # With sample weights Keras divides by the number of samples.
    Case(
        "over-terms",
        "cross-entropy",
        "weighted classes",
        lambda F, x, y, w: F.cross_entropy(x, y, w, reduction="none").mean(),
    ),
    Case("over-terms", "ctc", "speech", lambda F, *a: ctc(F, *a, reduction="none").mean()),
    Case("over-terms", "l1", "weighted pairs", lambda np, x, y, w: (w * abs(x - y)).mean()),
    Case("over-rows", "mse", "pairs", lambda F, x, y: F.mse_loss(x, y, reduction="sum") / len(x)),
    Case("over-rows", "bce", "probabilities", lambda np, p, y: log_loss(p, y).sum(axis=1).mean()),
    Case(
        "over-elements",
        "cross-entropy",
        "classes",
        lambda F, x, y: (-F.one_hot(y, 4) * F.log_softmax(x, 1)).mean(),
    ),
    # As segmentation_models_pytorch does it.
    Case(
        "over-all",
        "cross-entropy",
        "ignored sequences",
        lambda F, x, y: F.cross_entropy(x, y, reduction="none").mean(),
    ),
    Case(
        "over-rows",
        "nll",
        "ignored classes",
        lambda F, x, y: F.nll_loss(x, y, reduction="none").mean(),
    ),
    Case(
        "over-weights",
        "bce",
        "weighted probabilities",
        lambda metrics, p, y, w: metrics.log_loss(y.ravel(), p.ravel(), sample_weight=w.ravel()),
    ),
    Case("over-weights", "huber", "weighted pairs", lambda F, x, y, w: F.huber_loss(x, y, reduction="none")
         .mul(w).sum() / w.sum()),
    Case(
        "over-positives",
        "bce-logits",
        "logits",
        lambda F, x, y: F.binary_cross_entropy_with_logits(x, y, reduction="sum") / y.sum(),
    ),
    Case("over-positives", "sigmoid-focal", "logits", lambda F, x, y: focal(F, x, y) * y.numel() / y.sum()),
    Case("mean-over-rows", "cross-entropy", "classes", lambda F, x, y: F.cross_entropy(x, y) / len(x)),
    Case("mean-over-rows", "mse", "pairs", lambda metrics, x, y: metrics.mean_squared_error(y, x) / len(x)),
    Case(
        "mean-of-rows",
        "kl-div",
        "divergence from one",
        lambda F, x, y: F.kl_div(x, y, reduction="none").sum(1).mean(),
        {"broadcast": True},
    ),
]

WEIGHTS = [
    Case("no-weight", "mse", "weighted pairs", lambda metrics, x, y, w: metrics.mean_squared_error(y, x)),
    Case("no-weight", "cross-entropy", "weighted classes", lambda F, x, y, w: F.cross_entropy(x, y)),
    Case(
        "no-weight", "bce", "weighted probabilities", lambda np, p, y, w: log_loss(p, y).sum(), {}, "sum"
    ),
    Case(
        "weight-twice",
        "bce",
        "weighted probabilities",
        lambda F, p, y, w: (F.binary_cross_entropy(p, y, w, reduction="none") * w).mean(),
    ),
    Case("weight-twice", "nll", "weighted classes", lambda F, x, y, w: F.nll_loss(x, y, w * w)),
    Case(
        "weight-sum-1",
        "bce-logits",
        "weighted logits",
        lambda F, x, y, w: F.binary_cross_entropy_with_logits(x, y, w / w.sum()),
    ),
    Case("weight-sum-1", "multi-margin", "weighted classes", lambda F, x, y, w: F.multi_margin_loss(
        x, y, weight=w / w.sum())),
    Case("weight-mean-1", "huber", "weighted pairs", lambda F, x, y, w: F.huber_loss(x, y, weight=w / w.mean())),
    Case("weight-inverse", "cross-entropy", "weighted classes", lambda F, x, y, w: F.cross_entropy(x, y, 1 / w)),
    *(
        Case(
            name,
            "bce-logits",
            "positive logits",
            lambda F, x, y, w, change=change: F.binary_cross_entropy_with_logits(x, y, pos_weight=change(w)),
        )
        for name, change in (
            ("no-pos-weight", lambda w: None),
            ("pos-weight-twice", lambda w: w * w),
            ("pos-weight-sum-1", lambda w: w / w.sum()),
            ("pos-weight-mean-1", lambda w: w / w.mean()),
            ("pos-weight-inverse", lambda w: 1 / w),
        )
    ),
]

FACTORS = [
    Case("half", "mse", "pairs", lambda np, x, y: (0.5 * (x - y) ** 2).mean()),
    Case("double", "gaussian-nll", "variances", lambda np, x, y, v: (np.log(v) + (x - y) ** 2 / v).mean()),
    Case("double", "huber", "soft", lambda metrics, x, y: metrics.mean_squared_error(y, x)),
    Case("negative", "cross-entropy", "classes", lambda F, x, y: F.log_softmax(x, 1)[range(6), y].mean()),
    Case("base-2", "bce", "probabilities", lambda np, p, y: -np.log2(np.where(y == 1, p, 1 - p)).mean()),
    Case(
        "base-2",
        "cross-entropy",
        "classes",
        lambda np, x, y: -np.log2(softmax(x)[range(6), y]),
        reduction="none",
    ),
    Case("base-10", "cross-entropy", "classes", lambda np, x, y: -np.log10(softmax(x)[range(6), y]).mean()),
    Case("perplexity", "cross-entropy", "ignored classes", lambda F, x, y: F.cross_entropy(x, y).exp()),
    Case("root", "mse", "vectors", lambda metrics, x, y: metrics.root_mean_squared_error(y, x)),
]

OTHER_LOSSES = [
    Case("as-l1", "mse", "pairs", lambda metrics, x, y: metrics.mean_absolute_error(y, x)),
    Case("as-l1", "huber", "pairs", lambda F, x, y: F.l1_loss(x, y)),
    Case("as-mse", "l1", "pairs", lambda F, x, y: F.mse_loss(x, y)),
    Case("as-smooth-l1", "huber", "pairs", lambda F, x, y: F.smooth_l1_loss(x, y, beta=2.5), {"delta": 2.5}),
    Case("as-huber", "smooth-l1", "pairs", lambda F, x, y: F.huber_loss(x, y, delta=0.3), {"beta": 0.3}),
    Case("as-bce", "bce-logits", "probabilities", lambda metrics, p, y: metrics.log_loss(y.ravel(), p.ravel())),
    Case("as-bce", "bce-logits", "saturated", lambda F, p, y: F.binary_cross_entropy(p, y)),
    Case("as-soft-margin", "hinge-embedding", "signs", lambda F, x, y: F.soft_margin_loss(x, y)),
    Case("as-hinge-embedding", "soft-margin", "signs", lambda F, x, y: F.hinge_embedding_loss(x, y)),
    Case("as-bce-logits", "sigmoid-focal", "logits", lambda F, x, y: F.binary_cross_entropy_with_logits(x, y)),
    Case("as-bce-logits", "soft-margin", "signs", lambda F, x, y: F.binary_cross_entropy_with_logits(x, y)),
    Case("as-nll", "cross-entropy", "weighted classes", lambda F, x, y, w: F.nll_loss(x, y, w)),
    Case("as-multi-margin", "cross-entropy", "classes", lambda F, x, y: F.multi_margin_loss(x, y)),
    Case("as-cross-entropy", "nll", "ignored classes", lambda F, x, y: F.cross_entropy(x, y)),
    Case("as-giou", "ciou", "boxes", lambda np, x, y: generalized(x, y)),
    Case("as-diou", "giou", "boxes", lambda np, x, y: distant(x, y)),
    Case("as-ciou", "diou", "boxes", lambda np, x, y: complete(x, y)),
    Case(
        "worst-class",
        "multi-margin",
        "classes",
        lambda metrics, x, y: metrics.hinge_loss(y, x, labels=range(4)),
    ),
]

SETTINGS = [
    Case("log-input", "poisson-nll", "rates", lambda F, x, y: F.poisson_nll_loss(x, y), {"log_input": False}),
    Case("no-log-input", "poisson-nll", "rates", lambda F, x, y: F.poisson_nll_loss(x, y, log_input=False)),
    Case("full", "gaussian-nll", "variances", lambda F, x, y, v: F.gaussian_nll_loss(x, y, v, full=True)),
    Case("no-full", "poisson-nll", "rates", lambda F, x, y: F.poisson_nll_loss(x, y), {"full": True}),
    Case("log-target", "kl-div", "divergence", lambda F, x, y: F.kl_div(x, y, log_target=True)),
    Case("no-log-target", "kl-div", "divergence", lambda F, x, y: F.kl_div(x, y), {"log_target": True}),
    Case("swap", "triplet-margin", "triplets", lambda F, *a: F.triplet_margin_loss(*a, margin=5, swap=True), {"margin": 5.0}),
    Case("no-swap", "triplet-margin", "triplets", lambda F, *a: F.triplet_margin_loss(*a, margin=5), {"swap": True, "margin": 5.0}),
    Case("zero-infinity", "ctc", "hurried speech", lambda F, *a: ctc(F, *a, zero_infinity=True)),
    Case("no-zero-infinity", "ctc", "hurried speech", lambda F, *a: ctc(F, *a), {"zero_infinity": True}),
    Case("default-beta", "smooth-l1", "pairs", lambda F, x, y: F.smooth_l1_loss(x, y), {"beta": 0.3}),
    Case("default-delta", "huber", "pairs", lambda F, x, y: F.huber_loss(x, y), {"delta": 0.3}),
    Case("default-eps", "gaussian-nll", "variances", lambda F, *a: F.gaussian_nll_loss(*a), {"eps": 1.2}),
    Case("default-eps", "giou", "boxes", lambda np, x, y: generalized(x, y), {"eps": 3.0}),
    Case("default-alpha", "sigmoid-focal", "logits", lambda F, x, y: focal(F, x, y), {"alpha": 0.6}),
    Case("default-gamma", "sigmoid-focal", "logits", lambda F, x, y: focal(F, x, y), {"gamma": 1.5}),
    # As Keras and optax have it.
    Case("no-alpha", "sigmoid-focal", "logits", lambda F, x, y: focal(F, x, y, alpha=-1)),
    Case("default-margin", "multi-margin", "classes", lambda F, x, y: F.multi_margin_loss(x, y), {"margin": 3.0}),
    Case("default-p", "multi-margin", "classes", lambda F, x, y: F.multi_margin_loss(x, y), {"p": 2}),
    Case("default-p", "triplet-margin", "triplets", lambda F, *a: F.triplet_margin_loss(*a), {"p": 1.0}),
    Case(
        "default-ignore-index",
        "cross-entropy",
        "classes",
        lambda F, x, y: F.cross_entropy(x, y),
        {"ignore_index": 2},
    ),
    Case(
        "default-label-smoothing",
        "cross-entropy",
        "classes",
        lambda metrics, x, y: metrics.log_loss(y, softmax(x), labels=range(4)),
        {"label_smoothing": 0.3},
    ),
    Case("default-blank", "ctc", "speech", lambda F, *a: ctc(F, *a), {"blank": 4}),
    Case(
        "default-distance-function",
        "triplet-margin-with-distance",
        "triplets",
        lambda F, *a: F.triplet_margin_with_distance_loss(*a),
        {"distance_function": "cosine"},
    ),
]

INPUTS = [
    Case(
        "sigmoid-first",
        "bce-logits",
        "logits",
        lambda F, x, y: F.binary_cross_entropy_with_logits(x.sigmoid(), y),
    ),
    Case("sigmoid-first", "cross-entropy", "classes", lambda F, x, y: F.cross_entropy(x.sigmoid(), y)),
    Case("softmax-first", "cross-entropy", "classes", lambda F, x, y: F.cross_entropy(x.softmax(1), y)),
    Case("softmax-first", "cross-entropy", "sequences", lambda F, x, y: F.cross_entropy(x.softmax(1), y)),
    Case("softmax-first", "nll", "classes", lambda np, x, y: -softmax(x)[range(6), y].mean()),
    Case("log-softmax-first", "kl-div", "divergence from scores", lambda F, x, y: F.kl_div(F.log_softmax(x, 1), y)),
    Case("log-softmax-first", "nll", "classes", lambda F, x, y: F.nll_loss(F.log_softmax(x, 1), y)),
    Case(
        "log-first",
        "nll",
        "class probabilities",
        lambda metrics, p, y: metrics.log_loss(y, p, labels=range(4)),
    ),
    # Probabilities where logits were meant; of those that do not add up to 1, Keras rescales the row.
    Case("log-first", "cross-entropy", "class probabilities", lambda np, p, y: -np.log(p[range(6), y]).mean()),
    Case("exp-first", "poisson-nll", "rates", lambda F, x, y: F.poisson_nll_loss(x, y), {"log_input": False}),
    Case("logit-first", "bce-logits", "probabilities", lambda F, p, y: F.binary_cross_entropy(p, y)),
    Case("negated-first", "cross-entropy", "classes", lambda F, x, y: F.cross_entropy(-x, y)),
]

TARGETS = [
    Case("target-minus-1", "cross-entropy", "classes from 1", lambda F, x, y: F.cross_entropy(x, y - 1)),
    Case("target-minus-1", "ctc", "speech", lambda F, x, y, *n: ctc(F, x, y - 1, *n, blank=4), {"blank": 4}),
    Case("target-plus-1", "cross-entropy", "classes of 3", lambda F, x, y: F.cross_entropy(x, y + 1)),
    Case("target-plus-1", "multi-margin", "classes of 3", lambda F, x, y: F.multi_margin_loss(x, y + 1)),
    Case("target-flipped", "bce", "probabilities", lambda np, p, y: log_loss(1 - p, y).mean()),
    Case("target-negated", "soft-margin", "signs", lambda np, x, y: np.log1p(np.exp(y * x)).mean()),
    Case("target-argmax", "cross-entropy", "distributions", lambda F, x, y: F.cross_entropy(x, y.argmax(1))),
    Case(
        "target-one-hot",
        "cross-entropy",
        "weighted classes",
        lambda F, x, y, w: F.cross_entropy(x, F.one_hot(y, 4).to(x), w),
    ),
    Case("swapped", "poisson-nll", "rates", lambda F, x, y: F.poisson_nll_loss(y, x)),
    Case("swapped", "bce", "soft", lambda F, x, y: F.binary_cross_entropy(y, x)),
    Case("input-target-log", "kl-div", "divergence", lambda F, x, y: F.kl_div(y.log(), x.exp())),
]

SHAPES = [
    Case("outer", "mse", "vectors", lambda F, x, y: F.mse_loss(x[:, None], y)),
    Case("outer", "l1", "vectors", lambda np, x, y: abs(x - y[:, None]).mean()),
    Case("transposed", "cross-entropy", "square classes", lambda F, x, y: F.cross_entropy(x.T, y)),
    # Logits (N, L, C) of which the axes were to be exchanged.
    Case(
        "reshaped",
        "cross-entropy",
        "sequences",
        lambda F, x, y: F.cross_entropy(x.transpose(1, 2).contiguous().view(3, 4, 5), y),
    ),
]

SMOOTHING = [
    case
    for share in (0.1, 0.05, 0.2)
    for case in (
        Case(
            f"smoothing-{share}",
            "cross-entropy",
            "classes",
            lambda F, x, y, share=share: F.cross_entropy(x, y, label_smoothing=share),
        ),
        # As Keras does it, and optax.smooth_labels of two classes.
        Case(
            f"binary-smoothing-{share}",
            "bce-logits",
            "logits",
            lambda F, x, y, share=share: F.binary_cross_entropy_with_logits(x, y * (1 - share) + share / 2),
        ),
    )
]

CLIPPING = [
    *(
        case
        for name, bound in (("1e-7", 1e-7), ("1e-15", 1e-15), ("1e-8", 1e-8), ("1e-12", 1e-12))
        for case in (
            Case(
                f"clip-{name}",
                "bce",
                "saturated",
                lambda np, p, y, bound=bound: log_loss(np.clip(p, bound, 1 - bound), y).mean(),
            ),
            Case(
                f"clip-{name}",
                "cross-entropy",
                "far classes",
                lambda np, x, y, bound=bound: -np.log(np.clip(softmax(x), bound, 1)[range(6), y]).mean(),
            ),
        )
    ),
    Case("clip-eps", "bce", "saturated", lambda metrics, p, y: metrics.log_loss(y.ravel(), p.ravel())),
    Case(
        "clip-eps32",
        "bce",
        "saturated",
        lambda metrics, p, y: metrics.log_loss(y.ravel(), p.ravel().astype("float32")),
    ),
]

PRECISION = [
    Case("dtype-float32", "mse", "far pairs", lambda F, x, y: F.mse_loss(x.float(), y.float())),
    Case("dtype-float16", "l1", "remote pairs", lambda F, x, y: F.l1_loss(x.half(), y.half())),
    Case(
        "naive-float32",
        "bce-logits",
        "sure logits",
        lambda np, x, y: log_loss(squashed(x.astype("float32")), y.astype("float32")).mean(),
    ),
    Case(
        "naive-float16",
        "bce-logits",
        "likely logits",
        lambda np, x, y: log_loss(squashed(x.astype("float16")), y.astype("float16")),
        reduction="none",
    ),
]

CASES = [
    *(REDUCTIONS + DENOMINATORS + WEIGHTS + FACTORS + OTHER_LOSSES + SETTINGS + INPUTS + TARGETS + SHAPES),
    *(SMOOTHING + CLIPPING + PRECISION),
]
