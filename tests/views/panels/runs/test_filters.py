from __future__ import annotations

from debugger.protocol.json_codec import encode
from debugger.protocol.scenario_runs import ScenarioMark
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.views.confirmations import OpenQuestions
from debugger.views.state import LastAction
from tests.store.test_retention import keep
from tests.views.bars import control
from tests.views.records import record_of
from tests.views.row_lists import column, drawn


def test_filters_are_saved_used_and_deleted(app, backend, walks, listed):
    walks(12)
    app.run()
    control(app, "runs_status").use("completed")
    control(app, "runs_since").use("2026-07-03")
    found = listed()

    app.text_input("filter_name").set_value("Done since the 3rd").run()
    app.button("save_filter").click().run()
    control(app, "runs_clear").use()
    everything = listed()
    app.button("use_filter").click().run()

    assert not app.exception
    assert listed() == found
    assert 0 < len(found) < len(everything) == 12
    assert control(app, "runs_since").value == "2026-07-03"

    app.button("delete_filter").click().run()

    assert backend.store.saved_filters.all() == {}


def test_filter_of_another_user_is_replaced_after_a_question(app, backend, walks):
    walks(1)
    backend.store.saved_filters.save("Mine", {"runs_text": "tea"}, by="Ben", expected=NEVER_WRITTEN)
    app.run()
    control(app, "runs_status").use("completed")
    app.text_input("filter_name").set_value("Mine").run()

    app.button("save_filter").click().run()
    question, kept = record_of(app, OpenQuestions).edit, backend.store.saved_filters.all()
    app.button("replace_theirs").click().run()

    assert not app.exception
    assert question.error.changed_by == "Ben"
    assert kept == {"Mine": {"runs_text": "tea"}}
    assert backend.store.saved_filters.all() == {"Mine": {"runs_status": "completed"}}


def test_used_filter_is_replaced_without_a_question(app, backend, walks):
    walks(1)
    backend.store.saved_filters.save("Mine", {"runs_text": "tea"}, by="Ben", expected=NEVER_WRITTEN)
    app.run()
    app.button("use_filter").click().run()
    control(app, "runs_text").use("green tea")
    app.text_input("filter_name").set_value("Mine").run()

    app.button("save_filter").click().run()

    assert record_of(app, OpenQuestions).edit is None
    assert backend.store.saved_filters.all() == {"Mine": {"runs_text": "green tea"}}


def test_filter_that_was_changed_since_listed_is_not_deleted(app, backend, walks):
    walks(1)
    saved = backend.store.saved_filters.save("Mine", {"runs_text": "tea"}, expected=NEVER_WRITTEN)
    app.run()
    backend.store.saved_filters.save("Mine", {"runs_text": "green"}, by="Ben", expected=saved.revision)

    app.button("delete_filter").click().run()

    assert record_of(app, OpenQuestions).edit.error.changed_by == "Ben"
    assert backend.store.saved_filters.all() == {"Mine": {"runs_text": "green"}}


def test_nameless_filter_is_refused(app, walks):
    walks(1)
    app.run()

    app.button("save_filter").click().run()

    assert "1 to 80 characters" in record_of(app, LastAction).error.message


def test_found_words_are_shown_in_marks(app, backend):
    said = [{"type": "assistant_response", "content": "Which [tea](http://evil) would you like?"}]
    run_id = keep(backend.store, 1, events_json=encode(said))
    backend.store.notes.write(run_id, "Black or green", expected=NEVER_WRITTEN)
    app.run()

    control(app, "runs_text").use("tea green")

    assert column(app, "found", "Runs") == [
        "which [«tea»](http://evil) would you like? · note: Black or «green»"
    ]


def test_found_words_have_the_place_of_the_messages(app, walks):
    walks(1)
    app.run()
    before = [each["name"] for each in drawn(app, "Runs")["columns"]]

    control(app, "runs_text").use("you are at")

    shown = [each["name"] for each in drawn(app, "Runs")["columns"]]
    assert before[:4] == ["tick", "began", "first", "last"]
    assert shown[:4] == ["tick", "began", "found", "turns"]
    assert shown[shown.index("verdict") :][:4] == ["verdict", "first", "last", "star"]


