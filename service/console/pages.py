"""Pages: a template filled in, and what the browser may do with it, which is next to nothing."""

import uuid
from collections.abc import Mapping
from typing import Any

from fastapi import Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic_core import to_json

from service.console import assets, texts
from service.console.visits import Guest, Visit
from service.errors import PROBLEMS, Refused
from service.reasons import FIELDS
from service.wording import describe, say
from service.workflow.attachments import file_name
from service.workflow.permissions import holds_anywhere

GUARDED = {
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    ),
    "x-frame-options": "DENY",
    # Not no-referrer: with that, browsers hide the origin of a form from the very site that it is sent to.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "vary": "Cookie",
}

_environment = Environment(
    loader=PackageLoader("service.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(guest: Guest, template: str, status: int = 200, /, **given: Any) -> Response:
    """A page in the reader's language."""
    content = _environment.get_template(template).render(**_always(guest), **given)
    return Response(content, status, headers=GUARDED, media_type="text/html")


def speaker(guest: Guest) -> texts.Speaker:
    """Words in the reader's language, times in the tenant's zone."""
    return texts.Speaker(guest.tongue, guest.call.tz if isinstance(guest, Visit) and _known(guest) else None)


def _always(guest: Guest) -> dict[str, Any]:
    say_so = speaker(guest)
    known = guest if isinstance(guest, Visit) and _known(guest) else None
    return {
        "base": guest.base,
        "asset": lambda name: f"{guest.base}/static/{assets.digest()}/{name}",
        "t": say_so.word,
        "field": say_so.field,
        "term": say_so.term,
        "day": say_so.day,
        "moment": say_so.moment,
        "event_word": say_so.event,
        "file_name": file_name,
        "size": texts.size,
        "tongue": guest.tongue,
        "other_tongue": "?" + _other_tongue(guest),
        "path": guest.url.path.removeprefix(guest.base) or "/",
        "call": known.call if known else None,
        "token": known.signed.token if known else "",
        "fresh_key": lambda: uuid.uuid4().hex,
        "has_webhooks": known is not None and holds_anywhere(known.call.grants, "webhook:manage"),
        "done": guest.query_params.get("done", ""),
        "known_done": texts.DONE,
    }


def _other_tongue(guest: Guest) -> str:
    """The query of this same page in the other language. The address itself is the browser's to know."""
    other = guest.url.include_query_params(lang="en" if guest.tongue == "zh" else "zh")
    return other.remove_query_params("done").query


def _known(visit: Visit) -> bool:
    return hasattr(visit, "call")


def status_of(refused: Refused) -> int:
    return PROBLEMS[refused.code].status


def reason(refused: Refused, tongue: str) -> str:
    """Why, in words: states and triggers by their names, as people know them."""
    speaker = texts.Speaker(tongue, None)
    facts = dict(refused.facts)
    for name in ("state", "trigger"):
        if name in facts:
            facts[name] = speaker.term(name, str(facts[name]))
    return describe(Refused(refused.code, refused.reason, facts), tongue)


def field_errors(refused: Refused, tongue: str) -> dict[str, str]:
    """What is wrong with each field of a form, by its name there: `/verification/on` is `verification.on`."""
    return {
        error.pointer.strip("/").replace("/", ".").removeprefix("query."): say(FIELDS[error.code], tongue)
        for error in refused.errors
    }


def refusal(guest: Guest, refused: Refused) -> Response:
    """A page that says no."""
    kind = PROBLEMS[refused.code]
    response = html(
        guest, "refusal.html", kind.status, title=say(kind.title, guest.tongue), detail=reason(refused, guest.tongue),
        fields=field_errors(refused, guest.tongue), request_id=guest.scope.get("request_id", ""),
    )  # fmt: skip
    if refused.code in ("unavailable", "rate_limited", "idempotency_in_flight"):
        response.headers["retry-after"] = str(refused.facts.get("retry_after", 1))
    return response


def data(content: Mapping[str, Any]) -> Response:
    """An answer for the console's own scripts."""
    return Response(to_json(content), headers={"cache-control": "no-store"}, media_type="application/json")
