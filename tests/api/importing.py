"""How the tests of imports send a ledger, and what they look at behind it."""

from tests.api.helpers import every_page, ok

HEAD = "序号,存在问题,责任单位,整改措施,整改时限,整改进展\n"


async def load(world, content, name="台账.csv", by=None, key=None, **params):
    content = content.encode() if isinstance(content, str) else content
    headers = {"Idempotency-Key": key} if key else {}
    return await (by or world.admin).post(
        "/v1/imports", files={"file": (name, content)}, params={"ledger": "default", **params}, headers=headers
    )


async def ledger(world, code):
    ok(await world.admin.post("/v1/ledgers", json={"code": code, "name": f"台账 {code}"}), 201)
    return code


async def items_of(world, code, by=None):
    return await every_page(by or world.admin, "/v1/items", ledger=code)


def codes(row, name="errors"):
    return [each["code"] for each in row[name]]


def by_row(report):
    return {row["row"]: row for row in report["rows"]}
