"""Inputs that are hard on digits, for every loss: calls without reduction, each of one kind of points.

Numbers are drawn in the dtype asked for: where it ends, and where it becomes subnormal, is what some of the
kinds are about.
"""

from collections.abc import Callable, Iterator, Mapping
from math import inf, log, log10
from typing import Any, NamedTuple

import numpy as np

from tests.support.exact import is_shared

Array = np.ndarray
Arguments = dict[str, Any]

KINDS = ("ordinary", "confident", "huge", "tiny", "subnormal", "cancelling")
"""What is special about the points of a call."""

CLASSES = 5


class Batch(NamedTuple):
    """The arguments of a call without reduction, parameters included, and the kind of its points."""

    name: str
    kind: str
    dtype: str
    arguments: Arguments

    def alone(self, index: int) -> "Batch":
        """The call with one of its samples only."""
        arguments = {
            key: value
            if is_shared(self.name, key, value)
            else np.take(value, [index], axis=1 if key == "log_probs" else 0)
            for key, value in self.arguments.items()
        }
        return self._replace(arguments=arguments)


class Draw:
    """Random numbers of one kind and dtype, so many to an array."""

    def __init__(self, kind: str, dtype: str, rows: int, seed: list[int], weighted: bool = False) -> None:
        self.kind, self.dtype, self.rows, self.weighted = kind, np.dtype(dtype), rows, weighted
        self.rng = np.random.default_rng(seed)
        self.info = np.finfo(self.dtype)

    @property
    def cancels(self) -> bool:
        """Whether the points are to be next to where the loss nearly vanishes."""
        return self.kind == "cancelling"

    def cast(self, values: Any) -> Array:
        """In the dtype of the call; what is too large for it is its largest number."""
        largest = float(self.info.max)
        return np.clip(np.asarray(values, dtype=np.float64), -largest, largest).astype(self.dtype)

    def sizes(self, *shape: int) -> Array:
        """Positive float64 numbers of the size that the kind is about."""
        if self.kind == "subnormal":
            return float(self.info.smallest_subnormal) * self.rng.integers(1, 10**6, shape)
        bottom, top = log10(float(self.info.tiny)), log10(float(self.info.max))
        ranges = {
            "huge": (top / 4, top - 0.1),
            "tiny": (bottom, max(-5.0, bottom + 1.0)),
            "confident": (0.0, 2.5),
        }
        low, high = ranges.get(self.kind, (-1.5, 1.5))
        return 10.0 ** self.rng.uniform(low, high, shape)

    def signs(self, *shape: int) -> Array:
        """1 and -1."""
        return self.rng.choice([-1.0, 1.0], shape)

    def reals(self, *shape: int) -> Array:
        """Numbers of either sign."""
        return self.cast(self.sizes(*shape) * self.signs(*shape))

    def vector(self) -> Array:
        """One number a sample."""
        return self.reals(self.rows)

    def scaled(self, *shape: int) -> Array:
        """Float64 rows of numbers of the same size, which differs from row to row."""
        return self.rng.normal(size=(self.rows, *shape)) * self.sizes(self.rows, *[1] * len(shape))

    def chances(self, *shape: int) -> Array:
        """Probabilities: plain ones, those near 0, and, for confident answers, near 1."""
        if self.kind in ("tiny", "subnormal"):
            return self.cast(self.sizes(*shape))
        if self.kind == "confident":
            near = 10.0 ** self.rng.uniform(-16, -2, shape)
            return self.cast(np.where(self.rng.random(shape) < 0.5, near, 1 - near))
        return self.cast(
            self.rng.choice([0.0, 1.0, 0.5, 0.25], shape) if self.kind == "huge" else self.rng.random(shape)
        )

    def labels(self, *shape: int) -> Array:
        """Labels: mostly hard ones, and some between 0 and 1."""
        hard = self.rng.integers(0, 2, shape)
        return self.cast(np.where(self.rng.random(shape) < 0.7, hard, self.rng.random(shape)))

    def factors(self, *shape: int) -> Array:
        """Weights from 1e-3 to 1e3."""
        return self.cast(10.0 ** self.rng.uniform(-3, 3, shape))

    def weight(self, *shape: int) -> Arguments:
        """The argument of that name, where there is to be one."""
        return {"weight": self.factors(*shape)} if self.weighted else {}

    def near(self, values: Array, steps: int = 4) -> Array:
        """Numbers a few steps from others."""
        values = self.cast(values)
        moves = self.rng.integers(-steps, steps + 1, values.shape)
        # Of the largest number there is none.
        spacing = np.spacing(np.minimum(np.abs(values), self.info.max / 2).astype(self.dtype))
        return self.cast(values.astype(np.float64) + moves * spacing.astype(np.float64))


