"""Letters as documents: what is said stands in them word for word, whatever it looks like, and nothing of it is run."""

import asyncio
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from pypdf import PdfReader

from service.outside import letter_docx, letter_pdf, letters
from service.outside.letters import Format, Letters, NoFont, Overrun, TemplateFault
from service.workflow.notice_letters import printable
from tests.workflow.builders import examples

CONTENT: dict[str, Any] = {
    "kind": "supervision", "kind_name": "督办单", "organ": "清河县人民政府督查室", "number": "qh督〔2026〕12号",
    "title": "关于限期完成问题整改的督办单", "to": "青溪镇人民政府", "paragraphs": ["现予以督办。", "请限期整改。"],
    "enclosure": "问题清单（共1项）", "signer": "清河县人民政府督查室", "date": "2026年11月28日",
    "copies": "县纪委监委",
    "entries": [
        {"position": 1, "number": "qh-1", "problem": "饮水管网漏损", "deadline": "2026-03-25", "person": "张伟"},
    ],
    "mark": "", "mark_reason": "", "reply_by": "2026年12月3日", "receipt_due": "2026年11月30日",
    "receipt_signed_by": "", "receipt_at": "", "ledger": "《问题台账》",
}  # fmt: skip

RECORD: dict[str, Any] = {
    "title": "问题整改全程纪实", "legend": "问题编号：qh-1", "facts": [{"name": "存在问题", "value": "饮水管网漏损"}],
    "deadline": ["指定。"], "notices": ["督办单"], "proof": ["位置 1"], "checkpoint": ["xiaohao/1", "23"],
    "events": [{"position": 1, "at": "2026-03-02 09:00", "what": "列入台账", "who": "李明", "text": "状态：待认领"}],
}  # fmt: skip

WICKED = [
    "#pagebreak() $x$ *粗* _斜_ `码` @ref <a> \\ [ ] // 注 /* */ = 标题 - 项 + 项 ~ '", "#read(\"/etc/passwd\")",
    "#import \"@preview/x:1.0.0\"", "{{ 7*7 }} {% for x in y %} {# c #}", "{{ cycler.__init__.__globals__ }}",
    "<w:p><w:r><w:t>x</w:t></w:r></w:p>", "&amp; &lt; &#60; ]]>", "</w:t></w:r>", '"quoted"',
    "\\u{41}", "${HOME} %PATH%",
]  # fmt: skip


def made(kind: str, format: Format, content: dict[str, Any], own: Letters = Letters()) -> bytes:  # noqa: B008
    return asyncio.run(own.render(kind, format, content))


