from __future__ import annotations

import pytest

from debugger.backends.base import Capabilities
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import ConflictError, InputError, StoreError, UnsupportedError
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES
from debugger.session.fork_draft import DYNAMIC, RUNTIME, WORKFLOW, ForkDraft, ForkPoint
from debugger.session.forks import fork, fork_modes, fork_point, replay_from_start
from debugger.session.session import DebugSession
from debugger.session.variable_rows import VariableRow
from debugger.session.verification import Fidelity, ForkVerification
from debugger.settings import Settings
from tests.support.clinic import LONG_CALL
from tests.support.factories import direct, document, say, static, tool, when

COUNT = "def count(n):\n    return n + 1\n"


class NoCheckpoints(EmbeddedBackend):
    """Like the hosted API: nothing is restored, states cannot be given."""

    capabilities = Capabilities({"exact_fork": "No checkpoint.", "initial_state": "No state."})

    def fork(self, *args, **kwargs):
        raise UnsupportedError("No checkpoint.")

    replay = fork


@pytest.fixture
def settings(tmp_path):
    return Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")


@pytest.fixture
def backend(settings):
    opened = EmbeddedBackend(settings)
    yield opened
    opened.close()


@pytest.fixture
def hosted(settings):
    opened = NoCheckpoints(settings)
    yield opened
    opened.close()


def desk():
    """A workflow that asks for a level and goes to one of two desks."""
    return document(
        static("hi", "Hello {{who}}"),
        say("chat"),
        static("gold", "Gold desk"),
        static("plain", "Plain desk"),
        say("after"),
        direct("hi", "chat"),
        when("chat", "gold", "{{level}} == 'gold' OR [[level]] == 'gold'"),
        when("chat", "plain", "1 == 1"),
        direct("gold", "after"),
        direct("plain", "after"),
        defaults={"who": "Ada", "level": "none"},
    )


def begun(backend, *says, workflow=None):
    """A session of a run in which this was said."""
    session = DebugSession(backend, backend.create_workflow(workflow or desk()).id)
    session.start(TurnInput.with_message(None))
    assert session.wait(10)
    for text in says:
        session.send(text)
        assert session.wait(10)
    return session


def forked(backend, draft, **wanted):
    """The session of a fork once its turn is over."""
    session, forward = fork(backend, draft, backend.store.forks, **wanted)
    session.replay_inputs(forward)
    assert forward.wait(10)
    assert session.error is None
    return session


def said(session):
    return [
        event.words for turn in session.turns for event in turn.events if event.type == "assistant_response"
    ]


def set_value(draft, tier, name, value):
    rows = [row for row in draft.variables.rows(tier) if row.name != name]
    draft.variables.set_rows(tier, [*rows, VariableRow(name, "text", value)])


def test_draft_starts_with_turn_input_and_state(backend):
    counting = document(
        tool("count", COUNT, {"n": 1}), say("chat"), direct("count", "chat"), defaults={"shop": "Leaf"}
    )
    session = begun(backend, "hello", workflow=counting)

    draft = ForkDraft.of(fork_point(session, 2))

    assert draft.message == "hello"
    assert draft.point.main_node == "chat"
    assert draft.variables.shown[DYNAMIC] == {"shop": "Leaf"}
    assert draft.variables.shown[RUNTIME]["tool_result"] == 2
    assert draft.variables.shown[WORKFLOW] == {}
    assert draft.differences == []
    assert not draft.is_edited


def test_unedited_fork_verifies_itself_and_keeps_original(backend):
    session = begun(backend, "one", "two")
    before = backend.run(session.run_id)

    draft = ForkDraft.of(fork_point(session, 2))
    draft.by = "ada "
    fork_session = forked(backend, draft)

    assert [turn.message for turn in fork_session.turns] == ["", "one"]
    record = backend.store.forks.of(fork_session.run_id)
    assert (record.source_run_id, record.turn_number, record.way) == (session.run_id, 2, "exact")
    assert (record.forked_by, record.changes) == ("ada", ())
    assert Fidelity.from_json(record.fidelity).level == "verified"
    assert backend.run(session.run_id) == before


