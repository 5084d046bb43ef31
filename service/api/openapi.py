"""The OpenAPI document: what every operation says beside its own, and the finishing of the whole."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from service import __version__
from service.api.problems import MEDIA_TYPE
from service.api.shapes import ProblemOut
from service.errors import PROBLEMS

DESCRIPTION = """\
Problem ledgers (问题台账) whose items must be closed (销号): every problem is a state machine with a deadline,
a clock and a record that nobody can rewrite.

Errors are problem+json; `type` names a page of this service. `Idempotency-Key` is taken on every POST.
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
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}, "examples": examples}},
    }


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and request get the first answer again, for at least 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9_-]+$"},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
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
    shape: type[BaseModel],
    *,
    status: int = 200,
    codes: tuple[str, ...] = READ,
    idempotent: bool = False,
    if_match: bool | None = None,
    headers: dict[str, str] | None = None,
    links: dict[str, Any] | None = None,
    example: Any = None,
) -> dict[str, Any]:
    """The documentation arguments of a route. `if_match` None: not taken; else whether it is required."""
    parameters = [
        *([IDEMPOTENCY_KEY] if idempotent else []),
        *([if_match_header(if_match)] if if_match is not None else []),
    ]
    success: dict[str, Any] = {"model": shape, "description": summary}
    if headers:
        success["headers"] = {
            name: {"description": text, "schema": {"type": "string", "maxLength": 500}}
            for name, text in headers.items()
        }
    if links:
        success["links"] = links
    extra: dict[str, Any] = {"parameters": parameters} if parameters else {}
    if example is not None:
        extra["requestBody"] = {"content": {"application/json": {"examples": example}}}
    more = ("idempotency_in_flight",) if idempotent else ()
    return {
        "operation_id": operation_id,
        "summary": summary,
        "status_code": status,
        "response_model": None,
        "responses": {status: success, **problems(*codes, *more)},
        "openapi_extra": extra or None,
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
                    servers=[{"url": "/", "description": "this service"}],
                    license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
                )
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


TAGS = [
    {"name": "items", "description": "Problems, and what happens to them."},
    {"name": "interviews", "description": "The formal talks (约谈) that escalations open."},
    {"name": "ledgers", "description": "Ledgers and their policies."},
    {"name": "units", "description": "The organisation tree."},
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
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, as `xiaohao key create` prints it."}
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["security"] = [{"key": []}] if path.startswith("/v1/") else []
            operation["responses"] = {
                status: response
                for status, response in operation["responses"].items()
                if not _is_framework_error(response)
            }
    return document


def _is_framework_error(response: dict[str, Any]) -> bool:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("$ref", "").endswith("/HTTPValidationError"))
