"""Secrets of the environment and the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from debugger.engine.outbound.known_secrets import KNOWN_SECRETS
from debugger.engine.outbound.secrets import HOSTS_SETTING
from debugger.settings import Settings, environment_variables

_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL")
_OF_SHELL = frozenset({"PWD", "OLDPWD"})
"""Variables that every shell sets: folders, which logs and errors name."""


def secrets_of_process(settings: Settings) -> Iterator[str]:
    """Yield the values of the environment's variables named like secrets, and those of settings.

    The place of a file, as in ``PGPASSFILE``, is no secret, nor is a number of tokens. Of settings these are
    the encryption key, the hosted API key and the database's password, as written and decoded; each may be
    empty.
    """
    for name, value in environment_variables().items():
        is_named = _SECRET_VARIABLE.search(name.upper()) and name not in _OF_SHELL
        is_number = name.upper().endswith("TOKENS") and value.strip().isdecimal()
        if is_named and not name.startswith(HOSTS_SETTING) and not is_number and not _is_place(value):
            yield value
    yield settings.encryption_key.get_secret_value()
    yield settings.hosted.api_key.get_secret_value()
    password = _password(settings.database)
    yield password
    yield unquote(password)


def register_process_secrets(settings: Settings) -> None:
    """Mask these secrets from now on in whatever leaves the process."""
    KNOWN_SECRETS.add(secrets_of_process(settings), is_lasting=True)


def _is_place(value: str) -> bool:
    try:
        return value.startswith("/") and Path(value).exists()
    except (OSError, ValueError):  # too long for a path
        return False


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