def test_fork_is_made_and_store_failure_logged(backend, caplog, monkeypatch):
    def fail(*_args):
        raise StoreError("The disk is full.")

    session = begun(backend, "one")
    monkeypatch.setattr(backend.store.forks, "keep", fail)
    monkeypatch.setattr(backend.store.forks, "judge", fail)

    fork_session = forked(backend, ForkDraft.of(fork_point(session, 2)))

    assert [turn.message for turn in fork_session.turns] == ["", "one"]
    warnings = [record.getMessage() for record in caplog.records if record.name == "debugger.session.forks"]
    assert warnings == [f"the fork {fork_session.run_id} is not on record as one: The disk is full."] * 2


def test_ten_unedited_forks_are_all_verified(backend):
    clinic = next(sample for sample in SAMPLES if sample.name == "Clinic front desk")
    *_, newest = clinic.load_documents()
    scripted = EmbeddedBackend(backend.settings.model_copy(update={"responder": "scripted"}))
    session = begun(scripted, *LONG_CALL, workflow=newest)
    assert len(session.turns) == 10

    forks = [forked(scripted, ForkDraft.of(fork_point(session, number))) for number in range(1, 11)]

    kept = [scripted.store.forks.of(one.run_id) for one in forks]
    assert [Fidelity.from_json(record.fidelity).level for record in kept] == ["verified"] * 10
    assert [record.turn_number for record in kept] == list(range(1, 11))
    assert [one.status for one in forks] == ["waiting_for_user_input"] * 10
    scripted.close()


def test_edited_variable_and_message_change_the_path(backend):
    session = begun(backend, "one")
    draft = ForkDraft.of(fork_point(session, 2))
    set_value(draft, RUNTIME, "level", "gold")
    draft.message = "let me in"
    draft.note = " why not "

    fork_session = forked(backend, draft)

    assert "Gold desk" in said(fork_session)
    assert "Plain desk" in said(session)
    record = backend.store.forks.of(fork_session.run_id)
    assert [(change["path"], change["op"]) for change in record.changes] == [
        ("message", "changed"),
        ("runtime.level", "added"),
    ]
    assert record.note == "why not"
    assert Fidelity.from_json(record.fidelity).level == "unchecked"


def test_edit_wins_over_input_of_the_turn(backend):
    session = begun(backend)
    session.send("one", TurnInput(dynamic_variables={"level": "silver"}))
    assert session.wait(10)
    draft = ForkDraft.of(fork_point(DebugSession.open(backend, session.run_id), 2))
    assert draft.variables.shown[DYNAMIC]["level"] == "silver"

    set_value(draft, DYNAMIC, "level", "gold")

    assert "Gold desk" in said(forked(backend, draft))


def test_verification_result_goes_with_edited_fork(backend):
    session = begun(backend, "one")
    draft = ForkDraft.of(fork_point(session, 2))
    set_value(draft, RUNTIME, "level", "gold")
    check = ForkVerification(backend, draft)
    check.begin()
    assert check.wait(10)

    fork_session = forked(backend, draft, check=check)

    assert check.fidelity.level == "verified"
    assert Fidelity.from_json(backend.store.forks.of(fork_session.run_id).fidelity).level == "verified"
    assert backend.runs().total == 2


def test_fork_in_other_version_names_verified_version(backend):
    session = begun(backend, "one")
    backend.store.create_version(session.workflow_id, document=desk())
    draft = ForkDraft.of(fork_point(session, 2))
    draft.version_number = 1
    check = ForkVerification(backend, draft)
    check.begin()
    assert check.wait(10)

    fork_session = forked(backend, draft, check=check)

    kept = Fidelity.from_json(backend.store.forks.of(fork_session.run_id).fidelity)
    assert kept.level == "verified"
    assert kept.sentence.endswith("That was in the version of the run.")


def test_failed_verification_gives_reason(hosted):
    session = begun(hosted, "one")
    check = ForkVerification(hosted, ForkDraft.of(fork_point(session, 2)))

    check.begin()
    assert check.wait(10)

    assert check.fidelity.level == "unchecked"
    assert "No checkpoint." in check.fidelity.sentence


