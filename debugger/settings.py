"""What can be set from outside, read from the environment.

Every field is read from ``WORKFLOW_DEBUGGER_<NAME>``; what concerns the hosted API goes by the names that
its own clients use (``platform/wire.md`` 1.3).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from debugger.errors import SettingsError

OutboundPolicy = Literal["live", "simulated", "blocked"]
LabelColour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

PREFIX = "WORKFLOW_DEBUGGER_"
HOSTED_PREFIX = "INTERACTLY_"
DEFAULT_CONNECTION = "default"
"""The name of the connection that the environment defines."""
CUSTOM_CONNECTION = "custom"
"""The name of the connection that a user enters on the page; no other can have it."""
_PRODUCTION = frozenset({"production", "prod"})
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*]?")
_CONNECTION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


class HostedSettings(BaseModel):
    """A connection to the hosted API: its base URL, its credentials and how it is used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = ""
    """With its path prefix, as in ``https://api.example/workflows``."""
    api_key: SecretStr = SecretStr("")
    team_id: str = ""
    user_id: str = ""
    timeout: float = Field(default=120, gt=0)
    """Seconds until an answer must have come; a turn is answered when it is over, so this is generous."""
    connect_timeout: float = Field(default=5, gt=0)
    """Seconds until a connection must stand."""
    live_events: Literal["auto", "off"] = "auto"
    """Whether turns run over a WebSocket, where the API opens one, so that events come as they happen."""
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
        return self.environment.strip().lower() in _PRODUCTION

    @property
    def label_colour(self) -> LabelColour:
        """Return the label's colour, with the default filled in."""
        return self.colour or ("red" if self.is_production else "gray")


