"""Nothing crosses tenants: every operation of the document is called with what belongs to another.

Both have the same tree and the same codes. What is equal in both is the matter of test_tenants_apart.py.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests import fonts
from tests.api.calls import (
    CALLS,
    INPUT,
    Asked,
    Place,
    Side,
    hook_at,
    issuer_at,
    item_at,
    ledger_at,
    moved,
    principal_at,
    side,
)  # fmt: skip
from tests.api.calls_clock import ASKED
from tests.api.document import DOCUMENT, OPERATIONS, UUID, inside
from tests.api.helpers import NOBODY, every_page, refused
from tests.evidence import upload
from tests.world import World


@pytest.fixture(scope="module")
async def home(world: World) -> Side:
    return await side(world, world.admin)


@pytest.fixture(scope="module")
async def away(world: World) -> Side:
    return await side(world, await world.tenant("away"))


async def good_call(name: str, at: Side) -> Asked:
    return await CALLS[name](at, Place(at, "t1"))


# -- ids in the path


def values(template: str, path: str) -> dict[str, str]:
    """What stands in the places of the template."""
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/?]+)", template)
    found = re.match(pattern + r"(\?|$)", path)
    assert found, (template, path)
    return found.groupdict()


def ids_inside(path: str) -> list[str]:
    """Of a path's parameters those that are ids."""
    return [name for name in inside(path) if name.endswith("_id")]


WITH_PATH = [name for name in CALLS if ids_inside(OPERATIONS[name.partition(":")[0]][0])]


def test_every_operation_with_an_id_in_its_path_is_among_them() -> None:
    named = {name for name, (path, _) in OPERATIONS.items() if ids_inside(path)}
    assert {name.partition(":")[0] for name in WITH_PATH} == named


@pytest.mark.parametrize("name", WITH_PATH)
async def test_an_id_of_another_tenant_is_not_found(home: Side, away: Side, name: str) -> None:
    """Each id of the path alone, and all of them; the admin of its own tenant gets 2xx for the same call."""
    fonts.skip_without(name)
    template = OPERATIONS[name.partition(":")[0]][0]
    own, foreign = await good_call(name, home), await good_call(name, away)
    mine, theirs = values(template, own.path), values(template, foreign.path)
    for swapped in subsets(mine):
        path = template.format(**{**mine, **{each: theirs[each] for each in swapped}})
        problem = refused(await replace(own, path=path).by(home.admin), "not_found")
        assert not UUID.search(problem["title"] + problem["detail"])
    for asked, at in ((own, home), (foreign, away)):
        answer = await asked.by(at.admin)
        assert answer.is_success, answer.text


def subsets(names: dict[str, str]) -> Iterator[tuple[str, ...]]:
    for size in range(1, len(names) + 1):
        yield from itertools.combinations(names, size)


# -- ids in the body


def id_places(schema: dict[str, Any], sent: Any) -> Iterator[str]:
    """The pointers of all that a body may name by id, read from its schema; of a choice, those of what was sent."""
    if ref := schema.get("$ref"):
        schema = DOCUMENT["components"]["schemas"][ref.rpartition("/")[2]]
    if mapping := schema.get("discriminator", {}).get("mapping"):
        yield from id_places({"$ref": mapping[sent[schema["discriminator"]["propertyName"]]]}, sent)
        return
    if schema.get("format") == "uuid":
        yield ""
    for branch in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from id_places(branch, sent)
    if "items" in schema:
        first = sent[0] if isinstance(sent, list) and sent else {}
        yield from (f"/0{rest}" for rest in id_places(schema["items"], first))
    for name, inner in schema.get("properties", {}).items():
        yield from (f"/{name}{rest}" for rest in id_places(inner, sent.get(name, {})))


def put(body: Any, pointer: str, value: str) -> Any:
    """A copy of the body with the value at the pointer, and without the code that would name the same thing."""
    name, _, rest = pointer[1:].partition("/")
    if isinstance(body, list) or name.isdigit():
        return [put(body[0], f"/{rest}", value) if rest else value, *(body or [])[1:]]
    inner = put(body.get(name) or ([] if rest[0].isdigit() else {}), f"/{rest}", value) if rest else value
    return {**{key: each for key, each in body.items() if key != name.removesuffix("_id")}, name: inner}


async def foreign_id(kind: str, away: Side) -> str:
    """The id of another tenant's thing of that kind."""
    at = Place(away, "t1v1")
    match kind:
        case "ledger_id":
            return str((await ledger_at(at))["id"])
        case "duplicate_of":
            return str((await item_at(at))["id"])
        case "delegates":
            return str((await principal_at(at, "platform"))["id"])
        case "principal_id":
            return str((await principal_at(at))["id"])
        case "item_ids":
            return str((await item_at(at))["id"])
        case "interview_ids":
            return str((await moved(at, "escalate"))["interview_id"])
        case "attachment_ids":
            return str((await upload(away.admin))["id"])
        case "issuer_id":
            return str((await issuer_at(at))["id"])
        case "delivery_id":
            # Of a webhook of its own only: whose it is does not even come up.
            return NOBODY
        case _ if "unit" in kind or kind in ("parent_id", "transfer_to_id", "department_id"):
            return at.id
    raise AssertionError(f"nothing is known of {kind}")


BESIDE: dict[str, dict[str, Any]] = {
    "/login/issuer_id": {"login": {"subject": "liming"}},
    "/transfer_to_id": {"active": False},
    "create_item_redaction/attachment_ids/0": {"fields": ["attachments"]},
}
"""What must stand beside an id, where the plain call has neither."""


INSTEAD = {"create_unit_hook/principal_id": "department", "create_webhook_replay/delivery_id": "after"}
"""What must not stand beside it."""


