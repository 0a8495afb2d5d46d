"""Secrets at rest: texts that only somebody with the key can read in the database, or in a backup of it."""

from __future__ import annotations

import base64
import hashlib
from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken

from debugger.errors import InputError, StoreError

_HIDDEN = "fernet:"
"""What a text begins with that was hidden; no JSON text does."""
_SALT = b"workflow-debugger secrets at rest"
"""Known to all: what a passphrase has to withstand is guessing by somebody who has the database."""
_VARIABLE = "WORKFLOW_DEBUGGER_ENCRYPTION_KEY"


class Secrecy:
    """Hides texts and shows them again.

    Args:
        key: Any text, best a long random one; empty where there is none.
    """

    def __init__(self, key: str = "") -> None:
        self._key = key

    def hidden(self, text: str) -> str:
        """A text as it is kept.

        Raises:
            InputError: There is no key.
        """
        if not self._key:
            raise InputError(
                "A secret cannot be kept here: there is no key to encrypt it with.",
                advice=f"Set {_VARIABLE} to a long random text, and start again.",
            )
        return _HIDDEN + self._fernet.encrypt(text.encode()).decode()

    def shown(self, kept: str) -> str:
        """The text that was hidden; one that never was is itself.

        Raises:
            StoreError: It was hidden with another key, or was changed since.
        """
        if not kept.startswith(_HIDDEN):
            return kept
        try:
            return self._fernet.decrypt(kept.removeprefix(_HIDDEN)).decode()
        except (InvalidToken, ValueError) as error:
            raise StoreError(
                "A secret in the database cannot be read with the key that is set.",
                advice=f"Set {_VARIABLE} to what it was when the secret was kept.",
            ) from error

    @cached_property
    def _fernet(self) -> Fernet:
        digest = hashlib.scrypt(self._key.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=32)
        return Fernet(base64.urlsafe_b64encode(digest))
