"""Events are as the OpenAPI document describes them: nothing that nobody was told of, nothing missing, nothing else."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from service.api import event_schemas
from tests.api.document import DOCUMENT
from tests.checks.everything import Everything


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    found = _validator(json.dumps(schema)).iter_errors(value)
    return [f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in found]


def event_faults(event: dict[str, Any]) -> list[str]:
    """What is wrong with an event as the feed shows it, or an endpoint was sent it."""
    return faults({"$ref": f"#/components/schemas/{event_schemas.component(event['type'])}"}, event)


@cache
def _validator(schema: str) -> Draft202012Validator:
    whole = {**json.loads(schema), "components": DOCUMENT["components"]}
    return Draft202012Validator(whole, validate_formats=True)


def events_are_as_described(found: Everything) -> Iterator[str]:
    for row in (*found["events"], *found["tenant_events"]):
        for fault in faults(event_schemas.data(row["type"]), found.told(row)["data"]):
            yield f"{row['type']} {row['id']}: {fault}"
