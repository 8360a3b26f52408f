"""The value of a call to any number of digits: the same `terms`, on arrays of numbers that have them."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

import numpy as np

from losscalc.core.array import Array
from losscalc.core.declaration import parameters
from losscalc.core.operation import Operation
from losscalc.core.reductions import MEAN, Terms
from losscalc.engine import compute as engine
from losscalc.engine.block import NOT_FINITE, Sample
from losscalc.engine.call import AnyCall
from losscalc.engine.compute import OUT_OF_RANGE, Computation
from losscalc.engine.reals import Real, as_decimal, as_reals, check_mpmath, objects, reals, total
from losscalc.errors import DomainError, ParameterError

_MOST_DIGITS = 1000
_MOST_ELEMENTS = 10_000

# Bits to spare, and in how many of them two attempts agree beyond the digits that are wanted.
_SPARE, _AGREED = 64, 16
# So many bits hold any sum of products of two float64 numbers.
_ALL_BITS = 5000


def compute(call: AnyCall, digits: int) -> Computation:
    """What a call comes to, as decimal numbers with so many correct digits.

    The arrays are those that float64 would be computed of, and so are the parameters: 0.1 is the number that
    float64 has for it. What is refused, and warned of, is what float64 is.
    """
    _check(call, digits)
    done = engine.compute(call._replace(samples=_MOST_ELEMENTS + 1, digits=None))
    _check_size(call, done)
    found = _settled(call, done, math.ceil(digits * math.log2(10)))
    value = objects((as_decimal(number, digits) for number in found), done.value.shape)
    warnings = done.warnings
    if all(number.is_finite() for number in value.flat):
        # What is beyond float64 need not be beyond these numbers.
        warnings = tuple(w for w in warnings if NOT_FINITE not in w.problem and OUT_OF_RANGE not in w.problem)
    return done._replace(value=value, warnings=warnings, samples=())


def _check(call: AnyCall, digits: int) -> None:
    is_whole = isinstance(digits, int | np.integer) and not isinstance(digits, bool)
    if not is_whole or not 1 <= digits <= _MOST_DIGITS:
        problem = f"`digits` must be a whole number from 1 to {_MOST_DIGITS:,}"
        raise ParameterError(problem, found=digits, argument="digits")
    if call.wrt is not None:
        raise ParameterError("`digits` are those of a loss, not of its gradient", argument="digits")
    if any(callable(value) for value in call.operation.settings.values()):
        raise ParameterError("a function of your own has the digits of float64", argument="digits")
    check_mpmath()


def _check_size(call: AnyCall, done: Computation) -> None:
    """Refuse what would take long: a number here takes as long as thousands of float64."""
    cut, sizes = call.layout.cut, Counter[str]()
    for name, array in _arrays(done.samples):
        sizes[name] = array.size + (sizes[name] if name in cut else 0)
    name, size = sizes.most_common(1)[0]
    if max(size, done.partial.rows) > _MOST_ELEMENTS:
        argument = name.partition(".")[0]
        raise ParameterError(
            f"`digits` are for arrays of at most {_MOST_ELEMENTS:,} elements, and `{argument}` has more",
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
    """The numbers in which an attempt and another with more bits agree."""
    bits = wanted + _SPARE + 2 * _range(call, done)
    last = _attempt(call, done, bits)
    for more in (bits * 5 // 4, max(4 * bits, _ALL_BITS), max(16 * bits, 4 * _ALL_BITS)):
        found = _attempt(call, done, more)
        # A zero may be what is left of digits that were lost.
        is_zero = more >= _ALL_BITS
        if all(_agree(a, b, wanted) and (is_zero or b != 0) for a, b in zip(last, found, strict=True)):
            return found
        last = found
    raise DomainError("the digits of a result do not settle", argument="digits")


def _range(call: AnyCall, done: Computation) -> int:
    """How many bits are between the largest and the smallest number: twice as many hold sums of products."""
    arrays = [array for _, array in _arrays(done.samples) if array.dtype.kind == "f"]
    settings = [value for value in call.operation.settings.values() if isinstance(value, float)]
    exponents = [0]
    for numbers in (*arrays, np.array(settings, dtype=np.float64)):
        used = np.frexp(numbers[np.isfinite(numbers) & (numbers != 0)])[1]
        exponents += [int(used.min()), int(used.max())] if used.size else []
    return max(exponents) - min(exponents)


def _agree(one: Real, other: Real, wanted: int) -> bool:
    if one != one or one == other:
        return bool(other != other or one == other)
    return bool(abs(other - one) * (1 << wanted + _AGREED) <= abs(other))


def _attempt(call: AnyCall, done: Computation, bits: int) -> list[Real]:
    """The values, or the one that they are reduced to, in numbers of so many bits."""
    number = reals(bits)
    operation = _with_exact_parameters(call.operation, number)
    with np.errstate(all="ignore"):
        parts = [_exact_terms(operation, sample, number) for sample in done.samples]
    if call.reduction.keeps and parts[0].sums is None:
        return [value for part in parts for value in part.value.flat]
    return [_reduced(call, operation, parts, done, number)]


def _with_exact_parameters(operation: Operation, number: Real) -> Operation:
    """The operation with exact numbers for parameters, so that 1 - α and 1/p have all digits too."""
    exact = object.__new__(type(operation))
    floats = {parameter.name for parameter in parameters(type(operation)) if parameter.kind is float}
    for name, value in operation.__dict__.items():
        exact.__dict__[name] = number(float(value)) if name in floats and value is not None else value
    return exact


def _exact_terms(operation: Operation, sample: Sample, number: Real) -> Terms:
    """The terms of a block; what float64 says is NaN, is."""

    def alike(values: Any, floats: Array) -> Array:
        exact = np.broadcast_to(np.asarray(values, dtype=object), floats.shape)
        # Of NaN and another object, either is the larger.
        pairs = zip(exact.flat, floats.ravel().tolist(), strict=True)
        return objects((number(b if b != b else a) for a, b in pairs), floats.shape)

    terms = operation.terms(**{name: as_reals(values, number) for name, values in sample.arguments.items()})
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
    """What reductions look at, in exact numbers."""

    total: Real
    numerator: Real
    denominator: Real
    batch: Real
    one: Real


def _reduced(
    call: AnyCall, operation: Operation, parts: list[Terms], done: Computation, number: Real
) -> Real:
    """The one number that all terms come to."""
    if parts[0].sums is not None:
        names, several = parts[0].sums, [part.sums for part in parts if part.sums is not None]
        return number(operation.finish({name: total((s[name] for s in several), number) for name in names}))
    values = [part.value for part in parts]
    shares = [part.share for part in parts if part.share is not None]
    divisors = [part.divisor for part in parts if part.divisor is not None]
    sums = _Sums(
        total(values, number),
        total(shares or values, number),
        total(divisors, number) if divisors else number(done.partial.count),
        number(done.partial.rows),
        number(1),
    )
    reduction = cast(Any, call.reduction)
    value = reduction.numerator(sums) / reduction.denominator(sums)
    is_linked = operation.link is not None and reduction.name == MEAN.name
    return number(operation.link.of(value)) if is_linked and operation.link else value
