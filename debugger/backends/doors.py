"""The door to the outside that each turn of a run is given."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Self

from debugger.engine.outbound import Outbound, RecordedAnswer, Secrets
from debugger.engine.outbound.base import Policy
from debugger.engine.outbound.door import Door, Policies
from debugger.engine.world import World
from debugger.settings import PREFIX, Settings

SECRET_PREFIX = f"{PREFIX}SECRET_"
"""What the names of the environment's variables begin with that hold secrets for calls."""


class Doors:
    """Makes doors that follow the settings.

    Args:
        settings: The policy of each class of calls.
        world: Time.
        environment: Holds secrets; the process's own by default.
        secrets: Gives more of them by name, asked with every turn; those of the environment win over them.
    """

    def __init__(
        self,
        settings: Settings,
        world: World,
        environment: Mapping[str, str] = os.environ,
        *,
        secrets: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._policies = Policies(
            talk=settings.outbound_talk,
            read=settings.outbound_read,
            write=settings.outbound_write,
            contact=settings.outbound_contact,
        )
        own = {
            name.removeprefix(SECRET_PREFIX): value
            for name, value in environment.items()
            if name.startswith(SECRET_PREFIX)
        }
        self._vault = _Vault(own, secrets)
        self._world = world

    def closed(self) -> Self:
        """Doors like these that let nothing out which writes or which reaches a person.

        What is simulated still is: it goes nowhere.
        """
        found = copy.copy(self)
        found._policies = replace(
            self._policies, write=_closed(self._policies.write), contact=_closed(self._policies.contact)
        )
        return found

    def opener(self, answers: tuple[RecordedAnswer, ...]) -> Callable[[], Outbound]:
        """What makes the door of one turn.

        Args:
            answers: What is answered instead of calls that are simulated.
        """
        return lambda: Door(
            self._policies, answers=answers, secrets=self._vault.secrets(), now=self._world.now
        )


class _Vault:
    """The secrets of the environment and those that come from elsewhere; doors that are alike share one."""

    def __init__(self, own: Mapping[str, str], give: Callable[[], Mapping[str, str]]) -> None:
        self._own = own
        self._give = give
        self._made: tuple[Mapping[str, str], Secrets] = ({}, Secrets(own))

    def secrets(self) -> Secrets:
        """The secrets of this moment; made anew only when others are given."""
        given = self._give()
        last, made = self._made
        if given is not last and given != last:
            made = Secrets({**given, **self._own})
            self._made = (given, made)
        return made


def _closed(policy: Policy) -> Policy:
    return "blocked" if policy == "live" else policy
