"""The OpenAPI document of the application, for tests that walk it."""

import re
from typing import Any

from service.app import create_app
from service.settings import Settings

DOCUMENT: dict[str, Any] = create_app(Settings()).openapi()
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    each["operationId"]: (path, each) for path, methods in DOCUMENT["paths"].items() for each in methods.values()
}
"""Path and description of each operation, by its id."""

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def inside(path: str) -> list[str]:
    """The names of a path's parameters."""
    return re.findall(r"\{(\w+)\}", path)


def tenant_level(name: str) -> bool:
    """Whether an operation is about the tenant as a whole, so that nothing is looked at for those who may not."""
    at_large = ("principal", "issuer", "webhook", "channel", "_log_")
    named = ("create_unit_hook", "end_hook", "import_units", "import_items", "create_attachment")
    return any(each in name for each in at_large) or name in named
