"""One good call of every operation on imports; see calls.py, which brings these in."""

from tests.api.calls import Asked, Place, Side, call, ledger_at, serial
from tests.api.helpers import ok


def table(unit: str) -> str:
    """A ledger of two rows, of which the second is refused."""
    return f"存在问题,责任单位\n导入的问题 {next(serial)},{unit}\n没有单位,\n"


async def import_at(at: Place) -> str:
    """The id of an import by the place's admin."""
    files = {"file": table(at.unit).encode()}
    made = ok(await at.side.admin.post("/v1/imports", params={"ledger": "default"}, files=files))
    return str(made["id"])


@call("import_items")
async def _(base: Side, at: Place) -> Asked:
    return Asked("POST", "/v1/imports?ledger=default", table=table(at.unit))


@call("import_items: ledger", "/query/ledger")
async def _(base: Side, at: Place) -> Asked:
    ledger = (await ledger_at(at))["id"]
    return Asked("POST", f"/v1/imports?ledger={ledger}", table=table("t1v1"))


@call("import_items: parent", "/query/parent")
async def _(base: Side, at: Place) -> Asked:
    path = f"/v1/imports?ledger=default&unknown_units=create&parent={at.id}"
    return Asked("POST", path, table=table(f"新单位{next(serial)}"))


@call("get_import")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/imports/{await import_at(at)}")


@call("get_refused_rows")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/imports/{await import_at(at)}/refused.xlsx")


@call("get_deadline_words")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/deadline-words?text=立行立改")
