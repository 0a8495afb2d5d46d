from __future__ import annotations

import pytest

from debugger.protocol.notes import Comment, RunNotes, Target
from debugger.store import Role
from debugger.views.auth import permissions
from debugger.views.confirmations import OpenQuestions
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
    return lambda: backend.store.notes.of(record(CurrentRun).session.run_id)


def test_before_run_notes_say_what_would_be_here(app, backend):
    backend.create_workflow(document(say("chat")))
    app.run()
    use(app, "lower_view", "Breakpoints")  # unfolds the panes

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
    backend.store.notes.rate(run_id, Target(), "Ben", "down")
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
    backend.store.notes.add_imported(run_id, RunNotes(comments=[comment]))

    app.run()

    assert not app.error
    assert "Late." in [text.value for text in app.text]


def test_tag_of_another_user_is_kept(app, backend, notes, record):
    run_id = record(CurrentRun).session.run_id
    app.multiselect(f"tags_{run_id}").set_value(["mine", "wrong"]).run()
    backend.store.notes.change_tags([run_id], ["theirs"])

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
    backend.store.notes.change_tags([run_id], ["theirs"], ["mine"])
    backend.store.notes.write(
        run_id, "is *rude*", by="Ben", expected=backend.store.notes.note(run_id).revision
    )

    app.run()
    shown = app.multiselect(f"tags_{run_id}").value, app.text_area(f"note_{run_id}").value
    below = [text.value for text in app.text]
    captions = " ".join(caption.value for caption in app.caption)
    use(app, f"note_{run_id}_theirs")
    taken = app.text_area(f"note_{run_id}").value
    app.multiselect(f"tags_{run_id}").set_value([]).run()
    app.text_area(f"note_{run_id}").set_value("").run()

    assert shown == (["theirs"], "asks twice")
    assert "is *rude*" in below
    assert "The note was changed by Ben at 2" in captions
    assert taken == "is *rude*"
    assert (notes().tags, notes().note) == ([], "")


@pytest.fixture
def overtaken(app, backend, notes, record):
    """The box of a note that Ben has changed since; returns what is in it."""
    run_id = record(CurrentRun).session.run_id
    app.text_area(f"note_{run_id}").set_value("asks twice").run()
    backend.store.notes.write(
        run_id, "asks **twice**, is rude", by="Ben", expected=backend.store.notes.note(run_id).revision
    )
    app.text_area(f"note_{run_id}").set_value("asks twice, slow").run()
    return lambda: app.text_area(f"note_{run_id}").value


def test_note_of_another_user_is_not_overwritten(app, notes, overtaken):
    words = [markdown.value for markdown in app.markdown]
    both = [code.value for code in app.code]

    assert notes().note == "asks **twice**, is rude"
    assert overtaken() == "asks twice, slow"
    assert any("The note was changed by Ben at 2" in text and "while you edited" in text for text in words)
    assert [text for text in both if text.startswith("asks")] == [
        "asks **twice**, is rude",
        "asks twice, slow",
    ]


def test_own_note_replaces_theirs_on_request(app, notes, overtaken, record):
    use(app, "replace_theirs")

    assert notes().note == overtaken() == "asks twice, slow"
    assert record(OpenQuestions).edit is None


def test_their_note_is_kept_on_request(app, notes, overtaken, record):
    use(app, "keep_theirs")

    assert notes().note == overtaken() == "asks **twice**, is rude"
    assert record(OpenQuestions).edit is None


def test_own_note_can_be_edited_further(app, notes, overtaken, record):
    run_id = record(CurrentRun).session.run_id
    use(app, "go_on_editing")
    left = notes().note, overtaken()
    app.text_area(f"note_{run_id}").set_value("asks twice, slow and rude").run()

    assert left == ("asks **twice**, is rude", "asks twice, slow")
    assert notes().note == overtaken() == "asks twice, slow and rude"


def test_third_author_is_asked_about_again(app, backend, notes, overtaken, record):
    run_id = record(CurrentRun).session.run_id
    backend.store.notes.write(run_id, "fine", by="Cleo", expected=backend.store.notes.note(run_id).revision)

    use(app, "replace_theirs")

    assert notes().note == "fine"
    assert record(OpenQuestions).edit.error.changed_by == "Cleo"
    assert overtaken() == "asks twice, slow"


def test_same_note_of_two_users_is_no_question(app, backend, notes, record):
    run_id = record(CurrentRun).session.run_id
    app.text_area(f"note_{run_id}").set_value("asks").run()
    backend.store.notes.write(
        run_id, "asks twice", by="Ben", expected=backend.store.notes.note(run_id).revision
    )

    app.text_area(f"note_{run_id}").set_value("asks twice").run()

    assert record(OpenQuestions).edit is None
    assert notes().note == "asks twice"


def test_role_is_checked_again_when_the_question_is_answered(app, notes, overtaken, monkeypatch):
    reader = permissions.User("Ada", Role.READ, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: reader)

    use(app, "replace_theirs")

    assert notes().note == "asks **twice**, is rude"
    assert app.error


def test_note_of_another_run_is_asked_about_across_runs(app, notes, overtaken, press, record):
    press("restart")

    assert record(OpenQuestions).edit.mine == "asks twice, slow"
