"""What explains an expected array: each is made by PyTorch or NumPy as a plausible mistake makes it."""

import json
import shlex

import numpy as np
import pytest

from losscalc import cli

torch = pytest.importorskip("torch", reason="the expected arrays are made by PyTorch")
functional = torch.nn.functional
pytestmark = pytest.mark.parity

RNG = np.random.default_rng(3)
LOGITS = RNG.normal(0, 2, (20, 4))
CLASSES = np.arange(20) % 4
CLASSES[:8] = RNG.integers(0, 4, 8)
SCORES, LABELS = RNG.normal(0, 2, (12, 3)), (RNG.random((12, 3)) < 0.4).astype(float)
X, Y = RNG.normal(0, 1, (6, 5)), RNG.normal(0, 1, (6, 5))

CROSS_ENTROPY = "cross-entropy -i logits.npy -t classes.npy"
BCE = "bce-logits -i scores.npy -t labels.npy"
MSE = "mse -i x.npy -t y.npy"


def tensors(*arrays):
    """Arrays as tensors of float64, or int64."""
    return [torch.as_tensor(array) for array in arrays]


def cross_entropy(logits=LOGITS, classes=CLASSES, **settings):
    """The single losses by PyTorch."""
    x, y = tensors(logits, classes)
    return functional.cross_entropy(x, y, reduction="none", **settings).numpy()


def bce(scores=SCORES, labels=LABELS, **settings):
    """The single losses by PyTorch."""
    return functional.binary_cross_entropy_with_logits(
        *tensors(scores, labels), reduction="none", **settings
    ).numpy()


def gradient(function, array, *others, **settings):
    """The derivative by PyTorch's autograd."""
    x = torch.tensor(array, requires_grad=True)
    function(x, *tensors(*others), **settings).backward()
    return x.grad.numpy()


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """What a check of a command tells of an expected array, as JSON."""
    monkeypatch.chdir(tmp_path)
    for name, array in (
        ("logits", LOGITS),
        ("classes", CLASSES),
        ("scores", SCORES),
        ("labels", LABELS),
        ("x", X),
        ("y", Y),
    ):
        np.save(f"{name}.npy", array)

    def run(command: str, expected: np.ndarray) -> list[dict[str, object]]:
        np.save("expected.npy", expected)
        words = [*command.split(), "--expect", "expected.npy", "-f", "json", "-q"]
        assert cli.run(words) == 1
        found = json.loads(capsys.readouterr().out)["explanations"]
        for each in found:
            assert each["value"] is None
            if each["command"] is not None:
                words = shlex.split(each["command"].replace("-f json", "-o out.npy"))
                assert cli.run(words[1:]) == 0
                assert np.load("out.npy") == pytest.approx(expected, rel=1e-4, nan_ok=True)
        return found

    return run


