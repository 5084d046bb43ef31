"""Events as JSON Schema, type by type: the envelope that all share, and the data of each."""

import re
from collections.abc import Iterable

from service.api.event_fields import CHANGES, DATA, VERIFICATION
from service.api.event_values import EMPTY, ID, VALUES, VERSION, Schema, told
from service.workflow.delivery import PING
from service.workflow.erasure import PLACES
from service.workflow.events import TYPES

ERASED: Schema = {
    "type": "object",
    "description": "A text stood here, and was lawfully erased.",
    "properties": {"erased": {"const": True}},
    "required": ["erased"],
    "additionalProperties": False,
}

NOTHING: Schema = {"type": "null"}
_MAYBE: Schema = {"anyOf": [ID, NOTHING]}

_TRIGGERS = {type_: str(trigger) for trigger, type_ in TYPES.items()}
_ERASABLE = {place for places in PLACES.values() for place in places}
_NAME = re.compile(r"(?P<name>\w+)(?P<mark>\?|\|null)?(?:=(?P<value>\w+))?")


def component(type_: str) -> str:
    """The name under which the document has the schema: `item.closed` is ItemClosedEvent."""
    return f"{_camel(type_)}Event"


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[._]", name))


def components(types: Iterable[str]) -> dict[str, Schema]:
    """The schemas of these types, and what several of them refer to."""
    changeable = sorted({column for columns in CHANGES.values() for column in columns})
    return {
        "Erased": ERASED,
        **{f"ChangeOf{_camel(column)}": _change(column) for column in changeable},
        **{component(type_): event(type_) for type_ in types},
    }


def event(type_: str) -> Schema:
    """An event of a type as the feed shows it and as webhooks send it, with its position."""
    family = type_.partition(".")[0]
    item = about_an_item(type_)
    return {
        "allOf": [
            {"$ref": "#/components/schemas/EventOut"},
            {
                "properties": {
                    "type": {"const": type_},
                    "position": NOTHING if type_ == PING else {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
                    "item_id": ID if item else NOTHING,
                    "item_version": VERSION if item else NOTHING,
                    "unit_id": ID if item or family in ("unit", "report") else NOTHING,
                    "ledger_id": _MAYBE if family == "report" else ID if item or family == "ledger" else NOTHING,
                    "data": data(type_),
                }
            },
        ]
    }


def about_an_item(type_: str) -> bool:
    return type_.partition(".")[0] in ("item", "deadline", "rung", "request", "notice", "interview")


def data(type_: str) -> Schema:
    """The data of a type's events. Of a type that is described nowhere yet: anything."""
    if type_ not in DATA:
        return {"type": "object"}
    return _object(type_, "", DATA[type_])


def _object(type_: str, path: str, fields: tuple[str, ...]) -> Schema:
    properties: dict[str, Schema] = {}
    required = []
    for field in fields:
        found = _NAME.fullmatch(field)
        assert found is not None, field
        name, mark, value = found["name"], found["mark"], found["value"] or found["name"]
        schema = _value(type_, value)
        alternatives = [schema]
        if any(type_.startswith(prefix) and path + name == place for prefix, place in _ERASABLE):
            alternatives.append({"$ref": "#/components/schemas/Erased"})
        if mark == "|null":
            alternatives.append(NOTHING)
        properties[name] = {"anyOf": alternatives} if len(alternatives) > 1 else schema
        if mark != "?":
            required.append(name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _value(type_: str, value: str) -> Schema:
    match value:
        case "changes":
            return told(_changes(type_), "Each field that changed, before and after.")
        case "verification":
            return _object(type_, "verification/", VERIFICATION)
        case "trigger" if type_ in _TRIGGERS:
            return {"const": _TRIGGERS[type_]}
        case _:
            return VALUES[value]


def _changes(type_: str) -> Schema:
    properties: dict[str, Schema] = {}
    for column in CHANGES[type_]:
        change: Schema = {"$ref": f"#/components/schemas/ChangeOf{_camel(column)}"}
        if any(type_.startswith(prefix) and f"changes/{column}" == place for prefix, place in _ERASABLE):
            change = {"anyOf": [change, {"$ref": "#/components/schemas/Erased"}]}
        properties[column] = change
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _change(column: str) -> Schema:
    held = {"anyOf": [VALUES[column], NOTHING]} if column in EMPTY else VALUES[column]
    return {
        "type": "object",
        "properties": {"before": held, "after": held},
        "required": ["before", "after"],
        "additionalProperties": False,
    }
