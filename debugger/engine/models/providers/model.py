"""The model that asks a provider."""

from __future__ import annotations

from importlib.util import find_spec

from debugger.engine.environment import Environment
from debugger.engine.models.base import Model, Prompt, RemoteModel, Reply
from debugger.engine.models.invoke import MAX_ANSWER_SECONDS
from debugger.engine.models.providers.configs import ModelConfig, group_of
from debugger.engine.models.providers.keys import Keys
from debugger.engine.outbound.gateway import HttpLimits
from debugger.errors import RunError, extra_advice
from debugger.protocol.base import JsonObject

MAX_ANSWER_BYTES = 8_000_000
"""The answers of models are far smaller, and a larger one would fill the memory."""
_NEEDED = ("httpx2", "openai", "pydantic_ai")


class ProviderModel(RemoteModel):
    """Asks the models that a workflow names (``platform.md#models``).

    Args:
        fallback: Answers where models are simulated.
        keys: The keys of the providers; those of the process's environment by default.
        default_llm: The configuration of the model for nodes that name none (U-58).
        environment: Sleeps between two attempts.
        refuses_private: Refuse models at private addresses, except those that the environment names.
    """

    def __init__(
        self,
        fallback: Model,
        *,
        keys: Keys | None = None,
        default_llm: JsonObject | None = None,
        environment: Environment | None = None,
        refuses_private: bool = False,
    ) -> None:
        """Keep fallback, keys and default model; nothing is imported or sent yet."""
        self.fallback = fallback
        self._keys = keys or Keys()
        self._default_llm = default_llm
        self._environment = environment or Environment()
        self._refuses_private = refuses_private

    def remote(self, prompt: Prompt) -> str:
        """Return the models' names for the user.

        Raises:
            RunError: The prompt names none, or its configuration cannot be read.
        """
        return group_of(prompt.llm, self._default_llm).target

    def prepare(self, prompt: Prompt) -> None:
        """Import the client and the packages of the models' providers, which takes seconds the first time.

        Where the client is not installed, nothing is done. Raises RunError where no model is named.
        """
        if all(find_spec(name) for name in _NEEDED):
            from debugger.engine.models.providers.clients import import_packages

            for member in group_of(prompt.llm, self._default_llm).members:
                import_packages(member)

    def reply(self, prompt: Prompt) -> Reply:
        """Answer one prompt by the models of its configuration, else of the default one.

        The packages that they need are imported.

        Raises:
            ModelError: There is no answer; the text says why, without secrets.
            RunError: A model, a key or a package is missing.
        """
        group = group_of(prompt.llm, self._default_llm)
        if any(find_spec(name) is None for name in _NEEDED):
            raise RunError(
                "Language models cannot be called: the client for them is not installed.",
                advice=f"{extra_advice('llm')} Or set another responder.",
            )
        self.prepare(prompt)
        # Imported here: an app without models starts without the client, and sooner.
        from debugger.engine.models.providers.run import reply_of

        seconds = prompt.seconds or MAX_ANSWER_SECONDS
        return reply_of(group, prompt, self._keys, self._environment, seconds, self._limits)

    def _limits(self, config: ModelConfig) -> HttpLimits:
        url = config.base_url or config.endpoint
        own_url = (self._default_llm or {}).get("base_url")
        is_own = url is None or url == own_url or self._keys.trusts(url)
        return HttpLimits(answer_bytes=MAX_ANSWER_BYTES, refuses_private=self._refuses_private and not is_own)
