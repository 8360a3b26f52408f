"""The losses, one module a family; the order of these imports is the order of the catalogue."""
# isort: skip_file

from typing import TYPE_CHECKING

from losscalc.catalogue.base import Loss as Loss
from losscalc.catalogue.base import compute as compute, gradient as gradient, losses as losses
from losscalc.core.operation import operations
from losscalc.catalogue.regression import *
from losscalc.catalogue.likelihood import *
from losscalc.catalogue.binary import *
from losscalc.catalogue.margin import *
from losscalc.catalogue.multiclass import *
from losscalc.catalogue.projection import *
from losscalc.catalogue.adaptive import *
from losscalc.catalogue.scoring import *
from losscalc.catalogue.divergence import *
from losscalc.catalogue.embedding import *
from losscalc.catalogue.contrast import *
from losscalc.catalogue.infonce import *
from losscalc.catalogue.triplet import *
from losscalc.catalogue.mining import *
from losscalc.catalogue.ranking import *
from losscalc.catalogue.preference import *
from losscalc.catalogue.policy import *
from losscalc.catalogue.survival import *
from losscalc.catalogue.ctc import *
from losscalc.catalogue.boxes import *
from losscalc.catalogue.activations import *

if not TYPE_CHECKING:  # a type checker cannot evaluate this, and takes what is imported above
    __all__ = ["Loss", "compute", "gradient", "losses", *(cls.__name__ for cls in operations().values())]
