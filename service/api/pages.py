"""The pages for people: the documentation, and what every HTML answer of the service forbids the browser.

Nothing is loaded from elsewhere. Scripts are files of the service, or the one that stands in the page and is named by
its hash. Styles are laxer: both documentation viewers write theirs into the page while they run.
"""

import base64
import hashlib
import re

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html

STATIC = "/static-offline-docs"
"""Where fastapi-offline serves the viewers' files."""

_SHUT = {
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
}
_NOTHING = ("default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'")
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def guarded(page: str, *allowed: str) -> Response:
    """An HTML answer that may do nothing but what `allowed` says, in directives of Content-Security-Policy."""
    response = Response(page, media_type="text/html")
    response.headers.update({**_SHUT, "content-security-policy": "; ".join((*_NOTHING, *allowed))})
    return response


def _viewer(page: Response) -> Response:
    content = bytes(page.body).decode()
    hashes = [hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(content)]
    scripts = ["'self'", *(f"'sha256-{base64.b64encode(each).decode()}'" for each in hashes)]
    return guarded(
        content,
        f"script-src {' '.join(scripts)}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        # ReDoc searches in a worker that it makes of its own text.
        "worker-src blob:",
    )


def install(app: FastAPI) -> None:
    """Serve `/docs` and `/redoc`, outside the OpenAPI document."""

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        static = f"{request.scope.get('root_path', '')}{STATIC}"
        return _viewer(
            get_swagger_ui_html(
                openapi_url=f"{request.scope.get('root_path', '')}{app.openapi_url}",
                title=app.title,
                swagger_js_url=f"{static}/swagger-ui-bundle.js",
                swagger_css_url=f"{static}/swagger-ui.css",
                swagger_favicon_url=f"{static}/favicon.png",
            )
        )

    @app.get("/redoc", include_in_schema=False)
    async def redoc(request: Request) -> Response:
        static = f"{request.scope.get('root_path', '')}{STATIC}"
        return _viewer(
            get_redoc_html(
                openapi_url=f"{request.scope.get('root_path', '')}{app.openapi_url}",
                title=app.title,
                redoc_js_url=f"{static}/redoc.standalone.js",
                redoc_favicon_url=f"{static}/favicon.png",
                with_google_fonts=False,
            )
        )
