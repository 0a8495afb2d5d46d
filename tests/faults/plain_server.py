"""A small server with the API's routes that counts executions."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from debugger.server.http_server import listen

WORKFLOW = "665f00000000000000000001"
RUN = "665f0c2b9a3e4d5f6a7b8c90"
EXECUTE_PATH = f"/workflows/v1/workflows/{WORKFLOW}/execute"
PUMP_PATH = f"/workflows/v1/workflows/{WORKFLOW}/runs/{RUN}/pump-companions"
RUN_PATH = f"/workflows/v1/workflow-runs/{RUN}"
RUNS_PATH = "/workflows/v1/workflow-runs"
STREAM_PATH = "/workflows/v1/workflow-runs/ws"
EVENTS = 4
"""Event frames of a turn, after the acknowledgement."""


class PlainServer:
    """Counted executions, and the listening port."""

    def __init__(self):
        self.port = 0
        self.executed = []
        self.frames = []
        self.left = threading.Event()
        """Set once a client has left its socket."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def execute(self, request):
        text = (await request.body()).decode()
        self.executed.append(text)
        number = len(self.executed)
        events = [f"{number}.{place}" for place in range(1, EVENTS + 1)]
        return JSONResponse(
            {"number": number, "text": text, "events": events}, headers={"X-Turn-Numbers": "checked"}
        )

    async def run(self, request):
        return JSONResponse({"run": RUN})

    async def runs(self, request):
        """Answer in chunks."""
        body = json.dumps({"workflow_runs": []})
        return StreamingResponse(iter([body[:5], body[5:]]), media_type="application/json")

    async def nothing(self, request):
        return Response(status_code=204)

    async def stream(self, socket):
        await socket.accept()
        try:
            while True:
                frame = await socket.receive_text()
                self.frames.append(frame)
                await socket.send_json({"workflow_run_id": RUN, "frame": frame})
                for number in range(1, EVENTS + 1):
                    await socket.send_json({"type": "event", "number": number})
        except WebSocketDisconnect:
            self.left.set()


@contextmanager
def plain_server():
    """Run the server on a thread of its own."""
    server = PlainServer()
    app = Starlette(
        routes=[
            Route("/v1/session", server.run),
            WebSocketRoute(STREAM_PATH, server.stream),
            Route(RUN_PATH, server.run),
            Route(RUNS_PATH, server.runs),
            Route(EXECUTE_PATH, server.execute, methods=["POST"]),
            Route(PUMP_PATH, server.nothing, methods=["POST"]),
        ]
    )
    with listen("127.0.0.1", 0) as listener:
        server.port = listener.getsockname()[1]
        serving = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]})
        thread.start()
        yield server
        serving.should_exit = True
        thread.join()
