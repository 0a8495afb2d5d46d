from __future__ import annotations

import threading
import time

import pytest

from debugger.analysis.comparison.comparison import compare_turns
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.engine.state import RunState
from debugger.engine.variables import VariableEdit
from debugger.errors import ConflictError, InputError, NotFoundError, TurnInProgressError, UnsupportedError
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.samples import SAMPLES
from debugger.settings import HostedSettings, Settings
from tests.backends.one_turn import input_of, is_over, open_backend, step
from tests.support.clinic import LONG_CALL
from tests.support.factories import direct, document, say, static, when
from tests.support.generated import generate

CLINIC = next(sample for sample in SAMPLES if sample.name == "Clinic front desk")


@pytest.fixture
def backend(tmp_path):
    opened = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="scripted"))
    yield opened
    opened.close()


def clinic(backend):
    """A run of ten turns, on the clinic's second version."""
    first, second = CLINIC.load_documents()
    kept = backend.create_workflow(first)
    backend.store.create_version(kept.id, document=second, mark_as_active=True)
    run_id = None
    for said in (None, *LONG_CALL):
        run_id = backend.execute(kept.id, TurnInput.with_message(said), run_id=run_id).finish().run_id
    return kept.id, run_id


def talk(backend, *parts, says=(), **config):
    """The workflow of these parts, and a run of it."""
    kept = backend.create_workflow(document(*parts, **config))
    run_id = backend.execute(kept.id, TurnInput.with_message(None)).finish().run_id
    for said in says:
        backend.execute(kept.id, TurnInput.with_message(said), run_id=run_id).finish()
    return kept.id, run_id


def turn_of(backend, run_id, number):
    return next(log for log in turn_logs(backend.run(run_id)) if log.number == number)


def again(backend, run_id, number):
    return TurnLog(number, TurnInput(), backend.replay(run_id, number))


def said(log):
    return [event.words for event in log.events if event.type == "assistant_response"]


def test_ten_forks_repeat_each_turn(backend):
    workflow_id, run_id = clinic(backend)
    original = turn_logs(backend.run(run_id))
    assert [log.number for log in original] == list(range(1, 11))

    for turn in original:
        fork_id = backend.fork(run_id, turn.number)
        backend.execute(workflow_id, TurnInput.with_message(turn.message or None), run_id=fork_id).finish()

        forked = turn_logs(backend.run(fork_id))
        assert [log.number for log in forked] == list(range(1, turn.number + 1))
        assert [log.events for log in forked[:-1]] == [log.events for log in original[: turn.number - 1]]
        assert compare_turns(turn, forked[-1]).differences == ()
    assert turn_logs(backend.run(run_id)) == original


def test_replayed_turn_repeats_and_stores_nothing(backend):
    _, run_id = clinic(backend)
    before = backend.run(run_id)

    for number in range(1, 11):
        assert compare_turns(turn_of(backend, run_id, number), again(backend, run_id, number)).is_same

    assert backend.run(run_id) == before
    assert backend.runs().total == 1


@pytest.mark.parametrize("seed", range(60))
def test_generated_turns_repeat_at_same_time(seed, tmp_path):
    workflow, sayings = generate(seed)
    backend = open_backend(tmp_path, 0, seed)
    clock = backend._world.now.__self__
    workflow_id = backend.create_workflow(workflow).id
    run_id, times = None, []
    for text in [None, *sayings[:4]]:
        begun = clock.seconds
        is_turn = run_id is None or backend.run(run_id).status != "running"
        result, _ = step(backend, workflow_id, run_id, text)
        run_id = result.run_id
        if is_turn:
            times.append((begun, text))
        if is_over(result):
            break

    for number, (begun, text) in enumerate(times, start=1):
        original = turn_of(backend, run_id, number)
        clock.seconds = begun
        assert [
            str(each) for each in compare_turns(original, again(backend, run_id, number)).differences
        ] == []
        fork_id = backend.fork(run_id, number)
        clock.seconds = begun
        backend.execute(workflow_id, input_of(text, run_id if number > 1 else None), run_id=fork_id).finish()
        assert [
            str(each) for each in compare_turns(original, turn_of(backend, fork_id, number)).differences
        ] == []
    backend.close()


