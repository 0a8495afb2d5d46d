from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.engine.models.base import Reply
from debugger.errors import InputError, NotFoundError, RunEndedError, StoreError
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.replays.replayer import Replayer
from debugger.replays.results import Divergence, ReplayResult
from debugger.scenarios.loading import load_scenario
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from tests.support.factories import direct, document, everywhere, node, say, static, tool, when
from tests.support.generated import SEEDS, generate
from tests.support.http_server import HttpServer
from tests.support.no_sockets import no_sockets
from tests.support.replays import Clock

SAMPLES = Path("debugger/samples")


class Answers:
    """A model that gives the first answer of a word in the prompt's message, else of the node."""

    def __init__(self, **answers):
        self.answers = answers

    def reply(self, prompt):
        found = self.answers.get(prompt.node_logical_id, "Well.")
        if callable(found):
            return found(prompt)
        return Reply(text=found, model="fake")


def opened(model=None, **options):
    clock = Clock()
    world = Environment(now=clock.now, sleep=clock.sleep)
    return EmbeddedBackend(Settings(database="sqlite://"), world=world, model=model, **options)


def talk(backend, workflow_id, *texts):
    """The id of a run with these messages, as far as it takes them; background work is done before each."""
    result = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    for text in texts:
        try:
            if result.has_background_work or result.has_active_companions:
                backend.pump(workflow_id, result.run_id).finish()
            given = TurnInput.with_message(text, command="data")
            result = backend.execute(workflow_id, given, run_id=result.run_id).finish()
        except (InputError, RunEndedError):
            break
    return result.run_id


def replayed(made, changed, *texts, model=None):
    """The result of a run of one workflow on a changed version of it."""
    backend = opened(model)
    workflow_id = backend.create_workflow(made).id
    run_id = talk(backend, workflow_id, *texts)
    backend.import_version(workflow_id, changed, expected=1)
    with no_sockets():
        return Replayer(backend, workflow_id, 1).replay(run_id)


def choosing(destination):
    def reply(prompt):
        [chosen] = [each for each in prompt.choices if each.destination_node_logical_id == destination]
        return Reply(chosen=chosen, reason="so it is", model="fake")

    return reply


def desk(*more, prompt="Which tea?", **config):
    return document(
        static("hi", "Hello"),
        say("desk", prompt),
        static("green", "Green it is."),
        static("black", "Black it is."),
        direct("hi", "desk"),
        when("desk", "green", freeform="green", logical_id="edge_green", name="green"),
        when("desk", "black", freeform="black", logical_id="edge_black", name="black"),
        *more,
        **config,
    )


GREEN = Answers(desk=choosing("green"))


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_runs_are_the_same_on_their_own_version(seed):
    made, texts = generate(seed)
    backend = opened()
    workflow_id = backend.create_workflow(made).id
    run_id = talk(backend, workflow_id, *(text for text in texts if not text.startswith("/")))
    found = Replayer(backend, workflow_id, 0, options=backend.engine_options).replay(run_id)

    assert (found.verdict, found.reason) == ("same", "")


def test_same_version_gives_the_same_run():
    found = replayed(desk(), desk(), "Sencha please", model=GREEN)

    assert (found.verdict, found.turns, found.divergence, found.key) == ("same", 2, None, "")


def test_way_back_is_not_the_way_into_a_global_node():
    apart = "independent_llm_evaluations"
    made = document(
        say("desk", "Which tea?", global_node_config=everywhere("the desk")),
        say("help", "How?", global_node_config=everywhere("help", back="human", judged=apart)),
    )

    found = replayed(made, made, "help", "human", "help")

    assert (found.verdict, found.reason, found.turns) == ("same", "", 4)


def test_changed_text_is_other_words():
    changed = desk()
    changed["node_configs"][2]["static_messages"] = ["Sencha, then."]
    changed["node_configs"][2]["static_messages_config"] = {"static_messages": ["Sencha, then."]}
    found = replayed(desk(), changed, "Sencha please", model=GREEN)

    assert found.verdict == "words"
    assert found.divergence == Divergence(2, "green", "Green", "Green it is.", "Sencha, then.")


def test_other_edge_is_another_path():
    steps = (static("hi", "Hello"), static("a", "A"), static("b", "B"))
    made = document(*steps, direct("hi", "a"), defaults={"place": "Ulm"})
    changed = document(*steps, direct("hi", "b"), defaults={"place": "Ulm"})
    found = replayed(made, changed)

    assert found.verdict == "path"
    assert found.divergence == Divergence(1, "hi", "Hi", "→ A", "→ B")


def test_node_between_is_another_path():
    steps = (static("hi", "Hello"), static("a", "A"), static("b", "B"))
    made = document(*steps, direct("hi", "a"))
    changed = document(*steps, direct("hi", "b"), direct("b", "a"))

    assert replayed(made, changed).divergence.after == "→ B"


