"""Mutations of valid files, and bytes out of nowhere: refused, or read as a second reader reads them.

`tests/fuzz/readers.py` goes on where this stops.
"""

# ruff: noqa: E501 - a row of a table is a line

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.harness import COMPRESSORS, READERS, SEEDS, judge, judge_compressed, read
from tests.support.workbooks import sheet_xml, with_sheet

pytestmark = pytest.mark.slow

QUICK = settings(derandomize=True, database=None, deadline=None, max_examples=500)
WORDS = [
    b"", b"\0", b"\n", b"\r", b"\r\n", b",", b'"', b"\xef\xbb\xbf", b"\xff", b"\x1a", b"-", b"+", b".", b"e", b"1e999",
    b"1e-999", b"nan", b"NaN", b"null", b"true", b"[", b"]", b"[[[", b"{", b"}", b":", b" ", b"_", b"0x1", b"\xc2\xa0",
    b"(", b")", b"True", b"'<f4'", b"'|O'", b"9" * 30, b"PK\x05\x06", b"\xff" * 4, b"\xe2\x80\xa8", b"\xd9\xa3",
]  # fmt: skip
EDIT = st.tuples(
    st.sampled_from(["replace", "insert", "delete", "cut", "repeat"]),
    st.integers(0, 400),
    st.one_of(st.sampled_from(WORDS), st.binary(min_size=1, max_size=3)),
)


def edited(data: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    """The bytes after changes at places that are taken modulo their number."""
    for kind, place, word in edits:
        at = place % (len(data) + 1)
        if kind == "cut":
            data = data[:at]
        elif kind == "repeat":
            data = data[:at] + data[at : at + 8] * 3 + data[at:]
        else:
            skipped = {"replace": len(word), "insert": 0, "delete": max(1, len(word))}[kind]
            data = data[:at] + (b"" if kind == "delete" else word) + data[at + skipped :]
    return data


def mutations(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Valid files with a few changes."""
    return st.builds(edited, st.sampled_from(seeds), st.lists(EDIT, min_size=1, max_size=4))


@pytest.mark.parametrize("format", READERS)
def test_mutations(format):
    """A valid file with a few changes is refused, or read right."""
    _hold(mutations(SEEDS[format]), lambda data: judge(format, data))


@pytest.mark.parametrize("format", READERS)
def test_bytes(format):
    """Bytes out of nowhere are refused, or read right; text is made of what means something."""
    text = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(b"0123456789")), max_size=12)
    pieces = text.map(lambda words: b"".join(w if isinstance(w, bytes) else bytes([w]) for w in words))
    start = b"" if format in ("csv", "json", "jsonl") else SEEDS[format][0][:10]
    _hold(st.one_of(pieces, st.binary(max_size=60)), lambda data: judge(format, start + data))


@pytest.mark.parametrize("compression", COMPRESSORS)
def test_compressed(compression):
    """Compressed files that were changed are refused, or unpacked right."""
    seeds = [COMPRESSORS[compression].compress(seed) for seed in SEEDS["csv"]]
    _hold(mutations(seeds), lambda data: judge_compressed(compression, data))


SHEETS = [
    sheet_xml(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>p</t></is></c></row><row r="2"><c r="A2"><v>0.5</v></c></row>'
    ),
    sheet_xml(
        '<row><c><v>1</v></c><c t="b"><v>1</v></c></row><row r="7"><c r="B7" t="e"><v>#N/A</v></c></row>'
    ),
]


def test_workbooks():
    """A sheet with a few changes is refused, or read the same from a pipe; each takes a process, so these are few."""

    def check(data: bytes) -> None:
        array, again = (read("excel", with_sheet(data), size_known=known) for known in (True, False))
        np.testing.assert_array_equal(array, again)

    _hold(mutations([sheet.encode() for sheet in SHEETS]), check, settings(QUICK, max_examples=60))


def _hold(
    strategy: st.SearchStrategy[bytes], check: Callable[[bytes], None], effort: settings = QUICK
) -> None:
    """Hold many inputs to a check."""

    @effort
    @given(strategy)
    def run(data: bytes) -> None:
        check(data)

    run()
