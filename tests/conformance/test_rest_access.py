"""Keys and roles over a real socket (``platform.md#errors``)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from debugger.server.auth.roles import REQUIRED_ROLES
from debugger.store import Role, Store
from tests.conformance.graphs import greeting, shop
from tests.conformance.served import UNKNOWN, create, execute, headers, run_input, serving, talk
from tests.support.postgres import a_database, a_schema

WORKFLOW = "/v1/workflows/{workflow_id}"
VERSION = WORKFLOW + "/versions/{version_number}"
RUN = "/v1/workflow-runs/{run_id}"
EVENT = RUN + "/events/{event_id}"
TURN = RUN + "/turns/{turn_index}"
GLOBAL = "/v1/global-variables/{variable_id}"
COMMENT = {"content": "Good"}
RATING = {"value": "up"}

OF_ONE_THING = [
    ("GET", WORKFLOW, None),
    ("GET", "/v1/workflows/dynamic-variables/{workflow_id}", None),
    ("GET", WORKFLOW + "/export?version_numbers=0&active_version_number=0", None),
    ("GET", WORKFLOW + "/versions", None),
    ("GET", VERSION + "/diff/0", None),
    ("GET", RUN, None),
    ("GET", RUN + "/evaluation-result", None),
    ("GET", RUN + "/rerunnable-turns", None),
    ("GET", TURN + "/rerun-token/{token}", None),
    ("GET", GLOBAL, None),
    ("POST", TURN + "/rerun-preflight", {}),
    ("POST", WORKFLOW + "/execute", {"run_input": run_input()}),
    ("POST", WORKFLOW + "/execute", {"run_input": run_input(), "run_id": "{run_id}"}),
    ("POST", WORKFLOW + "/execute", {"run_input": run_input(command="stop"), "run_id": "{run_id}"}),
    ("POST", "/v1/workflow-runs", run_input(workflow_id="{workflow_id}")),
    ("POST", WORKFLOW + "/runs/{run_id}/pump-companions", {}),
    ("POST", TURN + "/rerun-token", {}),
    ("PATCH", TURN + "/rerun-token/{token}", {}),
    ("POST", TURN + "/rerun", {}),
    ("POST", RUN + "/comments", COMMENT),
    ("POST", EVENT + "/comments", COMMENT),
    ("POST", TURN + "/comments", COMMENT),
    ("PUT", EVENT + "/rating", RATING),
    ("DELETE", EVENT + "/rating", None),
    ("PUT", TURN + "/rating", RATING),
    ("DELETE", TURN + "/rating", None),
    ("POST", WORKFLOW + "/favorite", {}),
    ("DELETE", WORKFLOW + "/favorite", None),
    ("DELETE", RUN + "/comments/{comment_id}", None),
    ("DELETE", EVENT + "/comments/{comment_id}", None),
    ("DELETE", TURN + "/comments/{comment_id}", None),
    ("PATCH", WORKFLOW, {"name": "Mine"}),
    ("POST", WORKFLOW + "/clone", {"clone_all_versions": True}),
    ("PATCH", WORKFLOW + "/concurrency", {"max_concurrent_runs": 1}),
    ("POST", WORKFLOW + "/versions", {}),
    ("PATCH", VERSION, {"version_name": "Mine"}),
    ("PATCH", VERSION + "/config", {"config": {**greeting(), "name": "Mine"}}),
    ("POST", VERSION + "/activate", {}),
    ("PATCH", GLOBAL, {"value": "mine"}),
    ("DELETE", VERSION, None),
    ("DELETE", GLOBAL, None),
    ("DELETE", RUN, None),
    ("DELETE", WORKFLOW, None),
]
"""Every route on one thing: a request that succeeds."""
LISTS = [
    "/v1/workflows",
    "/v1/workflows?search=a",
    "/v1/workflow-runs",
    "/v1/workflow-runs?size=100",
    "/v1/workflows/versions/active",
    "/v1/workflows/versions/active?created_by_me=true",
    "/v1/global-variables",
    "/v1/global-variables?category=jam",
    "/v1/global-variables/resolve",
]
OTHERS = [
    ("GET", "/v1/workflows/schema", None),
    ("GET", "/v1/workflows/schemas/global-node-config", None),
    ("GET", "/v1/workflow-runs/schema", None),
    *(("GET", path, None) for path in LISTS),
    ("POST", "/v1/workflows", {}),
    ("POST", "/v1/workflows/import/bundle", {}),
    ("POST", "/v1/global-variables", {}),
    ("POST", "/v1/global-variables/bulk", {}),
    ("GET", "/v1/nodes", None),
    ("POST", "/v1/simulations/run", {}),
]


class Served:
    """Server in its own process, with the keys that open it."""

    def __init__(self, api, database):
        self.api = api
        self.database = database
        self.keys = {}
        with closing(Store(database)) as store:
            for role in Role:
                self.keys[f"qa {role}"] = store.api_keys.add(f"qa {role}", role)
            self.keys["leaver"] = store.api_keys.add("leaver", Role.RUN)

    def client(self, name):
        """Return the client of a key, with another name and team claimed."""
        return httpx.Client(
            base_url=self.api.base_url,
            headers=headers("another person", self.keys[name][1]),
            trust_env=False,
            timeout=60,
        )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("access")
    with ExitStack() as stack:
        database = f"sqlite:///{folder}/runs.sqlite3"
        if request.param == "postgresql":
            database = stack.enter_context(a_schema(stack.enter_context(a_database())))
        api = stack.enter_context(serving(database, folder))
        yield Served(api, database)


@pytest.fixture(scope="module")
def finished_run(served):
    """The id of a run that takes no further turn."""
    with served.client("qa admin") as api:
        workflow_id = create(api, shop())
        run_id, _ = talk(api, workflow_id, "Some jam")
        over = execute(api, workflow_id, "Bye", run_id, runtime_variables={"done": True}).json()
    assert over["status"] == "completed"
    return run_id


def ask(api, method, path, body, ids):
    """A request about things of those ids."""
    text = None if body is None else json.dumps(body)
    for name, value in ids.items():
        place = f"{{{name}}}"
        path, text = path.replace(place, value), text and text.replace(place, value)
    return api.request(method, path, content=text)


def nowhere(ids):
    """Ids that look like those, of things that are not there."""
    new = dict.fromkeys(ids, UNKNOWN) | {"version_number": "0", "turn_index": "0"}
    return new | {"event_id": "event_x", "comment_id": "comment_x", "token": "x" * 43}


def socket(api, path="/v1/workflow-runs/ws"):
    url = str(api.base_url).rstrip("/").replace("http", "ws", 1) + path
    return connect(url, proxy=None, additional_headers={"Authorization": api.headers["authorization"]})


def test_routes_of_this_file_are_complete():
    covered = {(method, path.partition("?")[0]) for method, path, _ in OF_ONE_THING + OTHERS}
    rest = {("GET", "/v1/session"), ("GET", "/metrics")}
    same = {VERSION + "/diff/0": VERSION + "/diff/{other_number}"}
    covered = {(method, same.get(path, path)) for method, path in covered}

    missing = set(REQUIRED_ROLES) - covered - rest

    assert missing == set()


@pytest.mark.parametrize("role", list(Role))
def test_role_allows_its_routes_only(served, role):
    ids = nowhere(dict.fromkeys(["workflow_id", "run_id", "variable_id"]))
    with served.client(f"qa {role}") as api:
        answers = {str(route): (route, ask(api, *route, ids)) for route in OF_ONE_THING + OTHERS}

    for (method, path, _), answer in answers.values():
        template = path.partition("?")[0].replace("/diff/0", "/diff/{other_number}")
        needed = REQUIRED_ROLES.get((method, template), Role.READ)  # 501 for every key
        assert (answer.status_code == 403) is not role.covers(needed), (method, path, answer.text)
        if answer.status_code == 403:
            told_why = f"This needs a key with the role {needed}; the key that was shown has the role {role}."
            assert answer.json() == {"detail": told_why}
        else:
            assert answer.status_code in (200, 404, 422, 501), (method, path, answer.text)


def test_read_role_opens_no_socket(served):
    with served.client("qa read") as api:
        with pytest.raises(InvalidStatus) as raised:
            socket(api)
        token = api.get(served.api.base_url.join("/v1/session"))

    assert raised.value.response.status_code == 403
    assert b"the role run" in raised.value.response.body
    assert token.status_code == 403


def test_comment_has_owner_of_key(served, finished_run):
    with served.client("qa run") as api:
        comment = api.post(f"/v1/workflow-runs/{finished_run}/comments", json=COMMENT).json()

    assert "qa run" in json.dumps(comment)
    assert "another person" not in json.dumps(comment)


def test_revoked_key_is_invalid_within_two_seconds(served):
    command = [sys.executable, "-m", "debugger", "keys", "revoke", served.keys["leaver"][0].id]
    command += ["--database", served.database]
    with served.client("leaver") as api, socket(api) as connection:
        before = api.get("/v1/workflows").status_code
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=60
        )
        since = time.monotonic()
        while api.get("/v1/workflows").status_code == 200 and time.monotonic() < since + 10:
            pass
        lasted = time.monotonic() - since
        after = api.get("/v1/workflows")
        with pytest.raises(ConnectionClosed) as ended:
            connection.recv(10)

    assert (before, done.returncode, after.status_code) == (200, 0, 401)
    assert lasted < 2
    assert ended.value.rcvd.code == 4401


def test_wrong_keys_are_limited(served):
    path = served.api.base_url.join("/workflows/v1/workflows")
    with httpx.Client(trust_env=False) as client:
        answers = [client.get(path, headers=headers(key=f"wfd_{number}")) for number in range(100)]
        right = client.get(path, headers=headers(key=served.keys["qa read"][1]))

    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {401, 429}
    assert statuses == sorted(statuses)
    assert right.status_code == 200
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert "retry-after" in answers[-1].headers
