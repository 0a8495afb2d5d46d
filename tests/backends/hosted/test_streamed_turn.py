from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest
from tests.backends.live_peer import (
    ACCOUNTS,
    ACK,
    KEY,
    OVER,
    READY,
    RUN,
    SAID,
    WAITS,
    WORKFLOW,
    Peer,
    event,
    serving,
    silence,
    talking,
)

from debugger.errors import (
    AnswerError,
    ConflictError,
    ConnectionFailedError,
    InputError,
    NotFoundError,
    NotStartableError,
    RequestTimeoutError,
    RunEndedError,
)
from debugger.protocol.runs import TurnInput


@pytest.fixture
def peer():
    peer = Peer()
    with serving(peer):
        yield peer


@pytest.fixture
def hosted(peer):
    with talking(peer) as backend:
        yield backend


def first_turn(backend, **options):
    return backend.execute(WORKFLOW, TurnInput.saying("Hello"), **options).finish()


def later_turn(backend, **options):
    return first_turn(backend, run_id=RUN, **options)


def on_record(*pairs, status="waiting_for_user_input"):
    turns = [{"run_input": {"command": "data"}, "run_output": {"events": list(events)}} for events in pairs]
    run = {"workflow_run_id": RUN, "workflow_id": WORKFLOW, "status": status, "input_output_pairs": turns}
    return {"workflow_run": {"_id": RUN, "workflow_run": run}}


# What is sent


def test_a_turn_is_one_flat_frame(peer, hosted):
    given = TurnInput.saying("Hello", run_by="qa", dynamic_variables={"shop": "Leaf"})

    hosted.execute(WORKFLOW, given, version_number=2).finish()

    frame = peer.frames[0]
    assert (frame["workflow_id"], frame["command"], frame["run_by"]) == (WORKFLOW, "start", "qa")
    assert frame["version_number"] == 2
    assert frame["dynamic_variables"] == {"shop": "Leaf"}
    assert frame["thread_to_node_inputs"]["0"]["node_run_inputs"][0]["messages"][0]["content"] == "Hello"
    assert "run_input" not in frame
    assert peer.posted == []


def test_a_later_turn_names_its_run(peer, hosted):
    hosted.execute(WORKFLOW, TurnInput.saying("More", command="data"), run_id=RUN).finish()

    assert peer.frames[0]["workflow_run_id"] == RUN


def test_secrets_of_an_input_are_not_sent(peer, hosted):
    given = TurnInput.from_wire({"secret_variables": {"pin": "1234"}})

    hosted.execute(WORKFLOW, given).finish()

    assert "1234" not in str(peer.frames)
    assert peer.frames[0]["thread_to_node_inputs"] == {"0": {"node_run_inputs": []}}


