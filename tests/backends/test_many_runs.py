"""The statistics of 500 runs beside counts that are made from the store by other code."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing

from sqlalchemy import text

from debugger.analysis.run_statistics import CountedRun, edge_flows, end_reason, node_flows
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.run_summaries import RunSummaries
from debugger.protocol.json_codec import decode
from debugger.settings import Settings
from debugger.store.compression import decompress
from tests.support.many_runs import store_walks, walked_workflow

RUNS = 500


def test_flows_of_500_runs_equal_counts_from_the_store(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3")
    with closing(EmbeddedBackend(settings)) as backend:
        workflow_id = backend.create_workflow(walked_workflow()).id
        store_walks(backend.store, workflow_id, RUNS)
        rows = backend.runs(size=1_000).rows

        summaries = RunSummaries(backend, backend.store.run_facts).read(rows, 60)
        counted = [
            CountedRun(
                run.workflow_run_id,
                run.version_number,
                run.status,
                "",
                end_reason(run.status, run.termination_source, summaries[run.workflow_run_id]),
                summaries[run.workflow_run_id],
            )
            for run in rows
        ]
        nodes, edges = node_flows(counted), edge_flows(counted)
        reached, visits, stopped, taken, takers = count_by_hand(backend.store)

    assert len(counted) == RUNS
    assert {flow.node: flow.reached for flow in nodes} == reached
    assert {flow.node: flow.visits for flow in nodes} == visits
    assert {flow.node: (flow.ended, flow.waiting) for flow in nodes if flow.ended or flow.waiting} == stopped
    assert {flow.edge: flow.taken for flow in edges} == taken
    assert {flow.edge: flow.runs for flow in edges} == takers
    assert sum(flow.ended + flow.waiting for flow in nodes) == RUNS


def count_by_hand(store):
    """Count in a loop over the stored events, with none of the program's own reading of events."""
    reached, visits = defaultdict(set), Counter()
    taken, takers, last = Counter(), defaultdict(set), {}
    with store._database.reading() as connection:
        statuses = dict(connection.execute(text("SELECT id, status FROM runs")).all())
        stored = text("SELECT run_id, events FROM turns ORDER BY run_id, turn_number")
        for run_id, events in connection.execute(stored):
            for event in decode(decompress(events)):
                if event["type"] == "start_node_run":
                    place = last[run_id] = event["origin_node_logical_id"]
                    reached[place].add(run_id)
                    visits[place] += 1
                elif event["type"] == "conditional_edge":
                    edge = f"edge_{event['source_node_logical_id']}_{event['destination_node_logical_id']}"
                    taken[edge] += 1
                    takers[edge].add(run_id)
    stopped = defaultdict(lambda: [0, 0])
    for run_id, place in last.items():
        stopped[place][statuses[run_id] == "waiting_for_user_input"] += 1
    return (
        {place: len(runs) for place, runs in reached.items()},
        dict(visits),
        {place: tuple(counts) for place, counts in stopped.items()},
        dict(taken),
        {edge: len(runs) for edge, runs in takers.items()},
    )
