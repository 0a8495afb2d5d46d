"""Every command of the page as a button of its own, beside the page: the script of a real Streamlit.

A client presses them by their keys, as a forged browser would. The text ``outcome`` says what came of it.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import streamlit as st

import debugger.views
from debugger.errors import ForbiddenError
from debugger.protocol.notes import Target
from debugger.protocol.workflow import Workflow
from debugger.views import shell, state
from debugger.views.auth.permissions import needed_role
from debugger.views.panels.runs.scope import RunsState
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction
from tests.support.factories import document, say

NO_COMMANDS = {"debugger.views.app", "debugger.views.pages.script"}
"""Modules that draw a page when they are imported."""
NO_ROLE = "none"


@cache
def commands() -> dict[str, Callable[..., Any]]:
    """Return the callbacks that need a role, and those that any user may call, by module and name."""
    found = {}
    for module in pkgutil.walk_packages(debugger.views.__path__, "debugger.views."):
        if not module.name.startswith(tuple(NO_COMMANDS)):
            for name, each in vars(import_module(module.name)).items():
                if inspect.isfunction(each) and each.__module__ == module.name and _is_command(each):
                    found[f"{module.name.removeprefix('debugger.views.')}:{name}"] = each
    return found


def _is_command(each: Callable[..., Any]) -> bool:
    return needed_role(each) is not None or "_recorded.<locals>.done" in _wrappers(each)


def _wrappers(each: Any) -> list[str]:
    found = []
    while each is not None:
        found.append(each.__code__.co_qualname)
        each = getattr(each, "__wrapped__", None)
    return found


def _arguments(name: str, do: Callable[..., Any], run_id: str) -> dict[str, Any]:
    session = state.record(CurrentRun).session
    values = {
        **{"session": session, "old": session, "run_id": run_id, "run_ids": [run_id]},
        **{"run_a": run_id, "run_b": run_id, "turn_number": 1, "up_to": 1, "target": Target(), "edits": []},
        **{"text": "Planted", "message": "Planted", "name": "planted", "key": "planted", "starred": True},
        **{"value": "pass", "document": document(say("planted")), "agreed": [], "names": []},
        "workflow_id": session.workflow_id if session is not None else "",
        "workflow": Workflow.from_wire(document(say("planted"))),
        "scope": "ticked",
    } | {"actions:send_command": {"name": "stop"}, "actions:choose_backend": {"name": "embedded"}}.get(
        name, {}
    )
    own = {
        parameter.name: values.get(parameter.name)
        for parameter in inspect.signature(do).parameters.values()
        if parameter.default is parameter.empty
    }
    if "_with_session.<locals>.done" in _wrappers(do):
        own.pop(next(iter(own)))
    return own


def _press(name: str, run_id: str) -> None:
    do, last = commands()[name], state.record(LastAction)
    last.error = None
    state.replace_record(RunsState(ticked=[run_id]))
    try:
        do(**_arguments(name, do, run_id))
        found = last.error
    except Exception as error:
        found = error
    kind = "done" if found is None else "refused" if isinstance(found, ForbiddenError) else "failed"
    st.session_state["outcome"] = f"{name}|{kind}|{found!r}"


def draw() -> None:
    """Draw the page once, then the buttons alone."""
    if "outcome" not in st.session_state:
        shell.run()
        st.session_state["outcome"] = "||"
    run_id = st.session_state.setdefault("run_on_view", st.query_params.get("run", ""))
    for name, do in commands().items():
        role = needed_role(do) or NO_ROLE
        st.button(f"{name}|{role}", key=f"press {name}", on_click=_press, args=(name, run_id))
    st.text(f"outcome|{st.session_state['outcome']}")


draw()