def regression(draw: Draw, settings: Arguments) -> Arguments:
    """Numbers near others where they are to cancel; differences near a bend, too."""
    y = draw.vector()
    bend = settings.get("beta", settings.get("delta", 0.0))
    x = draw.near(y + draw.rng.choice([0.0, bend, -bend], draw.rows)) if draw.cancels else draw.vector()
    return {"input": x, "target": y, **draw.weight(draw.rows)}


def amounts(draw: Draw, settings: Arguments) -> Arguments:
    """Positive numbers, near others where they are to cancel."""
    y = np.abs(draw.vector())
    return {"input": np.abs(draw.near(y) if draw.cancels else draw.vector()), "target": y}


def poisson(draw: Draw, settings: Arguments) -> Arguments:
    """Counts next to those that the formula says cost nothing, or least."""
    counts = np.abs(draw.vector())
    log_input = settings.get("log_input", True)
    x = draw.vector() if log_input and draw.kind != "huge" else counts
    x = draw.cast(np.where(x > 800, np.log(np.abs(x) + 1), x)) if log_input else x
    y = np.abs(draw.vector())
    if draw.cancels and settings.get("full"):
        y = draw.near(10.0 ** draw.rng.uniform(0.1, 6, draw.rows))
        x = draw.near(np.log(y) if log_input else y)
    elif draw.cancels:
        x = draw.cast(draw.rng.uniform(0.1, 8, draw.rows) + (0.0 if log_input else 1.0))
        wide = x.astype(np.float64)
        y = draw.near(np.exp(wide) / wide if log_input else wide / np.log(wide))
    return {"input": x, "target": y}


def gaussian(draw: Draw, settings: Arguments) -> Arguments:
    """Differences whose square over the variance makes up for its logarithm."""
    x, y, var = draw.vector(), draw.vector(), np.abs(draw.vector())
    if draw.cancels:
        constant = log(2 * np.pi) if settings.get("full") else 0.0
        var = draw.cast(draw.rng.uniform(1e-3, 0.15, draw.rows))
        wide = var.astype(np.float64)
        y = draw.cast(draw.rng.choice([0.0, 1.0], draw.rows))
        x = draw.near(y + np.sqrt(-wide * (np.log(wide) + constant)))
    return {"input": x, "target": y, "var": var}


def chances(draw: Draw, settings: Arguments) -> Arguments:
    """Probabilities and labels."""
    return {"input": draw.chances(draw.rows), "target": draw.labels(draw.rows), **draw.weight(draw.rows)}


def logits(draw: Draw, settings: Arguments) -> Arguments:
    """Logits and labels; a label a step from 0 or 1 leaves little of one part of the formula."""
    y = draw.labels(draw.rows)
    if draw.cancels:
        y = draw.cast(np.where(draw.rng.random(draw.rows) < 0.5, draw.sizes(draw.rows) * 1e-12, 1 - 2.0**-20))
    extra = {"pos_weight": draw.factors(draw.rows)} if draw.weighted else {}
    return {"input": draw.vector(), "target": y, **draw.weight(draw.rows), **extra}


def focal(draw: Draw, settings: Arguments) -> Arguments:
    """Logits and labels."""
    return {k: v for k, v in logits(draw, settings).items() if k in ("input", "target")}


def label_rows(draw: Draw, settings: Arguments) -> Arguments:
    """Rows of logits and labels."""
    shape = (draw.rows, CLASSES)
    return {"input": draw.reals(*shape), "target": draw.labels(*shape), **draw.weight(*shape)}


def signed(draw: Draw, settings: Arguments) -> Arguments:
    """Numbers and labels 1 and -1; around the margin where they are to cancel."""
    x, y = draw.vector(), draw.cast(draw.signs(draw.rows))
    if draw.cancels:
        x = draw.near(np.full(draw.rows, settings.get("margin", 1.0)), 1000)
    return {"input": x, "target": y}


