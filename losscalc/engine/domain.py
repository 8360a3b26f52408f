"""Holds the values of an array against the domain of its role."""

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import Region
from losscalc.core.remedies import remedy, remedy_of_labels
from losscalc.core.roles import Role
from losscalc.errors import DomainError, Index, LosscalcWarning


def check_domain(name: str, values: Array, role: Role) -> LosscalcWarning | None:
    """Raise for a value outside the domain of its role; return a warning for one that is merely unusual."""
    if role.domain is not None and (index := _first_outside(role.domain, values, role.nan)) is not None:
        raise DomainError(
            f"`{name}` must be {role.domain}",
            found=values[index],
            argument=name,
            index=index,
            hint=remedy(role, values, index),
        )
    if role.advised is None or (index := _first_outside(role.advised, values, True)) is None:
        return None
    return LosscalcWarning(
        f"`{name}` should be {role.advised}; {role.beyond}",
        found=values[index],
        argument=name,
        index=index,
        hint=remedy_of_labels(role, values, index),
    )


def _first_outside(region: Region, values: Array, nan: bool) -> Index | None:
    """The index of the first value outside a region; with `nan`, NaN does not count as outside."""
    index = region.first_outside(values)
    if index is not None and nan and np.isnan(values[index]):
        index = region.first_outside(np.where(np.isnan(values), region.inside()[0], values))
    return index
