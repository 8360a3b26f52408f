"""Hypotheses on batches: means of means, batches that were left out, and parts of the rows."""

from collections.abc import Callable

import numpy as np

from losscalc.core.array import Array
from losscalc.insight.detect.changes import first, of_rows
from losscalc.insight.detect.denominators import over
from losscalc.insight.detect.hypothesis import Family, always, families, require
from losscalc.insight.detect.kinds import is_square
from losscalc.insight.detect.losses import Losses

_COMMON = sorted(
    {2**k for k in range(1, 21)}
    | {a * 10**k for k in range(7) for a in (1, 2, 3, 4, 5, 6, 8)}
    | {25, 12, 15, 24, 48, 96, 192, 250, 384, 768, 1250, 2500, 12500}
)
_USUAL = (*(2**k for k in range(3, 11)), 10, 50, 100, 1000)
_RANKS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64, 128, 256, 512, 1024)
# How much of a moving average is that before.
_DECAYS = (0.9, 0.98, 0.99)
# With up to so many rows, every size of a batch is tried, where this is done once; or every time.
_ALL_SIZES, _ALL_SIZES_ALWAYS = 2048, 64


def sizes(losses: Losses) -> Array:
    """The sizes of batches that are tried."""
    rows = len(losses.of_rows[0])
    if rows <= (_ALL_SIZES if losses.is_thorough else _ALL_SIZES_ALWAYS):
        return np.arange(2, rows)
    return np.array([size for size in (_COMMON if losses.is_thorough else _USUAL) if size < rows])


def _edges(rows: int, size: int) -> Array:
    return np.append(np.arange(0, rows, size), rows)


def _of_batches(
    function: Callable[[Losses, Array, Array, int], float],
) -> Callable[[Losses, Array], Array]:
    """A function of what batches add to numerator and denominator, for each of several sizes."""

    def values(losses: Losses, keys: Array) -> Array:
        share, divisor = losses.cumulated
        rows = len(share) - 1
        require(divisor[-1])
        found = np.empty(len(keys))
        for place, size in enumerate(np.asarray(keys, np.int64).tolist()):
            require(size > 0)
            if size not in losses.memo:
                edges = _edges(rows, size)
                numerator, denominator = share[edges], divisor[edges]
                losses.memo[size] = numerator[1:] - numerator[:-1], denominator[1:] - denominator[:-1]
            found[place] = function(losses, *losses.memo[size], size)
        return found

    return values


def _batch_means(losses: Losses, share: Array, divisor: Array) -> Array:
    return losses.linked(share / divisor if divisor.all() else share[divisor > 0] / divisor[divisor > 0])


def prefix(losses: Losses, keys: Array) -> Array:
    """The mean of so many rows, the first ones, or the last ones if negative (all but so many)."""
    share, divisor = losses.cumulated
    places = np.asarray(keys, np.int64)
    require((np.abs(places) < len(share) - 1).all() and places.all())
    whole = np.where(places < 0, share[-1] - share[np.abs(places)], share[np.abs(places)])
    count = np.where(places < 0, divisor[-1] - divisor[np.abs(places)], divisor[np.abs(places)])
    return np.asarray(losses.linked(whole / count))


def _suffix(losses: Losses, keys: Array) -> Array:
    rows = len(losses.cumulated[0]) - 1
    return prefix(losses, np.asarray(keys, np.int64) - rows)


def _parts(losses: Losses) -> Array:
    """The numbers of rows that are tried as a part of all."""
    rows = len(losses.of_rows[0])
    if rows <= (_ALL_SIZES if losses.is_thorough else _ALL_SIZES_ALWAYS):
        return np.arange(1, rows)
    return np.array([1, *(size for size in (_COMMON if losses.is_thorough else _USUAL) if size < rows)])


_averaged = _of_batches(lambda s, share, divisor, size: float(_batch_means(s, share, divisor).mean()))


def _means_of_batches(losses: Losses, keys: Array) -> Array:
    """The mean of the losses of batches, each computed by itself where a batch is more than its rows."""
    if losses.is_single and not losses.call.operation.whole_batch:
        return _averaged(losses, keys)
    names, found = of_rows(losses.call), []
    rows = len(first(losses.call))
    for size in np.asarray(keys, np.int64).tolist():
        require(0 < size < rows)
        parts = []
        for start in range(0, rows, size):
            arrays = {
                name: np.asarray(values)[start : start + size] if name in names else values
                for name, values in losses.call.arrays.items()
            }
            parts.append(float(Losses.of(losses.call._replace(arrays=arrays)).whole))
        found.append(float(np.mean(parts)))
    return np.array(found)


def _sizes_of_means(losses: Losses) -> Array:
    if losses.is_single and not losses.call.operation.whole_batch:
        return sizes(losses)
    require(losses.is_thorough and not losses.call.reduction.keeps)
    rows = len(first(losses.call))
    of_rows(losses.call)
    return np.array(
        [
            size
            for size in (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 25, 30, 32, 40, 50, 64, 100, 128, 256)
            if size < rows
        ]
    )


def _all_ranks(losses: Losses) -> Array:
    """The numbers of processes that are tried."""
    return np.array([ranks for ranks in _RANKS if ranks < len(losses.of_rows[0])])


