"""The page on which backend and connection are chosen and tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import streamlit as st
from pydantic import SecretStr, ValidationError

from debugger.analysis.outbound_policies import HOSTED_NOTICE, model_source_label
from debugger.backends.base import Backend
from debugger.backends.base_url import check_base_url, host_of, is_same_origin, is_unencrypted, origin_of
from debugger.backends.hosted.connection_test import check_connection
from debugger.engine.tools.sandbox import python_status
from debugger.errors import DebuggerError, SettingsError
from debugger.protocol.base import first_problem
from debugger.protocol.workflow import WorkflowSummary
from debugger.settings import CUSTOM_CONNECTION, HostedSettings, Settings, read_settings
from debugger.store import Role
from debugger.views import actions, navigation, state
from debugger.views.address_bar import DebugBar
from debugger.views.audit import audit
from debugger.views.auth.owners import BoundKey, Owner
from debugger.views.auth.permissions import check_role, may
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend
from debugger.views.components.error_box import show_error, show_failures
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Column, Columns, rows_list, table
from debugger.views.connections import (
    HostedConnection,
    connect_hosted,
    connection,
    default_connection,
    disconnect_hosted,
    is_key_withheld,
    named_connections,
    owner,
    with_key_of_environment,
)
from debugger.views.panels.audit_list import audit_list
from debugger.views.panels.python_consent import python_consents
from debugger.views.panels.side_effects import policy_table
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction
from debugger.views.times import shown_time, zone_name
from debugger.views.url_state import BACKEND_NAMES

_CHOICE_KEY = "backend"
_URL_KEY, _SECRET_KEY, _TEAM_KEY, _USER_KEY = "hosted_url", "hosted_key", "hosted_team", "hosted_user"
_ENVIRONMENT_KEY, _UNENCRYPTED_KEY = "hosted_environment", "hosted_unencrypted"
_OF_THE_ENVIRONMENT = {
    "timeout",
    "connect_timeout",
    "live_events",
    "reconciliation_timeout",
    "client_turn_ids",
}
"""What the form has no field for."""
_OUTCOMES = {
    "ok": ":green[:material/check_circle:]",
    "note": ":orange[:material/info:]",
    "failed": ":red[:material/error:]",
}
_MOST_ROWS, _MOST_IN_SIGHT = 200, 12


@dataclass
class _DrawnForm:
    """The form of a hosted connection that was drawn last."""

    connection: str = ""


def render() -> None:
    """Draw the page Connection, which follows and updates the address.

    It has the choice of the backend, what belongs to the current one, and the audit list.
    """
    navigation.follow_address()
    with st.container(key="connection", width=860):
        st.markdown("### Connection")
        st.caption("Where workflows are stored and runs are executed. Existing runs stay where they are.")
        _choice()
        if state.record(CurrentBackend).name == "embedded":
            _embedded()
        elif state.record(CurrentBackend).name == "hosted":
            _hosted()
        else:
            st.caption("A recording is one run from a file.")
            st.button("Open the page Runs", key="to_recordings", on_click=navigation.go_to, args=("runs",))
        audit_list()
    state.record(DebugBar).show(navigation.current_address())


def _choice() -> None:
    """Draw the choice of the backend, with the recording only where it is in use."""
    current = state.record(CurrentBackend)
    state.set_widget(_CHOICE_KEY, current.name)
    st.segmented_control(
        "Backend",
        [name for name in BACKEND_NAMES if name != "recording" or current.name == name],
        key=_CHOICE_KEY,
        format_func=BACKEND_NAMES.__getitem__,
        required=True,
        on_change=_chosen,
    )


def _chosen() -> None:
    actions.choose_backend(state.widget(_CHOICE_KEY))


def _embedded() -> None:
    """Draw facts, policies and consents of the embedded engine, and test it where the button was pressed.

    Of settings that cannot be read the error is drawn alone.
    """
    try:
        settings = read_settings()
    except DebuggerError as error:
        show_error(error)
        return
    with st.container(border=True):
        st.markdown("##### Embedded engine")
        st.caption("Runs workflows in this process. The table shows what happens to external calls.")
        with st.container(gap="xxsmall", key="connection_facts"):
            for name, value in _facts(settings):
                with st.container(horizontal=True, gap="small"):
                    st.caption(name, width=160)
                    st.text(value, width=640)  # a long one wraps here and not below its name
        policy_table(settings)
        pressed = st.button(
            "Test connection", key="test_embedded", icon=":material/network_check:", type="primary"
        )
    python_consents()
    show_failures(has_connection_link=False)
    if pressed and state.record(LastAction).error is None:
        _try()


def _facts(settings: Settings) -> list[tuple[str, str]]:
    """Return names and values of the settings to draw.

    Of the database it has neither user and password nor parameters.
    """
    return [
        # Without what may hold a password: what comes before the host, and the parameters.
        ("Database", settings.database_url.rpartition("@")[2].partition("?")[0]),
        ("Model calls answered by", model_source_label(settings)),
        ("Python in workflows", python_status(settings.inline_python).description.removesuffix(".")),
        ("Node runs per turn", f"at most {settings.max_node_runs}"),
        ("Time zone", f"{settings.time_zone} in workflows, {settings.shown_time_zone} on this page"),
    ]


def _hosted() -> None:
    """Draw the connections and the form of the one in use, and test it where the button was pressed.

    Errors of definitions are warnings. A user who is no administrator gets a sentence in place of the form of
    the custom connection; where the one in use cannot be had, the error is drawn. The box of the key is
    emptied for another connection than was drawn last.
    """
    found, errors = named_connections()
    name = state.record(HostedConnection).name or default_connection()
    if found or (name != CUSTOM_CONNECTION and may(Role.ADMIN)):  # of a link that names none of these
        _list(found, name)
    for error in errors:
        st.warning(plain(f"{error.message} {error.advice}"), icon=":material/warning:")
    if name == CUSTOM_CONNECTION and not may(Role.ADMIN):
        none = "No connection is defined here; an administrator of this page can define one."
        st.caption("Choose a connection above." if found else none)
        return
    try:
        current = None if name == CUSTOM_CONNECTION else connection(name)
    except DebuggerError as error:
        show_error(error, links=False)
        return
    drawn = state.record(_DrawnForm)
    if drawn.connection != name:
        drawn.connection = name
        state.set_widget(_SECRET_KEY, "")  # what was typed for another connection is never sent to this one
    with st.form("hosted", border=True):
        named_origin = _form(name, current)
        with st.container(horizontal=True, gap="small"):
            pressed = st.form_submit_button(
                "Test connection",
                key="test_hosted",
                icon=":material/network_check:",
                type="primary",
                on_click=_connect,
                args=(name, named_origin),
            )
            if name in owner().keys or (current is None and owner().custom is not None):
                st.form_submit_button(
                    "Forget",
                    key="forget_hosted",
                    icon=":material/delete:",
                    type="tertiary",
                    on_click=_forget,
                    args=(name,),
                    help="Remove from the server what was entered here, the key included",
                )
    show_failures(has_connection_link=False)
    if pressed and state.record(LastAction).error is None:
        _test()


def _list(found: dict[str, HostedSettings], in_use: str) -> None:
    """Draw a line with a button for each connection; for administrators with the custom one.

    The button of the one in use is disabled; of a connection whose key is withheld it asks for another key.
    """
    custom = owner().custom
    rows = {**found, CUSTOM_CONNECTION: custom or HostedSettings()} if may(Role.ADMIN) else found
    with st.container(border=True, gap="xsmall", key="connections"):
        st.markdown("##### Connections")
        for name, settings in rows.items():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{plain(name)}**", width="content")
                if settings.environment.strip():
                    st.badge(plain(settings.environment), color=settings.label_colour)
                needs_key = is_key_withheld(name) and not settings.api_key.get_secret_value()
                if needs_key:
                    st.caption("Its key is for users with the role run. Enter one of your own to use it.")
                else:
                    st.text(_shown_url(settings.base_url), width="stretch")
                st.button(
                    "Enter a key" if needs_key else "In use" if name == in_use else "Use",
                    key=f"use_connection_{name}",
                    icon=":material/check:" if name == in_use and not needs_key else None,
                    disabled=name == in_use,
                    on_click=actions.choose_backend,
                    args=("hosted", name),
                )


def _form(name: str, current: HostedSettings | None) -> str:
    """Draw the fields; return the origin that the box of the encryption names, empty without one.

    A defined connection has a field for the key alone; ``None`` is the custom one, with all fields.
    """
    if current is not None:
        st.markdown(f"##### Connection {plain(name)}")
        st.caption(HOSTED_NOTICE)
        st.text(" · ".join(_defined(current)))
        _key_field(current)
        return _encryption_box(current.base_url)
    known = owner().custom or HostedSettings()
    st.markdown("##### Hosted API")
    st.caption(HOSTED_NOTICE)
    st.text_input("Base URL", known.base_url, key=_URL_KEY, placeholder="https://api.example.com/workflows")
    _key_field(known)
    is_set = bool(known.team_id or known.user_id or known.environment)
    with st.expander("Team, user and environment", expanded=is_set, type="compact", key="hosted_more"):
        left, middle, right = st.columns(3)
        left.text_input("Team id", known.team_id, key=_TEAM_KEY)
        middle.text_input("User id", known.user_id, key=_USER_KEY)
        right.text_input(
            "Environment",
            known.environment,
            key=_ENVIRONMENT_KEY,
            max_chars=30,
            placeholder="such as staging",
            help="Shown at the top of each page. In production you are asked before the first turn is sent.",
        )
    return _encryption_box(_text(_URL_KEY) or known.base_url)


def _defined(current: HostedSettings) -> Iterator[str]:
    """Yield what is defined of a connection, in words and without its key."""
    yield _shown_url(current.base_url)
    if current.team_id:
        yield f"team {current.team_id}"
    if current.user_id:
        yield f"user {current.user_id}"
    if current.live_events == "off":
        yield "no sockets"
    if not current.client_turn_ids:
        yield "no client turn ids"


def _shown_url(base_url: str) -> str:
    """Return a base URL as it is shown, with words in place of a missing or unusable one."""
    if not base_url:
        return "another base URL, entered below for this browser alone"
    try:
        return check_base_url(base_url)
    except SettingsError:
        return "a base URL that cannot be used"  # it may hold a password


def _key_field(known: HostedSettings) -> None:
    """Draw the field of the key, which never has the stored key in it."""
    has_key = bool(known.api_key.get_secret_value())
    st.text_input(
        "API key",
        key=_SECRET_KEY,
        type="password",
        autocomplete="off",
        placeholder="A key is set; leave empty to keep it" if has_key else "Paste the key",
        help="Kept by the server for this browser alone until the browser is closed, for eight hours at most "
        "when it is idle. It is sent to this base URL's host only.",
    )


def _encryption_box(base_url: str) -> str:
    """Draw the box that allows to send unencrypted; return the origin that it names.

    Empty, and nothing drawn, where the URL cannot be used or needs no consent.
    """
    try:
        base = check_base_url(base_url)
    except SettingsError:
        return ""  # the button reports it
    if not is_unencrypted(base):
        return ""
    origin = origin_of(base)
    state.set_widget(_UNENCRYPTED_KEY, origin in owner().unencrypted_origins)
    st.checkbox(
        f"Send without encryption to {plain(host_of(base))}",
        key=_UNENCRYPTED_KEY,
        help="http:// is not encrypted: key and conversations can be read on the way.",
    )
    return origin


@actions.action()
def _connect(name: str, named_origin: str = "") -> None:
    """Use the connection with what was entered.

    The entered key or custom connection is held for the browser, the cached answers are cleared, and the
    audit list gets an entry. Where the backend is another one, no run stays on view. An error is in
    `LastAction`; a consent to send unencrypted is then not kept.
    """
    own, key = owner(), _text(_SECRET_KEY)
    if name == CUSTOM_CONNECTION:
        check_role(Role.ADMIN)
        wanted = with_key_of_environment(_typed(own.custom or HostedSettings()))
    else:
        wanted = connection(name)
        if key:
            wanted = wanted.model_copy(update={"api_key": SecretStr(key)})
    consented = _take_consent(own, wanted.base_url, named_origin)
    keeps_run = connect_hosted(name, wanted, consented)
    own.unencrypted_origins |= consented
    if name == CUSTOM_CONNECTION:
        own.custom = wanted
    elif key:
        own.keys[name] = BoundKey(wanted.base_url, wanted.api_key)
    state.set_widget(_SECRET_KEY, "")
    if not keeps_run:
        actions.show(None)
    state.record(BackendCache).clear()
    audit("change connection", name, host=host_of(wanted.base_url), has_new_key=bool(key))


@actions.action()
def _forget(name: str) -> None:
    """Forget what the browser has entered for a connection, and disconnect.

    Its sessions are forgotten, no run stays on view, the cached answers are cleared, and the audit list gets
    an entry. The connection stays chosen.
    """
    own = owner()
    own.keys.pop(name, None)
    if name == CUSTOM_CONNECTION:
        own.custom = None
        for key in (_URL_KEY, _TEAM_KEY, _USER_KEY, _ENVIRONMENT_KEY):
            state.set_widget(key, "")
    state.set_widget(_SECRET_KEY, "")
    own.forget_sessions(name)
    disconnect_hosted()
    audit("forget connection", name)
    state.record(HostedConnection).name = name
    actions.show(None)
    state.record(BackendCache).clear()


def _take_consent(own: Owner, base_url: str, named_origin: str) -> set[str]:
    """Return the origin of a URL where the box is ticked and has named it, else nothing.

    An earlier consent for an origin that is not returned is removed. Nothing for an unusable URL.
    """
    try:
        origin = origin_of(check_base_url(base_url))
    except SettingsError:
        return set()  # `connect_hosted` reports it
    if origin == named_origin and state.widget(_UNENCRYPTED_KEY):
        return {origin}
    own.unencrypted_origins.discard(origin)
    return set()


def _typed(before: HostedSettings) -> HostedSettings:
    """Return the settings of the form; an empty field of the key keeps the stored one for the same origin.

    Raises `SettingsError` where a value cannot be used, or the environment's settings cannot be read.
    """
    base_url, api_key = _text(_URL_KEY), _text(_SECRET_KEY)
    stored = before.api_key if is_same_origin(base_url, before.base_url) else SecretStr("")
    environment = read_settings().hosted
    try:
        return HostedSettings(
            base_url=base_url,
            api_key=SecretStr(api_key) if api_key else stored,
            team_id=_text(_TEAM_KEY),
            user_id=_text(_USER_KEY),
            environment=_text(_ENVIRONMENT_KEY),
            **environment.model_dump(include=_OF_THE_ENVIRONMENT),
        )
    except ValidationError as error:
        raise SettingsError(f"This cannot be used: {first_problem(error)}.") from error


def _text(key: str) -> str:
    written: str = state.widget(key) or ""
    return written.strip()


def _test() -> None:
    """Call the hosted API, and draw the result of each call, or the error.

    Where all have worked, what the backend cannot do is listed.
    """
    session = state.record(CurrentRun).session
    own_runs = [session.run_id] if session and session.run_id else []
    try:
        with st.spinner("Testing the connection …"):
            checks = check_connection(state.record(HostedConnection).settings, own_run_ids=own_runs)
    except DebuggerError as error:
        show_error(error, links=False)
        return
    failed = [check for check in checks if check.outcome == "failed"]
    if failed:
        st.error(plain(failed[0].sentence), icon=":material/error:")
    else:
        st.success(f"The connection works: {plain(checks[0].sentence)}", icon=":material/check_circle:")
    st.table(
        {
            "Call": [f"{_OUTCOMES[check.outcome]} {plain(check.call)}" for check in checks],
            "Path": [plain(check.path) for check in checks],
            "Status": [plain(check.status) or "–" for check in checks],
            "Time": [
                "–" if check.milliseconds is None else f"{check.milliseconds}\u00a0ms" for check in checks
            ],
            "Result": [plain(check.sentence) for check in checks],
        },
        border="horizontal",
        hide_index=True,
    )
    if not failed:
        _missing(current_backend())


def _try() -> None:
    """Ask the backend for its workflows, and draw their number and the first `_MOST_ROWS`, or the error.

    What the backend cannot do is listed below. Without workflows there is no table.
    """
    try:
        backend = current_backend()
        with st.spinner("Asking for the list of workflows …"):
            workflows = backend.workflows()
    except DebuggerError as error:
        show_error(error)
        return
    st.success(
        f"The connection works: {count(len(workflows), 'workflow')} found.", icon=":material/check_circle:"
    )
    if workflows:
        columns: Columns[WorkflowSummary] = [
            (Column("name", "Workflow", 200, grows=True), lambda row: row.label),
            (Column("active", "Active version", 110, "number"), lambda row: _version(row)),
            (
                Column("updated", "Changed", 160, help=f"In the time zone {zone_name()}"),
                lambda row: shown_time(row.updated_at),
            ),
            (Column("id", "Id", 200), lambda row: row.id),
        ]
        shown = table("Workflows that the backend has", workflows[:_MOST_ROWS], columns)
        rows_list("found_workflows", shown, most=_MOST_IN_SIGHT)
    _missing(backend)


def _version(workflow: WorkflowSummary) -> str:
    number = workflow.active_version_number
    return "" if number is None else f"v{number}"


def _missing(backend: Backend) -> None:
    for reason in backend.capabilities.missing.values():
        st.caption(f":material/info: {plain(reason)}")
