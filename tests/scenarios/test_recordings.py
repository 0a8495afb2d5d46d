from __future__ import annotations

import json
import shutil
import threading
from contextlib import closing
from pathlib import Path

import pytest

from debugger.backends import open_embedded
from debugger.engine.mocks.recording_file import Recording
from debugger.errors import InputError
from debugger.scenarios.loading import load_scenario, load_text
from debugger.scenarios.opening import UploadedScenario, open_scenario
from debugger.scenarios.preparation import check_abilities
from debugger.scenarios.recordings import default_mode
from debugger.scenarios.runner import ScenarioRunner
from debugger.scenarios.suite import load_cases, read_cases
from debugger.settings import Settings
from debugger.store import Store
from tests.support.factories import direct, document, node, say, static, tool
from tests.support.http_server import HttpServer
from tests.support.model_server import said, serving
from tests.support.no_sockets import no_sockets

SAMPLES = Path(__file__).parents[2] / "debugger" / "samples"
FILE = "tea.recording.jsonl"
HEAD = f"version: 1\nname: Tea\nworkflow: flow.json\nrecording: {FILE}\n"
LIVE = Settings(responder="model", outbound_talk="live", outbound_read="live")
CALLS = "calls: {talk: live, read: live}\n"
TURNS = "turns: [{say: Any tea, expect: [{says: Assam}]}]\n"


def no_connection(name):
    raise AssertionError(f"{name} is asked for")


def chat(llm, prompt="You sell tea."):
    return document(say("chat", prompt, llms_config=llm))


def ran(folder, mode, *, more="", turns=TURNS, made=None, settings=LIVE):
    """The repetitions of all cases of a scenario in a record mode."""
    if made is not None:
        (folder / "flow.json").write_text(json.dumps(made), encoding="utf-8")
    (folder / "tea.scenario.yaml").write_text(HEAD + CALLS + more + turns, encoding="utf-8")
    with ScenarioRunner(no_connection, settings, record_mode=mode) as runner:
        found = runner.run(load_scenario(folder / "tea.scenario.yaml"))
        return [each for result in found for each in result.repetitions]


def failures(repetition):
    return [check.text for check in repetition.failures]


def warnings(repetition):
    return [check.text for check in repetition.warnings]


def test_recorded_answers_play_without_a_socket(tmp_path):
    with (
        serving(said("We have Assam.")) as models,
        HttpServer(rooms=lambda to: to.send_json({"rooms": 3})) as http,
    ):
        made = document(
            node("get", "http_request", url=http.url + "/rooms"),
            say("chat", llms_config=models.llm()),
            direct("get", "chat"),
        )
        [recorded] = ran(tmp_path, "once", made=made)
        asked = len(models.requests), len(http.received)
        with no_sockets():
            [once], [none] = ran(tmp_path, "once"), ran(tmp_path, "none", settings=Settings())

        assert (len(models.requests), len(http.received)) == asked == (1, 1)
    assert [each.outcome for each in (recorded, once, none)] == ["passed"] * 3
    assert [each.warnings for each in (once, none)] == [[], []]
    assert once.path == none.path == recorded.path


def test_changed_prompt_fails_and_names_the_field(tmp_path):
    with serving(said("We have Assam.")) as models:
        ran(tmp_path, "once", made=chat(models.llm()))
        with no_sockets():
            [found] = ran(tmp_path, "none", made=chat(models.llm(), "You sell coffee."))
            [other] = ran(tmp_path, "none", more="on_miss: live\n")
            [lenient] = ran(tmp_path, "none", more="on_miss: recorded\n")

        assert len(models.requests) == 1
    [miss, *_] = failures(found)
    assert "expected a recorded answer for each call; got The recorded answer of the model" in miss
    assert "'system' has " in miss and "coffee" in miss and "tea" in miss
    assert (found.outcome, other.outcome, lenient.outcome) == ("failed", "failed", "passed")
    assert any("Another answer was used" in text and "coffee" in text for text in warnings(lenient))


def test_miss_may_be_called(tmp_path):
    with serving(said("We have Assam.")) as models:
        ran(tmp_path, "once", made=chat(models.llm()))
        before = (tmp_path / FILE).read_bytes()
        [found] = ran(tmp_path, "once", made=chat(models.llm(), "Sell coffee."), more="on_miss: live\n")

        assert len(models.requests) == 2
    assert found.outcome == "passed" and (tmp_path / FILE).read_bytes() == before
    assert any("The call was made" in text for text in warnings(found))


