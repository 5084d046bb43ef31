"""One good call of every operation on requests, notices, interviews and the clock; see calls.py, which brings these in.

What must be overdue by now, or drafted by the ladder, is made long ago: the wall clock is set back for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import time_machine

from service.workers import clock
from service.workflow.calendar import BASE
from tests.api.calls import Asked, Place, Side, call, item_at, moved, serial
from tests.api.helpers import VERIFIED, day, ok, today

SHANGHAI = ZoneInfo("Asia/Shanghai")

ASKED: dict[str, dict[str, Any]] = {
    "extension": {"due_on": day(90), "reason": "汛期无法施工"},
    "closure": {"summary": "主管道已全部更换，恢复供水"},
    "transfer": {"reason": "职责不符"},
}
"""What a request of each kind says; a transfer leaves the unit to the decider."""

GRANTED: dict[str, dict[str, Any]] = {
    "extension": {},
    "closure": {"verification": VERIFIED},
    "transfer": {"responsible_unit": "d1"},
}
"""What its approval needs."""


@contextmanager
def long_ago() -> Iterator[datetime]:
    """The wall clock shows ten o'clock of a working day about a month ago. It stands still."""
    morning = datetime.combine(BASE.add(today() - timedelta(days=30), -1), time(10), SHANGHAI).astimezone(UTC)
    with time_machine.travel(morning, tick=False):
        yield morning


# -- requests


def asking(item_id: str, kind: str, **given: Any) -> Asked:
    return Asked("POST", f"/v1/items/{item_id}/requests", {"kind": kind, **ASKED[kind], **given})


async def asked_at(at: Place, kind: str = "closure", **given: Any) -> dict[str, Any]:
    """A pending request that the hand made about an item of the place."""
    item = await moved(at, *(() if kind == "transfer" else ("claim",)), **given)
    made: dict[str, Any] = ok(await asking(item["id"], kind).by(at.side.hand), 201)
    return made


def deciding(request: dict[str, Any], verdict: str = "approve", **given: Any) -> Asked:
    said = GRANTED[request["kind"]] if verdict == "approve" else {"reason": "佐证不足"}
    return Asked("POST", f"/v1/requests/{request['id']}/decision", {"verdict": verdict, **said, **given})


@call("list_requests")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/requests?limit=200", shows=(await asked_at(at))["id"])


@call("list_requests: past")
async def _(base: Side, at: Place) -> Asked:
    request = await asked_at(at)
    ok(await deciding(request, "return").by(at.side.admin))
    return Asked("GET", "/v1/requests?status=returned&status=approved&limit=200", shows=request["id"])


@call("list_item_requests")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items/{(await asked_at(at))['item_id']}/requests")


@call("get_request")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/requests/{(await asked_at(at))['id']}")


def _kind(kind: str) -> None:
    @call(f"create_item_request: {kind}")
    async def _(base: Side, at: Place) -> Asked:
        item = await moved(at, *(() if kind == "transfer" else ("claim",)))
        return asking(item["id"], kind)

    @call(f"decide_request: {kind}")
    async def _(base: Side, at: Place) -> Asked:
        return deciding(await asked_at(at, kind))


for _each in ASKED:
    _kind(_each)


@call("create_item_request: transfer to", "/responsible_unit_id")
async def _(base: Side, at: Place) -> Asked:
    item = await item_at(Place(base, "t1v2"))
    return asking(item["id"], "transfer", responsible_unit_id=at.id)


@call("decide_request: return")
async def _(base: Side, at: Place) -> Asked:
    return deciding(await asked_at(at), "return")


@call("decide_request: transfer to", "/responsible_unit_id")
async def _(base: Side, at: Place) -> Asked:
    asked = deciding(await asked_at(Place(base, "t1v2"), "transfer"))
    return Asked(asked.method, asked.path, {"verdict": "approve", "responsible_unit_id": at.id})


@call("decide_request: transfer under", "/supervising_unit_id")
async def _(base: Side, at: Place) -> Asked:
    return deciding(await asked_at(Place(base, "t1v2"), "transfer"), supervising_unit_id=at.id)


@call("withdraw_request")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/requests/{(await asked_at(at))['id']}/withdrawal", {"reason": "已提前完工"})


# -- notices


def noticing(at: Place, *items: str, **given: Any) -> Asked:
    body = {"kind": "urging", "unit_id": at.id, "item_ids": list(items), "text": "请抓紧整改。", **given}
    return Asked("POST", "/v1/notices", body)


