"""The servers of a campaign: ours and two strangers, each in a process that can be killed and restarted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from debugger.backends.hosted.reconciliation import MAX_RUNS, PAGE_SKEW
from tests.conformance.graphs import chat, direct, graph, http, static
from tests.conformance.served import KEY, create, headers
from tests.faults.stranger import WORKFLOW
from tests.support.http_server import HttpServer

NAMES = ("ours", "stranger_with_ids", "stranger")
NAMED = ("ours", "stranger_with_ids")
"""Those whose records return the ids by which clients name their turns."""
PAGE_USER = "page"
OTHER_USER = "other"
PATIENCE = 60.0
"""Seconds in which a server must have started."""
_FOLDER = Path(__file__).parents[2]


@dataclass(frozen=True)
class Execution:
    """One executed turn, by the log of the server itself."""

    text: str
    at: float
    """On the true clock."""
    run_id: str | None = None
    """The run; ``None`` where the log does not say."""


@contextmanager
def started(name, folder, database=None):
    """Start a server of `NAMES` with a store in a folder; yield it, and end it with the block."""
    make = OurServer if name == "ours" else Stranger
    server = make(*([folder, database] if name == "ours" else [folder, name]))
    try:
        server.start()
        server.prepare()
        yield server
    finally:
        server.close()


class ServerProcess:
    """A server on a port of its own.

    Args:
        command: What is run, without the port.
        folder: Where its log goes.
        environment: Variables to add.
    """

    workflow_id = ""
    """The workflow of all runs."""

    def __init__(self, command, folder, **environment):
        self._command = command
        self._log = folder / "server.log"
        self._environment = {
            name: value for name, value in os.environ.items() if "WORKFLOW_DEBUGGER" not in name
        } | environment
        self._process = None
        self.port = _free_port()

    @property
    def url(self):
        """The base URL, without a proxy."""
        return f"http://127.0.0.1:{self.port}/workflows"

    def client(self, user):
        """Return an HTTP client of the API, without a proxy."""
        return httpx.Client(base_url=self.url, headers=headers(user), trust_env=False, timeout=PATIENCE)

    def start(self):
        """Start the process, and wait until it answers; it ends with this one."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.guarded", *self._command, "--port", str(self.port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=_FOLDER,
            )
        self.wait_until_up()

    def wait_until_up(self):
        """Wait until the server answers."""
        deadline = time.monotonic() + PATIENCE
        while not _listens(self.port):
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def prepare(self):
        """Create what the campaign needs."""

    def acknowledge(self, which):
        """Acknowledge which turns of sockets: ``each``, or the ``first`` of a run; ours acknowledges each."""

    @contextmanager
    def restarting(self):
        """End the process at once, and start it again during the block."""
        self.kill()
        starting = threading.Thread(target=self.start)
        starting.start()
        try:
            yield
        finally:
            starting.join()

    @contextmanager
    def dying(self):
        """Let the next turn end the process after it was executed and before it is on record.

        It starts again by itself. Yields an event that is set once that has happened.
        """
        died, is_over = threading.Event(), threading.Event()

        def revive():
            while self._process.poll() is None:
                if is_over.wait(0.02) and not self._is_obeyed:
                    return
            died.set()
            self.kill()
            self.start()

        reviving = threading.Thread(target=revive)
        self._order("die")
        reviving.start()
        try:
            yield died
        finally:
            is_over.set()
            reviving.join()
            self._order("")

    @contextmanager
    def slow(self, seconds):
        """Let the next turn take some time."""
        self._order(str(seconds))
        try:
            yield
        finally:
            self._order("")

    def hides_first_turns(self):
        """Return whether a first turn that was not answered may be in some run that says nothing of it.

        Such a run is being executed, was when the server was killed, or is not among the newest that are
        read one by one.
        """
        with self.client(OTHER_USER) as api:
            query = {"workflow_id": self.workflow_id, "size": MAX_RUNS}
            rows = api.get("/v1/workflow-runs", params=query).json()["workflow_runs"]
        statuses = [row["workflow_run"]["status"] for row in rows]
        recent = [row for row in rows if _age(row) <= 2 * PAGE_SKEW]  # others may begin meanwhile
        return len(recent) == MAX_RUNS or not {"started", "running"}.isdisjoint(statuses)

    def records(self):
        """Return the runs on record: by run id, the status and the turns (number, user texts, event ids)."""
        with self.client(OTHER_USER) as api:
            return {run_id: _turns(_record(api, run_id)) for run_id in _run_ids(api, self.workflow_id)}

    def record(self, run_id):
        """Return the turns of a run on record, as in `records`."""
        with self.client(OTHER_USER) as api:
            return _turns(_record(api, run_id))

    def kill(self):
        """End the process at once, in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()

    def close(self):
        """End the process."""
        if self._process is not None:
            self.kill()


class OurServer(ServerProcess):
    """Our own; its workflow calls a counter once in each turn."""

    def __init__(self, folder, database=None):
        database = database or f"sqlite:///{folder}/runs.sqlite3"
        super().__init__(
            ["debugger", "serve", "--database", database, "--api-key", KEY],
            folder,
            WORKFLOW_DEBUGGER_ENCRYPTION_KEY="a long text that is hard to guess",
            WORKFLOW_DEBUGGER_RESPONDER="rules",
        )
        self._executed = []
        self._said = ""
        self.called = threading.Event()
        """Set by each call of the counter."""
        self.may_answer = threading.Event()
        """Cleared to hold the counter's answers."""
        self.may_answer.set()
        self._counter = HttpServer(count=self._count)

    def prepare(self):
        self._counter.__enter__()
        with self.client(OTHER_USER) as api:
            self.workflow_id = create(api, counting_workflow(self._counter.url))

    def executions(self, user=PAGE_USER):
        """Return the executed turns of a user."""
        mark = f"{user}: "
        return [
            Execution(word.removeprefix(mark), at) for word, at in self._executed if word.startswith(mark)
        ]

    def close(self):
        super().close()
        self.may_answer.set()
        if self._counter.url and self.workflow_id:
            self._counter.__exit__()

    def _order(self, text):
        self._said = text

    @property
    def _is_obeyed(self):
        return not self._said

    def _count(self, handler):
        self._executed.append((parse_qs(urlsplit(handler.path).query)["word"][0], time.clock_gettime(0)))
        self.called.set()
        assert self.may_answer.wait(PATIENCE)
        said, self._said = self._said, ""
        if said == "die":
            self._process.kill()
            return
        time.sleep(float(said or 0))
        handler.send_json({})


