"""Hostile files of the extras: Parquet, Arrow and workbooks that are refused without harm."""

# ruff: noqa: E501 - a row of a table is a line

import contextlib
import io
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from losscalc import cli
from losscalc.inputs.messages import MessageError, in_file, in_stream
from losscalc.inputs.pages import groups
from losscalc.inputs.thrift import Reader, ThriftError
from tests.support.columnar import arrow, parquet
from tests.support.hostile import Refusal, archive, changed, process, refuse_file
from tests.support.workbooks import ods, ods_cell, sheet_xml, with_sheet, xlsx, zipped

pytestmark = pytest.mark.slow

PASS = "if that is intended, raise the limit, as in --max-size 8G"
LITTLE = "a little file unpacks to more than 134 MB"
LONG_CELL = "a cell has more than 131072 characters"
TABLE = pa.table({"p": [0.5, 0.25, 0.75], "s": ["a", "b", "c"], "l": [[1.0, 2.0]] * 3})
PARQUET, ARROW, STREAM = parquet(TABLE), arrow(TABLE), arrow(TABLE, is_stream=True)
NO_PARQUET = "not a Parquet file, which ends with the list of its columns"
AT_ONCE = {"row_group_size": 1 << 30, "data_page_size": 1 << 30, "max_rows_per_page": 1 << 30}
ZEROS = pa.table({"p": np.zeros(25_000_000)})
PAGE_OF_ZEROS = parquet(ZEROS, compression="zstd", use_dictionary=False, **AT_ONCE)
ARROW_OF_ZEROS = arrow(ZEROS, rows=1 << 30, compression="zstd")
WORKBOOK = xlsx([["p", "q"], [0.5, 1]])
PEAK = 400_000_000
"""The most memory that a refusal may take; the modules alone take a quarter of it."""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def footer(data: bytes, length: int) -> bytes:
    """A file of Parquet with another length of its footer."""
    return data[:-8] + length.to_bytes(4, "little") + data[-4:]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=label)
        for label, case in {
            "empty": Refusal(b"", "", "no data"),
            "magic alone": Refusal(b"PAR1", "", NO_PARQUET),
            "twice the magic": Refusal(b"PAR1PAR1", "", NO_PARQUET),
            "cut short": Refusal(PARQUET[:-1], "", NO_PARQUET),
            "text": Refusal(b"p,y\n1,2\n3,4\n5,6\n", "", NO_PARQUET),
            "a footer of 4 GB": Refusal(footer(PARQUET, 0xFFFFFFFF), "", NO_PARQUET),
            "a footer of 20 MB": Refusal(footer(bytes(20_000_100) + PARQUET, 20_000_000), "", "the footer has more than 16.8 MB", PASS),
            "encrypted": Refusal(PARQUET[:-4] + b"PARE", "", "the file is encrypted"),
            "a page of zeros": Refusal(PAGE_OF_ZEROS, "", LITTLE, PASS),
            "a page of text": Refusal(parquet(pa.table({"s": ["a" * 40_000_000]}), compression="zstd"), "", "a page of text has more than 33.6 MB", PASS),
            "a long cell": Refusal(parquet(pa.table({"s": ["a" * 200_000]})), "", LONG_CELL),
            "a row of zeros": Refusal(parquet(pa.table({"l": pa.array([[0.0] * 20_000_000])})), "", LITTLE, PASS),
        }.items()
    ],
)  # fmt: skip
def test_hostile_parquet(capsys, case):
    """A Parquet file that is damaged, or unpacks to too much, is refused before it is unpacked."""
    refuse_file(capsys, "f.parquet", case, ("sigmoid", "--from", "parquet", "-i"))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=label)
        for label, case in {
            "empty": Refusal(b"", "", "no data"),
            "magic alone": Refusal(b"ARROW1\0\0", "", "damaged file (the footer is missing)"),
            "cut short": Refusal(ARROW[:-1], "", "damaged file (the footer is missing)"),
            "a footer of 2 GB": Refusal(ARROW[:-10] + b"\xff\xff\xff\x7fARROW1", "", "damaged file (the footer is missing)"),
            "a stream cut in its schema": Refusal(STREAM[:100], "", "damaged file (a message is cut short)"),
            "metadata of 4 GB": Refusal(b"\xff\xff\xff\xff\xf0\xff\xff\xff" + STREAM[8:], "", "damaged file (the metadata of a message are too long)"),
            "a long cell": Refusal(arrow(pa.table({"s": ["a" * 200_000]})), "", LONG_CELL),
            "zeros": Refusal(ARROW_OF_ZEROS, "", LITTLE, PASS),
            "a stream of zeros": Refusal(arrow(ZEROS, is_stream=True, rows=1 << 30, compression="lz4"), "", LITTLE, PASS),
        }.items()
    ],
)  # fmt: skip
def test_hostile_arrow(capsys, case):
    """An Arrow file that is damaged, or unpacks to too much, is refused before it is unpacked."""
    refuse_file(capsys, "f.arrow", case, ("sigmoid", "--from", "arrow", "-i"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (ARROW.replace(struct.pack("<4i", 0, 2, 4, 6), struct.pack("<4i", 0, 2, 4, 1 << 30)), "1073741824"),
        (ARROW.replace(struct.pack("<4i", 0, 2, 4, 6), struct.pack("<4i", 0, 4, 2, 6)), "offset"),
        (arrow(pa.table({"l": pa.array(["a", "b", "a", "b", "b"]).dictionary_encode()})).replace(struct.pack("<5i", 0, 1, 0, 1, 1), struct.pack("<5i", 0, 1, 0, 1, 9)), "out of bounds"),
        (arrow(pa.table({"l": pa.array([b"\xff"])})), "UTF8"),
        (parquet(pa.table({"l": pa.array([b"\xff"])})), "UTF8"),
    ],
)  # fmt: skip
def test_what_leads_astray(capsys, data, says):
    """Offsets and indices that lead out of an array, and bytes that are no text, are refused as pyarrow finds them."""
    Path("f.x").write_bytes(data)
    assert cli.run(["sigmoid", "-i", "f.x#l"]) == 3
    error = capsys.readouterr().err
    assert error.startswith("losscalc: error: f.x: cannot be read (")
    assert says in error