async def notice_at(at: Place, **given: Any) -> dict[str, Any]:
    """A notice to the place, issued by hand about an item of its own."""
    item = await item_at(at)
    made: dict[str, Any] = ok(await noticing(at, item["id"], **given).by(at.side.admin), 201)
    return made


CONFIRMED = {
    "code": "urge-1", "anchor": "due", "offset": -1, "states": ["open"], "action": "urge", "notify": ["responsible"],
    "confirm": True,
}  # fmt: skip


async def draft_at(at: Place) -> str:
    """The id of a notice that the ladder drafted long ago; nobody has issued it."""
    with long_ago() as morning:
        body = {"code": f"c{next(serial)}", "name": "签发台账", "policy": {"ladder": [CONFIRMED]}}
        ledger = ok(await at.side.admin.post("/v1/ledgers", json=body), 201)
        first = morning.astimezone(SHANGHAI).date()
        item = await item_at(at, ledger=ledger["code"], due_on=BASE.add(first, 3).isoformat())
        later = datetime.combine(BASE.add(first, 2), time(9), SHANGHAI).astimezone(UTC)
        await clock.run_until_done(at.side.service, later)
    (draft,) = ok(await at.side.admin.get("/v1/notices", params={"item_id": item["id"]}))["items"]
    assert draft["state"] == "draft"
    return str(draft["id"])


@call("list_notices")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/notices?limit=200", shows=(await notice_at(at))["id"])


@call("list_notices: item")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/notices?item_id={(await notice_at(at))['item_ids'][0]}")


@call("get_notice")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/notices/{(await notice_at(at))['id']}")


@call("create_notice", "/item_ids/0")
async def _(base: Side, at: Place) -> Asked:
    return noticing(at, (await item_at(at))["id"])


@call("create_notice: copy", "/copy_unit_ids/0")
async def _(base: Side, at: Place) -> Asked:
    to = Place(base, "t1v2")
    return noticing(to, (await item_at(to))["id"], copy_unit_ids=[at.id])


@call("issue_notice")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/notices/{await draft_at(at)}/issue", {})


@call("sign_notice")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/notices/{(await notice_at(at))['id']}/receipt", {"signed_by": "张伟"})


@call("cancel_notice")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/notices/{(await notice_at(at))['id']}/cancel", {"reason": "该单位已完成整改"})


# -- interviews


@call("schedule_interview")
async def _(base: Side, at: Place) -> Asked:
    talk = (await moved(at, "escalate"))["interview_id"]
    return Asked("POST", f"/v1/interviews/{talk}/schedule", {"at": f"{day(3)}T01:30:00Z", "place": "县督查室"})


@call("record_interviews", "/interview_ids/0")
async def _(base: Side, at: Place) -> Asked:
    talks = [(await moved(at, "escalate"))["interview_id"] for _ in range(2)]
    body = {"interview_ids": talks, "held_on": day(0), "attendees": ["王强"], "minutes": "责成十日内完成整改"}
    return Asked("POST", "/v1/interviews/record", body)


# -- deadlines, reviews, overdue work


@call("get_item_deadline")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items/{(await item_at(at))['id']}/deadline")


@call("review_item")
async def _(base: Side, at: Place) -> Asked:
    item = await item_at(at, deadline={"kind": "standing"})
    return Asked("POST", f"/v1/items/{item['id']}/reviews", {"on": day(0), "note": "巡查制度正常运行"})


@call("list_overdue: request")
async def _(base: Side, at: Place) -> Asked:
    with long_ago():
        request = await asked_at(at, due_on=day(0))
    return Asked("GET", "/v1/overdue?kind=request&limit=200", shows=request["id"])


@call("list_overdue: interview")
async def _(base: Side, at: Place) -> Asked:
    with long_ago():
        item = await moved(at, "escalate")
    return Asked("GET", "/v1/overdue?kind=interview&limit=200", shows=item["interview_id"])


@call("list_overdue: receipt")
async def _(base: Side, at: Place) -> Asked:
    with long_ago():
        notice = await notice_at(at)
    return Asked("GET", "/v1/overdue?kind=receipt&limit=200", shows=notice["id"])


@call("list_overdue: draft")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/overdue?kind=draft&limit=200", shows=await draft_at(at))
