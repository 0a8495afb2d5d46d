"""Keys, roles and teams over a real socket: who sees what, and who may do what (``platform/wire.md`` 1.8)."""

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

from debugger.server.access.roles import NEEDED
from debugger.store import Role, Store
from tests.conformance.graphs import greeting, shop
from tests.conformance.served import UNKNOWN, create, execute, headers, run_input, serving, talk
from tests.postgres import a_database, a_schema

TEAMS = {"qa": "quince", "front-desk": "damson"}
"""Each team names what it makes with a word of its own."""
MOST = 400
"""Requests a minute and key, enough for all but the one test that goes beyond."""

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
"""Every route on one thing: what it is asked with to do what it is there for."""
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
    """A server in a process of its own, and who may use it."""

    def __init__(self, api, database):
        self.api = api
        self.database = database
        self.keys = {}
        with closing(Store(database)) as store:
            for team in TEAMS:
                for role in Role:
                    self.add(store, f"{team} {role}", role, team)
            self.add(store, "leaver", Role.RUN, "qa")
            self.add(store, "busy", Role.READ, "qa")

    def add(self, store, name, role, team):
        self.keys[name] = store.api_keys.add(name, role, team)

    def client(self, name):
        """The client of a person; it says, too, to be somebody else, and of a team of the platform's."""
        return httpx.Client(
            base_url=self.api.base_url,
            headers=headers("somebody else", self.keys[name][1]),
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
        api = stack.enter_context(serving(database, folder, WORKFLOW_DEBUGGER_RATE_LIMIT=str(MOST)))
        yield Served(api, database)


@pytest.fixture(scope="module")
def things(served):
    """Of each team, one of every kind of thing that has an id; the run is over, and can be taken again."""
    found = {}
    for team, word in TEAMS.items():
        with served.client(f"{team} admin") as api:
            found[team] = made(api, word)
    return found


def made(api, word):
    workflow_id = create(api, shop(), name=f"Tea and {word}")
    api.post(f"/v1/workflows/{workflow_id}/favorite")
    run_id, _ = talk(api, workflow_id, f"Some {word} jam")
    over = execute(api, workflow_id, "Bye", run_id, runtime_variables={"done": True}).json()
    assert over["status"] == "completed"
    run, event_id = f"/v1/workflow-runs/{run_id}", over["events"][0]["logical_id"]
    comment = api.post(f"{run}/comments", json={"content": f"Good {word}"}).json()
    variable = {"name": word, "is_secret": False, "value": word, "category": "jam"}
    return {
        "workflow_id": workflow_id,
        "version_number": "0",
        "run_id": run_id,
        "event_id": event_id,
        "turn_index": "0",
        "comment_id": comment["logical_id"],
        "variable_id": api.post("/v1/global-variables", json=variable).json()["variable"]["id"],
        "token": api.post(f"{run}/turns/0/rerun-token").json()["rerun_token"],
    }


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


def told(answer, ids):
    """What an answer says, whatever was asked about."""
    text = answer.text
    for value in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(value, "…") if len(value) > 1 else text
    return answer.status_code, text


def socket(api, path="/v1/workflow-runs/ws"):
    url = str(api.base_url).rstrip("/").replace("http", "ws", 1) + path
    return connect(url, proxy=None, additional_headers={"Authorization": api.headers["authorization"]})


def closed(api, **frame):
    """How a socket is closed that was sent a frame."""
    with socket(api) as connection:
        connection.send(json.dumps(frame))
        try:
            while True:
                connection.recv(10)
        except ConnectionClosed as end:
            return end.rcvd.code, end.rcvd.reason


def test_the_routes_of_this_file_are_all_that_there_are():
    asked = {(method, path.partition("?")[0]) for method, path, _ in OF_ONE_THING + OTHERS}
    rest = {("GET", "/v1/session"), ("GET", "/metrics")}
    same = {VERSION + "/diff/0": VERSION + "/diff/{other_number}"}
    asked = {(method, same.get(path, path)) for method, path in asked}

    # What is on the platform only answers to every method.
    only_there = {one for one in NEEDED if NEEDED[one] is Role.READ and ("PUT", one[1]) in NEEDED}

    missing = set(NEEDED) - asked - rest - only_there

    assert missing == set()


@pytest.mark.parametrize("path", LISTS)
def test_no_list_of_one_team_shows_anything_of_another(served, things, path):
    for team, word in TEAMS.items():
        [other] = TEAMS.keys() - {team}
        with served.client(f"{team} read") as api:
            answer = api.get(path)

        assert answer.status_code == 200
        assert TEAMS[other] not in answer.text
        assert all(value not in answer.text for value in things[other].values() if len(value) > 1)
        if "resolve" not in path and "created_by_me" not in path:
            assert word in answer.text or things[team]["run_id"] in answer.text


def test_what_another_team_has_is_as_if_it_were_not_there(served, things):
    ids = things["qa"]

    with served.client("front-desk admin") as api:
        there = [told(ask(api, *route, ids), ids) for route in OF_ONE_THING]
        not_there = [told(ask(api, *route, nowhere(ids)), nowhere(ids)) for route in OF_ONE_THING]

    assert dict(zip(map(str, OF_ONE_THING), there, strict=True)) == dict(
        zip(map(str, OF_ONE_THING), not_there, strict=True)
    )
    wrong = [(route, one) for route, one in zip(OF_ONE_THING, there, strict=True) if one[0] != 404]
    assert wrong == []
    with served.client("qa admin") as api:
        reading = [route for route in OF_ONE_THING if route[0] == "GET" and "evaluation" not in route[1]]
        assert {ask(api, *route, ids).status_code for route in reading} == {200}


def test_nothing_of_the_main_store_is_seen_by_a_team_nor_the_other_way_round(served, things):
    own = create(served.api, greeting(), name="Of the main store")

    with served.client("qa admin") as api:
        from_team = api.get(f"/v1/workflows/{own}").status_code, "main store" in api.get("/v1/workflows").text
    ids = things["qa"]
    from_main = {ask(served.api, *route, ids).status_code for route in OF_ONE_THING}

    assert from_team == (404, False)
    assert from_main == {404}


def test_a_run_of_ones_own_cannot_be_taken_again_in_a_workflow_of_another_team(served, things):
    run = f"/v1/workflow-runs/{things['front-desk']['run_id']}/turns/0"
    other = things["qa"]["workflow_id"]

    with served.client("front-desk admin") as api:
        answers = [
            [
                told(api.post(f"{run}/{what}", json={"target_workflow_id": target}), {"": target})
                for what in ("rerun-preflight", "rerun-token", "rerun")
            ]
            for target in (other, UNKNOWN)
        ]

    assert answers[0] == answers[1]
    assert other not in str(answers)


def test_a_socket_leads_to_no_other_team(served, things):
    ids, own = things["qa"], things["front-desk"]

    with served.client("front-desk run") as api:
        workflows = [closed(api, workflow_id=one, command="start") for one in (ids["workflow_id"], UNKNOWN)]
        runs = [
            closed(api, workflow_id=own["workflow_id"], workflow_run_id=one, command="data")
            for one in (ids["run_id"], UNKNOWN)
        ]
        tokens = [
            closed(api, workflow_id=own["workflow_id"], rerun_token=one, command="start")
            for one in (ids["token"], "x" * 43)
        ]

    assert [code for code, _ in workflows + runs + tokens] == [4404, 4404, 4404, 4404, 4007, 4007]
    for there, not_there in (workflows, runs, tokens):
        assert there[1].replace(ids["workflow_id"], UNKNOWN) == not_there[1]


def test_a_token_for_a_socket_opens_the_team_of_the_one_who_asked_for_it(served, things):
    root = served.api.base_url.join("/v1/session")
    with served.client("qa run") as qa, served.client("front-desk run") as desk:
        token = qa.get(root).json()["data"]["id"]
        url = str(desk.base_url).rstrip("/").replace("http", "ws", 1)
        with connect(f"{url}/v1/workflow-runs/ws?token={token}", proxy=None) as connection:
            connection.send(json.dumps({"workflow_id": things["qa"]["workflow_id"], "command": "start"}))
            run_id = json.loads(connection.recv(10))["workflow_run_id"]

        found = [api.get(f"/v1/workflow-runs/{run_id}").status_code for api in (qa, desk)]

    # The run is kept when its turn is over, which the socket's end does not wait for.
    deadline = time.monotonic() + 10
    with served.client("qa run") as qa:
        while found[0] == 404 and time.monotonic() < deadline:
            found[0] = qa.get(f"/v1/workflow-runs/{run_id}").status_code
    assert found == [200, 404]


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_it_is_for_and_no_more(served, role):
    ids = nowhere(dict.fromkeys(["workflow_id", "run_id", "variable_id"]))
    with served.client(f"qa {role}") as api:
        answers = {str(route): (route, ask(api, *route, ids)) for route in OF_ONE_THING + OTHERS}

    for (method, path, _), answer in answers.values():
        template = path.partition("?")[0].replace("/diff/0", "/diff/{other_number}")
        template = "/v1/simulations/{rest:path}" if "simulations" in template else template
        needed = NEEDED[method, template]
        assert (answer.status_code == 403) is not role.covers(needed), (method, path, answer.text)
        if answer.status_code == 403:
            told_why = f"This needs a key with the role {needed}; the key that was shown has the role {role}."
            assert answer.json() == {"detail": told_why}
        else:
            assert answer.status_code in (200, 404, 422, 501), (method, path, answer.text)


def test_whoever_may_only_read_opens_no_socket(served, things):
    with served.client("qa read") as api:
        with pytest.raises(InvalidStatus) as raised:
            socket(api)
        token = api.get(served.api.base_url.join("/v1/session"))

    assert raised.value.response.status_code == 403
    assert b"the role run" in raised.value.response.body
    assert token.status_code == 403


def test_what_somebody_does_bears_the_name_of_their_key(served, things):
    ids = things["qa"]
    with served.client("qa run") as api:
        comment = api.post(f"/v1/workflow-runs/{ids['run_id']}/comments", json=COMMENT).json()

    assert "qa run" in json.dumps(comment)
    assert "somebody else" not in json.dumps(comment)


def test_a_revoked_key_opens_nothing_two_seconds_later(served, things):
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


def test_a_key_is_used_as_often_as_may_be_and_then_has_to_wait(served, things):
    with served.client("busy") as api, served.client("qa read") as other:
        statuses = [api.get("/v1/nodes").status_code for _ in range(MOST)]
        # While these were sent, a few of the minute before may have been forgotten.
        refused = next(answer for _ in range(MOST) if (answer := api.get("/v1/nodes")).status_code != 501)
        elsewhere = other.get("/v1/nodes").status_code
        healthy = api.get(served.api.base_url.join("/healthz")).status_code

    assert set(statuses) == {501}
    assert (refused.status_code, elsewhere, healthy) == (429, 501, 200)
    assert 1 <= int(refused.headers["retry-after"]) <= 120


def test_wrong_keys_are_answered_ever_more_briefly_and_a_right_one_as_ever(served, things):
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
