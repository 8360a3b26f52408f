"""Mistakes of training loops, sequences and labels, written out in NumPy."""

from typing import Any

import numpy as np

from tests.support.wrong.case import Case
from tests.support.wrong.plain import log_loss, softmax

TEN = np.array([0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9])
"""Twelve rows in the order of texts."""


def single(x: Any, y: Any) -> np.ndarray:
    """The cross-entropy of each row."""
    return -np.log(softmax(x)[range(len(y)), y])


def tokens(x: Any, y: Any) -> np.ndarray:
    """The cross-entropy of each position of (N, L, C), that of class 0 where there is none."""
    p = np.exp(x) / np.exp(x).sum(axis=2, keepdims=True)
    return -np.log(np.take_along_axis(p, np.maximum(y, 0)[..., np.newaxis], axis=2)[..., 0])


def sequences(x: Any, y: Any) -> list[tuple[np.ndarray, int]]:
    """The cross-entropy of the positions of each sequence, and how many have a class."""
    return [*zip(tokens(x, y), (y >= 0).sum(axis=1), strict=True)]


def binary(x: Any, y: Any) -> np.ndarray:
    """Binary cross-entropy of logits."""
    return np.log1p(np.exp(x)) - x * y


def weighted(x: Any, y: Any, weights: np.ndarray) -> float:
    """The weighted mean of the cross-entropy."""
    return float((weights[y] * single(x, y)).sum() / weights[y].sum())


def counts(y: Any) -> np.ndarray:
    """How often each of four classes is there."""
    return np.array([(y == k).sum() for k in range(4)])


def batches(values: np.ndarray, size: int) -> list[float]:
    """The mean of each batch."""
    return [values[start : start + size].mean() for start in range(0, len(values), size)]


def moving(means: list[float], decay: float) -> float:
    """Their moving average."""
    found = means[0]
    for mean in means[1:]:
        found = decay * found + (1 - decay) * mean
    return found


def distilled(x: Any, teacher: Any, y: Any, soft: float, hard: float, t: float = 2.0) -> float:
    """Factors times the divergence from the teacher and the cross-entropy."""
    p = softmax(teacher / t)
    divergence = (p * np.log(p / softmax(x / t))).sum(axis=1)
    return float((soft * divergence + hard * single(x, y)).mean())


def risks(x: Any, time: Any, event: Any) -> float:
    """The mean of Cox's partial likelihoods of events."""
    logs = [np.log(np.exp(x[time >= time[row]]).sum()) - x[row] for row in range(len(x)) if event[row]]
    return float(np.mean(logs))


def surrogate(x: Any, old: Any, a: Any, low: float = 0.8, high: float = 1.2) -> float:
    """The objective of PPO with such bounds."""
    ratio = np.exp(x - old)
    return float(-np.minimum(ratio * a, np.clip(ratio, low, high) * a).mean())


def preferred(sums: list[np.ndarray]) -> float:
    """The loss of direct preferences, of log-likelihoods of answers."""
    chosen, rejected, ref_chosen, ref_rejected = sums
    return float(np.log1p(np.exp(-0.1 * (chosen - rejected - ref_chosen + ref_rejected))).mean())


def answers(arrays: Any, *masks: Any) -> list[np.ndarray]:
    """The log-likelihoods of answers, of those of their tokens."""
    return [(array * mask).sum(axis=1) for array, mask in zip(arrays, masks, strict=True)]


LOOPS = [
    Case("sized-means=5", "cross-entropy", "twelve classes", lambda np, x, y: sum(
        5 * mean for mean in batches(single(x, y), 5)) / 12),
    Case("means-over-full=5", "cross-entropy", "twelve classes", lambda np, x, y: sum(
        batches(single(x, y), 5)) / 2),
    *(
        Case(f"moving-average-{decay}=3", "cross-entropy", "twelve classes",
             lambda np, x, y, decay=decay: moving(batches(single(x, y), 3), decay))
        for decay in (0.9, 0.98, 0.99)
    ),
    Case("hardest=50", "cross-entropy", "twelve classes", lambda np, x, y: np.sort(single(x, y))[-6:].mean()),
    Case("rows-as-text", "cross-entropy", "twelve classes", lambda np, x, y: single(x[TEN], y).mean()),
    Case("target-rows-as-text", "cross-entropy", "twelve classes", lambda np, x, y: single(x, y[TEN]).mean()),
    Case("input-by-class", "cross-entropy", "twelve classes", lambda np, x, y: single(
        np.concatenate([x[y == k] for k in range(4)]), y).mean()),
    Case("target-sorted", "mse", "vectors", lambda np, x, y: ((x - np.sort(y)) ** 2).mean()),
    Case("both-sorted", "mse", "vectors", lambda np, x, y: ((np.sort(x) - np.sort(y)) ** 2).mean()),
    Case("input-sorted", "mse", "vectors", lambda np, x, y: ((np.sort(x) - y) ** 2).mean()),
    Case("input-sorted-down", "mse", "vectors", lambda np, x, y: ((np.sort(x)[::-1] - y) ** 2).mean()),
]  # fmt: skip