class Stranger(ServerProcess):
    """A server of `stranger`; it logs what it executes by itself.

    Args:
        folder: Where its files are.
        name: The module of `tests.faults`.
    """

    workflow_id = WORKFLOW

    def __init__(self, folder, name):
        store = folder / "runs.json"
        super().__init__([f"tests.faults.{name}", "--store", str(store)], folder)
        self._executed = store.with_suffix(".executed")
        self._strike = store.with_suffix(".strike")
        self._acknowledged = store.with_suffix(".acknowledged")

    def acknowledge(self, which):
        self._acknowledged.write_text(which)

    def executions(self, user=PAGE_USER):
        """Return the executed turns of a user."""
        if not self._executed.exists():
            return []
        rows = map(json.loads, self._executed.read_text().splitlines())
        return [Execution(row["text"], row["at"], row["run_id"]) for row in rows if row["who"] == user]

    def _order(self, text):
        if text:
            self._strike.write_text(text)
        else:
            self._strike.unlink(missing_ok=True)

    @property
    def _is_obeyed(self):
        return not self._strike.exists()


def marked(text, user=PAGE_USER):
    """Return the word by which a turn's execution is counted where the server is ours."""
    return f"{user}: {text}"


def counting_workflow(counter):
    """Return a workflow that reports each turn to a counter."""
    return graph(
        static("greet", "Hello"),
        chat("ask", self_loop=False),
        http("count", f"{counter}/count?word={{{{word}}}}"),
        direct("greet", "ask"),
        direct("ask", "count"),
        direct("count", "ask"),
    )


def _age(row):
    return time.time() - datetime.fromisoformat(row["created_at"]).timestamp()


def _run_ids(api, workflow_id):
    found, page = [], 1
    while True:
        rows = api.get(
            "/v1/workflow-runs", params={"workflow_id": workflow_id, "page": page, "size": 100}
        ).json()
        found += [row["_id"] for row in rows["workflow_runs"]]
        if len(found) >= rows["total"] or not rows["workflow_runs"]:
            return list(dict.fromkeys(found))
        page += 1


def _record(api, run_id):
    return api.get(f"/v1/workflow-runs/{run_id}").raise_for_status().json()["workflow_run"]["workflow_run"]


def _turns(run):
    turns = []
    for number, pair in enumerate(run["input_output_pairs"] or [], 1):
        events = (pair.get("run_output") or {}).get("events") or []
        texts = [
            message["content"]
            for event in events
            if event["type"] == "user_messages"
            for message in event["messages"]
        ]
        turns.append((number, texts, [event["logical_id"] for event in events]))
    return turns


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
