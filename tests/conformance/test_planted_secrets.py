"""Planted secrets, used as intended and searched in every output.

A word that is no secret goes the same ways, and has to be found in each place: a secret would be, too.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import MetaData, select
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from debugger.analysis.comparison.comparison import compare
from debugger.analysis.side_effects import ledgers, side_effects
from debugger.backends.hosted import HostedBackend
from debugger.exports.code import CODE_FORMATS, turn_call
from debugger.exports.csv_files import comparison_csv, side_effects_csv
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.session.session import DebugSession
from debugger.settings import HostedSettings
from debugger.store.compression import decompress
from debugger.store.database import Database
from tests.conformance.graphs import chat, direct, graph, http, static, when
from tests.conformance.served import UNKNOWN, create, execute, headers, run_input, serving
from tests.conformance.test_rest_globals import listening
from tests.support.exports import every_text, exported
from tests.support.model_server import said, send
from tests.support.model_server import serving as serving_model
from tests.support.postgres import a_database, a_schema

ROOT = Path(__file__).parents[2]
SEEN = "planted-and-seen-77"
"""What is no secret."""
REFUSED = "What is your key?"
MODEL = "sk-planted-model-77"
PLANTED = {
    "shared key": "sk-planted-shared-77",
    "encryption key": "planted/encryption+key of many words",
    "environment": "plänted/secret+of environment",
    "model": MODEL,
    "other model": "sk-ant-planted-77",
    "global variable": 'planted "global" 77',
    "global variable before": "planted-before-77",
}


class Trail:
    """Texts by place in which a secret would be readable."""

    def __init__(self):
        self.places = {}
        self.secrets = dict(PLANTED)
        self.tokens = []
        """Names of the tokens; each may be in the one answer that creates it."""

    def keep(self, place, *texts):
        self.places.setdefault(place, []).extend(texts)

    def response(self, response):
        """Store a response; one that reveals a secret is read without it."""
        text = response.read().decode()
        if response.url.path.endswith(("/v1/session", "/rerun-token")) and response.status_code == 200:
            token = response.json().get("rerun_token") or response.json()["data"]["id"]
            name = f"token {len(self.tokens)}"
            self.secrets[name] = token
            self.tokens.append(name)
            text = text.replace(token, "…", 1)
        self.keep("answers", f"{response.status_code} {response.headers.raw} {text}")

    def leaks(self):
        return [
            (name, place)
            for name, secret in self.secrets.items()
            for place, texts in self.places.items()
            if any(trace in text for trace in traces(secret) for text in texts)
        ]


def traces(secret):
    """The ways in which a secret can be written."""
    in_base64 = base64.b64encode(secret.encode()).decode().rstrip("=")
    in_json = json.dumps(secret)[1:-1]
    in_json_in_json = json.dumps(in_json)[1:-1]
    return {secret, quote(secret, safe=""), quote(secret), in_json, in_json_in_json, in_base64}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs.sqlite3"
        return
    with a_database() as name, a_schema(name) as url:
        yield url


def test_no_planted_secret_is_found_anywhere(database, tmp_path):
    trail = Trail()
    with ExitStack() as stack:
        service, heard = stack.enter_context(listening())
        model = stack.enter_context(serving_model(said("")))
        model.answers = [lambda to: answer(to, model)]
        settings = settings_of(model.url)
        key = keys(trail, database, "add", "Ada", "--role", "admin")
        trail.secrets["key of a person"] = key
        api = stack.enter_context(serving(database, tmp_path, key=PLANTED["shared key"], **settings))
        api.event_hooks["response"].append(trail.response)

        variable_id = plant(api)
        workflow_id = create(api, shop(service, model), name=SEEN)
        api.headers["Authorization"] = f"Bearer {key}"
        run_id = over_rest(api, workflow_id)
        over_sockets(api, trail, workflow_id, run_id)
        refusals(api, workflow_id, run_id)
        look_at_all(api, workflow_id, run_id, variable_id)
        session = in_the_app(api, workflow_id, key)
        exports(trail, session)
        assert session.status == "failed"
        keys(trail, database, "list")
        backup(trail, database, tmp_path)

    trail.keep("log", api.log.read_text())
    trail.keep("output", api.printed())
    files(trail, tmp_path)
    rows(trail, database)
    # They were there to be leaked.
    assert heard[0] == PLANTED["global variable"]
    assert model.headers[0]["authorization"] == f"Bearer {MODEL}"
    assert len(trail.tokens) == 4
    assert trail.leaks() == []
    assert {place for place, texts in trail.places.items() if not any(SEEN in text for text in texts)} == {
        "commands",
        "log",
        "output",
    }
    assert workflow_id in "".join(trail.places["log"] + trail.places["output"])
    assert "Ada" in "".join(trail.places["commands"])


def settings_of(model_url):
    return {
        "WORKFLOW_DEBUGGER_ENCRYPTION_KEY": PLANTED["encryption key"],
        "WORKFLOW_DEBUGGER_SECRET_SHOP": PLANTED["environment"],
        "WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY": MODEL,
        "WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL": f"{model_url}/v1",
        "ANTHROPIC_API_KEY": PLANTED["other model"],
        "WORKFLOW_DEBUGGER_RESPONDER": "model",
    }


def shop(service, model):
    """Return a workflow that sends secrets to a service and model.

    The service sends them back; the model talks until it refuses the key.
    """
    return graph(
        http("call", f"{service}?k={{{{SHOP}}}}", headers={"X-Key": "{{word}}"}),
        http("gone", "http://127.0.0.1:1/?k={{SHOP}}", headers={"X-Key": "{{word}}"}),
        chat("ask", "Say {{word}}, {{SHOP}} and {{open}}.", llms_config=model.llm(max_retries=0)),
        static("bye", "Bye"),
        direct("call", "gone"),
        direct("gone", "ask"),
        when("ask", "bye", "[[done]] == true"),
        static("broken", "{{word}} {{SHOP}}"),
        when("ask", "broken", "[[break]] == true"),
        when("broken", "bye", "{{word}} == "),
    )


def answer(to, model):
    """Return the model's reply; to one question it repeats its key."""
    if REFUSED in json.dumps(model.requests[-1]):
        send(to, 401, {"error": {"message": f"The key {MODEL} is not good."}})
    else:
        send(to, 200, said(f"Good {SEEN}."))


