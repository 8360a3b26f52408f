"""How long losscalc takes from files to a number as a whole process, beside what would be used instead.

    python tests/benchmarks/reading.py [--runs N] [--numbers N] [--tables ROWS ROWS ...] [--arrays N]
        [--python PATH]

* `losscalc mse` of two CSV files beside `numpy.loadtxt` of the same two, for each kind of numbers.
* `losscalc bce-logits` of two columns of a CSV file (id, logit, label), beside polars and pandas.
* `losscalc mse` of two arrays in NPY, safetensors and Parquet beside a script that loads them into PyTorch.

Commands run in turn, so that a machine that becomes slower slows all; the ratio is that of the medians, and
below 1 where losscalc is faster. All processes include the start of Python and the imports. What is not
installed is left out. `--python` is another Python for losscalc alone, such as a free-threaded one.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

LOADTXT = "import sys, numpy; [numpy.loadtxt(path, delimiter=',') for path in sys.argv[1:]]"
LOSSCALC = [sys.executable, "-m", "losscalc"]
BCE = "print((numpy.maximum(x, 0) - x * y + numpy.log1p(numpy.exp(-numpy.abs(x)))).mean())"
TABLES = {
    "polars": f"""
import sys, numpy, polars
table = polars.read_csv(sys.argv[1], columns=["logit", "label"])
x, y = table["logit"].to_numpy(), table["label"].to_numpy()
{BCE}
""",
    "pandas": f"""
import sys, numpy, pandas
table = pandas.read_csv(sys.argv[1], usecols=["logit", "label"])
x, y = table["logit"].to_numpy(), table["label"].to_numpy()
{BCE}
""",
}
MSE = "print(torch.nn.functional.mse_loss(x, y).item())"
ARRAYS = {
    "npy": f"""
import sys, numpy, torch
x, y = (torch.from_numpy(numpy.load(f"{{sys.argv[1]}}/{{name}}.npy")) for name in "xy")
{MSE}
""",
    "safetensors": f"""
import sys, torch, safetensors.torch
x, y = safetensors.torch.load_file(f"{{sys.argv[1]}}/a.safetensors").values()
{MSE}
""",
    "parquet": f"""
import sys, torch, pyarrow.parquet
table = pyarrow.parquet.read_table(f"{{sys.argv[1]}}/a.parquet")
x, y = (torch.from_numpy(table[name].to_numpy()) for name in "xy")
{MSE}
""",
}
"""The scripts beside which formats are read, which need PyTorch."""
MAKE = """
import sys, importlib.util, numpy
folder, count = sys.argv[1], int(sys.argv[2])
made = {name: numpy.random.default_rng(seed).normal(size=count) for seed, name in enumerate("xy")}
for name, values in made.items():
    numpy.save(f"{folder}/{name}.npy", values)
if importlib.util.find_spec("safetensors"):
    import safetensors.numpy
    safetensors.numpy.save_file(made, f"{folder}/a.safetensors")
if importlib.util.find_spec("pyarrow"):
    import pyarrow.parquet
    pyarrow.parquet.write_table(pyarrow.table(made), f"{folder}/a.parquet")
