"""Recordings of runs against real sockets, played while no socket may connect."""

from __future__ import annotations

import base64
import re
import time

import pytest

from debugger.engine.mocks.recording import CallRecorder
from debugger.engine.mocks.recording_file import Recording
from debugger.engine.models.base import Reply
from debugger.engine.outbound import Secrets
from debugger.engine.outbound.gateway import LiveGateway, Policies
from tests.support.factories import direct, node, say, static, worker, workflow
from tests.support.http_server import HttpServer
from tests.support.model_server import KEY, provider_model, said, serving
from tests.support.no_sockets import no_sockets
from tests.support.replays import play, talk, without_ids

OPEN = Policies(write="live", contact="simulated")
SLOTS = {"type": "external_api", "name": "Slots", "api_method": "GET"}
FAULT = 500, {"error": {"message": "out of tea", "type": "fault", "code": None}}


def recorded(made, texts, **options):
    """The events of a run, and its recorder."""
    recorder = CallRecorder()
    return talk(made, texts, recorder, gateway=LiveGateway(OPEN), **options), recorder


def check_played(made, texts, events, recorder):
    """Play a recording without sockets, and compare the events."""
    with no_sockets():
        played, player = play(made, texts, recorder, gateway=LiveGateway(OPEN))
    assert without_ids(played) == without_ids(events)
    assert player.misses == [] and player.unused == []


def test_model_answers_play_without_a_request():
    answers = [
        said('{"tea": "Assam"}'),
        said("Let me look.", ("Slots", {"day": "May 1"}), ("Slots", {"day": "May 2"})),
        said("There are two."),
        (429, {"error": {"message": "slow down", "type": "rate", "code": None}}),
        said("Goodbye.", finish="length"),
        FAULT,
    ]
    with HttpServer(slots=lambda to: to.send_json([9, 10])) as http, serving(*answers) as models:
        tools = [
            {
                **SLOTS,
                "api_endpoint": http.url + "/slots?day={day}",
                "args_schema": {"type": "object", "properties": {"day": {"type": "string"}}},
            }
        ]
        made = workflow(
            worker("read", {"tea": {"type": "string"}}, llms_config=models.llm()),
            say("chat", llms_config=models.llm(max_retries=1), tools_config={"tools": tools}),
            direct("read", "chat"),
        )
        texts = ["Assam, please", "and tomorrow?", "thanks", "hello?"]
        events, recorder = recorded(made, texts, model=provider_model())
        asked = len(models.requests), len(http.received)

        check_played(made, texts, events, recorder)

        assert (len(models.requests), len(http.received)) == asked
        assert asked[0] >= 6 and asked[1] == 2
        text = Recording(tuple(recorder.calls), tuple(recorder.turns)).to_text()
    assert KEY not in text
    assert {call.request.kind for call in recorder.calls} == {"model", "service"}
    warnings = [event["warning_message"] for event in events if event["type"] == "workflow_warning"]
    assert any("out of tea" in warning for warning in warnings)


def test_late_answer_and_its_filler_play_at_once():
    with serving() as server:
        server.answers = [server.late(said("Yes, we have."))]
        group = {
            "type": "llm_group_with_backchannel",
            "llms": [server.llm()],
            "backchannel_min_patience_time_ms": 20,
            "backchannel_static_responses": ["Let me look."],
        }
        made = workflow(say("chat", llms_config=group))
        server.released.set()
        events, recorder = recorded(made, ["Any tea?"], model=SlowModel())

        check_played(made, ["Any tea?"], events, recorder)

    spoken = [event["content"] for event in events if event["type"] == "assistant_response"]
    assert spoken == ["Let me look.", "Yes, we have."]


class SlowModel:
    """A model of this process that answers after the filler was said."""

    def reply(self, prompt):
        time.sleep(0.2)
        return Reply("Yes, we have.")


@pytest.mark.parametrize("kind", ["json", "text", "binary"])
def test_http_answer_plays_as_it_came(kind):
    body = (
        b'{"rooms": 3}'
        if kind == "json"
        else b"\xff\x00 three"
        if kind == "binary"
        else "drei Zimmer ü".encode()
    )
    with HttpServer(rooms=lambda to: to.send_body(body, "text/plain; charset=utf-8")) as server:
        made = workflow(node("get", "http_request", url=server.url + "/rooms", response_format=kind))
        events, recorder = recorded(made, [None])

        check_played(made, [None], events, recorder)

        assert len(server.received) == 1