class Settings(BaseModel):
    """What can be set from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: str = ""
    """URL of the store, SQLite's or PostgreSQL's; empty means a SQLite file in the user's data folder."""
    encryption_key: SecretStr = SecretStr("")
    """What secret global variables are encrypted with in the store; without one, none can be kept."""
    keep_days: float | None = Field(default=None, ge=0)
    """Days that a run is kept after its last turn, like the next two whenever somebody prunes the store."""
    keep_runs: int | None = Field(default=None, ge=0)
    """How many runs are kept."""
    keep_bytes: int | None = Field(default=None, ge=0)
    """How many bytes workflows and runs may take in the store."""
    responder: Literal["scripted", "rules", "model"] = "scripted"
    """What answers for a model: the workflow's script where it has one, always the rules, or the models that
    the workflow names."""
    default_model: str = ""
    """The model for nodes that name none, as type, model and, where it has one, address:
    ``openai_llm gpt-5.4-mini``; empty means that there is none."""
    scripts: str = ""
    """Folder of scripts that answer for models; empty means ``scripts`` in the user's data folder."""
    inline_python: Literal["off", "sandboxed", "unsafe"] = "sandboxed"
    """The way in which Python code of a workflow runs; ``unsafe`` is without a sandbox."""
    tool_timeout: float = Field(default=30, gt=0, le=600)
    """Seconds a tool may take when it names no limit of its own (``platform/engine.md`` U-53)."""
    max_node_runs: int = Field(default=100, ge=1)
    """Node runs in one turn before the run is ended as ``aborted_looping_risk`` (U-26)."""
    start_events: bool = True
    """Whether a first turn begins with ``start_workflow`` and ``start_thread`` (U-45)."""
    dict_paths: Literal["resolve", "literal"] = "resolve"
    """Whether ``[[a.b]]`` reaches into an object that ``a`` holds (U-39)."""
    time_zone: str = "UTC"
    """The zone of ``{{now}}`` and its like (U-38)."""
    linger_after_reply: bool = False
    """Whether a node that waits and does not loop waits again after it has spoken (U-3)."""
    knowledge: str = ""
    """Folder of documents for knowledge-base tools; empty means ``knowledge`` in the user's data folder."""
    outbound_talk: OutboundPolicy = "live"
    """What happens to calls to a model: let out, answered here, or refused."""
    outbound_read: OutboundPolicy = "live"
    """What happens to calls that only read from a service."""
    outbound_write: OutboundPolicy = "blocked"
    """What happens to calls that change something at a service."""
    outbound_contact: OutboundPolicy = "blocked"
    """What happens to calls that reach a person."""
    outbound_private: Literal["allow", "refuse"] | None = None
    """Whether calls reach this machine and private networks; ``None`` allows it, unless other machines reach
    the server, for which see `beyond_loopback`."""
    rate_limit: int = Field(default=6000, ge=0)
    """Requests a minute that a server takes with one key; 0 for as many as come."""
    turn_lease: float = Field(default=30, gt=0)
    """Seconds after which a turn counts as interrupted whose process has not renewed its claim."""
    allowed_hosts: str = ""
    """Host names, with commas between them, by which the page is reached beside localhost."""
    roles: str = ""
    """Roles of users of an identity provider, as ``ada@example.com=admin, *@example.com=read``."""
    author: str = Field(default="me", min_length=1, max_length=80)
    """Who comments and rates, until a person gives another name."""
    hosted: HostedSettings = HostedSettings()

    @field_validator("allowed_hosts")
    @classmethod
    def _check_allowed_hosts(cls, value: str) -> str:
        for name in _parts(value):
            if not _HOST_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a host name without scheme, port and path")
        return value

    @property
    def allowed_host_names(self) -> frozenset[str]:
        """The names in `allowed_hosts`, as they are in a ``Host`` header."""
        return frozenset(
            f"[{name}]" if ":" in name and not name.startswith("[") else name
            for name in (part.lower().rstrip(".") for part in _parts(self.allowed_hosts))
        )

    @property
    def database_url(self) -> str:
        """The store's URL, with the default filled in."""
        return self.database or f"sqlite:///{default_database_path()}"

    def beyond_loopback(self) -> Settings:
        """Return the settings of a server that other machines reach: a workflow calls no private address."""
        return self.model_copy(update={"outbound_private": self.outbound_private or "refuse"})

    @property
    def scripts_folder(self) -> Path:
        """The folder of scripts, with the default filled in."""
        return Path(self.scripts) if self.scripts else default_database_path().parent / "scripts"

    @property
    def knowledge_folder(self) -> Path:
        """The folder of documents, with the default filled in."""
        return Path(self.knowledge) if self.knowledge else default_database_path().parent / "knowledge"


def default_database_path() -> Path:
    """The SQLite file that is used when no database is named."""
    return user_data_path("workflow-debugger", appauthor=False) / "workflow-debugger.sqlite3"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment.

    Args:
        environment: Names and values; the process's own by default.

    Raises:
        SettingsError: A value cannot be what its setting needs; the message names the variable.
    """
    own = {
        name: environment[PREFIX + name.upper()]
        for name in _own_names()
        if PREFIX + name.upper() in environment
    }
    hosted = {
        name: environment[HOSTED_PREFIX + name.upper()]
        for name in HostedSettings.model_fields
        if HOSTED_PREFIX + name.upper() in environment
    }
    try:
        return Settings.model_validate({**own, "hosted": hosted})
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"]]
        name = HOSTED_PREFIX + path[-1].upper() if path[0] == "hosted" else PREFIX + path[0].upper()
        raise SettingsError(
            f"The environment variable {name} has a value that cannot be used: {first['msg'].lower()}.",
            advice="Correct it or leave it out.",
        ) from error


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
            f"The key {key} of {place} cannot be used: {first['msg'].lower()}.", advice=advice
        ) from None
    if not connection.base_url.strip():
        raise SettingsError(f"{place} has no base_url.", advice="Add it, or remove the table.")
    return connection


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _own_names() -> list[str]:
    return [name for name in Settings.model_fields if name != "hosted"]
