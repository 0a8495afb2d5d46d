from __future__ import annotations

import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from debugger.server.app import create_app
from debugger.server.streaming.frames import MAX_FRAME
from debugger.server.streaming.outbox import MAX_WAITING, Outbox
from debugger.server.turn_limiter import TurnLimiter
from debugger.store import TurnClaim, current_owner, new_id
from tests.server.conftest import serving
from tests.support.companions import lab, watchful
from tests.support.factories import direct, document, say, static, tool, when
from tests.support.server_sockets import UNKNOWN, create, kept_events, opened, record, saying, types

SLOW = "import time\ndef slow():\n    time.sleep(1)\n    return 1\n"
ENDLESS = "def endless():\n    while True:\n        pass\n"


def post(api, workflow_id, run_id, **run_input):
    return api.post(f"/v1/workflows/{workflow_id}/execute", json={"run_input": run_input, "run_id": run_id})


def test_acknowledgement_precedes_events(api):
    workflow_id = create(api, static("a", "Hello"))

    with opened(api) as socket:
        ack, *events = socket.turn(workflow_id=workflow_id, command="start", run_by="qa")
        closed = socket.closed()

    assert set(ack) == {"workflow_run_id", "workflow_id", "message", "turn_number"}
    assert (ack["workflow_id"], ack["turn_number"]) == (workflow_id, 1)
    assert socket.frame_numbers == list(range(1, len(events) + 1))
    assert types(events)[:3] == ["start_workflow", "start_thread", "start_node_run"]
    assert types(events)[-2:] == ["end_workflow_iteration", "end_workflow"]
    assert closed == (1000, "")
    assert kept_events(api, ack["workflow_run_id"]) == [events]
    assert record(api, ack["workflow_run_id"])["run_by"] == "qa"


def test_event_is_sent_during_turn(api):
    workflow_id = create(api, static("a", "Hello"), tool("slow", SLOW), direct("a", "slow"))

    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, command="start")
        seen = {}
        while "end_workflow" not in seen:
            seen.setdefault(socket.receive().get("type"), time.monotonic())

    assert seen["end_workflow"] - seen["assistant_response"] > 0.8
    assert seen["end_workflow"] - seen["direct_edge"] > 0.8


def test_further_turns_go_over_the_same_socket(api):
    workflow_id = create(api, say("ask"), static("bye", "Bye"), when("ask", "bye", "[[done]] == true"))

    with opened(api) as socket:
        ack, *first = socket.turn(workflow_id=workflow_id, command="start")
        run_id = ack["workflow_run_id"]
        second_ack, *second = socket.turn(
            command="data",
            workflow_id=workflow_id,
            workflow_run_id=run_id,
            thread_to_node_inputs=saying("Hm."),
        )
        third_ack, *third = socket.turn(
            command="data", thread_to_node_inputs=saying("Bye"), runtime_variables={"done": True}
        )
        closed = socket.closed()

    assert types(first)[-2:] == ["end_workflow_iteration", "workflow_ready_for_input"]
    assert types(second)[0] == "user_messages"
    assert types(third)[-1] == "end_workflow"
    assert [frame["turn_number"] for frame in (ack, second_ack, third_ack)] == [1, 2, 3]
    assert {frame["workflow_run_id"] for frame in (second_ack, third_ack)} == {run_id}
    assert socket.frame_numbers == [
        number for turn in (first, second, third) for number in range(1, len(turn) + 1)
    ]
    assert closed[0] == 1000
    assert kept_events(api, run_id) == [first, second, third]


