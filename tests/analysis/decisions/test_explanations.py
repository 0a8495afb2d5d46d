"""Explanations of decisions in sentences."""

from __future__ import annotations

import pytest

from debugger.analysis.decisions import DecisionLog, Explainer
from debugger.analysis.variables import Snapshots
from debugger.engine.models import Script
from debugger.engine.super_nodes import expand
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES, script_for
from tests.analysis.played import played_turns
from tests.backends.one_turn import is_over, open_backend, step
from tests.engine.test_scheduler import Background, lab, poller
from tests.samples.lab_call import DOCUMENT, calling
from tests.samples.test_clinic import call
from tests.support.decisions import as_recorded, explained, played, verdicts, why
from tests.support.factories import direct, everywhere, node, say, static, tool, when, worker, workflow
from tests.support.generated import SEEDS, generate

COUNT = "def count(n):\n    return n + 1\n"


def counter(**fields):
    return tool("count", COUNT, {"n": 1}, result_runtime_variable_name="n", **fields)


def turn_that_went_to(destination):
    """A turn as any backend records it: the counter has counted to two, and an edge of its was taken."""
    events = [
        {"type": "start_node_run", "origin_node_logical_id": "count"},
        {"type": "end_node_run", "origin_node_logical_id": "count"},
        {"type": "workflow_show_state", "thread_id": "0", "runtime_variables": {"n": 2}},
        {
            "type": "conditional_edge",
            "edge_logical_id": f"edge_count_{destination}",
            "source_node_logical_id": "count",
            "destination_node_logical_id": destination,
        },
    ]
    return TurnLog(1, TurnInput(), [parse_event(each) for each in events])


def test_explain_first_condition_that_holds():
    (found,) = played(
        counter(),
        say("a"),
        say("b"),
        say("c"),
        say("d"),
        when("count", "a", "[[n]] == 7"),
        when("count", "b", "[[gone]] == 'x'"),
        when("count", "c", "[[n]] >= 2 AND {{shop}} == 'Leaf'", name="enough"),
        when("count", "d", "isPresent([[n]])"),
        defaults={"shop": "Leaf"},
    )

    assert verdicts(found) == {
        "conditional a": "false",
        "conditional b": "false",
        "conditional c": "taken",
        "conditional d": "held",
        "nothing": "not_needed",
    }
    assert [each.filled for each in found.candidates[:4]] == [
        "2 == 7",
        "[[gone]] == 'x'",
        "2 >= 2 AND 'Leaf' == 'Leaf'",
        "isPresent(2)",
    ]
    assert why(found, "a") == "Its condition does not hold."
    assert why(found, "b") == "Its condition does not hold: [[gone]] has no value."
    assert why(found, "c") == "Its condition is the first that holds."
    assert why(found, "d") == "It holds as well, but “enough” comes before it."
    assert (found.agrees, found.is_known, found.record.outcome) == (True, True, "condition")


def test_explain_direct_edge_before_conditions():
    (found,) = played(
        counter(), say("a"), say("b"), when("count", "b", "isPresent([[n]])"), direct("count", "a")
    )

    assert verdicts(found) == {"direct a": "taken", "conditional b": "held", "nothing": "not_needed"}
    assert "a direct edge goes before every condition" in why(found, "b")


def test_explain_choice_of_the_model():
    _, found = played(
        static("hi", "Hi"),
        say("desk"),
        say("pay"),
        say("book"),
        direct("hi", "desk"),
        when("desk", "pay", freeform="pay"),
        when("desk", "book", freeform="book", name="books"),
        when("desk", "pay", "[[n]] == 1"),
        says=(None, "book it"),
    )[:2]

    assert [each.destination for each in found.candidates[:2]] == ["book", "pay"]
    assert verdicts(found)["conditional book"] == "taken"
    assert [each.outcome for each in found.candidates[1:3]] == ["not_chosen", "false"]
    assert why(found, "book") == "The model chose it: “heard book”"
    assert "chose “books” instead" in why(found, "pay")
    assert found.record.args == {"justification": "heard book", "heard": "book"}
    assert found.record.words == "heard book"


