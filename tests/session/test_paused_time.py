"""Time in which a run is paused, or waits for the user's answer in a model's place, is no time of the run."""

from __future__ import annotations

import pytest

from debugger.analysis.gantt import bars
from debugger.analysis.metrics import node_metrics
from debugger.analysis.run_projection import RunProjection
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.engine.models.base import Reply
from debugger.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.session.breakpoints import Breakpoint
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.clock import Clock
from tests.support.factories import direct, document, say, static


@pytest.fixture
def clock():
    return Clock(1_785_200_000.0)


@pytest.fixture
def backend(tmp_path, clock):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    backend = EmbeddedBackend(settings, world=Environment(now=clock))
    yield backend
    backend.close()


def session_of(backend, *parts):
    return DebugSession(backend, backend.create_workflow(document(*parts)).id)


def pauses_and_durations(session, turns):
    """Return the pauses' bars in seconds, the durations of nodes, and that of the turn."""
    readers = RunProjection(Graph(session.workflow)).read(turns)
    steps, row = readers.steps, readers.turn_rows[-1]
    drawn = bars([step for step in steps if step.place == row.place], [], row.pauses)
    paused = [(bar.name, round(bar.duration_ms / 1000, 3)) for bar in drawn if bar.kind == "pause"]
    times = [metrics.time.total for metrics in node_metrics(steps) if metrics.time]
    return paused, times, row.duration_ms


def test_breakpoint_is_no_time_of_the_node(backend, clock):
    session = session_of(backend, static("a", "A"), static("b", "B"), direct("a", "b"))
    session.breakpoints.put(Breakpoint("before", "b"))
    session.start(TurnInput.with_message(None))
    assert session.wait_until_idle(10)

    clock.seconds += 72
    session.stepping.resume()
    assert session.wait(10)

    recorded = turn_logs(backend.run(session.run_id))
    for turns in (session.turns, recorded):
        assert pauses_and_durations(session, turns) == ([("Paused", 72.0)], [0.0, 0.0], 0.0)


def test_manual_answer_is_no_model_latency(backend, clock):
    session = session_of(backend, say("chat"))
    session.human_input.asks_all = True
    session.start(TurnInput.with_message("Hello"))
    assert session.wait_until_idle(10)

    clock.seconds += 30
    session.human_input.answer(Reply(text="Good day"))
    assert session.wait(10)

    run = backend.run(session.run_id)
    for turns in (session.turns, turn_logs(run)):
        assert pauses_and_durations(session, turns) == ([("Waited for manual answer", 30.0)], [0.0], 0.0)
    usage = next(e for e in session.turns[0].events if e.type == "say_llm").to_wire()["llm_usage_info"]
    assert usage["response_latency_milliseconds"] == 0
    assert run.llm_latency_stats["total_latency_milliseconds"] == 0