def test_run_continues_over_socket_and_http(api):
    workflow_id = create(api, say("ask"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]

    answer = post(api, workflow_id, run_id, command="data", thread_to_node_inputs=saying("One")).json()
    with opened(api) as socket:
        ack, *_ = socket.turn(
            workflow_id=workflow_id,
            workflow_run_id=run_id,
            command="data",
            thread_to_node_inputs=saying("Two"),
        )

    assert answer["turn_number"] == 2
    assert ack["workflow_run_id"] == run_id
    assert len(kept_events(api, run_id)) == 3


def test_dumped_run_input_is_accepted(api):
    workflow_id = create(api, static("a", "Hello {{name}}"))

    with opened(api) as socket:
        frames = socket.turn(
            dynamic_variables={"name": "Ada"},
            runtime_variables={},
            miscellaneous={},
            command="start",
            workflow_id=workflow_id,
            version_number=0,
            run_by=None,
            workflow_run_id=None,
            team_id=None,
            start_node_logical_id=None,
            initial_state=None,
            thread_to_node_inputs={},
            welcome_message=None,
        )

    said = [frame["content"] for frame in frames if frame.get("type") == "assistant_response"]
    assert said == ["Hello Ada"]


def test_secrets_in_frame_are_not_recorded(api):
    workflow_id = create(api, static("a", "Hello"))

    with opened(api) as socket:
        frames = socket.turn(workflow_id=workflow_id, command="start", secret_variables={"pin": "hunter2"})

    assert "hunter2" not in str(frames) + str(record(api, frames[0]["workflow_run_id"]))


def test_background_work_advances_on_open_socket(api):
    workflow_id = create(api, graph=lab(pause=1, checks=2))

    with opened(api) as socket:
        ack, *first = socket.turn(workflow_id=workflow_id, command="start")
        later = socket.until_ended(timeout=15)
        closed = socket.closed()

    assert first[-1]["active_companion_thread_ids"]
    starts = [number for number in socket.frame_numbers[len(first) :] if number == 1]
    assert socket.frame_numbers[: len(first)] == list(range(1, len(first) + 1))
    assert starts  # each step counts its own frames
    assert {"companion_step_boundary", "waiting_condition_matched"} <= set(types(later))
    assert types(later)[-1] == "end_workflow"
    assert closed[0] == 1000
    assert record(api, ack["workflow_run_id"])["status"] == "completed"


def test_conditions_are_judged_while_the_run_waits(api):
    workflow_id = create(api, graph=watchful("{{minute}} >= 0"))

    with opened(api) as socket:
        socket.turn(workflow_id=workflow_id, command="start")
        later = socket.until_ended()

    assert types(later)[0] == "waiting_condition_matched"
    assert types(later)[-1] == "end_workflow"


def test_background_work_pauses_on_closed_socket(api):
    workflow_id = create(api, graph=lab(pause=1, checks=2))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]

    time.sleep(1.5)

    assert record(api, run_id)["status"] == "waiting_for_user_input"
    assert len(kept_events(api, run_id)) == 1


def test_last_sender_owns_background_work(api):
    workflow_id = create(api, graph=lab(pause=1, checks=30))

    with opened(api) as one, opened(api) as other:
        run_id = one.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
        other.turn(
            workflow_id=workflow_id,
            workflow_run_id=run_id,
            command="data",
            thread_to_node_inputs=saying("Hm."),
        )
        step = other.receive()
        with pytest.raises(TimeoutError):
            one.receive(timeout=1.5)

    assert step["type"] in {"start_node_run", "waiting_evaluation_boundary"}


def test_stop_cancels_turn_of_socket(api):
    workflow_id = create(api, static("a", "Hello"), tool("endless", ENDLESS), direct("a", "endless"))

    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, command="start")
        run_id = socket.receive()["workflow_run_id"]
        while socket.receive()["type"] != "direct_edge":
            pass
        socket.send(command="stop", workflow_id=workflow_id, workflow_run_id=run_id)
        closed = socket.closed()

    assert closed[0] == 1000
    assert record(api, run_id)["status"] == "cancelled"


def test_stop_over_http_cancels_first_turn(api):
    workflow_id = create(api, static("a", "Hello"), tool("endless", ENDLESS), direct("a", "endless"))

    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, command="start")
        run_id = socket.receive()["workflow_run_id"]
        stopped = post(api, workflow_id, run_id, command="stop").json()
        closed = socket.closed()

    assert (stopped["status"], closed[0]) == ("cancelled", 1000)


def test_stop_ends_waiting_run(api):
    workflow_id = create(api, say("ask"))

    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
        socket.send(command="stop")
        closed = socket.closed()

    assert closed[0] == 1000
    assert record(api, run_id)["status"] == "cancelled"


