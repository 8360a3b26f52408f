"""Hostile text: CSV, TSV, plain text, JSON and JSON lines that are refused with their place, or read right."""

# ruff: noqa: E501 - a row of a table is a line

import bz2
import gzip
import json
import lzma

import pytest

from losscalc import cli
from tests.support.hostile import Refusal, accept, refuse, refuse_file

MISSING = "--na drop leaves the row out, --na nan reads NaN"
HALF = "give --header yes if it names the columns, --header no if it holds data"
THOUSANDS = "write thousands without a mark between them, as in 1000"
PERCENT = "write percentages without the sign, divided by 100 where a probability is expected: 0.5 for 50%"
ENCODING = "name the encoding: --encoding latin-1, for example"
UTF16 = "it looks like UTF-16: give --encoding utf-16"
UTF32 = "it looks like UTF-32: give --encoding utf-32"
PANDAS = "give --header yes if it names the columns, as pandas writes it"
HEADER = "give --header yes if the line names the columns"
FIRST, SECOND = (f"take the columns of numbers: {part}" for part in ("#1", "#2"))
MISSING_CELL = "write a missing cell as NaN; --na drop leaves such rows out"
QUOTE = "put a cell that holds ',' in quotes"
DEEP = "lists are nested more than 64 deep"
LARGE = "if that is intended, raise the limit, as in --max-size 8G"
LINES = "one document a line is JSON lines: --from jsonl"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def nan(cell: str) -> str:
    """What is said of a cell that is not a number; the cell as messages show it."""
    return f"not a number, found '{cell}'"


def zeros_like(printed: str) -> str:
    """Zeros in the shape of an array that was printed, as a literal: with l1, a way to see what was read."""
    columns = printed.partition("\n")[0].count(",") + 1
    return json.dumps([[0] * columns if columns > 1 else 0] * printed.count("\n"))


