"""How long small commands take as whole processes, beside importing NumPy alone.

    python tests/benchmarks/startup.py [RUNS]

The commands run in turn, so that a machine that becomes slower slows all; the ratios are those of the
medians. A small call in a pipe is to take at most 1.45 times as long as the import, and the version 0.5
times. Bytecode is written first, as an installer does.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples"
EXAMPLE = ["bce-logits", "--input", str(SAMPLES / "logits.csv"), "--target", str(SAMPLES / "labels.csv")]
COMMANDS = {
    "import numpy": [sys.executable, "-c", "import numpy"],
    "losscalc bce-logits, 3x3, in a pipe": [sys.executable, "-m", "losscalc", *EXAMPLE],
    "losscalc --version": [sys.executable, "-m", "losscalc", "--version"],
    "losscalc --help": [sys.executable, "-m", "losscalc", "--help"],
    "losscalc bce-logits --help": [sys.executable, "-m", "losscalc", "bce-logits", "--help"],
    "losscalc list": [sys.executable, "-m", "losscalc", "list"],
}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """The wall time of one process from start to end."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print the medians and their ratios."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 31
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for run in range(runs + 1):
        for name, command in COMMANDS.items():
            elapsed = seconds(command, environment)
            if run:
                times[name].append(elapsed)
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{median * 1e3:7.1f} ms  {median / base:5.2f}  {name}")


if __name__ == "__main__":
    main()
