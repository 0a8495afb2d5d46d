"""Drawings of a run that has just finished, when the next fragment is asked for.

The thread of a script passes what it draws to the event loop, and stops. A request for a fragment that the
loop takes up between the two makes Streamlit begin a new thread, and from then on ignore all that the former
one has passed: the page goes on showing what was before, while the server takes it for drawn.
"""

from __future__ import annotations

from collections import deque
from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

_LOOK_SECONDS = 0.002
"""A stopped thread ends in less."""

_request = AppSession.request_rerun
_waiting: WeakKeyDictionary[AppSession, deque[ClientState | None]] = WeakKeyDictionary()


def keep_finished_runs() -> None:
    """Let requests wait until all that a stopped thread has passed is on its way, in their order."""
    AppSession.request_rerun = _request_in_turn  # type: ignore[method-assign, assignment]


def _request_in_turn(session: AppSession, client_state: ClientState | None) -> None:
    """Pass a request for a script run on, or let it wait.

    It waits where others wait already, and where it is for a fragment while the script's thread ends.
    """
    waiting = _waiting.setdefault(session, deque())
    if waiting or (client_state is not None and client_state.fragment_id and _is_stopping(session)):
        waiting.append(client_state)
        if len(waiting) == 1:
            session._event_loop.call_later(_LOOK_SECONDS, _request_waiting, session)
    else:
        _request(session, client_state)


def _request_waiting(session: AppSession) -> None:
    """Pass the waiting requests on in their order; while the thread is ending, look again later."""
    waiting = _waiting[session]
    if _is_stopping(session):
        session._event_loop.call_later(_LOOK_SECONDS, _request_waiting, session)
        return
    while waiting:
        _request(session, waiting.popleft())


def _is_stopping(session: AppSession) -> bool:
    """Return whether the script's thread takes no request any more, and its last event is still to come."""
    runner = session._scriptrunner
    return runner is not None and runner._requests._state is ScriptRequestType.STOP
