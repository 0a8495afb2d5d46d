"""A server of the API that fails as it is scripted to: bytes over real sockets, requests only."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from debugger.backends.hosted import HostedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import HostedSettings
from tests.backends.hosted.records import KEY, RUN, WORKFLOW, Records


class Peer(ThreadingHTTPServer):
    """Answers requests from a script, in order, then by its records. Opens no WebSocket."""

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/workflows"
        self.records = Records()
        self.script = []
        self.asked = []
        self.refuses_stops = False
        self.checks_numbers = False
        self.is_frozen = False
        """Let each answer have the same date."""
        self.arrived = threading.Event()
        """Set when a held request has arrived."""
        self.held = threading.Event()
        """Set to answer what is held."""

    def answers(
        self,
        status=200,
        body=None,
        *,
        raw=None,
        kind="application/json",
        hold=False,
        cut=0,
        before=None,
        **headers,
    ):
        """Script the answer to the next request.

        Args:
            status: ``None`` sends the raw bytes and hangs up.
            body: The JSON to answer; a function makes it of the request's body, before the answer is held.
            raw: The bytes to answer instead.
            kind: The content type.
            hold: Answer when ``held`` is set.
            cut: Leave out so many of the last bytes, and hang up.
            before: Called with the request's body before anything is answered.
            headers: More headers of the answer.
        """
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.append((status, body, raw, {"Content-Type": kind, **headers}, hold, cut, before))

    def executes(self, body):
        """Execute what a request asks for, and return the answer."""
        if body["run_input"]["command"] == "stop":
            return self.records.stop(body["run_id"])
        return self.records.execute(body["run_input"], body.get("run_id"))

    def begins(self, body):
        """Begin to execute what a request asks for."""
        self.records.begin(body["run_input"], body.get("run_id"))

    def count(self, method):
        return sum(asked["method"] == method for asked in self.asked)

    @property
    def sent(self):
        """The run inputs that came."""
        return [asked["body"]["run_input"] for asked in self.asked if asked["path"].endswith("/execute")]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        text = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.endswith(("/v1/session", "/v1/workflow-runs/ws")):
            self.send_error(404)
            return
        body = json.loads(text) if text else None
        asked = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
        self.server.asked.append(asked)
        if not self.server.script:
            self._by_records(body)
            return
        status, answer, raw, headers, hold, cut, before = self.server.script.pop(0)
        if before is not None:
            before(body)
        if callable(answer):
            answer = answer(body)
        if hold:
            self.server.arrived.set()
            self.server.held.wait()
        raw = json.dumps(answer or {}).encode() if raw is None else raw
        if status is None:
            self.wfile.write(raw)
            self.close_connection = True
            return
        self._reply(status, raw, headers, cut)

    def _by_records(self, body):
        peer, path = self.server, urlsplit(self.path).path
        if self.server.refuses_stops and body and body["run_input"]["command"] == "stop":
            self._reply(500, b"{}", {"Content-Type": "application/json"})
            return
        if path.endswith("/execute"):
            answer = peer.executes(body)
        elif path.endswith("/workflow-runs"):
            answer = peer.records.rows()
        elif "/workflow-runs/" in path:
            answer = peer.records.record(path.rpartition("/")[2])
        else:
            graph = {"name": "Tea", "node_configs": [], "edge_configs": []}
            answer = {"workflow": {"_id": WORKFLOW, "active_version_number": 0, "workflow_config": graph}}
        status = 404 if answer is None else 200
        text = json.dumps({"detail": "Not found"} if answer is None else answer).encode()
        self._reply(status, text, {"Content-Type": "application/json"})

    def _reply(self, status, text, headers, cut=0):
        self.send_response(status)
        if self.server.checks_numbers:
            self.send_header("X-Turn-Numbers", "checked")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text[: len(text) - cut])
        self.close_connection = self.close_connection or bool(cut)

    def date_time_string(self, timestamp=None):
        # Not by `time.time`, which tests set for the client.
        moment = datetime(2026, 1, 1, tzinfo=UTC) if self.server.is_frozen else datetime.now(UTC)
        return format_datetime(moment, usegmt=True)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


@contextmanager
def serving(port=0):
    with Peer(port) as peer:
        thread = threading.Thread(target=peer.serve_forever, args=(0.01,))
        thread.start()
        yield peer
        peer.held.set()
        peer.shutdown()
        thread.join()


@contextmanager
def backend_of(peer, **settings):
    """A hosted backend of a peer that gives up soon."""
    fields = {"base_url": peer.url, "api_key": KEY, "timeout": 5, "reconciliation_timeout": 0.3, **settings}
    backend = HostedBackend(HostedSettings(**fields))
    yield backend
    backend.close()


def first_turn(backend, text="Hello", **options):
    return backend.execute(WORKFLOW, TurnInput.with_message(text), **options)


def later_turn(backend, text="More", *, number=2, **options):
    turn_input = TurnInput.with_message(text, command="data")
    return backend.execute(WORKFLOW, turn_input, run_id=RUN, expected_turn_number=number, **options)
