"""Tables as other programs leave them behind: read right, or refused with what to type instead."""

import contextlib
import json
import math
import re

import pytest

from losscalc import cli
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.support.hostile import accept


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *arguments: str) -> tuple[str, str]:
    """The message and the hint of a command that ends with exit code 3."""
    assert cli.run(list(arguments)) == 3
    error = capsys.readouterr().err
    message, _, hint = error.partition("\n  hint: ")
    return message.removeprefix("losscalc: error: ").strip(), hint.strip()


def values(address: str, **reading) -> list:
    """The array at an address, as nested lists."""
    with contextlib.closing(open_array(parse_address(address), "--input", Reading(**reading))) as source:
        return source.whole().tolist()


def hinted_part(hint: str) -> str:
    """The part in a hint, as a shell takes it."""
    found = re.search(r"'(#[^']*)'|(#\S+)", hint)
    assert found is not None, hint
    return found[1] or found[2]


INDEXED = "{0},cat,dog\n7,2,1\n9,0,3\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,p,q\n892,.1,.2\n893,.2,.4\n", "column 1 (id) identifies rows, and is not data"),
        ('"",p,q\n7,.1,.2\n8,.2,.4\n', "column 1 has no name: it is the index of the rows, not data"),
        ("Unnamed: 0,p,q\n7,.1,.2\n8,.2,.4\n", "column 1 (Unnamed: 0) has no name"),
        ("image_id,p,q\n7,.1,.2\n8,.2,.4\n", "column 1 (image_id) identifies rows"),
        ("p,q,PassengerId\n.1,.2,7\n.2,.4,8\n", "column 3 (PassengerId) identifies rows"),
        ("INDEX,p,q\n7,.1,.2\n8,.2,.4\n", "column 1 (INDEX) identifies rows"),
        ("name,p,q\ncat,.1,.2\n,.2,.4\n", "column 1 (name) holds words"),
        ("day,p,q\n2024-01-31,.1,.2\n2024-02-01,.2,.4\n", "column 1 (day) holds words"),
        ("cat.png,.1,.2\ndog.png,.2,.4\n", "column 1 holds words"),
    ],
)
def test_columns_that_are_no_data(capsys, folder, text, why):
    """A table with an index is no array; the part that the hint names is the rest of it."""
    (folder / "a.csv").write_text(text)
    options = ["--header", "no"] if text.startswith("cat.png") else []
    message, hint = refused(capsys, "l1", "-i", "a.csv", "-t", "[[0,0],[0,0]]", *options)
    assert message.startswith(f"a.csv: {why}")
    arguments = ["l1", "-i", f"a.csv{hinted_part(hint)}", "-t", "[[0,0],[0,0]]", "-r", "none", *options]
    assert accept(capsys, arguments) == "0.1,0.2\n0.2,0.4\n"


def test_ids_on_both_sides(capsys, folder):
    """Ids that are equal on both sides would halve the error without a word."""
    (folder / "a.csv").write_text("id,p\n892,.1\n893,.2\n")
    (folder / "b.csv").write_text("id,y\n892,.5\n893,.9\n")
    _, hint = refused(capsys, "mse", "-i", "a.csv", "-t", "b.csv")
    assert hint == "take the columns of the array: #p"
    _, hint = refused(capsys, "mse", "-i", "a.csv#p", "-t", "b.csv")
    assert hint == "take the columns of the array: #y"
    assert float(accept(capsys, ["mse", "-i", "a.csv#p", "-t", "b.csv#y"])) == pytest.approx(0.325)


def test_an_index_over_numbered_columns(capsys, folder):
    """The hint of a half header leads to a header, and that of the index without a name to the classes."""
    (folder / "f.csv").write_text(",0,1,2\n0,2,1,0\n1,0,3,1\n")
    (folder / "g.csv").write_text("0\n2\n")
    message, hint = refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "g.csv")
    assert "half names and half numbers" in message
    assert hint == "give --header input=yes if it names the columns, as pandas writes it"
    _, hint = refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "0,2", "--header", "yes")
    arguments = ["-i", f"f.csv{hinted_part(hint)}", "-t", "0,2", "--header", "yes"]
    assert float(accept(capsys, ["cross-entropy", *arguments])) == pytest.approx(1.2887259920, abs=1e-9)


def test_a_target_inside_the_input(capsys, folder):
    """A column that is the target is none of the logits: 0.1809 by hand."""
    (folder / "f.csv").write_text("cat,dog,label\n2,1,0\n0,3,1\n")
    message, hint = refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "f.csv#label")
    assert message == "f.csv: column 3 (label) is the array of --target"
    assert hint == "take the columns of the array: #cat-dog"
    arguments = ["cross-entropy", "-i", "f.csv#cat-dog", "-t", "./f.csv#label"]
    assert float(accept(capsys, arguments)) == pytest.approx(0.18092452, abs=1e-7)
    assert refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "./f.csv#3")[0] == message


LOGITS = [("2", "1"), ("0", "3"), ("1", "1.5"), ("0.5", "0")]
CLASSES = ("0", "1", "1", "0")


