"""Deliveries: when they are sent again, what an answer means, which events are wanted, and what others verify."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import standardwebhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Refused
from service.workflow.delivery import (
    Failure,
    Format,
    Message,
    Outcome,
    Verdict,
    asked_wait,
    check_types,
    judge,
    message,
    secret,
    sign,
    wait_after,
    wanted,
)
from tests.workflow.builders import examples

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(hours=24)

EVENT: dict[str, Any] = {
    "id": "0198a5e2-7a10-7c3e-8f00-000000000001",
    "position": 2_500_000_000,
    "type": "item.created",
    "at": "2026-03-02T08:59:58.120000Z",
    "actor": {"principal_id": "0198a5e2-7a10-7c3e-8f00-0000000000aa", "name": "张三"},
    "item_id": "0198a5e2-7a10-7c3e-8f00-000000000002",
    "item_version": 1,
    "unit_id": "0198a5e2-7a10-7c3e-8f00-000000000003",
    "ledger_id": "0198a5e2-7a10-7c3e-8f00-000000000004",
    "data": {"title": '排水沟堵塞 "三组"\n', "severity": "general"},
}
CHECKPOINT: dict[str, Any] = {
    "id": "0198a5e2-7a10-7c3e-8f00-000000000009", "position": None, "type": "log.checkpoint",
    "at": "2026-03-02T08:00:00Z", "actor": {"principal_id": None, "name": "clock"}, "item_id": None,
    "item_version": None, "unit_id": None, "ledger_id": None, "data": {},
}  # fmt: skip


def answered(status: int, retry_after: str | None = None) -> Outcome:
    return Outcome(status, None, 12, "", retry_after)


# -- when it is sent again

STATED = ["5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"]
UNITS = {"s": 1, "m": 60, "h": 3600}


@pytest.mark.parametrize(("attempt", "stated"), list(enumerate(STATED, start=1)))
def test_the_wait_after_each_failed_attempt_is_about_what_is_promised(attempt: int, stated: str) -> None:
    promised = timedelta(seconds=int(stated[:-1]) * UNITS[stated[-1]])
    shortest, middle, longest = (wait_after(attempt, chance) for chance in (0.0, 0.5, 0.999999))
    assert shortest is not None and middle is not None and longest is not None
    assert shortest == promised * 0.9
    assert middle == promised
    assert promised * 1.0999 < longest < promised * 1.1


def test_after_the_tenth_attempt_nothing_is_sent_any_more() -> None:
    assert wait_after(10, 0.5) is None
    assert judge(answered(500), 9, NOW, 0.5) == Verdict("retry", NOW + DAY)
    assert judge(answered(500), 10, NOW, 0.5) == Verdict("dead")
    # However long the endpoint would like to have it.
    assert judge(answered(503, "60"), 10, NOW, 0.5) == Verdict("dead")


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        ("120", timedelta(seconds=120)),
        (" 120 ", timedelta(seconds=120)),
        ("0", timedelta()),
        ("86400", DAY),
        ("86401", DAY),
        ("9" * 9, DAY),
        ("9" * 5000, DAY),
        ("0" * 20 + "5", DAY),  # nobody writes so, and a day does no harm
        # The three forms of RFC 9110.
        ("Mon, 02 Mar 2026 09:10:00 GMT", timedelta(minutes=10)),
        ("Monday, 02-Mar-26 09:10:00 GMT", timedelta(minutes=10)),
        ("Mon Mar  2 09:10:00 2026", timedelta(minutes=10)),
        ("Mon, 02 Mar 2026 08:59:59 GMT", timedelta()),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        ("Mon, 02 Mar 2026 17:10:00 +0800", timedelta(minutes=10)),
        (None, timedelta()),
        ("", timedelta()),
        ("soon", timedelta()),
        ("-5", timedelta()),
        ("1.5", timedelta()),
        ("１２", timedelta()),
        ("Mon, 99 Mar 2026 09:10:00 GMT", timedelta()),
        ("Mon, 02 Mar 2026 09:10:00 +9999", timedelta()),
    ],
)
def test_how_long_an_endpoint_asks_to_be_left_alone(retry_after: str | None, wait: timedelta) -> None:
    assert asked_wait(retry_after, NOW) == wait


@given(st.text(max_size=40) | st.from_regex(r"[A-Za-z]{3}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [A-Z+0-9]{3,5}"))
@examples(200)
def test_no_retry_after_asks_for_more_than_a_day_or_for_the_past(value: str) -> None:
    assert timedelta() <= asked_wait(value, NOW) <= DAY


@given(st.integers(0, 200_000))
@examples(100)
def test_a_date_asks_for_the_same_as_the_seconds_until_then(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert asked_wait(date, NOW) == asked_wait(str(seconds), NOW)


# -- verdicts


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(status: int) -> None:
    assert judge(answered(status), 1, NOW, 0.5) == Verdict("delivered")
    assert judge(answered(status, "3600"), 10, NOW, 0.5) == Verdict("delivered")


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 308, 304, 400, 401, 404, 409, 429, 500, 503, 599])
def test_anything_else_is_sent_again(status: int) -> None:
    assert judge(answered(status), 1, NOW, 0.5) == Verdict("retry", NOW + timedelta(seconds=5))


@pytest.mark.parametrize("attempt", [1, 10])
def test_410_ends_the_endpoint(attempt: int) -> None:
    assert judge(answered(410), attempt, NOW, 0.5) == Verdict("gone")


@pytest.mark.parametrize("failure", list(Failure))
def test_no_answer_is_sent_again_whatever_kept_it(failure: Failure) -> None:
    assert judge(Outcome(None, failure, 3), 2, NOW, 0.5) == Verdict("retry", NOW + timedelta(minutes=5))
    assert judge(Outcome(None, failure, 3), 10, NOW, 0.5) == Verdict("dead")


@pytest.mark.parametrize("status", [200, 410])
def test_an_answer_that_breaks_off_counts_as_none(status: int) -> None:
    broken = Outcome(status, Failure.CLOSED, 3, "half of it")
    assert judge(broken, 1, NOW, 0.5) == Verdict("retry", NOW + timedelta(seconds=5))


def test_the_wait_is_the_longer_of_schedule_and_retry_after() -> None:
    assert judge(answered(429, "120"), 1, NOW, 0.5) == Verdict("retry", NOW + timedelta(seconds=120))
    assert judge(answered(429, "120"), 2, NOW, 0.5) == Verdict("retry", NOW + timedelta(minutes=5))
    assert judge(answered(503, "Mon, 02 Mar 2026 09:10:00 GMT"), 1, NOW, 0.5).at == NOW + timedelta(minutes=10)
    assert judge(answered(429, "9999999"), 1, NOW, 0.5).at == NOW + DAY


# -- which events are wanted


@pytest.mark.parametrize(
    ("types", "yes", "no"),
    [
        (("*",), ["item.created", "log.checkpoint"], [""]),
        (("item.*",), ["item.created", "item.closed"], ["items.created", "item", "item.", "rung.item.created"]),
        (("request.approved",), ["request.approved"], ["request.approvedx", "request.returned", "xrequest.approved"]),
        (("*.created",), ["item.created", "unit.created"], ["item.closed", "created", "item.created.late"]),
        (("item.closed", "rung.*"), ["item.closed", "rung.fired"], ["item.created"]),
        (("access.*.made",), ["access.key.made"], ["access.made"]),
    ],
)
def test_globs(types: tuple[str, ...], yes: list[str], no: list[str]) -> None:
    check_types(types)
    assert [each for each in [*yes, *no] if wanted(types)(each)] == yes


def test_a_dot_is_a_dot() -> None:
    assert not wanted(("item.closed",))("item_closed")


@pytest.mark.parametrize(
    ("types", "errors"),
    [
        ([], [("/types", "too_short")]),
        (["*"] * 51, [("/types", "too_long")]),
        (["item.*", "item.", "Item.created", "a" * 65], [(1, "bad_format"), (2, "bad_format"), (3, "too_long")]),
        *(
            ([wrong], [(0, "bad_format")])
            for wrong in (
                "", ".", "item..created", ".created", "item.**", "item.cre*", "*item", "item|.*", "item.[a-z]",
                "条目.*", "item.*\n", " item.*", "1tem.created",
            )
        ),
    ],
)  # fmt: skip
def test_what_names_no_event_types_is_refused(types: list[str], errors: list[tuple[Any, str]]) -> None:
    with pytest.raises(Refused) as refused:
        check_types(types)
    assert refused.value.code == "invalid_request"
    found = [(error.pointer, error.code) for error in refused.value.errors]
    assert found == [(at if isinstance(at, str) else f"/types/{at}", code) for at, code in errors]


def test_types_are_compiled_once() -> None:
    assert wanted(("item.*", "rung.fired")) is wanted(("item.*", "rung.fired"))


# -- signatures, as others verify them

OLD, NEW = secret(bytes(range(24))), secret(bytes(range(64)))
VERIFIERS = [standardwebhooks.Webhook, svix.webhooks.Webhook]
ERRORS = (standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError)


def sent(*secrets: str, format: str = Format.STANDARD, event: dict[str, Any] = EVENT, replay: bool = False) -> Message:
    """A message as it is sent this moment: verifiers look at their own clock."""
    return message(event, secrets, datetime.now(UTC), format=format, source="/tenants/default", replay=replay)


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("made", [OLD, NEW])
def test_others_accept_what_we_sign(verifier: Any, format: str, made: str) -> None:
    of = sent(made, format=format)
    verifier(made).verify(of.body, dict(of.headers))


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_while_a_secret_is_rotated_either_verifies(verifier: Any) -> None:
    of = sent(NEW, OLD)
    assert len(dict(of.headers)["webhook-signature"].split(" ")) == 2
    for each in (NEW, OLD):
        verifier(each).verify(of.body, dict(of.headers))
    with pytest.raises(ERRORS):
        verifier(secret(b"another" * 5)).verify(of.body, dict(of.headers))


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
def test_others_refuse_what_was_changed(verifier: Any, changed: str) -> None:
    of = sent(NEW)
    headers, body = dict(of.headers), of.body
    if changed == "body":
        body = body.replace(b"general", b"serious")
    elif changed == "webhook-id":
        headers[changed] = headers[changed][:-1] + "2"
    else:
        headers[changed] = str(int(headers[changed]) + 1)
    with pytest.raises(ERRORS):
        verifier(NEW).verify(body, headers)


def test_the_signature_of_the_specification() -> None:
    # The example of the Standard Webhooks specification's libraries.
    made = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert sign(made, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_the_time_is_utc_whatever_zone_now_is_in() -> None:
    east = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    one, other = (message(EVENT, [NEW], at, format=Format.STANDARD, source="/") for at in (NOW, east))
    assert one == other
    assert dict(one.headers)["webhook-timestamp"] == str(int(NOW.timestamp()))


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret(size: int) -> None:
    made = secret(bytes([251]) * size)
    assert made.startswith("whsec_")
    assert base64.b64decode(made.removeprefix("whsec_"), validate=True) == bytes([251]) * size


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_secret_too_short_or_too_long_is_not_made(size: int) -> None:
    with pytest.raises(ValueError, match="24 to 64"):
        secret(bytes(size))


# -- what is sent


def test_the_body_is_the_whole_event_with_type_and_time_beside_it() -> None:
    of = sent(NEW)
    assert json.loads(of.body) == {"type": "item.created", "timestamp": EVENT["at"], "data": EVENT}
    assert of.body.startswith(b'{"data":{"actor":{"name":"\xe5\xbc\xa0\xe4\xb8\x89","principal_id":')
    headers = dict(of.headers)
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["webhook-id"] == EVENT["id"]
    assert "webhook-replay" not in headers


def test_id_and_body_are_the_same_at_every_attempt() -> None:
    first, later = (
        message(dict(reversed(EVENT.items())), [NEW], at, format=Format.STANDARD, source="/") for at in (NOW, NOW + DAY)
    )
    assert first.body == later.body == sent(NEW).body
    assert dict(first.headers)["webhook-id"] == dict(later.headers)["webhook-id"]
    assert dict(first.headers)["webhook-signature"] != dict(later.headers)["webhook-signature"]


def test_a_replay_says_so_and_is_the_same_otherwise() -> None:
    first = message(EVENT, [NEW], NOW, format=Format.STANDARD, source="/")
    again = message(EVENT, [NEW], NOW, format=Format.STANDARD, source="/", replay=True)
    assert again == Message((*first.headers, ("webhook-replay", "true")), first.body)


def test_a_cloudevent() -> None:
    of = sent(NEW, format=Format.CLOUDEVENTS)
    assert dict(of.headers)["content-type"] == "application/cloudevents+json; charset=utf-8"
    shown = json.loads(of.body)
    assert shown == {
        "specversion": "1.0",
        "id": EVENT["id"],
        "source": "/tenants/default",
        "type": "cn.xiaohao.item.created",
        "subject": EVENT["item_id"],
        "time": EVENT["at"],
        "datacontenttype": "application/json",
        "position": "2500000000",
        "data": EVENT,
    }
    # CloudEvents 1.0, 3.1: names of attributes; 3.1.1: their values, none of them empty or null.
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in shown)
    assert all(isinstance(value, str) and value for name, value in shown.items() if name != "data")
    assert datetime.fromisoformat(shown["time"]).tzinfo is not None


def test_a_cloudevent_about_no_item_and_without_a_position_leaves_them_out() -> None:
    shown = json.loads(sent(NEW, format=Format.CLOUDEVENTS, event=CHECKPOINT).body)
    assert shown.keys() == {"specversion", "id", "source", "type", "time", "datacontenttype", "data"}
    assert shown["type"] == "cn.xiaohao.log.checkpoint"
