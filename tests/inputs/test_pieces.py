"""Texts in pieces, which threads parse ahead: any number of them, and of pieces, comes to the same."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from losscalc import cli
from losscalc.errors import LosscalcError
from losscalc.inputs import cache, csv, text
from losscalc.inputs import json as documents
from losscalc.inputs.address import Address, open_array, parse_address
from losscalc.inputs.cache import Cache
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream

LAW = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
USUAL = ["1,2", "0.25,-3e-5", "-7,0", "12345678901234567,1", " 8 ,9"]
ODD = [
    '"1",2', '"1,5",2', '"a\nb",3', '"a"",\n\n1",3', "# note", "#1,2", "", "x,1", "1", "1,2,3", "nan,1", ",4",
    '"1', '1,"2"x', "é,1", "[1,2]",
]  # fmt: skip
LINES = st.lists(st.one_of(st.sampled_from(USUAL), st.sampled_from(USUAL + ODD)), min_size=1, max_size=25)
SIZES = st.sampled_from([1, 2, 3, 7, 16, 64])


def pieces(source) -> Iterator[tuple[object, ...]]:
    """The rows of a source, some at a time, with the place of each."""
    row = 0
    while len((rows := source.take(3)).values):
        yield from (cell if cell != cell else float(cell) for cell in rows.values.ravel())
        yield None if rows.missing is None else rows.missing.tolist()
        yield [(at, str(fault)) for at, fault in rows.faults]
        yield [source.locate((row + at,)) for at in range(len(rows.values))]
        row += len(rows.values)
    yield sorted(remark.describe() for remark in source.remarks)


def outcome(lines: str, part: str | None, reading: Reading, open_source=csv.open_csv) -> list[str]:
    """All that a text reads as, to its first error, which comes last."""
    found: list[object] = []
    try:
        stream = Stream("f", io.BytesIO(lines.encode(reading.encoding)))
        with closing(open_source(stream, part, reading)) as source:
            found.extend(pieces(source))
    except LosscalcError as error:
        found.append((type(error), str(error), error.hint, error.location))
    return [repr(each) for each in found]


@pytest.mark.slow
@LAW
@given(
    lines=LINES,
    size=SIZES,
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "latin-1"]),
    na=st.sampled_from(["error", "nan", "drop"]),
    where=st.sampled_from([(), ("a=1",)]),
    part=st.sampled_from(["1", "2", None]),
)
def test_any_number_of_threads_reads_the_same(lines, size, end, encoding, na, where, part):
    """Values, gaps, places, notes and the first error; quotes and line ends may be cut anywhere."""
    whole = end.join(lines)
    reading = Reading(encoding=encoding, na=na, where=where, threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BYTES", size)
        serial = outcome(whole, part, reading)
        for threads in (2, 5):
            assert outcome(whole, part, reading._replace(threads=threads)) == serial


@pytest.mark.slow
@LAW
@given(lines=LINES, size=SIZES, header=st.sampled_from(["yes", "no"]), part=st.sampled_from(["1", "2"]))
def test_pieces_of_any_size_read_the_same(lines, size, header, part):
    """Where the first lines do not have to tell what separates cells, and whether they are a header."""
    reading = Reading(delimiter=",", header=header, threads=2)
    whole = outcome("\n".join(lines), part, reading._replace(threads=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BYTES", size)
        cut = outcome("\n".join(lines), part, reading)
    # Of a piece with an error, no row is read.
    assert cut[-1:] == whole[-1:] if "Error" in whole[-1] else cut == whole


@pytest.mark.slow
@LAW
@given(
    lines=st.lists(st.sampled_from(["1", "0.5", "-2e3", "null", "x", "", " 7"]), min_size=1, max_size=25),
    size=SIZES,
)
def test_json_lines_on_threads(lines, size):
    """Numbers, and what is none."""
    whole, reading = "\n".join(lines), Reading(threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BYTES", size)
        serial = outcome(whole, None, reading, documents.open_json_lines)
        assert outcome(whole, None, reading._replace(threads=2), documents.open_json_lines) == serial


@pytest.fixture
def small(monkeypatch):
    """Pieces of a few lines."""
    monkeypatch.setattr(text, "_BYTES", 64)


@pytest.mark.parametrize("line", [2, 3, 500, 1000, 1001])
@pytest.mark.parametrize("other", [None, 5, 900])
def test_the_first_error_in_the_file_is_told(small, monkeypatch, tmp_path, capsys, line, other):
    """In the first piece, the last one, or between, also where an earlier piece takes longer than a later."""
    monkeypatch.chdir(tmp_path)
    lines = ["x,y", *(f"{row},{row / 8}" for row in range(1000))]
    for bad in {line, other} - {None}:
        lines[bad - 1] = "1,oops"
    (tmp_path / "f.csv").write_text("\n".join(lines))
    parse = csv.numbers

    def slow(grids, columns, *, json=False):
        time.sleep(0.01 * (threading.active_count() > 1 and next(pauses, 0)))
        return parse(grids, columns, json=json)

    pauses = iter([1, 0] * 4)
    monkeypatch.setattr(csv, "numbers", slow)
    assert cli.run(["mse", "-i", "f.csv#x", "-t", "f.csv#y", "--threads", "2"]) == 3
    first = min(line, other or line)
    assert capsys.readouterr().err.startswith(f"losscalc: error: f.csv:{first}:2: not a number, found 'oops'")


class Broken(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, count=-1):
        if self.tell() >= 640:
            raise OSError(5, "Input/output error")
        return super().read(count)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bad", [False, True])
def test_what_breaks_off(small, threads, bad):
    """The rows before are read, and what is wrong with them is told, before anything is said of the rest."""
    lines = [f"{row}.5" for row in range(1000)]
    if bad:
        lines[40] = "oops"
    found: list[float] = []
    source = csv.open_csv(Stream("f", Broken("\n".join(lines).encode())), None, Reading(threads=threads))
    with pytest.raises(LosscalcError) as failure:
        found.extend(source.take(1).values[0] for _ in lines)
    assert failure.value.problem == ("not a number" if bad else "input/output error")
    assert failure.value.location.line == (41 if bad else None)
    assert found[:20] == [row + 0.5 for row in range(20)]


def test_a_short_text_needs_no_thread(monkeypatch):
    """Its only piece is parsed where it is read."""
    idents = []
    parse = csv.numbers
    monkeypatch.setattr(csv, "numbers", lambda *all: idents.append(threading.get_ident()) or parse(*all))
    with closing(csv.open_csv(Stream("f", io.BytesIO(b"1\n2\n")), None, Reading(threads=4))) as source:
        assert source.whole().tolist() == [1.0, 2.0]
    assert idents == [threading.get_ident()]


def columns(path, parts: str, shared: Cache | None) -> list:
    """The open columns of a file."""
    reading = Reading(threads=2)
    address = parse_address(str(path))._replace(cache=shared)
    return [open_array(address._replace(part=part), "--input", reading) for part in parts]


@pytest.mark.slow
@LAW
@given(
    lines=LINES, turns=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=20),
    most=st.sampled_from([1, 40, 1 << 20]), encoding=st.sampled_from(["utf-8", "utf-16"]),
)  # fmt: skip
def test_readers_of_one_file_do_not_disturb_one_another(tmp_path_factory, lines, turns, most, encoding):
    """Whoever is ahead, and however much is kept for those behind, each finds what it finds alone."""
    path = tmp_path_factory.mktemp("f") / "f.csv"
    path.write_bytes("\n".join(["a,b", "1,2", *lines]).encode(encoding))
    reading = Reading(threads=2, encoding=encoding, delimiter=",", header="yes")

    def read(shared):
        found: list[object] = [[], [], []]
        address = Address(str(path), str(path), cache=shared)
        sources = {}
        for reader, rows in [*turns, (0, 99), (1, 99), (2, 99)]:
            try:
                if reader not in sources:
                    part = address._replace(part="ab"[reader % 2])
                    sources[reader] = open_array(part, "--input", reading)
                found[reader].append(sources[reader].take(rows).values.tolist())
            except LosscalcError as error:
                found[reader].append(str(error))
        for source in sources.values():
            source.close()
        return repr(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BYTES", 16)
        patch.setattr(cache, "_SIZE", most)
        assert read(Cache(2)) == read(None)


@pytest.mark.parametrize("threads", ["2", "9"])
def test_a_file_is_read_once_for_all_its_columns(monkeypatch, tmp_path, capsys, threads):
    """Also for those that rows are picked and grouped by."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(text, "_BYTES", 1 << 12)
    rows = "".join(f"{row},{row / 8},{row % 2},{'ab'[row % 2]}\n" for row in range(5000))
    (tmp_path / "f.csv").write_text("id,x,y,kind\n" + rows)
    count, read = [0], Stream.read

    def counted(self, size):
        data = read(self, size)
        count[0] += len(data)
        return data

    monkeypatch.setattr(Stream, "read", counted)
    words = ["mse", "-i", "f.csv#x", "-t", "f.csv#y", "--where", "kind=a", "-f", "json", "--threads", threads]
    assert cli.run(words) == 0
    assert count[0] < 1.2 * len(rows)
    x = np.arange(0, 5000, 2) / 8
    assert json.loads(capsys.readouterr().out)["numerator"] == np.sum(x**2)


