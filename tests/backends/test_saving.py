"""Each rule of construction: a save is refused, what is stored runs with a warning."""

from __future__ import annotations

import re
from contextlib import closing

import httpx
import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import WorkflowError
from debugger.graph import check
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.settings import Settings
from tests.server.conftest import serving
from tests.support.factories import document, say, static
from tests.support.faulty_workflows import CONSTRUCTION_FAULTS, Faulty

each_fault = pytest.mark.parametrize("faulty", CONSTRUCTION_FAULTS, ids=lambda faulty: faulty.rule)


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saving")
    settings = Settings(
        database=f"sqlite:///{folder}/runs.sqlite3",
        responder="rules",
        outbound_read="simulated",
        outbound_write="simulated",
    )
    with closing(EmbeddedBackend(settings)) as backend:
        yield backend


@pytest.fixture(scope="module")
def api(backend):
    with serving(backend) as client:
        yield client


def warnings(events):
    return [event["warning_message"] for event in events if event["type"] == "workflow_warning"]


def told_in(faulty: Faulty, texts: list[str]) -> bool:
    refusals = [text for text in texts if "The platform refuses to save such a workflow." in text]
    return [faulty.told in text for text in refusals] == [True]


@each_fault
def test_check_names_fault(faulty):
    problems = [problem for problem in check(Workflow.from_document(faulty.document)) if problem.category]

    assert [(problem.level, problem.code) for problem in problems] == [("error", faulty.code)]
    assert faulty.told in problems[0].message


@each_fault
def test_embedded_save_is_refused(backend, faulty):
    stored = len(backend.workflows())

    with pytest.raises(WorkflowError, match=re.escape(faulty.told)) as raised:
        backend.create_workflow(faulty.document)

    assert raised.value.category.startswith("Invalid ")
    assert raised.value.advice
    assert len(backend.workflows()) == stored


@each_fault
def test_saves_over_server_are_refused(api, backend, faulty):
    sound = backend.create_workflow(document(static("a", "Hello"))).id
    bundle = api.get(
        f"/v1/workflows/{sound}/export", params={"version_numbers": 0, "active_version_number": 0}
    ).json()
    bundle["versions"][0]["workflow_config"] = faulty.document

    answers = [
        api.post("/v1/workflows", json=faulty.document),
        api.post("/v1/workflows", json={"name": "Tea", "config": faulty.document}),
        api.patch(f"/v1/workflows/{sound}/versions/0/config", json={"config": faulty.document}),
        api.post("/v1/workflows/import/bundle", json={"bundle": bundle, "confirm_executable": True}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 400]
    for answer in answers:
        assert answer.json().keys() == {"message", "error"}
        assert answer.json()["message"].startswith("Invalid ")
        assert faulty.told in answer.json()["error"]
    assert backend.workflow(sound).node_configs[0].type == "say_static"


@each_fault
def test_stored_workflow_opens_and_runs_with_warning(backend, faulty):
    workflow_id = backend.store.create_workflow(faulty.document).id

    result = backend.execute(workflow_id, TurnInput.with_message("hello")).finish()

    assert backend.workflow(workflow_id).to_wire() == Workflow.from_document(faulty.document).to_wire()
    assert result.status in ("completed", "waiting_for_user_input", "aborted_looping_risk")
    assert told_in(faulty, warnings(result.events))


@each_fault
def test_stored_workflow_runs_and_exports_over_server(api: httpx.Client, backend, faulty):
    workflow_id = backend.store.create_workflow(faulty.document, name="Stored").id
    place = f"/v1/workflows/{workflow_id}"

    shown = api.get(place, params={"fully_hydrate": True}).json()["workflow"]["workflow_config"]
    ran = api.post(f"{place}/execute", json={"run_input": {}}).json()
    exported = api.get(f"{place}/export", params={"version_numbers": 0, "active_version_number": 0}).json()
    cloned = api.post(f"{place}/clone", json={"name": "Copy", "clone_all_versions": True})

    assert shown["node_configs"] == faulty.document["node_configs"]
    assert ran["status"] in ("completed", "waiting_for_user_input", "aborted_looping_risk")
    assert told_in(faulty, warnings(ran["events"]))
    assert exported["versions"][0]["workflow_config"] == faulty.document
    assert cloned.status_code == 201


def test_warning_of_stored_fault_is_of_first_turn_only(backend):
    faulty = document(say("a"), llms_config={"type": "openai_llm", "temperature": 7})
    workflow_id = backend.store.create_workflow(faulty).id

    first = backend.execute(workflow_id, TurnInput.with_message("hello")).finish()
    second = backend.execute(
        workflow_id, TurnInput.with_message("again", command="data"), run_id=first.run_id
    ).finish()

    assert any("'temperature' is '7'" in text for text in warnings(first.events))
    assert warnings(second.events) == []


def test_copy_of_stored_fault_is_a_version(backend):
    workflow_id = backend.store.create_workflow(CONSTRUCTION_FAULTS[0].document).id

    assert backend.create_version(workflow_id).version_number == 1


def test_loop_by_default_of_type_is_saved(backend):
    backend.create_workflow(document(say("a", wait_for_user_message=False)))

    with pytest.raises(WorkflowError, match="'self_loop' on and"):
        backend.create_workflow(document(say("a", wait_for_user_message=False, self_loop=True)))
