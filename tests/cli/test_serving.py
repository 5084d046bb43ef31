"""`xiaohao serve`, as far as it says what is missing on the machine."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.cli import serving
from service.outside import letter_pdf, letters
from service.settings import Settings


def test_a_start_without_a_font_for_chinese_warns_that_nothing_is_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real program, on a machine that has no fonts but those that the compiler brings."""
    alone = tmp_path / "letter_pdf.py"
    alone.write_text(
        Path(letter_pdf.__file__).read_text().replace("typst.Fonts(", "typst.Fonts(include_system_fonts=False, ")
    )
    monkeypatch.setitem(letters.PROGRAMS, "pdf", alone)
    with capture_logs() as logs:
        serving._look_for_fonts(Settings())
    (warned,) = logs
    assert warned["log_level"] == "warning" and "no font for Chinese" in warned["event"]
    assert (warned["package"], warned["setting"]) == ("fonts-noto-cjk", "XIAOHAO_FONTS_DIR")


def test_a_start_with_one_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.Letters, "can_print", lambda self: True)
    with capture_logs() as logs:
        serving._look_for_fonts(Settings())
    assert logs == []
