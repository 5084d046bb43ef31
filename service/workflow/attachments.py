"""Attachments: evidence that was uploaded, hangs on one thing, and is seen by whoever sees that thing's item.

Until it hangs somewhere only its uploader sees it, for a day. It hangs on exactly one thing, for ever.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote
from uuid import UUID

from service.workflow.media import KINDS

LOOSE = timedelta(hours=24)
"""For so long an attachment may hang nowhere; then it goes."""

MAX_EACH = 20
"""So many attachments hang on one thing at most."""

NAME_BYTES = 255
"""What file systems take, in UTF-8."""


class HangsOn(StrEnum):
    """What an attachment may hang on."""

    PROGRESS = "progress"
    REQUEST = "request"
    """A closure that was asked for."""
    REVIEW = "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """`sha256` is of its bytes, in lower-case hex, and stays when they are erased: `blob_id` is None from then on.

    `hangs_on_id` is the progress entry or request; a review has no id. `cycle` is the item's when it was hung there.
    """

    id: UUID
    blob_id: UUID | None
    sha256: str
    size: int
    media_type: str
    name: str | None
    uploaded_by: UUID
    uploaded_at: datetime
    item_id: UUID | None = None
    hangs_on: str | None = None
    hangs_on_id: UUID | None = None
    cycle: int | None = None
    attached_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When it goes, unless it hangs somewhere by then."""
        return self.uploaded_at + LOOSE if self.item_id is None else None

    def is_loose_for(self, principal_id: UUID, now: datetime) -> bool:
        """Whether this person may still hang it somewhere: nobody else sees it meanwhile."""
        expires_at = self.expires_at
        return expires_at is not None and now < expires_at and self.uploaded_by == principal_id


def in_event(hung: Iterable[Attachment]) -> dict[str, Any]:
    """What an event says of what hangs on the thing that it tells of: nothing where nothing does.

    The digest is sealed as it is. A name may be a person's: it is sealed as a text of its own, so that the name of one
    can be destroyed and those of the others stay.
    """
    hung = list(hung)
    if not hung:
        return {}
    return {
        "attachments": [
            {"id": str(each.id), "sha256": each.sha256, "size": each.size, "media_type": each.media_type}
            for each in hung
        ],
        NAMES: {str(each.id): each.name for each in hung if each.name is not None},
    }


NAMES = "attachment_names"
"""The field of an event's data that holds the names, by the attachments' ids."""


def name_path(attachment_id: UUID) -> str:
    """Where the name of an attachment lies beside an event."""
    return f"{NAMES}/{attachment_id}"


# -- names

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control characters, marks that turn the direction of what follows, and what is no character at all."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
"""Names that Windows takes for devices, whatever stands behind the dot."""


def clean_name(given: str | None) -> str | None:
    """A file's name as it can be kept: its last part, on one line, of what can be seen, 255 bytes at most.

    Cleaned instead of refused: phones and browsers make up names that nobody typed. None where nothing is left.
    """
    if given is None:
        return None
    last = re.split(r"[/\\]", given)[-1]
    seen = "".join(each for each in unicodedata.normalize("NFC", last) if unicodedata.category(each) not in _INVISIBLE)
    kept = re.sub(r'[<>:"|?*]', "_", " ".join(seen.split())).strip(" .")
    if _RESERVED.match(kept):
        kept = f"_{kept}"
    return _shortened(kept, NAME_BYTES) or None


def file_name(name: str | None, media_type: str, sha256: str) -> str:
    """The name under which the bytes are handed out: its extension says what they are.

    Else a picture called `report.bat`, which also is a script, would be run by whoever opens what was downloaded.
    """
    extensions = KINDS[media_type].extensions
    stem = name or f"attachment-{sha256[:8]}"
    if _extension(stem).casefold() in extensions:
        return stem
    return f"{_shortened(stem, NAME_BYTES - 1 - len(extensions[0]), whole=True)}.{extensions[0]}"


def disposition(found: Attachment) -> str:
    """To be saved, never shown, under a name of which nothing can be taken for another part of the head."""
    name = file_name(found.name, found.media_type, found.sha256)
    plain = f"attachment.{KINDS[found.media_type].extensions[0]}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _extension(name: str) -> str:
    return name.rpartition(".")[2] if "." in name.strip(".") else ""


def _shortened(name: str, most: int, *, whole: bool = False) -> str:
    """At most so many bytes, whole characters, with the extension where it is a short one and `whole` does not ask."""
    if len(name.encode()) <= most:
        return name
    extension = _extension(name)
    tail = f".{extension}" if not whole and 1 <= len(extension) <= 10 and extension.isascii() else ""
    stem = name.removesuffix(tail) if tail else name
    return stem.encode()[: most - len(tail)].decode(errors="ignore").rstrip(" .") + tail
