"""The committed OpenAPI document is the one the code gives, and says all that a client needs to know."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.app import create_app
from service.errors import PROBLEMS
from service.settings import Settings
from service.workflow.catalogue import EVENT_TYPES
from service.workflow.delivery import PING
from tests.checks.described import faults

COMMITTED = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"

DOCUMENT: dict[str, Any] = create_app(Settings()).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
WEBHOOKS: dict[str, Any] = {type_: entry["post"] for type_, entry in DOCUMENT["webhooks"].items()}
FORMATS = {"date", "date-time", "uuid"}
"""Formats that bound a string's length by themselves."""

VERBS = ("get", "list", "create", "update", "delete", "record", "revoke", "end", "import", "decide", "withdraw",
         "issue", "sign", "cancel", "schedule", "review", "stream", "export")  # fmt: skip

HAN = re.compile(r"[\u4e00-\u9fff]")

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def walk(node: Any, where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object below `node`, references followed once."""
    seen: set[str] = set()

    def step(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(node, list):
            for index, inner in enumerate(node):
                yield from step(inner, f"{where}/{index}")
        elif isinstance(node, dict):
            if "$ref" in node:
                if node["$ref"] in seen:
                    return
                seen.add(node["$ref"])
                yield from step(resolved(node), node["$ref"])
                return
            yield where, node
            for name, inner in node.items():
                if name not in ("examples", "example", "default", "enum", "const"):
                    yield from step(inner, f"{where}/{name}")

    yield from step(node, where)


def test_the_committed_document_is_the_generated_one() -> None:
    assert json.loads(COMMITTED.read_text()) == json.loads(json.dumps(DOCUMENT)), "run `make openapi`"


def test_it_is_openapi_3_1_without_what_3_1_does_not_know() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert not [where for where, node in walk(DOCUMENT) if "itemSchema" in node]


def test_operation_ids_are_unique_and_our_own() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    received = [entry["operationId"] for entry in WEBHOOKS.values()]
    assert len({*ids, *received}) == len(ids) + len(received)
    # The framework's own ids end in the path and the method.
    assert all(re.fullmatch(rf"({'|'.join(VERBS)})_[a-z_]+", each) and "v1" not in each for each in ids), ids


@each_operation
def test_it_has_a_summary_and_a_tag_that_is_declared(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert len(operation["tags"]) == 1
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}


def needs_a_caller(name: str) -> bool:
    """The log's key is for everybody: checkpoints are shown to people who have no key here."""
    return " /v1/" in name and name != "GET /v1/log/key"


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_says_how_it_refuses(name: str) -> None:
    operation = OPERATIONS[name]
    answers = operation["responses"]
    needed = {"401", "404", "422", "500", "503"} if needs_a_caller(name) else {"500", "503"}
    if name.startswith(("POST", "PATCH", "PUT")):
        needed |= {"403", "413", "415"}
    if name.startswith(("POST", "PATCH")):
        needed |= {"409"}
    assert needed <= set(answers), needed - set(answers)
    for status, answer in answers.items():
        if int(status) < 400:
            continue
        content = resolved(answer)["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/ProblemOut"}
        codes = {example["value"]["code"] for example in content["examples"].values()}
        assert codes and all(PROBLEMS[code].status == int(status) for code in codes)
        titles = [example["value"]["title"] for example in content["examples"].values()]
        assert any(HAN.search(title) for title in titles) and not all(HAN.search(title) for title in titles)


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_says_who_may_call(name: str) -> None:
    assert OPERATIONS[name]["security"] == ([{"key": []}, {"token": []}] if needs_a_caller(name) else [])


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name.startswith("POST")])
def test_every_post_takes_an_idempotency_key(name: str) -> None:
    assert "Idempotency-Key" in {resolved(each)["name"] for each in OPERATIONS[name]["parameters"]}


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if "requestBody" in operation])
def test_a_body_has_examples_in_chinese_and_english(name: str) -> None:
    for content in OPERATIONS[name]["requestBody"]["content"].values():
        examples = content["examples"]
        assert any(HAN.search(json.dumps(each, ensure_ascii=False)) for each in examples.values())
        assert any(not HAN.search(json.dumps(each, ensure_ascii=False)) for each in examples.values())
        assert all(each["summary"] for each in examples.values())


