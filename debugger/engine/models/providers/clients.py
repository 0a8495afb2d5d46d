"""Clients of the providers for each model configuration (11.2)."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib import import_module

import httpx2
from pydantic_ai.models import Model

from debugger.engine.models.providers import keys as names
from debugger.engine.models.providers.configs import ModelConfig, request_seconds
from debugger.engine.models.providers.keys import Keys
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.outbound.transport import CheckedTransport, checked_client
from debugger.errors import RunError, extra_advice

_OPENAI_SITE = "https://api.openai.com/"
_OPENAI_URL = f"{_OPENAI_SITE}v1"
_AZURE_VERSION = "2024-10-21"
_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_NO_KEY = "no-key"
"""Sent where a server needs no key; the client wants one all the same."""


@asynccontextmanager
async def open_client(
    config: ModelConfig, keys: Keys, seconds: float, limits: HttpLimits
) -> AsyncIterator[Model]:
    """Open the client of a model, and close it afterwards.

    Args:
        config: The model.
        keys: Where its key comes from.
        seconds: The longest time that one of its requests may take.
        limits: How far its requests may go.

    Raises:
        RunError: There is no key or no endpoint for it, or its provider's package is not installed.
    """
    key = config.response_unwrap_key
    url = config.base_url or config.endpoint
    is_own = url is None or url.startswith(_OPENAI_SITE) or keys.trusts(url)
    async with checked_client(
        CheckedTransport(limits, _tls(config.verify_ssl)),
        seconds,
        hooks={
            "request": [] if is_own else [_drop_environment_headers],
            "response": [unwrap_hook(key)] if key else [],
        },
    ) as http:
        try:
            model = _MAKERS[config.type](config, keys, http)
        except ImportError as error:
            raise RunError(
                f"The provider {config.provider!r} needs a package that is not installed.",
                advice=extra_advice("llm,bedrock" if config.type == "bedrock_llm" else "llm"),
            ) from error
        yield model


def import_packages(config: ModelConfig) -> None:
    """Import the packages that a model's client needs, which takes seconds the first time."""
    for name in _PACKAGES.get(config.type, _OPENAI_PACKAGES):
        with suppress(ImportError):  # reported where its client is opened
            import_module(name)


@cache
def _tls(verify: bool) -> ssl.SSLContext:
    return httpx2.create_ssl_context(verify=verify)


def _openai(config: ModelConfig, keys: Keys, http: httpx2.AsyncClient) -> Model:
    """Return a client of OpenAI, or of the server that the configuration, else the environment, names.

    Raises RunError where the configuration names no server and there is no key.
    """
    url = config.base_url or keys.find("OPENAI_BASE_URL") or _OPENAI_URL
    key = keys.for_url(url, names.OPENAI, ("api.openai.com",), "OPENAI_BASE_URL")
    if not config.base_url:
        key = _required(config, key, names.OPENAI)
    return _openai_like(config, url, key, http)


def _custom(config: ModelConfig, keys: Keys, http: httpx2.AsyncClient) -> Model:
    return _openai_like(config, str(config.base_url), keys.custom(str(config.base_url)), http)


def _openai_like(config: ModelConfig, url: str, key: str | None, http: httpx2.AsyncClient) -> Model:
    """Return a client of a server that speaks OpenAI's protocol; the URL's query goes with each request.

    It uses the Responses API where the configuration says so, else lenient chat completions. The HTTP
    client's parameters are changed.
    """
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    from debugger.engine.models.providers.lenient_chat import LenientChatModel

    # The package would put its paths behind the query.
    address, _, query = url.partition("?")
    http.params = httpx2.QueryParams(query)
    provider = OpenAIProvider(base_url=address, api_key=key or _NO_KEY, http_client=http)
    if config.use_responses_api:
        return OpenAIResponsesModel(config.model_name, provider=provider)
    return LenientChatModel(config.model_name, provider=provider)


def _azure(config: ModelConfig, keys: Keys, http: httpx2.AsyncClient) -> Model:
    """Return a client of Azure; endpoint and version come from the configuration, else the environment.

    Raises:
        RunError: There is no endpoint or no key.
    """
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.azure import AzureProvider

    endpoint = config.endpoint or keys.find("AZURE_OPENAI_ENDPOINT")
    if not endpoint:
        raise RunError(
            f"The language model {config.target!r} has no endpoint.",
            advice="Set its 'endpoint', or AZURE_OPENAI_ENDPOINT in the environment.",
        )
    found = keys.for_url(endpoint, names.AZURE, _AZURE_HOSTS, "AZURE_OPENAI_ENDPOINT")
    key = _required(config, found, names.AZURE)
    version = config.api_version or keys.find("OPENAI_API_VERSION") or _AZURE_VERSION
    provider = AzureProvider(azure_endpoint=endpoint, api_version=version, api_key=key, http_client=http)
    return OpenAIChatModel(config.model_name, provider=provider)


