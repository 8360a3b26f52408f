"""The conventions of other libraries: what each of them gave, and laws over all of them.

The values were computed once, by the call beside each, on float64: Keras 3.15.1 with PyTorch, which rounds
its epsilon of 1e-7, and the inputs of its classes, to float32, optax 0.2.8 with float64 enabled, scikit-learn
1.9.1, torchmetrics 1.9.0, segmentation-models-pytorch 0.6.0 (`smp`), MONAI 1.6.1, torchvision 0.28.0, and the
reference of ONNX 1.23.2. Of optax and torchvision the values are the means of the single losses.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc import cli, losses
from losscalc.catalogue.base import Loss
from losscalc.core.operation import differentiable
from losscalc.core.registry import lookup
from losscalc.engine import block
from losscalc.insight.describe import describe
from losscalc.insight.symbols import formula_of, symbol_values
from tests.support.examples import log_softmax

# Numbers outside the domain that a library changes, as the rows below have, get a warning.
pytestmark = pytest.mark.filterwarnings("ignore:.*other values are changed as")

FLOAT64 = np.dtype(np.float64)

ROWS = [(cls, convention) for cls in losses().values() for convention in cls.conventions]
NAMES = [f"{cls.name}-{convention.library}" for cls, convention in ROWS]


class Row(NamedTuple):
    """A value that a library gave."""

    loss: str
    library: str
    arguments: dict[str, Any]
    value: Any
    call: str


PERCENT = {"input": [1.5, 0.0, 2e-8, -3.0], "target": [2.0, -0.5, -1e-8, 4.0]}
AMOUNTS = {"input": [2.5, -0.5, -3.0, 0.0], "target": [3.0, 1.0, 0.5, -2.0]}
CLAIMS = {"input": [0.5, 0.5, 2.0, 2.0], "target": [2.0, 0.0, 1.0, 4.0]}
SURE = {"input": [0.0, 0.2, 1.0, 0.9], "target": [1, 0, 0, 0.5]}
LOGITS = {"input": [2.0, -1.0, 0.0, -20.0, 30.0], "target": [1, 0, 1, 1, 1]}
CHANCES = {"input": [[0.5, 0.89, 0.6], [0.1, 0.2, 0.7], [0.0, 0.0, 1.0]], "target": [1, 0, 0]}
MASKS = {"input": [0.9, 0.2, 0.5, 0.1], "target": [1, 0, 1, 1]}
OTHERS = {"input": [0.9, 0.3, 0.4, 0.1], "target": [1, 0, 1, 1]}
CLASSES = {"input": [[[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]]], "target": [[[1, 0], [0, 1], [0, 1]]]}
HALF_EMPTY = {
    "input": [[[0.7, 0.2, 0.6], [0.3, 0.8, 0.4]]],
    "target": [[[1, 0, 0], [0, 0, 0]]],
    "dim": (0, 2),
}
EMPTY = {"input": [0.0, 0.0], "target": [0, 0]}
ROUGH = {"input": [[0.36, 0.48, 0.0], [0.3, 0.3, 0.9]], "target": [[0.2, 0.7, 0.1], [0.0, 0.2, 0.8]]}
UNEVEN = {"input": [[0.36, 0.48, 0.1], [0.3, 0.3, 0.9]], "target": [[0.2, 0.7, 0.3], [0.0, 0.2, 0.9]]}
VECTORS = {"input": [[1.0, 2.0], [3.0, -1.0]], "target": [[2.0, 1.0], [-3.0, 0.5]]}
SCORES = {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]], "target": [0, 2, 1]}
SIDES = {"input": [0.5, -2.0, -0.3], "target": [1, -1, 1]}
COUNTS = {"input": [0.5, 2.0, 0.0], "target": [1.0, 2.0, 1.0]}
VALUES = {"input": [1.5, -2.0, 0.25, 4.0], "target": [1.0, 0.5, 0.25, -1.0]}
WEIGHTED = {**VALUES, "weight": [1.0, 2.0, 0.5, 3.0]}
COLUMNS = {"input": [[2.5, 0.0, 1.0], [2.0, 8.0, 0.0]], "target": [[3.0, -0.5, 1.0], [2.0, 7.0, 0.0]]}
SIZES = {"input": [2.5, 5.0, 4.0, 8.0], "target": [3.0, 5.0, 2.5, 7.0]}
BITS = {"input": [2.0, -1.0, 0.0, -3.0], "target": [1.0, 0.0, 1.0, 0.3]}
BOXES = {
    "input": [[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 4.0], [0.0, 0.0, 1.0, 1.0]],
    "target": [[1.0, 1.0, 3.0, 3.0], [1.0, 1.0, 3.0, 4.0], [2.0, 2.0, 4.0, 5.0]],
}
SOFT = {"input": [0.5, 0.9], "target": [0.3, 1.0]}
TRIPLETS = {
    "anchor": [[0.00013, -0.00013], [0.00064, 0.0001], [-0.00054, 0.00036]],
    "positive": [[0.0013, 0.00095], [-0.0007, -0.00127], [-0.00062, 4e-05]],
    "negative": [[-0.00233, -0.00022], [-0.00125, -0.00073], [-0.00054, -0.00032]],
    "margin": 0.01,
}
LOGARITHMS = [
    [-0.4076059644443803, -1.4076059644443804, -2.40760596444438],
    [-3.1698460195562856, -2.1698460195562856, -0.16984601955628567],
    [-1.0986122886681098, -1.0986122886681098, -1.0986122886681098],
]
SPOKEN = {
    "log_probs": [
        [[-0.699675981209848, -1.199675981209848, -1.599675981209848]],
        [[-1.599675981209848, -0.699675981209848, -1.199675981209848]],
        [[-1.2089181979565276, -1.2089181979565276, -0.9089181979565276]],
    ],
    "targets": [[1, 2]],
    "input_lengths": [3],
    "target_lengths": [2],
}

# The calls are those of keras.losses, torchmetrics.functional and so on; x is the input and y the target.
GOLDEN = [
    Row("mape", "keras", PERCENT, 82.4999988079071, "mean_absolute_percentage_error(y, x)"),
    Row("mape", "torchmetrics", PERCENT, 0.7564102564102564, "mean_absolute_percentage_error(x, y)"),
    Row("msle", "keras", AMOUNTS, 0.16567133367061615, "mean_squared_logarithmic_error(y, x)"),
    Row("tweedie-deviance", "sklearn", CLAIMS, 1.875, "mean_tweedie_deviance(y, x)"),
    Row("tweedie-deviance", "torchmetrics", CLAIMS, 1.875, "tweedie_deviance_score(x, y)"),
    Row(
        "tweedie-deviance",
        "sklearn",
        {"input": [0.5, 0.5, 2.0, 2.0], "target": [2.0, 1.0, 1.0, 4.0], "power": 3.0},
        1.5,
        "mean_tweedie_deviance(y, x, power=3)",
    ),
    Row("bce", "keras", SURE, 8.415826797485352, "binary_crossentropy(y, x)"),
    Row(
        "bce",
        "sklearn",
        {"input": [0.0, 0.2, 1.0], "target": [1, 0, 0]},
        24.10348344318284,
        "log_loss(y, x)",
    ),
    Row(
        "bce",
        "sklearn",
        {"input": [0.0, 0.2, 1.0, 0.7], "target": [1, 0, 0, 1], "weight": [1.0, 2.0, 0.5, 3.0]},
        8.55104492586467,
        "log_loss(y, x, sample_weight=w)",
    ),
    Row(
        "sigmoid-focal",
        "keras",
        LOGITS,
        3.2631688117980957,
        "binary_focal_crossentropy(y, x, from_logits=True)",
    ),
    Row(
        "sigmoid-focal",
        "keras",
        {**LOGITS, "alpha": 0.4, "gamma": 1.5},
        1.314713716506958,
        "the same, apply_class_balancing=True, alpha=.4, gamma=1.5",
    ),
    Row("sigmoid-focal", "optax", LOGITS, 4.039549667019741, "sigmoid_focal_loss(x, y).mean()"),
    Row("sigmoid-focal", "smp", LOGITS, 4.039549667019741, 'FocalLoss("binary")(x, y)'),
    Row("sigmoid-focal", "monai", LOGITS, 4.039549827575684, "FocalLoss()(x[:, None], y[:, None])"),
    Row(
        "brier",
        "sklearn",
        {"input": [0.9, 0.2, 0.4], "target": [1.0, 0.0, 1.0]},
        0.13666666666666666,
        "brier_score_loss(y, x)",
    ),
    Row("log-loss", "keras", CHANCES, 6.408449649810791, "SparseCategoricalCrossentropy()(y, x)"),
    Row(
        "log-loss",
        "keras",
        {**CHANCES, "weight": [1, 2, 0.5]},
        4.489628791809082,
        "SparseCategoricalCrossentropy()(y, x, sample_weight=w)",
    ),
    Row(
        "log-loss",
        "keras",
        {**SURE, "weight": [1, 2, 0.5, 3]},
        7.058836936950684,
        "BinaryCrossentropy()(y[:, None], x[:, None], sample_weight=w)",
    ),
    Row("dice", "keras", MASKS, 0.36170214124038, "dice(y, x)"),
    Row("dice", "smp", MASKS, 0.3617021276595744, 'DiceLoss("binary", from_logits=False)(x, y)'),
    Row("dice", "optax", MASKS, 0.25373134328358216, "dice_loss(logit(x)[None, :, None], y[None, :, None])"),
    Row(
        "dice",
        "optax",
        {**CLASSES, "dim": (1,), "reduction": "none"},
        [[0.24444444444444446, 0.19999999999999996]],
        'dice_loss(x, y, apply_softmax=False, reduction="none")',
    ),
    Row("jaccard", "smp", OTHERS, 0.5757575757575757, 'JaccardLoss("binary", from_logits=False)(x, y)'),
    Row(
        "jaccard", "monai", MASKS, 0.5312491699231721, "DiceLoss(jaccard=True)(x[None, None], y[None, None])"
    ),
    Row(
        "jaccard",
        "monai",
        {"input": [9e-5, 2e-5], "target": [0, 1e-4]},
        0.9767346672992306,
        "DiceLoss(jaccard=True)(x[None, None], y[None, None])",
    ),
    Row(
        "jaccard",
        "monai",
        {**MASKS, "smooth_nr": 1.0, "smooth_dr": 2.0},
        0.5238095238095238,
        "DiceLoss(jaccard=True, smooth_nr=1, smooth_dr=2)(x[None, None], y[None, None])",
    ),
    Row(
        "tversky", "keras", {**MASKS, "alpha": 0.3, "beta": 0.7}, 0.28229668505757477, "tversky(y, x, .3, .7)"
    ),
    Row(
        "tversky",
        "optax",
        {**MASKS, "alpha": 0.3, "beta": 0.7},
        0.30747922437673125,
        "dice_loss(logit(x)[None, :, None], y[None, :, None], alpha=.3, beta=.7)",
    ),
    Row(
        "tversky",
        "smp",
        {**MASKS, "alpha": 0.3, "beta": 0.7, "gamma": 0.75},
        0.5266375886867183,
        'TverskyLoss("binary", from_logits=False, alpha=.3, beta=.7, gamma=.75)(x, y)',
    ),
    Row(
        "dice",
        "smp",
        HALF_EMPTY,
        0.22000000000000003,
        'DiceLoss("multilabel", from_logits=False)(x[..., None], y[..., None])',
    ),
    Row("dice", "smp", EMPTY, 0.0, 'DiceLoss("binary", from_logits=False)(x, y)'),
    Row(
        "jaccard",
        "smp",
        HALF_EMPTY,
        0.3055555555555556,
        'JaccardLoss("multilabel", from_logits=False)(x[..., None], y[..., None])',
    ),
    Row("jaccard", "smp", EMPTY, 0.0, 'JaccardLoss("binary", from_logits=False)(x, y)'),
    Row(
        "tversky",
        "smp",
        HALF_EMPTY,
        0.22000000000000003,
        'TverskyLoss("multilabel", from_logits=False)(x[..., None], y[..., None])',
    ),
    Row("tversky", "smp", EMPTY, 0.0, 'TverskyLoss("binary", from_logits=False)(x, y)'),
    Row("kl", "keras", ROUGH, 0.6763893715280035, "kl_divergence(y, x).mean()"),
    Row("kl", "torchmetrics", UNEVEN, 0.19450698428036123, "kl_divergence(y, x)"),
    Row("jensen-shannon", "torchmetrics", UNEVEN, 0.057961036351669847, "jensen_shannon_divergence(y, x)"),
    Row(
        "cosine-distance",
        "keras",
        {**VECTORS, "reduction": "none"},
        [-0.7999999808419176, 0.98776293354805],
        "cosine_similarity(y, x)",
    ),
    Row(
        "cosine-distance",
        "keras",
        {"input": [[0.0, 0.0]], "target": [[2.0, 1.0]]},
        0.0,
        "cosine_similarity(y, x)",
    ),
    Row(
        "cosine-distance",
        "keras",
        {"input": [[3e-9, 4e-9], [3e-8, -4e-8]], "target": [[2.0, 1.0], [1e-9, 0.0]]},
        -0.023860679507255556,
        "cosine_similarity(y, x).mean()",
    ),
    Row(
        "cosine-distance",
        "optax",
        {"input": [[1.0, 2.0], [0.0, 0.0]], "target": [[2.0, 1.0]] * 2, "reduction": "none"},
        [0.2, math.nan],
        "cosine_distance(x, y)",
    ),
    Row(
        "cross-entropy",
        "keras",
        {**SCORES, "weight": [1.0, 2.0, 3.0]},
        1.0381228923797607,
        "SparseCategoricalCrossentropy(from_logits=True)(y, x, sample_weight=weight[y])",
    ),
    Row(
        "cross-entropy",
        "keras",
        {**SCORES, "sample_weight": [1.0, 3.0, 2.0], "ignore_index": 1},
        0.45857203006744385,
        "the same, ignore_class=1",
    ),
    Row(
        "cross-entropy",
        "keras",
        {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], "target": [1, 1], "ignore_index": 1},
        0.0,
        "SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)(y, x)",
    ),
    Row(
        "cross-entropy",
        "smp",
        {**SCORES, "ignore_index": 1},
        0.1924839946668887,
        "SoftCrossEntropyLoss(smooth_factor=0, ignore_index=1)(x, y)",
    ),
    Row(
        "cross-entropy",
        "smp",
        {**SCORES, "ignore_index": 1, "label_smoothing": 0.1},
        0.2813728835557776,
        "SoftCrossEntropyLoss(smooth_factor=.1, ignore_index=1)(x, y)",
    ),
    Row(
        "cross-entropy",
        "smp",
        {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], "target": [1, 1], "ignore_index": 1},
        0.0,
        "SoftCrossEntropyLoss(smooth_factor=0, ignore_index=1)(x, y)",
    ),
    Row(
        "focal",
        "keras",
        SCORES,
        0.044841181486845016,
        "CategoricalFocalCrossentropy(from_logits=True)(hot(y), x)",
    ),
    Row(
        "focal",
        "keras",
        {**SCORES, "gamma": 1.5, "sample_weight": [1.0, 3.0, 2.0]},
        0.10886853188276291,
        "CategoricalFocalCrossentropy(gamma=1.5, from_logits=True)(hot(y), x, sample_weight=w)",
    ),
    Row(
        "focal",
        "keras",
        {
            "input": [[2.0, 1.0, 0.0], [-40.0, 0.0, 1.0], [60.0, 0.0, 0.0]],
            "target": [0, 0, 0],
            "reduction": "none",
        },
        [0.011419449741971222, 4.029523106834838, 2.500000121052339e-22],
        "CategoricalFocalCrossentropy(from_logits=True, reduction='none')(hot(y), x)",
    ),
    Row(
        "multiclass-hinge",
        "keras",
        {"input": [[-2.0, 0.5, -3.0], [1.0, 1.5, -1.0]], "target": [1, 0]},
        1.0,
        "categorical_hinge(hot(y), x).mean()",
    ),
    Row(
        "focal",
        "monai",
        SCORES,
        0.05978824570775032,
        "FocalLoss(use_softmax=True, to_onehot_y=True)(x, y[:, None])",
    ),
    Row("hinge", "torchmetrics", SIDES, 0.6903953692106407, "binary_hinge_loss(x, y > 0)"),
    Row(
        "hinge",
        "torchmetrics",
        {**SIDES, "input": [0.5, 0.2, 0.9]},
        0.6,
        "the same: there is no number beyond 1",
    ),
    Row(
        "squared-hinge",
        "torchmetrics",
        SIDES,
        0.5750454474601033,
        "binary_hinge_loss(x, y > 0, squared=True)",
    ),
    Row(
        "multiclass-hinge",
        "torchmetrics",
        {"input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, -1.0, 1.5]], "target": [0, 2, 1]},
        0.7978260754460292,
        "multiclass_hinge_loss(x, y, num_classes=3)",
    ),
    Row(
        "multiclass-hinge",
        "torchmetrics",
        {"input": [[0.5, 0.2, 0.3], [0.1, 0.2, 0.7]], "target": [1, 2]},
        0.9,
        "the same",
    ),
    Row("poisson-nll", "keras", COUNTS, 5.974982738494873, "poisson(y, x)"),
    Row(
        "focal",
        "keras",
        {**SCORES, "weight": [0.25, 0.5, 0.1]},
        0.08532331138849258,
        "CategoricalFocalCrossentropy(alpha=[.25, .5, .1], from_logits=True)(hot(y), x)",
    ),
    Row("focal", "keras", {**SCORES, "weight": [0.5] * 3}, 0.08968236297369003, "the same, alpha=.5"),
    Row(
        "rmse",
        "sklearn",
        {"input": [[2.5, 0.0], [2.0, 8.0]], "target": [[3.0, -0.5], [2.0, 7.0]]},
        0.5720614028176844,
        "root_mean_squared_error(y, x)",
    ),
    Row(
        "rmse",
        "sklearn",
        {**COLUMNS, "weight": [1.0, 2.0]},
        0.38490017945975047,
        "root_mean_squared_error(y, x, sample_weight=w)",
    ),
    Row(
        "rmsle",
        "sklearn",
        {"input": [[2.5, 5.0], [4.0, 8.0]], "target": [[3.0, 5.0], [2.5, 7.0]]},
        0.17629383020967532,
        "root_mean_squared_log_error(y, x)",
    ),
    Row("rmse", "sklearn", VALUES, 2.806243040080456, "root_mean_squared_error(y, x)"),
    Row("rmse", "keras", VALUES, 2.8062429428100586, "metrics.RootMeanSquaredError"),
    Row("rmse", "keras", WEIGHTED, 3.674234628677368, "the same, sample_weight=w"),
    Row("rmse", "torchmetrics", VALUES, 2.806243040080456, "mean_squared_error(x, y, squared=False)"),
    Row("l1", "keras", WEIGHTED, 5.125, "MeanAbsoluteError()(y[:, None], x[:, None], sample_weight=w)"),
    Row("l1", "sklearn", WEIGHTED, 3.1538461538461537, "mean_absolute_error(y, x, sample_weight=w)"),
    Row("l1", "torchmetrics", VALUES, 2.0, "mean_absolute_error(x, y)"),
    Row("mse", "keras", WEIGHTED, 21.9375, "MeanSquaredError()(y[:, None], x[:, None], sample_weight=w)"),
    Row("mse", "sklearn", WEIGHTED, 13.5, "mean_squared_error(y, x, sample_weight=w)"),
    Row("mse", "torchmetrics", VALUES, 7.875, "mean_squared_error(x, y)"),
    Row("mse", "optax", VALUES, 7.875, "squared_error(x, y)"),
    Row("huber", "keras", WEIGHTED, 4.40625, "Huber()(y[:, None], x[:, None], sample_weight=w)"),
    Row("huber", "optax", VALUES, 1.65625, "huber_loss(x, y)"),
    Row("log-cosh", "keras", VALUES, 1.5601451396942139, "log_cosh(y, x)"),
    Row("log-cosh", "optax", VALUES, 1.5601452233066806, "log_cosh(x, y)"),
    Row("log-cosh", "torchmetrics", VALUES, 1.5601452233066804, "log_cosh_error(x, y)"),
    Row("mape", "sklearn", VALUES, 2.625, "mean_absolute_percentage_error(y, x)"),
    Row("smape", "torchmetrics", VALUES, 1.1, "symmetric_mean_absolute_percentage_error(x, y)"),
    Row("msle", "sklearn", SIZES, 0.03973012298459379, "mean_squared_log_error(y, x)"),
    Row("msle", "torchmetrics", SIZES, 0.03973012298459379, "mean_squared_log_error(x, y)"),
    Row("pinball", "sklearn", {**VALUES, "quantile": 0.9}, 0.7, "mean_pinball_loss(y, x, alpha=.9)"),
    Row("poisson-deviance", "sklearn", SIZES, 0.21861792444793338, "mean_poisson_deviance(y, x)"),
    Row("gamma-deviance", "sklearn", SIZES, 0.06060673253815174, "mean_gamma_deviance(y, x)"),
    Row("bce-logits", "keras", BITS, 0.5204810500144958, "binary_crossentropy(y, x, from_logits=True)"),
    Row(
        "bce-logits",
        "keras",
        {**BITS, "weight": [1.0, 2.0, 0.5, 3.0]},
        0.986446738243103,
        "BinaryCrossentropy(from_logits=True)(y[:, None], x[:, None], sample_weight=w)",
    ),
    Row("bce-logits", "optax", BITS, 0.5204810576737207, "sigmoid_binary_cross_entropy(x, y)"),
    Row("bce-logits", "smp", BITS, 0.5204810576737207, "SoftBCEWithLogitsLoss()(x, y)"),
    Row("sigmoid-focal", "torchvision", BITS, 0.029668221216379374, "sigmoid_focal_loss(x, y)"),
    Row("giou", "torchvision", BOXES, 0.9097883641178087, "generalized_box_iou_loss(x, y)"),
    Row("diou", "torchvision", BOXES, 0.7800684016497214, "distance_box_iou_loss(x, y)"),
    Row("ciou", "torchvision", BOXES, 0.7801502375675562, "complete_box_iou_loss(x, y)"),
    Row("hinge", "keras", SIDES, 0.5999999642372131, "hinge(y, x)"),
    Row("hinge", "sklearn", SIDES, 0.6, "hinge_loss(y, x)"),
    Row("hinge", "optax", SIDES, 0.6, "hinge_loss(x, y)"),
    Row("squared-hinge", "keras", SIDES, 0.6466665863990784, "squared_hinge(y, x)"),
    Row("multiclass-hinge", "sklearn", SCORES, 0.3333333333333333, "hinge_loss(y, x)"),
    Row("multiclass-hinge", "optax", SCORES, 0.3333333333333333, "multiclass_hinge_loss(x, y)"),
    Row(
        "cross-entropy", "optax", SCORES, 0.558688090889592, "softmax_cross_entropy_with_integer_labels(x, y)"
    ),
    Row(
        "cross-entropy",
        "onnx",
        {**SCORES, "weight": [1.0, 2.0, 3.0]},
        0.5190614334082428,
        "SoftmaxCrossEntropyLoss(x, y, w)",
    ),
    Row(
        "cross-entropy",
        "onnx",
        {**SCORES, "weight": [1.0, 2.0, 3.0], "ignore_index": 2},
        0.8682768472602,
        "the same, ignore_index=2",
    ),
    Row(
        "nll",
        "onnx",
        {**SCORES, "input": LOGARITHMS, "weight": [1.0, 2.0, 3.0], "ignore_index": 2},
        0.8682768472601999,
        "NegativeLogLikelihoodLoss(x, y, w, ignore_index=2)",
    ),
    Row("perplexity", "torchmetrics", SCORES, 1.7483772829810673, "text.perplexity(x[None], y[None])"),
    Row("dice", "monai", MASKS, 0.3617013580822168, "DiceLoss()(x[None, None], y[None, None])"),
    Row("tversky", "monai", MASKS, 0.361700588508134, "TverskyLoss()(x[None, None], y[None, None])"),
    Row("dice", "smp", SOFT, 0.11111111111111105, 'DiceLoss("binary", from_logits=False)(x, y)'),
    Row(
        "dice",
        "smp",
        {**MASKS, "smooth_nr": 0.7, "smooth_dr": 0.7},
        0.2786885245901638,
        'DiceLoss("binary", from_logits=False, smooth=.7)(x, y)',
    ),
    Row("jaccard", "smp", SOFT, 0.19999999999999973, 'JaccardLoss("binary", from_logits=False)(x, y)'),
    Row(
        "tversky",
        "smp",
        {**SOFT, "alpha": 0.3, "beta": 0.7},
        0.09774436090225536,
        'TverskyLoss("binary", from_logits=False, alpha=.3, beta=.7)(x, y)',
    ),
    Row(
        "bce",
        "sklearn",
        {"input": [0.0, 0.2, 1.0, 0.9], "target": [1, 0, 0, 0], "dtype": "float32"},
        8.60262393951416,
        "log_loss(y, x.astype(float32))",
    ),
    Row(
        "log-loss",
        "sklearn",
        {"input": [[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]], "target": [1, 0], "dtype": "float32"},
        8.573179244995117,
        "log_loss(y, x.astype(float32), labels=[0, 1, 2])",
    ),
    Row(
        "log-loss",
        "sklearn",
        {"input": [[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]], "target": [1, 0]},
        18.623813096721545,
        "log_loss(y, x, labels=[0, 1, 2])",
    ),
    Row(
        "log-loss",
        "sklearn",
        {"input": [[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]], "target": [1, 0], "dtype": "float16"},
        4.06640625,
        "log_loss(y, x.astype(float16), labels=[0, 1, 2])",
    ),
    Row("triplet-margin", "optax", TRIPLETS, 0.00964494593431348, "triplet_margin_loss(a, p, n, margin=.01)"),
    Row(
        "triplet-margin",
        "optax",
        {**TRIPLETS, "p": 4.0},
        0.009999894385618095,
        "the same, norm_degree=4",
    ),
    Row(
        "triplet-margin",
        "optax",
        {"anchor": [[0.0, 0.0]], "positive": [[1.0, 0.0]], "negative": [[0.0, 3.0]], "margin": 5.0},
        3.0000003333332135,
        "triplet_margin_loss(a, p, n, margin=5)",
    ),
    Row(
        "nt-xent",
        "optax",
        {"input": [[1.0, 0.0], [0.0, 1.0]], "target": [[0.8, 0.6], [-1.0, 0.0]]},
        2.1569184203432963,
        "ntxent(concatenate([x, y]), [0, 1, 0, 1])",
    ),
    Row("ctc", "optax", SPOKEN, 1.39456723083221, "ctc_loss(logits, paddings, y, paddings)"),
    Row(
        "ctc",
        "optax",
        {**SPOKEN, "targets": [[1, 1]], "input_lengths": [2]},
        99999.76504092169,
        "the same",
    ),
    Row("ctc", "optax", {**SPOKEN, "input_lengths": [1]}, 99999.53038500487, "the same"),
    Row("ctc", "optax", {**SPOKEN, "input_lengths": [0]}, 99999.30685281944, "the same"),
]


def differs(row: Row) -> bool:
    """Whether the library computes the loss otherwise."""
    return not next(c for c in lookup(row.loss).conventions if c.library == row.library).agrees


def identify(row: Any) -> str | None:
    """What a row is called in a report."""
    return f"{row.loss}-{row.library}" if isinstance(row, Row) else None


def computed(row: Row, **options: Any) -> Any:
    """What losscalc makes of the arguments."""
    return losscalc.compute(row.loss, **{**row.arguments, **options}, like=row.library)


def arrays_of(row: Row) -> dict[str, np.ndarray]:
    """The arrays of a row, as losses take them."""
    names = lookup(row.loss)().roles
    return {name: np.asarray(value) for name, value in row.arguments.items() if name in names}


def instance(row: Row) -> Loss:
    """The loss with the parameters of a row."""
    cls = losses()[row.loss]
    of_call = (*cls().roles, "reduction", "dtype")
    return cls(**{k: v for k, v in row.arguments.items() if k not in of_call}, like=row.library)


def tolerance(row: Row) -> float:
    """Where Keras has its epsilon in float32, it has seven digits, as has an input of float32."""
    narrow = {"float32": 1e-6, "float16": 1e-3}
    return narrow.get(row.arguments.get("dtype"), 1e-6 if row.library in ("keras", "monai") else 1e-12)


@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.parametrize("row", GOLDEN, ids=identify)
def test_library_gave_this_number(row):
    """The value beside the call, to as many digits as the library computes."""
    np.testing.assert_allclose(computed(row), row.value, rtol=tolerance(row), atol=1e-15, equal_nan=True)


def test_every_convention_has_a_number_of_its_library():
    """Nothing is declared that was not compared."""
    assert {(row.loss, row.library) for row in GOLDEN} == {(cls.name, c.library) for cls, c in ROWS}


@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.parametrize("row", GOLDEN, ids=identify)
def test_single_losses_add_up_to_the_sum(row):
    """Factors and offsets are those of each loss."""
    single, total = computed(row, reduction="none"), computed(row, reduction="sum")
    rtol = tolerance(row) if "dtype" in row.arguments else 1e-12
    np.testing.assert_allclose(np.sum(single), total, rtol=rtol, equal_nan=True)


def inner(row: Row) -> dict[str, np.ndarray]:
    """The arrays of a row, a little within [0, 1] where that is their domain: no step leads out of it."""
    roles, arrays = lookup(row.loss)().roles, arrays_of(row)
    free = {name for name, role in roles.items() if role.domain is None}
    return {
        name: values if name in free or values.dtype.kind == "i" else 0.001 + 0.99 * values
        for name, values in arrays.items()
    }


@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("row", [*filter(differs, GOLDEN)], ids=identify)
def test_gradient_is_the_central_difference(row, reduction):
    """Clipped values and vectors of zeros are away from the ends of the interval.

    As that of PyTorch, the gradient of CTC is by the logits of which log_probs are the log-softmax.
    """
    loss, arrays = instance(row), inner(row)
    if row.loss in ("cosine-distance", "poisson-nll"):
        arrays = {name: values + 0.25 for name, values in arrays.items()}
    for wrt in differentiable(type(loss)):
        actual = losscalc.gradient(loss.name, **arrays, **own(loss), wrt=wrt, reduction=reduction)
        expected = np.empty(actual.shape)
        for place in np.ndindex(*expected.shape):
            step = 1e-6 * max(1e-2, abs(float(arrays[wrt][place])))
            sides = []
            for sign in (1, -1):
                moved = np.array(arrays[wrt], dtype=np.float64)
                moved[place] += sign * step
                moved = log_softmax(moved) if wrt == "log_probs" else moved
                sides.append(float(loss(**{**arrays, wrt: moved}, reduction=reduction)))
            expected[place] = (sides[0] - sides[1]) / (2 * step)
        scale = np.abs(expected).max()
        # Of values of 100000 the quotient has fewer digits.
        rounding = np.spacing(max(map(abs, sides))) / step
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=max(1e-6 * max(scale, 1e-3), rounding))


def own(loss: Loss) -> dict[str, Any]:
    """The parameters of a loss with its convention, as they are given."""
    return {**loss.settings, "like": loss.like}


def test_clipped_values_have_no_slope():
    """By hand: Keras keeps 0.5 as it is, and brings the others to the ends of the interval."""
    slope = losscalc.gradient("bce", [0.0, 0.5, 1.0], [1, 1, 0], like="keras", reduction="sum")
    np.testing.assert_allclose(slope, [0.0, -2.0, 0.0])


def test_numbers_that_a_library_replaces_may_be_outside_the_domain():
    """Keras brings -3 to 1e-7; without it, it has no logarithm."""
    assert losscalc.compute("msle", [-3.0], [1e-7], like="keras") == 0
    with pytest.raises(losscalc.DomainError):
        losscalc.compute("msle", [-3.0], [1e-7])


@pytest.mark.parametrize(("loss", "library"), [("sigmoid-focal", "smp"), ("sigmoid-focal", "monai")])
def test_labels_of_which_a_library_has_another_loss_are_told(loss, library):
    """Of x = .5, y = .3 FocalLoss("binary") of smp gives 0.2597, not 0.2484."""
    with pytest.warns(losscalc.LosscalcWarning, match=f"{library} treats labels between 0 and 1 differently"):
        losscalc.compute(loss, [0.5], [0.3], like=library)


def test_parameters_that_are_typed_hold():
    """The convention has the others: MAPE in percent, with another eps."""
    loss = losses()["mape"](like="keras", eps=0.5)
    assert (loss.eps, loss.like) == (0.5, "keras")
    assert loss([1.0], [0.25]) == 150.0


def test_a_root_of_each_column_needs_its_columns():
    """Weights of rows are as good as those of elements; broadcasting has other columns than the arrays."""
    x, y = np.array(COLUMNS["input"]), np.array(COLUMNS["target"])
    of_rows = losscalc.compute("rmse", x, y, weight=[1.0, 2.0], like="sklearn")
    assert of_rows == losscalc.compute("rmse", x, y, weight=[[1.0] * 3, [2.0] * 3], like="sklearn")
    with pytest.raises(losscalc.ShapeError):
        losscalc.compute("rmse", x, y, weight=[1.0, 2.0])
    with pytest.raises(losscalc.ParameterError, match="no broadcasting"):
        losscalc.compute("rmse", x, y[:1], like="sklearn", broadcast=True)
    with pytest.raises(losscalc.ShapeError, match="must be equal"):
        losscalc.compute("rmse", x, y[:, :2], like="sklearn")
    with pytest.raises(losscalc.ShapeError, match="no columns to take roots of"):
        losscalc.compute("rmse", x[:, :0], y[:, :0], like="sklearn", reduction="none")


@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.0]])
def test_a_column_without_errors_has_no_slope(weight):
    """By hand: the root of 0 has none, and the mean of two roots has half of √(2/3)'s or √(4/3)'s."""
    x, y = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    slope = losscalc.gradient("rmse", x, y, like="sklearn", weight=weight)
    whole, shares = (3, [1, -1, 0]) if weight is None else (3, [1, -2, 0])
    root = math.sqrt(sum(map(abs, shares)) / whole)
    np.testing.assert_allclose(slope[:, 0], 0.0)
    np.testing.assert_allclose(slope[:, 1], np.array(shares) / whole / root / 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "settings", "match"),
    [
        ("triplet-margin", {"p": 3.0}, "p must be an even number"),
        ("triplet-margin", {"p": math.inf}, "p must be an even number"),
        ("triplet-margin", {"eps": -1e-6}, "eps must be at least 0"),
        ("dice", {"squared": True}, "no fuzzy overlap"),
    ],
)
def test_what_a_library_has_no_number_for_is_refused(loss, settings, match):
    """optax takes odd powers of negative differences, and smp has no squares."""
    arrays = TRIPLETS if loss == "triplet-margin" else MASKS
    library = "optax" if loss == "triplet-margin" else "smp"
    with pytest.raises(losscalc.ParameterError, match=match):
        losscalc.compute(loss, **{**arrays, **settings}, like=library)


def test_an_impossible_target_is_not_infinite_in_optax(capsys):
    """No warning says so."""
    arrays = {**SPOKEN, "input_lengths": [1]}
    words = words_of(Row("ctc", "optax", arrays, 0.0, ""), arrays)
    assert cli.run(words) == 0
    assert "infinite" in capsys.readouterr().err
    assert cli.run([*words, "--like", "optax"]) == 0
    assert not capsys.readouterr().err


def test_unknown_library_is_told():
    """With those that there are."""
    with pytest.raises(losscalc.ParameterError, match="no known convention") as caught:
        losses()["mape"](like="monai")
    assert caught.value.hint == "there are keras, torchmetrics, sklearn"


@pytest.mark.parametrize(("cls", "convention"), ROWS, ids=NAMES)
def test_libraries_differ_on_the_example(cls, convention):
    """`losscalc show` tells the number of each library; it is that of losscalc only if they agree."""
    (section,) = (each for each in describe(cls).sections if each.heading == "other libraries")
    numbers = {library: re.split("[: ]", text)[0] for library, text in section.rows}
    assert (numbers[convention.library] == numbers["losscalc"]) == convention.agrees


@pytest.mark.parametrize(("cls", "convention"), ROWS, ids=NAMES)
def test_sentence_goes_on_from_the_name_of_the_library(cls, convention):
    """Without a full stop, because more may follow; the source ends with, or has, a version."""
    assert convention.sentence[0].islower()
    assert not convention.sentence.endswith(".")
    assert re.search(r"\d\.\d+\.\d", convention.source)


FIRST = list(
    {(row.loss, row.library): row for row in reversed(GOLDEN) if "reduction" not in row.arguments}.values()
)
"""One row for each convention."""


def words_of(row: Row, arguments: dict[str, Any]) -> list[str]:
    """The command of a row, without its library."""
    words = [row.loss]
    for name, value in arguments.items():
        words += [f"--{name.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value)]
    return words


def twice(row: Row) -> dict[str, Any]:
    """The arguments of a row with each sample twice; those of log_probs lie along axis 1."""
    roles = lookup(row.loss)().roles
    return {
        name: np.repeat(value, 2, axis=int(name == "log_probs"))
        if name in roles and roles[name].kind != "class-weights"
        else value
        for name, value in row.arguments.items()
    }


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command, and gives what it prints."""

    def run(*words: str, code: int = 0) -> str:
        found = cli.run(list(words))
        out, err = capsys.readouterr()
        assert found == code, err
        return out

    return run


