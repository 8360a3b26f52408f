"""Real numbers of any precision for arrays of objects: mpmath's, with the methods that NumPy calls."""

from collections.abc import Callable, Iterable, Mapping
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation, Overflow, Underflow
from typing import Any

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import DomainError, UsageError

# NumPy's names of functions, and mpmath's.
_SAME = ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "floor", "ceil")
_METHODS = {name: name for name in _SAME} | {"arctan": "atan", "arctan2": "atan2", "rint": "nint"}
_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")

# Longer powers of two are not computed as whole numbers.
_MOST_BITS = 1 << 16

Real = Any
"""Stands for a number of `reals`, and for the class of such numbers."""


def check_mpmath() -> None:
    """Raise UsageError, with the command to install it, if mpmath is missing."""
    try:
        import mpmath  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise UsageError("`digits` needs mpmath", hint="pip install 'losscalc[digits]'") from error


def reals(bits: int) -> Real:
    """Make the class of numbers with so many bits.

    NumPy calls `x.exp()` for the exponential of an object. As in IEEE arithmetic, functions give NaN or
    infinity where they have no real value. Comparisons give np.bool_, which has `any` and `all`.
    """
    import mpmath

    context = mpmath.MPContext()
    context.prec = bits
    # Each context has a class of its own, so that changing it changes no other.
    number = context.mpf
    over, power = number.__truediv__, number.__pow__

    def real(function: Callable[..., Any]) -> Callable[..., Real]:
        def of(*arguments: Real) -> Real:
            value = function(*arguments)
            return context.nan if isinstance(value, context.mpc) else value

        return of

    def divided(above: Real, below: Any) -> Real:
        is_zero = not isinstance(below, np.ndarray) and below == 0
        return above * context.inf if is_zero else over(above, below)

    def raised(base: Real, exponent: Any) -> Real:
        is_pole = base == 0 and not isinstance(exponent, np.ndarray) and exponent < 0
        return context.inf if is_pole else power(base, exponent)

    for name, method in _METHODS.items():
        setattr(number, name, real(getattr(context, method)))
    for name in _COMPARISONS:
        setattr(number, name, _compared(getattr(number, name)))
    number.pi = +context.pi
    number.__truediv__ = divided
    number.__rtruediv__ = lambda below, above: divided(number(above), below)
    number.__pow__ = real(raised)
    number.__rpow__ = lambda exponent, base: real(raised)(number(base), exponent)
    number.__getattr__ = _of_array
    return number


def _compared(function: Callable[..., Any]) -> Callable[..., Any]:
    """The comparison with the truth values of NumPy."""

    def of(one: Real, other: Any) -> Any:
        holds = function(one, other)
        return holds if holds is NotImplemented else np.bool_(holds)

    return of


def _of_array(number: Real, name: str) -> Any:
    """An attribute of arrays, such as `sum`, which NumPy's own scalars have too."""
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(objects([number], ()), name)


def objects(numbers: Iterable[Any], shape: tuple[int, ...]) -> Array:
    """An array of objects."""
    array = np.empty(shape, dtype=object)
    array.reshape(-1)[:] = list(numbers)
    return array


def as_reals(values: Any, number: Real) -> Any:
    """Convert a floating array, or every one of a mapping, to numbers of a class; indices stay."""
    if isinstance(values, Mapping):
        return {name: as_reals(part, number) for name, part in values.items()}
    if values.dtype.kind != "f":
        return values
    return objects(map(number, values.astype(np.float64).ravel().tolist()), values.shape)


def total(arrays: Iterable[Array], number: Real) -> Real:
    """The sum of all numbers of some arrays, rounded once."""
    return number(number.context.fsum(value for array in arrays for value in array.flat))


def as_decimal(number: Real, digits: int) -> Decimal:
    """The number as a decimal of at most so many digits, rounded once."""
    sign, mantissa, exponent, bits = number._mpf_
    traps = [InvalidOperation, Overflow, Underflow]
    context = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=traps)
    if not mantissa:
        return Decimal(float(number))
    if abs(exponent) > _MOST_BITS + bits:
        return _written_out(number, digits, context)
    whole, power = Decimal(-int(mantissa) if sign else int(mantissa)), Decimal(1 << abs(exponent))
    exact = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
    return context.divide(whole, power) if exponent < 0 else context.plus(exact.multiply(whole, power))


def _written_out(number: Real, digits: int, context: Context) -> Decimal:
    """The same for a number with a huge exponent, by way of its text."""
    from mpmath.libmp import to_str

    try:
        return context.create_decimal(to_str(number._mpf_, digits + 20))
    except (InvalidOperation, Overflow, Underflow) as error:
        raise DomainError("a result is outside the range of decimal numbers", argument="digits") from error
