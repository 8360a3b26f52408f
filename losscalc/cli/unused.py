"""Options for reading text of which no array of a call is."""

from collections.abc import Iterator, Mapping

from losscalc.errors import LosscalcNote
from losscalc.inputs import FORMATS, split_suffix
from losscalc.inputs.address import parse_address
from losscalc.inputs.options import Reading, Readings

_OF_TEXT = ("delimiter", "header", "skip_rows", "encoding", "decimal")
_BINARY = {suffix for name in ("npy", "npz", "safetensors", "torch") for suffix in FORMATS[name].suffixes}


def unused(texts: Mapping[str, str], readings: Readings) -> Iterator[LosscalcNote]:
    """A note for each option that changes nothing, as what it is for are numbers that were typed, or binary.

    `texts` are the arrays as they were typed, and all else that is read like them.
    """
    for option in _OF_TEXT:
        usual = getattr(Reading(), option)
        if getattr(readings.usual, option) != usual and not any(map(_may_be_text, texts.values())):
            yield LosscalcNote(f"`{option}` has no effect: no array here is read as text")
        for array, own in readings.own.items():
            if own.get(option, usual) != usual and array in texts and not _may_be_text(texts[array]):
                yield LosscalcNote(f"`{option}` has no effect: `{array}` is not read as text")


def _may_be_text(text: str) -> bool:
    """Whether an array may come from a text file, or from standard input."""
    address = parse_address(text)
    if address.path is None:
        return address.is_stdin
    names = address.paths or (address.path,)
    return any(split_suffix(name)[0] not in _BINARY for name in names)
