from __future__ import annotations

import pytest

from debugger.errors import ConflictError, InputError, NotFoundError
from debugger.store import NOTHING_KNOWN, Store, VersionCopy, WorkflowFacts
from tests.store.test_retention import keep as keep_run
from tests.support.factories import document, static

UNKNOWN = "665f00000000000000000001"


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path}/runs.sqlite3")
    yield opened
    opened.close()


def keep(store, **fields):
    return store.create_workflow({**document(static("a", "Hello")), **fields}, name="Tea").id


def test_rename_changes_every_version(store):
    sent = {"future": [2**70], "name": "Tea", **document(static("a", "Hello"), name="Inner")}
    workflow_id = store.create_workflow(sent).id
    store.create_version(workflow_id)
    changed = [version.updated_at for version in store.versions(workflow_id)]

    store.catalogue.rename_workflow(workflow_id, {"name": "Coffee", "description": "Beans"})

    summary = store.workflow_summary(workflow_id)
    assert (summary.name, summary.description) == ("Coffee", "Beans")
    settings = {**sent["workflow_config"], "name": "Coffee", "description": "Beans"}
    for number in (0, 1):
        assert store.document(workflow_id, number)[1] == {
            **sent,
            "name": "Coffee",
            "workflow_config": settings,
        }
    assert [version.updated_at for version in store.versions(workflow_id)] == changed


def test_invalid_document_keeps_old_one(store):
    workflow_id = keep(store)
    before = store.document(workflow_id)

    with pytest.raises(InputError):
        store.catalogue.replace_document(workflow_id, 0, {"node_configs": [object()]})

    assert store.document(workflow_id) == before


def test_the_active_version_cannot_be_deleted(store):
    workflow_id = keep(store)
    store.create_version(workflow_id, mark_as_active=True)

    store.catalogue.delete_version(workflow_id, 0)

    with pytest.raises(ConflictError, match="Version 1 is the active one"):
        store.catalogue.delete_version(workflow_id, 1)
    assert [version.version_number for version in store.versions(workflow_id)] == [1]
    assert store.create_version(workflow_id).version_number == 2


def test_deleted_number_stays_that_of_its_runs(store):
    workflow_id = keep(store)
    store.create_version(workflow_id)
    keep_run(store, 1, workflow_id=workflow_id, version_number=1)
    store.catalogue.delete_version(workflow_id, 1)

    later = store.create_version(workflow_id, document={"name": "Other"})

    assert later.version_number == 2
    with pytest.raises(NotFoundError):
        store.document(workflow_id, 1)


def test_versions_are_copied_unchanged(store):
    sent = {"odd": {"b": 1, "a": 2}, **document(static("a", "Hello"), name="Inner")}
    copies = [VersionCopy(2, "two", sent), VersionCopy(5, None, sent)]

    kept = store.catalogue.keep_workflow({"name": "Copy", "description": None}, copies, 5)
    renamed = store.catalogue.keep_workflow({"name": "Copy"}, copies, 2, ["name"])

    assert store.workflow_summary(kept).active_version_number == 5
    assert [(one.version_number, one.version_name) for one in store.versions(kept)] == [(2, "two"), (5, None)]
    assert list(store.document(kept, 2)[1]) == list(sent)
    assert store.document(kept, 2)[1] == sent
    assert store.document(renamed, 2)[1]["workflow_config"]["name"] == "Copy"
    with pytest.raises(InputError, match="Version 7 cannot be the active one"):
        store.catalogue.keep_workflow({"name": "Copy"}, copies, 7)


def test_facts_are_deleted_with_workflow(store):
    workflow_id = keep(store)
    assert store.catalogue.facts([workflow_id]).get(workflow_id, NOTHING_KNOWN) == WorkflowFacts()

    store.catalogue.note(workflow_id, created_by="ada")
    store.catalogue.note(workflow_id, max_concurrent_runs=3)
    store.catalogue.set_favorite(workflow_id, "ada", is_favorite=True)

    assert store.catalogue.facts([workflow_id, UNKNOWN]) == {workflow_id: WorkflowFacts("ada", None, 3)}
    assert store.catalogue.favorites_of("ada") == {workflow_id}
    store.delete_workflow(workflow_id)
    assert store.catalogue.facts([workflow_id]) == {}
    assert store.catalogue.favorites_of("ada") == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        lambda catalogue: catalogue.rename_workflow(UNKNOWN, {"name": "x"}),
        lambda catalogue: catalogue.replace_document(UNKNOWN, 0, {}),
        lambda catalogue: catalogue.rename_version(UNKNOWN, 0, "x"),
        lambda catalogue: catalogue.delete_version(UNKNOWN, 0),
        lambda catalogue: catalogue.versions(UNKNOWN),
        lambda catalogue: catalogue.note(UNKNOWN, created_by="ada"),
        lambda catalogue: catalogue.set_favorite(UNKNOWN, "ada", is_favorite=True),
    ],
)
def test_what_is_not_there_cannot_be_changed(store, change):
    with pytest.raises(NotFoundError, match=UNKNOWN):
        change(store.catalogue)
