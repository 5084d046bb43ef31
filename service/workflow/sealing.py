"""The bytes of an event: what is sealed for ever, and what lies beside it and can be lawfully destroyed.

An event's body is canonical JSON: UTF-8, keys sorted, no white space, no floating-point numbers. Identifiers, dates,
counts and enumerations stand in it as they are. Free text and names stand in it as hash(salt || canonical value),
16 random bytes of salt each; value and salt lie beside. Destroying those two erases the text and leaves the seal. The
hash is that of the tenant's log, SHA-256 or SM3.
"""

import json
from collections.abc import Callable
from typing import Any

from service.workflow.merkle import Hashing

PLAIN = frozenset(
    {
        "trigger", "state", "cycle", "version", "number", "severity", "kind", "method", "on", "resolution", "late",
        "due_on", "review_on", "claim_due", "found_on", "listed_at", "closed_at", "closed_on", "held_on",
        "claimed_at", "closed_days_late", "provisional", "deadline_kind", "percent", "side",
        "extension_count", "extension_days", "extended_late", "escalation_count", "evidence_count",
        "responsible_unit_id", "supervising_unit_id", "supervising_defaulted", "co_unit_ids", "ledger_id",
        "interview_id", "progress_id", "duplicate_of", "claimed_by", "interview_due", "contact_changed",
        "source_kind", "principal_id", "via", "minutes_digest",
        "key_id", "grant_id", "issuer_id", "unit_id", "parent_id", "department_id", "role", "subtree", "since", "until",
        "delegate", "delegates", "expires_at", "active", "level", "listing", "owner_unit_id",
        "transfer_to_id", "deadline_rule",
        "deadline", "rung", "rungs", "action", "anchor", "anchor_on", "why", "notify", "notified_unit_ids",
        "request_id", "decide_due", "asked_due_on", "asked_unit_id", "notice_id", "items", "reply_by", "receipt_due",
        "webhook_id", "owner_id", "types", "format", "rate_limit", "enabled", "disabled_reason", "failing_since",
        "channel_id", "locale", "retargeted",
        "copy_unit_ids", "scheduled_at", "year", "workdays", "holidays", "complete",
        "fields", "size", "root_hash", "checkpoint", "old_key", "new_key", "announcement",
        "report_id", "month", "digest", "attachments", "attachment_ids",
    }
)  # fmt: skip
"""Fields that are never free text. What is not named here is sealed: a field forgotten is a field protected."""

NESTED = frozenset({"changes", "verification", "attachment_names"})
"""Objects whose fields are judged one by one."""

SALT_BYTES = 16


# Nothing that is sealed holds itself; not to look for that takes off a third.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


def canonical(value: Any) -> bytes:
    """Canonical JSON of a value without floating-point numbers outside sealed text."""
    return _ENCODER.encode(value).encode()


def seal(data: dict[str, Any], salt: Callable[[int], bytes], hashing: Hashing) -> tuple[dict[str, Any], dict[str, Any]]:
    """`data` with free text replaced by its salted hash, and the texts with their salts by path.

    `salt(n)` gives n random bytes.
    """
    beside: dict[str, Any] = {}
    return _seal(data, "", salt, hashing, beside), beside


def _seal(
    data: dict[str, Any], path: str, salt: Callable[[int], bytes], hashing: Hashing, beside: dict[str, Any]
) -> dict[str, Any]:
    sealed: dict[str, Any] = {}
    for key, value in data.items():
        if value is None or key in PLAIN:
            sealed[key] = value
        elif key in NESTED and isinstance(value, dict):
            sealed[key] = _seal(value, f"{path}{key}/", salt, hashing, beside)
        else:
            grain = salt(SALT_BYTES)
            sealed[key] = {"sealed": digest(hashing, grain, value)}
            beside[path + key] = {"salt": grain.hex(), "value": value}
    return sealed


def digest(hashing: Hashing, salt: bytes, value: Any) -> str:
    """The salted hash that stands for a free text in an event's body, in lower-case hex."""
    return hashing.digest(salt + canonical(value)).hex()


def reveal(sealed: dict[str, Any], beside: dict[str, Any], path: str = "") -> dict[str, Any]:
    """A sealed object with its texts put back; what was erased reads `{"erased": true}`."""
    shown: dict[str, Any] = {}
    for key, value in sealed.items():
        if key in NESTED and isinstance(value, dict):
            shown[key] = reveal(value, beside, f"{path}{key}/")
        elif isinstance(value, dict) and value.keys() == {"sealed"}:
            text = beside.get(path + key)
            shown[key] = text["value"] if text else {"erased": True}
        else:
            shown[key] = value
    return shown
