"""Settings of the product and connections to the hosted API.

A field of `Settings` is the variable ``WORKFLOW_DEBUGGER_<NAME>``, a field of `HostedSettings` the variable
``INTERACTLY_<NAME>``, as in the platform's own clients (``platform.md#environment``).
"""

from __future__ import annotations

import difflib
import logging
import os
import re
import tomllib
from collections import ChainMap
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from debugger.errors import SettingsError
from debugger.telemetry.logs import LogFormat, LogLevel

logger = logging.getLogger(__name__)

OutboundPolicy = Literal["live", "simulated", "blocked"]
LabelColour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

PREFIX = "WORKFLOW_DEBUGGER_"
HOSTED_PREFIX = "INTERACTLY_"
DEFAULT_CONNECTION = "default"
"""The name of the connection that the environment defines."""
CUSTOM_CONNECTION = "custom"
"""The name of the connection that a user enters on the page; no other can have it."""
DOTENV_FILE = ".env"
SECRETS_FILE = ".streamlit/secrets.toml"
_OTHER_NAMES = ("API_KEY", "SECRETS_FOLDER", "CUSTOM_LLM_API_KEY", "CUSTOM_LLM_BASE_URL", "STREAMLIT_PATCHES")
"""Variables with the prefix that other modules read."""
_REMOVED = {f"{PREFIX}RATE_LIMIT": "requests are not limited by rate any more; a reverse proxy can do that"}
_SAVE_AS_UTF_8 = "Save the file in UTF-8."
PRODUCTION = frozenset({"production", "prod"})
"""The names of production environments, in lower case."""
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*]?")
_PRICE = re.compile(
    r"(?P<model>[^\s=/]+)\s*=\s*(?P<input>\d+(\.\d+)?)\s*/\s*(?P<output>\d+(\.\d+)?)\s+(?P<currency>[A-Z]{3})"
)
_CONNECTION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


class ModelPrice(NamedTuple):
    """The price of models per million tokens."""

    pattern: str
    """The models' names, with ``*`` for any characters."""
    input: float
    output: float
    currency: str


class HostedSettings(BaseModel):
    """A connection to the hosted API: base URL, credentials and options."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = ""
    """With its path prefix, as in ``https://api.example/workflows``."""
    api_key: SecretStr = SecretStr("")
    team_id: str = ""
    user_id: str = ""
    timeout: float = Field(default=120, gt=0)
    """Seconds until an answer must arrive; a turn is answered when it has ended, so this is long."""
    connect_timeout: float = Field(default=5, gt=0)
    """Seconds until a connection must be open."""
    live_events: Literal["auto", "off"] = "auto"
    """``auto`` runs turns over a WebSocket where the API opens one, so that events arrive as they happen."""
    reconciliation_timeout: float = Field(default=30, gt=0)
    """Seconds in which the record of a run is read for a turn whose answer was lost."""
    client_turn_ids: bool = True
    """Send ``miscellaneous.client_turn_id`` with every turn, by which the turn is found in the record."""
    environment: str = Field(default="", max_length=30)
    """The label of the environment, as in ``staging``; "production" and "prod" ask before the first turn."""
    colour: LabelColour | None = None
    """The colour of the label; ``None`` for red in production and gray elsewhere."""

    @property
    def is_production(self) -> bool:
        """Return whether the label names the production environment."""
        return self.environment.strip().lower() in PRODUCTION

    @property
    def label_colour(self) -> LabelColour:
        """Return the label's colour, with the default filled in."""
        return self.colour or ("red" if self.is_production else "gray")


