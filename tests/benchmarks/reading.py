"""How long `losscalc mse` of two CSV files takes as a whole process, beside `numpy.loadtxt` of the same two.

    python tests/benchmarks/reading.py [RUNS] [NUMBERS]

Each kind of file has so many numbers (a million unless told otherwise). The two commands run in turn, so
that a machine that becomes slower slows both; the ratio is that of the medians, and below 1 where losscalc
has its loss before NumPy has its arrays. Both processes include the start of Python and the import of NumPy.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

LOADTXT = "import sys, numpy; [numpy.loadtxt(path, delimiter=',') for path in sys.argv[1:]]"
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


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """The wall time of one process from start to end."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure each kind of file, and print the medians and their ratio."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    numbers = np.random.default_rng(0).normal(size=(2, count))
    print(f"{'loadtxt':>10} {'losscalc':>10}  ratio")
    for name, (columns, text) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            x, y = (write(Path(folder, f"{i}.csv"), numbers[i], columns, text) for i in (0, 1))
            commands = (
                [sys.executable, "-c", LOADTXT, x, y],
                [sys.executable, "-m", "losscalc", "mse", "--input", x, "--target", y],
            )
            times = [[seconds(command, environment) for command in commands] for _ in range(runs + 1)][1:]
        loadtxt, own = map(statistics.median, zip(*times, strict=True))
        print(f"{loadtxt * 1e3:7.0f} ms {own * 1e3:7.0f} ms  {own / loadtxt:5.2f}  {name}")


if __name__ == "__main__":
    main()
