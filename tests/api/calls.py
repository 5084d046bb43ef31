"""One good call of every operation, about something that lies at a given place; each makes what it needs.

`CALLS` holds a builder for each operation, and more of them ("operation: what") where a body or a query names other
things than the path does. A builder takes the side on which the call is made and the place that it is about. What is
made bears new codes and numbers, so a call may be built as often as one likes.
"""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from service.actions.service import Service
from service.outside.addresses import Guard
from service.outside.sender import Sender
from service.workers import sequencer
from tests.api.helpers import VERIFIED, day, every_page, ok, read
from tests.evidence import pdf, upload
from tests.world import TREE, World

serial = itertools.count(1)
months = itertools.count()


@dataclass(frozen=True, eq=False)
class Side:
    """A tenant: its admin; a hand that claims for anybody, so that the admin's four eyes stay good; its units.

    `service` is there for what no call does: turning the clock.
    """

    admin: httpx.AsyncClient
    hand: httpx.AsyncClient
    units: dict[str, str]
    ledger_id: str
    service: Service


@dataclass(frozen=True)
class Place:
    side: Side
    unit: str
    """The unit's code, the same on every side."""

    @property
    def id(self) -> str:
        return self.side.units[self.unit]


@dataclass(frozen=True)
class Asked:
    """A call. `shows` is the id of the row that a list must hold, or must not. `table` is a file instead of a body."""

    method: str
    path: str
    json: Any = None
    version: int | None = None
    shows: str | None = None
    table: str | None = None

    async def by(self, client: httpx.AsyncClient, **headers: str) -> httpx.Response:
        if self.version is not None:
            headers["If-Match"] = f'"{self.version}"'
        if self.table is not None:
            return await client.request(self.method, self.path, files={"file": self.table.encode()}, headers=headers)
        return await client.request(self.method, self.path, json=self.json, headers=headers)


Builder = Callable[[Side, Place], Awaitable[Asked]]
CALLS: dict[str, Builder] = {}
NAMES: dict[str, str] = {}
"""Of the builders whose place is named in the body or the query: where it is named."""


def call(name: str, names: str | None = None) -> Callable[[Builder], Builder]:
    def keep(builder: Builder) -> Builder:
        CALLS[name] = builder
        if names is not None:
            NAMES[name] = names
        return builder

    return keep


async def side(world: World, admin: httpx.AsyncClient) -> Side:
    """The side of an admin; its tree is hung where it is not there yet."""
    listed = ok(await admin.get("/v1/units", params={"limit": 200}))["items"]
    units = {unit["code"]: unit["id"] for unit in listed}
    for code, name, parent, level in TREE:
        if code not in units:
            body = {"code": code, "name": name, "parent": parent, "level": level}
            units[code] = ok(await admin.post("/v1/units", json=body), 201)["id"]
    hand = world.with_key(await key_for(admin, "responsible", "root"))
    (ledger,) = (row for row in ok(await admin.get("/v1/ledgers"))["items"] if row["code"] == "default")
    return Side(admin, hand, units, ledger["id"], world.service)


async def key_for(admin: httpx.AsyncClient, role: str, unit: str) -> str:
    """The key of a new principal with one grant."""
    kind = "platform" if role == "platform" else "person"
    made = ok(await admin.post("/v1/principals", json={"name": f"{role} {next(serial)}", "kind": kind}), 201)
    ok(await admin.post(f"/v1/principals/{made['id']}/grants", json={"role": role, "unit": unit}), 201)
    key: str = ok(await admin.post(f"/v1/principals/{made['id']}/keys", json={}), 201)["key"]
    return key


async def regrant(world: World, client: httpx.AsyncClient, role: str | None = None, unit: str = "t1") -> None:
    """Take every grant of a caller away, and give it another one or none; effective at once."""
    me = (await read(client, "/v1/me"))["principal_id"]
    for grant in await every_page(world.admin, f"/v1/principals/{me}/grants"):
        ended = await world.admin.delete(f"/v1/principals/{me}/grants/{grant['id']}")
        assert ended.status_code == 204, ended.text
    if role is not None:
        ok(await world.admin.post(f"/v1/principals/{me}/grants", json={"role": role, "unit": unit}), 201)
    world.app.state.doorkeeper.forget_everyone()


