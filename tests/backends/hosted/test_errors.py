"""Errors of the hosted backend: requests that fail, and reads that are repeated."""

from __future__ import annotations

import gzip
import json
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from debugger.backends.hosted import HostedBackend, client
from debugger.errors import (
    AnswerError,
    ApiError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    DebuggerError,
    ForbiddenError,
    InputError,
    NotFoundError,
    NotStartableError,
    RateLimitError,
    RunEndedError,
    ServerError,
    UnsupportedError,
    WorkflowError,
)
from debugger.settings import HostedSettings
from tests.backends.hosted.peer import backend_of, first_turn, later_turn
from tests.backends.hosted.records import KEY, RUN, WORKFLOW


def test_missing_page_advises_whole_base_url(peer, hosted):
    peer.answers(404, raw=b"<h1>nginx</h1>", kind="text/html")

    with pytest.raises(AnswerError, match="404") as raised:
        hosted.workflows()

    assert "/workflows" in raised.value.advice


def test_a_redirect_is_not_followed(peer, hosted):
    peer.answers(307, Location=f"https://user:pw@login.example/start?token={KEY}")

    with pytest.raises(AnswerError, match=r"redirect \(307\) to https://login.example/start") as raised:
        hosted.create_version(WORKFLOW)

    assert "pw" not in str(raised.value)
    assert peer.count("POST") == 1


def test_server_failure_has_request_id(peer, hosted):
    peer.answers(500, {"detail": "Internal server error"}, X_Request_Id="req-7")

    with pytest.raises(ServerError, match="req-7") as raised:
        hosted.create_version(WORKFLOW)

    assert raised.value.request_id == "req-7"
    assert "may have been created" in str(raised.value)
    assert peer.count("POST") == 1


def test_rate_limit_with_date_has_wait(peer, hosted):
    moment = datetime.now(UTC) + timedelta(seconds=600)
    peer.answers(429, {"detail": "Slow down"}, Retry_After=format_datetime(moment, usegmt=True))

    with pytest.raises(RateLimitError) as raised:
        hosted.create_version(WORKFLOW)

    assert raised.value.retry_after == pytest.approx(600, abs=30)


