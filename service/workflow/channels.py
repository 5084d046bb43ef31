"""Channels: where the people of a unit are told what the ladder and supervisors ask of them.

A channel is an endpoint like a webhook's (leases, retries, pauses are the same), but for three things: it is told what
concerns its unit by name and not by subtree, its address is a credential and lies encrypted, and it has a pace.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from service.errors import invalid
from service.workflow.events import EventDraft, Subject, plain
from service.workflow.states import ChannelKind
from service.workflow.webhooks import Webhook

TOLD = ("rung.fired", "notice.issued", "interview.scheduled", "request.approved", "request.returned")
"""The events that people are told of. What was skipped or only drafted is none of them."""

HOSTS: dict[str, tuple[str, ...]] = {
    ChannelKind.WECOM: ("qyapi.weixin.qq.com",),
    ChannelKind.DINGTALK: ("oapi.dingtalk.com",),
    ChannelKind.FEISHU: ("open.feishu.cn", "open.larksuite.com"),
}

EVERY: dict[str, timedelta] = {
    # The platforms allow 20 a minute, 20 a minute, and 100 a minute with 5 in any second.
    ChannelKind.WECOM: timedelta(seconds=3.5),
    ChannelKind.DINGTALK: timedelta(seconds=3.5),
    ChannelKind.FEISHU: timedelta(seconds=0.7),
    ChannelKind.MAIL: timedelta(seconds=0.5),
}
"""How long a channel has rest after each message is taken, by whomever: a little longer than need be, since what was
taken may wait a moment before it goes."""

GATHERS = timedelta(seconds=2)
"""How long a message waits for what belongs with it: events of one look may get their positions one after the other."""

SIGNED = frozenset({ChannelKind.DINGTALK, ChannelKind.FEISHU})
"""Robots that can want a signature. WeCom's have only their address."""

MAX_TO = 20

ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"
"""A mail address as it goes into an envelope: no quotes, no comments, nothing that ends a line."""

_PLACES = {
    ChannelKind.WECOM: ("/cgi-bin/webhook/send", "key"),
    ChannelKind.DINGTALK: ("/robot/send", "access_token"),
    ChannelKind.FEISHU: ("/open-apis/bot/v2/hook/", None),
}
"""Path and parameter of a robot's address; Feishu's token stands in the path."""

_ADDRESS = re.compile(ADDRESS)
_HOOK = re.compile(r"[A-Za-z0-9-]{8,100}")
_SHOWN, _SHOWN_OF = 4, 24
_TELLING = 6
"""A shorter word is in many a sentence, and no credential."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a channel's messages go. All of it is kept encrypted."""

    url: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    to: tuple[str, ...] = field(default=(), repr=False)

    def to_text(self) -> str:
        return json.dumps({"url": self.url, "secret": self.secret, "to": self.to})

    @classmethod
    def from_text(cls, text: str) -> "Target":
        kept = json.loads(text)
        return cls(kept["url"], kept["secret"], tuple(kept["to"]))

    def hide(self, said: str) -> str:
        """What a platform said, without what it repeats of the target: answers are kept, and lie open."""
        words = [self.secret, *self.to]
        if self.url is not None:
            parts = urlsplit(self.url)
            words += [parts.path.rpartition("/")[2], *(each for of in parse_qs(parts.query).values() for each in of)]
        for word in filter(None, words):
            if len(word) >= _TELLING:
                said = re.sub(re.escape(word), "…", said, flags=re.IGNORECASE)
        return said

    @property
    def shown(self) -> str:
        """All of it that lies open: a robot's host and how its address ends, of mail nothing."""
        if self.url is None:
            return "mailto:"
        scheme, place, rest = self.url.split("/", 3)[0], urlsplit(self.url).netloc, self.url.split("/", 3)[-1]
        # The end of a short token is most of it.
        return f"{scheme}//{place}/…{rest[-_SHOWN:] if len(rest) >= _SHOWN_OF else ''}"


def check(kind: str, target: Target) -> None:
    """Refuse (`invalid_request`) a target that no channel of the kind can have; addresses are judged elsewhere."""
    if kind == ChannelKind.MAIL:
        if target.url is not None:
            raise invalid(("/url", "other_kind"))
        if target.secret is not None:
            raise invalid(("/secret", "other_kind"))
        return _check_addresses(target.to)
    if target.to:
        raise invalid(("/to", "other_kind"))
    if target.secret is not None and kind not in SIGNED:
        raise invalid(("/secret", "other_kind"))
    if target.url is None:
        raise invalid(("/url", "missing"))
    try:
        sound = "#" not in target.url and (_robot(kind, target.url) or not at_platform(kind, target.url))
    except ValueError:
        # Half an IPv6 address, or signs in the host that turn into others.
        sound = False
    if not sound:
        raise invalid(("/url", "bad_format"))


def _check_addresses(to: tuple[str, ...]) -> None:
    if not to:
        raise invalid(("/to", "missing"))
    if len(to) > MAX_TO:
        raise invalid(("/to", "too_long"))
    for index, each in enumerate(to):
        if not _ADDRESS.fullmatch(each) or len(each) > 254:
            raise invalid((f"/to/{index}", "bad_format"))
        if each.lower() in (other.lower() for other in to[:index]):
            raise invalid((f"/to/{index}", "repeated"))


def at_platform(kind: str, url: str) -> bool:
    """Whether an address lies with the platform itself, by https. Elsewhere only the operator's networks are called."""
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.netloc in HOSTS[kind]


def _robot(kind: str, url: str) -> bool:
    parts = urlsplit(url)
    path, parameter = _PLACES[ChannelKind(kind)]
    if parameter is None:
        return parts.path.startswith(path) and bool(_HOOK.fullmatch(parts.path.removeprefix(path)))
    return parts.path == path and bool(parse_qs(parts.query).get(parameter))


# -- what is written down: for admin and auditor only, as of webhooks. Never an address

_FACTS = ("owner_id", "unit_id", "locale", "enabled")


def _draft(type_: str, channel: Webhook, data: dict[str, Any]) -> EventDraft:
    return EventDraft(type_, Subject(), (), {"channel_id": str(channel.id), "kind": channel.format, **data})


def created(channel: Webhook) -> EventDraft:
    return _draft("channel.created", channel, {name: plain(getattr(channel, name)) for name in _FACTS})


def updated(before: Webhook, after: Webhook) -> EventDraft:
    changes: dict[str, Any] = {
        name: {"before": plain(getattr(before, name)), "after": plain(getattr(after, name))}
        for name in _FACTS
        if getattr(before, name) != getattr(after, name)
    }
    retargeted = {"retargeted": True} if before.secret_sealed != after.secret_sealed else {}
    return _draft("channel.updated", after, {"changes": changes, **retargeted})


def deleted(channel: Webhook) -> EventDraft:
    return _draft("channel.deleted", channel, {})


def was_disabled(channel: Webhook) -> EventDraft:
    """Not by hand: the service gave it up."""
    data = {"disabled_reason": channel.disabled_reason, "failing_since": plain(channel.failing_since)}
    return _draft("channel.disabled", channel, {name: fact for name, fact in data.items() if fact is not None})