def score_rows(draw: Draw) -> Array:
    """Scores: spread ones, those of one size, close ones, and a first class that is far ahead."""
    scores = draw.reals(draw.rows, CLASSES).astype(np.float64)
    if draw.kind == "confident":
        scores = draw.rng.normal(size=scores.shape)
        scores[::2, 0] += draw.rng.uniform(10, 745, len(scores[::2]))
    if draw.cancels:
        scores = draw.near(np.repeat(scores[:, :1] * 1e3, CLASSES, axis=1), 1000)
    return draw.cast(scores)


def class_targets(draw: Draw, settings: Arguments) -> Array:
    """Class indices, or shares of the classes for calls that have weights."""
    indices = draw.rng.integers(0, CLASSES, draw.rows)
    indices[::2] = 0
    return indices


def cross_entropy(draw: Draw, settings: Arguments) -> Arguments:
    """Rows of scores, and classes or shares of them."""
    target = class_targets(draw, settings)
    if draw.weighted and draw.rng.random() < 0.5:
        target = draw.cast(draw.rng.dirichlet(np.full(CLASSES, 0.5), draw.rows))
    return {"input": score_rows(draw), "target": target, **draw.weight(CLASSES)}


def nll(draw: Draw, settings: Arguments) -> Arguments:
    """Rows of scores and classes."""
    return {"input": score_rows(draw), "target": class_targets(draw, settings), **draw.weight(CLASSES)}


def margins(draw: Draw, settings: Arguments) -> Arguments:
    """Rows of scores that violate the margin by a little."""
    x, target = score_rows(draw), class_targets(draw, settings)
    if draw.cancels:
        right = draw.cast(draw.rng.normal(size=(draw.rows, 1)))
        x = draw.near(np.repeat(right - draw.cast(settings.get("margin", 1.0)), CLASSES, axis=1))
        np.put_along_axis(x, target[:, np.newaxis], right, axis=1)
    return {"input": x, "target": target, **draw.weight(CLASSES)}


def margin_lists(draw: Draw, settings: Arguments) -> Arguments:
    """The same scores, with lists of right classes."""
    arrays = margins(draw, settings)
    lists = draw.rng.permuted(np.tile(np.arange(CLASSES), (draw.rows, 1)), axis=1)
    lists[:, 0] = arrays["target"]
    ends = np.arange(CLASSES) >= draw.rng.integers(1, CLASSES - 1, (draw.rows, 1))
    return {"input": arrays["input"], "target": np.where(ends, -1, lists)}


def features(draw: Draw) -> Array:
    """Rows of features of one size."""
    x = draw.scaled(4)
    if draw.cancels:
        # The logits of the matrix below are small differences of large products.
        x[:, 1] = x[:, 0]
        x[:, :2] *= 1e6
    return draw.cast(x)


def matrix(draw: Draw, rows: int, columns: int) -> Array:
    """A matrix whose products with features are of their size; its first two columns nearly cancel."""
    values = draw.cast(draw.rng.normal(size=(rows, columns)))
    if draw.cancels and columns > 1:
        values[:, 1] = draw.near(-values[:, 0])
    return values


def linear(draw: Draw, settings: Arguments) -> Arguments:
    """Features, a matrix, and a bias for calls that have weights."""
    arrays = {"input": features(draw), "linear_weight": matrix(draw, CLASSES, 4)}
    bias = {"linear_bias": draw.cast(draw.rng.normal(size=CLASSES))} if draw.weighted else {}
    return {**arrays, "target": class_targets(draw, settings), **bias, **draw.weight(CLASSES)}


def adaptive(draw: Draw, settings: Arguments) -> Arguments:
    """Features, and the state of an adaptive softmax of two frequent classes and two clusters."""
    state = {
        "head.weight": matrix(draw, 4, 4),
        "tail.0.0.weight": matrix(draw, 2, 4),
        "tail.0.1.weight": draw.cast(draw.rng.normal(size=(2, 2))),
        "tail.1.0.weight": matrix(draw, 1, 4),
        "tail.1.1.weight": draw.cast(draw.rng.normal(size=(3, 1))),
    }
    if draw.rng.random() < 0.5:
        state["head.bias"] = draw.cast(draw.rng.normal(size=4))
    return {"input": features(draw), "target": draw.rng.integers(0, 7, draw.rows), "state": state}


