from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from debugger.session.fork_draft import DYNAMIC
from debugger.views.panels.fork_actions import ForkState
from debugger.views.panels.setup import SetupState
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction
from tests.support.factories import direct, document, everywhere, node, say, static, tool, when, worker
from tests.views.bars import control, items, keys, lines_of, use
from tests.views.bars import words as texts
from tests.views.message import send
from tests.views.records import record_of
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
    """Show a run whose first turn the built-in rules has answered without an edge."""
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


def test_steps_without_a_button_are_counted_and_shown(app, backend, settle):
    nodes = [static(f"n{number}") for number in range(6)]
    edges = [when("chat", each["logical_id"], freeform="The user leaves") for each in nodes]
    undecided(app, backend, settle, say("chat"), *nodes, *edges)
    assert items(app, "undecided")[-1]["label"] == "2 more"

    use(app, "more_undecided")

    assert control(app, "inspector_tab").value == "Why"


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


GO = "Answer as the model: go here"


def steps(app):
    """Return the lines of the possible next steps: destination, what takes it, and the button's words."""
    use(app, "inspector_tab", "Why")
    lines, place = [], 0
    while f"next_step_{place}" in lines_of(app):
        lines.append(tuple(item.get("text") or item["label"] for item in items(app, f"next_step_{place}")))
        place += 1
    return lines


def test_undecided_steps_are_in_why_and_are_taken_there(app, backend, settle):
    undecided(app, backend, settle, *FLOW)

    assert steps(app) == [
        ("→ Bye", "when the model chooses it", GO),
        ("→ Orders", "when the model chooses it", GO),
    ]
    use(app, "go_0")
    app.button("desk_answer").click().run()
    settle()

    assert words(app) == ["Hello", "Bye"]


def test_direct_edge_is_taken_by_a_message(app, backend, press, settle):
    backend.create_workflow(document(say("chat"), BYE, direct("chat", "bye")))
    app.run()
    press("start")

    assert steps(app) == [("→ Bye", "always", "Send “OK.”: go here")]
    use(app, "go_0")
    settle()

    assert words(app)[-1] == "Bye"


def test_direct_edge_of_a_paused_run_is_run_to(app, backend, record, settle):
    backend.create_workflow(document(static("hello", "Hi"), BYE, direct("hello", "bye")))
    app.run()
    session = record(CurrentRun).session
    session.breakpoints.toggle(("after",), "hello")
    use(app, "start")
    session.wait_until_idle(10)
    app.run()

    assert steps(app) == [("→ Bye", "always", "Run to here")]
    use(app, "go_0")
    session.wait_until_idle(10)

    assert session.stop_point.text == "Before Bye."


def test_conditional_edge_ahead_is_the_next_answer(app, backend, press, record, settle):
    backend.create_workflow(document(*FLOW))
    app.run()
    press("start")

    assert [line[::2] for line in steps(app)] == [("→ Bye", GO), ("→ Orders", GO)]
    use(app, "go_0")
    assert steps(app)[0][1].endswith("your next answer begins with it")
    send(app, "Hello")
    record(CurrentRun).session.wait_until_idle(10)
    app.run()
    assert app.radio("desk_1_edge").value == "edge_chat_bye"
    app.button("desk_answer").click().run()
    settle()

    assert words(app)[-1] == "Bye"


STOCK = {
    "type": "inline_python",
    "name": "look_up",
    "code": "def look_up(item):\n    return {'left': 3}",
    "args_schema": {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]},
    "result_runtime_variable_name": "stock",
}


def fed(app, backend):
    """Open a workflow in which a tool of the model decides an edge."""
    chat = say("chat", tools_config={"tools": [STOCK]})
    backend.create_workflow(document(chat, BYE, when("chat", "bye", "[[stock.left]] > 2")))
    app.run()


def test_tool_that_the_node_has_not_feeds_no_edge(app, backend, press):
    chat = say("chat", tools_config={"tools": [STOCK]})
    backend.create_workflow(document(chat, BYE, when("chat", "bye", "[[a]] != [[a]] AND [[b]]")))
    app.run()
    press("start")

    ((_, sentence),) = steps(app)
    assert "[[a]] and [[b]] must be set elsewhere" in sentence


