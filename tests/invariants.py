"""What must be true of a database at rest, whatever was done to it and however it was interrupted.

Everything is read past the service, table by table, and worked out again from the events: an item is replayed from
its own record, requests and notices from the events of their items, counters are counted, the work list is derived
from units, timers from deadlines and rungs. What does not agree comes back as a list of sentences, empty where all is
well.
"""

import asyncio

from service.settings import Settings
from tests.checks.clock import firings_have_their_events, timers_follow_from_the_items
from tests.checks.described import events_are_as_described
from tests.checks.everything import Everything, everything, told
from tests.checks.evidence import attachments_follow_from_their_events, bytes_are_kept_and_counted
from tests.checks.items import (
    entries_have_their_events,
    items_follow_from_their_events,
    revisions_count_transactions,
)
from tests.checks.notices import notices_follow_from_their_events, numbers_have_no_gap
from tests.checks.organisation import (
    calendars_follow_from_their_events,
    lines_follow_from_the_parents,
    the_work_list_follows_from_the_units,
    units_follow_from_their_events,
    unnamed_supervisors_are_the_parents,
)
from tests.checks.records import (
    every_event_has_its_position_or_waits_for_it,
    numbers_were_reserved,
    recorded_answers_are_true,
    what_is_searched_is_what_is_there,
)
from tests.checks.requests import (
    interviews_follow_from_their_events,
    items_wait_for_what_is_pending,
    requests_follow_from_their_events,
)

__all__ = ["Everything", "contradictions", "contradictions_in", "everything", "no_contradictions", "told"]

CHECKS = (
    items_follow_from_their_events,
    revisions_count_transactions,
    entries_have_their_events,
    attachments_follow_from_their_events,
    bytes_are_kept_and_counted,
    requests_follow_from_their_events,
    interviews_follow_from_their_events,
    items_wait_for_what_is_pending,
    notices_follow_from_their_events,
    numbers_have_no_gap,
    firings_have_their_events,
    timers_follow_from_the_items,
    every_event_has_its_position_or_waits_for_it,
    lines_follow_from_the_parents,
    units_follow_from_their_events,
    unnamed_supervisors_are_the_parents,
    calendars_follow_from_their_events,
    the_work_list_follows_from_the_units,
    what_is_searched_is_what_is_there,
    numbers_were_reserved,
    recorded_answers_are_true,
    events_are_as_described,
)
"""Each yields one sentence for each thing that does not agree."""


def contradictions_in(found: Everything) -> list[str]:
    """What in a database that was read already does not agree with the rest of it."""
    return [sentence for check in CHECKS for sentence in check(found)]


async def contradictions(settings: Settings) -> list[str]:
    """What in the database of `settings` does not agree with the rest of it."""
    return contradictions_in(await everything(settings))


def no_contradictions(settings: Settings) -> None:
    """For tests that run no event loop of their own."""
    assert asyncio.run(contradictions(settings)) == []