def test_a_handshake_says_who_asks(peer):
    with talking(peer, team_id="team", user_id="user") as backend:
        first_turn(backend)

    headers = peer.handshakes[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (headers["teamid"], headers["uuid"]) == ("team", "user")
    assert headers["x-interactly-api-version"] == "2026-04-01"
    assert headers["user-agent"].startswith("workflow-debugger/")
    assert "origin" not in headers
    assert peer.handshakes[0].url.query == ""


def test_a_token_is_minted_at_the_root_of_the_host_and_shown(peer, hosted):
    peer.token = "one & only"

    first_turn(hosted)

    assert peer.handshakes[0].query_params["token"] == "one & only"


@pytest.mark.parametrize("token", [7, {"a": 1}])
def test_what_is_no_token_is_not_shown(peer, hosted, token):
    peer.token = token

    first_turn(hosted)

    assert peer.handshakes[0].url.query == ""


def test_the_key_is_in_no_log(peer, hosted, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # the peer's own

    first_turn(hosted)

    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
    assert KEY not in caplog.text


def test_version_0_is_asked_for_by_a_request_where_another_one_is_active(peer, hosted):
    first_turn(hosted, version_number=0)

    assert peer.frames == []
    assert peer.posted[0]["run_input"]["version_number"] == 0


def test_what_may_be_too_long_for_a_frame_goes_by_a_request(peer, hosted):
    hosted.execute(WORKFLOW, TurnInput.saying("a" * 1_000_000)).finish()

    assert (len(peer.posted), peer.handshakes) == (1, [])


@pytest.mark.parametrize("command", ["stop", "pause"])
def test_what_is_over_at_once_goes_by_a_request(peer, hosted, command):
    hosted.execute(WORKFLOW, TurnInput(command=command), run_id=RUN).finish()

    assert (len(peer.posted), peer.handshakes) == (1, [])


# What is heard


def test_events_come_as_they_happen_and_the_result_is_made_of_them(peer, hosted):
    stream = hosted.execute(WORKFLOW, TurnInput.saying("Hello"))

    kinds = [event.type for event in stream]

    assert kinds == [frame["type"] for frame in (SAID, WAITS, ACCOUNTS, READY)]
    result = stream.result
    assert (result.run_id, result.status, result.turn_number) == (RUN, "waiting_for_user_input", 1)
    assert (result.is_waiting_for_input, result.is_completed, result.error) == (True, False, None)
    assert result.next_input_hint == WAITS
    assert result.events == [SAID, WAITS, ACCOUNTS, READY]
    assert (result.has_active_companions, result.has_background_work) == (False, False)
    assert hosted.capabilities.reason_against("live_events") is None


def test_an_event_is_there_before_the_turn_goes_on(peer, hosted):
    heard = threading.Event()

    async def talk(socket):
        await socket.receive_json()
        await socket.send_json(ACK)
        await socket.send_json(SAID)
        assert await asyncio.to_thread(heard.wait, 5)
        await socket.send_json(ACCOUNTS)
        await socket.send_json(OVER)

    peer.talk = talk
    stream = iter(hosted.execute(WORKFLOW, TurnInput.saying("Hello")))

    first = next(stream)
    heard.set()

    assert first.to_wire() == SAID
    assert [event.type for event in stream] == ["end_workflow_iteration", "end_workflow"]


def test_a_run_that_is_over_says_so(peer, hosted):
    peer.talk = peer.says(ACK, SAID, ACCOUNTS, OVER, close=(1000,))

    result = first_turn(hosted)

    assert (result.status, result.is_completed, result.next_input_hint) == ("completed", True, None)


def test_companions_that_still_run_are_work_in_the_background(peer, hosted):
    ready = {**READY, "active_companion_thread_ids": ["0_companion_lab"]}
    peer.talk = peer.says(ACK, WAITS, ACCOUNTS, ready)

    result = first_turn(hosted)

    assert (result.has_active_companions, result.has_background_work) == (True, True)


def test_a_failed_run_has_its_error(peer, hosted):
    failure = event("workflow_error", 9, error_message="No way out")
    peer.talk = peer.says(ACK, SAID, failure, close=(1000,))
    peer.record = on_record([SAID, failure], status="failed")

    result = first_turn(hosted)

    assert (result.status, result.error, result.turn_number) == ("failed", "No way out", 1)


def test_a_pause_ends_the_turn(peer, hosted):
    peer.talk = peer.says(ACK, event("pause_thread", 8), ACCOUNTS)

    result = later_turn(hosted)

    assert (result.status, result.is_waiting_for_input, result.is_completed) == ("paused", False, False)


def test_a_turn_whose_number_is_not_told_is_looked_up(peer, hosted):
    peer.talk = peer.says(ACK, SAID, WAITS, READY)
    peer.record = on_record([event("assistant_response", 0)], [SAID, WAITS, READY])

    assert later_turn(hosted).turn_number == 2


def test_a_turn_after_which_nobody_says_anything_is_looked_up(peer, hosted):
    peer.talk = peer.says(ACK, SAID, ACCOUNTS)
    peer.record = on_record([SAID, ACCOUNTS], status="running")

    result = first_turn(hosted)

    assert (result.status, result.has_background_work) == ("running", True)


def test_events_of_a_type_that_is_not_known_are_passed_on(peer, hosted):
    odd = event("future", 7, more={"a": [1]})
    peer.talk = peer.says(ACK, odd, ACCOUNTS, OVER)

    assert first_turn(hosted).events[0] == odd


@pytest.mark.parametrize("frame", ["nonsense", "[1]", '{"type": "say_llm", "timestamp": "soon"}'])
def test_a_frame_that_is_not_the_protocol_is_told(peer, hosted, frame):
    peer.talk = peer.says(ACK, frame)

    with pytest.raises(AnswerError):
        first_turn(hosted)


# Where no socket can be had


@pytest.mark.parametrize("status", [200, 401, 403, 404, 426, 500])
def test_a_refused_handshake_leads_to_one_request(peer, hosted, status):
    peer.refuses_with = status

    result = first_turn(hosted)
    first_turn(hosted)

    assert result.is_completed
    assert len(peer.posted) == 2
    assert len(peer.handshakes) == 1  # not tried again at once
    reason = hosted.capabilities.reason_against("live_events")
    assert "all at once" in reason


def test_a_redirect_is_not_followed(peer, hosted):
    peer.refuses_with = 307
    peer.away = {"Location": f"{peer.url.replace('http', 'ws')}/v1/workflow-runs/ws"}

    first_turn(hosted)

    assert (len(peer.handshakes), len(peer.posted)) == (1, 1)


def test_a_socket_that_can_be_had_again_is_told(peer, hosted, monkeypatch):
    monkeypatch.setattr("debugger.backends.live_socket.SHUT_FOR", 0.0)
    peer.refuses_with = 503
    first_turn(hosted)
    before = hosted.capabilities.reason_against("live_events")
    peer.refuses_with = None

    first_turn(hosted)

    assert "503" in before
    assert hosted.capabilities.reason_against("live_events") is None


def test_live_events_can_be_switched_off(peer):
    with talking(peer, live_events="off") as backend:
        first_turn(backend)
        reason = backend.capabilities.reason_against("live_events")

    assert "INTERACTLY_LIVE_EVENTS" in reason
    assert (len(peer.posted), peer.handshakes) == (1, [])


# Where the socket is lost


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (4006, "no state", InputError),
        (4007, "expired", ConflictError),
        (4404, "Session not found", RunEndedError),
        (4404, "There is no such workflow.", NotFoundError),
        (4409, "under way", ConflictError),
        (4422, "bad", InputError),
        (1011, "No start node found", NotStartableError),
    ],
)
def test_a_turn_that_is_refused_is_told_by_its_kind(peer, hosted, code, reason, error):
    peer.talk = peer.says(close=(code, reason))

    with pytest.raises(error) as raised:
        later_turn(hosted)

    assert type(raised.value) is error
    assert "WebSocket" in raised.value.message or reason in raised.value.message
    assert peer.posted == []


