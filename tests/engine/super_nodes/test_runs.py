from __future__ import annotations

from itertools import pairwise

import pytest

from tests.support.factories import direct, document, node, say, static, tool, when, worker, workflow
from tests.support.super_nodes import Run, expanded, super_node

BLOCK = ["start_node_run", "say_static", "assistant_response", "end_node_run", "workflow_show_state"]
HOP = ["direct_edge", "workflow_navigation_message"]


def test_inner_nodes_run_in_place():
    booking = document(static("ask", "When?"), static("done", "Booked."), direct("ask", "done"))
    run = Run(
        workflow(
            static("hello", "Hello"),
            super_node("booking", booking),
            static("bye", "Bye"),
            direct("hello", "booking"),
            direct("booking", "bye"),
        )
    )

    run.turn()

    types = [each["type"] for each in run.events]
    assert types == [
        *(BLOCK + HOP) * 3,
        *BLOCK,
        "end_thread",
        "end_workflow_iteration",
        "end_workflow",
    ]
    assert run.said == ["Hello", "When?", "Booked.", "Bye"]
    assert run.path == ["hello", "booking/ask", "booking/done", "bye"]
    hops = [
        (each["source_node_logical_id"], each["source_node_name"], each["destination_node_logical_id"])
        for each in run.of("direct_edge")
    ]
    assert hops == [
        ("hello", "Hello", "booking/ask"),
        ("booking/ask", "Ask", "booking/done"),
        ("booking/done", "Done", "bye"),
    ]


def test_start_super_node_begins_inside():
    inside = document(static("not_here", "No"), static("here", "Yes", is_start=True))
    run = Run(workflow(super_node("first", inside), static("bye", "Bye"), direct("first", "bye")))

    run.turn()

    assert run.path == ["first/here", "bye"]


def test_nested_super_nodes_run_one_inside_the_other():
    card = document(static("card", "Card?"))
    pay = document(static("price", "10"), super_node("how", card), direct("price", "how"))
    run = Run(workflow(super_node("pay", pay), static("bye", "Bye"), direct("pay", "bye")))

    run.turn()

    assert run.path == ["pay/price", "pay/how/card", "bye"]


def test_super_nodes_separate_their_variables():
    pick = document(
        tool("pick", "def pick(x): return x", {"x": "{{now}}"}),
        static("tell", "[[pick.tool_result_success]] [[Pick.tool_result_success]]"),
        direct("pick", "tell"),
    )
    run = Run(
        workflow(
            super_node("one", super_workflow_id="w"),
            super_node("two", super_workflow_id="w"),
            direct("one", "two"),
        ),
        w=pick,
    )

    run.turn()

    variables = run.of("workflow_show_state")[-1]["runtime_variables"]
    assert run.said == ["true true", "true true"]
    assert {"one/pick.tool_result_success", "two/pick.tool_result_success"} <= set(variables)


def test_a_disabled_super_node_is_passed_by():
    run = Run(
        workflow(
            static("hello", "Hello"),
            super_node("skipped", disabled=True, super_workflow_id="missing"),
            static("bye", "Bye"),
            direct("hello", "skipped"),
            direct("skipped", "bye"),
        )
    )

    run.turn()

    assert run.said == ["Hello", "Bye"]


def test_inner_model_can_leave_early():
    talk = document(say("talk", self_loop=True), static("end", "Never"), when("talk", "end", freeform="end"))
    run = Run(
        workflow(super_node("s", talk), static("out", "Out"), when("s", "out", freeform="leave", name="exit"))
    )

    run.turn("leave")

    [hop] = run.of("conditional_edge")
    assert run.path == ["s/talk", "out"]
    assert (hop["edge_name"], hop["source_node_logical_id"]) == ("exit", "s/talk")


def test_conditional_edge_leaves_from_the_end():
    count = document(node("a", "no_op"), static("b", "Counted."), direct("a", "b"))
    run = Run(
        workflow(
            super_node("s", count),
            static("yes", "Yes"),
            static("no", "No"),
            when("s", "no", "[[no_op_result_success]] == false"),
            when("s", "yes", "[[no_op_result_success]] == true"),
        )
    )

    run.turn()

    assert run.path == ["s/a", "s/b", "yes"]


def test_inner_condition_precedes_the_exits():
    inside = document(
        worker("w", {"fact": {"type": "string"}}),
        static("inner", "Inner"),
        when("w", "inner", "[[fact]] == 'x'"),
    )
    run = Run(
        workflow(super_node("s", inside), static("outer", "Outer"), when("s", "outer", "[[fact]] == 'x'"))
    )

    run.turn("x")

    assert run.path == ["s/w", "s/inner", "outer"]


def test_inner_worker_is_no_end():
    inside = document(
        say("talk", self_loop=False),
        worker("beside", {"fact": {"type": "string"}}),
        {**direct("talk", "beside"), "type": "companion"},
    )
    run = Run(workflow(super_node("s", inside), static("bye", "Bye"), direct("s", "bye")))

    run.turn("hello")

    assert run.path == ["s/talk", "s/beside", "bye"]
    assert [each["source_node_logical_id"] for each in run.of("direct_edge")] == ["s/talk"]


