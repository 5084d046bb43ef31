"""Mail as it is sent: headers that nobody else can write, and a text that every reader shows."""

from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID

from hypothesis import given

from service.workflow.letters import letter, mark
from service.workflow.messages import document
from service.workflow.states import Locale
from tests.workflow.builders import examples
from tests.workflow.test_robots import LINK, a_matter, a_tale, planted

NOW = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)
EVENT, CHANNEL = "0198a5e2-7a10-7c3e-8f00-000000000001", UUID("0198a5e2-7a10-7c3e-8f00-000000000009")


def read(content: bytes) -> EmailMessage:
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def sent(**given_: object) -> bytes:
    said = document(a_tale(**given_), Locale.CHINESE)
    return letter(said, sender="ledger@county.example", event_id=EVENT, channel_id=CHANNEL, now=NOW)


def test_a_letter_says_it_all() -> None:
    mail = read(sent(notice="hb催〔2026〕3号", reply_by=date(2026, 3, 23)))
    assert mail["Subject"] == "【销号·催办】"
    assert mail["From"] == "ledger@county.example"
    assert mail["Message-ID"] == f"<{EVENT}.{CHANNEL.hex}@county.example>"
    assert (mail["Auto-Submitted"], mail["Date"]) == ("auto-generated", "Mon, 16 Mar 2026 01:00:00 +0000")
    assert mail["To"] == "undisclosed-recipients:;"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == [
        "【销号·催办】", "", "文号：hb催〔2026〕3号", "回复期限：2026年3月23日", "", "1. hb-2026-0007 村口排水沟堵塞",
        "   责任单位：一镇一村", "   要求：立即整改到位并申请销号", "   期限：2026年3月13日，已超期 1 个工作日",
    ]  # fmt: skip


HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Type",
    "Content-Transfer-Encoding", "MIME-Version",
}  # fmt: skip


@given(title=planted, number=planted, text=planted)
@examples(100)
def test_nothing_that_a_user_wrote_becomes_a_header_or_a_link(title: str, number: str, text: str) -> None:
    inject = "\r\nBcc: all@county.example\r\n\r\n"
    matter = a_matter(title=title + inject + title, number=number + inject, unit=inject, link=LINK)
    said = document(a_tale(matter, text=text + inject, notice=number + inject, place=inject), Locale.CHINESE)
    content = letter(said, sender="ledger@county.example", event_id=EVENT, channel_id=CHANNEL, now=NOW)
    mail = read(content)
    assert set(mail.keys()) == HEADERS and len(mail.keys()) == len(HEADERS)
    assert mail.defects == [] and content.isascii()
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert "://" not in mail.get_content().replace(LINK, "")


def test_a_mark_tells_nobody_the_address_and_is_the_channel_s_own() -> None:
    one = mark(CHANNEL, "zhang@county.example")
    assert one == mark(CHANNEL, "Zhang@county.example") and "zhang" not in one
    assert one != mark(UUID(int=1), "zhang@county.example")
