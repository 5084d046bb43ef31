"""Notes against the published ones of Go's sumdb, checkpoints there and back, and everything malformed refused."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from service.workflow.notes import (
    MAX_SIGNATURES,
    BadNote,
    Checkpoint,
    Key,
    Sign,
    Signature,
    Verify,
    add_signature,
    open_note,
    parse_checkpoint,
    parse_key,
    sign_note,
    signatures,
)
from tests.workflow.builders import examples

# golang.org/x/mod, sumdb/note/note_test.go: two keys, the seed of the first, and what both signed.
PETERS = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCHS = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
BY_PETER = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
NOTE = f"{TEXT}\n{BY_PETER}"

PETER, ENOCH = parse_key(PETERS), parse_key(ENOCHS)


def by(key: Key) -> Verify:
    """Whether a signature is the key's."""

    def verify(signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify


def signer(seed: bytes) -> Sign:
    return Ed25519PrivateKey.from_private_bytes(seed).sign


def made(name: str, seed: bytes) -> tuple[Key, Sign]:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return Key(name, private.public_key().public_bytes_raw()), private.sign


# -- published notes and keys


def test_published_keys_are_read_and_written_as_they_were() -> None:
    for text, name, key_id in [(PETERS, "PeterNeumann", "c74f20a3"), (ENOCHS, "EnochRoot", "af0cfe78")]:
        key = parse_key(text)
        assert (key.name, key.id.hex(), key.text) == (name, key_id, text)


def test_a_published_note_is_good_and_is_signed_again_the_same() -> None:
    assert open_note(NOTE, PETER, by(PETER)) == TEXT
    assert sign_note(TEXT, PETER, signer(PETERS_SEED)) == NOTE
    assert [each.line for each in signatures(NOTE)] == [BY_PETER]


def test_a_note_with_two_signatures_is_good_for_either_key() -> None:
    note = NOTE + BY_ENOCH
    assert open_note(note, PETER, by(PETER)) == open_note(note, ENOCH, by(ENOCH)) == TEXT
    assert [(each.name, each.key_id.hex()) for each in signatures(note)] == [
        ("PeterNeumann", "c74f20a3"),
        ("EnochRoot", "af0cfe78"),
    ]
    assert add_signature(f"{TEXT}\n{BY_ENOCH}", PETER, signer(PETERS_SEED)) == f"{TEXT}\n{BY_ENOCH}{BY_PETER}"


# -- whose signature counts


def test_a_note_that_only_others_signed_is_refused() -> None:
    with pytest.raises(BadNote, match=r"not signed by EnochRoot\+af0cfe78"):
        open_note(NOTE, ENOCH, by(ENOCH))


def test_the_same_name_or_the_same_id_alone_is_another_key() -> None:
    (peters,) = signatures(NOTE)
    for other in [replace(peters, name="CarmenSandiego"), replace(peters, key_id=ENOCH.id)]:
        with pytest.raises(BadNote, match="not signed by"):
            open_note(f"{TEXT}\n{other.line}", PETER, by(PETER))
        # Beside the true one it is somebody else's, which is not looked at.
        assert open_note(NOTE + other.line, PETER, by(PETER)) == TEXT


def test_a_changed_text_a_bad_signature_and_one_beside_a_good_one_are_refused() -> None:
    (peters,) = signatures(NOTE)
    forged = replace(peters, value=bytes([peters.value[0] ^ 1]) + peters.value[1:])
    for note in [
        NOTE.replace("don't", "do"),
        f"{TEXT}\n{forged.line}",
        f"{NOTE}{forged.line}",
        f"{TEXT}\n{forged.line}{BY_PETER}",
    ]:
        with pytest.raises(BadNote, match="not good"):
            open_note(note, PETER, by(PETER))


def test_a_signature_of_another_length_is_not_even_tried() -> None:
    (peters,) = signatures(NOTE)
    for value in [peters.value + b"\0", peters.value[:-1]]:
        with pytest.raises(BadNote, match="not good"):
            open_note(f"{TEXT}\n{replace(peters, value=value).line}", PETER, lambda signature, message: True)


def test_a_witness_may_sign_in_a_way_that_is_not_known_here() -> None:
    witness = Signature("witness.example/w1", b"\1\2\3\4", bytes(72))
    assert open_note(NOTE + witness.line, PETER, by(PETER)) == TEXT
    assert signatures(NOTE + witness.line)[1] == witness


# -- malformed notes

MALFORMED = {
    "no signatures at all": (TEXT, "no empty line"),
    "an empty line and nothing below": (TEXT + "\n", "no signatures"),
    "no text": (BY_PETER, "no empty line"),
    "no last line feed": (NOTE[:-1], "does not end with a line feed"),
    "a control character": ("\x01" + NOTE, "control character"),
    "a carriage return": (NOTE.replace("\n", "\r\n"), "control character"),
    "a lone surrogate": ("\udc80" + NOTE, "not UTF-8"),
    "a line that is none of ours": (NOTE + "Unexpected line.\n", "not a signature line"),
    "a hyphen for the dash": (NOTE.replace("—", "-"), "not a signature line"),
    "no space after the dash": (NOTE.replace("— ", "—"), "not a signature line"),
    "a name with a space": (NOTE.replace("— PeterNeumann", "— Peter Neumann"), "not base64"),
    "a name with a plus sign": (NOTE.replace("— Peter", "— Peter+"), "name of a key"),
    "a name with a wide space": (NOTE.replace("— Peter", "— Peter\u3000"), "name of a key"),
    "no name": (NOTE.replace("— PeterNeumann", "— "), "name of a key"),
    "no signature behind the name": (f"{TEXT}\n— PeterNeumann\n", "not base64"),
    "no padding": (NOTE.replace("AM=", "AM"), "not base64"),
    "stray bits in the padding": (NOTE.replace("AM=", "AN="), "not base64"),
    "the other base64 alphabet": (NOTE.replace("/ZJ", "_ZJ"), "not base64"),
    "a space after the signature": (NOTE[:-1] + " \n", "not base64"),
    "only the key's id": (f"{TEXT}\n— PeterNeumann x08gow==\n", "too short"),
    "too many signatures": (NOTE + BY_PETER * MAX_SIGNATURES, "more than 100"),
}  # fmt: skip


@pytest.mark.parametrize(("note", "why"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_note_is_refused_with_its_reason(note: str, why: str) -> None:
    with pytest.raises(BadNote, match=why):
        signatures(note)
    with pytest.raises(BadNote, match=why):
        open_note(note, PETER, by(PETER))
    with pytest.raises(BadNote, match=why):
        add_signature(note, *made("example.com/log", bytes(32)))


def test_as_many_signatures_as_are_allowed_are_read_and_no_more_added() -> None:
    full = NOTE + BY_ENOCH * (MAX_SIGNATURES - 1)
    assert len(signatures(full)) == MAX_SIGNATURES
    with pytest.raises(BadNote, match="100 signatures already"):
        add_signature(full, PETER, signer(PETERS_SEED))


@pytest.mark.parametrize("text", ["", "no line feed at the end", "a\tb\n", "a\r\n", "\ud800\n"])
def test_what_no_note_can_carry_is_not_signed(text: str) -> None:
    with pytest.raises(BadNote):
        sign_note(text, PETER, signer(PETERS_SEED))


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.just("\n"), max_size=40),
    st.sampled_from(["example.com/log", "纪实"]),
    st.binary(min_size=32, max_size=32),
)
@examples(100)
def test_what_is_signed_is_read_back(text: str, name: str, seed: bytes) -> None:
    key, sign = made(name, seed)
    note = sign_note(text + "\n", key, sign)
    assert open_note(note, parse_key(key.text), by(key)) == text + "\n"
    # Empty lines and signature lines in the text stay text: the last empty line divides.
    nested = sign_note(note, key, sign)
    assert open_note(nested, key, by(key)) == note


# -- malformed keys


def test_every_part_and_every_misspelling_of_a_key_is_refused() -> None:
    parts = {PETERS[start:end] for start in range(len(PETERS)) for end in range(start, len(PETERS) + 1)} - {PETERS}
    misspelt = {PETERS[:at] + chr(ord(PETERS[at]) + 1) + PETERS[at + 1 :] for at in range(len(PETERS))}
    for text in parts | misspelt:
        with pytest.raises(BadNote):
            parse_key(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "not base64"),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "not an Ed25519 key"),
        (PETERS.replace("c74f20a3", "C74F20A3"), "its id is"),
        (PETERS + "\n", "not base64"),
        ("PeterNeumann+c74f20a3", "name.id.key"),
    ],
)
def test_a_malformed_key_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(BadNote, match=why):
        parse_key(text)


