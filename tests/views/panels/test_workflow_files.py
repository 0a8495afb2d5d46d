from __future__ import annotations

import json

import pytest

from debugger.backends.base import Capabilities
from debugger.backends.embedded import EmbeddedBackend
from debugger.graph.load import load_workflow
from debugger.protocol.workflow import Workflow
from debugger.settings import HOSTED_PREFIX, Settings
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection
from debugger.views.panels import workflow_files
from debugger.views.panels.workflow_files import WorkflowFiles, workflow_document, workflow_file_name
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction
from tests.support.factories import document, say
from tests.views.bars import captions, control, use
from tests.views.records import record_of

URL = "https://flows.example"


@pytest.fixture
def other(tmp_path, monkeypatch, clean):
    """A backend behind the default connection."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/other.sqlite3", responder="rules"))
    monkeypatch.setattr(backend, "close", lambda: None)
    monkeypatch.setattr(workflow_files, "HostedBackend", lambda settings: backend)
    monkeypatch.setenv(f"{HOSTED_PREFIX}BASE_URL", URL)
    monkeypatch.setenv(f"{HOSTED_PREFIX}API_KEY", "key")
    yield backend
    EmbeddedBackend.close(backend)


@pytest.fixture
def opened(app, backend):
    """The page with a workflow of two versions, of which only 1 sings, and its file open."""
    workflow = backend.create_workflow(document(say("chat", "Talk."), name="Tea shop"))
    backend.store.create_version(workflow.id, document=document(say("chat", "Sing."), name="Tea shop"))
    app.run()
    use(app, "workflow_files", True)
    return workflow


@pytest.fixture
def choose_file(app, opened):
    """Choose a workflow file in the import."""

    def choose(*parts, **config):
        data = json.dumps(document(*parts, **config)).encode()
        app.get("file_uploader")[0].upload("file.json", data, "application/json").run()
        assert not app.exception

    return choose


def versions(backend, workflow):
    """The texts of a workflow's versions, the active one marked."""
    return {
        f"{each.version_number}{'*' * each.is_active}": backend.workflow(workflow.id, each.version_number)
        .node_configs[0]
        .main_response_config["prompt"]
        for each in backend.versions(workflow.id)
    }


def created(backend):
    return [each.label for each in backend.workflows()]


def names(app):
    return {each.key for each in app.button}


def test_file_without_secrets_loads_again():
    held = Workflow.from_document(
        {**document(say("chat")), "secret_variables": {"token": "s3cret"}, "own": 1}
    )

    text = json.dumps(workflow_document(held))

    assert "s3cret" not in text
    assert load_workflow(text).to_wire() == {
        k: v for k, v in held.to_wire().items() if k != "secret_variables"
    }
    assert json.loads(text)["own"] == 1


@pytest.mark.parametrize(
    ("name", "number", "file_name"),
    [
        ("Clinic front desk", 1, "clinic-front-desk-v1.json"),
        ("../Tea & Cake", None, "tea-cake.json"),
        ("茶", 0, "workflow-v0.json"),
    ],
)
def test_file_name_is_plain(name, number, file_name):
    assert workflow_file_name(name, number) == file_name


def test_any_version_is_offered_as_file(app, opened, monkeypatch):
    rendered = []
    monkeypatch.setattr(
        workflow_files.st,
        "download_button",
        lambda *_, data, file_name, **__: rendered.append((file_name, data())),
    )
    app.run()
    box = next(each for each in app.selectbox if each.key.startswith("file_version"))
    assert box.options == ["v0 · Initial Version (active)", "v1"]

    box.set_value(1).run()

    assert not app.exception
    (first, talk), (second, sing) = rendered[0], rendered[-1]
    assert (first, second) == ("tea-shop-v0.json", "tea-shop-v1.json")
    assert b"Talk." in talk
    assert b"Sing." in sing
    assert load_workflow(sing)


def test_version_that_cannot_be_read_has_no_file(app, opened, record):
    record(CurrentRun).session.substitute_reason = "Drawn with v2, the run used v0."

    app.run()

    assert any("cannot be read" in each.value for each in app.error)
    assert not app.get("download_button")


def test_id_can_be_copied(app, opened):
    assert opened.id in [each.value for each in app.code]


def test_without_other_backend_nothing_is_copied(app, opened):
    assert "copy_workflow" not in names(app)
    assert any("another backend once the page Connection has one" in each.value for each in app.caption)


def test_copy_to_connection_waits_for_consent(app, other, opened):
    app.run()

    use(app, "copy_workflow")

    assert created(other) == []
    assert "default" in app.warning[0].value
    assert "flows\\.example" in app.warning[0].value
    use(app, "copy_cancelled")
    assert not app.warning
    assert "copy_workflow" in names(app)


