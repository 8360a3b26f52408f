"""How much memory something takes: in this process, or in one of its own."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

from losscalc import compute


@contextmanager
def little_memory(limit: int = 20_000_000) -> Iterator[None]:
    """Fails when Python allocates more than so many bytes at a time.

    How much is read ahead for threads depends on how busy the machine is: who reads much sets --threads 1.
    """
    compute("l1", [0.0], [0.0])  # what the engine allocates once in a process does not count
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


# Not ru_maxrss, which after a fork and an exec begins with what the parent had.
REPORT = """
import re
print(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr)
"""


def peak_memory(code: str, *arguments: str) -> int:
    """The peak resident memory of a fresh interpreter, in bytes, as it reports it itself."""
    command = [sys.executable, "-c", f"import sys; {code}{REPORT}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stderr.split()[-1]) * 1024
