"""The global variables as runs see them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from debugger.protocol.json_text import encode
from debugger.store import GlobalVariable, Store

FRESH_SECONDS = 1.0
"""How long values are used without looking again; a change made through this server counts at once."""

NAMESPACE = "global"
"""``{{global.name}}`` and ``{{name}}`` are the same (``platform/wire.md`` section 10, 21)."""


@dataclass
class _Values:
    """What was read at one moment."""

    dynamic: Mapping[str, Any]
    hidden: list[GlobalVariable]

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        """The secret ones, decrypted when a run first needs them."""
        return {variable.name: _text(variable.value) for variable in self.hidden}


class GlobalValues:
    """Reads the global variables for runs.

    The open ones are dynamic variables that a run begins with. The secret ones are none: they are filled into
    what is sent to the outside, and into nothing that anybody could read.

    Args:
        store: Has them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._values = _Values({}, [])
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def dynamic(self) -> Mapping[str, Any]:
        """The open ones by name, and all of them once more under ``global``."""
        return self._fresh().dynamic

    def secrets(self) -> Mapping[str, str]:
        """The secret ones by name.

        Raises:
            StoreError: One cannot be read with the key that is set.
        """
        return self._fresh().secrets

    def renew(self) -> None:
        """Look again the next time: one of them was changed."""
        self._read_at = float("-inf")

    def _fresh(self) -> _Values:
        with self._lock:
            now = time.monotonic()
            if now - self._read_at > FRESH_SECONDS:
                self._values = _values(self._store.globals.all())
                self._read_at = now
            return self._values


def _values(variables: list[GlobalVariable]) -> _Values:
    shown = {variable.name: variable.value for variable in variables if not variable.is_secret}
    hidden = [variable for variable in variables if variable.is_secret]
    return _Values({**shown, NAMESPACE: shown} if shown else {}, hidden)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else encode(value).decode()
