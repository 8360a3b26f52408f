"""What is hostile is so as any array, from a file and from a pipe; and the limits on what is taken in."""

# ruff: noqa: E501 - a row of a table is a line

import bz2
import gzip
import io
import lzma
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from losscalc import cli
from tests.inputs import test_hostile_npy as binary
from tests.inputs import test_hostile_text as text
from tests.support.hostile import QUICK, Refusal, accept, archive, npy, refuse_file, snapshot
from tests.support.memory import little_memory

PASS = "if that is intended, raise the limit, as in --max-size 8G"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


NEIGHBOURS = [
    ('csv two boms', 'f.csv', b'\xef\xbb\xbf\xef\xbb\xbf1,2\n', ':1:1', "not a number but a byte-order mark in the middle of the text, found '\\ufeff1'"),
    ('csv utf32', 'f.csv', b'\xff\xfe\x00\x001\x00\x00\x00,\x00\x00\x002\x00\x00\x00\n\x00\x00\x00', ':1', "not utf-8 text at byte 0, found '0xff'"),
    ('csv utf16be nobom', 'f.csv', b'\x001\x00,\x002\x00\n\x003\x00,\x004\x00\n', ':1', "not utf-8 text at byte 0, found '0x00'"),
    ('csv overlong', 'f.csv', b'1\n\xc0\xb1\n', ':2', "not utf-8 text at byte 2, found '0xc0'"),
    ('csv ebcdic', 'f.csv', b'\xf1k\xf2%', ':1', "not utf-8 text at byte 0, found '0xf1'"),
    ('csv NUL line', 'f.csv', b'1\n\x00\n2\n', ':2:1', "not a number but a NUL byte, found '\\x00'"),
    ('csv empty last cell', 'f.csv', b'1,2\n3,\n', ':2:2', "not a number, found ''"),
    ('csv all empty', 'f.csv', b',,\n,,\n', ':1:1', "not a number, found ''"),
    ('csv tabs', 'f.csv', b'\t\n', '', 'no data'),
    ('csv spaces', 'f.csv', b'   ', '', 'no data'),
    ('csv dup header', 'f.csv#a', b'a,a\n1,2\n', '', "2 columns have this name, found 'a'"),
    ('csv units row', 'f.csv', b'a,b\nm,s\n1,2\n', ':2:1', "not a number, found 'm'"),
    ('csv // comment', 'f.csv', b'1,2 // x\n', ':1:2', "not a number, found '2 // x'"),
    ('csv trailing #', 'f.csv', b'1,2#3\n', ':1:2', "not a number, found '2#3'"),
    ('csv quoted thousands', 'f.csv', b'"1,000","2,000"\n', ':1:1', "not a number, found '1,000'"),
    ('csv apostrophe', 'f.csv', b"'1','2'\n", ':1:1', "not a number, found ''1''"),
    ('csv swiss', 'f.csv', b"1'000\n", ':1:1', "not a number, found '1'000'"),
    ('csv excel eq', 'f.csv', b'="1"\n', ':1:1', 'not a number, found \'="1"\''),
    ('csv open quote', 'f.csv', b'"1,2\n3,4\n', ':1', 'a quote is opened and never closed'),
    ('csv escaped quote', 'f.csv', b'"1""2"\n', ':1:1', 'not a number, found \'1"2\''),
    ('csv quote mid', 'f.csv', b'1"2,3\n', ':1:1', 'not a number, found \'1"2\''),
    ('csv empty quotes', 'f.csv', b'"",1\n', ':1:1', "not a number, found ''"),
    ('csv decimal comma', 'f.csv', b'1,5;2,5\n', ':1:1', "not a number, found '1,5'"),
    ('csv nbsp', 'f.csv', b'1\xc2\xa0,2\n', ':1:1', "not a number, found '1\\xa0'"),
    ('csv ideographic', 'f.csv', b'\xe3\x80\x801\n', ':1:1', "not a number, found '\\u30001'"),
    ('csv unicode minus', 'f.csv', b'\xe2\x88\x921\n', ':1:1', "not a number, found '−1'"),
    ('csv soft hyphen', 'f.csv', b'1\xc2\xad2\n', ':1:1', "not a number, found '1\\xad2'"),
    ('csv rtl', 'f.csv', b'\xe2\x80\x8f1\n', ':1:1', "not a number, found '\\u200f1'"),
    ('csv superscript', 'f.csv', b'1\xc2\xb2\n', ':1:1', "not a number, found '1²'"),
    ('csv half', 'f.csv', b'\xc2\xbd\n', ':1:1', "not a number, found '½'"),
    ('csv roman', 'f.csv', b'\xe2\x85\xa7\n', ':1:1', "not a number, found 'Ⅷ'"),
    ('csv 0o', 'f.csv', b'0o10\n', ':1:1', "not a number, found '0o10'"),
    ('csv 0b', 'f.csv', b'0b1\n', ':1:1', "not a number, found '0b1'"),
    ('csv 1e', 'f.csv', b'1\n1e+\n', ':2:1', "not a number, found '1e+'"),
    ('csv 1f', 'f.csv', b'1.5f\n', ':1:1', "not a number, found '1.5f'"),
    ('csv 1L', 'f.csv', b'1\n5L\n', ':2:1', "not a number, found '5L'"),
    ('csv .e1', 'f.csv', b'1\n.e1\n', ':2:1', "not a number, found '.e1'"),
    ('csv infinit', 'f.csv', b'1\ninfinit\n', ':2:1', "not a number, found 'infinit'"),
    ('csv NA words', 'f.csv', b'1\nNA\n', ':2:1', "not a number, found 'NA'"),
    ('csv NULL', 'f.csv', b'1\nNULL\n', ':2:1', "not a number, found 'NULL'"),
    ('csv None', 'f.csv', b'1\nNone\n', ':2:1', "not a number, found 'None'"),
    ('csv -', 'f.csv', b'1\n-\n', ':2:1', "not a number, found '-'"),
    ('csv ?', 'f.csv', b'1\n?\n', ':2:1', "not a number, found '?'"),
    ('csv #N/A', 'f.csv', b'1\n#N/A\n', ':2:1', "not a number, found '#N/A'"),
    ('csv #DIV/0!', 'f.csv', b'1\n#DIV/0!\n', ':2:1', "not a number, found '#DIV/0!'"),
    ('csv yes/no', 'f.csv', b'1\nyes\n', ':2:1', "not a number, found 'yes'"),
    ('csv T', 'f.csv', b'1\nT\n', ':2:1', "not a number, found 'T'"),
    ('csv complex', 'f.csv', b'1\n1j\n', ':2:1', "not a number, found '1j'"),
    ('csv fraction', 'f.csv', b'1\n1/2\n', ':2:1', "not a number, found '1/2'"),
    ('csv formula', 'f.csv', b'1\n=1+1\n', ':2:1', "not a number, found '=1+1'"),
    ('csv tensor', 'f.csv', b'tensor(0.5)\n', '', 'no data'),
    ('csv bytes', 'f.csv', b"1\nb'1'\n", ':2:1', "not a number, found 'b'1''"),
    ('csv -1e400', 'f.csv', b'-1e400\n', ':1:1', "a number outside the range of float64, found '-1e400'"),
    ('csv 1e99999999999', 'f.csv', b'1e99999999999\n', ':1:1', "a number outside the range of float64, found '1e99999999999'"),
    ('csv LS PS', 'f.csv', b'1\xe2\x80\xa82\xe2\x80\xa93\n', ':1:1', "not a number, found '1\\u20282\\u20293'"),
    ('csv bell bs', 'f.csv', b'1\x07\n2\x08\n', ':1:1', "not a number, found '1\\x07'"),
    ('csv ESC', 'f.csv', b'1\n\x1b[31m2\n', ':2:1', "not a number, found '\\x1b[31m2'"),
    ('csv DEL', 'f.csv', b'1\x7f\n', ':1:1', "not a number, found '1\\x7f'"),
    ('csv xz named csv', 'f.csv', b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x031,2\n\x00-'vj\xad\xc7NY\x00\x01\x1c\x04o,\x9c\xc1\x1f\xb6\xf3}\x01\x00\x00\x00\x00\x04YZ", ':1', "not utf-8 text at byte 0, found '0xfd'"),
    ('csv bz2', 'f.csv', b'BZh91AY&SY2)!\xbd\x00\x00\x00\xc8\x00\x00\x10 \x00 \x00!\x00\x82\xb1w$S\x85\t\x03"\x92\x1b\xd0', ':1', "not utf-8 text at byte 13, found '0xbd'"),
    ('csv zstd', 'f.csv', b'(\xb5/\xfd\x04\x00\t\x00', '', 'is compressed by zstd, which losscalc does not read'),
    ('csv parquet', 'f.csv', b'PAR1\x15\x04', '', 'not a Parquet file, which ends with the list of its columns'),
    ('csv hdf5', 'f.csv', b'\x89HDF\r\n\x1a\n', '', 'is an HDF5 file, which losscalc does not read'),
    ('csv pickle', 'f.csv', b'\x80\x04\x95\t\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01K\x02e.', '', 'is a pickle, which losscalc does not read'),
    ('csv html', 'f.csv', b'<!DOCTYPE html>\n<p>1</p>\n', ':1:1', "not a number, found '<!DOCTYPE html>'"),
    ('csv png', 'f.csv', b'\x89PNG\r\n\x1a\n\x00\x00', ':1', "not utf-8 text at byte 0, found '0x89'"),
    ('csv pdf', 'f.csv', b'%PDF-1.4\n%\xe2\xe3\n', ':2', "not utf-8 text at byte 10, found '0xe2'"),
    ('csv sqlite', 'f.csv', b'SQLite format 3\x00', ':1:1', "not a number but a NUL byte, found 'SQLite format 3\\x00'"),
    ('csv safetensors', 'f.csv', b'\x14\x00\x00\x00\x00\x00\x00\x00{"a":{"dtype":"F32"}', '', 'not safetensors: the header is not a JSON object, or has a key twice'),
    ('csv yaml', 'f.csv', b'- 1\n- 2\n', ':1:1', "not a number, found '- 1'"),
    ('csv markdown', 'f.csv', b'| 1 | 2 |\n|---|---|\n', ':2', "the table is drawn for the eye, found '|---|---|'"),
    ('csv git conflict', 'f.csv', b'1\n<<<<<<< HEAD\n2\n=======\n3\n>>>>>>> b\n', ':2:1', "not a number, found '<<<<<<< HEAD'"),
    ('csv lfs', 'f.csv', b'version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n', '', 'is what Git LFS leaves in place of a file, which losscalc does not read'),
    ('json +inf overflow', 'f.json', b'[1e999]', '[0]', 'a number outside the range of float64'),
    ('json 1e999999999999', 'f.json', b'[1e9999999999999]', '[0]', 'a number outside the range of float64'),
    ('json "1_0"', 'f.json', b'["1_0"]', '[0]', 'not a number, found \'"1_0"\''),
    ('json null', 'f.json', b'[null]', '[0]', "not a number, found 'null'"),
    ('json dup key', 'f.json#a', b'{"a":[1],"a":[2]}', ':1', "a key is there twice, found 'a'"),
    ('json proto', 'f.json', b'{"__proto__":[1],"a":1}', '', 'an object where a list of numbers is expected'),
    ('json comment', 'f.json', b'[1] // x', ':1:5', 'not JSON: extra data'),
    ('json single', 'f.json', b"['1']", ':1:2', 'not JSON: expecting value'),
    ('json garbage', 'f.json', b'[1]x', ':1:4', 'not JSON: extra data'),
    ('json utf32', 'f.json', b'\xff\xfe\x00\x00[\x00\x00\x001\x00\x00\x00]\x00\x00\x00', ':1', "not utf-8 text at byte 0, found '0xff'"),
    ('json utf16le nobom', 'f.json', b'[\x001\x00]\x00', ':1', "not utf-8 text at byte 1, found '0x00'"),
    ('json ctrl in str', 'f.json', b'["\x01"]', ':1:3', 'not JSON: invalid control character at'),
    ('json bad escape', 'f.json', b'["\\x"]', ':1:3', 'not JSON: invalid \\escape'),
    ('json [[]]', 'f.json', b'[[]]', '', 'no data'),
    ('json [1,[]]', 'f.json', b'[1,[]]', '[1]', 'a list where a number should be'),
    ('json [[[],[]],[[]]]', 'f.json', b'[[[],[]],[[]]]', '[1]', 'the row has 1 item, but [0] has 2'),
    ('json unterminated', 'f.json', b'["abc', ':1:2', 'not JSON: unterminated string starting at'),
    ('json hex', 'f.json', b'[0x1]', ':1:3', "not JSON: expecting ',' delimiter"),
    ('json .5', 'f.json', b'[.5]', ':1:2', 'not JSON: expecting value'),
    ('json 1e', 'f.json', b'[1e]', ':1:3', "not JSON: expecting ',' delimiter"),
    ('json -', 'f.json', b'[-]', ':1:2', 'not JSON: expecting value'),
    ('json --1', 'f.json', b'[--1]', ':1:2', 'not JSON: expecting value'),
    ('json fullwidth', 'f.json', b'[\xef\xbc\x91]', ':1:2', 'not JSON: expecting value'),
    ('json BOM twice', 'f.json', b'\xef\xbb\xbf\xef\xbb\xbf[1]', ':1:1', 'not JSON: unexpected UTF-8 BOM (decode using utf-8-sig)'),
    ('json NUL start', 'f.json', b'\x00[1]', ':1:1', 'not JSON: expecting value'),
    ('json ff', 'f.json', b'\x0c[1]', ':1:1', 'not JSON: expecting value'),
    ('jsonl mixed', 'f.jsonl', b'1\n[1]\n', ':2', 'a list where a number should be'),
    ('jsonl wide then narrow', 'f.jsonl', b'[1,2]\n[1]\n', ':2', 'the row has 1 item, but line 1 has 2'),
    ('jsonl obj', 'f.jsonl#a', b'{"a":1}\n{"a":"x"}\n', ':2', 'not a number, found \'"x"\''),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "place", "says"), [row[1:] for row in NEIGHBOURS], ids=[row[0] for row in NEIGHBOURS])  # fmt: skip