def _ranks(losses: Losses) -> Array:
    """Those between which the rows do not divide evenly."""
    found = _all_ranks(losses)
    return np.asarray(found[len(losses.of_rows[0]) % found > 0])


def _padded(losses: Losses, keys: Array) -> Array:
    """The mean with as many of the first rows once more as make the rows a multiple."""
    share, divisor = losses.cumulated
    more = -(len(share) - 1) % np.asarray(keys, np.int64)
    return np.asarray(losses.linked((share[-1] + share[more]) / (divisor[-1] + divisor[more])))


def _in_turn(losses: Losses, ranks: int) -> Array:
    """The means of so many processes, which take the rows in turn."""
    share, divisor = (np.array([r[rank::ranks].sum() for rank in range(ranks)]) for r in losses.of_rows)
    require(divisor.all())
    return _batch_means(losses, share, divisor)


def _moving(means: Array, decay: float) -> float:
    """The exponential moving average, which begins with the first mean."""
    powers = decay ** np.arange(len(means) - 1, -1, -1.0)
    shares = np.append(powers[:1], (1 - decay) * powers[1:])
    return float((shares * means).sum())


_FAMILIES: tuple[Family, ...] = (
    ("batch-means", "the means of batches of {number} were averaged, the last of which may be smaller",
     2.0, _means_of_batches, _sizes_of_means, always),
    ("full-batches", "the last, incomplete batch of {number} was dropped", 2.5,
     lambda s, keys: prefix(s, len(s.of_rows[0]) // keys * keys), lambda s: _uneven(s), always),
    ("last-batch", "it is the last batch of {number} alone, which may be smaller", 4.0,
     lambda s, keys: _suffix(s, (len(s.of_rows[0]) - 1) % keys + 1), sizes, always),
    ("batch-means-sum", "the means of batches of {number} were added up", 4.0,
     _of_batches(lambda s, share, divisor, size: float(_batch_means(s, share, divisor).sum())), sizes,
     always),
    ("over-batches", "the sum was divided by the number of batches times the batch size, {number}", 4.0,
     _of_batches(lambda s, share, divisor, size: float(share.sum()) / (len(share) * size)),
     lambda s: _uneven(s), always),
    ("batch-sums", "the sums of batches of {number} were averaged", 4.0,
     _of_batches(lambda s, share, divisor, size: float(share.mean())), sizes, always),
    ("sized-means", "the means of batches of {number}, times that, were added up and divided by the number "
     "of rows: the last one, which is smaller, counts as much as the others", 2.5,
     _of_batches(lambda s, share, divisor, size: float(_batch_means(s, share, divisor).sum())
                 * size / len(s.of_rows[0])), lambda s: _uneven(s), always),
    ("means-over-full", "the means of batches of {number} were added up and divided by the number of full "
     "ones", 3.5,
     _of_batches(lambda s, share, divisor, size: over(float(_batch_means(s, share, divisor).sum()),
                                                      len(s.of_rows[0]) // size)),
     lambda s: _uneven(s), always),
    ("padded-rows", "the first rows were repeated until the rows were a multiple of {number}, as "
     "DistributedSampler does", 3.0, _padded, _ranks, always),
    ("rank-means", "the means of {number} processes, which took the rows in turn, were averaged", 3.5,
     lambda s, keys: np.array([_in_turn(s, int(ranks)).mean() for ranks in keys]), _ranks, always),
    ("first-rank", "it is the mean of the first of {number} processes, which took the rows in turn", 4.0,
     lambda s, keys: np.array([_in_turn(s, int(ranks))[0] for ranks in keys]), _all_ranks, always),
    ("batch-perplexities", "the perplexities of batches of {number} were averaged", 4.5,
     _of_batches(lambda s, share, divisor, size: float(np.exp(_batch_means(s, share, divisor)).mean())),
     sizes, lambda loss: loss.is_likelihood and loss.link is None),
    ("batch-roots", "the square roots of the means of batches of {number} were averaged", 4.5,
     _of_batches(lambda s, share, divisor, size: float(np.sqrt(_batch_means(s, share, divisor)).mean())),
     sizes, lambda loss: is_square(loss) and loss.link is None),
    ("first-rows", "only the first {number} rows were averaged", 4.0, prefix, _parts, always),
    ("last-rows", "only the last {number} rows were averaged", 4.5, _suffix, _parts, always),
)  # fmt: skip


def _uneven(losses: Losses) -> Array:
    """The sizes of batches of which the last is incomplete."""
    found, rows = sizes(losses), len(losses.of_rows[0])
    return np.asarray(found[rows % found > 0])


def _average(decay: float) -> Family:
    """That it is the moving average of the means of batches."""

    def average(losses: Losses, share: Array, divisor: Array, size: int) -> float:
        return _moving(_batch_means(losses, share, divisor), decay)

    sentence = f"it is the moving average, with {decay:g} of the last one, of the means of batches of "
    return f"moving-average-{decay:g}", sentence + "{number}", 4.0, _of_batches(average), sizes, always


BATCHES = families("aggregation", (*_FAMILIES, *map(_average, _DECAYS)))