def in_csv(names: list[str], rows: list[list[str]]) -> str:
    """The table as CSV."""
    return "".join(",".join(cells) + "\n" for cells in (names, *rows))


def in_lines(names: list[str], rows: list[list[str]]) -> str:
    """The table as lines of JSON."""
    return "".join(json.dumps(dict(zip(names, map(float, cells), strict=True))) + "\n" for cells in rows)


@pytest.mark.parametrize(("suffix", "write"), [("csv", in_csv), ("jsonl", in_lines)])
@pytest.mark.parametrize("name", ["label", "Target", "y", "class", "y_true", "true label", "ground_truth"])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("has_id", [True, False])
def test_labels_are_no_scores(capsys, folder, suffix, write, name, place, has_id):
    """A column that is called so is none of the logits, in whatever place; 0.3275 by hand: ln(1 + e^-gap)."""
    names = ["cat", "dog"]
    rows = [[*logits] for logits in LOGITS]
    for cells, cell in zip((names, *rows), (name, *CLASSES), strict=True):
        cells.insert(place, cell)
    if has_id:
        for cells, cell in zip((names, *rows), ("id", "7", "9", "8", "6"), strict=True):
            cells.insert(0, cell)
    file = f"f.{suffix}"
    (folder / file).write_text(write(names, rows))
    message, hint = refused(capsys, "cross-entropy", "-i", file, "-t", "0,1,1,0")
    why = "identifies rows" if has_id else "has the labels of the rows"
    column = names.index("id" if has_id else name)
    assert message == f"{file}: column {column + 1} ({names[column]}) {why}, and is not data"
    arguments = ["cross-entropy", "-i", file + hinted_part(hint), "-t", "0,1,1,0"]
    assert float(accept(capsys, arguments)) == pytest.approx(0.3275008, abs=1e-7)
    # What is named is taken.
    assert values(f"{file}#cat,{name}")[1] == [0.0, 1.0]


@pytest.mark.parametrize("form", ["logit_{}", "{}_prob", "P({})", "prob.{}", "logit{}", "{}"])
@pytest.mark.parametrize("name", ["predicted", "max_prob", "margin", "entropy", "weight", "fold", "Survived"])
def test_what_is_told_of_rows_is_no_class(capsys, folder, form, name):
    """A column without what the others have before or behind their class is none; 0.3275 as above."""
    classes = ("0", "1") if form == "logit{}" else ("cat", "dog")
    names = [*map(form.format, classes), name]
    (folder / "f.csv").write_text(",".join(names) + "\n" + "".join(f"{a},{b},.5\n" for a, b in LOGITS))
    arguments = ["cross-entropy", "-i", "f.csv", "-t", "0,1,1,0"]
    if form == "{}" and name in ("fold", "Survived"):
        # Alone, these may be classes: of poker, or of the ends of a journey.
        assert float(accept(capsys, arguments)) > 0.4
        return
    message, hint = refused(capsys, *arguments)
    assert message == f"f.csv: column 3 ({name}) seems to be no class, by its name"
    few, every = hint.removeprefix("take the columns of the array: ").split("; if all are classes: ")
    assert every == "#1-"
    arguments[2] += few.replace("'", "")
    assert float(accept(capsys, arguments)) == pytest.approx(0.3275008, abs=1e-7)


@pytest.mark.parametrize(
    "names",
    [
        "B-PER,I-PER,B-LOC,I-LOC,O",
        "Wake,N1,N2,N3,REM",
        "New York,New Jersey,Texas",
        "first class,second class,economy",
        "grade1,grade2,benign",
        "win,draw,loss",
        "height,weight,speed",
        "fold,call,raise",
        "logit_cat,logit_dog,other",
        "p0,p1,unknown",
        "tench,goldfish,great white shark",
        "class_a,class_b,class_c",
    ],
)
def test_names_of_classes(capsys, folder, names):
    """Whatever classes of real tasks are called, all columns are taken: ln C of equal scores."""
    width = names.count(",") + 1
    (folder / "f.csv").write_text(f"{names}\n" + ",".join(["0.5"] * width) + "\n")
    found = float(accept(capsys, ["cross-entropy", "-i", "f.csv", "-t", "[1]"]))
    assert found == pytest.approx(math.log(width))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("y\n1\n2\n", "1,2"),
        ("x,y\n1,2\n3,4\n", "[[1,2],[3,4]]"),
        ("label_0,label_1\n1,2\n3,4\n", "[[1,2],[3,4]]"),
        ("class_a,y_pred\n1,2\n3,4\n", "[[1,2],[3,4]]"),
        ("target,y\n1,2\n3,4\n", "[[1,2],[3,4]]"),
    ],
)
def test_names_that_are_no_labels_of_others(capsys, folder, text, other):
    """The only column, coordinates, numbered classes, and targets among themselves are what is meant."""
    (folder / "f.csv").write_text(text)
    assert float(accept(capsys, ["mse", "-i", "f.csv", "-t", other])) == 0


