from __future__ import annotations

import time

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StoreError
from debugger.protocol import urls
from debugger.server.audit import AUDITED
from debugger.server.auth.roles import REQUIRED_ROLES
from debugger.settings import Settings
from debugger.store import Role
from tests.support.factories import document, say
from tests.support.server_sockets import opened

NOT_AUDITED = {
    ("POST", urls.PUMP): "background work of a turn that is audited",
    ("GET", urls.SESSION): "opens a socket, whose turns are audited",
    ("POST", urls.RERUN_TOKENS): "prepares a re-run, which is audited",
    ("PATCH", urls.RERUN_TOKEN): "prepares a re-run, which is audited",
}


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/server.sqlite3", responder="rules"))
    yield backend
    backend.close()


def signed_in(api, backend, role=Role.ADMIN, name="Ada"):
    _, key = backend.store.api_keys.add(name, role)
    api.headers["Authorization"] = f"Bearer {key}"
    return api


def entries(backend, expected=0):
    """The entries, the oldest first; they are written after the answer."""
    deadline = time.monotonic() + 5
    while len(found := backend.store.audit.newest()) < expected and time.monotonic() < deadline:
        time.sleep(0.01)
    return [(one.person, one.role, one.action, one.target) for one in reversed(found)]


def test_audit_covers_run_and_admin_routes():
    changing = {route for route, role in REQUIRED_ROLES.items() if role.covers(Role.RUN)}

    assert changing - set(AUDITED) - set(NOT_AUDITED) == set()
    assert set(AUDITED) - set(REQUIRED_ROLES) == set()


def test_turns_and_deletions_of_key_are_audited(serve, backend):
    api = signed_in(serve(backend), backend)
    workflow = backend.create_workflow(document(say("chat")))
    body = {"run_input": {"command": "start", "miscellaneous": {"note": "my secret words"}}}

    run_id = api.post(f"/v1/workflows/{workflow.id}/execute", json=body).json()["run_id"]
    api.delete(f"/v1/workflow-runs/{run_id}")
    exported = api.get(
        f"/v1/workflows/{workflow.id}/export", params={"version_numbers": 0, "active_version_number": 0}
    )
    api.delete(f"/v1/workflows/{workflow.id}")
    api.get("/v1/workflows")

    assert exported.status_code == 200, exported.text
    assert entries(backend, 4) == [
        ("Ada", "admin", "send turn", run_id),
        ("Ada", "admin", "delete run", run_id),
        ("Ada", "admin", "export workflow", workflow.id),
        ("Ada", "admin", "delete workflow", workflow.id),
    ]
    assert "secret words" not in str(backend.store.audit.newest())


def test_entries_name_what_was_created(serve, backend):
    api = signed_in(serve(backend), backend)
    body = document(say("chat"))

    workflow_id = api.post("/v1/workflows", json=body).json()["workflow"]["_id"]
    bundle = api.get(
        f"/v1/workflows/{workflow_id}/export", params={"version_numbers": 0, "active_version_number": 0}
    ).json()
    imported = api.post("/v1/workflows/import/bundle", json={"bundle": bundle}).json()["workflow"]["_id"]
    city = api.post("/v1/global-variables", json={"name": "city"}).json()["variable"]["id"]
    more = {"variables": [{"name": "street"}, {"name": "city"}, {"name": "house"}]}
    created = api.post("/v1/global-variables/bulk", json=more).json()["created"]
    run_id = api.post(f"/v1/workflows/{workflow_id}/execute", json={"run_input": {}}).json()["run_id"]
    again = api.post(f"/v1/workflow-runs/{run_id}/turns/0/rerun", json={"message": "Hi"}).json()

    assert [(action, target) for _, _, action, target in entries(backend, 7)] == [
        ("import workflow", workflow_id),
        ("export workflow", workflow_id),
        ("import workflow", imported),
        ("edit global variable", city),
        ("edit global variable", ", ".join(variable["id"] for variable in created)),
        ("send turn", run_id),
        ("rerun turn", again["workflow_run_id"]),
    ]


def test_refused_requests_are_not_audited(serve, backend):
    api = signed_in(serve(backend), backend, Role.READ)
    workflow = backend.create_workflow(document(say("chat")))

    answers = [
        api.post(f"/v1/workflows/{workflow.id}/execute", json={"run_input": {"command": "start"}}),
        api.delete(f"/v1/workflows/{workflow.id}"),
        api.get("/v1/workflow-runs/665f0c2b9a3e4d5f6a7b8c90"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 404]
    assert entries(backend) == []


def test_server_without_keys_audits_nothing(serve, backend):
    workflow = backend.create_workflow(document(say("chat")))

    answer = serve(backend).delete(f"/v1/workflows/{workflow.id}")

    assert answer.is_success
    assert entries(backend) == []


def test_turn_on_socket_is_audited(serve, backend):
    api = signed_in(serve(backend), backend, Role.RUN)
    workflow = backend.create_workflow(document(say("chat")))

    with opened(api, additional_headers={"Authorization": api.headers["Authorization"]}) as socket:
        [acknowledged, *_] = socket.turn(workflow_id=workflow.id)

    run_id = acknowledged["workflow_run_id"]
    assert entries(backend, 1) == [("Ada", "run", "send turn", run_id)]


def test_shared_key_is_audited_without_person(serve, backend):
    api = serve(backend, api_key="a key that many share")
    api.headers["Authorization"] = "Bearer a key that many share"
    workflow = backend.create_workflow(document(say("chat")))

    api.delete(f"/v1/workflows/{workflow.id}")

    assert entries(backend, 1) == [("shared key", "admin", "delete workflow", workflow.id)]


def test_turn_is_answered_when_entry_fails(serve, backend, monkeypatch, caplog):
    api = signed_in(serve(backend), backend)
    workflow = backend.create_workflow(document(say("chat")))

    def fail(_entries):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(backend.store.audit, "append_all", fail)

    answers = [
        api.post(f"/v1/workflows/{workflow.id}/execute", json={"run_input": {"command": "start"}})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    deadline = time.monotonic() + 5
    while "The disk is full." not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "The disk is full." in caplog.text