# -- items


async def item_at(at: Place, **given: Any) -> dict[str, Any]:
    body = {"ledger": "default", "title": f"饮水管网漏损 {next(serial)}", "responsible_unit": at.unit, **given}
    made: dict[str, Any] = ok(await at.side.admin.post("/v1/items", json=body), 201)
    return made


def firing(item_id: str, trigger: str, **given: Any) -> Asked:
    return Asked("POST", f"/v1/items/{item_id}/transitions", {"trigger": trigger, **given})


async def moved(at: Place, *triggers: str, **given: Any) -> dict[str, Any]:
    """An item that went through these triggers, its responsible side moved by the hand."""
    item = await item_at(at, **given)
    for trigger in triggers:
        if trigger == "record":
            ok(await recording(item["interview_id"]).by(at.side.admin))
        else:
            by = at.side.hand if trigger == "claim" else at.side.admin
            item = ok(await firing(item["id"], trigger, **INPUT[trigger]).by(by))
    return item


INPUT: dict[str, dict[str, Any]] = {
    "claim": {"signed_by": "张三"},
    "extend": {"due_on": day(90), "reason": "汛期无法施工"},
    "close": {"verification": VERIFIED},
    "escalate": {"reason": "逾期未整改"},
    "resume": {"due_on": day(20)},
    "transfer": {"responsible_unit": "d1", "reason": "职责不符"},
    "reopen": {"due_on": day(20), "reason": "回头看发现反弹"},
    "annul": {"reason": "经核实不属实"},
}

BEFORE: dict[str, tuple[str, ...]] = {
    "claim": (),
    "extend": ("claim",),
    "close": ("claim",),
    "escalate": ("claim",),
    "resume": ("claim", "escalate", "record"),
    "transfer": (),
    "reopen": ("claim", "close"),
    "annul": (),
}


def recording(interview_id: str) -> Asked:
    body = {"held_on": day(0), "attendees": ["王强"], "minutes": "责成十日内完成整改"}
    return Asked("POST", f"/v1/interviews/{interview_id}/record", body)


def listing(at: Place, **given: Any) -> dict[str, Any]:
    return {"ledger": "default", "title": f"成批 {next(serial)}", "responsible_unit_id": at.id, **given}


@call("create_item", "/responsible_unit_id")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/items", listing(at))


@call("create_item: supervising unit", "/supervising_unit_id")
async def _(base: Side, at: Place) -> Asked:
    responsible = Place(base, "t2v1" if at.unit == "t1v1" else "t1v1")
    return Asked("POST", "/v1/items", listing(responsible, supervising_unit_id=at.id))


@call("create_item: co-unit", "/co_unit_ids/0")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/items", listing(Place(base, "t1v2"), co_unit_ids=[at.id]))


@call("create_item: ledger", "/ledger_id")
async def _(base: Side, at: Place) -> Asked:
    ledger = await ledger_at(at)
    body = listing(Place(base, "t1v1"), ledger_id=ledger["id"])
    del body["ledger"]
    return Asked("POST", "/v1/items", body)


@call("create_items", "/items/1/responsible_unit_id")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/items/batch", {"items": [listing(Place(base, "t1v1")), listing(at)]})


@call("list_items")
async def _(base: Side, at: Place) -> Asked:
    label = f"标{next(serial)}"
    item = await item_at(at, labels=[label])
    return Asked("GET", f"/v1/items?label={label}", shows=item["id"])


@call("list_items: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items?unit={at.id}&limit=1")


@call("list_items: supervising unit", "/query/supervising_unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items?supervising_unit={at.id}&limit=1")


@call("list_items: ledger", "/query/ledger")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items?ledger={(await ledger_at(at))['id']}&limit=1")


@call("list_overdue")
async def _(base: Side, at: Place) -> Asked:
    item = await item_at(at, due_on=day(-5))
    return Asked("GET", "/v1/overdue?limit=200", shows=item["id"])


@call("get_item")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items/{(await item_at(at))['id']}")


@call("update_item")
async def _(base: Side, at: Place) -> Asked:
    return Asked("PATCH", f"/v1/items/{(await item_at(at))['id']}", {"title": "更正"}, version=1)


