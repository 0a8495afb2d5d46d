from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from debugger.boundary import RULES
from debugger.exports.columns import COLUMNS, columns_of
from debugger.exports.formats import EXPORTS
from debugger.exports.jobs import ExportJob
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import TurnInput
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.views.auth import permissions
from debugger.views.confirmations import OpenQuestions
from debugger.views.downloads import downloads as downloads_of_process
from debugger.views.panels.exports import dialog, progress
from debugger.views.panels.exports.record import ExportRecord
from debugger.views.run_state import CurrentRun
from tests.support.factories import direct, document, say, static
from tests.views.bars import captions, control, keys, use
from tests.views.message import send
from tests.views.row_lists import column, rows


@pytest.fixture
def opened(app, backend, press):
    """The dialog for a run of one turn."""
    greeting = static("hello", "Hi there", is_start=True)
    backend.create_workflow(document(greeting, say("chat"), direct("hello", "chat"), name="Tea shop"))
    app.run()
    press("start")
    use(app, "export")
    assert not app.exception


def widget(app, kind, name):
    own = [each for each in app.get(kind) if (each.key or "").startswith("export_")]
    return next(each for each in own if each.key.endswith(name))


def choose(app, kind, name, value):
    widget(app, kind, name).set_value(value).run()
    assert not app.exception


def downloads(app):
    return [element.key for element in app.get("download_button")]


