"""Laws of the gradients, over every loss of the registry and every array that it has a gradient of."""

import itertools

import numpy as np
import pytest

import losscalc
from losscalc import losses
from losscalc.catalogue.base import Loss
from losscalc.core.declaration import array_arguments
from losscalc.core.operation import differentiable
from losscalc.core.reductions import MEAN, Partial
from losscalc.engine import block
from tests.support.examples import Arrays, converted, example, log_softmax, prepared, variants

ALL = list(losses().values())
PAIRS = [(cls, wrt) for cls in ALL for wrt in differentiable(cls)]
STEP = 1e-6


def derive(loss: Loss, arrays: Arrays, wrt: str, reduction: str = "sum") -> np.ndarray:
    """The gradient of a loss with its parameters."""
    return losscalc.gradient(loss.name, **arrays, **loss.settings, wrt=wrt, reduction=reduction)


def value(loss: Loss, arrays: Arrays, reduction: str) -> float:
    """The reduced loss."""
    return float(loss(**arrays, reduction=reduction))


VARIANTS = [
    (loss, wrt)
    for cls in ALL
    for loss in variants(cls)
    for wrt in differentiable(cls)
    if wrt in prepared(loss, example(cls, 1))
]


def numeric(loss: Loss, arrays: Arrays, wrt: str, reduction: str) -> np.ndarray:
    """Central differences, an element at a time; of log-probabilities along what keeps them so.

    PyTorch's gradient of CTC is that with respect to the logits: log_probs change as their log-softmax does.
    """
    slope = np.empty(arrays[wrt].shape)
    for index in np.ndindex(*slope.shape):
        sides = []
        for sign in (1, -1):
            moved = arrays[wrt].copy()
            moved[index] += sign * STEP
            sides.append(log_softmax(moved) if wrt == "log_probs" else moved)
        high, low = (value(loss, {**arrays, wrt: side}, reduction) for side in sides)
        slope[index] = (high - low) / (2 * STEP)
    return slope


@pytest.mark.parametrize(("loss", "wrt"), VARIANTS, ids=lambda x: repr(x) if isinstance(x, Loss) else x)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_gradient_is_the_central_difference(loss, wrt, reduction, monkeypatch):
    """Away from kinks, which random numbers do not meet."""
    if loss.name == "ciou":
        # PyTorch takes the factor of the proportions as constant: so does the difference.
        frozen = {}
        original = type(loss)._alpha
        monkeypatch.setattr(
            type(loss), "_alpha", lambda self, *rest: frozen.setdefault("alpha", original(self, *rest))
        )
    arrays = prepared(loss, example(type(loss), 3, seed=1))
    if loss.name == "ciou":
        value(loss, arrays, reduction)
    expected = numeric(loss, arrays, wrt, reduction)

    actual = derive(loss, arrays, wrt, reduction)
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-8 * max(scale, 1))


@pytest.mark.parametrize(("cls", "wrt"), PAIRS)
def test_shape_and_dtype_are_those_of_the_array(cls, wrt):
    """In single and double precision; asked for another dtype, it has that."""
    for dtype in (np.float32, np.float64):
        arrays = example(cls, 4, dtype=dtype)
        slope = derive(cls(), arrays, wrt)
        assert (slope.shape, slope.dtype) == (arrays[wrt].shape, dtype)
        wide = derive(cls(), converted(arrays, np.float64), wrt)
        np.testing.assert_array_equal(slope, wide.astype(dtype))


@pytest.mark.parametrize(("cls", "wrt"), PAIRS)
def test_reductions(cls, wrt):
    """That of none is that of the sum; that of a plain mean is the same over the denominator."""
    arrays = example(cls, 6)
    total = derive(cls(), arrays, wrt, "sum")

    np.testing.assert_array_equal(derive(cls(), arrays, wrt, "none"), total)
    if cls.link is not None:
        # The mean is a function of that of the losses, whose derivative is one factor more.
        partial = Partial.of(cls(), cls().terms(**arrays))
        factor = cls.link.slope(MEAN.finish(partial)) / float(partial.denominator)
        np.testing.assert_allclose(derive(cls(), arrays, wrt, "mean"), total * factor, rtol=1e-13)
    elif cls().terms(**arrays).share is None:
        denominator = value(cls(), arrays, "sum") / value(cls(), arrays, "mean")
        np.testing.assert_allclose(
            derive(cls(), arrays, wrt, "mean"), total / denominator, rtol=1e-13, atol=1e-300
        )
    if "batchmean" in cls.reductions:
        np.testing.assert_allclose(derive(cls(), arrays, wrt, "batchmean"), total / 6, rtol=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "wrt"), PAIRS)
@pytest.mark.parametrize("size", [64, 1000])
def test_the_size_of_blocks_does_not_matter(cls, wrt, size, monkeypatch):
    """Rows have the same bits; what is summed over rows agrees to the last digits."""
    rows = 300 if cls.whole_batch else 2500
    arrays = example(cls, rows)
    expected = derive(cls(), arrays, wrt, "mean")
    monkeypatch.setattr(block, "BLOCK", size)
    actual = derive(cls(), arrays, wrt, "mean")

    if len(expected) == rows and cls.name not in ("linear-cross-entropy", "adaptive-log-softmax"):
        np.testing.assert_array_equal(actual, expected)
    else:
        # Matrix products round by the shapes of their factors.
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("cls", "wrt"), PAIRS)
def test_an_empty_batch_has_an_empty_gradient(cls, wrt):
    """Or, of an array that is not of the batch, a gradient of zeros."""
    arrays = example(cls, 0)
    for reduction in ("none", "mean", "sum"):
        slope = derive(cls(), arrays, wrt, reduction)
        assert slope.shape == arrays[wrt].shape
        assert not slope.any()


