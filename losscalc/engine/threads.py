"""Maps a function over the pieces of a call, one after the other or on several threads."""

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

# The pieces that are read ahead of the threads: enough that no thread waits for the reader.
_AHEAD = 2


class Mapper(Protocol):
    """A way to map: the results of all items, in their order."""

    def __call__(self, function: Callable[[Item], Result], items: Iterator[Item]) -> Iterator[Result]:
        """Apply the function to all items."""


def cores() -> int:
    """The number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_threads(threads: int | None = None) -> Mapper:
    """A mapper with so many threads, by default one per core; NumPy lets other threads run while it computes.

    The thread that asks for results draws the items, so that it reads while the others compute, and only a
    few items are in memory at a time. Of several errors, that of the first item is raised.
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
    # A pool is imported and started for the second item only, because it costs more than a small call.
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
            # The caller's context variables, such as np.errstate, hold in all threads.
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
