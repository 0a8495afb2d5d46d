"""Rules of the platform, on the embedded engine and over the server.

Each test runs its workflow embedded, over requests and over a socket, and the events have to be the same.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import HostedSettings, Settings
from tests.conformance.served import KEY, serving
from tests.conformance.test_backends import named, steady
from tests.support import model_server
from tests.support.factories import direct, document, node, say, static, when, worker
from tests.support.http_server import HttpServer
from tests.support.super_nodes import super_node

SETTINGS = {"responder": "model", "outbound_write": "live", "outbound_private": "allow"}
QUOTA = 429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}


@pytest.fixture(scope="module")
def backends(tmp_path_factory):
    """The database and the backends that use it, for the embedded engine and for a server."""
    own, served = (tmp_path_factory.mktemp(name) / "runs.sqlite3" for name in ("embedded", "served"))
    variables = {f"WORKFLOW_DEBUGGER_{name.upper()}": value for name, value in SETTINGS.items()}
    with (
        serving(f"sqlite:///{served}", served.parent, **variables) as client,
        closing(EmbeddedBackend(Settings(database=f"sqlite:///{own}", **SETTINGS))) as embedded,
    ):
        url = str(client.base_url)
        hosted, live = (
            HostedBackend(HostedSettings(base_url=url, api_key=KEY, timeout=60, live_events=events))
            for events in ("off", "auto")
        )
        with closing(hosted), closing(live):
            yield [(own, embedded), (served, hosted), (served, live)]


@pytest.fixture
def play(backends):
    """A function that runs a workflow everywhere, and returns the events of its turns.

    The function ``stored`` changes the stored document, which is then one that no save would take.
    """

    def run(*parts, texts=(), stored=None, **config):
        inputs = config.pop("inputs", {})
        happened = []
        for database, backend in backends:
            workflow_id = backend.create_workflow({**document(*parts, **config), "name": "Rules"}).id
            if stored is not None:
                _change(database, workflow_id, stored)
            first = TurnInput.with_message(None, miscellaneous=named(), **inputs)
            turns = [backend.execute(workflow_id, first).finish()]
            for text in texts:
                later = TurnInput.with_message(text, command="data", miscellaneous=named())
                turns.append(backend.execute(workflow_id, later, run_id=turns[0].run_id).finish())
            happened.append([turn.events for turn in turns])
            record = backend.run(turns[0].run_id).to_wire()
            happened[-1].append([{"status": record["status"]}])
        assert _comparable(happened[1]) == _comparable(happened[0])
        assert _comparable(happened[2]) == _comparable(happened[0])
        return happened[0]

    return run


def _comparable(events):
    """The same events without times, those of calls included, and without ids and chance."""

    def without_time(found):
        return {**found, "at": "*"} if "at" in found else found

    return steady(json.loads(json.dumps(events), object_hook=without_time))


def _change(database, workflow_id, change):
    """Change a stored document."""
    with closing(sqlite3.connect(database)) as connection, connection:
        select = "SELECT document FROM versions WHERE workflow_id = ?"
        (text,) = connection.execute(select, (workflow_id,)).fetchone()
        found = json.loads(text)
        change(found)
        update = "UPDATE versions SET document = ? WHERE workflow_id = ?"
        connection.execute(update, (json.dumps(found), workflow_id))


def types(events):
    return [event["type"] for event in events]


def said(events):
    return [event["content"] for event in events if event["type"] == "assistant_response"]


def warnings(events):
    return [event["warning_message"] for event in events if event["type"] == "workflow_warning"]


def bounded(**settings):
    return {"enabled": True, **settings}


def test_stored_loop_without_a_bound_meets_the_limit(play):
    poll = node("poll", "no_op", self_loop_config=bounded(max_retries=7))

    first, end = play(
        poll, stored=lambda found: found["node_configs"][0]["self_loop_config"].pop("max_retries")
    )

    assert types(first).count("start_node_run") == 100
    assert "'self_loop_config' enabled without a bound" in warnings(first)[0]
    assert end == [{"status": "aborted_looping_risk"}]


def test_companion_has_a_boundary_after_each_step(play):
    companion = {"is_companion_thread": True, "thread_id": "side"}

    first, _ = play(
        node("entry", "no_op"),
        static("end", "Bye."),
        node("poll", "no_op", self_loop_config=bounded(max_retries=3)),
        direct("entry", "end"),
        direct("entry", "poll", companion_thread_config=companion),
    )

    steps = [event for event in first if event["type"] == "companion_step_boundary"]
    assert [(each["attempts_completed"], each["still_active"]) for each in steps] == [
        (2, True),
        (3, True),
        (4, False),
    ]


def test_companion_finds_what_the_run_input_gave(play):
    companion = {"is_companion_thread": True, "thread_id": "side"}

    first, _ = play(
        node("entry", "no_op"),
        static("end", "Bye."),
        static("tell", "[[thread_0.who]]"),
        direct("entry", "end"),
        direct("entry", "tell", companion_thread_config=companion),
        inputs={"runtime_variables": {"who": "Ada"}},
    )

    assert said(first) == ["Ada", "Bye."]


def test_quota_used_up_is_not_asked_again(play):
    with model_server.serving(QUOTA) as server:
        chat = say("chat", llms_config=server.llm(max_retries=3), default_error_message="Sorry.")
        _, second, _ = play(chat, texts=["Hello"])

    assert len(server.requests) == 3  # one for each backend
    assert said(second) == ["Sorry."]


@pytest.mark.parametrize("schema", [{}, {"name": "Facts", "input_schema": {}}])
@pytest.mark.parametrize(
    ("make", "result"),
    [(say, "structured_output"), (worker, "structured_output"), (None, "free_form_output")],
)
def test_empty_schema_is_none(play, make, result, schema):
    with model_server.serving(model_server.said("Fine.")) as server:
        fields = {"structured_output_schema": schema, "llms_config": server.llm()}
        if make is None:
            part = node("chat", "workflow_run_evaluator", **fields)
        else:
            part = {**make("chat", wait_for_user_message=False, self_loop=False), **fields}
        first, _ = play(part, inputs={"runtime_variables": {"workflow_run_object": "{}"}})

    (output,) = [event["run_output"][result] for event in first if event["type"] == "end_node_run"]
    assert output == ("Fine." if make is None else {})
    assert said(first) == (["Fine."] if make is say else [])
    assert len(server.requests) == 3


def test_messages_are_no_retries(play):
    with model_server.serving(model_server.said("Hi.")) as server:
        chat = say("chat", llms_config=server.llm(), self_loop_config=bounded(max_retries=1))
        *turns, end = play(chat, texts=["One", "Two", "Three"])

    assert [said(turn) for turn in turns] == [[], ["Hi."], ["Hi."], ["Hi."]]
    assert end == [{"status": "waiting_for_user_input"}]


def test_saved_model_is_asked_where_it_is_known(play):
    with model_server.serving(model_server.said("Hi.")) as server:
        saved = server.llm(model="saved", named_llm_config_id="saved-1")
        turns = play(
            say("chat", attachable_llm_config_id="saved-1", llms_config=server.llm(model="inline")),
            say("other", attachable_llm_config_id="saved-2", llms_config=saved),
            direct("chat", "other"),
            texts=["Hello"],
        )

    assert {request["model"] for request in server.requests} == {"saved"}
    (warning,) = warnings(turns[0])
    assert "'saved-2'" in warning


def test_time_alone_ends_a_loop(play):
    first, end = play(
        node("poll", "no_op", self_loop_config=bounded(expiry_time=2)),
        static("late", "Too late."),
        when("poll", "late", "[[self_loop_outcome]] == 'expiry_time'"),
    )

    assert said(first) == ["Too late."]
    assert end == [{"status": "completed"}]


def test_field_value_names_the_callers_variable(play):
    values = {"dynamic_variable:caller": "dynamic_variable:phone"}

    first, _ = play(
        super_node("desk", document(static("tell", "{{caller}}")), field_values=values),
        inputs={"dynamic_variables": {"phone": "555"}},
    )

    assert said(first) == ["555"]


def test_instances_of_a_workflow_have_their_own_values(play):
    inside = document(static("tell", "{{caller}}"))
    one, two = (
        super_node(name, inside, field_values={"dynamic_variable:caller": name}) for name in ("one", "two")
    )

    first, _ = play(one, two, direct("one", "two"))

    assert said(first) == ["one", "two"]
    assert warnings(first) == []


def test_what_only_the_platform_has_is_warned_of(play):
    with (
        HttpServer(slots=lambda to: to.send_json({"free": 9})) as server,
        model_server.serving(QUOTA) as models,
    ):
        external = {
            "type": "external_api",
            "name": "slots",
            "api_endpoint": f"{server.url}/slots",
            "integration_auth": {"integration_id": "okta"},
        }
        saved = {"type": "inbuilt_function", "name": "gone", "tool_id": "665f00000000000000000001"}
        prompt = "<<<managed_prompt:tone>>> {{interactly_api_base_url}}"
        first, second, _ = play(
            node("call", "tool_node", tool_config=external),
            node("again", "tool_node", tool_config=external),
            node("gone", "tool_node", tool_config=saved),
            say("chat", prompt, llms_config=models.llm(streaming=True)),
            node("judge", "workflow_run_evaluator", is_turn_by_turn_evaluator=True),
            direct("call", "again"),
            direct("again", "gone"),
            direct("gone", "chat"),
            direct("chat", "judge"),
            evaluation_config={"evaluator_workflow_id": "evaluator-1"},
            texts=["Hello"],
        )

    names = [
        "okta",
        "665f00000000000000000001",
        "tone",
        "evaluator-1",
        "each turn",
        "interactly_api_base_url",
    ]
    for name in [*names, "streaming"]:
        assert len([text for text in warnings(first) if name in text]) == 1, name
    assert len(warnings(first)) == len(names) + 1
    assert not [text for text in warnings(second) if "only the platform" in text]


@pytest.mark.parametrize(
    ("text", "spoken"), [("Sorry {{who}}, [[why]].", ["Sorry Ada, line."]), ("", []), (None, [])]
)
def test_error_message_is_filled_in(play, text, spoken):
    with model_server.serving((400, {"error": "no"})) as server:
        chat = say("chat", llms_config=server.llm(), default_error_message=text)
        _, second, end = play(
            chat, texts=["Hello"], defaults={"who": "Ada"}, inputs={"runtime_variables": {"why": "line"}}
        )

    assert said(second) == spoken
    assert end == [{"status": "waiting_for_user_input"}]


def test_values_leave_a_body_valid(play):
    note = 'She said "no",\nand left'
    with HttpServer(notes=lambda to: to.send_json({})) as server:
        url = f"{server.url}/notes"
        tool = {
            "type": "external_api",
            "name": "note",
            "api_endpoint": url,
            "api_method": "POST",
            "api_body": '{"note": "{{note}}: {word}"}',
            "args_schema": {"type": "object", "properties": {"word": {"type": "string"}}},
        }
        play(
            node(
                "http",
                "http_request",
                url=url,
                method="POST",
                body_parameters='{"note": "{{note}}: [[word]]"}',
            ),
            node("tool", "tool_node", tool_config=tool, tool_arguments={"word": "[[word]]"}),
            direct("http", "tool"),
            inputs={"dynamic_variables": {"note": note}, "runtime_variables": {"word": 'o"k'}},
        )

    bodies = [json.loads(received.body) for received in server.received]
    assert bodies == [{"note": f'{note}: o"k'}] * 6
