"""API keys of the providers, from the environment and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from debugger.engine.outbound import Secrets
from debugger.engine.outbound.known_secrets import KNOWN_SECRETS
from debugger.settings import environment_variables

OPENAI = "OPENAI_API_KEY"
AZURE = "AZURE_OPENAI_API_KEY"
GOOGLE = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
ANTHROPIC = "ANTHROPIC_API_KEY"
AWS_TOKEN = "AWS_BEARER_TOKEN_BEDROCK"
CUSTOM = "WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY"
CUSTOM_URL = "WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL"
"""Where the custom key may be sent; nowhere while this is not set."""

_TRUSTED_URLS = (
    CUSTOM_URL,
    "OPENAI_BASE_URL",
    "AZURE_OPENAI_ENDPOINT",
    "GOOGLE_GEMINI_BASE_URL",
    "ANTHROPIC_BASE_URL",
)
_SECRET = (OPENAI, AZURE, *GOOGLE, ANTHROPIC, AWS_TOKEN, CUSTOM)
_AWS_SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SHORTEST = 6
"""A shorter value is no key, and masking it would garble texts."""


class Keys:
    """The available keys.

    A key goes only where it belongs: a workflow from elsewhere could name a server of its own.

    Args:
        environment: Names and values; the process's own by default.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment_variables() if environment is None else environment
        names = (*_SECRET, *_AWS_SECRET)
        KNOWN_SECRETS.add((self._environment.get(name, "") for name in names), is_lasting=True)

    def __repr__(self) -> str:
        return "Keys()"

    def find(self, *names: str) -> str | None:
        """Return the value of the first name that has one, or ``None``."""
        return next((value for name in names if (value := self._environment.get(name))), None)

    def for_url(self, base_url: str, own: str, hosts: tuple[str, ...], own_url: str) -> str | None:
        """Return the key for an address that a workflow names.

        Args:
            base_url: The address.
            own: The name of the provider's key.
            hosts: The provider's own host names; those that begin with a dot are endings.
            own_url: The name of the variable that holds a trusted address besides.

        Returns:
            The provider's key for the provider's own address, else the custom key; ``None`` without one.
        """
        host = urlsplit(base_url).hostname or ""
        secure = urlsplit(base_url).scheme == "https"
        if secure and any(host == name or (name[0] == "." and host.endswith(name)) for name in hosts):
            return self.find(own)
        if _is_below(base_url, self.find(own_url)):
            return self.find(own)
        return self.custom(base_url)

    def custom(self, base_url: str) -> str | None:
        """Return the key for a server that no provider owns."""
        return self.find(CUSTOM) if _is_below(base_url, self.find(CUSTOM_URL)) else None

    def trusts(self, url: str) -> bool:
        """Return whether the environment, and no workflow, names an address."""
        return any(_is_below(url, self._environment.get(name)) for name in _TRUSTED_URLS)

    def mask(self, text: str) -> str:
        """Return a text with each key masked, in every notation."""
        found = {name: self._environment.get(name, "") for name in (*_SECRET, *_AWS_SECRET)}
        return Secrets({name: key for name, key in found.items() if len(key) >= _SHORTEST}).mask(text)


def _is_below(url: str, trusted: str | None) -> bool:
    if not trusted:
        return False
    wanted, found = urlsplit(trusted), urlsplit(url)
    return (found.scheme, found.netloc) == (wanted.scheme, wanted.netloc)
