"""The divergence of Gaussians."""

import numpy as np

from losscalc.catalogue.base import Quantities, loss
from losscalc.catalogue.divergence import Divergence
from losscalc.core.array import FloatArray
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Values
from losscalc.core.stable import MOST, lost, number, total, xmul


@loss("kl-gaussian")
class KLGaussian(Divergence):
    """Kullback-Leibler divergence of a Gaussian from another, by default the standard one.

    `input` holds means and `logvar` logarithms of variances, both of the same shape (N, ..., D), or (D,) for
    one row; `target` and `target_logvar` are those of the other Gaussian, 0 unless given. The D coordinates
    are independent, and their divergences are added up. It is the regulariser of a variational autoencoder.
    The mean divides by the number of rows.

    Raises ShapeError for shapes that differ and DTypeError for values that are not real numbers.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.kl

    >>> KLGaussian()([[0.5, -1.0]], [[0.0, 0.5]])
    np.float64(0.699360635)
    """

    aliases = ("vae_kl", "kl_normal", "latent_loss", "gaussian_kl")
    uses = ("distributions", "variational autoencoder", "VAE")
    example = {"input": [[0.5, -1.0]], "logvar": [[0.0, 0.5]]}

    formula = "½·Σ (g - v + exp(v - g) + (x - y)²·exp(-g) - 1); v logvar, g target_logvar"

    def terms(
        self,
        input: Values,
        logvar: Values,
        target: Values | None = None,
        target_logvar: Values | None = None,
    ) -> Terms:
        gap, excess, shift = self._compared(input, logvar, target, target_logvar)
        # exp(u) - 1 - u as expm1(u) - u, which is infinite where u is.
        spread = np.expm1(gap) * (1.0 - excess) - np.minimum(gap, number(MOST, gap))
        return Terms(total(0.5 * (shift * shift + spread)))

    def quantities(
        self,
        input: FloatArray,
        logvar: FloatArray,
        target: FloatArray | None = None,
        target_logvar: FloatArray | None = None,
    ) -> Quantities:
        """The logarithms of the variances, and the other mean, which may be 0."""
        zero = np.zeros(())
        return {
            "v": logvar,
            "g": zero if target_logvar is None else target_logvar,
            "y": zero if target is None else target,
        }

    def gradient(
        self,
        input: Values,
        logvar: Values,
        target: Values | None = None,
        target_logvar: Values | None = None,
    ) -> Slope:
        """(x - y)·exp(-g)."""
        _, _, shift = self._compared(input, logvar, target, target_logvar)
        return Slope(shift if target_logvar is None else shift * np.exp(-0.5 * target_logvar))

    def gradient_logvar(
        self,
        input: Values,
        logvar: Values,
        target: Values | None = None,
        target_logvar: Values | None = None,
    ) -> Slope:
        """½·(exp(v - g) - 1)."""
        gap, excess, _ = self._compared(input, logvar, target, target_logvar)
        return Slope(0.5 * (np.expm1(gap) - excess * np.exp(gap)))

    def gradient_target(self, input: Values, logvar: Values, **other: FloatArray) -> Slope:
        """That of the mean of the input, with a minus."""
        return Slope(-self.gradient(input, logvar, **other).value)

    def gradient_target_logvar(
        self,
        input: Values,
        logvar: Values,
        target: Values | None = None,
        target_logvar: Values | None = None,
    ) -> Slope:
        """½·(1 - exp(v - g) - (x - y)²·exp(-g))."""
        gap, excess, shift = self._compared(input, logvar, target, target_logvar)
        return Slope(0.5 * (excess * np.exp(gap) - np.expm1(gap) - shift * shift))

    def _compared(
        self,
        input: FloatArray,
        logvar: FloatArray,
        target: FloatArray | None,
        target_logvar: FloatArray | None,
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """v - g with what rounding made it too large by, and the distance of the means in deviations."""
        shift = input if target is None else input - target
        if target_logvar is None:
            return logvar, number(0.0, logvar) * np.ones(logvar.shape), shift
        gap = logvar - target_logvar
        # Beyond the range of exp, what rounding has lost may itself be large.
        excess = np.where(np.abs(gap) < 800.0, lost(logvar, target_logvar, gap), number(0.0, gap))
        # exp(-g/2) twice, because (x - y)² may overflow where (x - y)²·exp(-g) does not.
        return gap, excess, xmul(shift, np.exp(-0.5 * target_logvar))
