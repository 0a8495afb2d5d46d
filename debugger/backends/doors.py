"""The door to the outside that each turn of a run is given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from debugger.engine.outbound import Outbound, RecordedAnswer, Secrets
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
        environment: Holds the secrets; the process's own by default.
    """

    def __init__(self, settings: Settings, world: World, environment: Mapping[str, str] = os.environ) -> None:
        self._policies = Policies(
            talk=settings.outbound_talk,
            read=settings.outbound_read,
            write=settings.outbound_write,
            contact=settings.outbound_contact,
        )
        self._secrets = Secrets(
            {
                name.removeprefix(SECRET_PREFIX): value
                for name, value in environment.items()
                if name.startswith(SECRET_PREFIX)
            }
        )
        self._world = world

    def opener(self, answers: tuple[RecordedAnswer, ...]) -> Callable[[], Outbound]:
        """What makes the door of one turn.

        Args:
            answers: What is answered instead of calls that are simulated.
        """
        return lambda: Door(self._policies, answers=answers, secrets=self._secrets, now=self._world.now)