def table(*cases: tuple[str, Refusal]):
    """Named cases as parameters of a test."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in cases])


@table(
    # bytes that are not text
    ("gzip", Refusal(gzip.compress(b"1,2\n"), ":1", "not utf-8 text at byte 1, found '0x8b'", "it looks like gzip: unpack it, or name it .gz")),
    ("xz", Refusal(lzma.compress(b"1\n"), ":1", "not utf-8 text at byte 0, found '0xfd'", "it looks like xz: unpack it, or name it .xz")),
    ("utf-16", Refusal("1,2\n".encode("utf-16"), ":1", "not utf-8 text at byte 0, found '0xff'", UTF16)),
    ("utf-16-be", Refusal("\ufeff1\n".encode("utf-16-be"), ":1", "not utf-8 text at byte 0, found '0xfe'", UTF16)),
    ("utf-16 without mark", Refusal("1,2\n".encode("utf-16-le"), ":1", "not utf-8 text at byte 1, found '0x00'", "it looks like UTF-16: give --encoding utf-16-le")),
    ("latin-1", Refusal(b"1,2\n3,4\ncaf\xe9,5\n", ":3", "not utf-8 text at byte 11, found '0xe9'", ENCODING)),
    ("latin-1 after CR and CRLF", Refusal(b"1\r2\r\n3\r\xff\n", ":4", "not utf-8 text at byte 7, found '0xff'", ENCODING)),
    ("cut within a character", Refusal(b"1\n2\xe2\x82", ":2", "not utf-8 text at byte 3, found '0xe2'", ENCODING)),
    ("cut within a character, utf-16", Refusal(b"1\x00\n\x002", ":2", "not utf-16-le text at byte 4, found '0x32'", options=("--encoding", "utf-16-le"))),
    ("lone surrogate", Refusal(b"1\n\xed\xa0\x80\n", ":2", "not utf-8 text at byte 2, found '0xed'", ENCODING)),
    ("not ascii", Refusal(b"1\n2\xc3\xa9\n", ":2", "not ascii text at byte 3, found '0xc3'", ENCODING, ("--encoding", "ascii"))),
    ("byte-order mark within", Refusal(b"1,2\n\xef\xbb\xbf3,4\n", ":2:1", r"not a number but a byte-order mark in the middle of the text, found '\ufeff3'")),
    ("NUL", Refusal(b"1,2\0,3\n", ":1:2", r"not a number but a NUL byte, found '2\x00'")),
    # cells
    ("empty cell", Refusal(b"1,,3\n", ":1:2", nan(""), MISSING)),
    ("blank cell", Refusal(b"1,2\n , \n", ":2:1", nan(" "), MISSING)),
    ("trailing comma and a number", Refusal(b"1,2,\n3,4,5\n", ":1:3", nan(""), MISSING)),
    ("NA", Refusal(b"1,NA\n2,3\n", ":1:2", nan("NA"), MISSING)),
    ("null", Refusal(b"1\nnull\n", ":2:1", nan("null"), MISSING)),
    ("dashes", Refusal(b"1,--\n", ":1:2", nan("--"))),
    ("word", Refusal(b"1,2\na,3\n", ":2:1", nan("a"), SECOND)),
    ("half a header", Refusal(b"a,1\n1,2\n", ":1", "the line is half names and half numbers, found 'a,1'", HALF)),
    ("header of pandas", Refusal(b",0\n0,2.5\n", ":1", "the line is half names and half numbers, found ',0'", PANDAS)),
    ("second header", Refusal(b"a,b\n1,2\na,b\n", ":3:1", nan("a"))),
    ("header refused", Refusal(b"a,b\n1,2\n", ":1:1", nan("a"), HEADER, ("--header", "no"))),
    ("underscore", Refusal(b"1_000\n", ":1:1", nan("1_000"))),
    ("blank within", Refusal(b"1 000\n", ":1:1", nan("1 000"), THOUSANDS)),
    ("no-break space", Refusal("1\u00a0000\n".encode(), ":1:1", nan(r"1\xa0000"), THOUSANDS)),
    ("no-break space around", Refusal("\u00a01\n".encode(), ":1:1", nan(r"\xa01"))),
    ("zero-width space", Refusal("1\u200b,2\n".encode(), ":1:1", nan(r"1\u200b"))),
    ("right-to-left override", Refusal("1,\u202e2\n".encode(), ":1:2", nan(r"\u202e2"))),
    ("line separator", Refusal("1\u20282\n".encode(), ":1:1", nan(r"1\u20282"))),
    ("form feed, NEL", Refusal("1\x0c2\x0b3\x854\n".encode(), ":1:1", nan(r"1\x0c2\x0b3\x854"))),
    ("full-width digits", Refusal("１,2\n".encode(), ":1:1", nan("１"))),
    ("arabic digits", Refusal("2,٣\n".encode(), ":1:2", nan("٣"))),
    ("minus sign", Refusal("−1\n".encode(), ":1:1", nan("−1"))),
    ("hexadecimal", Refusal(b"0x10,0x1p3\n", ":1:1", nan("0x10"))),
    ("percent", Refusal(b"50%,$1\n", ":1:1", nan("50%"), PERCENT)),
    ("currency", Refusal(b"1,$1\n", ":1:2", nan("$1"), "write the number without its unit")),
    ("nan with payload", Refusal(b"nan(123),1\n", ":1:1", nan("nan(123)"))),
    ("nan of Windows", Refusal(b"1.#INF,1\n", ":1:1", nan("1.#INF"))),
    ("complex", Refusal(b"1+2j\n", ":1:1", nan("1+2j"))),
    ("Fortran exponent", Refusal(b"1d5\n", ":1:1", nan("1d5"))),
    ("half an exponent", Refusal(b"1\n1e\n", ":2:1", nan("1e"))),
    ("two signs", Refusal(b"1\n+-1\n", ":2:1", nan("+-1"))),
    ("two points", Refusal(b"1..2\n", ":1:1", nan("1..2"))),
    ("a point", Refusal(b"1\n.\n", ":2:1", nan("."), MISSING)),
    ("a sign", Refusal(b"-,1\n", ":1:1", nan("-"))),
    ("date", Refusal(b"1\n2024-01-01\n", ":2:1", nan("2024-01-01"), "a date is not a number: write it as one, such as days since some date")),
    ("decimal comma", Refusal(b'"1,5"\n"2,5"\n', ":1:1", nan("1,5"), "for decimal commas give --decimal ,")),
    ("overflow", Refusal(b"1,1e400\n", ":1:2", "a number outside the range of float64, found '1e400'")),
    ("5001 digits", Refusal(b"1" + b"0" * 5000 + b"\n", ":1:1", f"a number outside the range of float64, found '1{'0' * 38}…'")),
    ("control characters", Refusal(b"1,2\n3,\x1b[31m\x07\n", ":2:2", nan(r"\x1b[31m\x07"))),
    ("escape at the start", Refusal(b"\x1b[31mred\n1\n", ":1:1", nan(r"\x1b[31mred"))),
    ("Ctrl-Z at the end", Refusal(b"1,2\n\x1a", ":2", "the line has 1 cell, but line 1 has 2")),
    # other formats and delimiters
    ("JSON", Refusal(b"[[1,2]]", ":1:1", nan("[[1"), "for JSON give --from json")),
    ("commas among semicolons", Refusal(b"1,2\n", ":1:1", nan("1,2"), "for decimal commas give --decimal , ; if commas separate cells: --delimiter ,", ("--delimiter", ";"))),
    # rows
    ("long row", Refusal(b"1,2\n3,4,5\n", ":2", "the line has 3 cells, but line 1 has 2", QUOTE)),
    ("short row", Refusal(b"a,b\n1,2\n3\n", ":3", "the line has 1 cell, but line 1 has 2", MISSING_CELL)),
    ("short row elsewhere", Refusal(b"1,2,3\n4,5,6\n7,8\n", ":3", "the line has 2 cells, but line 1 has 3", MISSING_CELL, part="#1")),
    ("long row elsewhere", Refusal(b"1,2\n4,5,6\n", ":2", "the line has 3 cells, but line 1 has 2", QUOTE, part="#2,1")),
    ("a vertical tab is not blank", Refusal(b"1\n2\n\x0b\n", ":3:1", nan(r"\x0b"), MISSING)),
    # quotes
    ("text after a quote", Refusal(b'3,"1"2\n', ":1:2", "a cell goes on after its closing quote")),
    ("text after a quote, later", Refusal(b'1,2\n"3"4,5\n', ":2:1", "a cell goes on after its closing quote")),
    ("line end in quotes", Refusal(b'"1\n2",3\n', ":1:1", nan(r"1\n2"))),
    ("after a line end in quotes", Refusal(b'"a\nb",c\n1,2\n3,x\n', ":4:2", nan("x"), r"take the columns of numbers: $'#a\nb'")),
    ("open quote", Refusal(b'1,2\n3,"4\n5,6\n', ":2", "a quote is opened and never closed")),
    ("open quote in the header", Refusal(b'"a,b\n1,2\n', ":1", "a quote is opened and never closed")),
    ("quote at the very end", Refusal(b'1\n"', ":2", "a quote is opened and never closed")),
    ("quote after a blank", Refusal(b'1, "2"\n', ":1:2", nan(' "2"'))),
    ("long cell", Refusal(b"1\n" + b"9" * 131073 + b"x\n", ":2", "a cell has more than 131072 characters")),
    ("long quoted cell", Refusal(b'1\n"' + b"1\n" * 70000, ":2", "a cell has more than 131072 characters")),
    # nothing
    ("empty", Refusal(b"", "", "no data")),
    ("a line end", Refusal(b"\n", "", "no data")),
    ("blanks alone", Refusal(b"  \n\t\r\n", "", "no data")),
    ("a byte-order mark", Refusal(b"\xef\xbb\xbf", "", "no data")),
    ("header alone", Refusal(b"a,b\n", "", "no data")),
    ("all skipped", Refusal(b"1\n2\n", "", "no data", options=("--skip-rows", "5"))),
)  # fmt: skip
def test_hostile_csv(capsys, case):
    """A hostile table is refused with the file, the line, the column and what stands there."""
    refuse_file(capsys, "f.csv", case)


# A line of 32 bytes; 32,768 of them fill the first piece of a file to the last byte.
PADDED = b"1" + b" " * 30 + b"\n"


@table(
    ("bad later", Refusal(PADDED * 40_000 + b"x\n", ":40001:1", nan("x"))),
    ("not text later", Refusal(PADDED * 40_000 + b"\xff\n", ":40001", "not utf-8 text at byte 1280000, found '0xff'", ENCODING)),
    ("not text, across pieces", Refusal(PADDED * 32_767 + PADDED[:-1] + b"\xe2\x28\xa1\n", ":32768", "not utf-8 text at byte 1048575, found '0xe2'", ENCODING)),
    ("ragged later", Refusal(b"1," + b" " * 29 + b"2\n" + (b"1,2" + b" " * 28 + b"\n") * 40_000 + b"3\n", ":40002", "the line has 1 cell, but line 1 has 2", MISSING_CELL)),
    ("CRLF across pieces", Refusal(b"1" + b" " * 28 + b"\r\n" + PADDED.replace(b" \n", b"\r\n") * 40_000 + b"x\r\n", ":40002:1", nan("x"))),
    ("skipped lines count", Refusal(b"#\n" * 1_000_000 + b"1,2\nx,3\n", ":1000002:1", nan("x"), SECOND, ("--skip-rows", "1000000"))),
    ("no line end", Refusal(b"1" * (70 << 20), ":1", "the line has more than 33.6 MB", LARGE)),
    ("open quote in a large file", Refusal(b'"' + PADDED * 40_000, ":1", "a cell has more than 131072 characters")),
)  # fmt: skip
def test_hostile_large_csv(capsys, case):
    """Places are right behind the first piece of a file too, and a long way to them is short in time."""
    refuse_file(capsys, "f.csv", case)


@pytest.mark.parametrize(
    ("name", "options", "case"),
    [
        ("f.tsv", (), Refusal(b"1\t2\n3\tx\n", ":2:2", nan("x"), FIRST)),
        ("f.tsv", (), Refusal(b"1\t\t2\n", ":1:2", nan(""), MISSING)),
        ("f.txt", (), Refusal(b"1 2\n3 x\n", ":2:2", nan("x"), FIRST)),
        ("f.txt", (), Refusal(b"1 2\n3\n", ":2", "the line has 1 cell, but line 1 has 2", MISSING_CELL)),
        ("f.txt", (), Refusal(b"1, 2\n3, x\n", ":2:2", nan(" x"), FIRST)),
        ("f.txt", (), Refusal(b'"1" 2\n', ":1:1", nan('"1"'))),
        ("f.txt", (), Refusal(b" \n", "", "no data")),
        ("f.dat", ("--delimiter", "|"), Refusal(b"1|2\n3|x\n", ":2:2", nan("x"), FIRST)),
        ("noname", (), Refusal(b"1,2\n3,x\n", ":2:2", nan("x"), FIRST)),
        ("noname", (), Refusal(b"\xef\xbb\xbf [1,2", ":1:6", "not JSON: expecting ',' delimiter")),
        (
            "noname",
            (),
            Refusal(
                b'{"a": [1], "b": 2}',
                "",
                "an object where a list of numbers is expected",
                "name a member: #/a, #/b",
            ),
        ),
        ("f.npy", ("--from", "csv"), Refusal(b"1\nx\n", ":2:1", nan("x"))),
        ("f.csv", ("--from", "jsonl"), Refusal(b"1\nx\n", ":2:1", "not JSON: expecting value")),
        ("F.CSV", (), Refusal(b"1\nx\n", ":2:1", nan("x"))),
    ],
)
def test_hostile_text_of_other_names(capsys, name, options, case):
    """The suffix, the first bytes and the options choose the reader, and its places are as good."""
    refuse_file(capsys, name, case._replace(options=options))


@pytest.mark.parametrize(
    ("data", "options", "printed"),
    [
        (b"\xef\xbb\xbf0,1\n1,0\n", (), "0.0,1.0\n1.0,0.0\n"),
        (b"0,1\r\n1,0\r\n", (), "0.0,1.0\n1.0,0.0\n"),
        (b"0,1\r\n1,0\n0,0\r", (), "0.0,1.0\n1.0,0.0\n0.0,0.0\n"),
        (b"0,1\n1,0\n\n\n", (), "0.0,1.0\n1.0,0.0\n"),
        (b"0,1", (), "0.0,1.0\n"),
        (b'"0","2.5"\n', (), "0.0,2.5\n"),
        (b"1,000\n2,000\n", (), "1.0,0.0\n2.0,0.0\n"),
        (b" 1 ,\t2 \n", (), "1.0,2.0\n"),
        (b"+1,-.5,5.,1E3,1e-400\n", (), "1.0,0.5,5.0,1000.0,0.0\n"),
        (b"inf,-Infinity\n", (), "inf,inf\n"),
        (b"a\n1\n", (), "1.0\n"),
        (b'"a\nb",c\n1,2\n', (), "1.0,2.0\n"),
        (b"1\n2\n", ("--header", "yes"), "2.0\n"),
        (b"a;b\n1;2\n", ("--delimiter", ";"), "1.0,2.0\n"),
        (b"a  b\n1 \t 2\n", ("--delimiter", "space"), "1.0,2.0\n"),
        (b"# x, y\n1,2\n", ("--skip-rows", "1"), "1.0,2.0\n"),
        (b"# caf\xe9\n1\n", ("--skip-rows", "1", "--encoding", "latin-1"), "1.0\n"),
        ("1,2\n".encode("utf-16"), ("--encoding", "utf-16"), "1.0,2.0\n"),
        ("\u017e\n1\n".encode("cp1252"), ("--encoding", "cp1252"), "1.0\n"),
        (b"1,2\n\n3,4\n", (), "1.0,2.0\n3.0,4.0\n"),
        (b"1,2\n3,4\n \n\n5,6\n", (), "1.0,2.0\n3.0,4.0\n5.0,6.0\n"),
        (b"\n" * 1_100_000 + b"1\n", (), "1.0\n"),
        (PADDED * 32_760 + b"\n" * 500 + b"2\n", (), "1.0\n" * 32_760 + "2.0\n"),
        (b"# made by x\n1,2\n", (), "1.0,2.0\n"),
        (b"True,False\n", (), "1.0,0.0\n"),
        (b"1;2\n3;4\n", (), "1.0,2.0\n3.0,4.0\n"),
        (b"1\t2\n", (), "1.0,2.0\n"),
        (b"1|2\n", (), "1.0,2.0\n"),
        (b"1 2\n3 4\n", (), "1.0,2.0\n3.0,4.0\n"),
        (b"1,NA\n3,4\n", ("--na", "nan"), "1.0,nan\n3.0,4.0\n"),
    ],
)
def test_odd_but_right_csv(capsys, data, options, printed, folder):
    """What is odd but can be read in one way only is read."""
    (folder / "f.csv").write_bytes(data)
    arguments = ["l1", "-i", "f.csv", "-t", zeros_like(printed), "-r", "none", "-q", *options]
    assert accept(capsys, arguments) == printed


@pytest.mark.parametrize(
    ("part", "printed"),
    [
        ("#2", "2.0\n5.0\n"),
        ("#b", "2.0\n5.0\n"),
        ("#2-3", "2.0,3.0\n5.0,6.0\n"),
        ("#2-", "2.0,3.0\n5.0,6.0\n"),
        ("#3,1", "3.0,1.0\n6.0,4.0\n"),
        ("#3,2,1", "3.0,2.0,1.0\n6.0,5.0,4.0\n"),
        ("#1,1,1", "1.0,1.0,1.0\n4.0,4.0,4.0\n"),
        ("#c, a", "3.0,1.0\n6.0,4.0\n"),
        ("#1,1-3", "1.0,1.0,2.0,3.0\n4.0,4.0,5.0,6.0\n"),
    ],
)
@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "quoted"])
def test_columns_in_the_order_asked_for(capsys, folder, part, printed, quoted):
    """The columns of a part come in its order, as often as they are named, whichever way the cells are read."""
    last = '"6"' if quoted else "6"
    (folder / "f.csv").write_text(f"a,b,c\n1,2,3\n4,5,{last}\n")
    arguments = ["l1", "-i", f"f.csv{part}", "-t", zeros_like(printed), "-r", "none"]
    assert accept(capsys, arguments) == printed


@pytest.mark.parametrize(
    ("part", "found", "hint"),
    [
        ("#0", "0", "the columns are logit, b,c"),
        ("#4", "4", "the columns are logit, b,c"),
        ("#2-4", "2-4", "the columns are logit, b,c"),
        ("#2-1", "2-1", "did you mean #1-2?"),
        ("#-1", "-1", "did you mean #1-?"),
        ("#logits", "logits", "did you mean #logit?"),
        ("#", "", "the columns are logit, b,c"),
        ("#1,,2", "", "the columns are logit, b,c"),
        ("#1-99999999999999999999", "1-99999999999999999999", "the columns are logit, b,c"),
        ("#\u0661", "\u0661", "the columns are logit, b,c"),
        ("#[red]x[/red]\x1b", r"[red]x[/red]\x1b", "the columns are logit, b,c"),
    ],
)
def test_columns_that_are_not_there(capsys, folder, part, found, hint):
    """A part that names no column is refused with the columns that there are."""
    (folder / "f.csv").write_text('logit,"b,c"\n1,2\n')
    refuse(
        capsys, ["sigmoid", "-i", f"f.csv{part}"], f"f.csv: there is no such column, found '{found}'", hint
    )


@table(
    ("comma too many", Refusal(b"[1,,2]", ":1:4", "not JSON: expecting value")),
    ("quotes and comments", Refusal(b"['1'] // x", ":1:2", "not JSON: expecting value")),
    ("cut short", Refusal(b"[[1,2],\n[3", ":2:3", "not JSON: expecting ',' delimiter")),
    ("cut within a string", Refusal(b'["NaN', ":1:2", "not JSON: unterminated string starting at")),
    ("leading zero", Refusal(b"[01]", ":1:3", "not JSON: expecting ',' delimiter")),
    ("bare point", Refusal(b"[1.]", ":1:3", "not JSON: expecting ',' delimiter")),
    ("plus", Refusal(b"[+1]", ":1:2", "not JSON: expecting value")),
    ("hexadecimal", Refusal(b"[0x10]", ":1:3", "not JSON: expecting ',' delimiter")),
    ("underscore", Refusal(b"[1_0]", ":1:3", "not JSON: expecting ',' delimiter")),
    ("minus", Refusal(b"[\n1,\n -]", ":3:2", "not JSON: expecting value")),
    ("lower-case nan", Refusal(b"[nan]", ":1:2", "not JSON: expecting value")),
    ("no-break space", Refusal("[1\u00a0]".encode(), ":1:3", "not JSON: expecting ',' delimiter")),
    ("no-break space behind", Refusal("[1]\u00a0\n".encode(), ":1:4", "not JSON: extra data")),
    ("NUL behind", Refusal(b"[1]\0", ":1:4", "not JSON: extra data")),
    ("Ctrl-Z behind", Refusal(b"[1]\r\n\x1a", ":2:1", "not JSON: extra data", LINES)),
    ("JSON lines", Refusal(b"[1,2]\n[3,4]\n", ":2:1", "not JSON: extra data", LINES)),
    ("two documents", Refusal(b"[1] [2]", ":1:5", "not JSON: extra data")),
    ("line end in a string", Refusal(b'["a\nb"]', ":1:4", "not JSON: invalid control character at")),
    ("text", Refusal(b"hello", ":1:1", "not JSON: expecting value")),
    ("not text", Refusal(b'["\xe9"]', ":1", "not utf-8 text at byte 2, found '0xe9'", ENCODING)),
    ("utf-16", Refusal("[1]".encode("utf-16"), ":1", "not utf-8 text at byte 0, found '0xff'", UTF16)),
    ("utf-32", Refusal("[1]".encode("utf-32"), ":1", "not utf-8 text at byte 0, found '0xff'", UTF32)),
    ("utf-32-be", Refusal("\ufeff[1]".encode("utf-32-be"), ":1", "not utf-8 text at byte 2, found '0xfe'", UTF32)),
    ("utf-32 without mark", Refusal("[1]".encode("utf-32-be"), ":1", "not utf-8 text at byte 0, found '0x00'", f"{UTF32}-be")),
    ("utf-32 as utf-16", Refusal("[1]".encode("utf-32"), ":1", "not utf-16 text at byte 2, found '0x00'", UTF32, options=("--encoding", "utf-16"))),
    ("open brackets", Refusal(b"[" * 100_000, ":1", DEEP)),
    ("open braces", Refusal(b'{"a":' * 100_000, ":1", DEEP)),
    ("65 deep", Refusal(b"[" * 65 + b"1" + b"]" * 65, "", DEEP)),
    ("900 deep", Refusal(b"[" * 900 + b"1" + b"]" * 900, "", DEEP)),
    ("twice a key", Refusal(b'{"a":[1],\n"a":[2]}', ":1", "a key is there twice, found 'a'", part="#a")),
    ("ragged", Refusal(b"[[1,2],[3]]", "[1]", "the row has 1 item, but [0] has 2")),
    ("ragged within", Refusal(b"[[[1],[2]],[[3],[4,5]]]", "[1][1]", "the row has 2 items, but [0][0] has 1")),
    ("ragged in a part", Refusal(b'{"a":[[1,2],[3]]}', "#/a[1]", "the row has 1 item, but #/a[0] has 2", part="#/a")),
    ("a row that is none", Refusal(b"[[1,2],3]", "[1]", "the row is not a list, but [0] has 2")),
    ("a list among numbers", Refusal(b"[1,[2]]", "[1]", "a list where a number should be")),
    ("a deep list among numbers", Refusal(b"[1," + b"[" * 300 + b"]" * 300 + b"]", "[1]", "a list where a number should be")),
    ("a list too deep", Refusal(b"[[1],[[2]]]", "[1][0]", "a list where a number should be")),
    ("an object among numbers", Refusal(b'[1,{"a":2}]', "[1]", "an object where a number should be", "name a member: #a")),
    ("an empty object", Refusal(b"[{}]", "[0]", "an object where a number should be")),
    ("a key with escapes", Refusal(b'[{"id":1,"\\u001b[31m\\n":2}]', "", "column 1 (id) identifies rows, and is not data", r"take the columns of the array: $'#\x1b[31m\n'")),
    ("long text", Refusal(b'["' + b"x" * 1000 + b'"]', "[0]", f"""not a number, found '"{"x" * 38}…'""")),
    ("lone surrogate", Refusal(b'["\\ud800"]', "[0]", r"""not a number, found '"\ud800"'""")),
    ("null", Refusal(b"[[1,2],[null,3]]", "[1][0]", "not a number, found 'null'", MISSING)),
    ("null alone", Refusal(b"null", "", "a lone number is missing, and no row to leave out", options=("--na", "drop"))),
    ("large whole number", Refusal(b"[1" + b"0" * 400 + b"]", "[0]", "a number outside the range of float64")),
    ("overflow", Refusal(b"[[1,-1e400]]", "[0][1]", "a number outside the range of float64")),
    ("an object", Refusal(b'{"a":1,"b\\n":2}', "", "an object where a list of numbers is expected", r"name a member: #/a, #/b\n")),
    ("an object without members", Refusal(b"{}", "", "an object where a list of numbers is expected")),
    ("no such member", Refusal(b'{"a":1,"\\u001b":2}', "#/x", "there is no such member, found 'x'", r"there are a, \x1b", part="#/x")),
    ("no such member in a record", Refusal(b'[{"a":1},{"b":2}]', "#a[1]", "there is no such member, found 'a'", "there are b", part="#a")),
    ("no record", Refusal(b'[{"a":1},2]', "#a[1]", "neither an object nor a list with such a member, found 'a'", part="#a")),
    ("no such item", Refusal(b'{"a":[1,2]}', "#/a/2", "the list has 2 items, found '2'", part="#/a/2")),
    ("item with a sign", Refusal(b'{"a":[1,2]}', "#/a/-1", "neither an object nor a list with such a member, found '-1'", part="#/a/-1")),
    ("large item", Refusal(b"[1]", "#/" + "9" * 30, f"the list has 1 item, found '{'9' * 30}'", part="#/" + "9" * 30)),
    ("empty", Refusal(b"", "", "no data")),
    ("blank", Refusal(b" \n\t", "", "no data")),
    ("empty list", Refusal(b"[]", "", "no data")),
    ("empty rows", Refusal(b"[[],[]]", "", "no data")),
    ("a tilde", Refusal(b'{"~2":[1]}', "#/~2", "not a JSON Pointer: a ~ in a name is written ~0, and a / is written ~1, found '/~2'", part="#/~2")),
    ("empty part", Refusal(b'{"a":[]}', "#/a", "no data", part="#/a")),
)  # fmt: skip
def test_hostile_json(capsys, case):
    """A hostile document is refused with line and column, or with the path of what is wrong in it."""
    refuse_file(capsys, "f.json", case)


@table(
    ("text", Refusal(b"1\nx\n", ":2:1", "not JSON: expecting value")),
    ("a document over lines", Refusal(b"[1,\n2]\n", ":1:4", "not JSON: expecting value")),
    ("two documents a line", Refusal(b"1\n2 3\n", ":2:3", "not JSON: extra data")),
    ("ragged", Refusal(b"[1,2]\n\n[3]\n", ":3", "the row has 1 item, but line 1 has 2")),
    ("ragged later", Refusal((b"[1,2]" + b" " * 26 + b"\n") * 40_000 + b"[3]\n", ":40001", "the row has 1 item, but line 32769 has 2")),
    ("another shape later", Refusal((b"[1,2]" + b" " * 26 + b"\n") * 32_768 + b"[3]\n", ":32769", "the row has shape (1,), those before (2,)")),
    ("a number among rows", Refusal(b"[1,2]\n3\n", ":2", "the row is not a list, but line 1 has 2")),
    ("a row among numbers", Refusal(b"1\n[2]\n", ":2", "a list where a number should be")),
    ("an object", Refusal(b'{"a":{"b":1}}\n', ":1#a", "an object where a number should be", "name a member: #/a/b")),
    ("no such member", Refusal(b'{"a":1}\n{"b":2}\n', ":2", "there is no such member, found 'a'", "there are b", part="#a")),
    ("null", Refusal(b"1\nnull\n", ":2", "not a number, found 'null'", MISSING)),
    ("twice a key", Refusal(b'{"a":1}\n{"a":1,"a":2}\n', ":2", "a key is there twice, found 'a'", part="#a")),
    ("not text", Refusal(b"1\n\xff\n", ":2", "not utf-8 text at byte 2, found '0xff'", ENCODING)),
    ("open brackets", Refusal(b"1\n" + b"[" * 100_000 + b"\n", ":2", DEEP)),
    ("65 deep", Refusal(b"[" * 65 + b"1" + b"]" * 65 + b"\n", "", DEEP)),
    ("NUL", Refusal(b"[1]\0\n", ":1:4", "not JSON: extra data")),
    ("empty", Refusal(b"", "", "no data")),
    ("blank lines", Refusal(b"\n \n", "", "no data")),
    ("empty rows", Refusal(b"[]\n[]\n", "", "no data")),
)  # fmt: skip
def test_hostile_json_lines(capsys, case):
    """A hostile line is refused with its number."""
    refuse_file(capsys, "f.jsonl", case)


def test_path_behind_the_line(capsys):
    """In JSON lines the path of a value stands behind the number of its line: FILE:LINE comes first."""
    case = Refusal(b"[1,2]\n[3,null]\n", ":2[1]", "not a number, found 'null'", MISSING)
    refuse_file(capsys, "f.jsonl", case)


@pytest.mark.parametrize(
    ("name", "data", "part", "options", "printed"),
    [
        ("f.json", b"\xef\xbb\xbf[1]", "", (), "1.0\n"),
        ("f.json", b"[9007199254740993]", "", (), "9007199254740992.0\n"),
        ("f.json", b'["Infinity","-Infinity",Infinity]', "", (), "inf\ninf\ninf\n"),
        ("f.json", b"[1,2]", "#", (), "1.0\n2.0\n"),
        ("f.json", b'{"a/b":[1],"a~":{"":[2]}}', "#/a~1b", (), "1.0\n"),
        ("f.json", b'{"a/b":[1],"a~":{"":[2]}}', "#/a~0/", (), "2.0\n"),
        ("f.json", b'{"a#b":[3]}', "#a#b", (), "3.0\n"),
        ("f.json", b'[{"a":1},{"a":2}]', "#a", (), "1.0\n2.0\n"),
        ("f.json", b"[1,null,3]", "", ("--na", "nan"), "1.0\nnan\n3.0\n"),
        ("f.jsonl", b"1\r\n\r\n2", "", (), "1.0\n2.0\n"),
        ("f.jsonl", b'{"a":[1]}\n{"a":[2]}\n', "#/a/0", (), "1.0\n2.0\n"),
        ("f.json", "[1]".encode("utf-16"), "", ("--encoding", "utf-16"), "1.0\n"),
    ],
)
def test_odd_but_right_json(capsys, folder, name, data, part, options, printed):
    """What is odd but can be read in one way only is read."""
    (folder / name).write_bytes(data)
    arguments = ["l1", "-i", name + part, "-t", zeros_like(printed), "-r", "none", "-q", *options]
    assert accept(capsys, arguments) == printed


@pytest.mark.parametrize(
    ("text", "place", "says", "hint"),
    [
        ("1,,2", "--input[1]", nan(""), None),
        ("1,x", "--input[1]", nan("x"), None),
        ("1,1e999", "--input[1]", "a number outside the range of float64, found '1e999'", None),
        ("1 2", "--input", nan("1 2"), "commas separate numbers, as in 1,2"),
        ("--5", "--input", nan("--5"), None),
        ("[1,2", "--input:1:5", "not JSON: expecting ',' delimiter", None),
        ("[1,[2]]", "--input[1]", "a list where a number should be", None),
        ("[1,null]", "--input[1]", "not a number, found 'null'", MISSING),
        ("[]", "--input", "no data", None),
        ("[1]\x1b", "--input:1:4", "not JSON: extra data", None),
        ("[" * 5000, "--input:1", DEEP, None),
    ],
)
def test_hostile_literal(capsys, text, place, says, hint):
    """Numbers on the command line are as strict as those in files, and named by their option."""
    refuse(capsys, ["sigmoid", "-i", text], f"{place}: {says}", hint)


def test_missing_numbers_of_a_literal(capsys):
    """What --na says holds for a JSON list on the command line too, in every array."""
    arguments = ["l1", "-i", "[1,null,3]", "-t", "0,0,1", "-r", "none", "-q", "--na"]
    assert accept(capsys, [*arguments, "drop"]) == "1.0\n2.0\n"
    assert accept(capsys, [*arguments, "nan"]) == "1.0\nnan\n2.0\n"


@pytest.mark.parametrize(
    ("name", "data", "place"),
    [
        ("f.csv", b"y\n0\n2\n", ":3:1"),
        ("f.csv", b"\xef\xbb\xbf0\r\n2\r\n\r\n", ":2:1"),
        ("f.csv#y", b"a,y\n0,0\n0,2\n", ":3:2"),
        ("f.txt", b"0 0\n0   2\n", ":2:2"),
        ("f.json", b"[0,2]", "[1]"),
        ("f.json#/a", b'{"a":[0,2]}', "#/a[1]"),
        ("f.jsonl", b"0\n\n2\n", ":3"),
    ],
)
def test_place_of_a_value_out_of_range(capsys, folder, name, data, place):
    """A value that is a number but out of range has its place too; blank lines and headers count."""
    path = name.partition("#")[0]
    (folder / path).write_bytes(data)
    zeros = "[[0,0],[0,0]]" if path == "f.txt" else "0,0"
    message = f"{path}{place}: --input must be in [0, 1], found 2.0"
    refuse(capsys, ["bce", "-i", name, "-t", zeros], message, "for logits use bce-logits", 4)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--delimiter", ""),
        ("--delimiter", ",,"),
        ("--delimiter", "5"),
        ("--delimiter", "e"),
        ("--delimiter", "\n"),
        ("--delimiter", '"'),
        ("--delimiter", "."),
        ("--skip-rows", "-1"),
        ("--skip-rows", "1_0"),
        ("--skip-rows", "١"),
        ("--skip-rows", "99999999999"),
        ("--encoding", "nope"),
        ("--encoding", "base64"),
        ("--encoding", "rot13"),
        ("--encoding", "\0"),
        ("--header", "maybe"),
        ("--na", "0"),
        ("--from", "hdf5"),
    ],
)
def test_hostile_reading_options(capsys, folder, option, value):
    """A reading option outside its domain is wrong usage, whatever the file."""
    (folder / "f.csv").write_text("1\n")
    assert cli.run(["sigmoid", "-i", "f.csv", option, value]) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith(f"losscalc: error: invalid value for '{option}': ")
    assert "Traceback" not in error
    assert error.replace("\n", "").isprintable()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_places_in_packed_text(capsys, pack):
    """Places are those of the text that was packed."""
    suffix = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}[pack]
    refuse_file(capsys, f"f.csv.{suffix}", Refusal(pack(b"1\nx\n"), ":2:1", nan("x")))
    refuse_file(capsys, f"f.json.{suffix}", Refusal(pack(b"[1,\nx]"), ":2:1", "not JSON: expecting value"))


@pytest.mark.slow
def test_a_line_of_a_million_cells(capsys, folder):
    """One row may be as wide as it likes."""
    (folder / "f.csv").write_text(",".join(["1"] * 1_000_000))
    assert accept(capsys, ["l1", "-i", "f.csv", "-t", "f.csv", "-r", "sum"]) == "0.0\n"
