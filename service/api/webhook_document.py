"""The `webhooks` section of the OpenAPI document: what endpoints are sent, a request for every type of event."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from service.actions.carrying import source_of
from service.api import event_schemas
from service.api.event_values import ID, MOMENT, Schema, told, whole
from service.workflow.catalogue import EVENT_TYPES
from service.workflow.delivery import CLOUDEVENT_TYPES, PING, cloudevent, standard
from service.workflow.webhooks import OLD_SECRETS

PING_SAYS = ("测试推送", "A test that was asked for with `/v1/webhooks/{webhook_id}/ping`. It stands in no log.")

SIGNATURE = "v1,[A-Za-z0-9+/]{43}="
SIGNATURES = f"^{SIGNATURE}( {SIGNATURE}){{0,{OLD_SECRETS}}}$"

SOURCE = source_of(UUID("0198a5e2-7a10-7000-8000-000000000000"))

HEADERS: dict[str, tuple[bool, str, Schema]] = {
    "webhook-id": (True, "The event's id, the same at every attempt and replay: what came before is known by it.", ID),
    "webhook-timestamp": (
        True,
        "When this attempt was signed, in seconds since 1970. What is older than five minutes is refused.",
        {"type": "string", "pattern": "^[0-9]{1,12}$", "maxLength": 12, "examples": ["1772416800"]},
    ),
    "webhook-signature": (
        True,
        "`v1,` and the base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`; the key is what stands "
        "behind `whsec_` in the secret, base64 decoded. Several of them, a space between, while a secret is replaced.",
        {"type": "string", "pattern": SIGNATURES, "maxLength": 300,
         "examples": ["v1,uR6tYrTYkc9Lxz7cVrYUlnLzRdUXhJLZwc2RBqWbVvE="]},
    ),
    "webhook-replay": (
        False,
        "Sent again by hand, and so outside the order.",
        {"type": "string", "enum": ["true"]},
    ),
}  # fmt: skip

RESPONSES: dict[str, tuple[str, str]] = {
    "2XX": ("Taken", "Taken. It is not sent again, unless a replay is asked for."),
    "410": ("Gone", "The endpoint wants nothing any more: the webhook is disabled, and `webhook.disabled` says so."),
    "default": (
        "TriedAgain",
        "Not taken, as is what is not answered within 15 seconds, and every redirect: it is tried again, ten times in "
        "all over some three days, after the longer of the schedule and `Retry-After`.",
    ),
}


@cache
def examples() -> dict[str, Any]:
    """By type: an event as the service wrote it, in a county that tests live through; they also write the file."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / "event_examples.json").read_bytes())
    return found


def add_webhooks(document: dict[str, Any]) -> None:
    """An entry for every type that there is, and what they share as components."""
    said = {**EVENT_TYPES, PING: PING_SAYS}
    components = document["components"]
    components["schemas"].update(event_schemas.components(said))
    # Where the feed shows events of any type.
    components["schemas"]["EventOut"]["properties"]["data"]["description"] = (
        "What there is to say; the `webhooks` of this document tell it for each type."
    )
    components["parameters"].update(
        {_shared(name): _header(name, *facts) for name, facts in HEADERS.items()},
    )
    components["responses"].update({name: {"description": text} for name, text in RESPONSES.values()})
    document["webhooks"] = {type_: {"post": _operation(type_, *texts)} for type_, texts in said.items()}


def _shared(header: str) -> str:
    return "".join(part.capitalize() for part in header.split("-"))


def _header(name: str, required: bool, description: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _operation(type_: str, zh: str, en: str) -> dict[str, Any]:
    return {
        "operationId": "receive_" + type_.replace(".", "_"),
        "tags": ["webhooks"],
        "summary": en,
        "description": zh,
        "security": [],
        "parameters": [{"$ref": f"#/components/parameters/{_shared(name)}"} for name in HEADERS],
        "requestBody": {"required": True, "content": _content(type_)},
        "responses": {status: {"$ref": f"#/components/responses/{name}"} for status, (name, _) in RESPONSES.items()},
    }


def _content(type_: str) -> dict[str, Any]:
    content = {
        "application/json": {"schema": _standard(type_)},
        "application/cloudevents+json": {"schema": _cloudevent(type_)},
    }
    if (event := examples().get(type_)) is not None:
        content["application/json"]["example"] = json.loads(standard(event))
        content["application/cloudevents+json"]["example"] = json.loads(cloudevent(event, SOURCE))
    return content


def _standard(type_: str) -> Schema:
    """Standard Webhooks, the format `standard`."""
    return whole(
        type={"const": type_},
        timestamp=told(MOMENT, "When it happened."),
        data={"$ref": f"#/components/schemas/{event_schemas.component(type_)}"},
    )


def _cloudevent(type_: str) -> Schema:
    """CloudEvents 1.0 in structured mode, the format `cloudevents`."""
    source: Schema = {"type": "string", "format": "uri-reference", "maxLength": 200}
    position: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,15}$", "maxLength": 16}
    more = {"subject": told(ID, "The item.")} if event_schemas.about_an_item(type_) else {}
    if type_ != PING:
        more["position"] = told(position, "The event's, as text: the integers of CloudEvents end at 2,147,483,647.")
    return whole(
        specversion={"const": "1.0"},
        id=told(ID, "The event's."),
        source=told(source, "The log that it stands in."),
        type={"const": CLOUDEVENT_TYPES + type_},
        time=told(MOMENT, "When it happened."),
        datacontenttype={"const": "application/json"},
        data={"$ref": f"#/components/schemas/{event_schemas.component(type_)}"},
        **more,
    )