def softmax(x):
    """By NumPy."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


HYPOTHESES = [
    (CROSS_ENTROPY, cross_entropy(softmax(LOGITS)), "softmax-first"),
    (CROSS_ENTROPY, cross_entropy() / np.log(2), "base-2"),
    (CROSS_ENTROPY, -cross_entropy(), "negative"),
    (CROSS_ENTROPY, np.exp(-cross_entropy()), "exp-negative"),
    (CROSS_ENTROPY, cross_entropy(classes=np.roll(CLASSES, 1)), "rolled=1"),
    (CROSS_ENTROPY, cross_entropy(classes=CLASSES[::-1].copy()), "reversed"),
    (CROSS_ENTROPY, cross_entropy(LOGITS / 2), "temperature=2"),
    (CROSS_ENTROPY, cross_entropy(label_smoothing=0.1), "label-smoothing=0.1"),
    (BCE, bce(1 / (1 + np.exp(-SCORES))), "sigmoid-first"),
    (BCE, bce(labels=1 - LABELS), "target-flipped"),
    (BCE, bce(pos_weight=torch.tensor(3.0)), "pos-weight=3"),
    (BCE, bce() / 36, "divided-by-elements"),
    (MSE, np.abs(X - Y), "as-l1"),
    (MSE, (X - Y) ** 2 / 2, "half"),
    (MSE, 2 * (X - Y) ** 2, "double"),
    (MSE, (X + Y) ** 2, "negated"),
]


@pytest.mark.parametrize(("command", "expected", "name"), HYPOTHESES, ids=[each[2] for each in HYPOTHESES])
def test_single_losses_by_a_hypothesis(command, expected, name, told):
    """A hypothesis that leads to all single losses is told first, or under another name of it."""
    first = told(f"{command} -r none", expected)[0]

    assert name in [first["name"], *(each["name"] for each in first["also"])]
    assert first["chance"] < 1e-6


def test_two_mistakes_at_once(told):
    """A softmax before it, and the logarithm to base 2."""
    found = told(f"{CROSS_ENTROPY} -r none", cross_entropy(softmax(LOGITS)) / np.log(2))
    assert found[0]["name"] == "softmax-first,base-2"


def swapped(array, one, other):
    """An array with two of its rows exchanged."""
    order = np.arange(len(array))
    order[[one, other]] = other, one
    return array[order]


def where(rows, yes, no):
    """Other numbers in some rows."""
    return np.where(rows[:, None], yes, no)


ROWS = np.isin(np.arange(12), (3, 5))
SQUARES = (X - Y) ** 2
MASKED = cross_entropy() * (CLASSES != 2)
NANS = np.where(CLASSES == 1, np.nan, cross_entropy())

OF_VALUE = "are those of the value"
FACTS = [
    (
        CROSS_ENTROPY,
        np.roll(cross_entropy(), 3),
        "rolled",
        f"the expected numbers {OF_VALUE}, 3 further on, the last numbers coming first (rolled by 3)",
    ),
    (
        CROSS_ENTROPY,
        np.roll(cross_entropy(), -2),
        "rolled",
        f"the expected numbers {OF_VALUE}, 2 further back, the first numbers coming last (rolled by -2)",
    ),
    (CROSS_ENTROPY, cross_entropy()[::-1], "reversed", f"the expected numbers {OF_VALUE} in reversed order"),
    (
        CROSS_ENTROPY,
        np.sort(cross_entropy()),
        "reordered",
        f"the expected numbers {OF_VALUE} in another order",
    ),
    (
        CROSS_ENTROPY,
        swapped(cross_entropy(), 3, 5),
        "exchanged",
        "numbers 3 and 5 (counted from 0) are exchanged",
    ),
    (BCE, swapped(bce(), 3, 5), "exchanged", "rows 3 and 5 (counted from 0) are exchanged"),
    (
        BCE,
        np.roll(bce(), 2, axis=0),
        "rolled",
        f"the expected rows {OF_VALUE}, 2 further on, the last rows coming first (rolled by 2)",
    ),
    (BCE, bce()[:, ::-1], "reversed", f"the expected columns {OF_VALUE} in reversed order"),
    (BCE, bce()[:, [1, 0, 2]], "exchanged", "columns 0 and 1 (counted from 0) are exchanged"),
    (
        BCE,
        bce().T.reshape(12, 3),
        "transposed",
        "the expected array is the value in the order of its columns (transposed)",
    ),
    (
        "mse -i x.npy#0-4 -t y.npy#0-4",
        None,
        "transposed",
        "the expected array is the value transposed, rows for columns",
    ),
    (BCE, bce() * 0.37, "scaled", "every number is the value times 0.37"),
    (BCE, bce() / 17, "scaled", "every number is the value divided by 17"),
    (MSE, SQUARES + 0.25, "offset", "every number is the value plus 0.25"),
    (
        MSE,
        where(np.arange(6) < 3, 0, SQUARES),
        "zero",
        "rows 0 to 2 (counted from 0, of 6) are 0, where the value has numbers",
    ),
    (CROSS_ENTROPY, MASKED, "zero", "the numbers of label 2 are 0, where the value has numbers"),
    (CROSS_ENTROPY, NANS, "nan", "the numbers of label 1 are NaN, where the value has numbers"),
    (
        CROSS_ENTROPY,
        cross_entropy() * np.where(CLASSES == 3, 2.5, 1.0),
        "scaled",
        "the numbers of label 3 differ, and each of them is the value times 2.5; all others agree",
    ),
    (
        BCE,
        where(ROWS, bce() ** 3 + 1, bce()),
        "differs",
        "only rows 3 and 5 (counted from 0, of 12) differ; all others agree",
    ),
    (
        BCE,
        np.where(np.arange(3) == 1, np.cos(bce()), bce()),
        "differs",
        "only column 1 (counted from 0, of 3) differs; all others agree",
    ),
]


@pytest.mark.parametrize(("command", "expected", "name", "sentence"), FACTS)
def test_what_is_so_of_the_array(command, expected, name, sentence, told):
    """A fact has a sentence of its own, and no command."""
    if expected is None:
        np.save("x.npy", X[:5]), np.save("y.npy", Y[:5])
        command, expected = MSE, ((X[:5] - Y[:5]) ** 2).T
    found = [each for each in told(f"{command} -r none", expected) if each["command"] is None]

    assert [(each["name"], each["sentence"]) for each in found] == [(name, sentence)]
    assert (found[0]["value"], found[0]["chance"], found[0]["also"]) == (None, None, [])


GRADIENTS = [
    (f"{MSE} -r sum", gradient(functional.mse_loss, X, Y), "mean"),
    (f"{MSE} -r mean", gradient(functional.mse_loss, X, Y, reduction="sum"), "sum"),
    (f"{CROSS_ENTROPY} -r mean", gradient(functional.cross_entropy, LOGITS, CLASSES, reduction="sum"), "sum"),
    (f"{CROSS_ENTROPY} -r mean", gradient(functional.cross_entropy, LOGITS, np.roll(CLASSES, 1)), "rolled=1"),
    (f"{BCE} -r mean", -gradient(functional.binary_cross_entropy_with_logits, SCORES, LABELS), "negative"),
    (f"{MSE} -r mean", gradient(functional.mse_loss, X, Y) / 2, "half"),
    (f"{MSE} -r mean", gradient(functional.l1_loss, X, Y), "as-l1"),
]


@pytest.mark.parametrize(("command", "expected", "name"), GRADIENTS)
def test_gradients_by_a_hypothesis(command, expected, name, told):
    """The derivative of what was done otherwise, by PyTorch's autograd; its command gives it, too."""
    first = told(f"{command} --gradient input", expected)[0]
    assert name in [first["name"], *(each["name"] for each in first["also"])]


