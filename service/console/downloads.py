"""Serving the console's own files."""

from fastapi import Response

from service.console import assets
from service.console.routing import Desk, Public
from service.console.visits import Guest
from service.errors import Refused

FOR_EVER = "public, max-age=31536000, immutable"

router = Desk(Public)


@router.get("/console/static/{version}/{name}")
async def static(guest: Guest, version: str, name: str) -> Response:
    file = assets.files().get(name)
    if file is None:
        raise Refused("not_found")
    # A page of another release may still ask for its own files here: it gets these, and must ask again the next time.
    headers = {"etag": file.etag, "cache-control": FOR_EVER if version == assets.digest() else "no-cache"}
    known = guest.headers.get("if-none-match", "")
    if file.etag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