def test_fork_can_start_before_first_turn(backend):
    session = begun(backend, "one")
    draft = ForkDraft.of(fork_point(session, 1))
    assert draft.point.main_node == "hi"
    set_value(draft, DYNAMIC, "who", "Bo")

    fork_session = forked(backend, draft)

    assert said(fork_session) == ["Hello Bo"]
    fork_session.send("one")
    assert fork_session.wait(10)
    assert len(fork_session.turns) == 2


def test_unstarted_fork_can_be_opened_and_started(backend):
    session = begun(backend)
    run_id = backend.fork(session.run_id, 1)

    opened = DebugSession.open(backend, run_id)
    status = opened.status
    opened.start(TurnInput.with_message(None))
    assert opened.wait(10)

    assert status == "not_started"
    assert opened.run_id == run_id
    assert opened.turns[0].events


def test_version_without_node_is_error_and_no_fork(backend):
    session = begun(backend, "one")
    backend.store.create_version(session.workflow_id, document=document(say("other")))
    draft = ForkDraft.of(fork_point(session, 2))
    draft.version_number = 1

    with pytest.raises(ConflictError, match="'chat'"):
        fork(backend, draft, backend.store.forks)

    draft.start_node = "other"
    fork_session = forked(backend, draft)
    assert fork_session.version_number == 1
    changes = {
        change["path"]: change["after"] for change in backend.store.forks.of(fork_session.run_id).changes
    }
    assert changes == {"start node": "other", "version": 1}


def test_without_checkpoints_turn_is_rebuilt(hosted):
    session = begun(hosted, "one")
    assert fork_modes(hosted) == ("rebuilt", "replayed")
    draft = ForkDraft.of(fork_point(session, 2), "rebuilt")

    draft.by = "ada"
    fork_session = forked(hosted, draft)

    (only,) = fork_session.turns
    assert only.message == "one"
    assert said(fork_session)[-1] == said(session)[-1]
    record = hosted.store.forks.of(fork_session.run_id)
    assert (record.way, record.source_run_id, record.forked_by) == ("rebuilt", session.run_id, "ada")
    assert Fidelity.from_json(record.fidelity).level == "verified"


def test_rebuilt_turn_takes_edits_as_run_input(hosted):
    session = begun(hosted, "one")
    draft = ForkDraft.of(fork_point(session, 2), "rebuilt")
    set_value(draft, RUNTIME, "level", "gold")

    assert "Gold desk" in said(forked(hosted, draft))


@pytest.mark.parametrize("number", [1, 2])
def test_rebuilt_turn_keeps_its_runtime_variables(hosted, number):
    session = begun(hosted) if number == 2 else DebugSession(hosted, hosted.create_workflow(desk()).id)
    session.send("one", TurnInput.from_wire({"runtime_variables": {"level": "gold"}}))
    assert session.wait(10)
    assert "Gold desk" in said(session)

    other = forked(hosted, ForkDraft.of(fork_point(session, number), "rebuilt"))

    assert "Gold desk" in said(other)


@pytest.mark.parametrize("way", ["exact", "rebuilt"])
def test_fork_in_other_version_takes_its_defaults(backend, hosted, way):
    engine = backend if way == "exact" else hosted
    session = begun(engine, "one")
    assert said(session)[-1] == "Plain desk"
    newer = desk()
    newer["workflow_config"]["miscellaneous"]["default_dynamic_variables"]["level"] = "gold"
    engine.store.create_version(session.workflow_id, document=newer)
    draft = ForkDraft.of(fork_point(session, 2), way)
    draft.version_number = 1

    assert said(forked(engine, draft))[-1] == "Gold desk"


def test_without_checkpoints_inputs_are_replayed(hosted):
    session = begun(hosted, "one", "two")
    draft = ForkDraft.of(fork_point(session, 3), "replayed")

    fork_session = forked(hosted, draft)

    assert [turn.message for turn in fork_session.turns] == ["", "one", "two"]
    assert said(fork_session) == said(session)
    record = hosted.store.forks.of(fork_session.run_id)
    assert (record.way, record.turn_number) == ("replayed", 3)
    assert Fidelity.from_json(record.fidelity).level == "replayed"


