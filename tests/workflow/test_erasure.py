"""What an erasure takes: every text has a field that erases it, and no field takes another's."""

from dataclasses import replace
from uuid import UUID

import pytest

from service.api.event_fields import CHANGES, DATA, VERIFICATION
from service.workflow import erasure
from service.workflow.erasure import ERASED, FACTS, PLACES, Erasable, Written
from service.workflow.events import ACTORS_NAME
from service.workflow.sealing import NESTED, PLAIN
from tests.workflow.builders import an_item, uid

ABOUT_ITEMS = ("item.", "deadline.", "rung.", "request.", "notice.", "interview.")


def texts() -> set[tuple[str, str]]:
    """Type and path of every text that an event about an item may have beside it."""
    found = set()
    for type_, fields in DATA.items():
        if not type_.startswith(ABOUT_ITEMS):
            continue
        found.add((type_, ACTORS_NAME))
        names = [field.partition("?")[0].partition("|")[0].partition("=")[0] for field in fields]
        paths = [name for name in names if name not in NESTED]
        paths += [f"changes/{column}" for column in CHANGES.get(type_, ())]
        paths += [f"verification/{name}" for name in VERIFICATION if "verification" in names]
        found |= {(type_, path) for path in paths if path.rpartition("/")[2] not in PLAIN}
    return found


def test_every_text_of_an_events_data_has_a_field_that_erases_it() -> None:
    erased = {
        (type_, path)
        for type_, path in texts()
        if any(type_.startswith(begins) and path == place for places in PLACES.values() for begins, place in places)
    }
    assert erased == texts()


def test_every_place_is_one_where_a_text_may_stand() -> None:
    # A fact that is listed and never corrected stands in one event only.
    unused = {
        (begins, path)
        for places in PLACES.values()
        for begins, path in places
        if not any(type_.startswith(begins) and path == place for type_, place in texts())
    }
    assert unused == {("item.", "changes/external_ref")}


def written(number: int, type_: str, revision: int, *paths: str) -> Written:
    return Written(uid(number), uid(1), type_, revision, {path: {"salt": "00", "value": path} for path in paths}, None)


HISTORY = (
    written(1, "item.created", 1, ACTORS_NAME, "title", "description", "note"),
    written(2, "item.updated", 2, ACTORS_NAME, "changes/title", "changes/goal"),
    written(3, "request.submitted", 3, ACTORS_NAME, "reason"),
    written(4, "item.extended", 4, ACTORS_NAME, "reason"),
    written(5, "request.approved", 4, ACTORS_NAME, "reason"),
    written(6, "item.extended", 5, ACTORS_NAME, "reason"),
    written(7, "notice.issued", 6, ACTORS_NAME, "text"),
    written(8, "item.progressed", 7, ACTORS_NAME, "text"),
    written(9, "item.closed", 8, ACTORS_NAME, "verification/note", "waive_interview"),
)


def gone(*fields: Erasable) -> set[tuple[int, str]]:
    """Number of the event and path of each text that is not left."""
    left = erasure.left_beside(fields, HISTORY)
    before = {each.id: each.beside for each in HISTORY}
    for event_id, beside in left.items():
        assert beside.items() <= before[event_id].items()
    return {(event_id.int, path) for event_id, beside in left.items() for path in before[event_id].keys() - beside}


NUMBER = {each.id.int: number for number, each in enumerate(HISTORY, 1)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((Erasable.TITLE,), {(1, "title"), (2, "changes/title")}),
        ((Erasable.PROGRESS,), {(8, "text")}),
        ((Erasable.NOTICES,), {(7, "text")}),
        ((Erasable.NOTES,), {(1, "note"), (9, "verification/note")}),
        ((Erasable.REASONS,), {(4, "reason"), (6, "reason"), (9, "waive_interview")}),
        # An approval's trigger bears the request's reason; one that was fired directly has its own.
        ((Erasable.REQUESTS,), {(3, "reason"), (4, "reason"), (5, "reason")}),
        ((Erasable.LABELS,), set()),
        ((Erasable.TITLE, Erasable.GOAL), {(1, "title"), (2, "changes/title"), (2, "changes/goal")}),
        ((Erasable.ACTORS,), {(number, ACTORS_NAME) for number in range(1, 10)}),
    ],
)
def test_a_field_takes_its_own_texts_and_no_others(
    fields: tuple[Erasable, ...], expected: set[tuple[int, str]]
) -> None:
    assert {(NUMBER[event_id], path) for event_id, path in gone(*fields)} == expected


def test_all_fields_together_leave_nothing() -> None:
    left = erasure.left_beside(tuple(Erasable), HISTORY)
    assert left == {each.id: {} for each in HISTORY}


def test_erased_facts_are_empty_and_a_title_says_why() -> None:
    item = an_item(
        "rectifying", description="某某", labels=("甲",), attributes={"name": "某某"}, claim_signed_by="王秀英"
    )
    assert erasure.emptied(item, (Erasable.TITLE, Erasable.LABELS, Erasable.ATTRIBUTES, Erasable.GOAL)) == {
        "title": ERASED, "labels": (), "attributes": {},
    }  # fmt: skip
    assert erasure.emptied(item, (Erasable.SIGNATURES,)) == {"claim_signed_by": None}
    columns = erasure.emptied(item, tuple(Erasable))
    assert erasure.emptied(replace(item, **columns), tuple(Erasable)) == {}
    assert columns.keys() <= {*FACTS, "claim_signed_by"}


def test_the_event_names_fields_and_reason_and_no_text() -> None:
    item = an_item("rectifying", title=ERASED)
    draft = erasure.of_erasure(item, [Erasable.TITLE], "当事人申请")
    assert (draft.type, draft.data) == ("item.redacted", {"fields": ["title"], "reason": "当事人申请"})
    assert draft.about.item_id == item.id
    assert isinstance(draft.about.item_id, UUID)