def bodies() -> list[tuple[str, str]]:
    """(builder, pointer) of every place for an id in every body of the document."""
    found = []
    for name, sent in SENT.items():
        schema = OPERATIONS[name.partition(":")[0]][1]["requestBody"]["content"]["application/json"]["schema"]
        found += [(name, pointer) for pointer in id_places(schema, sent)]
    return found


CHOICES = {
    "create_item_transition": ("trigger", (*INPUT,)),
    "create_item_request": ("kind", (*ASKED,)),
    "decide_request": ("kind", ("transfer",)),
}
"""Of operations whose body is one of several: the field that says which, and those that there are."""


def _sent(name: str) -> dict[str, Any] | None:
    plain, _, which = name.partition(": ")
    if "application/json" not in OPERATIONS[plain][1].get("requestBody", {}).get("content", {}):
        return None
    field, choices = CHOICES.get(plain, ("", ("",)))
    return {field: which} if which in choices else None


SENT: dict[str, Any] = {name: sent for name in CALLS if (sent := _sent(name)) is not None}
"""The plain call of each operation with a body; of transitions, of each trigger; of requests, of each kind."""


def test_every_operation_with_a_body_is_among_them() -> None:
    named = {name for name, (_, each) in OPERATIONS.items() if "application/json" in str(each.get("requestBody", {}))}
    assert {name.partition(":")[0] for name in SENT} == named
    assert len(bodies()) >= 15


@pytest.mark.parametrize(("name", "pointer"), bodies())
async def test_an_id_of_another_tenant_in_a_body_is_an_unknown_reference(
    home: Side, away: Side, name: str, pointer: str
) -> None:
    """As if it were nowhere; and the same call without it is good."""
    own = await good_call(name, home)
    kind = next(part for part in reversed(pointer.split("/")) if not part.isdigit())
    sent = {**own.json, **BESIDE.get(name + pointer, BESIDE.get(pointer, {}))}
    sent.pop(INSTEAD.get(name + pointer), None)
    body = put(sent, pointer, await foreign_id(kind, away))
    refused(await replace(own, json=body).by(home.admin), "invalid_request", (pointer, "unknown_reference"))
    assert (await own.by(home.admin)).is_success


# -- ids in a query

IDS_IN_QUERIES = {"unit", "supervising_unit", "ledger", "parent", "department"}
FIND_NOTHING = {"principal"}
"""Ids of what not everybody may know: an unknown one is refused to nobody, and nothing is found."""

NO_IDS = {"state", "severity", "source", "lamp", "overdue", "due_before", "due_after", "listed_after", "listed_before",
          "external_ref", "label", "q", "sort", "include", "limit", "cursor", "external_id", "depth", "level",
          "active", "dry_run", "status", "kind", "type", "after", "wait", "position", "size", "from", "to",
          "by", "metric", "part", "subtree", "category", "month", "name", "mode", "text", "changed_rows",
          "background", "layout", "format", "column", "unknown_units", "listed_on"}  # fmt: skip
BESIDE_IN_QUERIES: dict[str, dict[str, str]] = {
    "/v1/statistics": {"by": "ledger"},
    "/v1/statistics/items": {"metric": "listed"},
    "/v1/imports": {"ledger": "default", "unknown_units": "create"},
}
"""What a call needs before its ids are looked at."""

NOT_FOUND = {"item_id"}
"""What a list is about: it is not there where that is not."""

POSTED = {"/v1/imports": "problem,unit\n饮水管网漏损,t1\n", "/v1/exports": None}
"""Where a query stands behind a POST, and the file that goes with it."""

QUERIES = [
    (path, parameter["name"])
    for path, each in OPERATIONS.values()
    for parameter in each.get("parameters", ())
    if parameter.get("in") == "query" and path.startswith("/v1/")
]


def test_every_parameter_of_a_query_is_known_to_name_ids_or_not() -> None:
    assert {name for _, name in QUERIES} <= IDS_IN_QUERIES | FIND_NOTHING | NOT_FOUND | NO_IDS


@pytest.mark.parametrize(("path", "name"), [each for each in QUERIES if each[1] in IDS_IN_QUERIES])
async def test_an_id_of_another_tenant_in_a_query_is_an_unknown_reference(
    home: Side, away: Side, path: str, name: str
) -> None:
    foreign = await foreign_id("ledger_id" if name == "ledger" else "unit_id", away)
    asked = {**BESIDE_IN_QUERIES.get(path, {}), name: foreign}
    file = POSTED.get(path)
    answer = await home.admin.request(
        "POST" if path in POSTED else "GET", path, params=asked, files={"file": ("a.csv", file)} if file else None
    )
    refused(answer, "invalid_request", (f"/query/{name}", "unknown_reference"))


@pytest.mark.parametrize(("path", "name"), [each for each in QUERIES if each[1] in FIND_NOTHING])
async def test_an_id_of_another_tenant_finds_nothing_where_an_unknown_one_finds_nothing(
    home: Side, away: Side, path: str, name: str
) -> None:
    await hook_at(Place(home, "t1"))
    assert await every_page(home.admin, path)
    foreign = (await principal_at(Place(away, "t1")))["id"]
    for asked in (foreign, NOBODY):
        assert await every_page(home.admin, path, **{name: asked}) == []


@pytest.mark.parametrize(("path", "name"), [each for each in QUERIES if each[1] in NOT_FOUND])
async def test_a_list_about_what_belongs_to_another_tenant_is_not_there(
    home: Side, away: Side, path: str, name: str
) -> None:
    own, foreign = await item_at(Place(home, "t1")), await item_at(Place(away, "t1"))
    assert await every_page(home.admin, path, **{name: own["id"]}) == []
    for asked in (foreign["id"], NOBODY):
        refused(await home.admin.get(path, params={name: asked}), "not_found")