@call("update_item: measures")
async def _(base: Side, at: Place) -> Asked:
    body = {"measures": "更换老旧管道", "responsible_person": "张三"}
    return Asked("PATCH", f"/v1/items/{(await item_at(at))['id']}", body, version=1)


@call("update_item: co-unit", "/co_unit_ids/0")
async def _(base: Side, at: Place) -> Asked:
    item = await item_at(Place(base, "t1v2"))
    return Asked("PATCH", f"/v1/items/{item['id']}", {"co_unit_ids": [at.id]}, version=1)


@call("create_item_redaction")
async def _(base: Side, at: Place) -> Asked:
    item = await item_at(at, description="王某的电话")
    return Asked("POST", f"/v1/items/{item['id']}/redactions", {"fields": ["description"], "reason": "当事人申请"})


@call("delete_item_contact")
async def _(base: Side, at: Place) -> Asked:
    item = await item_at(at, source={"kind": "petition", "contact": "王某"})
    return Asked("DELETE", f"/v1/items/{item['id']}/contact")


@call("list_item_events")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items/{(await item_at(at))['id']}/events")


@call("list_item_transitions")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items/{(await item_at(at))['id']}/transitions")


@call("list_item_progress")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items/{(await item_at(at))['id']}/progress")


@call("create_item_progress")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/items/{(await item_at(at))['id']}/progress", {"text": "已开工", "percent": 10})


async def attachment_at(at: Place) -> dict[str, Any]:
    """What hangs on an item there, uploaded by its side's admin."""
    item, made = await item_at(at), await upload(at.side.admin, pdf())
    body = {"text": "见附件", "attachment_ids": [made["id"]]}
    ok(await at.side.admin.post(f"/v1/items/{item['id']}/progress", json=body), 201)
    return await read(at.side.admin, f"/v1/attachments/{made['id']}")  # type: ignore[no-any-return]


@call("create_attachment")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/attachments", table=pdf().decode())


@call("get_attachment")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/attachments/{(await attachment_at(at))['id']}")


@call("get_attachment_content")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/attachments/{(await attachment_at(at))['id']}/content")


@call("list_item_attachments")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/items/{(await attachment_at(at))['item_id']}/attachments")


def _trigger(trigger: str) -> None:
    @call(f"create_item_transition: {trigger}")
    async def _(base: Side, at: Place) -> Asked:
        item = await moved(at, *BEFORE[trigger])
        return firing(item["id"], trigger, **INPUT[trigger])


for _each in INPUT:
    _trigger(_each)


@call("create_item_transition: transfer to", "/responsible_unit_id")
async def _(base: Side, at: Place) -> Asked:
    item = await item_at(Place(base, "t1v2"))
    return firing(item["id"], "transfer", responsible_unit_id=at.id, reason="职责不符")


@call("create_item_transition: transfer under", "/supervising_unit_id")
async def _(base: Side, at: Place) -> Asked:
    item = await item_at(Place(base, "t1v2"))
    target = base.units["d1"]
    return firing(item["id"], "transfer", responsible_unit_id=target, supervising_unit_id=at.id, reason="职责不符")


@call("create_item_transition: duplicate of", "/duplicate_of")
async def _(base: Side, at: Place) -> Asked:
    twin, item = await item_at(at), await item_at(Place(base, "t1v1"))
    return firing(item["id"], "annul", reason="重复", duplicate_of=twin["id"])


# -- the log, which is the tenant's


@call("list_events: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/events?unit={at.id}")


@call("list_events")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/events")


# -- statistics


@call("get_statistics")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/statistics?by=unit")


@call("get_statistics: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics?by=month&unit={at.id}")


@call("get_statistics: ledger", "/query/ledger")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics?by=source&ledger={(await ledger_at(at))['id']}")


@call("get_statistics_items")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/statistics/items?metric=listed")


@call("get_statistics_items: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics/items?metric=closed&unit={at.id}&subtree=false")


@call("get_statistics_items: ledger", "/query/ledger")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics/items?metric=overdue&ledger={(await ledger_at(at))['id']}")