def test_the_gradient_of_the_mean(told):
    """30 elements: the factor is named."""
    found = told(f"{MSE} -r sum --gradient input", gradient(functional.mse_loss, X, Y))
    sentence = "every number is the value divided by 30, the number of elements: the gradient of the mean"
    assert sentence in [each["sentence"] for each in found]


def test_a_gradient_that_is_masked(told):
    """Rows of which no gradient comes, as those of a frozen or ignored part."""
    expected = gradient(functional.cross_entropy, LOGITS, CLASSES) * (np.arange(20) != 7)[:, None]
    found = told(f"{CROSS_ENTROPY} --gradient input", expected)
    assert [each["sentence"] for each in found] == [
        "row 7 (counted from 0, of 20) is 0, where the value has numbers"
    ]


def test_a_gradient_that_agrees(told, capsys):
    """A check of a gradient that is right, by PyTorch's autograd."""
    np.save("right.npy", gradient(functional.cross_entropy, LOGITS, CLASSES))
    assert cli.run([*CROSS_ENTROPY.split(), "--gradient", "--expect", "right.npy"]) == 0
    assert "agrees" in capsys.readouterr().out


def test_the_text_has_no_command_for_a_fact(told, capsys):
    """The sentence stands by itself."""
    np.save("expected.npy", swapped(bce(), 3, 5))
    assert cli.run([*BCE.split(), "-r", "none", "--expect", "expected.npy"]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "differs (rtol 1e-05, atol 1e-08)",
        "rows 3 and 5 (counted from 0) are exchanged",
    ]


@pytest.mark.parametrize("seed", range(6))
def test_random_arrays_are_not_explained(seed, told):
    """Nothing leads to numbers drawn at random."""
    expected = np.random.default_rng(seed).gamma(2.0, 0.5, 20)
    assert told(f"{CROSS_ENTROPY} -r none", expected) == []


def test_one_number_tells_too_little(told):
    """A list of one number is no evidence for a factor."""
    np.save("one.npy", np.array([3.0]))
    found = told("mse -i one.npy -t 0 -r none", np.array([5.137]))
    assert found == []
