"""Coverage of a workflow whose parts were counted by hand, embedded, over our server, and from the store."""

from __future__ import annotations

from contextlib import closing

import pytest

from debugger.analysis.coverage import Count
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.scenarios.coverage import open_coverage
from debugger.settings import HostedSettings, Settings
from tests.conformance.served import KEY, serving
from tests.support.factories import direct, document, everywhere, node, static, tool, when
from tests.support.super_nodes import super_node

CODE = "def rooms(kind):\n    if kind == 'broken':\n        raise ValueError('no')\n    return 3\n"
INSIDE = document(
    static("ask", "Which day?"),
    static("sure", "Noted."),
    static("unsure", "Say it again."),
    when("ask", "sure", "{{kind}} == 'book'"),
    when("ask", "unsure", "{{kind}} == 'mumble'"),
)
FORKED = {"is_companion_thread": True, "companion_thread_id": "note"}
DESK = document(
    static("hi", "Hello."),
    static("desk", "What is it?"),
    super_node("booking", INSIDE),
    static("billing", "Your bill."),
    static("note", "Noted."),
    tool("rooms", CODE, {"kind": "{{kind}}"}),
    node("wait", "no_op", self_loop_config={"enabled": True, "max_retries": 2, "time_between_retries": 0}),
    static("done", "Done."),
    static("bye", "Bye."),
    static("sorry", "Sorry."),
    static("closed", "Closed.", disabled=True),
    static("person", "A person.", global_node_config=everywhere("a person")),
    direct("hi", "desk"),
    when("desk", "booking", "{{kind}} == 'book' OR {{kind}} == 'mumble'"),
    when("desk", "billing", "{{kind}} == 'bill'"),
    when("desk", "rooms", "{{kind}} == 'rooms' OR {{kind}} == 'broken'"),
    when("desk", "wait", "{{kind}} == 'wait'"),
    when("desk", "closed", "{{kind}} == 'closed'"),
    direct("booking", "done"),
    direct("billing", "note", companion_thread_config=FORKED),
    direct("billing", "done"),
    direct("rooms", "done"),
    when("wait", "done", "{{kind}} == 'never'"),
    when("done", "bye", "{{kind}} == 'book' OR {{kind}} == 'bill'"),
    when("done", "sorry", "{{kind}} == 'rooms'"),
    when("done", "hi", "{{kind}} == 'again'", disabled=True),
    defaults={"kind": ""},
    logical_id="workflow_covered",
)

TOTALS = {"node": 13, "edge": 15, "true": 10, "false": 10, "exhausted": 1, "success": 1, "failure": 1}
"""The disabled node with its edge, and the disabled edge, do not count. The node that any node may enter is
an edge with a condition; the two edges inside the super node count."""

BOOK = {
    *("node:hi", "node:desk", "node:booking/ask", "node:booking/sure", "node:done", "node:bye"),
    *("edge:edge_hi_desk", "edge:edge_desk_booking", "edge:booking/edge_ask_sure", "edge:edge_booking_done"),
    *("edge:edge_done_bye", "true:edge_desk_booking", "true:booking/edge_ask_sure", "true:edge_done_bye"),
    *("false:edge_desk_billing", "false:edge_desk_rooms", "false:edge_desk_wait"),
    *("false:booking/edge_ask_unsure", "false:edge_done_sorry"),
}
BILL = {
    *("node:hi", "node:desk", "node:billing", "node:note", "node:done", "node:bye"),
    *("edge:edge_hi_desk", "edge:edge_desk_billing", "edge:edge_billing_note", "edge:edge_billing_done"),
    *("edge:edge_done_bye", "true:edge_desk_billing", "true:edge_done_bye"),
    *("false:edge_desk_booking", "false:edge_desk_rooms", "false:edge_desk_wait", "false:edge_done_sorry"),
}
ROOMS = {
    *("node:hi", "node:desk", "node:rooms", "node:done", "node:sorry", "success:rooms"),
    *("edge:edge_hi_desk", "edge:edge_desk_rooms", "edge:edge_rooms_done", "edge:edge_done_sorry"),
    *("true:edge_desk_rooms", "true:edge_done_sorry", "false:edge_done_bye"),
    *("false:edge_desk_booking", "false:edge_desk_billing", "false:edge_desk_wait"),
}
BROKEN = {
    *("node:hi", "node:desk", "node:rooms", "node:done", "failure:rooms"),
    *("edge:edge_hi_desk", "edge:edge_desk_rooms", "edge:edge_rooms_done"),
    *("true:edge_desk_rooms", "false:edge_done_bye", "false:edge_done_sorry"),
    *("false:edge_desk_booking", "false:edge_desk_billing", "false:edge_desk_wait"),
}
WAIT = {
    *("node:hi", "node:desk", "node:wait", "exhausted:wait"),
    *("edge:edge_hi_desk", "edge:edge_desk_wait", "true:edge_desk_wait", "false:edge_wait_done"),
    *("false:edge_desk_booking", "false:edge_desk_billing", "false:edge_desk_rooms"),
}
BY_KIND = {"book": BOOK, "bill": BILL, "rooms": ROOMS, "broken": BROKEN, "wait": WAIT}


@pytest.fixture(scope="module", params=["embedded", "served"])
def backend(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("covered")
    if request.param == "embedded":
        with closing(EmbeddedBackend(Settings(database=f"sqlite:///{folder}/a.sqlite3"))) as backend:
            yield backend
        return
    with serving(f"sqlite:///{folder}/a.sqlite3", folder) as client:
        settings = HostedSettings(base_url=str(client.base_url).rstrip("/"), api_key=KEY)
        with closing(HostedBackend(settings)) as backend:
            yield backend


@pytest.fixture(scope="module")
def runs(backend):
    """The ids of the workflow, and of a run of each kind."""
    workflow_id = backend.create_workflow(DESK).id
    found = {}
    for kind in BY_KIND:
        given = TurnInput.with_message(None, dynamic_variables={"kind": kind})
        result = backend.execute(workflow_id, given).finish()
        while result.has_background_work:
            result = backend.pump(workflow_id, result.run_id).finish()
        found[kind] = result.run_id
    return workflow_id, found


def opened(backend, workflow_id):
    return open_coverage(backend.workflow(workflow_id, None), backend.workflow)


@pytest.mark.parametrize("kind", BY_KIND)
def test_run_covers_what_was_counted(backend, runs, kind):
    workflow_id, ids = runs
    coverage = opened(backend, workflow_id)

    coverage.add_run(ids[kind], turn_logs(backend.run(ids[kind])))

    assert {item.key for item in coverage.covered} == BY_KIND[kind]


def test_counts_are_those_of_all_runs(backend, runs):
    workflow_id, ids = runs
    coverage = opened(backend, workflow_id)
    for run_id in ids.values():
        coverage.add_run(run_id, turn_logs(backend.run(run_id)))

    whole = set().union(*BY_KIND.values())
    counts = {
        kind: Count(sum(key.startswith(f"{kind}:") for key in whole), total) for kind, total in TOTALS.items()
    }
    assert coverage.counts == counts
    assert {item.key for item in coverage.missing("node", "edge", "false")} == {
        *("node:booking/unsure", "node:person", "edge:booking/edge_ask_unsure", "edge:global:person"),
        *("edge:edge_wait_done", "false:booking/edge_ask_sure", "false:global:person"),
    }