def test_new_records_what_is_missing(tmp_path):
    two = "turns: [{say: Any tea, expect: [{says: Assam}]}, {say: And cake, expect: [{says: Lemon}]}]\n"
    with serving(said("We have Assam."), said("Lemon cake.")) as models:
        ran(tmp_path, "new", made=chat(models.llm()))
        [found] = ran(tmp_path, "new", turns=two)
        asked = len(models.requests)
        with no_sockets():
            [again] = ran(tmp_path, "none", turns=two)

    assert (found.outcome, again.outcome, asked) == ("passed", "passed", 2)


def test_call_whose_line_is_deleted_is_recorded_anew(tmp_path):
    with (
        serving(said("We have Assam.")) as models,
        HttpServer(rooms=lambda to: to.send_json({"rooms": 3})) as http,
    ):
        made = document(
            node("get", "http_request", url=http.url + "/rooms"),
            say("chat", llms_config=models.llm()),
            direct("get", "chat"),
        )
        ran(tmp_path, "once", made=made)
        file = tmp_path / FILE
        before = file.read_text(encoding="utf-8")
        models.answers[:] = [said("We have Darjeeling.")]
        kept = [line for line in before.splitlines() if "We have Assam." not in line]
        file.write_text("\n".join(kept) + "\n", encoding="utf-8")

        ran(tmp_path, "new", turns="turns: [{say: Any tea}]\n")

        assert (len(models.requests), len(http.received)) == (2, 1)
    after = file.read_text(encoding="utf-8")
    assert "We have Darjeeling." in after and "We have Assam." not in after
    assert [line for line in after.splitlines() if '"rooms"' in line] == [
        line for line in before.splitlines() if '"rooms"' in line
    ]


def test_all_records_anew(tmp_path):
    with serving(said("We have Assam."), said("Assam, or Darjeeling.")) as models:
        ran(tmp_path, "all", made=chat(models.llm()))
        ran(tmp_path, "all")

    assert "Darjeeling" in (tmp_path / FILE).read_text(encoding="utf-8")


def test_missing_file_is_an_error_that_says_what_to_do(tmp_path):
    with serving() as models, no_sockets():
        [found] = ran(tmp_path, "none", made=chat(models.llm()))

    assert (found.outcome, found.is_mistake) == ("error", True)
    assert FILE in found.error and "--record-mode once" in found.error


@pytest.mark.parametrize("mode", ["none", "once", "all"])
def test_folder_in_place_of_file_is_an_error(tmp_path, mode):
    (tmp_path / FILE).mkdir()

    [found] = ran(tmp_path, mode, made=document(static("hi", "Hi")), turns="turns: [{}]\n")

    assert found.outcome == "error"
    assert f"The recorded answers {tmp_path / FILE} cannot be read" in found.error


def test_file_that_was_recorded_meanwhile_is_kept(tmp_path, monkeypatch):
    theirs = '{"theirs": true}\n'
    to_text = Recording.to_text
    monkeypatch.setattr(
        Recording, "to_text", lambda self: ((tmp_path / FILE).write_text(theirs), to_text(self))[1]
    )
    with serving(said("We have Assam.")) as models:
        [found] = ran(tmp_path, "once", made=chat(models.llm()))

    assert found.outcome == "error"
    assert "meanwhile" in found.error
    assert (tmp_path / FILE).read_text() == theirs


def test_run_that_stops_early_is_not_recorded(tmp_path):
    with serving(said("Only coffee.")) as models:
        [found] = ran(tmp_path, "once", made=chat(models.llm()))

    assert found.outcome == "failed" and not (tmp_path / FILE).exists()


def test_each_row_has_a_file_and_only_the_first_repetition_records(tmp_path):
    rows = "rows: [{what: tea}, {what: cake}]\nrepeat: {times: 2}\n"
    turns = "turns: [{say: 'Any {{what}}?'}]\n"
    with serving(said("One."), said("Two."), said("Three."), said("Four.")) as models:
        ran(tmp_path, "all", made=chat(models.llm()), more=rows, turns=turns)
        made = len(models.requests)
        with no_sockets():
            played = ran(tmp_path, "none", more=rows, turns=turns)
            with ScenarioRunner(no_connection, LIVE) as runner:
                cases = list(read_cases(tmp_path / "tea.scenario.yaml"))
                found = [case.run(runner, threading.Event()) for case in cases]

    texts = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.jsonl")}
    assert sorted(texts) == ["tea.1.recording.jsonl", "tea.2.recording.jsonl"]
    assert "One." in texts["tea.1.recording.jsonl"] and "Three." in texts["tea.2.recording.jsonl"]
    assert made == 4 and [each.outcome for each in played] == ["passed"] * 4
    assert [each.outcome for each in found] == ["passed", "passed"]


