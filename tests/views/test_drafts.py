from __future__ import annotations

from debugger.views.drafts import Drafts
from debugger.views.run_state import CurrentRun
from tests.support.factories import document, say
from tests.views.message import box, send, tell


def test_draft_belongs_to_version_and_run(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    began_at, visit = box(app)["place"]

    press("start")
    run_at, same_visit = box(app)["place"]
    press("restart")
    other_run_at, other_visit = box(app)["place"]

    session = record(CurrentRun).session
    assert began_at == f"{session.workflow_id} {session.version_number}"
    assert same_visit == visit != other_visit
    assert len({began_at, run_at, other_run_at}) == 3


def test_message_typed_for_another_run_is_kept_there(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    first = box(app)["place"]
    press("restart")

    tell(app, "sent", ["for the first run", first])

    assert len(record(CurrentRun).session.turns) == 1
    assert box(app)["draft"] == ""
    assert record(Drafts).texts == {first[0]: "for the first run"}


def test_message_of_begun_run_is_sent_from_box_drawn_before(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    before = box(app)["place"]
    press("start")

    tell(app, "sent", ["Hello", before])

    assert len(record(CurrentRun).session.turns) == 2


def test_kept_messages_are_bounded(app, backend, record):
    backend.create_workflow(document(say("chat")))
    app.run()

    for number in range(60):
        tell(app, "sent", ["Hello", [f"elsewhere {number}", "another visit"]])

    assert list(record(Drafts).texts) == [f"elsewhere {number}" for number in range(10, 60)]


def test_message_that_comes_while_turn_runs_is_kept(app, backend, record, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    backend.gate.clear()
    send(app, "first")

    send(app, "second")

    assert box(app)["draft"] == "second"
    backend.gate.set()
    settle()
    assert len(record(CurrentRun).session.turns) == 2
