"""A program: what a document says as JSON on standard input, the .docx on standard output.

It runs in a process of its own, see letters.py, and imports nothing of the service. The template is an office's own
file or the one that is made here; what is filled in is escaped, and a template may compute but not reach out.
"""

import io
import json
import resource
import sys
import zipfile
from typing import Any

MEMORY = 1024**3
"""Bytes of address space."""

SECONDS = 30
"""Of processor time."""

FAULTS = {"template": 4, "overrun": 5}
"""Exit statuses, as in letter_pdf.py."""

LARGEST_TEMPLATE = 64 * 1024 * 1024
"""Bytes of an unpacked template."""

TITLES, BODY, HEAVY, KAI = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
RED = "E60000"


class Fault(Exception):
    """What is wrong with a template: unreadable, syntax, unknown_name or failed; and in which of its lines."""

    def __init__(self, kind: str, line: int | None = None) -> None:
        super().__init__(kind)
        self.kind, self.line = kind, line


# -- the built-in templates


class Sheet:
    """A document in the measures of GB/T 9704."""

    def __init__(self) -> None:
        from docx import Document
        from docx.shared import Mm, Pt

        self.document = Document()
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        style = self.document.styles["Normal"]
        style.font.size = Pt(16)
        style.paragraph_format.line_spacing = Pt(29)
        style.paragraph_format.space_after = style.paragraph_format.space_before = Pt(0)

    def line(
        self, text: str, font: str = BODY, size: float = 16, *, align: str = "left", indent: float = 0,
        color: str | None = None, right: float = 0, spacing: float | None = None, rule: bool = False,
        new_page: bool = False, together: bool = False,
    ) -> Any:  # fmt: skip
        """A paragraph. `indent` (of its first line) and `right` are in characters of its own size; `together`: on one
        page with the next."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        paragraph = self.document.add_paragraph()
        paragraph.alignment = getattr(WD_ALIGN_PARAGRAPH, align.upper())
        paragraph.paragraph_format.first_line_indent = Pt(indent * size)
        paragraph.paragraph_format.right_indent = Pt(right * size)
        paragraph.paragraph_format.page_break_before = new_page
        paragraph.paragraph_format.keep_with_next = together
        if spacing:
            paragraph.paragraph_format.line_spacing = Pt(spacing)
        if rule:
            self._rule(paragraph)
        self.run(paragraph, text, font, size, color)
        return paragraph

    def run(self, paragraph: Any, text: str, font: str, size: float, color: str | None = None) -> None:
        from docx.oxml.ns import qn
        from docx.shared import Pt, RGBColor

        run = paragraph.add_run(text)
        run.font.name, run.font.size = font, Pt(size)
        # Chinese characters have a font of their own in this format.
        run._element.rPr.rFonts.set(qn("w:eastAsia"), font)
        if color:
            run.font.color.rgb = RGBColor.from_string(color)

    def _rule(self, paragraph: Any) -> None:
        """The red line under the number."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        borders, bottom = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
        for name, value in (("val", "single"), ("sz", "12"), ("space", "6"), ("color", RED)):
            bottom.set(qn(f"w:{name}"), value)
        borders.append(bottom)
        paragraph._p.get_or_add_pPr().append(borders)

    def table(self, headings: list[tuple[str, float]], each: str, cells: list[str]) -> None:
        """A table with a row for each of a list; widths in millimetres."""
        from docx.shared import Mm

        table = self.document.add_table(rows=4, cols=len(headings), style="Table Grid")
        table.autofit = False
        for index, (heading, width) in enumerate(headings):
            table.columns[index].width = Mm(width)
            for row in table.rows:
                row.cells[index].width = Mm(width)
            self.cell(table.rows[0].cells[index], heading, HEAVY)
            self.cell(table.rows[2].cells[index], cells[index], BODY)
        self.cell(table.rows[1].cells[0], f"{{%tr for each in {each} %}}", BODY)
        self.cell(table.rows[3].cells[0], "{%tr endfor %}", BODY)
        self._repeat(table.rows[0])

    def facts(self, rows: list[tuple[str, str]]) -> None:
        """Names and values, two of each in a row."""
        from docx.shared import Mm

        table = self.document.add_table(rows=(len(rows) + 1) // 2, cols=4, style="Table Grid")
        table.autofit = False
        for place, (name, value) in enumerate(rows):
            row, column = table.rows[place // 2], place % 2 * 2
            for index, width in ((column, Mm(26)), (column + 1, Mm(52))):
                row.cells[index].width = table.columns[index].width = width
            self.cell(row.cells[column], name, HEAVY)
            self.cell(row.cells[column + 1], value, BODY)

    def cell(self, cell: Any, text: str, font: str) -> None:
        from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Mm, Pt

        paragraph = cell.paragraphs[0]
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
        if cell.width is None or cell.width < Mm(55):
            # Wide columns hold sentences.
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.line_spacing = Pt(18)
        self.run(paragraph, text, font, 12)

    def _repeat(self, row: Any) -> None:
        """On every page that the table goes over."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        repeated = OxmlElement("w:tblHeader")
        repeated.set(qn("w:val"), "true")
        row._tr.get_or_add_trPr().append(repeated)

    def bytes(self) -> bytes:
        made = io.BytesIO()
        self.document.save(made)
        return made.getvalue()


def notice() -> bytes:
    """A notice as an official letter."""
    sheet = Sheet()
    sheet.line("{%p if mark %}")
    sheet.line("【{{ mark }}】{{ mark_reason }}", HEAVY, 16, align="center", color=RED)
    sheet.line("{%p endif %}")
    sheet.line("{{ organ }}", TITLES, 34, align="center", color=RED, spacing=60)
    sheet.line("")
    sheet.line("{{ number }}", align="center", rule=True)
    sheet.line("")
    sheet.line("{{ title }}", TITLES, 22, align="center", spacing=34)
    sheet.line("")
    sheet.line("{{ to }}：")
    sheet.line("{%p for words in paragraphs %}")
    sheet.line("{{ words }}", indent=2, align="justify")
    sheet.line("{%p endfor %}")
    sheet.line("")
    sheet.line("附件：{{ enclosure }}", indent=2, together=True)
    sheet.line("", together=True)
    sheet.line("{{ signer }}", align="right", right=3, together=True)
    sheet.line("（印　章）", KAI, 12, align="right", right=7, color="999999", together=True)
    sheet.line("{% if date %}{{ date }}{% else %}　　年　月　日{% endif %}", align="right", right=4)
    sheet.line("{%p if copies %}")
    sheet.line("抄送：{{ copies }}。", BODY, 14)
    sheet.line("{%p endif %}")
    sheet.line("附件", HEAVY, new_page=True)
    sheet.line("问题清单", TITLES, 22, align="center", spacing=34)
    sheet.table(
        [("序号", 13), ("问题编号", 30), ("存在问题", 67), ("整改时限", 27), ("责任人", 19)], "entries",
        ["{{ each.position }}", "{{ each.number }}", "{{ each.problem }}", "{{ each.deadline }}", "{{ each.person }}"],
    )  # fmt: skip
    sheet.line("")
    sheet.line("签收回执", HEAVY, 14, align="center")
    sheet.facts(
        [
            ("文号", "{{ number }}"), ("签收时限", "{{ receipt_due }}"),
            ("签收人", "{{ receipt_signed_by }}"), ("签收时间", "{{ receipt_at }}"),
        ]
    )  # fmt: skip
    return sheet.bytes()


def record() -> bytes:
    """An item's full record."""
    sheet = Sheet()
    sheet.line("{{ title }}", TITLES, 22, align="center", spacing=34)
    sheet.line("{{ legend }}", KAI, 12, align="center")
    sheet.line("一、基本情况", HEAVY)
    sheet.table([("项目", 30), ("内容", 126)], "facts", ["{{ each.name }}", "{{ each.value }}"])
    sheet.line("二、整改期限的由来", HEAVY)
    sheet.line("{%p for words in deadline %}")
    sheet.line("{{ words }}", BODY, 14, indent=2)
    sheet.line("{%p endfor %}")
    sheet.line("三、办理过程", HEAVY)
    sheet.table(
        [("序号", 13), ("时间", 32), ("事项", 26), ("办理人", 24), ("内容", 61)], "events",
        ["{{ each.position }}", "{{ each.at }}", "{{ each.what }}", "{{ each.who }}", "{{ each.text }}"],
    )  # fmt: skip
    sheet.line("四、督办文书", HEAVY)
    sheet.line("{%p if not notices %}")
    sheet.line("无。", BODY, 14, indent=2)
    sheet.line("{%p endif %}")
    sheet.line("{%p for words in notices %}")
    sheet.line("{{ words }}", BODY, 14, indent=2)
    sheet.line("{%p endfor %}")
    sheet.line("五、纪实日志凭证", HEAVY)
    sheet.line("{%p for words in proof %}")
    sheet.line("{{ words }}", BODY, 12, indent=2, spacing=18)
    sheet.line("{%p endfor %}")
    sheet.line("{%p for line in checkpoint %}")
    sheet.line("{{ line }}", "Courier New", 9, spacing=12)
    sheet.line("{%p endfor %}")
    return sheet.bytes()


BUILT_IN = {"notice": notice, "record": record}


# -- filling in


def filled(template: bytes, content: dict[str, Any]) -> bytes:
    """A template with its words. Raises Fault."""
    from docx.opc.exceptions import PackageNotFoundError
    from docxtpl import DocxTemplate
    from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from lxml.etree import LxmlError

    try:
        with zipfile.ZipFile(io.BytesIO(template)) as parts:
            if sum(part.file_size for part in parts.infolist()) > LARGEST_TEMPLATE:
                raise Fault("unreadable")
        document = DocxTemplate(io.BytesIO(template))
        environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
        document.render(content, environment, autoescape=True)
        made = io.BytesIO()
        document.save(made)
    except (zipfile.BadZipFile, PackageNotFoundError, LxmlError, KeyError, ValueError):
        raise Fault("unreadable") from None
    except TemplateSyntaxError as error:
        raise Fault("syntax", error.lineno) from None
    except UndefinedError:
        raise Fault("unknown_name") from None
    except (TemplateError, SecurityError, TypeError, AttributeError, ArithmeticError, OverflowError):
        raise Fault("failed") from None
    return made.getvalue()


def _bound_itself() -> None:
    for what, bound in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (bound, bound))


def main() -> bytes:
    asked = json.load(sys.stdin.buffer)
    if asked["template"] is None:
        template = BUILT_IN[asked["form"]]()
    else:
        with open(asked["template"], "rb") as file:  # noqa: PTH123  (nothing else here needs a path)
            template = file.read()
    return template if asked["content"] is None else filled(template, asked["content"])


if __name__ == "__main__":
    _bound_itself()
    try:
        sys.stdout.buffer.write(main())
    except Fault as fault:
        print(json.dumps({"kind": fault.kind, "line": fault.line}), file=sys.stderr)
        sys.exit(FAULTS["template"])
    except OSError:
        print(json.dumps({"kind": "unreadable", "line": None}), file=sys.stderr)
        sys.exit(FAULTS["template"])
    except MemoryError:
        sys.exit(FAULTS["overrun"])
