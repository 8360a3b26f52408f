"""ZIP archives: NumPy's, PyTorch's, workbooks, or none of these, which their members tell."""

from losscalc.engine.sources import Source
from losscalc.inputs import npz
from losscalc.inputs.archive import Archive
from losscalc.inputs.options import Reading
from losscalc.inputs.signatures import foreign_archive, is_torch, is_workbook, refusal
from losscalc.inputs.stream import Stream


def open_zip(stream: Stream, part: str | None, reading: Reading) -> Source:
    """An array of an archive that NumPy, PyTorch or a spreadsheet has written."""
    archive = Archive(stream)
    names = archive.names()
    if is_torch(names):
        from losscalc.inputs.torchfile import open_tensor

        return open_tensor(archive, part, reading)
    if is_workbook(names):
        from losscalc.inputs.excel import open_excel

        archive.stream.seek(0)
        return open_excel(archive.stream, part, reading)
    kind = foreign_archive(names)
    if kind is not None:
        raise refusal(kind, archive.name)
    return npz.open_member(archive, part, reading)
