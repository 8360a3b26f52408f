"""Checks with `--expect`: numbers that are wrong in a known way, made without losscalc, are explained.

Each case makes a number by a mistake that people make, with PyTorch, scikit-learn or plain NumPy on small
random arrays, and the search has to name that mistake among what it finds. A hypothesis without a case
fails here.
"""

import importlib
import inspect
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.catalogue.base import Loss, losses
from losscalc.core import reductions
from losscalc.core.declaration import parameters
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import compute
from losscalc.errors import ShapeError
from losscalc.insight.call import Call
from losscalc.insight.compare import Tolerance, compare, explanations
from losscalc.insight.detect import Hypothesis, NotApplicable, hypotheses
from losscalc.insight.detect.parameters import of_libraries, of_loss
from tests.support.examples import boxes, example, log_softmax, prepared, variants

pytestmark = [
    pytest.mark.slow,
    # Some of the wrong numbers are made by PyTorch itself.
    pytest.mark.parity,
    # The arrays are those that somebody got wrong, and the losses say so.
    pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning"),
    # What PyTorch does with (N, 1) against (N,), and with the mean of a divergence.
    pytest.mark.filterwarnings("ignore:Using a target size"),
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides"),
    pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one"),
]

Arrays = dict[str, np.ndarray]
TOLERANCE = Tolerance()

ORIGINS = {"nn": "torch.nn.functional", "metrics": "sklearn.metrics", "np": "numpy"}
"""What the first argument of a wrong number stands for: whom it was computed with."""


class Case(NamedTuple):
    """A mistake: the hypothesis that names it, the right call, and what makes the wrong number."""

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
        return Call(
            losses()[self.loss](**settings),
            arrays,
            reductions.REDUCTIONS[self.reduction],
            broadcast=broadcast,
        )

    def number(self, arrays: Arrays) -> np.ndarray:
        """The wrong number; skipped where what makes it is not installed."""
        origin = next(iter(inspect.signature(self.wrong).parameters))
        module = pytest.importorskip(ORIGINS[origin], reason=f"{ORIGINS[origin]} is not installed")
        values = [tensor(array) if origin == "nn" else array for array in arrays.values()]
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


def padded(rng: Random) -> Arrays:
    """Sequences of which class 0 fills the rest, the last having no rest."""
    lengths = np.array([2, 3, 5])
    target = np.where(np.arange(5) < lengths[:, np.newaxis], rng.integers(1, 4, (3, 5)), 0)
    return {"input": rng.normal(size=(3, 4, 5)), "target": target}


def judged(rng: Random, *shape: int) -> Arrays:
    """Two arrays, and 1 or -1 for each row."""
    one, two = rng.normal(size=(2, *shape))
    return {"input1": one, "input2": two, "target": rng.permutation(np.resize([1.0, -1.0], shape[0]))}


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
    "columns": lambda r: pairs(r, 6, 1),
    "far pairs": lambda r: {name: array + 40_000 for name, array in pairs(r, 5, 3).items()},
    "remote pairs": lambda r: {name: array + 1000 for name, array in pairs(r, 5, 3).items()},
    "weighted pairs": lambda r: weighted(pairs(r, 5, 3), r, 5, 3),
    "logits": lambda r: binary(r, 5, 3),
    # So confident that 1 - σ(x) has few digits left in float32, or in float16.
    "sure logits": lambda r: {"input": r.uniform(12, 14, (5, 3)), "target": np.eye(5, 3)},
    "likely logits": lambda r: {"input": r.uniform(3, 5, (5, 3)), "target": np.eye(5, 3)},
    # Beyond what a sigmoid tells from 0 and 1.
    "extreme logits": lambda r: {
        **binary(r, 5, 3),
        "input": r.choice([-1, 1], (5, 3)) * r.uniform(100, 300, (5, 3)),
    },
    "weighted logits": lambda r: weighted(binary(r, 5, 3), r, 5, 3),
    "positive logits": positive,
    "probabilities": lambda r: probabilities(r, 5, 3),
    "weighted probabilities": lambda r: weighted(probabilities(r, 5, 3), r, 5, 3),
    "saturated": lambda r: saturated(r, 5, 3),
    # Rows that do not sum to 1.
    "uneven": lambda r: {"input": r.uniform(0.1, 0.9, (5, 3)), "target": r.uniform(0.1, 0.9, (5, 3))},
    "faint": lambda r: {
        **binary(r, 5, 3),
        "input": r.permutation(np.resize([1e-8, 3e-8, 1e-7, 0.5], 15)).reshape(5, 3),
    },
    "soft": lambda r: {"input": r.uniform(0.1, 0.9, (5, 3)), "target": r.uniform(0.1, 0.9, (5, 3))},
    "signs": lambda r: signed(r, 5, 3),
    "classes": classes,
    "all classes": lambda r: {**classes(r), "target": r.permutation(np.resize(range(4), 6))},
    "classes of 3": lambda r: classes(r, high=3),
    "classes from 1": lambda r: classes(r, low=1),
    "far classes": lambda r: {**classes(r), "input": np.eye(4)[r.integers(0, 4, 6)] * 60},
    "square classes": lambda r: classes(r, rows=4),
    "weighted classes": lambda r: weighted(classes(r, rows=9), r, 4),
    "sampled classes": lambda r: {**classes(r, rows=7), "sample_weight": r.uniform(0.5, 2, 7)},
    "sampled weighted classes": lambda r: {
        **weighted(classes(r, rows=9), r, 4),
        "sample_weight": r.uniform(0.5, 2, 9),
    },
    "class probabilities": lambda r: {**classes(r), "input": np.exp(log_softmax(r.normal(size=(6, 4))))},
    "class log-probabilities": lambda r: {**classes(r), "input": log_softmax(r.normal(size=(6, 4)))},
    "distributions": lambda r: {**classes(r), "target": np.exp(log_softmax(r.normal(size=(6, 4)) * 2))},
    "ignored classes": lambda r: ignoring(classes(r, rows=9)),
    "sequences": sequences,
    "ignored sequences": lambda r: ignoring(sequences(r)),
    "padded": padded,
    "divergence": divergent,
    "divergence from scores": lambda r: {**divergent(r), "input": r.normal(size=(5, 4))},
    "divergence from one": lambda r: {**divergent(r), "input": log_softmax(r.normal(size=(1, 4)))},
    "rates": lambda r: {"input": r.uniform(0.5, 2.0, (5, 3)), "target": r.uniform(0.5, 3.0, (5, 3))},
    "scores to be met": lambda r: {**divergent(r), "target": r.uniform(0, 3, (5, 4))},
    "variances": lambda r: {**pairs(r, 5, 3), "var": r.uniform(0.5, 2.0, (5, 3))},
    "triplets": triplets,
    "speech": spoken,
    "hurried speech": lambda r: spoken(r, repeated=True),
    "ranks": lambda r: judged(r, 6),
    "signed vectors": lambda r: judged(r, 6, 3),
    "shares": lambda r: {name: r.dirichlet(np.ones(4), 6) for name in ("input", "target")},
    "lessons": lambda r: {"input": r.normal(size=(6, 4)), "teacher": r.normal(size=(6, 4)), **classes(r)},
    "tokens": lambda r: {"input": r.normal(size=(3, 5, 4)), "target": r.integers(0, 4, (3, 5))},
    "masked tokens": lambda r: {
        "input": r.normal(size=(3, 5, 4)),
        "target": r.integers(0, 4, (3, 5)),
        "mask": r.permuted(np.resize([0, 1, 1], (3, 5)), axis=1),
    },
    "equal tokens": lambda r: {"input": r.normal(size=(3, 4, 4)), "target": r.integers(0, 4, (3, 4))},
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


def violations(x: np.ndarray, y: np.ndarray, least: float) -> np.ndarray:
    """By how much the best wrong class of each row, or a least number, comes within 1 of the right one."""
    return np.array(
        [max(0.0, 1 + max(least, np.delete(row, k).max()) - row[k]) for row, k in zip(x, y, strict=True)]
    )


def jensen_shannon(x: np.ndarray, y: np.ndarray) -> float:
    """The divergence as Lin (1991) defines it: that of each distribution from their middle, halved."""
    middle = (x + y) / 2
    single = (x * np.log(x / middle) + y * np.log(y / middle)) / 2
    return float(single.sum(axis=1).mean())


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


# -- the mistakes ---------------------------------------------------------------------------------------