@pytest.mark.parametrize("threads", ["1", "2", "4"])
def test_errors_do_not_depend_on_threads(monkeypatch, tmp_path, capsys, threads):
    """A number in line 5 that the loss refuses comes before a cell in a later piece that is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(text, "_BYTES", 1 << 10)
    rows = ["0.25,1"] * 2000
    rows[3], rows[1500] = "7,1", "oops,1"
    (tmp_path / "f.csv").write_text("\n".join(["p,y", *rows]))
    assert cli.run(["bce", "-i", "f.csv#p", "-t", "f.csv#y", "--threads", threads]) == 4
    assert "f.csv:5:1: --input must be in [0, 1], found 7.0" in capsys.readouterr().err


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_cells_of_long_lines_are_counted_line_by_line(monkeypatch, end):
    """Whatever ends the lines."""
    monkeypatch.setattr(text, "_BYTES", 16)
    monkeypatch.setattr(text, "CELLS", 20)
    raw = end.join([",".join("1" * 15)] * 5).encode()
    assert sum(passage.text.count("1") for passage in text.Lines(Stream("f", io.BytesIO(raw)), "utf-8")) == 75


def test_a_line_of_numbers_behind_a_mark_is_no_row(tmp_path, monkeypatch, capsys):
    """Whichever columns of it are wanted."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.csv").write_text("id,x,y\n1,2,3\n#4,5,9\n7,8,9\n")
    assert cli.run(["mse", "-i", "f.csv#x", "-t", "f.csv#y"]) == 0
    assert capsys.readouterr().out == "1.0\n"


