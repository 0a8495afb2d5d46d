"""Tests of proposed scenarios."""

from __future__ import annotations

import io
import time
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.engine.mocks import Fault, Pin, Target
from debugger.errors import InputError
from debugger.exports.records import ExportedRun
from debugger.protocol.runs import Run, TurnInput
from debugger.samples import SAMPLES
from debugger.scenarios.loading import load_scenario, load_text
from debugger.scenarios.preparation import FrozenClock
from debugger.scenarios.proposal import masked_words, propose, write_bundle
from debugger.scenarios.runner import ScenarioRunner
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.exports import exported
from tests.support.factories import direct, document, say, static, workflow
from tests.support.scenarios import CONVERSATIONS, draft_of, embedded, row_of, run_text, talk


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_propose_passes_at_once_with_defaults(name: str) -> None:
    backend = embedded()
    sample, lines = CONVERSATIONS[name]
    draft = draft_of(talk(backend, sample, lines))

    result = run_text(draft.text(), backend)

    assert result.outcome == "passed", [check.text for each in result.repetitions for check in each.failures]
    assert len(result.repetitions[0].checks) >= 2 * len(draft.turns)


@pytest.mark.parametrize("name", ["Clinic front desk: demo", "Lab results line: waits for the result"])
def test_propose_passes_with_everything_ticked(name: str) -> None:
    backend = embedded()
    draft = draft_of(talk(backend, *CONVERSATIONS[name]))
    draft.proposals = [replace(one, is_ticked=True) for one in draft.proposals]

    result = run_text(draft.text(), backend)

    assert result.outcome == "passed", [check.text for check in result.repetitions[0].failures]
    kinds = {check.expectation.kind for check in result.repetitions[0].checks}
    assert kinds == {"status", "path", "says", "edge_taken", "variable", "hint"}


def test_propose_freezes_clock_at_begin_ofrun_text() -> None:
    backend = embedded()
    session = talk(backend, *CONVERSATIONS["Clinic front desk: demo"])
    draft = draft_of(session, freezes_clock=True)

    loaded = load_text(draft.text(), Path())

    began = ExportedRun(backend.record(session.run_id), session.workflow).created_at
    assert loaded.scenario.clock == began.replace(microsecond=0)
    assert run_text(draft.text(), backend).outcome == "passed"
    assert "clock" not in draft_of(session).head


@pytest.mark.parametrize(
    ("said", "problem"), [("A\0B", "the character 0"), ("A\ud83d", "half of a character")]
)
def test_text_refuses_what_opening_refuses(said: str, problem: str) -> None:
    draft = draft_of(talk(embedded(), "Clinic front desk", [said]))

    with pytest.raises(InputError, match=problem) as caught:
        draft.text()

    assert "Remove" in caught.value.advice or "Write" in caught.value.advice


def test_propose_ticks_status_path_and_first_message() -> None:
    draft = draft_of(talk(embedded(), *CONVERSATIONS["Clinic front desk: demo"]))

    ticked = [(one.kind, one.match, one.text) for one in draft.proposals if one.turn == 1 and one.is_ticked]

    assert ticked == [
        ("status", "exact", "waiting_for_user_input"),
        ("path", "exact", "Greeting > Intent desk > Booking intake > Booking questions > Booking intake"),
        ("says", "contains", "Thank you for calling Juniper Lane Clinic, this is Robin, the virtual front"),
    ]


@pytest.mark.parametrize(
    ("node", "is_ticked"),
    [
        (static("hello", "Hello"), True),
        (static("hello", "Hello [[guest.name]]"), False),
        (static("hello", "Hello {{guest_name}}"), False),
        (say("hello"), False),
    ],
)
def test_propose_ticks_texts_that_last(node, is_ticked) -> None:
    backend = embedded()
    stored = backend.create_workflow(document(node))
    session = DebugSession(backend, stored.id, 0)
    session.start(TurnInput.with_message("Hi", command="start"))
    session.wait()

    draft = draft_of(session)

    said = row_of(draft, 1, "says")
    assert (said.is_ticked, bool(said.text)) == (is_ticked, True)


def test_propose_loosens_what_varies() -> None:
    draft = draft_of(talk(embedded(), *CONVERSATIONS["Clinic front desk: demo"]))

    said = row_of(draft, 5, "says")
    born = next(one for one in draft.proposals if one.subject == "runtime.date_of_birth")

    assert (said.is_volatile, said.text) == (True, "with Dr. Okafor, for Ada Moreno. Shall I book it")
    assert (born.match, born.to_json()) == (
        "has a value",
        {"variable": {"name": "runtime.date_of_birth", "absent": False}},
    )


