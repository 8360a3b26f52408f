"""Labels that are names of classes, or lists of them. The values of the losses are calculated by hand."""

import math
import re

import pytest

from losscalc import cli
from losscalc.engine.classes import Classes

# The probabilities of cat, dog and cow in three rows, of which the labels are cat, dog and cow.
ROWS = ".7,.2,.1\n.1,.8,.1\n.3,.3,.4\n"
MEAN = -(math.log(0.7) + math.log(0.8) + math.log(0.4)) / 3
FILES = {
    "names.csv": f"cat,dog,cow\n{ROWS}",
    "prefix.csv": f"prob_cat,prob_dog,prob_cow\n{ROWS}",
    "suffix.csv": f"cat.p,dog.p,cow.p\n{ROWS}",
    "both.csv": f"m_p_cat-v1,m_p_dog-v1,m_p_cow-v1\n{ROWS}",
    "blank.csv": f"p cat,p dog,p cow\n{ROWS}",
    "numbered.csv": f"p_1,p_2,p_3\n{ROWS}",
    "shuffled.csv": "p_2,p_0,p_1\n.1,.7,.2\n.1,.1,.8\n.4,.3,.3\n",
    "usual.csv": f"p_0,p_1,p_2\n{ROWS}",
    "rows.csv": ROWS,
    "names.txt": "cat\ndog\ncow\n",
    "twice.txt": "cat\ncat\ndog\n",
    "label.csv": "label\ncat\ndog\ncow\n",
    "bare.csv": "cat\ndog\ncow\n",
    "ids.csv": "id,label\n1,cat\n2,dog\n3,cow\n",
    "wrong.csv": "id,label\n1,cat\n2,dug\n3,cow\n",
    "gap.csv": 'label\ncat\n""\ncow\n',
    "digits.csv": "label\n1\n2\n3\n",
    "one.csv": "id,cat,dog,cow,label\n1,.7,.2,.1,cat\n2,.1,.8,.1,dog\n3,.3,.3,.4,cow\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The files, in the current folder."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capfd):
    """Runs a command; returns the exit code, the numbers that it printed, and what it said."""

    def run(*words: str) -> tuple[int, list[float], str]:
        code = cli.run(words)
        out, err = capfd.readouterr()
        return code, [float(cell) for line in out.split() for cell in line.split(",")], err

    return run


@pytest.mark.parametrize(
    ("scores", "labels", "options"),
    [
        ("names.csv", "label.csv", []),
        ("names.csv", "bare.csv", []),
        ("prefix.csv", "label.csv", []),
        ("prefix.csv", "bare.csv", []),
        ("suffix.csv", "label.csv", []),
        ("both.csv", "label.csv", []),
        ("blank.csv", "label.csv", []),
        ("prefix.csv", "ids.csv#label", []),
        ("prefix.csv#prob_cat-prob_cow", "ids.csv#2", []),
        ("one.csv#cat-cow", "one.csv#label", []),
        ("one.csv#^id,label", "one.csv#label", []),
        ("rows.csv", "label.csv", ["--class-names", "cat,dog,cow"]),
        ("rows.csv", "bare.csv", ["--class-names", "cat, dog, cow"]),
        ("rows.csv", "label.csv", ["--class-names", "names.txt"]),
        ("prefix.csv", "0,1,2", []),
        ("usual.csv", "0,1,2", []),
        ("numbered.csv", "1,2,3", []),
        ("numbered.csv", "digits.csv", []),
        ("shuffled.csv", "0,1,2", []),
        ("rows.csv", "7,8,9", ["--class-names", "7,8,9"]),
    ],
)
def test_labels_mean_columns(run, scores, labels, options):
    """Names lead to the columns of these names, with what all columns have in common left out."""
    code, values, said = run("log-loss", "-i", scores, "-t", labels, *options)

    assert code == 0, said
    assert values == pytest.approx([MEAN], rel=1e-15)


def test_numbers_of_columns_are_told(run):
    """A note says that labels were taken by name; where names count from 0 there is nothing to tell."""
    *_, said = run("log-loss", "-i", "numbered.csv", "-t", "digits.csv")
    assert said == (
        "losscalc: note: digits.csv: labels are the numbers in the names of columns: 1 means p_1, class 0\n"
    )
    assert run("log-loss", "-i", "usual.csv", "-t", "0,1,2")[2] == ""


@pytest.mark.parametrize("labels", ["1,0", "y.csv", "word.csv", "y.json"])
@pytest.mark.parametrize(
    "names",
    ["prob_True,prob_False", "positive,negative", "prob_yes,prob_no", "TRUE,FALSE", "p(Y),p(N)", "on,off"],
)
def test_columns_of_yes_and_no(run, tmp_path, names, labels):
    """1 and true mean the column of yes, wherever it is: -(ln 0.9 + ln 0.8) / 2 by hand."""
    (tmp_path / "f.csv").write_text(f"{names}\n.9,.1\n.2,.8\n")
    (tmp_path / "y.csv").write_text("y\nTrue\nFalse\n")
    (tmp_path / "y.json").write_text("[true, false]")
    first, second = (re.sub(r"prob_|p\(|\)", "", name) for name in names.split(","))
    (tmp_path / "word.csv").write_text(f"y\n{first}\n{second}\n")
    code, values, said = run("log-loss", "-i", "f.csv", "-t", labels, "--header", "input=yes")
    assert code == 0, said
    assert values == pytest.approx([-(math.log(0.9) + math.log(0.8)) / 2], rel=1e-15)


