"""A server of strangers: the platform's API as ``wire.md`` documents it, and nothing of ours.

It executes one workflow: it greets, then asks in a loop. It keeps its runs in a JSON file, and appends a line
to a log of its own for each turn that it executes. It knows neither client turn ids nor turn numbers, so that
it never refuses a turn that came before; and its records are without ``miscellaneous``.

``python -m tests.faults.stranger --store runs.json --port 8611``. What it executes is in ``runs.executed``. A
file ``runs.strike`` strikes the next turn: ``die`` ends the process after the turn was executed and before it
is on record; a number is the seconds that the turn takes.

``wire.md`` does not say which turns of a socket are acknowledged: each, or, where a file
``runs.acknowledged`` says ``first``, only the one that starts a run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import time
import uuid
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

WORKFLOW = "665f00000000000000000001"
VERSION = {"workflow_id": WORKFLOW, "version_number": 0, "version_name": "Initial Version"}
COMMANDS = ("start", "data", "resume", "pause", "stop")
ACTIVE = ("started", "running", "waiting_for_user_input")
NODES = [
    {
        "type": "say_static",
        "logical_id": "greet",
        "name": "Greet",
        "is_start": True,
        "static_messages_config": {
            "static_messages": ["Hello"],
            "static_messages_selection_mode": "sequence",
        },
    },
    {"type": "say_llm", "logical_id": "ask", "name": "Ask", "main_response_config": {"prompt": "Answer."}},
]
EDGE = {
    "type": "direct",
    "logical_id": "edge_1",
    "source_node_logical_id": "greet",
    "destination_node_logical_id": "ask",
}
GRAPH = {
    "workflow_config": {"name": "Tea", "nodes": ["greet", "ask"], "edges": ["edge_1"]},
    "node_configs": NODES,
    "edge_configs": [EDGE],
    "dynamic_variables": {},
    "runtime_variables": {},
}


def without(key, value):
    """Return a JSON value without a key, at any depth."""
    if isinstance(value, dict):
        return {name: without(key, inner) for name, inner in value.items() if name != key}
    return [without(key, inner) for inner in value] if isinstance(value, list) else value


def now():
    """Return the time as records have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def texts_of(run_input):
    """Return the texts of the user's messages."""
    inputs = run_input.get("thread_to_node_inputs", {}).get("0", {}).get("node_run_inputs", [])
    return [message["content"] for node in inputs for message in node.get("messages", [])]


class Events:
    """The events of one turn, in the order of ``wire.md`` 3.8."""

    def __init__(self, run, run_input, *, is_live):
        self._number = len(run["input_output_pairs"]) + 1
        self._run_input = run_input
        self._is_live = is_live

    def begin(self):
        """Return the events until a node speaks."""
        name = "greet" if self._number == 1 else "ask"
        texts = texts_of(self._run_input)
        messages = [{"type": "human", "content": text, "id": str(uuid.uuid4())} for text in texts]
        found = [_event("start_workflow"), _event("start_thread")] if self._is_live else []
        if messages:
            found.append(_of_node(name, "user_messages", messages=messages))
        return [*found, _of_node(name, "start_node_run", run_input=None)]

    def answer(self):
        """Return the events from the node's text to the wait for the user."""
        name, kind = ("greet", "say_static") if self._number == 1 else ("ask", "say_llm")
        content = "Hello" if self._number == 1 else f"Answer {self._number} to {texts_of(self._run_input)}"
        says = f"assistant_message_{uuid.uuid4()}"
        message = {"type": "ai", "content": content, "id": says}
        output = {"events": [], "type": kind, "node_logical_id": name, "node_run_id": str(self._number)}
        edge = {"edge_name": None, "edge_logical_id": None, "edge_run_id": "0", "reason": None}
        ends = {"source_node_logical_id": name, "destination_node_logical_id": "ask"}
        memo = {"type": "ai", "content": f"[Internal-only memo]: from {name} to ask"}
        found = [
            _of_node(name, kind, message=message),
            {**_of_node(name, "assistant_response", content=content), "logical_id": says},
            _of_node(name, "end_node_run", run_output=output),
            _event("workflow_show_state", thread_id="0", runtime_variables={}, workflow_runtime_variables={}),
            _event("direct_edge" if self._number == 1 else "self_loop_edge", **edge, **ends),
        ]
        if self._number == 1:
            memo_id = {"logical_id": f"nav_msg_{uuid.uuid4()}"}
            found.append({**_of_node("ask", "workflow_navigation_message", message=memo), **memo_id})
        found.append(_of_node("ask", "busy_wait_for_user_message"))
        if self._is_live:
            pair = {"run_input": self._run_input, "run_output": {"events": []}}
            found.append(
                _event("end_workflow_iteration", iteration_number=self._number, run_input_output_pair=pair)
            )
            found.append(_event("workflow_ready_for_input", active_companion_thread_ids=[]))
        return found

    def stop(self):
        """Return the events of a run that is stopped."""
        return [_event("end_thread", last_node_logical_id="ask"), _event("end_workflow")]


