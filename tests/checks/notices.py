"""Notices are what the events of their items tell, and nothing is missing between a number and the one before."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from uuid import UUID

from tests.checks.everything import Everything, Row, plain

DEEDS = ("drafted", "issued", "receipted", "cancelled")
KINDS = {"urge": "urging", "supervise": "supervision", "warn": "warning", "circulate": "circular",
         "escalate": "interview"}  # fmt: skip
"""The notice that each action issues; a reminder of the ladder issues none."""


class _Told:
    """What all events about one notice tell."""

    def __init__(self) -> None:
        self.items: dict[str, set[UUID]] = {deed: set() for deed in DEEDS}
        self.last: dict[str, tuple[Row, Row]] = {}
        """An event of each deed, and its row."""
        self.ledgers: set[UUID] = set()

    def follow(self, event: Row, row: Row) -> Iterator[str]:
        deed = row["type"].removeprefix("notice.")
        if row["item_id"] in self.items[deed]:
            yield f"was {deed} twice for item {row['item_id']}"
        self.items[deed].add(row["item_id"])
        self.ledgers.add(row["ledger_id"])
        known = self.last.setdefault(deed, (event, row))[0]
        if event["data"] != known["data"] or event["actor"]["principal_id"] != known["actor"]["principal_id"]:
            yield f"was {deed} as {event['data']} for item {row['item_id']}, as {known['data']} for another"

    @property
    def covered(self) -> set[UUID]:
        """Of a draft those items that it was issued for: the others were closed or gone by then."""
        return self.items["issued"] or self.items["drafted"]


def notices_follow_from_their_events(found: Everything) -> Iterator[str]:
    told: dict[str, _Told] = defaultdict(_Told)
    rungs: dict[str, set[str]] = defaultdict(set)
    for item_id, events in found.histories.items():
        for row in events:
            if row["type"].startswith("notice."):
                event = found.told(row)
                notice_id = event["data"]["notice_id"]
                for sentence in told[notice_id].follow(event, row):
                    yield f"notice {notice_id}: {sentence}"
            elif row["type"] == "rung.fired":
                data = found.told(row)["data"]
                if data["notice_id"] is not None:
                    rungs[data["notice_id"]].add(data["rung"])
                if (data["notice_id"] is None) != (data["action"] not in KINDS):
                    yield f"item {item_id}: rung {data['rung']} to {data['action']} by notice {data['notice_id']}"
    stored = {str(row["id"]): row for row in found["notices"]}
    for notice_id in stored.keys() ^ (told.keys() | rungs.keys()):
        yield f"notice {notice_id} is {'stored' if notice_id in stored else 'told of'} only"
    listed: dict[UUID, set[UUID]] = defaultdict(set)
    for row in found["notice_items"]:
        listed[row["notice_id"]].add(row["item_id"])
    for notice_id in listed.keys() - {row["id"] for row in found["notices"]}:
        yield f"notice {notice_id} covers items and is not there"
    for notice_id, notice in stored.items():
        for sentence in (
            *_about(found, notice, told[notice_id], rungs[notice_id]),
            *_items(notice, told[notice_id], listed[notice["id"]]),
        ):
            yield f"notice {notice_id}: {sentence}"
    yield from _fired_by_their_kind(found, stored)


def _about(found: Everything, notice: Row, told: _Told, rungs: set[str]) -> Iterator[str]:
    made = told.last.get("issued") or told.last.get("drafted")
    if made is None:
        yield "nothing tells how it was made"
        return
    event, row = made
    data = event["data"]
    begun = (told.last.get("drafted") or made)[1]
    expected: Row = {
        "kind": data["kind"], "number": data.get("number"), "unit_id": data["unit_id"], "text": data.get("text"),
        "copy_unit_ids": data.get("copy_unit_ids", []), "rungs": data.get("rungs", []),
        "reply_by": data.get("reply_by"), "receipt_due": data.get("receipt_due"), "state": "draft",
        "created_at": plain(begun["at"]), "issued_at": None, "issued_by": event["actor"]["principal_id"],
        "receipt_at": None, "receipt_by": None, "receipt_signed_by": None, "cancelled_at": None, "cancel_reason": None,
    }  # fmt: skip
    if "issued" in told.last:
        expected |= {"state": "issued", "issued_at": plain(row["at"])}
    if "receipted" in told.last:
        event, row = told.last["receipted"]
        expected |= {
            "receipt_at": plain(row["at"]), "receipt_by": event["actor"]["principal_id"],
            "receipt_signed_by": event["data"]["signed_by"],
        }  # fmt: skip
    if "cancelled" in told.last:
        event, row = told.last["cancelled"]
        expected |= {"state": "cancelled", "cancelled_at": plain(row["at"]), "cancel_reason": event["data"]["reason"]}
    for name, value in expected.items():
        if plain(notice[name]) != value:
            yield f"{name} is {notice[name]}, by its events {value}"
    if set(notice["rungs"]) != rungs:
        yield f"comes from {notice['rungs']}, fired {sorted(rungs)}"
    if told.ledgers != {notice["ledger_id"]}:
        yield f"is of ledger {notice['ledger_id']}, its items of {told.ledgers}"


def _items(notice: Row, told: _Told, listed: set[UUID]) -> Iterator[str]:
    covered = told.covered
    if set(notice["item_ids"]) != covered or len(notice["item_ids"]) != len(covered):
        yield f"covers {notice['item_ids']}, by the events {covered}"
    if listed != set(notice["item_ids"]):
        yield f"covers {notice['item_ids']}, listed {listed}"
    for deed in ("receipted", "cancelled"):
        if told.items[deed] not in (set(), covered):
            yield f"was {deed} for {told.items[deed]}, covers {covered}"
    if told.items["issued"] - told.items["drafted"] and told.items["drafted"]:
        yield f"was drafted for {told.items['drafted']}, issued for {told.items['issued']}"


def _fired_by_their_kind(found: Everything, notices: dict[str, Row]) -> Iterator[str]:
    """An interview has the notice that summons to it, and a rung the notice of its kind."""
    for row in found["firings"]:
        notice = notices.get(str(row["notice_id"]))
        if row["notice_id"] is not None and notice is None:
            yield f"rung {row['rung']} of item {row['item_id']} fired by notice {row['notice_id']}, which is not there"
    for row in found["events"]:
        if row["type"] == "rung.fired":
            data = found.told(row)["data"]
            notice = notices.get(str(data["notice_id"]))
            if notice is not None and notice["kind"] != KINDS.get(data["action"]):
                yield f"rung {data['rung']} to {data['action']} fired by a notice of kind {notice['kind']}"
    for row in found["interviews"]:
        notice = notices.get(str(row["notice_id"]))
        if notice is None or notice["kind"] != "interview" or row["item_id"] not in notice["item_ids"]:
            yield f"interview {row['id']} is summoned to by notice {row['notice_id']}: {notice and notice['kind']}"


def numbers_have_no_gap(found: Everything) -> Iterator[str]:
    """1, 2, 3 ... for each ledger, kind and year of issue; the counter stands behind the last, and the text is of a
    form that the ledger's policy once had."""
    series: dict[tuple[UUID, UUID, str, int], list[int]] = defaultdict(list)
    forms, codes = _forms(found), {row["id"]: row["code"] for row in found["ledgers"]}
    for notice in found["notices"]:
        numbered = notice["issued_at"] is not None and notice["kind"] != "reminder"
        if {notice[name] is not None for name in ("number", "year", "seq")} != {numbered}:
            yield f"notice {notice['id']}: number {notice['number']}, {notice['kind']} issued at {notice['issued_at']}"
        if notice["seq"] is None:
            continue
        ledger_id, year = notice["ledger_id"], notice["year"]
        series[notice["tenant_id"], ledger_id, notice["kind"], year].append(notice["seq"])
        texts = {
            form.format(ledger=codes[ledger_id], year=year, seq=notice["seq"])
            for form in forms[ledger_id, notice["kind"]]
        }
        if notice["number"] not in texts or found.local(notice, notice["issued_at"]).year != year:
            yield f"notice {notice['id']}: number {notice['number']}, by the policy one of {texts} of {year}"
    counters = {
        (row["tenant_id"], row["ledger_id"], row["kind"], row["year"]): row["next"]
        for row in found["counters"]
        if row["kind"] != "item"
    }
    for key in series.keys() | counters.keys():
        numbers = sorted(series[key])
        if numbers != list(range(1, len(numbers) + 1)):
            twice = [number for number, count in Counter(numbers).items() if count > 1]
            missing = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
            yield f"numbers of {key}: {len(numbers)}, twice {twice}, missing {missing}"
        if counters.get(key) != len(numbers) + 1:
            yield f"the counter of {key} stands at {counters.get(key)}, behind {len(numbers)} numbers"


def _forms(found: Everything) -> dict[tuple[UUID, str], set[str]]:
    """Every form that a ledger's numbers of a kind once had, from its present policy and the events of its changes."""
    forms: dict[tuple[UUID, str], set[str]] = defaultdict(set)
    policies = [(row["id"], row["policy"]) for row in found["ledgers"]]
    for row in found["tenant_events"]:
        if row["type"] == "ledger.updated":
            changed = found.told(row)["data"]["changes"].get("policy")
            policies += [(row["ledger_id"], changed[side]) for side in ("before", "after")] if changed else []
    for ledger_id, policy in policies:
        for kind, form in policy["numbers"].items():
            forms[ledger_id, kind].add(form)
    return forms
