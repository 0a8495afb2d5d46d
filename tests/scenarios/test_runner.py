from __future__ import annotations

import json
import threading
from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.models.base import Reply
from debugger.errors import ConnectionFailedError, InputError
from debugger.scenarios.loading import load_text
from debugger.scenarios.model import Repeat
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from debugger.store import Store
from tests.support.factories import direct, document, node, say, static, tool, when
from tests.support.super_nodes import super_node

HEAD = "version: 1\nname: Test\nworkflow: flow.json\n"


def no_connection(name):
    raise AssertionError(f"{name} is asked for")


@pytest.fixture
def runner():
    with ScenarioRunner(no_connection, Settings()) as made:
        yield made


def results(runner, folder, text, *parts, **options):
    (folder / "flow.json").write_text(json.dumps(document(*parts)), encoding="utf-8")
    return list(runner.run(load_text(HEAD + text, folder), **options))


def test_rows_are_runs_of_their_own(runner, tmp_path):
    found = results(
        runner,
        tmp_path,
        "rows: [{who: Ada}, {who: Grace}]\ninput: {dynamic_variables: {who: '{{who}}'}}\n"
        "turns: [{say: hello, expect: [{says: 'Hi {{who}}'}]}]",
        static("greet", "Hi {{who}}."),
    )

    assert [(each.row_number, each.row, each.outcome) for each in found] == [
        (1, {"who": "Ada"}, "passed"),
        (2, {"who": "Grace"}, "passed"),
    ]
    assert found[0].repetitions[0].run_id != found[1].repetitions[0].run_id


def test_enough_repetitions_pass(tmp_path):
    class Wavering:
        count = 0

        def reply(self, prompt):
            self.count += 1
            return Reply(chosen=prompt.choices[0] if self.count % 3 else None)

    text = "turns: [{say: a, expect: [{judge: {criterion: It is polite}}]}]"
    with ScenarioRunner(no_connection, Settings(), judge=Wavering()) as runner:
        [two] = results(runner, tmp_path, f"repeat: {{times: 3, passes: 2}}\n{text}", static("greet", "Hi"))
        [all_three] = results(runner, tmp_path, f"repeat: {{times: 3}}\n{text}", static("greet", "Hi"))
        [once] = results(runner, tmp_path, text, static("greet", "Hi"), repeat=Repeat(times=2))

    assert (two.outcome, two.passes, all_three.outcome, all_three.passes) == ("passed", 2, "failed", 2)
    assert len(once.repetitions) == 2


def test_hard_failure_ends_after_its_turn(runner, tmp_path):
    [found] = results(
        runner,
        tmp_path,
        "turns:\n"
        "  - {say: a, expect: [{says: x, soft: true}]}\n"
        "  - {say: b, expect: [{says: y}, {says: z}]}\n"
        "  - {say: c, expect: [{says: w}]}\n"
        "expect: [{status: failed}]",
        say("desk"),
    )
    [run] = found.repetitions

    assert (run.outcome, run.turns, len(run.failures), len(run.warnings)) == ("failed", 2, 2, 1)


def test_unexpected_failure_of_run_fails(runner, tmp_path):
    broken = (static("greet", "Hi"), node("stop", "no_op"), direct("greet", "stop"))
    text = "mocks: [{node: stop, error: Out of order}]\nturns: [{say: hello}]\n"
    [surprised] = results(runner, tmp_path, text, *broken)
    [expecting] = results(runner, tmp_path, f"{text}expect: [{{status: failed}}]", *broken)

    assert surprised.repetitions[0].failures[0].text == (
        "expected that the run does not fail; got failed: Node 'Stop' was made to fail: Out of order"
    )
    assert expecting.outcome == "passed"


def test_turn_after_end_fails(runner, tmp_path):
    [found] = results(runner, tmp_path, "turns: [{say: a}, {say: b}]", static("greet", "Hi"))

    assert [each.text for each in found.repetitions[0].failures] == [
        "expected that the run takes this turn; got a run that has ended: completed"
    ]