def plant(api):
    """Keep a secret variable, whose value is then replaced."""
    body = {
        "name": "word",
        "is_secret": True,
        "value": PLANTED["global variable before"],
        "description": SEEN,
    }
    made = api.post("/v1/global-variables", json=body).json()["variable"]["id"]
    assert api.patch(f"/v1/global-variables/{made}", json={"value": PLANTED["global variable"]}).is_success
    return made


def over_rest(api, workflow_id):
    """A run of two turns that is over."""
    first = execute(api, workflow_id, f"Hello {SEEN}", dynamic_variables={"open": SEEN}).json()
    assert first["status"] == "waiting_for_user_input", first
    last = execute(api, workflow_id, "Bye", first["run_id"], runtime_variables={"done": True}).json()
    assert last["status"] == "completed", last
    run = f"/v1/workflow-runs/{first['run_id']}"
    api.post(f"{run}/comments", json={"content": SEEN})
    api.put(f"{run}/turns/0/rating", json={"value": "up"})
    return first["run_id"]


def over_sockets(api, trail, workflow_id, run_id):
    """Run a turn over a token's socket, a re-run over a key's."""
    socket = str(api.base_url).rstrip("/").replace("http", "ws", 1) + "/v1/workflow-runs/ws"
    session = api.get(api.base_url.join("/v1/session")).json()["data"]["id"]
    api.get(api.base_url.join("/v1/session"))
    mint = f"/v1/workflow-runs/{run_id}/turns/1/rerun-token"
    token, left = (api.post(mint).json()["rerun_token"] for _ in range(2))
    for one in (token, left):
        assert api.get(f"{mint}/{one}").status_code == 200
        assert api.patch(f"{mint}/{one}", json={"dynamic_variables": {"open": SEEN}}).status_code == 200
    key = {"Authorization": api.headers["Authorization"]}
    start = {"workflow_id": workflow_id, "command": "start"}
    for address, shown, frame in (
        (f"{socket}?token={session}", None, start | run_input(SEEN, dynamic_variables={"open": SEEN})),
        (socket, key, start | {"rerun_token": token}),
        (socket, key, start | {"rerun_token": token}),  # redeemed before
    ):
        with connect(address, proxy=None, additional_headers=shown) as connection:
            connection.send(json.dumps(frame))
            trail.keep("frames", *frames(connection))


def frames(connection):
    found = []
    try:
        while not found or not any(end in found[-1] for end in ("_ready_for_input", 'end_workflow"')):
            found.append(connection.recv(20))
    except ConnectionClosed as closed:
        found.append(closed.rcvd.reason)
    return found


def refusals(api, workflow_id, run_id):
    """Send requests that are refused, each in another way.

    The caller sends no secret in a wrong place.
    """
    for other in ("wfd_wrong", "x"):
        assert api.get("/v1/workflows", headers=headers(key=other)).status_code == 401
    requests = [
        ("GET", "/v1/nowhere", None, 404),
        ("GET", "/v1/workflows/x", None, 422),
        ("GET", f"/v1/workflow-runs/{UNKNOWN}", None, 404),
        ("PUT", f"/v1/workflows/{workflow_id}", {}, 405),
        ("POST", f"/v1/workflows/{workflow_id}/execute", {}, 422),
        ("POST", f"/v1/workflows/{workflow_id}/execute", {"run_input": {}, "run_id": run_id}, 404),
        ("POST", "/v1/global-variables", {"name": "word", "is_secret": False, "value": 1}, 409),
        ("GET", f"/v1/workflow-runs/{run_id}/turns/1/rerun-token/{'x' * 43}", None, 404),
        ("GET", "/v1/nodes", None, 501),
    ]
    assert [api.request(*one[:2], json=one[2]).status_code for one in requests] == [
        one[3] for one in requests
    ]


