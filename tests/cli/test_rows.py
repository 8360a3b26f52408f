"""Rows of several tables: compared, joined, picked and grouped as plain dicts in Python do it."""

import gzip
import json
import operator
import re
import shlex
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from losscalc import cli
from losscalc.engine import block
from losscalc.inputs import join, text

ANY = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))

KEYS = (
    "7", "007", "7.0", "8", "-1", "-2", "1e3", "1000", "9007199254740993", "9007199254740992",
    "09007199254740993", "12345678901234567890", "a7", "A7", "a 7", "img_01.png", "2024-01-05", "1-2", "nan",
    "NaN", "", "é", "x,y", "#3", "0x10", "1_000", "e5", "+5", "5", "it's", 'the "best"', "a" * 200, "tint",
    "0.5", ".5",
)  # fmt: skip
"""Keys as people have them, some of which are the same number."""
GROUPS = ("val", "train", "val x", "7", "07", "10", "", "-3", "x>1", "0.25")
NUMBERS = st.integers(-64, 64).map(lambda n: str(n / 8))
"""Numbers whose differences and products float64 has exactly."""
OPERATORS = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip

Row = dict[str, str]


class Table(NamedTuple):
    """A table: the column of its numbers, and its rows as texts."""

    value: str
    rows: list[Row]


class Case(NamedTuple):
    """Tables that belong together, and the options of a command."""

    tables: list[Table]
    key: str | None
    inner: bool
    no_key: bool
    where: list[tuple[str, str, str]]
    by: str | None

    def options(self) -> list[str]:
        """The options as they are typed."""
        words = ["--key", self.key] if self.key is not None else []
        words += ["--inner"] * self.inner + ["--no-key"] * self.no_key
        words += [word for condition in self.where for word in ("--where", " ".join(condition))]
        return [*words, *([] if self.by is None else ["--by", self.by])]


class Refused(NamedTuple):
    """What a command may say when it refuses: its exit code, and patterns of its message."""

    code: int
    said: tuple[str, ...] = ()


def same(text: str) -> Fraction | str:
    """What a text is compared by: an exact number, or itself."""
    is_number = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.ASCII | re.IGNORECASE)
    return Fraction(text) if is_number else text


def shown(keys: Sequence[str]) -> str:
    """A pattern of the first three keys as messages show them: texts in quotes, and cut if they are long."""
    words = []
    for key in keys[:3]:
        number = same(key)
        if isinstance(number, str):
            words.append(re.escape(f"'{key if len(key) < 41 else key[:39] + '…'}'"))
        else:
            value = int(number) if number.denominator == 1 else float(number)
            words.append(f"({re.escape(key)}|{re.escape(str(value))})")
    return ", ".join(words + [r"\.\.\."] * (len(keys) > 3))


def holds(cell: str, sign: str, value: str) -> bool:
    """Whether a condition holds: of numbers as numbers, of texts as texts."""
    if sign == "in":
        return any(holds(cell, "=", word.strip()) for word in value.split(","))
    left, right = same(cell), same(value)
    if isinstance(left, str) != isinstance(right, str):
        return sign == "!="
    return bool(OPERATORS[sign](left, right))


def repeated(table: Table, key: str) -> list[str]:
    """The keys of rows that have that of a row above."""
    seen: set[Fraction | str] = set()
    return [row[key] for row in table.rows if same(row[key]) in seen or seen.add(same(row[key]))]