def test_unused_mock_is_a_warning(runner, tmp_path):
    [found] = results(
        runner,
        tmp_path,
        "mocks: [{tool: never, output: {result: 1}}]\nturns: [{say: a}]",
        static("greet", "Hi"),
    )

    assert found.outcome == "passed"
    assert [each.text for each in found.repetitions[0].warnings] == [
        "A mock was not used: expected that the mock of the tool 'never' is used; got no call of it"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "turns: [{advance: 1}]",
            "There is no background work before the first turn. Begin with 'say' or 'send'.",
        ),
        (
            "turns: [{say: a, expect: [{judge: {criterion: It is polite}}]}]",
            "No model can judge 'It is polite': none is configured. "
            "Set WORKFLOW_DEBUGGER_RESPONDER=model and WORKFLOW_DEBUGGER_DEFAULT_MODEL.",
        ),
    ],
)
def test_mistake_is_an_error_and_no_failure(runner, tmp_path, text, message):
    [found] = results(runner, tmp_path, text, static("greet", "Hi"))

    assert (found.outcome, found.repetitions[0].error) == ("error", message)


def test_unknown_node_of_connection_is_an_error(tmp_path):
    staging = EmbeddedBackend(store=Store("sqlite://"))
    staging.create_workflow(document(static("hello", "Hi")))
    with ScenarioRunner({"staging": staging}.__getitem__, Settings()) as runner:
        [found] = results(
            runner,
            tmp_path,
            "turns: [{say: a, expect: [{not_reached: greet}]}]",
            static("greet", "Hi"),
            backend="staging",
        )

    assert (found.outcome, found.repetitions[0].error) == (
        "error",
        "Turn 1, not_reached: The workflow has no node 'greet'. It has hello, Hello.",
    )
    assert found.is_mistake
    staging.close()


def test_clock_and_seed_repeat_a_run(tmp_path):
    chance = static("greet", "{{now}} {{rand_int}}")
    said = []
    for _ in range(2):
        with ScenarioRunner(no_connection, Settings()) as runner:
            [found] = results(
                runner, tmp_path, "clock: 2026-03-02T09:00:00Z\nseed: 5\nturns: [{say: a}]", chance
            )
            run = runner.backend("embedded").run(found.repetitions[0].run_id)
            said += [
                event["content"]
                for event in run.input_output_pairs[0].run_output.events
                if "content" in event
            ]

    assert said[0] == said[1]
    assert said[0].startswith("March 2, 2026 09:00 AM ")


def test_inner_nodes_have_their_names(runner, tmp_path):
    inside = document(say("ask"), static("noted", "Noted"), when("ask", "noted", freeform="A name"))
    [found] = results(
        runner,
        tmp_path,
        "turns:\n"
        "  - {say: hi, expect: [{reached: [Booking › Ask, booking/ask, booking]}, {path: [booking]}]}\n"
        "  - {say: A name, expect: [{path: [booking, done]}, {edge_taken: A name}]}",
        super_node("booking", inside),
        static("done", "Done"),
        direct("booking", "done"),
    )

    assert ([each.text for each in found.repetitions[0].failures], found.repetitions[0].error) == ([], "")


def test_passed_store_has_the_runs(tmp_path):
    store = Store("sqlite://")
    for _ in range(2):
        with ScenarioRunner(no_connection, Settings(), store=store) as runner:
            results(runner, tmp_path, "turns: [{say: a}]", static("greet", "Hi"))
    with ScenarioRunner(no_connection, Settings(), store=store) as runner:
        results(runner, tmp_path, "turns: [{say: a}]", static("greet", "Good day"))
    backend = EmbeddedBackend(store=store)

    assert len(backend.workflows()) == 1
    assert [run.version_number for run in backend.runs().rows] == [1, 0, 0]
    store.close()


