"""Damages to a sound database, in SQLite's SQL, and which check must object to each."""

from collections.abc import Callable, Iterator

from tests.checks import clock, described, evidence, items, notices, organisation, records, requests
from tests.checks.everything import Everything

Check = Callable[[Everything], Iterator[str]]

DAMAGES: dict[Check, dict[str, str]] = {
    items.items_follow_from_their_events: {
        "a version without its event": "UPDATE items SET version = version + 1",
        "an event of no item": (
            "UPDATE events SET item_id = lower(hex(randomblob(16))) WHERE type = 'item.progressed'"
        ),
        "an event that is gone": "DELETE FROM events WHERE type = 'item.claimed'",
        "a review that is gone": "DELETE FROM events WHERE type = 'item.reviewed'",
        "a state that no event led to": "UPDATE items SET state = 'extended'",
        "hands that were washed": "UPDATE items SET hands = '{}'",
        "a request for closure that nobody made": (
            "UPDATE items SET hands = json_remove(hands, '$.asked') WHERE json_extract(hands, '$.asked') IS NOT NULL"
        ),
        "a deadline that nobody moved": "UPDATE items SET due_on = '2030-01-01'",
        "a deadline whose passing is forgotten": "UPDATE items SET passed_on = NULL WHERE passed_on IS NOT NULL",
        "a deadline that passed unnoticed": "DELETE FROM events WHERE type = 'deadline.passed'",
        "a decision that nobody waited for": "UPDATE items SET rungs_from = '2026-01-05'",
        "a claim that counts from another day": (
            "UPDATE items SET claim_rule = json_set(claim_rule, '$.start_on', '2020-01-02')"
        ),
        "a claim without its rule": "UPDATE items SET claim_rule = NULL",
    },
    items.revisions_count_transactions: {
        "a transaction that left no trace": "UPDATE items SET revision = revision + 1",
    },
    items.entries_have_their_events: {
        "evidence that nobody gave": "UPDATE items SET evidence_count = evidence_count + 1",
        "a progress entry that is gone": "DELETE FROM progress",
    },
    evidence.attachments_follow_from_their_events: {
        "an attachment that is gone": "DELETE FROM attachments WHERE hangs_on = 'progress'",
        "an attachment of another item": (
            "UPDATE attachments SET item_id = (SELECT min(id) FROM items WHERE id != attachments.item_id) WHERE"
            " hangs_on = 'progress'"
        ),
        "an attachment that was exchanged": (
            "UPDATE attachments SET sha256 = substr(sha256, 2) || '0' WHERE item_id IS NOT NULL"
        ),
        "an attachment under another name": "UPDATE attachments SET name = '无.jpg' WHERE item_id IS NOT NULL",
        "a request that names another's": ("UPDATE requests SET attachment_ids = '[]' WHERE attachment_ids != '[]'"),
        "an attachment that nobody hung": (
            "UPDATE attachments SET item_id = (SELECT min(id) FROM items), hangs_on = 'review' WHERE item_id IS NULL"
        ),
    },
    evidence.bytes_are_kept_and_counted: {
        "bytes that were given up": "UPDATE blobs SET dead_since = '2026-01-05T00:00:00.000000Z'",
        "bytes that were never stored": "UPDATE blobs SET stored = 0",
        "bytes of another digest": "UPDATE blobs SET sha256 = substr(sha256, 2) || '0'",
        "bytes that are not counted": "UPDATE blob_uses SET bytes = bytes - 1",
        "an erased attachment that still has its bytes": "UPDATE attachments SET erased_at = uploaded_at",
    },
    requests.requests_follow_from_their_events: {
        "a request that is gone": "DELETE FROM requests WHERE status = 'returned'",
        "a request that nobody decided": "UPDATE requests SET status = 'approved' WHERE status = 'pending'",
        "a request that is to be decided another day": (
            "UPDATE requests SET decide_due = '2030-01-01' WHERE status = 'pending'"
        ),
        "a request that another made": "UPDATE requests SET requested_by = decided_by WHERE status = 'returned'",
        "a withdrawal that left no trace": "DELETE FROM events WHERE type = 'request.withdrawn'",
    },
    requests.interviews_follow_from_their_events: {
        "an interview that nobody recorded": "UPDATE interviews SET state = 'recorded' WHERE state = 'scheduled'",
        "an interview at another hour": "UPDATE interviews SET scheduled_at = NULL WHERE state = 'scheduled'",
        "an interview of another escalation": "UPDATE items SET interview_id = NULL",
    },
    requests.items_wait_for_what_is_pending: {
        "an item that waits for nothing": "UPDATE items SET pending = '{}' WHERE pending != '{}'",
        "an item that waits for another day": (
            "UPDATE items SET pending = json_set(pending, '$.interview.due', '2030-01-01') WHERE interview_id"
            " IS NOT NULL"
        ),
        "an item that waits for a request that is not there": "DELETE FROM requests WHERE status = 'pending'",
    },
    notices.notices_follow_from_their_events: {
        "a notice that is gone": "DELETE FROM notices WHERE state = 'issued'",
        "a draft that nobody issued": "UPDATE notices SET state = 'issued' WHERE state = 'draft'",
        "a receipt that nobody gave": (
            "UPDATE notices SET receipt_at = issued_at, receipt_signed_by = '张伟' WHERE receipt_at IS NULL"
        ),
        "a notice to another unit": "UPDATE notices SET unit_id = supervising_unit_id",
        "a cancellation that left no trace": "DELETE FROM events WHERE type = 'notice.cancelled'",
        "a notice that one item does not know of": "DELETE FROM notice_items",
        "a notice that covers less": "UPDATE notices SET item_ids = '[]'",
        "a notice from another rung": "UPDATE notices SET rungs = '[\"supervise+99\"]' WHERE rungs != '[]'",
        "an interview without its notice": "UPDATE interviews SET notice_id = NULL",
    },
    notices.numbers_have_no_gap: {
        "a number of another form": "UPDATE notices SET number = number || '附'",
        "a number that is missing": (
            "UPDATE notices SET seq = seq + 1, number = replace(number, '〕' || seq || '号', '〕' || (seq +"
            " 1) || '号') WHERE seq = (SELECT max(seq) FROM notices AS others WHERE others.kind ="
            " notices.kind)"
        ),
        "a number that will be given again": "UPDATE counters SET next = next - 1 WHERE kind != 'item'",
        "a draft with a number": "UPDATE notices SET number = 'default催〔2026〕1号' WHERE state = 'draft'",
    },
    clock.firings_have_their_events: {
        "a rung that was forgotten": "DELETE FROM firings WHERE outcome = 'fired'",
        "a rung that was not skipped": (
            "UPDATE firings SET outcome = 'fired', reason = NULL WHERE outcome = 'skipped'"
        ),
        "a rung that nobody told of": "DELETE FROM events WHERE type = 'rung.fired'",
        "a rung done a second time": (
            "INSERT INTO events SELECT tenant_id, lower(hex(randomblob(16))), item_id, revision, ordinal +"
            " 100, type, at, unit_id, ledger_id, item_version, audience, body, beside FROM events WHERE type"
            " = 'rung.fired'"
        ),
    },
    clock.timers_follow_from_the_items: {
        "a timer that is gone": "DELETE FROM timers",
        "a timer that never rings": "UPDATE timers SET look_at = '9999-01-01T00:00:00.000000Z'",
        "a timer a minute too late": (
            "UPDATE timers SET look_at = strftime('%Y-%m-%dT%H:%M:%S.000000Z', look_at, '+1 minute') WHERE"
            " look_at > (SELECT max(at) FROM events) AND look_at < '9000'"
        ),
        "a timer of another unit": "UPDATE timers SET unit_id = ledger_id",
        "a timer of a closed item": (
            "INSERT INTO timers (tenant_id, item_id, look_at, ledger_id, unit_id) SELECT tenant_id, id,"
            " updated_at, ledger_id, responsible_unit_id FROM items WHERE state = 'closed'"
        ),
    },
    records.every_event_has_its_position_or_waits_for_it: {
        "an event that waits for nothing": "DELETE FROM unsequenced",
    },
    records.what_is_searched_is_what_is_there: {
        "a title that is not searched": "UPDATE search_texts SET text = ''",
    },
    records.numbers_were_reserved: {
        "a number beyond the counter": "UPDATE counters SET next = 1",
    },
    records.recorded_answers_are_true: {
        "an answer that came to nothing": (
            "UPDATE idempotency SET body = replace(body, '\"version\":', '\"version\":9') WHERE key LIKE 'claim-%'"
        ),
        "an answer about a request that came to nothing": (
            "DELETE FROM requests WHERE id IN (SELECT json_extract(body, '$.id') FROM idempotency) OR id IN"
            " (SELECT replace(json_extract(body, '$.id'), '-', '') FROM idempotency)"
        ),
        "an answer with another number": "UPDATE notices SET number = number || '附' WHERE rungs = '[]'",
    },
    organisation.the_work_list_follows_from_the_units: {
        "a work-list row too few": "DELETE FROM worklist WHERE rowid = (SELECT max(rowid) FROM worklist)",
        "a work-list row of another day": "UPDATE worklist SET due = '2030-01-01'",
        "no item on the work list": "DELETE FROM worklist WHERE kind = 'item'",
        "no closed on the work list": "DELETE FROM worklist WHERE kind = 'closed'",
        "no request on the work list": "DELETE FROM worklist WHERE kind = 'request'",
        "no interview on the work list": "DELETE FROM worklist WHERE kind = 'interview'",
        "no receipt on the work list": "DELETE FROM worklist WHERE kind = 'receipt'",
        "no draft on the work list": "DELETE FROM worklist WHERE kind = 'draft'",
        "no notice on the work list": "DELETE FROM worklist WHERE kind = 'notice'",
        "a work-list row of no item": "UPDATE worklist SET item_id = NULL WHERE kind = 'request'",
        "a notice's row that follows an item": "UPDATE worklist SET item_id = ref WHERE kind = 'receipt'",
    },
    organisation.lines_follow_from_the_parents: {
        "a unit above that was forgotten": "DELETE FROM ancestors WHERE distance = 2",
    },
    organisation.units_follow_from_their_events: {
        "a unit that hangs elsewhere": (
            "UPDATE units SET parent_id = (SELECT id FROM units WHERE code = 'd1') WHERE code = 't2'"
        ),
        "a unit that nobody renamed": "UPDATE units SET name = '无名' WHERE code = 't2'",
    },
    organisation.unnamed_supervisors_are_the_parents: {
        "a supervisor that nobody named": (
            "UPDATE items SET supervising_defaulted = 1, supervising_unit_id = responsible_unit_id"
        ),
    },
    organisation.calendars_follow_from_their_events: {
        "a calendar that nobody changed": "UPDATE calendars SET holidays = '[]'",
        "a change of the calendar that was not counted": "UPDATE tenants SET calendar_epoch = 0",
    },
    described.events_are_as_described: {
        "an event of another type": "UPDATE events SET type = 'item.closed' WHERE type = 'item.created'",
    },
}
