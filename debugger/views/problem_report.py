"""Problem report of the page: failure, run on view, and log of the tab."""

from __future__ import annotations

import logging
import time
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import streamlit as st

from debugger.backends.base_url import host_of
from debugger.errors import DebuggerError, SettingsError, UnexpectedError
from debugger.exports.problem_report import Failure, ReportMasker, exception_places, problem_report
from debugger.session.session import DebugSession
from debugger.settings import Settings, read_settings
from debugger.views import state
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection, owner
from debugger.views.drafts import Drafts
from debugger.views.run_state import CurrentRun, RunInputs
from debugger.views.run_view import run_history, run_view
from debugger.views.state import LastAction

MAX_LOG_LINES = 200
"""Log entries of a tab that are held."""
REPORT_FILE = "problem-report.txt"

_log = logging.getLogger(__name__)


@dataclass
class TabLog:
    """Log lines of one browser tab and of the threads that it has started."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_LOG_LINES))


_current: ContextVar[TabLog | None] = ContextVar("tab_log", default=None)
"""That of the running thread. A line without one is of no tab, or of an unknown one, and is not held."""


class _TabHandler(logging.Handler):
    """Appends a record to the log of the tab whose thread writes it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record to the log of the current thread's tab; without one it is left out.

        The text of a library's record is left out. Of an exception the places are added. An error that occurs
        here goes to `handleError`.
        """
        held = _current.get()
        if held is None:
            return
        try:
            at = time.strftime("%H:%M:%S", time.gmtime(record.created))
            is_own = record.name.startswith("debugger")
            text = record.getMessage() if is_own else "(text of a library, left out)"
            lines = [f"{at} {record.levelname} {record.name}: {text}"]
            if record.exc_info and record.exc_info[1] is not None:
                lines += exception_places(record.exc_info[1])
            held.lines.append("\n".join(lines))
        except Exception:
            self.handleError(record)


def follow_log() -> None:
    """Collect the log lines of this thread and its threads for the tab."""
    _install()
    _current.set(state.record(TabLog))


@cache
def _install() -> None:
    # Before the handler: where there is any, Python writes no warning to the standard error by itself.
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().addHandler(_TabHandler())


def log_unexpected_error(what: str, error: Exception) -> UnexpectedError:
    """Log an unexpected exception, and return an error to be shown for it.

    Args:
        what: What has failed, as the beginning of a sentence.
        error: The exception.
    """
    _log.error("%s failed unexpectedly", what, exc_info=error)
    found = UnexpectedError(
        f"{what} failed unexpectedly ({type(error).__name__}).",
        advice="Reload the page. If it fails again, send the problem report to the maintainers of this app.",
    )
    found.__cause__ = error
    return found


def page_report(error: DebuggerError) -> str:
    """Return the report on an error that is drawn in this tab.

    Where it cannot be made, the failure is logged, and the text is one line with its type.
    """
    try:
        return _report(error)
    except Exception as failed:  # an error box that fails shows nothing at all
        _log.exception("a problem report failed")
        return f"The report cannot be made ({type(failed).__name__}).\n"


def _report(error: DebuggerError) -> str:
    """Return the report on an error, with the keys and the contents of the run on view masked.

    Without readable settings it has the defaults. Whatever reading the run raises is raised.
    """
    try:
        settings = read_settings()
    except SettingsError:
        settings = Settings()
    session = state.record(CurrentRun).session
    last = state.record(LastAction)
    action = "draw the page"
    if error is last.error:
        action = last.action
    elif session is not None and error is session.error:
        action = "execute a turn"
    connection = state.record(HostedConnection).settings
    own = owner()
    keys = [connection.api_key, *(bound.key for bound in own.keys.values())]
    keys += [own.custom.api_key] if own.custom else []
    masker = ReportMasker(
        settings,
        [key.get_secret_value() for key in keys],
        _private_values(session),
        _workflow_names(session),
    )
    facts: dict[str, object] = {"Backend": state.record(CurrentBackend).name}
    if connection.base_url:
        facts["Host of the hosted API"] = host_of(connection.base_url)
    if session is not None:
        facts |= {
            "Workflow id": session.workflow_id,
            "Version": session.version_number,
            "Run id": session.run_id or "none yet",
            "Turn": session.turns[-1].number if session.turns else "none yet",
            "Status": session.status,
        }
    facts["Browser"] = st.context.headers.get("User-Agent") or "unknown"
    log = list(state.record(TabLog).lines)
    return problem_report(Failure(action, error), settings, masker, facts=facts, log=log)


def _private_values(session: DebugSession | None) -> list[Any]:
    """Return what a report masks: drafts, run inputs, and of a session its messages and latest variables."""
    inputs = state.record(RunInputs)
    values: list[Any] = [*state.record(Drafts).texts.values(), inputs.next.value]
    values += [model.value for model in inputs.start.values()]
    if session is not None:
        view = run_view(session)
        values += [session.unsent_message, *(each.text for each in view.messages if each.message)]
        now = run_history(view).moments.at(None)
        values += [now.dynamic, *now.runtime.values(), now.workflow, now.seeds]
    return values


def _workflow_names(session: DebugSession | None) -> set[str]:
    """Return ids and labels of nodes, ids of edges and shown names; empty without a session."""
    if session is None:
        return set()
    view = run_view(session)
    nodes = {name for node in view.graph.nodes.values() for name in (node.logical_id, node.label)}
    return nodes | {edge.logical_id for edge in view.graph.edges.values()} | set(view.names.values())
