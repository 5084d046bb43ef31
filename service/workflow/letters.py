"""Mail: the same message as a letter in plain text. Whoever it is to be told to stands in the envelope only.

No header holds what a user wrote. The Message-ID is the event's and the channel's: the same at every attempt and
replay, so that a mailbox that has it keeps one.
"""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import blake2b
from uuid import UUID

from service.workflow.messages import Document
from service.workflow.robots import bare


def letter(document: Document, *, sender: str, event_id: str, channel_id: UUID, now: datetime) -> bytes:
    """`sender` is a bare address, whose domain the Message-ID has. `now` has a time zone."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    # Addresses are nobody's business but the server's: a channel's people need not know each other.
    mail["To"] = "undisclosed-recipients:;"
    mail["Subject"] = bare(document.title)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{event_id}.{channel_id.hex}@{sender.rpartition('@')[2]}>"
    # RFC 3834: nobody's absence notice is to answer it.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text(document), charset="utf-8", cte="base64")
    return mail.as_bytes()


def text(document: Document) -> str:
    colon = document.words.colon
    lines = [bare(document.title), ""]
    lines += [f"{name}{colon}{bare(value)}" if name else bare(value) for name, value in document.facts]
    for number, entry in enumerate(document.entries, 1):
        lines += ["", f"{number}. {bare(entry.head)}"]
        lines += [f"   {name}{colon}{bare(value)}" for name, value in entry.facts]
        lines += [f"   {entry.link}"] if entry.link else []
    lines += ["", document.rest] if document.rest else []
    return "\n".join(lines) + "\n"


def mark(channel_id: UUID, address: str) -> str:
    """What stands for an address in an attempt, where addresses lie open."""
    return blake2b(channel_id.bytes + address.lower().encode(), digest_size=8).hexdigest()
