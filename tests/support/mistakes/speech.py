"""Mistakes with CTC."""

import torch
import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.stages import Change, Tensor, bfloat16, model, normal, of_arrays, of_loss, whole

LOG_PROBS = F.log_softmax(torch.tensor(normal(512, 7, 3, 5, scale=1.5)), 2).numpy().round(4).tolist()

CTC = {
    "log_probs": LOG_PROBS,
    "targets": [[1, 3, 2], [4, 4, 0], [2, 1, 3]],
    "input_lengths": [7, 6, 7],
    "target_lengths": [3, 2, 3],
}


def ctc(x: Tensor, y: Tensor, n: Tensor, m: Tensor, blank: int = 0) -> Tensor:
    """PyTorch's CTC, each loss divided by the length of its target."""
    return F.ctc_loss(x, y, n, m, blank=blank, reduction="none") / m


CTCS: tuple[Change, ...] = (
    of_loss(
        "aggregation",
        "not divided by the lengths of the targets",
        "length|sum|divid",
        lambda x, y, n, m: F.ctc_loss(x, y, n, m, reduction="none"),
    ),
    of_loss(
        "aggregation",
        "divided by the lengths of the inputs",
        "length|frame|time|step",
        lambda x, y, n, m: F.ctc_loss(x, y, n, m, reduction="none") / n,
    ),
    whole(
        "aggregation",
        "sum divided by all symbols",
        "symbol|length|total|target|number",
        lambda x, y, n, m: F.ctc_loss(x, y, n, m, reduction="sum") / m.sum(),
    ),
    whole("aggregation", "summed", "sum", lambda x, y, n, m: F.ctc_loss(x, y, n, m, reduction="sum")),
    of_arrays("target", "blank last: symbols one lower", "blank", lambda x, y, n, m: (x.roll(1, 2), y, n, m)),
    of_arrays(
        "input",
        "log-softmax of probabilities taken again",
        "softmax|probabilit|exp",
        lambda x, y, n, m: (x.exp().log_softmax(2), y, n, m),
    ),
    of_arrays(
        "input",
        "lengths of the inputs all 7: padding counted",
        "length|padd",
        lambda x, y, n, m: (x, y, n * 0 + 7, m),
    ),
    of_arrays("input", "time reversed", "revers|time", lambda x, y, n, m: (x.flip(0), y, n, m)),
    of_arrays(
        "precision",
        "log-probabilities in bfloat16",
        "bfloat16|bf16",
        lambda x, y, n, m: (bfloat16(x), y, n, m),
    ),
)

MODELS = (model("ctc", ctc, CTCS, CTC, ("means 2",)),)
