"""The entries that the page adds to the audit list."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from debugger.errors import DebuggerError
from debugger.session.session import DebugSession
from debugger.views import backends, state
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection

_log = logging.getLogger(__name__)


def audit(action: str, target: str, user: User | None = None, **details: Any) -> None:
    """Add what the user has just done to the audit list.

    Without a login there is one user, who would be named in each entry: then nothing is added, which also
    saves a transaction per turn. What was done stays done where the store cannot take the entry.

    Args:
        action: A verb and a noun, such as ``send turn``.
        target: The id or name of what it was done to.
        user: The user, where no session runs that has one, as in a download.
        details: Values without secrets and without texts of a conversation.
    """
    user = user or permissions.current_user()
    if user.is_local:
        return
    try:
        backends.embedded_backend().store.audit.append(
            user.name, str(user.role or ""), action, target, details
        )
    except DebuggerError as error:
        _log.warning("No entry in the audit list for %s of %s by %s: %s", action, target, user.name, error)


def audited_file(
    render: Callable[[], bytes], target: str, action: str = "export run", **details: Any
) -> Callable[[], bytes]:
    """Return a renderer that also records the export.

    A file is fetched outside of a session, so the user is looked up now.
    """
    user = permissions.current_user()

    def rendered() -> bytes:
        content = render()
        audit(action, target, user, **details)
        return content

    return rendered


def audit_run(action: str, session: DebugSession, **details: Any) -> None:
    """Record an action on a run.

    A run has no id before its first turn.
    """
    current, hosted = state.record(CurrentBackend), state.record(HostedConnection)
    where: dict[str, Any] = {"workflow_id": session.workflow_id, "backend": current.name}
    if hosted.name and current.name == "hosted":
        where["connection"] = hosted.name
    audit(action, session.started_run_id or "", **where, **details)
