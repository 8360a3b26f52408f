"""Makers of workbooks: of Excel through openpyxl, of all other kinds by hand."""

# ruff: noqa: E501 - XML

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

import openpyxl

Cells = Sequence[Sequence[object]]

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_ODS = "urn:oasis:names:tc:opendocument:xmlns"
_MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"


def xlsx(sheets: Mapping[str, Cells] | Cells) -> bytes:
    """A workbook of sheets by name, or of one called Sheet; None is an empty cell."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in (sheets if isinstance(sheets, Mapping) else {"Sheet": sheets}).items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                sheet.cell(number, column).value = value
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def zipped(members: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of members by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def with_sheet(xml: str | bytes) -> bytes:
    """A workbook of Excel whose only sheet is this XML."""
    with zipfile.ZipFile(io.BytesIO(xlsx([[1]]))) as archive:
        members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**members, "xl/worksheets/sheet1.xml": xml})


def sheet_xml(rows: str) -> str:
    """A sheet of rows as Excel writes them."""
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{namespace}"><sheetData>{rows}</sheetData></worksheet>'


def ods(rows: str) -> bytes:
    """A spreadsheet of OpenDocument whose only sheet has these rows."""
    names = " ".join(f'xmlns:{name}="{_ODS}:{name}:1.0"' for name in ("office", "table", "text"))
    body = f'<table:table table:name="Sheet">{rows}</table:table>'
    content = f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body>"
    return zipped(
        {
            "mimetype": _MIMETYPE,
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": f"<office:document-content {names}>{content}</office:document-content>",
        }
    )


def ods_cell(value: object, repeated: int = 1) -> str:
    """A cell of OpenDocument."""
    kinds = {bool: "boolean", float: "float", str: "string"}
    kind, written = kinds[type(value)], str(value).lower()
    attribute = (
        "" if kind == "string" else f' office:{"boolean-" if kind == "boolean" else ""}value="{written}"'
    )
    start = f'<table:table-cell table:number-columns-repeated="{repeated}" office:value-type="{kind}"'
    return f"{start}{attribute}><text:p>{value}</text:p></table:table-cell>"


def xlsb(rows: Cells) -> bytes:
    """A binary workbook of Excel with one sheet; what the numbers of records mean, [MS-XLSB] says."""
    cells = b""
    for number, row in enumerate(rows):
        cells += _record(0, struct.pack("<IIHBHI", number, 0, 300, 0, 0, 0))
        for column, value in enumerate(row):
            head = struct.pack("<II", column, 0)
            if isinstance(value, bool):
                cells += _record(4, head + bytes([value]))
            elif isinstance(value, str):
                cells += _record(6, head + _wide(value))
            else:
                cells += _record(5, head + struct.pack("<d", value))
    extent = struct.pack("<4I", 0, len(rows) - 1, 0, len(rows[0]) - 1)
    sheet = _record(129) + _record(148, extent) + _record(145) + cells + _record(146) + _record(130)
    bundle = _record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("Sheet"))
    book = _record(131) + _record(143) + bundle + _record(144) + _record(132)
    relations = f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
            "_rels/.rels": f'{relations}Type="{_RELATIONS}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
            "xl/_rels/workbook.bin.rels": f'{relations}Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
            "xl/workbook.bin": book,
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def _record(kind: int, data: bytes = b"") -> bytes:
    return _varint(kind) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    low = bytes([number & 0x7F | (0x80 if number > 0x7F else 0)])
    return low if number < 0x80 else low + _varint(number >> 7)


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
