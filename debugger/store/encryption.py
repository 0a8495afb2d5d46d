"""Encryption of secrets at rest, in the database and in its backups."""

from __future__ import annotations

import base64
import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

from debugger.errors import InputError, StoreError, extra_advice

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_PREFIX = "fernet:"
"""First characters of an encrypted text; no JSON text has them."""
_SALT = b"workflow-debugger secrets at rest"
"""Public: a passphrase must withstand guessing by an attacker who has the database."""
_VARIABLE = "WORKFLOW_DEBUGGER_ENCRYPTION_KEY"


class Cipher:
    """Encryption of texts with one key.

    Args:
        key: Any text, best a long random one; empty where there is none.
    """

    def __init__(self, key: str = "") -> None:
        self._key = key

    def encrypt(self, text: str) -> str:
        """Return a text as it is stored.

        Raises:
            InputError: There is no key.
            StoreError: The extra ``secrets`` is not installed.
        """
        if not self._key:
            raise InputError(
                "A secret cannot be stored here: there is no key to encrypt it with.",
                advice=f"Set {_VARIABLE} to a long random text, and start again.",
            )
        return _PREFIX + self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """Return the text that was encrypted, or a plain one unchanged.

        Raises:
            StoreError: It was encrypted with another key, or was changed since; or the extra ``secrets`` is
                not installed.
        """
        if not stored.startswith(_PREFIX):
            return stored
        fernet = self._fernet
        from cryptography.fernet import InvalidToken

        try:
            return fernet.decrypt(stored.removeprefix(_PREFIX)).decode()
        except (InvalidToken, ValueError) as error:
            raise StoreError(
                "A secret in the database cannot be read with the key that is set.",
                advice=f"Set {_VARIABLE} to what it was when the secret was stored.",
            ) from error

    @cached_property
    def _fernet(self) -> Fernet:
        """Return the encryption with a key derived from the configured one, which takes scrypt once.

        Raises:
            StoreError: The extra ``secrets`` is not installed.
        """
        try:
            from cryptography.fernet import Fernet  # optional
        except ImportError as error:
            raise StoreError(
                "Secrets in the store need the package cryptography, which is not installed.",
                advice=extra_advice("secrets"),
            ) from error
        digest = hashlib.scrypt(self._key.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=32)
        return Fernet(base64.urlsafe_b64encode(digest))
