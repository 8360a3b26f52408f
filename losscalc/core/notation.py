"""Sums as text with all their digits, for results that are added up later."""

import math
import re

from losscalc.core.exactsum import Sum

# Sum counts in units of 2^-1074; nothing that it holds reaches the other end.
_LOWEST, _HIGHEST = -1074, 4096
_LONGEST = 2048
_NUMBER = re.compile(r"(-?)0x([0-9a-f]+)p([+-]\d{1,5})", re.ASCII)
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def exact_text(value: Sum) -> str:
    """A sum as a hexadecimal number of as many digits as it takes, or the word for what is not finite.

    >>> exact_text(Sum.of(6.0)), exact_text(Sum.of(1e16) + Sum.of(0.5)), exact_text(Sum.of(-math.inf))
    ('0x3p+1', '0x470de4df820001p-1', '-inf')
    """
    if value.special != 0:
        return str(float(value.special))
    units = abs(value.units)
    zeros = max(0, (units & -units).bit_length() - 1)
    exponent = zeros + _LOWEST if units else 0
    return f"{'-' if value.units < 0 else ''}0x{units >> zeros:x}p{exponent:+d}"


def read_exact(text: str) -> Sum | None:
    """The sum that a text stands for, or None if it is none.

    >>> read_exact(exact_text(Sum.of(0.1))) == Sum.of(0.1), read_exact("0.1")
    (True, None)
    """
    if text in _WORDS:
        return Sum(special=_WORDS[text])
    found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or not _LOWEST <= int(found[3]) <= _HIGHEST:
        return None
    units = int(found[2], 16) << (int(found[3]) - _LOWEST)
    return Sum(-units if found[1] else units)
