"""Saying things in one of the two languages: words of the pages, terms of the domain, days and times."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from service.console.terms import TERMS
from service.console.words import FIELDS, WORDS
from service.wording import say
from service.workflow.catalogue import EVENT_TYPES

DONE = frozenset(name.removeprefix("done.") for name in WORDS if name.startswith("done."))
"""What a page can say was done."""


class Speaker:
    """Speaks `zh` or `en`. Times are of the tenant's zone, where one is known."""

    def __init__(self, tongue: str, tz: ZoneInfo | None) -> None:
        self._tongue, self._tz = tongue, tz

    def word(self, name: str, **facts: object) -> str:
        """A sentence of the pages; one that is missing is a mistake of ours, and raises KeyError."""
        return say(WORDS[name], self._tongue).format(**facts)

    def term(self, group: str, value: str) -> str:
        """A word of the domain. What an office has named itself stands as it is."""
        text = TERMS.get(f"{group}.{value}")
        return say(text, self._tongue) if text else value

    def field(self, name: str) -> str:
        text = FIELDS.get(name)
        return say(text, self._tongue) if text else name

    def event(self, event_type: str) -> str:
        zh, en = EVENT_TYPES.get(event_type, (event_type, event_type))
        return zh if self._tongue == "zh" else en.rstrip(".")

    def day(self, value: date) -> str:
        return value.isoformat()

    def moment(self, value: datetime | str) -> str:
        """To the minute; an instant as JSON has it will do."""
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant.astimezone(self._tz or UTC).strftime("%Y-%m-%d %H:%M")


def size(count: int) -> str:
    """A number of bytes as people read it."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.0f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"