@pytest.mark.parametrize("row", [*filter(differs, FIRST)], ids=identify)
def test_search_finds_the_library(row, run):
    """From the number that it gave. Libraries that agree give the same number."""
    # MSLE of numbers below -1 is an error, unless Keras replaces them.
    arguments = row.arguments if row.loss != "msle" else {"input": [2.5, -0.5], "target": [3.0, 1.0]}
    value = row.value if row.loss != "msle" else 0.24914181
    exact = ["--rtol", "1e-8", "--atol", "0"] if row.loss in ("dice", "jaccard", "tversky") else []
    found = run(*words_of(row, arguments), "--expect", repr(value), *exact, code=1)
    agree = row.loss in ("sigmoid-focal", "tweedie-deviance")
    alike = {c.library for c in lookup(row.loss).conventions} if agree else {row.library}
    assert any(f"--like {library}" in found for library in alike) or "--alpha -1" in found, found


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_parts_keep_the_library(row, run, tmp_path):
    """The command computes what Python does, JSON names the library, and two parts make a whole."""
    once = run(*words_of(row, row.arguments), "--like", row.library, "--format", "json")
    assert json.loads(once)["like"] == row.library
    rtol = max(tolerance(row), 1e-12)
    assert json.loads(once)["value"] == pytest.approx(float(computed(row)), rel=rtol)
    part = tmp_path / "part.json"
    part.write_text(once, encoding="utf-8")
    if instance(row).needs_whole or instance(row).whole_batch:
        run("merge", str(part), str(part), code=4)
        return
    both = run("merge", str(part), str(part), "--format", "json")
    expected = losscalc.compute(row.loss, **twice(row), like=row.library)
    assert json.loads(both)["value"] == pytest.approx(float(expected), rel=rtol)


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_blocks_make_the_whole(row, monkeypatch):
    """One row a block, as streams have them."""
    whole = computed(row)
    monkeypatch.setattr(block, "BLOCK", 1)
    np.testing.assert_allclose(computed(row), whole, rtol=1e-12)


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_explanation_is_of_the_library(row, run):
    """The formula, with the numbers that the loss gets, comes to the loss; the sentence stands beside it."""
    text = run(*words_of(row, row.arguments), "--like", row.library, "--explain", "--precision", "17")
    (convention,) = (each for each in lookup(row.loss).conventions if each.library == row.library)
    assert f"; {row.library} {convention.sentence}" in text
    loss, arrays = instance(row), {k: np.asarray(v) for k, v in arrays_of(row).items()}
    with np.errstate(all="ignore"):
        terms = loss.evaluated(arrays, FLOAT64)
    if terms.sums is not None:
        return
    prepared = convention.prepared(arrays, FLOAT64)
    with np.errstate(all="ignore"):
        values = symbol_values(loss, prepared, terms.value.shape)
        found = formula_of(loss, prepared).evaluate(values).reshape(terms.value.shape)
    counts = np.ones(found.shape, bool) if terms.ignored is None else ~terms.ignored
    np.testing.assert_allclose(found[counts], terms.value[counts], rtol=1e-6, atol=1e-12)


