"""Mistakes with losses that tell a vector from the others of the batch."""

import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.stages import (
    MOVED,
    Change,
    Tensor,
    bfloat16,
    last,
    model,
    of_arrays,
    of_loss,
    parameter,
    whole,
)
from tests.support.mistakes.vectors import ANCHOR, VIEW


def similarities(a: Tensor, b: Tensor, unit: bool = True) -> Tensor:
    """Cosines, or dot products, of all pairs."""
    return F.normalize(a) @ F.normalize(b).T if unit else a @ b.T


def info_nce(a: Tensor, b: Tensor, temperature: float = 0.1, unit: bool = True) -> Tensor:
    """Each query against all keys."""
    return F.cross_entropy(similarities(a, b, unit) / temperature, torch.arange(len(a)), reduction="none")


def clip(a: Tensor, b: Tensor, temperature: float = 0.07, unit: bool = True) -> Tensor:
    """Both directions."""
    return (info_nce(a, b, temperature, unit) + info_nce(b, a, temperature, unit)) / 2


def nt_xent(a: Tensor, b: Tensor, temperature: float = 0.5) -> Tensor:
    """SimCLR's loss of 2N views."""
    views = torch.cat([a, b])
    s = (similarities(views, views) / temperature).fill_diagonal_(-torch.inf)
    return F.cross_entropy(s, torch.arange(len(views)).roll(len(a)), reduction="none")


CHANGES: tuple[Change, ...] = (
    of_arrays("alignment", "keys shifted by one row", MOVED, lambda a, b: (a, b.roll(1, 0))),
    of_arrays("precision", "vectors in bfloat16", "bfloat16|bf16", lambda a, b: (bfloat16(a), bfloat16(b))),
    Change("parameter", "parameter", "dot products: not normalised", "normal|dot|length", {"unit": False}),
    *(parameter("temperature", t) for t in (0.05, 0.2, 0.5, 1)),
)

VECTORS = {"input": ANCHOR, "target": VIEW}

MODELS = (
    model(
        "info-nce",
        info_nce,
        (
            *CHANGES,
            of_arrays("input", "other direction", "exchang|swap|direction|roles", lambda a, b: (b, a)),
            whole(
                "aggregation",
                "both directions averaged",
                "direction|symmetric|clip|both",
                lambda a, b: clip(a, b, 0.1).mean(),
            ),
            whole(
                "aggregation",
                "both directions added",
                "direction|symmetric|clip|both",
                lambda a, b: 2 * clip(a, b, 0.1).mean(),
            ),
        ),
        VECTORS,
        ("means 3", "sum"),
    ),
    model(
        "clip",
        clip,
        (
            *CHANGES,
            of_loss(
                "aggregation", "one direction alone", "direction|info|one", lambda a, b: info_nce(a, b, 0.07)
            ),
            last("factor", "directions added, not averaged", "add|double|twice|\\b2\\b|sum", lambda m: 2 * m),
        ),
        VECTORS,
        ("sum",),
    ),
    model(
        "nt-xent",
        nt_xent,
        (
            *CHANGES[:2],
            *CHANGES[3:5],
            parameter("temperature", 0.07),
            parameter("temperature", 1),
            of_loss(
                "other-loss",
                "info-nce of one view against the other",
                "info|direction|other view|clip",
                lambda a, b: info_nce(a, b, 0.5),
            ),
        ),
        VECTORS,
        ("means 4", "sum"),
    ),
)
