"""A server of the API whose every frame is scripted: tokens, requests, and turns over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import threading
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from debugger.server.http_server import listen
from tests.backends.hosted.records import WORKFLOW, Records

SILENT = object()
"""A part of a script: wait until the client has gone."""
ABORT = object()
"""A part of a script: reset the connection, without a close frame."""


class SocketPeer:
    """Answers each frame by the next script, and without one by executing the turn in its records."""

    def __init__(self):
        self.records = Records()
        self.script = []
        self.token = None
        self.packs_token = 0
        """How many times the answer with the token is compressed."""
        self.checks_numbers = False
        self.numbers_frames = False
        self.acknowledges_later_turns = True
        self.closes_after_turn = False
        self.refuses_with = None
        self.refusal_headers = {}
        self.handshakes = []
        self.frames = []
        self.posted = []
        self.requested = []
        self.open = 0
        """Sockets that are open now."""
        self.all_closed = threading.Event()
        self.url = ""
        self.server = None

    def says(self, *parts, close=None, executes=True, run_id=None):
        """Script the answer to the next frame.

        Args:
            parts: ``"ack"``; the number of an event of the turn; an object or a text to send as it is; bytes
                to write to the connection as they are; `SILENT`; `ABORT`.
            close: Code and reason to close with afterwards.
            executes: Execute the turn in the records before anything is sent.
            run_id: The run that the acknowledgement names, instead of the turn's own.
        """

        async def talk(socket, frame):
            answer = self._execute(frame) if executes else {"run_id": frame.get("workflow_run_id")}
            for part in parts:
                if part is SILENT:
                    await socket.receive_json()
                elif part is ABORT:
                    await asyncio.sleep(0.05)  # what was sent before is to arrive
                    self._connection().abort()
                    raise WebSocketDisconnect
                elif part == "ack":
                    await socket.send_json(acknowledgement(run_id or answer["run_id"]))
                elif isinstance(part, bytes):
                    self._connection().write(part)
                elif isinstance(part, str):
                    await socket.send_text(part)
                else:
                    await socket.send_json(answer["events"][part] if isinstance(part, int) else part)
            if close is not None:
                await socket.close(*close)
                raise WebSocketDisconnect

        self.script.append(talk)

    async def _turn(self, socket, frame):
        answer = self._execute(frame)
        if frame.get("command") == "stop":
            await socket.close(1000)
            raise WebSocketDisconnect
        if self.acknowledges_later_turns or answer["turn_number"] == 1:
            await socket.send_json(acknowledgement(answer["run_id"]))
        for number, event in enumerate(answer["events"], start=1):
            await socket.send_json(event | ({"frame_number": number} if self.numbers_frames else {}))
        if self.closes_after_turn:
            await socket.close(1000)
            raise WebSocketDisconnect

    def _execute(self, frame):
        run_id = frame.get("workflow_run_id")
        if frame.get("command") == "stop":
            return self.records.stop(run_id)
        return self.records.execute(frame, run_id)

    def _connection(self):
        """The transport of the only open socket."""
        sockets = [
            one for one in self.server.server_state.connections if "websockets" in type(one).__module__
        ]
        assert len(sockets) == 1
        return sockets[0].transport

    async def stream(self, socket):
        self.handshakes.append(socket)
        if self.refuses_with is not None:
            response = Response("no", status_code=self.refuses_with, headers=self.refusal_headers)
            await socket.send_denial_response(response)
            return
        await socket.accept()
        self.open += 1
        self.all_closed.clear()
        try:
            while True:
                frame = await socket.receive_json()
                self.frames.append(frame)
                await (self.script.pop(0) if self.script else self._turn)(socket, frame)
        except WebSocketDisconnect:
            pass
        finally:
            self.open -= 1
            if not self.open:
                self.all_closed.set()

    async def session(self, request):
        headers = {"X-Turn-Numbers": "checked"} if self.checks_numbers else {}
        if not self.token:
            return Response(status_code=404, headers=headers)
        answer = JSONResponse({"data": {"id": self.token}}, headers=headers)
        for _ in range(self.packs_token):
            answer = Response(gzip.compress(answer.body), headers=headers)
        if self.packs_token:
            answer.headers["Content-Encoding"] = ", ".join(["gzip"] * self.packs_token)
        return answer

    async def execute(self, request):
        body = await request.json()
        self.posted.append(body)
        if body["run_input"]["command"] == "stop":
            return JSONResponse(self.records.stop(body["run_id"]))
        return JSONResponse(self.records.execute(body["run_input"], body.get("run_id")))

    async def run(self, request):
        self.requested.append(request.path_params["run_id"])
        record = self.records.record(request.path_params["run_id"])
        return JSONResponse(record or {"detail": "Not found"}, status_code=200 if record else 404)

    async def runs(self, request):
        self.requested.append("list")
        return JSONResponse(self.records.rows())

    async def workflow(self, request):
        graph = {"name": "Tea", "node_configs": [], "edge_configs": []}
        row = {"_id": WORKFLOW, "active_version_number": 3, "workflow_config": graph}
        return JSONResponse({"workflow": row})


def acknowledgement(run_id):
    return {"workflow_run_id": run_id, "workflow_id": WORKFLOW, "message": "started"}


@contextmanager
def serving():
    peer = SocketPeer()
    base = "/workflows/v1"
    app = Starlette(
        routes=[
            Route("/v1/session", peer.session),
            WebSocketRoute(f"{base}/workflow-runs/ws", peer.stream),
            Route(f"{base}/workflow-runs", peer.runs),
            Route(f"{base}/workflow-runs/{{run_id}}", peer.run),
            Route(f"{base}/workflows/{{workflow_id}}", peer.workflow),
            Route(f"{base}/workflows/{{workflow_id}}/execute", peer.execute, methods=["POST"]),
        ]
    )
    listener = listen("127.0.0.1", 0)
    peer.server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    thread = threading.Thread(target=peer.server.run, kwargs={"sockets": [listener]})
    thread.start()
    peer.url = f"http://127.0.0.1:{listener.getsockname()[1]}/workflows"
    yield peer
    peer.server.should_exit = True
    thread.join()
    listener.close()
