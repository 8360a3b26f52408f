"""Mistakes with columns of tables, and with labels that do not count or are soft."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.binary import PROBABILITIES, bce
from tests.support.mistakes.classes import LABELS, LOGITS, cross_entropy
from tests.support.mistakes.regression import l1, l2
from tests.support.mistakes.stages import Change, Tensor, aggregation, last, model, of_arrays, whole

PREDICTED = "id,p\n892,0.13\n893,2.47\n894,-1.08\n896,0.92\n901,3.36\n"
OBSERVED = "id,y\n892,0.55\n893,1.91\n894,-0.35\n896,1.62\n901,2.28\n"
# As pandas writes a frame without names: the header is a number.
NUMBERED = "0\n1.52\n3.07\n-0.44\n2.18\n"
EXPECTED = "3\n0.98\n2.65\n0.71\n2.4\n"
SCORED = "index,a,b,c\n0,1.3,0.2,-0.7\n1,-0.4,2.1,0.6\n2,0.9,-1.2,1.8\n3,0.3,0.5,-0.1\n"
COLUMNS = {"input": {"table": PREDICTED, "columns": "p"}, "target": {"table": OBSERVED, "columns": "y"}}


def ids(loss: Callable[..., Tensor]) -> Change:
    """The mean of a loss with the ids as another column, which are the same on both sides."""
    taken = lambda x, y: loss(x, y).sum() / (2 * len(x))  # noqa: E731
    return whole("input", "ids taken in as a column", r"\bid|column|half|\b2\b", taken)


def indexed(x: Tensor) -> Tensor:
    """Scores with the index of the rows as a column before them."""
    return torch.cat([torch.arange(float(len(x)))[:, None], x], 1)


def ignoring(x: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy, NaN for rows that are ignored."""
    return torch.where(y == -100, torch.nan, F.cross_entropy(x, y, reduction="none"))


HEADERS: tuple[Change, ...] = (
    whole("input", "headers 0 and 3 taken in as a row", "header|row", lambda x, y: (l2(x, y).sum() + 9) / 5),
    aggregation("first row taken for a header", "first|header", lambda v: v[1:].mean()),
)
INDICES: tuple[Change, ...] = (
    whole(
        "input",
        "index taken in as class 0",
        "index|column|class",
        lambda x, y: F.cross_entropy(indexed(x), y),
    ),
    whole(
        "input",
        "index taken in as class 0, labels one more",
        "index|column|class",
        lambda x, y: F.cross_entropy(indexed(x), y + 1),
    ),
)
IGNORED_LABELS = [-100 if row in (2, 5, 6) else label for row, label in enumerate(LABELS)]
IGNORED: tuple[Change, ...] = (
    aggregation("ignored rows counted in the divisor", "ignor|all|count", lambda v: v.nansum() / len(v)),
    of_arrays("target", "ignored rows taken as class 0", "ignor|class 0", lambda x, y: (x, y.clamp(min=0))),
    of_arrays(
        "target",
        "ignored rows taken as the last class",
        "ignor|class|last",
        lambda x, y: (x, torch.where(y < 0, 4, y)),
    ),
    aggregation(
        "mean of the means of batches of 4, without the ignored",
        "batch",
        lambda v: torch.stack([batch.nanmean() for batch in v.split(4)]).mean(),
    ),
    last("last-step", "perplexity", "perplex|exp", lambda m: 2.718281828459045**m),
)
EMPTY = (whole("aggregation", "an empty mean counted as 0", r"empty|ignor|\b0\b", lambda x, y: 0.0),)
SOFT_LABELS = [0.83, 0.12, 0.41, 0.95, 0.66, 0.08, 0.77, 0.35, 0.22, 0.49, 0.91]
SOFT: tuple[Change, ...] = (
    of_arrays(
        "target",
        "targets thresholded at 0.5",
        r"round|0\.5|threshold|binar|hard",
        lambda p, y: (p, y.round()),
    ),
    of_arrays("target", "targets floored", "floor|trunc|integer", lambda p, y: (p, y.floor())),
    whole(
        "other-loss",
        "divergence: entropy of the targets taken off",
        "entropy|diverg|kl",
        lambda p, y: (bce(p, y) - bce(y, y)).mean(),
    ),
)
SOFT_ROWS = [
    [0.7, 0.1, 0.1, 0.05, 0.05],
    [0.15, 0.6, 0.05, 0.1, 0.1],
    [0.2, 0.2, 0.45, 0.1, 0.05],
    [0.02, 0.08, 0.1, 0.7, 0.1],
]
DISTRIBUTED: tuple[Change, ...] = (
    of_arrays(
        "target", "argmax of the targets", "argmax|largest|hard|one-hot", lambda x, y: (x, y.argmax(1))
    ),
    of_arrays(
        "target", "columns of the targets off by one", "column|shift|roll|off", lambda x, y: (x, y.roll(1, 1))
    ),
    of_arrays("input", "softmax applied first", "softmax", lambda x, y: (x.softmax(1), y)),
    of_arrays("target", "softmax applied to the targets", "softmax", lambda x, y: (x, y.softmax(1))),
    whole(
        "other-loss",
        "divergence: entropy of the targets taken off",
        "entropy|diverg|kl",
        lambda x, y: F.kl_div(x.log_softmax(1), y, reduction="batchmean"),
    ),
    last("aggregation", "mean over the classes too", r"class|\b5\b|elements", lambda m: m / 5),
)


def classes(name: str, changes: tuple[Change, ...], x: Any, y: Any, **rest: Any) -> Any:
    """A model of cross-entropy."""
    single = rest.pop("single", cross_entropy)
    return model(name, single, changes, {"input": x, "target": y}, loss="cross-entropy", **rest)


MODELS = (
    model("with ids", l2, (ids(l2),), COLUMNS, loss="mse"),
    model("ids, absolute", l1, (ids(l1),), COLUMNS, loss="l1"),
    model(
        "numbers as headers",
        l2,
        HEADERS,
        {"input": {"table": NUMBERED, "columns": "0"}, "target": {"table": EXPECTED, "columns": "3"}},
        options=("--header=yes",),
        loss="mse",
    ),
    classes("index", INDICES, {"table": SCORED, "columns": "a,b,c"}, [0, 1, 2, 0]),
    classes("ignored", IGNORED, LOGITS, IGNORED_LABELS, single=ignoring, mean=torch.nanmean),
    classes("all ignored", EMPTY, LOGITS[:2], [-100, -100], single=ignoring, mean=torch.nanmean),
    model(
        "soft labels", bce, SOFT, {"input": PROBABILITIES, "target": SOFT_LABELS}, ("means 4",), loss="bce"
    ),
    classes("soft rows", DISTRIBUTED, LOGITS[:4], SOFT_ROWS, commons=("means 3",)),
)