def test_explain_self_loop_lists_offered_edges():
    (found,) = played(say("desk"), say("pay"), when("desk", "pay", freeform="pay"), says=("hello",))

    assert verdicts(found) == {
        "conditional pay": "not_chosen",
        "self_loop desk": "taken",
        "nothing": "not_needed",
    }
    assert found.record.outcome == "loop"


def test_explain_end_of_a_thread():
    (found,) = played(counter(), say("a"), when("count", "a", "[[n]] == 7"))

    assert verdicts(found) == {"conditional a": "false", "nothing": "taken"}
    assert why(found, None) == "No edge was taken, so the thread ends here."
    assert found.destination_label == ""


def test_explain_blocked_edges_with_reasons():
    made = workflow(
        counter(is_guardrail_node=True),
        static("spam", "No.", is_guardrail_node=True),
        static("end", "Bye"),
        when("count", "spam", "isPresent([[n]])"),
        when("count", "end", "isPresent([[n]])", disabled=True),
        when("count", "nowhere", "isPresent([[n]])"),
        when("count", "end", "[[n]] == 2"),
    )

    (found,) = explained(made, [turn_that_went_to("end")])

    assert [each.outcome for each in found.candidates] == [
        "blocked",
        "disabled",
        "dangling",
        "taken",
        "not_needed",
    ]
    assert "no_hopping_between_guardrail_nodes" in found.candidates[0].why


def test_explain_global_node_and_way_back():
    hours = say("hours", global_node_config=everywhere("hours", back="back"))
    found = played(say("desk"), hours, says=(None, "hours please", "back now"))

    there = found[0]
    back, again = (each for each in found if each.record.turn_number == 3)
    assert verdicts(there)["global hours"] == "taken"
    assert verdicts(back) == {
        "reverse desk": "taken",
        "self_loop hours": "not_needed",
        "nothing": "not_needed",
    }
    assert back.record.caller == ("hours", "desk")
    assert verdicts(again)["global hours"] == "not_offered"
    assert "had just returned from a global node" in why(again, "hours")


def test_explain_limit_of_consecutive_transitions():
    nodes = [say(f"n{number}") for number in range(5)]
    edges = [when(f"n{number}", f"n{number + 1}", freeform="on") for number in range(4)]

    found = played(*nodes, *edges, says=(None, "on"))[-1]

    assert found.source_label == "N3"
    assert verdicts(found)["conditional n4"] == "not_offered"
    assert "because 3 conditional transitions were taken in a row" in why(found, "n4")


def test_explain_separate_model_verdicts():
    apart = "independent_llm_evaluations"
    pets = say("pets", global_node_config=everywhere("pets", judged=apart))
    hours = say("hours", global_node_config=everywhere("hours", judged=apart))

    found = played(say("desk"), pets, hours, says=(None, "which hours"))[0]

    assert verdicts(found)["global pets"] == "judged_no"
    assert verdicts(found)["global hours"] == "taken"
    assert "answered yes in a separate call" in why(found, "hours")


def test_explain_freeform_conditions_without_a_model():
    found = played(
        node("entry", "no_op"),
        static("a", "A"),
        static("b", "B"),
        static("c", "C"),
        when("entry", "a", freeform="never"),
        when("entry", "b", freeform="pay"),
        when("entry", "c", freeform="pay"),
        says=("pay now",),
    )[0]

    assert verdicts(found)["conditional a"] == "judged_no"
    assert verdicts(found)["conditional b"] == "taken"
    assert verdicts(found)["conditional c"] == "not_asked"
    assert "was decided before" in why(found, "c")
    assert found.agrees


def test_explain_escalation_shows_redirected_edge():
    found = played(
        say("desk"),
        say("rude", is_guardrail_node=True),
        static("person", "A person takes over."),
        when("desk", "rude", freeform="fool"),
        guardrail_strikes_config={
            "max_guardrail_nodes_before_escalation": 1,
            "escalation_node_logical_id": "person",
        },
        says=(None, "you fool"),
    )[0]

    assert (found.record.outcome, found.record.entries) == ("escalated", 1)
    assert found.destination_label == "Person"
    assert verdicts(found)["conditional rude"] == "redirected"


