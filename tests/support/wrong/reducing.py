"""Losses that were reduced or weighted otherwise."""

from tests.support.wrong.case import Case
from tests.support.wrong.plain import focal, log_loss, softmax

REDUCTIONS = [
    Case("sum", "mse", "pairs", lambda nn, x, y: nn.mse_loss(x, y, reduction="sum")),
    Case("sum", "bce", "probabilities", lambda np, p, y: log_loss(p, y).sum()),
    Case(
        "sum",
        "cross-entropy",
        "classes",
        lambda metrics, x, y: metrics.log_loss(y, softmax(x), normalize=False, labels=range(4)),
    ),
    Case(
        "mean",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, w),
        reduction="sum",
    ),
    Case("mean", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(x, y), reduction="batchmean"),
    Case("batchmean", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(x, y, reduction="batchmean")),
]

DENOMINATORS = [
    # With sample weights Keras divides by the number of samples.
    Case(
        "over-terms",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, w, reduction="none").mean(),
    ),
    Case("over-terms", "ctc", "speech", lambda nn, *a: nn.ctc_loss(*a, reduction="none").mean()),
    Case("over-terms", "l1", "weighted pairs", lambda np, x, y, w: (w * abs(x - y)).mean()),
    Case("over-rows", "mse", "pairs", lambda nn, x, y: nn.mse_loss(x, y, reduction="sum") / len(x)),
    Case("over-rows", "bce", "probabilities", lambda np, p, y: log_loss(p, y).sum(axis=1).mean()),
    Case(
        "over-elements",
        "cross-entropy",
        "classes",
        lambda nn, x, y: (-nn.one_hot(y, 4) * nn.log_softmax(x, 1)).mean(),
    ),
    # As segmentation_models_pytorch does it.
    Case(
        "over-all",
        "cross-entropy",
        "ignored sequences",
        lambda nn, x, y: nn.cross_entropy(x, y, reduction="none").mean(),
    ),
    Case(
        "over-rows",
        "nll",
        "ignored classes",
        lambda nn, x, y: nn.nll_loss(x, y, reduction="none").mean(),
    ),
    Case(
        "over-weights",
        "bce",
        "weighted probabilities",
        lambda metrics, p, y, w: metrics.log_loss(y.ravel(), p.ravel(), sample_weight=w.ravel()),
    ),
    Case(
        "over-weights",
        "huber",
        "weighted pairs",
        lambda nn, x, y, w: nn.huber_loss(x, y, reduction="none").mul(w).sum() / w.sum(),
    ),
    Case(
        "over-positives",
        "bce-logits",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, y, reduction="sum") / y.sum(),
    ),
    Case("over-positives", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y) * y.numel() / y.sum()),
    Case("mean-over-rows", "cross-entropy", "classes", lambda nn, x, y: nn.cross_entropy(x, y) / len(x)),
    Case("mean-over-rows", "mse", "pairs", lambda metrics, x, y: metrics.mean_squared_error(y, x) / len(x)),
    # Of one row that is broadcast there are as many as of the others.
    Case(
        "over-rows",
        "kl-div",
        "divergence from one",
        lambda nn, x, y: nn.kl_div(x, y, reduction="none").sum(1).mean(),
        {"broadcast": True},
    ),
    Case(
        "mean-of-rows",
        "cross-entropy",
        "padded",
        lambda nn, x, y: (
            sum(nn.cross_entropy(x[i : i + 1], y[i : i + 1], ignore_index=0) for i in range(3)) / 3
        ),
        {"ignore_index": 0},
    ),
    Case(
        "over-columns",
        "bce",
        "probabilities",
        lambda nn, p, y: nn.binary_cross_entropy(p, y, reduction="none").mean(1).sum(),
    ),
    Case("over-columns", "mse", "pairs", lambda np, x, y: ((x - y) ** 2).mean(axis=1).sum(), {}, "sum"),
]

