from __future__ import annotations

import json

from debugger.engine.mocks import Target
from debugger.views.run_state import CurrentRun
from debugger.views.selection import Selection
from tests.support.factories import document, everywhere, node, say, static, when
from tests.views.bars import control, items, keys, use
from tests.views.bars import words as texts
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


def undecided(app, backend, settle, *parts):
    """Show a run whose first turn the stand-in has answered without an edge."""
    backend.create_workflow(document(*parts))
    app.run()
    send(app, "Hello")
    settle()


def choose_in_table(app, edge):
    use(app, "graph_view", "Table")
    use(app, "graph_table", "Edges")
    choose(app, ["edge", edge], label="The edges")
    assert not app.exception


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


def test_edge_that_no_model_chooses_leaves_form(app, backend, record):
    asked(app, backend, record, *FLOW, static("late", "Late"), when("chat", "late", "[[x]] == 1"))

    choose_in_table(app, "edge_chat_late")

    assert app.radio("desk_1_edge").value == ""
    record(CurrentRun).session.stop()


def test_other_edge_answers_single_condition(app, backend, record, settle):
    hello = static("hello", "Hi")
    edges = (when("hello", "bye", freeform="leaves"), when("hello", "orders", freeform="orders"))
    asked(app, backend, record, hello, BYE, static("orders", "Orders"), *edges)

    choose_in_table(app, "edge_hello_orders")
    settle()

    assert words(app) == ["Hello", "Hi", "Orders"]


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


def test_undecided_turn_offers_its_steps(app, backend, settle):
    undecided(app, backend, settle, *FLOW)

    offer = items(app, "undecided")
    assert offer[0]["text"] == "The stand-in chose no edge of Chat."
    assert [item["label"] for item in offer[1:]] == ["Answer as the model", "→ Bye", "→ Orders"]


def test_offered_step_is_taken_in_fork(app, backend, record, settle):
    undecided(app, backend, settle, *FLOW)
    first = record(CurrentRun).session.run_id

    use(app, "answer_with_0")
    assert app.radio("desk_1_edge").value == "edge_chat_bye"
    app.button("desk_answer").click().run()
    settle()

    assert words(app) == ["Hello", "Bye"]
    assert record(CurrentRun).session.run_id != first
    assert {"fork at turn 1", "Not checked"} <= set(texts(app))
    assert "answer_as_model" not in keys(app)


def test_offered_global_node_is_taken_in_fork(app, backend, record, settle):
    help_node = static("help", "Help", global_node_config=everywhere("The user needs help"))
    undecided(app, backend, settle, say("chat"), help_node)

    use(app, "answer_with_0")
    app.button("desk_answer").click().run()
    settle()

    assert words(app) == ["Hello", "Help"]


def test_missing_tool_is_answered_after_run_ended(app, backend, record, settle):
    sold = when("stock", "bye", "[[tool_result_success]] == true")
    undecided(app, backend, settle, node("stock", "tool_node"), BYE, sold)
    assert record(CurrentRun).session.is_over

    use(app, "answer_as_model")
    app.button("desk_answer").click().run()
    settle()

    assert words(app) == ["Hello", "Bye"]


def test_opening_of_conversation_is_not_undecided(app, backend, press):
    backend.create_workflow(document(*FLOW))
    app.run()

    press("start")

    assert "answer_as_model" not in keys(app)


def test_run_that_ended_says_why_and_leads_there(app, backend, settle):
    leaves = when("hello", "bye", freeform="The user leaves")
    undecided(app, backend, settle, static("hello", "Hi"), BYE, leaves)

    assert items(app, "run_end")[0]["text"] == "Ended: no outgoing edge of Hello matched."
    use(app, "why_ended")

    assert control(app, "inspector_tab").value == "Why"
