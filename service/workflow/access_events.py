"""Events about who may do what: for admin and auditor only, whatever units they name."""

from typing import Any

from service.workflow.events import EventDraft, Subject, plain
from service.workflow.identities import Granted, Issuer, Key, Principal

_NOBODY_BUT_ADMINS: tuple[Any, ...] = ()
"""No unit is the audience of such an event: the role decides, not the scope."""

NOT_SHOWN = frozenset({"version", "created_at", "updated_at", "claims_at"})


def _draft(type_: str, data: dict[str, Any]) -> EventDraft:
    return EventDraft(type_, Subject(), _NOBODY_BUT_ADMINS, data)


def _facts(value: Any, **named: str) -> dict[str, Any]:
    """What there is to say of a record; `named` renames a field."""
    facts = {named.get(name, name): getattr(value, name) for name in value.__dataclass_fields__}
    return {name: plain(fact) for name, fact in facts.items() if fact is not None and name not in NOT_SHOWN}


def principal_created(principal: Principal) -> EventDraft:
    return _draft("access.principal_created", _facts(principal, id="principal_id"))


def principal_updated(before: Principal, after: Principal) -> EventDraft:
    return _draft("access.principal_updated", {"principal_id": str(after.id), "changes": differences(before, after)})


def principal_removed(principal: Principal) -> EventDraft:
    return _draft("access.principal_removed", {"principal_id": str(principal.id)})


def key_created(key: Key) -> EventDraft:
    return _draft("access.key_created", _facts(key, id="key_id"))


def key_revoked(key: Key) -> EventDraft:
    return _draft("access.key_revoked", {"principal_id": str(key.principal_id), "key_id": str(key.id)})


def key_refused(principal_id: Any, key_id: Any) -> EventDraft:
    """A key was used that is expired, revoked, or its principal's no more. Not every use is written down."""
    return _draft("access.key_refused", {"principal_id": str(principal_id), "key_id": str(key_id)})


def granted(grant: Granted) -> EventDraft:
    return _draft("access.granted", _facts(grant, id="grant_id"))


def grant_ended(grant: Granted) -> EventDraft:
    return _draft("access.grant_ended", _facts(grant, id="grant_id"))


def issuer_trusted(issuer: Issuer) -> EventDraft:
    return _draft("access.issuer_trusted", _facts(issuer, id="issuer_id"))


def issuer_updated(before: Issuer, after: Issuer) -> EventDraft:
    return _draft("access.issuer_updated", {"issuer_id": str(after.id), "changes": differences(before, after)})


def issuer_removed(issuer: Issuer) -> EventDraft:
    """A provider is trusted no more; every grant that its tokens gave ends with it."""
    return _draft("access.issuer_removed", {"issuer_id": str(issuer.id)})


def differences(before: Any, after: Any) -> dict[str, Any]:
    """The fields in which two versions of a record differ, each before and after."""
    return {
        name: {"before": plain(getattr(before, name)), "after": plain(getattr(after, name))}
        for name in before.__dataclass_fields__
        if name not in NOT_SHOWN and getattr(before, name) != getattr(after, name)
    }