def test_end_instead_of_an_edge_is_another_path():
    steps = (static("hi", "Hello"), static("a", "A"))
    found = replayed(document(*steps, direct("hi", "a")), document(*steps))

    assert (found.verdict, found.divergence.before, found.divergence.after) == (
        "path",
        "→ A",
        "no transition",
    )


def test_changed_default_is_other_variables():
    def made(count):
        filled = node("n", "no_op", input_runtime_variable_name="count", output_runtime_variable_name="n")
        return document(static("hi", "Hello"), filled, direct("hi", "n"), defaults={"count": count})

    found = replayed(made(2), made(3))

    assert found.verdict in ("variables", "same")


def test_changed_prompt_needs_a_model():
    found = replayed(desk(), desk(prompt="Which coffee?"), "Sencha please", model=GREEN)

    assert found.verdict == "needs_model"
    shown = found.divergence
    assert (shown.turn, shown.node_id, shown.subject) == (2, "desk", "system")
    assert "tea?" in shown.before and "coffee?" in shown.after


def test_path_before_a_missing_answer_counts():
    made = document(static("hi", "Hello"), say("a"), say("b"), direct("hi", "a"))
    changed = document(static("hi", "Hello"), say("a"), say("b"), direct("hi", "b"))
    found = replayed(made, changed, "Yes")

    assert (found.verdict, found.divergence.turn, found.divergence.after) == ("path", 1, "→ B")


def test_deleted_version_is_not_comparable():
    backend = opened(GREEN)
    workflow_id = backend.create_workflow(desk()).id
    run_id = talk(backend, workflow_id, "Sencha please")
    other = Workflow.from_document(desk())
    replayer = Replayer(backend, workflow_id, 0, other)
    backend.delete_workflow(workflow_id)
    found = replayer.replay(run_id)

    assert found.verdict == "not_comparable"
    assert found.reason.startswith("Version 0 cannot be played: ")


def test_tool_is_answered_by_its_recorded_result():
    answers = Answers(desk=lambda prompt: Reply(text="Two left.", model="fake"))
    made = document(
        tool("count", "def count():\n    return 2", logical_id="count"), say("desk"), direct("count", "desk")
    )
    found = replayed(made, made, "How many?", model=answers)

    assert found.verdict == "same"


def test_changed_tool_needs_its_answer():
    made = document(tool("count", "def count():\n    return 2"))
    changed = document(tool("count", "def count():\n    return 3"))
    found = replayed(made, changed)

    assert (found.verdict, found.divergence.node_id) == ("needs_model", "count")


def test_failed_request_is_replayed():
    with HttpServer(down=lambda to: to.send_json({"error": "no tea"}, status=503)) as http:
        get = node("get", "http_request", url=f"{http.url}/down", headers={"X-Key": "planted-secret-1"})
        made = document(get, static("sorry", "Sorry"), direct("get", "sorry"))
        backend = EmbeddedBackend(Settings(database="sqlite://", outbound_read="live"))
        workflow_id = backend.create_workflow(made).id
        run_id = talk(backend, workflow_id)
    with no_sockets():
        found = Replayer(backend, workflow_id, 0).replay(run_id)

    assert found.verdict == "same"


def test_cancelled_replay_ends():
    cancelled = threading.Event()
    cancelled.set()
    backend = opened(GREEN)
    workflow_id = backend.create_workflow(desk()).id
    run_id = talk(backend, workflow_id, "Sencha please")

    Replayer(backend, workflow_id, 0).replay(run_id, cancelled)


def test_run_is_recorded_for_a_scenario(tmp_path):
    backend = opened(GREEN)
    workflow_id = backend.create_workflow(desk()).id
    run_id = talk(backend, workflow_id, "Sencha please")
    recording = Replayer(backend, workflow_id, 0).record(run_id)
    (tmp_path / "desk.json").write_text(json.dumps(desk()), encoding="utf-8")
    (tmp_path / "green.recording.jsonl").write_text(recording.to_text(), encoding="utf-8")
    scenario = tmp_path / "green.scenario.yaml"
    scenario.write_text(
        "version: 1\nname: Green\nworkflow: desk.json\nrecording: green.recording.jsonl\n"
        "turns: [{}, {say: Sencha please, expect: [{says: Green it is}]}]\n",
        encoding="utf-8",
    )
    with no_sockets(), ScenarioRunner(Answers, Settings(database="sqlite://"), record_mode="none") as runner:
        [played] = runner.run(load_scenario(scenario))

    assert [each.failures or each.error for each in played.repetitions] == [""]


def test_unknown_run_is_not_recorded():
    backend = opened()
    workflow_id = backend.create_workflow(desk()).id

    with pytest.raises(NotFoundError):
        Replayer(backend, workflow_id, 0).record("0" * 24)


