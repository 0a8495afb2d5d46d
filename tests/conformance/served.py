"""A server in its own process, and client calls of it.

Written from ``platform.md`` alone: nothing here imports the server's code.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx

KEY = "sk-conformance"
UNKNOWN = "665f00000000000000000001"
PAGING = {"page", "size", "pages", "has_next", "total"}


def headers(user="qa", key=KEY):
    """Return the headers of the platform's own client."""
    return {
        "Authorization": f"Bearer {key}",
        "teamid": "team",
        "uuid": user,
        "X-Interactly-API-Version": "2026-04-01",
        "User-Agent": "interactly-python/0.2.0",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }


@contextmanager
def serving(database, folder, key=KEY, module="debugger", **settings):
    """Serve a database; yield a client and the log's path.

    Args:
        database: The URL of its store.
        folder: Where its log goes.
        key: What the server asks for and the client shows.
        module: What is run; it takes the same arguments.
        settings: Variables of the environment.
    """
    command = [sys.executable, "-m", module, "serve", "--port", "0"]
    command += ["--database", database, "--api-key", key]
    environment = {name: value for name, value in os.environ.items() if "WORKFLOW_DEBUGGER" not in name}
    environment["WORKFLOW_DEBUGGER_ENCRYPTION_KEY"] = "a long text that is hard to guess"
    environment |= settings
    log = folder / "log.txt"
    with (
        log.open("w") as out,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[2],
        ) as server,
    ):
        said = server.stdout.readline()
        assert "Serving the API on" in said, log.read_text()
        # What it says besides goes to the same place, and an unread pipe stops it once it is full.
        printed = [said]
        reader = threading.Thread(target=lambda: printed.append(server.stdout.read()))
        reader.start()
        url = said.strip().rpartition(" ")[2]
        try:
            with httpx.Client(base_url=url, headers=headers(key=key), trust_env=False, timeout=60) as client:
                client.log = log
                client.printed = lambda: "".join(printed)
                yield client
        finally:  # what fails in between must not leave it running
            server.terminate()
            server.wait(timeout=15)
            reader.join()


def human(text):
    """A message as the platform's client dumps it."""
    return {
        "type": "human",
        "content": text,
        "additional_kwargs": {},
        "response_metadata": {},
        "name": None,
        "id": None,
    }


def run_input(text=None, **fields):
    """Return a run input with the client's keywords or a message.

    The styles are those of 2.2 a and of 3.4.
    """
    node = {"type": "llm", "node_logical_id": None, "messages": [human(text)] if text else []}
    inputs = [node] if text else []
    return {
        "command": "start",
        "dynamic_variables": {},
        "runtime_variables": {},
        "miscellaneous": {},
        "thread_to_node_inputs": {"0": {"node_run_inputs": inputs}},
        **fields,
    }


def create(api, document, **fields):
    """The id of a new workflow."""
    answer = api.post("/v1/workflows", json={**document, "name": "Tea", **fields})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["workflow"]["_id"]


def execute(api, workflow_id, text=None, run_id=None, query=None, **fields):
    """The answer to one turn."""
    body = {"run_input": run_input(text, **({"command": "data"} if run_id else {}) | fields)}
    if run_id:
        body["run_id"] = run_id
    return api.post(f"/v1/workflows/{workflow_id}/execute", json=body, params=query)


def talk(api, workflow_id, *texts):
    """A run to which something was said, and its last result."""
    result = execute(api, workflow_id).json()
    for text in texts:
        result = execute(api, workflow_id, text, result["run_id"]).json()
    return result["run_id"], result


def spoken(result):
    """Return the messages of a turn."""
    return [event["content"] for event in result["events"] if event["type"] == "assistant_response"]


def record(api, run_id):
    """The stored run itself, out of its two wrappings."""
    return api.get(f"/v1/workflow-runs/{run_id}").json()["workflow_run"]["workflow_run"]


def chat_of(run):
    """Return speakers and messages of a stored run."""
    found = []
    for pair in run["input_output_pairs"]:
        for event in pair["run_output"]["events"]:
            if event["type"] == "user_messages":
                found += [("user", message["content"]) for message in event["messages"]]
            elif event["type"] == "assistant_response":
                found.append(("assistant", event["content"]))
    return found