@pytest.mark.parametrize("data", [PARQUET, ARROW, STREAM], ids=["parquet", "arrow", "stream"])
def test_any_byte(capsys, data):
    """Whatever byte is another one, there is a refusal or an array, and never a trace of a bug."""
    for position in range(0, len(data), 7):
        Path("f.x").write_bytes(changed(data, position))
        kind = "parquet" if data is PARQUET else "arrow"
        assert cli.run(["sigmoid", "-i", "f.x#p", "--from", kind, "-q"]) in (0, 3)
        error = capsys.readouterr().err
        assert error.replace("\n", "").isprintable()
        assert "Traceback" not in error


def test_rows_that_are_not_there(capsys):
    """A row group of fewer rows than it claims is damaged; of 1,234, the footer says 1,235."""
    data = parquet(
        pa.table({"p": np.arange(1234.0)}), compression="none", use_dictionary=False, write_statistics=False
    )
    at = int.from_bytes(data[-8:-4], "little") + 8
    claim = data[-at:].replace(b"\xa4\x13", b"\xa6\x13")  # zigzag varints
    Path("f.parquet").write_bytes(data[:-at] + claim)
    assert cli.run(["sigmoid", "-i", "f.parquet", "-q"]) == 3
    assert "f.parquet: " in capsys.readouterr().err


def test_limits_are_lifted(capsys):
    """What is refused as too much is read when the user says so."""
    Path("f.arrow").write_bytes(ARROW_OF_ZEROS)
    assert cli.run(["l1", "-i", "f.arrow", "-t", "f.arrow", "-r", "sum", "--max-size", "1G"]) == 0
    assert capsys.readouterr().out == "0.0\n"


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow", "f.xlsx"])
def test_an_endless_pipe(capsys, monkeypatch, name):
    """A pipe that never ends is given up, before it fills the memory."""
    start = {"f.parquet": PARQUET[:8], "f.arrow": ARROW[:8], "f.xlsx": WORKBOOK[:8]}[name]

    class Endless(io.RawIOBase):
        """The start, and then zeros for ever."""

        rest = start

        def read(self, count: int = -1) -> bytes:
            """Some of it."""
            data, self.rest = self.rest[:count], self.rest[count:]
            return data + bytes(count - len(data))

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=Endless(), isatty=lambda: False))
    assert cli.run(["sigmoid", "-i", "-"]) == 3
    assert "stdin: what has to be read as a whole has more than 200 MB" in capsys.readouterr().err


