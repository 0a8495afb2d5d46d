from __future__ import annotations

from debugger.session.fork_draft import DYNAMIC
from debugger.views.panels.fork_actions import ForkState
from debugger.views.panels.setup import SetupState
from debugger.views.run_state import CurrentRun, RunInputs
from tests.support.factories import direct, document, everywhere, node, say, static, when, worker
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


def test_undecided_turn_offers_its_steps(app, backend, settle):
    undecided(app, backend, settle, *FLOW)

    offer = items(app, "undecided")
    assert offer[0]["text"] == "The built-in rules chose no edge of Chat."
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


def test_offered_expression_fills_output_in_fork(app, backend, record, settle):
    facts = worker("facts", {"n": {"type": "integer"}}, wait_for_user_message=False)
    undecided(app, backend, settle, facts, BYE, when("facts", "bye", "[[n]] >= 3"))

    use(app, "answer_with_0")
    assert app.text_area("desk_1_fields").value == '{\n  "n": 3\n}'
    app.button("desk_answer").click().run()
    settle()

    assert words(app) == ["Hello", "Bye"]


def advice(app):
    return [item.get("text") or item.get("label") for item in items(app, "step_advice")]


def test_selected_expression_of_answer_is_offered(app, backend, settle):
    schema = {"name": "F", "input_schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    chat = say("chat", structured_output_schema=schema)
    undecided(app, backend, settle, chat, BYE, when("chat", "bye", "[[n]] >= 3"))

    choose_in_table(app, "edge_chat_bye")

    assert advice(app) == ["Taken when [[n]] >= 3.", "Answer so"]
    use(app, "answer_so")
    app.button("desk_answer").click().run()
    settle()
    assert words(app)[-1] == "Bye"


def test_selected_expression_is_set_with_next_message(app, backend, record, settle):
    undecided(app, backend, settle, say("chat"), BYE, when("chat", "bye", "{{tier}} == 'gold' AND [[n]] > 2"))

    choose_in_table(app, "edge_chat_bye")
    shown = advice(app)
    use(app, "set_with_next")
    send(app, "Again")
    settle()

    assert shown == [
        "Taken when {{tier}} == 'gold' AND [[n]] > 2: {{tier}} = \"gold\", [[n]] = 3.",
        "Set with the next message",
    ]
    assert words(app)[-1] == "Bye"
    assert not record(RunInputs).next.value


def test_selected_expression_without_solution_is_explained(app, backend, settle):
    undecided(app, backend, settle, say("chat"), BYE, when("chat", "bye", "[[a]] == [[b]]"))

    choose_in_table(app, "edge_chat_bye")

    (sentence,) = advice(app)
    assert sentence.startswith(
        "Taken when [[a]] == [[b]]. It needs [[a]] == [[b]], and [[a]] and [[b]] must be set elsewhere"
    )


def test_selected_model_edge_has_no_advice(app, backend, settle):
    undecided(app, backend, settle, *FLOW)

    choose_in_table(app, "edge_chat_bye")

    assert "step_advice" not in keys(app)


def test_paused_run_takes_expression_now(app, backend, record, settle):
    parts = node("first", "no_op"), static("hello", "Hi"), BYE, direct("first", "hello")
    backend.create_workflow(document(*parts, when("hello", "bye", "{{tier}} == 'gold'")))
    app.run()
    session = record(CurrentRun).session
    session.breakpoints.toggle(("after",), "hello")
    send(app, "Hello")
    session.wait_until_idle(10)
    app.run()

    choose_in_table(app, "edge_hello_bye")
    shown = advice(app)
    use(app, "set_now")
    session.stepping.resume()
    settle()

    assert shown == ["Taken when {{tier}} == 'gold': {{tier}} = \"gold\".", "Set now"]
    assert words(app)[-1] == "Bye"


def test_run_that_ended_says_why_and_leads_there(app, backend, settle):
    leaves = when("hello", "bye", freeform="The user leaves")
    undecided(app, backend, settle, static("hello", "Hi"), BYE, leaves)

    assert items(app, "run_end")[0]["text"] == "Ended: no outgoing edge of Hello matched."
    use(app, "why_ended")

    assert control(app, "inspector_tab").value == "Why"


TIERS = (
    static("hello", "Hi {{name}}"),
    BYE,
    static("gold", "Gold"),
    when("hello", "bye", "{{tier}} == 'plain'"),
    when("hello", "gold", "{{tier}} == 'gold' AND [[n]] > 2"),
)


def test_missing_values_are_named_with_their_steps(app, backend, settle):
    undecided(app, backend, settle, *TIERS)

    sentence, *offers = items(app, "missing_values")
    assert sentence["text"] == "No value for {{name}}, {{tier}}."
    assert [offer["label"] for offer in offers] == [
        "→ Bye",
        "→ Gold",
        "Set in a fork …",
        "Restart with changes …",
    ]


def test_step_of_missing_values_is_taken_in_fork(app, backend, settle):
    undecided(app, backend, settle, *TIERS)

    use(app, "take_1")
    settle()

    assert words(app) == ["Hello", "Hi ", "Gold"]


def test_missing_value_is_set_in_fork(app, backend, record, settle):
    undecided(app, backend, settle, *TIERS)

    use(app, "fork_with_values")

    fork = record(ForkState)
    assert fork.first_tier == DYNAMIC
    assert {row.name: row.value for row in fork.draft.variables.rows(DYNAMIC)} == {"name": "", "tier": ""}


def test_missing_value_is_set_for_restart(app, backend, record, settle):
    undecided(app, backend, settle, *TIERS)

    use(app, "restart_with_values")

    assert record(SetupState).is_open
    assert "restart_now" in keys(app)


def test_other_values_lead_on_without_a_missing_one(app, backend, settle):
    backend.create_workflow(document(static("hello", "Hi"), BYE, when("hello", "bye", "[[n]] > 2")))
    app.run()
    send(app, "Hello")
    settle()

    assert [item.get("text") or item["label"] for item in items(app, "missing_values")] == [
        "Other values lead to:",
        "→ Bye",
    ]


def test_end_without_missing_value_offers_nothing(app, backend, settle):
    undecided(app, backend, settle, static("hello", "Hi"))

    assert "missing_values" not in keys(app)
