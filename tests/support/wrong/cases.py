"""All the mistakes."""

from tests.support.wrong import choosing, defining, feeding, reducing, rounding

CASES = [
    *(reducing.REDUCTIONS + reducing.DENOMINATORS + reducing.WEIGHTS + reducing.FACTORS),
    *(choosing.OTHER_LOSSES + choosing.SETTINGS + choosing.LIBRARIES),
    *(feeding.INPUTS + feeding.TARGETS + feeding.SHAPES + feeding.SMOOTHING),
    *(defining.CONVENTIONS + rounding.CLIPPING + rounding.PRECISION),
]