REDUCTIONS = [
    Case("reduction-sum", "mse", "pairs", lambda nn, x, y: nn.mse_loss(x, y, reduction="sum")),
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
        lambda nn, x, y, w: nn.cross_entropy(x, y, w),
        reduction="sum",
    ),
    Case("reduction-mean", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(x, y), reduction="batchmean"),
    Case(
        "reduction-batchmean", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(x, y, reduction="batchmean")
    ),
]

DENOMINATORS = [
    # With sample weights Keras divides by the number of samples.
    Case(
        "over-terms",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, w, reduction="none").mean(),
    ),
    Case("over-terms", "ctc", "speech", lambda nn, *a: nn.ctc_loss(*a, reduction="none").mean()),
    Case("over-terms", "l1", "weighted pairs", lambda np, x, y, w: (w * abs(x - y)).mean()),
    Case("over-rows", "mse", "pairs", lambda nn, x, y: nn.mse_loss(x, y, reduction="sum") / len(x)),
    Case("over-rows", "bce", "probabilities", lambda np, p, y: log_loss(p, y).sum(axis=1).mean()),
    Case(
        "over-elements",
        "cross-entropy",
        "classes",
        lambda nn, x, y: (-nn.one_hot(y, 4) * nn.log_softmax(x, 1)).mean(),
    ),
    # As segmentation_models_pytorch does it.
    Case(
        "over-all",
        "cross-entropy",
        "ignored sequences",
        lambda nn, x, y: nn.cross_entropy(x, y, reduction="none").mean(),
    ),
    Case(
        "over-rows",
        "nll",
        "ignored classes",
        lambda nn, x, y: nn.nll_loss(x, y, reduction="none").mean(),
    ),
    Case(
        "over-weights",
        "bce",
        "weighted probabilities",
        lambda metrics, p, y, w: metrics.log_loss(y.ravel(), p.ravel(), sample_weight=w.ravel()),
    ),
    Case(
        "over-weights",
        "huber",
        "weighted pairs",
        lambda nn, x, y, w: nn.huber_loss(x, y, reduction="none").mul(w).sum() / w.sum(),
    ),
    Case(
        "over-positives",
        "bce-logits",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, y, reduction="sum") / y.sum(),
    ),
    Case("over-positives", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y) * y.numel() / y.sum()),
    Case("mean-over-rows", "cross-entropy", "classes", lambda nn, x, y: nn.cross_entropy(x, y) / len(x)),
    Case("mean-over-rows", "mse", "pairs", lambda metrics, x, y: metrics.mean_squared_error(y, x) / len(x)),
    # Of one row that is broadcast there are as many as of the others.
    Case(
        "over-rows",
        "kl-div",
        "divergence from one",
        lambda nn, x, y: nn.kl_div(x, y, reduction="none").sum(1).mean(),
        {"broadcast": True},
    ),
    Case(
        "mean-of-rows",
        "cross-entropy",
        "padded",
        lambda nn, x, y: (
            sum(nn.cross_entropy(x[i : i + 1], y[i : i + 1], ignore_index=0) for i in range(3)) / 3
        ),
        {"ignore_index": 0},
    ),
    Case(
        "over-columns",
        "bce",
        "probabilities",
        lambda nn, p, y: nn.binary_cross_entropy(p, y, reduction="none").mean(1).sum(),
    ),
    Case("over-columns", "mse", "pairs", lambda np, x, y: ((x - y) ** 2).mean(axis=1).sum(), {}, "sum"),
]

WEIGHTS = [
    Case("no-weight", "mse", "weighted pairs", lambda metrics, x, y, w: metrics.mean_squared_error(y, x)),
    Case("no-weight", "cross-entropy", "weighted classes", lambda nn, x, y, w: nn.cross_entropy(x, y)),
    Case("no-weight", "bce", "weighted probabilities", lambda np, p, y, w: log_loss(p, y).sum(), {}, "sum"),
    Case(
        "weight-twice",
        "bce",
        "weighted probabilities",
        lambda nn, p, y, w: (nn.binary_cross_entropy(p, y, w, reduction="none") * w).mean(),
    ),
    Case("weight-twice", "nll", "weighted classes", lambda nn, x, y, w: nn.nll_loss(x, y, w * w)),
    Case(
        "weight-sum-1",
        "bce-logits",
        "weighted logits",
        lambda nn, x, y, w: nn.binary_cross_entropy_with_logits(x, y, w / w.sum()),
    ),
    Case("no-sample-weight", "cross-entropy", "sampled classes", lambda nn, x, y, s: nn.cross_entropy(x, y)),
    Case(
        "sample-weight-twice",
        "cross-entropy",
        "sampled classes",
        lambda nn, x, y, s: (s * s * nn.cross_entropy(x, y, reduction="none")).sum() / (s * s).sum(),
    ),
    Case(
        "sample-weight-inverse",
        "nll",
        "sampled classes",
        lambda nn, x, y, s: (nn.nll_loss(x, y, reduction="none") / s).sum() / (1 / s).sum(),
    ),
    Case(
        "sample-weight-sum-1",
        "multi-margin",
        "sampled classes",
        lambda nn, x, y, s: (s / s.sum() * nn.multi_margin_loss(x, y, reduction="none")).sum(),
        {},
        "sum",
    ),
    Case(
        "sample-weight-mean-1",
        "multi-margin",
        "sampled classes",
        lambda nn, x, y, s: (s / s.mean() * nn.multi_margin_loss(x, y, reduction="none")).sum(),
        {},
        "sum",
    ),
    Case(
        "over-sample-weights",
        "cross-entropy",
        "sampled weighted classes",
        lambda nn, x, y, w, s: (s * nn.cross_entropy(x, y, w, reduction="none")).sum() / s.sum(),
    ),
    Case(
        "weight-sum-1",
        "multi-margin",
        "weighted classes",
        lambda nn, x, y, w: nn.multi_margin_loss(x, y, weight=w / w.sum()),
    ),
    Case(
        "weight-mean-1",
        "huber",
        "weighted pairs",
        lambda nn, x, y, w: nn.huber_loss(x, y, weight=w / w.mean()),
    ),
    Case(
        "weight-inverse",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, 1 / w),
    ),
    *(
        Case(
            name,
            "bce-logits",
            "positive logits",
            lambda nn, x, y, w, f=change: nn.binary_cross_entropy_with_logits(x, y, pos_weight=f(w)),
        )
        for name, change in (
            ("no-pos-weight", lambda w: None),
            ("pos-weight-twice", lambda w: w * w),
            ("pos-weight-sum-1", lambda w: w / w.sum()),
            ("pos-weight-mean-1", lambda w: w / w.mean()),
            ("pos-weight-inverse", lambda w: 1 / w),
        )
    ),
    Case(
        "weight-on-losses",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: (nn.cross_entropy(x, y, w, reduction="none") * w[y]).sum() / w[y].sum(),
    ),
    Case(
        "weight-on-losses-over-terms",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: (nn.cross_entropy(x, y, w, reduction="none") * w[y]).mean(),
    ),
    Case(
        "weight-sum-1-over-terms",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, w / w.sum(), reduction="none").mean(),
    ),
    Case(
        "weight-mean-1-over-terms",
        "nll",
        "weighted classes",
        lambda nn, x, y, w: nn.nll_loss(x, y, w / w.mean(), reduction="none").mean(),
    ),
    Case(
        "no-weight-over-weights",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, reduction="sum") / w[y].sum(),
    ),
    Case(
        "pos-weight-on-negatives",
        "bce-logits",
        "positive logits",
        lambda nn, x, y, w: (
            nn.binary_cross_entropy_with_logits(x, y, reduction="none") * (y + (1 - y) * w)
        ).mean(),
    ),
    Case(
        "pos-weight-as-weight",
        "bce-logits",
        "positive logits",
        lambda nn, x, y, w: nn.binary_cross_entropy_with_logits(x, y, weight=w),
    ),
]


FACTORS = [
    Case("half", "mse", "pairs", lambda np, x, y: (0.5 * (x - y) ** 2).mean()),
    Case("double", "gaussian-nll", "variances", lambda np, x, y, v: (np.log(v) + (x - y) ** 2 / v).mean()),
    Case("double", "huber", "soft", lambda metrics, x, y: metrics.mean_squared_error(y, x)),
    Case("negative", "cross-entropy", "classes", lambda nn, x, y: nn.log_softmax(x, 1)[range(6), y].mean()),
    Case("base-2", "bce", "probabilities", lambda np, p, y: -np.log2(np.where(y == 1, p, 1 - p)).mean()),
    Case(
        "base-2",
        "cross-entropy",
        "classes",
        lambda np, x, y: -np.log2(softmax(x)[range(6), y]),
        reduction="none",
    ),
    Case("base-10", "cross-entropy", "classes", lambda np, x, y: -np.log10(softmax(x)[range(6), y]).mean()),
    Case("perplexity", "cross-entropy", "ignored classes", lambda nn, x, y: nn.cross_entropy(x, y).exp()),
    Case("root", "mse", "vectors", lambda metrics, x, y: metrics.root_mean_squared_error(y, x)),
]