def test_fork_records_source_and_author(backend):
    _, run_id = talk(backend, say("chat"), says=["one", "two"])

    fork = backend.run(backend.fork(run_id, 2, run_by="ada"))

    assert (fork.source_workflow_run_id, fork.checkpoint_source_turn_index) == (run_id, 1)
    assert (fork.run_by, fork.status) == ("ada", "waiting_for_user_input")
    assert len(fork.input_output_pairs) == 1
    assert backend.run(run_id).source_workflow_run_id is None


def test_fork_reports_model_usage_before_it(backend):
    workflow_id, run_id = talk(backend, say("chat"), says=("one", "two"))
    fork_id = backend.fork(run_id, 3)
    begun = backend.run(fork_id)

    backend.execute(workflow_id, TurnInput.with_message("three"), run_id=fork_id).finish()
    backend.execute(workflow_id, TurnInput.with_message("four"), run_id=fork_id).finish()
    again = backend.run(backend.fork(fork_id, 5))

    run = backend.run(fork_id)
    assert begun.carried_over_llm_token_usage == begun.llm_token_usage
    assert begun.carried_over_llm_token_usage["call_count"] == 1
    assert run.carried_over_llm_token_usage == begun.llm_token_usage
    assert run.carried_over_llm_latency_stats == begun.llm_latency_stats
    assert run.llm_token_usage["call_count"] == 3
    assert (again.carried_over_llm_token_usage, again.carried_over_llm_latency_stats) == (
        run.llm_token_usage,
        run.llm_latency_stats,
    )


def test_run_without_copied_usage_reports_none(backend):
    _, run_id = talk(backend, say("chat"), says=("one", "two"))

    source, first = backend.run(run_id), backend.run(backend.fork(run_id, 1))

    assert source.llm_token_usage["call_count"] == 2
    for run in (source, first):
        assert run.carried_over_llm_token_usage is run.carried_over_llm_latency_stats is None


def test_fork_of_first_turn_starts_like_source(backend):
    random_line = static("hi", *(f"Hello {number}" for number in range(50)), mode="random")
    workflow_id, run_id = talk(backend, random_line, say("chat"), direct("hi", "chat"))

    for _ in range(3):
        fork_id = backend.fork(run_id, 1)
        assert backend.run(fork_id).status == "not_started"
        assert backend.run(fork_id).input_output_pairs == []
        backend.execute(workflow_id, TurnInput.with_message(None), run_id=fork_id).finish()

        assert said(turn_of(backend, fork_id, 1)) == said(turn_of(backend, run_id, 1))


def test_fork_of_first_turn_keeps_source_globals(backend):
    blank = {"is_secret": False, "description": None, "category": None}
    made = backend.store.globals.create({**blank, "name": "shop", "value": "Leaf"})
    backend.store.globals.create({**blank, "name": "city", "value": "Oslo"})
    greeting = static("hi", "{{shop}}, {{global.shop}}, {{city}}")
    parts = greeting, say("chat"), direct("hi", "chat")
    workflow_id, run_id = talk(backend, *parts, defaults={"city": "Bergen"})
    backend.store.globals.change(made.id, {"value": "Twig"})
    backend.global_values.renew()

    fork_id = backend.fork(run_id, 1)
    edited_id = backend.fork(run_id, 1, edits=[VariableEdit("dynamic", "shop", "Moss")])
    for made_id in (fork_id, edited_id):
        backend.execute(workflow_id, TurnInput.with_message(None), run_id=made_id).finish()

    assert said(turn_of(backend, run_id, 1)) == ["Leaf, Leaf, Bergen"]
    assert said(turn_of(backend, fork_id, 1)) == ["Leaf, Leaf, Bergen"]
    assert said(turn_of(backend, edited_id, 1)) == ["Moss, Leaf, Bergen"]
    assert compare_turns(turn_of(backend, run_id, 1), again(backend, run_id, 1)).is_same