def test_propose_takes_input_and_mocks_along() -> None:
    backend = embedded()
    first = TurnInput.from_wire(
        {
            "command": "start",
            "dynamic_variables": {"guest_name": "Ada"},
            "thread_to_node_inputs": {"0": {"node_run_inputs": []}},
        }
    )
    session = talk(backend, "Tea welcome", (), first)
    session.mocks.put(Pin(Target("model", "node_order"), {"text": "Hi", "fields": {}}))
    session.mocks.put(Fault(Target("tool", "stock", "node_order"), "timeout", 0, ">=2"))

    draft = draft_of(session)

    assert draft.head["input"] == {"dynamic_variables": {"guest_name": "Ada"}}
    assert draft.head["mocks"] == [
        {"model_of": "node_order", "output": {"text": "Hi"}},
        {"tool": "stock", "called_by": "node_order", "error": "timeout", "attempts": ">=2"},
    ]
    assert draft.turns == [{}]
    assert "Ada" in row_of(draft, 1, "says").text
    del draft.head["mocks"]
    assert run_text(draft.text(), backend).outcome == "passed"


def test_propose_keeps_secrets_out() -> None:
    first = {
        "command": "start",
        "dynamic_variables": {"api_key": "sk-live-1234567890abcdef", "guest_name": "Ada"},
        "secret_variables": {"token": "tkn-0987654321"},
        "thread_to_node_inputs": {"0": {"node_run_inputs": []}},
    }
    session = talk(embedded(), "City services", (), TurnInput.from_wire(first))
    session.send("My password: hunter2hunter2, please.")
    session.wait()
    draft = draft_of(session)
    draft.proposals = [replace(one, is_ticked=True) for one in draft.proposals]

    text = draft.text()

    assert not any(secret in text for secret in ("sk-live", "tkn-0987", "hunter2"))
    assert "secrets (1)" in masked_words(draft.masked)
    assert "keys and tokens (" in masked_words(draft.masked)


def test_propose_keeps_secret_parts_out() -> None:
    states = [{"credentials": {"value": "hush-1"}}, {"credentials": {"value": "hush-2"}}]
    pairs = [
        {
            "run_input": {"command": "start"},
            "run_output": {
                "events": [{"type": "workflow_show_state", "thread_id": "0", "runtime_variables": state}]
            },
        }
        for state in states
    ]
    record = {"workflow_run_id": "0" * 24, "workflow_id": "1" * 24, "status": "completed"}
    run = exported(Run.from_wire({**record, "input_output_pairs": pairs}))
    draft = propose(run, workflow(say("desk")), name="Secret", reference="workflow")
    draft.proposals = [replace(one, is_ticked=True) for one in draft.proposals]

    assert any(one.subject == "runtime.credentials.value" for one in draft.proposals)
    assert "hush" not in draft.text()


def test_propose_masks_personal_data_on_request() -> None:
    session = talk(embedded(), *CONVERSATIONS["Clinic front desk: demo"])

    kept, masked = draft_of(session), draft_of(session, masks_personal_data=True)

    assert "March 3, 1990" in kept.text()
    assert "1990" not in masked.text()
    assert "dates of birth" in masked_words(masked.masked)
    assert masked_words(kept.masked) == ""


def test_propose_repeats_background_work() -> None:
    backend, clock = embedded(), FrozenClock()
    clock.freeze(None)
    moving = EmbeddedBackend(
        backend.settings, store=backend.store, world=Environment(now=clock.now, sleep=clock.sleep)
    )
    session = talk(moving, *CONVERSATIONS["Lab results line: waits for the result"])
    for _ in range(6):
        if session.background.has_work and not session.is_over:
            clock.move_to(session.result.next_due or time.time())
            session.advance()
            session.wait()
    draft = draft_of(session)

    result = run_text(draft.text(), backend)

    assert any("advance" in turn for turn in draft.turns)
    assert any("advance" in draft.turns[one.turn - 1] and one.kind == "says" for one in draft.proposals)
    assert result.outcome == "passed", [check.text for check in result.repetitions[0].failures]


def test_text_needs_a_name() -> None:
    draft = draft_of(talk(embedded(), *CONVERSATIONS["Tea welcome: a conversation"]))
    draft.head["name"] = " "

    with pytest.raises(InputError, match="has no name"):
        draft.text()


def test_placeholders_of_a_run_are_kept_as_texts() -> None:
    backend, said = embedded(), "Hello {{name}}, \\{{ name }}"
    draft = draft_of(talk(backend, "City services", [said]))
    draft.proposals = [replace(one, is_ticked=True) for one in draft.proposals]
    spoken = next(one for one in draft.proposals if one.kind == "says" and "{{" in one.value)
    draft.proposals += [spoken.with_match("regex"), spoken.with_match("exact")]

    loaded = load_text(draft.text(), Path())
    result = run_text(draft.text(), backend)

    assert loaded.scenario.turns[0].say == said
    assert result.outcome == "passed", [check.text for check in result.repetitions[0].failures]


