"""Assertions for the tests of training code, which say what is wrong with a number."""

from typing import Any

from losscalc.core.array import ArrayLike
from losscalc.errors import ParameterError
from losscalc.insight.bounds import check_bounds
from losscalc.insight.questions import check

__all__ = ["assert_loss"]


def assert_loss(
    loss: object,
    *arrays: ArrayLike | None,
    expected: ArrayLike,
    places: int | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    **arguments: Any,
) -> None:
    """Assert that a loss is what is expected; the AssertionError tells what would have led to that.

    The loss, which may be your own criterion, and the arguments are those of `losscalc.check`. A number has
    to agree to the digits that it is written with, or to so many decimal `places`, or within `rtol` and
    `atol`.

    Raises AssertionError, and what `losscalc.compute` raises.

    >>> assert_loss("mse", [1.0, 2.0], [1.0, 4.0], expected=2.0, places=6)
    """
    __tracebackhide__ = True
    check_bounds(places=places)
    if places is not None:
        if rtol is not None or atol is not None:
            raise ParameterError("`places` and `rtol` or `atol` do not go together")
        atol = 0.5 * 10.0**-places
    outcome = check(loss, *arrays, expected=expected, rtol=rtol, atol=atol, **arguments)
    if not outcome:
        raise AssertionError(f"the loss is not what is expected\n{outcome}")
