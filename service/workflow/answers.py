"""What the answer of a robot or a mail server means. Robots answer 200 to everything; what counts is a code in it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.workflow.delivery import Fate, Outcome, Verdict, asked_wait, wait_after
from service.workflow.states import ChannelKind


@dataclass(frozen=True, slots=True)
class Codes:
    """By what a platform's code means; every other that is not 0 is a failure that may pass.

    `hopeless`: this message will never be taken (a keyword or signature that is wrong, words that are not allowed).
    `gone`: no message will. `rests` is how long a robot is left alone that was too fast.
    """

    too_fast: frozenset[int]
    hopeless: frozenset[int]
    gone: frozenset[int]
    rests: timedelta


CODES: dict[str, Codes] = {
    ChannelKind.WECOM: Codes(
        too_fast=frozenset({45009, 45033}),
        hopeless=frozenset({40008, 40058, 44004, 45002}),
        gone=frozenset({93000, 93008}),
        rests=timedelta(seconds=60),
    ),
    ChannelKind.DINGTALK: Codes(
        too_fast=frozenset({130101, 302033, 410100, 660026}),
        # 310000 is all three: keyword, signature, address. 4301xx are words that are not allowed.
        hopeless=frozenset({310000, 40035, 43004, 400105, 430101, 430102, 430103, 430104}),
        gone=frozenset({300001, 300005, 400013, 400101, 400102}),
        # Whoever is too fast is locked out for ten minutes.
        rests=timedelta(minutes=10),
    ),
    ChannelKind.FEISHU: Codes(
        too_fast=frozenset({9499, 11232}),
        hopeless=frozenset({19002, 19021, 19022, 19024}),
        gone=frozenset({19001}),
        rests=timedelta(seconds=60),
    ),
}


def code_of(outcome: Outcome) -> int | None:
    """The platform's code in an answer; None where there is none to be read."""
    answer = _read(outcome)
    for name in ("errcode", "code", "StatusCode"):
        value = answer.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
            return value
    return None


def _read(outcome: Outcome) -> dict[str, Any]:
    try:
        answer = json.loads(outcome.answer)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def judge_robot(kind: str, outcome: Outcome, attempt: int, now: datetime, chance: float) -> Verdict:
    """The verdict on the `attempt`-th attempt, the first being 1; `chance` lies in [0, 1)."""
    codes, code, answer = CODES[kind], code_of(outcome), _read(outcome)
    if outcome.failure is not None:
        return _again(outcome, attempt, now, chance)
    said = f"{answer.get('errmsg', '')} {answer.get('msg', '')}".lower()
    if code == 0 and outcome.status is not None and 200 <= outcome.status < 300:
        return Verdict(Fate.DELIVERED)
    if outcome.status == 429 or (code in codes.too_fast and "bad request" not in said):
        return _again(outcome, attempt, now, chance, rests=codes.rests)
    if code in codes.gone:
        # WeCom says 93000 to bad input as well.
        return Verdict(Fate.DEAD if "invalid input" in said else Fate.GONE)
    if outcome.status == 410:
        return Verdict(Fate.GONE)
    if code in codes.hopeless:
        return Verdict(Fate.DEAD)
    return _again(outcome, attempt, now, chance)


def judge_mail(outcome: Outcome, attempt: int, now: datetime, chance: float) -> Verdict:
    """`status` is the SMTP reply: 2xx taken, 5xx never, all else another time, and so for addresses that are `left`."""
    if outcome.failure is None and outcome.status is not None:
        if 200 <= outcome.status < 300 and not outcome.left:
            return Verdict(Fate.DELIVERED)
        if 500 <= outcome.status < 600:
            return Verdict(Fate.DEAD)
    return _again(outcome, attempt, now, chance)


def _again(outcome: Outcome, attempt: int, now: datetime, chance: float, rests: timedelta | None = None) -> Verdict:
    """By the schedule, or later where the platform wants it; the whole channel `rests` where it was too fast."""
    scheduled = wait_after(attempt, chance)
    rest = max(rests, asked_wait(outcome.retry_after, now)) if rests is not None else None
    if scheduled is None:
        return Verdict(Fate.DEAD, rest=rest)
    wait = max(scheduled, asked_wait(outcome.retry_after, now), rest or timedelta())
    return Verdict(Fate.RETRY, now + wait, rest)


def judge_channel(kind: str, outcome: Outcome, attempt: int, now: datetime, chance: float) -> Verdict:
    if kind == ChannelKind.MAIL:
        return judge_mail(outcome, attempt, now, chance)
    return judge_robot(kind, outcome, attempt, now, chance)
