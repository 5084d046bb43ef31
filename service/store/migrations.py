"""Bringing a database to the present tables: Alembic, run from code, on either database.

All steps of one upgrade run in one transaction, so a step that fails leaves nothing half done; and under a lock, so
that several processes may start at once.
"""

from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.types import Text

import service
from service.store.database import Database, Statement, Tx

PLACE = Path(service.__file__).parents[1] / "migrations"

_VERSION = Statement(text("SELECT version_num FROM alembic_version").columns(version_num=Text()))


def upgrade(url: str, revision: str = "head") -> None:
    """Run the missing steps. `url` is a SQLAlchemy URL (see `sqlalchemy_url`)."""
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    command.downgrade(_config(url), revision)


def sqlalchemy_url(database_url: str, sqlite_path: Path | None) -> str:
    """Where Alembic finds the database: the same one, by the driver that it can use."""
    if sqlite_path is not None:
        return f"sqlite:///{sqlite_path}"
    return "postgresql+asyncpg://" + database_url.partition("://")[2]


@lru_cache(maxsize=1)
def head() -> str | None:
    return ScriptDirectory.from_config(_config("")).get_current_head()


async def at_head(database: Database) -> bool:
    """Whether the database is reachable and has every step. Refuses `unavailable` where it is not reachable."""

    async def action(tx: Tx) -> str | None:
        row = await tx.one(_VERSION)
        return row[0] if row else None

    return await database.read(action) == head()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(PLACE))
    config.attributes["url"] = url
    return config