def test_worker_can_be_a_super_node():
    inside = document(worker("note", {"fact": {"type": "string"}}))
    run = Run(
        workflow(
            say("talk", self_loop=False),
            super_node("notes", inside),
            static("bye", "Bye [[notes/note.fact]]"),
            {**direct("talk", "notes"), "type": "companion"},
            direct("talk", "bye"),
        )
    )

    run.turn("hello")

    [beside] = run.of("companion_edge")
    assert beside["destination_node_logical_id"] == "notes/note"
    assert run.said[-1] == "Bye hello"


def test_dynamic_argument_is_not_taken_for_a_node():
    customer = {"argument_name": "a", "source": "dynamic", "variable_path": "customer.cups", "required": True}
    one = {"argument_name": "b", "source": "literal", "literal_value": 1}
    adding = {"type": "inbuilt_function", "name": "math_add", "variable_arguments": [customer, one]}
    inside = document(
        static("customer", "Hi"),
        node("add", "tool_node", tool_config=adding),
        static("bye", "[[tool_result]]"),
        direct("customer", "add"),
        direct("add", "bye"),
    )
    run = Run(workflow(super_node("s", inside)))

    run.turn(dynamic_variables={"customer": {"cups": 41}})

    assert run.said == ["Hi", "42"]


def test_companion_edge_out_of_super_node_keeps_its_id():
    inside = document(say("talk", self_loop=False))
    fork = direct("s", "poll", companion_thread_config={"is_companion_thread": True, "thread_id": "bg"})
    beside = {**direct("s", "note"), "type": "companion"}
    notes = worker("note", wait_for_user_message=False)
    run = Run(
        workflow(
            super_node("s", inside), static("bye"), static("poll"), notes, direct("s", "bye"), fork, beside
        )
    )

    run.turn("hello")

    assert {each["edge_logical_id"] for each in run.of("companion_edge")} == {"edge_s_poll", "edge_s_note"}


def test_prompts_belong_to_their_workflow():
    inside = document(
        say("inner", "Inner.", self_loop=False),
        node("plain", "say_llm", self_loop=False),
        direct("inner", "plain"),
        default_prompt_prefix="Inner prefix.",
        default_prompt_suffix="Inner suffix.",
        main_response_config={"prompt": "Inner default."},
    )
    run = Run(
        workflow(
            super_node("s", inside),
            say("outer", "Outer.", wait_for_user_message=False, self_loop=False),
            direct("s", "outer"),
            default_prompt_prefix="Outer prefix.",
            main_response_config={"prompt": "Outer default."},
        )
    )

    run.turn("a")
    run.turn("b")

    assert [prompt.system for prompt in run.listener.prompts] == [
        "Inner prefix.\n\nInner.\n\nInner suffix.",
        "Inner prefix.\n\nInner default.\n\nInner suffix.",
        "Outer prefix.\n\nOuter.",
    ]


def test_values_reach_the_inner_workflow():
    interface = {
        "input_fields": [
            {
                "name": "greeting",
                "value_type": "string",
                "mappings": [
                    {
                        "target_type": "node_config_field",
                        "target_node_or_edge_logical_id": "hi",
                        "target_field_path": "static_messages_config.static_messages[0]",
                    }
                ],
            },
            {
                "name": "city",
                "required": False,
                "default_value": "Oslo",
                "mappings": [{"target_type": "dynamic_variable", "target_variable_name": "city"}],
            },
        ]
    }
    hi = document(static("hi", "?"), static("where", "{{city}} {{country}}"), direct("hi", "where"))
    hi["workflow_config"]["miscellaneous"]["default_dynamic_variables"] = {
        "city": "Rome",
        "country": "Norway",
    }
    outer = workflow(
        super_node("s", hi, super_node_interface=interface, field_values={"greeting": "Hi {{user}}"}),
        defaults={"user": "Ada"},
    )
    by_default, supplied = Run(outer), Run(outer)

    by_default.turn()
    supplied.turn(dynamic_variables={"city": "Bergen"})

    assert by_default.said == ["Hi Ada", "Oslo Norway"]
    assert supplied.said == ["Hi Ada", "Bergen Norway"]


def test_outer_variable_reaches_filters_and_indexes():
    inside = document(
        static(
            "hi", "{{word | append: caller.name}} [[no_op_result_success | upcase | append: caller.name]]"
        ),
        static("item", "{{items[place]}} {{word | append: 'caller'}} {{global.caller.name}}"),
        direct("hi", "item"),
    )
    values = {"dynamic_variable:caller": "{{phone}}", "dynamic_variable:place": "{{at.index}}"}
    run = Run(
        workflow(node("first", "no_op"), super_node("s", inside, field_values=values), direct("first", "s"))
    )

    run.turn(
        dynamic_variables={"word": "O ", "phone": {"name": "Ada"}, "items": ["a", "b"], "at": {"index": 1}}
    )

    assert run.said == ["O Ada TRUEAda", "b O caller Ada"]


