"""The console's own files, under an address that their content names: kept by browsers for ever, never out of date."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    media_type: str
    etag: str


@cache
def files() -> dict[str, File]:
    """Every file by its name. Read once: what is installed does not change under a running service."""
    folder = resources.files("service.console") / "static"
    found = {}
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        media_type = TYPES.get(each.name.rpartition(".")[2])
        if media_type is not None:
            content = each.read_bytes()
            found[each.name] = File(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    return found


@cache
def digest() -> str:
    """One for all of them: modules that load each other by their names then load what belongs together."""
    whole = "".join(f"{name} {file.etag}\n" for name, file in files().items())
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
