"""Maps a function over the pieces of a call, one after the other or on several threads."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from losscalc.errors import ParameterError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")

# The pieces that are read ahead of the threads: enough that no thread waits for the reader.
_AHEAD = 2
_POOLS: "WeakValueDictionary[tuple[int, int], ThreadPoolExecutor]" = WeakValueDictionary()
"""The threads of this process, by how many they are, as long as somebody maps over them."""


class Mapper(Protocol):
    """A way to map: the results of all items, in their order."""

    def __call__(self, function: Callable[[Item], Result], items: Iterator[Item]) -> Iterator[Result]:
        """Apply the function to all items."""


def cores() -> int:
    """The number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def take_turns() -> bool:
    """Whether only one thread at a time can do Python's work; in free-threaded Python all can."""
    is_locked: Callable[[], bool] | None = getattr(sys, "_is_gil_enabled", None)
    return is_locked is None or is_locked()


def on_threads(threads: int | None = None) -> Mapper:
    """A mapper with so many threads, by default one per core; NumPy lets other threads run while it computes.

    The thread that asks for results is one of them. It draws the items, so that only a few are in memory at a
    time, and computes some of them itself instead of waiting. Of several errors, that of the first item is
    raised. All who map at the same time share the others, so no function that is mapped may wait for another.
    """
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ParameterError(
            "`threads` must be a whole number from 1", found=str(threads), argument="threads"
        )
    _keep_freed_memory()
    return partial(_mapped, threads)


def _mapped(
    threads: int | None, function: Callable[[Item], Result], items: Iterator[Item]
) -> Iterator[Result]:
    count = threads or cores()
    if count == 1:
        yield from map(function, items)
        return
    # A pool is imported and started for the second item only, because it costs more than a small call.
    pool: ThreadPoolExecutor | None = None
    pending: deque[_Task[Result]] = deque()
    failure: Exception | None = None
    held: list[Item] = []
    try:
        while True:
            try:
                held.append(next(items))
            except StopIteration:
                break
            except Exception as error:  # noqa: BLE001 - it is raised when its turn comes
                failure = error
                break
            if pool is None:
                if len(held) == 1:
                    continue
                pool = _pool(count - 1)
            pending.extend(_Task(pool, partial(function, item)) for item in held)
            held.clear()
            if len(pending) >= count + _AHEAD:
                yield _first(pending)
        yield from map(function, held)
        while pending:
            yield _first(pending)
        if failure is not None:
            raise failure
    finally:
        # Its traceback holds this frame, and the frame all arrays: nothing but the collector would end that.
        failure = None
        while pending:
            pending.popleft().give_up()


class _Task(Generic[Result]):
    """A piece of work, done by a thread of a pool or by the one that waits for it."""

    def __init__(self, pool: "ThreadPoolExecutor", work: Callable[[], Result]) -> None:
        # What is done needs no memory any more, though a pool may hold on to it.
        self._work = [work]
        # The caller's context variables, such as np.errstate, hold in all threads.
        self.future: Future[Result] = pool.submit(copy_context().run, _done, self._work)

    def give_up(self) -> None:
        """Do without the result."""
        if self.future.cancel():
            self._work.clear()

    def take_over(self) -> bool:
        """Do the work on this thread, unless another has begun it."""
        if not self.future.cancel():
            return False
        self.future = future = type(self.future)()
        try:
            future.set_result(_done(self._work))
        except Exception as error:  # noqa: BLE001 - it is raised when its turn comes
            future.set_exception(error)
        finally:
            # The error holds this frame, and the frame would hold the error.
            del self, future
        return True


def _done(work: list[Callable[[], Result]]) -> Result:
    """The result of a piece of work, which is taken from a list of nothing else."""
    return work.pop()()


def _first(pending: "deque[_Task[Result]]") -> Result:
    """The result of the first task; until it is there, this thread does some that nobody has begun."""
    # No name for a task: errors hold the frames that they went through, which then must not hold the errors.
    while not pending[0].future.done() and any(map(_Task.take_over, pending)):
        pass
    return pending.popleft().future.result()


def _pool(count: int) -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    # Of a process that was forked off, only the thread that did so goes on.
    key = os.getpid(), count
    pool = _POOLS.get(key)
    if pool is None:
        pool = _POOLS[key] = ThreadPoolExecutor(count)
    return pool


@cache
def _keep_freed_memory() -> None:
    """Keep the memory of the arrays of an item in the process, for those of the next.

    glibc asks the system for the memory of each large array, page by page, and gives it back at once. After
    it has freed an array of 31 MiB (the most that counts), it keeps smaller ones. No page of this is touched.
    """
    np.empty(31 << 20, np.uint8)