OTHER_LOSSES = [
    Case("as-l1", "mse", "pairs", lambda metrics, x, y: metrics.mean_absolute_error(y, x)),
    Case("as-l1", "huber", "pairs", lambda nn, x, y: nn.l1_loss(x, y)),
    Case("as-mse", "l1", "pairs", lambda nn, x, y: nn.mse_loss(x, y)),
    Case(
        "as-smooth-l1",
        "huber",
        "pairs",
        lambda nn, x, y: nn.smooth_l1_loss(x, y, beta=2.5),
        {"delta": 2.5},
    ),
    Case("as-huber", "smooth-l1", "pairs", lambda nn, x, y: nn.huber_loss(x, y, delta=0.3), {"beta": 0.3}),
    Case(
        "as-bce", "bce-logits", "probabilities", lambda metrics, p, y: metrics.log_loss(y.ravel(), p.ravel())
    ),
    Case("as-bce", "bce-logits", "saturated", lambda nn, p, y: nn.binary_cross_entropy(p, y)),
    Case(
        "like-sklearn",
        "bce",
        "weighted probabilities",
        lambda metrics, p, y, w: metrics.log_loss(y.ravel(), p.ravel(), sample_weight=w.ravel()),
    ),
    Case("as-soft-margin", "hinge-embedding", "signs", lambda nn, x, y: nn.soft_margin_loss(x, y)),
    Case("as-hinge-embedding", "soft-margin", "signs", lambda nn, x, y: nn.hinge_embedding_loss(x, y)),
    Case(
        "as-bce-logits", "sigmoid-focal", "logits", lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, y)
    ),
    Case("as-bce-logits", "soft-margin", "signs", lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, y)),
    Case("as-nll", "cross-entropy", "weighted classes", lambda nn, x, y, w: nn.nll_loss(x, y, w)),
    Case("as-multi-margin", "cross-entropy", "classes", lambda nn, x, y: nn.multi_margin_loss(x, y)),
    Case("as-cross-entropy", "nll", "ignored classes", lambda nn, x, y: nn.cross_entropy(x, y)),
    Case("as-kl-div", "kl", "shares", lambda nn, x, y: nn.kl_div(x, y)),
    Case("as-jensen-shannon", "kl", "shares", lambda np, x, y: jensen_shannon(x, y)),
    Case("as-kl", "jensen-shannon", "shares", lambda nn, x, y: nn.kl_div(x.log(), y, reduction="batchmean")),
    Case("as-giou", "ciou", "boxes", lambda np, x, y: generalized(x, y)),
    Case("as-diou", "giou", "boxes", lambda np, x, y: distant(x, y)),
    Case("as-ciou", "diou", "boxes", lambda np, x, y: complete(x, y)),
]

SETTINGS = [
    Case(
        "log-input",
        "poisson-nll",
        "rates",
        lambda nn, x, y: nn.poisson_nll_loss(x, y),
        {"log_input": False},
    ),
    Case("no-log-input", "poisson-nll", "rates", lambda nn, x, y: nn.poisson_nll_loss(x, y, log_input=False)),
    Case("full", "gaussian-nll", "variances", lambda nn, x, y, v: nn.gaussian_nll_loss(x, y, v, full=True)),
    Case("no-full", "poisson-nll", "rates", lambda nn, x, y: nn.poisson_nll_loss(x, y), {"full": True}),
    Case(
        "default-temperature",
        "distillation",
        "lessons",
        lambda nn, x, z, y: (
            0.25 * 4 * nn.kl_div((x / 2).log_softmax(1), (z / 2).softmax(1), reduction="batchmean")
            + 0.75 * nn.cross_entropy(x, y)
        ),
        {"temperature": 3.0},
    ),
    Case(
        "default-class-axis",
        "perplexity",
        "equal tokens",
        lambda nn, x, y: nn.cross_entropy(x.flatten(0, 1), y.flatten()).exp(),
        {"class_axis": 1},
    ),
    Case(
        "shift",
        "cross-entropy",
        "tokens",
        lambda nn, x, y: nn.cross_entropy(x[:, :-1].flatten(0, 1), y[:, 1:].flatten()),
        {"class_axis": -1},
    ),
    Case(
        "no-shift",
        "perplexity",
        "tokens",
        lambda nn, x, y: nn.cross_entropy(x.flatten(0, 1), y.flatten()).exp(),
        {"shift": True},
    ),
    Case(
        "no-mask",
        "perplexity",
        "masked tokens",
        lambda nn, x, y, m: nn.cross_entropy(x[:, :-1].flatten(0, 1), y[:, 1:].flatten()).exp(),
        {"shift": True},
    ),
    Case("log-target", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(x, y, log_target=True)),
    Case("no-log-target", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(x, y), {"log_target": True}),
    Case(
        "swap",
        "triplet-margin",
        "triplets",
        lambda nn, *a: nn.triplet_margin_loss(*a, margin=5, swap=True),
        {"margin": 5.0},
    ),
    Case(
        "no-swap",
        "triplet-margin",
        "triplets",
        lambda nn, *a: nn.triplet_margin_loss(*a, margin=5),
        {"swap": True, "margin": 5.0},
    ),
    Case("zero-infinity", "ctc", "hurried speech", lambda nn, *a: nn.ctc_loss(*a, zero_infinity=True)),
    Case(
        "no-zero-infinity", "ctc", "hurried speech", lambda nn, *a: nn.ctc_loss(*a), {"zero_infinity": True}
    ),
    Case("default-beta", "smooth-l1", "pairs", lambda nn, x, y: nn.smooth_l1_loss(x, y), {"beta": 0.3}),
    Case("default-delta", "huber", "pairs", lambda nn, x, y: nn.huber_loss(x, y), {"delta": 0.3}),
    Case("default-eps", "gaussian-nll", "variances", lambda nn, *a: nn.gaussian_nll_loss(*a), {"eps": 1.2}),
    Case("default-eps", "giou", "boxes", lambda np, x, y: generalized(x, y), {"eps": 3.0}),
    Case("default-alpha", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y), {"alpha": 0.6}),
    Case("default-gamma", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y), {"gamma": 1.5}),
    Case(
        "default-margin",
        "multi-margin",
        "classes",
        lambda nn, x, y: nn.multi_margin_loss(x, y),
        {"margin": 3.0},
    ),
    Case("default-p", "multi-margin", "classes", lambda nn, x, y: nn.multi_margin_loss(x, y), {"p": 2}),
    Case("default-p", "triplet-margin", "triplets", lambda nn, *a: nn.triplet_margin_loss(*a), {"p": 1.0}),
    Case(
        "default-ignore-index",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.cross_entropy(x, y),
        {"ignore_index": 2},
    ),
    Case(
        "default-label-smoothing",
        "cross-entropy",
        "classes",
        lambda metrics, x, y: metrics.log_loss(y, softmax(x), labels=range(4)),
        {"label_smoothing": 0.3},
    ),
    Case("default-blank", "ctc", "speech", lambda nn, *a: nn.ctc_loss(*a), {"blank": 4}),
    Case(
        "default-distance-function",
        "triplet-margin-with-distance",
        "triplets",
        lambda nn, *a: nn.triplet_margin_with_distance_loss(*a),
        {"distance_function": "cosine"},
    ),
]

