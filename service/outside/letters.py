"""Documents set in type: PDF by typst (letter_pdf.py), .docx from a template (letter_docx.py).

Both run in processes of their own with bounded memory and time: what goes in was written by anybody, and a template may
be an office's own. What is said goes in as data and is nowhere read as markup.
"""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from service.outside.letter_pdf import FAULTS

HERE = Path(__file__).parent
PROGRAMS = {"pdf": HERE / "letter_pdf.py", "docx": HERE / "letter_docx.py"}
SECONDS = 60
LARGEST = 64 * 1024 * 1024
"""Bytes of a document; a record of a thousand events has a fiftieth of it."""

RECORD = "record"
"""The kind of an item's full record; the other kinds are those of notices."""


class Format(StrEnum):
    PDF = "pdf"
    DOCX = "docx"


class NoFont(Exception):
    """There is no font with Chinese characters: a document would come out blank."""


class Overrun(Exception):
    """The document takes more time or memory than one may."""


class TemplateFault(Exception):
    """An office's template cannot be used: `kind` is unreadable, syntax, unknown_name or failed."""

    def __init__(self, name: str, kind: str, line: int | None) -> None:
        super().__init__(name, kind, line)
        self.name, self.kind, self.line = name, kind, line


@dataclass(frozen=True, slots=True)
class Letters:
    """How this installation prints. `fonts` and `templates` are directories of the office's own, if it has any."""

    fonts: Path | None = None
    templates: Path | None = None

    def template_of(self, kind: str) -> Path | None:
        """The office's own template of a kind, or its one for all notices; None: the built-in one."""
        if self.templates is None:
            return None
        names = [kind] if kind == RECORD else [kind, "notice"]
        return next((path for name in names if (path := self.templates / f"{name}.docx").is_file()), None)

    async def render(self, kind: str, format: Format, content: dict[str, Any]) -> bytes:
        """The finished document. Raises NoFont, TemplateFault, Overrun."""
        own = self.template_of(kind) if format == Format.DOCX else None
        asked = {
            "form": RECORD if kind == RECORD else "notice",
            "fonts": str(self.fonts) if self.fonts else None,
            "template": str(own) if own else None,
            "content": content,
        }
        return await self._run(format, asked, own)

    async def example(self, form: str) -> bytes:
        """A built-in .docx template as it stands, for an office to begin its own with."""
        return await self._run(Format.DOCX, {"form": form, "template": None, "content": None}, None)

    def can_print(self) -> bool:
        """Whether there is a font for Chinese. Takes its time."""
        asked = {"form": None, "fonts": str(self.fonts) if self.fonts else None}
        done = subprocess.run(
            _command(Format.PDF), input=json.dumps(asked).encode(), env=_environment(), capture_output=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
        return done.returncode == 0

    async def _run(self, format: Format, asked: dict[str, Any], own: Path | None) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *_command(format), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env=_environment(),
        )  # fmt: skip
        try:
            async with asyncio.timeout(SECONDS):
                made, said = await process.communicate(json.dumps(asked).encode())
        except TimeoutError:
            raise Overrun from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return _judged(process.returncode, made, said, own)


def _command(format: Format) -> list[str]:
    return [sys.executable, "-I", str(PROGRAMS[format])]


def _environment() -> dict[str, str]:
    """The secrets in the environment are not for a program that works on what strangers wrote."""
    known = ("PATH", "LD_LIBRARY_PATH", "HOME", "XDG_DATA_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH")
    return {name: os.environ[name] for name in known if name in os.environ}


def _judged(status: int | None, made: bytes, said: bytes, own: Path | None) -> bytes:
    if status == 0:
        return made
    if status == FAULTS["no_font"]:
        raise NoFont
    if status == FAULTS["template"] and own is not None:
        fault = json.loads(said.splitlines()[-1])
        raise TemplateFault(own.name, fault["kind"], fault["line"])
    if status is None or status < 0 or status == FAULTS["overrun"]:
        # Ended by the system: over its bound of memory or processor time.
        raise Overrun
    raise RuntimeError(f"a document was not made: {said[-1000:].decode(errors='replace')}")