WEIGHTS = [
    Case("no-weight", "mse", "weighted pairs", lambda metrics, x, y, w: metrics.mean_squared_error(y, x)),
    Case("no-weight", "cross-entropy", "weighted classes", lambda nn, x, y, w: nn.cross_entropy(x, y)),
    Case("no-weight", "bce", "weighted probabilities", lambda np, p, y, w: log_loss(p, y).sum(), {}, "sum"),
    Case(
        "weight-twice",
        "bce",
        "weighted probabilities",
        lambda nn, p, y, w: (nn.binary_cross_entropy(p, y, w, reduction="none") * w).mean(),
    ),
    Case("weight-twice", "nll", "weighted classes", lambda nn, x, y, w: nn.nll_loss(x, y, w * w)),
    Case(
        "weight-sum-1",
        "bce-logits",
        "weighted logits",
        lambda nn, x, y, w: nn.binary_cross_entropy_with_logits(x, y, w / w.sum()),
    ),
    Case("no-sample-weight", "cross-entropy", "sampled classes", lambda nn, x, y, s: nn.cross_entropy(x, y)),
    Case(
        "sample-weight-twice",
        "cross-entropy",
        "sampled classes",
        lambda nn, x, y, s: (s * s * nn.cross_entropy(x, y, reduction="none")).sum() / (s * s).sum(),
    ),
    Case(
        "sample-weight-inverse",
        "nll",
        "sampled classes",
        lambda nn, x, y, s: (nn.nll_loss(x, y, reduction="none") / s).sum() / (1 / s).sum(),
    ),
    Case(
        "sample-weight-sum-1",
        "multi-margin",
        "sampled classes",
        lambda nn, x, y, s: (s / s.sum() * nn.multi_margin_loss(x, y, reduction="none")).sum(),
        {},
        "sum",
    ),
    Case(
        "sample-weight-mean-1",
        "multi-margin",
        "sampled classes",
        lambda nn, x, y, s: (s / s.mean() * nn.multi_margin_loss(x, y, reduction="none")).sum(),
        {},
        "sum",
    ),
    Case(
        "over-sample-weights",
        "cross-entropy",
        "sampled weighted classes",
        lambda nn, x, y, w, s: (s * nn.cross_entropy(x, y, w, reduction="none")).sum() / s.sum(),
    ),
    Case(
        "weight-sum-1",
        "multi-margin",
        "weighted classes",
        lambda nn, x, y, w: nn.multi_margin_loss(x, y, weight=w / w.sum()),
    ),
    Case(
        "weight-mean-1",
        "huber",
        "weighted pairs",
        lambda nn, x, y, w: nn.huber_loss(x, y, weight=w / w.mean()),
    ),
    Case(
        "weight-inverse",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, 1 / w),
    ),
    *(
        Case(
            name,
            "bce-logits",
            "positive logits",
            lambda nn, x, y, w, f=change: nn.binary_cross_entropy_with_logits(x, y, pos_weight=f(w)),
        )
        for name, change in (
            ("no-pos-weight", lambda w: None),
            ("pos-weight-twice", lambda w: w * w),
            ("pos-weight-sum-1", lambda w: w / w.sum()),
            ("pos-weight-mean-1", lambda w: w / w.mean()),
            ("pos-weight-inverse", lambda w: 1 / w),
        )
    ),
    Case(
        "weight-on-losses",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: (nn.cross_entropy(x, y, w, reduction="none") * w[y]).sum() / w[y].sum(),
    ),
    Case(
        "weight-on-losses-over-terms",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: (nn.cross_entropy(x, y, w, reduction="none") * w[y]).mean(),
    ),
    Case(
        "weight-sum-1-over-terms",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, w / w.sum(), reduction="none").mean(),
    ),
    Case(
        "weight-mean-1-over-terms",
        "nll",
        "weighted classes",
        lambda nn, x, y, w: nn.nll_loss(x, y, w / w.mean(), reduction="none").mean(),
    ),
    Case(
        "no-weight-over-weights",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, y, reduction="sum") / w[y].sum(),
    ),
    Case(
        "pos-weight-on-negatives",
        "bce-logits",
        "positive logits",
        lambda nn, x, y, w: (
            nn.binary_cross_entropy_with_logits(x, y, reduction="none") * (y + (1 - y) * w)
        ).mean(),
    ),
    Case(
        "pos-weight-as-weight",
        "bce-logits",
        "positive logits",
        lambda nn, x, y, w: nn.binary_cross_entropy_with_logits(x, y, weight=w),
    ),
]


FACTORS = [
    Case("half", "mse", "pairs", lambda np, x, y: (0.5 * (x - y) ** 2).mean()),
    Case("double", "gaussian-nll", "variances", lambda np, x, y, v: (np.log(v) + (x - y) ** 2 / v).mean()),
    Case("double", "huber", "soft", lambda metrics, x, y: metrics.mean_squared_error(y, x)),
    Case("negative", "cross-entropy", "classes", lambda nn, x, y: nn.log_softmax(x, 1)[range(6), y].mean()),
    Case("base-2", "bce", "probabilities", lambda np, p, y: -np.log2(np.where(y == 1, p, 1 - p)).mean()),
    Case(
        "base-2",
        "cross-entropy",
        "classes",
        lambda np, x, y: -np.log2(softmax(x)[range(6), y]),
        reduction="none",
    ),
    Case("base-10", "cross-entropy", "classes", lambda np, x, y: -np.log10(softmax(x)[range(6), y]).mean()),
    Case("perplexity", "cross-entropy", "ignored classes", lambda nn, x, y: nn.cross_entropy(x, y).exp()),
    Case("root", "mse", "vectors", lambda metrics, x, y: metrics.root_mean_squared_error(y, x)),
]
