"""Two server processes on one PostgreSQL, called in any order."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.graphs import chat, direct, graph, greeting, when
from tests.conformance.sameness import without_ids_and_times
from tests.conformance.served import chat_of, create, execute, headers, human, record, spoken
from tests.conformance.server_process import server_process
from tests.conformance.talks import TURNS, Talk, create_talking, write_script
from tests.support.companions import lab
from tests.support.postgres import a_database, a_schema
from tests.support.server_sockets import opened


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A client of each."""
    folder = tmp_path_factory.mktemp("two")
    scripts = write_script(folder)
    with (
        a_database() as name,
        a_schema(name) as database,
        server_process(database, folder / "one", scripts) as one,
        server_process(database, folder / "two", scripts) as two,
        one.client() as first,
        two.client() as second,
    ):
        yield first, second


def turn_over_a_socket(api, workflow_id, talk):
    """The events of a session's next turn, each sent as it happens."""
    message = human(f"my word is {talk.word(talk.turn)}")
    threads = {"0": {"node_run_inputs": [{"type": "llm", "messages": [message]}]}}
    with opened(api, additional_headers=headers()) as socket:
        ack, *events = socket.turn(
            workflow_id=workflow_id,
            workflow_run_id=talk.run_id,
            command="data",
            thread_to_node_inputs=threads,
        )
    assert ack["workflow_run_id"] == talk.run_id
    return events


def conversation(first, second):
    """Run five turns over alternating clients, two over a socket.

    Returns them with the record.
    """
    workflow_id = create_talking(first)
    talk, results = Talk("ada"), []
    for turn in range(1, TURNS + 1):
        api = first if turn % 2 else second
        if turn in (2, 3):
            events = turn_over_a_socket(api, workflow_id, talk)
            talk.note_stored(record(first if api is second else second, talk.run_id))
            assert events == talk.answers[-1]["events"]
        else:
            answer = talk.send(api, workflow_id)
            assert answer.status_code == 200, answer.text
            talk.note(answer.json())
            results.append(answer.json())
    return results, record(second, talk.run_id)


def test_session_alternates_between_servers(servers):
    first, second = servers

    alternating, stored = conversation(first, second)
    on_one, stored_on_one = conversation(first, first)

    assert [who for who, _ in chat_of(stored)] == ["assistant"] + ["user", "assistant"] * (TURNS - 1)
    assert chat_of(stored) == chat_of(stored_on_one)
    assert without_ids_and_times(alternating) == without_ids_and_times(on_one)
    assert without_ids_and_times(stored) == without_ids_and_times(stored_on_one)


def background(first, second):
    """Advance a run's background work through alternating clients.

    Gives what was answered where something had been done, and the record.
    """
    workflow_id = create(first, lab(pause=1, checks=2))
    result = execute(first, workflow_id).json()
    path = f"/v1/workflows/{workflow_id}/runs/{result['run_id']}/pump-companions"
    results, turns = [result], [second, first]
    deadline = time.monotonic() + 60
    while results[-1]["has_background_work"]:
        assert time.monotonic() < deadline
        done = turns[0].post(path).json()
        if done["events"]:
            results.append(done)
            turns.reverse()
        time.sleep(0.05)
    return results, record(second, result["run_id"])


def test_background_work_is_pumped_by_either_server(servers):
    first, second = servers

    alternating, stored = background(first, second)
    on_one, stored_on_one = background(first, first)

    assert len(alternating) >= 3
    assert spoken(alternating[-1]) == ["Your results are here after 2 checks."]
    assert without_ids_and_times(alternating) == without_ids_and_times(on_one)
    assert without_ids_and_times(stored) == without_ids_and_times(stored_on_one)


