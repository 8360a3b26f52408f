"""How far values and gradients are from the exact ones, in units in the last place (ULP).

    python tests/benchmarks/accuracy.py [--points N] [--golden FILE] [LOSS ...]

For each loss and dtype: how many single losses were compared with mpmath, the largest error of a value, that
of a gradient of the sum where its exact form is at hand, and the inputs of the worst value. `--golden` writes
the worst points, which tests/test_accuracy.py computes again, to a file.
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
from losscalc.core.operation import differentiable
from tests.support.exact import is_shared, value_errors
from tests.support.golden import Golden
from tests.support.points import KINDS, Batch, batches
from tests.support.slopes import has_slope, slope_errors

DTYPES = ("float64", "float32")


class Worst(NamedTuple):
    """The largest error of some points, and the arguments of a call with that point alone."""

    ulp: float
    batch: Batch


class Measured(NamedTuple):
    """What was found for a loss in one dtype."""

    name: str
    dtype: str
    points: int
    values: dict[str, Worst]
    slopes: dict[str, float]

    @property
    def worst(self) -> Worst:
        """Of all kinds."""
        return max(self.values.values(), key=lambda worst: worst.ulp)


def alone(batch: Batch, index: int) -> Batch:
    """The call with one of its samples only."""
    arguments = {
        key: value
        if is_shared(batch.name, key, value)
        else np.take(value, [index], axis=1 if key == "log_probs" else 0)
        for key, value in batch.arguments.items()
    }
    return batch._replace(arguments=arguments)


def measure(name: str, dtype: str, least: int) -> Measured:
    """Compare all points of a loss with their exact values."""
    warnings.simplefilter("ignore")
    points, values, slopes = 0, dict[str, Worst](), dict[str, float]()
    for batch in batches(name, dtype, least):
        found = value_errors(name, batch.arguments)
        points += len(found)
        index = int(np.argmax(found))
        if batch.kind not in values or found[index] > values[batch.kind].ulp:
            values[batch.kind] = Worst(found[index], alone(batch, index))
        for wrt in differentiable(losses()[name]):
            if has_slope(name, wrt, batch.arguments):
                errors = slope_errors(name, wrt, batch.arguments)
                slopes[batch.kind] = max([*errors, slopes.get(batch.kind, 0.0)])
    return Measured(name, dtype, points, values, slopes)


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
    print(f"{'loss':29}{'dtype':9}{'points':>7}{'max ULP':>10}{'gradient':>10}  worst point")
    for one in found:
        slope = number(max(one.slopes.values())) if one.slopes else "-"
        worst = one.worst
        print(f"{one.name:29}{one.dtype:9}{one.points:7}{number(worst.ulp):>10}{slope:>10}", end="  ")
        print(f"{worst.batch.kind}: {inputs(worst.batch)}", flush=True)
        yield one


def kinds(found: list[Measured]) -> None:
    """Print the largest error of each kind, of values and of gradients."""
    for what in ("values", "gradients"):
        print(f"\n{what:38}" + "".join(f"{kind:>12}" for kind in KINDS))
        for one in found:
            errors = {k: w.ulp for k, w in one.values.items()} if what == "values" else one.slopes
            if errors:
                print(f"{one.name:29}{one.dtype:9}" + "".join(f"{number(errors[k]):>12}" for k in KINDS))


def golden_rows(found: list[Measured]) -> Iterator[Golden]:
    """The worst point of each kind in float64; in float32 that of all, and what is not rounded correctly."""
    for one in found:
        for worst in one.values.values():
            if worst.ulp and (one.dtype == "float64" or worst.ulp > 0.501 or worst is one.worst):
                yield Golden.of(worst.batch, one.dtype)


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
    if options.golden:
        lines = [row.line for row in golden_rows(found)]
        options.golden.write_text("\n".join([*Golden.HEADER, *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
