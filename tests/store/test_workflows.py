from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from debugger.errors import EditConflictError, InputError, NotFoundError, StoreError
from debugger.protocol.base import is_id
from debugger.protocol.workflow import Workflow
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.sql_helpers import new_id
from debugger.store.store import Store


def test_document_keeps_fields_in_order(store):
    document = {
        "zebra": 2**80,
        "node_configs": [{"type": "say_llm", "logical_id": "b", "unknown": {"y": 1, "x": 1.0, "w": 1e300}}],
        "edge_configs": [],
        "Ünï": "東京 \ud83c \u0000",
        "alpha": [None, True, -0.0, ""],
    }

    workflow = store.create_workflow(document, name="Tea")

    number, found = store.document(workflow.id)
    assert number == 0
    assert json.dumps(found) == json.dumps(document)
    assert Workflow.from_document(found).to_wire() == document


def test_new_workflow_has_active_version(store):
    workflow = store.create_workflow({"name": "Tea", "description": "Orders tea"})

    [version] = store.versions(workflow.id)
    assert is_id(workflow.id)
    assert (workflow.name, workflow.description, workflow.active_version_number) == ("Tea", "Orders tea", 0)
    assert (version.version_number, version.version_name, version.is_active) == (0, "Initial Version", True)
    assert workflow.created_at == workflow.updated_at
    assert workflow.created_at.endswith("Z")
    assert store.workflow_summary(workflow.id) == workflow


@pytest.mark.parametrize(
    ("document", "given", "name"),
    [
        ({"name": "Own", "workflow_config": {"name": "Inner"}}, "Given", "Own"),
        ({"workflow_config": {"name": "Inner"}}, "Given", "Given"),
        ({"workflow_config": {"name": "Inner"}}, None, "Inner"),
        ({"name": "  ", "workflow_config": {"name": 7}}, None, None),
        ({"workflow_config": None}, None, None),
        ({}, None, None),
    ],
)
def test_workflow_name_has_three_sources(store, document, given, name):
    assert store.create_workflow(document, name=given).name == name


def test_a_description_follows_the_same_rule(store):
    document = {"workflow_config": {"description": "Inner"}}

    assert store.create_workflow(document).description == "Inner"
    assert store.create_workflow({**document, "description": "Own"}).description == "Own"


def test_workflows_are_listed_newest_first_page_by_page(store):
    made = [store.create_workflow({"name": f"Tea {number}"}) for number in range(5)]

    first, total = store.workflows(page=1, size=2)
    last, _ = store.workflows(page=3, size=2)
    beyond, total_beyond = store.workflows(page=4, size=2)

    assert first == [made[4], made[3]]
    assert last == [made[0]]
    assert beyond == []
    assert total == total_beyond == 5


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", {"Tee 100%", "Tee 100 Grad", "a_b", "aXb", "ÄRGER", None}),
        ("100%", {"Tee 100%"}),
        ("%", {"Tee 100%"}),
        ("a_b", {"a_b"}),
        ("_", {"a_b"}),
        ("tEE", {"Tee 100%", "Tee 100 Grad"}),
        ("ärg", {"ÄRGER"}),
        ("/", set()),
        ("'; DROP TABLE workflows; --", set()),
    ],
)
def test_workflow_search_is_literal(store, search, found):
    for name in ("Tee 100%", "Tee 100 Grad", "a_b", "aXb", "ÄRGER", None):
        store.create_workflow({}, name=name)

    rows, total = store.workflows(search=search)

    assert {row.name for row in rows} == found
    assert total == len(found)


@pytest.mark.parametrize(("page", "size"), [(0, 10), (-1, 10), (1, 0), (1, -5)])
def test_a_page_that_cannot_be_is_refused(store, page, size):
    with pytest.raises(InputError, match=f"no page {page} of {size} rows"):
        store.workflows(page=page, size=size)


