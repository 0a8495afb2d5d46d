"""Recordings of runs against real sockets, played while no socket may connect."""

from __future__ import annotations

import base64
import random
import re
import time

import pytest

from debugger.engine.environment import Environment
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks import RecordedAnswers
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.mocks.recording import CallRecorder
from debugger.engine.mocks.recording_file import Recording
from debugger.engine.models import HeuristicModel
from debugger.engine.models.base import Reply
from debugger.engine.options import EngineOptions, PythonStatus
from debugger.engine.outbound import OutboundCall, RecordedAnswer, Secrets
from debugger.engine.outbound.gateway import LiveGateway, Policies
from debugger.engine.run_in_memory import run
from debugger.engine.tools.simulation import ToolAnswer
from debugger.errors import NotFoundError, RunError
from debugger.expressions.limits import LimitError
from debugger.expressions.patterns import Pattern
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from tests.engine.tools.test_mcp import serving as mcp_serving
from tests.support.companions import lab
from tests.support.factories import direct, document, node, say, static, tool, when, worker, workflow
from tests.support.http_server import HttpServer
from tests.support.model_server import KEY, provider_model, said, serving
from tests.support.no_sockets import no_sockets
from tests.support.replays import Clock, NoModel, play, talk, without_ids
from tests.support.super_nodes import expanded, super_node

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


def test_run_that_is_closed_at_a_filler_plays_to_it():
    group = {
        "type": "llm_group_with_backchannel",
        "backchannel_min_patience_time_ms": 20,
        "backchannel_static_responses": ["Let me look."],
    }
    made = workflow(say("chat", llms_config=group))
    recorder = CallRecorder()
    events = run(made, ["Any tea?"], model=SlowModel(), recorder=recorder)
    next(event for event in events if event.type == "assistant_response")
    events.close()

    text = Recording.of_run(recorder).to_text()
    player = Recording.of_text(text, "file").player()
    played = list(run(made, ["Any tea?"], model=NoModel(), recorder=player))

    spoken = [event.content for event in played if event.type == "assistant_response"]
    assert spoken[0] == "Let me look."
    assert len(recorder.calls) == 1 and player.misses == [] and player.unused == []


class SlowModel:
    """A model of this process that answers after the filler was said."""

    def reply(self, prompt):
        time.sleep(0.2)
        return Reply("Yes, we have.")


class LateStop:
    """A model that asks its user to correct something, after a filler was said."""

    def reply(self, prompt):
        time.sleep(0.2)
        raise RunError("The model 'tea' has no key.", advice="Set one.")


def test_filler_before_an_error_that_ends_plays():
    group = {
        "type": "llm_group_with_backchannel",
        "backchannel_min_patience_time_ms": 20,
        "backchannel_static_responses": ["Let me look."],
    }
    made = workflow(say("chat", llms_config=group))
    events, recorder = recorded(made, ["Any tea?"], model=LateStop())

    check_played(made, ["Any tea?"], events, recorder)

    assert [event["content"] for event in events if event["type"] == "assistant_response"] == ["Let me look."]


class Costly(Pattern):
    """A pattern that takes too long."""

    def search(self, _text):
        raise LimitError("the pattern costs too much", "Simplify it.")


COSTLY = Costly("x", re.compile("x"), False)


@pytest.mark.parametrize("kind", ["service", "tool"])
def test_call_whose_error_ends_the_run_plays(kind):
    code = tool("t", "def t(n):\n    return n", {"n": "x"})
    made = workflow(code if kind == "tool" else node("get", "http_request", url="http://x.example/rooms"))
    costly = RecordedAnswers(
        calls=[RecordedAnswer(COSTLY)], tools=[ToolAnswer("t", ((("n",), COSTLY),))], win=True
    )
    refused = EngineOptions(inline_python=PythonStatus("refused"))
    events, recorder = recorded(made, [None], recorded=costly, options=refused)

    with no_sockets():
        played, player = play(made, [None], recorder, options=refused)

    assert without_ids(played) == without_ids(events)
    assert [call.request.kind for call in recorder.calls] == [kind]
    assert player.misses == [] and player.unused == []
    assert any("costs too much. Simplify it." in str(event.get("error_message")) for event in played)


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


