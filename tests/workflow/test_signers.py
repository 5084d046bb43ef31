"""Who trusts one key of a log is led to the others, and to nobody else's; an old key signs no later end of the log."""

from datetime import UTC, datetime

import pytest

from service.workflow.notes import BadNote, Checkpoint, Key, Sign, add_signature, sign_note
from service.workflow.signers import Announcement, Signers, announce, opened
from tests.workflow.test_notes import by, made

AT = datetime(2026, 3, 18, 1, tzinfo=UTC)
ORIGIN = "xiaohao/0198a5e2-7a10-7000-8000-000000000000"
KEYS = [made("xiaohao", bytes([number]) * 32) for number in range(1, 5)]
FIRST, SECOND, THIRD, STRANGER = KEYS

Pair = tuple[Key, Sign]


def head(size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, bytes([size]) * 32, AT)


def change(old: Pair, new: Pair, size: int = 4) -> str:
    return announce(Announcement(head(size), old[0], new[0]), old[1], new[1])


def note(size: int, by: Pair) -> str:
    return sign_note(Checkpoint(ORIGIN, size, bytes(32), AT).text, *by)


def signers(trusted: Pair, *told: tuple[int | None, str]) -> tuple[Signers, list[tuple[int | None, str]]]:
    found = Signers(trusted[0], by)
    return found, found.follow(told)


def test_an_announcement_says_behind_which_checkpoint_who_signs_in_place_of_whom() -> None:
    text = change(FIRST, SECOND)
    assert text.split("\n")[:6] == [
        ORIGIN,
        "4",
        "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=",
        "time 2026-03-18T01:00:00Z",
        f"signed by {SECOND[0].text}",
        f"in place of {FIRST[0].text}",
    ]
    assert opened(text, by) == Announcement(head(4), FIRST[0], SECOND[0])


@pytest.mark.parametrize("trusted", [FIRST, SECOND, THIRD])
@pytest.mark.parametrize("turned", [False, True])
def test_each_key_leads_to_all_others(trusted: Pair, turned: bool) -> None:
    told = [(5, change(FIRST, SECOND)), (9, change(SECOND, THIRD, 8))]
    found, wrong = signers(trusted, *(told[::-1] if turned else told))
    assert wrong == []
    for size, signer in ((4, FIRST), (8, SECOND), (900, THIRD)):
        assert found.checkpoint(note(size, signer)).size == size


@pytest.mark.parametrize("position", [5, 900, None])
def test_a_key_signs_nothing_beyond_what_it_announced_its_successor_at(position: int | None) -> None:
    """Wherever the announcement stands: somebody may have moved it."""
    found, _ = signers(FIRST, (position, change(FIRST, SECOND)))
    for size in (5, 6, 2**63 - 1):
        with pytest.raises(BadNote, match="signed the log up to 4 events, and no further"):
            found.checkpoint(note(size, FIRST))
    # The successor may have signed before it was announced.
    assert found.checkpoint(note(3, SECOND)).size == 3
    assert found.heads == [head(4)]


def test_an_announcement_of_another_log_is_none_of_this_one() -> None:
    found, _ = signers(FIRST, (5, change(FIRST, SECOND)))
    assert found.of(ORIGIN) == []
    assert found.of("xiaohao/another") == [f"the announcement is of {ORIGIN}, not of xiaohao/another"]


def test_a_checkpoint_of_a_key_that_nothing_leads_to_proves_nothing() -> None:
    found, wrong = signers(FIRST, (5, change(FIRST, SECOND)), (7, change(STRANGER, THIRD)))
    assert wrong == [(7, "no key that is trusted leads to those that it names")]
    for each in (STRANGER, THIRD):
        with pytest.raises(BadNote, match=f"not signed by {FIRST[0].name}"):
            found.checkpoint(note(900, each))


@pytest.mark.parametrize("trusted", [FIRST, SECOND])
def test_who_has_an_old_key_announces_no_second_successor(trusted: Pair) -> None:
    found, wrong = signers(trusted, (5, change(FIRST, SECOND)), (7, change(FIRST, STRANGER)))
    assert wrong == [(7, "it announces a key in place of one that was succeeded before")]
    with pytest.raises(BadNote, match="not signed by"):
        found.checkpoint(note(900, STRANGER))


def test_a_key_that_was_given_up_does_not_come_back() -> None:
    _, wrong = signers(FIRST, (5, change(FIRST, SECOND)), (7, change(SECOND, FIRST)))
    assert wrong == [(7, "it announces a key in place of one that was succeeded before")]


def test_the_same_announcement_twice_is_one() -> None:
    assert signers(FIRST, *[(5, change(FIRST, SECOND))] * 2)[1] == []


def test_both_must_have_signed_it() -> None:
    announcement = Announcement(head(4), FIRST[0], STRANGER[0])
    alone = sign_note(announcement.text, *STRANGER)
    forged = add_signature(alone, FIRST[0], STRANGER[1])
    swapped = change(FIRST, SECOND).replace(SECOND[0].text, STRANGER[0].text)
    for told in (alone, forged, swapped):
        found, wrong = signers(FIRST, (5, told))
        assert len(wrong) == 1 and wrong[0][1].startswith("it announces no key: ")
        with pytest.raises(BadNote):
            found.checkpoint(note(900, STRANGER))


@pytest.mark.parametrize(
    "text",
    [
        note(5, FIRST),
        "",
        "no note",
        sign_note("one line\n", *FIRST),
        sign_note(f"{head(4).text}signed by nobody\nin place of {FIRST[0].text}\n", *FIRST),
        sign_note(f"{head(4).text}in place of {FIRST[0].text}\nsigned by {SECOND[0].text}\n", *FIRST),
        sign_note(f"{ORIGIN}\nmany\nsigned by {SECOND[0].text}\nin place of {FIRST[0].text}\n", *FIRST),
    ],
)
def test_what_is_no_announcement_is_said(text: str) -> None:
    assert signers(FIRST, (3, text))[1][0][1].startswith("it announces no key: ")
    assert opened(change(FIRST, SECOND), by).new == SECOND[0]


def test_a_checkpoint_may_bear_an_older_name_of_the_installation() -> None:
    older = Key("old-name", FIRST[0].public), FIRST[1]
    assert signers(FIRST)[0].checkpoint(note(3, older)).size == 3