def test_explain_each_attempt_of_a_retry():
    found = played(
        {**counter(), "self_loop_config": {"enabled": True, "max_retries": 1}},
        static("late", "Too late."),
        when("count", "late", "isPresent([[self_loop_outcome]])"),
    )

    assert [each.record.outcome for each in found[:3]] == ["retry", "gave_up", "condition"]
    assert verdicts(found[0]) == {"conditional late": "false", "retry count": "taken"}
    assert verdicts(found[1]) == {"conditional late": "false", "retry count": "exhausted"}
    assert verdicts(found[2]) == {"conditional late": "taken", "nothing": "not_needed"}
    assert found[2].candidates[0].filled == "isPresent('max_retries')"
    assert found[2].record.stage == "after_giving_up"
    assert all(each.agrees for each in found)


@pytest.mark.parametrize("seconds", [0, 61])
def test_explain_bounded_loop_beside_a_self_loop(seconds):
    chat = say(
        "chat", self_loop=True, self_loop_config={"enabled": True, "max_retries": 1, "expiry_time": 60}
    )
    run = Background(chat)

    class Slow(type(run.interpreter.model)):
        def reply(self, prompt):
            run.clock.seconds += seconds
            return super().reply(prompt)

    run.interpreter.model = Slow()
    run.turn("Hello")

    found = explained(run.interpreter.workflow, [TurnLog(1, TurnInput(), as_recorded(run.events))])

    assert [each.record.outcome for each in found] == (["gave_up", "loop"] if seconds else ["loop"])
    assert all(each.agrees for each in found)
    assert why(found[-1], "chat") == "No other edge was taken, so the run stays on this node."


def test_explain_waiting_condition_and_its_edges():
    run = Background(*lab(), when("chat", "entry", freeform="again"))
    turns = []
    run.turn()
    turns.append(TurnLog(1, TurnInput(), as_recorded(run.events)))
    for _ in range(3):
        run.pump(2)
        turns.append(TurnLog(1, TurnInput(command="data"), as_recorded(run.events), is_background=True))

    found = explained(run.interpreter.workflow, turns)

    waited = next(each for each in found if each.record.stage == "while_waiting")
    assert verdicts(waited) == {"conditional ready": "taken"}
    assert waited.candidates[0].filled == "3 >= 3"
    assert why(waited, "ready") == "Its condition came true while the node waited for the user."
    beside = next(each for each in found if each.record.outcome == "beside")
    assert (beside.source_label, beside.destination_label) == ("Entry", "Poll")
    assert beside.candidates == ()


def test_explain_fork_is_no_candidate():
    run = Background(*lab())
    run.turn()

    found = explained(run.interpreter.workflow, [TurnLog(1, TurnInput(), as_recorded(run.events))])

    entry = next(each for each in found if each.record.outcome == "direct")
    assert verdicts(entry) == {"direct chat": "taken", "fork poll": "forked", "nothing": "not_needed"}


def test_explain_skipped_node_at_the_end():
    found = played(static("a", "Hi"), static("b", "Ho", disabled=True), direct("a", "b"))

    assert found[-1].record.is_skipped
    assert "The node was skipped" in why(found[-1], None)


def test_explain_failed_expression():
    (found,) = played(counter(), say("a"), say("b"), when("count", "a", "[[n]] < 'x'"), direct("a", "b"))

    assert found.record.outcome == "failed"
    assert verdicts(found)["conditional a"] == "error"
    assert why(found, "a").startswith("Error evaluating condition expression '2 < 'x''")
    assert found.expected is None


def test_explain_disagreement_with_recorded_state():
    made = workflow(
        counter(), say("a"), say("b"), when("count", "a", "[[n]] == 2"), when("count", "b", "[[n]] == 3")
    )

    (found,) = explained(made, [turn_that_went_to("b")])

    assert not found.agrees
    assert found.expected.destination == "a"
    assert found.expected.outcome == "held"
    assert [each.outcome for each in found.candidates[:2]] == ["held", "taken"]


