"""People who call with tokens of a real OpenID provider: let in, known, given what they claim; and all who are not."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from flask import Response
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import func, select

from service.actions.doorkeeper import CACHED_SECONDS
from service.actions.service import Service
from service.errors import Refused
from service.outside.addresses import Guard
from service.settings import Settings
from service.store import issuers as issuer_store
from service.store.base import table
from service.store.database import Statement
from service.store.events import EventRow, shown
from service.store.grants import GrantRow
from tests.api.helpers import match, ok, read, refused
from tests.provider import Provider, by_secret, unsigned
from tests.world import World

BAD_TOKEN = 'Bearer realm="xiaohao", error="invalid_token"'
AUDIENCE = "xiaohao"

RULES = [
    {"claim": "realm_access.roles", "value": "county-supervisor", "role": "supervisor", "unit": "root"},
    {"claim": "realm_access.roles", "value": "village", "role": "responsible", "unit_claim": "org_code"},
    {"claim": "realm_access.roles", "value": "county-auditor", "role": "auditor", "unit": "root"},
    {"claim": "realm_access.roles", "value": "county-admin", "role": "admin", "unit": "root"},
]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    running = Provider()
    running.client(AUDIENCE)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    """The running application, allowed to call providers on this machine."""
    async with World.running(settings.model_copy(update={"issuer_allow_networks": "127.0.0.0/8"})) as world:
        yield world


@pytest.fixture
async def trusted(world: World, provider: Provider) -> AsyncIterator[dict[str, Any]]:
    """The provider as an issuer of the tenant, for one test."""
    made = ok(await world.admin.post("/v1/issuers", json=body(provider)), 201)
    world.app.state.doorkeeper.forget_everyone()
    yield made
    await world.admin.delete(f"/v1/issuers/{made['id']}")
    provider.answers.clear()


def body(provider: Provider, **given: Any) -> dict[str, Any]:
    mapping = {"external_id": "employee_no", "grants": RULES, **given.pop("mapping", {})}
    return {"issuer": provider.issuer, "audience": AUDIENCE, "mapping": mapping, **given}


def person(provider: Provider, *roles: str, **claims: Any) -> str:
    """The subject of a new person of the provider."""
    subject = f"person-{len(provider.people)}"
    provider.people[subject] = {"name": "李明", "realm_access": {"roles": list(roles)}, **claims}
    return subject


def with_roles(provider: Provider, subject: str, *roles: str) -> str:
    provider.people[subject]["realm_access"] = {"roles": list(roles)}
    return provider.token(subject, AUDIENCE)


async def me(world: World, token: str) -> dict[str, Any]:
    return await read(world.with_key(token), "/v1/me")  # type: ignore[no-any-return]


async def turned_away(world: World, token: str) -> None:
    answer = await world.with_key(token).get("/v1/me")
    refused(answer, "unauthenticated")
    assert answer.headers["www-authenticate"] == BAD_TOKEN


async def roles(world: World, token: str) -> list[tuple[str, str]]:
    codes = {unit: code for code, unit in world.units.items()}
    world.app.state.doorkeeper.forget_everyone()
    return sorted((grant["role"], codes[grant["unit_id"]]) for grant in (await me(world, token))["grants"])


async def people(world: World) -> list[dict[str, Any]]:
    return (await read(world.admin, "/v1/principals", limit=200))["items"]  # type: ignore[no-any-return]


# -- let in


async def test_a_person_logs_in_and_works(world: World, provider: Provider, trusted: dict[str, Any]) -> None:
    subject = person(provider, "village", org_code="t1v1", employee_no="E-1")
    given = provider.login(subject, AUDIENCE)
    client = world.with_key(given["access_token"])

    item = await world.item()
    claimed = ok(
        await client.post(f"/v1/items/{item['id']}/transitions", json={"trigger": "claim", "signed_by": "李明"})
    )
    who = await me(world, given["access_token"])
    assert claimed["claim"]["principal_id"] == who["principal_id"]
    assert (who["name"], who["kind"]) == ("李明", "person")
    assert (await me(world, given["id_token"]))["principal_id"] == who["principal_id"]

    stored = await read(world.admin, f"/v1/principals/{who['principal_id']}")
    assert stored["login"] == {"issuer_id": trusted["id"], "subject": subject}
    assert (stored["external_id"], stored["active"], stored["version"]) == ("E-1", True, 1)
    (grant,) = (await read(world.admin, f"/v1/principals/{who['principal_id']}/grants"))["items"]
    assert (grant["role"], grant["unit_id"]) == ("responsible", world.units["t1v1"])
    assert grant["issuer_id"] == trusted["id"]


async def test_a_token_of_a_few_units(world: World, provider: Provider, trusted: dict[str, Any]) -> None:
    subject = person(provider, "village", "county-supervisor", org_code=["t1v1", "t2", "nowhere", "root"])
    assert await roles(world, provider.token(subject, AUDIENCE)) == [
        ("responsible", "root"), ("responsible", "t1v1"), ("responsible", "t2"), ("supervisor", "root"),
    ]  # fmt: skip


async def test_without_a_role_one_is_known_and_may_nothing(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    token = provider.token(person(provider), AUDIENCE)
    assert await roles(world, token) == []
    assert (await read(world.with_key(token), "/v1/items"))["items"] == []


async def test_roles_follow_the_provider(world: World, provider: Provider, trusted: dict[str, Any]) -> None:
    subject = person(provider, "county-supervisor", org_code="t1v1")
    first = provider.token(subject, AUDIENCE)
    assert await roles(world, first) == [("supervisor", "root")]
    assert await roles(world, with_roles(provider, subject, "village")) == [("responsible", "t1v1")]
    assert await roles(world, with_roles(provider, subject)) == []
    assert await roles(world, with_roles(provider, subject, "county-admin")) == [("admin", "root")]


async def test_an_older_token_brings_no_lost_role_back(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    subject, now = person(provider), int(time.time())
    boss = {"realm_access": {"roles": ["county-supervisor"]}}
    old = provider.sign(provider.claims(subject, AUDIENCE, **{**boss, "iat": now - 50}))
    new = provider.sign(provider.claims(subject, AUDIENCE, iat=now - 10))
    assert await roles(world, old) == [("supervisor", "root")]
    assert await roles(world, new) == []
    assert await roles(world, old) == []


async def test_a_grant_given_by_hand_stays(world: World, provider: Provider, trusted: dict[str, Any]) -> None:
    subject = person(provider, "county-supervisor")
    who = (await me(world, provider.token(subject, AUDIENCE)))["principal_id"]
    ok(await world.admin.post(f"/v1/principals/{who}/grants", json={"role": "viewer", "unit": "t2"}), 201)
    assert await roles(world, with_roles(provider, subject)) == [("viewer", "t2")]


async def test_the_name_is_kept_in_step(world: World, provider: Provider, trusted: dict[str, Any]) -> None:
    subject = person(provider, employee_no="E-2")
    who = (await me(world, provider.token(subject, AUDIENCE)))["principal_id"]
    provider.people[subject] |= {"name": "李明（水利局）", "employee_no": "E-3"}
    assert (await me(world, provider.token(subject, AUDIENCE)))["name"] == "李明（水利局）"
    stored = await read(world.admin, f"/v1/principals/{who}")
    assert (stored["name"], stored["external_id"], stored["version"]) == ("李明（水利局）", "E-3", 2)


async def test_an_external_id_is_not_taken_from_another(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    owner = ok(await world.admin.post("/v1/principals", json={"name": "王", "kind": "person", "external_id": "W"}), 201)
    who = (await me(world, provider.token(person(provider, employee_no="W"), AUDIENCE)))["principal_id"]
    assert who != owner["id"]
    assert (await read(world.admin, f"/v1/principals/{who}"))["external_id"] is None


async def test_a_principal_made_beforehand_is_the_bearer(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    subject = person(provider, "county-supervisor")
    login = {"issuer_id": trusted["id"], "subject": subject}
    made = ok(await world.admin.post("/v1/principals", json={"name": "李", "kind": "person", "login": login}), 201)
    who = await me(world, provider.token(subject, AUDIENCE))
    assert (who["principal_id"], who["name"]) == (made["id"], "李明")


async def test_a_token_gives_a_platform_no_persons_role(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    subject = person(provider, "county-supervisor", "county-admin")
    login = {"issuer_id": trusted["id"], "subject": subject}
    ok(await world.admin.post("/v1/principals", json={"name": "平台", "kind": "platform", "login": login}), 201)
    assert await roles(world, provider.token(subject, AUDIENCE)) == []


async def test_first_requests_at_once_make_one_principal(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    subject = person(provider, "village", org_code=["t1", "t2"], employee_no="E-race")
    now = int(time.time())
    # Twenty tokens, so that no answer can come from what was remembered.
    tokens = [provider.sign(provider.claims(subject, AUDIENCE, exp=now + 100 + each)) for each in range(20)]
    found = await asyncio.gather(*(me(world, token) for token in tokens))
    assert len({each["principal_id"] for each in found}) == 1
    assert all(len(each["grants"]) == 2 for each in found)
    assert len([each for each in await people(world) if (each["login"] or {}).get("subject") == subject]) == 1
    listed = await read(world.admin, f"/v1/principals/{found[0]['principal_id']}/grants")
    assert len(listed["items"]) == 2


async def test_many_tokens_at_once_give_a_new_role_once(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    subject = person(provider, "village", org_code=["t1"])
    who = (await me(world, provider.token(subject, AUDIENCE)))["principal_id"]
    provider.people[subject]["org_code"] = ["t2", "t2v1"]
    now = int(time.time())
    tokens = [provider.sign(provider.claims(subject, AUDIENCE, exp=now + 100 + each)) for each in range(12)]
    await asyncio.gather(*(me(world, token) for token in tokens))
    units = [each["unit_id"] for each in (await read(world.admin, f"/v1/principals/{who}/grants"))["items"]]
    assert sorted(units) == sorted([world.units["t2"], world.units["t2v1"]])


async def test_strangers_stay_out_where_nobody_is_made(world: World, provider: Provider) -> None:
    made = ok(await world.admin.post("/v1/issuers", json=body(provider, mapping={"create": False})), 201)
    subject = person(provider, "county-supervisor")
    await turned_away(world, provider.token(subject, AUDIENCE))
    login = {"issuer_id": made["id"], "subject": subject}
    ok(await world.admin.post("/v1/principals", json={"name": "李", "kind": "person", "login": login}), 201)
    assert await roles(world, provider.token(subject, AUDIENCE)) == [("supervisor", "root")]
    await world.admin.delete(f"/v1/issuers/{made['id']}")


async def test_another_mapping_counts_from_the_next_token_on(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    subject = person(provider, "county-supervisor")
    token = provider.token(subject, AUDIENCE)
    assert await roles(world, token) == [("supervisor", "root")]
    rule = {"claim": "realm_access.roles", "value": "county-supervisor", "role": "viewer", "unit": "t1"}
    mapping = {"external_id": "employee_no", "grants": [rule]}
    changed = ok(
        await world.admin.patch(f"/v1/issuers/{trusted['id']}", json={"mapping": mapping}, headers=match(trusted))
    )
    assert changed["mapping"]["grants"] == [{**rule, "unit_claim": None}]
    assert await roles(world, token) == [("viewer", "t1")]


# -- events


async def test_what_a_token_gives_is_on_record(world: World, provider: Provider, trusted: dict[str, Any]) -> None:
    subject = person(provider, "county-supervisor")
    await me(world, provider.token(subject, AUDIENCE))
    with_roles(provider, subject)
    await roles(world, provider.token(subject, AUDIENCE))
    events = await recorded(world.service)
    assert [each["type"] for each in events[-3:]] == [
        "access.principal_created", "access.granted", "access.grant_ended",
    ]  # fmt: skip
    for each in events[-3:]:
        assert (each["actor"]["principal_id"], each["actor"]["name"]) == (None, "oidc")
        assert each["data"]["issuer_id"] == trusted["id"]


async def recorded(service: Service) -> list[dict[str, Any]]:
    """Every event there is, in the order in which it was made."""
    rows = table(EventRow)
    every = Statement(select(rows.c.body, rows.c.beside).order_by(rows.c.id))

    async def action(tx: Any) -> list[dict[str, Any]]:
        return [shown(bytes(content), beside, None) for content, beside in await tx.all(every)]

    return await service.read(action)


# -- kept out

SOUND = Callable[[Provider, str], str]

REFUSED: dict[str, SOUND] = {
    "expired": lambda p, s: p.sign(p.claims(s, AUDIENCE, exp=int(time.time()) - 1)),
    "without an end": lambda p, s: p.sign(p.claims(s, AUDIENCE, exp=None)),
    "not valid yet": lambda p, s: p.sign(p.claims(s, AUDIENCE, nbf=int(time.time()) + 120)),
    "issued in the future": lambda p, s: p.sign(p.claims(s, AUDIENCE, iat=int(time.time()) + 120)),
    "for another audience": lambda p, s: p.sign(p.claims(s, "another")),
    "for no audience": lambda p, s: p.sign(p.claims(s, AUDIENCE, aud=None)),
    "from another issuer": lambda p, s: p.sign(p.claims(s, AUDIENCE, iss="https://id.example")),
    "from nearly the issuer": lambda p, s: p.sign(p.claims(s, AUDIENCE, iss=p.issuer + "/")),
    "signed by another key": lambda p, s: p.sign(
        p.claims(s, AUDIENCE), key=RSAKey.generate_key(2048), kid=p.keys[0].kid
    ),
    "by an unknown key": lambda p, s: p.sign(p.claims(s, AUDIENCE), kid="unknown"),
    "by an algorithm that is not allowed": lambda p, s: p.sign(p.claims(s, AUDIENCE), alg="RS512"),
    "unsigned": lambda p, s: unsigned(p.claims(s, AUDIENCE), kid=p.keys[0].kid),
    "by HS256 with the public key": lambda p, s: by_secret(
        p.claims(s, AUDIENCE), p.keys[0].as_pem(private=False), kid=p.keys[0].kid
    ),
    "with a critical extension": lambda p, s: p.sign(p.claims(s, AUDIENCE), crit=["b64"], b64=True),
    "without a subject": lambda p, s: p.sign(p.claims(s, AUDIENCE, sub=None)),
    "with a subject of a megabyte": lambda p, s: p.sign(p.claims("x" * 9000, AUDIENCE)),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_bad_token_is_refused_and_leaves_nothing(
    case: str, world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    before = await people(world)
    subject = person(provider, "county-admin")
    await turned_away(world, REFUSED[case](provider, subject))
    assert await people(world) == before


async def test_a_token_ends_when_it_says_so_though_it_is_remembered(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    ends = int(time.time()) + 300
    token = provider.sign(provider.claims(person(provider), AUDIENCE, exp=ends))
    doorkeeper, clock = world.app.state.doorkeeper, time.monotonic()
    assert await doorkeeper.admit(token, now=datetime.fromtimestamp(ends - 1, UTC), clock=clock)
    with pytest.raises(Refused, match="invalid_token"):
        await doorkeeper.admit(token, now=datetime.fromtimestamp(ends, UTC), clock=clock + 1)


@pytest.fixture
async def another(world: World) -> AsyncIterator[Provider]:
    """A provider of one test's own, trusted, with one person `li`."""
    running = Provider(people={"li": {}})
    running.client(AUDIENCE)
    running.start()
    ok(await world.admin.post("/v1/issuers", json=body(running)), 201)
    yield running
    running.stop()


