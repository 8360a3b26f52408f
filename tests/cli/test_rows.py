"""Rows of several tables: compared, joined, picked and grouped as plain dicts in Python do it."""

import gzip
import json
import operator
import re
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
                return [], [Refused(3, (*said, "--inner leaves out the rows that not all have"))]
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
