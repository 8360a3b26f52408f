"""NPZ: archives of NPY files."""

from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location
from losscalc.inputs.archive import Archive
from losscalc.inputs.npy import open_array
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import choose_array
from losscalc.inputs.stream import Stream

_MOST_MEMBERS = 1_000


def open_npz(stream: Stream, part: str | None, reading: Reading) -> Source:
    """One array of an NPZ archive: the one that is named, or the only one there is."""
    return open_member(Archive(stream), part, reading)


def open_member(archive: Archive, part: str | None, reading: Reading) -> Source:
    """One array of an archive of NPY files."""
    names = _names(archive)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FormatError("a member is there twice", found=twice, location=Location(archive.name))
    wanted = None if part is None else part.removesuffix(".npy")
    member = archive.members[names.index(choose_array(names, wanted, archive.name, "archive"))]
    if not member.filename.endswith(".npy"):
        raise FormatError(
            "the member is not an array", found=member.filename, location=Location(archive.name)
        )
    place = f"#{member.filename.removesuffix('.npy')}"
    return open_array(archive.open(member), place, None, reading)


def array_names(stream: Stream) -> list[str]:
    """The names of the arrays of an NPZ archive."""
    return _names(Archive(stream))


def _names(archive: Archive) -> list[str]:
    names = [name.removesuffix(".npy") for name in archive.names()]
    if not names or len(names) > _MOST_MEMBERS:
        limit = f"; {_MOST_MEMBERS} are the most that are looked through" if names else ""
        raise FormatError(f"the archive holds {len(names)} arrays{limit}", location=Location(archive.name))
    return names
