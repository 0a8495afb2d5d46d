from __future__ import annotations

import pytest

from debugger.protocol.notes import Comment, RunNotes, Target
from debugger.views.run_state import CurrentRun, Cursor
from tests.support.factories import document, say
from tests.views.bars import control, use


@pytest.fixture
def notes(app, backend, press, record):
    """Starts a run, opens its notes, and reads them."""
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    use(app, "inspector_tab", "Notes")
    assert not app.exception
    return lambda: backend.store.notebook.notes(record(CurrentRun).session.run_id)


def test_before_run_notes_say_what_would_be_here(app, backend):
    backend.create_workflow(document(say("chat")))
    app.run()

    use(app, "inspector_tab", "Notes")

    assert any("can be starred" in caption.value for caption in app.caption)


def test_star_tags_and_note_of_run_on_view_are_kept(app, notes, record):
    run_id = record(CurrentRun).session.run_id

    use(app, "star_run")
    app.multiselect(f"tags_{run_id}").set_value(["smoke", "late"]).run()
    app.text_area(f"note_{run_id}").set_value("asks twice").run()

    kept = notes()
    assert (kept.starred, kept.tags, kept.note) == (True, ["late", "smoke"], "asks twice")
    assert control(app, "star_run").label == "Unstar the run"


def test_run_turn_and_event_are_commented_on_under_name_that_was_given(app, notes, record):
    run_id = record(CurrentRun).session.run_id
    record(Cursor).event = 2
    event = record(CurrentRun).session.turns[0].events[2].logical_id
    app.run()

    app.text_input("notes_author").set_value(" Ada ").run()
    for subject, key in (("Run", "run_"), ("Turn", "turn_1"), ("Event", f"event_{event}")):
        use(app, "notes_about", subject)
        app.text_area(f"comment_{run_id}_{key}").set_value(f"On the {subject}.")
        use(app, "add_comment")

    assert not app.exception
    found = [(comment.target, comment.author, comment.content) for comment in notes().comments]
    assert found == [
        (Target(), "Ada", "On the Run."),
        (Target.turn(1), "Ada", "On the Turn."),
        (Target.event(event), "Ada", "On the Event."),
    ]
    assert app.text_area(f"comment_{run_id}_event_{event}").value == ""


def test_comment_is_shown_as_plain_words_and_can_be_deleted(app, notes, record):
    run_id = record(CurrentRun).session.run_id
    app.text_area(f"comment_{run_id}_run_").set_value("**Bold** ![x](http://evil.example/x.png)")
    use(app, "add_comment")
    shown = [text.value for text in app.text]

    use(app, f"delete_comment_{notes().comments[0].logical_id}")

    assert "**Bold** ![x](http://evil.example/x.png)" in shown
    assert notes().comments == []


def test_empty_comment_is_told(app, notes):
    use(app, "add_comment")

    assert "needs some words" in app.error[0].value
    assert notes().comments == []


def test_rating_is_given_replaced_and_taken_back(app, notes, record, backend):
    run_id = record(CurrentRun).session.run_id
    backend.store.notebook.rate(run_id, Target(), "Ben", "down")
    key = f"rating_{run_id}_run_"
    app.run()

    use(app, key, "up")
    use(app, key, "strong_up")
    replaced = notes().ratings_of(Target())
    use(app, key, None)

    assert replaced == {"Ben": "down", "me": "strong_up"}
    assert notes().ratings_of(Target()) == {"Ben": "down"}
    assert any(caption.value == "Ben\\: bad" for caption in app.caption)


@pytest.mark.parametrize("key", ["notes_head", "inspector", "add_comment", "preset"])
def test_comment_with_key_of_page_is_shown(app, backend, notes, record, key):
    comment = Comment(logical_id=key, target=Target(), author="Ada", content="Late.", created_at="2026-01-01")
    run_id = record(CurrentRun).session.run_id
    backend.store.notebook.take_in(run_id, RunNotes(comments=[comment]))

    app.run()

    assert not app.error
    assert "Late." in [text.value for text in app.text]


def test_tag_of_another_user_is_kept(app, backend, notes, record):
    run_id = record(CurrentRun).session.run_id
    app.multiselect(f"tags_{run_id}").set_value(["mine", "wrong"]).run()
    backend.store.notebook.tag(run_id, ["mine", "wrong", "theirs"])

    app.multiselect(f"tags_{run_id}").set_value(["mine", "late"]).run()

    assert notes().tags == ["late", "mine", "theirs"]
    assert sorted(app.multiselect(f"tags_{run_id}").value) == ["late", "mine", "theirs"]


def test_tag_that_is_refused_is_not_shown(app, notes, record):
    key = f"tags_{record(CurrentRun).session.run_id}"
    app.multiselect(key).set_value(["smoke"]).run()
    app.multiselect(key).set_value(["smoke", "x" * 51]).run()

    shown = app.multiselect(key).value
    app.multiselect(key).set_value([*shown, "late"]).run()

    assert shown == ["smoke"]
    assert notes().tags == ["late", "smoke"]


def test_tags_and_note_of_another_user_are_shown(app, backend, notes, record):
    run_id = record(CurrentRun).session.run_id
    app.multiselect(f"tags_{run_id}").set_value(["mine"]).run()
    app.text_area(f"note_{run_id}").set_value("asks twice").run()
    backend.store.notebook.tag(run_id, ["theirs"])
    backend.store.notebook.write(run_id, "is rude")

    app.run()
    shown = app.multiselect(f"tags_{run_id}").value, app.text_area(f"note_{run_id}").value
    app.multiselect(f"tags_{run_id}").set_value([]).run()
    app.text_area(f"note_{run_id}").set_value("").run()

    assert shown == (["theirs"], "is rude")
    assert (notes().tags, notes().note) == ([], "")


def test_note_of_another_user_is_not_overwritten(app, backend, notes, record):
    run_id = record(CurrentRun).session.run_id
    app.text_area(f"note_{run_id}").set_value("asks twice").run()
    backend.store.notebook.write(run_id, "asks **twice**, is rude")

    app.text_area(f"note_{run_id}").set_value("asks twice, slow").run()
    refused = notes().note, app.text_area(f"note_{run_id}").value
    shown = [text.value for text in app.text]
    app.text_area(f"note_{run_id}").set_value("asks twice, slow and rude").run()

    assert refused == ("asks **twice**, is rude", "asks twice, slow")
    assert "asks **twice**, is rude" in shown
    assert "asks **twice**, is rude" not in [text.value for text in app.text]
    assert notes().note == "asks twice, slow and rude"
