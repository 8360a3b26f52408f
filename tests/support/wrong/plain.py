"""Losses in plain NumPy, or with PyTorch where it has none."""

from typing import Any, NamedTuple

import numpy as np


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
