"""How often a caller may ask: per key, per tenant, per address that guesses; in one process and in several."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
import redis.asyncio
from structlog.testing import capture_logs

from service.api import limits
from service.api.limits import FAILURES, InProcess, Limits
from service.api.openapi import PUBLIC
from service.app import create_app
from service.errors import Refused
from service.settings import BadSettings, load
from tests.api.helpers import NOBODY, every_page, match, ok, refused
from tests.api.test_principals import granted, principal, with_key
from tests.proxy import Proxy
from tests.world import World

NOON = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)
ITEM = {"ledger": "default", "title": "饮水管网漏损", "responsible_unit": "t1v1"}
REDIS = {"sqlite": "redis://127.0.0.1:6379/14", "postgresql": "redis://127.0.0.1:6379/15"}
"""Databases of the tests' own, emptied behind them: one each, since tests of both kinds run at a time."""


@pytest.fixture
def rates(world):
    """Set the limits of the running application, counted from nothing. Days are long enough not to end meanwhile."""
    before = world.app.state.limits

    def rates(per_key: str = "", per_tenant: str = "", counter=None) -> None:
        world.app.state.limits = Limits(counter or InProcess(), per_key=per_key, per_tenant=per_tenant)

    yield rates
    world.app.state.limits = before


def left(answer: httpx.Response) -> dict[str, int]:
    """What the answer says is left, by policy."""
    told = re.findall(r'"(key|tenant)";r=([0-9]+);t=([0-9]+)', answer.headers["ratelimit"])
    assert all(1 <= int(seconds) <= 86_400 for _, _, seconds in told)
    return {name: int(rest) for name, rest, _ in told}


def from_address(world: World, host: str, key: str | None) -> httpx.AsyncClient:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=False, client=(host, 50000))
    client = httpx.AsyncClient(transport=transport, base_url="http://xiaohao.test", headers=headers)
    world.clients.append(client)
    return client


# -- per key and per tenant