def test_copy_to_connection_is_created_after_consent(app, backend, other, opened):
    app.run()
    use(app, "copy_workflow")

    use(app, "copy_confirmed")

    assert not app.exception
    (copied,) = other.workflows()
    held = other.workflow(copied.id)
    assert held.node_configs == backend.workflow(opened.id, 0).node_configs
    assert any(copied.id in each.value for each in app.caption)
    assert "copy_workflow" in names(app)


@pytest.mark.parametrize("last", ["copy_workflow", "copy_confirmed"])
def test_copy_of_other_version_is_asked_and_told_anew(app, other, opened, last):
    app.run()
    use(app, "copy_workflow")
    if last == "copy_confirmed":
        use(app, last)

    app.selectbox(f"file_version_{opened.id}_0").set_value(1).run()

    assert not app.warning
    assert not any("Copied to" in each.value for each in app.caption)
    assert "copy_workflow" in names(app)


def test_copy_to_production_says_so(app, other, opened, monkeypatch):
    monkeypatch.setenv(f"{HOSTED_PREFIX}ENVIRONMENT", "production")
    app.run()

    use(app, "copy_workflow")

    assert "production environment" in app.warning[0].value


def test_copy_that_is_refused_leaves_error(app, other, opened, record):
    other.capabilities = Capabilities({"import_workflow": "Nothing can be stored here."})
    app.run()
    use(app, "copy_workflow")

    use(app, "copy_confirmed")

    assert str(record(LastAction).error).startswith("Nothing can be stored here.")
    assert record(WorkflowFiles).copied is None


def test_copy_to_embedded_needs_no_consent(app, backend, other, record):
    other.create_workflow(document(say("chat"), name="Bakery"))
    app.run()
    record(HostedConnection).backend, record(HostedConnection).name = other, "default"
    record(CurrentBackend).name = "hosted"
    record(BackendCache).clear()
    app.run()
    use(app, "workflow_files", True)

    use(app, "copy_workflow")

    assert not app.exception
    assert created(backend) == ["Bakery"]
    assert record_of(app, WorkflowFiles).copied.workflow.id == backend.workflows()[0].id
    assert control(app, "copy_target").options == ["Embedded engine"]


def test_file_of_known_workflow_becomes_its_next_version(app, backend, opened, choose_file, record):
    choose_file(say("chat", "Hum."), name="Tea shop")
    assert app.radio("import_as_0").options == ["New version of Tea shop", "A workflow of its own"]
    assert "It becomes version 2" in captions(app)

    use(app, "import_now")

    assert versions(backend, opened) == {"0": "Talk.", "1": "Sing.", "2*": "Hum."}
    assert created(backend) == ["Tea shop"]
    session = record_of(app, CurrentRun).session
    assert (session.workflow_id, session.version_number) == (opened.id, 2)
    assert not app.get("file_uploader")


def test_file_of_known_workflow_may_become_another(app, backend, opened, choose_file):
    choose_file(say("chat", "Hum."), name="Tea shop")

    app.radio("import_as_0").set_value("").run()
    assert "It becomes version" not in captions(app)
    use(app, "import_now")

    assert list(versions(backend, opened)) == ["0*", "1"]
    assert created(backend) == ["Tea shop", "Tea shop"]


def test_namesakes_with_one_logical_id_are_told_apart(app, backend, opened, choose_file):
    twin = backend.create_workflow(document(say("chat", "Twin."), name="Tea shop"))
    other = backend.create_workflow(document(say("chat", "Other."), name="Bakery"))
    choose_file(say("chat", "Hum."), name="Tea shop")
    first, second, third, own = app.radio("import_as_0").options
    assert twin.id in first
    assert opened.id in second
    assert (third, own) == ("New version of Bakery", "A workflow of its own")

    app.radio("import_as_0").set_value(other.id).run()
    use(app, "import_now")

    assert versions(backend, other) == {"0": "Other.", "1*": "Hum."}
    assert list(versions(backend, twin)) == ["0*"]


def test_unknown_logical_id_has_no_choice(app, backend, opened, choose_file):
    choose_file(say("chat"), name="Bakery", logical_id="bakery")

    assert not app.radio
    use(app, "import_now")
    assert created(backend) == ["Bakery", "Tea shop"]


def test_same_name_with_another_logical_id_is_told(app, opened, choose_file):
    choose_file(say("chat"), name="Tea shop", logical_id="bakery")

    assert not app.radio
    assert "has the name Tea shop, too, with another logical id" in captions(app)