def test_neighbours(capsys, name, data, place, says):
    """What stands beside the entries of the other tables."""
    assert refused(capsys, ["sigmoid", "-i", name], name.partition("#")[0], data) == f"{place}: {says}"


def refused(capture, arguments: list[str], path: str | None, data: bytes, code: int = 3) -> str:
    """What is said of the only file, or of standard input, behind its name; and nothing else happens."""
    if path is not None:
        Path(path).write_bytes(data)
    before = snapshot(Path())
    start = time.process_time()
    assert cli.run(arguments) == code, capture.readouterr()
    elapsed = time.process_time() - start
    output, error = capture.readouterr()
    assert output == ""
    assert error.replace("\n", "").isprintable()
    assert error.startswith(f"losscalc: error: {path or 'stdin'}"), error
    assert snapshot(Path()) == before
    assert elapsed < QUICK
    return error.splitlines()[0].removeprefix(f"losscalc: error: {path or 'stdin'}")


def rows(test: object) -> list[Refusal]:
    """The rows of the table of a test."""
    (mark,) = (mark for mark in test.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
    return [row.values[0] for row in mark.args[1]]


ROLES = (["mse", "-t", "1", "-i"], ["cross-entropy", "-i", "[[1,2],[2,1]]", "-t"])
"""Commands before an input and before a target."""


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes into standard input."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))


TEXTS = {
    "csv": text.test_hostile_csv,
    "json": text.test_hostile_json,
    "jsonl": text.test_hostile_json_lines,
}


@pytest.mark.slow
@pytest.mark.parametrize("format", TEXTS)
def test_text(capsys, monkeypatch, format):
    """A text is refused in the same words whatever it is for, and wherever it comes from."""
    for case in rows(TEXTS[format]):
        # A text may be a target alone, as the name of a class.
        for role in ROLES[:1] if case.says.startswith("not a number, found '\"") else ROLES:
            for path in (f"f.{format}", None):
                feed(monkeypatch, case.data)
                arguments = [*role, (path or "-") + case.part, *case.options, "--from", format]
                said = refused(capsys, arguments, path, case.data, case.code)
                assert said == f"{case.place}: {case.says}"


@pytest.mark.slow
@pytest.mark.parametrize("format", ["npy", "npz"])
def test_binary(capsys, monkeypatch, format):
    """An array in a file of its own or in an archive is refused whatever it is for."""
    for case in rows(binary.test_hostile_npy if format == "npy" else binary.test_hostile_npz):
        if case.says.startswith("a byte is"):
            continue  # a truth value may be a target alone
        # Texts may be a target, as names of classes.
        for role in ROLES if case.hint != binary.NAMES else ROLES[:1]:
            arguments = ["-" + case.part, *case.options, "--from", format]
            # Of a pipe only its end tells how much there is: that has tests of its own.
            if not case.says.startswith("the header promises"):
                feed(monkeypatch, case.data)
                refused(capsys, [*role, *arguments], None, case.data, case.code)
            path = f"f.{format}"
            said = refused(
                capsys, [*role, path + arguments[0][1:], *arguments[1:]], path, case.data, case.code
            )
            assert said == f"{case.place}: {case.says}"


# Limits


def unpacks_to(size: str) -> str:
    """What is said of compressed data that unpack to more than that."""
    return f"little compressed data unpacks to more than {size}"


BOMBS = {
    "f.csv.gz": lambda: gzip.compress(b" " * (40 << 20)),
    "f.csv.bz2": lambda: bz2.compress(bytes(40 << 20)),
    "f.txt.xz": lambda: lzma.compress(bytes(40 << 20), preset=0),
    "f.npy.gz": lambda: gzip.compress(npy(shape="(5000000,)", data=bytes(40_000_000))),
    "f.json.gz": lambda: gzip.compress(b"[" + b"0," * (20 << 20)),
    "f.jsonl.gz": lambda: gzip.compress(b"[" * (40 << 20)),
    "f.npz.gz": lambda: gzip.compress(archive(("a.npy", bytes(40_000_000)), compression=0)),
}
"""What makes such a file: only the test that needs it does, because it takes a while."""


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(capsys, name):
    """A little file that unpacks to a lot is refused as soon as that is seen."""
    case = Refusal(BOMBS[name](), "", unpacks_to("33.6 MB"), PASS)
    with little_memory(250_000_000):
        refuse_file(capsys, name, case, ("l1", "-t", name, "-i"))


@pytest.mark.parametrize(
    "size", ["100", "40MB", "1k", "1K", "0", "-1", "1.5G", "1e9", "1_000", "\u0661", "G", "2 G", "9" * 16]
)
def test_sizes(capsys, folder, size):
    """A size is a number of bytes with or without a unit; it takes the place of every limit."""
    (folder / "f.json").write_bytes(b"[" + b"1," * 5000 + b"1]")
    code = cli.run(["l1", "-i", "f.json", "-t", "f.json", "-r", "sum", "--max-size", size])
    output, error = capsys.readouterr()
    if size == "40MB":
        assert (code, output, error) == (0, "0.0\n", "")
    elif size in ("100", "1k", "1K"):
        said = "100 bytes" if size == "100" else "1 kB"
        assert (code, output) == (3, "")
        assert error == f"losscalc: error: f.json: the JSON document has more than {said}\n  hint: {PASS}\n"
    else:
        assert (code, output) == (2, "")
        assert error.startswith("losscalc: error: invalid value for '--max-size': must be a number of bytes")


def test_a_limit_is_lifted(capsys, folder):
    """What is refused as too much is read when the user says so."""
    (folder / "f.npy.gz").write_bytes(gzip.compress(npy(shape="(5000000,)", data=bytes(40_000_000)), 1))
    arguments = ["l1", "-i", "f.npy.gz", "-t", "f.npy.gz", "-r", "sum"]
    assert cli.run(arguments) == 3
    capsys.readouterr()
    assert accept(capsys, [*arguments, "--max-size", "1G"]) == "0.0\n"


@pytest.mark.parametrize(
    ("format", "start", "says"),
    [
        ("csv", b"", ":1: the line has more than 33.6 MB"),
        ("jsonl", b"[", ":1: the line has more than 33.6 MB"),
        ("json", b"[", ": the JSON document has more than 200 MB"),
        ("npz", b"PK\x03\x04", ": what has to be read as a whole has more than 200 MB"),
        ("npy", npy(shape=f"(1, {10**12})", data=b""), ": what has to be read at once has more than 200 MB"),
        ("npy", npy(shape=f"({10**9}, 9)", fortran="True", data=b""), ": what has to be read at once has more than 200 MB"),
    ],
)  # fmt: skip
def test_endless_pipes(capsys, monkeypatch, format, start, says):
    """A pipe that never ends is given up, before it fills the memory."""

    class Endless(io.RawIOBase):
        """The start, and then blanks or zeros for ever."""

        rest = start
        one = (
            bytes(1 << 20)
            if format in ("npy", "npz")
            else b" " * ((1 << 20) - 1) + (b"\n" if format == "json" else b" ")
        )

        def read(self, count: int = -1) -> bytes:
            """Some of it."""
            data, self.rest = self.rest[:count], self.rest[count:]
            return data + self.one[: count - len(data)]

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=Endless(), isatty=lambda: False))
    with little_memory(460_000_000):
        assert refused(capsys, ["sigmoid", "-i", "-", "--from", format], None, b"") == says


