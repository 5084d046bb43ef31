"""Real ledgers on the county's desk: imported, signed for, extended, talked about and closed, all through the API.

Unlike the invented county, whose past is made up, everything here happens today: what a ledger says was due years ago
is overdue the moment it is listed. Which item meets which fate follows from what its row says.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

FILES = Path(__file__).with_name("ledgers")

LEDGERS = (
    ("ducha", "督察整改台账", "督察", "01_督察整改措施清单.xlsx"),
    ("xiaofang", "火灾隐患整改台账", "消防", "04_整改时限混合写法.xlsx"),
    ("guapai", "挂牌督办台账", "挂牌", "09_挂牌督办台账_UTF8BOM.csv"),
)
"""Codes, names and short names of ledgers, and the files that are imported into them."""

SIGNS = {"urging": "催", "supervision": "督", "warning": "告", "interview": "约", "circular": "通"}
"""Kinds of notices, and what stands before the year in their numbers."""

NAMED_UNITS = {"code": "named", "name": "台账所列单位", "level": "department", "parent": "root"}
"""Under this hang the units that the ledgers name: they are of other counties."""

DONE = ("完成", "达到", "销号", "有效处置", "已立即整改")
"""Words of a progress entry after which closure is asked for."""

LEFT_OPEN = "乌翠区好声音歌厅"
"""A unit that has signed for nothing."""

ZONE = ZoneInfo("Asia/Shanghai")

Json = dict[str, Any]


@dataclass
class Desk:
    """Who sits at it, each with a client of their own; and what was done so far."""

    people: Mapping[str, httpx.AsyncClient]
    now: datetime
    done: dict[str, int] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(ZONE).date()

    async def work(self) -> dict[str, int]:
        """How often what was done."""
        await self._post("admin", "/v1/units", NAMED_UNITS)
        for code, name, short, file in LEDGERS:
            numbers = {kind: f"{short}{sign}〔{{year}}〕{{seq}}号" for kind, sign in SIGNS.items()}
            policy = {"numbers": {"item": f"{short}-{{year}}-{{seq:04}}", **numbers}}
            await self._post("admin", "/v1/ledgers", {"code": code, "name": name, "policy": policy})
            await self._import(code, FILES / file)
        await self._sign()
        await self._close()
        await self._press()
        await self._extend()
        return self.done

    # -- what is done

    async def _import(self, ledger: str, file: Path) -> None:
        content = await asyncio.to_thread(file.read_bytes)
        answer = await self.people["admin"].post(
            "/v1/imports",
            params={"ledger": ledger, "unknown_units": "create", "parent": NAMED_UNITS["code"]},
            files={"file": (file.name, content)},
        )
        report = _made(answer)
        for name in ("created", "refused"):
            self._count(name, report[name])

    async def _sign(self) -> None:
        """The units sign for what they are to put right."""
        named = _made(await self.people["admin"].get("/v1/units", params={"q": LEFT_OPEN}))["items"]
        for item in await self._items(state="open"):
            if item["responsible_unit_id"] not in [unit["id"] for unit in named]:
                await self._fire("responsible", item, "claim", signed_by=item["responsible_person"] or "单位负责人")
                self._count("claimed")

    async def _close(self) -> None:
        """Who has told that it is done asks for closure; another looks and strikes it off."""
        for item in await self._items(state="rectifying"):
            told = _made(await self.people["viewer"].get(f"/v1/items/{item['id']}/progress"))["items"]
            if not any(word in each["text"] for each in told for word in DONE):
                continue
            asked = await self._ask(item, "closure", summary=told[-1]["text"])
            seen = {"method": "on_site", "on": f"{self.today}", "note": "现场核验，与台账所述一致，同意销号。"}
            await self._decide(asked, "approve", verification=seen)
            self._count("closed")

    async def _press(self) -> None:
        """Of the inspection's ledger what is late and not done: who is latest is summoned, the others are told to."""
        late = await self._items("ducha", state="rectifying", overdue="true")
        first, second, *others = late
        talk = await self._summon(first)
        minutes = {
            "held_on": f"{self.today}", "attendees": ["单位主要负责人"], "minutes": "说明逾期原因，明确整改节点。",
            "commitments": "一个月内完成整改。",
        }  # fmt: skip
        await self._post("deputy", f"/v1/interviews/{talk}/record", minutes)
        await self._fire("supervisor", first, "resume", due_on=f"{self.today + timedelta(days=30)}")
        self._count("talked with and resumed")
        await self._summon(second)
        for place, item in enumerate(others):
            order = {
                "kind": "supervision", "unit_id": item["responsible_unit_id"], "item_ids": [item["id"]],
                "text": "请立即组织整改，并于规定期限内书面回复。",
            }  # fmt: skip
            notice = await self._post("supervisor", "/v1/notices", order)
            self._count("supervised by notice")
            if place == 0:
                await self._post("responsible", f"/v1/notices/{notice['id']}/receipt", {"signed_by": "单位办公室"})

    async def _summon(self, item: Json) -> str:
        """Escalate, and say when the talk is to be. The interview's id."""
        escalated = await self._fire("supervisor", item, "escalate", reason="逾期多年未完成整改，约谈主要负责人。")
        talk = str(escalated["interview_id"])
        when = {"at": (self.now + timedelta(hours=1)).isoformat(), "place": "县督查室"}
        await self._post("supervisor", f"/v1/interviews/{talk}/schedule", when)
        self._count("escalated")
        return talk

    async def _extend(self) -> None:
        """Three ask for more time: one is granted it, one refused, one waits."""
        waiting = [item for item in await self._items("guapai", state="rectifying") if not item["overdue"]]
        for item, told in zip(waiting, ("extended", "refused more time", "waiting for a decision"), strict=False):
            later = date.fromisoformat(item["deadline"]["due_on"]) + timedelta(days=20)
            asked = await self._ask(item, "extension", due_on=f"{later}", reason="设备采购周期较长，申请延期。")
            if told == "extended":
                await self._decide(asked, "approve")
            elif told == "refused more time":
                await self._decide(asked, "return", reason="理由不充分，请按期整改。")
            self._count(told)

    # -- how it is said to the API

    async def _items(self, *ledgers: str, **filters: str) -> list[Json]:
        """Items of some ledgers, all of these if none is named; the earliest due first."""
        found: list[Json] = []
        params: dict[str, Any] = {"ledger": ledgers or [code for code, *_ in LEDGERS], "limit": 200, **filters}
        while True:
            page = _made(await self.people["supervisor"].get("/v1/items", params=params))
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            params["cursor"] = page["next_cursor"]

    async def _fire(self, who: str, item: Json, trigger: str, **given: str) -> Json:
        return await self._post(who, f"/v1/items/{item['id']}/transitions", {"trigger": trigger, **given})

    async def _ask(self, item: Json, kind: str, **given: str) -> Json:
        return await self._post("responsible", f"/v1/items/{item['id']}/requests", {"kind": kind, **given})

    async def _decide(self, request: Json, verdict: str, **given: Any) -> Json:
        return await self._post("supervisor", f"/v1/requests/{request['id']}/decision", {"verdict": verdict, **given})

    async def _post(self, who: str, path: str, body: Mapping[str, Any]) -> Json:
        return _made(await self.people[who].post(path, json=body))

    def _count(self, what: str, often: int = 1) -> None:
        self.done[what] = self.done.get(what, 0) + often


def _made(answer: httpx.Response) -> Json:
    """What was answered. Raises RuntimeError with the problem where it was refused."""
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
    made: Json = answer.json()
    return made
