"""The OpenAPI document: what every operation says beside its own, and the finishing of the whole."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from service import __version__
from service.api.deps import KEY_PATTERN
from service.api.problems import MEDIA_TYPE, ProblemOut
from service.api.webhook_document import add_webhooks
from service.errors import PROBLEMS

DESCRIPTION = """\
Problem ledgers (问题台账) whose items must be closed (销号): every problem is a state machine with a deadline,
a clock and a record that nobody can rewrite.

Errors are problem+json; `type` names a page of this service. `Idempotency-Key` is taken on every POST, `If-Match` on
every change of something versioned. Dates are days in the tenant's time zone, instants are UTC; both lie in the years
1900 to 2199. A field or a query parameter that is not named here is an error.
"""

READ = ("invalid_request", "unauthenticated", "forbidden", "not_found")
WRITE = (*READ, "conflict", "payload_too_large", "unsupported_media_type", "idempotency_key_reused")


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The problem answers of an operation, by status, each with an example in both languages."""
    by_status: dict[int | str, list[str]] = {}
    for code in (*codes, "internal", "unavailable"):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {
        status: _problem_response(found) for status, found in sorted(by_status.items(), key=lambda each: int(each[0]))
    }


def _problem_response(codes: list[str]) -> dict[str, Any]:
    examples: dict[str, Any] = {}
    for code in dict.fromkeys(codes):
        kind = PROBLEMS[code]
        for tongue in ("zh", "en"):
            examples[f"{code}_{tongue}"] = {
                "value": {
                    "type": f"/problems/{code}",
                    "title": getattr(kind.title, tongue),
                    "status": kind.status,
                    "detail": getattr(kind.detail, tongue),
                    "instance": "/v1/items",
                    "code": code,
                    "request_id": "0192f3a4",
                }
            }
    return {
        "description": " / ".join(PROBLEMS[code].title.en for code in dict.fromkeys(codes)),
        "headers": {name: _header(text) for name, text in _PROBLEM_HEADERS.get(PROBLEMS[codes[0]].status, {}).items()},
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}, "examples": examples}},
    }


_PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": "How to authenticate."},
    429: {"Retry-After": "Seconds to wait."},
    503: {"Retry-After": "Seconds to wait."},
}


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string", "maxLength": 2000}}


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and request get the first answer again, for at least 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 257, "pattern": KEY_PATTERN},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
}


ACTING_FOR = {
    "name": "X-Acting-For",
    "in": "header",
    "required": False,
    "description": "With a key made to `delegate`: the person (id or external_id) for whom the platform calls. What "
    "counts is the person's grants inside the platform's subtrees; events name both.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]*[!-~][ -~]*$"},
}


def if_match_header(required: bool) -> dict[str, Any]:
    return {
        "name": "If-Match",
        "in": "header",
        "required": required,
        "description": "The ETag that was read; 412 where it is stale.",
        "schema": {"type": "string", "minLength": 3, "maxLength": 20, "pattern": '^"[0-9]{1,15}"$'},
        "example": '"1"',
    }


