"""The losses, one module a family; the order of these imports is the order of the catalogue."""
# isort: skip_file

from losscalc.catalogue.base import Loss, compute, gradient, losses
from losscalc.core.operation import operations
from losscalc.catalogue.regression import *
from losscalc.catalogue.likelihood import *
from losscalc.catalogue.binary import *
from losscalc.catalogue.margin import *
from losscalc.catalogue.multiclass import *
from losscalc.catalogue.projection import *
from losscalc.catalogue.adaptive import *
from losscalc.catalogue.divergence import *
from losscalc.catalogue.embedding import *
from losscalc.catalogue.triplet import *
from losscalc.catalogue.ctc import *
from losscalc.catalogue.boxes import *
from losscalc.catalogue.activations import *

__all__ = ["Loss", "compute", "gradient", "losses"]
__all__ += [cls.__name__ for cls in operations().values()]