def test_a_key_of_another_length_is_refused_even_with_its_true_id() -> None:
    for public in [bytes(31), bytes(33)]:
        key_id = hashlib.sha256(b"n\n\x01" + public).hexdigest()[:8]
        with pytest.raises(BadNote, match=f"not {len(public)}"):
            parse_key(f"n+{key_id}+{base64.b64encode(bytes([1]) + public).decode()}")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\x7f\x00", "\ud800"])
def test_a_name_that_no_note_can_carry_is_refused(name: str) -> None:
    with pytest.raises(BadNote):
        Key(name, PETER.public)
    with pytest.raises(BadNote):
        replace(CHECKPOINT, origin=name)


# -- checkpoints

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
"""The example of the C2SP specification, as are origin and size."""
CHECKPOINT = Checkpoint(
    "example.com/behind-the-sofa", 20852163, base64.b64decode(ROOT), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
)
CHECKPOINT_TEXT = f"example.com/behind-the-sofa\n20852163\n{ROOT}\ntime 2026-01-02T03:04:05Z\n"


def test_a_checkpoint_as_text_and_as_a_note() -> None:
    assert CHECKPOINT.text == CHECKPOINT_TEXT
    key, sign = made(CHECKPOINT.origin, bytes(range(32)))
    assert parse_checkpoint(open_note(sign_note(CHECKPOINT_TEXT, key, sign), key, by(key))) == CHECKPOINT


