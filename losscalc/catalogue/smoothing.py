"""What libraries add to the sums of the losses of overlap."""

from losscalc.core.conventions import Convention

DICE = (
    Convention(
        "keras",
        "adds nothing to the numerator, and 1e-7 to the denominator",
        "keras.losses.dice, 3.15.1",
        {"smooth_nr": 0.0, "smooth_dr": 1e-7},
    ),
    Convention(
        "optax",
        "adds 2 to both, twice its smooth",
        "optax.losses.dice_loss, 0.2.8, for each picture and class: give `dim`",
        {"smooth_nr": 2.0, "smooth_dr": 2.0},
    ),
    Convention(
        "smp",
        "adds nothing to either, and gives 0 for a target without a 1",
        'segmentation_models_pytorch.losses.DiceLoss("binary", from_logits=False), 0.6.0',
        {"smooth_nr": 0.0, "smooth_dr": 0.0, "skip_empty": True},
        is_of_bits=True,
    ),
)
JACCARD = (
    Convention(
        "smp",
        "adds nothing to either, and gives 0 for a target without a 1",
        'segmentation_models_pytorch.losses.JaccardLoss("binary", from_logits=False), 0.6.0',
        {"smooth_nr": 0.0, "smooth_dr": 0.0, "skip_empty": True},
        is_of_bits=True,
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
        "has the price of false negatives as alpha and that of false positives as beta, and adds nothing "
        "to the numerator and 1e-7 to the denominator",
        "keras.losses.tversky, 3.15.1",
        {"smooth_nr": 0.0, "smooth_dr": 1e-7},
        exchanged=("alpha", "beta"),
    ),
    Convention(
        "optax",
        "adds 1 to both",
        "optax.losses.dice_loss(..., alpha=, beta=), 0.2.8, for each picture and class: give `dim`",
        {"smooth_nr": 1.0, "smooth_dr": 1.0},
    ),
    Convention(
        "smp",
        "adds nothing to either, gives 0 for a target without a 1, and raises the mean of several losses to "
        "gamma, where each is here",
        'segmentation_models_pytorch.losses.TverskyLoss("binary", from_logits=False), 0.6.0',
        {"smooth_nr": 0.0, "smooth_dr": 0.0, "skip_empty": True},
        is_of_bits=True,
    ),
)
