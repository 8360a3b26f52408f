"""Probabilities that were clipped, and arithmetic of few digits."""

from tests.support.wrong.case import Case
from tests.support.wrong.plain import log_loss, softmax, squashed

CLIPPING = [
    *(
        case
        for name, bound in (
            (name, float(name))
            for name in ("1e-7", "1e-15", "1e-8", "1e-12", "1e-5", "1e-6", "1e-9", "1e-10")
        )
        for case in (
            Case(
                f"clip={float(name):g}",
                "bce",
                "saturated",
                lambda np, p, y, bound=bound: log_loss(np.clip(p, bound, 1 - bound), y).mean(),
            ),
            Case(
                f"clip={float(name):g}",
                "cross-entropy",
                "far classes",
                lambda np, x, y, bound=bound: -np.log(np.clip(softmax(x), bound, 1)[range(6), y]).mean(),
            ),
        )
    ),
    Case(
        "clip-1e-7-float32",
        "bce",
        "saturated",
        lambda nn, p, y: nn.binary_cross_entropy(p.float().clamp(1e-7, 1 - 1e-7), y.float()),
    ),
    *(
        Case(
            f"added={float(name):g}",
            "bce",
            "faint",
            lambda np, p, y, eps=float(name): -(y * np.log(p + eps) + (1 - y) * np.log(1 - p + eps)).mean(),
        )
        for name in ("1e-8", "1e-7")
    ),
    Case(
        "sigmoid-float64",
        "bce-logits",
        "extreme logits",
        lambda nn, x, y: nn.binary_cross_entropy(x.sigmoid(), y),
    ),
    Case(
        "sigmoid-float32",
        "bce-logits",
        "sure logits",
        lambda nn, x, y: nn.binary_cross_entropy(x.float().sigmoid(), y.float()),
    ),
    Case("clip-eps", "bce", "saturated", lambda metrics, p, y: metrics.log_loss(y.ravel(), p.ravel())),
    Case(
        "clip-eps32",
        "bce",
        "saturated",
        lambda metrics, p, y: metrics.log_loss(y.ravel(), p.ravel().astype("float32")),
    ),
]

PRECISION = [
    Case("dtype-float32", "mse", "far pairs", lambda nn, x, y: nn.mse_loss(x.float(), y.float())),
    Case("dtype-float16", "l1", "remote pairs", lambda nn, x, y: nn.l1_loss(x.half(), y.half())),
    Case(
        "naive-float32",
        "bce-logits",
        "sure logits",
        lambda np, x, y: log_loss(squashed(x.astype("float32")), y.astype("float32")).mean(),
    ),
    Case(
        "naive-float16",
        "bce-logits",
        "likely logits",
        lambda np, x, y: log_loss(squashed(x.astype("float16")), y.astype("float16")),
        reduction="none",
    ),
]
