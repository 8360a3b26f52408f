"""What is collected, which of it is fast, and where to look when a law fails for a loss."""

import inspect
from importlib.util import find_spec
from pathlib import Path

import pytest

import losscalc

TESTS = Path(__file__).parent
INSTALLED = (TESTS, TESTS / "cli")
"""Where tests are of what users import, type and read; so are doctests, which are in all modules."""

# They are made with PyTorch; what was made is read without it.
MISTAKES = [
    f"support/mistakes/{path.name}"
    for path in (TESTS / "support" / "mistakes").glob("*.py")
    if path.name != "corpus.py"
]
# Programs for a person to run and examples for mypy never are; what imports PyTorch is where there is one.
collect_ignore = [
    "benchmarks",
    "fuzz/readers.py",
    "typing/accepted.py",
    "typing/refused.py",
    *([] if find_spec("torch") else ["support/parity.py", "support/plain_torch.py", *MISTAKES]),
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test is fast unless it says that it is slow; of these, some are about what is installed."""
    for item in items:
        if not any(item.iter_markers("slow")) and not any(item.iter_markers("parity")):
            item.add_marker("fast")
            if isinstance(item, pytest.DoctestItem) or item.path.parent in INSTALLED:
                item.add_marker("installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> object:
    """Name the file and the line of the loss for which a law fails, and where its example comes from."""
    report = yield
    if report.failed and hasattr(item, "callspec"):
        for value in item.callspec.params.values():
            cls = losscalc.losses().get(value) if isinstance(value, str) else value
            cls = cls if isinstance(cls, type) else type(cls)
            if issubclass(cls, losscalc.Loss):
                place = f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
                report.sections.append((f"{cls.name} is declared", place))
                report.sections.append(("its example is drawn", "tests/support/examples.py"))
    return report