def test_connection_runs_its_own_workflow(tmp_path):
    staging = EmbeddedBackend(store=Store("sqlite://"))
    staging.create_workflow(document(static("greet", "Hi from staging")))
    with ScenarioRunner({"staging": staging}.__getitem__, Settings()) as runner:
        [found] = results(
            runner,
            tmp_path,
            "turns: [{say: a, expect: [{says: from staging}]}]",
            static("greet", "Hi from the file"),
            backend="staging",
        )
        missing = "clock: 2026-01-01T00:00:00Z\nseed: 1\nturns: [{say: a}]"
        with pytest.raises(InputError) as caught:
            results(runner, tmp_path, missing, static("greet", "Hi"), backend="staging")

    assert found.outcome == "passed"
    assert len(staging.runs().rows) == 1
    assert str(caught.value) == (
        "The scenario 'Test' needs a frozen clock and a seed, which the connection 'staging' does not have. "
        "Run it on the connection 'embedded', or remove it from the scenario."
    )
    staging.close()


def test_unreachable_server_is_an_error(tmp_path):
    def unreachable(name):
        raise ConnectionFailedError(f"Nothing answers at {name}.")

    with ScenarioRunner(unreachable, Settings()) as runner:
        [found] = results(runner, tmp_path, "turns: [{say: a}]", static("greet", "Hi"), backend="staging")

    assert (found.outcome, found.repetitions[0].error) == ("error", "Nothing answers at staging.")


def test_workflow_of_another_store_is_copied(tmp_path):
    source = EmbeddedBackend(store=Store("sqlite://"))
    row = source.create_workflow(document(static("greet", "Hi"), name="Mine"))
    with ScenarioRunner({"embedded": source}.__getitem__, Settings()) as runner:
        for name in (row.id, "Mine", "workflow_test"):
            text = f"version: 1\nname: Test\nworkflow: {name}\nturns: [{{say: a, expect: [{{says: Hi}}]}}]"
            [found] = runner.run(load_text(text, tmp_path))
            assert found.outcome == "passed"

    assert source.runs().rows == []
    source.close()


def test_wanted_version_of_another_store_is_copied(tmp_path):
    with closing(EmbeddedBackend(store=Store("sqlite://"))) as source:
        row = source.create_workflow(document(static("greet", "First"), name="Mine"))
        source.store.create_version(row.id, document=document(static("greet", "Second")), mark_as_active=True)
        with ScenarioRunner({"embedded": source}.__getitem__, Settings()) as runner:
            outcomes = []
            for name, version in (("Mine", 0), (row.id, 0), ("Mine", None), ("Mine", 1), (row.id, None)):
                text = f"version: 1\nname: Test\nworkflow: {name}\n"
                text += "" if version is None else f"workflow_version: {version}\n"
                text += f"turns: [{{say: a, expect: [{{says: {'Second' if version != 0 else 'First'}}}]}}]"
                outcomes += [each.outcome for each in runner.run(load_text(text, tmp_path))]

    assert outcomes == ["passed"] * 5


def test_result_names_version_that_ran(tmp_path):
    with closing(EmbeddedBackend(store=Store("sqlite://"))) as source:
        row = source.create_workflow(document(static("greet", "First")), name="Mine")
        source.import_version(row.id, document(static("greet", "Second")), expected=1)
        source.import_version(row.id, document(static("greet", "First")), expected=2)
        text = "version: 1\nname: Test\nworkflow: Mine\nturns: [{}]\n"
        for store in (None, source.store):
            with ScenarioRunner({"embedded": source}.__getitem__, Settings(), store=store) as runner:
                [[active], [second]] = [
                    list(runner.run(load_text(text + more, tmp_path)))
                    for more in ("", "workflow_version: 1\n")
                ]
            ran, other = active.repetitions[0].ran, second.repetitions[0].ran
            assert (ran.name, ran.version, other.version) == ("Mine", 2, 1)
            assert ran.digest != other.digest


