"""Reading as a call reads it."""

import contextlib

import numpy as np

from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading


def read_address(address: str, rows: int | None = None) -> np.ndarray:
    """The array at an address, as a whole or so many rows at a time."""
    with contextlib.closing(open_array(parse_address(address), "--input", Reading())) as source:
        if rows is None:
            return source.whole()
        pieces = []
        while len(piece := source.take(rows).values):
            pieces.append(piece)
        return np.concatenate(pieces)