def divergence(draw: Draw, settings: Arguments) -> Arguments:
    """Log-probabilities near those of the target where they are to cancel."""
    if settings.get("log_target"):
        y = draw.cast(-np.abs(draw.vector()))
        x = draw.near(y) if draw.cancels else draw.vector()
        return {"input": x, "target": y}
    y = draw.chances(draw.rows)
    least = float(draw.info.smallest_subnormal)
    x = draw.near(np.log(np.maximum(y.astype(np.float64), least))) if draw.cancels else draw.vector()
    return {"input": x, "target": y}


def pairs(draw: Draw, settings: Arguments) -> Arguments:
    """Vectors: any, nearly parallel, and, to cancel, a few steps from that or from a margin."""
    a, b = draw.cast(draw.scaled(3)), draw.cast(draw.scaled(3))
    target = draw.cast(draw.signs(draw.rows))
    if draw.kind == "confident":
        b = draw.cast(
            a * draw.signs(draw.rows, 1)
            + draw.rng.normal(size=a.shape) * 10.0 ** draw.rng.uniform(-9, 0, (draw.rows, 1))
        )
    if draw.cancels:
        across = np.cross(a.astype(np.float64), draw.rng.normal(size=a.shape))
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        along = a / np.linalg.norm(a.astype(np.float64), axis=1, keepdims=True)
        cosine = np.where(target == 1, 1.0, settings.get("margin", 0.0))[:, np.newaxis]
        b = draw.near((cosine * along + np.sqrt(1 - cosine**2) * across) * draw.sizes(draw.rows, 1))
    return {"input1": a, "input2": b, "target": target}


def ranking(draw: Draw, settings: Arguments) -> Arguments:
    """Scores that lead by almost the margin."""
    x, y = draw.vector(), draw.cast(draw.signs(draw.rows))
    other = draw.near(x - y * settings.get("margin", 0.0)) if draw.cancels else draw.vector()
    return {"input1": x, "input2": other, "target": y}


def triplets(draw: Draw, settings: Arguments) -> Arguments:
    """Vectors; to cancel, the negative is farther away than the positive by almost the margin."""
    a, p, n = (draw.cast(draw.scaled(3)) for _ in range(3))
    degree, eps = settings.get("p", 2.0), settings.get("eps", 1e-6)
    if draw.kind == "confident":
        p = draw.near(a, 1000)
    if draw.cancels:
        near = _length(a.astype(np.float64) - p + eps, degree)
        way = draw.rng.normal(size=a.shape)
        n = draw.near(a + eps - way / _length(way, degree) * (near + settings.get("margin", 1.0)))
    return {"anchor": a, "positive": p, "negative": n}


def _length(rows: Array, degree: float) -> Array:
    return (
        np.linalg.norm(rows, ord=degree, axis=1, keepdims=True)
        if degree in (1, 2, inf)
        else (np.sum(np.abs(rows) ** degree, axis=1, keepdims=True) ** (1 / degree))
    )


def sequences(draw: Draw, settings: Arguments) -> Arguments:
    """Log-probabilities: of random scores, of a nearly certain alignment, and of any size."""
    steps, symbols = 6, 4
    targets = draw.rng.integers(1, symbols, (draw.rows, 3))
    lengths = draw.rng.integers(0, 4, draw.rows)
    scores = draw.rng.normal(size=(steps, draw.rows, symbols))
    if draw.kind in ("confident", "cancelling"):
        path = np.concatenate([targets, np.zeros_like(targets)], axis=1)[:, [0, 3, 1, 4, 2, 5]].T
        path = np.where(np.arange(steps)[:, np.newaxis] < 2 * lengths, path, 0)
        ahead = draw.rng.uniform(0, 40 if draw.cancels else 300, (1, draw.rows, 1))
        np.put_along_axis(scores, path[..., np.newaxis], ahead, axis=2)
    probabilities = scores - np.log(
        np.exp(scores - scores.max(axis=2, keepdims=True)).sum(axis=2, keepdims=True)
    )
    probabilities -= scores.max(axis=2, keepdims=True)
    if draw.kind in ("huge", "tiny", "subnormal"):
        probabilities = -draw.sizes(steps, draw.rows, symbols)
    return {
        "log_probs": draw.cast(probabilities),
        "targets": targets,
        "input_lengths": draw.rng.integers(steps - 1, steps + 1, draw.rows),
        "target_lengths": lengths,
    }


