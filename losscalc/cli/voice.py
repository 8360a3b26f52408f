"""Warnings and notes: printed, dropped, or raised as errors, with their places in files."""

from collections.abc import Iterable, Mapping

from losscalc.cli.boundary import warn
from losscalc.engine.sources import Source
from losscalc.errors import (
    DataError,
    DiagnosisWarning,
    Location,
    LosscalcNote,
    Remark,
    option_name,
    printable,
)

# The place of a column's name in a hint.
_CONDITION = "'LABEL!="


class Voice:
    """What to do with warnings: print them, drop them, or raise them."""

    def __init__(self, quiet: bool = False, strict: bool = False, told: set[str] | None = None) -> None:
        self.quiet = quiet
        self.strict = strict
        self.told = told
        """What was told before and is not told again, if several calls are of the same arrays."""

    @property
    def is_heard(self) -> bool:
        """Whether a warning has any effect; if not, none need be looked for."""
        return self.strict or not self.quiet

    def tell(self, remarks: Iterable[Remark], sources: Mapping[str, Source] | None = None) -> None:
        """Print warnings with their places in files, or raise the first of them as an error."""
        for remark in remarks:
            locate(remark, sources or {})
            if self.told is not None:
                text = remark.describe()
                if text in self.told:
                    continue
                self.told.add(text)
            if isinstance(remark, LosscalcNote):
                if not self.quiet:
                    warn(remark, kind="note")
                continue
            if self.strict:
                error = DataError(
                    remark.problem,
                    hint=remark.hint,
                    argument=remark.argument,
                    index=remark.index,
                    location=remark.location,
                )
                error.found = remark.found
                raise error
            if not self.quiet:
                warn(remark)


def _naming_labels(hint: str, name: str, sources: Mapping[str, Source]) -> str:
    """A hint at a condition on labels, with the name of their column; without it if none will do.

    A column that another table has as well would be compared with that.
    """
    names = sources[name].names or ()
    if not names or _CONDITION not in hint:
        return hint
    own = sources[name].locate(())
    others = (source for source in sources.values() if names[0] in source.beside)
    is_shared = any((place := source.locate(())) and own and place.path != own.path for source in others)
    if len(names) > 1 or is_shared or "'" in names[0]:
        return hint.partition(", as --where ")[0]
    return printable(hint.replace("LABEL", names[0]))


def locate(remark: Remark, sources: Mapping[str, Source]) -> None:
    """Replace the index of a remark by a place in a file."""
    name = remark.argument
    if remark.location is None and name is not None and name not in sources:
        members = (source for key, source in sources.items() if key.startswith(f"{name}."))
        place = next((source.locate(()) for source in members), None)
        remark.location = place and Location(place.path)
    elif remark.location is None and name is not None:
        location = sources[name].locate(remark.index or ())
        # The place of a literal is its option, which the message names anyway.
        remark.location = None if str(location) == option_name(name) else location
        if remark.hint is not None:
            remark.hint = _naming_labels(remark.hint, name, sources)
        columns = remark.columns if isinstance(remark, DiagnosisWarning) else ()
        if columns and (part := sources[name].without(columns)) is not None:
            remark.hint = f"take the columns of the array: {part}"
        if remark.location is not None and remark.location.path == option_name(name):
            remark.problem = remark.problem.removeprefix(f"`{name}` ")
