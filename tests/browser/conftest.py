"""A real browser before a real server: Chromium as the system has it, driven over its own protocol."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from service.settings import Settings
from tests.browser import chromium
from tests.conftest import UNLIMITED
from tests.servers import Server
from tests.world import TREE

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE_MS = 20_000

expect.set_options(timeout=PATIENCE_MS)  # it asks no context how patient to be, and has five seconds of its own


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A module's browser. Its driver runs a loop in this thread: it must be gone before tests of another module come,
    which run loops of their own."""
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium is installed: `make browser` says how")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.OPTIONS))
        yield browser
        browser.close()


@dataclass
class County:
    """The server, its admin's client, and the keys of its people."""

    server: Server
    admin: httpx.Client
    units: dict[str, str] = field(default_factory=dict)

    def key(self, role: str, unit: str = "root", name: str | None = None) -> str:
        body = {"name": name or f"{role} {unit}", "kind": "platform" if role == "platform" else "person"}
        person = self.call("POST", "/v1/principals", json=body)
        grant = {"role": role, "unit_id": self.units[unit]}
        self.call("POST", f"/v1/principals/{person['id']}/grants", json=grant)
        return str(self.call("POST", f"/v1/principals/{person['id']}/keys", json={})["key"])

    def call(self, method: str, path: str, key: str | None = None, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = self.admin.request(method, path, headers=headers, **given)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def item(self, **given: Any) -> dict[str, Any]:
        body = {"ledger": "default", "title": "饮水管网漏损", "responsible_unit": "t1v1", **given}
        return dict(self.call("POST", "/v1/items", json=body))

    def fire(self, item_id: str, trigger: str, key: str | None = None, **given: Any) -> Any:
        return self.call("POST", f"/v1/items/{item_id}/transitions", key, json={"trigger": trigger, **given})


@pytest.fixture(scope="module")
def county(browser: Browser, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """A small county on a server of its own, with its workers."""
    home = tmp_path_factory.mktemp("county")
    data_dir = home / "data"
    data_dir.mkdir()
    shutil.copyfile(migrated_sqlite, data_dir / "xiaohao.db")
    with Server(Settings(data_dir=data_dir, **UNLIMITED), home / "home", workers_inside="true") as server:
        headers = {"Authorization": f"Bearer {server.admin_key}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False) as admin:
            made = County(server, admin)
            for code, name, parent, level in TREE:
                made.call("POST", "/v1/units", json={"code": code, "name": name, "parent": parent, "level": level})
            made.units = {unit["code"]: unit["id"] for unit in made.call("GET", "/v1/units")["items"]}
            yield made


@dataclass
class Screen:
    """A window of the browser in which somebody is signed in; what it complains of is kept."""

    page: Page
    base: str
    complaints: list[str]

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.base}{path}")
        return self.page


class Screens:
    """Opens windows and closes them again."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser, self._base = browser, base
        self._open: list[BrowserContext] = []

    def open(self, key: str | None, size: Any = DESKTOP, **given: Any) -> Screen:
        context = self._browser.new_context(viewport=size, locale="zh-CN", **given)
        context.set_default_timeout(PATIENCE_MS)
        self._open.append(context)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        screen = Screen(page, self._base, complaints)
        if key is not None:
            screen.go("/console/sign-in")
            page.get_by_label("密钥").fill(key)
            page.get_by_role("button", name="登录").click()
            page.wait_for_url("**/console")
        return screen

    def close(self) -> None:
        for context in self._open:
            context.close()


@pytest.fixture
def screens(browser: Browser, county: County) -> Iterator[Screens]:
    made = Screens(browser, county.server.url)
    yield made
    made.close()