def test_targets_may_have_any_names(capsys, folder):
    """Of a target of several columns, one may be called so; of vectors on both sides it is none."""
    (folder / "f.csv").write_text("p,y\n1,2\n3,4\n")
    assert float(accept(capsys, ["mse", "-i", "[[1,2],[3,4]]", "-t", "f.csv"])) == 0
    message, hint = refused(capsys, "cosine-distance", "-i", "[[1],[3]]", "-t", "f.csv")
    assert (message, hint) == (
        "f.csv: column 2 (y) has the labels of the rows, and is not data",
        "take the columns of the array: #p",
    )


def test_the_hint_names_no_column_that_counts(capsys, folder):
    """Named in a part, it would be read as scores without a word."""
    (folder / "f.csv").write_text(
        "n,p,q,label\n" + "".join(f"{i},{i % 2}.5,2.25,{i % 2}\n" for i in range(6))
    )
    message, hint = refused(capsys, "cross-entropy", "-i", "f.csv", "-t", "0,1,0,1,0,1")
    assert message == "f.csv: column 1 (n) counts the rows, and is not data"
    assert hint == "take the columns of the array: #p-q"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a,b\n1,x\n3,4\n", ""),
        ("a,b\n1,2024-01-31\n3,4\n", "a date is not a number: write it as one, such as days since some date"),
        ("id,a,b\n7,1,x\n8,3,4\n", ""),
        ("a,b,c\n1,x,2\n3,4,5\n", "take the columns of numbers: #c"),
    ],
)
def test_no_hint_at_a_column_that_is_taken(capsys, folder, text, hint):
    """Of the columns of numbers none is named that another array is, or that identifies rows."""
    (folder / "f.csv").write_text(text)
    message, found = refused(capsys, "mse", "-i", "f.csv#a", "-t", "f.csv#b")
    assert "not a number" in message
    assert found == hint


@pytest.mark.parametrize("start", [0, 1])
def test_a_first_column_that_counts(capsys, folder, start):
    """Five rows that are counted are an index, whatever its name; four may be anything."""
    rows = [f"{start + i},{i % 2}.5,2.25\n" for i in range(5)]
    (folder / "f.csv").write_text("x,p,q\n" + "".join(rows))
    message, hint = refused(capsys, "sigmoid", "-i", "f.csv")
    assert message == "f.csv: column 1 (x) counts the rows, and is not data"
    assert hint == "take the columns of the array: #2-"
    (folder / "f.csv").write_text("x,p,q\n" + "".join(rows[:4]))
    assert values("f.csv")[0] == [start, 0.5, 2.25]
    (folder / "f.csv").write_text("".join(f"{start + i},{start + i}\n" for i in range(5)))
    assert values("f.csv")[0] == [start, start]


@pytest.mark.parametrize("name", ["id", "Unnamed: 0", "index"])
def test_a_table_of_one_column_is_that_column(folder, name):
    """There is nothing else that it could be."""
    (folder / "f.csv").write_text(f"{name}\n0\n1\n2\n3\n4\n")
    assert values("f.csv") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["VALID", "COVID", "valid", "fluid_p", "idea", "sigmoid"])
def test_names_that_are_no_ids(folder, name):
    """Words that only look like the name of an identifier name data."""
    (folder / "f.csv").write_text(f"{name},q\n.5,.25\n")
    assert values("f.csv") == [[0.5, 0.25]]


@pytest.mark.parametrize(
    "text", ["0.1,0.9,\n0.5,0.5,\n", "a,b,\n0.1,0.9,\n0.5,0.5, \n", "0.1;0.9;\n0.5;0.5;\n"]
)
@pytest.mark.parametrize("na", ["error", "nan", "drop"])
def test_a_trailing_delimiter(folder, text, na):
    """An empty last column is none."""
    (folder / "f.csv").write_text(text)
    assert values("f.csv", na=na, delimiter=";" if ";" in text else None) == [[0.1, 0.9], [0.5, 0.5]]
    (folder / "g.csv").write_text("0,\n1,\n")
    assert values("g.csv", na=na) == [0, 1]


@pytest.mark.parametrize("text", ["0.1,0.9,,\n0.5,0.5,,\n", "a,b,,,\n0.1,0.9,,,\n0.5,0.5, ,,\n"])
@pytest.mark.parametrize("na", ["error", "nan", "drop"])
def test_several_trailing_delimiters(folder, text, na):
    """A spreadsheet writes one for each column that was ever used: none of them is a missing number."""
    (folder / "f.csv").write_text(text)
    assert values("f.csv", na=na) == [[0.1, 0.9], [0.5, 0.5]]
    (folder / "g.csv").write_text("0,,\n1,,\n")
    assert values("g.csv", na=na) == [0, 1]


def test_a_cell_behind_a_trailing_delimiter(capsys, folder):
    """What was taken for an empty column and has a number far below is an error, not left out."""
    (folder / "f.csv").write_text("0.1,0.9,\n" * 200_000 + "0.5,0.5,7\n")
    message, _ = refused(capsys, "l1", "-i", "f.csv", "-t", "f.csv")
    assert message.strip().endswith(
        "f.csv:200001:3: a cell in the last column, which has no name and is empty above, found '7'"
    )
    (folder / "f.csv").write_text("0.1,0.9,,\n" * 200_000 + "0.5,0.5,7,\n")
    message, _ = refused(capsys, "l1", "-i", "f.csv", "-t", "f.csv")
    assert message.strip().endswith(
        "f.csv:200001:3: a cell in column 3, which has no name and is empty above, found '7'"
    )
    (folder / "f.csv").write_text("a,b,\n0.1,0.9,\n0.5,0.5,7\n")
    assert refused(capsys, "sigmoid", "-i", "f.csv")[0].startswith("f.csv: column 3 has no name")


