from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.forks import RerunEdits, RerunTarget
from debugger.engine.models.base import Reply
from debugger.engine.state import RunState
from debugger.errors import ConflictError, InputError, NotFoundError, RunError
from debugger.protocol.messages import message_text
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.settings import Settings
from tests.support.companions import lab
from tests.support.factories import direct, document, node, say, static, tool

NOTHING = RerunEdits()


class Echo:
    """Answers with a number, and keeps what it was told of the chat."""

    def __init__(self):
        self.heard = []

    def reply(self, prompt):
        self.heard = [message_text(message) for message in prompt.history()]
        return Reply(text=f"Answer {prompt.visit}")


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def backend(tmp_path, echo):
    opened = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3"), model=echo)
    yield opened
    opened.close()


def talk(backend, graph, *texts):
    """The workflow of a graph, and a run to which these texts were said."""
    workflow_id = backend.create_workflow(graph).id
    run_id = None
    for text in (None, *texts):
        run_id = backend.execute(workflow_id, TurnInput.with_message(text), run_id=run_id).finish().run_id
    return workflow_id, run_id


def go_on(backend, workflow_id, run_id, text):
    return backend.execute(workflow_id, TurnInput.with_message(text, command="data"), run_id=run_id).finish()


def begin(backend, run_id, turn, edits=NOTHING, *, is_replay=False, **target):
    plan = backend.forks.plan(run_id, turn, RerunTarget(**target), is_replay=is_replay)
    return backend.forks.begin(plan, edits)


def state_of(backend, run_id):
    return RunState.from_json(backend.store.checkpoint(run_id).checkpoint)


def version(backend, workflow_id, graph):
    backend.store.create_version(workflow_id, document=graph, mark_as_active=True)


def test_model_and_record_have_edited_words_only(backend, echo):
    workflow_id, run_id = talk(backend, document(say("chat")), "First words", "Second words")
    lines = [line.text for line in backend.forks.plan(run_id, 1, RerunTarget()).lines]
    assert lines == ["First words", "Answer 1"]
    edits = RerunEdits(
        message_edits=[{"index": 0, "text": "Edited words"}],
        message_deletes=[{"index": 1}],
        message_appends=[{"role": "assistant", "text": "Added words"}],
    )

    new_id = begin(backend, run_id, 1, edits)
    go_on(backend, workflow_id, new_id, "Last words")

    assert echo.heard == ["Edited words", "Added words", "Last words"]
    told = str(backend.run(new_id).to_wire())
    assert "First words" not in told
    assert "Answer 1" not in told
    assert "First words" in str(backend.run(run_id).to_wire())


@pytest.mark.parametrize(
    "edits, said",
    [({"message_edits": [{"index": 0, "text": "no"}]}, "no"), ({"message_deletes": [{"index": 0}]}, "")],
)
def test_edited_words_stay_in_other_turns(backend, edits, said):
    _, run_id = talk(backend, document(say("chat")), "yes", "yes")

    new_id = begin(backend, run_id, 2, RerunEdits(**edits))

    assert [log.message for log in turn_logs(backend.run(new_id))] == ["", said, "yes"]


@pytest.mark.parametrize("history_mode", ["FULL", "NONE"])
def test_words_are_added_where_nothing_was_said(backend, echo, history_mode):
    workflow_id, run_id = talk(backend, document(say("chat")), "First words")
    edits = RerunEdits(message_appends=[{"role": "user", "text": "Before it all"}])

    new_id = begin(backend, run_id, 0, edits, history_mode=history_mode)
    result = go_on(backend, workflow_id, new_id, "Then")

    assert echo.heard == ["Before it all", "Then"]
    assert result.turn_number == 2
    assert [log.number for log in turn_logs(backend.run(new_id))] == [1, 2]


def test_missing_line_cannot_be_edited(backend):
    _, run_id = talk(backend, document(say("chat")), "First words")
    edits = RerunEdits(message_deletes=[{"index": 5}])

    with pytest.raises(InputError, match="no line 5"):
        begin(backend, run_id, 1, edits)


def test_edited_variables_are_told_in_the_next_turn(backend):
    workflow_id, run_id = talk(backend, document(say("chat")), "Hello")
    edits = RerunEdits(dynamic_variables={"shop": "Leaf"}, runtime_variables={"0": {"tea": "Assam"}})

    new_id = begin(backend, run_id, 1, edits)
    result = go_on(backend, workflow_id, new_id, "Hello again")

    state = state_of(backend, new_id)
    assert (state.dynamic_variables["shop"], state.main.runtime_variables["tea"]) == ("Leaf", "Assam")
    assert "Assam" in str(result.events)
    assert backend.store.forks.of(new_id).changes != ()


def test_exact_keeps_companions_remapped_drops_them(backend):
    graph = lab(pause=60)
    workflow_id, run_id = talk(backend, graph, "Hello")
    version(backend, workflow_id, {**graph, "future": True})

    exact = backend.forks.plan(run_id, 1, RerunTarget(target_version_number=0))
    changed = backend.forks.plan(run_id, 1, RerunTarget())

    assert (exact.mode, len(exact.state.threads), exact.dropped_parts) == ("EXACT", 2, [])
    assert (changed.mode, list(changed.state.threads)) == ("REMAPPED", ["0"])
    assert "threads.0_companion_labpoll" in changed.dropped_parts
    assert any("0_companion_labpoll" in warning for warning in changed.warnings)


