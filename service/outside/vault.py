"""The keys file: data keys that encrypt what must not lie open in the database (who complained, secrets).

The first key encrypts, all decrypt. AES-256-GCM; every ciphertext is bound to its tenant, table and row, so that none
can be moved to another place and read there.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ID_BYTES = 4
_NONCE_BYTES = 12


class KeysUnusable(Exception):
    """The keys file is missing, unreadable, or not the one that the database was written with."""


class Vault:
    """Data keys by their id (the first bytes of the key's hash)."""

    def __init__(self, keys: list[bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._current = _key_id(keys[0])

    @property
    def fingerprints(self) -> list[str]:
        return [key_id.hex() for key_id in self._ciphers]

    def encrypt(self, plain: str, *, tenant_id: UUID, table: str, row: UUID) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain.encode(), _place(tenant_id, table, row))
        return self._current + nonce + sealed

    def decrypt(self, sealed: bytes, *, tenant_id: UUID, table: str, row: UUID) -> str:
        """Raises KeysUnusable where no key fits, or where the ciphertext was written for another place."""
        cipher = self._ciphers.get(sealed[:_ID_BYTES])
        if cipher is None:
            raise KeysUnusable("no key in the keys file decrypts this")
        nonce, rest = sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], sealed[_ID_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, rest, _place(tenant_id, table, row)).decode()
        except InvalidTag:
            raise KeysUnusable("the ciphertext does not belong here, or was changed") from None


def load(path: Path) -> Vault:
    """The keys of an existing file. Raises KeysUnusable with one line that says what is wrong with it."""
    try:
        content: Any = json.loads(path.read_text())
        return Vault([base64.b64decode(key, validate=True) for key in content["data_keys"]])
    except FileNotFoundError:
        raise KeysUnusable(f"{path} does not exist") from None
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise KeysUnusable(f"{path} cannot be read as a keys file ({type(error).__name__})") from None


def make(path: Path) -> Vault:
    """A new keys file, readable by its owner only; an existing one is never overwritten."""
    key = AESGCM.generate_key(bit_length=256)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"data_keys": [base64.b64encode(key).decode()]}, file)
        file.flush()
        os.fsync(file.fileno())
    return Vault([key])


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_ID_BYTES]


def _place(tenant_id: UUID, table: str, row: UUID) -> bytes:
    return tenant_id.bytes + table.encode() + b"\0" + row.bytes
