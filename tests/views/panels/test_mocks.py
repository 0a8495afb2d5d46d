from __future__ import annotations

from debugger.backends.base import Capabilities
from debugger.engine.mocks import Fault, Pin, Target
from debugger.views.run_state import CurrentRun, Cursor
from tests.support.factories import direct, document, node, say, static, tool, when
from tests.support.super_nodes import super_node
from tests.views.bars import captions, control, use
from tests.views.message import send
from tests.views.records import record_of
from tests.views.row_lists import column, rows
from tests.views.row_lists import use as use_row

LEAVES = when("chat", "bye", freeform="The user leaves", name="leaves")


def marked(app):
    return " ".join(markdown.value.replace("\\", "") for markdown in app.markdown)


def click(app, key):
    use(app, key)
    assert not app.exception


def opened(app, backend, *parts, view="Mocks"):
    backend.create_workflow(document(*parts))
    app.run()
    use(app, "lower_view", view)
    assert not app.exception


def test_person_answers_for_every_model_with_words_and_edge(app, backend, record):
    opened(app, backend, say("chat", "Be kind."), static("bye", "Bye"), LEAVES)
    use(app, "who_answers_choice", "Me (all model calls)")
    send(app, "Hello")
    record(CurrentRun).session.wait_until_idle(10)
    app.run()
    shown, asked = marked(app), [text.value for text in app.text]
    app.radio("desk_1_edge").set_value("edge_chat_bye").run()

    click(app, "desk_answer")
    record(CurrentRun).session.wait(10)

    assert "Answer as the model of Chat" in shown
    assert "Be kind." in asked
    assert record(CurrentRun).session.status == "completed"
    said = [
        event for event in record(CurrentRun).session.turns[0].events if event.type == "assistant_response"
    ]
    assert [event.to_wire()["content"] for event in said] == ["Bye"]


def test_output_is_pinned_from_its_event_and_pin_is_listed_with_its_hits(app, backend, record, press):
    opened(
        app, backend, tool("t", "def t():\n    return 1"), say("chat"), direct("t", "chat"), view="Timeline"
    )
    press("start")
    log = record(CurrentRun).session.turns[0]
    record(Cursor).event = next(i for i, event in enumerate(log.events) if event.type == "end_node_run")
    app.session_state["inspector_tab"] = "Event"
    app.run()

    click(app, "pin_event")
    use(app, "lower_view", "Mocks")

    (pin,) = rows(app, "Mocks")
    assert (pin["kind"], pin["state"]) == ("Pin", "from turn 1")
    assert not app.warning  # no run of the node has passed it
    assert "Mocks 1" in control(app, "lower_view").options


def test_output_of_pin_is_changed(app, backend, record):
    opened(app, backend, node("fetch", "http_request"))
    record(CurrentRun).session.mocks.put(Pin(Target("node", "fetch"), {"variables": {"n": 1}}))
    app.run()

    field = next(area for area in app.text_area if area.label == "Output as JSON")
    field.set_value('{"variables": {"n": 2}}').run()
    click(app, "change_pin")

    (pin,) = record(CurrentRun).session.mocks.all
    assert pin.output == {"variables": {"n": 2}}


def test_pin_of_tool_that_was_not_called_is_told_once_its_node_has_run(app, backend, record, settle):
    chat = say("chat", tools_config={"tools": [tool("t", "def t():\n    return 1")["tool_config"]]})
    opened(app, backend, chat)
    record(CurrentRun).session.mocks.put(Pin(Target("tool", "t", "chat"), {"result": 1}))
    send(app, "Hello")
    settle()
    use(app, "lower_view", "Mocks")

    assert any("1 pin or fault not used so far: tool t in Chat" in each.value for each in app.warning)


def test_nodes_and_tools_inside_super_nodes_are_listed(app, backend):
    inside = document(tool("look", "def look():\n    return 1"))
    opened(app, backend, super_node("desk", inside))

    nodes = app.selectbox("fault_target_node").options
    app.selectbox("fault_kind").set_value("tool").run()

    assert nodes == ["Look in Desk"]
    assert app.selectbox("fault_target_tool").options == ["look"]


