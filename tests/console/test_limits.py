"""How often somebody may come: by key as at the API, and in vain by address."""

import pytest

from service.api import limits
from service.api.limits import Limit
from tests.api.helpers import ok
from tests.console.desk import ORIGIN, Desk, Page
from tests.world import World


@pytest.fixture(scope="module")
def kind() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture(scope="module")
async def strict(settings):
    own = settings.model_copy(update={"data_dir": settings.data_dir / "strict", "rate_limit": "40/day"})
    own.data_dir.mkdir()
    (own.data_dir / "xiaohao.db").write_bytes((settings.data_dir / "xiaohao.db").read_bytes())
    async with World.running(own) as world:
        yield world


async def test_pages_and_calls_of_a_key_count_together(strict):
    key = await strict.key("viewer")
    desk, api = await Desk.of(strict, key), strict.with_key(key)
    statuses = []
    for _ in range(25):
        statuses.append((await desk.client.get("/console/units")).status_code)
        statuses.append((await api.get("/v1/me")).status_code)
    assert statuses[:40] == [200] * 40 and set(statuses[40:]) == {429}
    refused = await desk.client.get("/console")
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
    assert "请求过于频繁" in Page(refused).text and refused.headers["ratelimit-policy"].startswith('"key";q=40;')


async def test_whoever_guesses_keys_is_shut_out_for_a_while(strict, monkeypatch):
    monkeypatch.setattr(limits, "FAILURES", Limit("address", 3, 86_400))
    key = await strict.key("viewer")
    guest = strict.with_key(None, Origin=ORIGIN)
    tried = []
    for number in range(5):
        answer = await guest.post("/console/session", data={"key": f"xh_guess{number}"})
        tried.append(answer.status_code)
    assert tried == [401, 401, 401, 429, 429]
    answer = await guest.post("/console/session", data={"key": key})
    assert answer.status_code == 429 and "set-cookie" not in answer.headers
    assert ok(await strict.admin.get("/v1/me"))
