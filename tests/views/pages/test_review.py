from __future__ import annotations

import io
import json

import pytest
from openpyxl import Workbook
from streamlit.components.v2.bidi_component.main import _make_trigger_id

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.recorded import RecordedBackend
from debugger.errors import StoreError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.run_file import RunFile
from debugger.protocol.runs import TurnInput
from debugger.protocol.scenario_runs import ScenarioMark
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.store import Role, new_id
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection
from debugger.views.panels.review.actions import ReviewState
from debugger.views.panels.review.queue import MAX_CHOSEN_RUNS, ReviewFilter
from tests.support.factories import direct, document, say, static
from tests.views.bars import badges, captions, control, items, keys, meters, use
from tests.views.records import record_of
from tests.views.row_lists import choose as choose_row
from tests.views.row_lists import lists


@pytest.fixture
def app(view):
    """The page."""
    return view("review")


@pytest.fixture
def workflow(backend):
    return backend.create_workflow(
        document(static("a", "Hello"), say("b"), direct("a", "b")), name="Tea shop"
    )


def runs(backend, workflow, count):
    """Return new runs, the newest first."""
    made = []
    for _ in range(count):
        session = DebugSession(backend, workflow.id)
        session.start(TurnInput.with_message(None))
        assert session.wait(10)
        session.send("Green, please")
        assert session.wait(10)
        made.append(session.run_id)
    return made[::-1]


def held(app) -> ReviewState:
    return record_of(app, ReviewState)


def decide(app, value):
    use(app, f"verdict_{value}_{held(app).run_id}")
    assert not app.exception


def verdicts(backend, *run_ids, connection=""):
    found = backend.store.reviews.verdicts(run_ids, connection=connection)
    return [
        (verdict.run_id, verdict.target, verdict.value, verdict.reviewer, verdict.comment)
        for run_id in run_ids
        for verdict in found.get(run_id, [])
    ]


def transcript(app):
    element = _transcript(app)
    data = json.loads(element.proto.json)
    return {**data, "turns": json.loads(data["turns"])}


def choose(app, target):
    """Choose a part of the run as a click does."""
    states = app._tree.get_widget_states()
    events = states.widgets.add()
    events.id = _make_trigger_id(_transcript(app).proto.id, "events")
    events.json_trigger_value = json.dumps([{"event": "chosen", "value": target}])
    app._run(states)


def _transcript(app):
    return next(each for each in app.get("bidi_component") if each.key == "review_transcript")


def sign_in(monkeypatch, name, role):
    user = User(name, role, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: user)


def test_without_runs_page_says_what_would_be_here(app):
    app.run()

    assert not app.exception
    assert "There is no run to review yet" in captions(app)


def test_verdicts_lead_through_the_open_runs(app, backend, workflow):
    first, second, third = runs(backend, workflow, 3)
    app.run()
    assert meters(app) == [("0 of 3 decided, 3 open", 0)]

    decide(app, "pass")
    at_second = held(app).run_id
    decide(app, "fail")
    assert meters(app) == [("2 of 3 decided, 1 open", pytest.approx(2 / 3))]
    decide(app, "unsure")

    assert (at_second, held(app).run_id) == (second, third)
    assert verdicts(backend, first, second, third) == [
        (first, Target(), "pass", "me", ""),
        (second, Target(), "fail", "me", ""),
        (third, Target(), "unsure", "me", ""),
    ]
    assert "Every run of the filter is decided" in badges(app)


def test_turn_without_messages_says_so(app, backend, workflow):
    (run_id,) = runs(backend, workflow, 1)
    session = DebugSession.open(backend, run_id)
    session.stop()
    assert session.wait(10)

    app.run()

    assert [turn["path"] for turn in transcript(app)["turns"]][-1] == "Nothing was said."


def test_transcript_tells_messages_and_paths(app, backend, workflow):
    runs(backend, workflow, 1)

    app.run()

    turns = transcript(app)["turns"]
    assert [turn["title"] for turn in turns] == ["Turn 1", "Turn 2"]
    assert turns[0]["path"] == "A > always > B"
    assert [(each["role"], each["target"]) for turn in turns for each in turn["messages"]] == [
        ("agent", "message:1"),
        ("user", "message:2"),
        ("agent", "message:3"),
    ]
    assert turns[1]["messages"][0]["text"] == "Green, please"


