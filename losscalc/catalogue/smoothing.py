"""What libraries add to the sums of the losses of overlap."""

from losscalc.core.conventions import Convention, agreeing

_SMP = {"smooth_nr": 0.0, "smooth_dr": 0.0, "skip_empty": True, "fuzzy": True}
_TWICE = {"smooth_nr": 2.0, "smooth_dr": 2.0}
"""Libraries that write the Dice score as I / (I + ½·L) add their smooth to these halves."""

DICE = (
    Convention(
        "keras",
        "adds nothing to the numerator, and 1e-7 to the denominator",
        "keras.losses.dice, 3.15.1",
        {"smooth_nr": 0.0, "smooth_dr": 1e-7},
    ),
    Convention(
        "optax",
        "adds 1 twice to numerator and denominator",
        "optax.losses.dice_loss, 0.2.8, for each picture and class: give `dim`",
        {"smooth_nr": 1.0, "smooth_dr": 1.0},
        scaled=_TWICE,
    ),
    Convention(
        "smp",
        "adds nothing to numerator and denominator, gives 0 for an empty target, and for a label between 0 "
        "and 1 takes the smaller of label and probability as what they share",
        'segmentation_models_pytorch.losses.DiceLoss("binary", from_logits=False), 0.6.0',
        _SMP,
        scaled=_TWICE,
    ),
    *agreeing(monai="monai.losses.DiceLoss, 1.6.1, for each picture and class: give `dim`"),
)
JACCARD = (
    Convention(
        "smp",
        "adds nothing to numerator and denominator, gives 0 for an empty target, and for a label between 0 "
        "and 1 takes the smaller of label and probability as what they share",
        'segmentation_models_pytorch.losses.JaccardLoss("binary", from_logits=False), 0.6.0',
        _SMP,
    ),
    Convention(
        "monai",
        "adds its constants to twice the intersection and to twice the union",
        "monai.losses.DiceLoss(jaccard=True), 1.6.1, for each picture and class: give `dim`",
        scaled={"smooth_nr": 0.5, "smooth_dr": 0.5},
    ),
)
TVERSKY = (
    Convention(
        "keras",
        "has alpha for false negatives and beta for false positives, and adds nothing to the numerator and "
        "1e-7 to the denominator",
        "keras.losses.tversky, 3.15.1",
        {"smooth_nr": 0.0, "smooth_dr": 1e-7},
        exchanged=("alpha", "beta"),
    ),
    Convention(
        "optax",
        "adds 1 to numerator and denominator",
        "optax.losses.dice_loss(..., alpha=, beta=), 0.2.8, for each picture and class: give `dim`",
        {"smooth_nr": 1.0, "smooth_dr": 1.0},
    ),
    Convention(
        "smp",
        "adds nothing to numerator and denominator, gives 0 for an empty target, for a label between 0 and "
        "1 takes the smaller of label and probability as what they share, and raises the mean of several "
        "losses to the power of gamma, not each of them",
        'segmentation_models_pytorch.losses.TverskyLoss("binary", from_logits=False), 0.6.0',
        _SMP,
    ),
    *agreeing(monai="monai.losses.TverskyLoss, 1.6.1, for each picture and class: give `dim`"),
)