INPUTS = [
    Case(
        "sigmoid-first",
        "bce-logits",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x.sigmoid(), y),
    ),
    Case("sigmoid-first", "cross-entropy", "classes", lambda nn, x, y: nn.cross_entropy(x.sigmoid(), y)),
    Case("softmax-first", "cross-entropy", "classes", lambda nn, x, y: nn.cross_entropy(x.softmax(1), y)),
    Case(
        "two-softmaxes-first",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.cross_entropy(x.softmax(1).softmax(1), y),
    ),
    Case("softmax-first", "cross-entropy", "sequences", lambda nn, x, y: nn.cross_entropy(x.softmax(1), y)),
    Case("softmax-first", "nll", "classes", lambda np, x, y: -softmax(x)[range(6), y].mean()),
    Case(
        "log-softmax-first",
        "kl-div",
        "divergence from scores",
        lambda nn, x, y: nn.kl_div(nn.log_softmax(x, 1), y),
    ),
    Case("log-softmax-first", "nll", "classes", lambda nn, x, y: nn.nll_loss(nn.log_softmax(x, 1), y)),
    Case(
        "log-first",
        "nll",
        "class probabilities",
        lambda metrics, p, y: metrics.log_loss(y, p, labels=range(4)),
    ),
    # Probabilities where logits were meant; of those that do not add up to 1, Keras rescales the row.
    Case(
        "log-first", "cross-entropy", "class probabilities", lambda np, p, y: -np.log(p[range(6), y]).mean()
    ),
    Case(
        "exp-first",
        "poisson-nll",
        "rates",
        lambda nn, x, y: nn.poisson_nll_loss(x, y),
        {"log_input": False},
    ),
    Case(
        "exp-first", "cross-entropy", "class log-probabilities", lambda nn, x, y: nn.cross_entropy(x.exp(), y)
    ),
    Case("logit-first", "bce-logits", "probabilities", lambda nn, p, y: nn.binary_cross_entropy(p, y)),
    Case("negated-first", "cross-entropy", "classes", lambda nn, x, y: nn.cross_entropy(-x, y)),
]

TARGETS = [
    Case("target-minus-1", "cross-entropy", "classes from 1", lambda nn, x, y: nn.cross_entropy(x, y - 1)),
    Case(
        "target-minus-1",
        "ctc",
        "speech",
        lambda nn, x, y, *n: nn.ctc_loss(x, y - 1, *n, blank=4),
        {"blank": 4},
    ),
    Case("target-plus-1", "cross-entropy", "classes of 3", lambda nn, x, y: nn.cross_entropy(x, y + 1)),
    Case("target-plus-1", "multi-margin", "classes of 3", lambda nn, x, y: nn.multi_margin_loss(x, y + 1)),
    Case("ignore-0", "cross-entropy", "padded", lambda nn, x, y: nn.cross_entropy(x, y, ignore_index=0)),
    # Index -1 is the last class.
    Case(
        "target-minus-1-wrapped",
        "cross-entropy",
        "all classes",
        lambda np, x, y: -np.log(softmax(x)[range(6), y - 1]).mean(),
    ),
    Case("target-flipped", "bce", "probabilities", lambda np, p, y: log_loss(1 - p, y).mean()),
    Case("target-negated", "soft-margin", "signs", lambda np, x, y: np.log1p(np.exp(y * x)).mean()),
    Case(
        "target-argmax",
        "cross-entropy",
        "distributions",
        lambda nn, x, y: nn.cross_entropy(x, y.argmax(1)),
    ),
    Case(
        "target-one-hot",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, nn.one_hot(y, 4).to(x), w),
    ),
    Case("swapped", "poisson-nll", "rates", lambda nn, x, y: nn.poisson_nll_loss(y, x)),
    Case("swapped", "bce", "soft", lambda nn, x, y: nn.binary_cross_entropy(y, x)),
    Case("input-target-log", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(y.log(), x.exp())),
]

SHAPES = [
    Case("outer", "mse", "vectors", lambda nn, x, y: nn.mse_loss(x[:, None], y)),
    Case("outer", "mse", "columns", lambda nn, x, y: nn.mse_loss(x, y[:, 0])),
    Case(
        "flattened",
        "cross-entropy",
        "sequences",
        lambda nn, x, y: nn.cross_entropy(x.view(-1, 4), y.view(-1)),
    ),
    Case("outer", "l1", "vectors", lambda np, x, y: abs(x - y[:, None]).mean()),
    Case("transposed", "cross-entropy", "square classes", lambda nn, x, y: nn.cross_entropy(x.T, y)),
    # Logits (N, L, C) of which the axes were to be exchanged.
    Case(
        "reshaped",
        "cross-entropy",
        "sequences",
        lambda nn, x, y: nn.cross_entropy(x.transpose(1, 2).contiguous().view(3, 4, 5), y),
    ),
]

SMOOTHING = [
    Case(
        "others-smoothing-0.1",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.cross_entropy(x, nn.one_hot(y, 4).to(x).mul(0.9 - 0.1 / 3).add(0.1 / 3)),
    ),
    Case(
        "one-sided-smoothing-0.1",
        "bce-logits",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, 0.9 * y),
    ),
] + [
    case
    for share in (0.1, 0.05, 0.2)
    for case in (
        Case(
            f"smoothing-{share}",
            "cross-entropy",
            "classes",
            lambda nn, x, y, share=share: nn.cross_entropy(x, y, label_smoothing=share),
        ),
        # As Keras does it, and optax.smooth_labels of two classes.
        Case(
            f"binary-smoothing-{share}",
            "bce-logits",
            "logits",
            lambda nn, x, y, share=share: nn.binary_cross_entropy_with_logits(x, y * (1 - share) + share / 2),
        ),
    )
]