SEQUENCES = [
    Case("without-first-position", "cross-entropy", "ended tokens", lambda np, x, y: tokens(x, y)[:, 1:][
        y[:, 1:] >= 0].mean(), {"class_axis": -1}),
    Case("without-last-token", "cross-entropy", "ended tokens", lambda np, x, y: np.concatenate(
        [row[:n - 1] for row, n in sequences(x, y)]).mean(), {"class_axis": -1}),
    Case("last-token", "cross-entropy", "ended tokens", lambda np, x, y: np.mean(
        [row[n - 1] for row, n in sequences(x, y)]), {"class_axis": -1}),
    Case("ignored-shifted", "cross-entropy", "ended tokens", lambda np, x, y: np.concatenate(
        [row[1:n + 1] for row, n in sequences(x, y)]).mean(),
        {"class_axis": -1}),
    Case("ignored-reversed", "cross-entropy", "ended tokens", lambda np, x, y: np.concatenate(
        [row[len(row) - n:] for row, n in sequences(x, y)]).mean(),
        {"class_axis": -1}),
    Case("mask-inverted", "cross-entropy", "masked rows", lambda np, x, y, m: tokens(x, y)[m == 0].mean(),
         {"class_axis": -1}),
    Case("shifted-flat", "cross-entropy", "token rows", lambda np, x, y: single(
        x.reshape(-1, 4)[:-1], y.ravel()[1:]).mean(), {"class_axis": -1}),
]  # fmt: skip

COUNTED = [
    Case(name, "cross-entropy", "twelve classes", lambda np, x, y, of=of: weighted(x, y, of(counts(y))))
    for name, of in (
        ("balanced-root", lambda n: n**-0.5),
        ("balanced-others", lambda n: 1 - n / 12),
        ("balanced-share", lambda n: n / 12),
        *((f"balanced-effective-{b}", lambda n, b=b: (1 - b) / (1 - b**n)) for b in (0.9, 0.99, 0.999)),
    )
] + [
    Case("balanced-largest,over-terms", "cross-entropy", "twelve classes", lambda np, x, y: (
        (counts(y).max() / counts(y))[y] * single(x, y)).mean()),
    Case("balanced-inverse,over-terms", "cross-entropy", "twelve classes", lambda np, x, y: (
        (12 / counts(y))[y] * single(x, y)).mean()),
    Case("pos-weight-balanced-inverse", "bce-logits", "logits", lambda np, x, y: (
        binary(x, y) * np.where(y, y.sum() / (1 - y).sum(), 1)).mean()),
    Case("pos-weight-balanced-rows", "bce-logits", "logits", lambda np, x, y: (
        binary(x, y) * np.where(y, 1 / y.mean(), 1)).mean()),
    Case("pos-weight-balanced-root", "bce-logits", "logits", lambda np, x, y: (
        binary(x, y) * np.where(y, ((1 - y).sum() / y.sum()) ** 0.5, 1)).mean()),
    Case("pos-weight-balanced-columns", "bce-logits", "uneven labels", lambda np, x, y: (
        binary(x, y) * np.where(y, (1 - y).sum(axis=0) / y.sum(axis=0), 1)).mean()),
]  # fmt: skip

