"""How xdist shares the tests out: what shares a database stays together, and what takes minutes begins first.

A module's tests on SQLite are one group and those on PostgreSQL another, so that each database is made once and the two
halves of a long module run side by side. Modules marked `long` come first: begun last, one would keep its worker busy
while the other stands idle.
"""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes minutes, so it begins before the others")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{_database(item)}"))
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _database(item: pytest.Item) -> str:
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return str(parameters.get("kind", "any"))