def test_fork_first_turn_is_claimed_once(backend):
    workflow_id, run_id = talk(backend, say("chat"))
    fork_id = backend.fork(run_id, 1)
    other = EmbeddedBackend(backend.settings)
    first = other.execute(workflow_id, TurnInput.with_message(None), run_id=fork_id)
    next(first)

    with pytest.raises(TurnInProgressError):
        backend.execute(workflow_id, TurnInput.with_message(None), run_id=fork_id)
    first.close()
    not_begun = backend.run(fork_id)
    result = backend.execute(workflow_id, TurnInput.with_message(None), run_id=fork_id).finish()

    assert (not_begun.status, not_begun.input_output_pairs) == ("not_started", [])
    assert (result.turn_number, len(backend.run(fork_id).input_output_pairs)) == (1, 1)
    other.close()


def test_first_input_counts_for_its_fork(backend):
    kept = backend.create_workflow(
        document(say("first"), static("other", "I am {{who}}."), say("chat"), direct("other", "chat"))
    )
    given = TurnInput.with_message(
        None,
        start_node_logical_id="other",
        dynamic_variables={"who": "Ada"},
        initial_state={"threads": {"0": {"runtime_variables": {"kept": 1}}}},
    )
    run_id = backend.execute(kept.id, given).finish().run_id

    fork_id = backend.fork(run_id, 1)
    backend.execute(kept.id, given, run_id=fork_id).finish()

    assert said(turn_of(backend, fork_id, 1)) == ["I am Ada."]
    assert compare_turns(turn_of(backend, run_id, 1), turn_of(backend, fork_id, 1)).is_same


def test_edit_is_reported_first_in_next_turn(backend):
    parts = (
        static("hi", "Hello"),
        say("chat"),
        static("gold", "Gold desk"),
        static("plain", "Plain desk"),
        direct("hi", "chat"),
        when("chat", "gold", "[[level]] == 'gold'"),
        when("chat", "plain", "isAbsent([[level]])"),
    )
    workflow_id, run_id = talk(backend, *parts, says=["go"])

    fork_id = backend.fork(run_id, 2, edits=[VariableEdit("runtime", "level", "gold")])
    backend.execute(workflow_id, TurnInput.with_message("go"), run_id=fork_id).finish()

    events = turn_of(backend, fork_id, 2).events
    assert "Gold desk" in said(turn_of(backend, fork_id, 2))
    assert "Plain desk" in said(turn_of(backend, run_id, 2))
    assert events[0].to_wire()["edits"] == [
        {"scope": "runtime", "name": "level", "thread_id": "0", "after": "gold"}
    ]
    assert events[1].to_wire()["runtime_variables"]["level"] == "gold"
    again_id = backend.fork(fork_id, 2)
    backend.execute(workflow_id, TurnInput.with_message("go"), run_id=again_id).finish()
    assert compare_turns(turn_of(backend, fork_id, 2), turn_of(backend, again_id, 2)).is_same


def test_impossible_edit_makes_no_fork(backend):
    _, run_id = talk(backend, say("chat"))

    with pytest.raises(InputError, match="no thread 'nine'"):
        backend.fork(run_id, 2, edits=[VariableEdit("runtime", "x", 1, thread_id="nine")])

    assert backend.runs().total == 1


def test_a_fork_can_go_on_at_another_node(backend):
    workflow_id, run_id = talk(backend, say("chat"), static("end", "Goodbye"), says=["one"])

    fork_id = backend.fork(run_id, 2, start_node_logical_id="end")
    result = backend.execute(workflow_id, TurnInput.with_message("one"), run_id=fork_id).finish()

    assert said(turn_of(backend, fork_id, 2)) == ["Goodbye"]
    assert result.status == "completed"
    with pytest.raises(InputError, match="'nowhere' is not in this version"):
        backend.fork(run_id, 2, start_node_logical_id="nowhere")