FAR = sheet_xml(
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
)
ROW = f'<table:table-row table:number-rows-repeated="1000000">{ods_cell(0.5, 90)}</table:table-row>'
TAKES = "reading the workbook takes more than 1 GB"
ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]>"
)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=label)
        for label, case in {
            "empty": Refusal(b"", "", "no data"),
            "text": Refusal(b"p,y\n1,2\n", "", "cannot be read (Cannot detect file format)"),
            "start of an old workbook": Refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "", "cannot be read ("),
            "cut short": Refusal(WORKBOOK[:-30], "", "damaged archive (File is not a zip file)"),
            "no workbook": Refusal(archive(("xl/x", b"")), "", "cannot be read ("),
            "a text document": Refusal(zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ""}), "", "cannot be read ("),
            "no XML": Refusal(with_sheet("nothing"), "", "cannot be read ("),
            "a tag too few": Refusal(with_sheet(sheet_xml('<row r="1"><c r="A1"><v>1</c></row>')), "", "cannot be read ("),
            "a cell far off": Refusal(with_sheet(FAR), "", TAKES, PASS),
            "a row a million times": Refusal(ods(ROW), "", TAKES, PASS),
            "a text that is not there": Refusal(with_sheet(sheet_xml('<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>')), "", "cannot be read ("),
            "entities of entities": Refusal(with_sheet(sheet_xml('<row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row>').replace("<worksheet", f"{ENTITIES}<worksheet")), "", ""),
            "a bomb": Refusal(with_sheet(sheet_xml(" " * 200_000_000)), "", "a little archive unpacks to more than 134 MB", PASS),
            "blanks": Refusal(with_sheet(sheet_xml('<row r="1"><c r="A1" t="str"><v>  </v></c></row>')), "", "no data"),
        }.items()
    ],
)  # fmt: skip
def test_hostile_workbooks(capfd, case):
    """A workbook that is damaged, or takes too much memory, ends the process that reads it, and no more."""
    Path("f.xlsx").write_bytes(case.data)
    assert cli.run(["sigmoid", "-i", "f.xlsx", "--from", "excel"]) == 3
    output, error = capfd.readouterr()
    assert output == ""
    message, *hint = error.splitlines()
    assert message.startswith(f"losscalc: error: f.xlsx: {case.says}") or (
        not case.says and message.startswith("losscalc: error: f.xlsx")
    )
    assert hint == ([f"  hint: {case.hint}"] if case.hint else [])
    assert error.replace("\n", "").isprintable()


def test_a_reader_that_crashes(monkeypatch, capsys, tmp_path):
    """Whatever ends the process that reads a workbook, it is a workbook that cannot be read."""
    (tmp_path / "crash.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    Path("f.xlsx").write_bytes(WORKBOOK)
    monkeypatch.setattr("losscalc.inputs.calamine.__file__", str(tmp_path / "crash.py"))
    assert cli.run(["sigmoid", "-i", "f.xlsx"]) == 3
    assert (
        capsys.readouterr().err
        == "losscalc: error: f.xlsx: cannot be read (the reader of workbooks has crashed)\n"
    )


def test_nothing_is_left_running():
    """Neither after a workbook that is read, nor after one that is refused."""
    Path("f.xlsx").write_bytes(WORKBOOK)
    code = (
        "import subprocess; from losscalc import cli; made = []; init = subprocess.Popen.__init__\n"
        "def noted(self, *a, **k): made.append(self); init(self, *a, **k)\n"
        "subprocess.Popen.__init__ = noted\n"
        "cli.run(['l1', '-i', 'f.xlsx#p', '-t', 'f.xlsx#q']); cli.run(['l1', '-i', 'f.xlsx#z', '-t', '1'])\n"
        "print(len(made), all(each.returncode is not None for each in made))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "0.5\n3 True\n"
    assert "Warning" not in done.stderr


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("f.parquet", PAGE_OF_ZEROS),
        ("f.arrow", ARROW_OF_ZEROS),
        ("f.xlsx", with_sheet(FAR)),
    ],
)  # fmt: skip
def test_memory_of_refusals(name, data):
    """What is refused takes little memory."""
    Path(name).write_bytes(data)
    code = "import re; from losscalc import cli; cli.run(['sigmoid', '-i', sys.argv[1]])"
    report = "; print(re.search(r'VmHWM:\\s*(\\d+) kB', open('/proc/self/status').read())[1])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}{report}", name],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) * 1024 < PEAK
    assert process("sigmoid", "-i", name).returncode == 3


def test_thrift_that_lies():
    """Structs in structs, numbers without end, and lists of too many are no struct."""
    for data in (b"\x1c" * 100 + bytes(100), b"\x15" + b"\xff" * 20, b"\x1e\x00", b"\x1f\x00"):
        with pytest.raises(ThriftError):
            Reader(data).struct({})
    for data in (b"", b"\x15", b"\x18\xff\xff\x03ab", b"\x19\xf5\xff\xff\xff\x0f" + bytes(9)):
        with pytest.raises(IndexError):
            Reader(data).struct({})
    with pytest.raises(ThriftError):
        Reader(b"\x15\0" * 2000 + b"\0").struct({number: {} for number in range(3000)})
    for data in (b"\x49\x1c\0\0", b"\x49\x15\0\0", b"\x45\0\0"):
        with pytest.raises(ThriftError):
            groups(data, 1_000)


def test_messages_that_lie():
    """Metadata that lead out of themselves are damaged."""

    def look(data: bytes, walk) -> list:
        return list(walk(lambda offset, count: data[offset : offset + count], len(data), 1 << 20))

    assert look(STREAM, in_stream)
    assert look(ARROW, in_file)
    for data, walk in ((STREAM, in_stream), (ARROW[-400:], in_file)):
        for position in range(0, len(data), 3):
            for mask in (0xFF, 0x80):
                with contextlib.suppress(MessageError):
                    look(changed(data, position, mask), walk)
