"""The global variables of a store, as runs see them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from debugger.analysis.caller_input import NAMESPACE, default_variables
from debugger.engine.state import RunState
from debugger.errors import StoreError
from debugger.protocol.json_codec import encode
from debugger.protocol.workflow import Workflow
from debugger.store import GlobalVariable, Store

_log = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
"""How long values are used without looking again, so that turns that follow each other pay no query each. A
change counts at once where `GlobalValues.renew` is called."""


@dataclass
class _Values:
    """The variables that one query returned."""

    variables: list[GlobalVariable] = field(default_factory=list)

    @cached_property
    def dynamic(self) -> Mapping[str, Any]:
        """Return the open variables by name, and together under one name."""
        shown = {variable.name: variable.value for variable in self.variables if not variable.is_secret}
        return {**shown, NAMESPACE: shown} if shown else {}

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        """Return the secret variables by name, decrypted on first use; values that are no texts are JSON.

        One that cannot be decrypted is left out and logged.
        """
        found = {}
        for variable in self.variables:
            if variable.is_secret:
                try:
                    value = variable.value
                    found[variable.name] = value if isinstance(value, str) else encode(value).decode()
                except StoreError as error:
                    _log.warning("runs go on without the global variable %r: %s", variable.name, error)
        return found


class GlobalValues:
    """Reads the global variables for runs; safe for any number of threads.

    The open ones are dynamic variables that a run begins with. The secret ones are none: they are filled into
    what is sent to the outside, and into nothing that anybody could read.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._values = _Values()
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def supply(self, state: RunState, workflow: Workflow) -> None:
        """Add the variables that are no secrets to a new run's dynamic ones; any other source wins.

        Raises:
            StoreError: They cannot be read.

        Source: ``platform.md#variable-precedence``.
        """
        if found := self.dynamic():
            own = {**default_variables(workflow), **state.dynamic_variables}
            state.dynamic_variables.update({name: value for name, value in found.items() if name not in own})

    def dynamic(self) -> Mapping[str, Any]:
        """Return the open variables by name, and all of them under ``global``.

        Raises:
            StoreError: They cannot be read.
        """
        return self._fresh().dynamic

    def secrets(self) -> Mapping[str, str]:
        """Return the secret variables by name.

        It is the same object until one of them changes.

        One that cannot be read with the key that is set is left out, and the log says so: runs that do not
        need it go on, and in others its placeholder has no value, which their events tell.

        Raises:
            StoreError: They cannot be read at all.
        """
        return self._fresh().secrets

    def renew(self) -> None:
        """Read the values again before the next use."""
        with self._lock:
            self._read_at = float("-inf")

    def _fresh(self) -> _Values:
        """Return the global variables, read from the store at most every ``FRESH_SECONDS``.

        It is the same object until a variable has changed.

        Raises:
            StoreError: They cannot be read.
        """
        if time.monotonic() - self._read_at <= FRESH_SECONDS:
            return self._values
        with self._lock:
            now = time.monotonic()
            if now - self._read_at > FRESH_SECONDS:  # no other thread was faster
                variables = self._store.globals.all()
                # Where nothing has changed, what was made of them, and decrypted, is still good.
                if variables != self._values.variables:
                    self._values = _Values(variables)
                self._read_at = now
            return self._values
