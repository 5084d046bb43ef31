"""A webhook's deliveries: what is sent and how it is signed, what an answer means, and when it is sent again.

Headers, signatures and secrets are those of Standard Webhooks; CloudEvents 1.0 go in structured mode. `now` is the
moment of the attempt, and chance comes as a number or as bytes.
"""

import base64
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from service.errors import invalid
from service.workflow.sealing import canonical

WAITS = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5),
    timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24),
)  # fmt: skip
"""How long to wait after the first failed attempt, the second, and so on; after the tenth nothing is sent any more."""

JITTER = 0.1
"""A wait is longer or shorter by this share at most, so that what failed together does not come again together."""

LONGEST_ASKED = timedelta(hours=24)
"""An endpoint may ask to be left alone so long."""

MAX_ANSWER = 1024
"""Bytes of an answer that are read and kept."""

MAX_TYPES = 50
MAX_TYPE_LENGTH = 64

SECRET_PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)

CLOUDEVENT_TYPES = "cn.xiaohao."
"""What stands before an event's type in a CloudEvent."""

PING = "webhook.ping"
"""The type of a test event, which stands in no log."""

GLOB = r"(\*|[a-z][a-z0-9_]*)(\.(\*|[a-z][a-z0-9_]*))*"
"""Words between dots, any of them a `*`."""

_GLOB = re.compile(GLOB)


class Format(StrEnum):
    STANDARD = "standard"
    CLOUDEVENTS = "cloudevents"


class Failure(StrEnum):
    """Why no answer came, or not the whole of it."""

    FORBIDDEN_ADDRESS = "forbidden_address"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    PROTOCOL = "protocol"
    """What came is no HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back from one attempt, after `latency_ms` milliseconds.

    Status and the beginning of the answer may be there beside a failure: the endpoint broke off in the middle.
    """

    status: int | None
    failure: str | None
    latency_ms: int
    answer: str = ""
    retry_after: str | None = None
    """The header as it came."""
    left: tuple[str, ...] = ()
    """Of a mail: marks of the addresses that are to be tried again, where others have it."""


class Fate(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD = "dead"
    GONE = "gone"
    """The endpoint says that it will take nothing any more: it is disabled."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery; `at` is when it is sent again, if it is.

    `rest` is how long a channel is left alone that was too fast for its robot: of no delivery's making, no failure.
    """

    fate: str
    at: datetime | None = None
    rest: timedelta | None = None


def judge(outcome: Outcome, attempt: int, now: datetime, chance: float) -> Verdict:
    """The verdict on the `attempt`-th attempt, the first being 1; `chance` lies in [0, 1).

    An answer that breaks off counts as none, whatever its status: sending twice does no harm, and a status alone may
    come from something that stands before the endpoint. A redirect is followed by nobody and so is a failure.
    """
    if outcome.failure is None and outcome.status is not None:
        if 200 <= outcome.status < 300:
            return Verdict(Fate.DELIVERED)
        if outcome.status == 410:
            return Verdict(Fate.GONE)
    scheduled = wait_after(attempt, chance)
    if scheduled is None:
        return Verdict(Fate.DEAD)
    return Verdict(Fate.RETRY, now + max(scheduled, asked_wait(outcome.retry_after, now)))


def wait_after(attempt: int, chance: float) -> timedelta | None:
    """How long to wait after the `attempt`-th failed attempt; None after the last."""
    if attempt > len(WAITS):
        return None
    return WAITS[attempt - 1] * (1 - JITTER + 2 * JITTER * chance)


def asked_wait(retry_after: str | None, now: datetime) -> timedelta:
    """How long a Retry-After asks to wait (RFC 9110, 10.2.3), at most a day; nothing where it cannot be read."""
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        # A day has five digits of seconds, and what has very many is read by nobody.
        return min(timedelta(seconds=int(value)), LONGEST_ASKED) if len(value) < 10 else LONGEST_ASKED
    try:
        until = parsedate_to_datetime(value)
        asked = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return timedelta()
    return min(max(asked, timedelta()), LONGEST_ASKED)


# -- which events an endpoint wants


def check_types(types: Sequence[str]) -> None:
    """Refuse (`invalid_request`, below /types) what names no event types: `item.created`, `item.*`, `*`."""
    if not types:
        raise invalid(("/types", "too_short"))
    if len(types) > MAX_TYPES:
        raise invalid(("/types", "too_long"))
    wrong = [
        (f"/types/{index}", "too_long" if len(each) > MAX_TYPE_LENGTH else "bad_format")
        for index, each in enumerate(types)
        if len(each) > MAX_TYPE_LENGTH or not _GLOB.fullmatch(each)
    ]
    if wrong:
        raise invalid(*wrong)


@lru_cache(maxsize=1024)
def wanted(types: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether an event's type is among `types`; `*` stands for one or more words between dots."""
    globs = re.compile("|".join(re.escape(each).replace(r"\*", ".+") for each in types))
    return lambda event_type: globs.fullmatch(event_type) is not None


# -- what is sent


@dataclass(frozen=True, slots=True)
class Message:
    """One request: its headers but for those of the connection, and its body."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


def message(
    event: dict[str, Any], secrets: Sequence[str], now: datetime, *, format: str, source: str, replay: bool = False
) -> Message:
    """An event, as the feed shows it, made ready for one attempt and signed with every secret, the newest first.

    `source` names the log that the event stands in, as a CloudEvent's source: a URI reference.
    """
    if format == Format.CLOUDEVENTS:
        content, body = "application/cloudevents+json; charset=utf-8", cloudevent(event, source)
    else:
        content, body = "application/json; charset=utf-8", standard(event)
    moment = int(now.timestamp())
    headers = [
        ("content-type", content),
        ("webhook-id", event["id"]),
        ("webhook-timestamp", str(moment)),
        ("webhook-signature", " ".join(sign(secret, event["id"], moment, body) for secret in secrets)),
    ]
    if replay:
        headers.append(("webhook-replay", "true"))
    return Message(tuple(headers), body)


def standard(event: dict[str, Any]) -> bytes:
    """The body of Standard Webhooks. Its timestamp is when it happened; the header's is when it is sent."""
    return canonical({"type": event["type"], "timestamp": event["at"], "data": event})


def cloudevent(event: dict[str, Any], source: str) -> bytes:
    """The event as a CloudEvent in structured mode (CloudEvents 1.0, JSON format)."""
    attributes = {
        "specversion": "1.0",
        "id": event["id"],
        "source": source,
        "type": CLOUDEVENT_TYPES + event["type"],
        "time": event["at"],
        "datacontenttype": "application/json",
        "data": event,
    }
    if event.get("item_id") is not None:
        attributes["subject"] = event["item_id"]
    if event.get("position") is not None:
        # As text: the integers of CloudEvents end at 2,147,483,647.
        attributes["position"] = str(event["position"])
    return canonical(attributes)


# -- secrets and signatures


def secret(random: bytes) -> str:
    """A signing secret made of 24 to 64 random bytes."""
    if len(random) not in SECRET_BYTES:
        raise ValueError("a secret has 24 to 64 bytes")
    return SECRET_PREFIX + base64.b64encode(random).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of Standard Webhooks; `timestamp` in seconds since 1970, UTC."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
