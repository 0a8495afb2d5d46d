"""Choice of what answers for models and of the policies of calls, for one tab."""

from __future__ import annotations

from typing import Any

import streamlit as st

from debugger.analysis.outbound_policies import policy_rows
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import ConflictError, ForbiddenError
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.store import Role
from debugger.views import actions, backends, state
from debugger.views.actions import command
from debugger.views.auth.permissions import explain_denial, may, requires
from debugger.views.backends import EngineChoices
from debugger.views.run_state import CurrentRun

_RESPONDERS = {
    "scripted": "The workflow's script, else rules",
    "rules": "Rules",
    "model": "The models that the workflow names",
}
_POLICIES = {"live": "Live: made for real", "simulated": "Simulated: answered here", "blocked": "Blocked"}


def engine_choices(session: DebugSession) -> None:
    """Draw the choices; nothing for a backend that is not the embedded engine."""
    if not isinstance(session.backend, EmbeddedBackend):
        return
    own, current = backends.embedded_backend().settings, session.backend.settings
    with st.expander("Models and calls", icon=":material/tune:", type="compact", key="engine_choices"):
        st.caption(
            "For this tab, from the next turn on, until the page is reloaded; then the settings apply again."
        )
        _choice("Answers for models", "responder", current, _RESPONDERS)
        for row in policy_rows(current):
            name = f"outbound_{row.call_class}"
            allowed = {each: words for each, words in _POLICIES.items() if is_allowed(own, name, each)}
            _choice(f"{row.call_class.capitalize()}: {row.what}", name, current, allowed)


def is_allowed(own: Settings, name: str, value: str) -> bool:
    """Return whether the user may choose a value.

    Calls that the settings do not make for real are made so for an administrator only.

    Args:
        own: The settings of the process.
        name: The setting.
        value: The value that is wanted.
    """
    return value != "live" or getattr(own, name) == "live" or may(Role.ADMIN)


def _choice(label: str, name: str, current: Settings, options: dict[str, str]) -> None:
    value = getattr(current, name)
    key = f"choice_{name}"
    state.set_widget(key, value)
    st.selectbox(
        label,
        list(dict.fromkeys([*options, value])),
        key=key,
        format_func=lambda each: options.get(each, str(each)),
        disabled=bool(explain_denial(choose)),
        help=explain_denial(choose) or None,
        on_change=choose,
        args=(name, key),
    )


@command
@requires(Role.RUN)
def choose(name: str, key: str) -> None:
    """Apply a choice to the run on view and to what this tab opens next."""
    session, value = state.record(CurrentRun).session, state.widget(key)
    own: Any = backends.embedded_backend().settings
    if name not in {"responder", *(f"outbound_{row.call_class}" for row in policy_rows(own))}:
        return
    if not is_allowed(own, name, value):
        raise ForbiddenError(
            "Calls that the settings do not make for real need the role admin.",
            advice="Choose another policy.",
        )
    if session is not None and (session.busy or session.stop_point is not None):
        raise ConflictError(
            "The turn is still running, so its models and calls cannot change.",
            advice="Wait until it has ended, or stop it.",
        )
    choices = state.record(EngineChoices).values
    choices.pop(name, None)
    if value != getattr(own, name):
        choices[name] = value
    if session is None:
        return
    if session.run_id is not None:
        actions.open_run(session.run_id)
    else:
        actions.open_workflow(session.workflow_id, session.version_number)
