"""The factory of the gateways through which turns call other systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from debugger.engine.environment import Environment
from debugger.engine.outbound import Gateway, Secrets
from debugger.engine.outbound.destinations import AllowedHost, read_allowed_hosts
from debugger.engine.outbound.gateway import HttpLimits, LiveGateway, Policies, Policy
from debugger.engine.outbound.known_secrets import KNOWN_SECRETS
from debugger.engine.outbound.secrets import HOSTS_SETTING
from debugger.errors import SettingsError
from debugger.settings import PREFIX, Settings, environment_variables

SECRET_PREFIX = f"{PREFIX}SECRET_"
"""What the names of the environment's variables begin with that hold secrets for calls."""


class GatewayFactory:
    """Makes gateways that follow the settings.

    Args:
        settings: The policy of each class of calls.
        world: Time.
        environment: Holds secrets; the process's own by default.
        secrets: Returns more secrets by name, called with every turn; those of the environment win.

    Raises:
        SettingsError: The environment lists something for a secret that is no host.
    """

    def __init__(
        self,
        settings: Settings,
        world: Environment,
        environment: Mapping[str, str] | None = None,
        *,
        secrets: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Read secrets and the hosts they may be sent to from the environment, and register the secrets.

        Raises SettingsError where a variable lists something that is no host.
        """
        self._policies = Policies(
            talk=settings.outbound_talk,
            read=settings.outbound_read,
            write=settings.outbound_write,
            contact=settings.outbound_contact,
        )
        environment = environment_variables() if environment is None else environment
        own = {
            name.removeprefix(SECRET_PREFIX): value
            for name, value in environment.items()
            if name.startswith(SECRET_PREFIX) and not name.startswith(HOSTS_SETTING)
        }
        hosts = {
            name.removeprefix(HOSTS_SETTING): _allowed_hosts(name, value)
            for name, value in environment.items()
            if name.startswith(HOSTS_SETTING)
        }
        KNOWN_SECRETS.add(own.values(), is_lasting=True)
        self._own = own
        self._stored = secrets
        self._hosts = hosts
        self._made: tuple[Mapping[str, str], Secrets] = ({}, Secrets(own, hosts))
        self._limits = HttpLimits(refuses_private=settings.outbound_private == "refuse")
        self._world = world

    def for_turn(self, *, is_read_only: bool = False) -> Callable[[], Gateway]:
        """Return a function that makes the gateway of one turn, with the secrets of the moment it is called.

        Args:
            is_read_only: Block writing and contacting calls, unless they are simulated.
        """
        policies = self._policies
        if is_read_only:
            policies = replace(policies, write=_closed(policies.write), contact=_closed(policies.contact))
        return lambda: LiveGateway(
            policies, secrets=self._secrets(), limits=self._limits, now=self._world.now
        )

    def secret_names(self) -> set[str]:
        """Return the names of all secrets."""
        return {*self._stored(), *self._own}

    def _secrets(self) -> Secrets:
        """Return the stored secrets and those of the environment, which win.

        It is the same object until the stored ones change; new ones are registered as known secrets.
        """
        current = self._stored()
        last, made = self._made
        if current is not last and current != last:
            KNOWN_SECRETS.add(current.values())
            made = Secrets({**current, **self._own}, self._hosts)
            self._made = (current, made)
        return made


def _allowed_hosts(name: str, text: str) -> Sequence[AllowedHost]:
    """Return the hosts that an environment variable lists.

    Raises:
        SettingsError: It is no list of hosts; the message names the variable and does not repeat its text.
    """
    try:
        return read_allowed_hosts(text)
    except ValueError:
        # The text is not repeated: it may be a secret whose name begins with HOSTS_.
        raise SettingsError(
            f"The environment variable {name} is not a list of hosts.",
            advice="Write host, host:port or *.domain, with commas between them; http:// before one that is "
            "called without TLS.",
        ) from None


def _closed(policy: Policy) -> Policy:
    return "blocked" if policy == "live" else policy
