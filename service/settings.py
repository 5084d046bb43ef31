"""One frozen Settings from the environment. Whatever is unknown or wrong stops the start, one clear line each."""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "XIAOHAO_"

RATE = re.compile(r"[1-9][0-9]{0,8}/([1-9][0-9]{0,3} )?(second|minute|hour|day)s?")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")

MAIL_SERVER = re.compile(r"(.*@)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,3}|:[1-5][0-9]{4})?")

EMPTY_IS_A_VALUE = frozenset({"rate_limit", "tenant_rate_limit"})
"""Settings that are switched off by being set to nothing; elsewhere nothing means the default."""


def _setting(default: Any, *, en: str, zh: str, **bounds: Any) -> Any:
    """A field with its meaning in both languages, for the tables in the documentation."""
    return Field(default, description=en, json_schema_extra={"zh": zh}, **bounds)


class Settings(BaseSettings):
    """Every setting is a variable `XIAOHAO_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

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
    log_name: str = _setting(
        "xiaohao",
        en="what the installation signs its checkpoints as, best its own host name; witnesses know it by this: never "
        "change it",
        zh="对纪实日志检查点签名所用的名称，建议用本机域名；外部见证方据此识别，启用后不要更改",
        pattern=r"^[a-z0-9]([a-z0-9./:-]{0,98}[a-z0-9])?$",
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
    blobs_url: str = _setting(
        "",
        en="where the bytes of attachments lie: `file:///path`, or `s3://bucket/prefix?endpoint=https://host&region=...`"
        " (and `&style=virtual` where the bucket stands in the host's name); empty: `blobs` in the data directory",
        zh="附件内容的存放处：`file:///路径`，或 `s3://桶/前缀?endpoint=https://主机&region=...`（桶名在域名中时再加 "
        "`&style=virtual`）；留空即用数据目录下的 `blobs`",
    )
    blobs_access_key: str = _setting("", en="the access key of an `s3://` store", zh="`s3://` 存储的访问密钥 ID")
    blobs_secret_key: str = _setting("", en="the secret key of an `s3://` store", zh="`s3://` 存储的访问密钥")
    attachment_max_bytes: int = _setting(
        52_428_800,
        en="largest attachment, in bytes, 1024 to 1073741824; it needs no larger `XIAOHAO_MAX_BODY_BYTES`",
        zh="单个附件上限，单位字节，1024 至 1073741824；不受 `XIAOHAO_MAX_BODY_BYTES` 限制",
        ge=1024,
        le=1_073_741_824,
    )
    attachment_quota_bytes: int | None = _setting(
        None,
        en="how many bytes of attachments one tenant may keep, the same bytes counted once; empty: no limit",
        zh="单个租户的附件总量上限，单位字节，相同内容只计一次；留空则不限制",
        ge=1,
        le=2**53 - 1,
    )
    max_json_depth: int = _setting(
        32,
        en="how deep arrays and objects may be nested in a request body, 8 to 128",
        zh="请求体中数组和对象最多嵌套的层数，8 至 128",
        ge=8,
        le=128,
    )
    rate_limit: str = _setting(
        "6000/minute",
        en="requests that one key may make, as in `100/second` or `6000/minute`; set but empty: no limit",
        zh="单个密钥的请求次数上限，形如 `100/second` 或 `6000/minute`；设为空值则不限制",
    )
    tenant_rate_limit: str = _setting(
        "60000/minute",
        en="requests that all keys of one tenant may make together; set but empty: no limit",
        zh="同一租户全部密钥合计的请求次数上限；设为空值则不限制",
    )
    redis_url: str | None = _setting(
        None,
        en="`redis://host:6379/0` or `rediss://`, where several processes count requests together; empty: each process "
        "counts its own",
        zh="`redis://主机:6379/0` 或 `rediss://`，供多个进程合并计数；留空则各进程分别计数",
    )
    cors_origins: str = _setting(
        "",
        en="origins whose web pages may call the API, exact and comma separated, as in `https://portal.example`; "
        "empty: none",
        zh="允许其网页调用接口的来源，须完整书写、逗号分隔，如 `https://portal.example`；留空则不允许",
    )
    issuer_allow_networks: str = _setting(
        "",
        en="networks whose OpenID providers may be called though they are not public, and over plain http: CIDRs, "
        "comma separated, as in `10.8.0.0/16`; empty: none",
        zh="允许访问的非公网 OpenID 服务所在网段（也可用 http），CIDR 格式、逗号分隔，如 `10.8.0.0/16`；"
        "留空则一律不访问",
    )
    webhook_allow_networks: str = _setting(
        "",
        en="networks to which webhooks may be sent though they are not public, and over plain http: CIDRs, comma "
        "separated, as in `10.8.0.0/16`; empty: none",
        zh="允许推送 webhook 的非公网网段（也可用 http），CIDR 格式、逗号分隔，如 `10.8.0.0/16`；留空则一律不推送",
    )
    webhook_concurrency: int = _setting(
        10,
        en="webhooks that one process sends to one endpoint at a time, 1 to 100",
        zh="单个进程同时向同一接收端推送的 webhook 数，1 至 100",
        ge=1,
        le=100,
    )
    webhook_sends: int = _setting(
        64,
        en="webhooks that one process sends to all endpoints together at a time, slow ones not counted, 1 to 1000",
        zh="单个进程同时推送的 webhook 总数（响应缓慢的不计），1 至 1000",
        ge=1,
        le=1000,
    )
    smtp_url: str | None = _setting(
        None,
        en="the server that mail goes out by, `smtp://user:password@host:587` (STARTTLS) or "
        "`smtps://user:password@host`; empty: no mail",
        zh="发送邮件所用的服务器，`smtp://用户:密码@主机:587`（STARTTLS）或 `smtps://用户:密码@主机`；留空则不发邮件",
    )
    smtp_from: str | None = _setting(
        None,
        en="the address that mail comes from, as in `ledger@county.example`; goes with `XIAOHAO_SMTP_URL`",
        zh="邮件的发件地址，如 `ledger@county.example`；与 `XIAOHAO_SMTP_URL` 同时设置",
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$",
    )
    public_url: str = _setting(
        "",
        en="where people see an item, for links in messages: `https://ledger.example/items/{id}`, or the service's own "
        "base address; empty: no links",
        zh="供消息中链接使用的条目页面地址，形如 `https://ledger.example/items/{id}`，也可只写本服务的根地址；留空则不带链接",
        max_length=500,
    )
    fonts_dir: Path | None = _setting(
        None,
        en="a directory of fonts for printed notices, beside those of the system, as 仿宋_GB2312 and 方正小标宋简体",
        zh="打印文书所用字体的目录（如仿宋_GB2312、方正小标宋简体），与系统字体一并查找",
    )
    templates_dir: Path | None = _setting(
        None,
        en="a directory of the office's own .docx templates of notices, see docs/letters.md; empty: the built-in ones",
        zh="本单位自有文书模板（.docx）的目录，写法见 docs/letters.md；留空则用内置模板",
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
    workers_inside: bool = _setting(
        True,
        en="whether `serve` runs the workers itself; `false` where `xiaohao worker` runs them",
        zh="`serve` 是否自行运行后台任务；由 `xiaohao worker` 运行时设为 `false`",
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

    @field_validator("rate_limit", "tenant_rate_limit")
    @classmethod
    def _rate(cls, value: str) -> str:
        if value and not RATE.fullmatch(value):
            raise ValueError("must be like 100/second, 6000/minute or 500/10 minutes, or empty")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_counter(cls, value: str | None) -> str | None:
        if not value:
            return value
        url = urlsplit(value)
        # A port that is none is a ValueError of its own, which quotes it: it may be part of a password.
        if url.scheme not in ("redis", "rediss") or not re.fullmatch(
            r"(.*@)?([^@:]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", url.netloc
        ):
            raise ValueError("must be like redis://host:6379/0 or rediss://:password@host")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, value: str) -> str:
        if value and not all(ORIGIN.fullmatch(origin.strip()) for origin in value.split(",")):
            raise ValueError("must be origins like https://portal.example, comma separated, without paths or wildcards")
        return value

    @field_validator("issuer_allow_networks", "webhook_allow_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            networks(value)
        except ValueError:
            raise ValueError("must be networks like 10.8.0.0/16, comma separated, without host bits") from None
        return value

    @field_validator("smtp_url")
    @classmethod
    def _known_mail_server(cls, value: str | None) -> str | None:
        if not value:
            return value
        url = urlsplit(value)
        good = url.scheme in ("smtp", "smtps") and not url.query and not url.fragment and url.path in ("", "/")
        if not good or not MAIL_SERVER.fullmatch(url.netloc):
            raise ValueError("must be like smtp://user:password@host:587 or smtps://user:password@host")
        return value

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        # It is put into every robot's markup as it stands.
        if value and not re.fullmatch(r"https?://[A-Za-z0-9./:?=&%_~#-]+", value.replace("{id}", "")):
            raise ValueError("must be like https://ledger.example/items/{id}")
        return value

    @model_validator(mode="after")
    def _mail_is_whole(self) -> "Settings":
        if (self.smtp_url is None) != (self.smtp_from is None):
            raise ValueError(f"{PREFIX}SMTP_URL and {PREFIX}SMTP_FROM are set together")
        return self

    @property
    def item_url(self) -> str:
        """Where people see an item, with `{id}` for its id; empty where nobody has said so."""
        if not self.public_url or "{id}" in self.public_url:
            return self.public_url
        return self.public_url.rstrip("/") + "/v1/items/{id}"

    @field_validator("blobs_url")
    @classmethod
    def _known_store(cls, value: str) -> str:
        # Of an s3:// address only the kind is judged here; what it says is read by the store itself.
        if value and not re.fullmatch(r"file:///[^?#]+|s3://[^/?#]+(/[^?#]*)?(\?[^#]*)?", value):
            raise ValueError("must be like file:///path or s3://bucket/prefix?endpoint=https://host&region=...")
        return value

    @property
    def blobs_path(self) -> Path | None:
        """The directory of attachments' bytes; None where a bucket is meant."""
        if self.blobs_url.startswith("file://"):
            return Path(self.blobs_url.removeprefix("file://"))
        return None if self.blobs_url else self.data_dir / "blobs"

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file; None where PostgreSQL is meant."""
        if self.database_url.startswith("sqlite:///"):
            return Path(self.database_url.removeprefix("sqlite:///"))
        return None if self.database_url else self.data_dir / "xiaohao.db"

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin)

    @property
    def keys_path(self) -> Path:
        return self.keys_file or self.data_dir / "keys.json"


def networks(value: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Comma separated CIDRs as networks. Raises ValueError."""
    return tuple(ipaddress.ip_network(each.strip()) for each in value.split(",") if each.strip())


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
    present = {name: given.get(PREFIX + name.upper()) for name in Settings.model_fields}
    values = {
        name: value for name, value in present.items() if value or (value is not None and name in EMPTY_IS_A_VALUE)
    }
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        # What concerns several settings names them itself.
        named = [(f"{PREFIX}{str(each['loc'][0]).upper()}: " if each["loc"] else "", each) for each in error.errors()]
        lines += [f"{name}{each['msg']}" for name, each in named]
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