class Settings(BaseModel):
    """Settings of the product."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: str = ""
    """URL of the store, SQLite's or PostgreSQL's; empty means a SQLite file in the user's data folder."""
    encryption_key: SecretStr = SecretStr("")
    """Key that encrypts secret global variables in the store; without one, none can be stored."""
    keep_days: float | None = Field(default=None, ge=0)
    """Days that a run is stored after its last turn; like the next two applied when the store is pruned."""
    keep_runs: int | None = Field(default=None, ge=0)
    """Number of runs that are stored."""
    keep_bytes: int | None = Field(default=None, ge=0)
    """Bytes that workflows and runs may take in the store."""
    keep_deleted_days: float = Field(default=30, ge=0)
    """Days that a deleted run can be restored."""
    responder: Literal["scripted", "rules", "model"] = "scripted"
    """Source of a model's replies: the workflow's script if it has one, always the rules, or the models that
    the workflow names."""
    default_model: str = ""
    """The model for nodes that name none, as type, model and, where it has one, address:
    ``openai_llm gpt-5.4-mini``; empty means that there is none."""
    scripts: str = ""
    """Folder of scripts that answer for models; empty means ``scripts`` in the user's data folder."""
    scenarios: str = ""
    """Folder of scenario files of the page Suites; empty means ``scenarios`` in the user's data folder."""
    inline_python: Literal["off", "sandboxed", "unsafe"] = "sandboxed"
    """Mode of inline Python in workflows; ``unsafe`` is without a sandbox."""
    tool_timeout: float = Field(default=30, gt=0, le=600)
    """Seconds a tool may take when it names no limit of its own (U-53)."""
    max_node_runs: int = Field(default=100, ge=1)
    """Node runs in one turn before the run is ended as ``aborted_looping_risk`` (U-26)."""
    start_events: bool = True
    """First turns begin with ``start_workflow`` and ``start_thread`` (U-45)."""
    dict_paths: Literal["resolve", "literal"] = "resolve"
    """``resolve`` reads ``[[a.b]]`` in the object ``a``; ``literal`` reads a variable named so (U-39)."""
    time_zone: str = "UTC"
    """The zone of ``{{now}}`` and its like (U-38)."""
    display_time_zone: str = ""
    """The zone in which the page shows times; empty means ``time_zone``. Files have UTC."""
    socket_reruns_only: bool = False
    """The server re-runs only runs that the WebSocket has started, as the platform does."""
    linger_after_reply: bool = False
    """A waiting node that does not loop waits again after its reply (U-3)."""
    knowledge: str = ""
    """Folder of documents for knowledge-base tools; empty means ``knowledge`` in the user's data folder."""
    outbound_talk: OutboundPolicy = "live"
    """Policy for calls to a model: sent, answered by a stub, or refused."""
    outbound_read: OutboundPolicy = "live"
    """Policy for calls that only read from a service."""
    outbound_write: OutboundPolicy = "blocked"
    """Policy for calls that change something at a service."""
    outbound_contact: OutboundPolicy = "blocked"
    """Policy for calls that contact a person."""
    outbound_private: Literal["allow", "refuse"] | None = None
    """Calls to this machine and to private networks; ``None`` allows them, unless other machines reach the
    server (`beyond_loopback`)."""
    turn_lease: float = Field(default=30, gt=0)
    """Seconds after which a turn counts as interrupted whose process has not renewed its claim."""
    allowed_hosts: str = ""
    """Host names of the page beside localhost, separated by commas."""
    roles: str = ""
    """Roles of users of an identity provider, as ``ada@example.com=admin, *@example.com=read``."""
    prices: str = ""
    """Prices of models per million tokens, as ``gpt-5.4-mini*=0.25/2 USD, claude-*=3/15 USD``."""
    author: str = Field(default="me", min_length=1, max_length=80)
    """Author of comments and ratings, until the user enters another name."""
    log_level: LogLevel = "info"
    """Lowest level of lines in the log."""
    log_format: LogFormat = "text"
    """``json`` writes each line of the log as an object."""
    hosted: HostedSettings = HostedSettings()

    @field_validator("time_zone", "display_time_zone")
    @classmethod
    def _check_time_zone(cls, value: str, info: ValidationInfo) -> str:
        """Return the name of a time zone as it is; an empty display zone stands for the other one.

        Raises `ValueError` where it is no zone.
        """
        if value or info.field_name == "time_zone":
            try:
                ZoneInfo(value)
            except (KeyError, OSError, ValueError) as error:
                raise ValueError(f"{value!r} is not a time zone such as Europe/Berlin") from error
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _check_allowed_hosts(cls, value: str) -> str:
        for name in _parts(value):
            if not _HOST_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a host name without scheme, port and path")
        return value

    @field_validator("prices")
    @classmethod
    def _check_prices(cls, value: str) -> str:
        for entry in _parts(value):
            if not _PRICE.fullmatch(entry):
                raise ValueError(f"{entry!r} is not of the form gpt-5.4-mini*=0.25/2 USD")
        return value

    @property
    def model_prices(self) -> tuple[ModelPrice, ...]:
        """The prices in `prices`, in their order; parts that are no price are left out."""
        found = filter(None, map(_PRICE.fullmatch, _parts(self.prices)))
        return tuple(
            ModelPrice(each["model"], float(each["input"]), float(each["output"]), each["currency"])
            for each in found
        )

    @property
    def allowed_host_names(self) -> frozenset[str]:
        """The names in `allowed_hosts`, as they are in a ``Host`` header.

        They are in lower case and without a dot at the end; an IPv6 address is in brackets.
        """
        return frozenset(
            f"[{name}]" if ":" in name and not name.startswith("[") else name
            for name in (part.lower().rstrip(".") for part in _parts(self.allowed_hosts))
        )

    @property
    def shown_time_zone(self) -> str:
        """The zone in which the page shows times, with the default filled in."""
        return self.display_time_zone or self.time_zone

    @property
    def database_url(self) -> str:
        """The store's URL, with the default filled in."""
        return self.database or f"sqlite:///{default_database_path()}"

    def beyond_loopback(self) -> Settings:
        """Return the settings of a public server: workflows call no private address."""
        return self.model_copy(update={"outbound_private": self.outbound_private or "refuse"})

    @property
    def scripts_folder(self) -> Path:
        """The folder of scripts, with the default filled in."""
        return Path(self.scripts) if self.scripts else default_database_path().parent / "scripts"

    @property
    def scenarios_folder(self) -> Path:
        """The folder of scenario files, with the default filled in."""
        return Path(self.scenarios) if self.scenarios else default_database_path().parent / "scenarios"

    @property
    def knowledge_folder(self) -> Path:
        """The folder of documents, with the default filled in."""
        return Path(self.knowledge) if self.knowledge else default_database_path().parent / "knowledge"