def test_verdict_goes_to_the_chosen_part(app, backend, workflow):
    [run_id, _] = runs(backend, workflow, 2)
    app.run()

    choose(app, "message:2")
    decide(app, "fail")
    use(app, "next_target")
    decide(app, "pass")
    use(app, "previous_target")
    use(app, "previous_target")
    decide(app, "unsure")

    assert held(app).run_id == run_id
    assert verdicts(backend, run_id) == [
        (run_id, Target.message(2), "fail", "me", ""),
        (run_id, Target.message(3), "pass", "me", ""),
        (run_id, Target.turn(2), "unsure", "me", ""),
    ]
    shown = transcript(app)
    assert shown["chosen"] == "turn:2"
    assert shown["turns"][1]["verdict"] == "unsure"
    assert [each["verdict"] for each in shown["turns"][1]["messages"]] == ["fail", "pass"]
    use(app, "whole_run")
    assert held(app).target == Target()


def test_long_transcript_turns_to_the_chosen_part(app, backend, workflow, monkeypatch):
    monkeypatch.setattr("debugger.views.panels.review.run_view.MAX_TURNS", 1)
    runs(backend, workflow, 1)
    app.run()
    pages = [[turn["title"] for turn in transcript(app)["turns"]]]

    for name in ("next_target", "next_target", "next_target", "whole_run", "previous_target"):
        use(app, name)
        pages.append([turn["title"] for turn in transcript(app)["turns"]])

    assert not app.exception
    assert pages == [["Turn 1"], ["Turn 1"], ["Turn 1"], ["Turn 2"], ["Turn 2"], ["Turn 2"]]
    assert held(app).target == Target()


@pytest.mark.parametrize("value", ["event:1", "message:x", "turn:", 5, None])
def test_odd_choice_of_a_browser_is_ignored(app, backend, workflow, value):
    runs(backend, workflow, 1)
    app.run()

    choose(app, value)

    assert not app.exception
    assert held(app).target == Target()


def test_comment_typed_before_goes_with_the_verdict(app, backend, workflow):
    [run_id, other] = runs(backend, workflow, 2)
    app.run()
    box = f"review_comment_{run_id}_run_"

    app.text_area(box).set_value(" Too late ").run()
    assert verdicts(backend, run_id) == []
    decide(app, "fail")
    use(app, "previous_reviewed")
    app.text_area(box).set_value("Much too late").run()

    assert held(app).run_id == run_id
    assert verdicts(backend, run_id, other) == [(run_id, Target(), "fail", "me", "Much too late")]


def test_undo_restores_what_was_there(app, backend, workflow):
    [run_id, other] = runs(backend, workflow, 2)
    app.run()
    decide(app, "pass")
    use(app, "previous_reviewed")
    decide(app, "fail")
    assert held(app).run_id == other

    use(app, "undo_verdict")
    once = verdicts(backend, run_id)
    use(app, "undo_verdict")

    assert once == [(run_id, Target(), "pass", "me", "")]
    assert verdicts(backend, run_id, other) == []
    assert held(app).run_id == run_id
    assert control(app, "undo_verdict").disabled


def test_undo_leaves_what_was_changed_elsewhere(app, backend, workflow):
    [run_id] = runs(backend, workflow, 1)
    app.run()
    decide(app, "pass")
    backend.store.reviews.set_verdict(Verdict(run_id=run_id, target=Target(), value="unsure", reviewer="me"))

    use(app, "undo_verdict")

    assert "has been changed meanwhile" in app.error[0].value
    assert verdicts(backend, run_id) == [(run_id, Target(), "unsure", "me", "")]


def test_switch_keeps_the_decided_run_on_view(app, backend, workflow):
    [run_id, _] = runs(backend, workflow, 2)
    app.run()

    use(app, "review_moves_on", False)
    decide(app, "pass")

    assert held(app).run_id == run_id
    assert control(app, f"verdict_pass_{run_id}").item["look"] == "primary"