EXCHANGED = [
    Case("classes-exchanged-1-2", "cross-entropy", "twelve classes", lambda np, x, y: single(
        x[:, [0, 2, 1, 3]], y).mean()),
    Case("columns-exchanged-1-3", "bce-logits", "logits", lambda np, x, y: binary(x[:, [2, 1, 0]], y).mean()),
    Case("weights-exchanged-0-3", "cross-entropy", "weighted classes", lambda np, x, y, w: weighted(
        x, y, w[[3, 1, 2, 0]])),
    Case("alpha-beta-exchanged", "tversky", "probabilities", lambda np, p, y: 1 - ((p * y).sum() + 1e-5) / (
        (p * y).sum() + 0.3 * ((1 - p) * y).sum() + 0.7 * (p * (1 - y)).sum() + 1e-5),
        {"alpha": 0.3, "beta": 0.7}),
    Case("dim-1", "dice", "probabilities", lambda np, p, y: (
        1 - (2 * (p * y).sum(axis=1) + 1e-5) / ((p + y).sum(axis=1) + 1e-5)).mean()),
    Case("dim-1-2", "dice", "masks", lambda np, p, y: (
        1 - (2 * (p * y).sum(axis=(1, 2)) + 1e-5) / ((p + y).sum(axis=(1, 2)) + 1e-5)).mean()),
]  # fmt: skip

SCALES = [
    Case("target-255", "bce-logits", "logits", lambda np, x, y: binary(x, 255 * y).mean()),
    Case("target-over-255", "bce-logits", "logits", lambda np, x, y: binary(x, y / 255).mean()),
    Case("softmax-for-sigmoid", "bce-logits", "logits", lambda np, x, y: log_loss(softmax(x), y).mean()),
    Case("scaled-for-sigmoid", "bce-logits", "logits", lambda np, x, y: log_loss(
        np.clip((x - x.min()) / (x.max() - x.min()), 1e-7, 1 - 1e-7), y).mean()),
    Case("softmax-whole", "cross-entropy", "classes", lambda np, x, y: -np.log(
        (np.exp(x) / np.exp(x).sum())[range(6), y]).mean()),
    Case("both-softmax", "kl", "shares", lambda np, q, p: (
        softmax(p) * np.log(softmax(p) / softmax(q))).sum(axis=1).mean()),
    Case("mean-of-distances-in-bits", "jensen-shannon", "shares", lambda np, q, p: np.sqrt(
        (q * np.log2(2 * q / (p + q)) + p * np.log2(2 * p / (p + q))).sum(axis=1) / 2).mean()),
    Case("pixels-squared", "mse", "pairs", lambda np, x, y: ((255 * x - 255 * y) ** 2).mean()),
    Case("pixels", "l1", "pairs", lambda np, x, y: abs(255 * x - 255 * y).mean()),
    Case("degrees-squared", "mse", "pairs", lambda np, x, y: (np.degrees(x - y) ** 2).mean()),
    Case("degrees", "l1", "pairs", lambda np, x, y: abs(np.degrees(x - y)).mean()),
    Case("degrees-first", "l1", "pairs", lambda np, x, y: abs(np.degrees(x) - y).mean()),
    Case("radians-first", "l1", "pairs", lambda np, x, y: abs(np.radians(x) - y).mean()),
    Case("standardized-each", "mse", "pairs", lambda np, x, y: (
        ((x - x.mean()) / x.std() - (y - y.mean()) / y.std()) ** 2).mean()),
    Case("scaled-each", "mse", "pairs", lambda np, x, y: (
        ((x - x.min()) / np.ptp(x) - (y - y.min()) / np.ptp(y)) ** 2).mean()),
    Case("percent-right", "mape", "rates", lambda np, x, y: 100 - 100 * (abs(x - y) / y).mean()),
    Case("weighted-by-both", "smape", "rates", lambda np, x, y: 2 * abs(x - y).sum() / (x + y).sum()),
    Case("over-mean", "rmse", "rates", lambda np, x, y: ((x - y) ** 2).mean() ** 0.5 / y.mean()),
    Case("over-deviation", "rmse", "rates", lambda np, x, y: ((x - y) ** 2).mean() ** 0.5 / y.std()),
    Case("over-naive", "l1", "vectors", lambda np, x, y: abs(x - y).mean() / abs(y[1:] - y[:-1]).mean()),
    Case("logits-clipped=5", "bce-logits", "far logits", lambda np, x, y: binary(
        np.clip(x, -5, 5), y).mean()),
    Case("soft-cap=5", "bce-logits", "far logits", lambda np, x, y: binary(5 * np.tanh(x / 5), y).mean()),
]  # fmt: skip

