"""A small county on a running application, and the people who call it.

    root 县 (town-level units below it)
      t1 一镇:  t1v1, t1v2     t2 二镇:  t2v1
      d1 县水利局

The application is the real one behind httpx's ASGI transport, its lifespan running.
"""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI

from service.actions import tenants
from service.actions.service import Service
from service.app import create_app
from service.settings import Settings
from service.workflow.merkle import SHA256, Hashing
from tests.servers import UNENCRYPTED

TREE = (
    ("t1", "一镇", "root", "town"),
    ("t1v1", "一镇一村", "t1", "village"),
    ("t1v2", "一镇二村", "t1", "village"),
    ("t2", "二镇", "root", "town"),
    ("t2v1", "二镇一村", "t2", "village"),
    ("d1", "县水利局", "root", "department"),
)

_serial = itertools.count(1)


@dataclass
class World:
    app: FastAPI
    service: Service
    admin: httpx.AsyncClient
    units: dict[str, str] = field(default_factory=dict)
    """Unit ids by code."""
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: Settings) -> AsyncIterator["World"]:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            founded = await tenants.found_tenant(
                app.state.service, code="default", name="测试县", admin_key=None, now=datetime.now(UTC)
            )
            assert founded.admin_key is not None
            world = cls(app, app.state.service, httpx.AsyncClient(**UNENCRYPTED))
            world.admin = world.with_key(founded.admin_key)
            await world._build()
            try:
                yield world
            finally:
                for client in world.clients:
                    await client.aclose()

    async def _build(self) -> None:
        for code, name, parent, level in TREE:
            made = await self.admin.post(
                "/v1/units", json={"code": code, "name": name, "parent": parent, "level": level}
            )
            assert made.status_code == 201, made.text
        listed = (await self.admin.get("/v1/units")).json()["items"]
        self.units = {unit["code"]: unit["id"] for unit in listed}

    def with_key(self, key: str | None, **headers: str) -> httpx.AsyncClient:
        """A client that sends `key`; errors inside the application become answers, as on a real port."""
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
        client = httpx.AsyncClient(transport=transport, base_url="http://xiaohao.test", headers=headers)
        self.clients.append(client)
        return client

    async def key(self, role: str, unit: str = "root", name: str | None = None) -> str:
        """The key of a new principal with one grant."""
        key = await tenants.create_key(
            self.service,
            tenant="default",
            principal=name or f"{role}-{next(_serial)}",
            role=role,
            unit_code=unit,
            now=datetime.now(UTC),
        )
        assert key is not None
        return key

    async def person(self, role: str, unit: str = "root") -> httpx.AsyncClient:
        """A client of a new principal with `role` over `unit`."""
        return self.with_key(await self.key(role, unit))

    async def tenant(self, code: str, hashing: Hashing = SHA256, timezone: str = tenants.TIMEZONE) -> httpx.AsyncClient:
        """A client of the admin of another, new tenant."""
        founded = await tenants.found_tenant(
            self.service, code=code, name="另一个县", admin_key=None, now=datetime.now(UTC), hashing=hashing,
            timezone=timezone,
        )  # fmt: skip
        assert founded.admin_key is not None
        return self.with_key(founded.admin_key)

    async def item(self, by: httpx.AsyncClient | None = None, **given: Any) -> dict[str, Any]:
        """A listed item, responsible unit t1v1 unless told."""
        body = {"ledger": "default", "title": f"饮水管网漏损 {next(_serial)}", "responsible_unit": "t1v1", **given}
        answer = await (by or self.admin).post("/v1/items", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def fire(self, by: httpx.AsyncClient, item_id: str, trigger: str, **given: Any) -> httpx.Response:
        """Fire a trigger; the answer, whatever it is."""
        return await by.post(f"/v1/items/{item_id}/transitions", json={"trigger": trigger, **given})
