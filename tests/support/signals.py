"""Signals to processes of tests, however these were started."""

import signal
from collections.abc import Callable


def heeding(number: int) -> Callable[[], object]:
    """What a child does first to heed a signal, as its parent may ignore it, and it would inherit that.

    A test run in the background ignores SIGINT and SIGQUIT, and one under nohup SIGHUP.
    """
    return lambda: signal.signal(number, signal.SIG_DFL)