def pdf_text(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def docx_text(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def squeezed(text: str) -> str:
    """Without blanks and line ends, which a page may put anywhere."""
    return re.sub(r"[\s\u200b\xad]+", "", text)


@pytest.fixture(scope="module")
def printer() -> Letters:
    """A printer that can print; where there is no font for Chinese, why there is none stands in the report."""
    own = Letters()
    if not own.can_print():
        pytest.skip("no font for Chinese: apt install fonts-noto-cjk")
    return own


# -- PDF


def test_a_pdf_has_all_that_is_said(printer: Letters) -> None:
    content = made("supervision", Format.PDF, CONTENT, printer)
    text = squeezed(pdf_text(content))
    said = [value for value in CONTENT.values() if isinstance(value, str) and value not in ("supervision", "督办单")]
    said += [*CONTENT["paragraphs"], *(str(value) for value in CONTENT["entries"][0].values())]
    missing = [each for each in said if squeezed(each) not in text]
    # Who is written to, and by when, stand in the paragraphs, which are composed elsewhere.
    assert missing == ["2026年12月3日", "《问题台账》"]
    assert len(PdfReader(io.BytesIO(content)).pages) == 2
    page = PdfReader(io.BytesIO(content)).pages[0]
    assert [round(float(each) * 25.4 / 72) for each in page.mediabox[2:]] == [210, 297], "A4"


@pytest.mark.parametrize("wicked", WICKED)
def test_no_text_is_markup_of_a_pdf(printer: Letters, wicked: str) -> None:
    entry = {**CONTENT["entries"][0], "problem": wicked}
    text = squeezed(
        pdf_text(made("urging", Format.PDF, {**CONTENT, "paragraphs": [wicked], "entries": [entry]}, printer))
    )
    assert text.count(squeezed(wicked)) == 2


def test_a_mark_lies_over_every_page(printer: Letters) -> None:
    content = made("supervision", Format.PDF, {**CONTENT, "mark": "草稿", "number": ""}, printer)
    pages = [squeezed(page.extract_text()) for page in PdfReader(io.BytesIO(content)).pages]
    assert all("草稿" in page for page in pages)
    assert "签收回执" not in "".join(pages) and "印章" not in "".join(pages)


def test_a_record_is_printed_however_long(printer: Letters) -> None:
    events = [{**RECORD["events"][0], "position": n, "text": "水" * 200} for n in range(1, 301)]
    content = made("record", Format.PDF, {**RECORD, "events": events}, printer)
    reader = PdfReader(io.BytesIO(content))
    assert len(reader.pages) > 20
    assert all("办理人" in page.extract_text() for page in reader.pages[1:20]), "the headings stand on every page"


def test_without_a_font_for_chinese_nothing_is_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real program, on a machine that has no fonts but those that the compiler brings."""
    alone = tmp_path / "letter_pdf.py"
    alone.write_text(
        Path(letter_pdf.__file__).read_text().replace("typst.Fonts(", "typst.Fonts(include_system_fonts=False, ")
    )
    monkeypatch.setitem(letters.PROGRAMS, "pdf", alone)
    with pytest.raises(NoFont):
        made("supervision", Format.PDF, CONTENT)
    assert Letters().can_print() is False


def test_a_directory_of_fonts_is_enough(printer: Letters, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import typst

    paths = {Path(font.path) for font in typst.Fonts().fonts() if font.path and "CJK" in font.family}
    if not paths:
        pytest.skip("the fonts of this machine are others than Noto CJK")
    own = tmp_path / "fonts"
    own.mkdir()
    for path in paths:
        (own / path.name).symlink_to(path)
    alone = tmp_path / "letter_pdf.py"
    (tmp_path / "templates").symlink_to(letter_pdf.TEMPLATES)
    alone.write_text(
        Path(letter_pdf.__file__).read_text().replace("typst.Fonts(", "typst.Fonts(include_system_fonts=False, ")
    )
    monkeypatch.setitem(letters.PROGRAMS, "pdf", alone)
    assert "清河县" in pdf_text(made("supervision", Format.PDF, CONTENT, Letters(fonts=own)))


# -- .docx


def test_a_docx_has_all_that_is_said() -> None:
    text = docx_text(made("supervision", Format.DOCX, CONTENT))
    for each in (
        CONTENT["organ"],
        CONTENT["number"],
        CONTENT["to"] + "：",
        *CONTENT["paragraphs"],
        "抄送：县纪委监委。",
    ):
        assert each in text
    assert all(str(value) in text for value in CONTENT["entries"][0].values())
    assert "{{" not in text and "{%" not in text
    assert "草稿" not in text and "【" not in text


def test_a_record_has_its_rows() -> None:
    text = docx_text(made("record", Format.DOCX, RECORD))
    for each in ("饮水管网漏损", "列入台账", "李明", "状态：待认领", "位置 1", "xiaohao/1"):
        assert each in text
    assert "无。" in docx_text(made("record", Format.DOCX, {**RECORD, "notices": []}))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1, max_size=40))
@example(WICKED[5])
@example("".join(WICKED))
@example("a\nb\tc")
@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_from_a_docx(text: str) -> None:
    content = printable({**CONTENT, "paragraphs": [text]})
    found = docx_text(letter_docx.filled(NOTICE, content))
    assert squeezed(content["paragraphs"][0]) in squeezed(found)


NOTICE = letter_docx.notice()


# -- an office's own templates


def template(tmp_path: Path, name: str, *lines: str) -> Letters:
    document = Document()
    for line in lines:
        document.add_paragraph(line)
    document.save(str(tmp_path / f"{name}.docx"))
    return Letters(templates=tmp_path)


def test_an_office_s_own_template_is_filled_in(tmp_path: Path) -> None:
    loop = ("{%p for each in entries %}", "{{ each.problem }}", "{%p endfor %}")
    own = template(tmp_path, "supervision", "本局样式：{{ number }}", *loop)
    assert docx_text(made("supervision", Format.DOCX, CONTENT, own)) == "本局样式：qh督〔2026〕12号\n饮水管网漏损"
    assert "本局样式" not in docx_text(made("urging", Format.DOCX, CONTENT, own))
    template(tmp_path, "notice", "通用：{{ title }}")
    assert docx_text(made("urging", Format.DOCX, CONTENT, own)).startswith("通用：")
    assert "通用" not in docx_text(made("record", Format.DOCX, RECORD, own)), "a record is no notice"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("{{ numbr }}", "unknown_name"),
        ("{{ number ", "syntax"),
        ("{% if number %}", "syntax"),
        ("{{ number | nothing }}", "syntax"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "failed"),
        ("{{ 1 / 0 }}", "failed"),
        ("{{ entries.append(1) }}", "failed"),
    ],
)
def test_a_template_that_cannot_be_used_says_which_and_why(tmp_path: Path, line: str, kind: str) -> None:
    own = template(tmp_path, "supervision", line)
    with pytest.raises(TemplateFault) as fault:
        made("supervision", Format.DOCX, CONTENT, own)
    assert (fault.value.name, fault.value.kind) == ("supervision.docx", kind)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_a_template_that_is_no_docx_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notice.docx").write_bytes(content)
    with pytest.raises(TemplateFault) as fault:
        made("supervision", Format.DOCX, CONTENT, Letters(templates=tmp_path))
    assert fault.value.kind == "unreadable"


def test_a_template_that_unpacks_to_too_much_is_unreadable(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "notice.docx", "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("word/document.xml", b" " * (letter_docx.LARGEST_TEMPLATE + 1))
    with pytest.raises(TemplateFault) as fault:
        made("supervision", Format.DOCX, CONTENT, Letters(templates=tmp_path))
    assert fault.value.kind == "unreadable"


def test_a_template_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = template(
        tmp_path, "notice", "{% for x in range(99999) %}{% for y in range(99999) %}{{ x * y }}{% endfor %}{% endfor %}"
    )
    monkeypatch.setattr(letters, "SECONDS", 1)
    with pytest.raises(Overrun):
        made("supervision", Format.DOCX, CONTENT, own)


@pytest.mark.parametrize("form", ["notice", "record"])
def test_the_built_in_templates_are_there_to_begin_with(tmp_path: Path, form: str) -> None:
    content = asyncio.run(Letters().example(form))
    assert "{{" in docx_text(content)
    (tmp_path / f"{form}.docx").write_bytes(content)
    given = CONTENT if form == "notice" else RECORD
    kind = "supervision" if form == "notice" else "record"
    assert docx_text(made(kind, Format.DOCX, given, Letters(templates=tmp_path))) == docx_text(
        made(kind, Format.DOCX, given)
    )


@pytest.mark.parametrize("program", list(letters.PROGRAMS.values()), ids=list(letters.PROGRAMS))
def test_a_program_holds_itself_to_its_bounds(program: Path) -> None:
    """The bound of memory that it sets is the one that stops it."""
    code = (
        "import runpy, sys; m = runpy.run_path(sys.argv[1]); m['_bound_itself']()\n"
        "try:\n    bytearray(m['MEMORY'])\nexcept MemoryError:\n    sys.exit(7)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, str(program)], capture_output=True, check=False)
    assert done.returncode == 7, done.stderr
