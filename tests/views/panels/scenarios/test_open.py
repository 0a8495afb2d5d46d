from __future__ import annotations

import json

import pytest
import streamlit as st

from debugger.scenarios.archives import write_archive
from debugger.store import Role
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.panels.scenarios.record import ScenarioRecord
from debugger.views.run_state import CurrentRun
from debugger.views.state import record_key
from tests.support.factories import document, say
from tests.views.bars import use

SHEET = """Line #,Conversation #,Source,Input,Expected Output Intent,Expected Output Slot 1
1,1,User,Hello,,
2,2,User,Bye - (later),,
"""


def open_sheet(app, backend, name, content):
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    use(app, "open_scenario")
    app.file_uploader[0].upload(name, content).run()
    assert not app.exception


def test_archive_is_opened_as_its_files(app, backend):
    text = "version: 1\nname: Two\nworkflow: tea.json\nturns:\n  - say: Hello\n"
    content = write_archive({"two.scenario.yaml": text, "tea.json": json.dumps(document(say("chat")))})

    open_sheet(app, backend, "two.zip", content)

    assert not app.error
    assert "**Two** · 1 turn" in [each.value for each in app.markdown]


def test_damaged_archive_is_told(app, backend):
    open_sheet(app, backend, "two.zip", b"no archive")

    assert "cannot be read" in app.error[0].value


@pytest.mark.parametrize("name", ["set.csv", "SET.CSV", "Set.Tsv"])
def test_sheet_is_known_by_its_ending(app, backend, name):
    text = SHEET.replace(",", "\t") if name.endswith("Tsv") else SHEET

    open_sheet(app, backend, name, text.encode())

    assert not app.error
    assert [each.label for each in app.get("download_button")][:1] == ["Scenario files"]


def test_names_of_scenarios_are_text(app, backend):
    open_sheet(app, backend, "set.csv", SHEET.encode())

    assert not any("\\" in option for option in app.selectbox[-1].options)


def test_number_typed_just_before_counts(app, backend, record):
    text = "version: 1\nname: Two\nworkflow: {}\nturns:\n  - say: Hello\n  - say: Bye\n"
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    use(app, "open_scenario")
    reference = record(CurrentRun).session.workflow_id
    app.file_uploader[0].upload("two.scenario.yaml", text.format(reference).encode()).run()

    app.number_input[-1].set_value(0)
    app.button("scenario_open_now").click().run()

    assert not app.exception
    assert record(ScenarioRecord).opened.sent == 0
    assert record(CurrentRun).session.run_id is None


def test_run_of_a_sheet_is_audited(app, backend, monkeypatch):
    made = {}
    user = User("Ada", Role.RUN, is_local=False)
    draw = st.download_button

    def keep(label, data, **wanted):
        made[wanted["key"]] = data
        return draw(label, data, **wanted)

    monkeypatch.setattr(permissions, "current_user", lambda: user)
    monkeypatch.setattr(st, "download_button", keep)
    open_sheet(app, backend, "set.csv", SHEET.encode())

    assert b"Result" in made["lex_results"]()

    newest = backend.store.audit.newest()[0]
    assert (newest.action, newest.target, newest.details) == ("run scenarios", "set.csv", {"scenarios": 2})


def test_rows_that_begin_alike_are_told_apart(app, backend):
    rows = "".join(f"  - text: {'tea ' * 30}{number}\n" for number in range(2))
    text = f"version: 1\nname: Two\nworkflow: {{}}\nrows:\n{rows}turns:\n  - say: '{{{{{{{{text}}}}}}}}'\n"
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    use(app, "open_scenario")
    reference = app.session_state[record_key(CurrentRun)].session.workflow_id

    app.file_uploader[0].upload("two.scenario.yaml", text.format(reference).encode()).run()

    assert not app.error
    assert len(set(app.selectbox[-1].options)) == 2


def test_scenarios_of_one_name_are_told_apart(app, backend):
    sheet = "Line #,Conversation #,Source,Input\n1,7,User,Hello\n2,8,User,Hi\n3,7,User,Hey\n"

    open_sheet(app, backend, "set.csv", sheet.encode())

    assert not app.error
    assert len(set(app.selectbox[-1].options)) == 3


def test_bad_file_is_refused_and_the_others_open(app, backend, record):
    text = "version: 1\nname: {}\nworkflow: {}\nturns:\n  - say: Hello\n"
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    use(app, "open_scenario")
    workflow = record(CurrentRun).session.workflow_id
    files = [
        ("one.scenario.yaml", text.format("One", workflow).encode(), "text/yaml"),
        ("bad.scenario.yaml", b"version: [", "text/yaml"),
        ("odd.scenario.yaml", b"\xff\xfe\x00", "text/yaml"),
        ("two.scenario.yaml", text.format("Two", workflow).encode(), "text/yaml"),
    ]
    app.file_uploader[0].set_value(files).run()

    assert not app.exception
    assert [each.loaded.scenario.name for each in record(ScenarioRecord).uploaded] == ["One", "Two"]
    bad, odd = (error.value.replace("\\", "") for error in app.error)
    assert bad.startswith("bad.scenario.yaml:")
    assert odd.startswith("The file odd.scenario.yaml is not UTF-8.")
