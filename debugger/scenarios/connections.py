"""Backends by the names of their connections."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Mapping
from pathlib import Path

from debugger.backends import open_embedded
from debugger.backends.base import Backend
from debugger.backends.base_url import check_base_url, host_of, is_unencrypted
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.errors import DebuggerError, NotFoundError, SettingsError
from debugger.exports.records import ExportedRun
from debugger.exports.sources import RunReader
from debugger.scenarios.preparation import EMBEDDED
from debugger.scenarios.recordings import RecordMode
from debugger.scenarios.results import ScenarioResult
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import (
    DEFAULT_CONNECTION,
    SECRETS_FILE,
    HostedSettings,
    Settings,
    read_connection,
)

HOSTED = "hosted"
"""The connection of the environment: ``INTERACTLY_BASE_URL``, ``INTERACTLY_API_KEY`` and the like."""


class Connections:
    """The embedded engine on the settings' store, and hosted connections.

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        """Open the embedded engine; backends of the hosted API are opened on demand."""
        self.embedded: EmbeddedBackend = open_embedded(settings)
        self.settings = settings
        self._hosted: dict[str, HostedBackend] = {}
        self._readers: dict[str, RunReader] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all backends."""
        for backend in self._hosted.values():
            backend.close()
        self.embedded.close()

    def backend(self, name: str) -> Backend:
        """Return the backend of a connection; that of a hosted one is opened once, and kept until `close`.

        Raises:
            NotFoundError: There is no such connection.
            SettingsError: It cannot be used.
        """
        if name == EMBEDDED:
            return self.embedded
        with self._lock:
            if name not in self._hosted:
                self._hosted[name] = HostedBackend(self.hosted_settings(name))
            return self._hosted[name]

    def hosted_settings(self, name: str) -> HostedSettings:
        """Return the settings of a hosted connection, whose key is never sent unencrypted.

        Raises:
            NotFoundError: There is no such connection.
            SettingsError: It cannot be used.
        """
        found = find_connection(name, self.settings)
        if is_unencrypted(check_base_url(found.base_url)):
            raise SettingsError(
                f"{host_of(found.base_url)} is another machine, and http:// is not encrypted: key and "
                "conversations can be read on the way. Nothing was sent.",
                advice="Use https://.",
            )
        return found

    def runner(self, record_mode: RecordMode = "none") -> ScenarioRunner:
        """Return a new runner, whose runs are stored where the engine's are.

        Args:
            record_mode: What of recorded answers is played and recorded.
        """
        store = self.embedded.store
        return ScenarioRunner(self.backend, self.settings, store=store, record_mode=record_mode)

    def read_run(self, result: ScenarioResult, run_id: str) -> ExportedRun | None:
        """Return the record of a run on the connection of a result's scenario.

        ``None`` where it cannot be read.
        """
        name = result.scenario.connection
        try:
            if name not in self._readers:
                own = "" if name == EMBEDDED else _own_name(name)
                self._readers[name] = RunReader(self.backend(name), self.embedded.store, own)
            return self._readers[name].run(run_id)
        except DebuggerError:
            return None


def find_connection(name: str, settings: Settings) -> HostedSettings:
    """Return the connection of the environment or secrets file by name.

    One of the secrets file goes before that of the environment. A file that is not there has none.

    Raises:
        NotFoundError: There is none of this name.
        SettingsError: It, or the file, cannot be used.
    """
    try:
        tables = tomllib.loads(Path(SECRETS_FILE).read_text(encoding="utf-8")).get("connections", {})
    except FileNotFoundError:
        tables = {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{SECRETS_FILE} cannot be read: {error}.", advice="Correct it.") from None
    own = _own_name(name)
    if isinstance(tables, Mapping) and own in tables:
        return read_connection(own, tables[own])
    if own == DEFAULT_CONNECTION:
        return settings.hosted
    raise NotFoundError(
        f"No connection has the name {name!r}.",
        advice=f"Use {EMBEDDED} or {HOSTED}, or define [connections.{name}] in {SECRETS_FILE}.",
    )


def _own_name(name: str) -> str:
    return DEFAULT_CONNECTION if name == HOSTED else name