CLIPPING = [
    *(
        case
        for name, bound in (
            (name, float(name))
            for name in ("1e-7", "1e-15", "1e-8", "1e-12", "1e-5", "1e-6", "1e-9", "1e-10")
        )
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
    Case(
        "clip-1e-7-float32",
        "bce",
        "saturated",
        lambda nn, p, y: nn.binary_cross_entropy(p.float().clamp(1e-7, 1 - 1e-7), y.float()),
    ),
    *(
        Case(
            f"added-{name}",
            "bce",
            "faint",
            lambda np, p, y, eps=float(name): -(y * np.log(p + eps) + (1 - y) * np.log(1 - p + eps)).mean(),
        )
        for name in ("1e-8", "1e-7")
    ),
    Case(
        "sigmoid-float64",
        "bce-logits",
        "extreme logits",
        lambda nn, x, y: nn.binary_cross_entropy(x.sigmoid(), y),
    ),
    Case(
        "sigmoid-float32",
        "bce-logits",
        "sure logits",
        lambda nn, x, y: nn.binary_cross_entropy(x.float().sigmoid(), y.float()),
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
    Case("dtype-float32", "mse", "far pairs", lambda nn, x, y: nn.mse_loss(x.float(), y.float())),
    Case("dtype-float16", "l1", "remote pairs", lambda nn, x, y: nn.l1_loss(x.half(), y.half())),
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

CONVENTIONS = [
    Case("root-of-sum", "mse", "pairs", lambda nn, x, y: nn.mse_loss(x, y, reduction="sum").sqrt()),
    Case("root-of-columns", "mse", "pairs", lambda metrics, x, y: metrics.root_mean_squared_error(y, x)),
    Case(
        "root-of-rows",
        "mse",
        "pairs",
        lambda nn, x, y: nn.mse_loss(x, y, reduction="none").mean(1).sqrt().mean(),
    ),
    Case("norm-of-rows", "mse", "pairs", lambda np, x, y: np.linalg.norm(x - y, axis=1).mean()),
    Case("half-sum", "mse", "pairs", lambda np, x, y: 0.5 * ((x - y) ** 2).sum()),
    Case("half-over-rows", "mse", "pairs", lambda np, x, y: ((x - y) ** 2).sum() / (2 * len(x))),
    Case(
        "deviance",
        "poisson-nll",
        "rates",
        lambda metrics, x, y: metrics.mean_poisson_deviance(y.ravel(), x.ravel()),
        {"log_input": False},
    ),
    *(
        Case(
            name,
            "gaussian-nll",
            "variances",
            lambda nn, x, y, v, f=change: nn.gaussian_nll_loss(x, y, f(v)),
        )
        for name, change in (
            ("var-squared", lambda v: v**2),
            ("var-root", lambda v: v.sqrt()),
            ("var-exp", lambda v: v.exp()),
        )
    ),
    Case("sum-base-2", "bce", "probabilities", lambda np, p, y: -np.log2(np.where(y == 1, p, 1 - p)).sum()),
    Case(
        "sum-base-2",
        "cross-entropy",
        "classes",
        lambda np, x, y: -np.log2(softmax(x)[range(6), y]).sum(),
    ),
    Case(
        "batchmean-base-2",
        "kl-div",
        "divergence",
        lambda np, x, y: (y * (np.log2(y) - np.log2(np.exp(x)))).sum(axis=1).mean(),
    ),
    Case(
        "target-signs",
        "bce-logits",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, 2 * y - 1),
    ),
    Case("target-signs", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, 2 * y - 1)),
    Case("target-01", "soft-margin", "signs", lambda nn, x, y: nn.soft_margin_loss(x, (y + 1) / 2)),
    Case("target-01", "hinge-embedding", "signs", lambda nn, x, y: nn.hinge_embedding_loss(x, (y + 1) / 2)),
    Case(
        "target-01",
        "cosine-embedding",
        "signed vectors",
        lambda nn, a, b, y: nn.cosine_embedding_loss(a, b, (y + 1) / 2),
    ),
    Case(
        "target-01",
        "margin-ranking",
        "ranks",
        lambda nn, a, b, y: nn.margin_ranking_loss(a, b, (y + 1) / 2, margin=0.5),
        {"margin": 0.5},
    ),
    Case(
        "svm-hinge",
        "hinge-embedding",
        "signs",
        lambda metrics, x, y: metrics.hinge_loss(y.ravel(), x.ravel()),
    ),
    Case("svm-hinge", "soft-margin", "signs", lambda metrics, x, y: metrics.hinge_loss(y.ravel(), x.ravel())),
    # As scikit-learn's LinearSVC minimises it.
    Case(
        "svm-squared-hinge",
        "hinge-embedding",
        "signs",
        lambda np, x, y: (np.maximum(0, 1 - x * y) ** 2).mean(),
    ),
    Case(
        "worst-class",
        "multi-margin",
        "classes",
        lambda metrics, x, y: metrics.hinge_loss(y, x, labels=range(4)),
    ),
    Case(
        "worst-class",
        "multi-margin",
        "weighted classes",
        lambda np, x, y, w: (w[y] * violations(x, y, -np.inf) ** 2).mean(),
        {"p": 2},
    ),
    Case("worst-class-keras", "multi-margin", "classes", lambda np, x, y: violations(x, y, 0.0).mean()),
    Case(
        "over-wrong-classes",
        "multi-margin",
        "classes",
        lambda np, x, y: np.mean(
            [np.maximum(0, 1 - row[k] + np.delete(row, k)).mean() for row, k in zip(x, y, strict=True)]
        ),
    ),
    Case(
        "sum-over-classes",
        "multi-margin",
        "classes",
        lambda np, x, y: np.mean(
            [np.maximum(0, 1 - row[k] + np.delete(row, k)).sum() for row, k in zip(x, y, strict=True)]
        ),
    ),
    Case(
        "sum-over-classes",
        "multilabel-soft-margin",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, y, reduction="none").sum(1).mean(),
    ),
    Case(
        "one-against-rest",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, nn.one_hot(y, 4).to(x)),
    ),
    Case(
        "softmax-axis-0",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.nll_loss(nn.log_softmax(x, 0), y),
    ),
    Case(
        "softmax-last-axis",
        "cross-entropy",
        "sequences",
        lambda nn, x, y: nn.nll_loss(nn.log_softmax(x, -1), y),
    ),
    Case(
        "less-entropy",
        "cross-entropy",
        "distributions",
        lambda nn, x, y: nn.kl_div(nn.log_softmax(x, 1), y, reduction="batchmean"),
    ),
    Case(
        "softmax-again",
        "nll",
        "class log-probabilities",
        lambda nn, x, y: nn.nll_loss(nn.log_softmax(x.exp(), 1), y),
    ),
    # As Keras and optax have it.
    Case("no-alpha", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y, alpha=-1)),
    Case("no-gamma", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y, gamma=0)),
    Case("alpha-swapped", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y, alpha=0.75)),
    Case("alpha-for-all", "sigmoid-focal", "logits", lambda nn, x, y: 0.25 * focal(nn, x, y, alpha=-1)),
    Case("target-softmax", "kl-div", "scores to be met", lambda nn, x, y: nn.kl_div(x, y.softmax(1))),
    Case(
        "reversed-batchmean",
        "kl-div",
        "divergence",
        lambda nn, x, y: nn.kl_div(y.log(), x.exp(), reduction="batchmean"),
    ),
    Case("without-entropy", "kl-div", "divergence", lambda np, x, y: -(y * x).mean()),
    Case("without-entropy-of-rows", "kl-div", "divergence", lambda nn, x, y: nn.cross_entropy(x, y)),
    Case(
        "squared-distances",
        "triplet-margin",
        "triplets",
        lambda np, a, p, n: np.maximum(0, 1 + ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1)).mean(),
    ),
    Case("exchanged", "triplet-margin", "triplets", lambda nn, a, p, n: nn.triplet_margin_loss(a, n, p)),
    Case(
        "exchanged",
        "triplet-margin-with-distance",
        "triplets",
        lambda nn, a, p, n: nn.triplet_margin_with_distance_loss(a, n, p),
    ),
    Case(
        "boxes-xywh",
        "giou",
        "boxes",
        lambda np, *a: generalized(*(np.c_[b[:, :2], b[:, :2] + b[:, 2:]] for b in a)),
    ),
    Case(
        "boxes-cxcywh",
        "diou",
        "boxes",
        lambda np, *a: distant(*(np.c_[b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2] for b in a)),
    ),
    Case(
        "over-symbols",
        "ctc",
        "speech",
        lambda nn, x, y, i, t: nn.ctc_loss(x, y, i, t, reduction="sum") / t.sum(),
    ),
    Case(
        "over-frames",
        "ctc",
        "speech",
        lambda nn, x, y, i, t: nn.ctc_loss(x, y, i, t, reduction="sum") / i.sum(),
    ),
    Case("blank-last", "ctc", "speech", lambda nn, *a: nn.ctc_loss(*a, blank=4)),
]

LIBRARIES = [
    Case(
        "like-keras",
        "mape",
        "pairs",
        lambda np, x, y: 100 * (abs(x - y) / np.maximum(abs(y), 1e-7)).mean(),
    ),
    Case(
        "like-torchmetrics",
        "jensen-shannon",
        "uneven",
        lambda np, x, y: jensen_shannon(x / x.sum(-1, keepdims=True), y / y.sum(-1, keepdims=True)),
    ),
    Case(
        "like-optax",
        "dice",
        "probabilities",
        lambda np, p, y: 1 - (2 * (p * y).sum() + 2) / (p.sum() + y.sum() + 2),
    ),
]

CASES = [
    *LIBRARIES,
    *(REDUCTIONS + DENOMINATORS + WEIGHTS + FACTORS + OTHER_LOSSES + SETTINGS + INPUTS + TARGETS + SHAPES),
    *(SMOOTHING + CONVENTIONS + CLIPPING + PRECISION),
]

PRECISE = ("clip-", "naive-", "dtype-", "added-", "sigmoid-float")
"""What changes a number by little, and is not to be named for what changes it by much."""


