"""All hypotheses on a call, stage by stage."""

from collections.abc import Iterator

from losscalc.insight.call import Call
from losscalc.insight.detect.aggregations import AGGREGATIONS
from losscalc.insight.detect.arrangement import ARRANGEMENT, of_pairs
from losscalc.insight.detect.arrays import ARRAYS
from losscalc.insight.detect.definitions import definitions
from losscalc.insight.detect.focal import FOCAL
from losscalc.insight.detect.forms import FORMS
from losscalc.insight.detect.groups import GROUPS
from losscalc.insight.detect.hypothesis import Hypothesis
from losscalc.insight.detect.infinities import INFINITIES
from losscalc.insight.detect.inputs import INPUTS
from losscalc.insight.detect.likelihood import LIKELIHOOD
from losscalc.insight.detect.margins import MARGINS
from losscalc.insight.detect.masks import MASKS
from losscalc.insight.detect.order import ORDERS
from losscalc.insight.detect.parts import PARTS, TEMPERATURES
from losscalc.insight.detect.positions import POSITIONS
from losscalc.insight.detect.precision import PRECISION
from losscalc.insight.detect.rows import ROWS, of_arrays
from losscalc.insight.detect.steps import DIVIDED, LAST, TIMES
from losscalc.insight.detect.tables import TABLES
from losscalc.insight.detect.targets import TARGETS
from losscalc.insight.detect.units import UNITS
from losscalc.insight.detect.vectors import VECTORS
from losscalc.insight.detect.weighting import WEIGHTING


def hypotheses(call: Call) -> Iterator[Hypothesis]:
    """All hypotheses that make sense for a call, in the order of their stages."""
    loss = call.operation
    given = (
        *ROWS,
        *ARRANGEMENT,
        *of_arrays(loss),
        *TABLES,
        *INPUTS,
        *TARGETS,
        *ORDERS,
        *ARRAYS,
        *UNITS,
        *of_pairs(call),
    )
    more = (*WEIGHTING, *POSITIONS, *PARTS, *TEMPERATURES)
    single = (*PRECISION, *LIKELIHOOD, *FORMS, *FOCAL, *VECTORS, *MASKS, *more, *MARGINS, *INFINITIES)
    for row in (*given, *definitions(loss), *single, *AGGREGATIONS, *GROUPS, *LAST, TIMES, DIVIDED):
        if row.concerns(loss):
            yield row.of(loss)