def test_failed_and_refused_calls_play_too():
    with HttpServer(gone=lambda to: to.send_json({"why": "gone"}, 404)) as server:
        url = server.url
        made = workflow(
            node("a", "http_request", url=url + "/gone"),
            node("b", "http_request", url="http://127.0.0.1:1/closed"),
            node("c", "http_request", url=url + "/write", method="DELETE"),
            direct("a", "b"),
            direct("b", "c"),
        )
        recorder = CallRecorder()
        events = talk(made, [None], recorder, gateway=LiveGateway())

        with no_sockets():
            played, _ = play(made, [None], recorder, gateway=LiveGateway())

    assert without_ids(played) == without_ids(events)
    assert [call.answer["how"] for call in recorder.calls] == ["live", "live", "blocked"]


def test_another_request_stops_the_run_and_names_the_field():
    with HttpServer(rooms=lambda to: to.send_json({"rooms": 3})) as server:

        def made(hotel):
            return workflow(
                node("get", "http_request", url=server.url + f"/rooms?hotel={hotel}"),
                static("b", "Done"),
                direct("get", "b"),
            )

        _, recorder = recorded(made("ritz"), [None])

        played, player = play(made("savoy"), [None], recorder, gateway=LiveGateway(OPEN))

        assert len(server.received) == 1
    (error,) = [event["error_message"] for event in played if event["type"] == "workflow_error"]
    assert "The recorded answer of the service 'http' of the node 'get' is for another request" in error
    assert "savoy" in error and "ritz" in error
    assert [miss.difference.where for miss in player.misses] == ["target"]
    assert len(player.unused) == 1


def test_no_planted_secret_is_in_a_recording():
    secrets = Secrets({"API_KEY": "planted-secret-1234"}, {})
    with HttpServer(echo=lambda to: to.echo()) as server:
        made = workflow(
            node(
                "get",
                "http_request",
                method="POST",
                url=server.url + "/echo?token=literal-token-99",
                headers={"Authorization": "Bearer {{API_KEY}}", "X-Api-Key": "literal-key-77"},
                body_parameters={"password": "literal-password-55", "note": "{{API_KEY}}"},
            ),
            say("chat", "Say {{API_KEY}}"),
            direct("get", "chat"),
        )
        recorder = CallRecorder()
        events = talk(
            made, ["planted-secret-1234 hello"], recorder, gateway=LiveGateway(OPEN, secrets=secrets)
        )
        text = Recording(tuple(recorder.calls), tuple(recorder.turns)).to_text()

        with no_sockets():
            played, _ = play(
                made, ["planted-secret-1234 hello"], recorder, gateway=LiveGateway(OPEN, secrets=secrets)
            )

    assert re.findall("planted-secret-1234|literal-token-99|literal-key-77|literal-password-55", text) == []
    assert without_ids(played) == without_ids(events)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("planted-secret/1234 and more".encode("utf-16"), "text/plain; charset=utf-16"),
        (b'{"k": "planted-secret\\/1234", "n": 12345678, "s": "ab12"}', "application/json"),
        (b"literal-key\\/77abc planted-secret/1234", "text/plain"),
        (b"\xff\xfe\x00 ab12 \xff", "application/octet-stream"),
    ],
)
def test_secrets_echoed_in_an_answer_are_masked_as_in_events(body, content_type):
    secrets = Secrets({"A": "planted-secret/1234", "B": "ab12", "C": "12345678"}, {})
    for kind in ("json", "text", "binary"):
        with HttpServer(echo=lambda to: to.send_body(body, content_type)) as server:
            made = workflow(node("get", "http_request", url=server.url + "/echo", response_format=kind))
            recorder = CallRecorder()
            events = talk(made, [None], recorder, gateway=LiveGateway(OPEN, secrets=secrets))

            with no_sockets():
                played, _ = play(made, [None], recorder, gateway=LiveGateway(OPEN, secrets=secrets))

        (call,) = recorder.calls
        answer = call.answer["answer"]
        text = base64.b64decode(answer["base64"]).decode("latin-1") if "base64" in answer else str(answer)
        assert not any(secret in text for secret in ("planted-secret", "ab12", "12345678"))
        if kind == "json":
            assert without_ids(played) == without_ids(events)