def test_no_planted_secret_is_recorded(tmp_path, monkeypatch):
    planted = {
        "WORKFLOW_DEBUGGER_SECRET_SHOP_KEY": "planted-shop-1234",
        "OPENAI_API_KEY": "sk-planted-openai-5678",
    }
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    with (
        serving(said("Assam for planted-shop-1234.")) as models,
        HttpServer(echo=lambda to: to.echo()) as http,
    ):
        made = document(
            node(
                "get",
                "http_request",
                url=http.url + "/echo?token=planted-token-99",
                headers={"Authorization": "Bearer {{SHOP_KEY}}"},
            ),
            say("chat", "The key is {{SHOP_KEY}}.", llms_config=models.llm()),
            direct("get", "chat"),
        )
        turns = "turns: [{say: planted-shop-1234 please}]\n"
        [recorded] = ran(tmp_path, "once", made=made, turns=turns)
        with no_sockets():
            [played] = ran(tmp_path, "none", turns=turns)

    assert (recorded.outcome, played.outcome) == ("passed", "passed")
    assert "planted" not in (tmp_path / FILE).read_text(encoding="utf-8")


def test_unused_answers_are_warned_of(tmp_path):
    with serving(said("We have Assam.")) as models:
        ran(tmp_path, "once", made=chat(models.llm()))
    with no_sockets():
        [found] = ran(tmp_path, "none", made=document(static("a", "Assam")))

    assert any(
        "1 that were not; the first is of the model of the node 'chat'" in each for each in warnings(found)
    )