def test_secret_is_in_no_recording(monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRET_SHOP", "planted-shop-1234")
    with HttpServer(tea=lambda to: to.send_json({"password": "planted-2", "tea": 2})) as http:
        get = node("get", "http_request", url=f"{http.url}/tea", headers={"X-Key": "{{SHOP}}"})
        backend = EmbeddedBackend(Settings(database="sqlite://", outbound_read="live"))
        workflow_id = backend.create_workflow(document(get)).id
        run_id = talk(backend, workflow_id)
    text = Replayer(backend, workflow_id, 0).record(run_id).to_text()

    assert "planted" not in text and '"kind":"node"' in text


def test_run_is_played_up_to_an_answer_that_is_missing():
    backend = opened(GREEN)
    workflow_id = backend.create_workflow(desk()).id
    run_id = talk(backend, workflow_id, "Sencha please")
    backend.import_version(workflow_id, desk(prompt="Which coffee?"), expected=1)

    own, other = (Replayer(backend, workflow_id, number).play(run_id) for number in (0, 1))

    assert (own.has_missed, other.has_missed) == (False, True)
    assert [log.number for log in own.segments] == [1, 2]
    assert own.result.status == backend.run(run_id).status


def test_run_that_its_own_version_does_not_repeat_is_not_played():
    backend = opened(GREEN)
    workflow_id = backend.create_workflow(desk()).id
    run_id = talk(backend, workflow_id, "Sencha please")
    forked = backend.fork(run_id, 1)

    with pytest.raises(InputError, match="cannot be replayed"):
        Replayer(backend, workflow_id, 0).play(forked)


def test_words_before_a_missing_answer_count():
    changed = desk()
    changed["node_configs"][0]["static_messages_config"] = {"static_messages": ["Good day"]}
    found = replayed(desk(), changed, "Sencha please", model=GREEN)

    assert (found.verdict, found.divergence) == ("words", Divergence(1, "hi", "Hi", "Hello", "Good day"))
    assert found.then.node_id == "desk"
    assert found.text == (
        "turn 1, Hi: Good day instead of Hello; unknown from turn 2 on, where Desk needs a model"
    )
    assert ReplayResult.from_json(found.to_json()) == found


class LateModel:
    """A model whose answer is late enough for a filler."""

    def reply(self, prompt):
        time.sleep(0.1)
        return Reply(text="Yes, we have.", model="fake")


def test_filler_is_no_difference():
    group = {
        "type": "llm_group_with_backchannel",
        "llms": [],
        "backchannel_min_patience_time_ms": 20,
        "backchannel_static_responses": ["Let me look."],
    }
    made = document(say("chat", llms_config=group))
    backend = EmbeddedBackend(Settings(database="sqlite://"), model=LateModel())
    workflow_id = backend.create_workflow(made).id
    run_id = talk(backend, workflow_id, "Any tea?")
    said = [
        event["content"]
        for event in backend.run(run_id).input_output_pairs[-1].run_output.events
        if event["type"] == "assistant_response"
    ]
    found = Replayer(backend, workflow_id, 0).replay(run_id)

    assert said == ["Let me look.", "Yes, we have."]
    assert (found.verdict, found.text) == ("same", "")


def test_store_failure_is_no_verdict(monkeypatch):
    backend = opened()
    workflow_id = backend.create_workflow(desk()).id
    run_id = talk(backend, workflow_id)
    backend.import_version(workflow_id, desk(prompt="Tea?"), expected=1)
    replayer = Replayer(backend, workflow_id, 1)

    def fail(*_):
        raise StoreError("The database is locked.", advice="Try again.")

    monkeypatch.setattr(backend, "workflow", fail)

    with pytest.raises(StoreError, match="locked"):
        replayer.replay(run_id)


def test_long_words_are_shown_where_they_differ():
    long = "All our teas are from the garden. " * 20

    result = replayed(document(static("a", f"{long}One.")), document(static("a", f"{long}Two.")))

    assert result.divergence.before.endswith("garden. One.")
    assert result.divergence.after.endswith("garden. Two.")
    assert len(result.divergence.after) < 210


@pytest.mark.parametrize(("taken", "verdict"), [("edge_two", "path"), ("edge_new", "same")])
def test_other_edge_between_the_same_nodes_is_another_path(taken, verdict):
    def made(**conditions):
        edges = [when("a", "b", text, logical_id=edge, name=edge) for edge, text in conditions.items()]
        return document(static("a", "Hi."), static("b", "Bye."), *edges)

    before = made(edge_one="1 == 1", edge_two="1 == 2")
    after = made(edge_one="1 == 2", edge_two="1 == 1") if taken == "edge_two" else made(edge_new="1 == 1")

    assert replayed(before, after).verdict == verdict