def boxes(draw: Draw, settings: Arguments) -> Arguments:
    """Boxes: any, inside one another, apart, nearly equal, far from the origin, and of any size."""
    size = draw.sizes(draw.rows, 1)
    one, two = (_box(draw) * size for _ in range(2))
    if draw.kind == "confident":
        one[::2] = two[::2] * (1 + draw.rng.normal(size=one[::2].shape) * 10.0 ** draw.rng.uniform(-9, -2))
        two[1::2] += 20 * size[1::2]
    if draw.cancels:
        one, two = one + 1e3 * draw.signs(draw.rows, 1), two + 1e3 * draw.signs(draw.rows, 1)
        one[::2] = draw.near(two[::2])
        one[1::4, :2] = draw.near(two[1::4, 2:])
        one[1::4, 2:] = one[1::4, :2] + size[1::4]
    one, two = draw.cast(one), draw.cast(two)
    # In float16 some have lost their sides.
    proper = (one[:, 2:] > one[:, :2]).all(axis=1) & (two[:, 2:] > two[:, :2]).all(axis=1)
    return {"input": one[proper], "target": two[proper]}


def _box(draw: Draw) -> Array:
    corner = draw.rng.uniform(-1, 1, (draw.rows, 2))
    return np.concatenate([corner, corner + draw.rng.uniform(0.3, 2, (draw.rows, 2))], axis=1)


def shares(draw: Draw, settings: Arguments) -> Arguments:
    """Rows of probabilities, close to each other where they are to cancel; some are 0."""
    x = np.abs(draw.chances(draw.rows, CLASSES).astype(np.float64))
    y = draw.chances(draw.rows, CLASSES)
    x, y = (draw.cast(row / np.maximum(1.0, row.sum(axis=1, keepdims=True))) for row in (x, y.astype(float)))
    return {"input": np.clip(draw.near(y), 0, 1) if draw.cancels else x, "target": y}


def gaussians(draw: Draw, settings: Arguments) -> Arguments:
    """Means and logarithms of variances, which nearly agree where they are to cancel."""
    mean, variance = draw.reals(draw.rows, CLASSES), draw.reals(draw.rows, CLASSES)
    if not draw.weighted:
        return {"input": mean, "logvar": variance}
    other = {"target": draw.reals(draw.rows, CLASSES), "target_logvar": draw.reals(draw.rows, CLASSES)}
    if draw.cancels:
        other = {"target": draw.near(mean), "target_logvar": draw.near(variance)}
    return {"input": mean, "logvar": variance, **other}


def teaching(draw: Draw, settings: Arguments) -> Arguments:
    """Rows of scores of a student and its teacher, and classes."""
    x = score_rows(draw)
    teacher = draw.near(x) if draw.cancels else score_rows(draw)
    return {"input": x, "teacher": teacher, "target": class_targets(draw, settings)}


def unweighted_rows(draw: Draw, settings: Arguments) -> Arguments:
    """Rows of scores and classes."""
    return {"input": score_rows(draw), "target": class_targets(draw, settings)}


Settings = list[Arguments]
MARGINS: Settings = [{}, {"margin": 0.3}]
EPS: Settings = [{}, {"eps": 0.0}]