class _Sources(BaseSettings):
    """The sources of settings, in the order in which they are read."""

    model_config = SettingsConfigDict(env_file=DOTENV_FILE)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of the settings, the first with a value wins.

        They are arguments, environment variables, ``.env``, the files of the secrets folder if there is one,
        and the table of ``secrets.toml``. Raises `SettingsError` where the table is none, and what reading
        TOML raises.
        """
        folder = Path(os.environ.get(f"{PREFIX}SECRETS_FOLDER", "/run/secrets"))
        files = [SecretsSettingsSource(settings_cls, secrets_dir=folder)] if folder.is_dir() else []
        table = str(cls.model_config["env_prefix"]).rstrip("_").lower()
        # With a table that the file lacks, the source of TOML files would raise a KeyError.
        tables = TomlConfigSettingsSource(settings_cls, toml_file=SECRETS_FILE).toml_data
        values = tables.get(table, {})
        if not isinstance(values, dict):
            raise SettingsError(f"{table} in {SECRETS_FILE} is not a table.", advice=f"Write [{table}].")
        toml = InitSettingsSource(settings_cls, values)
        return init_settings, env_settings, dotenv_settings, *files, toml


class _SettingsSources(_Sources, Settings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")


class _HostedSources(_Sources, HostedSettings):
    model_config = SettingsConfigDict(env_prefix=HOSTED_PREFIX, extra="ignore")


def default_database_path() -> Path:
    """Return the SQLite file that is used when no database is named."""
    return user_data_path("workflow-debugger", appauthor=False) / "workflow-debugger.sqlite3"


def read_settings() -> Settings:
    """Return the settings of this process.

    The first source that has a value wins: environment variables, ``.env``, files in the secrets folder
    (``/run/secrets``, or the one that ``WORKFLOW_DEBUGGER_SECRETS_FOLDER`` names) and the tables
    ``[workflow_debugger]`` and ``[interactly]`` of ``.streamlit/secrets.toml``. Files are read once.

    Raises:
        SettingsError: A value cannot be used, or a file cannot be read or is malformed. The message names the
            setting; it repeats no value but one of a time zone, a host name or a price.
    """
    variables = os.environ.items()
    own = (pair for pair in variables if pair[0].upper().startswith((PREFIX, HOSTED_PREFIX)))
    return _read_settings(tuple(sorted(own)))


@lru_cache(maxsize=8)
def _read_settings(_variables: tuple[tuple[str, str], ...]) -> Settings:
    """Read the settings from all sources; the result is cached for the given variables.

    Each variable that only looks like a setting is logged as a warning. Raises `SettingsError` where a value
    cannot be used, or a file cannot be read or is malformed; errors are not cached.
    """
    # Cached by the variables: reading the sources takes 5 ms, and the page asks about ten times per rerun.
    for message in unknown_settings(environment_variables()):
        logger.warning(message)
    try:
        hosted = _HostedSources()
        return _SettingsSources(hosted=HostedSettings(**hosted.model_dump()))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        path = [str(part) for part in first["loc"]]
        prefix = HOSTED_PREFIX if error.title == _HostedSources.__name__ else PREFIX
        raise SettingsError(
            f"The setting {prefix}{path[0].upper()} has a value that cannot be used: {_reason(first)}.",
            advice="Correct it or leave it out.",
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{SECRETS_FILE} is not valid TOML: {error}.", advice="Correct it.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{SECRETS_FILE} is not a text in UTF-8.", advice=_SAVE_AS_UTF_8) from None
    except OSError as error:
        raise _unreadable(SECRETS_FILE, error) from None
    except SourceError as error:  # it names the field and the kind of source, and no value
        raise SettingsError(
            f"The settings cannot be read: {error}.",
            advice="Check that its file may be read and is a text in UTF-8.",
        ) from None


def environment_variables() -> Mapping[str, str]:
    """Return the variables of the process and of ``.env``; those of the process win.

    Values of secret variables and keys of models are read from here: they are not in `Settings`.

    Raises:
        SettingsError: ``.env`` cannot be read, or is not a text in UTF-8.
    """
    try:
        defined = {name: value for name, value in dotenv_values(DOTENV_FILE).items() if value is not None}
    except UnicodeDecodeError:
        raise SettingsError(f"{DOTENV_FILE} is not a text in UTF-8.", advice=_SAVE_AS_UTF_8) from None
    except OSError as error:
        raise _unreadable(DOTENV_FILE, error) from None
    return ChainMap(dict(os.environ), defined)


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """Return a message for each variable that only looks like a setting, in the order of their names.

    That is one that was removed, and an unknown one with the prefix, except those of secrets. Empty without
    any.
    """
    own = (name.upper() for name in Settings.model_fields if name != "hosted")
    known = {f"{PREFIX}{name}" for name in (*own, *_OTHER_NAMES)}
    messages = []
    for name in sorted(environment):
        if name in _REMOVED:
            messages.append(f"{name} is ignored: {_REMOVED[name]}.")
            continue
        if not name.startswith(PREFIX) or name in known or name.startswith(f"{PREFIX}SECRET_"):
            continue
        nearest = difflib.get_close_matches(name, known, n=1)
        advice = f" Did you mean {nearest[0]}?" if nearest else ""
        messages.append(f"{name} is not a setting and is ignored.{advice}")
    return messages


def read_connection(name: str, table: object) -> HostedSettings:
    """Return the connection that a table ``[connections.NAME]`` defines.

    Args:
        name: The table's name.
        table: Its keys and values; the keys are the fields of `HostedSettings`.

    Raises:
        SettingsError: The name or a value cannot be used; the message repeats no value.
    """
    place = f"[connections.{name}]"
    if not _CONNECTION_NAME.fullmatch(name) or name == CUSTOM_CONNECTION:
        raise SettingsError(
            f"A connection cannot have the name {name!r} (in {place}).",
            advice="Use up to 40 letters, digits, dots, hyphens and underscores, and not the name "
            f"{CUSTOM_CONNECTION!r}.",
        )
    if not isinstance(table, Mapping):
        raise SettingsError(f"{place} is not a table.", advice="Give it a base_url.")
    try:
        connection = HostedSettings.model_validate(dict(table))
    except ValidationError as error:
        # Not "from error": it repeats the values, and one of them may be a key.
        first = error.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(HostedSettings.model_fields)
        advice = f"The keys are: {known}." if first["type"] == "extra_forbidden" else "Correct it."
        raise SettingsError(
            f"The key {key} of {place} cannot be used: {_reason(first)}.", advice=advice
        ) from None
    if not connection.base_url.strip():
        raise SettingsError(f"{place} has no base_url.", advice="Add it, or remove the table.")
    return connection


def _unreadable(file: str, error: OSError) -> SettingsError:
    return SettingsError(
        f"{file} cannot be read: {error.strerror}.",
        advice="Give yourself the right to read it, or remove it.",
    )


def _reason(error: Mapping[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]}"


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