def test_version_that_another_user_imports_is_kept(app, backend, opened, choose_file):
    choose_file(say("chat", "Hum."), name="Tea shop")
    backend.import_version(opened.id, document(say("chat", "Whistle."), name="Tea shop"), expected=2)

    use(app, "import_now")

    assert versions(backend, opened) == {"0": "Talk.", "1": "Sing.", "2*": "Whistle."}
    assert any("The workflow “Tea shop” was changed" in each.value for each in app.markdown)
    use(app, "replace_theirs")
    assert versions(backend, opened) == {"0": "Talk.", "1": "Sing.", "2": "Whistle.", "3*": "Hum."}
    assert record_of(app, CurrentRun).session.version_number == 3


def test_equal_version_of_another_user_is_shown(app, backend, opened, choose_file):
    choose_file(say("chat", "Hum."), name="Tea shop")
    backend.import_version(opened.id, document(say("chat", "Hum."), name="Tea shop"), expected=2)

    use(app, "import_now")

    assert list(versions(backend, opened)) == ["0", "1", "2*"]
    assert record_of(app, CurrentRun).session.version_number == 2
    assert not app.get("file_uploader")


def test_import_after_go_on_editing_is_not_asked_again(app, backend, opened, choose_file):
    choose_file(say("chat", "Hum."), name="Tea shop")
    backend.import_version(opened.id, document(say("chat", "Whistle."), name="Tea shop"), expected=2)
    use(app, "import_now")

    use(app, "go_on_editing")
    use(app, "import_now")

    assert versions(backend, opened) == {"0": "Talk.", "1": "Sing.", "2": "Whistle.", "3*": "Hum."}


def test_equal_version_that_is_not_active_becomes_active(app, backend, opened, choose_file):
    choose_file(say("chat", "Hum."), name="Tea shop")
    assert "It becomes version 2, the active one" in captions(app)
    # As a scenario does that names the same file, and is run on the page Suites.
    backend.store.create_version(opened.id, document=document(say("chat", "Hum."), name="Tea shop"))

    use(app, "import_now")

    active = next(text for number, text in versions(backend, opened).items() if number.endswith("*"))
    assert active == "Hum."


def test_imported_version_is_shown_once(app, opened, choose_file, record, monkeypatch):
    made, session_class = [], workflow_files.DebugSession
    monkeypatch.setattr(
        workflow_files,
        "DebugSession",
        lambda *args: made.append(args[2]) or session_class(*args),
    )
    choose_file(say("chat", "Hum."), name="Tea shop")

    use(app, "import_now")

    assert (made, record(WorkflowFiles).uploads) == ([2], 1)


@pytest.mark.parametrize("logical_id", [None, "", 5])
def test_odd_logical_id_has_no_choice(app, backend, opened, logical_id):
    wire = document(say("chat", "Hum."), name="Tea shop")
    wire["workflow_config"]["logical_id"] = logical_id
    app.get("file_uploader")[0].upload("f.json", json.dumps(wire).encode(), "application/json").run()

    assert not app.exception
    assert not app.radio


def test_import_of_deleted_workflow_is_an_error(app, backend, opened, choose_file, record):
    choose_file(say("chat", "Hum."), name="Tea shop")
    backend.delete_workflow(opened.id)

    use(app, "import_now")

    assert not app.exception
    assert record(LastAction).error is not None
    assert created(backend) == []


def test_version_made_before_redrawing_is_asked_about(app, backend, opened, choose_file, record):
    choose_file(say("chat", "Hum."), name="Tea shop")
    backend.import_version(opened.id, document(say("chat", "Whistle."), name="Tea shop"), expected=2)
    record(BackendCache).expire()  # as after some seconds
    app.run()

    use(app, "import_now")

    assert versions(backend, opened) == {"0": "Talk.", "1": "Sing.", "2*": "Whistle."}


def test_choice_of_one_file_is_not_that_of_next(app, backend, opened, choose_file):
    bakery = backend.create_workflow(document(say("chat"), name="Bakery", logical_id="bakery"))
    choose_file(say("chat", "Hum."), name="Tea shop")
    app.radio("import_as_0").set_value("").run()

    choose_file(say("chat", "Whistle."), name="Bakery", logical_id="bakery")

    assert app.radio("import_as_0").value == bakery.id


def test_damaged_document_does_not_forbid_import(app, backend, opened, choose_file):
    twin = backend.create_workflow(document(say("chat", "Twin."), name="Twin"))
    cut = "UPDATE versions SET document = substr(document, 1, length(document) - 1) WHERE workflow_id = "
    with backend.store._database.writing() as connection:
        connection.exec_driver_sql(f"{cut}'{twin.id}'")

    choose_file(say("chat", "Hum."), name="Tea shop")

    assert "import_now" in names(app)
