"""What a message says, before any robot's markup: a title, facts, and up to ten items.

A `Tale` is what is known; a `Document` is what is said of it in a language. Who complained stands in neither.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from service.workflow.phrases import WORDS, Words, day
from service.workflow.states import AnchorKind
from service.workflow.texts import shortened

LISTED = 10
"""Items that a message lists; of more it says how many."""

LONGEST, LONGEST_TEXT = 120, 400
"""Characters of a title or a name, and of a free text."""


@dataclass(frozen=True, slots=True)
class Matter:
    """An item that is told of. `until` is the day by which something is expected, `late` working days since then:
    negative before it, None where the day itself does not count (a standing item without a review)."""

    number: str
    title: str
    unit: str
    anchor: str | None
    until: date | None
    late: int | None
    overdue: bool
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """`type` is the event's, `what` its action, notice kind or request kind. `more` are items beyond those listed.

    `copied`: the channel's unit is told of another unit's notice.
    """

    type: str
    what: str
    matters: tuple[Matter, ...]
    more: int = 0
    notice: str | None = None
    text: str | None = None
    reply_by: date | None = None
    receipt_due: date | None = None
    copied: bool = False
    at: datetime | None = None
    """In the tenant's time zone."""
    place: str | None = None


Fact = tuple[str, str]
"""What it is called, and what it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as it is said: its head, and facts about it."""

    head: str
    facts: tuple[Fact, ...]
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    facts: tuple[Fact, ...]
    entries: tuple[Entry, ...]
    more: int
    words: Words

    @property
    def rest(self) -> str | None:
        """What is said of the items that are not listed."""
        return self.words.more.format(count=self.more) if self.more else None

    def without_last(self) -> "Document":
        """The same with one item fewer listed."""
        return replace(self, entries=self.entries[:-1], more=self.more + 1)


def document(tale: Tale, locale: str) -> Document:
    words = WORDS[locale]
    listed = tale.matters[:LISTED]
    return Document(
        _title(tale, words),
        tuple(_facts(tale, words, locale)),
        tuple(_entry(tale, matter, words, locale) for matter in listed),
        tale.more + len(tale.matters) - len(listed),
        words,
    )


def ping_document(locale: str) -> Document:
    """What a ping says."""
    words = WORDS[locale]
    return Document(words.title.format(said=words.test), (("", words.test_says),), (), 0, words)


def _title(tale: Tale, words: Words) -> str:
    match tale.type:
        case "rung.fired":
            said = words.actions[tale.what]
        case "notice.issued":
            said = words.kinds[tale.what]
        case "interview.scheduled":
            said = words.scheduled
        case "request.approved":
            said = words.approved.format(request=words.requests[tale.what])
        case _:
            said = words.returned.format(request=words.requests[tale.what])
    return words.title.format(said=said)


def _facts(tale: Tale, words: Words, locale: str) -> list[Fact]:
    facts: list[Fact] = []
    if tale.notice:
        facts.append((words.notice, shortened(tale.notice, LONGEST)))
    if tale.copied:
        facts.append((words.copied, words.no_receipt))
    elif tale.receipt_due is not None:
        facts.append((words.receipt, day(tale.receipt_due, locale)))
    if tale.reply_by is not None:
        facts.append((words.reply, day(tale.reply_by, locale)))
    if tale.at is not None:
        facts.append((words.at, f"{day(tale.at.date(), locale)} {tale.at:%H:%M}"))
    if tale.place:
        facts.append((words.place, shortened(tale.place, LONGEST)))
    if tale.text:
        facts.append((words.said, shortened(tale.text, LONGEST_TEXT)))
    return facts


def _entry(tale: Tale, matter: Matter, words: Words, locale: str) -> Entry:
    facts: list[Fact] = [(words.unit, shortened(matter.unit, LONGEST))]
    if tale.type in ("rung.fired", "notice.issued"):
        facts.append((words.ask, _ask(matter, words)))
    facts.append((words.until, _until(matter, words, locale)))
    head = f"{shortened(matter.number, LONGEST)} {shortened(matter.title, LONGEST)}"
    return Entry(head, tuple(facts), matter.link)


def _ask(matter: Matter, words: Words) -> str:
    if matter.anchor is None:
        return words.asks["by_hand"]
    return words.asks_late if matter.anchor == AnchorKind.DUE and matter.overdue else words.asks[matter.anchor]


def _until(matter: Matter, words: Words, locale: str) -> str:
    if matter.until is None:
        return words.no_deadline
    said = day(matter.until, locale)
    if matter.late is None:
        return said
    if matter.overdue:
        return said + words.join + (words.late.format(days=matter.late) if matter.late else words.just_late)
    return said + words.join + (words.left.format(days=-matter.late) if matter.late < 0 else words.last_day)
