"""Files that are sent as a form."""

from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from service.api.deps import Asked
from service.api.problems import escape
from service.errors import Refused, invalid

MEDIA = "multipart/form-data"


async def uploaded(request: Asked, name: str) -> bytes:
    """The one file of a form. Refuses `unsupported_media_type`, `payload_too_large`, `invalid_request`."""
    return (await uploaded_file(request, name))[1]


async def uploaded_file(request: Asked, name: str) -> tuple[str, bytes]:
    """The same with what the file is called, without the folders before it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA:
        raise Refused("unsupported_media_type")
    # Whole and bounded first: the parser would go on reading whatever comes.
    await request.body()
    try:
        form = await request.form(max_files=2, max_fields=20)
    except HTTPException:
        raise invalid(("", "bad_format")) from None
    given = form.multi_items()
    wrong = [(f"/{escape(key)}", "unknown_field") for key, _ in given if key != name]
    if wrong:
        raise invalid(*dict.fromkeys(wrong))
    if not given:
        raise invalid((f"/{name}", "missing"))
    if len(given) > 1:
        raise invalid((f"/{name}", "repeated"))
    file = given[0][1]
    if not isinstance(file, UploadFile):
        raise invalid((f"/{name}", "wrong_type"))
    content = await file.read()
    if not content:
        raise invalid((f"/{name}", "too_short"))
    return _called(file.filename or ""), content


def _called(filename: str) -> str:
    base = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in base if sign.isprintable())[-200:]


def upload_body(name: str, description: str, examples: dict[str, Any]) -> dict[str, Any]:
    """How a form with one file stands in the OpenAPI document."""
    file = {"type": "string", "format": "binary", "minLength": 1, "maxLength": 1_073_741_824}
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": [name],
        "properties": {name: {**file, "description": description}},
    }
    return {"required": True, "content": {MEDIA: {"schema": schema, "examples": examples}}}
