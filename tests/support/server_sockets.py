"""A client of the socket, written from ``platform.md`` alone."""

from __future__ import annotations

import json
from contextlib import contextmanager

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.factories import document

UNKNOWN = "665f00000000000000000001"
ENDS = {"workflow_ready_for_input", "end_workflow", "workflow_error"}


class Socket:
    """One connection."""

    def __init__(self, connection):
        self.connection = connection
        self.frame_numbers = []
        """Of the events that were received: no part of them."""

    def send(self, **run_input):
        self.connection.send(json.dumps(run_input))

    def receive(self, timeout=10):
        frame = json.loads(self.connection.recv(timeout))
        if "frame_number" in frame:
            self.frame_numbers.append(frame.pop("frame_number"))
        return frame

    def turn(self, **run_input):
        """Send a turn; take its frames until the turn ends."""
        self.send(**run_input)
        return self.until_ended()

    def until_ended(self, timeout=10):
        frames = [self.receive(timeout)]
        while frames[-1].get("type") not in ENDS:
            frames.append(self.receive(timeout))
        return frames

    def closed(self, timeout=10):
        """Wait for the close: its code and its reason."""
        try:
            while True:
                self.connection.recv(timeout)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None, "the connection broke without a close"
            return closed.rcvd.code, closed.rcvd.reason


def address(api, path="/v1/workflow-runs/ws"):
    """The socket's URL beside that of an HTTP client."""
    return str(api.base_url).rstrip("/").replace("http", "ws", 1) + path


@contextmanager
def opened(api, path="/v1/workflow-runs/ws", **options):
    with connect(address(api, path), proxy=None, **options) as connection:
        yield Socket(connection)


def create(api, *parts, graph=None, **options):
    body = {**(graph or document(*parts)), "name": "Tea"}
    return api.post("/v1/workflows", json=body, **options).json()["workflow"]["_id"]


def saying(text):
    message = {"type": "human", "content": text}
    return {"0": {"node_run_inputs": [{"type": "llm", "messages": [message]}]}}


def types(frames):
    return [frame.get("type") for frame in frames]


def record(api, run_id):
    return api.get(f"/v1/workflow-runs/{run_id}").json()["workflow_run"]["workflow_run"]


def kept_events(api, run_id):
    """The events of each pair on record."""
    return [pair["run_output"]["events"] for pair in record(api, run_id)["input_output_pairs"]]