def test_what_ran_has_nested_workflow_and_script(tmp_path):
    text = "version: 1\nname: Test\nworkflow: Outer\nturns: [{}]\n"
    script = "version: 1\nworkflow: outer\ndemo: [{}]\n"
    with closing(Store("sqlite://")) as store:
        inner = store.create_workflow(document(static("greet", "Hi"), logical_id="inner"), name="Inner")
        box = super_node("box", super_workflow_id=inner.id)
        store.create_workflow(document(box, logical_id="outer"), name="Outer")

        def digest():
            with ScenarioRunner(no_connection, Settings(scripts=str(tmp_path)), store=store) as runner:
                [found] = runner.run(load_text(text, tmp_path))
            return found.repetitions[0].ran.digest

        digests = [digest(), digest()]
        store.create_version(inner.id, document=document(static("greet", "Bye")), mark_as_active=True)
        digests.append(digest())
        for word in ("Hello", "Bye"):
            (tmp_path / "outer.script.yaml").write_text(script.format(word))
            digests.append(digest())

    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_file_has_no_version_in_a_store_of_the_runner(runner, tmp_path):
    [found] = results(runner, tmp_path, "turns: [{}]", static("greet", "Hi"))

    assert found.repetitions[0].ran.version is None


def test_sample_has_its_versions(runner, tmp_path):
    head = "version: 1\nname: Test\nworkflow: workflow_clinic_front_desk\n"
    text = head + "workflow_version: {}\nturns: [{{say: Hi}}]"

    found = [each for number in (0, 1) for each in runner.run(load_text(text.format(number), tmp_path))]

    assert [each.outcome for each in found] == ["passed", "passed"]


FAULTY = document(static("greet", "Hi"), llms_config={"type": "openai_llm", "temperature": 7}, name="Mine")
"""It breaks a rule of saving."""


def test_stored_workflow_that_breaks_rule_runs(tmp_path):
    with closing(EmbeddedBackend(store=Store("sqlite://"))) as source:
        source.store.create_workflow(FAULTY)
        with ScenarioRunner({"embedded": source}.__getitem__, Settings()) as runner:
            text = "version: 1\nname: Test\nworkflow: Mine\nturns: [{say: a, expect: [{says: Hi}]}]"
            [found] = runner.run(load_text(text, tmp_path))

    assert found.outcome == "passed"


@pytest.mark.parametrize("is_known", [False, True])
def test_file_that_breaks_rule_is_not_stored(tmp_path, is_known):
    store = Store("sqlite://")
    if is_known:
        store.create_workflow(document(static("greet", "Hello")))
    (tmp_path / "flow.json").write_text(json.dumps(FAULTY))

    with ScenarioRunner(no_connection, Settings(), store=store) as runner:
        [found] = runner.run(load_text(f"{HEAD}turns: [{{}}]", tmp_path))

    assert found.outcome == "error"
    assert "the 'temperature' is '7'" in found.repetitions[0].error
    assert [len(store.versions(row.id)) for row in store.workflows()[0]] == [1] * is_known
    store.close()


def test_file_that_breaks_rule_runs_in_a_store_of_the_runner(tmp_path):
    (tmp_path / "flow.json").write_text(json.dumps(FAULTY))

    with ScenarioRunner(no_connection, Settings()) as runner:
        [found] = runner.run(load_text(f"{HEAD}turns: [{{}}]", tmp_path))

    assert found.outcome == "passed"


def test_cancelled_row_has_no_result(tmp_path):
    cancelled = threading.Event()

    class Stopping:
        def reply(self, prompt):
            cancelled.set()
            return Reply(chosen=prompt.choices[0])

    with ScenarioRunner(no_connection, Settings(), judge=Stopping()) as runner:
        found = results(
            runner,
            tmp_path,
            "rows: [{a: 1}, {a: 2}]\nturns: [{say: a, expect: [{judge: {criterion: x}}]}]",
            static("greet", "Hi"),
            cancelled=cancelled,
        )

    assert found == []