def test_explanation_has_the_factor_and_the_offset(run):
    """By hand: half of the target in percent, and 4/5 with a minus."""
    text = run("mape", "-i", "2", "-t", "4", "--like", "keras", "--explain")
    assert "100·(|2 - 4| / max(|4|, 1.0000e-07)) = 50.0000" in text
    text = run("cosine-distance", "-i", "[[1,2]]", "-t", "[[2,1]]", "--like", "keras", "--explain")
    assert "- 1 = -0.8000" in text


def test_explanation_has_what_a_library_gives_for_nothing(run):
    """By the rows above: Keras has a mean of 0 of targets that are all ignored."""
    words = ["cross-entropy", "-i", "[[2,1]]", "-t", "-100", "--like", "keras"]
    assert "0.0000 / 0 = 0.0000" in run(*words, "--explain")
    assert run(*words, "--digits", "20") == "0\n"


def test_representation_names_the_library():
    """It makes the same loss."""
    assert repr(losses()["mape"](like="keras")) == "MAPE(like='keras', eps=1e-07)"


def test_rows_that_a_library_divides_by_their_sum_are_no_mistake(capsys):
    """The warning of losscalc says that it does not."""
    words = ["kl", "-i", "[[0.3,0.3]]", "-t", "[[0.5,0.1]]"]
    assert cli.run(words) == 0
    assert "do not sum to 1" in capsys.readouterr().err
    assert cli.run([*words, "--like", "torchmetrics"]) == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize("row", FIRST, ids=identify)