def test_late_press_decides_on_no_other_run(app, backend, workflow):
    [run_id, other] = runs(backend, workflow, 2)
    app.run()
    stale = control(app, f"verdict_pass_{run_id}")
    decide(app, "fail")

    stale.use()

    assert verdicts(backend, run_id, other) == [(run_id, Target(), "fail", "me", "")]


def test_rubric_is_kept_with_the_workflow(app, backend, workflow):
    [run_id, other] = runs(backend, workflow, 2)
    app.run()

    app.text_area(f"review_rubric_{workflow.id}").set_value("Greets\n\n Asks *twice* ").run()
    app.button("review_rubric_save").click().run()
    app.button_group(f"review_check_1_{run_id}").set_value("fail").run()
    decide(app, "fail")
    app.run()

    assert backend.store.reviews.rubric(workflow.id) == ["Greets", "Asks *twice*"]
    [verdict] = backend.store.reviews.verdicts([run_id])[run_id]
    assert verdict.checks == {"Asks *twice*": "fail"}
    assert held(app).run_id == other
    assert app.button_group(f"review_check_1_{other}").value is None


def test_verdicts_of_others_are_shown_after_own(app, backend, workflow):
    [run_id] = runs(backend, workflow, 1)
    backend.store.reviews.set_verdict(
        Verdict(run_id=run_id, target=Target(), value="fail", reviewer="Ben", comment="**Rude**")
    )
    app.run()
    before = captions(app)

    decide(app, "pass")

    assert "1 verdict of others, shown once you have decided." in before
    assert "Rude" not in before
    assert "Ben on the run · **Rude**" in captions(app)


def test_verdicts_of_others_are_shown_on_demand(app, backend, workflow):
    [run_id] = runs(backend, workflow, 1)
    backend.store.reviews.set_verdict(Verdict(run_id=run_id, target=Target(), value="fail", reviewer="Ben"))
    app.run()

    app.button("review_reveal").click().run()

    assert "Ben on the run" in captions(app)


def test_reader_sees_runs_and_cannot_decide(app, backend, workflow, monkeypatch):
    [run_id] = runs(backend, workflow, 1)
    sign_in(monkeypatch, "Eve", Role.READ)
    app.run()

    button = control(app, f"verdict_pass_{run_id}")
    assert button.disabled and "Needs the role review" in button.help
    button.use()

    assert verdicts(backend, run_id) == []


@pytest.mark.parametrize(("role", "is_deleted"), [(Role.REVIEW, False), (Role.ADMIN, True)])
def test_administrator_alone_deletes_verdicts_of_others(
    app, backend, workflow, monkeypatch, role, is_deleted
):
    [run_id] = runs(backend, workflow, 1)
    for reviewer in ("Ada", "Ben"):
        verdict = Verdict(run_id=run_id, target=Target(), value="fail", reviewer=reviewer)
        backend.store.reviews.set_verdict(verdict)
    sign_in(monkeypatch, "Ada", role)
    app.run()

    button = app.button("remove_review_verdict_Ben_run_")
    assert button.disabled != is_deleted
    if is_deleted:
        button.click().run()
    app.button("remove_review_verdict_Ada_run_").click().run()

    assert [found[3] for found in verdicts(backend, run_id)] == ([] if is_deleted else ["Ben"])
    assert any(entry.action == "delete verdict" for entry in backend.store.audit.newest(10))


def test_address_restores_filter_and_run(app, backend, workflow):
    first, second, third = runs(backend, workflow, 3)
    backend.store.notes.change_tags([first], ["smoke"])
    backend.store.notes.change_tags([second], ["smoke"])

    app.query_params["tag"] = "smoke"
    app.query_params["run"] = second
    app.run()

    assert held(app).run_id == second
    assert held(app).queue.runs == (first, second)
    assert meters(app)[0][0] == "0 of 2 decided, 2 open"
    assert app.query_params["run"] == second
    assert third not in held(app).queue.runs


def test_only_open_runs_are_walked_through(app, backend, workflow):
    first, second = runs(backend, workflow, 2)
    backend.store.reviews.set_verdict(Verdict(run_id=first, target=Target(), value="fail", reviewer="me"))

    app.query_params["open"] = "1"
    app.run()

    assert held(app).queue.runs == (second,)