@pytest.mark.parametrize(
    "header, wait",
    [
        ("12", 12),
        ("2.5", 2.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", None),
        ("nan", None),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", None),
    ],
)
def test_rate_limit_with_seconds_has_wait(peer, hosted, header, wait):
    peer.answers(429, {"detail": "Slow down"}, Retry_After=header)

    with pytest.raises(RateLimitError, match="Slow down") as raised:
        hosted.create_version(WORKFLOW)

    assert raised.value.retry_after == (None if wait is None else pytest.approx(wait, abs=30))
    assert peer.count("POST") == 1


@pytest.mark.parametrize(
    "body, reason",
    [({}, "no list 'workflows'"), ({"workflows": [1]}, "not an object"), ({"workflows": [{}]}, "id")],
)
def test_malformed_list_is_reported_by_fault(peer, hosted, body, reason):
    peer.answers(body=body)

    with pytest.raises(AnswerError, match=reason):
        hosted.workflows()


def test_what_is_not_http_is_told(peer, hosted):
    peer.answers(None, raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    with pytest.raises(ConnectionFailedError, match="POST http://127"):
        hosted.create_version(WORKFLOW)


def test_a_host_without_an_address_is_told():
    backend = HostedBackend(
        HostedSettings(base_url="http://nowhere.localhost.invalid/workflows", api_key=KEY)
    )

    with pytest.raises(ConnectionFailedError):
        backend.workflows()

    backend.close()


@pytest.mark.parametrize(
    "status, body, kind, words",
    [
        (400, {"message": "Bad fork", "error": "one edge only"}, WorkflowError, "one edge only"),
        (401, {"detail": "Key expired"}, AuthenticationError, "Key expired"),
        (403, {"detail": "Not yours"}, ForbiddenError, "Not yours"),
        (404, {"detail": "Workflow not found"}, NotFoundError, f"workflow '{WORKFLOW}'"),
        (409, {"detail": "Busy"}, ConflictError, "Busy"),
        (
            422,
            {"detail": [{"loc": ["body", "run_input", "command"], "msg": "bad", "type": "x"}]},
            InputError,
            "run_input.command: bad",
        ),
        (418, {"detail": "Teapot"}, ApiError, "418 Teapot"),
        (500, {"detail": "No start node found"}, NotStartableError, "No start node found"),
        (501, {"detail": "Not here"}, UnsupportedError, "Not here"),
        (503, {"detail": "Service unavailable"}, ServerError, "Service unavailable"),
        (502, [], ServerError, "502 Bad Gateway"),
    ],
)
def test_refusal_has_its_kind_and_words(peer, hosted, status, body, kind, words):
    peer.answers(status, body)

    with pytest.raises(kind) as raised:
        hosted.create_version(WORKFLOW)

    assert type(raised.value) is kind
    assert words in raised.value.message
    assert raised.value.advice or status == 501
    assert peer.count("POST") == 1


def test_a_refused_rule_keeps_its_category(peer, hosted):
    peer.answers(400, {"message": "Bad fork", "error": "one edge only"})

    with pytest.raises(WorkflowError) as raised:
        hosted.create_version(WORKFLOW)

    assert (raised.value.category, raised.value.message) == ("Bad fork", "one edge only")


def test_ended_run_is_reported_by_id(peer, hosted):
    peer.answers(404, {"detail": "Session not found"})

    with pytest.raises(RunEndedError, match=RUN):
        later_turn(hosted).finish()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_api_gets_request_again(peer, hosted, status):
    peer.answers(status, Retry_After="0")
    peer.answers(body={"workflows": []})

    assert hosted.workflows() == []

    assert peer.count("GET") == 2


def test_a_question_is_given_up_after_three_times(peer, hosted):
    for _ in range(3):
        peer.answers(503, {"detail": "Service unavailable"})

    with pytest.raises(ServerError):
        hosted.workflows()

    assert peer.count("GET") == 3


@pytest.mark.parametrize(
    ("loc", "said"), [("name", "name: too long"), (7, "7: too long"), (["body", "name"], "name: too long")]
)
def test_place_of_field_problem_has_any_shape(peer, hosted, loc, said):
    peer.answers(422, {"detail": [{"loc": loc, "msg": "too long"}]})

    with pytest.raises(InputError, match=rf"422 {said}\)"):
        hosted.create_version(WORKFLOW)


def test_long_wait_is_not_repeated(peer, hosted):
    peer.answers(429, Retry_After="3600")

    with pytest.raises(RateLimitError) as raised:
        hosted.workflows()

    assert raised.value.retry_after == 3600
    assert peer.count("GET") == 1


def test_server_failure_is_not_repeated(peer, hosted):
    peer.answers(500)

    with pytest.raises(ServerError):
        hosted.workflows()

    assert peer.count("GET") == 1


def create_version(backend):
    backend.create_version(WORKFLOW)


def execute_turn(backend):
    first_turn(backend).finish()


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 422, 500])
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
@pytest.mark.parametrize("request_to", [create_version, execute_turn])
def test_no_error_tells_the_key(peer, status, kind, request_to):
    text = json.dumps({"detail": f"Bad header Bearer {KEY}", "message": KEY, "error": KEY, "status": KEY})
    peer.answers(status, raw=text.encode(), kind=kind, Location=f"/{KEY}", X_Request_Id=KEY)

    with (
        backend_of(peer, reconciliation_timeout=0.05) as hosted,
        pytest.raises(DebuggerError) as raised,
    ):
        request_to(hosted)

    error = raised.value
    told = "".join(traceback.format_exception(error))
    assert KEY not in told + repr(error) + error.advice + str(vars(error)) + repr(hosted)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "zstd", "br"])
def test_answer_of_other_encoding_is_refused(hosted, peer, encoding):
    packed = gzip.compress(gzip.compress(b'{"workflows": []}'))
    peer.answers(raw=packed, Content_Encoding=encoding)

    with pytest.raises(AnswerError, match=f"its encoding is {encoding}"):
        hosted.workflows()


def test_answer_that_unpacks_too_far_is_refused(hosted, peer, monkeypatch):
    monkeypatch.setattr(client, "MAX_ANSWER_BYTES", 1_000_000)
    peer.answers(raw=gzip.compress(b" " * 900_000 + b'{"workflows": []}'), Content_Encoding="gzip")
    peer.answers(raw=gzip.compress(b" " * 2_000_000 + b'{"workflows": []}'), Content_Encoding="gzip")

    assert hosted.workflows() == []
    with pytest.raises(AnswerError, match="larger than 1 MB"):
        hosted.workflows()
