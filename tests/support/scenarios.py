"""Sessions that are stepped by hand and saved as scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from debugger.backends import open_embedded
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.models import Script
from debugger.exports.records import ExportedRun
from debugger.protocol.runs import TurnInput
from debugger.samples import SAMPLES
from debugger.scenarios.expectation_rows import Proposal
from debugger.scenarios.loading import load_text
from debugger.scenarios.proposal import ScenarioDraft, propose
from debugger.scenarios.results import ScenarioResult
from debugger.scenarios.runner import ScenarioRunner
from debugger.session.session import DebugSession
from debugger.settings import Settings

CONVERSATIONS = {
    f"{sample.name}: {name}": (sample.name, tuple(lines))
    for sample in SAMPLES
    for text in (sample.script_text(),)
    for script in (Script.load(text) if text else None,)
    for name, lines in (
        {"demo": script.demo, **script.alternatives}
        if script
        else {"a conversation": ("Hello", "I need a building permit.", "Thanks, that is all.")}
    ).items()
}
"""The conversations of all samples by name: the sample, and what the user says."""


@cache
def embedded() -> EmbeddedBackend:
    """Return an embedded engine in memory with the samples, for tests that only add runs."""
    return open_embedded(Settings(database="sqlite://"))


def talk(
    backend: EmbeddedBackend, sample: str, lines: Sequence[str], first: TurnInput | None = None
) -> DebugSession:
    """Send messages to a session of a sample, up to its end."""
    session = DebugSession(backend, backend.workflows(sample)[0].id)
    if first is not None:
        session.start(first)
        session.wait()
    for line in lines:
        if not session.is_over:
            session.send(line)
            session.wait()
            assert session.error is None
    return session


def draft_of(
    session: DebugSession, *, masks_personal_data: bool = False, freezes_clock: bool = False
) -> ScenarioDraft:
    """Return a session as a scenario with proposed expectations."""
    run = ExportedRun(session.backend.record(session.run_id or ""), session.workflow)
    return propose(
        run,
        session.workflow,
        name="A conversation",
        reference=session.workflow.config.logical_id,
        mocks=session.mocks.all,
        masks_personal_data=masks_personal_data,
        freezes_clock=freezes_clock,
    )


def run_text(text: str, backend: EmbeddedBackend) -> ScenarioResult:
    """Run a scenario of one row."""
    with ScenarioRunner(lambda _: backend, Settings()) as runner:
        (result,) = runner.run(load_text(text, Path()))
    return result


def row_of(draft: ScenarioDraft, turn: int, kind: str, place: int = 0) -> Proposal:
    """Return a proposed expectation of a turn."""
    return [one for one in draft.proposals if (one.turn, one.kind) == (turn, kind)][place]
