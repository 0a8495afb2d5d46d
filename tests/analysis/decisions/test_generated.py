"""What the analysis works out again agrees with what the engine did, over workflows that nobody wrote."""

from __future__ import annotations

import pytest

from debugger.analysis.decisions import DecisionLog, Explainer
from debugger.analysis.variables import Moments
from debugger.engine.super_nodes import expand
from debugger.graph.graph import Graph
from debugger.protocol.runs import turn_logs
from tests.backends.one_turn import is_over, open_backend, step
from tests.generated import generate

SEEDS = range(200)


def played(seed, folder):
    """The workflow with its super nodes expanded, and the turns of a run of it, read from its record."""
    document, sayings = generate(seed)
    backend = open_backend(folder, 0, seed)
    workflow_id = backend.create_workflow(document).id
    run_id = None
    for text in (None, *sayings):
        result, _ = step(backend, workflow_id, run_id, text)
        run_id = result.run_id
        if is_over(result):
            break
    workflow = expand(backend.workflow(workflow_id, 0), backend.workflow).workflow
    turns = turn_logs(backend.run(run_id))
    backend.close()
    return workflow, turns


@pytest.mark.parametrize("seed", SEEDS)
def test_every_decision_of_a_generated_run_is_the_one_that_the_rules_lead_to(seed, tmp_path):
    workflow, turns = played(seed, tmp_path)
    graph = Graph(workflow)

    log, moments = DecisionLog(graph).follow(turns), Moments().follow(turns)
    explainer = Explainer(graph, moments, {})

    for record in log.all:
        found = explainer.explain(record)
        assert found.is_known or record.outcome in ("beside", "moved"), record
        assert found.agrees, (record, found.candidates)
        if record.reason.startswith("Condition expression '"):
            [taken] = [each for each in found.candidates if each.won]
            assert record.reason == f"Condition expression '{taken.filled}' holds"