@pytest.mark.parametrize("known", [True, False])
def test_explain_run_of_another_version(known):
    made = workflow(*([counter()] if known else []), static("x", "X"))
    event = parse_event(
        {
            "type": "conditional_edge",
            "edge_logical_id": "gone",
            "source_node_logical_id": "count",
            "destination_node_logical_id": "old",
            "reason": "Destination_Node__old was chosen: because",
        }
    )

    (found,) = explained(made, [TurnLog(1, TurnInput(), [event])])

    assert not found.is_known
    assert found.record.words == "because"
    assert found.destination_label == "old"
    assert not any(each.won for each in found.candidates)


def test_explain_long_run_by_single_decisions():
    made = workflow(poller())
    log, moments = DecisionLog(Graph(made)), Snapshots()
    block = [
        {"type": "start_node_run", "origin_node_logical_id": "poll"},
        {"type": "end_node_run", "origin_node_logical_id": "poll"},
        {"type": "self_loop_delay", "source_node_logical_id": "poll", "attempt_number": 2},
    ]
    turn = TurnLog(1, TurnInput(), [parse_event(each) for each in block] * 5000)

    log.catch_up([turn])
    moments.catch_up([turn])

    assert len(log.all) == 5000
    assert log.find_last_decision(7501).index == 7499
    assert log.find_last_decision(7502).index == 7502
    assert Explainer(Graph(made), moments, {}).explain(log.all[-1]).record.attempt == 2


def generated_run(seed, folder):
    """The workflow with its super nodes expanded, and the turns of a run of it, read from its record."""
    document, sayings = generate(seed)
    backend = open_backend(folder, 0, seed)
    workflow_id = backend.create_workflow(document).id
    run_id = None
    for text in (None, *sayings):
        result, _ = step(backend, workflow_id, run_id, text)
        run_id = result.run_id
        if is_over(result):
            break
    workflow = expand(backend.workflow(workflow_id, 0), backend.workflow).workflow
    turns = turn_logs(backend.run(run_id))
    backend.close()
    return workflow, turns


@pytest.mark.parametrize("seed", SEEDS)
def test_explain_agrees_on_generated_runs(seed, tmp_path):
    workflow, turns = generated_run(seed, tmp_path)
    graph = Graph(workflow)

    log, moments = DecisionLog(graph).catch_up(turns), Snapshots().catch_up(turns)
    explainer = Explainer(graph, moments, {})

    for record in log.all:
        found = explainer.explain(record)
        assert found.is_known or record.outcome in ("beside", "moved"), record
        assert found.agrees, (record, found.candidates)
        if record.reason.startswith("Condition expression '"):
            [taken] = [each for each in found.candidates if each.won]
            assert record.reason == f"Condition expression '{taken.filled}' holds"


CLINIC = Script.load(script_for("workflow_clinic_front_desk") or "")
LAB = Script.load(script_for("workflow_lab_results") or "")


@pytest.mark.parametrize("name", ["demo", *CLINIC.alternatives])
def test_explain_agrees_on_the_clinic(name):
    messages = CLINIC.demo if name == "demo" else CLINIC.alternatives[name]
    workflow = Workflow.from_document(SAMPLES[-1].load_documents()[-1])
    _, events = call(messages, workflow)
    turns = [
        TurnLog(number, TurnInput.with_message(text), as_recorded(told))
        for number, (text, told) in enumerate(zip((None, *messages), events, strict=True), 1)
    ]

    found = explained(workflow, turns)

    assert len(found) > len(messages) / 2
    assert all(each.is_known and each.agrees for each in found)
    assert all(sum(candidate.won for candidate in each.candidates) == 1 for each in found)


@pytest.mark.parametrize("name", ["demo", *LAB.alternatives])
def test_explain_agrees_on_the_laboratory(name, tmp_path):
    messages = LAB.demo if name == "demo" else LAB.alternatives[name]
    with calling(tmp_path) as line:
        line.hold(messages)
        turns = turn_logs(line._backend.run(str(line.run_id)))

    found = explained(
        expand(Workflow.from_document(DOCUMENT), lambda *_: pytest.fail("nothing is stored")).workflow, turns
    )

    assert found
    assert all(each.agrees and (each.is_known or each.record.outcome == "beside") for each in found)