async def report_at(at: Place) -> dict[str, Any]:
    made: dict[str, Any] = ok(await publishing(at).by(at.side.admin), 201)
    return made


def publishing(at: Place, **given: Any) -> Asked:
    """A month that nobody has published yet."""
    years, month = divmod(next(months), 12)
    return Asked(
        "POST", "/v1/statistics/reports", {"month": f"{1900 + years}-{month + 1:02}", "unit_id": at.id, **given}
    )


@call("create_report", "/unit_id")
async def _(base: Side, at: Place) -> Asked:
    return publishing(at)


@call("create_report: ledger", "/ledger_id")
async def _(base: Side, at: Place) -> Asked:
    return publishing(Place(base, "t1"), ledger_id=(await ledger_at(at))["id"])


@call("list_reports")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/statistics/reports?limit=200", shows=(await report_at(at))["id"])


@call("list_reports: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics/reports?unit={at.id}")


@call("list_reports: ledger", "/query/ledger")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics/reports?ledger={(await ledger_at(at))['id']}")


@call("get_report")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics/reports/{(await report_at(at))['id']}")


@call("get_report_xlsx")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics/reports/{(await report_at(at))['id']}.xlsx")


@call("get_report_corrections")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/statistics/reports/{(await report_at(at))['id']}/corrections")


@call("get_log_checkpoint")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/log/checkpoint")


@call("get_log_inclusion")
async def _(base: Side, at: Place) -> Asked:
    await sequencer.run_until_done(base.service)
    return Asked("GET", "/v1/log/proof/inclusion?position=1")


@call("get_log_consistency")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/log/proof/consistency?from=0")


@call("get_log_receipt")
async def _(base: Side, at: Place) -> Asked:
    await sequencer.run_until_done(base.service)
    return Asked("GET", "/v1/log/receipt?position=1")


@call("create_log_checkpoint")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/log/checkpoints")


# -- interviews


@call("list_interviews")
async def _(base: Side, at: Place) -> Asked:
    item = await moved(at, "escalate")
    return Asked("GET", "/v1/interviews?limit=200", shows=item["interview_id"])


@call("get_interview")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/interviews/{(await moved(at, 'escalate'))['interview_id']}")


@call("record_interview")
async def _(base: Side, at: Place) -> Asked:
    return recording((await moved(at, "escalate"))["interview_id"])


# -- ledgers and units


async def ledger_at(at: Place) -> dict[str, Any]:
    body = {"code": f"a{next(serial)}", "name": "饮水台账", "owner_unit_id": at.id}
    made: dict[str, Any] = ok(await at.side.admin.post("/v1/ledgers", json=body), 201)
    return made


@call("create_ledger", "/owner_unit_id")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/ledgers", {"code": f"b{next(serial)}", "name": "饮水台账", "owner_unit_id": at.id})


@call("list_ledgers")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/ledgers?limit=200", shows=(await ledger_at(at))["id"])


@call("get_ledger")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/ledgers/{(await ledger_at(at))['id']}")


@call("update_ledger")
async def _(base: Side, at: Place) -> Asked:
    return Asked("PATCH", f"/v1/ledgers/{(await ledger_at(at))['id']}", {"name": "改名"}, version=1)


@call("update_ledger: owner", "/owner_unit_id")
async def _(base: Side, at: Place) -> Asked:
    ledger = await ledger_at(Place(base, "d1"))
    return Asked("PATCH", f"/v1/ledgers/{ledger['id']}", {"owner_unit_id": at.id}, version=1)


# The tenant's own, whatever the place. A year that no deadline of the tests reaches.


@call("get_calendar")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/calendars/2190")


@call("update_calendar")
async def _(base: Side, at: Place) -> Asked:
    holidays = [f"2190-{1 + next(serial) % 12:02}-10"]
    return Asked("PUT", "/v1/calendars/2190", {"workdays": [], "holidays": holidays, "complete": False})


@call("create_unit", "/parent_id")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/units", {"code": f"u{next(serial)}", "name": "某村", "parent_id": at.id})


@call("import_units")
async def _(base: Side, at: Place) -> Asked:
    table = f"编码,名称,上级编码\nu{next(serial)},某村,{at.unit}\n"
    return Asked("POST", "/v1/units/import", table=table)


