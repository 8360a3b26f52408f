"""What is collected: what imports PyTorch where there is one, and no programs for a person to run."""

from importlib.util import find_spec

collect_ignore = ["benchmarks", "fuzz/readers.py", *([] if find_spec("torch") else ["parity.py"])]