@LAW
@given(
    begun=st.sampled_from(["", "ab,1\n3,4\n"]),
    rest=st.text("a1,\n\ré€\ufeff😀", max_size=20),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "gbk", "iso2022_jp"]),
    size=SIZES,
)
def test_text_is_what_python_reads(begun, rest, encoding, size):
    """Characters and line ends may be cut anywhere, with ASCII before or behind; as `open` decodes it."""
    raw = (begun + rest).encode(encoding, "ignore")
    expected = io.TextIOWrapper(io.BytesIO(raw), encoding, newline=None).read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BYTES", size)
        lines = text.Lines(Stream("f", io.BytesIO(raw), len(raw)), encoding)
        assert "".join(passage.text for passage in lines).removesuffix("\n") == expected.removesuffix("\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_the_longest_line(monkeypatch, end):
    """It may begin and end anywhere in the pieces; one letter more is refused, with its line."""
    monkeypatch.setattr(text, "_BYTES", 100)
    for before in (b"", b"1\n" * 30):
        for size, is_read in ((900, True), (1_001, False), (1_090, False)):
            raw = before + b"1" * size + end.encode()
            lines = text.Lines(Stream("f", io.BytesIO(raw), len(raw), 1_000), "utf-8")
            if is_read:
                assert sum(len(each.raw) for each in lines) == len(before) + size + 1
                continue
            with pytest.raises(LosscalcError, match="line has more than") as refused:
                list(lines)
            assert refused.value.location.line == 1 + before.count(b"\n")


@pytest.mark.parametrize("most", [None, 50, 1_000])
def test_pieces_are_no_larger_than_a_line_may_be(monkeypatch, most):
    """So that short lines are never taken for one that is too long."""
    monkeypatch.setattr(text, "_BYTES", 64)
    raw = b"1.5\n" * 200
    pieces = [each.raw for each in text.Lines(Stream("f", io.BytesIO(raw), len(raw), most), "utf-8")]
    assert b"".join(pieces) == raw
    # The start of a line was read with the piece before.
    assert max(map(len, pieces)) < min(64, most or 64) + len(b"1.5\n")
