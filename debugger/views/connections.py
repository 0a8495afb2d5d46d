"""Connections to the hosted API: defined, entered, and in use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from debugger.backends.base_url import check_base_url, host_of, is_same_origin, is_unencrypted, origin_of
from debugger.backends.hosted import HostedBackend
from debugger.errors import DebuggerError, ForbiddenError, NotFoundError, SettingsError
from debugger.settings import (
    CUSTOM_CONNECTION,
    DEFAULT_CONNECTION,
    HostedSettings,
    read_connection,
    read_settings,
)
from debugger.store import Role
from debugger.views import state
from debugger.views.auth.login_method import secrets_section
from debugger.views.auth.owners import Owner, owner_token, owners
from debugger.views.auth.permissions import check_role, may

_NO_KEY = SecretStr("")


@dataclass
class HostedConnection:
    """The connection of a tab to the hosted API."""

    name: str = ""
    """The connection's name; empty until one is chosen or needed."""
    settings: HostedSettings = field(default_factory=HostedSettings)
    """The settings with which the backend was opened."""
    backend: HostedBackend | None = None


def owner() -> Owner:
    """Return the entries of this browser; without a cookie, this tab's."""
    token = owner_token()
    return owners.find(token) if token else state.record(Owner)


def named_connections() -> tuple[dict[str, HostedSettings], list[DebuggerError]]:
    """Return the defined connections, and the errors of others.

    A table of ``secrets.toml`` takes the place of the environment's connection if both have its name. Keys
    that the user has entered for them are filled in; their own keys are left out where the user may not run.
    """
    found, errors = _defined_connections()
    if not may(Role.RUN):
        found = {name: each.model_copy(update={"api_key": _NO_KEY}) for name, each in found.items()}
    own = owner()
    return {name: own.with_key(name, each) for name, each in found.items()}, errors


def _defined_connections() -> tuple[dict[str, HostedSettings], list[DebuggerError]]:
    """Return the connections of environment and secrets by name, and the errors of those that cannot be used.

    A table of the secrets replaces the environment's connection of the same name. Keys are those of the
    definitions. Nothing is raised for settings that cannot be read: their error is in the list.
    """
    found: dict[str, HostedSettings] = {}
    errors: list[DebuggerError] = []
    try:
        environment = read_settings().hosted
        if environment.base_url:
            found[DEFAULT_CONNECTION] = environment
    except SettingsError as error:
        errors.append(error)
    try:
        for name, table in _tables().items():
            try:
                found[name] = read_connection(name, table)
            except SettingsError as error:
                errors.append(error)
    except SettingsError as error:
        errors.append(error)
    return found, errors


def _tables() -> Mapping[str, object]:
    """Return the tables ``[connections.NAME]`` of the secrets.

    Raises:
        SettingsError: The file is not TOML, or ``connections`` is not a table in it.
    """
    tables = secrets_section("connections", "its connections are not here")
    if tables is None:
        return {}
    if not isinstance(tables, Mapping):
        raise SettingsError(
            "The key connections in secrets.toml is not a table.", advice="Use [connections.NAME]."
        )
    return tables


def connection(name: str) -> HostedSettings:
    """Return a connection with the keys that belong to it.

    Raises:
        ForbiddenError: It is the custom connection, which administrators enter.
        SettingsError: The custom connection was not entered, or another one is defined with an error.
        NotFoundError: No connection has this name.
    """
    if name == CUSTOM_CONNECTION:
        check_role(Role.ADMIN)
        custom = owner().custom
        if custom is None:
            raise SettingsError(
                "The hosted API needs a base URL, and none was entered in this browser.",
                advice="Enter it on the page Connection, with a key.",
            )
        return custom
    found, errors = named_connections()
    if name in found:
        return found[name]
    broken = next((error for error in errors if f"[connections.{name}]" in error.message), None)
    raise broken or NotFoundError(
        f"No connection has the name {name!r} here.",
        advice="Choose another one on the page Connection, or define it in secrets.toml.",
    )


def is_known(name: str) -> bool:
    """Return whether a connection of this name can be used in this browser.

    False also where its definition is broken, and of the custom connection for users who are no
    administrators.
    """
    try:
        connection(name)
    except DebuggerError:
        return False
    return True


def default_connection() -> str:
    """Return the connection that is used unless another is chosen.

    It is the one that was used last; else the environment's, if there is one; else the custom one.
    """
    found, _ = named_connections()
    last = owner().connection_name
    if last in found or (last == CUSTOM_CONNECTION and owner().custom is not None):
        return last
    return DEFAULT_CONNECTION if DEFAULT_CONNECTION in found else CUSTOM_CONNECTION