def _event(kind, **fields):
    return {
        "type": kind,
        "logical_id": f"event_{uuid.uuid4()}",
        "timestamp": time.time(),
        "origin_thread_id": "0",
        "thread_reference_id": "0",
        "comments": [],
        "interrupted": False,
        **fields,
    }


def _of_node(name, kind, **fields):
    node = {"origin_node_logical_id": name, "origin_node_name": name.title(), "origin_node_run_id": "1"}
    return _event(kind, **node, **fields)


class Runs:
    """Executed runs, in a JSON file.

    Args:
        store: The file.
        keeps_miscellaneous: Whether records return what ``miscellaneous`` of an input held.
    """

    def __init__(self, store, *, keeps_miscellaneous):
        self._store = store
        self._keeps_miscellaneous = keeps_miscellaneous
        self._locks = defaultdict(asyncio.Lock)
        self.rows = json.loads(store.read_text()) if store.exists() else {}
        """Records by run id, in the order of their creation."""

    def new(self):
        """Create a run and return its id."""
        run_id = secrets.token_hex(12)
        inner = {
            "logical_id": f"workflow_run_{uuid.uuid4()}",
            "workflow_run_id": run_id,
            "workflow_id": WORKFLOW,
            "version_number": 0,
            "version_name": VERSION["version_name"],
            "status": "started",
            "termination_source": None,
            "miscellaneous": None,
            "comments": [],
            "input_output_pairs": [],
        }
        self.rows[run_id] = {"_id": run_id, "created_at": now(), "updated_at": now(), "workflow_run": inner}
        return run_id

    def takes_turns(self, run_id):
        """Return whether a run is there and not over."""
        return run_id in self.rows and self.rows[run_id]["workflow_run"]["status"] in ACTIVE

    def delete(self, run_id):
        """Remove a run."""
        del self.rows[run_id]
        self._save(None)

    async def execute(self, run_id, run_input, who, emit=None):
        """Execute one turn; return its events and the run.

        Args:
            run_id: The run.
            run_input: The input.
            who: The user in the request's headers.
            emit: Awaited with each event of a live turn; it is over when it is on record.
        """
        async with self._locks[run_id]:
            run = self.rows[run_id]["workflow_run"]
            kept = run_input if self._keeps_miscellaneous else without("miscellaneous", run_input)
            turn = Events(run, kept, is_live=emit is not None)
            if run_input["command"] == "stop":
                events, status = turn.stop(), "cancelled"
                begun = []
            else:
                run["status"] = "running"
                self._save(run_id)
                events, status = turn.begin(), "waiting_for_user_input"
                begun = list(events)
                for event in begun:
                    await _send(emit, event)
                self._log(run_id, run_input, who)
                await self._be_struck()
                events += turn.answer()
            run["status"] = status
            output = {"events": events, "thread_to_node_outputs": {"0": []}}
            run["input_output_pairs"].append({"run_input": kept, "run_output": output})
            self._save(run_id)
            for event in events[len(begun) :]:
                await _send(emit, event)
            return events, run

    def _log(self, run_id, run_input, who):
        text = " ".join(texts_of(run_input))
        row = {"text": text, "run_id": run_id, "who": who, "at": time.time()}
        with self._store.with_suffix(".executed").open("a") as log:
            log.write(json.dumps(row) + "\n")

    @property
    def acknowledges_each(self):
        """Return whether each turn of a socket is acknowledged, instead of the first one of a run."""
        said = self._store.with_suffix(".acknowledged")
        return not said.exists() or said.read_text() != "first"

    async def _be_struck(self):
        order = self._store.with_suffix(".strike")
        try:
            said = order.read_text()
            order.unlink()
        except FileNotFoundError:
            return
        if said == "die":
            os._exit(1)
        await asyncio.sleep(float(said))

    def _save(self, run_id):
        if run_id in self.rows:
            self.rows[run_id]["updated_at"] = now()
        draft = self._store.with_suffix(".draft")
        draft.write_text(json.dumps(self.rows))
        draft.replace(self._store)