def _google(config: ModelConfig, keys: Keys, http: httpx2.AsyncClient) -> Model:
    """Return a client of Google, with a base URL of the environment if there is one.

    Raises:
        RunError: There is no key.
    """
    key = _required(config, keys.find(*names.GOOGLE), names.GOOGLE[0])
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    url = keys.find("GOOGLE_GEMINI_BASE_URL")
    return GoogleModel(
        config.model_name, provider=GoogleProvider(api_key=key, base_url=url, http_client=http)
    )


def _anthropic(config: ModelConfig, keys: Keys, http: httpx2.AsyncClient) -> Model:
    """Return a client of Anthropic, with a base URL of the environment if there is one.

    Raises:
        RunError: There is no key.
    """
    key = _required(config, keys.find(names.ANTHROPIC), names.ANTHROPIC)
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    url = keys.find("ANTHROPIC_BASE_URL")
    return AnthropicModel(
        config.model_name, provider=AnthropicProvider(api_key=key, base_url=url, http_client=http)
    )


def _bedrock(config: ModelConfig, keys: Keys, http: httpx2.AsyncClient) -> Model:
    """Return a client of Bedrock with a token, else a key pair, else the machine's own role.

    Keys come from the environment alone; the client's own retries are switched off.
    """
    from pydantic_ai.models.bedrock import BedrockConverseModel
    from pydantic_ai.providers.bedrock import BedrockProvider

    region = config.region or keys.find("AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1"
    url = keys.find("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")
    token = keys.find(names.AWS_TOKEN)
    seconds = request_seconds(config)
    if token is not None:
        provider = BedrockProvider(api_key=token, region_name=region, base_url=url, aws_read_timeout=seconds)
    else:
        provider = BedrockProvider(
            aws_access_key_id=keys.find("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=keys.find("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=keys.find("AWS_SESSION_TOKEN"),
            region_name=region,
            base_url=url,
            aws_read_timeout=seconds,
        )
    # Retries are counted here, not by the client underneath.
    events, service = provider.client.meta.events, "bedrock-runtime"
    events.unregister(f"needs-retry.{service}", unique_id=f"retry-config-{service}")
    return BedrockConverseModel(config.model_name, provider=provider)


def _required(config: ModelConfig, key: str | None, name: str) -> str:
    """Return a key that was found.

    Raises:
        RunError: It is ``None``; the advice says which variable to set.
    """
    if key is not None:
        return key
    raise RunError(
        f"There is no key for the language model {config.target!r}.",
        advice=f"Set {name} in the environment; a key in the workflow is not used.",
    )


_MAKERS: dict[str, Callable[[ModelConfig, Keys, httpx2.AsyncClient], Model]] = {
    "openai_llm": _openai,
    "azure_openai_llm": _azure,
    "google_llm": _google,
    "anthropic_llm": _anthropic,
    "bedrock_llm": _bedrock,
    "custom_llm": _custom,
}


_RUN = "debugger.engine.models.providers.run"
_OPENAI_MODEL = (
    "pydantic_ai.models.openai",
    "openai.resources.chat.chat",
    "openai.resources.chat.completions.completions",
    "openai.resources.responses.responses",
)
_OPENAI_PACKAGES = (
    _RUN,
    *_OPENAI_MODEL,
    "pydantic_ai.providers.openai",
    "debugger.engine.models.providers.lenient_chat",
)
_PACKAGES = {
    "azure_openai_llm": (_RUN, *_OPENAI_MODEL, "pydantic_ai.providers.azure"),
    "google_llm": (
        _RUN,
        "pydantic_ai.models.google",
        "pydantic_ai.providers.google",
        "google.auth.aio.credentials",
    ),
    "anthropic_llm": (_RUN, "pydantic_ai.models.anthropic", "pydantic_ai.providers.anthropic"),
    "bedrock_llm": (_RUN, "pydantic_ai.models.bedrock", "pydantic_ai.providers.bedrock"),
}
"""Modules that making and using a client imports, by the model's type."""


async def _drop_environment_headers(request: httpx2.Request) -> None:
    """Drop OpenAI's headers of the environment from a request: a workflow named the server.

    A header with another value than the environment's stays.
    """
    pairs = [line.partition(":")[::2] for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")]
    pairs += [("OpenAI-Organization", os.environ.get("OPENAI_ORG_ID", ""))]
    pairs += [("OpenAI-Project", os.environ.get("OPENAI_PROJECT_ID", ""))]
    for name, value in pairs:
        if value and request.headers.get(name.strip()) == value.strip():
            del request.headers[name.strip()]


Hook = Callable[[httpx2.Response], Awaitable[None]]


def unwrap_hook(key: str) -> Hook:
    """Return a hook that replaces a response's JSON body by its value under a key.

    A body that is no JSON object with it stays as it is (``response_unwrap_key``, 11.2).
    """

    async def unwrap(response: httpx2.Response) -> None:
        """Read the body, close the stream, and put the unwrapped body in its place."""
        assert isinstance(response.stream, httpx2.AsyncByteStream), "the client is asynchronous"
        body = b"".join([chunk async for chunk in response.stream])
        await response.stream.aclose()
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if isinstance(found, dict) and key in found:
            body = json.dumps(found[key]).encode()
        response.stream = httpx2.ByteStream(body)

    return unwrap
