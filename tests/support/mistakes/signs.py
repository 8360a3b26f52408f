"""Mistakes with losses of labels 1 and -1."""

import torch.nn.functional as F  # noqa: N812

from tests.support.mistakes.binary import HALF, SCORES, SHIFTS, hinge
from tests.support.mistakes.stages import Change, model, of_arrays, of_loss, parameter, whole

SIGNS = [1, -1, -1, 1, 1, -1, 1, -1, -1, -1, 1]

HINGES: tuple[Change, ...] = (
    *SHIFTS,
    *(parameter("margin", margin) for margin in (0.5, 2, 0.2)),
    of_arrays(
        "target", "labels 0 and 1 in place of -1 and 1", "\\b0\\b|-1|0 and 1", lambda x, y: (x, (y + 1) / 2)
    ),
    of_arrays("input", "tanh of the scores", "tanh", lambda x, y: (x.tanh(), y)),
    of_arrays(
        "input",
        "sigmoid of the scores, as torchmetrics",
        "sigmoid|torchmetrics",
        lambda x, y: (x.sigmoid(), y),
    ),
    of_loss("other-loss", "squared", "squar", lambda x, y: hinge(x, y) ** 2),
    of_loss(
        "other-loss",
        "ln(1 + exp(-y·x))",
        "soft.margin|logistic|bce",
        lambda x, y: F.soft_margin_loss(x, y.double(), reduction="none"),
    ),
    of_loss("other-loss", "perceptron: no margin", "margin|perceptron", lambda x, y: (-y * x).relu()),
    whole(
        "aggregation",
        "mean over the losses above 0",
        "non-?zero|above 0|positive|zero",
        lambda x, y: hinge(x, y)[hinge(x, y) > 0].mean(),
    ),
)

MODELS = (
    model("hinge", hinge, HINGES, {"input": SCORES, "target": SIGNS}, ("means 3", "sum", "rms"), paired=True),
    model(
        "squared-hinge",
        lambda x, y, margin=1.0: hinge(x, y, margin) ** 2,
        (parameter("margin", 0.5), of_loss("other-loss", "not squared", "hinge|squar", hinge), HALF),
        {"input": SCORES, "target": SIGNS},
        ("means 4",),
    ),
    model(
        "soft-margin",
        lambda x, y: F.soft_margin_loss(x, y.double(), reduction="none"),
        (SHIFTS[0], HINGES[6], of_loss("other-loss", "hinge", "hinge", hinge)),
        {"input": SCORES, "target": SIGNS},
        ("means 3", "bits", "sum"),
    ),
    model(
        "hinge-embedding",
        lambda x, y, margin=1.0: F.hinge_embedding_loss(x, y.double(), margin=margin, reduction="none"),
        (
            SHIFTS[0],
            parameter("margin", 2),
            parameter("margin", 0.5),
            of_loss("other-loss", "hinge of scores", "hinge", hinge),
        ),
        {"input": SCORES, "target": SIGNS},
        ("means 4", "sum"),
    ),
)