async def _send(emit, event):
    """Send an event to a client, which may have left: the turn goes on without it."""
    if emit is not None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await emit(event)


class Api:
    """The routes."""

    def __init__(self, runs):
        self._runs = runs
        self._tokens = set()

    async def session(self, request):
        token = secrets.token_hex(16)
        self._tokens.add(token)
        return JSONResponse({"data": {"id": token}})

    async def workflows(self, request):
        return JSONResponse({"workflows": [self._document(GRAPH["workflow_config"])], "total": 1})

    async def workflow(self, request):
        _check_workflow(request)
        is_whole = request.query_params.get("fully_hydrate") == "true"
        document = self._document(GRAPH if is_whole else GRAPH["workflow_config"])
        return JSONResponse({"workflow": document, "execution_url": ""})

    async def versions(self, request):
        _check_workflow(request)
        return JSONResponse({"versions": [{"_id": WORKFLOW, **VERSION, "workflow_config": GRAPH}]})

    async def execute(self, request):
        _check_workflow(request)
        body = await request.json()
        run_input = body.get("run_input")
        if not isinstance(run_input, dict):
            raise _unprocessable("missing", ["body", "run_input"], "Field required")
        run_input = {"command": "start", **run_input}
        if run_input["command"] not in COMMANDS:
            raise _unprocessable(
                "enum", ["body", "run_input", "command"], f"Input should be one of {COMMANDS}"
            )
        run_id = body.get("run_id")
        if run_id is not None and not self._runs.takes_turns(run_id):
            raise HTTPException(404, "Session not found")
        events, run = await self._runs.execute(run_id or self._runs.new(), run_input, _who(request))
        return JSONResponse(_result(run, events))

    async def pump(self, request):
        """Answer that there is no background work."""
        return JSONResponse(_result(self._row(request)["workflow_run"], []))

    async def list_runs(self, request):
        query = request.query_params
        page, size = int(query.get("page", 1)), int(query.get("size", 100))
        rows = [
            {**row, "workflow_run": {**row["workflow_run"], "input_output_pairs": None}}
            for row in reversed(self._runs.rows.values())
            if query.get("status") in (None, row["workflow_run"]["status"])
            and query.get("workflow_id") in (None, WORKFLOW)
        ]
        return JSONResponse({"workflow_runs": rows[(page - 1) * size : page * size], "total": len(rows)})

    async def run(self, request):
        row = self._row(request)
        if request.method == "DELETE":
            self._runs.delete(row["_id"])
            return Response(status_code=204)
        return JSONResponse({"workflow_run": row, "feedback_users": {}})

    async def stream(self, socket):
        """Execute the turns of one socket."""
        token = socket.query_params.get("token")
        if token is not None and token not in self._tokens:
            await socket.close(1008)  # before the handshake is accepted: 403
            return
        self._tokens.discard(token)
        await socket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                code, reason = await self._turn(socket, await socket.receive_json())
                if code:
                    await socket.close(code, reason)
                    return

    async def _turn(self, socket, frame):
        """Execute a frame's turn; return the code and the reason of a close, 0 for none."""
        run_id = frame.pop("workflow_run_id", None)
        if frame.get("initial_state") is not None:
            return 4006, "initial_state must not be set"
        if run_id is not None and not self._runs.takes_turns(run_id):
            return 1011, "Session not found"
        is_acknowledged = run_id is None or self._runs.acknowledges_each
        run_id = run_id or self._runs.new()
        if is_acknowledged:
            started = {"workflow_run_id": run_id, "workflow_id": WORKFLOW, "message": "Workflow run started"}
            await socket.send_json(started)
        _, run = await self._runs.execute(
            run_id, {"command": "start", **frame}, _who(socket), socket.send_json
        )
        return (0, "") if run["status"] in ACTIVE else (1000, "")

    def _document(self, config):
        return {"_id": WORKFLOW, "active_version_number": 0, "workflow_config": config}

    def _row(self, request):
        run_id = request.path_params["run"]
        if not re.fullmatch("[0-9a-f]{24}", run_id):
            raise _unprocessable("string_pattern_mismatch", ["path", "run_id"], "pattern mismatch")
        if run_id not in self._runs.rows:
            raise HTTPException(404, "Workflow run not found")
        return self._runs.rows[run_id]


