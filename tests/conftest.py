"""What is collected, and which of it is fast."""

from importlib.util import find_spec

import pytest

# Programs for a person to run and examples for mypy never are; what imports PyTorch is where there is one.
collect_ignore = [
    "benchmarks",
    "fuzz/readers.py",
    "typing/accepted.py",
    "typing/refused.py",
    *([] if find_spec("torch") else ["support/parity.py"]),
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test is fast unless it says that it is slow."""
    for item in items:
        if not any(item.iter_markers("slow")) and not any(item.iter_markers("parity")):
            item.add_marker("fast")
