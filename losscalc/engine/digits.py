"""Computes a call to any number of digits: the same `terms`, on arrays of numbers of that precision."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, cast

import numpy as np

from losscalc.core.array import Array
from losscalc.core.declaration import parameters
from losscalc.core.operation import Operation
from losscalc.core.reductions import Terms
from losscalc.engine import compute as engine
from losscalc.engine.block import NOT_FINITE
from losscalc.engine.call import AnyCall
from losscalc.engine.compute import Computation
from losscalc.engine.ending import OUT_OF_RANGE
from losscalc.engine.outcome import Sample
from losscalc.engine.reals import Real, as_decimal, as_reals, check_mpmath, objects, reals, total
from losscalc.errors import DomainError, ParameterError

_MOST_DIGITS = 1000
_MOST_ELEMENTS = 10_000

# The bits beyond the wanted digits that an attempt has, and those in which two attempts have to agree.
_SPARE, _AGREED = 64, 16
# Enough bits for any sum of products of two float64 numbers.
_ALL_BITS = 5000


def compute(call: AnyCall, digits: int) -> Computation:
    """The result of a call, as decimal numbers with so many correct digits.

    Arrays and parameters are taken as the float64 numbers that they are: 0.1 is the binary number nearest to
    it. Errors and warnings are those of the computation in float64, which is done first.
    """
    _check(call, digits)
    done = engine.compute(call._replace(samples=_MOST_ELEMENTS + 1, digits=None))
    _check_size(call, done)
    if done.partial.count:
        found = _settled(call, done, math.ceil(digits * math.log2(10)))
        value = objects((as_decimal(number, digits) for number in found), done.value.shape)
    else:
        # Of no losses there is a sum of 0, or NaN.
        value = objects(map(Decimal, done.value.ravel().tolist()), done.value.shape)
    warnings = done.warnings
    if all(number.is_finite() for number in value.flat):
        # A result that float64 cannot hold may be finite here.
        warnings = tuple(w for w in warnings if NOT_FINITE not in w.problem and OUT_OF_RANGE not in w.problem)
    return done._replace(value=value, warnings=warnings, samples=())


def _check(call: AnyCall, digits: int) -> None:
    is_whole = isinstance(digits, int | np.integer) and not isinstance(digits, bool)
    if not is_whole or not 1 <= digits <= _MOST_DIGITS:
        problem = f"`digits` must be a whole number from 1 to {_MOST_DIGITS:,}"
        raise ParameterError(problem, found=digits, argument="digits")
    if call.wrt is not None:
        raise ParameterError("`digits` works for losses, not for gradients", argument="digits")
    if any(callable(value) for value in call.operation.settings.values()):
        raise ParameterError("a function of your own has only the digits of float64", argument="digits")
    check_mpmath()


def _check_size(call: AnyCall, done: Computation) -> None:
    """Refuse large arrays: one number here takes as long as thousands of float64 numbers."""
    cut, sizes = call.layout.cut, Counter[str]()
    for name, array in _arrays(done.samples):
        sizes[name] = array.size + (sizes[name] if name in cut else 0)
    nothing = next((name for name, size in sizes.items() if not size), None)
    if nothing is not None and done.partial.count:
        argument = nothing.partition(".")[0]
        raise ParameterError(
            f"`digits` works for arrays of numbers, and `{argument}` has none", argument="digits"
        )
    name, size = sizes.most_common(1)[0]
    if max(size, done.partial.rows) > _MOST_ELEMENTS:
        argument = name.partition(".")[0]
        raise ParameterError(
            f"`digits` works for arrays of at most {_MOST_ELEMENTS:,} elements, and `{argument}` has more",
            argument="digits",
            hint="leave `digits` out: float64 has about 16",
        )


def _arrays(samples: tuple[Sample, ...]) -> Iterator[tuple[str, Array]]:
    for sample in samples:
        for name, array in sample.arguments.items():
            if isinstance(array, Mapping):
                yield from ((f"{name}.{member}", part) for member, part in array.items())
            else:
                yield name, array


def _settled(call: AnyCall, done: Computation, wanted: int) -> list[Real]:
    """Compute with more and more bits, until two attempts agree in the wanted bits."""
    bits = wanted + _SPARE + 2 * _range(call, done)
    last = _attempt(call, done, bits)
    for more in (bits * 5 // 4, max(4 * bits, _ALL_BITS), max(16 * bits, 4 * _ALL_BITS)):
        found = _attempt(call, done, more)
        # A zero may be all that cancellation has left; it is believed only with all bits.
        is_zero = more >= _ALL_BITS
        if all(_agree(a, b, wanted) and (is_zero or b != 0) for a, b in zip(last, found, strict=True)):
            return found
        last = found
    raise DomainError("the digits of a result do not converge", argument="digits")


def _range(call: AnyCall, done: Computation) -> int:
    """The number of bits between the largest and the smallest number; sums of products need twice as many."""
    arrays = [array for _, array in _arrays(done.samples) if array.dtype.kind == "f"]
    settings = [np.array(value) for value in call.operation.settings.values() if not callable(value)]
    exponents = [0]
    for numbers in (*arrays, *(each for each in settings if each.dtype.kind == "f")):
        used = np.frexp(numbers[np.isfinite(numbers) & (numbers != 0)])[1]
        exponents += [int(used.min()), int(used.max())] if used.size else []
    return max(exponents) - min(exponents)


def _agree(one: Real, other: Real, wanted: int) -> bool:
    if one != one or one == other:
        return bool(other != other or one == other)
    return bool(abs(other - one) * (1 << wanted + _AGREED) <= abs(other))


def _attempt(call: AnyCall, done: Computation, bits: int) -> list[Real]:
    """The values, or the reduced loss, computed with so many bits."""
    number = reals(bits)
    operation = _with_exact_parameters(call.operation, number)
    with np.errstate(all="ignore"):
        parts = [_exact_terms(operation, sample, number) for sample in done.samples]
    if call.reduction.keeps and parts[0].sums is None:
        return [value for part in parts for value in part.value.flat]
    return [number(value) for value in np.asarray(_reduced(call, operation, parts, done, number)).flat]


def _with_exact_parameters(operation: Operation, number: Real) -> Operation:
    """The operation with its parameters in this precision, so that 1 - α and 1/p have all digits too."""
    settings: dict[str, Any] = operation.settings
    exact = {
        p.name: tuple(map(number, settings[p.name])) if p.kind is tuple else number(float(settings[p.name]))
        for p in parameters(type(operation))
        if float in (p.kind, p.item) and settings[p.name] is not None
    }
    return operation.accepted({**settings, **exact, "like": operation.like})


def _exact_terms(operation: Operation, sample: Sample, number: Real) -> Terms:
    """The terms of a block in this precision, and NaN where they are NaN in float64."""

    def alike(values: Any, floats: Array) -> Array:
        exact = np.broadcast_to(np.asarray(values, dtype=object), floats.shape)
        # np.maximum of objects loses NaN, because every comparison with it is false.
        pairs = zip(exact.flat, floats.ravel().tolist(), strict=True)
        return objects((number(b if b != b else a) for a, b in pairs), floats.shape)

    exact = {name: as_reals(values, number) for name, values in sample.arguments.items()}
    terms = operation.evaluated(exact, sample.dtype)
    floats = sample.terms
    if floats.sums is not None:
        return Terms.of_sums(
            **{name: alike((terms.sums or {})[name], each) for name, each in floats.sums.items()}
        )
    return Terms(
        alike(terms.value, floats.value),
        None if floats.divisor is None else alike(terms.divisor, floats.divisor),
        floats.ignored,
        None if floats.share is None else alike(terms.share, floats.share),
    )


class _Sums(NamedTuple):
    """The sums that a reduction divides, in this precision."""

    total: Real
    numerator: Real
    denominator: Real
    batch: Real
    one: Real


def _reduced(
    call: AnyCall, operation: Operation, parts: list[Terms], done: Computation, number: Real
) -> Real:
    """The reduced loss."""
    if parts[0].sums is not None:
        names, several = parts[0].sums, [part.sums for part in parts if part.sums is not None]
        sums = {name: total((s[name] for s in several), number) for name in names}
        return operation.finished(call.reduction, sums)
    values = [part.value for part in parts]
    shares = [part.share for part in parts if part.share is not None]
    divisors = [part.divisor for part in parts if part.divisor is not None]
    quotient = _Sums(
        total(values, number),
        total(shares or values, number),
        total(divisors, number) if divisors else number(done.partial.count),
        number(done.partial.rows),
        number(1),
    )
    reduction = cast(Any, call.reduction)
    value = reduction.numerator(quotient) / reduction.denominator(quotient)
    return number(operation.linked(reduction, value))