MADE_OF_PARTS = [
    Case("no-square", "distillation", "lessons", lambda np, x, z, y: distilled(x, z, y, 0.5, 0.5),
         {"temperature": 2.0, "alpha": 0.5}),
    Case("times-temperature", "distillation", "lessons", lambda np, x, z, y: distilled(x, z, y, 1.0, 0.5),
         {"temperature": 2.0, "alpha": 0.5}),
    Case("alpha-on-one", "distillation", "lessons", lambda np, x, z, y: distilled(x, z, y, 2.0, 1.0),
         {"temperature": 2.0, "alpha": 0.5}),
    Case("divergence-over-classes", "distillation", "lessons",
         lambda np, x, z, y: distilled(x, z, y, 2.0 / 4, 0.5), {"temperature": 2.0, "alpha": 0.5}),
    Case("alpha-exchanged", "distillation", "lessons", lambda np, x, z, y: distilled(x, z, y, 3.0, 0.25),
         {"temperature": 2.0, "alpha": 0.25}),
    Case("focal-of-weighted", "focal", "weighted classes", lambda np, x, y, w: (
        (1 - np.exp(-w[y] * single(x, y))) ** 2 * w[y] * single(x, y)).mean()),
    Case("constant-not-halved", "gaussian-nll", "variances", lambda np, x, y, v: (
        0.5 * (np.log(v) + (x - y) ** 2 / v) + np.log(2 * np.pi)).mean()),
    Case("square-not-halved", "gaussian-nll", "variances", lambda np, x, y, v: (
        0.5 * np.log(v) + (x - y) ** 2 / v).mean()),
    Case("own-class-counted", "multi-margin", "classes", lambda np, x, y: np.maximum(
        0, 1 + x - x[range(6), y][:, None]).mean()),
    Case("softplus-rates", "poisson-nll", "rates", lambda np, x, y: (
        np.log1p(np.exp(x)) - y * np.log(np.log1p(np.exp(x)))).mean()),
    Case("logvar-doubled", "kl-gaussian", "gaussians", lambda np, m, v: (
        0.5 * (m**2 + np.exp(2 * v) - 2 * v - 1)).sum(axis=1).mean()),
    Case("logvar-halved", "kl-gaussian", "gaussians", lambda np, m, v: (
        0.5 * (m**2 + np.exp(v / 2) - v / 2 - 1)).sum(axis=1).mean()),
    Case("logvar-negated", "kl-gaussian", "gaussians", lambda np, m, v: (
        0.5 * (m**2 + np.exp(-v) + v - 1)).sum(axis=1).mean()),
    Case("events-exchanged", "cox", "survival", lambda np, x, t, e: risks(x, t, 1 - e)),
    Case("all-events", "cox", "survival", lambda np, x, t, e: risks(x, t, e * 0 + 1)),
    Case("time-reversed", "cox", "survival", lambda np, x, t, e: risks(x, -t, e)),
    Case("time-of-rows", "cox", "survival", lambda np, x, t, e: (
        np.log(np.cumsum(np.exp(x))) - x)[e == 1].mean()),
    Case("time-of-rows-upwards", "cox", "survival", lambda np, x, t, e: (
        np.log(np.cumsum(np.exp(x[::-1]))[::-1]) - x)[e == 1].mean()),
    Case("advantages-standardized", "ppo-clip", "actions", lambda np, x, o, a: surrogate(
        x, o, (a - a.mean()) / a.std(ddof=1))),
    Case("advantages-standardized-population", "ppo-clip", "actions", lambda np, x, o, a: surrogate(
        x, o, (a - a.mean()) / a.std())),
    Case("advantages-centred", "ppo-clip", "actions", lambda np, x, o, a: surrogate(x, o, a - a.mean())),
    Case("not-clipped", "ppo-clip", "actions", lambda np, x, o, a: (-np.exp(x - o) * a).mean()),
    Case("no-masks", "dpo", "token answers", lambda np, c, r, d, s, m, k: preferred(
        answers((c, r, d, s), 1, 1, 1, 1))),
    Case("masks-exchanged", "dpo", "token answers", lambda np, c, r, d, s, m, k: preferred(
        answers((c, r, d, s), k, m, k, m))),
    Case("length-averaged", "dpo", "token answers", lambda np, c, r, d, s, m, k: preferred(
        [np.average(one, axis=1, weights=mask) for one, mask in ((c, m), (r, k), (d, m), (s, k))])),
    Case("temperature-inverted", "info-nce", "vector pairs", lambda np, x, y: single(
        0.1 * (x / np.linalg.norm(x, axis=1)[:, None]) @ (y / np.linalg.norm(y, axis=1)[:, None]).T,
        np.arange(6)).mean()),
]  # fmt: skip