def test_fork_continues_in_version_with_nodes(backend):
    workflow_id, run_id = talk(
        backend, say("chat"), static("end", "Old"), when("chat", "end", "1 == 1"), says=["one"]
    )
    newer = document(say("chat"), static("end", "New"), when("chat", "end", "1 == 1"))
    backend.store.create_version(workflow_id, document=newer)
    without = document(say("talk"))
    backend.store.create_version(workflow_id, document=without)

    fork_id = backend.fork(run_id, 2, version_number=1)
    backend.execute(workflow_id, TurnInput.with_message("one"), run_id=fork_id).finish()

    assert "New" in said(turn_of(backend, fork_id, 2))
    assert backend.run(fork_id).version_number == 1
    with pytest.raises(ConflictError, match=r"is at 'chat' \(thread 0\), which this version does not have"):
        backend.fork(run_id, 2, version_number=2)
    moved = backend.fork(run_id, 2, version_number=2, start_node_logical_id="talk")
    assert backend.run(moved).version_number == 2
    with pytest.raises(NotFoundError, match="no version 9"):
        backend.fork(run_id, 2, version_number=9)


def test_forks_are_siblings_and_can_be_forked(backend):
    _, run_id = talk(backend, say("chat"), says=["one", "two"])

    one, other = backend.fork(run_id, 2), backend.fork(run_id, 2)
    below = backend.fork(one, 1)

    family = {record.run_id: record.source_run_id for record in backend.store.forks.family(other)}
    assert family == {one: run_id, other: run_id, below: one}


def test_turn_after_last_copies_open_run(backend):
    _, waiting = talk(backend, say("chat"), says=["one"])
    _, over = talk(backend, static("bye", "Bye"))

    assert len(backend.run(backend.fork(waiting, 3)).input_output_pairs) == 2
    with pytest.raises(NotFoundError, match="its turns, 1 to 1"):
        backend.fork(over, 2)
    with pytest.raises(NotFoundError, match="its turns, 1 to 3"):
        backend.fork(waiting, 0)


def test_fork_of_two_thousand_turns_is_fast(backend):
    workflow_id, run_id = talk(backend, say("chat"))
    backend.execute(workflow_id, TurnInput.with_message("go on"), run_id=run_id).finish()
    grow(backend, run_id, 2_000)

    began = time.perf_counter()
    fork_id = backend.fork(run_id, 1_999)

    assert time.perf_counter() - began < 5
    assert backend.store.checkpoint(fork_id).turn_number == 1_998


def grow(backend, run_id, turns):
    """Let a run have so many turns by repeating its second one in the record."""
    with backend.store._database.writing() as connection:
        columns = "status, started_at, finished_at, checkpoint, pair, events"
        state = RunState.from_json(backend.store.checkpoint(run_id, 2).checkpoint)
        for number in range(3, turns + 1):
            state.turn_number = number
            connection.exec_driver_sql(
                f"INSERT INTO turns (run_id, turn_number, {columns}) SELECT run_id, ?, status, started_at, "
                "finished_at, ?, pair, events FROM turns WHERE run_id = ? AND turn_number = 2",
                (number, state.to_json(), run_id),
            )
        connection.exec_driver_sql("UPDATE runs SET turn_count = ? WHERE id = ?", (turns, run_id))


def test_a_replay_can_be_cut_short(backend):
    _, run_id = talk(
        backend, static("a", "A"), static("b", "B"), say("chat"), direct("a", "b"), direct("b", "chat")
    )
    stop = threading.Event()
    stop.set()

    assert len(backend.replay(run_id, 1, cancelled=stop)) < len(turn_of(backend, run_id, 1).events)


@pytest.mark.parametrize("ask", ["fork", "replay"])
def test_hosted_api_rejects_fork_with_advice(ask):
    hosted = HostedBackend(HostedSettings(base_url="http://127.0.0.1:9", api_key="sk-test"))

    with pytest.raises(UnsupportedError, match=r"has no checkpoints.*from turn 1"):
        getattr(hosted, ask)("665f00000000000000000001", 2)

    hosted.close()
