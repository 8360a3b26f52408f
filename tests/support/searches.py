"""Searches for mistakes that are made once for each call, whatever numbers are expected of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from losscalc.insight import report
from losscalc.insight.call import Call
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.search import Search
from losscalc.insight.detect.verdict import Verdict, weighed


@contextmanager
def shared() -> Iterator[None]:
    """Meanwhile, checks of the command line search once for each call."""
    searches: dict[Any, Search] = {}

    def verdict(call: Call, number: Expected, watch: Any = None) -> Verdict:
        arrays = [(name, array.dtype, array.shape, array.tobytes()) for name, array in call.held.items()]
        mark = (repr(call.operation), call.reduction.name, call.dtype, call.broadcast, *arrays)
        if mark not in searches:
            searches[mark] = Search(call)
        return weighed(searches[mark], number)

    with mock.patch.object(report, "verdict", verdict):
        yield