def test_fault_is_added_has_its_effect_and_tells_its_hits(app, backend, record, press):
    opened(app, backend, tool("t", "def t():\n    return 1"), say("chat"), direct("t", "chat"))
    app.selectbox("fault_kind").set_value("tool").run()
    app.text_input("fault_error").set_value("timeout").run()
    click(app, "fault_add")

    press("start")

    (fault,) = record(CurrentRun).session.mocks.all
    assert fault == Fault(Target("tool", "t"), "timeout", id="fault1")
    ended = next(e.to_wire() for e in record(CurrentRun).session.turns[0].events if e.type == "end_node_run")
    assert ended["run_output"]["error_message"] == "timeout"
    assert record(CurrentRun).session.mocks.hits("fault1") == 1
    assert not app.warning


def test_fault_that_does_nothing_is_refused(app, backend, record):
    opened(app, backend, say("chat"))

    click(app, "fault_add")

    assert any("The fault does nothing" in error.value for error in app.error)
    assert record(CurrentRun).session.mocks.all == []


def test_pin_of_node_that_is_gone_is_error_in_list(app, backend, record):
    opened(app, backend, say("chat"))
    record(CurrentRun).session.mocks.put(Pin(Target("node", "gone"), {}))
    app.run()

    assert column(app, "state", "Mocks") == ["This version of the workflow has no node 'gone'."]


def test_mock_is_switched_off_and_removed_in_its_row(app, backend, record):
    opened(app, backend, say("chat"))
    record(CurrentRun).session.mocks.put(Pin(Target("node", "chat"), {}))
    app.run()
    (mock,) = record(CurrentRun).session.mocks.all

    use_row(app, mock.id, "on", False, label="Mocks")
    is_enabled = record(CurrentRun).session.mocks.all[0].is_enabled
    use_row(app, mock.id, "remove", label="Mocks")

    assert not is_enabled
    assert record(CurrentRun).session.mocks.all == []


def test_backend_that_runs_elsewhere_greys_pins_and_answers_with_reason(app, backend, monkeypatch):
    reasons = {"pins": "It runs elsewhere.", "manual_model": "It asks itself."}
    monkeypatch.setattr(type(backend), "capabilities", Capabilities(reasons))
    opened(app, backend, say("chat"))

    assert control(app, "fault_add").disabled
    assert "It runs elsewhere." in captions(app)
    assert control(app, "who_answers_choice").disabled


def test_choice_of_nodes_ends_with_run(app, backend, record, settle):
    opened(app, backend, say("chat"))
    use(app, "who_answers_choice", "Me (chosen nodes)")
    app.multiselect("who_answers_nodes").set_value(["chat"]).run()
    chosen = record(CurrentRun).session.human_input.nodes
    send(app, "Hello")
    record(CurrentRun).session.wait_until_idle(10)
    app.run()
    click(app, "desk_answer")
    settle()

    use(app, "restart")
    settle()
    use(app, "lower_view", "Mocks")

    assert chosen == {"chat"}
    assert record(CurrentRun).session.human_input.nodes == frozenset()
    assert control(app, "who_answers_choice").value == "Workflow default"
    assert not app.multiselect


def test_reload_keeps_faults_and_who_answers_and_restart_has_faults(app, view, backend, press):
    opened(app, backend, tool("t", "def t():\n    return 1"), say("chat"), direct("t", "chat"))
    press("start")
    use(app, "lower_view", "Mocks")
    app.selectbox("fault_kind").set_value("tool").run()
    app.text_input("fault_error").set_value("timeout").run()
    click(app, "fault_add")
    use(app, "who_answers_choice", "Me (all model calls)")

    again = view("debug")
    for name, value in app.query_params.items():
        again.query_params[name] = value
    again.run()
    session = record_of(again, CurrentRun).session
    reloaded = [fault.error for fault in session.mocks.all], session.human_input.asks_all
    use(again, "restart")
    sibling = record_of(again, CurrentRun).session
    sibling.wait_until_idle(10)

    assert reloaded == (["timeout"], True)
    assert sibling is not session
    assert [fault.error for fault in sibling.mocks.all] == ["timeout"]
    assert not sibling.human_input.asks_all  # that was chosen for the other run
