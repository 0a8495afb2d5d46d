from __future__ import annotations

from pathlib import Path

import pytest

import debugger
from debugger.backends.embedded import EmbeddedBackend
from debugger.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.session.breakpoint_kinds import KINDS, MomentTracker, kinds_drawn_on
from debugger.settings import Settings
from tests.support.factories import direct, document, node, static, when, workflow

_HITS = {
    "before": {"a", "b"},
    "after": {"a"},
    "edge": {"a-b"},
    "event": {"start_node_run", "direct_edge", "workflow_error"},
    "error": {""},
}
"""Of each kind some targets that a run from ``a`` to ``b``, whose condition cannot be read, hits."""


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_hits_its_targets(kind, tmp_path):
    edges = direct("a", "b", logical_id="a-b"), when("b", "b", "1 <")
    parts = static("a", "A"), node("b", "no_op"), *edges
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    run = backend.create_workflow(document(*parts)).id
    (turn,) = turn_logs(backend.run(backend.execute(run, TurnInput.with_message(None)).finish().run_id))
    backend.close()
    tracker = MomentTracker(Graph(workflow(*parts)))
    found = [target for event in turn.events for target in KINDS[kind].find_targets(tracker.follow(event))]

    assert _HITS[kind]
    assert _HITS[kind] <= set(found)


def test_each_row_is_of_a_kind():
    assert set(_HITS) == set(KINDS)


@pytest.mark.parametrize("kind", list(KINDS))
def test_help_names_each_kind(kind):
    page = Path(debugger.__file__).with_name("docs") / "stepping.md"

    assert f"*{KINDS[kind].label}*" in page.read_text()


def test_click_in_graph_sets_breakpoint_before_node():
    assert kinds_drawn_on("node")[0] == "before"
    assert kinds_drawn_on("edge") == ("edge",)