@pytest.mark.parametrize(
    "text",
    [
        '"cat" "dog"\n"1" 2 1\n"2" 0 3\n',
        '"cat" "dog"\n"my row" 2 1\n"2" 0 3\n',
        "cat dog\nr1 2 1\nr2 0 3\n",
        "cat\tdog\n7\t2\t1\n9\t0\t3\n",
        '"cat";"dog"\n"1";2;1\n"2";0;3\n',
        '"cat","dog"\n"1",2.0,1\n"2",0,3\n',
        "cat,dog\nr1,2,1\nr2,0,3.0\n",
    ],
)
def test_names_of_rows_that_the_header_does_not_name(capsys, folder, text):
    """R's write.table has no cell above them: the names that there are go with the rest, as in pandas."""
    (folder / "f.txt").write_text(text)
    message, hint = refused(capsys, "l1", "-i", "f.txt", "-t", "[[0,0],[0,0]]")
    assert message == "f.txt: column 1 has no name: it is the index of the rows, not data"
    assert values("f.txt" + hinted_part(hint)) == [[2, 1], [0, 3]]
    assert values("f.txt#dog") == [1, 3]


@pytest.mark.parametrize(
    ("text", "part", "line"),
    [
        ("a,b\n0,5,1\n0,25,1\n", "#b", 2),
        ("a,b\n0.1,0.9,\n0.5,0.5,\n", "#b", 2),
        ("p\n0,5\n0,25\n", "", 2),
        ("y,p\ncat,0,5\ndog,0,25\n", "#p", 2),
        ("a,b\nr1,2,1\nr2,0\n", "#b", 2),
        ("a,b\nr1,2\nr2,0,3\n", "#b", 3),
    ],
)
def test_rows_that_are_longer_than_the_header(capsys, folder, text, part, line):
    """A comma may stand within a number, and what is not so throughout is damage: nothing is made of it."""
    (folder / "f.csv").write_text(text)
    message, _ = refused(capsys, "l1", "-i", f"f.csv{part}", "-t", "0,0")
    assert re.fullmatch(rf"f\.csv:{line}: the line has \d cells, but line 1 has \d", message)


HEADER_NOTE = (
    "losscalc: note: {0}:1: the first line is taken as a header: it counts up, and the numbers below have "
    "fractions"
)


def noted(capsys, *arguments: str) -> tuple[str, list[str]]:
    """What a command that succeeds prints, and the lines that it says besides."""
    assert cli.run(list(arguments)) == 0
    output, error = capsys.readouterr()
    return output, error.splitlines()


def test_a_header_of_pandas_without_names(capsys, folder):
    """A lone 0 above fractions is the name of the column, and the note says how it is read as data."""
    (folder / "a.csv").write_text("0\n1.5\n")
    (folder / "b.csv").write_text("0\n2.5\n")
    output, error = noted(capsys, "mse", "-i", "a.csv", "-t", "b.csv")
    assert float(output) == 1.0
    hint = "  hint: --header no if it holds data"
    assert error == [HEADER_NOTE.format("a.csv"), hint, HEADER_NOTE.format("b.csv"), hint]
    output, error = noted(capsys, "mse", "-i", "a.csv", "-t", "b.csv", "--header", "no")
    assert (float(output), error) == (0.5, [])
    assert noted(capsys, "mse", "-i", "a.csv", "-t", "b.csv", "-q", "-W", "error") == ("1.0\n", [])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("0,1\n.5,1.5\n2,.25\n", [[0.5, 1.5], [2, 0.25]]),
        ("0,1\n1.0,0.0\n0.0,1.0\n", [[1, 0], [0, 1]]),
        ("2019,2020,2021\n.5,1.5,2.5\n", [[0.5, 1.5, 2.5]]),
        ("0,1,\n.5,1.5,\n", [[0.5, 1.5]]),
        ("0\n1e0\n2e0\n", [1, 2]),
        ("0\n1.0\n\n2.0\n", [1, 2]),
        ('"0"\n"1.5"\n', [1.5]),
        # data, not headers
        ("0,1\n.5,1\n", [[0, 1], [0.5, 1]]),
        ("0,1\n1,0\n", [[0, 1], [1, 0]]),
        ("0,1\n1.0,0\n", [[0, 1], [1, 0]]),
        ("0,2\n.5,1.5\n", [[0, 2], [0.5, 1.5]]),
        ("2020\n.5\n", [2020, 0.5]),
        ("2020,2022\n.5,1.5\n", [[2020, 2022], [0.5, 1.5]]),
        ("2100,2101\n.5,1.5\n", [[2100, 2101], [0.5, 1.5]]),
        ("0\n1.5\n2\n", [0, 1.5, 2]),
        ("1\n1.5\n", [1, 1.5]),
        ("0\n", [0]),
    ],
)
def test_headers_of_numbers(folder, text, rows):
    """Columns that are numbered, or named by years, above fractions; of one column all cells decide."""
    (folder / "f.csv").write_text(text)
    assert values("f.csv") == rows


