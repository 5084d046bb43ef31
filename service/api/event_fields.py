"""Which fields the data of each type of event carries: data, for the documents that describe events to others.

A name with `?` is left out where there is nothing to say; one with `|null` is there all the same. `=` tells under which
name service/api/event_values.py has what it holds, where not under its own. Events are written by the modules `events`,
`*_events`, `channels`, `erasure`, `receipts`, `reports` and `webhooks` of service/workflow: what they write and does
not stand here fails the tests.
"""

from service.workflow.delivery import PING

_DEADLINE = ("deadline_kind", "due_on", "review_on", "deadline_rule", "provisional")
_CLAIM = ("claim_signed_by", "claimed_at", "claimed_by")
_OPENED_ANEW = ("state", *_CLAIM, "claim_due", "extension_count", "extension_days", *_DEADLINE)
_MET = ("rung", "action", "anchor", "anchor_on", "cycle", "request_id?", "interview_id?")
_NOTICE = ("notice_id", "kind=notice_kind", "unit_id", "items")
_HUNG = ("attachments?", "attachment_names?")
_GRANT = (
    "grant_id", "principal_id?", "department_id?", "role", "unit_id", "subtree", "since?", "until?", "label?",
    "issuer_id?",
)  # fmt: skip

DATA: dict[str, tuple[str, ...]] = {
    "item.created": (
        "number", "ledger_id", "external_ref?", "title", "description?", "category?", "severity", "source_kind?",
        "source_ref?", "responsible_unit_id", "supervising_unit_id", "supervising_defaulted", "co_unit_ids",
        "responsible_person?", "goal?", "measures?", "found_on?", "listed_at", "deadline_kind", "due_on?",
        "review_on?", "deadline_text?", "provisional", "deadline_rule?", "claim_due?", "state", "resolution?",
        "closed_on?", "note?", "labels?", "attributes?",
    ),
    "item.updated": ("changes", "contact_changed?"),
    "item.progressed": ("progress_id", "text", "percent|null", "side", "cycle", *_HUNG),
    "item.claimed": ("trigger", "cycle", "changes"),
    "item.extended": ("trigger", "cycle", "reason", "late?", "changes"),
    "item.closed": ("trigger", "cycle", "reason?", "waive_interview?", "verification", "changes"),
    "item.escalated": ("trigger", "cycle", "reason", "interview_id", "changes"),
    "item.resumed": ("trigger", "cycle", "signed_by?", "changes"),
    "item.transferred": ("trigger", "cycle", "reason", "changes"),
    "item.reopened": ("trigger", "cycle", "reason", "changes"),
    "item.annulled": ("trigger", "cycle", "reason", "changes"),
    "item.reviewed": ("on", "note", "cycle", "changes", *_HUNG),
    "item.rescheduled": ("changes",),
    "item.redacted": ("fields", "reason|null", "attachment_ids?"),
    "deadline.passed": ("deadline", "cycle"),
    "rung.fired": (*_MET, "notify", "notified_unit_ids", "notice_id|null"),
    "rung.skipped": (*_MET, "why", "notice_id|null"),
    "request.submitted": (
        "request_id", "kind=request_kind", "cycle", "reason", "due_on?", "responsible_unit_id?", "decide_due",
        *_HUNG,
    ),
    "request.approved": (
        "request_id", "kind=request_kind", "trigger", "asked_due_on?", "asked_unit_id?", "due_on?",
        "responsible_unit_id?", "reason?",
    ),
    "request.returned": ("request_id", "kind=request_kind", "reason"),
    "request.withdrawn": ("request_id", "kind=request_kind", "reason?"),
    "request.cancelled": ("request_id", "kind=request_kind"),
    "notice.drafted": (*_NOTICE, "rungs", "copy_unit_ids?"),
    "notice.issued": (*_NOTICE, "number?", "rungs?", "text?", "reply_by", "receipt_due?", "copy_unit_ids?"),
    "notice.receipted": (*_NOTICE, "number", "signed_by"),
    "notice.cancelled": (*_NOTICE, "number?", "reason"),
    "interview.opened": ("interview_id", "interview_due"),
    "interview.scheduled": ("interview_id", "scheduled_at", "place?"),
    "interview.recorded": ("interview_id", "held_on", "minutes_digest"),
    "interview.cancelled": ("interview_id",),
    "unit.created": ("version", "code", "name", "parent_id", "level"),
    "unit.updated": ("version", "changes"),
    "unit.moved": ("version", "changes"),
    "unit.deactivated": ("version", "transfer_to_id?"),
    "unit.reactivated": ("version",),
    "ledger.created": ("version", "code", "name", "owner_unit_id", "listing", "policy"),
    "ledger.updated": ("version", "changes"),
    "calendar.updated": ("year", "workdays", "holidays", "complete"),
    "report.published": ("report_id", "month", "size=counted", "digest"),
    "access.principal_created": (
        "principal_id", "name", "kind=principal_kind", "external_id?", "delegates", "issuer_id?", "subject?", "active",
    ),
    "access.principal_updated": ("principal_id", "changes"),
    "access.principal_removed": ("principal_id",),
    "access.key_created": ("key_id", "principal_id", "prefix", "delegate", "expires_at?"),
    "access.key_revoked": ("principal_id", "key_id"),
    "access.key_refused": ("principal_id", "key_id"),
    "access.granted": _GRANT,
    "access.grant_ended": _GRANT,
    "access.issuer_trusted": ("issuer_id", "issuer", "audience", "algorithms", "mapping", "active"),
    "access.issuer_updated": ("issuer_id", "changes"),
    "access.issuer_removed": ("issuer_id",),
    "webhook.created": (
        "webhook_id", "host", "owner_id", "types", "unit_id?", "format", "rate_limit?", "enabled",
    ),
    "webhook.updated": ("webhook_id", "changes"),
    "webhook.rotated": ("webhook_id", "until=signs_until"),
    "webhook.deleted": ("webhook_id",),
    "webhook.disabled": ("webhook_id", "disabled_reason", "failing_since?"),
    "channel.created": ("channel_id", "kind=channel_kind", "owner_id", "unit_id", "locale", "enabled"),
    "channel.updated": ("channel_id", "kind=channel_kind", "changes", "retargeted?"),
    "channel.deleted": ("channel_id", "kind=channel_kind"),
    "channel.disabled": ("channel_id", "kind=channel_kind", "disabled_reason", "failing_since?"),
    "log.checkpoint": ("size", "root_hash", "checkpoint"),
    "log.key_rotated": ("old_key", "new_key", "announcement"),
    PING: ("webhook_id",),
}  # fmt: skip
"""By type of event. What `changes` and `verification` hold stands below."""

