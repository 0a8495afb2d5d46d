"""A server of the API whose every word is scripted: requests, tokens, and what is said over sockets."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from debugger.backends.hosted import HostedBackend
from debugger.server.serve import listen
from debugger.settings import HostedSettings

WORKFLOW = "665f00000000000000000001"
RUN = "665f0c2b9a3e4d5f6a7b8c90"
KEY = "sk-very-secret"
ACK = {"workflow_run_id": RUN, "workflow_id": WORKFLOW, "message": "started"}
ANSWER = {
    "run_id": RUN,
    "status": "completed",
    "turn_number": 1,
    "events": [],
    "is_waiting_for_input": False,
    "is_completed": True,
}


def event(kind, number, **fields):
    return {"type": kind, "logical_id": f"event_{number}", "origin_thread_id": "0", **fields}


SAID = event("assistant_response", 1, content="Hi Ada")
WAITS = event("busy_wait_for_user_message", 2, origin_node_logical_id="ask")
ACCOUNTS = event("end_workflow_iteration", 3, iteration_number=1)
READY = event("workflow_ready_for_input", 4, active_companion_thread_ids=[])
OVER = event("end_workflow", 5)


class Peer:
    """What it is to say, and what it was told."""

    def __init__(self):
        self.token = None
        self.refuses_with = None
        self.talk = self.says(ACK, SAID, WAITS, ACCOUNTS, READY)
        self.record = None
        self.handshakes = []
        self.frames = []
        self.posted = []
        self.url = ""

    def says(self, *frames, close=None):
        """A talk: read a frame, say these, and close or wait until the client has gone."""

        async def talk(socket):
            self.frames.append(await socket.receive_json())
            for frame in frames:
                await (socket.send_text if isinstance(frame, str) else socket.send_json)(frame)
            if close is not None:
                await socket.close(*close)
                return
            while True:
                self.frames.append(await socket.receive_json())

        return talk

    async def stream(self, socket):
        self.handshakes.append(socket)
        if self.refuses_with is not None:
            await socket.send_denial_response(
                Response("no", status_code=self.refuses_with, headers=self.away)
            )
            return
        await socket.accept()
        try:
            await self.talk(socket)
        except WebSocketDisconnect:
            return

    away = {}  # noqa: RUF012

    async def session(self, request):
        return JSONResponse({"data": {"id": self.token}}) if self.token else Response(status_code=404)

    async def execute(self, request):
        self.posted.append(await request.json())
        return JSONResponse(ANSWER)

    async def run(self, request):
        return JSONResponse(self.record or {"detail": "Not found"}, status_code=200 if self.record else 404)

    async def workflow(self, request):
        graph = {"name": "Tea", "node_configs": [], "edge_configs": []}
        row = {"_id": WORKFLOW, "active_version_number": 3, "workflow_config": graph}
        return JSONResponse({"workflow": row})


@contextmanager
def serving(peer):
    base = "/workflows/v1"
    app = Starlette(
        routes=[
            Route("/v1/session", peer.session),
            WebSocketRoute(f"{base}/workflow-runs/ws", peer.stream),
            Route(f"{base}/workflow-runs/{{run_id}}", peer.run),
            Route(f"{base}/workflows/{{workflow_id}}", peer.workflow),
            Route(f"{base}/workflows/{{workflow_id}}/execute", peer.execute, methods=["POST"]),
        ]
    )
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    peer.url = f"http://127.0.0.1:{listener.getsockname()[1]}/workflows"
    yield
    server.should_exit = True
    thread.join()
    listener.close()


@contextmanager
def talking(peer, **settings):
    """A hosted backend that asks a peer."""
    fields = {"base_url": peer.url, "api_key": KEY, "timeout": 2, "connect_timeout": 2, **settings}
    backend = HostedBackend(HostedSettings(**fields))
    yield backend
    backend.close()


async def silence(socket):
    """A talk in which nothing is said."""
    while True:
        await socket.receive_json()
