"""Which files are evidence, by what stands in them."""

import pytest

from service.workflow import media

ACCEPTED = {
    b"\xff\xd8\xff\xe1\x00\x18Exif": "image/jpeg",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR": "image/png",
    b"GIF87a\x01\x00": "image/gif",
    b"GIF89a\x01\x00": "image/gif",
    b"RIFF\x24\x00\x00\x00WEBPVP8 ": "image/webp",
    b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00": "image/heic",
    b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00": "image/heic",
    b"II*\x00\x08\x00\x00\x00": "image/tiff",
    b"MM\x00*\x00\x00\x00\x08": "image/tiff",
    b"BM\x36\x00\x0c\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00": "image/bmp",
    b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00": "video/mp4",
    b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00": "video/mp4",
    b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00": "video/quicktime",
    b"\x00\x00\x00\x14ftyp3gp4\x00\x00\x00\x00": "video/3gpp",
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3": "application/pdf",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00": media.OLE,
    b"PK\x03\x04\x14\x00": media.ZIP,
}

REFUSED = (
    b"",
    b"<!doctype html><html>",
    b"<svg xmlns='http://www.w3.org/2000/svg'>",
    b"<?xml version='1.0'?><svg/>",
    b"\xef\xbb\xbf<html>",
    b"#!/bin/sh\n",
    b"@echo off\r\n",
    b"MZ\x90\x00\x03\x00",
    b"\x7fELF\x02\x01",
    b"\xca\xfe\xba\xbe\x00\x00",
    b"Rar!\x1a\x07\x01\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b\x08\x00",
    b"PK\x05\x06",
    b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00",
    b"RIFF\x24\x00\x00\x00WAVEfmt ",
    b"BM is how this text begins, and no picture",
    b"  %PDF-1.7",
    b"\xff\xd8",
    "整改情况说明".encode(),
)


@pytest.mark.parametrize(("head", "kind"), ACCEPTED.items())
def test_a_kind_is_told_by_how_a_file_begins(head: bytes, kind: str) -> None:
    assert media.by_head(head) == kind
    assert kind in media.KINDS or kind in (media.OLE, media.ZIP)


@pytest.mark.parametrize("head", REFUSED)
def test_whatever_a_reader_could_run_is_no_kind(head: bytes) -> None:
    assert media.by_head(head) is None


OOXML = "application/vnd.openxmlformats-officedocument"


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({"[Content_Types].xml", "word/document.xml"}, f"{OOXML}.wordprocessingml.document"),
        ({"[Content_Types].xml", "word/document2.xml"}, f"{OOXML}.wordprocessingml.document"),
        ({"[Content_Types].xml", "xl/workbook.xml"}, f"{OOXML}.spreadsheetml.sheet"),
        ({"[Content_Types].xml", "ppt/presentation.xml"}, f"{OOXML}.presentationml.presentation"),
        ({"OFD.xml", "Doc_0/Document.xml"}, "application/ofd"),
        ({"[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"}, media.MACROS),
        ({"[Content_Types].xml", "xl/workbook.xml", "XL/VBAPROJECT.BIN"}, media.MACROS),
        ({"word/document.xml"}, None),
        ({"[Content_Types].xml", "payload.exe"}, None),
        ({"[Content_Types].xml", "xl/workbook.bin"}, None),
        ({"index.html"}, None),
        ({"META-INF/MANIFEST.MF", "A.class"}, None),
        (set(), None),
    ],
)
def test_a_zip_is_what_its_members_make_it(names: set[str], kind: str | None) -> None:
    assert media.in_zip(names) == kind


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ({"Root Entry", "WordDocument", "1Table"}, "application/msword"),
        ({"Root Entry", "Workbook"}, "application/vnd.ms-excel"),
        ({"Root Entry", "Book"}, "application/vnd.ms-excel"),
        ({"Root Entry", "PowerPoint Document"}, "application/vnd.ms-powerpoint"),
        ({"Root Entry", "WordDocument", "Macros", "VBA"}, media.MACROS),
        ({"Root Entry", "Workbook", "_VBA_PROJECT_CUR"}, media.MACROS),
        ({"Root Entry", "\x05SummaryInformation"}, None),
    ],
)
def test_an_ole_container_is_what_its_streams_make_it(entries: set[str], kind: str | None) -> None:
    assert media.in_ole(entries) == kind


def test_every_kind_has_extensions_and_a_media_type_of_its_own() -> None:
    assert all(kind.extensions and kind.media_type == name for name, kind in media.KINDS.items())
    assert not {"html", "svg", "exe", "bat", "js", "docm", "xlsm", "zip", "txt"} & {
        extension for kind in media.KINDS.values() for extension in kind.extensions
    }