def connection_in_use() -> tuple[str, HostedSettings]:
    """Return name and settings of the tab's connection.

    Raises:
        DebuggerError: See `connection`.
    """
    hosted = state.record(HostedConnection)
    if hosted.backend is not None and hosted.name:
        return hosted.name, hosted.settings
    name = hosted.name or default_connection()
    return name, connection(name)


def connect_hosted(name: str, wanted: HostedSettings, consented: Collection[str] = ()) -> bool:
    """Use a connection; return whether the run on view can stay.

    It can where credentials alone have changed: then the backend stays the same, and runs go on with it.
    The origins of ``consented`` may be sent to without encryption, besides those of the owner.

    Raises:
        ForbiddenError: Its key is for users who may run, and the user has entered no other.
        SettingsError: The base URL is missing or would be used without encryption, or a value cannot be used.
    """
    if is_key_withheld(name) and not wanted.api_key.get_secret_value():
        raise ForbiddenError(
            f"The key of the connection {name} is for users with the role run.",
            advice="Enter a key of your own on the page Connection.",
        )
    check_encryption(wanted.base_url, consented)
    hosted = state.record(HostedConnection)
    before = hosted.backend
    credentials_and_label = {"api_key", "user_id", "environment", "colour"}
    used, new = (each.model_dump(exclude=credentials_and_label) for each in (hosted.settings, wanted))
    keeps = before is not None and hosted.name == name and used == new
    if before is not None and keeps:
        before.replace_credentials(wanted)
    else:
        hosted.backend = HostedBackend(wanted)
        if before is not None:
            owner().forget_sessions(hosted.name)
            before.close()
    hosted.name, hosted.settings = name, wanted
    owner().connection_name = name
    return keeps


def is_key_withheld(name: str) -> bool:
    """Return whether the user may not use the key that the connection is defined with.

    False for a user with the role run, and for a connection that is not defined or has no key.
    """
    if may(Role.RUN):
        return False
    defined = _defined_connections()[0].get(name)
    return defined is not None and bool(defined.api_key.get_secret_value())


def drop_withheld_key() -> None:
    """Close the backend whose key the user may no longer use, or has let another tab forget.

    The key is one of a definition without the role run, or a key that is neither defined nor entered. Also
    forgets the browser's sessions of the connection. Does nothing without a backend, a key, or a user with
    the role read.
    """
    hosted = state.record(HostedConnection)
    key = hosted.settings.api_key.get_secret_value()
    if hosted.backend is None or not key or not may(Role.READ):
        return
    own, is_custom = owner(), hosted.name == CUSTOM_CONNECTION
    is_entered = own.custom is not None if is_custom else hosted.name in own.keys
    is_defined = key in {each.api_key.get_secret_value() for each in _defined_connections()[0].values()}
    if (is_defined and not may(Role.RUN)) or not (is_defined or is_entered):
        own.forget_sessions(hosted.name)
        disconnect_hosted()


def disconnect_hosted() -> None:
    """Let go of the backend of the connection in use, if there is one.

    Name and settings of the connection are forgotten as well. The backend is closed unless `close_unused`
    keeps it.
    """
    hosted = state.record(HostedConnection)
    before, hosted.backend = hosted.backend, None
    hosted.name, hosted.settings = "", HostedSettings()
    close_unused(before)


def close_unused(backend: HostedBackend | None) -> None:
    """Close a backend, unless a turn on it has no outcome yet: its session can be gone back to."""
    is_needed = any(session.is_unsettled and session.backend is backend for _, session in owner().sessions)
    if backend is not None and not is_needed:
        backend.close()


def check_encryption(base_url: str, consented: Collection[str] = ()) -> None:
    """Refuse to send unencrypted to another machine without consent, stored or for these origins.

    Raises:
        SettingsError: There is none, or it is no base URL.
    """
    base = check_base_url(base_url)
    if is_unencrypted(base) and origin_of(base) not in {*owner().unencrypted_origins, *consented}:
        raise SettingsError(
            f"{host_of(base)} is another machine, and http:// is not encrypted: key and conversations "
            "can be read on the way. Nothing was sent.",
            advice='Use https://, or tick "Send without encryption" on the page Connection.',
        )


def with_key_of_environment(typed: HostedSettings) -> HostedSettings:
    """Fill in the environment's key where none was entered.

    It goes to its own origin only: a user who may enter a URL must not learn the key by it. The settings stay
    as they are with a key, for another origin, and for a user without the role run. Raises `SettingsError`
    where the environment's settings cannot be read.
    """
    environment = read_settings().hosted
    is_other = not is_same_origin(typed.base_url, environment.base_url)
    if typed.api_key.get_secret_value() or is_other or not may(Role.RUN):
        return typed
    return typed.model_copy(update={"api_key": environment.api_key})