def test_digits_are_those_of_the_library_too(row):
    """With 20 digits, of which the first are those of float64."""
    exact = losscalc.compute(row.loss, **row.arguments, like=row.library, digits=20)
    assert float(exact) == pytest.approx(float(computed(row)), rel=max(tolerance(row), 1e-10))


def test_search_finds_that_no_convention_was_meant(run):
    """The number of losscalc itself, expected of the command with a library: 100 of one element, by hand."""
    words = ["bce", "-i", "0,1", "-t", "1,1", "--like", "keras"]
    assert "--suppose no-like" in run(*words, "--expect", "50", code=1)
    assert float(run(*words, "--suppose", "no-like")) == 50.0


@pytest.mark.parametrize(
    ("words", "library", "value"),
    [
        # Keras 3.15.1 gives 1.192e-07 in float32, whose nearest number to 1 - 1e-7 that is.
        (["bce", "-i", "1.5", "-t", "1"], "keras", -math.log(1 - 1e-7)),
        # By hand: Σ y·ln(y / x) with y = 3/8, 1/8, 4/8 and x = 2/4, 1/4, 1/4.
        (
            ["kl", "-i", "[[2,1,1]]", "-t", "[[3,1,4]]"],
            "torchmetrics",
            3 / 8 * math.log(3 / 4) - 1 / 8 * math.log(2) + 1 / 2 * math.log(2),
        ),
    ],
)
def test_a_library_takes_what_it_changes(words, library, value, capsys):
    """Numbers outside the domain are those that it makes of them, with a warning."""
    assert cli.run([*words, "--like", library]) == 0
    out, err = capsys.readouterr()
    assert float(out) == pytest.approx(value, rel=1e-9)
    assert f"other values are changed as {library} does" in err
    assert cli.run(words) == 4
