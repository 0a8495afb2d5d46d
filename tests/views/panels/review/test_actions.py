from __future__ import annotations

import json

import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id

from debugger.errors import StoreError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import TurnInput
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.reviews import ReviewRepository
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.review.actions import ReviewState, merge_verdicts
from debugger.views.state import LastAction
from tests.support.factories import document, say
from tests.views.bars import use
from tests.views.records import record_of


def test_comment_and_checks_sent_together_stay(app, backend, workflow, talk):
    run_id = talk("Hello")
    backend.store.reviews.set_rubric(workflow.id, ["Greets", "Asks"], expected=NEVER_WRITTEN)
    app.run()

    app.text_area(f"review_comment_{run_id}_run_").set_value("Rude")
    app.button_group(f"review_check_0_{run_id}").set_value("fail")
    app.button_group(f"review_check_1_{run_id}").set_value("pass")
    app.run()
    use(app, f"verdict_fail_{run_id}")

    [verdict] = backend.store.reviews.verdicts([run_id])[run_id]
    assert (verdict.comment, verdict.checks) == ("Rude", {"Greets": "fail", "Asks": "pass"})


def test_comment_leaves_checks_of_another_tab(app, backend, workflow, talk):
    run_id = talk("Hello")
    backend.store.reviews.set_rubric(workflow.id, ["Greets"], expected=NEVER_WRITTEN)
    given = Verdict(run_id=run_id, target=Target(), value="fail", reviewer="me")
    backend.store.reviews.set_verdict(given)
    app.query_params["run"] = run_id
    app.run()
    backend.store.reviews.set_verdict(given.model_copy(update={"checks": {"Greets": "fail"}}))

    app.text_area(f"review_comment_{run_id}_run_").set_value("Rude").run()

    [verdict] = backend.store.reviews.verdicts([run_id])[run_id]
    assert (verdict.comment, verdict.checks) == ("Rude", {"Greets": "fail"})


def choose(app, target):
    """Choose a part of the run as a click does."""
    shown = next(each for each in app.get("bidi_component") if each.key == "review_transcript")
    states = app._tree.get_widget_states()
    events = states.widgets.add()
    events.id = _make_trigger_id(shown.proto.id, "events")
    events.json_trigger_value = json.dumps([{"event": "chosen", "value": target}])
    app._run(states)


@pytest.mark.parametrize("value", ["turn:9", "turn:007", "message:99"])
def test_part_that_run_lacks_is_ignored(app, talk, value):
    talk("Hello", "Bye")
    app.run()

    choose(app, "turn:2")
    known = record_of(app, ReviewState).target
    choose(app, value)
    left = record_of(app, ReviewState).target
    use(app, "previous_target")

    assert not app.exception
    assert known == left == Target.turn(2)


def test_comment_outlives_store_that_fails(app, backend, talk, monkeypatch):
    run_id = talk("Hello")
    app.run()
    app.text_area(f"review_comment_{run_id}_run_").set_value("Rude").run()

    def fail(_):
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(backend.store.reviews, "apply", fail)
        use(app, f"verdict_fail_{run_id}")
    shown = app.text_area(f"review_comment_{run_id}_run_").value
    use(app, f"verdict_fail_{run_id}")

    [verdict] = backend.store.reviews.verdicts([run_id])[run_id]
    assert shown == verdict.comment == "Rude"


def test_rubric_of_another_user_is_not_overwritten(app, backend, workflow, talk):
    talk("Hello")
    app.run()
    box = f"review_rubric_{workflow.id}"
    backend.store.reviews.set_rubric(workflow.id, ["Greets"], expected=NEVER_WRITTEN)

    app.text_area(box).set_value("Asks")
    app.button("review_rubric_save").click().run()
    refused, kept = backend.store.reviews.rubric(workflow.id), app.text_area(box).value
    question = record_of(app, OpenQuestions).edit
    use(app, "replace_theirs")

    assert (refused, question.words(question.error.present)) == (["Greets"], "Greets")
    assert kept == question.mine == "Asks"
    assert backend.store.reviews.rubric(workflow.id) == ["Asks"]


def test_rubric_of_another_user_is_shown(app, backend, workflow, talk):
    talk("Hello")
    app.run()
    backend.store.reviews.set_rubric(workflow.id, ["Greets"], expected=NEVER_WRITTEN)

    app.run()
    box = f"review_rubric_{workflow.id}"
    before = app.text_area(box).value
    use(app, f"{box}_theirs")

    assert (before, app.text_area(box).value) == ("", "Greets")


def test_export_of_a_failing_backend_is_explained(app, talk, monkeypatch):
    talk("Hello")
    app.run()

    def fail():
        raise StoreError("The disk is full.")

    monkeypatch.setattr("debugger.views.panels.review.header.current_backend", fail)
    use(app, "review_export")

    assert not app.exception
    assert "The disk is full" in app.error[0].value


def test_another_name_has_its_own_open_runs(app, backend, talk):
    ids = [talk("Hello"), talk("Hello")]
    backend.store.reviews.set_verdict(Verdict(run_id=ids[0], target=Target(), value="pass", reviewer="me"))
    app.query_params["open"] = "1"
    app.run()
    use(app, f"verdict_pass_{ids[1]}")

    app.text_input("review_author").set_value("Bob").run()

    held = record_of(app, ReviewState)
    assert set(held.queue.runs) == set(ids)
    assert held.steps == []


