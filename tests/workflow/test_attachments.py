"""Names of files as they are kept and handed out, what events say of attachments, and whose a loose one is."""

import hashlib
import os
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow import sealing
from service.workflow.attachments import LOOSE, NAMES, Attachment, clean_name, file_name, in_event, name_path
from service.workflow.media import KINDS
from service.workflow.merkle import SHA256
from tests.workflow.builders import examples, uid

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
JPEG = "image/jpeg"
DIGEST = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("现场照片.jpg", "现场照片.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\张伟\\整改前.jpg", "整改前.jpg"),
        ("a\r\nSet-Cookie: x=1.jpg", "aSet-Cookie_ x=1.jpg"),
        ('say "hi".jpg', "say _hi_.jpg"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("\u200bzero\ufeff.pdf", "zero.pdf"),
        ("a\x00b.pdf", "ab.pdf"),
        ("  两 头　空白  .pdf  ", "两 头 空白 .pdf"),
        ("trailing. . .", "trailing"),
        (".hidden", "hidden"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.jpg", "_com1.jpg"),
        ("commune.jpg", "commune.jpg"),
        ("e\u0301.jpg", "\u00e9.jpg"),
        ("a" * 300 + ".pdf", "a" * 251 + ".pdf"),
        ("整" * 100 + ".docx", "整" * 83 + ".docx"),
        ("", None),
        ("/", None),
        ("...", None),
        ("\u202e\u200b", None),
        (None, None),
    ],
)
def test_a_name_is_cleaned(given: str | None, kept: str | None) -> None:
    assert clean_name(given) == kept


ANY = st.text(max_size=400) | st.text(alphabet="ab./\\\r\n\x00\"'<>:|?*%; \u202e\u200f\u2066整改😀", max_size=400)


@given(ANY)
@examples(100)
def test_what_is_kept_of_a_name_harms_nobody(given: str) -> None:
    kept = clean_name(given)
    if kept is None:
        return
    assert 1 <= len(kept.encode()) <= 255
    assert not set(kept) & set('/\\<>:"|?*\r\n\x00')
    assert not [each for each in kept if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert kept == kept.strip(" .")
    assert clean_name(kept) == kept


@given(ANY, st.sampled_from(sorted(KINDS)))
@examples(100)
def test_the_name_that_is_handed_out_says_what_it_is(given: str, media_type: str) -> None:
    name = file_name(clean_name(given), media_type, DIGEST)
    assert name.rpartition(".")[2].casefold() in KINDS[media_type].extensions
    assert 1 <= len(name.encode()) <= 255
    assert name.isprintable()


@pytest.mark.parametrize(
    ("name", "media_type", "handed_out"),
    [
        ("照片.JPG", JPEG, "照片.JPG"),
        ("照片.png", JPEG, "照片.png.jpg"),
        ("report.bat", "application/pdf", "report.bat.pdf"),
        ("page.html", "image/gif", "page.html.gif"),
        ("整改方案.wps", "application/msword", "整改方案.wps"),
        ("整改方案", "application/ofd", "整改方案.ofd"),
        ("jpg", JPEG, "jpg.jpg"),
        (None, "application/pdf", f"attachment-{DIGEST[:8]}.pdf"),
    ],
)
def test_an_extension_that_says_something_else_is_no_extension(
    name: str | None, media_type: str, handed_out: str
) -> None:
    assert file_name(name, media_type, DIGEST) == handed_out


# -- whose it is

LOOSE_ONE = Attachment(
    id=uid(1),
    blob_id=uid(2),
    sha256=DIGEST,
    size=3,
    media_type=JPEG,
    name="甲.jpg",
    uploaded_by=uid(3),
    uploaded_at=NOW,
)


def test_a_loose_attachment_is_its_uploaders_for_a_day() -> None:
    assert LOOSE_ONE.expires_at == NOW + LOOSE
    assert LOOSE_ONE.is_loose_for(uid(3), NOW + LOOSE - timedelta(microseconds=1))
    assert not LOOSE_ONE.is_loose_for(uid(3), NOW + LOOSE)
    assert not LOOSE_ONE.is_loose_for(uid(4), NOW)


def test_one_that_hangs_is_nobodys_to_hang_again_and_stays() -> None:
    hung = replace(LOOSE_ONE, item_id=uid(9))
    assert hung.expires_at is None
    assert not hung.is_loose_for(uid(3), NOW)


# -- what events say


def test_an_event_says_nothing_where_nothing_hangs() -> None:
    assert in_event([]) == {}


def test_each_name_is_sealed_by_itself_and_the_digest_as_it_is() -> None:
    other = replace(LOOSE_ONE, id=uid(5), name=None)
    named = replace(LOOSE_ONE, id=uid(6), name="乙.jpg")
    data = in_event([LOOSE_ONE, other, named])
    sealed, beside = sealing.seal(data, os.urandom, SHA256)

    assert sealed["attachments"] == data["attachments"]
    assert [each["sha256"] for each in sealed["attachments"]] == [DIGEST] * 3
    assert beside.keys() == {name_path(uid(1)), name_path(uid(6))}
    assert "jpg" not in str(sealed[NAMES])
    assert sealing.reveal(sealed, beside) == data
    del beside[name_path(uid(1))]
    assert sealing.reveal(sealed, beside)[NAMES] == {str(uid(1)): {"erased": True}, str(uid(6)): "乙.jpg"}