def test_mcp_tools_and_their_list_play():
    with (
        mcp_serving() as url,
        serving(
            said("Let me look.", ("find_slots", {"day": "May 1"}), ("fail", {"reason": "closed"})),
            said("At 9."),
        ) as models,
    ):
        made = workflow(
            say("chat", llms_config=models.llm(), use_mcp_tools=True),
            mcp_servers=[{"name": "clinic", "server_url": url}],
        )
        events, recorder = recorded(made, ["Any slots?"], model=provider_model())

    check_played(made, ["Any slots?"], events, recorder)

    assert [call.request.name for call in recorder.calls if call.request.kind == "service"] == ["mcp"] * 3
    assert "May 1 09:00" in str(events) and "closed" in str(events)


class Lab:
    """A run whose companion thread polls a service, with background work between the turns."""

    def __init__(self, made, gateway, recorder, clock):
        world = Environment(now=clock.now, random=random.Random(1), sleep=clock.sleep)
        self.runs = Interpreter(made, HeuristicModel(), environment=world)
        self.gateway, self.recorder, self.clock = gateway, recorder, clock
        self.events = []
        self.past = []

    def go(self):
        state = self.runs.begin(TurnInput.with_message("Hi"))
        self.take(self.runs.turn(state, TurnInput.with_message("Hi"), **self.tools()))
        for _ in range(4):
            self.clock.seconds += 2
            self.take(self.runs.pump(state, **self.tools()))
            self.take(self.runs.pump(state, **self.tools()))  # finds nothing to do
        return without_ids(self.events)

    def tools(self):
        inspector = RunInspector(Interceptor(recorder=self.recorder))
        return {"inspector": inspector, "outbound": self.gateway, "past": lambda: self.past}

    def take(self, events):
        self.events += [event.to_wire() for event in events if event.is_persisted]


def test_background_work_plays_at_any_speed():
    with HttpServer(lab=lambda to: to.send_json(len(http.received))) as http:
        graph = lab(pause=2, checks=3)
        (poll,) = (each for each in graph["node_configs"] if each["logical_id"] == "poll")
        call = {"type": "external_api", "name": "Lab", "api_method": "GET", "api_endpoint": http.url + "/lab"}
        poll["tool_config"] = call
        made = Workflow.from_document(graph)
        recorder = CallRecorder()
        events = Lab(made, LiveGateway(OPEN), recorder, Clock()).go()

        player = Recording.of_text(Recording.of_run(recorder).to_text(), "file").player()
        with no_sockets():
            played = Lab(made, LiveGateway(OPEN), player, Clock()).go()

        assert len(http.received) >= 3
    assert played[: len(events)] == events  # a step may come at once, where nothing is waited for
    assert player.misses == [] and player.unused == []
    assert "Your results are here" in str(events)


class TickingClock(Clock):
    """A clock of which every look takes a while, as work does."""

    def __init__(self, tick):
        super().__init__()
        self.tick = tick

    def now(self):
        self.seconds += self.tick
        return self.seconds


@pytest.mark.parametrize("tick", [0.0107, 0.0125, 0.014, 0.015, 0.19, 0.7, 3.0])
def test_attempts_until_a_time_limit_play(tick):
    with HttpServer(lab=lambda to: to.send_json(None)) as http:
        call = {"type": "external_api", "name": "Lab", "api_method": "GET", "api_endpoint": http.url + "/lab"}
        limit = {"enabled": True, "expiry_time": 2, "time_between_retries": 0}
        made = workflow(
            node("poll", "tool_node", tool_config=call, self_loop_config=limit),
            say("chat"),
            static("late", "It takes too long."),
            when("poll", "chat", "[[tool_result]] == 1"),
            when("poll", "late", "[[self_loop_outcome]] == 'expiry_time'"),
        )
        events, recorder = recorded(made, [None], clock=TickingClock(tick))

        with no_sockets():
            played, player = play(made, [None], recorder, gateway=LiveGateway(OPEN))

    assert [event["type"] for event in played] == [event["type"] for event in events]
    assert player.misses == [] and player.unused == []
    assert "It takes too long." in str(played)


