"""Attachments and their bytes: what hangs on items is what their events say, and its bytes are kept and counted."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.checks.everything import Everything

CARRIED = {"progress": "item.progressed", "request": "request.submitted", "review": "item.reviewed"}


def attachments_follow_from_their_events(found: Everything) -> Iterator[str]:
    """Each hangs where its event says, as that event describes it; none hangs that no event tells of."""
    told: list[tuple[Any, ...]] = []
    for row in found["events"]:
        event = found.told(row)
        names = event["data"].get("attachment_names", {})
        told += [
            (each["id"], row["type"], event["item_id"], each["sha256"], each["size"], each["media_type"],
             _name(names.get(each["id"])))
            for each in event["data"].get("attachments", ())
        ]  # fmt: skip
    stored = [
        (str(row["id"]), CARRIED[row["hangs_on"]], str(row["item_id"]), row["sha256"], row["size"], row["media_type"],
         row["name"])
        for row in found["attachments"] if row["item_id"] is not None
    ]  # fmt: skip
    if sorted(told, key=str) != sorted(stored, key=str):
        yield f"attachments {sorted(stored, key=str)} are not those of the events {sorted(told, key=str)}"
    named = {
        str(attachment_id): str(row["id"])
        for table in ("progress", "requests")
        for row in found[table]
        for attachment_id in row["attachment_ids"]
    }
    hung = {str(row["id"]): str(row["hangs_on_id"]) for row in found["attachments"] if row["hangs_on_id"]}
    if named != hung:
        yield f"entries and requests name {named}, attachments hang on {hung}"


def _name(told: Any) -> str | None:
    return told if isinstance(told, str) else None


def bytes_are_kept_and_counted(found: Everything) -> Iterator[str]:
    """What is not erased has a living blob of its digest and size, that is stored; a tenant's blobs are summed up."""
    blobs = {row["id"]: row for row in found["blobs"]}
    for row in found["attachments"]:
        if (row["blob_id"] is None) != (row["erased_at"] is not None):
            yield f"attachment {row['id']} was erased at {row['erased_at']} and has the blob {row['blob_id']}"
        blob = blobs.get(row["blob_id"])
        if row["blob_id"] is None:
            continue
        if blob is None or blob["dead_since"] is not None or not blob["stored"]:
            yield f"attachment {row['id']} has no living blob: {blob}"
        elif (blob["sha256"], blob["size"]) != (row["sha256"], row["size"]):
            yield f"attachment {row['id']} is not what its blob is"
    used: Counter[Any] = Counter()
    for row in found["blobs"]:
        if row["dead_since"] is None:
            used[row["tenant_id"]] += row["size"]
    counted = {row["tenant_id"]: row["bytes"] for row in found["blob_uses"] if row["bytes"]}
    if counted != dict(used):
        yield f"blobs have {dict(used)} bytes, {counted} are counted"
