"""How xdist shares the tests out: what shares a database stays together, and what takes minutes begins first.

A module's tests on SQLite are one group and those on PostgreSQL another, so that each database is made once and the two
halves of a long module run side by side. Modules marked `long` come first: begun last, one would keep its worker busy
while the other stands idle.
"""

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

DATABASE = re.compile(r"\[.*\b(sqlite|postgresql)\b")


class ByDatabase(LoadScopeScheduling):
    """Shares out whole groups, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        module, _, test = nodeid.partition("::")
        database = DATABASE.search(test)
        return f"{module} {database[1]}" if database else module


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes minutes, so it begins before the others")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByDatabase:
    return ByDatabase(config, log)