async def test_every_answer_to_a_known_caller_says_what_is_left(world, rates):
    rates("50/day", "100/day")
    viewer = await world.person("viewer", "t1")
    answers = [
        await viewer.get("/v1/me"),
        await viewer.get(f"/v1/items/{NOBODY}"),
        await viewer.get("/v1/items?nonsense=1"),
        await viewer.post("/v1/items", json=ITEM),
        await viewer.post("/v1/items", content=b"{"),
        await viewer.head("/v1/me"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 422, 403, 415, 200]
    for used, answer in enumerate(answers, start=1):
        assert answer.headers["ratelimit-policy"] == '"key";q=50;w=86400, "tenant";q=100;w=86400'
        assert left(answer) == {"key": 50 - used, "tenant": 100 - used}


async def test_who_is_not_known_is_told_no_limit(world, rates):
    rates("50/day", "100/day")
    for answer in (await world.with_key("wrong").get("/v1/me"), await world.admin.get("/livez")):
        assert not [name for name in answer.headers if name.startswith("ratelimit")]


async def test_a_key_that_asks_too_often_is_refused_and_others_are_not(world, rates):
    busy, other = await world.person("supervisor"), await world.person("supervisor")
    rates("3/day", "1000/day")
    before = len(await every_page(other, "/v1/items?limit=200"))
    for _ in range(3):
        ok(await busy.get("/v1/me"))
    for _ in range(2):
        answer = await busy.post("/v1/items", json=ITEM)
        problem = refused(answer, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 86_400
        assert problem["retry_after"] == int(answer.headers["retry-after"])
        assert left(answer) == {"key": 0}
    assert len(await every_page(other, "/v1/items?limit=200")) == before


async def test_all_keys_of_a_tenant_count_together_and_no_other_tenant_s(world, rates):
    stranger = await world.tenant("elsewhere")
    first, second = await world.person("viewer"), await world.person("viewer")
    rates("1000/day", "4/day")
    for client in (first, second, first, second):
        ok(await client.get("/v1/me"))
    for client in (first, second, world.admin):
        answer = await client.get("/v1/me")
        refused(answer, "rate_limited")
        assert left(answer)["tenant"] == 0
    ok(await stranger.get("/v1/me"))


async def test_401_comes_before_the_limit_and_the_limit_before_all_else(world, rates):
    viewer = await world.person("viewer")
    rates("1/day")
    ok(await viewer.get("/v1/me"))
    refused(await viewer.get("/v1/items?nonsense=1"), "rate_limited")
    refused(await viewer.get("/v1/items/nonsense"), "rate_limited")
    refused(await viewer.get("/v1/me", headers={"X-Acting-For": "nobody"}), "rate_limited")
    refused(await world.with_key("wrong").get("/v1/me"), "unauthenticated")


async def test_a_platform_counts_as_one_for_whomever_it_acts(world, rates):
    platform = await principal(world, kind="platform", name="智慧平台")
    await granted(world, platform, "platform", "t1")
    client, _ = await with_key(world, platform, delegate=True)
    people = []
    for _ in range(2):
        person = await principal(world, name="张三")
        await granted(world, person, "viewer", "t1")
        url = f"/v1/principals/{person['id']}"
        people.append(ok(await world.admin.patch(url, json={"delegates": [platform["id"]]}, headers=match(person))))
    rates("3/day")
    for person in people:
        ok(await client.get("/v1/me", headers={"X-Acting-For": person["id"]}))
    ok(await client.get("/v1/me"))
    refused(await client.get("/v1/me", headers={"X-Acting-For": people[0]["id"]}), "rate_limited")


async def test_without_limits_nothing_is_counted_or_told(world, rates):
    rates()
    for _ in range(5):
        assert "ratelimit" not in (await world.admin.get("/v1/me")).headers


# -- the windows


def caller(**given) -> SimpleNamespace:
    return SimpleNamespace(key_id=uuid4(), principal_id=uuid4(), tenant_id=uuid4(), **given)


async def asked(judge: Limits, who: SimpleNamespace, at: datetime) -> bool:
    try:
        await judge.judge(who, at, {})
    except Refused as refusal:
        assert refusal.code == "rate_limited"
        return False
    return True


async def test_a_window_ends_with_the_clock_s_minute():
    judge, who = Limits(InProcess(), per_key="2/minute", per_tenant=""), caller()
    late = NOON + timedelta(seconds=59.5)
    assert [await asked(judge, who, late) for _ in range(3)] == [True, True, False]
    scope = {}
    with pytest.raises(Refused) as refusal:
        await judge.judge(who, NOON + timedelta(seconds=20.2), scope)
    assert refusal.value.facts == {"retry_after": 40}
    assert dict(scope["rate_limit_fields"])[b"ratelimit"] == b'"key";r=0;t=40'
    assert await asked(judge, who, NOON + timedelta(seconds=60))


async def test_a_request_that_took_its_time_changes_no_later_window():
    judge, who = Limits(InProcess(), per_key="2/minute", per_tenant=""), caller()
    next_minute = NOON + timedelta(minutes=1)
    assert await asked(judge, who, next_minute)
    assert await asked(judge, who, NOON + timedelta(seconds=59))
    assert not await asked(judge, who, next_minute)


async def test_a_key_over_its_limit_takes_nothing_from_its_tenant():
    judge = Limits(InProcess(), per_key="2/minute", per_tenant="4/minute")
    greedy = caller()
    neighbour = SimpleNamespace(key_id=uuid4(), principal_id=uuid4(), tenant_id=greedy.tenant_id)
    assert [await asked(judge, greedy, NOON) for _ in range(50)].count(True) == 2
    assert [await asked(judge, neighbour, NOON) for _ in range(3)] == [True, True, False]


async def test_tokens_of_one_person_count_together():
    judge = Limits(InProcess(), per_key="2/minute", per_tenant="")
    person = caller()
    person.key_id = None
    assert [await asked(judge, person, NOON) for _ in range(3)] == [True, True, False]


async def test_what_was_counted_is_not_kept_when_its_window_is_over():
    counter = InProcess()
    for _ in range(1000):
        await counter.hit(f"key/{uuid4().hex}", 1, 60)
    await counter.hit("key/x", 2, 60)
    assert counter.seen("key/x", 2, 60) == 1
    assert sum(len(counts) for _, counts in counter._tables.values()) == 1


# -- guessing


@pytest.fixture
def few_failures(monkeypatch):
    """Three failures a day instead of many a minute."""
    monkeypatch.setattr(limits, "FAILURES", replace(FAILURES, amount=3, seconds=86_400))


async def test_whoever_guesses_keys_is_stopped_and_its_address_alone(world, rates, few_failures):
    rates("1000/day")
    for number in range(3):
        refused(await from_address(world, "10.0.0.5", f"guess-{number}").get("/v1/me"), "unauthenticated")
    answer = await from_address(world, "10.0.0.5", "guess-4").get("/v1/me")
    refused(answer, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    refused(await from_address(world, "10.0.0.5", None).get("/v1/me"), "rate_limited")
    refused(await from_address(world, "10.0.0.6", "guess-4").get("/v1/me"), "unauthenticated")


async def test_a_guess_that_is_right_is_not_seen_to_be_right(world, rates, few_failures):
    rates("1000/day")
    good = await world.key("viewer")
    for number in range(3):
        await from_address(world, "10.0.0.7", f"guess-{number}").get("/v1/me")
    refused(await from_address(world, "10.0.0.7", good).get("/v1/me"), "rate_limited")


async def test_who_was_let_in_before_goes_on_beside_one_who_guesses(world, rates, few_failures):
    rates("1000/day")
    good = from_address(world, "10.0.0.8", await world.key("viewer"))
    ok(await good.get("/v1/me"))
    for number in range(5):
        await from_address(world, "10.0.0.8", f"guess-{number}").get("/v1/me")
    ok(await good.get("/v1/me"))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("odd:name", "odd:name", True),
    ],
)
async def test_a_network_that_one_customer_has_counts_as_one_address(few_failures, first, second, same):
    judge = Limits(InProcess(), per_key="1/minute", per_tenant="")
    for _ in range(3):
        await judge.failed(first, NOON)
    assert (judge.closed_to(second, NOON) is not None) == same
    assert judge.closed_to(first, NOON + timedelta(days=1)) is None
    assert judge.closed_to(None, NOON) is None


# -- in several processes


@pytest.fixture
def redis_url(kind: str) -> str:
    return REDIS[kind]


@pytest.fixture
async def counts(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[redis.asyncio.Redis]:
    """A Redis, emptied of what the test counted. It is given time: a request that it misses is not counted."""
    monkeypatch.setattr("service.outside.counts.ANSWER_WITHIN", 20.0)
    client = redis.asyncio.Redis.from_url(redis_url)
    try:
        await client.ping()
    except redis.exceptions.RedisError as error:
        await client.aclose()
        pytest.skip(f"no Redis at {redis_url}: {error}")
    yield client
    async for key in client.scan_iter("xiaohao:*"):
        await client.delete(key)
    await client.aclose()


@asynccontextmanager
async def replicas(world: World, url: str, number: int = 2, **rates: str):
    """Further instances of the application, on the database of the world."""
    settings = world.app.state.settings.model_copy(update={"redis_url": url, **rates})
    apps = [create_app(settings) for _ in range(number)]
    async with AsyncExitStack() as running:
        for app in apps:
            await running.enter_async_context(app.router.lifespan_context(app))
        yield [replace(world, app=app, clients=world.clients) for app in apps]


async def test_two_replicas_share_one_count(world, counts, redis_url):
    key, other = await world.key("viewer"), await world.key("viewer")
    async with replicas(world, redis_url, rate_limit="5/day", tenant_rate_limit="8/day") as (one, two):
        here, there = one.with_key(key), two.with_key(key)
        told = [left(await client.get("/v1/me")) for client in (here, there, here, there, here)]
        assert told == [{"key": 5 - used, "tenant": 8 - used} for used in range(1, 6)]
        for client in (here, there):
            answer = await client.get("/v1/me")
            refused(answer, "rate_limited")
            assert int(answer.headers["retry-after"]) >= 1
        both = [client.with_key(other) for client in (one, two)]
        together = await asyncio.gather(*(client.get("/v1/me") for client in both * 3))
        assert sorted(answer.status_code for answer in together) == [200] * 3 + [429] * 3
    for key in [key async for key in counts.scan_iter("xiaohao:*")]:
        assert 0 < await counts.ttl(key) <= 86_400


async def test_with_redis_away_everybody_is_let_through_and_it_is_said_once(world):
    key = await world.key("viewer")
    async with replicas(world, "redis://127.0.0.1:1/0", 1, rate_limit="2/day") as (alone,):
        client = alone.with_key(key)
        with capture_logs() as logs:
            for _ in range(5):
                answer = await client.get("/v1/me")
                ok(answer)
                assert "ratelimit-policy" in answer.headers and "ratelimit" not in answer.headers
    warned = [each for each in logs if each["log_level"] == "warning"]
    assert [each["event"] for each in warned] == ["redis did not answer: requests are not counted"]


async def test_a_redis_that_never_answers_holds_nobody_up_for_long(world):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    key = await world.key("viewer")
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    clock = asyncio.get_running_loop().time
    async with replicas(world, f"redis://127.0.0.1:{port}/0", 1, rate_limit="2/day") as (alone,):
        began = clock()
        for _ in range(20):
            ok(await alone.with_key(key).get("/v1/me"))
        assert clock() - began < 5
    server.close()


async def test_a_redis_that_comes_back_is_asked_again(world, counts, redis_url, monkeypatch):
    monkeypatch.setattr("service.outside.counts.ASK_AGAIN_AFTER", 0.0)
    key, proxy = await world.key("viewer"), Proxy(redis_url)
    await proxy.open()
    async with replicas(world, proxy.url, 1, rate_limit="50/day") as (alone,):
        client = alone.with_key(key)
        assert left(await client.get("/v1/me"))["key"] == 49
        await proxy.cut()
        for _ in range(3):
            assert "ratelimit" not in ok_headers(await client.get("/v1/me"))
        await proxy.open()
        assert left(await client.get("/v1/me"))["key"] == 48
    await proxy.cut()


def ok_headers(answer: httpx.Response) -> httpx.Headers:
    ok(answer)
    return answer.headers


# -- settings and documentation


def test_a_limit_set_to_nothing_is_none_and_left_out_the_default():
    assert (load({}).rate_limit, load({}).tenant_rate_limit) == ("6000/minute", "60000/minute")
    off = load({"XIAOHAO_RATE_LIMIT": "", "XIAOHAO_TENANT_RATE_LIMIT": "", "XIAOHAO_POOL_SIZE": ""})
    assert (off.rate_limit, off.tenant_rate_limit, off.pool_size) == ("", "", 16)
    for rate, amount, seconds in (("100/second", 100, 1), ("500/10 minutes", 500, 600), ("1/day", 1, 86_400)):
        limit = limits.Limit.parse("key", load({"XIAOHAO_RATE_LIMIT": rate}).rate_limit)
        assert limit is not None and (limit.amount, limit.seconds) == (amount, seconds)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE_LIMIT", "6000"), ("RATE_LIMIT", "0/minute"), ("RATE_LIMIT", "5/week"), ("RATE_LIMIT", "-1/minute"),
        ("TENANT_RATE_LIMIT", "5/minute;6/hour"), ("RATE_LIMIT", " "), ("REDIS_URL", "127.0.0.1:6379"),
        ("REDIS_URL", "redis://secret@host:port"), ("REDIS_URL", "http://host"), ("MAX_JSON_DEPTH", "7"),
        ("MAX_JSON_DEPTH", "129"),
    ],
)  # fmt: skip
def test_a_bad_value_stops_the_start_with_one_line_that_does_not_show_it(name, value):
    with pytest.raises(BadSettings) as bad:
        load({f"XIAOHAO_{name}": value})
    (line,) = bad.value.lines
    assert line.startswith(f"XIAOHAO_{name}: ") and "\n" not in line and "secret" not in line


def test_every_operation_documents_the_limit(world):
    document = world.app.openapi()
    shared = document["components"]["headers"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answers = operation["responses"]
            if not path.startswith("/v1/") or path in PUBLIC:
                assert "429" not in answers
                continue
            name = answers["429"]["$ref"].rpartition("/")[2]
            problem = document["components"]["responses"][name]
            assert "Retry-After" in problem["headers"] and "rate_limited" in name
            for status, answer in answers.items():
                if "$ref" in answer:
                    answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                told = {each["$ref"].rpartition("/")[2] for each in answer["headers"].values() if "$ref" in each}
                assert ({"RateLimit", "RateLimitPolicy"} <= told) == (status != "401"), (path, status)
    assert {"RateLimit", "RateLimitPolicy"} <= set(shared)