def test_script_of_the_scenario_answers(runner, tmp_path):
    script = "version: 1\nworkflow: workflow_test\nnodes: {desk: [{say: I read the script.}]}"
    (tmp_path / "own.script.yaml").write_text(script, encoding="utf-8")
    [found] = results(
        runner,
        tmp_path,
        "script: own.script.yaml\nturns: [{say: a, expect: [{says: I read the script.}]}]",
        say("desk"),
    )

    assert found.outcome == "passed"


def test_frozen_clock_waits_for_nothing(runner, tmp_path):
    [found] = results(
        runner,
        tmp_path,
        "clock: 2026-03-02T09:00:00Z\nturns: [{say: a}]\nmocks:\n"
        "  - {tool: look_up, delay_seconds: 600}\n"
        "  - {tool: look_up, output: {result: 1}}\n"
        "  - {node: greet, delay_seconds: 600}",
        tool("look_up", "def run(): return 1"),
        static("greet", "Hi"),
        direct("look_up", "greet"),
    )

    assert (found.outcome, found.repetitions[0].warnings) == ("passed", [])
    assert found.seconds < 300


def test_time_ends_a_loop_at_a_frozen_clock(runner, tmp_path):
    cancelled = threading.Event()
    guard = threading.Timer(10, cancelled.set)  # a clock that stands still would let it loop for ever
    guard.start()
    [found] = results(
        runner,
        tmp_path,
        "clock: 2026-03-02T09:00:00Z\nturns: [{say: a, expect: [{says: Too late}]}]",
        node("poll", "no_op", self_loop_config={"enabled": True, "expiry_time": 60}),
        static("late", "Too late."),
        when("poll", "late", "[[self_loop_outcome]] == 'expiry_time'"),
        cancelled=cancelled,
    )
    guard.cancel()

    assert found.outcome == "passed"


def test_changed_files_are_read_again(runner, tmp_path):
    text = "script: own.script.yaml\nturns: [{say: a, expect: [{says: %s}, {says: %s}]}]"
    for words in ("one", "two"):
        script = f"version: 1\nworkflow: workflow_test\nnodes: {{desk: [{{say: Script {words}.}}]}}"
        (tmp_path / "own.script.yaml").write_text(script, encoding="utf-8")
        [found] = results(
            runner,
            tmp_path,
            text % (f"Script {words}", f"File {words}"),
            static("greet", f"File {words}"),
            say("desk"),
            direct("greet", "desk"),
        )
        assert ([each.text for each in found.repetitions[0].failures], found.repetitions[0].error) == ([], "")


def test_files_without_logical_id_are_kept_apart(tmp_path):
    store = Store("sqlite://")
    for name in ("Tea", "City"):
        flow = document(static("hello", name), name=name, logical_id="")
        (tmp_path / f"{name}.json").write_text(json.dumps(flow))

    outcomes = []
    for name in ("Tea", "City", "Tea"):
        text = f"version: 1\nname: A\nworkflow: {name}.json\nturns: [{{expect: [{{says: {name}}}]}}]"
        with ScenarioRunner(no_connection, Settings(), store=store) as runner:
            outcomes += [result.outcome for result in runner.run(load_text(text, tmp_path))]

    assert outcomes == ["passed"] * 3
    assert {row.name: len(store.versions(row.id)) for row in store.workflows()[0]} == {"Tea": 1, "City": 1}
    store.close()


def test_file_without_logical_id_is_no_other_workflow(tmp_path):
    own = document(static("hello", "Hello"), logical_id="")
    with closing(EmbeddedBackend(Settings(), store=Store("sqlite://"))) as other:
        other.create_workflow(document(static("bye", "Goodbye"), logical_id=""))

        with ScenarioRunner(lambda _: other, Settings()) as runner:
            (tmp_path / "flow.json").write_text(json.dumps(own))
            loaded = load_text(f"{HEAD}turns: [{{}}]", tmp_path)
            [result] = runner.run(loaded, backend="staging")

        assert result.repetitions[0].error.startswith("The file of the workflow has no logical id")
        assert other.runs().total == 0