@pytest.mark.parametrize("name", ["Clinic front desk: demo", "Lab results line: waits for the result"])
def test_bundle_passes_without_store_and_scripts(name: str, tmp_path: Path) -> None:
    sample, lines = CONVERSATIONS[name]
    session = talk(embedded(), sample, lines)
    script = next(each.script_text() for each in SAMPLES if each.name == sample)
    own = {**session.workflow.to_wire(), "logical_id": "of_another_machine"}
    script = script.replace(session.workflow.config.logical_id, "of_another_machine")

    content = write_bundle(draft_of(session), sample, own, script)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    empty = EmbeddedBackend(Settings(database="sqlite://", scripts=str(tmp_path / "none")))
    with closing(empty), ScenarioRunner(lambda _: empty, Settings()) as runner:
        (result,) = runner.run(load_scenario(tmp_path / "a-conversation.scenario.yaml", is_confined=True))
    assert result.outcome == "passed", [check.text for check in result.repetitions[0].failures]


def test_bundle_names_no_script_without_one(tmp_path: Path) -> None:
    session = talk(embedded(), *CONVERSATIONS["Tea welcome: a conversation"])
    draft = draft_of(session)
    draft.head["workflow_version"] = 0

    first, second = (
        write_bundle(draft, session.workflow.name, session.workflow.to_wire(), "") for _ in range(2)
    )

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert names == ["tea-welcome.json", "a-conversation.scenario.yaml"]
    scenario = load_scenario(tmp_path / names[1]).scenario
    assert (scenario.workflow, scenario.script, scenario.workflow_version) == ("tea-welcome.json", None, None)


@pytest.mark.parametrize("odd", [True, 7, ["soon", None], {"kind": "manual_answer"}])
def test_propose_reads_odd_pauses(odd: object) -> None:
    event = {"type": "assistant_response", "content": "Hello", "paused_intervals": odd}
    pair = {"run_input": {"command": "start"}, "run_output": {"events": [event]}}
    run = Run.from_wire(
        {
            "workflow_run_id": "665f0c2b9a3e4d5f6a7b8c90",
            "workflow_id": "665f00000000000000000001",
            "status": "completed",
            "input_output_pairs": [pair],
        }
    )

    draft = propose(exported(run), workflow(say("desk")), name="Odd", reference="desk")

    assert draft.notes == []


def test_propose_masks_name() -> None:
    session = talk(embedded(), "City services", ["My password: hunter2hunter2, my number +1 415 555 0123"])
    run = ExportedRun(embedded().record(session.run_id), session.workflow)
    name = f"City: {session.turns[0].message}"

    plain, masked = (
        propose(run, session.workflow, name=name, reference="a", masks_personal_data=masks).head["name"]
        for masks in (False, True)
    )

    assert ("hunter2" in plain, "555 0123" in plain) == (False, True)
    assert ("hunter2" in masked, "555 0123" in masked) == (False, False)


def test_seed_is_proposed_where_chance_decides() -> None:
    with closing(EmbeddedBackend()) as backend:
        drawing = document(
            static("hello", "Hi", "Hello", "Good day", mode="random"), say("desk"), direct("hello", "desk")
        )
        steady = document(static("hello", "Hi"), logical_id="workflow_steady")
        drafts = [draft_of(_talked(backend, each)) for each in (drawing, steady)]

        result = run_text(drafts[0].text(), backend)

    assert [draft.head.get("seed") for draft in drafts] == [1, None]
    assert "The workflow draws at random" in drafts[0].notes[0]
    assert not row_of(drafts[0], 1, "says").is_ticked
    assert (result.outcome, result.scenario.seed) == ("passed", 1)


def _talked(backend, wanted):
    session = DebugSession(backend, backend.create_workflow(wanted).id)
    session.send("Hello")
    session.wait()
    return session


def test_version_of_run_is_written():
    with closing(EmbeddedBackend(Settings(database="sqlite://"))) as backend:
        row = backend.create_workflow(document(static("greet", "Hi"), logical_id="tea"), name="Tea shop")
        backend.import_version(row.id, document(static("greet", "Hello"), logical_id="tea"), expected=1)
        session = DebugSession(backend, row.id, 1)
        session.send("Hi")
        session.wait()
        draft = draft_of(session)

        assert load_text(draft.text(), Path()).scenario.made_with_version == 1
        result = run_text(draft.text(), backend)
        backend.import_version(row.id, document(static("greet", "Hello"), logical_id="tea"), expected=2)
        later = run_text(draft.text(), backend)

    assert [each.repetitions[0].ran.words for each in (result, later)] == [
        "Tea shop, version 1, made with version 1",
        "Tea shop, version 2, made with version 1",
    ]


def test_bundle_has_no_version_of_run():
    draft = draft_of(talk(embedded(), *CONVERSATIONS["Clinic front desk: demo"]))

    content = write_bundle(draft, "Clinic", document(static("greet", "Hi")), "")

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        [name] = [each for each in archive.namelist() if each.endswith(".scenario.yaml")]
        assert b"made_with_version" not in archive.read(name)
