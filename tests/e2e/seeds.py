"""What is made for Schemathesis beforehand: things in every state, so that every operation has something to succeed on.

What an operation uses up (a request is decided once) it has some of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time
from time import sleep
from typing import Any

import httpx

from service.workflow.calendar import BASE
from tests.api.helpers import today
from tests.commands import xiaohao
from tests.evidence import pdf
from tests.servers import Server

EACH = 4
"""How many there are of what an operation uses up."""

CLAIM = {"trigger": "claim", "signed_by": "张伟"}
ESCALATE = {"trigger": "escalate", "reason": "逾期未整改"}
CLOSE = {
    "trigger": "close",
    "verification": {"method": "on_site", "on": "2026-01-05", "note": "现场核验，供水正常"},
}
DRAFTED = {
    "code": "claim-urge", "anchor": "claim_due", "offset": 0, "states": ["open"], "action": "urge",
    "notify": ["responsible"], "confirm": True,
}  # fmt: skip


class Maker:
    """A client of a running server that expects whatever it makes to be made."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self._number = 0

    def made(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def item(self, *moves: dict[str, Any], **given: Any) -> dict[str, Any]:
        """An item of t1v1 that went through these triggers."""
        self._number += 1
        body = {"ledger": "drink", "title": f"饮水管网漏损 {self._number}", "responsible_unit": "t1v1", **given}
        listed = self.made("/v1/items", **body)
        for move in moves:
            listed = self.made(f"/v1/items/{listed['id']}/transitions", **move)
        return listed

    def attachment(self) -> str:
        """The id of a file that hangs nowhere yet."""
        answer = self.client.post("/v1/attachments", files={"file": ("验收单.pdf", pdf())})
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    def talk(self) -> str:
        """The id of an interview that is yet to be held."""
        return str(self.item(CLAIM, ESCALATE)["interview_id"])

    def notice(self) -> str:
        """The id of a notice that nobody has signed for."""
        body = {"kind": "urging", "unit": "t1v1", "item_ids": [self.item()["id"]]}
        return str(self.made("/v1/notices", **body)["id"])


@contextmanager
def _maker(server: Server, key: str) -> Iterator[Maker]:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as client:
        yield Maker(client)


def seeds(server: Server) -> dict[str, list[str]]:
    """What the requests may name: ids and codes by the name of the dictionary that holds them."""
    with _maker(server, server.admin_key) as maker:
        return _organisation(maker) | _items(maker) | _work(server, maker)


def _ids(rows: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in rows]


def _organisation(maker: Maker) -> dict[str, list[str]]:
    made = maker.made
    town = made("/v1/units", code="t1", name="青溪镇", parent="root", level="town")
    village = made("/v1/units", code="t1v1", name="青溪村", parent="t1", level="village")
    ledger = made("/v1/ledgers", code="drink", name="饮水安全台账", policy={"closure": {"four_eyes": False}})
    people = [made("/v1/principals", name=f"王干事{number}", kind="person") for number in range(6)]
    for each in people:
        each["keys"] = [made(f"/v1/principals/{each['id']}/keys") for _ in range(3)]
    spare = [made("/v1/units", code=f"spare{number}", name="机动组", parent="root") for number in range(4)]
    issuers = [
        made("/v1/issuers", issuer=f"https://192.0.32.{number}/realms/county", audience="xiaohao")
        for number in range(1, 7)
    ]
    return {
        "units": _ids([town, village]),
        "unit_codes": ["t1", "t1v1"],
        "spare_units": _ids(spare),
        "ledgers": [ledger["id"]],
        "ledger_codes": ["drink", "default"],
        "principals": _ids(people[:3]),
        "leavers": _ids(people[3:]),
        "keys": [f"{each['id']}/{key['id']}" for each in people[:3] for key in each["keys"]],
        "issuers": _ids(issuers[:3]),
        "distrusted": _ids(issuers[3:]),
        "problems": ["guard_refused", "not_found"],
        "webhooks": _webhooks(maker, 3),
        "to_drop": _webhooks(maker, 3),
        "channels": _channels(maker, 3),
        "channels_to_drop": _channels(maker, 3),
        "imports": _imports(maker, 3),
    }


def _webhooks(maker: Maker, count: int) -> list[str]:
    """Endpoints with a name that nobody has: what is sent there comes to nothing."""
    body = {"url": "https://hook.invalid/county", "types": ["item.*"]}
    return _ids([maker.made("/v1/webhooks", **body) for _ in range(count)])


def _imports(maker: Maker, count: int) -> list[str]:
    """Imports, each with a row that was listed and one that was refused."""
    ids = []
    for number in range(count):
        files = {"file": ("ledger.csv", f"problem,unit\nSeed {number},t1v1\n,t1v1\n".encode())}
        answer = maker.client.post("/v1/imports", params={"ledger": "drink"}, files=files)
        assert answer.is_success, answer.text
        ids.append(str(answer.json()["id"]))
    return ids


def _channels(maker: Maker, count: int) -> list[str]:
    """Robots where nobody listens."""
    hook = "http://127.0.0.9:9/open-apis/bot/v2/hook/0a1b2c3d"
    return _ids([maker.made("/v1/channels", kind="feishu", unit="t1", url=hook) for _ in range(count)])


def _items(maker: Maker) -> dict[str, list[str]]:
    states = [(), (CLAIM,), (CLAIM, ESCALATE)]
    items = [maker.item(*moves) for moves in states for _ in range(8)]
    items += [maker.item(CLAIM, CLOSE) for _ in range(4)]
    evidence = [maker.attachment() for _ in range(EACH)]
    told = maker.item()
    maker.made(f"/v1/items/{told['id']}/progress", text="见附件", attachment_ids=evidence)
    return {
        "attachments": evidence,
        "items": _ids([*items, told]),
        "interviews": [each["interview_id"] for each in items if each["interview_id"]],
        # These are named by no other request: nobody moves them away.
        "told": _ids([maker.item() for _ in range(EACH)]),
        "to_ask": _ids([maker.item(CLAIM) for _ in range(2 * EACH)]),
        "standing": _ids(
            [maker.item(deadline={"kind": "standing"}, listed_at="2020-01-05T02:00:00Z") for _ in range(EACH)]
        ),
    }


def _work(server: Server, maker: Maker) -> dict[str, list[str]]:
    """Requests, notices, interviews and drafts that are waiting."""
    person = maker.made("/v1/principals", name="张村长", kind="person")["id"]
    maker.made(f"/v1/principals/{person}/grants", role="responsible", unit="t1v1")
    with _maker(server, maker.made(f"/v1/principals/{person}/keys")["key"]) as villager:

        def request(kind: str, **given: Any) -> str:
            item = maker.item(CLAIM)
            return str(villager.made(f"/v1/items/{item['id']}/requests", kind=kind, **given)["id"])

        closures = [request("closure", summary="已全部更换") for _ in range(3 * EACH)]
        transfers = [request("transfer", reason="职责不符", responsible_unit="t1") for _ in range(EACH)]
    drafted = []
    for number in range(EACH):
        maker.made("/v1/ledgers", code=f"draft{number}", name="签发台账", policy={"ladder": [DRAFTED]})
        drafted.append(maker.item(ledger=f"draft{number}"))
    _turn_the_clock(server)
    drafts = [
        each["id"]
        for item in drafted
        for each in maker.client.get("/v1/notices", params={"item_id": item["id"]}).json()["items"]
    ]
    assert len(drafts) == EACH
    return {
        "messages": [_message(maker)],
        "requests": closures[:EACH],
        "to_withdraw": closures[EACH : 2 * EACH],
        "to_decide": [*closures[2 * EACH :], *transfers],
        "drafts": drafts,
        "notices": [maker.notice() for _ in range(EACH)],
        "to_sign": [maker.notice() for _ in range(EACH)],
        "to_cancel": [maker.notice() for _ in range(EACH)],
        "to_schedule": [maker.talk() for _ in range(EACH)],
        "to_record": [maker.talk() for _ in range(2 * EACH)],
    }


def _message(maker: Maker) -> str:
    """A channel with a message that waits for it: channel/delivery. The server's workers have made it by then."""
    hook = "http://127.0.0.9:9/open-apis/bot/v2/hook/0a1b2c3d"
    channel = maker.made("/v1/channels", kind="feishu", unit="t1v1", url=hook)["id"]
    maker.notice()
    for _ in range(100):
        found = maker.client.get(f"/v1/channels/{channel}/deliveries").json()["items"]
        if found:
            return f"{channel}/{found[0]['id']}"
        sleep(0.2)
    raise AssertionError("no message within twenty seconds")


def _turn_the_clock(server: Server) -> None:
    """To the morning on which the items of the drafting ledgers are due to be claimed; nothing else is due by then."""
    at = f"{datetime.combine(BASE.add(today(), 2), time(9, 30)).isoformat()}+08:00"
    done = xiaohao(server.environment(), server.home, "clock", "--at", at)
    assert done.returncode == 0, done.stdout + done.stderr
