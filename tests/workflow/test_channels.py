"""Channels by their rules: what each kind can have, what is shown of it, who is told, and what has become moot."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.errors import Refused
from service.workflow.channels import EVERY, HOSTS, Target, at_platform, check
from service.workflow.moot import moot
from service.workflow.notices import Notice
from service.workflow.states import ChannelKind
from service.workflow.telling import lane_of, told, told_by
from service.workflow.webhooks import CHANNELS
from tests.robots import PATHS, TOKEN
from tests.workflow.builders import ITEM, LEDGER, OTHER_VILLAGE, TOWN, VILLAGE, an_item, uid

NOW = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)
NOTICE = uid(71)
GOOD = {kind: f"https://{HOSTS[kind][0]}{path}" for kind, path in PATHS.items()}
MAIL = ("zhang@county.example",)


@pytest.mark.parametrize("kind", GOOD)
def test_a_robot_at_its_platform(kind: str) -> None:
    check(kind, Target(GOOD[kind], "s" if kind != "wecom" else None))
    assert at_platform(kind, GOOD[kind])


def test_feishu_has_a_second_host() -> None:
    assert at_platform("feishu", f"https://open.larksuite.com{PATHS['feishu']}")


@pytest.mark.parametrize(
    ("kind", "target", "pointer", "code"),
    [
        ("wecom", Target(), "/url", "missing"),
        ("wecom", Target(GOOD["wecom"], "s"), "/secret", "other_kind"),
        ("wecom", Target(GOOD["wecom"], None, MAIL), "/to", "other_kind"),
        ("wecom", Target("https://qyapi.weixin.qq.com/cgi-bin/webhook/send"), "/url", "bad_format"),
        ("wecom", Target(f"https://qyapi.weixin.qq.com/cgi-bin/user/get?key={TOKEN}"), "/url", "bad_format"),
        ("dingtalk", Target("https://oapi.dingtalk.com/robot/send?token=x"), "/url", "bad_format"),
        ("dingtalk", Target(GOOD["dingtalk"] + "#x"), "/url", "bad_format"),
        ("dingtalk", Target("https://[oapi.dingtalk.com/robot/send?access_token=x"), "/url", "bad_format"),
        ("wecom", Target("https://qyapi\u2100.com/x"), "/url", "bad_format"),
        ("feishu", Target("https://open.feishu.cn/open-apis/bot/v2/hook/"), "/url", "bad_format"),
        ("feishu", Target("https://open.feishu.cn/open-apis/bot/v2/hook/../../x"), "/url", "bad_format"),
        ("mail", Target(), "/to", "missing"),
        ("mail", Target(GOOD["wecom"], None, MAIL), "/url", "other_kind"),
        ("mail", Target(None, "s", MAIL), "/secret", "other_kind"),
        ("mail", Target(None, None, tuple(f"z{n}@county.example" for n in range(21))), "/to", "too_long"),
        ("mail", Target(None, None, (*MAIL, "ZHANG@county.example")), "/to/1", "repeated"),
        ("mail", Target(None, None, ("zhang@county.example\nBcc: x@y.example",)), "/to/0", "bad_format"),
        ("mail", Target(None, None, ("张@county.example",)), "/to/0", "bad_format"),
        ("mail", Target(None, None, ('"a b"@county.example',)), "/to/0", "bad_format"),
    ],
)
def test_what_no_channel_of_a_kind_has(kind: str, target: Target, pointer: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check(kind, target)
    assert [(each.pointer, each.code) for each in refused.value.errors] == [(pointer, code)]


@pytest.mark.parametrize(
    "url",
    [
        f"http://qyapi.weixin.qq.com{PATHS['wecom']}",
        f"https://qyapi.weixin.qq.com.evil.example{PATHS['wecom']}",
        f"https://evil.example@qyapi.weixin.qq.com{PATHS['wecom']}",
        f"https://qyapi.weixin.qq.com:8443{PATHS['wecom']}",
        f"https://qyapi.weixin.qq.com@evil.example{PATHS['wecom']}",
        GOOD["dingtalk"],
    ],
)
def test_what_only_looks_like_the_platform_is_elsewhere(url: str) -> None:
    assert not at_platform("wecom", url)


def test_of_an_address_its_end_is_shown_and_of_a_short_one_nothing() -> None:
    assert Target(GOOD["wecom"]).shown == f"https://qyapi.weixin.qq.com/…{TOKEN[-4:]}"
    assert Target("http://10.1.2.3:8080/robot?k=0a1b").shown == "http://10.1.2.3:8080/…"
    assert Target("http://10.1.2.3:8080").shown.endswith("/…") and Target(to=MAIL).shown == "mailto:"
    assert TOKEN not in repr(Target(GOOD["wecom"], TOKEN)) and "zhang" not in repr(Target(to=MAIL))


def test_what_a_platform_repeats_of_a_target_is_left_out() -> None:
    robot = Target(GOOD["dingtalk"], "SEC0a1b2c")
    assert robot.hide(f"no robot {TOKEN.upper()}, signed with SEC0a1b2c") == "no robot …, signed with …"
    assert Target(GOOD["feishu"]).hide(f"hook {TOKEN}") == "hook …"
    assert Target(to=MAIL).hide("550 <Zhang@county.example>: no such user") == "550 <…>: no such user"
    assert Target("http://10.1.2.3/send?key=ok").hide("ok, send it") == "ok, send it"


def test_a_target_is_read_as_it_was_kept() -> None:
    for target in (Target(GOOD["dingtalk"], "SEC"), Target(None, None, MAIL)):
        assert Target.from_text(target.to_text()) == target


def test_every_kind_has_its_pace_below_what_its_platform_allows() -> None:
    assert {kind.value for kind in ChannelKind} == set(EVERY) == CHANNELS
    assert all(timedelta(minutes=1) / EVERY[kind] < 18 for kind in ("wecom", "dingtalk"))
    assert timedelta(minutes=1) / EVERY["feishu"] < 90


# -- who is told


def fired(**given: Any) -> dict[str, Any]:
    return {"action": "urge", "anchor": "due", "anchor_on": "2026-03-25", "cycle": 1, "notice_id": None,
            "notified_unit_ids": [str(VILLAGE), str(TOWN)], **given}  # fmt: skip


def of(type_: str, data: dict[str, Any], at: datetime = NOW) -> Any:
    return told(type_, uid(99), at, VILLAGE, data)


def test_a_rung_is_told_to_whom_it_notifies() -> None:
    assert of("rung.fired", fired()).units == (VILLAGE, TOWN)
    assert of("rung.fired", fired(notice_id=str(NOTICE))).notice_id == NOTICE


def test_a_notice_is_told_to_its_unit_and_its_copies() -> None:
    data = {"notice_id": str(NOTICE), "unit_id": str(VILLAGE), "copy_unit_ids": [str(TOWN)]}
    assert of("notice.issued", data).units == (VILLAGE, TOWN)
    assert of("notice.issued", {**data, "copy_unit_ids": None}).units == (VILLAGE,)


@pytest.mark.parametrize("type_", ["interview.scheduled", "request.approved", "request.returned"])
def test_what_is_decided_is_told_to_the_responsible_unit(type_: str) -> None:
    assert of(type_, {}).units == (VILLAGE,)


@pytest.mark.parametrize("type_", ["rung.skipped", "notice.drafted", "item.created", "notice.cancelled"])
def test_nothing_else_is_told(type_: str) -> None:
    assert of(type_, {**fired(), "unit_id": str(VILLAGE)}) is None


def test_what_belongs_to_one_look_and_asks_the_same_is_one_message() -> None:
    one = of("rung.fired", fired())
    assert of("rung.fired", fired(anchor_on="2026-03-24")).key == one.key
    others = [fired(action="remind"), fired(anchor="claim_due"), fired(notice_id=str(NOTICE))]
    assert len({one.key, *(of("rung.fired", each).key for each in others)}) == 4
    assert of("rung.fired", fired(), NOW + timedelta(days=1)).key != one.key
    notice = {"notice_id": str(NOTICE), "unit_id": str(VILLAGE)}
    assert of("notice.issued", notice).key == of("rung.fired", others[2]).key
    assert lane_of(uid(1), one.key) != lane_of(uid(2), one.key)


def a_notice(**given: Any) -> Notice:
    facts = {
        "id": NOTICE, "ledger_id": LEDGER, "kind": "urging", "state": "issued", "number": "1", "year": 2026, "seq": 1,
        "unit_id": VILLAGE, "supervising_unit_id": TOWN, "copy_unit_ids": (), "item_ids": (ITEM,), "rungs": ("urge+1",),
        "text": None, "issued_by": None, "issuer": "clock", "created_at": NOW, "issued_at": NOW,
    }  # fmt: skip
    return Notice(**{**facts, **given})


@pytest.mark.parametrize(
    ("notice", "by"),
    [
        (a_notice(), "rung.fired"),
        (a_notice(issued_by=uid(24)), "notice.issued"),
        (a_notice(issued_by=uid(24), rungs=()), "notice.issued"),
        (a_notice(state="draft", issued_at=None, number=None), None),
    ],
)
def test_a_notice_is_told_by_one_event_and_a_draft_by_none(notice: Notice, by: str | None) -> None:
    assert [each for each in ("rung.fired", "notice.issued") if told_by(each, notice)] == ([by] if by else [])


# -- what has become moot

DUE = {"anchor": "due", "anchor_on": "2026-03-25"}


@pytest.mark.parametrize(
    ("state", "item", "data", "expected"),
    [
        ("rectifying", {}, DUE, False),
        ("closed", {}, DUE, True),
        ("closed", {}, {**DUE, "notice_id": str(NOTICE)}, False),
        ("rectifying", {"responsible_unit_id": OTHER_VILLAGE}, DUE, True),
        ("rectifying", {"cycle": 2}, DUE, True),
        ("extended", {}, {**DUE, "anchor_on": "2026-03-12"}, True),
        ("open", {}, {"anchor": "claim_due", "anchor_on": "2026-03-12"}, False),
        ("rectifying", {}, {"anchor": "claim_due", "anchor_on": "2026-03-12"}, True),
        ("rectifying", {"pending": {"closure": {"id": "r1"}}}, {"anchor": "decision_due", "request_id": "r1"}, False),
        ("rectifying", {"pending": {"closure": {"id": "r2"}}}, {"anchor": "decision_due", "request_id": "r1"}, True),
        ("escalated", {"pending": {}}, {"anchor": "interview_due", "interview_id": "t1"}, True),
    ],
)
def test_nobody_is_reminded_of_what_is_done(
    state: str, item: dict[str, Any], data: dict[str, Any], expected: bool
) -> None:
    found = replace(an_item(state), **item)
    assert moot("rung.fired", {**fired(), **data}, str(VILLAGE), found) is expected


def test_decisions_are_told_all_the_same() -> None:
    assert not moot("request.approved", {}, str(VILLAGE), an_item("closed"))
    assert moot("interview.scheduled", {}, str(VILLAGE), an_item("closed"))
