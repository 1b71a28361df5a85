"""Encrypt secrets at rest by AES-GCM with the keys of a setting.

A keyring is text such as `k2:BASE64URL,k1:BASE64URL`: ids and keys of 256 bits. The first key
encrypts and all of them decrypt, so that no secret is lost when the key changes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clipmill_api.errors import StartRefused

NONCE_BYTES = 12
KEY_BYTES = 32
VARIABLE = "CLIPMILL_CREDENTIAL_KEYS"
_ENTRY = re.compile(r"([a-z0-9]{1,16}):([A-Za-z0-9_-]{43})=?")


class UnknownKey(Exception):
    """The key of a sealed value is not in the keyring; str() is its id."""


class DamagedSecret(Exception):
    """A sealed value was changed, or moved to a row of another owner, name or kind."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value and the id of its key."""

    key_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by id. The first one encrypts. An empty keyring means that the setting is missing."""

    keys: dict[str, AESGCM] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.keys)

    @property
    def current(self) -> str:
        """The id of the key that encrypts."""
        return next(iter(self.keys))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the keyring of a setting. The message of a ValueError shows no key."""
        keys: dict[str, AESGCM] = {}
        for number, entry in enumerate(re.findall(r"[^,\s]+", text), start=1):
            match = _ENTRY.fullmatch(entry)
            if match is None:
                raise ValueError(
                    f"entry {number} must be ID:KEY, an id of a-z 0-9 and 256 bits as base64url;"
                    " create one with `clipmill keygen`"
                )
            if match[1] in keys:
                raise ValueError(f"the key id {match[1]!r} is used more than once")
            keys[match[1]] = AESGCM(_decoded(match[2], number))
        return cls(keys)

    @classmethod
    def load(cls, text: str, file: Path | None) -> Self:
        """Return the keyring of a value or of a file. Raise StartRefused."""
        try:
            content = file.read_text() if file and not text else text
            return cls.parse(content)
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise StartRefused(f"{VARIABLE}_FILE: {str(file)!r} cannot be read: {cause}") from None
        except ValueError as error:
            raise StartRefused(f"{VARIABLE}: {error}") from None

    def seal(self, value: str, context: Sequence[object]) -> Sealed:
        """Encrypt a value so that it can be opened in the same context only."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        key_id = self.current
        content = self.keys[key_id].encrypt(nonce, value.encode(), _bound(key_id, context))
        return Sealed(key_id, nonce + content)

    def open(self, sealed: Sealed, context: Sequence[object]) -> str:
        """Decrypt a value. Raise UnknownKey or DamagedSecret."""
        if sealed.key_id not in self.keys:
            raise UnknownKey(sealed.key_id)
        nonce, content = sealed.content[:NONCE_BYTES], sealed.content[NONCE_BYTES:]
        bound = _bound(sealed.key_id, context)
        try:
            return self.keys[sealed.key_id].decrypt(nonce, content, bound).decode()
        except (InvalidTag, ValueError):
            raise DamagedSecret from None


def _bound(key_id: str, context: Sequence[object]) -> bytes:
    """Return the additional data: JSON, so that no two contexts have the same bytes."""
    return json.dumps([key_id, *context]).encode()


def _decoded(text: str, number: int) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text + "=")
    except binascii.Error:
        raise ValueError(f"entry {number} is not base64url") from None
    if len(key) != KEY_BYTES or len(set(key)) < 12:
        raise ValueError(f"entry {number} must be 256 random bits")
    return key


def new_keyring_text() -> str:
    """Return a keyring with one random key."""
    return f"k1:{secrets.token_urlsafe(KEY_BYTES)}"
