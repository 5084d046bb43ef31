"""Where a page of a list begins, as the links between pages say it. Whatever is no such place is refused."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.errors import invalid

OLDEST, NEWEST = UUID(int=0), UUID(int=2**128 - 1)

_BAD = ("/after", "bad_cursor")


def place(given: str | None, kind: Callable[[str], Any]) -> tuple[Any, UUID] | None:
    """`<value>~<id>`: behind the row with this value and id; an empty value is None."""
    if given is None:
        return None
    value, _, row_id = given.partition("~")
    try:
        return (kind(value) if value else None), UUID(row_id)
    except ValueError:
        raise invalid(_BAD) from None


def written(value: date | datetime | None, row_id: UUID) -> str:
    return f"{value.isoformat() if value is not None else ''}~{row_id}"


def row(given: str | None, begin: UUID) -> UUID:
    """The row behind which to go on; without, `begin`."""
    if given is None:
        return begin
    try:
        return UUID(given)
    except ValueError:
        raise invalid(_BAD) from None


def pair(given: str | None) -> tuple[int, int]:
    """`<revision>.<ordinal>` of an event."""
    if given is None:
        return 0, 0
    first, _, second = given.partition(".")
    if not (first.isascii() and first.isdigit() and second.isascii() and second.isdigit() and len(given) < 20):
        raise invalid(_BAD)
    return int(first), int(second)


def day_of(given: str) -> date:
    return date.fromisoformat(given)


def instant_of(given: str) -> datetime:
    found = datetime.fromisoformat(given)
    if found.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return found