@pytest.mark.parametrize(
    ("text", "part", "rows"),
    [
        ("# cat dog\n1.0 2.0\n", "#dog", [2]),
        ("# made by x\n#cat,dog\n1,2\n3,4\n", "#cat", [1, 3]),
        ("# cat,dog\na,b\n1,2\n", "#b", [2]),
        ('# it is "quoted\n1,2\n3,4\n', "", [[1, 2], [3, 4]]),
        ("1,2\n# 5,6\n3,4\n", "", [[1, 2], [3, 4]]),
        ('a,b\n"# x\ny",1\nz,2\n', "#b", [1, 2]),
        ("#\n1 2\n", "", [[1, 2]]),
        ("1\n # 2\n3\n", "", [1, 3]),
    ],
)
def test_lines_of_comment(folder, text, part, rows):
    """Lines of # are passed over; the last above the table names its columns if it has as many cells."""
    (folder / "f.txt").write_text(text)
    assert values(f"f.txt{part}") == rows
    assert values(f"f.txt{part}", header="no" if not part else "auto") == rows


def test_a_lone_number_above_labels(capsys, folder):
    """Where the rows differ by one, the error says which file may have a header, and what to type."""
    (folder / "p.csv").write_text("p\n0.9\n0.2\n0.8\n")
    (folder / "y.csv").write_text("0\n1\n0\n1\n")
    assert cli.run(["bce", "-i", "p.csv", "-t", "y.csv"]) == 4
    assert "hint: the first line of y.csv may be a header: --header yes\n" in capsys.readouterr().err
    arguments = ["bce", "-i", "p.csv", "-t", "y.csv", "--header", "yes"]
    # by hand: -(ln 0.9 + ln 0.8 + ln 0.8) / 3
    assert float(accept(capsys, arguments)) == pytest.approx(0.1838825397, abs=1e-9)


def test_a_header_that_holds_data(capsys, folder):
    """The other way round, a first line that was taken as a header is the one that is missed."""
    (folder / "p.csv").write_text("0\n.5\n.25\n")
    (folder / "y.csv").write_text("1\n0\n1\n")
    assert cli.run(["l1", "-i", "p.csv", "-t", "y.csv"]) == 4
    assert "the first line of p.csv was taken as a header: --header no" in capsys.readouterr().err
    assert float(accept(capsys, ["l1", "-i", "p.csv", "-t", "y.csv", "--header", "no"])) == 2.25 / 3


def test_blank_lines(capsys, folder):
    """They are passed over and counted, and named where rows are missed."""
    (folder / "p.csv").write_text("1\n\n2\n\n\n3\n\n")
    (folder / "y.csv").write_text("1\n2\n2\n")
    output, error = noted(capsys, "l1", "-i", "p.csv", "-t", "y.csv", "-r", "sum")
    assert (float(output), error) == (1.0, ["losscalc: note: p.csv: passed over 3 blank lines"])
    (folder / "y.csv").write_text("1\n2\n2\n4\n5\n")
    assert cli.run(["l1", "-i", "p.csv", "-t", "y.csv"]) == 4
    assert "hint: p.csv: passed over 3 blank lines\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "reading", "rows"),
    [
        ("True,false\nFALSE,TRUE\n", {}, [[1, 0], [0, 1]]),
        ("0.5;1\n2;3\n", {}, [[0.5, 1], [2, 3]]),
        ("a|b\n1|2\n", {}, [[1, 2]]),
        ("a\tb\n1\t2\n", {}, [[1, 2]]),
        ("1 2\n3 4\n", {}, [[1, 2], [3, 4]]),
        ("a;b, c\n1;2\n", {}, [[1, 2]]),
        ("log p\n0.5\n", {}, [0.5]),
        ("0,5;1\n2,25;-3,5\n", {"decimal": ","}, [[0.5, 1], [2.25, -3.5]]),
        ("0,5\n0,25\n", {"decimal": ","}, [0.5, 0.25]),
        ('"0,5","1"\n"0,25","2"\n', {"decimal": ","}, [[0.5, 1], [0.25, 2]]),
        ("p\n0,5\n0,25\n", {"decimal": ","}, [0.5, 0.25]),
        ("sep=;\np;y\n0.5;1\n", {}, [[0.5, 1]]),
        ('"sep=\t"\r\n0,5\t1\r\n2\t3\r\n', {"decimal": ","}, [[0.5, 1], [2, 3]]),
        ("sep=,\n0,5\n", {}, [[0, 5]]),
        ('"[0.9, 0.1]"\n"[0.5, 0.5]"\n', {}, [[0.9, 0.1], [0.5, 0.5]]),
        ("1,NaN\n2,3\n", {"na": "nan"}, [[1, None], [2, 3]]),
        ("1,2\r\r\n3,4.5\r\r\n", {}, [[1, 2], [3, 4.5]]),
    ],
)
def test_cells(folder, text, reading, rows):
    """Truth values, other delimiters, decimal commas, and lists in a cell are read as they are meant."""
    (folder / "f.csv").write_bytes(text.encode())
    found = values("f.csv", **reading)
    assert [[None if x != x else x for x in row] if isinstance(row, list) else row for row in found] == rows


