"""The numbers that questions of Python come with, in the bounds that the command line has for them."""

from losscalc.core.declaration import Parameter
from losscalc.core.domains import FINITE_NOT_NEGATIVE, Interval

_BOUNDS = {
    known.name: known
    for known in (
        Parameter("max_rows", int, 40, Interval(1, 10**9), ""),
        Parameter("precision", int, 4, Interval(0, 50), ""),
        Parameter("count", int, 5, Interval(1, 10**6), ""),
        Parameter("places", int, None, Interval(0, 50), ""),
        Parameter("rtol", float, None, FINITE_NOT_NEGATIVE, ""),
        Parameter("atol", float, None, FINITE_NOT_NEGATIVE, ""),
    )
}


def check_bounds(**given: object) -> None:
    """Refuse numbers of another kind than is taken, or out of bounds, with a ParameterError.

    >>> check_bounds(count=3, rtol=None)
    >>> check_bounds(precision=1.5)
    Traceback (most recent call last):
    losscalc.errors.ParameterError: precision must be a whole number, found 1.5
    """
    for name, value in given.items():
        _BOUNDS[name].accept(value)