def test_filter_form_keeps_what_was_deleted(app, backend, workflow, talk):
    run_id = talk("Hello")
    other = backend.create_workflow(document(say("chat")), name="Coffee shop")
    backend.execute(other.id, TurnInput.with_message("Hello")).finish()
    backend.delete_workflow(workflow.id)
    app.query_params.update({"workflow": workflow.id, "tag": "gone"})
    app.run()

    app.button("review_apply").click().run()

    held = record_of(app, ReviewState)
    assert not app.exception
    assert (held.wanted.workflow, held.wanted.tag) == (workflow.id, "gone")
    next(box for box in app.selectbox if box.label == "Tag").set_value("")
    app.button("review_apply").click().run()
    assert held.queue.runs == (run_id,)


def test_comment_begun_before_a_verdict_can_be_changed(app, backend, talk):
    run_id = talk("Hello")
    app.run()
    box = f"review_comment_{run_id}_run_"
    app.text_area(box).set_value("Rude").run()
    backend.store.reviews.set_verdict(
        Verdict(run_id=run_id, target=Target(), value="fail", reviewer="me", comment="Late")
    )

    app.text_area(box).set_value("Rude and late").run()
    use(app, f"verdict_pass_{run_id}")
    [kept] = backend.store.reviews.verdicts([run_id])[run_id]
    question = record_of(app, OpenQuestions).edit
    use(app, "replace_theirs")

    [verdict] = backend.store.reviews.verdicts([run_id])[run_id]
    assert (kept.value, kept.comment) == ("fail", "Late")
    assert (question.mine, question.words(question.error.present)) == ("pass\nRude and late", "fail\nLate")
    assert (verdict.value, verdict.comment) == ("pass", "Rude and late")


def test_question_on_a_verdict_keeps_the_comment(app, backend, talk):
    run_id = talk("Hello")
    app.run()
    box = f"review_comment_{run_id}_run_"
    app.text_area(box).set_value("Rude").run()
    given = Verdict(run_id=run_id, target=Target(), value="fail", reviewer="me", comment="Late")
    backend.store.reviews.set_verdict(given)
    use(app, f"verdict_pass_{run_id}")

    use(app, "go_on_editing")
    shown = app.text_area(box).value
    use(app, f"verdict_pass_{run_id}")
    use(app, "undo_verdict")

    [verdict] = backend.store.reviews.verdicts([run_id])[run_id]
    assert shown == "Rude"
    assert verdict.content == given.content


def test_undo_leaves_verdict_of_another_tab(app, backend, talk):
    run_id = talk("Hello")
    app.run()
    use(app, f"verdict_pass_{run_id}")
    given = Verdict(run_id=run_id, target=Target(), value="fail", reviewer="me", comment="Late")
    backend.store.reviews.set_verdict(given)
    use(app, f"verdict_unsure_{run_id}")
    use(app, "replace_theirs")

    use(app, "undo_verdict")
    [first] = backend.store.reviews.verdicts([run_id])[run_id]
    use(app, "undo_verdict")

    [verdict] = backend.store.reviews.verdicts([run_id])[run_id]
    assert first.content == verdict.content == given.content
    assert "changed meanwhile" in record_of(app, LastAction).error.message


def test_undo_takes_back_each_own_verdict(app, backend, talk):
    run_id = talk("Hello")
    app.run()
    for value in ("pass", "fail", "undo", "unsure"):
        use(app, "undo_verdict" if value == "undo" else f"verdict_{value}_{run_id}")

    values = []
    for _ in range(2):
        use(app, "undo_verdict")
        values.append([each.value for each in backend.store.reviews.verdicts([run_id]).get(run_id, [])])

    assert values == [["pass"], []]


@pytest.mark.parametrize("values", [["pass"], ["pass", "fail"]])
def test_undo_that_was_not_stored_stays(app, backend, talk, monkeypatch, values):
    run_id = talk("Hello")
    app.run()
    for value in values:
        use(app, f"verdict_{value}_{run_id}")
    with monkeypatch.context() as patch:
        for name in ("apply", "delete_verdict"):
            patch.setattr(ReviewRepository, name, fail)
        use(app, "undo_verdict")
    told = record_of(app, LastAction).error.message

    use(app, "undo_verdict")

    assert told == "The database is gone."
    verdicts = backend.store.reviews.verdicts([run_id]).get(run_id, [])
    assert [each.value for each in verdicts] == values[:-1]


def fail(*_, **__):
    raise StoreError("The database is gone.")


@pytest.mark.parametrize(
    ("theirs", "merged"),
    [
        ({"value": "unsure"}, ("unsure", "Rude", {})),
        ({"checks": {"Greets": "fail"}}, ("fail", "Rude", {"Greets": "fail"})),
        ({"comment": "Rude"}, ("fail", "Rude", {})),
        ({"comment": "Late"}, None),
    ],
)
def test_verdicts_of_two_tabs_are_merged(theirs, merged):
    base = Verdict(run_id="1", target=Target(), value="fail", reviewer="me")
    mine = base.model_copy(update={"comment": "Rude"})

    found = merge_verdicts(base, mine, base.model_copy(update=theirs))

    assert (found and found.content) == merged
    assert merge_verdicts(base, mine, None) is None
    assert merge_verdicts(None, mine, None) == mine


def test_changed_comment_outlives_store_that_fails(app, backend, talk, monkeypatch):
    run_id = talk("Hello")
    given = Verdict(run_id=run_id, target=Target(), value="fail", reviewer="me", comment="Late")
    backend.store.reviews.set_verdict(given)
    app.query_params["run"] = run_id
    app.run()
    box = f"review_comment_{run_id}_run_"

    def fail(_):
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(backend.store.reviews, "apply", fail)
        app.text_area(box).set_value("Late and rude").run()

    assert app.text_area(box).value == "Late and rude"
    use(app, f"verdict_fail_{run_id}")
    [verdict] = backend.store.reviews.verdicts([run_id])[run_id]
    assert verdict.comment == "Late and rude"
