"""A program: what a document says as JSON on standard input, the PDF on standard output.

It runs in a process of its own, see letters.py, and imports nothing of the service. The text goes into the compiler as
an input of the document, never as a part of its source: no title, however written, is markup.
"""

import json
import re
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY = 2 * 1024**3
"""Bytes of address space; fonts are mapped into it whole."""

SECONDS = 30
"""Of processor time."""

FAULTS = {"no_font": 3, "template": 4, "overrun": 5}
"""Exit statuses, of this program and of letter_docx.py."""

TEMPLATES = Path(__file__).with_name("templates")

ROLES = {
    "title": ("FZXiaoBiaoSong-B05S", "FZXiaoBiaoSong-B05", "方正小标宋简体", "方正小标宋_GBK", "STZhongsong",
              "华文中宋", "Noto Serif CJK SC", "Source Han Serif SC", "Noto Serif SC"),
    "body": ("FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", "STFangsong", "华文仿宋", "FZFangSong-Z02S",
             "Noto Serif CJK SC", "Source Han Serif SC", "Noto Serif SC"),
    "heavy": ("SimHei", "黑体", "STHeiti", "华文黑体", "Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC",
              "WenQuanYi Zen Hei", "WenQuanYi Micro Hei"),
    "kai": ("KaiTi_GB2312", "楷体_GB2312", "KaiTi", "楷体", "STKaiti", "华文楷体", "Noto Serif CJK SC",
            "Source Han Serif SC", "Noto Serif SC"),
    "song": ("SimSun", "宋体", "NSimSun", "STSong", "华文宋体", "Noto Serif CJK SC", "Source Han Serif SC",
             "Noto Serif SC"),
}  # fmt: skip
"""Fonts by what they set, first what the standard asks for, then what is free. Where there is none, any that has the
characters."""

PROBE = "#set page(width: auto, height: auto)\n国仿".encode()
GLYPH = re.compile(rb'xlink:href="#(g[0-9A-F]+)"')


def found_fonts(directory: str | None) -> Any:
    import typst

    return typst.Fonts(font_paths=[directory] if directory else [])


def has_chinese(fonts: Any) -> bool:
    """Whether two characters come out as two: without a font both are the same empty box."""
    import typst

    return len(set(GLYPH.findall(_one(typst.Compiler(PROBE, font_paths=fonts).compile(format="svg"))))) > 1


def pdf(form: str, content: dict[str, Any], fonts: Any) -> bytes:
    """The document of a form, by its template beside this file."""
    import typst

    known = set(fonts.families())
    roles = {role: [name for name in names if name in known] for role, names in ROLES.items()}
    compiler = typst.Compiler(
        str(TEMPLATES / f"{form}.typ"), root=str(TEMPLATES), font_paths=fonts,
        sys_inputs={"content": json.dumps(content, ensure_ascii=False), "fonts": json.dumps(roles)},
    )  # fmt: skip
    return _one(compiler.compile(format="pdf"))


def _one(made: bytes | list[bytes] | None) -> bytes:
    """The library gives a list where each page is a file of its own."""
    return b"".join(made) if isinstance(made, list) else made or b""


def _bound_itself() -> None:
    for what, bound in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (bound, bound))


def main() -> None:
    asked = json.load(sys.stdin.buffer)
    fonts = found_fonts(asked["fonts"])
    if not has_chinese(fonts):
        sys.exit(FAULTS["no_font"])
    if asked["form"] is not None:
        sys.stdout.buffer.write(pdf(asked["form"], asked["content"], fonts))


if __name__ == "__main__":
    _bound_itself()
    try:
        main()
    except MemoryError:
        sys.exit(FAULTS["overrun"])
