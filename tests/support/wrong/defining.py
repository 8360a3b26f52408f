"""Losses that were defined otherwise."""

from tests.support.wrong.case import Case
from tests.support.wrong.plain import distant, focal, generalized, softmax, violations

CONVENTIONS = [
    Case("sum,root", "mse", "pairs", lambda nn, x, y: nn.mse_loss(x, y, reduction="sum").sqrt()),
    Case("root-of-columns", "mse", "pairs", lambda metrics, x, y: metrics.root_mean_squared_error(y, x)),
    Case(
        "root-of-rows",
        "mse",
        "pairs",
        lambda nn, x, y: nn.mse_loss(x, y, reduction="none").mean(1).sqrt().mean(),
    ),
    Case("norm-of-rows", "mse", "pairs", lambda np, x, y: np.linalg.norm(x - y, axis=1).mean()),
    Case("sum,half", "mse", "pairs", lambda np, x, y: 0.5 * ((x - y) ** 2).sum()),
    Case("over-rows,half", "mse", "pairs", lambda np, x, y: ((x - y) ** 2).sum() / (2 * len(x))),
    Case(
        "deviance",
        "poisson-nll",
        "rates",
        lambda metrics, x, y: metrics.mean_poisson_deviance(y.ravel(), x.ravel()),
        {"log_input": False},
    ),
    *(
        Case(
            name,
            "gaussian-nll",
            "variances",
            lambda nn, x, y, v, f=change: nn.gaussian_nll_loss(x, y, f(v)),
        )
        for name, change in (
            ("var-squared", lambda v: v**2),
            ("var-root", lambda v: v.sqrt()),
            ("var-exp", lambda v: v.exp()),
        )
    ),
    Case("sum,base-2", "bce", "probabilities", lambda np, p, y: -np.log2(np.where(y == 1, p, 1 - p)).sum()),
    Case(
        "sum,base-2",
        "cross-entropy",
        "classes",
        lambda np, x, y: -np.log2(softmax(x)[range(6), y]).sum(),
    ),
    Case(
        "batchmean,base-2",
        "kl-div",
        "divergence",
        lambda np, x, y: (y * (np.log2(y) - np.log2(np.exp(x)))).sum(axis=1).mean(),
    ),
    Case(
        "target-signs",
        "bce-logits",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, 2 * y - 1),
    ),
    Case("target-signs", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, 2 * y - 1)),
    Case("target-01", "soft-margin", "signs", lambda nn, x, y: nn.soft_margin_loss(x, (y + 1) / 2)),
    Case("target-01", "hinge-embedding", "signs", lambda nn, x, y: nn.hinge_embedding_loss(x, (y + 1) / 2)),
    Case(
        "target-01",
        "cosine-embedding",
        "signed vectors",
        lambda nn, a, b, y: nn.cosine_embedding_loss(a, b, (y + 1) / 2),
    ),
    Case(
        "target-01",
        "margin-ranking",
        "ranks",
        lambda nn, a, b, y: nn.margin_ranking_loss(a, b, (y + 1) / 2, margin=0.5),
        {"margin": 0.5},
    ),
    Case(
        "svm-hinge",
        "hinge-embedding",
        "signs",
        lambda metrics, x, y: metrics.hinge_loss(y.ravel(), x.ravel()),
    ),
    Case("svm-hinge", "soft-margin", "signs", lambda metrics, x, y: metrics.hinge_loss(y.ravel(), x.ravel())),
    # As scikit-learn's LinearSVC minimises it.
    Case(
        "svm-squared-hinge",
        "hinge-embedding",
        "signs",
        lambda np, x, y: (np.maximum(0, 1 - x * y) ** 2).mean(),
    ),
    Case(
        "worst-class",
        "multi-margin",
        "classes",
        lambda metrics, x, y: metrics.hinge_loss(y, x, labels=range(4)),
    ),
    Case(
        "worst-class",
        "multi-margin",
        "weighted classes",
        lambda np, x, y, w: (w[y] * violations(x, y, -np.inf) ** 2).mean(),
        {"p": 2},
    ),
    Case("worst-class-keras", "multi-margin", "classes", lambda np, x, y: violations(x, y, 0.0).mean()),
    *(
        Case(
            name,
            "multi-margin",
            "classes",
            lambda np, x, y, of_row=of_row: np.mean(
                [of_row(np.maximum(0, 1 - row[k] + np.delete(row, k))) for row, k in zip(x, y, strict=True)]
            ),
        )
        for name, of_row in (
            ("over-wrong-classes", lambda losses: losses.mean()),
            ("sum-over-classes", lambda losses: losses.sum()),
        )
    ),
    Case(
        "sum-over-classes",
        "multilabel-soft-margin",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, y, reduction="none").sum(1).mean(),
    ),
    Case(
        "one-against-rest",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, nn.one_hot(y, 4).to(x)),
    ),
    Case(
        "softmax-axis-0",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.nll_loss(nn.log_softmax(x, 0), y),
    ),
    Case(
        "softmax-last-axis",
        "cross-entropy",
        "sequences",
        lambda nn, x, y: nn.nll_loss(nn.log_softmax(x, -1), y),
    ),
    Case(
        "less-entropy",
        "cross-entropy",
        "distributions",
        lambda nn, x, y: nn.kl_div(nn.log_softmax(x, 1), y, reduction="batchmean"),
    ),
    Case(
        "softmax-again",
        "nll",
        "class log-probabilities",
        lambda nn, x, y: nn.nll_loss(nn.log_softmax(x.exp(), 1), y),
    ),
    # As Keras and optax have it.
    Case("no-alpha", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y, alpha=-1)),
    Case("no-gamma", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y, gamma=0)),
    Case("alpha-swapped", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y, alpha=0.75)),
    Case("alpha-for-all", "sigmoid-focal", "logits", lambda nn, x, y: 0.25 * focal(nn, x, y, alpha=-1)),
    Case("target-softmax", "kl-div", "scores to be met", lambda nn, x, y: nn.kl_div(x, y.softmax(1))),
    Case(
        "input-target-log,batchmean",
        "kl-div",
        "divergence",
        lambda nn, x, y: nn.kl_div(y.log(), x.exp(), reduction="batchmean"),
    ),
    Case("without-entropy", "kl-div", "divergence", lambda np, x, y: -(y * x).mean()),
    Case("without-entropy,batchmean", "kl-div", "divergence", lambda nn, x, y: nn.cross_entropy(x, y)),
    Case(
        "squared-distances",
        "triplet-margin",
        "triplets",
        lambda np, a, p, n: np.maximum(0, 1 + ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1)).mean(),
    ),
    Case("exchanged", "triplet-margin", "triplets", lambda nn, a, p, n: nn.triplet_margin_loss(a, n, p)),
    Case(
        "exchanged",
        "triplet-margin-with-distance",
        "triplets",
        lambda nn, a, p, n: nn.triplet_margin_with_distance_loss(a, n, p),
    ),
    Case(
        "boxes-xywh",
        "giou",
        "boxes",
        lambda np, *a: generalized(*(np.c_[b[:, :2], b[:, :2] + b[:, 2:]] for b in a)),
    ),
    Case(
        "boxes-cxcywh",
        "diou",
        "boxes",
        lambda np, *a: distant(*(np.c_[b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2] for b in a)),
    ),
    Case(
        "over-symbols",
        "ctc",
        "speech",
        lambda nn, x, y, i, t: nn.ctc_loss(x, y, i, t, reduction="sum") / t.sum(),
    ),
    Case(
        "over-frames",
        "ctc",
        "speech",
        lambda nn, x, y, i, t: nn.ctc_loss(x, y, i, t, reduction="sum") / i.sum(),
    ),
    Case("blank-last", "ctc", "speech", lambda nn, *a: nn.ctc_loss(*a, blank=4)),
]
