"""The records of a tab."""

from __future__ import annotations

from typing import Any, TypeVar

from streamlit.testing.v1 import AppTest

from debugger.views import state

Record = TypeVar("Record")


def record_of(app: AppTest, kind: type[Record]) -> Record:
    """Return an app's instance of a class of state, made with its defaults."""
    key = state.record_key(kind)
    if key not in app.session_state:
        app.session_state[key] = kind()
    found: Record = app.session_state[key]
    return found


def keep_records(monkeypatch: Any, *first: object) -> None:
    """Let `state.record` work outside an app; the first records are those that are named."""
    records: dict[type, Any] = {type(each): each for each in first}
    monkeypatch.setattr(state, "record", lambda kind: records.setdefault(kind, kind()))
