"""How far values and gradients are from the exact ones, in units in the last place (ULP).

    python tests/benchmarks/accuracy.py [--points N] [--golden FILE] [LOSS ...]

For each loss and dtype: how many single losses were compared with mpmath, the largest error where nothing
cancels, elsewhere the largest in ULP of float64 of the largest part of the sum, and the inputs of the worst
value. Then the largest errors by kind of points, and the points of float32 and float16 beyond 0.51 ULP.
`--golden` writes the worst points, which tests/catalogue/test_accuracy.py computes again, to a file.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from losscalc import losses
from tests.support.exact import ROUNDED, Error, value_errors
from tests.support.golden import Golden
from tests.support.points import KINDS, Batch, batches

DTYPES = ("float64", "float32", "float16")


class Worst(NamedTuple):
    """An error, and the arguments of a call with that point alone."""

    error: Error
    batch: Batch

    @property
    def rank(self) -> float:
        """How bad it is: in ULP of the value, or, without the last rounding, of the largest part."""
        rounding = 0.0 if self.batch.dtype == "float64" else 0.5
        of_parts = max(0, self.error.ulp - rounding) / self.error.unit
        return float(of_parts if self.cancels else self.error.ulp)

    @property
    def cancels(self) -> bool:
        """Whether rounding in float64 shows beside that of the result, because parts of a sum cancel."""
        return bool(self.error.unit > (1.0 if self.batch.dtype == "float64" else 2.0**-11))


class Measured(NamedTuple):
    """What was found for a loss in one dtype."""

    name: str
    dtype: str
    points: int
    worst: dict[tuple[str, bool], Worst]
    """By kind, and by whether parts cancel."""
    beyond: list[Worst]
    """Points of float32 and float16 that are not rounded correctly."""

    def largest(self, *, cancels: bool, kind: str = "") -> Worst | None:
        """The worst point with parts that cancel or without."""
        known = [w for (k, c), w in self.worst.items() if c == cancels and kind in ("", k)]
        return max(known, key=lambda one: one.rank, default=None)


def measure(name: str, dtype: str, least: int) -> Measured:
    """Compare all points of a loss with their exact values."""
    warnings.simplefilter("ignore")
    points, worst, beyond = 0, dict[tuple[str, bool], Worst](), []
    for batch in batches(name, dtype, least):
        found = [Worst(error, batch) for error in value_errors(name, batch.arguments)]
        points += len(found)
        for index, one in enumerate(found):
            key = batch.kind, one.cancels
            if key not in worst or one.rank > worst[key].rank:
                worst[key] = Worst(one.error, batch.alone(index))
            if dtype != "float64" and one.error.ulp > ROUNDED:
                beyond.append(Worst(one.error, batch.alone(index)))
    return Measured(name, dtype, points, worst, beyond)


def number(ulp: float) -> str:
    """An error as the table shows it."""
    return f"{ulp:.3f}" if ulp < 1e4 else f"{ulp:.1e}"


def inputs(batch: Batch) -> str:
    """The arguments of a call of one sample in the shortest decimals."""
    return ", ".join(f"{key}={_shown(value)}" for key, value in batch.arguments.items())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(part)}" for key, part in value.items()) + "}"
    if isinstance(value, np.ndarray):
        return str(value.astype(str).tolist()).replace("'", "")
    return str(value)


def table(found: Iterator[Measured]) -> Iterator[Measured]:
    """Print what was found as it comes."""
    print(f"{'loss':29}{'dtype':9}{'points':>7}{'max ULP':>10}{'of parts':>10}  worst point")
    for one in found:
        apart, together = (one.largest(cancels=cancels) for cancels in (False, True))
        shown = "".join(f"{number(w.rank) if w else '-':>10}" for w in (apart, together))
        print(f"{one.name:29}{one.dtype:9}{one.points:7}{shown}", end="  ")
        worst = max((w for w in (apart, together) if w), key=lambda w: w.rank)
        print(f"{worst.batch.kind}: {inputs(worst.batch)}", flush=True)
        yield one


def kinds(found: list[Measured]) -> None:
    """Print the largest error of each kind, where nothing cancels and of the largest part."""
    for what, cancels in (("where nothing cancels", False), ("of the largest part", True)):
        print(f"\n{what:38}" + "".join(f"{kind:>12}" for kind in KINDS))
        for one in found:
            worst = [one.largest(cancels=cancels, kind=kind) for kind in KINDS]
            if any(worst):
                print(f"{one.name:29}{one.dtype:9}", end="")
                print("".join(f"{number(w.rank) if w else '-':>12}" for w in worst))


def rounded_wrong(found: list[Measured]) -> None:
    """Name the points that are not rounded correctly."""
    print(f"\nbeyond {ROUNDED} ULP in float32 and float16")
    for one in found:
        for worst in one.beyond:
            print(f"{one.name:29}{one.dtype:9}{number(float(worst.error.ulp)):>10}", end="  ")
            print(f"{worst.batch.kind}: {inputs(worst.batch)}")


def golden_rows(found: list[Measured]) -> Iterator[Golden]:
    """The worst points of each kind in float64; in float32 that of all, and what is not rounded correctly."""
    for one in found:
        if one.dtype == "float64":
            rows = [w for w in one.worst.values() if w.error.ulp]
        else:
            rows = [*one.beyond[:5], *filter(None, [one.largest(cancels=False)])]
        for worst in rows:
            yield Golden.of(worst.batch)


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("losses", nargs="*", metavar="LOSS", default=list(losses()))
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--golden", type=Path)
    options = parser.parse_args()
    calls = list(product(options.losses, DTYPES))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        names, dtypes = zip(*calls, strict=True)
        found = list(table(pool.map(measure, names, dtypes, [options.points] * len(calls))))
    kinds(found)
    rounded_wrong(found)
    if options.golden:
        lines = [row.line for row in golden_rows(found)]
        options.golden.write_text("\n".join([*Golden.HEADER, *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
