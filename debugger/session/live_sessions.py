"""The sessions of this process in which something is under way, so that a reload finds them again."""

from __future__ import annotations

import secrets
import threading

from debugger.session.session import DebugSession


class LiveSessions:
    """Sessions by tokens that nobody can guess: whoever has the link of a session shares it, nobody else.

    A session is kept while a turn of it is under way or stands still; all else can be read from the record.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, DebugSession] = {}
        self._lock = threading.Lock()

    def token_of(self, session: DebugSession) -> str:
        """The token of a session in which something is under way; empty of one that is at rest."""
        with self._lock:
            self._sessions = {token: kept for token, kept in self._sessions.items() if kept.is_executing}
            if not session.is_executing:
                return ""
            known = next((token for token, kept in self._sessions.items() if kept is session), None)
            if known is None:
                known = secrets.token_urlsafe(16)
                self._sessions[known] = session
            return known

    def find(self, token: str) -> DebugSession | None:
        """The session of a token; ``None`` when there is none, or nothing is under way in it any more."""
        with self._lock:
            found = self._sessions.get(token)
        return found if found is not None and found.is_executing else None
