"""The losses, one module a family, which is imported when one of its losses is used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from losscalc.catalogue.index import MODULES
from losscalc.core.registry import add_index
from losscalc.core.registry import operations as operations

add_index({f"{__name__}.{module}": names for module, names in MODULES.items()})

if TYPE_CHECKING:
    from losscalc.catalogue.activations import *
    from losscalc.catalogue.adaptive import *
    from losscalc.catalogue.base import Loss as Loss
    from losscalc.catalogue.base import losses as losses
    from losscalc.catalogue.binary import *
    from losscalc.catalogue.boxes import *
    from losscalc.catalogue.choice import *
    from losscalc.catalogue.contrast import *
    from losscalc.catalogue.ctc import *
    from losscalc.catalogue.deviance import *
    from losscalc.catalogue.distillation import *
    from losscalc.catalogue.divergence import *
    from losscalc.catalogue.embedding import *
    from losscalc.catalogue.functions import compute as compute
    from losscalc.catalogue.functions import gradient as gradient
    from losscalc.catalogue.gaussian import *
    from losscalc.catalogue.hinge import *
    from losscalc.catalogue.infonce import *
    from losscalc.catalogue.likelihood import *
    from losscalc.catalogue.margin import *
    from losscalc.catalogue.mining import *
    from losscalc.catalogue.multiclass import *
    from losscalc.catalogue.nll import *
    from losscalc.catalogue.overlap import *
    from losscalc.catalogue.perplexity import *
    from losscalc.catalogue.policy import *
    from losscalc.catalogue.preference import *
    from losscalc.catalogue.projection import *
    from losscalc.catalogue.quantile import *
    from losscalc.catalogue.ranking import *
    from losscalc.catalogue.regression import *
    from losscalc.catalogue.relative import *
    from losscalc.catalogue.roots import *
    from losscalc.catalogue.scoring import *
    from losscalc.catalogue.survival import *
    from losscalc.catalogue.triplet import *
else:

    def __getattr__(name: str) -> Any:
        """Load the public names on first use: the classes of all operations, and what is around them."""
        base, functions = (import_module(f"{__name__}.{room}") for room in ("base", "functions"))
        public = {name: getattr(base, name) for name in ("Loss", "losses")}
        public |= {name: getattr(functions, name) for name in ("compute", "gradient")}
        classes = {cls.__name__: cls for cls in operations().values()}
        globals().update(public, **classes, __all__=[*public, *classes])
        if name not in globals():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals()[name]
