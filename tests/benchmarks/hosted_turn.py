"""Processor time of a client's turn on the hosted API.

Beside it stand the figures of bare clients of the same server.
The server runs in a process of its own, so that it does not count. Two comparisons, each in one run: requests
beside httpx, which reads the same answer as JSON; the socket beside websockets, with the same frames on one
connection. Then 500 turns of one run over each channel, to see whether a turn gets dearer.

Run it with ``python -m tests.benchmarks.hosted_turn``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.sync.client import ClientConnection, connect

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.backends.hosted.payloads import execute_body, live_input
from debugger.protocol.runs import TurnInput
from debugger.server.http_server import listen
from debugger.settings import HostedSettings, Settings
from tests.support.factories import direct, document, say, static, when

WORKFLOW = "665f00000000000000000001"
ROUNDS = 5
TURNS_PER_ROUND = 40
GROWTH_TURNS = 500
GRAPH: dict[str, Any] = {"name": "Tea", "node_configs": [], "edge_configs": []}


def recorded_turn() -> list[dict[str, Any]]:
    """Return the events of a turn of three nodes.

    They are executed by the embedded engine.
    """
    graph = document(
        static("greet", "Welcome to our tea shop"),
        say("ask", "Which tea would you like today?"),
        static("thank", "Thank you, that is noted"),
        direct("greet", "ask"),
        when("ask", "thank", "1 == 1"),
        direct("thank", "greet"),
    )
    backend = EmbeddedBackend(Settings(database="sqlite://"))
    workflow = backend.create_workflow(graph, name="Tea")
    first = backend.execute(workflow.id, TurnInput.with_message(None)).finish()
    turn_input = TurnInput.with_message("Assam", command="data")
    second = backend.execute(workflow.id, turn_input, run_id=first.run_id).finish()
    backend.close()
    return second.events


class Server:
    """Answers every turn with the recorded events under new ids."""

    def __init__(self) -> None:
        self._text = json.dumps(recorded_turn())
        self._turns: dict[str, int] = {}

    def execute(self, run_id: str | None, run_input: dict[str, Any]) -> dict[str, Any]:
        """Return the response to a turn.

        Its closing event repeats the input, as our own server's does.
        """
        # As random as real ids: nineteen decimal digits in a row would be read as a number of any size.
        run_id = run_id or secrets.token_hex(12)
        number = self._turns[run_id] = self._turns.get(run_id, 0) + 1
        text = re.sub(r'"logical_id": "', f'"logical_id": "{run_id}_{number}_', self._text)
        events = json.loads(text)
        for event in events:
            if event["type"] == "end_workflow_iteration":
                event["iteration_number"] = number
                event["run_input_output_pair"]["run_input"]["miscellaneous"] = run_input["miscellaneous"]
        return {
            "run_id": run_id,
            "status": "waiting_for_user_input",
            "turn_number": number,
            "events": events,
            "is_waiting_for_input": True,
            "is_completed": False,
            "next_input_hint": None,
        }

    async def request(self, request: Request) -> Response:
        """Answer a turn that comes as a request."""
        body = await request.json()
        return JSONResponse(self.execute(body.get("run_id"), body["run_input"]))

    async def stream(self, socket: WebSocket) -> None:
        """Answer turns that come over a socket."""
        await socket.accept()
        try:
            while True:
                frame = await socket.receive_json()
                answer = self.execute(frame.get("workflow_run_id"), frame)
                await socket.send_json({"workflow_run_id": answer["run_id"], "workflow_id": WORKFLOW})
                for event in answer["events"]:
                    await socket.send_json(event)
        except WebSocketDisconnect:
            return

    async def run(self, request: Request) -> Response:
        """Answer with a run that has no turns on record yet, as is read after the first turn of a socket."""
        run = {
            "_id": request.path_params["run_id"],
            "workflow_id": WORKFLOW,
            "status": "waiting_for_user_input",
            "input_output_pairs": [],
        }
        return JSONResponse({"workflow_run": run, "feedback_users": {}})

    async def workflow(self, request: Request) -> Response:
        """Answer with a workflow without background work."""
        return JSONResponse(
            {"workflow": {"_id": WORKFLOW, "active_version_number": 0, "workflow_config": GRAPH}}
        )


def serve() -> None:
    """Serve until the process ends, and print the base URL."""
    server = Server()
    base = "/workflows/v1"
    app = Starlette(
        routes=[
            WebSocketRoute(f"{base}/workflow-runs/ws", server.stream),
            Route(f"{base}/workflow-runs/{{run_id}}", server.run),
            Route(f"{base}/workflows/{{workflow_id}}", server.workflow),
            Route(f"{base}/workflows/{{workflow_id}}/execute", server.request, methods=["POST"]),
        ]
    )
    listener = listen("127.0.0.1", 0)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/workflows", flush=True)
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


@contextmanager
def serving() -> Iterator[str]:
    """Start the server in a child process and yield its base URL."""
    command = [sys.executable, "-m", "tests.benchmarks.hosted_turn", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


class HostedClient:
    """Turns of one run by the hosted backend."""

    def __init__(self, url: str, live_events: str) -> None:
        fields: dict[str, Any] = {"base_url": url, "api_key": "key", "live_events": live_events}
        self.backend = HostedBackend(HostedSettings(**fields))
        self._run_id: str | None = None
        self._number = 0

    def turn(self) -> None:
        """Execute the next turn."""
        self._number += 1
        turn_input = TurnInput.with_message("Assam", command="data")
        expected = self._number if self._run_id else None
        stream = self.backend.execute(
            WORKFLOW, turn_input, run_id=self._run_id, expected_turn_number=expected
        )
        result = stream.finish()
        assert (result.turn_number, stream.progress.record) == (self._number, None)
        self._run_id = result.run_id


def bare_request(client: httpx.Client, url: str, run: list[str]) -> None:
    """Execute a turn with httpx, and read its answer as JSON."""
    body = execute_body(TurnInput.with_message("Assam", command="data"), run[0] if run else None, None)
    response = client.post(f"{url}/v1/workflows/{WORKFLOW}/execute", content=json.dumps(body).encode())
    run[:] = [json.loads(response.content)["run_id"]]


def bare_frames(socket: ClientConnection, run: list[str]) -> None:
    """Execute a turn with websockets, and read its frames as JSON."""
    turn_input = TurnInput.with_message("Assam", command="data")
    socket.send(json.dumps(live_input(WORKFLOW, turn_input, run[0] if run else None, None)))
    while True:
        frame = json.loads(socket.recv())
        if "type" not in frame:
            run[:] = [frame["workflow_run_id"]]
        elif frame["type"] == "workflow_ready_for_input":
            return


def milliseconds_per_turn(turn: Callable[[], None], turns: int) -> float:
    """Return the processor time of a turn, threads included."""
    began = time.process_time()
    for _ in range(turns):
        turn()
    return 1000 * (time.process_time() - began) / turns


def compare(name: str, hosted: Callable[[], None], bare: Callable[[], None]) -> None:
    """Print the processor time of both, measured in turns, and its ratio."""
    for turn in (hosted, bare):
        milliseconds_per_turn(turn, 20)
    pairs = [
        (milliseconds_per_turn(hosted, TURNS_PER_ROUND), milliseconds_per_turn(bare, TURNS_PER_ROUND))
        for _ in range(ROUNDS)
    ]
    ratios = sorted(mine / other for mine, other in pairs)
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"{name}: {mine:.2f} ms, bare {other:.2f} ms, ratio {statistics.median(ratios):.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


def growth(name: str, turn: Callable[[], None]) -> None:
    """Print the cost of a long run's last hundred turns.

    The unit is the cost of its first hundred.
    """
    hundreds = [milliseconds_per_turn(turn, 100) for _ in range(GROWTH_TURNS // 100)]
    print(f"{name}, {GROWTH_TURNS} turns: {hundreds[-1] / hundreds[0]:.2f} times the first hundred")


def measure(url: str) -> None:
    """Print every figure."""
    by_requests, by_socket = HostedClient(url, "off"), HostedClient(url, "auto")
    with httpx.Client(headers={"Content-Type": "application/json"}, trust_env=False) as client:
        compare("requests", by_requests.turn, partial(bare_request, client, url, []))
    address = f"{url.replace('http', 'ws', 1)}/v1/workflow-runs/ws"
    with connect(address, compression=None, proxy=None) as socket:
        compare("socket", by_socket.turn, partial(bare_frames, socket, []))
    for name, live_events in (("requests", "off"), ("socket", "auto")):
        client_of_run = HostedClient(url, live_events)
        milliseconds_per_turn(client_of_run.turn, 20)
        growth(name, client_of_run.turn)
        client_of_run.backend.close()
    by_requests.backend.close()
    by_socket.backend.close()


def main() -> None:
    """Serve or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help="be the server")
    if parser.parse_args().serve:
        serve()
        return
    with serving() as url:
        measure(url)


if __name__ == "__main__":
    main()
