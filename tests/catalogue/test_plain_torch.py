"""Losses that PyTorch lacks, against its autograd of their plain formulas."""

import numpy as np
import pytest

import losscalc
from losscalc import losses
from losscalc.catalogue.base import Loss
from losscalc.core.declaration import array_arguments
from losscalc.core.operation import differentiable
from tests.support.examples import example, prepared, variants

torch = pytest.importorskip("torch")

from tests.support.plain_torch import PLAIN  # noqa: E402 - it needs torch

pytestmark = pytest.mark.parity

VARIANTS = [
    (loss, wrt)
    for name in PLAIN
    for loss in variants(losses()[name])
    for wrt in differentiable(type(loss))
    if wrt in prepared(loss, example(type(loss), 1))
]


@pytest.mark.parametrize(("loss", "wrt"), VARIANTS, ids=lambda x: repr(x) if isinstance(x, Loss) else x)
def test_values_and_gradients_are_those_of_the_plain_formula(loss: Loss, wrt: str) -> None:
    """The losses, their sum, and what backward() leaves of that sum."""
    arrays = prepared(loss, example(type(loss), 5, seed=7))
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    tensors[wrt].requires_grad_()
    needed = [array.name for array in array_arguments(type(loss)) if array.required]
    further = {name: tensor for name, tensor in tensors.items() if name not in needed}
    values = PLAIN[loss.name](*(tensors[name] for name in needed), **further, **loss.settings)
    values.sum().backward()

    own = loss(**arrays, reduction="none")
    # Of a small loss beside large ones the plain formula has lost digits.
    np.testing.assert_allclose(own, values.detach().numpy(), rtol=1e-9, atol=1e-15 * np.abs(own).max())
    slope = losscalc.gradient(loss.name, **arrays, **loss.settings, wrt=wrt, reduction="sum")
    scale = np.abs(slope).max()
    np.testing.assert_allclose(slope, tensors[wrt].grad.numpy(), rtol=1e-9, atol=1e-13 * scale)


def test_every_loss_that_pytorch_lacks_is_compared() -> None:
    """By its plain formula, but for those that other tests hold to their own."""
    lacking = {name for name, cls in losses().items() if not cls.torch} - {"log-loss"}
    assert lacking <= PLAIN.keys(), f"add {lacking - PLAIN.keys()} to tests/support/plain_torch.py"
