"""Sockets: how they are opened, kept between the turns of a run, and given up."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from pydantic import SecretStr
from starlette.websockets import WebSocketDisconnect

from debugger.errors import AuthenticationError, ConflictError, ConnectionFailedError
from debugger.protocol.runs import TurnInput
from tests.backends.hosted.peer import backend_of, first_turn, later_turn
from tests.backends.hosted.records import KEY, RUN, WORKFLOW
from tests.backends.hosted.socket_peer import ABORT, SILENT, serving


@pytest.fixture
def peer():
    with serving() as peer:
        yield peer


@pytest.fixture
def hosted(peer):
    with backend_of(peer, connect_timeout=0.5) as backend:
        yield backend


def wait_until_closed(hosted):
    """Wait until the client has noticed that the server has closed the run's idle socket."""
    deadline = time.monotonic() + 2
    while not hosted._connector._idle[RUN].is_closed:
        assert time.monotonic() < deadline
        time.sleep(0.01)


# The handshake


def test_handshake_carries_the_credentials(peer):
    with backend_of(peer, team_id="team", user_id="user") as backend:
        first_turn(backend).finish()

    headers = peer.handshakes[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (headers["teamid"], headers["uuid"]) == ("team", "user")
    assert headers["x-interactly-api-version"] == "2026-04-01"
    assert headers["user-agent"].startswith("workflow-debugger/")
    assert "origin" not in headers
    assert peer.handshakes[0].url.query == ""


@pytest.mark.parametrize(
    "token, query", [("one & only", "one & only"), (7, "7"), ([7], None), ({"a": 1}, None)]
)
def test_handshake_carries_a_token_where_there_is_one(peer, hosted, token, query):
    peer.token = token

    first_turn(hosted).finish()

    assert peer.handshakes[0].query_params.get("token") == query


@pytest.mark.parametrize("times, query", [(1, "one"), (2, None)])
def test_token_is_unpacked_once(peer, hosted, times, query):
    peer.token, peer.packs_token = "one", times

    first_turn(hosted).finish()

    assert peer.handshakes[0].query_params.get("token") == query


def test_key_is_in_no_log(peer, hosted, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # the peer's own

    first_turn(hosted).finish()

    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
    assert KEY not in caplog.text


@pytest.mark.parametrize("status", [200, 401, 403, 404, 426, 500])
def test_refused_handshake_leads_to_one_request(peer, hosted, status):
    peer.refuses_with = status

    result = first_turn(hosted).finish()
    first_turn(hosted).finish()

    assert result.turn_number == 1
    assert (len(peer.posted), len(peer.handshakes)) == (2, 1)  # not tried again at once
    assert "all at once" in hosted.capabilities.reason_against("live_events")


def test_redirect_of_the_handshake_is_not_followed(peer, hosted):
    peer.refuses_with = 307
    peer.refusal_headers = {"Location": f"{peer.url.replace('http', 'ws')}/v1/workflow-runs/ws"}

    first_turn(hosted).finish()

    assert (len(peer.handshakes), len(peer.posted)) == (1, 1)


def test_handshake_is_tried_again_later(peer, hosted, monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.websocket.REOPEN_SECONDS", 0.0)
    peer.refuses_with = 503
    first_turn(hosted).finish()
    before = hosted.capabilities.reason_against("live_events")
    peer.refuses_with = None

    first_turn(hosted).finish()

    assert "503" in before
    assert hosted.capabilities.reason_against("live_events") is None


def test_live_events_can_be_switched_off(peer):
    with backend_of(peer, live_events="off") as backend:
        first_turn(backend).finish()
        reason = backend.capabilities.reason_against("live_events")

    assert "INTERACTLY_LIVE_EVENTS" in reason
    assert (len(peer.posted), peer.handshakes) == (1, [])


# Turns that need a request


def test_version_0_is_requested_unless_active(peer, hosted):
    first_turn(hosted, version_number=0).finish()

    assert peer.frames == []
    assert peer.posted[0]["run_input"]["version_number"] == 0


def test_initial_state_goes_as_a_request(peer, hosted):
    hosted.execute(WORKFLOW, TurnInput.with_message("Hello", initial_state={"threads": {}})).finish()

    assert (len(peer.posted), peer.handshakes) == (1, [])
    assert peer.posted[0]["run_input"]["initial_state"] == {"threads": {}}


def test_large_input_goes_as_a_request(peer, hosted):
    hosted.execute(WORKFLOW, TurnInput.with_message("a" * 1_000_000)).finish()

    assert (len(peer.posted), peer.handshakes) == (1, [])


@pytest.mark.parametrize("command", ["stop", "pause"])
def test_short_commands_go_as_a_request(peer, hosted, command):
    peer.records.add_run("Hello")

    hosted.execute(WORKFLOW, TurnInput(command=command), run_id=RUN).finish()

    assert (len(peer.posted), peer.handshakes) == (1, [])


# One socket per run


def test_later_turns_use_the_run_s_socket(peer, hosted):
    first_turn(hosted).finish()
    second = later_turn(hosted).finish()
    third = later_turn(hosted, number=3).finish()

    assert (second.turn_number, third.turn_number) == (2, 3)
    assert (len(peer.handshakes), len(peer.frames), peer.requested) == (1, 3, [RUN])
    assert [frame.get("workflow_run_id") for frame in peer.frames] == [None, RUN, RUN]


def test_each_run_has_a_socket_of_its_own(peer, hosted):
    first = first_turn(hosted).finish()
    second = first_turn(hosted).finish()
    later_turn(hosted).finish()

    assert first.run_id != second.run_id
    assert (len(peer.handshakes), peer.open) == (2, 2)


def test_close_closes_idle_sockets(peer):
    with backend_of(peer) as backend:
        first_turn(backend).finish()
        first_turn(backend).finish()
        assert peer.open == 2

    assert peer.all_closed.wait(2)


@pytest.mark.parametrize("turn", [first_turn, later_turn])
def test_turn_after_close_is_not_sent(peer, monkeypatch, turn):
    monkeypatch.setattr("debugger.backends.hosted.turns.RESEND_WAIT", 0.0)
    with backend_of(peer) as backend:
        first_turn(backend).finish()
        backend.close()

        with pytest.raises(ConnectionFailedError, match="closed") as raised:
            turn(backend).finish()

    assert not raised.value.was_sent
    assert (len(peer.frames), peer.posted) == (1, [])


def test_turn_that_ends_after_close_keeps_no_socket(peer):
    peer.records.add_run("Hello")
    with backend_of(peer) as backend:
        stream = later_turn(backend)
        next(stream)
        backend.close()

        stream.finish()

    assert peer.all_closed.wait(2)


def test_new_credentials_end_the_socket_of_a_turn(peer, hosted):
    stream = first_turn(hosted)
    next(stream)
    hosted.replace_credentials(hosted._client.settings.model_copy(update={"api_key": SecretStr("sk-new")}))
    stream.finish()

    later_turn(hosted).finish()

    keys = [socket.headers["authorization"] for socket in peer.handshakes]
    assert keys == [f"Bearer {KEY}", "Bearer sk-new"]


def test_idle_sockets_are_bounded(peer, hosted, monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.websocket.MAX_IDLE", 2)
    for _ in range(4):
        first_turn(hosted).finish()

    later_turn(hosted).finish()  # the first run's socket is closed, so that one more is opened

    assert len(peer.handshakes) == 5


def test_abandoned_turn_closes_its_socket(peer, hosted):
    peer.says("ack", 0, SILENT)
    stream = first_turn(hosted)
    next(stream)

    stream.close()

    assert peer.all_closed.wait(2)


def test_background_work_closes_the_socket(peer, hosted):
    ready = {"type": "workflow_ready_for_input", "logical_id": "r", "active_companion_thread_ids": ["0_lab"]}
    peer.says("ack", 0, 1, 2, ready)

    result = first_turn(hosted).finish()

    assert (result.has_active_companions, result.has_background_work) == (True, True)
    assert peer.all_closed.wait(2)


def test_server_closing_sockets_is_learned_once(peer, hosted):
    peer.closes_after_turn = True
    first_turn(hosted).finish()
    wait_until_closed(hosted)

    results = [later_turn(hosted, number=number).finish() for number in (2, 3)]

    assert [result.turn_number for result in results] == [2, 3]
    assert (len(peer.handshakes), len(peer.frames), peer.requested) == (3, 3, [RUN])


def test_socket_per_turn_is_closed_afterwards(peer, hosted):
    peer.closes_after_turn = True
    first_turn(hosted).finish()
    wait_until_closed(hosted)
    peer.closes_after_turn = False

    later_turn(hosted).finish()

    assert peer.all_closed.wait(2)


@pytest.mark.parametrize("parts", [(SILENT,), (0, 1, 2, 3)], ids=["silence", "events"])
def test_unacknowledged_second_turn_is_reconciled_and_learned(peer, hosted, parts):
    first_turn(hosted).finish()
    peer.says(*parts)

    stream = later_turn(hosted)
    events = list(stream)
    third = later_turn(hosted, number=3).finish()
    later_turn(hosted, number=4).finish()

    assert events[0].type == "assistant_response"
    assert (len(events), stream.result.turn_number, third.turn_number) == (4, 2, 3)
    assert len(stream.progress.record.turns) == 2
    assert (len(peer.handshakes), len(peer.frames)) == (3, 4)
    assert len(peer.records.executed) == 4


def test_refused_second_turn_keeps_the_socket(peer, hosted):
    first_turn(hosted).finish()
    peer.says(close=(4401, "expired"), executes=False)
    with pytest.raises(AuthenticationError):
        later_turn(hosted).finish()

    later_turn(hosted).finish()
    later_turn(hosted, number=3).finish()

    assert len(peer.handshakes) == 2


@pytest.mark.parametrize("close", [None, (1001, "restart"), (1011, "timeout")])
def test_socket_that_died_between_turns_is_replaced(peer, hosted, close):
    async def die(socket, frame):
        await peer._turn(socket, frame)
        if close is None:
            peer._connection().abort()
        else:
            await socket.close(*close)
        raise WebSocketDisconnect

    peer.script.append(die)
    first_turn(hosted).finish()
    wait_until_closed(hosted)

    second = later_turn(hosted).finish()
    later_turn(hosted, number=3).finish()

    assert second.turn_number == 2
    assert (len(peer.handshakes), peer.requested) == (2, [RUN])


def test_late_frame_of_an_idle_socket_closes_it(peer, hosted):
    late = {"type": "assistant_response", "logical_id": "late", "content": "of no turn"}
    sent = threading.Event()

    async def speak_late(socket, frame):
        await peer._turn(socket, frame)
        await socket.send_json(late)
        sent.set()

    peer.script.append(speak_late)
    first_turn(hosted).finish()
    assert sent.wait(2)

    result = later_turn(hosted).finish()

    assert "of no turn" not in str(result.events)
    assert result.turn_number == 2


def test_cut_second_turn_is_reconciled(peer, hosted):
    first_turn(hosted).finish()
    peer.says("ack", 0, ABORT)

    stream = later_turn(hosted)
    events = list(stream)

    assert (len(events), stream.result.turn_number) == (4, 2)
    assert len({event.logical_id for event in events}) == 4


# Expected numbers


@pytest.mark.parametrize("checks", [True, False])
def test_expected_number_is_sent_where_checked(peer, hosted, checks):
    peer.checks_numbers = checks

    first_turn(hosted).finish()
    later_turn(hosted).finish()

    assert [frame.get("expected_turn_number") for frame in peer.frames] == ([1, 2] if checks else [None] * 2)


def test_conflict_on_a_socket_is_waited_for(peer, hosted, monkeypatch):
    monkeypatch.setattr("debugger.backends.hosted.turns.RESEND_WAIT", 0.02)
    peer.records.add_run("Hello")
    peer.says(close=(4409, "under way"), executes=False)

    assert later_turn(hosted).finish().turn_number == 2
    assert len(peer.frames) == 2


def test_conflict_with_newer_turns_is_stale(peer, hosted):
    peer.records.add_run("Hello", "By another client")
    peer.says(close=(4409, "turn 2 is taken"), executes=False)
    stream = later_turn(hosted)

    with pytest.raises(ConflictError, match="turn 2 came first"):
        stream.finish()

    assert (len(stream.progress.record.turns), len(peer.frames)) == (2, 1)


def test_large_later_input_goes_as_a_request(peer, hosted):
    first_turn(hosted).finish()

    later_turn(hosted, "a" * 1_000_000).finish()

    assert (len(peer.posted), len(peer.frames)) == (1, 1)
    assert peer.all_closed.wait(2)


def test_proxy_without_library_leads_to_a_request(peer, monkeypatch):
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"socks": "socks5://127.0.0.1:9"})
    monkeypatch.setattr("urllib.request.proxy_bypass", lambda _host: False)

    with backend_of(peer, base_url=peer.url.replace("127.0.0.1", "0.0.0.0")) as backend:
        assert first_turn(backend).finish().turn_number == 1

    assert len(peer.posted) == 1