def _who(connection):
    return connection.headers.get("uuid", "")


def _check_workflow(request):
    if not re.fullmatch("[0-9a-f]{24}", request.path_params["workflow"]):
        raise _unprocessable("string_pattern_mismatch", ["path", "workflow_id"], "pattern mismatch")
    if request.path_params["workflow"] != WORKFLOW:
        raise HTTPException(404, "Workflow not found")


def _unprocessable(kind, place, message):
    return HTTPException(422, [{"type": kind, "loc": place, "msg": message}])


def _result(run, events):
    waits = run["status"] == "waiting_for_user_input"
    hints = (event for event in reversed(events) if event["type"] == "busy_wait_for_user_message")
    return {
        "run_id": run["workflow_run_id"],
        "status": run["status"],
        "turn_number": len(run["input_output_pairs"]),
        "events": events,
        "is_waiting_for_input": waits,
        "is_completed": run["status"] not in ACTIVE,
        "error": None,
        "next_input_hint": next(hints, None) if waits else None,
        "has_active_companions": False,
        "has_background_work": False,
    }


async def _refuse(request, error):
    return JSONResponse({"detail": error.detail}, error.status_code)


def make_app(runs):
    """Return the server: the session at its root, all else below the gateway's prefix."""
    api = Api(runs)
    routes = [
        Route("/v1/workflows", api.workflows),
        Route("/v1/workflows/{workflow}", api.workflow),
        Route("/v1/workflows/{workflow}/versions", api.versions),
        Route("/v1/workflows/{workflow}/execute", api.execute, methods=["POST"]),
        Route("/v1/workflows/{workflow}/runs/{run}/pump-companions", api.pump, methods=["POST"]),
        Route("/v1/workflow-runs", api.list_runs),
        WebSocketRoute("/v1/workflow-runs/ws", api.stream),
        Route("/v1/workflow-runs/{run}", api.run, methods=["GET", "DELETE"]),
    ]
    root = [Route("/v1/session", api.session), Mount("/workflows", routes=routes)]
    return Starlette(routes=root, exception_handlers={HTTPException: _refuse})


def main(*, keeps_miscellaneous=False):
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--store", type=Path, required=True, help="the JSON file of the runs")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    app = make_app(Runs(options.store, keeps_miscellaneous=keeps_miscellaneous))
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main()
