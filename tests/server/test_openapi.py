from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import schemathesis
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from debugger.backends.embedded import EmbeddedBackend
from debugger.server.app import create_app
from debugger.server.openapi import AUTH_STATUSES, _map_descriptions, strip_code_notes
from debugger.server.workflow_transfer import Clone
from debugger.settings import Settings


@pytest.fixture(scope="module")
def document(api):
    return api.get(api.base_url.join("/openapi.json")).json()


def operation(document, method, path):
    return document["paths"][f"/workflows{path}"][method]


def operations(document):
    return [
        found
        for path in document["paths"].values()
        for method, found in path.items()
        if method != "parameters"
    ]


def test_document_needs_no_key(serve, embedded):
    client = serve(embedded, api_key="sk-right")

    answer = client.get(client.base_url.join("/openapi.json"))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["info"]["title"] == "Workflow Debugger"
    assert "/workflows/v1/workflow-runs/ws" in answer.json()["info"]["description"]


def test_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()


def test_every_route_has_unique_operation_id(document, embedded):
    served = {
        (method.lower(), route.path_format)
        for route in iter_route_contexts(create_app(embedded).routes)
        if getattr(route, "methods", None)
        for method in route.methods
    }

    told = {(method, path) for path, item in document["paths"].items() for method in item}
    names = [found["operationId"] for found in operations(document)]

    assert served == {(method, path) for method, path in told if method != "parameters"}
    assert len(set(names)) == len(names)


def test_body_has_schema_of_its_model(document):
    clone = operation(document, "post", "/v1/workflows/{workflow_id}/clone")

    schema = clone["requestBody"]["content"]["application/json"]["schema"]

    assert schema == {"$ref": "#/components/schemas/Clone"}
    assert document["components"]["schemas"]["Clone"]["properties"].keys() == Clone.model_fields.keys()


def test_patch_fields_have_no_default(document):
    fields = document["components"]["schemas"]["ChangedVariable"]["properties"]

    assert not [name for name, field in fields.items() if "default" in field]


def test_body_is_required_for_required_fields(document):
    needed = [
        operation(document, "post", f"/v1/workflows/{{workflow_id}}/{name}")["requestBody"]["required"]
        for name in ("execute", "clone", "favorite")
    ]

    assert needed == [True, False, False]


def test_parameters_come_with_their_limits(document):
    listed = operation(document, "get", "/v1/workflow-runs")

    size = next(one for one in listed["parameters"] if one.get("name") == "size")

    assert (size["schema"]["minimum"], size["schema"]["maximum"], size["required"]) == (1, 1_000, False)


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", "/v1/workflows/schema", "200"),
        ("post", "/v1/workflows", "201 400 413 415 422 503"),
        ("delete", "/v1/workflows/{workflow_id}", "204 404 422 503"),
        (
            "post",
            "/v1/workflows/{workflow_id}/execute",
            "200 400 404 409 413 415 422 429 500 503",
        ),
        (
            "put",
            "/v1/workflow-runs/{run_id}/turns/{turn_index}/rating",
            "200 404 409 413 415 422 503",
        ),
        ("get", "/v1/workflow-runs", "200 422 503"),
    ],
)
def test_operation_lists_every_status(document, method, path, statuses):
    told = operation(document, method, path)["responses"].keys()

    assert told == {*statuses.split(), *map(str, AUTH_STATUSES)}


def test_request_id_fits_documented_pattern(api, document):
    sent = {"X-Request-Id": "Deploy-7.check_1"}

    returned = [api.get("/v1/workflows", headers=headers).headers["x-request-id"] for headers in (sent, {})]

    header = operation(document, "get", "/v1/workflows")["responses"]["200"]["headers"]["X-Request-Id"]
    assert returned[0] == "Deploy-7.check_1"
    assert all(re.search(header["schema"]["pattern"], value) for value in returned)


def test_open_path_lists_no_auth_error(document):
    assert document["paths"]["/healthz"]["get"]["responses"].keys() == {"200"}
    assert document["paths"]["/v1/session"]["get"]["responses"].keys() >= {"200", "401", "403"}


def test_remote_backend_adds_statuses(serve):
    client = serve(SimpleNamespace())

    told = client.get(client.base_url.join("/openapi.json")).json()

    assert {"501", "502", "504"} <= operation(told, "get", "/v1/workflow-runs")["responses"].keys()
    assert "501" in operation(told, "delete", "/v1/workflow-runs/{run_id}")["responses"]


def test_what_needs_a_key_says_so(document):
    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"]["key"] == {"type": "http", "scheme": "bearer"}
    free = [path for path, item in document["paths"].items() if item.get("get", {}).get("security") == []]
    assert sorted(free) == ["/healthz", "/openapi.json", "/readyz"]


def test_descriptions_omit_code_references(document):
    words = [str(found.get("summary")) + str(found.get("description")) for found in operations(document)]
    words += [str(schema) for schema in document["components"]["schemas"].values()]

    assert not [text for text in words if "platform/" in text or "Raises:" in text or "``" in text]


def test_document_is_built_once():
    backend = EmbeddedBackend(Settings(database="sqlite://"))

    app = create_app(backend)
    was_made = app.state.document is not None
    client = TestClient(app)
    answers = [client.get("/openapi.json").content]
    first = app.state.document
    answers.append(client.get("/openapi.json").content)

    assert not was_made
    assert app.state.document is first
    assert answers == [first, first]
    backend.close()


def test_strip_code_notes_omits_sections_and_references():
    text = """Do one thing (``platform.md#workflow-routes``). It is ``done``
    at once (section 10, 19).

    There is more to it.

    Raises:
        ValueError: Never.
    """.replace("\n    ", "\n")

    assert strip_code_notes(text) == "Do one thing. It is `done` at once.\n\nThere is more to it."


def test_strip_code_notes_keeps_other_parentheses():
    assert (
        strip_code_notes("Of one kind (as a rule), or the other.") == "Of one kind (as a rule), or the other."
    )


def test_map_descriptions_changes_descriptions_at_any_depth():
    schema = {"properties": {"a": {"anyOf": [{"description": "A (``platform.md#execute``)", "x": "``"}]}}}

    assert _map_descriptions(schema, strip_code_notes) == {
        "properties": {"a": {"anyOf": [{"description": "A", "x": "``"}]}}
    }
