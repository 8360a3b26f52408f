"""Mistakes with preferences."""

import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.stages import MOVED, Change, Tensor, model, normal, of_arrays, of_loss, parameter

LOGPS = {
    "chosen_logps": normal(508, 8, scale=6, shift=-32),
    "rejected_logps": normal(509, 8, scale=6, shift=-34),
    "ref_chosen_logps": normal(510, 8, scale=6, shift=-33),
    "ref_rejected_logps": normal(511, 8, scale=6, shift=-33),
}


def dpo(
    c: Tensor, r: Tensor, rc: Tensor, rr: Tensor, beta: float = 0.1, label_smoothing: float = 0.0
) -> Tensor:
    """Direct preference optimisation."""
    d = beta * (c - r - (rc - rr))
    return (1 - label_smoothing) * F.softplus(-d) + label_smoothing * F.softplus(d)


DPOS: tuple[Change, ...] = (
    *(parameter("beta", beta) for beta in (0.5, 0.01, 0.3)),
    parameter("label_smoothing", 0.1, "smooth"),
    of_arrays(
        "input",
        "chosen and rejected exchanged",
        "exchang|swap|roles|order|sign|negat",
        lambda c, r, rc, rr: (r, c, rr, rc),
    ),
    of_arrays(
        "input", "reference left out", "reference|ref|without", lambda c, r, rc, rr: (c, r, 0 * rc, 0 * rr)
    ),
    of_arrays(
        "input", "references exchanged", "exchang|swap|reference|ref", lambda c, r, rc, rr: (c, r, rr, rc)
    ),
    of_arrays(
        "alignment",
        "references shifted by one row",
        MOVED,
        lambda c, r, rc, rr: (c, r, rc.roll(1), rr.roll(1)),
    ),
    of_loss("other-loss", "hinge", "hinge", lambda c, r, rc, rr: (1 - 0.1 * (c - r - rc + rr)).relu()),
    of_loss("other-loss", "ipo", "ipo", lambda c, r, rc, rr: (c - r - rc + rr - 5) ** 2),
)

PREFERENCES: tuple[Change, ...] = (
    of_arrays(
        "input", "chosen and rejected exchanged", "exchang|swap|roles|order|sign|negat", lambda c, r: (r, c)
    ),
    of_arrays("alignment", "rejected shifted by one row", MOVED, lambda c, r: (c, r.roll(1))),
    of_arrays("parameter", "margin 0.5 taken off", "margin|offset|constant", lambda c, r: (c - 0.5, r)),
    of_arrays(
        "parameter", "temperature 2", "temperature|scale|sigma|divided by 2|half", lambda c, r: (c / 2, r / 2)
    ),
    of_loss("other-loss", "logarithm forgotten: -σ", "log|sigmoid|probabil", lambda c, r: -(c - r).sigmoid()),
    of_loss(
        "other-loss",
        "share of pairs in wrong order",
        "accura|order|share|wrong",
        lambda c, r: (c <= r).double(),
        4,
    ),
)

MODELS = (
    model("dpo", dpo, DPOS, LOGPS, ("means 3", "sum", "drop last 3"), paired=True),
    model(
        "bradley-terry",
        lambda c, r: F.softplus(r - c),
        PREFERENCES,
        {"chosen": normal(515, 9), "rejected": normal(516, 9)},
        ("means 4", "bits"),
    ),
)