def counting(node_id, name):
    count = tool(node_id, "def f():\n    return 7\n", result_runtime_variable_name="n")
    return document({**count, "name": name}, say("chat"), direct(node_id, "chat"))


def test_node_variables_follow_or_are_dropped(backend):
    workflow_id, run_id = talk(backend, counting("count", "Count"), "Hello")
    version(backend, workflow_id, counting("other", "Count"))
    version(backend, workflow_id, counting("other", "Other"))

    renamed = backend.forks.plan(run_id, 1, RerunTarget(target_version_number=1))
    lost = backend.forks.plan(run_id, 1, RerunTarget(target_version_number=2))

    followed = renamed.state.main.runtime_variables
    assert (followed["n"], followed["other.n"], followed["Count.n"]) == (7, 7, 7)
    assert "count.n" not in followed
    assert lost.state.main.runtime_variables["n"] == 7
    assert {"count.n", "Count.n"} <= set(lost.dropped_variables)
    assert lost.unmapped_nodes == ["count"]


def test_chosen_entry_receives_next_message(backend):
    graph = document(say("one"), say("two"))
    workflow_id, run_id = talk(backend, graph, "Hello")

    plan = backend.forks.plan(run_id, 1, RerunTarget(entry_node_logical_id="two"))
    mode = plan.mode
    new_id = backend.forks.begin(plan, NOTHING)
    result = go_on(backend, workflow_id, new_id, "Hello")

    assert mode == "REMAPPED"
    said = [event for event in result.events if event["type"] == "assistant_response"]
    assert [event["origin_node_logical_id"] for event in said] == ["two"]


def test_older_fork_of_edited_version_is_not_same(backend):
    workflow_id, run_id = talk(backend, document(say("chat")), "Hello")
    _, kept = backend.store.document(workflow_id)
    backend.store.catalogue.replace_document(workflow_id, 0, kept)
    fork_id = backend.fork(run_id, 2)
    go_on(backend, workflow_id, fork_id, "Again")

    assert backend.forks.plan(fork_id, 1, RerunTarget()).mode == "REMAPPED"


def test_a_plan_that_is_refused_cannot_be_begun(backend):
    workflow_id, run_id = talk(backend, document(say("chat")), "Hello")
    version(backend, workflow_id, document(say("other")))

    with pytest.raises(ConflictError, match="entry_node_logical_id"):
        begin(backend, run_id, 1)
    with pytest.raises(ConflictError, match="Only PORTABLE"):
        begin(backend, run_id, 1, entry_node_logical_id="other", requested_mode="EXACT")
    with pytest.raises(NotFoundError, match="no turn 2"):
        begin(backend, run_id, 2)


def test_rerun_of_first_turn_starts_at_other_start(backend):
    workflow_id, run_id = talk(backend, document(say("chat")))
    version(backend, workflow_id, document(static("hi", "Hi"), node("end", "no_op"), direct("hi", "end")))

    new_id = begin(backend, run_id, 0, is_replay=True)
    result = go_on(backend, workflow_id, new_id, None)

    assert result.status == "completed"
    assert [event["content"] for event in result.events if event["type"] == "assistant_response"] == ["Hi"]


@pytest.mark.parametrize("history_mode", ["FULL", "NONE"])
def test_rerun_reports_model_usage_before_it(backend, history_mode):
    workflow_id, run_id = talk(backend, document(say("chat")), "One", "Two")
    new_id = begin(backend, run_id, 1, history_mode=history_mode)
    begun = backend.run(new_id)

    go_on(backend, workflow_id, new_id, "Three")

    run = backend.run(new_id)
    assert begun.carried_over_llm_token_usage["call_count"] == 1
    assert begun.carried_over_llm_token_usage == begun.llm_token_usage
    assert run.carried_over_llm_token_usage == begun.llm_token_usage
    assert run.carried_over_llm_latency_stats == begun.llm_latency_stats
    assert run.llm_token_usage["call_count"] == 2


def test_rerun_of_first_turn_carries_no_usage(backend):
    _, run_id = talk(backend, document(say("chat")), "One")

    run = backend.run(begin(backend, run_id, 0))

    assert run.source_workflow_run_id == run_id
    assert run.carried_over_llm_token_usage is run.carried_over_llm_latency_stats is None


def test_variables_that_are_nested_deep_are_no_hindrance(backend, echo):
    deep = []
    for _ in range(600):
        deep = [deep]
    graph = document(say("chat"), say("other"), direct("chat", "other"))
    workflow_id = backend.create_workflow(graph).id
    given = TurnInput.with_message("First words", runtime_variables={"deep": deep})
    run_id = backend.execute(workflow_id, given).finish().run_id
    go_on(backend, workflow_id, run_id, "Second words")
    edits = RerunEdits(message_edits=[{"index": 0, "text": "Edited words"}])

    new_id = begin(backend, run_id, 1, edits)
    go_on(backend, workflow_id, new_id, "Last words")

    assert echo.heard[0] == "Edited words"


