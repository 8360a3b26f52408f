"""Mistakes with boxes."""

import numpy as np
import torch

from tests.support.mistakes.stages import MOVED, Change, Tensor, last, model, of_arrays, of_loss

rng = np.random.default_rng(409)
_CORNERS = rng.uniform(0, 6, (6, 2)).round(2)

BOXES = np.hstack([_CORNERS, _CORNERS + rng.uniform(1.5, 6, (6, 2)).round(2)]).round(2).tolist()

OTHERS = (np.array(BOXES) + rng.normal(0, 0.5, (6, 4))).round(2).tolist()


def areas(a: Tensor, b: Tensor, one: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """Overlap, union, and the area of the box around both."""
    size = lambda low, high: (high - low + one).clamp(min=0).prod(1)  # noqa: E731
    overlap = size(torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:]))
    around = size(torch.minimum(a[:, :2], b[:, :2]), torch.maximum(a[:, 2:], b[:, 2:]))
    return overlap, size(a[:, :2], a[:, 2:]) + size(b[:, :2], b[:, 2:]) - overlap, around


def iou(a: Tensor, b: Tensor, one: float = 0.0) -> Tensor:
    """1 - IoU."""
    overlap, union, _ = areas(a, b, one)
    return 1 - overlap / (union + 1e-7)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """1 - GIoU, as in its paper."""
    overlap, union, around = areas(a, b)
    return 1 - overlap / (union + 1e-7) + (around - union) / (around + 1e-7)


def corners(a: Tensor) -> Tensor:
    """Boxes x, y, w, h as corners."""
    return torch.cat([a[:, :2], a[:, :2] + a[:, 2:]], 1)


IN_BOXES: tuple[Change, ...] = (
    of_arrays("alignment", "boxes shifted by one row", MOVED, lambda a, b: (a, b.roll(1, 0))),
    of_arrays(
        "input",
        "corners taken for x, y, w, h",
        "w, ?h|width|size|corner",
        lambda a, b: (corners(a), corners(b)),
    ),
    of_arrays(
        "input",
        "x and y of the targets exchanged",
        "exchang|swap|x and y|order",
        lambda a, b: (a, b[:, [1, 0, 3, 2]]),
    ),
    of_arrays("target", "corners rounded to pixels", "round", lambda a, b: (a.round(), b.round())),
    last("last-step", "overlap, not loss", "1 ?[-−]|complement|overlap|similarity|itself", lambda m: 1 - m),
    of_loss("other-loss", "-ln IoU", "log|ln", lambda a, b: -(1 - iou(a, b)).log()),
)

MODELS = (
    model(
        "giou",
        giou,
        (*IN_BOXES, of_loss("other-loss", "iou", "\\biou", iou)),
        {"input": BOXES, "target": OTHERS},
        ("means 4", "sum"),
    ),
    model(
        "iou",
        iou,
        (
            *IN_BOXES[1:],
            of_loss(
                "convention",
                "sides one longer: inclusive pixels",
                "\\+ ?1|one|inclus|pixel",
                lambda a, b: iou(a, b, 1.0),
            ),
            of_loss("other-loss", "giou", "giou", giou),
        ),
        {"input": BOXES, "target": OTHERS},
        ("means 4",),
    ),
)
