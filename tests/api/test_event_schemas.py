"""What is said of events in the OpenAPI document, held against events that the service writes, shows and sends."""

import asyncio
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from service.api import event_schemas
from service.api.event_fields import CHANGES, DATA
from service.api.event_values import EMPTY, VALUES
from service.api.webhook_document import examples
from service.settings import Settings
from service.workflow.catalogue import EVENT_TYPES
from service.workflow.delivery import PING
from service.workflow.erasure import PLACES
from tests.api import telling
from tests.api.document import DOCUMENT
from tests.api.telling import Told
from tests.checks.described import event_faults, faults
from tests.endpoint import ALLOWED
from tests.world import World

TYPES = (*EVENT_TYPES, PING)
MEDIA = {"standard": "application/json", "cloudevents": "application/cloudevents+json"}


@pytest.fixture(scope="module")
def told(settings: Settings) -> Told:
    async def tell() -> Told:
        async with World.running(settings.model_copy(update={"webhook_allow_networks": ALLOWED})) as world:
            return await telling.told(world)

    return asyncio.run(tell())


# -- what the service writes


def test_everything_happens_in_the_story(told: Told) -> None:
    assert {event["type"] for event in told.feed} == EVENT_TYPES.keys()


def test_every_event_is_as_described(told: Told) -> None:
    assert [(event["type"], fault) for event in told.feed for fault in event_faults(event)] == []


def test_what_was_erased_is_described_too(told: Told) -> None:
    erased = [event for event in told.feed if {"erased": True} in event["data"].values()]
    assert erased and all(event_faults(event) == [] for event in erased)


@pytest.mark.parametrize("format", MEDIA)
def test_every_request_to_an_endpoint_is_as_described(told: Told, format: str) -> None:
    assert len(told.sent[format]) > len(EVENT_TYPES)
    for sent in told.sent[format]:
        entry = DOCUMENT["webhooks"][sent.event["type"]]["post"]
        assert sent.headers["content-type"] == f"{MEDIA[format]}; charset=utf-8"
        assert faults(entry["requestBody"]["content"][MEDIA[format]]["schema"], sent.body) == []
        for parameter in entry["parameters"]:
            header = DOCUMENT["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
            assert header["name"] in sent.headers or not header["required"]
            assert faults(header["schema"], sent.headers.get(header["name"], "true")) == []


def test_an_endpoint_of_either_format_is_sent_every_type(told: Told) -> None:
    for format in MEDIA:
        assert {sent.event["type"] for sent in told.sent[format]} >= {*TYPES} - {"webhook.created"}


def test_the_examples_are_what_is_written(told: Told) -> None:
    again = "the story tells it otherwise: run `python -m tests.api.telling` and `make openapi`"
    assert telling.examples(told) == json.loads(telling.EXAMPLES.read_text()), again


# -- a description that is not so is noticed


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of an event's data whose fields are described one by one."""
    yield value
    for name in ("verification", "changes"):
        if name in value:
            yield value[name]
            if name == "changes":
                yield from value[name].values()


@pytest.mark.parametrize("type_", TYPES)
def test_a_field_that_nobody_described_is_noticed(type_: str) -> None:
    event = deepcopy(examples()[type_])
    assert event_faults(event) == []
    for place in (event, event["actor"], *objects(event["data"])):
        place["surprise"] = 1
        assert event_faults(event) != []
        del place["surprise"]
    assert event_faults(event) == []


@pytest.mark.parametrize("type_", TYPES)
def test_a_field_that_is_missing_or_another_is_noticed(type_: str) -> None:
    event = deepcopy(examples()[type_])
    needed = event_schemas.data(type_)["required"]
    assert set(needed) <= event["data"].keys()
    for name in list(event["data"]):
        kept = event["data"].pop(name)
        assert bool(event_faults(event)) == (name in needed), name
        event["data"][name] = 1.5
        assert event_faults(event) != [], name
        event["data"][name] = kept


# -- the tables


def test_every_type_has_its_fields_and_no_other() -> None:
    assert DATA.keys() == set(TYPES)
    assert CHANGES.keys() == {type_ for type_, fields in DATA.items() if "changes" in fields}


def test_every_value_is_that_of_a_field() -> None:
    named = {field.split("=")[-1].rstrip("?").removesuffix("|null") for fields in DATA.values() for field in fields}
    changed = {column for columns in CHANGES.values() for column in columns}
    assert VALUES.keys() == (named | changed | {"method", "on", "note"}) - {"changes", "verification"}
    assert changed >= EMPTY


def test_a_type_that_is_described_nowhere_may_say_anything() -> None:
    assert event_schemas.data("item.dreamt_of") == {"type": "object"}


def test_what_can_be_erased_is_a_field_of_some_type() -> None:
    described = {
        (type_, path)
        for type_ in TYPES
        for path, schema in paths(event_schemas.data(type_))
        if {"$ref": "#/components/schemas/Erased"} in schema.get("anyOf", ())
    }
    for field, places in PLACES.items():
        for prefix, path in places:
            found = [type_ for type_, each in described if each == path and type_.startswith(prefix)]
            assert found or path == "actor/name" or (field, path) in NOWHERE, (field, prefix, path)


NOWHERE = {("external_ref", "changes/external_ref")}
"""Erased where it stands, should it ever stand there: nobody can correct it."""


def paths(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in schema["properties"].items():
        yield name, inner
        if name in ("changes", "verification"):
            yield from ((f"{name}/{each}", deeper) for each, deeper in inner["properties"].items())
