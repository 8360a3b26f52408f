"""Losses that are a function of their mean, or of several sums over the batch: the catalogue has none yet."""

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.reductions import ROOT, Slope, Terms
from losscalc.core.roles import Values
from losscalc.core.shapes import elementwise_layout


class Alike(Loss):
    """Equal shapes, and nothing else."""

    name, formula, divisor, torch, functional = "test", "(x - y)²", "the number of elements", "", ""

    def layout(self, shapes, dtypes, broadcast):
        return elementwise_layout(shapes, broadcast=broadcast)


class RootMeanSquare(Alike):
    """√(Σ(x - y)²/n): of the mean alone; none and sum are those of the squares."""

    link = ROOT

    def terms(self, input: Values, target: Values) -> Terms:
        return Terms(np.square(input - target))

    def gradient(self, input: Values, target: Values) -> Slope:
        return Slope(2 * (input - target))


class Dice(Alike):
    """1 - 2·Σxy / (Σx + Σy) over the batch: one loss, whatever the reduction."""

    def terms(self, input: Values, target: Values) -> Terms:
        return Terms.of_sums(both=input * target, either=input + target)

    def gradient(self, input: Values, target: Values) -> Slope:
        return Slope.of_sums(both=target, either=np.ones_like(input))

    def finish(self, sums):
        return 1 - 2 * sums["both"] / sums["either"]

    def finish_slopes(self, sums):
        return {"both": -2 / sums["either"], "either": 2 * sums["both"] / sums["either"] ** 2}