@pytest.mark.parametrize(
    ("given", "set_by", "found"),
    [
        ("{{phone}}", "other", "dynamic Ada"),
        ("{{phone}}", "caller", "runtime Bob"),
        ("[[no_op_result_success]]", "other", "True"),
        ("{{caller.name}}", "other", "outer"),
    ],
)
def test_auto_argument_reads_inner_then_outer(given, set_by, found):
    argument = {"argument_name": "who", "variable_path": "caller"}
    inside = document(
        tool("t", f"def t(): return {{'{set_by}': 'runtime Bob', 'phone': 'wrong'}}"),
        tool("caller", "def caller(who): return str(who)"),
        static("tell", "[[tool_result]]"),
        direct("t", "caller"),
        direct("caller", "tell"),
    )
    inside["node_configs"][0]["tool_config"]["expand_result_into_runtime_variables"] = True
    inside["node_configs"][1]["tool_config"]["variable_arguments"] = [argument]
    values = {"dynamic_variable:caller": given}
    run = Run(
        workflow(node("first", "no_op"), super_node("s", inside, field_values=values), direct("first", "s"))
    )

    run.turn(dynamic_variables={"phone": "dynamic Ada", "caller": {"name": "outer"}})

    assert run.said == [found]


def test_auto_argument_keeps_its_dynamic_path():
    argument = {"argument_name": "who", "variable_path": "ask.name"}
    inside = document(
        static("ask", "Hi"),
        tool("t", "def t(who): return who"),
        static("tell", "[[tool_result]]"),
        direct("ask", "t"),
        direct("t", "tell"),
    )
    inside["node_configs"][1]["tool_config"]["variable_arguments"] = [argument]
    run = Run(workflow(super_node("s", inside)))

    run.turn(dynamic_variables={"ask": {"name": "Ada"}})

    assert run.said == ["Hi", "Ada"]


def test_outer_variable_reaches_inner_one():
    inside = document(
        tool(
            "t",
            "def t(who): return who",
            {"who": "{{caller.name}}"},
            preserve_argument_types=True,
        ),
        static("tell", "{{caller.name | upcase}} {{last}} {{both}} [[t.tool_result]]"),
        static("end", "Known."),
        direct("t", "tell"),
        when("tell", "end", "{{caller.name}} == 'Ada'"),
    )
    inside["node_configs"][0]["tool_config"]["variable_arguments"] = [
        {"argument_name": "who", "variable_path": "caller.name"}
    ]
    values = {
        "dynamic_variable:caller": "{{phone}}",
        "dynamic_variable:last": "[[no_op_result_success]]",
        "dynamic_variable:both": "a {{b}}",
    }
    deep = document(super_node("deep", inside))
    run = Run(
        workflow(node("first", "no_op"), super_node("s", deep, field_values=values), direct("first", "s"))
    )

    run.turn(dynamic_variables={"phone": {"name": "Ada"}})

    assert run.said == ["ADA true a {{b}} Ada", "Known."]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("dynamic_variable:phone", "Ada"),
        ("dynamic_variable:phone.name", "Ada"),
        ("runtime_variable:no_op_result_success", "true"),
        ("dynamic_variable: a word", "dynamic_variable: a word"),
    ],
)
def test_field_value_names_a_variable_of_the_caller(given, said):
    text = "{{caller.name | default: caller}}" if given.endswith("phone") else "{{caller}}"
    inside = document(static("tell", text))
    inside["super_node_interface"] = {
        "input_fields": [
            {
                "name": "Caller",
                "value_type": "any" if " " in given else "integer",  # checked once it has a value
                "mappings": [{"target_type": "dynamic_variable", "target_variable_name": "caller"}],
            }
        ]
    }
    deep = document(super_node("deep", inside, field_values={"Caller": "dynamic_variable:who"}))
    around = super_node("s", deep, field_values={"dynamic_variable:who": given})
    run = Run(workflow(node("first", "no_op"), around, direct("first", "s")))

    run.turn(dynamic_variables={"phone": {"name": "Ada"}})

    assert run.said == [said]


def test_instances_have_values_of_their_own():
    inside = document(
        static("tell", "{{desk.name}} {{global.desk.name | upcase}}"),
        super_node("deep", document(static("low", "{{desk.name}}"))),
        direct("tell", "deep"),
    )
    one, two, three = (
        super_node(node_id, inside, field_values={"dynamic_variable:desk": {"name": name}})
        for node_id, name in (("front-desk", "Ada"), ("2", "Bob"), ("third", "Ada"))
    )
    outer = static("end", "{{desk.name}}")
    flow = workflow(
        one, two, three, outer, *(direct(*way) for way in pairwise(["front-desk", "2", "third", "end"]))
    )
    run = Run(flow)

    run.turn()

    assert run.said == ["Ada ADA", "Ada", "Bob BOB", "Bob", "Ada ADA", "Ada", "Ada"]
    assert expanded(flow).warnings == ()