@pytest.mark.parametrize("graph", [document(say("ask")), lab(pause=1, checks=30)])
def test_last_frame_of_leaving_client_is_executed(api, graph):
    workflow_id = create(api, graph=graph)
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id)[0]["workflow_run_id"]
        socket.send(command="stop")

    deadline = time.monotonic() + 10
    while record(api, run_id)["status"] != "cancelled":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def finished(api, run_id):
    """Return the record of a run once its first turn has ended."""
    deadline = time.monotonic() + 30
    while (run := record(api, run_id))["status"] in ("started", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return run


@pytest.mark.parametrize("number, code", [(1, 4409), (3, 4409), (2, None)])
def test_stale_turn_number_closes_socket(api, number, code):
    workflow_id = create(api, say("ask"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, expected_turn_number=1)[0]["workflow_run_id"]

        socket.send(thread_to_node_inputs=saying("Hm."), expected_turn_number=number)
        if code is None:
            ack, *events = socket.until_ended()
            assert (ack["turn_number"], types(events)[-1]) == (2, "workflow_ready_for_input")
        else:
            found, reason = socket.closed()
            assert found == code
            assert "this client" in reason

    assert len(kept_events(api, run_id)) == (2 if code is None else 1)
    assert "expected_turn_number" not in str(record(api, run_id))


def test_turn_is_acknowledged_during_execution(api):
    workflow_id = create(api, say("ask"), tool("endless", ENDLESS), when("ask", "endless", "1 == 1"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id)[0]["workflow_run_id"]
        socket.send(thread_to_node_inputs=saying("go"))

        ack = socket.receive()
        status = record(api, run_id)["status"]
        socket.send(command="stop")
        closed = socket.closed()

    assert (ack["workflow_run_id"], ack["turn_number"], status) == (run_id, 2, "running")
    assert closed[0] == 1000


def test_repeated_turn_gets_same_frames(api):
    workflow_id = create(api, say("ask"))
    second = {"miscellaneous": {"client_turn_id": "same socket"}, "thread_to_node_inputs": saying("Hm.")}
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id)[0]["workflow_run_id"]
        frames = socket.turn(**second)
        again = socket.turn(**second)
        third, *_ = socket.turn(thread_to_node_inputs=saying("More."))
    with opened(api) as other:
        elsewhere = other.turn(**second, workflow_id=workflow_id, workflow_run_id=run_id)

    assert again == frames == elsewhere
    assert third["turn_number"] == 3
    assert len(kept_events(api, run_id)) == 3


def test_first_turn_with_rerun_token_is_repeated(api):
    workflow_id = create(api, static("a", "Hello"), say("ask"), direct("a", "ask"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
        socket.turn(command="data", thread_to_node_inputs=saying("Tea"))
    minted = api.post(f"/v1/workflow-runs/{run_id}/turns/1/rerun-token", json={}).json()
    start = {
        "workflow_id": workflow_id,
        "command": "start",
        "rerun_token": minted["rerun_token"],
        "miscellaneous": {"client_turn_id": "token"},
        "thread_to_node_inputs": saying("Cake"),
    }

    with opened(api) as socket:
        frames = socket.turn(**start)
    with opened(api) as socket:
        again = socket.turn(**start)

    assert again == frames


def test_idle_socket_uses_no_thread(api):
    workflow_id = create(api, say("ask"))
    with opened(api) as one, opened(api) as two:
        for socket in (one, two):
            socket.turn(workflow_id=workflow_id)
        deadline = time.monotonic() + 10
        while any(thread.name == "live-turn" for thread in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)

        assert types(one.turn(thread_to_node_inputs=saying("Hm.")))[-1] == "workflow_ready_for_input"


@pytest.mark.parametrize("way", ["socket", "request", "same socket"])
def test_concurrent_turn_of_run_is_refused(api, way):
    workflow_id = create(api, tool("slow", SLOW))

    with opened(api) as socket, opened(api) as other:
        socket.send(workflow_id=workflow_id, command="start")
        run_id = socket.receive()["workflow_run_id"]
        if way == "socket":
            other.send(workflow_id=workflow_id, workflow_run_id=run_id, command="data")
            code, reason = other.closed()
        elif way == "request":
            answer = post(api, workflow_id, run_id, command="data")
            code, reason = 4000 + answer.status_code, answer.json()["detail"]
        else:
            socket.send(command="data")
            code, reason = socket.closed()
        assert code == 4409
        assert ("is running" if way == "same socket" else "being executed") in reason
        if way != "same socket":
            assert types(socket.until_ended())[-1] == "end_workflow"

    assert finished(api, run_id)["status"] == "completed"
    assert len(kept_events(api, run_id)) == 1


def test_turn_of_vanished_client_is_stored(api):
    workflow_id = create(api, tool("slow", SLOW), say("ask"), direct("slow", "ask"))
    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, command="start")
        run_id = socket.receive()["workflow_run_id"]
        socket.connection.socket.close()

    run = finished(api, run_id)
    assert run["status"] == "waiting_for_user_input"
    assert post(api, workflow_id, run_id, command="data").json()["turn_number"] == 2


@pytest.mark.parametrize(
    "frame, code, told",
    [
        ("nonsense", 4422, "not JSON"),
        ("[]", 4422, "JSON object"),
        (b"{}", 4422, "must be text"),
        ("{}", 4422, "workflow_id: Field required"),
    ],
)
def test_malformed_frame_closes_socket(api, frame, code, told):
    with opened(api) as socket:
        socket.connection.send(frame)
        closed = socket.closed()

    assert closed[0] == code
    assert told in closed[1]


@pytest.mark.parametrize(
    "given, code, told",
    [
        ({"workflow_id": "nope"}, 4422, "workflow_id"),
        ({"workflow_run_id": "nope"}, 4422, "workflow_run_id"),
        ({"command": "continue"}, 4422, "command"),
        ({"command": "stop"}, 4422, "no run to stop"),
        ({"initial_state": {}}, 4006, "state"),
        ({"command": "start", "rerun_token": "abc"}, 4007, "re-run token"),
        ({"command": "start", "rerun_token": 5}, 4007, "text"),
        ({"command": "data", "rerun_token": "abc"}, 4007, "command start"),
        ({}, 4404, UNKNOWN),
        ({"version_number": 9}, 4404, UNKNOWN),
        ({"workflow_run_id": UNKNOWN}, 4404, "Session not found"),
    ],
)
def test_invalid_run_input_closes_socket(api, given, code, told):
    with opened(api) as socket:
        socket.send(**{"workflow_id": UNKNOWN, **given})
        closed = socket.closed()

    assert closed[0] == code
    assert told in closed[1]


def test_rerun_token_starts_one_rerun(api):
    workflow_id = create(api, static("a", "Hello"), say("ask"), direct("a", "ask"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
        socket.turn(command="data", thread_to_node_inputs=saying("Tea"))
    minted = api.post(f"/v1/workflow-runs/{run_id}/turns/1/rerun-token", json={}).json()
    start = {"workflow_id": workflow_id, "command": "start", "rerun_token": minted["rerun_token"]}

    with opened(api) as socket:
        ack, *events = socket.turn(**start, thread_to_node_inputs=saying("Cake"))
    with opened(api) as socket:
        socket.send(**start)
        again = socket.closed()

    assert ack["workflow_run_id"] != run_id
    assert record(api, ack["workflow_run_id"])["source_workflow_run_id"] == run_id
    assert "Cake" in str(events[0])
    assert again[0] == 4007


def test_refused_rerun_leaves_its_token(api, embedded):
    workflow_id = create(api, say("ask"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
    minted = api.post(f"/v1/workflow-runs/{run_id}/turns/0/rerun-token", json={}).json()
    start = {"workflow_id": workflow_id, "command": "start", "rerun_token": minted["rerun_token"]}
    start["miscellaneous"] = {"client_turn_id": "rerun-of-token"}
    api.patch(f"/v1/workflows/{workflow_id}/concurrency", json={"max_concurrent_runs": 1})

    with opened(api) as socket:
        socket.send(**start)
        refused = socket.closed()
    api.patch(f"/v1/workflows/{workflow_id}/concurrency", json={"max_concurrent_runs": 2})
    with opened(api) as socket:
        ack, *_ = socket.turn(**start)
    with opened(api) as socket:
        again, *_ = socket.turn(**start)

    assert refused[0] == 4429
    assert ack["workflow_run_id"] == again["workflow_run_id"] != run_id
    assert embedded.store.forks.counts(run_id) == {0: 1}


def test_run_beyond_limit_is_refused(api):
    workflow_id = create(api, say("ask"))
    api.patch(f"/v1/workflows/{workflow_id}/concurrency", json={"max_concurrent_runs": 1})

    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, command="start")
        refused = socket.closed()
    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, workflow_run_id=run_id, command="stop")
        socket.closed()
    with opened(api) as socket:
        another = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]

    assert refused[0] == 4429
    assert "1 runs of this workflow" in refused[1]
    assert another != run_id


def test_run_of_vanished_client_counts_for_limit(api):
    workflow_id = create(api, static("a", "Hello"), tool("slow", SLOW), direct("a", "slow"))
    api.patch(f"/v1/workflows/{workflow_id}/concurrency", json={"max_concurrent_runs": 1})
    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, command="start")
        socket.receive()

    codes, until = [], time.monotonic() + 10
    while 1000 not in codes and time.monotonic() < until:
        with opened(api) as socket:
            socket.send(workflow_id=workflow_id, command="start")
            codes.append(socket.closed()[0])
        time.sleep(0.2)

    assert codes[0] == 4429
    assert codes[-1] == 1000


def test_graph_without_start_is_reported(api):
    workflow_id = api.post("/v1/workflows", json={"name": "Empty"}).json()["workflow"]["_id"]

    with opened(api) as socket:
        socket.send(workflow_id=workflow_id)
        code, reason = socket.closed()

    assert code == 1011
    assert "No start node found" in reason


def test_a_socket_is_for_one_run(api):
    workflow_id = create(api, say("ask"))

    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id, command="start")[0]["workflow_run_id"]
        socket.send(workflow_run_id=UNKNOWN, command="data")
        closed = socket.closed()

    assert closed[0] == 4422
    assert run_id in closed[1]


def test_ended_run_takes_no_turn(api):
    workflow_id = create(api, static("a", "Hello"))
    with opened(api) as socket:
        run_id = socket.turn(workflow_id=workflow_id)[0]["workflow_run_id"]

    with opened(api) as socket:
        socket.send(workflow_id=workflow_id, workflow_run_id=run_id, command="data")
        closed = socket.closed()

    assert closed == (4404, "Session not found")


def test_large_frame_closes_socket(serve, embedded):
    api = serve(embedded, body_limit=10_000)

    with opened(api) as socket:
        socket.send(workflow_id=UNKNOWN, miscellaneous={"text": "a" * 10_000})
        closed = socket.closed()

    assert closed[0] == 1009


def test_huge_frame_is_refused_unread(api):
    with opened(api) as socket:
        socket.connection.send("a" * 17 * 1024 * 1024)
        closed = socket.closed()

    assert closed[0] == 1009


def test_event_frames_stay_within_limit(api):
    workflow_id = create(api, static("a", "a" * 1_500_000), tool("slow", SLOW), direct("a", "slow"))

    with opened(api) as socket:  # it hangs up at 1 MiB
        ack, *events = socket.turn(workflow_id=workflow_id)

    whole = kept_events(api, ack["workflow_run_id"])[0]
    assert types(events) == types(whole)
    cut = [event for event in events if event.get("truncated")]
    assert "assistant_response" in types(cut)
    assert [event["logical_id"] for event in events] == [event["logical_id"] for event in whole]
    untouched = [event for event in events if not event.get("truncated")]
    assert all(event in whole for event in untouched)


def test_ping_is_answered_during_turn(api):
    workflow_id = create(api, tool("endless", ENDLESS))

    with opened(api) as socket:
        idle = socket.connection.ping().wait(20)
        socket.send(workflow_id=workflow_id)
        socket.receive()
        busy = socket.connection.ping().wait(20)  # nothing but an answer ends it: the turn has no end
        socket.send(command="stop")
        socket.closed()

    assert (idle, busy) == (True, True)


def test_silent_client_is_closed(api, monkeypatch):
    monkeypatch.setattr("debugger.server.streaming.turn_socket.FIRST_FRAME_SECONDS", 0.2)

    with opened(api) as socket:
        closed = socket.closed()

    assert closed[0] == 4408


def test_a_socket_stays_open_between_turns(api, monkeypatch):
    monkeypatch.setattr("debugger.server.streaming.turn_socket.FIRST_FRAME_SECONDS", 0.2)
    workflow_id = create(api, say("ask"))

    with opened(api) as socket:
        socket.turn(workflow_id=workflow_id)
        with pytest.raises(TimeoutError):
            socket.receive(timeout=0.6)
        frames = socket.turn(command="data", thread_to_node_inputs=saying("Hm."))

    assert types(frames)[-1] == "workflow_ready_for_input"


def test_slow_reader_is_closed_and_turn_stored(api, monkeypatch):
    put, waiting = Outbox.put, []
    monkeypatch.setattr(
        Outbox, "put", lambda outbox, frame: waiting.append((put(outbox, frame), outbox._size))
    )
    texts = [static(f"n{number}", f"{number:02}" * 100_000) for number in range(40)]
    edges = [direct(f"n{number}", f"n{number + 1}") for number in range(39)]
    workflow_id = create(api, graph=document(*texts, *edges))

    with opened(api, max_queue=1, compression=None, close_timeout=0.1) as socket:
        socket.send(workflow_id=workflow_id)
        run_id = socket.receive()["workflow_run_id"]
        finished(api, run_id)
        received = 0
        with pytest.raises(ConnectionClosed):
            while socket.receive():
                received += 1

    run = record(api, run_id)
    assert run["status"] == "completed"
    assert received < len(run["input_output_pairs"][0]["run_output"]["events"])
    assert max(size for _, size in waiting) < MAX_WAITING + MAX_FRAME


def test_busy_socket_leaves_http_responsive(api):
    slow = create(api, tool("slow", SLOW))
    quick = create(api, static("a", "Hello"))

    with opened(api) as socket:
        socket.send(workflow_id=slow)
        socket.receive()
        began = time.monotonic()
        answer = api.post(f"/v1/workflows/{quick}/execute", json={"run_input": {}})
        took = time.monotonic() - began
        socket.until_ended()

    assert answer.status_code == 200
    assert took < 0.8


def test_many_sockets_have_their_turns_at_once(api):
    workflow_id = create(api, tool("slow", SLOW))
    ended = []

    def talk():
        with opened(api) as socket:
            ended.append(types(socket.turn(workflow_id=workflow_id))[-1])

    threads = [threading.Thread(target=talk) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ended == ["end_workflow"] * 8


def test_request_without_handshake_is_not_found(api):
    answer = api.get("/v1/workflow-runs/ws")

    assert isinstance(answer, httpx.Response)
    assert answer.status_code == 422


def test_vanished_client_owns_no_run(embedded, monkeypatch):
    has_asked, may_go, has_left = threading.Event(), threading.Event(), threading.Event()

    class Held(TurnLimiter):
        async def run(self, key_id, work, *, is_stop=False):
            has_asked.set()
            return await super().run(key_id, lambda: may_go.wait(10) and work(), is_stop=is_stop)

    abandon = Outbox.abandon
    monkeypatch.setattr(Outbox, "abandon", lambda self: (abandon(self), has_left.set()))
    app = create_app(embedded, turns=Held())
    with serving(embedded, app=app) as client:
        workflow_id = create(client, say("ask"))
        with opened(client) as socket:
            socket.send(workflow_id=workflow_id, command="start")
            assert has_asked.wait(10)
            socket.connection.socket.close()
        assert has_left.wait(10)
        may_go.set()

    services = app.state.services
    assert len(embedded.runs(workflow_id=workflow_id).rows) == 1
    assert services.metrics.sockets._value.get() == 0
    assert services.background_owners._owners == {}


def test_repetition_of_lost_turn_names_its_run(api, embedded):
    workflow_id, lost_id = create(api, say("ask")), new_id()
    lost = TurnClaim(
        run_id=lost_id,
        turn_number=1,
        workflow_id=workflow_id,
        version_number=0,
        begins_run=True,
        run_status="started",
        started_at=time.time(),
        owner=current_owner(),
        lease_seconds=1.0,
        pair=b'{"run_input": {}}',
        client_turn_id="lost",
        user_turn_number=1,
    )
    embedded.store.claims.take(lost)

    with opened(api) as socket:
        first = {"workflow_id": workflow_id, "command": "start"}
        ack, *_ = socket.turn(**first, miscellaneous={"client_turn_id": "lost"})
        second, *_ = socket.turn(command="data", thread_to_node_inputs=saying("Hm."))

    assert ack["workflow_run_id"] == second["workflow_run_id"] != lost_id
    assert (ack["turn_number"], second["turn_number"]) == (1, 2)
    assert len(kept_events(api, ack["workflow_run_id"])) == 2