@pytest.mark.parametrize("name", ["cross-entropy", "nll", "linear-cross-entropy"])
def test_ignored_rows_have_no_gradient(name):
    """Whatever they hold, and also when all are ignored, where the mean is NaN."""
    cls = losses()[name]
    arrays = example(cls, 5)
    arrays["input"][0] = np.nan
    assert arrays["target"][0] == -100
    for wrt in differentiable(cls):
        slope = derive(cls(), arrays, wrt, "mean")
        assert np.isfinite(slope).all()
        assert slope.any()
    arrays["target"][:] = -100
    assert not derive(cls(), arrays, "input", "mean").any()


@pytest.mark.parametrize("cls", [cls for cls in ALL if cls.broadcasts])
@pytest.mark.parametrize("rows", [2, 3, 4])
def test_broadcasting_is_writing_out(cls, rows):
    """One row beside many, with or without an axis 0, gives what as many copies of it give."""
    needed = [array.name for array in array_arguments(cls) if array.required]
    arrays = {name: array for name, array in example(cls, rows, seed=rows).items() if name in needed}
    tried = 0
    for name, is_row in itertools.product(needed[:2], (True, False)):
        one = arrays[name][0] if is_row else arrays[name][:1]
        copies = {**arrays, name: np.repeat(arrays[name][:1], rows, axis=0)}
        few = {**arrays, name: one}
        try:
            values = cls()(**few, reduction="none", broadcast=True)
        except losscalc.ShapeError:
            continue
        tried += 1
        np.testing.assert_array_equal(values, cls()(**copies, reduction="none"))
        slope = losscalc.gradient(cls.name, **copies, reduction="sum")
        if name == needed[0]:
            slope = slope.sum(axis=0).reshape(one.shape)
        found = losscalc.gradient(cls.name, **few, reduction="sum", broadcast=True)
        np.testing.assert_allclose(found, slope, rtol=1e-12, atol=1e-15)
    assert tried >= 2


def test_broadcasting_adds_up():
    """What stands for several elements gets the sum of their gradients."""
    x, y = np.array([1.0, -2.0, 0.5]), np.array([[0.0], [3.0]])
    slope = losscalc.gradient("mse", x, y, reduction="sum", broadcast=True)

    np.testing.assert_allclose(slope, (2 * (x - y)).sum(axis=0), rtol=1e-15)
    one_a_row = losscalc.gradient("gaussian-nll", np.ones((2, 3)), np.zeros((2, 3)), y[:, 0] + 1, wrt="var")
    assert one_a_row.shape == (2,)
    one_for_all = losscalc.gradient("gaussian-nll", np.ones((2, 3)), np.zeros((2, 3)), 2.0, wrt="var")
    # ½·(1/v - d²/v²) = ½·(1/2 - 1/4), for each of six elements, divided by six.
    assert one_for_all == 0.125


def test_confident_answers_keep_their_digits():
    """σ(x) - 1 and softmax - 1 of answers that are right beyond the last digit of 1."""
    # -σ(-40) = -1 / (1 + exp(40)), by mpmath.
    slope = losscalc.gradient("bce-logits", [40.0, -40.0], [1.0, 0.0], reduction="sum")
    np.testing.assert_allclose(slope, [-4.248354255291589e-18, 4.248354255291589e-18], rtol=4e-16)
    slope = losscalc.gradient("cross-entropy", [[40.0, 0.0]], [0])
    np.testing.assert_allclose(slope, [[-4.248354255291589e-18, 4.248354255291589e-18]], rtol=4e-16)


def test_what_has_no_gradient_is_refused():
    """Targets, arrays that are not there, activations, and distances that are functions."""
    with pytest.raises(losscalc.ParameterError, match="one of input"):
        losscalc.gradient("mse", [1.0], [2.0], wrt="target")
    with pytest.raises(losscalc.ParameterError, match="linear_bias is not given"):
        losscalc.gradient("linear-cross-entropy", [[1.0]], [[1.0]], [0], wrt="linear_bias")
    with pytest.raises(losscalc.ParameterError, match="not a loss"):
        losscalc.gradient("sigmoid", [1.0])
    with pytest.raises(losscalc.ParameterError, match="function of your own"):
        losscalc.gradient(
            "triplet-margin-with-distance",
            [[1.0]], [[2.0]], [[3.0]],
            distance_function=lambda u, v: np.abs(u - v).sum(axis=-1),
        )  # fmt: skip


@pytest.mark.parametrize("scale", [3.0, 1e10])
def test_every_step_of_a_long_sequence_has_one_symbol(scale):
    """The gradient of CTC is exp(log_probs) less the shares of the symbols, which sum to 1 at every step."""
    rng = np.random.default_rng(0)
    log_probs = log_softmax(rng.normal(size=(400, 2, 12))) * scale
    targets = rng.integers(1, 12, (2, 80))
    slope = losscalc.gradient("ctc", log_probs, targets, [400, 400], [80, 79], reduction="sum")
    np.testing.assert_allclose((np.exp(log_probs) - slope).sum(axis=-1), 1.0, rtol=1e-14)


def test_vectors_shorter_than_the_bound():
    """What `backward()` of PyTorch 2.13 gives of 1 - cosine_similarity(x, y, eps=2.0), which is no slope."""
    slope = losscalc.gradient("cosine-distance", [[0.3, 0.4]], [[0.5, 0.1]], eps=2.0, reduction="sum")
    np.testing.assert_allclose(slope, [[-0.11075, -0.006]], rtol=1e-14)
    assert "does not differentiate the bound" in losses()["cosine-distance"].__doc__