def test_packaged_scenarios_play_as_recorded(tmp_path):
    shutil.copytree(SAMPLES, tmp_path, dirs_exist_ok=True)
    outcomes = {}
    for path in sorted((tmp_path / "scenarios").glob("*.scenario.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}\nrecording: {path.name.removesuffix('.scenario.yaml')}.recording.jsonl\n")
        for mode in ("once", "none"):
            with ScenarioRunner(no_connection, Settings(), record_mode=mode) as runner:
                for each in runner.run(load_scenario(path)):
                    found = [(one.outcome, failures(one), one.error, one.path) for one in each.repetitions]
                    outcomes.setdefault((path.name, each.row_number), []).append(found)

    assert len(outcomes) >= 7
    assert {key: played for key, (recorded, played) in outcomes.items() if played != recorded} == {}


def test_run_of_a_row_is_marked_with_its_number(tmp_path):
    (tmp_path / "flow.json").write_text(json.dumps(document(static("a", "Hi"))))
    text = "version: 1\nname: Tea\nworkflow: flow.json\nrows: [{w: a}, {w: b}]\nturns: [{say: '{{w}}'}]\n"
    (tmp_path / "tea.scenario.yaml").write_text(text)
    with closing(Store("sqlite://")) as store, ScenarioRunner(no_connection, LIVE, store=store) as runner:
        cases = read_cases(tmp_path / "tea.scenario.yaml")
        runs = [case.run(runner, threading.Event()).repetitions[0].run_id for case in cases]
        numbers = [store.scenario_runs.of(run).row_number for run in runs]

    assert numbers == [1, 2]


@pytest.mark.parametrize(
    ("environment", "mode"), [({"CI": "true"}, "none"), ({"CI": ""}, "once"), ({}, "once")]
)
def test_ci_records_nothing(environment, mode):
    assert default_mode(environment) == mode


@pytest.mark.parametrize(
    ("recording", "options", "problem"),
    [
        ("tea.jsonl", {}, "does not end in .recording.jsonl"),
        ("../tea.recording.jsonl", {"is_confined": True}, "is in another folder"),
        (FILE, {"folder": None}, "A stored scenario has no file"),
    ],
)
def test_recording_in_a_wrong_place_is_a_mistake(tmp_path, recording, options, problem):
    text = f"version: 1\nname: Tea\nworkflow: flow\nrecording: {recording}\n{TURNS}"

    with pytest.raises(InputError, match=problem):
        load_text(text, **{"folder": tmp_path, **options})


def test_recorded_answers_are_for_tests_of_the_embedded_engine(tmp_path):
    loaded = load_text(f"version: 1\nname: Tea\nworkflow: flow\nrecording: {FILE}\n{TURNS}", tmp_path)

    with pytest.raises(InputError, match="needs recorded answers, which the connection 'hosted'"):
        check_abilities(loaded.scenario, "hosted")
    with (
        closing(open_embedded(Settings(database="sqlite://"))) as backend,
        pytest.raises(InputError, match="plays recorded answers"),
    ):
        open_scenario(UploadedScenario(loaded), loaded.scenario, backend)


ONE = "turns: [{say: Hello}]\n"


def text_of(folder):
    return (folder / FILE).read_text(encoding="utf-8")


def test_token_in_answer_is_not_recorded(tmp_path):
    with HttpServer(login=lambda to: to.send_json({"access_token": "planted-1"})) as http:
        made = document(
            node("login", "http_request", url=http.url + "/login"),
            tool("sign", "def main():\n    return {'authorization': 'Bearer ' + 'planted' + '-2'}"),
            static("hi", "Hi"),
            direct("login", "sign"),
            direct("sign", "hi"),
        )
        [found] = ran(tmp_path, "once", made=made, turns=ONE)

    assert found.outcome == "passed"
    answers = [json.dumps(call.answer) for call in Recording.load(tmp_path / FILE).calls]
    assert [each for each in answers if "planted" in each] == []


def test_password_of_run_input_is_not_recorded(tmp_path):
    more = "input: {dynamic_variables: {password: planted-1, api_token: planted-2}}\n"
    ran(tmp_path, "once", made=document(static("hi", "Hi")), turns=ONE, more=more)

    assert "planted" not in text_of(tmp_path)


def test_signature_in_url_is_not_recorded(tmp_path):
    with HttpServer(file=lambda to: to.send_json({})) as http:
        url = http.url + "/file?X-Amz-Signature=planted-1"
        made = document(node("get", "http_request", url=url), static("hi", "Hi"), direct("get", "hi"))
        ran(tmp_path, "once", made=made, turns=ONE)

    assert "planted" not in text_of(tmp_path)


@pytest.mark.parametrize("value", ["swordfish", "123456"])
def test_short_secret_in_answers_is_not_recorded(tmp_path, monkeypatch, value):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRET_SHOP_KEY", value)
    with serving(said(f"The key is {value}.")) as models:
        ran(tmp_path, "once", made=chat(models.llm()), turns=ONE)

    [call] = Recording.load(tmp_path / FILE).calls
    assert value not in call.answer["text"]


@pytest.mark.parametrize(("path", "headers"), [("/{{SHOP}}", {}), ("", {"X-Shop": "{{SHOP}}"})])
def test_recording_plays_with_another_secret(tmp_path, monkeypatch, path, headers):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRET_SHOP", "planted-shop-1234")
    with HttpServer(echo=lambda to: to.echo()) as http:
        get = node("get", "http_request", url=f"{http.url}/echo{path}", headers=headers)
        ran(tmp_path, "once", made=document(get, static("hi", "Hi"), direct("get", "hi")), turns=ONE)
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRET_SHOP", "of another machine")

    with no_sockets():
        [played] = ran(tmp_path, "none", turns=ONE)

    assert failures(played) == []


def test_number_without_end_is_an_error_of_its_line(tmp_path):
    with serving(said("We have Assam.")) as models:
        ran(tmp_path, "once", made=chat(models.llm()))
    text = text_of(tmp_path).replace('"milliseconds":', '"milliseconds":1e400,"was":')
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    [case] = load_cases([tmp_path])

    with ScenarioRunner(no_connection, LIVE) as runner:
        [found] = case.run(runner, threading.Event()).repetitions

    assert f"{FILE}, line 3" in found.error


def test_file_too_large_to_play_is_not_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr("debugger.engine.mocks.recording_file.MAX_BYTES", 100)

    [found] = ran(tmp_path, "once", made=document(static("hi", "Hi")), turns=ONE)

    assert found.outcome == "error"


def test_full_disk_leaves_no_half_file(tmp_path, monkeypatch):
    write = Path.write_bytes

    def fill(path, content):
        write(path, content[:10])
        raise OSError(28, "No space left on device")

    (tmp_path / "flow.json").write_text(json.dumps(document(static("hi", "Hi"))), encoding="utf-8")
    monkeypatch.setattr(Path, "write_bytes", fill)
    [found] = ran(tmp_path, "once", turns=ONE)

    assert "No space left" in found.error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flow.json", "tea.scenario.yaml"]
    assert "in a folder that is there" not in found.error


@pytest.mark.parametrize("value", ["false", "0"])
def test_ci_that_is_switched_off_records(value):
    assert default_mode({"CI": value}) == "once"


def test_missing_folder_is_told_before_calls(tmp_path):
    text = HEAD.replace(FILE, f"sub/{FILE}") + CALLS + ONE
    (tmp_path / "tea.scenario.yaml").write_text(text, encoding="utf-8")
    with serving(said("We have Assam.")) as models:
        (tmp_path / "flow.json").write_text(json.dumps(chat(models.llm())), encoding="utf-8")
        [case] = load_cases([tmp_path])
        with ScenarioRunner(no_connection, LIVE, record_mode="once") as runner:
            found = case.run(runner, threading.Event())

        assert (found.outcome, len(models.requests)) == ("error", 0)


@pytest.mark.parametrize("text", ["", '{"recording": 2}\n'])
def test_unreadable_file_names_the_mode_to_use(tmp_path, text):
    (tmp_path / FILE).write_text(text, encoding="utf-8")

    [found] = ran(tmp_path, "once", made=document(static("hi", "Hi")), turns=ONE)

    assert "--record-mode all" in found.error