@pytest.mark.parametrize(
    ("header", "labels", "picked"),
    [
        ("P(1),P(2),P(3)", "1,1,2", (0.7, 0.1, 0.3)),
        ("stars1,stars2,stars3", "1,1,2", (0.7, 0.1, 0.3)),
        ("1 star,2 stars,3 stars", "1,1,2", (0.7, 0.1, 0.3)),
        ("-1,0,1", "0,0,1", (0.2, 0.8, 0.4)),
        ("1.0,2.0,3.0", "1,1,2", (0.7, 0.1, 0.3)),
        ("p1,p0,p2", "0,0,1", (0.2, 0.8, 0.3)),
        # Numbers of other things than classes, as far as they tell, are none
        ("A318,A320,A321", "0,0,1", (0.7, 0.1, 0.3)),
        ("p0,p1,p2", "0,0,1", (0.7, 0.1, 0.3)),
    ],
)
def test_numbers_in_names(run, tmp_path, header, labels, picked):
    """Labels are the numbers that names of columns are, or differ by; probabilities picked by hand."""
    (tmp_path / "f.csv").write_text(f"{header}\n{ROWS}")
    code, values, said = run("log-loss", "-i", "f.csv", "-t", labels, "--header", "yes")
    assert code == 0, said
    assert values == pytest.approx([-math.log(math.prod(picked)) / 3], rel=1e-14)


@pytest.mark.parametrize("loss", ["bce", "bce-logits"])
@pytest.mark.parametrize("words", ["No,Yes", "n,y", "F,T", "off,on", "NEGATIVE,POSITIVE", "neg,pos"])
@pytest.mark.parametrize("text", ["answer\n{1}\n{0}\n{0}\n", "{1}\n{0}\n{0}\n", '["{1}", "{0}", "{0}"]'])
def test_words_for_0_and_1(run, tmp_path, loss, words, text):
    """The hint names them, and typing it gives the number: that of the right answers, by hand."""
    (tmp_path / "y.csv").write_text(text.format(*words.split(",")))
    command = [loss, "-i", ".9,.2,.1", "-t", "y.csv", *(["--from", "target=json"] if "[" in text else [])]
    assert run(*command)[2].endswith(f"hint: for words that mean 0 and 1: --class-names {words}\n")
    code, values, said = run(*command, "--class-names", words)
    one = [0.9, 0.8, 0.9] if loss == "bce" else [1 / (1 + math.exp(x)) for x in (-0.9, 0.2, 0.1)]
    assert (code, values) == (0, pytest.approx([-math.log(math.prod(one)) / 3])), said


def test_names_in_another_case(run, tmp_path):
    """Labels go with columns of the same letters, unless case is all that tells columns apart."""
    (tmp_path / "y.csv").write_text("y\nCat\nDOG\ncow\n")
    assert run("log-loss", "-i", "prefix.csv", "-t", "y.csv")[1] == pytest.approx([MEAN], rel=1e-15)
    (tmp_path / "f.csv").write_text(f"CAt,cAT,dog\n{ROWS}")
    code, _, said = run("log-loss", "-i", "f.csv", "-t", "y.csv")
    assert (code, "the label is none of the classes, found 'Cat'" in said) == (4, True)


@pytest.mark.parametrize(
    ("scores", "labels", "options", "code", "said"),
    [
        (
            "prefix.csv", "wrong.csv#label", [], 4,
            "wrong.csv:3:2: the label is none of the classes, found 'dug'\n"
            "  hint: did you mean dog? there are prob_cat, prob_dog, prob_cow\n",
        ),
        (
            "numbered.csv", "0,1,2", [], 4,
            "--target[0]: the label is none of the classes, found '0'\n"
            "  hint: there are p_1, p_2, p_3; if labels are indices from 0: --class-names 0,1,2\n",
        ),
        (
            "rows.csv", "label.csv", [], 3,
            "label.csv:2:1: not a number, found 'cat'\n"
            "  hint: name the classes in the order of the input's columns: --class-names FIRST,SECOND\n",
        ),
        (
            "rows.csv", "label.csv", ["--class-names", "cat,dog"], 2,
            "--class-names has 2 names, and --input 3 columns\n  hint: name all columns, in their order\n",
        ),
        (
            "rows.csv", "label.csv", ["--class-names", "cat,cat,dog"], 2,
            "--class-names: a name of a class is there twice, found 'cat'\n",
        ),
        (
            "rows.csv", "label.csv", ["--class-names", "twice.txt"], 2,
            "--class-names: a name of a class is there twice, found 'cat'\n",
        ),
        (
            "rows.csv", "label.csv", ["--class-names", "name.txt"], 2,
            "--class-names has 1 name, and --input 3 columns\n  hint: did you mean names.txt?\n",
        ),
        (
            "prefix.csv", "gap.csv", [], 3,
            "gap.csv:3:1: not a label, found ''\n  hint: --na drop leaves the row out, --na nan reads NaN\n",
        ),
        (
            "prefix.csv", "ids.csv", [], 3,
            "ids.csv: column 1 (id) identifies rows, and is not data\n"
            "  hint: take the columns of the array: #label\n",
        ),
    ],
)  # fmt: skip
def test_labels_that_mean_no_class(run, scores, labels, options, code, said):
    """What is no class is refused with its place, and the nearest class where there is one."""
    assert run("log-loss", "-i", scores, "-t", labels, *options) == (code, [], f"losscalc: error: {said}")


