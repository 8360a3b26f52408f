"""Mistakes with cross-entropy of more axes: tokens and pixels."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.classes import by_class, cross_entropy
from tests.support.mistakes.stages import BY_CLASS, Change, Tensor, aggregation, last, model, of_arrays, whole

TOKENS = np.random.default_rng(31).normal(0, 1.5, (3, 4, 6)).round(2).tolist()

TOKEN_LABELS = [[2, 0, -100, 1, 3, 2], [1, 1, 3, 0, -100, -100], [0, 2, 3, 3, 1, -100]]

PIXELS = np.random.default_rng(32).normal(0, 1.5, (2, 3, 2, 4)).round(2).tolist()

PIXEL_LABELS = [[[0, 2, 1, 1], [2, 0, 0, 1]], [[1, 1, 2, 0], [0, 2, 2, 1]]]


def tokens(x: Tensor, y: Tensor) -> Tensor:
    """The losses of tokens, NaN where they are ignored."""
    v = F.cross_entropy(x, y, reduction="none")
    return torch.where(y == -100, torch.nan, v)


SEQUENCES: tuple[Change, ...] = (
    aggregation("mean of the means of sequences", "sequence|row|sample|batch", lambda v: v.nanmean(1).mean()),
    aggregation("mean of the means of positions", "position|axis|column|step", lambda v: v.nanmean(0).mean()),
    aggregation(
        "ignored tokens counted in the divisor", "ignor|padd|all|count", lambda v: v.nansum() / v.numel()
    ),
    aggregation(
        "sum divided by the number of sequences",
        "sequence|row|sample|batch|number|3",
        lambda v: v.nansum() / 3,
    ),
    aggregation("mean of the perplexities of sequences", "perplex|exp", lambda v: v.nanmean(1).exp().mean()),
    aggregation("mean of the perplexities of tokens", "perplex|exp", lambda v: v[~v.isnan()].exp().mean()),
    aggregation("mean of the first sequence alone", "first", lambda v: v[0].nanmean()),
    of_arrays(
        "alignment",
        "labels shifted by one token: predicts the next",
        "shift",
        lambda x, y: (x[..., :-1], y[:, 1:]),
    ),
    of_arrays("alignment", "labels shifted by two tokens", "shift", lambda x, y: (x[..., :-2], y[:, 2:])),
    of_arrays("alignment", "shifted the other way", "shift", lambda x, y: (x[..., 1:], y[:, :-1])),
    of_arrays("target", "padding taken as class 0", "ignor|padd|class 0", lambda x, y: (x, y.clamp(min=0))),
    last("last-step", "perplexity", "perplex|exp", np.exp),
    last("last-step", "bits", "bit|ln ?2|base 2", lambda m: m / np.log(2)),
    of_arrays(
        "input",
        "(N, L, C) memory viewed as (N, C, L)",
        "reshap|view|axis|axes|transpos",
        lambda x, y: (x.transpose(1, 2).reshape(3, 4, 6), y),
    ),
    of_arrays("input", "softmax applied first", "softmax", lambda x, y: (x.softmax(1), y)),
)

SHAPES: tuple[Change, ...] = (
    whole(
        "alignment",
        "NHWC memory viewed as NCHW",
        "NHWC|reshap|view|axis|axes|memory",
        lambda x, y: F.cross_entropy(x.permute(0, 2, 3, 1).reshape(x.shape), y),
    ),
    whole(
        "alignment",
        "NCHW memory viewed as (-1, C)",
        "reshap|flatten|view|axis|axes|NHWC|NCHW",
        lambda x, y: F.cross_entropy(x.reshape(-1, 3), y.flatten()),
    ),
    whole(
        "alignment",
        "rows and columns of the target exchanged in memory",
        "transpos|exchang|axes|reshap",
        lambda x, y: F.cross_entropy(x, y.transpose(1, 2).reshape(y.shape)),
    ),
    whole(
        "aggregation",
        "sum divided by the number of pictures",
        "sample|row|picture|batch|axis|2",
        lambda x, y: F.cross_entropy(x, y, reduction="sum") / 2,
    ),
    whole(
        "aggregation",
        "mean of the means of classes",
        BY_CLASS,
        lambda x, y: by_class(x.permute(0, 2, 3, 1).reshape(-1, 3), y.flatten()),
    ),
    whole(
        "target",
        "targets flipped upside down",
        "revers|flip|mirror",
        lambda x, y: F.cross_entropy(x, y.flip(1)),
    ),
    whole(
        "target",
        "class 0 ignored: background left out",
        "ignor|class|background",
        lambda x, y: F.cross_entropy(x, y, ignore_index=0),
    ),
)

MODELS = (
    model(
        "tokens",
        tokens,
        SEQUENCES,
        {"input": TOKENS, "target": TOKEN_LABELS},
        loss="cross-entropy",
        mean=torch.nanmean,
    ),
    model("pixels", cross_entropy, SHAPES, {"input": PIXELS, "target": PIXEL_LABELS}, loss="cross-entropy"),
)
