"""Messages in the robots' own forms: whole, within limits, signed, and without anything that a user planted."""

import base64
import hashlib
import hmac
import json
import re
import string
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow.channels import Target
from service.workflow.messages import LISTED, Document, Matter, Tale, document, ping_document
from service.workflow.robots import bare, plain, request
from service.workflow.states import AnchorKind, ChannelKind, Locale
from tests.robots import PATHS, text_of
from tests.workflow.builders import examples

NOW = datetime(2026, 3, 16, 1, 0, 0, 250_000, tzinfo=UTC)
ROBOTS = ("wecom", "dingtalk", "feishu")
ID = "0198a5e2-7a10-7c3e-8f00-000000000001"
LIMITS = {"wecom": 4096, "dingtalk": 20_000, "feishu": 20 * 1024}
LINK = f"https://ledger.example/items/{ID}"


def a_matter(**given: Any) -> Matter:
    facts = {
        "number": "hb-2026-0007", "title": "村口排水沟堵塞", "unit": "一镇一村", "anchor": AnchorKind.DUE,
        "until": date(2026, 3, 13), "late": 1, "overdue": True, "link": None,
    }  # fmt: skip
    return Matter(**{**facts, **given})


def a_tale(*matters: Matter, **given: Any) -> Tale:
    return Tale(**{"type": "rung.fired", "what": "urge", "matters": matters or (a_matter(),), **given})


def sent(kind: str, said: Document, secret: str | None = None) -> tuple[str, Any, bytes]:
    target = Target(f"https://robots.example{PATHS[kind]}", secret)
    url, message = request(kind, target, said, ID, NOW)
    assert message.headers == (("content-type", "application/json; charset=utf-8"),)
    return url, json.loads(message.body), message.body


def size(kind: str, body: Any, whole: bytes) -> int:
    return len(body["markdown"]["content"].encode()) if kind == "wecom" else len(whole)


# -- what a message says


def test_an_urging_says_what_is_expected_and_until_when() -> None:
    notice = {"notice": "hb催〔2026〕3号", "reply_by": date(2026, 3, 23), "receipt_due": date(2026, 3, 18)}
    _, body, _ = sent("wecom", document(a_tale(**notice), Locale.CHINESE))
    assert body == {
        "msgtype": "markdown",
        "markdown": {
            "content": "### 【销号·催办】\n"
            "> 文号：hb催〔2026〕3号\n> 签收期限：2026年3月18日\n> 回复期限：2026年3月23日\n\n"
            "**hb-2026-0007 村口排水沟堵塞**\n"
            "> 责任单位：一镇一村\n> 要求：立即整改到位并申请销号\n> 期限：2026年3月13日，已超期 1 个工作日"
        },
    }


@pytest.mark.parametrize(
    ("type_", "what", "zh", "en"),
    [
        ("rung.fired", "remind", "提醒", "Reminder"),
        ("rung.fired", "urge", "催办", "Urging"),
        ("rung.fired", "supervise", "督办", "Supervision"),
        ("rung.fired", "warn", "告诫", "Warning"),
        ("rung.fired", "circulate", "通报", "Circular"),
        ("rung.fired", "escalate", "约谈", "Summons to an interview"),
        ("notice.issued", "reminder", "提醒", "Reminder"),
        ("notice.issued", "circular", "通报", "Circular"),
        ("interview.scheduled", "", "约谈已安排", "Interview scheduled"),
        ("request.approved", "extension", "延期申请已批准", "Extension approved"),
        ("request.returned", "closure", "销号申请已退回", "Closure returned"),
    ],
)
def test_a_title_says_what_happened_and_has_the_keyword(type_: str, what: str, zh: str, en: str) -> None:
    told = a_tale(type=type_, what=what)
    assert document(told, Locale.CHINESE).title == f"【销号·{zh}】"
    assert document(told, Locale.ENGLISH).title == f"[xiaohao: {en}]"


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"late": -7, "overdue": False}, "2026年3月13日，还剩 7 个工作日"),
        ({"late": 0, "overdue": False}, "2026年3月13日，今日到期"),
        ({"late": 0, "overdue": True}, "2026年3月13日，已超期"),
        ({"late": 3, "overdue": True}, "2026年3月13日，已超期 3 个工作日"),
        ({"late": None, "overdue": False, "until": None}, "长期坚持"),
    ],
)
def test_days_are_working_days(given_: dict[str, Any], said: str) -> None:
    (entry,) = document(a_tale(a_matter(**given_)), Locale.CHINESE).entries
    assert dict(entry.facts)["期限"] == said


def test_a_copy_is_not_asked_to_sign() -> None:
    facts = dict(document(a_tale(receipt_due=date(2026, 3, 18), copied=True), Locale.CHINESE).facts)
    assert facts == {"抄送": "仅供知悉，无须签收"}


def test_ten_are_listed_and_the_rest_is_counted() -> None:
    said = document(a_tale(*(a_matter(number=f"n{each}") for each in range(12)), more=30), Locale.CHINESE)
    assert (len(said.entries), said.rest) == (LISTED, "另有 32 件，请登录系统查看。")
    _, body, _ = sent("feishu", said)
    assert text_of("feishu", body).endswith("另有 32 件，请登录系统查看。")


# -- forms and signatures