@each_operation
def test_everything_that_is_sent_has_a_bound(operation: dict[str, Any]) -> None:
    sent = {"parameters": operation.get("parameters", []), "body": operation.get("requestBody", {})}
    unbounded = [where for where, node in walk(sent) if "type" in node and not bounded(node)]
    assert not unbounded, unbounded


def bounded(schema: dict[str, Any]) -> bool:
    if "enum" in schema or "const" in schema:
        return True
    match schema["type"]:
        case "string":
            # `{"type": "string"}` alone says "not null" beside the property that has the bounds.
            return "maxLength" in schema or schema.get("format") in FORMATS or schema == {"type": "string"}
        case "integer" | "number":
            return {"minimum", "maximum"} <= set(schema)
        case "array":
            return "maxItems" in schema
        case "object":
            return (
                schema.get("additionalProperties") is False or "maxProperties" in schema or "properties" not in schema
            )
        case _:
            return True


def test_an_object_that_is_sent_takes_no_unknown_field() -> None:
    for name, operation in OPERATIONS.items():
        for where, node in walk(operation.get("requestBody", {})):
            if node.get("type") == "object":
                assert node.get("additionalProperties") is False or "maxProperties" in node, f"{name} {where}"


# -- what endpoints are sent


def test_every_type_of_event_has_an_entry() -> None:
    assert WEBHOOKS.keys() == {*EVENT_TYPES, PING}
    assert all(list(entry) == ["post"] for entry in DOCUMENT["webhooks"].values())


def test_a_type_that_is_added_to_the_catalogue_appears_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVENT_TYPES, "item.praised", ("表扬", "Somebody did well."))
    document = create_app(Settings()).openapi()
    entry = document["webhooks"]["item.praised"]["post"]
    assert (entry["operationId"], entry["summary"], entry["description"]) == (
        "receive_item_praised", "Somebody did well.", "表扬",
    )  # fmt: skip
    described = document["components"]["schemas"]["ItemPraisedEvent"]["allOf"][1]["properties"]
    assert described["type"] == {"const": "item.praised"} and described["data"] == {"type": "object"}


@pytest.mark.parametrize("entry", WEBHOOKS.values(), ids=WEBHOOKS.keys())
def test_a_webhook_says_what_is_sent_and_what_an_answer_means(entry: dict[str, Any]) -> None:
    assert HAN.search(entry["description"]) and not HAN.search(entry["summary"]) and entry["summary"].endswith(".")
    assert entry["tags"] == ["webhooks"] and entry["security"] == []
    headers = {header["name"]: header["required"] for header in map(resolved, entry["parameters"])}
    assert headers == {
        "webhook-id": True, "webhook-timestamp": True, "webhook-signature": True, "webhook-replay": False,
    }  # fmt: skip
    assert list(entry["responses"]) == ["2XX", "410", "default"]
    assert all(resolved(answer)["description"] for answer in entry["responses"].values())


@pytest.mark.parametrize("entry", WEBHOOKS.values(), ids=WEBHOOKS.keys())
def test_what_is_sent_to_an_endpoint_has_a_bound_and_an_example(entry: dict[str, Any]) -> None:
    sent = {"parameters": entry["parameters"], "body": entry["requestBody"]}
    unbounded = [where for where, node in walk(sent) if "type" in node and not bounded(node)]
    assert not unbounded, unbounded
    content = entry["requestBody"]["content"]
    assert list(content) == ["application/json", "application/cloudevents+json"]
    for each in content.values():
        assert faults(each["schema"], each["example"]) == []


@pytest.mark.parametrize("type_", WEBHOOKS)
def test_a_request_is_described_as_of_its_type_only(type_: str) -> None:
    for each in WEBHOOKS[type_]["requestBody"]["content"].values():
        for other in WEBHOOKS.keys() - {type_}:
            for example in WEBHOOKS[other]["requestBody"]["content"].values():
                assert faults(each["schema"], example["example"]) != []
