"""Another loss, other parameters, or the conventions of another library."""

from tests.support.wrong.case import Case
from tests.support.wrong.plain import complete, distant, focal, generalized, jensen_shannon, softmax

OTHER_LOSSES = [
    Case("as-l1", "mse", "pairs", lambda metrics, x, y: metrics.mean_absolute_error(y, x)),
    Case("as-l1", "huber", "pairs", lambda nn, x, y: nn.l1_loss(x, y)),
    Case("as-mse", "l1", "pairs", lambda nn, x, y: nn.mse_loss(x, y)),
    Case(
        "as-smooth-l1",
        "huber",
        "pairs",
        lambda nn, x, y: nn.smooth_l1_loss(x, y, beta=2.5),
        {"delta": 2.5},
    ),
    Case("as-huber", "smooth-l1", "pairs", lambda nn, x, y: nn.huber_loss(x, y, delta=0.3), {"beta": 0.3}),
    Case(
        "as-bce", "bce-logits", "probabilities", lambda metrics, p, y: metrics.log_loss(y.ravel(), p.ravel())
    ),
    Case("as-bce", "bce-logits", "saturated", lambda nn, p, y: nn.binary_cross_entropy(p, y)),
    Case(
        "like-sklearn",
        "bce",
        "weighted probabilities",
        lambda metrics, p, y, w: metrics.log_loss(y.ravel(), p.ravel(), sample_weight=w.ravel()),
    ),
    Case("as-soft-margin", "hinge-embedding", "signs", lambda nn, x, y: nn.soft_margin_loss(x, y)),
    Case("as-hinge-embedding", "soft-margin", "signs", lambda nn, x, y: nn.hinge_embedding_loss(x, y)),
    Case(
        "as-bce-logits", "sigmoid-focal", "logits", lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, y)
    ),
    Case("as-bce-logits", "soft-margin", "signs", lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, y)),
    Case("as-nll", "cross-entropy", "weighted classes", lambda nn, x, y, w: nn.nll_loss(x, y, w)),
    Case("as-multi-margin", "cross-entropy", "classes", lambda nn, x, y: nn.multi_margin_loss(x, y)),
    Case("as-cross-entropy", "nll", "ignored classes", lambda nn, x, y: nn.cross_entropy(x, y)),
    Case("as-kl-div", "kl", "shares", lambda nn, x, y: nn.kl_div(x, y)),
    Case("as-jensen-shannon", "kl", "shares", lambda np, x, y: jensen_shannon(x, y)),
    Case("as-kl", "jensen-shannon", "shares", lambda nn, x, y: nn.kl_div(x.log(), y, reduction="batchmean")),
    Case("as-giou", "ciou", "boxes", lambda np, x, y: generalized(x, y)),
    Case("as-diou", "giou", "boxes", lambda np, x, y: distant(x, y)),
    Case("as-ciou", "diou", "boxes", lambda np, x, y: complete(x, y)),
]