CHANGES: dict[str, tuple[str, ...]] = {
    "item.updated": (
        "title", "description", "category", "severity", "source_kind", "source_ref", "supervising_unit_id",
        "supervising_defaulted", "co_unit_ids", "responsible_person", "goal", "measures", "found_on", *_DEADLINE,
        "deadline_text", "labels", "attributes",
    ),
    "item.claimed": ("state", *_CLAIM, "measures"),
    "item.extended": (
        "state", "deadline_kind", "due_on", "deadline_rule", "provisional", "extension_count", "extension_days",
        "extended_late",
    ),
    "item.closed": ("state", "resolution", "closed_days_late"),
    "item.escalated": ("state", "escalation_count", "interview_id"),
    "item.resumed": ("state", *_CLAIM, *_DEADLINE),
    "item.transferred": (
        *_OPENED_ANEW, "responsible_unit_id", "co_unit_ids", "supervising_unit_id", "supervising_defaulted",
    ),
    "item.reopened": (
        *_OPENED_ANEW, "cycle", "escalation_count", "extended_late", "evidence_count", "interview_id", "resolution",
        "closed_days_late",
    ),
    "item.annulled": ("state", "resolution", "duplicate_of"),
    "item.reviewed": ("review_on", "deadline_rule"),
    "item.rescheduled": ("due_on", "provisional", "claim_due"),
    "unit.updated": ("code", "name", "level"),
    "unit.moved": ("parent_id",),
    "ledger.updated": ("name", "owner_unit_id", "listing", "policy"),
    "access.principal_updated": ("name", "external_id", "delegates"),
    "access.issuer_updated": ("algorithms", "mapping"),
    "channel.updated": ("unit_id", "locale", "enabled"),
    "webhook.updated": ("host", "types", "unit_id", "format", "rate_limit", "enabled"),
}  # fmt: skip
"""The fields that may have changed, by type: each that did is there, before and after."""

VERIFICATION = ("method", "on", "note")
"""How, when and with what result the rectification was checked."""
