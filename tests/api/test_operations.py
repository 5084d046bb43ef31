"""For those who run the service, and for those who read about it."""

import re

import httpx
import pytest
from structlog.testing import capture_logs

from service.api.openapi import PUBLIC
from service.errors import PROBLEMS
from tests.api.helpers import ok, read, refused

TOKEN = "metrics-token-of-the-tests"


def at(world, host: str, **headers: str) -> httpx.AsyncClient:
    """A client without a key whose calls come from `host`."""
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app, raise_app_exceptions=False, client=(host, 50000)),
        base_url="http://xiaohao.test",
        headers=headers,
    )
    world.clients.append(client)
    return client


@pytest.fixture
def with_token(world):
    before = world.app.state.settings
    world.app.state.settings = before.model_copy(update={"metrics_token": TOKEN})
    yield
    world.app.state.settings = before


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_probe_needs_no_key_and_tells_nothing_else(world, path):
    assert ok(await at(world, "10.0.0.5").get(path)) == {"status": "ok"}


async def test_a_service_whose_database_is_away_is_alive_but_not_ready(world):
    async def away() -> bool:
        return False

    before, world.app.state.ready = world.app.state.ready, away
    try:
        client = at(world, "10.0.0.5")
        answer = await client.get("/readyz")
        refused(answer, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await client.get("/livez")).status_code == 200
    finally:
        world.app.state.ready = before


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1"])
async def test_metrics_are_open_from_loopback(world, host):
    answer = await at(world, host).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "xiaohao_requests_total" in answer.text


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("10.0.0.5", {}),
        ("8.8.8.8", {}),
        ("testclient", {}),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("10.0.0.5", {"X-Forwarded-For": "127.0.0.1"}),
        ("10.0.0.5", {"Authorization": "Bearer None"}),
        ("10.0.0.5", {"Authorization": "Bearer "}),
    ],
)
async def test_metrics_are_closed_from_elsewhere_and_behind_a_proxy(world, host, headers):
    answer = await at(world, host, **headers).get("/metrics")
    refused(answer, "unauthenticated")
    assert "www-authenticate" in answer.headers


async def test_metrics_are_open_from_anywhere_with_the_token(world, with_token):
    assert (await at(world, "10.0.0.5", Authorization=f"Bearer {TOKEN}").get("/metrics")).status_code == 200
    refused(await at(world, "10.0.0.5", Authorization="Bearer wrong").get("/metrics"), "unauthenticated")
    refused(await at(world, "10.0.0.5").get("/metrics"), "unauthenticated")


async def test_a_key_of_the_api_opens_no_metrics_from_elsewhere(world):
    headers = {"Authorization": world.admin.headers["Authorization"]}
    refused(await at(world, "10.0.0.5", **headers).get("/metrics"), "unauthenticated")


async def test_a_request_s_line_in_the_log_says_whose_it_was_and_not_what_it_carried(world):
    """The tenant and the principal by their ids, and what the caller calls the request; never a key or a body."""
    key = await world.key("supervisor")
    me = await read(world.with_key(key), "/v1/me")
    title = "日志里不应出现的内容"
    body = {"ledger": "default", "title": title, "responsible_unit": "t1v1"}
    with capture_logs() as logs:
        ok(await world.with_key(key, **{"X-Request-Id": "mine-1"}).post("/v1/items", json=body), 201)
        await world.with_key(None, **{"X-Request-Id": "mine-2"}).get("/v1/me")
    lines = {each["request_id"]: each for each in logs if each["event"] == "request"}
    assert lines.keys() == {"mine-1", "mine-2"}
    known = lines["mine-1"]
    assert (known["tenant_id"], known["principal_id"]) == (me["tenant_id"], me["principal_id"])
    assert (known["method"], known["route"], known["status"]) == ("POST", "/v1/items", 201) and known["ms"] > 0
    assert (lines["mine-2"]["tenant_id"], lines["mine-2"]["principal_id"], lines["mine-2"]["status"]) == (
        None,
        None,
        401,
    )
    assert not any(word in str(logs) for word in (key, title))


async def test_metrics_count_by_route_and_never_by_path(world):
    item = await world.item()
    await world.admin.get(f"/v1/items/{item['id']}")
    await world.admin.get("/no/such/path/at/all")
    await world.admin.request("BREW", "/v1/items")
    text = (await at(world, "127.0.0.1").get("/metrics")).text
    assert 'route="/v1/items/{item_id}",status="200"' in text
    assert item["id"] not in text and "/no/such" not in text and "BREW" not in text


@pytest.mark.parametrize("code", list(PROBLEMS))
async def test_every_problem_has_a_page_in_both_languages(world, code):
    reader = at(world, "10.0.0.5")
    for tongue in ("zh", "en"):
        kind = PROBLEMS[code]
        shown = ok(await reader.get(f"/problems/{code}", headers={"Accept-Language": tongue}))
        assert (shown["code"], shown["status"], shown["title"]) == (code, kind.status, getattr(kind.title, tongue))
        page = await reader.get(f"/problems/{code}", headers={"Accept-Language": tongue, "Accept": "text/html"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert f'lang="{tongue}"' in page.text and code in page.text


@pytest.mark.parametrize("code", ["nothing", "<script>", "x" * 64, "%00"])
async def test_a_problem_that_is_none_is_404_and_not_echoed(world, code):
    answer = await at(world, "10.0.0.5").get(f"/problems/{code}", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_documentation_loads_nothing_from_outside(world, path):
    reader = at(world, "10.0.0.5")
    page = await reader.get(path)
    assert page.status_code == 200 and "text/html" in page.headers["content-type"]
    assert not re.findall(r"""(?:https?:)?//[\w-]+\.[\w.-]+""", page.text)
    assets = re.findall(r"""(?:src|href)=["']([^"'#]+)["']""", page.text)
    assert assets
    for asset in assets:
        answer = await reader.get(asset)
        assert answer.status_code == 200 and answer.content, asset


async def test_the_openapi_document_names_every_path_and_no_outside_host(world):
    document = ok(await at(world, "10.0.0.5").get("/openapi.json"))
    assert document["openapi"] == "3.1.0"
    assert {"/v1/items", "/v1/items/{item_id}/transitions", "/livez"} <= document["paths"].keys()
    assert all(server["url"].startswith("/") for server in document.get("servers", []))
    assert "HTTPValidationError" not in str(document)


async def test_every_operation_documents_its_refusals_and_who_may_call(world):
    document = ok(await world.admin.get("/openapi.json"))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["operationId"] and operation["summary"], path
            assert "500" in operation["responses"], path
            if path.startswith("/v1/") and path not in PUBLIC:
                assert operation["security"] == [{"key": []}, {"token": []}]
                assert "401" in operation["responses"]
            if path.startswith("/v1/") and method == "post":
                assert "Idempotency-Key" in str(operation["parameters"])
