"""Loaded by Schemathesis: what no schema can tell it about this service.

`SEEDED` in the environment holds what was made beforehand, as JSON: lists of ids and codes by name, see seeds.py.
"""

import itertools
import json
import os
import re
from datetime import date, datetime
from functools import cache
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

import requests
import schemathesis
from hypothesis import strategies as st

SEEDED: dict[str, list[str]] = json.loads(os.environ["SEEDED"])
KEY = os.environ["SEEDED_KEY"]
ZONE = ZoneInfo("Asia/Shanghai")

MEANING = {"unknown_reference", "in_future", "before_listing", "one_of_two", "repeated", "conflicts_with_policy",
           "before_opening", "bad_cursor", "forbidden_address", "in_past", "needs_inactive", "unreadable", "no_header",
           "unknown_column", "no_ledger_header", "wrong_extension",
           "other_year", "needs_pending", "needs_approval", "other_unit", "other_ledger", "closed_item",
           "before_first", "other_kind", "no_mail_server", "already_attached", "needs_attachments"}  # fmt: skip
"""Codes of what may be wrong with data that fits the schema."""

BY_KIND = {"/reason", "/verification", "/responsible_unit_id"}
"""What a decision may lack, by its verdict and by the kind of the request; of the other fields it may have too many."""

BEYOND = {"/query/after", "/query/position", "/query/size", "/query/from", "/query/to"}
"""Positions that the log may not have reached."""

FREE_JSON = {"too_complex", "too_long", "control_char"}
"""The same, for the free JSON of `attributes` alone."""