def test_a_deleted_workflow_is_gone_with_its_versions(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    with closing(Store(f"sqlite:///{file}")) as store:
        kept, gone = (store.create_workflow({"name": name}) for name in ("Kept", "Gone"))
        store.create_version(gone.id)

        store.delete_workflow(gone.id)

        assert store.workflows() == ([kept], 1)
        for question in (store.document, store.versions, store.workflow_summary, store.delete_workflow):
            with pytest.raises(NotFoundError, match=gone.id):
                question(gone.id)
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT workflow_id FROM versions").fetchall() == [(kept.id,)]


def test_deleted_workflow_leaves_no_inputs_behind(store):
    kept, gone = (store.create_workflow({"name": name}).id for name in ("Kept", "Gone"))
    for workflow_id in (kept, gone):
        store.notes.keep_preset(
            workflow_id, "Known caller", {"dynamic_variables": {"phone": "555"}}, expected=NEVER_WRITTEN
        )
        store.demo_scripts.save("", workflow_id, ["My number is 555."], expected=NEVER_WRITTEN)
        store.demo_scripts.save("staging", workflow_id, ["Hello"], expected=NEVER_WRITTEN)
        store.python_consents.add(workflow_id, 0, "d" * 64, "Ada")
        store.reviews.set_rubric(workflow_id, ["Polite"], expected=NEVER_WRITTEN)

    store.delete_workflow(gone)

    assert store.notes.presets(gone) == store.demo_scripts.lines("", gone) == []
    assert [consent.workflow_id for consent in store.python_consents.all()] == [kept]
    assert len(store.notes.presets(kept)) == len(store.demo_scripts.lines("", kept)) == 1
    assert store.demo_scripts.lines("staging", gone) == ["Hello"]
    assert store.reviews.rubric(gone) == ["Polite"]


def test_store_is_empty_until_first_workflow(store):
    assert store.is_empty()

    workflow = store.create_workflow({"name": "Tea"})

    assert not store.is_empty()
    store.delete_workflow(workflow.id)
    assert not store.is_empty()


def test_one_caller_claims_empty_store(url):
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(Store(url))) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(Store.claim_first_use, stores))

    assert sorted(told) == [False] * 7 + [True]


def test_a_refused_document_leaves_nothing_behind(store):
    with pytest.raises(InputError, match="not JSON"):
        store.create_workflow({"name": "Tea", "node_configs": {1, 2}})

    assert store.workflows() == ([], 0)
    assert store.is_empty()


def test_new_version_copies_active_one(store):
    workflow = store.create_workflow({"turn": "first"})

    version = store.create_version(workflow.id, version_name="Snapshot")

    assert (version.version_number, version.version_name, version.is_active) == (1, "Snapshot", False)
    assert store.document(workflow.id) == (0, {"turn": "first"})
    assert store.document(workflow.id, 1) == (1, {"turn": "first"})


def test_new_version_takes_document_or_source(store):
    workflow = store.create_workflow({"turn": "first"})

    store.create_version(workflow.id, document={"turn": "second"}, mark_as_active=True)
    copy = store.create_version(workflow.id, source_version_number=0)

    assert copy.version_number == 2
    assert store.document(workflow.id) == (1, {"turn": "second"})
    assert store.document(workflow.id, 2) == (2, {"turn": "first"})
    assert [version.is_active for version in store.versions(workflow.id)] == [False, True, False]


def test_document_beside_source_is_rejected(store):
    workflow = store.create_workflow({"turn": "first"})

    with pytest.raises(InputError, match="copy of version 0"):
        store.create_version(workflow.id, document={}, source_version_number=0)

    assert len(store.versions(workflow.id)) == 1


def test_exactly_one_version_is_active(store):
    workflow = store.create_workflow({"turn": "first"})
    store.create_version(workflow.id)
    store.create_version(workflow.id)

    store.activate_version(workflow.id, 2)
    store.activate_version(workflow.id, 1)

    assert [version.is_active for version in store.versions(workflow.id)] == [False, True, False]
    summary = store.workflow_summary(workflow.id)
    assert summary.active_version_number == 1
    assert summary.updated_at >= summary.created_at