@pytest.mark.parametrize(
    "cell",
    [
        "(0.5, 1)",
        "(0.5, 1.0,)",
        "[np.float64(0.5), np.int64(1)]",
        "tensor([0.5000, 1.0000])",
        "tensor([0.5, 1.], device='cuda:0', grad_fn=<UnbindBackward0>)",
        "array([0.5, 1. ], dtype=float32)",
    ],
)
def test_lists_as_they_are_printed(folder, cell):
    """A cell has what str() makes of a tuple, of a list of NumPy's numbers, of an array or of a tensor."""
    (folder / "f.csv").write_text(f'y,p\n1,"{cell}"\n0,"[0.25 0.75]"\n')
    assert values("f.csv#p") == [[0.5, 1], [0.25, 0.75]]
    (folder / "f.csv").write_text(f'"{cell}"\n"{cell}"\n')
    assert values("f.csv") == [[0.5, 1], [0.5, 1]]


@pytest.mark.parametrize("cell", ["(5)", "(1,000)", "tensor(0.5)", "[0.1 0.2 ... 0.9]", "(0.5, x)"])
def test_what_is_no_list_in_a_cell(capsys, folder, cell):
    """A negative number of bookkeeping, a number alone, and what is cut short."""
    (folder / "f.csv").write_text(f'y,p\n1,"{cell}"\n')
    message, _ = refused(capsys, "sigmoid", "-i", "f.csv#p")
    assert message == f"f.csv:2:2: not a number, found '{cell}'"


def test_lists_in_cells(capsys, folder):
    """Each has the numbers of a row; lists of different lengths are refused with the place."""
    (folder / "f.csv").write_text('id,p\n7,"[0.9, 0.1]"\n8,[0.25 0.75]\n')
    assert values("f.csv#p") == [[0.9, 0.1], [0.25, 0.75]]
    (folder / "f.csv").write_text('id,p\n7,"[0.9, 0.1]"\n8,[0.25]\n')
    assert (
        refused(capsys, "sigmoid", "-i", "f.csv#p")[0] == "f.csv:3:2: the list has 1 number, those before 2"
    )


@pytest.mark.parametrize("word", ["#N/A", "#n/a", "#DIV/0!", "#NAME?"])
def test_errors_of_spreadsheets_are_no_comments(capsys, folder, word):
    """They begin with a #, and stand where a number should be."""
    (folder / "f.csv").write_text(f"{word}\n1\n")
    assert refused(capsys, "sigmoid", "-i", "f.csv")[0] == f"f.csv:1:1: not a number, found '{word}'"
    (folder / "f.csv").write_text(f"1\n{word}\n2\n")
    assert refused(capsys, "sigmoid", "-i", "f.csv")[0] == f"f.csv:2:1: not a number, found '{word}'"


@pytest.mark.parametrize("text", ["p,y\n.5,1\nNaN,1\n1,nan\n.25,0\n", 'p,y\n".5",1\nNaN,1\n1,nan\n.25,0\n'])
def test_nan_is_missing_where_rows_are_dropped(capsys, folder, text):
    """NaN as text is left out like an empty cell, whichever way the cells are read: (0.5 + 0.25) / 2."""
    (folder / "f.csv").write_text(text)
    output, error = noted(capsys, "l1", "-i", "f.csv#p", "-t", "f.csv#y", "--na", "drop")
    assert (float(output), error) == (0.375, ["losscalc: warning: left out 2 rows with a missing number"])


def test_decimal_commas_that_make_two_columns(capsys, folder):
    """0,5 in every row is read as two columns with a warning, and by its hint as 0.5."""
    (folder / "a.csv").write_text("0,5\n0,9\n")
    (folder / "b.csv").write_text("0,4\n0,1\n")
    output, error = noted(capsys, "l1", "-i", "a.csv", "-t", "b.csv")
    assert float(output) == 2.25
    assert [line for line in error if "two short integers" in line] == [
        f"losscalc: warning: {name}: every row is two short integers and a comma, and is read as two columns"
        for name in ("a.csv", "b.csv")
    ]
    arguments = ["l1", "-i", "a.csv", "-t", "b.csv"]
    assert float(accept(capsys, [*arguments, "--decimal", ","])) == pytest.approx(0.45)
    assert float(accept(capsys, [*arguments, "--delimiter", ","])) == 2.25
    (folder / "a.csv").write_text("0,1\n1,0\n")
    assert float(accept(capsys, ["l1", "-i", "a.csv", "-t", "[[0,1],[1,0]]"])) == 0


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ("50%", "divided by 100"),
        ('"1,000"', "write thousands without a mark between them"),
        ("1'000.5", "write thousands without a mark between them"),
        ("1 000", "write thousands without a mark between them"),
        ("5 kg", "write the number without its unit"),
        ("3ms", "write the number without its unit"),
        ("$5", "write the number without its unit"),
        ("2024-01-31", "a date is not a number"),
        ('"0,5"', "--decimal ,"),
    ],
)
def test_cells_that_stay_errors(capsys, folder, cell, remedy):
    """What may mean two things is an error that says what to do."""
    (folder / "f.csv").write_text(f"{cell}\n{cell}\n")
    message, hint = refused(capsys, "sigmoid", "-i", "f.csv")
    assert message.startswith("f.csv:1:1: not a number, found")
    assert remedy in hint