def test_impossible_replay_edits_give_reasons(hosted):
    session = begun(hosted, "one")
    draft = ForkDraft.of(fork_point(session, 2), "replayed")
    set_value(draft, RUNTIME, "level", "gold")
    draft.start_node = "plain"

    assert len(draft.problems) == 2
    with pytest.raises(InputError, match="another node"):
        fork(hosted, draft, hosted.store.forks)


def test_verification_without_checkpoints_is_a_run(hosted):
    session = begun(hosted, "one")
    check = ForkVerification(hosted, ForkDraft.of(fork_point(session, 2), "replayed"))

    check.begin()
    assert check.wait(10)

    assert check.fidelity.level == "replayed"
    assert "result was the same" in check.fidelity.sentence
    assert hosted.runs().total == 2


def test_recorded_inputs_lead_to_same_place(backend):
    session = begun(backend, "one", "two", "three")

    sibling, forward = replay_from_start(DebugSession.open(backend, session.run_id), 3)
    sibling.replay_inputs(forward)
    assert forward.wait(10)

    assert [turn.message for turn in sibling.turns] == ["", "one", "two"]
    given = [turn.run_input.dynamic_variables for turn in turn_logs(backend.run(sibling.run_id))]
    assert all("now" in variables for variables in given)
    assert said(sibling) == said(session)[: len(said(sibling))]


def test_recorded_inputs_bring_no_global_variables(backend):
    shop = {"name": "shop", "is_secret": False, "description": None, "category": None}
    made = backend.store.globals.create({**shop, "value": "Leaf"})
    flow = document(static("hi", "Welcome to {{shop}}"), say("chat"), direct("hi", "chat"))
    session = begun(backend, workflow=flow)
    assert said(session) == ["Welcome to Leaf"]
    backend.store.globals.change(made.id, {"value": "Twig"})
    backend.global_values.renew()

    sibling, forward = replay_from_start(DebugSession.open(backend, session.run_id), 1)
    sibling.replay_inputs(forward)
    assert forward.wait(10)

    assert said(sibling) == ["Welcome to Twig"]


def test_variables_as_json_keep_unusable_draft(backend):
    draft = ForkDraft.of(fork_point(begun(backend, "one"), 2))

    draft.set_text(RUNTIME, '{"level": {"name": "gold"}}')
    used = draft.differences
    draft.set_text(RUNTIME, '{"level": ')

    assert [(one.path, one.after) for one in used] == [("runtime.level", {"name": "gold"})]
    assert draft.text(RUNTIME) == '{"level": '
    assert "line 1" in draft.problems[0]
    draft.set_text(RUNTIME, "{}")
    assert (draft.problems, draft.differences) == ([], [])


def test_answer_of_user_is_change_of_fork(backend):
    session = DebugSession(backend, backend.create_workflow(document(say("chat"))).id)
    session.start(TurnInput.with_message("Hello"))
    session.wait(10)

    draft = ForkDraft.of(fork_point(session, 1))
    draft.is_answered_by_user = True

    (change,) = draft.differences
    assert (change.path, change.before, change.after) == ("model", "built-in rules", "user")
    assert draft.is_edited


@pytest.mark.parametrize("way", ["exact", "rebuilt", "replayed"])
def test_edit_wins_over_variables_of_nodes(backend, hosted, way):
    """A caller of the server may bring variables with the input of a node."""
    engine = backend if way == "exact" else hosted
    session = DebugSession(engine, engine.create_workflow(desk()).id)
    said_hi = {"type": "llm", "messages": [{"type": "human", "content": "hi"}]}
    brought = [{**said_hi, "dynamic_variables": {"level": "silver"}}]
    session.start(TurnInput.from_wire({"thread_to_node_inputs": {"0": {"node_run_inputs": brought}}}))
    assert session.wait(10)
    assert said(session)[-1] == "Plain desk"
    draft = ForkDraft.of(fork_point(session, 1), way)
    set_value(draft, DYNAMIC, "level", "gold")

    other = forked(engine, draft)

    assert said(other)[-1] == "Gold desk"