@pytest.mark.parametrize("close", [(1000,), (1001,), (1011, "keepalive ping timeout"), (1012,)])
def test_a_turn_that_was_not_heard_to_its_end_is_looked_up_and_not_sent_again(peer, hosted, close):
    peer.talk = peer.says(ACK, SAID, close=close)
    peer.record = on_record([SAID, WAITS, ACCOUNTS, READY])

    stream = hosted.execute(WORKFLOW, TurnInput.saying("Hello"))
    heard = [event.to_wire() for event in stream]

    assert heard == [SAID, WAITS, ACCOUNTS, READY] == stream.result.events
    assert (stream.result.status, stream.result.turn_number) == ("waiting_for_user_input", 1)
    assert (len(peer.frames), peer.posted) == (1, [])


def test_a_turn_that_comes_on_record_later_is_waited_for(peer, hosted):
    peer.talk = peer.says(ACK, SAID, close=(1012,))
    threading.Timer(0.7, lambda: setattr(peer, "record", on_record([SAID, OVER], status="completed"))).start()

    assert first_turn(hosted).status == "completed"


def test_a_turn_that_is_not_on_record_may_have_been_run(peer, hosted):
    peer.talk = peer.says(ACK, SAID, close=(1012,))
    peer.record = on_record([event("assistant_response", 77)])

    with pytest.raises(ConnectionFailedError, match="may have been run") as raised:
        later_turn(hosted)

    assert "before you send the turn again" in raised.value.advice
    assert "1012" in raised.value.message
    assert peer.posted == []


def test_a_first_turn_whose_run_was_never_told_may_have_been_run(peer, hosted):
    peer.talk = peer.says(close=(1012,))

    with pytest.raises(ConnectionFailedError, match="run of the turn is not known"):
        first_turn(hosted)

    assert peer.posted == []


def test_a_server_that_says_nothing_is_given_up(peer):
    peer.talk = silence
    with (
        talking(peer, timeout=0.3) as backend,
        pytest.raises(RequestTimeoutError, match=r"0.3 s.* may have been run"),
    ):
        first_turn(backend)

    assert peer.posted == []


# Stopping


def test_a_cancelled_turn_is_stopped_over_its_socket(peer, hosted):
    cancelled = threading.Event()

    async def talk(socket):
        peer.frames.append(await socket.receive_json())
        await socket.send_json(ACK)
        await socket.send_json(SAID)
        peer.frames.append(await socket.receive_json())
        await socket.send_json(ACCOUNTS)
        await socket.close(1000)

    peer.talk = talk
    peer.record = on_record([SAID, ACCOUNTS], status="cancelled")
    stream = hosted.execute(WORKFLOW, TurnInput.saying("Hello"), cancelled=cancelled)
    heard = []
    for one in stream:
        heard.append(one.type)
        cancelled.set()

    assert peer.frames[1] == {"command": "stop", "workflow_id": WORKFLOW, "workflow_run_id": RUN}
    assert heard == ["assistant_response", "end_workflow_iteration"]
    assert (stream.result.status, stream.result.run_id) == ("cancelled", RUN)
    assert peer.posted == []


def test_a_stop_that_nobody_answers_is_given_up(peer):
    peer.talk = peer.says(ACK, SAID)
    cancelled = threading.Event()
    with talking(peer, timeout=0.5) as backend:
        stream = backend.execute(WORKFLOW, TurnInput.saying("Hello"), cancelled=cancelled)
        began = time.monotonic()
        for _ in stream:
            cancelled.set()

    assert (stream.result.status, stream.result.run_id) == ("cancelled", RUN)
    assert "no longer waited for" in stream.result.error
    assert time.monotonic() - began < 5


def test_a_turn_that_is_cancelled_before_it_begins_is_not_sent(peer, hosted):
    cancelled = threading.Event()
    cancelled.set()

    result = first_turn(hosted, cancelled=cancelled)

    assert result.status == "cancelled"
    assert (peer.frames, peer.posted) == ([], [])
