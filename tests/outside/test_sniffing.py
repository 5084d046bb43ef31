"""What a file is, looked up in the file: containers by their lists of contents, and damaged ones as nothing."""

import struct
from pathlib import Path

import pytest

from service.outside import sniffing
from service.outside.sniffing import sniff
from service.workflow import media
from tests import evidence
from tests.spreadsheets import xlsx

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sniffed(tmp_path: Path, content: bytes) -> str | None:
    file = tmp_path / "file"
    file.write_bytes(content)
    return sniff(file)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (evidence.photo(), "image/jpeg"),
        (evidence.pdf(), "application/pdf"),
        (evidence.heic(), "image/heic"),
        (evidence.docx(), DOCX),
        (xlsx(表=[["整改", 1]]), XLSX),
        (evidence.packed("OFD.xml", "Doc_0/Document.xml"), "application/ofd"),
        (evidence.packed("[Content_Types].xml", "word/document.xml", comment=b"x" * 9000), DOCX),
        (evidence.docx("word/vbaProject.bin"), media.MACROS),
        (evidence.ole("WordDocument"), "application/msword"),
        (evidence.ole("Workbook", sectors=20), "application/vnd.ms-excel"),
        (evidence.ole("WordDocument", "Macros"), media.MACROS),
        (evidence.ole(), None),
        (evidence.packed("index.html"), None),
        (b"<html></html>", None),
        (b"x", None),
    ],
)
def test_a_file_is_what_stands_in_it(tmp_path: Path, content: bytes, kind: str | None) -> None:
    assert sniffed(tmp_path, content) == kind


def test_a_container_that_is_cut_off_anywhere_is_nothing_and_no_accident(tmp_path: Path) -> None:
    for whole in (evidence.docx(), evidence.ole("WordDocument", sectors=3)):
        # The last entry of a directory may be cut where nothing is left of it to be read.
        kinds = {sniffed(tmp_path, whole[:length]) for length in range(0, len(whole) - 130, 7)}
        assert kinds == {None}


def test_a_directory_that_runs_in_a_circle_comes_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniffing, "LONGEST_LIST", 64 * 512)
    assert sniffed(tmp_path, evidence.ole("WordDocument", sectors=3, circle=True)) is None


def test_a_list_of_contents_that_is_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = evidence.docx(*(f"media/{number}.png" for number in range(50)))
    assert sniffed(tmp_path, archive) == DOCX
    monkeypatch.setattr(sniffing, "LONGEST_LIST", 1000)
    assert sniffed(tmp_path, archive) is None


@pytest.mark.parametrize("length", [0xFFFFFFFF, 10_000_000, 5])
def test_a_length_that_lies_is_nothing(tmp_path: Path, length: int) -> None:
    archive = bytearray(evidence.docx())
    end = archive.rfind(b"PK\x05\x06")
    archive[end + 12 : end + 16] = struct.pack("<L", length)
    assert sniffed(tmp_path, bytes(archive)) is None
