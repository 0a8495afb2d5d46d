"""Runs of the samples in memory, for tests that only read them."""

from __future__ import annotations

from functools import cache

from debugger.backends import open_embedded
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings


@cache
def run_of(sample: str, *lines: str) -> DebugSession:
    """A session on a run of a sample with a turn for each line, after the one that starts it."""
    backend = open_embedded(Settings(database="sqlite://"))
    workflow = next(iter(backend.workflows(sample)))
    result = backend.execute(workflow.id, TurnInput.with_message(None)).finish()
    for line in lines:
        said = TurnInput.with_message(line, command="data")
        backend.execute(workflow.id, said, run_id=result.run_id).finish()
    session = DebugSession.open(backend, result.run_id)
    backend.close()
    return session
