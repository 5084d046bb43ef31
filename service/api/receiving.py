"""Files that are too large to be held: the body of an upload goes to the disk as it comes, form or not."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.api.deps import Asked
from service.api.problems import escape
from service.errors import Refused, invalid
from service.outside.staging import Staged
from service.workflow.media import KINDS

FORM, BYTES = "multipart/form-data", "application/octet-stream"
FIELD = "file"

AROUND = 65_536
"""Bytes that a form may have beside its file."""


def check_media(request: Asked) -> bool:
    """Whether a form was sent; refuses `unsupported_media_type` where neither that nor a file was.

    A file may come under its own type, which is not believed.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != FORM and media != BYTES and media not in KINDS:
        raise Refused("unsupported_media_type", "upload")
    return media == FORM


async def receive(request: Asked, staged: Staged, limit: int) -> str | None:
    """The body's file is in `staged`, finished; what the form calls it, if it is one that does.

    Refuses `payload_too_large`, and `invalid_request` for a form that has anything but one file, or an empty file.
    """
    form = _Form(request.headers["content-type"]) if check_media(request) else None
    most = limit + (AROUND if form else 0)
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said) > most:
        raise Refused("payload_too_large", facts={"limit": limit})
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > most:
            raise Refused("payload_too_large", facts={"limit": limit})
        for piece in form.parse(chunk) if form else (chunk,):
            await staged.write(piece)
    if form:
        form.end()
    if staged.size == 0:
        raise invalid((f"/{FIELD}" if form else "", "too_short"))
    await staged.finish()
    return form.file_name if form else None


class _Form:
    """A form with one file, read as it comes. Whatever else stands in it is refused where it begins."""

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        self.file_name: str | None = None
        self._found = self._whole = False
        self._name, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_end": self._on_end,
                },
            )
        except FormParserError:
            raise invalid(("", "bad_format")) from None
        if not options.get(b"boundary"):
            raise invalid(("", "bad_format"))

    def parse(self, chunk: bytes) -> list[bytes]:
        """What of the file is in the next piece of the body."""
        self._pieces = []
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise invalid(("", "bad_format")) from None
        return self._pieces

    def end(self) -> None:
        if not self._whole:
            raise invalid(("", "bad_format"))
        if not self._found:
            raise invalid((f"/{FIELD}", "missing"))

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        field = _text(options.get(b"name", b""))
        if field != FIELD:
            raise invalid((f"/{escape(field)}", "unknown_field"))
        if b"filename" not in options:
            raise invalid((f"/{FIELD}", "wrong_type"))
        if self._found:
            raise invalid((f"/{FIELD}", "repeated"))
        self._found = True
        self.file_name = _text(options[b"filename"])

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def _on_end(self) -> None:
        self._whole = True


def _text(value: bytes) -> str:
    """Browsers send UTF-8, old programs what Chinese Windows speaks."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("gb18030", "replace")
