"""losscalc: the value of any machine-learning loss, without a deep-learning framework.

>>> import losscalc
>>> losscalc.compute("bce-logits", input=[2.0, -1.0, 0.0], target=[1, 0, 1])
np.float64(0.377778960)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from losscalc import testing as testing
    from losscalc.catalogue import *
    from losscalc.errors import *
    from losscalc.insight.questions import *
else:

    def __getattr__(name: str) -> Any:
        """Load the public names on first use, so that the command line starts without them."""
        rooms = [import_module(f"losscalc.{room}") for room in ("catalogue", "errors", "insight.questions")]
        import_module("losscalc.testing")
        # The catalogue is below what knows the signs of mistakes, so that the two are put together here.
        rooms[0].Loss.examined = import_module("losscalc.insight.diagnose").examine
        names = {public: getattr(room, public) for room in rooms for public in room.__all__}
        # From now on they, and the modules that were loaded on the way, are found without a call of this.
        globals().update(names, __all__=sorted([*names, "__version__"]))
        if name not in globals():
            raise AttributeError(f"module 'losscalc' has no attribute {name!r}")
        return globals()[name]

    def __dir__() -> list[str]:
        return list(__getattr__("__all__"))