def documented(
    operation_id: str,
    summary: str,
    shape: type[BaseModel] | None,
    *,
    status: int = 200,
    codes: tuple[str, ...] = READ,
    idempotent: bool = False,
    if_match: bool | None = None,
    etag: bool = False,
    headers: dict[str, str] | None = None,
    links: dict[str, Any] | None = None,
    example: Any = None,
    body: Any = None,
    content: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The documentation arguments of a route. `if_match` None: not taken; else whether it is required. `etag`: the
    answer is a version, and a reader whose If-None-Match names it is answered 304. `shape` None: an empty answer.
    `body`, `content`: how a body or an answer that is no JSON is described."""
    parameters = [
        *([IDEMPOTENCY_KEY] if idempotent else []),
        *([if_match_header(if_match)] if if_match is not None else []),
    ]
    success: dict[str, Any] = {"description": summary, **({"model": shape} if shape else {})}
    if content:
        success["content"] = content
    named = {
        **(headers or {}),
        **({"ETag": "Its version."} if etag else {}),
        **({"Idempotent-Replayed": "`true` where this is the first answer again."} if idempotent else {}),
        **({"Link": "The next page, `rel=next`."} if shape and "next_cursor" in shape.model_fields else {}),
    }
    if named:
        success["headers"] = {name: _header(text) for name, text in named.items()}
    if links:
        success["links"] = links
    extra: dict[str, Any] = {"parameters": parameters} if parameters else {}
    if example is not None:
        extra["requestBody"] = {"content": {"application/json": {"examples": example}}}
    if body is not None:
        extra["requestBody"] = body
    more = ("idempotency_in_flight",) if idempotent else ()
    return {
        "operation_id": operation_id,
        "summary": summary,
        "status_code": status,
        "response_model": None,
        "responses": {status: success, **({304: UNCHANGED} if etag else {}), **problems(*codes, *more, "rate_limited")},
        "openapi_extra": extra or None,
    }


UNCHANGED: dict[str, Any] = {
    "description": "`If-None-Match` names the present version: the copy at hand is good.",
    "headers": {"ETag": _header("Its version.")},
}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the finished document, made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = finish(
                get_openapi(
                    title="xiaohao 销号",
                    version=__version__,
                    openapi_version="3.1.0",
                    summary="A REST service that keeps problem ledgers",
                    description=DESCRIPTION,
                    routes=app.routes,
                    tags=TAGS,
                )
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


PUBLIC = ("/v1/log/key",)
"""What is answered without a credential, though it stands under /v1."""

TAGS = [
    {"name": "items", "description": "Problems, and what happens to them."},
    {"name": "attachments", "description": "Evidence (佐证): files that hang on what they prove."},
    {"name": "imports", "description": "Ledgers as offices make them: .xlsx, .xls and CSV."},
    {"name": "exports", "description": "Ledgers as the files that offices print and send (台账导出)."},
    {"name": "jobs", "description": "Work that goes on behind the call that began it, and what came of it."},
    {"name": "requests", "description": "What responsible units ask for, and what is decided (申请)."},
    {"name": "notices", "description": "Numbered documents that units sign for (督办文书)."},
    {
        "name": "printing",
        "description": "Notices as official letters, and the full record of an item, as PDF and .docx.",
    },
    {"name": "interviews", "description": "The formal talks (约谈) that escalations open."},
    {"name": "events", "description": "The record of everything (全程纪实), in the order of its positions."},
    {"name": "webhooks", "description": "Endpoints that events are sent to, signed (Standard Webhooks, CloudEvents)."},
    {"name": "channels", "description": "How the people of a unit are told: robots of chat groups, and mail."},
    {"name": "log", "description": "Proof that the record was not rewritten: checkpoints and Merkle proofs."},
    {
        "name": "statistics",
        "description": "Figures (统计) by unit, ledger, month, source and severity, and the items behind them.",
    },
    {"name": "ledgers", "description": "Ledgers and their policies."},
    {"name": "calendars", "description": "Working days and days off, where the tenant knows better or sooner."},
    {"name": "units", "description": "The organisation tree."},
    {"name": "principals", "description": "Who may call: people and platforms, their keys and their grants."},
    {"name": "issuers", "description": "OpenID providers whose tokens people may call with."},
    {"name": "access", "description": "Who calls."},
    {"name": "operations", "description": "For those who run the service."},
]


def finish(document: dict[str, Any]) -> dict[str, Any]:
    """What the framework does not say: how callers authenticate, and nothing that no operation answers."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["ProblemOut"] = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schemas["ProblemOut"].pop("$defs", {}))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, as `xiaohao key create` prints it."},
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A signed token of an OpenID Connect provider that the tenant trusts (`/v1/issuers`): an "
            "access token or an ID token whose audience is the one agreed on.",
        },
    }
    for path, operations in document["paths"].items():
        called_by_somebody = path.startswith("/v1/") and path not in PUBLIC
        for operation in operations.values():
            operation["security"] = [{"key": []}, {"token": []}] if called_by_somebody else []
            if called_by_somebody:
                operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/ActingFor"})
            operation["responses"] = {
                status: response
                for status, response in operation["responses"].items()
                if not _is_framework_error(response)
            }
            for status, response in operation["responses"].items():
                told = response.setdefault("headers", {})
                told["X-Request-Id"] = {"$ref": "#/components/headers/RequestId"}
                # Refusals are shared by all operations; who is not known has no limit to be told.
                if status != "401" and (called_by_somebody or int(status) >= 400):
                    told["RateLimit-Policy"] = {"$ref": "#/components/headers/RateLimitPolicy"}
                    told["RateLimit"] = {"$ref": "#/components/headers/RateLimit"}
            _share_problems(operation["responses"], components.setdefault("responses", {}))
    components["parameters"] = {"ActingFor": ACTING_FOR}
    components["headers"] = {
        "RequestId": _header("The id under which the service logged this request."),
        "RateLimitPolicy": {
            **_header("Below /v1: how many requests (`q`) in how many seconds (`w`), for the key and for its tenant."),
            "example": '"key";q=6000;w=60, "tenant";q=60000;w=60',
        },
        "RateLimit": {
            **_header("Below /v1: how many requests remain (`r`) for how many seconds more (`t`)."),
            "example": '"key";r=5999;t=42, "tenant";r=59870;t=42',
        },
    }
    add_webhooks(document)
    return document


def _share_problems(responses: dict[str, Any], shared: dict[str, Any]) -> None:
    """Put each problem answer into the document once, named after its codes, and refer to it."""
    for status, response in responses.items():
        if examples := response.get("content", {}).get(MEDIA_TYPE, {}).get("examples"):
            name = "-".join(dict.fromkeys(example["value"]["code"] for example in examples.values()))
            shared[name] = response
            responses[status] = {"$ref": f"#/components/responses/{name}"}


def _is_framework_error(response: dict[str, Any]) -> bool:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("$ref", "").endswith("/HTTPValidationError"))
