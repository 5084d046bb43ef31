"""One frozen Settings from the environment. Whatever is unknown or wrong stops the start, one clear line each."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "XIAOHAO_"


class Settings(BaseSettings):
    """Every setting is a variable `XIAOHAO_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = Field(
        "",
        description="`postgresql://user:password@host/database`, or `sqlite:///path`; "
        "empty: SQLite, `xiaohao.db` in the data directory",
    )
    data_dir: Path = Field(Path("data"), description="where the SQLite file and the keys file are kept")
    keys_file: Path | None = Field(
        None, description="the data keys; empty: `keys.json` in the data directory, made at the first start"
    )
    admin_key: str | None = Field(
        None,
        min_length=32,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="the first admin key of tenant `default`, for unattended set-up; empty: made up and printed once",
    )
    pool_size: int = Field(16, ge=1, le=500, description="connections to PostgreSQL that one process holds at most")
    max_body_bytes: int = Field(8_388_608, ge=1024, le=1_073_741_824, description="largest request body, in bytes")
    shutdown_seconds: int = Field(
        10, ge=0, le=3600, description="how long requests under way may go on when the service is told to stop"
    )
    metrics_token: str | None = Field(
        None, min_length=16, max_length=255, description="bearer token for /metrics from elsewhere than loopback"
    )
    log_level: str = Field(
        "info", pattern=r"^(debug|info|warning|error)$", description="`debug`, `info`, `warning` or `error`"
    )
    log_format: str = Field(
        "json", pattern=r"^(json|text)$", description="`json`, one object a line, or `text` for people"
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise ValueError("must begin with postgresql:// or sqlite:///")
        return value

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file; None where PostgreSQL is meant."""
        if self.database_url.startswith("sqlite:///"):
            return Path(self.database_url.removeprefix("sqlite:///"))
        return None if self.database_url else self.data_dir / "xiaohao.db"

    @property
    def keys_path(self) -> Path:
        return self.keys_file or self.data_dir / "keys.json"


class BadSettings(Exception):
    """Settings that cannot be used; `lines` says why, a line each, without showing a value."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises BadSettings."""
    given = os.environ if environment is None else environment
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in given if name.startswith(PREFIX) and name not in known)
    lines = [f"{name} is not a setting" for name in unknown]
    values = {name: given[PREFIX + name.upper()] for name in Settings.model_fields if given.get(PREFIX + name.upper())}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        lines += [f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        raise BadSettings(lines) from None
    if lines:
        raise BadSettings(lines)
    return settings
