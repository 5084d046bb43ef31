"""What robots and mail servers answer, and what becomes of a message by it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow.answers import CODES, code_of, judge_channel
from service.workflow.delivery import WAITS, Failure, Fate, Outcome
from tests.robots import REFUSALS
from tests.workflow.builders import examples

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROBOTS = ("wecom", "dingtalk", "feishu")


def answered(body: Any, status: int = 200, **more: Any) -> Outcome:
    return Outcome(status, None, 12, body if isinstance(body, str) else json.dumps(body), **more)


def fate(kind: str, outcome: Outcome, attempt: int = 1) -> str:
    return judge_channel(kind, outcome, attempt, NOW, 0.5).fate


EXPECTED = {
    ("wecom", "token"): Fate.GONE, ("dingtalk", "token"): Fate.GONE, ("feishu", "token"): Fate.GONE,
    ("wecom", "format"): Fate.DEAD, ("dingtalk", "format"): Fate.DEAD, ("feishu", "format"): Fate.RETRY,
    ("dingtalk", "sign"): Fate.DEAD, ("feishu", "sign"): Fate.DEAD,
    ("dingtalk", "keyword"): Fate.DEAD, ("feishu", "keyword"): Fate.DEAD,
    ("wecom", "fast"): Fate.RETRY, ("dingtalk", "fast"): Fate.RETRY, ("feishu", "fast"): Fate.RETRY,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "fault"), EXPECTED)
def test_a_refusal_by_its_code(kind: str, fault: str) -> None:
    code, said = REFUSALS[kind][fault]
    body = {"code": code, "msg": said} if kind == "feishu" else {"errcode": code, "errmsg": said}
    outcome = answered(body)
    assert code_of(outcome) == code
    verdict = judge_channel(kind, outcome, 1, NOW, 0.5)
    assert verdict.fate == EXPECTED[kind, fault]
    assert (verdict.rest is not None) == (fault == "fast")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("wecom", {"errcode": 0, "errmsg": "ok"}),
        ("dingtalk", {"errcode": 0, "errmsg": "ok"}),
        ("feishu", {"code": 0, "msg": "success", "data": {}}),
        ("feishu", {"StatusCode": 0, "StatusMessage": "success"}),
    ],
)
def test_taken_is_what_says_so(kind: str, body: Any) -> None:
    assert fate(kind, answered(body)) == Fate.DELIVERED
    assert fate(kind, answered(body, 500)) == Fate.RETRY
    assert fate(kind, Outcome(200, Failure.CLOSED, 3, json.dumps(body))) == Fate.RETRY


@pytest.mark.parametrize("kind", ROBOTS)
@pytest.mark.parametrize(
    "body", ["", "ok", "[]", "null", '{"errcode": "0"}', '{"code": false}', "{}", '{"errcode":', "[" * 1000]
)
def test_a_200_without_a_code_is_no_yes(kind: str, body: str) -> None:
    assert code_of(answered(body)) is None
    assert fate(kind, answered(body)) == Fate.RETRY


def test_wecom_calls_bad_input_by_the_code_of_a_bad_address() -> None:
    said = {"errcode": 93000, "errmsg": "Invalid input : content exceed max length. invalid Request Parameter"}
    assert fate("wecom", answered(said)) == Fate.DEAD


@pytest.mark.parametrize("kind", ROBOTS)
def test_who_is_too_fast_waits_as_long_as_the_platform_says_and_never_shorter_than_the_schedule(kind: str) -> None:
    code = min(CODES[kind].too_fast - {9499})
    body = {"code": code} if kind == "feishu" else {"errcode": code}
    rests = CODES[kind].rests
    verdict = judge_channel(kind, answered(body), 1, NOW, 0.5)
    assert (verdict.at, verdict.rest) == (NOW + rests, rests)
    later = judge_channel(kind, answered(body), 4, NOW, 0.5)
    assert (later.at, later.rest) == (NOW + WAITS[3], rests)
    asked = judge_channel(kind, answered({}, 429, retry_after="1200"), 1, NOW, 0.5)
    assert (asked.at, asked.rest) == (NOW + timedelta(seconds=1200), timedelta(seconds=1200))
    last = judge_channel(kind, answered(body), len(WAITS) + 1, NOW, 0.5)
    assert (last.fate, last.rest) == (Fate.DEAD, rests)


@pytest.mark.parametrize(
    ("status", "failure", "left", "expected"),
    [
        (250, None, (), Fate.DELIVERED),
        (250, None, ("0a",), Fate.RETRY),
        (421, None, (), Fate.RETRY),
        (451, None, ("0a",), Fate.RETRY),
        (550, None, (), Fate.DEAD),
        (554, None, (), Fate.DEAD),
        (535, Failure.CONNECT, (), Fate.RETRY),
        (None, Failure.TIMEOUT, (), Fate.RETRY),
        (None, Failure.DNS, (), Fate.RETRY),
    ],
)
def test_mail_by_the_server_s_reply(
    status: int | None, failure: str | None, left: tuple[str, ...], expected: str
) -> None:
    assert fate("mail", Outcome(status, failure, 5, "", None, left)) == expected


@given(
    kind=st.sampled_from((*ROBOTS, "mail")), status=st.none() | st.integers(100, 999), body=st.text(),
    attempt=st.integers(1, 20), chance=st.floats(0, 0.999),
)  # fmt: skip
@examples(300)
def test_there_is_a_verdict_on_everything(
    kind: str, status: int | None, body: str, attempt: int, chance: float
) -> None:
    failure = None if status else Failure.CLOSED
    verdict = judge_channel(kind, Outcome(status, failure, 1, body), attempt, NOW, chance)
    assert (verdict.fate == Fate.RETRY) == (verdict.at is not None)
    assert verdict.at is None or verdict.at > NOW
    if attempt > len(WAITS):
        assert verdict.fate != Fate.RETRY