def look_at_all(api, workflow_id, run_id, variable_id):
    """Read everything readable, including a copy through a bundle."""
    workflow, run = f"/v1/workflows/{workflow_id}", f"/v1/workflow-runs/{run_id}"
    for path in (
        "/v1/workflows",
        "/v1/workflows/versions/active",
        f"/v1/workflows/dynamic-variables/{workflow_id}",
        workflow,
        f"{workflow}?fully_hydrate=true",
        f"{workflow}/versions",
        f"{workflow}/versions/0/diff/0",
        "/v1/workflow-runs",
        run,
        f"{run}/rerunnable-turns",
        "/v1/global-variables",
        "/v1/global-variables/resolve",
        f"/v1/global-variables/{variable_id}",
    ):
        assert api.get(path).status_code == 200, path
    versions = {"version_numbers": 0, "active_version_number": 0}
    bundle = api.get(f"{workflow}/export", params=versions).json()
    taken_in = {"bundle": bundle, "versions_to_import": [0], "active_version_number": 0}
    assert api.post("/v1/workflows/import/bundle", json=taken_in).status_code == 201
    assert api.get(api.base_url.join("/healthz")).status_code == 200


def in_the_app(api, workflow_id, key):
    """Run the same from the app; its last turn fails."""
    settings = HostedSettings(base_url=str(api.base_url).rstrip("/"), api_key=key)
    backend = HostedBackend(settings)
    with closing(backend):
        session = DebugSession(backend, workflow_id)
        for text, variables in ((f"Hello {SEEN}", {}), (REFUSED, {}), ("Now break", {"break": True})):
            variables_of_turn = {"dynamic_variables": {"open": SEEN}, "runtime_variables": variables}
            session.send(text, TurnInput.with_message(text, **variables_of_turn))
            assert session.wait(60)
        session.recorded = backend.run(session.run_id)
        session.described = f"{backend!r} {settings!r}"
    return session


def exports(trail, session):
    """The session's run in every format."""
    run, run_id = session.recorded, session.run_id
    logs = turn_logs(run)
    call = turn_call(logs[0], session.backend.base_url, session.workflow_id, run_id, 0)
    trail.keep("session", session.described, repr(session.turns), repr(run), json.dumps(run.to_wire()))
    made = [
        *(text.encode() for _, text in every_text(exported(run, session.workflow))),
        side_effects_csv(run_id, side_effects(logs, ledgers(run))),
        comparison_csv(compare(logs, logs), {}),
        *(write(call).encode() for _, write in CODE_FORMATS.values()),
    ]
    trail.keep("exports", *(data.decode() for data in made))


def keys(trail, database, *arguments):
    """Return the output and the error output of a command."""
    command = [sys.executable, "-m", "debugger", "keys", *arguments, "--database", database]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    trail.keep("commands", done.stderr, "" if "add" in arguments else done.stdout)
    return done.stdout.strip()


def backup(trail, database, folder):
    """A backup as it is, and with what is packed in it."""
    command = [sys.executable, "-m", "debugger", "backup", str(folder / "backup"), "--database", database]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    text = gzip.decompress((folder / "backup").read_bytes()).decode()
    (folder / "backup").unlink()
    binary = []
    for line in map(json.loads, text.splitlines()):
        if isinstance(line, dict):
            binary = [line["columns"].index(name) for name in line.get("binary", ())]
            continue
        cells = [line[place] for place in binary if line[place] is not None]
        trail.keep("backup", *(decompress(base64.b64decode(cell)).decode() for cell in cells))
    trail.keep("backup", text)
    trail.keep("commands", done.stdout, done.stderr)


def files(trail, folder):
    """Return the database's files, including the write-ahead log."""
    found = [file for file in folder.iterdir() if file.name.startswith("runs.sqlite3")]
    trail.keep("rows", *(file.read_bytes().decode(errors="replace") for file in found))


def rows(trail, database):
    """Every row of every table, what is packed in it unpacked."""
    with closing(Database(database)) as opened, opened.reading() as connection:
        tables = MetaData()
        tables.reflect(connection)
        assert len(tables.tables) > 15
        for table in tables.sorted_tables:
            for row in connection.execute(select(table)):
                cells = [decompress(cell).decode() if isinstance(cell, bytes) else str(cell) for cell in row]
                trail.keep("rows", "\n".join(cells))