def test_edge_that_a_tool_feeds_is_taken_by_its_call(app, backend, press, record, settle):
    fed(app, backend)
    press("start")

    assert steps(app) == [("→ Bye", "when [[stock.left]] > 2", GO)]
    use(app, "go_0")
    send(app, "Hello")
    record(CurrentRun).session.wait_until_idle(10)
    app.run()
    assert app.checkbox("desk_1_tool_0_on").value
    assert json.loads(app.text_area("desk_1_tool_0_args").value).keys() == {"item"}
    notes = [note.value.replace("\\", "") for note in app.caption]
    assert "The edge is taken when `[[stock.left]] > 2`, which the result of look_up decides." in notes
    app.button("desk_answer").click().run()
    record(CurrentRun).session.wait_until_idle(10)
    app.run()
    app.button("desk_answer").click().run()
    settle()

    assert words(app)[-1] == "Bye"


def test_step_chosen_while_the_form_is_open_fills_in_its_tool(app, backend, record):
    fed(app, backend)
    record(CurrentRun).session.human_input.asks_all = True
    send(app, "Hello")
    record(CurrentRun).session.wait_until_idle(10)
    app.run()
    assert not app.checkbox("desk_1_tool_0_on").value

    steps(app)
    use(app, "go_0")

    assert app.checkbox("desk_1_tool_0_on").value
    record(CurrentRun).session.stop()


def test_selected_edge_has_its_step_alone(app, backend, settle):
    undecided(app, backend, settle, *FLOW)

    choose_in_table(app, "edge_chat_orders")

    assert [line[0] for line in steps(app)] == ["→ Orders"]