def test_run_is_exported_between_its_turns(app, backend, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    before = keys(app)
    press("start")
    backend.gate.clear()
    send(app, "Hello")

    during = control(app, "export").disabled
    backend.gate.set()
    settle()

    assert "export" not in before
    assert during
    assert not control(app, "export").disabled


def test_dialog_shows_first_rows_and_size(app, opened, record):
    assert column(app, "run_id", "The first rows") == [record(CurrentRun).session.run_id]
    assert column(app, "text", "The first rows") == ["Hi there"]
    assert "This run · about" in captions(app)
    assert downloads(app) == ["export_download"]


def test_picture_is_of_the_exported_run_alone(app, opened, record):
    before = popovers(app)

    held = record(ExportRecord)
    held.scopes = (replace(held.scope, run_ids=("665f0c2b9a3e4d5f6a7b8c90",)),)
    app.run()

    assert "Picture" in before
    assert "Picture" not in popovers(app)


def popovers(app):
    """Return the labels of the menus of the dialog."""
    return [block.proto.popover.label for block in app.get("popover")]


@pytest.mark.parametrize("name", EXPORTS)
def test_every_format_is_downloaded_at_once(app, opened, name):
    choose(app, "selectbox", "_format", name)

    assert downloads(app) == ["export_download"]


def test_columns_and_rules_are_defaults_in_each_drawing(app, opened):
    """A browser that has missed a drawing would else have none, and send that as the user's choice."""
    for _ in range(2):
        assert len(widget(app, "multiselect", "_columns_0").proto.default) > 10
        assert len(widget(app, "button_group", "_rules").proto.default) == len(RULES)
        app.run()


def test_preset_brings_its_shape_and_columns(app, opened, record):
    choose(app, "selectbox", "_preset", "full-events")

    assert record(ExportRecord).options.table.shape == "event"
    assert "payload" in record(ExportRecord).options.table.columns
    choose(app, "selectbox", "_preset", "lex-test-set")
    assert record(ExportRecord).options.format == "csv"
    assert "Amazon Lex" in captions(app)


def test_column_is_moved_by_buttons(app, opened, record):
    choose(app, "selectbox", "_preset", "minimal")
    choose(app, "selectbox", "_moved", "turn")

    use(app, "export_up")

    assert record(ExportRecord).options.table.columns[:2] == ("turn", "run_id")
    use(app, "export_down")
    assert record(ExportRecord).options.table.columns[:2] == ("run_id", "turn")


def test_variables_become_columns(app, opened, record):
    widget(app, "text_input", "_variables").set_value("tea, tea, cup.size").run()

    assert record(ExportRecord).options.table.columns[-2:] == ("variable:tea", "variable:cup.size")


def test_checks_with_results_are_offered_as_columns(app, opened, backend, record):
    run_id = record(CurrentRun).session.run_id
    before = widget(app, "multiselect", "_columns_0").options
    checks = {"Greets, then asks": "pass", "Ends": "fail"}
    backend.store.reviews.set_verdict(
        Verdict(run_id=run_id, target=Target(), value="pass", reviewer="Ada", checks=checks)
    )
    use(app, "export")
    chooser = widget(app, "multiselect", "_columns_0")
    offered = [each for each in chooser.options if each not in before]
    chooser.set_value(["run_id", "check:Ends"]).run()

    assert not app.exception
    assert offered == ["Check Ends", "Check Greets, then asks"]
    assert record(ExportRecord).options.table.columns == ("run_id", "check:Ends")
    assert column(app, "check:Ends", "The first rows") == ["fail"]
    choose(app, "selectbox", "_moved", "check:Ends")
    use(app, "export_up")
    choose(app, "button_group", "_shape", "turn")
    assert "check:Ends" in record(ExportRecord).options.table.columns


def test_preset_keeps_checks_without_results(app, opened, backend, record):
    columns = ["run_id", "check:Greets", "text", "variable:tea"]
    backend.store.export_presets.save("Weekly", {"columns": columns}, by="Ben", expected=NEVER_WRITTEN)
    app.run()

    choose(app, "selectbox", "_preset", "saved:Weekly")
    widget(app, "text_input", "_name").set_value("Weekly").run()
    use(app, "export_save_preset")

    assert backend.store.export_presets.all()["Weekly"]["columns"] == columns
    widget(app, "multiselect", "_columns_0").set_value(["run_id"]).run()
    assert "Check Greets" in widget(app, "multiselect", "_columns_0").options
    use(app, "export")
    assert "Check Greets" not in widget(app, "multiselect", "_columns_0").options


def test_masking_off_is_told(app, opened, record):
    choose(app, "button_group", "_rules", [])

    assert record(ExportRecord).options.table.masking.is_off
    assert any("Masking is off" in warning.value for warning in app.warning)


def test_saved_preset_is_chosen_again(app, opened, backend, record):
    choose(app, "selectbox", "_preset", "minimal")
    widget(app, "text_input", "_name").set_value("Weekly").run()

    use(app, "export_save_preset")

    assert backend.store.export_presets.all()["Weekly"]["preset"] == "minimal"
    choose(app, "selectbox", "_preset", "full-events")
    choose(app, "selectbox", "_preset", "saved:Weekly")
    assert record(ExportRecord).options.table.shape == "message"
    use(app, "export_delete_preset")
    assert backend.store.export_presets.all() == {}


def test_preset_of_another_user_is_replaced_after_a_question(app, opened, backend, record):
    backend.store.export_presets.save("Weekly", {"format": "html"}, by="Ben", expected=NEVER_WRITTEN)
    choose(app, "selectbox", "_preset", "minimal")
    widget(app, "text_input", "_name").set_value("Weekly").run()

    use(app, "export_save_preset")
    question, kept = record(OpenQuestions).edit, backend.store.export_presets.all()
    use(app, "go_on_editing")
    name = widget(app, "text_input", "_name").value
    use(app, "export_save_preset")

    assert question.error.changed_by == "Ben"
    assert kept == {"Weekly": {"format": "html"}}
    assert name == "Weekly"
    assert backend.store.export_presets.all()["Weekly"]["preset"] == "minimal"
    assert record(ExportRecord).saved == "Weekly"


def test_deleted_preset_that_was_changed_is_asked_about(app, opened, backend, record):
    widget(app, "text_input", "_name").set_value("Weekly").run()
    use(app, "export_save_preset")
    backend.store.export_presets.save(
        "Weekly",
        {"format": "html"},
        by="Ben",
        expected=backend.store.export_presets.stored()["Weekly"].revision,
    )

    use(app, "export_delete_preset")
    kept = backend.store.export_presets.all()
    use(app, "replace_theirs")

    assert kept == {"Weekly": {"format": "html"}}
    assert backend.store.export_presets.all() == {}


@pytest.fixture
def silent(backend, record, opened):
    """A second run in the scope, without a message."""
    silent = backend.create_workflow(document(say("chat")), name="Silent")
    run_id = backend.execute(silent.id, TurnInput.from_wire({"command": "start"})).finish().run_id
    held = record(ExportRecord)
    held.scopes = (replace(held.scope, run_ids=(*held.scope.run_ids, run_id)),)
    return run_id


def test_direct_download_names_runs_without_row(app, silent, record, monkeypatch):
    rendered = []
    monkeypatch.setattr(dialog, "audited_file", lambda render, *_, **__: rendered.append(render) or render)
    app.run()
    before = [each.value for each in app.info]

    rendered[-1]()
    app.run()
    after = [each.value for each in app.info]
    choose(app, "button_group", "_shape", "event")

    assert before == []
    assert [each.replace("\\", "") for each in after] == [f"1 of 2 runs has no row: {silent}."]
    assert not app.info


def test_finished_export_names_runs_without_row(app, large, silent, record):
    app.run()

    use(app, "export_start")

    assert not app.exception
    assert [each.value.replace("\\", "") for each in app.info] == [f"1 of 2 runs has no row: {silent}."]
    downloads_of_process.drop(record(ExportRecord).token)


@pytest.fixture
def large(monkeypatch):
    """Lets every export be too large for one click, and browsers have a cookie."""
    monkeypatch.setattr(dialog, "MAX_DIRECT_RUNS", 0)
    monkeypatch.setattr(progress, "session_owner", lambda: "browser")


def test_large_export_is_offered_by_a_link(app, large, opened, record):
    use(app, "export_start")

    assert not app.exception
    assert record(ExportRecord).job.state == "done"
    [link] = app.get("link_button")
    assert link.proto.url == f"/exports/{record(ExportRecord).token}"
    assert record(CurrentRun).session.run_id.encode() in record(ExportRecord).job.read(0, 10_000)
    downloads_of_process.drop(record(ExportRecord).token)


def test_large_export_shows_progress_and_is_cancelled(app, large, opened, record, monkeypatch):
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0)
    go = threading.Event()
    write = ExportJob._write
    monkeypatch.setattr(ExportJob, "_write", lambda job: go.wait(10) and write(job))
    use(app, "export_start")
    job = record(ExportRecord).job

    assert app.get("progress")
    use(app, "export_cancel")
    go.set()

    assert not app.exception
    assert job.wait(10)
    assert (record(ExportRecord).job, job.state) == (None, "cancelled")
    assert "This run" in captions(app)


