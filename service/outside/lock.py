"""One server for a data directory: SQLite has one writer, and two servers would only get in each other's way."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Another server holds the data directory."""


@contextmanager
def only_one(data_dir: Path | None) -> Iterator[None]:
    """Hold the data directory while the block runs; nothing to hold where it is None. Raises Busy."""
    if data_dir is None:
        yield
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "serve.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"{data_dir} is in use by another server; for several servers set XIAOHAO_DATABASE_URL to PostgreSQL"
            ) from None
        yield
