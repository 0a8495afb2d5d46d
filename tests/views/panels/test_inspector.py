from __future__ import annotations

import json

import pytest

from debugger.backends.base import Capabilities
from debugger.views.panels.inspector import TABS
from debugger.views.run_state import CurrentRun, Cursor, Selection
from tests.support.factories import direct, document, node, say, static, tool, when
from tests.support.timelines import build_timeline
from tests.views.bars import bars, captions, control, tell, use
from tests.views.message import send
from tests.views.row_lists import choose, column, drawn, rows, variables

COUNT = "def count(n):\n    return {'n': n + 1}\n"


def test_before_run_inspector_says_what_would_be_here(app, backend):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    use(app, "lower_view", "Breakpoints")  # unfolds the panes

    for tab in TABS:
        use(app, "inspector_tab", tab)
        assert not app.exception

    assert "commented and rated here" in captions(app)


def test_variables_show_each_scope_after_latest_event(app, backend, press):
    backend.create_workflow(
        document(
            tool("count", COUNT, {"n": 1}), say("chat"), direct("count", "chat"), defaults={"shop": "Leaf"}
        )
    )
    app.run()

    press("start")

    assert variables(app, "Dynamic") == {"shop": '"Leaf"'}
    runtime = variables(app, "Runtime")
    assert runtime["tool_result"] == '{"n": 2}'
    assert "Count.tool_result" not in runtime


def test_copies_by_node_are_shown_on_demand(app, backend, press):
    backend.create_workflow(document(tool("count", COUNT, {"n": 1}), say("chat"), direct("count", "chat")))
    app.run()
    press("start")

    use(app, "with_copies", True)

    assert any("." in name for name in variables(app, "Runtime"))


