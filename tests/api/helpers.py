"""What the HTTP tests say often: a refusal as it must look, all pages of a list, the tenant's days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

NOBODY = "00000000-0000-7000-8000-000000000000"
"""An id that nothing has."""

VERIFIED = {"method": "on_site", "on": "2026-01-05", "note": "现场核验，供水正常"}
STATUS = {
    "invalid_request": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "gone": 410,
    "method_not_allowed": 405,
    "conflict": 409,
    "invalid_transition": 409,
    "guard_refused": 409,
    "stale_version": 412,
    "payload_too_large": 413,
    "quota_exceeded": 413,
    "range_not_satisfiable": 416,
    "unsupported_media_type": 415,
    "idempotency_key_reused": 422,
    "precondition_required": 428,
    "rate_limited": 429,
    "printing_unavailable": 503,
    "unavailable": 503,
}


def refused(answer: httpx.Response, code: str, *errors: tuple[str, str], **facts: Any) -> dict[str, Any]:
    """The problem document of a refusal with `code`; exactly these (pointer, code), and at least these facts."""
    assert answer.status_code == STATUS[code], answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["type"] == f"/problems/{code}"
    assert problem["status"] == answer.status_code
    assert problem["title"] and problem["detail"]
    assert problem["instance"] == answer.request.url.path
    assert problem["request_id"] == answer.headers["x-request-id"]
    if errors:
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == list(errors)
    assert facts.items() <= problem.items(), problem
    return problem


def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


async def read(client: httpx.AsyncClient, url: str, **params: Any) -> Any:
    return ok(await client.get(url, params=params))


async def ids(client: httpx.AsyncClient, **params: Any) -> list[str]:
    """The ids of one page of items."""
    return [item["id"] for item in (await read(client, "/v1/items", **params))["items"]]


async def every_page(client: httpx.AsyncClient, url: str, **params: Any) -> list[Any]:
    """The rows of all pages, by their cursors; fails where these lead nowhere new."""
    rows: list[Any] = []
    cursor: dict[str, str] = {}
    seen: set[str] = set()
    while True:
        page = await read(client, url, **(params | cursor))
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        assert page["next_cursor"] not in seen
        seen.add(page["next_cursor"])
        cursor = {"cursor": page["next_cursor"]}


def today() -> date:
    return datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()


def day(offset: int) -> str:
    """The tenant's day `offset` days from today, as it is sent."""
    return (today() + timedelta(days=offset)).isoformat()


def match(item: dict[str, Any]) -> dict[str, str]:
    """If-Match for an item, unit or ledger as it was read."""
    return {"If-Match": f'"{item["version"]}"'}
