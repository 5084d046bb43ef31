"""Which language a page speaks: Chinese, unless its reader chose English once."""

from starlette.requests import Request

CHOSEN = "lang"
"""The query parameter, and the cookie that remembers it."""


def language_of(request: Request) -> str:
    """`zh` or `en`."""
    for asked in (request.query_params.get(CHOSEN), request.cookies.get(CHOSEN)):
        if asked in ("zh", "en"):
            return asked
    return "zh"