@given(
    st.builds(
        Checkpoint,
        st.sampled_from(["a", "example.com/log42", "纪实.example/甲"]),
        st.sampled_from([0, 1, 2**63 - 1]) | st.integers(0, 2**63 - 1),
        st.binary(min_size=32, max_size=32),
        st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    )
)
@examples(200)
def test_every_checkpoint_is_read_back(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint.text) == checkpoint


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": -1},
        {"size": 2**63},
        {"root": bytes(31)},
        {"root": b""},
        {"at": datetime(2026, 1, 2)},  # noqa: DTZ001
        {"at": datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=8)))},
        {"at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)},
    ],
)
def test_a_checkpoint_that_could_not_be_written_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadNote):
        replace(CHECKPOINT, **wrong)


@pytest.mark.parametrize(
    ("was", "reads", "why"),
    [
        ("example.com/behind-the-sofa\n", "\n", "name of a key or log"),
        ("example.com/behind-the-sofa\n", "", "four lines"),
        ("example.com", "example com", "name of a key or log"),
        ("20852163", "020852163", "decimal"),
        ("20852163", "-1", "decimal"),
        ("20852163", "+1", "decimal"),
        ("20852163", "", "decimal"),
        ("20852163", "2０", "decimal"),
        ("20852163", "1_000", "decimal"),
        ("20852163", "9223372036854775808", "between"),
        ("20852163", "1" * 5000, "decimal"),
        (ROOT, ROOT[:-1], "root hash is not base64"),
        (ROOT, ROOT.replace("2I=", "2J="), "root hash is not base64"),
        (ROOT, "AAAA", "root hash has 32 bytes"),
        ("\ntime 2026-01-02T03:04:05Z", "", "four lines"),
        ("time 2026", "time: 2026", "time 2026"),
        ("time 2026", "time  2026", "time 2026"),
        ("2026-01-02", "2026-1-2", "time 2026"),
        ("2026-01-02", "2026-02-30", "time 2026"),
        ("2026-01-02", "２０２６-01-02", "time 2026"),
        ("03:04:05Z", "03:04:05", "time 2026"),
        ("03:04:05Z", "24:00:00Z", "time 2026"),
        ("03:04:05Z", "03:04:60Z", "time 2026"),
        ("03:04:05Z", "03:04:05.5Z", "time 2026"),
        ("03:04:05Z", "03:04:05+00:00", "time 2026"),
        ("03:04:05Z\n", "03:04:05Z", "four lines"),
        ("03:04:05Z\n", "03:04:05Z\nmore\n", "four lines"),
        ("03:04:05Z\n", "03:04:05Z\nmore", "four lines"),
        ("03:04:05Z\n", "03:04:05Z\n\n", "four lines"),
        ("sofa\n", "sofa\r\n", "name of a key or log"),
    ],
)
def test_a_malformed_checkpoint_is_refused_with_its_reason(was: str, reads: str, why: str) -> None:
    assert was in CHECKPOINT_TEXT
    with pytest.raises(BadNote, match=why):
        parse_checkpoint(CHECKPOINT_TEXT.replace(was, reads))