def test_damaged_workflow_hides_no_other(tmp_path):
    store = Store("sqlite://")
    good = document(static("hello", "Hello"), logical_id="good")
    (tmp_path / "flow.json").write_text(json.dumps(good))
    with closing(EmbeddedBackend(Settings(), store=store)) as backend:
        backend.create_workflow(good)
        store.create_workflow({"name": "Damaged"})

        with ScenarioRunner(lambda _: backend, Settings(), store=store) as runner:
            text = "version: 1\nname: A\nworkflow: {}\nturns: [{{expect: [{{says: Hello}}]}}]"
            loaded = [load_text(text.format(name), tmp_path) for name in ("good", "flow.json")]
            found = [result.repetitions[0] for each in loaded for result in runner.run(each)]

    assert [(each.outcome, each.error) for each in found] == [("passed", "")] * 2


SCRIPT = """
version: 1
workflow: flow
nodes:
  chat:
    - {when: tea, say: "A cup, please."}
answers:
  - {to: GET .*/slots, body: 1}
  - {to: GET .*/slotz, body: 2}
"""


def warnings_of(runner, folder, text, *parts, **config):
    (folder / "flow.json").write_text(
        json.dumps(document(*parts, logical_id="flow", **config)), encoding="utf-8"
    )
    (folder / "flow.script.yaml").write_text(SCRIPT, encoding="utf-8")
    [found] = runner.run(load_text(HEAD + text, folder))
    assert found.repetitions[0].error == ""
    return [each.text for each in found.repetitions[0].warnings]


def test_unused_recorded_answer_is_a_warning(runner, tmp_path):
    ask = node("ask", "http_request", url="https://api.example/slots")
    text = "script: flow.script.yaml\nturns: [{say: tea}]"

    assert warnings_of(runner, tmp_path, text, ask) == [
        "A recorded answer was not used: expected that answer 2 (line 9), to 'GET .*/slotz', is used; got no "
        "call that it fits"
    ]


def test_unused_answer_is_a_warning_beside_a_failure(runner, tmp_path):
    ask = node("ask", "http_request", url="https://api.example/slots")
    text = "script: flow.script.yaml\nturns: [{say: tea, expect: [{says: cup}]}]"

    assert [line[:37] for line in warnings_of(runner, tmp_path, text, ask)] == [
        "A recorded answer was not used: expec"
    ]


@pytest.mark.parametrize(
    ("setting", "unused"),
    [("off", ["answer 2 of 'price' (line 5)"]), ("sandboxed", [])],
)
def test_unused_answer_of_refused_code_is_a_warning(tmp_path, monkeypatch, setting, unused):
    answers = "[{with: {a: 1}, result: 1},\n    {with: {a: 2}, result: 2}]"
    script = f"version: 1\nworkflow: flow\ntools:\n  price: {answers}\n"
    monkeypatch.setitem(globals(), "SCRIPT", script)
    ask = tool("price", "def price(a):\n    return 1\n", {"a": 1})

    with ScenarioRunner(lambda name: pytest.fail(name), Settings(inline_python=setting)) as runner:
        found = warnings_of(runner, tmp_path, "script: flow.script.yaml\nturns: [{say: tea}]", ask)

    assert [line.split("that ")[1].split(",")[0] for line in found if "recorded answer" in line] == unused


def test_node_without_fitting_rule_is_a_warning(runner, tmp_path):
    text = "script: flow.script.yaml\nturns: [{say: tea}, {say: coffee}, {say: milk}]"
    found = warnings_of(runner, tmp_path, text, say("chat", wait_for_user_message=True, self_loop=True))

    assert found[2:] == [
        "The script did not answer: expected that a rule of the script fits at the node 'Chat'; got the "
        "built-in rules"
    ]


def test_rules_without_a_script_need_no_warning(runner, tmp_path):
    assert warnings_of(runner, tmp_path, "turns: [{say: coffee}]", say("chat")) == []


