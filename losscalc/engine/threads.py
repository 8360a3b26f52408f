"""How a function is mapped over the pieces of a call: one after the other, or on several threads."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import TYPE_CHECKING, Protocol, TypeVar

from losscalc.errors import ParameterError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")

# So many pieces more than there are threads are read ahead: enough that none waits for the reader.
_AHEAD = 2


class Mapper(Protocol):
    """A way to map: the results of all items, in their order."""

    def __call__(self, function: Callable[[Item], Result], items: Iterator[Item]) -> Iterator[Result]:
        """The results."""


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_threads(threads: int | None = None) -> Mapper:
    """Map on so many threads, by default one a core: NumPy lets other threads run while it computes.

    The items are drawn by the thread that asks for results, so that reading overlaps computing, and few of
    them are under way at a time. What fails first in the order of the items is raised, whatever failed
    first by the clock.
    """
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ParameterError(
            "`threads` must be a whole number from 1", found=str(threads), argument="threads"
        )
    count = threads or cores()

    def mapped(function: Callable[[Item], Result], items: Iterator[Item]) -> Iterator[Result]:
        return map(function, items) if count == 1 else _mapped(function, items, count)

    return mapped


def _mapped(function: Callable[[Item], Result], items: Iterator[Item], count: int) -> Iterator[Result]:
    # Imported here, and in use from the second item on: it costs more than a small call.
    pool: ThreadPoolExecutor | None = None
    pending: deque[Future[Result]] = deque()
    failure: Exception | None = None
    held: list[Item] = []
    try:
        while failure is None:
            try:
                held.append(next(items))
            except Exception as error:  # noqa: BLE001 - it is raised when its turn comes
                failure = error
                break
            if pool is None:
                if len(held) == 1:
                    continue
                from concurrent.futures import ThreadPoolExecutor as Pool

                pool = Pool(count)
            # What the caller has set for its thread holds in all of them.
            pending.extend(pool.submit(copy_context().run, function, item) for item in held)
            held.clear()
            if len(pending) >= count + _AHEAD:
                yield pending.popleft().result()
        yield from map(function, held)
        while pending:
            yield pending.popleft().result()
        if not isinstance(failure, StopIteration):
            raise failure
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
