"""The audit list: who has done what, for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from debugger.errors import DebuggerError
from debugger.store import Role
from debugger.store.audit import AuditEntry
from debugger.views import backends
from debugger.views.auth import permissions
from debugger.views.auth.permissions import may
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count
from debugger.views.components.rows import Column, Columns, rows_list, table

_ALL = ""
_MAX_ROWS, _MOST_IN_SIGHT = 200, 12


def audit_list() -> None:
    """Draw the audit list with its filters for administrators; nothing for others.

    Without a login it is drawn only where the list has entries. A store that cannot be read is shown as an
    error.
    """
    if not may(Role.ADMIN):
        return
    try:
        log = backends.embedded_backend().store.audit
        persons, actions = log.filters()
    except DebuggerError as error:
        show_error(error)
        return
    if not persons and permissions.current_user().is_local:
        return
    with st.container(border=True, key="audit"):
        st.markdown("##### Audit list")
        try:
            if not persons:
                st.caption(
                    "What signed-in users and callers with a key send, change or export is listed here."
                )
                return
            person, action = _filters(persons, actions)
            entries = log.newest(_MAX_ROWS, person=person, action=action)
        except DebuggerError as error:
            show_error(error)
            return
        st.caption(f"{count(len(entries), 'action')}, the newest first; at most {_MAX_ROWS} are shown.")
        columns: Columns[AuditEntry] = [
            (Column("time", "Time (UTC)", 140), lambda entry: _time(entry.at)),
            (Column("person", "User", 110, grows=True), lambda entry: entry.person),
            (Column("role", "Role", 70), lambda entry: entry.role),
            (Column("action", "Action", 130), lambda entry: entry.action),
            (Column("target", "Target", 110, grows=True), lambda entry: entry.target),
            (Column("details", "Details", 130, grows=True), lambda entry: _words(entry.details)),
        ]
        shown = table("Audit list: time, user, role, action, target and details", entries, columns)
        rows_list("audit_entries", shown, most=_MOST_IN_SIGHT)


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _words(details: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in details.items())


def _filters(persons: list[str], actions: list[str]) -> tuple[str, str]:
    """Draw the boxes that filter by user and by action; return both choices, each empty for all.

    They are held in the session keys `audit_person` and `audit_action`.
    """
    left, right = st.columns(2)
    person = left.selectbox(
        "User", [_ALL, *persons], key="audit_person", format_func=lambda name: name or "All users"
    )
    action = right.selectbox(
        "Action", [_ALL, *actions], key="audit_action", format_func=lambda name: name or "All actions"
    )
    return person, action
