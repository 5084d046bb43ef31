"""What browsers are told: what a page may load, who may frame it, and which other origins may call the API."""

import base64
import hashlib
from html.parser import HTMLParser

import httpx
import pytest

from service.settings import BadSettings, load
from tests.api.helpers import ok
from tests.world import World

PAGES = ("/docs", "/redoc", "/problems/guard_refused")
ORIGIN = "https://portal.example"


@pytest.fixture(scope="module")
def kind() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def reader(world) -> httpx.AsyncClient:
    return world.with_key(None, Accept="text/html,application/xhtml+xml")


class Loads(HTMLParser):
    """What a page loads and runs: (kind, address) of files, and the text of what stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.files: list[tuple[str, str]] = []
        self.inline: list[tuple[str, str]] = []
        self.handlers: list[str] = []
        self._inside: str | None = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.handlers += [name for name in given if name.startswith("on") or name == "style"]
        self._inside = None
        if tag == "script" and "src" in given:
            self.files.append(("script-src", given["src"]))
        elif tag == "link":
            kinds = {"stylesheet": "style-src", "shortcut icon": "img-src"}
            self.files.append((kinds[given["rel"]], given["href"]))
        elif tag == "redoc":
            self.files.append(("connect-src", given["spec-url"]))
        elif tag in ("script", "style"):
            self._inside = f"{tag}-src"

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside:
            self.inline.append((self._inside, data))


def policy_of(answer: httpx.Response) -> dict[str, list[str]]:
    directives = answer.headers["content-security-policy"].split("; ")
    return {name: values for name, *values in (directive.split(" ") for directive in directives)}


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_forbids_the_browser_all_that_it_does_not_need(reader, path):
    answer = await reader.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = policy_of(answer)
    for directive in ("default-src", "frame-ancestors", "base-uri", "form-action"):
        assert policy[directive] == ["'none'"]
    sources = [value for values in policy.values() for value in values]
    assert not [value for value in sources if "//" in value or "*" in value or value in ("http:", "https:")]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"} & set(policy.get("script-src", []))
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_all_that_the_documentation_loads_is_allowed_and_there(reader, path):
    answer = await reader.get(path)
    policy, loads = policy_of(answer), Loads(answer.text)
    assert any(kind == "script-src" for kind, _ in loads.files) and not loads.handlers
    for kind, address in loads.files:
        assert address.startswith("/") and not address.startswith("//")
        assert "'self'" in policy[kind], (kind, address)
        assert (await reader.get(address)).status_code == 200, address
    for kind, text in loads.inline:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[kind] or (kind == "style-src" and "'unsafe-inline'" in policy[kind])
    assert "'self'" in policy["connect-src"]


async def test_a_problem_s_page_loads_and_runs_nothing(reader):
    answer = await reader.get("/problems/conflict")
    loads = Loads(answer.text)
    assert not (loads.files or loads.inline or loads.handlers)
    assert set(policy_of(answer)) == {"default-src", "base-uri", "form-action", "frame-ancestors"}


async def test_answers_for_programs_are_not_sniffed_and_refusals_not_stored(world):
    refusal = await world.with_key(None).get("/v1/me")
    assert (refusal.headers["cache-control"], refusal.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert "content-security-policy" not in (await world.admin.get("/v1/me")).headers


# -- other origins


async def test_other_origins_are_told_nothing_unless_they_are_named(world):
    answer = await world.admin.get("/v1/me", headers={"Origin": ORIGIN})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = await world.with_key(None).options(
        "/v1/items", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]


@pytest.fixture(scope="module")
async def open_world(settings):
    named = settings.model_copy(
        update={"data_dir": settings.data_dir / "cors", "cors_origins": f"{ORIGIN}, http://10.0.0.8:8080"}
    )
    named.data_dir.mkdir()
    (named.data_dir / "xiaohao.db").write_bytes((settings.data_dir / "xiaohao.db").read_bytes())
    async with World.running(named) as world:
        yield world


@pytest.mark.parametrize("origin", [ORIGIN, "http://10.0.0.8:8080"])
async def test_a_page_of_a_named_origin_may_call_and_read_what_it_needs(open_world, origin):
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, content-type, if-match, idempotency-key, x-acting-for",
    }
    preflight = await open_world.with_key(None).options("/v1/items", headers=asked)
    assert preflight.status_code == 200 and preflight.headers["access-control-allow-origin"] == origin
    assert preflight.headers["x-request-id"]
    answer = await open_world.admin.get("/v1/me", headers={"Origin": origin})
    assert ok(answer)
    assert answer.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "Authorization, X-Acting-For, Accept-Language, Origin"
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"ETag", "Location", "Link", "Retry-After", "X-Request-Id", "Idempotent-Replayed"} <= exposed
    assert {"RateLimit", "RateLimit-Policy"} <= exposed
    refusal = await open_world.with_key(None).get("/v1/me", headers={"Origin": origin})
    assert refusal.status_code == 401 and refusal.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "origin", ["https://portal.example.evil", "http://portal.example", "https://evil.example", "null"]
)
async def test_a_page_of_another_origin_may_not(open_world, origin):
    answer = await open_world.admin.get("/v1/me", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    preflight = await open_world.with_key(None).options(
        "/v1/items", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 400 and "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize(
    "given",
    ["*", "portal.example", "https://portal.example/", "https://*.example", "https://a.b,", "null", "https://a b"],
)
def test_an_origin_that_is_none_stops_the_start(given):
    with pytest.raises(BadSettings) as bad:
        load({"XIAOHAO_CORS_ORIGINS": given})
    assert len(bad.value.lines) == 1 and bad.value.lines[0].startswith("XIAOHAO_CORS_ORIGINS: ")
