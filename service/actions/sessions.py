"""Sessions of people who sign in with a key on the console: a sealed note that the browser keeps and cannot read.

It holds the key's digest and no key: whoever opens one, with the keys file in hand, still has nothing to call with.
What somebody may do is looked up at every request, as for every call, so a revoked key ends its sessions at once.
"""

import base64
import binascii
import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from service.actions.doorkeeper import Doorkeeper, hash_key
from service.actions.service import Service
from service.errors import Refused
from service.outside.keys_file import KeysUnusable
from service.workflow.access import Caller

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
RENEWED_AFTER = timedelta(minutes=5)
"""A note says when it was last used, as exactly as this."""

MAX_NOTE = 1_000
_NOWHERE, _TABLE = UUID(int=0), "console"
"""What the seal is bound to: a session belongs to no row, and to a tenant only by its key."""


@dataclass(frozen=True, slots=True)
class Session:
    """`token` is what forms of this session carry, so that no other page can send them (CSRF)."""

    digest: bytes
    token: str
    began: datetime
    used: datetime

    def lives(self, now: datetime) -> bool:
        return now - self.used < IDLE and now - self.began < LONGEST


async def begin(doorkeeper: Doorkeeper, key: str, *, now: datetime, clock: float) -> tuple[Session, Caller]:
    """Sign in with a key. Refuses `unauthenticated`; tokens of identity providers, too, which end within the hour."""
    caller = await doorkeeper.admit(key, now=now, clock=clock)
    if caller.key_id is None:
        raise Refused("unauthenticated")
    return Session(hash_key(key), os.urandom(18).hex(), now, now), caller


def sealed(service: Service, session: Session) -> str:
    """The session as a note for a cookie."""
    content = json.dumps(
        [session.digest.hex(), session.token, session.began.timestamp(), session.used.timestamp()],
        separators=(",", ":"),
    )
    note = service.vault.encrypt(content, tenant_id=_NOWHERE, table=_TABLE, row=_NOWHERE)
    return base64.urlsafe_b64encode(note).decode().rstrip("=")


def opened(service: Service, note: str, now: datetime) -> Session | None:
    """The session in a note; None where it is none of ours, or over."""
    if not 0 < len(note) <= MAX_NOTE:
        return None
    try:
        padded = (note + "=" * (-len(note) % 4)).encode("ascii")
        content = service.vault.decrypt(
            base64.b64decode(padded, altchars=b"-_", validate=True), tenant_id=_NOWHERE, table=_TABLE, row=_NOWHERE
        )
        digest, token, began, used = json.loads(content)
    except (binascii.Error, UnicodeError, KeysUnusable, ValueError):
        return None
    session = Session(
        bytes.fromhex(digest), token, datetime.fromtimestamp(began, UTC), datetime.fromtimestamp(used, UTC)
    )  # fmt: skip
    return session if session.lives(now) else None


def renewed(session: Session, now: datetime) -> Session | None:
    """The session as of now, where its note is to be written anew; None while the old one will do."""
    return replace(session, used=now) if now - session.used >= RENEWED_AFTER else None
