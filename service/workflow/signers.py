"""The keys that sign a log, one after another: a change is announced in the log by a note that both keys have signed.

Whoever trusts one of them is led to the others: forwards because the old key names its successor, backwards because
the new one names whom it succeeds. The announcement says how far the log had come, and with which root, once the new
key signed: the old one has signed nothing beyond, so that whoever gets hold of it later signs no other end of the log.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from service.workflow import notes
from service.workflow.events import EventDraft, Subject
from service.workflow.notes import BadNote, Checkpoint, Key, Sign, Verify

Verifier = Callable[[Key], Verify]

_BY, _FOR = "signed by ", "in place of "


@dataclass(frozen=True, slots=True)
class Announcement:
    """That behind a checkpoint of a log another key signs it."""

    checkpoint: Checkpoint
    old: Key
    new: Key

    @property
    def text(self) -> str:
        """What both sign: the checkpoint's four lines, and two more."""
        return f"{self.checkpoint.text}{_BY}{self.new.text}\n{_FOR}{self.old.text}\n"


def announce(announcement: Announcement, sign_old: Sign, sign_new: Sign) -> str:
    """The announcement as a note with the signatures of both keys."""
    return notes.add_signature(
        notes.sign_note(announcement.text, announcement.old, sign_old), announcement.new, sign_new
    )


def rotated(announcement: Announcement, note: str) -> EventDraft:
    """The event that holds it: for those who see the whole tenant, nothing of it sealed apart."""
    data = {"old_key": announcement.old.text, "new_key": announcement.new.text, "announcement": note}
    return EventDraft("log.key_rotated", Subject(), (), data)


def opened(note: str, verifier: Verifier) -> Announcement:
    """What a note announces. Raises BadNote where it is none, or not signed by both of its keys."""
    lines = notes.text_of(note).split("\n")
    if len(lines) != 7 or lines[6] or not (lines[4].startswith(_BY) and lines[5].startswith(_FOR)):
        raise BadNote("an announcement has six lines: those of a checkpoint, the new key and the old one")
    *checkpoint, new, old, _ = lines
    announcement = Announcement(
        notes.parse_checkpoint("\n".join(checkpoint) + "\n"),
        notes.parse_key(old.removeprefix(_FOR)),
        notes.parse_key(new.removeprefix(_BY)),
    )
    for key in (announcement.old, announcement.new):
        notes.open_note(note, key, verifier(key))
    return announcement


class Signers:
    """The keys by which a log's notes hold: `key`, which somebody trusts, and those that it leads to."""

    def __init__(self, key: Key, verifier: Verifier) -> None:
        self.key = key
        self.announced: list[Announcement] = []
        self._verifier = verifier
        self._line = [key.public]
        """In the order in which they signed."""

    def follow(self, told: Iterable[tuple[int | None, str]]) -> list[tuple[int | None, str]]:
        """Be led by announcements, told with their positions where they have any; what is wrong with some of them.

        A key is succeeded once, and never comes back: a second successor is somebody else's.
        """
        waiting, wrong = [], []
        for position, note in dict.fromkeys(told):
            try:
                waiting.append((position, opened(note, self._verifier)))
            except BadNote as bad:
                wrong.append((position, f"it announces no key: {bad}"))
        while linked := [each for each in waiting if self._knows(each[1])]:
            position, announcement = linked[0]
            waiting.remove(linked[0])
            old, new = announcement.old.public, announcement.new.public
            if old == self._line[-1] and new not in self._line:
                self._line.append(new)
            elif new == self._line[0] and old not in self._line:
                self._line.insert(0, old)
            else:
                wrong.append((position, "it announces a key in place of one that was succeeded before"))
                continue
            self.announced.append(announcement)
        return wrong + [(position, "no key that is trusted leads to those that it names") for position, _ in waiting]

    @property
    def heads(self) -> list[Checkpoint]:
        """How the log was where its keys were changed."""
        return [each.checkpoint for each in self.announced]

    def of(self, origin: str) -> list[str]:
        """What is wrong with those announcements for a log that is called so."""
        own = origin.removeprefix(self.key.name)
        return [
            f"the announcement is of {each.checkpoint.origin}, not of {origin}"
            for each in self.announced
            if each.checkpoint.origin.removeprefix(each.old.name) != own
        ]

    def _knows(self, announcement: Announcement) -> bool:
        return announcement.old.public in self._line or announcement.new.public in self._line

    def checkpoint(self, note: str) -> Checkpoint:
        """A checkpoint that one of the keys has signed while it was the one that did. Raises BadNote."""
        key = self._signer_of(note)
        checkpoint = notes.parse_checkpoint(notes.open_note(note, key, self._verifier(key)))
        for each in self.announced:
            end = each.checkpoint.size
            if each.old.public == key.public and checkpoint.size > end:
                raise BadNote(f"{key.name}+{key.id.hex()} signed the log up to {end} events, and no further")
        return checkpoint

    def _signer_of(self, note: str) -> Key:
        """Which of the keys a note says it is signed by; it may bear an older name of the installation."""
        for signature in notes.signatures(note):
            for public in self._line:
                key = Key(signature.name, public)
                if key.id == signature.key_id:
                    return key
        raise BadNote(f"the note is not signed by {self.key.name}+{self.key.id.hex()}")