@pytest.mark.parametrize(
    ("text", "part", "reading", "rows"),
    [
        ("[true, false]", "", {}, [1, 0]),
        ('["0.5", "1e3", " 2 "]', "", {}, [0.5, 1000, 2]),
        ('[["0.5", 1], ["-inf", "True"]]', "", {}, [[0.5, 1], [float("-inf"), 1]]),
        ('[{"id": "7", "p": "0.5"}, {"id": "8", "p": ".25"}]', "#p", {}, [0.5, 0.25]),
    ],
)
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_json_of_other_programs(folder, text, part, reading, rows, suffix):
    """Truth values are 1 and 0, and numbers in quotes are numbers."""
    if suffix == "jsonl":
        text = "\n".join(json.dumps(row) for row in json.loads(text))
    (folder / f"f.{suffix}").write_text(text)
    assert values(f"f.{suffix}{part}", **reading) == rows


@pytest.mark.parametrize("gap", ["null", "NaN", '"NaN"', '"nan"', '""', '"NA"'])
def test_gaps_of_json(capsys, folder, gap):
    """What stands for a missing number leaves its row out where rows with gaps are dropped."""
    (folder / "f.json").write_text(f"[[1, {gap}], [2, 3]]")
    output, error = noted(capsys, "l1", "-i", "f.json", "-t", "[[1, 1], [1, 1]]", "--na", "drop", "-r", "sum")
    assert (float(output), error) == (3.0, ["losscalc: warning: left out 1 row with a missing number"])


def test_the_hint_of_records_names_no_id(capsys, folder):
    """Its part leads to numbers, and not to the ids before them: records are a table like any other."""
    (folder / "f.json").write_text('[{"id": 7, "log p": 0.5}]')
    message, hint = refused(capsys, "sigmoid", "-i", "f.json")
    assert message == "f.json: column 1 (id) identifies rows, and is not data"
    assert hint == "take the columns of the array: '#log p'"
    assert values(f"f.json{hinted_part(hint)}") == [0.5]


def test_numbers_of_columns_in_json(capsys, folder):
    """A number may be counted from 0 or from 1: the hint is a pointer that can mean only one of them."""
    (folder / "f.json").write_text("[[7,0.9,1,0],[8,0.2,0,1]]")
    message, hint = refused(capsys, "sigmoid", "-i", "f.json#2")
    assert message.endswith("the number may mean either, found '2'")
    assert values(f"f.json{hinted_part(hint)}") == [0.9, 0.2]


@pytest.mark.parametrize(
    ("text", "part", "rows"),
    [
        ('{"predictions": [{"p": 0.5}, {"p": 0.25}]}', "#/predictions/*/p", [0.5, 0.25]),
        (
            '{"a": [{"b": [{"c": 1}, {"c": 2}]}, {"b": [{"c": 3}, {"c": 4}]}]}',
            "#/a/*/b/*/c",
            [[1, 2], [3, 4]],
        ),
        ("[[1, 2], [3, 4]]", "#/*/0", [1, 3]),
        ('{"*": [1, 2]}', "#/*", [1, 2]),
    ],
)
def test_pointers_to_every_item(folder, text, part, rows):
    """A * in a pointer is every item of a list, and a member of that name where there is one."""
    (folder / "f.json").write_text(text)
    assert values(f"f.json{part}") == rows


def test_notes_about_a_part(capsys, folder):
    """What was taken for granted is said of a column as of a whole table."""
    (folder / "p.csv").write_text("p,q\n1,2\n\n3,4\n")
    output, error = noted(capsys, "l1", "-i", "p.csv#q", "-t", "0,0", "-r", "sum")
    assert (float(output), error) == (6.0, ["losscalc: note: p.csv: passed over 1 blank line"])


# (0.02² + 0.1² + ...) / n, worked out by hand, with the first line as a header and as data.
@pytest.mark.parametrize(
    ("input_", "target", "why", "right"),
    [
        ("1,2,3/.1,.2,.7/.5,.3,.2", "1,2,3/.2,.2,.6/.4,.3,.3", "it is the same in both", 0.04 / 6),
        ("0.1,0.5,0.9/1.5,2.5,3.5/2,3,4", "0.1,0.5,0.9/1,2,3/2,4,4", "it is the same in both", 1.75 / 6),
        ("2,0,1/1,2,3/2,3,4", "2,0,1/1,2,4/2,3,5", "it is the same in both", 2 / 6),
        ("2020,2021/.3,2/1,1", "2020,2021/.1,2/1,3", "it is the same in both", 4.04 / 4),
        ("-1,0,1/1,2,4/2,3,5", "-2,0,2/1,2,4/2,3,6", "its numbers go up evenly", 1 / 6),
        ("1/0.5/1.5", "2/1.0/1.0", "its number alone is written without a point", 0.25),
    ],
)
def test_first_lines_of_numbers_that_may_be_headers(capsys, folder, input_, target, why, right):
    """The same in both files, or going up evenly above lines that do not."""
    for name, text in (("p", input_), ("y", target)):
        (folder / f"{name}.csv").write_text(text.replace("/", "\n") + "\n")
    command = ["mse", "-i", "p.csv", "-t", "y.csv"]
    assert cli.run(command) == 0
    assert "may be headers: " + why in capsys.readouterr().err
    assert cli.run([*command, "-W", "error"]) == 4
    capsys.readouterr()
    assert cli.run([*command, "--header", "no"]) == 0
    assert capsys.readouterr().err == ""
    assert cli.run([*command, "--header", "yes"]) == 0
    assert float(capsys.readouterr().out) == pytest.approx(right)


