from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debugger.analysis.coverage import Count, Coverage, Item, Moment
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.protocol.workflow import Workflow
from debugger.settings import Settings
from tests.support.factories import direct, document, everywhere, say, static, when
from tests.support.generated import generate
from tests.support.replays import Clock

WAYS = document(
    static("hello", "Hello."),
    static("tea", "Tea."),
    static("cake", "Cake."),
    static("cream", "Cream."),
    when("hello", "tea", "{{drink}} == 'tea'", name="tea"),
    when("hello", "cake", "{{drink}} == 'cake'"),
    direct("cake", "cream"),
    defaults={"drink": "tea"},
)


def runs_of(made, *inputs):
    """The graph of a workflow, and the turns of a run for each list of messages or variables."""
    clock = Clock()
    world = Environment(now=clock.now, sleep=clock.sleep)
    backend = EmbeddedBackend(Settings(database="sqlite://"), world=world)
    workflow_id = backend.create_workflow(made).id
    runs = []
    for given_variables in inputs:
        start = TurnInput.with_message(None, dynamic_variables=given_variables)
        run_id = backend.execute(workflow_id, start).finish().run_id
        runs.append((run_id, turn_logs(backend.run(run_id))))
    return Graph(Workflow.from_document(made)), runs


def covered(graph, *runs):
    coverage = Coverage(graph)
    for run in runs:
        coverage.add_run(*run)
    return coverage


def test_nothing_is_covered_without_a_run():
    coverage = Coverage(Graph(Workflow.from_document(WAYS)))

    assert coverage.counts["edge"] == Count(0, 3)
    assert coverage.counts["edge"].percent == 0
    assert coverage.nearest(Item("edge", "edge_hello_cake")) is None
    assert len(coverage.missing()) == len(coverage.items)


def test_nearest_is_the_covered_node_with_the_fewest_edges_between():
    graph, [run] = runs_of(WAYS, {})

    coverage = covered(graph, run)

    near = [
        coverage.nearest(Item(*each)) for each in (("edge", "edge_hello_cake"), ("edge", "edge_cake_cream"))
    ]
    assert [(each.label, each.distance) for each in near] == [("Hello", 0), ("Hello", 1)]
    assert near[0].moment == Moment(run[0], 1)


def test_global_node_is_near_to_the_last_node():
    made = document(static("hello", "Hello."), say("desk"), static("help", "Help."), direct("hello", "desk"))
    made["node_configs"][2]["global_node_config"] = everywhere("needs help")
    graph, [run] = runs_of(made, {})

    near = covered(graph, run).nearest(Item("edge", "global:help"))

    assert (near.moment, near.distance) == (Moment(run[0], 1), 1)


def test_node_that_nothing_leads_to_has_no_nearest():
    graph, [run] = runs_of(document(static("hello", "Hello."), static("lost", "Lost.")), {})

    coverage = covered(graph, run)

    assert coverage.missing() == [Item("node", "lost")]
    assert coverage.nearest(Item("node", "lost")) is None


def test_first_run_by_id_is_named():
    graph, runs = runs_of(WAYS, {}, {})

    coverage = covered(graph, *sorted(runs, reverse=True))

    assert coverage.covered[Item("node", "hello")] == Moment(min(runs)[0], 1)


@given(order=st.permutations(range(4)), cut=st.integers(0, 4))
def test_order_of_runs_and_merges_does_not_matter(order, cut):
    first, second = (covered(GRAPH, *(RUNS[each] for each in part)) for part in (order[:cut], order[cut:]))

    first.merge(second)
    first.merge(second)

    whole = covered(GRAPH, *RUNS)
    assert (first.covered, first.run_ids, first.counts) == (whole.covered, whole.run_ids, whole.counts)


GRAPH, RUNS = runs_of(WAYS, {}, {"drink": "cake"}, {"drink": "milk"}, {})


def test_generated_runs_cover_only_what_the_workflow_has():
    covered_nodes = 0
    for seed in range(10):
        made, _ = generate(seed)
        graph, [run] = runs_of(made, {})

        coverage = covered(graph, run)

        assert coverage.covered.keys() <= coverage.items.keys()
        covered_nodes += coverage.counts["node"].covered
    assert covered_nodes > 10