def test_unknown_version_error_lists_versions(store):
    workflow = store.create_workflow({})
    store.create_version(workflow.id)

    for question in (
        lambda: store.document(workflow.id, 7),
        lambda: store.activate_version(workflow.id, 7),
        lambda: store.create_version(workflow.id, source_version_number=7),
    ):
        with pytest.raises(NotFoundError, match=r"has no version 7. Its versions are: 0, 1\."):
            question()

    assert store.workflow_summary(workflow.id).active_version_number == 0


def test_unknown_workflow_error_names_it(store):
    unknown = new_id()

    for question in (
        lambda: store.document(unknown),
        lambda: store.versions(unknown),
        lambda: store.create_version(unknown, document={}),
        lambda: store.activate_version(unknown, 0),
        lambda: store.workflow_summary(unknown),
        lambda: store.delete_workflow(unknown),
    ):
        with pytest.raises(NotFoundError, match=unknown):
            question()


def test_damaged_document_error_names_version(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/a.sqlite3")) as store:
        workflow = store.create_workflow({"name": "Tea"})
        with closing(sqlite3.connect(tmp_path / "a.sqlite3")) as other:
            other.execute("UPDATE versions SET document = '{'")
            other.commit()

        with pytest.raises(StoreError, match=f"version 0 of workflow {workflow.id}"):
            store.document(workflow.id)


def test_starting_version_is_active_or_chosen(store):
    workflow_id = store.create_workflow({"name": "Tea"}).id
    store.create_version(workflow_id, version_name="Second", mark_as_active=True)

    assert store.resolve_version(workflow_id) == (1, "Second", "Tea")
    assert store.resolve_version(workflow_id, 1) == (1, "Second", "Tea")
    assert store.resolve_version(workflow_id, 0) == (0, store.versions(workflow_id)[0].version_name, "Tea")


def test_starting_version_rejects_unknown(store):
    workflow_id = store.create_workflow({"name": "Tea"}).id

    with pytest.raises(NotFoundError, match="no version 7") as caught:
        store.resolve_version(workflow_id, 7)

    assert "0" in caught.value.advice
    with pytest.raises(NotFoundError, match="no workflow"):
        store.resolve_version(new_id())


def test_next_version_must_have_expected_number(store):
    workflow = store.create_workflow({"name": "Tea"})
    store.create_version(workflow.id, document={"name": "Mine"}, expected=1)

    with pytest.raises(EditConflictError) as caught:
        store.create_version(workflow.id, document={"name": "Yours"}, expected=1)

    assert (caught.value.present, caught.value.revision) == ({"name": "Mine"}, 2)
    assert [each.version_number for each in store.versions(workflow.id)] == [0, 1]
    assert store.create_version(workflow.id, document={"name": "Yours"}, expected=2).version_number == 2


@pytest.mark.parametrize("logical_id", ["tea", '50%_\\"x', "茶", "\ud83c"])
def test_workflows_are_found_by_logical_id(store, logical_id):
    def of(logical_id):
        return {"workflow_config": {"logical_id": logical_id}, "node_configs": [], "note": "tea"}

    first, second = (store.create_workflow(of(logical_id), name=name).id for name in ("First", "Second"))
    store.create_workflow(of("Tea"))
    store.create_version(first, document=of("another"))

    assert [(each.summary.id, each.next_version) for each in store.find_workflows(logical_id)] == [
        (second, 1),
        (first, 2),
    ]
    assert store.find_workflows("") == []


def test_number_of_deleted_version_is_not_next(store):
    workflow = store.create_workflow({"workflow_config": {"logical_id": "tea"}, "node_configs": []})
    store.create_version(workflow.id, document={})
    store.catalogue.delete_version(workflow.id, 1)

    [found] = store.find_workflows("tea")

    assert store.create_version(workflow.id, expected=found.next_version).version_number == found.next_version