def test_missing_labels_are_left_out(run):
    """`--na drop` leaves the row out of both arrays."""
    code, values, _ = run("log-loss", "-i", "prefix.csv", "-t", "gap.csv", "--na", "drop")

    assert (code, values) == (0, pytest.approx([-(math.log(0.7) + math.log(0.4)) / 2], rel=1e-15))


def test_names_go_with_weights_conditions_and_groups(run):
    """Text labels are labels everywhere: balanced weights, conditions on the label itself, groups by it."""
    command = ("cross-entropy", "-i", "one.csv#cat-cow", "-t", "one.csv#label")
    # With weights, the hint at probabilities names no loss that has none.
    assert run(*command, "--weight", "balanced")[:2] == run(*command)[:2]
    code, values, _ = run("log-loss", *command[1:], "--where", "label in cat,cow")
    assert (code, values) == (0, pytest.approx([-(math.log(0.7) + math.log(0.4)) / 2], rel=1e-15))


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("labels\n0 2\n1\n1 2\n", "space"),
        ("labels\n0 2\n1\n1 2\n", " "),
        ("0 2\n1\n1 2\n", " "),
        ("labels\n0;2\n1\n1;2\n", ";"),
        ("0,2\n1\n1,2\n", ","),
        ("labels\ncat|cow\ndog\ndog|cow\n", "|"),
        ("labels\ncat | cow\ndog\ndog | cow\n", "|"),
        ('labels\n"cat,cow"\ndog\n"dog,cow"\n', ","),
        ("labels\nprob_cat|prob_cow\nprob_dog\ndog|cow\n", "|"),
    ],
)
def test_several_labels_in_a_cell(run, tmp_path, text, separator):
    """Each class becomes 0 or 1; the mark between labels never separates cells."""
    (tmp_path / "several.csv").write_text(text)
    code, values, said = run(
        "bce", "-i", "prefix.csv", "-t", "several.csv", "--multi-hot", separator, "-r", "none"
    )

    right = [(0.7, 0.8, 0.1), (0.9, 0.8, 0.9), (0.7, 0.3, 0.4)]
    assert code == 0, said
    assert values == pytest.approx([-math.log(p) for row in right for p in row], rel=1e-14)


def test_no_label_is_a_row_of_zeros(run, tmp_path):
    """An empty cell has no labels, and is not missing; a label that is no class is refused."""
    (tmp_path / "none.csv").write_text('labels\ncat|dog|cow\n""\n0\n')
    code, values, said = run("bce", "-i", "prefix.csv", "-t", "none.csv", "--multi-hot", "|", "-r", "none")
    right = [(0.7, 0.2, 0.1), (0.9, 0.2, 0.9), (0.3, 0.7, 0.6)]
    assert code == 0, said
    assert values == pytest.approx([-math.log(p) for row in right for p in row], rel=1e-14)

    (tmp_path / "none.csv").write_text("labels\ncat|dog\n3\n0\n")
    code, _, said = run("bce", "-i", "prefix.csv", "-t", "none.csv", "--multi-hot", "|")
    assert (code, said.splitlines()[0]) == (
        4, "losscalc: error: none.csv:3:1: the label is none of the classes, found '3'"
    )  # fmt: skip


def test_names_without_what_all_have():
    """A prefix ends at a mark: what words happen to begin with alike is part of them."""
    assert Classes.called(["cat", "cow"]).places == {"cat": 0, "cow": 1}
    assert Classes.called(["a_b", "a_a_b"]).places == {"a_b": 0, "a_a_b": 1, "b": 0, "a": 0, "a_a": 1}
    assert Classes.called(["x_1_p", "x_3_p"]).numbered == {1.0: 0, 3.0: 1}
    assert Classes.called(["0", "1", "2"]).numbered == {}


@pytest.mark.parametrize("cell", ["0,5 1", "1 - Yes", "1 # row"])
def test_what_is_no_list_of_labels(run, tmp_path, cell):
    """Nothing leads to several labels where a mark separates something else."""
    (tmp_path / "y.csv").write_text(f'y\n"{cell}"\n1\n')
    code, _, said = run("bce", "-i", ".9,.2", "-t", "y.csv")
    assert (code, "not a number" in said, "--multi-hot" in said) == (3, True, False)
