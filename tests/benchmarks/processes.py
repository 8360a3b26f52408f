"""How long whole processes of losscalc take, from files to a number, and how much memory.

    python tests/benchmarks/processes.py [--runs N] [--json FILE]

Needs `pip install torch==2.13.0`. Each command runs in turn with the one it is held against, so that a
machine that becomes slower slows both; times are medians of whole processes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

SAMPLES = Path(__file__).parents[2] / "samples"
LOSSCALC = [sys.executable, "-m", "losscalc"]
NUMPY = [sys.executable, "-c", "import numpy"]
TORCH = """
import sys, numpy, torch
x, y = (torch.from_numpy(numpy.load(path)) for path in sys.argv[1:])
print(torch.nn.functional.mse_loss(x, y).item())
"""
LOADTXT = "import sys, numpy; [numpy.loadtxt(path, delimiter=',') for path in sys.argv[1:]]"
MANY = 10_000_000
SIZES = (10**4, 10**5, 10**6, 10**7, 10**8)
# Not the figure of getrusage, which a process takes over from the one that started it.
REPORT = "import sys; print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr)"
RUN = "import sys, losscalc.cli; losscalc.cli.run(sys.argv[1:])"


class Row(NamedTuple):
    """One line of the table: what was measured, the figure, what it is held against, and the goal."""

    what: str
    figure: float
    unit: str
    against: str
    ratio: float
    goal: str


def seconds(command: list[str]) -> float:
    """The wall time of one process from start to end."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    return time.perf_counter() - start


def medians(runs: int, *commands: list[str]) -> list[float]:
    """The median times of commands that take turns, after a run of each that is not counted."""
    times = [[seconds(command) for command in commands] for _ in range(runs + 1)][1:]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def peak(code: str, *arguments: str) -> float:
    """The peak memory of a fresh interpreter in MB, as it reports it itself."""
    command = [sys.executable, "-c", f"{code}; {REPORT}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stderr.split()[-1]) * 1024 / 1e6


def startup(runs: int) -> Row:
    """A small call in a pipe, beside importing NumPy alone."""
    example = ["bce-logits", "--input", f"{SAMPLES}/logits.csv", "--target", f"{SAMPLES}/labels.csv"]
    own, base = medians(3 * runs, [*LOSSCALC, *example], NUMPY)
    return Row("3x3 CSV to a pipe", own * 1e3, "ms", "import numpy", own / base, "at most 1.45")


def arrays(runs: int, folder: Path) -> Row:
    """Two NPY files of 80 MB, beside the script that does the same with PyTorch."""
    paths = [str(folder / f"{name}.npy") for name in "xy"]
    for seed, path in enumerate(paths):
        np.save(path, np.random.default_rng(seed).normal(size=MANY))
    own, base = medians(
        runs,
        [*LOSSCALC, "mse", "-i", paths[0], "-t", paths[1]],
        [sys.executable, "-c", TORCH, *paths],
    )
    return Row("two NPY of 80 MB, mse", own * 1e3, "ms", "PyTorch's script", base / own, "at least 5 faster")


def tables(runs: int, folder: Path) -> Row:
    """Two CSV files of a million numbers, beside loadtxt of the same."""
    paths = [str(folder / f"{name}.csv") for name in "xy"]
    for seed, path in enumerate(paths):
        np.savetxt(path, np.random.default_rng(seed).normal(size=10**6), fmt="%.17g")
    own, base = medians(
        runs,
        [*LOSSCALC, "mse", "-i", paths[0], "-t", paths[1]],
        [sys.executable, "-c", LOADTXT, *paths],
    )
    return Row("two CSV of a million numbers", own * 1e3, "ms", "numpy.loadtxt", own / base, "at most 1")


def memory(folder: Path) -> Row:
    """Two NPY files of 2 GB, which hold zeros that need no disk."""
    paths = [str(folder / f"{name}-large.npy") for name in "xy"]
    for path in paths:
        with open(path, "wb") as file:
            entries = {"descr": "<f8", "fortran_order": False, "shape": (250_000_000,)}
            np.lib.format.write_array_header_1_0(file, entries)
            file.truncate(file.tell() + 2 * 10**9)
    own, base = peak(RUN, "mse", "-i", paths[0], "-t", paths[1]), peak("import numpy")
    what, goal = "two NPY of 2 GB, peak memory", "at most 150 MB"
    return Row(what, own - base, "MB", "over import numpy", own / base, goal)


def linearity() -> Iterator[Row]:
    """The time for an element in Python, from ten thousand to a hundred million of them."""
    import losscalc

    base = None
    for size in SIZES:
        x, y = (np.random.default_rng(seed).normal(size=size) for seed in (0, 1))
        times = []
        for _ in range(max(3, min(50, 10**8 // size // 10))):
            start = time.perf_counter()
            losscalc.compute("mse", x, y)
            times.append(time.perf_counter() - start)
        each = statistics.median(times) / size * 1e9
        base = base or each
        yield Row(f"mse of {size:,}", each, "ns each", f"{SIZES[0]:,}", each / base, "linear")


def rows(runs: int) -> Iterator[Row]:
    """All measurements."""
    yield startup(runs)
    with tempfile.TemporaryDirectory() as name:
        yield arrays(runs, Path(name))
        yield tables(runs, Path(name))
        yield memory(Path(name))
    yield from linearity()


def main() -> None:
    """Measure, print the table, and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", help="where to write the table")
    options = parser.parse_args()
    table = []
    for row in rows(options.runs):
        table.append(row)
        print(
            f"{row.what:<32}{row.figure:>9.1f} {row.unit:<8}{row.ratio:>7.2f}  {row.against} ({row.goal})",
            flush=True,
        )
    if options.json:
        Path(options.json).write_text(json.dumps([row._asdict() for row in table], indent=1) + "\n")


if __name__ == "__main__":
    main()
