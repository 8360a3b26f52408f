"""How an expected array lies to the value: where they differ, in what, and whether numbers changed places."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.compare import Comparison, Tolerance
from losscalc.insight.detect.changes import first, target_name
from losscalc.insight.detect.hypothesis import NotApplicable, bits_of
from losscalc.insight.detect.search import Fact

# So many rows are told by number, and so many shifts and labels tried.
_MOST_TOLD, _MOST_TRIED = 6, 64
# What a factor or an offset of fewer numbers may cost, in bits, to be told.
_FEW, _ROUND_BITS = 3, 5.0
# Where more than this share of the numbers differ, the others agree by chance.
_NEARLY_ALL = 0.9
_FROM_0 = "counted from 0"


class Pair(NamedTuple):
    """The value and the expected array of a call, and where they differ."""

    call: Call
    value: Array
    expected: Array
    differs: np.ndarray
    tolerance: Tolerance

    @classmethod
    def of(cls, call: Call, comparison: Comparison, tolerance: Tolerance) -> "Pair":
        """The two arrays of a comparison."""
        value, expected = comparison.value, comparison.expected
        with np.errstate(all="ignore"):
            differs = ~tolerance.agree(value, expected)
        return cls(call, value, expected, differs, tolerance)

    def agrees(self, value: Array) -> bool:
        """Whether another array agrees with the expected one."""
        with np.errstate(all="ignore"):
            return value.shape == self.expected.shape and bool(
                self.tolerance.agree(value, self.expected).all()
            )


def facts(pair: Pair) -> Iterator[Fact]:
    """What is so of the two arrays, the most telling first."""
    if not pair.differs.any() or pair.value.size < 2:
        return
    with np.errstate(all="ignore"):
        moved = _moved(pair)
        changed = _changed(pair)
    if moved is not None:
        yield moved
    if changed is not None and (moved is None or changed.name != "differs"):
        yield changed


# -- what is done to numbers where they differ ------------------------------------------------------------


def _changed(pair: Pair) -> Fact | None:
    """What all numbers that differ have in common, and where they are."""
    v, e = pair.value[pair.differs], pair.expected[pair.differs]
    is_everywhere = bool(pair.differs.all())
    for name, holds, what in (
        ("nan", np.isnan(e), "NaN"),
        ("infinite", np.isinf(e), "infinite"),
        ("zero", e == 0, "0"),
    ):
        if holds.all():
            where = "every number is" if is_everywhere else _place(pair, "are")
            return Fact(name, f"{where} {what}, where the value has numbers", not is_everywhere)
    # A factor leaves zeros alone.
    is_everywhere_else = is_everywhere or not pair.value[~pair.differs].any()
    scale = _scale(pair, v, e)
    if scale is not None:
        name, what = scale
        if is_everywhere_else:
            return Fact(name, f"every number {what}")
        return Fact(name, f"{_place(pair, 'differ')}, and each of them {what}; all others agree", True)
    offset = _offset(pair, v, e)
    if offset is not None and is_everywhere:
        return Fact("offset", f"every number is the value {offset}")
    if offset is not None:
        told = f"{_place(pair, 'differ')}, and each of them is the value {offset}; all others agree"
        return Fact("offset", told, True)
    if float(pair.differs.mean()) > _NEARLY_ALL:
        return None
    return Fact("differs", f"only {_place(pair, 'differ')}; all others agree", True)


def _is_told(number: float, values: Array) -> bool:
    """Whether a number that was found from the values says something: others agree, or it is round."""
    several = len(np.unique(values))
    return several >= _FEW or (several > 1 and bits_of(number) <= _ROUND_BITS)


def _scale(pair: Pair, v: Array, e: Array) -> tuple[str, str] | None:
    """By what the values are multiplied or divided; its name, and what is said of a number."""
    ratios = e / v
    if not np.isfinite(ratios).all() or not ratios.all():
        return None
    # The largest number has the most digits.
    ratio = float(ratios[np.argmax(np.abs(e))])
    if not pair.tolerance.agree(v * ratio, e).all():
        return None
    sign = ", with the opposite sign" if ratio < 0 else ""
    number = _rounded(abs(ratio), pair.tolerance)
    divisor = _rounded(1 / abs(ratio), pair.tolerance)
    if number == 1:
        return ("negated", "has the opposite sign")
    if divisor > 1 and (_count(pair, divisor) or divisor.is_integer()):
        text = f"is the value divided by {divisor:.7g}{_count(pair, divisor, -1)}{sign}"
        return ("scaled", text) if _is_told(divisor, v) else None
    text = f"is the value times {number:.7g}{_count(pair, number)}{sign}"
    return ("scaled", text) if _is_told(number, v) else None


def _offset(pair: Pair, v: Array, e: Array) -> str | None:
    """What is added to the values."""
    gap = float(np.median(e - v))
    if not math.isfinite(gap) or gap == 0 or not pair.tolerance.agree(v + gap, e).all():
        return None
    # The sums have fewer digits of it than it has itself.
    scale = max(float(np.abs(e).max()), abs(gap)) / abs(gap)
    number = _rounded(abs(gap), Tolerance(pair.tolerance.rtol * scale, 0.0))
    return f"{'plus' if gap > 0 else 'minus'} {number:.7g}" if _is_told(number, v) else None


def _rounded(number: float, tolerance: Tolerance) -> float:
    """The roundest number that is the same for the tolerance."""
    for digits in range(1, 8):
        rounded = float(f"{number:.{digits}g}")
        if abs(rounded - number) <= max(tolerance.rtol, 1e-9) * number:
            return rounded
    return number


def _count(pair: Pair, number: float, power: int = 1) -> str:
    """What a number counts, and what that says of a gradient; '' if it counts nothing known."""
    shape = first(pair.call).shape
    labels = _labels(pair)
    counts = {
        "the number of elements": math.prod(shape),
        "the number of rows": shape[0] if shape else 0,
        "the number of columns": shape[1] if len(shape) > 1 else 0,
        "the number of losses": 0 if labels is None else labels.size,
    }
    name = next((name for name, count in counts.items() if count > 1 and count == number), "")
    if not name:
        return ""
    call = pair.call
    is_sum = call.reduction.keeps or call.reduction.name == "sum"
    is_all = power < 0 and is_sum and number == _terms(call)
    if call.wrt is not None and is_all:
        return f", {name}: the gradient of the mean"
    if call.wrt is not None and power > 0 and call.reduction.name == "mean" and number == _terms(call):
        return f", {name}: the gradient of the sum"
    return f", {name}"


def _terms(call: Call) -> float:
    """How many losses a mean is taken of; NaN if that is not to be had."""
    from losscalc.insight.detect.losses import Losses

    try:
        return Losses.of(call._replace(wrt=None)).counted
    except NotApplicable:
        return math.nan


# -- where numbers differ ---------------------------------------------------------------------------------


def _place(pair: Pair, verb: str) -> str:
    """Where the numbers stand that differ: a label, rows, columns, or a count of them."""
    label = _label(pair)
    if label is not None:
        return f"the numbers of label {label} {verb}"
    if pair.differs.ndim > 1:
        found = [
            (len(places), axis, places)
            for axis in (0, 1)
            if len(places := _along(pair.differs, axis)) < pair.differs.shape[axis]
        ]
        if found:
            count, axis, places = min(found)
            word = ("row", "column")[axis]
            return _numbered(places, word, verb, pair.differs.shape[axis])
    elif pair.differs.ndim == 1:
        return _numbered(_along(pair.differs, 0), "row", verb, len(pair.differs))
    count = int(np.count_nonzero(pair.differs))
    return f"{count} of {pair.differs.size} numbers {verb}"


def _along(mask: np.ndarray, axis: int) -> list[int]:
    """The places along an axis at which anything is set."""
    others = tuple(each for each in range(mask.ndim) if each != axis)
    return [int(each) for each in np.flatnonzero(mask.any(axis=others))]


def _numbered(places: Sequence[int], word: str, verb: str, size: int) -> str:
    if len(places) == 1:
        singular = {"differ": "differs", "are": "is"}[verb]
        return f"{word} {places[0]} ({_FROM_0}, of {size}) {singular}"
    if len(places) > 2 and places[-1] - places[0] == len(places) - 1:
        told = f"{places[0]} to {places[-1]}"
    elif len(places) <= _MOST_TOLD:
        told = f"{', '.join(map(str, places[:-1]))} and {places[-1]}"
    else:
        told = f"{', '.join(map(str, places[:_MOST_TOLD]))} and {len(places) - _MOST_TOLD} more"
    return f"{word}s {told} ({_FROM_0}, of {size}) {verb}"


def _labels(pair: Pair) -> Array | None:
    """The label of each number, if the target can be labels: of each itself, or of its row."""
    try:
        labels = np.asarray(pair.call.arrays[target_name(pair.call)])
    except NotApplicable:
        return None
    shape = pair.value.shape
    has_classes = pair.call.operation.labels in CLASS_KINDS
    if labels.shape == shape:
        pass
    elif has_classes and labels.ndim == len(shape) - 1 and labels.shape == (shape[:1] + shape[2:]):
        labels = np.broadcast_to(np.expand_dims(labels, 1), shape)
    else:
        return None
    is_whole = labels.dtype.kind in "iub" or bool((labels == np.rint(labels)).all())
    return labels if is_whole else None


def _label(pair: Pair) -> str | None:
    """The label of which all numbers differ, and no others."""
    labels = _labels(pair)
    if labels is None or not pair.differs.any():
        return None
    found = np.unique(labels[pair.differs])
    is_one = len(found) == 1 and len(np.unique(labels)) > 1
    if not is_one:
        return None
    of_label = labels == found[0]
    # Where the value is 0, nothing can be seen.
    are_all = bool((pair.differs | (pair.value == 0))[of_label].all())
    several = np.count_nonzero(pair.differs) > 1
    return f"{float(found[0]):g}" if are_all and several else None


# -- numbers that changed places -------------------------------------------------------------------------


def _moved(pair: Pair) -> Fact | None:
    """Whether the expected numbers are those of the value, in other places."""
    value = pair.value
    order = _order(value.reshape(-1, 1), pair.expected.reshape(-1, 1), pair.tolerance)
    if order is None or len(np.unique(value)) < 2:
        return None
    for axis, word in enumerate(("rows", "columns")[: value.ndim]):
        known = _moved_along(pair, axis, word if value.ndim > 1 else "numbers")
        if known is not None:
            return known
    if value.ndim > 1:
        swapped = np.swapaxes(value, -1, -2)
        if pair.agrees(swapped):
            return Fact("transposed", "the expected array is the value transposed, rows for columns")
        if pair.agrees(swapped.reshape(value.shape)):
            return Fact(
                "transposed", "the expected array is the value in the order of its columns (transposed)"
            )
    return Fact("reordered", "the expected numbers are those of the value in another order")


def _moved_along(pair: Pair, axis: int, word: str) -> Fact | None:
    """Whether whole rows (or columns) changed places, and how."""
    value, expected = (np.moveaxis(each, axis, 0) for each in (pair.value, pair.expected))
    turned = pair._replace(value=value, expected=expected)
    if turned.agrees(value[::-1]):
        return Fact("reversed", f"the expected {word} are those of the value in reversed order")
    shift = _shift(turned)
    if shift is not None:
        more = f"the expected {word} are those of the value, {abs(shift)} further "
        if shift > 0:
            return Fact("rolled", f"{more}on, the last {word} coming first (rolled by {shift})")
        return Fact("rolled", f"{more}back, the first {word} coming last (rolled by {shift})")
    one, other = (each.reshape(len(each), -1) for each in (value, expected))
    order = _order(one, other, pair.tolerance)
    if order is None:
        return None
    moving = _along(np.moveaxis(pair.differs, axis, 0), 0)
    if len(moving) == 2:
        return Fact("exchanged", f"{word} {moving[0]} and {moving[1]} ({_FROM_0}) are exchanged")
    return Fact("reordered", f"the expected {word} are those of the value in another order")


def _shift(pair: Pair) -> int | None:
    """By how many rows the value is rolled, the smallest shift; None if it is not."""
    size = len(pair.value)
    same = pair.tolerance.agree(pair.value, pair.expected[:1]).reshape(size, -1).all(axis=1)
    shifts = [(-int(row) + size // 2) % size - size // 2 for row in np.flatnonzero(same)]
    tried = sorted(shifts, key=abs)[:_MOST_TRIED]
    return next((each for each in tried if each and pair.agrees(np.roll(pair.value, each, axis=0))), None)


def _order(value: Array, expected: Array, tolerance: Tolerance) -> Array | None:
    """The order in which the rows of the value are those expected, if they are."""
    # Rows are sorted by a sum that tells them apart.
    weights = np.cos(np.arange(value.shape[1]) + 1.0)
    one, other = (np.argsort(np.nan_to_num(rows) @ weights, kind="stable") for rows in (value, expected))
    if not tolerance.agree(value[one], expected[other]).all():
        return None
    order = np.empty(len(one), np.int64)
    order[other] = one
    return order