async def test_keys_are_rotated(world: World, another: Provider) -> None:
    before = another.token("li", AUDIENCE)
    await me(world, before)
    another.rotate(ECKey.generate_key("P-256", parameters={"kid": "next", "alg": "ES256"}))
    await me(world, another.sign(another.claims("li", AUDIENCE)))
    world.app.state.doorkeeper.forget_everyone()
    await turned_away(world, before)


async def test_made_up_key_ids_do_not_make_the_service_ask_on(world: World, another: Provider) -> None:
    await me(world, another.token("li", AUDIENCE))
    for number in range(20):
        await turned_away(world, another.sign(another.claims("li", AUDIENCE), kid=f"made-up-{number}"))
    assert another.asked["/jwks"] == 2
    await me(world, another.token("li", AUDIENCE))


async def test_while_the_provider_is_away_its_keys_serve_for_an_hour_and_then_nobody_is_let_in(
    world: World, another: Provider
) -> None:
    token, doorkeeper = another.token("li", AUDIENCE), world.app.state.doorkeeper
    now, clock = datetime.now(UTC), time.monotonic()
    assert await doorkeeper.admit(token, now=now, clock=clock)
    another.stop()
    assert await doorkeeper.admit(token, now=now, clock=clock + 3000)
    with pytest.raises(Refused, match="unavailable"):
        await doorkeeper.admit(token, now=now, clock=clock + 3700)
    # Even then a token that could be good for nobody is not asked about.
    with pytest.raises(Refused, match="invalid_token"):
        await doorkeeper.admit(unsigned(another.claims("li", AUDIENCE)), now=now, clock=clock + 3700)


