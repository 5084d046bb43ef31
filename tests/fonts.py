"""Whether this machine can set Chinese: what is printed as PDF needs a font of the system's."""

from functools import cache

import pytest

from service.outside.letters import Letters

PRINTED = ("get_notice_pdf", "get_item_record_pdf")
"""The operations that answer 503 where there is none."""


@cache
def there() -> bool:
    return Letters().can_print()


def skip_without(operation: str) -> None:
    """Skip a test of a printed operation where nothing can be printed."""
    if operation in PRINTED and not there():
        pytest.skip("no font for Chinese: apt install fonts-noto-cjk")