def test_rerun_restores_ended_conversation(backend):
    calls = "def f(**_):\n    return 1\n"
    graph = document(static("hi", "Hello"), tool("last", calls), direct("hi", "last"), say("other"))
    workflow_id = backend.create_workflow(graph).id
    run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id

    plan = backend.forks.plan(run_id, 0, RerunTarget())
    new_id = backend.forks.begin(plan, NOTHING)
    status = backend.run(new_id).status
    ended = go_on(backend, workflow_id, new_id, "And now?")
    elsewhere = begin(backend, run_id, 0, entry_node_logical_id="other")
    result = go_on(backend, workflow_id, elsewhere, "And now?")

    assert [line.text for line in plan.lines] == ["Hello"]
    assert any("entry_node_logical_id" in warning for warning in plan.warnings)
    assert status == "waiting_for_user_input"
    assert (ended.status, ended.turn_number) == ("completed", 2)
    assert "start_node_run" not in [event["type"] for event in ended.events]
    assert (result.status, result.turn_number) == ("waiting_for_user_input", 2)


def test_rerun_restores_failed_turn_and_repeats_node(backend):
    graph = document(say("chat", self_loop=True, wait_for_user_message=True))
    workflow_id, run_id = talk(backend, graph, "Hello")
    bad = TurnInput.with_message("More", command="data")
    backend._model.reply = fails_once(backend._model.reply)
    failed = backend.execute(workflow_id, bad, run_id=run_id).finish()

    new_id = begin(backend, run_id, 2)
    result = go_on(backend, workflow_id, new_id, "Again")

    assert failed.status == "failed"
    assert result.status == "waiting_for_user_input"
    assert [log.message for log in turn_logs(backend.run(new_id))] == ["", "Hello", "More", "Again"]


def fails_once(reply):
    """Return a model's method that fails the run the first time."""
    calls = []

    def called(prompt):
        calls.append(prompt)
        if len(calls) == 1:
            raise RunError("The model must be configured first.")
        return reply(prompt)

    return called


def test_copies_under_a_lost_name_are_dropped(backend):
    parts = (tool("count", "def f(**_):\n    return 7\n", result_runtime_variable_name="n"), say("chat"))
    workflow_id, run_id = talk(backend, document(*parts, direct("count", "chat")), "Hello")
    nameless = [{**part, "name": None} for part in parts]
    version(backend, workflow_id, document(*nameless, direct("count", "chat")))

    plan = backend.forks.plan(run_id, 1, RerunTarget())

    variables = plan.state.main.runtime_variables
    assert (variables["n"], variables["count.n"]) == (7, 7)
    assert not [name for name in variables if name.startswith("None.")]
    assert "Count.n" in plan.dropped_variables


@pytest.mark.parametrize(
    "edits, history_mode, heard",
    [
        ({}, "FULL", "More\nAgain"),
        ({"message_edits": [{"index": 2, "text": "Less"}]}, "FULL", "Less\nAgain"),
        ({"message_deletes": [{"index": 2}]}, "FULL", "Again"),
        ({}, "NONE", "Again"),
    ],
)
def test_unanswered_message_is_asked_as_edited(backend, edits, history_mode, heard):
    workflow_id, run_id = talk(backend, document(say("chat")), "Hello")
    asked, reply = [], backend._model.reply
    backend._model.reply = fails_once(reply)
    go_on(backend, workflow_id, run_id, "More")
    backend._model.reply = lambda prompt: asked.append(prompt.message) or reply(prompt)

    new_id = begin(backend, run_id, 2, RerunEdits(**edits), history_mode=history_mode)
    go_on(backend, workflow_id, new_id, "Again")

    assert asked == [heard]


def test_chosen_entry_is_run_where_conversation_ended(backend):
    workflow_id, run_id = talk(backend, document(say("chat", self_loop=False)), "Hello")

    new_id = begin(backend, run_id, 1, entry_node_logical_id="chat")
    result = go_on(backend, workflow_id, new_id, "And now?")

    said = [event["content"] for event in result.events if event["type"] == "assistant_response"]
    assert said == ["Answer 2"]


def test_replayed_turn_keeps_inputs_of_nodes(backend):
    workflow_id, run_id = talk(backend, document(say("chat"), node("call", "http_request")))
    override = {"type": "http_request", "node_logical_id": "call", "override_url": "https://a.example/"}
    said = TurnInput.with_message("Hello", command="data").to_wire()
    said["thread_to_node_inputs"]["0"]["node_run_inputs"].append(override)
    backend.execute(workflow_id, TurnInput.from_wire(said), run_id=run_id).finish()

    plan = backend.forks.plan(run_id, 1, RerunTarget(), is_replay=True)
    again = backend.forks.turn_input(plan, "Other words")

    assert again.message == "Other words"
    assert again.to_wire()["thread_to_node_inputs"]["0"]["node_run_inputs"][1:] == [override]