def test_many_members(capsys, folder):
    """Of a hundred thousand members the one that is there twice is found at once."""
    members = ",".join(f'"k{i}":1' for i in range(100_000))
    data = ("{" + members + ',"k99999":1}').encode()
    assert (
        refused(capsys, ["sigmoid", "-i", "f.json"], "f.json", data)
        == ":1: a key is there twice, found 'k99999'"
    )


AROUND = "damaged archive (there are bytes before or behind it)"
ONE = archive(("a.npy", npy()))
FOUND = [
    ("minor version", "f.npy", npy()[:7] + b"\1" + npy()[8:], "", binary.CUT),
    ("separator in the padding", "f.npy", npy().replace(b"  \n", b"\x1f \n"), "", binary.DICTIONARY),
    ("rows of nothing", "f.npy", npy(shape=f"({2**40}, 0)", data=b""), "", f"the NPY header holds a bad shape, found '({2**40}, 0)'"),
    ("bytes before an archive", "f.npz", b"#!" + ONE, "", AROUND),
    ("bytes like an archive before it", "f.npz", b"PK\0\0" + ONE, "", AROUND),
    ("an archive before an archive", "f.npz", ONE + ONE, "", AROUND),
    ("bytes behind an archive", "f.npz", ONE + b"\0", "", AROUND),
    ("an array before an archive", "f.npz", npy() + ONE, "", f"the header promises 32 bytes of numbers, but {32 + len(ONE)} are there"),
    ("a quote within a row", "f.csv", b'1,"2\n1,"2\n', ":1", "a cell goes on after its closing quote"),
    ("members of a bomb", "f.npz", archive(("a.npy", npy(shape="(20000000,)", data=bytes(160_000_000)))), "", "a little archive unpacks to more than 134 MB"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "place", "says"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])  # fmt: skip
def test_found(capsys, name, data, place, says):
    """What was found by trying, and stays found."""
    assert refused(capsys, ["l1", "-t", "1,2,3,4", "-i", name], name, data) == f"{place}: {says}"
