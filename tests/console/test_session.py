"""Signing in and staying in: what the cookie is, what ends it, and that nothing but a key of today opens the door."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from service.actions import sessions
from service.actions.doorkeeper import hash_key
from service.actions.sessions import Session
from tests.api.helpers import ok
from tests.console.desk import ORIGIN, Desk, Page
from tests.world import World

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def cookie_of(answer):
    return next(each for each in answer.headers.get_list("set-cookie") if each.startswith("xiaohao_console="))


async def sign_in(world, key, headers=None, **fields):
    guest = world.with_key(None, **({"Origin": ORIGIN} if headers is None else headers))
    return await guest.post("/console/session", data={"key": key, **fields})


async def test_a_key_opens_a_session(world):
    answer = await sign_in(world, await world.key("supervisor"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    attributes = {each.strip().lower() for each in cookie_of(answer).split(";")[1:]}
    assert attributes == {"httponly", "path=/console", "samesite=lax"}


async def test_over_tls_the_cookie_goes_nowhere_else(world):
    guest = world.with_key(None, Origin="https://xiaohao.test")
    answer = await guest.post("https://xiaohao.test/console/session", data={"key": await world.key("viewer")})
    assert "; Secure" in cookie_of(answer)


async def test_the_cookie_does_not_tell_the_key(world):
    key = await world.key("viewer")
    note = cookie_of(await sign_in(world, key)).partition("=")[2].partition(";")[0]
    session = sessions.opened(world.service, note, datetime.now(UTC))
    assert session is not None and session.digest == hash_key(key)
    assert key not in note and key.encode().hex() not in note and hash_key(key).hex() not in note


@pytest.mark.parametrize("key", ["", "xh_wrong", "钥匙", "a.b.c", "x" * 300, "x\x00y"])
async def test_anything_else_does_not(world, key):
    answer = await sign_in(world, key)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    page = Page(answer)
    assert "密钥无效、已过期或已撤销" in page.text
    assert key not in answer.text or not key


async def test_without_a_session_every_page_leads_to_the_sign_in_and_back(world):
    guest = world.with_key(None)
    answer = await guest.get("/console/items?state=open&q=饮水")
    assert answer.status_code == 303
    page = Page(await guest.get(answer.headers["location"]))
    assert page.form("session").values["next"] == ["/console/items?state=open&q=%E9%A5%AE%E6%B0%B4"]
    key = await world.key("viewer")
    answer = await sign_in(world, key, next="/console/items?state=open&q=%E9%A5%AE%E6%B0%B4")
    assert answer.headers["location"] == "/console/items?state=open&q=%E9%A5%AE%E6%B0%B4"


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/console", "//evil.example/console", "/console\\evil", "/v1/items", "/console/../v1/me",
     "javascript:alert(1)", "//[/console", "/consoles", "/console/\r\nSet-Cookie: a=b", ""],
)  # fmt: skip
async def test_it_leads_nowhere_but_into_the_console(world, wanted):
    answer = await sign_in(world, await world.key("viewer"), next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


async def test_a_revoked_key_ends_its_session_at_once(world):
    named = ok(await world.admin.post("/v1/principals", json={"name": "临时人员", "kind": "person"}), 201)
    body = {"role": "viewer", "unit_id": world.units["root"]}
    ok(await world.admin.post(f"/v1/principals/{named['id']}/grants", json=body), 201)
    key = ok(await world.admin.post(f"/v1/principals/{named['id']}/keys", json={}), 201)
    desk = await Desk.of(world, key["key"])
    assert (await desk.read("/console/items")).status == 200
    assert (await world.admin.delete(f"/v1/principals/{named['id']}/keys/{key['id']}")).status_code == 204
    world.app.state.doorkeeper.forget_everyone()
    answer = await desk.client.get("/console/items")
    assert answer.status_code == 303 and answer.headers["location"].startswith("/console/sign-in")


async def test_an_ended_grant_leaves_nothing_to_see(world):
    named = ok(await world.admin.post("/v1/principals", json={"name": "借调人员", "kind": "person"}), 201)
    body = {"role": "viewer", "unit_id": world.units["root"]}
    grant = ok(await world.admin.post(f"/v1/principals/{named['id']}/grants", json=body), 201)
    key = ok(await world.admin.post(f"/v1/principals/{named['id']}/keys", json={}), 201)["key"]
    item = await world.item()
    desk = await Desk.of(world, key)
    assert (await desk.read(f"/console/items/{item['id']}")).status == 200
    gone = await world.admin.delete(f"/v1/principals/{named['id']}/grants/{grant['id']}")
    assert gone.status_code == 204
    world.app.state.doorkeeper.forget_everyone()
    assert (await desk.read(f"/console/items/{item['id']}")).status == 404


async def test_signing_out_forgets_the_session(world):
    desk = await Desk.of(world, await world.key("viewer"))
    page = await desk.read("/console")
    answer = await desk.client.post("/console/sign-out", data=page.form("sign-out").values)
    assert answer.status_code == 303
    assert (await desk.client.get("/console")).headers["location"] == "/console/sign-in"


# -- how long


def a_session(**given):
    return Session(**{"digest": b"\1" * 32, "token": "t", "began": NOW, "used": NOW, **given})


def test_twelve_idle_hours_end_it(world: World) -> None:
    note = sessions.sealed(world.service, a_session())
    assert sessions.opened(world.service, note, NOW + timedelta(hours=11, minutes=59)) == a_session()
    assert sessions.opened(world.service, note, NOW + timedelta(hours=12)) is None


def test_use_keeps_it_alive_for_a_week_at_most(world: World) -> None:
    session = a_session()
    assert sessions.renewed(session, NOW + timedelta(minutes=1)) is None
    for hours in range(6, 7 * 24, 6):
        renewed = sessions.renewed(session, NOW + timedelta(hours=hours))
        assert renewed is not None
        note = sessions.sealed(world.service, renewed)
        session = sessions.opened(world.service, note, NOW + timedelta(hours=hours))
        assert session == renewed
    assert sessions.opened(world.service, sessions.sealed(world.service, session), NOW + timedelta(days=7)) is None


def test_a_note_that_was_changed_opens_nothing(world: World) -> None:
    note = sessions.sealed(world.service, a_session())
    for place in range(0, len(note), 7):
        changed = note[:place] + ("A" if note[place] != "A" else "B") + note[place + 1 :]
        assert sessions.opened(world.service, changed, NOW) is None
    for nothing in ("", "A", "é", "====", note[:-8], note * 9):
        assert sessions.opened(world.service, nothing, NOW) is None


def test_what_is_sealed_for_something_else_is_no_session(world: World) -> None:
    sealed = world.service.vault.encrypt("[]", tenant_id=uuid4(), table="items", row=uuid4())
    note = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    assert sessions.opened(world.service, note, NOW) is None
