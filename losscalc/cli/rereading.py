"""Reads the arrays of a command once more, in another way than it says."""

from collections.abc import Mapping
from typing import Any

from losscalc.cli.arrays import Inputs, Opened, opened
from losscalc.cli.voice import Voice
from losscalc.core.array import Array
from losscalc.engine.call import AnyCall
from losscalc.engine.compute import gathered
from losscalc.engine.rereading import Ways
from losscalc.engine.sources import Selection
from losscalc.errors import LosscalcError
from losscalc.inputs.options import Readings

# So many numbers are kept, so that no file is read twice in the same way.
_KEPT = 2_000_000


def reread(call: AnyCall, inputs: Inputs, found: Opened) -> "Reread | None":
    """What reads the arrays of tables once more; nothing does what comes through a pipe."""
    addresses = found.named.addresses
    if any(address.pipe is not None for address in addresses.values()):
        return None
    tables: dict[str, Selection] = {}
    for name, source in found.sources.items():
        if source.selection is not None and name in addresses:
            same = next((key for key in tables if addresses[key].is_beside(addresses[name])), name)
            tables[name] = source.selection._replace(place=f"{same}/{source.table or ''}")
    return Reread(call, inputs, tables) if tables else None


class Reread:
    """The files of the arrays of a call, of which some are tables."""

    def __init__(self, call: AnyCall, inputs: Inputs, tables: Mapping[str, Selection]) -> None:
        self._call = call
        self._inputs = inputs
        self.tables = tables
        self.options: Mapping[str, Any] = inputs.readings.usual._asdict()
        self._found: dict[str, Mapping[str, Array] | LosscalcError] = {}
        self._room = _KEPT

    def read(self, ways: Ways, **options: Any) -> Mapping[str, Array]:
        """The arrays, of which some, or with other options all, are read in another way."""
        key = repr((ways, options))
        found = self._found.get(key)
        if found is None:
            try:
                found = self._read(ways, options)
            except LosscalcError as error:
                found = error
            size = 0 if isinstance(found, LosscalcError) else sum(array.size for array in found.values())
            if size <= self._room:
                self._room -= size
                self._found[key] = found
        if isinstance(found, LosscalcError):
            raise found
        return found

    def _read(self, ways: Ways, options: Mapping[str, Any]) -> Mapping[str, Array]:
        usual, own = self._inputs.readings
        changed = {name: {**own.get(name, {}), **ways.get(name, {})} for name in {*own, *ways}}
        inputs = self._inputs._replace(readings=Readings(usual._replace(**options), changed))
        with opened(self._call, inputs, Voice(quiet=True)) as found:
            return gathered(found.call)[0].held
