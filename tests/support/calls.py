"""Calls of the engine with arrays in memory."""

from typing import Any

from losscalc.core.operation import Operation
from losscalc.core.reductions import REDUCTIONS
from losscalc.engine.arguments import memory_sources
from losscalc.engine.call import Call
from losscalc.engine.collect import Collector
from losscalc.engine.compute import Computation, Run, compute


def call(operation: Operation, arrays: dict[str, Any], reduction: str = "mean", **options: Any) -> Call:
    """The call of an operation, with the options of the record."""
    sources, _ = memory_sources(operation, (), arrays)
    return Call(operation, sources, REDUCTIONS[reduction], **options)


def computed(
    operation: Operation,
    arrays: dict[str, Any],
    reduction: str = "mean",
    *,
    run: Run | None = None,
    collector: Collector | None = None,
    **options: Any,
) -> Computation:
    """What such a call comes to."""
    return compute(call(operation, arrays, reduction, **options), run, collector)
