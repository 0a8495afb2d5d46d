"""The page on which the backend is chosen and tried."""

from __future__ import annotations

import streamlit as st
from pydantic import SecretStr, ValidationError

from debugger.analysis.policies import HOSTED, responder_words
from debugger.backends.base import Backend
from debugger.errors import DebuggerError, SettingsError
from debugger.protocol.base import first_problem
from debugger.settings import HostedSettings, Settings, read_settings
from debugger.views import commands, state
from debugger.views.backends import connect_hosted, current_backend, with_key_of_environment
from debugger.views.parts.faults import show_error
from debugger.views.parts.plain import count, plain
from debugger.views.parts.policies import policy_table
from debugger.views.state import BackendName

NAMES: dict[BackendName, str] = {
    "embedded": "Embedded engine",
    "hosted": "Hosted API",
    "recording": "Recording",
}
_CHOICE_KEY = "backend"
_URL_KEY, _SECRET_KEY, _TEAM_KEY, _USER_KEY = "hosted_url", "hosted_key", "hosted_team", "hosted_user"
_MOST_ROWS = 200


def render() -> None:
    """Draw the page."""
    with st.container(key="connection", width=860):
        st.markdown("### Connection")
        st.caption("Where workflows are kept and runs are made. Runs stay where they are when you change it.")
        _choice()
        if state.page().backend_name == "embedded":
            _embedded()
        elif state.page().backend_name == "hosted":
            _hosted()
        else:
            st.caption("A recording is one run out of a file, which the page Runs opens.")


def _choice() -> None:
    page = state.page()
    state.set_widget(_CHOICE_KEY, page.backend_name)
    st.segmented_control(
        "Backend",
        [name for name in NAMES if name != "recording" or page.backend_name == name],
        key=_CHOICE_KEY,
        format_func=NAMES.__getitem__,
        required=True,
        on_change=_chosen,
    )


def _chosen() -> None:
    commands.choose_backend(state.widget(_CHOICE_KEY))


def _embedded() -> None:
    try:
        settings = read_settings()
    except DebuggerError as error:
        show_error(error)
        return
    with st.container(border=True):
        st.markdown("##### Embedded engine")
        st.caption("Runs workflows in this process. Which calls leave it is told below.")
        for name, value in _facts(settings):
            with st.container(horizontal=True, gap="small"):
                st.caption(name, width=160)
                st.text(value)
        policy_table(settings)
        pressed = st.button(
            "Test connection", key="test_embedded", icon=":material/network_check:", type="primary"
        )
    if pressed:
        _try()


def _facts(settings: Settings) -> list[tuple[str, str]]:
    return [
        (
            "Database",
            settings.database_url.rpartition("@")[2],
        ),  # without what may stand before it: a password
        ("Answers for models", responder_words(settings)),
        (
            "Python in workflows",
            "may run, isolated" if settings.inline_python == "isolated" else "does not run",
        ),
        ("Node runs per turn", f"at most {settings.max_node_runs}"),
        ("Time zone", settings.time_zone),
    ]


def _hosted() -> None:
    page = state.page()
    try:
        ours = read_settings().hosted
    except DebuggerError as error:
        show_error(error)
        return
    known = page.hosted_settings if page.hosted_settings.base_url else ours
    with st.form("hosted", border=True):
        st.markdown("##### Hosted API")
        st.caption(HOSTED)
        st.text_input(
            "Base URL", known.base_url, key=_URL_KEY, placeholder="https://api.example.com/workflows"
        )
        st.text_input(
            "API key",
            key=_SECRET_KEY,
            type="password",
            autocomplete="off",
            placeholder=_key_hint(known),
            help="Kept in this tab alone, and gone when it is closed",
        )
        left, right = st.columns(2)
        left.text_input("Team id", known.team_id, key=_TEAM_KEY)
        right.text_input("User id", known.user_id, key=_USER_KEY)
        pressed = st.form_submit_button(
            "Test connection",
            key="test_hosted",
            icon=":material/network_check:",
            type="primary",
            on_click=_connect,
        )
    if page.error is not None:
        show_error(page.error)
    elif pressed:
        _try()


def _key_hint(known: HostedSettings) -> str:
    return "A key is set; leave empty to keep it" if known.api_key.get_secret_value() else "Paste the key"


@commands.command
def _connect() -> None:
    """Work with what the form says; the key's field is emptied, so that it is not sent to the page again."""
    page = state.page()
    connect_hosted(with_key_of_environment(_typed(page.hosted_settings)))
    state.set_widget(_SECRET_KEY, "")
    commands.show(None)
    page.answers.clear()


def _typed(before: HostedSettings) -> HostedSettings:
    """What the form says. An empty key means the one before, if the address is still the same."""
    base_url, api_key = _text(_URL_KEY), _text(_SECRET_KEY)
    same_place = base_url.rstrip("/") == before.base_url.rstrip("/")
    kept = before.api_key if same_place else SecretStr("")
    ours = read_settings().hosted
    try:
        return HostedSettings(
            base_url=base_url,
            api_key=SecretStr(api_key) if api_key else kept,
            team_id=_text(_TEAM_KEY),
            user_id=_text(_USER_KEY),
            timeout=ours.timeout,
            connect_timeout=ours.connect_timeout,
            live_events=ours.live_events,
        )
    except ValidationError as error:
        raise SettingsError(f"This cannot be used: {first_problem(error)}.") from error


def _text(key: str) -> str:
    written: str = state.widget(key) or ""
    return written.strip()


def _try() -> None:
    """Ask for the list of workflows, and say what came."""
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
        rows = workflows[:_MOST_ROWS]
        st.dataframe(
            {
                "name": [row.label for row in rows],
                "active": [row.active_version_number for row in rows],
                "updated": [row.updated_at or "" for row in rows],
                "id": [row.id for row in rows],
            },
            key="found_workflows",
            hide_index=True,
            column_config={
                "name": st.column_config.TextColumn("Workflow", width="large"),
                "active": st.column_config.NumberColumn("Active version", width="small"),
                "updated": st.column_config.TextColumn("Changed"),
                "id": st.column_config.TextColumn("Id"),
            },
            alt="Workflows that the backend has",
        )
    _missing(backend)


def _missing(backend: Backend) -> None:
    for reason in backend.capabilities.missing.values():
        st.caption(f":material/info: {plain(reason)}")