def test_version_activated_through_one_runs_on_both(servers):
    first, second = servers
    workflow_id = create(first, graph(chat("ask"), version="zero"))
    old = execute(second, workflow_id).json()
    path = f"/v1/workflows/{workflow_id}/versions"
    assert first.post(path, json={}).status_code in (200, 201)
    assert first.patch(f"{path}/1/config", json={"config": greeting("one")}).status_code == 200

    assert first.post(f"{path}/1/activate").status_code == 200
    new = execute(second, workflow_id).json()
    gone_on = execute(first, workflow_id, "Still there?", old["run_id"]).json()

    assert spoken(new) == ["one"]
    assert (gone_on["status"], gone_on["turn_number"]) == ("waiting_for_user_input", 2)
    assert record(first, new["run_id"])["version_number"] == 1
    assert record(first, old["run_id"])["version_number"] == 0


def test_graph_and_variable_changes_reach_other_server(servers):
    first, second = servers
    made = first.post("/v1/global-variables", json={"name": "shop", "is_secret": False, "value": "Leaf"})
    variable = f"/v1/global-variables/{made.json()['variable']['id']}"
    workflow_id = create(first, greeting("Welcome to {{shop}}"))
    _await_words(second, workflow_id, "Welcome to Leaf")

    assert first.patch(variable, json={"value": "Root"}).status_code == 200
    _await_words(second, workflow_id, "Welcome to Root")

    config = {"config": greeting("Goodbye from {{shop}}")}
    assert first.patch(f"/v1/workflows/{workflow_id}/versions/0/config", json=config).status_code == 200
    assert spoken(execute(first, workflow_id).json()) == ["Goodbye from Root"]
    _await_words(second, workflow_id, "Goodbye from Root")


def test_concurrent_turns_through_both_store_one(servers):
    slow = {"type": "no_op", "logical_id": "slow", "name": "Slow", "delay_seconds": 0.5}
    parts = (chat("ask"), slow, when("ask", "slow", "1 == 1"), direct("slow", "ask"))
    workflow_id = create(servers[0], graph(*parts))
    run_id = execute(servers[0], workflow_id).json()["run_id"]

    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda api: execute(api, workflow_id, "Hello", run_id), servers))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (stored,) = (answer.json() for answer in answers if answer.status_code == 200)
    pairs = record(servers[1], run_id)["input_output_pairs"]
    assert [pair["run_output"]["events"] for pair in pairs[1:]] == [stored["events"]]


def test_running_first_turn_is_readable_through_other(servers):
    first, second = servers
    slow = {"type": "no_op", "logical_id": "slow", "name": "Slow", "delay_seconds": 2}
    workflow_id = create(first, graph(slow, chat("ask"), direct("slow", "ask")))

    with ThreadPoolExecutor() as threads:
        answer = threads.submit(execute, first, workflow_id)
        listed = []
        deadline = time.monotonic() + 20
        while not listed:
            assert time.monotonic() < deadline
            found = second.get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()
            listed = found["workflow_runs"]
        run_id = listed[0]["workflow_run"]["workflow_run_id"]
        during = record(second, run_id)
        refused = execute(second, workflow_id, "Hello", run_id)
        result = answer.result().json()

    assert result["run_id"] == run_id
    assert during["status"] in ("started", "running")
    assert [pair["in_progress"] for pair in during["input_output_pairs"]] == [True]
    assert refused.status_code == 409
    assert "in_progress" not in record(second, run_id)["input_output_pairs"][0]


def test_first_turn_sent_to_both_executes_once(servers):
    workflow_id = create(servers[0], graph(chat("ask")))
    sent = {"miscellaneous": {"client_turn_id": "c1"}}

    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda api: execute(api, workflow_id, "Hello", **sent).json(), servers))

    assert answers[0] == answers[1]
    found = servers[0].get("/v1/workflow-runs", params={"workflow_id": workflow_id}).json()
    assert len(found["workflow_runs"]) == 1


def _await_words(api, workflow_id, words):
    """Start runs until one says something.

    A workflow is cached for a second.
    """
    deadline = time.monotonic() + 10
    while spoken(execute(api, workflow_id).json()) != [words]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
