from __future__ import annotations

import json

import pytest

from debugger.backends.base import Capabilities
from debugger.views.run_state import CurrentRun, Cursor
from tests.support.factories import document, say, static, when
from tests.views.bars import captions, use
from tests.views.message import send
from tests.views.row_lists import drawn, rows


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
    assert "answered by stand-in" in captions(app)
    assert rows(app, "Placeholders") == [
        {"placeholder": "[[ware]]", "value": "", "source": "No value: stays as written"},
        {"placeholder": "{{shop}}", "value": '"Leaf"', "source": "Default of the workflow"},
    ]
    assert [row["description"] for row in rows(app, "Tools and transitions")] == ["the user leaves Leaf"]


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
