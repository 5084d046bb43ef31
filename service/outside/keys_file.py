"""The keys file: data keys that encrypt what must not lie open in the database, and keys that sign the log.

Of the data keys the first encrypts, all decrypt. Which of the log's keys signs is for the database to say, so that all
processes change over at one moment. The file is replaced whole, never written into, by one process at a time.
"""

import base64
import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.outside.staging import settle


class KeysUnusable(Exception):
    """The keys file is missing, unreadable, or not the one that the database was written with."""


@dataclass(frozen=True, slots=True)
class Keys:
    """AES keys of 256 bits, the first of which encrypts; and Ed25519 private keys of 32 bytes."""

    data: tuple[bytes, ...]
    log: tuple[bytes, ...]


def new_data_key() -> bytes:
    return AESGCM.generate_key(bit_length=256)


def new_log_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes_raw()


def load(path: Path) -> Keys:
    """The keys of an existing file. Raises KeysUnusable with one line that says what is wrong with it.

    A file from before there was a log gets a signing key.
    """
    keys = _read(path)
    return keys if keys.log else change(path, lambda held: held if held.log else Keys(held.data, (new_log_key(),)))


def make(path: Path) -> Keys:
    """A new keys file, readable by its owner only; an existing one is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = Keys((new_data_key(),), (new_log_key(),))
    _write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), keys)
    return keys


def change(path: Path, changed: Callable[[Keys], Keys]) -> Keys:
    """Replace the file by what `changed` makes of it, however many do so at once. Raises KeysUnusable."""
    path = path.resolve()
    try:
        with path.with_suffix(".lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            keys, owner, fresh = changed(_read(path)), path.stat(), path.with_suffix(".new")
            _write(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), keys)
            if os.geteuid() == 0:
                # Whoever the service runs as: root may change the file for it.
                os.chown(fresh, owner.st_uid, owner.st_gid)
            fresh.chmod(owner.st_mode & 0o777)
            fresh.replace(path)
            settle(path.parent)
            return keys
    except OSError as error:
        raise KeysUnusable(f"{path} cannot be changed ({error.strerror})") from None


def _read(path: Path) -> Keys:
    try:
        content: Any = json.loads(path.read_text())
        data, log = (tuple(map(_decoded, content.get(name, ()))) for name in ("data_keys", "log_keys"))
    except FileNotFoundError:
        raise KeysUnusable(f"{path} does not exist") from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise KeysUnusable(f"{path} cannot be read as a keys file ({type(error).__name__})") from None
    if not data or {len(key) for key in (*data, *log)} != {32}:
        raise KeysUnusable(f"{path} cannot be read as a keys file (its keys are not of 32 bytes)")
    return Keys(data, log)


def _write(descriptor: int, keys: Keys) -> None:
    content = {"data_keys": [_encoded(key) for key in keys.data], "log_keys": [_encoded(key) for key in keys.log]}
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _decoded(key: str) -> bytes:
    return base64.b64decode(key, validate=True)