@pytest.mark.parametrize(
    ("input_", "target"),
    [
        ("1,2,3/4,5,6", "1,2,3/4,5,7"),
        ("1,0/0.3,0.7", "1,0/0,1"),
        ("1,2/3,4/5.5,7", "1,2/3,4/5,6.5"),
        ("1/0.5/2", "1/0/1"),
        ("1,2,3", "1,2,4"),
    ],
)
def test_first_lines_of_data(capsys, folder, input_, target):
    """What a sure prediction, an even table and two rows that are alike begin with, gets no warning."""
    for name, text in (("p", input_), ("y", target)):
        (folder / f"{name}.csv").write_text(text.replace("/", "\n") + "\n")
    assert cli.run(["mse", "-i", "p.csv", "-t", "y.csv"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text", ['"1","2"\n1.5,2.5\n3.5,4\n', '"1" "2"\n1.5 2.5\n3.5 4\n'])
def test_quoted_numbers_are_a_header_above_bare_ones(capsys, folder, text):
    """R writes them so, and Python with QUOTE_NONNUMERIC."""
    (folder / "f.csv").write_text(text)
    assert values("f.csv") == [[1.5, 2.5], [3.5, 4.0]]
    assert values("f.csv#2") == [2.5, 4.0]
    (folder / "f.csv").write_text('"1","2"\n"3","4"\n')
    assert values("f.csv") == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "text",
    [",0,1,\n0,.4,.6,\n1,.9,.1,\n", '""|"1"\n"0"|"2"\n"1"|"3"\n', ",0.5\na,1\nb,2\n", ",1\n7,1\n5,2\n"],
)
@pytest.mark.parametrize("na", ["error", "drop", "nan"])
def test_a_blank_above_labels_of_rows_begins_a_header(capsys, folder, text, na):
    """The blank is no missing number, whatever the delimiter behind the names and the labels."""
    (folder / "f.csv").write_text(text)
    message, hint = refused(capsys, "mse", "-i", "f.csv#2", "-t", "0,0", "--na", na)
    assert "the line is half names and half numbers" in message
    assert hint.startswith("give --header yes if it names the columns")
    assert len(values("f.csv#2", header="yes")) == 2


def test_a_gap_above_numbers_is_data(folder):
    """Fractions, and numbers that come again, are no labels of rows."""
    (folder / "f.csv").write_text(",1\n.5,2\n.25,3\n")
    assert values("f.csv", na="nan")[1:] == [[0.5, 2.0], [0.25, 3.0]]
    (folder / "f.csv").write_text(",1\n1,2\n1,3\n")
    assert values("f.csv", na="nan")[1:] == [[1.0, 2.0], [1.0, 3.0]]


@pytest.mark.parametrize("first", [0, 1, 100])
def test_rows_that_both_files_count(capsys, folder, first):
    """Few rows that count up in one file may be data; the same in both are an index."""
    for name, numbers in (("p", (1.5, 2.5, 3)), ("y", (1, 2, 3))):
        rows = (f"{first + i},{number}\n" for i, number in enumerate(numbers))
        (folder / f"{name}.csv").write_text("".join(rows))
    message, hint = refused(capsys, "mse", "-i", "p.csv", "-t", "y.csv")
    assert message == "p.csv: column 1 counts the rows, and is not data"
    assert hint == "take the columns of the array: #2"
    assert cli.run(["mse", "-i", "p.csv#2", "-t", "y.csv#2"]) == 0
    assert float(capsys.readouterr().out) == pytest.approx(0.5 / 3)
    assert cli.run(["mse", "-i", "p.csv#1-2", "-t", "y.csv#1-2"]) == 0
    assert float(capsys.readouterr().out) == pytest.approx(0.5 / 6)


def test_first_lines_above_numbers_that_are_not_finite(tmp_path, monkeypatch, capsys):
    """Steps between infinities are none, and nothing is said of them: the tests fail at warnings of NumPy."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"a.csv": "1,2,3\ninf,inf,1\n2,9,1\n", "b.csv": "inf,inf\n-inf,nan\n1,4\n"}.items():
        (tmp_path / name).write_text(text)
        assert cli.run(["mse", "-i", name, "-t", name]) == 0
        assert "header" not in capsys.readouterr().err