def search(call: Call, expected: np.ndarray) -> list[str]:
    """The names of what is found to lead to a number; nothing is searched for if it agrees."""
    comparison = compare(compute(call).value, expected, TOLERANCE)
    if comparison.agrees:
        return []
    return [hypothesis.name for hypothesis in explanations(call, comparison, TOLERANCE)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_mistake_is_named(case: Case) -> None:
    """The hypothesis is among those that are found, and none that is about the last digits if it is not."""
    arrays = case.arrays(seed=1)
    found = search(case.call(arrays), case.number(arrays))
    assert case.name in found
    assert case.name.startswith(PRECISE) or not [name for name in found if name.startswith(PRECISE)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_supposition_computes_the_mistake(case: Case) -> None:
    """Whatever the numbers: on other arrays too."""
    for seed in range(2, 5):
        arrays = case.arrays(seed)
        call = case.call(arrays)
        rows = {row.name: row for row in hypotheses(call)}
        value = rows[case.name].value(call)
        assert value is not None
        assert compare(value, case.number(arrays), TOLERANCE).agrees


def settled(cls: type[Loss]) -> Iterator[Loss]:
    """A loss with its defaults, and with each parameter changed."""
    yield cls()
    for parameter in parameters(cls):
        inside = parameter.domain.inside() if parameter.domain is not None else ()
        for value in (*inside, True, False, 0, 1, 0.5):
            try:
                yield cls(**{parameter.name: value})
            except losscalc.ParameterError:
                continue


def test_every_supposition_has_a_case() -> None:
    """Of any loss with any parameters."""
    calls = (Call(loss, {}, MEAN) for cls in losses().values() for loss in settled(cls))
    names = {hypothesis.name for call in calls for hypothesis in hypotheses(call)}
    lacking = names - {case.name for case in CASES} - DECLARED
    assert (lacking, {case.name for case in CASES} - names) == (set(), set())


def declared(loss: Loss) -> Iterator[Hypothesis]:
    """The hypotheses that follow from the declaration."""
    yield from of_libraries(loss)
    yield from of_loss(loss)


DECLARED = {row.name for cls in losses().values() for loss in settled(cls) for row in declared(loss)}


def stated(loss: Loss, row: Hypothesis, arrays: Arrays) -> Any:
    """What a hypothesis says, computed by what users of Python type."""
    kind, _, rest = row.name.partition("-")
    if row.name.removeprefix("as-") in losses() and row.name.startswith("as-"):
        other = losses()[row.name.removeprefix("as-")]
        # Where a loss bends is the same number in both.
        bends = {other.bend: getattr(loss, loss.bend)} if other.bend and loss.bend else {}
        return other(**bends)(**arrays)
    if kind == "like":
        own = {
            p.name: getattr(loss, p.name)
            for p in parameters(type(loss))
            if getattr(loss, p.name) != p.default
        }
        return type(loss)(**own, like=rest)(**arrays)
    name = row.options.split()[0].removeprefix("--").removeprefix("no-").replace("-", "_")
    parameter = next(p for p in parameters(type(loss)) if name in (p.name, p.name.removeprefix("no_")))
    is_flag = parameter.kind is bool
    setting = not getattr(loss, parameter.name) if is_flag else parameter.default
    return type(loss)(**{**loss.settings, parameter.name: setting})(**arrays)


@pytest.mark.parametrize("cls", losses().values(), ids=lambda cls: cls.name)
def test_declared_suppositions(cls: type[Loss]) -> None:
    """Another loss, a parameter left out, a flag the other way, a library: each is what Python gives."""
    for number, loss in enumerate(variants(cls)):
        arrays = prepared(loss, example(cls, 5, seed=number))
        call = Call(loss, flattened(arrays), MEAN)
        for row in declared(loss):
            try:
                found = row.value(call)
                expected = stated(loss, row, arrays)
            except losscalc.LosscalcError:
                continue
            if found is not None:
                np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=f"{row.name} of {loss}")


# -- numbers that are right, or have nothing to do with the data -------------------------------------------


def flattened(arrays: Mapping[str, Any]) -> Arrays:
    """The arrays under the names that the engine knows, those of a state each under its own."""
    flat: Arrays = {}
    for name, array in arrays.items():
        flat |= {f"{name}.{key}": a for key, a in array.items()} if isinstance(array, dict) else {name: array}
    return flat


def drawn(cls: type[Loss], seed: int) -> tuple[Call, np.ndarray]:
    """A call of a loss in one of its variants, and what comes out of it in Python."""
    rng = np.random.default_rng(seed)
    loss = rng.choice(np.array(list(variants(cls)), dtype=object))
    reduction = str(rng.choice(cls.reductions))
    arrays = prepared(loss, example(cls, int(rng.integers(2, 6)), seed))
    right = losscalc.compute(cls.name, **arrays, **loss.settings, reduction=reduction)
    return Call(loss, flattened(arrays), reductions.REDUCTIONS[reduction]), np.asarray(right)


def frozen(call: Call) -> list[list[Hypothesis]]:
    """What may be supposed of a call, with values that are there already: for many numbers of one call."""
    values = ((row, row.value(call)) for row in hypotheses(call))
    return [[row._replace(compute=lambda _, v=value: v)] for row, value in values if value is not None]


@pytest.mark.slow
@pytest.mark.parametrize("name", losses())
def test_the_right_number_agrees(name: str) -> None:
    """On 1,000 draws over all losses: as it is, in float32, and a little off."""
    for seed in range(-(-1000 // len(losses()))):
        call, right = drawn(losses()[name], seed)
        noise = np.random.default_rng(seed).uniform(-9e-6, 9e-6, right.shape)
        for number in (right, right.astype(np.float32), right * (1 + noise)):
            assert compare(compute(call).value, number, TOLERANCE).agrees


@pytest.mark.slow
@pytest.mark.parametrize("name", losses())
def test_the_right_number_is_no_mistake(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if it is searched for: on 1,000 draws over all losses nothing is found."""
    for seed in range(4):
        call, right = drawn(losses()[name], seed)
        rows = frozen(call)
        monkeypatch.setattr("losscalc.insight.compare.groups", lambda _, rows=rows: rows)
        rng = np.random.default_rng(seed)
        for _ in range(10):
            number = (right * (1 + rng.uniform(-1e-7, 1e-7, right.shape))).astype(np.float32)
            assert not explanations(call, compare(compute(call).value, number, TOLERANCE), TOLERANCE)


@pytest.mark.slow
def test_unrelated_numbers_are_no_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of numbers that have nothing to do with the data, less than 1 in 100 is found by chance."""
    found = {4: 0, 7: 0}
    tries = 20
    for cls in losses().values():
        call, _ = drawn(cls, seed=100)
        call = call._replace(reduction=MEAN)
        rows, value = frozen(call), compute(call).value
        monkeypatch.setattr("losscalc.insight.compare.groups", lambda _, rows=rows: rows)
        rng = np.random.default_rng(len(cls.name))
        for digits in found:
            for number in value * np.exp(rng.uniform(-2, 2, tries)):
                text = f"{number:.{digits}g}"
                comparison = compare(value, np.asarray(float(text)), TOLERANCE)
                named = explanations(call, comparison, TOLERANCE.loosened(text))
                found[digits] += bool(named) and not comparison.agrees
    assert max(found.values()) < 0.01 * tries * len(losses())


@pytest.mark.parametrize(
    ("name", "loss", "data"),
    [
        ("over-positives", "mse", "pairs"),
        ("over-positives", "cross-entropy", "classes"),
        ("over-columns", "mse", "vectors"),
        ("one-against-rest", "cross-entropy", "weighted classes"),
        ("one-against-rest", "cross-entropy", "sequences"),
        ("flattened", "cross-entropy", "classes"),
        ("pos-weight-on-negatives", "bce-logits", "logits"),
        ("weight-on-losses", "cross-entropy", "classes"),
        ("sigmoid-float32", "bce-logits", "positive logits"),
    ],
)
def test_what_does_not_apply_has_no_value(name: str, loss: str, data: str) -> None:
    """There are no labels, rows, axes or weights that it could be about."""
    call = Call(losses()[loss](), DATA[data](np.random.default_rng(1)), MEAN)
    assert {row.name: row for row in hypotheses(call)}[name].value(call) is None


def test_a_bug_in_a_hypothesis_is_seen() -> None:
    """Only what says that it does not apply is passed over."""
    call = Call(losses()["mse"](), DATA["pairs"](np.random.default_rng(1)), MEAN)
    for broken in (
        lambda call: call.arrays["typo"],
        lambda call: call.typo,
        lambda call: 1 / 0,
        lambda call: np.linalg.inv(np.zeros((2, 2))),
    ):
        with pytest.raises((KeyError, AttributeError, ZeroDivisionError, np.linalg.LinAlgError)):
            Hypothesis("broken", "it has a bug", broken).value(call)

    def refused(_: Call) -> None:
        raise NotApplicable

    assert Hypothesis("refused", "it says nothing of this", refused).value(call) is None


ODD: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nothing": lambda array: array[:0],
    "one row": lambda array: array[:1],
    "one sample": lambda array: array[0],
    "flags": lambda array: array > 0.5 if array.dtype.kind == "f" else array,
    "unsigned": lambda array: abs(array).astype(np.uint8),
    "narrow": lambda array: array.astype(np.float16) if array.dtype.kind == "f" else array,
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", losses())
def test_no_hypothesis_fails(name: str, odd: str) -> None:
    """On whatever arrays a loss accepts, each has a value or does not apply."""
    whole = flattened(example(losses()[name], 3, seed=5))
    for weighted in (True, False):
        arrays = {
            key: array if key.startswith(("state", "linear")) else ODD[odd](array)
            for key, array in whole.items()
            if weighted or "weight" not in key or key.startswith(("state", "linear"))
        }
        for reduction in losses()[name].reductions:
            call = Call(losses()[name](), arrays, reductions.REDUCTIONS[reduction])
            try:
                compute(call)
            except losscalc.LosscalcError:
                continue
            for hypothesis in hypotheses(call):
                hypothesis.value(call)


def test_of_log_probabilities_the_exponential_is_named() -> None:
    """Their softmax is the same, and not what was done."""
    arrays = DATA["class log-probabilities"](np.random.default_rng(1))
    call = Call(losses()["cross-entropy"](), arrays, MEAN)
    found = search(call, compute(call.changed("input", np.exp)).value)
    assert "exp-first" in found
    assert "softmax-first" not in found


NARROW = [(name, reduction) for name, cls in losses().items() for reduction in cls.reductions]


@pytest.mark.parametrize(("name", "reduction"), NARROW)
def test_arithmetic_in_float32_is_close(name: str, reduction: str) -> None:
    """By the formula as it stands, reduced in the same way: only the last digits differ."""
    call = Call(
        losses()[name](), flattened(example(losses()[name], 5, seed=3)), reductions.REDUCTIONS[reduction]
    )
    rows = {row.name: row for row in hypotheses(call)}
    value = rows["naive-float32"].value(call)
    # Some formulas cannot be computed as they stand; they give nothing, or NaN.
    if value is not None and not np.isnan(value).any():
        assert compare(value, compute(call).value, Tolerance(1e-4, 1e-5)).agrees


def test_what_agrees() -> None:
    """An infinity with itself alone, NaN with NaN, and of numbers those within the tolerance."""
    inf, nan = np.inf, np.nan
    values = np.array([1.0, 1.0, inf, inf, 1.0, nan, nan, -inf, 0.0])
    expected = np.array([1.000009, 1.00002, inf, -inf, inf, nan, 1.0, 1.0, 1e-9])
    agrees = [True, False, True, False, False, True, False, False, True]
    assert TOLERANCE.agree(values, expected).tolist() == agrees


@pytest.mark.parametrize(
    ("text", "atol"),
    [
        ("0.9256", 5e-5),
        ("-12.34", 5e-3),
        ("9.256e-01", 5e-5),
        ("9.256e+05", 50.0),
        ("925600", 0.5),
        ("0.926", 1e-8),
        ("1.2345678901234", 1e-8),
        ("inf", 1e-8),
        ("a.csv", 1e-8),
        ("1,0,1,1", 1e-8),
    ],
)
def test_half_a_unit_of_the_last_digit_is_allowed(text: str, atol: float) -> None:
    """Of what was typed, if there are four digits or more."""
    assert TOLERANCE.loosened(text) == Tolerance(TOLERANCE.rtol, pytest.approx(atol))


def test_the_worst_of_an_array_is_found() -> None:
    """By its index; NaN is worse than any number."""
    value = np.array([[1.0, 2.0], [3.0, 4.0]])
    comparison = compare(value, np.array([[1.0, 2.5], [4.0, 4.0]]), TOLERANCE)
    assert (comparison.agrees, comparison.differing, comparison.worst) == (False, 2, (1, 0))
    assert comparison.difference == -1.0
    assert compare(value, np.array([[np.nan, 2.5], [4.0, 4.0]]), TOLERANCE).worst == (0, 0)
    assert compare(np.asarray(2.0), np.array([[2.0]]), TOLERANCE).agrees
    with pytest.raises(ShapeError, match=r"expect has shape \(2,\), and the result \(2, 2\)"):
        compare(value, np.ones(2), TOLERANCE)


# -- the command ----------------------------------------------------------------------------------------

Run = Callable[..., tuple[int, str, str]]
"""Runs a command: its exit code, and what it printed on standard output and on standard error."""


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a command in this process, and give its exit code and what it printed."""

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.run(words)
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture(autouse=True)
def _folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written where nothing else is, and no variable of the environment is in the way."""
    monkeypatch.chdir(tmp_path)


FIRST = list({case.name: case for case in reversed(CASES)}.values())[::-1]
"""One case of each hypothesis."""


@pytest.mark.slow
@pytest.mark.parametrize("case", FIRST, ids=lambda case: case.id)
def test_the_command_that_is_printed_gives_the_number(case: Case, run: Run) -> None:
    """Run as it is printed, for every hypothesis."""
    arrays = case.arrays(seed=9)
    expected = case.number(arrays)
    words = [case.loss, *case.options, "-q"]
    for name, array in arrays.items():
        np.save(f"{name} of mine.npy", array)
        words += ["--" + name.replace("_", "-"), f"{name} of mine.npy"]
    np.save("expected.npy", expected)
    number = "expected.npy" if expected.ndim else repr(float(expected))
    code, out, _ = run(*words, "--expect", number, "--rtol", "1e-5")
    sentences = {row.name: row.sentence for row in hypotheses(case.call(arrays))}
    lines = out.splitlines()
    assert code == 1
    command = lines[lines.index(f"that is what comes out if {sentences[case.name]}:") + 1]
    program, *printed = shlex.split(command)
    code, out, _ = run(*printed)
    assert (program, code) == ("losscalc", 0)
    value = np.loadtxt(out.splitlines(), delimiter=",", ndmin=expected.ndim)
    if "--dtype" in printed:
        # Of a narrow number as few digits are printed as tell it from its neighbours.
        value = value.astype(printed[printed.index("--dtype") + 1])
    assert compare(value, expected, TOLERANCE).agrees


MSE = ("mse", "-i", "1,2", "-t", "3,5")
"""4 and 9: the mean is 6.5, and the sum 13."""

RIGHT = "agrees (rtol 1e-05, atol 1e-08)\n"
WRONG = "differs (rtol 1e-05, atol 1e-08)\n"

TEXTS = [
    (
        "a right scalar",
        (*MSE, "--expect", "6.5"),
        0,
        "value       6.5\nexpected    6.5\ndifference  0.0   relative 0\n" + RIGHT,
    ),
    (
        "as right as it was asked for",
        (*MSE, "--expect", "6.4", "--rtol", "0", "--atol", ".2"),
        0,
        "value       6.5\nexpected    6.4\ndifference  0.09999999999999964   relative 0.016\n"
        "agrees (rtol 0, atol 0.2)\n",
    ),
    (
        "nothing to divide by",
        ("mse", "-i", "1,2", "-t", "3,4", "--expect", "0.0"),
        1,
        "value       4.0\nexpected    0.0\ndifference  4.0   relative inf\n"
        + WRONG
        + "nothing that is often done otherwise leads to the expected number\n",
    ),
    (
        "a scalar that nothing leads to",
        (*MSE, "--expect", "7.123"),
        1,
        "value       6.5\nexpected    7.123\ndifference  -0.6230000000000002   relative 0.087\n"
        + WRONG
        + "nothing that is often done otherwise leads to the expected number\n",
    ),
    (
        "a scalar that one thing leads to",
        (*MSE, "--expect", "2.5495097567963922"),
        1,
        "value       6.5\nexpected    2.5495097567963922\ndifference  3.9504902432036078   relative 1.5\n"
        + WRONG
        + "that is what comes out if it is the square root of the loss:\n"
        "  losscalc mse -i 1,2 -t 3,5 --suppose root\n",
    ),
    (
        "a scalar that two things lead to",
        (*MSE, "--expect=13"),
        1,
        "value       6.5\nexpected    13.0\ndifference  -6.5   relative 0.5\n"
        + WRONG
        + "2 things lead to the expected number; the simplest first:\n"
        "that is what comes out if it is the sum:\n"
        "  losscalc mse -i 1,2 -t 3,5 --reduction sum\n"
        "that is what comes out if there is a factor 2:\n"
        "  losscalc mse -i 1,2 -t 3,5 --suppose double\n",
    ),
    (
        "the value, rounded to 4 decimals",
        ("bce-logits", "-i", "0.5,-1", "-t", "1,0", "--expect", "0.3937"),
        1,
        "value       0.39366933584916475\nexpected    0.3937\n"
        "difference  -3.066415083524676e-05   relative 7.8e-05\n"
        + WRONG
        + "0.3937 is the value, rounded: a larger --atol lets it pass\n",
    ),
    (
        "an array with a wrong number",
        ("l1", "-i", "[[1,2],[3,4]]", "-t", "[[0,0],[0,0]]", "-r", "none", "--expect", "[[1,2.5],[7,4]]"),
        1,
        "2 of 4 numbers differ, most at [1, 0]\n"
        "value       3.0\nexpected    7.0\ndifference  -4.0   relative 0.57\n"
        + WRONG
        + "nothing that is often done otherwise leads to the expected number\n",
    ),
    (
        "an array with a mistake throughout",
        (*MSE, "-r", "none", "--expect", "2,4.5"),
        1,
        "2 of 2 numbers differ, most at [1]\n"
        "value       9.0\nexpected    4.5\ndifference  4.5   relative 1\n"
        + WRONG
        + "that is what comes out if there is a factor ½:\n"
        "  losscalc mse -i 1,2 -t 3,5 -r none --suppose half\n",
    ),
    (
        "NaN for a number",
        (*MSE, "--expect", "nan"),
        1,
        "value       6.5\nexpected    nan\ndifference  nan   relative nan\n"
        + WRONG
        + "nothing that is often done otherwise leads to the expected number\n",
    ),
    (
        "NaN for NaN",
        ("mse", "-i", "[1,NaN]", "-t", "3,5", "-q", "--expect", "nan"),
        0,
        "value       nan\nexpected    nan\ndifference  nan   relative nan\n" + RIGHT,
    ),
]


@pytest.mark.parametrize(("words", "code", "text"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_what_a_check_prints(run: Run, words: tuple[str, ...], code: int, text: str) -> None:
    """Both numbers, their difference, the verdict, and what would have led there; exit code 0 or 1."""
    assert run(*words) == (code, text, "")


def test_a_right_array_agrees(run: Run) -> None:
    """Whether it is typed or in a file."""
    np.save("expected.npy", np.array([4.0, 9.0]))
    for expected in ("4,9", "expected.npy"):
        code, out, err = run(*MSE, "-r", "none", "--expect", expected)
        assert (code, err) == (0, "")
        assert out.endswith(RIGHT)


REFUSALS = [
    (
        (*MSE, "-r", "none", "--expect", "4,9,1"),
        4,
        "--expect has shape (3,), and the result (2,)",
        None,
    ),
    (
        (*MSE, "--expect", "4,9"),
        4,
        "--expect has shape (2,), and the result ()",
        "--reduction none gives the single losses",
    ),
    ((*MSE, "--expect", "none.csv"), 3, "none.csv: no such file or directory", "an array is a file, "),
    ((*MSE, "--expect", "13", "--gradient"), 2, "--gradient and --expect do not go together", None),
    ((*MSE, "--expect", "13", "--explain"), 2, "--explain and --expect do not go together", None),
    ((*MSE, "--expect", "13", "--suppose", "half"), 2, "--expect and --suppose do not go together", None),
    ((*MSE, "--expect", "13", "--rtol", "-1"), 2, "invalid value for '--rtol'", None),
    (
        (*MSE, "--expect", "13", "-f", "csv"),
        2,
        "a check cannot be written as csv",
        "take plain, table or json",
    ),
    (
        (*MSE, "--suppose", "hafl"),
        2,
        "nothing of that name can be supposed, found 'hafl'",
        "did you mean half?",
    ),
    (
        (*MSE, "--suppose", "nonsense"),
        2,
        "nothing of that name can be supposed, found 'nonsense'",
        "there are reduction-mean, ",
    ),
    (
        (*MSE, "--suppose", "no-weight"),
        2,
        "no-weight does not apply to these arrays",
        "it means: --weight was not applied",
    ),
]


@pytest.mark.parametrize(("words", "code", "problem", "hint"), REFUSALS, ids=lambda value: str(value)[:60])
def test_what_is_refused(run: Run, words: tuple[str, ...], code: int, problem: str, hint: str | None) -> None:
    """With the exit code of its kind, one message, and nothing on standard output."""
    got, out, err = run(*words)
    first, *rest = err.splitlines()
    assert (got, out) == (code, "")
    assert first.startswith(f"losscalc: error: {problem}")
    assert hint is None or rest[0].startswith(f"  hint: {hint}")


def test_no_single_losses_are_promised_of_a_loss_of_the_whole(run: Run) -> None:
    """All elements make one Dice loss, also with the reduction none, which was asked for."""
    words = ("dice", "-i", "0.9,0.2", "-t", "1,0", "-r", "none", "--expect", "1,2")
    assert run(*words) == (4, "", "losscalc: error: --expect has shape (2,), and the result ()\n")


def test_a_check_in_json(run: Run) -> None:
    """Strict JSON with all that the text says."""
    code, out, err = run(*MSE, "--expect", "13", "--format", "json")
    assert (code, err) == (1, "")
    assert json.loads(out) == {
        "loss": "mse",
        "reduction": "mean",
        "agrees": False,
        "value": 6.5,
        "expected": 13.0,
        "difference": -6.5,
        "worst": [],
        "differing": 1,
        "explanations": [
            {
                "name": "reduction-sum",
                "sentence": "it is the sum",
                "command": "losscalc mse -i 1,2 -t 3,5 --format json --reduction sum",
            },
            {
                "name": "double",
                "sentence": "there is a factor 2",
                "command": "losscalc mse -i 1,2 -t 3,5 --format json --suppose double",
            },
        ],
    }


def test_an_array_in_json(run: Run) -> None:
    """With null for what JSON has no number for."""
    code, out, _ = run(*MSE, "-r", "none", "--expect", "[4,NaN]", "-f", "json", "-q")
    facts = json.loads(out)
    assert (code, facts["value"], facts["expected"]) == (1, [4.0, 9.0], [4.0, None])
    assert (facts["difference"], facts["worst"], facts["differing"]) == (None, [1], 1)
    code, out, _ = run(*MSE, "--expect", "6.5", "-f", "json")
    facts = json.loads(out)
    assert (code, facts["agrees"], facts["explanations"]) == (0, True, [])


def test_a_check_goes_into_a_file(run: Run) -> None:
    """As any result; the exit code is the same."""
    assert run(*MSE, "--expect", "7.123", "-o", "check.json") == (1, "", "")
    with open("check.json", encoding="utf-8") as file:
        assert json.load(file)["agrees"] is False


@pytest.mark.parametrize("value", ["inf", "-inf"])
def test_an_infinity_does_not_agree_with_a_number(run: Run, value: str) -> None:
    """The tolerance relative to it would be infinite."""
    code, out, _ = run(*MSE, "--expect", value)
    assert code == 1
    assert WRONG in out


@pytest.mark.parametrize(
    "words",
    [
        ("bce-logits", "-i", "1,2", "-t", "0,0"),
        ("cross-entropy", "-i", "[[1,2]]", "-t", "-100"),
        ("sigmoid-focal", "-i", "1,2", "-t", "0,0"),
        ("bce", "-i", ".2,.7", "-t", "0,1", "--weight", "0,0"),
    ],
)
def test_counts_of_zero_are_no_explanation(run: Run, words: tuple[str, ...]) -> None:
    """No positive label, no row that counts, no weight: the search goes on without."""
    code, out, _ = run(*words, "--expect", "5.4321", "-q")
    assert code == 1
    assert out.endswith("nothing that is often done otherwise leads to the expected number\n")


@pytest.mark.parametrize(
    "words",
    [
        ("-r", "sum"),
        ("-rsum",),
        ("--reduction", "sum"),
        ("--reduction=sum",),
        ("--no-size-average",),
        ("--no-size-average", "--reduce"),
    ],
)
def test_the_reduction_is_put_in_the_place_of_another(run: Run, words: tuple[str, ...]) -> None:
    """However it was given."""
    code, out, _ = run(*MSE, *words, "-q", "--expect", "6.5", "-f", "json")
    command = json.loads(out)["explanations"][0]["command"]
    assert code == 1
    code, out, _ = run(*shlex.split(command)[1:])
    assert (code, json.loads(out)["value"]) == (0, 6.5)


def test_options_are_put_in_the_place_of_others(run: Run) -> None:
    """And those of the check are left out."""
    words = ["huber", "-i", "1,2", "-t", "3,5", "--delta", "3"]
    code, out, _ = run(*words, "--rtol=1e-6", "--atol", "0", "--expect", "2")
    assert code == 1
    assert out.splitlines()[-1] == "  losscalc huber -i 1,2 -t 3,5 --delta 1.0"
    words = ["poisson-nll", "-i", "1,2", "-t", "3,5", "--no-log-input"]
    code, out, _ = run(*words, "--expect", repr(float(losscalc.compute("poisson-nll", [1, 2.0], [3.0, 5]))))
    assert code == 1
    assert "\n  losscalc poisson-nll -i 1,2 -t 3,5 --no-log-input --log-input\n" in out


def test_what_is_supposed_is_said(run: Run) -> None:
    """The number alone in a pipe, and its name with it in JSON."""
    assert run(*MSE, "--suppose", "half") == (0, "3.25\n", "")
    _, out, _ = run(*MSE, "--suppose", "half", "-f", "json")
    facts = json.loads(out)
    assert (facts["value"], facts["supposed"]) == (3.25, "half")