# Dates before 1900 and after 2199 are refused; without this, nearly all that are made up would be.
schemathesis.openapi.format("date", st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(date.isoformat))
schemathesis.openapi.format(
    "date-time",
    st.tuples(st.dates(date(1900, 1, 2), date(2199, 12, 30)), st.times()).map(
        lambda parts: f"{parts[0].isoformat()}T{parts[1].isoformat()}Z"
    ),
)


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Take the example key away: under one key all requests but the first are refused, whatever they say.

    And the header with which a platform acts for a person: the key that is used here may not, so all would be refused.
    """
    # An answer that does not end; it is tried on its own.
    del raw_schema["paths"]["/v1/events/stream"]
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            sent = operation.get("parameters", [])
            sent[:] = [each for each in sent if each.get("$ref") != "#/components/parameters/ActingFor"]
            for parameter in sent:
                if parameter["name"] == "Idempotency-Key":
                    parameter.pop("example", None)


OWN = {
    ("DELETE", "/v1/principals/{principal_id}"): ("principal_id", "leavers"),
    ("DELETE", "/v1/issuers/{issuer_id}"): ("issuer_id", "distrusted"),
    ("DELETE", "/v1/webhooks/{webhook_id}"): ("webhook_id", "to_drop"),
    ("DELETE", "/v1/channels/{channel_id}"): ("channel_id", "channels_to_drop"),
    ("PATCH", "/v1/units/{unit_id}"): ("unit_id", "spare_units"),
    ("POST", "/v1/items/{item_id}/requests"): ("item_id", "to_ask"),
    ("POST", "/v1/items/{item_id}/reviews"): ("item_id", "standing"),
    ("POST", "/v1/requests/{request_id}/decision"): ("request_id", "to_decide"),
    ("POST", "/v1/requests/{request_id}/withdrawal"): ("request_id", "to_withdraw"),
    ("POST", "/v1/notices/{notice_id}/issue"): ("notice_id", "drafts"),
    ("POST", "/v1/notices/{notice_id}/receipt"): ("notice_id", "to_sign"),
    ("POST", "/v1/notices/{notice_id}/cancel"): ("notice_id", "to_cancel"),
    ("POST", "/v1/interviews/{interview_id}/schedule"): ("interview_id", "to_schedule"),
}
"""What these operations use up, move or end is named by no other: the parameter of the path, and the list."""

WAITS = 600
"""Times that a tenth of a second is waited for the clock, before it hangs."""

_turn = itertools.count()
_session = requests.Session()
_session.trust_env = False
_session.headers["Authorization"] = f"Bearer {KEY}"


def _one_of(name: str) -> str:
    return SEEDED[name][next(_turn) % len(SEEDED[name])]


def _made(url: str, **body: str) -> str:
    answer = _session.post(url, json=body, timeout=10)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _uploaded(base: str) -> str:
    page = f"%PDF-1.4\n%{next(_turn)}\n%%EOF\n"
    answer = _session.post(f"{base}/v1/attachments", files={"file": ("a.pdf", page)}, timeout=10)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _month() -> str:
    """A month that is over; each is published once."""
    years, month = divmod(next(_turn), 12)
    return f"{1900 + years % 100}-{month + 1:02}"


def _until_counted(base: str) -> None:
    """Wait, as a caller waits who is told to come back, until the clock is through the days of what was just listed.

    Made-up items have deadlines a century ago: until the clock has found each over, no later month is published.
    """
    for _ in range(WAITS):
        answer = _session.post(f"{base}/v1/statistics/reports", json={"month": _month(), "unit": "t1"}, timeout=10)
        if answer.status_code != 503:
            return
        assert int(answer.headers["Retry-After"]) > 0
        sleep(0.1)
    raise AssertionError(answer.text)


@cache
def _holder(base: str) -> str:
    """A principal that no other request names, so that nobody removes it."""
    return _made(f"{base}/v1/principals", name="王干事", kind="person")


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Give sound requests what a real caller would have: the version it read, a fresh key, units and ledgers there are.

    Every fifth goes out as it was made up.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if (case.method, case.operation.path) == ("POST", "/v1/attachments"):
        # What stands in a file no schema can say, and nothing that is made up is evidence.
        page = f"%PDF-1.4\n%{next(_turn)}\n%%EOF\n"
        case.body = {"file": page} if case.media_type == "multipart/form-data" else page.encode()
    if (case.method, case.operation.path) == ("POST", "/v1/statistics/reports") and isinstance(case.body, dict):
        _until_counted(case.operation.schema.get_base_url().rstrip("/"))
        case.body = {"month": _month(), "unit": "t1"}
    if next(_turn) % 5 == 0:
        return
    base = case.operation.schema.get_base_url().rstrip("/")
    if "key_id" in case.path_parameters:
        pair = SEEDED["keys"][next(_turn) % len(SEEDED["keys"])]
        case.path_parameters["principal_id"], case.path_parameters["key_id"] = pair.split("/")
    if "grant_id" in case.path_parameters:
        # A grant ends once: each request that ends one needs its own.
        holder = case.path_parameters["principal_id"] = _holder(base)
        case.path_parameters["grant_id"] = _made(f"{base}/v1/principals/{holder}/grants", role="viewer", unit="t1")
    if (case.method, case.operation.path) in OWN:
        place, name = OWN[case.method, case.operation.path]
        case.path_parameters[place] = _one_of(name)
    if case.method == "POST" and case.operation.path == "/v1/notices" and isinstance(case.body, dict):
        case.body = {name: value for name, value in case.body.items() if name != "unit_id"}
        case.body |= {"unit": "t1v1", "item_ids": [_one_of("told")]}
    if case.operation.path == "/v1/interviews/record" and isinstance(case.body, dict):
        case.body["interview_ids"] = [_one_of("to_record")]
    if case.operation.path.startswith("/v1/interviews") and isinstance(case.body, dict) and "held_on" in case.body:
        # They were opened a moment ago, and a talk is held neither before that nor in the future.
        case.body["held_on"] = datetime.now(ZONE).date().isoformat()
    if case.operation.path.startswith("/v1/webhooks") and isinstance(case.body, dict) and "url" in case.body:
        case.body["url"] = f"https://hook.invalid/{next(_turn)}"
    if case.operation.path.startswith("/v1/webhooks") and isinstance(case.body, dict):
        case.body.pop("unit", None)
        case.body.pop("unit_id", None)
    if case.operation.path == "/v1/channels" and isinstance(case.body, dict):
        hook = f"http://127.0.0.9:9/open-apis/bot/v2/hook/0a1b2c3d-{next(_turn)}"
        case.body = {"kind": "feishu", "unit": "t1", "url": hook, "locale": case.body.get("locale", "zh-CN")}
    if case.method == "PATCH" and case.operation.path == "/v1/channels/{channel_id}" and isinstance(case.body, dict):
        case.body = {name: value for name, value in case.body.items() if name in ("locale", "enabled")}
    if case.operation.path == "/v1/channels/{channel_id}/replay" and isinstance(case.body, dict):
        case.path_parameters["channel_id"], case.body["delivery_id"] = _one_of("messages").split("/")
    if case.operation.path.startswith(("/v1/log/", "/v1/events")):
        # What the log has reached for certain.
        near = {"position": 1, "from": 0, "after": 0, "size": None, "to": None, "type": ["item.*"]}
        for name in near.keys() & case.query.keys():
            case.query[name] = near[name]
            if near[name] is None:
                del case.query[name]
    if case.operation.path == "/v1/hooks/{hook_id}":
        unit = SEEDED["units"][0]
        case.path_parameters["hook_id"] = _made(f"{base}/v1/units/{unit}/hooks", label="包村", department="t1v1")
    if case.operation.path == "/v1/units/import" and isinstance(case.body, dict):
        case.body = {"file": f"code,name,parent,level\nimported{next(_turn)},Village,t1,village\n"}
    if isinstance(case.body, dict) and case.body.get("attachment_ids"):
        # They hang on one thing only, and were uploaded within the day: each request needs its own.
        case.body["attachment_ids"] = [_uploaded(base)]
    if case.operation.path == "/v1/imports" and isinstance(case.body, dict):
        case.body = {"file": f"problem,unit\nSchemathesis {next(_turn)},t1v1\n"}
        for name in ("parent", "column"):
            case.query.pop(name, None)
    if case.method == "PUT" and case.operation.path == "/v1/calendars/{year}" and isinstance(case.body, dict):
        # All days of that year, and none twice.
        days: dict[str, None] = {}
        for name in ("workdays", "holidays"):
            moved = [f"{case.path_parameters['year']}{each[4:]}" for each in case.body[name] if each[5:] != "02-29"]
            case.body[name] = [each for each in dict.fromkeys(moved) if each not in days]
            days |= dict.fromkeys(moved)
    if "If-Match" in case.headers:
        own = re.match(r"/v1/\w+/\{\w+\}", case.operation.path)
        assert own is not None, case.operation.path
        answer = _session.get(base + own[0].format(**case.path_parameters), timeout=10)
        case.headers["If-Match"] = answer.headers.get("ETag", case.headers["If-Match"])
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] += f" {next(_turn)}"
    for name, known in (("unit", "unit_codes"), ("supervising_unit", "unit_codes"), ("ledger", "ledger_codes")):
        if isinstance(case.query.get(name), str):
            case.query[name] = SEEDED[known][0]
        elif case.query.get(name):
            case.query[name] = SEEDED[known][: len(case.query[name])]


@schemathesis.check
def refused_for_its_meaning(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """A 422 to data that fit the schema names a rule that no schema can hold.

    Schemathesis's own check can only let every 422 pass, or none.
    """
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return True
    problem = response.json()
    if problem["code"] == "idempotency_key_reused":
        return None
    strange = [
        each
        for each in problem["errors"]
        if each["code"] not in MEANING
        and not (each["code"] in FREE_JSON and "/attributes" in each["pointer"])
        and not (each["code"] == "missing" and each["pointer"] in BY_KIND and case.operation.path.endswith("/decision"))
        and not (each["code"] == "unknown_field" and case.operation.path.endswith("/decision"))
        and not (each["code"] == "out_of_range" and each["pointer"] in BEYOND)
        and not (each["code"] == "not_allowed" and each["pointer"] == "/query/type")
        and not (each["code"] == "missing" and each["pointer"] in ("/query/unit", "/after"))
        # A link that follows a field which may be null.
        and not (each["pointer"].startswith("/path/") and "None" in map(str, case.path_parameters.values()))
    ]
    assert problem["errors"] and not strange, f"data that fits the schema was refused: {strange}"
    return None
