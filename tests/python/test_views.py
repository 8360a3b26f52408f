"""What Python shows beside a value: the text of a pipe, the facts of the JSON, and what notebooks draw."""

import copy
import json
import pickle
import re
import subprocess
import sys
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

import losscalc
from losscalc.cli import run
from losscalc.core.declaration import array_arguments, parameters
from losscalc.insight.views import View

SCORES = [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 0.0]]
CLASSES = [0, 2, 1]
ARGUMENTS = ["-i", json.dumps(SCORES), "-t", "0,2,1"]
# torch 2.13.0 in float64: CrossEntropyLoss()(x, y), and that of softmax(x)
VALUE, TWICE = 0.4798155960196391, 0.824110901295556

VIEWS = {
    "explain": (lambda: losscalc.explain("cross-entropy", SCORES, CLASSES), ["cross-entropy", "--explain"]),
    "worst": (lambda: losscalc.worst("cross-entropy", SCORES, CLASSES, count=2), ["cross-entropy", "--worst", "2"]),  # noqa: E501
    "diagnose": (lambda: losscalc.diagnose("cross-entropy", SCORES, CLASSES), ["diagnose", "cross-entropy"]),
    "compare": (
        lambda: losscalc.compare(["cross-entropy", "multi-margin", "mse"], SCORES, CLASSES),
        ["compare", "cross-entropy", "multi-margin", "mse"],
    ),
    "suppose": (
        lambda: losscalc.suppose("cross-entropy", SCORES, CLASSES, mistake="softmax-first"),
        ["cross-entropy", "--suppose", "softmax-first"],
    ),
    "agrees": (
        lambda: losscalc.check("cross-entropy", SCORES, CLASSES, expected=0.4798),
        ["cross-entropy", "--expect", "0.4798"],
    ),
    "differs": (
        lambda: losscalc.check("cross-entropy", SCORES, CLASSES, expected="0.824111"),
        ["cross-entropy", "--expect", "0.824111"],
    ),
    "array": (
        lambda: losscalc.check("cross-entropy", SCORES, CLASSES, expected=[1, 2, 3], reduction="none"),
        ["cross-entropy", "--expect", "1,2,3", "-r", "none"],
    ),
}  # fmt: skip


# A search for a mistake takes more than a second.
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name in ("differs", "array") else name for name in VIEWS
]


def printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints into a pipe."""
    run([*words, *ARGUMENTS])
    return capsys.readouterr().out


def without_commands(text: str) -> str:
    """The text without what is typed, which is Python here: commands, options and arrays."""
    text = re.sub(r"^  losscalc.*$", "", text, flags=re.MULTILINE)
    return text.replace("--", "").replace("explains 1,2,3", "explains these numbers")


@pytest.mark.parametrize("name", NAMES)
def test_a_view_is_what_the_command_prints(name, capsys) -> None:
    """As text, and its facts as the JSON."""
    view, words = VIEWS[name]
    shown = view()
    assert without_commands(f"{shown}\n") == without_commands(printed(words, capsys))
    assert repr(shown) == str(shown)
    facts, told = shown.to_dict(), json.loads(printed([*words, "-f", "json"], capsys))
    assert facts.keys() == told.keys()
    if name not in ("differs", "compare"):
        assert facts == told


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_show_tables(name) -> None:
    """Markdown with the numbers, HTML that is well-formed and asks nothing of other hosts, and LaTeX."""
    shown = VIEWS[name][0]()
    markdown, html, latex = shown._repr_markdown_(), shown._repr_html_(), shown._repr_latex_()
    tree = ElementTree.fromstring(f"<div>{html}</div>")
    assert tree.find(".//table") is not None
    assert "http" not in html
    text = "".join(tree.itertext())
    for number in re.findall(r"\d+\.\d+", markdown):
        assert number in text
    if name == "explain":
        kinds = {element.tag for element in tree.iter()}
        assert {"math", "mfrac", "msub"} <= kinds
    assert latex is not None
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\begin") == latex.count(r"\end")


@pytest.mark.slow
def test_a_check_is_true_or_false() -> None:
    """Its numbers are those of PyTorch, and its causes what was done there."""
    agrees = losscalc.check("cross-entropy", SCORES, CLASSES, expected=VALUE)
    assert agrees
    assert (agrees.agrees, agrees.causes) == (True, ())
    differs = losscalc.check("cross-entropy", SCORES, CLASSES, expected=TWICE)
    assert not differs
    assert differs.value == pytest.approx(VALUE, rel=1e-14)
    assert differs.expected == TWICE
    assert differs.causes == ("a softmax was applied to the input first",)
    code = 'losscalc.suppose("cross-entropy", input=..., target=..., mistake="softmax-first")'
    assert code in str(differs)
    assert f"<code>{code.replace(chr(34), '&quot;')}</code>" in differs._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expected", "agrees"),
    [
        # The value is 0.4798155960196391: digits that are written decide
        (0.48, True), (0.4798, True), (0.4797, False), ("0.480", True), ("0.4800", False),
        (np.float32(0.4798), True), (np.float32(VALUE), True), (np.float64(VALUE), True), ([0.4798], True),
        (VALUE * (1 + 9e-7), True), (VALUE * (1 + 2e-6), False),
    ],
)  # fmt: skip
def test_the_digits_of_a_number_count(expected, agrees) -> None:
    """Those of its repr, or of a text as it stands."""
    assert bool(losscalc.check("cross-entropy", SCORES, CLASSES, expected=expected)) == agrees


@pytest.mark.slow
def test_tolerances_take_the_place_of_digits() -> None:
    """|0.4798 - 0.5| is 0.0202."""
    assert losscalc.check("cross-entropy", SCORES, CLASSES, expected=0.5, atol=0.021)
    assert not losscalc.check("cross-entropy", SCORES, CLASSES, expected=0.5, atol=0.02)
    assert losscalc.check("cross-entropy", SCORES, CLASSES, expected=0.5, rtol=0.041)


@pytest.mark.slow
def test_code_that_reproduces_the_number() -> None:
    """The sum is 3 times the mean; run as it stands, with the arrays put in, the code gives it."""
    found = losscalc.check("cross-entropy", SCORES, CLASSES, label_smoothing=0.1, expected=1.7394468)
    code = found.to_dict()["explanations"][0]["command"]
    assert code == (
        'losscalc.compute("cross-entropy", input=..., target=..., label_smoothing=0.1, reduction="sum")'
    )
    filled = code.replace("input=...", "input=SCORES").replace("target=...", "target=CLASSES")
    assert eval(filled) == pytest.approx(1.7394468, abs=5e-8)


@pytest.mark.slow
def test_options_are_arguments_in_sentences() -> None:
    """Not --weight, but weight."""
    weighted = losscalc.compute("cross-entropy", SCORES, CLASSES, weight=[1.0, 2.0, 4.0])
    found = losscalc.check("cross-entropy", SCORES, CLASSES, weight=[4.0, 2.0, 1.0], expected=weighted)
    assert found.causes
    assert "--" not in str(found)


@pytest.mark.slow
def test_a_gradient_is_checked() -> None:
    """By hand: (softmax - one-hot) / 3; three times that is the gradient of the sum."""
    shares = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
    slope = (shares - np.eye(3)[CLASSES]) / 3
    assert losscalc.check("cross-entropy", SCORES, CLASSES, wrt="input", expected=slope)
    found = losscalc.check("cross-entropy", SCORES, CLASSES, wrt="input", expected=slope * 3)
    assert not found
    assert 'losscalc.gradient("cross-entropy", input=..., target=..., wrt="input", reduction="sum")' in str(
        found
    )


def test_several_mistakes_are_a_list() -> None:
    """Half of the sum of 1 and 9."""
    found = losscalc.suppose("mse", [1.0, 2.0], [2.0, 5.0], mistake=["sum", "half"])
    assert found.value == 5.0
    assert found.value == losscalc.suppose("mse", [1.0, 2.0], [2.0, 5.0], mistake="sum,half").value


def test_rows_are_records() -> None:
    """As a DataFrame takes them; the largest loss is 4 of 4.5."""
    (row,) = losscalc.worst("l1", [1.0, 5.0, 2.0], [1.5, 1.0, 2.0], count=1).rows
    assert (row["index"], row["loss"], row["share"]) == ([1], 4.0, pytest.approx(8 / 9))
    compared = losscalc.compare(["l1", losscalc.MSE], [1.0, 2.0], [1.0, 4.0])
    assert losscalc.compare("mse", [1.0, 2.0], [1.0, 4.0]).rows == compared.rows[1:]
    assert [(row["loss"], row["mean"]) for row in compared.rows] == [("l1", 1.0), ("mse", 2.0)]


def test_views_are_frozen() -> None:
    """What was printed does not change."""
    shown = losscalc.explain("mse", [1.0], [2.0])
    with pytest.raises(AttributeError):
        shown.result = None
    assert isinstance(shown, View)
    assert shown.value == 1.0


def test_a_diagnosis_keeps_its_warnings() -> None:
    """Probabilities given as logits."""
    with pytest.warns(losscalc.DiagnosisWarning, match="looks like probabilities"):
        found = losscalc.diagnose("cross-entropy", [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], [0, 1])
    assert any("looks like probabilities" in str(each) for each in found.warnings)


def test_activations_have_no_single_losses() -> None:
    """So that there are no worst of them, and none to compare."""
    for call in (
        lambda: losscalc.worst("softmax", [1.0, 2.0]),
        lambda: losscalc.compare(["softmax"], [1.0, 2.0]),
        lambda: losscalc.suppose("softmax", [1.0, 2.0], mistake="sum"),
    ):
        with pytest.raises(losscalc.ParameterError, match="softmax is an activation"):
            call()


def test_the_working_of_an_activation(capsys) -> None:
    """That of the command, with its facts; PyTorch 2.13.0 gives 0.0900, 0.2447 and 0.6652."""
    shown = losscalc.explain("softmax", [1.0, 2.0, 3.0])
    run(["softmax", "-i", "1,2,3", "--explain"])
    assert f"{shown}\n" == capsys.readouterr().out
    assert str(shown).endswith("= 0.0900, 0.2447, 0.6652   (Σ exp(x) = 30.1929)")
    (line,) = shown.to_dict()["working"]["losses"]
    assert line["value"] == pytest.approx([0.09003057317038046, 0.24472847105479764, 0.6652409557748218])
    assert len(str(losscalc.explain(losscalc.LogSoftmax(dim=0), SCORES)).splitlines()) == 4


def test_an_activation_is_checked() -> None:
    """The digits count as they do for a loss."""
    assert losscalc.check("sigmoid", 1.0, expected=0.7311)
    assert losscalc.check("softmax", [1.0, 2.0, 3.0], expected=[0.09003057, 0.24472847, 0.66524096])
    found = losscalc.check("softmax", [1.0, 2.0, 3.0], expected=[0.09, 0.24, 0.67])
    assert not found
    assert found.to_dict()["activation"] == "softmax"
    assert str(found).splitlines()[-1] == "differs (rtol 1e-05, atol 1e-08)"


def test_a_result_of_three_axes_has_no_latex() -> None:
    """A matrix is all that it can show."""
    cube = np.zeros((1, 2, 2))
    shown = losscalc.suppose("mse", cube, cube + 1, mistake="times=2", reduction="none")
    assert shown._repr_latex_() is None
    assert shown.value.tolist() == [[[2.0, 2.0], [2.0, 2.0]]]


def test_nothing_is_in_the_way_of_arguments() -> None:
    """No loss has an array or a parameter that is called like an argument of these functions."""
    own = {
        "loss",
        "losses",
        "expected",
        "rtol",
        "atol",
        "mistake",
        "count",
        "max_rows",
        "precision",
        "places",
    }
    for cls in losscalc.losses().values():
        assert not own & {each.name for each in (*parameters(cls), *array_arguments(cls))}, cls


@pytest.mark.slow
def test_rich_and_click_are_not_needed() -> None:
    """Only the command line draws with them."""
    code = (
        "import losscalc, sys; v = losscalc.check('mse', [1.0], [2.0], expected=3.0); str(v); v.to_dict(); "
        "v._repr_html_(); v._repr_latex_(); losscalc.explain('mse', [1.0], [2.0])._repr_html_(); "
        "assert not {'click', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_warnings_point_at_the_users_line() -> None:
    """Of whichever function, and can be turned off by their class."""
    probabilities = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], [0, 1]
    calls = [
        lambda: losscalc.compute("cross-entropy", *probabilities),
        lambda: losscalc.gradient("cross-entropy", *probabilities),
        lambda: losscalc.CrossEntropy()(*probabilities),
        lambda: losscalc.compute("cross-entropy", *probabilities, digits=20),
        lambda: losscalc.explain("cross-entropy", *probabilities),
        lambda: losscalc.check("cross-entropy", *probabilities, expected=0.5),
        lambda: losscalc.worst("cross-entropy", *probabilities),
        lambda: losscalc.suppose("cross-entropy", *probabilities, mistake="sum"),
        lambda: losscalc.compare(["cross-entropy"], *probabilities),
        lambda: losscalc.diagnose("cross-entropy", *probabilities),
        lambda: losscalc.testing.assert_loss("cross-entropy", *probabilities, expected=0.7, atol=1.0),
    ]
    for number, call in enumerate(calls):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        found = [each for each in caught if issubclass(each.category, losscalc.DiagnosisWarning)]
        assert found, number
        assert all(each.filename == __file__ for each in found), number
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", losscalc.DiagnosisWarning)
            call()


SAID = {
    **{name: make for name, (make, _) in VIEWS.items()},
    "differs": lambda: losscalc.check("cross-entropy", SCORES, CLASSES, expected=TWICE),
    "none": lambda: losscalc.explain("cross-entropy", SCORES, CLASSES, reduction="none"),
    "several": lambda: losscalc.check("l1", [1.0, 5.0], [0.0, 1.0], expected=[1.0, 8.0], reduction="none"),
    "nan": lambda: losscalc.explain("l1", [np.nan], [0.0]),
    "warned": lambda: losscalc.diagnose("cross-entropy", [[0.2, 0.8], [0.3, 0.7], [0.9, 0.1]], [1, 1, 0]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", SAID.values(), ids=SAID)
def test_what_says_the_same_is_equal(make) -> None:
    """Made twice, copied and pickled; what was computed on the way need not be either."""
    view = make()
    for other in (make(), copy.deepcopy(view), pickle.loads(pickle.dumps(view))):
        assert str(other) == str(view)
        assert other == view
        assert len({other, view}) == 1
    assert view != losscalc.explain("mse", [1.0], [3.0])
    assert view != str(view)


def test_a_check_keeps_what_was_expected() -> None:
    """The array may be used for something else afterwards."""
    expected = np.array([1.0, 8.0])
    found = losscalc.check("l1", [1.0, 5.0], [0.0, 1.0], expected=expected, reduction="none")
    before = str(found)
    expected[:] = 7.0
    assert (str(found), found.expected.tolist()) == (before, [1.0, 8.0])


def test_worst_of_none() -> None:
    """Where all rows are ignored, there is nothing to show, as text or as LaTeX."""
    with pytest.warns(losscalc.LosscalcWarning, match="every target is ignored"):
        found = losscalc.worst("nll", [[-1.0, -2.0]], [-100])
    assert (found.rows, found._repr_latex_(), found._repr_markdown_()) == ([], None, "")


def test_a_supposition_of_three_axes() -> None:
    """Which no table has room for: half of 1² and 2², as in a pipe."""
    found = losscalc.suppose("mse", [[[1.0, 2.0]]], [[[0.0, 0.0]]], mistake="half", reduction="none")
    assert found._repr_markdown_() == "`[[[0.5, 2.0]]]`"


X = [1.0, 2.0]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: losscalc.worst("mse", X, X, wrt="input"), "wrt asks for a derivative"),
        (lambda: losscalc.diagnose("mse", X, X, wrt="input"), "wrt asks for a derivative"),
        (lambda: losscalc.compare(["mse", "l1"], X, X, wrt="input"), "wrt asks for a derivative"),
        (lambda: losscalc.worst("mse", X, X, count=1.5), "count must be a whole number, found 1.5"),
        (lambda: losscalc.worst("mse", X, X, count=-1), "count must be in [1, 1e+06], found -1"),
        (lambda: losscalc.diagnose("mse", X, X, count=0), "count must be in [1, 1e+06], found 0"),
        (lambda: losscalc.explain("mse", X, X, precision=-1), "precision must be in [0, 50], found -1"),
        (lambda: losscalc.explain("mse", X, X, precision=1.5), "precision must be a whole number, found 1.5"),
        (lambda: losscalc.explain("mse", X, X, max_rows=-1), "max_rows must be in [1, 1e+09], found -1"),
        (lambda: losscalc.check("mse", X, X, expected=3, rtol=-1), "rtol must be finite and at least 0, found -1"),  # noqa: E501
        (lambda: losscalc.check("mse", X, X, expected=3, rtol=np.nan), "rtol must be finite and at least 0, found nan"),  # noqa: E501
        (lambda: losscalc.check("mse", X, X, expected=3, atol=np.inf), "atol must be finite and at least 0, found inf"),  # noqa: E501
        (lambda: losscalc.check("mse", X, X, expected=True), "expected must hold numbers, found True"),
        (lambda: losscalc.check("mse", X, X, expected=[True]), "expected must hold numbers, found [True]"),
        (lambda: losscalc.suppose("mse", X, X, mistake=3), "mistake must be a name, or a list of names, found 3"),  # noqa: E501
        (lambda: losscalc.testing.assert_loss("mse", X, X, expected=0, places=-1), "places must be in [0, 50], found -1"),  # noqa: E501
        (lambda: losscalc.explain("mse", X, X, digits=30), "mse takes no digits here"),
        (lambda: losscalc.compute(losscalc.Huber(), X, X, delta=2), "delta belongs to the loss, and this huber is made already"),  # noqa: E501
        (lambda: losscalc.compute(losscalc.MSE(), X, X, like="keras"), "like belongs to the loss, and this mse is made already"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_is_asked_is_checked(call, problem) -> None:
    """As on the command line, before anything is computed."""
    with pytest.raises(losscalc.ParameterError) as caught:
        call()
    assert str(caught.value).startswith(problem)


def test_the_hint_is_a_note() -> None:
    """In a traceback, as it is typed in Python."""
    with pytest.raises(losscalc.ShapeError) as caught:
        losscalc.compute("mse", [[1.0, 2.0, 3.0]], [[1.0], [2.0]])
    assert caught.value.__notes__ == ["hint: broadcast=True lets shapes broadcast, as NumPy does it"]
    with pytest.raises(losscalc.ClassIndexError) as wrong:
        losscalc.compute("cross-entropy", [[1.0, 2.0]], [-1], ignore_index=5)
    assert wrong.value.__notes__ == ["hint: ignore_index=-1 leaves such rows out"]
    error = losscalc.UsageError("a problem", hint="`reduction` sum")
    error.add_note("in epoch 3")
    error.hint = "--reduction mean"
    assert error.__notes__ == ["hint: reduction='mean'", "in epoch 3"]
    error.hint = None
    assert error.__notes__ == ["in epoch 3"]


@pytest.mark.slow
def test_assert_loss() -> None:
    """It fails with what is wrong."""
    from losscalc.testing import assert_loss

    assert_loss("cross-entropy", SCORES, CLASSES, expected=0.4798)
    assert_loss("cross-entropy", SCORES, CLASSES, expected=0.48, places=3)
    assert_loss("cross-entropy", SCORES, CLASSES, expected=0.5, rtol=0.05)
    with pytest.raises(AssertionError, match="if a softmax was applied to the input first"):
        assert_loss("cross-entropy", SCORES, CLASSES, expected=TWICE)
    with pytest.raises(AssertionError, match="differs"):
        assert_loss("cross-entropy", SCORES, CLASSES, expected=0.48, places=4)
    with pytest.raises(losscalc.ParameterError, match="do not go together"):
        assert_loss("cross-entropy", SCORES, CLASSES, expected=0.48, places=4, rtol=1e-3)


def test_version() -> None:
    """It is public, and the one of the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "losscalc", "--version"], capture_output=True, text=True, check=True
    )
    assert losscalc.__version__ in done.stdout
    assert "__version__" in losscalc.__all__