def test_dingtalk_is_signed_in_the_address_by_the_millisecond() -> None:
    secret = "SEC0a1b2c3d"
    url, body, _ = sent("dingtalk", ping_document(Locale.CHINESE), secret)
    query = parse_qs(urlsplit(url).query)
    stamp = str(int(NOW.timestamp() * 1000))
    assert query["timestamp"] == [stamp] and stamp.endswith("250")
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    assert query["sign"] == [base64.b64encode(digest).decode()]
    assert query["access_token"], "what was there stays"
    assert (body["msgtype"], body["msgUuid"], body["at"]) == ("markdown", ID, {"isAtAll": False})


def test_feishu_is_signed_in_the_body_by_the_second() -> None:
    secret = "fE1sHu"
    url, body, _ = sent("feishu", ping_document(Locale.CHINESE), secret)
    stamp = str(int(NOW.timestamp()))
    digest = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    assert (body["timestamp"], body["sign"]) == (stamp, base64.b64encode(digest).decode())
    assert url.endswith(PATHS["feishu"]) and body["msg_type"] == "interactive"


@pytest.mark.parametrize("kind", ROBOTS)
def test_without_a_secret_nothing_is_signed(kind: str) -> None:
    url, body, _ = sent(kind, ping_document(Locale.ENGLISH))
    assert url.endswith(PATHS[kind]) and not {"sign", "timestamp"} & body.keys()


# -- limits

wild = st.text(min_size=1, max_size=3000)
long = st.sampled_from(["长", "*", "𠮷", '"', "\\", "<", "a", "\n"]).map(lambda each: each * 3000) | wild


@given(
    kind=st.sampled_from(ROBOTS), titles=st.lists(long, min_size=1, max_size=12), number=long, unit=long, text=long,
    place=long, locale=st.sampled_from(Locale),
)  # fmt: skip
@examples(60)
def test_no_message_is_longer_than_its_robot_takes(
    kind: str, titles: list[str], number: str, unit: str, text: str, place: str, locale: str
) -> None:
    matters = (a_matter(number=number, title=each, unit=unit, link=LINK) for each in titles)
    said = document(a_tale(*matters, text=text, place=place, notice=number), locale)
    _, body, whole = sent(kind, said, None if kind == "wecom" else "s" * 200)
    assert size(kind, body, whole) <= LIMITS[kind]
    assert text_of(kind, body)


@pytest.mark.parametrize("kind", ROBOTS)
def test_what_does_not_fit_is_counted(kind: str) -> None:
    matters = [a_matter(number=f"n{each}x", title="长" * 200, unit="村" * 200, link=LINK) for each in range(10)]
    said = document(a_tale(*matters, text="说" * 5000, notice="号" * 500), Locale.CHINESE)
    _, body, _ = sent(kind, said)
    text = text_of(kind, body)
    listed = sum(f"n{each}x" in text for each in range(10))
    if kind == "wecom":
        assert 0 < listed < 10 and f"另有 {10 - listed} 件" in text
    else:
        assert listed == 10 and "另有" not in text


# -- what a user wrote

MARKUP = re.compile(r"[<>\[\](){}*`~\\&#@|!$]")
evil = st.sampled_from(
    [
        "<@all>", "<@zhangsan>", "@所有人", "@all", '<at user_id="all"></at>', "<at id=all></at>",
        "&#60;at id=all&#62;",
        "[点此](https://evil.example)", "![x](http://evil.example/x.png)", "https://evil.example/",
        "wWw.evil.example", "MailTo:x",
        "**粗**", "~~删~~", "`代码`", '<font color="warning">红</font>', "# 标题", "\n# 标题", "\n> 引用",
        "\u2028# 标题",
        "\u202e倒", "\x1f", "\r\n", "\\[x\\]", "${x}", "{{x}}",
    ]
)  # fmt: skip
planted = st.lists(evil | st.text(max_size=20), min_size=1, max_size=6).map("".join)


@given(text=planted | st.text(alphabet=string.printable + "＠＜\u200b\ud7ff"))
@examples(300)
def test_what_a_user_wrote_is_one_line_without_any_markup(text: str) -> None:
    said = plain(text)
    assert not MARKUP.search(said), said
    assert len(said.splitlines()) <= 1 and "\x1f" not in said
    assert "://" not in said and "www." not in said.lower() and "mailto:" not in said.lower()
    assert plain(said) == said


@pytest.mark.parametrize("kind", ROBOTS)
@given(title=planted, number=planted, unit=planted, text=planted, place=planted)
@examples(60)
def test_a_planted_title_changes_nothing_of_a_message_but_its_own_words(
    kind: str, title: str, number: str, unit: str, text: str, place: str
) -> None:
    """The same markup, in the same places, as where every text is a harmless word."""

    def skeleton(**written: str) -> str:
        facts = {name: f"词{each}" for name, each in written.items()}
        matter = a_matter(number=facts["number"], title=facts["title"], unit=facts["unit"], link=LINK)
        said = document(a_tale(matter, text=facts["text"], place=facts["place"], notice=facts["number"]), "zh-CN")
        return re.sub(r"[^<>\[\](){}*`~\\&#@|!$\n]", "", text_of(kind, sent(kind, said)[1]))

    calm = dict.fromkeys(("title", "number", "unit", "text", "place"), "")
    assert skeleton(title=title, number=number, unit=unit, text=text, place=place) == skeleton(**calm)


def test_what_a_plain_title_has_stays_as_it_is() -> None:
    for kept in ("饮水管网漏损", "S203 K12+300 路面-塌陷，约3.5米", "hb催〔2026〕3号", "default_2026-0001", "“三个一”"):
        assert plain(kept) == bare(kept) == kept


def test_the_kinds_are_those_of_the_robots_and_mail() -> None:
    assert set(ChannelKind) == {*ROBOTS, "mail"}
