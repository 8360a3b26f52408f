"""All the mistakes."""

from tests.support.wrong import choosing, defining, feeding, further, reducing, rounding

CASES = [
    *(reducing.REDUCTIONS + reducing.DENOMINATORS + reducing.WEIGHTS + reducing.FACTORS),
    *(choosing.OTHER_LOSSES + choosing.SETTINGS + choosing.LIBRARIES),
    *(feeding.INPUTS + feeding.TARGETS + feeding.SHAPES + feeding.SMOOTHING),
    *(further.LOOPS + further.SEQUENCES + further.COUNTED + further.EXCHANGED),
    *(further.SCALES + further.MADE_OF_PARTS),
    *(defining.CONVENTIONS + rounding.CLIPPING + rounding.PRECISION),
]
