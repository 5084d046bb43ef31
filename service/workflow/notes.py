"""Signed notes and checkpoints as text (C2SP signed-note and tlog-checkpoint): written, and read strictly.

A note is a text, an empty line, and a line for each signature. A checkpoint is the text that says how large a log is
and what its root is. Whoever keeps one can later see whether the past was changed.

Ed25519 itself stays outside: `sign(message)` gives a signature, `verify(signature, message)` whether one is good.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], bool]

MAX_SIGNATURES = 100
"""Under one note. The specification asks for at least 16 to be accepted."""

MAX_SIZE = 2**63 - 1

_ED25519 = b"\x01"
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_ID_BYTES = 4
_ROOT_BYTES = 32
_DASH = "\N{EM DASH} "
_TIME = "time "


class BadNote(Exception):
    """The note, checkpoint or key is malformed, or not signed as it should be; the text says how."""


# -- keys


@dataclass(frozen=True, slots=True)
class Key:
    """An Ed25519 public key (32 bytes) with the name that it signs under. Refuses names that no note can carry."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != _KEY_BYTES:
            raise BadNote(f"an Ed25519 public key has {_KEY_BYTES} bytes, not {len(self.public)}")

    @property
    def id(self) -> bytes:
        """What stands before a signature to say whose it is. Short: it tells keys apart and proves nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as people hand it on: `name+id+key`."""
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"


def parse_key(text: str) -> Key:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise BadNote("a verification key reads name+id+key")
    name, key_id, encoded = parts
    decoded = _unbase64(encoded, "the verification key")
    if not decoded.startswith(_ED25519):
        raise BadNote("the verification key is not an Ed25519 key")
    key = Key(name, decoded.removeprefix(_ED25519))
    if key_id != key.id.hex():
        raise BadNote(f"the verification key says its id is {key_id!r}, but it is {key.id.hex()}")
    return key


# -- notes


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line. Not yet verified, and perhaps of a kind that only others know (a witness's, say)."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {_base64(self.key_id + self.value)}\n"


def sign_note(text: str, key: Key, sign: Sign) -> str:
    """The text as a note with one signature. Refuses a text that no note can carry."""
    if not text.endswith("\n"):
        raise BadNote("the text of a note ends with a line feed")
    _check_characters(text, "the text of the note")
    return f"{text}\n{Signature(key.name, key.id, sign(text.encode())).line}"


def add_signature(note: str, key: Key, sign: Sign) -> str:
    """The note with one signature more, by another key. Verifies none of those that are there."""
    text, present = _split(note)
    if len(present) == MAX_SIGNATURES:
        raise BadNote(f"the note has {MAX_SIGNATURES} signatures already")
    return note + Signature(key.name, key.id, sign(text.encode())).line


def text_of(note: str) -> str:
    """The text of a note, signed by whomever."""
    return _split(note)[0]


def signatures(note: str) -> tuple[Signature, ...]:
    """All signatures under a note in their order, none of them verified."""
    return _split(note)[1]


def open_note(note: str, key: Key, verify: Verify) -> str:
    """The text of a note that the key has signed. What others signed below it is not looked at.

    Refuses a note without a signature by the key, and one with a bad signature by it even where another is good.
    """
    text, present = _split(note)
    own = [each for each in present if (each.name, each.key_id) == (key.name, key.id)]
    if not own:
        raise BadNote(f"the note is not signed by {key.name}+{key.id.hex()}")
    message = text.encode()
    if not all(len(each.value) == _SIGNATURE_BYTES and verify(each.value, message) for each in own):
        raise BadNote(f"the signature by {key.name}+{key.id.hex()} is not good: the note was changed")
    return text


def _split(note: str) -> tuple[str, tuple[Signature, ...]]:
    _check_characters(note, "the note")
    text, gap, below = note.rpartition("\n\n")
    if not gap:
        raise BadNote("the note has no empty line between its text and its signatures")
    if not below:
        raise BadNote("the note has no signatures")
    *lines, rest = below.split("\n")
    if rest:
        raise BadNote("the note does not end with a line feed")
    if len(lines) > MAX_SIGNATURES:
        raise BadNote(f"the note has more than {MAX_SIGNATURES} signatures")
    return text + "\n", tuple(_parse_signature(line) for line in lines)


def _parse_signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise BadNote("a line below the note's text is not a signature line")
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    _check_name(name)
    decoded = _unbase64(encoded, "a signature")
    if len(decoded) <= _ID_BYTES:
        raise BadNote("a signature is too short")
    return Signature(name, decoded[:_ID_BYTES], decoded[_ID_BYTES:])


# -- checkpoints


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large a log was and what its root was, when: in UTC and whole seconds.

    The time stands in an extension line. Neither it nor the origin is proved by the root; the signature vouches for
    them. Refuses values that no checkpoint can carry, so that every one can be written and read back.
    """

    origin: str
    size: int
    root: bytes
    at: datetime

    def __post_init__(self) -> None:
        _check_name(self.origin)
        if not 0 <= self.size <= MAX_SIZE:
            raise BadNote(f"the size of a log is between 0 and {MAX_SIZE}")
        if len(self.root) != _ROOT_BYTES:
            raise BadNote(f"the root hash has {_ROOT_BYTES} bytes, not {len(self.root)}")
        if self.at.utcoffset() != timedelta(0) or self.at.microsecond:
            raise BadNote("the time of a checkpoint is in UTC and whole seconds")

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n{_time_line(self.at)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Accepts only what `Checkpoint.text` writes: nothing may stand in a checkpoint that is not looked at."""
    lines = text.split("\n")
    if len(lines) != 5 or lines[4]:
        raise BadNote("a checkpoint has four lines: origin, size, root hash and time")
    origin, size, root, time = lines[:4]
    if not re.fullmatch("0|[1-9][0-9]{0,18}", size):
        raise BadNote("the size in the checkpoint is not a decimal number without leading zeros")
    return Checkpoint(origin, int(size), _unbase64(root, "the root hash"), _parse_time_line(time))


def _time_line(at: datetime) -> str:
    """A time in UTC and whole seconds, as it stands in what is signed."""
    return _TIME + at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _parse_time_line(line: str) -> datetime:
    try:
        at = datetime.strptime(line, f"{_TIME}%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        # strptime also reads what is never written: digits left out, digits of other scripts, more spaces.
        if line == _time_line(at):
            return at
    except ValueError:
        pass
    raise BadNote("the time in the checkpoint does not read like `time 2026-01-02T03:04:05Z`")


# -- pieces


def _check_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() for character in name):
        raise BadNote("the name of a key or log is empty or contains a space or a plus sign")
    _check_characters(name, "the name of a key or log")


def _check_characters(text: str, what: str) -> None:
    if any(character < " " and character != "\n" for character in text):
        raise BadNote(f"{what} contains a control character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadNote(f"{what} is not UTF-8") from None


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _unbase64(text: str, what: str) -> bytes:
    """Refuses also what decodes but would not be written so: one content, one text."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content or _base64(content) != text:
        raise BadNote(f"{what} is not base64")
    return content
