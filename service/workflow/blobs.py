"""The bytes of attachments: a tenant keeps the same bytes once, whichever attachments show them.

A blob has an id of its own beside its digest, and its bytes lie under both. An id that died never lives again: the same
bytes that come later get another, so whoever still deletes the old ones cannot hit the new.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

CLAIMED = timedelta(hours=24)
"""For so long an upload may take from its claim to its record."""

MOURNED = timedelta(hours=24)
"""For so long the row of a dead blob stays, and its bytes are deleted again: longer than any upload runs that claimed
it while it lived and puts the bytes down late."""


@dataclass(frozen=True, slots=True)
class Blob:
    """`stored` once an upload has seen its bytes durable; `revision` counts claims and records."""

    id: UUID
    sha256: str
    size: int
    stored: bool
    revision: int


def key_of(tenant_id: UUID, sha256: str, blob_id: UUID) -> str:
    """Where the bytes lie below the store's root: the same in a directory and in a bucket."""
    return f"{tenant_id}/{sha256[:2]}/{sha256[2:4]}/{sha256}.{blob_id.hex}"