def test_days_of_filters_are_those_of_the_zone(app, backend, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DISPLAY_TIME_ZONE", "Pacific/Kiritimati")
    run_id = keep(backend.store, 0)
    created = backend.store.run(run_id).created_at
    app.run()

    shown = column(app, "began", "Runs")[0]
    control(app, "runs_since").use(shown[:10])
    control(app, "runs_until").use(shown[:10])

    assert int(shown[11:13]) == (int(created[11:13]) + 14) % 24
    assert column(app, "id", "Runs") == [run_id]


def test_names_of_saved_filters_are_text(app, walks):
    walks(1)
    app.run()

    app.text_input("filter_name").set_value("QA - v1.2 (all)").run()
    app.button("save_filter").click().run()

    assert app.selectbox("filter_chosen").options == ["QA - v1.2 (all)"]


def test_runs_with_problems_are_listed_alone(app, backend, listed):
    """Two of 53 runs had a model that failed; a warning of the configuration is no problem."""
    failed = {"type": "workflow_warning", "trouble": {"kind": "model", "node": "desk"}}
    warned = {"type": "workflow_warning", "trouble": {"kind": "configuration"}}
    unknown = {"type": "workflow_warning", "warning_message": "of another server"}
    events = {7: [failed], 19: [warned], 40: [failed, unknown]}
    for number in range(53):
        keep(backend.store, number, events_json=encode(events.get(number, [])))
    app.run()

    control(app, "runs_problems").use(True)

    assert sorted(column(app, "problems", "Runs")) == ["1 model failed", "1 model failed, 1 unknown"]
    assert len(listed()) == 2
    control(app, "runs_clear").use()
    assert control(app, "runs_problems").value is False


def test_runs_of_a_scenario_are_found(app, backend):
    booking, other, plain = (keep(backend.store, place) for place in range(3))
    backend.store.scenario_runs.save(booking, ScenarioMark("Booking", "a.yaml", "failed", tags=("smoke",)))
    backend.store.scenario_runs.save(other, ScenarioMark("Hours", "b.yaml", "passed"))
    app.run()

    listed = {}
    for key, value in (
        ("runs_scenario", "name:Hours"),
        ("runs_scenario", "failed"),
        ("runs_scenario", ""),
        ("runs_tag", "smoke"),
    ):
        control(app, key).use(value)
        listed[value] = set(column(app, "id", "Runs"))

    assert not app.exception
    assert listed == {
        "name:Hours": {other},
        "failed": {booking},
        "": {booking, other, plain},
        "smoke": {booking},
    }


def test_address_has_the_filters_for_another_tab(app, view, walks, listed):
    walks(40)
    app.run()
    control(app, "runs_status").use("completed")
    control(app, "runs_since").use("2026-07-03")
    control(app, "runs_text").use("at BYE_%")
    control(app, "runs_text").use("at bye")
    control(app, "runs_starred").use(True)
    control(app, "runs_starred").use(False)
    other = view("runs")
    other.query_params.update(app.query_params)
    other.run()

    assert not other.exception
    assert app.query_params == {"status": "completed", "since": "2026-07-03", "text": "at bye"}
    assert 0 < len(listed()) < 40
    assert column(other, "id", "Runs") == listed()
    control(other, "runs_clear").use()
    assert other.query_params == {}


def test_address_that_names_no_filter_finds_everything(app, walks):
    walks(3)
    odd = {"status": "gone", "since": "yesterday", "until": "2026-13-01", "version": "x", "starred": "yes"}
    app.query_params.update({**odd, "workflow": "nowhere", "verdict": "<b>", "tag": "%"})

    app.run()

    assert not app.exception
    assert len(column(app, "id", "Runs")) == 3
    assert app.query_params == {}