@pytest.mark.parametrize(("calls", "is_warned"), [("", True), ("calls: {talk: simulated}\n", False)])
def test_simulated_model_is_a_warning_without_a_word(tmp_path, calls, is_warned):
    model = {"type": "custom_llm", "model": "tea-1", "base_url": "http://127.0.0.1:9/v1"}
    with ScenarioRunner(no_connection, Settings(responder="model")) as runner:
        found = warnings_of(runner, tmp_path, f"{calls}turns: [{{say: tea}}]", say("chat", llms_config=model))

    assert [line.partition(":")[0] for line in found] == ["No model was called"] * is_warned


def test_no_engine_uses_the_store_after_it_is_closed(tmp_path, monkeypatch):
    alive = []
    threads = set(threading.enumerate())
    close = Store.close

    def look(store):
        alive.extend(each.name for each in threading.enumerate() if each not in threads)
        close(store)

    monkeypatch.setattr(Store, "close", look)
    with ScenarioRunner(no_connection, Settings()) as runner:
        for number in range(2):
            (tmp_path / "own.script.yaml").write_text(
                f"version: 1\nworkflow: workflow_logical\nnodes: {{}}\ndemo: [hello {number}]\n"
            )
            [found] = results(
                runner, tmp_path, "turns: [{say: hello}]\nscript: own.script.yaml\n", static("a", "Hi")
            )
            assert found.repetitions[0].error == ""
        assert any(each.name == "turn-leases" for each in threading.enumerate() if each not in threads)

    assert alive == []


def test_unknown_active_version_does_not_fail(tmp_path, monkeypatch):
    text = "version: 1\nname: Test\nworkflow: {}\nconnection: remote\nturns: [{{expect: [{{says: Hi}}]}}]\n"
    with closing(EmbeddedBackend(store=Store("sqlite://"))) as remote:
        remote.create_workflow(document(static("greet", "Hi")), name="Mine")

        def fail(workflow_id):
            raise ConnectionFailedError("The server does not answer.")

        with ScenarioRunner({"remote": remote}.__getitem__, Settings()) as runner:
            monkeypatch.setattr(remote, "workflow_summary", fail)
            [found] = runner.run(load_text(text.format("Mine"), tmp_path))

    assert (found.outcome, found.repetitions[0].error) == ("passed", "")


def test_version_of_connection_is_that_of_run(tmp_path):
    text = "version: 1\nname: Test\nworkflow: {}\nconnection: remote\nturns: [{{}}]\n"
    with closing(EmbeddedBackend(store=Store("sqlite://"))) as remote:
        row = remote.create_workflow(document(static("greet", "Hi")), name="Mine")
        with ScenarioRunner({"remote": remote}.__getitem__, Settings()) as runner:
            [before] = runner.run(load_text(text.format(row.id), tmp_path))
            remote.import_version(row.id, document(static("greet", "Bye")), expected=1)
            [after] = runner.run(load_text(text.format(row.id), tmp_path))
        [first], [second] = before.repetitions, after.repetitions
        ran = [remote.run(each.run_id).version_number for each in (first, second)]

    assert [first.ran.version, second.ran.version] == ran == [0, 1]
    assert first.ran.digest != second.ran.digest


def test_version_of_run_is_told_without_active_one(tmp_path, monkeypatch):
    text = "version: 1\nname: Test\nworkflow: {}\nconnection: remote\nturns: [{{}}]\n"
    with closing(EmbeddedBackend(store=Store("sqlite://"))) as remote:
        row = remote.create_workflow(document(static("greet", "Hi")), name="Mine")
        unknown = row.model_copy(update={"active_version_number": None})
        with ScenarioRunner({"remote": remote}.__getitem__, Settings()) as runner:
            monkeypatch.setattr(remote, "workflow_summary", lambda workflow_id: unknown)
            [found] = runner.run(load_text(text.format(row.id), tmp_path))
        [only] = found.repetitions
        number = remote.run(only.run_id).version_number

    assert only.ran.version == number == 0