@pytest.mark.parametrize("way", ["exact", "rebuilt"])
def test_edit_wins_over_runtime_variables_of_nodes(backend, hosted, way):
    engine = backend if way == "exact" else hosted
    session = begun(engine, workflow=desk())
    said_hi = {"type": "llm", "messages": [{"type": "human", "content": "hi"}]}
    brought = [{**said_hi, "runtime_variables": {"level": "silver"}}]
    session.send("", TurnInput.from_wire({"thread_to_node_inputs": {"0": {"node_run_inputs": brought}}}))
    assert session.wait(10)
    assert said(session)[-1] == "Plain desk"
    draft = ForkDraft.of(fork_point(session, 2), way)
    set_value(draft, RUNTIME, "level", "gold")

    other = forked(engine, draft)

    assert said(other)[-1] == "Gold desk"


@pytest.mark.parametrize("way", ["exact", "rebuilt", "replayed"])
def test_other_message_keeps_variables_of_nodes(backend, hosted, way):
    engine = backend if way == "exact" else hosted
    session = DebugSession(engine, engine.create_workflow(desk()).id)
    said_hi = {"type": "llm", "messages": [{"type": "human", "content": "hi"}]}
    brought = [{**said_hi, "dynamic_variables": {"level": "gold"}}]
    session.start(TurnInput.from_wire({"thread_to_node_inputs": {"0": {"node_run_inputs": brought}}}))
    assert session.wait(10)
    draft = ForkDraft.of(fork_point(session, 1), way)
    draft.message = "good evening"

    other = forked(engine, draft)

    assert other.turns[-1].message == "good evening"
    assert said(other)[-1] == said(session)[-1] == "Gold desk"


@pytest.mark.parametrize("wire", [{"command": "start"}, {"thread_to_node_inputs": {"0": {}}}])
def test_input_without_node_inputs_is_forked(backend, wire):
    """Inputs as clients of the server may send them."""
    workflow_id = backend.create_workflow(desk()).id
    run_id = backend.execute(workflow_id, TurnInput.from_wire(wire)).finish().run_id
    session = DebugSession.open(backend, run_id)

    other = forked(backend, ForkDraft.of(fork_point(session, 1)))

    assert said(other) == said(session)


@pytest.mark.parametrize(
    "odd",
    [
        {"dynamic_variables": 7, "thread_to_node_inputs": "none"},
        {"thread_to_node_inputs": {"0": {"node_run_inputs": {"a": 1}}, "1": 3}},
        {"thread_to_node_inputs": {"0": {"node_run_inputs": ["x", {"messages": "hi"}]}}},
        {"thread_to_node_inputs": {"0": {"node_run_inputs": [{"runtime_variables": "all"}]}}},
        {"runtime_variables": [], "initial_state": "none", "version_number": "seven"},
    ],
)
@pytest.mark.parametrize("way", ["exact", "rebuilt", "replayed"])
def test_odd_recorded_input_can_be_edited(odd, way):
    """Another server's record may hold values that no request may have."""
    workflow = Workflow.from_wire({"workflow_config": desk()})
    logs = [TurnLog(number, TurnInput.from_record({"command": "start", **odd})) for number in (1, 2)]
    draft = ForkDraft.of(ForkPoint("run", "workflow", workflow, 1, tuple(logs), 2), way)
    draft.message = "good evening"
    set_value(draft, DYNAMIC, "level", "gold")

    inputs = draft.inputs()

    assert inputs[-1].message == "good evening"
    assert len(inputs) == (2 if way == "replayed" else 1)
    for each in inputs:
        TurnInput.from_wire(each.to_wire())


def test_emptied_json_of_draft_stays_empty(backend):
    draft = ForkDraft.of(fork_point(begun(backend), 1))

    draft.set_text(DYNAMIC, "")

    assert draft.text(DYNAMIC) == ""
    assert draft.problems