def test_explain_edge_into_unexpanded_super_node(tmp_path):
    with calling(tmp_path) as line:
        line.hold(LAB.demo)
        turns = turn_logs(line._backend.run(str(line.run_id)))

    found = explained(Workflow.from_document(DOCUMENT), turns)

    entered = next(each for each in found if each.record.edge_id == "edge_follow_up")
    assert (entered.is_known, entered.agrees) == (True, True)
    assert [each.destination for each in entered.candidates if each.won] == ["node_book_follow_up"]
    inside = [each for each in found if "/" in (each.record.source or "")]
    assert inside
    assert all(not each.is_known and each.candidates == () for each in inside)


@pytest.mark.parametrize("calls", [True, "x", 1, {"a": 1}, [[]], ["x", None]])
@pytest.mark.parametrize("kind", ["say_llm", "condition_evaluator_llm"])
def test_odd_tool_calls_are_passed_over(kind, calls):
    log = DecisionLog(Graph(workflow(say("desk"))))
    begun = {"type": "start_node_run", "origin_node_logical_id": "desk"}
    said = {"type": kind, "origin_node_logical_id": "desk", "message": {"type": "ai", "tool_calls": calls}}

    log.add_turn(TurnLog(1, TurnInput(), [parse_event(begun), parse_event(said)]))

    assert log.event_count == 2


def test_reply_without_node_counts_for_its_thread():
    call = {"name": "Destination_Node__pay", "args": {"justification": "wants to pay"}}
    events = [
        {"type": "start_node_run", "origin_node_logical_id": "desk"},
        {"type": "say_llm", "message": {"type": "ai", "tool_calls": [call]}},
        {"type": "end_node_run", "origin_node_logical_id": "desk"},
        {
            "type": "conditional_edge",
            "edge_logical_id": "edge_desk_pay",
            "destination_node_logical_id": "pay",
        },
    ]
    made = workflow(say("desk"), say("pay"), when("desk", "pay", freeform="pay"))

    (found,) = explained(made, [TurnLog(1, TurnInput(), [parse_event(each) for each in events])])

    assert (found.record.outcome, found.record.words, found.agrees) == ("model", "wants to pay", True)


@pytest.mark.parametrize(
    "expression",
    ["[[x | default: 'z']] == 'q'", "isAbsent([[x]]) AND [[n]] == 7", "isempty( [[x]] ) AND 1 == 2"],
)
def test_absent_variable_is_no_reason_where_it_is_expected(expression):
    (found,) = played(counter(), say("a"), when("count", "a", expression))

    assert why(found, "a") == "Its condition does not hold."


def test_direct_edge_beside_condition_with_same_ends():
    graph, turns = played_turns(
        static("a", "Hello"),
        static("b", "Bye"),
        when("a", "b", "isPresent([[x]])", logical_id="condition"),
        direct("a", "b", logical_id="always"),
    )
    log = DecisionLog(graph).catch_up(turns)

    outcomes = {edge: [each.outcome for each in log.of_edge(edge)] for edge in ("condition", "always")}

    assert outcomes == {"condition": [], "always": ["direct"]}


def test_explain_run_that_failed_before_direct_edge():
    """A hosted engine may stop between the node and its edge."""
    flow = workflow(static("a", "A"), static("b", "B"), direct("a", "b"))
    events = [
        {"type": "start_node_run", "origin_node_logical_id": "a"},
        {"type": "end_node_run", "origin_node_logical_id": "a"},
        {"type": "workflow_error", "error_message": "The engine has stopped."},
    ]

    (found,) = explained(flow, [TurnLog(1, TurnInput(), [parse_event(each) for each in events])])

    assert found.agrees
    assert why(found, "b") == "The run failed before it was followed."


def test_explain_end_at_a_skipped_node_with_bounded_loop():
    loop = {"enabled": True, "max_retries": 2}

    _, found = played(static("a", "A"), worker("b", disabled=True, self_loop_config=loop), direct("a", "b"))

    assert (found.record.outcome, verdicts(found), found.agrees) == ("ended", {"nothing": "taken"}, True)


def test_explain_end_at_a_skipped_node_of_another_version():
    ended = {"type": "end_thread", "last_node_logical_id": "gone"}

    (found,) = explained(workflow(static("a", "A")), [TurnLog(1, TurnInput(), [parse_event(ended)])])

    assert (found.record.outcome, found.candidates, found.is_known) == ("ended", (), False)