def test_one_can_step_through_events_and_back_to_latest(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    shown = [
        row.index for row in build_timeline(record(CurrentRun).session.turns) if row.importance == "high"
    ]

    use(app, "previous_event")
    first_step = record(Cursor).event
    use(app, "previous_event")
    second_step = record(Cursor).event
    use(app, "next_event")
    there = record(Cursor).event
    use(app, "back_to_live")

    assert (first_step, second_step, there) == (shown[-1], shown[-2], shown[-1])
    assert record(Cursor).event is None
    assert control(app, "next_event").disabled


def test_stepping_ends_at_first_event(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    record(CurrentRun).session.wait(10)
    app.run()
    pressed = [[number, "previous_event", None] for number in range(10_001, 10_100)]  # above those of `use`

    use(app, "timeline_density", "All events")
    tell(app, bars(app)["context_bar"], pressed)

    assert record(Cursor).event == 0
    assert control(app, "previous_event").disabled


def test_turns_are_stepped_through_and_each_press_counts(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    for text in ("One", "Two", "Three"):
        record(CurrentRun).session.send(text)
        record(CurrentRun).session.wait(10)
    app.run()
    seen = []

    for number, key in [(1, "previous_turn"), (3, "previous_turn"), (9, "previous_turn"), (20, "next_turn")]:
        tell(app, bars(app)["context_bar"], [[number, key, None], [number + 1, key, None]])
        seen.append(record(CurrentRun).session.turn_of(record(Cursor).event))

    assert record(CurrentRun).session.turns[-1].number == 4
    assert seen == [2, 1, 1, 3]


def test_chosen_event_shows_its_json_and_what_it_changed(app, backend, record, press):
    backend.create_workflow(document(tool("count", COUNT, {"n": 1}), say("chat"), direct("count", "chat")))
    app.run()
    press("start")
    events = record(CurrentRun).session.turns[0].events
    place = next(at for at, event in enumerate(events) if event.type == "workflow_show_state")

    record(Cursor).event = place
    use(app, "inspector_tab", "Changes")
    changed = column(app, "variable", "Variables that")
    use(app, "inspector_tab", "Event")

    assert "runtime.tool_result" in changed
    assert json.loads(app.json[0].value) == events[place].to_wire()


def test_chosen_node_shows_its_configuration_and_its_runs(app, backend, record, press):
    backend.create_workflow(
        document(static("a", "Hello", description="Greets"), say("chat"), direct("a", "chat"))
    )
    app.run()
    press("start")

    record(Selection).node = "a"
    use(app, "inspector_tab", "Node")

    assert json.loads(app.json[0].value)["description"] == "Greets"
    assert "self_loop_config" not in json.loads(app.json[0].value)
    assert column(app, "to", "Edges") == ["Chat"]
    assert column(app, "turn", "Runs of") == ["1"]


def test_run_of_node_leads_to_its_end(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    record(Selection).node = "a"
    use(app, "inspector_tab", "Node")
    (target,) = [row["target"] for row in drawn(app, "Runs of")["rows"]]

    choose(app, target, "Runs of")

    assert record(CurrentRun).session.turns[0].events[record(Cursor).event].type == "end_node_run"


def test_node_that_version_does_not_have_is_told_and_not_raised(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()

    record(Selection).node = "gone"
    app.run()
    use(app, "inspector_tab", "Node")

    assert not app.exception
    assert "not in this version of the workflow" in captions(app)


def test_input_of_chosen_turn_is_shown_as_it_was_sent(app, backend, record, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    send(app, "hello")
    settle()

    use(app, "inspector_tab", "Input")
    latest = json.loads(app.json[0].value)
    record(Cursor).event = 0
    app.run()

    assert latest["command"] == "data"
    assert json.loads(app.json[0].value)["thread_to_node_inputs"] == {"0": {"node_run_inputs": []}}


def test_odd_values_are_shown_and_not_raised(app, backend, press):
    code = "def odd():\n    return {'none': None, 'text': '<b>é</b>', 'list': [1, {'a': None}]}\n"
    backend.create_workflow(document(tool("odd", code), say("chat"), direct("odd", "chat")))
    app.run()

    press("start")

    values = variables(app, "Runtime")
    assert values["tool_result"] == '{"none": null, "text": "<b>é</b>", "list": [1, {"a": null}]}'
    assert values["tool_result_error"] == "null"


def test_failed_event_is_on_view_with_its_reason(app, backend, record, press):
    backend.create_workflow(document(node("x", "no_op"), direct("x", "nowhere")))
    app.run()

    press("start")
    use(app, "inspector_tab", "Event")

    assert "nowhere" in app.json[0].value or "nowhere" in captions(app)


def test_variable_that_chosen_event_has_set_bears_its_sign(app, backend, record, press):
    backend.create_workflow(document(tool("count", COUNT, {"n": 1}), say("chat"), direct("count", "chat")))
    app.run()
    press("start")
    events = record(CurrentRun).session.turns[0].events

    record(Cursor).event = next(at for at, event in enumerate(events) if event.type == "workflow_show_state")
    app.run()

    assert "+ tool_result" in variables(app, "Runtime")


def test_turns_are_walked_back_and_forth(app, backend, record, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    send(app, "good morning")
    settle()

    use(app, "previous_turn")
    index = record(Cursor).event
    assert index == len(record(CurrentRun).session.turns[0].events) - 1
    assert control(app, "previous_turn").disabled
    use(app, "next_turn")

    assert record(Cursor).event is None
    assert control(app, "next_turn").disabled


@pytest.fixture
def at_call(app, backend, record, press, settle):
    """Has a model answer, and shows the event of its call."""
    talk = say("chat", "Sell [[ware]] of {{shop}}.", self_loop=True)
    edge = when("chat", "bye", freeform="the user leaves {{shop}}")
    backend.create_workflow(document(talk, static("bye", "Bye"), edge, defaults={"shop": "Leaf"}))
    app.run()
    press("start")
    send(app, "Hello")
    settle()
    events = [event for turn in record(CurrentRun).session.turns for event in turn.events]
    record(Cursor).event = next(at for at, event in enumerate(events) if event.type == "say_llm")
    use(app, "inspector_tab", "Event")
    return events[record(Cursor).event]


def test_prompt_shows_text_and_placeholders(app, at_call):
    assert [code.value for code in app.code] == ["Sell [[ware]] of Leaf."]
    assert "answered by built-in rules" in captions(app)
    assert rows(app, "Placeholders") == [
        {"placeholder": "[[ware]]", "value": "", "source": "No value: stays as written"},
        {"placeholder": "{{shop}}", "value": '"Leaf"', "source": "Default of the workflow"},
    ]
    assert [row["description"] for row in rows(app, "Tools and transitions")] == ["the user leaves Leaf"]


def test_failed_attempts_of_a_call_are_listed(app, at_call):
    failed = {"attempt_number": 1, "error_message": "slow down", "latency_milliseconds": 20}
    at_call.to_wire()["llm_usage_info"]["request_retry_metadata"] = {"failed_attempts": [failed]}

    app.run()

    assert rows(app, "Failed attempts") == [
        {"number": "1", "kind": "Request failed", "error": "slow down", "took": "20.0 ms"}
    ]


def test_call_shows_messages_and_tools(app, at_call):
    use(app, "call_view", "Call")

    call = json.loads(app.json[0].value)

    assert call["messages"][0] == {"role": "system", "content": "Sell [[ware]] of Leaf."}
    assert call["messages"][-1] == {"role": "user", "content": "Hello"}
    assert call["tools"][0]["name"] == "Destination_Node__bye"
    use(app, "call_view", "Event")
    assert json.loads(app.json[0].value) == at_call.to_wire()


def test_call_masks_key_of_model(app, backend, record, press, settle):
    model = {"type": "openai_llm", "model": "gpt-5.4-mini", "api_key": "sk-hidden"}
    backend.create_workflow(document(say("chat", self_loop=True, llms_config=model)))
    app.run()
    press("start")
    send(app, "Hello")
    settle()
    turns = record(CurrentRun).session.turns
    events = [event.type for turn in turns for event in turn.events]
    record(Cursor).event = events.index("say_llm")
    use(app, "inspector_tab", "Event")
    use(app, "call_view", "Call")

    shown = app.json[0].value

    assert json.loads(shown)["model"]["model"] == "gpt-5.4-mini"
    assert "sk-hidden" not in shown


@pytest.mark.parametrize("shown", ["Prompt", "Call"])
def test_prompt_of_other_engine_is_not_recorded(app, backend, at_call, monkeypatch, shown):
    reasons = {"manual_model": "It runs elsewhere."}
    monkeypatch.setattr(type(backend), "capabilities", Capabilities(reasons))

    use(app, "call_view", shown)

    assert "Not recorded" in captions(app)
    assert not app.code


def test_node_shows_prompt_of_its_last_call(app, at_call):
    use(app, "inspector_tab", "Node")
    assert not app.code

    app.session_state["node_prompt"] = True
    app.run()

    assert [code.value for code in app.code] == ["Sell [[ware]] of Leaf."]
    assert drawn(app, "Placeholders")