def test_filter_that_fits_nothing_offers_all_runs(app, backend, workflow):
    [run_id] = runs(backend, workflow, 1)
    app.query_params["status"] = "failed"
    app.run()
    assert "No run matches the filter" in captions(app)

    app.button("review_all").click().run()

    assert held(app).run_id == run_id


def test_run_that_was_deleted_meanwhile_is_passed_by(app, backend, workflow):
    first, second = runs(backend, workflow, 2)
    app.run()
    held(app).read = None
    backend.store.delete_run(first)

    app.run()
    assert not app.exception
    assert first in app.error[0].value
    use(app, "next_open")

    assert held(app).run_id == second
    assert f"verdict_pass_{second}" in keys(app)


def test_verdicts_on_hosted_runs_are_stored_here(app, backend, workflow, tmp_path):
    other = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/other.sqlite3", responder="rules"))
    [run_id] = runs(
        other, other.create_workflow(document(static("a", "Hello"), say("b"), direct("a", "b"))), 1
    )
    app.run()
    (
        record_of(app, CurrentBackend).name,
        record_of(app, HostedConnection).name,
        record_of(app, HostedConnection).backend,
    ) = "hosted", "staging", other

    app.query_params.update({"backend": "hosted", "connection": "staging", "run": run_id})
    app.run()
    decide(app, "fail")
    upload(app, workbook(("run_id", "turn", "verdict"), (run_id, 1, "pass"), ("f" * 24, 1, "pass")))
    app.button("review_import_now").click().run()
    other.close()

    assert not app.exception
    assert verdicts(backend, run_id) == []
    assert verdicts(backend, run_id, connection="staging") == [
        (run_id, Target(), "fail", "me", ""),
        (run_id, Target.turn(1), "pass", "me", ""),
    ]
    assert (app.query_params["backend"], app.query_params["connection"]) == ("hosted", "staging")


def test_run_out_of_a_file_is_only_read(app, backend, workflow):
    [run_id] = runs(backend, workflow, 1)
    file = RunFile(run=backend.run(run_id).to_wire())
    app.run()
    record_of(app, CurrentBackend).name, record_of(app, CurrentBackend).recording = (
        "recording",
        RecordedBackend(file),
    )

    app.run()
    button = control(app, f"verdict_pass_{run_id}")
    button.use()

    assert not app.exception
    assert button.disabled and "is read-only" in button.help
    assert control(app, "review_import").disabled
    assert verdicts(backend, run_id) == []


def test_backend_that_fails_is_reported(app, backend, workflow):
    runs(backend, workflow, 1)
    backend.fault = StoreError("The database is gone.")

    app.run()

    assert not app.exception
    assert app.error[0].value == "The database is gone\\."


