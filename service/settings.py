"""One frozen Settings from the environment. Whatever is unknown or wrong stops the start, one clear line each."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "XIAOHAO_"


def _setting(default: Any, *, en: str, zh: str, **bounds: Any) -> Any:
    """A field with its meaning in both languages, for the tables in the documentation."""
    return Field(default, description=en, json_schema_extra={"zh": zh}, **bounds)


class Settings(BaseSettings):
    """Every setting is a variable `XIAOHAO_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = _setting(
        "",
        en="`postgresql://user:password@host/database`, or `sqlite:///path`; empty: SQLite, `xiaohao.db` in the data "
        "directory",
        zh="`postgresql://用户:密码@主机/库名` 或 `sqlite:///路径`；留空即用数据目录下的 SQLite 文件 `xiaohao.db`",
    )
    data_dir: Path = _setting(
        Path("data"), en="where the SQLite file and the keys file are kept", zh="SQLite 文件和密钥文件所在的目录"
    )
    keys_file: Path | None = _setting(
        None,
        en="the data keys; empty: `keys.json` in the data directory, made at the first start",
        zh="数据密钥文件；留空即用数据目录下的 `keys.json`，首次启动时自动生成",
    )
    admin_key: str | None = _setting(
        None,
        en="the first admin key of tenant `default`, for unattended set-up, 32 to 255 printable characters; "
        "empty: made up and printed once",
        zh="租户 `default` 的首个管理员密钥，供无人值守部署使用，32 至 255 个可打印字符；留空则自动生成，只显示一次",
        min_length=32,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
    )
    pool_size: int = _setting(
        16,
        en="connections to PostgreSQL that one process holds at most, 1 to 500",
        zh="单个进程最多占用的 PostgreSQL 连接数，1 至 500",
        ge=1,
        le=500,
    )
    max_body_bytes: int = _setting(
        8_388_608,
        en="largest request body, in bytes, 1024 to 1073741824",
        zh="请求体上限，单位字节，1024 至 1073741824",
        ge=1024,
        le=1_073_741_824,
    )
    shutdown_seconds: int = _setting(
        10,
        en="how long requests under way may go on when the service is told to stop, in seconds, 0 to 3600",
        zh="停止服务时，留给未办完请求的秒数，0 至 3600",
        ge=0,
        le=3600,
    )
    metrics_token: str | None = _setting(
        None,
        en="bearer token for `/metrics` from elsewhere than loopback, 16 to 255 characters",
        zh="从本机以外读取 `/metrics` 所需的 Bearer 令牌，16 至 255 个字符",
        min_length=16,
        max_length=255,
    )
    log_level: str = _setting(
        "info",
        en="`debug`, `info`, `warning` or `error`",
        zh="日志级别：`debug`、`info`、`warning` 或 `error`",
        pattern=r"^(debug|info|warning|error)$",
    )
    log_format: str = _setting(
        "json",
        en="`json`, one object a line, or `text` for people",
        zh="日志格式：`json`（每行一个对象）或 `text`（便于人工阅读）",
        pattern=r"^(json|text)$",
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


def table(language: str) -> str:
    """The settings as a Markdown table; `language` is en or zh."""
    rows = [
        ("Variable", "Default", "Meaning") if language == "en" else ("变量", "默认值", "含义"),
        ("---", "---", "---"),
    ]
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        text = str(extra["zh"]) if language == "zh" and isinstance(extra, dict) else field.description or ""
        default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append((f"`{PREFIX}{name.upper()}`", default, text))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