SETTINGS = [
    Case(
        "log-input",
        "poisson-nll",
        "rates",
        lambda nn, x, y: nn.poisson_nll_loss(x, y),
        {"log_input": False},
    ),
    Case("no-log-input", "poisson-nll", "rates", lambda nn, x, y: nn.poisson_nll_loss(x, y, log_input=False)),
    Case("full", "gaussian-nll", "variances", lambda nn, x, y, v: nn.gaussian_nll_loss(x, y, v, full=True)),
    Case("no-full", "poisson-nll", "rates", lambda nn, x, y: nn.poisson_nll_loss(x, y), {"full": True}),
    Case(
        "default-temperature",
        "distillation",
        "lessons",
        lambda nn, x, z, y: (
            0.25 * 4 * nn.kl_div((x / 2).log_softmax(1), (z / 2).softmax(1), reduction="batchmean")
            + 0.75 * nn.cross_entropy(x, y)
        ),
        {"temperature": 3.0},
    ),
    Case(
        "default-class-axis",
        "perplexity",
        "equal tokens",
        lambda nn, x, y: nn.cross_entropy(x.flatten(0, 1), y.flatten()).exp(),
        {"class_axis": 1},
    ),
    Case(
        "shift",
        "cross-entropy",
        "tokens",
        lambda nn, x, y: nn.cross_entropy(x[:, :-1].flatten(0, 1), y[:, 1:].flatten()),
        {"class_axis": -1},
    ),
    Case(
        "no-shift",
        "perplexity",
        "tokens",
        lambda nn, x, y: nn.cross_entropy(x.flatten(0, 1), y.flatten()).exp(),
        {"shift": True},
    ),
    Case(
        "no-mask",
        "perplexity",
        "masked tokens",
        lambda nn, x, y, m: nn.cross_entropy(x[:, :-1].flatten(0, 1), y[:, 1:].flatten()).exp(),
        {"shift": True},
    ),
    Case("log-target", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(x, y, log_target=True)),
    Case("no-log-target", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(x, y), {"log_target": True}),
    Case(
        "swap",
        "triplet-margin",
        "triplets",
        lambda nn, *a: nn.triplet_margin_loss(*a, margin=5, swap=True),
        {"margin": 5.0},
    ),
    Case(
        "no-swap",
        "triplet-margin",
        "triplets",
        lambda nn, *a: nn.triplet_margin_loss(*a, margin=5),
        {"swap": True, "margin": 5.0},
    ),
    Case("zero-infinity", "ctc", "hurried speech", lambda nn, *a: nn.ctc_loss(*a, zero_infinity=True)),
    Case(
        "no-zero-infinity", "ctc", "hurried speech", lambda nn, *a: nn.ctc_loss(*a), {"zero_infinity": True}
    ),
    Case("default-beta", "smooth-l1", "pairs", lambda nn, x, y: nn.smooth_l1_loss(x, y), {"beta": 0.3}),
    Case("default-delta", "huber", "pairs", lambda nn, x, y: nn.huber_loss(x, y), {"delta": 0.3}),
    Case("default-eps", "gaussian-nll", "variances", lambda nn, *a: nn.gaussian_nll_loss(*a), {"eps": 1.2}),
    Case("default-eps", "giou", "boxes", lambda np, x, y: generalized(x, y), {"eps": 3.0}),
    Case("default-alpha", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y), {"alpha": 0.6}),
    Case("default-gamma", "sigmoid-focal", "logits", lambda nn, x, y: focal(nn, x, y), {"gamma": 1.5}),
    Case(
        "default-margin",
        "multi-margin",
        "classes",
        lambda nn, x, y: nn.multi_margin_loss(x, y),
        {"margin": 3.0},
    ),
    Case("default-p", "multi-margin", "classes", lambda nn, x, y: nn.multi_margin_loss(x, y), {"p": 2}),
    Case("default-p", "triplet-margin", "triplets", lambda nn, *a: nn.triplet_margin_loss(*a), {"p": 1.0}),
    Case(
        "default-ignore-index",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.cross_entropy(x, y),
        {"ignore_index": 2},
    ),
    Case(
        "default-label-smoothing",
        "cross-entropy",
        "classes",
        lambda metrics, x, y: metrics.log_loss(y, softmax(x), labels=range(4)),
        {"label_smoothing": 0.3},
    ),
    Case("default-blank", "ctc", "speech", lambda nn, *a: nn.ctc_loss(*a), {"blank": 4}),
    Case(
        "default-distance-function",
        "triplet-margin-with-distance",
        "triplets",
        lambda nn, *a: nn.triplet_margin_with_distance_loss(*a),
        {"distance_function": "cosine"},
    ),
]

LIBRARIES = [
    Case(
        "like-keras",
        "mape",
        "pairs",
        lambda np, x, y: 100 * (abs(x - y) / np.maximum(abs(y), 1e-7)).mean(),
    ),
    Case(
        "like-torchmetrics",
        "jensen-shannon",
        "uneven",
        lambda np, x, y: jensen_shannon(x / x.sum(-1, keepdims=True), y / y.sum(-1, keepdims=True)),
    ),
    Case(
        "like-optax",
        "dice",
        "probabilities",
        lambda np, p, y: 1 - (2 * (p * y).sum() + 2) / (p.sum() + y.sum() + 2),
    ),
]