@call("list_units")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/units?limit=200", shows=at.id)


@call("get_unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/units/{at.id}")


async def unit_at(at: Place) -> dict[str, Any]:
    """A new unit that hangs under the place."""
    body = {"code": f"v{next(serial)}", "name": "某村", "parent": at.unit}
    made: dict[str, Any] = ok(await at.side.admin.post("/v1/units", json=body), 201)
    return made


@call("update_unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("PATCH", f"/v1/units/{(await unit_at(at))['id']}", {"name": "改名"}, version=1)


@call("update_unit: parent", "/parent_id")
async def _(base: Side, at: Place) -> Asked:
    unit = await unit_at(Place(base, "t1v2"))
    return Asked("PATCH", f"/v1/units/{unit['id']}", {"parent_id": at.id}, version=1)


@call("update_unit: heir", "/transfer_to_id")
async def _(base: Side, at: Place) -> Asked:
    unit = await unit_at(Place(base, "t1v2"))
    await item_at(Place(replace(base, units={**base.units, unit["code"]: unit["id"]}), unit["code"]))
    return Asked("PATCH", f"/v1/units/{unit['id']}", {"active": False, "transfer_to_id": at.id}, version=1)


@call("get_unit_tree")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/units/{at.id}/tree")


@call("list_units: parent", "/query/parent")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/units?parent={at.id}&limit=1")


# -- hooks


async def hook_at(at: Place) -> str:
    """The id of a hook of a department to the place."""
    body = {"label": "县直部门包村", "department": "d1"}
    made: str = ok(await at.side.admin.post(f"/v1/units/{at.id}/hooks", json=body), 201)["id"]
    return made


@call("create_unit_hook")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/units/{at.id}/hooks", {"label": "县直部门包村", "department": "d1"})


@call("create_unit_hook: department", "/department_id")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/units/{base.units['t1v2']}/hooks", {"label": "包村", "department_id": at.id})


@call("create_unit_hook: leader", "/principal_id")
async def _(base: Side, at: Place) -> Asked:
    body = {"label": "县领导包村", "principal_id": (await principal_at(at))["id"]}
    return Asked("POST", f"/v1/units/{base.units['t1v2']}/hooks", body)


@call("list_unit_hooks")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/units/{at.id}/hooks?limit=200", shows=await hook_at(at))


@call("list_hooks")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/hooks?limit=200", shows=await hook_at(at))


@call("list_hooks: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/hooks?unit={at.id}&limit=1")


@call("list_hooks: department", "/query/department")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/hooks?department={at.id}&limit=1")


@call("end_hook")
async def _(base: Side, at: Place) -> Asked:
    return Asked("DELETE", f"/v1/hooks/{await hook_at(at)}")


# -- issuers, principals, keys, grants


async def principal_at(at: Place, kind: str = "person") -> dict[str, Any]:
    """A principal whose grant lies at the place."""
    body = {"name": f"李明 {next(serial)}", "kind": kind, "external_id": f"liming-{next(serial)}"}
    made: dict[str, Any] = ok(await at.side.admin.post("/v1/principals", json=body), 201)
    await grant_at(at, made["id"])
    return made


async def grant_at(at: Place, principal_id: str) -> str:
    body = {"role": "viewer", "unit": at.unit}
    made: str = ok(await at.side.admin.post(f"/v1/principals/{principal_id}/grants", json=body), 201)["id"]
    return made


async def key_at(at: Place) -> tuple[str, str]:
    """(principal, key) at the place."""
    principal = (await principal_at(at))["id"]
    return principal, ok(await at.side.admin.post(f"/v1/principals/{principal}/keys", json={}), 201)["id"]


async def issuer_at(at: Place) -> dict[str, Any]:
    """A provider that the place's tenant trusts, by an address that needs no name to be looked up."""
    body = {"issuer": f"https://1.1.1.1/realms/{next(serial)}", "audience": "xiaohao"}
    made: dict[str, Any] = ok(await at.side.admin.post("/v1/issuers", json=body), 201)
    return made


@call("create_issuer")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/issuers", {"issuer": f"https://1.1.1.1/new/{next(serial)}", "audience": "xiaohao"})


@call("list_issuers")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/issuers?limit=200", shows=(await issuer_at(at))["id"])


@call("get_issuer")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/issuers/{(await issuer_at(at))['id']}")


@call("update_issuer")
async def _(base: Side, at: Place) -> Asked:
    return Asked("PATCH", f"/v1/issuers/{(await issuer_at(at))['id']}", {"algorithms": ["ES256"]}, version=1)


@call("delete_issuer")
async def _(base: Side, at: Place) -> Asked:
    return Asked("DELETE", f"/v1/issuers/{(await issuer_at(at))['id']}")


async def webhook_at(at: Place) -> dict[str, Any]:
    """An admin's webhook, narrowed to the place's unit, to a name that nobody has."""
    body = {"url": f"https://hook.invalid/{next(serial)}", "types": ["item.*"], "unit_id": at.id}
    made: dict[str, Any] = ok(await at.side.admin.post("/v1/webhooks", json=body), 201)
    return made


@call("create_webhook")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/webhooks", {"url": f"https://hook.invalid/{next(serial)}", "types": ["*"]})


@call("create_webhook: unit", "/unit_id")
async def _(base: Side, at: Place) -> Asked:
    body = {"url": f"https://hook.invalid/{next(serial)}", "types": ["item.created"], "unit_id": at.id}
    return Asked("POST", "/v1/webhooks", body)


@call("list_webhooks")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/webhooks?limit=200", shows=(await webhook_at(at))["id"])


@call("get_webhook")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/webhooks/{(await webhook_at(at))['id']}")


@call("update_webhook")
async def _(base: Side, at: Place) -> Asked:
    return Asked("PATCH", f"/v1/webhooks/{(await webhook_at(at))['id']}", {"types": ["*"]}, version=1)


@call("delete_webhook")
async def _(base: Side, at: Place) -> Asked:
    return Asked("DELETE", f"/v1/webhooks/{(await webhook_at(at))['id']}")


@call("create_webhook_secret")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/webhooks/{(await webhook_at(at))['id']}/rotate", {})


@call("create_webhook_ping")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/webhooks/{(await webhook_at(at))['id']}/ping", {})


@call("create_webhook_replay")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/webhooks/{(await webhook_at(at))['id']}/replay", {"after": 0})


@call("list_webhook_deliveries")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/webhooks/{(await webhook_at(at))['id']}/deliveries")


async def channel_at(at: Place) -> dict[str, Any]:
    """An admin's channel to the place's unit, at a platform."""
    body = {"kind": "feishu", "unit_id": at.id, "url": robot_url()}
    made: dict[str, Any] = ok(await at.side.admin.post("/v1/channels", json=body), 201)
    return made


def robot_url() -> str:
    """A robot that is nowhere, at its platform, which no test calls."""
    return f"https://open.feishu.cn/open-apis/bot/v2/hook/0a1b2c3d-{next(serial)}"


@call("create_channel", "/unit_id")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/channels", {"kind": "feishu", "unit_id": at.id, "url": robot_url()})


@call("list_channels")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/channels?limit=200", shows=(await channel_at(at))["id"])


@call("get_channel")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/channels/{(await channel_at(at))['id']}")


@call("update_channel")
async def _(base: Side, at: Place) -> Asked:
    return Asked("PATCH", f"/v1/channels/{(await channel_at(at))['id']}", {"locale": "en"}, version=1)


@call("update_channel: unit", "/unit_id")
async def _(base: Side, at: Place) -> Asked:
    made = await channel_at(Place(base, "t1"))
    return Asked("PATCH", f"/v1/channels/{made['id']}", {"unit_id": at.id, "locale": "en"}, version=1)


@call("delete_channel")
async def _(base: Side, at: Place) -> Asked:
    return Asked("DELETE", f"/v1/channels/{(await channel_at(at))['id']}")


@call("create_channel_ping")
async def _(base: Side, at: Place) -> Asked:
    # The service finds no name from here on: the platform is left in peace.
    at.side.service.sender = Sender(Guard(lookup=_nobody))
    return Asked("POST", f"/v1/channels/{(await channel_at(at))['id']}/ping", {})


async def _nobody(host: str, port: int) -> list[str]:
    raise OSError(host)


@call("create_channel_replay")
async def _(base: Side, at: Place) -> Asked:
    made = await channel_at(at)
    told = await message_of(at, made["id"])
    return Asked("POST", f"/v1/channels/{made['id']}/replay", {"delivery_id": told})


@call("list_channel_deliveries")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/channels/{(await channel_at(at))['id']}/deliveries")


async def message_of(at: Place, channel_id: str) -> str:
    """A message that waits for a channel: a notice to its unit."""
    item = await item_at(at)
    body = {"kind": "urging", "unit_id": at.id, "item_ids": [item["id"]]}
    ok(await at.side.admin.post("/v1/notices", json=body), 201)
    await sequencer.run_until_done(at.side.service)
    # Whatever else of the place got its position just now is told as well.
    told = (await read(at.side.admin, f"/v1/channels/{channel_id}/deliveries"))["items"]
    return str(told[0]["id"])


@call("create_principal: login", "/login/issuer_id")
async def _(base: Side, at: Place) -> Asked:
    login = {"issuer_id": (await issuer_at(at))["id"], "subject": f"s{next(serial)}"}
    return Asked("POST", "/v1/principals", {"name": "李明", "kind": "person", "login": login})


@call("create_principal")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/principals", {"name": "李明", "kind": "person", "external_id": f"new-{next(serial)}"})


@call("list_principals")
async def _(base: Side, at: Place) -> Asked:
    made = await principal_at(at)
    return Asked("GET", f"/v1/principals?external_id={made['external_id']}", shows=made["id"])


@call("get_principal")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/principals/{(await principal_at(at))['id']}")


@call("update_principal")
async def _(base: Side, at: Place) -> Asked:
    return Asked("PATCH", f"/v1/principals/{(await principal_at(at))['id']}", {"name": "李明明"}, version=1)


@call("update_principal: delegates", "/delegates/0")
async def _(base: Side, at: Place) -> Asked:
    platform, person = await principal_at(at, "platform"), await principal_at(Place(base, "t1"))
    return Asked("PATCH", f"/v1/principals/{person['id']}", {"delegates": [platform["id"]]}, version=1)


@call("delete_principal")
async def _(base: Side, at: Place) -> Asked:
    return Asked("DELETE", f"/v1/principals/{(await principal_at(at))['id']}")


@call("create_principal_key")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", f"/v1/principals/{(await principal_at(at))['id']}/keys", {})


@call("list_principal_keys")
async def _(base: Side, at: Place) -> Asked:
    principal, key = await key_at(at)
    return Asked("GET", f"/v1/principals/{principal}/keys", shows=key)


@call("revoke_principal_key")
async def _(base: Side, at: Place) -> Asked:
    principal, key = await key_at(at)
    return Asked("DELETE", f"/v1/principals/{principal}/keys/{key}")


@call("create_principal_grant")
async def _(base: Side, at: Place) -> Asked:
    principal = (await principal_at(at))["id"]
    return Asked("POST", f"/v1/principals/{principal}/grants", {"role": "viewer", "unit": at.unit})


@call("create_principal_grant: unit", "/unit_id")
async def _(base: Side, at: Place) -> Asked:
    principal = (await principal_at(Place(base, "t1")))["id"]
    return Asked("POST", f"/v1/principals/{principal}/grants", {"role": "viewer", "unit_id": at.id})


@call("list_principal_grants")
async def _(base: Side, at: Place) -> Asked:
    principal = (await principal_at(at))["id"]
    return Asked("GET", f"/v1/principals/{principal}/grants", shows=await grant_at(at, principal))


@call("end_principal_grant")
async def _(base: Side, at: Place) -> Asked:
    principal = (await principal_at(at))["id"]
    return Asked("DELETE", f"/v1/principals/{principal}/grants/{await grant_at(at, principal)}")


@call("get_me")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/me")


# The calls about requests, notices and the clock, and about imports register themselves.
# The calls about requests, notices, the clock and files register themselves.
from tests.api import (  # noqa: E402, F401
    calls_clock,
    calls_files,
    calls_imports,
)