POINTS: Mapping[str, tuple[Callable[[Draw, Arguments], Arguments], Settings]] = {
    "l1": (regression, [{}]),
    "mse": (regression, [{}]),
    "smooth-l1": (regression, [{}, {"beta": 0.0}, {"beta": 0.3}, {"beta": 3.7}]),
    "huber": (regression, [{}, {"delta": 0.3}, {"delta": 3.7}]),
    "poisson-nll": (
        poisson,
        [{"log_input": a, "full": b} for a in (True, False) for b in (True, False)],
    ),
    "gaussian-nll": (gaussian, [{}, {"full": True}, {"eps": 0.1}]),
    "bce": (chances, [{}]),
    "bce-logits": (logits, [{}]),
    "multilabel-soft-margin": (label_rows, [{}]),
    "sigmoid-focal": (
        focal,
        [{}, {"alpha": -1.0}, {"gamma": 0.0}, {"gamma": 0.5}, {"alpha": 0.7, "gamma": 3.3}],
    ),
    "hinge-embedding": (signed, MARGINS),
    "multilabel-margin": (margin_lists, [{}]),
    "multi-margin": (margins, [{}, {"p": 2}, {"margin": 0.3}, {"p": 2, "margin": 0.3}]),
    "soft-margin": (signed, [{}]),
    "cross-entropy": (cross_entropy, [{}, {"label_smoothing": 0.1}, {"label_smoothing": 1.0}]),
    "nll": (nll, [{}]),
    "adaptive-log-softmax": (adaptive, [{}, {}]),
    "linear-cross-entropy": (linear, [{}, {"label_smoothing": 0.1}]),
    "kl-div": (divergence, [{}, {"log_target": True}]),
    "cosine-embedding": (pairs, [{}, {"margin": 0.5}, {"margin": 0.3}]),
    "margin-ranking": (ranking, [*MARGINS, {"margin": -1.0}]),
    "triplet-margin": (
        triplets,
        [{}, {"p": 1.0}, {"p": 3.0}, {"p": inf}, {"p": 1.5, "margin": 0.3}, {"swap": True, "eps": 0.0}],
    ),
    "triplet-margin-with-distance": (
        triplets,
        [
            {"distance_function": name}
            for name in ("pairwise", "euclidean", "squared-euclidean", "manhattan", "chebyshev", "cosine")
        ],
    ),
    "kl": (shares, [{}, {"eps": 1e-7}]),
    "jensen-shannon": (shares, [{}]),
    "kl-gaussian": (gaussians, [{}]),
    "distillation": (teaching, [{}, {"alpha": 1.0, "temperature": 3.0}, {"alpha": 0.0}]),
    "focal": (nll, [{}, {"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 3.3}]),
    "multiclass-hinge": (margins, MARGINS),
    "perplexity": (unweighted_rows, [{}]),
    "ctc": (sequences, [{}, {"zero_infinity": True}]),
    "ciou": (boxes, EPS),
    "diou": (boxes, EPS),
    "giou": (boxes, EPS),
    "hinge": (signed, MARGINS),
    "squared-hinge": (signed, MARGINS),
    "brier": (chances, [{}]),
    "rmse": (regression, [{}]),
    "mape": (regression, [{}, {"eps": 0.0}]),
    "smape": (regression, [{}, {"eps": 0.0}]),
    "msle": (amounts, [{}]),
    "rmsle": (amounts, [{}]),
    "pinball": (regression, [{}, {"quantile": 0.9}, {"quantile": 0.1}]),
    "tweedie-deviance": (amounts, [{"power": p} for p in (0.0, 1.0, 1.3, 1.5, 1.999, 3.0, -1.0)]),
    "poisson-deviance": (amounts, [{}]),
    "gamma-deviance": (amounts, [{}]),
}
"""How the arrays of each loss are drawn, and with which parameters."""

WEIGHTED = frozenset(
    {
        "l1",
        "mse",
        "rmse",
        "brier",
        "huber",
        "bce",
        "bce-logits",
        "multilabel-soft-margin",
        "multi-margin",
        "cross-entropy",
        "nll",
    }
    | {"linear-cross-entropy", "focal", "kl-gaussian"}
)
"""Losses that are drawn with weights, too."""


def batches(name: str, dtype: str, least: int) -> Iterator[Batch]:
    """Calls with as many samples as asked for or more, shared among the kinds and parameters."""
    function, choices = POINTS[name]
    variants = [(s, w) for s in choices for w in ((False, True) if name in WEIGHTED else (False,))]
    rows = -(-least // (len(KINDS) * len(variants)))
    for k, kind in enumerate(KINDS):
        for v, (settings, weighted) in enumerate(variants):
            seed = [20260923, list(POINTS).index(name), k, v]
            with np.errstate(over="ignore"):
                arrays = function(Draw(kind, dtype, rows, seed, weighted), settings)
            yield Batch(name, kind, dtype, {**arrays, **settings})
