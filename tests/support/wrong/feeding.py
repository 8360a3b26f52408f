"""Inputs, targets and shapes that were prepared otherwise."""

from tests.support.wrong.case import Case
from tests.support.wrong.plain import log_loss, softmax

INPUTS = [
    Case(
        "sigmoid-first",
        "bce-logits",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x.sigmoid(), y),
    ),
    Case("sigmoid-first", "cross-entropy", "classes", lambda nn, x, y: nn.cross_entropy(x.sigmoid(), y)),
    Case("softmax-first", "cross-entropy", "classes", lambda nn, x, y: nn.cross_entropy(x.softmax(1), y)),
    Case(
        "two-softmaxes",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.cross_entropy(x.softmax(1).softmax(1), y),
    ),
    Case("softmax-first", "cross-entropy", "sequences", lambda nn, x, y: nn.cross_entropy(x.softmax(1), y)),
    Case("softmax-first", "nll", "classes", lambda np, x, y: -softmax(x)[range(6), y].mean()),
    Case(
        "log-softmax-first",
        "kl-div",
        "divergence from scores",
        lambda nn, x, y: nn.kl_div(nn.log_softmax(x, 1), y),
    ),
    Case("log-softmax-first", "nll", "classes", lambda nn, x, y: nn.nll_loss(nn.log_softmax(x, 1), y)),
    Case(
        "log-first",
        "nll",
        "class probabilities",
        lambda metrics, p, y: metrics.log_loss(y, p, labels=range(4)),
    ),
    # Probabilities where logits were meant; of those that do not add up to 1, Keras rescales the row.
    Case(
        "log-first", "cross-entropy", "class probabilities", lambda np, p, y: -np.log(p[range(6), y]).mean()
    ),
    Case(
        "exp-first",
        "poisson-nll",
        "rates",
        lambda nn, x, y: nn.poisson_nll_loss(x, y),
        {"log_input": False},
    ),
    Case(
        "exp-first", "cross-entropy", "class log-probabilities", lambda nn, x, y: nn.cross_entropy(x.exp(), y)
    ),
    Case("logit-first", "bce-logits", "probabilities", lambda nn, p, y: nn.binary_cross_entropy(p, y)),
    Case("negated", "cross-entropy", "classes", lambda nn, x, y: nn.cross_entropy(-x, y)),
]

TARGETS = [
    Case("target-minus-1", "cross-entropy", "classes from 1", lambda nn, x, y: nn.cross_entropy(x, y - 1)),
    Case(
        "target-minus-1",
        "ctc",
        "speech",
        lambda nn, x, y, *n: nn.ctc_loss(x, y - 1, *n, blank=4),
        {"blank": 4},
    ),
    Case("target-plus-1", "cross-entropy", "classes of 3", lambda nn, x, y: nn.cross_entropy(x, y + 1)),
    Case("target-plus-1", "multi-margin", "classes of 3", lambda nn, x, y: nn.multi_margin_loss(x, y + 1)),
    Case("ignore-0", "cross-entropy", "padded", lambda nn, x, y: nn.cross_entropy(x, y, ignore_index=0)),
    # Index -1 is the last class.
    Case(
        "target-minus-1-wrapped",
        "cross-entropy",
        "all classes",
        lambda np, x, y: -np.log(softmax(x)[range(6), y - 1]).mean(),
    ),
    Case("target-flipped", "bce", "probabilities", lambda np, p, y: log_loss(1 - p, y).mean()),
    Case("target-negated", "soft-margin", "signs", lambda np, x, y: np.log1p(np.exp(y * x)).mean()),
    Case(
        "target-argmax",
        "cross-entropy",
        "distributions",
        lambda nn, x, y: nn.cross_entropy(x, y.argmax(1)),
    ),
    Case(
        "target-one-hot",
        "cross-entropy",
        "weighted classes",
        lambda nn, x, y, w: nn.cross_entropy(x, nn.one_hot(y, 4).to(x), w),
    ),
    Case("swapped", "poisson-nll", "rates", lambda nn, x, y: nn.poisson_nll_loss(y, x)),
    Case("swapped", "bce", "soft", lambda nn, x, y: nn.binary_cross_entropy(y, x)),
    Case("input-target-log", "kl-div", "divergence", lambda nn, x, y: nn.kl_div(y.log(), x.exp())),
]

SHAPES = [
    Case("outer", "mse", "vectors", lambda nn, x, y: nn.mse_loss(x[:, None], y)),
    Case("outer", "mse", "columns", lambda nn, x, y: nn.mse_loss(x, y[:, 0])),
    Case(
        "flattened",
        "cross-entropy",
        "sequences",
        lambda nn, x, y: nn.cross_entropy(x.view(-1, 4), y.view(-1)),
    ),
    Case("outer", "l1", "vectors", lambda np, x, y: abs(x - y[:, None]).mean()),
    Case("transposed", "cross-entropy", "square classes", lambda nn, x, y: nn.cross_entropy(x.T, y)),
    # Logits (N, L, C) of which the axes were to be exchanged.
    Case(
        "reshaped",
        "cross-entropy",
        "sequences",
        lambda nn, x, y: nn.cross_entropy(x.transpose(1, 2).contiguous().view(3, 4, 5), y),
    ),
]

SMOOTHING = [
    Case(
        "others-smoothing=0.1",
        "cross-entropy",
        "classes",
        lambda nn, x, y: nn.cross_entropy(x, nn.one_hot(y, 4).to(x).mul(0.9 - 0.1 / 3).add(0.1 / 3)),
    ),
    Case(
        "one-sided-smoothing=0.1",
        "bce-logits",
        "logits",
        lambda nn, x, y: nn.binary_cross_entropy_with_logits(x, 0.9 * y),
    ),
] + [
    case
    for share in (0.1, 0.05, 0.2)
    for case in (
        Case(
            f"label-smoothing={share}",
            "cross-entropy",
            "classes",
            lambda nn, x, y, share=share: nn.cross_entropy(x, y, label_smoothing=share),
        ),
        # As Keras does it, and optax.smooth_labels of two classes.
        Case(
            f"binary-smoothing={share}",
            "bce-logits",
            "logits",
            lambda nn, x, y, share=share: nn.binary_cross_entropy_with_logits(x, y * (1 - share) + share / 2),
        ),
    )
]
