"""What has a docstring of its own: everything public but what overrides a method or keeps to a protocol."""

import inspect
import pkgutil
from importlib import import_module

import pytest

import losscalc

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(losscalc.__path__, "losscalc.")
    if not name.endswith("__main__")
]


@pytest.mark.parametrize("module", MODULES)
def test_methods_say_what_they_do(module: str) -> None:
    """A public method that overrides nothing has a docstring."""
    classes = [cls for cls in vars(import_module(module)).values() if inspect.isclass(cls)]
    protocols = [cls for cls in classes if getattr(cls, "_is_protocol", False)]
    missing = [
        f"{cls.__name__}.{name}"
        for cls in classes
        if cls.__module__ == module and not cls.__name__.startswith("_")
        for name, method in vars(cls).items()
        if inspect.isroutine(method) and not name.startswith("_") and not method.__doc__
        if not any(hasattr(base, name) for base in (*cls.__mro__[1:], *protocols) if base is not cls)
    ]
    assert not missing, f"write a docstring in {module}"
