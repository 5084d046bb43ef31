"""What a request names by id or by code."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field

from service.actions.references import Named
from service.api.deps import NO_NUL
from service.api.fields import Id, Model, distinct
from service.errors import invalid
from service.workflow.attachments import MAX_EACH


def named(model: Model, name: str, pointer: str = "") -> Named:
    """The reference given as `<name>_id` or `<name>`: exactly one of the two."""
    found = named_or_none(model, name, pointer)
    if found is None:
        raise invalid((f"{pointer}/{name}_id", "missing"))
    return found


def named_or_none(model: Model, name: str, pointer: str = "") -> Named | None:
    by_id, by_code = getattr(model, f"{name}_id"), getattr(model, name)
    if by_id is not None and by_code is not None:
        raise invalid((f"{pointer}/{name}", "one_of_two"))
    if by_id is not None:
        return Named(by_id, f"{pointer}/{name}_id")
    return Named(by_code, f"{pointer}/{name}") if by_code is not None else None


Reference = Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=NO_NUL)]
"""An id or a code in a query."""


def reference(value: str, pointer: str) -> Named:
    try:
        return Named(UUID(value) if len(value) == 36 else value, pointer)
    except ValueError:
        return Named(value, pointer)


AttachmentIds = Annotated[
    list[Id],
    distinct,
    Field(
        max_length=MAX_EACH,
        json_schema_extra={"uniqueItems": True},
        description="Attachments that this caller uploaded within a day, and that hang nowhere yet.",
    ),
]

ItemId = Annotated[Id, Path(description="The item's id.")]
