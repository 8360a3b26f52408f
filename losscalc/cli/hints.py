"""Hints at options for reading, which name the arrays that they are for where they would harm other files."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from losscalc.cli.types import Delimiter
from losscalc.errors import LosscalcError, Remark, SourceError, option_name
from losscalc.inputs.address import Address, open_array
from losscalc.inputs.options import Reading, Readings
from losscalc.inputs.stream import STDIN

_READING = r"--(from|delimiter|decimal|header|encoding) ('[^']*'|[\w-]+|,)(?![\w=-])"
_FIRST_ROWS = 100


class Files:
    """The arrays of a call, and how they are read."""

    def __init__(self, addresses: Mapping[str, Address], readings: Readings) -> None:
        self.addresses = addresses
        self.readings = readings

    def named(self, hint: str, path: str) -> str:
        """The hint on one of the files, whose options name the arrays of it unless they suit all others."""
        own = [name for name, address in self.addresses.items() if path in paths(address)]
        return re.sub(_READING, partial(self._typed, own), hint) if own else hint

    def change(self, remark: Remark) -> None:
        """Let the hint of a remark on one of the files name its arrays so."""
        if remark.hint is not None and remark.location is not None:
            remark.hint = self.named(remark.hint, remark.location.path)

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Change an error about a file that the block raises so."""
        try:
            yield
        except SourceError as error:
            self.change(error)
            raise

    def _typed(self, own: Sequence[str], option: re.Match[str]) -> str:
        """An option for these arrays, and for the others if it suits them."""
        name, value = option.groups()
        others = [other for other, address in self.addresses.items() if paths(address) and other not in own]
        if all(self._suits(other, name, value.strip("'")) for other in others):
            return option[0]
        return " ".join(f"--{name} {option_name(array)[2:]}={value}" for array in own)

    def _suits(self, name: str, option: str, value: str) -> bool:
        """Whether an array stays as it is with an option, or can be read only with it."""
        address, reading = self.addresses[name], self.readings.of(name)
        path = address.path
        if path is None or address.paths is not None or not os.path.isfile(path):
            # A pipe cannot be read again; what is no file is a word, such as one for weights.
            return path is not None and address.paths is None and not os.path.lexists(path)
        changed: dict[str, Any] = {"format" if option == "from" else option: value}
        if option == "delimiter":
            changed = {option: Delimiter().convert(value, None, None)}
        after = _seen(name, address, reading._replace(**changed))
        return after is not None and _seen(name, address, reading) in (None, after)


def paths(address: Address) -> tuple[str, ...]:
    """The files of an array as messages call them; none of numbers on the command line."""
    if address.is_stdin:
        return (STDIN,)
    return () if address.path is None else (address.path, *(address.paths or ()))


def _seen(name: str, address: Address, reading: Reading) -> str | None:
    """What there is in the first rows of a file; None if it cannot be read."""
    try:
        with closing(open_array(address, option_name(name), reading)) as source:
            first = source.take(_FIRST_ROWS).values if source.shape else source.whole()
            return repr((source.names, source.shape[1:], first.tolist()))
    except LosscalcError:
        return None