"""
KINDS: dict[str, tuple[int, Callable[[float], str]]] = {
    "17 digits": (1, repr),
    "17 digits, 10 columns": (10, repr),
    "17 digits, 1,000 columns": (1000, repr),
    "6 decimals": (1, "{:.6f}".format),
    "what numpy.savetxt writes": (1, "{:.18e}".format),
    "float32": (1, lambda number: str(np.float32(number))),
    "whole numbers": (1, lambda number: str(int(number * 1000))),
    "labels 0 and 1": (1, lambda number: str(int(number > 0))),
}


def write(path: Path, numbers: np.ndarray, columns: int, text: Callable[[float], str]) -> str:
    """Write numbers as a table of so many columns."""
    rows = numbers.reshape(-1, columns).tolist()
    path.write_text("".join(",".join(map(text, row)) + "\n" for row in rows))
    return str(path)


class Run(NamedTuple):
    """What one process took: seconds of the clock and of processors, and megabytes."""

    wall: float
    cpu: float
    peak: float


def run(command: Sequence[str]) -> Run:
    """Run a process from start to end."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"{command[:4]} failed")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def compare(what: str, runs: int, commands: dict[str, Sequence[str]]) -> None:
    """Run commands in turn, and print the medians of each, with the ratio of the first to it."""
    taken = [{name: run(command) for name, command in commands.items()} for _ in range(runs + 1)][1:]
    first = statistics.median(each["losscalc"].wall for each in taken)
    for name in commands:
        wall, cpu, peak = map(statistics.median, zip(*(each[name] for each in taken), strict=True))
        print(f"{wall:8.3f} s {cpu:8.3f} s {peak:6.0f} MB {first / wall:6.2f}  {name:<12}{what}", flush=True)


def numbers(runs: int, count: int) -> None:
    """Each kind of numbers in a CSV file, beside loadtxt."""
    values = np.random.default_rng(0).normal(size=(2, count))
    for name, (columns, text) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            x, y = (write(Path(folder, f"{i}.csv"), values[i], columns, text) for i in (0, 1))
            own = [*LOSSCALC, "mse", "--input", x, "--target", y]
            compare(name, runs, {"losscalc": own, "loadtxt": [sys.executable, "-c", LOADTXT, x, y]})


def tables(runs: int, rows: int) -> None:
    """Two of the three columns of a CSV file, beside those who read tables."""
    rng, step = np.random.default_rng(0), 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        with path.open("w") as file:
            file.write("id,logit,label\n")
            for start in range(0, rows, step):
                x = rng.normal(size=min(step, rows - start)).tolist()
                y = rng.integers(0, 2, len(x)).tolist()
                file.writelines(f"{start + i},{a!r},{b}\n" for i, (a, b) in enumerate(zip(x, y, strict=True)))
        own = [*LOSSCALC, "bce-logits", "-i", f"{path}#logit", "-t", f"{path}#label"]
        others = {
            name: [sys.executable, "-c", script, str(path)]
            for name, script in TABLES.items()
            if find_spec(name)
        }
        what = f"CSV of {path.stat().st_size / 1e6:.0f} MB"
        compare(what, runs, {"losscalc": own, "one thread": [*own, "--threads", "1"], **others})


def arrays(runs: int, count: int) -> None:
    """Two arrays in formats of numbers, beside PyTorch."""
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own, as what this one holds would count as that of those it starts.
        subprocess.run([sys.executable, "-c", MAKE, folder, str(count)], check=True)
        for name, (x, y) in {
            "npy": ("x.npy", "y.npy"),
            "safetensors": ("a.safetensors#x", "a.safetensors#y"),
            "parquet": ("a.parquet#x", "a.parquet#y"),
        }.items():
            needed = {"npy": "torch", "parquet": "pyarrow"}.get(name, name)
            if not (find_spec("torch") and find_spec(needed)):
                continue
            own = [*LOSSCALC, "mse", "-i", f"{folder}/{x}", "-t", f"{folder}/{y}"]
            script = [sys.executable, "-c", ARRAYS[name], folder]
            compare(name, runs, {"losscalc": own, "one thread": [*own, "--threads", "1"], "torch": script})


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--numbers", type=int, default=1_000_000)
    parser.add_argument("--tables", type=int, nargs="*", default=[2_000_000, 9_700_000])
    parser.add_argument("--arrays", type=int, default=10_000_000)
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    LOSSCALC[0] = options.python
    print(f"{'clock':>10} {'processors':>10} {'memory':>9}  ratio")
    if options.numbers:
        numbers(options.runs, options.numbers)
    for rows in options.tables:
        tables(options.runs, rows)
    if options.arrays:
        arrays(options.runs, options.arrays)


if __name__ == "__main__":
    main()
