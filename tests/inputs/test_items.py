"""JSON that is read a piece of its text at a time: the same as the whole document, whatever the pieces."""

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from losscalc.errors import LosscalcError
from losscalc.inputs import json as documents
from losscalc.inputs import text as texts
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream
from tests.support.memory import peak_memory

LAW = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))

NUMBERS = st.one_of(st.integers(-(10**18), 10**18), st.floats(allow_nan=False, allow_infinity=False))
CELLS = st.one_of(
    NUMBERS, NUMBERS, st.none(), st.booleans(), st.sampled_from(["0.5", "a,b", "]},{", '"\\', "é\U0001f600"])
)
ROWS = st.one_of(
    NUMBERS,
    CELLS,
    st.lists(NUMBERS, min_size=2, max_size=2),
    st.lists(st.lists(NUMBERS, min_size=1, max_size=1), min_size=2, max_size=2),
    st.fixed_dictionaries({"p": CELLS, "q": st.lists(NUMBERS, min_size=2, max_size=2)}),
    st.dictionaries(st.sampled_from(["p", "q", "r\"'", ""]), CELLS, min_size=1),
)
LISTS = ROWS.flatmap(lambda row: st.lists(st.one_of(st.just(row), ROWS), min_size=1, max_size=6)) | st.lists(
    st.fixed_dictionaries({"p": NUMBERS, "id": st.text(max_size=3)}), min_size=1, max_size=9
)
DOCUMENTS = st.one_of(
    LISTS,
    st.fixed_dictionaries({"x": CELLS, "a": LISTS, "z": LISTS}),
    st.fixed_dictionaries({"x": st.lists(LISTS, max_size=2), "b": st.fixed_dictionaries({"a": LISTS})}),
)
PARTS = st.sampled_from(
    [None, "", "p", "q", "/*/p", "/*/q/1", "/*/0", "/a", "/a/*/p", "/b/a", "/b/a/*", "/b/a/*/q", "/1"]
)
# What members records have is taken from the first piece of them.
UNKNOWN = ("there is no such column", "the record has a member that those before lack")
EDITS = st.sampled_from([*'[]{}",:\\ \n1e-', "null", "],", "},", '":'])


@st.composite
def written(draw) -> str:
    """A document as some program writes it, and now and then a damaged one."""
    separators = draw(st.sampled_from([None, (",", ":"), (" ,\t", " : ")]))
    indent, is_ascii = draw(st.sampled_from([None, None, 1])), draw(st.booleans())
    text = json.dumps(draw(DOCUMENTS), separators=separators, indent=indent, ensure_ascii=is_ascii)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(EDITS) + text[place + draw(st.integers(0, 2)) :]
    return text + draw(st.sampled_from(["", "\n", " \r\n"]))


def outcome(text: str, part: str | None, reading: Reading) -> list[object] | str | None:
    """The rows and their places; None if the text is refused."""
    try:
        stream = Stream("f", io.BytesIO(text.encode()))
        with contextlib.closing(documents.open_json(stream, part, reading)) as source:
            if not source.shape:
                return [str(source.whole()), source.locate(())]
            rows: list[object] = []
            while len((piece := source.take(3)).values):
                missing = np.zeros(len(piece.values), bool) if piece.missing is None else piece.missing
                rows += zip(piece.values.tolist(), missing.tolist(), strict=True)
            return [*map(str, rows), source.shape[1:], *(source.locate((row,)) for row in range(len(rows)))]
    except LosscalcError as error:
        return error.problem if error.problem in UNKNOWN else None


@pytest.mark.slow
@LAW
@given(
    text=written(),
    part=PARTS,
    size=st.integers(1, 40),
    na=st.sampled_from(["error", "nan", "drop"]),
    is_beside=st.booleans(),
)
def test_pieces_are_the_whole(text, part, size, na, is_beside):
    """Wherever the text is cut, and whether an object is held or passed through, the rows are the same."""
    reading = Reading(na=na, is_beside=is_beside)
    whole = outcome(text, part, reading)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "_BYTES", size)
        found = outcome(text, part, reading)
        # The first piece also tells the shape of rows, and has to have one that is no gap.
        is_gap = whole is not None and "nan" in str(whole[0])
        assert found == whole or found in UNKNOWN or (found is None and is_gap)
        if part and part.startswith("/"):
            patch.setattr(documents, "within", lambda chunks, most: (list(chunks), False))
            found = outcome(text, part, reading)
            assert found == whole or found in UNKNOWN or (found is None and is_gap)


READ = """
from losscalc.errors import LosscalcError
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
try:
    source = open_array(parse_address(sys.argv[1]), "--input", Reading(is_beside="beside" in sys.argv))
    while len(source.take(1 << 16).values):
        pass
except LosscalcError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "start", "item", "end"),
    [
        ("f.json", "[", "[],", "[]]"),
        ("f.json", "[", "{},", "0]"),
        ("f.json", '{"a":[', "[],", "[]]}"),
        ("f.json#/a", '{"n":1,"a":[', "[],", "[]]}"),
        ("f.json#/a", '{"n":1,"a":[', "0,", "0]}"),
        ("f.json", '{"a":[', "0,", "0]}"),
        ("f.json", "[[", "0,", "0]]"),
        ("f.json", "[", "[[1],[2]],", "[[1],[2]]]"),
        ("f.json#p", "[", '{"p":1,"q":"x"},', '{"p":1,"q":"x"}]'),
        ("f.json#q", "[", '{"p":1,"q":"x"},', '{"p":1,"q":"x"}]'),
        ("f.json", '["', "x", '"]'),
        ("f.json", '["', "\\u00e9\U0001f600", '"]'),
        ("f.jsonl", "[", "[],", "[]]\n"),
        ("f.jsonl", "[", "0,", "0]\n"),
        ("f.jsonl", "", "[[0]]\n", "[[0]]\n"),
    ],
)
def test_memory(tmp_path, name, start, item, end):
    """Whatever a file within the limits holds, and wherever it is refused, it takes less than 300 MB."""
    path, mark, part = name.partition("#")
    # Less of what takes long to read; a line has a limit of its own.
    size = 12 if "[[" in item or '"p"' in item else 30 if path.endswith("l") else 60
    with (tmp_path / path).open("w", encoding="utf-8") as file:
        file.write(start)
        for _ in range(size):
            file.write(item * ((1 << 20) // len(item.encode())))
        file.write(end)
    beside = ["beside"] if part == "q" else []
    assert peak_memory(READ, f"{tmp_path / path}{mark}{part}", *beside) < 300_000_000