def lined_up(case: Case) -> tuple[list[tuple[Row, ...]], list[Refused]]:
    """The rows that belong together, in the order of the first table, or what is wrong with them."""
    key, tables = case.key, case.tables
    if key is None:
        every = zip_longest(*(table.rows for table in tables))
        rows = [tuple(row for row in each if row is not None) for each in every]
        hint = "--key id joins the rows by it, --no-key takes them as they stand"
        alike = case.no_key or all(len({same(row["id"]) for row in each}) == 1 for each in rows)
        refused = [] if alike else [Refused(3, ("id is ", hint))]
        return rows, refused + [Refused(4)] * (len({len(table.rows) for table in tables}) > 1)
    twice = [found for table in tables if (found := repeated(table, key))]
    if twice:
        return [], [
            Refused(3, (f"{len(twice[0])} rows? ha", f"the {key} of a row above: {shown(twice[0])}\n"))
        ]
    first, *others = known = [{same(row[key]): row for row in table.rows} for table in tables]
    if not case.inner:
        for other in others:
            missing = [row[key] for name, row in first.items() if name not in other]
            more = [row[key] for name, row in other.items() if name not in first]
            said = [
                f"{len(keys)} rows? .*no partner in .*: {shown(keys)}" for keys in (missing, more) if keys
            ]
            if said:
                return [], [Refused(3, (*said, "--inner leaves out the rows that some table lacks"))]
    return [tuple(own[name] for own in known) for name in first if all(name in own for own in known)], []


def expected(case: Case) -> tuple[list[tuple[Row, ...]], list[Refused]]:
    """The rows that take part, or what may be said against the tables."""
    rows, refused = lined_up(case)
    columns = {column for column, _, _ in case.where} | ({case.by} if case.by else set())
    pairs = rows
    if case.key is not None and refused:
        # Rows are held against one another before all keys are known.
        every = [row for table in case.tables for row in table.rows]
        pairs = [tuple(row for row in every if same(row["id"]) == same(key)) for key in KEYS]
    for column in columns - {case.key}:
        if any(len({same(row[column]) for row in each if column in row}) > 1 for each in pairs):
            refused = [*refused, Refused(3, (f"{column} is ",))]
    if refused:
        return [], refused
    cells = [
        {column: next(row[column] for row in each if column in row) for column in columns} for each in rows
    ]
    meets = [all(holds(own[column], sign, value) for column, sign, value in case.where) for own in cells]
    return [each for each, is_met in zip(rows, meets, strict=True) if is_met], []


def loss(rows: tuple[Row, ...], tables: Sequence[Table]) -> float:
    """w·|x - y| of rows that belong together."""
    x, y, *w = numbers(rows, tables)
    return abs(x - y) * (w[0] if w else 1.0)


