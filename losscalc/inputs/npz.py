"""NPZ: archives of NPY files."""

import zipfile

from losscalc.engine.outsiders import identifies
from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location
from losscalc.inputs.archive import Archive
from losscalc.inputs.npy import are_cells, open_array
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import choose_array
from losscalc.inputs.signatures import foreign_archive, is_torch, is_workbook
from losscalc.inputs.stream import Stream

_MOST_MEMBERS = 1_000
_SUFFIX = ".npy"


def open_npz(stream: Stream, part: str | None, reading: Reading) -> Source:
    """One array of an NPZ archive: the one that is named, or the only one there is."""
    archive = Archive(stream)
    names = archive.names()
    has_arrays = any(map(_is_array, archive.members))
    if not has_arrays and (is_torch(names) or is_workbook(names) or foreign_archive(names)):
        hint = "leave --from npz out: the format is found from the file"
        raise FormatError("the archive holds no array", location=Location(archive.name), hint=hint)
    return open_member(archive, part, reading)


def open_member(archive: Archive, part: str | None, reading: Reading) -> Source:
    """One array of an archive of NPY files."""
    names = _names(archive)
    arrays = [name for name, member in zip(names, archive.members, strict=True) if _is_array(member)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FormatError("a member is there twice", found=twice, location=Location(archive.name))
    # A name of NumPy may itself end so, as x.npy, whose member is x.npy.npy.
    wanted = part if part is None or part in names else part.removesuffix(_SUFFIX)
    known = names if wanted in names else arrays or names
    member = archive.members[names.index(choose_array(known, wanted, archive.name, "archive"))]
    if not _is_array(member):
        raise FormatError(
            "the member is not an array", found=member.filename, location=Location(archive.name)
        )
    place = f"#{member.filename.removesuffix(_SUFFIX)}"
    source = open_array(archive.open(member), place, None, reading)
    ids = {name: archive.members[names.index(name)] for name in arrays if identifies(name)}
    source.beside = [name for name, ids in ids.items() if are_cells(archive.open(ids), source.shape[:1])]
    return source


def array_names(stream: Stream) -> list[str]:
    """The names of the arrays of an NPZ archive."""
    archive = Archive(stream)
    names = zip(_names(archive), archive.members, strict=True)
    return [name for name, member in names if _is_array(member)]


def _is_array(member: zipfile.ZipInfo) -> bool:
    return member.filename.endswith(_SUFFIX)


def _names(archive: Archive) -> list[str]:
    names = [name.removesuffix(_SUFFIX) for name in archive.names()]
    if not names or len(names) > _MOST_MEMBERS:
        limit = f"; {_MOST_MEMBERS} are the most that are looked through" if names else ""
        raise FormatError(f"the archive holds {len(names)} arrays{limit}", location=Location(archive.name))
    return names