async def test_a_provider_that_never_answered_lets_nobody_in(world: World) -> None:
    silent = Provider()
    silent.rotate()
    silent._port = 9
    ok(await world.admin.post("/v1/issuers", json=body(silent)), 201)
    answer = await world.with_key(silent.sign(silent.claims("li", AUDIENCE))).get("/v1/me")
    refused(answer, "unavailable")
    assert answer.headers["retry-after"]


async def test_a_broken_provider_lets_nobody_in(world: World, another: Provider) -> None:
    another.answers["/jwks"] = lambda: Response("<html>", 200)
    refused(await world.with_key(another.token("li", AUDIENCE)).get("/v1/me"), "unavailable")


async def test_an_inactive_principal_is_refused(world: World, provider: Provider, trusted: dict[str, Any]) -> None:
    subject = person(provider, "county-supervisor")
    token = provider.token(subject, AUDIENCE)
    who = (await me(world, token))["principal_id"]
    assert (await world.admin.delete(f"/v1/principals/{who}")).status_code == 204
    world.app.state.doorkeeper.forget_everyone()
    await turned_away(world, token)
    await turned_away(world, provider.token(subject, AUDIENCE))
    assert (await read(world.admin, f"/v1/principals/{who}/grants"))["items"] == []


async def test_a_removed_issuers_tokens_and_grants_are_gone_and_come_back_with_it(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    subject = person(provider, "county-supervisor")
    token = provider.token(subject, AUDIENCE)
    who = (await me(world, token))["principal_id"]
    key = ok(await world.admin.post(f"/v1/principals/{who}/keys", json={}), 201)["key"]
    assert (await world.admin.delete(f"/v1/issuers/{trusted['id']}")).status_code == 204
    assert (await world.admin.delete(f"/v1/issuers/{trusted['id']}")).status_code == 204
    now, later = datetime.now(UTC), time.monotonic() + CACHED_SECONDS + 0.1
    with pytest.raises(Refused, match="invalid_token"):
        await world.app.state.doorkeeper.admit(token, now=now, clock=later)
    assert await roles(world, key) == []
    gone = await read(world.admin, f"/v1/issuers/{trusted['id']}")
    assert (gone["active"], gone["version"]) == (False, trusted["version"] + 1)
    refused(
        await world.admin.patch(f"/v1/issuers/{trusted['id']}", json={"algorithms": ["ES256"]}, headers=match(gone)),
        "conflict",
    )

    again = ok(await world.admin.post("/v1/issuers", json=body(provider)), 201)
    assert (again["id"], again["active"], again["version"]) == (trusted["id"], True, gone["version"] + 1)
    assert (await me(world, token))["principal_id"] == who


async def test_a_removal_leaves_no_grant_behind_whatever_happens_at_the_same_time(
    world: World, provider: Provider
) -> None:
    for _ in range(5):
        made = ok(await world.admin.post("/v1/issuers", json=body(provider)), 201)
        tokens = [provider.token(person(provider, "county-supervisor"), AUDIENCE) for _ in range(6)]
        first = asyncio.gather(*(world.with_key(token).get("/v1/me") for token in tokens))
        removed = world.admin.delete(f"/v1/issuers/{made['id']}")
        answers, gone = await asyncio.gather(first, removed)
        assert gone.status_code == 204
        assert {answer.status_code for answer in answers} <= {200, 401}
        assert await granted_by(world.service, made["id"]) == 0


async def granted_by(service: Service, issuer_id: str) -> int:
    rows = table(GrantRow)
    count = Statement(select(func.count()).select_from(rows).where(rows.c.issuer_id == UUID(issuer_id)))

    async def action(tx: Any) -> int:
        found = await tx.one(count)
        return int(found[0])

    return await service.read(action)


@asynccontextmanager
async def holding(settings: Settings, statement: str, *params: Any) -> AsyncIterator[asyncpg.Connection]:
    """A transaction of somebody else's on PostgreSQL that ran `statement` and commits where the block ends."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(statement, *params)
            yield connection
    finally:
        await connection.close()


HELD_FOR = 0.3
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = 'grants'::regclass AND attnum > 0 ORDER BY attnum"


async def test_a_removal_waits_for_a_token_that_is_being_admitted(
    world: World, settings: Settings, kind: str, provider: Provider, trusted: dict[str, Any]
) -> None:
    if kind == "sqlite":
        pytest.skip("one writer: nothing is being admitted meanwhile")
    await me(world, provider.token(person(provider, "county-supervisor"), AUDIENCE))
    issuer = UUID(trusted["id"])
    async with holding(settings, "SELECT 1 FROM issuers WHERE id = $1 FOR SHARE", issuer) as admitting:
        removal = asyncio.create_task(world.admin.delete(f"/v1/issuers/{issuer}"))
        await asyncio.sleep(HELD_FOR)
        names = [row["attname"] for row in await admitting.fetch(COLUMNS)]
        copied = ", ".join("gen_random_uuid()" if name == "id" else name for name in names)
        await admitting.execute(f"INSERT INTO grants SELECT {copied} FROM grants WHERE issuer_id = $1", issuer)
        assert not removal.done()
    assert (await removal).status_code == 204
    assert await granted_by(world.service, trusted["id"]) == 0


async def test_two_tokens_that_wait_for_each_other_give_a_role_once(
    world: World, settings: Settings, kind: str, provider: Provider, trusted: dict[str, Any]
) -> None:
    if kind == "sqlite":
        pytest.skip("one writer: no two are admitted at once")
    subject = person(provider)
    who = (await me(world, provider.token(subject, AUDIENCE)))["principal_id"]
    tokens = [with_roles(provider, subject, "county-supervisor") for _ in range(2)]
    async with holding(settings, "SELECT 1 FROM principals WHERE id = $1 FOR UPDATE", UUID(who)):
        admitted = asyncio.gather(*(me(world, token) for token in tokens))
        await asyncio.sleep(HELD_FOR)
    await admitted
    assert len((await read(world.admin, f"/v1/principals/{who}/grants"))["items"]) == 1
    given = [each for each in await recorded(world.service) if each["data"].get("principal_id") == who]
    assert [each["type"] for each in given] == ["access.principal_created", "access.granted"]


# -- tenants


async def test_one_provider_serves_tenants_by_audience(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    other = await world.tenant(f"other-{time.monotonic_ns()}")
    provider.client("other")
    ok(await other.post("/v1/issuers", json=body(provider, audience="other")), 201)
    subject = person(provider, "county-admin")
    here = await me(world, provider.token(subject, AUDIENCE))
    there = await me(world, provider.token(subject, "other"))
    assert here["tenant_id"] != there["tenant_id"]
    assert here["principal_id"] != there["principal_id"]
    seen = [each["id"] for each in await people(world)]
    assert here["principal_id"] in seen and there["principal_id"] not in seen
    # Good for both is good for neither: nobody could say which.
    await turned_away(world, provider.sign(provider.claims(subject, AUDIENCE, aud=[AUDIENCE, "other"])))
    assert await me(world, provider.sign(provider.claims(subject, AUDIENCE, aud=["account", AUDIENCE])))

    refused(await other.post("/v1/issuers", json=body(provider)), "conflict")
    refused(await other.get(f"/v1/issuers/{trusted['id']}"), "not_found")
    refused(await other.delete(f"/v1/issuers/{trusted['id']}"), "not_found")
    assert await me(world, provider.token(subject, AUDIENCE))


# -- the issuers themselves


async def test_an_issuer_as_it_is_made_read_and_changed(world: World) -> None:
    asked = {"issuer": "https://id.example.org/realms/a", "audience": "one"}
    answer = await world.admin.post("/v1/issuers", json=asked, headers={"Idempotency-Key": "issuer-1"})
    made = ok(answer, 201)
    assert made["algorithms"] == ["RS256", "ES256"]
    assert made["mapping"] == {"subject": "sub", "name": "name", "external_id": None, "create": True, "grants": []}
    assert answer.headers["location"] == f"/v1/issuers/{made['id']}"
    again = await world.admin.post("/v1/issuers", json=asked, headers={"Idempotency-Key": "issuer-1"})
    assert (again.json(), again.headers["idempotent-replayed"]) == (made, "true")
    problem = refused(await world.admin.post("/v1/issuers", json=asked), "conflict")
    assert "audience" in problem["detail"]

    path = f"/v1/issuers/{made['id']}"
    known = await world.admin.get(path)
    assert known.json() == made
    assert (await world.admin.get(path, headers={"If-None-Match": known.headers["etag"]})).status_code == 304
    assert made in (await read(world.admin, "/v1/issuers", limit=200))["items"]

    refused(await world.admin.patch(path, json={"algorithms": ["ES256"]}), "precondition_required")
    changed = ok(await world.admin.patch(path, json={"algorithms": ["ES256"]}, headers=match(made)))
    assert (changed["algorithms"], changed["mapping"], changed["version"]) == (["ES256"], made["mapping"], 2)
    refused(await world.admin.patch(path, json={"algorithms": ["EdDSA"]}, headers=match(made)), "stale_version")
    unchanged = ok(await world.admin.patch(path, json={"algorithms": ["ES256"]}, headers=match(changed)))
    assert unchanged["version"] == 2


async def test_who_may_see_and_change_issuers(world: World) -> None:
    auditor, supervisor = await world.person("auditor"), await world.person("supervisor")
    made = ok(await world.admin.post("/v1/issuers", json={"issuer": "https://id.example", "audience": "who"}), 201)
    path = f"/v1/issuers/{made['id']}"
    assert await read(auditor, path) == made
    refused(await supervisor.get(path), "forbidden")
    refused(await supervisor.get("/v1/issuers"), "forbidden")
    for caller in (auditor, supervisor):
        refused(await caller.post("/v1/issuers", json={"issuer": "https://127.0.0.1", "audience": "x"}), "forbidden")
        refused(await caller.patch(path, json={"algorithms": ["ES256"]}, headers=match(made)), "forbidden")
        refused(await caller.delete(path), "forbidden")


async def test_an_admin_by_token_does_not_lock_itself_out(
    world: World, provider: Provider, trusted: dict[str, Any]
) -> None:
    admin = world.with_key(provider.token(person(provider, "county-admin"), AUDIENCE))
    refused(await admin.delete(f"/v1/issuers/{trusted['id']}"), "conflict")


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        ("https://10.0.0.1/realms/a", "forbidden_address"), ("https://169.254.169.254", "forbidden_address"),
        ("https://[::1]", "bad_format"), ("https://2130706434/", "forbidden_address"),
        ("http://10.0.0.1", "forbidden_address"), ("http://id.example.org", "forbidden_address"),
        ("http://8.8.8.8", "forbidden_address"), ("https://999.1.1.1", "forbidden_address"),
        ("https://id.example.org?x=1", "bad_format"), ("https://id.example.org/#x", "bad_format"),
        ("https://user@id.example.org", "bad_format"), ("ftp://id.example.org", "bad_format"),
        ("https://id.example.org:0", "bad_format"), ("https://id.example.org:65536", "bad_format"),
        ("https://id..example", "bad_format"), ("id.example.org/https://", "bad_format"),
    ],
)  # fmt: skip
async def test_an_issuer_that_is_not_called(
    world: World, issuer: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 2130706434 is 127.0.0.2 to a resolver: here nothing but one network is allowed.
    monkeypatch.setattr(world.service, "issuer_addresses", Guard([ip_network("127.0.0.1/32")]))
    refused(
        await world.admin.post("/v1/issuers", json={"issuer": issuer, "audience": "x"}),
        "invalid_request",
        ("/issuer", code),
    )


def rule(**given: Any) -> dict[str, Any]:
    whole = {"claim": "roles", "value": "a", "role": "viewer", "unit": "t1", **given}
    return {name: value for name, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"algorithms": []}, ("/algorithms", "too_short")),
        ({"algorithms": ["HS256"]}, ("/algorithms/0", "not_allowed")),
        ({"algorithms": ["none"]}, ("/algorithms/0", "not_allowed")),
        ({"algorithms": ["RS256", "RS256"]}, ("/algorithms/1", "repeated")),
        ({"mapping": {"subject": ""}}, ("/mapping/subject", "too_short")),
        ({"mapping": {"subject": "a..b"}}, ("/mapping/subject", "bad_format")),
        ({"mapping": {"grants": [rule(role="platform")]}}, ("/mapping/grants/0/role", "not_allowed")),
        ({"mapping": {"grants": [rule(unit=None)]}}, ("/mapping/grants/0/unit", "missing")),
        ({"mapping": {"grants": [rule(unit_claim="org")]}}, ("/mapping/grants/0/unit_claim", "one_of_two")),
        ({"mapping": {"grants": [rule(), rule(unit="no")]}}, ("/mapping/grants/1/unit", "unknown_reference")),
        ({"mapping": {"create": "yes"}}, ("/mapping/create", "wrong_type")),
        ({"more": 1}, ("/more", "unknown_field")),
    ],
)  # fmt: skip
async def test_what_an_issuer_may_not_say(world: World, given: dict[str, Any], error: tuple[str, str]) -> None:
    asked = {"issuer": "https://id.example", "audience": "bad", **given}
    refused(await world.admin.post("/v1/issuers", json=asked), "invalid_request", error)


@pytest.mark.parametrize(
    "given", [rule(role="admin"), rule(role="auditor"), rule(role="admin", unit=None, unit_claim="org")]
)
async def test_admin_and_auditor_are_mapped_to_the_root_alone(world: World, given: dict[str, Any]) -> None:
    asked = {"issuer": "https://id.example", "audience": "bad", "mapping": {"grants": [given]}}
    refused(await world.admin.post("/v1/issuers", json=asked), "guard_refused", guard="root_only")


async def test_a_key_is_no_token(world: World) -> None:
    answer = await world.with_key("xh_" + "x" * 43).get("/v1/me")
    refused(answer, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="xiaohao"'


async def test_a_token_of_nobody_asks_nobody(world: World) -> None:
    stranger = Provider()
    stranger.rotate()
    stranger.start()
    await turned_away(world, stranger.sign(stranger.claims("li", AUDIENCE)))
    assert not stranger.asked
    stranger.stop()


async def test_no_transaction_is_open_while_the_provider_is_asked(
    world: World, another: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long the item takes on a busy machine, the provider is not given up meanwhile.
    monkeypatch.setattr("service.outside.identity.ANSWER_WITHIN", 30.0)
    gate = threading.Event()

    def once_open() -> None:
        gate.wait()

    another.people |= {f"p{number}": {} for number in range(30)}
    another.answers["/jwks"] = once_open
    tokens = [another.token(name, AUDIENCE) for name in another.people]
    waiting = asyncio.gather(*(me(world, token) for token in tokens))
    try:
        while not (another.asked["/jwks"] or waiting.done()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await world.item()
        assert not waiting.done()
    finally:
        gate.set()
    assert len({each["principal_id"] for each in await waiting}) == 31
    assert another.asked["/jwks"] == 1


async def test_the_look_up_row_is_freed_with_the_issuer(world: World, provider: Provider) -> None:
    made = ok(await world.admin.post("/v1/issuers", json=body(provider)), 201)

    async def found(tx: Any) -> Any:
        return await issuer_store.meant_for(tx, provider.issuer, [AUDIENCE])

    assert (await world.service.read(found))[1].id.hex == made["id"].replace("-", "")
    await world.admin.delete(f"/v1/issuers/{made['id']}")
    assert await world.service.read(found) is None