def numbers(rows: tuple[Row, ...], tables: Sequence[Table]) -> list[float]:
    """The numbers of rows that belong together."""
    return [float(row[table.value]) for row, table in zip(rows, tables, strict=True)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Two or three tables of which most rows have partners, and options."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=9, unique_by=same))
    rows = {
        key: {"split": draw(st.sampled_from(GROUPS)), "n": draw(st.sampled_from(("1", "2", "10", "x", "")))}
        for key in keys
    }
    tables = []
    for value in ("p", "y", "w")[: draw(st.integers(2, 3))]:
        own = list(keys)
        change = draw(st.sampled_from(("none", "none", "order", "order", "less", "more", "twice")))
        if change != "none":
            own = draw(st.permutations(own))
        if change == "less" and len(own) > 1:
            own = own[draw(st.integers(1, len(own) - 1)) :]
        elif change == "more":
            own.append(draw(st.sampled_from(KEYS)))
        elif change == "twice":
            own += draw(st.lists(st.sampled_from(own), min_size=1, max_size=2))
        beside = [name for name in ("split", "n") if value == "p" or draw(st.integers(0, 3)) == 0]
        table = []
        for key in own:
            alike = [other for other in KEYS if same(other) == same(key)]
            facts = rows.get(key, {"split": "val", "n": "1"})
            number = draw(NUMBERS) if value != "w" else draw(st.sampled_from(("0.5", "1", "2")))
            table.append(
                {"id": draw(st.sampled_from(alike)), value: number, **{name: facts[name] for name in beside}}
            )
        tables.append(Table(value, table))
    is_joined = draw(st.booleans())
    sign = st.sampled_from((*OPERATORS, "in"))
    word = st.sampled_from((*GROUPS, "1", "2,10", "val, train", "a7"))
    where = st.tuples(st.sampled_from(("split", "n")), sign, word).filter(lambda each: each[1:] != ("in", ""))
    return Case(
        tables,
        "id" if is_joined else None,
        is_joined and draw(st.booleans()),
        not is_joined and draw(st.booleans()),
        draw(st.lists(where, max_size=2)),
        draw(st.sampled_from((None, None, "split", "n"))),
    )


def write(folder: Path, number: int, table: Table, style: str) -> str:
    """A file of a table, and how it is named."""
    mark = {"tsv": "\t", "semicolons": ";"}.get(style, ",")

    def cell(word: str) -> str:
        is_special = style == "quoted" or set(word) & {mark, '"', "#"}
        return '"' + word.replace('"', '""') + '"' if is_special else word

    head, *lines = [
        mark.join(map(cell, row)) + "\n" for row in (table.rows[0], *(r.values() for r in table.rows))
    ]
    if style == "comments":
        lines = [line + "\n# so far\n" for line in lines]
    if style == "gz":
        with gzip.open(folder / f"{number}.csv.gz", "wt", encoding="utf-8") as file:
            file.write("".join((head, *lines)))
        return f"{number}.csv.gz#{table.value}"
    if style == "shards":
        half = max(1, len(lines) // 2)
        parts = [part for part in (lines[:half], lines[half:]) if part]
        for name, part in zip("ab", parts, strict=False):
            (folder / f"{number}-{name}.csv").write_text("".join((head, *part)), "utf-8")
        return f"{number}-*.csv#{table.value}"
    suffix = "tsv" if style == "tsv" else "csv"
    (folder / f"{number}.{suffix}").write_text("".join((head, *lines)), "utf-8")
    return f"{number}.{suffix}#{table.value}"


STYLES = ("plain", "plain", "tsv", "semicolons", "quoted", "comments", "gz", "shards")


@pytest.mark.slow
@ANY
@given(cases(), st.data())
def test_rows_as_dicts_have_them(capsys, monkeypatch, tmp_path_factory, case, data):
    """Whatever the order of the rows, the formats of the tables, and wherever pieces begin."""
    folder = tmp_path_factory.mktemp("rows")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(join, "_STEP", data.draw(st.sampled_from((1, 2, 3, 1 << 16))))
    monkeypatch.setattr(text, "_BYTES", data.draw(st.sampled_from((100, 1 << 20))))
    monkeypatch.setattr(block, "BLOCK", data.draw(st.sampled_from((1, 1 << 17))))
    styles = [data.draw(st.sampled_from(STYLES)) for _ in case.tables]
    files = [
        write(folder, number, *each) for number, each in enumerate(zip(case.tables, styles, strict=True))
    ]
    words = ["l1", *(word for pair in zip(("-i", "-t", "--weight"), files, strict=False) for word in pair)]
    rows, refused = expected(case)
    capsys.readouterr()
    code = cli.run([*words, *case.options(), *(["-f", "json"] if case.by else ["-r", "none"])])
    output, error = capsys.readouterr()
    if refused:
        assert (code, output) in [(each.code, "") for each in refused], error
        assert any(all(re.search(said, error) for said in each.said) for each in refused), error
        return
    assert code == 0, error
    assert ("no row meets" in error) == (not rows and bool(case.where))
    losses = [loss(each, case.tables) for each in rows]
    if not case.by:
        assert [float(line) for line in output.split()] == losses
        return
    groups = defaultdict(list)
    for each in rows:
        groups[same(next(row[case.by] for row in each if case.by in row))].append(each)
    found = json.loads(output)
    assert {same(str(each["group"])) for each in found["groups"]} == set(groups)
    wholes = [(found["whole"], rows), *((each, groups[same(str(each["group"]))]) for each in found["groups"])]
    for summary, own in wholes:
        total = sum(loss(each, case.tables) for each in own)
        weight = sum([*numbers(each, case.tables), 1.0][2] for each in own)
        assert (summary["count"], summary["sum"]) == (len(own), total)
        assert summary["mean"] == (pytest.approx(total / weight, rel=1e-15) if own else None)
    means = [each["mean"] for each in found["groups"]]
    assert found["mean_of_means"] == (pytest.approx(sum(means) / len(means), rel=1e-15) if means else None)


TABLE = "p,y,split,n\n.5,1,val,1\n,1,val,2\nx,1,train,3\n.25,0,train,4\n.75,,val,5\n.125,0,val,6\n"
"""Of the rows with val, two have a number missing; the others are rows 0 and 5, with losses .5 and .125."""
PICKED = ["l1", "-i", "a.csv#p", "-t", "a.csv#y", "--where", "split=val", "--na", "drop"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The table, in the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(TABLE)
    return tmp_path


def ran(capsys, *arguments: str) -> tuple[int, str, str]:
    """The exit code of a command, and what it said."""
    capsys.readouterr()
    return (cli.run(arguments), *capsys.readouterr())


def test_rows_that_conditions_leave_out(capsys, folder):
    """They are not among those with a missing number, and need not be readable."""
    left_out = "losscalc: warning: left out 2 rows with a missing number\n"
    assert ran(capsys, *PICKED) == (0, "0.3125\n", left_out)
    assert ran(capsys, *PICKED, "-q") == (0, "0.3125\n", "")
    assert ran(capsys, *PICKED, "-r", "none") == (0, "0.5\n0.125\n", left_out)
    assert ran(capsys, *PICKED, "--gradient", "-r", "sum") == (0, "-1.0\n1.0\n", left_out)
    code, _, error = ran(capsys, *PICKED, "-W", "error")
    assert (code, error) == (4, "losscalc: error: left out 2 rows with a missing number\n")
    code, output, error = ran(capsys, *PICKED[:-1], "nan", "-r", "none")
    assert (code, output.split()) == (0, ["0.5", "nan", "nan", "0.125"])
    assert error.startswith("losscalc: warning: a.csv:3:1: a result is not finite, found nan\n")


def test_rows_that_conditions_take(capsys, folder):
    """What cannot be read in them is an error with its place, as it is without conditions."""
    not_read = "losscalc: error: a.csv:4:1: not a number, found 'x'\n"
    for condition in ("n=3", "n>2", "split=train", "y=1"):
        code, output, error = ran(capsys, *PICKED[:5], "--where", condition, "--na", "drop")
        assert (code, output) == (3, "")
        assert error.startswith(not_read)
    assert ran(capsys, *PICKED[:5], "--na", "drop")[2].startswith(not_read)
    (folder / "a.csv").write_text("p,y,n\n.5,1,1\n.5,1\n")
    message = (
        "losscalc: error: a.csv:3: the line has 2 cells, but line 1 has 3\n"
        "  hint: write a missing cell as NaN; --na drop leaves such rows out\n"
    )
    assert ran(capsys, *PICKED[:5], "--where", "n=1") == (3, "", message)


def test_arrays_that_are_no_rows_are_read_with_care(capsys, folder):
    """A condition lets no cell of another array pass that cannot be read."""
    (folder / "w.csv").write_text("w,name\n1,cat\nx,dog\n")
    command = ["bce-logits", "-i", "x.csv#1-2", "-t", "[[0,1],[1,0]]", "--pos-weight", "w.csv#w"]
    (folder / "x.csv").write_text("cat,dog,n\n1,2,1\n3,4,2\n")
    code, output, error = ran(capsys, *command, "--where", "n=1")
    assert (code, output) == (3, "")
    assert error.startswith("losscalc: error: w.csv:3:1: not a number, found 'x'\n")
    code, output, error = ran(capsys, *command, "--where", "name=cat")
    hint = "  hint: the columns are cat, dog, n\n"
    assert (code, error) == (3, f"losscalc: error: --where: there is no such column, found 'name'\n{hint}")
    code, output, error = ran(capsys, *PICKED[:-2], "-r", "none", "--expect", "w.csv#w")
    assert (code, error) == (3, "losscalc: error: a.csv:3:1: not a number, found ''\n" + GAP)


GAP = "  hint: --na drop leaves the row out, --na nan reads NaN\n"


def test_views_name_rows_by_their_places(capsys, folder):
    """In --worst, --explain and diagnose, the index of a row is that in the file."""
    _, output, _ = ran(capsys, *PICKED, "--worst", "5", "-f", "csv")
    assert output.splitlines() == [
        "index,line,input,target,loss,share",
        "0,2,0.5,1,0.5,80.0%",
        "5,7,0.125,0,0.125,20.0%",
    ]
    _, output, _ = ran(capsys, *PICKED, "--explain")
    first = [line.split()[0] for line in output.splitlines()]
    assert first == ["l1:", "[0]", "[5]", "numerator", "denominator", "mean"]
    _, output, _ = ran(capsys, *PICKED, "--stats", "-f", "csv")
    assert {"losses,2", "mean,0.3125", "max,0.5"} < set(output.splitlines())
    _, output, _ = ran(capsys, "diagnose", *PICKED, "--worst", "1", "-f", "csv")
    assert {"0,2,0.5,1,0.5,80.0%", "losses,2"} < set(output.splitlines())
    assert ran(capsys, *PICKED, "--expect", "0.3125", "-q")[0] == 0
    assert ran(capsys, *PICKED, "-r", "none", "--expect", "[0.5,0.125]", "-q")[0] == 0
    code, output, _ = ran(capsys, *PICKED, "--expect", "0.625")
    assert (code, "-r sum" in output or "--reduction sum" in output) == (1, True)


@pytest.mark.parametrize("size", [1, 1 << 17])
def test_views_of_joined_rows(capsys, monkeypatch, folder, size):
    """The index is that of the row of the input, whatever the order is in which rows were found."""
    monkeypatch.setattr(block, "BLOCK", size)
    monkeypatch.setattr(join, "_STEP", 2 if size == 1 else 1 << 16)
    (folder / "x.csv").write_text("id,p\n" + "".join(f"{key},{n}\n" for n, key in enumerate("abcdefg")))
    (folder / "y.csv").write_text("id,y\n" + "".join(f"{key},0\n" for key in "gecdzf"))
    command = ["l1", "-i", "x.csv#p", "-t", "y.csv#y", "--key", "id", "--inner", "-q"]
    _, output, _ = ran(capsys, *command, "--worst", "9", "-f", "csv")
    cells = [line.split(",")[:4] for line in output.splitlines()[1:]]
    assert cells == [[str(n), str(n + 2), str(n), "0"] for n in (6, 5, 4, 3, 2)]
    _, output, _ = ran(capsys, *command, "--where", "id != f", "--explain")
    lines = [line.split()[0] for line in output.splitlines()]
    assert lines == ["l1:", "[2]", "[3]", "[4]", "[6]", "numerator", "denominator", "mean"]
    (folder / "y.csv").write_text("id,y\n" + "".join(f"{key},{7 if key == 'c' else 1}\n" for key in "gecdzf"))
    code, _, error = ran(capsys, "bce", *command[1:-1], "--where", "id in c,z")
    assert (code, error.splitlines()[0]) == (
        4,
        "losscalc: error: x.csv:4:2: --input must be in [0, 1], found 2.0",
    )
    code, _, error = ran(capsys, "bce-logits", *command[1:-1], "-W", "error")
    assert (code, error.splitlines()[1].partition(",")[0]) == (
        4,
        "losscalc: error: y.csv:4:2: --target should be in [0",
    )


def test_rows_far_behind_are_explained(capsys, monkeypatch, folder):
    """The first rows of which an explanation is made are those that are picked."""
    monkeypatch.setattr(block, "BLOCK", 1)
    (folder / "x.csv").write_text("p,n\n" + "".join(f"{n},{n}\n" for n in range(100)))
    target = json.dumps([0] * 100)
    _, output, _ = ran(
        capsys, "l1", "-i", "x.csv#p", "-t", target, "--where", "n>=90", "--explain", "--max-rows", "3"
    )
    lines = [line.split()[0] for line in output.splitlines()]
    assert lines[:5] == ["l1:", "[90]", "[91]", "[92]", "…"]


def test_several_losses_of_picked_rows(capsys, folder):
    """Each has those rows, and what there is to say of them is said once."""
    options = [*PICKED[1:], "-f", "csv"]
    code, output, error = ran(capsys, "compare", "l1", "mse", *options)
    rows = [line.split(",") for line in output.splitlines()]
    assert [(row[0], *row[-2:]) for row in rows[1:]] == [
        ("l1", "0.3125", "0.625"),
        ("mse", "0.1328125", "0.265625"),
    ]
    assert (code, error) == (0, "losscalc: warning: left out 2 rows with a missing number\n")
    _, output, error = ran(capsys, "compare", "l1", "mse", *options[:4], "--where", "n=9")
    assert error.count("no row meets n = 9") == 1


@pytest.mark.parametrize("options", [[], ["--key", "id"]])
def test_ids_are_exact_texts(capsys, folder, options):
    """Though true and True are one in a condition, they are two ids."""
    (folder / "a.csv").write_text("id,p\ntrue,0.5\nx,0.25\n")
    (folder / "b.csv").write_text("id,y\nTrue,1\nx,1\n")
    assert cli.run(["l1", "-i", "a.csv#p", "-t", "b.csv#y", *options]) == 3
    assert "True" in capsys.readouterr().err


def test_truth_values_of_several_tables(capsys, folder):
    """A column of them that a condition is on agrees, however each program writes them."""
    (folder / "a.csv").write_text("id,ok,p\n1,True,0.5\n2,False,0.25\n")
    (folder / "b.csv").write_text("id,ok,y\n1,true,1\n2,0,1\n")
    (folder / "c.csv").write_text("id,ok,y\n1,true,1\n2,1,1\n")
    assert cli.run(["l1", "-i", "a.csv#p", "-t", "b.csv#y", "--where", "ok=true"]) == 0
    assert capsys.readouterr() == ("0.5\n", "")
    assert cli.run(["l1", "-i", "a.csv#p", "-t", "c.csv#y", "--where", "ok=true"]) == 3
    assert "c.csv:3:2: ok is 1, and 'False' in a.csv:3:2" in capsys.readouterr().err


def test_a_hint_at_long_cells_is_short(capsys, folder):
    """Of a text in the column of a condition, no more than its beginning is shown."""
    (folder / "x.csv").write_text("x,s\n1," + "a" * 100_000 + "\n2,b\n")
    _, _, error = ran(capsys, "mse", "-i", "x.csv#x", "-t", "1,2", "--where", "s=c")
    assert f"\n  hint: in the first rows, s is {'a' * 40}…, b\n" in error


def test_activations_of_picked_rows(capsys, folder):
    """They have rows, too."""
    (folder / "x.csv").write_text("id,cat,dog,s\n7,0,0,a\n8,1,2,b\n9,0,0,a\n")
    code, output, error = ran(capsys, "softmax", "-i", "x.csv", "--key", "id", "--where", "s=a")
    assert (code, output, error) == (0, "0.5,0.5\n0.5,0.5\n", "")
    assert ran(capsys, "sigmoid", "-i", "x.csv#cat", "--where", "s=a")[1] == "0.5\n0.5\n"
    code, _, error = ran(capsys, "sigmoid", "-i", "x.csv#cat", "--by", "s")
    assert (code, error.splitlines()[0]) == (2, "losscalc: error: no such option: --by")


@pytest.mark.parametrize(
    ("conditions", "problem", "hint"),
    [
        (["n > 100"], "no row meets n > 100", "in the first rows, n is 1, 2, 3, 4, 5, ..."),
        (["split=vol"], "no row meets split = vol", "in the first rows, split is val, train"),
        (["split="], "no row meets split =", "in the first rows, split is val, train"),
        (["n in 7, x"], "no row meets n in 7, x", "in the first rows, n is 1, 2, 3, 4, 5, ..."),
        (
            ["split=val", "n=3"],
            "no row meets split = val and n = 3",
            "each of these is met by some rows, but no row meets them all",
        ),
        (
            ["split=val", "n=9"],
            "no row meets split = val and n = 9",
            "in the first rows, n is 1, 2, 3, 4, 5, ...",
        ),
    ],
)
def test_conditions_that_no_row_meets(capsys, folder, conditions, problem, hint):
    """The result is empty, with a warning of why, which comes first."""
    where = [word for condition in conditions for word in ("--where", condition)]
    warning = f"losscalc: warning: {problem}\n  hint: {hint}\n"
    empty = "losscalc: warning: there are no values, so the mean is empty\n"
    assert ran(capsys, *PICKED[:5], *where) == (0, "nan\n", warning + empty)
    assert ran(capsys, *PICKED[:5], *where, "-q") == (0, "nan\n", "")
    assert ran(capsys, *PICKED[:5], *where, "-r", "none") == (0, "", warning)
    assert ran(capsys, *PICKED[:5], *where, "-r", "sum") == (0, "0.0\n", warning)
    for reduction in ("none", "mean", "sum"):
        code, output, error = ran(capsys, *PICKED[:5], *where, "-r", reduction, "-W", "error")
        assert (code, output, error) == (4, "", warning.replace("warning", "error"))
    assert ran(capsys, *PICKED[:5], *where, "--explain")[0] == 0
    for view in (
        ["--stats"],
        ["--worst", "3"],
        ["--gradient"],
        ["--expect", "1", "-q"],
        ["--suppose", "sum"],
    ):
        assert ran(capsys, *PICKED[:5], *where, *view)[0] in (0, 1, 2)
    assert ran(capsys, "diagnose", *PICKED[:5], *where)[0] == 0


@pytest.mark.parametrize(
    ("condition", "code", "problem", "hint"),
    [
        ("splt=val", 3, "--where: there is no such column, found 'splt'", "did you mean --where split=val?"),
        ("splt = it's", 3, "--where: there is no such column, found 'splt'", None),
        ("zzz in 1", 3, "--where: there is no such column, found 'zzz'", "the columns are p, y, split, n"),
        ("split", 2, "not a condition, found 'split'", None),
        ("p 0.4", 2, "not a condition, found 'p 0.4'", None),
    ],
)
def test_what_is_no_condition_on_a_column(capsys, folder, condition, code, problem, hint):
    """An unknown column is told from what is no condition at all; hints are quoted for a shell."""
    quoted = "did you mean --where 'split = it'\"'\"'s'?" if "it's" in condition else None
    usual = "quote the condition, as in --where 'p > 0.4' or --where split=val"
    expected = f"losscalc: error: {problem}\n  hint: {hint or quoted or usual}\n"
    assert ran(capsys, *PICKED[:5], "--where", condition) == (code, "", expected)
    if quoted:
        words = shlex.split(quoted.removeprefix("did you mean ").removesuffix("?"))
        assert ran(capsys, *PICKED[:5], *words, "-r", "none")[2].startswith("losscalc: warning: no row meets")


def test_no_table_at_all(capsys):
    """There is nothing that a condition could be on."""
    code, _, error = ran(capsys, "l1", "-i", "1,2", "-t", "1,2", "--where", "p>1")
    hint = "  hint: no array is a table with named columns\n"
    assert (code, error) == (3, f"losscalc: error: --where: there is no such column, found 'p'\n{hint}")


def test_whole_tables_without_what_conditions_are_on(capsys, folder):
    """Columns that options name are left out, and what else is no data is refused as ever."""
    (folder / "x.csv").write_text("id,cat,dog,split\n7,0,0,val\n8,1,2,train\n")
    (folder / "b.csv").write_text("split,y\nval,1\ntrain,0\n")
    command = ["cross-entropy", "-i", "x.csv", "-t", "b.csv", "--where", "split=val"]
    assert ran(capsys, *command, "--where", "id<9") == (0, "0.6931471805599453\n", "")
    code, _, error = ran(capsys, *command)
    assert (code, error.splitlines()[1]) == (3, "  hint: take the columns of the array: #cat-dog")
    (folder / "x.csv").write_text("p>q,r\n2,5\n3,6\n")
    (folder / "b.csv").write_text("p,s\n2,5\n3,6\n")
    two_ways = ["l1", "-i", "x.csv#r", "-t", "b.csv", "--where", "p>q > 2"]
    code, _, error = ran(capsys, *two_ways)
    assert (code, error.splitlines()) == (
        3,
        [
            "losscalc: error: --where: the condition can be read in two ways, found 'p>q > 2'",
            "  hint: name the columns of each array: FILE#NAME or FILE#2-",
        ],
    )
    assert ran(capsys, *two_ways[:4], "b.csv#p", *two_ways[5:])[1] == "3.0\n"


# Reading options of one array


def test_reading_options_of_one_array(capsys, folder):
    """Each may be given for all arrays, for some, or both."""
    (folder / "x.csv").write_text("p;q\n0,5;1\n0,25;2\n")
    (folder / "b.csv").write_text("1|7\n2|8\n")
    (folder / "c.dat").write_text("junk\n1\n2\n")
    command = ["l1", "-i", "x.csv#p", "-r", "none"]
    marks = [
        "--delimiter",
        "input=;",
        "--decimal",
        "input=,",
        "--delimiter",
        "target=|",
        "--header",
        "target=no",
    ]
    assert ran(capsys, *command, "-t", "b.csv#1", *marks) == (0, "0.5\n1.75\n", "")
    assert ran(capsys, *command, "-t", "b.csv#1", "--delimiter", "pipe", *marks[:4])[1] == "0.5\n1.75\n"
    assert ran(capsys, *command, "-t", "c.dat", *marks[:4], "--skip-rows", "target=1")[1] == "0.5\n1.75\n"
    assert ran(capsys, *command, "-t", "b.csv#1", *marks[:6], "--header", "target=yes")[0] != 0
    weight = ["--weight", "1,2", "--na", "input=drop", "--na", "nan", "--from", "target=text"]
    assert ran(capsys, *command, "-t", "b.csv#1", *marks, *weight)[1] == "0.5\n3.5\n"
    expected = ["--expect", "c.dat", "--skip-rows", "expect=1"]
    assert ran(capsys, *command, "-t", "b.csv#1", *marks, *expected)[0] == 1
    pos = ["bce-logits", "-i", "1,2", "-t", "1,0", "--pos-weight", "c.dat", "--skip-rows"]
    assert ran(capsys, *pos, "pos-weight=1")[1] == ran(capsys, *pos, "pos_weight=1")[1] != ""


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            ["--header", "targt=no"],
            "invalid value for '--header': must be for one of input, target, weight, expect, by",
        ),
        (
            ["--header", "target=maybe"],
            "invalid value for '--header': 'maybe' is not one of 'auto', 'yes', 'no'",
        ),
        (["--header", "target=no", "--header", "target=yes"], "--header is given twice for --target"),
        (["--header", "no", "--header", "yes"], "--header is given twice"),
        (["--header", "weight=no"], "--header is for --weight, which is not given"),
        (["--header", "by=no"], "--header is for --by, which is not given"),
        (["--skip-rows", "input=-1"], "invalid value for '--skip-rows': must be"),
        (["--delimiter", "input=ab"], "invalid value for '--delimiter': must be one character"),
    ],
)
def test_reading_options_of_no_array(capsys, options, problem):
    """What is for an array that there is not, or given twice, is wrong usage."""
    code, output, error = ran(capsys, "l1", "-i", "1", "-t", "2", *options)
    assert (code, output) == (2, "")
    assert error.startswith(f"losscalc: error: {problem}")


def test_delimiters_that_look_like_names(capsys, folder):
    """An equals sign may separate cells, of all arrays and of one."""
    (folder / "x.csv").write_text("p=q\n1=2\n")
    for mark in ("=", "input=="):
        assert ran(capsys, "l1", "-i", "x.csv#p", "-t", "5", "--delimiter", mark)[:2] == (0, "4.0\n")


def test_the_help_lists_the_options(capsys):
    """In a group of their own."""
    _, output, _ = ran(capsys, "l1", "--help")
    rows = output.partition("\nRows:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^ +(--[a-z-]+)", rows, re.MULTILINE) == [
        "--key",
        "--no-key",
        "--inner",
        "--where",
        "--by",
    ]
    _, output, _ = ran(capsys, "compare", "--help")
    assert re.findall(
        r"--(?:key|no-key|inner|where|by)\b", output.partition("Rows:")[2].partition("Reading:")[0]
    )
