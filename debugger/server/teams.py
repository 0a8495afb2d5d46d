"""The teams that a server works for: what belongs to each of them while it runs."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import cast

from starlette.types import Scope

from debugger.backends import open_embedded
from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import UnsupportedError
from debugger.server.access import Caller
from debugger.server.admission import Admission
from debugger.server.live.server import LiveServer
from debugger.server.metrics import Metrics
from debugger.settings import Settings
from debugger.store import url_of_team

_PLACE = "debugger.team"


class Team:
    """What belongs to one team. Two of them share nothing but the counters of the server.

    Args:
        backend: Runs the team's workflows.
        metrics: Where the turns of all teams are counted, and what is refused on their sockets.
    """

    def __init__(self, backend: Backend, metrics: Metrics) -> None:
        self.backend = backend
        self.metrics = metrics
        self.admission = Admission()
        self.live = LiveServer(backend, self.admission, metrics)


class Teams:
    """The teams, each opened when somebody of it first asks.

    Args:
        main: The backend of those who are in no team; closing it stays with the caller.
        metrics: Where their turns are counted.
    """

    def __init__(self, main: Backend, metrics: Metrics) -> None:
        self._metrics = metrics
        self._main = Team(main, metrics)
        self._opened: dict[str, Team] = {}
        self._opening = threading.Lock()

    async def welcome(self, scope: Scope, caller: Caller) -> None:
        """Write on a request the team whose data it is about.

        Raises:
            StoreError: The team's store cannot be opened.
        """
        name = caller.team
        team = self._main if name is None else self._opened.get(name)
        scope[_PLACE] = team or await asyncio.to_thread(self.open, cast(str, name))

    def open(self, name: str) -> Team:
        """A team by its name.

        Raises:
            StoreError: Its store cannot be opened.
            UnsupportedError: There can be no teams: the main backend keeps its runs elsewhere.
        """
        with self._opening:
            if name not in self._opened:
                self._opened[name] = Team(self._backend_of(name), self._metrics)
            return self._opened[name]

    def close(self) -> None:
        """Close the stores of the teams that were opened."""
        with self._opening:
            for team in self._opened.values():
                cast(EmbeddedBackend, team.backend).close()
            self._opened.clear()

    def _backend_of(self, name: str) -> EmbeddedBackend:
        main = self._main.backend
        if not isinstance(main, EmbeddedBackend):
            raise UnsupportedError(
                "Only a server on the embedded engine has teams: it keeps the runs itself."
            )
        # The secrets of the environment are those of the main store's team; others keep secret variables.
        return open_embedded(settings_of_team(main.settings, name), environment={})


def settings_of_team(settings: Settings, name: str) -> Settings:
    """The settings for a team: a store, and folders of documents and scripts, beside the main ones."""
    return settings.model_copy(
        update={
            "database": url_of_team(settings.database_url, name),
            "scripts": str(_beside(settings.scripts_folder, name)),
            "knowledge": str(_beside(settings.knowledge_folder, name)),
        }
    )


def _beside(folder: Path, name: str) -> Path:
    # Not within it: documents are looked for in the folders of a folder, too.
    return folder.with_name(f"{folder.name}.team-{name}")


def team_of(scope: Scope) -> Team:
    """The team that a request is about."""
    return cast(Team, scope[_PLACE])