def test_browser_without_cookie_is_told(app, opened, monkeypatch):
    monkeypatch.setattr(dialog, "MAX_DIRECT_RUNS", 0)
    app.run()

    use(app, "export_start")

    assert any("this browser has no cookie" in error.value for error in app.error)


def test_export_is_audited(app, backend, opened, large, monkeypatch):
    user = permissions.User("Ada", permissions.Role.READ, is_local=False)
    monkeypatch.setattr(permissions, "current_user", lambda: user)
    app.run()

    use(app, "export_start")

    [entry] = backend.store.audit.newest(1)
    assert (entry.person, entry.action, entry.target) == ("Ada", "export runs", "1 run")


def test_preset_name_typed_just_before_counts(app, backend, opened):
    widget(app, "text_input", "_name").set_value("Weekly").run()
    app.button("export_save_preset").click().run()

    widget(app, "text_input", "_name").set_value("Monthly")
    app.button("export_save_preset").click().run()

    assert sorted(backend.store.export_presets.all()) == ["Monthly", "Weekly"]


def test_saved_preset_differs_from_the_programs(app, opened, record):
    choose(app, "selectbox", "_preset", "minimal")
    widget(app, "text_input", "_name").set_value("QA review").run()

    use(app, "export_save_preset")

    options = widget(app, "selectbox", "_preset").options
    assert len(set(options)) == len(options) == 5


def test_large_export_can_be_downloaded_once(app, large, opened):
    use(app, "export_start")

    assert "once, within an hour" in app.success[0].value


def test_picker_says_what_each_column_holds(app, opened):
    app.session_state["export_explained"] = True
    app.run()

    explained = {row["name"]: row["help"] for row in rows(app, "What columns hold")}
    assert explained["turn"] == COLUMNS["turn"].help
    assert list(explained) == columns_of("message")


def test_saved_preset_hides_a_name_with_a_comma(app, opened, record):
    widget(app, "text_input", "_hidden").set_value('"name, first", city').run()
    widget(app, "text_input", "_name").set_value("Weekly").run()
    use(app, "export_save_preset")
    choose(app, "selectbox", "_preset", "minimal")

    choose(app, "selectbox", "_preset", "saved:Weekly")

    assert record(ExportRecord).options.table.masking.variables == ("name, first", "city")


def test_column_of_a_variable_with_a_comma_stays(app, opened, record):
    widget(app, "text_input", "_variables").set_value('"name, first"').run()
    widget(app, "text_input", "_name").set_value("Weekly").run()
    use(app, "export_save_preset")
    choose(app, "selectbox", "_preset", "minimal")

    choose(app, "selectbox", "_preset", "saved:Weekly")

    assert record(ExportRecord).options.table.columns[-1] == "variable:name, first"
