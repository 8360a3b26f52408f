"""The calls that insight looks into: those of losses, with their arrays in memory."""

from losscalc.catalogue.base import Loss
from losscalc.engine.call import Call as AnyCall

Call = AnyCall[Loss]