def test_expression_of_answer_is_taken_in_fork(app, backend, settle):
    schema = {"name": "F", "input_schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    chat = say("chat", structured_output_schema=schema)
    undecided(app, backend, settle, chat, BYE, when("chat", "bye", "[[n]] >= 3"))

    assert steps(app) == [("→ Bye", "when [[n]] >= 3", GO)]
    use(app, "go_0")
    app.button("desk_answer").click().run()
    settle()
    assert words(app)[-1] == "Bye"


def test_expression_is_set_with_next_message(app, backend, record, settle):
    undecided(app, backend, settle, say("chat"), BYE, when("chat", "bye", "{{tier}} == 'gold' AND [[n]] > 2"))

    shown = steps(app)
    use(app, "go_0")
    send(app, "Again")
    settle()

    values = '{{tier}} = "gold", [[n]] = 3.'
    assert shown == [
        ("→ Bye", f"when {{{{tier}}}} == 'gold' AND [[n]] > 2: {values}", "Set with the next message"),
    ]
    assert words(app)[-1] == "Bye"


def test_expression_without_solution_says_what_it_needs(app, backend, settle):
    undecided(app, backend, settle, say("chat"), BYE, when("chat", "bye", "[[a]] != [[a]] AND [[b]]"))

    ((_, sentence),) = steps(app)
    assert sentence.startswith(
        "when [[a]] != [[a]] AND [[b]]. "
        "It needs [[a]] != [[a]] AND [[b]], and [[a]] and [[b]] must be set elsewhere"
    )


def test_paused_run_takes_expression_now(app, backend, record, settle):
    parts = node("first", "no_op"), static("hello", "Hi"), BYE, direct("first", "hello")
    backend.create_workflow(document(*parts, when("hello", "bye", "{{tier}} == 'gold'")))
    app.run()
    session = record(CurrentRun).session
    session.breakpoints.toggle(("after",), "hello")
    send(app, "Hello")
    session.wait_until_idle(10)
    app.run()

    shown = steps(app)
    use(app, "go_0")
    session.stepping.resume()
    settle()

    assert shown == [("→ Bye", "when {{tier}} == 'gold': {{tier}} = \"gold\".", "Set now")]
    assert words(app)[-1] == "Bye"


def test_paused_run_takes_expression_inside_an_object(app, backend, record, settle):
    parts = node("first", "no_op"), static("hello", "Hi"), BYE, direct("first", "hello")
    backend.create_workflow(document(*parts, when("hello", "bye", "{{parcel.state}} == 'LOST'")))
    app.run()
    session = record(CurrentRun).session
    session.breakpoints.toggle(("after",), "hello")
    send(app, "Hello")
    session.wait_until_idle(10)
    app.run()

    shown = steps(app)
    use(app, "go_0")
    session.stepping.resume()
    settle()

    wanted = 'when {{parcel.state}} == \'LOST\': {{parcel}} = {"state": "LOST"}.'
    assert shown == [("→ Bye", wanted, "Set now")]
    assert words(app)[-1] == "Bye"


def test_node_that_is_about_to_decide_an_edge_is_answered_for(app, backend, record, settle):
    coin = tool("coin", "def toss():\n    return 'heads'", result_runtime_variable_name="coin")
    heads, tails = when("coin", "win", "[[coin]] == 'heads'"), when("coin", "lose", "[[coin]] == 'tails'")
    backend.create_workflow(document(coin, static("win", "Win"), static("lose", "Lose"), heads, tails))
    app.run()
    session = record(CurrentRun).session
    session.breakpoints.toggle(("before",), "coin")
    send(app, "Hello")
    session.wait_until_idle(10)
    app.run()

    shown = steps(app)
    use(app, "go_1")
    session.stepping.resume()
    settle()

    assert shown[1] == (
        "→ Lose",
        "when [[coin]] == 'tails', which Coin decides: "
        '[[coin]] = "tails", [[coin_success]] = true, [[coin_error]] = null.',
        "Answer as the node: go here",
    )
    assert words(app)[-1] == "Lose"


def test_request_that_failed_is_answered_for_in_fork(app, backend, record, settle):
    fetch = node("fetch", "http_request", url="https://shop.example/stock", method="POST")
    won = when("fetch", "win", "[[http_request_result_success]] == true")
    lost = when("fetch", "lose", "[[http_request_result_success]] == false")
    undecided(app, backend, settle, fetch, static("win", "Win"), static("lose", "Lose"), won, lost)
    offer = [item.get("text") or item["label"] for item in items(app, "failed_calls")]

    use(app, "pin_0")
    settle()

    assert offer == ["No answer for Fetch.", "→ Win"]
    assert words(app) == ["Hello", "Win"]
    assert [pin.target.name for pin in record(CurrentRun).session.mocks.all] == ["fetch"]


def test_node_that_has_run_is_not_answered_for(app, backend, record):
    coin = tool("coin", "def toss():\n    return 'heads'", result_runtime_variable_name="coin")
    backend.create_workflow(document(coin, BYE, when("coin", "bye", "[[coin]] == 'tails'")))
    app.run()
    session = record(CurrentRun).session
    session.breakpoints.toggle(("after",), "coin")
    send(app, "Hello")
    session.wait_until_idle(10)
    app.run()

    assert steps(app) == [("→ Bye", "when [[coin]] == 'tails': [[coin]] = \"tails\".", "Set now")]
    session.stop()


def test_step_of_missing_values_is_in_why(app, backend, settle):
    undecided(app, backend, settle, *TIERS)

    assert steps(app)[1] == ("→ Gold", 'taken with {{tier}} = "gold", [[n]] = 3', "Run again: go here")
    use(app, "go_1")
    settle()

    assert words(app) == ["Hello", "Hi ", "Gold"]


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


PRESSED = """
from debugger.session.step_values import OpenedStep
from debugger.views.panels import next_steps
from debugger.views.shell import run

run("debug")
{press}
"""


@pytest.mark.parametrize(
    "press",
    [
        "next_steps.fork_with_values(['name'])",
        "next_steps.take_with_values(OpenedStep('Bye', 'edge_1', ()))",
    ],
)
def test_press_without_a_turn_is_ignored(clean, backend, press):
    """A button that is still on view may be pressed when another run was opened."""
    backend.create_workflow(document(say("chat")))
    app = AppTest.from_string(PRESSED.format(press=press))

    app.run()

    assert not record_of(app, CurrentRun).session.turns
    assert record_of(app, LastAction).error is None