def test_edges_that_a_model_judges_play():
    with serving(
        said('{"is_condition_met": false}'),
        said('{"is_condition_met": true}'),
    ) as models:
        made = workflow(
            static("hi", "Hi", wait_for_user_message=True),
            static("rude", "Please."),
            static("rate", "You are welcome."),
            when("hi", "rude", freeform="the user is rude"),
            when("hi", "rate", freeform="the user is polite"),
            llms_config=models.llm(),
        )
        events, recorder = recorded(made, ["Thank you"], model=provider_model())

    check_played(made, ["Thank you"], events, recorder)

    assert [call.request.name for call in recorder.calls] == ["judge rude", "judge rate"]
    assert "You are welcome." in str(events)


def test_loaded_run_and_its_evaluation_play():
    with serving(said('{"score": 3}')) as models:
        schema = {"type": "object", "properties": {"score": {"type": "integer"}}}
        made = workflow(
            node("load", "workflow_run_fetch", workflow_run_id="run-1"),
            node(
                "judge",
                "workflow_run_evaluator",
                main_response_config={"prompt": "Score it."},
                structured_output_schema=schema,
                output_runtime_variable_name="verdict",
                llms_config=models.llm(),
            ),
            direct("load", "judge"),
        )

        def load(run_id):
            return {"workflow_run_id": run_id, "input_output_pairs": []}

        events, recorder = recorded(made, [None], model=provider_model(), load_run=load)

    with no_sockets():
        played, player = play(made, [None], recorder)  # without a store that has the run

    assert without_ids(played) == without_ids(events)
    assert player.misses == [] and player.unused == []
    assert "'score': 3" in str(events)


def test_failed_load_of_a_run_plays():
    made = workflow(node("load", "workflow_run_fetch", workflow_run_id="run-1"), static("end", "Bye"))

    def load(run_id):
        raise NotFoundError(f"There is no run {run_id!r}.", advice="Look at the list.")

    events, recorder = recorded(made, [None], load_run=load)
    played, player = play(made, [None], recorder)

    assert without_ids(played) == without_ids(events)
    assert player.unused == []
    assert "There is no run 'run-1'. Look at the list." in str(events)


def test_load_of_another_run_is_a_miss():
    def made(run_id):
        return workflow(node("load", "workflow_run_fetch", workflow_run_id=run_id), static("end", "Bye"))

    _, recorder = recorded(made("shop 1"), [None], load_run=lambda run_id: {"workflow_run_id": run_id})
    played, player = play(made("shop 2"), [None], recorder)

    assert len(player.misses) == 1
    assert "'shop 2' instead of 'shop 1'" in str(played[-1])


def test_super_node_plays_with_its_calls():
    with (
        HttpServer(rooms=lambda to: to.send_json({"rooms": 3})) as http,
        serving(said("Which day?"), said('{"day": "Monday"}')) as models,
    ):
        inside = document(
            say("ask", llms_config=models.llm()),
            worker("read", {"day": {"type": "string"}}, llms_config=models.llm(), wait_for_user_message=True),
            node("get", "http_request", url=http.url + "/rooms"),
            direct("ask", "read"),
            direct("read", "get"),
        )
        outer = workflow(super_node("booking", inside), static("end", "Bye"), direct("booking", "end"))
        made = expanded(outer).workflow
        events, recorder = recorded(made, ["Hi", "Monday"], model=provider_model())

    check_played(made, ["Hi", "Monday"], events, recorder)

    assert len(recorder.calls) == 3 and "Bye" in str(events)
    assert all("booking" in call.request.node for call in recorder.calls)


@pytest.mark.parametrize(("on_miss", "is_made"), [("stop", False), ("recorded", False), ("live", True)])
def test_call_within_an_open_call_has_no_live_side_while_recording_is_closed(on_miss, is_made):
    made = []
    call = OutboundCall(
        "model", "talk", "the model", {}, lambda _: None, live=lambda _: made.append(1) or "Hi."
    )
    interceptor = Interceptor(recorder=CallRecorder(plays=True, on_miss=on_miss))

    outcome = interceptor.call_service(call, LiveGateway(), node_logical_id="ask", timeout=5)

    assert (bool(made), outcome.how) == (is_made, "live" if is_made else "blocked")