def workbook(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload(app, content, name="reviewed.xlsx"):
    if not held(app).is_importing:
        use(app, "review_import")
    app.file_uploader[0].upload(name, content).run()
    assert not app.exception


def test_sheet_changes_nothing_before_it_is_confirmed(app, backend, workflow):
    first, second = runs(backend, workflow, 2)
    app.run()
    sheet = workbook(
        ("run_id", "turn", "sequence", "verdict", "comment", "tags", "text"),
        (first, 1, "", "fail", "Rude", "late", "Hello"),
        (first, 2, "", "", "Polite", "late", "Bye"),
        (second, 9, "", "fail", "", "", ""),
        (second, 1, 99, "fail", "", "", ""),
        ("f" * 24, 1, "", "fail", "", "", ""),
    )

    upload(app, sheet)
    before = verdicts(backend, first, second)
    shown = " ".join(each.value for each in app.markdown)
    unknown, tables = app.warning[0].value, str(lists(app))
    app.button("review_import_now").click().run()

    assert before == []
    assert "5 rows; 3 new values, 0 changed, 1 unchanged, 0 conflicts, 2 rows with problems" in shown
    assert "f" * 24 in unknown
    assert "The run has no turn 9." in tables
    assert "The run has no message 99." in tables
    assert verdicts(backend, first, second) == [(first, Target.turn(1), "fail", "me", "Rude")]
    notes = backend.store.notes.of(first)
    assert notes.tags == ["late"]
    assert [(each.target, each.author, each.content) for each in notes.comments] == [
        (Target.turn(2), "me", "Polite")
    ]
    assert app.success[0].value == "Imported 1 verdict, 1 comment, tags of 1 run."


def test_conflict_is_stored_only_where_it_is_ticked(app, backend, workflow):
    first, second = runs(backend, workflow, 2)
    for run_id in (first, second):
        backend.store.reviews.set_verdict(
            Verdict(run_id=run_id, target=Target(), value="pass", reviewer="me")
        )
    app.run()

    upload(app, workbook(("run_id", "verdict"), (first, "fail"), (second, "unsure")))
    assert "review_import_now" not in keys(app)
    choose_row(app, [1], "Conflicts")
    app.button("review_import_now").click().run()

    assert [found[2] for found in verdicts(backend, first, second)] == ["pass", "unsure"]


def test_sheet_overtaken_by_another_user_changes_nothing(app, backend, workflow):
    [run_id] = runs(backend, workflow, 1)
    app.run()
    upload(app, workbook(("run_id", "verdict"), (run_id, "fail")))
    backend.store.reviews.set_verdict(Verdict(run_id=run_id, target=Target(), value="pass", reviewer="me"))

    app.button("review_import_now").click().run()

    assert "changed meanwhile; nothing was stored" in app.error[0].value.replace("\\", "")
    assert [found[2] for found in verdicts(backend, run_id)] == ["pass"]
    assert "review_import_now" not in keys(app)
    assert "1 conflict" in " ".join(each.value for each in app.markdown)


def test_reviewer_imports_only_own_verdicts(app, backend, workflow, monkeypatch):
    [run_id] = runs(backend, workflow, 1)
    sign_in(monkeypatch, "Ada", Role.REVIEW)
    app.run()

    upload(
        app,
        workbook(
            ("run_id", "turn", "verdict", "reviewer"), (run_id, 1, "fail", "Ben"), (run_id, 2, "pass", "")
        ),
    )
    app.button("review_import_now").click().run()

    assert verdicts(backend, run_id) == [(run_id, Target.turn(2), "pass", "Ada", "")]
    entry = next(entry for entry in backend.store.audit.newest(10) if entry.action == "import verdicts")
    assert (entry.person, entry.target) == ("Ada", "reviewed.xlsx")


def test_file_that_is_no_sheet_is_explained(app, backend, workflow):
    runs(backend, workflow, 1)
    app.run()

    upload(app, b"\xff\xd8\xff\xe0 a picture", "reviewed.csv")

    assert "is not text in UTF-8" in app.error[0].value.replace("\\", "")


def test_filter_form_narrows_the_queue(app, backend, workflow):
    first, _second = runs(backend, workflow, 2)
    backend.store.notes.change_tags([first], ["late, *very*"])
    app.run()

    next(box for box in app.selectbox if box.label == "Tag").set_value("late, *very*")
    next(box for box in app.number_input if box.label == "Version").set_value(0)
    next(each for each in app.toggle if each.label == "Open only").set_value(True)
    app.button("review_apply").click().run()

    assert not app.exception
    assert held(app).queue.runs == (first,)
    assert held(app).wanted == ReviewFilter(tag="late, *very*", version=0, is_open_only=True)
    app.button("review_clear").click().run()
    assert len(held(app).queue.runs) == 2


def test_filter_form_finds_runs_of_scenario(app, backend, workflow):
    first, second, third, _ = runs(backend, workflow, 4)
    for run_id, name, outcome in (
        (first, "Tea", "passed"),
        (second, "Tea", "failed"),
        (third, "City", "failed"),
    ):
        backend.store.scenario_runs.save(run_id, ScenarioMark(name, "a.yaml", outcome))
    app.run()

    next(box for box in app.selectbox if box.label == "Scenario").set_value("Tea")
    app.button("review_apply").click().run()
    of_name = set(held(app).queue.runs), app.query_params["scenario"]
    next(box for box in app.selectbox if box.label == "Scenario result").set_value("failed")
    app.button("review_apply").click().run()

    assert not app.exception
    assert of_name == ({first, second}, "Tea")
    assert held(app).queue.runs == (second,)
    assert held(app).wanted == ReviewFilter(scenario="Tea", scenario_outcome="failed")
    assert app.query_params["outcome"] == "failed"


def test_workflows_of_one_name_are_told_apart(app, backend, workflow):
    backend.create_workflow(document(say("b")), name="Tea shop")
    runs(backend, workflow, 1)

    app.run()

    options = next(box for box in app.selectbox if box.label == "Workflow").options
    assert len(set(options)) == 3


def test_runs_of_tests_are_reviewed_on_request(app, backend, workflow):
    first, second = runs(backend, workflow, 2)
    backend.store.scenario_runs.save(first, ScenarioMark("Tea", "tea.scenario.yaml", "passed"))
    app.run()
    before = held(app).queue.runs

    next(each for each in app.toggle if each.label == "Runs of tests").set_value(True)
    app.button("review_apply").click().run()

    assert (before, held(app).queue.runs) == ((second,), (first, second))
    assert app.query_params["tests"] == "1"


def test_one_line_says_what_is_decided_on_and_by_which_keys(app, backend, workflow):
    runs(backend, workflow, 2)
    app.run()

    choose(app, "message:2")

    line = items(app, "review_decision")
    assert line[0]["text"] == "Verdict on message 2"
    assert {each["label"]: each["keys"] for each in line if each["kind"] == "button"} == {
        "Pass": "1",
        "Fail": "2",
        "Unsure": "3",
        "Previous part": "Shift + M",
        "Next part": "M",
        "Whole run": "W",
        "Back": "B",
        "Next open": "O",
        "Undo": "Z",
    }


def test_hosted_runs_of_tests_are_left_out(app, backend, workflow, tmp_path):
    other = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/other.sqlite3", responder="rules"))
    ids = runs(other, other.create_workflow(document(static("a", "Hello"), say("b"), direct("a", "b"))), 2)
    backend.store.scenario_runs.save(ids[0], ScenarioMark("Tea", "tea.scenario.yaml", "passed"))
    app.run()
    (
        record_of(app, CurrentBackend).name,
        record_of(app, HostedConnection).name,
        record_of(app, HostedConnection).backend,
    ) = "hosted", "staging", other

    app.query_params.update({"backend": "hosted", "connection": "staging"})
    app.run()
    other.close()

    assert not app.exception
    assert held(app).queue.runs == (ids[1],)


def test_other_backend_begins_with_its_own_runs(app, backend, workflow):
    runs(backend, workflow, 1)
    other = EmbeddedBackend(Settings(database="sqlite://", responder="rules"))
    [there] = runs(other, other.create_workflow(document(say("b"))), 1)
    app.run()
    app.query_params.clear()
    (
        record_of(app, CurrentBackend).name,
        record_of(app, HostedConnection).name,
        record_of(app, HostedConnection).backend,
    ) = "hosted", "staging", other

    app.run()
    other.close()

    assert not app.exception
    assert not app.error
    assert held(app).run_id == there


def test_open_only_keeps_the_chosen_runs(app, backend, workflow):
    chosen = runs(backend, workflow, 3)[:2]
    app.query_params["runs"] = ",".join(chosen)
    app.run()
    decide(app, "pass")

    next(each for each in app.toggle if each.label == "Open only").set_value(True)
    app.button("review_apply").click().run()

    assert held(app).queue.runs == (chosen[1],)
    app.button("review_clear").click().run()
    assert len(held(app).queue.runs) == 3


def test_more_runs_than_an_address_names_stay_chosen(app, backend, workflow):
    chosen = (*runs(backend, workflow, 1), *(new_id() for _ in range(MAX_CHOSEN_RUNS)))
    app.run()
    held(app).wanted, held(app).queue = ReviewFilter(runs=chosen), None
    app.run()

    app.run()

    assert len(app.query_params["runs"].split(",")) == MAX_CHOSEN_RUNS
    assert held(app).wanted.runs == chosen
