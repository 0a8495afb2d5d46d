"""Global variables over a real socket (``platform.md#other-routes``)."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from tests.conformance.graphs import direct, graph, greeting, http, static
from tests.conformance.served import UNKNOWN, create, execute, spoken

PATH = "/v1/global-variables"
SECRET = "hunter2-swordfish"


def fresh():
    return f"name_{uuid4().hex}"


def add(api, **fields):
    answer = api.post(PATH, json={"name": fresh(), "is_secret": False, **fields})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["variable"]


@contextmanager
def listening():
    """A service on this machine, and what it was sent."""
    heard = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.headers.get("X-Key"))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"echo": "%s"}' % str(heard[-1]).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_variable_is_created_read_changed_and_deleted(api):
    made = add(api, value={"a": [1]}, description="Some", category="Shop")
    path = f"{PATH}/{made['id']}"

    assert (made["value"], made["is_secret"], made["is_system"]) == ({"a": [1]}, False, False)
    assert api.get(path).json() == {"variable": made}
    changed = api.patch(path, json={"value": "b", "description": None}).json()["variable"]
    assert (changed["name"], changed["value"], changed["description"]) == (made["name"], "b", None)
    assert changed["category"] == "Shop"
    assert api.patch(path).json()["variable"]["value"] == "b"
    assert api.delete(path).status_code in (200, 202, 204)
    assert api.get(path).status_code == 404


def test_variables_are_listed_by_category_after_system_ones(api):
    category = fresh()
    ids = {add(api, category=category)["id"] for _ in range(3)}

    first = api.get(PATH, params={"category": category, "size": 2}).json()
    second = api.get(PATH, params={"category": category, "size": 2, "page": 2}).json()

    assert {row["id"] for row in (*first["variables"], *second["variables"])} == ids
    assert (first["total"], first["pages"], first["has_next"], second["has_next"]) == (3, 2, True, False)
    everything = api.get(PATH, params={"size": 1}).json()["variables"]
    system = [row for row in everything if row["is_system"]]
    assert {row["id"] for row in system} == {
        "system:interactly_api_base_url",
        "system:interactly_api_token",
    }
    later = api.get(PATH, params={"size": 1, "page": 2}).json()["variables"]
    assert not any(row["is_system"] for row in later)


def test_system_variables_are_read_only(api):
    path = f"{PATH}/system:interactly_api_token"

    assert api.get(path).json()["variable"]["is_secret"] is True
    assert api.patch(path, json={"value": "x"}).status_code == 403
    assert api.delete(path).status_code == 403
    assert api.get(f"{PATH}/system:nothing").status_code == 404


def test_bulk_creation_reports_each_error(api):
    taken = add(api)["name"]
    good = fresh()
    wanted = [{"name": good, "value": 1}, {"name": taken}, {"name": ""}]

    answer = api.post(f"{PATH}/bulk", json={"variables": wanted}).json()

    assert set(answer) == {"created", "errors", "total_created", "total_errors"}
    assert [row["name"] for row in answer["created"]] == [good]
    assert [error["index"] for error in answer["errors"]] == [1, 2]
    assert (answer["total_created"], answer["total_errors"]) == (1, 2)
    assert api.post(f"{PATH}/bulk", json={}).status_code == 422


def test_all_values_are_resolved_by_name(api):
    made = add(api, value=[1, 2])

    values = api.get(f"{PATH}/resolve").json()["variables"]

    assert values[made["name"]] == [1, 2]
    assert values["interactly_api_base_url"].startswith("http://")


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"name": ""}, 422), ({"name": 7}, 422), ({"name": "a", "is_secret": "often"}, 422)],
)
def test_a_variable_that_cannot_be_is_refused(api, body, status):
    assert api.post(PATH, json=body).status_code == status


def test_two_variables_have_no_name_in_common(api):
    one, other = add(api), add(api)

    assert api.post(PATH, json={"name": one["name"]}).status_code == 409
    assert api.patch(f"{PATH}/{one['id']}", json={"name": other["name"]}).status_code == 409
    assert api.post(PATH, json={"name": "interactly_api_token"}).status_code == 409
    assert api.patch(f"{PATH}/{UNKNOWN}", json={"value": 1}).status_code == 404


def test_run_starts_with_open_variables_under_both_names(api):
    name = add(api, value="Leaf")["name"]
    text = f"{{{{{name}}}}} and {{{{global.{name}}}}}"
    plain = create(api, greeting(text))
    settings = {"miscellaneous": {"default_dynamic_variables": {name: "Default"}}}
    with_default = create(api, graph(static("hello", f"{{{{{name}}}}}"), **settings))

    assert spoken(execute(api, plain).json()) == ["Leaf and Leaf"]
    assert spoken(execute(api, plain, dynamic_variables={name: "Own"}).json()) == ["Own and Leaf"]
    assert spoken(execute(api, with_default).json()) == ["Default"]


def test_secret_is_in_no_output(api):
    name = fresh()
    with listening() as (url, heard):
        texts = []

        def ask(method, path, **request):
            answer = api.request(method, path, **request)
            texts.append(answer.text)
            return answer.json() if answer.content else None

        made = ask("POST", PATH, json={"name": name, "is_secret": True, "value": SECRET})["variable"]
        path = f"{PATH}/{made['id']}"
        ask("GET", path)
        ask("PATCH", path, json={"description": "Still"})
        ask("PATCH", path, json={"value": made["value"]})
        ask("POST", f"{PATH}/bulk", json={"variables": [{"name": name, "is_secret": True, "value": SECRET}]})
        ask("POST", PATH, json={"name": name, "is_secret": True, "value": SECRET})
        ask("POST", PATH, json={"name": "", "is_secret": True, "value": SECRET})
        ask("PATCH", path, json={"is_secret": False})
        ask("GET", PATH, params={"size": 1000})
        ask("GET", f"{PATH}/resolve")

        written = f"{{{{{name}}}}} {{{{global.{name}}}}}"
        call = http("call", url, headers={"X-Key": f"{{{{{name}}}}}"})
        says = static("says", f"{written} [[http_request_result]]")
        workflow_id = create(api, graph(call, says, direct("call", "says")))
        run_id = ask("POST", f"/v1/workflows/{workflow_id}/execute", json={"run_input": {}})["run_id"]
        ask("GET", f"/v1/workflow-runs/{run_id}")
        ask("GET", f"/v1/workflows/{workflow_id}", params={"fully_hydrate": "true"})
        ask("GET", f"/v1/workflows/{workflow_id}/export?version_numbers=0&active_version_number=0")
        ask("POST", f"/v1/workflow-runs/{run_id}/turns/0/rerun-preflight")
        token = ask("POST", f"/v1/workflow-runs/{run_id}/turns/0/rerun-token")["rerun_token"]
        ask("GET", f"/v1/workflow-runs/{run_id}/turns/0/rerun-token/{token}")

    assert heard == [SECRET]
    assert SECRET not in "".join(texts)
    assert SECRET not in api.log.read_text()


def test_secret_becomes_open_only_with_new_value(api):
    path = f"{PATH}/{add(api, is_secret=True, value=SECRET)['id']}"

    assert api.patch(path, json={"is_secret": False}).status_code == 422
    assert api.get(path).json()["variable"]["is_secret"] is True
    assert api.patch(path, json={"is_secret": False, "value": "open"}).json()["variable"]["value"] == "open"
