from __future__ import annotations

import json

import pytest

from debugger.engine.mocks import Target
from debugger.views.run_state import CurrentRun, Cursor, Selection
from tests.support.factories import direct, document, say, static, when, worker
from tests.views.bars import use
from tests.views.message import send
from tests.views.row_lists import choose
from tests.views.talk import words

BYE = static("bye", "Bye")
ORDER = when(
    "chat",
    "orders",
    freeform="The user asks for an order",
    condition={"args_schema": {"type": "object", "properties": {"number": {"type": "integer"}}}},
)
FLOW = (say("chat"), BYE, static("orders", "Orders"), when("chat", "bye", freeform="The user leaves"), ORDER)


def asked(app, backend, record, *parts):
    """Show a run whose first turn waits for the user to answer for a model."""
    backend.create_workflow(document(*parts))
    app.run()
    record(CurrentRun).session.human_input.asks_all = True
    send(app, "Hello")
    record(CurrentRun).session.wait_until_idle(10)
    app.run()


def choose_in_table(app, edge):
    use(app, "graph_view", "Table")
    use(app, "graph_table", "Edges")
    choose(app, ["edge", edge], label="The edges")
    assert not app.exception


def answered_elsewhere(app, backend, record):
    """Show the form of a model that another tab has answered for: the next one waits."""
    two = [worker(name, {"a": {"type": "string"}}, wait_for_user_message=False) for name in ("one", "two")]
    asked(app, backend, record, *two, BYE, direct("one", "two"), direct("two", "bye"))
    session = record(CurrentRun).session
    session.human_input.use_fallback()
    session.wait_until_idle(10)
    assert session.human_input.pending.number == 2
    return session


def marked(app):
    return [markdown.value.replace("\\", "") for markdown in app.markdown]


def test_edge_of_graph_is_chosen_with_arguments(app, backend, record, settle):
    asked(app, backend, record, *FLOW)

    choose_in_table(app, "edge_chat_orders")
    chosen, args = app.radio("desk_1_edge").value, app.text_area("desk_1_args_2").value
    app.button("desk_answer").click().run()
    settle()

    assert (chosen, json.loads(args)) == ("edge_chat_orders", {"number": 0})
    assert words(app) == ["Hello", "Orders"]
    assert record(Selection).edge == "edge_chat_orders"


def test_edge_that_no_answer_takes_is_explained(app, backend, record):
    asked(app, backend, record, *FLOW, static("late", "Late"), when("chat", "late", "[[x]] == 1"))

    choose_in_table(app, "edge_chat_late")

    assert app.radio("desk_1_edge").value == ""
    assert any(
        "cannot take the edge. It needs [[x]] == 1, and [[x]]"
        in each.value.replace("\\", "").replace("`", "")
        for each in app.caption
    )
    record(CurrentRun).session.stop()


def test_expression_of_graph_fills_output(app, backend, record, settle):
    facts = worker("facts", {"kind": {"enum": ["new", "old"]}}, wait_for_user_message=False)
    edges = when("facts", "bye", "[[kind]] == 'new'"), when("facts", "orders", "[[kind]] == 'old'")
    asked(app, backend, record, facts, BYE, static("orders", "Orders"), *edges)
    first = json.loads(app.text_area("desk_1_fields").value)

    choose_in_table(app, "edge_facts_orders")
    filled = json.loads(app.text_area("desk_1_fields").value)
    app.button("desk_answer").click().run()
    settle()

    assert (first, filled) == ({"kind": "new"}, {"kind": "old"})
    assert words(app) == ["Hello", "Orders"]


def test_expression_replaces_chosen_edge(app, backend, record, settle):
    schema = {"name": "F", "input_schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    late = when("chat", "late", "[[n]] >= 3")
    chat = say("chat", structured_output_schema=schema)
    asked(app, backend, record, chat, *FLOW[1:], static("late", "Late"), late)
    app.radio("desk_1_edge").set_value("edge_chat_bye").run()

    choose_in_table(app, "edge_chat_late")
    chosen = app.radio("desk_1_edge").value
    app.button("desk_answer").click().run()
    settle()

    assert chosen == ""
    assert words(app)[-1] == "Late"


def test_other_edge_answers_single_condition(app, backend, record, settle):
    hello = static("hello", "Hi")
    edges = (when("hello", "bye", freeform="leaves"), when("hello", "orders", freeform="orders"))
    asked(app, backend, record, hello, BYE, static("orders", "Orders"), *edges)

    choose_in_table(app, "edge_hello_orders")
    settle()

    assert words(app) == ["Hello", "Hi", "Orders"]


def test_edge_in_past_answers_nothing(app, backend, record):
    edges = (when("hello", "bye", freeform="leaves"), when("hello", "orders", freeform="orders"))
    asked(app, backend, record, static("hello", "Hi"), BYE, static("orders", "Orders"), *edges)
    inquiry = record(CurrentRun).session.human_input.pending
    record(Cursor).event = 0
    app.run()

    choose_in_table(app, "edge_hello_orders")

    assert record(CurrentRun).session.human_input.pending is inquiry
    record(CurrentRun).session.stop()


def test_argument_of_wrong_type_is_reported_at_field(app, backend, record):
    asked(app, backend, record, *FLOW)
    app.radio("desk_1_edge").set_value("edge_chat_orders").run()
    app.text_area("desk_1_args_2").set_value('{"number": "two"}').run()

    app.button("desk_answer").click().run()

    assert any("number: 'two' is not of type 'integer'" in text for text in marked(app))
    assert app.text_area("desk_1_args_2").value == '{"number": "two"}'
    assert record(CurrentRun).session.human_input.pending is not None
    record(CurrentRun).session.stop()


def test_answer_that_is_no_json_is_kept(app, backend, record):
    schema = {"name": "F", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    asked(app, backend, record, say("chat", structured_output_schema=schema))
    assert json.loads(app.text_area("desk_1_fields").value) == {"city": "city"}
    app.text_area("desk_1_fields").set_value("{city").run()

    app.button("desk_answer").click().run()

    assert any("This is not JSON" in text for text in marked(app))
    assert app.text_area("desk_1_fields").value == "{city"
    record(CurrentRun).session.stop()


def test_answer_can_be_given_again_from_now_on(app, backend, record):
    asked(app, backend, record, say("chat"))
    app.text_area("desk_1_text").set_value("Good day").run()
    app.checkbox("desk_1_pin").check().run()

    app.button("desk_answer").click().run()

    (pin,) = record(CurrentRun).session.mocks.all
    assert pin.target == Target("model", "chat")
    assert pin.output["text"] == "Good day"


@pytest.mark.parametrize("button", ["desk_answer", "desk_rules"])
def test_stale_form_answers_no_other_prompt(app, backend, record, button):
    session = answered_elsewhere(app, backend, record)

    app.button(button).click().run()

    assert session.human_input.pending.number == 2
    assert any("answered already" in error.value for error in app.error)
    session.stop()
